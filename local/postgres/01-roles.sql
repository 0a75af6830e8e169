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
grant anon, authenticated, service_role to postgres with admin option;
grant authenticator to supabase_storage_admin;
grant pg_monitor, pg_read_all_data, pg_signal_backend, pg_create_subscription to postgres;
grant pg_read_all_data to supabase_read_only_user;

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
