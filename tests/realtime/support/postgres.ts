import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import type { PostgresCluster } from '../../../local/dist/postgres/cluster.js';
import { startTestCluster } from '../../../scripts/db/test-cluster.mjs';

const platform = (password: string) => `
  create role postgres login createdb createrole replication bypassrls password '${password}';
  create role anon nologin noinherit;
  create role authenticated nologin noinherit;
  create role service_role nologin noinherit bypassrls;
  create role authenticator login noinherit password '${password}';
  create role supabase_realtime_admin nologin noinherit;
  grant anon, authenticated, service_role to authenticator, postgres;
  grant usage on schema public to anon, authenticated, service_role;
  grant create on schema public to postgres;
  create schema auth;
  grant usage on schema auth to anon, authenticated, service_role;
  create function auth.jwt() returns jsonb language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim', true), ''),
                    nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$;
  create function auth.uid() returns uuid language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
  create function auth.role() returns text language sql stable as $$
    select coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
                    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role') $$;
`;

/** A Postgres in a temporary folder; its superuser is supabase_admin, as on the platform. */
export class TestPostgres {
  readonly #server: PostgresCluster;
  readonly #folder: string;
  readonly #pools = new Set<postgres.Sql>();

  private constructor(server: PostgresCluster, folder: string) {
    this.#server = server;
    this.#folder = folder;
  }

  /** Starts a cluster; `roles: false` leaves out the platform's roles and the auth helpers. */
  static async start({ roles = true }: { roles?: boolean } = {}): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'stark-realtime-'));
    const server = await startTestCluster(join(folder, 'data'));
    const cluster = new TestPostgres(server, folder);
    if (roles) await cluster.sql().unsafe(platform(new URL(server.url()).password));
    return cluster;
  }

  /** Connection string of the bootstrap superuser, or of another of the roles above. */
  url(role = 'supabase_admin'): string {
    return this.#server.url(role);
  }

  /** A small pool that is closed with the cluster. */
  sql(role = 'supabase_admin', onnotice: (notice: postgres.Notice) => void = () => {}): postgres.Sql {
    const pool = postgres(this.url(role), { max: 3, onnotice });
    this.#pools.add(pool);
    return pool;
  }

  /** Stops the server; `resume` starts it again on the same data. */
  async halt(): Promise<void> {
    await this.#server.stop();
  }

  async resume(): Promise<void> {
    await this.#server.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.end({ timeout: 1 })));
    await this.#server.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
