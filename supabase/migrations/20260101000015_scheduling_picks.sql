-- Picking: which slots of a group are taken, in which order. Rules about other pods that the group's own pods count for change
-- with each pick: anti-affinity leaves one slot a domain, spread fills the emptiest domain first.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.own_rules(group): rules of the group that its own pods count for and that keep them apart, hard ones first. */
create function stark_internal.own_rules(p_group stark_internal.pod_group)
returns table (kind text, selector_no integer, topology_key text, max_skew integer)
language sql
stable
set search_path = ''
as $$
select r.kind, r.selector_no, r.topology_key, r.max_skew
from pg_temp.pass_rules r
where r.rules_no = p_group.rules_no
  and r.selector_no = any (p_group.matches)
  and (r.kind in ('spread', 'anti_affinity', 'prefer_spread') or (r.kind = 'prefer' and r.weight < 0))
order by r.kind in ('spread', 'anti_affinity') desc, r.kind, r.topology_key, r.selector_no;
$$;
comment on function stark_internal.own_rules(stark_internal.pod_group) is 'Rules of a group that keep its own pods apart.';
revoke all on function stark_internal.own_rules(stark_internal.pod_group) from public, anon;

/** stark_internal.pick_slots(group, wanted) -> nodes in the order in which pods take them, at most so many; fewer where rules make it necessary to look again in between. */
create function stark_internal.pick_slots(p_group stark_internal.pod_group, p_wanted integer)
returns integer[]
language plpgsql
stable
set search_path = ''
set enable_nestloop = off
set plan_cache_mode = force_generic_plan
as $$
declare
  v_kind text;
  v_selector integer;
  v_key text;
  v_skew integer;
  v_second text;
  v_hard integer := 0;
  v_wanted integer := p_wanted;
  v_most bigint;
  v_nodes integer[];
  v_more boolean;
  v_prefers boolean := p_group.template ? 'preferred' or p_group.rules_no is not null or p_group.matches is not null
    or (select f.has_tainted from pg_temp.pass_facts f);
begin
  if p_group.rules_no is not null then
    if exists (
      select from pg_temp.pass_rules r
      where r.rules_no = p_group.rules_no and r.selector_no = any (p_group.matches)
        and r.kind = 'prefer' and r.weight > 0
        and not exists (select from pg_temp.pass_counts c where c.selector_no = r.selector_no)
    ) or stark_internal.is_first_of_its_kind(p_group) then
      v_wanted := 1; -- the others will want to be where the first is
    end if;
    select r.kind, r.selector_no, r.topology_key, r.max_skew into v_kind, v_selector, v_key, v_skew from stark_internal.own_rules(p_group) r limit 1;
    select count(*) filter (where r.kind in ('spread', 'anti_affinity')), (array_agg(r.topology_key))[2] into v_hard, v_second
      from stark_internal.own_rules(p_group) r;
    if v_hard <> 2 then
      v_second := null;
    end if;
    if v_hard > 2 then
      v_wanted := 1;
    end if;
  end if;
  v_most := greatest(2, 2 * v_wanted / greatest((select f.nodes from pg_temp.pass_facts f), 1));
  loop
    if v_kind is null then
      with preferred as materialized (
        select p.node_no, sum(p.score) as score from stark_internal.preferences(p_group) p where v_prefers group by p.node_no
      ), picked as (
        select s.node_no, s.slot = v_most and s.slots > v_most as more, row_number() over (order by s.score + coalesce(p.score, 0) desc, s.node_no, s.slot) as ord
        from stark_internal.score_slots(p_group, v_most, case when not v_prefers then v_wanted end) s
        left join preferred p using (node_no)
        order by s.score + coalesce(p.score, 0) desc, s.node_no, s.slot limit v_wanted
      )
      select array_agg(p.node_no order by p.ord), bool_or(p.more) into v_nodes, v_more from picked p;
    else
      with preferred as materialized (
        select p.node_no, sum(p.score) as score from stark_internal.preferences(p_group) p group by p.node_no
      ), slots as materialized (
        select s.node_no, s.slot, s.slots, s.score + coalesce(p.score, 0) as score,
               n.labels ->> v_key as domain, n.labels ->> v_second as second_domain
        from stark_internal.score_slots(p_group, v_most) s
        join pg_temp.pass_nodes n using (node_no)
        left join preferred p using (node_no)
      ), domains as materialized (
        select d.domain, d.pods,
               -- The emptiest domain can rise no higher than its room; others may be max_skew above it at the end.
               case when d.is_short then 0 else min(d.pods + coalesce(o.slots, 0)) over () end as stuck
        from stark_internal.spread_domains(p_group, v_kind) d
        left join (select s.domain, sum(s.slots) filter (where s.slot = 1) as slots from slots s group by s.domain) o using (domain)
        where d.selector_no = v_selector and d.topology_key = v_key
      ), ranked as (
        select s.*, row_number() over (partition by s.domain order by s.score desc, s.node_no, s.slot) as rank from slots s
      ), levelled as (
        select r.*, coalesce(d.pods, 0) + r.rank as level,
               case v_kind
                 when 'anti_affinity' then r.domain is null or r.rank = 1
                 when 'spread' then coalesce(d.pods, 0) + r.rank <= v_skew + d.stuck
                   and (v_hard = 1 or r.rank = 1)
                 else true
               end as is_open
        from ranked r left join domains d on d.domain = r.domain
      ), apart as (
        select l.*, v_second is null or l.second_domain is null
                    or row_number() over (partition by l.second_domain order by l.level, l.score desc, l.node_no, l.slot) = 1 as is_alone
        from levelled l where l.is_open
      ), picked as (
        select a.node_no, a.slot = v_most and a.slots > v_most as more,
               row_number() over (order by case when v_kind <> 'anti_affinity' then a.level end, a.score desc, a.node_no, a.slot) as ord
        from apart a where a.is_alone
        order by ord limit v_wanted
      )
      select array_agg(p.node_no order by p.ord), bool_or(p.more) into v_nodes, v_more from picked p;
    end if;
    -- A node of which all the slots looked at were taken may have another that is better than what was taken elsewhere.
    exit when v_more is not true or v_most >= v_wanted;
    v_most := least(v_most * 4, v_wanted);
  end loop;
  return coalesce(v_nodes, '{}');
end;
$$;
comment on function stark_internal.pick_slots(stark_internal.pod_group, integer) is 'The nodes that pods of a group take, in order.';
revoke all on function stark_internal.pick_slots(stark_internal.pod_group, integer) from public, anon;

/** stark_internal.take_slots(group, pods and their requests, in order) -> how many were given a node. */
create function stark_internal.take_slots(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
returns integer
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_nodes integer[] := stark_internal.pick_slots(p_group, cardinality(p_ids));
begin
  if cardinality(v_nodes) = 0 then
    return 0;
  end if;
  insert into pg_temp.pass_bindings
    select u.pod_id, u.node_no, u.cpu, u.memory, u.storage
    from unnest(p_ids, v_nodes, p_cpu, p_memory, p_storage) as u (pod_id, node_no, cpu, memory, storage)
    where u.node_no is not null;
  perform stark_internal.count_taken(p_group, v_nodes, p_cpu[:cardinality(v_nodes)], p_memory[:cardinality(v_nodes)], p_storage[:cardinality(v_nodes)]);
  return cardinality(v_nodes);
end;
$$;
comment on function stark_internal.take_slots(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) is 'Gives nodes to pods of a group, in their order.';
revoke all on function stark_internal.take_slots(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) from public, anon;

/** stark_internal.count_taken(group, nodes, requests): what pods that were given these nodes change for the rest of the pass. */
create function stark_internal.count_taken(p_group stark_internal.pod_group, p_nodes integer[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  update pg_temp.pass_nodes n set
      free_cpu = n.free_cpu - t.cpu, free_memory = n.free_memory - t.memory, free_storage = n.free_storage - t.storage, free_pods = n.free_pods - t.pods
    from (
      select u.node_no, sum(u.cpu) as cpu, sum(u.memory) as memory, sum(u.storage) as storage, count(*) as pods
      from unnest(p_nodes, p_cpu, p_memory, p_storage) as u (node_no, cpu, memory, storage) group by u.node_no) t
    where n.node_no = t.node_no;
  if p_group.matches is not null then
    insert into pg_temp.pass_counts
      select m, u.node_no, count(*), count(*) from unnest(p_nodes) as u (node_no) cross join unnest(p_group.matches) m group by m, u.node_no;
  end if;
  if p_group.rules_no is not null then
    insert into pg_temp.pass_bans
      select r.selector_no, r.topology_key, u.node_no, count(*)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
      group by 1, 2, 3;
    insert into pg_temp.pass_wishes
      select r.selector_no, r.topology_key, u.node_no, sum(r.weight)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind in ('prefer', 'company')
      group by 1, 2, 3;
  end if;
end;
$$;
comment on function stark_internal.count_taken(stark_internal.pod_group, integer[], bigint[], bigint[], bigint[]) is 'Counts pods that were given nodes.';
revoke all on function stark_internal.count_taken(stark_internal.pod_group, integer[], bigint[], bigint[], bigint[]) from public, anon;

/** stark_internal.place_pods(group, pods and their requests, in order) -> those that fit nowhere. */
create function stark_internal.place_pods(p_group stark_internal.pod_group, inout p_ids uuid[], inout p_cpu bigint[], inout p_memory bigint[], inout p_storage bigint[])
returns record
language plpgsql
volatile
set search_path = ''
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_taken integer;
  v_same boolean;
  v_failed_ids uuid[] := '{}';
  v_failed_cpu bigint[] := '{}';
  v_failed_memory bigint[] := '{}';
  v_failed_storage bigint[] := '{}';
  v_fails boolean[];
begin
  loop
    select max(u.c), max(u.m), max(u.s), min(u.c) = max(u.c) and min(u.m) = max(u.m) and min(u.s) = max(u.s)
      into v_group.cpu, v_group.memory, v_group.storage, v_same
      from unnest(p_cpu, p_memory, p_storage) as u (c, m, s);
    exit when coalesce(cardinality(p_ids), 0) = 0;
    -- Slots for the largest request take any of the pods, so pods of many sizes are placed together, oldest first.
    v_taken := stark_internal.take_slots(v_group, p_ids, p_cpu, p_memory, p_storage);
    if v_taken = 0 then
      exit when v_same;
      -- The largest have no room. The oldest pod has its turn alone; if it fails, so do all that ask for no less.
      v_group.cpu := p_cpu[1];
      v_group.memory := p_memory[1];
      v_group.storage := p_storage[1];
      v_taken := stark_internal.take_slots(v_group, p_ids[1:1], p_cpu[1:1], p_memory[1:1], p_storage[1:1]);
      if v_taken = 0 then
        select array_agg(u.c >= v_group.cpu and u.m >= v_group.memory and u.s >= v_group.storage
                 or u.c > b.cpu or u.m > b.memory or u.s > b.storage order by u.ord) into v_fails
          from unnest(p_cpu, p_memory, p_storage) with ordinality as u (c, m, s, ord)
          cross join (select greatest(max(n.free_cpu), 0) as cpu, greatest(max(n.free_memory), 0) as memory, greatest(max(n.free_storage), 0) as storage from pg_temp.pass_nodes n) b;
        select v_failed_ids || array_agg(u.id order by u.ord) filter (where u.fails), v_failed_cpu || array_agg(u.c order by u.ord) filter (where u.fails),
               v_failed_memory || array_agg(u.m order by u.ord) filter (where u.fails), v_failed_storage || array_agg(u.s order by u.ord) filter (where u.fails),
               array_agg(u.id order by u.ord) filter (where not u.fails), array_agg(u.c order by u.ord) filter (where not u.fails),
               array_agg(u.m order by u.ord) filter (where not u.fails), array_agg(u.s order by u.ord) filter (where not u.fails)
          into v_failed_ids, v_failed_cpu, v_failed_memory, v_failed_storage, p_ids, p_cpu, p_memory, p_storage
          from unnest(p_ids, p_cpu, p_memory, p_storage, v_fails) with ordinality as u (id, c, m, s, fails, ord);
        continue;
      end if;
    end if;
    p_ids := p_ids[v_taken + 1:];
    p_cpu := p_cpu[v_taken + 1:];
    p_memory := p_memory[v_taken + 1:];
    p_storage := p_storage[v_taken + 1:];
  end loop;
  p_ids := v_failed_ids || p_ids;
  p_cpu := v_failed_cpu || p_cpu;
  p_memory := v_failed_memory || p_memory;
  p_storage := v_failed_storage || p_storage;
end;
$$;
comment on function stark_internal.place_pods(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) is 'Places pods of a group; tells those that fit nowhere.';
revoke all on function stark_internal.place_pods(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) from public, anon;

/** stark_internal.keep_reasons(group, pods and their requests): why these fit nowhere, e.g. "0/2 nodes: 1 insufficient cpu, 1 taint dedicated=gpu:NoSchedule". Every failing filter of every node counts. */
create function stark_internal.keep_reasons(p_group stark_internal.pod_group, p_ids uuid[], p_cpu bigint[], p_memory bigint[], p_storage bigint[])
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_cpu bigint[];
  v_memory bigint[];
  v_storage bigint[];
begin
  v_group.cpu := 0;
  v_group.memory := 0;
  v_group.storage := 0;
  -- How many nodes have less than what is asked for is looked up in a sorted list: pods of many sizes need no pass over the nodes each.
  select array_agg(n.free_cpu order by n.free_cpu) into v_cpu from pg_temp.pass_nodes n;
  select array_agg(n.free_memory order by n.free_memory) into v_memory from pg_temp.pass_nodes n;
  select array_agg(n.free_storage order by n.free_storage) into v_storage from pg_temp.pass_nodes n;
  with common as materialized (
    select r.reason, count(distinct r.node_no) as nodes from stark_internal.rejections(v_group) r group by r.reason
  ), wants as (
    select u.c, u.m, u.s, array_agg(u.id) as ids from unnest(p_ids, p_cpu, p_memory, p_storage) as u (id, c, m, s) group by u.c, u.m, u.s
  ), messages as (
    select w.ids, left(format('0/%s nodes', coalesce(cardinality(v_cpu), 0))
      || coalesce(': ' || (
        select string_agg(l.nodes || ' ' || l.reason, ', ' order by l.nodes desc, l.reason)
        from (
          select c.reason, c.nodes from common c
          union all select 'insufficient cpu', width_bucket(w.c - 1, v_cpu) where w.c > 0
          union all select 'insufficient memory', width_bucket(w.m - 1, v_memory) where w.m > 0
          union all select 'insufficient storage', width_bucket(w.s - 1, v_storage) where w.s > 0
        ) l
        where l.nodes > 0), ''), 4096) as message
    from wants w
  )
  insert into pg_temp.pass_reasons select i, m.message from messages m cross join unnest(m.ids) i;
end;
$$;
comment on function stark_internal.keep_reasons(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) is 'Keeps why pods fit nowhere, counted per node.';
revoke all on function stark_internal.keep_reasons(stark_internal.pod_group, uuid[], bigint[], bigint[], bigint[]) from public, anon;
