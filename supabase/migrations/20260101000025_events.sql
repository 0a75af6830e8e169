-- The event log: what changed, the whole new state, who did it. Written by statement-level triggers, never by hand, and
-- broadcast in batches.
--
-- Order: a writer takes its numbers by updating one counter row, and holds that row until it commits. So numbers have no
-- gaps, and whoever sees number N has everything below N: a reader that asks "after N" never misses a late commit. After a
-- restore a billion is skipped, since what was lost had numbers too.
--
-- A client of one topic sees only some of the numbers, so each broadcast says which number came before it on that topic:
--   event "events", payload {"events": [event], "previous_seq": 41}
-- Where previous_seq is not the last number the client has, it has missed something and reads stark.events.

create table stark.events (
  seq bigint not null,
  version integer not null default 1,
  type text not null,
  time timestamptz not null default clock_timestamp(),
  origin text not null,
  namespace text,
  kind text not null,
  object_id text not null,
  actor uuid,
  correlation_id text,
  object jsonb not null,
  details jsonb,
  primary key (seq, time)
) partition by range (time);
create index events_namespace_idx on stark.events (namespace, seq);
create index events_object_id_idx on stark.events (object_id, seq);
create table stark_internal.events_default partition of stark.events default;
comment on table stark.events is 'Append-only log of every change.';
comment on column stark.events.seq is 'Grows by one with each event, by a billion after a restore; commit order.';
comment on column stark.events.version is 'Version of the event''s form.';
comment on column stark.events.type is '<kind>.created, .updated or .deleted; .conflict warns of an update that overwrote another''s.';
comment on column stark.events.time is 'When it was written.';
comment on column stark.events.origin is 'Where it came from: api, scheduler, or system.';
comment on column stark.events.namespace is 'Namespace of the object; null for what belongs to the cluster.';
comment on column stark.events.kind is 'pod, node, pack, pack_version, namespace, priority_class, cluster_config; user, role, role_permission and role_binding for who may read users.';
comment on column stark.events.object_id is 'Id of the object.';
comment on column stark.events.actor is 'User who did it; null when nobody was signed in.';
comment on column stark.events.correlation_id is 'Header x-correlation-id of the request that did it.';
comment on column stark.events.object is 'The whole new state; the last one when it was deleted.';
comment on column stark.events.details is 'Of a conflict: {fields, overwrote: [{actor, time}]}, the fields whose earlier change is gone, and whose it was.';
comment on table stark_internal.events_default is 'Events whose day has no partition of its own.';

create table stark_internal.event_heads (
  topic text primary key,
  seq bigint not null
);
comment on table stark_internal.event_heads is 'Last number of all events (topic *) and of each topic.';
insert into stark_internal.event_heads (topic, seq) values ('*', 0);

/**
 * stark_internal.broadcast_events(events): sends new events on their topics, in batches of call_limit('message_bytes') at most,
 * since a hosted project drops large messages.
 */
create function stark_internal.broadcast_events(p_events stark.events[])
returns void
language plpgsql
volatile
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
  v_topics text[];
  v_payloads jsonb[];
begin
  with batches as (
    select b.topic, b.chunk, max((b.event).seq) as last_seq, array_agg(b.event order by (b.event).seq) as events
    from (
      select e.topic, e.event,
             -- By where an event begins, so that a batch is longer than the limit by its last event at most. As text: what has many
             -- quotes or line ends in it is several times as long as it is in memory.
             coalesce(sum(octet_length((e.event).object::text) + 600) over (partition by e.topic order by (e.event).seq
                        rows between unbounded preceding and 1 preceding), 0) / stark_internal.call_limit('message_bytes') as chunk
      from (select u as event, coalesce('stark:namespace:' || u.namespace, 'stark:cluster') as topic from unnest(p_events) u) e
    ) b
    group by b.topic, b.chunk
  ), moved as (
    insert into stark_internal.event_heads as h (topic, seq) select b.topic, max(b.last_seq) from batches b group by b.topic
      on conflict (topic) do update set seq = excluded.seq
  ), messages as (
    -- One pass from rows to JSON: each level that is put together by itself copies all that is in it.
    select b.topic, b.last_seq, (select to_jsonb(payload) from (select b.events, b.previous_seq) payload) as payload
    from (
      select b.*, coalesce(lag(b.last_seq) over (partition by b.topic order by b.chunk), h.seq, 0) as previous_seq
      from batches b left join stark_internal.event_heads h using (topic)) b
  )
  select array_agg(m.topic order by m.last_seq), array_agg(m.payload order by m.last_seq) into v_topics, v_payloads from messages m;
  perform stark_internal.send_messages('events', v_topics, v_payloads);
end;
$$;
comment on function stark_internal.broadcast_events(stark.events[]) is 'Broadcasts new events on the topics of their namespaces and of the cluster.';
revoke all on function stark_internal.broadcast_events(stark.events[]) from public, anon;

/**
 * stark_internal.append_events(kind, type, id column, objects, details): takes numbers for the events, and writes and broadcasts
 * them, in the order of the objects; each has the details in its place, or none.
 */
create function stark_internal.append_events(p_kind text, p_type text, p_id_column text, p_objects jsonb[], p_details jsonb[] default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_events stark.events[];
  v_after bigint;
  v_origin text := coalesce(nullif(pg_catalog.current_setting('stark.origin', true), ''),
    case when stark_internal.caller_role() in ('anon', 'authenticated', 'service_role') then 'api' else 'system' end);
  v_correlation_id text := left(stark_internal.request_header('x-correlation-id'), 128);
begin
  if p_objects is null then
    return;
  end if;
  update stark_internal.event_heads h set seq = h.seq + cardinality(p_objects) where h.topic = '*'
    returning h.seq - cardinality(p_objects) into v_after;
  with written as (
    insert into stark.events (seq, type, origin, namespace, kind, object_id, actor, correlation_id, object, details)
      select v_after + o.ord,
             p_kind || '.' || p_type,
             v_origin,
             case when p_kind = 'namespace' then o.object ->> 'name' else o.object ->> 'namespace' end,
             p_kind,
             o.object ->> p_id_column,
             (select auth.uid()),
             v_correlation_id,
             o.object,
             o.details
      from unnest(p_objects, p_details) with ordinality as o (object, details, ord)
      returning *)
  select array_agg(w::stark.events order by w.seq) into v_events from written w;
  -- What happens to users and roles is read by who may read users, and the topics have other listeners.
  if p_kind not in ('user', 'role', 'role_permission', 'role_binding') then
    perform stark_internal.broadcast_events(v_events);
  end if;
end;
$$;
comment on function stark_internal.append_events(text, text, text, jsonb[], jsonb[]) is 'Writes and broadcasts one event for each object.';
revoke all on function stark_internal.append_events(text, text, text, jsonb[], jsonb[]) from public, anon;

/**
 * stark_internal.write_events(kind, id column): statement trigger for insert, update and delete of any table that has events.
 * A node whose allocated amounts are all that changed has no event: the pods that changed them have.
 */
create function stark_internal.write_events()
returns trigger
language plpgsql
security definer
set search_path = ''
set enable_nestloop = off
as $$
declare
  v_kind text := tg_argv[0];
  v_objects jsonb[];
begin
  -- Definer: whoever may write the table leaves an event, and nobody may write events. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  elsif tg_op = 'DELETE' then
    select array_agg(to_jsonb(o)) into v_objects from old_rows o;
  elsif v_kind = 'node' then
    -- Column by column: each pass changes allocated of many nodes, and comparing them as JSON would be most of its cost.
    select array_agg(to_jsonb(n)) into v_objects
      from old_rows o join new_rows n using (id)
      where (o.name, o.owner_id, o.runtime, o.status, o.status_reason, o.unschedulable, o.labels, o.taints, o.capabilities, o.overrides,
             o.allocatable, o.incarnation, o.connected_at, o.created_at, o.updated_at, o.agent_id, o.installation,
             o.accepts, o.accepted_namespaces)
        is distinct from (n.name, n.owner_id, n.runtime, n.status, n.status_reason, n.unschedulable, n.labels, n.taints, n.capabilities, n.overrides,
             n.allocatable, n.incarnation, n.connected_at, n.created_at, n.updated_at, n.agent_id, n.installation,
             n.accepts, n.accepted_namespaces);
  else
    select array_agg(to_jsonb(n)) into v_objects from new_rows n;
  end if;
  perform stark_internal.append_events(v_kind, case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end, tg_argv[1], v_objects);
  return null;
end;
$$;
comment on function stark_internal.write_events() is 'Writes and broadcasts one event for each changed row.';
revoke all on function stark_internal.write_events() from public, anon;

do $$
declare
  v_table record;
begin
  for v_table in
    select * from (values ('pods', 'pod', 'id'), ('nodes', 'node', 'id'), ('packs', 'pack', 'id'),
                          ('pack_versions', 'pack_version', 'id'), ('namespaces', 'namespace', 'name'),
                          ('priority_classes', 'priority_class', 'name'), ('cluster_config', 'cluster_config', 'name')) t (name, kind, id_column)
  loop
    execute format('create trigger _800_write_events_of_new after insert on stark.%I referencing new table as new_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    execute format('create trigger _800_write_events_of_changed after update on stark.%I referencing old table as old_rows new table as new_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    execute format('create trigger _800_write_events_of_deleted after delete on stark.%I referencing old table as old_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
  end loop;
end;
$$;

alter table stark.events enable row level security;
alter table stark_internal.events_default enable row level security;
alter table stark_internal.event_heads enable row level security;
create policy "nobody reads partitions" on stark_internal.events_default for select to authenticated using (false);
create policy "nobody reads heads" on stark_internal.event_heads for select to authenticated using (false);
create policy "members read events of their namespaces and of what is theirs" on stark.events for select to authenticated
  using (
    (kind not in ('user', 'role', 'role_permission', 'role_binding') or (select stark_internal.has_permission('users:get')))
    and (
      namespace = any ((select stark_internal.permitted_namespaces('events:get'))::text[])
      or (namespace is null and (select stark_internal.has_permission('events:get')))
      or (
        kind = 'pod' and object ->> 'created_by' = (select auth.uid())::text
        and namespace = any ((select stark_internal.permitted_namespaces('events:get', true))::text[])
      )
      or (
        kind in ('node', 'pack') and object ->> 'owner_id' = (select auth.uid())::text
        and (select stark_internal.has_permission('events:get', null, true))
      )
    )
  );
grant select on stark.events to authenticated, service_role;
