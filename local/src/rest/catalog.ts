import { PostgresConnection } from '@supabase/lite/postgres';
import type { Logger } from 'pino';
import { ResponseError } from './errors.js';

/** What lite knows of the database's relations and functions. */
export type Introspection = Awaited<ReturnType<PostgresConnection['introspect']>>;

/** A role that requests may take, with the settings `alter role … set …` gave it. */
export type RoleSettings = ReadonlyMap<string, readonly (readonly [name: string, value: string])[]>;

interface Snapshot {
  introspection: Introspection;
  roles: RoleSettings;
}

/**
 * The schema cache: read once by a read-only connection that sees every relation, shared by REST and Storage, and
 * dropped on `notify pgrst`. Lite would read it as whoever runs the request and keep it for ever.
 */
export class Catalog {
  readonly #connection: PostgresConnection;
  readonly #log: Logger;
  #snapshot: Promise<Snapshot> | undefined;

  constructor(options: { databaseUrl: string; log: Logger }) {
    this.#log = options.log;
    this.#connection = new PostgresConnection({
      url: options.databaseUrl,
      postgresOptions: {
        max: 1,
        idle_timeout: 60,
        onnotice: () => undefined,
        connection: { application_name: 'stark-catalog', default_transaction_read_only: true },
      },
    });
  }

  async introspection(): Promise<Introspection> {
    return (await this.#current()).introspection;
  }

  /** The roles `authenticator` may become; a token that names another one is refused. */
  async roles(): Promise<RoleSettings> {
    return (await this.#current()).roles;
  }

  /** Forgets the snapshot; the next request reads a new one and waits for it. */
  invalidate(): void {
    this.#snapshot = undefined;
  }

  async close(): Promise<void> {
    await this.#connection.driver.end({ timeout: 2 });
  }

  #current(): Promise<Snapshot> {
    if (this.#snapshot) return this.#snapshot;
    const reading = this.#read();
    this.#snapshot = reading;
    reading.catch(() => {
      if (this.#snapshot === reading) this.#snapshot = undefined;
    });
    return reading;
  }

  async #read(): Promise<Snapshot> {
    const started = performance.now();
    const introspection = await this.#connection.introspect();
    // Lite swallows a failed read and answers with an empty one, which has no list of functions.
    if (introspection.functions === undefined) {
      throw new ResponseError(503, {
        code: 'PGRST002',
        details: null,
        hint: null,
        message: 'Could not query the database for the schema cache. Retrying.',
      });
    }
    const roles = await this.#readRoles();
    this.#log.debug(
      { ms: Math.round(performance.now() - started), relations: introspection.tables.length },
      'schema cache read',
    );
    return { introspection, roles };
  }

  async #readRoles(): Promise<RoleSettings> {
    const rows = await this.#connection.driver<{ role: string; settings: string[] | null }[]>`
      select r.rolname as role, r.rolconfig as settings
      from pg_catalog.pg_roles r
      where r.rolname <> 'authenticator' and pg_catalog.pg_has_role('authenticator', r.oid, 'SET')`;
    return new Map(rows.map(({ role, settings }) => [role, (settings ?? []).map(splitSetting)]));
  }
}

function splitSetting(setting: string): readonly [string, string] {
  const at = setting.indexOf('=');
  return [setting.slice(0, at), setting.slice(at + 1)];
}
