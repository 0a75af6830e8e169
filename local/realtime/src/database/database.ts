import pg from 'pg';
import { type Cancel, type Clock, longerPause } from '../clock.js';
import type { RealtimeLog } from '../options.js';

/** No connection to Postgres can be had. */
export class DatabaseUnavailable extends Error {
  override name = 'DatabaseUnavailable';
}

/** All connections of the pool were busy for too long. */
export class PoolExhausted extends Error {
  override name = 'PoolExhausted';
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
  log: RealtimeLog;
  clock: Clock;
}

const QUEUE_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3_000;

/** SQLSTATE classes and codes that mean the connection, not the statement, is in trouble. */
const CONNECTION_TROUBLE = /^(08|57P0[1-4])/;

/**
 * The pool, and whether Postgres is there. The first broken connection marks the database as down; from then on one
 * connection after the other is tried, with growing pauses, until one works.
 */
export class Database {
  readonly #options: DatabaseOptions;
  readonly #upListeners = new Set<() => void>();
  #pool: pg.Pool;
  #up = true;
  #stopped = false;
  #cancelRetry: Cancel | null = null;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = this.#newPool();
  }

  get isUp(): boolean {
    return this.#up && !this.#stopped;
  }

  /** Runs one statement. */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.withClient(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** Lends a connection. One whose work failed with connection trouble is thrown away, all others go back. */
  async withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      return await work(client);
    } catch (error) {
      if (isConnectionTrouble(error)) {
        broken = error as Error;
        this.markDown(broken);
        throw new DatabaseUnavailable(broken.message, { cause: error });
      }
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /** Says that a connection broke; from now on the database is tried until it answers. */
  markDown(cause: unknown): void {
    if (!this.#up || this.#stopped) return;
    this.#up = false;
    this.#options.log.warn({ err: cause }, 'lost the database, trying again');
    this.#retry(FIRST_RETRY_MS);
  }

  /** Postgres was restarted: old connections are worth nothing. */
  restarted(): void {
    if (this.#stopped) return;
    const old = this.#pool;
    this.#pool = this.#newPool();
    void old.end().catch(() => {});
    this.#up = false;
    this.#retry(0);
  }

  /** Calls the listener each time the database is back after it was down. */
  onUp(listener: () => void): void {
    this.#upListeners.add(listener);
  }

  /** Waits until the database is up; false when it is not within the time. */
  whenUp(timeoutMs: number): Promise<boolean> {
    if (this.isUp) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (isUp: boolean) => {
        cancel();
        this.#upListeners.delete(listener);
        resolve(isUp);
      };
      const listener = () => finish(true);
      const cancel = this.#options.clock.after(timeoutMs, () => finish(false));
      this.#upListeners.add(listener);
    });
  }

  /** Closes all connections. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('timeout exceeded')) {
        this.#options.log.warn({ pool: this.#options.poolSize }, 'IncreaseConnectionPool: all connections are busy');
        throw new PoolExhausted(error.message, { cause: error });
      }
      this.markDown(error);
      throw new DatabaseUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  #newPool(): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.#options.url,
      max: this.#options.poolSize,
      connectionTimeoutMillis: QUEUE_TIMEOUT_MS,
      application_name: 'realtime_connect',
      // A policy that hangs must not keep a connection for ever.
      statement_timeout: STATEMENT_TIMEOUT_MS,
      allowExitOnIdle: true,
    });
    pool.on('error', (error) => this.markDown(error));
    // The pool listens only to idle connections. A lent one that breaks between two statements would end the process.
    pool.on('connect', (client) => client.on('error', (error) => this.markDown(error)));
    return pool;
  }

  #retry(delayMs: number): void {
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.clock.after(delayMs, () => {
      this.#pool.query('select 1').then(
        () => this.#markUp(),
        () => {
          if (!this.#stopped) this.#retry(delayMs === 0 ? FIRST_RETRY_MS : longerPause(delayMs, LAST_RETRY_MS));
        },
      );
    });
  }

  #markUp(): void {
    if (this.#up || this.#stopped) return;
    this.#up = true;
    this.#options.log.info({}, 'the database is back');
    for (const listener of [...this.#upListeners]) listener();
  }
}

function isConnectionTrouble(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return CONNECTION_TROUBLE.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== undefined && /^(ECONN|EPIPE|ETIMEDOUT|ENOENT)/.test(code)) return true;
  return /connection terminated|not queryable|connection error/i.test(error.message);
}
