import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { argument, names, notEmpty } from '../../base/flags.js';
import { changeUsers } from '../../data/users.js';

export default class RoleRevoke extends StarkCommand<typeof RoleRevoke> {
  static override summary = 'Take a role from users; it counts no more from the next statement on.';
  static override examples = [
    '<%= config.bin %> role revoke developer bob@example.com --namespace team-a',
    '<%= config.bin %> role revoke viewer bob@example.com eve@example.com --output json',
  ];
  static override args = { name: argument('Name of the role.'), user: names('user') };
  static override flags = {
    namespace: Flags.string({
      char: 'n',
      summary: 'Namespace in which it counted. Default: all.',
      parse: notEmpty('namespace', 'for the whole cluster leave --namespace out'),
    }),
  };

  async run(): Promise<void> {
    const { namespace } = this.flags;
    const connection = await this.connection();
    const revoke = ({ id }: { id: string }) =>
      connection.call('revoke_role', { p_user_id: id, p_role: this.args.name, p_namespace: namespace });
    const done = `is no ${this.args.name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
    await changeUsers(connection, this.args.user, revoke, done, await this.format());
  }
}
