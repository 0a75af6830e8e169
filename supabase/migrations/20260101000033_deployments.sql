-- Deployments: wanted pods of one pack. What is wanted and the controller's last word stand in stark.deployments, templates and how
-- each fared in stark.deployment_revisions; a pod carries the deployment and the revision that it was made for. How the controller
-- decides stands in the files of the plan and of the controller.
--
-- A revision is one template; its hash is that of the template alone. Going back makes the old template the newest revision under a
-- new number, so two revisions can have one hash: pods belong to the newest revision of their hash.

-- What is wrong with a deployment --------------------------------------------------------------------------------------

/** stark_internal.is_amount(value): a whole number from 0, or whole percents as a text: 3, "25%". */
create function stark_internal.is_amount(p_value jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case jsonb_typeof(p_value)
    when 'number' then stark_internal.is_whole(p_value, 0, 100000)
    when 'string' then p_value #>> '{}' ~ '^(100|\d{1,2})%$'
    else false end;
end;
$$;
comment on function stark_internal.is_amount(jsonb) is 'True for a number of pods, or percents of them.';
revoke all on function stark_internal.is_amount(jsonb) from public, anon;

/** stark_internal.amount_of(value, total, up) -> how many pods an amount is: percents of total, rounded up or down. */
create function stark_internal.amount_of(p_value jsonb, p_total integer, p_up boolean)
returns integer
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_share numeric;
begin
  if jsonb_typeof(p_value) = 'number' then
    return (p_value #>> '{}')::integer;
  end if;
  v_share := rtrim(p_value #>> '{}', '%')::numeric * p_total / 100;
  return case when p_up then ceil(v_share) else floor(v_share) end::integer;
end;
$$;
comment on function stark_internal.amount_of(jsonb, integer, boolean) is 'How many pods an amount is.';
revoke all on function stark_internal.amount_of(jsonb, integer, boolean) from public, anon;

/** stark_internal.seconds_of(value) -> seconds of a duration, 90 or "90s", "10m", "1h", "1d", at most a week; null when it is none. */
create function stark_internal.seconds_of(p_value jsonb)
returns integer
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_parts text[] := regexp_match(p_value #>> '{}', '^(\d{1,6})(s|m|h|d)$');
  v_seconds bigint;
begin
  if stark_internal.is_whole(p_value, 0, 604800) then
    return (p_value #>> '{}')::integer;
  elsif jsonb_typeof(p_value) <> 'string' or v_parts is null then
    return null;
  end if;
  v_seconds := v_parts[1]::bigint * case v_parts[2] when 's' then 1 when 'm' then 60 when 'h' then 3600 else 86400 end;
  return case when v_seconds <= 604800 then v_seconds end;
end;
$$;
comment on function stark_internal.seconds_of(jsonb) is 'Seconds of a duration; null when it is none.';
revoke all on function stark_internal.seconds_of(jsonb) from public, anon;

/** stark_internal.canary_problem(steps): null when it is a list of at most 20 of {weight: 0 to 100} and {pause: "10m"} or {pause: {}}; else what is wrong. */
create function stark_internal.canary_problem(p_steps jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if jsonb_typeof(p_steps) is distinct from 'array' or jsonb_array_length(p_steps) > 20 then
    return 'canary.steps must be a list of at most 20';
  elsif exists (
    select from jsonb_array_elements(p_steps) s
    where jsonb_typeof(s) <> 'object' or (select count(*) from jsonb_object_keys(s)) <> 1
       or not coalesce(stark_internal.is_whole(s -> 'weight', 0, 100), false) and s -> 'pause' is distinct from '{}' and stark_internal.seconds_of(s -> 'pause') is null) then
    return 'each of canary.steps is {weight: 0 to 100}, {pause: "10m"} or {pause: {}}, which ends when it is promoted';
  end if;
  return null;
end;
$$;
comment on function stark_internal.canary_problem(jsonb) is 'What is wrong with these canary steps; null when nothing is.';
revoke all on function stark_internal.canary_problem(jsonb) from public, anon;

-- Why a deployment is not complete --------------------------------------------------------------------------------------

create table stark.deployment_reasons (
  reason text primary key,
  status text not null,
  description text not null,
  completed_by text not null,
  constraint status_is_known check (status in ('complete', 'progressing', 'paused', 'failed', 'deleting'))
);
comment on table stark.deployment_reasons is 'Every reason that a deployment can give for its status, and what would complete it.';
comment on column stark.deployment_reasons.reason is 'One word, as in status_reason of a deployment.';
comment on column stark.deployment_reasons.status is 'The status that it is a reason for.';
comment on column stark.deployment_reasons.description is 'What it means.';
comment on column stark.deployment_reasons.completed_by is 'What would complete the deployment.';

insert into stark.deployment_reasons (reason, status, description, completed_by) values
  ('AsWanted', 'complete', 'Every wanted pod is available, and all are of the wanted revision.', 'nothing'),
  ('RolledBack', 'complete', 'A revision failed, and the last stable one runs again.', 'a newer version, or another template'),
  ('Progressing', 'progressing', 'Pods are made, start, or have to stay ready a little longer.', 'time'),
  ('Unschedulable', 'progressing', 'Pods fit on no node.', 'room, or a node that fits'),
  ('QuotaExceeded', 'progressing', 'The quota of the namespace has no room for all pods.', 'a larger quota, or fewer other pods'),
  ('LimitRangeViolated', 'progressing', 'The limit range of the namespace allows no pod like this.', 'another limit range, or other requests'),
  ('NodesNotHealthy', 'progressing', 'Pods are on nodes that are not healthy.', 'the nodes'' return, or their being given up'),
  ('WaitingForStops', 'progressing', 'Old pods have to end before new ones are made.', 'the end of the pods that are stopping'),
  ('NodeDraining', 'progressing', 'Pods leave nodes that are drained.', 'replacements that are available, or stark node uncordon'),
  ('RestartBackOff', 'progressing', 'A pod that failed for good is replaced after a while.', 'time'),
  ('VersionWithdrawn', 'progressing', 'The version was withdrawn: what runs stays, and nothing of it is started.', 'stark deployment set --ver'),
  ('Forbidden', 'progressing', 'Who changed the template last may not run it any more.', 'that right, or a change of the template by somebody who has it'),
  ('OwnerGone', 'progressing', 'Who changed the template last is no user any more.', 'a change of the template by somebody else'),
  ('ReconcileError', 'progressing', 'The controller met an error, and tries again.', 'the cause''s removal'),
  ('CanaryPause', 'paused', 'The rollout stands at a step of its canary.', 'its time, or stark rollout promote'),
  ('RolloutPaused', 'paused', 'Somebody holds the rollout.', 'stark rollout resume'),
  ('DeploymentPaused', 'paused', 'Somebody has frozen the deployment.', 'stark deployment resume'),
  ('CrashLoopBackOff', 'failed', 'Runs of the revision ended by themselves three times in a row.', 'another version or template'),
  ('ProgressDeadlineExceeded', 'failed', 'The rollout made no progress for as long as its deadline.', 'the named cause''s removal, or another template'),
  ('Deleting', 'deleting', 'The deployment goes with the last of its pods.', 'the end of its pods');

alter table stark.deployment_reasons enable row level security;
create policy "members read the reasons" on stark.deployment_reasons for select to authenticated using ((select stark_internal.is_member()));
grant select on stark.deployment_reasons to authenticated, service_role;

-- Tables ----------------------------------------------------------------------------------------------------------------

create table stark.deployments (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  namespace text not null references stark.namespaces (name),
  pack_id uuid not null references stark.packs (id),
  pack_name text not null,
  labels jsonb not null default '{}',
  annotations jsonb not null default '{}',
  mode text not null default 'replicated',
  replicas integer not null default 1,
  follow_latest boolean not null default false,
  version_range text,
  include_prerelease boolean not null default false,
  strategy text not null default 'RollingUpdate',
  max_surge jsonb not null default '"25%"',
  max_unavailable jsonb not null default '"25%"',
  min_ready_seconds integer not null default 10,
  progress_deadline_seconds integer not null default 600,
  revision_history_limit integer not null default 10,
  auto_rollback boolean not null default true,
  canary_steps jsonb not null default '[]',
  disruption_max_unavailable jsonb,
  paused boolean not null default false,
  rollout_paused boolean not null default false,
  deletion_requested_at timestamptz,
  deletion_forced boolean not null default false,
  acts_as uuid references stark.profiles (id) on delete set null,
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  generation bigint not null default 1,
  observed_generation bigint not null default 0,
  revision bigint not null default 1,
  follow_after text,
  status text not null default 'progressing',
  status_reason text references stark.deployment_reasons (reason) default 'Progressing',
  status_message text,
  conditions jsonb not null default '[]',
  desired_replicas integer not null default 0,
  current_replicas integer not null default 0,
  updated_replicas integer not null default 0,
  ready_replicas integer not null default 0,
  available_replicas integer not null default 0,
  unavailable_replicas integer not null default 0,
  reconciled_at timestamptz,
  next_reconcile_at timestamptz,
  reconcile_errors integer not null default 0,
  resource_version bigint not null default 1,
  constraint deployment_name_is_unique_in_its_namespace unique (namespace, name),
  -- With a hash and five letters it is the name of a pod.
  constraint deployment_name_is_a_short_dns_label check (stark_internal.is_dns_label(name) and length(name) <= 46),
  constraint deployment_labels_are_labels check (stark_internal.labels_problem(labels) is null),
  constraint deployment_annotations_are_annotations check (stark_internal.annotations_problem(annotations) is null),
  constraint mode_is_known check (mode in ('replicated', 'daemon')),
  constraint replicas_are_from_0_to_10000 check (replicas between 0 and 10000),
  constraint only_who_follows_has_a_range check (follow_latest or (version_range is null and not include_prerelease)),
  constraint strategy_is_known check (strategy in ('RollingUpdate', 'Recreate')),
  constraint max_surge_is_an_amount check (stark_internal.is_amount(max_surge)),
  constraint max_unavailable_is_an_amount check (stark_internal.is_amount(max_unavailable)),
  constraint disruption_max_unavailable_is_an_amount check (disruption_max_unavailable is null or stark_internal.is_amount(disruption_max_unavailable)),
  constraint min_ready_seconds_are_less_than_the_deadline check (min_ready_seconds between 0 and progress_deadline_seconds - 1),
  constraint progress_deadline_seconds_are_from_1_to_86400 check (progress_deadline_seconds between 1 and 86400),
  constraint revision_history_limit_is_from_0_to_100 check (revision_history_limit between 0 and 100),
  constraint canary_steps_are_steps check (stark_internal.canary_problem(canary_steps) is null),
  constraint deployment_status_is_known check (status in ('complete', 'progressing', 'paused', 'failed', 'deleting')),
  constraint next_look_is_within_an_hour check (next_reconcile_at <= reconciled_at + interval '1 hour')
)
-- Written with each look: room on each page keeps such an update in place, without a word to the indexes.
with (fillfactor = 50);
create index deployments_pack_id_idx on stark.deployments (pack_id);
create index deployments_acts_as_idx on stark.deployments (acts_as);
create index deployments_created_by_idx on stark.deployments (created_by);
create index deployments_status_reason_idx on stark.deployments (status_reason);
create index deployments_next_reconcile_at_idx on stark.deployments (next_reconcile_at) where next_reconcile_at is not null;
comment on table stark.deployments is 'Wanted pods of one pack: what is wanted, and the controller''s last word.';
comment on column stark.deployments.name is 'Name, a DNS label of at most 46 characters, unique in the namespace; never changes.';
comment on column stark.deployments.namespace is 'Namespace; never changes.';
comment on column stark.deployments.pack_name is 'Name of the pack; never changes.';
comment on column stark.deployments.labels is 'Labels of the deployment itself.';
comment on column stark.deployments.annotations is 'What people and tools note about it.';
comment on column stark.deployments.mode is 'replicated: a count of pods; daemon: one on every node that fits.';
comment on column stark.deployments.replicas is 'How many pods are wanted; of no meaning in daemon mode.';
comment on column stark.deployments.follow_latest is 'Takes each newer version of the pack when it is finished.';
comment on column stark.deployments.version_range is 'Of which versions it takes the newest, as node-semver writes ranges; null for all releases.';
comment on column stark.deployments.include_prerelease is 'Whether it takes pre-releases too.';
comment on column stark.deployments.strategy is 'RollingUpdate, or Recreate: old pods end before new ones are made.';
comment on column stark.deployments.max_surge is 'How many pods more than wanted a rollout may have: a number, or percents rounded up.';
comment on column stark.deployments.max_unavailable is 'How many pods less than wanted may be available by the controller''s hand: a number, or percents rounded down.';
comment on column stark.deployments.min_ready_seconds is 'A pod is available when it has been ready for so long.';
comment on column stark.deployments.progress_deadline_seconds is 'A rollout that makes no progress for so long has failed.';
comment on column stark.deployments.revision_history_limit is 'How many old revisions are kept; the last stable one always is.';
comment on column stark.deployments.auto_rollback is 'Whether the last stable template becomes the newest revision when one fails.';
comment on column stark.deployments.canary_steps is 'Steps of a rollout: {weight}, percents of the pods, and {pause}.';
comment on column stark.deployments.disruption_max_unavailable is 'The disruption budget: how many pods less than wanted may be available by a drain, a number, or percents rounded up; null: a drain stops all at once.';
comment on column stark.deployments.paused is 'Frozen: changes are stored, and nothing is done.';
comment on column stark.deployments.rollout_paused is 'The rollout is held; what fails is replaced by its own revision.';
comment on column stark.deployments.deletion_requested_at is 'When it was asked to go; it goes with the last of its pods.';
comment on column stark.deployments.deletion_forced is 'Whether its pods are evicted at once instead of being stopped with their grace.';
comment on column stark.deployments.acts_as is 'Who changed the template last: its pods are made with the rights that this user has now.';
comment on column stark.deployments.created_by is 'Whose it is.';
comment on column stark.deployments.generation is 'Grows with each change of what is wanted.';
comment on column stark.deployments.observed_generation is 'The generation that the controller has seen.';
comment on column stark.deployments.revision is 'The revision that is wanted.';
comment on column stark.deployments.follow_after is 'Following waits for a version newer than this one, which an undo has left; null when it does not wait.';
comment on column stark.deployments.status is 'complete, progressing, paused, failed, deleting.';
comment on column stark.deployments.status_reason is 'Why, one word of stark.deployment_reasons.';
comment on column stark.deployments.status_message is 'Why, one line for people.';
comment on column stark.deployments.conditions is 'Available, Progressing and ReplicaFailure, as Kubernetes has them: [{type, status, reason, message, lastTransitionTime}].';
comment on column stark.deployments.desired_replicas is 'How many pods the controller aims at.';
comment on column stark.deployments.current_replicas is 'Its pods that have not ended and are not stopping.';
comment on column stark.deployments.updated_replicas is 'Of these, those of the wanted revision.';
comment on column stark.deployments.ready_replicas is 'Of these, those that are ready on a healthy node.';
comment on column stark.deployments.available_replicas is 'Of these, those that have been ready for min_ready_seconds.';
comment on column stark.deployments.unavailable_replicas is 'How many of the desired are not available.';
comment on column stark.deployments.reconciled_at is 'When the controller looked last.';
comment on column stark.deployments.next_reconcile_at is 'When it looks again if nothing happens.';
comment on column stark.deployments.reconcile_errors is 'How many looks have failed in a row.';
comment on column stark.deployments.resource_version is 'Grows with each change.';

create table stark.deployment_revisions (
  deployment_id uuid not null references stark.deployments (id) on delete cascade,
  revision bigint not null,
  namespace text not null,
  deployment_name text not null,
  template_hash text not null,
  template jsonb not null,
  pack_version_id uuid not null references stark.pack_versions (id),
  version text not null,
  cause text not null,
  change_cause text,
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  status text not null default 'progressing',
  status_reason text,
  status_message text,
  stable_at timestamptz,
  failed_at timestamptz,
  wanted integer not null default 0,
  current_replicas integer not null default 0,
  ready_replicas integer not null default 0,
  available_replicas integer not null default 0,
  waited interval not null default '0',
  step integer not null default 0,
  step_waited interval not null default '0',
  failures_cleared_at timestamptz,
  resource_version bigint not null default 1,
  primary key (deployment_id, revision),
  constraint template_hash_is_10_hex_digits check (template_hash ~ '^[0-9a-f]{10}$'),
  constraint cause_is_known check (cause in ('create', 'update', 'restart', 'follow', 'undo', 'rollback')),
  constraint change_cause_is_short check (length(change_cause) <= 1024),
  constraint revision_status_is_known check (status in ('progressing', 'stable', 'failed', 'superseded'))
);
create index deployment_revisions_pack_version_id_idx on stark.deployment_revisions (pack_version_id);
create index deployment_revisions_created_by_idx on stark.deployment_revisions (created_by);
create index deployment_revisions_hash_idx on stark.deployment_revisions (deployment_id, template_hash);
comment on table stark.deployment_revisions is 'The templates that a deployment has had, and how each fared.';
comment on column stark.deployment_revisions.deployment_id is 'The deployment.';
comment on column stark.deployment_revisions.revision is 'Counts the deployment''s templates; never given twice.';
comment on column stark.deployment_revisions.namespace is 'Namespace of the deployment.';
comment on column stark.deployment_revisions.deployment_name is 'Name of the deployment.';
comment on column stark.deployment_revisions.template_hash is 'Of the whole template; its pods have it as label pod-template-hash and in their names.';
comment on column stark.deployment_revisions.template is 'What makes a pod: {labels, annotations, priority, spec}; env and config of the spec are kept apart.';
comment on column stark.deployment_revisions.version is 'Version of the pack.';
comment on column stark.deployment_revisions.cause is 'What made it: create, update, restart, follow, undo, rollback.';
comment on column stark.deployment_revisions.change_cause is 'Why, as somebody said.';
comment on column stark.deployment_revisions.created_by is 'Who made it, or took it over as it was; of follow and rollback the one whose rights its pods have.';
comment on column stark.deployment_revisions.status is 'progressing, stable, failed, superseded by a newer one.';
comment on column stark.deployment_revisions.status_reason is 'Why it failed, one word.';
comment on column stark.deployment_revisions.status_message is 'Why it failed, one line.';
comment on column stark.deployment_revisions.stable_at is 'When its rollout was complete.';
comment on column stark.deployment_revisions.failed_at is 'When it failed.';
comment on column stark.deployment_revisions.wanted is 'How many of its pods the controller wants now.';
comment on column stark.deployment_revisions.current_replicas is 'Its pods that have not ended and are not stopping.';
comment on column stark.deployment_revisions.ready_replicas is 'Of these, those that are ready on a healthy node.';
comment on column stark.deployment_revisions.available_replicas is 'Of these, those that have been ready for min_ready_seconds.';
comment on column stark.deployment_revisions.waited is 'For how long its rollout has made no progress.';
comment on column stark.deployment_revisions.step is 'How many steps of the canary it has passed.';
comment on column stark.deployment_revisions.step_waited is 'For how long it has been at the present step.';
comment on column stark.deployment_revisions.failures_cleared_at is 'When one of its pods became available last: failures before do not count.';
comment on column stark.deployment_revisions.resource_version is 'Grows with each change.';

-- Apart from the template, so that no event and no reader of revisions has them.
create table stark_internal.revision_secrets (
  deployment_id uuid not null,
  revision bigint not null,
  secrets jsonb not null,
  salt uuid,
  primary key (deployment_id, revision),
  foreign key (deployment_id, revision) references stark.deployment_revisions (deployment_id, revision) on delete cascade
);
comment on table stark_internal.revision_secrets is 'env and config of the specs of templates.';
comment on column stark_internal.revision_secrets.salt is 'Stands for them in the hash of the template, which everybody may see; the same for the same secrets of a deployment, null where there are none.';
alter table stark_internal.revision_secrets enable row level security;
create policy "nobody reads secrets of revisions" on stark_internal.revision_secrets for select to authenticated using (false);

create table stark_internal.failed_runs (
  id bigint generated always as identity primary key,
  deployment_id uuid not null references stark.deployments (id) on delete cascade,
  revision bigint not null,
  pod_id uuid not null,
  node_id uuid,
  failed_at timestamptz not null,
  for_good boolean not null,
  was_ready_since timestamptz,
  message text
);
create index failed_runs_deployment_id_idx on stark_internal.failed_runs (deployment_id, revision);
comment on table stark_internal.failed_runs is 'Runs of managed pods that ended by themselves and were not followed yet by one that was ready for long enough.';
alter table stark_internal.failed_runs enable row level security;
create policy "nobody reads failed runs" on stark_internal.failed_runs for select to authenticated using (false);

create table stark_internal.first_availabilities (
  pod_id uuid primary key references stark.pods (id) on delete cascade,
  deployment_id uuid not null references stark.deployments (id) on delete cascade
);
create index first_availabilities_deployment_id_idx on stark_internal.first_availabilities (deployment_id);
comment on table stark_internal.first_availabilities is 'Pods of a rollout that have been available: each is progress once.';
alter table stark_internal.first_availabilities enable row level security;
create policy "nobody reads availabilities" on stark_internal.first_availabilities for select to authenticated using (false);

create table stark_internal.blocked_versions (
  deployment_id uuid not null references stark.deployments (id) on delete cascade,
  pack_version_id uuid not null references stark.pack_versions (id) on delete cascade,
  failures integer not null default 1,
  blocked_until timestamptz not null,
  primary key (deployment_id, pack_version_id)
);
create index blocked_versions_pack_version_id_idx on stark_internal.blocked_versions (pack_version_id);
comment on table stark_internal.blocked_versions is 'Versions that failed in a deployment, and until when each is not tried again.';
alter table stark_internal.blocked_versions enable row level security;
create policy "nobody reads blocked versions" on stark_internal.blocked_versions for select to authenticated using (false);

-- What pods have of it --------------------------------------------------------------------------------------------------

alter table stark.pods
  add column deployment_id uuid references stark.deployments (id) on delete set null,
  add column revision bigint,
  add column pinned_node_id uuid;
create index pods_deployment_id_idx on stark.pods (deployment_id, revision) where deployment_id is not null and finished_at is null;
create index pods_of_deployments_ended_idx on stark.pods (deployment_id, finished_at) where deployment_id is not null and finished_at is not null;
comment on column stark.pods.deployment_id is 'The deployment that it belongs to; null where a person made it.';
comment on column stark.pods.revision is 'The revision of the deployment that it was made for.';
-- No foreign key: a pod whose node was removed must not become one that fits anywhere.
comment on column stark.pods.pinned_node_id is 'The node that it was made for, by a deployment that runs one on every node; null for all other pods.';

-- Which nodes fit each deployment of daemon mode, as the controller has worked it out.
create table stark_internal.daemon_nodes (
  deployment_id uuid not null references stark.deployments (id) on delete cascade,
  node_id uuid not null references stark.nodes (id) on delete cascade,
  primary key (deployment_id, node_id)
);
create index daemon_nodes_node_id_idx on stark_internal.daemon_nodes (node_id);
comment on table stark_internal.daemon_nodes is 'The nodes that fit each deployment of daemon mode: it wants one pod on each.';
alter table stark_internal.daemon_nodes enable row level security;
create policy "nobody reads the nodes of daemons" on stark_internal.daemon_nodes for select to authenticated using (false);

create table stark_internal.daemon_fits (
  deployment_id uuid primary key references stark.deployments (id) on delete cascade,
  revision bigint not null,
  acts_as uuid,
  is_stale boolean not null default false
);
comment on table stark_internal.daemon_fits is 'For which template and whose rights the nodes of a deployment of daemon mode were worked out, and whether something has changed since.';
alter table stark_internal.daemon_fits enable row level security;
create policy "nobody reads the fits of daemons" on stark_internal.daemon_fits for select to authenticated using (false);

-- Counted by a trigger, as the amounts of nodes are: a report on one of five thousand pods must not count the others.
create table stark_internal.managed_counts (
  id bigint generated always as identity primary key,
  deployment_id uuid not null references stark.deployments (id) on delete cascade,
  revision bigint not null,
  node_id uuid,
  live integer not null default 0,
  ready integer not null default 0,
  stopping integer not null default 0,
  unplaced integer not null default 0,
  constraint one_row_for_each_node unique nulls not distinct (deployment_id, revision, node_id)
);
comment on table stark_internal.managed_counts is 'How many unfinished pods of each revision are on each node, those without a node in a row of their own. Kept by a trigger on pods.';
alter table stark_internal.managed_counts enable row level security;
create policy "nobody reads managed counts" on stark_internal.managed_counts for select to authenticated using (false);
-- Who became ready a moment ago is not available yet.
create index pods_managed_ready_at_idx on stark.pods (deployment_id, ready_at) where deployment_id is not null and ready_at is not null and finished_at is null;

create type stark_internal.managed_count as (deployment_id uuid, revision bigint, node_id uuid, live bigint, ready bigint, stopping bigint, unplaced bigint);
comment on type stark_internal.managed_count is 'What a statement adds to the managed pods on one node.';

/** stark_internal.counted_as(pod, sign) -> what a pod adds to the counts of its deployment. */
create function stark_internal.counted_as(p_pod stark.pods, p_sign integer)
returns stark_internal.managed_count
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return (p_pod.deployment_id, p_pod.revision, p_pod.node_id, p_sign * (p_pod.status <> 'stopping')::integer,
    p_sign * (p_pod.status = 'running' and p_pod.ready)::integer, p_sign * (p_pod.status = 'stopping')::integer,
    p_sign * (p_pod.status = 'pending' and p_pod.status_reason is not distinct from 'Unschedulable')::integer)::stark_internal.managed_count;
end;
$$;
comment on function stark_internal.counted_as(stark.pods, integer) is 'What a pod adds to the counts of its deployment.';
revoke all on function stark_internal.counted_as(stark.pods, integer) from public, anon;

/** stark_internal.count_managed_pods(): statement trigger; managed_counts follows every change of managed pods, by any writer. */
create function stark_internal.count_managed_pods()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_changes stark_internal.managed_count[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_changes := array(select stark_internal.counted_as(n, 1) from new_rows n where n.deployment_id is not null and n.finished_at is null);
  elsif tg_op = 'DELETE' then
    v_changes := array(select stark_internal.counted_as(o, -1) from old_rows o where o.deployment_id is not null and o.finished_at is null);
  else
    v_changes := array(
      select stark_internal.counted_as(n, 1) from new_rows n where n.deployment_id is not null and n.finished_at is null
      union all
      select stark_internal.counted_as(o, -1) from old_rows o where o.deployment_id is not null and o.finished_at is null);
  end if;
  if v_changes = '{}' then
    return null;
  end if;
  insert into stark_internal.managed_counts as m (deployment_id, revision, node_id, live, ready, stopping, unplaced)
    select c.deployment_id, c.revision, c.node_id, sum(c.live), sum(c.ready), sum(c.stopping), sum(c.unplaced)
    from unnest(v_changes) c join stark.deployments d on d.id = c.deployment_id
    group by c.deployment_id, c.revision, c.node_id
    having sum(c.live) <> 0 or sum(c.ready) <> 0 or sum(c.stopping) <> 0 or sum(c.unplaced) <> 0
    on conflict (deployment_id, revision, node_id) do update set
      live = m.live + excluded.live, ready = m.ready + excluded.ready, stopping = m.stopping + excluded.stopping, unplaced = m.unplaced + excluded.unplaced;
  return null;
end;
$$;
comment on function stark_internal.count_managed_pods() is 'Keeps the counts of managed pods.';
revoke all on function stark_internal.count_managed_pods() from public, anon;

create trigger _200_count_new_managed_pods after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.count_managed_pods();
create trigger _200_count_changed_managed_pods after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.count_managed_pods();
create trigger _200_count_deleted_managed_pods after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.count_managed_pods();

-- Writing ---------------------------------------------------------------------------------------------------------------

create trigger _000_lock_cluster before insert or update or delete on stark.deployments
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _000_lock_cluster before insert or update or delete on stark.deployment_revisions
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.deployments
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();
create trigger _100_bump_version before update on stark.deployment_revisions
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

/** stark_internal.deployment_spec(deployment) -> what is wanted of it, without what the controller writes. */
create function stark_internal.deployment_spec(p_deployment stark.deployments)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select to_jsonb(p_deployment) - array['generation', 'observed_generation', 'status', 'status_reason', 'status_message', 'conditions', 'desired_replicas',
    'current_replicas', 'updated_replicas', 'ready_replicas', 'available_replicas', 'unavailable_replicas', 'reconciled_at', 'next_reconcile_at',
    'reconcile_errors', 'resource_version', 'updated_at', 'revision', 'acts_as', 'created_by', 'follow_after'];
$$;
comment on function stark_internal.deployment_spec(stark.deployments) is 'What is wanted of a deployment.';
revoke all on function stark_internal.deployment_spec(stark.deployments) from public, anon;

/** stark_internal.bump_generation(): before-update row trigger; generation grows with each change of what is wanted. A function that changes the template counts it up, and what the autoscaler changes is nobody's wish. */
create function stark_internal.bump_generation()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  -- The controller wishes for nothing, but that what is in a namespace that goes goes with it.
  if coalesce(pg_catalog.current_setting('stark.reconciling', true), '') = 'yes' and new.deletion_requested_at is not distinct from old.deletion_requested_at then
    return new;
  end if;
  if new.generation = old.generation and coalesce(pg_catalog.current_setting('stark.origin', true), '') <> 'autoscaler'
     and stark_internal.deployment_spec(old) is distinct from stark_internal.deployment_spec(new) then
    new.generation := old.generation + 1;
    new.updated_at := now();
  end if;
  return new;
end;
$$;
comment on function stark_internal.bump_generation() is 'Counts the changes of what is wanted of a deployment.';
revoke all on function stark_internal.bump_generation() from public, anon;

create trigger _100_bump_generation before update on stark.deployments
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_generation();

/**
 * stark_internal.write_deployment_events(kind, id column): statement trigger; events of deployments and revisions, without counts, which the events
 * of pods carry, and without times of looks. What changes nothing else has no event.
 */
create function stark_internal.write_deployment_events()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_silent constant text[] := array['desired_replicas', 'current_replicas', 'updated_replicas', 'ready_replicas', 'available_replicas', 'unavailable_replicas',
    'reconciled_at', 'next_reconcile_at', 'reconcile_errors', 'wanted', 'waited', 'step_waited', 'failures_cleared_at'];
  v_objects jsonb[];
begin
  -- Definer: every write to the table must leave an event, and no role may write events. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select array_agg(to_jsonb(n) - v_silent) into v_objects from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(to_jsonb(o) - v_silent) into v_objects from old_rows o;
  elsif tg_argv[0] = 'deployment' then
    select array_agg(to_jsonb(n) - v_silent) into v_objects from old_rows o join new_rows n using (name, namespace)
      where to_jsonb(o) - v_silent - 'resource_version' <> to_jsonb(n) - v_silent - 'resource_version';
  else
    select array_agg(to_jsonb(n) - v_silent) into v_objects from old_rows o join new_rows n using (deployment_name, namespace, revision)
      where to_jsonb(o) - v_silent - 'resource_version' <> to_jsonb(n) - v_silent - 'resource_version';
  end if;
  perform stark_internal.append_events(tg_argv[0], case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end, tg_argv[1], v_objects);
  return null;
end;
$$;
comment on function stark_internal.write_deployment_events() is 'Writes events of deployments and their revisions, without counts.';
revoke all on function stark_internal.write_deployment_events() from public, anon;

do $$
declare
  v_table record;
begin
  for v_table in select * from (values ('deployments', 'deployment', 'id'), ('deployment_revisions', 'deployment_revision', 'deployment_id')) t (name, kind, id_column) loop
    execute format('create trigger _800_write_events_of_new after insert on stark.%I referencing new table as new_rows
      for each statement execute function stark_internal.write_deployment_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    execute format('create trigger _800_write_events_of_changed after update on stark.%I referencing old table as old_rows new table as new_rows
      for each statement execute function stark_internal.write_deployment_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    execute format('create trigger _800_write_events_of_deleted after delete on stark.%I referencing old table as old_rows
      for each statement execute function stark_internal.write_deployment_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
  end loop;
end;
$$;

-- Reading ---------------------------------------------------------------------------------------------------------------

alter table stark.deployments enable row level security;
alter table stark.deployment_revisions enable row level security;
create policy "members read deployments of their namespaces, and theirs" on stark.deployments for select to authenticated
  using (
    namespace = any ((select stark_internal.permitted_namespaces('deployments:get'))::text[])
    or (created_by = (select auth.uid()) and namespace = any ((select stark_internal.permitted_namespaces('deployments:get', true))::text[]))
  );
create policy "revisions are read with their deployment" on stark.deployment_revisions for select to authenticated
  using (deployment_id in (select d.id from stark.deployments d));
grant select on stark.deployments, stark.deployment_revisions to authenticated, service_role;

/** stark_internal.controller_time() -> what time it is to the controller: now, unless the session has set stark.now, as tests do. */
create function stark_internal.controller_time()
returns timestamptz
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return coalesce(nullif(pg_catalog.current_setting('stark.now', true), '')::timestamptz, now());
end;
$$;
comment on function stark_internal.controller_time() is 'What time it is to the controller.';
revoke all on function stark_internal.controller_time() from public, anon;

create table stark_internal.deployments_to_reconcile (
  deployment_id uuid primary key references stark.deployments (id) on delete cascade
);
comment on table stark_internal.deployments_to_reconcile is 'Deployments that something has happened to in this transaction.';
alter table stark_internal.deployments_to_reconcile enable row level security;
create policy "nobody reads notes" on stark_internal.deployments_to_reconcile for select to authenticated using (false);

/** stark_internal.note_deployments(ids): these are to be looked at before the transaction ends. The controller's own writes note nothing. */
create function stark_internal.note_deployments(p_ids uuid[])
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  if cardinality(p_ids) > 0 and coalesce(pg_catalog.current_setting('stark.reconciling', true), '') <> 'yes' then
    insert into stark_internal.deployments_to_reconcile (deployment_id)
      select d.id from stark.deployments d where d.id = any (p_ids) order by d.id on conflict do nothing;
  end if;
end;
$$;
comment on function stark_internal.note_deployments(uuid[]) is 'Notes deployments that something has happened to.';
revoke all on function stark_internal.note_deployments(uuid[]) from public, anon;
