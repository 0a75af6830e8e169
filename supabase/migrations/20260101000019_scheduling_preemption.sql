-- Preemption: a pod that fits nowhere evicts pods of lower priority where that makes room for it. It waits for the node until they
-- have ended; no other pod of its priority or a lower one gets the place meanwhile.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/**
 * stark_internal.blocking_rules(group) -> the rules about other pods by which nodes are rejected, and the ports that they have: how
 * many of the pods that count for the rule must leave the node, and those of them that the group may push out. A rule that needs
 * more than these does not give way; null where no pod is to blame.
 */
create function stark_internal.blocking_rules(p_group stark_internal.pod_group)
returns table (node_no integer, rule integer, must_leave bigint, pods uuid[])
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
begin
  if p_group.rules_no is null and p_group.matches is null and not p_group.template ? 'ports' then
    return;
  end if;
  return query
    with keepers as (
      -- Where anti-affinity of placed pods rejects a domain, all of those pods must leave.
      select 'avoided' as kind, r.selector_no, r.topology_key, c.node_no, c.pods
      from (select distinct u.selector_no, u.topology_key from pg_temp.pass_rules u where u.rules_no = p_group.rules_no and u.kind = 'anti_affinity') r
      join pg_temp.pass_counts c using (selector_no)
      union all
      select 'avoids', b.selector_no, b.topology_key, b.node_no, b.pods from pg_temp.pass_anti_affinity_counts b where b.selector_no = any (p_group.matches)
    ), kept as materialized (
      select k.kind, k.selector_no, k.topology_key, d.domain, sum(k.pods)::bigint as pods
      from keepers k join pg_temp.pass_domains d using (topology_key, node_no)
      group by 1, 2, 3, 4
    ), spread as materialized (
      select r.selector_no, r.topology_key, d.domain, d.pods + (r.selector_no = any (coalesce(p_group.matches, '{}')))::integer - d.fewest - r.max_skew as excess
      from pg_temp.pass_rules r left join stark_internal.spread_domains(p_group, 'spread') d on d.selector_no = r.selector_no and d.topology_key = r.topology_key
      where r.rules_no = p_group.rules_no and r.kind = 'spread'
    ), blocks as materialized (
      select n.node_no, n.node_id, k.kind, k.selector_no, k.topology_key, k.pods as must_leave
      from kept k join pg_temp.pass_domains d using (topology_key, domain) join pg_temp.pass_nodes n using (node_no)
      union all
      select n.node_no, n.node_id, 'spread', t.selector_no, t.topology_key, s.excess
      from (select distinct s.selector_no, s.topology_key from spread s) t
      cross join pg_temp.pass_nodes n
      left join pg_temp.pass_domains d on d.topology_key = t.topology_key and d.node_no = n.node_no
      left join spread s on s.selector_no = t.selector_no and s.topology_key = t.topology_key and s.domain = d.domain
      where s.excess is null or s.excess > 0
      union all
      select n.node_no, n.node_id, 'port', t.port, '', sum(t.pods)::bigint
      from pg_temp.pass_ports t join pg_temp.pass_nodes n using (node_no)
      where t.port in (select w::integer from jsonb_array_elements(p_group.template -> 'ports') w)
      group by n.node_no, n.node_id, t.port having sum(t.pods) > 0
    ), lower as materialized (
      select p.id, p.node_id, p.namespace, p.labels,
             p.status = 'stopping' or p.id in (select v from pg_temp.pass_nominations m, unnest(m.victims) v) as goes,
             stark_internal.with_label_keys(p.spec #> '{affinity,podAntiAffinity}', p.labels) as rules, p.spec -> 'ports' as ports
      from stark.pods p join pg_temp.pass_nodes n on n.node_id = p.node_id
      where p.priority < p_group.priority and stark_internal.occupies(p.status) and p.node_id in (select b.node_id from blocks b)
        and (p.created_by is distinct from n.owner_id or n.owner_id::text = p_group.template ->> 'owner')
    ), held as materialized (
      select distinct h.namespace, h.rules, s.selector_no, r.topology_key
      from (select distinct l.namespace, l.rules from lower l where l.rules is not null) h
      cross join lateral stark_internal.rules_of(h.namespace, jsonb_build_object('podAntiAffinity', h.rules)) r
      join pg_temp.pass_selectors s using (terms)
      where r.kind = 'anti_affinity'
    ), culprits as (
      select b.kind, b.selector_no, b.topology_key, l.node_id, l.id
      from (select distinct b.kind, b.selector_no, b.topology_key from blocks b where b.kind in ('avoided', 'spread')) b
      join pg_temp.pass_selectors s using (selector_no)
      join lower l on stark_internal.matches_terms(l.namespace, l.labels, s.terms)
      -- Spread does not count those that are stopping, or will be.
      where b.kind = 'avoided' or not l.goes
      union all
      select 'avoids', h.selector_no, h.topology_key, l.node_id, l.id from lower l join held h using (namespace, rules)
      union all
      select 'port', (d.port -> 'port')::integer, '', l.node_id, l.id
      from lower l cross join lateral jsonb_array_elements(l.ports) as d (port) where d.port ? 'port'
    )
    select b.node_no, row_number() over (partition by b.node_no order by b.kind, b.selector_no, b.topology_key)::integer, b.must_leave,
           coalesce(array_agg(c.id) filter (where c.id is not null), '{}')
    from blocks b
    left join culprits c on c.node_id = b.node_id and c.kind = b.kind and c.selector_no = b.selector_no and c.topology_key = b.topology_key
    group by b.node_no, b.kind, b.selector_no, b.topology_key, b.must_leave;
end;
$$;
comment on function stark_internal.blocking_rules(stark_internal.pod_group) is 'Rules about other pods that reject nodes, and who would have to leave.';
revoke all on function stark_internal.blocking_rules(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.choose_victims(group, nodes) -> per node with lower pods: who would have to go for one pod of the group, the
 * highest priority among them, the sum, and since when the first of the highest runs; victims is null where it does not help.
 * least_request, most_request: cpu, memory and storage from which and up to which this node's answer is the same; the most is
 * also all that it has for newcomers then, and most_pods how many it takes. lowest_kept: the lowest priority that need not go, and of
 * the pods that have it latest_kept: the latest start, and most_kept: the most cpu, memory and storage that one has.
 * A victim is never a pod that fits beside the newcomer and those put back before it, and never one that is stopping anyway.
 * Reads pods and the working tables of nodes and nominations, and what blocking_rules reads; writes none.
 */
create function stark_internal.choose_victims(p_group stark_internal.pod_group, p_nodes integer[])
returns table (node_no integer, victims uuid[], highest integer, total bigint, started timestamptz, least_request bigint[], most_request bigint[], most_pods bigint, lowest_kept integer, latest_kept timestamptz, most_kept bigint[])
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_pod record;
  v_left bigint;
  v_cpu bigint;
  v_memory bigint;
  v_storage bigint;
  v_pods bigint;
  v_spare bigint[];
  v_kept_cpu bigint;
  v_kept_memory bigint;
  v_kept_storage bigint;
  v_rule integer;
  -- A request of zero fits where a small one does not, so it shares its answer with no other request.
  v_least bigint[] := array[sign(p_group.cpu), sign(p_group.memory), sign(p_group.storage)];
  v_most bigint[] := array[sign(p_group.cpu) * 9e18, sign(p_group.memory) * 9e18, sign(p_group.storage) * 9e18];
begin
  -- Per node: all lower pods are taken away; then, from the highest down and the longest running first, each is put back that
  -- fits beside the newcomer and that no rule needs gone. Those that are stopping already go in any case, and cost nothing.
  for v_pod in
    with blocking as materialized (
      select b.* from stark_internal.blocking_rules(p_group) b where b.node_no in (select unnest(p_nodes))
    ), spare as (
      select b.node_no, array_agg(cardinality(b.pods) - b.must_leave order by b.rule) as spare from blocking b group by b.node_no
    ), counted as (
      select u.id, array_agg(b.rule) as rules from blocking b cross join unnest(b.pods) as u (id) group by u.id
    )
    select n.node_no as no, p.id, p.priority, p.cpu_request as cpu, p.memory_request as memory, p.storage_request as storage,
           p.status = 'stopping' or p.id in (select v from pg_temp.pass_nominations m, unnest(m.victims) v) as goes,
           coalesce(p.started_at, p.scheduled_at, p.created_at) as since,
           n.free_cpu + sum(p.cpu_request) over w - p_group.cpu as room_cpu,
           n.free_memory + sum(p.memory_request) over w - p_group.memory as room_memory,
           n.free_storage + sum(p.storage_request) over w - p_group.storage as room_storage,
           n.free_pods + count(*) over w - 1 as room_pods,
           count(*) over w as lower_pods,
           s.spare, c.rules
    from unnest(p_nodes) as u (no)
    join pg_temp.pass_nodes n on n.node_no = u.no
    -- By the index, node by node: reading all pods for these few nodes would be most of the cost.
    cross join lateral (
      select l.* from stark.pods l
      where l.node_id = n.node_id and l.priority < p_group.priority and stark_internal.occupies(l.status)
        -- Only pods of a node's owner may evict pods of that owner.
        and (l.created_by is distinct from n.owner_id or n.owner_id::text = p_group.template ->> 'owner') offset 0
    ) p
    left join spare s on s.node_no = n.node_no
    left join counted c on c.id = p.id
    window w as (partition by n.node_no)
    order by n.node_no, goes desc, p.priority desc, since, p.id
  loop
    if node_no is distinct from v_pod.no then
      node_no := v_pod.no;
      v_left := v_pod.lower_pods;
      v_cpu := v_pod.room_cpu;
      v_memory := v_pod.room_memory;
      v_storage := v_pod.room_storage;
      v_pods := v_pod.room_pods;
      v_spare := v_pod.spare;
      victims := '{}';
      highest := -1;
      total := 0;
      started := null;
      least_request := v_least;
      most_request := v_most;
      most_pods := 0;
      lowest_kept := null;
      latest_kept := null;
      -- Where several things are short, any one of them holds the answer.
      if v_pods < 0 then
        victims := null;
      elsif v_cpu < 0 and p_group.cpu > 0 then
        victims := null;
        least_request[1] := greatest(1, p_group.cpu + v_cpu + 1);
      elsif v_memory < 0 and p_group.memory > 0 then
        victims := null;
        least_request[2] := greatest(1, p_group.memory + v_memory + 1);
      elsif v_storage < 0 and p_group.storage > 0 then
        victims := null;
        least_request[3] := greatest(1, p_group.storage + v_storage + 1);
      end if;
    end if;
    if victims is not null and not v_pod.goes then
      if v_pods < 1 or (v_pod.rules is not null and exists (select from unnest(v_pod.rules) r where v_spare[r] <= 0)) then
        victims := victims || v_pod.id;
      elsif v_cpu < v_pod.cpu and p_group.cpu > 0 then
        victims := victims || v_pod.id;
        least_request[1] := greatest(least_request[1], p_group.cpu + v_cpu - v_pod.cpu + 1);
      elsif v_memory < v_pod.memory and p_group.memory > 0 then
        victims := victims || v_pod.id;
        least_request[2] := greatest(least_request[2], p_group.memory + v_memory - v_pod.memory + 1);
      elsif v_storage < v_pod.storage and p_group.storage > 0 then
        victims := victims || v_pod.id;
        least_request[3] := greatest(least_request[3], p_group.storage + v_storage - v_pod.storage + 1);
      else
        foreach v_rule in array coalesce(v_pod.rules, '{}') loop
          v_spare[v_rule] := v_spare[v_rule] - 1;
        end loop;
        v_cpu := v_cpu - v_pod.cpu;
        v_memory := v_memory - v_pod.memory;
        v_storage := v_storage - v_pod.storage;
        v_pods := v_pods - 1;
        if v_pod.priority = lowest_kept then
          latest_kept := greatest(latest_kept, v_pod.since);
          v_kept_cpu := greatest(v_kept_cpu, v_pod.cpu);
          v_kept_memory := greatest(v_kept_memory, v_pod.memory);
          v_kept_storage := greatest(v_kept_storage, v_pod.storage);
        else
          lowest_kept := v_pod.priority;
          latest_kept := v_pod.since;
          v_kept_cpu := v_pod.cpu;
          v_kept_memory := v_pod.memory;
          v_kept_storage := v_pod.storage;
        end if;
      end if;
      if victims[cardinality(victims)] = v_pod.id then
        total := total + v_pod.priority;
        if highest < v_pod.priority then
          highest := v_pod.priority;
          started := v_pod.since;
        end if;
      end if;
    end if;
    v_left := v_left - 1;
    if v_left = 0 then
      if victims is not null then
        most_request := array[
          case when p_group.cpu > 0 then p_group.cpu + v_cpu else 0 end,
          case when p_group.memory > 0 then p_group.memory + v_memory else 0 end,
          case when p_group.storage > 0 then p_group.storage + v_storage else 0 end];
        most_pods := 1 + v_pods;
      end if;
      most_kept := case when lowest_kept is not null then array[v_kept_cpu, v_kept_memory, v_kept_storage] end;
      return next;
    end if;
  end loop;
end;
$$;
comment on function stark_internal.choose_victims(stark_internal.pod_group, integer[]) is 'Who would have to go, node by node.';
revoke all on function stark_internal.choose_victims(stark_internal.pod_group, integer[]) from public, anon;

/**
 * stark_internal.nodes_losing_affinity(group) -> nodes where all pods that satisfy the group's required affinity are pods of that node with a lower
 * priority. As in Kubernetes no pod is evicted there: the affinity would no longer hold without them.
 */
create function stark_internal.nodes_losing_affinity(p_group stark_internal.pod_group)
returns table (node_no integer)
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
begin
  if not exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'affinity') then
    return;
  end if;
  return query
    with rules as materialized (
      select distinct r.selector_no, r.topology_key from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'affinity'
    ), lower as materialized (
      select n.node_no, p.namespace, p.labels, count(*) as pods
      from stark.pods p join pg_temp.pass_nodes n on n.node_id = p.node_id
      where p.priority < p_group.priority and stark_internal.occupies(p.status)
        and (p.created_by is distinct from n.owner_id or n.owner_id::text = p_group.template ->> 'owner')
      group by 1, 2, 3
    ), matched as materialized (
      select d.namespace, d.labels, s.selector_no
      from (select distinct l.namespace, l.labels from lower l) d
      join pg_temp.pass_selectors s on stark_internal.matches_terms(d.namespace, d.labels, s.terms)
      where s.selector_no in (select r.selector_no from rules r)
    ), fleeting as materialized (
      select l.node_no, m.selector_no, sum(l.pods) as pods from lower l join matched m using (namespace, labels) group by 1, 2
    ), there as materialized (
      select r.selector_no, r.topology_key, d.domain, sum(c.pods) as pods
      from rules r join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
      group by 1, 2, 3
    )
    select distinct f.node_no
    from fleeting f
    join rules r using (selector_no)
    join pg_temp.pass_domains d on d.topology_key = r.topology_key and d.node_no = f.node_no
    join there t on t.selector_no = f.selector_no and t.topology_key = r.topology_key and t.domain = d.domain
    where t.pods <= f.pods
      -- The first of its kind needs no other pod, and pods outside all domains do not count.
      and not (f.selector_no = any (coalesce(p_group.matches, '{}'))
               and (select sum(c.pods) from pg_temp.pass_counts c where c.selector_no = f.selector_no
                      and c.node_no in (select k.node_no from rules u join pg_temp.pass_domains k using (topology_key))) <= f.pods);
end;
$$;
comment on function stark_internal.nodes_losing_affinity(stark_internal.pod_group) is 'Nodes where only pods of lower priority satisfy the required affinity.';
revoke all on function stark_internal.nodes_losing_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.preemptable_nodes(group) -> nodes that are rejected only by what evicting pods of lower priority can remove: lack of room, and rules about other pods. Null for none. */
create function stark_internal.preemptable_nodes(p_group stark_internal.pod_group)
returns integer[]
language sql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
select array_agg(n.node_no)
from pg_temp.pass_nodes n
where n.node_no not in (
    select r.node_no from stark_internal.rejections(p_group) r
    where r.filter in (select g.name from stark_internal.scheduling_plugins g where g.kind = 'filter' and not g.is_resolvable))
  and n.node_no not in (
    select b.node_no from stark_internal.blocking_rules(p_group) b where b.must_leave is null or cardinality(b.pods) < b.must_leave)
  and n.node_no not in (select d.node_no from stark_internal.nodes_losing_affinity(p_group) d);
$$;
comment on function stark_internal.preemptable_nodes(stark_internal.pod_group) is 'Nodes where preemption may help.';
revoke all on function stark_internal.preemptable_nodes(stark_internal.pod_group) from public, anon;

/** stark_internal.placed_individually(group): whether a placement of one pod of the group, or the pods evicted for it, may change where the next one fits. */
create function stark_internal.placed_individually(p_group stark_internal.pod_group)
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return p_group.template ? 'ports' or exists (
    select from pg_temp.pass_rules r
    where r.rules_no = p_group.rules_no
      and (r.kind = 'spread' or (r.kind in ('affinity', 'anti_affinity') and r.selector_no = any (p_group.matches))));
end;
$$;
comment on function stark_internal.placed_individually(stark_internal.pod_group) is 'Whether pods of the group have to be looked at one by one.';
revoke all on function stark_internal.placed_individually(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.preempt(group, pods, attempts) -> whether some were not tried: finds each a node and the pods that have
 * to go for it. As kube-scheduler does (minCandidateNodesAbsolute, minCandidateNodesPercentage), it looks at a tenth of the nodes,
 * 100 at least, and at more only where that does not help. Pods that are placed individually cost an attempt each, under the lock: after so many
 * the others are left to the next pass. Pods evicted for one of them may open a node for the next one, which is then placed there at once.
 * Each pod is nominated once, no victim is named twice, and what was nominated before counts as if it were there. Reads the working tables of nodes
 * and rules; writes those of nominations and counts, what count_taken writes, and by take_slots bindings.
 */
create function stark_internal.preempt(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[], p_attempts integer default stark_internal.call_limit('groups_of_a_pass'))
returns boolean
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_pod stark_internal.pod_request;
  v_from integer := 1;
  v_until integer;
  v_served integer;
  v_unhelped integer;
  v_nodes integer[];
  v_first integer;
  v_part integer;
  v_tried integer := 0;
  v_picked integer[];
  v_spreads boolean := exists (select from pg_temp.pass_rules r where r.kind in ('spread', 'prefer_spread'));
  v_individually boolean := stark_internal.placed_individually(p_group);
  v_attempts integer := 0;
begin
  while v_from <= cardinality(p_pods) loop
    exit when v_individually and v_from > 1 and v_attempts >= p_attempts;
    v_attempts := v_attempts + 1;
    v_pod := p_pods[v_from];
    if v_nodes is null or (v_individually and v_tried = 0) then
      v_nodes := stark_internal.preemptable_nodes(p_group);
      if v_nodes is null then
        return false;
      end if;
      -- Where it begins to look depends on the pod, so that not always the same nodes are asked for their pods.
      v_first := abs(hashtext(v_pod.pod_id::text) % cardinality(v_nodes));
      v_nodes := v_nodes[v_first + 1:] || v_nodes[:v_first];
      v_part := greatest(100, cardinality(v_nodes) / 10);
    end if;
    v_group.cpu := v_pod.cpu;
    v_group.memory := v_pod.memory;
    v_group.storage := v_pod.storage;
    if v_individually and v_from > 1 and v_tried = 0 and stark_internal.take_slots(v_group, p_pods[v_from:v_from]) = 1 then
      v_from := v_from + 1;
      continue;
    end if;
    -- One evaluation of the nodes serves the pods that follow too, as long as their requests change no node's answer. Kubernetes' order: the
    -- lowest highest victim, the fewest, the lowest sum, the latest start. A node takes as many as it has room for when these
    -- victims have gone; then the next, if it is as good as the best. Where it is not sure how many those are (slots: of the
    -- largest, most_slots: of the smallest), or where what is left may be better than the next (lower pods, or as high ones, of which
    -- fewer may do, or as many that started later), it has to be looked at again before that.
    with chosen as materialized (
      select c.* from stark_internal.choose_victims(v_group, v_nodes[:v_part]) c
    ), same as (
      select max(c.least_request[1]) as least_cpu, max(c.least_request[2]) as least_memory, max(c.least_request[3]) as least_storage,
             min(c.most_request[1]) as most_cpu, min(c.most_request[2]) as most_memory, min(c.most_request[3]) as most_storage
      from chosen c
    ), served as materialized (
      select coalesce(min(u.ordinality), cardinality(p_pods) + 1) - v_from as pods
      from same s, unnest(p_pods) with ordinality u
      where u.ordinality > v_from and not (u.cpu between s.least_cpu and s.most_cpu and u.memory between s.least_memory and s.most_memory
                                           and u.storage between s.least_storage and s.most_storage)
    ), asked as materialized (
      select case when v_individually then 1 else s.pods end as pods, max(u.cpu) as most_cpu, max(u.memory) as most_memory, max(u.storage) as most_storage,
             min(u.cpu) as least_cpu, min(u.memory) as least_memory, min(u.storage) as least_storage
      from served s, unnest(p_pods[v_from:]) with ordinality u
      where u.ordinality <= s.pods
      group by s.pods
    ), ranked as (
      select c.*, rank() over (order by c.highest, cardinality(c.victims), c.total) as rank
      from chosen c
      where c.victims is not null
    ), best as (
      select r.node_no, r.victims, r.highest, r.lowest_kept, r.started, r.latest_kept, row_number() over (order by r.started desc, r.node_no) as ord,
             cardinality(r.victims) as fewest, r.most_request, r.most_kept, a.least_cpu, a.least_memory, a.least_storage,
             least(a.pods, r.most_pods, r.most_request[1] / nullif(a.most_cpu, 0), r.most_request[2] / nullif(a.most_memory, 0),
                   r.most_request[3] / nullif(a.most_storage, 0)) as slots,
             least(a.pods, r.most_pods, r.most_request[1] / nullif(a.least_cpu, 0), r.most_request[2] / nullif(a.least_memory, 0),
                   r.most_request[3] / nullif(a.least_storage, 0)) as most_slots
      from ranked r, asked a
      where r.rank = 1
    ), again as (
      -- The fewest of the remaining pods that one more pod would evict: what it lacks, divided by the largest of them.
      select b.*, (
        select max(case when l.lacks > 0 then ceil(l.lacks::numeric / nullif(l.most_kept, 0)) else 1 end)
        from (select u.least - (u.most - b.slots * u.least) as lacks, u.most_kept
              from unnest(array[b.least_cpu, b.least_memory, b.least_storage], b.most_request, b.most_kept) as u (least, most, most_kept) where u.least > 0) l) as more
      from best b
    ), filled as (
      select b.*, sum(b.slots) over (order by b.ord) - b.slots as before,
             bool_or(b.slots < b.most_slots or b.lowest_kept < b.highest or (b.lowest_kept = b.highest and coalesce(b.more, 1) < b.fewest)) over w
               or max(b.latest_kept) filter (where b.lowest_kept = b.highest and coalesce(b.more, 1) = b.fewest) over w > b.started as is_unsure
      from again b
      window w as (order by b.ord rows between unbounded preceding and 1 preceding)
    ), picked as materialized (
      select f.node_no, case k when 1 then f.victims else '{}' end as victims, (f.before + k)::integer as ord
      from asked a, filled f cross join generate_series(1, f.slots) k
      where f.is_unsure is not true and f.before + k <= a.pods
    ), nominated as (
      insert into pg_temp.pass_nominations select (p_pods[v_from + p.ord - 1]).pod_id, p.node_no, p.victims from picked p order by p.ord)
    select (select array_agg(p.node_no order by p.ord) from picked p), s.pods into v_picked, v_served from served s;
    v_nodes := v_nodes[v_part + 1:] || v_nodes[:v_part];
    v_tried := v_tried + v_part;
    v_unhelped := least(v_unhelped, v_served);
    if v_picked is null then
      if v_tried >= cardinality(v_nodes) then
        v_from := v_from + v_unhelped; -- evicts nobody where it would not help
        v_tried := 0;
        v_unhelped := null;
      end if;
      continue;
    end if;
    v_tried := 0;
    v_unhelped := null;
    v_until := v_from + cardinality(v_picked) - 1;
    if v_spreads then
      -- From now on topology spread does not count the victims, for any pod.
      insert into pg_temp.pass_counts
        select s.selector_no, n.node_no, 0, -count(*)
        from pg_temp.pass_nominations m
        cross join unnest(m.victims) v
        join stark.pods p on p.id = v
        join pg_temp.pass_nodes n on n.node_id = p.node_id
        join pg_temp.pass_selectors s on stark_internal.matches_terms(p.namespace, p.labels, s.terms)
        where m.pod_id in (select u.pod_id from unnest(p_pods[v_from:v_until]) u) and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)
        group by s.selector_no, n.node_no;
    end if;
    perform stark_internal.count_taken(v_group, v_picked, p_pods[v_from:v_until]);
    v_from := v_until + 1;
  end loop;
  return v_from <= cardinality(p_pods);
end;
$$;
comment on function stark_internal.preempt(stark_internal.pod_group, stark_internal.pod_request[], integer) is 'Finds nodes where lower pods have to go.';
revoke all on function stark_internal.preempt(stark_internal.pod_group, stark_internal.pod_request[], integer) from public, anon;

/**
 * stark_internal.place_nominated(group, pods) -> those whose nomination is of no use any more: binds the others to the nodes they were
 * promised, or keeps the place while a victim is still running. Writes the working tables of nominated pods, bindings and nominations, and
 * those of count_taken.
 */
create function stark_internal.place_nominated(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
returns stark_internal.pod_request[]
language plpgsql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_zero stark_internal.pod_group := p_group;
  v_individually boolean;
  v_left stark_internal.pod_request[] := p_pods;
  v_first record;
begin
  -- Pods that were each made for a node get in each other's way only where two were made for one.
  if p_group.template ? 'pinned' then
    v_zero.template := p_group.template - 'ports';
  end if;
  v_individually := stark_internal.placed_individually(v_zero);
  v_zero.template := p_group.template;
  v_zero.cpu := 0;
  v_zero.memory := 0;
  v_zero.storage := 0;
  loop
    delete from pg_temp.pass_nominated where true;
    with rejected as materialized (
      select distinct r.node_no from stark_internal.rejections(v_zero) r where r.filter <> 'resources'
    ), leaving as materialized (
      select distinct p.node_id from stark.pods p where p.status = 'stopping' and p.priority < p_group.priority
    )
    insert into pg_temp.pass_nominated
      select u.ord, u.pod_id, n.node_no, u.cpu, u.memory, u.storage,
             n.node_no is not null and (u.cpu = 0 or sum(u.cpu) over w <= n.free_cpu) and (u.memory = 0 or sum(u.memory) over w <= n.free_memory)
               and (u.storage = 0 or sum(u.storage) over w <= n.free_storage) and count(*) over w <= n.free_pods
               and (v_individually or not p_group.template ? 'ports' or count(*) over w = 1),
             n.node_no is not null and l.node_id is not null
      from unnest(v_left) with ordinality as u (pod_id, cpu, memory, storage, ord)
      join pg_temp.pass_pods p using (pod_id)
      left join pg_temp.pass_nodes n on n.node_id = p.nominated_node_id and not exists (select from rejected r where r.node_no = n.node_no)
      left join leaving l on l.node_id = p.nominated_node_id
      window w as (partition by n.node_no order by u.ord);
    exit when not v_individually or (select count(*) from pg_temp.pass_nominated t where t.fits) < 2;
    -- The rules may admit only the first of them, so it is placed before the others are evaluated again.
    select t.* into v_first from pg_temp.pass_nominated t where t.fits order by t.ord limit 1;
    insert into pg_temp.pass_bindings values (v_first.pod_id, v_first.node_no, v_first.cpu, v_first.memory, v_first.storage);
    perform stark_internal.count_taken(p_group, array[v_first.node_no], v_left[v_first.ord:v_first.ord]);
    v_left := v_left[:v_first.ord - 1] || v_left[v_first.ord + 1:];
  end loop;
  insert into pg_temp.pass_bindings select t.pod_id, t.node_no, t.cpu, t.memory, t.storage from pg_temp.pass_nominated t where t.fits order by t.ord;
  -- Those that wait keep their place: for the rest of the pass it is taken, and their nomination is as it was.
  insert into pg_temp.pass_nominations select t.pod_id, t.node_no, '{}' from pg_temp.pass_nominated t where t.waits and not t.fits order by t.ord;
  perform stark_internal.count_taken(p_group, array_agg(t.node_no), array_agg((t.pod_id, t.cpu, t.memory, t.storage)::stark_internal.pod_request))
    from pg_temp.pass_nominated t where t.fits or t.waits having count(*) > 0;
  return array(select (t.pod_id, t.cpu, t.memory, t.storage)::stark_internal.pod_request from pg_temp.pass_nominated t where not (t.fits or t.waits) order by t.ord);
end;
$$;
comment on function stark_internal.place_nominated(stark_internal.pod_group, stark_internal.pod_request[]) is 'Places pods on the nodes that were kept for them.';
revoke all on function stark_internal.place_nominated(stark_internal.pod_group, stark_internal.pod_request[]) from public, anon;
