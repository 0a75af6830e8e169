import type { Logger } from 'pino';
import postgres from 'postgres';

/**
 * Listens on the channel `pgrst` as PostgREST does: `reload schema`, `reload config`, or an empty payload. The driver
 * listens again by itself after a lost connection, and what was missed meanwhile is covered by reloading then too.
 */
export class SchemaWatch {
  readonly #sql: postgres.Sql;
  readonly #reload: () => void;
  readonly #log: Logger;

  constructor(options: { databaseUrl: string; reload: () => void; log: Logger }) {
    this.#reload = options.reload;
    this.#log = options.log;
    this.#sql = postgres(options.databaseUrl, {
      max: 1,
      onnotice: () => undefined,
      connection: { application_name: 'stark-schema-watch' },
    });
  }

  async start(): Promise<void> {
    await this.#sql.listen(
      'pgrst',
      (payload) => {
        if (payload !== '' && payload !== 'reload schema' && payload !== 'reload config') return;
        this.#log.debug({ payload }, 'schema cache dropped');
        this.#reload();
      },
      () => this.#reload(),
    );
  }

  async stop(): Promise<void> {
    await this.#sql.end({ timeout: 1 });
  }
}
