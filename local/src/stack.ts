import { constants } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyRealtimeSchema, createRealtimeServer, type RealtimeServer, type RealtimeStats } from '@stark-o/realtime';
import type { Logger } from 'pino';
import { ownUrl, reachableUrls } from './addresses.js';
import { type ProjectConfig, readProjectConfig } from './config/project-config.js';
import { takeControl } from './control.js';
import { StackError } from './errors.js';
import { CronWorker } from './extensions/cron-worker.js';
import { NetWorker } from './extensions/net-worker.js';
import { EdgeFunctions } from './functions/edge-functions.js';
import { hostedEnvironment } from './functions/environment.js';
import { ApiKeys } from './gateway/api-keys.js';
import { Gateway, type Health } from './gateway/gateway.js';
import { StackIdentity } from './gateway/identity.js';
import { loadKeys, type StackKeys } from './keys.js';
import { migrate } from './migrations.js';
import { LOOPBACK, type ReservedPort } from './port.js';
import { bootstrapGrants, bootstrapPlatform } from './postgres/bootstrap.js';
import { PostgresCluster } from './postgres/cluster.js';
import { withSession } from './postgres/session.js';
import { preflight } from './preflight.js';
import { LiteService } from './rest/lite.js';
import { edgeFunctionNames, examine, probe, type ServiceHealth, type StackStatus, versions } from './status.js';
import { type StepEvent, Steps } from './steps.js';
import { shareWithDatabase } from './vault-secrets.js';

export type RealtimePlan = 'self-hosted' | 'free' | 'pro' | 'team';

/** How a stack is started. */
export interface StackOptions {
  /** The folder that has `supabase/`. */
  workdir: string;
  /** Where Postgres, Storage and the keys live; made when absent. */
  dataDir: string;
  /** HTTP port; 0 takes a free one. Default: `api.port` of config.toml. */
  port?: number;
  /** The address that the HTTP port listens on: `0.0.0.0` for all that the machine has. Default: this machine alone. */
  host?: string | undefined;
  /** Postgres port; 0 takes a free one. Default: `db.port` of config.toml. */
  dbPort?: number;
  /** Throws the data directory's content away first. */
  reset?: boolean;
  /** false turns fsync off: for tests only. */
  durable?: boolean;
  /** The Realtime limits that clients are held to. Default: a self-hosted server's. */
  plan?: RealtimePlan;
  /** Realtime's waits before it answers a refused connection or join. Default: production's 2 and 5 s. */
  realtimeBackoff?: { connectMs: number; joinMs: number };
  /** Aborting it stops the start after the step that is under way, or the stack that is ready. */
  signal?: AbortSignal;
  log: Logger;
  onStep?: (event: StepEvent) => void;
  /** Called once when the stack had to give up after it was ready. */
  onFailure?: (error: StackError) => void;
}

// Postgres coming back and dying again this often within the window is a broken machine, not a passing fault.
const maxRestarts = 5;
const restartWindowMs = 60_000;

/** A running stack: Supabase's services on one HTTP port and one Postgres port. */
export class Stack {
  readonly #options: StackOptions;
  readonly #log: Logger;
  readonly #teardown: { name: string; stop: () => Promise<void> }[] = [];
  readonly #restarts: number[] = [];
  readonly #startedAt = new Date();
  #state: StackStatus['state'] = 'starting';
  readonly #stopped = promiseWithResolvers();
  #settled: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #port!: ReservedPort;
  #postgresReady = false;
  #keys: StackKeys = { publishable: '', secret: '', jwtSecret: '' };
  #apiKeys!: ApiKeys;
  #cluster!: PostgresCluster;
  #lite!: LiteService;
  #realtime!: RealtimeServer;
  #gateway: Gateway | undefined;

  private constructor(options: StackOptions) {
    this.#options = { ...options, workdir: resolve(options.workdir), dataDir: resolve(options.dataDir) };
    this.#log = options.log.child({ service: 'stack' });
  }

  /** Starts everything in a fixed order, or throws one StackError and leaves nothing running. */
  static async start(options: StackOptions): Promise<Stack> {
    refuseDebugger();
    const stack = new Stack(options);
    const started = stack.#start();
    // A stop waits for the step that is under way: only then is known what there is to tear down.
    stack.#settled = started.catch(() => {});
    const stop = () => void stack.stop();
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted) stop();
    try {
      await started;
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  get url(): string {
    return ownUrl(this.#host, this.#port.port);
  }

  get #host(): string {
    return this.#options.host ?? LOOPBACK;
  }

  /** Connection string of role `postgres`, what a hosted project hands out. */
  get dbUrl(): string {
    return this.#cluster.url('postgres');
  }

  get keys(): StackKeys {
    return this.#keys;
  }

  /** The public key by which agents and commands know this stack again. */
  get identity(): string {
    return new StackIdentity(this.#keys.jwtSecret).publicKey;
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  /** Who and where this stack is, and whether each service answers right now. */
  async status(): Promise<StackStatus> {
    return {
      pid: process.pid,
      state: this.#state,
      startedAt: this.#startedAt.toISOString(),
      workdir: this.#options.workdir,
      dataDir: this.#options.dataDir,
      url: this.url,
      host: this.#host,
      reachableAt: reachableUrls(this.#host, this.#port.port),
      dbUrl: this.#postgresReady ? this.dbUrl : '',
      plan: this.#options.plan ?? 'self-hosted',
      keys: this.#keys,
      services: this.#state === 'ready' ? await this.health() : {},
      versions: await versions(),
    };
  }

  /** What Realtime has counted. */
  realtimeStats(): RealtimeStats {
    return this.#realtime.stats();
  }

  /** Whether each service answers right now. */
  async health(): Promise<Record<string, ServiceHealth>> {
    const { url } = this;
    const ws = `${url.replace('http', 'ws')}/realtime/v1`;
    const key = this.#keys.secret;
    const [postgres, rest, auth, storage, realtime, functions] = await Promise.all([
      examine(this.dbUrl, () => this.#answerOfPostgres()),
      probe(url, '/rest/v1/', key),
      probe(url, '/auth/v1/health', key),
      probe(url, '/storage/v1/bucket', key),
      examine(ws, async () => this.#realtime.stats()),
      edgeFunctionNames(this.#options.workdir),
    ]);
    const detail = functions.length > 0 ? functions.join(', ') : 'none in supabase/functions';
    return {
      postgres,
      rest,
      auth,
      storage,
      realtime,
      functions: { url: `${url}/functions/v1`, healthy: true, detail },
    };
  }

  /** What anybody may see at /health: no keys, no paths. */
  async #publicHealth(): Promise<Health> {
    const { services, state, versions } = await this.status();
    const healthy = Object.values(services).every((service) => service.healthy);
    const shown = Object.entries(services).map(([name, { healthy }]) => [name, { healthy }]);
    const status = state === 'ready' ? (healthy ? 'ok' : 'degraded') : state;
    return { status, services: Object.fromEntries(shown), versions };
  }

  async #answerOfPostgres(): Promise<void> {
    await withSession(this.dbUrl, (session) => session.query('select 1'));
  }

  /** Settles once the stack has ended, by any way. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Stops everything in the reverse order of the start. Safe to call at any moment and more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #start(): Promise<void> {
    const { workdir, dataDir } = this.#options;
    const steps = new Steps(this.#log, this.#options.onStep, () => this.#stopping !== undefined);
    const step = <T>(name: string, seconds: number, hint: string, work: () => Promise<T>, retries = 0) =>
      steps.run(name, { deadlineMs: seconds * 1000, hint, retries }, work);
    const seeLog = `stark up --debug shows more; the log is ${join(dataDir, 'stack.log')}`;

    const config = await step('config', 5, 'correct supabase/config.toml', () => readProjectConfig(workdir));
    await step('preflight', 10, seeLog, () => this.#preflight(config));
    await step('lock', 10, 'stark status', () => this.#lock());
    if (this.#options.reset) await step('reset', 60, `remove ${dataDir} by hand`, () => this.#reset());
    this.#keys = await step('keys', 5, `remove ${join(dataDir, 'keys.json')}`, () => loadKeys(dataDir));

    this.#apiKeys = new ApiKeys(this.#keys);
    await step('postgres', 90, seeLog, () => this.#startPostgres(config));
    await step('platform', 30, seeLog, () => bootstrapPlatform(this.#cluster), 2);
    this.#lite = this.#makeLite(config);
    await step('auth and storage schemas', 30, seeLog, () => this.#lite.ensureSystemSchema(), 2);
    await step('realtime schema', 30, seeLog, () => applyRealtimeSchema(this.#cluster.url('supabase_admin')), 2);
    await step('grants', 30, seeLog, () => bootstrapGrants(this.#cluster), 2);
    await step('migrations', 120, seeLog, () => migrate({ workdir, dataDir, databaseUrl: this.dbUrl, log: this.#log }));
    await step('secrets', 10, seeLog, () => shareWithDatabase(this.dbUrl, this.url, this.#keys.secret), 2);
    await step('rest, auth and storage', 30, seeLog, () => this.#startLite(), 2);
    await step('realtime', 30, seeLog, () => this.#startRealtime(), 2);
    await step('cron and net', 15, seeLog, () => this.#startWorkers(), 2);
    await step('gateway', 15, seeLog, () => this.#startGateway(config));
    if (this.#stopping === undefined) this.#state = 'ready';
  }

  async #preflight(config: ProjectConfig): Promise<void> {
    const port = this.#options.port ?? config.api.port;
    const reserved = await preflight({
      dataDir: this.#options.dataDir,
      port,
      dbPort: this.#options.dbPort ?? config.db.port,
      host: this.#options.host,
    });
    this.#port = reserved;
    // The last of all: nobody else may listen here while anything of ours may still call.
    this.#onStop('port', async () => {
      await this.#gateway?.close();
      await reserved.release();
    });
  }

  async #lock(): Promise<void> {
    const control = await takeControl(this.#options.dataDir, { status: () => this.status(), stop: () => this.stop() });
    this.#onStop('lock', async () => control.release());
  }

  async #reset(): Promise<void> {
    for (const name of ['postgres', 'storage', 'keys.json', 'migrations.sha256']) {
      await rm(join(this.#options.dataDir, name), { recursive: true, force: true });
    }
  }

  async #startPostgres(config: ProjectConfig): Promise<void> {
    this.#cluster = new PostgresCluster({
      dataDir: join(this.#options.dataDir, 'postgres'),
      port: this.#options.dbPort ?? config.db.port,
      durable: this.#options.durable ?? true,
      log: this.#options.log,
    });
    this.#onStop('postgres', () => this.#cluster.stop());
    await this.#cluster.initialise();
    await this.#cluster.start();
    this.#postgresReady = true;
    this.#cluster.onUnexpectedExit(() => void this.#restartPostgres());
  }

  /** Brings a killed Postgres back on the same port; its clients reconnect by themselves. */
  async #restartPostgres(): Promise<void> {
    if (this.#state === 'stopping') return;
    const now = Date.now();
    this.#restarts.push(now);
    const recent = this.#restarts.filter((at) => at > now - restartWindowMs).length;
    try {
      if (recent > maxRestarts) throw new Error(`it ended ${recent} times within ${restartWindowMs / 1000} s`);
      await sleep(200 * (recent - 1));
      await this.#cluster.start();
      this.#realtime?.databaseRestarted();
      this.#log.warn({ restarts: this.#restarts.length }, 'Postgres was restarted after an unexpected end');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new StackError('postgres', 'POSTGRES_LOST', `Postgres cannot be brought back: ${why}`, {
        hint: `look into ${join(this.dataDir, 'stack.log')}, then stark up`,
        cause,
      });
      this.#log.fatal({ err: error }, error.message);
      await this.stop();
      this.#options.onFailure?.(error);
    }
  }

  #makeLite(config: ProjectConfig): LiteService {
    return new LiteService({
      databaseUrl: (role) => this.#cluster.url(role),
      jwtSecret: this.#keys.jwtSecret,
      keys: this.#apiKeys,
      schemas: config.api.schemas,
      extraSearchPath: config.api.extraSearchPath,
      maxRows: config.api.maxRows,
      storageDir: join(this.dataDir, 'storage'),
      fileSizeLimitBytes: config.storage.fileSizeLimitBytes,
      siteUrl: config.auth.siteUrl,
      apiUrl: () => this.url,
      signupEnabled: config.auth.enableSignup,
      jwtExpirySeconds: config.auth.jwtExpirySeconds,
      minimumPasswordLength: config.auth.minimumPasswordLength,
      enableRefreshTokenRotation: config.auth.enableRefreshTokenRotation,
      log: this.#options.log,
    });
  }

  async #startLite(): Promise<void> {
    this.#onStop('rest, auth and storage', () => this.#lite.stop());
    await this.#lite.start();
  }

  async #startRealtime(): Promise<void> {
    const { plan, realtimeBackoff } = this.#options;
    this.#realtime = createRealtimeServer({
      databaseUrl: this.#cluster.url('supabase_admin'),
      jwtSecret: this.#keys.jwtSecret,
      ...(plan === undefined ? {} : { plan }),
      ...(realtimeBackoff === undefined
        ? {}
        : { connectErrorBackoffMs: realtimeBackoff.connectMs, channelErrorBackoffMs: realtimeBackoff.joinMs }),
      log: this.#options.log.child({ service: 'realtime' }),
    });
    this.#onStop('realtime', () => this.#realtime.stop());
    await this.#realtime.start();
  }

  async #startWorkers(): Promise<void> {
    const { log } = this.#options;
    const rolePassword = new URL(this.dbUrl).password;
    const cron = new CronWorker({ databaseUrl: this.#cluster.url('supabase_admin'), log, rolePassword });
    for (const one of [cron, new NetWorker({ databaseUrl: this.dbUrl, log })]) {
      this.#onStop(one.constructor.name, () => one.stop());
      await one.start();
    }
  }

  async #startGateway(config: ProjectConfig): Promise<void> {
    const functions = new EdgeFunctions({
      directory: join(this.#options.workdir, 'supabase', 'functions'),
      config: config.functions,
      env: () => hostedEnvironment({ url: this.url, dbUrl: this.dbUrl, keys: this.#apiKeys }),
      jwtSecret: this.#keys.jwtSecret,
      // A project that is installed for everybody belongs to somebody else.
      cacheDir: await writableFolder(
        join(this.#options.workdir, 'supabase', '.temp', 'deno'),
        join(this.dataDir, 'deno'),
      ),
      log: this.#options.log,
    });
    this.#onStop('functions', () => functions.stop());
    const gateway = new Gateway({
      port: this.#port,
      keys: this.#apiKeys,
      lite: this.#lite,
      realtime: this.#realtime,
      functions,
      health: () => this.#publicHealth(),
      identity: new StackIdentity(this.#keys.jwtSecret),
      bodyLimits: { storage: config.storage.fileSizeLimitBytes + 65_536 },
      log: this.#options.log,
    });
    this.#gateway = gateway;
    this.#onStop('gateway', () => gateway.drain());
    await gateway.listen();
  }

  #onStop(name: string, stop: () => Promise<void>): void {
    this.#teardown.push({ name, stop });
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    await this.#settled;
    for (let part = this.#teardown.pop(); part !== undefined; part = this.#teardown.pop()) {
      const { name, stop } = part;
      await stop().catch((error: unknown) => this.#log.error({ err: error }, `could not stop ${name}`));
    }
    this.#stopped.resolve();
  }
}

/** The wanted folder, made if need be, where we may write it; else the other one. */
async function writableFolder(wanted: string, fallback: string): Promise<string> {
  try {
    await mkdir(wanted, { recursive: true });
    await access(wanted, constants.W_OK);
    return wanted;
  } catch {
    return fallback;
  }
}

// SIGUSR1 opens the debugger of a Node.js process, and with it every key of the stack, to everyone on the machine. One listener
// is enough, and it stays: the process may hold the keys longer than the stack runs.
function refuseDebugger(): void {
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
}

/** Node.js 20 has no Promise.withResolvers yet. */
function promiseWithResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Starts a stack in this process. */
export const startStack = (options: StackOptions): Promise<Stack> => Stack.start(options);
