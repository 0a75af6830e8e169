-- Commands: one broadcast for each node that has something to do, on its own topic. They are hints: what a node should run
-- is in the database (node_sync), so a lost one costs time and nothing else.

create view stark_internal.wanted_pods with (security_invoker = true) as
select p.id as pod_id, p.node_id, p.status, p.priority, p.created_at, jsonb_build_object(
    'id', p.id,
    'name', p.name,
    'namespace', p.namespace,
    'owner', p.created_by,
    'labels', p.labels,
    'status', p.status,
    'pack', p.pack_name,
    'version', p.version,
    'version_id', v.id,
    'runtime', v.runtime,
    'entry', v.entry,
    'bundle', jsonb_build_object('bucket', v.bucket, 'path', v.path, 'sha256', v.sha256, 'size_bytes', v.size_bytes)
      || case when v.assets_sha256 is null then '{}'
           else jsonb_build_object('assets', jsonb_build_object('bucket', v.bucket, 'path', v.assets_path, 'sha256', v.assets_sha256, 'size_bytes', v.assets_size_bytes)) end,
    'spec', p.spec,
    'restarts', p.restarts,
    'wanted', case when p.status = 'stopping' then 'stopped' else 'running' end) as item,
  case when e.env is null then '{}' else jsonb_build_object('env', e.env) end || case when e.config is null then '{}' else jsonb_build_object('config', e.config) end as environment
from stark.pods p join stark.pack_versions v on v.id = p.pack_version_id left join stark.pod_env e on e.pod_id = p.id
where p.node_id is not null;
comment on view stark_internal.wanted_pods is 'Placed pods in the form that agents get them: item is broadcast, environment is what node_sync alone adds to its spec.';

/**
 * stark_internal.send_messages(event, topics, payloads): one broadcast a topic, as realtime.send makes them, written as one
 * set: a call each costs more than all else a pass does. As there, what goes wrong is a warning: a broadcast never undoes
 * the write it tells of.
 */
create function stark_internal.send_messages(p_event text, p_topics text[], p_payloads jsonb[])
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  insert into realtime.messages (payload, event, topic, private, extension)
    select m.payload, p_event, m.topic, true, 'broadcast' from unnest(p_topics, p_payloads) with ordinality as m (topic, payload, ord) order by m.ord;
exception when others then
  raise warning 'broadcasts of % lost: %', p_event, sqlerrm;
end;
$$;
comment on function stark_internal.send_messages(text, text[], jsonb[]) is 'Broadcasts many messages at once.';
revoke all on function stark_internal.send_messages(text, text[], jsonb[]) from public, anon;

/** stark_internal.command_starts(ids): tells each node which of these pods it is to start. */
create function stark_internal.command_starts(p_ids uuid[])
returns void
language plpgsql
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_topics text[];
  v_payloads jsonb[];
begin
  if cardinality(p_ids) > 1000 then
    -- A plan made for few looks each of them up; for many one that reads the tables once is worth its making.
    perform pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true);
  end if;
  -- Only where a node's items are too large for one message is it cut, by where an item begins, so that a message is longer than the
  -- limit by its last item at most. As text: what has many quotes or line ends in it is several times as long as it is in memory.
  with items as materialized (
    select w.node_id, w.priority, w.created_at, w.pod_id, w.item, octet_length(w.item::text) as bytes
    from stark_internal.wanted_pods w where w.pod_id = any (p_ids) offset 0 -- offset 0: each item is built once
  ), nodes as (
    select i.node_id, sum(i.bytes) as bytes, array_agg(i.item order by i.priority desc, i.created_at, i.pod_id) as items from items i group by i.node_id
  ), messages as (
    select n.node_id, 0 as chunk, n.items from nodes n where n.bytes <= stark_internal.call_limit('message_bytes')
    union all
    select c.node_id, c.chunk, array_agg(c.item order by c.ord)
    from (
      select n.node_id, u.item, u.ord,
             coalesce(sum(octet_length(u.item::text)) over (partition by n.node_id order by u.ord
                        rows between unbounded preceding and 1 preceding), 0) / stark_internal.call_limit('message_bytes') as chunk
      from nodes n cross join lateral unnest(n.items) with ordinality as u (item, ord)
      where n.bytes > stark_internal.call_limit('message_bytes')) c
    group by c.node_id, c.chunk
  )
  select array_agg('stark:node:' || m.node_id order by m.node_id, m.chunk), array_agg(jsonb_build_object('pods', m.items) order by m.node_id, m.chunk)
    into v_topics, v_payloads from messages m;
  perform stark_internal.send_messages('pods.start', v_topics, v_payloads);
end;
$$;
comment on function stark_internal.command_starts(uuid[]) is 'Sends pods.start for these pods to their nodes.';
revoke all on function stark_internal.command_starts(uuid[]) from public, anon;

/**
 * stark_internal.command_nodes(): statement trigger on pods; tells each node what it is to start and what to stop, one message
 * a node on stark:node:<id>, as {pods: [item]}; more than one where a message would pass call_limit('message_bytes'), since a
 * hosted project drops
 * large ones.
 */
create function stark_internal.command_nodes()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_ids uuid[];
  v_topics text[];
  v_payloads jsonb[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_ids := array(select n.id from new_rows n where n.status = 'scheduled');
    if v_ids <> '{}' then
      perform stark_internal.command_starts(v_ids);
    end if;
  elsif tg_op = 'UPDATE' then
    v_ids := array(select n.id from old_rows o join new_rows n using (id) where n.status = 'scheduled' and o.status <> 'scheduled');
    if v_ids <> '{}' then
      perform stark_internal.command_starts(v_ids);
    end if;
    select array_agg('stark:node:' || m.node_id), array_agg(m.payload) into v_topics, v_payloads
      from (
        -- A pod that made room before its agent said that it had begun has ended already, and gets no grace.
        select n.node_id, jsonb_build_object('pods', array_agg(jsonb_build_object('id', n.id, 'graceSeconds',
                 case n.status when 'evicted' then 0 else coalesce((n.spec ->> 'terminationGracePeriodSeconds')::integer, 30) end))) as payload
        from old_rows o join new_rows n using (id)
        where n.status <> o.status and (n.status = 'stopping' or (n.status = 'evicted' and n.status_reason = 'Preempted')) and n.node_id is not null
        group by n.node_id) m;
  else
    select array_agg('stark:node:' || m.node_id), array_agg(m.payload) into v_topics, v_payloads
      from (
        select o.node_id, jsonb_build_object('pods', array_agg(jsonb_build_object('id', o.id, 'graceSeconds', 0))) as payload
        from old_rows o where stark_internal.occupies(o.status) and o.node_id is not null
        group by o.node_id) m;
  end if;
  if v_topics is not null then
    perform stark_internal.send_messages('pods.stop', v_topics, v_payloads);
  end if;
  return null;
end;
$$;
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';
revoke all on function stark_internal.command_nodes() from public, anon;

create trigger _300_command_nodes_on_new after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.command_nodes();
create trigger _300_command_nodes_on_change after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.command_nodes();
create trigger _300_command_nodes_on_delete after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.command_nodes();
