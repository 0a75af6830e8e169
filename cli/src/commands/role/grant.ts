import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { argument, names, notEmpty } from '../../base/flags.js';
import { changeUsers } from '../../data/users.js';

export default class RoleGrant extends StarkCommand<typeof RoleGrant> {
  static override summary = 'Give users a role, everywhere or in one namespace.';
  static override examples = [
    '<%= config.bin %> role grant developer bob@example.com --namespace team-a',
    '<%= config.bin %> role grant viewer bob@example.com eve@example.com --output json',
  ];
  static override args = { name: argument('Name of the role.'), user: names('user') };
  static override flags = {
    namespace: Flags.string({
      char: 'n',
      summary: 'Namespace in which it counts. Default: all.',
      parse: notEmpty('namespace', 'for the whole cluster leave --namespace out'),
    }),
  };

  async run(): Promise<void> {
    const { namespace } = this.flags;
    const connection = await this.connection();
    const grant = ({ id }: { id: string }) =>
      connection.call('grant_role', { p_user_id: id, p_role: this.args.name, p_namespace: namespace });
    const done = `is ${this.args.name}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
    await changeUsers(connection, this.args.user, grant, done, await this.format());
  }
}
