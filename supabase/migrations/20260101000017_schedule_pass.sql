-- The pass: groups from the highest priority down, then one update for all that were placed.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.pending_groups(waiting): pending pods, or those that still wait for company, as groups, in the order in which they are served: priority, then those that were promised a node, then age. Of many that fitted nowhere before it differs who comes first. */
create function stark_internal.pending_groups(p_waiting boolean default false)
returns table (pod_group stark_internal.pod_group, is_nominated boolean, is_hopeless boolean, ids uuid[], cpu bigint[], memory bigint[], storage bigint[])
language plpgsql
stable
set search_path = ''
set enable_nestloop = off
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    select (g.priority, g.runtime, g.visibility, g.owner_id, g.template, g.rules_no, g.matches, g.preempts, g.cpu, g.memory, g.storage)::stark_internal.pod_group,
           g.is_nominated, g.is_hopeless, g.ids, g.cpus, g.memories, g.storages
    from (
      select p.priority, v.runtime, k.visibility, case k.visibility when 'private' then k.owner_id end as owner_id, p.template, p.rules_no, p.matches, p.preempts,
             p.nominated_node_id is not null as is_nominated, bool_and(p.is_hopeless) as is_hopeless,
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
    order by g.priority desc, g.is_nominated desc, case when g.is_hopeless and count(*) filter (where g.is_hopeless) over () > 100 then random() else 0 end, g.oldest, g.ids[1];
end;
$$;
comment on function stark_internal.pending_groups(boolean) is 'Pending pods as groups, in the order in which they are served.';
revoke all on function stark_internal.pending_groups(boolean) from public, anon;

/**
 * stark_internal.place_groups(budget): group by group, picks into the working tables; nothing that lasts is written. When the
 * budget is spent, groups that fitted nowhere before have no turn in this pass: everybody waits for the lock meanwhile.
 */
create function stark_internal.place_groups(p_budget interval default '2 seconds')
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_group record;
  v_left record;
  v_lowest integer;
  v_again boolean := false;
  v_placed bigint := 0;
  v_start timestamptz := clock_timestamp();
begin
  loop
    for v_group in select * from stark_internal.pending_groups(v_again) loop
      continue when v_group.is_hopeless and clock_timestamp() - v_start >= p_budget;
      select v_group.ids as p_ids, v_group.cpu as p_cpu, v_group.memory as p_memory, v_group.storage as p_storage into v_left;
      if v_group.is_nominated then
        v_left := stark_internal.place_nominated(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      end if;
      continue when coalesce(cardinality(v_left.p_ids), 0) = 0;
      v_left := stark_internal.place_pods(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      continue when coalesce(cardinality(v_left.p_ids), 0) = 0;
      perform stark_internal.keep_reasons(v_group.pod_group, v_left.p_ids, v_left.p_cpu, v_left.p_memory, v_left.p_storage);
      if (v_group.pod_group).preempts then
        if v_lowest is null then
          v_lowest := coalesce((select min(p.priority) from stark.pods p where p.node_id is not null and p.finished_at is null), 1001);
        end if;
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
$$;
comment on function stark_internal.place_groups(interval) is 'Works out where all pending pods go.';
revoke all on function stark_internal.place_groups(interval) from public, anon;

/** stark_internal.bind(now) -> how many were placed: writes what the pass has worked out, three updates at most. */
create function stark_internal.bind(p_now timestamptz default now())
returns integer
language plpgsql
volatile
set search_path = ''
set enable_nestloop = off
as $$
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
$$;
comment on function stark_internal.bind(timestamptz) is 'Writes what a schedule pass has worked out.';
revoke all on function stark_internal.bind(timestamptz) from public, anon;

/**
 * stark_internal.schedule_pods(retry, now) -> how many were placed. Locks: the cluster lock. Idempotent; called at once when
 * something it cares about changes: new pods, a node that became usable, room that became free. retry: whether pods that fitted
 * nowhere are looked at again; new pods only take room, so what they can help are those that look at other pods.
 */
create function stark_internal.schedule_pods(p_retry boolean default true, p_now timestamptz default now())
returns integer
language plpgsql
security definer
set search_path = ''
as $$
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
$$;
comment on function stark_internal.schedule_pods(boolean, timestamptz) is 'Places pending pods, highest priority first.';
revoke all on function stark_internal.schedule_pods(boolean, timestamptz) from public, anon;

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

/** stark_internal.schedule_when_room_is_freed(): statement trigger; pods that ended or went have left room, or the place that was kept for them. */
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
$$;
comment on function stark_internal.schedule_when_room_is_freed() is 'Runs a schedule pass when pods have left room.';
revoke all on function stark_internal.schedule_when_room_is_freed() from public, anon;

create trigger _900_schedule_on_changed_pods after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.schedule_when_room_is_freed();
create trigger _900_schedule_on_deleted_pods after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.schedule_when_room_is_freed();
