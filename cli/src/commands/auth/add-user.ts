import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { notEmpty, passwordFlags } from '../../base/flags.js';
import { ask, passwordFrom } from '../../base/prompt.js';
import { callApi } from '../../session/api.js';

interface NewUser {
  user_id: string;
  email: string;
  display_name: string | null;
  role: string | null;
  namespace: string | null;
}

export default class AuthAddUser extends StarkCommand<typeof AuthAddUser> {
  static override summary = 'Make an account for somebody, with a role from the first moment.';
  static override examples = [
    '<%= config.bin %> auth add-user --email bob@example.com --role developer --password-file bob.password',
    '<%= config.bin %> auth add-user --email eve@example.com --role viewer --namespace team-a',
  ];
  static override flags = {
    email: Flags.string({ char: 'e', summary: 'E-mail address.' }),
    role: Flags.string({ summary: 'Role to give (see stark role list). Default: none.' }),
    namespace: Flags.string({
      char: 'n',
      summary: 'Namespace in which the role counts. Default: all.',
      dependsOn: ['role'],
      parse: notEmpty('namespace', 'for the whole cluster leave --namespace out'),
    }),
    'display-name': Flags.string({ summary: 'Name of the person.' }),
    ...passwordFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const connection = await this.connection();
    const email = flags.email ?? (await ask('E-mail', '--email'));
    const password = await passwordFrom(flags, await this.settings(), { repeat: true });
    const made = await callApi<NewUser>(connection, '/auth/users', {
      ...{ email, password, role: flags.role ?? null, namespace: flags.namespace ?? null },
      display_name: flags['display-name'] ?? null,
    });
    const { user_id, display_name, role, namespace } = made;
    const where = role === null ? 'without a role' : `${role}${namespace === null ? '' : ` in namespace ${namespace}`}`;
    await this.printObject({ user_id, email: made.email, display_name, role, namespace }, `user/${made.email}`, [
      `user/${made.email} created, ${where}`,
    ]);
    if (role === null) this.next(`stark role grant developer ${made.email}`);
  }
}
