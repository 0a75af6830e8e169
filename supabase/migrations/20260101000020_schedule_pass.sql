-- The pass: groups from the highest priority down, then one update for all that were placed.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/**
 * stark_internal.pending_groups(waiting, after): pending pods, or those that still wait for what other pods do, as groups, in the
 * order in which they are served: priority, then those that were promised a node, then age. retry_no numbers the groups that fitted nowhere before,
 * as in a ring, from the one that comes after the group of this pod.
 */
create function stark_internal.pending_groups(p_waiting boolean default false, p_after uuid default null)
returns table (pod_group stark_internal.pod_group, is_nominated boolean, previously_unschedulable boolean, retry_no bigint, pods stark_internal.pod_request[])
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
begin
  return query
    select (g.priority, g.runtime, g.visibility, g.owner_id, g.template, g.rules_no, g.matches, g.preempts, g.cpu, g.memory, g.storage)::stark_internal.pod_group,
           g.is_nominated, g.previously_unschedulable,
           case when g.previously_unschedulable then row_number() over (partition by g.previously_unschedulable order by g.oldest_pod <= p_after, g.oldest_pod) end,
           g.pods
    from (
      select p.priority, v.runtime, k.visibility, case k.visibility when 'private' then k.owner_id end as owner_id, p.template, p.rules_no, p.matches, p.preempts,
             p.nominated_node_id is not null as is_nominated, bool_and(p.previously_unschedulable) as previously_unschedulable,
             max(p.cpu) as cpu, max(p.memory) as memory, max(p.storage) as storage, min(p.created_at) as oldest,
             (array_agg(p.pod_id order by p.created_at, p.pod_id))[1] as oldest_pod,
             array_agg((p.pod_id, p.cpu, p.memory, p.storage)::stark_internal.pod_request order by p.created_at, p.pod_id) as pods
      from pg_temp.pass_pods p
      join stark.pack_versions v on v.id = p.version_id
      join stark.packs k on k.id = v.pack_id
      where not p_waiting
         or (p.rules_no in (select r.rules_no from pg_temp.pass_rules r where r.kind in ('affinity', 'spread'))
             and not exists (select from pg_temp.pass_bindings b where b.pod_id = p.pod_id)
             and not exists (select from pg_temp.pass_nominations m where m.pod_id = p.pod_id))
      group by 1, 2, 3, 4, 5, 6, 7, 8, 9) g
    order by g.priority desc, g.is_nominated desc, g.oldest, g.oldest_pod;
end;
$$;
comment on function stark_internal.pending_groups(boolean, uuid) is 'Pending pods as groups, in the order in which they are served.';
revoke all on function stark_internal.pending_groups(boolean, uuid) from public, anon;

create table stark_internal.pass_state (
  only_row boolean primary key default true,
  is_due boolean not null default false,
  groups_left integer not null default 0,
  last_group uuid,
  constraint there_is_one_row check (only_row)
);
comment on table stark_internal.pass_state is 'What the last schedule pass has left to the next: a pass does a bounded amount of work. Always one row.';
comment on column stark_internal.pass_state.is_due is 'Whether pods are left that another pass would place, or tell why it does not.';
comment on column stark_internal.pass_state.groups_left is 'How many groups that fitted nowhere have not been tried again since something changed that could help them.';
comment on column stark_internal.pass_state.last_group is 'The oldest pod of the group that was tried again last.';
insert into stark_internal.pass_state (only_row) values (true);
alter table stark_internal.pass_state enable row level security;
create policy "nobody reads the state of the pass" on stark_internal.pass_state for select to authenticated using (false);

/**
 * stark_internal.leave_pinned(group, pods, attempts) -> whether some were not tried: pods that were each made for a node, and do not
 * fit there now. Each keeps the reason of its own node; where lower pods on it may make room, they are asked to.
 */
create function stark_internal.leave_pinned(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[], p_attempts integer)
returns boolean
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_pod record;
  v_lowest integer;
  v_attempts integer := 0;
begin
  v_group.cpu := 0;
  v_group.memory := 0;
  v_group.storage := 0;
  with rejected as materialized (
    select r.node_no, r.filter, r.detail from stark_internal.rejections(v_group) r
  ), pinned as materialized (
    select u.pod_id as id, u.cpu as c, u.memory as m, u.storage as s, n.* from unnest(p_pods) u
    join pg_temp.pass_pods p using (pod_id) left join pg_temp.pass_nodes n on n.node_id = p.nominated_node_id
  ), reasons as (
    select p.id, stark_internal.reason_of(r.filter, r.detail) as reason from pinned p join rejected r on r.node_no = p.node_no
    union
    select p.id, l.reason from pinned p cross join lateral (values ('insufficient cpu', p.c > 0 and p.free_cpu < p.c), ('insufficient memory', p.m > 0 and p.free_memory < p.m),
      ('insufficient storage', p.s > 0 and p.free_storage < p.s), ('insufficient pods', p.free_pods < 1), ('it is gone', p.node_no is null)) as l (reason, holds) where l.holds
  )
  insert into pg_temp.pass_reasons
    select p.id, left(format('node %s: %s', coalesce(p.name, 'that it was made for'), coalesce(string_agg(r.reason, ', ' order by r.reason), 'other pods take its place')), 4096)
    from pinned p left join reasons r using (id) group by p.id, p.name;
  v_lowest := coalesce((select min(p.priority) from stark.pods p where p.node_id is not null and p.finished_at is null), 1001);
  if not p_group.preempts or v_lowest >= p_group.priority then
    return false;
  end if;
  for v_pod in
    select u.*, n.name from unnest(p_pods) u
    join pg_temp.pass_pods p using (pod_id) join pg_temp.pass_nodes n on n.node_id = p.nominated_node_id
    where exists (select from stark.pods l where l.node_id = n.node_id and l.finished_at is null and l.priority < p_group.priority)
    order by p.created_at, u.pod_id
  loop
    if v_attempts >= p_attempts then
      return true;
    end if;
    v_attempts := v_attempts + 1;
    v_group.template := (p_group.template - 'pinned') || jsonb_build_object('nodeName', v_pod.name);
    v_group.cpu := v_pod.cpu;
    v_group.memory := v_pod.memory;
    v_group.storage := v_pod.storage;
    perform stark_internal.preempt(v_group, array[(v_pod.pod_id, v_pod.cpu, v_pod.memory, v_pod.storage)::stark_internal.pod_request]);
  end loop;
  return false;
end;
$$;
comment on function stark_internal.leave_pinned(stark_internal.pod_group, stark_internal.pod_request[], integer) is 'Keeps why pods do not fit on the nodes that they were made for.';
revoke all on function stark_internal.leave_pinned(stark_internal.pod_group, stark_internal.pod_request[], integer) from public, anon;

/**
 * stark_internal.place_groups(groups, placements, after): group by group, picks into the working tables; nothing that lasts is written.
 * So many new groups have a turn, and so many of those that fitted nowhere before, until as many pods are placed as one pass places:
 * everybody waits for the lock meanwhile. has_more: groups are left that had none. waiting: how many groups had fitted nowhere;
 * retried: how many of them had their turn, last_group: the oldest pod of the last one in the ring.
 */
create function stark_internal.place_groups(
  p_groups integer default stark_internal.call_limit('groups_of_a_pass'),
  p_placements integer default stark_internal.call_limit('placements_of_a_pass'),
  p_after uuid default null,
  out has_more boolean,
  out waiting integer,
  out retried integer,
  out last_group uuid
)
returns record
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_group record;
  v_left stark_internal.pod_request[];
  v_lowest integer;
  v_again boolean := false;
  v_moved bigint;
  v_seen bigint := 0;
  v_new integer := 0;
  v_is_full boolean;
  v_owed boolean := false;
begin
  has_more := false;
  waiting := 0;
  retried := 0;
  last_group := p_after;
  loop
    for v_group in select * from stark_internal.pending_groups(v_again, p_after) loop
      if not v_again then
        v_new := v_new + (not v_group.previously_unschedulable)::integer;
        waiting := waiting + v_group.previously_unschedulable::integer;
      end if;
      continue when v_group.retry_no > p_groups;
      -- Nominated pods are looked at in each pass.
      v_is_full := not v_group.is_nominated
        and (v_new > p_groups and not v_group.previously_unschedulable
             or (select count(*) from pg_temp.pass_bindings) + (select count(*) from pg_temp.pass_nominations) >= p_placements);
      has_more := has_more or v_is_full;
      v_owed := v_owed or v_is_full and v_group.previously_unschedulable;
      continue when v_is_full;
      if v_group.retry_no > retried then
        retried := v_group.retry_no;
        last_group := (v_group.pods[1]).pod_id;
      end if;
      v_left := v_group.pods;
      if v_group.is_nominated then
        v_left := stark_internal.place_nominated(v_group.pod_group, v_left);
      end if;
      continue when v_left = '{}';
      if (v_group.pod_group).template ? 'pinned' then
        has_more := stark_internal.leave_pinned(v_group.pod_group, v_left, p_groups) or has_more;
        continue;
      end if;
      v_left := stark_internal.place_pods(v_group.pod_group, v_left);
      continue when v_left = '{}';
      perform stark_internal.record_reasons(v_group.pod_group, v_left);
      if (v_group.pod_group).preempts then
        if v_lowest is null then
          v_lowest := coalesce((select min(p.priority) from stark.pods p where p.node_id is not null and p.finished_at is null), 1001);
        end if;
        if v_lowest < (v_group.pod_group).priority then
          has_more := has_more or stark_internal.preempt(v_group.pod_group, v_left);
        end if;
      end if;
    end loop;
    -- Pods with required affinity are tried again when a pod was placed that a selector matches; pods with topology spread also when
    -- victims leave.
    v_moved := (select count(*) from pg_temp.pass_bindings b join pg_temp.pass_pods p using (pod_id) where p.matches is not null)
      + (select count(*) from pg_temp.pass_nominations m where m.victims <> '{}');
    exit when v_moved = v_seen
      or not exists (select from pg_temp.pass_reasons r join pg_temp.pass_pods p using (pod_id) join pg_temp.pass_rules u using (rules_no) where u.kind in ('affinity', 'spread'));
    v_seen := v_moved;
    v_again := true;
    delete from pg_temp.pass_reasons r using pg_temp.pass_pods p, pg_temp.pass_rules u
      where p.pod_id = r.pod_id and u.rules_no = p.rules_no and u.kind in ('affinity', 'spread')
        and not exists (select from pg_temp.pass_nominations m where m.pod_id = r.pod_id);
  end loop;
  -- Groups that were passed over because the pass was full come first in the next one.
  if v_owed then
    retried := 0;
    last_group := p_after;
  end if;
end;
$$;
comment on function stark_internal.place_groups(integer, integer, uuid) is 'Works out where pending pods go.';
revoke all on function stark_internal.place_groups(integer, integer, uuid) from public, anon;

/**
 * stark_internal.end_victims(now) -> how many ended: victims that no agent has reported as begun have nothing to end, so they are gone at
 * once, and the pods that were promised their room are bound by this pass, on nodes where nobody else still has to end.
 * Writes pods and the working tables of nominations, reasons and bindings.
 */
create function stark_internal.end_victims(p_now timestamptz)
returns integer
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_ended integer;
begin
  if not exists (select from pg_temp.pass_nominations m where m.victims <> '{}') then
    return 0;
  end if;
  update stark.pods p set
      status = 'evicted',
      status_reason = 'Preempted',
      status_message = format('makes room for pod %s of priority %s', w.pod_id, w.priority),
      stop_requested_at = p_now,
      finished_at = p_now
    from pg_temp.pass_nominations m
    cross join unnest(m.victims) v
    join pg_temp.pass_pods w using (pod_id)
    where p.id = v and p.status = 'scheduled';
  get diagnostics v_ended = row_count;
  if v_ended = 0 then
    return 0;
  end if;
  with kept as materialized (
    select m.pod_id, m.node_no, m.victims, n.node_id, w.priority, w.cpu, w.memory, w.storage
    from pg_temp.pass_nominations m join pg_temp.pass_nodes n using (node_no) join pg_temp.pass_pods w using (pod_id)
  ), ending as materialized (
    -- By the index, node by node: reading all pods for these few nodes would be most of the cost.
    select k.node_no
    from (select u.node_no, u.node_id, max(u.priority) as priority from kept u group by u.node_no, u.node_id) k
    cross join lateral (
      select from stark.pods l where l.node_id = k.node_id and l.status = 'stopping' and l.priority < k.priority limit 1) l
    union
    select k.node_no from kept k cross join unnest(k.victims) v join stark.pods p on p.id = v where p.finished_at is null
  ), freed as (
    delete from pg_temp.pass_nominations m using kept k
      where m.pod_id = k.pod_id and k.node_no not in (select e.node_no from ending e)
      returning k.pod_id, k.node_no, k.cpu, k.memory, k.storage
  ), explained as (
    delete from pg_temp.pass_reasons r using freed f where r.pod_id = f.pod_id
  )
  insert into pg_temp.pass_bindings select f.pod_id, f.node_no, f.cpu, f.memory, f.storage, true from freed f;
  return v_ended;
end;
$$;
comment on function stark_internal.end_victims(timestamptz) is 'Ends victims that have not begun, and binds the pods that get their room.';
revoke all on function stark_internal.end_victims(timestamptz) from public, anon;

/**
 * stark_internal.limit_bindings(most): keeps at most so many of what the pass has placed, by priority; those whose victims have ended
 * already are kept in any case. Writes pass_bindings.
 */
create function stark_internal.limit_bindings(p_most integer)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  if (select count(*) from pg_temp.pass_bindings) > p_most then
    delete from pg_temp.pass_bindings b
      using (
        select c.pod_id, row_number() over (order by c.had_victims desc, t.priority desc, t.created_at, t.pod_id) as nth
        from pg_temp.pass_bindings c join pg_temp.pass_pods t using (pod_id)) o
      where o.pod_id = b.pod_id and o.nth > p_most and not b.had_victims;
  end if;
end;
$$;
comment on function stark_internal.limit_bindings(integer) is 'Keeps what one pass may place.';
revoke all on function stark_internal.limit_bindings(integer) from public, anon;

/**
 * stark_internal.bind(now, most) -> how many were placed, and of how many others the reason was written: what the pass has worked out for
 * pods that are stored, three updates at most. It writes at most so many reasons, by priority; every nomination is written.
 * Writes pods; reads the working tables of bindings, nominations, reasons, pods and nodes.
 */
create function stark_internal.bind(p_now timestamptz default now(), p_most integer default stark_internal.call_limit('placements_of_a_pass'), out placed integer, out explained integer)
returns record
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
begin
  explained := 0;
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
  get diagnostics placed = row_count;
  -- Victims are stopped before reasons are written, so that a reason that names a kept place is true when it is read.
  if exists (select from pg_temp.pass_nominations) then
    update stark.pods p set
        status = 'stopping',
        status_reason = 'Preempted',
        -- By its id, which tells nothing to those who may not read it.
        status_message = format('makes room for pod %s of priority %s', w.pod_id, w.priority),
        ready = false,
        stop_requested_at = p_now
      from pg_temp.pass_nominations m
      cross join unnest(m.victims) v
      join pg_temp.pass_pods w using (pod_id)
      where p.id = v and p.node_id is not null and p.finished_at is null and p.status <> 'stopping';
  end if;
  if not exists (select from pg_temp.pass_reasons) and not exists (select from pg_temp.pass_nominations) then
    return;
  end if;
  update stark.pods p set nominated_node_id = w.node_id, status_reason = w.reason, status_message = w.message
    from (
      select c.*, row_number() over (partition by c.reason order by q.status_reason is not null, q.priority desc, q.created_at, q.id) as nth
      from (
        select t.pod_id, n.node_id,
               case when m.pod_id is null then 'Unschedulable' else 'Nominated' end as reason,
               case when m.pod_id is null then r.message else 'waits for room on node ' || n.name end as message
        from pg_temp.pass_pods t
        left join pg_temp.pass_reasons r using (pod_id)
        left join pg_temp.pass_nominations m using (pod_id)
        left join pg_temp.pass_nodes n using (node_no)
        where m.pod_id is not null or r.pod_id is not null) c
      join stark.pods q on q.id = c.pod_id
      where q.status = 'pending'
        and (q.nominated_node_id, q.status_reason, q.status_message) is distinct from (c.node_id, c.reason, c.message)) w
    where p.id = w.pod_id and p.status = 'pending' and (w.nth <= p_most or w.reason = 'Nominated');
  get diagnostics explained = row_count;
end;
$$;
comment on function stark_internal.bind(timestamptz, integer) is 'Writes what a schedule pass has worked out.';
revoke all on function stark_internal.bind(timestamptz, integer) from public, anon;

/**
 * stark_internal.insert_pods(new, now) -> how many were placed, and of how many others the reason was written: stores new pods with what the
 * pass has worked out for them, one row and one event each, and their env and config. Writes pods and pod_env; reads the working tables
 * of bindings, nominations, reasons and nodes. Raises what the checks of pods raise: quota, limit range, terminating namespace.
 */
create function stark_internal.insert_pods(p_new stark.pods[], p_now timestamptz default now(), out placed integer, out explained integer)
returns record
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
begin
  with stored as (
    insert into stark.pods (id, name, namespace, pack_id, pack_name, pack_version_id, version, labels, annotations, spec, priority, created_by, created_at,
                            status, node_id, node_name, incarnation, scheduled_at, nominated_node_id, status_reason, status_message)
      select w.id, w.name, w.namespace, w.pack_id, w.pack_name, w.pack_version_id, w.version, w.labels, w.annotations, w.spec - array['env', 'config'], w.priority,
             w.created_by, w.created_at, case when n.node_id is null then 'pending' else 'scheduled' end, n.node_id, n.name, n.incarnation,
             case when n.node_id is not null then p_now end, k.node_id,
             case when k.node_id is not null then 'Nominated' when n.node_id is null and r.pod_id is not null then 'Unschedulable' end,
             case when k.node_id is not null then 'waits for room on node ' || k.name when n.node_id is null then r.message end
      from unnest(p_new) with ordinality w
      left join pg_temp.pass_bindings b on b.pod_id = w.id
      left join pg_temp.pass_nodes n on n.node_no = b.node_no
      left join pg_temp.pass_nominations m on m.pod_id = w.id
      left join pg_temp.pass_nodes k on k.node_no = m.node_no
      left join pg_temp.pass_reasons r on r.pod_id = w.id
      order by w.ordinality
      returning status, status_reason
  )
  select count(*) filter (where s.status = 'scheduled'), count(s.status_reason) into placed, explained from stored s;
  insert into stark.pod_env (pod_id, env, config)
    select w.id, w.spec -> 'env', w.spec -> 'config' from unnest(p_new) w where w.spec ?| array['env', 'config'];
end;
$$;
comment on function stark_internal.insert_pods(stark.pods[], timestamptz) is 'Stores new pods with the nodes that a pass found for them.';
revoke all on function stark_internal.insert_pods(stark.pods[], timestamptz) from public, anon;

/**
 * stark_internal.schedule_pods(retry, now, continues, most, groups, new) -> how many were placed. Locks: the cluster lock. Called at once when
 * something it cares about changes: new pods, a node that became usable, room that became free. retry: whether pods that fitted
 * nowhere are looked at again; new pods only take room, so what they can help are those that look at other pods. A pass does a
 * bounded amount of work (most: pods it places, groups: those it looks at); what is left is noted in pass_state, and continue_work
 * has it done by further passes, which say that they continue. new: drafts of pods that this pass stores, placed where there is room.
 */
create function stark_internal.schedule_pods(
  p_retry boolean default true, p_now timestamptz default now(), p_continues boolean default false,
  p_most integer default stark_internal.call_limit('placements_of_a_pass'), p_groups integer default stark_internal.call_limit('groups_of_a_pass'), p_new stark.pods[] default '{}'
)
returns integer
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_found bigint;
  v_left_out boolean;
  v_groups record;
  v_written record;
  v_stored record;
  v_state stark_internal.pass_state;
  v_ended integer;
  v_origin text := pg_catalog.current_setting('stark.origin', true);
begin
  -- Definer: the first call in a session makes the working tables, and later callers with other roles must be able to use them. No API
  -- role may call it.
  perform stark_internal.lock_cluster();
  -- What a pass writes itself fires triggers that would start one. It is under way, and says that another is due.
  if pg_catalog.current_setting('stark.pass', true) = 'running' then
    return 0;
  end if;
  if cardinality(p_new) = 0 and not exists (select from stark.pods p where p.status = 'pending') then
    update stark_internal.pass_state s set is_due = false, groups_left = 0 where s.is_due or s.groups_left > 0;
    return 0;
  end if;
  perform pg_catalog.set_config('stark.origin', 'scheduler', true), pg_catalog.set_config('stark.pass', 'running', true);
  perform stark_internal.open_tables();
  perform stark_internal.load_nodes();
  select * into v_state from stark_internal.pass_state;
  v_left_out := stark_internal.load_pods(p_retry, p_most, p_new, v_state.last_group);
  if exists (select from pg_temp.pass_pods p where p.template ? 'required') then
    perform stark_internal.unify_templates();
  end if;
  perform stark_internal.load_ports();
  perform stark_internal.load_rules();
  v_groups := stark_internal.place_groups(p_groups, p_most, v_state.last_group);
  v_ended := stark_internal.end_victims(p_now);
  v_found := (select count(*) from pg_temp.pass_bindings);
  perform stark_internal.limit_bindings(p_most);
  v_written := stark_internal.bind(p_now, p_most);
  if cardinality(p_new) > 0 then
    -- Who makes pods tells of them, and not the scheduler.
    perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true);
    v_stored := stark_internal.insert_pods(p_new, p_now);
    v_written.placed := v_written.placed + v_stored.placed;
    v_written.explained := v_written.explained + v_stored.explained;
  end if;
  -- Only a pass that got somewhere is followed by another, so that this ends. Who left may have left more room than was needed.
  v_state.is_due := (v_state.is_due and not p_retry) or v_ended > 0
    or ((v_left_out or v_groups.has_more or v_found > v_written.placed or v_written.explained >= p_most) and v_written.placed + v_written.explained > 0);
  if p_retry then
    v_state.groups_left := greatest(0, case when p_continues then least(v_state.groups_left, v_groups.waiting) else v_groups.waiting end - v_groups.retried);
    v_state.last_group := v_groups.last_group;
  end if;
  update stark_internal.pass_state s set is_due = v_state.is_due, groups_left = v_state.groups_left, last_group = v_state.last_group
    where (s.is_due, s.groups_left, s.last_group) is distinct from (v_state.is_due, v_state.groups_left, v_state.last_group);
  perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true), pg_catalog.set_config('stark.pass', '', true);
  return v_written.placed;
end;
$$;
comment on function stark_internal.schedule_pods(boolean, timestamptz, boolean, integer, integer, stark.pods[]) is 'Places pending pods, highest priority first.';
revoke all on function stark_internal.schedule_pods(boolean, timestamptz, boolean, integer, integer, stark.pods[]) from public, anon;

-- When to run it ------------------------------------------------------------------------------------------------------

/** stark_internal.schedule_when_nodes_change(): statement trigger; a node that became more usable may take pending pods. */
create function stark_internal.schedule_when_nodes_change()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  -- A cordoned node is of use to pods that tolerate its taint.
  v_tolerant boolean := exists (select from stark.pods p where p.status = 'pending' and p.spec ? 'tolerations');
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    if not exists (
      select from old_rows o join new_rows n using (id)
      where n.status = 'healthy' and (not n.unschedulable or v_tolerant)
        and (o.status, o.unschedulable, o.labels, o.taints, o.allocatable, o.accepts, o.accepted_namespaces)
            is distinct from (n.status, n.unschedulable, n.labels, n.taints, n.allocatable, n.accepts, n.accepted_namespaces)
    ) then
      return null;
    end if;
  elsif not exists (select from new_rows n where n.status = 'healthy' and (not n.unschedulable or v_tolerant)) then
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
set search_path = pg_temp
set enable_nestloop = off
set jit = off
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
