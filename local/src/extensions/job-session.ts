import { access } from 'node:fs/promises';
import path from 'node:path';
import postgres, { type Sql } from 'postgres';

export interface JobLogin {
  readonly username: string;
  readonly database: string;
}

/** What a finished statement says of itself, like a libpq client sees it. */
interface StatementResult extends Array<unknown> {
  readonly command?: string;
  readonly count?: number | null;
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
  admin: Sql,
  databaseUrl: string,
  rolePassword: string,
): Promise<(login: JobLogin) => Sql> {
  const url = new URL(databaseUrl);
  const [row] = await admin<{ directory: string; port: string }[]>`
    select current_setting('unix_socket_directories') as directory, current_setting('port') as port
  `;
  const directory = row?.directory.split(',')[0]?.trim() ?? '';
  const port = Number(row?.port ?? url.port);
  const socket = path.isAbsolute(directory) ? path.join(directory, `.s.PGSQL.${port}`) : '';
  const hasSocket = socket !== '' && (await reachable(socket));
  return ({ username, database }) =>
    postgres({
      host: hasSocket ? directory : url.hostname,
      port,
      ...(hasSocket ? { path: socket } : {}),
      username,
      database,
      password: username === url.username ? url.password : rolePassword,
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 10,
      fetch_types: false,
      prepare: false,
      onnotice: () => {},
      connection: { application_name: 'pg_cron' },
    });
}

async function reachable(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** The last statement's outcome in the words of `cron.job_run_details.return_message`. */
export function describeResult(result: unknown): string {
  const results = result as StatementResult | StatementResult[];
  const last = (
    Array.isArray(results[0]) && !('command' in results) ? results[results.length - 1] : results
  ) as StatementResult;
  const { command = '', count } = last;
  if (command === 'SELECT' || command === 'SHOW' || command === 'EXPLAIN') {
    return last.length === 1 ? '1 row' : `${last.length} rows`;
  }
  if (command === 'INSERT') return `INSERT 0 ${count ?? 0}`;
  return count === null || count === undefined ? command : `${command} ${count}`;
}

/** An error as libpq prints it. */
export function describeError(error: unknown): string {
  const { code, severity, severity_local, message, detail, hint, where } = error as {
    code?: string;
    severity?: string;
    severity_local?: string;
    message: string;
    detail?: string;
    hint?: string;
    where?: string;
  };
  if (code?.startsWith('CONNECTION_')) return 'server closed the connection unexpectedly';
  const lines = [`${severity_local ?? severity ?? 'ERROR'}:  ${message}`];
  if (detail) lines.push(`DETAIL:  ${detail}`);
  if (hint) lines.push(`HINT:  ${hint}`);
  if (where) lines.push(`CONTEXT:  ${where}`);
  return lines.join('\n');
}
