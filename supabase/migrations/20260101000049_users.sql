-- Users: how they follow Supabase Auth, and as an admin sees them: listing, adding, disabling. Passwords and sessions are Supabase Auth's; what stands here is who
-- may have an account and whether it counts.

/**
 * stark.list_users() -> one row for each user: id, email, display_name, disabled_at, created_at, last_sign_in_at and roles
 * [{role, namespace}]. Caller: users:get (admin, operator). PostgREST filters, orders and pages it like a table:
 *   GET /rpc/list_users?email=like.*@example.com&order=created_at
 * Raises: UNAUTHENTICATED, USER_DISABLED, FORBIDDEN.
 */
create function stark.list_users()
returns table (id uuid, email text, display_name text, disabled_at timestamptz, created_at timestamptz, last_sign_in_at timestamptz, roles jsonb)
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_permission('users:get');
  return query
    select p.id, p.email, p.display_name, p.disabled_at, p.created_at, u.last_sign_in_at,
           coalesce((
             select jsonb_agg(jsonb_build_object('role', b.role, 'namespace', b.namespace) order by b.namespace nulls first, b.role)
             from stark.role_bindings b where b.user_id = p.id), '[]')
    from stark.profiles p join auth.users u on u.id = p.id
    order by p.created_at, p.id;
end;
$$;
comment on function stark.list_users() is 'Every user with their roles, whether disabled, and when they last signed in.';
revoke all on function stark.list_users() from public, anon;
grant execute on function stark.list_users() to authenticated, service_role;

/**
 * stark.admit_user(email, role, namespace, display_name) -> {user_id, email}: first half of adding a user, open or closed
 * registration alike. Supabase Auth makes the user under exactly this id (its admin API, which wants the secret key: route
 * POST /auth/users of Edge Function `api` does both), and the user then has the role from the first moment.
 * Caller: users:create (admin), and who may give the role. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, EMAIL_TAKEN, ROLE_NOT_FOUND, NAMESPACE_NOT_FOUND.
 */
create function stark.admit_user(p_email text, p_role text default null, p_namespace text default null, p_display_name text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_email text := lower(trim(p_email));
begin
  perform stark_internal.require_permission('users:create');
  if v_email is null or length(v_email) > 254 or v_email !~ '^[^\s@]+@[^\s@]+$' then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s is no e-mail address', coalesce(to_json(left(p_email, 80))::text, 'null')), 'use --email name@example.com');
  end if;
  if length(p_display_name) > 200 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'display_name has more than 200 characters', 'use a shorter name');
  end if;
  if p_role is null and p_namespace is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a namespace was named, and no role', 'name the role too');
  end if;
  perform stark_internal.lock_cluster();
  if p_role is not null then
    perform stark_internal.require_grantable(p_role, p_namespace);
  end if;
  if exists (select from stark.profiles u where u.email = v_email) then
    perform stark_internal.fail('EMAIL_TAKEN', format('there is a user with the address %s', v_email), 'stark auth list-users');
  end if;
  return jsonb_build_object('user_id', stark_internal.admit(p_role, p_namespace, p_display_name), 'email', v_email);
end;
$$;
comment on function stark.admit_user(text, text, text, text) is 'Announces a user who is about to be made, with the role they start with.';
revoke all on function stark.admit_user(text, text, text, text) from public, anon;
grant execute on function stark.admit_user(text, text, text, text) to authenticated, service_role;

/**
 * stark_internal.set_disabled(user_id, since) -> the profile: every right of the user ends with this statement, or is back with
 * it, and Supabase Auth gives no session. Nothing that belongs to the user is touched: pods run on, until somebody stops them.
 */
create function stark_internal.set_disabled(p_user_id uuid, p_since timestamptz)
returns stark.profiles
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_profile stark.profiles;
begin
  perform stark_internal.lock_cluster();
  -- First, as Supabase Auth itself locks them: users, then profiles. Not infinity, which it cannot read.
  update auth.users u set banned_until = p_since + interval '100 years' where u.id = p_user_id;
  update stark.profiles u set disabled_at = case when p_since is null then null else coalesce(u.disabled_at, p_since) end
    where u.id = p_user_id returning * into v_profile;
  if not found then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'stark auth list-users');
  end if;
  if exists (select from stark.role_bindings b where b.user_id = p_user_id and b.role = 'admin' and b.namespace is null) and not stark_internal.has_admin() then
    perform stark_internal.fail('LAST_ADMIN', format('%s is the last admin of the cluster', coalesce(v_profile.email, p_user_id::text)), 'make another admin first');
  end if;
  perform stark_internal.work_off_notes();
  return v_profile;
end;
$$;
comment on function stark_internal.set_disabled(uuid, timestamptz) is 'Takes every right and session from a user, or gives them back.';
revoke all on function stark_internal.set_disabled(uuid, timestamptz) from public, anon;

/**
 * stark.disable_user(user_id) -> the profile. Caller: users:update (admin). Locks: the cluster lock, so that two admins cannot
 * disable each other at once. Raises: UNAUTHENTICATED, FORBIDDEN, USER_NOT_FOUND, LAST_ADMIN.
 */
create function stark.disable_user(p_user_id uuid)
returns stark.profiles
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_permission('users:update');
  return stark_internal.set_disabled(p_user_id, now());
end;
$$;
comment on function stark.disable_user(uuid) is 'Takes every right and session from a user; what they own stays.';
revoke all on function stark.disable_user(uuid) from public, anon;
grant execute on function stark.disable_user(uuid) to authenticated, service_role;

/** stark.enable_user(user_id) -> the profile: with the roles the user had. Caller: users:update (admin). Raises: UNAUTHENTICATED, FORBIDDEN, USER_NOT_FOUND. */
create function stark.enable_user(p_user_id uuid)
returns stark.profiles
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_permission('users:update');
  return stark_internal.set_disabled(p_user_id, null);
end;
$$;
comment on function stark.enable_user(uuid) is 'Gives a disabled user their rights back.';
revoke all on function stark.enable_user(uuid) from public, anon;
grant execute on function stark.enable_user(uuid) to authenticated, service_role;

/**
 * stark_internal.mirror_users(): statement trigger on auth.users; keeps stark.profiles in step. A new user has no role, so
 * that the sign-ups of an application beside Stark give nobody a right in the cluster; one who was admitted starts with what
 * the admission says. While registration is closed (and the cluster has an admin) nobody else is taken.
 * Raises: REGISTRATION_CLOSED in the detail of SQLSTATE PT403, the form in which Supabase Auth passes status and text on.
 */
create function stark_internal.mirror_users()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer, since Supabase Auth's own role writes auth.users and has no right in this schema. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    update stark.profiles p set email = u.email from new_rows u where u.id = p.id and p.email is distinct from u.email;
    return null;
  end if;
  delete from stark_internal.admitted_users a where a.created_at < now() - interval '1 hour';
  if exists (select from new_rows u where u.id not in (select a.id from stark_internal.admitted_users a))
     and not (select c.allow_registration from stark.cluster_config c)
     and not stark_internal.is_trusted() and not stark.needs_setup() then
    raise sqlstate 'PT403' using message = 'this cluster takes no registrations', detail = 'REGISTRATION_CLOSED',
      hint = 'ask an admin for an account (stark auth add-user)';
  end if;
  insert into stark.profiles (id, email, display_name)
    select u.id, u.email, a.display_name from new_rows u left join stark_internal.admitted_users a using (id)
    on conflict (id) do nothing;
  insert into stark.role_bindings (user_id, role, namespace, created_by)
    select a.id, a.role, a.namespace, p.id
    from stark_internal.admitted_users a join new_rows u using (id) left join stark.profiles p on p.id = a.admitted_by
    where a.role is not null;
  delete from stark_internal.admitted_users a using new_rows u where a.id = u.id;
  return null;
end;
$$;
comment on function stark_internal.mirror_users() is 'Keeps one profile for each user of Supabase Auth.';
revoke all on function stark_internal.mirror_users() from public, anon;

create trigger stark_mirror_new_users after insert on auth.users
  referencing new table as new_rows for each statement execute function stark_internal.mirror_users();
create trigger stark_mirror_changed_users after update on auth.users
  referencing new table as new_rows for each statement execute function stark_internal.mirror_users();
