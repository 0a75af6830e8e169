-- Picking: which slots of a group are taken, in which order. The pods of a group are placed as if one came after the other, each on the
-- best node at its turn. Where no pick changes what the next one looks at, the best slots are all there is to it. Otherwise picks are
-- made in rounds: see pick_in_rounds.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/**
 * stark_internal.round_rules(group): what each pick of the group may change for the next: rules that its own pods count for, and spread
 * constraints that may be broken, whose points depend on how many domains are left. weight: how many points one pod of the group more
 * gives its domain, by its preferences and those of the pods placed before it. Rules that reject nodes come first.
 */
create function stark_internal.round_rules(p_group stark_internal.pod_group)
returns table (rule integer, kind text, topology_key text, max_skew integer, weight integer, is_own boolean)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_group.rules_no is null then
    return;
  end if;
  return query
    with own as materialized (
      select r.*, coalesce(r.selector_no = any (p_group.matches), false) as is_own from pg_temp.pass_rules r where r.rules_no = p_group.rules_no
    ), wanted as (
      select o.kind, o.topology_key, o.max_skew, null::integer as weight, o.is_own
      from own o where o.kind = 'prefer_spread' or (o.kind = 'spread' and o.is_own)
      union all
      select distinct 'anti_affinity', o.topology_key, null::integer, null::integer, true from own o where o.kind = 'anti_affinity' and o.is_own
      union all
      select 'prefer', o.topology_key, null, sum(case o.kind when 'prefer' then 2 * o.weight else o.weight end)::integer, true
      from own o where o.kind in ('prefer', 'company') and o.is_own
      group by o.topology_key having sum(case o.kind when 'prefer' then 2 * o.weight else o.weight end) <> 0
    )
    select row_number() over (order by w.kind in ('spread', 'anti_affinity') desc, w.kind, w.topology_key)::integer, w.*
    from wanted w;
end;
$$;
comment on function stark_internal.round_rules(stark_internal.pod_group) is 'What each pick of a group may change for the next.';
revoke all on function stark_internal.round_rules(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.pick_in_rounds(group, wanted, work) -> as pick_slots, where a pick changes what the next one looks at. Nodes that differ
 * in nothing but the policy's score are one class; a class offers its best slot. Each round finds the classes that no rule closes, scores
 * them, and takes slots from the best class down, as long as no pick changes what the scores of other classes are made of. A round costs
 * a look at each class: where rounds with one pod each would be more work than this, later rounds take several pods by the scores of
 * the first. What rejects nodes is looked at with each pick.
 */
create function stark_internal.pick_in_rounds(p_group stark_internal.pod_group, p_wanted integer, p_work integer default 50000)
returns integer[]
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_preferences text[] := stark_internal.preferences_in_play(p_group);
  v_most bigint := greatest(2, 2 * p_wanted / greatest((select f.nodes from pg_temp.pass_facts f), 1));
  -- Rules, those that reject nodes (v_hard) first.
  v_rules integer;
  v_hard integer;
  v_kind text[];
  v_key text[];
  v_skew integer[];
  v_weight integer[];
  v_is_own boolean[];
  v_spreads boolean;
  v_low bigint[];
  v_lows bigint[];
  v_log double precision[];
  -- Domains of the rules, numbered through: those of rule r from v_from[r] to v_until[r]. Number 1 stands for having none.
  v_from integer[];
  v_until integer[];
  v_pods bigint[];
  v_shut boolean[];
  v_members integer[];
  v_seen integer[];
  -- Classes: slots that are left, v_next to v_last; in v_domain[c][r] the domain of class c by rule r; in
  -- v_value[(m - 1) * v_classes + c] its points by m: 1 taints, 2 node affinity, 3 pod affinity, 4 topology spread.
  v_classes integer;
  v_next integer[];
  v_last integer[];
  v_domain integer[];
  v_value bigint[];
  v_company bigint[];
  v_keyless boolean[];
  v_added bigint[];
  -- Slots, class by class.
  v_node integer[];
  v_score double precision[];
  v_is_cut boolean[];
  -- The extremes that scores are measured by: of values v_measure, highest or lowest as v_sign says; v_witness is one of the open
  -- classes that has it.
  v_measure constant integer[] := '{1,2,3,3,4,4}';
  v_sign constant integer[] := '{1,1,-1,1,-1,1}';
  v_extreme bigint[];
  v_witness integer[];
  -- A round.
  v_round integer;
  v_open integer[];
  v_opened integer;
  v_order integer[];
  v_at integer;
  v_same integer;
  v_bar double precision;
  v_bar_node integer;
  v_taken integer;
  v_stale integer;
  v_is_open boolean;
  v_weighs boolean;
  v_holds boolean;
  v_rose boolean;
  v_more boolean;
  v_rated integer[];
  v_was bigint[];
  v_now bigint;
  v_left integer[];
  v_fill double precision;
  v_picked integer[];
  c integer;
  d integer;
begin
  select count(*), count(*) filter (where t.kind in ('spread', 'anti_affinity')), array_agg(t.kind order by t.rule), array_agg(t.topology_key order by t.rule),
         array_agg(t.max_skew order by t.rule), array_agg(t.weight order by t.rule), array_agg(t.is_own order by t.rule), coalesce(bool_or(t.kind = 'prefer_spread'), false)
    into v_rules, v_hard, v_kind, v_key, v_skew, v_weight, v_is_own, v_spreads
    from stark_internal.round_rules(p_group) t;
  loop
    with rules as (
      select r.* from unnest(v_kind, v_key) with ordinality as r (kind, topology_key, rule)
    ), spread as materialized (
      select k.kind, s.* from unnest(array['spread', 'prefer_spread']) as k (kind) cross join lateral stark_internal.spread_domains(p_group, k.kind) s where k.kind = any (v_kind)
    ), domains as materialized (
      select r.rule, k.domain, (1 + row_number() over (order by r.rule))::integer as domain_no, case when s.is_short then -1 else s.fewest end as low,
             -- A domain that a rule does not count has no node that could take the pod, and is never the emptiest.
             case r.kind when 'spread' then coalesce(s.pods, 9e15::bigint) else coalesce(s.pods, 0) end as pods
      from rules r
      join (select distinct t.topology_key, t.domain from pg_temp.pass_domains t) k using (topology_key)
      left join spread s on s.kind = r.kind and s.topology_key = r.topology_key and s.domain = k.domain
    ), ranges as (
      select array_agg(coalesce(g.first, 1) order by r.rule) as first, array_agg(coalesce(g.last, 0) order by r.rule) as last, array_agg(g.low order by r.rule) as low
      from rules r left join (select d.rule, min(d.domain_no) as first, max(d.domain_no) as last, min(d.low) as low from domains d group by d.rule) g using (rule)
    ), slots as materialized (
      select s.* from stark_internal.score_slots(p_group, v_most, null, true) s
    ), standing as (
      select s.node_no, array_agg(coalesce(d.domain_no, 1) order by r.rule) as domains
      from slots s cross join rules r
      left join pg_temp.pass_domains t on t.topology_key = r.topology_key and t.node_no = s.node_no
      left join domains d on d.rule = r.rule and d.domain = t.domain
      where s.slot = 1
      group by s.node_no
    ), points as (
      select p.node_no, sum(p.points) filter (where p.preference = 'taints') as taints, sum(p.points) filter (where p.preference = 'node affinity') as affinity,
             sum(p.points) filter (where p.preference = 'pod affinity') as company
      from stark_internal.preference_points(p_group, v_preferences) p group by p.node_no
    ), classed as materialized (
      select k.*, dense_rank() over (order by k.taints, k.affinity, k.company, k.domains) as class
      from (
        select s.node_no, least(s.slots, v_most) as slots, coalesce(p.taints, 0)::bigint as taints, coalesce(p.affinity, 0)::bigint as affinity, coalesce(p.company, 0)::bigint as company,
               coalesce(g.domains, '{1}') as domains
        from slots s left join points p using (node_no) left join standing g using (node_no)
        where s.slot = 1) k
    ), classes as (
      select count(*) as classes, array_agg(k.last - k.slots + 1) as next, array_agg(k.last) as last, array_agg(k.domains) as domains, array_agg(k.company) as company,
             array_agg(k.taints) || array_agg(k.affinity) || array_agg(k.company) || array_agg(0::bigint) as points
      from (select c.taints, c.affinity, c.company, c.domains, sum(c.slots) as slots, sum(sum(c.slots)) over (order by c.class) as last from classed c group by c.class, 1, 2, 3, 4 order by c.class) k
    ), offered as (
      select array_agg(o.node_no) as nodes, array_agg(o.score) as scores, array_agg(o.is_cut) as cuts
      from (
        select s.node_no, s.score, s.slot = v_most and s.slots > v_most as is_cut
        from slots s join classed c using (node_no) order by c.class, s.rank desc, s.node_no, s.slot) o
    )
    select o.nodes, o.scores, o.cuts, k.classes, k.next, k.last, k.domains, k.company, k.points, r.first, r.last, r.low,
           (select array[0::bigint] || array_agg(d.pods order by d.domain_no) from domains d)
      into v_node, v_score, v_is_cut, v_classes, v_next, v_last, v_domain, v_company, v_value, v_from, v_until, v_low, v_pods
      from offered o, classes k, ranges r;
    v_picked := '{}';
    v_more := false;
    v_round := 0;
    v_lows := array_fill(0::bigint, array[v_rules]);
    v_log := array_fill(0::double precision, array[v_rules]);
    v_shut := array_fill(false, array[cardinality(v_pods)]);
    v_seen := array_fill(0, array[cardinality(v_pods)]);
    v_members := v_seen;
    v_keyless := array_fill(false, array[v_classes]);
    v_added := array_fill(0::bigint, array[v_classes]);
    v_left := array_fill(0, array[v_classes]);
    for k in 1..v_classes loop
      for r in 1..v_rules loop
        d := v_domain[k][r];
        v_members[d] := v_members[d] + 1;
        if d = 1 and v_kind[r] = 'prefer_spread' then
          v_keyless[k] := true;
        end if;
      end loop;
    end loop;
    for r in 1..v_hard loop
      continue when v_kind[r] <> 'spread';
      for e in v_from[r]..v_until[r] loop
        -- With too few domains (-1) the fewest count as none, whatever is there.
        v_shut[e] := v_pods[e] + 1 - greatest(v_low[r], 0) > v_skew[r];
        v_lows[r] := v_lows[r] + (v_pods[e] = v_low[r])::integer;
      end loop;
    end loop;
    v_stale := greatest(1, v_classes::bigint * p_wanted / p_work);
    <<rounds>>
    while cardinality(v_picked) < p_wanted and not v_more loop
      v_round := v_round + 1;
      v_opened := 0;
      v_open := null;
      for k in 1..v_classes loop
        v_is_open := v_next[k] <= v_last[k];
        for r in 1..v_hard loop
          v_is_open := v_is_open and not v_shut[v_domain[k][r]];
        end loop;
        if v_is_open then
          v_opened := v_opened + 1;
          v_open[v_opened] := k;
        end if;
      end loop;
      exit when v_opened = 0;
      v_weighs := v_opened > 1 and (v_preferences <> '{}' or v_rules > v_hard);
      for r in v_hard + 1..v_rules loop
        continue when v_kind[r] <> 'prefer_spread';
        v_now := 0;
        foreach c in array v_open loop
          d := v_domain[c][r];
          if v_seen[d] <> v_round and not v_keyless[c] then
            v_seen[d] := v_round;
            v_now := v_now + 1;
          end if;
        end loop;
        v_log[r] := ln((v_now + 2)::double precision);
      end loop;
      v_rated := v_open;
      v_order := null;
      v_at := 1;
      v_same := 0;
      v_bar := null;
      v_taken := 0;
      loop
        if v_weighs then
          -- A round scores all classes when it begins; then only the class that was served, as long as the other scores hold.
          foreach c in array v_rated loop
            v_now := v_company[c];
            v_fill := 0;
            for r in v_hard + 1..v_rules loop
              d := v_domain[c][r];
              if v_kind[r] = 'prefer' then
                v_now := v_now + case when d > 1 then v_weight[r] * v_pods[d] else 0 end;
              else
                v_fill := v_fill + (v_pods[d] * v_log[r] + v_skew[r] - 1);
              end if;
            end loop;
            v_value[2 * v_classes + c] := v_now;
            v_value[3 * v_classes + c] := case when v_spreads and not v_keyless[c] then round(v_fill) end;
          end loop;
          if v_order is null then
            select array[max(v_value[u.c]), max(v_value[v_classes + u.c]), -min(v_value[2 * v_classes + u.c]), max(v_value[2 * v_classes + u.c]),
                         -min(v_value[3 * v_classes + u.c]), max(v_value[3 * v_classes + u.c])] into v_extreme
              from unnest(v_open) as u (c);
            v_witness := '{1,1,1,1,1,1}';
          else
            c := v_rated[1];
            for e in 1..6 loop
              exit when not v_holds;
              v_now := case when v_is_open then v_sign[e] * v_value[(v_measure[e] - 1) * v_classes + c] end;
              v_holds := coalesce(v_now <= v_extreme[e], true);
              continue when v_sign[e] * v_was[v_measure[e]] is distinct from v_extreme[e] or v_now = v_extreme[e];
              while v_witness[e] <= v_opened and (
                v_left[v_open[v_witness[e]]] = v_round or v_sign[e] * v_value[(v_measure[e] - 1) * v_classes + v_open[v_witness[e]]] is distinct from v_extreme[e]) loop
                v_witness[e] := v_witness[e] + 1;
              end loop;
              v_holds := v_holds and v_witness[e] <= v_opened;
            end loop;
            exit when not v_holds and (v_round = 1 or v_taken >= v_stale);
          end if;
          -- The formulas of score_preferences.
          foreach c in array v_rated loop
            v_added[c] := 3 * (100 - coalesce(100 * v_value[c] / nullif(v_extreme[1], 0), 0))
              + 2 * coalesce(100 * v_value[v_classes + c] / nullif(v_extreme[2], 0), 0)
              + 2 * coalesce(100 * (v_value[2 * v_classes + c] + v_extreme[3]) / nullif(v_extreme[4] + v_extreme[3], 0), 0)
              + case when v_keyless[c] or not v_spreads then 0
                     else 2 * coalesce(100 * (v_extreme[6] - v_extreme[5] - v_value[3 * v_classes + c]) / nullif(v_extreme[6], 0), 100) end;
          end loop;
        end if;
        if v_order is null then
          select array_agg(u.c order by v_score[v_next[u.c]] + v_added[u.c] desc, v_node[v_next[u.c]]) into v_order from unnest(v_open) as u (c);
        end if;
        -- Take the next class in order, unless the class that was served last has the better score still.
        loop
          c := case when v_at <= v_opened then v_order[v_at] else v_same end;
          exit when c = 0;
          if v_same > 0 and (v_score[v_next[v_same]] + v_added[v_same], -v_node[v_next[v_same]]) > (v_score[v_next[c]] + v_added[c], -v_node[v_next[c]]) then
            c := v_same;
          end if;
          v_is_open := true;
          for r in 1..v_hard loop
            v_is_open := v_is_open and not v_shut[v_domain[c][r]];
          end loop;
          exit when v_is_open;
          v_at := v_at + 1;
        end loop;
        exit when c = 0;
        -- A class that was served before the last one may have a better score than both.
        exit when (v_bar, v_bar_node) > (v_score[v_next[c]] + v_added[c], -v_node[v_next[c]]);
        if c <> v_same then
          if v_same > 0 and (v_bar is null or (v_score[v_next[v_same]] + v_added[v_same], -v_node[v_next[v_same]]) > (v_bar, v_bar_node)) then
            v_bar := v_score[v_next[v_same]] + v_added[v_same];
            v_bar_node := -v_node[v_next[v_same]];
          end if;
          v_at := v_at + 1;
        end if;
        v_picked := v_picked || v_node[v_next[c]];
        v_taken := v_taken + 1;
        exit rounds when cardinality(v_picked) = p_wanted;
        -- The scores of slots beyond those that were loaded are not known, so the round ends.
        v_more := v_is_cut[v_next[c]];
        exit rounds when v_more;
        v_next[c] := v_next[c] + 1;
        -- The pod is counted in its domains. Classes that share a domain have other scores now, or are closed too.
        v_is_open := v_next[c] <= v_last[c];
        v_holds := true;
        v_rose := false;
        for r in 1..v_rules loop
          d := v_domain[c][r];
          continue when d = 1 or not v_is_own[r];
          v_pods[d] := v_pods[d] + 1;
          if r > v_hard then
            v_holds := v_holds and v_members[d] = 1;
            continue;
          end if;
          v_shut[d] := v_kind[r] = 'anti_affinity' or v_pods[d] + 1 - greatest(v_low[r], 0) > v_skew[r];
          v_is_open := v_is_open and not v_shut[d];
          v_holds := v_holds and (v_members[d] = 1 or not v_shut[d]);
          if v_kind[r] = 'spread' and v_pods[d] - 1 = v_low[r] then
            v_lows[r] := v_lows[r] - 1;
            if v_lows[r] = 0 then
              -- The emptiest domain has filled up, which opens others.
              v_rose := true;
              v_low[r] := v_pods[d];
              for e in v_from[r]..v_until[r] loop
                v_low[r] := least(v_low[r], v_pods[e]);
              end loop;
              for e in v_from[r]..v_until[r] loop
                v_lows[r] := v_lows[r] + (v_pods[e] = v_low[r])::integer;
                v_shut[e] := v_pods[e] + 1 - v_low[r] > v_skew[r];
              end loop;
            end if;
          end if;
        end loop;
        exit when v_rose;
        v_same := case when v_is_open then c else 0 end;
        if v_weighs then
          v_rated := array[c];
          v_was := array[v_value[c], v_value[v_classes + c], v_value[2 * v_classes + c], v_value[3 * v_classes + c]];
          if not v_is_open then
            v_left[c] := v_round;
            v_holds := v_holds and not v_spreads;
          end if;
        end if;
      end loop;
    end loop;
    exit when not v_more or v_most >= p_wanted;
    v_most := least(v_most * 4, p_wanted);
  end loop;
  return v_picked;
end;
$$;
comment on function stark_internal.pick_in_rounds(stark_internal.pod_group, integer, integer) is 'The nodes that pods of a group take, in order, where a pick changes what the next one looks at.';
revoke all on function stark_internal.pick_in_rounds(stark_internal.pod_group, integer, integer) from public, anon;

/**
 * stark_internal.pick_slots(group, wanted) -> nodes in the order in which pods take them, at most so many; fewer where it is necessary
 * to look again in between. The same as picking one by one: a slot that is left is never better than one that was taken before it.
 * Reads the working tables of facts and nodes and what scores and rules read; writes none.
 */
create function stark_internal.pick_slots(p_group stark_internal.pod_group, p_wanted integer)
returns integer[]
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  -- After the first of its kind is placed, the affinity of the others requires its domain.
  v_wanted integer := case when stark_internal.is_first_of_its_kind(p_group) then 1 else p_wanted end;
  v_prefers boolean := stark_internal.preferences_in_play(p_group) <> '{}';
  v_most bigint;
  v_nodes integer[];
  v_more boolean;
begin
  if v_wanted > 1 and (v_prefers or exists (select from stark_internal.round_rules(p_group))) then
    return stark_internal.pick_in_rounds(p_group, v_wanted);
  end if;
  v_most := case v_wanted when 1 then 1 else greatest(2, 2 * v_wanted / greatest((select f.nodes from pg_temp.pass_facts f), 1)) end;
  loop
    with slots as materialized (
      select s.* from stark_internal.score_slots(p_group, v_most, case when not v_prefers then v_wanted end) s
    ), preferred as materialized (
      select p.node_no, sum(p.score) as score
      from stark_internal.score_preferences(p_group, (select array_agg(s.node_no) from slots s)) p where v_prefers group by p.node_no
    ), picked as (
      select s.node_no, s.slot = v_most and s.slots > v_most as more, row_number() over (order by s.rank + coalesce(p.score, 0) desc, s.node_no, s.slot) as ord
      from slots s left join preferred p using (node_no)
      order by ord limit v_wanted
    )
    select array_agg(p.node_no order by p.ord), bool_or(p.more) into v_nodes, v_more from picked p;
    -- Where all scored slots of a node were taken, its next slot may be better than one that was taken elsewhere.
    exit when v_more is not true or v_most >= v_wanted;
    v_most := least(v_most * 4, v_wanted);
  end loop;
  return coalesce(v_nodes, '{}');
end;
$$;
comment on function stark_internal.pick_slots(stark_internal.pod_group, integer) is 'The nodes that pods of a group take, in order.';
revoke all on function stark_internal.pick_slots(stark_internal.pod_group, integer) from public, anon;

/**
 * stark_internal.count_taken(group, nodes, pods): what pods that were given these nodes, as many as there are nodes, change for the rest of the
 * pass. Writes the working tables of nodes, ports, counts, anti-affinity counts and preferences.
 */
create function stark_internal.count_taken(p_group stark_internal.pod_group, p_nodes integer[], p_pods stark_internal.pod_request[])
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  update pg_temp.pass_nodes n set
      free_cpu = n.free_cpu - t.cpu, free_memory = n.free_memory - t.memory, free_storage = n.free_storage - t.storage, free_pods = n.free_pods - t.pods
    from (
      select u.node_no, sum(u.cpu) as cpu, sum(u.memory) as memory, sum(u.storage) as storage, count(*) as pods
      from unnest(p_nodes, p_pods) as u (node_no, pod_id, cpu, memory, storage) where u.node_no is not null group by u.node_no) t
    where n.node_no = t.node_no;
  if p_group.template ? 'ports' then
    insert into pg_temp.pass_ports select u.node_no, w::integer, 1 from unnest(p_nodes) as u (node_no) cross join jsonb_array_elements(p_group.template -> 'ports') w;
  end if;
  if p_group.matches is not null then
    insert into pg_temp.pass_counts
      select m, u.node_no, count(*), count(*) from unnest(p_nodes) as u (node_no) cross join unnest(p_group.matches) m group by m, u.node_no;
  end if;
  if p_group.rules_no is not null then
    insert into pg_temp.pass_anti_affinity_counts
      select r.selector_no, r.topology_key, u.node_no, count(*)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
      group by 1, 2, 3;
    insert into pg_temp.pass_preferences
      select r.selector_no, r.topology_key, u.node_no, sum(r.weight)
      from pg_temp.pass_rules r cross join unnest(p_nodes) as u (node_no)
      where r.rules_no = p_group.rules_no and r.kind in ('prefer', 'company')
      group by 1, 2, 3;
  end if;
end;
$$;
comment on function stark_internal.count_taken(stark_internal.pod_group, integer[], stark_internal.pod_request[]) is 'Counts pods that were given nodes.';
revoke all on function stark_internal.count_taken(stark_internal.pod_group, integer[], stark_internal.pod_request[]) from public, anon;

/** stark_internal.take_slots(group, pods) -> how many of them, from the first on, were given a node. Writes the working table of bindings, and those of count_taken. */
create function stark_internal.take_slots(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
returns integer
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_nodes integer[] := stark_internal.pick_slots(p_group, cardinality(p_pods));
begin
  if cardinality(v_nodes) = 0 then
    return 0;
  end if;
  insert into pg_temp.pass_bindings
    select u.pod_id, u.node_no, u.cpu, u.memory, u.storage
    from unnest(p_pods, v_nodes) as u (pod_id, cpu, memory, storage, node_no)
    where u.node_no is not null;
  perform stark_internal.count_taken(p_group, v_nodes, p_pods);
  return cardinality(v_nodes);
end;
$$;
comment on function stark_internal.take_slots(stark_internal.pod_group, stark_internal.pod_request[]) is 'Gives nodes to pods of a group, in their order.';
revoke all on function stark_internal.take_slots(stark_internal.pod_group, stark_internal.pod_request[]) from public, anon;

/** stark_internal.place_pods(group, pods) -> those of them that fit nowhere. Writes what take_slots writes. */
create function stark_internal.place_pods(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
returns stark_internal.pod_request[]
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_left stark_internal.pod_request[] := p_pods;
  v_failed stark_internal.pod_request[] := '{}';
  v_oldest stark_internal.pod_request;
  v_taken integer;
  v_same boolean;
begin
  while cardinality(v_left) > 0 loop
    select max(u.cpu), max(u.memory), max(u.storage), min(u.cpu) = max(u.cpu) and min(u.memory) = max(u.memory) and min(u.storage) = max(u.storage)
      into v_group.cpu, v_group.memory, v_group.storage, v_same
      from unnest(v_left) u;
    -- Slots for the largest request take any of the pods, so pods of many sizes are placed together, oldest first.
    v_taken := stark_internal.take_slots(v_group, v_left);
    if v_taken = 0 then
      exit when v_same;
      -- The largest have no room. The oldest pod has its turn alone; if it fails, so do all that ask for no less, and for more than any node has.
      v_oldest := v_left[1];
      v_group.cpu := v_oldest.cpu;
      v_group.memory := v_oldest.memory;
      v_group.storage := v_oldest.storage;
      v_taken := stark_internal.take_slots(v_group, v_left[1:1]);
      if v_taken = 0 then
        select v_failed || coalesce(array_agg(t.pod order by t.ord) filter (where t.fails), '{}'), coalesce(array_agg(t.pod order by t.ord) filter (where not t.fails), '{}')
          into v_failed, v_left
          from (
            select (u.pod_id, u.cpu, u.memory, u.storage)::stark_internal.pod_request as pod, u.ordinality as ord,
                   (u.cpu >= v_oldest.cpu and u.memory >= v_oldest.memory and u.storage >= v_oldest.storage)
                     or u.cpu > b.cpu or u.memory > b.memory or u.storage > b.storage as fails
            from unnest(v_left) with ordinality u
            cross join (select greatest(max(n.free_cpu), 0) as cpu, greatest(max(n.free_memory), 0) as memory, greatest(max(n.free_storage), 0) as storage from pg_temp.pass_nodes n) b) t;
        continue;
      end if;
    end if;
    v_left := v_left[v_taken + 1:];
  end loop;
  return v_failed || v_left;
end;
$$;
comment on function stark_internal.place_pods(stark_internal.pod_group, stark_internal.pod_request[]) is 'Places pods of a group; tells those that fit nowhere.';
revoke all on function stark_internal.place_pods(stark_internal.pod_group, stark_internal.pod_request[]) from public, anon;

/**
 * stark_internal.record_reasons(group, pods): why these fit nowhere, e.g. "0/2 nodes: 1 insufficient cpu, 1 taint dedicated=gpu:NoSchedule". Every
 * failing filter of every node counts. Writes the working table of reasons; reads what the filters read.
 */
create function stark_internal.record_reasons(p_group stark_internal.pod_group, p_pods stark_internal.pod_request[])
returns void
language plpgsql
volatile
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_group stark_internal.pod_group := p_group;
  v_cpu bigint[];
  v_memory bigint[];
  v_storage bigint[];
  v_short_cpu text := stark_internal.reason_of('resources', 'cpu');
  v_short_memory text := stark_internal.reason_of('resources', 'memory');
  v_short_storage text := stark_internal.reason_of('resources', 'storage');
begin
  v_group.cpu := 0;
  v_group.memory := 0;
  v_group.storage := 0;
  -- How many nodes have less than what is asked for is looked up in a sorted list: pods of many sizes need no pass over the nodes each.
  select array_agg(n.free_cpu order by n.free_cpu) into v_cpu from pg_temp.pass_nodes n;
  select array_agg(n.free_memory order by n.free_memory) into v_memory from pg_temp.pass_nodes n;
  select array_agg(n.free_storage order by n.free_storage) into v_storage from pg_temp.pass_nodes n;
  with common as materialized (
    -- Each text is made once, for however many nodes.
    select stark_internal.reason_of(c.filter, c.detail) as reason, c.nodes
    from (select r.filter, r.detail, count(distinct r.node_no) as nodes from stark_internal.rejections(v_group) r group by r.filter, r.detail) c
  ), wants as (
    select u.cpu, u.memory, u.storage, array_agg(u.pod_id) as ids from unnest(p_pods) u group by u.cpu, u.memory, u.storage
  ), messages as (
    select w.ids, left(format('0/%s nodes', coalesce(cardinality(v_cpu), 0))
      || coalesce(': ' || (
        select string_agg(l.nodes || ' ' || l.reason, ', ' order by l.nodes desc, l.reason)
        from (
          select c.reason, c.nodes from common c
          union all select v_short_cpu, width_bucket(w.cpu - 1, v_cpu) where w.cpu > 0
          union all select v_short_memory, width_bucket(w.memory - 1, v_memory) where w.memory > 0
          union all select v_short_storage, width_bucket(w.storage - 1, v_storage) where w.storage > 0
        ) l
        where l.nodes > 0), ''), 4096) as message
    from wants w
  )
  insert into pg_temp.pass_reasons select i, m.message from messages m cross join unnest(m.ids) i;
end;
$$;
comment on function stark_internal.record_reasons(stark_internal.pod_group, stark_internal.pod_request[]) is 'Keeps why pods fit nowhere, counted per node.';
revoke all on function stark_internal.record_reasons(stark_internal.pod_group, stark_internal.pod_request[]) from public, anon;
