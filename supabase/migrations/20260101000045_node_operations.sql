-- What people do to nodes: patch, cordon, drain, delete.

/**
 * stark.update_node(name, labels, taints, allocatable, capabilities, if_version, accepts, accepted_namespaces) -> the node. labels, allocatable and
 * capabilities are patches: their fields replace those of that name, null removes one. taints is a list of taints to set, each
 * taking the place of one with its key and effect; one with "remove": true is removed. accepts: whose pods it takes, see register_node;
 * pods that are there stay. All of it outlives a new registration.
 * Caller: nodes:update, or the owner with it, who neither sets nor removes reserved labels and taints (see reserved_key). Locks: the
 * cluster lock. Example:
 *   select * from stark.update_node('n1', '{"zone": "b", "old": null}', '[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]');
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, INVALID_LABELS, INVALID_TAINTS, INVALID_ARGUMENT, CONFLICT.
 */
create function stark.update_node(
  p_name text,
  p_labels jsonb default '{}',
  p_taints jsonb default '[]',
  p_allocatable jsonb default '{}',
  p_capabilities jsonb default '{}',
  p_if_version bigint default null,
  p_accepts text default null,
  p_accepted_namespaces text[] default null
)
returns stark.nodes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
  v_patch jsonb;
  v_problem record;
begin
  perform stark_internal.require_user();
  -- What a patch removes is counted too.
  perform stark_internal.require_json('p_labels', p_labels, 16384);
  perform stark_internal.require_json('p_taints', p_taints, 65536);
  perform stark_internal.require_json('p_allocatable', p_allocatable, 16384);
  perform stark_internal.require_json('p_capabilities', p_capabilities, 16384);
  perform stark_internal.require_node(p_name, 'nodes:update');
  if coalesce(jsonb_typeof(p_labels), '') <> 'object' or coalesce(jsonb_typeof(p_allocatable), '') <> 'object' or coalesce(jsonb_typeof(p_capabilities), '') <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'labels, allocatable and capabilities are patched by objects', 'give {"key": "value"}, null removes a key');
  end if;
  if coalesce(jsonb_typeof(p_taints), '') <> 'array' then
    perform stark_internal.fail('INVALID_TAINTS', 'taints must be a list', 'use --taint key=value:NoSchedule');
  end if;
  p_taints := stark_internal.without_nulls(p_taints);
  -- What a patch sets is looked at as if it were all; a taint that is to be removed is looked at like any other.
  select * into v_problem from stark_internal.node_problem(
    stark_internal.merge_patch('{}', p_labels), p_taints, stark_internal.merge_patch('{}', p_allocatable), stark_internal.merge_patch('{}', p_capabilities));
  if found then
    perform stark_internal.fail(v_problem.code, format('node %s: %s', p_name, v_problem.problem), v_problem.hint);
  end if;
  perform stark_internal.refuse_reserved(p_name, p_labels, p_taints);
  if p_capabilities ?| array['isolation', 'accepts', 'acceptedNamespaces'] then
    perform stark_internal.fail('FORBIDDEN', format('node %s: what holds its pods its agent says, and whose it takes is no capability', p_name),
      'stark node agent start --isolation, stark node update --accept');
  end if;
  perform stark_internal.require_settable(p_labels, p_taints);
  perform stark_internal.require_acceptance(p_accepts, p_accepted_namespaces);
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  perform stark_internal.require_version('node ' || p_name, p_if_version, v_node.resource_version);
  select coalesce(jsonb_object_agg((t ->> 'key') || ':' || (t ->> 'effect'), case when t -> 'remove' = 'true' then 'null'::jsonb else t - 'remove' end), '{}')
    into v_patch from jsonb_array_elements(p_taints) t;
  if p_accepts is not null then
    v_node.accepts := p_accepts;
    v_node.accepted_namespaces := coalesce(p_accepted_namespaces, '{}');
    v_node.overrides := v_node.overrides || jsonb_build_object('accepts', p_accepts, 'accepted_namespaces', v_node.accepted_namespaces);
  end if;
  v_node.overrides := v_node.overrides || jsonb_build_object(
    'labels', (v_node.overrides -> 'labels') || p_labels,
    'taints', (v_node.overrides -> 'taints') || v_patch,
    'allocatable', (v_node.overrides -> 'allocatable') || p_allocatable,
    'capabilities', (v_node.overrides -> 'capabilities') || p_capabilities);
  v_node.labels := stark_internal.merge_patch(v_node.labels, p_labels);
  v_node.taints := stark_internal.patch_taints(v_node.taints, v_patch || '{"stark/unisolated:NoSchedule": null}')
    || stark_internal.isolation_taints(v_node.labels ->> 'stark/isolation', v_node.accepts);
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
      allocatable = v_node.allocatable, capabilities = v_node.capabilities,
      accepts = v_node.accepts, accepted_namespaces = v_node.accepted_namespaces, updated_at = now()
    where n.id = v_node.id
      and (n.overrides, n.labels, n.taints, n.allocatable, n.capabilities)
          is distinct from (v_node.overrides, v_node.labels, v_node.taints, v_node.allocatable, v_node.capabilities);
  perform stark_internal.work_off_notes();
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$$;
comment on function stark.update_node(text, jsonb, jsonb, jsonb, jsonb, bigint, text, text[]) is 'Patches a node''s labels, taints, amounts and capabilities.';
revoke all on function stark.update_node(text, jsonb, jsonb, jsonb, jsonb, bigint, text, text[]) from public, anon;
grant execute on function stark.update_node(text, jsonb, jsonb, jsonb, jsonb, bigint, text, text[]) to authenticated, service_role;

/**
 * stark.cordon_node(name) -> the node: it gets no new pods, those it has stay. Calling again changes nothing.
 * Caller: nodes:update, or the owner with it. Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND.
 */
create function stark.cordon_node(p_name text)
returns stark.nodes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_node(p_name, 'nodes:update');
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  update stark.nodes n set unschedulable = true, updated_at = now() where n.id = v_node.id and not n.unschedulable;
  perform stark_internal.work_off_notes();
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$$;
comment on function stark.cordon_node(text) is 'Keeps new pods off a node.';
revoke all on function stark.cordon_node(text) from public, anon;
grant execute on function stark.cordon_node(text) to authenticated, service_role;

/**
 * stark.uncordon_node(name) -> the node: it gets new pods again, waiting ones at once. A drain that is on its way ends.
 * Caller: nodes:update, or the owner with it. Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND.
 */
create function stark.uncordon_node(p_name text)
returns stark.nodes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_node(p_name, 'nodes:update');
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  update stark.nodes n set unschedulable = false, draining = false, updated_at = now() where n.id = v_node.id and n.unschedulable;
  perform stark_internal.work_off_notes();
  select * into v_node from stark.nodes n where n.id = v_node.id;
  return v_node;
end;
$$;
comment on function stark.uncordon_node(text) is 'Lets a node have new pods again.';
revoke all on function stark.uncordon_node(text) from public, anon;
grant execute on function stark.uncordon_node(text) to authenticated, service_role;

/** stark_internal.evict_all(node, reason, now): its pods are evicted at once. */
create function stark_internal.evict_all(p_node stark.nodes, p_reason text, p_now timestamptz default now())
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  update stark.pods p set
      status = 'evicted', status_reason = p_reason, status_message = 'node ' || p_node.name, ready = false,
      stop_requested_at = coalesce(p.stop_requested_at, p_now), finished_at = p_now
    where p.node_id = p_node.id and stark_internal.occupies(p.status);
$$;
comment on function stark_internal.evict_all(stark.nodes, text, timestamptz) is 'Evicts the pods of a node.';
revoke all on function stark_internal.evict_all(stark.nodes, text, timestamptz) from public, anon;

/**
 * stark.drain_node(name, ignores_budgets) -> its pods but those of daemon mode, which stay: the node is cordoned and its pods are stopping with their
 * grace, reason NodeDrained; on a node that is offline they are evicted at once. Pods of deployments with a disruption budget are replaced first, and
 * leave one after the other: the node is draining until they have left, and pending_evictions says what holds them. ignores_budgets: they leave at
 * once like the others. Calling again changes nothing else. Caller: nodes:update, or the owner with it. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND.
 */
create function stark.drain_node(p_name text, p_ignores_budgets boolean default false)
returns setof stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
  v_ids uuid[];
begin
  perform stark_internal.require_node(p_name, 'nodes:update');
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:update');
  -- An owner may empty the own node: what runs there is there by the owner's leave. Whose pods they are is not asked.
  update stark.nodes n set unschedulable = true, draining = true, updated_at = now() where n.id = v_node.id and not n.draining;
  v_ids := array(
    select p.id from stark.pods p where p.node_id = v_node.id and stark_internal.occupies(p.status) and p.pinned_node_id is null);
  perform stark_internal.send_away(array(select u from stark_internal.unguarded_pods(v_node.id, stark_internal.controller_time(), coalesce(p_ignores_budgets, false)) u),
    stark_internal.controller_time());
  perform stark_internal.end_empty_drains();
  return query select p.* from stark.pods p where p.id = any (v_ids) order by p.namespace, p.name;
  perform stark_internal.remove_ended_pods();
  perform stark_internal.work_off_notes();
end;
$$;
comment on function stark.drain_node(text, boolean) is 'Cordons a node and asks its pods to go.';
revoke all on function stark.drain_node(text, boolean) from public, anon;
grant execute on function stark.drain_node(text, boolean) to authenticated, service_role;

/**
 * stark.delete_node(name, force, if_version) -> the node as it was. With pods that have not ended it is refused; force evicts
 * them at once. Pods of daemon mode belong to the node and go with it. Caller: nodes:delete, or the owner with it. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, NODE_IN_USE, CONFLICT.
 */
create function stark.delete_node(p_name text, p_force boolean default false, p_if_version bigint default null)
returns stark.nodes
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
  v_pods bigint;
begin
  perform stark_internal.require_node(p_name, 'nodes:delete');
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_node(p_name, 'nodes:delete');
  perform stark_internal.require_version('node ' || p_name, p_if_version, v_node.resource_version);
  select count(*) into v_pods from stark.pods p where p.node_id = v_node.id and stark_internal.occupies(p.status) and p.pinned_node_id is null;
  if v_pods > 0 and p_force is not true then
    perform stark_internal.fail('NODE_IN_USE', format('node %s has %s pods that have not ended', p_name, v_pods), 'stark node drain ' || p_name);
  end if;
  -- Cordoned first, or what was just evicted could be followed here by a pod that waits.
  update stark.nodes n set unschedulable = true where n.id = v_node.id and not n.unschedulable;
  perform stark_internal.evict_all(v_node, 'NodeDeleted');
  perform stark_internal.remove_ended_pods();
  delete from stark.nodes n where n.id = v_node.id;
  perform stark_internal.work_off_notes();
  return v_node;
end;
$$;
comment on function stark.delete_node(text, boolean, bigint) is 'Removes a node.';
revoke all on function stark.delete_node(text, boolean, bigint) from public, anon;
grant execute on function stark.delete_node(text, boolean, bigint) to authenticated, service_role;
