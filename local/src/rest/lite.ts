import { App, setExperimental } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { ApiKeys } from '../gateway/api-keys.js';
import { AuthAdmin } from './auth-admin.js';
import { AuthSessions } from './auth-sessions.js';
import { bearerOf, type Caller, callerOf } from './bearer.js';
import { Catalog } from './catalog.js';
import { LiteConnection } from './connection.js';
import { quietly } from './console.js';
import type { Database } from './database.js';
import { chosenStatus, isDatabaseError } from './errors.js';
import { logMail } from './mail.js';
import { appliedPreferences, withoutMaxAffected } from './preferences.js';
import { checkAuthBody, checkStorageRequest, prepareRestBody } from './request-bodies.js';
import { contextOf, type RequestContext, requestContext } from './request-context.js';
import { RestConfig } from './rest-settings.js';
import { SchemaWatch } from './schema-watch.js';
import { SignInCodes } from './sign-in-codes.js';
import { FileStorage, objectRefused } from './storage-adapter.js';
import { aroundStorage } from './storage-fidelity.js';

/** The logins lite needs; none of them is a superuser but the first, which only makes and reads schemas. */
export type LiteRole = 'supabase_admin' | 'authenticator' | 'supabase_auth_admin' | 'supabase_storage_admin';

export interface LiteOptions {
  databaseUrl: (role: LiteRole) => string;
  jwtSecret: string;
  keys: ApiKeys;
  /** `[api] schemas`: the first is the default. */
  schemas: string[];
  extraSearchPath?: string[];
  maxRows?: number;
  storageDir: string;
  fileSizeLimitBytes?: number;
  siteUrl: string;
  /** The URL clients use, for the `iss` of tokens. */
  apiUrl: () => string;
  signupEnabled: boolean;
  jwtExpirySeconds?: number;
  minimumPasswordLength?: number;
  enableRefreshTokenRotation?: boolean;
  log: Logger;
}

setExperimental('storage', true);

/** REST, Auth and Storage: three apps of `@supabase/lite`, each with the database login its real counterpart has. */
export class LiteService {
  readonly #options: LiteOptions;
  readonly #log: Logger;
  readonly #catalog: Catalog;
  readonly #config: RestConfig;
  readonly #jwtSecret: Uint8Array;
  readonly #storage: FileStorage;
  readonly #connections: LiteConnection[];
  readonly #rest: App;
  readonly #auth: App;
  readonly #objects: App;
  readonly #admin: AuthAdmin;
  readonly #sessions: AuthSessions;
  readonly #codes: SignInCodes;
  readonly #watch: SchemaWatch;

  constructor(options: LiteOptions) {
    const { databaseUrl, schemas } = options;
    this.#options = options;
    this.#log = options.log.child({ service: 'rest' });
    this.#jwtSecret = new TextEncoder().encode(options.jwtSecret);
    this.#catalog = new Catalog({ databaseUrl: databaseUrl('supabase_admin'), log: this.#log });
    this.#config = new RestConfig({
      database: this.#catalog.database,
      base: {
        schemas,
        extraSearchPath: options.extraSearchPath ?? ['public', 'extensions'],
        maxRows: options.maxRows ?? 1000,
        aggregates: false,
        tx: { rollback: false, mayOverride: false },
        preRequest: undefined,
      },
      log: this.#log,
    });
    const shared = { catalog: this.#catalog, config: this.#config };
    const rest = new LiteConnection({
      ...shared,
      mode: 'rest',
      databaseUrl: databaseUrl('authenticator'),
      maxConnections: 10,
    });
    const auth = new LiteConnection({
      ...shared,
      mode: 'service',
      databaseUrl: databaseUrl('supabase_auth_admin'),
      maxConnections: 5,
    });
    const objects = new LiteConnection({
      ...shared,
      mode: 'service',
      databaseUrl: databaseUrl('supabase_storage_admin'),
      requests: rest.kysely,
      maxConnections: 5,
    });
    this.#connections = [rest, auth, objects];
    this.#storage = new FileStorage({
      directory: options.storageDir,
      fileSizeLimitBytes: options.fileSizeLimitBytes ?? 50 * 1024 * 1024,
      bucketLimit: async (bucket) => {
        const { rows } = await sql<{ limit: number | null }>`
          select file_size_limit as "limit" from storage.buckets where id = ${bucket}
        `.execute(objects.kysely);
        return rows[0]?.limit ?? null;
      },
      mayReplace: (bucket, key) => tryUpdate(objects.kysely, bucket, key),
    });
    this.#codes = new SignInCodes({ database: auth.kysely, secret: options.jwtSecret });
    this.#rest = this.#app(rest, 'rest');
    this.#auth = this.#app(auth, 'auth');
    this.#objects = this.#app(objects, 'storage');
    this.#admin = new AuthAdmin({
      database: auth.kysely,
      keys: options.keys,
      jwtSecret: options.jwtSecret,
      minimumPasswordLength: options.minimumPasswordLength ?? 6,
    });
    this.#sessions = new AuthSessions({
      database: auth.kysely,
      jwtSecret: options.jwtSecret,
      issuer: () => `${options.apiUrl()}/auth/v1`,
      signupEnabled: options.signupEnabled,
    });
    this.#watch = new SchemaWatch({
      databaseUrl: databaseUrl('authenticator'),
      reload: ({ config }) => {
        // The settings of roles, which are read with the schema, count as configuration.
        this.#catalog.invalidate();
        if (config) void this.#configure();
      },
      log: this.#log,
    });
  }

  /** Creates the tables of schemas `auth` and `storage`; owners and grants are the platform's, given afterwards. */
  async ensureSystemSchema(): Promise<void> {
    const connection = createPostgresConnection({
      url: this.#options.databaseUrl('supabase_admin'),
      postgresOptions: { max: 1, onnotice: () => undefined },
    });
    // The functions auth.uid() and its kin are the platform's; lite's own know only half of the settings.
    connection.config.baseSchema = 'create schema if not exists auth';
    try {
      const app = this.#app(connection, 'schema');
      await quietly(this.#log, () => app.ensureSystemSchema());
    } finally {
      await connection.driver.end({ timeout: 2 });
    }
  }

  async start(): Promise<void> {
    await this.#storage.prepare();
    await this.#watch.start();
    await this.#configure();
    await this.#catalog.introspection();
    await quietly(this.#log, async () => {
      for (const app of [this.#rest, this.#auth, this.#objects]) await app.init();
    });
  }

  /** Answers a request for /rest/v1, /auth/v1 or /storage/v1. */
  async fetch(request: Request): Promise<Response> {
    const context = contextOf(request);
    return requestContext.run(context, () => quietly(this.#log, () => this.#route(request, context)));
  }

  /** Forgets the schema cache, as `notify pgrst, 'reload schema'` does. */
  async reload(): Promise<void> {
    this.#catalog.invalidate();
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
    await Promise.all([...this.#connections.map((connection) => connection.close()), this.#catalog.close()]);
  }

  async #route(request: Request, context: RequestContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/rest/v1')) return this.#answerRest(request, context);
    // Lite takes a key in the place of a token for the API key, and an empty one for none: neither can be read.
    if (/^$|^sb_/.test(bearerOf(request.headers.get('authorization')) ?? 'none')) {
      request.headers.set('authorization', 'Bearer unreadable');
    }
    if (pathname.startsWith('/auth/v1/')) {
      const response = pathname.startsWith('/auth/v1/admin/')
        ? await this.#admin.fetch(request)
        : await this.#codes.around(await checkAuthBody(request), (known) =>
            this.#sessions.around(known, (inner) => this.#auth.fetch(inner)),
          );
      return refusedByTrigger() ?? response;
    }
    return aroundStorage(await checkStorageRequest(request), (inner) => this.#objects.fetch(inner));
  }

  /** PostgREST looks at the token before anything else; lite is not shown it, since it takes some bad ones for none. */
  async #answerRest(request: Request, context: RequestContext): Promise<Response> {
    context.caller = await this.#caller(request);
    const { method, headers, preferences, accept } = context;
    request.headers.delete('authorization');
    if (accept !== undefined) request.headers.set('accept', accept);
    if (headers.prefer !== undefined) request.headers.set('prefer', withoutMaxAffected(headers.prefer));
    const profiled = withDefaultProfile(request, this.#config.current.schemas[0] ?? 'public');
    const response = await this.#rest.fetch(await prepareRestBody(profiled, preferences));
    if (!response.ok || method === 'OPTIONS') return response;
    const lite = response.headers.get('preference-applied');
    const isCall = context.path.startsWith('/rpc/');
    const txAllowed = this.#config.current.tx.mayOverride;
    const applied = appliedPreferences({ preferences, method, isCall, txAllowed, lite });
    if (applied === (lite ?? '')) return response;
    const answer = new Response(response.body, response);
    if (applied === '') answer.headers.delete('preference-applied');
    else answer.headers.set('preference-applied', applied);
    return answer;
  }

  /** The bearer token speaks, or the API key where there is no Authorization header. */
  async #caller(request: Request): Promise<Caller> {
    const authorization = request.headers.get('authorization');
    const bearer = bearerOf(authorization);
    if (bearer !== undefined) return callerOf(bearer, this.#jwtSecret);
    const { keys } = this.#options;
    const role = authorization === null ? await keys.roleOf(request.headers.get('apikey') ?? '') : null;
    return role ? { role, claims: decodeJwt(await keys.jwt(role)) } : { role: 'anon', claims: {} };
  }

  /** Reads what the database says of PostgREST's configuration, and tells lite what it looks at by itself. */
  async #configure(): Promise<void> {
    await this.#config.reload();
    const { schemas, maxRows, aggregates } = this.#config.current;
    Object.assign(this.#rest.config.api as object, { schemas, max_rows: maxRows, aggregates_enabled: aggregates });
  }

  #app(connection: App['connection'], part: 'rest' | 'auth' | 'storage' | 'schema'): App {
    const { options } = { options: this.#options };
    const has = (name: string) => part === name || part === 'schema';
    const app = new App({
      connection,
      api: { enabled: part === 'rest', schemas: options.schemas, max_rows: options.maxRows ?? 1000 },
      auth: {
        enabled: has('auth'),
        jwt_secret: options.jwtSecret,
        jwt_expiry: options.jwtExpirySeconds ?? 3600,
        site_url: options.siteUrl,
        enable_signup: options.signupEnabled,
        minimum_password_length: options.minimumPasswordLength ?? 6,
        enable_refresh_token_rotation: options.enableRefreshTokenRotation ?? true,
      },
      storage: { enabled: has('storage') },
      // The official CLI keeps the history of migrations; lite's would be a second one.
      db: { migrations: { enabled: false } },
      studio: { enabled: false },
      options: {
        drivers: { email: logMail(this.#log.child({ service: 'mail' }), (text) => this.#codes.seal(text)) },
        server: {
          admin: false,
          disableStudio: true,
          ...(part === 'rest' ? { middlewares: [trustTokens] } : {}),
          apiKeys: { resolver: (key: string) => options.keys.resolveForLite(key) },
        },
      },
    } as never) as App;
    app._storageAdapter = this.#storage;
    return app;
  }
}

/** GoTrue's answer when a trigger on its tables raised `PT403` or the like; no query of lite's own does. */
function refusedByTrigger(): Response | undefined {
  const error = requestContext.getStore()?.refused;
  if (error === undefined) return undefined;
  const { code, message, detail, hint } = error;
  return Response.json({ code, message, hint, detail }, { status: chosenStatus(code) ?? 500 });
}

/**
 * Before it looks at the token itself, lite asks Auth's tables about the user and the session of every request, unless
 * both are known. PostgREST does not ask: a token is good until it expires. What stands here is never read: the role
 * and the claims of the transaction are those of the key or of the verified token.
 */
async function trustTokens(context: { set(name: string, value: unknown): void }, next: () => Promise<void>) {
  context.set('userId', 'of the token');
  context.set('sessionId', 'of the token');
  await next();
}

/** Lite falls back to `public`; PostgREST to the first exposed schema. */
function withDefaultProfile(request: Request, schema: string): Request {
  const name = request.method === 'GET' || request.method === 'HEAD' ? 'accept-profile' : 'content-profile';
  if (!request.headers.has(name)) request.headers.set(name, schema);
  return request;
}

/**
 * Changes an object's row and takes it back. Lite writes the bytes first and the row afterwards; the real Storage keeps the bytes
 * of both versions, so a trigger on storage.objects that refuses the row leaves the old ones in place there.
 */
async function tryUpdate(database: Database, bucket: string, key: string): Promise<void> {
  const undo = new Error('undo');
  const attempt = database.transaction().execute(async (transaction) => {
    await sql`update storage.objects set metadata = coalesce(metadata, '{}') || '{"replacing": true}'
      where bucket_id = ${bucket} and name = ${key}`.execute(transaction);
    throw undo;
  });
  await attempt.catch((error) => {
    if (error === undo) return;
    if (!isDatabaseError(error)) throw error;
    throw objectRefused();
  });
}
