-- Commands: one broadcast for each node that has something to do, on its own topic. They are hints: what a node should run
-- is in the database (node_sync), so a lost one costs time and nothing else.

/** stark_internal.wanted_pods(pods) -> node and item for each, in their order: placed pods as their agents want to know them. */
create function stark_internal.wanted_pods(p_pods stark.pods[])
returns table (node_id uuid, item jsonb)
language sql
stable
set search_path = ''
as $$
  select p.node_id, jsonb_build_object(
    'id', p.id,
    'name', p.name,
    'namespace', p.namespace,
    'labels', p.labels,
    'status', p.status,
    'pack', p.pack_name,
    'version', p.version,
    'version_id', v.id,
    'runtime', v.runtime,
    'entry', v.entry,
    'bundle', v.bundle,
    'spec', p.spec,
    'restarts', p.restarts,
    'wanted', case when p.status = 'stopping' then 'stopped' else 'running' end)
  from unnest(p_pods) with ordinality as p
  join (
    -- offset 0: built once a version, not once a pod.
    select w.id, w.runtime, w.entry, jsonb_build_object('bucket', w.bucket, 'path', w.path, 'sha256', w.sha256, 'size_bytes', w.size_bytes) as bundle
    from stark.pack_versions w where w.id in (select d.pack_version_id from unnest(p_pods) d) offset 0) v on v.id = p.pack_version_id
  order by p.ordinality;
$$;
comment on function stark_internal.wanted_pods(stark.pods[]) is 'Placed pods in the form that agents get them.';
revoke all on function stark_internal.wanted_pods(stark.pods[]) from public, anon;

/**
 * stark_internal.send_messages(event, topics, payloads): one broadcast a topic, as realtime.send makes them, written as one
 * set: a call each costs more than all else a pass does. As there, what goes wrong is a warning: a broadcast never undoes
 * the write it tells of.
 */
create function stark_internal.send_messages(p_event text, p_topics text[], p_payloads jsonb[])
returns void
language plpgsql
set search_path = ''
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

/**
 * stark_internal.send_commands(event, nodes, items): one message a node, on stark:node:<id>, as {pods: [item]}; more than one
 * where a message would pass 200 kB, since a hosted project drops large ones.
 */
create function stark_internal.send_commands(p_event text, p_node_ids uuid[], p_items jsonb[])
returns void
language sql
volatile
set search_path = ''
as $$
  select stark_internal.send_messages(p_event, array_agg('stark:node:' || m.node_id order by m.node_id, m.chunk), array_agg(m.payload order by m.node_id, m.chunk))
  from (
    select c.node_id, c.chunk, jsonb_build_object('pods', array_agg(c.item order by c.ord)) as payload
    from (
      -- The size of a jsonb in memory is close to that of its text, and is known without writing it.
      select i.node_id, i.item, i.ord, sum(pg_column_size(i.item)) over (partition by i.node_id order by i.ord) / 200000 as chunk
      from unnest(p_node_ids, p_items) with ordinality as i (node_id, item, ord)
    ) c
    group by c.node_id, c.chunk
  ) m
  having count(*) > 0;
$$;
comment on function stark_internal.send_commands(text, uuid[], jsonb[]) is 'Broadcasts a command to each node concerned.';
revoke all on function stark_internal.send_commands(text, uuid[], jsonb[]) from public, anon;

/** stark_internal.command_nodes(): statement trigger on pods; tells each node what it is to start and what to stop. */
create function stark_internal.command_nodes()
returns trigger
language plpgsql
security definer
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_nodes uuid[];
  v_items jsonb[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    select array_agg(w.node_id), array_agg(w.item) into v_nodes, v_items
      from stark_internal.wanted_pods(array(
        select n::stark.pods from old_rows o join new_rows n using (id)
        where n.status = 'scheduled' and o.status <> 'scheduled'
        order by n.priority desc, n.created_at, n.id)) w;
    perform stark_internal.send_commands('pods.start', v_nodes, v_items);
    select array_agg(n.node_id), array_agg(jsonb_build_object('id', n.id, 'graceSeconds', coalesce((n.spec ->> 'terminationGracePeriodSeconds')::integer, 30))) into v_nodes, v_items
      from old_rows o join new_rows n using (id)
      where n.status = 'stopping' and o.status <> 'stopping' and n.node_id is not null;
  else
    select array_agg(o.node_id), array_agg(jsonb_build_object('id', o.id, 'graceSeconds', 0)) into v_nodes, v_items
      from old_rows o where stark_internal.occupies(o.status) and o.node_id is not null;
  end if;
  perform stark_internal.send_commands('pods.stop', v_nodes, v_items);
  return null;
end;
$$;
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';
revoke all on function stark_internal.command_nodes() from public, anon;

create trigger _300_command_nodes_on_change after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.command_nodes();
create trigger _300_command_nodes_on_delete after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.command_nodes();
