import { PostgresConnection } from '@supabase/lite/postgres';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { type Database, learnArrayTypes, openDatabase } from './database.js';
import { databaseUnavailable } from './errors.js';
import { jsonAlias } from './json-values.js';
import { isLostConnection, withReconnect } from './reconnect.js';

/** What lite knows of the database's relations and functions. */
export type Introspection = Awaited<ReturnType<PostgresConnection['introspect']>>;

/** Settings that `alter role … set …` gave a role. */
export type Settings = readonly (readonly [name: string, value: string])[];

/** All roles: those that requests may take with their settings, the others with undefined. */
export type RoleSettings = ReadonlyMap<string, Settings | undefined>;

/** What is known of a function by its name: what all that bear it agree on. */
export interface FunctionTraits {
  /** Gives back one value or row, whatever arguments it is called with. */
  returnsSingle: boolean;
  /** Promises to change nothing. */
  isStable: boolean;
}

interface Snapshot {
  /** For calls whose arguments are JSON values (bodies). */
  forBodies: Introspection;
  /** For calls whose arguments are text (query strings). */
  forQueries: Introspection;
  roles: RoleSettings;
  /** `schema.table.column` of every JSON column. */
  jsonColumns: ReadonlySet<string>;
}

/**
 * The schema cache: read by a read-only connection that sees every relation, shared by REST and Storage, and dropped
 * on `notify pgrst`. Lite would read it as the role of the request and keep it for ever.
 */
export class Catalog {
  readonly #connection: PostgresConnection;
  readonly #database: Database;
  readonly #log: Logger;
  #snapshot: Promise<Snapshot> | undefined;

  constructor(options: { databaseUrl: string; log: Logger }) {
    this.#log = options.log;
    this.#database = openDatabase({
      databaseUrl: options.databaseUrl,
      application: 'stark-catalog',
      max: 1,
      options: '-c default_transaction_read_only=on',
    });
    this.#connection = new PostgresConnection({ url: options.databaseUrl });
    this.#connection.kysely = this.#database;
  }

  /** Read-only, as a login that sees everything. */
  get database(): Database {
    return this.#database;
  }

  /** The relations and functions, for a request of this method. */
  async introspection(method?: string): Promise<Introspection> {
    const { forBodies, forQueries } = await this.#current();
    return method === 'GET' || method === 'HEAD' ? forQueries : forBodies;
  }

  /** The roles, and what those have set that `authenticator` may become. */
  async roles(): Promise<RoleSettings> {
    return (await this.#current()).roles;
  }

  /** The traits of a function of this name; of several the cautious ones. */
  async functionTraits(schema: string, name: string): Promise<FunctionTraits> {
    const { functions = [] } = (await this.#current()).forBodies;
    const named = functions.filter((one) => one.schema === schema && one.name === name);
    return {
      returnsSingle: named.every((one) => !one.return_is_setof),
      isStable: named.length > 0 && named.every((one) => one.volatility !== 'v'),
    };
  }

  async jsonColumns(): Promise<ReadonlySet<string>> {
    return (await this.#current()).jsonColumns;
  }

  /** Forgets the snapshot; the next request reads a new one and waits for it. */
  invalidate(): void {
    this.#snapshot = undefined;
  }

  async close(): Promise<void> {
    await this.#database.destroy();
  }

  #current(): Promise<Snapshot> {
    if (this.#snapshot) return this.#snapshot;
    const reading = withReconnect(true, () => this.#read()).catch((error: unknown) => {
      throw isLostConnection(error) ? databaseUnavailable() : error;
    });
    this.#snapshot = reading;
    reading.catch(() => {
      if (this.#snapshot === reading) this.#snapshot = undefined;
    });
    return reading;
  }

  async #read(): Promise<Snapshot> {
    const started = performance.now();
    const roles = await this.#readRoles();
    learnArrayTypes(await this.#readArrayTypes());
    const introspection = await this.#connection.introspect();
    // Lite answers a failed read with an empty one that lacks the functions; the reason is in the log.
    if (introspection.functions === undefined) {
      throw Object.assign(new Error('the schema cache could not be read'), { code: '08006' });
    }
    const isJson = ({ type }: { type: string }) => type === 'json' || type === 'jsonb';
    const jsonColumns = new Set(
      introspection.columns.filter(isJson).map((column) => `${column.schema}.${column.table}.${column.name}`),
    );
    this.#log.debug(
      { ms: Math.round(performance.now() - started), relations: introspection.tables.length },
      'schema cache read',
    );
    return { forBodies: withJsonAliases(introspection), forQueries: introspection, roles, jsonColumns };
  }

  async #readRoles(): Promise<RoleSettings> {
    const { rows } = await sql<{ role: string; settings: string[] | null; allowed: boolean }>`
      select
        r.rolname as role,
        r.rolconfig as settings,
        r.rolname <> 'authenticator' and pg_catalog.pg_has_role('authenticator', r.oid, 'SET') as allowed
      from pg_catalog.pg_roles r
    `.execute(this.#database);
    return new Map(
      rows.map(({ role, settings, allowed }) => [role, allowed ? (settings ?? []).map(splitSetting) : undefined]),
    );
  }

  async #readArrayTypes(): Promise<{ array: number; element: number }[]> {
    const { rows } = await sql<{ array: number; element: number }>`
      select typarray::int as "array", oid::int as element from pg_catalog.pg_type where typarray <> 0
    `.execute(this.#database);
    return rows;
  }
}

/**
 * Lite turns a JSON argument of a function into text, except a string, so `"5"` and `5` become the same. Under a name
 * of the type that lite does not know, every value stays what it is until JsonValues writes it.
 */
function withJsonAliases(introspection: Introspection): Introspection {
  const functions = introspection.functions?.map((entry) => ({
    ...entry,
    arg_types: entry.arg_types.map((type, i) =>
      (type === 'json' || type === 'jsonb') && entry.arg_names[i] !== undefined ? jsonAlias(type) : type,
    ),
  }));
  return functions === undefined ? introspection : { ...introspection, functions };
}

function splitSetting(setting: string): readonly [string, string] {
  const at = setting.indexOf('=');
  return [setting.slice(0, at), setting.slice(at + 1)];
}
