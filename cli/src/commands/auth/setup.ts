import * as Flags from '@oclif/core/flags';
import { StarkError, toStarkError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { passwordFlags, placeFlags } from '../../base/flags.js';
import { ask, askSecret, passwordFrom, secretFrom } from '../../base/prompt.js';
import { Contexts } from '../../config/contexts.js';
import type { Connection } from '../../session/connection.js';
import { rememberPlace } from '../../session/place.js';

const path = '/functions/v1/api/auth/setup';

export default class AuthSetup extends StarkCommand<typeof AuthSetup> {
  static override summary = 'Make the first account, an admin, and sign in.';
  static override description =
    'Needs the secret key of the project. That of a cluster on this machine (stark up) is asked of the cluster itself; for any other it comes from --secret-key-file, from STARK_SECRET_KEY, or is typed.';
  static override examples = [
    '<%= config.bin %> auth setup --email ada@example.com --display-name Ada',
    '<%= config.bin %> auth setup --email ada@example.com --password-file admin.password',
  ];
  static override flags = {
    email: Flags.string({ char: 'e', summary: 'E-mail address.', env: 'STARK_EMAIL' }),
    'display-name': Flags.string({ summary: 'Your name.' }),
    'secret-key-file': Flags.string({ summary: 'Read the secret key of the project from a file.' }),
    ...passwordFlags,
    ...placeFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const connection = await this.connection();
    await refuseWhenDone(connection);
    const secretKey = await this.#secretKey(connection);
    const email = flags.email ?? (await ask('E-mail', '--email'));
    const password = await passwordFrom(flags, await this.settings(), { repeat: true });
    const account = { email, password, display_name: flags['display-name'] ?? null };
    await request(connection, 'POST', secretKey, account);
    const session = await connection.signIn.withPassword(email, password);
    const { sessions, context } = await rememberPlace(await this.settings());
    await sessions.write(session);
    const object = { user_id: session.userId, email: session.email, context, url: connection.url };
    await this.printObject(object, `user/${session.email}`, [`${session.email} is the admin of ${connection.url}`]);
    this.next('stark node agent start --name node-1', 'stark pack bundle ./my-pack --out my-pack.js');
  }

  // Who may open the control socket of a stack owns it; the key it tells is used for this one request and kept nowhere.
  async #secretKey(connection: Connection): Promise<string> {
    const file = this.flags['secret-key-file'];
    const source = { file, flag: '--secret-key-file', variable: 'STARK_SECRET_KEY' };
    const given = await secretFrom(source, await this.settings());
    if (given !== undefined) return given;
    const contexts = await new Contexts((await this.settings()).configDirectory).list();
    const { readStackState } = await import('@stark-o/local/running-stack');
    for (const { url, dataDir } of contexts) {
      if (dataDir === undefined || url !== connection.url) continue;
      const status = await readStackState(dataDir);
      if (status?.url === connection.url) return status.keys.secret;
    }
    return askSecret('Secret key of the project', '--secret-key-file');
  }
}

// Asked first, so that nobody types a password for nothing.
async function refuseWhenDone(connection: Connection): Promise<void> {
  const { needed } = (await request(connection, 'GET', connection.key)) as { needed: boolean };
  if (needed) return;
  throw new StarkError('this cluster has its first admin already', {
    code: 'SETUP_DONE',
    status: 409,
    hint: 'stark auth login',
  });
}

async function request(connection: Connection, method: 'GET' | 'POST', key: string, body?: unknown): Promise<unknown> {
  const headers: Record<string, string> = {
    apikey: key,
    'content-type': 'application/json',
    'x-correlation-id': connection.correlationId,
  };
  let response: Response;
  try {
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    response = await connection.fetch(`${connection.url}${path}`, init);
  } catch (error) {
    throw toStarkError(error, { url: connection.url });
  }
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return answer;
  const known = typeof answer.error === 'object' || typeof answer.message === 'string';
  throw toStarkError(known ? answer : { message: `setup was refused with HTTP ${response.status}` }, {
    status: response.status,
    url: connection.url,
  });
}
