import pg from 'pg';
import type { TestDatabase } from '../../scripts/db/test-database.mjs';

/** A session as PostgREST has them: the login `authenticator`, and a role with its claims for each transaction. */
export class ApiSession {
  readonly #client: pg.Client;
  readonly #claims: string;
  readonly #role: string;

  private constructor(client: pg.Client, role: string, claims: object) {
    this.#client = client;
    this.#role = role;
    this.#claims = JSON.stringify({ ...claims, role });
  }

  static async open(database: TestDatabase, user?: string): Promise<ApiSession> {
    const client = await connect(database, 'authenticator');
    const role = user === undefined ? 'service_role' : 'authenticated';
    return new ApiSession(client, role, user === undefined ? {} : { sub: user });
  }

  /** One request: a transaction with one statement. */
  async call(text: string, values: unknown[] = []): Promise<unknown[]> {
    await this.begin();
    try {
      const rows = await this.query(text, values);
      await this.commit();
      return rows;
    } catch (error) {
      await this.#client.query('rollback');
      throw error;
    }
  }

  /** A request that is left open until `commit`. */
  async begin(): Promise<void> {
    await this.#client.query('begin');
    await this.#client.query(`select set_config('request.jwt.claims', $1, true), set_config('role', $2, true)`, [
      this.#claims,
      this.#role,
    ]);
  }

  async query(text: string, values: unknown[] = []): Promise<unknown[]> {
    return (await this.#client.query(text, values)).rows;
  }

  async commit(): Promise<void> {
    await this.#client.query('commit');
  }

  async close(): Promise<void> {
    await this.#client.end();
  }
}

/** A plain session of a role that may log in. */
export async function connect(database: TestDatabase, role = 'postgres'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url(role) });
  await client.connect();
  return client;
}

/** The code of the error that a call fails with, as PostgREST would answer it; 'ok' when it succeeds. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    return code === 'PGRST' ? (JSON.parse(message) as { code: string }).code : `${code}: ${message}`;
  }
}

/** Settles once so many other sessions wait for a lock; says so when that never happens. */
export async function untilSomebodyWaits(observer: pg.Client, waiting = 1, deadlineMs = 5000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (Date.now() < end) {
    const { rows } = await observer.query('select distinct pid from pg_locks where not granted');
    if (rows.length >= waiting) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${deadlineMs} ms for ${waiting} sessions that wait for a lock`);
}
