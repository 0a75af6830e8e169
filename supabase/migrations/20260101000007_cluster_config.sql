-- Cluster configuration: one typed row, so that no writer can store a value out of range. A setting is a column
-- with its type, default, rule and comment; update_cluster_config, in the file of cluster settings, reads from them all that it must know.

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
set search_path = pg_temp
as $$
  select c.liveness,
         coalesce(nullif(c.heartbeat_interval, 0), case c.liveness when 'fast' then 15 else 600 end),
         coalesce(nullif(c.heartbeat_timeout, 0), case c.liveness when 'fast' then 30 else 15 end)
  from stark.cluster_config c;
$$;
comment on function stark_internal.heartbeat_terms() is 'How often agents give a sign of life, and how long they may be without.';
revoke all on function stark_internal.heartbeat_terms() from public, anon;
