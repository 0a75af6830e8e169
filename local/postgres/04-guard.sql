-- On a hosted project `postgres` owns no table of Auth, Storage or Realtime, and an extension of the server (supautils)
-- lets it manage their policies and drop their triggers all the same. Here two event triggers do that: for the length
-- of one such command `postgres` inherits the owners, and what the command touched is checked before it ends. All
-- other DDL there is refused by Postgres itself, in the words a hosted project uses.

/** The first trigger runs as the caller, so it knows who that is; the second, as superuser, acts on it. */
create or replace function extensions.platform_note_caller()
returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  perform pg_catalog.set_config('platform.caller', current_user::text, true);
end
$$;

create or replace function extensions.platform_lend_ownership()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if pg_catalog.current_setting('platform.caller', true) = 'postgres' then
    -- Postgres 15 knows no options of a membership: there the role's own attribute makes it inherit.
    execute 'grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin to postgres'
      || case when pg_catalog.current_setting('server_version_num')::integer >= 160000 then ' with inherit true, set false' else '' end;
  end if;
end
$$;

/** A drop is seen while it happens, everything else after the command. */
create or replace function extensions.platform_check_drop()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  dropped record;
begin
  if pg_catalog.current_setting('platform.caller', true) is distinct from 'postgres' then
    return;
  end if;
  for dropped in
    select d.object_type, d.address_names, pg_catalog.pg_get_userbyid(c.relowner) as owner_name, c.relname
    from pg_catalog.pg_event_trigger_dropped_objects() d
    join pg_catalog.pg_namespace n on n.nspname = d.address_names[1]
    join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = d.address_names[2]
    where d.original and d.object_type in ('policy', 'trigger')
  loop
    if dropped.owner_name in ('supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin')
      and dropped.relname in ('migrations', 'schema_migrations')
    then
      raise exception 'must be owner of relation %', dropped.relname using errcode = 'insufficient_privilege';
    end if;
  end loop;
end
$$;

create or replace function extensions.platform_return_ownership()
returns event_trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  touched record;
begin
  if pg_catalog.current_setting('platform.caller', true) is distinct from 'postgres' then
    return;
  end if;
  revoke supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin from postgres;
  for touched in
    select
      d.object_type,
      coalesce(c.relname::text, d.object_identity) as object_name,
      pg_catalog.pg_get_userbyid(coalesce(c.relowner, t.relowner, f.proowner, y.typowner)) as owner_name
    from pg_catalog.pg_event_trigger_ddl_commands() d
    left join pg_catalog.pg_policy p on d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass and p.oid = d.objid
    left join pg_catalog.pg_class c on c.oid = p.polrelid
    left join pg_catalog.pg_trigger g on d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass and g.oid = d.objid
    left join pg_catalog.pg_class t
      on t.oid = coalesce(
        g.tgrelid,
        (
          select k.conrelid
          from pg_catalog.pg_constraint k
          where d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass and k.oid = d.objid
        ),
        case when d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass then d.objid end
      )
    left join pg_catalog.pg_proc f on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and f.oid = d.objid
    left join pg_catalog.pg_type y on d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and y.oid = d.objid
  loop
    if touched.owner_name in ('supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin')
      and (touched.object_type <> 'policy' or touched.object_name in ('migrations', 'schema_migrations'))
    then
      raise exception 'must be owner of % %', touched.object_type, touched.object_name
      using errcode = 'insufficient_privilege';
    end if;
  end loop;
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'platform_1_note_caller') then
    create event trigger platform_1_note_caller on ddl_command_start
    when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER', 'COMMENT')
    execute function extensions.platform_note_caller();

    create event trigger platform_2_lend_ownership on ddl_command_start
    when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER', 'COMMENT')
    execute function extensions.platform_lend_ownership();

    create event trigger platform_3_check_drop on sql_drop
    when tag in ('DROP POLICY', 'DROP TRIGGER')
    execute function extensions.platform_check_drop();

    create event trigger platform_4_return_ownership on ddl_command_end
    when tag in ('CREATE POLICY', 'ALTER POLICY', 'DROP POLICY', 'DROP TRIGGER', 'COMMENT')
    execute function extensions.platform_return_ownership();
  end if;
end
$$;

-- PostgREST's cue to read the schema again, as on a hosted project.
create or replace function extensions.pgrst_ddl_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select
    from pg_catalog.pg_event_trigger_ddl_commands() d
    where d.schema_name is distinct from 'pg_temp'
      and d.command_tag in (
        'CREATE SCHEMA', 'ALTER SCHEMA', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
        'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'CREATE VIEW', 'ALTER VIEW', 'CREATE MATERIALIZED VIEW',
        'ALTER MATERIALIZED VIEW', 'CREATE FUNCTION', 'ALTER FUNCTION', 'CREATE TRIGGER', 'CREATE TYPE', 'ALTER TYPE',
        'CREATE RULE', 'COMMENT'
      )
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

create or replace function extensions.pgrst_drop_watch()
returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select
    from pg_catalog.pg_event_trigger_dropped_objects() d
    where not d.is_temporary
      and d.object_type in (
        'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger', 'type', 'rule'
      )
  ) then
    notify pgrst, 'reload schema';
  end if;
end
$$;

do $$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'pgrst_ddl_watch') then
    create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
    create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
  end if;
end
$$;
