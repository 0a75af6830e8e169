-- Cluster configuration: one typed row, so that no writer can store a value out of range. A setting is a column
-- with its type, default, rule and comment; update_cluster_config reads from them all that it must know.

create table stark.cluster_config (
  name text primary key default 'cluster',
  scheduling_policy text not null default 'spread',
  scheduling_seed bigint not null default 0,
  default_namespace text not null default 'default',
  default_cpu_request integer not null default 100,
  default_memory_request integer not null default 128,
  allow_registration boolean not null default true,
  allow_node_registration boolean not null default false,
  default_grace_seconds integer not null default 30,
  max_pods_per_node integer not null default 10,
  event_retention_days integer not null default 7,
  log_retention_days integer not null default 3,
  max_log_lines_per_pod integer not null default 10000,
  ended_pod_retention_days integer not null default 30,
  liveness text not null default 'fast',
  heartbeat_interval integer not null default 0,
  heartbeat_timeout integer not null default 0,
  updated_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint there_is_one_row check (name = 'cluster'),
  constraint scheduling_policy_is_known check (scheduling_policy in ('spread', 'bin_pack', 'least_loaded', 'random', 'affinity')),
  constraint default_namespace_is_a_dns_label check (stark_internal.is_dns_label(default_namespace)),
  constraint default_cpu_request_is_from_0_to_1000000 check (default_cpu_request between 0 and 1000000),
  constraint default_memory_request_is_from_0_to_1000000000 check (default_memory_request between 0 and 1000000000),
  constraint default_grace_seconds_is_from_0_to_3600 check (default_grace_seconds between 0 and 3600),
  constraint max_pods_per_node_is_from_0_to_500 check (max_pods_per_node between 0 and 500),
  constraint event_retention_days_is_from_1_to_3650 check (event_retention_days between 1 and 3650),
  constraint log_retention_days_is_from_1_to_3650 check (log_retention_days between 1 and 3650),
  constraint max_log_lines_per_pod_is_from_100_to_1000000 check (max_log_lines_per_pod between 100 and 1000000),
  constraint ended_pod_retention_days_is_from_1_to_3650 check (ended_pod_retention_days between 1 and 3650),
  constraint liveness_is_fast_or_thrifty check (liveness in ('fast', 'thrifty')),
  constraint heartbeat_interval_is_from_0_to_3600 check (heartbeat_interval between 0 and 3600),
  constraint heartbeat_timeout_is_from_0_to_3600 check (heartbeat_timeout between 0 and 3600),
  constraint heartbeat_timeout_outlasts_the_interval
    check (liveness <> 'fast' or coalesce(nullif(heartbeat_timeout, 0), 30) > coalesce(nullif(heartbeat_interval, 0), 15))
);
comment on table stark.cluster_config is 'What the cluster as a whole is set to. Always one row.';
comment on column stark.cluster_config.name is 'Always cluster, which keeps it one row.';
comment on column stark.cluster_config.scheduling_policy is 'How nodes are scored: spread, bin_pack, least_loaded, random, affinity.';
comment on column stark.cluster_config.scheduling_seed is 'Seed of policy random: the same seed and cluster give the same places.';
comment on column stark.cluster_config.default_namespace is 'Namespace of a pod that names none.';
comment on column stark.cluster_config.default_cpu_request is 'Millicores of a pod that asks for none, where its namespace has no default.';
comment on column stark.cluster_config.default_memory_request is 'MB of memory of a pod that asks for none, where its namespace has no default.';
comment on column stark.cluster_config.allow_registration is 'Whether people may sign up by themselves; they have no right until an admin gives them a role. False closes every way into Supabase Auth but stark auth add-user.';
comment on column stark.cluster_config.allow_node_registration is 'Whether an agent that shows neither account nor join token may join, and gets an account of its own with role node.';
comment on column stark.cluster_config.default_grace_seconds is 'Seconds in which a pod may end by itself, when its spec does not say.';
comment on column stark.cluster_config.max_pods_per_node is 'Pods that a node takes whose agent does not say.';
comment on column stark.cluster_config.event_retention_days is 'Days for which events, and so the histories, are kept.';
comment on column stark.cluster_config.log_retention_days is 'Days for which what pods printed is kept.';
comment on column stark.cluster_config.max_log_lines_per_pod is 'Lines that are kept of each pod, the newest.';
comment on column stark.cluster_config.ended_pod_retention_days is 'Days for which a pod that has ended is kept, with its logs.';
comment on column stark.cluster_config.liveness is 'What counts as a sign of life. fast: heartbeats; thrifty: presence on Realtime as well, so that heartbeats may be rare.';
comment on column stark.cluster_config.heartbeat_interval is 'Seconds between two heartbeats of a node whose usage stays the same; 0: 15 for fast, 600 for thrifty.';
comment on column stark.cluster_config.heartbeat_timeout is 'Seconds without a sign of life after which a node is offline; 0: 30 for fast, 15 for thrifty, after the 60 in which Realtime notices a silent death.';
comment on column stark.cluster_config.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.cluster_config
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.cluster_config
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

insert into stark.cluster_config default values;

alter table stark.cluster_config enable row level security;
create policy "members read the configuration" on stark.cluster_config for select to authenticated
  using ((select stark_internal.is_member()));
grant select on stark.cluster_config to authenticated, service_role;

/** stark_internal.heartbeat_terms() -> one row: what counts as a sign of life, and its times in seconds, those of the mode where none are set. */
create function stark_internal.heartbeat_terms()
returns table (liveness text, interval_seconds integer, timeout_seconds integer)
language sql
stable
set search_path = ''
as $$
  select c.liveness,
         coalesce(nullif(c.heartbeat_interval, 0), case c.liveness when 'fast' then 15 else 600 end),
         coalesce(nullif(c.heartbeat_timeout, 0), case c.liveness when 'fast' then 30 else 15 end)
  from stark.cluster_config c;
$$;
comment on function stark_internal.heartbeat_terms() is 'How often agents give a sign of life, and how long they may be without.';
revoke all on function stark_internal.heartbeat_terms() from public, anon;

/**
 * stark.update_cluster_config(changes, if_version) -> the configuration: only the named settings change, e.g.
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
  v_settings jsonb;
  v_key text;
  v_rule text;
begin
  perform stark_internal.require_permission('settings:update');
  perform stark_internal.require_json('p_changes', p_changes, 16384);
  if p_changes is null or jsonb_typeof(p_changes) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_changes must be an object of settings', 'give {"scheduling_policy": "spread"}');
  end if;
  perform stark_internal.lock_cluster();
  select * into v_config from stark.cluster_config c;
  v_settings := to_jsonb(v_config) - array['name', 'updated_at', 'resource_version'];
  select k into v_key from jsonb_object_keys(p_changes) k where not v_settings ? k limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('there is no setting %s', to_json(left(v_key, 80))),
      'known: ' || (select string_agg(k, ', ' order by k) from jsonb_object_keys(v_settings) k));
  end if;
  select e.key into v_key from jsonb_each(p_changes) e
    where jsonb_typeof(e.value) <> jsonb_typeof(v_settings -> e.key)
       or (jsonb_typeof(e.value) = 'number' and not stark_internal.is_whole(e.value, -9223372036854775808, 9223372036854775807))
    limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('setting %s cannot be %s', v_key, left((p_changes -> v_key)::text, 80)), 'GET /rest/v1/cluster_config shows every setting');
  end if;
  perform stark_internal.require_version('the configuration', p_if_version, v_config.resource_version);
  if p_changes ? 'default_namespace' then
    perform stark_internal.require_namespace(p_changes ->> 'default_namespace');
  end if;
  if v_settings @> p_changes then
    return v_config;
  end if;
  begin
    execute (select format('update stark.cluster_config c set updated_at = now(), %s where c.name = ($1).name returning *', string_agg(format('%1$I = ($1).%1$I', k), ', '))
             from jsonb_object_keys(p_changes) k)
      using jsonb_populate_record(v_config, p_changes) into v_config;
  exception
    when check_violation then
      get stacked diagnostics v_rule = constraint_name;
      perform stark_internal.fail('INVALID_ARGUMENT', format('the configuration breaks the rule that %s', replace(v_rule, '_', ' ')), 'GET /rest/v1/cluster_config shows every setting');
    when numeric_value_out_of_range then
      perform stark_internal.fail('INVALID_ARGUMENT', 'a setting is too large a number', 'GET /rest/v1/cluster_config shows every setting');
  end;
  if p_changes ?| array['liveness', 'heartbeat_interval', 'heartbeat_timeout'] then
    perform stark_internal.request_sync(array(select n.id from stark.nodes n where n.status in ('healthy', 'unhealthy')));
  end if;
  return v_config;
end;
$$;
comment on function stark.update_cluster_config(jsonb, bigint) is 'Changes settings of the cluster.';
revoke all on function stark.update_cluster_config(jsonb, bigint) from public, anon;
grant execute on function stark.update_cluster_config(jsonb, bigint) to authenticated, service_role;
