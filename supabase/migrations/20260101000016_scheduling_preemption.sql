-- Preemption: a pod that fits nowhere may push out pods of lower priority, where that helps. It waits on the node until they have
-- gone; nobody of its priority or a lower one gets the place meanwhile.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.choose_victims(group, nodes) -> per node where it helps: who would have to go for one pod of the group, the highest priority among them, the sum, and since when the first of the highest runs. */
create function stark_internal.choose_victims(p_group stark_internal.pod_group, p_nodes integer[])
returns table (node_no integer, victims uuid[], highest integer, total bigint, started timestamptz)
language plpgsql
stable
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_pod record;
  v_node integer;
  v_cpu bigint;
  v_memory bigint;
  v_storage bigint;
  v_pods bigint;
begin
  -- Per node: all lower pods are taken away; then, from the highest down and the longest running first, each is put back that
  -- fits beside the newcomer. Those that are stopping already go in any case, and cost nothing.
  for v_pod in
    select n.node_no as no, p.id, p.priority, p.cpu_request as cpu, p.memory_request as memory, p.storage_request as storage,
           p.status = 'stopping' or p.id in (select v from pg_temp.pass_nominations m, unnest(m.victims) v) as goes,
           coalesce(p.started_at, p.scheduled_at, p.created_at) as since,
           n.free_cpu + sum(p.cpu_request) over w - p_group.cpu as room_cpu,
           n.free_memory + sum(p.memory_request) over w - p_group.memory as room_memory,
           n.free_storage + sum(p.storage_request) over w - p_group.storage as room_storage,
           n.free_pods + count(*) over w - 1 as room_pods
    from pg_temp.pass_nodes n
    join stark.pods p on p.node_id = n.node_id
    where n.node_no = any (p_nodes) and p.priority < p_group.priority and stark_internal.occupies(p.status)
    window w as (partition by n.node_no)
    order by n.node_no, goes desc, p.priority desc, since, p.id
  loop
    if v_node is distinct from v_pod.no then
      if v_node is not null and victims is not null then
        node_no := v_node;
        return next;
      end if;
      v_node := v_pod.no;
      v_cpu := v_pod.room_cpu;
      v_memory := v_pod.room_memory;
      v_storage := v_pod.room_storage;
      v_pods := v_pod.room_pods;
      highest := -1;
      total := 0;
      started := null;
      victims := case when (v_cpu >= 0 or p_group.cpu = 0) and (v_memory >= 0 or p_group.memory = 0)
                       and (v_storage >= 0 or p_group.storage = 0) and v_pods >= 0 then '{}'::uuid[] end;
    end if;
    continue when victims is null or v_pod.goes;
    if (v_cpu >= v_pod.cpu or p_group.cpu = 0) and (v_memory >= v_pod.memory or p_group.memory = 0)
       and (v_storage >= v_pod.storage or p_group.storage = 0) and v_pods >= 1 then
      v_cpu := v_cpu - v_pod.cpu;
      v_memory := v_memory - v_pod.memory;
      v_storage := v_storage - v_pod.storage;
      v_pods := v_pods - 1;
    else
      victims := victims || v_pod.id;
      total := total + v_pod.priority;
      if highest < v_pod.priority then
        highest := v_pod.priority;
        started := v_pod.since;
      end if;
    end if;
  end loop;
  if v_node is not null and victims is not null then
    node_no := v_node;
    return next;
  end if;
end;
$$;
comment on function stark_internal.choose_victims(stark_internal.pod_group, integer[]) is 'Who would have to go, node by node.';
revoke all on function stark_internal.choose_victims(stark_internal.pod_group, integer[]) from public, anon;

/** stark_internal.preempt(group, pods and their requests): finds each a node and the pods that have to go for it. */
create function stark_internal.preempt(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
returns void
language plpgsql
volatile
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_from integer := 1;
  v_until integer;
  v_nodes integer[];
  v_picked record;
  v_count integer;
begin
  -- Nodes that only lack room: what else rejects a node does not go away with its pods.
  select array_agg(n.node_no) into v_nodes
    from pg_temp.pass_nodes n
    where n.node_no not in (select r.node_no from stark_internal.rejections(p_group) r where r.reason not like 'insufficient %');
  while v_from <= cardinality(p_ids) and v_nodes is not null loop
    v_group.cpu := p_cpu[v_from];
    v_group.memory := p_memory[v_from];
    v_group.storage := p_storage[v_from];
    -- Pods that follow and ask for the same are served in the same look.
    select coalesce(min(u.ord) - 1, cardinality(p_ids)) into v_until
      from unnest(p_cpu, p_memory, p_storage) with ordinality as u (c, m, s, ord)
      where u.ord > v_from and (u.c, u.m, u.s) is distinct from (v_group.cpu, v_group.memory, v_group.storage);
    with chosen as materialized (
      select v.* from stark_internal.choose_victims(v_group, v_nodes) v
    ), ranked as (
      -- Kubernetes' order: the lowest highest victim, the lowest sum, the fewest, the latest start. Only nodes as good as the best
      -- are taken before looking again, since the best may be the best for the next pod too.
      select c.*, rank() over (order by c.highest, c.total, cardinality(c.victims)) as rank,
             row_number() over (order by c.highest, c.total, cardinality(c.victims), c.started desc, c.node_no) as ord
      from chosen c
    )
    select array_agg(r.node_no order by r.ord) as nodes, count(*)::integer as count into v_picked
      from ranked r where r.rank = 1 and r.ord <= v_until - v_from + 1;
    v_count := v_picked.count;
    if v_count = 0 then
      v_from := v_until + 1; -- evicts nobody where it would not help
      continue;
    end if;
    insert into pg_temp.pass_nominations
      select p_ids[v_from + u.ord - 1], u.node_no, v.victims
      from unnest(v_picked.nodes) with ordinality as u (node_no, ord)
      join stark_internal.choose_victims(v_group, v_picked.nodes) v on v.node_no = u.node_no;
    perform stark_internal.count_taken(v_group, v_picked.nodes,
      array_fill(v_group.cpu, array[v_count]), array_fill(v_group.memory, array[v_count]), array_fill(v_group.storage, array[v_count]));
    v_from := v_from + v_count;
  end loop;
end;
$$;
comment on function stark_internal.preempt(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) is 'Finds nodes where lower pods have to go.';
revoke all on function stark_internal.preempt(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) from public, anon;

/** stark_internal.place_nominated(group, pods and their requests, in order) -> those whose nomination helps no longer: binds the others to the nodes they were promised, or goes on keeping the place while somebody still has to leave. */
create function stark_internal.place_nominated(p_group stark_internal.pod_group, inout p_ids uuid[], inout p_cpu bigint[], inout p_memory bigint[], inout p_storage bigint[])
returns record
language plpgsql
volatile
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_zero stark_internal.pod_group := p_group;
begin
  v_zero.cpu := 0;
  v_zero.memory := 0;
  v_zero.storage := 0;
  create temporary table if not exists pass_nominated (ord bigint, pod_id uuid, node_no integer, cpu bigint, memory bigint, storage bigint, fits boolean, waits boolean) on commit delete rows;
  delete from pg_temp.pass_nominated;
  with rejected as materialized (
    select distinct r.node_no from stark_internal.rejections(v_zero) r where r.reason not like 'insufficient %'
  ), leaving as materialized (
    select distinct p.node_id from stark.pods p where p.status = 'stopping' and p.priority < p_group.priority
  )
  insert into pg_temp.pass_nominated
    select u.ord, u.id, n.node_no, u.c, u.m, u.s,
           n.node_no is not null and (u.c = 0 or sum(u.c) over w <= n.free_cpu) and (u.m = 0 or sum(u.m) over w <= n.free_memory)
             and (u.s = 0 or sum(u.s) over w <= n.free_storage) and count(*) over w <= n.free_pods,
           n.node_no is not null and l.node_id is not null
    from unnest(p_ids, p_cpu, p_memory, p_storage) with ordinality as u (id, c, m, s, ord)
    join pg_temp.pass_pods p on p.pod_id = u.id
    left join pg_temp.pass_nodes n on n.node_id = p.nominated_node_id and not exists (select from rejected r where r.node_no = n.node_no)
    left join leaving l on l.node_id = p.nominated_node_id
    window w as (partition by n.node_no order by u.ord);
  insert into pg_temp.pass_bindings select t.pod_id, t.node_no, t.cpu, t.memory, t.storage from pg_temp.pass_nominated t where t.fits order by t.ord;
  -- Those that wait keep their place: for the rest of the pass it is taken, and their nomination is as it was.
  insert into pg_temp.pass_nominations select t.pod_id, t.node_no, '{}' from pg_temp.pass_nominated t where t.waits and not t.fits order by t.ord;
  perform stark_internal.count_taken(p_group, array_agg(t.node_no), array_agg(t.cpu), array_agg(t.memory), array_agg(t.storage))
    from pg_temp.pass_nominated t where t.fits or t.waits having count(*) > 0;
  select array_agg(t.pod_id order by t.ord), array_agg(t.cpu order by t.ord), array_agg(t.memory order by t.ord), array_agg(t.storage order by t.ord)
    into p_ids, p_cpu, p_memory, p_storage
    from pg_temp.pass_nominated t where not (t.fits or t.waits);
end;
$$;
comment on function stark_internal.place_nominated(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) is 'Places pods on the nodes that were kept for them.';
revoke all on function stark_internal.place_nominated(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) from public, anon;
