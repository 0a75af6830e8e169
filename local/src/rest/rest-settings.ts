import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from './database.js';
import { withReconnect } from './reconnect.js';

/** What PostgREST can be told by `alter role authenticator set pgrst.…`. */
export interface RestSettings {
  schemas: string[];
  extraSearchPath: string[];
  maxRows: number | undefined;
  aggregates: boolean;
  /** Whether a transaction ends with a rollback, and whether `Prefer: tx` may say otherwise. */
  tx: { rollback: boolean; mayOverride: boolean };
  /** A function that runs in each transaction before the statement. */
  preRequest: string | undefined;
}

type Reader = (text: string) => Partial<RestSettings>;

const lists = (text: string) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const txEnds: Record<string, RestSettings['tx']> = {
  commit: { rollback: false, mayOverride: false },
  'commit-allow-override': { rollback: false, mayOverride: true },
  rollback: { rollback: true, mayOverride: false },
  'rollback-allow-override': { rollback: true, mayOverride: true },
};

/** The settings that are obeyed; '' means the default, as to PostgREST. */
const readers: Record<string, Reader> = {
  db_schemas: (text) => (lists(text).length > 0 ? { schemas: lists(text) } : {}),
  db_extra_search_path: (text) => ({ extraSearchPath: lists(text) }),
  db_max_rows: (text) => ({ maxRows: integer(text) }),
  db_aggregates_enabled: (text) => ({ aggregates: boolean(text) ?? false }),
  db_tx_end: (text) => ({ tx: txEnd(text) }),
  db_pre_request: (text) => ({ preRequest: text === '' ? undefined : text }),
};

/**
 * PostgREST's configuration as it stands in the database, over the one of config.toml. It is read at the start, when the
 * listener is connected anew, and on `notify pgrst, 'reload config'`: never because a statement changed it.
 */
export class RestConfig {
  readonly #database: Database;
  readonly #base: RestSettings;
  readonly #log: Logger;
  #reading: Promise<void> = Promise.resolve();
  #current: RestSettings;

  constructor(options: { database: Database; base: RestSettings; log: Logger }) {
    this.#database = options.database;
    this.#base = options.base;
    this.#log = options.log;
    this.#current = options.base;
  }

  get current(): RestSettings {
    return this.#current;
  }

  /** Reads the settings again, one reading after the other; a value that makes no sense leaves everything as it is. */
  reload(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    try {
      const rows = await withReconnect(true, () => this.#rows());
      let settings = this.#base;
      for (const [name, value] of rows) {
        const read = readers[name];
        if (read) settings = { ...settings, ...read(value) };
        else this.#log.warn({ setting: `pgrst.${name}` }, 'this setting of PostgREST is not obeyed here');
      }
      this.#current = settings;
    } catch (error) {
      this.#log.error({ err: error }, "PostgREST's settings could not be read; the former ones stay");
    }
  }

  /** Name and value, those for this database over those for all. */
  async #rows(): Promise<Map<string, string>> {
    const { rows } = await sql<{ name: string; value: string }>`
      select
        pg_catalog.substr(setting, 7, pg_catalog.strpos(setting, '=') - 7) as name,
        pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) as value
      from pg_catalog.pg_db_role_setting s
      cross join pg_catalog.unnest(s.setconfig) as setting
      where s.setrole = 'authenticator'::regrole
        and s.setdatabase in (0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
        and setting like 'pgrst.%'
      order by s.setdatabase
    `.execute(this.#database);
    return new Map(rows.map(({ name, value }) => [name, value]));
  }
}

function integer(text: string): number | undefined {
  if (text.trim() === '') return undefined;
  if (!/^\s*\d+\s*$/.test(text)) throw new Error(`"${text}" is no number of rows`);
  return Number(text);
}

function boolean(text: string): boolean | undefined {
  if (text === '') return undefined;
  if (/^(true|1)$/i.test(text)) return true;
  if (/^(false|\d+)$/i.test(text)) return false;
  throw new Error(`"${text}" is neither true nor false`);
}

function txEnd(text: string): RestSettings['tx'] {
  const found = txEnds[text === '' ? 'commit' : text];
  if (!found) throw new Error(`"${text}" is no way to end a transaction`);
  return found;
}
