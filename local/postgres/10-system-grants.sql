-- Owners and grants of the tables and functions that Auth and Storage made for themselves.

do $$
declare
  target record;
  item record;
begin
  for target in
    select *
    from (values ('auth', 'supabase_auth_admin'), ('storage', 'supabase_storage_admin')) as services (schema_name, owner_name)
  loop
    for item in
      select c.relname, c.relkind, c.relrowsecurity
      from pg_catalog.pg_class c
      where c.relnamespace = target.schema_name::regnamespace and c.relkind in ('r', 'p', 'v', 'm')
    loop
      execute format('alter table %I.%I owner to %I', target.schema_name, item.relname, target.owner_name);
      if item.relkind in ('r', 'p') and not item.relrowsecurity then
        execute format('alter table %I.%I enable row level security', target.schema_name, item.relname);
      end if;
    end loop;
    for item in
      select p.oid::regprocedure::text as signature
      from pg_catalog.pg_proc p
      where p.pronamespace = target.schema_name::regnamespace and p.prokind = 'f'
    loop
      execute format('alter function %s owner to %I', item.signature, target.owner_name);
    end loop;
    for item in
      select t.typname
      from pg_catalog.pg_type t
      where t.typnamespace = target.schema_name::regnamespace and t.typtype in ('e', 'd')
    loop
      execute format('alter type %I.%I owner to %I', target.schema_name, item.typname, target.owner_name);
    end loop;
  end loop;
end
$$;

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
