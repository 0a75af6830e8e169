-- Disruption budgets: how a drain takes pods from a node. A deployment that has a budget is given the replacement first, and its pod is stopped when
-- that is available; where none can be made, as many may be missing as the budget says. Pods that are not available wait for nobody, and so do pods
-- of deployments without a budget. Pods of daemon mode stay: they belong to the node.
--
--   drain_node ──► node is draining ──► with_replacements (more are wanted) ──► available ──► evict_from_draining ──► node is empty: no longer draining
--
-- Budgets bind what drains do, nothing else, as in Kubernetes: rollouts have maxUnavailable, and preemption, taints NoExecute and people act at once.

/** stark_internal.leaving_pods(deployment) -> how many of its pods its budget holds on nodes that are drained. */
create function stark_internal.leaving_pods(p_deployment_id uuid)
returns bigint
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if not exists (select from stark.nodes n where n.draining) then
    return 0;
  end if;
  return (select count(*) from stark_internal.held_pods(array[p_deployment_id], stark_internal.controller_time()) h);
end;
$$;
comment on function stark_internal.leaving_pods(uuid) is 'How many pods of a deployment wait to leave nodes that are drained.';
revoke all on function stark_internal.leaving_pods(uuid) from public, anon;

/** stark_internal.send_away(ids, now) -> how many: these pods leave the node that is drained, with their grace; where nobody is left to stop them they are evicted. */
create function stark_internal.send_away(p_ids uuid[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_sent integer;
begin
  if p_ids = '{}' then
    return 0;
  end if;
  update stark.pods p set
      status = case when n.status in ('offline', 'unknown') then 'evicted' else 'stopping' end,
      status_reason = 'NodeDrained',
      status_message = 'node ' || n.name,
      ready = false,
      stop_requested_at = coalesce(p.stop_requested_at, p_now),
      finished_at = case when n.status in ('offline', 'unknown') then p_now end
    from stark.nodes n
    where n.id = p.node_id and p.id = any (p_ids) and stark_internal.occupies(p.status) and (p.status <> 'stopping' or n.status in ('offline', 'unknown'));
  get diagnostics v_sent = row_count;
  return v_sent;
end;
$$;
comment on function stark_internal.send_away(uuid[], timestamptz) is 'Asks pods to leave a node that is drained.';
revoke all on function stark_internal.send_away(uuid[], timestamptz) from public, anon;

/** stark_internal.unguarded_pods(node, now, ignores budgets) -> the pods of a node that leave it at once when it is drained: all but those of daemon mode, and but those that a budget holds. */
create function stark_internal.unguarded_pods(p_node_id uuid, p_now timestamptz, p_ignores_budgets boolean default false)
returns setof uuid
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select p.id from stark.pods p
    where p.node_id = p_node_id and stark_internal.occupies(p.status) and p.pinned_node_id is null
      and (p_ignores_budgets or p.id not in (select h.pod_id from stark_internal.held_pods(null, p_now) h));
end;
$$;
comment on function stark_internal.unguarded_pods(uuid, timestamptz, boolean) is 'Pods that leave a node at once when it is drained.';
revoke all on function stark_internal.unguarded_pods(uuid, timestamptz, boolean) from public, anon;

create type stark_internal.budget_state as (
  deployment_id uuid, available bigint, least bigint, wanted integer, most integer, is_replaceable boolean, why_not text, template_hash text, set_available integer, set_wanted integer
);
comment on type stark_internal.budget_state is 'Where a disruption budget stands, for each revision of its deployment: available pods, how few there may be, and whether replacements come first or cannot be made.';

/** stark_internal.budget_states(sets, now) -> where the budgets of these deployments stand, for those that have one. */
create function stark_internal.budget_states(p_sets stark_internal.revision_set[], p_now timestamptz)
returns setof stark_internal.budget_state
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with missing as materialized (
      select m.deployment_id, min(coalesce(m.message, m.reason)) filter (where m.reason is not null) as why from stark_internal.missing_replicas(p_sets, p_now) m group by m.deployment_id
    ), stuck as materialized (
      select p.deployment_id, min(p.status_message) as why
      from stark.pods p where p.deployment_id in (select s.deployment_id from unnest(p_sets) s) and p.finished_at is null and p.status = 'pending' and p.status_reason = 'Unschedulable'
      group by p.deployment_id
    )
    select s.deployment_id, sum(s.available) over w, t.replicas - stark_internal.amount_of(d.disruption_max_unavailable, t.replicas, true)::bigint, t.replicas,
           stark_internal.amount_of(d.disruption_max_unavailable, t.replicas, true),
           not t.is_frozen and t.may_not is null and m.why is null and u.why is null and v.state = 'ready' and coalesce(s.template_hash in (t.target_hash, t.stable_hash), false),
           case when t.is_frozen then 'the deployment is paused' when t.may_not is not null then t.may_not
             when u.why is not null then 'the replacement fits on no node: ' || u.why when m.why is not null then m.why else 'its revision is not started any more' end,
           s.template_hash, s.available, s.wanted
    from unnest(p_sets) s
    join stark.deployments d on d.id = s.deployment_id and d.mode = 'replicated' and d.disruption_max_unavailable is not null and d.deletion_requested_at is null
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision
    join stark.pack_versions v on v.id = r.pack_version_id
    left join missing m on m.deployment_id = d.id
    left join stuck u on u.deployment_id = d.id
    window w as (partition by s.deployment_id);
end;
$$;
comment on function stark_internal.budget_states(stark_internal.revision_set[], timestamptz) is 'Where disruption budgets stand.';
revoke all on function stark_internal.budget_states(stark_internal.revision_set[], timestamptz) from public, anon;

/**
 * stark_internal.evict_from_draining(sets, now) -> how many pods of these deployments were asked to leave nodes that are drained. What is not available
 * leaves at once. Of the others as many as are replaced, where they can be; where not, as many as the budget lets go. Never are fewer left available
 * than the budget says.
 */
create function stark_internal.evict_from_draining(p_sets stark_internal.revision_set[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[] := array(select distinct s.deployment_id from unnest(p_sets) s);
  v_sets stark_internal.revision_set[];
  v_free uuid[];
  v_leaving uuid[];
begin
  if not exists (select from stark.nodes n where n.draining) then
    return 0;
  end if;
  v_free := array(
    select p.id from stark.nodes n cross join lateral stark_internal.unguarded_pods(n.id, p_now) u join stark.pods p on p.id = u
    where n.draining and p.deployment_id = any (v_ids) and p.status <> 'stopping');
  -- Counted anew: the deployment's own steps come first, and what they stopped is not available any more.
  v_sets := array(select c from stark_internal.count_revisions(v_ids, p_now) c);
  with ranked as (
    select h.pod_id, h.deployment_id, b.available - b.least as budget, b.is_replaceable, greatest(0, b.set_available - b.set_wanted) as replaced,
           row_number() over (partition by h.deployment_id, h.template_hash order by h.ready_at desc, h.pod_id) as nth, h.template_hash
    from stark_internal.held_pods(v_ids, p_now) h
    join stark_internal.budget_states(v_sets, p_now) b on b.deployment_id = h.deployment_id and b.template_hash = h.template_hash
  ), chosen as (
    select r.*, row_number() over (partition by r.deployment_id order by not r.is_replaceable, r.nth, r.pod_id) as ord from ranked r where not r.is_replaceable or r.nth <= r.replaced
  )
  select array_agg(c.pod_id) into v_leaving from chosen c where c.ord <= c.budget;
  return stark_internal.send_away(v_free || coalesce(v_leaving, '{}'), p_now);
end;
$$;
comment on function stark_internal.evict_from_draining(stark_internal.revision_set[], timestamptz) is 'Has pods leave nodes that are drained, within their budgets.';
revoke all on function stark_internal.evict_from_draining(stark_internal.revision_set[], timestamptz) from public, anon;

-- The end of a drain ----------------------------------------------------------------------------------------------------

/** stark_internal.end_empty_drains(): nodes that are drained and have nothing left but pods of daemon mode are drained no longer. */
create function stark_internal.end_empty_drains()
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  update stark.nodes n set draining = false, updated_at = now()
    where n.draining and not exists (
      select from stark.pods p where p.node_id = n.id and stark_internal.occupies(p.status) and p.pinned_node_id is null);
end;
$$;
comment on function stark_internal.end_empty_drains() is 'Ends drains of nodes that are empty.';
revoke all on function stark_internal.end_empty_drains() from public, anon;

/** stark_internal.end_drains(): statement trigger on pods; a node that nothing has to leave any more is drained no longer, and stays cordoned. */
create function stark_internal.end_drains()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if exists (select from stark.nodes n where n.draining) then
    perform stark_internal.end_empty_drains();
  end if;
  return null;
end;
$$;
comment on function stark_internal.end_drains() is 'Ends drains of nodes that are empty.';
revoke all on function stark_internal.end_drains() from public, anon;

create trigger _710_end_drains_of_changed after update on stark.pods for each statement execute function stark_internal.end_drains();
create trigger _710_end_drains_of_deleted after delete on stark.pods for each statement execute function stark_internal.end_drains();

/** stark_internal.note_draining(): statement trigger on nodes; a drain that begins or is called off notes the deployments of the node's pods, and those that wait for it. */
create function stark_internal.note_draining()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_nodes uuid[] := array(select n.id from old_rows o join new_rows n using (id) where o.draining <> n.draining);
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if v_nodes <> '{}' then
    perform stark_internal.note_deployments(array(
      select distinct p.deployment_id from stark.pods p where p.node_id = any (v_nodes) and p.deployment_id is not null and p.finished_at is null
      union
      select d.id from stark.deployments d where d.status_reason = 'NodeDraining'));
  end if;
  return null;
end;
$$;
comment on function stark_internal.note_draining() is 'Notes the deployments of nodes whose drain begins or ends.';
revoke all on function stark_internal.note_draining() from public, anon;

create trigger _700_note_draining after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_draining();

-- API -------------------------------------------------------------------------------------------------------------------

/**
 * stark.pending_evictions(node) -> the pods that have to leave a node that is drained and have not been asked to, in the order of their names: which
 * deployment's budget holds each, why in one word and one line, and after how many seconds it is worth asking again. ReplacementNotAvailable: one
 * is on its way; DisruptionBudget: none can be made, and fewer must not be available. The drain goes on by itself, whether somebody asks or not.
 * Caller: nodes:update, or the owner with it. Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND. Example:
 *   select pod_name, deployment_name, message from stark.pending_evictions('n1');
 */
create function stark.pending_evictions(p_name text)
returns table (pod_id uuid, namespace text, pod_name text, deployment_name text, reason text, message text, retry_after_seconds integer)
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  -- Definer: who may empty a node is told what holds it, as drain_node tells whose pods are there. The first call asks for the right.
  v_node stark.nodes := stark_internal.require_node(p_name, 'nodes:update');
  v_now timestamptz := stark_internal.controller_time();
  v_ids uuid[];
begin
  v_ids := array(select distinct h.deployment_id from stark_internal.held_pods(null, v_now) h where h.node_id = v_node.id);
  return query
    select h.pod_id, p.namespace, p.name, d.name,
           case when b.is_replaceable then 'ReplacementNotAvailable' else 'DisruptionBudget' end,
           case when b.is_replaceable then format('deployment %s waits until the replacement is available: %s of %s are', d.name, b.available, b.wanted)
             else format('deployment %s has %s pods available and keeps %s: %s', d.name, b.available, greatest(0, b.least), b.why_not) end,
           greatest(1, least(60, ceil(extract(epoch from d.next_reconcile_at - v_now))))::integer
    from stark_internal.held_pods(v_ids, v_now) h
    join stark.pods p on p.id = h.pod_id
    join stark.deployments d on d.id = h.deployment_id
    join stark_internal.budget_states(array(select c from stark_internal.count_revisions(v_ids, v_now) c), v_now) b
      on b.deployment_id = h.deployment_id and b.template_hash = h.template_hash
    where h.node_id = v_node.id
    order by p.namespace, p.name;
end;
$$;
comment on function stark.pending_evictions(text) is 'Which pods a drain still waits for, which deployment''s budget holds each, and why.';
revoke all on function stark.pending_evictions(text) from public, anon;
grant execute on function stark.pending_evictions(text) to authenticated, service_role;
