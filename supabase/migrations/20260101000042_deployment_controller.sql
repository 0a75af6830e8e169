-- The controller's word and its calls: what a deployment says of itself, when it is looked at, and what an error costs.

-- Settle ----------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.finish_rollouts(sets, now): a rollout is stable when all wanted pods are available and no other revision has any. What is
 * known of its failures is forgotten, and the revision that was stable before is superseded. Without a wanted pod nothing is proven.
 */
create function stark_internal.finish_rollouts(p_sets stark_internal.revision_set[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
begin
  -- Asked first, as most looks find none.
  if not exists (
    select from unnest(p_sets) s join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision where r.status = 'progressing') then
    return;
  end if;
  v_ids := array(
    select d.id
    from unnest(p_sets) s
    join stark.deployments d on d.id = s.deployment_id and d.revision = s.revision
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision and r.status = 'progressing'
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    where t.needed > 0 and t.goal >= t.replicas and s.available >= t.needed and not t.is_frozen
      -- What is on a node that was given up is rolled when it is back.
      and not exists (select from unnest(p_sets) o where o.deployment_id = d.id and o.template_hash <> s.template_hash and o.live > case when t.is_daemon then o.dark else 0 end));
  if v_ids = '{}' then
    return;
  end if;
  update stark.deployment_revisions r set
      status = case when r.revision = d.revision then 'stable' else 'superseded' end,
      stable_at = case when r.revision = d.revision then p_now else r.stable_at end
    from stark.deployments d
    where d.id = r.deployment_id and d.id = any (v_ids) and (r.revision = d.revision or r.status = 'stable');
  delete from stark_internal.failed_runs f where f.deployment_id = any (v_ids);
  delete from stark_internal.first_availabilities a where a.deployment_id = any (v_ids);
  delete from stark_internal.blocked_versions b using stark.deployments d, stark.deployment_revisions r
    where d.id = any (v_ids) and r.deployment_id = d.id and r.revision = d.revision and b.deployment_id = d.id and b.pack_version_id = r.pack_version_id;
end;
$$;
comment on function stark_internal.finish_rollouts(stark_internal.revision_set[], timestamptz) is 'Makes complete rollouts stable.';
revoke all on function stark_internal.finish_rollouts(stark_internal.revision_set[], timestamptz) from public, anon;

create type stark_internal.deployment_word as (deployment_id uuid, reason text, message text, due_at timestamptz, replicas integer, least integer, stands_still boolean);
comment on type stark_internal.deployment_word is 'Why a deployment is as it is, and when that may change by itself; of its terms how many pods are wanted, how many have to be available, and whether nothing is done for it.';

/** stark_internal.missing_pods(sets, now) -> of each set that lacks pods, counted or one a node, how many can be made now, and why not all. */
create function stark_internal.missing_pods(p_sets stark_internal.revision_set[], p_now timestamptz)
returns table (deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamptz)
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select m.deployment_id, m.revision, m.missing, m.makeable, m.reason, m.message, m.until from stark_internal.missing_replicas(p_sets, p_now) m
    union all
    select m.deployment_id, m.revision, m.missing, m.makeable, m.reason, m.message, m.until from stark_internal.missing_daemons(p_sets, array(select p from stark_internal.plan_daemons(p_sets, p_now) p), p_now) m;
end;
$$;
comment on function stark_internal.missing_pods(stark_internal.revision_set[], timestamptz) is 'How many pods of each revision can be made now, and why not all.';
revoke all on function stark_internal.missing_pods(stark_internal.revision_set[], timestamptz) from public, anon;

/** stark_internal.deployment_words(sets, now) -> what each deployment says of itself: the first of the reasons that holds, and when to look again. */
create function stark_internal.deployment_words(p_sets stark_internal.revision_set[], p_now timestamptz)
returns setof stark_internal.deployment_word
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with totals as (
      select s.deployment_id, sum(s.live) as live, sum(s.dark) as dark, sum(s.stopping) as stopping, sum(s.unplaced) as unplaced, min(s.due_at) as due_at
      from unnest(p_sets) s group by s.deployment_id
    ), held as (
      select m.deployment_id, min(m.until) as until, bool_or(m.makeable > 0) as is_makeable, (array_agg(m.reason order by m.reason = 'RestartBackOff', m.revision desc) filter (where m.reason is not null))[1] as reason,
             (array_agg(m.message order by m.reason = 'RestartBackOff', m.revision desc) filter (where m.message is not null))[1] as message
      from stark_internal.missing_pods(p_sets, p_now) m group by m.deployment_id
    ), facts as (
      select d.id, d.revision, t.replicas, t.needed, t.is_daemon, d.rollout_paused, d.paused, d.deletion_requested_at, d.reconcile_errors, d.progress_deadline_seconds, d.canary_steps,
             r.status as rollout, r.status_reason as failure, r.status_message as failure_message, r.cause, r.version, r.waited, r.step, r.step_waited, r.change_cause,
             t.may_not, t.goal, t.least, t.is_frozen or t.may_not is not null as stands_still, coalesce(s.available, 0) as available, x.live, x.dark, x.stopping, x.unplaced, x.due_at,
             coalesce(h.is_makeable, false) as is_makeable, h.until, h.reason as held, h.message as held_message,
             v.state = 'withdrawn' as is_withdrawn, t.is_recreate,
             case when t.is_daemon then coalesce(s.available, 0) >= t.needed and (t.needed > 0 or t.replicas = 0) and x.live - x.dark <= coalesce(s.live, 0) - coalesce(s.dark, 0)
               else coalesce(s.available, 0) >= t.replicas and x.live = coalesce(s.live, 0) and coalesce(s.live, 0) = t.replicas and t.goal >= t.replicas end as is_complete,
             coalesce(s.available, 0) >= t.goal and t.goal < t.replicas and d.canary_steps -> r.step ? 'pause' as at_pause,
             stark_internal.leaving_pods(d.id) as leaving
      from stark.deployments d
      join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
      join stark.pack_versions v on v.id = r.pack_version_id
      -- offset 0: asked once for each, since rights are dear.
      join (select e.* from stark_internal.rollout_terms e where e.deployment_id in (select x.deployment_id from totals x) offset 0) t on t.deployment_id = d.id
      join totals x on x.deployment_id = d.id
      left join unnest(p_sets) s on s.deployment_id = d.id and s.template_hash = t.target_hash
      left join held h on h.deployment_id = d.id
    ), said as (
      select f.*, case
          when f.deletion_requested_at is not null then 'Deleting'
          when f.paused then 'DeploymentPaused'
          when f.may_not is not null then f.may_not
          when f.rollout = 'failed' then f.failure
          when f.is_complete and f.is_withdrawn then 'VersionWithdrawn'
          when f.is_complete and f.cause = 'rollback' then 'RolledBack'
          when f.is_complete then 'AsWanted'
          when f.rollout_paused then 'RolloutPaused'
          when f.at_pause then 'CanaryPause'
          when f.held is not null then f.held
          when f.is_withdrawn then 'VersionWithdrawn'
          when f.leaving > 0 then 'NodeDraining'
          when (f.is_recreate or f.is_daemon) and f.stopping > 0 then 'WaitingForStops'
          when f.unplaced > 0 then 'Unschedulable'
          when f.dark > 0 then 'NodesNotHealthy'
          else 'Progressing' end as reason
      from facts f
    )
    select s.id, s.reason, case s.reason
        when 'AsWanted' then case when s.is_daemon and s.replicas = 0 then 'no node fits' else format('runs %s', s.version) end
        when 'NodeDraining' then format('%s pods wait for their replacements to leave nodes that are drained', s.leaving)
        when 'RolledBack' then format('runs %s again: %s', s.version, s.change_cause)
        when 'CanaryPause' then format('stands at step %s of its canary', s.step + 1)
        when 'Unschedulable' then (
          select 'pods fit on no node: ' || p.status_message from stark.pods p
          where p.deployment_id = s.id and p.finished_at is null and p.status = 'pending' and p.status_reason = 'Unschedulable' order by p.created_at, p.id limit 1)
        when 'Deleting' then 'its pods are stopping'
        when 'VersionWithdrawn' then format('version %s was withdrawn', s.version)
        when 'Progressing' then 'is on the way to ' || s.version
        else coalesce(s.failure_message, s.held_message, (select e.description from stark.deployment_reasons e where e.reason = s.reason)) end,
      case
        -- What one transaction could not make any more is made by the next.
        when s.is_makeable and not s.stands_still then p_now
        when s.reason = 'Deleting' then p_now + case when s.live > 0 then interval '0' else interval '1 minute' end
        when s.paused then p_now + interval '1 hour'
        else least(p_now + interval '1 hour', s.due_at, s.until,
          case when s.rollout = 'progressing' and s.needed > 0 then p_now + interval '1 minute' end,
          case when s.rollout = 'progressing' and s.needed > 0 and not s.rollout_paused and not s.at_pause then p_now + greatest(interval '0', s.progress_deadline_seconds * interval '1 second' - s.waited) end,
          case when s.at_pause then p_now + greatest(interval '0', stark_internal.seconds_of(s.canary_steps -> s.step -> 'pause') * interval '1 second' - s.step_waited) end,
          (select min(greatest(p_now, least(b.blocked_until, p_now + interval '1 minute'))) from stark_internal.blocked_versions b where b.deployment_id = s.id and b.blocked_until > p_now)) end,
      s.replicas, s.least, s.stands_still
    from said s;
end;
$$;
comment on function stark_internal.deployment_words(stark_internal.revision_set[], timestamptz) is 'What deployments say of themselves.';
revoke all on function stark_internal.deployment_words(stark_internal.revision_set[], timestamptz) from public, anon;

/** stark_internal.merge_conditions(before, after, now) -> conditions, each with the time at which its status changed last. */
create function stark_internal.merge_conditions(p_before jsonb, p_after jsonb, p_now timestamptz)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return (
    select jsonb_agg(a.item || jsonb_build_object('lastTransitionTime', coalesce((
        select b -> 'lastTransitionTime' from jsonb_array_elements(p_before) b where b ->> 'type' = a.item ->> 'type' and b ->> 'status' = a.item ->> 'status'), to_jsonb(p_now))) order by a.ord)
    from jsonb_array_elements(p_after) with ordinality as a (item, ord));
end;
$$;
comment on function stark_internal.merge_conditions(jsonb, jsonb, timestamptz) is 'Conditions with the times of their last change.';
revoke all on function stark_internal.merge_conditions(jsonb, jsonb, timestamptz) from public, anon;

/** stark_internal.conditions_of(deployment, word, budget) -> Available, Progressing and ReplicaFailure by Kubernetes' rules. */
create function stark_internal.conditions_of(p_available bigint, p_least bigint, p_status text, p_reason text, p_message text)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return (
    select jsonb_build_array(
        jsonb_build_object('type', 'Available', 'status', case when p_available >= p_least then 'True' else 'False' end,
          'reason', case when p_available >= p_least then 'MinimumReplicasAvailable' else 'MinimumReplicasUnavailable' end),
        jsonb_build_object('type', 'Progressing', 'status', case p_status when 'failed' then 'False' when 'paused' then 'Unknown' else 'True' end, 'reason', p_reason, 'message', p_message))
      || case when p_reason in ('QuotaExceeded', 'LimitRangeViolated', 'Forbidden', 'OwnerGone', 'VersionWithdrawn', 'ReconcileError')
           then jsonb_build_array(jsonb_build_object('type', 'ReplicaFailure', 'status', 'True', 'reason', p_reason, 'message', p_message)) else '[]' end);
end;
$$;
comment on function stark_internal.conditions_of(bigint, bigint, text, text, text) is 'The conditions of a deployment.';
revoke all on function stark_internal.conditions_of(bigint, bigint, text, text, text) from public, anon;

/** stark_internal.scaling_conditions(autoscale, conditions) -> of conditions those that the autoscaler has written; none where there is no autoscaler any more. */
create function stark_internal.scaling_conditions(p_autoscale jsonb, p_conditions jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select coalesce(jsonb_agg(c.item - 'lastTransitionTime' order by c.ord), '[]')
  from jsonb_array_elements(p_conditions) with ordinality as c (item, ord)
  where p_autoscale is not null and c.item ->> 'type' in ('AbleToScale', 'ScalingActive', 'ScalingLimited', 'ScaledToZero');
$$;
comment on function stark_internal.scaling_conditions(jsonb, jsonb) is 'The conditions that an autoscaler has written.';
revoke all on function stark_internal.scaling_conditions(jsonb, jsonb) from public, anon;

/** stark_internal.settle_deployments(sets, now): counts, reason and conditions are written where they differ, and when the next look is. The sets are counted after all was done. */
create function stark_internal.settle_deployments(p_sets stark_internal.revision_set[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  update stark.deployment_revisions r set current_replicas = s.live, ready_replicas = s.ready, available_replicas = s.available
    from unnest(p_sets) s
    where r.deployment_id = s.deployment_id and r.revision = s.revision
      and (r.current_replicas, r.ready_replicas, r.available_replicas) is distinct from (s.live, s.ready, s.available);
  update stark.deployments d set
      current_replicas = c.live, updated_replicas = c.updated, ready_replicas = c.ready, available_replicas = c.available,
      unavailable_replicas = greatest(0, w.replicas - c.available), desired_replicas = case when w.stands_still then d.desired_replicas else w.replicas end,
      observed_generation = d.generation, status = e.status, status_reason = w.reason, status_message = left(w.message, 1024),
      conditions = stark_internal.merge_conditions(d.conditions, stark_internal.conditions_of(c.available, w.least, e.status, w.reason, left(w.message, 1024))
        || case when d.autoscale is null then '[]' else stark_internal.scaling_conditions(d.autoscale, d.conditions) end, p_now),
      reconciled_at = p_now, reconcile_errors = 0,
      -- Where nothing is due within the hour, the time that stands there is left, so that no index hears of a look that changes nothing.
      next_reconcile_at = case when w.due_at = p_now + interval '1 hour' and d.next_reconcile_at between p_now + interval '30 minutes' and w.due_at
        then d.next_reconcile_at else w.due_at end
    from (
      select s.deployment_id, sum(s.live) as live, sum(s.ready) as ready, sum(s.available) as available,
             coalesce(sum(s.live) filter (where s.revision = e.revision), 0) as updated
      from unnest(p_sets) s join stark.deployments e on e.id = s.deployment_id group by s.deployment_id) c
    join stark_internal.deployment_words(p_sets, p_now) w using (deployment_id)
    join stark.deployment_reasons e on e.reason = w.reason
    where d.id = c.deployment_id;
end;
$$;
comment on function stark_internal.settle_deployments(stark_internal.revision_set[], timestamptz) is 'Writes the controller''s word about deployments.';
revoke all on function stark_internal.settle_deployments(stark_internal.revision_set[], timestamptz) from public, anon;

-- Cleaning up -----------------------------------------------------------------------------------------------------------

/**
 * stark_internal.clean_up_deployments(ids, now): pods of theirs that have ended go, but for the last three of each that failed, which stay a day;
 * so do revisions that are neither wanted nor a way back, nor among the last of their history.
 */
create function stark_internal.clean_up_deployments(p_ids uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  -- Asked first, as most looks find none.
  if exists (select from stark.pods p where p.deployment_id = any (p_ids) and p.finished_at is not null and p.deletion_requested_at is null) then
    update stark.pods p set deletion_requested_at = p_now
      from (
        select o.id, o.status, o.finished_at, row_number() over (partition by o.deployment_id, o.status = 'failed' order by o.finished_at desc, o.id) as nth
        from stark.pods o where o.deployment_id = any (p_ids) and o.finished_at is not null) o
      where p.id = o.id and p.deletion_requested_at is null
        and (o.status <> 'failed' or o.nth > 3 or o.finished_at < p_now - interval '1 day');
    if found then
      perform stark_internal.remove_ended_pods();
    end if;
  end if;
  delete from stark_internal.managed_counts c where c.deployment_id = any (p_ids) and (c.live, c.stopping) = (0, 0);
  if exists (
    select from stark.deployments d where d.id = any (p_ids)
      and (select count(*) from stark.deployment_revisions r where r.deployment_id = d.id) > d.revision_history_limit + 1) then
    delete from stark.deployment_revisions r using (
        select h.deployment_id, h.revision,
               row_number() over (partition by h.deployment_id order by h.revision desc) - 1 as age
        from stark.deployment_revisions h where h.deployment_id = any (p_ids)) h, stark.deployments d
      where r.deployment_id = h.deployment_id and r.revision = h.revision and d.id = r.deployment_id
        and h.age > d.revision_history_limit and r.wanted = 0
        and r.revision <> coalesce(stark_internal.way_back(d.id, d.revision), 0)
        and not exists (select from stark.pods p where p.deployment_id = r.deployment_id and p.revision = r.revision and p.finished_at is null);
  end if;
end;
$$;
comment on function stark_internal.clean_up_deployments(uuid[], timestamptz) is 'Removes ended pods and old revisions of deployments.';
revoke all on function stark_internal.clean_up_deployments(uuid[], timestamptz) from public, anon;

/**
 * stark_internal.empty_deployments(ids, now): of those that are to go, pods stop with their grace, those of nodes that are offline, and all where it
 * was forced, are evicted; a transaction's worth of them. A deployment without unfinished pods goes, with the pods that have ended.
 */
create function stark_internal.empty_deployments(p_ids uuid[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_leaving uuid[];
begin
  -- Asked first, as most looks find none: a statement that writes nothing fires its triggers all the same.
  if exists (select from stark.namespaces n where n.phase = 'terminating') then
    update stark.deployments d set deletion_requested_at = p_now
      from stark.namespaces n where n.name = d.namespace and n.phase = 'terminating' and d.id = any (p_ids) and d.deletion_requested_at is null;
  end if;
  if not exists (select from stark.deployments d where d.id = any (p_ids) and d.deletion_requested_at is not null) then
    return;
  end if;
  v_leaving := array(
    select p.id from stark.pods p join stark.deployments d on d.id = p.deployment_id
    where d.id = any (p_ids) and d.deletion_requested_at is not null and p.finished_at is null and (p.deletion_requested_at is null or d.deletion_forced)
    order by p.deployment_id, p.id limit stark_internal.call_limit('managed_pods'));
  update stark.pods p set status = 'evicted', status_reason = 'DeploymentDeleted', status_message = 'deployment ' || d.name, ready = false,
      stop_requested_at = coalesce(p.stop_requested_at, p_now), finished_at = p_now
    from stark.deployments d
    where d.id = p.deployment_id and p.id = any (v_leaving) and stark_internal.occupies(p.status)
      and (d.deletion_forced or exists (select from stark.nodes n where n.id = p.node_id and n.status in ('offline', 'unknown')));
  perform stark_internal.begin_stop(v_leaving, p_now, p_deletes => true);
  update stark.pods p set deletion_requested_at = p_now
    from stark.deployments d where d.id = any (p_ids) and d.deletion_requested_at is not null and p.deployment_id = d.id and p.finished_at is not null and p.deletion_requested_at is null;
  perform stark_internal.remove_ended_pods();
  delete from stark.deployments d
    where d.id = any (p_ids) and d.deletion_requested_at is not null
      and not exists (select from stark.pods p where p.deployment_id = d.id and p.finished_at is null);
  if found then
    perform stark_internal.remove_emptied_namespaces();
  end if;
end;
$$;
comment on function stark_internal.empty_deployments(uuid[], timestamptz) is 'Removes deployments that are to go, with their pods.';
revoke all on function stark_internal.empty_deployments(uuid[], timestamptz) from public, anon;

-- Reconcile -------------------------------------------------------------------------------------------------------------

/** stark_internal.reconcile_set(ids, now) -> how many pods were made. What goes wrong is raised. */
create function stark_internal.reconcile_set(p_ids uuid[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
  v_counted stark_internal.revision_set[];
  v_sets stark_internal.revision_set[];
  v_made integer := 0;
  v_more integer;
  v_stopped integer;
  v_replanned boolean;
  v_daemons record;
  v_these record;
begin
  perform stark_internal.empty_deployments(p_ids, p_now);
  -- Asked in one statement: most looks find nothing of it.
  select coalesce(array_agg(d.id), '{}') as ids, coalesce(bool_or(r.status = 'progressing'), false) as are_rolling,
         coalesce(bool_or(d.follow_latest or exists (select from stark_internal.blocked_versions b where b.deployment_id = d.id)), false) as are_following,
         coalesce(bool_or(d.mode = 'daemon' or exists (select from stark_internal.daemon_fits f where f.deployment_id = d.id)), false) as are_daemons
    into v_these
    from stark.deployments d left join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision
    where d.id = any (p_ids);
  v_ids := v_these.ids;
  v_counted := array(select s from stark_internal.count_revisions(v_ids, p_now) s);
  if v_these.are_rolling then
    perform stark_internal.observe_rollouts(v_counted, p_now);
    perform stark_internal.fail_rollouts(v_counted, p_now);
    v_counted := null;
  end if;
  -- A rollout that has failed just now has blocked its version.
  if v_these.are_following or (v_these.are_rolling and exists (select from stark_internal.blocked_versions b where b.deployment_id = any (v_ids))) then
    perform stark_internal.follow_versions(v_ids, p_now);
    v_counted := null;
  end if;
  if v_these.are_daemons then
    perform stark_internal.fit_daemons(v_ids);
    v_counted := null;
  end if;
  if v_counted is null or exists (select from unnest(v_counted) s where s.unplaced > 0) then
    v_made := stark_internal.forgive_nodes(v_ids);
    v_counted := case when v_made = 0 then v_counted end;
  end if;
  -- What stops leaves room for what is made, so it is planned again until nothing is left to do. It is counted again when something was done:
  -- most looks find nothing, and a report on one pod pays for each of them.
  for step in 1 .. 6 loop
    v_counted := coalesce(v_counted, array(select c from stark_internal.count_revisions(v_ids, p_now) c));
    v_sets := array(select s from stark_internal.plan_revisions(v_counted) s);
    v_replanned := exists (
      select from unnest(v_sets) s join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision where r.wanted <> s.wanted);
    if v_replanned then
      update stark.deployment_revisions r set wanted = s.wanted
        from unnest(v_sets) s where r.deployment_id = s.deployment_id and r.revision = s.revision and r.wanted <> s.wanted;
    end if;
    v_stopped := stark_internal.stop_surplus(v_sets, p_now);
    v_more := stark_internal.make_missing(v_sets, p_now);
    v_daemons := stark_internal.run_daemons(v_counted, p_now);
    v_stopped := v_stopped + v_daemons.stopped + stark_internal.evict_from_draining(v_counted, p_now);
    v_more := v_more + v_daemons.made;
    v_replanned := v_replanned or v_daemons.replanned;
    v_made := v_made + v_more;
    exit when v_stopped = 0 and v_more = 0 and not v_replanned;
    v_counted := null;
    -- It was shared out to the live revisions by now, and is not a second time.
    update stark.deployments d set desired_replicas = t.replicas from stark_internal.rollout_terms t
      where t.deployment_id = d.id and d.id = any (v_ids) and d.desired_replicas <> t.replicas and not t.is_frozen and t.may_not is null;
  end loop;
  perform stark_internal.clean_up_deployments(v_ids, p_now);
  v_sets := coalesce(v_counted, array(select s from stark_internal.count_revisions(v_ids, p_now) s));
  perform stark_internal.finish_rollouts(v_sets, p_now);
  perform stark_internal.settle_deployments(v_sets, p_now);
  return v_made;
end;
$$;
comment on function stark_internal.reconcile_set(uuid[], timestamptz) is 'One look at a set of deployments.';
revoke all on function stark_internal.reconcile_set(uuid[], timestamptz) from public, anon;

/** stark_internal.note_reconcile_error(id, code, message, now): the deployment says what went wrong, and is looked at again after 10 seconds, doubling to five minutes. */
create function stark_internal.note_reconcile_error(p_id uuid, p_message text, p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  update stark.deployments d set
      status = 'progressing', status_reason = 'ReconcileError', status_message = left(p_message, 1024),
      conditions = stark_internal.merge_conditions(d.conditions, stark_internal.conditions_of(d.available_replicas, d.desired_replicas, 'progressing', 'ReconcileError', left(p_message, 1024))
        || stark_internal.scaling_conditions(d.autoscale, d.conditions), p_now),
      reconcile_errors = d.reconcile_errors + 1, reconciled_at = p_now,
      next_reconcile_at = p_now + least(interval '5 minutes', interval '10 seconds' * (2 ^ least(d.reconcile_errors, 10)))
    where d.id = p_id;
end;
$$;
comment on function stark_internal.note_reconcile_error(uuid, text, timestamptz) is 'Notes what went wrong with a deployment.';
revoke all on function stark_internal.note_reconcile_error(uuid, text, timestamptz) from public, anon;

/**
 * stark_internal.reconcile_deployments(ids, now) -> how many pods were made: one look at these deployments. Idempotent. What goes wrong with one
 * costs that one alone, and never what its caller has written: where a look at all of them fails, each is looked at by itself.
 * The cluster lock is held.
 */
create function stark_internal.reconcile_deployments(p_ids uuid[], p_now timestamptz default now())
returns integer
language plpgsql
security definer
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_origin text := pg_catalog.current_setting('stark.origin', true);
  v_id uuid;
  v_made integer := 0;
begin
  -- Definer: it runs at the end of whatever a caller wrote, and acts with the rights of each deployment's own user. No API role may call it.
  perform pg_catalog.set_config('stark.origin', 'controller', true), pg_catalog.set_config('stark.reconciling', 'yes', true);
  begin
    v_made := stark_internal.reconcile_set(p_ids, p_now);
  exception when others then
    foreach v_id in array p_ids loop
      begin
        v_made := v_made + stark_internal.reconcile_set(array[v_id], p_now);
      exception when others then
        perform stark_internal.note_reconcile_error(v_id, case when sqlstate = 'PGRST' then sqlerrm::jsonb ->> 'message' else sqlerrm end, p_now);
      end;
    end loop;
  end;
  perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true), pg_catalog.set_config('stark.reconciling', '', true);
  return v_made;
end;
$$;
comment on function stark_internal.reconcile_deployments(uuid[], timestamptz) is 'One look at a set of deployments; an error costs one of them.';
revoke all on function stark_internal.reconcile_deployments(uuid[], timestamptz) from public, anon;

-- When to look ----------------------------------------------------------------------------------------------------------

/**
 * stark_internal.work_off_notes(now): takes all notes, looks at these deployments, and places what was made; five times at most, since what happens
 * meanwhile notes again. What is left then is due at once. Functions that write call it at their end; where stark.defer_notes says so many of
 * them are called in turn, and their caller calls it once for all.
 */
create function stark_internal.work_off_notes(p_now timestamptz default stark_internal.controller_time())
returns void
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
begin
  -- Definer: any writer's transaction ends with it. No API role may call it.
  if pg_catalog.current_setting('stark.defer_notes', true) = 'yes' then
    return;
  end if;
  for round in 1 .. 6 loop
    with taken as (delete from stark_internal.deployments_to_reconcile n where true returning n.deployment_id)
    select array_agg(t.deployment_id order by t.deployment_id) into v_ids from taken t;
    exit when v_ids is null;
    perform stark_internal.lock_cluster();
    if round = 6 then
      update stark.deployments d set next_reconcile_at = least(d.next_reconcile_at, d.reconciled_at, p_now) where d.id = any (v_ids);
    elsif stark_internal.reconcile_deployments(v_ids, p_now) > 0 then
      perform stark_internal.schedule_pods(p_retry => false, p_now => p_now);
    end if;
  end loop;
end;
$$;
comment on function stark_internal.work_off_notes(timestamptz) is 'Looks at the deployments that something has happened to.';
revoke all on function stark_internal.work_off_notes(timestamptz) from public, anon;

/** stark_internal.work_off_at_commit(): deferred trigger on the notes; for writers that did not work them off. */
create function stark_internal.work_off_at_commit()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: any writer's transaction ends with it. Only a trigger can call it.
  if exists (select from stark_internal.deployments_to_reconcile) then
    perform stark_internal.work_off_notes();
  end if;
  return null;
end;
$$;
comment on function stark_internal.work_off_at_commit() is 'Works the notes off at the end of a transaction.';
revoke all on function stark_internal.work_off_at_commit() from public, anon;

create constraint trigger _900_work_off_at_commit after insert on stark_internal.deployments_to_reconcile
  deferrable initially deferred for each row execute function stark_internal.work_off_at_commit();

/** stark_internal.reconcile_due(now) -> how many deployments were looked at because their time has come, 50 at most. Locks: the cluster lock, when there is one. */
create function stark_internal.reconcile_due(p_now timestamptz default stark_internal.controller_time())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[] := array(select d.id from stark.deployments d where d.next_reconcile_at <= p_now order by d.next_reconcile_at, d.id limit 50);
begin
  if v_ids = '{}' then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.note_deployments(v_ids);
  perform stark_internal.work_off_notes(p_now);
  return cardinality(v_ids);
end;
$$;
comment on function stark_internal.reconcile_due(timestamptz) is 'Looks at deployments whose time has come.';
revoke all on function stark_internal.reconcile_due(timestamptz) from public, anon;

-- What notes ------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.note_changed_pods(): statement trigger on pods; notes the deployments of pods that became ready or not, that stop or have ended,
 * or found no node, and those that waited for the quota that ended pods have left. A run that ended by itself is noted too.
 */
create function stark_internal.note_changed_pods()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_time timestamptz := stark_internal.controller_time();
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'DELETE' then
    if exists (select from old_rows o where o.deployment_id is not null) then
      perform stark_internal.note_deployments(array(
        select distinct o.deployment_id from old_rows o join stark.deployments d on d.id = o.deployment_id
        where o.finished_at is null or d.deletion_requested_at is not null));
    end if;
    return null;
  end if;
  if exists (select from new_rows n where n.deployment_id is not null) then
    insert into stark_internal.failed_runs (deployment_id, revision, pod_id, node_id, failed_at, for_good, was_ready_since, message)
      select n.deployment_id, n.revision, n.id, n.node_id, v_time, n.status = 'failed', o.ready_at, left(n.status_message, 512)
      from old_rows o join new_rows n using (id)
      where n.deployment_id is not null and o.status <> 'stopping'
        and ((n.status = 'failed' and o.status <> 'failed' and n.node_id is not null and n.status_reason is distinct from 'NodeShutdown')
          or (n.status = 'starting' and n.status_reason = 'CrashLoopBackOff'
              and (o.status, o.status_reason, o.status_message) is distinct from (n.status, n.status_reason, n.status_message)));
    perform stark_internal.note_deployments(array(
      select distinct n.deployment_id from old_rows o join new_rows n using (id)
      where n.deployment_id is not null
        and (o.ready <> n.ready or o.finished_at is distinct from n.finished_at
          or (o.status = 'stopping') <> (n.status = 'stopping')
          or ((o.status_reason, o.status_message) is distinct from (n.status_reason, n.status_message) and 'CrashLoopBackOff' in (o.status_reason, n.status_reason))
          -- Why it fits nowhere is the deployment's word, too.
          or (o.status = 'pending' and 'Unschedulable' in (o.status_reason, n.status_reason) and (o.status_reason, o.status_message) is distinct from (n.status_reason, n.status_message)))));
  end if;
  if exists (select from stark.deployments d where d.status_reason = 'QuotaExceeded') then
    perform stark_internal.note_deployments(array(
      select d.id from stark.deployments d
      where d.status_reason = 'QuotaExceeded' and d.namespace in (
        select n.namespace from old_rows o join new_rows n using (id) where o.finished_at is null and n.finished_at is not null)));
  end if;
  return null;
end;
$$;
comment on function stark_internal.note_changed_pods() is 'Notes the deployments of pods that have changed.';
revoke all on function stark_internal.note_changed_pods() from public, anon;

create trigger _700_note_deployments_of_changed after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_pods();
create trigger _700_note_deployments_of_deleted after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.note_changed_pods();

/** stark_internal.note_changed_nodes(): statement trigger on nodes; a node that became healthy or is so no longer notes the deployments of its pods. */
create function stark_internal.note_changed_nodes()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_nodes uuid[] := array(select n.id from old_rows o join new_rows n using (id) where o.status <> n.status);
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if v_nodes <> '{}' then
    perform stark_internal.note_deployments(array(
      select distinct p.deployment_id from stark.pods p where p.node_id = any (v_nodes) and p.deployment_id is not null and p.finished_at is null));
  end if;
  return null;
end;
$$;
comment on function stark_internal.note_changed_nodes() is 'Notes the deployments of pods on nodes that have changed.';
revoke all on function stark_internal.note_changed_nodes() from public, anon;

create trigger _700_note_deployments after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_nodes();

/** stark_internal.note_changed_bounds(): statement trigger on namespaces; another quota, limit range or phase notes the namespace's deployments. */
create function stark_internal.note_changed_bounds()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: a caller that changes a namespace may not see its deployments. Only a trigger can call it.
  perform stark_internal.note_deployments(array(
    select d.id from old_rows o join new_rows n using (name) join stark.deployments d on d.namespace = n.name
    where (o.quota, o.limit_range, o.phase) is distinct from (n.quota, n.limit_range, n.phase)));
  return null;
end;
$$;
comment on function stark_internal.note_changed_bounds() is 'Notes the deployments of namespaces whose bounds have changed.';
revoke all on function stark_internal.note_changed_bounds() from public, anon;

create trigger _700_note_deployments after update on stark.namespaces
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_bounds();

/** stark_internal.note_changed_versions(): statement trigger on pack_versions; one that became ready, or was withdrawn, notes the deployments of its pack. */
create function stark_internal.note_changed_versions()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: a publisher may not see who deploys the pack. Only a trigger can call it.
  perform stark_internal.note_deployments(array(
    select distinct d.id from old_rows o join new_rows n using (id) join stark.deployments d on d.pack_id = n.pack_id where o.state <> n.state));
  return null;
end;
$$;
comment on function stark_internal.note_changed_versions() is 'Notes the deployments of packs that have a new version.';
revoke all on function stark_internal.note_changed_versions() from public, anon;

create trigger _700_note_deployments after update on stark.pack_versions
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_versions();

/** stark_internal.note_changed_packs(): statement trigger on packs; another visibility or owner notes the pack's deployments. */
create function stark_internal.note_changed_packs()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: a pack's owner may not see who deploys it. Only a trigger can call it.
  perform stark_internal.note_deployments(array(
    select d.id from old_rows o join new_rows n using (id) join stark.deployments d on d.pack_id = n.id
    where (o.visibility, o.owner_id) is distinct from (n.visibility, n.owner_id)));
  return null;
end;
$$;
comment on function stark_internal.note_changed_packs() is 'Notes the deployments of packs that other people may use now.';
revoke all on function stark_internal.note_changed_packs() from public, anon;

create trigger _700_note_deployments after update on stark.packs
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_packs();

/** stark_internal.note_changed_rights(): statement trigger on bindings, permissions and profiles; notes the deployments that act with the rights of those concerned. */
create function stark_internal.note_changed_rights()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_users uuid[];
begin
  -- Definer: Supabase Auth's own role removes users, whose bindings go with them. Only a trigger can call it.
  if tg_table_name = 'profiles' then
    v_users := array(select n.id from old_rows o join changed_rows n using (id) where o.disabled_at is distinct from n.disabled_at);
  elsif tg_table_name = 'role_permissions' then
    v_users := array(
      select b.user_id from stark.role_bindings b join stark.roles r on r.name = b.role where coalesce(r.alias_of, r.name) in (select c.role from changed_rows c));
  else
    v_users := array(select c.user_id from changed_rows c);
  end if;
  if v_users <> '{}' then
    perform stark_internal.note_deployments(array(
      select d.id from stark.deployments d where d.acts_as = any (v_users)
      union select r.deployment_id from stark.deployment_revisions r where r.created_by = any (v_users) and r.wanted > 0));
  end if;
  return null;
end;
$$;
comment on function stark_internal.note_changed_rights() is 'Notes the deployments of users whose rights have changed.';
revoke all on function stark_internal.note_changed_rights() from public, anon;

create trigger _700_note_deployments_of_new after insert on stark.role_bindings
  referencing new table as changed_rows for each statement execute function stark_internal.note_changed_rights();
create trigger _700_note_deployments_of_deleted after delete on stark.role_bindings
  referencing old table as changed_rows for each statement execute function stark_internal.note_changed_rights();
create trigger _700_note_deployments_of_new after insert on stark.role_permissions
  referencing new table as changed_rows for each statement execute function stark_internal.note_changed_rights();
create trigger _700_note_deployments_of_deleted after delete on stark.role_permissions
  referencing old table as changed_rows for each statement execute function stark_internal.note_changed_rights();
create trigger _700_note_deployments after update on stark.profiles
  referencing old table as old_rows new table as changed_rows for each statement execute function stark_internal.note_changed_rights();

/** stark_internal.note_changed_deployments(): statement trigger on deployments; new ones, and those of which something else is wanted, note themselves. */
create function stark_internal.note_changed_deployments()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    perform stark_internal.note_deployments(array(select n.id from new_rows n));
  else
    perform stark_internal.note_deployments(array(
      select n.id from old_rows o join new_rows n using (id) where o.generation <> n.generation or o.acts_as is distinct from n.acts_as or o.revision <> n.revision));
  end if;
  return null;
end;
$$;
comment on function stark_internal.note_changed_deployments() is 'Notes deployments of which something else is wanted.';
revoke all on function stark_internal.note_changed_deployments() from public, anon;

create trigger _700_note_new after insert on stark.deployments
  referencing new table as new_rows for each statement execute function stark_internal.note_changed_deployments();
create trigger _700_note_changed after update on stark.deployments
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_changed_deployments();
