-- Roles that hosted Supabase has before Realtime comes. The local stack makes them first and with passwords; these lines
-- let the server run on a bare Postgres too, and change nothing where the roles exist.
do $roles$
declare
  wanted record;
begin
  for wanted in
    select *
    from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit'),
      ('postgres', 'login createdb createrole replication bypassrls'),
      ('supabase_realtime_admin', 'nologin noinherit')
    ) as roles (name, attributes)
  loop
    if not exists (select from pg_catalog.pg_roles where rolname = wanted.name) then
      execute format('create role %I with %s', wanted.name, wanted.attributes);
    end if;
  end loop;

  -- Hosted Supabase lets `postgres` write policies on realtime.messages through its supautils extension. Plain Postgres
  -- asks for ownership, and membership of the owning role is the nearest thing to it.
  if not pg_catalog.pg_has_role('postgres', 'supabase_realtime_admin', 'member') then
    grant supabase_realtime_admin to postgres;
  end if;

  grant anon, authenticated, service_role to authenticator;
end
$roles$;
