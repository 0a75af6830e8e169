-- Feasible nodes: all filters asked together, and the nodes that none of them rejects.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/**
 * stark_internal.rejections(group, ahead): every filter's answer under its name in scheduling_plugins, so that a node counts under each filter
 * that rejects it. Filters that have nothing to look at are not asked. ahead: for picks of several pods, see filter_topology_spread.
 */
create function stark_internal.rejections(p_group stark_internal.pod_group, p_ahead boolean default false)
returns table (node_no integer, filter text, detail text)
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_facts record;
begin
  select * into v_facts from pg_temp.pass_facts;
  if p_group.runtime <> 'isomorphic' and v_facts.runtimes <> array[p_group.runtime] then
    return query select f.node_no, 'runtime', f.detail from stark_internal.filter_runtime(p_group) f;
  end if;
  if v_facts.has_choosy then
    return query select f.node_no, 'acceptance', f.detail from stark_internal.filter_acceptance(p_group) f;
  end if;
  if v_facts.has_unhealthy then
    return query select f.node_no, 'health', f.detail from stark_internal.filter_health(p_group) f;
  end if;
  if v_facts.has_cordoned then
    return query select f.node_no, 'unschedulable', f.detail from stark_internal.filter_unschedulable(p_group) f;
  end if;
  if v_facts.has_tainted then
    return query select f.node_no, 'taints', f.detail from stark_internal.filter_taints(p_group) f;
  end if;
  return query select f.node_no, 'resources', f.detail from stark_internal.filter_resources(p_group) f;
  if p_group.visibility = 'private' then
    return query select f.node_no, 'pack_access', f.detail from stark_internal.filter_pack_access(p_group) f;
  end if;
  if p_group.template ?| array['nodeName', 'nodeSelector', 'required'] then
    return query
      select f.node_no, 'node_name', f.detail from stark_internal.filter_node_name(p_group) f
      union all select f.node_no, 'node_selector', f.detail from stark_internal.filter_node_selector(p_group) f
      union all select f.node_no, 'node_affinity', f.detail from stark_internal.filter_node_affinity(p_group) f;
  end if;
  if p_group.template ? 'ports' then
    return query select f.node_no, 'ports', f.detail from stark_internal.filter_ports(p_group) f;
  end if;
  if p_group.rules_no is not null then
    return query
      select f.node_no, 'pod_affinity', f.detail from stark_internal.filter_pod_affinity(p_group) f
      union all select f.node_no, 'pod_anti_affinity', f.detail from stark_internal.filter_pod_anti_affinity(p_group) f
      union all select f.node_no, 'topology_spread', f.detail from stark_internal.filter_topology_spread(p_group, p_ahead) f;
  end if;
  if p_group.matches is not null then
    return query select f.node_no, 'existing_anti_affinity', f.detail from stark_internal.filter_existing_anti_affinity(p_group) f;
  end if;
end;
$$;
comment on function stark_internal.rejections(stark_internal.pod_group, boolean) is 'Which nodes are rejected for a group, under each filter.';
revoke all on function stark_internal.rejections(stark_internal.pod_group, boolean) from public, anon;

/**
 * stark_internal.feasible_nodes(group, ahead): nodes that pass every filter, how many pods of the group each has room for, and what
 * is used. ahead: as in rejections.
 */
create function stark_internal.feasible_nodes(p_group stark_internal.pod_group, p_ahead boolean default false)
returns table (node_no integer, slots bigint, cpu_total double precision, cpu_used double precision, memory_total double precision, memory_used double precision, pods_total double precision, pods_used double precision)
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
begin
  return query
    with rejected as materialized (
      select distinct r.node_no from stark_internal.rejections(p_group, p_ahead) r
    ), wanted as materialized (
      select p_group.cpu, p_group.memory, p_group.storage
    )
    select n.node_no,
           least(
             case when w.cpu > 0 then n.free_cpu / w.cpu end,
             case when w.memory > 0 then n.free_memory / w.memory end,
             case when w.storage > 0 then n.free_storage / w.storage end,
             case when p_group.template ? 'ports' then 1 end,
             n.free_pods),
           greatest(n.cpu, 1)::double precision, (n.cpu - n.free_cpu)::double precision, greatest(n.memory, 1)::double precision,
           (n.memory - n.free_memory)::double precision, greatest(n.pods, 1)::double precision, (n.pods - n.free_pods)::double precision
    from pg_temp.pass_nodes n cross join wanted w
    where not exists (select from rejected r where r.node_no = n.node_no);
end;
$$;
comment on function stark_internal.feasible_nodes(stark_internal.pod_group, boolean) is 'Nodes that pass every filter, and their room.';
revoke all on function stark_internal.feasible_nodes(stark_internal.pod_group, boolean) from public, anon;
