import * as Flags from '@oclif/core/flags';
import { users } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';

export default class AuthListUsers extends StarkCommand<typeof AuthListUsers> {
  static override summary = 'List users with their roles.';
  static override description =
    'Accounts that machines got when they joined as nodes are left out unless --all is given.';
  static override examples = [
    '<%= config.bin %> auth list-users',
    '<%= config.bin %> auth list-users --all --output json',
  ];
  static override flags = { all: Flags.boolean({ summary: 'Also the accounts of nodes.' }) };

  async run(): Promise<void> {
    await this.list(users, { everything: this.flags.all });
  }
}
