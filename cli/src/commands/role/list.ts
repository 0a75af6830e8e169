import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { findRoles, roleView } from '../../data/cluster-objects.js';

export default class RoleList extends StarkCommand<typeof RoleList> {
  static override summary = 'List the roles that users can be given.';
  static override examples = ['<%= config.bin %> role list', '<%= config.bin %> role list operator --output yaml'];
  static override args = { role: names('role', { required: false }) };

  async run(): Promise<void> {
    const wanted = this.args.role as unknown as string[] | undefined;
    await this.printList(roleView, await findRoles(await this.connection(), wanted));
  }
}
