-- Scheduling: one set-based pass, filter -> score -> pick -> bind.
--
--   pending pods ──► groups (same version, template, priority), highest priority first
--     each group ──► filter_*: every node that is rejected, and why      (one function per filter)
--                ──► slots: how many pods of the group each other node takes
--                ──► score and pick: slots ordered by the load they would leave
--                ──► bind: one update; the rest keeps its reasons, counted per node

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

/** stark_internal.placement_template(spec) -> the part of a spec that decides where a pod may go. */
create function stark_internal.placement_template(p_spec jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select p_spec - array['config', 'env', 'ports', 'restartPolicy', 'terminationGracePeriodSeconds', 'isolation', 'readiness', 'liveness'];
$$;
comment on function stark_internal.placement_template(jsonb) is 'The part of a pod''s spec that decides where it may go.';
revoke all on function stark_internal.placement_template(jsonb) from public, anon;

-- Filters: each returns the nodes it rejects, with the reason as it is shown ---------------------------------------------

/** stark_internal.filter_runtime(group): nodes of another runtime than the pack's. */
create function stark_internal.filter_runtime(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, format('runtime %s wanted', p_group.runtime)
  from stark.nodes n where p_group.runtime not in ('isomorphic', n.runtime);
$$;
comment on function stark_internal.filter_runtime(stark_internal.pod_group) is 'Rejects nodes of another runtime than the pack''s.';
revoke all on function stark_internal.filter_runtime(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_pack_access(group): a private pack runs only on its owner's nodes or on an admin's. */
create function stark_internal.filter_pack_access(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'private pack'
  from stark.nodes n
  where p_group.visibility = 'private'
    and n.owner_id <> p_group.pack_owner
    and n.owner_id not in (
      select b.user_id from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
      where b.role = 'admin' and b.namespace is null);
$$;
comment on function stark_internal.filter_pack_access(stark_internal.pod_group) is 'Rejects nodes that may not run a private pack.';
revoke all on function stark_internal.filter_pack_access(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_health(group): nodes that are not healthy. */
create function stark_internal.filter_health(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'node ' || n.status from stark.nodes n where n.status <> 'healthy';
$$;
comment on function stark_internal.filter_health(stark_internal.pod_group) is 'Rejects nodes that are not healthy.';
revoke all on function stark_internal.filter_health(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_unschedulable(group): cordoned nodes. */
create function stark_internal.filter_unschedulable(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'unschedulable' from stark.nodes n where n.unschedulable;
$$;
comment on function stark_internal.filter_unschedulable(stark_internal.pod_group) is 'Rejects cordoned nodes.';
revoke all on function stark_internal.filter_unschedulable(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_node_name(group): all but the node that spec.nodeName names. */
create function stark_internal.filter_node_name(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'node name ' || (p_group.template ->> 'nodeName') || ' wanted'
  from stark.nodes n where p_group.template ? 'nodeName' and n.name <> p_group.template ->> 'nodeName';
$$;
comment on function stark_internal.filter_node_name(stark_internal.pod_group) is 'Rejects all nodes but the named one.';
revoke all on function stark_internal.filter_node_name(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_node_selector(group): nodes without one of the labels in spec.nodeSelector. */
create function stark_internal.filter_node_selector(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'node selector'
  from stark.nodes n where p_group.template ? 'nodeSelector' and not n.labels @> (p_group.template -> 'nodeSelector');
$$;
comment on function stark_internal.filter_node_selector(stark_internal.pod_group) is 'Rejects nodes that lack a wanted label.';
revoke all on function stark_internal.filter_node_selector(stark_internal.pod_group) from public, anon;

/** stark_internal.meets(labels, requirement): one {key, operator, values}. NotIn and DoesNotExist are met by a missing key. */
create function stark_internal.meets(p_labels jsonb, p_requirement jsonb)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select case p_requirement ->> 'operator'
    when 'In' then p_labels ? (p_requirement ->> 'key') and (p_requirement -> 'values') ? (p_labels ->> (p_requirement ->> 'key'))
    when 'NotIn' then not (p_labels ? (p_requirement ->> 'key') and (p_requirement -> 'values') ? (p_labels ->> (p_requirement ->> 'key')))
    when 'Exists' then p_labels ? (p_requirement ->> 'key')
    when 'DoesNotExist' then not p_labels ? (p_requirement ->> 'key')
    when 'Gt' then coalesce(substring(p_labels ->> (p_requirement ->> 'key') from '^-?\d{1,18}$')::bigint > (p_requirement #>> '{values,0}')::bigint, false)
    when 'Lt' then coalesce(substring(p_labels ->> (p_requirement ->> 'key') from '^-?\d{1,18}$')::bigint < (p_requirement #>> '{values,0}')::bigint, false)
    else false
  end;
$$;
comment on function stark_internal.meets(jsonb, jsonb) is 'Whether labels meet one match expression.';
revoke all on function stark_internal.meets(jsonb, jsonb) from public, anon;

/** stark_internal.matches_node_terms(name, labels, terms): terms are ORed, what stands in one is ANDed; an empty term and an empty list match nothing. */
create function stark_internal.matches_node_terms(p_name text, p_labels jsonb, p_terms jsonb)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select exists (
    select from jsonb_array_elements(p_terms) t
    where coalesce(jsonb_array_length(t -> 'matchExpressions'), 0) + coalesce(jsonb_array_length(t -> 'matchFields'), 0) > 0
      and not exists (
        select from jsonb_array_elements(coalesce(t -> 'matchExpressions', '[]')) r where not stark_internal.meets(p_labels, r))
      and not exists (
        select from jsonb_array_elements(coalesce(t -> 'matchFields', '[]')) r
        where not stark_internal.meets(jsonb_build_object('metadata.name', p_name), r)));
$$;
comment on function stark_internal.matches_node_terms(text, jsonb, jsonb) is 'Whether a node matches one of these node selector terms.';
revoke all on function stark_internal.matches_node_terms(text, jsonb, jsonb) from public, anon;

/** stark_internal.filter_node_affinity(group): nodes that required node affinity does not match. */
create function stark_internal.filter_node_affinity(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'node affinity'
  from stark.nodes n
  where p_group.template #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution}' is not null
    and not stark_internal.matches_node_terms(n.name, n.labels,
      p_group.template #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}');
$$;
comment on function stark_internal.filter_node_affinity(stark_internal.pod_group) is 'Rejects nodes that required node affinity does not match.';
revoke all on function stark_internal.filter_node_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.tolerates(tolerations, taint): Kubernetes' rule. No key with Exists tolerates all; no effect means every effect. */
create function stark_internal.tolerates(p_tolerations jsonb, p_taint jsonb)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select exists (
    select from jsonb_array_elements(coalesce(p_tolerations, '[]')) t
    where coalesce(t ->> 'effect', '') in ('', p_taint ->> 'effect')
      and case coalesce(t ->> 'operator', 'Equal')
        when 'Exists' then coalesce(t ->> 'key', '') in ('', p_taint ->> 'key')
        else t ->> 'key' = p_taint ->> 'key' and coalesce(t ->> 'value', '') = coalesce(p_taint ->> 'value', '')
      end);
$$;
comment on function stark_internal.tolerates(jsonb, jsonb) is 'Whether one of these tolerations tolerates the taint.';
revoke all on function stark_internal.tolerates(jsonb, jsonb) from public, anon;

/** stark_internal.filter_taints(group): nodes with a taint NoSchedule or NoExecute that is not tolerated, one row for each such taint. */
create function stark_internal.filter_taints(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, format('taint %s%s:%s', t ->> 'key', coalesce('=' || nullif(t ->> 'value', ''), ''), t ->> 'effect')
  from stark.nodes n, jsonb_array_elements(n.taints) t
  where n.taints <> '[]'
    and t ->> 'effect' in ('NoSchedule', 'NoExecute')
    and not stark_internal.tolerates(p_group.template -> 'tolerations', t);
$$;
comment on function stark_internal.filter_taints(stark_internal.pod_group) is 'Rejects nodes with a taint that is not tolerated.';
revoke all on function stark_internal.filter_taints(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_resources(group): nodes without room, one row for each resource that is short. A zero request always fits; a place for the pod itself always counts. */
create function stark_internal.filter_resources(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select n.id, 'insufficient ' || r.resource
  from stark.nodes n
  cross join lateral (values ('cpu', p_group.cpu), ('memory', p_group.memory), ('storage', p_group.storage), ('pods', 1)) as r (resource, wanted)
  where r.wanted > 0
    and (n.allocatable ->> r.resource)::bigint - (n.allocated ->> r.resource)::bigint < r.wanted;
$$;
comment on function stark_internal.filter_resources(stark_internal.pod_group) is 'Rejects nodes without room for one more pod of the group.';
revoke all on function stark_internal.filter_resources(stark_internal.pod_group) from public, anon;

/** stark_internal.rejections(group): every filter's answer, so that a node counts under each filter that rejects it. */
create function stark_internal.rejections(p_group stark_internal.pod_group)
returns table (node_id uuid, reason text)
language sql
stable
set search_path = ''
as $$
  select * from stark_internal.filter_runtime(p_group)
  union all select * from stark_internal.filter_pack_access(p_group)
  union all select * from stark_internal.filter_health(p_group)
  union all select * from stark_internal.filter_unschedulable(p_group)
  union all select * from stark_internal.filter_node_name(p_group)
  union all select * from stark_internal.filter_node_selector(p_group)
  union all select * from stark_internal.filter_node_affinity(p_group)
  union all select * from stark_internal.filter_taints(p_group)
  union all select * from stark_internal.filter_resources(p_group);
$$;
comment on function stark_internal.rejections(stark_internal.pod_group) is 'Which nodes are rejected for a group, under each filter.';
revoke all on function stark_internal.rejections(stark_internal.pod_group) from public, anon;

/** stark_internal.explain_rejections(group) -> e.g. "0/2 nodes: 1 insufficient cpu, 1 taint dedicated=gpu:NoSchedule". */
create function stark_internal.explain_rejections(p_group stark_internal.pod_group)
returns text
language sql
stable
set search_path = ''
as $$
  select left(format('0/%s nodes', (select count(*) from stark.nodes))
    || coalesce(': ' || string_agg(c.nodes || ' ' || c.reason, ', ' order by c.nodes desc, c.reason), ''), 4096)
  from (select r.reason, count(distinct r.node_id) as nodes from stark_internal.rejections(p_group) r group by r.reason) c;
$$;
comment on function stark_internal.explain_rejections(stark_internal.pod_group) is 'Why a group fits nowhere, counted per node.';
revoke all on function stark_internal.explain_rejections(stark_internal.pod_group) from public, anon;

-- The pass ------------------------------------------------------------------------------------------------------------

/** stark_internal.open_slots(group): nodes that pass every filter, and how many pods of the group each takes. */
create function stark_internal.open_slots(p_group stark_internal.pod_group)
returns table (node_id uuid, node_name text, incarnation bigint, slots bigint)
language sql
stable
set search_path = ''
as $$
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
$$;
comment on function stark_internal.open_slots(stark_internal.pod_group) is 'How many pods of a group each feasible node takes.';
revoke all on function stark_internal.open_slots(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.score_spread(group): every open slot with the load it would leave on its node; lower is better. The load is
 * the largest share of cpu, memory and pods.
 */
create function stark_internal.score_spread(p_group stark_internal.pod_group)
returns table (node_id uuid, node_name text, incarnation bigint, load double precision)
language sql
stable
set search_path = ''
as $$
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
$$;
comment on function stark_internal.score_spread(stark_internal.pod_group) is 'Open slots of a group with the load each would leave.';
revoke all on function stark_internal.score_spread(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.place_group(group, now) -> how many were placed: pods in their order take slots in theirs, in one update.
 * Those left over keep their reasons. The cluster lock is held.
 */
create function stark_internal.place_group(p_group stark_internal.pod_group, p_now timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
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
$$;
comment on function stark_internal.place_group(stark_internal.pod_group, timestamptz) is 'Places as many pods of a group as fit; the others keep the reasons.';
revoke all on function stark_internal.place_group(stark_internal.pod_group, timestamptz) from public, anon;

/**
 * stark_internal.schedule_pods(now) -> how many were placed. Locks: the cluster lock. Idempotent; called at once when
 * something it cares about changes: new pods, a node that became usable, room that became free.
 */
create function stark_internal.schedule_pods(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
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
$$;
comment on function stark_internal.schedule_pods(timestamptz) is 'Places pending pods, highest priority first.';
revoke all on function stark_internal.schedule_pods(timestamptz) from public, anon;

-- When to run it ------------------------------------------------------------------------------------------------------

/** stark_internal.schedule_when_nodes_change(): statement trigger; a node that became more usable may take pending pods. */
create function stark_internal.schedule_when_nodes_change()
returns trigger
language plpgsql
security definer
set search_path = ''
set enable_nestloop = off
as $$
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
$$;
comment on function stark_internal.schedule_when_nodes_change() is 'Runs a schedule pass when a node became usable.';
revoke all on function stark_internal.schedule_when_nodes_change() from public, anon;

create trigger _900_schedule_on_new_nodes after insert on stark.nodes
  referencing new table as new_rows for each statement execute function stark_internal.schedule_when_nodes_change();
create trigger _900_schedule_on_changed_nodes after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.schedule_when_nodes_change();

/** stark_internal.schedule_when_room_is_freed(): statement trigger; pods that ended or went have left room for pending ones. */
create function stark_internal.schedule_when_room_is_freed()
returns trigger
language plpgsql
security definer
set search_path = ''
set enable_nestloop = off
as $$
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
$$;
comment on function stark_internal.schedule_when_room_is_freed() is 'Runs a schedule pass when pods have left room.';
revoke all on function stark_internal.schedule_when_room_is_freed() from public, anon;

create trigger _900_schedule_on_changed_pods after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.schedule_when_room_is_freed();
create trigger _900_schedule_on_deleted_pods after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.schedule_when_room_is_freed();
