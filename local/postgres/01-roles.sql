-- Roles of a hosted Supabase project, with its attributes, memberships and settings. The database superuser is
-- supabase_admin (made by initdb); `postgres`, as whom migrations run, is none.

do $$
declare
  wanted record;
begin
  for wanted in
    select *
    from (
      values
        ('anon', 'nologin inherit'),
        ('authenticated', 'nologin inherit'),
        ('service_role', 'nologin inherit bypassrls'),
        ('authenticator', 'login noinherit'),
        ('postgres', 'login inherit nosuperuser createdb createrole replication bypassrls'),
        ('dashboard_user', 'nologin nosuperuser createdb createrole replication'),
        ('pgbouncer', 'login'),
        ('supabase_auth_admin', 'login noinherit noreplication'),
        ('supabase_storage_admin', 'login noinherit createrole noreplication'),
        ('supabase_realtime_admin', 'nologin noinherit noreplication'),
        ('supabase_functions_admin', 'login noinherit createrole noreplication'),
        ('supabase_replication_admin', 'login replication'),
        ('supabase_read_only_user', 'login bypassrls')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I', wanted.name);
      -- Given by bootstrap.ts for this transaction: the data folder's own.
      execute format('alter role %I with %s password %L', wanted.name, wanted.attributes, current_setting('stark.role_password'));
    end if;
  end loop;
end
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant authenticator to supabase_storage_admin;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
grant pg_read_all_data to supabase_read_only_user;
grant execute on function pg_catalog.pg_reload_conf() to postgres;
-- Hosted, supautils keeps this role from being dropped; here it is that something depends on it.
grant connect on database postgres to authenticator;

-- What `postgres` may set for itself and for the roles it administers although it is no superuser. Hosted, supautils
-- allows pgrst.* as a whole; Postgres knows no wildcards, so here stand the settings that PostgREST reads.
do $$
declare
  parameter text;
begin
  foreach parameter in array array[
    'auto_explain.log_min_duration', 'auto_explain.log_nested_statements', 'log_lock_waits', 'log_min_messages',
    'pg_net.batch_size', 'pg_net.ttl', 'safeupdate.enabled', 'session_replication_role', 'track_io_timing',
    'pgrst.db_aggregates_enabled', 'pgrst.db_anon_role', 'pgrst.db_extra_search_path', 'pgrst.db_hoisted_tx_settings',
    'pgrst.db_max_rows', 'pgrst.db_plan_enabled', 'pgrst.db_pre_config', 'pgrst.db_pre_request',
    'pgrst.db_prepared_statements', 'pgrst.db_root_spec', 'pgrst.db_schemas', 'pgrst.db_tx_end', 'pgrst.jwt_aud',
    'pgrst.jwt_cache_max_lifetime', 'pgrst.jwt_role_claim_key', 'pgrst.jwt_secret', 'pgrst.jwt_secret_is_base64',
    'pgrst.openapi_mode', 'pgrst.openapi_security_active', 'pgrst.openapi_server_proxy_uri',
    'pgrst.server_cors_allowed_origins', 'pgrst.server_timing_enabled', 'pgrst.server_trace_header'
  ] loop
    execute format('grant set on parameter %s to postgres', parameter);
  end loop;
end
$$;

-- A role that came with Postgres 16.
do $$
begin
  if exists (select from pg_catalog.pg_roles where rolname = 'pg_create_subscription') then
    grant pg_create_subscription to postgres;
  end if;
end
$$;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_read_only_user set default_transaction_read_only = on;
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;

-- What PostgREST adds for the API roles stands here for every role that has no path of its own.
alter database postgres set search_path = "$user", public, extensions;
alter database postgres owner to postgres;
grant all on database postgres to dashboard_user;
