import type { Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrapGrants, bootstrapPlatform } from '../src/postgres/bootstrap.js';
import { makeSystemSchemas, startTestCluster, type TestCluster } from './postgres-support.js';

let test: TestCluster;
let owner: Sql;

class Undo extends Error {}

/** Runs statements as `postgres` in a transaction that is always rolled back. */
async function tryOut(statements: string): Promise<void> {
  await owner
    .begin(async (transaction) => {
      await transaction.unsafe(statements);
      throw new Undo();
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undo)) throw error;
    });
}

beforeAll(async () => {
  test = await startTestCluster({ system: true });
  owner = test.as('postgres');
  await test.as('supabase_admin').unsafe(`
    create table realtime.messages (id bigint generated always as identity primary key, topic text, extension text);
    alter table realtime.messages enable row level security;
    alter table realtime.messages owner to supabase_realtime_admin;
    grant all on realtime.messages to postgres;
  `);
  await owner.unsafe('create extension pg_cron; create extension pg_net with schema extensions');
});

afterAll(() => test.stop());

describe('the roles of a hosted project', () => {
  it.each([
    ['anon', { rolcanlogin: false, rolbypassrls: false, rolinherit: true }],
    ['authenticated', { rolcanlogin: false, rolbypassrls: false, rolinherit: true }],
    ['service_role', { rolcanlogin: false, rolbypassrls: true, rolinherit: true }],
    ['authenticator', { rolcanlogin: true, rolbypassrls: false, rolinherit: false, rolcreaterole: false }],
    ['postgres', { rolsuper: false, rolcreatedb: true, rolcreaterole: true, rolreplication: true, rolbypassrls: true }],
    ['supabase_admin', { rolsuper: true, rolcanlogin: true }],
    ['supabase_auth_admin', { rolsuper: false, rolcanlogin: true, rolinherit: false, rolcreaterole: false }],
    ['supabase_storage_admin', { rolsuper: false, rolcanlogin: true, rolinherit: false }],
    ['supabase_realtime_admin', { rolsuper: false, rolcanlogin: false, rolinherit: false }],
    ['supabase_replication_admin', { rolcanlogin: true, rolreplication: true }],
    ['supabase_read_only_user', { rolcanlogin: true, rolbypassrls: true }],
    ['dashboard_user', { rolcanlogin: false, rolcreatedb: true, rolcreaterole: true }],
    ['pgbouncer', { rolcanlogin: true, rolsuper: false }],
  ])('%s', async (name, attributes) => {
    const [role] = await owner`select * from pg_roles where rolname = ${name}`;
    expect(role).toMatchObject(attributes);
  });

  it('let authenticator become the API roles only', async () => {
    const rows = await owner`
      select rolname from pg_roles where pg_has_role('authenticator', oid, 'set') and rolname <> 'authenticator'
      order by 1
    `;
    expect(rows.map(({ rolname }) => rolname)).toEqual(['anon', 'authenticated', 'service_role']);
  });

  it('have their time limits and paths', async () => {
    const [{ config } = { config: [] }] = await owner`
      select array_agg(rolname || ' ' || setting order by 1) as config
      from pg_roles, unnest(rolconfig) as setting
      where setting like 'statement_timeout%'
    `;
    expect(config).toEqual([
      'anon statement_timeout=3s',
      'authenticated statement_timeout=8s',
      'authenticator statement_timeout=8s',
    ]);
    expect(await owner`show search_path`).toEqual([{ search_path: '"$user", public, extensions' }]);
  });

  it('open to the API nothing that postgres makes, in public or elsewhere', async () => {
    await owner.unsafe(`
      create table public.made (n serial); create function public.made() returns int language sql as 'select 1';
      create schema own; create table own.made (n serial);`);
    const rows = await owner`
      select r.role, p.right
      from unnest(array['anon', 'authenticated', 'service_role']) as r (role),
        unnest(array['select', 'insert', 'update', 'delete']) as p ("right")
      where has_table_privilege(r.role, 'public.made', p.right) or has_table_privilege(r.role, 'own.made', p.right)
        or has_sequence_privilege(r.role, 'public.made_n_seq', 'usage, select')
        or has_schema_privilege(r.role, 'own', 'usage')
        -- Postgres itself lets everybody call a new function, hosted too.
        or not has_function_privilege(r.role, 'public.made()', 'execute')
    `;
    expect(rows).toEqual([]);
    await owner.unsafe('drop table public.made; drop function public.made; drop schema own cascade');
  });

  it('have two minutes for a statement when nothing shorter was set', async () => {
    expect(await owner`show statement_timeout`).toEqual([{ statement_timeout: '2min' }]);
  });
});

describe('the tables of Auth and Storage', () => {
  it('belong to their services, with row level security', async () => {
    const rows = await owner`
      select n.nspname as schema, pg_get_userbyid(c.relowner) as owner, bool_and(c.relrowsecurity) as secured
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('auth', 'storage') and c.relkind = 'r'
      group by 1, 2
      order by 1
    `;
    expect(rows).toEqual([
      { schema: 'auth', owner: 'supabase_auth_admin', secured: true },
      { schema: 'storage', owner: 'supabase_storage_admin', secured: true },
    ]);
  });

  it('are closed to the API where a hosted project closes them', async () => {
    const [rights] = await owner`
      select
        has_table_privilege('anon', 'auth.users', 'select') as anon_users,
        has_table_privilege('service_role', 'auth.users', 'select') as service_users,
        has_table_privilege('anon', 'storage.objects', 'select') as anon_objects,
        has_schema_privilege('authenticated', 'auth', 'usage') as auth,
        has_function_privilege('anon', 'auth.uid()', 'execute') as uid
    `;
    expect(rights).toEqual({ anon_users: false, service_users: false, anon_objects: true, auth: true, uid: true });
  });

  it('let the migration history be kept by postgres', async () => {
    await tryOut("insert into supabase_migrations.schema_migrations (version) values ('1')");
  });

  it('stay as they are when everything is applied again', async () => {
    await bootstrapPlatform(test.cluster);
    await makeSystemSchemas(test.cluster);
    await bootstrapGrants(test.cluster);
    const [row] =
      await owner`select pg_get_userbyid(relowner) as owner from pg_class where oid = 'auth.users'::regclass`;
    expect(row).toEqual({ owner: 'supabase_auth_admin' });
  });
});

describe('who asks', () => {
  const claims = { sub: '7c4d6c2e-2a3b-4e4f-9a55-0c4a6f8f2f11', role: 'authenticated', email: 'a@example.com' };

  it('is read from request.jwt.claims', async () => {
    const rows = await owner.begin(async (sql) => {
      await sql`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
      await sql`set local role authenticated`;
      return sql`select auth.uid(), auth.role(), auth.email(), auth.jwt()`;
    });
    expect(rows).toEqual([{ uid: claims.sub, role: claims.role, email: claims.email, jwt: claims }]);
  });

  it('is read from one setting a claim', async () => {
    const rows = await owner.begin(async (sql) => {
      await sql`select set_config('request.jwt.claim.sub', ${claims.sub}, true)`;
      return sql`select auth.uid()`;
    });
    expect(rows).toEqual([{ uid: claims.sub }]);
  });

  it('is nobody without either', async () => {
    expect(await owner`select auth.uid(), auth.jwt()`).toEqual([{ uid: null, jwt: null }]);
  });
});

describe('a migration that a hosted project refuses is refused', () => {
  it.each([
    ['create table auth.mine (n integer)', '42501'],
    ['create table storage.mine (n integer)', '42501'],
    ['create table realtime.mine (n integer)', '42501'],
    ['create table vault.mine (n integer)', '42501'],
    ['create table cron.mine (n integer)', '42501'],
    ['create table net.mine (n integer)', '42501'],
    ['create function auth.mine() returns integer language sql as $$ select 1 $$', '42501'],
    ['create or replace function auth.uid() returns uuid language sql as $$ select null::uuid $$', '42501'],
    [
      'create or replace function storage.foldername(name text) returns text[] language sql as $$ select null::text[] $$',
      '42501',
    ],
    ['create view auth.mine as select 1', '42501'],
    ['create type realtime.mine as enum ()', '42501'],
    ['alter table auth.users add column mine text', '42501'],
    ['alter table storage.objects add column mine text', '42501'],
    ['alter table storage.objects disable row level security', '42501'],
    ['alter table storage.objects owner to postgres', '42501'],
    ['alter table realtime.messages add column mine text', '42501'],
    ['create index on auth.users (created_at)', '42501'],
    ['create index on storage.objects (version)', '42501'],
    ["comment on table auth.users is 'mine'", '42501'],
    ["comment on column auth.users.email is 'mine'", '42501'],
    ["comment on function auth.uid() is 'mine'", '42501'],
    ['drop table auth.users cascade', '42501'],
    ['drop function auth.uid()', '42501'],
    ['drop schema auth cascade', '42501'],
    ['drop schema storage cascade', '42501'],
    ['drop schema extensions cascade', '42501'],
    ['alter schema auth rename to mine', '42501'],
    ['alter function auth.uid() owner to postgres', '42501'],
    ['set role supabase_admin', '42501'],
    ['set role supabase_auth_admin', '42501'],
    ['set role supabase_storage_admin', '42501'],
    ['set session authorization supabase_admin', '42501'],
    ['grant supabase_auth_admin to postgres', '42501'],
    ['grant supabase_storage_admin to authenticated', '42501'],
    ['grant pg_read_server_files to postgres', '42501'],
    ['grant pg_execute_server_program to postgres', '42501'],
    ['create role mine superuser', '42501'],
    ['alter role postgres superuser', '42501'],
    ['alter role anon superuser', '42501'],
    ['alter role supabase_admin nologin', '42501'],
    ["alter role supabase_auth_admin password 'mine'", '42501'],
    ['drop role supabase_auth_admin', '42501'],
    ['drop role supabase_admin', '42501'],
    ['drop role authenticator', '2BP01'],
    ['drop role anon', '2BP01'],
    ['drop role service_role', '2BP01'],
    ['alter system set max_connections = 10', '25001'],
    ['set log_statement = "all"', '42501'],
    ["copy (select 1) to program 'true'", '42501'],
    ["copy auth.users to '/tmp/users'", '42501'],
    ["select pg_read_file('vault.key')", '42501'],
    ["select pg_read_file('postgresql.conf')", '42501'],
    ["select lo_import('/etc/passwd')", '42501'],
    ['create extension file_fdw', '42501'],
    ['create extension adminpack', '0A000'],
    ['create extension pageinspect', '42501'],
    ['create extension plperlu', '42501'],
    ['create extension plpython3u', '42501'],
    ['create language plpython3u', '42501'],
    ["create function mine() returns integer language c as 'libc', 'abs'", '42501'],
    ["create function mine() returns integer language internal as 'int4abs'", '42501'],
    [
      'insert into cron.job (schedule, command, username) values ($$* * * * *$$, $$select 1$$, $$supabase_admin$$)',
      '42501',
    ],
    ['update cron.job set username = $$supabase_admin$$', '42501'],
    ['create trigger mine after insert on cron.job_run_details execute function cron.job_cache_invalidate()', '42501'],
    ["insert into vault.secrets (secret) values ('mine')", '42501'],
    ['truncate vault.secrets', '42501'],
    ['alter view vault.decrypted_secrets rename to mine', '42501'],
    ['select extensions.platform_lend_ownership()', '0A000'],
    ['drop event trigger platform_2_lend_ownership', '42501'],
    ['alter event trigger platform_4_return_ownership disable', '42501'],
    ['drop function extensions.platform_lend_ownership() cascade', '42501'],
    [
      'create or replace function extensions.platform_return_ownership() returns event_trigger language plpgsql as $$ begin end $$',
      '42501',
    ],
    ['create tablespace mine location $$/tmp$$', '25001'],
    ['checkpoint', '42501'],
    ["alter database postgres set app.mine = 'x'", '42501'],
  ])('%s', async (statement, code) => {
    await expect(tryOut(statement)).rejects.toMatchObject({ code });
  });

  it('a grant on a table of Auth changes nothing, with a warning', async () => {
    await tryOut(`
      do $$
      begin
        grant select on auth.users to anon;
        assert not has_table_privilege('anon', 'auth.users', 'select');
        grant usage on schema auth to anon;
      end
      $$
    `);
  });

  it('a policy command leaves no ownership behind, whether it succeeds or fails', async () => {
    const owned = () => owner`
      select rolname from pg_roles
      where rolname ~ '^supabase_.*_admin$' and pg_has_role('postgres', oid, 'member')
    `;
    await expect(tryOut('create policy p on storage.objects using (no_such_column)')).rejects.toMatchObject({
      code: '42703',
    });
    expect(await owned()).toEqual([]);
    await tryOut(`
      create policy p on storage.objects using (true);
      do $$
      begin
        assert not pg_has_role('postgres', 'supabase_storage_admin', 'member');
      end
      $$
    `);
    await owner.begin(async (transaction) => {
      await transaction
        .savepoint(async (inner) => {
          await inner.unsafe('create policy p on auth.users using (true)');
          throw new Undo();
        })
        .catch(() => {});
    });
    expect(await owned()).toEqual([]);
  });
});

// Roles are no objects of a database, so no event trigger sees them; Postgres itself lets a role that may grant another also
// change it. Hosted projects refuse these. `alter role anon set …` and `grant anon to …`, which they allow, need the
// same right, so they stay.
it.each(['alter role anon login', 'alter role authenticator nologin', 'create role mine; grant authenticator to mine'])(
  'a change of an API role is not refused, unlike on a hosted project: %s',
  async (statement) => {
    await tryOut(statement);
  },
);

describe('a migration that a hosted project accepts is accepted', () => {
  it.each([
    'create policy mine on storage.objects for select to authenticated using (owner = auth.uid())',
    'create policy mine on storage.buckets for select using (true)',
    'create policy mine on realtime.messages for insert to authenticated with check (true)',
    'create policy mine on auth.users using (id = auth.uid())',
    'create policy mine on storage.objects using (true); alter policy mine on storage.objects using (false); alter policy mine on storage.objects rename to yours; comment on policy yours on storage.objects is $$why$$; drop policy yours on storage.objects',
    'drop policy if exists none on storage.objects',
    `create function public.mine() returns trigger language plpgsql as $$ begin return new; end $$;
     create trigger mine after insert on auth.users for each row execute function public.mine();
     drop trigger mine on auth.users;
     create trigger mine before update on storage.objects for each row execute function public.mine()`,
    'create table public.profiles (id uuid primary key references auth.users (id) on delete cascade)',
    'create table public.files (object uuid references storage.objects (id))',
    'insert into auth.users (id, email) values (gen_random_uuid(), $$a@b.c$$); delete from auth.users',
    "insert into storage.buckets (id, name) values ('mine', 'mine'); update storage.buckets set public = true",
    'grant select on storage.objects to authenticated',
    'create schema mine; create table mine.things (n integer); grant usage on schema mine to anon',
    'create role mine nologin; grant mine to authenticator; grant anon to mine; drop role mine',
    "alter role anon set statement_timeout = '5s'; alter role authenticator set lock_timeout = '5s'",
    "alter role authenticator set pgrst.db_max_rows = '5'; alter role authenticator in database postgres set pgrst.jwt_aud = 'x'",
    'alter role authenticator reset pgrst.db_schemas; set local role authenticator',
    "set local session_replication_role = 'replica'; set local log_lock_waits = on; set local track_io_timing = on",
    'select pg_reload_conf()',
    'create table public.told (n integer primary key); alter publication supabase_realtime add table public.told',
    'drop extension pg_cron; create extension pg_cron; create extension if not exists pg_cron with schema pg_catalog',
    'drop extension pg_cron; create extension pg_cron with schema extensions',
    'drop extension pg_net; create extension pg_net',
    'create extension pgtap with schema extensions; select extensions.plan(1); select extensions.ok(true)',
    'create extension if not exists pgcrypto; create extension if not exists "uuid-ossp"',
    'create extension citext; create extension hstore; create extension pg_trgm; create extension unaccent; create extension ltree; create extension btree_gist; create extension moddatetime; create extension tablefunc; create extension intarray',
    'create extension dblink; create extension postgres_fdw; create extension pg_walinspect; create extension pgstattuple',
    "select cron.schedule('mine', '* * * * *', 'select 1'); select cron.unschedule('mine')",
    "select net.http_post('http://127.0.0.1:1/')",
    "select vault.create_secret('s', 'mine'); select * from vault.decrypted_secrets; delete from vault.secrets",
    'create function public.mine() returns uuid language sql security definer set search_path = $$$$ as $$ select auth.uid() $$',
    "select extensions.digest('a', 'sha256'), extensions.uuid_generate_v4(), digest('a', 'sha256')",
    'comment on schema public is $$mine$$; alter schema public owner to postgres',
    'set local role anon; select auth.uid()',
    'set role service_role; select * from storage.objects; reset role',
    'select * from pg_stat_activity',
    "notify pgrst, 'reload schema'",
  ])('%s', async (statement) => {
    await tryOut(statement);
  });
});
