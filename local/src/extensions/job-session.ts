import { access } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { isLostConnection } from '../rest/reconnect.js';

export interface JobLogin {
  readonly username: string;
  readonly database: string;
}

/**
 * Where to log in as somebody else. Through the socket in the server's data folder, which only the server's own account
 * and root can reach, any role but the superuser may log in without a password; elsewhere (no socket files, or a path
 * too long) the platform's password is tried, which roles that a user made may not have.
 *
 * A job must have a session of its own that was never anything more: from a superuser's session that has set another
 * role or authorization, the job itself could go back to superuser.
 */
export async function findJobServer(
  admin: pg.Pool,
  databaseUrl: string,
  rolePassword: string,
): Promise<(login: JobLogin) => JobSession> {
  const url = new URL(databaseUrl);
  const { rows } = await admin.query<{ directory: string; port: string }>(
    `select current_setting('unix_socket_directories') as directory, current_setting('port') as port`,
  );
  const [row] = rows;
  const directory = row?.directory.split(',')[0]?.trim() ?? '';
  const port = Number(row?.port ?? url.port);
  const socket = path.isAbsolute(directory) ? path.join(directory, `.s.PGSQL.${port}`) : '';
  const hasSocket = socket !== '' && (await reachable(socket));
  return ({ username, database }) =>
    new JobSession({
      host: hasSocket ? directory : url.hostname,
      port,
      user: username,
      database,
      password: username === url.username ? decodeURIComponent(url.password) : rolePassword,
      application_name: 'pg_cron',
      connectionTimeoutMillis: 10_000,
    });
}

/** What the driver has and its types do not: the messages of the server as they come. */
interface Wire {
  connection: { on(event: 'commandComplete', listener: (message: { text: string }) => void): void };
}

/** The session of one run, ended after it. */
export class JobSession {
  readonly #client: pg.Client;
  /** What the server said of the last statement that it finished: `INSERT 0 2`. The driver keeps its first word alone. */
  #tag = '';

  constructor(config: pg.ClientConfig) {
    this.#client = new pg.Client(config);
    this.#client.on('error', () => {});
    (this.#client as unknown as Wire).connection.on('commandComplete', ({ text }) => {
      this.#tag = text;
    });
  }

  /** Logs in; gives the process that serves the session. */
  async open(): Promise<number> {
    await this.#client.connect();
    const { rows } = await this.#client.query<{ pid: number }>('select pg_backend_pid() as pid');
    return Number(rows[0]?.pid);
  }

  /** Runs a command of one or more statements; the outcome of the last, in the words of `cron.job_run_details.return_message`. */
  async run(command: string): Promise<string> {
    this.#tag = '';
    const answer: pg.QueryResult | pg.QueryResult[] = await this.#client.query(command);
    const last = Array.isArray(answer) ? answer.at(-1) : answer;
    return describeResult(this.#tag, last?.rows.length ?? 0);
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

async function reachable(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** As libpq tells of a statement: how many rows it gave, or the tag that the server gave it. */
function describeResult(tag: string, rows: number): string {
  if (!/^(SELECT|SHOW|EXPLAIN)\b/.test(tag)) return tag;
  return rows === 1 ? '1 row' : `${rows} rows`;
}

/** An error as libpq prints it. */
export function describeError(error: unknown): string {
  const lines: string[] = [];
  if (error instanceof pg.DatabaseError) {
    const { severity, message, detail, hint, where } = error;
    lines.push(`${severity ?? 'ERROR'}:  ${message}`);
    if (detail) lines.push(`DETAIL:  ${detail}`);
    if (hint) lines.push(`HINT:  ${hint}`);
    if (where) lines.push(`CONTEXT:  ${where}`);
  }
  if (isLostConnection(error)) lines.push('server closed the connection unexpectedly');
  return lines.length > 0 ? lines.join('\n') : `ERROR:  ${(error as Error).message}`;
}
