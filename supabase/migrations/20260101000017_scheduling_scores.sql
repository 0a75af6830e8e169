-- Scores: the policy of the cluster scores every open slot of a group, 0 to 100, and preferences are added. Each preference is
-- kube-scheduler's: points for each node (there: Score), made 0 to 100 over the nodes that passed the filters (NormalizeScore), times
-- a weight. Of whole numbers, as there; so policies, which have fractions, decide between nodes that preferences take for equals. Their
-- fractions have six places: what is equal stays so, whatever is added to it.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.score_spread(group, most, ahead): what is left of the scarcest of cpu, memory and pods, so that pods spread over nodes in proportion to their size. */
create function stark_internal.score_spread(p_group stark_internal.pod_group, p_most bigint, p_ahead boolean default false)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, round(1e8::double precision * (1 - greatest(
        (f.cpu_used + k * w.cpu) / f.cpu_total,
        (f.memory_used + k * w.memory) / f.memory_total,
        (f.pods_used + k) / f.pods_total))) / 1e6
    from stark_internal.feasible_nodes(p_group, p_ahead) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_spread(stark_internal.pod_group, bigint, boolean) is 'Open slots scored by what is left of the scarcest resource.';
revoke all on function stark_internal.score_spread(stark_internal.pod_group, bigint, boolean) from public, anon;

/** stark_internal.score_least_loaded(group, most, ahead): the mean of free cpu and memory, as Kubernetes LeastAllocated. */
create function stark_internal.score_least_loaded(p_group stark_internal.pod_group, p_most bigint, p_ahead boolean default false)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, round(1e8::double precision * (1 - (
        (f.cpu_used + k * w.cpu) / f.cpu_total + (f.memory_used + k * w.memory) / f.memory_total) / 2)) / 1e6
    from stark_internal.feasible_nodes(p_group, p_ahead) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_least_loaded(stark_internal.pod_group, bigint, boolean) is 'Open slots scored by the mean of free cpu and memory.';
revoke all on function stark_internal.score_least_loaded(stark_internal.pod_group, bigint, boolean) from public, anon;

/**
 * stark_internal.score_bin_pack(group, most, wanted, ahead): the mean of used cpu and memory, as Kubernetes MostAllocated. A node's
 * score only grows as it is filled, so it is filled up: nodes are taken by the score of their first slot. wanted: as many slots as are
 * needed, null for all.
 */
create function stark_internal.score_bin_pack(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint, p_ahead boolean default false)
returns table (node_no integer, slot bigint, slots bigint, score double precision, first_score double precision)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory), nodes as (
      select n.*, round(1e8::double precision * ((n.cpu_used + w.cpu) / n.cpu_total + (n.memory_used + w.memory) / n.memory_total) / 2) / 1e6 as first_score
      from stark_internal.feasible_nodes(p_group, p_ahead) n cross join wanted w
    )
    select b.node_no, k, b.slots, round(1e8::double precision * ((b.cpu_used + k * w.cpu) / b.cpu_total + (b.memory_used + k * w.memory) / b.memory_total) / 2) / 1e6, b.first_score
    from (
      -- Nodes behind those that are enough are left out.
      select n.*, sum(n.slots) over (order by n.first_score desc, n.node_no rows between unbounded preceding and 1 preceding) as before from nodes n
    ) b
    cross join wanted w
    cross join generate_series(1, least(b.slots, p_most)) k
    where p_wanted is null or coalesce(b.before, 0) < p_wanted;
end;
$$;
comment on function stark_internal.score_bin_pack(stark_internal.pod_group, bigint, bigint, boolean) is 'Open slots scored by the mean of used cpu and memory.';
revoke all on function stark_internal.score_bin_pack(stark_internal.pod_group, bigint, bigint, boolean) from public, anon;

/** stark_internal.score_random(group, most, seed, ahead): by chance; the same seed and cluster give the same. */
create function stark_internal.score_random(p_group stark_internal.pod_group, p_most bigint, p_seed bigint, p_ahead boolean default false)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select f.node_no, k, f.slots, (pg_catalog.hashint8extended(f.node_no * 1000003::bigint + f.pods_used::bigint + k, p_seed) & 65535) / 655.35::double precision
    from stark_internal.feasible_nodes(p_group, p_ahead) f
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_random(stark_internal.pod_group, bigint, bigint, boolean) is 'Open slots scored by chance.';
revoke all on function stark_internal.score_random(stark_internal.pod_group, bigint, bigint, boolean) from public, anon;

/**
 * stark_internal.score_slots(group, most, wanted, ahead): at most so many open slots of each node, scored by the cluster's policy, in
 * the order of rank: of slots with equal preferences those with the highest rank are taken first, and a node's in their order.
 */
create function stark_internal.score_slots(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint default null, p_ahead boolean default false)
returns table (node_no integer, slot bigint, slots bigint, score double precision, rank double precision)
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_config stark.cluster_config;
begin
  select * into v_config from stark.cluster_config;
  case v_config.scheduling_policy
    when 'bin_pack' then return query select * from stark_internal.score_bin_pack(p_group, p_most, p_wanted, p_ahead);
    when 'least_loaded' then return query select s.*, s.score from stark_internal.score_least_loaded(p_group, p_most, p_ahead) s;
    when 'random' then return query select s.*, s.score from stark_internal.score_random(p_group, p_most, v_config.scheduling_seed, p_ahead) s;
    when 'affinity' then return query select s.node_no, s.slot, s.slots, s.score / 10, s.score / 10 from stark_internal.score_spread(p_group, p_most, p_ahead) s;
    else return query select s.*, s.score from stark_internal.score_spread(p_group, p_most, p_ahead) s;
  end case;
end;
$$;
comment on function stark_internal.score_slots(stark_internal.pod_group, bigint, bigint, boolean) is 'Open slots scored by the cluster''s policy.';
revoke all on function stark_internal.score_slots(stark_internal.pod_group, bigint, bigint, boolean) from public, anon;

/** stark_internal.score_node_affinity(group): the weights of the preferred node affinity terms that match, summed up; nodes with none are left out. */
create function stark_internal.score_node_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, points bigint)
language sql
stable
set search_path = pg_temp
as $$
with preferred as materialized (
  select t.no, (t.item ->> 'weight')::integer as weight, t.item -> 'preference' as term
  from jsonb_array_elements(coalesce(p_group.template -> 'preferred', '[]')) with ordinality as t (item, no)
)
select m.node_no, sum(p.weight)
from stark_internal.matching_nodes((select jsonb_agg(p.term order by p.no) from preferred p)) m
join preferred p on p.no = m.term_no
group by m.node_no;
$$;
comment on function stark_internal.score_node_affinity(stark_internal.pod_group) is 'Points of nodes by preferred node affinity.';
revoke all on function stark_internal.score_node_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.score_taints(group): how many taints PreferNoSchedule are not tolerated; nodes with none are left out. */
create function stark_internal.score_taints(p_group stark_internal.pod_group)
returns table (node_no integer, points bigint)
language sql
stable
set search_path = pg_temp
as $$
select t.node_no, count(*)
from stark_internal.intolerable_taints(p_group.template -> 'tolerations', array['PreferNoSchedule']) t
group by t.node_no;
$$;
comment on function stark_internal.score_taints(stark_internal.pod_group) is 'Points of nodes by taints that would rather not have the pod.';
revoke all on function stark_internal.score_taints(stark_internal.pod_group) from public, anon;

/** stark_internal.score_pod_affinity(group): preferred pod affinity and anti-affinity, weight by pod that is there; and the weights of the preferences that placed pods have for pods of the group. Nodes with none are left out. */
create function stark_internal.score_pod_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, points bigint)
language sql
stable
set search_path = pg_temp
as $$
with given as (
  select r.topology_key, c.node_no, r.weight * c.pods as points
  from pg_temp.pass_rules r join pg_temp.pass_counts c using (selector_no)
  where r.rules_no = p_group.rules_no and r.kind = 'prefer'
  union all
  select w.topology_key, w.node_no, w.points from pg_temp.pass_preferences w where w.selector_no = any (p_group.matches)
), held as materialized (
  select d.topology_key, d.domain, sum(g.points) as points
  from given g join pg_temp.pass_domains d using (topology_key, node_no)
  group by 1, 2
)
select d.node_no, sum(h.points)::bigint from held h join pg_temp.pass_domains d using (topology_key, domain) group by d.node_no;
$$;
comment on function stark_internal.score_pod_affinity(stark_internal.pod_group) is 'Points of nodes by preferred company.';
revoke all on function stark_internal.score_pod_affinity(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.score_topology_spread(group, nodes): how full the domains of these nodes are, by the spread constraints that may be
 * broken; null for nodes without one of the topology keys. As in kube-scheduler a pod counts ln(domains + 2), so that rules with few
 * domains keep their weight, and maxSkew - 1 is added, which makes differences smaller.
 */
create function stark_internal.score_topology_spread(p_group stark_internal.pod_group, p_nodes integer[])
returns table (node_no integer, points bigint)
language sql
stable
set search_path = pg_temp
as $$
with rules as materialized (
  select r.topology_key, r.max_skew from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer_spread'
), filled as materialized (
  select s.topology_key, s.domain, s.pods from stark_internal.spread_domains(p_group, 'prefer_spread') s
), placed as materialized (
  select u.node_no, r.topology_key, r.max_skew, d.domain, bool_and(d.domain is not null) over (partition by u.node_no) as has_keys
  from unnest(p_nodes) as u (node_no) cross join rules r
  left join pg_temp.pass_domains d on d.topology_key = r.topology_key and d.node_no = u.node_no
), sizes as materialized (
  select p.topology_key, count(distinct p.domain) as domains from placed p where p.has_keys group by 1
)
select p.node_no, case when bool_and(p.has_keys) then round(sum(coalesce(f.pods, 0) * ln((s.domains + 2)::double precision) + p.max_skew - 1))::bigint end
from placed p
left join sizes s using (topology_key)
left join filled f using (topology_key, domain)
group by p.node_no;
$$;
comment on function stark_internal.score_topology_spread(stark_internal.pod_group, integer[]) is 'Points of nodes by spread constraints that may be broken.';
revoke all on function stark_internal.score_topology_spread(stark_internal.pod_group, integer[]) from public, anon;

/** stark_internal.preference_points(group, preferences): the points of nodes by those of these preferences whose points no other node changes; nodes with none are left out. */
create function stark_internal.preference_points(p_group stark_internal.pod_group, p_preferences text[])
returns table (node_no integer, preference text, points bigint)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if 'taints' = any (p_preferences) then
    return query select s.node_no, 'taints', s.points from stark_internal.score_taints(p_group) s;
  end if;
  if 'node affinity' = any (p_preferences) then
    return query select s.node_no, 'node affinity', s.points from stark_internal.score_node_affinity(p_group) s;
  end if;
  if 'pod affinity' = any (p_preferences) then
    return query select s.node_no, 'pod affinity', s.points from stark_internal.score_pod_affinity(p_group) s;
  end if;
end;
$$;
comment on function stark_internal.preference_points(stark_internal.pod_group, text[]) is 'Points of nodes by preferences, one a row.';
revoke all on function stark_internal.preference_points(stark_internal.pod_group, text[]) from public, anon;

/** stark_internal.preferences_in_play(group) -> the names of the preferences that may tell nodes apart for this group. */
create function stark_internal.preferences_in_play(p_group stark_internal.pod_group)
returns text[]
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return array_remove(array[
    case when (select f.has_avoided from pg_temp.pass_facts f) then 'taints' end,
    case when p_group.template ? 'preferred' then 'node affinity' end,
    case when exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer')
           or exists (select from pg_temp.pass_preferences w where w.selector_no = any (p_group.matches)) then 'pod affinity' end,
    case when exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer_spread') then 'topology spread' end], null);
end;
$$;
comment on function stark_internal.preferences_in_play(stark_internal.pod_group) is 'Preferences that may tell nodes apart for a group.';
revoke all on function stark_internal.preferences_in_play(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.score_preferences(group, nodes): what each preference in play adds to each of these nodes, which are those that passed
 * the filters: 0 to 100 by where their points lie between the others', times the preference's weight. Many points are good for
 * affinities, and bad for taints and topology spread; a node that topology spread has no domain for is the worst.
 */
create function stark_internal.score_preferences(p_group stark_internal.pod_group, p_nodes integer[])
returns table (node_no integer, preference text, score bigint)
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_preferences text[] := stark_internal.preferences_in_play(p_group);
begin
  return query
    with points as (
      select u.node_no, v.preference, coalesce(p.points, 0) as points
      from unnest(p_nodes) as u (node_no) cross join unnest(array_remove(v_preferences, 'topology spread')) as v (preference)
      left join stark_internal.preference_points(p_group, v_preferences) p on p.preference = v.preference and p.node_no = u.node_no
    )
    -- pick_in_rounds has these formulas once more.
    select p.node_no, p.preference, case p.preference
      when 'taints' then 3 * (100 - coalesce(100 * p.points / nullif(max(p.points) over w, 0), 0))
      when 'node affinity' then 2 * coalesce(100 * p.points / nullif(max(p.points) over w, 0), 0)
      else 2 * coalesce(100 * (p.points - min(p.points) over w) / nullif(max(p.points) over w - min(p.points) over w, 0), 0) end
    from points p
    window w as (partition by p.preference);
  if 'topology spread' = any (v_preferences) then
    return query
      select s.node_no, 'topology spread',
             2 * case when s.points is null then 0 else coalesce(100 * (max(s.points) over () + min(s.points) over () - s.points) / nullif(max(s.points) over (), 0), 100) end
      from stark_internal.score_topology_spread(p_group, p_nodes) s;
  end if;
end;
$$;
comment on function stark_internal.score_preferences(stark_internal.pod_group, integer[]) is 'What each preference adds to nodes.';
revoke all on function stark_internal.score_preferences(stark_internal.pod_group, integer[]) from public, anon;
