import pg from 'pg';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.js';
import { type QueuedRequest, sendRequest } from './http-request.js';
import { Listener } from './listener.js';

/** As `pg_net.batch_size` and `pg_net.ttl` on a hosted project. */
const BATCH_SIZE = 200;
const TTL = '6 hours';
/** Between two batches, and to look again when a notification might have been missed. */
const PAUSE_MS = 1_000;
const IDLE_MS = 30_000;

export interface NetWorkerOptions {
  /** Of `postgres`, as hosted: everybody may put triggers on the queue and the answers, and they run as the worker. */
  readonly databaseUrl: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * Sends what was committed to `net.http_request_queue` and writes the answers to `net._http_response`. A batch leaves
 * the queue in the transaction that stores its answers, and waits for its slowest request: if we die in between, the
 * whole batch is sent again.
 */
export class NetWorker {
  readonly #options: NetWorkerOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  #pool: pg.Pool | null = null;
  #listener: Listener | null = null;
  #working: Promise<void> | null = null;
  #again = false;
  #stop = new AbortController();
  #cancelTimer: () => void = () => {};

  constructor(options: NetWorkerOptions) {
    this.#options = options;
    this.#log = options.log.child({ service: 'net' });
    this.#clock = options.clock ?? systemClock;
  }

  /** Begins to listen, and sends what is already waiting. */
  async start(): Promise<void> {
    const { databaseUrl } = this.#options;
    this.#stop = new AbortController();
    // pg and not postgres.js: that one ends the process when a transaction's connection is lost while it waits for answers.
    const pool = new pg.Pool({
      connectionString: databaseUrl,
      max: 1,
      idleTimeoutMillis: 60_000,
      application_name: 'pg_net sender',
      allowExitOnIdle: true,
    });
    // A broken connection shows at its next statement, and the batch stays queued.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    this.#pool = pool;
    this.#listener = new Listener({
      databaseUrl,
      channel: 'pg_net',
      applicationName: 'pg_net 0.20.4',
      log: this.#log,
      onNotify: () => this.#wake(),
      onConnect: () => this.#wake(),
    });
    await this.#listener.start();
  }

  /** Stops. Requests under way are broken off and stay queued, so the next worker sends them (again). */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer();
    await this.#listener?.stop();
    await this.#working;
    await this.#pool?.end();
    this.#pool = null;
  }

  #wake(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#working !== null) {
      this.#again = true;
      return;
    }
    this.#cancelTimer();
    this.#again = false;
    this.#working = this.#work().finally(() => {
      this.#working = null;
      if (this.#stop.signal.aborted) return;
      if (this.#again) this.#wake();
      else this.#cancelTimer = this.#clock.after(IDLE_MS, () => this.#wake());
    });
  }

  /** Batch after batch until the queue is empty. */
  async #work(): Promise<void> {
    for (;;) {
      let count: number;
      try {
        count = await this.#batch();
      } catch (error) {
        if (error instanceof Stopped) return;
        this.#log.warn({ err: error }, 'a batch of requests failed; it stays queued');
        return;
      }
      if (count < BATCH_SIZE || this.#stop.signal.aborted) return;
      await this.#pause();
    }
  }

  async #batch(): Promise<number> {
    const client = await this.#pool?.connect();
    if (client === undefined) return 0;
    let broken = true;
    try {
      const { rows } = await client.query<{ found: boolean }>(
        `select to_regclass('net.http_request_queue') is not null and to_regclass('net._http_response') is not null as found`,
      );
      let count = 0;
      if (rows[0]?.found) {
        await client.query('begin');
        count = await this.#send(client);
        await client.query('commit');
      }
      broken = false;
      return count;
    } finally {
      // Thrown away when anything failed: closing it rolls the batch back.
      client.release(broken);
    }
  }

  /** One batch inside a transaction: from the queue, over HTTP, into the answers. */
  async #send(client: pg.PoolClient): Promise<number> {
    await client.query(
      `delete from net._http_response r
       using (
         select ctid from net._http_response where created < now() - $1::interval order by created limit $2
       ) expired
       where r.ctid = expired.ctid`,
      [TTL, BATCH_SIZE],
    );
    const { rows: requests } = await client.query<QueuedRequest>(
      `delete from net.http_request_queue q
       using (select id from net.http_request_queue order by id limit $1) batch
       where q.id = batch.id
       returning q.id::text, q.method, q.url, q.headers, q.body, q.timeout_milliseconds`,
      [BATCH_SIZE],
    );
    if (requests.length === 0) return 0;
    const answers = await Promise.all(requests.map((request) => sendRequest(request, this.#stop.signal)));
    if (this.#stop.signal.aborted) throw new Stopped();
    const columns = 'id, status_code, content_type, headers, content, timed_out, error_msg';
    await client.query(
      `insert into net._http_response (${columns})
       select ${columns} from json_populate_recordset(null::net._http_response, $1)`,
      [JSON.stringify(answers)],
    );
    return requests.length;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(PAUSE_MS, resolve);
      this.#stop.signal.addEventListener(
        'abort',
        () => {
          cancel();
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** Rolls a batch back because we were told to stop. */
class Stopped extends Error {}
