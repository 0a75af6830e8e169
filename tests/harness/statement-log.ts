import pg from 'pg';
import { unfilteredWrites } from '../database/writes.js';

/** Roles whose sessions PostgREST has. */
const API_ROLES = ['anon', 'authenticated', 'service_role'];

/**
 * The UPDATEs and DELETEs that a server runs, those in functions, in triggers and in texts that are executed too. They come from
 * pg_stat_statements, which every server of ours has loaded: it keeps one text for each different statement. auto_explain would
 * print each run of each statement, and more than doubled what the pgTAP files cost.
 */
export class StatementLog {
  readonly #client: pg.Client;
  readonly #sessions: string[];
  /** Each text that was seen, with what is wrong with it. */
  readonly #seen = new Map<string, string[]>();

  private constructor(client: pg.Client, sessions: string[]) {
    this.#client = client;
    this.#sessions = sessions;
  }

  /**
   * Begins to look, as the superuser. With `ofTheApi` also at what PostgREST's sessions send; without it, only at what stands in
   * functions, since what a test sends by itself has no need of a WHERE.
   */
  static async start(superuserUrl: string, { ofTheApi = false } = {}): Promise<StatementLog> {
    const client = new pg.Client({ connectionString: superuserUrl, application_name: 'stark-statement-log' });
    await client.connect();
    await client.query(`alter system set pg_stat_statements.track = 'all'`);
    await client.query('select pg_reload_conf()');
    await client.query('select extensions.pg_stat_statements_reset()');
    return new StatementLog(client, ofTheApi ? API_ROLES : []);
  }

  /** What has run without a WHERE since this was asked last. */
  async unfiltered(): Promise<string[]> {
    const { rows } = await this.#client.query<{ query: string; lost: boolean }>(
      `select distinct s.query, i.dealloc > 0 as lost
       from extensions.pg_stat_statements s cross join extensions.pg_stat_statements_info i
       where s.query ~* '\\m(update|delete)\\M' and (not s.toplevel or s.userid::regrole::text = any ($1))`,
      [this.#sessions],
    );
    if (rows.some(({ lost }) => lost)) throw new Error('pg_stat_statements has forgotten statements: ask more often');
    await this.#client.query('select extensions.pg_stat_statements_reset()');
    return rows.flatMap(({ query }) => this.#judge(query));
  }

  /** Every text that has run, its constants as $1, $2 …, its white space as one space. */
  get texts(): string[] {
    return [...this.#seen.keys()].map((text) => text.replaceAll(/\s+/g, ' '));
  }

  async stop(): Promise<void> {
    await this.#client.end();
  }

  #judge(query: string): string[] {
    const known = this.#seen.get(query);
    if (known) return known;
    const wrong = unfilteredWrites(query).map((write) => `${write}: ${query}`);
    this.#seen.set(query, wrong);
    return wrong;
  }
}
