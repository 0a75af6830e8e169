import { StarkError } from '@stark-o/core/errors';
import type { Facts } from '@stark-o/core/model';
import pg from 'pg';

const codes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host; the direct host of a hosted project has IPv6 only: take the URL of the session pooler',
  ECONNREFUSED: 'nothing listens there',
  '28P01': 'the password is wrong',
  '3D000': 'there is no such database',
};

/** What is asked of the database itself, as role postgres, past PostgREST and anybody's session. */
export class DatabaseSession {
  readonly #client: pg.Client;
  #connected: Promise<unknown> | undefined;

  constructor(url: string) {
    this.#client = new pg.Client({ connectionString: asInPsql(url), connectionTimeoutMillis: 10_000 });
    this.#client.on('error', () => {});
  }

  async facts(): Promise<Facts> {
    return (await this.#answer<Facts>('select stark.diagnostics() as answer')) as Facts;
  }

  async probe(): Promise<number | null> {
    const id = await this.#answer<string>('select stark.probe_watcher() as answer');
    return id === null ? null : Number(id);
  }

  async scheduleJobs(): Promise<void> {
    await this.#answer('select stark_internal.schedule_jobs() as answer');
  }

  /** Schemas that PostgREST is told to expose by a setting of its role, which stands above the dashboard; null for none. */
  exposedSchemas(): Promise<string | null> {
    return this.#answer<string>(
      `select substring(s.setting from '=(.*)$') as answer
       from pg_db_role_setting r, unnest(r.setconfig) s (setting)
       where r.setrole = to_regrole('authenticator') and s.setting like 'pgrst.db_schemas=%'`,
    );
  }

  async close(): Promise<void> {
    if (this.#connected !== undefined) await this.#client.end();
  }

  // A query without arguments is no prepared statement, which the pooler's transaction mode does not have.
  async #answer<T>(query: string): Promise<T | null> {
    try {
      this.#connected ??= this.#client.connect();
      await this.#connected;
      const { rows } = await this.#client.query<{ answer: T | null }>(query);
      return rows[0]?.answer ?? null;
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string };
      // Neither the schema nor the function: nothing of Stark, or an older version.
      if (code === '3F000' || code === '42883') {
        throw new StarkError(message, { code: 'SCHEMA_MISMATCH', hint: 'supabase db push --remote', cause: error });
      }
      const why = message === 'timeout expired' ? 'no answer' : (codes[code] ?? message);
      throw new StarkError(`cannot ask the database: ${why}`, {
        code: 'DATABASE_UNREACHABLE',
        hint: 'give --db-url as the dashboard shows it under Connect',
        cause: error,
      });
    }
  }
}

/** `sslmode=require` means for this driver what it means for psql: encrypted, by whatever certificate. */
function asInPsql(url: string): string {
  if (!/[?&]sslmode=/.test(url)) return url;
  return `${url}&uselibpqcompat=true`;
}
