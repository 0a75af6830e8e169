import { users } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';

export default class AuthListUsers extends StarkCommand<typeof AuthListUsers> {
  static override summary = 'List users with their roles.';
  static override examples = ['<%= config.bin %> auth list-users', '<%= config.bin %> auth list-users --output json'];

  async run(): Promise<void> {
    await this.list(users, {});
  }
}
