import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

/** Between two tries to listen again; the cache is dropped on success, so nothing is missed by waiting. */
const retryMs = 250;

/** Listens on the channel `pgrst` as PostgREST does: `reload schema`, `reload config`, or an empty payload. */
export class SchemaWatch {
  readonly #databaseUrl: string;
  readonly #reload: () => void;
  readonly #log: Logger;
  #client: pg.Client | undefined;
  #stopped = false;

  constructor(options: { databaseUrl: string; reload: () => void; log: Logger }) {
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
      if (payload !== '' && payload !== 'reload schema' && payload !== 'reload config') return;
      this.#log.debug({ payload }, 'schema cache dropped');
      this.#reload();
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
    this.#reload();
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
