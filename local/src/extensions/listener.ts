import pg from 'pg';
import type { Logger } from 'pino';

const RETRY_MS = 500;

export interface ListenerOptions {
  readonly databaseUrl: string;
  readonly channel: string;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  readonly log: Logger;
  onNotify(payload: string): void;
  /** Called at every connection, also the first: what was told before was missed. */
  onConnect(): void;
}

/** One connection that listens, and comes back for as long as it takes after the server went away. */
export class Listener {
  readonly #options: ListenerOptions;
  #client: pg.Client | null = null;
  #stopped = false;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Settles when listening; fails when the first connection fails. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    const client = this.#client;
    this.#client = null;
    await client?.end();
  }

  async #connect(): Promise<void> {
    const { databaseUrl, channel, applicationName, onNotify, onConnect } = this.#options;
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: applicationName,
      connectionTimeoutMillis: 10_000,
    });
    client.on('notification', ({ payload = '' }) => onNotify(payload));
    // The end follows, and the client comes back then.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    if (this.#stopped) return client.end();
    this.#client = client;
    client.on('end', () => {
      if (this.#client === client) this.#retry();
    });
    onConnect();
  }

  #retry(): void {
    this.#client = null;
    if (this.#stopped) return;
    this.#retryTimer = setTimeout(() => {
      if (this.#stopped) return;
      this.#connect().catch((error: Error) => {
        this.#options.log.debug({ err: error }, 'the database is not back yet');
        this.#retry();
      });
    }, RETRY_MS);
  }
}
