-- The plan: how many pods of each revision a deployment shall have now. It reads, and writes nothing. Pods belong to the newest revision
-- of their template's hash; these are the sets that the plan speaks of.
--
--   counts ──► terms (how many are wanted, surge, unavailable, the goal of a canary) ──► wanted for each set
--
-- Up: at most replicas + surge - total more. Down: available pods never fall below replicas - unavailable by our hand. Old pods that are
-- not available go first and cost no budget; those on a node that is not healthy are not available, but not missing either. What drains
-- wait for is part of the plan: more pods are wanted until the replacements of those that a budget holds are available.

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
  due_at timestamptz,
  wanted integer
);
comment on type stark_internal.revision_set is 'The unfinished pods of one template of a deployment: live ones are not stopping, dark ones on a node that is not healthy, unplaced ones fit nowhere; due_at is when the next one becomes available; wanted is how many there shall be.';

/**
 * stark_internal.count_revisions(ids, now) -> the sets of these deployments as they are, from the counts that a trigger keeps: who is ready is available,
 * but for those that became so a moment ago.
 */
create function stark_internal.count_revisions(p_ids uuid[], p_now timestamptz default now())
returns setof stark_internal.revision_set
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with newest as (
      select r.deployment_id, r.template_hash, max(r.revision) as revision from stark.deployment_revisions r
      where r.deployment_id = any (p_ids) group by r.deployment_id, r.template_hash
    ), counted as (
      select c.deployment_id, r.template_hash,
             sum(c.live) as live, sum(c.ready) filter (where n.status = 'healthy') as ready, sum(c.live) filter (where n.status <> 'healthy') as dark,
             sum(c.stopping) as stopping, sum(c.unplaced) as unplaced, count(distinct c.node_id) filter (where c.live > 0) as nodes
      from stark_internal.managed_counts c
      join stark.deployment_revisions r using (deployment_id, revision)
      left join stark.nodes n on n.id = c.node_id
      where c.deployment_id = any (p_ids)
      group by c.deployment_id, r.template_hash
    ), recent as (
      select p.deployment_id, r.template_hash, count(*) as pods, min(p.ready_at + d.min_ready_seconds * interval '1 second') as due_at
      from stark.deployments d
      -- offset 0: by deployment and time, whatever else would look cheaper to a plan that knows neither.
      cross join lateral (
        select q.* from stark.pods q where q.deployment_id = d.id and q.ready_at > p_now - d.min_ready_seconds * interval '1 second' and q.finished_at is null offset 0) p
      join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
      where d.id = any (p_ids) and p.status = 'running' and (select n.status from stark.nodes n where n.id = p.node_id) = 'healthy'
      group by p.deployment_id, r.template_hash
    )
    select w.deployment_id, w.template_hash, w.revision, coalesce(c.live, 0)::integer, coalesce(c.ready, 0)::integer, (coalesce(c.ready, 0) - coalesce(t.pods, 0))::integer,
           coalesce(c.dark, 0)::integer, coalesce(c.stopping, 0)::integer, coalesce(c.unplaced, 0)::integer, coalesce(c.nodes, 0)::integer, t.due_at, r.wanted
    from newest w
    join stark.deployment_revisions r using (deployment_id, revision)
    left join counted c on c.deployment_id = w.deployment_id and c.template_hash = w.template_hash
    left join recent t on t.deployment_id = w.deployment_id and t.template_hash = w.template_hash;
end;
$$;
comment on function stark_internal.count_revisions(uuid[], timestamptz) is 'How many pods of each template there are, and how they are.';
revoke all on function stark_internal.count_revisions(uuid[], timestamptz) from public, anon;

/** stark_internal.recount_revisions(ids, now) -> the same from the pods themselves: what all that is counted must be. For tests. */
create function stark_internal.recount_revisions(p_ids uuid[], p_now timestamptz default now())
returns setof stark_internal.revision_set
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with newest as (
      select r.deployment_id, r.template_hash, max(r.revision) as revision from stark.deployment_revisions r
      where r.deployment_id = any (p_ids) group by r.deployment_id, r.template_hash
    ), counted as (
      select p.deployment_id, r.template_hash,
             count(*) filter (where p.status <> 'stopping') as live,
             count(*) filter (where p.status = 'running' and p.ready and n.status = 'healthy') as ready,
             count(*) filter (where p.status = 'running' and n.status = 'healthy' and p.ready_at <= p_now - d.min_ready_seconds * interval '1 second') as available,
             count(*) filter (where p.status <> 'stopping' and n.status <> 'healthy') as dark,
             count(*) filter (where p.status = 'stopping') as stopping,
             count(*) filter (where p.status = 'pending' and p.status_reason = 'Unschedulable') as unplaced,
             count(distinct p.node_id) filter (where p.status <> 'stopping') as nodes,
             min(p.ready_at + d.min_ready_seconds * interval '1 second')
               filter (where p.status = 'running' and n.status = 'healthy' and p.ready_at > p_now - d.min_ready_seconds * interval '1 second') as due_at
      from stark.pods p
      join stark.deployments d on d.id = p.deployment_id
      join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
      left join stark.nodes n on n.id = p.node_id
      where p.deployment_id = any (p_ids) and p.finished_at is null
      group by p.deployment_id, r.template_hash
    )
    select w.deployment_id, w.template_hash, w.revision, coalesce(c.live, 0)::integer, coalesce(c.ready, 0)::integer, coalesce(c.available, 0)::integer,
           coalesce(c.dark, 0)::integer, coalesce(c.stopping, 0)::integer, coalesce(c.unplaced, 0)::integer, coalesce(c.nodes, 0)::integer, c.due_at, r.wanted
    from newest w
    join stark.deployment_revisions r using (deployment_id, revision)
    left join counted c on c.deployment_id = w.deployment_id and c.template_hash = w.template_hash;
end;
$$;
comment on function stark_internal.recount_revisions(uuid[], timestamptz) is 'What count_revisions must answer, counted anew.';
revoke all on function stark_internal.recount_revisions(uuid[], timestamptz) from public, anon;

/** stark_internal.canary_goal(steps, step, replicas) -> how many pods of the new revision there shall be at this step: the last weight up to it, rounded half up, and at least one above weight 0. */
create function stark_internal.canary_goal(p_steps jsonb, p_step integer, p_replicas integer)
returns integer
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_weight integer := coalesce((
    select (s.item ->> 'weight')::integer from jsonb_array_elements(p_steps) with ordinality as s (item, ord)
    where s.ord <= p_step + 1 and s.item ? 'weight' order by s.ord desc limit 1), 0);
begin
  return case
    when p_step >= jsonb_array_length(p_steps) then p_replicas
    when v_weight = 0 then 0
    else least(p_replicas, greatest(1, floor(p_replicas * v_weight / 100.0 + 0.5)::integer)) end;
end;
$$;
comment on function stark_internal.canary_goal(jsonb, integer, integer) is 'How many pods a step of a canary wants.';
revoke all on function stark_internal.canary_goal(jsonb, integer, integer) from public, anon;

/** stark_internal.way_back(deployment, revision) -> the last stable revision but this one's template, null when there is none. A template that failed since it was stable, and a withdrawn version, are none. */
create function stark_internal.way_back(p_deployment_id uuid, p_revision bigint)
returns bigint
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return (
    select r.revision
    from stark.deployment_revisions r
    join stark.deployment_revisions t on t.deployment_id = r.deployment_id and t.revision = p_revision
    join stark.pack_versions v on v.id = r.pack_version_id
    where r.deployment_id = p_deployment_id and r.stable_at is not null and r.template_hash <> t.template_hash and v.state = 'ready'
      -- Going back changes no wish, so not the mode either.
      and (r.template ->> 'mode') is not distinct from (t.template ->> 'mode')
      and not exists (
        select from stark.deployment_revisions f
        where f.deployment_id = r.deployment_id and f.template_hash = r.template_hash and f.failed_at is not null and f.revision > r.revision)
    order by r.revision desc limit 1);
end;
$$;
comment on function stark_internal.way_back(uuid, bigint) is 'The revision that a failed one is followed by.';
revoke all on function stark_internal.way_back(uuid, bigint) from public, anon;

/**
 * stark_internal.may_not_run(user, namespace, pack, template) -> why a deployment may not make pods of this template with this user's rights:
 * OwnerGone or Forbidden; null when it may. What read_pod asked of the caller is asked once more, since a right may be gone by now. Which
 * nodes a template names is not: that is kept from who may not see them, and its user knew them.
 */
create function stark_internal.may_not_run(p_user_id uuid, p_namespace text, p_pack_id uuid, p_template jsonb)
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return case
    when p_user_id is null then 'OwnerGone'
    when not stark_internal.user_may(p_user_id, 'pods:create', p_namespace, p_namespace <> 'stark-system') then 'Forbidden'
    when not exists (
      select from stark.packs k where k.id = p_pack_id
        and (k.visibility = 'public' or k.owner_id = p_user_id or stark_internal.user_may(p_user_id, 'packs:pull'))) then 'Forbidden'
    when not stark_internal.user_may(p_user_id, 'pods:prioritise', p_namespace, true) and exists (
      select from stark.priority_classes c
      where case when p_template -> 'spec' ? 'priorityClassName' then c.name = p_template #>> '{spec,priorityClassName}' else c.global_default end
        and c.preemption_policy = 'Never' and p_template #>> '{spec,preemptionPolicy}' <> 'Never'
      union all
      select from stark.priority_classes c where c.global_default and c.value < (p_template ->> 'priority')::integer) then 'Forbidden'
    when (p_template ->> 'priority')::integer > 1000 and not stark_internal.user_may(p_user_id, 'priorityclasses:create') then 'Forbidden'
    when stark_internal.unreadable_company(p_namespace, p_template #> '{spec,affinity}', p_user_id) is not null then 'Forbidden'
  end;
end;
$$;
comment on function stark_internal.may_not_run(uuid, text, uuid, jsonb) is 'Why pods may not be made with the rights of this user; null when they may.';
revoke all on function stark_internal.may_not_run(uuid, text, uuid, jsonb) from public, anon;

/**
 * stark_internal.maker_of_pods(deployment, revision) -> whose rights pods of this revision have: those of who changed the template last, or
 * where these do not reach to it, those of who made the revision. Who makes a pod reads its env and config: what somebody else gave is for
 * who may read it, so that nobody gets it by a template of their own that fails.
 */
create function stark_internal.maker_of_pods(p_deployment stark.deployments, p_revision stark.deployment_revisions)
returns uuid
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_revision.created_by is distinct from p_deployment.acts_as and (
    stark_internal.may_not_run(p_deployment.acts_as, p_deployment.namespace, p_deployment.pack_id, p_revision.template) is not null
    or (not stark_internal.user_may(p_deployment.acts_as, 'pods:read-env', p_deployment.namespace) and exists (
      select from stark_internal.revision_secrets s where s.deployment_id = p_revision.deployment_id and s.revision = p_revision.revision and s.secrets <> '{}'))) then
    return p_revision.created_by;
  end if;
  return p_deployment.acts_as;
end;
$$;
comment on function stark_internal.maker_of_pods(stark.deployments, stark.deployment_revisions) is 'Whose rights the pods of a revision have.';
revoke all on function stark_internal.maker_of_pods(stark.deployments, stark.deployment_revisions) from public, anon;

create view stark_internal.rollout_terms with (security_invoker = true) as
select d.id as deployment_id, d.pods as replicas, d.desired_replicas as before,
       case when d.strategy = 'Recreate' then 0 else d.surge end as surge,
       u.unavailable,
       -- Nodes that are not healthy cost no budget, and those that were given up hold nothing up.
       case when d.mode = 'daemon' then d.healthy_nodes else d.pods end - u.unavailable as least,
       d.pods - case when d.mode = 'daemon' then d.lost_nodes else 0 end as needed,
       d.mode = 'daemon' as is_daemon,
       d.strategy = 'Recreate' as is_recreate, d.rollout_paused as is_held, d.paused or d.deletion_requested_at is not null as is_frozen,
       stark_internal.may_not_run(d.acts_as, d.namespace, d.pack_id, t.template) as may_not,
       t.template_hash as newest_hash, t.status as newest_status,
       -- A revision that failed and is not followed by another leaves the place to the last stable one.
       case when t.status = 'failed' then b.template_hash else t.template_hash end as target_hash,
       case when t.status = 'failed' then b.revision else t.revision end as target_revision,
       t.status = 'failed' or t.cause = 'rollback' as is_way_back,
       coalesce(b.template_hash, t.template_hash) as stable_hash,
       case when t.status in ('failed', 'stable') or t.cause in ('rollback', 'undo') or b.revision is null then d.pods
            else stark_internal.canary_goal(d.canary_steps, t.step, d.pods) end as goal
from (
  select e.*, w.pods, f.healthy_nodes, f.lost_nodes, stark_internal.amount_of(e.max_surge, w.pods, true) as surge,
         stark_internal.amount_of(e.max_unavailable, w.pods, e.mode = 'daemon') as unavailable
  from stark.deployments e
  cross join lateral (
    select count(*)::integer as nodes, (count(*) filter (where n.status = 'healthy'))::integer as healthy_nodes,
           (count(*) filter (where n.status in ('offline', 'unknown')))::integer as lost_nodes
    from stark_internal.daemon_nodes t join stark.nodes n on n.id = t.node_id
    where t.deployment_id = e.id and e.mode = 'daemon') f
  cross join lateral (select case when e.mode = 'daemon' then f.nodes else e.replicas end as pods) w) d
cross join lateral (
  select case when d.strategy = 'Recreate' then d.pods when d.surge = 0 and d.unavailable = 0 then 1 else d.unavailable end as unavailable) u
join stark.deployment_revisions t on t.deployment_id = d.id and t.revision = d.revision
cross join lateral (select stark_internal.way_back(d.id, d.revision) as revision) w
left join stark.deployment_revisions b on b.deployment_id = d.id and b.revision = w.revision;
comment on view stark_internal.rollout_terms is 'What the plan of each deployment has to keep to.';

/**
 * stark_internal.scaled_sets(sets) -> the sets with wanted as scaling leaves it: where a deployment was scaled in the middle of a rollout
 * the new number is shared out over the live sets in proportion, what is left over by the largest remainder.
 */
create function stark_internal.scaled_sets(p_sets stark_internal.revision_set[])
returns setof stark_internal.revision_set
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from stark.deployments d where d.id in (select s.deployment_id from unnest(p_sets) s) and d.desired_replicas <> d.replicas and d.mode = 'replicated') then
    return query select s.* from unnest(p_sets) s;
    return;
  end if;
  return query
    with sets as (
      select s.*, t.before, t.replicas, t.surge, t.goal, sum(s.wanted) over w as total, count(*) filter (where s.wanted > 0) over w as parts
      from unnest(p_sets) s join stark_internal.rollout_terms t using (deployment_id)
      window w as (partition by s.deployment_id)
    ), shares as (
      select s.*, least(s.replicas + s.surge, round(s.total::numeric * s.replicas / nullif(s.before, 0))) as room,
             s.wanted::numeric / nullif(s.total, 0) * least(s.replicas + s.surge, round(s.total::numeric * s.replicas / nullif(s.before, 0))) as share
      from sets s
    ), ranked as (
      select s.*, s.room - sum(floor(s.share)) over (partition by s.deployment_id) as left_over,
             row_number() over (partition by s.deployment_id order by s.share - floor(s.share) desc, s.wanted desc, s.revision desc) as rank
      from shares s
    )
    select r.deployment_id, r.template_hash, r.revision, r.live, r.ready, r.available, r.dark, r.stopping, r.unplaced, r.nodes, r.due_at,
           case when (r.parts > 1 or r.goal < r.replicas) and r.before <> r.replicas and r.before > 0 and r.total > 0
             then floor(r.share)::integer + (r.rank <= r.left_over)::integer else r.wanted end
    from ranked r;
end;
$$;
comment on function stark_internal.scaled_sets(stark_internal.revision_set[]) is 'Shares a new number of replicas out over the live revisions.';
revoke all on function stark_internal.scaled_sets(stark_internal.revision_set[]) from public, anon;

/**
 * stark_internal.plan_revisions(sets) -> the sets with the number that is wanted of each now. The target grows as far as surge allows; others
 * shrink, the oldest first: what is not available without a budget, then as many available ones as the budget lets go. What was lost of
 * the target or of the last stable template is replaced, of others not.
 */
create function stark_internal.plan_revisions(p_sets stark_internal.revision_set[])
returns setof stark_internal.revision_set
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  -- Where all that is wanted is there and nothing else, nothing is to be decided: so most looks end, and a report on one pod pays for each.
  if not exists (
    select from unnest(p_sets) s
    join stark.deployments d on d.id = s.deployment_id
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
    where d.mode = 'daemon' or r.status <> 'stable' or s.live <> s.wanted or s.wanted <> case when s.revision = d.revision then d.replicas else 0 end) then
    return query select s.* from unnest(p_sets) s;
    return;
  end if;
  return query
    with kept as (
      select s.*, t.replicas, t.surge, t.unavailable, t.goal, t.is_recreate, t.is_held, t.is_way_back, t.target_hash is null as is_lost,
             coalesce(s.template_hash = t.target_hash, false) as is_target,
             s.template_hash = t.newest_hash and t.newest_status = 'failed' as is_failed,
             -- What must not be started is only kept: it never grows.
             case when v.state = 'ready' and (s.template_hash = t.target_hash or (s.template_hash = t.stable_hash and t.newest_hash <> t.stable_hash))
                  then s.wanted else least(s.wanted, s.live) end as base,
             v.state = 'ready' as may_start
      from stark_internal.scaled_sets(p_sets) s
      join stark_internal.rollout_terms t using (deployment_id)
      join stark.deployment_revisions r using (deployment_id, revision)
      join stark.pack_versions v on v.id = r.pack_version_id
      where not t.is_frozen and t.may_not is null and not t.is_daemon
    ), totals as (
      select k.*,
             -- What is more than wanted is there until the budget lets it go, and takes the room of another until then.
             sum(greatest(k.base, k.live)) over w as total,
             coalesce(sum(k.base) filter (where not k.is_target and not k.is_failed) over w, 0) as others,
             sum(k.available) over w as available_total,
             coalesce(sum(k.available) filter (where k.is_target) over w, 0) as target_available,
             coalesce(sum(k.live + k.stopping) filter (where not k.is_target) over w, 0) as others_unfinished,
             case when k.is_target or k.is_failed then 0 else greatest(0, k.base - k.available - k.dark) end as loose
      from kept k window w as (partition by k.deployment_id)
    ), free as (
      select t.*,
             t.target_available >= t.replicas and t.goal >= t.replicas as is_done,
             case when t.target_available >= t.replicas and t.goal >= t.replicas then t.others else greatest(0, t.others - greatest(0, t.replicas - t.goal)) end as reducible,
             coalesce(sum(t.loose) over (partition by t.deployment_id order by t.revision rows between unbounded preceding and 1 preceding), 0) as loose_before,
             sum(t.loose) over (partition by t.deployment_id) as loose_total
      from totals t
    ), budget as (
      select f.*,
             least(f.loose, greatest(0, f.reducible - f.loose_before)) as let_go,
             greatest(0, case when f.is_done then f.others
               else least(f.reducible - least(f.loose_total, f.reducible), f.available_total - (f.replicas - f.unavailable)) end) as allowance,
             case when f.is_target or f.is_failed then 0 else least(f.base, f.available + case when f.is_done then f.dark else 0 end) end as fit
      from free f
    ), spent as (
      select b.*, coalesce(sum(b.fit) over (partition by b.deployment_id order by b.revision rows between unbounded preceding and 1 preceding), 0) as fit_before from budget b
    )
    select s.deployment_id, s.template_hash, s.revision, s.live, s.ready, s.available, s.dark, s.stopping, s.unplaced, s.nodes, s.due_at,
      (case
        when s.is_failed then case when s.is_lost then s.available else 0 end
        when s.is_target and not s.may_start then s.base
        when s.is_target and s.is_recreate and s.others_unfinished > 0 then least(s.base, s.goal)
        when s.is_target and s.is_held and s.others > 0 then s.base
        when s.is_target and (s.base > s.goal or s.is_way_back) then s.goal
        when s.is_target then s.base + greatest(0, least(s.goal - s.base, s.replicas + s.surge - s.total))
        when s.is_lost or s.is_held then s.base
        when s.is_recreate then 0
        else greatest(0, s.base - s.let_go - least(s.fit, greatest(0, s.allowance - s.fit_before)))
      end)::integer
    from spent s;
end;
$$;
comment on function stark_internal.plan_revisions(stark_internal.revision_set[]) is 'How many pods of each revision are wanted now.';
revoke all on function stark_internal.plan_revisions(stark_internal.revision_set[]) from public, anon;
create type stark_internal.held_pod as (
  pod_id uuid, deployment_id uuid, template_hash text, node_id uuid, ready_at timestamptz
);
comment on type stark_internal.held_pod is 'An available pod on a node that is drained, whose deployment has a disruption budget.';

/** stark_internal.held_pods(ids, now) -> the pods of these deployments, of all where ids is null, that budgets hold on nodes that are drained. */
create function stark_internal.held_pods(p_ids uuid[], p_now timestamptz)
returns setof stark_internal.held_pod
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select p.id, d.id, r.template_hash, n.id, p.ready_at
    from stark.nodes n
    join stark.pods p on p.node_id = n.id
    join stark.deployments d on d.id = p.deployment_id
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = p.revision
    where n.draining and n.status = 'healthy' and (p_ids is null or d.id = any (p_ids))
      and d.mode = 'replicated' and d.disruption_max_unavailable is not null and d.deletion_requested_at is null
      and p.pinned_node_id is null and p.status = 'running' and p.ready_at <= p_now - d.min_ready_seconds * interval '1 second';
end;
$$;
comment on function stark_internal.held_pods(uuid[], timestamptz) is 'Pods that disruption budgets hold on nodes that are drained.';
revoke all on function stark_internal.held_pods(uuid[], timestamptz) from public, anon;

/**
 * stark_internal.with_replacements(sets, now) -> the sets with as many more wanted as pods wait to leave nodes that are drained, at most as many at a time
 * as the budget says, and one where it says none. Only of what may be started: the target, and the last stable template.
 */
create function stark_internal.with_replacements(p_sets stark_internal.revision_set[], p_now timestamptz)
returns setof stark_internal.revision_set
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from stark.nodes n where n.draining) then
    return query select s.* from unnest(p_sets) s;
    return;
  end if;
  return query
    with held as materialized (
      select h.deployment_id, h.template_hash, count(*) as pods
      from stark_internal.held_pods(array(select s.deployment_id from unnest(p_sets) s), p_now) h group by h.deployment_id, h.template_hash
    ), offered as (
      select s.*, greatest(1, stark_internal.amount_of(d.disruption_max_unavailable, t.replicas, true)) as most,
             case when v.state = 'ready' and not t.is_frozen and t.may_not is null and s.template_hash in (t.target_hash, t.stable_hash) then least(coalesce(h.pods, 0), s.wanted) else 0 end as held
      from unnest(p_sets) s
      join stark.deployments d on d.id = s.deployment_id
      join stark_internal.rollout_terms t on t.deployment_id = d.id
      join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision
      join stark.pack_versions v on v.id = r.pack_version_id
      left join held h on h.deployment_id = s.deployment_id and h.template_hash = s.template_hash
    ), given as (
      select o.*, coalesce(sum(o.held) over (partition by o.deployment_id order by o.revision desc rows between unbounded preceding and 1 preceding), 0) as before from offered o
    )
    select g.deployment_id, g.template_hash, g.revision, g.live, g.ready, g.available, g.dark, g.stopping, g.unplaced, g.nodes, g.due_at,
           (g.wanted + case when g.held > 0 then greatest(0, least(g.held, g.most - g.before)) else 0 end)::integer
    from given g;
end;
$$;
comment on function stark_internal.with_replacements(stark_internal.revision_set[], timestamptz) is 'What is wanted of each revision while pods leave nodes that are drained.';
revoke all on function stark_internal.with_replacements(stark_internal.revision_set[], timestamptz) from public, anon;
