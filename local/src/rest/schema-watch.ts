import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

/** Between two tries to listen again; the cache is dropped on success, so nothing is missed by waiting. */
const retryMs = 250;

/** What is to be read again. */
export interface Reload {
  schema: boolean;
  config: boolean;
}

/** What the payloads mean that PostgREST knows. */
const payloads: Record<string, Reload> = {
  '': { schema: true, config: true },
  'reload schema': { schema: true, config: false },
  'reload config': { schema: false, config: true },
};

/** Listens on the channel `pgrst` as PostgREST does. */
export class SchemaWatch {
  readonly #databaseUrl: string;
  readonly #reload: (what: Reload) => void;
  readonly #log: Logger;
  #client: pg.Client | undefined;
  #stopped = false;

  constructor(options: { databaseUrl: string; reload: (what: Reload) => void; log: Logger }) {
    this.#databaseUrl = options.databaseUrl;
    this.#reload = options.reload;
    this.#log = options.log;
  }

  async start(): Promise<void> {
    this.#stopped = false;
    await this.#listen();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      application_name: 'stark-schema-watch',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
    });
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => {
      const what = payloads[payload];
      if (what === undefined) return;
      this.#log.debug({ payload }, 'told to read again');
      this.#reload(what);
    });
    try {
      await client.connect();
      await client.query('listen pgrst');
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    client.once('end', () => void this.#listenAgain());
    this.#client = client;
    // What happened while nobody listened is covered by starting afresh.
    this.#reload({ schema: true, config: true });
  }

  async #listenAgain(): Promise<void> {
    while (!this.#stopped) {
      await delay(retryMs, undefined, { ref: false });
      try {
        if (!this.#stopped) await this.#listen();
        return;
      } catch (error) {
        this.#log.debug({ err: error }, 'not listening for schema changes yet');
      }
    }
  }
}
