import { StarkCommand } from '../../base/command.js';
import { describe } from '../../base/output.js';

export default class AuthWhoami extends StarkCommand<typeof AuthWhoami> {
  static override summary = 'Show who you are and which roles you have.';
  static override examples = ['<%= config.bin %> auth whoami', '<%= config.bin %> auth whoami --output json'];

  async run(): Promise<void> {
    const connection = await this.connection();
    const me = await connection.call('whoami');
    const roles = me.roles.map(({ role, namespace }) => (namespace === null ? role : `${role} in ${namespace}`));
    await this.printObject(
      {
        user_id: me.user_id,
        email: me.email,
        display_name: me.display_name,
        roles: me.roles.map(({ role, namespace }) => ({ role, namespace })),
        url: connection.url,
      },
      `user/${me.email ?? me.user_id}`,
      describe([
        ['E-mail', me.email],
        ['Name', me.display_name],
        ['User', me.user_id],
        ['Roles', roles],
        ['Cluster', connection.url],
      ]),
    );
  }
}
