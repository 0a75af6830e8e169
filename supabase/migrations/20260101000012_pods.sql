-- Pods: one run of a pack version on one node. Tables, allowed status steps, what they take from nodes, and the API.

create table stark.pod_status_steps (
  from_status text not null,
  to_status text not null,
  taken_by text not null,
  primary key (from_status, to_status, taken_by),
  constraint taken_by_is_known check (taken_by in ('scheduler', 'node', 'control'))
);
comment on table stark.pod_status_steps is 'Every step a pod''s status may take, and who takes it. All else is refused, for every writer.';
comment on column stark.pod_status_steps.from_status is 'Status before.';
comment on column stark.pod_status_steps.to_status is 'Status after.';
comment on column stark.pod_status_steps.taken_by is 'scheduler; node: by a report of the pod''s node; control: by a function called for a user or by a controller.';

-- A node may skip steps forward (reports are batched and may wait out an outage) and go back to starting when it restarts
-- the pod. stopping is entered by control only, so a late report of running cannot undo a stop.
insert into stark.pod_status_steps (from_status, to_status, taken_by)
select s.from_status, t.to_status, s.taken_by
from (values
  ('pending', 'scheduler', array['scheduled']),
  ('pending', 'control', array['stopped', 'failed']),
  ('scheduled', 'node', array['transferring', 'starting', 'running', 'succeeded', 'failed']),
  ('scheduled', 'control', array['stopping', 'stopped', 'failed', 'evicted']),
  ('transferring', 'node', array['starting', 'running', 'succeeded', 'failed']),
  ('transferring', 'control', array['stopping', 'stopped', 'failed', 'evicted']),
  ('starting', 'node', array['transferring', 'running', 'succeeded', 'failed']),
  ('starting', 'control', array['stopping', 'stopped', 'failed', 'evicted']),
  ('running', 'node', array['transferring', 'starting', 'succeeded', 'failed']),
  ('running', 'control', array['stopping', 'stopped', 'failed', 'evicted']),
  ('stopping', 'node', array['stopped', 'succeeded', 'failed']),
  ('stopping', 'control', array['stopped', 'failed', 'evicted'])
) as s (from_status, taken_by, to_statuses), unnest(s.to_statuses) as t (to_status);

/** stark_internal.occupies(status): a pod in this status takes up room on its node. */
create function stark_internal.occupies(p_status text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return p_status in ('scheduled', 'transferring', 'starting', 'running', 'stopping');
end;
$$;
comment on function stark_internal.occupies(text) is 'Whether a pod in this status takes up room on its node.';
revoke all on function stark_internal.occupies(text) from public, anon;

create table stark.pods (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  namespace text not null references stark.namespaces (name),
  pack_id uuid not null references stark.packs (id),
  pack_name text not null,
  pack_version_id uuid not null references stark.pack_versions (id),
  version text not null,
  node_id uuid references stark.nodes (id) on delete set null,
  node_name text,
  nominated_node_id uuid references stark.nodes (id) on delete set null,
  status text not null default 'pending',
  status_reason text,
  status_message text,
  exit_code integer,
  restarts integer not null default 0,
  ready boolean not null default false,
  ready_at timestamptz,
  ports jsonb not null default '{}',
  labels jsonb not null default '{}',
  annotations jsonb not null default '{}',
  spec jsonb not null default '{}',
  priority integer not null default 100,
  cpu_request integer not null generated always as (coalesce((spec #>> '{resources,requests,cpu}')::integer, 0)) stored,
  memory_request integer not null generated always as (coalesce((spec #>> '{resources,requests,memory}')::integer, 0)) stored,
  storage_request integer not null generated always as (coalesce((spec #>> '{resources,requests,storage}')::integer, 0)) stored,
  incarnation bigint,
  created_by uuid references stark.profiles (id) on delete set null,
  created_at timestamptz not null default now(),
  scheduled_at timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  stop_requested_at timestamptz,
  deletion_requested_at timestamptz,
  resource_version bigint not null default 1,
  constraint pod_name_is_unique_in_its_namespace unique (namespace, name),
  constraint pod_name_is_a_dns_label check (stark_internal.is_dns_label(name)),
  constraint status_is_known check (status in ('pending', 'scheduled', 'transferring', 'starting', 'running', 'stopping',
                                               'stopped', 'succeeded', 'failed', 'evicted')),
  constraint pending_pod_has_no_node check (status <> 'pending' or node_id is null),
  constraint placed_pod_names_its_node check (node_name is not null or not stark_internal.occupies(status)),
  constraint ended_pod_has_an_end check ((status in ('stopped', 'succeeded', 'failed', 'evicted')) = (finished_at is not null)),
  constraint only_a_running_pod_is_ready check (not ready or status in ('running', 'stopping')),
  constraint only_a_ready_pod_is_ready_since check (ready or ready_at is null),
  constraint ports_have_at_most_32_levels check (ports = '{}' or not stark_internal.is_deep(ports)),
  constraint restarts_are_counted_up check (restarts >= 0),
  constraint priority_is_from_0_to_1000 check (priority between 0 and 1000 or (priority > 1000 and coalesce(spec ->> 'priorityClassName' like 'system-%', false))),
  constraint status_message_is_short check (length(status_message) <= 4096 and length(status_reason) <= 128)
);
create index pods_pending_idx on stark.pods (priority desc, created_at, id) where status = 'pending';
create index pods_node_id_idx on stark.pods (node_id);
-- Whether anybody may be pushed out at all is asked by most passes.
create index pods_placed_priority_idx on stark.pods (priority) where node_id is not null and finished_at is null;
create index pods_nominated_node_id_idx on stark.pods (nominated_node_id) where nominated_node_id is not null;
create index pods_pack_id_idx on stark.pods (pack_id);
create index pods_pack_version_id_idx on stark.pods (pack_version_id);
create index pods_created_by_idx on stark.pods (created_by);
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

-- What may be secret stands apart from all that is read, told of and kept: a pod's row, its events, the commands to its node.
create table stark.pod_env (
  pod_id uuid primary key references stark.pods (id) on delete cascade,
  env jsonb,
  config jsonb,
  constraint env_and_config_have_at_most_32_levels check (not stark_internal.is_deep(env) and not stark_internal.is_deep(config))
);
comment on table stark.pod_env is 'What a pod was given as env and config, if anything: read with pods:read-env, and by its agent through node_sync.';
comment on column stark.pod_env.pod_id is 'The pod.';
comment on column stark.pod_env.env is 'Handed to the pack as ctx.env: {NAME: value}.';
comment on column stark.pod_env.config is 'Handed to the pack as ctx.config.';

create trigger _000_lock_cluster before insert or update or delete on stark.pods
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.pods
  for each row execute function stark_internal.bump_version();

/** stark_internal.note_readiness(): before-update row trigger; ready_at follows ready, for every writer. A report says it by its own clock. */
create function stark_internal.note_readiness()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  new.ready_at := case when new.ready then coalesce(new.ready_at, now()) end;
  return new;
end;
$$;
comment on function stark_internal.note_readiness() is 'Keeps since when a pod is ready.';
revoke all on function stark_internal.note_readiness() from public, anon;

create trigger _100_note_readiness before update on stark.pods
  for each row when (new.ready <> (new.ready_at is not null)) execute function stark_internal.note_readiness();
create trigger _100_note_first_readiness before insert on stark.pods
  for each row when (new.ready <> (new.ready_at is not null)) execute function stark_internal.note_readiness();

/**
 * stark_internal.check_pods(): statement trigger; labels and specs are well formed, for every writer. No check constraint, since
 * that would look at each row again with each change of its status; here each different spec is looked at once.
 */
create function stark_internal.check_pods()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
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
  if v_problem is null and exists (select from new_rows r where r.spec ?| array['env', 'config']) then
    v_problem := 'env and config stand in pod_env, and not in the spec of a pod that is there';
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
  if tg_op = 'INSERT' then
    with annotations as materialized (select distinct r.annotations from new_rows r where r.annotations <> '{}')
    select stark_internal.annotations_problem(d.annotations) into v_problem from annotations d where stark_internal.annotations_problem(d.annotations) is not null limit 1;
  else
    with annotations as materialized (select distinct n.annotations from old_rows o join new_rows n using (id) where o.annotations <> n.annotations)
    select stark_internal.annotations_problem(d.annotations) into v_problem from annotations d where stark_internal.annotations_problem(d.annotations) is not null limit 1;
  end if;
  if v_problem is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', v_problem, 'give {"key": "value"}');
  end if;
  return null;
end;
$$;
comment on function stark_internal.check_pods() is 'Refuses specs and labels that are not well formed.';
revoke all on function stark_internal.check_pods() from public, anon;

create trigger _100_check_new_pods after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.check_pods();
create trigger _100_check_changed_pods after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.check_pods();

/** stark_internal.check_status_steps(): statement trigger; refuses any step that stark.pod_status_steps does not have. */
create function stark_internal.check_status_steps()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
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
$$;
comment on function stark_internal.check_status_steps() is 'Refuses steps of a pod''s status that are not allowed.';
revoke all on function stark_internal.check_status_steps() from public, anon;

create trigger _100_check_status_steps after update on stark.pods
  referencing old table as old_rows new table as new_rows
  for each statement execute function stark_internal.check_status_steps();

create type stark_internal.allocation_change as (node_id uuid, cpu bigint, memory bigint, storage bigint, pods bigint);
comment on type stark_internal.allocation_change is 'What a statement adds to one node''s allocated.';

/**
 * stark_internal.account_resources(): statement trigger; nodes.allocated follows every change of pods, by any writer, as
 * one update of the nodes that are touched.
 */
create function stark_internal.account_resources()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
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
$$;
comment on function stark_internal.account_resources() is 'Keeps nodes.allocated equal to what the placed pods have asked for.';
revoke all on function stark_internal.account_resources() from public, anon;

create trigger _200_account_resources_of_new after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.account_resources();
create trigger _200_account_resources_of_changed after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.account_resources();
create trigger _200_account_resources_of_deleted after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.account_resources();

-- Creating ------------------------------------------------------------------------------------------------------------

/** stark_internal.random_suffix() -> five characters that make no words. */
create function stark_internal.random_suffix()
returns text
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_letters constant text := 'bcdfghjklmnpqrstvwxz2456789';
begin
  -- One expression without a query: it is asked for each new pod.
  return substr(v_letters, 1 + floor(random() * 27)::integer, 1) || substr(v_letters, 1 + floor(random() * 27)::integer, 1)
    || substr(v_letters, 1 + floor(random() * 27)::integer, 1) || substr(v_letters, 1 + floor(random() * 27)::integer, 1)
    || substr(v_letters, 1 + floor(random() * 27)::integer, 1);
end;
$$;
comment on function stark_internal.random_suffix() is 'Five random characters for made-up names.';
revoke all on function stark_internal.random_suffix() from public, anon;

/** stark_internal.name_stem(name) -> a DNS label of at most 57 characters made from any name, a pack's scope left out. */
create function stark_internal.name_stem(p_name text)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select coalesce(nullif(trim('-' from left(trim('-' from regexp_replace(lower(regexp_replace(p_name, '^@[^/]*/', '')), '[^a-z0-9]+', '-', 'g')), 57)), ''), 'pod');
$$;
comment on function stark_internal.name_stem(text) is 'What the made-up name of a pod starts with.';
revoke all on function stark_internal.name_stem(text) from public, anon;

/**
 * stark_internal.find_deployable_version(pack, version, user) -> the version row a pod of this user may run.
 * Raises: PACK_NOT_FOUND, FORBIDDEN, VERSION_NOT_FOUND, VERSION_NOT_READY.
 */
create function stark_internal.find_deployable_version(p_pack text, p_version text, p_user_id uuid)
returns stark.pack_versions
language plpgsql
stable
set search_path = pg_temp
as $$
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
$$;
comment on function stark_internal.find_deployable_version(text, text, uuid) is 'The pack version a user asked for, when they may run it.';
revoke all on function stark_internal.find_deployable_version(text, text, uuid) from public, anon;

/**
 * stark_internal.find_priority_class(name) -> the class, the global default when no name is given. The system's own are for
 * those who may make classes. Raises: PRIORITY_CLASS_NOT_FOUND, FORBIDDEN.
 */
create function stark_internal.find_priority_class(p_name text)
returns stark.priority_classes
language plpgsql
stable
set search_path = pg_temp
as $$
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
$$;
comment on function stark_internal.find_priority_class(text) is 'The priority class a pod asks for, when the caller may use it.';
revoke all on function stark_internal.find_priority_class(text) from public, anon;

/**
 * stark_internal.unreadable_company(namespace, affinity, user) -> whose pods a pod of this namespace asks about, although the user, else the
 * caller, may not read them: a namespace, or those that a selector picks, which may be any. Null when there are none. Like Kubernetes'
 * quota for CrossNamespacePodAffinity it looks at who asks, and not at which pods there are: where a pod is placed, and why not, would tell.
 */
create function stark_internal.unreadable_company(p_namespace text, p_affinity jsonb, p_user_id uuid default null)
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_found text;
  v_readable text[];
begin
  if (p_affinity ?| array['podAffinity', 'podAntiAffinity']) is not true then
    return null;
  elsif p_user_id is null then
    v_readable := stark_internal.permitted_namespaces('pods:get');
  else
    v_readable := array(select n.name from stark.namespaces n where stark_internal.user_may(p_user_id, 'pods:get', n.name));
  end if;
  -- In all of them may be read what there will be, too.
  if (p_user_id is null and stark_internal.has_permission('pods:get')) or stark_internal.user_may(p_user_id, 'pods:get') then
    return null;
  end if;
  v_readable := v_readable || p_namespace;
  with terms as (
    select t as term
    from unnest(array['podAffinity', 'podAntiAffinity']) f
    cross join lateral (
      select r from jsonb_array_elements(coalesce(p_affinity #> array[f, 'requiredDuringSchedulingIgnoredDuringExecution'], '[]')) r
      union all
      select r -> 'podAffinityTerm' from jsonb_array_elements(coalesce(p_affinity #> array[f, 'preferredDuringSchedulingIgnoredDuringExecution'], '[]')) r) l (t)
  )
  select case when t.term ? 'namespaceSelector' then 'the namespaces of a namespaceSelector' else 'namespace ' || n end into v_found
    from terms t left join lateral jsonb_array_elements_text(t.term -> 'namespaces') n on true
    where t.term ? 'namespaceSelector' or n <> all (v_readable)
    limit 1;
  return v_found;
end;
$$;
comment on function stark_internal.unreadable_company(text, jsonb, uuid) is 'Whose pods an affinity asks about although who asks may not read them.';
revoke all on function stark_internal.unreadable_company(text, jsonb, uuid) from public, anon;

/**
 * stark_internal.read_pod(item, user) -> the pod that an entry of create_pods asks for, checked and with every default filled in;
 * nothing is stored, and it has a name only when it was given one. Raises what create_pods raises of one entry.
 */
create function stark_internal.read_pod(p_item jsonb, p_user_id uuid)
returns stark.pods
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_pod stark.pods;
  v_version stark.pack_versions;
  v_node stark.nodes;
  v_config stark.cluster_config;
  v_class stark.priority_classes;
  v_prioritises boolean;
  v_problem text;
begin
  if jsonb_typeof(p_item) is distinct from 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a pod must be an object', 'give at least {"pack": "name"}');
  end if;
  select k into v_problem from jsonb_object_keys(p_item) k
    where k not in ('pack', 'version', 'namespace', 'name', 'replicas', 'labels', 'annotations', 'priority', 'spec') limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a pod has no field %s', to_json(left(v_problem, 80))),
      'known: pack, version, namespace, name, replicas, labels, annotations, priority, spec');
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
  v_pod.annotations := coalesce(nullif(p_item -> 'annotations', 'null'), '{}');
  v_pod.spec := coalesce(nullif(p_item -> 'spec', 'null'), '{}');
  -- What is too large is refused below.
  if octet_length(v_pod.spec::text) <= 65536 then
    v_pod.spec := stark_internal.without_nulls(v_pod.spec);
  end if;

  -- stark-system is the platform's: there a right to own pods alone is not enough.
  perform stark_internal.require_permission('pods:create', v_pod.namespace, v_pod.namespace <> 'stark-system');
  perform stark_internal.require_namespace(v_pod.namespace);
  if v_pod.name is not null and not stark_internal.is_dns_label(v_pod.name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a pod', to_json(left(v_pod.name, 80))), 'use lower case letters, digits and -, at most 63');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'replicas', 'null'), '1'), 1, stark_internal.call_limit('pods')) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('replicas must be a whole number from 1 to %s, not %s', stark_internal.call_limit('pods'), left((p_item -> 'replicas')::text, 80)), 'use --replicas 3');
  end if;
  if not stark_internal.is_whole(coalesce(nullif(p_item -> 'priority', 'null'), '100'), 0, 1000) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('priority must be a whole number from 0 to 1000, not %s', left((p_item -> 'priority')::text, 80)), 'use --priority 100');
  end if;
  if stark_internal.labels_problem(v_pod.labels) is not null then
    perform stark_internal.fail('INVALID_LABELS', stark_internal.labels_problem(v_pod.labels), 'use --label key=value');
  end if;
  if stark_internal.annotations_problem(v_pod.annotations) is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', stark_internal.annotations_problem(v_pod.annotations), 'give {"key": "value"}');
  end if;
  v_version := stark_internal.find_deployable_version(p_item ->> 'pack', p_item ->> 'version', p_user_id);
  -- Before the spec is checked, since its probes may name ports that the version declares.
  v_pod.spec := stark_internal.with_ports(v_pod.spec, v_version.id);
  if stark_internal.spec_problem(v_pod.spec) is not null then
    perform stark_internal.fail('INVALID_SPEC', stark_internal.spec_problem(v_pod.spec), 'stark pod create --help');
  end if;
  v_problem := stark_internal.unreadable_company(v_pod.namespace, v_pod.spec -> 'affinity');
  if v_problem is not null then
    perform stark_internal.fail('FORBIDDEN', format('%s may not read the pods of %s, which an affinity asks about', stark_internal.caller_name(), v_problem),
      'name namespaces in terms where you have the role viewer, or none');
  end if;
  v_class := stark_internal.find_priority_class(v_pod.spec ->> 'priorityClassName');
  if v_pod.spec ? 'priorityClassName' and coalesce((p_item ->> 'priority')::numeric <> v_class.value, false) then
    perform stark_internal.fail('INVALID_ARGUMENT', format('priority %s is not that of class %s, %s', p_item ->> 'priority', v_class.name, v_class.value), 'leave --priority out');
  end if;
  v_pod.priority := coalesce((p_item ->> 'priority')::numeric, v_class.value);
  v_prioritises := stark_internal.has_permission('pods:prioritise', v_pod.namespace, true);
  if v_pod.priority > (select c.value from stark.priority_classes c where c.global_default) and not v_prioritises then
    perform stark_internal.fail('FORBIDDEN', format('%s may not give a pod priority %s, which is above the default', stark_internal.caller_name(), v_pod.priority),
      'leave --priority out, or ask somebody with the role developer');
  end if;
  -- A number in the place of a class leaves none of the class behind, but for who may not choose.
  if v_class.preemption_policy = 'Never' and (v_pod.spec ? 'priorityClassName' or p_item -> 'priority' is null or not v_prioritises) then
    if not v_prioritises and v_pod.spec ->> 'preemptionPolicy' <> 'Never' then
      perform stark_internal.fail('FORBIDDEN', format('%s may not have a pod of class %s preempt others', stark_internal.caller_name(), v_class.name),
        'leave preemptionPolicy out, or ask somebody with the role developer');
    end if;
    v_pod.spec := '{"preemptionPolicy": "Never"}' || v_pod.spec;
  end if;
  v_pod.pack_id := v_version.pack_id;
  v_pod.pack_name := v_version.pack_name;
  v_pod.pack_version_id := v_version.id;
  v_pod.version := v_version.version;
  if v_pod.spec ? 'nodeName' then
    -- To who may not see a node there is none, as everywhere: no answer tells them which nodes there are.
    select * into v_node from stark.nodes n
      where n.name = v_pod.spec ->> 'nodeName' and stark_internal.has_permission('nodes:get', null, p_user_id in (n.owner_id, n.agent_id));
    if not found then
      perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', v_pod.spec ->> 'nodeName'), 'stark node list');
    elsif v_version.runtime not in ('isomorphic', v_node.runtime) then
      perform stark_internal.fail('RUNTIME_MISMATCH', format('%s@%s runs on %s, node %s is a %s node',
        v_version.pack_name, v_version.version, v_version.runtime, v_node.name, v_node.runtime), 'stark node list');
    end if;
  end if;
  -- Why a pod waits counts the nodes that failed each rule, and would tell the same of a name in an affinity.
  select f #>> '{}' into v_problem from jsonb_path_query(v_pod.spec, '$.affinity.nodeAffinity.**.matchFields[*].values[*]') f
    where not stark_internal.has_permission('nodes:get') and not exists (
      select from stark.nodes n where n.name = f #>> '{}' and stark_internal.has_permission('nodes:get', null, p_user_id in (n.owner_id, n.agent_id)))
    limit 1;
  if found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', to_json(left(v_problem, 80))), 'stark node list');
  end if;
  v_pod.spec := jsonb_build_object('terminationGracePeriodSeconds', v_config.default_grace_seconds) || jsonb_set(v_pod.spec, '{resources}', coalesce(v_pod.spec -> 'resources', '{}')
    || jsonb_build_object('requests', jsonb_build_object('cpu', v_config.default_cpu_request, 'memory', v_config.default_memory_request)
      || coalesce((select n.limit_range -> 'default' from stark.namespaces n where n.name = v_pod.namespace), '{}') || coalesce(v_pod.spec #> '{resources,requests}', '{}')));
  return v_pod;
end;
$$;
comment on function stark_internal.read_pod(jsonb, uuid) is 'The pod that an entry of create_pods asks for.';
revoke all on function stark_internal.read_pod(jsonb, uuid) from public, anon;

/**
 * stark_internal.draft_pods(item, user, others, now) -> the pods that one entry of create_pods asks for, checked, with ids and names; nothing
 * is stored. Their names are those of no other pod, nor of the others, which are drafts too; env and config stand in their specs until
 * insert_pods stores them. The cluster lock is held, so names stay free. Raises what create_pods raises.
 */
create function stark_internal.draft_pods(p_item jsonb, p_user_id uuid, p_others stark.pods[] default '{}', p_now timestamptz default now())
returns stark.pods[]
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_pod stark.pods := stark_internal.read_pod(p_item, p_user_id);
  v_replicas integer := coalesce((p_item ->> 'replicas')::numeric, 1);
  v_is_drawn boolean := v_pod.name is null or v_replicas > 1;
  v_stem text := case when v_is_drawn then stark_internal.name_stem(coalesce(v_pod.name, v_pod.pack_name)) || '-' end;
  v_names text[] := '{}';
  v_pods stark.pods[] := '{}';
begin
  v_pod.status := 'pending';
  v_pod.created_by := p_user_id;
  v_pod.created_at := p_now;
  v_pod.cpu_request := (v_pod.spec #>> '{resources,requests,cpu}')::integer;
  v_pod.memory_request := (v_pod.spec #>> '{resources,requests,memory}')::integer;
  v_pod.storage_request := coalesce((v_pod.spec #>> '{resources,requests,storage}')::integer, 0);
  -- Random names can collide; the few that did are drawn again.
  while cardinality(v_names) < v_replicas loop
    v_names := v_names || array(
      select distinct d.name
      from (select case when v_is_drawn then v_stem || stark_internal.random_suffix() else v_pod.name end as name from generate_series(1, v_replicas - cardinality(v_names))) d
      where d.name <> all (v_names)
        and not exists (select from stark.pods p where p.namespace = v_pod.namespace and p.name = d.name)
        and not exists (select from unnest(p_others) o where o.namespace = v_pod.namespace and o.name = d.name));
    if not v_is_drawn and v_names = '{}' then
      perform stark_internal.fail('POD_NAME_TAKEN', format('namespace %s has a pod %s already', v_pod.namespace, v_pod.name), 'stark pod list -n ' || v_pod.namespace);
    end if;
  end loop;
  foreach v_pod.name in array v_names loop
    v_pod.id := gen_random_uuid();
    v_pods := v_pods || v_pod;
  end loop;
  return v_pods;
end;
$$;
comment on function stark_internal.draft_pods(jsonb, uuid, stark.pods[], timestamptz) is 'The pods that one entry of create_pods asks for.';
revoke all on function stark_internal.draft_pods(jsonb, uuid, stark.pods[], timestamptz) from public, anon;

/**
 * stark.create_pods(pods) -> the new pods, placed already where there is room. Their env and config are in pod_env.
 * pods: a list of {pack, version?, namespace? = default, name?, replicas? = 1, labels?, annotations?, priority? = 100, spec?}. All or
 * nothing. Requests that are not given are those of the namespace's limit range, then of the cluster's configuration (100
 * millicores and 128 MB), and so is the grace period (30 seconds). In one call at most 50 entries, 200 pods, 512 kB of pods (an
 * entry counts once for each replica), 24 different terms about other pods, and 16 kB of different affinities, tolerations and
 * spread constraints. Pods that this call cannot place any more are pending, and are placed soon after.
 * Caller: pods:create in the namespace, and access to the pack; pods:prioritise for a priority above the default class's. Locks: the
 * cluster lock. Example:
 *   select * from stark.create_pods('[{"pack": "alpha", "replicas": 3}]');
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, INVALID_NAME, INVALID_LABELS, INVALID_SPEC, LIMIT_EXCEEDED,
 * NAMESPACE_NOT_FOUND, PACK_NOT_FOUND, VERSION_NOT_FOUND, VERSION_NOT_READY, NODE_NOT_FOUND, RUNTIME_MISMATCH, POD_NAME_TAKEN,
 * PRIORITY_CLASS_NOT_FOUND, LIMIT_RANGE_VIOLATED, QUOTA_EXCEEDED, NAMESPACE_TERMINATING.
 */
create function stark.create_pods(p_pods jsonb)
returns setof stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_item jsonb;
  v_new stark.pods[] := '{}';
  v_pods numeric;
  v_terms bigint;
  v_bytes numeric;
begin
  perform stark_internal.require_json('p_pods', p_pods);
  if p_pods is null or jsonb_typeof(p_pods) <> 'array' or jsonb_array_length(p_pods) = 0 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_pods must be a list with at least one pod', 'give [{"pack": "name"}]');
  end if;
  if jsonb_array_length(p_pods) > stark_internal.call_limit('pod_entries') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s entries in one call, at most %s', jsonb_array_length(p_pods), stark_internal.call_limit('pod_entries')), 'use replicas, or several calls');
  end if;
  select sum(s.replicas), sum(s.replicas * s.bytes) into v_pods, v_bytes
    from (
      select case when stark_internal.is_whole(e -> 'replicas', 1, 1000000000) then (e ->> 'replicas')::numeric else 1 end as replicas,
             octet_length(e::text) as bytes
      from jsonb_array_elements(p_pods) e) s;
  if v_pods > stark_internal.call_limit('pods') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s pods in one call, at most %s', v_pods, stark_internal.call_limit('pods')), 'use several calls');
  end if;
  if v_bytes > stark_internal.call_limit('pod_bytes') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s bytes of pods in one call, at most %s', v_bytes, stark_internal.call_limit('pod_bytes')), 'use several calls');
  end if;
  -- Everybody waits while these are compared with all nodes and pods, each different one by itself.
  with constraint_sets as materialized (
    -- A term speaks of the pod's own namespace, so the same one in another is a different one.
    select distinct coalesce(e ->> 'namespace', 'default') as namespace, case when strpos(e::text, 'atchLabelKeys') > 0 then e -> 'labels' end as labels,
           jsonb_strip_nulls(jsonb_build_object('affinity', e #> '{spec,affinity}', 'tolerations', e #> '{spec,tolerations}',
                                                'topologySpreadConstraints', e #> '{spec,topologySpreadConstraints}')) as rules
    from jsonb_array_elements(p_pods) e
  )
  select (select count(distinct (w.namespace, w.labels, t.term))
          from constraint_sets w, unnest(array['$.affinity.podAffinity.*[*]', '$.affinity.podAntiAffinity.*[*]', '$.topologySpreadConstraints[*]']::jsonpath[]) p,
               jsonb_path_query(w.rules, p) t (term)),
         (select sum(octet_length(d.rules::text)) from (select distinct w.rules from constraint_sets w) d)
    into v_terms, v_bytes;
  if v_terms > stark_internal.call_limit('pod_terms') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s different terms about other pods in one call, at most %s', v_terms, stark_internal.call_limit('pod_terms')), 'use several calls');
  end if;
  if v_bytes > 16384 then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s bytes of different affinities, tolerations and spread constraints in one call, at most 16384', v_bytes), 'use several calls, or fewer terms');
  end if;
  -- Each is read once more under the lock: what is refused costs nobody that.
  perform stark_internal.read_pod(e.value, v_user) from jsonb_array_elements(p_pods) e;
  perform stark_internal.lock_cluster();
  for v_item in select e.value from jsonb_array_elements(p_pods) e loop
    v_new := v_new || stark_internal.draft_pods(v_item, v_user, v_new);
  end loop;
  -- They are written once, with the node that they got.
  perform stark_internal.schedule_pods(p_retry => false, p_new => v_new);
  return query select p.* from stark.pods p join (select d.id, d.ordinality from unnest(v_new) with ordinality d) i using (id) order by i.ordinality;
end;
$$;
comment on function stark.create_pods(jsonb) is 'Creates pods and places them where there is room.';
revoke all on function stark.create_pods(jsonb) from public, anon;
grant execute on function stark.create_pods(jsonb) to authenticated, service_role;

-- Stopping and deleting -----------------------------------------------------------------------------------------------

/**
 * stark_internal.require_pods(ids, permission, if_version): each pod exists and the caller has the right; a single one is at the
 * revision the caller saw. Raises INVALID_ARGUMENT, LIMIT_EXCEEDED, POD_NOT_FOUND, FORBIDDEN, CONFLICT.
 */
create function stark_internal.require_pods(p_ids uuid[], p_permission text, p_if_version bigint default null)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_seen text[] := stark_internal.permitted_namespaces('pods:get');
  v_own_seen text[] := stark_internal.permitted_namespaces('pods:get', true);
  v_permitted text[] := stark_internal.permitted_namespaces(p_permission);
  v_own_permitted text[] := stark_internal.permitted_namespaces(p_permission, true);
  v_id uuid;
  v_name text;
begin
  if p_ids is null or cardinality(p_ids) = 0 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_ids must name at least one pod', 'stark pod list');
  end if;
  if cardinality(p_ids) > stark_internal.call_limit('pods') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s pods in one call, at most %s', cardinality(p_ids), stark_internal.call_limit('pods')), 'use several calls');
  end if;
  select i.id into v_id
    from unnest(p_ids) i (id) left join stark.pods p on p.id = i.id
    where p.id is null
       or not (p.namespace = any (v_seen) or (p.created_by = v_user and p.namespace = any (v_own_seen)))
    limit 1;
  if found then
    perform stark_internal.fail('POD_NOT_FOUND', format('no pod %s', coalesce(v_id::text, 'null')), 'stark pod list -A');
  end if;
  select p.name into v_name
    from stark.pods p
    where p.id = any (p_ids)
      and not (p.namespace = any (v_permitted) or (p.created_by = v_user and p.namespace = any (v_own_permitted)))
    limit 1;
  if found then
    perform stark_internal.fail('FORBIDDEN', format('%s may not %s pod %s', stark_internal.caller_name(), split_part(p_permission, ':', 2), v_name), 'stark auth whoami');
  end if;
  if p_if_version is not null and cardinality(p_ids) > 1 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('p_if_version is the revision of one pod, and %s are named', cardinality(p_ids)), 'name one pod');
  end if;
  perform stark_internal.require_version('pod ' || p.name, p_if_version, p.resource_version) from stark.pods p where p.id = p_ids[1];
end;
$$;
comment on function stark_internal.require_pods(uuid[], text, bigint) is 'Raises a coded error unless the caller may do this to each of these pods.';
revoke all on function stark_internal.require_pods(uuid[], text, bigint) from public, anon;

/**
 * stark_internal.begin_stop(ids, now, deletes): pods that are placed are asked to stop, those that are not have stopped; with deletes their
 * rows go when they have ended. What is asked for already, and ended pods that are to stay, are left as they are.
 */
create function stark_internal.begin_stop(p_ids uuid[], p_now timestamptz default now(), p_deletes boolean default false)
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  update stark.pods p set
      status = case when not s.stops then p.status when p.status = 'pending' then 'stopped' else 'stopping' end,
      status_reason = case when s.stops then 'StopRequested' else p.status_reason end,
      status_message = case when not s.stops then p.status_message end,
      ready = p.ready and not s.stops,
      stop_requested_at = case when s.stops then p_now else p.stop_requested_at end,
      finished_at = case when s.stops and p.status = 'pending' then p_now else p.finished_at end,
      deletion_requested_at = case when p_deletes then coalesce(p.deletion_requested_at, p_now) else p.deletion_requested_at end
    from (
      select q.id, q.status = 'pending' or (stark_internal.occupies(q.status) and q.status <> 'stopping') as stops
      from stark.pods q where q.id = any (p_ids)) s
    where p.id = s.id and (s.stops or (p_deletes and p.deletion_requested_at is null));
$$;
comment on function stark_internal.begin_stop(uuid[], timestamptz, boolean) is 'Asks pods to stop, and to go; pending ones have stopped at once.';
revoke all on function stark_internal.begin_stop(uuid[], timestamptz, boolean) from public, anon;

/**
 * stark.stop_pods(ids, if_version) -> the pods: running ones are stopping now, pending ones stopped. Calling again changes
 * nothing. if_version goes with a single pod. A call takes 200 pods.
 * Caller: pods:update in their namespaces, or own pods. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, POD_NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED, CONFLICT.
 */
create function stark.stop_pods(p_ids uuid[], p_if_version bigint default null)
returns setof stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- What is refused costs nobody the lock; what has changed meanwhile is seen under it.
  perform stark_internal.require_pods(p_ids, 'pods:update', p_if_version);
  p_ids := array(select distinct i from unnest(p_ids) i);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:update', p_if_version);
  perform stark_internal.begin_stop(p_ids);
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
  perform stark_internal.work_off_notes();
end;
$$;
comment on function stark.stop_pods(uuid[], bigint) is 'Stops pods; their rows stay.';
revoke all on function stark.stop_pods(uuid[], bigint) from public, anon;
grant execute on function stark.stop_pods(uuid[], bigint) to authenticated, service_role;

/** stark_internal.remove_ended_pods() -> how many: rows whose deletion was asked for and that have ended, as many as one step removes. */
create function stark_internal.remove_ended_pods()
returns integer
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_removed integer;
begin
  -- Asked first, as most reports end none: a statement that removes nothing fires its triggers all the same.
  if not exists (select from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null) then
    return 0;
  end if;
  with leaving as materialized (
    select p.id from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null order by p.id
    limit stark_internal.call_limit('ended_pods_removed_at_once') for update
  )
  delete from stark.pods p using leaving l where p.id = l.id;
  get diagnostics v_removed = row_count;
  return v_removed;
end;
$$;
comment on function stark_internal.remove_ended_pods() is 'Removes the rows of ended pods that were to be deleted.';
revoke all on function stark_internal.remove_ended_pods() from public, anon;

/**
 * stark.delete_pods(ids, if_version) -> the pods as they were last: pending and ended ones are gone, running ones are stopping
 * and go when their node has reported the end. if_version goes with a single pod. A call takes 200 pods.
 * Caller: pods:delete in their namespaces, or own pods. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, POD_NOT_FOUND, INVALID_ARGUMENT, LIMIT_EXCEEDED, CONFLICT.
 */
create function stark.delete_pods(p_ids uuid[], p_if_version bigint default null)
returns setof stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- What is refused costs nobody the lock; what has changed meanwhile is seen under it.
  perform stark_internal.require_pods(p_ids, 'pods:delete', p_if_version);
  p_ids := array(select distinct i from unnest(p_ids) i);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:delete', p_if_version);
  perform stark_internal.begin_stop(p_ids, p_deletes => true);
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
  perform stark_internal.remove_ended_pods();
  perform stark_internal.work_off_notes();
end;
$$;
comment on function stark.delete_pods(uuid[], bigint) is 'Stops pods and removes their rows.';
revoke all on function stark.delete_pods(uuid[], bigint) from public, anon;
grant execute on function stark.delete_pods(uuid[], bigint) to authenticated, service_role;
create index pods_deletion_requested_at_idx on stark.pods (deletion_requested_at) where deletion_requested_at is not null;

-- Reading -------------------------------------------------------------------------------------------------------------

alter table stark.pods enable row level security;
alter table stark.pod_env enable row level security;
alter table stark.pod_status_steps enable row level security;

create policy "members read pods of their namespaces, theirs, on their nodes" on stark.pods for select to authenticated
  using (
    namespace = any ((select stark_internal.permitted_namespaces('pods:get'))::text[])
    or (created_by = (select auth.uid()) and namespace = any ((select stark_internal.permitted_namespaces('pods:get', true))::text[]))
    or node_id = any ((select stark_internal.my_nodes())::uuid[])
  );
create policy "who may read env reads it, and of the own pods" on stark.pod_env for select to authenticated
  using (pod_id in (
    select p.id from stark.pods p
    where p.namespace = any ((select stark_internal.permitted_namespaces('pods:read-env'))::text[])
       or (p.created_by = (select auth.uid()) and p.namespace = any ((select stark_internal.permitted_namespaces('pods:read-env', true))::text[]))));
create policy "members read the allowed steps" on stark.pod_status_steps for select to authenticated
  using ((select stark_internal.is_member()));

grant select on stark.pods, stark.pod_env, stark.pod_status_steps to authenticated, service_role;
