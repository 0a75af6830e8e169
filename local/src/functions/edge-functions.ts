import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { jwtVerify } from 'jose';
import type { Logger } from 'pino';
import { bootError, invalidJwt, missingAuthorization, notFound, workerError } from './answers.js';
import { boundToParent, denoCommand, mainModule } from './deno.js';
import { readSecrets } from './environment.js';
import { SourceWatch } from './source-watch.js';
import { FunctionWorker, WorkerGone } from './worker.js';

/** `[functions.<name>]` of config.toml. */
export interface FunctionConfig {
  enabled?: boolean;
  verifyJwt?: boolean;
  /** Relative to the folder `supabase`. */
  entrypoint?: string;
}

export interface EdgeFunctionsOptions {
  /** supabase/functions. */
  directory: string;
  config: Record<string, FunctionConfig>;
  /** The hosted variables (see hostedEnvironment); asked anew for each worker. */
  env: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  jwtSecret: string;
  /** Where Deno keeps compiled modules; default supabase/.temp/deno. */
  cacheDir?: string;
  /** 150 s on the free plan, 400 s on paid ones. */
  wallClockMs?: number;
  idleTimeoutMs?: number;
  bootTimeoutMs?: number;
  memoryMb?: number;
  log: Logger;
}

const runtimeVariables = ['DENO_DIR', 'NO_COLOR', 'DENO_NO_UPDATE_CHECK', 'DENO_NODE_SHIM_ACTIVE', 'PATH'];

/** supabase/functions served by Deno: one process per function, started by its first request. */
export class EdgeFunctions {
  readonly #options: EdgeFunctionsOptions;
  readonly #log: Logger;
  readonly #jwtSecret: Uint8Array;
  readonly #directory: string;
  readonly #current = new Map<string, FunctionWorker>();
  readonly #living = new Set<FunctionWorker>();
  readonly #starting = new Map<string, Promise<FunctionWorker>>();
  readonly #watch: SourceWatch;
  #stopped = false;

  constructor(options: EdgeFunctionsOptions) {
    this.#options = options;
    this.#log = options.log.child({ service: 'functions' });
    this.#jwtSecret = new TextEncoder().encode(options.jwtSecret);
    this.#directory = existsSync(options.directory) ? realpathSync(options.directory) : resolve(options.directory);
    this.#watch = new SourceWatch(this.#directory, this.#log, (entries) => this.#reload(entries));
  }

  /** Answers a request for /functions/v1/<name>/…; the function sees the path from its name on. */
  async fetch(name: string, request: Request): Promise<Response> {
    const entrypoint = this.#entrypoint(name);
    if (!entrypoint) return notFound();
    const refused = await this.#verify(name, request.method, request.headers.get('authorization'));
    if (refused) return refused;
    const { pathname, search } = new URL(request.url);
    const path = `${pathname.replace(/^\/functions\/v1/, '')}${search}`;
    for (let attempt = 1; ; attempt += 1) {
      const worker = await this.#ready(name, entrypoint);
      if (!worker) return bootError();
      try {
        return await worker.fetch(request, path);
      } catch (error) {
        if (!(error instanceof WorkerGone)) throw error;
        // Its end may not have been told yet; the next attempt must not meet it again.
        if (this.#current.get(name) === worker) this.#current.delete(name);
        if (attempt === 2 || request.bodyUsed) return workerError();
      }
    }
  }

  /** Joins a WebSocket client with the function. */
  async upgrade(name: string, message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const entrypoint = this.#entrypoint(name);
    const refused = entrypoint ? await this.#verify(name, 'GET', message.headers.authorization ?? null) : notFound();
    const worker = entrypoint && !refused ? await this.#ready(name, entrypoint) : undefined;
    if (!worker) {
      const answer = refused ?? bootError();
      const text = await answer.text();
      socket.end(
        `HTTP/1.1 ${answer.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
      return;
    }
    worker.upgrade(message, (message.url ?? '/').replace(/^\/functions\/v1/, ''), socket, head);
  }

  /** The processes that live now, for the health check. */
  stats(): { workers: { name: string; pid: number | undefined }[] } {
    return { workers: [...this.#current].map(([name, worker]) => ({ name, pid: worker.pid })) };
  }

  /** Ends all workers: they hear `beforeunload` and have the grace time for what they still do. */
  async stop(graceMs = 2000): Promise<void> {
    this.#stopped = true;
    this.#watch.close();
    await Promise.allSettled(this.#starting.values());
    this.#current.clear();
    await Promise.all([...this.#living].map((worker) => worker.stop(graceMs)));
  }

  #entrypoint(name: string): string | undefined {
    const config = this.#options.config[name];
    if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name) || config?.enabled === false || this.#stopped) return undefined;
    const paths = config?.entrypoint
      ? [resolve(this.#directory, '..', config.entrypoint)]
      : ['index.ts', 'index.tsx', 'index.js'].map((file) => join(this.#directory, name, file));
    return paths.find((path) => existsSync(path));
  }

  async #verify(name: string, method: string, authorization: string | null): Promise<Response | undefined> {
    if (this.#options.config[name]?.verifyJwt === false || method === 'OPTIONS') return undefined;
    if (!authorization) return missingAuthorization();
    const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
    if (!token) return invalidJwt();
    try {
      await jwtVerify(token, this.#jwtSecret, { algorithms: ['HS256'] });
      return undefined;
    } catch {
      return invalidJwt();
    }
  }

  /** A worker that takes requests, or undefined when the function does not start. */
  async #ready(name: string, entrypoint: string): Promise<FunctionWorker | undefined> {
    const current = this.#current.get(name);
    const worker = current?.usable ? current : await this.#start(name, entrypoint);
    try {
      await worker.ready;
      return worker;
    } catch (error) {
      this.#log.warn({ function: name, err: error }, 'function failed to start');
      if (this.#current.get(name) === worker) this.#current.delete(name);
      worker.kill();
      return undefined;
    }
  }

  #start(name: string, entrypoint: string): Promise<FunctionWorker> {
    const running = this.#starting.get(name);
    if (running) return running;
    const starting = this.#spawn(name, entrypoint).finally(() => this.#starting.delete(name));
    this.#starting.set(name, starting);
    return starting;
  }

  async #spawn(name: string, entrypoint: string): Promise<FunctionWorker> {
    const { env, wallClockMs = 150_000, idleTimeoutMs = 150_000, bootTimeoutMs = 30_000 } = this.#options;
    const cacheDir = this.#options.cacheDir ?? join(this.#directory, '..', '.temp', 'deno');
    mkdirSync(cacheDir, { recursive: true });
    const worker = new FunctionWorker({
      name,
      ...boundToParent(this.#command(name)),
      cwd: this.#directory,
      env: {
        ...(await readSecrets(join(this.#directory, '.env'), this.#log)),
        ...(typeof env === 'function' ? await env() : env),
        SB_REGION: 'local',
        SB_EXECUTION_ID: randomUUID(),
        DENO_DEPLOYMENT_ID: `local_${name}_${Date.now()}`,
        DENO_DIR: cacheDir,
        DENO_NO_UPDATE_CHECK: '1',
        NO_COLOR: '1',
      },
      hide: runtimeVariables,
      entrypoint: pathToFileURL(entrypoint).href,
      wallClockMs,
      idleTimeoutMs,
      bootTimeoutMs,
      log: this.#log,
    });
    this.#current.set(name, worker);
    this.#living.add(worker);
    void worker.exited.then(() => {
      this.#living.delete(worker);
      if (this.#current.get(name) === worker) this.#current.delete(name);
    });
    return worker;
  }

  #command(name: string): { command: string; args: string[] } {
    const { command, args } = denoCommand();
    const root = resolve(this.#directory, '..', '..');
    const folders = [join(this.#directory, name), this.#directory, root];
    const config = folders
      .flatMap((folder) => [join(folder, 'deno.json'), join(folder, 'deno.jsonc')])
      .find(existsSync);
    const modules = join(root, 'node_modules');
    const readable = [root, ...(existsSync(modules) ? [realpathSync(modules)] : [])];
    const unreadable = ['.stark', '.git'].map((entry) => join(root, entry));
    return {
      command,
      args: [
        ...args,
        'run',
        '--no-prompt',
        '--no-check',
        '--no-lock',
        '--cached-only',
        '--node-modules-dir=manual',
        '--unstable-no-legacy-abort',
        `--v8-flags=--max-old-space-size=${this.#options.memoryMb ?? 256}`,
        config ? `--config=${config}` : '--no-config',
        '--allow-net',
        // The process has no variables but those made for it.
        '--allow-env',
        `--allow-read=${readable.join(',')}`,
        `--deny-read=${unreadable.join(',')}`,
        mainModule,
      ],
    };
  }

  #reload(entries: ReadonlySet<string>): void {
    for (const [name, worker] of this.#current) {
      // A change in a function's own folder is its own; anything else (_shared, .env) may concern every function.
      const concerned = [...entries].some(
        (entry) => entry === name || !existsSync(join(this.#directory, entry, 'index.ts')),
      );
      if (!concerned) continue;
      this.#log.info({ function: name }, 'function changed: the next request gets the new one');
      this.#current.delete(name);
      worker.retire('termination');
    }
  }
}
