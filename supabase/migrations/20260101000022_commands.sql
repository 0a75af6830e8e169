-- Commands: one broadcast for each node that has something to do, on its own topic. They are hints: what a node should run
-- is in the database (node_sync), so a lost one costs time and nothing else.

/** stark_internal.wanted_pod(pod, version) -> the pod as its agent wants to know it. */
create function stark_internal.wanted_pod(p_pod stark.pods, p_version stark.pack_versions)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'id', p_pod.id,
    'name', p_pod.name,
    'namespace', p_pod.namespace,
    'labels', p_pod.labels,
    'status', p_pod.status,
    'pack', p_pod.pack_name,
    'version', p_pod.version,
    'version_id', p_version.id,
    'runtime', p_version.runtime,
    'entry', p_version.entry,
    'bundle', jsonb_build_object('bucket', p_version.bucket, 'path', p_version.path, 'sha256', p_version.sha256, 'size_bytes', p_version.size_bytes),
    'spec', p_pod.spec,
    'restarts', p_pod.restarts,
    'wanted', case when p_pod.status = 'stopping' then 'stopped' else 'running' end);
end;
$$;
comment on function stark_internal.wanted_pod(stark.pods, stark.pack_versions) is 'A placed pod in the form that agents get it.';
revoke all on function stark_internal.wanted_pod(stark.pods, stark.pack_versions) from public, anon;

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
security definer
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_items jsonb;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'UPDATE' then
    select jsonb_agg(jsonb_build_object('node_id', n.node_id, 'item', stark_internal.wanted_pod(n::stark.pods, v)) order by n.priority desc, n.created_at, n.id) into v_items
      from old_rows o join new_rows n using (id) join stark.pack_versions v on v.id = n.pack_version_id
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
