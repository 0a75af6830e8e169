-- Who may do what. The token says who calls; these rows say what they may do, read at each statement, so a right taken
-- away is gone at once and not when the token expires.

-- Roles ---------------------------------------------------------------------------------------------------------------

create table stark.roles (
  name text primary key,
  alias_of text references stark.roles (name),
  built_in boolean not null default false,
  description text not null default '',
  constraint role_name_is_a_dns_label check (stark_internal.is_dns_label(name))
);
create index roles_alias_of_idx on stark.roles (alias_of);
comment on table stark.roles is 'Roles that can be bound to users. An admin can define more.';
comment on column stark.roles.name is 'Name, a DNS label.';
comment on column stark.roles.alias_of is 'Another name of that role; its permissions are used.';
comment on column stark.roles.built_in is 'Comes with Stark and cannot be deleted.';
comment on column stark.roles.description is 'What the role is for.';

/** stark_internal.right_kinds() -> the kinds of objects that rights are about. */
create function stark_internal.right_kinds()
returns text[]
language sql
immutable
set search_path = pg_temp
as $$
  select array['packs', 'nodes', 'pods', 'deployments', 'logs', 'events', 'namespaces', 'users', 'roles', 'priorityclasses', 'settings'];
$$;
comment on function stark_internal.right_kinds() is 'Kinds of objects that rights are about.';
revoke all on function stark_internal.right_kinds() from public, anon;

/** stark_internal.right_verbs() -> what rights allow to do. */
create function stark_internal.right_verbs()
returns text[]
language sql
immutable
set search_path = pg_temp
as $$
  select array['get', 'create', 'update', 'delete', 'pull', 'connect', 'prioritise', 'read-env', 'bind', 'escalate'];
$$;
comment on function stark_internal.right_verbs() is 'Verbs of rights.';
revoke all on function stark_internal.right_verbs() from public, anon;

create table stark.role_permissions (
  role text not null references stark.roles (name) on delete cascade,
  kind text not null,
  verb text not null,
  scope text not null default 'any',
  primary key (role, kind, verb, scope),
  constraint kind_is_known check (kind = '*' or kind = any (stark_internal.right_kinds())),
  constraint verb_is_known check (verb = '*' or verb = any (stark_internal.right_verbs())),
  constraint scope_is_any_or_own check (scope in ('any', 'own'))
);
comment on table stark.role_permissions is 'What each role may do. Absent means no.';
comment on column stark.role_permissions.role is 'The role.';
comment on column stark.role_permissions.kind is 'Kind of object, or * for all.';
comment on column stark.role_permissions.verb is 'get, create, update (stop, cordon), delete; pull a pack''s bundle; connect as a node''s agent; prioritise pods above the default; read-env, what a pod was given as env and config; bind and escalate roles beyond one''s own rights; * for all.';
comment on column stark.role_permissions.scope is 'any object, or only the caller''s own.';

insert into stark.roles (name, alias_of, built_in, description) values
  ('admin', null, true, 'Everything. An admin''s nodes are shared: they run anybody''s packs.'),
  ('operator', null, true, 'Sees everything and manages nodes and pods.'),
  ('developer', null, true, 'Sees all packs, nodes and pods, manages own packs, runs pods.'),
  ('deployer', 'developer', true, 'Another name of developer.'),
  ('user', null, true, 'Self-service: own packs, own nodes, own pods.'),
  ('node', null, true, 'An agent''s account: registers nodes and runs what is placed on them.'),
  ('viewer', null, true, 'Sees all packs, nodes and pods, changes nothing.');

insert into stark.role_permissions (role, kind, verb, scope) values
  ('admin', '*', '*', 'any'),
  ('operator', '*', 'get', 'any'),
  ('operator', 'nodes', 'create', 'own'),
  ('operator', 'nodes', 'connect', 'own'),
  ('operator', 'nodes', 'update', 'any'),
  ('operator', 'nodes', 'delete', 'any'),
  ('operator', 'pods', '*', 'any'),
  ('operator', 'deployments', '*', 'any'),
  ('developer', 'packs', 'get', 'any'),
  ('developer', 'nodes', 'get', 'any'),
  ('developer', 'pods', 'get', 'any'),
  ('developer', 'deployments', 'get', 'any'),
  ('developer', 'logs', 'get', 'any'),
  ('developer', 'events', 'get', 'any'),
  ('developer', 'namespaces', 'get', 'any'),
  ('developer', 'packs', '*', 'own'),
  ('developer', 'pods', '*', 'own'),
  ('developer', 'deployments', '*', 'own'),
  ('user', 'packs', '*', 'own'),
  ('user', 'nodes', '*', 'own'),
  ('user', 'pods', 'get', 'own'),
  ('user', 'pods', 'create', 'own'),
  ('user', 'pods', 'update', 'own'),
  ('user', 'pods', 'delete', 'own'),
  ('user', 'pods', 'read-env', 'own'),
  ('user', 'deployments', '*', 'own'),
  ('user', 'logs', 'get', 'own'),
  ('user', 'events', 'get', 'own'),
  ('user', 'namespaces', 'get', 'any'),
  ('node', 'nodes', 'get', 'own'),
  ('node', 'nodes', 'create', 'own'),
  ('node', 'nodes', 'update', 'own'),
  ('node', 'nodes', 'connect', 'own'),
  ('node', 'packs', 'get', 'own'),
  ('node', 'pods', 'get', 'own'),
  ('node', 'namespaces', 'get', 'any'),
  ('viewer', 'packs', 'get', 'any'),
  ('viewer', 'nodes', 'get', 'any'),
  ('viewer', 'pods', 'get', 'any'),
  ('viewer', 'deployments', 'get', 'any'),
  ('viewer', 'logs', 'get', 'any'),
  ('viewer', 'events', 'get', 'any'),
  ('viewer', 'namespaces', 'get', 'any');

-- Users ---------------------------------------------------------------------------------------------------------------

create table stark.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  email text,
  display_name text,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  constraint display_name_is_short check (length(display_name) <= 200)
);
comment on table stark.profiles is 'One row for each user of Supabase Auth.';
comment on column stark.profiles.id is 'The user''s id in Supabase Auth.';
comment on column stark.profiles.email is 'Copy of the e-mail address in Supabase Auth.';
comment on column stark.profiles.display_name is 'Name to show.';
comment on column stark.profiles.disabled_at is 'Since when an admin has taken every right away; null when not.';
comment on column stark.profiles.created_at is 'When Stark first saw the user.';

create table stark.role_bindings (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references stark.profiles (id) on delete cascade,
  role text not null references stark.roles (name) on delete cascade,
  namespace text,
  created_at timestamptz not null default now(),
  created_by uuid references stark.profiles (id) on delete set null,
  constraint binding_is_unique unique nulls not distinct (user_id, role, namespace)
);
create index role_bindings_role_idx on stark.role_bindings (role);
create index role_bindings_created_by_idx on stark.role_bindings (created_by);
comment on table stark.role_bindings is 'Which user has which role, in the whole cluster or in one namespace.';
comment on column stark.role_bindings.user_id is 'Who has the role.';
comment on column stark.role_bindings.role is 'The role.';
comment on column stark.role_bindings.namespace is 'Where it counts; null for the whole cluster.';
comment on column stark.role_bindings.created_by is 'Who gave it.';

create trigger _000_lock_cluster before insert or update or delete on stark.role_bindings
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _000_lock_cluster before insert or update or delete on stark.role_permissions
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _000_lock_cluster before delete on stark.profiles
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _000_lock_cluster_to_disable before update of disabled_at on stark.profiles
  for each statement execute function stark_internal.lock_cluster_first();

create table stark_internal.admitted_users (
  id uuid primary key default gen_random_uuid(),
  role text,
  namespace text,
  display_name text,
  admitted_by uuid,
  created_at timestamptz not null default now()
);
alter table stark_internal.admitted_users enable row level security;
create policy "nobody reads admissions" on stark_internal.admitted_users for select to authenticated using (false);
comment on table stark_internal.admitted_users is 'Ids under which Supabase Auth may make a user though registration is closed, and what such a user starts with. Used once, within an hour.';

/**
 * stark_internal.admit(role, namespace, display_name) -> uuid: the id under which the caller's Edge Function is to make a user
 * in Supabase Auth. An id only the secret key can choose, so nobody who knows an invited address can come first.
 * Whether the caller may give this role is for the caller of this function to check.
 */
create function stark_internal.admit(p_role text default null, p_namespace text default null, p_display_name text default null)
returns uuid
language sql
set search_path = pg_temp
set jit = off
as $$
  delete from stark_internal.admitted_users a where a.created_at < now() - interval '1 hour';
  insert into stark_internal.admitted_users (role, namespace, display_name, admitted_by)
    values (p_role, p_namespace, p_display_name, (select auth.uid())) returning id;
$$;
comment on function stark_internal.admit(text, text, text) is 'Announces a user whom Supabase Auth is about to make.';
revoke all on function stark_internal.admit(text, text, text) from public, anon;

-- Supabase Auth removes users and changes their addresses, which writes here. The lock first, as everywhere, or it would have the
-- user's row and wait for the lock of somebody who waits for that row. Signing in and renewing sessions pass by.
create trigger stark_lock_to_remove_users before delete on auth.users
  for each statement execute function stark_internal.lock_cluster_first();
create trigger stark_lock_to_rename_users before update of email on auth.users
  for each statement execute function stark_internal.lock_cluster_first();

insert into stark.profiles (id, email) select u.id, u.email from auth.users u on conflict (id) do nothing;

-- Asking --------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.user_may(user, permission, namespace, own) -> boolean: the same question as has_permission, about somebody else.
 * A binding in a namespace counts for that namespace only.
 */
create function stark_internal.user_may(p_user_id uuid, p_permission text, p_namespace text default null, p_own boolean default false)
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return exists (
    select
    from stark.role_bindings b
    join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    join stark.roles r on r.name = b.role
    join stark.role_permissions p on p.role = coalesce(r.alias_of, r.name)
    where b.user_id = p_user_id
      and (b.namespace is null or b.namespace = p_namespace)
      and p.kind in ('*', split_part(p_permission, ':', 1))
      and p.verb in ('*', split_part(p_permission, ':', 2))
      and (p_own or p.scope = 'any')
  );
end;
$$;
comment on function stark_internal.user_may(uuid, text, text, boolean) is 'Whether this user has this right, cluster-wide or in the namespace.';
revoke all on function stark_internal.user_may(uuid, text, text, boolean) from public, anon;

/**
 * stark_internal.has_permission(permission, namespace, own) -> boolean, e.g. ('pods:create', 'default', true).
 * own: the object in question is the caller's own, so a permission limited to own objects is enough.
 * Callers: policies and functions, on behalf of the caller.
 */
create function stark_internal.has_permission(p_permission text, p_namespace text default null, p_own boolean default false)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_temp
as $$
begin
  return stark_internal.is_trusted() or stark_internal.user_may(auth.uid(), p_permission, p_namespace, p_own);
end;
$$;
comment on function stark_internal.has_permission(text, text, boolean) is 'Whether the caller has this right, cluster-wide or in the namespace.';
revoke all on function stark_internal.has_permission(text, text, boolean) from public, anon;
grant execute on function stark_internal.has_permission(text, text, boolean) to authenticated;

/** stark_internal.is_member() -> boolean: the caller is an enabled user with at least one role anywhere. */
create function stark_internal.is_member()
returns boolean
language plpgsql
stable
security definer
set search_path = pg_temp
as $$
begin
  return stark_internal.is_trusted() or exists (
    select
    from stark.role_bindings b
    join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = (select auth.uid())
  );
end;
$$;
comment on function stark_internal.is_member() is 'Whether the caller has any role.';
revoke all on function stark_internal.is_member() from public, anon;
grant execute on function stark_internal.is_member() to authenticated;

/** stark_internal.caller_name() -> text: how an error message names the caller. */
create function stark_internal.caller_name()
returns text
language sql
stable
security definer
set search_path = pg_temp
as $$
  -- Definer, since the caller may not be allowed to read profiles; it tells the caller only about the caller.
  select coalesce((select u.email from stark.profiles u where u.id = (select auth.uid())), (select auth.uid())::text, stark_internal.caller_role());
$$;
comment on function stark_internal.caller_name() is 'E-mail address or id of the caller, for messages.';
revoke all on function stark_internal.caller_name() from public, anon;

/** stark_internal.require_user() -> uuid: the caller's id. Raises UNAUTHENTICATED, USER_DISABLED. Null for trusted callers without a user. */
create function stark_internal.require_user()
returns uuid
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_user uuid := (select auth.uid());
begin
  if v_user is null and not stark_internal.is_trusted() then
    perform stark_internal.fail('UNAUTHENTICATED', 'nobody is signed in', 'stark auth login');
  end if;
  if exists (select from stark.profiles u where u.id = v_user and u.disabled_at is not null) then
    perform stark_internal.fail('USER_DISABLED', format('the account %s is disabled', stark_internal.caller_name()), 'ask an admin of the cluster');
  end if;
  return v_user;
end;
$$;
comment on function stark_internal.require_user() is 'The signed-in user''s id; raises when nobody is signed in.';
revoke all on function stark_internal.require_user() from public, anon;

/** stark_internal.require_permission(permission, namespace, own): passes or raises UNAUTHENTICATED, USER_DISABLED, FORBIDDEN. */
create function stark_internal.require_permission(p_permission text, p_namespace text default null, p_own boolean default false)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  perform stark_internal.require_user();
  if not stark_internal.has_permission(p_permission, p_namespace, p_own) then
    perform stark_internal.fail(
      'FORBIDDEN',
      format('%s may not %s %s', stark_internal.caller_name(), split_part(p_permission, ':', 2), split_part(p_permission, ':', 1))
        || coalesce(' in namespace ' || p_namespace, ''),
      format('stark auth can-i %s %s', split_part(p_permission, ':', 2), split_part(p_permission, ':', 1)) || coalesce(' -n ' || p_namespace, '')
    );
  end if;
end;
$$;
comment on function stark_internal.require_permission(text, text, boolean) is 'Raises a coded error when the caller lacks the right.';
revoke all on function stark_internal.require_permission(text, text, boolean) from public, anon;

/** stark_internal.is_admin(user) -> boolean: an enabled user with the role admin in the whole cluster. */
create function stark_internal.is_admin(p_user_id uuid)
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return exists (
    select from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = p_user_id and b.role = 'admin' and b.namespace is null
  );
end;
$$;
comment on function stark_internal.is_admin(uuid) is 'Whether this user is an admin of the whole cluster.';
revoke all on function stark_internal.is_admin(uuid) from public, anon;

/** stark_internal.has_admin() -> boolean: somebody can run the cluster: an enabled user with the role admin in all of it. */
create function stark_internal.has_admin()
returns boolean
language sql
stable
set search_path = pg_temp
as $$
  select exists (select from stark.role_bindings b where b.role = 'admin' and stark_internal.is_admin(b.user_id));
$$;
comment on function stark_internal.has_admin() is 'Whether the cluster has an admin who is not disabled.';
revoke all on function stark_internal.has_admin() from public, anon;

-- API -----------------------------------------------------------------------------------------------------------------

/** stark.whoami() -> {user_id, email, display_name, roles: [{role, namespace}]}. Caller: signed in. Raises: UNAUTHENTICATED. */
create function stark.whoami()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
begin
  return jsonb_build_object(
    'user_id', v_user,
    'email', (select u.email from stark.profiles u where u.id = v_user),
    'display_name', (select u.display_name from stark.profiles u where u.id = v_user),
    'roles', coalesce((
      select jsonb_agg(jsonb_build_object('role', b.role, 'namespace', b.namespace) order by b.namespace nulls first, b.role)
      from stark.role_bindings b where b.user_id = v_user), '[]'::jsonb));
end;
$$;
comment on function stark.whoami() is 'The caller and the roles they have.';
revoke all on function stark.whoami() from public, anon;
grant execute on function stark.whoami() to authenticated, service_role;

/**
 * stark.can_i(verb, kind, namespace, own) -> boolean, e.g. ('create', 'pods', 'default'). Caller: signed in.
 * Singular kinds, and verbs of commands such as list, watch, stop, scale, deploy, are understood. own: true when the right holds at
 * least for the caller's own objects; else only when it holds for everybody's. Raises: UNAUTHENTICATED, USER_DISABLED,
 * INVALID_ARGUMENT for what no right is about.
 */
create function stark.can_i(p_verb text, p_kind text, p_namespace text default null, p_own boolean default true)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_kind text := lower(p_kind);
  v_verb text := lower(p_verb);
begin
  perform stark_internal.require_user();
  v_kind := case when v_kind = '*' or v_kind = any (stark_internal.right_kinds()) then v_kind when v_kind like '%s' then v_kind || 'es' else v_kind || 's' end;
  v_verb := case
    when v_verb in ('list', 'watch', 'describe', 'wait') then 'get'
    when v_verb in ('deploy', 'register') then 'create'
    when v_verb in ('stop', 'cordon', 'uncordon', 'drain', 'scale', 'label', 'annotate', 'patch', 'edit', 'set', 'pause', 'resume', 'rollback', 'undo', 'restart', 'promote', 'withdraw') then 'update'
    else v_verb
  end;
  if v_kind is null or not (v_kind = '*' or v_kind = any (stark_internal.right_kinds())) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('no right is about %s', coalesce(to_json(left(p_kind, 80))::text, 'null')),
      'kinds: ' || array_to_string(stark_internal.right_kinds(), ', '));
  end if;
  if v_verb is null or not (v_verb = '*' or v_verb = any (stark_internal.right_verbs())) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('no right has the verb %s', coalesce(to_json(left(p_verb, 80))::text, 'null')),
      'verbs: ' || array_to_string(stark_internal.right_verbs(), ', '));
  end if;
  return stark_internal.has_permission(v_kind || ':' || v_verb, p_namespace, coalesce(p_own, true));
end;
$$;
comment on function stark.can_i(text, text, text, boolean) is 'Whether the caller may do this, at least with own objects.';
revoke all on function stark.can_i(text, text, text, boolean) from public, anon;
grant execute on function stark.can_i(text, text, text, boolean) to authenticated, service_role;

/** stark.needs_setup() -> boolean: there is no admin yet. Caller: anybody, before signing in. */
create function stark.needs_setup()
returns boolean
language sql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
  -- Definer: nobody is signed in yet. It tells one bit that the first visitor needs.
  select not exists (select from stark.role_bindings b where b.role = 'admin' and b.namespace is null);
$$;
comment on function stark.needs_setup() is 'True until the first admin is set up.';
revoke all on function stark.needs_setup() from public, anon;
grant execute on function stark.needs_setup() to anon, authenticated, service_role;

/**
 * stark.setup_admin(user_id, display_name) -> {user_id, email, display_name, roles}: makes the first admin.
 * Caller: service_role only (Edge Function `api`). Locks: the cluster lock, so of two at once one wins.
 * Raises: FORBIDDEN, SETUP_DONE, USER_NOT_FOUND, INVALID_ARGUMENT.
 */
create function stark.setup_admin(p_user_id uuid, p_display_name text default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'setup_admin is called with the secret key only', 'stark auth setup');
  end if;
  perform stark_internal.lock_cluster();
  if not stark.needs_setup() then
    perform stark_internal.fail('SETUP_DONE', 'the first admin exists already', 'stark auth login');
  end if;
  if length(p_display_name) > 200 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'display_name has more than 200 characters', 'use a shorter name');
  end if;
  update stark.profiles set display_name = coalesce(p_display_name, display_name) where id = p_user_id;
  if not found then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'create the user in Supabase Auth first');
  end if;
  insert into stark.role_bindings (user_id, role) values (p_user_id, 'admin');
  return (
    select jsonb_build_object('user_id', u.id, 'email', u.email, 'display_name', u.display_name,
                              'roles', jsonb_build_array(jsonb_build_object('role', 'admin', 'namespace', null)))
    from stark.profiles u where u.id = p_user_id);
end;
$$;
comment on function stark.setup_admin(uuid, text) is 'Makes this user the first admin; works once.';
revoke all on function stark.setup_admin(uuid, text) from public, anon, authenticated;
grant execute on function stark.setup_admin(uuid, text) to service_role;

/**
 * stark_internal.missing_permission(permissions, namespace) -> text: the first of these (kind:verb:scope) that the caller lacks
 * there, null when none. Nobody gives away more than they have: Kubernetes' rule for roles and their bindings.
 */
create function stark_internal.missing_permission(p_permissions text[], p_namespace text)
returns text
language sql
stable
set search_path = pg_temp
as $$
  select p from unnest(p_permissions) p
  where not stark_internal.has_permission(p, p_namespace, split_part(p, ':', 3) = 'own') order by p limit 1;
$$;
comment on function stark_internal.missing_permission(text[], text) is 'What of these permissions the caller does not have.';
revoke all on function stark_internal.missing_permission(text[], text) from public, anon;

/**
 * stark_internal.keep_an_admin(): statement trigger; a writer that takes the last admin's binding away (revoke_role, or Supabase Auth
 * removing the user) is refused, since setup would be open to anybody again; a disabled admin does not count. Raises: LAST_ADMIN.
 */
create function stark_internal.keep_an_admin()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer, since Supabase Auth's own role removes users. Only a trigger can call it.
  if exists (select from old_rows o where o.role = 'admin' and o.namespace is null) and not stark_internal.has_admin() then
    perform stark_internal.fail('LAST_ADMIN', 'this is the last admin of the cluster', 'make another admin first');
  end if;
  return null;
end;
$$;
comment on function stark_internal.keep_an_admin() is 'Refuses to leave the cluster without an admin.';
revoke all on function stark_internal.keep_an_admin() from public, anon;

create trigger _100_keep_an_admin after delete on stark.role_bindings
  referencing old table as old_rows for each statement execute function stark_internal.keep_an_admin();

-- Reading -------------------------------------------------------------------------------------------------------------

alter table stark.roles enable row level security;
alter table stark.role_permissions enable row level security;
alter table stark.profiles enable row level security;
alter table stark.role_bindings enable row level security;

create policy "members read roles" on stark.roles for select to authenticated
  using ((select stark_internal.is_member()));
create policy "members read permissions" on stark.role_permissions for select to authenticated
  using ((select stark_internal.is_member()));
create policy "users read themselves, admins and auditors everybody" on stark.profiles for select to authenticated
  using (id = (select auth.uid()) or (select stark_internal.has_permission('users:get')));
create policy "users read their bindings, admins and auditors all" on stark.role_bindings for select to authenticated
  using (user_id = (select auth.uid()) or (select stark_internal.has_permission('roles:get')));

grant select on stark.roles, stark.role_permissions, stark.profiles, stark.role_bindings to authenticated, service_role;
