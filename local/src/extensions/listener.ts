import type { Logger } from 'pino';
import postgres, { type Sql } from 'postgres';

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

/**
 * One connection that listens, and comes back for as long as it takes after the server went away. The `listen` of the
 * driver tries once and then stays silent for ever.
 */
export class Listener {
  readonly #options: ListenerOptions;
  #sql: Sql | null = null;
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
    await this.#sql?.end({ timeout: 1 });
    this.#sql = null;
  }

  async #connect(): Promise<void> {
    const { databaseUrl, channel, applicationName, onNotify, onConnect } = this.#options;
    let listening = false;
    const sql = postgres(databaseUrl, {
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      connect_timeout: 10,
      fetch_types: false,
      prepare: false,
      onnotice: () => {},
      connection: { application_name: applicationName },
      // Both are in the driver but not in its types.
      ...{
        onnotify: (_channel: string, payload: string) => onNotify(payload),
        onclose: () => {
          if (listening && this.#sql === sql) this.#retry();
        },
      },
    });
    this.#sql = sql;
    try {
      await sql.unsafe(`listen ${channel}`);
    } catch (error) {
      await sql.end({ timeout: 0 }).catch(() => {});
      throw error;
    }
    listening = true;
    onConnect();
  }

  #retry(): void {
    if (this.#stopped) return;
    this.#sql?.end({ timeout: 0 }).catch(() => {});
    this.#sql = null;
    this.#retryTimer = setTimeout(() => {
      if (this.#stopped) return;
      this.#connect().catch((error: Error) => {
        this.#options.log.debug({ err: error }, 'the database is not back yet');
        this.#retry();
      });
    }, RETRY_MS);
  }
}
