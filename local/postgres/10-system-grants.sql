-- Owners and grants of what Auth, Storage and the migration history made for themselves.

do $$
declare
  service record;
  item record;
begin
  for service in
    select *
    from (
      values
        ('auth', 'supabase_auth_admin'),
        ('storage', 'supabase_storage_admin'),
        ('supabase_migrations', 'postgres')
    ) as services (schema_name, owner_name)
    where pg_catalog.to_regnamespace(schema_name) is not null
  loop
    for item in
      select
        format(
          'alter %s %I.%I owner to %I',
          case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end,
          service.schema_name,
          c.relname,
          service.owner_name
        ) as command
      from pg_catalog.pg_class c
      where c.relnamespace = service.schema_name::regnamespace
        and c.relkind in ('r', 'p', 'v', 'm', 'S')
        and pg_catalog.pg_get_userbyid(c.relowner) <> service.owner_name
        -- A serial column's sequence goes with its table.
        and not exists (
          select
          from pg_catalog.pg_depend d
          where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and c.relkind = 'S'
        )
      union all
      select format('alter routine %s owner to %I', p.oid::regprocedure, service.owner_name)
      from pg_catalog.pg_proc p
      where p.pronamespace = service.schema_name::regnamespace
        and pg_catalog.pg_get_userbyid(p.proowner) <> service.owner_name
      union all
      select format('alter type %I.%I owner to %I', service.schema_name, t.typname, service.owner_name)
      from pg_catalog.pg_type t
      where t.typnamespace = service.schema_name::regnamespace
        and t.typtype in ('e', 'd')
        and pg_catalog.pg_get_userbyid(t.typowner) <> service.owner_name
      union all
      -- Without a policy nobody but the owner and roles that bypass RLS sees a row, whatever the grants say.
      select format('alter table %I.%I enable row level security', service.schema_name, c.relname)
      from pg_catalog.pg_class c
      where c.relnamespace = service.schema_name::regnamespace
        and c.relkind in ('r', 'p')
        and not c.relrowsecurity
        and service.schema_name in ('auth', 'storage')
    loop
      execute item.command;
    end loop;
  end loop;

  if to_regnamespace('supabase_migrations') is not null then
    alter schema supabase_migrations owner to postgres;
  end if;
  -- postgres may work with these rows; what nobody but the service may touch is taken back.
  grant all on all tables in schema auth to postgres, dashboard_user;
  grant all on all sequences in schema auth to postgres, dashboard_user;
  grant all on all routines in schema auth to postgres, dashboard_user;
  grant all on all tables in schema storage to anon, authenticated, service_role;
  grant all on all tables in schema storage to postgres with grant option;
  grant all on all sequences in schema storage to dashboard_user;
  grant all on all routines in schema storage to postgres, dashboard_user;
  for item in
    select format('revoke all on table %s from anon, authenticated, service_role, postgres, dashboard_user', name) as command
    from unnest(array['auth.schema_migrations', 'storage.migrations']) as name
    where to_regclass(name) is not null
  loop
    execute item.command;
  end loop;
end
$$;

-- Who asks, by the settings PostgREST and Realtime make for each request: today's (one JSON text) and the older ones
-- (one setting a claim), as on a hosted project.

create or replace function auth.jwt()
returns jsonb
language sql
stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;

create or replace function auth.uid()
returns uuid
language sql
stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;

create or replace function auth.role()
returns text
language sql
stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;

create or replace function auth.email()
returns text
language sql
stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;

do $$
declare
  signature text;
begin
  foreach signature in array array['auth.jwt()', 'auth.uid()', 'auth.role()', 'auth.email()'] loop
    execute format('alter function %s owner to supabase_auth_admin', signature);
    execute format('grant execute on function %s to public', signature);
  end loop;
end
$$;
