-- Cluster configuration: one typed row, so that a value out of range cannot be stored, whoever writes.

create table stark.cluster_config (
  only_row boolean primary key default true,
  scheduling_policy text not null default 'spread',
  scheduling_seed bigint not null default 0,
  default_namespace text not null default 'default',
  default_cpu_request integer not null default 100,
  default_memory_request integer not null default 128,
  allow_registration boolean not null default true,
  allow_node_registration boolean not null default false,
  updated_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint there_is_one_row check (only_row),
  constraint scheduling_policy_is_known check (scheduling_policy in ('spread', 'bin_pack', 'least_loaded', 'random', 'affinity')),
  constraint default_namespace_is_a_dns_label check (stark_internal.is_dns_label(default_namespace)),
  constraint default_cpu_request_is_in_range check (default_cpu_request between 0 and 1000000),
  constraint default_memory_request_is_in_range check (default_memory_request between 0 and 1000000000)
);
comment on table stark.cluster_config is 'What the cluster as a whole is set to. Always one row.';
comment on column stark.cluster_config.only_row is 'Keeps it one row.';
comment on column stark.cluster_config.scheduling_policy is 'How nodes are scored: spread, bin_pack, least_loaded, random, affinity.';
comment on column stark.cluster_config.scheduling_seed is 'Seed of policy random: the same seed and cluster give the same places.';
comment on column stark.cluster_config.default_namespace is 'Namespace of a pod that names none.';
comment on column stark.cluster_config.default_cpu_request is 'Millicores of a pod that asks for none, where its namespace has no default.';
comment on column stark.cluster_config.default_memory_request is 'MB of memory of a pod that asks for none, where its namespace has no default.';
comment on column stark.cluster_config.allow_registration is 'Whether people may sign up by themselves; they have no right until an admin gives them a role. False closes every way into Supabase Auth but stark auth add-user.';
comment on column stark.cluster_config.allow_node_registration is 'Whether an agent that shows neither account nor join token may join, and gets an account of its own with role node.';
comment on column stark.cluster_config.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.cluster_config
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.cluster_config
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.cluster_config (only_row) values (true);

alter table stark.cluster_config enable row level security;
create policy "members read the configuration" on stark.cluster_config for select to authenticated
  using ((select stark_internal.is_member()));
grant select on stark.cluster_config to authenticated, service_role;

/**
 * stark.update_cluster_config(changes, if_version) -> the configuration: only the named fields change, e.g.
 * {"scheduling_policy": "bin_pack"}. Caller: settings:update (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, NAMESPACE_NOT_FOUND, CONFLICT.
 */
create function stark.update_cluster_config(p_changes jsonb, p_if_version bigint default null)
returns stark.cluster_config
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_config stark.cluster_config;
  v_key text;
  v_rule text;
begin
  perform stark_internal.require_permission('settings:update');
  if p_changes is null or jsonb_typeof(p_changes) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_changes must be an object of settings', 'give {"scheduling_policy": "spread"}');
  end if;
  select k into v_key from jsonb_object_keys(p_changes) k
    where k not in ('scheduling_policy', 'scheduling_seed', 'default_namespace', 'default_cpu_request', 'default_memory_request', 'allow_registration', 'allow_node_registration') limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('there is no setting %s', to_json(left(v_key, 80))),
      'known: scheduling_policy, scheduling_seed, default_namespace, default_cpu_request, default_memory_request, allow_registration, allow_node_registration');
  end if;
  select e.key into v_key from jsonb_each(p_changes) e
    where case when e.key in ('scheduling_policy', 'default_namespace') then jsonb_typeof(e.value) <> 'string'
               when e.key in ('allow_registration', 'allow_node_registration') then jsonb_typeof(e.value) <> 'boolean'
               when e.key = 'scheduling_seed' then not stark_internal.is_whole(e.value, -9223372036854775808, 9223372036854775807)
               else not stark_internal.is_whole(e.value, 0, 1000000000) end limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('setting %s cannot be %s', v_key, left((p_changes -> v_key)::text, 80)), 'stark config show');
  end if;
  perform stark_internal.lock_cluster();
  select * into v_config from stark.cluster_config c;
  perform stark_internal.require_version('the configuration', p_if_version, v_config.resource_version);
  if p_changes ? 'default_namespace' then
    perform stark_internal.require_namespace(p_changes ->> 'default_namespace');
  end if;
  begin
    update stark.cluster_config c set
        scheduling_policy = coalesce(p_changes ->> 'scheduling_policy', c.scheduling_policy),
        scheduling_seed = coalesce((p_changes ->> 'scheduling_seed')::bigint, c.scheduling_seed),
        default_namespace = coalesce(p_changes ->> 'default_namespace', c.default_namespace),
        default_cpu_request = coalesce((p_changes ->> 'default_cpu_request')::integer, c.default_cpu_request),
        default_memory_request = coalesce((p_changes ->> 'default_memory_request')::integer, c.default_memory_request),
        allow_registration = coalesce((p_changes ->> 'allow_registration')::boolean, c.allow_registration),
        allow_node_registration = coalesce((p_changes ->> 'allow_node_registration')::boolean, c.allow_node_registration),
        updated_at = now()
      returning * into v_config;
  exception when check_violation then
    get stacked diagnostics v_rule = constraint_name;
    perform stark_internal.fail('INVALID_ARGUMENT', format('the configuration breaks the rule %s', v_rule), 'stark config show');
  end;
  return v_config;
end;
$$;
comment on function stark.update_cluster_config(jsonb, bigint) is 'Changes settings of the cluster.';
revoke all on function stark.update_cluster_config(jsonb, bigint) from public, anon;
grant execute on function stark.update_cluster_config(jsonb, bigint) to authenticated, service_role;
