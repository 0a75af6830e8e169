-- Eviction: pods leave a node that has a taint NoExecute which they do not tolerate, or no longer. A node that was given
-- up has such a taint too, node.kubernetes.io/unreachable, for as long as it is offline, so that there is one path for both.

create table stark_internal.evicting_taints (
  node_id uuid not null references stark.nodes (id) on delete cascade,
  taint jsonb not null,
  since timestamptz not null default now(),
  primary key (node_id, taint)
);
comment on table stark_internal.evicting_taints is 'Taints NoExecute that nodes have now, and since when. Kept by a trigger on nodes.';
alter table stark_internal.evicting_taints enable row level security;
create policy "nobody reads evicting taints" on stark_internal.evicting_taints for select to authenticated using (false);

/** stark_internal.is_unreachable(status, reason): nobody knows what runs on the node. One that said goodbye has ended its pods itself. */
create function stark_internal.is_unreachable(p_status text, p_reason text)
returns boolean
language sql
immutable
set search_path = pg_temp
as $$
  select p_status = 'offline' and p_reason is distinct from 'NodeShutdown';
$$;
comment on function stark_internal.is_unreachable(text, text) is 'Whether a node of this status is tainted unreachable.';
revoke all on function stark_internal.is_unreachable(text, text) from public, anon;

/** stark_internal.taints_that_evict(node): its taints NoExecute, its being unreachable among them. */
create function stark_internal.taints_that_evict(p_node stark.nodes)
returns setof jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select distinct t from jsonb_array_elements(p_node.taints) t where t ->> 'effect' = 'NoExecute'
  union
  select '{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}'::jsonb where stark_internal.is_unreachable(p_node.status, p_node.status_reason);
$$;
comment on function stark_internal.taints_that_evict(stark.nodes) is 'The taints NoExecute of a node.';
revoke all on function stark_internal.taints_that_evict(stark.nodes) from public, anon;

/**
 * stark_internal.tolerated_until(tolerations, taint, since): until when a pod that has met the taint since then may stay. The
 * first toleration that fits decides, as in Kubernetes: without tolerationSeconds it holds for ever.
 */
create function stark_internal.tolerated_until(p_tolerations jsonb, p_taint jsonb, p_since timestamptz)
returns timestamptz
language sql
stable
set search_path = pg_temp
as $$
  select coalesce((
    select case when t ? 'tolerationSeconds'
      then p_since + make_interval(secs => least(greatest((t ->> 'tolerationSeconds')::numeric, 0), 1000000000)::double precision)
      else 'infinity' end
    from jsonb_array_elements(p_tolerations) with ordinality as e (t, ord)
    where stark_internal.tolerates(jsonb_build_array(t), p_taint)
    order by ord limit 1), p_since);
$$;
comment on function stark_internal.tolerated_until(jsonb, jsonb, timestamptz) is 'Until when a pod with these tolerations may stay beside a taint.';
revoke all on function stark_internal.tolerated_until(jsonb, jsonb, timestamptz) from public, anon;

/** stark_internal.pods_to_evict(now) -> the pods whose time beside a taint is over, with the taint that ends it first. */
create function stark_internal.pods_to_evict(p_now timestamptz default now())
returns table (pod_id uuid, offline boolean, reason text, message text)
language sql
stable
set search_path = pg_temp
as $$
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
$$;
comment on function stark_internal.pods_to_evict(timestamptz) is 'Pods that have to leave their nodes now.';
revoke all on function stark_internal.pods_to_evict(timestamptz) from public, anon;

/**
 * stark_internal.evict_pods(now) -> how many had to go: those on an offline node are evicted at once (NodeOffline); elsewhere
 * the agent is asked to stop them with their grace (TaintNoExecute). What has ended stays as it is until a user, or the
 * controller that made it, acts: room that became free starts a schedule pass by the triggers on pods. Of many pods one step's
 * worth goes, the next with continue_work.
 * Locks: the cluster lock, when there is something to do. Idempotent; called when a node gets such a taint, and by pg_cron for
 * tolerations that run out.
 */
create function stark_internal.evict_pods(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
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
    from (select * from stark_internal.pods_to_evict(p_now) e order by e.pod_id limit stark_internal.call_limit('pods')) e
    where p.id = e.pod_id;
  get diagnostics v_evicted = row_count;
  perform stark_internal.remove_ended_pods();
  return v_evicted;
end;
$$;
comment on function stark_internal.evict_pods(timestamptz) is 'Makes pods leave nodes whose taints they do not tolerate.';
revoke all on function stark_internal.evict_pods(timestamptz) from public, anon;

/** stark_internal.follow_taints(): statement trigger on nodes; keeps evicting_taints, and evicts at once where one is new. */
create function stark_internal.follow_taints()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
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
$$;
comment on function stark_internal.follow_taints() is 'Notes since when a node has which taint NoExecute, and evicts.';
revoke all on function stark_internal.follow_taints() from public, anon;

create trigger _400_follow_taints_of_new after insert on stark.nodes
  referencing new table as new_rows for each statement execute function stark_internal.follow_taints();
create trigger _400_follow_taints_of_changed after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.follow_taints();
