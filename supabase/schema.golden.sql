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

create type stark_internal.pod_group as (
  runtime text,
  visibility text,
  pack_owner uuid,
  template jsonb,
  cpu bigint,
  memory bigint,
  storage bigint,
  pod_ids uuid[]
);
comment on type stark_internal.pod_group is 'Pending pods that ask for the same thing, so that nodes are looked at once for all of them.';

-- Tables

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
  object jsonb not null
) partition by RANGE ("time");
alter table stark.events enable row level security;
alter table stark.events add constraint events_pkey PRIMARY KEY (seq, "time");
CREATE INDEX events_namespace_idx ON ONLY stark.events USING btree (namespace, seq);
CREATE INDEX events_object_id_idx ON ONLY stark.events USING btree (object_id, seq);
create policy "members read events of their namespaces and of what is theirs" on stark.events for select to authenticated
  using (((namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text) AS permitted_namespaces)::text[])) OR ((namespace IS NULL) AND ( SELECT stark_internal.has_permission('events:get'::text) AS has_permission)) OR ((kind = 'pod'::text) AND ((object ->> 'created_by'::text) = (( SELECT auth.uid() AS uid))::text) AND (namespace = ANY (( SELECT stark_internal.permitted_namespaces('events:get'::text, true) AS permitted_namespaces)::text[]))) OR ((kind = ANY (ARRAY['node'::text, 'pack'::text])) AND ((object ->> 'owner_id'::text) = (( SELECT auth.uid() AS uid))::text) AND ( SELECT stark_internal.has_permission('events:get'::text, NULL::text, true) AS has_permission))));
comment on table stark.events is 'Append-only log of every change.';
comment on column stark.events.seq is 'Grows by one with each event; commit order.';
comment on column stark.events.version is 'Version of the event''s form.';
comment on column stark.events.type is '<kind>.created, .updated or .deleted.';
comment on column stark.events."time" is 'When it was written.';
comment on column stark.events.origin is 'Where it came from: api, scheduler, or system.';
comment on column stark.events.namespace is 'Namespace of the object; null for what belongs to the cluster.';
comment on column stark.events.kind is 'pod, node, pack, pack_version or namespace.';
comment on column stark.events.object_id is 'Id of the object.';
comment on column stark.events.actor is 'User who did it; null when nobody was signed in.';
comment on column stark.events.correlation_id is 'Header x-correlation-id of the request that did it.';
comment on column stark.events.object is 'The whole new state; the last one when it was deleted.';
grant select on table stark.events to authenticated;
grant select on table stark.events to service_role;

create table stark.namespaces (
  name text not null,
  reserved boolean default false not null,
  labels jsonb default '{}'::jsonb not null,
  created_by uuid,
  created_at timestamp with time zone default now() not null,
  resource_version bigint default 1 not null
);
alter table stark.namespaces enable row level security;
alter table stark.namespaces add constraint namespace_labels_are_labels CHECK ((stark_internal.labels_problem(labels) IS NULL));
alter table stark.namespaces add constraint namespace_name_is_a_dns_label CHECK (stark_internal.is_dns_label(name));
alter table stark.namespaces add constraint namespaces_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.namespaces add constraint namespaces_pkey PRIMARY KEY (name);
CREATE INDEX namespaces_created_by_idx ON stark.namespaces USING btree (created_by);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.namespaces FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.namespaces FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.namespaces REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.namespaces REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.namespaces REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('namespace', 'name');
create policy "members read the namespaces they have a right in" on stark.namespaces for select to authenticated
  using ((name = ANY (( SELECT stark_internal.permitted_namespaces('namespaces:get'::text) AS permitted_namespaces)::text[])));
comment on table stark.namespaces is 'A boundary of names and rights for pods.';
comment on column stark.namespaces.name is 'Name, a DNS label.';
comment on column stark.namespaces.reserved is 'default, stark-system and stark-public: they always exist.';
comment on column stark.namespaces.labels is 'Labels.';
comment on column stark.namespaces.created_by is 'Who made it.';
comment on column stark.namespaces.resource_version is 'Grows with each change.';
grant select on table stark.namespaces to authenticated;
grant select on table stark.namespaces to service_role;

create table stark.node_leases (
  node_id uuid not null,
  incarnation bigint not null,
  renewed_at timestamp with time zone default now() not null,
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
comment on column stark.node_leases.renewed_at is 'When the node was last seen.';
comment on column stark.node_leases.usage is 'Last reported usage.';
grant select on table stark.node_leases to authenticated;
grant select on table stark.node_leases to service_role;

create table stark.nodes (
  id uuid default gen_random_uuid() not null,
  name text not null,
  owner_id uuid not null,
  runtime text not null,
  status text default 'unknown'::text not null,
  status_reason text,
  unschedulable boolean default false not null,
  labels jsonb default '{}'::jsonb not null,
  taints jsonb default '[]'::jsonb not null,
  capabilities jsonb default '{}'::jsonb not null,
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
alter table stark.nodes add constraint nodes_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES stark.profiles(id);
alter table stark.nodes add constraint nodes_pkey PRIMARY KEY (id);
alter table stark.nodes add constraint nodes_name_key UNIQUE (name);
CREATE INDEX nodes_owner_id_idx ON stark.nodes USING btree (owner_id);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.nodes FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.nodes FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_nodes AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _100_check_new_nodes AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_nodes();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.nodes REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('node', 'id');
CREATE TRIGGER _900_schedule_on_changed_nodes AFTER UPDATE ON stark.nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_nodes_change();
CREATE TRIGGER _900_schedule_on_new_nodes AFTER INSERT ON stark.nodes REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.schedule_when_nodes_change();
create policy "owners read their nodes, auditors all" on stark.nodes for select to authenticated
  using ((( SELECT stark_internal.has_permission('nodes:get'::text) AS has_permission) OR ((owner_id = ( SELECT auth.uid() AS uid)) AND ( SELECT stark_internal.has_permission('nodes:get'::text, NULL::text, true) AS has_permission))));
comment on table stark.nodes is 'One agent: a Node.js process or a browser tab that runs pods.';
comment on column stark.nodes.name is 'Name, a DNS name, unique in the cluster.';
comment on column stark.nodes.owner_id is 'Whose agent it is; private packs run only on their owner''s nodes or on an admin''s.';
comment on column stark.nodes.runtime is 'node or browser.';
comment on column stark.nodes.status is 'healthy, unhealthy (socket gone), offline (given up), unknown (never connected).';
comment on column stark.nodes.status_reason is 'Why it has this status, one word.';
comment on column stark.nodes.unschedulable is 'Cordoned: gets no new pods.';
comment on column stark.nodes.labels is 'Labels that node selectors and affinities look at.';
comment on column stark.nodes.taints is 'Taints in Kubernetes'' form: [{key, value, effect}].';
comment on column stark.nodes.capabilities is 'What the agent says about itself: versions, features.';
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
  message text not null
) partition by RANGE ("time");
alter table stark.pod_logs enable row level security;
alter table stark.pod_logs add constraint level_is_known CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warn'::text, 'error'::text])));
alter table stark.pod_logs add constraint message_has_at_most_16_kb CHECK ((octet_length(message) <= 16384));
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
comment on column stark.pod_logs."time" is 'When the line was printed, by the node''s clock.';
comment on column stark.pod_logs.namespace is 'Namespace of the pod.';
comment on column stark.pod_logs.stream is 'stdout, stderr, or platform for what Stark says about the pod.';
comment on column stark.pod_logs.level is 'debug, info, warn, error; null when the line has none.';
comment on column stark.pod_logs.message is 'The line; what is longer than 16 kB was cut.';
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
alter table stark.pods add constraint priority_is_from_0_to_1000 CHECK (((priority >= 0) AND (priority <= 1000)));
alter table stark.pods add constraint restarts_are_counted_up CHECK ((restarts >= 0));
alter table stark.pods add constraint status_is_known CHECK ((status = ANY (ARRAY['pending'::text, 'scheduled'::text, 'transferring'::text, 'starting'::text, 'running'::text, 'stopping'::text, 'stopped'::text, 'succeeded'::text, 'failed'::text, 'evicted'::text])));
alter table stark.pods add constraint status_message_is_short CHECK (((length(status_message) <= 4096) AND (length(status_reason) <= 128)));
alter table stark.pods add constraint pods_created_by_fkey FOREIGN KEY (created_by) REFERENCES stark.profiles(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_namespace_fkey FOREIGN KEY (namespace) REFERENCES stark.namespaces(name);
alter table stark.pods add constraint pods_node_id_fkey FOREIGN KEY (node_id) REFERENCES stark.nodes(id) ON DELETE SET NULL;
alter table stark.pods add constraint pods_pack_id_fkey FOREIGN KEY (pack_id) REFERENCES stark.packs(id);
alter table stark.pods add constraint pods_pack_version_id_fkey FOREIGN KEY (pack_version_id) REFERENCES stark.pack_versions(id);
alter table stark.pods add constraint pods_pkey PRIMARY KEY (id);
alter table stark.pods add constraint pod_name_is_unique_in_its_namespace UNIQUE (namespace, name);
CREATE INDEX pods_created_by_idx ON stark.pods USING btree (created_by);
CREATE INDEX pods_deletion_requested_at_idx ON stark.pods USING btree (deletion_requested_at) WHERE (deletion_requested_at IS NOT NULL);
CREATE INDEX pods_node_id_idx ON stark.pods USING btree (node_id);
CREATE INDEX pods_pack_id_idx ON stark.pods USING btree (pack_id);
CREATE INDEX pods_pack_version_id_idx ON stark.pods USING btree (pack_version_id);
CREATE INDEX pods_pending_idx ON stark.pods USING btree (priority DESC, created_at, id) WHERE (status = 'pending'::text);
CREATE TRIGGER _000_lock_cluster BEFORE INSERT OR DELETE OR UPDATE ON stark.pods FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.lock_cluster_first();
CREATE TRIGGER _100_bump_version BEFORE UPDATE ON stark.pods FOR EACH ROW EXECUTE FUNCTION stark_internal.bump_version();
CREATE TRIGGER _100_check_changed_pods AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_new_pods AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_pods();
CREATE TRIGGER _100_check_status_steps AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.check_status_steps();
CREATE TRIGGER _200_account_resources_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _200_account_resources_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.account_resources();
CREATE TRIGGER _300_command_nodes_on_change AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _300_command_nodes_on_delete AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.command_nodes();
CREATE TRIGGER _800_write_events_of_changed AFTER UPDATE ON stark.pods REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_deleted AFTER DELETE ON stark.pods REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
CREATE TRIGGER _800_write_events_of_new AFTER INSERT ON stark.pods REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION stark_internal.write_events('pod', 'id');
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
comment on column stark.pods.status is 'pending, scheduled, transferring, starting, running, stopping; ends: stopped, succeeded, failed, evicted.';
comment on column stark.pods.status_reason is 'One word why: Unschedulable, CrashLoopBackOff, NodeShutdown …';
comment on column stark.pods.status_message is 'One line why, for people.';
comment on column stark.pods.exit_code is 'Exit code of its last run.';
comment on column stark.pods.restarts is 'How often the agent has started it again.';
comment on column stark.pods.ready is 'The pack says that it can do its work.';
comment on column stark.pods.ports is 'Real port of each declared one, as {name: number}.';
comment on column stark.pods.labels is 'Labels.';
comment on column stark.pods.spec is 'What is wanted: placement, resources, config, env, ports, restarts. Kubernetes'' names.';
comment on column stark.pods.priority is '0 to 1000; higher is placed first.';
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
alter table stark.role_permissions add constraint kind_is_known CHECK ((kind = ANY (ARRAY['*'::text, 'packs'::text, 'nodes'::text, 'pods'::text, 'logs'::text, 'events'::text, 'namespaces'::text, 'users'::text, 'roles'::text])));
alter table stark.role_permissions add constraint scope_is_any_or_own CHECK ((scope = ANY (ARRAY['any'::text, 'own'::text])));
alter table stark.role_permissions add constraint verb_is_known CHECK ((verb = ANY (ARRAY['*'::text, 'get'::text, 'create'::text, 'update'::text, 'delete'::text, 'pull'::text, 'connect'::text])));
alter table stark.role_permissions add constraint role_permissions_role_fkey FOREIGN KEY (role) REFERENCES stark.roles(name) ON DELETE CASCADE;
alter table stark.role_permissions add constraint role_permissions_pkey PRIMARY KEY (role, kind, verb, scope);
create policy "members read permissions" on stark.role_permissions for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.role_permissions is 'What each role may do. Absent means no.';
comment on column stark.role_permissions.role is 'The role.';
comment on column stark.role_permissions.kind is 'Kind of object, or * for all.';
comment on column stark.role_permissions.verb is 'get, create, update (stop, cordon), delete; pull a pack''s bundle; connect as a node''s agent; * for all.';
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
create policy "members read roles" on stark.roles for select to authenticated
  using (( SELECT stark_internal.is_member() AS is_member));
comment on table stark.roles is 'Roles that can be bound to users. An admin can define more.';
comment on column stark.roles.name is 'Name, a DNS label.';
comment on column stark.roles.alias_of is 'Another name of that role; its permissions are used.';
comment on column stark.roles.built_in is 'Comes with Stark and cannot be deleted.';
comment on column stark.roles.description is 'What the role is for.';
grant select on table stark.roles to authenticated;
grant select on table stark.roles to service_role;

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
  object jsonb not null
) partition of stark.events DEFAULT;
alter table stark_internal.events_default enable row level security;
CREATE INDEX events_default_namespace_seq_idx ON stark_internal.events_default USING btree (namespace, seq);
CREATE INDEX events_default_object_id_seq_idx ON stark_internal.events_default USING btree (object_id, seq);
create policy "nobody reads partitions" on stark_internal.events_default for select to authenticated
  using (false);
comment on table stark_internal.events_default is 'Events whose day has no partition of its own.';

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

create table stark_internal.pod_logs_default (
  pod_id uuid not null,
  seq bigint not null,
  "time" timestamp with time zone not null,
  namespace text not null,
  stream text not null,
  level text,
  message text not null
) partition of stark.pod_logs DEFAULT;
alter table stark_internal.pod_logs_default enable row level security;
alter table stark_internal.pod_logs_default add constraint level_is_known CHECK ((level = ANY (ARRAY['debug'::text, 'info'::text, 'warn'::text, 'error'::text])));
alter table stark_internal.pod_logs_default add constraint message_has_at_most_16_kb CHECK ((octet_length(message) <= 16384));
alter table stark_internal.pod_logs_default add constraint stream_is_known CHECK ((stream = ANY (ARRAY['stdout'::text, 'stderr'::text, 'platform'::text])));
create policy "nobody reads partitions" on stark_internal.pod_logs_default for select to authenticated
  using (false);
comment on table stark_internal.pod_logs_default is 'Lines whose day has no partition of its own.';

-- Views

-- Functions

CREATE OR REPLACE FUNCTION stark.append_pod_logs(p_node_id uuid, p_incarnation bigint, p_lines jsonb)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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
  insert into stark.pod_logs (pod_id, seq, time, namespace, stream, level, message)
    select p.id, (l.line ->> 'seq')::numeric::bigint, (l.line ->> 'time')::timestamptz, p.namespace, l.line ->> 'stream',
           case when l.line ->> 'level' in ('debug', 'info', 'warn', 'error') then l.line ->> 'level' end,
           stark_internal.cut(l.line ->> 'message', 16384)
    from jsonb_array_elements(p_lines) l (line)
    join stark.pods p on p.id = case when pg_input_is_valid(l.line ->> 'pod_id', 'uuid') then (l.line ->> 'pod_id')::uuid end
    where p.node_id = p_node_id
      and stark_internal.is_whole(l.line -> 'seq', 0, 9007199254740991)
      and stark_internal.is_time(l.line ->> 'time', now() + interval '1 day')
      and l.line ->> 'stream' in ('stdout', 'stderr', 'platform')
      and jsonb_typeof(l.line -> 'message') = 'string'
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
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark.create_pods(p_pods jsonb)
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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
  perform stark_internal.schedule_pods();
  return query select p.* from stark.pods p join unnest(v_ids) with ordinality as i (id, ord) on i.id = p.id order by i.ord;
end;
$function$;
comment on function stark.create_pods(jsonb) is 'Creates pods and places them where there is room.';
grant execute on function stark.create_pods(jsonb) to authenticated;
grant execute on function stark.create_pods(jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.delete_pods(p_ids uuid[])
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:delete');
  perform stark_internal.begin_stop(p_ids);
  update stark.pods p set deletion_requested_at = now() where p.id = any (p_ids) and p.deletion_requested_at is null;
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
  perform stark_internal.remove_ended_pods();
end;
$function$;
comment on function stark.delete_pods(uuid[]) is 'Stops pods and removes their rows.';
grant execute on function stark.delete_pods(uuid[]) to authenticated;
grant execute on function stark.delete_pods(uuid[]) to service_role;

CREATE OR REPLACE FUNCTION stark.disconnect_node(p_node_id uuid, p_incarnation bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark.finish_pack_version(p_version_id uuid)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark.grant_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS stark.role_bindings
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_binding stark.role_bindings;
begin
  perform stark_internal.require_permission('roles:create');
  perform stark_internal.lock_cluster();
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', p_user_id), 'stark auth list-users');
  end if;
  if not exists (select from stark.roles r where r.name = p_role) then
    perform stark_internal.fail('ROLE_NOT_FOUND', format('no role %s', to_json(left(p_role, 80))), 'known roles: ' ||
      (select string_agg(r.name, ', ' order by r.name) from stark.roles r));
  end if;
  if p_namespace is not null then
    perform stark_internal.require_namespace(p_namespace);
  end if;
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

CREATE OR REPLACE FUNCTION stark.needs_setup()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
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
 SET search_path TO ''
AS $function$
declare
  v_node stark.nodes;
  v_secret text;
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
  insert into stark.node_leases as l (node_id, incarnation, renewed_at)
    values (p_node_id, v_node.incarnation, now())
    on conflict (node_id) do update set incarnation = excluded.incarnation, renewed_at = excluded.renewed_at;
  update stark.nodes n
    set incarnation = v_node.incarnation,
        status = 'healthy',
        status_reason = null,
        connected_at = case when p_incarnation is null then now() else n.connected_at end,
        updated_at = now()
    where n.id = p_node_id and (p_incarnation is null or n.status <> 'healthy');
  return jsonb_strip_nulls(jsonb_build_object('secret', v_secret)) || jsonb_build_object(
    'node_id', p_node_id,
    'incarnation', v_node.incarnation,
    'topic', 'stark:node:' || p_node_id,
    'pods', coalesce((
      select jsonb_agg(stark_internal.wanted_pod(p, v) order by p.priority desc, p.created_at, p.id)
      from stark.pods p join stark.pack_versions v on v.id = p.pack_version_id
      where p.node_id = p_node_id and stark_internal.occupies(p.status)), '[]'));
end;
$function$;
comment on function stark.node_sync(uuid,bigint) is 'Connects an agent, or tells it again what it should run.';
grant execute on function stark.node_sync(uuid,bigint) to authenticated;
grant execute on function stark.node_sync(uuid,bigint) to service_role;

CREATE OR REPLACE FUNCTION stark.register_node(p_name text, p_runtime text, p_labels jsonb DEFAULT '{}'::jsonb, p_taints jsonb DEFAULT '[]'::jsonb, p_allocatable jsonb DEFAULT '{}'::jsonb, p_capabilities jsonb DEFAULT '{}'::jsonb)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_problem record;
  v_allocatable jsonb;
  v_node stark.nodes;
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
  v_allocatable := '{"cpu": 1000, "memory": 1024, "storage": 10240, "pods": 10}'::jsonb || p_allocatable;

  perform stark_internal.lock_cluster();
  select * into v_node from stark.nodes n where n.name = p_name;
  if not found then
    insert into stark.nodes (name, owner_id, runtime, labels, taints, allocatable, capabilities)
      values (p_name, v_user, p_runtime, p_labels, p_taints, v_allocatable, p_capabilities)
      returning * into v_node;
  elsif v_node.owner_id <> v_user then
    perform stark_internal.fail('NODE_NAME_TAKEN', format('a node named %s belongs to somebody else', p_name), 'use another --name');
  elsif v_node.runtime <> p_runtime then
    perform stark_internal.fail('RUNTIME_MISMATCH', format('node %s is a %s node, not %s', p_name, v_node.runtime, p_runtime), 'use another --name');
  else
    update stark.nodes n
      set labels = p_labels, taints = p_taints, allocatable = v_allocatable, capabilities = p_capabilities, updated_at = now()
      where n.id = v_node.id
        and (n.labels, n.taints, n.allocatable, n.capabilities) is distinct from (p_labels, p_taints, v_allocatable, p_capabilities);
  end if;
  return jsonb_build_object('node_id', v_node.id, 'name', v_node.name);
end;
$function$;
comment on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb) is 'Makes a node, or updates the caller''s own of that name.';
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb) to authenticated;
grant execute on function stark.register_node(text,text,jsonb,jsonb,jsonb,jsonb) to service_role;

CREATE OR REPLACE FUNCTION stark.register_pack_version(p_name text, p_version text, p_runtime text, p_entry text DEFAULT 'default'::text, p_visibility text DEFAULT NULL::text, p_description text DEFAULT NULL::text, p_size_bytes bigint DEFAULT NULL::bigint, p_sha256 text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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
      set size_bytes = p_size_bytes, sha256 = lower(p_sha256), runtime = v_runtime, entry = p_entry
      where v.id = v_version.id returning * into v_version;
  else
    v_version.id := gen_random_uuid();
    insert into stark.pack_versions (id, pack_id, pack_name, version, runtime, entry, size_bytes, sha256, path, created_by)
      values (v_version.id, v_pack.id, p_name, p_version, v_runtime, p_entry, p_size_bytes, lower(p_sha256),
              v_pack.id || '/' || v_version.id || '.js', v_user)
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
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark.revoke_role(p_user_id uuid, p_role text, p_namespace text DEFAULT NULL::text)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_found boolean;
begin
  perform stark_internal.require_permission('roles:delete');
  perform stark_internal.lock_cluster();
  delete from stark.role_bindings b
    where b.user_id = p_user_id and b.role = p_role and b.namespace is not distinct from p_namespace;
  v_found := found;
  if v_found and p_role = 'admin' and p_namespace is null and stark.needs_setup() then
    perform stark_internal.fail('LAST_ADMIN', 'this is the last admin of the cluster', 'make another admin first');
  end if;
  return v_found;
end;
$function$;
comment on function stark.revoke_role(uuid,text,text) is 'Takes a role away from a user.';
grant execute on function stark.revoke_role(uuid,text,text) to authenticated;
grant execute on function stark.revoke_role(uuid,text,text) to service_role;

CREATE OR REPLACE FUNCTION stark.setup_admin(p_user_id uuid, p_display_name text DEFAULT NULL::text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark.stop_pods(p_ids uuid[])
 RETURNS SETOF stark.pods
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  perform stark_internal.require_user();
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:update');
  perform stark_internal.begin_stop(p_ids);
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
end;
$function$;
comment on function stark.stop_pods(uuid[]) is 'Stops pods; their rows stay.';
grant execute on function stark.stop_pods(uuid[]) to authenticated;
grant execute on function stark.stop_pods(uuid[]) to service_role;

CREATE OR REPLACE FUNCTION stark.whoami()
 RETURNS jsonb
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.account_resources()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
declare
  v_changes jsonb;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select jsonb_agg(to_jsonb(c)) into v_changes from (
      select r.node_id, sum(r.cpu_request) as cpu, sum(r.memory_request) as memory, sum(r.storage_request) as storage, count(*) as pods
      from new_rows r where r.node_id is not null and stark_internal.occupies(r.status) group by r.node_id) c;
  elsif tg_op = 'DELETE' then
    select jsonb_agg(to_jsonb(c)) into v_changes from (
      select r.node_id, -sum(r.cpu_request) as cpu, -sum(r.memory_request) as memory, -sum(r.storage_request) as storage, -count(*) as pods
      from old_rows r where r.node_id is not null and stark_internal.occupies(r.status) group by r.node_id) c;
  else
    select jsonb_agg(to_jsonb(c)) into v_changes from (
      select d.node_id, sum(d.cpu) as cpu, sum(d.memory) as memory, sum(d.storage) as storage, sum(d.pods) as pods
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
      from jsonb_to_recordset(v_changes) as c (node_id uuid, cpu bigint, memory bigint, storage bigint, pods bigint)
      where n.id = c.node_id;
  end if;
  return null;
end;
$function$;
comment on function stark_internal.account_resources() is 'Keeps nodes.allocated equal to what the placed pods have asked for.';

CREATE OR REPLACE FUNCTION stark_internal.affinity_problem(p_affinity jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
declare
  v_terms jsonb := p_affinity #> '{nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}';
  v_path text;
  v_problem text;
begin
  if jsonb_typeof(p_affinity) <> 'object' then
    return 'spec.affinity must be an object';
  end if;
  if p_affinity = '{}' then
    return null;
  end if;
  select 'spec.affinity.' || k.path into v_path from (
      select a as path from jsonb_object_keys(p_affinity) a where a <> 'nodeAffinity'
      union all
      select 'nodeAffinity.' || a from jsonb_object_keys(case jsonb_typeof(p_affinity -> 'nodeAffinity') when 'object' then p_affinity -> 'nodeAffinity' else '{}' end) a
        where a <> 'requiredDuringSchedulingIgnoredDuringExecution'
    ) k limit 1;
  if found then
    return format('%s is not looked at by this scheduler; required node affinity is', left(v_path, 120));
  end if;
  if jsonb_typeof(v_terms) is distinct from 'array' or jsonb_array_length(v_terms) > 64 then
    return 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms must be a list of at most 64';
  end if;
  if exists (select from jsonb_array_elements(v_terms) t where jsonb_typeof(t) <> 'object')
     or exists (select from jsonb_array_elements(v_terms) t, jsonb_object_keys(t) k where k not in ('matchExpressions', 'matchFields')) then
    return 'each of nodeSelectorTerms is {matchExpressions, matchFields}';
  end if;
  select coalesce(stark_internal.requirements_problem(coalesce(t -> 'matchExpressions', '[]'), 'matchExpressions'),
                  stark_internal.requirements_problem(coalesce(t -> 'matchFields', '[]'), 'matchFields')) into v_problem
    from jsonb_array_elements(v_terms) t
    where stark_internal.requirements_problem(coalesce(t -> 'matchExpressions', '[]'), 'matchExpressions') is not null
       or stark_internal.requirements_problem(coalesce(t -> 'matchFields', '[]'), 'matchFields') is not null
    limit 1;
  if v_problem is null and exists (
    select from jsonb_array_elements(v_terms) t, jsonb_array_elements(coalesce(t -> 'matchFields', '[]')) f
    where f ->> 'key' <> 'metadata.name' or f ->> 'operator' not in ('In', 'NotIn')
  ) then
    v_problem := 'matchFields knows metadata.name with In and NotIn only';
  end if;
  return 'spec.affinity: ' || v_problem;
end;
$function$;
comment on function stark_internal.affinity_problem(jsonb) is 'What is wrong with this affinity; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.apply_reports(p_node_id uuid, p_reports jsonb, p_now timestamp with time zone DEFAULT now())
 RETURNS jsonb
 LANGUAGE plpgsql
 SET search_path TO ''
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
          status_reason = case when j.repeated then coalesce(j.reason, p.status_reason) else j.reason end,
          status_message = case when j.repeated then coalesce(j.message, p.status_message) else j.message end,
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
            or (coalesce(j.reason, p.status_reason), coalesce(j.message, p.status_message), coalesce(j.exit_code, p.exit_code),
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
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.broadcast_events(p_events stark.events[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_batch record;
  v_previous bigint;
begin
  for v_batch in
    select b.topic, b.chunk, max(b.seq) as last_seq, jsonb_agg(b.event order by b.seq) as events
    from (
      -- The size of a jsonb in memory is close to that of its text, and is known without writing it.
      select e.seq, coalesce('stark:namespace:' || e.namespace, 'stark:cluster') as topic, to_jsonb(e) as event,
             sum(pg_column_size(e.object) + 300) over (partition by e.namespace order by e.seq) / 200000 as chunk
      from unnest(p_events) e
    ) b
    group by b.topic, b.chunk
    order by b.topic, b.chunk
  loop
    select h.seq into v_previous from stark_internal.event_heads h where h.topic = v_batch.topic;
    insert into stark_internal.event_heads as h (topic, seq) values (v_batch.topic, v_batch.last_seq)
      on conflict (topic) do update set seq = excluded.seq;
    perform realtime.send(jsonb_build_object('events', v_batch.events, 'previous_seq', coalesce(v_previous, 0)), 'events', v_batch.topic, true);
  end loop;
end;
$function$;
comment on function stark_internal.broadcast_events(stark.events[]) is 'Broadcasts new events on the topics of their namespaces and of the cluster.';

CREATE OR REPLACE FUNCTION stark_internal.bump_version()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  new.resource_version := old.resource_version + 1;
  return new;
end;
$function$;
comment on function stark_internal.bump_version() is 'Counts resource_version up with each change of a row.';

CREATE OR REPLACE FUNCTION stark_internal.caller_name()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  -- Definer, since the caller may not be allowed to read profiles; it tells the caller only about the caller.
  select coalesce((select u.email from stark.profiles u where u.id = (select auth.uid())), (select auth.uid())::text, stark_internal.caller_role());
$function$;
comment on function stark_internal.caller_name() is 'E-mail address or id of the caller, for messages.';

CREATE OR REPLACE FUNCTION stark_internal.caller_role()
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user::text);
$function$;
comment on function stark_internal.caller_role() is 'Role that sent the statement, also from inside a security definer function.';

CREATE OR REPLACE FUNCTION stark_internal.check_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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
 SET search_path TO ''
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
    perform stark_internal.fail('INVALID_SPEC', v_problem, 'stark explain pod.spec');
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
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.command_nodes()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_items jsonb;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    select jsonb_agg(jsonb_build_object('node_id', n.node_id, 'item', stark_internal.wanted_pod(n::stark.pods, v)) order by n.priority desc, n.created_at, n.id) into v_items
      from old_rows o join new_rows n using (id) join stark.pack_versions v on v.id = n.pack_version_id
      where n.status = 'scheduled' and o.status <> 'scheduled';
    if v_items is not null then
      perform stark_internal.send_command('pods.start', v_items);
    end if;
    select jsonb_agg(jsonb_build_object('node_id', n.node_id, 'item', jsonb_build_object(
             'id', n.id, 'graceSeconds', coalesce((n.spec ->> 'terminationGracePeriodSeconds')::integer, 30)))) into v_items
      from old_rows o join new_rows n using (id)
      where n.status = 'stopping' and o.status <> 'stopping' and n.node_id is not null;
  else
    select jsonb_agg(jsonb_build_object('node_id', o.node_id, 'item', jsonb_build_object('id', o.id, 'graceSeconds', 0))) into v_items
      from old_rows o where stark_internal.occupies(o.status) and o.node_id is not null;
  end if;
  if v_items is not null then
    perform stark_internal.send_command('pods.stop', v_items);
  end if;
  return null;
end;
$function$;
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';

CREATE OR REPLACE FUNCTION stark_internal.create_pod_group(p_item jsonb, p_user_id uuid, p_now timestamp with time zone DEFAULT now())
 RETURNS uuid[]
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_namespace text;
  v_name text;
  v_replicas integer;
  v_priority integer;
  v_labels jsonb;
  v_spec jsonb;
  v_version stark.pack_versions;
  v_node stark.nodes;
  v_problem text;
  v_ids uuid[] := '{}';
  v_new uuid[];
begin
  if jsonb_typeof(p_item) is distinct from 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'each entry of p_pods must be an object', 'give at least {"pack": "name"}');
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
  v_namespace := coalesce(p_item ->> 'namespace', 'default');
  v_name := p_item ->> 'name';
  v_labels := coalesce(nullif(p_item -> 'labels', 'null'), '{}');
  v_spec := coalesce(nullif(p_item -> 'spec', 'null'), '{}');

  -- stark-system is the platform's: there a right to own pods alone is not enough.
  perform stark_internal.require_permission('pods:create', v_namespace, v_namespace <> 'stark-system');
  perform stark_internal.require_namespace(v_namespace);
  if v_name is not null and not stark_internal.is_dns_label(v_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a pod', to_json(left(v_name, 80))), 'use lower case letters, digits and -, at most 63');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'replicas', 'null'), '1'), 1, 10000) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('replicas must be a whole number from 1 to 10000, not %s', left((p_item -> 'replicas')::text, 80)), 'use --replicas 3');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'priority', 'null'), '100'), 0, 1000) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('priority must be a whole number from 0 to 1000, not %s', left((p_item -> 'priority')::text, 80)), 'use --priority 100');
  end if;
  v_replicas := coalesce((p_item ->> 'replicas')::numeric, 1);
  v_priority := coalesce((p_item ->> 'priority')::numeric, 100);
  if stark_internal.labels_problem(v_labels) is not null then
    perform stark_internal.fail('INVALID_LABELS', stark_internal.labels_problem(v_labels), 'use --label key=value');
  end if;
  if stark_internal.spec_problem(v_spec) is not null then
    perform stark_internal.fail('INVALID_SPEC', stark_internal.spec_problem(v_spec), 'stark explain pod.spec');
  end if;
  v_version := stark_internal.find_deployable_version(p_item ->> 'pack', p_item ->> 'version', p_user_id);
  if v_spec ? 'nodeName' then
    select * into v_node from stark.nodes n where n.name = v_spec ->> 'nodeName';
    if not found then
      perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', v_spec ->> 'nodeName'), 'stark node list');
    elsif v_version.runtime not in ('isomorphic', v_node.runtime) then
      perform stark_internal.fail('RUNTIME_MISMATCH', format('%s@%s runs on %s, node %s is a %s node',
        v_version.pack_name, v_version.version, v_version.runtime, v_node.name, v_node.runtime), 'stark node list');
    end if;
  end if;
  v_spec := jsonb_set(v_spec, '{resources}', coalesce(v_spec -> 'resources', '{}')
    || jsonb_build_object('requests', '{"cpu": 100, "memory": 128}'::jsonb || coalesce(v_spec #> '{resources,requests}', '{}')));

  if v_name is not null and v_replicas = 1 then
    insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
      values (v_name, v_namespace, v_version.pack_id, v_version.pack_name, v_version.id, v_version.version, v_labels, v_spec, v_priority, p_user_id, p_now)
      on conflict on constraint pod_name_is_unique_in_its_namespace do nothing
      returning array[id] into v_ids;
    if not found then
      perform stark_internal.fail('POD_NAME_TAKEN', format('namespace %s has a pod %s already', v_namespace, v_name), 'stark pod list -n ' || v_namespace);
    end if;
    return v_ids;
  end if;
  -- Random names can collide; the few that did are drawn again.
  while cardinality(v_ids) < v_replicas loop
    with added as (
      insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by, created_at)
        select stark_internal.name_stem(coalesce(v_name, v_version.pack_name)) || '-' || stark_internal.random_suffix(),
               v_namespace, v_version.pack_id, v_version.pack_name, v_version.id, v_version.version, v_labels, v_spec, v_priority, p_user_id, p_now
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
 SET search_path TO ''
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
 SET search_path TO ''
AS $function$
declare
  v_old record;
  v_dropped integer := 0;
begin
  for v_old in
    select c.relname, p.relname as parent
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    join pg_catalog.pg_class p on p.oid = i.inhparent
    where i.inhparent in ('stark.events'::regclass, 'stark.pod_logs'::regclass)
      and c.relkind = 'r'
      and c.relname ~ '_\d{4}_\d\d_\d\d$'
      and to_date(right(c.relname, 10), 'YYYY_MM_DD')
          < (p_now at time zone 'UTC')::date - case p.relname when 'events' then 7 else 3 end
  loop
    execute format('drop table stark_internal.%I', v_old.relname);
    v_dropped := v_dropped + 1;
  end loop;
  delete from stark_internal.events_default e where e.time < p_now - interval '7 days';
  delete from stark_internal.pod_logs_default l where l.time < p_now - interval '3 days';
  return v_dropped;
end;
$function$;
comment on function stark_internal.drop_old_partitions(timestamp with time zone) is 'Drops events and logs that are older than they are kept.';

CREATE OR REPLACE FUNCTION stark_internal.ensure_partitions(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
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
        -- Lines of that day that came too early stand in the default partition, and would forbid the new one.
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

CREATE OR REPLACE FUNCTION stark_internal.explain_rejections(p_group stark_internal.pod_group)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select left(format('0/%s nodes', (select count(*) from stark.nodes))
    || coalesce(': ' || string_agg(c.nodes || ' ' || c.reason, ', ' order by c.nodes desc, c.reason), ''), 4096)
  from (select r.reason, count(distinct r.node_id) as nodes from stark_internal.rejections(p_group) r group by r.reason) c;
$function$;
comment on function stark_internal.explain_rejections(stark_internal.pod_group) is 'Why a group fits nowhere, counted per node.';

CREATE OR REPLACE FUNCTION stark_internal.fail(p_code text, p_message text, p_hint text DEFAULT NULL::text, p_details text DEFAULT NULL::text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.filter_health(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'node ' || n.status from stark.nodes n where n.status <> 'healthy';
$function$;
comment on function stark_internal.filter_health(stark_internal.pod_group) is 'Rejects nodes that are not healthy.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_affinity(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'node affinity'
  from stark.nodes n
  where p_group.template #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution}' is not null
    and not stark_internal.matches_node_terms(n.name, n.labels,
      p_group.template #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}');
$function$;
comment on function stark_internal.filter_node_affinity(stark_internal.pod_group) is 'Rejects nodes that required node affinity does not match.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_name(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'node name ' || (p_group.template ->> 'nodeName') || ' wanted'
  from stark.nodes n where p_group.template ? 'nodeName' and n.name <> p_group.template ->> 'nodeName';
$function$;
comment on function stark_internal.filter_node_name(stark_internal.pod_group) is 'Rejects all nodes but the named one.';

CREATE OR REPLACE FUNCTION stark_internal.filter_node_selector(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'node selector'
  from stark.nodes n where p_group.template ? 'nodeSelector' and not n.labels @> (p_group.template -> 'nodeSelector');
$function$;
comment on function stark_internal.filter_node_selector(stark_internal.pod_group) is 'Rejects nodes that lack a wanted label.';

CREATE OR REPLACE FUNCTION stark_internal.filter_pack_access(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'private pack'
  from stark.nodes n
  where p_group.visibility = 'private'
    and n.owner_id <> p_group.pack_owner
    and n.owner_id not in (
      select b.user_id from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
      where b.role = 'admin' and b.namespace is null);
$function$;
comment on function stark_internal.filter_pack_access(stark_internal.pod_group) is 'Rejects nodes that may not run a private pack.';

CREATE OR REPLACE FUNCTION stark_internal.filter_resources(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'insufficient ' || r.resource
  from stark.nodes n
  cross join lateral (values ('cpu', p_group.cpu), ('memory', p_group.memory), ('storage', p_group.storage), ('pods', 1)) as r (resource, wanted)
  where r.wanted > 0
    and (n.allocatable ->> r.resource)::bigint - (n.allocated ->> r.resource)::bigint < r.wanted;
$function$;
comment on function stark_internal.filter_resources(stark_internal.pod_group) is 'Rejects nodes without room for one more pod of the group.';

CREATE OR REPLACE FUNCTION stark_internal.filter_runtime(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, format('runtime %s wanted', p_group.runtime)
  from stark.nodes n where p_group.runtime not in ('isomorphic', n.runtime);
$function$;
comment on function stark_internal.filter_runtime(stark_internal.pod_group) is 'Rejects nodes of another runtime than the pack''s.';

CREATE OR REPLACE FUNCTION stark_internal.filter_taints(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, format('taint %s%s:%s', t ->> 'key', coalesce('=' || nullif(t ->> 'value', ''), ''), t ->> 'effect')
  from stark.nodes n, jsonb_array_elements(n.taints) t
  where n.taints <> '[]'
    and t ->> 'effect' in ('NoSchedule', 'NoExecute')
    and not stark_internal.tolerates(p_group.template -> 'tolerations', t);
$function$;
comment on function stark_internal.filter_taints(stark_internal.pod_group) is 'Rejects nodes with a taint that is not tolerated.';

CREATE OR REPLACE FUNCTION stark_internal.filter_unschedulable(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select n.id, 'unschedulable' from stark.nodes n where n.unschedulable;
$function$;
comment on function stark_internal.filter_unschedulable(stark_internal.pod_group) is 'Rejects cordoned nodes.';

CREATE OR REPLACE FUNCTION stark_internal.find_deployable_version(p_pack text, p_version text, p_user_id uuid)
 RETURNS stark.pack_versions
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.has_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select stark_internal.is_trusted() or exists (
    select
    from stark.role_bindings b
    join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    join stark.roles r on r.name = b.role
    join stark.role_permissions p on p.role = coalesce(r.alias_of, r.name)
    where b.user_id = (select auth.uid())
      and (b.namespace is null or b.namespace = p_namespace)
      and p.kind in ('*', split_part(p_permission, ':', 1))
      and p.verb in ('*', split_part(p_permission, ':', 2))
      and (p_own or p.scope = 'any')
  );
$function$;
comment on function stark_internal.has_permission(text,text,boolean) is 'Whether the caller has this right, cluster-wide or in the namespace.';
grant execute on function stark_internal.has_permission(text,text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.is_admin(p_user_id uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select exists (
    select from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = p_user_id and b.role = 'admin' and b.namespace is null
  );
$function$;
comment on function stark_internal.is_admin(uuid) is 'Whether this user is an admin of the whole cluster.';

CREATE OR REPLACE FUNCTION stark_internal.is_dns_label(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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
 SET search_path TO ''
AS $function$
begin
  return coalesce(length(p_name) <= 253
    and p_name ~ '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$', false);
end;
$function$;
comment on function stark_internal.is_dns_name(text) is 'True for DNS labels joined by dots, at most 253 characters.';

CREATE OR REPLACE FUNCTION stark_internal.is_member()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  select stark_internal.is_trusted() or exists (
    select
    from stark.role_bindings b
    join stark.profiles u on u.id = b.user_id and u.disabled_at is null
    where b.user_id = (select auth.uid())
  );
$function$;
comment on function stark_internal.is_member() is 'Whether the caller has any role.';
grant execute on function stark_internal.is_member() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.is_pack_name(p_name text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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
 SET search_path TO ''
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
 SET search_path TO ''
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
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select stark_internal.caller_role() in ('service_role', 'postgres', 'supabase_admin');
$function$;
comment on function stark_internal.is_trusted() is 'True for the secret key and for the database''s own administrators.';

CREATE OR REPLACE FUNCTION stark_internal.is_whole(p_value jsonb, p_low numeric, p_high numeric)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  -- No fraction, not even .0: what is stored keeps it, and its text is then no integer to the casts that read it.
  return case when jsonb_typeof(p_value) = 'number'
    then p_value::numeric between p_low and p_high and scale(p_value::numeric) = 0
    else false end;
end;
$function$;
comment on function stark_internal.is_whole(jsonb,numeric,numeric) is 'True for a whole JSON number between two bounds.';

CREATE OR REPLACE FUNCTION stark_internal.keep_house(p_now timestamp with time zone DEFAULT now())
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
begin
  perform stark_internal.lock_cluster();
  perform stark_internal.ensure_partitions(p_now);
  perform stark_internal.drop_old_partitions(p_now);
  perform stark_internal.trim_pod_logs();
  if to_regclass('cron.job_run_details') is not null then
    delete from cron.job_run_details d where d.end_time < p_now - interval '2 days';
  end if;
end;
$function$;
comment on function stark_internal.keep_house(timestamp with time zone) is 'Partitions ahead, old ones gone, pg_cron''s own diary kept short.';

CREATE OR REPLACE FUNCTION stark_internal.keep_versions_immutable()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.labels_problem(p_labels jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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
 SET search_path TO ''
AS $function$
  select v.version from stark.pack_versions v
  where v.pack_id = p_pack_id and v.state = 'ready'
  order by (right(v.version_key, 1) = '~') desc, v.version_key desc, v.ready_at desc
  limit 1;
$function$;
comment on function stark_internal.latest_version(uuid) is 'The version a pod gets when it asks for none.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster()
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  select pg_catalog.pg_advisory_xact_lock(1398030674, 1);
$function$;
comment on function stark_internal.lock_cluster() is 'Takes the cluster lock until the end of the transaction.';

CREATE OR REPLACE FUNCTION stark_internal.lock_cluster_first()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  perform stark_internal.lock_cluster();
  return null;
end;
$function$;
comment on function stark_internal.lock_cluster_first() is 'Takes the cluster lock before a statement locks its first row.';

CREATE OR REPLACE FUNCTION stark_internal.matches_node_terms(p_name text, p_labels jsonb, p_terms jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select exists (
    select from jsonb_array_elements(p_terms) t
    where coalesce(jsonb_array_length(t -> 'matchExpressions'), 0) + coalesce(jsonb_array_length(t -> 'matchFields'), 0) > 0
      and not exists (
        select from jsonb_array_elements(coalesce(t -> 'matchExpressions', '[]')) r where not stark_internal.meets(p_labels, r))
      and not exists (
        select from jsonb_array_elements(coalesce(t -> 'matchFields', '[]')) r
        where not stark_internal.meets(jsonb_build_object('metadata.name', p_name), r)));
$function$;
comment on function stark_internal.matches_node_terms(text,jsonb,jsonb) is 'Whether a node matches one of these node selector terms.';

CREATE OR REPLACE FUNCTION stark_internal.may_read_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
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
            where d.pack_version_id = v.id and n.owner_id = (select auth.uid()) and stark_internal.occupies(d.status))
        )
      ));
$function$;
comment on function stark_internal.may_read_bundle(text) is 'Whether the caller may download the bundle of this path.';
grant execute on function stark_internal.may_read_bundle(text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.may_upload_bundle(p_path text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
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
 SET search_path TO ''
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
        where n.id = v_id and stark_internal.has_permission('nodes:connect', null, n.owner_id = (select auth.uid())));
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
              and stark_internal.has_permission('nodes:connect', null, n.owner_id = (select auth.uid()))
            else false
          end);
    else
      return false;
  end case;
end;
$function$;
comment on function stark_internal.may_use_topic(text,text,text) is 'Whether the caller may read or write this extension of one of Stark''s topics.';
grant execute on function stark_internal.may_use_topic(text,text,text) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.meets(p_labels jsonb, p_requirement jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select case p_requirement ->> 'operator'
    when 'In' then p_labels ? (p_requirement ->> 'key') and (p_requirement -> 'values') ? (p_labels ->> (p_requirement ->> 'key'))
    when 'NotIn' then not (p_labels ? (p_requirement ->> 'key') and (p_requirement -> 'values') ? (p_labels ->> (p_requirement ->> 'key')))
    when 'Exists' then p_labels ? (p_requirement ->> 'key')
    when 'DoesNotExist' then not p_labels ? (p_requirement ->> 'key')
    when 'Gt' then coalesce(substring(p_labels ->> (p_requirement ->> 'key') from '^-?\d{1,18}$')::bigint > (p_requirement #>> '{values,0}')::bigint, false)
    when 'Lt' then coalesce(substring(p_labels ->> (p_requirement ->> 'key') from '^-?\d{1,18}$')::bigint < (p_requirement #>> '{values,0}')::bigint, false)
    else false
  end;
$function$;
comment on function stark_internal.meets(jsonb,jsonb) is 'Whether labels meet one match expression.';

CREATE OR REPLACE FUNCTION stark_internal.mirror_users()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
AS $function$
begin
  -- Definer, since Supabase Auth's own role writes auth.users and has no right in this schema. Only a trigger can call it.
  if tg_op = 'INSERT' then
    insert into stark.profiles (id, email) select u.id, u.email from new_rows u on conflict (id) do nothing;
  else
    update stark.profiles p set email = u.email from new_rows u where u.id = p.id and p.email is distinct from u.email;
  end if;
  return null;
end;
$function$;
comment on function stark_internal.mirror_users() is 'Keeps one profile for each user of Supabase Auth.';

CREATE OR REPLACE FUNCTION stark_internal.my_nodes()
 RETURNS uuid[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  -- Definer, since policies of nodes and pods ask it about each other's tables; it tells only the caller's own.
  select case when stark_internal.has_permission('nodes:get', null, true)
    then array(select n.id from stark.nodes n where n.owner_id = (select auth.uid()))
    else '{}'::uuid[]
  end;
$function$;
comment on function stark_internal.my_nodes() is 'Ids of the caller''s own nodes.';
grant execute on function stark_internal.my_nodes() to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.name_stem(p_name text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select coalesce(nullif(trim('-' from left(trim('-' from regexp_replace(lower(regexp_replace(p_name, '^@[^/]*/', '')), '[^a-z0-9]+', '-', 'g')), 57)), ''), 'pod');
$function$;
comment on function stark_internal.name_stem(text) is 'What the made-up name of a pod starts with.';

CREATE OR REPLACE FUNCTION stark_internal.node_problem(p_labels jsonb, p_taints jsonb, p_allocatable jsonb, p_capabilities jsonb)
 RETURNS TABLE(code text, problem text, hint text)
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.occupies(p_status text)
 RETURNS boolean
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return p_status in ('scheduled', 'transferring', 'starting', 'running', 'stopping');
end;
$function$;
comment on function stark_internal.occupies(text) is 'Whether a pod in this status takes up room on its node.';

CREATE OR REPLACE FUNCTION stark_internal.open_slots(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, node_name text, incarnation bigint, slots bigint)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  with rejected as materialized (
    select distinct r.node_id from stark_internal.rejections(p_group) r
  )
  select n.id, n.name, n.incarnation, least(
      case when p_group.cpu > 0 then ((n.allocatable ->> 'cpu')::bigint - (n.allocated ->> 'cpu')::bigint) / p_group.cpu end,
      case when p_group.memory > 0 then ((n.allocatable ->> 'memory')::bigint - (n.allocated ->> 'memory')::bigint) / p_group.memory end,
      case when p_group.storage > 0 then ((n.allocatable ->> 'storage')::bigint - (n.allocated ->> 'storage')::bigint) / p_group.storage end,
      (n.allocatable ->> 'pods')::bigint - (n.allocated ->> 'pods')::bigint,
      cardinality(p_group.pod_ids))
  from stark.nodes n
  where not exists (select from rejected r where r.node_id = n.id);
$function$;
comment on function stark_internal.open_slots(stark_internal.pod_group) is 'How many pods of a group each feasible node takes.';

CREATE OR REPLACE FUNCTION stark_internal.permitted_namespaces(p_permission text, p_own boolean DEFAULT false)
 RETURNS text[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO ''
AS $function$
  -- Definer: it reads every binding of the caller and tells only what the caller has.
  select case when stark_internal.has_permission(p_permission, null, p_own)
    then array(select n.name from stark.namespaces n)
    else array(
      select distinct b.namespace from stark.role_bindings b
      where b.user_id = (select auth.uid()) and b.namespace is not null
        and stark_internal.has_permission(p_permission, b.namespace, p_own))
  end;
$function$;
comment on function stark_internal.permitted_namespaces(text,boolean) is 'The namespaces in which the caller has this right.';
grant execute on function stark_internal.permitted_namespaces(text,boolean) to authenticated;

CREATE OR REPLACE FUNCTION stark_internal.place_group(p_group stark_internal.pod_group, p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_placed integer;
  v_reasons text;
begin
  with picked as (
    select s.*, row_number() over (order by s.load, s.node_name) as ord from stark_internal.score_spread(p_group) s
  )
  update stark.pods p set
      status = 'scheduled',
      node_id = k.node_id,
      node_name = k.node_name,
      incarnation = k.incarnation,
      scheduled_at = p_now,
      status_reason = null,
      status_message = null
    from picked k
    where k.ord <= cardinality(p_group.pod_ids) and p.id = p_group.pod_ids[k.ord] and p.status = 'pending';
  get diagnostics v_placed = row_count;
  if v_placed < cardinality(p_group.pod_ids) then
    v_reasons := stark_internal.explain_rejections(p_group);
    update stark.pods p set status_reason = 'Unschedulable', status_message = v_reasons
      where p.id = any (p_group.pod_ids) and p.status = 'pending'
        and (p.status_reason, p.status_message) is distinct from ('Unschedulable', v_reasons);
  end if;
  return v_placed;
end;
$function$;
comment on function stark_internal.place_group(stark_internal.pod_group,timestamp with time zone) is 'Places as many pods of a group as fit; the others keep the reasons.';

CREATE OR REPLACE FUNCTION stark_internal.placement_template(p_spec jsonb)
 RETURNS jsonb
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
AS $function$
  select p_spec - array['config', 'env', 'ports', 'restartPolicy', 'terminationGracePeriodSeconds', 'isolation', 'readiness', 'liveness'];
$function$;
comment on function stark_internal.placement_template(jsonb) is 'The part of a pod''s spec that decides where it may go.';

CREATE OR REPLACE FUNCTION stark_internal.ports_problem(p_ports jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.random_suffix()
 RETURNS text
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  select string_agg(substr('bcdfghjklmnpqrstvwxz2456789', 1 + floor(random() * 27)::integer, 1), '') from generate_series(1, 5);
$function$;
comment on function stark_internal.random_suffix() is 'Five random characters for made-up names.';

CREATE OR REPLACE FUNCTION stark_internal.read_reports(p_reports jsonb)
 RETURNS TABLE(ord bigint, nth bigint, pod_id uuid, status text, reason text, message text, exit_code integer, restarts integer, ready boolean, ports jsonb, observed_at timestamp with time zone)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select e.ord, row_number() over (partition by e.report ->> 'pod_id' order by e.ord), (e.report ->> 'pod_id')::uuid, e.report ->> 'status',
         left(e.report ->> 'reason', 128), left(e.report ->> 'message', 4096),
         (e.report ->> 'exit_code')::numeric::integer, (e.report ->> 'restarts')::numeric::integer,
         (e.report ->> 'ready')::boolean, nullif(e.report -> 'ports', 'null'), (e.report ->> 'observed_at')::timestamptz
  from jsonb_array_elements(p_reports) with ordinality as e (report, ord)
  where stark_internal.report_problem(e.report) is null;
$function$;
comment on function stark_internal.read_reports(jsonb) is 'Well-formed reports as rows.';

CREATE OR REPLACE FUNCTION stark_internal.rejections(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, reason text)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select * from stark_internal.filter_runtime(p_group)
  union all select * from stark_internal.filter_pack_access(p_group)
  union all select * from stark_internal.filter_health(p_group)
  union all select * from stark_internal.filter_unschedulable(p_group)
  union all select * from stark_internal.filter_node_name(p_group)
  union all select * from stark_internal.filter_node_selector(p_group)
  union all select * from stark_internal.filter_node_affinity(p_group)
  union all select * from stark_internal.filter_taints(p_group)
  union all select * from stark_internal.filter_resources(p_group);
$function$;
comment on function stark_internal.rejections(stark_internal.pod_group) is 'Which nodes are rejected for a group, under each filter.';

CREATE OR REPLACE FUNCTION stark_internal.remove_ended_pods()
 RETURNS integer
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  with removed as (
    delete from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null returning 1)
  select count(*)::integer from removed;
$function$;
comment on function stark_internal.remove_ended_pods() is 'Removes the rows of ended pods that were to be deleted.';

CREATE OR REPLACE FUNCTION stark_internal.report_problem(p_report jsonb)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO ''
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
 SET search_path TO ''
AS $function$
  select nullif(pg_catalog.current_setting('request.headers', true), '')::jsonb ->> p_name;
$function$;
comment on function stark_internal.request_header(text) is 'A header of the HTTP request being served.';

CREATE OR REPLACE FUNCTION stark_internal.require_agent(p_node_id uuid, p_incarnation bigint)
 RETURNS stark.nodes
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
declare
  v_user uuid := stark_internal.require_user();
  v_node stark.nodes;
begin
  select * into v_node from stark.nodes n where n.id = p_node_id;
  if not found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', coalesce(p_node_id::text, 'null')), 'register the node again');
  end if;
  if not stark_internal.has_permission('nodes:connect', null, v_node.owner_id = v_user) then
    perform stark_internal.fail('FORBIDDEN', format('%s may not speak for node %s', stark_internal.caller_name(), p_node_id), 'sign in as the owner of the node');
  end if;
  if p_incarnation is not null and p_incarnation <> v_node.incarnation then
    perform stark_internal.fail('STALE_INCARNATION', format('node %s is at incarnation %s, this call is from %s', v_node.name, v_node.incarnation, p_incarnation),
      'another agent has taken the node over: stop, or connect anew');
  end if;
  return v_node;
end;
$function$;
comment on function stark_internal.require_agent(uuid,bigint) is 'The node, when the caller may speak for this incarnation of it.';

CREATE OR REPLACE FUNCTION stark_internal.require_namespace(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
AS $function$
begin
  if not exists (select from stark.namespaces n where n.name = p_name) then
    perform stark_internal.fail('NAMESPACE_NOT_FOUND', format('no namespace %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark namespace list');
  end if;
end;
$function$;
comment on function stark_internal.require_namespace(text) is 'Raises a coded error when there is no such namespace.';

CREATE OR REPLACE FUNCTION stark_internal.require_permission(p_permission text, p_namespace text DEFAULT NULL::text, p_own boolean DEFAULT false)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.require_pods(p_ids uuid[], p_permission text)
 RETURNS void
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
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
end;
$function$;
comment on function stark_internal.require_pods(uuid[],text) is 'Raises a coded error unless the caller may do this to each of these pods.';

CREATE OR REPLACE FUNCTION stark_internal.require_user()
 RETURNS uuid
 LANGUAGE plpgsql
 STABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.requirements_problem(p_requirements jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.resources_problem(p_resources jsonb, p_what text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.schedule_pods(p_now timestamp with time zone DEFAULT now())
 RETURNS integer
 LANGUAGE plpgsql
 SET search_path TO ''
AS $function$
declare
  v_group stark_internal.pod_group;
  v_placed integer := 0;
  v_origin text := pg_catalog.current_setting('stark.origin', true);
begin
  perform stark_internal.lock_cluster();
  perform pg_catalog.set_config('stark.origin', 'scheduler', true);
  for v_group in
    select v.runtime, k.visibility, k.owner_id, g.template, g.cpu, g.memory, g.storage, g.pod_ids
    from (
      select p.pack_version_id, p.priority, stark_internal.placement_template(p.spec) as template,
             p.cpu_request as cpu, p.memory_request as memory, p.storage_request as storage,
             array_agg(p.id order by p.created_at, p.id) as pod_ids, min(p.created_at) as oldest
      from stark.pods p
      where p.status = 'pending'
      group by 1, 2, 3, 4, 5, 6) g
    join stark.pack_versions v on v.id = g.pack_version_id
    join stark.packs k on k.id = v.pack_id
    order by g.priority desc, g.oldest, g.pod_ids[1]
  loop
    v_placed := v_placed + stark_internal.place_group(v_group, p_now);
  end loop;
  perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true);
  return v_placed;
end;
$function$;
comment on function stark_internal.schedule_pods(timestamp with time zone) is 'Places pending pods, highest priority first.';

CREATE OR REPLACE FUNCTION stark_internal.schedule_when_nodes_change()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
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
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    if not exists (
      select from old_rows o join new_rows n using (id)
      where stark_internal.occupies(o.status) and not stark_internal.occupies(n.status)
    ) then
      return null;
    end if;
  elsif not exists (select from old_rows o where stark_internal.occupies(o.status)) then
    return null;
  end if;
  if exists (select from stark.pods p where p.status = 'pending') then
    perform stark_internal.schedule_pods();
  end if;
  return null;
end;
$function$;
comment on function stark_internal.schedule_when_room_is_freed() is 'Runs a schedule pass when pods have left room.';

CREATE OR REPLACE FUNCTION stark_internal.score_spread(p_group stark_internal.pod_group)
 RETURNS TABLE(node_id uuid, node_name text, incarnation bigint, load double precision)
 LANGUAGE sql
 STABLE
 SET search_path TO ''
AS $function$
  select s.node_id, s.node_name, s.incarnation, greatest(
      (s.cpu_used + k * p_group.cpu) / s.cpu_total,
      (s.memory_used + k * p_group.memory) / s.memory_total,
      (s.pods_used + k) / s.pods_total)
  from (
    select o.node_id, o.node_name, o.incarnation, o.slots,
           (n.allocated ->> 'cpu')::double precision as cpu_used, greatest((n.allocatable ->> 'cpu')::double precision, 1) as cpu_total,
           (n.allocated ->> 'memory')::double precision as memory_used, greatest((n.allocatable ->> 'memory')::double precision, 1) as memory_total,
           (n.allocated ->> 'pods')::double precision as pods_used, greatest((n.allocatable ->> 'pods')::double precision, 1) as pods_total
    from stark_internal.open_slots(p_group) o
    join stark.nodes n on n.id = o.node_id
    offset 0 -- computed once a node, not once a slot
  ) s
  cross join generate_series(1, s.slots) k;
$function$;
comment on function stark_internal.score_spread(stark_internal.pod_group) is 'Open slots of a group with the load each would leave.';

CREATE OR REPLACE FUNCTION stark_internal.semver_key(p_version text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.send_command(p_event text, p_items jsonb)
 RETURNS void
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  select realtime.send(jsonb_build_object('pods', m.items), p_event, 'stark:node:' || m.node_id, true)
  from (
    select c.node_id, c.chunk, jsonb_agg(c.item order by c.ord) as items
    from (
      select i.node_id, i.item, i.ord,
             sum(octet_length(i.item::text)) over (partition by i.node_id order by i.ord) / 200000 as chunk
      from rows from (jsonb_to_recordset(p_items) as (node_id uuid, item jsonb)) with ordinality as i (node_id, item, ord)
    ) c
    group by c.node_id, c.chunk
  ) m
  order by m.node_id, m.chunk;
$function$;
comment on function stark_internal.send_command(text,jsonb) is 'Broadcasts a command to each node concerned.';

CREATE OR REPLACE FUNCTION stark_internal.spec_problem(p_spec jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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
                    'restartPolicy', 'terminationGracePeriodSeconds', 'isolation', 'readiness', 'liveness')
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
  select k into v_key from unnest(array['affinity', 'config', 'env', 'resources', 'readiness', 'liveness']) k
    where p_spec ? k and jsonb_typeof(p_spec -> k) <> 'object' limit 1;
  if found then
    return format('spec.%s must be an object', v_key);
  end if;
  if p_spec ? 'affinity' and stark_internal.affinity_problem(p_spec -> 'affinity') is not null then
    return stark_internal.affinity_problem(p_spec -> 'affinity');
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
  return null;
end;
$function$;
comment on function stark_internal.spec_problem(jsonb) is 'What is wrong with this pod spec; null when nothing is.';

CREATE OR REPLACE FUNCTION stark_internal.taints_problem(p_taints jsonb)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.tolerates(p_tolerations jsonb, p_taint jsonb)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE
 SET search_path TO ''
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
 SET search_path TO ''
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

CREATE OR REPLACE FUNCTION stark_internal.trim_pod_logs(p_keep integer DEFAULT 10000)
 RETURNS integer
 LANGUAGE sql
 SET search_path TO ''
AS $function$
  with crowded as (
    select l.pod_id from stark.pod_logs l group by l.pod_id having count(*) > p_keep
  ), oldest as (
    select c.pod_id, (select l.seq from stark.pod_logs l where l.pod_id = c.pod_id order by l.seq desc offset p_keep limit 1) as seq from crowded c
  ), removed as (
    delete from stark.pod_logs l using oldest o where l.pod_id = o.pod_id and l.seq <= o.seq returning 1
  )
  select count(*)::integer from removed;
$function$;
comment on function stark_internal.trim_pod_logs(integer) is 'Keeps each pod''s log to its newest lines.';

CREATE OR REPLACE FUNCTION stark_internal.wanted_pod(p_pod stark.pods, p_version stark.pack_versions)
 RETURNS jsonb
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO ''
AS $function$
begin
  return jsonb_build_object(
    'id', p_pod.id,
    'name', p_pod.name,
    'namespace', p_pod.namespace,
    'labels', p_pod.labels,
    'status', p_pod.status,
    'pack', p_pod.pack_name,
    'version', p_pod.version,
    'version_id', p_version.id,
    'runtime', p_version.runtime,
    'entry', p_version.entry,
    'bundle', jsonb_build_object('bucket', p_version.bucket, 'path', p_version.path, 'sha256', p_version.sha256, 'size_bytes', p_version.size_bytes),
    'spec', p_pod.spec,
    'restarts', p_pod.restarts,
    'wanted', case when p_pod.status = 'stopping' then 'stopped' else 'running' end);
end;
$function$;
comment on function stark_internal.wanted_pod(stark.pods,stark.pack_versions) is 'A placed pod in the form that agents get it.';

CREATE OR REPLACE FUNCTION stark_internal.write_events()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO ''
 SET enable_nestloop TO 'off'
AS $function$
declare
  v_kind text := tg_argv[0];
  v_id_column text := tg_argv[1];
  v_objects jsonb[];
  v_events stark.events[];
  v_after bigint;
  v_origin text;
  v_correlation_id text;
begin
  -- Definer: whoever may write the table leaves an event, and nobody may write events. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(to_jsonb(o)) into v_objects from old_rows o;
  elsif v_kind = 'node' then
    select array_agg(to_jsonb(n)) into v_objects
      from old_rows o join new_rows n using (id)
      where to_jsonb(o) - array['allocated', 'resource_version'] is distinct from to_jsonb(n) - array['allocated', 'resource_version'];
  else
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  end if;
  if v_objects is null then
    return null;
  end if;
  update stark_internal.event_heads h set seq = h.seq + cardinality(v_objects) where h.topic = '*'
    returning h.seq - cardinality(v_objects) into v_after;
  v_origin := coalesce(nullif(pg_catalog.current_setting('stark.origin', true), ''),
    case when stark_internal.caller_role() in ('anon', 'authenticated', 'service_role') then 'api' else 'system' end);
  v_correlation_id := left(stark_internal.request_header('x-correlation-id'), 128);
  with written as (
    insert into stark.events (seq, type, origin, namespace, kind, object_id, actor, correlation_id, object)
      select v_after + o.ord,
             v_kind || case tg_op when 'INSERT' then '.created' when 'UPDATE' then '.updated' else '.deleted' end,
             v_origin,
             case when v_kind = 'namespace' then o.object ->> 'name' else o.object ->> 'namespace' end,
             v_kind,
             o.object ->> v_id_column,
             (select auth.uid()),
             v_correlation_id,
             o.object
      from unnest(v_objects) with ordinality as o (object, ord)
      returning *)
  select array_agg(w::stark.events order by w.seq) into v_events from written w;
  perform stark_internal.broadcast_events(v_events);
  return null;
end;
$function$;
comment on function stark_internal.write_events() is 'Writes and broadcasts one event for each changed row.';

-- Elsewhere

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

select cron.schedule('stark-keep-house', '17 * * * *', 'select stark_internal.keep_house()');

-- Rows that come with the migrations

-- stark.error_codes (code, http_status, exit_code)
--  (BUNDLE_MISSING,409,7)
--  (BUNDLE_SIZE_MISMATCH,409,7)
--  (BUNDLE_TOO_LARGE,413,2)
--  (FORBIDDEN,403,5)
--  (INVALID_ARGUMENT,400,2)
--  (INVALID_LABELS,400,2)
--  (INVALID_NAME,400,2)
--  (INVALID_RUNTIME,400,2)
--  (INVALID_SPEC,400,2)
--  (INVALID_TAINTS,400,2)
--  (INVALID_VERSION,400,2)
--  (LAST_ADMIN,409,7)
--  (LIMIT_EXCEEDED,400,2)
--  (NAMESPACE_NOT_FOUND,404,6)
--  (NODE_NAME_TAKEN,409,7)
--  (NODE_NOT_FOUND,404,6)
--  (PACK_NOT_FOUND,404,6)
--  (POD_NAME_TAKEN,409,7)
--  (POD_NOT_FOUND,404,6)
--  (POD_NOT_ON_NODE,409,7)
--  (ROLE_NOT_FOUND,404,6)
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
