-- What an agent calls: connect and reconcile, report, say goodbye. Each call names the node and the incarnation it speaks
-- for; only the account that joined for the node, or its owner where none did, may speak for it, and only its latest incarnation
-- is heard.

/**
 * stark_internal.require_agent(node, incarnation) -> the node row; incarnation null when the agent connects anew.
 * Raises: UNAUTHENTICATED, NODE_NOT_FOUND, FORBIDDEN, STALE_INCARNATION. The cluster lock is held.
 */
create function stark_internal.require_agent(p_node_id uuid, p_incarnation bigint)
returns stark.nodes
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_node stark.nodes;
begin
  perform stark_internal.require_user();
  select * into v_node from stark.nodes n where n.id = p_node_id;
  if not found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', coalesce(p_node_id::text, 'null')), 'register the node again');
  end if;
  if not stark_internal.may_act_as_agent(v_node) then
    perform stark_internal.fail('FORBIDDEN', format('%s may not speak for node %s', stark_internal.caller_name(), p_node_id), 'sign in as the owner of the node, or join anew');
  end if;
  if p_incarnation is not null and p_incarnation <> v_node.incarnation then
    perform stark_internal.fail('STALE_INCARNATION', format('node %s is at incarnation %s, this call is from %s', v_node.name, v_node.incarnation, p_incarnation),
      'the node was given up meanwhile, or another agent has taken it over: connect anew');
  end if;
  return v_node;
end;
$$;
comment on function stark_internal.require_agent(uuid, bigint) is 'The node, when the caller may speak for this incarnation of it.';
revoke all on function stark_internal.require_agent(uuid, bigint) from public, anon;

/**
 * stark.node_sync(node, incarnation) -> {node_id, incarnation, secret?, topic, now, heartbeat: {interval, timeout}, pods:
 * [wanted pod]}: what the node should run, env and config with it, and what time it is. incarnation null: the agent connects anew; the incarnation grows, older connections are
 * heard no longer, the node is healthy, and secret is what presence and heartbeats must carry (only its SHA-256 is kept).
 * Else: ask again. Either is a sign of life.
 * Caller: who may speak for the node. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, STALE_INCARNATION.
 */
create function stark.node_sync(p_node_id uuid, p_incarnation bigint default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_node stark.nodes;
  v_secret text;
  v_terms record;
begin
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  perform stark_internal.lock_cluster();
  v_node := stark_internal.require_agent(p_node_id, p_incarnation);
  if p_incarnation is null then
    v_secret := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
    v_node.incarnation := v_node.incarnation + 1;
    insert into stark_internal.node_secrets as s (node_id, incarnation, secret_sha256)
      values (p_node_id, v_node.incarnation, encode(sha256(convert_to(v_secret, 'UTF8')), 'hex'))
      on conflict (node_id) do update set incarnation = excluded.incarnation, secret_sha256 = excluded.secret_sha256;
    -- The agent that was connected until now is told at once; else it would find out a minute later.
    if v_node.status in ('healthy', 'unhealthy') then
      perform stark_internal.request_sync(array[p_node_id]);
    end if;
    -- Its pods first, so that a pass started by the node's own update finds them in their places.
    update stark.pods p set incarnation = v_node.incarnation where p.node_id = p_node_id and stark_internal.occupies(p.status);
  end if;
  select * into v_terms from stark_internal.heartbeat_terms();
  insert into stark.node_leases as l (node_id, incarnation, renewed_at, liveness, heartbeat_timeout)
    values (p_node_id, v_node.incarnation, now(), v_terms.liveness, v_terms.timeout_seconds)
    on conflict (node_id) do update set incarnation = excluded.incarnation, renewed_at = excluded.renewed_at,
      liveness = excluded.liveness, heartbeat_timeout = excluded.heartbeat_timeout;
  update stark.nodes n
    set incarnation = v_node.incarnation,
        status = 'healthy',
        status_reason = null,
        connected_at = case when p_incarnation is null then now() else n.connected_at end,
        updated_at = now()
    where n.id = p_node_id and (p_incarnation is null or n.status <> 'healthy');
  perform stark_internal.wake_watcher();
  perform stark_internal.work_off_notes();
  return jsonb_strip_nulls(jsonb_build_object('secret', v_secret)) || jsonb_build_object(
    'node_id', p_node_id,
    'incarnation', v_node.incarnation,
    'topic', 'stark:node:' || p_node_id,
    'now', clock_timestamp(),
    'heartbeat', jsonb_build_object('interval', stark_internal.heartbeat_interval(p_node_id), 'timeout', v_terms.timeout_seconds),
    'pods', coalesce((
      select jsonb_agg(jsonb_set(w.item, '{spec}', (w.item -> 'spec') || w.environment) order by w.priority desc, w.created_at, w.pod_id)
      from stark_internal.wanted_pods w
      where w.node_id = p_node_id and stark_internal.occupies(w.status)), '[]'));
end;
$$;
comment on function stark.node_sync(uuid, bigint) is 'Connects an agent, or tells it again what it should run.';
revoke all on function stark.node_sync(uuid, bigint) from public, anon;
grant execute on function stark.node_sync(uuid, bigint) to authenticated, service_role;

-- Reports -------------------------------------------------------------------------------------------------------------

/** stark_internal.report_problem(report): null when well formed, else what is wrong. */
create function stark_internal.report_problem(p_report jsonb)
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return case
    when jsonb_typeof(p_report) <> 'object' then 'a report must be an object'
    when jsonb_typeof(p_report -> 'pod_id') is distinct from 'string' or not stark_internal.is_uuid(p_report ->> 'pod_id') then 'pod_id must be a uuid'
    when coalesce(p_report ->> 'status', '') not in ('transferring', 'starting', 'running', 'stopping', 'stopped', 'succeeded', 'failed')
      then 'status must be transferring, starting, running, stopping, stopped, succeeded or failed'
    when coalesce(jsonb_typeof(p_report -> 'reason'), 'null') not in ('string', 'null') then 'reason must be a string'
    when coalesce(jsonb_typeof(p_report -> 'message'), 'null') not in ('string', 'null') then 'message must be a string'
    when coalesce(jsonb_typeof(p_report -> 'exit_code'), 'null') <> 'null'
      and not stark_internal.is_whole(p_report -> 'exit_code', -2147483648, 2147483647) then 'exit_code must be a whole number'
    when coalesce(jsonb_typeof(p_report -> 'restarts'), 'null') <> 'null'
      and not stark_internal.is_whole(p_report -> 'restarts', 0, 2147483647) then 'restarts must be a whole number from 0'
    when coalesce(jsonb_typeof(p_report -> 'ready'), 'null') not in ('boolean', 'null') then 'ready must be true or false'
    when coalesce(jsonb_typeof(p_report -> 'ports'), 'null') not in ('object', 'null') or octet_length((p_report -> 'ports')::text) > 4096
      then 'ports must be an object of port numbers'
    when jsonb_typeof(p_report -> 'ports') = 'object' and exists (
      select from jsonb_each(case jsonb_typeof(p_report -> 'ports') when 'object' then p_report -> 'ports' else '{}' end) e
      where not stark_internal.is_whole(e.value, 1, 65535)) then 'ports must be an object of port numbers'
    when coalesce(jsonb_typeof(p_report -> 'observed_at'), 'null') <> 'null'
      and not stark_internal.is_time(p_report ->> 'observed_at') then 'observed_at must be a time'
  end;
end;
$$;
comment on function stark_internal.report_problem(jsonb) is 'What is wrong with an agent''s report; null when nothing is.';
revoke all on function stark_internal.report_problem(jsonb) from public, anon;

create type stark_internal.pod_report as (
  ord bigint, nth bigint, pod_id uuid, status text, reason text, message text, exit_code integer, restarts integer, ready boolean, ports jsonb, observed_at timestamptz
);
comment on type stark_internal.pod_report is 'A well-formed report of an agent: ord counts all reports of a call, nth those on one pod.';

/** stark_internal.read_reports(reports): the well-formed ones. */
create function stark_internal.read_reports(p_reports jsonb)
returns setof stark_internal.pod_report
language sql
stable
set search_path = pg_temp
as $$
  select e.ord, row_number() over (partition by (e.report ->> 'pod_id')::uuid order by e.ord), (e.report ->> 'pod_id')::uuid, e.report ->> 'status',
         left(e.report ->> 'reason', 128), left(e.report ->> 'message', 4096),
         (e.report ->> 'exit_code')::numeric::integer, (e.report ->> 'restarts')::numeric::integer,
         (e.report ->> 'ready')::boolean, nullif(e.report -> 'ports', 'null'), (e.report ->> 'observed_at')::timestamptz
  from jsonb_array_elements(p_reports) with ordinality as e (report, ord)
  where stark_internal.report_problem(e.report) is null;
$$;
comment on function stark_internal.read_reports(jsonb) is 'Well-formed reports as rows.';
revoke all on function stark_internal.read_reports(jsonb) from public, anon;

/**
 * stark_internal.apply_reports(node, reports, refused, now) -> [{pod_id, accepted, code?, message?}] in the order of the reports.
 * The first report on each pod is applied as one update, then the second, and so on, since each must be a step from the one
 * before. A refused report changes nothing and does not hold up the others. The cluster lock is held.
 */
create function stark_internal.apply_reports(p_node_id uuid, p_reports stark_internal.pod_report[], p_refused jsonb[], p_now timestamptz default now())
returns jsonb
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_results jsonb[] := p_refused;
  v_round jsonb;
  v_reports stark_internal.pod_report[];
begin
  -- Reports on one pod are a round each.
  for v_reports in select array_agg(r) from unnest(p_reports) r group by r.nth order by r.nth loop
    with judged as materialized (
      select r.*, p.status as from_status, p.name, coalesce(p.status = r.status, false) as repeated,
        -- Why a pod waits or stops stays until the next status; what is wrong with a running one may be over.
        coalesce(p.status = r.status, false) and r.status <> 'running' as keeps_why,
        -- Why the cluster had it stopped says more than that it stopped.
        coalesce(p.status = 'stopping' and r.status = 'stopped' and p.status_reason <> 'StopRequested', false) as sent_away,
        case
          when p.id is null then 'POD_NOT_FOUND'
          when p.node_id is distinct from p_node_id then 'POD_NOT_ON_NODE'
          when p.status <> r.status and not exists (
            select from stark.pod_status_steps s where s.from_status = p.status and s.to_status = r.status and s.taken_by = 'node'
          ) then 'STATUS_STEP_REFUSED'
        end as code
      from unnest(v_reports) r
      left join stark.pods p on p.id = r.pod_id
    ), changed as (
      update stark.pods p set
          status = j.status,
          status_reason = case when j.sent_away then p.status_reason when j.keeps_why then coalesce(j.reason, p.status_reason) else j.reason end,
          status_message = case when j.sent_away then p.status_message when j.keeps_why then coalesce(j.message, p.status_message) else j.message end,
          exit_code = coalesce(j.exit_code, p.exit_code),
          restarts = coalesce(j.restarts, p.restarts),
          ready = case when j.status in ('running', 'stopping') then coalesce(j.ready, j.repeated and p.ready) else false end,
          -- A run that began anew meanwhile is ready anew; the database's clock counts, since an agent's may be wrong.
          ready_at = case when case when j.status in ('running', 'stopping') then coalesce(j.ready, j.repeated and p.ready) else false end
            then case when j.restarts > p.restarts then p_now else coalesce(p.ready_at, p_now) end end,
          ports = coalesce(j.ports, p.ports),
          started_at = case when j.status = 'running' then coalesce(p.started_at, least(j.observed_at, p_now), p_now) else p.started_at end,
          finished_at = case when j.status in ('stopped', 'succeeded', 'failed') then coalesce(least(j.observed_at, p_now), p_now) end
        from judged j
        where p.id = j.pod_id and j.code is null
          and not (j.repeated and (
            p.finished_at is not null
            or (coalesce(j.reason, case when j.keeps_why then p.status_reason end), coalesce(j.message, case when j.keeps_why then p.status_message end), coalesce(j.exit_code, p.exit_code),
                coalesce(j.restarts, p.restarts), coalesce(j.ready, p.ready), coalesce(j.ports, p.ports))
               is not distinct from (p.status_reason, p.status_message, p.exit_code, p.restarts, p.ready, p.ports)))
        returning p.id
    )
    select jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
        'ord', j.ord, 'pod_id', j.pod_id, 'accepted', j.code is null, 'code', j.code,
        'message', case j.code
          when 'POD_NOT_FOUND' then format('no pod %s', j.pod_id)
          when 'POD_NOT_ON_NODE' then format('pod %s is not placed on this node', j.name)
          when 'STATUS_STEP_REFUSED' then format('pod %s may not go from %s to %s', j.name, j.from_status, j.status)
        end))) into v_round
      from judged j;
    v_results := array_append(v_results, v_round);
  end loop;
  perform stark_internal.remove_ended_pods();
  return (select coalesce(jsonb_agg(r - 'ord' order by (r ->> 'ord')::bigint), '[]') from unnest(v_results) u, jsonb_array_elements(u) r);
end;
$$;
comment on function stark_internal.apply_reports(uuid, stark_internal.pod_report[], jsonb[], timestamptz) is 'Applies an agent''s reports, each judged by itself.';
revoke all on function stark_internal.apply_reports(uuid, stark_internal.pod_report[], jsonb[], timestamptz) from public, anon;

/**
 * stark.report_pods(node, incarnation, reports) -> [{pod_id, accepted, code?, message?}], one for each report, in order.
 * report: {pod_id, status, reason?, message?, exit_code?, restarts?, ready?, ports?, observed_at?}. Reporting the same again
 * is accepted and changes nothing, so an agent may retry. A refused report (POD_NOT_FOUND, POD_NOT_ON_NODE,
 * STATUS_STEP_REFUSED, INVALID_ARGUMENT) is final: retrying will not help, node_sync tells what is wanted. A call takes 500
 * reports, 100 on one pod, 4 MB of them.
 * Caller: who may speak for the node. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, STALE_INCARNATION, INVALID_ARGUMENT, LIMIT_EXCEEDED.
 */
create function stark.report_pods(p_node_id uuid, p_incarnation bigint, p_reports jsonb)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_reports stark_internal.pod_report[];
  v_refused jsonb[];
  v_answers jsonb;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_json('p_reports', p_reports);
  if p_incarnation is null or p_reports is null or jsonb_typeof(p_reports) <> 'array' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'report_pods needs p_incarnation and a list p_reports', 'take the incarnation from node_sync');
  end if;
  if jsonb_array_length(p_reports) > stark_internal.call_limit('reports') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s reports in one call, at most %s', jsonb_array_length(p_reports), stark_internal.call_limit('reports')), 'use several calls');
  end if;
  -- Each is an update of its own, under the cluster lock.
  if (select max(r.nth) from stark_internal.read_reports(p_reports) r) > stark_internal.call_limit('reports_of_one_pod') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('more than %s reports on one pod in one call', stark_internal.call_limit('reports_of_one_pod')), 'use several calls');
  end if;
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  -- Read before the lock, and those that are malformed are answered without it.
  v_reports := array(select r from stark_internal.read_reports(p_reports) r);
  v_refused := array(
    select jsonb_build_array(jsonb_build_object('ord', e.ord, 'pod_id', left(e.report ->> 'pod_id', 64), 'accepted', false, 'code', 'INVALID_ARGUMENT', 'message', p.problem))
    from jsonb_array_elements(p_reports) with ordinality as e (report, ord), lateral (select stark_internal.report_problem(e.report) as problem) p
    where p.problem is not null);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  v_answers := stark_internal.apply_reports(p_node_id, v_reports, v_refused);
  perform stark_internal.work_off_notes();
  return v_answers;
end;
$$;
comment on function stark.report_pods(uuid, bigint, jsonb) is 'An agent says how its pods are.';
revoke all on function stark.report_pods(uuid, bigint, jsonb) from public, anon;
grant execute on function stark.report_pods(uuid, bigint, jsonb) to authenticated, service_role;

/**
 * stark.disconnect_node(node, incarnation): a graceful goodbye. The node is offline, its pods have failed (NodeShutdown), or
 * stopped when that was asked for. Saying it twice changes nothing.
 * Caller: who may speak for the node. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, STALE_INCARNATION, INVALID_ARGUMENT.
 */
create function stark.disconnect_node(p_node_id uuid, p_incarnation bigint)
returns void
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_user();
  if p_incarnation is null then
    perform stark_internal.fail('INVALID_ARGUMENT', 'disconnect_node needs p_incarnation', 'take the incarnation from node_sync');
  end if;
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  -- The node first, so that the room its pods leave is not given away on it.
  update stark.nodes n set status = 'offline', status_reason = 'NodeShutdown', updated_at = now()
    where n.id = p_node_id and (n.status, n.status_reason) is distinct from ('offline', 'NodeShutdown');
  update stark.pods p set
      status = case when p.status = 'stopping' then 'stopped' else 'failed' end,
      status_reason = case when p.status = 'stopping' then p.status_reason else 'NodeShutdown' end,
      status_message = case when p.status = 'stopping' then p.status_message else format('node %s was shut down', p.node_name) end,
      ready = false,
      finished_at = now()
    where p.node_id = p_node_id and stark_internal.occupies(p.status);
  perform stark_internal.remove_ended_pods();
  perform stark_internal.work_off_notes();
end;
$$;
comment on function stark.disconnect_node(uuid, bigint) is 'An agent says goodbye; its pods have ended.';
revoke all on function stark.disconnect_node(uuid, bigint) from public, anon;
grant execute on function stark.disconnect_node(uuid, bigint) to authenticated, service_role;
