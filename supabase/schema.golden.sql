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
comment on type stark_internal.pod_group is 'Pending pods with the same wishes: cpu, memory and storage are the most that one of them asks for, rules_no names their rules about other pods, matches the selectors that match them.';

-- Tables

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
alter table stark.cluster_config add constraint max_pods_per_node_is_from_0_to_10000 CHECK (((max_pods_per_node >= 0) AND (max_pods_per_node <= 10000)));
alter table stark.cluster_config add constraint scheduling_policy_is_known CHECK ((scheduling_policy = ANY (ARRAY['spread'::text, 'bin_pack'::text, 'least_loaded'::text, 'random'::text, 'affinity'::text])));
alter table stark.cluster_config add constraint there_is_one_row CHECK ((name = 'cluster'::text));
alter table stark.cluster_config add constraint cluster_config_pkey PRIMARY KEY (name);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.cluster_config FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.cluster_config FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.cluster_config REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.cluster_config REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.cluster_config REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('cluster_config', 'name');
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
comment on column stark.error_codes.exit_code is 'Exit code of the command line: 2 usage, 4 sign in, 5 denied, 6 not found, 7 conflict or quota.';
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
  using ((((kind <> ALL (ARRAY['user'::text, 'role'::text, 'role_permission'::text, 'role_binding'::text])) OR ( SELECT stark_internal.has_permission('users:get'::text) AS has_permission)) AND ((namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text) AS permitted_namespaces)::text[])) OR ((namespace IS NULL) AND ( SELECT stark_internal.has_permission('events:get'::text) AS has_permission)) OR ((kind = 'pod'::text) AND ((object ->> 'created_by'::text) = (( SELECT auth.uid() AS uid))::text) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text, true) AS permitted_namespaces)::text[]))) OR ((kind = ANY (ARRAY['node'::text, 'pack'::text])) AND ((object ->> 'owner_id'::text) = (( SELECT auth.uid() AS uid))::text) AND ( SELECT stark_internal.has_permission('events:get'::text, NULL::text, true) AS has_permission)))));
comment on table stark.events is 'Append-only log of every change.';
comment on column stark.events.seq is 'Grows by one with each event; commit order.';
comment on column stark.events.version is 'Version of the event''s form.';
comment on column stark.events.type is '<kind>.created, .updated or .deleted; .conflict warns of an update that overwrote another''s.';
comment on column stark.events."time" is 'When it was written.';
comment on column stark.events.origin is 'Where it came from: api, scheduler, or system.';
comment on column stark.events.namespace is 'Namespace of the object; null for what belongs to the cluster.';
comment on column stark.events.kind is 'pod, node, pack, pack_version, namespace, priority_class, cluster_config; user, role, role_permission and role_binding for who may read users.';
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
  max_uses integer default 1 not null,
  uses integer default 0 not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  used_at timestamp with time zone,
  created_at timestamp with time zone default now() not null
);
alter table stark.join_tokens enable row level security;
alter table stark.join_tokens add constraint max_uses_is_in_range CHECK (((max_uses >= 1) AND (max_uses <= 1000)));
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
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.namespaces REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.namespaces REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.namespaces REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.namespaces REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('namespace', 'name');
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
  usage jsonb default '{}'::jsonb not null
);
alter table stark.node_leases enable row level security;
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
alter table stark.nodes add constraint node_name_is_a_dns_name CHECK (stark_internal.is_dns_name(name));
alter table stark.nodes add constraint runtime_is_known CHECK ((runtime = ANY (ARRAY['node'::text, 'browser'::text])));
alter table stark.nodes add constraint status_is_known CHECK ((status = ANY (ARRAY['healthy'::text, 'unhealthy'::text, 'offline'::text, 'unknown'::text])));
alter table stark.nodes add constraint nodes_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.nodes add constraint nodes_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES stark.profiles(id);
alter table stark.nodes add constraint nodes_pkey PRIMARY KEY (id);
alter table stark.nodes add constraint nodes_name_key UNIQUE (name);
CREATE UNIQUE INDEX nodes_agent_id_idx ON stark.nodes USING btree (agent_id);
CREATE INDEX nodes_owner_id_idx ON stark.nodes USING btree (owner_id);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.nodes FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.nodes FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_nodes AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _100_check_new_nodes AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _300_close_deleted_nodes AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.close_deleted_nodes();
CREATE TRIGGER _400_follow_taints_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_taints();
CREATE TRIGGER _400_follow_taints_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.follow_taints();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
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
comment on column stark.nodes.labels is 'Labels that node selectors and affinities look at.';
comment on column stark.nodes.taints is 'Taints in Kubernetes'' form: [{key, value, effect}].';
comment on column stark.nodes.capabilities is 'What the agent says about itself: versions, features.';
comment on column stark.nodes.overrides is 'What update_node set, apart from what the agent says, so that it outlives a new registration: patches of labels, allocatable, capabilities, and of taints by <key>:<effect>.';
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
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  ready_at timestamp with time zone,
  resource_version bigint default 1 not null
);
alter table stark.pack_versions enable row level security;
alter table stark.pack_versions add constraint bundle_has_at_most_50_mb CHECK (((size_bytes >= 1) AND (size_bytes <= 52428800)));
alter table stark.pack_versions add constraint entry_is_a_short_name CHECK ((entry ~ '^[A-Za-z_$][A-Za-z0-9_$]{0,127}$'::text));
alter table stark.pack_versions add constraint ready_version_has_a_time CHECK (((state = 'uploading'::text) OR (ready_at IS NOT NULL)));
alter table stark.pack_versions add constraint runtime_is_known CHECK ((runtime = ANY (ARRAY['node'::text, 'browser'::text, 'isomorphic'::text])));
alter table stark.pack_versions add constraint sha256_is_64_hex_digits CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text));
alter table stark.pack_versions add constraint state_is_known CHECK ((state = ANY (ARRAY['uploading'::text, 'ready'::text, 'withdrawn'::text])));
alter table stark.pack_versions add constraint version_is_semver CHECK (stark_internal.is_semver(version));
alter table stark.pack_versions add constraint pack_versions_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.pack_versions add constraint pack_versions_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id) ON DELETE CASCADE;
alter table stark.pack_versions add constraint pack_versions_pkey PRIMARY KEY (id);
alter table stark.pack_versions add constraint bundle_path_is_unique UNIQUE (bucket, path);
alter table stark.pack_versions add constraint version_is_unique_in_its_pack UNIQUE (pack_id, version);
CREATE INDEX pack_versions_created_by_idx ON stark.pack_versions USING btree (created_by);
CREATE INDEX pack_versions_latest_idx ON stark.pack_versions USING btree (pack_id, version_key DESC) WHERE (state = 'ready'::text);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.pack_versions FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.pack_versions FOR EACH ROW EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_keep_versions_immutable AFTER UPDATE ON stark.pack_versions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.keep_versions_immutable();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.pack_versions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.pack_versions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.pack_versions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack_version', 'id');
create policy "versions are read with their pack" on stark.pack_versions for select to authenticated
  using ((pack_id IN ( SELECT p.id
   FROM stark.packs p)));
comment on table stark.pack_versions is 'One bundle of a pack: one ESM file of at most 50 MB, immutable once ready.';
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
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.packs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.packs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.packs REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pack', 'id');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.packs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('pack', 'id');
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
comment on table stark.pod_status_steps is 'Every step a pod''s status may take, and who takes it. All else is refused, whoever writes.';
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
  ports jsonb default '{}'::jsonb not null,
  labels jsonb default '{}'::jsonb not null,
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
  resource_version bigint default 1 not null
);
alter table stark.pods enable row level security;
alter table stark.pods add constraint ended_pod_has_an_end CHECK (((status = ANY (ARRAY['stopped'::text, 'succeeded'::text, 'failed'::text, 'evicted'::text])) = (finished_at IS NOT NULL)));
alter table stark.pods add constraint only_a_running_pod_is_ready CHECK (((NOT ready) OR (status = ANY (ARRAY['running'::text, 'stopping'::text]))));
alter table stark.pods add constraint pending_pod_has_no_node CHECK (((status <> 'pending'::text) OR (node_id IS NULL)));
alter table stark.pods add constraint placed_pod_names_its_node CHECK (((NOT stark_internal.occupies(status)) OR (node_name IS NOT NULL)));
alter table stark.pods add constraint pod_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.pods add constraint priority_is_from_0_to_1000 CHECK ((((priority >= 0) AND (priority <= 1000)) OR ((priority > 1000) AND COALESCE(((spec ->> 'priorityClassName'::text) ~~ 'system-%'::text), false))));
alter table stark.pods add constraint restarts_are_counted_up CHECK ((restarts >= 0));
alter table stark.pods add constraint status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'scheduled'::text, 'transferring'::text, 'starting'::text, 'running'::text, 'stopping'::text, 'stopped'::text, 'succeeded'::text, 'failed'::text, 'evicted'::text])));
alter table stark.pods add constraint status_message_is_short CHECK (((length(status_message) <= 4096) AND (length(status_reason) <= 128)));
alter table stark.pods add constraint pods_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name);
alter table stark.pods add constraint pods_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_nominated_node_id_fkey FOREIGN KEY (nominated_node_id) REFERENCES stark.nodes(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id);
alter table stark.pods add constraint pods_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES stark.pack_versions(id);
alter table stark.pods add constraint pods_pkey PRIMARY KEY (id);
alter table stark.pods add constraint pod_name_is_unique_in_its_namespace UNIQUE (namespace, name);
CREATE INDEX pods_created_by_idx ON stark.pods USING btree (created_by);
CREATE INDEX pods_deletion_requested_at_idx ON stark.pods USING btree (deletion_requested_at) WHERE (deletion_requested_at IS NOT NULL);
CREATE INDEX pods_node_id_idx ON stark.pods USING btree (node_id);
CREATE INDEX pods_nominated_node_id_idx ON stark.pods USING btree (nominated_node_id) WHERE (nominated_node_id IS NOT NULL);
CREATE INDEX pods_pack_id_idx ON stark.pods USING btree (pack_id);
CREATE INDEX pods_pack_version_id_idx ON stark.pods USING btree (pack_version_id);
CREATE INDEX pods_pending_idx ON stark.pods USING btree (priority DESC, created_at, id) WHERE (status = 'pending'::text);
CREATE INDEX pods_speaking_of_pods_idx ON stark.pods USING btree (node_id) WHERE ((spec -> 'affinity'::text) ?| ARRAY['podAffinity'::text, 'podAntiAffinity'::text]);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.pods FOR EACH ROW EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_pods AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_new_pods AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_status_steps AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_status_steps();
CREATE TRIGGER _100_enforce_quota_on_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.enforce_quota();
CREATE TRIGGER _100_enforce_quota_on_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.enforce_quota();
CREATE TRIGGER _200_account_resources_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _300_command_nodes_on_change AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _300_command_nodes_on_delete AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
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
comment on column stark.pods.ports is 'Real port of each declared one, as {name: number}.';
comment on column stark.pods.labels is 'Labels.';
comment on column stark.pods.spec is 'What is wanted: placement, resources, config, env, ports, restarts. Kubernetes'' names.';
comment on column stark.pods.priority is '0 to 1000, more for the system''s classes; higher is placed first.';
comment on column stark.pods.cpu_request is 'Requested millicores, from the spec.';
comment on column stark.pods.memory_request is 'Requested memory in MB, from the spec.';
comment on column stark.pods.storage_request is 'Requested storage in MB, from the spec.';
comment on column stark.pods.incarnation is 'Incarnation of the node that runs it.';
comment on column stark.pods.created_by is 'Who made it; the pod has its rights.';
comment on column stark.pods.stop_requested_at is 'When it was asked to stop.';
comment on column stark.pods.deletion_requested_at is 'When it was asked to go; the row goes when it has ended.';
comment on column stark.pods.resource_version is 'Grows with each change.';
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
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.priority_classes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.priority_classes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.priority_classes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('priority_class', 'name');
CREATE TRIGGER _810_warn_of_conflicts AFTER UPDATE ON stark.priority_classes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.warn_of_conflicts('priority_class', 'name');
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
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.profiles REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('user', 'id');
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
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.role_bindings REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_binding', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.role_bindings REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_binding', 'id');
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
alter table stark.role_permissions add constraint kind_is_known CHECK ((kind = ANY (ARRAY['*'::text, 'packs'::text, 'nodes'::text, 'pods'::text, 'logs'::text, 'events'::text, 'namespaces'::text, 'users'::text, 'roles'::text, 'priorityclasses'::text, 'settings'::text])));
alter table stark.role_permissions add constraint scope_is_any_or_own CHECK ((scope = ANY (ARRAY['any'::text, 'own'::text])));
alter table stark.role_permissions add constraint verb_is_known CHECK ((verb = ANY (ARRAY['*'::text, 'get'::text, 'create'::text, 'update'::text, 'delete'::text, 'pull'::text, 'connect'::text, 'bind'::text, 'escalate'::text])));
alter table stark.role_permissions add constraint role_permissions_role_fkey FOREIGN KEY (role) REFERENCES stark.roles(name) ON DELETE CASCADE;
alter table stark.role_permissions add constraint role_permissions_pkey PRIMARY KEY (role, kind, verb, scope);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.role_permissions FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _300_shut_out_users_of_lesser_roles AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.shut_out_users();
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.role_permissions REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_permission', 'role');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.role_permissions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role_permission', 'role');
create policy "members read permissions" on stark.role_permissions for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.role_permissions is 'What each role may do. Absent means no.';
comment on column stark.role_permissions.role is 'The role.';
comment on column stark.role_permissions.kind is 'Kind of object, or * for all.';
comment on column stark.role_permissions.verb is 'get, create, update (stop, cordon), delete; pull a pack''s bundle; connect as a node''s agent; bind and escalate roles beyond one''s own rights; * for all.';
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
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.roles REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.roles REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('role', 'name');
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
  called_at timestamp with time zone
);
alter table stark_internal.node_watch enable row level security;
alter table stark_internal.node_watch add constraint there_is_one_row CHECK (only_row);
alter table stark_internal.node_watch add constraint node_watch_pkey PRIMARY KEY (only_row);
create policy "nobody reads the watch" on stark_internal.node_watch for select to authenticated
  using (false);
comment on table stark_internal.node_watch is 'When somebody was watching the nodes. Always one row.';
comment on column stark_internal.node_watch.watched is 'The times in which some watcher has heard everything, of the last two hours; those that meet are one.';
comment on column stark_internal.node_watch.called_at is 'When a watcher was called last.';

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

create view stark_internal.wanted_pods with (security_invoker=true) as
 SELECT p.id AS pod_id,
    p.node_id,
    p.status,
    p.priority,
    p.created_at,
    jsonb_build_object('id', p.id, 'name', p.name, 'namespace', p.namespace, 'owner', p.created_by, 'labels', p.labels, 'status', p.status, 'pack', p.pack_name, 'version', p.version, 'version_id', v.id, 'runtime', v.runtime, 'entry', v.entry, 'bundle', jsonb_build_object('bucket', v.bucket, 'path', v.path, 'sha256', v.sha256, 'size_bytes', v.size_bytes), 'spec', p.spec, 'restarts', p.restarts, 'wanted',
        CASE
            WHEN p.status = 'stopping'::text THEN 'stopped'::text
            ELSE 'running'::text
        END) AS item
   FROM stark.pods p
     JOIN stark.pack_versions v ON v.id = p.pack_version_id
  WHERE p.node_id IS NOT NULL;
comment on view stark_internal.wanted_pods is 'Placed pods in the form that agents get them.';

-- Functions

CREATE OR REPLACE FUNCTION stark.admit_node(p_secret_sha256 text, p_name text, p_runtime text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid;
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'joining is for Edge Function api, which holds the secret key', 'stark node agent start');
  end if;
  perform stark_internal.require_join(p_secret_sha256, p_name, p_runtime);
  v_user := stark_internal.admit(p_display_name => 'node ' || p_name);
  return jsonb_build_object('user_id', v_user, 'email', format('node-%s@nodes.stark.invalid', v_user));
end;
$function$;
comment on function stark.admit_node(text,text,text) is 'Announces the account of a machine that joins.';
grant execute on function stark.admit_node(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.admit_user(p_email text, p_role text DEFAULT NULL::text, p_namespace text DEFAULT NULL::text, p_display_name text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark.admit_user(text,text,text,text) is 'Announces a user who is about to be made, with the role they start with.';
grant execute on function stark.admit_user(text,text,text,text) to authenticated;
grant execute on function stark.admit_user(text,text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.append_pod_logs(p_node_id uuid, p_incarnation bigint, p_lines jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_count integer;
begin
  perform stark_internal.require_user();
  if p_incarnation is null or p_lines is null or jsonb_typeof(p_lines) <> 'array' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'append_pod_logs needs p_incarnation and a list p_lines', 'take the incarnation from node_sync');
  end if;
  if jsonb_array_length(p_lines) > 5000 then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s lines in one call, at most 5000', jsonb_array_length(p_lines)), 'use several calls');
  end if;
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  insert into stark.pod_logs (pod_id, seq, time, namespace, stream, level, message, run)
    select p.id, (l.line ->> 'seq')::numeric::bigint, (l.line ->> 'time')::timestamptz, p.namespace, l.line ->> 'stream',
           case when l.line ->> 'level' in ('debug', 'info', 'warn', 'error') then l.line ->> 'level' end,
           stark_internal.cut(l.line ->> 'message', 16384), coalesce((l.line ->> 'run')::numeric::integer, 0)
    from jsonb_array_elements(p_lines) l (line)
    join stark.pods p on p.id = case when pg_input_is_valid(l.line ->> 'pod_id', 'uuid') then (l.line ->> 'pod_id')::uuid end
    where p.node_id = p_node_id
      and stark_internal.is_whole(l.line -> 'seq', 0, 9007199254740991)
      and stark_internal.is_time(l.line ->> 'time', now() + interval '1 day')
      and l.line ->> 'stream' in ('stdout', 'stderr', 'platform')
      and jsonb_typeof(l.line -> 'message') = 'string'
      and (l.line -> 'run' is null or stark_internal.is_whole(l.line -> 'run', 0, 2147483647))
    on conflict do nothing;
  get diagnostics v_count = row_count;
  return v_count;
end;
$function$;
comment on function stark.append_pod_logs(uuid,bigint,jsonb) is 'An agent hands over lines that its pods printed.';
grant execute on function stark.append_pod_logs(uuid,bigint,jsonb) to authenticated;
grant execute on function stark.append_pod_logs(uuid,bigint,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.can_i(p_verb text, p_kind text, p_namespace text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_user();
  return stark_internal.has_permission(
    case when lower(p_kind) like '%s' or p_kind = '*' then lower(p_kind) else lower(p_kind) || 's' end
    || ':' ||
    case lower(p_verb)
      when 'list' then 'get' when 'watch' then 'get' when 'describe' then 'get'
      when 'deploy' then 'create' when 'register' then 'create'
      when 'stop' then 'update' when 'cordon' then 'update' when 'drain' then 'update'
      else lower(p_verb)
    end,
    p_namespace, true);
end;
$function$;
comment on function stark.can_i(text,text,text) is 'Whether the caller may do this, at least with own objects.';
grant execute on function stark.can_i(text,text,text) to authenticated;
grant execute on function stark.can_i(text,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.cordon_node(p_name text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  update stark.nodes n set unschedulable = true, updated_at = now() where n.id = v_node.id and not n.unschedulable;
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$function$;
comment on function stark.cordon_node(text) is 'Keeps new pods off a node.';
grant execute on function stark.cordon_node(text) to authenticated;
grant execute on function stark.cordon_node(text) to service_role;

CREATE OR REPLACE FUNCTION stark.create_join_token(p_ttl_seconds integer DEFAULT 3600, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_uses integer DEFAULT 1)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_problem record;
  v_token stark.join_tokens;
  v_text text;
begin
  perform stark_internal.require_permission('nodes:create', null, true);
  perform stark_internal.require_permission('nodes:delete', null, true);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a node needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if p_ttl_seconds is null or p_ttl_seconds not between 1 and 2592000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a token is good for 1 second to 30 days, not for %s seconds', coalesce(p_ttl_seconds::text, 'null')), 'use --ttl 1h');
  end if;
  if p_uses is null or p_uses not between 1 and 1000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a token is good for 1 to 1000 nodes, not for %s', coalesce(p_uses::text, 'null')), 'use --uses 10');
  end if;
  select * into v_problem from stark_internal.node_problem(p_labels, p_taints, '{}', '{}');
  if found then
    perform stark_internal.fail(v_problem.code, format('join token: %s', v_problem.problem), v_problem.hint);
  end if;
  delete from stark.join_tokens t where t.owner_id = v_user and t.expires_at < now() - interval '30 days';
  insert into stark.join_tokens (owner_id, labels, taints, max_uses, expires_at)
    values (v_user, p_labels, p_taints, p_uses, now() + make_interval(secs => p_ttl_seconds))
    returning * into v_token;
  -- 244 random bits: nobody comes across one by trying.
  v_text := 'stark_join_' || v_token.id || '_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
  insert into stark_internal.join_token_secrets (token_id, secret_sha256)
    values (v_token.id, encode(sha256(convert_to(v_text, 'UTF8')), 'hex'));
  return jsonb_build_object('id', v_token.id, 'token', v_text, 'labels', v_token.labels, 'taints', v_token.taints,
                            'max_uses', v_token.max_uses, 'expires_at', v_token.expires_at);
end;
$function$;
comment on function stark.create_join_token(integer,jsonb,jsonb,integer) is 'Makes a token by which machines become nodes of the caller.';
grant execute on function stark.create_join_token(integer,jsonb,jsonb,integer) to authenticated;
grant execute on function stark.create_join_token(integer,jsonb,jsonb,integer) to service_role;

CREATE OR REPLACE FUNCTION stark.create_namespace(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_quota jsonb DEFAULT '{}'::jsonb, p_limit_range jsonb DEFAULT '{}'::jsonb)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_namespace stark.namespaces;
begin
  perform stark_internal.require_permission('namespaces:create');
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
$function$;
comment on function stark.create_namespace(text,jsonb,jsonb,jsonb) is 'Makes a namespace.';
grant execute on function stark.create_namespace(text,jsonb,jsonb,jsonb) to authenticated;
grant execute on function stark.create_namespace(text,jsonb,jsonb,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.create_pods(p_pods jsonb)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_item jsonb;
  v_ids uuid[] := '{}';
begin
  if p_pods is null or jsonb_typeof(p_pods) <> 'array' or jsonb_array_length(p_pods) = 0 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_pods must be a list with at least one pod', 'give [{"pack": "name"}]');
  end if;
  if jsonb_array_length(p_pods) > 1000 then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s entries in one call, at most 1000', jsonb_array_length(p_pods)), 'use replicas, or several calls');
  end if;
  if (select sum(case when stark_internal.is_whole(e -> 'replicas', 1, 1000000000) then (e ->> 'replicas')::numeric else 1 end) from jsonb_array_elements(p_pods) e) > 10000 then
    perform stark_internal.fail('LIMIT_EXCEEDED', 'more than 10000 pods in one call', 'use several calls');
  end if;
  perform stark_internal.lock_cluster();
  for v_item in select e.value from jsonb_array_elements(p_pods) e loop
    v_ids := v_ids || stark_internal.create_pod_group(v_item, v_user);
  end loop;
  perform stark_internal.schedule_pods(p_retry => false);
  return query select p.* from stark.pods p join unnest(v_ids) with ordinality as i (id, ord) on i.id = p.id order by i.ord;
end;
$function$;
comment on function stark.create_pods(jsonb) is 'Creates pods and places them where there is room.';
grant execute on function stark.create_pods(jsonb) to authenticated;
grant execute on function stark.create_pods(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.create_priority_class(p_name text, p_value integer, p_global_default boolean DEFAULT false, p_preemption_policy text DEFAULT 'PreemptLowerPriority'::text, p_description text DEFAULT ''::text)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:create');
  if not stark_internal.is_dns_label(p_name) or p_name like 'system-%' then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a priority class', coalesce(to_json(left(p_name, 80))::text, 'null')),
      'use lower case letters, digits and -, not starting with system-');
  end if;
  if p_value is null or p_value not between 0 and 1000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('value must be from 0 to 1000, not %s', coalesce(p_value::text, 'null')), 'use --value 500');
  end if;
  if p_preemption_policy is null or p_preemption_policy not in ('PreemptLowerPriority', 'Never') then
    perform stark_internal.fail('INVALID_ARGUMENT', 'preemption_policy must be PreemptLowerPriority or Never', 'use --preemption-policy Never');
  end if;
  if p_description is null or length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description must be a text of at most 2000 characters', 'use a shorter --description');
  end if;
  perform stark_internal.lock_cluster();
  if exists (select from stark.priority_classes c where c.name = p_name) then
    perform stark_internal.fail('PRIORITY_CLASS_EXISTS', format('there is a priority class %s already', p_name), 'use another name');
  end if;
  if p_global_default then
    update stark.priority_classes c set global_default = false where c.global_default;
  end if;
  insert into stark.priority_classes (name, value, global_default, preemption_policy, description)
    values (p_name, p_value, coalesce(p_global_default, false), p_preemption_policy, p_description)
    returning * into v_class;
  return v_class;
end;
$function$;
comment on function stark.create_priority_class(text,integer,boolean,text,text) is 'Makes a priority class.';
grant execute on function stark.create_priority_class(text,integer,boolean,text,text) to authenticated;
grant execute on function stark.create_priority_class(text,integer,boolean,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.create_role(p_name text, p_permissions text[], p_description text DEFAULT ''::text)
 RETURNS stark.roles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
  perform stark_internal.lock_cluster();
  if exists (select from stark.roles r where r.name = p_name) then
    perform stark_internal.fail('ROLE_EXISTS', format('there is a role %s already', p_name), 'choose another name, or change that one');
  end if;
  insert into stark.roles (name, description) values (p_name, coalesce(p_description, '')) returning * into v_role;
  perform stark_internal.put_permissions(p_name, p_permissions);
  return v_role;
end;
$function$;
comment on function stark.create_role(text,text[],text) is 'Makes a role.';
grant execute on function stark.create_role(text,text[],text) to authenticated;
grant execute on function stark.create_role(text,text[],text) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_namespace(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_namespace stark.namespaces;
begin
  perform stark_internal.require_permission('namespaces:delete');
  perform stark_internal.lock_cluster();
  perform stark_internal.require_namespace(p_name);
  select * into v_namespace from stark.namespaces n where n.name = p_name;
  if v_namespace.reserved then
    perform stark_internal.fail('NAMESPACE_RESERVED', format('namespace %s always exists', p_name), format('stark pod list -n %s', p_name));
  end if;
  perform stark_internal.require_version('namespace ' || p_name, p_if_version, v_namespace.resource_version);
  update stark.namespaces n set phase = 'terminating' where n.name = p_name and n.phase = 'active';
  perform stark_internal.begin_stop(array(select p.id from stark.pods p where p.namespace = p_name));
  update stark.pods p set deletion_requested_at = now() where p.namespace = p_name and p.deletion_requested_at is null;
  select * into v_namespace from stark.namespaces n where n.name = p_name;
  perform stark_internal.remove_ended_pods();
  perform stark_internal.remove_emptied_namespaces();
  return v_namespace;
end;
$function$;
comment on function stark.delete_namespace(text,bigint) is 'Empties a namespace, then removes it.';
grant execute on function stark.delete_namespace(text,bigint) to authenticated;
grant execute on function stark.delete_namespace(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_node(p_name text, p_force boolean DEFAULT false, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
  v_pods bigint;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:delete');
  perform stark_internal.require_version('node ' || p_name, p_if_version, v_node.resource_version);
  select count(*) into v_pods from stark.pods p where p.node_id = v_node.id and stark_internal.occupies(p.status);
  if v_pods > 0 and p_force is not true then
    perform stark_internal.fail('NODE_IN_USE', format('node %s has %s pods that have not ended', p_name, v_pods), 'stark node drain ' || p_name);
  end if;
  -- Cordoned first, or what was just evicted could be followed here by a pod that waits.
  update stark.nodes n set unschedulable = true where n.id = v_node.id and not n.unschedulable;
  perform stark_internal.empty_node(v_node, 'NodeDeleted', true);
  perform stark_internal.remove_ended_pods();
  delete from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$function$;
comment on function stark.delete_node(text,boolean,bigint) is 'Removes a node.';
grant execute on function stark.delete_node(text,boolean,bigint) to authenticated;
grant execute on function stark.delete_node(text,boolean,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_pack(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.packs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pack stark.packs;
  v_pods bigint;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:delete');
  perform stark_internal.require_version('pack ' || p_name, p_if_version, v_pack.resource_version);
  select count(*) into v_pods from stark.pods p where p.pack_id = v_pack.id and p.finished_at is null;
  if v_pods > 0 then
    perform stark_internal.fail('PACK_IN_USE', format('pack %s has %s pods that have not ended', p_name, v_pods), 'stark pod delete');
  end if;
  delete from stark.pods p where p.pack_id = v_pack.id;
  delete from stark.packs p where p.id = v_pack.id;
  return v_pack;
end;
$function$;
comment on function stark.delete_pack(text,bigint) is 'Removes a pack whose pods have all ended.';
grant execute on function stark.delete_pack(text,bigint) to authenticated;
grant execute on function stark.delete_pack(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_pods(p_ids uuid[], p_if_version bigint DEFAULT NULL::bigint)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:delete', p_if_version);
  perform stark_internal.begin_stop(p_ids);
  update stark.pods p set deletion_requested_at = now() where p.id = any (p_ids) and p.deletion_requested_at is null;
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
  perform stark_internal.remove_ended_pods();
end;
$function$;
comment on function stark.delete_pods(uuid[],bigint) is 'Stops pods and removes their rows.';
grant execute on function stark.delete_pods(uuid[],bigint) to authenticated;
grant execute on function stark.delete_pods(uuid[],bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_priority_class(p_name text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:delete');
  perform stark_internal.lock_cluster();
  v_class := stark_internal.require_priority_class(p_name, p_if_version);
  if v_class.built_in then
    perform stark_internal.fail('PRIORITY_CLASS_RESERVED', format('priority class %s is built in', p_name), 'stark priorityclass list');
  end if;
  delete from stark.priority_classes c where c.name = p_name;
  if v_class.global_default then
    update stark.priority_classes c set global_default = true where c.name = 'default';
  end if;
  return v_class;
end;
$function$;
comment on function stark.delete_priority_class(text,bigint) is 'Removes a priority class; its pods stay as they are.';
grant execute on function stark.delete_priority_class(text,bigint) to authenticated;
grant execute on function stark.delete_priority_class(text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_role(p_name text)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_bindings bigint;
begin
  perform stark_internal.require_permission('roles:delete');
  perform stark_internal.lock_cluster();
  perform stark_internal.require_own_role(p_name);
  v_bindings := (select count(*) from stark.role_bindings b where b.role = p_name);
  delete from stark.roles r where r.name = p_name;
  return v_bindings;
end;
$function$;
comment on function stark.delete_role(text) is 'Deletes a role and takes it from everybody who has it.';
grant execute on function stark.delete_role(text) to authenticated;
grant execute on function stark.delete_role(text) to service_role;

CREATE OR REPLACE FUNCTION stark.disable_user(p_user_id uuid)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_permission('users:update');
  return stark_internal.set_disabled(p_user_id, now());
end;
$function$;
comment on function stark.disable_user(uuid) is 'Takes every right and session from a user; what they own stays.';
grant execute on function stark.disable_user(uuid) to authenticated;
grant execute on function stark.disable_user(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.disconnect_node(p_node_id uuid, p_incarnation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_user();
  if p_incarnation is null then
    perform stark_internal.fail('INVALID_ARGUMENT', 'disconnect_node needs p_incarnation', 'take the incarnation from node_sync');
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  -- The node first, so that the room its pods leave is not given away on it.
  update stark.nodes n set status = 'offline', status_reason = 'NodeShutdown', updated_at = now()
    where n.id = p_node_id and (n.status, n.status_reason) is distinct from ('offline', 'NodeShutdown');
  update stark.pods p set
      status = case when p.status = 'stopping' then 'stopped' else 'failed' end,
      status_reason = case when p.status = 'stopping' then p.status_reason else 'NodeShutdown' end,
      status_message = case when p.status = 'stopping' then p.status_message else format('node %s was shut down', p.node_name) end,
      ready = false,
      finished_at = now()
    where p.node_id = p_node_id and stark_internal.occupies(p.status);
  perform stark_internal.remove_ended_pods();
end;
$function$;
comment on function stark.disconnect_node(uuid,bigint) is 'An agent says goodbye; its pods have ended.';
grant execute on function stark.disconnect_node(uuid,bigint) to authenticated;
grant execute on function stark.disconnect_node(uuid,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.drain_node(p_name text)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
  v_ids uuid[];
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  -- An owner may empty the own node: what runs there is there by the owner's leave. Whose pods they are is not asked.
  update stark.nodes n set unschedulable = true, updated_at = now() where n.id = v_node.id and not n.unschedulable;
  v_ids := array(select p.id from stark.pods p where p.node_id = v_node.id and stark_internal.occupies(p.status));
  perform stark_internal.empty_node(v_node, 'NodeDrained', false);
  return query select p.* from stark.pods p where p.id = any (v_ids) order by p.namespace, p.name;
  perform stark_internal.remove_ended_pods();
end;
$function$;
comment on function stark.drain_node(text) is 'Cordons a node and asks its pods to go.';
grant execute on function stark.drain_node(text) to authenticated;
grant execute on function stark.drain_node(text) to service_role;

CREATE OR REPLACE FUNCTION stark.enable_user(p_user_id uuid)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_permission('users:update');
  return stark_internal.set_disabled(p_user_id, null);
end;
$function$;
comment on function stark.enable_user(uuid) is 'Gives a disabled user their rights back.';
grant execute on function stark.enable_user(uuid) to authenticated;
grant execute on function stark.enable_user(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.explain_placement(p_pod jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_wanted stark.pods;
  v_group stark_internal.pod_group;
  v_sees_all boolean;
  v_nodes jsonb;
  v_feasible bigint;
  v_message text;
begin
  if p_pod is null or jsonb_typeof(p_pod) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_pod must be an object', 'give at least {"pack": "name"}');
  end if;
  v_wanted := stark_internal.read_pod(p_pod, v_user);
  v_wanted.id := gen_random_uuid();
  perform stark_internal.lock_cluster();
  perform stark_internal.open_tables();
  perform stark_internal.load_nodes();
  insert into pg_temp.pass_pods
    select v_wanted.id, v_wanted.priority, now(), v_wanted.pack_version_id, v_wanted.namespace, v_wanted.labels,
           stark_internal.placement_template(v_wanted.spec), stark_internal.placement_rules(v_wanted.spec), null, null, true, null,
           (v_wanted.spec #>> '{resources,requests,cpu}')::bigint, (v_wanted.spec #>> '{resources,requests,memory}')::bigint,
           coalesce((v_wanted.spec #>> '{resources,requests,storage}')::bigint, 0);
  perform stark_internal.load_rules();
  select (g.pod_group).* into v_group from stark_internal.pending_groups() g;
  v_sees_all := stark_internal.has_permission('nodes:get');
  select coalesce(jsonb_agg(jsonb_build_object('node', n.name, 'feasible', n.scores is not null, 'reasons', to_jsonb(n.reasons), 'scores', n.scores, 'score', round(n.score::numeric, 2))
             order by n.score desc nulls last, n.node_no) filter (where v_sees_all or n.owner_id = v_user), '[]'),
         count(*) filter (where n.scores is not null)
    into v_nodes, v_feasible
    from stark_internal.explain_nodes(v_group) n;
  if v_feasible = 0 then
    perform stark_internal.keep_reasons(v_group, array[v_wanted.id], array[v_group.cpu], array[v_group.memory], array[v_group.storage]);
    select r.message into v_message from pg_temp.pass_reasons r;
  end if;
  perform stark_internal.open_tables();
  return jsonb_build_object('namespace', v_wanted.namespace, 'policy', (select c.scheduling_policy from stark.cluster_config c), 'feasible', v_feasible, 'message', v_message, 'nodes', v_nodes);
end;
$function$;
comment on function stark.explain_placement(jsonb) is 'What would become of a pod now: every node with the filters it fails or the scores it earns.';
grant execute on function stark.explain_placement(jsonb) to authenticated;
grant execute on function stark.explain_placement(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.finish_pack_version(p_version_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_version stark.pack_versions;
  v_size bigint;
begin
  perform stark_internal.lock_cluster();
  select v.* into v_version from stark.pack_versions v where v.id = p_version_id;
  if not found then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('no version %s', p_version_id), 'stark pack versions');
  end if;
  perform stark_internal.require_permission('packs:update', null,
    exists (select from stark.packs p where p.id = v_version.pack_id and p.owner_id = v_user));
  if v_version.state = 'withdrawn' then
    perform stark_internal.fail('VERSION_NOT_READY', format('%s@%s was withdrawn', v_version.pack_name, v_version.version), 'register a new version');
  end if;
  if v_version.state = 'uploading' then
    select (o.metadata ->> 'size')::bigint into v_size
      from storage.objects o where o.bucket_id = v_version.bucket and o.name = v_version.path;
    if not found then
      perform stark_internal.fail('BUNDLE_MISSING', format('the bundle of %s@%s was not uploaded', v_version.pack_name, v_version.version),
        format('upload it to %s/%s', v_version.bucket, v_version.path));
    end if;
    if v_size is distinct from v_version.size_bytes then
      perform stark_internal.fail('BUNDLE_SIZE_MISMATCH', format('the bundle of %s@%s has %s bytes in Storage, %s were announced',
        v_version.pack_name, v_version.version, coalesce(v_size::text, 'no known number of'), v_version.size_bytes), 'stark pack register');
    end if;
    update stark.pack_versions v set state = 'ready', ready_at = now() where v.id = p_version_id returning * into v_version;
    update stark.packs p set latest_version = stark_internal.latest_version(p.id), updated_at = now() where p.id = v_version.pack_id;
  end if;
  return to_jsonb(v_version);
end;
$function$;
comment on function stark.finish_pack_version(uuid) is 'Makes an uploaded version ready, after comparing its size with Storage.';
grant execute on function stark.finish_pack_version(uuid) to authenticated;
grant execute on function stark.finish_pack_version(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.follow_logs(p_pod_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_seconds constant integer := 45;
  v_pod stark.pods;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_pods(array[p_pod_id], 'logs:get');
  select * into v_pod from stark.pods p where p.id = p_pod_id;
  if v_pod.node_id is not null and stark_internal.occupies(v_pod.status) then
    perform stark_internal.send_messages('logs.follow', array['stark:node:' || v_pod.node_id],
      array[jsonb_build_object('pod_id', p_pod_id, 'seconds', v_seconds)]);
  end if;
  return jsonb_build_object('topic', 'stark:pod:' || p_pod_id, 'seconds', v_seconds, 'status', v_pod.status);
end;
$function$;
comment on function stark.follow_logs(uuid) is 'Asks the pod''s agent to send its log lines live for a while.';
grant execute on function stark.follow_logs(uuid) to authenticated;
grant execute on function stark.follow_logs(uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.grant_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS stark.role_bindings
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_binding stark.role_bindings;
begin
  perform stark_internal.require_permission('roles:create', p_namespace);
  perform stark_internal.lock_cluster();
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'stark auth list-users');
  end if;
  perform stark_internal.require_grantable(p_role, p_namespace);
  insert into stark.role_bindings (user_id, role, namespace, created_by)
    values (p_user_id, p_role, p_namespace, (select auth.uid()))
    on conflict on constraint binding_is_unique do nothing;
  select * into v_binding from stark.role_bindings b
    where b.user_id = p_user_id and b.role = p_role and b.namespace is not distinct from p_namespace;
  return v_binding;
end;
$function$;
comment on function stark.grant_role(uuid,text,text) is 'Gives a user a role, in the whole cluster or in one namespace.';
grant execute on function stark.grant_role(uuid,text,text) to authenticated;
grant execute on function stark.grant_role(uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.join_node(p_secret_sha256 text, p_user_id uuid, p_name text, p_runtime text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_token stark.join_tokens;
  v_owner uuid;
  v_taints jsonb;
  v_id uuid;
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'joining is for Edge Function api, which holds the secret key', 'stark node agent start');
  end if;
  perform stark_internal.lock_cluster();
  v_token := stark_internal.require_join(p_secret_sha256, p_name, p_runtime);
  v_owner := coalesce(v_token.owner_id, p_user_id);
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', coalesce(p_user_id::text, 'null')), 'make the user in Supabase Auth first');
  end if;
  insert into stark.role_bindings (user_id, role, created_by) values (p_user_id, 'node', v_token.owner_id);
  update stark.join_tokens t set uses = t.uses + 1, used_at = now() where t.id = v_token.id;
  -- As if the owner had set them by update_node: they outlive whatever the agent says of itself.
  select coalesce(jsonb_object_agg((t ->> 'key') || ':' || (t ->> 'effect'), t), '{}') into v_taints
    from jsonb_array_elements(coalesce(v_token.taints, '[]')) t;
  insert into stark.nodes (name, owner_id, agent_id, runtime, labels, taints, allocatable, overrides)
    values (p_name, v_owner, p_user_id, p_runtime, coalesce(v_token.labels, '{}'), coalesce(v_token.taints, '[]'),
      '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}',
      jsonb_build_object('labels', coalesce(v_token.labels, '{}'), 'taints', v_taints, 'allocatable', '{}'::jsonb, 'capabilities', '{}'::jsonb))
    returning id into v_id;
  return jsonb_build_object('node_id', v_id, 'name', p_name);
end;
$function$;
comment on function stark.join_node(text,uuid,text,text) is 'Makes a node for a machine that joins, and lets its account speak for it.';
grant execute on function stark.join_node(text,uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.list_users()
 RETURNS TABLE(id uuid, email text, display_name text, disabled_at timestamp with time zone, created_at timestamp with time zone, last_sign_in_at timestamp with time zone, roles jsonb)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark.list_users() is 'Every user with their roles, whether disabled, and when they last signed in.';
grant execute on function stark.list_users() to authenticated;
grant execute on function stark.list_users() to service_role;

CREATE OR REPLACE FUNCTION stark.needs_setup()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
  -- Definer: nobody is signed in yet. It tells one bit that the first visitor needs.
  select not exists (select from stark.role_bindings b where b.role = 'admin' and b.namespace is null);
$function$;
comment on function stark.needs_setup() is 'True until the first admin is set up.';
grant execute on function stark.needs_setup() to anon;
grant execute on function stark.needs_setup() to authenticated;
grant execute on function stark.needs_setup() to service_role;

CREATE OR REPLACE FUNCTION stark.node_sync(p_node_id uuid, p_incarnation bigint DEFAULT NULL::bigint)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
  v_secret text;
  v_terms record;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_agent(p_node_id, p_incarnation);
  if p_incarnation is null then
    v_secret := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    v_node.incarnation := v_node.incarnation + 1;
    insert into stark_internal.node_secrets as s (node_id, incarnation, secret_sha256)
      values (p_node_id, v_node.incarnation, encode(sha256(convert_to(v_secret, 'UTF8')), 'hex'))
      on conflict (node_id) do update set incarnation = excluded.incarnation, secret_sha256 = excluded.secret_sha256;
    -- Its pods first, so that a pass started by the node's own update finds them in their places.
    update stark.pods p set incarnation = v_node.incarnation where p.node_id = p_node_id and stark_internal.occupies(p.status);
  end if;
  select * into v_terms from stark_internal.heartbeat_terms();
  insert into stark.node_leases as l (node_id, incarnation, renewed_at, liveness, heartbeat_timeout)
    values (p_node_id, v_node.incarnation, now(), v_terms.liveness, v_terms.timeout_seconds)
    on conflict (node_id) do update set incarnation = excluded.incarnation, renewed_at = excluded.renewed_at,
      liveness = excluded.liveness, heartbeat_timeout = excluded.heartbeat_timeout;
  update stark.nodes n
    set incarnation = v_node.incarnation,
        status = 'healthy',
        status_reason = null,
        connected_at = case when p_incarnation is null then now() else n.connected_at end,
        updated_at = now()
    where n.id = p_node_id and (p_incarnation is null or n.status <> 'healthy');
  perform stark_internal.wake_watcher();
  return jsonb_strip_nulls(jsonb_build_object('secret', v_secret)) || jsonb_build_object(
    'node_id', p_node_id,
    'incarnation', v_node.incarnation,
    'topic', 'stark:node:' || p_node_id,
    'now', clock_timestamp(),
    'heartbeat', jsonb_build_object('interval', v_terms.interval_seconds, 'timeout', v_terms.timeout_seconds),
    'pods', coalesce((
      select jsonb_agg(w.item order by w.priority desc, w.created_at, w.pod_id)
      from stark_internal.wanted_pods w
      where w.node_id = p_node_id and stark_internal.occupies(w.status)), '[]'));
end;
$function$;
comment on function stark.node_sync(uuid,bigint) is 'Connects an agent, or tells it again what it should run.';
grant execute on function stark.node_sync(uuid,bigint) to authenticated;
grant execute on function stark.node_sync(uuid,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.register_node(p_name text, p_runtime text, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_allocatable jsonb DEFAULT '{}'::jsonb, p_capabilities jsonb DEFAULT '{}'::jsonb, p_installation uuid DEFAULT NULL::uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_problem record;
  v_allocatable jsonb;
  v_node stark.nodes;
  v_labels jsonb := p_labels;
  v_taints jsonb := p_taints;
  v_capabilities jsonb := p_capabilities;
begin
  perform stark_internal.require_permission('nodes:create', null, true);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a node needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if not stark_internal.is_dns_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a node', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits, - and .');
  end if;
  if p_runtime is null or p_runtime not in ('node', 'browser') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime of a node', coalesce(to_json(left(p_runtime, 80))::text, 'null')), 'use node or browser');
  end if;
  select * into v_problem from stark_internal.node_problem(p_labels, p_taints, p_allocatable, p_capabilities);
  if found then
    perform stark_internal.fail(v_problem.code, format('node %s: %s', p_name, v_problem.problem), v_problem.hint);
  end if;
  v_allocatable := jsonb_build_object('cpu', 1000, 'memory', 1024, 'storage', 10240,
    'pods', (select c.max_pods_per_node from stark.cluster_config c)) || p_allocatable;

  perform stark_internal.lock_cluster();
  select * into v_node from stark.nodes n where n.agent_id = v_user;
  if found then
    perform stark_internal.check_joined(v_node, p_name, p_labels);
  else
    select * into v_node from stark.nodes n where n.name = p_name;
  end if;
  if v_node.id is null then
    insert into stark.nodes (name, owner_id, installation, runtime, labels, taints, allocatable, capabilities)
      values (p_name, v_user, p_installation, p_runtime, p_labels, p_taints, v_allocatable, p_capabilities)
      returning * into v_node;
  elsif coalesce(v_node.agent_id, v_node.owner_id) <> v_user then
    perform stark_internal.fail('NODE_NAME_TAKEN',
      case when v_node.owner_id = v_user then format('node %s joined by a token and has an agent of its own', p_name)
           else format('a node named %s belongs to somebody else', p_name) end,
      case when v_node.owner_id = v_user then format('use another --name, or stark node delete %s', p_name) else 'use another --name' end);
  elsif v_node.status in ('healthy', 'unhealthy') and v_node.installation <> p_installation then
    perform stark_internal.fail('NODE_CONNECTED', format('another agent is connected as node %s', p_name),
      format('use another --name, or stop that agent first; if it is no more: stark node delete %s', p_name));
  elsif v_node.runtime <> p_runtime then
    perform stark_internal.fail('RUNTIME_MISMATCH', format('node %s is a %s node, not %s', p_name, v_node.runtime, p_runtime), 'use another --name');
  else
    v_labels := stark_internal.merge_patch(p_labels, v_node.overrides -> 'labels');
    v_taints := stark_internal.patch_taints(p_taints, v_node.overrides -> 'taints');
    v_allocatable := stark_internal.merge_patch(v_allocatable, v_node.overrides -> 'allocatable');
    v_capabilities := stark_internal.merge_patch(p_capabilities, v_node.overrides -> 'capabilities');
    update stark.nodes n
      set labels = v_labels, taints = v_taints, allocatable = v_allocatable, capabilities = v_capabilities,
          installation = coalesce(p_installation, n.installation), updated_at = now()
      where n.id = v_node.id
        and (n.labels, n.taints, n.allocatable, n.capabilities, n.installation)
            is distinct from (v_labels, v_taints, v_allocatable, v_capabilities, coalesce(p_installation, n.installation));
  end if;
  return jsonb_build_object('node_id', v_node.id, 'name', v_node.name);
end;
$function$;
comment on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid) is 'Makes a node, or updates the caller''s own of that name.';
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid) to authenticated;
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb,uuid) to service_role;

CREATE OR REPLACE FUNCTION stark.register_pack_version(p_name text, p_version text, p_runtime text, p_entry text DEFAULT 'default'::text, p_visibility text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_size_bytes bigint DEFAULT NULL::bigint, p_sha256 text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_runtime text := case p_runtime when 'universal' then 'isomorphic' else p_runtime end;
  v_pack stark.packs;
  v_version stark.pack_versions;
begin
  perform stark_internal.require_permission('packs:create', null, true);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a pack needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if not stark_internal.is_pack_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a pack', coalesce(to_json(left(p_name, 80))::text, 'null')),
      'use lower case letters, digits, ., _ and -, as npm does');
  end if;
  if not stark_internal.is_semver(p_version) then
    perform stark_internal.fail('INVALID_VERSION', format('%s is no version', coalesce(to_json(left(p_version, 80))::text, 'null')), 'use a version such as 1.0.0');
  end if;
  if v_runtime is null or v_runtime not in ('node', 'browser', 'isomorphic') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime', coalesce(to_json(left(v_runtime, 80))::text, 'null')), 'use --runtime node, browser or isomorphic');
  end if;
  if p_entry is null or p_entry !~ '^[A-Za-z_$][A-Za-z0-9_$]{0,127}$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'entry must be the name of an export', 'leave it out for the default export');
  end if;
  if p_visibility not in ('private', 'public') then
    perform stark_internal.fail('INVALID_ARGUMENT', format('visibility %s is not private or public', to_json(left(p_visibility, 80))), 'use --visibility private or public');
  end if;
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('the description has %s characters, more than 2000', length(p_description)), 'use a shorter --description');
  end if;
  if p_size_bytes is null or p_size_bytes < 1 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'size_bytes must be the size of the bundle, at least 1', 'stark pack register');
  end if;
  if p_size_bytes > 52428800 then
    perform stark_internal.fail('BUNDLE_TOO_LARGE', format('the bundle has %s bytes, more than 52428800', p_size_bytes), 'leave large assets out of the bundle');
  end if;
  if p_sha256 is null or lower(p_sha256) !~ '^[0-9a-f]{64}$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'sha256 must be the SHA-256 of the bundle in 64 hex digits', 'stark pack register');
  end if;

  perform stark_internal.lock_cluster();
  select * into v_pack from stark.packs p where p.name = p_name;
  if not found then
    insert into stark.packs (name, owner_id, visibility, description)
      values (p_name, v_user, coalesce(p_visibility, 'private'), p_description)
      returning * into v_pack;
  elsif not stark_internal.has_permission('packs:update', null, v_pack.owner_id = v_user) then
    perform stark_internal.fail('FORBIDDEN', format('pack %s belongs to somebody else', p_name), 'register it under another name');
  else
    update stark.packs p set
        visibility = coalesce(p_visibility, p.visibility),
        description = coalesce(p_description, p.description),
        updated_at = now()
      where p.id = v_pack.id
        and (coalesce(p_visibility, p.visibility), coalesce(p_description, p.description)) is distinct from (p.visibility, p.description);
  end if;

  select * into v_version from stark.pack_versions v where v.pack_id = v_pack.id and v.version = p_version;
  if found and v_version.state <> 'uploading' then
    perform stark_internal.fail('VERSION_EXISTS', format('%s@%s is registered already and cannot change', p_name, p_version), 'register a new version');
  elsif found then
    update stark.pack_versions v
      set size_bytes = p_size_bytes, sha256 = lower(p_sha256), runtime = v_runtime, entry = p_entry,
          path = v_pack.id || '/' || v.id || '/' || lower(p_sha256) || '.js'
      where v.id = v_version.id returning * into v_version;
  else
    v_version.id := gen_random_uuid();
    insert into stark.pack_versions (id, pack_id, pack_name, version, runtime, entry, size_bytes, sha256, path, created_by)
      values (v_version.id, v_pack.id, p_name, p_version, v_runtime, p_entry, p_size_bytes, lower(p_sha256),
              v_pack.id || '/' || v_version.id || '/' || lower(p_sha256) || '.js', v_user)
      returning * into v_version;
  end if;
  return jsonb_build_object('pack_id', v_pack.id, 'version_id', v_version.id, 'bucket', v_version.bucket, 'path', v_version.path);
end;
$function$;
comment on function stark.register_pack_version(text,text,text,text,text,text,bigint,text) is 'Announces a bundle; upload it to the returned path, then call finish_pack_version.';
grant execute on function stark.register_pack_version(text,text,text,text,text,text,bigint,text) to authenticated;
grant execute on function stark.register_pack_version(text,text,text,text,text,text,bigint,text) to service_role;

CREATE OR REPLACE FUNCTION stark.report_pods(p_node_id uuid, p_incarnation bigint, p_reports jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_user();
  if p_incarnation is null or p_reports is null or jsonb_typeof(p_reports) <> 'array' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'report_pods needs p_incarnation and a list p_reports', 'take the incarnation from node_sync');
  end if;
  if jsonb_array_length(p_reports) > 1000 then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s reports in one call, at most 1000', jsonb_array_length(p_reports)), 'use several calls');
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  return stark_internal.apply_reports(p_node_id, p_reports);
end;
$function$;
comment on function stark.report_pods(uuid,bigint,jsonb) is 'An agent says how its pods are.';
grant execute on function stark.report_pods(uuid,bigint,jsonb) to authenticated;
grant execute on function stark.report_pods(uuid,bigint,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.revoke_join_token(p_id text)
 RETURNS stark.join_tokens
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_token stark.join_tokens;
begin
  update stark.join_tokens t set revoked_at = coalesce(t.revoked_at, now())
    where t.id = p_id and stark_internal.has_permission('nodes:delete', null, t.owner_id is not distinct from v_user)
    returning * into v_token;
  if not found then
    perform stark_internal.fail('JOIN_TOKEN_NOT_FOUND', format('no join token %s', coalesce(to_json(left(p_id, 80))::text, 'null')), 'stark node token list');
  end if;
  return v_token;
end;
$function$;
comment on function stark.revoke_join_token(text) is 'Takes a join token back.';
grant execute on function stark.revoke_join_token(text) to authenticated;
grant execute on function stark.revoke_join_token(text) to service_role;

CREATE OR REPLACE FUNCTION stark.revoke_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_permission('roles:delete', p_namespace);
  perform stark_internal.lock_cluster();
  delete from stark.role_bindings b
    where b.user_id = p_user_id and b.role = p_role and b.namespace is not distinct from p_namespace;
  return found;
end;
$function$;
comment on function stark.revoke_role(uuid,text,text) is 'Takes a role away from a user.';
grant execute on function stark.revoke_role(uuid,text,text) to authenticated;
grant execute on function stark.revoke_role(uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.roll_back_pod(p_id uuid, p_version text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_pod stark.pods;
  v_version text := p_version;
  v_new uuid;
begin
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(array[p_id], 'pods:update', p_if_version);
  select * into v_pod from stark.pods p where p.id = p_id;
  -- Or two who go back at once would leave two new pods.
  if v_pod.status = 'stopping' then
    perform stark_internal.fail('CONFLICT', format('pod %s is being stopped already', v_pod.name), 'wait for its end, or create a pod of that version');
  end if;
  if v_version is null then
    select v.version into v_version from stark.pack_versions v
      where v.pack_id = v_pod.pack_id and v.state = 'ready' and v.version_key < stark_internal.semver_key(v_pod.version) collate "C"
      order by v.version_key desc limit 1;
    if not found then
      perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no ready version before %s', v_pod.pack_name, v_pod.version), 'stark pack versions ' || v_pod.pack_name);
    end if;
  elsif stark_internal.is_semver(v_version) and stark_internal.semver_key(v_version) collate "C" >= stark_internal.semver_key(v_pod.version) collate "C" then
    perform stark_internal.fail('INVALID_ARGUMENT', format('version %s is not earlier than %s', v_version, v_pod.version), 'stark pack versions ' || v_pod.pack_name);
  end if;
  -- Stopped first, so that a pending one leaves its place in the quota.
  perform stark_internal.begin_stop(array[p_id]);
  v_new := (stark_internal.create_pod_group(jsonb_strip_nulls(jsonb_build_object(
    'pack', v_pod.pack_name, 'version', v_version, 'namespace', v_pod.namespace, 'labels', v_pod.labels,
    'priority', case when not v_pod.spec ? 'priorityClassName' then v_pod.priority end)) || jsonb_build_object('spec', v_pod.spec), v_user))[1];
  perform stark_internal.schedule_pods();
  select * into v_pod from stark.pods p where p.id = v_new;
  return v_pod;
end;
$function$;
comment on function stark.roll_back_pod(uuid,text,bigint) is 'Replaces a pod by one of an earlier version of its pack.';
grant execute on function stark.roll_back_pod(uuid,text,bigint) to authenticated;
grant execute on function stark.roll_back_pod(uuid,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.setup_admin(p_user_id uuid, p_display_name text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark.setup_admin(uuid,text) is 'Makes this user the first admin; works once.';
grant execute on function stark.setup_admin(uuid,text) to service_role;

CREATE OR REPLACE FUNCTION stark.stop_pods(p_ids uuid[], p_if_version bigint DEFAULT NULL::bigint)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:update', p_if_version);
  perform stark_internal.begin_stop(p_ids);
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
end;
$function$;
comment on function stark.stop_pods(uuid[],bigint) is 'Stops pods; their rows stay.';
grant execute on function stark.stop_pods(uuid[],bigint) to authenticated;
grant execute on function stark.stop_pods(uuid[],bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.uncordon_node(p_name text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  update stark.nodes n set unschedulable = false, updated_at = now() where n.id = v_node.id and n.unschedulable;
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$function$;
comment on function stark.uncordon_node(text) is 'Lets a node have new pods again.';
grant execute on function stark.uncordon_node(text) to authenticated;
grant execute on function stark.uncordon_node(text) to service_role;

CREATE OR REPLACE FUNCTION stark.update_cluster_config(p_changes jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.cluster_config
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_config stark.cluster_config;
  v_settings jsonb;
  v_key text;
  v_rule text;
begin
  perform stark_internal.require_permission('settings:update');
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
    execute (select format('update stark.cluster_config c set updated_at = now(), %s returning *', string_agg(format('%1$I = ($1).%1$I', k), ', '))
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
    perform stark_internal.ring_nodes(array(select n.id from stark.nodes n where n.status in ('healthy', 'unhealthy')));
  end if;
  return v_config;
end;
$function$;
comment on function stark.update_cluster_config(jsonb,bigint) is 'Changes settings of the cluster.';
grant execute on function stark.update_cluster_config(jsonb,bigint) to authenticated;
grant execute on function stark.update_cluster_config(jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_namespace(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_quota jsonb DEFAULT '{}'::jsonb, p_limit_range jsonb DEFAULT '{}'::jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.namespaces
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_namespace stark.namespaces;
begin
  -- In the whole cluster: a quota holds for who may do everything in its namespace, too.
  perform stark_internal.require_permission('namespaces:update');
  if jsonb_typeof(coalesce(p_labels, '{}')) <> 'object' or jsonb_typeof(coalesce(p_quota, '{}')) <> 'object' or jsonb_typeof(coalesce(p_limit_range, '{}')) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'labels, quota and limit_range are patched by objects', 'give {"key": "value"}, null removes a key');
  end if;
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
  return v_namespace;
end;
$function$;
comment on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) is 'Patches a namespace''s labels, quota and limit range.';
grant execute on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) to authenticated;
grant execute on function stark.update_namespace(text,jsonb,jsonb,jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_node(p_name text, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_allocatable jsonb DEFAULT '{}'::jsonb, p_capabilities jsonb DEFAULT '{}'::jsonb, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
  v_patch jsonb;
  v_problem record;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  perform stark_internal.require_version('node ' || p_name, p_if_version, v_node.resource_version);
  if coalesce(jsonb_typeof(p_labels), '') <> 'object' or coalesce(jsonb_typeof(p_allocatable), '') <> 'object' or coalesce(jsonb_typeof(p_capabilities), '') <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'labels, allocatable and capabilities are patched by objects', 'give {"key": "value"}, null removes a key');
  end if;
  if coalesce(jsonb_typeof(p_taints), '') <> 'array' then
    perform stark_internal.fail('INVALID_TAINTS', 'taints must be a list', 'use --taint key=value:NoSchedule');
  end if;
  -- One that is to be removed is looked at like any other.
  select * into v_problem from stark_internal.node_problem('{}', p_taints, '{}', '{}');
  if found then
    perform stark_internal.fail(v_problem.code, format('node %s: %s', p_name, v_problem.problem), v_problem.hint);
  end if;
  select coalesce(jsonb_object_agg((t ->> 'key') || ':' || (t ->> 'effect'), case when t -> 'remove' = 'true' then 'null'::jsonb else t - 'remove' end), '{}')
    into v_patch from jsonb_array_elements(p_taints) t;
  v_node.overrides := jsonb_build_object(
    'labels', (v_node.overrides -> 'labels') || p_labels,
    'taints', (v_node.overrides -> 'taints') || v_patch,
    'allocatable', (v_node.overrides -> 'allocatable') || p_allocatable,
    'capabilities', (v_node.overrides -> 'capabilities') || p_capabilities);
  v_node.labels := stark_internal.merge_patch(v_node.labels, p_labels);
  v_node.taints := stark_internal.patch_taints(v_node.taints, v_patch);
  -- An amount that is removed is none at all: readers count on every one being there.
  v_node.allocatable := '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}'::jsonb || stark_internal.merge_patch(v_node.allocatable, p_allocatable);
  v_node.capabilities := stark_internal.merge_patch(v_node.capabilities, p_capabilities);
  select * into v_problem from stark_internal.node_problem(v_node.labels, v_node.taints, v_node.allocatable, v_node.capabilities);
  if found then
    perform stark_internal.fail(v_problem.code, format('node %s: %s', p_name, v_problem.problem), v_problem.hint);
  end if;
  if octet_length(v_node.overrides::text) > 65536 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('node %s has more than 64 kB of changes to what its agent says', p_name), 'delete the node and register it again');
  end if;
  update stark.nodes n set
      overrides = v_node.overrides, labels = v_node.labels, taints = v_node.taints,
      allocatable = v_node.allocatable, capabilities = v_node.capabilities, updated_at = now()
    where n.id = v_node.id
      and (n.overrides, n.labels, n.taints, n.allocatable, n.capabilities)
          is distinct from (v_node.overrides, v_node.labels, v_node.taints, v_node.allocatable, v_node.capabilities);
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$function$;
comment on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint) is 'Patches a node''s labels, taints, amounts and capabilities.';
grant execute on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint) to authenticated;
grant execute on function stark.update_node(text,jsonb,jsonb,jsonb,jsonb,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_pack(p_name text, p_visibility text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.packs
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pack stark.packs;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:update');
  if p_visibility not in ('private', 'public') then
    perform stark_internal.fail('INVALID_ARGUMENT', format('visibility %s is not private or public', to_json(left(p_visibility, 80))), 'use --visibility private or public');
  end if;
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('the description has %s characters, more than 2000', length(p_description)), 'use a shorter --description');
  end if;
  perform stark_internal.require_version('pack ' || p_name, p_if_version, v_pack.resource_version);
  update stark.packs p set visibility = coalesce(p_visibility, p.visibility), description = coalesce(p_description, p.description), updated_at = now()
    where p.id = v_pack.id
      and (coalesce(p_visibility, p.visibility), coalesce(p_description, p.description)) is distinct from (p.visibility, p.description);
  select * into v_pack from stark.packs p where p.id = v_pack.id;
  return v_pack;
end;
$function$;
comment on function stark.update_pack(text,text,text,bigint) is 'Changes who may use a pack, and its description.';
grant execute on function stark.update_pack(text,text,text,bigint) to authenticated;
grant execute on function stark.update_pack(text,text,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_priority_class(p_name text, p_global_default boolean DEFAULT NULL::boolean, p_description text DEFAULT NULL::text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_class stark.priority_classes;
begin
  perform stark_internal.require_permission('priorityclasses:update');
  perform stark_internal.lock_cluster();
  v_class := stark_internal.require_priority_class(p_name, p_if_version);
  if (v_class.built_in and p_description is not null) or (v_class.value > 1000 and p_global_default) then
    perform stark_internal.fail('PRIORITY_CLASS_RESERVED', format('priority class %s is built in', p_name), 'stark priorityclass list');
  elsif length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description must be a text of at most 2000 characters', 'use a shorter --description');
  elsif p_name = 'default' and p_global_default = false then
    perform stark_internal.fail('INVALID_ARGUMENT', 'there is always a global default', 'make another class the global default');
  end if;
  if p_global_default is distinct from v_class.global_default and p_global_default is not null then
    update stark.priority_classes c set global_default = false where c.global_default;
    update stark.priority_classes c set global_default = true where c.name = case when p_global_default then p_name else 'default' end;
  end if;
  update stark.priority_classes c set description = p_description where c.name = p_name and c.description <> p_description;
  select * into v_class from stark.priority_classes c where c.name = p_name;
  return v_class;
end;
$function$;
comment on function stark.update_priority_class(text,boolean,text,bigint) is 'Changes which priority class is the default, or what one is for.';
grant execute on function stark.update_priority_class(text,boolean,text,bigint) to authenticated;
grant execute on function stark.update_priority_class(text,boolean,text,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.update_role(p_name text, p_permissions text[] DEFAULT NULL::text[], p_description text DEFAULT NULL::text)
 RETURNS stark.roles
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_role stark.roles;
begin
  perform stark_internal.require_permission('roles:update');
  if length(p_description) > 2000 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'description has more than 2000 characters', 'use a shorter one');
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.require_own_role(p_name);
  update stark.roles r set description = coalesce(p_description, r.description) where r.name = p_name returning * into v_role;
  if p_permissions is not null then
    perform stark_internal.put_permissions(p_name, p_permissions);
  end if;
  return v_role;
end;
$function$;
comment on function stark.update_role(text,text[],text) is 'Changes what a role may do, or its description.';
grant execute on function stark.update_role(text,text[],text) to authenticated;
grant execute on function stark.update_role(text,text[],text) to service_role;

CREATE OR REPLACE FUNCTION stark.watch_nodes(p_sightings jsonb, p_since timestamp with time zone, p_at timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_at timestamptz := least(p_at, now());
begin
  perform stark_internal.require_user();
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'only the secret key may speak for the watcher', 'stark auth whoami');
  end if;
  if p_since is null or p_at is null or coalesce(jsonb_typeof(p_sightings), '') <> 'array' or p_sightings @? '$[*] ? (@.type() != "object")' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'watch_nodes needs a list p_sightings, p_since and p_at', 'deploy Edge Function watch of the same version');
  end if;
  perform stark_internal.lock_cluster();
  update stark_internal.node_watch w set watched =
    (w.watched + tstzmultirange(tstzrange(least(p_since, v_at), v_at, '[]'))) * tstzmultirange(tstzrange(v_at - interval '2 hours', null));
  perform stark_internal.renew_leases(p_sightings, v_at);
  perform stark_internal.reap_nodes();
  return jsonb_build_object('roll_call', exists (
    select from stark.node_leases l join stark.nodes n on n.id = l.node_id where l.liveness = 'thrifty' and n.status in ('healthy', 'unhealthy')));
end;
$function$;
comment on function stark.watch_nodes(jsonb,timestamp with time zone,timestamp with time zone) is 'A watcher tells what it saw of the nodes.';
grant execute on function stark.watch_nodes(jsonb,timestamp with time zone,timestamp with time zone) to service_role;

CREATE OR REPLACE FUNCTION stark.whoami()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark.whoami() is 'The caller and the roles they have.';
grant execute on function stark.whoami() to authenticated;
grant execute on function stark.whoami() to service_role;

CREATE OR REPLACE FUNCTION stark.withdraw_pack_version(p_name text, p_version text)
 RETURNS stark.pack_versions
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pack stark.packs;
  v_version stark.pack_versions;
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:update');
  update stark.pack_versions v set state = 'withdrawn', ready_at = coalesce(v.ready_at, now())
    where v.pack_id = v_pack.id and v.version = p_version and v.state <> 'withdrawn';
  select * into v_version from stark.pack_versions v where v.pack_id = v_pack.id and v.version = p_version;
  if not found then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no version %s', p_name, coalesce(to_json(left(p_version, 80))::text, 'null')), 'stark pack versions ' || p_name);
  end if;
  update stark.packs p set latest_version = stark_internal.latest_version(p.id), updated_at = now()
    where p.id = v_pack.id and p.latest_version is distinct from stark_internal.latest_version(p.id);
  return v_version;
end;
$function$;
comment on function stark.withdraw_pack_version(text,text) is 'Keeps new pods off a version.';
grant execute on function stark.withdraw_pack_version(text,text) to authenticated;
grant execute on function stark.withdraw_pack_version(text,text) to service_role;

CREATE OR REPLACE FUNCTION stark_internal.account_resources()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_changes stark_internal.allocation_change[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select array_agg(c::stark_internal.allocation_change) into v_changes from (
      select r.node_id, sum(r.cpu_request), sum(r.memory_request), sum(r.storage_request), count(*)
      from new_rows r where r.node_id is not null and stark_internal.occupies(r.status) group by r.node_id) c;
  elsif tg_op = 'DELETE' then
    select array_agg(c::stark_internal.allocation_change) into v_changes from (
      select r.node_id, -sum(r.cpu_request), -sum(r.memory_request), -sum(r.storage_request), -count(*)
      from old_rows r where r.node_id is not null and stark_internal.occupies(r.status) group by r.node_id) c;
  else
    select array_agg(c::stark_internal.allocation_change) into v_changes from (
      select d.node_id, sum(d.cpu), sum(d.memory), sum(d.storage), sum(d.pods)
      from (
        select r.node_id, r.cpu_request as cpu, r.memory_request as memory, r.storage_request as storage, 1 as pods
        from new_rows r where r.node_id is not null and stark_internal.occupies(r.status)
        union all
        select r.node_id, -r.cpu_request, -r.memory_request, -r.storage_request, -1
        from old_rows r where r.node_id is not null and stark_internal.occupies(r.status)
      ) d
      group by d.node_id
      having sum(d.cpu) <> 0 or sum(d.memory) <> 0 or sum(d.storage) <> 0 or sum(d.pods) <> 0) c;
  end if;
  if v_changes is not null then
    update stark.nodes n set allocated = jsonb_build_object(
        'cpu', (n.allocated ->> 'cpu')::bigint + c.cpu,
        'memory', (n.allocated ->> 'memory')::bigint + c.memory,
        'storage', (n.allocated ->> 'storage')::bigint + c.storage,
        'pods', (n.allocated ->> 'pods')::bigint + c.pods)
      from unnest(v_changes) as c
      where n.id = c.node_id;
  end if;
  return null;
end;
$function$;
comment on function stark_internal.account_resources() is 'Keeps nodes.allocated equal to what the placed pods have asked for.';

CREATE OR REPLACE FUNCTION stark_internal.admit(p_role text DEFAULT NULL::text, p_namespace text DEFAULT NULL::text, p_display_name text DEFAULT NULL::text)
 RETURNS uuid
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  delete from stark_internal.admitted_users a where a.created_at < now() - interval '1 hour';
  insert into stark_internal.admitted_users (role, namespace, display_name, admitted_by)
    values (p_role, p_namespace, p_display_name, (select auth.uid())) returning id;
$function$;
comment on function stark_internal.admit(text,text,text) is 'Announces a user whom Supabase Auth is about to make.';

CREATE OR REPLACE FUNCTION stark_internal.affinity_problem(p_affinity jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_required constant text := 'requiredDuringSchedulingIgnoredDuringExecution';
  v_preferred constant text := 'preferredDuringSchedulingIgnoredDuringExecution';
  v_terms jsonb := p_affinity #> array['nodeAffinity', v_required, 'nodeSelectorTerms'];
  v_part text;
  v_what text;
  v_problem text;
begin
  if jsonb_typeof(p_affinity) <> 'object' then
    return 'spec.affinity must be an object';
  elsif stark_internal.unknown_field(p_affinity, array['nodeAffinity', 'podAffinity', 'podAntiAffinity']) is not null then
    return format('spec.affinity has no field %s', stark_internal.unknown_field(p_affinity, array['nodeAffinity', 'podAffinity', 'podAntiAffinity']));
  end if;
  foreach v_part in array array['nodeAffinity', 'podAffinity', 'podAntiAffinity'] loop
    v_what := 'spec.affinity.' || v_part;
    continue when not p_affinity ? v_part;
    if jsonb_typeof(p_affinity -> v_part) <> 'object' then
      return format('%s must be an object', v_what);
    elsif stark_internal.unknown_field(p_affinity -> v_part, array[v_required, v_preferred]) is not null then
      return format('%s has no field %s', v_what, stark_internal.unknown_field(p_affinity -> v_part, array[v_required, v_preferred]));
    end if;
    if p_affinity -> v_part ? v_preferred then
      v_problem := stark_internal.weighted_problem(p_affinity #> array[v_part, v_preferred], case v_part when 'nodeAffinity' then 'preference' else 'podAffinityTerm' end, v_what || '.' || v_preferred);
      if v_problem is not null then
        return v_problem;
      end if;
    end if;
    continue when v_part = 'nodeAffinity' or not p_affinity -> v_part ? v_required;
    if jsonb_typeof(p_affinity #> array[v_part, v_required]) <> 'array' or jsonb_array_length(p_affinity #> array[v_part, v_required]) > 64 then
      return format('%s.%s must be a list of at most 64', v_what, v_required);
    end if;
    select stark_internal.pod_term_problem(t, v_what || '.' || v_required) as problem into v_problem
      from jsonb_array_elements(p_affinity #> array[v_part, v_required]) t order by problem limit 1;
    if v_problem is not null then
      return v_problem;
    end if;
  end loop;
  if p_affinity -> 'nodeAffinity' ? v_required then
    v_what := format('spec.affinity.nodeAffinity.%s.nodeSelectorTerms', v_required);
    if jsonb_typeof(v_terms) is distinct from 'array' or jsonb_array_length(v_terms) > 64 then
      return format('%s must be a list of at most 64', v_what);
    end if;
    select stark_internal.node_term_problem(t, v_what) as problem into v_problem from jsonb_array_elements(v_terms) t order by problem limit 1;
  end if;
  return v_problem;
end;
$function$;
comment on function stark_internal.affinity_problem(jsonb) is 'What is wrong with this affinity; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.append_events(p_kind text, p_type text, p_id_column text, p_objects jsonb[], p_details jsonb[] DEFAULT NULL::jsonb[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_events stark.events[];
  v_after bigint;
  v_origin text := coalesce(nullif(pg_catalog.current_setting('stark.origin', true), ''),
    case when stark_internal.caller_role() in ('anon', 'authenticated', 'service_role') then 'api' else 'system' end);
  v_correlation_id text := left(stark_internal.request_header('x-correlation-id'), 128);
begin
  if p_objects is null then
    return;
  end if;
  update stark_internal.event_heads h set seq = h.seq + cardinality(p_objects) where h.topic = '*'
    returning h.seq - cardinality(p_objects) into v_after;
  with written as (
    insert into stark.events (seq, type, origin, namespace, kind, object_id, actor, correlation_id, object, details)
      select v_after + o.ord,
             p_kind || '.' || p_type,
             v_origin,
             case when p_kind = 'namespace' then o.object ->> 'name' else o.object ->> 'namespace' end,
             p_kind,
             o.object ->> p_id_column,
             (select auth.uid()),
             v_correlation_id,
             o.object,
             o.details
      from unnest(p_objects, p_details) with ordinality as o (object, details, ord)
      returning *)
  select array_agg(w::stark.events order by w.seq) into v_events from written w;
  -- What happens to users and roles is read by who may read users, and the topics have other listeners.
  if p_kind not in ('user', 'role', 'role_permission', 'role_binding') then
    perform stark_internal.broadcast_events(v_events);
  end if;
end;
$function$;
comment on function stark_internal.append_events(text,text,text,jsonb[],jsonb[]) is 'Writes and broadcasts one event for each object.';

CREATE OR REPLACE FUNCTION stark_internal.apply_reports(p_node_id uuid, p_reports jsonb, p_now timestamp with time zone DEFAULT now())
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_results jsonb;
  v_round jsonb;
  v_nth bigint;
begin
  select coalesce(jsonb_agg(jsonb_build_object('ord', e.ord, 'pod_id', left(e.report ->> 'pod_id', 64), 'accepted', false, 'code', 'INVALID_ARGUMENT',
           'message', stark_internal.report_problem(e.report))), '[]') into v_results
    from jsonb_array_elements(p_reports) with ordinality as e (report, ord)
    where stark_internal.report_problem(e.report) is not null;
  for v_nth in 1 .. coalesce((select max(r.nth) from stark_internal.read_reports(p_reports) r), 0) loop
    with judged as materialized (
      select r.*, p.status as from_status, p.name, coalesce(p.status = r.status, false) as repeated,
        -- Why a pod waits or stops stays until the next status; what is wrong with a running one may be over.
        coalesce(p.status = r.status, false) and r.status <> 'running' as keeps_why,
        -- Why the cluster had it stopped says more than that it stopped.
        coalesce(p.status = 'stopping' and r.status = 'stopped' and p.status_reason <> 'StopRequested', false) as sent_away,
        case
          when p.id is null then 'POD_NOT_FOUND'
          when p.node_id is distinct from p_node_id then 'POD_NOT_ON_NODE'
          when p.status <> r.status and not exists (
            select from stark.pod_status_steps s where s.from_status = p.status and s.to_status = r.status and s.taken_by = 'node'
          ) then 'STATUS_STEP_REFUSED'
        end as code
      from stark_internal.read_reports(p_reports) r
      left join stark.pods p on p.id = r.pod_id
      where r.nth = v_nth
    ), changed as (
      update stark.pods p set
          status = j.status,
          status_reason = case when j.sent_away then p.status_reason when j.keeps_why then coalesce(j.reason, p.status_reason) else j.reason end,
          status_message = case when j.sent_away then p.status_message when j.keeps_why then coalesce(j.message, p.status_message) else j.message end,
          exit_code = coalesce(j.exit_code, p.exit_code),
          restarts = coalesce(j.restarts, p.restarts),
          ready = case when j.status in ('running', 'stopping') then coalesce(j.ready, j.repeated and p.ready) else false end,
          ports = coalesce(j.ports, p.ports),
          started_at = case when j.status = 'running' then coalesce(p.started_at, least(j.observed_at, p_now), p_now) else p.started_at end,
          finished_at = case when j.status in ('stopped', 'succeeded', 'failed') then coalesce(least(j.observed_at, p_now), p_now) end
        from judged j
        where p.id = j.pod_id and j.code is null
          and not (j.repeated and (
            p.finished_at is not null
            or (coalesce(j.reason, case when j.keeps_why then p.status_reason end), coalesce(j.message, case when j.keeps_why then p.status_message end), coalesce(j.exit_code, p.exit_code),
                coalesce(j.restarts, p.restarts), coalesce(j.ready, p.ready), coalesce(j.ports, p.ports))
               is not distinct from (p.status_reason, p.status_message, p.exit_code, p.restarts, p.ready, p.ports)))
        returning p.id
    )
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'ord', j.ord, 'pod_id', j.pod_id, 'accepted', j.code is null, 'code', j.code,
        'message', case j.code
          when 'POD_NOT_FOUND' then format('no pod %s', j.pod_id)
          when 'POD_NOT_ON_NODE' then format('pod %s is not placed on this node', j.name)
          when 'STATUS_STEP_REFUSED' then format('pod %s may not go from %s to %s', j.name, j.from_status, j.status)
        end))) into v_round
      from judged j;
    v_results := v_results || v_round;
  end loop;
  perform stark_internal.remove_ended_pods();
  return (select coalesce(jsonb_agg(r - 'ord' order by (r ->> 'ord')::bigint), '[]') from jsonb_array_elements(v_results) r);
end;
$function$;
comment on function stark_internal.apply_reports(uuid,jsonb,timestamp with time zone) is 'Applies an agent''s reports, each judged by itself.';

CREATE OR REPLACE FUNCTION stark_internal.begin_stop(p_ids uuid[], p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  update stark.pods p set
      status = case when p.status = 'pending' then 'stopped' else 'stopping' end,
      status_reason = 'StopRequested',
      status_message = null,
      ready = false,
      stop_requested_at = p_now,
      finished_at = case when p.status = 'pending' then p_now end
    where p.id = any (p_ids) and (p.status = 'pending' or (stark_internal.occupies(p.status) and p.status <> 'stopping'));
$function$;
comment on function stark_internal.begin_stop(uuid[],timestamp with time zone) is 'Asks pods to stop; pending ones have stopped at once.';

CREATE OR REPLACE FUNCTION stark_internal.bind(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_placed integer;
begin
  update stark.pods p set
      status = 'scheduled',
      node_id = n.node_id,
      node_name = n.name,
      incarnation = n.incarnation,
      nominated_node_id = null,
      scheduled_at = p_now,
      status_reason = null,
      status_message = null
    from pg_temp.pass_bindings b join pg_temp.pass_nodes n using (node_no)
    where p.id = b.pod_id and p.status = 'pending';
  get diagnostics v_placed = row_count;
  -- Before the reasons, so that what they say of the places that are kept is true when it is read.
  if exists (select from pg_temp.pass_nominations) then
    update stark.pods p set
        status = 'stopping',
        status_reason = 'Preempted',
        status_message = format('makes room for pod %s/%s of priority %s', w.namespace, w.name, w.priority),
        ready = false,
        stop_requested_at = p_now
      from pg_temp.pass_nominations m
      cross join unnest(m.victims) v
      join stark.pods w on w.id = m.pod_id
      where p.id = v and p.node_id is not null and p.finished_at is null and p.status <> 'stopping';
  end if;
  if not exists (select from pg_temp.pass_reasons) and not exists (select from pg_temp.pass_nominations) then
    return v_placed;
  end if;
  update stark.pods p set nominated_node_id = w.node_id, status_reason = w.reason, status_message = w.message
    from (
      select t.pod_id, n.node_id,
             case when m.pod_id is null then 'Unschedulable' else 'Nominated' end as reason,
             case when m.pod_id is null then r.message else 'waits for room on node ' || n.name end as message
      from pg_temp.pass_pods t
      left join pg_temp.pass_reasons r using (pod_id)
      left join pg_temp.pass_nominations m using (pod_id)
      left join pg_temp.pass_nodes n using (node_no)
      where m.pod_id is not null or r.pod_id is not null) w
    where p.id = w.pod_id and p.status = 'pending'
      and (p.nominated_node_id, p.status_reason, p.status_message) is distinct from (w.node_id, w.reason, w.message);
  return v_placed;
end;
$function$;
comment on function stark_internal.bind(timestamp with time zone) is 'Writes what a schedule pass has worked out.';

CREATE OR REPLACE FUNCTION stark_internal.blocking_rules(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, rule integer, must_leave bigint, pods uuid[])
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
begin
  if p_group.rules_no is null and p_group.matches is null then
    return;
  end if;
  return query
    with keepers as (
      -- In a domain from which a pod is kept, all who keep it from there must leave.
      select 'avoided' as kind, r.selector_no, r.topology_key, c.node_no, c.pods
      from pg_temp.pass_rules r join pg_temp.pass_counts c using (selector_no)
      where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
      union all
      select 'avoids', b.selector_no, b.topology_key, b.node_no, b.pods from pg_temp.pass_bans b where b.selector_no = any (p_group.matches)
    ), kept as materialized (
      select k.kind, k.selector_no, k.topology_key, d.domain, sum(k.pods)::bigint as pods
      from keepers k join pg_temp.pass_domains d using (topology_key, node_no)
      group by 1, 2, 3, 4
    ), spread as materialized (
      select r.selector_no, r.topology_key, d.domain, d.pods + (r.selector_no = any (coalesce(p_group.matches, '{}')))::integer - d.fewest - r.max_skew as excess
      from pg_temp.pass_rules r left join stark_internal.spread_domains(p_group, 'spread') d on d.selector_no = r.selector_no and d.topology_key = r.topology_key
      where r.rules_no = p_group.rules_no and r.kind = 'spread'
    ), blocks as materialized (
      select n.node_no, n.node_id, k.kind, k.selector_no, k.topology_key, k.pods as must_leave
      from kept k join pg_temp.pass_domains d using (topology_key, domain) join pg_temp.pass_nodes n using (node_no)
      union all
      select n.node_no, n.node_id, 'spread', t.selector_no, t.topology_key, s.excess
      from (select distinct s.selector_no, s.topology_key from spread s) t
      cross join pg_temp.pass_nodes n
      left join pg_temp.pass_domains d on d.topology_key = t.topology_key and d.node_no = n.node_no
      left join spread s on s.selector_no = t.selector_no and s.topology_key = t.topology_key and s.domain = d.domain
      where s.excess is null or s.excess > 0
    ), lower as materialized (
      select p.id, p.node_id, p.namespace, p.labels, p.status = 'stopping' as goes,
             p.spec #> '{affinity,podAntiAffinity}' as rules
      from stark.pods p
      where p.priority < p_group.priority and stark_internal.occupies(p.status) and p.node_id in (select b.node_id from blocks b)
    ), held as materialized (
      select distinct h.namespace, h.rules, s.selector_no, r.topology_key
      from (select distinct l.namespace, l.rules from lower l where l.rules is not null) h
      cross join lateral stark_internal.rules_of(h.namespace, jsonb_build_object('podAntiAffinity', h.rules)) r
      join pg_temp.pass_selectors s using (terms)
      where r.kind = 'anti_affinity'
    ), culprits as (
      select b.kind, b.selector_no, b.topology_key, l.node_id, l.id
      from (select distinct b.kind, b.selector_no, b.topology_key from blocks b where b.kind <> 'avoids') b
      join pg_temp.pass_selectors s using (selector_no)
      join lower l on stark_internal.matches_terms(l.namespace, l.labels, s.terms)
      -- Spread does not count those that are stopping.
      where b.kind = 'avoided' or not l.goes
      union all
      select 'avoids', h.selector_no, h.topology_key, l.node_id, l.id from lower l join held h using (namespace, rules)
    )
    select b.node_no, row_number() over (partition by b.node_no order by b.kind, b.selector_no, b.topology_key)::integer, b.must_leave,
           coalesce(array_agg(c.id) filter (where c.id is not null), '{}')
    from blocks b
    left join culprits c on c.node_id = b.node_id and c.kind = b.kind and c.selector_no = b.selector_no and c.topology_key = b.topology_key
    group by b.node_no, b.kind, b.selector_no, b.topology_key, b.must_leave;
end;
$function$;
comment on function stark_internal.blocking_rules(stark_internal.pod_group) is 'Rules about other pods that reject nodes, and who would have to leave.';

CREATE OR REPLACE FUNCTION stark_internal.broadcast_events(p_events stark.events[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_topics text[];
  v_payloads jsonb[];
begin
  with batches as (
    select b.topic, b.chunk, max((b.event).seq) as last_seq, array_agg(b.event order by (b.event).seq) as events
    from (
      select e.topic, e.event,
             -- The size of a jsonb in memory is close to that of its text, and is known without writing it.
             sum(pg_column_size((e.event).object) + 300) over (partition by e.topic order by (e.event).seq) / 200000 as chunk
      from (select u as event, coalesce('stark:namespace:' || u.namespace, 'stark:cluster') as topic from unnest(p_events) u) e
    ) b
    group by b.topic, b.chunk
  ), moved as (
    insert into stark_internal.event_heads as h (topic, seq) select b.topic, max(b.last_seq) from batches b group by b.topic
      on conflict (topic) do update set seq = excluded.seq
  ), messages as (
    -- One pass from rows to JSON: each level that is put together by itself copies all that is in it.
    select b.topic, b.last_seq, (select to_jsonb(payload) from (select b.events, b.previous_seq) payload) as payload
    from (
      select b.*, coalesce(lag(b.last_seq) over (partition by b.topic order by b.chunk), h.seq, 0) as previous_seq
      from batches b left join stark_internal.event_heads h using (topic)) b
  )
  select array_agg(m.topic order by m.last_seq), array_agg(m.payload order by m.last_seq) into v_topics, v_payloads from messages m;
  perform stark_internal.send_messages('events', v_topics, v_payloads);
end;
$function$;
comment on function stark_internal.broadcast_events(stark.events[]) is 'Broadcasts new events on the topics of their namespaces and of the cluster.';

CREATE OR REPLACE FUNCTION stark_internal.bump_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  new.resource_version := old.resource_version + 1;
  return new;
end;
$function$;
comment on function stark_internal.bump_version() is 'Counts resource_version up with each change of a row.';

CREATE OR REPLACE FUNCTION stark_internal.call_watcher(p_now timestamp with time zone DEFAULT now())
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_url text := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'project_url');
  v_key text := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'secret_key');
begin
  if v_url is null or v_key is null or not exists (select from stark.nodes n where n.status in ('healthy', 'unhealthy')) then
    return false;
  end if;
  update stark_internal.node_watch w set called_at = p_now;
  perform net.http_post(
    url => rtrim(v_url, '/') || '/functions/v1/watch',
    headers => jsonb_build_object('Content-Type', 'application/json', 'apikey', v_key));
  return true;
end;
$function$;
comment on function stark_internal.call_watcher(timestamp with time zone) is 'Has Edge Function watch listen to the nodes for the next minute.';

CREATE OR REPLACE FUNCTION stark_internal.caller_name()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
  -- Definer, since the caller may not be allowed to read profiles; it tells the caller only about the caller.
  select coalesce((select u.email from stark.profiles u where u.id = (select auth.uid())), (select auth.uid())::text, stark_internal.caller_role());
$function$;
comment on function stark_internal.caller_name() is 'E-mail address or id of the caller, for messages.';

CREATE OR REPLACE FUNCTION stark_internal.caller_role()
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user::text);
end;
$function$;
comment on function stark_internal.caller_role() is 'Role that sent the statement, also from inside a security definer function.';

CREATE OR REPLACE FUNCTION stark_internal.catch_up(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  if not exists (select from stark.pods p where p.status = 'pending')
     and not exists (select from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null)
     and not exists (select from stark.namespaces n where n.phase = 'terminating') then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.remove_ended_pods();
  perform stark_internal.remove_emptied_namespaces();
  return stark_internal.schedule_pods(p_now => p_now);
end;
$function$;
comment on function stark_internal.catch_up(timestamp with time zone) is 'Places, and removes, what waits for it.';

CREATE OR REPLACE FUNCTION stark_internal.changed_fields(p_before jsonb, p_after jsonb, p_fields text[])
 RETURNS text[]
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  with recursive leaves as (
    select s.side, e.key as path, e.value
    from (values ('before', p_before), ('after', p_after)) s (side, object), jsonb_each(s.object) e
    where case when p_fields = '{}' then e.key not in ('updated_at', 'resource_version') else e.key = any (p_fields) end
    union all
    select l.side, l.path || '.' || e.key, e.value
    from leaves l, jsonb_each(case jsonb_typeof(l.value) when 'object' then l.value else '{}' end) e
  ), scalars as (
    select l.side, l.path, l.value from leaves l where jsonb_typeof(l.value) <> 'object'
  )
  select coalesce(array_agg(path order by path), '{}')
  from (select * from scalars where side = 'before') b full join (select * from scalars where side = 'after') a using (path)
  where b.value is distinct from a.value;
$function$;
comment on function stark_internal.changed_fields(jsonb,jsonb,text[]) is 'Which fields of an object differ between two states of it.';

CREATE OR REPLACE FUNCTION stark_internal.check_joined(p_node stark.nodes, p_name text, p_labels jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_key text;
begin
  if p_node.name <> p_name then
    perform stark_internal.fail('FORBIDDEN', format('%s speaks for node %s only', stark_internal.caller_name(), p_node.name), 'join again for another node');
  end if;
  select k into v_key from jsonb_object_keys(p_labels) k where k ~ '^([^/]*\.)?node-restriction\.kubernetes\.io/' limit 1;
  if found then
    perform stark_internal.fail('FORBIDDEN', format('an agent may not give its node the label %s', v_key), 'stark node token create --label, or stark node update');
  end if;
end;
$function$;
comment on function stark_internal.check_joined(stark.nodes,text,jsonb) is 'Keeps an agent that joined to its own node and to labels that agents may give.';

CREATE OR REPLACE FUNCTION stark_internal.check_namespace(p_labels jsonb, p_quota jsonb, p_limit_range jsonb)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if stark_internal.labels_problem(p_labels) is not null then
    perform stark_internal.fail('INVALID_LABELS', stark_internal.labels_problem(p_labels), 'use --label key=value');
  end if;
  if coalesce(stark_internal.quota_problem(p_quota), stark_internal.limit_range_problem(p_limit_range)) is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', coalesce(stark_internal.quota_problem(p_quota), stark_internal.limit_range_problem(p_limit_range)),
      'stark namespace list -o yaml shows how they are written');
  end if;
end;
$function$;
comment on function stark_internal.check_namespace(jsonb,jsonb,jsonb) is 'Raises a coded error when a namespace''s description is not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_node record;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select r.name, p.* into v_node from new_rows r, stark_internal.node_problem(r.labels, r.taints, r.allocatable, r.capabilities) p limit 1;
  else
    select n.name, p.* into v_node
      from old_rows o join new_rows n using (id), stark_internal.node_problem(n.labels, n.taints, n.allocatable, n.capabilities) p
      where (o.labels, o.taints, o.allocatable, o.capabilities) is distinct from (n.labels, n.taints, n.allocatable, n.capabilities) limit 1;
  end if;
  if found then
    perform stark_internal.fail(v_node.code, format('node %s: %s', v_node.name, v_node.problem), v_node.hint);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.check_nodes() is 'Refuses nodes whose labels, taints, amounts or capabilities are not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_pods()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_problem text;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  -- Materialized, or the check would be moved to before the distinct, and made for each row after all.
  if tg_op = 'INSERT' then
    with specs as materialized (select distinct r.spec from new_rows r)
    select stark_internal.spec_problem(d.spec) into v_problem from specs d where stark_internal.spec_problem(d.spec) is not null limit 1;
  else
    with specs as materialized (select distinct n.spec from old_rows o join new_rows n using (id) where o.spec <> n.spec)
    select stark_internal.spec_problem(d.spec) into v_problem from specs d where stark_internal.spec_problem(d.spec) is not null limit 1;
  end if;
  if v_problem is not null then
    perform stark_internal.fail('INVALID_SPEC', v_problem, 'stark pod create --help');
  end if;
  if tg_op = 'INSERT' then
    with labels as materialized (select distinct r.labels from new_rows r)
    select stark_internal.labels_problem(d.labels) into v_problem from labels d where stark_internal.labels_problem(d.labels) is not null limit 1;
  else
    with labels as materialized (select distinct n.labels from old_rows o join new_rows n using (id) where o.labels <> n.labels)
    select stark_internal.labels_problem(d.labels) into v_problem from labels d where stark_internal.labels_problem(d.labels) is not null limit 1;
  end if;
  if v_problem is not null then
    perform stark_internal.fail('INVALID_LABELS', v_problem, 'use --label key=value');
  end if;
  return null;
end;
$function$;
comment on function stark_internal.check_pods() is 'Refuses specs and labels that are not well formed.';

CREATE OR REPLACE FUNCTION stark_internal.check_status_steps()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_bad record;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  select n.name, o.status as from_status, n.status as to_status into v_bad
    from old_rows o join new_rows n using (id)
    where o.status <> n.status
      and not exists (select from stark.pod_status_steps s where s.from_status = o.status and s.to_status = n.status)
    limit 1;
  if found then
    perform stark_internal.fail('STATUS_STEP_REFUSED',
      format('pod %s may not go from %s to %s', v_bad.name, v_bad.from_status, v_bad.to_status), 'stark pod status ' || v_bad.name);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.check_status_steps() is 'Refuses steps of a pod''s status that are not allowed.';

CREATE OR REPLACE FUNCTION stark_internal.choose_victims(p_group stark_internal.pod_group, p_nodes integer[])
 RETURNS TABLE(node_no integer, victims uuid[], highest integer, total bigint, started timestamp with time zone)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_pod record;
  v_node integer;
  v_cpu bigint;
  v_memory bigint;
  v_storage bigint;
  v_pods bigint;
  v_spare bigint[];
  v_rule integer;
begin
  -- Per node: all lower pods are taken away; then, from the highest down and the longest running first, each is put back that
  -- fits beside the newcomer and that no rule needs gone. Those that are stopping already go in any case, and cost nothing.
  for v_pod in
    with blocking as materialized (
      select b.* from stark_internal.blocking_rules(p_group) b where b.node_no = any (p_nodes)
    ), spare as (
      select b.node_no, array_agg(cardinality(b.pods) - b.must_leave order by b.rule) as spare from blocking b group by b.node_no
    ), counted as (
      select u.id, array_agg(b.rule) as rules from blocking b cross join unnest(b.pods) as u (id) group by u.id
    )
    select n.node_no as no, p.id, p.priority, p.cpu_request as cpu, p.memory_request as memory, p.storage_request as storage,
           p.status = 'stopping' or p.id in (select v from pg_temp.pass_nominations m, unnest(m.victims) v) as goes,
           coalesce(p.started_at, p.scheduled_at, p.created_at) as since,
           n.free_cpu + sum(p.cpu_request) over w - p_group.cpu as room_cpu,
           n.free_memory + sum(p.memory_request) over w - p_group.memory as room_memory,
           n.free_storage + sum(p.storage_request) over w - p_group.storage as room_storage,
           n.free_pods + count(*) over w - 1 as room_pods,
           s.spare, c.rules
    from pg_temp.pass_nodes n
    join stark.pods p on p.node_id = n.node_id
    left join spare s on s.node_no = n.node_no
    left join counted c on c.id = p.id
    where n.node_no = any (p_nodes) and p.priority < p_group.priority and stark_internal.occupies(p.status)
    window w as (partition by n.node_no)
    order by n.node_no, goes desc, p.priority desc, since, p.id
  loop
    if v_node is distinct from v_pod.no then
      if v_node is not null and victims is not null then
        node_no := v_node;
        return next;
      end if;
      v_node := v_pod.no;
      v_cpu := v_pod.room_cpu;
      v_memory := v_pod.room_memory;
      v_storage := v_pod.room_storage;
      v_pods := v_pod.room_pods;
      v_spare := v_pod.spare;
      highest := -1;
      total := 0;
      started := null;
      victims := case when (v_cpu >= 0 or p_group.cpu = 0) and (v_memory >= 0 or p_group.memory = 0)
                       and (v_storage >= 0 or p_group.storage = 0) and v_pods >= 0 then '{}'::uuid[] end;
    end if;
    continue when victims is null or v_pod.goes;
    if (v_cpu >= v_pod.cpu or p_group.cpu = 0) and (v_memory >= v_pod.memory or p_group.memory = 0)
       and (v_storage >= v_pod.storage or p_group.storage = 0) and v_pods >= 1
       and (v_pod.rules is null or not exists (select from unnest(v_pod.rules) r where v_spare[r] <= 0)) then
      foreach v_rule in array coalesce(v_pod.rules, '{}') loop
        v_spare[v_rule] := v_spare[v_rule] - 1;
      end loop;
      v_cpu := v_cpu - v_pod.cpu;
      v_memory := v_memory - v_pod.memory;
      v_storage := v_storage - v_pod.storage;
      v_pods := v_pods - 1;
    else
      victims := victims || v_pod.id;
      total := total + v_pod.priority;
      if highest < v_pod.priority then
        highest := v_pod.priority;
        started := v_pod.since;
      end if;
    end if;
  end loop;
  if v_node is not null and victims is not null then
    node_no := v_node;
    return next;
  end if;
end;
$function$;
comment on function stark_internal.choose_victims(stark_internal.pod_group,integer[]) is 'Who would have to go, node by node.';

CREATE OR REPLACE FUNCTION stark_internal.close_deleted_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer: accounts are Supabase Auth's. Only a trigger can call it.
  perform realtime.send('{}', 'node.removed', 'stark:node:' || o.id, true) from old_rows o;
  -- An account that was given more than its node is somebody's by now.
  delete from auth.users u using old_rows o
    where u.id = o.agent_id
      and not exists (select from stark.packs p where p.owner_id = u.id)
      and not exists (select from stark.nodes n where n.owner_id = u.id);
  return null;
end;
$function$;
comment on function stark_internal.close_deleted_nodes() is 'Tells the agents of deleted nodes, and removes the accounts that had joined for them.';

CREATE OR REPLACE FUNCTION stark_internal.command_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_ids uuid[];
  v_topics text[];
  v_payloads jsonb[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    v_ids := array(select n.id from old_rows o join new_rows n using (id) where n.status = 'scheduled' and o.status <> 'scheduled');
    if v_ids <> '{}' then
      perform stark_internal.command_starts(v_ids);
    end if;
    select array_agg('stark:node:' || m.node_id), array_agg(m.payload) into v_topics, v_payloads
      from (
        select n.node_id, jsonb_build_object('pods', array_agg(jsonb_build_object('id', n.id, 'graceSeconds', coalesce((n.spec ->> 'terminationGracePeriodSeconds')::integer, 30)))) as payload
        from old_rows o join new_rows n using (id)
        where n.status = 'stopping' and o.status <> 'stopping' and n.node_id is not null
        group by n.node_id) m;
  else
    select array_agg('stark:node:' || m.node_id), array_agg(m.payload) into v_topics, v_payloads
      from (
        select o.node_id, jsonb_build_object('pods', array_agg(jsonb_build_object('id', o.id, 'graceSeconds', 0))) as payload
        from old_rows o where stark_internal.occupies(o.status) and o.node_id is not null
        group by o.node_id) m;
  end if;
  if v_topics is not null then
    perform stark_internal.send_messages('pods.stop', v_topics, v_payloads);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';

CREATE OR REPLACE FUNCTION stark_internal.command_starts(p_ids uuid[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
declare
  v_topics text[];
  v_payloads jsonb[];
begin
  select array_agg('stark:node:' || m.node_id), array_agg(m.payload) into v_topics, v_payloads
    from (
      select s.node_id, jsonb_build_object('pods', array_agg(s.item order by s.priority desc, s.created_at, s.pod_id)) as payload
      from (
        -- The size of a jsonb in memory is close to that of its text, and is known without writing it.
        select w.*, sum(pg_column_size(w.item)) over (partition by w.node_id order by w.priority desc, w.created_at, w.pod_id) / 200000 as chunk
        from (select p.* from stark_internal.wanted_pods p where p.pod_id = any (p_ids) offset 0) w -- offset 0: each item is built once
        ) s
      group by s.node_id, s.chunk
      order by s.node_id, s.chunk) m;
  perform stark_internal.send_messages('pods.start', v_topics, v_payloads);
end;
$function$;
comment on function stark_internal.command_starts(uuid[]) is 'Sends pods.start for these pods to their nodes.';

CREATE OR REPLACE FUNCTION stark_internal.count_taken(p_group stark_internal.pod_group, p_nodes integer[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  update pg_temp.pass_nodes n set
      free_cpu = n.free_cpu - t.cpu, free_memory = n.free_memory - t.memory, free_storage = n.free_storage - t.storage, free_pods = n.free_pods - t.pods
    from (
      select u.node_no, sum(u.cpu) as cpu, sum(u.memory) as memory, sum(u.storage) as storage, count(*) as pods
      from unnest(p_nodes, p_cpu, p_memory, p_storage) as u (node_no, cpu, memory, storage) group by u.node_no) t
    where n.node_no = t.node_no;
  if p_group.matches is not null then
    insert into pg_temp.pass_counts
      select m, u.node_no, count(*), count(*) from unnest(p_nodes) as u (node_no) cross join unnest(p_group.matches) m group by m, u.node_no;
  end if;
  if p_group.rules_no is not null then
    insert into pg_temp.pass_bans
      select r.selector_no, r.topology_key, u.node_no, count(*)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
      group by 1, 2, 3;
    insert into pg_temp.pass_wishes
      select r.selector_no, r.topology_key, u.node_no, sum(r.weight)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind in ('prefer', 'company')
      group by 1, 2, 3;
  end if;
end;
$function$;
comment on function stark_internal.count_taken(stark_internal.pod_group,integer[],bigint[],bigint[],bigint[]) is 'Counts pods that were given nodes.';

CREATE OR REPLACE FUNCTION stark_internal.create_pod_group(p_item jsonb, p_user_id uuid, p_now timestamp with time zone DEFAULT now())
 RETURNS uuid[]
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pod stark.pods := stark_internal.read_pod(p_item, p_user_id);
  v_replicas integer := coalesce((p_item ->> 'replicas')::numeric, 1);
  v_ids uuid[] := '{}';
  v_new uuid[];
begin
  if v_pod.name is not null and v_replicas = 1 then
    insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
      values (v_pod.name, v_pod.namespace, v_pod.pack_id, v_pod.pack_name, v_pod.pack_version_id, v_pod.version, v_pod.labels, v_pod.spec, v_pod.priority, p_user_id, p_now)
      on conflict on constraint pod_name_is_unique_in_its_namespace do nothing
      returning array[id] into v_ids;
    if not found then
      perform stark_internal.fail('POD_NAME_TAKEN', format('namespace %s has a pod %s already', v_pod.namespace, v_pod.name), 'stark pod list -n ' || v_pod.namespace);
    end if;
    return v_ids;
  end if;
  -- Random names can collide; the few that did are drawn again.
  while cardinality(v_ids) < v_replicas loop
    with added as (
      insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
        select stark_internal.name_stem(coalesce(v_pod.name, v_pod.pack_name)) || '-' || stark_internal.random_suffix(),
               v_pod.namespace, v_pod.pack_id, v_pod.pack_name, v_pod.pack_version_id, v_pod.version, v_pod.labels, v_pod.spec, v_pod.priority, p_user_id, p_now
        from generate_series(1, v_replicas - cardinality(v_ids))
        on conflict on constraint pod_name_is_unique_in_its_namespace do nothing
        returning id)
    select array_agg(a.id) into v_new from added a;
    v_ids := v_ids || v_new;
  end loop;
  return v_ids;
end;
$function$;
comment on function stark_internal.create_pod_group(jsonb,uuid,timestamp with time zone) is 'Checks one entry of create_pods and inserts its pods.';

CREATE OR REPLACE FUNCTION stark_internal.cut(p_text text, p_bytes integer)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_text text := left(p_text, p_bytes);
begin
  while octet_length(v_text) > p_bytes loop
    v_text := left(v_text, - greatest(1, (octet_length(v_text) - p_bytes) / 4));
  end loop;
  return v_text;
end;
$function$;
comment on function stark_internal.cut(text,integer) is 'The beginning of a text, in at most so many bytes.';

CREATE OR REPLACE FUNCTION stark_internal.drop_old_partitions(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_today date := (p_now at time zone 'UTC')::date;
  v_config stark.cluster_config;
  v_old record;
  v_dropped integer := 0;
begin
  select * into v_config from stark.cluster_config;
  for v_old in
    select c.relname
    from (values ('stark.events'::regclass, v_config.event_retention_days), ('stark.pod_logs', v_config.log_retention_days)) k (parent, days)
    join pg_catalog.pg_inherits i on i.inhparent = k.parent
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where c.relname ~ '_\d{4}_\d\d_\d\d$' and to_date(right(c.relname, 10), 'YYYY_MM_DD') < v_today - k.days
    order by k.parent, c.relname
  loop
    execute format('drop table stark_internal.%I', v_old.relname);
    v_dropped := v_dropped + 1;
  end loop;
  delete from stark_internal.events_default e where e.time < (v_today - v_config.event_retention_days)::timestamp at time zone 'UTC';
  delete from stark_internal.pod_logs_default l where l.time < (v_today - v_config.log_retention_days)::timestamp at time zone 'UTC';
  return v_dropped;
end;
$function$;
comment on function stark_internal.drop_old_partitions(timestamp with time zone) is 'Drops events and logs that are older than they are kept.';

CREATE OR REPLACE FUNCTION stark_internal.empty_node(p_node stark.nodes, p_reason text, p_at_once boolean, p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  update stark.pods p set
      status = case when p_at_once or p_node.status in ('offline', 'unknown') then 'evicted' else 'stopping' end,
      status_reason = p_reason,
      status_message = 'node ' || p_node.name,
      ready = false,
      stop_requested_at = coalesce(p.stop_requested_at, p_now),
      finished_at = case when p_at_once or p_node.status in ('offline', 'unknown') then p_now end
    where p.node_id = p_node.id and stark_internal.occupies(p.status)
      and (p.status <> 'stopping' or p_at_once or p_node.status in ('offline', 'unknown'));
$function$;
comment on function stark_internal.empty_node(stark.nodes,text,boolean,timestamp with time zone) is 'Asks the pods of a node to go.';

CREATE OR REPLACE FUNCTION stark_internal.enforce_quota()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_namespaces text[];
  v_bad record;
begin
  -- Definer: it counts pods the caller may not see, and tells only the sums. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_namespaces := array(select distinct r.namespace from new_rows r where r.finished_at is null);
  else
    v_namespaces := array(
      select distinct n.namespace from old_rows o join new_rows n using (id)
      where n.finished_at is null
        and (o.namespace <> n.namespace or n.cpu_request > o.cpu_request or n.memory_request > o.memory_request or n.storage_request > o.storage_request));
  end if;
  if not exists (select from stark.namespaces s where s.name = any (v_namespaces) and (s.phase <> 'active' or s.quota <> '{}' or s.limit_range <> '{}')) then
    return null;
  end if;
  select s.name into v_bad from stark.namespaces s where s.name = any (v_namespaces) and s.phase = 'terminating' limit 1;
  if found then
    perform stark_internal.fail('NAMESPACE_TERMINATING', format('namespace %s is being deleted', v_bad.name), 'stark namespace list');
  end if;
  select s.name, a.resource, a.asked, (s.limit_range #>> array['min', a.resource])::bigint as least, (s.limit_range #>> array['max', a.resource])::bigint as most into v_bad
    from (select distinct r.namespace, r.cpu_request, r.memory_request, r.storage_request from new_rows r
          where r.finished_at is null and r.namespace = any (v_namespaces)) r
    join stark.namespaces s on s.name = r.namespace
    cross join lateral (values ('cpu', r.cpu_request), ('memory', r.memory_request), ('storage', r.storage_request)) a (resource, asked)
    where a.asked < (s.limit_range #>> array['min', a.resource])::bigint or a.asked > (s.limit_range #>> array['max', a.resource])::bigint
    limit 1;
  if found then
    perform stark_internal.fail('LIMIT_RANGE_VIOLATED', format('a pod in namespace %s may ask for %s %s, not %s', v_bad.name,
      concat_ws(' and ', 'at least ' || v_bad.least, 'at most ' || v_bad.most), v_bad.resource, v_bad.asked), 'stark namespace describe ' || v_bad.name);
  end if;
  select s.name, u.resource, u.used, (s.quota ->> u.resource)::bigint as most into v_bad
    from (
      select p.namespace, count(*) as pods, sum(p.cpu_request) as cpu, sum(p.memory_request) as memory, sum(p.storage_request) as storage
      from stark.pods p where p.namespace = any (v_namespaces) and p.finished_at is null group by p.namespace) t
    join stark.namespaces s on s.name = t.namespace
    cross join lateral (values ('pods', t.pods), ('cpu', t.cpu), ('memory', t.memory), ('storage', t.storage)) u (resource, used)
    where u.used > (s.quota ->> u.resource)::bigint
    limit 1;
  if found then
    perform stark_internal.fail('QUOTA_EXCEEDED', format('namespace %s would use %s %s, its quota is %s', v_bad.name, v_bad.used, v_bad.resource, v_bad.most),
      'stark namespace describe ' || v_bad.name);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.enforce_quota() is 'Refuses pods that their namespace''s quota or limit range has no room for.';

CREATE OR REPLACE FUNCTION stark_internal.ensure_partitions(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_table text;
  v_day date;
  v_name text;
  v_made integer := 0;
begin
  foreach v_table in array array['events', 'pod_logs'] loop
    for v_day in select d::date from generate_series((p_now at time zone 'UTC')::date - 1, (p_now at time zone 'UTC')::date + 3, interval '1 day') d loop
      v_name := v_table || '_' || to_char(v_day, 'YYYY_MM_DD');
      if to_regclass('stark_internal.' || v_name) is null then
        execute format('create table stark_internal.%I (like stark.%I including defaults including constraints)', v_name, v_table);
        execute format('alter table stark_internal.%I enable row level security', v_name);
        execute format('create policy "nobody reads partitions" on stark_internal.%I for select to authenticated using (false)', v_name);
        execute format('comment on table stark_internal.%I is %L', v_name, 'A day of stark.' || v_table || '.');
        -- Lines of that day that came too early stand in the default partition, and would forbid the new one. Locked, so that
        -- none is added between their removal and the new partition; readers keep their lock on the table above meanwhile.
        execute format('lock table stark_internal.%I in access exclusive mode', v_table || '_default');
        execute format('with early as (delete from stark_internal.%I t where t.time >= %L and t.time < %L returning *)
                        insert into stark_internal.%I select * from early', v_table || '_default',
                        v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC', v_name);
        execute format('alter table stark.%I attach partition stark_internal.%I for values from (%L) to (%L)', v_table, v_name,
                        v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC');
        v_made := v_made + 1;
      end if;
    end loop;
  end loop;
  return v_made;
end;
$function$;
comment on function stark_internal.ensure_partitions(timestamp with time zone) is 'Makes the partitions of the coming days.';

CREATE OR REPLACE FUNCTION stark_internal.evict_pods(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_evicted integer;
begin
  if not exists (select from stark_internal.pods_to_evict(p_now)) then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  update stark.pods p set
      status = case when e.offline then 'evicted' else 'stopping' end,
      status_reason = e.reason,
      status_message = e.message,
      ready = false,
      stop_requested_at = coalesce(p.stop_requested_at, p_now),
      finished_at = case when e.offline then p_now end
    from stark_internal.pods_to_evict(p_now) e
    where p.id = e.pod_id;
  get diagnostics v_evicted = row_count;
  perform stark_internal.remove_ended_pods();
  return v_evicted;
end;
$function$;
comment on function stark_internal.evict_pods(timestamp with time zone) is 'Makes pods leave nodes whose taints they do not tolerate.';

CREATE OR REPLACE FUNCTION stark_internal.explain_nodes(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, name text, owner_id uuid, reasons text[], scores jsonb, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_policy text := (select c.scheduling_policy from stark.cluster_config c);
begin
  return query
    with rejected as materialized (
      select r.node_no, array_agg(distinct r.reason order by r.reason) as reasons from stark_internal.rejections(p_group) r group by r.node_no
    ), earned as materialized (
      select s.node_no, v_policy as what, s.score from stark_internal.score_slots(p_group, 1) s
      union all select s.node_no, 'node affinity', s.score from stark_internal.score_node_affinity(p_group) s
      union all select s.node_no, 'taints', s.score from stark_internal.score_taints(p_group) s
      union all select s.node_no, 'pod affinity', s.score from stark_internal.score_pod_affinity(p_group) s
      union all select s.node_no, 'topology spread', s.score from stark_internal.score_topology_spread(p_group) s
    ), scored as materialized (
      select e.node_no, jsonb_object_agg(e.what, round(e.score::numeric, 2)) as scores, sum(e.score) as score from earned e group by e.node_no
    )
    select n.node_no, n.name, n.owner_id, coalesce(r.reasons, '{}'), case when r.node_no is null then s.scores end, case when r.node_no is null then s.score end
    from pg_temp.pass_nodes n left join rejected r using (node_no) left join scored s using (node_no)
    order by case when r.node_no is null then s.score end desc nulls last, n.node_no;
end;
$function$;
comment on function stark_internal.explain_nodes(stark_internal.pod_group) is 'Every node with the filters it fails or the scores it earns.';

CREATE OR REPLACE FUNCTION stark_internal.fail(p_code text, p_message text, p_hint text DEFAULT NULL::text, p_details text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_status integer := (select e.http_status from stark.error_codes e where e.code = p_code);
begin
  if v_status is null then
    raise exception 'error code % is not in stark.error_codes', p_code using errcode = '22023';
  end if;
  raise sqlstate 'PGRST' using
    message = jsonb_build_object('code', p_code, 'message', p_message, 'details', p_details, 'hint', p_hint)::text,
    detail = jsonb_build_object('status', v_status, 'headers', '{}'::jsonb)::text;
end;
$function$;
comment on function stark_internal.fail(text,text,text,text) is 'Raises a coded error in the form that PostgREST passes on unchanged.';

CREATE OR REPLACE FUNCTION stark_internal.feasible_nodes(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, slots bigint, cpu_total double precision, cpu_used double precision, memory_total double precision, memory_used double precision, pods_total double precision, pods_used double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
begin
  return query
    with rejected as materialized (
      select distinct r.node_no from stark_internal.rejections(p_group) r
    ), wanted as materialized (
      select p_group.cpu, p_group.memory, p_group.storage
    )
    select n.node_no,
           least(
             case when w.cpu > 0 then n.free_cpu / w.cpu end,
             case when w.memory > 0 then n.free_memory / w.memory end,
             case when w.storage > 0 then n.free_storage / w.storage end,
             n.free_pods),
           greatest(n.cpu, 1)::double precision, (n.cpu - n.free_cpu)::double precision, greatest(n.memory, 1)::double precision,
           (n.memory - n.free_memory)::double precision, greatest(n.pods, 1)::double precision, (n.pods - n.free_pods)::double precision
    from pg_temp.pass_nodes n cross join wanted w
    where not exists (select from rejected r where r.node_no = n.node_no);
end;
$function$;
comment on function stark_internal.feasible_nodes(stark_internal.pod_group) is 'Nodes that pass every filter, and their room.';

CREATE OR REPLACE FUNCTION stark_internal.filter_existing_anti_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with banned as materialized (
  select distinct d.topology_key, d.domain
  from pg_temp.pass_bans b join pg_temp.pass_domains d using (topology_key, node_no)
  where b.selector_no = any (p_group.matches)
)
select distinct d.node_no, 'anti-affinity of pods there' from banned b join pg_temp.pass_domains d using (topology_key, domain);
$function$;
comment on function stark_internal.filter_existing_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that keep the group away.';

CREATE OR REPLACE FUNCTION stark_internal.filter_health(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'node ' || n.status from pg_temp.pass_nodes n where n.status <> 'healthy';
end;
$function$;
comment on function stark_internal.filter_health(stark_internal.pod_group) is 'Rejects nodes that are not healthy.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'node affinity'
    from pg_temp.pass_nodes n
    where p_group.template ? 'required'
      and n.node_no not in (select m.node_no from stark_internal.matching_nodes(p_group.template -> 'required') m);
end;
$function$;
comment on function stark_internal.filter_node_affinity(stark_internal.pod_group) is 'Rejects nodes that required node affinity does not match.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_name(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'node name ' || (p_group.template ->> 'nodeName') || ' wanted'
    from pg_temp.pass_nodes n where p_group.template ? 'nodeName' and n.name <> p_group.template ->> 'nodeName';
end;
$function$;
comment on function stark_internal.filter_node_name(stark_internal.pod_group) is 'Rejects all nodes but the named one.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_selector(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'node selector'
    from pg_temp.pass_nodes n where p_group.template ? 'nodeSelector' and not n.labels @> (p_group.template -> 'nodeSelector');
end;
$function$;
comment on function stark_internal.filter_node_selector(stark_internal.pod_group) is 'Rejects nodes that lack a wanted label.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pack_access(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'private pack'
    from pg_temp.pass_nodes n
    where p_group.visibility = 'private'
      and n.owner_id <> p_group.pack_owner
      and n.owner_id not in (
        select b.user_id from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
        where b.role = 'admin' and b.namespace is null);
end;
$function$;
comment on function stark_internal.filter_pack_access(stark_internal.pod_group) is 'Rejects nodes that may not run a private pack.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pod_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with rules as materialized (
  select r.topology_key, r.selector_no,
         -- The first pod of those that want to be together has nobody to go to.
         r.selector_no = any (coalesce(p_group.matches, '{}')) and not exists (select from pg_temp.pass_counts c where c.selector_no = r.selector_no) as is_first
  from pg_temp.pass_rules r
  where r.rules_no = p_group.rules_no and r.kind = 'affinity'
), held as materialized (
  select distinct d.topology_key, d.domain
  from rules r join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
)
select distinct n.node_no, 'pod affinity'
from (select r.*, m.node_no from rules r cross join pg_temp.pass_nodes m) n
left join pg_temp.pass_domains d using (topology_key, node_no)
left join held h using (topology_key, domain)
where d.domain is null or (h.domain is null and not n.is_first);
$function$;
comment on function stark_internal.filter_pod_affinity(stark_internal.pod_group) is 'Rejects nodes without the company that is required.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pod_anti_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with rules as materialized (
  select r.topology_key, r.selector_no from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
), held as materialized (
  select distinct d.topology_key, d.domain
  from rules r join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
)
select distinct d.node_no, 'pod anti-affinity' from held h join pg_temp.pass_domains d using (topology_key, domain);
$function$;
comment on function stark_internal.filter_pod_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that the group keeps away from.';

CREATE OR REPLACE FUNCTION stark_internal.filter_resources(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Taken out of the group once: a field of it is looked up anew at each use.
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory, p_group.storage)
    select n.node_no, r.reason
    from wanted w
    join pg_temp.pass_nodes n
      on (n.free_cpu < w.cpu and w.cpu > 0) or (n.free_memory < w.memory and w.memory > 0) or (n.free_storage < w.storage and w.storage > 0) or n.free_pods < 1
    cross join lateral (values
      ('insufficient cpu', n.free_cpu < w.cpu and w.cpu > 0),
      ('insufficient memory', n.free_memory < w.memory and w.memory > 0),
      ('insufficient storage', n.free_storage < w.storage and w.storage > 0),
      ('insufficient pods', n.free_pods < 1)) as r (reason, short)
    where r.short;
end;
$function$;
comment on function stark_internal.filter_resources(stark_internal.pod_group) is 'Rejects nodes without room for one more pod of the group.';

CREATE OR REPLACE FUNCTION stark_internal.filter_runtime(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, format('runtime %s wanted', p_group.runtime)
    from pg_temp.pass_nodes n where p_group.runtime not in ('isomorphic', n.runtime);
end;
$function$;
comment on function stark_internal.filter_runtime(stark_internal.pod_group) is 'Rejects nodes of another runtime than the pack''s.';

CREATE OR REPLACE FUNCTION stark_internal.filter_taints(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select t.node_no, format('taint %s%s:%s', t.taint ->> 'key', coalesce('=' || nullif(t.taint ->> 'value', ''), ''), t.taint ->> 'effect')
    from stark_internal.intolerable_taints(p_group.template -> 'tolerations', array['NoSchedule', 'NoExecute']) t;
end;
$function$;
comment on function stark_internal.filter_taints(stark_internal.pod_group) is 'Rejects nodes with a taint that is not tolerated.';

CREATE OR REPLACE FUNCTION stark_internal.filter_topology_spread(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with domains as materialized (
  select d.*, d.pods + (d.selector_no = any (coalesce(p_group.matches, '{}')))::integer - d.fewest <= d.max_skew as is_open
  from stark_internal.spread_domains(p_group, 'spread') d
)
select distinct n.node_no, 'topology spread ' || r.topology_key
from pg_temp.pass_rules r
cross join pg_temp.pass_nodes n
left join pg_temp.pass_domains t on t.topology_key = r.topology_key and t.node_no = n.node_no
left join domains d on d.selector_no = r.selector_no and d.topology_key = r.topology_key and d.domain = t.domain
where r.rules_no = p_group.rules_no and r.kind = 'spread' and d.is_open is not true;
$function$;
comment on function stark_internal.filter_topology_spread(stark_internal.pod_group) is 'Rejects nodes whose domain has too many pods already.';

CREATE OR REPLACE FUNCTION stark_internal.filter_unschedulable(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select n.node_no, 'unschedulable' from pg_temp.pass_nodes n where n.unschedulable;
end;
$function$;
comment on function stark_internal.filter_unschedulable(stark_internal.pod_group) is 'Rejects cordoned nodes.';

CREATE OR REPLACE FUNCTION stark_internal.find_deployable_version(p_pack text, p_version text, p_user_id uuid)
 RETURNS stark.pack_versions
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pack stark.packs;
  v_version stark.pack_versions;
begin
  select * into v_pack from stark.packs p where p.name = p_pack;
  if v_pack.id is not null and v_pack.visibility = 'private' and v_pack.owner_id is distinct from p_user_id
     and not stark_internal.has_permission('packs:pull') then
    if stark_internal.has_permission('packs:get') then
      perform stark_internal.fail('FORBIDDEN', format('pack %s is private and belongs to somebody else', p_pack), 'ask its owner to make it public');
    end if;
    v_pack := null;
  end if;
  if v_pack.id is null then
    perform stark_internal.fail('PACK_NOT_FOUND', format('no pack %s', coalesce(to_json(left(p_pack, 80))::text, 'null')), 'stark pack list');
  end if;
  select * into v_version from stark.pack_versions v
    where v.pack_id = v_pack.id
      and v.version = case when p_version is null or p_version = 'latest' then stark_internal.latest_version(v_pack.id) else p_version end;
  if not found and (p_version is null or p_version = 'latest') then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no version that is ready', p_pack), 'stark pack versions ' || p_pack);
  elsif not found then
    perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no version %s', p_pack, to_json(left(p_version, 80))), 'stark pack versions ' || p_pack);
  elsif v_version.state <> 'ready' then
    perform stark_internal.fail('VERSION_NOT_READY', format('%s@%s is %s', p_pack, v_version.version, v_version.state), 'stark pack versions ' || p_pack);
  end if;
  return v_version;
end;
$function$;
comment on function stark_internal.find_deployable_version(text,text,uuid) is 'The pack version a user asked for, when they may run it.';

CREATE OR REPLACE FUNCTION stark_internal.find_priority_class(p_name text)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_class stark.priority_classes;
begin
  select * into v_class from stark.priority_classes c where case when p_name is null then c.global_default else c.name = p_name end;
  if not found and p_name is not null then
    perform stark_internal.fail('PRIORITY_CLASS_NOT_FOUND', format('no priority class %s', to_json(left(p_name, 80))), 'stark priorityclass list');
  elsif v_class.value > 1000 and not stark_internal.has_permission('priorityclasses:create') then
    perform stark_internal.fail('FORBIDDEN', format('priority class %s is the platform''s own', v_class.name), 'use high-priority');
  end if;
  return v_class;
end;
$function$;
comment on function stark_internal.find_priority_class(text) is 'The priority class a pod asks for, when the caller may use it.';

CREATE OR REPLACE FUNCTION stark_internal.finish_namespaces()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer: an agent's report removes the last pod. Only a trigger can call it.
  if exists (select from stark.namespaces n where n.phase = 'terminating') then
    perform stark_internal.remove_emptied_namespaces();
  end if;
  return null;
end;
$function$;
comment on function stark_internal.finish_namespaces() is 'Removes terminating namespaces when their last pod has gone.';

CREATE OR REPLACE FUNCTION stark_internal.follow_taints()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_ids uuid[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_ids := array(select n.id from new_rows n where n.taints <> '[]' or stark_internal.is_unreachable(n.status, n.status_reason));
  else
    v_ids := array(
      select n.id from old_rows o join new_rows n using (id)
      where o.taints <> n.taints or stark_internal.is_unreachable(o.status, o.status_reason) <> stark_internal.is_unreachable(n.status, n.status_reason));
  end if;
  if cardinality(v_ids) = 0 then
    return null;
  end if;
  delete from stark_internal.evicting_taints t using stark.nodes n
    where t.node_id = n.id and n.id = any (v_ids)
      and t.taint not in (select w from stark_internal.taints_that_evict(n) w);
  insert into stark_internal.evicting_taints (node_id, taint)
    select n.id, w from stark.nodes n, stark_internal.taints_that_evict(n) w where n.id = any (v_ids)
    on conflict do nothing;
  perform stark_internal.evict_pods();
  return null;
end;
$function$;
comment on function stark_internal.follow_taints() is 'Notes since when a node has which taint NoExecute, and evicts.';

CREATE OR REPLACE FUNCTION stark_internal.has_admin()
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select exists (select from stark.role_bindings b where b.role = 'admin' and stark_internal.is_admin(b.user_id));
$function$;
comment on function stark_internal.has_admin() is 'Whether the cluster has an admin who is not disabled.';

CREATE OR REPLACE FUNCTION stark_internal.has_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  return stark_internal.is_trusted() or stark_internal.user_may(auth.uid(), p_permission, p_namespace, p_own);
end;
$function$;
comment on function stark_internal.has_permission(text,text,boolean) is 'Whether the caller has this right, cluster-wide or in the namespace.';
grant execute on function stark_internal.has_permission(text,text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.has_speaker(p_node stark.nodes)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select stark_internal.user_may(p_node.owner_id, 'nodes:connect', null, true)
    and (p_node.agent_id is null or stark_internal.user_may(p_node.agent_id, 'nodes:connect', null, true));
$function$;
comment on function stark_internal.has_speaker(stark.nodes) is 'Whether the node''s own account may still work as its agent.';

CREATE OR REPLACE FUNCTION stark_internal.heartbeat_terms()
 RETURNS TABLE(liveness text, interval_seconds integer, timeout_seconds integer)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select c.liveness,
         coalesce(nullif(c.heartbeat_interval, 0), case c.liveness when 'fast' then 15 else 600 end),
         coalesce(nullif(c.heartbeat_timeout, 0), case c.liveness when 'fast' then 30 else 15 end)
  from stark.cluster_config c;
$function$;
comment on function stark_internal.heartbeat_terms() is 'How often agents give a sign of life, and how long they may be without.';

CREATE OR REPLACE FUNCTION stark_internal.intolerable_taints(p_tolerations jsonb, p_effects text[])
 RETURNS TABLE(node_no integer, taint jsonb)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
-- Many nodes have the same taint: each different one is looked at once.
with tainted as materialized (
  select n.node_no, t as taint from pg_temp.pass_nodes n, jsonb_array_elements(n.taints) t
  where n.taints <> '[]' and t ->> 'effect' = any (p_effects)
), refused as materialized (
  select d.taint from (select distinct t.taint from tainted t) d where not stark_internal.tolerates(p_tolerations, d.taint)
)
select t.node_no, t.taint from tainted t join refused r using (taint);
$function$;
comment on function stark_internal.intolerable_taints(jsonb,text[]) is 'Taints that these tolerations do not tolerate.';

CREATE OR REPLACE FUNCTION stark_internal.is_admin(p_user_id uuid)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return exists (
    select from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = p_user_id and b.role = 'admin' and b.namespace is null
  );
end;
$function$;
comment on function stark_internal.is_admin(uuid) is 'Whether this user is an admin of the whole cluster.';

CREATE OR REPLACE FUNCTION stark_internal.is_dns_label(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return coalesce(p_name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$', false);
end;
$function$;
comment on function stark_internal.is_dns_label(text) is 'True for a DNS label: lower case, digits and dashes, at most 63 characters.';

CREATE OR REPLACE FUNCTION stark_internal.is_dns_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return coalesce(length(p_name) <= 253
    and p_name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$', false);
end;
$function$;
comment on function stark_internal.is_dns_name(text) is 'True for DNS labels joined by dots, at most 253 characters.';

CREATE OR REPLACE FUNCTION stark_internal.is_member()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  return stark_internal.is_trusted() or exists (
    select
    from stark.role_bindings b
    join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = (select auth.uid())
  );
end;
$function$;
comment on function stark_internal.is_member() is 'Whether the caller has any role.';
grant execute on function stark_internal.is_member() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.is_pack_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return coalesce(length(p_name) <= 214 and p_name ~ '^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$', false);
end;
$function$;
comment on function stark_internal.is_pack_name(text) is 'True for a name that npm would take for a new package.';

CREATE OR REPLACE FUNCTION stark_internal.is_semver(p_version text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return coalesce(length(p_version) <= 128 and p_version ~
    ('^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)'
    '(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?'
    '(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$'), false);
end;
$function$;
comment on function stark_internal.is_semver(text) is 'True for a version in the sense of semver.org 2.0.0.';

CREATE OR REPLACE FUNCTION stark_internal.is_time(p_text text, p_latest timestamp with time zone DEFAULT '9999-12-31 00:00:00+00'::timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return case when pg_catalog.pg_input_is_valid(p_text, 'timestamptz')
    then p_text::timestamptz between '1970-01-01T00:00:00Z' and p_latest
    else false end;
end;
$function$;
comment on function stark_internal.is_time(text,timestamp with time zone) is 'True for the text of a time that a clock can show.';

CREATE OR REPLACE FUNCTION stark_internal.is_trusted()
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return stark_internal.caller_role() in ('service_role', 'postgres', 'supabase_admin');
end;
$function$;
comment on function stark_internal.is_trusted() is 'True for the secret key and for the database''s own administrators.';

CREATE OR REPLACE FUNCTION stark_internal.is_unreachable(p_status text, p_reason text)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select p_status = 'offline' and p_reason is distinct from 'NodeShutdown';
$function$;
comment on function stark_internal.is_unreachable(text,text) is 'Whether a node of this status is tainted unreachable.';

CREATE OR REPLACE FUNCTION stark_internal.is_whole(p_value jsonb, p_low numeric, p_high numeric)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- No fraction, not even .0: what is stored keeps it, and its text is then no integer to the casts that read it.
  return case when jsonb_typeof(p_value) = 'number'
    then p_value::numeric between p_low and p_high and scale(p_value::numeric) = 0
    else false end;
end;
$function$;
comment on function stark_internal.is_whole(jsonb,numeric,numeric) is 'True for a whole JSON number between two bounds.';

CREATE OR REPLACE FUNCTION stark_internal.keep_an_admin()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer, since Supabase Auth's own role removes users. Only a trigger can call it.
  if exists (select from old_rows o where o.role = 'admin' and o.namespace is null) and not stark_internal.has_admin() then
    perform stark_internal.fail('LAST_ADMIN', 'this is the last admin of the cluster', 'make another admin first');
  end if;
  return null;
end;
$function$;
comment on function stark_internal.keep_an_admin() is 'Refuses to leave the cluster without an admin.';

CREATE OR REPLACE FUNCTION stark_internal.keep_bundles()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer, since Storage's own role has no right in this schema. Only a trigger can call it.
  if exists (
    select from stark.pack_versions v where v.bucket = old.bucket_id and v.path = old.name and v.state <> 'uploading'
  ) then
    perform stark_internal.fail('VERSION_EXISTS', format('the bundle %s is finished and never changes', old.name), 'register a new version');
  end if;
  return new;
end;
$function$;
comment on function stark_internal.keep_bundles() is 'Refuses to change the bundle of a finished version.';

CREATE OR REPLACE FUNCTION stark_internal.keep_house(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
begin
  perform stark_internal.lock_cluster();
  -- Dropping locks the whole table and comes first: a reader that has the table and waits for a part of it would be a deadlock.
  perform stark_internal.drop_old_partitions(p_now);
  perform stark_internal.ensure_partitions(p_now);
  perform stark_internal.remove_old_pods(p_now);
  if to_regclass('cron.job_run_details') is not null then
    delete from cron.job_run_details d where d.end_time < p_now - interval '2 days';
  end if;
end;
$function$;
comment on function stark_internal.keep_house(timestamp with time zone) is 'Partitions ahead, old ones gone, pods of long ago gone, pg_cron''s own diary kept short.';

CREATE OR REPLACE FUNCTION stark_internal.keep_reasons(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_group stark_internal.pod_group := p_group;
  v_cpu bigint[];
  v_memory bigint[];
  v_storage bigint[];
begin
  v_group.cpu := 0;
  v_group.memory := 0;
  v_group.storage := 0;
  -- How many nodes have less than what is asked for is looked up in a sorted list: pods of many sizes need no pass over the nodes each.
  select array_agg(n.free_cpu order by n.free_cpu) into v_cpu from pg_temp.pass_nodes n;
  select array_agg(n.free_memory order by n.free_memory) into v_memory from pg_temp.pass_nodes n;
  select array_agg(n.free_storage order by n.free_storage) into v_storage from pg_temp.pass_nodes n;
  with common as materialized (
    select r.reason, count(distinct r.node_no) as nodes from stark_internal.rejections(v_group) r group by r.reason
  ), wants as (
    select u.c, u.m, u.s, array_agg(u.id) as ids from unnest(p_ids, p_cpu, p_memory, p_storage) as u (id, c, m, s) group by u.c, u.m, u.s
  ), messages as (
    select w.ids, left(format('0/%s nodes', coalesce(cardinality(v_cpu), 0))
      || coalesce(': ' || (
        select string_agg(l.nodes || ' ' || l.reason, ', ' order by l.nodes desc, l.reason)
        from (
          select c.reason, c.nodes from common c
          union all select 'insufficient cpu', width_bucket(w.c - 1, v_cpu) where w.c > 0
          union all select 'insufficient memory', width_bucket(w.m - 1, v_memory) where w.m > 0
          union all select 'insufficient storage', width_bucket(w.s - 1, v_storage) where w.s > 0
        ) l
        where l.nodes > 0), ''), 4096) as message
    from wants w
  )
  insert into pg_temp.pass_reasons select i, m.message from messages m cross join unnest(m.ids) i;
end;
$function$;
comment on function stark_internal.keep_reasons(stark_internal.pod_group,uuid[],bigint[],bigint[],bigint[]) is 'Keeps why pods fit nowhere, counted per node.';

CREATE OR REPLACE FUNCTION stark_internal.keep_versions_immutable()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_name text;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  select o.pack_name || '@' || o.version into v_name
    from old_rows o join new_rows n using (id)
    where o.state <> 'uploading'
      and (n.state = 'uploading'
        or (o.pack_id, o.version, o.runtime, o.entry, o.size_bytes, o.sha256, o.bucket, o.path)
           is distinct from (n.pack_id, n.version, n.runtime, n.entry, n.size_bytes, n.sha256, n.bucket, n.path))
    limit 1;
  if found then
    perform stark_internal.fail('VERSION_EXISTS', format('%s is registered already and cannot change', v_name), 'register a new version');
  end if;
  return null;
end;
$function$;
comment on function stark_internal.keep_versions_immutable() is 'Refuses changes to a version that is ready or withdrawn.';

CREATE OR REPLACE FUNCTION stark_internal.label_selector_problem(p_selector jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if p_selector is null or p_selector = 'null' then
    return null;
  elsif jsonb_typeof(p_selector) <> 'object' or stark_internal.unknown_field(p_selector, array['matchLabels', 'matchExpressions']) is not null then
    return format('%s is {matchLabels, matchExpressions}', p_what);
  elsif p_selector ? 'matchLabels' and stark_internal.labels_problem(p_selector -> 'matchLabels') is not null then
    return format('%s.matchLabels: %s', p_what, stark_internal.labels_problem(p_selector -> 'matchLabels'));
  elsif p_selector ? 'matchExpressions' and stark_internal.requirements_problem(p_selector -> 'matchExpressions', p_what || '.matchExpressions') is not null then
    return stark_internal.requirements_problem(p_selector -> 'matchExpressions', p_what || '.matchExpressions');
  elsif p_selector ? 'matchExpressions' and exists (select from jsonb_array_elements(p_selector -> 'matchExpressions') r where r ->> 'operator' in ('Gt', 'Lt')) then
    return format('%s.matchExpressions: Gt and Lt are for nodes', p_what);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.label_selector_problem(jsonb,text) is 'What is wrong with this label selector; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.labels_problem(p_labels jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_bad text;
begin
  if p_labels is null or jsonb_typeof(p_labels) <> 'object' then
    return 'labels must be an object of strings';
  end if;
  if pg_catalog.octet_length(p_labels::text) > 16384 or (select count(*) from jsonb_object_keys(p_labels)) > 64 then
    return 'at most 64 labels and 16 kB of them';
  end if;
  select left(l.key, 80) into v_bad
    from jsonb_each(p_labels) l
    where l.key !~ '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'
    limit 1;
  if found then
    return format('label key %s is not [prefix/]name with a name of at most 63 letters, digits, -, _ or .', to_json(v_bad));
  end if;
  select l.key into v_bad
    from jsonb_each(p_labels) l
    where jsonb_typeof(l.value) <> 'string'
       or (l.value #>> '{}') !~ '^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$'
    limit 1;
  if found then
    return format('the value of label %s must be a string of at most 63 letters, digits, -, _ or .', v_bad);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.labels_problem(jsonb) is 'What is wrong with these labels; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.latest_version(p_pack_id uuid)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select v.version from stark.pack_versions v
  where v.pack_id = p_pack_id and v.state = 'ready'
  order by (right(v.version_key, 1) = '~') desc, v.version_key desc, v.ready_at desc
  limit 1;
$function$;
comment on function stark_internal.latest_version(uuid) is 'The version a pod gets when it asks for none.';

CREATE OR REPLACE FUNCTION stark_internal.limit_range_problem(p_range jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_bad record;
begin
  if p_range is null or jsonb_typeof(p_range) <> 'object'
     or exists (select from jsonb_object_keys(p_range) k where k not in ('default', 'min', 'max'))
     or exists (select from jsonb_each(p_range) r where jsonb_typeof(r.value) <> 'object') then
    return 'limit_range must be an object of default, min and max, each an object of cpu, memory and storage';
  end if;
  select r.key as bound, to_json(left(a.key, 80)) as resource into v_bad from jsonb_each(p_range) r, jsonb_each(r.value) a
    where a.key not in ('cpu', 'memory', 'storage') limit 1;
  if found then
    return format('limit_range.%s has no resource %s: known are cpu, memory and storage', v_bad.bound, v_bad.resource);
  end if;
  select r.key as bound, a.key as resource into v_bad from jsonb_each(p_range) r, jsonb_each(r.value) a
    where not stark_internal.is_whole(a.value, 0, 1000000000) limit 1;
  if found then
    return format('limit_range.%s.%s must be a whole number from 0 to 1000000000', v_bad.bound, v_bad.resource);
  end if;
  select k as resource into v_bad from unnest(array['cpu', 'memory', 'storage']) k
    where (p_range #>> array['min', k])::bigint > (p_range #>> array['max', k])::bigint
       or (p_range #>> array['default', k])::bigint > (p_range #>> array['max', k])::bigint
       or (p_range #>> array['default', k])::bigint < (p_range #>> array['min', k])::bigint limit 1;
  if found then
    return format('limit_range needs min <= default <= max of %s', v_bad.resource);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.limit_range_problem(jsonb) is 'What is wrong with this limit range; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.load_nodes()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  insert into pg_temp.pass_nodes
    select row_number() over (order by n.name), n.id, n.name, n.incarnation, n.runtime, n.owner_id, n.status, n.unschedulable, n.labels, n.taints,
           coalesce(a.cpu, 0), coalesce(a.memory, 0), coalesce(a.pods, 0),
           coalesce(a.cpu, 0) - t.cpu, coalesce(a.memory, 0) - t.memory, coalesce(a.storage, 0) - t.storage, coalesce(a.pods, 0) - t.pods
    from stark.nodes n
    cross join lateral jsonb_to_record(n.allocatable) as a (cpu bigint, memory bigint, storage bigint, pods bigint)
    cross join lateral jsonb_to_record(n.allocated) as t (cpu bigint, memory bigint, storage bigint, pods bigint);
  insert into pg_temp.pass_facts
    select count(*), array_agg(distinct n.runtime), coalesce(bool_or(n.status <> 'healthy'), false), coalesce(bool_or(n.unschedulable), false), coalesce(bool_or(n.taints <> '[]'), false)
    from pg_temp.pass_nodes n;
end;
$function$;
comment on function stark_internal.load_nodes() is 'Fills the working table of nodes.';

CREATE OR REPLACE FUNCTION stark_internal.load_pods(p_retry boolean DEFAULT true)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  insert into pg_temp.pass_pods
    select p.id, p.priority, p.created_at, p.pack_version_id, p.namespace, p.labels,
           stark_internal.placement_template(p.spec), stark_internal.placement_rules(p.spec), null, null,
           p.spec ->> 'preemptionPolicy' is distinct from 'Never', p.nominated_node_id, p.cpu_request, p.memory_request, p.storage_request
    from stark.pods p
    where p.status = 'pending'
      and (p_retry or p.status_reason is distinct from 'Unschedulable' or stark_internal.placement_rules(p.spec) is not null);
end;
$function$;
comment on function stark_internal.load_pods(boolean) is 'Fills the working table of pending pods.';

CREATE OR REPLACE FUNCTION stark_internal.load_rules()
 RETURNS boolean
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_sort TO 'off'
AS $function$
declare
  v_holders boolean;
begin
  insert into pg_temp.pass_holders
    select p.namespace, p.spec -> 'affinity', n.node_no, count(*)
    from stark.pods p join pg_temp.pass_nodes n on n.node_id = p.node_id
    where p.spec -> 'affinity' ?| array['podAffinity', 'podAntiAffinity'] and stark_internal.occupies(p.status)
    group by 1, 2, 3;
  v_holders := found;
  if not v_holders and not exists (select from pg_temp.pass_pods p where p.rules is not null) then
    return false;
  end if;
  -- Rules of pending pods, and the selectors that they and the pods already there speak of.
  with wishes as materialized (
    select w.*, row_number() over (order by w.namespace, w.rules::text) as rules_no
    from (select distinct p.namespace, p.rules from pg_temp.pass_pods p where p.rules is not null) w
  ), wanted as materialized (
    select w.rules_no, r.* from wishes w cross join lateral stark_internal.rules_of(w.namespace, w.rules) r
  ), held as materialized (
    select distinct r.terms
    from (select distinct h.namespace, h.rules from pg_temp.pass_holders h) h
    cross join lateral stark_internal.rules_of(h.namespace, h.rules) r
    where r.kind in ('anti_affinity', 'prefer', 'company')
  ), selectors as (
    insert into pg_temp.pass_selectors (terms, namespaces, match_labels)
      select t.terms,
             case when s.is_simple then array(select jsonb_array_elements_text(t.terms #> '{0,namespaces}')) end,
             case when s.is_simple then coalesce(t.terms #> '{0,selector,matchLabels}', '{}') end
      from (select w.terms from wanted w union select h.terms from held h) t
      cross join lateral (
        select jsonb_array_length(t.terms) = 1 and jsonb_typeof(t.terms #> '{0,selector}') = 'object'
               and coalesce(t.terms #> '{0,selector,matchExpressions}', '[]') = '[]' as is_simple) s
      order by t.terms::text
      returning *
  ), rules as (
    insert into pg_temp.pass_rules
      select w.rules_no, w.kind, s.selector_no, w.topology_key, w.weight, w.max_skew, w.min_domains, w.honors_affinity, w.honors_taints
      from wanted w join selectors s using (terms)
  )
  update pg_temp.pass_pods p set rules_no = w.rules_no
    from wishes w where w.namespace = p.namespace and w.rules = p.rules;
  -- Who among the pending pods is spoken of. Labels that match the same selectors are all the same to the pass.
  update pg_temp.pass_pods p set matches = m.matches
    from (
      select d.namespace, d.labels, array_agg(s.selector_no order by s.selector_no) as matches
      from (select distinct p.namespace, p.labels from pg_temp.pass_pods p) d
      join pg_temp.pass_selectors s on case
        when s.match_labels is not null then d.namespace = any (s.namespaces) and d.labels @> s.match_labels
        else stark_internal.matches_terms(d.namespace, d.labels, s.terms) end
      group by d.namespace, d.labels) m
    where p.namespace = m.namespace and p.labels = m.labels;
  -- Who among the pods already there, as far as a pending pod asks.
  insert into pg_temp.pass_counts
    select s.selector_no, n.node_no, count(*), count(*) filter (where p.status <> 'stopping')
    from stark.pods p
    join pg_temp.pass_nodes n on n.node_id = p.node_id
    join pg_temp.pass_selectors s on case
      when s.match_labels is not null then p.namespace = any (s.namespaces) and p.labels @> s.match_labels
      else stark_internal.matches_terms(p.namespace, p.labels, s.terms) end
    where stark_internal.occupies(p.status) and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)
    group by s.selector_no, n.node_no;
  if v_holders then
    with stances as materialized (
      select h.namespace, h.rules, s.selector_no, r.kind, r.topology_key, sum(r.weight) as weight
      from (select distinct h.namespace, h.rules from pg_temp.pass_holders h) h
      cross join lateral stark_internal.rules_of(h.namespace, h.rules) r
      join pg_temp.pass_selectors s using (terms)
      where r.kind in ('anti_affinity', 'prefer', 'company')
      group by 1, 2, 3, 4, 5
    ), bans as (
      insert into pg_temp.pass_bans
        select s.selector_no, s.topology_key, h.node_no, sum(h.pods)
        from pg_temp.pass_holders h join stances s using (namespace, rules)
        where s.kind = 'anti_affinity'
        group by 1, 2, 3
    )
    insert into pg_temp.pass_wishes
      select s.selector_no, s.topology_key, h.node_no, sum(s.weight * h.pods)
      from pg_temp.pass_holders h join stances s using (namespace, rules)
      where s.kind <> 'anti_affinity'
      group by 1, 2, 3;
  end if;
  insert into pg_temp.pass_domains
    select k.topology_key, n.node_no, n.labels ->> k.topology_key
    from (select r.topology_key from pg_temp.pass_rules r union select b.topology_key from pg_temp.pass_bans b
          union select w.topology_key from pg_temp.pass_wishes w) k
    join pg_temp.pass_nodes n on n.labels ? k.topology_key;
  return true;
end;
$function$;
comment on function stark_internal.load_rules() is 'Fills the working tables of rules about other pods.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  select pg_catalog.pg_advisory_xact_lock(1398030674, 1);
$function$;
comment on function stark_internal.lock_cluster() is 'Takes the cluster lock until the end of the transaction.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster_first()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  perform stark_internal.lock_cluster();
  return null;
end;
$function$;
comment on function stark_internal.lock_cluster_first() is 'Takes the cluster lock before a statement locks its first row.';

CREATE OR REPLACE FUNCTION stark_internal.matches_selector(p_labels jsonb, p_selector jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if p_selector is null or p_selector = 'null' then
    return false;
  end if;
  return p_labels @> coalesce(p_selector -> 'matchLabels', '{}')
    and not exists (
      select from jsonb_array_elements(coalesce(p_selector -> 'matchExpressions', '[]')) r
      where not case r ->> 'operator'
        when 'In' then p_labels ? (r ->> 'key') and (r -> 'values') ? (p_labels ->> (r ->> 'key'))
        when 'NotIn' then not (p_labels ? (r ->> 'key') and (r -> 'values') ? (p_labels ->> (r ->> 'key')))
        when 'Exists' then p_labels ? (r ->> 'key')
        when 'DoesNotExist' then not p_labels ? (r ->> 'key')
        else false end);
end;
$function$;
comment on function stark_internal.matches_selector(jsonb,jsonb) is 'Whether labels match a label selector.';

CREATE OR REPLACE FUNCTION stark_internal.matches_terms(p_namespace text, p_labels jsonb, p_terms jsonb)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return not exists (
    select from jsonb_array_elements(p_terms) t
    where not (t -> 'namespaces' ? p_namespace and stark_internal.matches_selector(p_labels, t -> 'selector')));
end;
$function$;
comment on function stark_internal.matches_terms(text,jsonb,jsonb) is 'Whether a pod matches all of these terms.';

CREATE OR REPLACE FUNCTION stark_internal.matching_nodes(p_terms jsonb)
 RETURNS TABLE(node_no integer, term_no bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
-- Requirements become typed rows first, so that no node has to look into JSON more than once for each.
with requirements as materialized (
  select t.no as term_no, r ->> 'operator' as operator, f.is_field, r ->> 'key' as key, v.list,
         case when v.list[1] ~ '^-?\d{1,18}$' then v.list[1]::bigint end as bound
  from jsonb_array_elements(p_terms) with ordinality as t (term, no)
  cross join lateral (values (false, t.term -> 'matchExpressions'), (true, t.term -> 'matchFields')) as f (is_field, list)
  cross join lateral jsonb_array_elements(coalesce(f.list, '[]')) r
  cross join lateral (select array(select jsonb_array_elements_text(coalesce(r -> 'values', '[]'))) as list) v
)
select n.node_no, r.term_no
from requirements r
cross join lateral (
  select m.node_no, case when r.is_field then m.name else m.labels ->> r.key end as value from pg_temp.pass_nodes m
) n
group by n.node_no, r.term_no
having bool_and(case r.operator
  when 'In' then coalesce(n.value = any (r.list), false)
  when 'NotIn' then coalesce(n.value <> all (r.list), true)
  when 'Exists' then n.value is not null
  when 'DoesNotExist' then n.value is null
  when 'Gt' then coalesce(substring(n.value from '^-?\d{1,18}$')::bigint > r.bound, false)
  when 'Lt' then coalesce(substring(n.value from '^-?\d{1,18}$')::bigint < r.bound, false)
  else false end);
$function$;
comment on function stark_internal.matching_nodes(jsonb) is 'Which nodes match which of these node selector terms.';

CREATE OR REPLACE FUNCTION stark_internal.may_read_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
  -- Definer: Storage asks as the downloading user.
  select exists (
    select from stark.pack_versions v join stark.packs p on p.id = v.pack_id
    where v.bucket = 'packs' and v.path = p_path
      and (
        stark_internal.has_permission('packs:pull', null, p.owner_id = (select auth.uid()))
        or (p.visibility = 'public' and v.state <> 'uploading' and stark_internal.is_member())
        or (
          stark_internal.has_permission('nodes:connect', null, true)
          and exists (
            select from stark.pods d join stark.nodes n on n.id = d.node_id
            where d.pack_version_id = v.id and (select auth.uid()) in (n.owner_id, n.agent_id) and stark_internal.occupies(d.status)
              and stark_internal.may_speak(n))
        )
      ));
$function$;
comment on function stark_internal.may_read_bundle(text) is 'Whether the caller may download the bundle of this path.';
grant execute on function stark_internal.may_read_bundle(text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.may_speak(p_node stark.nodes)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return stark_internal.has_permission('nodes:connect')
    or (coalesce(p_node.agent_id, p_node.owner_id) = auth.uid() and stark_internal.has_speaker(p_node));
end;
$function$;
comment on function stark_internal.may_speak(stark.nodes) is 'Whether the caller may work as the agent of this node.';

CREATE OR REPLACE FUNCTION stark_internal.may_upload_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
  -- Definer: Storage asks as the uploading user.
  select exists (
    select from stark.pack_versions v join stark.packs p on p.id = v.pack_id
    where v.bucket = 'packs' and v.path = p_path and v.state = 'uploading'
      and stark_internal.has_permission('packs:update', null, p.owner_id = (select auth.uid())));
$function$;
comment on function stark_internal.may_upload_bundle(text) is 'Whether the caller may upload the bundle of this path.';
grant execute on function stark_internal.may_upload_bundle(text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.may_use_topic(p_topic text, p_extension text, p_access text)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_rest text := substring(p_topic from '^stark:[a-z]+:(.+)$');
  v_id uuid := case when v_rest ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then v_rest::uuid end;
  v_what text := p_access || ' ' || p_extension;
begin
  -- Definer: policies are evaluated as the joining user, who may not read every table that the answer needs.
  if p_topic is null or left(p_topic, 6) <> 'stark:' then
    return false;
  end if;
  case split_part(p_topic, ':', 2)
    when 'node' then
      return v_what = 'read broadcast' and exists (
        select from stark.nodes n
        where n.id = v_id and stark_internal.may_speak(n));
    when 'presence' then
      return v_rest is null and v_what in ('read broadcast', 'write presence') and stark_internal.has_permission('nodes:connect', null, true);
    when 'heartbeat' then
      return v_rest is null and v_what in ('read presence', 'write broadcast') and stark_internal.has_permission('nodes:connect', null, true);
    when 'namespace' then
      return v_what = 'read broadcast' and exists (select from stark.namespaces n where n.name = v_rest)
        and stark_internal.has_permission('events:get', v_rest);
    when 'cluster' then
      return v_rest is null and v_what = 'read broadcast' and stark_internal.has_permission('nodes:get')
        and stark_internal.has_permission('packs:get') and stark_internal.has_permission('events:get');
    when 'pod' then
      return exists (
        select from stark.pods p left join stark.nodes n on n.id = p.node_id
        where p.id = v_id
          and case v_what
            when 'read broadcast' then stark_internal.has_permission('logs:get', p.namespace, p.created_by = (select auth.uid()))
            when 'write broadcast' then n.id is not null
              and stark_internal.may_speak(n)
            else false
          end);
    else
      return false;
  end case;
end;
$function$;
comment on function stark_internal.may_use_topic(text,text,text) is 'Whether the caller may read or write this extension of one of Stark''s topics.';
grant execute on function stark_internal.may_use_topic(text,text,text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.merge_patch(p_target jsonb, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select coalesce((select jsonb_object_agg(e.key, e.value) from jsonb_each(p_target || coalesce(p_patch, '{}')) e where e.value <> 'null'), '{}');
$function$;
comment on function stark_internal.merge_patch(jsonb,jsonb) is 'A flat object with a patch applied to it; null removes a field.';

CREATE OR REPLACE FUNCTION stark_internal.mirror_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.mirror_users() is 'Keeps one profile for each user of Supabase Auth.';

CREATE OR REPLACE FUNCTION stark_internal.missing_permission(p_permissions text[], p_namespace text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select p from unnest(p_permissions) p
  where not stark_internal.has_permission(p, p_namespace, split_part(p, ':', 3) = 'own') order by p limit 1;
$function$;
comment on function stark_internal.missing_permission(text[],text) is 'What of these permissions the caller does not have.';

CREATE OR REPLACE FUNCTION stark_internal.my_nodes()
 RETURNS uuid[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer, since policies of nodes and pods ask it about each other's tables; it tells only the caller's own.
  return case when stark_internal.has_permission('nodes:get', null, true)
    then array(select n.id from stark.nodes n where (select auth.uid()) in (n.owner_id, n.agent_id))
    else '{}'::uuid[]
  end;
end;
$function$;
comment on function stark_internal.my_nodes() is 'Ids of the nodes the caller owns or speaks for.';
grant execute on function stark_internal.my_nodes() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.name_stem(p_name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select coalesce(nullif(trim('-' from left(trim('-' from regexp_replace(lower(regexp_replace(p_name, '^@[^/]*/', '')), '[^a-z0-9]+', '-', 'g')), 57)), ''), 'pod');
$function$;
comment on function stark_internal.name_stem(text) is 'What the made-up name of a pod starts with.';

CREATE OR REPLACE FUNCTION stark_internal.node_problem(p_labels jsonb, p_taints jsonb, p_allocatable jsonb, p_capabilities jsonb)
 RETURNS TABLE(code text, problem text, hint text)
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if stark_internal.labels_problem(p_labels) is not null then
    return query select 'INVALID_LABELS', stark_internal.labels_problem(p_labels), 'use --label key=value';
  elsif stark_internal.taints_problem(p_taints) is not null then
    return query select 'INVALID_TAINTS', stark_internal.taints_problem(p_taints), 'use --taint key=value:NoSchedule';
  elsif stark_internal.resources_problem(p_allocatable, 'allocatable') is not null then
    return query select 'INVALID_ARGUMENT', stark_internal.resources_problem(p_allocatable, 'allocatable'), 'use --cpu 1000 --memory 1024 --pods 10';
  elsif p_capabilities is null or jsonb_typeof(p_capabilities) <> 'object' or octet_length(p_capabilities::text) > 16384 then
    return query select 'INVALID_ARGUMENT', 'capabilities must be an object of at most 16 kB', 'leave them out';
  end if;
end;
$function$;
comment on function stark_internal.node_problem(jsonb,jsonb,jsonb,jsonb) is 'What is wrong with a node''s own description; no row when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.node_term_problem(p_term jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if coalesce(jsonb_typeof(p_term), '') <> 'object' or stark_internal.unknown_field(p_term, array['matchExpressions', 'matchFields']) is not null then
    return format('%s is {matchExpressions, matchFields}', p_what);
  end if;
  return coalesce(
    p_what || ': ' || stark_internal.requirements_problem(coalesce(p_term -> 'matchExpressions', '[]'), 'matchExpressions'),
    p_what || ': ' || stark_internal.requirements_problem(coalesce(p_term -> 'matchFields', '[]'), 'matchFields'),
    case when exists (
      select from jsonb_array_elements(coalesce(p_term -> 'matchFields', '[]')) f
      where f ->> 'key' <> 'metadata.name' or f ->> 'operator' not in ('In', 'NotIn'))
    then p_what || ': matchFields knows metadata.name with In and NotIn only' end);
end;
$function$;
comment on function stark_internal.node_term_problem(jsonb,text) is 'What is wrong with this node selector term; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.occupies(p_status text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return p_status in ('scheduled', 'transferring', 'starting', 'running', 'stopping');
end;
$function$;
comment on function stark_internal.occupies(text) is 'Whether a pod in this status takes up room on its node.';

CREATE OR REPLACE FUNCTION stark_internal.open_tables()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Ours, and not what somebody with a session put in their place: its triggers would run as our functions' owner. All are made
  -- at once, so one tells of all; where another's stand in the way, making them fails.
  if not exists (select from pg_catalog.pg_class c where c.oid = to_regclass('pg_temp.pass_nodes') and c.relowner = current_user::regrole) then
    -- No indexes, and storage plain where values are short, so that there is nothing to store apart: what is emptied at each commit
    -- is each index too, and plans that read an emptied index are made anew.
    -- Nodes as they are now, numbered by name. free_* is what the pods placed so far, in this pass too, have left.
    create temporary table pass_nodes (
      node_no integer, node_id uuid, name text, incarnation bigint, runtime text, owner_id uuid, status text, unschedulable boolean,
      labels jsonb, taints jsonb, cpu bigint, memory bigint, pods bigint,
      free_cpu bigint, free_memory bigint, free_storage bigint, free_pods bigint
    ) on commit delete rows;
    -- What no filter needs to look for.
    create temporary table pass_facts (nodes bigint, runtimes text[] storage plain, has_unhealthy boolean, has_cordoned boolean, has_tainted boolean) on commit delete rows;
    create temporary table pass_pods (
      pod_id uuid, priority integer, created_at timestamptz, version_id uuid, namespace text, labels jsonb, template jsonb, rules jsonb,
      rules_no integer, matches integer[], preempts boolean, nominated_node_id uuid, cpu bigint, memory bigint, storage bigint
    ) on commit delete rows;
    -- Sets of pods that rules speak of: all of the terms ({namespaces, selector}) match. match_labels: when that is all there is.
    create temporary table pass_selectors (
      selector_no integer generated always as identity, terms jsonb, namespaces text[], match_labels jsonb
    ) on commit delete rows;
    create temporary table pass_rules (
      rules_no integer, kind text storage plain, selector_no integer, topology_key text storage plain, weight integer, max_skew integer, min_domains integer,
      honors_affinity boolean, honors_taints boolean
    ) on commit delete rows;
    -- The domains of the topology keys that rules name: nodes without the label are in none.
    create temporary table pass_domains (topology_key text, node_no integer, domain text) on commit delete rows;
    -- How many pods of a selector are on a node; the sum of its rows. staying: without those that are stopping.
    create temporary table pass_counts (selector_no integer, node_no integer, pods bigint, staying bigint) on commit delete rows;
    -- Where pods stand whose rules speak of others, how many with the same rules.
    create temporary table pass_holders (namespace text, rules jsonb, node_no integer, pods bigint) on commit delete rows;
    -- Of these, who keeps the pods of a selector away, and how glad the others would be of them.
    create temporary table pass_bans (selector_no integer, topology_key text storage plain, node_no integer, pods bigint) on commit delete rows;
    create temporary table pass_wishes (selector_no integer, topology_key text storage plain, node_no integer, points bigint) on commit delete rows;
    create temporary table pass_bindings (
      pod_id uuid, node_no integer, cpu bigint, memory bigint, storage bigint
    ) on commit delete rows;
    create temporary table pass_reasons (pod_id uuid, message text) on commit delete rows;
    create temporary table pass_nominations (pod_id uuid, node_no integer, victims uuid[]) on commit delete rows;
    -- What becomes of a group's pods that were promised a node; of one group at a time.
    create temporary table pass_nominated (
      ord bigint, pod_id uuid, node_no integer, cpu bigint, memory bigint, storage bigint, fits boolean, waits boolean
    ) on commit delete rows;
  end if;
  delete from pg_temp.pass_nodes;
  delete from pg_temp.pass_facts;
  delete from pg_temp.pass_pods;
  delete from pg_temp.pass_selectors;
  delete from pg_temp.pass_rules;
  delete from pg_temp.pass_domains;
  delete from pg_temp.pass_counts;
  delete from pg_temp.pass_holders;
  delete from pg_temp.pass_bans;
  delete from pg_temp.pass_wishes;
  delete from pg_temp.pass_bindings;
  delete from pg_temp.pass_reasons;
  delete from pg_temp.pass_nominations;
end;
$function$;
comment on function stark_internal.open_tables() is 'Makes the working tables of a schedule pass, or empties them.';

CREATE OR REPLACE FUNCTION stark_internal.own_rules(p_group stark_internal.pod_group)
 RETURNS TABLE(kind text, selector_no integer, topology_key text, max_skew integer)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
select r.kind, r.selector_no, r.topology_key, r.max_skew
from pg_temp.pass_rules r
where r.rules_no = p_group.rules_no
  and r.selector_no = any (p_group.matches)
  and (r.kind in ('spread', 'anti_affinity', 'prefer_spread') or (r.kind = 'prefer' and r.weight < 0))
order by r.kind in ('spread', 'anti_affinity') desc, r.kind, r.topology_key, r.selector_no;
$function$;
comment on function stark_internal.own_rules(stark_internal.pod_group) is 'Rules of a group that keep its own pods apart.';

CREATE OR REPLACE FUNCTION stark_internal.patch_taints(p_taints jsonb, p_patch jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select coalesce(jsonb_agg(t.taint order by t.part, t.ord), '[]')
  from (
    select 1 as part, e.ord, e.taint from jsonb_array_elements(p_taints) with ordinality e (taint, ord)
      where not p_patch ? ((e.taint ->> 'key') || ':' || (e.taint ->> 'effect'))
    union all
    select 2, row_number() over (order by e.key), e.value from jsonb_each(p_patch) e where e.value <> 'null'
  ) t;
$function$;
comment on function stark_internal.patch_taints(jsonb,jsonb) is 'A list of taints with a patch by key and effect applied to it.';

CREATE OR REPLACE FUNCTION stark_internal.pending_groups(p_waiting boolean DEFAULT false)
 RETURNS TABLE(pod_group stark_internal.pod_group, is_nominated boolean, ids uuid[], cpu bigint[], memory bigint[], storage bigint[])
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
begin
  return query
    select (g.priority, g.runtime, g.visibility, g.owner_id, g.template, g.rules_no, g.matches, g.preempts, g.cpu, g.memory, g.storage)::stark_internal.pod_group,
           g.is_nominated, g.ids, g.cpus, g.memories, g.storages
    from (
      select p.priority, v.runtime, k.visibility, case k.visibility when 'private' then k.owner_id end as owner_id, p.template, p.rules_no, p.matches, p.preempts,
             p.nominated_node_id is not null as is_nominated,
             max(p.cpu) as cpu, max(p.memory) as memory, max(p.storage) as storage, min(p.created_at) as oldest,
             array_agg(p.pod_id order by p.created_at, p.pod_id) as ids, array_agg(p.cpu order by p.created_at, p.pod_id) as cpus,
             array_agg(p.memory order by p.created_at, p.pod_id) as memories, array_agg(p.storage order by p.created_at, p.pod_id) as storages
      from pg_temp.pass_pods p
      join stark.pack_versions v on v.id = p.version_id
      join stark.packs k on k.id = v.pack_id
      where not p_waiting
         or (p.rules_no in (select r.rules_no from pg_temp.pass_rules r where r.kind = 'affinity')
             and not exists (select from pg_temp.pass_bindings b where b.pod_id = p.pod_id)
             and not exists (select from pg_temp.pass_nominations m where m.pod_id = p.pod_id))
      group by 1, 2, 3, 4, 5, 6, 7, 8, 9) g
    order by g.priority desc, g.is_nominated desc, g.oldest, g.ids[1];
end;
$function$;
comment on function stark_internal.pending_groups(boolean) is 'Pending pods as groups, in the order in which they are served.';

CREATE OR REPLACE FUNCTION stark_internal.permitted_namespaces(p_permission text, p_own boolean DEFAULT false)
 RETURNS text[]
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.permitted_namespaces(text,boolean) is 'The namespaces in which the caller has this right.';
grant execute on function stark_internal.permitted_namespaces(text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.pick_slots(p_group stark_internal.pod_group, p_wanted integer)
 RETURNS integer[]
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_kind text;
  v_selector integer;
  v_key text;
  v_skew integer;
  v_second text;
  v_hard integer := 0;
  v_wanted integer := p_wanted;
  v_most bigint;
  v_nodes integer[];
  v_more boolean;
  v_prefers boolean := p_group.template ? 'preferred' or p_group.rules_no is not null or p_group.matches is not null
    or (select f.has_tainted from pg_temp.pass_facts f);
begin
  if p_group.rules_no is not null then
    if exists (
      select from pg_temp.pass_rules r
      where r.rules_no = p_group.rules_no and r.selector_no = any (p_group.matches)
        and (r.kind = 'affinity' or (r.kind = 'prefer' and r.weight > 0))
        and not exists (select from pg_temp.pass_counts c where c.selector_no = r.selector_no)
    ) then
      v_wanted := 1; -- the others will want to be where the first is
    end if;
    select r.kind, r.selector_no, r.topology_key, r.max_skew into v_kind, v_selector, v_key, v_skew from stark_internal.own_rules(p_group) r limit 1;
    select count(*) filter (where r.kind in ('spread', 'anti_affinity')), (array_agg(r.topology_key))[2] into v_hard, v_second
      from stark_internal.own_rules(p_group) r;
    if v_hard <> 2 then
      v_second := null;
    end if;
    if v_hard > 2 then
      v_wanted := 1;
    end if;
  end if;
  v_most := greatest(2, 2 * v_wanted / greatest((select f.nodes from pg_temp.pass_facts f), 1));
  loop
    if v_kind is null then
      with preferred as materialized (
        select p.node_no, sum(p.score) as score from stark_internal.preferences(p_group) p where v_prefers group by p.node_no
      ), picked as (
        select s.node_no, s.slot = v_most and s.slots > v_most as more, row_number() over (order by s.score + coalesce(p.score, 0) desc, s.node_no, s.slot) as ord
        from stark_internal.score_slots(p_group, v_most, case when not v_prefers then v_wanted end) s
        left join preferred p using (node_no)
        order by s.score + coalesce(p.score, 0) desc, s.node_no, s.slot limit v_wanted
      )
      select array_agg(p.node_no order by p.ord), bool_or(p.more) into v_nodes, v_more from picked p;
    else
      with preferred as materialized (
        select p.node_no, sum(p.score) as score from stark_internal.preferences(p_group) p group by p.node_no
      ), slots as materialized (
        select s.node_no, s.slot, s.slots, s.score + coalesce(p.score, 0) as score,
               n.labels ->> v_key as domain, n.labels ->> v_second as second_domain
        from stark_internal.score_slots(p_group, v_most) s
        join pg_temp.pass_nodes n using (node_no)
        left join preferred p using (node_no)
      ), domains as materialized (
        select d.domain, d.pods,
               -- The emptiest domain can rise no higher than its room; others may be max_skew above it at the end.
               case when d.is_short then 0 else min(d.pods + coalesce(o.slots, 0)) over () end as stuck
        from stark_internal.spread_domains(p_group, v_kind) d
        left join (select s.domain, sum(s.slots) filter (where s.slot = 1) as slots from slots s group by s.domain) o using (domain)
        where d.selector_no = v_selector and d.topology_key = v_key
      ), ranked as (
        select s.*, row_number() over (partition by s.domain order by s.score desc, s.node_no, s.slot) as rank from slots s
      ), levelled as (
        select r.*, coalesce(d.pods, 0) + r.rank as level,
               case v_kind
                 when 'anti_affinity' then r.domain is null or r.rank = 1
                 when 'spread' then coalesce(d.pods, 0) + r.rank <= v_skew + d.stuck
                   and (v_hard = 1 or r.rank = 1)
                 else true
               end as is_open
        from ranked r left join domains d on d.domain = r.domain
      ), apart as (
        select l.*, v_second is null or l.second_domain is null
                    or row_number() over (partition by l.second_domain order by l.level, l.score desc, l.node_no, l.slot) = 1 as is_alone
        from levelled l where l.is_open
      ), picked as (
        select a.node_no, a.slot = v_most and a.slots > v_most as more,
               row_number() over (order by case when v_kind <> 'anti_affinity' then a.level end, a.score desc, a.node_no, a.slot) as ord
        from apart a where a.is_alone
        order by ord limit v_wanted
      )
      select array_agg(p.node_no order by p.ord), bool_or(p.more) into v_nodes, v_more from picked p;
    end if;
    -- A node of which all the slots looked at were taken may have another that is better than what was taken elsewhere.
    exit when v_more is not true or v_most >= v_wanted;
    v_most := least(v_most * 4, v_wanted);
  end loop;
  return coalesce(v_nodes, '{}');
end;
$function$;
comment on function stark_internal.pick_slots(stark_internal.pod_group,integer) is 'The nodes that pods of a group take, in order.';

CREATE OR REPLACE FUNCTION stark_internal.place_groups()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_group record;
  v_left record;
  v_lowest integer;
  v_again boolean := false;
  v_placed bigint := 0;
begin
  loop
    for v_group in select * from stark_internal.pending_groups(v_again) loop
      select v_group.ids as p_ids, v_group.cpu as p_cpu, v_group.memory as p_memory, v_group.storage as p_storage into v_left;
      if v_group.is_nominated then
        v_left := stark_internal.place_nominated(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      end if;
      continue when coalesce(cardinality(v_left.p_ids), 0) = 0;
      v_left := stark_internal.place_pods(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      continue when coalesce(cardinality(v_left.p_ids), 0) = 0;
      perform stark_internal.keep_reasons(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      if (v_group.pod_group).preempts then
        v_lowest := coalesce(v_lowest, (select min(p.priority) from stark.pods p where p.node_id is not null and p.finished_at is null), 1001);
        if v_lowest < (v_group.pod_group).priority then
          perform stark_internal.preempt(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
        end if;
      end if;
    end loop;
    -- Whoever wanted company that was placed after its turn has another.
    exit when (select count(*) from pg_temp.pass_bindings) = v_placed
      or not exists (select from pg_temp.pass_reasons r join pg_temp.pass_pods p using (pod_id) join pg_temp.pass_rules u using (rules_no) where u.kind = 'affinity');
    v_placed := (select count(*) from pg_temp.pass_bindings);
    v_again := true;
    delete from pg_temp.pass_reasons r using pg_temp.pass_pods p, pg_temp.pass_rules u
      where p.pod_id = r.pod_id and u.rules_no = p.rules_no and u.kind = 'affinity';
  end loop;
end;
$function$;
comment on function stark_internal.place_groups() is 'Works out where all pending pods go.';

CREATE OR REPLACE FUNCTION stark_internal.place_nominated(p_group stark_internal.pod_group, INOUT p_ids uuid[], INOUT p_cpu bigint[], INOUT p_memory bigint[], INOUT p_storage bigint[])
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_zero stark_internal.pod_group := p_group;
begin
  v_zero.cpu := 0;
  v_zero.memory := 0;
  v_zero.storage := 0;
  delete from pg_temp.pass_nominated;
  with rejected as materialized (
    select distinct r.node_no from stark_internal.rejections(v_zero) r where r.reason not like 'insufficient %'
  ), leaving as materialized (
    select distinct p.node_id from stark.pods p where p.status = 'stopping' and p.priority < p_group.priority
  )
  insert into pg_temp.pass_nominated
    select u.ord, u.id, n.node_no, u.c, u.m, u.s,
           n.node_no is not null and (u.c = 0 or sum(u.c) over w <= n.free_cpu) and (u.m = 0 or sum(u.m) over w <= n.free_memory)
             and (u.s = 0 or sum(u.s) over w <= n.free_storage) and count(*) over w <= n.free_pods,
           n.node_no is not null and l.node_id is not null
    from unnest(p_ids, p_cpu, p_memory, p_storage) with ordinality as u (id, c, m, s, ord)
    join pg_temp.pass_pods p on p.pod_id = u.id
    left join pg_temp.pass_nodes n on n.node_id = p.nominated_node_id and not exists (select from rejected r where r.node_no = n.node_no)
    left join leaving l on l.node_id = p.nominated_node_id
    window w as (partition by n.node_no order by u.ord);
  insert into pg_temp.pass_bindings select t.pod_id, t.node_no, t.cpu, t.memory, t.storage from pg_temp.pass_nominated t where t.fits order by t.ord;
  -- Those that wait keep their place: for the rest of the pass it is taken, and their nomination is as it was.
  insert into pg_temp.pass_nominations select t.pod_id, t.node_no, '{}' from pg_temp.pass_nominated t where t.waits and not t.fits order by t.ord;
  perform stark_internal.count_taken(p_group, array_agg(t.node_no), array_agg(t.cpu), array_agg(t.memory), array_agg(t.storage))
    from pg_temp.pass_nominated t where t.fits or t.waits having count(*) > 0;
  select array_agg(t.pod_id order by t.ord), array_agg(t.cpu order by t.ord), array_agg(t.memory order by t.ord), array_agg(t.storage order by t.ord)
    into p_ids, p_cpu, p_memory, p_storage
    from pg_temp.pass_nominated t where not (t.fits or t.waits);
end;
$function$;
comment on function stark_internal.place_nominated(stark_internal.pod_group,uuid[],bigint[],bigint[],bigint[]) is 'Places pods on the nodes that were kept for them.';

CREATE OR REPLACE FUNCTION stark_internal.place_pods(p_group stark_internal.pod_group, INOUT p_ids uuid[], INOUT p_cpu bigint[], INOUT p_memory bigint[], INOUT p_storage bigint[])
 RETURNS record
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_group stark_internal.pod_group := p_group;
  v_taken integer;
  v_same boolean;
  v_failed_ids uuid[] := '{}';
  v_failed_cpu bigint[] := '{}';
  v_failed_memory bigint[] := '{}';
  v_failed_storage bigint[] := '{}';
  v_fails boolean[];
begin
  loop
    select max(u.c), max(u.m), max(u.s), min(u.c) = max(u.c) and min(u.m) = max(u.m) and min(u.s) = max(u.s)
      into v_group.cpu, v_group.memory, v_group.storage, v_same
      from unnest(p_cpu, p_memory, p_storage) as u (c, m, s);
    exit when coalesce(cardinality(p_ids), 0) = 0;
    -- Slots for the largest request take any of the pods, so pods of many sizes are placed together, oldest first.
    v_taken := stark_internal.take_slots(v_group, p_ids, p_cpu, p_memory, p_storage);
    if v_taken = 0 then
      exit when v_same;
      -- The largest have no room. The oldest pod has its turn alone; if it fails, so do all that ask for no less.
      v_group.cpu := p_cpu[1];
      v_group.memory := p_memory[1];
      v_group.storage := p_storage[1];
      v_taken := stark_internal.take_slots(v_group, p_ids[1:1], p_cpu[1:1], p_memory[1:1], p_storage[1:1]);
      if v_taken = 0 then
        select array_agg(u.c >= v_group.cpu and u.m >= v_group.memory and u.s >= v_group.storage
                 or u.c > b.cpu or u.m > b.memory or u.s > b.storage order by u.ord) into v_fails
          from unnest(p_cpu, p_memory, p_storage) with ordinality as u (c, m, s, ord)
          cross join (select greatest(max(n.free_cpu), 0) as cpu, greatest(max(n.free_memory), 0) as memory, greatest(max(n.free_storage), 0) as storage from pg_temp.pass_nodes n) b;
        select v_failed_ids || array_agg(u.id order by u.ord) filter (where u.fails), v_failed_cpu || array_agg(u.c order by u.ord) filter (where u.fails),
               v_failed_memory || array_agg(u.m order by u.ord) filter (where u.fails), v_failed_storage || array_agg(u.s order by u.ord) filter (where u.fails),
               array_agg(u.id order by u.ord) filter (where not u.fails), array_agg(u.c order by u.ord) filter (where not u.fails),
               array_agg(u.m order by u.ord) filter (where not u.fails), array_agg(u.s order by u.ord) filter (where not u.fails)
          into v_failed_ids, v_failed_cpu, v_failed_memory, v_failed_storage, p_ids, p_cpu, p_memory, p_storage
          from unnest(p_ids, p_cpu, p_memory, p_storage, v_fails) with ordinality as u (id, c, m, s, fails, ord);
        continue;
      end if;
    end if;
    p_ids := p_ids[v_taken + 1:];
    p_cpu := p_cpu[v_taken + 1:];
    p_memory := p_memory[v_taken + 1:];
    p_storage := p_storage[v_taken + 1:];
  end loop;
  p_ids := v_failed_ids || p_ids;
  p_cpu := v_failed_cpu || p_cpu;
  p_memory := v_failed_memory || p_memory;
  p_storage := v_failed_storage || p_storage;
end;
$function$;
comment on function stark_internal.place_pods(stark_internal.pod_group,uuid[],bigint[],bigint[],bigint[]) is 'Places pods of a group; tells those that fit nowhere.';

CREATE OR REPLACE FUNCTION stark_internal.placement_rules(p_spec jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if not p_spec ?| array['affinity', 'topologySpreadConstraints'] then
    return null;
  end if;
  return nullif(jsonb_strip_nulls(jsonb_build_object(
    'podAffinity', p_spec #> '{affinity,podAffinity}',
    'podAntiAffinity', p_spec #> '{affinity,podAntiAffinity}',
    'topologySpreadConstraints', nullif(p_spec -> 'topologySpreadConstraints', '[]'))), '{}');
end;
$function$;
comment on function stark_internal.placement_rules(jsonb) is 'What a pod''s spec asks about other pods.';

CREATE OR REPLACE FUNCTION stark_internal.placement_template(p_spec jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if not p_spec ?| array['nodeName', 'nodeSelector', 'tolerations', 'affinity'] then
    return '{}';
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'nodeName', p_spec -> 'nodeName',
    'nodeSelector', p_spec -> 'nodeSelector',
    'tolerations', p_spec -> 'tolerations',
    'required', p_spec #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}',
    'preferred', nullif(p_spec #> '{affinity,nodeAffinity,preferredDuringSchedulingIgnoredDuringExecution}', '[]')));
end;
$function$;
comment on function stark_internal.placement_template(jsonb) is 'What a pod''s spec asks of a node itself.';

CREATE OR REPLACE FUNCTION stark_internal.pod_term_problem(p_term jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if coalesce(jsonb_typeof(p_term), '') <> 'object' then
    return format('%s must be an object', p_what);
  elsif stark_internal.unknown_field(p_term, array['labelSelector', 'namespaces', 'namespaceSelector', 'topologyKey']) is not null then
    return format('%s has no field %s', p_what, stark_internal.unknown_field(p_term, array['labelSelector', 'namespaces', 'namespaceSelector', 'topologyKey']));
  elsif p_term ? 'namespaces' and (jsonb_typeof(p_term -> 'namespaces') <> 'array'
    or exists (select from jsonb_array_elements(p_term -> 'namespaces') n where jsonb_typeof(n) <> 'string' or not stark_internal.is_dns_label(n #>> '{}'))) then
    return format('%s.namespaces must be a list of names', p_what);
  end if;
  return coalesce(stark_internal.topology_key_problem(p_term -> 'topologyKey', p_what),
    stark_internal.label_selector_problem(p_term -> 'labelSelector', p_what || '.labelSelector'),
    stark_internal.label_selector_problem(p_term -> 'namespaceSelector', p_what || '.namespaceSelector'));
end;
$function$;
comment on function stark_internal.pod_term_problem(jsonb,text) is 'What is wrong with this pod affinity term; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.pods_to_evict(p_now timestamp with time zone DEFAULT now())
 RETURNS TABLE(pod_id uuid, offline boolean, reason text, message text)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select distinct on (p.id) p.id, n.status = 'offline',
         case n.status when 'offline' then 'NodeOffline' else 'TaintNoExecute' end,
         case n.status when 'offline' then format('node %s is offline', n.name)
           else format('node %s has taint %s%s:NoExecute', n.name, t.taint ->> 'key', coalesce('=' || nullif(t.taint ->> 'value', ''), '')) end
  from stark_internal.evicting_taints t
  join stark.nodes n on n.id = t.node_id
  join stark.pods p on p.node_id = t.node_id
  -- Nobody is left on an offline node to end what is stopping; on any other it is on its way already.
  cross join lateral (select case when p.status <> 'stopping'
    then stark_internal.tolerated_until(p.spec -> 'tolerations', t.taint, greatest(t.since, p.scheduled_at)) else t.since end as until) u
  where stark_internal.occupies(p.status) and (p.status <> 'stopping' or n.status = 'offline') and u.until <= p_now
  order by p.id, u.until;
$function$;
comment on function stark_internal.pods_to_evict(timestamp with time zone) is 'Pods that have to leave their nodes now.';

CREATE OR REPLACE FUNCTION stark_internal.ports_problem(p_ports jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if jsonb_typeof(p_ports) <> 'array' or jsonb_array_length(p_ports) > 32 then
    return 'ports must be a list of at most 32';
  end if;
  if exists (
    select from jsonb_array_elements(p_ports) p
    where jsonb_typeof(p) <> 'object'
       or not stark_internal.is_dns_label(p ->> 'name')
       or coalesce(p ->> 'strategy', 'random') not in ('random', 'fixed')
       or ((p ->> 'strategy' = 'fixed' or p ? 'port') and not stark_internal.is_whole(p -> 'port', 1, 65535))
  ) then
    return 'each port is {name, strategy: random or fixed, port: 1 to 65535 when fixed}';
  end if;
  if (select count(distinct p ->> 'name') < count(*) from jsonb_array_elements(p_ports) p) then
    return 'two ports have the same name';
  end if;
  return null;
end;
$function$;
comment on function stark_internal.ports_problem(jsonb) is 'What is wrong with these port declarations; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.preempt(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_group stark_internal.pod_group := p_group;
  v_from integer := 1;
  v_until integer;
  v_wanted integer;
  v_nodes integer[];
  v_picked record;
  v_count integer;
  v_spreads boolean := exists (select from pg_temp.pass_rules r where r.kind in ('spread', 'prefer_spread'));
  -- Pods that must keep apart from each other are served one by one: each has its say in where the next may go.
  v_alone boolean := exists (select from stark_internal.own_rules(p_group) r where r.kind in ('spread', 'anti_affinity'));
begin
  while v_from <= cardinality(p_ids) loop
    if v_alone or v_nodes is null then
      v_nodes := stark_internal.preemptable_nodes(p_group);
      exit when v_nodes is null;
    end if;
    v_group.cpu := p_cpu[v_from];
    v_group.memory := p_memory[v_from];
    v_group.storage := p_storage[v_from];
    -- Pods that follow and ask for the same are served in the same look.
    select coalesce(min(u.ord) - 1, cardinality(p_ids)) into v_until
      from unnest(p_cpu, p_memory, p_storage) with ordinality as u (c, m, s, ord)
      where u.ord > v_from and (u.c, u.m, u.s) is distinct from (v_group.cpu, v_group.memory, v_group.storage);
    v_wanted := case when v_alone then 1 else v_until - v_from + 1 end;
    with chosen as materialized (
      select v.* from stark_internal.choose_victims(v_group, v_nodes) v
    ), ranked as (
      -- Kubernetes' order: the lowest highest victim, the lowest sum, the fewest, the latest start. Only nodes as good as the best
      -- are taken before looking again, since the best may be the best for the next pod too.
      select c.*, rank() over (order by c.highest, c.total, cardinality(c.victims)) as rank,
             row_number() over (order by c.highest, c.total, cardinality(c.victims), c.started desc, c.node_no) as ord
      from chosen c
    )
    select array_agg(r.node_no order by r.ord) as nodes, count(*)::integer as count into v_picked
      from ranked r where r.rank = 1 and r.ord <= v_wanted;
    v_count := v_picked.count;
    if v_count = 0 then
      v_from := v_until + 1; -- evicts nobody where it would not help
      continue;
    end if;
    insert into pg_temp.pass_nominations
      select p_ids[v_from + u.ord - 1], u.node_no, v.victims
      from unnest(v_picked.nodes) with ordinality as u (node_no, ord)
      join stark_internal.choose_victims(v_group, v_picked.nodes) v on v.node_no = u.node_no;
    if v_spreads then
      -- As of now topology spread counts them no longer, whoever asks next.
      insert into pg_temp.pass_counts
        select s.selector_no, n.node_no, 0, -count(*)
        from pg_temp.pass_nominations m
        cross join unnest(m.victims) v
        join stark.pods p on p.id = v
        join pg_temp.pass_nodes n on n.node_id = p.node_id
        join pg_temp.pass_selectors s on stark_internal.matches_terms(p.namespace, p.labels, s.terms)
        where m.pod_id = any (p_ids[v_from:v_from + v_count - 1]) and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)
        group by s.selector_no, n.node_no;
    end if;
    perform stark_internal.count_taken(v_group, v_picked.nodes,
      array_fill(v_group.cpu, array[v_count]), array_fill(v_group.memory, array[v_count]), array_fill(v_group.storage, array[v_count]));
    v_from := v_from + v_count;
  end loop;
end;
$function$;
comment on function stark_internal.preempt(stark_internal.pod_group,uuid[],bigint[],bigint[],bigint[]) is 'Finds nodes where lower pods have to go.';

CREATE OR REPLACE FUNCTION stark_internal.preemptable_nodes(p_group stark_internal.pod_group)
 RETURNS integer[]
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
select array_agg(n.node_no)
from pg_temp.pass_nodes n
where n.node_no not in (
    select r.node_no from stark_internal.rejections(p_group) r
    where r.reason !~ '^(insufficient |pod anti-affinity$|anti-affinity of pods there$|topology spread )')
  and n.node_no not in (
    select b.node_no from stark_internal.blocking_rules(p_group) b where b.must_leave is null or cardinality(b.pods) < b.must_leave);
$function$;
comment on function stark_internal.preemptable_nodes(stark_internal.pod_group) is 'Nodes where preemption may help.';

CREATE OR REPLACE FUNCTION stark_internal.preferences(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
begin
  if p_group.template ? 'preferred' then
    return query select * from stark_internal.score_node_affinity(p_group);
  end if;
  return query select * from stark_internal.score_taints(p_group);
  if exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer')
     or exists (select from pg_temp.pass_wishes w where w.selector_no = any (p_group.matches)) then
    return query select * from stark_internal.score_pod_affinity(p_group);
  end if;
  if exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer_spread') then
    return query select * from stark_internal.score_topology_spread(p_group);
  end if;
end;
$function$;
comment on function stark_internal.preferences(stark_internal.pod_group) is 'What each preference adds to nodes.';

CREATE OR REPLACE FUNCTION stark_internal.probe_problem(p_probe jsonb, p_what text, p_ports jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_key text;
  v_get jsonb := p_probe -> 'httpGet';
begin
  if jsonb_typeof(p_probe) <> 'object' then
    return format('%s must be an object', p_what);
  end if;
  if p_what = 'spec.readinessProbe' and p_probe ? 'packReady' then
    return case when p_probe <> '{"packReady": {}}' then format('%s.packReady is {} and stands alone', p_what) end;
  end if;
  v_key := stark_internal.unknown_field(p_probe, array['httpGet', 'initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold']);
  if v_key is not null then
    return format('%s has no field %s', p_what, v_key);
  end if;
  if coalesce(jsonb_typeof(v_get), '') <> 'object' then
    return format('%s needs httpGet: {path, port}%s', p_what, case when p_what = 'spec.readinessProbe' then ', or packReady: {}' end);
  end if;
  v_key := stark_internal.unknown_field(v_get, array['path', 'port']);
  if v_key is not null then
    return format('%s.httpGet has no field %s', p_what, v_key);
  end if;
  if v_get ? 'path' and (jsonb_typeof(v_get -> 'path') <> 'string' or v_get ->> 'path' !~ '^/[!-~]*$' or length(v_get ->> 'path') > 1024) then
    return format('%s.httpGet.path must start with / and be at most 1024 characters of a URL', p_what);
  end if;
  if not exists (
    select from jsonb_array_elements(case jsonb_typeof(p_ports) when 'array' then p_ports else '[]' end) p
    where p -> 'name' = v_get -> 'port' or (p ->> 'strategy' = 'fixed' and p -> 'port' = v_get -> 'port')
  ) then
    return format('%s.httpGet.port must be the name, or the fixed number, of one of spec.ports', p_what);
  end if;
  select k into v_key
    from (values ('initialDelaySeconds', 0), ('periodSeconds', 1), ('timeoutSeconds', 1), ('successThreshold', 1), ('failureThreshold', 1)) t (k, least)
    where p_probe ? k and not stark_internal.is_whole(p_probe -> k, least, 3600) limit 1;
  if found then
    return format('%s.%s must be a whole number from %s to 3600', p_what, v_key, case v_key when 'initialDelaySeconds' then 0 else 1 end);
  end if;
  if p_what <> 'spec.readinessProbe' and coalesce(p_probe -> 'successThreshold', '1') <> '1' then
    return format('%s.successThreshold must be 1', p_what);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.probe_problem(jsonb,text,jsonb) is 'What is wrong with this probe of a pod; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.put_permissions(p_role text, p_permissions text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_bad text;
  v_permissions text[] := array(select distinct case when p ~ ':(own|any)$' then p else p || ':any' end from unnest(p_permissions) p);
begin
  select p into v_bad from unnest(p_permissions) p where coalesce(p, '') !~ '^[a-z*]+:[a-z*]+(:(own|any))?$' limit 1;
  if found or cardinality(p_permissions) > 200 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s is no permission', coalesce(to_json(left(v_bad, 80))::text, 'a list of more than 200')), 'write kind:verb or kind:verb:own, e.g. pods:get');
  end if;
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
      'kinds: packs, nodes, pods, logs, events, namespaces, users, roles, priorityclasses, settings; verbs: get, create, update, delete, pull, connect, bind, escalate');
  end;
  -- Last: what watches for lost rights looks at what is left.
  delete from stark.role_permissions p where p.role = p_role and concat_ws(':', p.kind, p.verb, p.scope) <> all (v_permissions);
end;
$function$;
comment on function stark_internal.put_permissions(text,text[]) is 'Replaces the permissions of a role, never by more than the caller has.';

CREATE OR REPLACE FUNCTION stark_internal.quota_problem(p_quota jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_key text;
begin
  if p_quota is null or jsonb_typeof(p_quota) <> 'object' then
    return 'quota must be an object of whole numbers: pods, cpu (millicores), memory (MB), storage (MB), deployments';
  end if;
  v_key := stark_internal.unknown_field(p_quota, array['pods', 'cpu', 'memory', 'storage', 'deployments']);
  if v_key is not null then
    return format('quota has no resource %s: known are pods, cpu, memory, storage and deployments', v_key);
  end if;
  select q.key into v_key from jsonb_each(p_quota) q where not stark_internal.is_whole(q.value, 0, 1000000000000) limit 1;
  if found then
    return format('quota.%s must be a whole number from 0 to 1000000000000', v_key);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.quota_problem(jsonb) is 'What is wrong with this quota; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.random_suffix()
 RETURNS text
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  select string_agg(substr('bcdfghjklmnpqrstvwxz2456789', 1 + floor(random() * 27)::integer, 1), '') from generate_series(1, 5);
$function$;
comment on function stark_internal.random_suffix() is 'Five random characters for made-up names.';

CREATE OR REPLACE FUNCTION stark_internal.read_pod(p_item jsonb, p_user_id uuid)
 RETURNS stark.pods
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_pod stark.pods;
  v_version stark.pack_versions;
  v_node stark.nodes;
  v_config stark.cluster_config;
  v_class stark.priority_classes;
  v_problem text;
begin
  if jsonb_typeof(p_item) is distinct from 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a pod must be an object', 'give at least {"pack": "name"}');
  end if;
  select k into v_problem from jsonb_object_keys(p_item) k
    where k not in ('pack', 'version', 'namespace', 'name', 'replicas', 'labels', 'priority', 'spec') limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a pod has no field %s', to_json(left(v_problem, 80))),
      'known: pack, version, namespace, name, replicas, labels, priority, spec');
  end if;
  select k into v_problem from unnest(array['pack', 'version', 'namespace', 'name']) k
    where coalesce(jsonb_typeof(p_item -> k), 'null') not in ('string', 'null') limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s must be a string', v_problem), 'stark pod create --help');
  end if;
  select * into v_config from stark.cluster_config;
  v_pod.namespace := coalesce(p_item ->> 'namespace', v_config.default_namespace);
  v_pod.name := p_item ->> 'name';
  v_pod.labels := coalesce(nullif(p_item -> 'labels', 'null'), '{}');
  v_pod.spec := coalesce(nullif(p_item -> 'spec', 'null'), '{}');

  -- stark-system is the platform's: there a right to own pods alone is not enough.
  perform stark_internal.require_permission('pods:create', v_pod.namespace, v_pod.namespace <> 'stark-system');
  perform stark_internal.require_namespace(v_pod.namespace);
  if v_pod.name is not null and not stark_internal.is_dns_label(v_pod.name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a pod', to_json(left(v_pod.name, 80))), 'use lower case letters, digits and -, at most 63');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'replicas', 'null'), '1'), 1, 10000) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('replicas must be a whole number from 1 to 10000, not %s', left((p_item -> 'replicas')::text, 80)), 'use --replicas 3');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'priority', 'null'), '100'), 0, 1000) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('priority must be a whole number from 0 to 1000, not %s', left((p_item -> 'priority')::text, 80)), 'use --priority 100');
  end if;
  if stark_internal.labels_problem(v_pod.labels) is not null then
    perform stark_internal.fail('INVALID_LABELS', stark_internal.labels_problem(v_pod.labels), 'use --label key=value');
  end if;
  if stark_internal.spec_problem(v_pod.spec) is not null then
    perform stark_internal.fail('INVALID_SPEC', stark_internal.spec_problem(v_pod.spec), 'stark pod create --help');
  end if;
  v_class := stark_internal.find_priority_class(v_pod.spec ->> 'priorityClassName');
  if v_pod.spec ? 'priorityClassName' and coalesce((p_item ->> 'priority')::numeric <> v_class.value, false) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('priority %s is not that of class %s, %s', p_item ->> 'priority', v_class.name, v_class.value), 'leave --priority out');
  end if;
  v_pod.priority := coalesce((p_item ->> 'priority')::numeric, v_class.value);
  if v_class.preemption_policy = 'Never' and (v_pod.spec ? 'priorityClassName' or p_item -> 'priority' is null) and not v_pod.spec ? 'preemptionPolicy' then
    v_pod.spec := v_pod.spec || '{"preemptionPolicy": "Never"}';
  end if;
  v_version := stark_internal.find_deployable_version(p_item ->> 'pack', p_item ->> 'version', p_user_id);
  v_pod.pack_id := v_version.pack_id;
  v_pod.pack_name := v_version.pack_name;
  v_pod.pack_version_id := v_version.id;
  v_pod.version := v_version.version;
  if v_pod.spec ? 'nodeName' then
    select * into v_node from stark.nodes n where n.name = v_pod.spec ->> 'nodeName';
    if not found then
      perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', v_pod.spec ->> 'nodeName'), 'stark node list');
    elsif v_version.runtime not in ('isomorphic', v_node.runtime) then
      perform stark_internal.fail('RUNTIME_MISMATCH', format('%s@%s runs on %s, node %s is a %s node',
        v_version.pack_name, v_version.version, v_version.runtime, v_node.name, v_node.runtime), 'stark node list');
    end if;
  end if;
  v_pod.spec := jsonb_build_object('terminationGracePeriodSeconds', v_config.default_grace_seconds) || jsonb_set(v_pod.spec, '{resources}', coalesce(v_pod.spec -> 'resources', '{}')
    || jsonb_build_object('requests', jsonb_build_object('cpu', v_config.default_cpu_request, 'memory', v_config.default_memory_request)
      || coalesce((select n.limit_range -> 'default' from stark.namespaces n where n.name = v_pod.namespace), '{}') || coalesce(v_pod.spec #> '{resources,requests}', '{}')));
  return v_pod;
end;
$function$;
comment on function stark_internal.read_pod(jsonb,uuid) is 'The pod that an entry of create_pods asks for.';

CREATE OR REPLACE FUNCTION stark_internal.read_reports(p_reports jsonb)
 RETURNS TABLE(ord bigint, nth bigint, pod_id uuid, status text, reason text, message text, exit_code integer, restarts integer, ready boolean, ports jsonb, observed_at timestamp with time zone)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select e.ord, row_number() over (partition by e.report ->> 'pod_id' order by e.ord), (e.report ->> 'pod_id')::uuid, e.report ->> 'status',
         left(e.report ->> 'reason', 128), left(e.report ->> 'message', 4096),
         (e.report ->> 'exit_code')::numeric::integer, (e.report ->> 'restarts')::numeric::integer,
         (e.report ->> 'ready')::boolean, nullif(e.report -> 'ports', 'null'), (e.report ->> 'observed_at')::timestamptz
  from jsonb_array_elements(p_reports) with ordinality as e (report, ord)
  where stark_internal.report_problem(e.report) is null;
$function$;
comment on function stark_internal.read_reports(jsonb) is 'Well-formed reports as rows.';

CREATE OR REPLACE FUNCTION stark_internal.reap_nodes(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_dead uuid[];
begin
  if not exists (select from stark_internal.silent_nodes() s where s.silence > s.allowed * 2 / 3) then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  v_dead := array(select s.node_id from stark_internal.silent_nodes() s where s.silence > s.allowed);
  perform stark_internal.ring_nodes(array(select s.node_id from stark_internal.silent_nodes() s where s.silence > s.allowed * 2 / 3));
  delete from stark_internal.node_secrets k where k.node_id = any (v_dead);
  update stark.nodes n set status = 'offline', status_reason = 'HeartbeatTimeout', incarnation = n.incarnation + 1, updated_at = p_now
    where n.id = any (v_dead);
  return cardinality(v_dead);
end;
$function$;
comment on function stark_internal.reap_nodes(timestamp with time zone) is 'Gives up nodes that were silent for too long while somebody listened.';

CREATE OR REPLACE FUNCTION stark_internal.rejections(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, reason text)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_facts record;
begin
  select * into v_facts from pg_temp.pass_facts;
  if p_group.runtime <> 'isomorphic' and v_facts.runtimes <> array[p_group.runtime] then
    return query select * from stark_internal.filter_runtime(p_group);
  end if;
  if v_facts.has_unhealthy then
    return query select * from stark_internal.filter_health(p_group);
  end if;
  if v_facts.has_cordoned then
    return query select * from stark_internal.filter_unschedulable(p_group);
  end if;
  if v_facts.has_tainted then
    return query select * from stark_internal.filter_taints(p_group);
  end if;
  return query select * from stark_internal.filter_resources(p_group);
  if p_group.visibility = 'private' then
    return query select * from stark_internal.filter_pack_access(p_group);
  end if;
  if p_group.template ?| array['nodeName', 'nodeSelector', 'required'] then
    return query
      select * from stark_internal.filter_node_name(p_group)
      union all select * from stark_internal.filter_node_selector(p_group)
      union all select * from stark_internal.filter_node_affinity(p_group);
  end if;
  if p_group.rules_no is not null then
    return query
      select * from stark_internal.filter_pod_affinity(p_group)
      union all select * from stark_internal.filter_pod_anti_affinity(p_group)
      union all select * from stark_internal.filter_topology_spread(p_group);
  end if;
  if p_group.matches is not null then
    return query select * from stark_internal.filter_existing_anti_affinity(p_group);
  end if;
end;
$function$;
comment on function stark_internal.rejections(stark_internal.pod_group) is 'Which nodes are rejected for a group, under each filter.';

CREATE OR REPLACE FUNCTION stark_internal.remove_emptied_namespaces()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  delete from stark.namespaces n where n.phase = 'terminating' and not exists (select from stark.pods p where p.namespace = n.name);
  update stark.cluster_config c set default_namespace = 'default'
    where not exists (select from stark.namespaces n where n.name = c.default_namespace);
end;
$function$;
comment on function stark_internal.remove_emptied_namespaces() is 'Removes terminating namespaces without pods.';

CREATE OR REPLACE FUNCTION stark_internal.remove_ended_pods()
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  with removed as (
    delete from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null returning 1)
  select count(*)::integer from removed;
$function$;
comment on function stark_internal.remove_ended_pods() is 'Removes the rows of ended pods that were to be deleted.';

CREATE OR REPLACE FUNCTION stark_internal.remove_old_pods(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  with removed as (
    delete from stark.pods p using stark.cluster_config c
      where p.finished_at < p_now - c.ended_pod_retention_days * interval '1 day' returning 1)
  select count(*)::integer from removed;
$function$;
comment on function stark_internal.remove_old_pods(timestamp with time zone) is 'Removes the rows of pods that ended long ago.';

CREATE OR REPLACE FUNCTION stark_internal.renew_leases(p_sightings jsonb, p_at timestamp with time zone)
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  with seen as materialized (
    select s.node_id, s.incarnation, s.sign, s.usage
    from jsonb_to_recordset(p_sightings) as s (node_id uuid, incarnation bigint, secret text, sign text, usage jsonb)
    join stark_internal.node_secrets k
      on k.node_id = s.node_id and k.incarnation = s.incarnation and k.secret_sha256 = encode(sha256(convert_to(s.secret, 'UTF8')), 'hex')
  ), turned as (
    update stark.nodes n set
        status = case s.sign when 'gone' then 'unhealthy' else 'healthy' end,
        status_reason = case s.sign when 'gone' then 'ConnectionLost' end,
        updated_at = now()
      from seen s
      where n.id = s.node_id and n.incarnation = s.incarnation
        and n.status = case s.sign when 'gone' then 'healthy' else 'unhealthy' end
  ), renewed as (
    update stark.node_leases l set renewed_at = greatest(l.renewed_at, p_at), usage = coalesce(s.usage, l.usage)
      from seen s
      where l.node_id = s.node_id and l.incarnation = s.incarnation
        and (s.sign = 'heartbeat' or (s.sign = 'present' and l.liveness = 'thrifty'))
      returning 1
  )
  select count(*)::integer from renewed;
$function$;
comment on function stark_internal.renew_leases(jsonb,timestamp with time zone) is 'Writes what the watcher has seen of the nodes.';

CREATE OR REPLACE FUNCTION stark_internal.report_problem(p_report jsonb)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select case
    when jsonb_typeof(p_report) <> 'object' then 'a report must be an object'
    when jsonb_typeof(p_report -> 'pod_id') is distinct from 'string' or not pg_input_is_valid(p_report ->> 'pod_id', 'uuid') then 'pod_id must be a uuid'
    when coalesce(p_report ->> 'status', '') not in ('transferring', 'starting', 'running', 'stopping', 'stopped', 'succeeded', 'failed')
      then 'status must be transferring, starting, running, stopping, stopped, succeeded or failed'
    when coalesce(jsonb_typeof(p_report -> 'reason'), 'null') not in ('string', 'null') then 'reason must be a string'
    when coalesce(jsonb_typeof(p_report -> 'message'), 'null') not in ('string', 'null') then 'message must be a string'
    when coalesce(jsonb_typeof(p_report -> 'exit_code'), 'null') <> 'null'
      and not stark_internal.is_whole(p_report -> 'exit_code', -2147483648, 2147483647) then 'exit_code must be a whole number'
    when coalesce(jsonb_typeof(p_report -> 'restarts'), 'null') <> 'null'
      and not stark_internal.is_whole(p_report -> 'restarts', 0, 2147483647) then 'restarts must be a whole number from 0'
    when coalesce(jsonb_typeof(p_report -> 'ready'), 'null') not in ('boolean', 'null') then 'ready must be true or false'
    when coalesce(jsonb_typeof(p_report -> 'ports'), 'null') not in ('object', 'null') or octet_length((p_report -> 'ports')::text) > 4096
      then 'ports must be an object of port numbers'
    when jsonb_typeof(p_report -> 'ports') = 'object' and exists (
      select from jsonb_each(case jsonb_typeof(p_report -> 'ports') when 'object' then p_report -> 'ports' else '{}' end) e
      where not stark_internal.is_whole(e.value, 1, 65535)) then 'ports must be an object of port numbers'
    when coalesce(jsonb_typeof(p_report -> 'observed_at'), 'null') <> 'null'
      and not stark_internal.is_time(p_report ->> 'observed_at') then 'observed_at must be a time'
  end;
$function$;
comment on function stark_internal.report_problem(jsonb) is 'What is wrong with an agent''s report; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.request_header(p_name text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select nullif(pg_catalog.current_setting('request.headers', true), '')::jsonb ->> p_name;
$function$;
comment on function stark_internal.request_header(text) is 'A header of the HTTP request being served.';

CREATE OR REPLACE FUNCTION stark_internal.require_agent(p_node_id uuid, p_incarnation bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_user();
  select * into v_node from stark.nodes n where n.id = p_node_id;
  if not found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', coalesce(p_node_id::text, 'null')), 'register the node again');
  end if;
  if not stark_internal.may_speak(v_node) then
    perform stark_internal.fail('FORBIDDEN', format('%s may not speak for node %s', stark_internal.caller_name(), p_node_id), 'sign in as the owner of the node, or join anew');
  end if;
  if p_incarnation is not null and p_incarnation <> v_node.incarnation then
    perform stark_internal.fail('STALE_INCARNATION', format('node %s is at incarnation %s, this call is from %s', v_node.name, v_node.incarnation, p_incarnation),
      'the node was given up meanwhile, or another agent has taken it over: connect anew');
  end if;
  return v_node;
end;
$function$;
comment on function stark_internal.require_agent(uuid,bigint) is 'The node, when the caller may speak for this incarnation of it.';

CREATE OR REPLACE FUNCTION stark_internal.require_grantable(p_role text, p_namespace text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.require_grantable(text,text) is 'Raises a coded error when the caller may not give this role.';

CREATE OR REPLACE FUNCTION stark_internal.require_join(p_secret_sha256 text, p_name text, p_runtime text, p_now timestamp with time zone DEFAULT now())
 RETURNS stark.join_tokens
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_token stark.join_tokens;
begin
  if p_secret_sha256 is not null then
    select t.* into v_token from stark_internal.join_token_secrets s join stark.join_tokens t on t.id = s.token_id
      where s.secret_sha256 = p_secret_sha256;
    if not found then
      perform stark_internal.fail('JOIN_TOKEN_INVALID', 'there is no such join token', 'stark node token create');
    elsif v_token.revoked_at is not null or not stark_internal.user_may(v_token.owner_id, 'nodes:create', null, true) then
      perform stark_internal.fail('JOIN_TOKEN_REVOKED', format('join token %s was revoked', v_token.id), 'stark node token create');
    elsif v_token.expires_at <= p_now then
      perform stark_internal.fail('JOIN_TOKEN_EXPIRED', format('join token %s expired at %s', v_token.id, to_char(v_token.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')), 'stark node token create');
    elsif v_token.uses >= v_token.max_uses then
      perform stark_internal.fail('JOIN_TOKEN_USED_UP', format('join token %s was good for %s nodes, and as many have joined', v_token.id, v_token.max_uses), 'stark node token create --uses 10');
    end if;
  elsif not (select c.allow_node_registration from stark.cluster_config c) then
    perform stark_internal.fail('NODE_REGISTRATION_CLOSED', 'this cluster takes no node without a join token or an account', 'stark node token create, then start the agent with --token');
  end if;
  if not stark_internal.is_dns_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a node', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits, - and .');
  end if;
  if p_runtime is null or p_runtime not in ('node', 'browser') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime of a node', coalesce(to_json(left(p_runtime, 80))::text, 'null')), 'use node or browser');
  end if;
  if exists (select from stark.nodes n where n.name = p_name) then
    perform stark_internal.fail('NODE_NAME_TAKEN', format('there is a node named %s already', p_name), format('use another --name; if that machine is no more: stark node delete %s', p_name));
  end if;
  return v_token;
end;
$function$;
comment on function stark_internal.require_join(text,text,text,timestamp with time zone) is 'The join token, when a machine may become this node by it.';

CREATE OR REPLACE FUNCTION stark_internal.require_namespace(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if not exists (select from stark.namespaces n where n.name = p_name) then
    perform stark_internal.fail('NAMESPACE_NOT_FOUND', format('no namespace %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark namespace list');
  end if;
end;
$function$;
comment on function stark_internal.require_namespace(text) is 'Raises a coded error when there is no such namespace.';

CREATE OR REPLACE FUNCTION stark_internal.require_node(p_name text, p_permission text)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_node stark.nodes;
begin
  select * into v_node from stark.nodes n
    where n.name = p_name and stark_internal.has_permission('nodes:get', null, n.owner_id is not distinct from v_user);
  if not found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark node list');
  end if;
  perform stark_internal.require_permission(p_permission, null, v_node.owner_id is not distinct from v_user);
  return v_node;
end;
$function$;
comment on function stark_internal.require_node(text,text) is 'The node of this name, when the caller may do this to it.';

CREATE OR REPLACE FUNCTION stark_internal.require_own_role(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if not exists (select from stark.roles r where r.name = p_name) then
    perform stark_internal.fail('ROLE_NOT_FOUND', format('no role %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark role list');
  end if;
  if exists (select from stark.roles r where r.name = p_name and r.built_in) then
    perform stark_internal.fail('ROLE_RESERVED', format('%s is built in and stays as it is', p_name), 'make a role of your own');
  end if;
end;
$function$;
comment on function stark_internal.require_own_role(text) is 'Raises a coded error when a role is unknown or built in.';

CREATE OR REPLACE FUNCTION stark_internal.require_pack(p_name text, p_permission text)
 RETURNS stark.packs
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_pack stark.packs;
begin
  select * into v_pack from stark.packs p
    where p.name = p_name and (stark_internal.has_permission('packs:get', null, p.owner_id is not distinct from v_user)
                               or (p.visibility = 'public' and stark_internal.is_member()));
  if not found then
    perform stark_internal.fail('PACK_NOT_FOUND', format('no pack %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark pack list');
  end if;
  perform stark_internal.require_permission(p_permission, null, v_pack.owner_id is not distinct from v_user);
  return v_pack;
end;
$function$;
comment on function stark_internal.require_pack(text,text) is 'The pack of this name, when the caller may do this to it.';

CREATE OR REPLACE FUNCTION stark_internal.require_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.require_permission(text,text,boolean) is 'Raises a coded error when the caller lacks the right.';

CREATE OR REPLACE FUNCTION stark_internal.require_pods(p_ids uuid[], p_permission text, p_if_version bigint DEFAULT NULL::bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_id uuid;
  v_name text;
begin
  if p_ids is null or cardinality(p_ids) = 0 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_ids must name at least one pod', 'stark pod list');
  end if;
  if cardinality(p_ids) > 10000 then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s pods in one call, at most 10000', cardinality(p_ids)), 'use several calls');
  end if;
  select i.id into v_id
    from unnest(p_ids) i (id) left join stark.pods p on p.id = i.id
    where p.id is null
       or not (p.namespace = any (stark_internal.permitted_namespaces('pods:get'))
            or (p.created_by = v_user and p.namespace = any (stark_internal.permitted_namespaces('pods:get', true))))
    limit 1;
  if found then
    perform stark_internal.fail('POD_NOT_FOUND', format('no pod %s', coalesce(v_id::text, 'null')), 'stark pod list -A');
  end if;
  select p.name into v_name
    from stark.pods p
    where p.id = any (p_ids)
      and not (p.namespace = any (stark_internal.permitted_namespaces(p_permission))
            or (p.created_by = v_user and p.namespace = any (stark_internal.permitted_namespaces(p_permission, true))))
    limit 1;
  if found then
    perform stark_internal.fail('FORBIDDEN', format('%s may not %s pod %s', stark_internal.caller_name(), split_part(p_permission, ':', 2), v_name), 'stark auth whoami');
  end if;
  if p_if_version is not null and cardinality(p_ids) > 1 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('p_if_version is the revision of one pod, and %s are named', cardinality(p_ids)), 'name one pod');
  end if;
  perform stark_internal.require_version('pod ' || p.name, p_if_version, p.resource_version) from stark.pods p where p.id = p_ids[1];
end;
$function$;
comment on function stark_internal.require_pods(uuid[],text,bigint) is 'Raises a coded error unless the caller may do this to each of these pods.';

CREATE OR REPLACE FUNCTION stark_internal.require_priority_class(p_name text, p_if_version bigint)
 RETURNS stark.priority_classes
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_class stark.priority_classes;
begin
  select * into v_class from stark.priority_classes c where c.name = p_name;
  if not found then
    perform stark_internal.fail('PRIORITY_CLASS_NOT_FOUND', format('no priority class %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark priorityclass list');
  end if;
  perform stark_internal.require_version('priority class ' || p_name, p_if_version, v_class.resource_version);
  return v_class;
end;
$function$;
comment on function stark_internal.require_priority_class(text,bigint) is 'The priority class of this name, when it is as the caller saw it.';

CREATE OR REPLACE FUNCTION stark_internal.require_user()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.require_user() is 'The signed-in user''s id; raises when nobody is signed in.';

CREATE OR REPLACE FUNCTION stark_internal.require_version(p_what text, p_seen bigint, p_present bigint)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  perform pg_catalog.set_config('stark.saw_revision', case when p_seen is null then '' else 'yes' end, true);
  if p_seen is not null and p_seen <> p_present then
    perform stark_internal.fail('CONFLICT', format('%s is at revision %s, you saw %s', p_what, p_present, p_seen), 'read it again and repeat the change');
  end if;
end;
$function$;
comment on function stark_internal.require_version(text,bigint,bigint) is 'Raises CONFLICT when an object is not at the revision the caller saw.';

CREATE OR REPLACE FUNCTION stark_internal.requirements_problem(p_requirements jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if jsonb_typeof(p_requirements) <> 'array' or jsonb_array_length(p_requirements) > 64
     or exists (select from jsonb_array_elements(p_requirements) r where jsonb_typeof(r) <> 'object') then
    return format('%s must be a list of at most 64 objects', p_what);
  end if;
  if exists (
    select from jsonb_array_elements(p_requirements) r
    where coalesce(jsonb_typeof(r -> 'key'), '') <> 'string'
       or coalesce(r ->> 'operator', '') not in ('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt')
       or coalesce(jsonb_typeof(r -> 'values'), 'array') <> 'array'
       or exists (select from jsonb_object_keys(r) k where k not in ('key', 'operator', 'values'))
  ) then
    return format('each of %s is {key, operator: In, NotIn, Exists, DoesNotExist, Gt or Lt, values}', p_what);
  end if;
  if exists (
    select from jsonb_array_elements(p_requirements) r
    cross join lateral (select coalesce(jsonb_array_length(r -> 'values'), 0) as given) v
    where case
      when r ->> 'operator' in ('Exists', 'DoesNotExist') then v.given > 0
      when r ->> 'operator' in ('In', 'NotIn') then v.given = 0
      else v.given <> 1 or coalesce(r #>> '{values,0}', '') !~ '^-?\d{1,18}$'
    end
    or exists (select from jsonb_array_elements(coalesce(r -> 'values', '[]')) e where jsonb_typeof(e) <> 'string')
  ) then
    return format('%s: In and NotIn need values, Exists and DoesNotExist none, Gt and Lt one whole number; values are strings', p_what);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.requirements_problem(jsonb,text) is 'What is wrong with these match expressions; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.resolve_term(p_namespace text, p_term jsonb)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
select jsonb_build_object(
  'selector', p_term -> 'labelSelector',
  'namespaces', case
    when jsonb_array_length(coalesce(p_term -> 'namespaces', '[]')) = 0 and coalesce(p_term -> 'namespaceSelector', 'null') = 'null'
      then jsonb_build_array(p_namespace)
    else (
      select coalesce(jsonb_agg(n.name order by n.name), '[]') from stark.namespaces n
      where coalesce(p_term -> 'namespaces', '[]') ? n.name or stark_internal.matches_selector(n.labels, p_term -> 'namespaceSelector'))
  end);
$function$;
comment on function stark_internal.resolve_term(text,jsonb) is 'The pods that a term speaks of.';

CREATE OR REPLACE FUNCTION stark_internal.resources_problem(p_resources jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_key text;
begin
  if p_resources is null or jsonb_typeof(p_resources) <> 'object' then
    return format('%s must be an object of cpu (millicores), memory (MB), storage (MB) and pods', p_what);
  end if;
  select r.key into v_key from jsonb_each(p_resources) r where r.key not in ('cpu', 'memory', 'storage', 'pods') limit 1;
  if found then
    return format('%s has no resource %s: known are cpu, memory, storage and pods', p_what, to_json(left(v_key, 80)));
  end if;
  select r.key into v_key from jsonb_each(p_resources) r where not stark_internal.is_whole(r.value, 0, 1000000000) limit 1;
  if found then
    return format('%s.%s must be a whole number from 0 to 1000000000', p_what, v_key);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.resources_problem(jsonb,text) is 'What is wrong with these resource amounts; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.ring_nodes(p_ids uuid[])
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  select realtime.send('{}', 'sync', 'stark:node:' || i, true) from unnest(p_ids) i;
$function$;
comment on function stark_internal.ring_nodes(uuid[]) is 'Sends command sync to agents.';

CREATE OR REPLACE FUNCTION stark_internal.rules_of(p_namespace text, p_rules jsonb)
 RETURNS TABLE(kind text, terms jsonb, topology_key text, weight integer, max_skew integer, min_domains integer, honors_affinity boolean, honors_taints boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with affinity as (
  select t as term from jsonb_array_elements(coalesce(p_rules #> '{podAffinity,requiredDuringSchedulingIgnoredDuringExecution}', '[]')) t
)
-- One pod that is there must satisfy all required terms, so these share one set of pods.
select 'affinity', (select jsonb_agg(stark_internal.resolve_term(p_namespace, a.term)) from affinity a), a.term ->> 'topologyKey', null::integer, null::integer, null::integer, null::boolean, null::boolean
from affinity a
union all
-- To those that come later each is a preference: Kubernetes' hardPodAffinityWeight, which is 1.
select 'company', jsonb_build_array(stark_internal.resolve_term(p_namespace, a.term)), a.term ->> 'topologyKey', 1, null, null, null, null
from affinity a
union all
select 'anti_affinity', jsonb_build_array(stark_internal.resolve_term(p_namespace, t)), t ->> 'topologyKey', null, null, null, null, null
from jsonb_array_elements(coalesce(p_rules #> '{podAntiAffinity,requiredDuringSchedulingIgnoredDuringExecution}', '[]')) t
union all
select 'prefer', jsonb_build_array(stark_internal.resolve_term(p_namespace, t -> 'podAffinityTerm')), t #>> '{podAffinityTerm,topologyKey}',
       s.sign * (t ->> 'weight')::integer, null, null, null, null
from (values (1, 'podAffinity'), (-1, 'podAntiAffinity')) as s (sign, field)
cross join lateral jsonb_array_elements(coalesce(p_rules #> array[s.field, 'preferredDuringSchedulingIgnoredDuringExecution'], '[]')) t
union all
select case when t ->> 'whenUnsatisfiable' = 'ScheduleAnyway' then 'prefer_spread' else 'spread' end,
       jsonb_build_array(stark_internal.resolve_term(p_namespace, t)), t ->> 'topologyKey', null, (t ->> 'maxSkew')::integer, (t ->> 'minDomains')::integer,
       coalesce(t ->> 'nodeAffinityPolicy', 'Honor') = 'Honor', coalesce(t ->> 'nodeTaintsPolicy', 'Ignore') = 'Honor'
from jsonb_array_elements(coalesce(p_rules -> 'topologySpreadConstraints', '[]')) t;
$function$;
comment on function stark_internal.rules_of(text,jsonb) is 'Rules of a pod about other pods, one a row.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_pods(p_retry boolean DEFAULT true, p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_placed integer;
  v_origin text := pg_catalog.current_setting('stark.origin', true);
begin
  -- Definer: whoever comes first in a session makes the working tables, and all who follow must be able to use them. No API role may call it.
  perform stark_internal.lock_cluster();
  if not exists (select from stark.pods p where p.status = 'pending') then
    return 0;
  end if;
  perform pg_catalog.set_config('stark.origin', 'scheduler', true);
  perform stark_internal.open_tables();
  perform stark_internal.load_nodes();
  perform stark_internal.load_pods(p_retry);
  if exists (select from pg_temp.pass_pods p where p.template ? 'required') then
    perform stark_internal.unify_templates();
  end if;
  perform stark_internal.load_rules();
  perform stark_internal.place_groups();
  v_placed := stark_internal.bind(p_now);
  perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true);
  return v_placed;
end;
$function$;
comment on function stark_internal.schedule_pods(boolean,timestamp with time zone) is 'Places pending pods, highest priority first.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_when_nodes_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    if not exists (
      select from old_rows o join new_rows n using (id)
      where n.status = 'healthy' and not n.unschedulable
        and (o.status, o.unschedulable, o.labels, o.taints, o.allocatable)
            is distinct from (n.status, n.unschedulable, n.labels, n.taints, n.allocatable)
    ) then
      return null;
    end if;
  elsif not exists (select from new_rows n where n.status = 'healthy' and not n.unschedulable) then
    return null;
  end if;
  if exists (select from stark.pods p where p.status = 'pending') then
    perform stark_internal.schedule_pods();
  end if;
  return null;
end;
$function$;
comment on function stark_internal.schedule_when_nodes_change() is 'Runs a schedule pass when a node became usable.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_when_room_is_freed()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    if not exists (
      select from old_rows o join new_rows n using (id)
      where (stark_internal.occupies(o.status) and not stark_internal.occupies(n.status))
         or (o.nominated_node_id is not null and o.finished_at is null and n.finished_at is not null)
    ) then
      return null;
    end if;
  elsif not exists (select from old_rows o where stark_internal.occupies(o.status) or (o.nominated_node_id is not null and o.finished_at is null)) then
    return null;
  end if;
  if exists (select from stark.pods p where p.status = 'pending') then
    perform stark_internal.schedule_pods();
  end if;
  return null;
end;
$function$;
comment on function stark_internal.schedule_when_room_is_freed() is 'Runs a schedule pass when pods have left room.';

CREATE OR REPLACE FUNCTION stark_internal.score_bin_pack(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- A node that is begun is filled, so all its slots share the score of the first; nodes behind those that are enough are left out.
  return query
    select b.node_no, k, b.slots, b.score
    from (
      select f.node_no, f.slots, f.score, sum(f.slots) over (order by f.score desc, f.node_no rows between unbounded preceding and 1 preceding) as before
      from (
        select n.node_no, n.slots, 100 * ((n.cpu_used + p_group.cpu) / n.cpu_total + (n.memory_used + p_group.memory) / n.memory_total) / 2 as score
        from stark_internal.feasible_nodes(p_group) n) f
    ) b
    cross join generate_series(1, least(b.slots, p_most)) k
    where p_wanted is null or coalesce(b.before, 0) < p_wanted;
end;
$function$;
comment on function stark_internal.score_bin_pack(stark_internal.pod_group,bigint,bigint) is 'Open slots scored by the mean of used cpu and memory.';

CREATE OR REPLACE FUNCTION stark_internal.score_least_loaded(p_group stark_internal.pod_group, p_most bigint)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, 100 * (1 - (
        (f.cpu_used + k * w.cpu) / f.cpu_total + (f.memory_used + k * w.memory) / f.memory_total) / 2)
    from stark_internal.feasible_nodes(p_group) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$function$;
comment on function stark_internal.score_least_loaded(stark_internal.pod_group,bigint) is 'Open slots scored by the mean of free cpu and memory.';

CREATE OR REPLACE FUNCTION stark_internal.score_node_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, score double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with preferred as materialized (
  select t.no, (t.item ->> 'weight')::integer as weight, t.item -> 'preference' as term
  from jsonb_array_elements(coalesce(p_group.template -> 'preferred', '[]')) with ordinality as t (item, no)
)
select m.node_no, 2 * 100.0 * sum(p.weight) / max(sum(p.weight)) over ()
from stark_internal.matching_nodes((select jsonb_agg(p.term order by p.no) from preferred p)) m
join preferred p on p.no = m.term_no
group by m.node_no;
$function$;
comment on function stark_internal.score_node_affinity(stark_internal.pod_group) is 'Nodes scored by preferred node affinity.';

CREATE OR REPLACE FUNCTION stark_internal.score_pod_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, score double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with given as (
  select r.topology_key, c.node_no, r.weight * c.pods as points
  from pg_temp.pass_rules r join pg_temp.pass_counts c using (selector_no)
  where r.rules_no = p_group.rules_no and r.kind = 'prefer'
  union all
  select w.topology_key, w.node_no, w.points from pg_temp.pass_wishes w where w.selector_no = any (p_group.matches)
), held as materialized (
  select d.topology_key, d.domain, sum(g.points) as points
  from given g join pg_temp.pass_domains d using (topology_key, node_no)
  group by 1, 2
), points as (
  select d.node_no, sum(h.points) as points from held h join pg_temp.pass_domains d using (topology_key, domain) group by d.node_no
)
select p.node_no, 2 * 100.0 * p.points / max(abs(p.points)) over () from points p where p.points <> 0;
$function$;
comment on function stark_internal.score_pod_affinity(stark_internal.pod_group) is 'Nodes scored by preferred company.';

CREATE OR REPLACE FUNCTION stark_internal.score_random(p_group stark_internal.pod_group, p_most bigint, p_seed bigint)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    select f.node_no, k, f.slots, (pg_catalog.hashint8extended(f.node_no * 1000003::bigint + f.pods_used::bigint + k, p_seed) & 65535) / 655.35::double precision
    from stark_internal.feasible_nodes(p_group) f
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$function$;
comment on function stark_internal.score_random(stark_internal.pod_group,bigint,bigint) is 'Open slots scored by chance.';

CREATE OR REPLACE FUNCTION stark_internal.score_slots(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint DEFAULT NULL::bigint)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_config stark.cluster_config;
begin
  select * into v_config from stark.cluster_config;
  case v_config.scheduling_policy
    when 'bin_pack' then return query select * from stark_internal.score_bin_pack(p_group, p_most, p_wanted);
    when 'least_loaded' then return query select * from stark_internal.score_least_loaded(p_group, p_most);
    when 'random' then return query select * from stark_internal.score_random(p_group, p_most, v_config.scheduling_seed);
    when 'affinity' then return query select s.node_no, s.slot, s.slots, s.score / 10 from stark_internal.score_spread(p_group, p_most) s;
    else return query select * from stark_internal.score_spread(p_group, p_most);
  end case;
end;
$function$;
comment on function stark_internal.score_slots(stark_internal.pod_group,bigint,bigint) is 'Open slots scored by the cluster''s policy.';

CREATE OR REPLACE FUNCTION stark_internal.score_spread(p_group stark_internal.pod_group, p_most bigint)
 RETURNS TABLE(node_no integer, slot bigint, slots bigint, score double precision)
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, 100 * (1 - greatest(
        (f.cpu_used + k * w.cpu) / f.cpu_total,
        (f.memory_used + k * w.memory) / f.memory_total,
        (f.pods_used + k) / f.pods_total))
    from stark_internal.feasible_nodes(p_group) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$function$;
comment on function stark_internal.score_spread(stark_internal.pod_group,bigint) is 'Open slots scored by what is left of the scarcest resource.';

CREATE OR REPLACE FUNCTION stark_internal.score_taints(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, score double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
select t.node_no, 3 * -100.0 * count(*) / max(count(*)) over ()
from stark_internal.intolerable_taints(p_group.template -> 'tolerations', array['PreferNoSchedule']) t
group by t.node_no;
$function$;
comment on function stark_internal.score_taints(stark_internal.pod_group) is 'Nodes scored by taints that would rather not have the pod.';

CREATE OR REPLACE FUNCTION stark_internal.score_topology_spread(p_group stark_internal.pod_group)
 RETURNS TABLE(node_no integer, score double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
select n.node_no, sum(-2 * 100.0 * (d.pods - d.fewest) / greatest(d.most - d.fewest, 1))
from (select s.*, max(s.pods) over (partition by s.selector_no, s.topology_key) as most from stark_internal.spread_domains(p_group, 'prefer_spread') s) d
join pg_temp.pass_domains n using (topology_key, domain)
group by n.node_no;
$function$;
comment on function stark_internal.score_topology_spread(stark_internal.pod_group) is 'Nodes scored by spread constraints that may be broken.';

CREATE OR REPLACE FUNCTION stark_internal.semver_key(p_version text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select
    (select string_agg(lpad(length(part)::text, 3, '0') || part, '.' order by ord)
       from regexp_split_to_table(split_part(core.version, '-', 1), '\.') with ordinality as parts (part, ord))
    || case
         when core.version ~ '-' then
           (select string_agg(case when ident ~ '^\d+$' then '0' || lpad(length(ident)::text, 3, '0') || ident else '1' || ident end, ' ' order by ord)
              from regexp_split_to_table(substring(core.version from '-(.*)$'), '\.') with ordinality as idents (ident, ord))
         else '~'
       end
  from (select split_part(p_version, '+', 1) as version) core;
$function$;
comment on function stark_internal.semver_key(text) is 'A text whose byte order is the precedence order of semver versions.';

CREATE OR REPLACE FUNCTION stark_internal.send_messages(p_event text, p_topics text[], p_payloads jsonb[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  insert into realtime.messages (payload, event, topic, private, extension)
    select m.payload, p_event, m.topic, true, 'broadcast' from unnest(p_topics, p_payloads) with ordinality as m (topic, payload, ord) order by m.ord;
exception when others then
  raise warning 'broadcasts of % lost: %', p_event, sqlerrm;
end;
$function$;
comment on function stark_internal.send_messages(text,text[],jsonb[]) is 'Broadcasts many messages at once.';

CREATE OR REPLACE FUNCTION stark_internal.set_disabled(p_user_id uuid, p_since timestamp with time zone)
 RETURNS stark.profiles
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
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
  return v_profile;
end;
$function$;
comment on function stark_internal.set_disabled(uuid,timestamp with time zone) is 'Takes every right and session from a user, or gives them back.';

CREATE OR REPLACE FUNCTION stark_internal.shut_out_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_users uuid[];
  v_nodes uuid[];
  v_mute uuid[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  case tg_table_name
    when 'profiles' then
      v_users := array(select n.id from old_rows o join new_rows n using (id) where o.disabled_at is null and n.disabled_at is not null);
    when 'role_permissions' then
      v_users := array(
        select distinct b.user_id from old_rows o
        join stark.roles r on o.role = coalesce(r.alias_of, r.name)
        join stark.role_bindings b on b.role = r.name
        where o.kind in ('*', 'nodes') and o.verb in ('*', 'connect'));
    else
      v_users := array(select distinct o.user_id from old_rows o);
  end case;
  v_nodes := array(
    select n.id from stark.nodes n where n.owner_id = any (v_users) and n.status in ('healthy', 'unhealthy')
    union
    select n.id from stark.nodes n where n.agent_id = any (v_users) and n.status in ('healthy', 'unhealthy'));
  if cardinality(v_nodes) = 0 then
    return null;
  end if;
  v_mute := array(select n.id from stark.nodes n where n.id = any (v_nodes) and not stark_internal.has_speaker(n));
  with silenced as (
    delete from stark_internal.node_secrets s where s.node_id = any (v_mute) returning s.node_id
  )
  update stark.nodes n set status = 'unhealthy', status_reason = 'AccessRevoked', incarnation = n.incarnation + 1, updated_at = now()
    from silenced s where n.id = s.node_id;
  perform stark_internal.ring_nodes(v_nodes);
  return null;
end;
$function$;
comment on function stark_internal.shut_out_users() is 'Takes nodes from agents that may no longer speak for them, and has them ask.';

CREATE OR REPLACE FUNCTION stark_internal.silent_nodes()
 RETURNS TABLE(node_id uuid, silence interval, allowed interval)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select n.id, upper(s.stretch) - greatest(l.renewed_at, lower(s.stretch)), make_interval(secs => l.heartbeat_timeout)
  from (select r as stretch from stark_internal.node_watch w, unnest(w.watched) r order by upper(r) desc limit 1) s,
       stark.nodes n join stark.node_leases l on l.node_id = n.id
  where n.status in ('healthy', 'unhealthy');
$function$;
comment on function stark_internal.silent_nodes() is 'How long each connected node has been silent while somebody listened.';

CREATE OR REPLACE FUNCTION stark_internal.spec_problem(p_spec jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_key text;
begin
  if p_spec is null or jsonb_typeof(p_spec) <> 'object' then
    return 'spec must be an object';
  end if;
  if pg_catalog.octet_length(p_spec::text) > 65536 then
    return 'spec is larger than 64 kB';
  end if;
  select k into v_key from jsonb_object_keys(p_spec) k
    where k not in ('nodeName', 'nodeSelector', 'tolerations', 'affinity', 'resources', 'config', 'env', 'ports',
                    'restartPolicy', 'terminationGracePeriodSeconds', 'isolation', 'readinessProbe', 'livenessProbe', 'startupProbe',
                    'topologySpreadConstraints', 'preemptionPolicy', 'priorityClassName')
    limit 1;
  if found then
    return format('spec has no field %s', to_json(left(v_key, 80)));
  end if;
  if p_spec ? 'nodeName' and not (jsonb_typeof(p_spec -> 'nodeName') = 'string' and stark_internal.is_dns_name(p_spec ->> 'nodeName')) then
    return 'spec.nodeName must be the name of a node';
  end if;
  if p_spec ? 'nodeSelector' and stark_internal.labels_problem(p_spec -> 'nodeSelector') is not null then
    return 'spec.nodeSelector: ' || stark_internal.labels_problem(p_spec -> 'nodeSelector');
  end if;
  if p_spec ? 'tolerations' and stark_internal.tolerations_problem(p_spec -> 'tolerations') is not null then
    return 'spec.tolerations: ' || stark_internal.tolerations_problem(p_spec -> 'tolerations');
  end if;
  select k into v_key from unnest(array['affinity', 'config', 'env', 'resources']) k
    where p_spec ? k and jsonb_typeof(p_spec -> k) <> 'object' limit 1;
  if found then
    return format('spec.%s must be an object', v_key);
  end if;
  if p_spec ? 'affinity' and stark_internal.affinity_problem(p_spec -> 'affinity') is not null then
    return stark_internal.affinity_problem(p_spec -> 'affinity');
  end if;
  if p_spec ? 'topologySpreadConstraints' and stark_internal.topology_spread_problem(p_spec -> 'topologySpreadConstraints') is not null then
    return stark_internal.topology_spread_problem(p_spec -> 'topologySpreadConstraints');
  end if;
  if p_spec ? 'preemptionPolicy' and coalesce(p_spec ->> 'preemptionPolicy', '') not in ('PreemptLowerPriority', 'Never') then
    return 'spec.preemptionPolicy must be PreemptLowerPriority or Never';
  end if;
  if p_spec ? 'priorityClassName' and not (jsonb_typeof(p_spec -> 'priorityClassName') = 'string' and stark_internal.is_dns_name(p_spec ->> 'priorityClassName')) then
    return 'spec.priorityClassName must be the name of a priority class';
  end if;
  if p_spec ? 'resources' then
    select k into v_key from jsonb_object_keys(p_spec -> 'resources') k where k not in ('requests', 'limits') limit 1;
    if found then
      return format('spec.resources has no field %s', to_json(left(v_key, 80)));
    end if;
    if p_spec -> 'resources' ? 'requests'
       and stark_internal.resources_problem(p_spec #> '{resources,requests}', 'spec.resources.requests') is not null then
      return stark_internal.resources_problem(p_spec #> '{resources,requests}', 'spec.resources.requests');
    end if;
    if p_spec -> 'resources' ? 'limits'
       and stark_internal.resources_problem(p_spec #> '{resources,limits}', 'spec.resources.limits') is not null then
      return stark_internal.resources_problem(p_spec #> '{resources,limits}', 'spec.resources.limits');
    end if;
  end if;
  if p_spec ? 'env' and exists (
    select from jsonb_each(p_spec -> 'env') e where jsonb_typeof(e.value) <> 'string' or e.key !~ '^[A-Za-z_][A-Za-z0-9_]{0,127}$'
  ) then
    return 'spec.env must be an object of strings whose keys are variable names';
  end if;
  if p_spec ? 'ports' and stark_internal.ports_problem(p_spec -> 'ports') is not null then
    return 'spec.ports: ' || stark_internal.ports_problem(p_spec -> 'ports');
  end if;
  if p_spec ? 'restartPolicy' and coalesce(p_spec ->> 'restartPolicy', '') not in ('Always', 'OnFailure', 'Never') then
    return 'spec.restartPolicy must be Always, OnFailure or Never';
  end if;
  if p_spec ? 'isolation' and coalesce(p_spec ->> 'isolation', '') not in ('process', 'worker') then
    return 'spec.isolation must be process or worker';
  end if;
  if p_spec ? 'terminationGracePeriodSeconds'
     and not stark_internal.is_whole(p_spec -> 'terminationGracePeriodSeconds', 0, 3600) then
    return 'spec.terminationGracePeriodSeconds must be a whole number from 0 to 3600';
  end if;
  return (
    select stark_internal.probe_problem(p_spec -> k, 'spec.' || k, p_spec -> 'ports')
    from unnest(array['startupProbe', 'readinessProbe', 'livenessProbe']) with ordinality u (k, ord)
    where p_spec ? k and stark_internal.probe_problem(p_spec -> k, 'spec.' || k, p_spec -> 'ports') is not null
    order by ord limit 1);
end;
$function$;
comment on function stark_internal.spec_problem(jsonb) is 'What is wrong with this pod spec; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.spread_domains(p_group stark_internal.pod_group, p_kind text)
 RETURNS TABLE(selector_no integer, topology_key text, max_skew integer, domain text, pods bigint, fewest bigint, is_short boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
with rules as materialized (
  select row_number() over () as no, r.* from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = p_kind
), off_limits as materialized (
  select f.node_no, true as by_affinity from stark_internal.filter_node_selector(p_group) f where exists (select from rules r where r.honors_affinity)
  union all
  select f.node_no, true from stark_internal.filter_node_affinity(p_group) f where exists (select from rules r where r.honors_affinity)
  union all
  select f.node_no, false from stark_internal.filter_taints(p_group) f where exists (select from rules r where r.honors_taints)
), keyed as materialized (
  select t.node_no
  from pg_temp.pass_domains t
  where t.topology_key in (select r.topology_key from rules r)
  group by t.node_no having count(*) = (select count(distinct r.topology_key) from rules r)
), counted as materialized (
  select c.selector_no, c.node_no, sum(c.staying) as pods from pg_temp.pass_counts c where c.selector_no in (select r.selector_no from rules r) group by 1, 2
), domains as materialized (
  select r.no, t.domain, coalesce(sum(c.pods), 0)::bigint as pods
  from rules r
  join pg_temp.pass_domains t using (topology_key)
  join keyed k using (node_no)
  left join counted c using (selector_no, node_no)
  where not (coalesce(r.honors_affinity, false) and t.node_no in (select o.node_no from off_limits o where o.by_affinity))
    and not (coalesce(r.honors_taints, false) and t.node_no in (select o.node_no from off_limits o where not o.by_affinity))
  group by r.no, t.domain
), summed as (
  select d.no, min(d.pods) as fewest, count(*) as domains from domains d group by d.no
)
select r.selector_no, r.topology_key, r.max_skew, d.domain, d.pods,
       case when s.domains < r.min_domains then 0 else s.fewest end, coalesce(s.domains < r.min_domains, false)
from domains d join summed s using (no) join rules r using (no);
$function$;
comment on function stark_internal.spread_domains(stark_internal.pod_group,text) is 'Domains of spread rules and the pods in each.';

CREATE OR REPLACE FUNCTION stark_internal.taints_problem(p_taints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if p_taints is null or jsonb_typeof(p_taints) <> 'array' then
    return 'taints must be a list';
  end if;
  if jsonb_array_length(p_taints) > 64 or pg_catalog.octet_length(p_taints::text) > 16384 then
    return 'at most 64 taints and 16 kB of them';
  end if;
  if exists (select from jsonb_array_elements(p_taints) t where jsonb_typeof(t) <> 'object') then
    return 'each taint must be an object {key, value, effect}';
  end if;
  if exists (
    select from jsonb_array_elements(p_taints) t
    where coalesce(t ->> 'effect', '') not in ('NoSchedule', 'PreferNoSchedule', 'NoExecute')
  ) then
    return 'a taint''s effect must be NoSchedule, PreferNoSchedule or NoExecute';
  end if;
  if exists (
    select from jsonb_array_elements(p_taints) t
    where jsonb_typeof(t -> 'key') is distinct from 'string'
       or stark_internal.labels_problem(jsonb_build_object(t ->> 'key', coalesce(t -> 'value', '""'))) is not null
  ) then
    return 'a taint''s key and value follow the rules of labels';
  end if;
  return null;
end;
$function$;
comment on function stark_internal.taints_problem(jsonb) is 'What is wrong with these taints; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.taints_that_evict(p_node stark.nodes)
 RETURNS SETOF jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
  select distinct t from jsonb_array_elements(p_node.taints) t where t ->> 'effect' = 'NoExecute'
  union
  select '{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}'::jsonb where stark_internal.is_unreachable(p_node.status, p_node.status_reason);
$function$;
comment on function stark_internal.taints_that_evict(stark.nodes) is 'The taints NoExecute of a node.';

CREATE OR REPLACE FUNCTION stark_internal.take_slots(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_nodes integer[] := stark_internal.pick_slots(p_group, cardinality(p_ids));
begin
  if cardinality(v_nodes) = 0 then
    return 0;
  end if;
  insert into pg_temp.pass_bindings
    select u.pod_id, u.node_no, u.cpu, u.memory, u.storage
    from unnest(p_ids, v_nodes, p_cpu, p_memory, p_storage) as u (pod_id, node_no, cpu, memory, storage)
    where u.node_no is not null;
  perform stark_internal.count_taken(p_group, v_nodes, p_cpu[:cardinality(v_nodes)], p_memory[:cardinality(v_nodes)], p_storage[:cardinality(v_nodes)]);
  return cardinality(v_nodes);
end;
$function$;
comment on function stark_internal.take_slots(stark_internal.pod_group,uuid[],bigint[],bigint[],bigint[]) is 'Gives nodes to pods of a group, in their order.';

CREATE OR REPLACE FUNCTION stark_internal.tolerated_until(p_tolerations jsonb, p_taint jsonb, p_since timestamp with time zone)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
  select coalesce((
    select case when t ? 'tolerationSeconds'
      then p_since + make_interval(secs => least(greatest((t ->> 'tolerationSeconds')::numeric, 0), 1000000000)::double precision)
      else 'infinity' end
    from jsonb_array_elements(p_tolerations) with ordinality as e (t, ord)
    where stark_internal.tolerates(jsonb_build_array(t), p_taint)
    order by ord limit 1), p_since);
$function$;
comment on function stark_internal.tolerated_until(jsonb,jsonb,timestamp with time zone) is 'Until when a pod with these tolerations may stay beside a taint.';

CREATE OR REPLACE FUNCTION stark_internal.tolerates(p_tolerations jsonb, p_taint jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
select exists (
  select from jsonb_array_elements(coalesce(p_tolerations, '[]')) t
  where coalesce(t ->> 'effect', '') in ('', p_taint ->> 'effect')
    and case coalesce(t ->> 'operator', 'Equal')
      when 'Exists' then coalesce(t ->> 'key', '') in ('', p_taint ->> 'key')
      else t ->> 'key' = p_taint ->> 'key' and coalesce(t ->> 'value', '') = coalesce(p_taint ->> 'value', '')
    end);
$function$;
comment on function stark_internal.tolerates(jsonb,jsonb) is 'Whether one of these tolerations tolerates the taint.';

CREATE OR REPLACE FUNCTION stark_internal.tolerations_problem(p_tolerations jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if jsonb_typeof(p_tolerations) <> 'array' or jsonb_array_length(p_tolerations) > 64 then
    return 'tolerations must be a list of at most 64';
  end if;
  if exists (select from jsonb_array_elements(p_tolerations) t where jsonb_typeof(t) <> 'object') then
    return 'each toleration must be an object';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t, jsonb_object_keys(t) k
    where k not in ('key', 'operator', 'value', 'effect', 'tolerationSeconds')
  ) then
    return 'a toleration has only key, operator, value, effect and tolerationSeconds';
  end if;
  if exists (
    select from jsonb_array_elements(p_tolerations) t
    where coalesce(t ->> 'operator', 'Equal') not in ('Equal', 'Exists')
       or coalesce(t ->> 'effect', '') not in ('', 'NoSchedule', 'PreferNoSchedule', 'NoExecute')
       or (coalesce(t ->> 'key', '') = '' and coalesce(t ->> 'operator', 'Equal') <> 'Exists')
       or (t ->> 'operator' = 'Exists' and coalesce(t ->> 'value', '') <> '')
       or (t ? 'tolerationSeconds' and jsonb_typeof(t -> 'tolerationSeconds') <> 'number')
  ) then
    return 'a toleration needs operator Equal or Exists (Exists without a value, and alone without a key) and a known effect';
  end if;
  return null;
end;
$function$;
comment on function stark_internal.tolerations_problem(jsonb) is 'What is wrong with these tolerations; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.topology_key_problem(p_key jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  if coalesce(jsonb_typeof(p_key), '') <> 'string' or coalesce(p_key #>> '{}', '') = ''
     or stark_internal.labels_problem(jsonb_build_object(p_key #>> '{}', '')) is not null then
    return format('%s.topologyKey must be the key of a node label', p_what);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.topology_key_problem(jsonb,text) is 'What is wrong with this topology key; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.topology_spread_problem(p_constraints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_known constant text[] := array['maxSkew', 'topologyKey', 'whenUnsatisfiable', 'labelSelector', 'minDomains', 'nodeAffinityPolicy', 'nodeTaintsPolicy'];
  v_what constant text := 'spec.topologySpreadConstraints';
  v_problem text;
begin
  if jsonb_typeof(p_constraints) <> 'array' or jsonb_array_length(p_constraints) > 16 then
    return format('%s must be a list of at most 16', v_what);
  end if;
  select coalesce(
      case
        when jsonb_typeof(c) <> 'object' then format('each of %s must be an object', v_what)
        when stark_internal.unknown_field(c, v_known) is not null then format('%s has no field %s', v_what, stark_internal.unknown_field(c, v_known))
        when not stark_internal.is_whole(coalesce(c -> 'maxSkew', 'null'), 1, 10000) then format('%s.maxSkew must be a whole number from 1', v_what)
        when coalesce(c ->> 'whenUnsatisfiable', '') not in ('DoNotSchedule', 'ScheduleAnyway') then format('%s.whenUnsatisfiable must be DoNotSchedule or ScheduleAnyway', v_what)
        when c ? 'minDomains' and (not stark_internal.is_whole(c -> 'minDomains', 1, 10000) or c ->> 'whenUnsatisfiable' <> 'DoNotSchedule')
          then format('%s.minDomains must be a whole number from 1, and goes with DoNotSchedule', v_what)
        when coalesce(c ->> 'nodeAffinityPolicy', 'Honor') not in ('Honor', 'Ignore') or coalesce(c ->> 'nodeTaintsPolicy', 'Ignore') not in ('Honor', 'Ignore')
          then format('%s: nodeAffinityPolicy and nodeTaintsPolicy are Honor or Ignore', v_what)
      end,
      stark_internal.topology_key_problem(c -> 'topologyKey', v_what),
      stark_internal.label_selector_problem(c -> 'labelSelector', v_what || '.labelSelector')) as problem into v_problem
    from jsonb_array_elements(p_constraints) c
    order by problem limit 1;
  return v_problem;
end;
$function$;
comment on function stark_internal.topology_spread_problem(jsonb) is 'What is wrong with these spread constraints; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.trim_pod_logs()
 RETURNS integer
 LANGUAGE sql
 SET search_path TO 'pg_temp'
AS $function$
  with crowded as (
    select l.pod_id, c.max_log_lines_per_pod as kept
    from stark.pod_logs l cross join stark.cluster_config c group by l.pod_id, c.max_log_lines_per_pod having count(*) > c.max_log_lines_per_pod
  ), oldest as (
    select c.pod_id, (select l.seq from stark.pod_logs l where l.pod_id = c.pod_id order by l.seq desc offset c.kept limit 1) as seq from crowded c
  ), removed as (
    delete from stark.pod_logs l using oldest o where l.pod_id = o.pod_id and l.seq <= o.seq returning 1
  )
  select count(*)::integer from removed;
$function$;
comment on function stark_internal.trim_pod_logs() is 'Keeps each pod''s log to its newest lines.';

CREATE OR REPLACE FUNCTION stark_internal.unbind_first()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
AS $function$
begin
  -- Definer: Supabase Auth's own role removes users. Only a trigger can call it.
  delete from stark.role_bindings b where b.user_id = old.id;
  return old;
end;
$function$;
comment on function stark_internal.unbind_first() is 'Takes the roles of a user who is being removed.';

CREATE OR REPLACE FUNCTION stark_internal.unify_templates()
 RETURNS void
 LANGUAGE sql
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
with wanted as materialized (
  select row_number() over () as no, d.template from (select distinct p.template from pg_temp.pass_pods p where p.template ? 'required') d
), terms as materialized (
  select w.no, t.term_no, t.term from wanted w cross join lateral jsonb_array_elements(w.template -> 'required') with ordinality as t (term, term_no)
), requirements as materialized (
  select t.no, t.term_no, row_number() over () as requirement_no, r.item, r.item ->> 'key' as key, r.item ->> 'operator' in ('In', 'NotIn') as is_list
  from terms t cross join lateral jsonb_array_elements(coalesce(t.term -> 'matchExpressions', '[]')) as r (item)
), present as (
  select distinct l.key, l.value from pg_temp.pass_nodes n cross join lateral jsonb_each_text(n.labels) l
  where l.key in (select r.key from requirements r where r.is_list)
), lists as (
  select v.requirement_no, jsonb_agg(distinct v.value) as list
  from (
    select r.requirement_no, r.key, x.value from requirements r cross join lateral jsonb_array_elements_text(coalesce(r.item -> 'values', '[]')) as x (value)
    where r.is_list) v
  join present p using (key, value)
  group by v.requirement_no
), expressions as (
  select r.no, r.term_no, jsonb_agg(e.item order by e.item) as list
  from requirements r left join lists l using (requirement_no)
  cross join lateral (select case when r.is_list then jsonb_set(r.item, '{values}', coalesce(l.list, '[]')) else r.item end as item) e
  group by r.no, r.term_no
), unified as (
  select t.no, jsonb_agg(jsonb_build_object('matchFields', coalesce(t.term -> 'matchFields', '[]'), 'matchExpressions', coalesce(e.list, '[]')) order by t.term_no) as required
  from terms t left join expressions e using (no, term_no)
  group by t.no
)
update pg_temp.pass_pods p set template = jsonb_set(p.template, '{required}', u.required)
  from unified u join wanted w using (no)
  where w.template = p.template;
$function$;
comment on function stark_internal.unify_templates() is 'Makes templates equal that want the same nodes.';

CREATE OR REPLACE FUNCTION stark_internal.unknown_field(p_value jsonb, p_known text[])
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
begin
  return (select to_json(left(k, 80))::text from jsonb_object_keys(case jsonb_typeof(p_value) when 'object' then p_value else '{}' end) k where k <> all (p_known) limit 1);
end;
$function$;
comment on function stark_internal.unknown_field(jsonb,text[]) is 'A field of an object that is not known.';

CREATE OR REPLACE FUNCTION stark_internal.user_may(p_user_id uuid, p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_temp'
AS $function$
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
$function$;
comment on function stark_internal.user_may(uuid,text,text,boolean) is 'Whether this user has this right, cluster-wide or in the namespace.';

CREATE OR REPLACE FUNCTION stark_internal.wake_watcher(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'pg_temp'
AS $function$
begin
  if exists (select from stark_internal.node_watch w where greatest(upper(w.watched), w.called_at) > p_now - interval '10 seconds') then
    return;
  end if;
  perform stark_internal.call_watcher(p_now);
end;
$function$;
comment on function stark_internal.wake_watcher(timestamp with time zone) is 'Calls a watcher when nobody is watching.';

CREATE OR REPLACE FUNCTION stark_internal.warn_of_conflicts()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_kind text := tg_argv[0];
  v_id_column text := tg_argv[1];
  v_fields text[] := coalesce(tg_argv[2:], '{}');
  v_blind boolean := coalesce(pg_catalog.current_setting('stark.saw_revision', true), '') <> 'yes';
  v_now timestamptz := clock_timestamp();
  v_objects jsonb[];
  v_details jsonb[];
begin
  -- Definer: it reads and writes events, as the one that writes all others. Only a trigger can call it.
  if stark_internal.caller_role() not in ('authenticated', 'service_role') then
    return null;
  end if;
  -- Nodes change with each pod that comes or goes, and then this is all that is asked.
  if v_kind = 'node' then
    if not exists (select from old_rows b join new_rows a using (id) where (b.overrides, b.unschedulable) is distinct from (a.overrides, a.unschedulable)) then
      return null;
    end if;
  end if;
  delete from stark_internal.recent_edits r where r.edited_at < v_now - interval '10 seconds';
  with edits as materialized (
    select o.after ->> v_id_column as object_id, o.after as object, regexp_replace(f.field, '^overrides\.', '') as field
    from (select to_jsonb(b) as before, to_jsonb(a) as after from old_rows b join new_rows a using (name)) o,
         unnest(stark_internal.changed_fields(o.before, o.after, v_fields)) f (field)
  ), remembered as (
    insert into stark_internal.recent_edits as r (kind, object_id, field, actor, edited_at)
      select v_kind, e.object_id, e.field, (select auth.uid()), v_now from edits e
      on conflict (kind, object_id, field) do update set actor = excluded.actor, edited_at = excluded.edited_at
  ), overwritten as (
    select e.object, jsonb_agg(e.field order by e.field) as fields, jsonb_agg(distinct jsonb_build_object('actor', r.actor, 'time', r.edited_at)) as overwrote
    from edits e join stark_internal.recent_edits r on r.kind = v_kind and r.object_id = e.object_id and r.field = e.field
    where v_blind and r.actor is distinct from (select auth.uid())
    group by e.object
  )
  select array_agg(o.object), array_agg(jsonb_build_object('fields', o.fields, 'overwrote', o.overwrote)) into v_objects, v_details
    from overwritten o;
  perform stark_internal.append_events(v_kind, 'conflict', v_id_column, v_objects, v_details);
  return null;
end;
$function$;
comment on function stark_internal.warn_of_conflicts() is 'Warns when an update has overwritten what somebody else just changed.';

CREATE OR REPLACE FUNCTION stark_internal.weighted_problem(p_list jsonb, p_term text, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_temp'
AS $function$
declare
  v_problem text;
begin
  if jsonb_typeof(p_list) <> 'array' or jsonb_array_length(p_list) > 64 then
    return format('%s must be a list of at most 64', p_what);
  end if;
  select coalesce(
      case when jsonb_typeof(t) <> 'object' or stark_internal.unknown_field(t, array['weight', p_term]) is not null or not stark_internal.is_whole(t -> 'weight', 1, 100)
        then format('each of %s is {weight: 1 to 100, %s}', p_what, p_term) end,
      case p_term when 'preference' then stark_internal.node_term_problem(t -> p_term, p_what || '.' || p_term)
                  else stark_internal.pod_term_problem(t -> p_term, p_what || '.' || p_term) end) as problem into v_problem
    from jsonb_array_elements(p_list) t
    order by problem limit 1;
  return v_problem;
end;
$function$;
comment on function stark_internal.weighted_problem(jsonb,text,text) is 'What is wrong with these preferred terms; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.write_events()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_temp'
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_kind text := tg_argv[0];
  v_objects jsonb[];
begin
  -- Definer: whoever may write the table leaves an event, and nobody may write events. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(to_jsonb(o)) into v_objects from old_rows o;
  elsif v_kind = 'node' then
    -- Column by column: each pass changes allocated of many nodes, and comparing them as JSON would be most of its cost.
    select array_agg(to_jsonb(n)) into v_objects
      from old_rows o join new_rows n using (id)
      where (o.name, o.owner_id, o.runtime, o.status, o.status_reason, o.unschedulable, o.labels, o.taints, o.capabilities, o.overrides,
             o.allocatable, o.incarnation, o.connected_at, o.created_at, o.updated_at, o.agent_id, o.installation)
        is distinct from (n.name, n.owner_id, n.runtime, n.status, n.status_reason, n.unschedulable, n.labels, n.taints, n.capabilities, n.overrides,
             n.allocatable, n.incarnation, n.connected_at, n.created_at, n.updated_at, n.agent_id, n.installation);
  else
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  end if;
  perform stark_internal.append_events(v_kind, case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end, tg_argv[1], v_objects);
  return null;
end;
$function$;
comment on function stark_internal.write_events() is 'Writes and broadcasts one event for each changed row.';

-- Elsewhere

CREATE TRIGGER stark_keep_bundles BEFORE UPDATE ON storage.objects FOR EACH ROW WHEN (((old.bucket_id = 'packs'::text) AND (((old.name IS DISTINCT FROM new.name) OR (old.bucket_id IS DISTINCT FROM new.bucket_id)) OR (old.metadata IS DISTINCT FROM new.metadata)))) EXECUTE FUNCTION stark_internal.keep_bundles();

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

select cron.schedule('stark-catch-up', '* * * * *', 'select stark_internal.catch_up()');

select cron.schedule('stark-keep-house', '17 * * * *', 'select stark_internal.keep_house()');

select cron.schedule('stark-reap-nodes', '15 seconds', 'select stark_internal.reap_nodes(), stark_internal.evict_pods(), stark_internal.wake_watcher()');

select cron.schedule('stark-trim-pod-logs', '47 * * * *', 'select stark_internal.trim_pod_logs()');

select cron.schedule('stark-watch', '* * * * *', 'select stark_internal.call_watcher()');

-- Rows that come with the migrations

-- stark.error_codes (code, http_status, exit_code)
--  (BUNDLE_MISSING,409,7)
--  (BUNDLE_SIZE_MISMATCH,409,7)
--  (BUNDLE_TOO_LARGE,413,2)
--  (CONFLICT,409,7)
--  (EMAIL_TAKEN,409,7)
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
--  (PACK_IN_USE,409,7)
--  (PACK_NOT_FOUND,404,6)
--  (POD_NAME_TAKEN,409,7)
--  (POD_NOT_FOUND,404,6)
--  (POD_NOT_ON_NODE,409,7)
--  (PRIORITY_CLASS_EXISTS,409,7)
--  (PRIORITY_CLASS_NOT_FOUND,404,6)
--  (PRIORITY_CLASS_RESERVED,409,7)
--  (QUOTA_EXCEEDED,409,7)
--  (REGISTRATION_CLOSED,403,5)
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
--  (operator,nodes,connect,own)
--  (operator,nodes,create,own)
--  (operator,nodes,delete,any)
--  (operator,nodes,update,any)
--  (operator,pods,*,any)
--  (user,events,get,own)
--  (user,logs,get,own)
--  (user,namespaces,get,any)
--  (user,nodes,*,own)
--  (user,packs,*,own)
--  (user,pods,*,own)
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
