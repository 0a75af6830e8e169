import type { Logger } from 'pino';
import postgres, { type Sql } from 'postgres';
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
  /** Of a superuser: the queue and the answers are its tables. */
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
  #sql: Sql | null = null;
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
    this.#sql = postgres(databaseUrl, {
      max: 1,
      idle_timeout: 60,
      onnotice: () => {},
      connection: { application_name: 'pg_net sender' },
    });
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
    await this.#sql?.end({ timeout: 2 });
    this.#sql = null;
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
    const sql = this.#sql;
    if (sql === null) return 0;
    const [present] = await sql<{ found: boolean }[]>`
      select to_regclass('net.http_request_queue') is not null and to_regclass('net._http_response') is not null as found
    `;
    if (!present?.found) return 0;
    return sql.begin(async (transaction) => {
      await transaction`
        delete from net._http_response r
        using (
          select ctid from net._http_response where created < now() - ${TTL}::interval order by created limit ${BATCH_SIZE}
        ) expired
        where r.ctid = expired.ctid
      `;
      const requests = await transaction<QueuedRequest[]>`
        delete from net.http_request_queue q
        using (select id from net.http_request_queue order by id limit ${BATCH_SIZE}) batch
        where q.id = batch.id
        returning q.id::text, q.method, q.url, q.headers, q.body, q.timeout_milliseconds
      `;
      if (requests.length === 0) return 0;
      const answers = await Promise.all(requests.map((request) => sendRequest(request, this.#stop.signal)));
      if (this.#stop.signal.aborted) throw new Stopped();
      const rows = answers.map((answer) => ({
        ...answer,
        headers: answer.headers && transaction.json(answer.headers),
      }));
      await transaction`insert into net._http_response ${transaction(rows)}`;
      return requests.length;
    });
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
