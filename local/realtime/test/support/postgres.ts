import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startTestCluster } from '../../../../scripts/db/test-cluster.mjs';
// The stack's own cluster: it knows how to run as root and inside private folders.
import type { PostgresCluster } from '../../../dist/postgres/cluster.js';

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
  readonly #server: PostgresCluster;
  readonly #folder: string;
  readonly url: string;
  #stopped = false;

  private constructor(server: PostgresCluster, folder: string) {
    this.#server = server;
    this.#folder = folder;
    this.url = server.url('supabase_admin');
  }

  static async start(): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'realtime-'));
    const server = await startTestCluster(join(folder, 'data'));
    const postgres = new TestPostgres(server, folder);
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
