import { StarkCommand } from '../../base/command.js';

export default class AuthLogout extends StarkCommand<typeof AuthLogout> {
  static override summary = 'Sign out of the cluster.';
  static override examples = ['<%= config.bin %> auth logout', '<%= config.bin %> auth logout --context production'];

  async run(): Promise<void> {
    const connection = await this.connection();
    const session = await connection.sessions.read();
    await connection.sessions.clear();
    let revoked = false;
    if (session !== undefined) {
      try {
        await connection.signIn.signOut(session.accessToken);
        revoked = true;
      } catch (error) {
        // The session is gone from this machine whatever the server says; an expired one is gone there as well.
        this.warn(`the server did not end the session: ${(error as Error).message}`);
      }
    }
    const line = session === undefined ? 'nobody was signed in' : `${session.email} is signed out`;
    await this.printObject({ email: session?.email ?? null, revoked }, `user/${session?.email ?? ''}`, [line]);
  }
}
