-- Schemas with the owners and grants of a hosted project. `postgres` may look into the platform's schemas and make
-- nothing there: that alone refuses most of what hosted Supabase refuses.

create schema if not exists extensions;
create schema if not exists auth;
create schema if not exists storage;
create schema if not exists realtime;
create schema if not exists graphql_public;

-- The Realtime and Storage services run their own migrations as the roles that own their tables.
grant all on schema auth to supabase_auth_admin;
grant all on schema storage to supabase_storage_admin;
grant all on schema realtime to supabase_realtime_admin;
grant all on schema auth, extensions, storage to dashboard_user;

revoke create on schema auth, storage, realtime from postgres;
grant usage on schema auth to postgres, anon, authenticated, service_role;
grant usage on schema storage to anon, authenticated, service_role;
grant usage on schema storage to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role;
grant usage on schema realtime to postgres with grant option;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
grant all on schema extensions to postgres with grant option;
grant usage on schema extensions to anon, authenticated, service_role;

grant usage on schema public to postgres, anon, authenticated, service_role;

do $$
declare
  owner_name text;
  target record;
begin
  -- What the platform (as supabase_admin) makes in public, or anybody in the schema of the GraphQL entry, is open to
  -- the API roles.
  foreach owner_name in array array['postgres', 'supabase_admin'] loop
    for target in select unnest(array['tables', 'functions', 'sequences']) as kind loop
      execute format(
        'alter default privileges for role %I in schema public, graphql_public grant all on %s to postgres, anon, authenticated, service_role',
        owner_name,
        target.kind
      );
    end loop;
  end loop;

  for target in
    select *
    from (
      values
        ('supabase_auth_admin', 'auth', 'postgres, dashboard_user'),
        ('supabase_admin', 'realtime', 'postgres, dashboard_user'),
        ('postgres', 'storage', 'postgres, anon, authenticated, service_role'),
        ('supabase_admin', 'extensions', 'postgres with grant option')
    ) as defaults (owner_name, schema_name, grantees)
  loop
    execute format(
      'alter default privileges for role %1$I in schema %2$I grant all on tables to %3$s;
       alter default privileges for role %1$I in schema %2$I grant all on sequences to %3$s;
       alter default privileges for role %1$I in schema %2$I grant all on routines to %3$s',
      target.owner_name,
      target.schema_name,
      target.grantees
    );
  end loop;
end
$$;

-- What migrations (as postgres) make in public needs a grant before the API sees it, in new projects and since October
-- 2026 in all. Hosted, only these rights are taken from the default; truncate and the like stay, and mean nothing to
-- PostgREST.
alter default privileges for role postgres in schema public
  revoke select, insert, update, delete on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke usage, select on sequences from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke execute on functions from anon, authenticated, service_role;

do $$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    alter publication supabase_realtime owner to postgres;
  end if;
end
$$;

-- pg_graphql does not exist here; hosted projects without it answer in these words.
create or replace function graphql_public.graphql(
  "operationName" text default null,
  query text default null,
  variables jsonb default null,
  extensions jsonb default null
)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select '{"errors": [{"message": "pg_graphql extension is not enabled."}]}'::jsonb
$$;
