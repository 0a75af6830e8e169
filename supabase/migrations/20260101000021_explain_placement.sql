-- A dry run: what the scheduler would say of a pod that is not there.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.explain_nodes(group) -> every node with the filters it fails or the scores it earns, best first. */
create function stark_internal.explain_nodes(p_group stark_internal.pod_group)
returns table (node_no integer, name text, owner_id uuid, reasons text[], scores jsonb, score double precision)
language plpgsql
stable
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_policy text := (select c.scheduling_policy from stark.cluster_config c);
begin
  return query
    with rejected as materialized (
      select r.node_no, array_agg(t.reason order by t.reason) as reasons
      from (select distinct j.node_no, j.filter, j.detail from stark_internal.rejections(p_group) j) r
      join (select d.filter, d.detail, stark_internal.reason_of(d.filter, d.detail) as reason
            from (select distinct j.filter, j.detail from stark_internal.rejections(p_group) j) d) t on t.filter = r.filter and t.detail is not distinct from r.detail
      group by r.node_no
    ), earned as materialized (
      select s.node_no, v_policy as what, s.score from stark_internal.score_slots(p_group, 1) s
      union all
      select p.node_no, p.preference, p.score
      from stark_internal.score_preferences(p_group, (select array_agg(n.node_no) from pg_temp.pass_nodes n where n.node_no not in (select r.node_no from rejected r))) p
    ), scored as materialized (
      select e.node_no, jsonb_object_agg(e.what, round(e.score::numeric, 2)) as scores, sum(e.score) as score from earned e group by e.node_no
    )
    select n.node_no, n.name, n.owner_id, coalesce(r.reasons, '{}'), case when r.node_no is null then s.scores end, case when r.node_no is null then s.score end
    from pg_temp.pass_nodes n left join rejected r using (node_no) left join scored s using (node_no)
    order by case when r.node_no is null then s.score end desc nulls last, n.node_no;
end;
$$;
comment on function stark_internal.explain_nodes(stark_internal.pod_group) is 'Every node with the filters it fails or the scores it earns.';
revoke all on function stark_internal.explain_nodes(stark_internal.pod_group) from public, anon;

/**
 * stark.explain_placement(pod) -> {namespace, policy, feasible, message, nodes: [{node, feasible, reasons, scores, score}]}: what
 * would become of a pod now, with nothing changed. pod: as an entry of create_pods, {pack, version?, namespace?, labels?, priority?, spec?}.
 * Nodes are in the order in which the pod would take them; those that the caller may not read are counted, not named.
 * Caller: pods:create in the namespace, and access to the pack. Locks: the cluster lock. Example:
 *   select stark.explain_placement('{"pack": "alpha", "spec": {"nodeSelector": {"disk": "ssd"}}}');
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, INVALID_LABELS, INVALID_SPEC, NAMESPACE_NOT_FOUND, PACK_NOT_FOUND,
 * VERSION_NOT_FOUND, VERSION_NOT_READY, NODE_NOT_FOUND, RUNTIME_MISMATCH, PRIORITY_CLASS_NOT_FOUND.
 */
create function stark.explain_placement(p_pod jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_wanted stark.pods;
  v_group stark_internal.pod_group;
  v_kept record;
  v_sees_all boolean;
  v_nodes jsonb;
  v_feasible bigint;
  v_message text;
begin
  perform stark_internal.require_json('p_pod', p_pod);
  if p_pod is null or jsonb_typeof(p_pod) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_pod must be an object', 'give at least {"pack": "name"}');
  end if;
  v_wanted := stark_internal.read_pod(p_pod, v_user);
  v_wanted.id := gen_random_uuid();
  v_wanted.created_at := now();
  v_wanted.created_by := v_user;
  v_wanted.cpu_request := (v_wanted.spec #>> '{resources,requests,cpu}')::integer;
  v_wanted.memory_request := (v_wanted.spec #>> '{resources,requests,memory}')::integer;
  v_wanted.storage_request := coalesce((v_wanted.spec #>> '{resources,requests,storage}')::integer, 0);
  perform stark_internal.lock_cluster();
  perform stark_internal.open_tables();
  perform stark_internal.load_nodes();
  perform stark_internal.load_given_pods(array[v_wanted]);
  -- Places that are kept for pods of its priority and higher ones are taken.
  perform stark_internal.load_given_pods(array(
    select p from stark.pods p where p.status = 'pending' and p.nominated_node_id is not null and p.priority >= v_wanted.priority));
  perform stark_internal.load_ports();
  perform stark_internal.load_makers();
  perform stark_internal.load_rules();
  for v_kept in select * from stark_internal.pending_groups() g where g.is_nominated loop
    perform stark_internal.place_nominated(v_kept.pod_group, v_kept.pods);
  end loop;
  select (g.pod_group).* into v_group from stark_internal.pending_groups() g where not g.is_nominated;
  v_sees_all := stark_internal.has_permission('nodes:get');
  select coalesce(jsonb_agg(jsonb_build_object('node', n.name, 'feasible', n.scores is not null, 'reasons', to_jsonb(n.reasons), 'scores', n.scores, 'score', round(n.score::numeric, 2))
             order by n.score desc nulls last, n.node_no) filter (where v_sees_all or n.owner_id = v_user), '[]'),
         count(*) filter (where n.scores is not null)
    into v_nodes, v_feasible
    from stark_internal.explain_nodes(v_group) n;
  if v_feasible = 0 then
    perform stark_internal.record_reasons(v_group, array[(v_wanted.id, v_group.cpu, v_group.memory, v_group.storage)::stark_internal.pod_request]);
    select r.message into v_message from pg_temp.pass_reasons r;
  end if;
  perform stark_internal.open_tables();
  return jsonb_build_object('namespace', v_wanted.namespace, 'policy', (select c.scheduling_policy from stark.cluster_config c), 'feasible', v_feasible, 'message', v_message, 'nodes', v_nodes);
end;
$$;
comment on function stark.explain_placement(jsonb) is 'What would become of a pod now: every node with the filters it fails or the scores it earns.';
revoke all on function stark.explain_placement(jsonb) from public, anon;
grant execute on function stark.explain_placement(jsonb) to authenticated, service_role;
