import { PostgresConnection } from '@supabase/lite/postgres';
import { CompiledQuery, type Kysely, sql } from 'kysely';
import type { Catalog, Introspection } from './catalog.js';
import { type Database, openDatabase } from './database.js';
import { databaseUnavailable, isDatabaseError, postgrestError, ResponseError } from './errors.js';
import { JsonValues } from './json-values.js';
import { checkCountable, checkOutcome, type Statement, StatementCount } from './outcome.js';
import { isSingular } from './preferences.js';
import { isLostConnection, withReconnect } from './reconnect.js';
import { cookiesOf, type RequestContext, rememberRefusal, requestContext } from './request-context.js';
import type { RestConfig } from './rest-settings.js';
import { safeUpdate } from './safe-update.js';

/** `rest` answers database errors as PostgREST does; `service` leaves them to lite's Auth and Storage. */
export type ConnectionMode = 'rest' | 'service';

export interface LiteConnectionOptions {
  mode: ConnectionMode;
  /** The login for lite's own queries: never a superuser. */
  databaseUrl: string;
  /** The pool that requests run on when it is another one: its login can do nothing but become an API role. */
  requests?: Database;
  catalog: Catalog;
  config: RestConfig;
  maxConnections: number;
}

type LiteVars = Parameters<PostgresConnection['withContext']>[0];

/** What lite says of the caller; its own type leaves it open. */
interface Vars {
  auth?: { role?: unknown; jwt?: object | null };
  storage?: { operation?: string | null };
}
type ContextOptions = Parameters<PostgresConnection['withContext']>[2];

class Rollback<T> extends Error {
  constructor(readonly result: T) {
    super('rolled back as asked');
  }
}

/**
 * Lite's Postgres connection with PostgREST's transaction around each request. Lite's own one takes any role the login
 * may take, and on its first request grants everything in every schema that has RLS to the API roles; this one takes
 * only the roles of `authenticator` and never grants.
 */
export class LiteConnection extends PostgresConnection {
  readonly #options: LiteConnectionOptions;
  readonly #roleOfError = new WeakMap<object, string>();

  constructor(options: LiteConnectionOptions) {
    // Lite opens no connection of its own before its first query, and the queries go to our pool.
    super({ url: options.databaseUrl });
    this.#options = options;
    const { databaseUrl, mode, maxConnections: max } = options;
    const database = openDatabase({ databaseUrl, application: `stark-${mode}`, max }, rememberRefusal);
    this.kysely = mode === 'rest' ? database.withPlugin(safeUpdate) : database;
  }

  override async introspect(): Promise<Introspection> {
    return this.#options.catalog.introspection(requestContext.getStore()?.method);
  }

  override async clearSchemaCache(): Promise<void> {
    this.#options.catalog.invalidate();
  }

  override async close(): Promise<void> {
    await this.kysely.destroy();
  }

  override async withContext<T>(
    liteVars: LiteVars,
    run: (db: Kysely<unknown>) => Promise<T>,
    options?: ContextOptions,
  ): Promise<T> {
    const vars = liteVars as Vars | undefined;
    const role = requestContext.getStore()?.caller?.role ?? roleOf(vars);
    const prelude = await this.#prelude(role, vars, options);
    if (options?.transaction) {
      const transaction = options.transaction as Database;
      await transaction.executeQuery(prelude);
      return run(transaction);
    }
    const pool = this.#options.requests ?? (await this.#withJson(this.kysely));
    const context = requestContext.getStore();
    const statement = this.#options.mode === 'rest' && context ? await this.#statement(context, options) : undefined;
    if (statement) checkCountable(statement);
    try {
      return await withReconnect(isRead(context?.method), async (entered) =>
        pool
          .transaction()
          .setAccessMode(statement?.isReadOnly ? 'read only' : 'read write')
          .execute(async (transaction) => {
            await transaction.executeQuery(prelude);
            entered();
            const result = await (statement
              ? this.#runChecked(statement, transaction, run)
              : run(transaction as Database));
            if (options?.forceRollback) throw new Rollback(result);
            return result;
          }),
      );
    } catch (error) {
      if (error instanceof Rollback) return error.result as T;
      if (isDatabaseError(error)) this.#roleOfError.set(error, role);
      throw error;
    }
  }

  /** What PostgREST would know of the statement before it runs. */
  async #statement(context: RequestContext, options: ContextOptions): Promise<Statement & { isReadOnly: boolean }> {
    const { method, accept, preferences } = context;
    const call = options?.rpc?.path?.replace(/^\/rpc\//, '');
    const traits = call === undefined ? undefined : await this.#options.catalog.functionTraits(this.#schema(), call);
    return {
      method,
      isSingular: isSingular(accept ?? ''),
      preferences,
      returnsSingle: traits?.returnsSingle,
      // A function that says it changes nothing is held to it, whatever it calls.
      isReadOnly: isRead(method) || traits?.isStable === true,
    };
  }

  /** Runs lite's statements with what PostgREST does before and after them. */
  async #runChecked<T>(statement: Statement, transaction: Database, run: (db: Database) => Promise<T>): Promise<T> {
    await this.#preRequest(transaction);
    const count = new StatementCount();
    const result = await run(transaction.withPlugin(count));
    checkOutcome(statement, count);
    if (!this.#endsWithRollback(statement)) return result;
    await sql`set constraints all immediate`.execute(transaction);
    throw new Rollback(result);
  }

  async #preRequest(transaction: Database): Promise<void> {
    const { preRequest } = this.#options.config.current;
    if (preRequest === undefined) return;
    const [, schema, name = ''] = /^(?:([^.]*)\.)?(.*)$/s.exec(preRequest) ?? [];
    const path = schema === undefined ? [name] : [schema, name];
    await sql`select ${sql.id(...path)}()`.execute(transaction);
  }

  #endsWithRollback({ preferences }: Statement): boolean {
    const { rollback, mayOverride } = this.#options.config.current.tx;
    return mayOverride && preferences.tx !== undefined ? preferences.tx === 'rollback' : rollback;
  }

  #schema(): string {
    return requestContext.getStore()?.schema ?? this.#options.config.current.schemas[0] ?? 'public';
  }

  /** Lite asks here what an error of the database means: the answer for REST is a whole response, thrown. */
  override normalizeDbError(error: unknown): unknown {
    if (error instanceof ResponseError) throw error;
    if (isLostConnection(error)) throw databaseUnavailable();
    if (isTokenError(error)) throw invalidToken(error);
    if (isParseError(error)) throw unparsable(error);
    if (this.#options.mode === 'service' || !isDatabaseError(error)) return error;
    // Lite words this one better: it knows which relation the column was looked for in.
    if (error.code === '42703') return error;
    throw postgrestError(error, this.#roleOfError.get(error) ?? 'anon');
  }

  /** Storage brings its JSON as text; REST brings values, whose columns must be known. */
  async #withJson(database: Database): Promise<Database> {
    const { catalog, mode } = this.#options;
    if (mode === 'service') return database;
    const columns = await catalog.jsonColumns();
    const schema = this.#schema();
    return database.withPlugin(new JsonValues((table, column) => columns.has(`${schema}.${table}.${column}`)).plugin());
  }

  async #prelude(role: string, vars: Vars | undefined, options: ContextOptions): Promise<CompiledQuery> {
    const { catalog, config } = this.#options;
    const roles = await catalog.roles();
    const settings = roles.get(role);
    if (settings === undefined) throw roleRefused(role, roles.has(role));
    const context = requestContext.getStore();
    const schema = this.#schema();
    const { extraSearchPath } = config.current;
    const claims = { ...(context?.caller?.claims ?? vars?.auth?.jwt), role };
    const values: [name: string, value: string][] = [
      ['search_path', [schema, ...extraSearchPath].map(quoteIdentifier).join(', ')],
      ...settings.map(([name, value]): [string, string] => [name, value]),
      ['role', role],
      ['request.jwt.claims', JSON.stringify(claims)],
      ['request.method', options?.rpc?.method ?? context?.method ?? 'GET'],
      ['request.path', options?.rpc?.path ?? context?.path ?? '/'],
      ['request.headers', JSON.stringify(context?.headers ?? {})],
      ['request.cookies', JSON.stringify(context ? cookiesOf(context) : {})],
      ['response.status', ''],
      ['response.headers', ''],
      ['storage.operation', String(vars?.storage?.operation ?? '')],
    ];
    const calls = values.map((_, i) => `set_config($${i * 2 + 1}, $${i * 2 + 2}, true)`);
    return CompiledQuery.raw(`select ${calls.join(', ')}`, values.flat());
  }
}

/** A token may name a role that is not there, or one that is not for requests: `none` and `authenticator` are neither. */
function roleRefused(role: string, exists: boolean): ResponseError {
  const isKnown = exists || role === 'none';
  const message = isKnown ? `permission denied to set role "${role}"` : `role "${role}" does not exist`;
  const body = { code: isKnown ? '42501' : '22023', details: null, hint: null, message };
  return isKnown ? new ResponseError(403, body) : new ResponseError(401, body, { 'www-authenticate': 'Bearer' });
}

/** Storage asks here too, when the token of a signed URL does not hold. */
const isTokenError = (error: unknown): error is Error =>
  error instanceof Error && /^ERR_J(WT|WS|OSE)_/.test(String((error as { code?: unknown }).code));

const invalidToken = (error: Error) =>
  new ResponseError(400, { statusCode: '400', error: 'InvalidJWT', message: error.message });

/** The one error of lite's parser of `select` that it does not answer as such. */
const isParseError = (error: unknown): error is Error =>
  error instanceof Error && error.message.startsWith('Missing closing quote');

const unparsable = ({ message }: Error) =>
  new ResponseError(400, { code: 'PGRST100', details: message, hint: null, message });

function roleOf(vars: Vars | undefined): string {
  const role: unknown = vars?.auth?.role;
  return typeof role === 'string' && role !== '' ? role : 'anon';
}

const isRead = (method: string | undefined) => method === 'GET' || method === 'HEAD';

const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
