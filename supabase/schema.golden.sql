-- What the migrations make. Written by scripts/db/dump.mjs, compared in CI; never applied.

-- Schemas

create schema stark;
comment on schema stark is 'Stark''s API: tables guarded by row level security, and functions to call.';
grant usage on schema stark to anon;
grant usage on schema stark to authenticated;
grant usage on schema stark to service_role;

create schema stark_internal;
comment on schema stark_internal is 'Stark''s machinery. Not exposed, not usable by API roles.';

-- Types

create type stark_internal.allocation_change as (
  node_id uuid,
  cpu bigint,
  memory bigint,
  storage bigint,
  pods bigint
);
comment on type stark_internal.allocation_change is 'What a statement adds to one node''s allocated.';

create type stark_internal.budget_state as (
  deployment_id uuid,
  available bigint,
  "least" bigint,
  wanted integer,
  most integer,
  is_replaceable boolean,
  why_not text,
  template_hash text,
  set_available integer,
  set_wanted integer
);
comment on type stark_internal.budget_state is 'Where a disruption budget stands, for each revision of its deployment: available pods, how few there may be, and whether replacements come first or cannot be made.';

create type stark_internal.daemon_step as (
  deployment_id uuid,
  node_id uuid,
  pod_id uuid,
  step text,
  revision bigint
);
comment on type stark_internal.daemon_step is 'What is to be done on a node for a deployment of daemon mode: keep or stop its pod, make one of a revision, or wait for the end of the one that stops before one is made.';

create type stark_internal.deployment_word as (
  deployment_id uuid,
  reason text,
  message text,
  due_at timestamp with time zone,
  replicas integer,
  "least" integer,
  stands_still boolean
);
comment on type stark_internal.deployment_word is 'Why a deployment is as it is, and when that may change by itself; of its terms how many pods are wanted, how many have to be available, and whether nothing is done for it.';

create type stark_internal.held_pod as (
  pod_id uuid,
  deployment_id uuid,
  template_hash text,
  node_id uuid,
  ready_at timestamp with time zone
);
comment on type stark_internal.held_pod is 'An available pod on a node that is drained, whose deployment has a disruption budget.';

create type stark_internal.managed_count as (
  deployment_id uuid,
  revision bigint,
  node_id uuid,
  live bigint,
  ready bigint,
  stopping bigint,
  unplaced bigint
);
comment on type stark_internal.managed_count is 'What a statement adds to the managed pods on one node.';

create type stark_internal.managed_pod as (
  deployment_id uuid,
  revision bigint,
  spec jsonb,
  maker uuid,
  pinned_node_id uuid
);
comment on type stark_internal.managed_pod is 'A pod that a deployment lacks: of which revision, with whose rights, and on which node where it is made for one.';

create type stark_internal.metric_reading as (
  deployment_id uuid,
  ord bigint,
  name text,
  type text,
  target numeric,
  value numeric,
  pods integer,
  missing integer,
  desired integer,
  is_reported boolean
);
comment on type stark_internal.metric_reading is 'What one metric of a deployment says: value of so many pods, others missing; the replicas that it asks for, null when it says nothing. Reported ones do not come from its pods.';

create type stark_internal.planned_object as (
  kind text,
  scope text,
  name text,
  stated jsonb,
  present jsonb,
  before jsonb,
  action text,
  patch jsonb,
  object_id text,
  project text,
  may_update boolean,
  bundle jsonb
);
comment on type stark_internal.planned_object is 'What is to be done to an object: what is present, what was stated before, and the patch between.';

create type stark_internal.pod_group as (
  priority integer,
  runtime text,
  visibility text,
  pack_owner uuid,
  template jsonb,
  rules_no integer,
  matches integer[],
  preempts boolean,
  cpu bigint,
  memory bigint,
  storage bigint
);
comment on type stark_internal.pod_group is 'Pending pods with the same constraints: cpu, memory and storage are the most that one of them asks for, rules_no names their rules about other pods, matches the selectors that match them.';

create type stark_internal.pod_report as (
  ord bigint,
  nth bigint,
  pod_id uuid,
  status text,
  reason text,
  message text,
  exit_code integer,
  restarts integer,
  ready boolean,
  ports jsonb,
  observed_at timestamp with time zone
);
comment on type stark_internal.pod_report is 'A well-formed report of an agent: ord counts all reports of a call, nth those on one pod.';

create type stark_internal.pod_request as (
  pod_id uuid,
  cpu bigint,
  memory bigint,
  storage bigint
);
comment on type stark_internal.pod_request is 'A pending pod of a group and what it asks for: groups are handed on as lists of them, in the order in which they are served.';

create type stark_internal.revision_set as (
  deployment_id uuid,
  template_hash text,
  revision bigint,
  live integer,
  ready integer,
  available integer,
  dark integer,
  stopping integer,
  unplaced integer,
  nodes integer,
  due_at timestamp with time zone,
  wanted integer
);
comment on type stark_internal.revision_set is 'The unfinished pods of one template of a deployment: live ones are not stopping, dark ones on a node that is not healthy, unplaced ones fit nowhere; due_at is when the next one becomes available; wanted is how many there shall be.';

create type stark_internal.scaling_decision as (
  deployment_id uuid,
  replicas integer,
  recommended integer,
  wanted integer,
  reason text,
  stopped text,
  unread text,
  stabilized text,
  limited text,
  because text,
  idle_since timestamp with time zone,
  may_sleep boolean,
  metrics jsonb
);
comment on type stark_internal.scaling_decision is 'What the autoscaler makes of a deployment: what the metrics recommend, what is wanted, and why. stopped: why it does nothing; unread: metrics of which nothing is known; because: what asked for most.';

create type stark_internal.stated_object as (
  ordinal integer,
  rank integer,
  kind text,
  scope text,
  name text,
  stated jsonb
);
comment on type stark_internal.stated_object is 'An object that an apply states. rank: before which others it is written.';

-- Tables

create table stark.autoscaler_recommendations (
  id bigint not null,
  deployment_id uuid not null,
  recommended_at timestamp with time zone not null,
  replicas integer not null,
  recommended integer not null,
  wanted integer not null,
  reason text not null,
  metrics jsonb default '[]'::jsonb not null
);
alter table stark.autoscaler_recommendations enable row level security;
alter table stark.autoscaler_recommendations add constraint autoscaler_recommendations_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.autoscalers(deployment_id) ON DELETE CASCADE;
alter table stark.autoscaler_recommendations add constraint autoscaler_recommendations_pkey PRIMARY KEY (id);
CREATE INDEX autoscaler_recommendations_deployment_id_idx ON stark.autoscaler_recommendations USING btree (deployment_id, id);
create policy "recommendations are read with their deployment" on stark.autoscaler_recommendations for select to authenticated
  using ((deployment_id IN ( SELECT d.id
   FROM stark.deployments d)));
comment on table stark.autoscaler_recommendations is 'What autoscalers recommended in the last hour: a row whenever the answer changes, which is in force until the next.';
comment on column stark.autoscaler_recommendations.id is 'In the order of time.';
comment on column stark.autoscaler_recommendations.deployment_id is 'The deployment.';
comment on column stark.autoscaler_recommendations.recommended_at is 'Since when.';
comment on column stark.autoscaler_recommendations.replicas is 'How many pods were wanted before.';
comment on column stark.autoscaler_recommendations.recommended is 'How many pods the metrics alone asked for.';
comment on column stark.autoscaler_recommendations.wanted is 'How many are wanted after windows, rates and bounds.';
comment on column stark.autoscaler_recommendations.reason is 'Why it is that many, one word.';
comment on column stark.autoscaler_recommendations.metrics is 'What was seen then: [{name, type, target, value, pods, missing}].';
grant select on table stark.autoscaler_recommendations to authenticated;
grant select on table stark.autoscaler_recommendations to service_role;

create table stark.autoscalers (
  deployment_id uuid not null,
  namespace text not null,
  name text not null,
  min_replicas integer not null,
  max_replicas integer not null,
  metrics jsonb default '[]'::jsonb not null,
  recommended integer,
  wanted integer,
  reason text,
  idle_since timestamp with time zone,
  scaled_to_zero boolean default false not null,
  scaled_at timestamp with time zone,
  looked_at timestamp with time zone,
  next_look_at timestamp with time zone not null
);
alter table stark.autoscalers enable row level security;
alter table stark.autoscalers add constraint autoscalers_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark.autoscalers add constraint autoscalers_pkey PRIMARY KEY (deployment_id);
CREATE INDEX autoscalers_asleep_idx ON stark.autoscalers USING btree (namespace) WHERE scaled_to_zero;
CREATE INDEX autoscalers_next_look_at_idx ON stark.autoscalers USING btree (next_look_at);
create policy "autoscalers are read with their deployment" on stark.autoscalers for select to authenticated
  using ((deployment_id IN ( SELECT d.id
   FROM stark.deployments d)));
comment on table stark.autoscalers is 'What the autoscaler of each deployment saw and answered last. Apart from deployments: written every 15 seconds, without events.';
comment on column stark.autoscalers.deployment_id is 'The deployment.';
comment on column stark.autoscalers.namespace is 'Namespace of the deployment.';
comment on column stark.autoscalers.name is 'Name of the deployment.';
comment on column stark.autoscalers.min_replicas is 'How many pods it wants at least.';
comment on column stark.autoscalers.max_replicas is 'How many pods it wants at most.';
comment on column stark.autoscalers.metrics is 'What was seen of each metric: [{name, type, target, value, pods, missing}]; no value where nothing was said of it.';
comment on column stark.autoscalers.recommended is 'How many pods the metrics alone ask for.';
comment on column stark.autoscalers.wanted is 'How many pods are wanted after windows, rates and bounds.';
comment on column stark.autoscalers.reason is 'Why it is that many, one word.';
comment on column stark.autoscalers.idle_since is 'Since when there is nothing to do for its last pod; null while there is, or while the rollout is not stable.';
comment on column stark.autoscalers.scaled_to_zero is 'Whether the autoscaler stopped the last pod, so that a number above 0 wakes it; what a person has scaled to 0 is not woken.';
comment on column stark.autoscalers.scaled_at is 'When it changed the replicas last.';
comment on column stark.autoscalers.looked_at is 'When it looked last.';
comment on column stark.autoscalers.next_look_at is 'When it looks again.';
grant select on table stark.autoscalers to authenticated;
grant select on table stark.autoscalers to service_role;

create table stark.cluster_config (
  name text default 'cluster'::text not null,
  scheduling_policy text default 'spread'::text not null,
  scheduling_seed bigint default 0 not null,
  default_namespace text default 'default'::text not null,
  default_cpu_request integer default 100 not null,
  default_memory_request integer default 128 not null,
  allow_registration boolean default true not null,
  allow_node_registration boolean default false not null,
  default_grace_seconds integer default 30 not null,
  max_pods_per_node integer default 10 not null,
  event_retention_days integer default 7 not null,
  log_retention_days integer default 3 not null,
  max_log_lines_per_pod integer default 10000 not null,
  ended_pod_retention_days integer default 30 not null,
  liveness text default 'fast'::text not null,
  heartbeat_interval integer default 0 not null,
  heartbeat_timeout integer default 0 not null,
  updated_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.cluster_config enable row level security;
alter table stark.cluster_config add constraint default_cpu_request_is_from_0_to_1000000 CHECK (((default_cpu_request >= 0) AND (default_cpu_request <= 1000000)));
alter table stark.cluster_config add constraint default_grace_seconds_is_from_0_to_3600 CHECK (((default_grace_seconds >= 0) AND (default_grace_seconds <= 3600)));
alter table stark.cluster_config add constraint default_memory_request_is_from_0_to_1000000000 CHECK (((default_memory_request >= 0) AND (default_memory_request <= 1000000000)));
alter table stark.cluster_config add constraint default_namespace_is_a_dns_label CHECK (stark_internal.is_dns_label(default_namespace));
alter table stark.cluster_config add constraint ended_pod_retention_days_is_from_1_to_3650 CHECK (((ended_pod_retention_days >= 1) AND (ended_pod_retention_days <= 3650)));
alter table stark.cluster_config add constraint event_retention_days_is_from_1_to_3650 CHECK (((event_retention_days >= 1) AND (event_retention_days <= 3650)));
alter table stark.cluster_config add constraint heartbeat_interval_is_from_0_to_3600 CHECK (((heartbeat_interval >= 0) AND (heartbeat_interval <= 3600)));
alter table stark.cluster_config add constraint heartbeat_timeout_is_from_0_to_3600 CHECK (((heartbeat_timeout >= 0) AND (heartbeat_timeout <= 3600)));
alter table stark.cluster_config add constraint heartbeat_timeout_outlasts_the_interval CHECK (((liveness <> 'fast'::text) OR (COALESCE(NULLIF(heartbeat_timeout, 0), 30) > COALESCE(NULLIF(heartbeat_interval, 0), 15))));
alter table stark.cluster_config add constraint liveness_is_fast_or_thrifty CHECK ((liveness = ANY (ARRAY['fast'::text, 'thrifty'::text])));
alter table stark.cluster_config add constraint log_retention_days_is_from_1_to_3650 CHECK (((log_retention_days >= 1) AND (log_retention_days <= 3650)));
alter table stark.cluster_config add constraint max_log_lines_per_pod_is_from_100_to_1000000 CHECK (((max_log_lines_per_pod >= 100) AND (max_log_lines_per_pod <= 1000000)));
alter table stark.cluster_config add constraint max_pods_per_node_is_from_0_to_500 CHECK (((max_pods_per_node >= 0) AND (max_pods_per_node <= 500)));
alter table stark.cluster_config add constraint scheduling_policy_is_known CHECK ((scheduling_policy = ANY (ARRAY['spread'::text, 'bin_pack'::text, 'least_loaded'::text, 'random'::text, 'affinity'::text])));
alter table stark.cluster_config add constraint there_is_one_row CHECK ((name = 'cluster'::text));
alter table stark.cluster_config add constraint cluster_config_pkey PRIMARY KEY (name);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.cluster_config FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.cluster_config FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.cluster_config REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.cluster_config REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.cluster_config REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.cluster_config REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('cluster_config', 'name');
create policy "members read the configuration" on stark.cluster_config for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
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
grant select on table stark.cluster_config to authenticated;
grant select on table stark.cluster_config to service_role;

create table stark.deployment_reasons (
  reason text not null,
  status text not null,
  description text not null,
  completed_by text not null
);
alter table stark.deployment_reasons enable row level security;
alter table stark.deployment_reasons add constraint status_is_known CHECK ((status = ANY (ARRAY['complete'::text, 'progressing'::text, 'paused'::text, 'failed'::text, 'deleting'::text])));
alter table stark.deployment_reasons add constraint deployment_reasons_pkey PRIMARY KEY (reason);
create policy "members read the reasons" on stark.deployment_reasons for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.deployment_reasons is 'Every reason that a deployment can give for its status, and what would complete it.';
comment on column stark.deployment_reasons.reason is 'One word, as in status_reason of a deployment.';
comment on column stark.deployment_reasons.status is 'The status that it is a reason for.';
comment on column stark.deployment_reasons.description is 'What it means.';
comment on column stark.deployment_reasons.completed_by is 'What would complete the deployment.';
grant select on table stark.deployment_reasons to authenticated;
grant select on table stark.deployment_reasons to service_role;

create table stark.deployment_revisions (
  deployment_id uuid not null,
  revision bigint not null,
  namespace text not null,
  deployment_name text not null,
  template_hash text not null,
  template jsonb not null,
  pack_version_id uuid not null,
  version text not null,
  cause text not null,
  change_cause text,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  status text default 'progressing'::text not null,
  status_reason text,
  status_message text,
  stable_at timestamp with time zone,
  failed_at timestamp with time zone,
  wanted integer default 0 not null,
  current_replicas integer default 0 not null,
  ready_replicas integer default 0 not null,
  available_replicas integer default 0 not null,
  waited interval default '00:00:00'::interval not null,
  step integer default 0 not null,
  step_waited interval default '00:00:00'::interval not null,
  failures_cleared_at timestamp with time zone,
  resource_version bigint default 1 not null
);
alter table stark.deployment_revisions enable row level security;
alter table stark.deployment_revisions add constraint cause_is_known CHECK ((cause = ANY (ARRAY['create'::text, 'update'::text, 'restart'::text, 'follow'::text, 'undo'::text, 'rollback'::text])));
alter table stark.deployment_revisions add constraint change_cause_is_short CHECK ((length(change_cause) <= 1024));
alter table stark.deployment_revisions add constraint revision_status_is_known CHECK ((status = ANY (ARRAY['progressing'::text, 'stable'::text, 'failed'::text, 'superseded'::text])));
alter table stark.deployment_revisions add constraint template_hash_is_10_hex_digits CHECK ((template_hash ~ '^[0-9a-f]{10}$'::text));
alter table stark.deployment_revisions add constraint deployment_revisions_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.deployment_revisions add constraint deployment_revisions_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark.deployment_revisions add constraint deployment_revisions_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES stark.pack_versions(id);
alter table stark.deployment_revisions add constraint deployment_revisions_pkey PRIMARY KEY (deployment_id, revision);
CREATE INDEX deployment_revisions_created_by_idx ON stark.deployment_revisions USING btree (created_by);
CREATE INDEX deployment_revisions_hash_idx ON stark.deployment_revisions USING btree (deployment_id, template_hash);
CREATE INDEX deployment_revisions_pack_version_id_idx ON stark.deployment_revisions USING btree (pack_version_id);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.deployment_revisions FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.deployment_revisions FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.deployment_revisions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment_revision', 'deployment_id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.deployment_revisions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment_revision', 'deployment_id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.deployment_revisions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment_revision', 'deployment_id');
create policy "revisions are read with their deployment" on stark.deployment_revisions for select to authenticated
  using ((deployment_id IN ( SELECT d.id
   FROM stark.deployments d)));
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
grant select on table stark.deployment_revisions to authenticated;
grant select on table stark.deployment_revisions to service_role;

create table stark.deployments (
  id uuid default gen_random_uuid() not null,
  name text not null,
  namespace text not null,
  pack_id uuid not null,
  pack_name text not null,
  labels jsonb default '{}'::jsonb not null,
  annotations jsonb default '{}'::jsonb not null,
  mode text default 'replicated'::text not null,
  replicas integer default 1 not null,
  follow_latest boolean default false not null,
  version_range text,
  include_prerelease boolean default false not null,
  strategy text default 'RollingUpdate'::text not null,
  max_surge jsonb default '"25%"'::jsonb not null,
  max_unavailable jsonb default '"25%"'::jsonb not null,
  min_ready_seconds integer default 10 not null,
  progress_deadline_seconds integer default 600 not null,
  revision_history_limit integer default 10 not null,
  auto_rollback boolean default true not null,
  canary_steps jsonb default '[]'::jsonb not null,
  disruption_max_unavailable jsonb,
  paused boolean default false not null,
  rollout_paused boolean default false not null,
  deletion_requested_at timestamp with time zone,
  deletion_forced boolean default false not null,
  acts_as uuid,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  generation bigint default 1 not null,
  observed_generation bigint default 0 not null,
  revision bigint default 1 not null,
  follow_after text,
  status text default 'progressing'::text not null,
  status_reason text default 'Progressing'::text,
  status_message text,
  conditions jsonb default '[]'::jsonb not null,
  desired_replicas integer default 0 not null,
  current_replicas integer default 0 not null,
  updated_replicas integer default 0 not null,
  ready_replicas integer default 0 not null,
  available_replicas integer default 0 not null,
  unavailable_replicas integer default 0 not null,
  reconciled_at timestamp with time zone,
  next_reconcile_at timestamp with time zone,
  reconcile_errors integer default 0 not null,
  resource_version bigint default 1 not null,
  autoscale jsonb
);
alter table stark.deployments enable row level security;
alter table stark.deployments add constraint autoscale_is_an_autoscaler CHECK ((stark_internal.autoscale_problem(autoscale) IS NULL));
alter table stark.deployments add constraint canary_steps_are_steps CHECK ((stark_internal.canary_problem(canary_steps) IS NULL));
alter table stark.deployments add constraint deployment_annotations_are_annotations CHECK ((stark_internal.annotations_problem(annotations) IS NULL));
alter table stark.deployments add constraint deployment_labels_are_labels CHECK ((stark_internal.labels_problem(labels) IS NULL));
alter table stark.deployments add constraint deployment_name_is_a_short_dns_label CHECK ((stark_internal.is_dns_label(name) AND (length(name) <= 46)));
alter table stark.deployments add constraint deployment_status_is_known CHECK ((status = ANY (ARRAY['complete'::text, 'progressing'::text, 'paused'::text, 'failed'::text, 'deleting'::text])));
alter table stark.deployments add constraint disruption_max_unavailable_is_an_amount CHECK (((disruption_max_unavailable IS NULL) OR stark_internal.is_amount(disruption_max_unavailable)));
alter table stark.deployments add constraint max_surge_is_an_amount CHECK (stark_internal.is_amount(max_surge));
alter table stark.deployments add constraint max_unavailable_is_an_amount CHECK (stark_internal.is_amount(max_unavailable));
alter table stark.deployments add constraint min_ready_seconds_are_less_than_the_deadline CHECK (((min_ready_seconds >= 0) AND (min_ready_seconds <= (progress_deadline_seconds - 1))));
alter table stark.deployments add constraint mode_is_known CHECK ((mode = ANY (ARRAY['replicated'::text, 'daemon'::text])));
alter table stark.deployments add constraint next_look_is_within_an_hour CHECK ((next_reconcile_at <= (reconciled_at + '01:00:00'::interval)));
alter table stark.deployments add constraint only_replicas_are_autoscaled CHECK (((autoscale IS NULL) OR (mode = 'replicated'::text)));
alter table stark.deployments add constraint only_who_follows_has_a_range CHECK ((follow_latest OR ((version_range IS NULL) AND (NOT include_prerelease))));
alter table stark.deployments add constraint progress_deadline_seconds_are_from_1_to_86400 CHECK (((progress_deadline_seconds >= 1) AND (progress_deadline_seconds <= 86400)));
alter table stark.deployments add constraint replicas_are_from_0_to_10000 CHECK (((replicas >= 0) AND (replicas <= 10000)));
alter table stark.deployments add constraint revision_history_limit_is_from_0_to_100 CHECK (((revision_history_limit >= 0) AND (revision_history_limit <= 100)));
alter table stark.deployments add constraint strategy_is_known CHECK ((strategy = ANY (ARRAY['RollingUpdate'::text, 'Recreate'::text])));
alter table stark.deployments add constraint deployments_acts_as_fkey FOREIGN KEY (acts_as) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.deployments add constraint deployments_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.deployments add constraint deployments_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name);
alter table stark.deployments add constraint deployments_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id);
alter table stark.deployments add constraint deployments_status_reason_fkey FOREIGN KEY (status_reason) REFERENCES stark.deployment_reasons(reason);
alter table stark.deployments add constraint deployments_pkey PRIMARY KEY (id);
alter table stark.deployments add constraint deployment_name_is_unique_in_its_namespace UNIQUE (namespace, name);
CREATE INDEX deployments_acts_as_idx ON stark.deployments USING btree (acts_as);
CREATE INDEX deployments_created_by_idx ON stark.deployments USING btree (created_by);
CREATE INDEX deployments_next_reconcile_at_idx ON stark.deployments USING btree (next_reconcile_at) WHERE (next_reconcile_at IS NOT NULL);
CREATE INDEX deployments_pack_id_idx ON stark.deployments USING btree (pack_id);
CREATE INDEX deployments_status_reason_idx ON stark.deployments USING btree (status_reason);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.deployments FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_generation BEFORE UPDATE ON stark.deployments FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_generation();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.deployments FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _600_follow_autoscale_of_changed AFTER UPDATE ON stark.deployments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_autoscale();
CREATE TRIGGER _600_follow_autoscale_of_new AFTER INSERT ON stark.deployments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_autoscale();
CREATE TRIGGER _700_note_changed AFTER UPDATE ON stark.deployments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_deployments();
CREATE TRIGGER _700_note_new AFTER INSERT ON stark.deployments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_deployments();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.deployments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.deployments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.deployments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_deployment_events('deployment', 'id');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.deployments REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('deployment', 'namespace', 'name', '');
create policy "members read deployments of their namespaces, and theirs" on stark.deployments for select to authenticated
  using (((namespace = ANY (( SELECT stark_internal.permitted_namespaces('deployments:get'::text) AS permitted_namespaces)::text[])) OR ((created_by = ( SELECT auth.uid() AS uid)) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('deployments:get'::text, true) AS permitted_namespaces)::text[])))));
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
comment on column stark.deployments.autoscale is 'How its replicas follow its metrics: {min, max, metrics: [{name, target, type}], behavior, idleSeconds}; null where a person sets them.';
grant select on table stark.deployments to authenticated;
grant select on table stark.deployments to service_role;

create table stark.error_codes (
  code text not null,
  http_status integer not null,
  exit_code integer not null,
  description text not null
);
alter table stark.error_codes enable row level security;
alter table stark.error_codes add constraint code_is_screaming_snake_case CHECK ((code ~ '^[A-Z][A-Z0-9_]{2,62}$'::text));
alter table stark.error_codes add constraint exit_code_is_known CHECK (((exit_code >= 1) AND (exit_code <= 8)));
alter table stark.error_codes add constraint http_status_is_an_error CHECK (((http_status >= 400) AND (http_status <= 599)));
alter table stark.error_codes add constraint error_codes_pkey PRIMARY KEY (code);
create policy "everybody signed in reads error codes" on stark.error_codes for select to authenticated
  using ((code IS NOT NULL));
comment on table stark.error_codes is 'Every error code a caller can meet, with the HTTP status it travels under and the exit code of the command line.';
comment on column stark.error_codes.code is 'Stable name of the error; messages may change, codes do not.';
comment on column stark.error_codes.http_status is 'Status that PostgREST answers with.';
comment on column stark.error_codes.exit_code is 'Exit code of the command line: 2 usage, 4 sign in, 5 denied, 6 not found, 7 conflict or quota, 8 not to be reached.';
comment on column stark.error_codes.description is 'What it means, for the errors page.';
grant select on table stark.error_codes to authenticated;
grant select on table stark.error_codes to service_role;

create table stark.events (
  seq bigint not null,
  version integer default 1 not null,
  type text not null,
  "time" timestamp with time zone default clock_timestamp() not null,
  origin text not null,
  namespace text,
  kind text not null,
  object_id text not null,
  actor uuid,
  correlation_id text,
  object jsonb not null,
  details jsonb
) partition by RANGE ("time");
alter table stark.events enable row level security;
alter table stark.events add constraint events_pkey PRIMARY KEY (seq, "time");
CREATE INDEX events_namespace_idx ON ONLY stark.events USING btree (namespace, seq);
CREATE INDEX events_object_id_idx ON ONLY stark.events USING btree (object_id, seq);
create policy "members read events of their namespaces and of what is theirs" on stark.events for select to authenticated
  using ((((kind <> ALL (ARRAY['user'::text, 'role'::text, 'role_permission'::text, 'role_binding'::text])) OR ( SELECT stark_internal.has_permission('users:get'::text) AS has_permission)) AND ((namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text) AS permitted_namespaces)::text[])) OR ((namespace IS NULL) AND ( SELECT stark_internal.has_permission('events:get'::text) AS has_permission)) OR ((kind = ANY (ARRAY['pod'::text, 'deployment'::text, 'deployment_revision'::text])) AND ((object ->> 'created_by'::text) = (( SELECT auth.uid() AS uid))::text) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text, true) AS permitted_namespaces)::text[]))) OR ((kind = ANY (ARRAY['node'::text, 'pack'::text])) AND ((object ->> 'owner_id'::text) = (( SELECT auth.uid() AS uid))::text) AND ( SELECT stark_internal.has_permission('events:get'::text, NULL::text, true) AS has_permission)))));
comment on table stark.events is 'Append-only log of every change.';
comment on column stark.events.seq is 'Grows by one with each event, by a billion after a restore; commit order.';
comment on column stark.events.version is 'Version of the event''s form.';
comment on column stark.events.type is '<kind>.created, .updated or .deleted; .conflict warns of an update that overwrote another''s.';
comment on column stark.events."time" is 'When it was written.';
comment on column stark.events.origin is 'Where it came from: api, scheduler, controller, or system.';
comment on column stark.events.namespace is 'Namespace of the object; null for what belongs to the cluster.';
comment on column stark.events.kind is 'pod, deployment, deployment_revision, node, pack, pack_version, namespace, priority_class, cluster_config; user, role, role_permission and role_binding for who may read users.';
comment on column stark.events.object_id is 'Id of the object.';
comment on column stark.events.actor is 'User who did it; null when nobody was signed in.';
comment on column stark.events.correlation_id is 'Header x-correlation-id of the request that did it.';
comment on column stark.events.object is 'The whole new state; the last one when it was deleted.';
comment on column stark.events.details is 'Of a conflict: {fields, overwrote: [{actor, time}]}, the fields whose earlier change is gone, and whose it was.';
grant select on table stark.events to authenticated;
grant select on table stark.events to service_role;

create table stark.join_tokens (
  id text default "left"(replace((gen_random_uuid())::text, '-'::text, ''::text), 10) not null,
  owner_id uuid not null,
  labels jsonb default '{}'::jsonb not null,
  taints jsonb default '[]'::jsonb not null,
  accepts text,
  accepted_namespaces text[] default '{}'::text[] not null,
  max_uses integer default 1 not null,
  uses integer default 0 not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  used_at timestamp with time zone,
  created_at timestamp with time zone default now() not null
);
alter table stark.join_tokens enable row level security;
alter table stark.join_tokens add constraint max_uses_is_in_range CHECK (((max_uses >= 1) AND (max_uses <= 1000)));
alter table stark.join_tokens add constraint token_acceptance_is_one CHECK ((stark_internal.acceptance_problem(accepts, accepted_namespaces) IS NULL));
alter table stark.join_tokens add constraint token_labels_are_labels CHECK ((stark_internal.labels_problem(labels) IS NULL));
alter table stark.join_tokens add constraint token_taints_are_taints CHECK ((stark_internal.taints_problem(taints) IS NULL));
alter table stark.join_tokens add constraint uses_stay_within_their_bound CHECK (((uses >= 0) AND (uses <= max_uses)));
alter table stark.join_tokens add constraint join_tokens_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES stark.profiles(id) ON DELETE CASCADE;
alter table stark.join_tokens add constraint join_tokens_pkey PRIMARY KEY (id);
CREATE INDEX join_tokens_owner_id_idx ON stark.join_tokens USING btree (owner_id);
create policy "makers read their join tokens, who may delete any node all" on stark.join_tokens for select to authenticated
  using ((( SELECT stark_internal.has_permission('nodes:delete'::text) AS has_permission) OR ((owner_id = ( SELECT auth.uid() AS uid)) AND ( SELECT stark_internal.has_permission('nodes:delete'::text, NULL::text, true) AS has_permission))));
comment on table stark.join_tokens is 'Tokens by which machines become nodes. What a token reads is shown once and kept nowhere.';
comment on column stark.join_tokens.id is 'Name of the token; the second part of what it reads.';
comment on column stark.join_tokens.owner_id is 'Who made it; the nodes that join by it are theirs.';
comment on column stark.join_tokens.labels is 'Labels of the nodes that join by it, whatever their agents say.';
comment on column stark.join_tokens.taints is 'Taints of the nodes that join by it.';
comment on column stark.join_tokens.accepts is 'Whose pods those nodes take, whatever their agents say; null where they say so themselves.';
comment on column stark.join_tokens.accepted_namespaces is 'Where accepts is namespaces: which.';
comment on column stark.join_tokens.max_uses is 'How many nodes may join by it.';
comment on column stark.join_tokens.uses is 'How many have joined.';
comment on column stark.join_tokens.expires_at is 'Until when.';
comment on column stark.join_tokens.revoked_at is 'When it was taken back; null when it was not.';
comment on column stark.join_tokens.used_at is 'When a node joined by it last.';
grant select on table stark.join_tokens to authenticated;
grant select on table stark.join_tokens to service_role;

create table stark.namespaces (
  name text not null,
  reserved boolean default false not null,
  phase text default 'active'::text not null,
  labels jsonb default '{}'::jsonb not null,
  quota jsonb default '{}'::jsonb not null,
  limit_range jsonb default '{}'::jsonb not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.namespaces enable row level security;
alter table stark.namespaces add constraint limit_range_is_a_limit_range CHECK ((stark_internal.limit_range_problem(limit_range) IS NULL));
alter table stark.namespaces add constraint namespace_labels_are_labels CHECK ((stark_internal.labels_problem(labels) IS NULL));
alter table stark.namespaces add constraint namespace_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.namespaces add constraint phase_is_known CHECK ((phase = ANY (ARRAY['active'::text, 'terminating'::text])));
alter table stark.namespaces add constraint quota_is_a_quota CHECK ((stark_internal.quota_problem(quota) IS NULL));
alter table stark.namespaces add constraint reserved_namespace_stays CHECK (((NOT reserved) OR (phase = 'active'::text)));
alter table stark.namespaces add constraint namespaces_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.namespaces add constraint namespaces_pkey PRIMARY KEY (name);
CREATE INDEX namespaces_created_by_idx ON stark.namespaces USING btree (created_by);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.namespaces FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.namespaces FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _700_note_deployments AFTER UPDATE ON stark.namespaces REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_bounds();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.namespaces REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.namespaces REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.namespaces REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.namespaces REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('namespace', 'name');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.namespaces REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('namespace', '', 'name', '');
create policy "members read the namespaces they have a right in" on stark.namespaces for select to authenticated
  using ((name = ANY (( SELECT stark_internal.permitted_namespaces('namespaces:get'::text) AS permitted_namespaces)::text[])));
comment on table stark.namespaces is 'A boundary of names and rights for pods.';
comment on column stark.namespaces.name is 'Name, a DNS label.';
comment on column stark.namespaces.reserved is 'default, stark-system and stark-public: they always exist.';
comment on column stark.namespaces.phase is 'active, or terminating: it goes when its last pod has, and takes nothing new.';
comment on column stark.namespaces.labels is 'Labels.';
comment on column stark.namespaces.quota is 'Most that its live pods may ask for together: pods, cpu, memory, storage, deployments. What is not named is not limited.';
comment on column stark.namespaces.limit_range is 'For each pod: default, min and max requests of cpu, memory and storage.';
comment on column stark.namespaces.created_by is 'Who made it.';
comment on column stark.namespaces.resource_version is 'Grows with each change.';
grant select on table stark.namespaces to authenticated;
grant select on table stark.namespaces to service_role;

create table stark.node_leases (
  node_id uuid not null,
  incarnation bigint not null,
  renewed_at timestamp with time zone default now() not null,
  liveness text default 'fast'::text not null,
  heartbeat_timeout integer default 30 not null,
  usage jsonb default '{}'::jsonb not null,
  usage_at timestamp with time zone
);
alter table stark.node_leases enable row level security;
alter table stark.node_leases add constraint usage_is_an_object_of_at_most_32_levels CHECK (((jsonb_typeof(usage) = 'object'::text) AND (NOT stark_internal.is_deep(usage))));
alter table stark.node_leases add constraint node_leases_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE CASCADE;
alter table stark.node_leases add constraint node_leases_pkey PRIMARY KEY (node_id);
create policy "leases are read with their node" on stark.node_leases for select to authenticated
  using ((node_id IN ( SELECT n.id
   FROM stark.nodes n)));
comment on table stark.node_leases is 'When each node was last seen, and its usage. Apart from nodes: small and hot, written without events.';
comment on column stark.node_leases.incarnation is 'Incarnation that was seen.';
comment on column stark.node_leases.renewed_at is 'When the node gave its last sign of life.';
comment on column stark.node_leases.liveness is 'What counts as a sign, as the agent was told when it asked last.';
comment on column stark.node_leases.heartbeat_timeout is 'Seconds without a sign after which it is given up, as the agent was told.';
comment on column stark.node_leases.usage is 'Last reported usage.';
comment on column stark.node_leases.usage_at is 'When it was reported: other signs of life do not make it newer.';
grant select on table stark.node_leases to authenticated;
grant select on table stark.node_leases to service_role;

create table stark.nodes (
  id uuid default gen_random_uuid() not null,
  name text not null,
  owner_id uuid not null,
  agent_id uuid,
  installation uuid,
  runtime text not null,
  status text default 'unknown'::text not null,
  status_reason text,
  unschedulable boolean default false not null,
  draining boolean default false not null,
  accepts text default 'anyone'::text not null,
  accepted_namespaces text[] default '{}'::text[] not null,
  labels jsonb default '{}'::jsonb not null,
  taints jsonb default '[]'::jsonb not null,
  capabilities jsonb default '{}'::jsonb not null,
  overrides jsonb default '{"labels": {}, "taints": {}, "allocatable": {}, "capabilities": {}}'::jsonb not null,
  allocatable jsonb not null,
  allocated jsonb default '{"cpu": 0, "pods": 0, "memory": 0, "storage": 0}'::jsonb not null,
  incarnation bigint default 0 not null,
  connected_at timestamp with time zone,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.nodes enable row level security;
alter table stark.nodes add constraint accepts_is_known CHECK ((accepts = ANY (ARRAY['anyone'::text, 'namespaces'::text, 'owner'::text])));
alter table stark.nodes add constraint draining_node_is_cordoned CHECK ((unschedulable OR (NOT draining)));
alter table stark.nodes add constraint node_name_is_a_dns_name CHECK (stark_internal.is_dns_name(name));
alter table stark.nodes add constraint only_a_choice_of_namespaces_names_them CHECK (((accepts = 'namespaces'::text) = (accepted_namespaces <> '{}'::text[])));
alter table stark.nodes add constraint runtime_is_known CHECK ((runtime = ANY (ARRAY['node'::text, 'browser'::text])));
alter table stark.nodes add constraint status_is_known CHECK ((status = ANY (ARRAY['healthy'::text, 'unhealthy'::text, 'offline'::text, 'unknown'::text])));
alter table stark.nodes add constraint nodes_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.nodes add constraint nodes_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES stark.profiles(id);
alter table stark.nodes add constraint nodes_pkey PRIMARY KEY (id);
alter table stark.nodes add constraint nodes_name_key UNIQUE (name);
CREATE UNIQUE INDEX nodes_agent_id_idx ON stark.nodes USING btree (agent_id);
CREATE INDEX nodes_draining_idx ON stark.nodes USING btree (id) WHERE draining;
CREATE INDEX nodes_owner_id_idx ON stark.nodes USING btree (owner_id);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.nodes FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.nodes FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_nodes AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _100_check_new_nodes AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _300_close_deleted_nodes AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.close_deleted_nodes();
CREATE TRIGGER _400_follow_taints_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_taints();
CREATE TRIGGER _400_follow_taints_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_taints();
CREATE TRIGGER _700_note_daemons_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_daemons_of_deleted AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_daemons_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_deployments AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_nodes();
CREATE TRIGGER _700_note_draining AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_draining();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_node_updates();
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('node', 'id', 'overrides', 'unschedulable');
CREATE TRIGGER _900_schedule_on_changed_nodes AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_nodes_change();
CREATE TRIGGER _900_schedule_on_new_nodes AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_nodes_change();
create policy "owners read their nodes, auditors all" on stark.nodes for select to authenticated
  using ((( SELECT stark_internal.has_permission('nodes:get'::text) AS has_permission) OR (((( SELECT auth.uid() AS uid) = owner_id) OR (( SELECT auth.uid() AS uid) = agent_id)) AND ( SELECT stark_internal.has_permission('nodes:get'::text, NULL::text, true) AS has_permission))));
comment on table stark.nodes is 'One agent: a Node.js process or a browser tab that runs pods.';
comment on column stark.nodes.name is 'Name, a DNS name, unique in the cluster.';
comment on column stark.nodes.owner_id is 'Whose agent it is; private packs run only on their owner''s nodes or on an admin''s.';
comment on column stark.nodes.agent_id is 'The account that the agent got when it joined, which speaks for this node and does nothing else; null where the owner speaks for it.';
comment on column stark.nodes.installation is 'Which installation of the agent registered last; a second one is refused while the node is connected.';
comment on column stark.nodes.runtime is 'node or browser.';
comment on column stark.nodes.status is 'healthy, unhealthy (socket gone), offline (given up), unknown (never connected).';
comment on column stark.nodes.status_reason is 'Why it has this status, one word.';
comment on column stark.nodes.unschedulable is 'Cordoned: gets no new pods.';
comment on column stark.nodes.draining is 'Its pods are leaving, as fast as the disruption budgets of their deployments allow; false again when they have left.';
comment on column stark.nodes.accepts is 'Whose pods it takes beside its owner''s and admins'': anyone''s, those of accepted_namespaces, or nobody''s (owner).';
comment on column stark.nodes.accepted_namespaces is 'Where accepts is namespaces: which.';
comment on column stark.nodes.labels is 'Labels that node selectors and affinities look at.';
comment on column stark.nodes.taints is 'Taints in Kubernetes'' form: [{key, value, effect}].';
comment on column stark.nodes.capabilities is 'What the agent says about itself: versions, features.';
comment on column stark.nodes.overrides is 'What update_node set, apart from what the agent says, so that it outlives a new registration: patches of labels, allocatable, capabilities, and of taints by <key>:<effect>; accepts and accepted_namespaces.';
comment on column stark.nodes.allocatable is 'What pods may take: cpu (millicores), memory (MB), storage (MB), pods.';
comment on column stark.nodes.allocated is 'What placed pods have asked for. Kept by a trigger on pods.';
comment on column stark.nodes.incarnation is 'Grows each time the agent connects anew.';
comment on column stark.nodes.connected_at is 'When the agent connected last.';
comment on column stark.nodes.resource_version is 'Grows with each change.';
grant select on table stark.nodes to authenticated;
grant select on table stark.nodes to service_role;

create table stark.pack_versions (
  id uuid default gen_random_uuid() not null,
  pack_id uuid not null,
  pack_name text not null,
  version text not null,
  version_key text generated always as (stark_internal.semver_key(version)) stored,
  runtime text not null,
  entry text default 'default'::text not null,
  state text default 'uploading'::text not null,
  size_bytes bigint not null,
  sha256 text not null,
  bucket text default 'packs'::text not null,
  path text not null,
  assets_size_bytes bigint,
  assets_sha256 text,
  assets_path text,
  ports jsonb default '[]'::jsonb not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  ready_at timestamp with time zone,
  resource_version bigint default 1 not null
);
alter table stark.pack_versions enable row level security;
alter table stark.pack_versions add constraint assets_are_not_empty CHECK ((assets_size_bytes > 0));
alter table stark.pack_versions add constraint assets_are_whole_or_none CHECK ((num_nulls(assets_size_bytes, assets_sha256, assets_path) = ANY (ARRAY[0, 3])));
alter table stark.pack_versions add constraint assets_sha256_is_64_hex_digits CHECK ((assets_sha256 ~ '^[0-9a-f]{64}$'::text));
alter table stark.pack_versions add constraint bundle_and_assets_have_at_most_50_mb CHECK (((size_bytes + assets_size_bytes) <= 52428800));
alter table stark.pack_versions add constraint bundle_has_at_most_50_mb CHECK (((size_bytes >= 1) AND (size_bytes <= 52428800)));
alter table stark.pack_versions add constraint entry_is_a_short_name CHECK ((entry ~ '^[A-Za-z_$][A-Za-z0-9_$]{0,127}$'::text));
alter table stark.pack_versions add constraint ports_are_declarations CHECK ((stark_internal.ports_problem(ports) IS NULL));
alter table stark.pack_versions add constraint ready_version_has_a_time CHECK (((state = 'uploading'::text) OR (ready_at IS NOT NULL)));
alter table stark.pack_versions add constraint runtime_is_known CHECK ((runtime = ANY (ARRAY['node'::text, 'browser'::text, 'isomorphic'::text])));
alter table stark.pack_versions add constraint sha256_is_64_hex_digits CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));
alter table stark.pack_versions add constraint state_is_known CHECK ((state = ANY (ARRAY['uploading'::text, 'ready'::text, 'withdrawn'::text])));
alter table stark.pack_versions add constraint version_is_semver CHECK (stark_internal.is_semver(version));
alter table stark.pack_versions add constraint pack_versions_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.pack_versions add constraint pack_versions_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id) ON DELETE CASCADE;
alter table stark.pack_versions add constraint pack_versions_pkey PRIMARY KEY (id);
alter table stark.pack_versions add constraint assets_path_is_unique UNIQUE (bucket, assets_path);
alter table stark.pack_versions add constraint bundle_path_is_unique UNIQUE (bucket, path);
alter table stark.pack_versions add constraint version_is_unique_in_its_pack UNIQUE (pack_id, version);
CREATE INDEX pack_versions_created_by_idx ON stark.pack_versions USING btree (created_by);
CREATE INDEX pack_versions_latest_idx ON stark.pack_versions USING btree (pack_id, version_key DESC) WHERE (state = 'ready'::text);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.pack_versions FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.pack_versions FOR EACH ROW EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_keep_versions_immutable AFTER UPDATE ON stark.pack_versions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.keep_versions_immutable();
CREATE TRIGGER _700_note_deployments AFTER UPDATE ON stark.pack_versions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_versions();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.pack_versions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.pack_versions REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.pack_versions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
create policy "versions are read with their pack" on stark.pack_versions for select to authenticated
  using ((pack_id IN ( SELECT p.id
   FROM stark.packs p)));
comment on table stark.pack_versions is 'One bundle of a pack: one ESM file, and perhaps an archive of files that it reads, of at most 50 MB together, immutable once ready.';
comment on column stark.pack_versions.pack_name is 'Name of the pack.';
comment on column stark.pack_versions.version is 'Version by semver.org 2.0.0.';
comment on column stark.pack_versions.version_key is 'Sorts as semver orders versions.';
comment on column stark.pack_versions.runtime is 'Where it runs: node, browser, or isomorphic for both.';
comment on column stark.pack_versions.entry is 'Name of the export that is called.';
comment on column stark.pack_versions.state is 'uploading, then ready, then perhaps withdrawn: no new pod gets it, those that run keep it.';
comment on column stark.pack_versions.size_bytes is 'Size of the bundle.';
comment on column stark.pack_versions.sha256 is 'SHA-256 of the bundle, hex; an agent runs nothing that differs.';
comment on column stark.pack_versions.bucket is 'Storage bucket of the bundle.';
comment on column stark.pack_versions.path is 'Path of the bundle in its bucket.';
comment on column stark.pack_versions.assets_size_bytes is 'Size of the archive of assets; null where there is none.';
comment on column stark.pack_versions.assets_sha256 is 'SHA-256 of the archive of assets, hex; an agent unpacks nothing that differs.';
comment on column stark.pack_versions.assets_path is 'Path of the archive of assets in the bundle''s bucket.';
comment on column stark.pack_versions.ports is 'Ports that its pods have where their spec names none: a list of {name, port?}.';
comment on column stark.pack_versions.created_by is 'Who registered it.';
comment on column stark.pack_versions.ready_at is 'When the upload was finished.';
comment on column stark.pack_versions.resource_version is 'Grows with each change.';
grant select on table stark.pack_versions to authenticated;
grant select on table stark.pack_versions to service_role;

create table stark.packs (
  id uuid default gen_random_uuid() not null,
  name text not null,
  owner_id uuid not null,
  visibility text default 'private'::text not null,
  description text,
  latest_version text,
  created_at timestamp with time zone default now() not null,
  updated_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.packs enable row level security;
alter table stark.packs add constraint description_is_short CHECK ((length(description) <= 2000));
alter table stark.packs add constraint pack_name_is_one_npm_would_take CHECK (stark_internal.is_pack_name(name));
alter table stark.packs add constraint visibility_is_known CHECK ((visibility = ANY (ARRAY['private'::text, 'public'::text])));
alter table stark.packs add constraint packs_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES stark.profiles(id);
alter table stark.packs add constraint packs_pkey PRIMARY KEY (id);
alter table stark.packs add constraint packs_name_key UNIQUE (name);
CREATE INDEX packs_owner_id_idx ON stark.packs USING btree (owner_id);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.packs FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.packs FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _700_note_daemons AFTER UPDATE ON stark.packs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_deployments AFTER UPDATE ON stark.packs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_packs();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.packs REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.packs REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.packs REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.packs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('pack', 'id');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.packs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('pack', '', 'name', '');
create policy "members read public packs, owners theirs, auditors all" on stark.packs for select to authenticated
  using ((( SELECT stark_internal.has_permission('packs:get'::text) AS has_permission) OR ((visibility = 'public'::text) AND ( SELECT stark_internal.is_member() AS is_member)) OR ((owner_id = ( SELECT auth.uid() AS uid)) AND ( SELECT stark_internal.has_permission('packs:get'::text, NULL::text, true) AS has_permission))));
comment on table stark.packs is 'A named piece of software with an owner.';
comment on column stark.packs.name is 'Name, by npm''s rule, unique in the cluster.';
comment on column stark.packs.owner_id is 'Who registered it first, and alone adds versions.';
comment on column stark.packs.visibility is 'private: runs on the owner''s nodes or an admin''s, for the owner or an admin. public: for everybody, anywhere.';
comment on column stark.packs.description is 'What it is.';
comment on column stark.packs.latest_version is 'Highest ready version in semver order, releases before pre-releases; null while none is ready.';
comment on column stark.packs.resource_version is 'Grows with each change.';
grant select on table stark.packs to authenticated;
grant select on table stark.packs to service_role;

create table stark.pod_env (
  pod_id uuid not null,
  env jsonb,
  config jsonb
);
alter table stark.pod_env enable row level security;
alter table stark.pod_env add constraint env_and_config_have_at_most_32_levels CHECK (((NOT stark_internal.is_deep(env)) AND (NOT stark_internal.is_deep(config))));
alter table stark.pod_env add constraint pod_env_pod_id_fkey FOREIGN KEY (pod_id) REFERENCES stark.pods(id) ON DELETE CASCADE;
alter table stark.pod_env add constraint pod_env_pkey PRIMARY KEY (pod_id);
create policy "who may read env reads it, and of the own pods" on stark.pod_env for select to authenticated
  using ((pod_id IN ( SELECT p.id
   FROM stark.pods p
  WHERE ((p.namespace = ANY (( SELECT stark_internal.permitted_namespaces('pods:read-env'::text) AS permitted_namespaces)::text[])) OR ((p.created_by = ( SELECT auth.uid() AS uid)) AND (p.namespace = ANY (( SELECT stark_internal.permitted_namespaces('pods:read-env'::text, true) AS permitted_namespaces)::text[])))))));
comment on table stark.pod_env is 'What a pod was given as env and config, if anything: read with pods:read-env, and by its agent through node_sync.';
comment on column stark.pod_env.pod_id is 'The pod.';
comment on column stark.pod_env.env is 'Handed to the pack as ctx.env: {NAME: value}.';
comment on column stark.pod_env.config is 'Handed to the pack as ctx.config.';
grant select on table stark.pod_env to authenticated;
grant select on table stark.pod_env to service_role;

create table stark.pod_logs (
  pod_id uuid not null,
  seq bigint not null,
  "time" timestamp with time zone not null,
  namespace text not null,
  stream text not null,
  level text,
  message text not null,
  run integer default 0 not null
) partition by RANGE ("time");
alter table stark.pod_logs enable row level security;
alter table stark.pod_logs add constraint level_is_known CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warn'::text, 'error'::text])));
alter table stark.pod_logs add constraint message_has_at_most_16_kb CHECK ((octet_length(message) <= 16384));
alter table stark.pod_logs add constraint run_is_counted_from_0 CHECK ((run >= 0));
alter table stark.pod_logs add constraint stream_is_known CHECK ((stream = ANY (ARRAY['stdout'::text, 'stderr'::text, 'platform'::text])));
alter table stark.pod_logs add constraint pod_logs_pod_id_fkey FOREIGN KEY (pod_id) REFERENCES stark.pods(id) ON DELETE CASCADE;
alter table stark.pod_logs add constraint pod_logs_pkey PRIMARY KEY (pod_id, seq, "time");
create policy "members read logs of their namespaces and of their own pods" on stark.pod_logs for select to authenticated
  using (((namespace = ANY (( SELECT stark_internal.permitted_namespaces('logs:get'::text) AS permitted_namespaces)::text[])) OR ((namespace = ANY (( SELECT stark_internal.permitted_namespaces('logs:get'::text, true) AS permitted_namespaces)::text[])) AND (pod_id IN ( SELECT p.id
   FROM stark.pods p
  WHERE (p.created_by = ( SELECT auth.uid() AS uid)))))));
comment on table stark.pod_logs is 'Lines that pods printed, and the platform''s own lines about them.';
comment on column stark.pod_logs.pod_id is 'The pod.';
comment on column stark.pod_logs.seq is 'Counted by the agent for each pod; a line sent twice is kept once.';
comment on column stark.pod_logs."time" is 'When the line was printed, by the time of the cluster as the agent knows it.';
comment on column stark.pod_logs.namespace is 'Namespace of the pod.';
comment on column stark.pod_logs.stream is 'stdout, stderr, or platform for what Stark says about the pod.';
comment on column stark.pod_logs.level is 'debug, info, warn, error; null when the line has none.';
comment on column stark.pod_logs.message is 'The line; what is longer than 16 kB was cut.';
comment on column stark.pod_logs.run is 'Which run of the pod printed it: how often the pod had been restarted before.';
grant select on table stark.pod_logs to authenticated;
grant select on table stark.pod_logs to service_role;

create table stark.pod_status_steps (
  from_status text not null,
  to_status text not null,
  taken_by text not null
);
alter table stark.pod_status_steps enable row level security;
alter table stark.pod_status_steps add constraint taken_by_is_known CHECK ((taken_by = ANY (ARRAY['scheduler'::text, 'node'::text, 'control'::text])));
alter table stark.pod_status_steps add constraint pod_status_steps_pkey PRIMARY KEY (from_status, to_status, taken_by);
create policy "members read the allowed steps" on stark.pod_status_steps for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.pod_status_steps is 'Every step a pod''s status may take, and who takes it. All else is refused, for every writer.';
comment on column stark.pod_status_steps.from_status is 'Status before.';
comment on column stark.pod_status_steps.to_status is 'Status after.';
comment on column stark.pod_status_steps.taken_by is 'scheduler; node: by a report of the pod''s node; control: by a function called for a user or by a controller.';
grant select on table stark.pod_status_steps to authenticated;
grant select on table stark.pod_status_steps to service_role;

create table stark.pods (
  id uuid default gen_random_uuid() not null,
  name text not null,
  namespace text not null,
  pack_id uuid not null,
  pack_name text not null,
  pack_version_id uuid not null,
  version text not null,
  node_id uuid,
  node_name text,
  nominated_node_id uuid,
  status text default 'pending'::text not null,
  status_reason text,
  status_message text,
  exit_code integer,
  restarts integer default 0 not null,
  ready boolean default false not null,
  ready_at timestamp with time zone,
  ports jsonb default '{}'::jsonb not null,
  labels jsonb default '{}'::jsonb not null,
  annotations jsonb default '{}'::jsonb not null,
  spec jsonb default '{}'::jsonb not null,
  priority integer default 100 not null,
  cpu_request integer generated always as (COALESCE(((spec #>> '{resources,requests,cpu}'::text[]))::integer, 0)) stored not null,
  memory_request integer generated always as (COALESCE(((spec #>> '{resources,requests,memory}'::text[]))::integer, 0)) stored not null,
  storage_request integer generated always as (COALESCE(((spec #>> '{resources,requests,storage}'::text[]))::integer, 0)) stored not null,
  incarnation bigint,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  scheduled_at timestamp with time zone,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  stop_requested_at timestamp with time zone,
  deletion_requested_at timestamp with time zone,
  resource_version bigint default 1 not null,
  deployment_id uuid,
  revision bigint,
  pinned_node_id uuid
);
alter table stark.pods enable row level security;
alter table stark.pods add constraint ended_pod_has_an_end CHECK (((status = ANY (ARRAY['stopped'::text, 'succeeded'::text, 'failed'::text, 'evicted'::text])) = (finished_at IS NOT NULL)));
alter table stark.pods add constraint only_a_ready_pod_is_ready_since CHECK ((ready OR (ready_at IS NULL)));
alter table stark.pods add constraint only_a_running_pod_is_ready CHECK (((NOT ready) OR (status = ANY (ARRAY['running'::text, 'stopping'::text]))));
alter table stark.pods add constraint pending_pod_has_no_node CHECK (((status <> 'pending'::text) OR (node_id IS NULL)));
alter table stark.pods add constraint placed_pod_names_its_node CHECK (((node_name IS NOT NULL) OR (NOT stark_internal.occupies(status))));
alter table stark.pods add constraint pod_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.pods add constraint ports_have_at_most_32_levels CHECK (((ports = '{}'::jsonb) OR (NOT stark_internal.is_deep(ports))));
alter table stark.pods add constraint priority_is_from_0_to_1000 CHECK ((((priority >= 0) AND (priority <= 1000)) OR ((priority > 1000) AND COALESCE(((spec ->> 'priorityClassName'::text) ~~ 'system-%'::text), false))));
alter table stark.pods add constraint restarts_are_counted_up CHECK ((restarts >= 0));
alter table stark.pods add constraint status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'scheduled'::text, 'transferring'::text, 'starting'::text, 'running'::text, 'stopping'::text, 'stopped'::text, 'succeeded'::text, 'failed'::text, 'evicted'::text])));
alter table stark.pods add constraint status_message_is_short CHECK (((length(status_message) <= 4096) AND (length(status_reason) <= 128)));
alter table stark.pods add constraint pods_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name);
alter table stark.pods add constraint pods_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_nominated_node_id_fkey FOREIGN KEY (nominated_node_id) REFERENCES stark.nodes(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id);
alter table stark.pods add constraint pods_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES stark.pack_versions(id);
alter table stark.pods add constraint pods_pkey PRIMARY KEY (id);
alter table stark.pods add constraint pod_name_is_unique_in_its_namespace UNIQUE (namespace, name);
CREATE INDEX pods_created_by_idx ON stark.pods USING btree (created_by);
CREATE INDEX pods_deletion_requested_at_idx ON stark.pods USING btree (deletion_requested_at) WHERE (deletion_requested_at IS NOT NULL);
CREATE INDEX pods_deployment_id_idx ON stark.pods USING btree (deployment_id, revision) WHERE ((deployment_id IS NOT NULL) AND (finished_at IS NULL));
CREATE INDEX pods_managed_ready_at_idx ON stark.pods USING btree (deployment_id, ready_at) WHERE ((deployment_id IS NOT NULL) AND (ready_at IS NOT NULL) AND (finished_at IS NULL));
CREATE INDEX pods_node_id_idx ON stark.pods USING btree (node_id);
CREATE INDEX pods_nominated_node_id_idx ON stark.pods USING btree (nominated_node_id) WHERE (nominated_node_id IS NOT NULL);
CREATE INDEX pods_of_deployments_ended_idx ON stark.pods USING btree (deployment_id, finished_at) WHERE ((deployment_id IS NOT NULL) AND (finished_at IS NOT NULL));
CREATE INDEX pods_pack_id_idx ON stark.pods USING btree (pack_id);
CREATE INDEX pods_pack_version_id_idx ON stark.pods USING btree (pack_version_id);
CREATE INDEX pods_pending_idx ON stark.pods USING btree (priority DESC, created_at, id) WHERE (status = 'pending'::text);
CREATE INDEX pods_placed_priority_idx ON stark.pods USING btree (priority) WHERE ((node_id IS NOT NULL) AND (finished_at IS NULL));
CREATE INDEX pods_speaking_of_pods_idx ON stark.pods USING btree (node_id) WHERE ((spec -> 'affinity'::text) ?| ARRAY['podAffinity'::text, 'podAntiAffinity'::text]);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _090_total_namespaces_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.total_namespaces();
CREATE TRIGGER _090_total_namespaces_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.total_namespaces();
CREATE TRIGGER _090_total_namespaces_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.total_namespaces();
CREATE TRIGGER _090_total_namespaces_of_none AFTER TRUNCATE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.total_namespaces();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.pods FOR EACH ROW EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_pods AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_new_pods AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_status_steps AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_status_steps();
CREATE TRIGGER _100_enforce_quota_on_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.enforce_quota();
CREATE TRIGGER _100_enforce_quota_on_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.enforce_quota();
CREATE TRIGGER _100_note_first_readiness BEFORE INSERT ON stark.pods FOR EACH ROW WHEN ((new.ready <> (new.ready_at IS NOT NULL))) EXECUTE FUNCTION stark_internal.note_readiness();
CREATE TRIGGER _100_note_readiness BEFORE UPDATE ON stark.pods FOR EACH ROW WHEN ((new.ready <> (new.ready_at IS NOT NULL))) EXECUTE FUNCTION stark_internal.note_readiness();
CREATE TRIGGER _200_account_resources_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_count_changed_managed_pods AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.count_managed_pods();
CREATE TRIGGER _200_count_deleted_managed_pods AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.count_managed_pods();
CREATE TRIGGER _200_count_new_managed_pods AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.count_managed_pods();
CREATE TRIGGER _300_command_nodes_on_change AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _300_command_nodes_on_delete AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _300_command_nodes_on_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _700_note_deployments_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_pods();
CREATE TRIGGER _700_note_deployments_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_pods();
CREATE TRIGGER _710_end_drains_of_changed AFTER UPDATE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.end_drains();
CREATE TRIGGER _710_end_drains_of_deleted AFTER DELETE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.end_drains();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.pods REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('pod', 'namespace', 'name', '');
CREATE TRIGGER _850_finish_namespaces AFTER DELETE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.finish_namespaces();
CREATE TRIGGER _900_schedule_on_changed_pods AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_room_is_freed();
CREATE TRIGGER _900_schedule_on_deleted_pods AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_room_is_freed();
create policy "members read pods of their namespaces, theirs, on their nodes" on stark.pods for select to authenticated
  using (((namespace = ANY (( SELECT stark_internal.permitted_namespaces('pods:get'::text) AS permitted_namespaces)::text[])) OR ((created_by = ( SELECT auth.uid() AS uid)) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('pods:get'::text, true) AS permitted_namespaces)::text[]))) OR (node_id = ANY (( SELECT stark_internal.my_nodes() AS my_nodes)::uuid[]))));
comment on table stark.pods is 'One run of a pack version on one node: what is wanted, and what is.';
comment on column stark.pods.name is 'Name, a DNS label, unique in the namespace; made up from the pack''s when not given.';
comment on column stark.pods.namespace is 'Namespace.';
comment on column stark.pods.pack_name is 'Name of the pack.';
comment on column stark.pods.version is 'Version of the pack.';
comment on column stark.pods.node_id is 'Where it is placed; null while pending, and after its node was deleted.';
comment on column stark.pods.node_name is 'Name of that node.';
comment on column stark.pods.nominated_node_id is 'Node on which lower pods make room for it; set while it waits for that.';
comment on column stark.pods.status is 'pending, scheduled, transferring, starting, running, stopping; ends: stopped, succeeded, failed, evicted.';
comment on column stark.pods.status_reason is 'One word why: Unschedulable, CrashLoopBackOff, NodeShutdown …';
comment on column stark.pods.status_message is 'One line why, for people.';
comment on column stark.pods.exit_code is 'Exit code of its last run.';
comment on column stark.pods.restarts is 'How often the agent has started it again.';
comment on column stark.pods.ready is 'The pack says that it can do its work.';
comment on column stark.pods.ready_at is 'Since when it is ready.';
comment on column stark.pods.ports is 'Real port of each declared one, as {name: number}.';
comment on column stark.pods.labels is 'Labels.';
comment on column stark.pods.annotations is 'What people and tools note about it; stark/pod-deletion-cost says which pod of a deployment goes first when there are too many.';
comment on column stark.pods.spec is 'What is wanted: placement, resources, ports, restarts. Kubernetes'' names. Without env and config, which stand in pod_env.';
comment on column stark.pods.priority is '0 to 1000, more for the system''s classes; higher is placed first.';
comment on column stark.pods.cpu_request is 'Requested millicores, from the spec.';
comment on column stark.pods.memory_request is 'Requested memory in MB, from the spec.';
comment on column stark.pods.storage_request is 'Requested storage in MB, from the spec.';
comment on column stark.pods.incarnation is 'Incarnation of the node that runs it.';
comment on column stark.pods.created_by is 'Who made it; the pod has its rights.';
comment on column stark.pods.stop_requested_at is 'When it was asked to stop.';
comment on column stark.pods.deletion_requested_at is 'When it was asked to go; the row goes when it has ended.';
comment on column stark.pods.resource_version is 'Grows with each change.';
comment on column stark.pods.deployment_id is 'The deployment that it belongs to; null where a person made it.';
comment on column stark.pods.revision is 'The revision of the deployment that it was made for.';
comment on column stark.pods.pinned_node_id is 'The node that it was made for, by a deployment that runs one on every node; null for all other pods.';
grant select on table stark.pods to authenticated;
grant select on table stark.pods to service_role;

create table stark.priority_classes (
  name text not null,
  value integer not null,
  built_in boolean default false not null,
  global_default boolean default false not null,
  preemption_policy text default 'PreemptLowerPriority'::text not null,
  description text default ''::text not null,
  created_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.priority_classes enable row level security;
alter table stark.priority_classes add constraint class_description_is_short CHECK ((length(description) <= 2000));
alter table stark.priority_classes add constraint class_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.priority_classes add constraint preemption_policy_is_known CHECK ((preemption_policy = ANY (ARRAY['PreemptLowerPriority'::text, 'Never'::text])));
alter table stark.priority_classes add constraint system_class_is_built_in CHECK ((built_in OR (name !~~ 'system-%'::text)));
alter table stark.priority_classes add constraint value_is_from_0_to_1000_unless_of_the_system CHECK ((((value >= 0) AND (value <= 1000)) OR ((name ~~ 'system-%'::text) AND built_in AND (value > 1000))));
alter table stark.priority_classes add constraint priority_classes_pkey PRIMARY KEY (name);
CREATE UNIQUE INDEX priority_classes_global_default_idx ON stark.priority_classes USING btree (global_default) WHERE global_default;
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.priority_classes FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.priority_classes FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.priority_classes REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.priority_classes REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.priority_classes REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.priority_classes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('priority_class', 'name');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.priority_classes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('priorityclass', '', 'name', '');
create policy "members read priority classes" on stark.priority_classes for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.priority_classes is 'Named priorities that pods refer to by priorityClassName.';
comment on column stark.priority_classes.name is 'Name, a DNS label; system- is the platform''s own.';
comment on column stark.priority_classes.value is 'Priority of its pods; higher is placed first.';
comment on column stark.priority_classes.built_in is 'Comes with Stark and cannot be deleted.';
comment on column stark.priority_classes.global_default is 'Pods that name neither class nor priority get this one.';
comment on column stark.priority_classes.preemption_policy is 'Whether its pods may push lower ones off a node: PreemptLowerPriority or Never.';
comment on column stark.priority_classes.description is 'What it is for.';
comment on column stark.priority_classes.resource_version is 'Grows with each change.';
grant select on table stark.priority_classes to authenticated;
grant select on table stark.priority_classes to service_role;

create table stark.profiles (
  id uuid not null,
  email text,
  display_name text,
  disabled_at timestamp with time zone,
  created_at timestamp with time zone default now() not null
);
alter table stark.profiles enable row level security;
alter table stark.profiles add constraint display_name_is_short CHECK ((length(display_name) <= 200));
alter table stark.profiles add constraint profiles_id_fkey FOREIGN KEY (id) REFERENCES auth.users(id) ON DELETE CASCADE;
alter table stark.profiles add constraint profiles_pkey PRIMARY KEY (id);
CREATE TRIGGER _000_lock_cluster BEFORE DELETE ON stark.profiles FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _000_lock_cluster_to_disable BEFORE UPDATE OF disabled_at ON stark.profiles FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_unbind_first BEFORE DELETE ON stark.profiles FOR EACH ROW EXECUTE FUNCTION stark_internal.unbind_first();
CREATE TRIGGER _300_shut_out_disabled_users AFTER UPDATE ON stark.profiles REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.shut_out_users();
CREATE TRIGGER _700_move_topics_of_disabled_users AFTER UPDATE ON stark.profiles REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.move_topics_of_lost_rights();
CREATE TRIGGER _700_note_deployments AFTER UPDATE ON stark.profiles REFERENCING OLD TABLE AS old_rows NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_rights();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.profiles REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('user', 'id');
create policy "users read themselves, admins and auditors everybody" on stark.profiles for select to authenticated
  using (((id = ( SELECT auth.uid() AS uid)) OR ( SELECT stark_internal.has_permission('users:get'::text) AS has_permission)));
comment on table stark.profiles is 'One row for each user of Supabase Auth.';
comment on column stark.profiles.id is 'The user''s id in Supabase Auth.';
comment on column stark.profiles.email is 'Copy of the e-mail address in Supabase Auth.';
comment on column stark.profiles.display_name is 'Name to show.';
comment on column stark.profiles.disabled_at is 'Since when an admin has taken every right away; null when not.';
comment on column stark.profiles.created_at is 'When Stark first saw the user.';
grant select on table stark.profiles to authenticated;
grant select on table stark.profiles to service_role;

create table stark.reported_metrics (
  id bigint not null,
  namespace text not null,
  name text not null,
  reported_by uuid,
  counts_for_all boolean not null,
  value double precision not null,
  reported_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);
alter table stark.reported_metrics enable row level security;
alter table stark.reported_metrics add constraint metric_name_is_a_name CHECK (stark_internal.is_metric_name(name));
alter table stark.reported_metrics add constraint metric_value_is_from_0_to_1e15 CHECK (((value >= (0)::double precision) AND (value <= ('1000000000000000'::numeric)::double precision)));
alter table stark.reported_metrics add constraint reported_metrics_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name) ON DELETE CASCADE;
alter table stark.reported_metrics add constraint reported_metrics_reported_by_fkey FOREIGN KEY (reported_by) REFERENCES stark.profiles(id) ON DELETE CASCADE;
alter table stark.reported_metrics add constraint reported_metrics_pkey PRIMARY KEY (id);
alter table stark.reported_metrics add constraint one_number_of_a_name_by_each UNIQUE NULLS NOT DISTINCT (namespace, name, reported_by);
CREATE INDEX reported_metrics_expires_at_idx ON stark.reported_metrics USING btree (expires_at);
CREATE INDEX reported_metrics_reported_by_idx ON stark.reported_metrics USING btree (reported_by);
create policy "who reads deployments reads what is reported, and everybody the" on stark.reported_metrics for select to authenticated
  using (((namespace = ANY (( SELECT stark_internal.permitted_namespaces('deployments:get'::text) AS permitted_namespaces)::text[])) OR ((reported_by = ( SELECT auth.uid() AS uid)) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('deployments:get'::text, true) AS permitted_namespaces)::text[])))));
comment on table stark.reported_metrics is 'Numbers by name that somebody reported of a namespace, each until it is replaced or its time is over.';
comment on column stark.reported_metrics.id is 'Number of the row.';
comment on column stark.reported_metrics.namespace is 'Namespace whose deployments may follow it.';
comment on column stark.reported_metrics.name is 'Name, as in metrics of an autoscaler.';
comment on column stark.reported_metrics.reported_by is 'Who reported it; null for the secret key and for the database itself.';
comment on column stark.reported_metrics.counts_for_all is 'Whether it counts for every deployment of the namespace, or for those of who reported it only.';
comment on column stark.reported_metrics.value is 'The number.';
comment on column stark.reported_metrics.reported_at is 'When it was reported.';
comment on column stark.reported_metrics.expires_at is 'Until when it counts.';
grant select on table stark.reported_metrics to authenticated;
grant select on table stark.reported_metrics to service_role;

create table stark.role_bindings (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  role text not null,
  namespace text,
  created_at timestamp with time zone default now() not null,
  created_by uuid
);
alter table stark.role_bindings enable row level security;
alter table stark.role_bindings add constraint binding_names_a_namespace FOREIGN KEY (namespace) REFERENCES stark.namespaces(name) ON DELETE CASCADE;
alter table stark.role_bindings add constraint role_bindings_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.role_bindings add constraint role_bindings_role_fkey FOREIGN KEY (role) REFERENCES stark.roles(name) ON DELETE CASCADE;
alter table stark.role_bindings add constraint role_bindings_user_id_fkey FOREIGN KEY (user_id) REFERENCES stark.profiles(id) ON DELETE CASCADE;
alter table stark.role_bindings add constraint role_bindings_pkey PRIMARY KEY (id);
alter table stark.role_bindings add constraint binding_is_unique UNIQUE NULLS NOT DISTINCT (user_id, role, namespace);
CREATE INDEX role_bindings_created_by_idx ON stark.role_bindings USING btree (created_by);
CREATE INDEX role_bindings_namespace_idx ON stark.role_bindings USING btree (namespace);
CREATE INDEX role_bindings_role_idx ON stark.role_bindings USING btree (role);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.role_bindings FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_keep_an_admin AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.keep_an_admin();
CREATE TRIGGER _300_shut_out_unbound_users AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.shut_out_users();
CREATE TRIGGER _700_move_topics_of_changed_bindings AFTER UPDATE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.move_topics_of_lost_rights();
CREATE TRIGGER _700_move_topics_of_unbound_users AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.move_topics_of_lost_rights();
CREATE TRIGGER _700_note_daemons_of_deleted AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_daemons_of_new AFTER INSERT ON stark.role_bindings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_daemons();
CREATE TRIGGER _700_note_deployments_of_deleted AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_rights();
CREATE TRIGGER _700_note_deployments_of_new AFTER INSERT ON stark.role_bindings REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_rights();
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_binding', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.role_bindings REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_binding', 'id');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('rolebinding', 'namespace', 'user_id', 'role');
create policy "users read their bindings, admins and auditors all" on stark.role_bindings for select to authenticated
  using (((user_id = ( SELECT auth.uid() AS uid)) OR ( SELECT stark_internal.has_permission('roles:get'::text) AS has_permission)));
comment on table stark.role_bindings is 'Which user has which role, in the whole cluster or in one namespace.';
comment on column stark.role_bindings.user_id is 'Who has the role.';
comment on column stark.role_bindings.role is 'The role.';
comment on column stark.role_bindings.namespace is 'Where it counts; null for the whole cluster.';
comment on column stark.role_bindings.created_by is 'Who gave it.';
grant select on table stark.role_bindings to authenticated;
grant select on table stark.role_bindings to service_role;

create table stark.role_permissions (
  role text not null,
  kind text not null,
  verb text not null,
  scope text default 'any'::text not null
);
alter table stark.role_permissions enable row level security;
alter table stark.role_permissions add constraint kind_is_known CHECK (((kind = '*'::text) OR (kind = ANY (stark_internal.right_kinds()))));
alter table stark.role_permissions add constraint scope_is_any_or_own CHECK ((scope = ANY (ARRAY['any'::text, 'own'::text])));
alter table stark.role_permissions add constraint verb_is_known CHECK (((verb = '*'::text) OR (verb = ANY (stark_internal.right_verbs()))));
alter table stark.role_permissions add constraint role_permissions_role_fkey FOREIGN KEY (role) REFERENCES stark.roles(name) ON DELETE CASCADE;
alter table stark.role_permissions add constraint role_permissions_pkey PRIMARY KEY (role, kind, verb, scope);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.role_permissions FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _300_shut_out_users_of_lesser_roles AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.shut_out_users();
CREATE TRIGGER _700_move_topics_of_lesser_roles AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.move_topics_of_lost_rights();
CREATE TRIGGER _700_note_deployments_of_deleted AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_rights();
CREATE TRIGGER _700_note_deployments_of_new AFTER INSERT ON stark.role_permissions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.note_changed_rights();
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_permission', 'role');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.role_permissions REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_permission', 'role');
create policy "members read permissions" on stark.role_permissions for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.role_permissions is 'What each role may do. Absent means no.';
comment on column stark.role_permissions.role is 'The role.';
comment on column stark.role_permissions.kind is 'Kind of object, or * for all.';
comment on column stark.role_permissions.verb is 'get, create, update (stop, cordon), delete; pull a pack''s bundle; connect as a node''s agent; prioritise pods above the default; read-env, what a pod was given as env and config; bind and escalate roles beyond one''s own rights; * for all.';
comment on column stark.role_permissions.scope is 'any object, or only the caller''s own.';
grant select on table stark.role_permissions to authenticated;
grant select on table stark.role_permissions to service_role;

create table stark.roles (
  name text not null,
  alias_of text,
  built_in boolean default false not null,
  description text default ''::text not null
);
alter table stark.roles enable row level security;
alter table stark.roles add constraint role_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.roles add constraint roles_alias_of_fkey FOREIGN KEY (alias_of) REFERENCES stark.roles(name);
alter table stark.roles add constraint roles_pkey PRIMARY KEY (name);
CREATE INDEX roles_alias_of_idx ON stark.roles USING btree (alias_of);
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.roles REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.roles REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role', 'name');
CREATE TRIGGER _820_forget_applied AFTER DELETE ON stark.roles REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.forget_applied('role', '', 'name', '');
create policy "members read roles" on stark.roles for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.roles is 'Roles that can be bound to users. An admin can define more.';
comment on column stark.roles.name is 'Name, a DNS label.';
comment on column stark.roles.alias_of is 'Another name of that role; its permissions are used.';
comment on column stark.roles.built_in is 'Comes with Stark and cannot be deleted.';
comment on column stark.roles.description is 'What the role is for.';
grant select on table stark.roles to authenticated;
grant select on table stark.roles to service_role;

create table stark_internal.admitted_users (
  id uuid default gen_random_uuid() not null,
  role text,
  namespace text,
  display_name text,
  admitted_by uuid,
  created_at timestamp with time zone default now() not null
);
alter table stark_internal.admitted_users enable row level security;
alter table stark_internal.admitted_users add constraint admitted_users_pkey PRIMARY KEY (id);
create policy "nobody reads admissions" on stark_internal.admitted_users for select to authenticated
  using (false);
comment on table stark_internal.admitted_users is 'Ids under which Supabase Auth may make a user though registration is closed, and what such a user starts with. Used once, within an hour.';

create table stark_internal.applied_objects (
  kind text not null,
  scope text not null,
  name text not null,
  project text,
  stated jsonb not null,
  object_id text,
  applied_by uuid,
  applied_at timestamp with time zone default now() not null
);
alter table stark_internal.applied_objects enable row level security;
alter table stark_internal.applied_objects add constraint what_is_stated_has_at_most_32_levels CHECK ((NOT stark_internal.is_deep(stated)));
alter table stark_internal.applied_objects add constraint applied_objects_applied_by_fkey FOREIGN KEY (applied_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark_internal.applied_objects add constraint applied_objects_pkey PRIMARY KEY (kind, scope, name);
CREATE INDEX applied_objects_applied_by_idx ON stark_internal.applied_objects USING btree (applied_by);
CREATE INDEX applied_objects_project_idx ON stark_internal.applied_objects USING btree (project) WHERE (project IS NOT NULL);
create policy "nobody reads what was applied" on stark_internal.applied_objects for select to authenticated
  using (false);
comment on table stark_internal.applied_objects is 'What the last apply stated of each object, env and config too, and the project whose set it is in. Goes with the object.';
comment on column stark_internal.applied_objects.scope is 'Namespace of the object, owner of a join token, empty for all else.';
comment on column stark_internal.applied_objects.object_id is 'Of a join token, which has no name of its own.';

create table stark_internal.blocked_versions (
  deployment_id uuid not null,
  pack_version_id uuid not null,
  failures integer default 1 not null,
  blocked_until timestamp with time zone not null
);
alter table stark_internal.blocked_versions enable row level security;
alter table stark_internal.blocked_versions add constraint blocked_versions_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.blocked_versions add constraint blocked_versions_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES stark.pack_versions(id) ON DELETE CASCADE;
alter table stark_internal.blocked_versions add constraint blocked_versions_pkey PRIMARY KEY (deployment_id, pack_version_id);
CREATE INDEX blocked_versions_pack_version_id_idx ON stark_internal.blocked_versions USING btree (pack_version_id);
create policy "nobody reads blocked versions" on stark_internal.blocked_versions for select to authenticated
  using (false);
comment on table stark_internal.blocked_versions is 'Versions that failed in a deployment, and until when each is not tried again.';

create table stark_internal.daemon_fits (
  deployment_id uuid not null,
  revision bigint not null,
  acts_as uuid,
  is_stale boolean default false not null
);
alter table stark_internal.daemon_fits enable row level security;
alter table stark_internal.daemon_fits add constraint daemon_fits_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.daemon_fits add constraint daemon_fits_pkey PRIMARY KEY (deployment_id);
create policy "nobody reads the fits of daemons" on stark_internal.daemon_fits for select to authenticated
  using (false);
comment on table stark_internal.daemon_fits is 'For which template and whose rights the nodes of a deployment of daemon mode were worked out, and whether something has changed since.';

create table stark_internal.daemon_nodes (
  deployment_id uuid not null,
  node_id uuid not null
);
alter table stark_internal.daemon_nodes enable row level security;
alter table stark_internal.daemon_nodes add constraint daemon_nodes_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.daemon_nodes add constraint daemon_nodes_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE CASCADE;
alter table stark_internal.daemon_nodes add constraint daemon_nodes_pkey PRIMARY KEY (deployment_id, node_id);
CREATE INDEX daemon_nodes_node_id_idx ON stark_internal.daemon_nodes USING btree (node_id);
create policy "nobody reads the nodes of daemons" on stark_internal.daemon_nodes for select to authenticated
  using (false);
comment on table stark_internal.daemon_nodes is 'The nodes that fit each deployment of daemon mode: it wants one pod on each.';

create table stark_internal.database_identity (
  only_row boolean default true not null,
  id uuid default gen_random_uuid() not null,
  system_identifier bigint not null,
  timeline integer not null,
  since timestamp with time zone default now() not null
);
alter table stark_internal.database_identity enable row level security;
alter table stark_internal.database_identity add constraint there_is_one_row CHECK (only_row);
alter table stark_internal.database_identity add constraint database_identity_pkey PRIMARY KEY (only_row);
create policy "nobody reads the identity" on stark_internal.database_identity for select to authenticated
  using (false);
comment on table stark_internal.database_identity is 'Which database this is, to tell it from one that it was made of. Always one row.';
comment on column stark_internal.database_identity.id is 'Another one after each restore, copy or move. The watcher is called by this name.';
comment on column stark_internal.database_identity.system_identifier is 'Of the Postgres server at that time; 0 where it does not tell.';
comment on column stark_internal.database_identity.timeline is 'Of its write-ahead log; grows with each restore from a physical backup.';
comment on column stark_internal.database_identity.since is 'When it was restored, copied or moved last, or made.';

create table stark_internal.deployments_to_reconcile (
  deployment_id uuid not null
);
alter table stark_internal.deployments_to_reconcile enable row level security;
alter table stark_internal.deployments_to_reconcile add constraint deployments_to_reconcile_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.deployments_to_reconcile add constraint deployments_to_reconcile_pkey PRIMARY KEY (deployment_id);
alter table stark_internal.deployments_to_reconcile add constraint _900_work_off_at_commit TRIGGER DEFERRABLE INITIALLY DEFERRED;
CREATE CONSTRAINT TRIGGER _900_work_off_at_commit AFTER INSERT ON stark_internal.deployments_to_reconcile DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stark_internal.work_off_at_commit();
create policy "nobody reads notes" on stark_internal.deployments_to_reconcile for select to authenticated
  using (false);
comment on table stark_internal.deployments_to_reconcile is 'Deployments that something has happened to in this transaction.';

create table stark_internal.event_heads (
  topic text not null,
  seq bigint not null
);
alter table stark_internal.event_heads enable row level security;
alter table stark_internal.event_heads add constraint event_heads_pkey PRIMARY KEY (topic);
create policy "nobody reads heads" on stark_internal.event_heads for select to authenticated
  using (false);
comment on table stark_internal.event_heads is 'Last number of all events (topic *) and of each topic.';

create table stark_internal.events_default (
  seq bigint not null,
  version integer default 1 not null,
  type text not null,
  "time" timestamp with time zone default clock_timestamp() not null,
  origin text not null,
  namespace text,
  kind text not null,
  object_id text not null,
  actor uuid,
  correlation_id text,
  object jsonb not null,
  details jsonb
) partition of stark.events DEFAULT;
alter table stark_internal.events_default enable row level security;
CREATE INDEX events_default_namespace_seq_idx ON stark_internal.events_default USING btree (namespace, seq);
CREATE INDEX events_default_object_id_seq_idx ON stark_internal.events_default USING btree (object_id, seq);
create policy "nobody reads partitions" on stark_internal.events_default for select to authenticated
  using (false);
comment on table stark_internal.events_default is 'Events whose day has no partition of its own.';

create table stark_internal.evicting_taints (
  node_id uuid not null,
  taint jsonb not null,
  since timestamp with time zone default now() not null
);
alter table stark_internal.evicting_taints enable row level security;
alter table stark_internal.evicting_taints add constraint evicting_taints_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE CASCADE;
alter table stark_internal.evicting_taints add constraint evicting_taints_pkey PRIMARY KEY (node_id, taint);
create policy "nobody reads evicting taints" on stark_internal.evicting_taints for select to authenticated
  using (false);
comment on table stark_internal.evicting_taints is 'Taints NoExecute that nodes have now, and since when. Kept by a trigger on nodes.';

create table stark_internal.failed_runs (
  id bigint not null,
  deployment_id uuid not null,
  revision bigint not null,
  pod_id uuid not null,
  node_id uuid,
  failed_at timestamp with time zone not null,
  for_good boolean not null,
  was_ready_since timestamp with time zone,
  message text
);
alter table stark_internal.failed_runs enable row level security;
alter table stark_internal.failed_runs add constraint failed_runs_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.failed_runs add constraint failed_runs_pkey PRIMARY KEY (id);
CREATE INDEX failed_runs_deployment_id_idx ON stark_internal.failed_runs USING btree (deployment_id, revision);
create policy "nobody reads failed runs" on stark_internal.failed_runs for select to authenticated
  using (false);
comment on table stark_internal.failed_runs is 'Runs of managed pods that ended by themselves and were not followed yet by one that was ready for long enough.';

create table stark_internal.first_availabilities (
  pod_id uuid not null,
  deployment_id uuid not null
);
alter table stark_internal.first_availabilities enable row level security;
alter table stark_internal.first_availabilities add constraint first_availabilities_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.first_availabilities add constraint first_availabilities_pod_id_fkey FOREIGN KEY (pod_id) REFERENCES stark.pods(id) ON DELETE CASCADE;
alter table stark_internal.first_availabilities add constraint first_availabilities_pkey PRIMARY KEY (pod_id);
CREATE INDEX first_availabilities_deployment_id_idx ON stark_internal.first_availabilities USING btree (deployment_id);
create policy "nobody reads availabilities" on stark_internal.first_availabilities for select to authenticated
  using (false);
comment on table stark_internal.first_availabilities is 'Pods of a rollout that have been available: each is progress once.';

create table stark_internal.join_token_secrets (
  token_id text not null,
  secret_sha256 text not null
);
alter table stark_internal.join_token_secrets enable row level security;
alter table stark_internal.join_token_secrets add constraint join_token_secrets_token_id_fkey FOREIGN KEY (token_id) REFERENCES stark.join_tokens(id) ON DELETE CASCADE;
alter table stark_internal.join_token_secrets add constraint join_token_secrets_pkey PRIMARY KEY (token_id);
alter table stark_internal.join_token_secrets add constraint join_token_secrets_secret_sha256_key UNIQUE (secret_sha256);
create policy "nobody reads join token secrets" on stark_internal.join_token_secrets for select to authenticated
  using (false);
comment on table stark_internal.join_token_secrets is 'SHA-256 of what each join token reads.';

create table stark_internal.managed_counts (
  id bigint not null,
  deployment_id uuid not null,
  revision bigint not null,
  node_id uuid,
  live integer default 0 not null,
  ready integer default 0 not null,
  stopping integer default 0 not null,
  unplaced integer default 0 not null
);
alter table stark_internal.managed_counts enable row level security;
alter table stark_internal.managed_counts add constraint managed_counts_deployment_id_fkey FOREIGN KEY (deployment_id) REFERENCES stark.deployments(id) ON DELETE CASCADE;
alter table stark_internal.managed_counts add constraint managed_counts_pkey PRIMARY KEY (id);
alter table stark_internal.managed_counts add constraint one_row_for_each_node UNIQUE NULLS NOT DISTINCT (deployment_id, revision, node_id);
create policy "nobody reads managed counts" on stark_internal.managed_counts for select to authenticated
  using (false);
comment on table stark_internal.managed_counts is 'How many unfinished pods of each revision are on each node, those without a node in a row of their own. Kept by a trigger on pods.';

create table stark_internal.namespace_totals (
  namespace text not null,
  pods bigint not null,
  cpu bigint not null,
  memory bigint not null,
  storage bigint not null
);
alter table stark_internal.namespace_totals enable row level security;
alter table stark_internal.namespace_totals add constraint namespace_totals_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name) ON DELETE CASCADE;
alter table stark_internal.namespace_totals add constraint namespace_totals_pkey PRIMARY KEY (namespace);
create policy "nobody reads totals" on stark_internal.namespace_totals for select to authenticated
  using (false);
comment on table stark_internal.namespace_totals is 'What the live pods of each namespace ask for together. Kept by triggers on pods.';

create table stark_internal.node_secrets (
  node_id uuid not null,
  incarnation bigint not null,
  secret_sha256 text not null
);
alter table stark_internal.node_secrets enable row level security;
alter table stark_internal.node_secrets add constraint node_secrets_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE CASCADE;
alter table stark_internal.node_secrets add constraint node_secrets_pkey PRIMARY KEY (node_id);
create policy "nobody reads secrets" on stark_internal.node_secrets for select to authenticated
  using (false);
comment on table stark_internal.node_secrets is 'SHA-256 of the secret that the current incarnation of each node carries in presence and heartbeats.';

create table stark_internal.node_watch (
  only_row boolean default true not null,
  watched tstzmultirange default '{}'::tstzmultirange not null,
  called_at timestamp with time zone,
  probe_id bigint
);
alter table stark_internal.node_watch enable row level security;
alter table stark_internal.node_watch add constraint there_is_one_row CHECK (only_row);
alter table stark_internal.node_watch add constraint node_watch_pkey PRIMARY KEY (only_row);
create policy "nobody reads the watch" on stark_internal.node_watch for select to authenticated
  using (false);
comment on table stark_internal.node_watch is 'When somebody was watching the nodes. Always one row.';
comment on column stark_internal.node_watch.watched is 'The times in which some watcher has heard everything, of the last two hours; those that meet are one.';
comment on column stark_internal.node_watch.called_at is 'When a watcher was called last.';
comment on column stark_internal.node_watch.probe_id is 'Number of pg_net''s request that asked last whether one could be called.';

create table stark_internal.pass_state (
  only_row boolean default true not null,
  is_due boolean default false not null,
  groups_left integer default 0 not null,
  last_group uuid
);
alter table stark_internal.pass_state enable row level security;
alter table stark_internal.pass_state add constraint there_is_one_row CHECK (only_row);
alter table stark_internal.pass_state add constraint pass_state_pkey PRIMARY KEY (only_row);
create policy "nobody reads the state of the pass" on stark_internal.pass_state for select to authenticated
  using (false);
comment on table stark_internal.pass_state is 'What the last schedule pass has left to the next: a pass does a bounded amount of work. Always one row.';
comment on column stark_internal.pass_state.is_due is 'Whether pods are left that another pass would place, or tell why it does not.';
comment on column stark_internal.pass_state.groups_left is 'How many groups that fitted nowhere have not been tried again since something changed that could help them.';
comment on column stark_internal.pass_state.last_group is 'The oldest pod of the group that was tried again last.';

create table stark_internal.pod_log_sizes (
  pod_id uuid not null,
  lines bigint not null,
  bytes bigint not null
);
alter table stark_internal.pod_log_sizes enable row level security;
alter table stark_internal.pod_log_sizes add constraint pod_log_sizes_pod_id_fkey FOREIGN KEY (pod_id) REFERENCES stark.pods(id) ON DELETE CASCADE;
alter table stark_internal.pod_log_sizes add constraint pod_log_sizes_pkey PRIMARY KEY (pod_id);
create policy "nobody reads sizes" on stark_internal.pod_log_sizes for select to authenticated
  using (false);
comment on table stark_internal.pod_log_sizes is 'How much of each pod''s log there is at most: what was dropped with its day may still be counted.';

create table stark_internal.pod_logs_default (
  pod_id uuid not null,
  seq bigint not null,
  "time" timestamp with time zone not null,
  namespace text not null,
  stream text not null,
  level text,
  message text not null,
  run integer default 0 not null
) partition of stark.pod_logs DEFAULT;
alter table stark_internal.pod_logs_default enable row level security;
alter table stark_internal.pod_logs_default add constraint level_is_known CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warn'::text, 'error'::text])));
alter table stark_internal.pod_logs_default add constraint message_has_at_most_16_kb CHECK ((octet_length(message) <= 16384));
alter table stark_internal.pod_logs_default add constraint run_is_counted_from_0 CHECK ((run >= 0));
alter table stark_internal.pod_logs_default add constraint stream_is_known CHECK ((stream = ANY (ARRAY['stdout'::text, 'stderr'::text, 'platform'::text])));
create policy "nobody reads partitions" on stark_internal.pod_logs_default for select to authenticated
  using (false);
comment on table stark_internal.pod_logs_default is 'Lines whose day has no partition of its own.';

create table stark_internal.recent_edits (
  kind text not null,
  object_id text not null,
  field text not null,
  actor uuid,
  edited_at timestamp with time zone not null
);
alter table stark_internal.recent_edits enable row level security;
alter table stark_internal.recent_edits add constraint recent_edits_pkey PRIMARY KEY (kind, object_id, field);
create policy "nobody reads edits" on stark_internal.recent_edits for select to authenticated
  using (false);
comment on table stark_internal.recent_edits is 'Who has set a field of an object in the last ten seconds. actor is null for the secret key.';

create table stark_internal.revision_secrets (
  deployment_id uuid not null,
  revision bigint not null,
  secrets jsonb not null,
  salt uuid
);
alter table stark_internal.revision_secrets enable row level security;
alter table stark_internal.revision_secrets add constraint revision_secrets_deployment_id_revision_fkey FOREIGN KEY (deployment_id, revision) REFERENCES stark.deployment_revisions(deployment_id, revision) ON DELETE CASCADE;
alter table stark_internal.revision_secrets add constraint revision_secrets_pkey PRIMARY KEY (deployment_id, revision);
create policy "nobody reads secrets of revisions" on stark_internal.revision_secrets for select to authenticated
  using (false);
comment on table stark_internal.revision_secrets is 'env and config of the specs of templates.';
comment on column stark_internal.revision_secrets.salt is 'Stands for them in the hash of the template, which everybody may see; the same for the same secrets of a deployment, null where there are none.';

create table stark_internal.scheduled_jobs (
  name text not null,
  schedule text not null,
  command text not null
);
alter table stark_internal.scheduled_jobs enable row level security;
alter table stark_internal.scheduled_jobs add constraint scheduled_jobs_pkey PRIMARY KEY (name);
create policy "nobody reads scheduled jobs" on stark_internal.scheduled_jobs for select to authenticated
  using (false);
comment on table stark_internal.scheduled_jobs is 'The jobs of pg_cron that Stark needs.';
comment on column stark_internal.scheduled_jobs.schedule is 'In pg_cron''s form: five fields, or seconds.';

create table stark_internal.scheduling_plugins (
  kind text not null,
  name text not null,
  is_resolvable boolean,
  reason text,
  what text not null
);
alter table stark_internal.scheduling_plugins enable row level security;
alter table stark_internal.scheduling_plugins add constraint filters_have_a_reason CHECK (((kind = 'filter'::text) = (reason IS NOT NULL)));
alter table stark_internal.scheduling_plugins add constraint filters_say_whether_preemption_helps CHECK (((kind = 'filter'::text) = (is_resolvable IS NOT NULL)));
alter table stark_internal.scheduling_plugins add constraint kind_is_filter_or_score CHECK ((kind = ANY (ARRAY['filter'::text, 'score'::text])));
alter table stark_internal.scheduling_plugins add constraint scheduling_plugins_pkey PRIMARY KEY (kind, name);
create policy "nobody reads plugins" on stark_internal.scheduling_plugins for select to authenticated
  using (false);
comment on table stark_internal.scheduling_plugins is 'Every filter and score of the scheduler; the function is stark_internal.<kind>_<name>. A test finds those that are missing here or never asked.';
comment on column stark_internal.scheduling_plugins.is_resolvable is 'Of a filter: whether a node that it rejects may be opened by pods that leave it, so that preemption looks there.';
comment on column stark_internal.scheduling_plugins.reason is 'Of a filter: the reason as it is shown, with the detail of a rejection in the place of %s.';
comment on column stark_internal.scheduling_plugins.what is 'What it rejects, or what it prefers.';

create table stark_internal.topic_epochs (
  topic text not null,
  epoch text not null
);
alter table stark_internal.topic_epochs enable row level security;
alter table stark_internal.topic_epochs add constraint topic_epochs_pkey PRIMARY KEY (topic);
create policy "nobody reads epochs" on stark_internal.topic_epochs for select to authenticated
  using (false);
comment on table stark_internal.topic_epochs is 'What follows the name of a topic since somebody lost the right to hear it. A topic that has no row here is called by its name alone.';

-- Views

create view stark.namespace_usage with (security_invoker=true) as
 SELECT p.namespace,
    p.created_by AS user_id,
    u.email,
    count(*) AS pods,
    sum(p.cpu_request) AS cpu,
    sum(p.memory_request) AS memory,
    sum(p.storage_request) AS storage
   FROM stark.pods p
     LEFT JOIN stark.profiles u ON u.id = p.created_by
  WHERE p.finished_at IS NULL
  GROUP BY p.namespace, p.created_by, u.email;
comment on view stark.namespace_usage is 'What the live pods of each user in each namespace have asked for: what its quota counts.';
grant select on view stark.namespace_usage to authenticated;
grant select on view stark.namespace_usage to service_role;

create view stark.node_history with (security_invoker=true) as
 SELECT seq,
    "time",
    type,
    object_id AS node_id,
    object ->> 'name'::text AS node_name,
    object ->> 'status'::text AS status,
    object ->> 'status_reason'::text AS status_reason,
    (object ->> 'unschedulable'::text)::boolean AS unschedulable,
    object -> 'labels'::text AS labels,
    object -> 'taints'::text AS taints,
    object -> 'allocatable'::text AS allocatable,
    (object ->> 'incarnation'::text)::bigint AS incarnation,
    (object ->> 'resource_version'::text)::bigint AS resource_version,
    actor,
    origin,
    correlation_id
   FROM stark.events e
  WHERE kind = 'node'::text;
comment on view stark.node_history is 'One row for each change of a node.';
grant select on view stark.node_history to authenticated;
grant select on view stark.node_history to service_role;

create view stark.node_room with (security_invoker=true) as
 SELECT id AS node_id,
    name,
    runtime,
    status,
    unschedulable,
    labels,
    ((allocatable ->> 'cpu'::text)::bigint) - ((allocated ->> 'cpu'::text)::bigint) AS free_cpu,
    ((allocatable ->> 'memory'::text)::bigint) - ((allocated ->> 'memory'::text)::bigint) AS free_memory,
    ((allocatable ->> 'storage'::text)::bigint) - ((allocated ->> 'storage'::text)::bigint) AS free_storage,
    ((allocatable ->> 'pods'::text)::bigint) - ((allocated ->> 'pods'::text)::bigint) AS free_pods
   FROM stark.nodes n;
comment on view stark.node_room is 'What each node has left for pods: allocatable less what its pods have asked for; below 0 where its amounts were lowered.';
grant select on view stark.node_room to authenticated;
grant select on view stark.node_room to service_role;

create view stark.pod_history with (security_invoker=true) as
 SELECT seq,
    "time",
    type,
    namespace,
    object_id AS pod_id,
    object ->> 'name'::text AS pod_name,
    object ->> 'pack_name'::text AS pack_name,
    object ->> 'version'::text AS version,
    object ->> 'status'::text AS status,
    object ->> 'status_reason'::text AS status_reason,
    object ->> 'status_message'::text AS status_message,
    object ->> 'node_name'::text AS node_name,
    (object ->> 'restarts'::text)::integer AS restarts,
    (object ->> 'resource_version'::text)::bigint AS resource_version,
    actor,
    origin,
    correlation_id
   FROM stark.events e
  WHERE kind = 'pod'::text;
comment on view stark.pod_history is 'One row for each change of a pod.';
grant select on view stark.pod_history to authenticated;
grant select on view stark.pod_history to service_role;

create view stark_internal.rollout_terms with (security_invoker=true) as
 SELECT d.id AS deployment_id,
    d.pods AS replicas,
    d.desired_replicas AS before,
        CASE
            WHEN d.strategy = 'Recreate'::text THEN 0
            ELSE d.surge
        END AS surge,
    u.unavailable,
        CASE
            WHEN d.mode = 'daemon'::text THEN d.healthy_nodes
            ELSE d.pods
        END - u.unavailable AS "least",
    d.pods -
        CASE
            WHEN d.mode = 'daemon'::text THEN d.lost_nodes
            ELSE 0
        END AS needed,
    d.mode = 'daemon'::text AS is_daemon,
    d.strategy = 'Recreate'::text AS is_recreate,
    d.rollout_paused AS is_held,
    d.paused OR d.deletion_requested_at IS NOT NULL AS is_frozen,
    stark_internal.may_not_run(d.acts_as, d.namespace, d.pack_id, t.template) AS may_not,
    t.template_hash AS newest_hash,
    t.status AS newest_status,
        CASE
            WHEN t.status = 'failed'::text THEN b.template_hash
            ELSE t.template_hash
        END AS target_hash,
        CASE
            WHEN t.status = 'failed'::text THEN b.revision
            ELSE t.revision
        END AS target_revision,
    t.status = 'failed'::text OR t.cause = 'rollback'::text AS is_way_back,
    COALESCE(b.template_hash, t.template_hash) AS stable_hash,
        CASE
            WHEN (t.status = ANY (ARRAY['failed'::text, 'stable'::text])) OR (t.cause = ANY (ARRAY['rollback'::text, 'undo'::text])) OR b.revision IS NULL THEN d.pods
            ELSE stark_internal.canary_goal(d.canary_steps, t.step, d.pods)
        END AS goal
   FROM ( SELECT e.id,
            e.name,
            e.namespace,
            e.pack_id,
            e.pack_name,
            e.labels,
            e.annotations,
            e.mode,
            e.replicas,
            e.follow_latest,
            e.version_range,
            e.include_prerelease,
            e.strategy,
            e.max_surge,
            e.max_unavailable,
            e.min_ready_seconds,
            e.progress_deadline_seconds,
            e.revision_history_limit,
            e.auto_rollback,
            e.canary_steps,
            e.disruption_max_unavailable,
            e.paused,
            e.rollout_paused,
            e.deletion_requested_at,
            e.deletion_forced,
            e.acts_as,
            e.created_by,
            e.created_at,
            e.updated_at,
            e.generation,
            e.observed_generation,
            e.revision,
            e.follow_after,
            e.status,
            e.status_reason,
            e.status_message,
            e.conditions,
            e.desired_replicas,
            e.current_replicas,
            e.updated_replicas,
            e.ready_replicas,
            e.available_replicas,
            e.unavailable_replicas,
            e.reconciled_at,
            e.next_reconcile_at,
            e.reconcile_errors,
            e.resource_version,
            w_1.pods,
            f.healthy_nodes,
            f.lost_nodes,
            stark_internal.amount_of(e.max_surge, w_1.pods, true) AS surge,
            stark_internal.amount_of(e.max_unavailable, w_1.pods, e.mode = 'daemon'::text) AS unavailable
           FROM stark.deployments e
             CROSS JOIN LATERAL ( SELECT count(*)::integer AS nodes,
                    count(*) FILTER (WHERE n.status = 'healthy'::text)::integer AS healthy_nodes,
                    count(*) FILTER (WHERE n.status = ANY (ARRAY['offline'::text, 'unknown'::text]))::integer AS lost_nodes
                   FROM stark_internal.daemon_nodes t_1
                     JOIN stark.nodes n ON n.id = t_1.node_id
                  WHERE t_1.deployment_id = e.id AND e.mode = 'daemon'::text) f
             CROSS JOIN LATERAL ( SELECT
                        CASE
                            WHEN e.mode = 'daemon'::text THEN f.nodes
                            ELSE e.replicas
                        END AS pods) w_1) d
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN d.strategy = 'Recreate'::text THEN d.pods
                    WHEN d.surge = 0 AND d.unavailable = 0 THEN 1
                    ELSE d.unavailable
                END AS unavailable) u
     JOIN stark.deployment_revisions t ON t.deployment_id = d.id AND t.revision = d.revision
     CROSS JOIN LATERAL ( SELECT stark_internal.way_back(d.id, d.revision) AS revision) w
     LEFT JOIN stark.deployment_revisions b ON b.deployment_id = d.id AND b.revision = w.revision;
comment on view stark_internal.rollout_terms is 'What the plan of each deployment has to keep to.';

create view stark_internal.wanted_pods with (security_invoker=true) as
 SELECT p.id AS pod_id,
    p.node_id,
    p.status,
    p.priority,
    p.created_at,
    jsonb_build_object('id', p.id, 'name', p.name, 'namespace', p.namespace, 'owner', p.created_by, 'labels', p.labels, 'status', p.status, 'pack', p.pack_name, 'version', p.version, 'version_id', v.id, 'runtime', v.runtime, 'entry', v.entry, 'bundle', jsonb_build_object('bucket', v.bucket, 'path', v.path, 'sha256', v.sha256, 'size_bytes', v.size_bytes) ||
        CASE
            WHEN v.assets_sha256 IS NULL THEN '{}'::jsonb
            ELSE jsonb_build_object('assets', jsonb_build_object('bucket', v.bucket, 'path', v.assets_path, 'sha256', v.assets_sha256, 'size_bytes', v.assets_size_bytes))
        END, 'spec', p.spec, 'restarts', p.restarts, 'wanted',
        CASE
            WHEN p.status = 'stopping'::text THEN 'stopped'::text
            ELSE 'running'::text
        END) AS item,
        CASE
            WHEN e.env IS NULL THEN '{}'::jsonb
            ELSE jsonb_build_object('env', e.env)
        END ||
        CASE
            WHEN e.config IS NULL THEN '{}'::jsonb
            ELSE jsonb_build_object('config', e.config)
        END AS environment
   FROM stark.pods p
     JOIN stark.pack_versions v ON v.id = p.pack_version_id
     LEFT JOIN stark.pod_env e ON e.pod_id = p.id
  WHERE p.node_id IS NOT NULL;
comment on view stark_internal.wanted_pods is 'Placed pods in the form that agents get them: item is broadcast, environment is what node_sync alone adds to its spec.';

-- Functions

CREATE OR REPLACE FUNCTION stark.admit_node(p_secret_sha256 text, p_name text, p_runtime text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '4c53efdf581608d32cd9f560b7649a69';
comment on function stark.admit_node(text,text,text) is 'Announces the account of a machine that joins.';
grant execute on function stark.admit_node(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.admit_user(p_email text, p_role text DEFAULT NULL::text, p_namespace text DEFAULT NULL::text, p_display_name text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b27abd31f93e214dc693863cae477e28';
comment on function stark.admit_user(text,text,text,text) is 'Announces a user who is about to be made, with the role they start with.';
grant execute on function stark.admit_user(text,text,text,text) to authenticated;
grant execute on function stark.admit_user(text,text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.append_pod_logs(p_node_id uuid, p_incarnation bigint, p_lines jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cf7090222fab2428495397dddcb4c385';
comment on function stark.append_pod_logs(uuid,bigint,jsonb) is 'An agent hands over lines that its pods printed.';
grant execute on function stark.append_pod_logs(uuid,bigint,jsonb) to authenticated;
grant execute on function stark.append_pod_logs(uuid,bigint,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.apply_objects(p_objects jsonb, p_project text DEFAULT NULL::text, p_prune boolean DEFAULT false, p_dry_run boolean DEFAULT false, p_take_over boolean DEFAULT false, p_if_digest text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 '192b3202e53eca5d862673c15884a3e6';
comment on function stark.apply_objects(jsonb,text,boolean,boolean,boolean,text) is 'Makes objects as they are stated, all or none, or tells what would become of them.';
grant execute on function stark.apply_objects(jsonb,text,boolean,boolean,boolean,text) to authenticated;
grant execute on function stark.apply_objects(jsonb,text,boolean,boolean,boolean,text) to service_role;

CREATE OR REPLACE FUNCTION stark.can_i(p_verb text, p_kind text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT true)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b3914e92035e97433548120db5834529';
comment on function stark.can_i(text,text,text,boolean) is 'Whether the caller may do this, at least with own objects.';
grant execute on function stark.can_i(text,text,text,boolean) to authenticated;
grant execute on function stark.can_i(text,text,text,boolean) to service_role;

CREATE OR REPLACE FUNCTION stark.cordon_node(p_name text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '119fff502d9ec8712891cf3a0bcb82c2';
comment on function stark.cordon_node(text) is 'Keeps new pods off a node.';
grant execute on function stark.cordon_node(text) to authenticated;
grant execute on function stark.cordon_node(text) to service_role;

CREATE OR REPLACE FUNCTION stark.create_deployment(p_deployment jsonb)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1f854aedfa488eb10bddb272676d0f94';
comment on function stark.create_deployment(jsonb) is 'Creates a deployment and makes its pods.';
grant execute on function stark.create_deployment(jsonb) to authenticated;
grant execute on function stark.create_deployment(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.create_join_token(p_ttl_seconds integer DEFAULT 3600, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_uses integer DEFAULT 1, p_accepts text DEFAULT NULL::text, p_accepted_namespaces text[] DEFAULT NULL::text[])
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e4704f0c34226f7616780a6a29ff5840';
comment on function stark.create_join_token(integer,jsonb,jsonb,integer,text,text[]) is 'Makes a token by which machines become nodes of the caller.';
grant execute on function stark.create_join_token(integer,jsonb,jsonb,integer,text,text[]) to authenticated;
grant execute on function stark.create_join_token(integer,jsonb,jsonb,integer,text,text[]) to service_role;

CREATE OR REPLACE FUNCTION stark.create_namespace(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_quota jsonb DEFAULT '{}'::jsonb, p_limit_range jsonb DEFAULT '{}'::jsonb)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8ebf72a783e699ef394dca31a721fa28';
comment on function stark.create_namespace(text,jsonb,jsonb,jsonb) is 'Makes a namespace.';
grant execute on function stark.create_namespace(text,jsonb,jsonb,jsonb) to authenticated;
grant execute on function stark.create_namespace(text,jsonb,jsonb,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.create_pods(p_pods jsonb)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ca32c2267f48779a6dc96c70691b4f43';
comment on function stark.create_pods(jsonb) is 'Creates pods and places them where there is room.';
grant execute on function stark.create_pods(jsonb) to authenticated;
grant execute on function stark.create_pods(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.create_priority_class(p_name text, p_value integer, p_global_default boolean DEFAULT false, p_preemption_policy text DEFAULT 'PreemptLowerPriority'::text, p_description text DEFAULT ''::text)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8732e205fcc8bcbca5efb3346ef860fc';
comment on function stark.create_priority_class(text,integer,boolean,text,text) is 'Makes a priority class.';
grant execute on function stark.create_priority_class(text,integer,boolean,text,text) to authenticated;
grant execute on function stark.create_priority_class(text,integer,boolean,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.create_role(p_name text, p_permissions text[], p_description text DEFAULT ''::text)
 RETURNS stark.roles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b1fe528f7d74f9a08b3970340127af1b';
comment on function stark.create_role(text,text[],text) is 'Makes a role.';
grant execute on function stark.create_role(text,text[],text) to authenticated;
grant execute on function stark.create_role(text,text[],text) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_deployment(p_namespace text, p_name text, p_cascade text DEFAULT 'background'::text, p_force boolean DEFAULT false, p_if_revision bigint DEFAULT NULL::bigint)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '39f45df542bc137cfb57d7fd89232d10';
comment on function stark.delete_deployment(text,text,text,boolean,bigint) is 'Deletes a deployment with its pods, or without them.';
grant execute on function stark.delete_deployment(text,text,text,boolean,bigint) to authenticated;
grant execute on function stark.delete_deployment(text,text,text,boolean,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_namespace(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f53efec5de98c27cd9170ca655f7e096';
comment on function stark.delete_namespace(text,bigint) is 'Empties a namespace, then removes it.';
grant execute on function stark.delete_namespace(text,bigint) to authenticated;
grant execute on function stark.delete_namespace(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_node(p_name text, p_force boolean DEFAULT false, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '558986f8c13a2aafcdce604022406b66';
comment on function stark.delete_node(text,boolean,bigint) is 'Removes a node.';
grant execute on function stark.delete_node(text,boolean,bigint) to authenticated;
grant execute on function stark.delete_node(text,boolean,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_objects(p_objects jsonb, p_dry_run boolean DEFAULT false, p_if_digest text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'eb1e7895678547bfc675c383eb7d4e88';
comment on function stark.delete_objects(jsonb,boolean,text) is 'Removes the objects that are stated, all or none, or tells what would become of them.';
grant execute on function stark.delete_objects(jsonb,boolean,text) to authenticated;
grant execute on function stark.delete_objects(jsonb,boolean,text) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_pack(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.packs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '060553642b07c836442a542a7f8cb9b7';
comment on function stark.delete_pack(text,bigint) is 'Removes a pack whose pods have all ended.';
grant execute on function stark.delete_pack(text,bigint) to authenticated;
grant execute on function stark.delete_pack(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_pods(p_ids uuid[], p_if_version bigint DEFAULT NULL::bigint)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '0318d26fde4516d37103a5f3a31a6950';
comment on function stark.delete_pods(uuid[],bigint) is 'Stops pods and removes their rows.';
grant execute on function stark.delete_pods(uuid[],bigint) to authenticated;
grant execute on function stark.delete_pods(uuid[],bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_priority_class(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e6285ac87bca18416ccc69300e4f9e1c';
comment on function stark.delete_priority_class(text,bigint) is 'Removes a priority class; its pods stay as they are.';
grant execute on function stark.delete_priority_class(text,bigint) to authenticated;
grant execute on function stark.delete_priority_class(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_role(p_name text)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '14ad762ccbd156747831ec1b281f2555';
comment on function stark.delete_role(text) is 'Deletes a role and takes it from everybody who has it.';
grant execute on function stark.delete_role(text) to authenticated;
grant execute on function stark.delete_role(text) to service_role;

CREATE OR REPLACE FUNCTION stark.diagnostics()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd761bd78b48416a014573b8a318d5a5f';
comment on function stark.diagnostics() is 'What stark doctor looks at.';
grant execute on function stark.diagnostics() to authenticated;
grant execute on function stark.diagnostics() to service_role;

CREATE OR REPLACE FUNCTION stark.disable_user(p_user_id uuid)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '880e3d0d51c68856ffb3229bdde7e35d';
comment on function stark.disable_user(uuid) is 'Takes every right and session from a user; what they own stays.';
grant execute on function stark.disable_user(uuid) to authenticated;
grant execute on function stark.disable_user(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.disconnect_node(p_node_id uuid, p_incarnation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd92e4325dbb686df537a75de74965793';
comment on function stark.disconnect_node(uuid,bigint) is 'An agent says goodbye; its pods have ended.';
grant execute on function stark.disconnect_node(uuid,bigint) to authenticated;
grant execute on function stark.disconnect_node(uuid,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.drain_node(p_name text, p_ignores_budgets boolean DEFAULT false)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '0e1542f16c9cf1218a4a05663824d0b9';
comment on function stark.drain_node(text,boolean) is 'Cordons a node and asks its pods to go.';
grant execute on function stark.drain_node(text,boolean) to authenticated;
grant execute on function stark.drain_node(text,boolean) to service_role;

CREATE OR REPLACE FUNCTION stark.enable_user(p_user_id uuid)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '5f79f60d4e5ec308961dbed8ef10a81a';
comment on function stark.enable_user(uuid) is 'Gives a disabled user their rights back.';
grant execute on function stark.enable_user(uuid) to authenticated;
grant execute on function stark.enable_user(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.events_topic(p_namespace text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '33f95fcf6d8e9c858d5158853c09e94f';
comment on function stark.events_topic(text) is 'The topic on which events are broadcast now.';
grant execute on function stark.events_topic(text) to authenticated;
grant execute on function stark.events_topic(text) to service_role;

CREATE OR REPLACE FUNCTION stark.explain_placement(p_pod jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'bb4dee4f25bdfece1eafcb68d1a1450a';
comment on function stark.explain_placement(jsonb) is 'What would become of a pod now: every node with the filters it fails or the scores it earns.';
grant execute on function stark.explain_placement(jsonb) to authenticated;
grant execute on function stark.explain_placement(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.finish_pack_version(p_version_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '49e692cc210b4e227b75c075184301f2';
comment on function stark.finish_pack_version(uuid) is 'Makes an uploaded version ready, after comparing its size with Storage.';
grant execute on function stark.finish_pack_version(uuid) to authenticated;
grant execute on function stark.finish_pack_version(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.follow_logs(p_pod_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ccb6da4f50d447226dda30d9f36608f1';
comment on function stark.follow_logs(uuid) is 'Asks the pod''s agent to send its log lines live for a while.';
grant execute on function stark.follow_logs(uuid) to authenticated;
grant execute on function stark.follow_logs(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.grant_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS stark.role_bindings
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c286c07bb21def85050b6c576da1163e';
comment on function stark.grant_role(uuid,text,text) is 'Gives a user a role, in the whole cluster or in one namespace.';
grant execute on function stark.grant_role(uuid,text,text) to authenticated;
grant execute on function stark.grant_role(uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.is_this_database(p_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cab08063f9940804c24c1439a700bc21';
comment on function stark.is_this_database(uuid) is 'Whether this is the database of that identity.';
grant execute on function stark.is_this_database(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.join_node(p_secret_sha256 text, p_user_id uuid, p_name text, p_runtime text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e36f78250273ee875c68bc02762e0380';
comment on function stark.join_node(text,uuid,text,text) is 'Makes a node for a machine that joins, and lets its account speak for it.';
grant execute on function stark.join_node(text,uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.list_users()
 RETURNS TABLE(id uuid, email text, display_name text, disabled_at timestamp with time zone, created_at timestamp with time zone, last_sign_in_at timestamp with time zone, roles jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd82b669bc238e9a592fdf6eafcd22aac';
comment on function stark.list_users() is 'Every user with their roles, whether disabled, and when they last signed in.';
grant execute on function stark.list_users() to authenticated;
grant execute on function stark.list_users() to service_role;

CREATE OR REPLACE FUNCTION stark.needs_setup()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '055ee094f7c522517bed1020842112b0';
comment on function stark.needs_setup() is 'True until the first admin is set up.';
grant execute on function stark.needs_setup() to anon;
grant execute on function stark.needs_setup() to authenticated;
grant execute on function stark.needs_setup() to service_role;

CREATE OR REPLACE FUNCTION stark.node_sync(p_node_id uuid, p_incarnation bigint DEFAULT NULL::bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ec47e356986b89b091291dbaf5491f2b';
comment on function stark.node_sync(uuid,bigint) is 'Connects an agent, or tells it again what it should run.';
grant execute on function stark.node_sync(uuid,bigint) to authenticated;
grant execute on function stark.node_sync(uuid,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.pause_deployment(p_namespace text, p_name text)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9d28995871d93651a4548228486bacc9';
comment on function stark.pause_deployment(text,text) is 'Freezes a deployment.';
grant execute on function stark.pause_deployment(text,text) to authenticated;
grant execute on function stark.pause_deployment(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.pause_rollout(p_namespace text, p_name text)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ee69a63294fe320c4a8d477fa4b35193';
comment on function stark.pause_rollout(text,text) is 'Holds the rollout of a deployment.';
grant execute on function stark.pause_rollout(text,text) to authenticated;
grant execute on function stark.pause_rollout(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.pending_evictions(p_name text)
 RETURNS TABLE(pod_id uuid, namespace text, pod_name text, deployment_name text, reason text, message text, retry_after_seconds integer)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '304dc4848574b85e2b1345fbe6215102';
comment on function stark.pending_evictions(text) is 'Which pods a drain still waits for, which deployment''s budget holds each, and why.';
grant execute on function stark.pending_evictions(text) to authenticated;
grant execute on function stark.pending_evictions(text) to service_role;

CREATE OR REPLACE FUNCTION stark.probe_watcher()
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '80f0f9b8987184513c60c90fed96a7e6';
comment on function stark.probe_watcher() is 'Has the database ask whether a watcher can be called.';
grant execute on function stark.probe_watcher() to authenticated;
grant execute on function stark.probe_watcher() to service_role;

CREATE OR REPLACE FUNCTION stark.promote_rollout(p_namespace text, p_name text, p_full boolean DEFAULT false)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '46979afd656932367a1545aa584bed97';
comment on function stark.promote_rollout(text,text,boolean) is 'Lets a canary go on.';
grant execute on function stark.promote_rollout(text,text,boolean) to authenticated;
grant execute on function stark.promote_rollout(text,text,boolean) to service_role;

CREATE OR REPLACE FUNCTION stark.register_node(p_name text, p_runtime text, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_allocatable jsonb DEFAULT '{}'::jsonb, p_capabilities jsonb DEFAULT '{}'::jsonb, p_installation uuid DEFAULT NULL::uuid, p_replaces uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '6c922d58abb6d413efe8f909c228a5ab';
comment on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid,uuid) is 'Makes a node, or updates the caller''s own of that name.';
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid,uuid) to authenticated;
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid,uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.register_pack_version(p_name text, p_version text, p_runtime text, p_entry text DEFAULT 'default'::text, p_visibility text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_size_bytes bigint DEFAULT NULL::bigint, p_sha256 text DEFAULT NULL::text, p_assets_size_bytes bigint DEFAULT NULL::bigint, p_assets_sha256 text DEFAULT NULL::text, p_ports jsonb DEFAULT '[]'::jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '118f59d14f6faf5dd83df40d169ea97c';
comment on function stark.register_pack_version(text,text,text,text,text,text,bigint,text,bigint,text,jsonb) is 'Announces a bundle; upload it to the returned path, then call finish_pack_version.';
grant execute on function stark.register_pack_version(text,text,text,text,text,text,bigint,text,bigint,text,jsonb) to authenticated;
grant execute on function stark.register_pack_version(text,text,text,text,text,text,bigint,text,bigint,text,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.report_metric(p_namespace text, p_name text, p_value double precision, p_valid_seconds integer DEFAULT 86400)
 RETURNS stark.reported_metrics
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9ba10cf1aebfa80c596ac3a1d108db13';
comment on function stark.report_metric(text,text,double precision,integer) is 'Reports a number that autoscalers follow.';
grant execute on function stark.report_metric(text,text,double precision,integer) to authenticated;
grant execute on function stark.report_metric(text,text,double precision,integer) to service_role;

CREATE OR REPLACE FUNCTION stark.report_pods(p_node_id uuid, p_incarnation bigint, p_reports jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f3013191ab93ead79452f8326b8b1102';
comment on function stark.report_pods(uuid,bigint,jsonb) is 'An agent says how its pods are.';
grant execute on function stark.report_pods(uuid,bigint,jsonb) to authenticated;
grant execute on function stark.report_pods(uuid,bigint,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.restart_rollout(p_namespace text, p_name text, p_change_cause text DEFAULT NULL::text)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3ab34914d8e921e7573e552ccaf906ec';
comment on function stark.restart_rollout(text,text,text) is 'Replaces all pods of a deployment by the same template.';
grant execute on function stark.restart_rollout(text,text,text) to authenticated;
grant execute on function stark.restart_rollout(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.resume_deployment(p_namespace text, p_name text, p_force boolean DEFAULT false)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '6206a487253e776610612c99f3ee8e6c';
comment on function stark.resume_deployment(text,text,boolean) is 'Ends the freezing of a deployment.';
grant execute on function stark.resume_deployment(text,text,boolean) to authenticated;
grant execute on function stark.resume_deployment(text,text,boolean) to service_role;

CREATE OR REPLACE FUNCTION stark.resume_rollout(p_namespace text, p_name text)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c50a259477bcf5efb4bfd060e456e41b';
comment on function stark.resume_rollout(text,text) is 'Lets the rollout of a deployment go on.';
grant execute on function stark.resume_rollout(text,text) to authenticated;
grant execute on function stark.resume_rollout(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.revoke_join_token(p_id text)
 RETURNS stark.join_tokens
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a4c92a91b5dcaadce20ad7e1a1d6da59';
comment on function stark.revoke_join_token(text) is 'Takes a join token back.';
grant execute on function stark.revoke_join_token(text) to authenticated;
grant execute on function stark.revoke_join_token(text) to service_role;

CREATE OR REPLACE FUNCTION stark.revoke_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cb9680992db3390ffc559be027024f37';
comment on function stark.revoke_role(uuid,text,text) is 'Takes a role away from a user.';
grant execute on function stark.revoke_role(uuid,text,text) to authenticated;
grant execute on function stark.revoke_role(uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.roll_back_pod(p_id uuid, p_version text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '0b7f6a1d7ec9e6cead49d52514edad72';
comment on function stark.roll_back_pod(uuid,text,bigint) is 'Replaces a pod by one of an earlier version of its pack.';
grant execute on function stark.roll_back_pod(uuid,text,bigint) to authenticated;
grant execute on function stark.roll_back_pod(uuid,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.scale_deployment(p_namespace text, p_name text, p_replicas integer DEFAULT NULL::integer, p_mode text DEFAULT NULL::text, p_if_revision bigint DEFAULT NULL::bigint)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a53400b05fd1a9418204b153b4898838';
comment on function stark.scale_deployment(text,text,integer,text,bigint) is 'Changes how many pods a deployment wants.';
grant execute on function stark.scale_deployment(text,text,integer,text,bigint) to authenticated;
grant execute on function stark.scale_deployment(text,text,integer,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.setup_admin(p_user_id uuid, p_display_name text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'aafd6bf491638c24433363f81cf823ec';
comment on function stark.setup_admin(uuid,text) is 'Makes this user the first admin; works once.';
grant execute on function stark.setup_admin(uuid,text) to service_role;

CREATE OR REPLACE FUNCTION stark.stop_pods(p_ids uuid[], p_if_version bigint DEFAULT NULL::bigint)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '83a9f9778588b48c6b3419854e9ec513';
comment on function stark.stop_pods(uuid[],bigint) is 'Stops pods; their rows stay.';
grant execute on function stark.stop_pods(uuid[],bigint) to authenticated;
grant execute on function stark.stop_pods(uuid[],bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.store_watch_secrets(p_project_url text, p_secret_key text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8106949a516be5b08872d0b110d2f201';
comment on function stark.store_watch_secrets(text,text) is 'Puts into Vault by what a watcher is called.';
grant execute on function stark.store_watch_secrets(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.uncordon_node(p_name text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '7ef06b5ce221d606599a2edd63a7e03b';
comment on function stark.uncordon_node(text) is 'Lets a node have new pods again.';
grant execute on function stark.uncordon_node(text) to authenticated;
grant execute on function stark.uncordon_node(text) to service_role;

CREATE OR REPLACE FUNCTION stark.undo_rollout(p_namespace text, p_name text, p_to_revision bigint DEFAULT NULL::bigint, p_change_cause text DEFAULT NULL::text)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ce52741ca9dfa593d420a148ab25530c';
comment on function stark.undo_rollout(text,text,bigint,text) is 'Makes an old template the newest revision.';
grant execute on function stark.undo_rollout(text,text,bigint,text) to authenticated;
grant execute on function stark.undo_rollout(text,text,bigint,text) to service_role;

CREATE OR REPLACE FUNCTION stark.update_cluster_config(p_changes jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.cluster_config
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f1eed10113fcb7ccad2885c80f0226f8';
comment on function stark.update_cluster_config(jsonb,bigint) is 'Changes settings of the cluster.';
grant execute on function stark.update_cluster_config(jsonb,bigint) to authenticated;
grant execute on function stark.update_cluster_config(jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_deployment(p_namespace text, p_name text, p_changes jsonb, p_if_revision bigint DEFAULT NULL::bigint)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '6d1d24bddd7f8af0c80ca3e2b6bb6f06';
comment on function stark.update_deployment(text,text,jsonb,bigint) is 'Changes what is wanted of a deployment.';
grant execute on function stark.update_deployment(text,text,jsonb,bigint) to authenticated;
grant execute on function stark.update_deployment(text,text,jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_namespace(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_quota jsonb DEFAULT '{}'::jsonb, p_limit_range jsonb DEFAULT '{}'::jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a277c82296c5383475aeba5b940ed947';
comment on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) is 'Patches a namespace''s labels, quota and limit range.';
grant execute on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) to authenticated;
grant execute on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_node(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_allocatable jsonb DEFAULT '{}'::jsonb, p_capabilities jsonb DEFAULT '{}'::jsonb, p_if_version bigint DEFAULT NULL::bigint, p_accepts text DEFAULT NULL::text, p_accepted_namespaces text[] DEFAULT NULL::text[])
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '13d0190ab550830a398767c438b53b44';
comment on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint,text,text[]) is 'Patches a node''s labels, taints, amounts and capabilities.';
grant execute on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint,text,text[]) to authenticated;
grant execute on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint,text,text[]) to service_role;

CREATE OR REPLACE FUNCTION stark.update_pack(p_name text, p_visibility text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.packs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '7a8e9270364bc304e86baf50c703c5a0';
comment on function stark.update_pack(text,text,text,bigint) is 'Changes who may use a pack, and its description.';
grant execute on function stark.update_pack(text,text,text,bigint) to authenticated;
grant execute on function stark.update_pack(text,text,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_pods(p_ids uuid[], p_labels jsonb DEFAULT '{}'::jsonb, p_annotations jsonb DEFAULT '{}'::jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '2755dd554251a1da7f55159e44e1a6b7';
comment on function stark.update_pods(uuid[],jsonb,jsonb,bigint) is 'Patches labels and annotations of pods.';
grant execute on function stark.update_pods(uuid[],jsonb,jsonb,bigint) to authenticated;
grant execute on function stark.update_pods(uuid[],jsonb,jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_priority_class(p_name text, p_global_default boolean DEFAULT NULL::boolean, p_description text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '2ba8cbce302b05f71ada13d28a2e22e5';
comment on function stark.update_priority_class(text,boolean,text,bigint) is 'Changes which priority class is the default, or what one is for.';
grant execute on function stark.update_priority_class(text,boolean,text,bigint) to authenticated;
grant execute on function stark.update_priority_class(text,boolean,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_role(p_name text, p_permissions text[] DEFAULT NULL::text[], p_description text DEFAULT NULL::text)
 RETURNS stark.roles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '199dc4c3578d9724952cf39adfc3f075';
comment on function stark.update_role(text,text[],text) is 'Changes what a role may do, or its description.';
grant execute on function stark.update_role(text,text[],text) to authenticated;
grant execute on function stark.update_role(text,text[],text) to service_role;

CREATE OR REPLACE FUNCTION stark.watch_nodes(p_observations jsonb, p_since timestamp with time zone, p_at timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '09871fe158680cce9fe4979a43867643';
comment on function stark.watch_nodes(jsonb,timestamp with time zone,timestamp with time zone) is 'A watcher tells what it saw of the nodes.';
grant execute on function stark.watch_nodes(jsonb,timestamp with time zone,timestamp with time zone) to service_role;

CREATE OR REPLACE FUNCTION stark.whoami()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a3db4df9c692665e6f971b83e9dec073';
comment on function stark.whoami() is 'The caller and the roles they have.';
grant execute on function stark.whoami() to authenticated;
grant execute on function stark.whoami() to service_role;

CREATE OR REPLACE FUNCTION stark.withdraw_pack_version(p_name text, p_version text)
 RETURNS stark.pack_versions
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd375282876e23e27e46e58d7d7c824f7';
comment on function stark.withdraw_pack_version(text,text) is 'Keeps new pods off a version.';
grant execute on function stark.withdraw_pack_version(text,text) to authenticated;
grant execute on function stark.withdraw_pack_version(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark_internal.acceptance_problem(p_accepts text, p_namespaces text[])
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '0ac11ed6ad4c072b849c2b8876378ec5';
comment on function stark_internal.acceptance_problem(text,text[]) is 'What is wrong with whose pods a node says it takes; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.account_resources()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '63ccda8c7b3c39c8ec4944def139efb7';
comment on function stark_internal.account_resources() is 'Keeps nodes.allocated equal to what the placed pods have asked for.';

CREATE OR REPLACE FUNCTION stark_internal.add_revision(p_deployment_id uuid, p_template jsonb, p_secrets jsonb, p_version_id uuid, p_cause text, p_change_cause text, p_user_id uuid, p_now timestamp with time zone DEFAULT now())
 RETURNS bigint
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a900d3ee1da628a572ffde02650ec80b';
comment on function stark_internal.add_revision(uuid,jsonb,jsonb,uuid,text,text,uuid,timestamp with time zone) is 'Makes a template the newest revision.';

CREATE OR REPLACE FUNCTION stark_internal.admit(p_role text DEFAULT NULL::text, p_namespace text DEFAULT NULL::text, p_display_name text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '862332e0631de3206b1dcda271962141';
comment on function stark_internal.admit(text,text,text) is 'Announces a user whom Supabase Auth is about to make.';

CREATE OR REPLACE FUNCTION stark_internal.affinity_problem(p_affinity jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a9008f8b5dcf9c72a38c637090c4e7b5';
comment on function stark_internal.affinity_problem(jsonb) is 'What is wrong with this affinity; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.among_their_own(p_spec jsonb, p_labels jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '0844228d1e9916bb4830037bbc4efbe3';
comment on function stark_internal.among_their_own(jsonb,jsonb) is 'A spec whose rules about its own kind speak of one revision only.';

CREATE OR REPLACE FUNCTION stark_internal.amount_in(p_value jsonb)
 RETURNS numeric
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '326bdecb84059f9018f50e333e0dc67f';
comment on function stark_internal.amount_in(jsonb) is 'A JSON number that can be an amount, else null.';

CREATE OR REPLACE FUNCTION stark_internal.amount_of(p_value jsonb, p_total integer, p_up boolean)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7fd23c9b7f76f19dee3bd6ece224c6ea';
comment on function stark_internal.amount_of(jsonb,integer,boolean) is 'How many pods an amount is.';

CREATE OR REPLACE FUNCTION stark_internal.annotations_problem(p_annotations jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '931b5f0cd9d5f14a1c4efcf1fe3d4c4a';
comment on function stark_internal.annotations_problem(jsonb) is 'What is wrong with these annotations; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.append_events(p_kind text, p_type text, p_id_column text, p_objects jsonb[], p_details jsonb[] DEFAULT NULL::jsonb[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e150b7fd3d732cc9275f58bccb9273d9';
comment on function stark_internal.append_events(text,text,text,jsonb[],jsonb[]) is 'Writes and broadcasts one event for each object.';

CREATE OR REPLACE FUNCTION stark_internal.apply_manifest(p_deployment stark.deployments, p_manifest jsonb)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'c5ba9dcdf2df1b178817947b67961a6d';
comment on function stark_internal.apply_manifest(stark.deployments,jsonb) is 'A deployment''s row with this manifest in its columns.';

CREATE OR REPLACE FUNCTION stark_internal.apply_reports(p_node_id uuid, p_reports stark_internal.pod_report[], p_refused jsonb[], p_now timestamp with time zone DEFAULT now())
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '077faaa07e118c5e8dfcea03b2e98434';
comment on function stark_internal.apply_reports(uuid,stark_internal.pod_report[],jsonb[],timestamp with time zone) is 'Applies an agent''s reports, each judged by itself.';

CREATE OR REPLACE FUNCTION stark_internal.autoscale(p_ids uuid[], p_now timestamp with time zone)
 RETURNS uuid[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 'dd31a81405d5ebc87691378ed8086384';
comment on function stark_internal.autoscale(uuid[],timestamp with time zone) is 'One look of the autoscaler at a set of deployments.';

CREATE OR REPLACE FUNCTION stark_internal.autoscale_due(p_now timestamp with time zone DEFAULT stark_internal.controller_time())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b9e9c04056f0968db1936815d9ecbcbb';
comment on function stark_internal.autoscale_due(timestamp with time zone) is 'Looks of autoscalers whose time has come.';

CREATE OR REPLACE FUNCTION stark_internal.autoscale_problem(p_autoscale jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '4bf99f0ecb10ec93fae1304b397457df';
comment on function stark_internal.autoscale_problem(jsonb) is 'What is wrong with an autoscaler; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.begin_events(p_count bigint, OUT after bigint, OUT written_at timestamp with time zone, OUT origin text, OUT actor uuid, OUT correlation_id text)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '32b54dce92b4f400db9ed83183e0ff64';
comment on function stark_internal.begin_events(bigint) is 'Takes numbers for new events, and tells what all of them have in common.';

CREATE OR REPLACE FUNCTION stark_internal.begin_stop(p_ids uuid[], p_now timestamp with time zone DEFAULT now(), p_deletes boolean DEFAULT false)
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd515fa04e26a342ff859476da3e2bf43';
comment on function stark_internal.begin_stop(uuid[],timestamp with time zone,boolean) is 'Asks pods to stop, and to go; pending ones have stopped at once.';

CREATE OR REPLACE FUNCTION stark_internal.bind(p_now timestamp with time zone DEFAULT now(), p_most integer DEFAULT stark_internal.call_limit('placements_of_a_pass'::text), OUT placed integer, OUT explained integer)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '7f3ac53a8d9bdb3c99f4e0433b4f22f7';
comment on function stark_internal.bind(timestamp with time zone,integer) is 'Writes what a schedule pass has worked out.';

CREATE OR REPLACE FUNCTION stark_internal.block_time(p_failures integer)
 RETURNS interval
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '20646bce9ad82d73e2f6ad31a4cbe08b';
comment on function stark_internal.block_time(integer) is 'For how long a version is blocked that failed so often.';

CREATE OR REPLACE FUNCTION stark_internal.blocking_rules(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, rule integer, must_leave bigint, pods uuid[])
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '196952390813a7142f112da709dc4da4';
comment on function stark_internal.blocking_rules(stark_internal.pod_group) is 'Rules about other pods that reject nodes, and who would have to leave.';

CREATE OR REPLACE FUNCTION stark_internal.broadcast_events(p_after bigint, p_last bigint, p_time timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 'd25aa49c5e1c52bdfc88ae094259da3c';
comment on function stark_internal.broadcast_events(bigint,bigint,timestamp with time zone) is 'Broadcasts new events on the topics of their namespaces and of the cluster.';

CREATE OR REPLACE FUNCTION stark_internal.budget_states(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.budget_state
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'eff1ed1ff6c362bead4ea9e259240b43';
comment on function stark_internal.budget_states(stark_internal.revision_set[],timestamp with time zone) is 'Where disruption budgets stand.';

CREATE OR REPLACE FUNCTION stark_internal.bump_generation()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8d88415a45b85d6e6f2a945a96f438f4';
comment on function stark_internal.bump_generation() is 'Counts the changes of what is wanted of a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.bump_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cdc247f13c36b60fb1c2658a93ee7303';
comment on function stark_internal.bump_version() is 'Counts resource_version up with each change of a row.';

CREATE OR REPLACE FUNCTION stark_internal.but_there_last(p_spec jsonb, p_node_name text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6172b243164c71ff0f6838046b4e7b41';
comment on function stark_internal.but_there_last(jsonb,text) is 'A spec for every node but one.';

CREATE OR REPLACE FUNCTION stark_internal.call_limit(p_what text)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'dc377f9f5f88103366072a239ef5fa95';
comment on function stark_internal.call_limit(text) is 'The most of something that one call takes, or one step of work does.';

CREATE OR REPLACE FUNCTION stark_internal.call_watcher(p_now timestamp with time zone DEFAULT now())
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c82b93ce7dcf9e1c50432954e903b3d1';
comment on function stark_internal.call_watcher(timestamp with time zone) is 'Has Edge Function watch listen to the nodes for the next minute.';

CREATE OR REPLACE FUNCTION stark_internal.caller_name()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 'c482bcb0dd9d6c9275ce449098ffb807';
comment on function stark_internal.caller_name() is 'E-mail address or id of the caller, for messages.';

CREATE OR REPLACE FUNCTION stark_internal.caller_role()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '409716fb05a3bfbb78bdc3463b2aa5d3';
comment on function stark_internal.caller_role() is 'Role that sent the statement, also from inside a security definer function.';

CREATE OR REPLACE FUNCTION stark_internal.canary_goal(p_steps jsonb, p_step integer, p_replicas integer)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'dd82f00f799d80f19597fd7e13089a31';
comment on function stark_internal.canary_goal(jsonb,integer,integer) is 'How many pods a step of a canary wants.';

CREATE OR REPLACE FUNCTION stark_internal.canary_problem(p_steps jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '4e81ce2ce7d2a13fbf6276a655797485';
comment on function stark_internal.canary_problem(jsonb) is 'What is wrong with these canary steps; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.change_mode(p_before stark.deployments, p_mode text, p_change_cause text)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '77ae9821c14705204eb80515df49a05a';
comment on function stark_internal.change_mode(stark.deployments,text,text) is 'Makes the present template the newest revision in another mode.';

CREATE OR REPLACE FUNCTION stark_internal.change_template(p_deployment stark.deployments, p_template jsonb, p_version text, p_cause text, p_change_cause text, p_of bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'eb171d53c3097fef21dc4b42a8c716c8';
comment on function stark_internal.change_template(stark.deployments,jsonb,text,text,text,bigint) is 'Makes a template the newest revision, with the caller''s rights.';

CREATE OR REPLACE FUNCTION stark_internal.changed_fields(p_before jsonb, p_after jsonb, p_fields text[])
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '52694e37fedd1a47060be5ab17cd58bb';
comment on function stark_internal.changed_fields(jsonb,jsonb,text[]) is 'Which fields of an object differ between two states of it.';

CREATE OR REPLACE FUNCTION stark_internal.changed_manifest(p_deployment stark.deployments, p_changes jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'edf5f666a8585ac0f974d01b53c55dbb';
comment on function stark_internal.changed_manifest(stark.deployments,jsonb) is 'The manifest of a deployment with changes, checked.';

CREATE OR REPLACE FUNCTION stark_internal.check_namespace(p_labels jsonb, p_quota jsonb, p_limit_range jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7abf2cb0d7524773e3e1f7c5e1e58003';
comment on function stark_internal.check_namespace(jsonb,jsonb,jsonb) is 'Raises a coded error when a namespace''s description is not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '1f8fd485acd295e0b38085dff3526ffc';
comment on function stark_internal.check_nodes() is 'Refuses nodes whose labels, taints, amounts or capabilities are not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_permissions(p_permissions text[])
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '6291ff89049abd602b978450a48e106f';
comment on function stark_internal.check_permissions(text[]) is 'Raises a coded error for what is no list of permissions.';

CREATE OR REPLACE FUNCTION stark_internal.check_pods()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '174451c334a74675075e488f19eb03cd';
comment on function stark_internal.check_pods() is 'Refuses specs and labels that are not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_status_steps()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'ee18fac43bf5118fa14f78339296ba2b';
comment on function stark_internal.check_status_steps() is 'Refuses steps of a pod''s status that are not allowed.';

CREATE OR REPLACE FUNCTION stark_internal.choose_victims(p_group stark_internal.pod_group, p_nodes integer[])
 RETURNS TABLE(node_no integer, victims uuid[], highest integer, total bigint, started timestamp with time zone, least_request bigint[], most_request bigint[], most_pods bigint, lowest_kept integer, latest_kept timestamp with time zone, most_kept bigint[])
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '7b59988d271ae7cc7e307e247551f1ef';
comment on function stark_internal.choose_victims(stark_internal.pod_group,integer[]) is 'Who would have to go, node by node.';

CREATE OR REPLACE FUNCTION stark_internal.clean_up_deployments(p_ids uuid[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'fa0fba86f2ae8644aa69b3314f1b0d04';
comment on function stark_internal.clean_up_deployments(uuid[],timestamp with time zone) is 'Removes ended pods and old revisions of deployments.';

CREATE OR REPLACE FUNCTION stark_internal.close_deleted_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '455b8e02019be3a2cc31cd4c64c9a361';
comment on function stark_internal.close_deleted_nodes() is 'Tells the agents of deleted nodes, and removes the accounts that had joined for them.';

CREATE OR REPLACE FUNCTION stark_internal.cluster_key(p_labels jsonb, p_taints jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '193c62a1eef4d7e90d77016e88b7e66a';
comment on function stark_internal.cluster_key(jsonb,jsonb) is 'A label or taint under stark/, which nobody gives a node but the cluster.';

CREATE OR REPLACE FUNCTION stark_internal.command_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '1516ab8afcc03bce2359d3204c0574ae';
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';

CREATE OR REPLACE FUNCTION stark_internal.command_starts(p_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 '1e026e9f6b5baab19581322ebbd30923';
comment on function stark_internal.command_starts(uuid[]) is 'Sends pods.start for these pods to their nodes.';

CREATE OR REPLACE FUNCTION stark_internal.comparable(p_kind text, p_stated jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '807e1caa42717d37718229836fdaf75c';
comment on function stark_internal.comparable(text,jsonb) is 'What of a stated object can be compared.';

CREATE OR REPLACE FUNCTION stark_internal.comparator_bounds(p_comparator text, p_prerelease boolean)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '637ce2d7271b8dcdfe052bb18de730bb';
comment on function stark_internal.comparator_bounds(text,boolean) is 'What one comparator of a version range says.';

CREATE OR REPLACE FUNCTION stark_internal.conditions_of(p_available bigint, p_least bigint, p_status text, p_reason text, p_message text)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'ac62e9692acc646878025e83591e11e5';
comment on function stark_internal.conditions_of(bigint,bigint,text,text,text) is 'The conditions of a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.conditions_of_scaling(p_decision stark_internal.scaling_decision, p_conditions jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'd983128462fa527cc3e33cdad490a383';
comment on function stark_internal.conditions_of_scaling(stark_internal.scaling_decision,jsonb) is 'The conditions that an autoscaler writes.';

CREATE OR REPLACE FUNCTION stark_internal.continue_work(p_now timestamp with time zone DEFAULT now())
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cc16979e8c647230f8b5af7f38e51ead';
comment on function stark_internal.continue_work(timestamp with time zone) is 'One step of what earlier calls have left over.';

CREATE OR REPLACE FUNCTION stark_internal.controller_time()
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '05576608ccc9cdc27ec89b5bc92c5bf6';
comment on function stark_internal.controller_time() is 'What time it is to the controller.';

CREATE OR REPLACE FUNCTION stark_internal.count_managed_pods()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3c80993f219cc1cf6f92b936fdb5aed2';
comment on function stark_internal.count_managed_pods() is 'Keeps the counts of managed pods.';

CREATE OR REPLACE FUNCTION stark_internal.count_revisions(p_ids uuid[], p_now timestamp with time zone DEFAULT now())
 RETURNS SETOF stark_internal.revision_set
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '22d5cb42d73cd81ada6d1371fa099476';
comment on function stark_internal.count_revisions(uuid[],timestamp with time zone) is 'How many pods of each template there are, and how they are.';

CREATE OR REPLACE FUNCTION stark_internal.count_taken(p_group stark_internal.pod_group, p_nodes integer[], p_pods stark_internal.pod_request[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '4831f464b55c78779b7772de51268890';
comment on function stark_internal.count_taken(stark_internal.pod_group,integer[],stark_internal.pod_request[]) is 'Counts pods that were given nodes.';

CREATE OR REPLACE FUNCTION stark_internal.counted_as(p_pod stark.pods, p_sign integer)
 RETURNS stark_internal.managed_count
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '11439e9a0a2558de507cd8ee8466c17b';
comment on function stark_internal.counted_as(stark.pods,integer) is 'What a pod adds to the counts of its deployment.';

CREATE OR REPLACE FUNCTION stark_internal.current_server()
 RETURNS TABLE(system_identifier bigint, timeline integer)
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '80b5ab2edd442280e711113abf8b3f80';
comment on function stark_internal.current_server() is 'Identifier and timeline of the Postgres server.';

CREATE OR REPLACE FUNCTION stark_internal.cut(p_text text, p_bytes integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'dbc551557dd277d7efa8f8d6427f05bf';
comment on function stark_internal.cut(text,integer) is 'The beginning of a text, in at most so many bytes.';

CREATE OR REPLACE FUNCTION stark_internal.daemon_problem(p_manifest jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '8a84df10b4cda74fbab50afad5c5c95e';
comment on function stark_internal.daemon_problem(jsonb) is 'What a deployment of daemon mode must not say.';

CREATE OR REPLACE FUNCTION stark_internal.daemon_spec(p_spec jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7800206338b2f41c062610abfa8925b9';
comment on function stark_internal.daemon_spec(jsonb) is 'The spec of a pod that stays with its node.';

CREATE OR REPLACE FUNCTION stark_internal.decide_scaling(p_ids uuid[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.scaling_decision
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '53d7f592b4d81ddba3c787fe564ef3e0';
comment on function stark_internal.decide_scaling(uuid[],timestamp with time zone) is 'How many pods autoscalers want now, and why.';

CREATE OR REPLACE FUNCTION stark_internal.default_acceptance(p_capabilities jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'f1ac6cf44f9b9f593ba370893aaa986e';
comment on function stark_internal.default_acceptance(jsonb) is 'Whose pods a node takes, by its isolation.';

CREATE OR REPLACE FUNCTION stark_internal.default_fields(p_kind text)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '527dae5b15bf0b66af54867866d43f5a';
comment on function stark_internal.default_fields(text) is 'Fields of an object that nobody states.';

CREATE OR REPLACE FUNCTION stark_internal.deployment_fields()
 RETURNS TABLE(field text, column_name text, kind text, default_value jsonb)
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '13fba08840e22864bcc4bf6589cde7f5';
comment on function stark_internal.deployment_fields() is 'The simple fields of a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.deployment_problem(p_manifest jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'b8d2f8c6a4241da6a6cc53a368b8bac4';
comment on function stark_internal.deployment_problem(jsonb) is 'What is wrong with a deployment as a caller writes it; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.deployment_spec(p_deployment stark.deployments)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '4fd40f49459f28aaa44852e09d4bf88d';
comment on function stark_internal.deployment_spec(stark.deployments) is 'What is wanted of a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.deployment_words(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.deployment_word
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '1aebf601d92b48a4fce27266e9a61276';
comment on function stark_internal.deployment_words(stark_internal.revision_set[],timestamp with time zone) is 'What deployments say of themselves.';

CREATE OR REPLACE FUNCTION stark_internal.detect_restore()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '5419586ac270a2681ac63123c0b49c80';
comment on function stark_internal.detect_restore() is 'Calls reset_after_restore after a restore, a copy or a move of the database.';

CREATE OR REPLACE FUNCTION stark_internal.draft_pods(p_item jsonb, p_user_id uuid, p_others stark.pods[] DEFAULT '{}'::stark.pods[], p_now timestamp with time zone DEFAULT now())
 RETURNS stark.pods[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b2dd4a9ad05ff911ba0bfa524e85571d';
comment on function stark_internal.draft_pods(jsonb,uuid,stark.pods[],timestamp with time zone) is 'The pods that one entry of create_pods asks for.';

CREATE OR REPLACE FUNCTION stark_internal.drop_old_partitions(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a50cce6e684c9c7db1523aad81e1974e';
comment on function stark_internal.drop_old_partitions(timestamp with time zone) is 'Drops events and logs that are older than they are kept.';

CREATE OR REPLACE FUNCTION stark_internal.empty_deployments(p_ids uuid[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '98c2e689fbb293de48f3deac5003f9ed';
comment on function stark_internal.empty_deployments(uuid[],timestamp with time zone) is 'Removes deployments that are to go, with their pods.';

CREATE OR REPLACE FUNCTION stark_internal.empty_namespaces(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'bcfbb1f4cacebd9f6fc50b9e38001167';
comment on function stark_internal.empty_namespaces(timestamp with time zone) is 'Asks pods of terminating namespaces to stop and to go.';

CREATE OR REPLACE FUNCTION stark_internal.end_drains()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '02c3d04b66b05f217a7adbfe0e8c8258';
comment on function stark_internal.end_drains() is 'Ends drains of nodes that are empty.';

CREATE OR REPLACE FUNCTION stark_internal.end_empty_drains()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f8834b75da03b100a9a72f87853fc906';
comment on function stark_internal.end_empty_drains() is 'Ends drains of nodes that are empty.';

CREATE OR REPLACE FUNCTION stark_internal.end_events(p_kind text, p_after bigint, p_count bigint, p_time timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cf07d331188f703f95bac80cece2ef45';
comment on function stark_internal.end_events(text,bigint,bigint,timestamp with time zone) is 'Broadcasts written events of a kind that is broadcast.';

CREATE OR REPLACE FUNCTION stark_internal.end_victims(p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'cc50795c07cecb33db353e4646bef333';
comment on function stark_internal.end_victims(timestamp with time zone) is 'Ends victims that have not begun, and binds the pods that get their room.';

CREATE OR REPLACE FUNCTION stark_internal.enforce_quota()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'a389b2f58ae9ae73e7014bf551e98619';
comment on function stark_internal.enforce_quota() is 'Refuses pods that their namespace''s quota or limit range has no room for.';

CREATE OR REPLACE FUNCTION stark_internal.ensure_partitions(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c8cf68a79911792005de3deb50636039';
comment on function stark_internal.ensure_partitions(timestamp with time zone) is 'Makes the partitions of the coming days.';

CREATE OR REPLACE FUNCTION stark_internal.evict_all(p_node stark.nodes, p_reason text, p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c62fba83ad67602c4bd65899959c932b';
comment on function stark_internal.evict_all(stark.nodes,text,timestamp with time zone) is 'Evicts the pods of a node.';

CREATE OR REPLACE FUNCTION stark_internal.evict_from_draining(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1ca4d05e284e9e4d3eb38d2054d7a334';
comment on function stark_internal.evict_from_draining(stark_internal.revision_set[],timestamp with time zone) is 'Has pods leave nodes that are drained, within their budgets.';

CREATE OR REPLACE FUNCTION stark_internal.evict_pods(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f077a12b15b9467e1965e4da36d226fe';
comment on function stark_internal.evict_pods(timestamp with time zone) is 'Makes pods leave nodes whose taints they do not tolerate.';

CREATE OR REPLACE FUNCTION stark_internal.explain_nodes(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, name text, owner_id uuid, reasons text[], scores jsonb, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'f3a6f517d463e63deddbd7b7d61c7327';
comment on function stark_internal.explain_nodes(stark_internal.pod_group) is 'Every node with the filters it fails or the scores it earns.';

CREATE OR REPLACE FUNCTION stark_internal.fail(p_code text, p_message text, p_hint text DEFAULT NULL::text, p_details text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '661e87032732891919680e77c7d675af';
comment on function stark_internal.fail(text,text,text,text) is 'Raises a coded error in the form that PostgREST passes on unchanged.';

CREATE OR REPLACE FUNCTION stark_internal.fail_rollouts(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '465b6412ac56632fb0a02c2fc737ffcc';
comment on function stark_internal.fail_rollouts(stark_internal.revision_set[],timestamp with time zone) is 'Ends rollouts that have failed, and begins the way back.';

CREATE OR REPLACE FUNCTION stark_internal.failing_rollouts(p_sets stark_internal.revision_set[])
 RETURNS TABLE(deployment_id uuid, revision bigint, reason text, message text, has_run boolean)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'e3079df53f4c2c1bd09c8704a7c79026';
comment on function stark_internal.failing_rollouts(stark_internal.revision_set[]) is 'Rollouts that have failed now.';

CREATE OR REPLACE FUNCTION stark_internal.feasible_nodes(p_group stark_internal.pod_group, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slots bigint, cpu_total double precision, cpu_used double precision, memory_total double precision, memory_used double precision, pods_total double precision, pods_used double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '065ecf1cc3f1af900311601b06908540';
comment on function stark_internal.feasible_nodes(stark_internal.pod_group,boolean) is 'Nodes that pass every filter, and their room.';

CREATE OR REPLACE FUNCTION stark_internal.fields_problem(p_kind text, p_object jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '92ba62f2279fb74fcef7fc0affbdbc1b';
comment on function stark_internal.fields_problem(text,jsonb) is 'What is wrong with the fields of an object; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.filter_acceptance(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7528256d3560d0971ca5d36f72d14bd6';
comment on function stark_internal.filter_acceptance(stark_internal.pod_group) is 'Rejects nodes that take pods of others only.';

CREATE OR REPLACE FUNCTION stark_internal.filter_existing_anti_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '6c2d1d65157f8595d83941966dbec4ab';
comment on function stark_internal.filter_existing_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that keep the group away.';

CREATE OR REPLACE FUNCTION stark_internal.filter_health(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9b6dad702b2c09456029e3ac6dc53745';
comment on function stark_internal.filter_health(stark_internal.pod_group) is 'Rejects nodes that are not healthy.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7ada80743d26ef03621840f6e94aaf41';
comment on function stark_internal.filter_node_affinity(stark_internal.pod_group) is 'Rejects nodes that required node affinity does not match.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_name(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'aca82182f6eca6be311e600ffd6868f7';
comment on function stark_internal.filter_node_name(stark_internal.pod_group) is 'Rejects all nodes but the named one.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_selector(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '4013bfb2dae241d1f7e927778ee5c508';
comment on function stark_internal.filter_node_selector(stark_internal.pod_group) is 'Rejects nodes that lack a wanted label.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pack_access(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9e4fbd64e2633ad68fb6e872d7911895';
comment on function stark_internal.filter_pack_access(stark_internal.pod_group) is 'Rejects nodes that may not run a private pack.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pod_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9861ae7bd9c02867bea031628a576569';
comment on function stark_internal.filter_pod_affinity(stark_internal.pod_group) is 'Rejects nodes without the company that is required.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pod_anti_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '48db801a8328d6d44aa87eb367e90174';
comment on function stark_internal.filter_pod_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that the group keeps away from.';

CREATE OR REPLACE FUNCTION stark_internal.filter_ports(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '03cf2598431a59ff550e1d3830ae8127';
comment on function stark_internal.filter_ports(stark_internal.pod_group) is 'Rejects nodes where a fixed port is declared by another pod.';

CREATE OR REPLACE FUNCTION stark_internal.filter_resources(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '65b42cde4077e50b5bb0ed99ee0ee386';
comment on function stark_internal.filter_resources(stark_internal.pod_group) is 'Rejects nodes without room for one more pod of the group.';

CREATE OR REPLACE FUNCTION stark_internal.filter_runtime(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '3ecf96eb78c235d03e7ed1f385a0654a';
comment on function stark_internal.filter_runtime(stark_internal.pod_group) is 'Rejects nodes of another runtime than the pack''s.';

CREATE OR REPLACE FUNCTION stark_internal.filter_taints(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cbb81b0b9069b48317412bb5b296b0bb';
comment on function stark_internal.filter_taints(stark_internal.pod_group) is 'Rejects nodes with a taint that is not tolerated.';

CREATE OR REPLACE FUNCTION stark_internal.filter_topology_spread(p_group stark_internal.pod_group, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '39d00a11423358fbc4f71e5b5d61b557';
comment on function stark_internal.filter_topology_spread(stark_internal.pod_group,boolean) is 'Rejects nodes whose domain has too many pods already.';

CREATE OR REPLACE FUNCTION stark_internal.filter_unschedulable(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '76b1e14d30828d855251fc483803337a';
comment on function stark_internal.filter_unschedulable(stark_internal.pod_group) is 'Rejects cordoned nodes.';

CREATE OR REPLACE FUNCTION stark_internal.find_deployable_version(p_pack text, p_version text, p_user_id uuid)
 RETURNS stark.pack_versions
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '385230ad9fbdf78069c7c110b257839e';
comment on function stark_internal.find_deployable_version(text,text,uuid) is 'The pack version a user asked for, when they may run it.';

CREATE OR REPLACE FUNCTION stark_internal.find_priority_class(p_name text)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'e1cbcddb984676b18abfda37501cdf07';
comment on function stark_internal.find_priority_class(text) is 'The priority class a pod asks for, when the caller may use it.';

CREATE OR REPLACE FUNCTION stark_internal.finish_namespaces()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3b1f5abc63b7919cfbae8770cf0186c2';
comment on function stark_internal.finish_namespaces() is 'Removes terminating namespaces when their last pod has gone.';

CREATE OR REPLACE FUNCTION stark_internal.finish_rollouts(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '2e315e87bd646cd8cf0c530de8d58514';
comment on function stark_internal.finish_rollouts(stark_internal.revision_set[],timestamp with time zone) is 'Makes complete rollouts stable.';

CREATE OR REPLACE FUNCTION stark_internal.fit_daemons(p_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c330d731859b690b8f7db6032c3b94b2';
comment on function stark_internal.fit_daemons(uuid[]) is 'Works out which nodes fit deployments of daemon mode.';

CREATE OR REPLACE FUNCTION stark_internal.fitting_nodes(p_deployment_id uuid, p_revision bigint)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '5ae06b8084cd1a397b1d95c262565fef';
comment on function stark_internal.fitting_nodes(uuid,bigint) is 'The nodes that fit a revision of a deployment of daemon mode.';

CREATE OR REPLACE FUNCTION stark_internal.flat_patch(p_patch jsonb, p_present jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '8061745d6674a87a6e6517ecbc8c2e6e';
comment on function stark_internal.flat_patch(jsonb,jsonb) is 'A merge patch of one level.';

CREATE OR REPLACE FUNCTION stark_internal.follow_autoscale()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '47fe44d44a30532ce79972f42c54a517';
comment on function stark_internal.follow_autoscale() is 'Keeps a row for each deployment that is autoscaled.';

CREATE OR REPLACE FUNCTION stark_internal.follow_taints()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '812208aead300790d7e8ad5bdadfca3e';
comment on function stark_internal.follow_taints() is 'Notes since when a node has which taint NoExecute, and evicts.';

CREATE OR REPLACE FUNCTION stark_internal.follow_versions(p_ids uuid[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '227f7e1772c3b1b9f7652313928f7665';
comment on function stark_internal.follow_versions(uuid[],timestamp with time zone) is 'Has deployments take the version they follow.';

CREATE OR REPLACE FUNCTION stark_internal.forget_applied()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3df31c5d824422f132cdc1f90ccd0f21';
comment on function stark_internal.forget_applied() is 'Forgets what was applied to objects that are gone.';

CREATE OR REPLACE FUNCTION stark_internal.forget_expired_metrics(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '75d9f441d2d9e412b85a69ec41401890';
comment on function stark_internal.forget_expired_metrics(timestamp with time zone) is 'Removes numbers whose time is over.';

CREATE OR REPLACE FUNCTION stark_internal.forgive_nodes(p_ids uuid[])
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '6c810202d1cf7eedba8c72c4ebe77260';
comment on function stark_internal.forgive_nodes(uuid[]) is 'Lets pods be where others of their deployment failed, when there is no other place.';

CREATE OR REPLACE FUNCTION stark_internal.has_admin()
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '262b85c11d34195d87d57ef8b8d9d3cc';
comment on function stark_internal.has_admin() is 'Whether the cluster has an admin who is not disabled.';

CREATE OR REPLACE FUNCTION stark_internal.has_agent_account(p_node stark.nodes)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f383efde3eadd88944460d69028685e2';
comment on function stark_internal.has_agent_account(stark.nodes) is 'Whether the node''s own account may still work as its agent.';

CREATE OR REPLACE FUNCTION stark_internal.has_endless_number(p_value jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '41a9f89b171d512cf046d1ad104dd12e';
comment on function stark_internal.has_endless_number(jsonb) is 'True for JSON with a number that JavaScript does not hold.';

CREATE OR REPLACE FUNCTION stark_internal.has_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '2fcdf1e498952854e3aaf2d6799e92c9';
comment on function stark_internal.has_permission(text,text,boolean) is 'Whether the caller has this right, cluster-wide or in the namespace.';
grant execute on function stark_internal.has_permission(text,text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.heartbeat_interval(p_node_id uuid)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'a068248bdfdec9c341ec2f050ae0dd4c';
comment on function stark_internal.heartbeat_interval(uuid) is 'Seconds between two heartbeats of a node.';

CREATE OR REPLACE FUNCTION stark_internal.heartbeat_terms()
 RETURNS TABLE(liveness text, interval_seconds integer, timeout_seconds integer)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2b4b82468988504e315304c0cc33cd40';
comment on function stark_internal.heartbeat_terms() is 'How often agents give a sign of life, and how long they may be without.';

CREATE OR REPLACE FUNCTION stark_internal.held_pods(p_ids uuid[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.held_pod
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'afce69178ed1a979d29fceb0630f9d5a';
comment on function stark_internal.held_pods(uuid[],timestamp with time zone) is 'Pods that disruption budgets hold on nodes that are drained.';

CREATE OR REPLACE FUNCTION stark_internal.held_replacements(p_deployment_id uuid, p_hash text, p_now timestamp with time zone, OUT held bigint, OUT until timestamp with time zone, OUT node_name text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '06f44873e6ae300dc363b1f242e13b93';
comment on function stark_internal.held_replacements(uuid,text,timestamp with time zone) is 'How many pods that failed for good are not replaced yet.';

CREATE OR REPLACE FUNCTION stark_internal.hyphen_bounds(p_from text, p_to text, p_prerelease boolean)
 RETURNS text[]
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '56b808fc557c148c12d98773b8e0d2a0';
comment on function stark_internal.hyphen_bounds(text,text,boolean) is 'A range from one version to another as plain comparators.';

CREATE OR REPLACE FUNCTION stark_internal.in_mode(p_template jsonb, p_mode text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '052c9793156260e176c518b05acedcf1';
comment on function stark_internal.in_mode(jsonb,text) is 'A template as a deployment of this mode has it.';

CREATE OR REPLACE FUNCTION stark_internal.insert_managed_pods(p_pods stark_internal.managed_pod[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'fae73a06498ba032ac040d59b7371d24';
comment on function stark_internal.insert_managed_pods(stark_internal.managed_pod[],timestamp with time zone) is 'Makes pods that deployments lack.';

CREATE OR REPLACE FUNCTION stark_internal.insert_pods(p_new stark.pods[], p_now timestamp with time zone DEFAULT now(), OUT placed integer, OUT explained integer)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '55a53a4a727592b1e8c66cac3b8fb19d';
comment on function stark_internal.insert_pods(stark.pods[],timestamp with time zone) is 'Stores new pods with the nodes that a pass found for them.';

CREATE OR REPLACE FUNCTION stark_internal.intolerable_taints(p_tolerations jsonb, p_effects text[])
 RETURNS TABLE(node_no integer, taint jsonb)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cee66c816c1aecd8390be64b44adceee';
comment on function stark_internal.intolerable_taints(jsonb,text[]) is 'Taints that these tolerations do not tolerate.';

CREATE OR REPLACE FUNCTION stark_internal.is_admin(p_user_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '5323201a5c1b563f567b8503abcabbf8';
comment on function stark_internal.is_admin(uuid) is 'Whether this user is an admin of the whole cluster.';

CREATE OR REPLACE FUNCTION stark_internal.is_amount(p_value jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a46c4fbdb705a73c009ce983aef1e55a';
comment on function stark_internal.is_amount(jsonb) is 'True for a number of pods, or percents of them.';

CREATE OR REPLACE FUNCTION stark_internal.is_deep(p_value jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'c248c71dfcd63b3ddd4b7a0c3653e4ac';
comment on function stark_internal.is_deep(jsonb) is 'True for JSON of more than 32 levels.';

CREATE OR REPLACE FUNCTION stark_internal.is_dns_label(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'd3859b3cc16ad5c518e56747336d13b9';
comment on function stark_internal.is_dns_label(text) is 'True for a DNS label: lower case, digits and dashes, at most 63 characters.';

CREATE OR REPLACE FUNCTION stark_internal.is_dns_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'd889f5e0a79750e49e196c8ffceeb3a3';
comment on function stark_internal.is_dns_name(text) is 'True for DNS labels joined by dots, at most 253 characters.';

CREATE OR REPLACE FUNCTION stark_internal.is_first_of_its_kind(p_group stark_internal.pod_group)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'aed943aaeb0adcf57d11675766de702d';
comment on function stark_internal.is_first_of_its_kind(stark_internal.pod_group) is 'Whether a group wants to be near its own kind and is the first of it.';

CREATE OR REPLACE FUNCTION stark_internal.is_hearing(p_kind text, p_verb text, p_scope text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'be96a6f94a8d20779336a648c140572d';
comment on function stark_internal.is_hearing(text,text,text) is 'Whether a topic may be heard by this permission.';

CREATE OR REPLACE FUNCTION stark_internal.is_label_key(p_key text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '986f7913ac7e9c3827ca0ead515be387';
comment on function stark_internal.is_label_key(text) is 'True for the key of a label.';

CREATE OR REPLACE FUNCTION stark_internal.is_label_value(p_value text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a591ec2387a35f3d651edfe498f4f1c3';
comment on function stark_internal.is_label_value(text) is 'True for the value of a label.';

CREATE OR REPLACE FUNCTION stark_internal.is_member()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '4de9b1632d98c2400b3ab25decef9027';
comment on function stark_internal.is_member() is 'Whether the caller has any role.';
grant execute on function stark_internal.is_member() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.is_metric_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'c2c275fdfc30663631cf867f43d9654f';
comment on function stark_internal.is_metric_name(text) is 'True for a name that a reported number may have.';

CREATE OR REPLACE FUNCTION stark_internal.is_number(p_value jsonb, p_low numeric, p_high numeric)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '832583ab03945f095966f9d325a7d1c9';
comment on function stark_internal.is_number(jsonb,numeric,numeric) is 'True for a JSON number between two bounds.';

CREATE OR REPLACE FUNCTION stark_internal.is_pack_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '953fcc11be4542c3288eaf926450c541';
comment on function stark_internal.is_pack_name(text) is 'True for a name that npm would take for a new package.';

CREATE OR REPLACE FUNCTION stark_internal.is_semver(p_version text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'eaf784751be14760b7419cb4f8f65ee4';
comment on function stark_internal.is_semver(text) is 'True for a version in the sense of semver.org 2.0.0.';

CREATE OR REPLACE FUNCTION stark_internal.is_time(p_text text, p_latest timestamp with time zone DEFAULT '9999-12-31 00:00:00+00'::timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '19b0583a18d6f89d1e1c1f7d0ade8765';
comment on function stark_internal.is_time(text,timestamp with time zone) is 'True for the text of a time that a clock can show.';

CREATE OR REPLACE FUNCTION stark_internal.is_trusted()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'e953ae5c3e8945d2b20e2c2eeee5aad3';
comment on function stark_internal.is_trusted() is 'True for the secret key and for the database''s own administrators.';

CREATE OR REPLACE FUNCTION stark_internal.is_unreachable(p_status text, p_reason text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '561d34f6cf0956848db77c4c6ff690bd';
comment on function stark_internal.is_unreachable(text,text) is 'Whether a node of this status is tainted unreachable.';

CREATE OR REPLACE FUNCTION stark_internal.is_uuid(p_text text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6cf093622f7b51e6be33f11e155943b8';
comment on function stark_internal.is_uuid(text) is 'True for the text of a uuid.';

CREATE OR REPLACE FUNCTION stark_internal.is_whole(p_value jsonb, p_low numeric, p_high numeric)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '61209270497164f0894ca3dbb9160454';
comment on function stark_internal.is_whole(jsonb,numeric,numeric) is 'True for a whole JSON number between two bounds.';

CREATE OR REPLACE FUNCTION stark_internal.isolation_labels(p_capabilities jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '30a916353f4c1f5ff0cbc6c18020c0ff';
comment on function stark_internal.isolation_labels(jsonb) is 'The label that tells what holds the pods of a node.';

CREATE OR REPLACE FUNCTION stark_internal.isolation_problem(p_capabilities jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '3be5047d33257cabcd95058f921bf696';
comment on function stark_internal.isolation_problem(jsonb) is 'What is wrong with an agent''s words about its isolation; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.isolation_taints(p_tier text, p_accepts text)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a158f039e7b055f8b38bc9fca217f770';
comment on function stark_internal.isolation_taints(text,text) is 'The taint that tells that nothing holds the pods of a node.';

CREATE OR REPLACE FUNCTION stark_internal.job_states()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f5987378edeef38e14e5c18b5df92854';
comment on function stark_internal.job_states() is 'Stark''s jobs as pg_cron has them, and how they ran last.';

CREATE OR REPLACE FUNCTION stark_internal.keep_an_admin()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ab49873a77ef2121cf2ce1465beaa7b9';
comment on function stark_internal.keep_an_admin() is 'Refuses to leave the cluster without an admin.';

CREATE OR REPLACE FUNCTION stark_internal.keep_bundles()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c0fbdb07199b1a1cce927db93b4984b9';
comment on function stark_internal.keep_bundles() is 'Refuses to change the bundle of a finished version.';

CREATE OR REPLACE FUNCTION stark_internal.keep_versions_immutable()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '5e76107e2d317d0b0c35e961e65f96a0';
comment on function stark_internal.keep_versions_immutable() is 'Refuses changes to a version that is ready or withdrawn.';

CREATE OR REPLACE FUNCTION stark_internal.label_keys_problem(p_owner jsonb, p_field text, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '9104ff80de4aa247815b9a9fd2e83281';
comment on function stark_internal.label_keys_problem(jsonb,text,text) is 'What is wrong with these keys of the pod''s own labels; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.label_selector_problem(p_selector jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '1bb83b6a967ba7ee222f171f901e93ed';
comment on function stark_internal.label_selector_problem(jsonb,text) is 'What is wrong with this label selector; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.labels_problem(p_labels jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6eef41911fbbd0edbf9d7a06f319817e';
comment on function stark_internal.labels_problem(jsonb) is 'What is wrong with these labels; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.latest_version(p_pack_id uuid)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '6bf511b73cb3d8a63afa7b0f1505c051';
comment on function stark_internal.latest_version(uuid) is 'The version a pod gets when it asks for none.';

CREATE OR REPLACE FUNCTION stark_internal.leave_pinned(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[], p_attempts integer)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'd225d0aedf499a3b259ed4d5cd5db635';
comment on function stark_internal.leave_pinned(stark_internal.pod_group,stark_internal.pod_request[],integer) is 'Keeps why pods do not fit on the nodes that they were made for.';

CREATE OR REPLACE FUNCTION stark_internal.leaving_pods(p_deployment_id uuid)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '76009386650b79f071295f74a0e7176e';
comment on function stark_internal.leaving_pods(uuid) is 'How many pods of a deployment wait to leave nodes that are drained.';

CREATE OR REPLACE FUNCTION stark_internal.limit_bindings(p_most integer)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'bdd288140814d1613d51cd5d047bdf8f';
comment on function stark_internal.limit_bindings(integer) is 'Keeps what one pass may place.';

CREATE OR REPLACE FUNCTION stark_internal.limit_range_problem(p_range jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '69979c9998555af2aa7d015b4b56f8f9';
comment on function stark_internal.limit_range_problem(jsonb) is 'What is wrong with this limit range; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.load_counts()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 '4c3a50da87945b8aa173b1fc674659f3';
comment on function stark_internal.load_counts() is 'Fills the working table of counts.';

CREATE OR REPLACE FUNCTION stark_internal.load_domains()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 'ae62225a8ae2472bbce78d9107dc93c8';
comment on function stark_internal.load_domains() is 'Fills the working table of domains.';

CREATE OR REPLACE FUNCTION stark_internal.load_given_pods(p_pods stark.pods[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '38f2115d8855de8bf4eca6febcf0217c';
comment on function stark_internal.load_given_pods(stark.pods[]) is 'Adds given pods to the working table of pending pods.';

CREATE OR REPLACE FUNCTION stark_internal.load_holders()
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 'bb952c61aaad59c3abee08d9ca4be751';
comment on function stark_internal.load_holders() is 'Fills the working table of placed pods with rules about others.';

CREATE OR REPLACE FUNCTION stark_internal.load_makers()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '30f4bff9a7fdfb1f36077d9237f8612a';
comment on function stark_internal.load_makers() is 'Notes what nodes ask about who made the pending pods.';

CREATE OR REPLACE FUNCTION stark_internal.load_nodes()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '4bacd9b8adfddcb5811c766bc498b714';
comment on function stark_internal.load_nodes() is 'Fills the working table of nodes.';

CREATE OR REPLACE FUNCTION stark_internal.load_pods(p_retry boolean DEFAULT true, p_of_a_kind integer DEFAULT stark_internal.call_limit('placements_of_a_pass'::text), p_new stark.pods[] DEFAULT '{}'::stark.pods[], p_after uuid DEFAULT NULL::uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3ef566e47e9dcd6defc6aebeddbe9a19';
comment on function stark_internal.load_pods(boolean,integer,stark.pods[],uuid) is 'Fills the working table of pending pods.';

CREATE OR REPLACE FUNCTION stark_internal.load_ports()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9852d68161b65a73644c96552caaab91';
comment on function stark_internal.load_ports() is 'Fills the working table of fixed ports.';

CREATE OR REPLACE FUNCTION stark_internal.load_rules()
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '5298c9fb1de51ed17fc5467e38d9e971';
comment on function stark_internal.load_rules() is 'Fills the working tables of rules about other pods.';

CREATE OR REPLACE FUNCTION stark_internal.load_selectors()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 'b6779726152360211a404b656dd9b0c9';
comment on function stark_internal.load_selectors() is 'Fills the working tables of rules and selectors.';

CREATE OR REPLACE FUNCTION stark_internal.load_stances()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 '6b2c85be003d7e7c5dabe9af9853fce0';
comment on function stark_internal.load_stances() is 'Fills the working tables of what placed pods want of others.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd11ff53a1960ef68b216c66e171c8528';
comment on function stark_internal.lock_cluster() is 'Takes the cluster lock until the end of the transaction.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster_first()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '65650d5035eac474c9c9f5d99794aab8';
comment on function stark_internal.lock_cluster_first() is 'Takes the cluster lock before a statement locks its first row.';

CREATE OR REPLACE FUNCTION stark_internal.make_daemons(p_sets stark_internal.revision_set[], p_steps stark_internal.daemon_step[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '0022f3b2f109b9e6d1ac00f0f61e74b0';
comment on function stark_internal.make_daemons(stark_internal.revision_set[],stark_internal.daemon_step[],timestamp with time zone) is 'Makes pods that nodes lack.';

CREATE OR REPLACE FUNCTION stark_internal.make_missing(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8bcd3b5c62a81afa735c22cbebc299c5';
comment on function stark_internal.make_missing(stark_internal.revision_set[],timestamp with time zone) is 'Makes pods that are missing.';

CREATE OR REPLACE FUNCTION stark_internal.maker_of_pods(p_deployment stark.deployments, p_revision stark.deployment_revisions)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '1726d615bac3178a54ec17f8a81156e1';
comment on function stark_internal.maker_of_pods(stark.deployments,stark.deployment_revisions) is 'Whose rights the pods of a revision have.';

CREATE OR REPLACE FUNCTION stark_internal.managed_pods_left()
 RETURNS integer
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '86b375e8c8a0e1e93014b94635343e12';
comment on function stark_internal.managed_pods_left() is 'How many pods controllers may still make in this transaction.';

CREATE OR REPLACE FUNCTION stark_internal.manifest_of(p_deployment stark.deployments)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'ee54e1950136728aa9b6444d1b2706e2';
comment on function stark_internal.manifest_of(stark.deployments) is 'The manifest of a deployment as a caller writes it.';

CREATE OR REPLACE FUNCTION stark_internal.match_pending_pods()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
 SET jit TO 'off'
as md5 '58473b05d255a6473bc75199ee207892';
comment on function stark_internal.match_pending_pods() is 'Notes which selectors match pending pods.';

CREATE OR REPLACE FUNCTION stark_internal.matches_selector(p_labels jsonb, p_selector jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '39800f99af5da780857c0fa2c9417b4f';
comment on function stark_internal.matches_selector(jsonb,jsonb) is 'Whether labels match a label selector.';

CREATE OR REPLACE FUNCTION stark_internal.matches_terms(p_namespace text, p_labels jsonb, p_terms jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'cf97f03df6576d8c4c142b92b3f1d072';
comment on function stark_internal.matches_terms(text,jsonb,jsonb) is 'Whether a pod matches all of these terms.';

CREATE OR REPLACE FUNCTION stark_internal.matching_nodes(p_terms jsonb)
 RETURNS TABLE(node_no integer, term_no bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9d35ed949c8b285c5ff892053b1edf3c';
comment on function stark_internal.matching_nodes(jsonb) is 'Which nodes match which of these node selector terms.';

CREATE OR REPLACE FUNCTION stark_internal.max_log_bytes()
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '9439e618622f303038004e6702826445';
comment on function stark_internal.max_log_bytes() is 'Bytes that are kept of a pod''s log.';

CREATE OR REPLACE FUNCTION stark_internal.may_act_as_agent(p_node stark.nodes)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '57201aaebf56b659a6a7fc2a8b7a41e4';
comment on function stark_internal.may_act_as_agent(stark.nodes) is 'Whether the caller may work as the agent of this node.';

CREATE OR REPLACE FUNCTION stark_internal.may_not_run(p_user_id uuid, p_namespace text, p_pack_id uuid, p_template jsonb)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '92251b9bd09536f1ff7b42adb654e1aa';
comment on function stark_internal.may_not_run(uuid,text,uuid,jsonb) is 'Why pods may not be made with the rights of this user; null when they may.';

CREATE OR REPLACE FUNCTION stark_internal.may_read_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '5317c24c8656b6b4534678967d033a37';
comment on function stark_internal.may_read_bundle(text) is 'Whether the caller may download the bundle of this path.';
grant execute on function stark_internal.may_read_bundle(text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.may_upload_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '68c84b5eeaae82d21ab0f90999cee518';
comment on function stark_internal.may_upload_bundle(text) is 'Whether the caller may upload the bundle of this path.';
grant execute on function stark_internal.may_upload_bundle(text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.may_use_topic(p_topic text, p_extension text, p_access text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '64ef73213ecde2195859edde2a30cb1a';
comment on function stark_internal.may_use_topic(text,text,text) is 'Whether the caller may read or write this extension of one of Stark''s topics.';
grant execute on function stark_internal.may_use_topic(text,text,text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.meets_bound(p_key text, p_bound text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '160c8326453ffd054a525e1d366dbbee';
comment on function stark_internal.meets_bound(text,text) is 'Whether a version is on the right side of a bound.';

CREATE OR REPLACE FUNCTION stark_internal.merge_conditions(p_before jsonb, p_after jsonb, p_now timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'b3a11ca4f84d9ae558695c0d5cfe93fa';
comment on function stark_internal.merge_conditions(jsonb,jsonb,timestamp with time zone) is 'Conditions with the times of their last change.';

CREATE OR REPLACE FUNCTION stark_internal.merge_deep(p_target jsonb, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '53384d55b49dba6ba03a200905bd2091';
comment on function stark_internal.merge_deep(jsonb,jsonb) is 'A JSON merge patch applied.';

CREATE OR REPLACE FUNCTION stark_internal.merge_patch(p_target jsonb, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7a3cf661c549d93962c16fcb09ba8d29';
comment on function stark_internal.merge_patch(jsonb,jsonb) is 'A flat object with a patch applied to it; null removes a field.';

CREATE OR REPLACE FUNCTION stark_internal.metrics_problem(p_metrics jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '9b6ebb191d1748e52f1476eae100c6f4';
comment on function stark_internal.metrics_problem(jsonb) is 'What is wrong with the metrics of an autoscaler; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.mirror_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c0a3bf67e92c9f380d6a56b952f5b257';
comment on function stark_internal.mirror_users() is 'Keeps one profile for each user of Supabase Auth.';

CREATE OR REPLACE FUNCTION stark_internal.missing_daemons(p_sets stark_internal.revision_set[], p_steps stark_internal.daemon_step[], p_now timestamp with time zone)
 RETURNS TABLE(deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamp with time zone, avoids text, maker uuid)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd8c2ba8463b27a56fe50d99775ec57be';
comment on function stark_internal.missing_daemons(stark_internal.revision_set[],stark_internal.daemon_step[],timestamp with time zone) is 'How many pods of deployments of daemon mode can be made now, and why not all.';

CREATE OR REPLACE FUNCTION stark_internal.missing_permission(p_permissions text[], p_namespace text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '79406449c359f18f3a1faf00a65f2fa6';
comment on function stark_internal.missing_permission(text[],text) is 'What of these permissions the caller does not have.';

CREATE OR REPLACE FUNCTION stark_internal.missing_pods(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS TABLE(deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamp with time zone)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'fda0015f0a5507f2acb93b2a31c022aa';
comment on function stark_internal.missing_pods(stark_internal.revision_set[],timestamp with time zone) is 'How many pods of each revision can be made now, and why not all.';

CREATE OR REPLACE FUNCTION stark_internal.missing_replicas(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS TABLE(deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamp with time zone, avoids text, maker uuid)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '444f32993a99c40828f5c4d8d0a8f8de';
comment on function stark_internal.missing_replicas(stark_internal.revision_set[],timestamp with time zone) is 'How many counted pods of each revision can be made now, and why not all.';

CREATE OR REPLACE FUNCTION stark_internal.move_topics(p_topics text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '76f079312194e2fcc35837a959d046f7';
comment on function stark_internal.move_topics(text[]) is 'Gives topics another name, and tells who hears them.';

CREATE OR REPLACE FUNCTION stark_internal.move_topics_of_lost_rights()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '244e15dcd67b86672ec194febba4aa2e';
comment on function stark_internal.move_topics_of_lost_rights() is 'Moves topics on when somebody lost the right to hear them.';

CREATE OR REPLACE FUNCTION stark_internal.my_nodes()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 'd466dbb831f919939882c32db0d33def';
comment on function stark_internal.my_nodes() is 'Ids of the nodes the caller owns or speaks for.';
grant execute on function stark_internal.my_nodes() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.name_stem(p_name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '83dd06a49ffd46db71b83a40a281458c';
comment on function stark_internal.name_stem(text) is 'What the made-up name of a pod starts with.';

CREATE OR REPLACE FUNCTION stark_internal.namespace_room(p_namespace text, p_cpu bigint, p_memory bigint, p_storage bigint, OUT room bigint, OUT reason text, OUT message text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cee65b026d006757d29b2b159911dfc3';
comment on function stark_internal.namespace_room(text,bigint,bigint,bigint) is 'How many more pods like this a namespace has room for.';

CREATE OR REPLACE FUNCTION stark_internal.needed_grants()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '997d4773e430b9e0c1c4a68268c0ece2';
comment on function stark_internal.needed_grants() is 'What Stark''s owner must be able to use of the platform, and whether it can.';

CREATE OR REPLACE FUNCTION stark_internal.newest_version(p_pack_id uuid, p_range text, p_prerelease boolean, p_after text DEFAULT NULL::text, p_runtime text DEFAULT NULL::text, p_deployment_id uuid DEFAULT NULL::uuid, p_now timestamp with time zone DEFAULT now())
 RETURNS uuid
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'a35668e93d442cd1871ec0df4b310e52';
comment on function stark_internal.newest_version(uuid,text,boolean,text,text,uuid,timestamp with time zone) is 'The version that who follows takes.';

CREATE OR REPLACE FUNCTION stark_internal.next_number(p_number text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '8436aaa0b936266cf9b338032c660c15';
comment on function stark_internal.next_number(text) is 'The whole number after this one.';

CREATE OR REPLACE FUNCTION stark_internal.node_problem(p_labels jsonb, p_taints jsonb, p_allocatable jsonb, p_capabilities jsonb)
 RETURNS TABLE(code text, problem text, hint text)
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '50555e52f418fa913f28bb126c2e1f50';
comment on function stark_internal.node_problem(jsonb,jsonb,jsonb,jsonb) is 'What is wrong with a node''s own description; no row when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.node_term_problem(p_term jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '1c0ef48c52d2cf922702a719a27cfc55';
comment on function stark_internal.node_term_problem(jsonb,text) is 'What is wrong with this node selector term; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.nodes_losing_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'ce76299e66fed9ab02467c09c574b51e';
comment on function stark_internal.nodes_losing_affinity(stark_internal.pod_group) is 'Nodes where only pods of lower priority satisfy the required affinity.';

CREATE OR REPLACE FUNCTION stark_internal.note_availabilities(p_ids uuid[], p_now timestamp with time zone)
 RETURNS TABLE(deployment_id uuid, progressed boolean, cleared_at timestamp with time zone)
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '717bd0091bb2e9ad259e4873f9062313';
comment on function stark_internal.note_availabilities(uuid[],timestamp with time zone) is 'Where pods became available for the first time.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_bounds()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd986be01deb336cb129b83511f2cb4ab';
comment on function stark_internal.note_changed_bounds() is 'Notes the deployments of namespaces whose bounds have changed.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_deployments()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'cfe1377a5df1d06284e7cca9a8d4afca';
comment on function stark_internal.note_changed_deployments() is 'Notes deployments of which something else is wanted.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '6dbddd5a6029b1566509dfacad69b6f0';
comment on function stark_internal.note_changed_nodes() is 'Notes the deployments of pods on nodes that have changed.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_packs()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd2455bc64f2314a461867a1c39490dc4';
comment on function stark_internal.note_changed_packs() is 'Notes the deployments of packs that other people may use now.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_pods()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '609c87494ea9c515963114c357c50640';
comment on function stark_internal.note_changed_pods() is 'Notes the deployments of pods that have changed.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_rights()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'bb55da46d4fb055f53a0f3a52f129d3b';
comment on function stark_internal.note_changed_rights() is 'Notes the deployments of users whose rights have changed.';

CREATE OR REPLACE FUNCTION stark_internal.note_changed_versions()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '99b1ee8c99d89b7220ed17878ecc2c87';
comment on function stark_internal.note_changed_versions() is 'Notes the deployments of packs that have a new version.';

CREATE OR REPLACE FUNCTION stark_internal.note_daemons()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '59fa532d5f5b325429f45ad4ae6b78cd';
comment on function stark_internal.note_daemons() is 'Notes deployments of daemon mode when nodes or rights have changed.';

CREATE OR REPLACE FUNCTION stark_internal.note_deployments(p_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1850eb2135042d9dea00e75c7788083c';
comment on function stark_internal.note_deployments(uuid[]) is 'Notes deployments that something has happened to.';

CREATE OR REPLACE FUNCTION stark_internal.note_draining()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '5a4b1aa6ee960ed1208e6d91907c29fb';
comment on function stark_internal.note_draining() is 'Notes the deployments of nodes whose drain begins or ends.';

CREATE OR REPLACE FUNCTION stark_internal.note_readiness()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'c3f9c9f0594bf6010bd7b7da758dbb6a';
comment on function stark_internal.note_readiness() is 'Keeps since when a pod is ready.';

CREATE OR REPLACE FUNCTION stark_internal.note_reconcile_error(p_id uuid, p_message text, p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1d01f28480d1d8540fdb58f557d43e24';
comment on function stark_internal.note_reconcile_error(uuid,text,timestamp with time zone) is 'Notes what went wrong with a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.object_fields()
 RETURNS TABLE(kind text, field text, type text, is_required boolean)
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '60be33933454c6c48900d84f246f32ea';
comment on function stark_internal.object_fields() is 'The fields of objects that can be applied.';

CREATE OR REPLACE FUNCTION stark_internal.object_kinds()
 RETURNS TABLE(kind text, rank integer, rights text, is_pruned boolean)
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '225449aa6aacff3cc03485d7799daf90';
comment on function stark_internal.object_kinds() is 'Kinds of objects that can be applied.';

CREATE OR REPLACE FUNCTION stark_internal.object_permission(p_kind text, p_verb text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'e80338870991340ac60211bc22b32abb';
comment on function stark_internal.object_permission(text,text) is 'The permission that doing this to an object takes.';

CREATE OR REPLACE FUNCTION stark_internal.observe_rollouts(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'eb603f784f7efafeb3bbdfe4be6d0750';
comment on function stark_internal.observe_rollouts(stark_internal.revision_set[],timestamp with time zone) is 'Notes the progress of rollouts.';

CREATE OR REPLACE FUNCTION stark_internal.observed_gap(p_reconciled_at timestamp with time zone, p_now timestamp with time zone)
 RETURNS interval
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '44f99c33b984ae986a998024a758e528';
comment on function stark_internal.observed_gap(timestamp with time zone,timestamp with time zone) is 'The time since the last look; null where it says nothing.';

CREATE OR REPLACE FUNCTION stark_internal.occupies(p_status text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7f5d6ca8b596e73674e2a8d61bbeb23d';
comment on function stark_internal.occupies(text) is 'Whether a pod in this status takes up room on its node.';

CREATE OR REPLACE FUNCTION stark_internal.open_tables()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '5c98d33484a742b249a6d1ac737ddaa6';
comment on function stark_internal.open_tables() is 'Makes the working tables of a schedule pass, or empties them.';

CREATE OR REPLACE FUNCTION stark_internal.patch_of(p_kind text, p_before jsonb, p_stated jsonb, p_present jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f92ea9f345929160edd0e1524fe0c849';
comment on function stark_internal.patch_of(text,jsonb,jsonb,jsonb) is 'The merge patch that an object takes to be as stated.';

CREATE OR REPLACE FUNCTION stark_internal.patch_taints(p_taints jsonb, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '875f406cc7ca9aa08a20d68d38730612';
comment on function stark_internal.patch_taints(jsonb,jsonb) is 'A list of taints with a patch by key and effect applied to it.';

CREATE OR REPLACE FUNCTION stark_internal.patched_fields(p_patch jsonb, p_present jsonb, p_path text[] DEFAULT '{}'::text[])
 RETURNS TABLE(path text[], before jsonb, after jsonb)
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '3a4f5eb94169a8c487f6c22035203721';
comment on function stark_internal.patched_fields(jsonb,jsonb,text[]) is 'The fields that a merge patch changes.';

CREATE OR REPLACE FUNCTION stark_internal.pending_groups(p_waiting boolean DEFAULT false, p_after uuid DEFAULT NULL::uuid)
 RETURNS TABLE(pod_group stark_internal.pod_group, is_nominated boolean, previously_unschedulable boolean, retry_no bigint, pods stark_internal.pod_request[])
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 'cbd9e05b141cdeaf3ea30b1b387d23dc';
comment on function stark_internal.pending_groups(boolean,uuid) is 'Pending pods as groups, in the order in which they are served.';

CREATE OR REPLACE FUNCTION stark_internal.permitted_namespaces(p_permission text, p_own boolean DEFAULT false)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
as md5 '0c8000e4fc4df92c2ee31a2a3eb53271';
comment on function stark_internal.permitted_namespaces(text,boolean) is 'The namespaces in which the caller has this right.';
grant execute on function stark_internal.permitted_namespaces(text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.pick_in_rounds(p_group stark_internal.pod_group, p_wanted integer, p_work integer DEFAULT 50000)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET enable_mergejoin TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 'd14ee0de7a1b21a07a75c38502e270a4';
comment on function stark_internal.pick_in_rounds(stark_internal.pod_group,integer,integer) is 'The nodes that pods of a group take, in order, where a pick changes what the next one looks at.';

CREATE OR REPLACE FUNCTION stark_internal.pick_slots(p_group stark_internal.pod_group, p_wanted integer)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 'ac3d8f16296d99da5a1e2f3dbf8d70ed';
comment on function stark_internal.pick_slots(stark_internal.pod_group,integer) is 'The nodes that pods of a group take, in order.';

CREATE OR REPLACE FUNCTION stark_internal.place_groups(p_groups integer DEFAULT stark_internal.call_limit('groups_of_a_pass'::text), p_placements integer DEFAULT stark_internal.call_limit('placements_of_a_pass'::text), p_after uuid DEFAULT NULL::uuid, OUT has_more boolean, OUT waiting integer, OUT retried integer, OUT last_group uuid)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '948f123c03a423f9b1d81fd8515670bd';
comment on function stark_internal.place_groups(integer,integer,uuid) is 'Works out where pending pods go.';

CREATE OR REPLACE FUNCTION stark_internal.place_nominated(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
 RETURNS stark_internal.pod_request[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'e6436450de55b7e48dc3ba2a60bc879d';
comment on function stark_internal.place_nominated(stark_internal.pod_group,stark_internal.pod_request[]) is 'Places pods on the nodes that were kept for them.';

CREATE OR REPLACE FUNCTION stark_internal.place_pods(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
 RETURNS stark_internal.pod_request[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '7d98dea6f4c8ef5ef66bdbbded84336f';
comment on function stark_internal.place_pods(stark_internal.pod_group,stark_internal.pod_request[]) is 'Places pods of a group; tells those that fit nowhere.';

CREATE OR REPLACE FUNCTION stark_internal.placed_individually(p_group stark_internal.pod_group)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '53e158986d03e4ae20f9c997acb43267';
comment on function stark_internal.placed_individually(stark_internal.pod_group) is 'Whether pods of the group have to be looked at one by one.';

CREATE OR REPLACE FUNCTION stark_internal.placement_rules(p_spec jsonb, p_labels jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '79c8aa64a8db5cd1f056141be5945cf2';
comment on function stark_internal.placement_rules(jsonb,jsonb) is 'What a pod''s spec asks about other pods.';

CREATE OR REPLACE FUNCTION stark_internal.placement_template(p_spec jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '15326853754da927d04d85583ce18b15';
comment on function stark_internal.placement_template(jsonb) is 'What a pod''s spec asks of a node itself.';

CREATE OR REPLACE FUNCTION stark_internal.plan_daemons(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.daemon_step
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd54c84158fd1da1dee905f7c944c22ae';
comment on function stark_internal.plan_daemons(stark_internal.revision_set[],timestamp with time zone) is 'What shall be done on each node for deployments of daemon mode.';

CREATE OR REPLACE FUNCTION stark_internal.plan_object(p_object stark_internal.stated_object, p_project text, p_take_over boolean)
 RETURNS stark_internal.planned_object
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2a91e9aba47581f6553e7a9d8ec3f0d7';
comment on function stark_internal.plan_object(stark_internal.stated_object,text,boolean) is 'What is to be done to make an object as it is stated.';

CREATE OR REPLACE FUNCTION stark_internal.plan_prune(p_project text, p_objects stark_internal.stated_object[])
 RETURNS stark_internal.planned_object[]
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'ad98f5968bc085acf0ba27bffb11a3a1';
comment on function stark_internal.plan_prune(text,stark_internal.stated_object[]) is 'What is to be removed of a project''s set.';

CREATE OR REPLACE FUNCTION stark_internal.plan_removal(p_kind text, p_scope text, p_name text, p_object_id text)
 RETURNS stark_internal.planned_object
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '8026d887303c89cc0eef74073cb5a02b';
comment on function stark_internal.plan_removal(text,text,text,text) is 'What is to be done to remove an object.';

CREATE OR REPLACE FUNCTION stark_internal.plan_revisions(p_sets stark_internal.revision_set[])
 RETURNS SETOF stark_internal.revision_set
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2041b1eb116ff63e1777c2e1c551f53c';
comment on function stark_internal.plan_revisions(stark_internal.revision_set[]) is 'How many pods of each revision are wanted now.';

CREATE OR REPLACE FUNCTION stark_internal.plans_digest(p_plans stark_internal.planned_object[])
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7ed9a0fa0bdc7d3f51b341216cd09b42';
comment on function stark_internal.plans_digest(stark_internal.planned_object[]) is 'A sum over what is stated and what was present.';

CREATE OR REPLACE FUNCTION stark_internal.pod_samples(p_ids uuid[], p_now timestamp with time zone)
 RETURNS TABLE(deployment_id uuid, pod_id uuid, is_ready boolean, cpu_request integer, memory_request integer, usage jsonb)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'caadfe8b2a4bd5f6599689953da0d07b';
comment on function stark_internal.pod_samples(uuid[],timestamp with time zone) is 'What the pods of deployments said of themselves lately.';

CREATE OR REPLACE FUNCTION stark_internal.pod_spec(p_revision stark.deployment_revisions)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '3a3dcd8c7be9bc0a0bc7b0a07f4204c9';
comment on function stark_internal.pod_spec(stark.deployment_revisions) is 'The spec that pods of a revision begin with.';

CREATE OR REPLACE FUNCTION stark_internal.pod_term_problem(p_term jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '465ec358b3037f54be49dbc8006b91cb';
comment on function stark_internal.pod_term_problem(jsonb,text) is 'What is wrong with this pod affinity term; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.pods_to_evict(p_now timestamp with time zone DEFAULT now())
 RETURNS TABLE(pod_id uuid, offline boolean, reason text, message text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '8807de946ebd07f135efebf5e91e48b3';
comment on function stark_internal.pods_to_evict(timestamp with time zone) is 'Pods that have to leave their nodes now.';

CREATE OR REPLACE FUNCTION stark_internal.ports_problem(p_ports jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a0db0eca981672868f75f13c2f9851dc';
comment on function stark_internal.ports_problem(jsonb) is 'What is wrong with these port declarations; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.preempt(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[], p_attempts integer DEFAULT stark_internal.call_limit('groups_of_a_pass'::text))
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'b22f50eb4742009eceecc43612ab583e';
comment on function stark_internal.preempt(stark_internal.pod_group,stark_internal.pod_request[],integer) is 'Finds nodes where lower pods have to go.';

CREATE OR REPLACE FUNCTION stark_internal.preemptable_nodes(p_group stark_internal.pod_group)
 RETURNS integer[]
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'e32a08b00da4aa0b2a13b76c711d1e51';
comment on function stark_internal.preemptable_nodes(stark_internal.pod_group) is 'Nodes where preemption may help.';

CREATE OR REPLACE FUNCTION stark_internal.preference_points(p_group stark_internal.pod_group, p_preferences text[])
 RETURNS TABLE(node_no integer, preference text, points bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '4fdf86dfa89e850b9486a885ac016fdb';
comment on function stark_internal.preference_points(stark_internal.pod_group,text[]) is 'Points of nodes by preferences, one a row.';

CREATE OR REPLACE FUNCTION stark_internal.preferences_in_play(p_group stark_internal.pod_group)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '1110cac56b7e589e45f657be5b8afe59';
comment on function stark_internal.preferences_in_play(stark_internal.pod_group) is 'Preferences that may tell nodes apart for a group.';

CREATE OR REPLACE FUNCTION stark_internal.present_object(p_kind text, p_scope text, p_name text, p_stated jsonb, p_before jsonb, p_object_id text, OUT present jsonb, OUT is_own boolean)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'bbdfe104211a6dacabdd6f979008883e';
comment on function stark_internal.present_object(text,text,text,jsonb,jsonb,text) is 'What is present of an object, as it would be stated.';

CREATE OR REPLACE FUNCTION stark_internal.present_topic(p_topic text, p_of text DEFAULT NULL::text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '877fd854936d2aeebedcf9429ad14cfe';
comment on function stark_internal.present_topic(text,text) is 'The name under which a topic is heard now.';

CREATE OR REPLACE FUNCTION stark_internal.probe_problem(p_probe jsonb, p_what text, p_ports jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'eb3f7876131343a27244a4581bafa660';
comment on function stark_internal.probe_problem(jsonb,text,jsonb) is 'What is wrong with this probe of a pod; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.probe_state()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd7698a89c8098998b1073ee8565dc796';
comment on function stark_internal.probe_state() is 'What the watcher''s function answered to the last probe.';

CREATE OR REPLACE FUNCTION stark_internal.pushed_migrations()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'ad3d015da9cf4168ad28ccf13d09e371';
comment on function stark_internal.pushed_migrations() is 'The migrations that supabase db push has applied.';

CREATE OR REPLACE FUNCTION stark_internal.put_permissions(p_role text, p_permissions text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b80dd0aae01ba180c39d4818ba10666e';
comment on function stark_internal.put_permissions(text,text[]) is 'Replaces the permissions of a role, never by more than the caller has.';

CREATE OR REPLACE FUNCTION stark_internal.quota_problem(p_quota jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'aa28f1e5d86ed029e3da17a7140d4258';
comment on function stark_internal.quota_problem(jsonb) is 'What is wrong with this quota; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.random_suffix()
 RETURNS text
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9c6767b5a3f3a238e11aa72ae589c733';
comment on function stark_internal.random_suffix() is 'Five random characters for made-up names.';

CREATE OR REPLACE FUNCTION stark_internal.range_bounds(p_range text, p_prerelease boolean DEFAULT false)
 RETURNS TABLE(alternative bigint, bounds text[])
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '2d012afe0436667f30ec6a749a226924';
comment on function stark_internal.range_bounds(text,boolean) is 'A version range as plain comparators.';

CREATE OR REPLACE FUNCTION stark_internal.read_metrics(p_ids uuid[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.metric_reading
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2d154abda0b82bdff96ffc3ce51dc640';
comment on function stark_internal.read_metrics(uuid[],timestamp with time zone) is 'What each metric of these deployments says.';

CREATE OR REPLACE FUNCTION stark_internal.read_pod(p_item jsonb, p_user_id uuid)
 RETURNS stark.pods
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'a19263f82ef05f931bcdb58383648a8d';
comment on function stark_internal.read_pod(jsonb,uuid) is 'The pod that an entry of create_pods asks for.';

CREATE OR REPLACE FUNCTION stark_internal.read_reports(p_reports jsonb)
 RETURNS SETOF stark_internal.pod_report
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'b4937eda98c37d5487acf611b4cf86d8';
comment on function stark_internal.read_reports(jsonb) is 'Well-formed reports as rows.';

CREATE OR REPLACE FUNCTION stark_internal.read_stated(p_objects jsonb)
 RETURNS stark_internal.stated_object[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2d87060eb901c70d68ddcf49acc13c66';
comment on function stark_internal.read_stated(jsonb) is 'The objects of a call, checked.';

CREATE OR REPLACE FUNCTION stark_internal.read_template(p_pack text, p_version text, p_namespace text, p_template jsonb, p_user_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '48688059219fd7c94f35e5c972b4f12c';
comment on function stark_internal.read_template(text,text,text,jsonb,uuid) is 'The template that a deployment asks for, checked.';

CREATE OR REPLACE FUNCTION stark_internal.reap_nodes(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e2c8a3de9a8ff409f7a1a09af2f4b5c5';
comment on function stark_internal.reap_nodes(timestamp with time zone) is 'Gives up nodes that were silent for too long while somebody listened.';

CREATE OR REPLACE FUNCTION stark_internal.reason_of(p_filter text, p_detail text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '563d767dd29329a4d10dc7a1098f1261';
comment on function stark_internal.reason_of(text,text) is 'The text of a rejection.';

CREATE OR REPLACE FUNCTION stark_internal.reconcile(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1c27ea25ca35490c2951ec1da2d02549';
comment on function stark_internal.reconcile(timestamp with time zone) is 'Places pending pods, and removes ended ones that were to be deleted.';

CREATE OR REPLACE FUNCTION stark_internal.reconcile_deployments(p_ids uuid[], p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 '90584fda73657c4713d05b5a8c2e5d83';
comment on function stark_internal.reconcile_deployments(uuid[],timestamp with time zone) is 'One look at a set of deployments; an error costs one of them.';

CREATE OR REPLACE FUNCTION stark_internal.reconcile_due(p_now timestamp with time zone DEFAULT stark_internal.controller_time())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '87c57f4324dea3c582e0fcf58d622568';
comment on function stark_internal.reconcile_due(timestamp with time zone) is 'Looks at deployments whose time has come.';

CREATE OR REPLACE FUNCTION stark_internal.reconcile_set(p_ids uuid[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '7ac330387613b41c3378468b49782898';
comment on function stark_internal.reconcile_set(uuid[],timestamp with time zone) is 'One look at a set of deployments.';

CREATE OR REPLACE FUNCTION stark_internal.reconciled_deployment(p_id uuid)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '93277ef8db40fa068a6d5e2ba6c9ae34';
comment on function stark_internal.reconciled_deployment(uuid) is 'A deployment after the controller has looked at it.';

CREATE OR REPLACE FUNCTION stark_internal.record_reasons(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET jit TO 'off'
as md5 '29f4f0dca4d7df3989d8ac1b960b2716';
comment on function stark_internal.record_reasons(stark_internal.pod_group,stark_internal.pod_request[]) is 'Keeps why pods fit nowhere, counted per node.';

CREATE OR REPLACE FUNCTION stark_internal.recount_revisions(p_ids uuid[], p_now timestamp with time zone DEFAULT now())
 RETURNS SETOF stark_internal.revision_set
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'eea2babd738e5a38bf37f183ba0c97cc';
comment on function stark_internal.recount_revisions(uuid[],timestamp with time zone) is 'What count_revisions must answer, counted anew.';

CREATE OR REPLACE FUNCTION stark_internal.refuse_concurrent(p_seen stark_internal.planned_object[], p_plans stark_internal.planned_object[])
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'df1bcd64b056773957cd7348d428f484';
comment on function stark_internal.refuse_concurrent(stark_internal.planned_object[],stark_internal.planned_object[]) is 'Raises CONFLICT when somebody else was first.';

CREATE OR REPLACE FUNCTION stark_internal.refuse_deployment(p_problem text, p_hint text DEFAULT 'stark deployment create --help'::text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'ff6e0a7e2cefbba28bc7248099b7543b';
comment on function stark_internal.refuse_deployment(text,text) is 'Raises a coded error when something is wrong with a deployment.';

CREATE OR REPLACE FUNCTION stark_internal.refuse_other_bytes(p_stated jsonb, p_version stark.pack_versions)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'b2629794008a02fceef611db91a621a1';
comment on function stark_internal.refuse_other_bytes(jsonb,stark.pack_versions) is 'Raises a coded error when a version has other bytes.';

CREATE OR REPLACE FUNCTION stark_internal.refuse_reserved(p_name text, p_labels jsonb, p_taints jsonb)
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '97fc7c2470c4d72fd8118610ed915df3';
comment on function stark_internal.refuse_reserved(text,jsonb,jsonb) is 'Refuses labels and taints that only the cluster gives.';

CREATE OR REPLACE FUNCTION stark_internal.rejections(p_group stark_internal.pod_group, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, filter text, detail text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '62c18622fc88efe4226d100503f0370e';
comment on function stark_internal.rejections(stark_internal.pod_group,boolean) is 'Which nodes are rejected for a group, under each filter.';

CREATE OR REPLACE FUNCTION stark_internal.removal(p_stated jsonb, p_present jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '52b1d8fe236ce28ea5a6838b20460f9d';
comment on function stark_internal.removal(jsonb,jsonb) is 'The merge patch that takes away what was stated.';

CREATE OR REPLACE FUNCTION stark_internal.remove_emptied_namespaces()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e627ad182cf1c228f8b5eb50b3d16ab1';
comment on function stark_internal.remove_emptied_namespaces() is 'Removes terminating namespaces without pods and deployments.';

CREATE OR REPLACE FUNCTION stark_internal.remove_ended_pods()
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '26ded83581280074669eba130544fa24';
comment on function stark_internal.remove_ended_pods() is 'Removes the rows of ended pods that were to be deleted.';

CREATE OR REPLACE FUNCTION stark_internal.remove_object(p_plan stark_internal.planned_object)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '4284768f3b6f79880625d1bcb3438043';
comment on function stark_internal.remove_object(stark_internal.planned_object) is 'Removes an object.';

CREATE OR REPLACE FUNCTION stark_internal.remove_old_pods(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9492b5266340d74359ac1b924a9643d6';
comment on function stark_internal.remove_old_pods(timestamp with time zone) is 'Removes the rows of pods that ended long ago.';

CREATE OR REPLACE FUNCTION stark_internal.renew_leases(p_observations jsonb, p_at timestamp with time zone)
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'aafc167405b3f3dd90f67b19b03ef141';
comment on function stark_internal.renew_leases(jsonb,timestamp with time zone) is 'Writes what the watcher observed of the nodes.';

CREATE OR REPLACE FUNCTION stark_internal.repeat_revision(p_deployment_id uuid, p_revision bigint, p_cause text, p_change_cause text, p_user_id uuid, p_now timestamp with time zone DEFAULT now())
 RETURNS bigint
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '06d07b4421a528034123f0f7da49e6dd';
comment on function stark_internal.repeat_revision(uuid,bigint,text,text,uuid,timestamp with time zone) is 'Makes an old template the newest revision.';

CREATE OR REPLACE FUNCTION stark_internal.replacement_delay(p_failures bigint)
 RETURNS interval
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'b48579ab818edbe0fab3a542f8bd6058';
comment on function stark_internal.replacement_delay(bigint) is 'How long a replacement waits after so many failures in a row.';

CREATE OR REPLACE FUNCTION stark_internal.report_problem(p_report jsonb)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '29dc57bab7e7f7431cdaeae36983bdbd';
comment on function stark_internal.report_problem(jsonb) is 'What is wrong with an agent''s report; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.request_header(p_name text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '0b9e791999e6ddc37775b89572853562';
comment on function stark_internal.request_header(text) is 'A header of the HTTP request being served.';

CREATE OR REPLACE FUNCTION stark_internal.request_sync(p_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a7a18ed32164dcdcf4f9c1f0c959d06d';
comment on function stark_internal.request_sync(uuid[]) is 'Sends command sync to agents.';

CREATE OR REPLACE FUNCTION stark_internal.request_sync_after_start(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1b501b6daea839f3f56dee3e064d8b84';
comment on function stark_internal.request_sync_after_start(timestamp with time zone) is 'Tells all agents to ask, when Postgres has just started.';

CREATE OR REPLACE FUNCTION stark_internal.request_sync_of(p_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '4683ba36c525ec466891f74c162c7948';
comment on function stark_internal.request_sync_of(uuid[]) is 'Tells the nodes of these deployments to ask.';

CREATE OR REPLACE FUNCTION stark_internal.require_acceptance(p_accepts text, p_namespaces text[])
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '21c377f21a7a01a4a7c93e9803ed273a';
comment on function stark_internal.require_acceptance(text,text[]) is 'Raises a coded error unless a node may say that it takes these pods.';

CREATE OR REPLACE FUNCTION stark_internal.require_agent(p_node_id uuid, p_incarnation bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f95bf22cb2e32bae090b5e5c947d765b';
comment on function stark_internal.require_agent(uuid,bigint) is 'The node, when the caller may speak for this incarnation of it.';

CREATE OR REPLACE FUNCTION stark_internal.require_deployment(p_namespace text, p_name text, p_permission text, p_if_revision bigint DEFAULT NULL::bigint)
 RETURNS stark.deployments
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1587c0e5c5f6e86b425809df2924a1d6';
comment on function stark_internal.require_deployment(text,text,text,bigint) is 'The deployment, when the caller may do this to it.';

CREATE OR REPLACE FUNCTION stark_internal.require_deployment_labels(p_manifest jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '315ed42d7951c01fb94eb4d6092aade2';
comment on function stark_internal.require_deployment_labels(jsonb) is 'Raises a coded error for labels and annotations that are none.';

CREATE OR REPLACE FUNCTION stark_internal.require_deployment_room(p_namespace text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '266c0b6d689c4e5ce4fb343c7c1d086c';
comment on function stark_internal.require_deployment_room(text) is 'Raises a coded error when a namespace takes no more deployments.';

CREATE OR REPLACE FUNCTION stark_internal.require_digest(p_plans stark_internal.planned_object[], p_digest text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'b9e3ee8930c6b544fe9798d35b317ebf';
comment on function stark_internal.require_digest(stark_internal.planned_object[],text) is 'Raises CONFLICT when something has changed.';

CREATE OR REPLACE FUNCTION stark_internal.require_grantable(p_role text, p_namespace text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9604ac39219d64f46afae2a9578220e7';
comment on function stark_internal.require_grantable(text,text) is 'Raises a coded error when the caller may not give this role.';

CREATE OR REPLACE FUNCTION stark_internal.require_join(p_secret_sha256 text, p_name text, p_runtime text, p_now timestamp with time zone DEFAULT now())
 RETURNS stark.join_tokens
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2a7160187ba8ff128f57237dc80ac17b';
comment on function stark_internal.require_join(text,text,text,timestamp with time zone) is 'The join token, when a machine may become this node by it.';

CREATE OR REPLACE FUNCTION stark_internal.require_json(p_what text, p_value jsonb, p_bytes integer DEFAULT stark_internal.call_limit('log_bytes'::text))
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'a6aaf76db976322ca4a9ba535a654be3';
comment on function stark_internal.require_json(text,jsonb,integer) is 'Raises a coded error for JSON that is too long, too deep, or has numbers without end.';

CREATE OR REPLACE FUNCTION stark_internal.require_namespace(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7a2beb55b8d52a047637d2b117ca3671';
comment on function stark_internal.require_namespace(text) is 'Raises a coded error when there is no such namespace.';

CREATE OR REPLACE FUNCTION stark_internal.require_no_autoscaler(p_deployment stark.deployments)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd4a693eb5de86c200aad7b9b1eadf7d0';
comment on function stark_internal.require_no_autoscaler(stark.deployments) is 'Raises a coded error for a deployment whose replicas the autoscaler sets.';

CREATE OR REPLACE FUNCTION stark_internal.require_node(p_name text, p_permission text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cab7ef39011169e15bde06a56f28e96a';
comment on function stark_internal.require_node(text,text) is 'The node of this name, when the caller may do this to it.';

CREATE OR REPLACE FUNCTION stark_internal.require_one_scaler(p_manifest jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cef7d4a02437af2f2f44718e0369d9d4';
comment on function stark_internal.require_one_scaler(jsonb) is 'Raises a coded error when replicas are set twice.';

CREATE OR REPLACE FUNCTION stark_internal.require_own_labels(p_ids uuid[], p_labels jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd0d39e79746c19c779604d5a139f709a';
comment on function stark_internal.require_own_labels(uuid[],jsonb) is 'Raises a coded error for labels that a pod has from its deployment.';

CREATE OR REPLACE FUNCTION stark_internal.require_own_role(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f7d02087b9040bee727928b59f031da6';
comment on function stark_internal.require_own_role(text) is 'Raises a coded error when a role is unknown or built in.';

CREATE OR REPLACE FUNCTION stark_internal.require_pack(p_name text, p_permission text)
 RETURNS stark.packs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '038d59b08f7d3284df5ad59451c70581';
comment on function stark_internal.require_pack(text,text) is 'The pack of this name, when the caller may do this to it.';

CREATE OR REPLACE FUNCTION stark_internal.require_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '1863aebf57af5d2a36b4e390e0b4c753';
comment on function stark_internal.require_permission(text,text,boolean) is 'Raises a coded error when the caller lacks the right.';

CREATE OR REPLACE FUNCTION stark_internal.require_pods(p_ids uuid[], p_permission text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'e7aa423371fbeb76a24f7933d0dd51e4';
comment on function stark_internal.require_pods(uuid[],text,bigint) is 'Raises a coded error unless the caller may do this to each of these pods.';

CREATE OR REPLACE FUNCTION stark_internal.require_priority_class(p_name text, p_if_version bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3a3bb624f6e8dcb27f5c8117cca4ed51';
comment on function stark_internal.require_priority_class(text,bigint) is 'The priority class of this name, when it is as the caller saw it.';

CREATE OR REPLACE FUNCTION stark_internal.require_settable(p_labels jsonb, p_taints jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '6174f57560f6f01e3a6a67e08927edcd';
comment on function stark_internal.require_settable(jsonb,jsonb) is 'Raises a coded error for labels and taints that not a node''s owner sets.';

CREATE OR REPLACE FUNCTION stark_internal.require_somebody(p_what text)
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '01e4433457360a3e8a87435042df49e8';
comment on function stark_internal.require_somebody(text) is 'The signed-in user; raises for the secret key too.';

CREATE OR REPLACE FUNCTION stark_internal.require_unblocked(p_deployment stark.deployments, p_version_id uuid)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'd61e3f7eb9b97a359cda148b5eb56e5e';
comment on function stark_internal.require_unblocked(stark.deployments,uuid) is 'Raises a coded error for a version that is blocked.';

CREATE OR REPLACE FUNCTION stark_internal.require_user()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2c17bf2cb48355473b31c198773c8f0c';
comment on function stark_internal.require_user() is 'The signed-in user''s id; raises when nobody is signed in.';

CREATE OR REPLACE FUNCTION stark_internal.require_version(p_what text, p_seen bigint, p_present bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '101be2ccb7432ede35a0b66f2564f135';
comment on function stark_internal.require_version(text,bigint,bigint) is 'Raises CONFLICT when an object is not at the revision the caller saw.';

CREATE OR REPLACE FUNCTION stark_internal.requirements_problem(p_requirements jsonb, p_what text, p_of_labels boolean DEFAULT true)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '2f328bf483e6ab1288d027acadac513e';
comment on function stark_internal.requirements_problem(jsonb,text,boolean) is 'What is wrong with these match expressions; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.reserved_key(p_labels jsonb, p_taints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '3bfc519c51dd4b3ba39db403bb10dd8b';
comment on function stark_internal.reserved_key(jsonb,jsonb) is 'A label or taint of a node that not its owner sets.';

CREATE OR REPLACE FUNCTION stark_internal.reset_after_restore(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'f4661ca1129516c962080b64cfc2f634';
comment on function stark_internal.reset_after_restore(timestamp with time zone) is 'Has counters go on behind what was given out in the time that a restore took back.';

CREATE OR REPLACE FUNCTION stark_internal.resolve_term(p_namespace text, p_term jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'dd4334403d3cce1ca85e93e640047717';
comment on function stark_internal.resolve_term(text,jsonb) is 'The pods that a term speaks of.';

CREATE OR REPLACE FUNCTION stark_internal.resources_problem(p_resources jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'ab6b2b4ee4559fca997866619881d2b6';
comment on function stark_internal.resources_problem(jsonb,text) is 'What is wrong with these resource amounts; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.right_kinds()
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '1c72db49d9fc426aca8660febc30b57f';
comment on function stark_internal.right_kinds() is 'Kinds of objects that rights are about.';

CREATE OR REPLACE FUNCTION stark_internal.right_verbs()
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a0177afa364fcc806d5059ff7f6043f3';
comment on function stark_internal.right_verbs() is 'Verbs of rights.';

CREATE OR REPLACE FUNCTION stark_internal.round_rules(p_group stark_internal.pod_group)
 RETURNS TABLE(rule integer, kind text, topology_key text, max_skew integer, weight integer, is_own boolean)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'db7ee730ee445503d31f3e1f38f4fb84';
comment on function stark_internal.round_rules(stark_internal.pod_group) is 'What each pick of a group may change for the next.';

CREATE OR REPLACE FUNCTION stark_internal.rules_of(p_namespace text, p_rules jsonb)
 RETURNS TABLE(kind text, terms jsonb, topology_key text, weight integer, max_skew integer, min_domains integer, honors_affinity boolean, honors_taints boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f8cffb831c73fd4082de357e2e9f71e2';
comment on function stark_internal.rules_of(text,jsonb) is 'Rules of a pod about other pods, one a row.';

CREATE OR REPLACE FUNCTION stark_internal.run_daemons(p_sets stark_internal.revision_set[], p_now timestamp with time zone, OUT stopped integer, OUT made integer, OUT replanned boolean)
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b097400850afde5b7b112d23c93bfcb8';
comment on function stark_internal.run_daemons(stark_internal.revision_set[],timestamp with time zone) is 'Stops and makes pods of deployments of daemon mode.';

CREATE OR REPLACE FUNCTION stark_internal.run_maintenance(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET lock_timeout TO '2s'
 SET jit TO 'off'
as md5 'dae62485d221cc08a084e5d7eefeecd5';
comment on function stark_internal.run_maintenance(timestamp with time zone) is 'Makes the partitions of the next days, drops old ones, and deletes old entries of pg_cron''s own log.';

CREATE OR REPLACE FUNCTION stark_internal.said_namespaces(p_capabilities jsonb)
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'fa5e2df46f705637b566631c2adb7a24';
comment on function stark_internal.said_namespaces(jsonb) is 'The namespaces whose pods an agent says that its node takes.';

CREATE OR REPLACE FUNCTION stark_internal.satisfies(p_version text, p_range text, p_prerelease boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '1f29c0c2d9a0ed16318d5441c5764d26';
comment on function stark_internal.satisfies(text,text,boolean) is 'Whether a version is in a range.';

CREATE OR REPLACE FUNCTION stark_internal.scaled_sets(p_sets stark_internal.revision_set[])
 RETURNS SETOF stark_internal.revision_set
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '83e0f818c9ed03cd78c93b526243c04f';
comment on function stark_internal.scaled_sets(stark_internal.revision_set[]) is 'Shares a new number of replicas out over the live revisions.';

CREATE OR REPLACE FUNCTION stark_internal.scaling_conditions(p_autoscale jsonb, p_conditions jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '21c6d580c0bdf2ceed5d330895781775';
comment on function stark_internal.scaling_conditions(jsonb,jsonb) is 'The conditions that an autoscaler has written.';

CREATE OR REPLACE FUNCTION stark_internal.scaling_limit(p_deployment_id uuid, p_replicas integer, p_rules jsonb, p_up boolean, p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2b7d0749493c7cf21fedf78d03706bad';
comment on function stark_internal.scaling_limit(uuid,integer,jsonb,boolean,timestamp with time zone) is 'How far the policies of an autoscaler let it go now.';

CREATE OR REPLACE FUNCTION stark_internal.scaling_rules_problem(p_rules jsonb, p_field text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '2f3be93a1496c0832720fe50cc115f5c';
comment on function stark_internal.scaling_rules_problem(jsonb,text) is 'What is wrong with the rules of one direction of an autoscaler; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_jobs()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '3d8064be1aa6a87d7dc7093c5c7865bb';
comment on function stark_internal.schedule_jobs() is 'Schedules Stark''s jobs, again where they are there.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_pods(p_retry boolean DEFAULT true, p_now timestamp with time zone DEFAULT now(), p_continues boolean DEFAULT false, p_most integer DEFAULT stark_internal.call_limit('placements_of_a_pass'::text), p_groups integer DEFAULT stark_internal.call_limit('groups_of_a_pass'::text), p_new stark.pods[] DEFAULT '{}'::stark.pods[])
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'b61539665f6694670d9d1aa15c36ac84';
comment on function stark_internal.schedule_pods(boolean,timestamp with time zone,boolean,integer,integer,stark.pods[]) is 'Places pending pods, highest priority first.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_when_nodes_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '36ccf18c501e37bcc01052ec939e75f8';
comment on function stark_internal.schedule_when_nodes_change() is 'Runs a schedule pass when a node became usable.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_when_room_is_freed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '6002e4c15b63f1925bb0f8bcdb0a5bba';
comment on function stark_internal.schedule_when_room_is_freed() is 'Runs a schedule pass when pods have left room.';

CREATE OR REPLACE FUNCTION stark_internal.score_bin_pack(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision, first_score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'b4d0f6544e7b4cca8694a1758e8abd16';
comment on function stark_internal.score_bin_pack(stark_internal.pod_group,bigint,bigint,boolean) is 'Open slots scored by the mean of used cpu and memory.';

CREATE OR REPLACE FUNCTION stark_internal.score_least_loaded(p_group stark_internal.pod_group, p_most bigint, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'a9525e084748e09d72808237fd8be806';
comment on function stark_internal.score_least_loaded(stark_internal.pod_group,bigint,boolean) is 'Open slots scored by the mean of free cpu and memory.';

CREATE OR REPLACE FUNCTION stark_internal.score_node_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, points bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '652573a5aa3fb7d6c212a0f2d04a802b';
comment on function stark_internal.score_node_affinity(stark_internal.pod_group) is 'Points of nodes by preferred node affinity.';

CREATE OR REPLACE FUNCTION stark_internal.score_pod_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, points bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'f9ef44b8f5f6042855c201f784ca9905';
comment on function stark_internal.score_pod_affinity(stark_internal.pod_group) is 'Points of nodes by preferred company.';

CREATE OR REPLACE FUNCTION stark_internal.score_preferences(p_group stark_internal.pod_group, p_nodes integer[])
 RETURNS TABLE(node_no integer, preference text, score bigint)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '39bba2587f89c855a6e8b0fd43a1d262';
comment on function stark_internal.score_preferences(stark_internal.pod_group,integer[]) is 'What each preference adds to nodes.';

CREATE OR REPLACE FUNCTION stark_internal.score_random(p_group stark_internal.pod_group, p_most bigint, p_seed bigint, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7f50fe8491c5d9bc2c2d1b7f58616886';
comment on function stark_internal.score_random(stark_internal.pod_group,bigint,bigint,boolean) is 'Open slots scored by chance.';

CREATE OR REPLACE FUNCTION stark_internal.score_slots(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint DEFAULT NULL::bigint, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision, rank double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '9e99b80cc2b355ffbb2e9ba79ce914a8';
comment on function stark_internal.score_slots(stark_internal.pod_group,bigint,bigint,boolean) is 'Open slots scored by the cluster''s policy.';

CREATE OR REPLACE FUNCTION stark_internal.score_spread(p_group stark_internal.pod_group, p_most bigint, p_ahead boolean DEFAULT false)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '6466fdd6739ee1648be83acd0240f144';
comment on function stark_internal.score_spread(stark_internal.pod_group,bigint,boolean) is 'Open slots scored by what is left of the scarcest resource.';

CREATE OR REPLACE FUNCTION stark_internal.score_taints(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, points bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '09dadbd601e817b077d22e967089d42f';
comment on function stark_internal.score_taints(stark_internal.pod_group) is 'Points of nodes by taints that would rather not have the pod.';

CREATE OR REPLACE FUNCTION stark_internal.score_topology_spread(p_group stark_internal.pod_group, p_nodes integer[])
 RETURNS TABLE(node_no integer, points bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '2eed6a851100579c8b8b2fa3baa2c916';
comment on function stark_internal.score_topology_spread(stark_internal.pod_group,integer[]) is 'Points of nodes by spread constraints that may be broken.';

CREATE OR REPLACE FUNCTION stark_internal.seconds_of(p_value jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'bde9785c08cf23e43c05060febde7c32';
comment on function stark_internal.seconds_of(jsonb) is 'Seconds of a duration; null when it is none.';

CREATE OR REPLACE FUNCTION stark_internal.secrets_salt(p_deployment_id uuid, p_secrets jsonb)
 RETURNS uuid
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '45e5dff3ddd9482427488abd2ccfa619';
comment on function stark_internal.secrets_salt(uuid,jsonb) is 'What stands for env and config in the hash of a template.';

CREATE OR REPLACE FUNCTION stark_internal.semver_key(p_version text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6b4c107981d3b978a842738ae3979469';
comment on function stark_internal.semver_key(text) is 'A text whose byte order is the precedence order of semver versions.';

CREATE OR REPLACE FUNCTION stark_internal.send_away(p_ids uuid[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '9dcdce612f56571e7c7dbf2e7104fef8';
comment on function stark_internal.send_away(uuid[],timestamp with time zone) is 'Asks pods to leave a node that is drained.';

CREATE OR REPLACE FUNCTION stark_internal.send_messages(p_event text, p_topics text[], p_payloads jsonb[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '2b8c349a2d90de5ed2eeb80010c1634b';
comment on function stark_internal.send_messages(text,text[],jsonb[]) is 'Broadcasts many messages at once.';

CREATE OR REPLACE FUNCTION stark_internal.set_disabled(p_user_id uuid, p_since timestamp with time zone)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '51bd568d6fd553705f03cb8a4f31d6b7';
comment on function stark_internal.set_disabled(uuid,timestamp with time zone) is 'Takes every right and session from a user, or gives them back.';

CREATE OR REPLACE FUNCTION stark_internal.setting_defaults()
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '7514d6960856946e7029577a07ba217d';
comment on function stark_internal.setting_defaults() is 'The defaults of all settings.';

CREATE OR REPLACE FUNCTION stark_internal.setting_name(p_field text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6cab535b4cf2706197b8d23b63b52cd8';
comment on function stark_internal.setting_name(text) is 'The column of a setting in camelCase.';

CREATE OR REPLACE FUNCTION stark_internal.settings_of(p_config stark.cluster_config)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '84a29edbd6ec43432693f0e3c682c54c';
comment on function stark_internal.settings_of(stark.cluster_config) is 'Settings in camelCase.';

CREATE OR REPLACE FUNCTION stark_internal.settle_deployments(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '14f579e4382faf5811681b4215cd151f';
comment on function stark_internal.settle_deployments(stark_internal.revision_set[],timestamp with time zone) is 'Writes the controller''s word about deployments.';

CREATE OR REPLACE FUNCTION stark_internal.shut_out_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '435689da3d3cd33b1493648b54a94c84';
comment on function stark_internal.shut_out_users() is 'Takes nodes from agents that may no longer speak for them, and has them ask.';

CREATE OR REPLACE FUNCTION stark_internal.silent_nodes()
 RETURNS TABLE(node_id uuid, silence interval, allowed interval)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'af79d1483429d49d70831df3a34de6ca';
comment on function stark_internal.silent_nodes() is 'How long each connected node has been silent while somebody listened.';

CREATE OR REPLACE FUNCTION stark_internal.spec_problem(p_spec jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '601bba5b941a170381bed255d5e598af';
comment on function stark_internal.spec_problem(jsonb) is 'What is wrong with this pod spec; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.spread_domains(p_group stark_internal.pod_group, p_kind text)
 RETURNS TABLE(selector_no integer, topology_key text, max_skew integer, domain text, pods bigint, fewest bigint, is_short boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '32ea6a838c21fd6ae68be488359fbf3a';
comment on function stark_internal.spread_domains(stark_internal.pod_group,text) is 'Domains of spread rules and the pods in each.';

CREATE OR REPLACE FUNCTION stark_internal.stated_problem(p_kind text, p_object jsonb, OUT code text, OUT problem text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'c956bbd19657e5c68e9156d81cd70bdf';
comment on function stark_internal.stated_problem(text,jsonb) is 'What is wrong with the shape of an object that is stated.';

CREATE OR REPLACE FUNCTION stark_internal.stated_spec_problem(p_spec jsonb)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '8261a7d41951cd5de0787dfaa0d7064f';
comment on function stark_internal.stated_spec_problem(jsonb) is 'What is wrong with a stated spec; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.stop_surplus(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ef947ca089a2b456a6e0468e6b7d89a0';
comment on function stark_internal.stop_surplus(stark_internal.revision_set[],timestamp with time zone) is 'Stops pods of which there are more than wanted.';

CREATE OR REPLACE FUNCTION stark_internal.store_metric(p_namespace text, p_name text, p_value double precision, p_valid_seconds integer DEFAULT 86400, p_user_id uuid DEFAULT NULL::uuid, p_for_all boolean DEFAULT true)
 RETURNS stark.reported_metrics
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '341be55fe0212479fe2bfdbefce4226e';
comment on function stark_internal.store_metric(text,text,double precision,integer,uuid,boolean) is 'Stores a number by name, and wakes who waits for it.';

CREATE OR REPLACE FUNCTION stark_internal.taints_problem(p_taints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '51aea0500576969950d642cdcd22e1e8';
comment on function stark_internal.taints_problem(jsonb) is 'What is wrong with these taints; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.taints_that_evict(p_node stark.nodes)
 RETURNS SETOF jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'b5673d43be708d327ea5183c2fe0b69c';
comment on function stark_internal.taints_that_evict(stark.nodes) is 'The taints NoExecute of a node.';

CREATE OR REPLACE FUNCTION stark_internal.take_slots(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '206dcb4723276a03f9f0ddb6352fb34c';
comment on function stark_internal.take_slots(stark_internal.pod_group,stark_internal.pod_request[]) is 'Gives nodes to pods of a group, in their order.';

CREATE OR REPLACE FUNCTION stark_internal.template_hash(p_template jsonb, p_salt uuid, p_version_id uuid)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'bd97113ab4f36cba7271eb762bc99252';
comment on function stark_internal.template_hash(jsonb,uuid,uuid) is 'The hash of a template.';

CREATE OR REPLACE FUNCTION stark_internal.three_way_patch(p_before jsonb, p_stated jsonb, p_present jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '6e1fe6362c61830a5b5fdd7a6ae8a6c0';
comment on function stark_internal.three_way_patch(jsonb,jsonb,jsonb) is 'The merge patch from what is present to what is stated.';

CREATE OR REPLACE FUNCTION stark_internal.told_plan(p_plan stark_internal.planned_object)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '53d2c43cad395efde7c611693f17e361';
comment on function stark_internal.told_plan(stark_internal.planned_object) is 'What is told of what is done to an object.';

CREATE OR REPLACE FUNCTION stark_internal.tolerated_until(p_tolerations jsonb, p_taint jsonb, p_since timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'cd78f0e9dd2b34066b6fd9f181b10c06';
comment on function stark_internal.tolerated_until(jsonb,jsonb,timestamp with time zone) is 'Until when a pod with these tolerations may stay beside a taint.';

CREATE OR REPLACE FUNCTION stark_internal.tolerates(p_tolerations jsonb, p_taint jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '7d5c5a18335262480377251304dfd5f1';
comment on function stark_internal.tolerates(jsonb,jsonb) is 'Whether one of these tolerations tolerates the taint.';

CREATE OR REPLACE FUNCTION stark_internal.tolerations_problem(p_tolerations jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '9885b0a6aaac123b07c8212ba7159314';
comment on function stark_internal.tolerations_problem(jsonb) is 'What is wrong with these tolerations; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.topology_key_problem(p_key jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '1b4fa2fa834a8e027bbb4cbacafe9a1c';
comment on function stark_internal.topology_key_problem(jsonb,text) is 'What is wrong with this topology key; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.topology_spread_problem(p_constraints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '349b73f4b1ed62d2481a10dd33d711ef';
comment on function stark_internal.topology_spread_problem(jsonb) is 'What is wrong with these spread constraints; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.total_namespaces()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '34ff37d0ce7604d37ba9bc7dd69eee8e';
comment on function stark_internal.total_namespaces() is 'Keeps what the live pods of each namespace ask for together.';

CREATE OR REPLACE FUNCTION stark_internal.trim_logs_of(p_pods uuid[])
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '942b0cf614fe3f9bdc6781a5f2831fd2';
comment on function stark_internal.trim_logs_of(uuid[]) is 'Keeps the logs of these pods to their newest lines.';

CREATE OR REPLACE FUNCTION stark_internal.trim_pod_logs()
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '60515bb1ae2f922a131bae2e6fff6d00';
comment on function stark_internal.trim_pod_logs() is 'Keeps each pod''s log to its newest lines.';

CREATE OR REPLACE FUNCTION stark_internal.unbind_first()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '686e898c5a2f071a6c27345d4a9cc580';
comment on function stark_internal.unbind_first() is 'Takes the roles of a user who is being removed.';

CREATE OR REPLACE FUNCTION stark_internal.unguarded_pods(p_node_id uuid, p_now timestamp with time zone, p_ignores_budgets boolean DEFAULT false)
 RETURNS SETOF uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '0d09c50443cbae346400e7bf4f0fed00';
comment on function stark_internal.unguarded_pods(uuid,timestamp with time zone,boolean) is 'Pods that leave a node at once when it is drained.';

CREATE OR REPLACE FUNCTION stark_internal.unify_templates()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '70db3ecf50f2be9e0328b48630375a0b';
comment on function stark_internal.unify_templates() is 'Makes templates equal that want the same nodes.';

CREATE OR REPLACE FUNCTION stark_internal.unknown_field(p_value jsonb, p_known text[])
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '4860f44392bc4210a66ad7f63e588e4b';
comment on function stark_internal.unknown_field(jsonb,text[]) is 'A field of an object that is not known.';

CREATE OR REPLACE FUNCTION stark_internal.unreadable_company(p_namespace text, p_affinity jsonb, p_user_id uuid DEFAULT NULL::uuid)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'c68513ac9788d1d69543b43f49244fc7';
comment on function stark_internal.unreadable_company(text,jsonb,uuid) is 'Whose pods an affinity asks about although who asks may not read them.';

CREATE OR REPLACE FUNCTION stark_internal.usage_interval()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '3144dc03b6e29dedee30557b5d6d865e';
comment on function stark_internal.usage_interval() is 'Seconds between two looks of an autoscaler.';

CREATE OR REPLACE FUNCTION stark_internal.user_may(p_user_id uuid, p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '032419534e2c1b51619beae246e9af7a';
comment on function stark_internal.user_may(uuid,text,text,boolean) is 'Whether this user has this right, cluster-wide or in the namespace.';

CREATE OR REPLACE FUNCTION stark_internal.vault_state()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'eeadc6a9401e710f646cd291dc7d0132';
comment on function stark_internal.vault_state() is 'What Vault has of the two secrets by which a watcher is called.';

CREATE OR REPLACE FUNCTION stark_internal.wake_watcher(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '1e86cffddd3854cedcc6e93932ac161c';
comment on function stark_internal.wake_watcher(timestamp with time zone) is 'Calls a watcher when nobody is watching.';

CREATE OR REPLACE FUNCTION stark_internal.warn_of_conflicts()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 '7e1f73a07640e92bd9811cfbb498f063';
comment on function stark_internal.warn_of_conflicts() is 'Warns when an update has overwritten what somebody else just changed.';

CREATE OR REPLACE FUNCTION stark_internal.watch_secrets(OUT url text, OUT key text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '71856d4c9761fa051bdbda8b9de25216';
comment on function stark_internal.watch_secrets() is 'URL and key in Vault, null where there are none that can be read.';

CREATE OR REPLACE FUNCTION stark_internal.way_back(p_deployment_id uuid, p_revision bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '93409b428dd75486b18b094176c86ae1';
comment on function stark_internal.way_back(uuid,bigint) is 'The revision that a failed one is followed by.';

CREATE OR REPLACE FUNCTION stark_internal.weighted_problem(p_list jsonb, p_term text, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 'a61e2145be8d74e5c9afee1ce378fa95';
comment on function stark_internal.weighted_problem(jsonb,text,text) is 'What is wrong with these preferred terms; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.with_label_keys(p_rules jsonb, p_labels jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '336a069a811de1cf235beb9768499165';
comment on function stark_internal.with_label_keys(jsonb,jsonb) is 'Rules about other pods with matchLabelKeys written out.';

CREATE OR REPLACE FUNCTION stark_internal.with_ports(p_spec jsonb, p_version_id uuid)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
as md5 '78d1a2380dde15b638ec4413f4b2eae1';
comment on function stark_internal.with_ports(jsonb,uuid) is 'A pod''s spec with the ports that its version declares.';

CREATE OR REPLACE FUNCTION stark_internal.with_replacements(p_sets stark_internal.revision_set[], p_now timestamp with time zone)
 RETURNS SETOF stark_internal.revision_set
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
as md5 'fbec893fe205d07e662749d28909c3ab';
comment on function stark_internal.with_replacements(stark_internal.revision_set[],timestamp with time zone) is 'What is wanted of each revision while pods leave nodes that are drained.';

CREATE OR REPLACE FUNCTION stark_internal.without_nulls(p_value jsonb, p_depth integer DEFAULT 0)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
as md5 '506990675c2ed64caadac18b49ba0737';
comment on function stark_internal.without_nulls(jsonb,integer) is 'A description without the fields that are null.';

CREATE OR REPLACE FUNCTION stark_internal.work_off_at_commit()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'a8e0f2ec071533c1a4fb0024068a05bc';
comment on function stark_internal.work_off_at_commit() is 'Works the notes off at the end of a transaction.';

CREATE OR REPLACE FUNCTION stark_internal.work_off_notes(p_now timestamp with time zone DEFAULT stark_internal.controller_time())
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '8e802d6496d4af7c867e143969bc89d7';
comment on function stark_internal.work_off_notes(timestamp with time zone) is 'Looks at the deployments that something has happened to.';

CREATE OR REPLACE FUNCTION stark_internal.write_bundle(p_plan stark_internal.planned_object, p_dry_run boolean)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '0a828e7e9f80c9a6cfc0729eb97e599a';
comment on function stark_internal.write_bundle(stark_internal.planned_object,boolean) is 'Makes the announced version of a pack ready.';

CREATE OR REPLACE FUNCTION stark_internal.write_deployment_events()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'ac1c12e1d4b50c6160a3a93333631c25';
comment on function stark_internal.write_deployment_events() is 'Writes events of deployments and their revisions, without counts.';

CREATE OR REPLACE FUNCTION stark_internal.write_events()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'dfa0a57a2d6d1823c10ded591d44c91a';
comment on function stark_internal.write_events() is 'Writes and broadcasts one event for each changed row.';

CREATE OR REPLACE FUNCTION stark_internal.write_node_updates()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET jit TO 'off'
as md5 'c0108aeba77d0de31c4824184a64f445';
comment on function stark_internal.write_node_updates() is 'Writes and broadcasts one event for each node that changed in more than its allocated amounts.';

CREATE OR REPLACE FUNCTION stark_internal.write_object(p_plan stark_internal.planned_object, p_dry_run boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 'd814b8c65db88a09b014b72a5909bc3c';
comment on function stark_internal.write_object(stark_internal.planned_object,boolean) is 'Makes an object as it is stated.';

CREATE OR REPLACE FUNCTION stark_internal.write_plans(p_plans stark_internal.planned_object[], p_removals stark_internal.planned_object[], p_project text, p_dry_run boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '44eba43c4f92e5df739ac33c402f93d4';
comment on function stark_internal.write_plans(stark_internal.planned_object[],stark_internal.planned_object[],text,boolean) is 'Does what is planned, and tells what became of it.';

CREATE OR REPLACE FUNCTION stark_internal.write_pods(p_plans stark_internal.planned_object[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET jit TO 'off'
as md5 '790f1dc6bf20b5f21c20229999ef59fb';
comment on function stark_internal.write_pods(stark_internal.planned_object[]) is 'Makes the pods that are stated.';

-- Elsewhere

CREATE TRIGGER stark_keep_bundles BEFORE UPDATE ON storage.objects FOR EACH ROW WHEN (((old.bucket_id = 'packs'::text) AND (((old.name IS DISTINCT FROM new.name) OR (old.bucket_id IS DISTINCT FROM new.bucket_id)) OR (old.metadata IS DISTINCT FROM new.metadata)))) EXECUTE FUNCTION stark_internal.keep_bundles();

CREATE TRIGGER stark_lock_to_remove_users BEFORE DELETE ON auth.users FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();

CREATE TRIGGER stark_lock_to_rename_users BEFORE UPDATE OF email ON auth.users FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();

CREATE TRIGGER stark_mirror_changed_users AFTER UPDATE ON auth.users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.mirror_users();

CREATE TRIGGER stark_mirror_new_users AFTER INSERT ON auth.users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.mirror_users();

create policy "Stark: owners remove bundles of unfinished versions" on storage.objects for delete to authenticated
  using (((bucket_id = 'packs'::text) AND stark_internal.may_upload_bundle(name)));

create policy "Stark: owners replace bundles of unfinished versions" on storage.objects for update to authenticated
  using (((bucket_id = 'packs'::text) AND stark_internal.may_upload_bundle(name)))
  with check (((bucket_id = 'packs'::text) AND stark_internal.may_upload_bundle(name)));

create policy "Stark: owners upload bundles of unfinished versions" on storage.objects for insert to authenticated
  with check (((bucket_id = 'packs'::text) AND stark_internal.may_upload_bundle(name)));

create policy "Stark: who may read a bundle" on storage.objects for select to authenticated
  using (((bucket_id = 'packs'::text) AND stark_internal.may_read_bundle(name)));

create policy "Stark: who may read a topic" on realtime.messages for select to authenticated
  using (stark_internal.may_use_topic(( SELECT realtime.topic() AS topic), extension, 'read'::text));

create policy "Stark: who may write a topic" on realtime.messages for insert to authenticated
  with check (stark_internal.may_use_topic(( SELECT realtime.topic() AS topic), extension, 'write'::text));

insert into storage.buckets (id, name, public, file_size_limit) values ('packs', 'packs', 'f', '52428800');

select cron.schedule('stark-maintenance', '17 * * * *', 'do $$
begin
  for step in 1..20 loop
    exit when stark_internal.remove_old_pods() < stark_internal.call_limit(''ended_pods_removed_at_once'');
    commit;
  end loop;
  perform stark_internal.run_maintenance();
end $$');

select cron.schedule('stark-reap-nodes', '15 seconds', 'do $$
begin
  perform stark_internal.wake_watcher(), stark_internal.request_sync_after_start();
  commit;
  for step in 1..20 loop
    exit when stark_internal.reap_nodes() = 0 and not stark_internal.continue_work();
    commit;
  end loop;
end $$');

select cron.schedule('stark-reconcile', '* * * * *', 'select stark_internal.reconcile()');

select cron.schedule('stark-trim-pod-logs', '47 * * * *', 'do $$
begin
  for step in 1..50 loop
    exit when stark_internal.trim_pod_logs() < stark_internal.call_limit(''log_lines_removed_at_once'');
    commit;
  end loop;
end $$');

select cron.schedule('stark-watch', '* * * * *', 'select stark_internal.call_watcher()');

-- Rows that come with the migrations

-- stark.error_codes (code, http_status, exit_code)
--  (AUTOSCALED,409,7)
--  (BUNDLE_MISSING,409,7)
--  (BUNDLE_SIZE_MISMATCH,409,7)
--  (BUNDLE_TOO_LARGE,413,2)
--  (CLUSTER_BUSY,503,8)
--  (CONFLICT,409,7)
--  (DEPLOYMENT_EXISTS,409,7)
--  (DEPLOYMENT_NOT_FOUND,404,6)
--  (DEPLOYMENT_TERMINATING,409,7)
--  (EMAIL_TAKEN,409,7)
--  (FIELD_IMMUTABLE,409,7)
--  (FORBIDDEN,403,5)
--  (INVALID_ARGUMENT,400,2)
--  (INVALID_LABELS,400,2)
--  (INVALID_NAME,400,2)
--  (INVALID_RUNTIME,400,2)
--  (INVALID_SPEC,400,2)
--  (INVALID_TAINTS,400,2)
--  (INVALID_VERSION,400,2)
--  (JOIN_TOKEN_EXPIRED,403,5)
--  (JOIN_TOKEN_INVALID,403,5)
--  (JOIN_TOKEN_NOT_FOUND,404,6)
--  (JOIN_TOKEN_REVOKED,403,5)
--  (JOIN_TOKEN_USED_UP,403,5)
--  (LAST_ADMIN,409,7)
--  (LIMIT_EXCEEDED,400,2)
--  (LIMIT_RANGE_VIOLATED,400,2)
--  (NAMESPACE_EXISTS,409,7)
--  (NAMESPACE_NOT_FOUND,404,6)
--  (NAMESPACE_RESERVED,409,7)
--  (NAMESPACE_TERMINATING,409,7)
--  (NODE_CONNECTED,409,7)
--  (NODE_IN_USE,409,7)
--  (NODE_NAME_TAKEN,409,7)
--  (NODE_NOT_FOUND,404,6)
--  (NODE_REGISTRATION_CLOSED,403,5)
--  (NOT_PAUSED,409,7)
--  (PACK_IN_USE,409,7)
--  (PACK_NOT_FOUND,404,6)
--  (POD_NAME_TAKEN,409,7)
--  (POD_NOT_FOUND,404,6)
--  (POD_NOT_ON_NODE,409,7)
--  (PRIORITY_CLASS_EXISTS,409,7)
--  (PRIORITY_CLASS_NOT_FOUND,404,6)
--  (PRIORITY_CLASS_RESERVED,409,7)
--  (PROJECT_CONFLICT,409,7)
--  (QUOTA_EXCEEDED,409,7)
--  (REGISTRATION_CLOSED,403,5)
--  (REVISION_NOT_FOUND,404,6)
--  (ROLE_EXISTS,409,7)
--  (ROLE_NOT_FOUND,404,6)
--  (ROLE_RESERVED,409,7)
--  (RUNTIME_MISMATCH,409,7)
--  (SETUP_DONE,409,7)
--  (STALE_INCARNATION,409,7)
--  (STATUS_STEP_REFUSED,409,7)
--  (UNAUTHENTICATED,401,4)
--  (USER_DISABLED,403,5)
--  (USER_NOT_FOUND,404,6)
--  (VERSION_BLOCKED,409,7)
--  (VERSION_EXISTS,409,7)
--  (VERSION_NOT_FOUND,404,6)
--  (VERSION_NOT_READY,409,7)

-- stark.roles (name, alias_of, built_in)
--  (admin,,t)
--  (deployer,developer,t)
--  (developer,,t)
--  (node,,t)
--  (operator,,t)
--  (user,,t)
--  (viewer,,t)

-- stark.role_permissions (role, kind, verb, scope)
--  (admin,*,*,any)
--  (developer,deployments,*,own)
--  (developer,deployments,get,any)
--  (developer,events,get,any)
--  (developer,logs,get,any)
--  (developer,namespaces,get,any)
--  (developer,nodes,get,any)
--  (developer,packs,*,own)
--  (developer,packs,get,any)
--  (developer,pods,*,own)
--  (developer,pods,get,any)
--  (node,namespaces,get,any)
--  (node,nodes,connect,own)
--  (node,nodes,create,own)
--  (node,nodes,get,own)
--  (node,nodes,update,own)
--  (node,packs,get,own)
--  (node,pods,get,own)
--  (operator,*,get,any)
--  (operator,deployments,*,any)
--  (operator,nodes,connect,own)
--  (operator,nodes,create,own)
--  (operator,nodes,delete,any)
--  (operator,nodes,update,any)
--  (operator,pods,*,any)
--  (user,deployments,*,own)
--  (user,events,get,own)
--  (user,logs,get,own)
--  (user,namespaces,get,any)
--  (user,nodes,*,own)
--  (user,packs,*,own)
--  (user,pods,create,own)
--  (user,pods,delete,own)
--  (user,pods,get,own)
--  (user,pods,read-env,own)
--  (user,pods,update,own)
--  (viewer,deployments,get,any)
--  (viewer,events,get,any)
--  (viewer,logs,get,any)
--  (viewer,namespaces,get,any)
--  (viewer,nodes,get,any)
--  (viewer,packs,get,any)
--  (viewer,pods,get,any)

-- stark.pod_status_steps (from_status, to_status, taken_by)
--  (pending,failed,control)
--  (pending,scheduled,scheduler)
--  (pending,stopped,control)
--  (running,evicted,control)
--  (running,failed,control)
--  (running,failed,node)
--  (running,starting,node)
--  (running,stopped,control)
--  (running,stopping,control)
--  (running,succeeded,node)
--  (running,transferring,node)
--  (scheduled,evicted,control)
--  (scheduled,failed,control)
--  (scheduled,failed,node)
--  (scheduled,running,node)
--  (scheduled,starting,node)
--  (scheduled,stopped,control)
--  (scheduled,stopping,control)
--  (scheduled,succeeded,node)
--  (scheduled,transferring,node)
--  (starting,evicted,control)
--  (starting,failed,control)
--  (starting,failed,node)
--  (starting,running,node)
--  (starting,stopped,control)
--  (starting,stopping,control)
--  (starting,succeeded,node)
--  (starting,transferring,node)
--  (stopping,evicted,control)
--  (stopping,failed,control)
--  (stopping,failed,node)
--  (stopping,stopped,control)
--  (stopping,stopped,node)
--  (stopping,succeeded,node)
--  (transferring,evicted,control)
--  (transferring,failed,control)
--  (transferring,failed,node)
--  (transferring,running,node)
--  (transferring,starting,node)
--  (transferring,stopped,control)
--  (transferring,stopping,control)
--  (transferring,succeeded,node)

-- stark.namespaces (name, reserved)
--  (default,t)
--  (stark-public,t)
--  (stark-system,t)
