-- Roles of one's own, beside the built-in ones, and who is given which. A permission is written kind:verb, or kind:verb:own for the caller's own objects
-- only, with * for all: pods:get, packs:*:own. What kinds and verbs there are stands in stark.role_permissions.

/** stark_internal.check_permissions(permissions): passes when they are at most 200 and read like permissions. Raises INVALID_ARGUMENT. */
create function stark_internal.check_permissions(p_permissions text[])
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_bad text;
begin
  if cardinality(p_permissions) <= 200 then
    select p into v_bad from unnest(p_permissions) p where coalesce(p, '') !~ '^[a-z*]+:[a-z*-]+(:(own|any))?$' limit 1;
    if not found then
      return;
    end if;
  end if;
  perform stark_internal.fail('INVALID_ARGUMENT',
    case when cardinality(p_permissions) > 200 then 'a list of more than 200 is no permission' else format('%s is no permission', coalesce(to_json(left(v_bad, 80))::text, 'null')) end,
    'write kind:verb or kind:verb:own, e.g. pods:get');
end;
$$;
comment on function stark_internal.check_permissions(text[]) is 'Raises a coded error for what is no list of permissions.';
revoke all on function stark_internal.check_permissions(text[]) from public, anon;

/** stark_internal.put_permissions(role, permissions): makes them the role's; raises when one is unknown or more than the caller has. */
create function stark_internal.put_permissions(p_role text, p_permissions text[])
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_bad text;
  v_permissions text[] := array(select distinct case when p ~ ':(own|any)$' then p else p || ':any' end from unnest(p_permissions) p);
begin
  -- Asked before anything is written: the caller may have this very role.
  v_bad := stark_internal.missing_permission(v_permissions, null);
  if v_bad is not null and not stark_internal.has_permission('roles:escalate') then
    perform stark_internal.fail('FORBIDDEN', format('%s may not give %s', stark_internal.caller_name(), v_bad), 'ask somebody who has that right');
  end if;
  begin
    insert into stark.role_permissions (role, kind, verb, scope)
      select p_role, split_part(p, ':', 1), split_part(p, ':', 2), split_part(p, ':', 3) from unnest(v_permissions) p
      on conflict do nothing;
  exception when check_violation then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a permission has an unknown kind or verb',
      format('kinds: %s; verbs: %s', array_to_string(stark_internal.right_kinds(), ', '), array_to_string(stark_internal.right_verbs(), ', ')));
  end;
  -- Last: what watches for lost rights looks at what is left.
  delete from stark.role_permissions p where p.role = p_role and concat_ws(':', p.kind, p.verb, p.scope) <> all (v_permissions);
end;
$$;
comment on function stark_internal.put_permissions(text, text[]) is 'Replaces the permissions of a role, never by more than the caller has.';
revoke all on function stark_internal.put_permissions(text, text[]) from public, anon;

/** stark_internal.require_own_role(name): passes when there is such a role and it is not built in. Raises ROLE_NOT_FOUND, ROLE_RESERVED. */
create function stark_internal.require_own_role(p_name text)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if not exists (select from stark.roles r where r.name = p_name) then
    perform stark_internal.fail('ROLE_NOT_FOUND', format('no role %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark role list');
  end if;
  if exists (select from stark.roles r where r.name = p_name and r.built_in) then
    perform stark_internal.fail('ROLE_RESERVED', format('%s is built in and stays as it is', p_name), 'make a role of your own');
  end if;
end;
$$;
comment on function stark_internal.require_own_role(text) is 'Raises a coded error when a role is unknown or built in.';
revoke all on function stark_internal.require_own_role(text) from public, anon;

/**
 * stark.create_role(name, permissions, description) -> the role. Caller: roles:create in the whole cluster (admin), and each of
 * the permissions or roles:escalate. Example:
 *   select * from stark.create_role('restarter', '{pods:get,pods:update}', 'Restarts pods.');
 * Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_NAME, INVALID_ARGUMENT, ROLE_EXISTS.
 */
create function stark.create_role(p_name text, p_permissions text[], p_description text default '')
returns stark.roles
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_role stark.roles;
begin
  perform stark_internal.require_permission('roles:create');
  if not stark_internal.is_dns_label(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a role', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits and -');
  end if;
  if p_permissions is null or length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a role needs a list of permissions, and a description of at most 2000 characters', 'e.g. {pods:get}');
  end if;
  perform stark_internal.check_permissions(p_permissions);
  perform stark_internal.lock_cluster();
  if exists (select from stark.roles r where r.name = p_name) then
    perform stark_internal.fail('ROLE_EXISTS', format('there is a role %s already', p_name), 'choose another name, or change that one');
  end if;
  insert into stark.roles (name, description) values (p_name, coalesce(p_description, '')) returning * into v_role;
  perform stark_internal.put_permissions(p_name, p_permissions);
  return v_role;
end;
$$;
comment on function stark.create_role(text, text[], text) is 'Makes a role.';
revoke all on function stark.create_role(text, text[], text) from public, anon;
grant execute on function stark.create_role(text, text[], text) to authenticated, service_role;

/**
 * stark.update_role(name, permissions, description) -> the role: what is null stays; the permissions given replace all the role
 * had, for everybody who has it, from the next statement on. Caller: roles:update (admin), and each of the permissions or
 * roles:escalate. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, ROLE_NOT_FOUND, ROLE_RESERVED.
 */
create function stark.update_role(p_name text, p_permissions text[] default null, p_description text default null)
returns stark.roles
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_role stark.roles;
begin
  perform stark_internal.require_permission('roles:update');
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description has more than 2000 characters', 'use a shorter one');
  end if;
  perform stark_internal.require_own_role(p_name);
  if p_permissions is not null then
    perform stark_internal.check_permissions(p_permissions);
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.require_own_role(p_name);
  update stark.roles r set description = coalesce(p_description, r.description) where r.name = p_name returning * into v_role;
  if p_permissions is not null then
    perform stark_internal.put_permissions(p_name, p_permissions);
  end if;
  perform stark_internal.work_off_notes();
  return v_role;
end;
$$;
comment on function stark.update_role(text, text[], text) is 'Changes what a role may do, or its description.';
revoke all on function stark.update_role(text, text[], text) from public, anon;
grant execute on function stark.update_role(text, text[], text) to authenticated, service_role;

/**
 * stark.delete_role(name) -> how many bindings went with it. Caller: roles:delete in the whole cluster (admin).
 * Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, ROLE_NOT_FOUND, ROLE_RESERVED.
 */
create function stark.delete_role(p_name text)
returns bigint
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_bindings bigint;
begin
  perform stark_internal.require_permission('roles:delete');
  perform stark_internal.require_own_role(p_name);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_own_role(p_name);
  v_bindings := (select count(*) from stark.role_bindings b where b.role = p_name);
  delete from stark.roles r where r.name = p_name;
  perform stark_internal.work_off_notes();
  return v_bindings;
end;
$$;
comment on function stark.delete_role(text) is 'Deletes a role and takes it from everybody who has it.';
revoke all on function stark.delete_role(text) from public, anon;
grant execute on function stark.delete_role(text) to authenticated, service_role;

-- The trail: who gave whom which role, what a role may, who was disabled. It has no lines for new users, who have no right yet and
-- may be an application's own.

create trigger _800_write_events_of_changed after update on stark.profiles referencing new table as changed_rows
  for each statement execute function stark_internal.write_events('user', 'id');

do $$
declare
  v_table record;
begin
  for v_table in select * from (values ('roles', 'role', 'name'), ('role_permissions', 'role_permission', 'role'), ('role_bindings', 'role_binding', 'id')) t (name, kind, id_column) loop
    execute format('create trigger _800_write_events_of_new after insert on stark.%I referencing new table as changed_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    execute format('create trigger _800_write_events_of_deleted after delete on stark.%I referencing old table as changed_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
  end loop;
end;
$$;

/**
 * stark_internal.require_grantable(role, namespace): passes when the caller may give this role there: it exists, and the caller
 * has each of its permissions or the verb bind on roles. Raises: FORBIDDEN, ROLE_NOT_FOUND, NAMESPACE_NOT_FOUND.
 */
create function stark_internal.require_grantable(p_role text, p_namespace text)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_missing text;
begin
  perform stark_internal.require_permission('roles:create', p_namespace);
  if not exists (select from stark.roles r where r.name = p_role) then
    perform stark_internal.fail('ROLE_NOT_FOUND', format('no role %s', coalesce(to_json(left(p_role, 80))::text, 'null')), 'known roles: ' ||
      (select string_agg(r.name, ', ' order by r.name) from stark.roles r));
  end if;
  if p_namespace is not null then
    perform stark_internal.require_namespace(p_namespace);
  end if;
  v_missing := stark_internal.missing_permission(
    array(select concat_ws(':', p.kind, p.verb, p.scope)
          from stark.roles r join stark.role_permissions p on p.role = coalesce(r.alias_of, r.name) where r.name = p_role), p_namespace);
  if v_missing is not null and not stark_internal.has_permission('roles:bind', p_namespace) then
    perform stark_internal.fail('FORBIDDEN', format('%s may not give the role %s, which has %s', stark_internal.caller_name(), p_role, v_missing),
      'ask somebody who has that right');
  end if;
end;
$$;
comment on function stark_internal.require_grantable(text, text) is 'Raises a coded error when the caller may not give this role.';
revoke all on function stark_internal.require_grantable(text, text) from public, anon;

/**
 * stark.grant_role(user_id, role, namespace) -> the binding. Caller: roles:create there (admin), and every right of the role
 * or roles:bind. Granting twice changes nothing.
 * Raises: FORBIDDEN, USER_NOT_FOUND, ROLE_NOT_FOUND, NAMESPACE_NOT_FOUND.
 */
create function stark.grant_role(p_user_id uuid, p_role text, p_namespace text default null)
returns stark.role_bindings
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_binding stark.role_bindings;
begin
  perform stark_internal.require_permission('roles:create', p_namespace);
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'stark auth list-users');
  end if;
  perform stark_internal.require_grantable(p_role, p_namespace);
  perform stark_internal.lock_cluster();
  -- Either may have gone while this waited.
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'stark auth list-users');
  end if;
  perform stark_internal.require_grantable(p_role, p_namespace);
  insert into stark.role_bindings (user_id, role, namespace, created_by)
    values (p_user_id, p_role, p_namespace, (select auth.uid()))
    on conflict on constraint binding_is_unique do nothing;
  select * into v_binding from stark.role_bindings b
    where b.user_id = p_user_id and b.role = p_role and b.namespace is not distinct from p_namespace;
  perform stark_internal.work_off_notes();
  return v_binding;
end;
$$;
comment on function stark.grant_role(uuid, text, text) is 'Gives a user a role, in the whole cluster or in one namespace.';
revoke all on function stark.grant_role(uuid, text, text) from public, anon;
grant execute on function stark.grant_role(uuid, text, text) to authenticated, service_role;

/**
 * stark.revoke_role(user_id, role, namespace) -> boolean: whether there was such a binding. Caller: roles:delete there (admin).
 * Locks: the cluster lock, so that two admins cannot remove each other at once. Raises: FORBIDDEN, LAST_ADMIN.
 */
create function stark.revoke_role(p_user_id uuid, p_role text, p_namespace text default null)
returns boolean
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_found boolean;
begin
  perform stark_internal.require_permission('roles:delete', p_namespace);
  perform stark_internal.lock_cluster();
  delete from stark.role_bindings b
    where b.user_id = p_user_id and b.role = p_role and b.namespace is not distinct from p_namespace;
  v_found := found;
  perform stark_internal.work_off_notes();
  return v_found;
end;
$$;
comment on function stark.revoke_role(uuid, text, text) is 'Takes a role away from a user.';
revoke all on function stark.revoke_role(uuid, text, text) from public, anon;
grant execute on function stark.revoke_role(uuid, text, text) to authenticated, service_role;
