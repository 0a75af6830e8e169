import { StarkError } from '@stark-o/core/errors';
import type { Facts } from '@stark-o/core/model';
import postgres from 'postgres';

const codes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host; the direct host of a hosted project has IPv6 only: take the URL of the session pooler',
  ECONNREFUSED: 'nothing listens there',
  CONNECT_TIMEOUT: 'no answer',
  '28P01': 'the password is wrong',
  '3D000': 'there is no such database',
};

/** What is asked of the database itself, as role postgres, past PostgREST and anybody's session. */
export class DatabaseSession {
  readonly #sql: postgres.Sql;

  constructor(url: string) {
    // The pooler's transaction mode has no prepared statements.
    this.#sql = postgres(url, { max: 1, connect_timeout: 10, prepare: false, onnotice: () => {} });
  }

  async facts(): Promise<Facts> {
    return (await this.#answer<Facts>(this.#sql`select stark.diagnostics() as answer`)) as Facts;
  }

  async probe(): Promise<number | null> {
    const id = await this.#answer<string>(this.#sql`select stark.probe_watcher() as answer`);
    return id === null ? null : Number(id);
  }

  async scheduleJobs(): Promise<void> {
    await this.#answer(this.#sql`select stark_internal.schedule_jobs() as answer`);
  }

  /** Schemas that PostgREST is told to expose by a setting of its role, which stands above the dashboard; null for none. */
  exposedSchemas(): Promise<string | null> {
    return this.#answer<string>(
      this.#sql`select substring(s.setting from '=(.*)$') as answer
        from pg_db_role_setting r, unnest(r.setconfig) s (setting)
        where r.setrole = to_regrole('authenticator') and s.setting like 'pgrst.db_schemas=%'`,
    );
  }

  async close(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }

  async #answer<T>(query: PromiseLike<readonly postgres.Row[]>): Promise<T | null> {
    try {
      const [row] = await query;
      return (row?.answer ?? null) as T | null;
    } catch (error) {
      const { code = '', message } = error as { code?: string; message: string };
      // Neither the schema nor the function: nothing of Stark, or an older version.
      if (code === '3F000' || code === '42883') {
        throw new StarkError(message, { code: 'SCHEMA_MISMATCH', hint: 'supabase db push --remote', cause: error });
      }
      throw new StarkError(`cannot ask the database: ${codes[code] ?? message}`, {
        code: 'DATABASE_UNREACHABLE',
        hint: 'give --db-url as the dashboard shows it under Connect',
        cause: error,
      });
    }
  }
}
