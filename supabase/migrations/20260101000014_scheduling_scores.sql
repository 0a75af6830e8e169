-- Scores: the policy of the cluster scores every open slot of a group, preferences are added. 0 to 100 each, more is better; as
-- in Kubernetes, preferred taints weigh 3, the other preferences 2, the policy 1 (or a tenth of that for policy affinity).

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.feasible_nodes(group): nodes that pass every filter, how many pods of the group each has room for, and what is used. */
create function stark_internal.feasible_nodes(p_group stark_internal.pod_group)
returns table (node_no integer, slots bigint, cpu_total double precision, cpu_used double precision, memory_total double precision, memory_used double precision, pods_total double precision, pods_used double precision)
language plpgsql
stable
set search_path = ''
set enable_nestloop = off
as $$
begin
  return query
    with rejected as materialized (
      select distinct r.node_no from stark_internal.rejections(p_group) r
    ), wanted as materialized (
      select p_group.cpu, p_group.memory, p_group.storage
    )
    select n.node_no,
           least(
             case when w.cpu > 0 then n.free_cpu / w.cpu end,
             case when w.memory > 0 then n.free_memory / w.memory end,
             case when w.storage > 0 then n.free_storage / w.storage end,
             n.free_pods),
           greatest(n.cpu, 1)::double precision, (n.cpu - n.free_cpu)::double precision, greatest(n.memory, 1)::double precision,
           (n.memory - n.free_memory)::double precision, greatest(n.pods, 1)::double precision, (n.pods - n.free_pods)::double precision
    from pg_temp.pass_nodes n cross join wanted w
    where not exists (select from rejected r where r.node_no = n.node_no);
end;
$$;
comment on function stark_internal.feasible_nodes(stark_internal.pod_group) is 'Nodes that pass every filter, and their room.';
revoke all on function stark_internal.feasible_nodes(stark_internal.pod_group) from public, anon;

/** stark_internal.score_spread(group, most): what is left of the scarcest of cpu, memory and pods, so that pods spread over nodes in proportion to their size. */
create function stark_internal.score_spread(p_group stark_internal.pod_group, p_most bigint)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, 100 * (1 - greatest(
        (f.cpu_used + k * w.cpu) / f.cpu_total,
        (f.memory_used + k * w.memory) / f.memory_total,
        (f.pods_used + k) / f.pods_total))
    from stark_internal.feasible_nodes(p_group) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_spread(stark_internal.pod_group, bigint) is 'Open slots scored by what is left of the scarcest resource.';
revoke all on function stark_internal.score_spread(stark_internal.pod_group, bigint) from public, anon;

/** stark_internal.score_least_loaded(group, most): the mean of free cpu and memory, as Kubernetes LeastAllocated. */
create function stark_internal.score_least_loaded(p_group stark_internal.pod_group, p_most bigint)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory)
    select f.node_no, k, f.slots, 100 * (1 - (
        (f.cpu_used + k * w.cpu) / f.cpu_total + (f.memory_used + k * w.memory) / f.memory_total) / 2)
    from stark_internal.feasible_nodes(p_group) f cross join wanted w
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_least_loaded(stark_internal.pod_group, bigint) is 'Open slots scored by the mean of free cpu and memory.';
revoke all on function stark_internal.score_least_loaded(stark_internal.pod_group, bigint) from public, anon;

/** stark_internal.score_bin_pack(group, most, wanted): the mean of used cpu and memory, fullest node first. wanted: as many slots as are needed, null for all. */
create function stark_internal.score_bin_pack(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = ''
as $$
begin
  -- A node that is begun is filled, so all its slots share the score of the first; nodes behind those that are enough are left out.
  return query
    select b.node_no, k, b.slots, b.score
    from (
      select f.node_no, f.slots, f.score, sum(f.slots) over (order by f.score desc, f.node_no rows between unbounded preceding and 1 preceding) as before
      from (
        select n.node_no, n.slots, 100 * ((n.cpu_used + p_group.cpu) / n.cpu_total + (n.memory_used + p_group.memory) / n.memory_total) / 2 as score
        from stark_internal.feasible_nodes(p_group) n) f
    ) b
    cross join generate_series(1, least(b.slots, p_most)) k
    where p_wanted is null or coalesce(b.before, 0) < p_wanted;
end;
$$;
comment on function stark_internal.score_bin_pack(stark_internal.pod_group, bigint, bigint) is 'Open slots scored by the mean of used cpu and memory.';
revoke all on function stark_internal.score_bin_pack(stark_internal.pod_group, bigint, bigint) from public, anon;

/** stark_internal.score_random(group, most, seed): by chance; the same seed and cluster give the same. */
create function stark_internal.score_random(p_group stark_internal.pod_group, p_most bigint, p_seed bigint)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
    select f.node_no, k, f.slots, (pg_catalog.hashint8extended(f.node_no * 1000003::bigint + f.pods_used::bigint + k, p_seed) & 65535) / 655.35::double precision
    from stark_internal.feasible_nodes(p_group) f
    cross join generate_series(1, least(f.slots, p_most)) k;
end;
$$;
comment on function stark_internal.score_random(stark_internal.pod_group, bigint, bigint) is 'Open slots scored by chance.';
revoke all on function stark_internal.score_random(stark_internal.pod_group, bigint, bigint) from public, anon;

/** stark_internal.score_node_affinity(group): the weights of preferred node affinity terms that match. */
create function stark_internal.score_node_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, score double precision)
language sql
stable
set search_path = ''
as $$
with preferred as materialized (
  select t.no, (t.item ->> 'weight')::integer as weight, t.item -> 'preference' as term
  from jsonb_array_elements(coalesce(p_group.template -> 'preferred', '[]')) with ordinality as t (item, no)
)
select m.node_no, 2 * 100.0 * sum(p.weight) / max(sum(p.weight)) over ()
from stark_internal.matching_nodes((select jsonb_agg(p.term order by p.no) from preferred p)) m
join preferred p on p.no = m.term_no
group by m.node_no;
$$;
comment on function stark_internal.score_node_affinity(stark_internal.pod_group) is 'Nodes scored by preferred node affinity.';
revoke all on function stark_internal.score_node_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.score_taints(group): taints PreferNoSchedule that are not tolerated count against a node. */
create function stark_internal.score_taints(p_group stark_internal.pod_group)
returns table (node_no integer, score double precision)
language sql
stable
set search_path = ''
as $$
select t.node_no, 3 * -100.0 * count(*) / max(count(*)) over ()
from stark_internal.intolerable_taints(p_group.template -> 'tolerations', array['PreferNoSchedule']) t
group by t.node_no;
$$;
comment on function stark_internal.score_taints(stark_internal.pod_group) is 'Nodes scored by taints that would rather not have the pod.';
revoke all on function stark_internal.score_taints(stark_internal.pod_group) from public, anon;

/** stark_internal.score_pod_affinity(group): preferred pod affinity and anti-affinity, weight by pod that is there; and as much as the pods there would like to have the group's, or not, by their own. */
create function stark_internal.score_pod_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, score double precision)
language sql
stable
set search_path = ''
as $$
with given as (
  select r.topology_key, c.node_no, r.weight * c.pods as points
  from pg_temp.pass_rules r join pg_temp.pass_counts c using (selector_no)
  where r.rules_no = p_group.rules_no and r.kind = 'prefer'
  union all
  select w.topology_key, w.node_no, w.points from pg_temp.pass_wishes w where w.selector_no = any (p_group.matches)
), held as materialized (
  select d.topology_key, d.domain, sum(g.points) as points
  from given g join pg_temp.pass_domains d using (topology_key, node_no)
  group by 1, 2
), points as (
  select d.node_no, sum(h.points) as points from held h join pg_temp.pass_domains d using (topology_key, domain) group by d.node_no
)
select p.node_no, 2 * 100.0 * p.points / max(abs(p.points)) over () from points p where p.points <> 0;
$$;
comment on function stark_internal.score_pod_affinity(stark_internal.pod_group) is 'Nodes scored by preferred company.';
revoke all on function stark_internal.score_pod_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.score_topology_spread(group): spread constraints that may be broken: fuller domains count against their nodes. */
create function stark_internal.score_topology_spread(p_group stark_internal.pod_group)
returns table (node_no integer, score double precision)
language sql
stable
set search_path = ''
as $$
select n.node_no, sum(-2 * 100.0 * (d.pods - d.fewest) / greatest(d.most - d.fewest, 1))
from (select s.*, max(s.pods) over (partition by s.selector_no, s.topology_key) as most from stark_internal.spread_domains(p_group, 'prefer_spread') s) d
join pg_temp.pass_domains n using (topology_key, domain)
group by n.node_no;
$$;
comment on function stark_internal.score_topology_spread(stark_internal.pod_group) is 'Nodes scored by spread constraints that may be broken.';
revoke all on function stark_internal.score_topology_spread(stark_internal.pod_group) from public, anon;

/** stark_internal.preferences(group): what each preference adds to nodes. */
create function stark_internal.preferences(p_group stark_internal.pod_group)
returns table (node_no integer, score double precision)
language plpgsql
stable
set search_path = ''
set enable_nestloop = off
as $$
begin
  if p_group.template ? 'preferred' then
    return query select * from stark_internal.score_node_affinity(p_group);
  end if;
  return query select * from stark_internal.score_taints(p_group);
  if exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer')
     or exists (select from pg_temp.pass_wishes w where w.selector_no = any (p_group.matches)) then
    return query select * from stark_internal.score_pod_affinity(p_group);
  end if;
  if exists (select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'prefer_spread') then
    return query select * from stark_internal.score_topology_spread(p_group);
  end if;
end;
$$;
comment on function stark_internal.preferences(stark_internal.pod_group) is 'What each preference adds to nodes.';
revoke all on function stark_internal.preferences(stark_internal.pod_group) from public, anon;

/** stark_internal.score_slots(group, most, wanted): at most so many open slots of each node, scored by the cluster's policy. */
create function stark_internal.score_slots(p_group stark_internal.pod_group, p_most bigint, p_wanted bigint default null)
returns table (node_no integer, slot bigint, slots bigint, score double precision)
language plpgsql
stable
set search_path = ''
as $$
declare
  v_config stark.cluster_config;
begin
  select * into v_config from stark.cluster_config;
  case v_config.scheduling_policy
    when 'bin_pack' then return query select * from stark_internal.score_bin_pack(p_group, p_most, p_wanted);
    when 'least_loaded' then return query select * from stark_internal.score_least_loaded(p_group, p_most);
    when 'random' then return query select * from stark_internal.score_random(p_group, p_most, v_config.scheduling_seed);
    when 'affinity' then return query select s.node_no, s.slot, s.slots, s.score / 10 from stark_internal.score_spread(p_group, p_most) s;
    else return query select * from stark_internal.score_spread(p_group, p_most);
  end case;
end;
$$;
comment on function stark_internal.score_slots(stark_internal.pod_group, bigint, bigint) is 'Open slots scored by the cluster''s policy.';
revoke all on function stark_internal.score_slots(stark_internal.pod_group, bigint, bigint) from public, anon;
