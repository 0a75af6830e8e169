-- Namespaces: a boundary of names, rights and amounts. Three always exist. What a quota holds pods to stands in the file of quotas.

create table stark.namespaces (
  name text primary key,
  reserved boolean not null default false,
  phase text not null default 'active',
  labels jsonb not null default '{}',
  quota jsonb not null default '{}',
  limit_range jsonb not null default '{}',
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint namespace_name_is_a_dns_label check (stark_internal.is_dns_label(name)),
  constraint namespace_labels_are_labels check (stark_internal.labels_problem(labels) is null),
  constraint phase_is_known check (phase in ('active', 'terminating')),
  constraint reserved_namespace_stays check (not reserved or phase = 'active'),
  constraint quota_is_a_quota check (stark_internal.quota_problem(quota) is null),
  constraint limit_range_is_a_limit_range check (stark_internal.limit_range_problem(limit_range) is null)
);
create index namespaces_created_by_idx on stark.namespaces (created_by);
comment on table stark.namespaces is 'A boundary of names and rights for pods.';
comment on column stark.namespaces.name is 'Name, a DNS label.';
comment on column stark.namespaces.reserved is 'default, stark-system and stark-public: they always exist.';
comment on column stark.namespaces.phase is 'active, or terminating: it goes when its last pod has, and takes nothing new.';
comment on column stark.namespaces.labels is 'Labels.';
comment on column stark.namespaces.quota is 'Most that its live pods may ask for together: pods, cpu, memory, storage, deployments. What is not named is not limited.';
comment on column stark.namespaces.limit_range is 'For each pod: default, min and max requests of cpu, memory and storage.';
comment on column stark.namespaces.created_by is 'Who made it.';
comment on column stark.namespaces.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.namespaces
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.namespaces
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.namespaces (name, reserved) values ('default', true), ('stark-system', true), ('stark-public', true);

alter table stark.role_bindings
  add constraint binding_names_a_namespace foreign key (namespace) references stark.namespaces (name) on delete cascade;
create index role_bindings_namespace_idx on stark.role_bindings (namespace);

/**
 * stark_internal.permitted_namespaces(permission, own) -> text[]: where the caller has the right. Policies compare a row's
 * namespace with it, so that it is worked out once a statement instead of once a row.
 */
create function stark_internal.permitted_namespaces(p_permission text, p_own boolean default false)
returns text[]
language plpgsql
stable
security definer
set search_path = pg_temp
as $$
begin
  -- Definer: it reads every binding of the caller and tells only what the caller has.
  return case when stark_internal.has_permission(p_permission, null, p_own)
    then array(select n.name from stark.namespaces n)
    else array(
      select distinct b.namespace from stark.role_bindings b
      where b.user_id = (select auth.uid()) and b.namespace is not null
        and stark_internal.has_permission(p_permission, b.namespace, p_own))
  end;
end;
$$;
comment on function stark_internal.permitted_namespaces(text, boolean) is 'The namespaces in which the caller has this right.';
revoke all on function stark_internal.permitted_namespaces(text, boolean) from public, anon;
grant execute on function stark_internal.permitted_namespaces(text, boolean) to authenticated;

/** stark_internal.require_namespace(name): passes or raises NAMESPACE_NOT_FOUND. */
create function stark_internal.require_namespace(p_name text)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if not exists (select from stark.namespaces n where n.name = p_name) then
    perform stark_internal.fail('NAMESPACE_NOT_FOUND', format('no namespace %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark namespace list');
  end if;
end;
$$;
comment on function stark_internal.require_namespace(text) is 'Raises a coded error when there is no such namespace.';
revoke all on function stark_internal.require_namespace(text) from public, anon;

-- API -----------------------------------------------------------------------------------------------------------------

/** stark_internal.check_namespace(labels, quota, limit range): passes or raises INVALID_LABELS, INVALID_ARGUMENT. */
create function stark_internal.check_namespace(p_labels jsonb, p_quota jsonb, p_limit_range jsonb)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if stark_internal.labels_problem(p_labels) is not null then
    perform stark_internal.fail('INVALID_LABELS', stark_internal.labels_problem(p_labels), 'use --label key=value');
  end if;
  if coalesce(stark_internal.quota_problem(p_quota), stark_internal.limit_range_problem(p_limit_range)) is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', coalesce(stark_internal.quota_problem(p_quota), stark_internal.limit_range_problem(p_limit_range)),
      'stark namespace list -o yaml shows how they are written');
  end if;
end;
$$;
comment on function stark_internal.check_namespace(jsonb, jsonb, jsonb) is 'Raises a coded error when a namespace''s description is not well formed.';
revoke all on function stark_internal.check_namespace(jsonb, jsonb, jsonb) from public, anon;

/**
 * stark.create_namespace(name, labels, quota, limit_range) -> the namespace. Caller: namespaces:create (admin).
 * Locks: the cluster lock. Example:
 *   select * from stark.create_namespace('team-a', p_quota => '{"pods": 10, "cpu": 4000}');
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_NAME, INVALID_LABELS, INVALID_ARGUMENT, NAMESPACE_EXISTS.
 */
create function stark.create_namespace(p_name text, p_labels jsonb default '{}', p_quota jsonb default '{}', p_limit_range jsonb default '{}')
returns stark.namespaces
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_namespace stark.namespaces;
begin
  perform stark_internal.require_permission('namespaces:create');
  perform stark_internal.require_json('p_labels', p_labels);
  perform stark_internal.require_json('p_quota', p_quota);
  perform stark_internal.require_json('p_limit_range', p_limit_range);
  if not stark_internal.is_dns_label(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a namespace', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits and -, at most 63');
  end if;
  perform stark_internal.check_namespace(p_labels, p_quota, p_limit_range);
  perform stark_internal.lock_cluster();
  insert into stark.namespaces (name, labels, quota, limit_range, created_by)
    values (p_name, p_labels, p_quota, p_limit_range, (select auth.uid()))
    on conflict (name) do nothing returning * into v_namespace;
  if not found then
    perform stark_internal.fail('NAMESPACE_EXISTS', format('there is a namespace %s already', p_name), 'stark namespace list');
  end if;
  return v_namespace;
end;
$$;
comment on function stark.create_namespace(text, jsonb, jsonb, jsonb) is 'Makes a namespace.';
revoke all on function stark.create_namespace(text, jsonb, jsonb, jsonb) from public, anon;
grant execute on function stark.create_namespace(text, jsonb, jsonb, jsonb) to authenticated, service_role;

/**
 * stark.update_namespace(name, labels, quota, limit_range, if_version) -> the namespace: each argument is a patch, its fields
 * replace those of that name and null removes one. Pods that exist stay, also where a quota is now smaller.
 * Caller: namespaces:update in the whole cluster (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NAMESPACE_NOT_FOUND, INVALID_LABELS, INVALID_ARGUMENT, CONFLICT.
 */
create function stark.update_namespace(p_name text, p_labels jsonb default '{}', p_quota jsonb default '{}', p_limit_range jsonb default '{}', p_if_version bigint default null)
returns stark.namespaces
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_namespace stark.namespaces;
begin
  -- In the whole cluster: a quota holds for who may do everything in its namespace, too.
  perform stark_internal.require_permission('namespaces:update');
  -- What a patch removes is counted too.
  perform stark_internal.require_json('p_labels', p_labels, 16384);
  perform stark_internal.require_json('p_quota', p_quota, 16384);
  perform stark_internal.require_json('p_limit_range', p_limit_range, 16384);
  if jsonb_typeof(coalesce(p_labels, '{}')) <> 'object' or jsonb_typeof(coalesce(p_quota, '{}')) <> 'object' or jsonb_typeof(coalesce(p_limit_range, '{}')) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'labels, quota and limit_range are patched by objects', 'give {"key": "value"}, null removes a key');
  end if;
  -- What it sets is looked at as if it were all.
  perform stark_internal.check_namespace(stark_internal.merge_patch('{}', p_labels), stark_internal.merge_patch('{}', p_quota), stark_internal.merge_patch('{}', p_limit_range));
  perform stark_internal.require_namespace(p_name);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_namespace(p_name);
  select * into v_namespace from stark.namespaces n where n.name = p_name;
  perform stark_internal.require_version('namespace ' || p_name, p_if_version, v_namespace.resource_version);
  v_namespace.labels := stark_internal.merge_patch(v_namespace.labels, p_labels);
  v_namespace.quota := stark_internal.merge_patch(v_namespace.quota, p_quota);
  v_namespace.limit_range := stark_internal.merge_patch(v_namespace.limit_range, p_limit_range);
  perform stark_internal.check_namespace(v_namespace.labels, v_namespace.quota, v_namespace.limit_range);
  update stark.namespaces n set labels = v_namespace.labels, quota = v_namespace.quota, limit_range = v_namespace.limit_range
    where n.name = p_name returning * into v_namespace;
  perform stark_internal.work_off_notes();
  return v_namespace;
end;
$$;
comment on function stark.update_namespace(text, jsonb, jsonb, jsonb, bigint) is 'Patches a namespace''s labels, quota and limit range.';
revoke all on function stark.update_namespace(text, jsonb, jsonb, jsonb, bigint) from public, anon;
grant execute on function stark.update_namespace(text, jsonb, jsonb, jsonb, bigint) to authenticated, service_role;

-- Reading -------------------------------------------------------------------------------------------------------------

alter table stark.namespaces enable row level security;
create policy "members read the namespaces they have a right in" on stark.namespaces for select to authenticated
  using (name = any ((select stark_internal.permitted_namespaces('namespaces:get'))::text[]));
grant select on stark.namespaces to authenticated, service_role;
