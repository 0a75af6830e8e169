import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { passwordFlags, placeFlags } from '../../base/flags.js';
import { ask, passwordFrom } from '../../base/prompt.js';
import { rememberPlace } from '../../session/place.js';

export default class AuthLogin extends StarkCommand<typeof AuthLogin> {
  static override summary = 'Sign in.';
  static override examples = [
    '<%= config.bin %> auth login --email ada@example.com',
    '<%= config.bin %> auth login --email ada@example.com --password-stdin --url https://abc.supabase.co --key sb_publishable_… < password.txt',
  ];
  static override flags = {
    email: Flags.string({ char: 'e', summary: 'E-mail address.', env: 'STARK_EMAIL' }),
    ...passwordFlags,
    ...placeFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const connection = await this.connection();
    const email = flags.email ?? (await ask('E-mail', '--email'));
    const session = await connection.signIn.withPassword(email, await passwordFrom(flags, await this.settings()));
    const { sessions, context } = await rememberPlace(await this.settings());
    await sessions.write(session);
    const object = { user_id: session.userId, email: session.email, context, url: connection.url };
    await this.printObject(object, `user/${session.email}`, [`signed in as ${session.email} at ${connection.url}`]);
    this.next('stark pack list', 'stark node list');
  }
}
