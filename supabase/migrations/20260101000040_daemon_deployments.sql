-- Daemon mode: one pod on every node that fits, instead of a count. Which nodes fit is worked out when nodes, rights or the template change, and
-- kept; what each of them shall have is decided node by node, where the plan of counted pods decides by numbers.
--
--   fits (name, runtime, access, selector, affinity, taints) ──► places ──► stop (no longer fits, old within the budget) ──► make (where nothing is left)
--
-- Not asked are room, other pods, health and cordon: a pod of a node that is not healthy stays, and one that has no room waits for it.

-- What is asked for -----------------------------------------------------------------------------------------------------

/** stark_internal.daemon_problem(manifest) -> what a deployment of daemon mode must not say; null when it says nothing of that, or has another mode. */
create function stark_internal.daemon_problem(p_manifest jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case
    when p_manifest ->> 'mode' is distinct from 'daemon' then null
    when p_manifest ? 'replicas' then 'replicas goes with mode replicated: daemon mode has one pod on every node that fits'
    when p_manifest #>> '{strategy,type}' = 'Recreate' then 'strategy Recreate goes with mode replicated'
    when coalesce(rtrim(p_manifest #>> '{strategy,maxSurge}', '%'), '0')::integer > 0 then 'maxSurge goes with mode replicated: daemon mode has one pod on a node'
    when coalesce(rtrim(p_manifest #>> '{strategy,maxUnavailable}', '%'), '1')::integer = 0 then 'maxUnavailable must not be 0 in daemon mode'
    when coalesce(p_manifest #> '{canary,steps}', '[]') <> '[]' then 'canary goes with mode replicated'
  end;
end;
$$;
comment on function stark_internal.daemon_problem(jsonb) is 'What a deployment of daemon mode must not say.';
revoke all on function stark_internal.daemon_problem(jsonb) from public, anon;

/** stark_internal.in_mode(template, mode) -> the template as it stands in a revision: a pod that is made for a node is another pod, so the mode is part of it. */
create function stark_internal.in_mode(p_template jsonb, p_mode text)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select (p_template - 'mode') || case when p_mode = 'daemon' then '{"mode": "daemon"}' else '{}' end::jsonb;
$$;
comment on function stark_internal.in_mode(jsonb, text) is 'A template as a deployment of this mode has it.';
revoke all on function stark_internal.in_mode(jsonb, text) from public, anon;

/** stark_internal.change_mode(deployment as it was, mode, change cause): the present template in another mode is the newest revision, with the rights that it has. */
create function stark_internal.change_mode(p_before stark.deployments, p_mode text, p_change_cause text)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  if p_before.mode <> p_mode then
    perform stark_internal.add_revision(r.deployment_id, stark_internal.in_mode(r.template, p_mode), s.secrets, r.pack_version_id, 'update',
        coalesce(p_change_cause, 'mode ' || p_mode), p_before.acts_as, stark_internal.controller_time())
      from stark.deployment_revisions r join stark_internal.revision_secrets s using (deployment_id, revision)
      where r.deployment_id = p_before.id and r.revision = p_before.revision;
  end if;
end;
$$;
comment on function stark_internal.change_mode(stark.deployments, text, text) is 'Makes the present template the newest revision in another mode.';
revoke all on function stark_internal.change_mode(stark.deployments, text, text) from public, anon;

/** stark_internal.daemon_spec(spec) -> the spec of a pod that stays with its node: it tolerates that the node is not reachable, and that it is cordoned. First, since the first toleration that fits decides. */
create function stark_internal.daemon_spec(p_spec jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select p_spec || jsonb_build_object('tolerations', '[
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]'::jsonb || coalesce((
      select jsonb_agg(t.item order by t.ord) from jsonb_array_elements(p_spec -> 'tolerations') with ordinality as t (item, ord) where t.ord <= 62), '[]'));
$$;
comment on function stark_internal.daemon_spec(jsonb) is 'The spec of a pod that stays with its node.';
revoke all on function stark_internal.daemon_spec(jsonb) from public, anon;

-- Which nodes fit -------------------------------------------------------------------------------------------------------

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/**
 * stark_internal.fitting_nodes(deployment, revision) -> the nodes that a pod of this revision may be on, whatever room, other pods, health and cordon
 * say; by the scheduler's own filters. Uses the working table of nodes, which is filled.
 */
create function stark_internal.fitting_nodes(p_deployment_id uuid, p_revision bigint)
returns setof uuid
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_group stark_internal.pod_group;
begin
  delete from pg_temp.pass_pods where true;
  insert into pg_temp.pass_pods
    select d.id, (r.template ->> 'priority')::integer, now(), r.pack_version_id, d.namespace, r.template -> 'labels',
           stark_internal.placement_template(stark_internal.daemon_spec(stark_internal.with_ports(r.template -> 'spec', r.pack_version_id))), null, null, null, false, null, 0, 0, 0, false, stark_internal.maker_of_pods(d, r)
    from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = p_revision
    where d.id = p_deployment_id;
  perform stark_internal.load_makers();
  select (g.pod_group).* into v_group from stark_internal.pending_groups() g;
  return query
    select n.node_id from pg_temp.pass_nodes n
    where n.node_no not in (
      select f.node_no from stark_internal.filter_runtime(v_group) f
      union all select f.node_no from stark_internal.filter_acceptance(v_group) f
      union all select f.node_no from stark_internal.filter_pack_access(v_group) f
      union all select f.node_no from stark_internal.filter_node_name(v_group) f
      union all select f.node_no from stark_internal.filter_node_selector(v_group) f
      union all select f.node_no from stark_internal.filter_node_affinity(v_group) f
      union all select f.node_no from stark_internal.filter_taints(v_group) f);
end;
$$;
comment on function stark_internal.fitting_nodes(uuid, bigint) is 'The nodes that fit a revision of a deployment of daemon mode.';
revoke all on function stark_internal.fitting_nodes(uuid, bigint) from public, anon;

/**
 * stark_internal.fit_daemons(ids): works out which nodes fit those of these deployments that are of daemon mode, where something has changed since it
 * was done last: the template that is on its way, whose rights it has, or nodes and rights as the triggers below note. What is frozen keeps its nodes.
 */
create function stark_internal.fit_daemons(p_ids uuid[])
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_daemon record;
  v_nodes uuid[];
  v_is_loaded boolean := false;
begin
  delete from stark_internal.daemon_fits f using stark.deployments d where d.id = f.deployment_id and d.id = any (p_ids) and d.mode <> 'daemon';
  delete from stark_internal.daemon_nodes n using stark.deployments d where d.id = n.deployment_id and d.id = any (p_ids) and d.mode <> 'daemon';
  for v_daemon in
    select d.id, d.acts_as, coalesce(t.target_revision, d.revision) as revision
    from stark.deployments d
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    left join stark_internal.daemon_fits f on f.deployment_id = d.id
    where d.id = any (p_ids) and d.mode = 'daemon' and not t.is_frozen and t.may_not is null
      and (f.is_stale, f.revision, f.acts_as) is distinct from (false, coalesce(t.target_revision, d.revision), d.acts_as)
    order by d.id
  loop
    if not v_is_loaded then
      perform stark_internal.open_tables();
      perform stark_internal.load_nodes();
      v_is_loaded := true;
    end if;
    v_nodes := array(select n from stark_internal.fitting_nodes(v_daemon.id, v_daemon.revision) n);
    delete from stark_internal.daemon_nodes n where n.deployment_id = v_daemon.id and n.node_id <> all (v_nodes);
    insert into stark_internal.daemon_nodes (deployment_id, node_id) select v_daemon.id, u from unnest(v_nodes) u on conflict do nothing;
    insert into stark_internal.daemon_fits as f (deployment_id, revision, acts_as) values (v_daemon.id, v_daemon.revision, v_daemon.acts_as)
      on conflict (deployment_id) do update set revision = excluded.revision, acts_as = excluded.acts_as, is_stale = false;
  end loop;
  if v_is_loaded then
    perform stark_internal.open_tables();
  end if;
end;
$$;
comment on function stark_internal.fit_daemons(uuid[]) is 'Works out which nodes fit deployments of daemon mode.';
revoke all on function stark_internal.fit_daemons(uuid[]) from public, anon;

/**
 * stark_internal.note_daemons(): statement trigger on nodes, role_bindings and packs. Nodes that come, go, or have other labels, taints or takers,
 * another admin, and another owner or visibility of a pack have the nodes of all deployments of daemon mode worked out anew; another health or
 * cordon only has those looked at that the node fits.
 */
create function stark_internal.note_daemons()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_nodes uuid[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if not exists (select from stark_internal.daemon_fits) then
    return null;
  end if;
  if tg_table_name = 'nodes' and tg_op = 'UPDATE' then
    if not exists (
      select from old_rows o join new_rows n using (id)
      where (o.labels, o.taints, o.accepts, o.accepted_namespaces, o.owner_id, o.runtime) is distinct from (n.labels, n.taints, n.accepts, n.accepted_namespaces, n.owner_id, n.runtime)) then
      v_nodes := array(select n.id from old_rows o join new_rows n using (id) where o.status <> n.status);
      if v_nodes <> '{}' then
        perform stark_internal.note_deployments(array(select distinct d.deployment_id from stark_internal.daemon_nodes d where d.node_id = any (v_nodes)));
      end if;
      return null;
    end if;
  elsif tg_table_name = 'packs' then
    if not exists (select from old_rows o join new_rows n using (id) where (o.visibility, o.owner_id) is distinct from (n.visibility, n.owner_id)) then
      return null;
    end if;
  end if;
  update stark_internal.daemon_fits f set is_stale = true where not f.is_stale;
  -- As many as are looked at when their time has come; it has come for the others.
  perform stark_internal.note_deployments(array(select f.deployment_id from stark_internal.daemon_fits f order by f.deployment_id limit 50));
  update stark.deployments d set next_reconcile_at = least(d.next_reconcile_at, stark_internal.controller_time())
    where d.id in (select f.deployment_id from stark_internal.daemon_fits f order by f.deployment_id offset 50);
  return null;
end;
$$;
comment on function stark_internal.note_daemons() is 'Notes deployments of daemon mode when nodes or rights have changed.';
revoke all on function stark_internal.note_daemons() from public, anon;

create trigger _700_note_daemons_of_new after insert on stark.nodes
  referencing new table as new_rows for each statement execute function stark_internal.note_daemons();
create trigger _700_note_daemons_of_changed after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_daemons();
create trigger _700_note_daemons_of_deleted after delete on stark.nodes
  referencing old table as old_rows for each statement execute function stark_internal.note_daemons();
create trigger _700_note_daemons_of_new after insert on stark.role_bindings
  referencing new table as new_rows for each statement execute function stark_internal.note_daemons();
create trigger _700_note_daemons_of_deleted after delete on stark.role_bindings
  referencing old table as old_rows for each statement execute function stark_internal.note_daemons();
create trigger _700_note_daemons after update on stark.packs
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.note_daemons();

-- What each node shall have ---------------------------------------------------------------------------------------------

create type stark_internal.daemon_step as (deployment_id uuid, node_id uuid, pod_id uuid, step text, revision bigint);
comment on type stark_internal.daemon_step is 'What is to be done on a node for a deployment of daemon mode: keep or stop its pod, make one of a revision, or wait for the end of the one that stops before one is made.';

/**
 * stark_internal.plan_daemons(sets, now) -> what shall be done for deployments of daemon mode. Pods on nodes that no longer fit go, and so does what is
 * more than one a node; an old pod that is not available goes at once, available ones as many as the budget lets go, in the
 * order of their nodes' names, those on a node that is not healthy when it is back. Where nothing is left one of the target is made; while the rollout is held, of the last stable revision.
 */
create function stark_internal.plan_daemons(p_sets stark_internal.revision_set[], p_now timestamptz)
returns setof stark_internal.daemon_step
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from stark_internal.daemon_fits) then
    return;
  end if;
  return query
    with terms as materialized (
      select t.*, d.min_ready_seconds, b.revision as stable_revision, coalesce(g.may_start, false) as may_start, coalesce(b.may_start, false) as may_start_stable,
             coalesce(g.wanted, 0) as target_wanted
      from stark_internal.rollout_terms t
      join stark.deployments d on d.id = t.deployment_id
      left join lateral (
        select s.revision, s.wanted, v.state = 'ready' as may_start from unnest(p_sets) s
        join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision join stark.pack_versions v on v.id = r.pack_version_id
        where s.deployment_id = t.deployment_id and s.template_hash = t.target_hash) g on true
      left join lateral (
        select s.revision, v.state = 'ready' as may_start from unnest(p_sets) s
        join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision join stark.pack_versions v on v.id = r.pack_version_id
        where s.deployment_id = t.deployment_id and s.template_hash = t.stable_hash and t.stable_hash <> t.newest_hash) b on true
      where t.deployment_id in (select s.deployment_id from unnest(p_sets) s) and t.is_daemon and not t.is_frozen and t.may_not is null
    ), pods as materialized (
      select p.id, t.deployment_id, coalesce(p.pinned_node_id, p.node_id) as place, n.name as place_name, s.revision, s.template_hash, p.status, p.node_id is not null as is_placed, p.created_at,
             p.status <> 'stopping' as is_live, coalesce(n.status = 'healthy', false) as is_healthy,
             p.status = 'running' and n.status = 'healthy' and coalesce(p.ready_at <= p_now - t.min_ready_seconds * interval '1 second', false) as is_available,
             coalesce(s.template_hash = t.target_hash, false) as is_target, f.node_id is not null as fits
      from terms t
      join stark.pods p on p.deployment_id = t.deployment_id and p.finished_at is null
      join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
      join unnest(p_sets) s on s.deployment_id = r.deployment_id and s.template_hash = r.template_hash
      left join stark.nodes n on n.id = coalesce(p.pinned_node_id, p.node_id)
      left join stark_internal.daemon_nodes f on f.deployment_id = p.deployment_id and f.node_id = coalesce(p.pinned_node_id, p.node_id)
    ), ranked as (
      select p.*, row_number() over (partition by p.deployment_id, p.place order by p.is_available desc, p.is_target desc, p.is_placed desc, p.created_at, p.id) as nth
      from pods p where p.is_live
    ), judged as (
      select r.*, case
          -- While the rollout is held, what the old template has is left where it is.
          when not r.fits then case when t.is_held and not r.is_target and r.place is not null then 'keep' else 'stop' end
          when r.nth > 1 then 'stop'
          when r.is_target or t.is_held then 'keep'
          when r.is_available then case when t.target_hash is null or not t.may_start then 'keep' else 'yield' end
          when t.target_hash is null and not (r.template_hash = t.newest_hash and t.newest_status = 'failed') or (t.target_hash is not null and not t.may_start) then 'keep'
          when r.is_healthy or not r.is_placed then 'stop'
          else 'keep' end as verdict,
        greatest(0, count(*) filter (where r.is_available and r.fits and r.nth = 1) over (partition by r.deployment_id) - t.least) as budget
      from ranked r join terms t using (deployment_id)
    ), decided as (
      select j.*, case
          when j.verdict <> 'yield' then j.verdict
          when row_number() over (partition by j.deployment_id, j.verdict order by j.place_name, j.id) <= j.budget then 'stop'
          else 'keep' end as step
      from judged j
    ), open as (
      -- Nodes that have no pod, or only one that stops.
      select t.*, f.node_id, exists (select from pods p where p.deployment_id = f.deployment_id and p.place = f.node_id) as is_stopping,
             row_number() over (partition by f.deployment_id order by n.name) as nth,
             (select count(*) from decided k where k.deployment_id = f.deployment_id and k.is_target and k.step = 'keep') as target_live
      from terms t
      join stark_internal.daemon_nodes f on f.deployment_id = t.deployment_id
      join stark.nodes n on n.id = f.node_id
      where not exists (select from decided k where k.deployment_id = f.deployment_id and k.place = f.node_id and k.fits and k.step = 'keep')
    ), assigned as (
      select o.deployment_id, o.node_id, o.is_stopping, case
          when o.target_hash is null then null
          when o.is_held and o.stable_revision is not null and o.nth > o.target_wanted - o.target_live then case when o.may_start_stable then o.stable_revision end
          when o.may_start then o.target_revision end as revision
      from open o
    )
    select d.deployment_id, d.place, d.id, d.step, d.revision from decided d
    union all
    select a.deployment_id, a.node_id, null::uuid, case when a.is_stopping then 'wait' else 'make' end, a.revision from assigned a where a.revision is not null;
end;
$$;
comment on function stark_internal.plan_daemons(stark_internal.revision_set[], timestamptz) is 'What shall be done on each node for deployments of daemon mode.';
revoke all on function stark_internal.plan_daemons(stark_internal.revision_set[], timestamptz) from public, anon;

/** stark_internal.missing_daemons(sets, steps, now) -> by these steps of plan_daemons of each revision that lacks pods on nodes how many can be made now, and why not all; with whose rights. That one which stops is still there is no reason: its end is news. */
create function stark_internal.missing_daemons(p_sets stark_internal.revision_set[], p_steps stark_internal.daemon_step[], p_now timestamptz)
returns table (deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamptz, avoids text, maker uuid)
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  if p_steps = '{}' then
    return;
  end if;
  return query
    select m.deployment_id, m.revision, m.missing, case when n.may_not is null then greatest(0, least(m.empty - m.held, q.room)) else 0 end,
           case when n.may_not is not null then n.may_not when q.room < m.empty then q.reason when m.held > 0 then 'RestartBackOff' end,
           case when n.may_not is not null then null when q.room < m.empty then q.message when m.held > 0 then 'a pod failed and is replaced after a while' end,
           case when m.held > 0 then m.until end,
           case when m.held > 0 then m.node_name end,
           u.maker
    from (
      select p.deployment_id, p.revision, count(*)::integer as missing, count(*) filter (where p.step = 'make') as empty, h.until, h.node_name,
             count(*) filter (where p.step = 'make' and n.name = h.node_name and h.held > 0) as held
      from unnest(p_steps) p
      join stark.nodes n on n.id = p.node_id
      join unnest(p_sets) s on s.deployment_id = p.deployment_id and s.revision = p.revision
      cross join lateral stark_internal.held_replacements(s.deployment_id, s.template_hash, p_now) h
      where p.step in ('make', 'wait')
      group by p.deployment_id, p.revision, h.until, h.node_name) m
    join stark.deployments d on d.id = m.deployment_id
    join stark.deployment_revisions r on r.deployment_id = m.deployment_id and r.revision = m.revision
    cross join lateral (select stark_internal.maker_of_pods(d, r) as maker) u
    cross join lateral (select stark_internal.may_not_run(u.maker, d.namespace, d.pack_id, r.template) as may_not) n
    cross join lateral stark_internal.namespace_room(r.namespace, coalesce((r.template #>> '{spec,resources,requests,cpu}')::bigint, 0),
      coalesce((r.template #>> '{spec,resources,requests,memory}')::bigint, 0), coalesce((r.template #>> '{spec,resources,requests,storage}')::bigint, 0)) q;
end;
$$;
comment on function stark_internal.missing_daemons(stark_internal.revision_set[], stark_internal.daemon_step[], timestamptz) is 'How many pods of deployments of daemon mode can be made now, and why not all.';
revoke all on function stark_internal.missing_daemons(stark_internal.revision_set[], stark_internal.daemon_step[], timestamptz) from public, anon;

/** stark_internal.make_daemons(sets, steps, now) -> how many were made, on nodes in the order of their names, as far as quota, back-off and what one transaction makes allow. */
create function stark_internal.make_daemons(p_sets stark_internal.revision_set[], p_steps stark_internal.daemon_step[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_left integer := stark_internal.managed_pods_left();
begin
  if v_left <= 0 or not exists (select from unnest(p_steps) p where p.step = 'make') then
    return 0;
  end if;
  return stark_internal.insert_managed_pods(array(
    select (p.deployment_id, p.revision, w.spec, p.maker, p.node_id)::stark_internal.managed_pod
    from (
      select p.deployment_id, p.revision, p.node_id, m.makeable, m.maker,
             row_number() over (partition by p.deployment_id, p.revision order by n.name) as nth, row_number() over (order by p.deployment_id, p.revision, n.name) as ord
      from unnest(p_steps) p
      join stark_internal.missing_daemons(p_sets, p_steps, p_now) m on m.deployment_id = p.deployment_id and m.revision = p.revision
      join stark.nodes n on n.id = p.node_id
      where p.step = 'make' and n.name is distinct from m.avoids) p
    join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
    cross join lateral (select stark_internal.daemon_spec(stark_internal.pod_spec(r)) as spec) w
    where p.nth <= p.makeable and p.ord <= v_left), p_now);
end;
$$;
comment on function stark_internal.make_daemons(stark_internal.revision_set[], stark_internal.daemon_step[], timestamptz) is 'Makes pods that nodes lack.';
revoke all on function stark_internal.make_daemons(stark_internal.revision_set[], stark_internal.daemon_step[], timestamptz) from public, anon;

/** stark_internal.run_daemons(sets, now) -> how many pods of deployments of daemon mode were stopped and made, and whether another number of a revision is wanted now. */
create function stark_internal.run_daemons(p_sets stark_internal.revision_set[], p_now timestamptz, out stopped integer, out made integer, out replanned boolean)
returns record
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_steps stark_internal.daemon_step[];
  v_leaving uuid[];
begin
  stopped := 0;
  made := 0;
  replanned := false;
  if not exists (select from stark_internal.daemon_fits f where f.deployment_id in (select s.deployment_id from unnest(p_sets) s)) then
    return;
  end if;
  v_steps := array(select p from stark_internal.plan_daemons(p_sets, p_now) p);
  v_leaving := array(select p.pod_id from unnest(v_steps) p where p.step = 'stop' order by p.pod_id limit stark_internal.call_limit('managed_pods'));
  update stark.deployment_revisions r set wanted = w.pods
    from (
      select s.deployment_id, s.revision, count(p.node_id) as pods
      from unnest(p_sets) s
      join stark_internal.rollout_terms t on t.deployment_id = s.deployment_id and t.is_daemon and not t.is_frozen and t.may_not is null
      left join unnest(v_steps) p on p.deployment_id = s.deployment_id and p.revision = s.revision and p.step <> 'stop'
      group by s.deployment_id, s.revision) w
    where r.deployment_id = w.deployment_id and r.revision = w.revision and r.wanted <> w.pods;
  replanned := found;
  if v_leaving <> '{}' then
    perform stark_internal.begin_stop(v_leaving, p_now, p_deletes => true);
    stopped := cardinality(v_leaving);
  end if;
  made := stark_internal.make_daemons(p_sets, v_steps, p_now);
end;
$$;
comment on function stark_internal.run_daemons(stark_internal.revision_set[], timestamptz) is 'Stops and makes pods of deployments of daemon mode.';
revoke all on function stark_internal.run_daemons(stark_internal.revision_set[], timestamptz) from public, anon;
