-- Commands: one broadcast for each node that has something to do, on its own topic. They are hints: what a node should run
-- is in the database (node_sync), so a lost one costs time and nothing else.

/** stark_internal.wanted_pods: each pod as its agent wants to know it. Ended pods are in no answer to an agent. */
create view stark_internal.wanted_pods with (security_invoker = true) as
select
  p.id as pod_id,
  p.node_id,
  p.status,
  jsonb_build_object(
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
    'bundle', jsonb_build_object('bucket', v.bucket, 'path', v.path, 'sha256', v.sha256, 'size_bytes', v.size_bytes),
    'spec', p.spec,
    'restarts', p.restarts,
    'wanted', case when p.status = 'stopping' then 'stopped' else 'running' end
  ) as wanted_pod
from stark.pods p
join stark.pack_versions v on v.id = p.pack_version_id
where stark_internal.occupies(p.status);
comment on view stark_internal.wanted_pods is 'Placed pods in the form that agents get them.';

/**
 * stark_internal.send_command(event, key, items): items are {node_id, item} pairs; one message a node, on stark:node:<id>, as
 * {key: [item]}; more than one where a message would pass 200 kB, since a hosted project drops large ones.
 */
create function stark_internal.send_command(p_event text, p_items jsonb)
returns void
language sql
volatile
set search_path = ''
as $$
  select realtime.send(jsonb_build_object('pods', m.items), p_event, 'stark:node:' || m.node_id, true)
  from (
    select c.node_id, c.chunk, jsonb_agg(c.item order by c.ord) as items
    from (
      select i.node_id, i.item, i.ord,
             sum(octet_length(i.item::text)) over (partition by i.node_id order by i.ord) / 200000 as chunk
      from rows from (jsonb_to_recordset(p_items) as (node_id uuid, item jsonb)) with ordinality as i (node_id, item, ord)
    ) c
    group by c.node_id, c.chunk
  ) m
  order by m.node_id, m.chunk;
$$;
comment on function stark_internal.send_command(text, jsonb) is 'Broadcasts a command to each node concerned.';
revoke all on function stark_internal.send_command(text, jsonb) from public, anon;

/** stark_internal.command_nodes(): statement trigger on pods; tells each node what it is to start and what to stop. */
create function stark_internal.command_nodes()
returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_items jsonb;
begin
  if tg_op = 'UPDATE' then
    select jsonb_agg(jsonb_build_object('node_id', w.node_id, 'item', w.wanted_pod) order by n.priority desc, n.created_at, n.id) into v_items
      from old_rows o join new_rows n using (id) join stark_internal.wanted_pods w on w.pod_id = n.id
      where n.status = 'scheduled' and o.status <> 'scheduled';
    if v_items is not null then
      perform stark_internal.send_command('pods.start', v_items);
    end if;
    select jsonb_agg(jsonb_build_object('node_id', n.node_id, 'item', jsonb_build_object(
             'id', n.id, 'graceSeconds', coalesce((n.spec ->> 'terminationGracePeriodSeconds')::integer, 30)))) into v_items
      from old_rows o join new_rows n using (id)
      where n.status = 'stopping' and o.status <> 'stopping' and n.node_id is not null;
  else
    select jsonb_agg(jsonb_build_object('node_id', o.node_id, 'item', jsonb_build_object('id', o.id, 'graceSeconds', 0))) into v_items
      from old_rows o where stark_internal.occupies(o.status) and o.node_id is not null;
  end if;
  if v_items is not null then
    perform stark_internal.send_command('pods.stop', v_items);
  end if;
  return null;
end;
$$;
comment on function stark_internal.command_nodes() is 'Sends pods.start and pods.stop to the nodes concerned.';
revoke all on function stark_internal.command_nodes() from public, anon;

create trigger _300_command_nodes_on_change after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.command_nodes();
create trigger _300_command_nodes_on_delete after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.command_nodes();
