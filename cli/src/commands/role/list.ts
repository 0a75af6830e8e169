import { roles } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames } from '../../base/flags.js';

export default class RoleList extends StarkCommand<typeof RoleList> {
  static override summary = 'List the roles that users can be given.';
  static override examples = ['<%= config.bin %> role list', '<%= config.bin %> role list operator --output yaml'];
  static override args = { role: optionalNames('role') };

  async run(): Promise<void> {
    await this.list(roles, { names: this.args.role });
  }
}
