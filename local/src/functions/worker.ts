import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import type { Logger } from 'pino';
import { idleTimeout, workerError, workerLimit } from './answers.js';
import { controlMessage, onLines } from './control-lines.js';

export interface WorkerOptions {
  name: string;
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  /** Variables the runtime needs and the function shall not see. */
  hide: string[];
  entrypoint: string;
  wallClockMs: number;
  idleTimeoutMs: number;
  bootTimeoutMs: number;
  log: Logger;
}

/** Why a worker gets no new requests and, once idle, ends; the names are those of the `beforeunload` event. */
export type Ending = 'wall_clock' | 'early_drop' | 'termination';

/** The worker could not be reached although the request never began: another worker may take it. */
export class WorkerGone extends Error {}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** One process of one function: started, asked, retired at half of its time, killed at the end of it. */
export class FunctionWorker {
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;
  readonly #options: WorkerOptions;
  readonly #log: Logger;
  readonly #child: ChildProcess;
  readonly #secret = randomBytes(18).toString('base64url');
  readonly #timers: NodeJS.Timeout[] = [];
  #port = 0;
  #inFlight = 0;
  #waiting = false;
  #retired: Ending | undefined;
  #alive = true;
  #outOfTime = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#log = options.log.child({ function: options.name });
    this.#child = spawn(options.command, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
    this.ready = this.#boot();
    // Nobody may be waiting when a boot fails because of a reload.
    this.ready.catch(() => undefined);
  }

  /** Whether new requests may go here. */
  get usable(): boolean {
    return this.#alive && this.#retired === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Passes a request on. Settles with the function's answer, or the platform's when the function gives none. */
  async fetch(request: Request, path: string): Promise<Response> {
    this.#inFlight += 1;
    let finished = false;
    const finish = () => {
      if (finished) return;
      finished = true;
      this.#inFlight -= 1;
      this.#leaveWhenIdle();
    };
    try {
      const message = await this.#exchange(request, path);
      message.once('close', finish);
      return toResponse(message);
    } catch (error) {
      finish();
      if (error instanceof WorkerGone || request.signal.aborted) throw error;
      if (error === timedOut) return idleTimeout();
      this.#log.warn({ err: error }, 'the worker ended before it answered');
      return this.#outOfTime ? workerLimit() : workerError();
    }
  }

  /** Joins a client that wants a WebSocket with the function; from here on it is bytes. */
  upgrade(message: IncomingMessage, path: string, socket: Duplex, head: Buffer): void {
    this.#inFlight += 1;
    const upstream = connect(this.#port, '127.0.0.1');
    const lines = [`${message.method} ${path} HTTP/1.1`, `x-stark-worker: ${this.#secret}`];
    for (let i = 0; i < message.rawHeaders.length; i += 2)
      lines.push(`${message.rawHeaders[i]}: ${message.rawHeaders[i + 1]}`);
    upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (head.length > 0) upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
    const part = () => {
      upstream.destroy();
      socket.destroy();
    };
    upstream.on('error', part);
    socket.on('error', part);
    socket.once('close', part);
    upstream.once('close', () => {
      part();
      this.#inFlight -= 1;
      this.#leaveWhenIdle();
    });
  }

  /** No new requests; ends once those under way and its background work are done. */
  retire(reason: Ending): void {
    this.#retired ??= reason;
    this.#leaveWhenIdle();
  }

  /** Tells the function to end, and ends it after the grace time. */
  async stop(graceMs: number): Promise<void> {
    this.#retired ??= 'termination';
    this.#send({ type: 'shutdown', reason: 'termination' });
    const kill = setTimeout(() => this.kill(), graceMs);
    await this.exited;
    clearTimeout(kill);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #boot(): Promise<void> {
    const { entrypoint, hide, bootTimeoutMs, wallClockMs } = this.#options;
    const started = performance.now();
    const child = this.#child;
    child.stdin?.on('error', () => undefined);
    void this.exited.then(() => {
      this.#alive = false;
      for (const timer of this.#timers) clearTimeout(timer);
    });
    const port = new Promise<number>((resolve, reject) => {
      const late = setTimeout(() => {
        this.kill();
        reject(new Error(`not ready after ${bootTimeoutMs} ms`));
      }, bootTimeoutMs);
      void this.exited.then(() => reject(new Error('the process ended before it was ready')));
      child.once('error', reject);
      this.#listen((message) => {
        if (message.type === 'ready') {
          clearTimeout(late);
          resolve(message.port);
        }
        if (message.type === 'boot_error') reject(new Error(message.message));
        if (message.type === 'waiting') this.#setWaiting(message.waiting);
      });
      void this.exited.then(() => clearTimeout(late));
    });
    this.#send({ secret: this.#secret, entrypoint, hide });
    this.#port = await port;
    this.#log.debug({ ms: Math.round(performance.now() - started), pid: child.pid }, 'worker ready');
    // Like the hosted runtime: no new work after half of the time, a warning shortly before the end, then the end.
    this.#after(wallClockMs / 2, () => this.retire('wall_clock'));
    this.#after(wallClockMs * 0.9, () => this.#send({ type: 'warn', reason: 'wall_clock' }));
    this.#after(wallClockMs, () => {
      this.#outOfTime = true;
      this.#log.warn({ wall_clock_ms: wallClockMs }, 'wall clock limit reached: the worker is killed');
      this.kill();
    });
  }

  #listen(listener: (message: NonNullable<ReturnType<typeof controlMessage>>) => void): void {
    const { stdout, stderr } = this.#child;
    if (stdout) {
      onLines(stdout, (line) => {
        const message = controlMessage(line, this.#secret);
        if (message) listener(message);
        else if (line !== '') this.#log.info(line);
      });
    }
    if (stderr) onLines(stderr, (line) => line !== '' && this.#log.warn(line));
  }

  #exchange(request: Request, path: string): Promise<IncomingMessage> {
    const headers: Record<string, string | string[]> = Object.fromEntries(request.headers);
    headers['x-stark-worker'] = this.#secret;
    headers.host = new URL(request.url).host;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest({
        host: '127.0.0.1',
        port: this.#port,
        method: request.method,
        path,
        headers,
        agent: false,
      });
      const timer = setTimeout(() => {
        outgoing.destroy();
        reject(timedOut);
      }, this.#options.idleTimeoutMs);
      const abort = () => outgoing.destroy(new Error('the client went away'));
      request.signal.addEventListener('abort', abort, { once: true });
      outgoing.once('response', (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        // A process that was killed a moment ago may still accept and then reset. A request that is safe to send twice
        // (RFC 9110, 9.2.2) may go to another worker; any other keeps its error, since it may have been run.
        const repeatable = safeMethods.has(request.method) && !request.body && !this.#outOfTime;
        const gone = error.code === 'ECONNREFUSED' || (error.code === 'ECONNRESET' && repeatable);
        reject(gone ? new WorkerGone() : error);
      });
      outgoing.once('close', () => request.signal.removeEventListener('abort', abort));
      if (!request.body) {
        outgoing.end();
        return;
      }
      const body = Readable.fromWeb(request.body as NodeReadableStream);
      body.once('error', (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    });
  }

  #setWaiting(waiting: boolean): void {
    this.#waiting = waiting;
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (this.#retired === undefined || this.#inFlight > 0 || this.#waiting || !this.#alive) return;
    this.#send({ type: 'shutdown', reason: this.#retired });
  }

  #send(message: object): void {
    if (this.#child.stdin?.writable) this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  #after(ms: number, action: () => void): void {
    this.#timers.push(setTimeout(action, ms));
  }
}

const timedOut = new Error('no answer in time');

function toResponse(message: IncomingMessage): Response {
  const headers = new Headers();
  for (let i = 0; i < message.rawHeaders.length; i += 2) {
    headers.append(message.rawHeaders[i] ?? '', message.rawHeaders[i + 1] ?? '');
  }
  const status = message.statusCode ?? 502;
  if (status >= 500 && !headers.has('sb-error-code')) headers.set('sb-error-code', 'EDGE_FUNCTION_ERROR');
  const empty = status === 204 || status === 205 || status === 304 || status < 200;
  if (empty) message.resume();
  return new Response(empty ? null : (Readable.toWeb(message) as ReadableStream), { status, headers });
}
