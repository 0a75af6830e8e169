-- What pods print. Partitioned by day (partitions stand in stark_internal, where no API reaches them directly).

create table stark.pod_logs (
  pod_id uuid not null references stark.pods (id) on delete cascade,
  seq bigint not null,
  time timestamptz not null,
  namespace text not null,
  stream text not null,
  level text,
  message text not null,
  run integer not null default 0,
  primary key (pod_id, seq, time),
  constraint stream_is_known check (stream in ('stdout', 'stderr', 'platform')),
  constraint level_is_known check (level in ('debug', 'info', 'warn', 'error')),
  constraint message_has_at_most_16_kb check (octet_length(message) <= 16384),
  constraint run_is_counted_from_0 check (run >= 0)
) partition by range (time);
create table stark_internal.pod_logs_default partition of stark.pod_logs default;
comment on table stark.pod_logs is 'Lines that pods printed, and the platform''s own lines about them.';
comment on column stark.pod_logs.pod_id is 'The pod.';
comment on column stark.pod_logs.seq is 'Counted by the agent for each pod; a line sent twice is kept once.';
comment on column stark.pod_logs.time is 'When the line was printed, by the time of the cluster as the agent knows it.';
comment on column stark.pod_logs.namespace is 'Namespace of the pod.';
comment on column stark.pod_logs.stream is 'stdout, stderr, or platform for what Stark says about the pod.';
comment on column stark.pod_logs.level is 'debug, info, warn, error; null when the line has none.';
comment on column stark.pod_logs.message is 'The line; what is longer than 16 kB was cut.';
comment on column stark.pod_logs.run is 'Which run of the pod printed it: how often the pod had been restarted before.';
comment on table stark_internal.pod_logs_default is 'Lines whose day has no partition of its own.';

/** stark_internal.cut(text, bytes): at most so many bytes, never half a character. */
create function stark_internal.cut(p_text text, p_bytes integer)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_text text := left(p_text, p_bytes);
begin
  while octet_length(v_text) > p_bytes loop
    v_text := left(v_text, - greatest(1, (octet_length(v_text) - p_bytes) / 4));
  end loop;
  return v_text;
end;
$$;
comment on function stark_internal.cut(text, integer) is 'The beginning of a text, in at most so many bytes.';
revoke all on function stark_internal.cut(text, integer) from public, anon;

create table stark_internal.pod_log_sizes (
  pod_id uuid primary key references stark.pods (id) on delete cascade,
  lines bigint not null,
  bytes bigint not null
);
comment on table stark_internal.pod_log_sizes is 'How much of each pod''s log there is at most: what was dropped with its day may still be counted.';
alter table stark_internal.pod_log_sizes enable row level security;
create policy "nobody reads sizes" on stark_internal.pod_log_sizes for select to authenticated using (false);

/** stark_internal.max_log_bytes(): what is kept of a pod's log, the newest lines, as much as Kubernetes keeps of a container's. */
create function stark_internal.max_log_bytes()
returns bigint
language sql
immutable
set search_path = pg_temp
as $$ select 10485760 $$;
comment on function stark_internal.max_log_bytes() is 'Bytes that are kept of a pod''s log.';
revoke all on function stark_internal.max_log_bytes() from public, anon;

/**
 * stark_internal.trim_logs_of(pods) -> how many lines went: the oldest of each of these pods, by lines as configured and by
 * bytes; and counts them anew.
 */
create function stark_internal.trim_logs_of(p_pods uuid[])
returns integer
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  with measured as (
    select l.pod_id, l.seq, octet_length(l.message) as bytes,
           row_number() over newest as lines_from, sum(octet_length(l.message)) over newest as bytes_from
    from stark.pod_logs l where l.pod_id = any (p_pods)
    window newest as (partition by l.pod_id order by l.seq desc, l.time desc)
  ), judged as (
    select m.*, m.lines_from > c.max_log_lines_per_pod or m.bytes_from > stark_internal.max_log_bytes() as is_old
    from measured m cross join stark.cluster_config c
  ), counted as (
    update stark_internal.pod_log_sizes s set lines = k.lines, bytes = k.bytes
    from (select j.pod_id, count(*) filter (where not j.is_old) as lines, coalesce(sum(j.bytes) filter (where not j.is_old), 0) as bytes
          from judged j group by j.pod_id) k
    where s.pod_id = k.pod_id
  ), removed as (
    delete from stark.pod_logs l using (select j.pod_id, max(j.seq) as seq from judged j where j.is_old group by j.pod_id) o
    where l.pod_id = o.pod_id and l.seq <= o.seq returning 1
  )
  select count(*)::integer from removed;
$$;
comment on function stark_internal.trim_logs_of(uuid[]) is 'Keeps the logs of these pods to their newest lines.';
revoke all on function stark_internal.trim_logs_of(uuid[]) from public, anon;

/**
 * stark.append_pod_logs(node, incarnation, lines) -> how many lines are new.
 * line: {pod_id, seq, time, stream: stdout|stderr|platform, level?, message, run?}. Sending a line again changes nothing; lines of
 * pods that are not this node's, or are gone, are dropped, and so are malformed ones and those of days to come: logs never
 * hold up an agent. A call takes 5000 lines, 4 MB of them. What is kept of a pod is bounded here, a quarter above what the hourly
 * trim leaves.
 * Caller: the node's owner, or nodes:connect on any. No lock: logs change no wanted state.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND, STALE_INCARNATION, INVALID_ARGUMENT, LIMIT_EXCEEDED.
 */
create function stark.append_pod_logs(p_node_id uuid, p_incarnation bigint, p_lines jsonb)
returns integer
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_count integer;
  v_full uuid[];
begin
  perform stark_internal.require_user();
  perform stark_internal.require_json('p_lines', p_lines);
  if p_incarnation is null or p_lines is null or jsonb_typeof(p_lines) <> 'array' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'append_pod_logs needs p_incarnation and a list p_lines', 'take the incarnation from node_sync');
  end if;
  if jsonb_array_length(p_lines) > stark_internal.call_limit('log_lines') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s lines in one call, at most %s', jsonb_array_length(p_lines), stark_internal.call_limit('log_lines')), 'use several calls');
  end if;
  perform stark_internal.require_agent(p_node_id, p_incarnation);
  -- In the order in which they are removed: one that goes at this moment is gone before its lines are looked at.
  perform from stark.pods p
    where p.node_id = p_node_id and p.id::text in (select l.line ->> 'pod_id' from jsonb_array_elements(p_lines) l (line))
    order by p.id for key share;
  with added as (
    insert into stark.pod_logs (pod_id, seq, time, namespace, stream, level, message, run)
    select p.id, (l.line ->> 'seq')::numeric::bigint, (l.line ->> 'time')::timestamptz, p.namespace, l.line ->> 'stream',
           case when l.line ->> 'level' in ('debug', 'info', 'warn', 'error') then l.line ->> 'level' end,
           stark_internal.cut(l.line ->> 'message', 16384), coalesce((l.line ->> 'run')::numeric::integer, 0)
    from jsonb_array_elements(p_lines) l (line)
    join stark.pods p on p.id = case when stark_internal.is_uuid(l.line ->> 'pod_id') then (l.line ->> 'pod_id')::uuid end
    where p.node_id = p_node_id
      and stark_internal.is_whole(l.line -> 'seq', 0, 9007199254740991)
      and stark_internal.is_time(l.line ->> 'time', now() + interval '1 day')
      and l.line ->> 'stream' in ('stdout', 'stderr', 'platform')
      and jsonb_typeof(l.line -> 'message') = 'string'
      and (l.line -> 'run' is null or stark_internal.is_whole(l.line -> 'run', 0, 2147483647))
    on conflict do nothing
    returning pod_logs.pod_id, octet_length(pod_logs.message) as bytes
  ), counted as (
    insert into stark_internal.pod_log_sizes as s (pod_id, lines, bytes)
    select a.pod_id, count(*), sum(a.bytes) from added a group by a.pod_id order by a.pod_id
    on conflict (pod_id) do update set lines = s.lines + excluded.lines, bytes = s.bytes + excluded.bytes
    returning s.pod_id, s.lines, s.bytes
  )
  select (select count(*) from added),
         array(select k.pod_id from counted k where k.lines > c.max_log_lines_per_pod * 5 / 4 or k.bytes > stark_internal.max_log_bytes() * 5 / 4)
    into v_count, v_full from stark.cluster_config c;
  -- A quarter above, so that not every line costs a look at all of them.
  if cardinality(v_full) > 0 then
    perform stark_internal.trim_logs_of(v_full);
  end if;
  return v_count;
end;
$$;
comment on function stark.append_pod_logs(uuid, bigint, jsonb) is 'An agent hands over lines that its pods printed.';
revoke all on function stark.append_pod_logs(uuid, bigint, jsonb) from public, anon;
grant execute on function stark.append_pod_logs(uuid, bigint, jsonb) to authenticated, service_role;

/**
 * stark.follow_logs(pod) -> {topic, seconds, status}: somebody follows this pod's log. For so many seconds its agent
 * broadcasts new lines on the topic, after they were stored: {previous_seq, lines}, where previous_seq is the number of the
 * line before these, so that a follower knows what it has missed and reads it in pod_logs. Call again before they are over.
 * Where nobody runs the pod, nobody is told; status says whether it has ended.
 * Caller: logs:get in the pod's namespace, or an own pod. No lock: it changes nothing.
 * Raises: UNAUTHENTICATED, FORBIDDEN, POD_NOT_FOUND.
 */
create function stark.follow_logs(p_pod_id uuid)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_seconds constant integer := 45;
  v_pod stark.pods;
  v_topic text;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_pods(array[p_pod_id], 'logs:get');
  select * into v_pod from stark.pods p where p.id = p_pod_id;
  v_topic := stark_internal.present_topic('stark:pod:' || p_pod_id, 'stark:namespace:' || v_pod.namespace);
  if v_pod.node_id is not null and stark_internal.occupies(v_pod.status) then
    perform stark_internal.send_messages('logs.follow', array['stark:node:' || v_pod.node_id],
      array[jsonb_build_object('pod_id', p_pod_id, 'seconds', v_seconds, 'topic', v_topic)]);
  end if;
  return jsonb_build_object('topic', v_topic, 'seconds', v_seconds, 'status', v_pod.status);
end;
$$;
comment on function stark.follow_logs(uuid) is 'Asks the pod''s agent to send its log lines live for a while.';
revoke all on function stark.follow_logs(uuid) from public, anon;
grant execute on function stark.follow_logs(uuid) to authenticated, service_role;

alter table stark.pod_logs enable row level security;
alter table stark_internal.pod_logs_default enable row level security;
create policy "nobody reads partitions" on stark_internal.pod_logs_default for select to authenticated using (false);
create policy "members read logs of their namespaces and of their own pods" on stark.pod_logs for select to authenticated
  using (
    namespace = any ((select stark_internal.permitted_namespaces('logs:get'))::text[])
    or (namespace = any ((select stark_internal.permitted_namespaces('logs:get', true))::text[])
        and pod_id in (select p.id from stark.pods p where p.created_by = (select auth.uid())))
  );
grant select on stark.pod_logs to authenticated, service_role;
