-- The event log: what changed, the whole new state, who did it. Written by statement-level triggers, never by hand, and
-- broadcast in batches.
--
-- Order: a writer takes its numbers by updating one counter row, and holds that row until it commits. So numbers have no
-- gaps, and a reader that sees number N has everything below N: a reader that asks "after N" never misses a late commit. After a
-- restore a billion is skipped, since what was lost had numbers too.
--
-- A client of one topic sees only some of the numbers, so each broadcast says which number came before it on that topic:
--   event "events", payload {"events": [event], "previous_seq": 41}
-- The name of a topic moves on when somebody loses the right to hear it (events_topic); its numbers go on.
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
comment on column stark.events.origin is 'Where it came from: api, scheduler, controller, or system.';
comment on column stark.events.namespace is 'Namespace of the object; null for what belongs to the cluster.';
comment on column stark.events.kind is 'pod, deployment, deployment_revision, node, pack, pack_version, namespace, priority_class, cluster_config; user, role, role_permission and role_binding for who may read users.';
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

create table stark_internal.topic_epochs (
  topic text primary key,
  epoch text not null
);
comment on table stark_internal.topic_epochs is 'What follows the name of a topic since somebody lost the right to hear it. A topic that has no row here is called by its name alone.';
alter table stark_internal.topic_epochs enable row level security;
create policy "nobody reads epochs" on stark_internal.topic_epochs for select to authenticated using (false);

/**
 * stark_internal.present_topic(topic, of) -> the name under which it is heard now: with the epoch of the topic whose rights are the same.
 * Realtime asks for rights when somebody joins, and never again while they stay; so the name moves on when rights are lost.
 */
create function stark_internal.present_topic(p_topic text, p_of text default null)
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return p_topic || coalesce((select ':' || e.epoch from stark_internal.topic_epochs e where e.topic = coalesce(p_of, p_topic)), '');
end;
$$;
comment on function stark_internal.present_topic(text, text) is 'The name under which a topic is heard now.';
revoke all on function stark_internal.present_topic(text, text) from public, anon;

/**
 * stark_internal.move_topics(topics): each has another name from now on, and those who hear the old one are told to ask for it
 * (event moved). Random, so that nobody can be there before.
 */
create function stark_internal.move_topics(p_topics text[])
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_old text[] := array(select stark_internal.present_topic(t) from unnest(p_topics) t);
begin
  insert into stark_internal.topic_epochs (topic, epoch) select distinct t, left(replace(gen_random_uuid()::text, '-', ''), 12) from unnest(p_topics) t
    on conflict (topic) do update set epoch = excluded.epoch;
  perform stark_internal.send_messages('moved', v_old, array_fill('{}'::jsonb, array[cardinality(v_old)]));
end;
$$;
comment on function stark_internal.move_topics(text[]) is 'Gives topics another name, and tells who hears them.';
revoke all on function stark_internal.move_topics(text[]) from public, anon;

/** stark_internal.is_hearing(kind, verb, scope): with this permission a topic may be heard: events of all, or a log, of own pods too. */
create function stark_internal.is_hearing(p_kind text, p_verb text, p_scope text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return p_verb in ('*', 'get') and (p_kind in ('*', 'logs') or (p_scope = 'any' and p_kind in ('events', 'nodes', 'packs')));
end;
$$;
comment on function stark_internal.is_hearing(text, text, text) is 'Whether a topic may be heard by this permission.';
revoke all on function stark_internal.is_hearing(text, text, text) from public, anon;

/**
 * stark_internal.move_topics_of_lost_rights(): statement trigger; users lost rights to hear. Topics of a namespace move where the right
 * was in it, all of them where it was in the whole cluster. An agent's account hears none of these, so that it may go unnoticed.
 */
create function stark_internal.move_topics_of_lost_rights()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_namespaces text[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  case tg_table_name
    when 'role_permissions' then
      -- All users of the role: its bindings may have gone in the same statement.
      v_namespaces := array(select distinct null::text from old_rows o where stark_internal.is_hearing(o.kind, o.verb, o.scope));
    when 'role_bindings' then
      v_namespaces := array(
        select distinct o.namespace from old_rows o
        join stark.roles r on r.name = o.role join stark.role_permissions p on p.role = coalesce(r.alias_of, r.name)
        where stark_internal.is_hearing(p.kind, p.verb, p.scope));
    else
      v_namespaces := array(
        select distinct b.namespace from old_rows o join new_rows n using (id)
        join stark.role_bindings b on b.user_id = n.id
        join stark.roles r on r.name = b.role join stark.role_permissions p on p.role = coalesce(r.alias_of, r.name)
        where o.disabled_at is null and n.disabled_at is not null and stark_internal.is_hearing(p.kind, p.verb, p.scope));
  end case;
  if cardinality(v_namespaces) > 0 then
    -- A namespace that goes takes its bindings with it, and one of its name may be made again: its topic moves although it is no more.
    perform stark_internal.move_topics(array(
      select 'stark:namespace:' || n from unnest(v_namespaces) n where n is not null
      union select 'stark:namespace:' || s.name from stark.namespaces s where array_position(v_namespaces, null) is not null
      union select 'stark:cluster' where array_position(v_namespaces, null) is not null
      order by 1));
  end if;
  return null;
end;
$$;
comment on function stark_internal.move_topics_of_lost_rights() is 'Moves topics on when somebody lost the right to hear them.';
revoke all on function stark_internal.move_topics_of_lost_rights() from public, anon;

create trigger _700_move_topics_of_disabled_users after update on stark.profiles
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.move_topics_of_lost_rights();
create trigger _700_move_topics_of_unbound_users after delete on stark.role_bindings
  referencing old table as old_rows for each statement execute function stark_internal.move_topics_of_lost_rights();
create trigger _700_move_topics_of_changed_bindings after update on stark.role_bindings
  referencing old table as old_rows for each statement execute function stark_internal.move_topics_of_lost_rights();
create trigger _700_move_topics_of_lesser_roles after delete on stark.role_permissions
  referencing old table as old_rows for each statement execute function stark_internal.move_topics_of_lost_rights();

/**
 * stark.events_topic(namespace) -> the topic on which events of the namespace are broadcast now, of the cluster when it is null. It
 * moves when somebody loses the right to hear it: event moved says so, and who missed that asks again.
 * Caller: events:get in the namespace; nodes:get, packs:get and events:get for the cluster.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NAMESPACE_NOT_FOUND.
 */
create function stark.events_topic(p_namespace text default null)
returns text
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_permission('events:get', p_namespace);
  if p_namespace is null then
    perform stark_internal.require_permission('nodes:get');
    perform stark_internal.require_permission('packs:get');
    return stark_internal.present_topic('stark:cluster');
  end if;
  perform stark_internal.require_namespace(p_namespace);
  return stark_internal.present_topic('stark:namespace:' || p_namespace);
end;
$$;
comment on function stark.events_topic(text) is 'The topic on which events are broadcast now.';
revoke all on function stark.events_topic(text) from public, anon;
grant execute on function stark.events_topic(text) to authenticated, service_role;

/**
 * stark_internal.broadcast_events(after, last, time): sends the events that were written at this time with these numbers, on their
 * topics, in batches of call_limit('message_bytes') at most, since a hosted project drops large messages. The batches are cut by the
 * sizes of the events alone, and each is read when it is sent: an array of all events would be copied at each step.
 */
create function stark_internal.broadcast_events(p_after bigint, p_last bigint, p_time timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_topics text[];
  v_payloads jsonb[];
begin
  with sized as (
    -- As text: what has many quotes or line ends in it is several times as long as it is in memory.
    select e.seq, coalesce('stark:namespace:' || e.namespace, 'stark:cluster') as topic,
           octet_length(e.object::text) + coalesce(octet_length(e.details::text), 0) + 600 as bytes
    from stark.events e where e.seq > p_after and e.seq <= p_last and e.time = p_time
  ), chunked as (
    -- By where an event begins, so that a batch is longer than the limit by its last event at most.
    select s.topic, s.seq,
           coalesce(sum(s.bytes) over (partition by s.topic order by s.seq
                      rows between unbounded preceding and 1 preceding), 0) / stark_internal.call_limit('message_bytes') as chunk
    from sized s
  ), batches as materialized (
    select c.topic, c.chunk, min(c.seq) as first_seq, max(c.seq) as last_seq from chunked c group by c.topic, c.chunk
  ), moved as (
    insert into stark_internal.event_heads as h (topic, seq) select b.topic, max(b.last_seq) from batches b group by b.topic
      on conflict (topic) do update set seq = excluded.seq
  ), messages as (
    -- One pass from rows to JSON: each level that is put together by itself copies all that is in it.
    select b.topic, b.last_seq, (
      select to_jsonb(payload) from (
        select array(
            select e from stark.events e
            where e.seq >= b.first_seq and e.seq <= b.last_seq and e.time = p_time and coalesce('stark:namespace:' || e.namespace, 'stark:cluster') = b.topic
            order by e.seq) as events,
          b.previous_seq) payload) as payload
    from (
      select b.*, coalesce(lag(b.last_seq) over (partition by b.topic order by b.chunk), h.seq, 0) as previous_seq
      from batches b left join stark_internal.event_heads h using (topic)) b
  )
  select array_agg(stark_internal.present_topic(m.topic) order by m.last_seq), array_agg(m.payload order by m.last_seq) into v_topics, v_payloads from messages m;
  perform stark_internal.send_messages('events', v_topics, v_payloads);
end;
$$;
comment on function stark_internal.broadcast_events(bigint, bigint, timestamptz) is 'Broadcasts new events on the topics of their namespaces and of the cluster.';
revoke all on function stark_internal.broadcast_events(bigint, bigint, timestamptz) from public, anon;

/**
 * stark_internal.begin_events(count) -> the number before the first of so many new events, their one time, and what all of them say of
 * who did it. The numbers are taken: another writer that asks for more waits until this transaction has ended.
 */
create function stark_internal.begin_events(p_count bigint, out after bigint, out written_at timestamptz, out origin text, out actor uuid, out correlation_id text)
returns record
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  update stark_internal.event_heads h set seq = h.seq + p_count where h.topic = '*' returning h.seq - p_count into after;
  -- Read after the numbers were given: later numbers have no earlier time.
  written_at := clock_timestamp();
  origin := coalesce(nullif(pg_catalog.current_setting('stark.origin', true), ''),
    case when stark_internal.caller_role() in ('anon', 'authenticated', 'service_role') then 'api' else 'system' end);
  actor := auth.uid();
  correlation_id := left(stark_internal.request_header('x-correlation-id'), 128);
end;
$$;
comment on function stark_internal.begin_events(bigint) is 'Takes numbers for new events, and tells what all of them have in common.';
revoke all on function stark_internal.begin_events(bigint) from public, anon;

/** stark_internal.end_events(kind, after, count, time): broadcasts events that were written. */
create function stark_internal.end_events(p_kind text, p_after bigint, p_count bigint, p_time timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  -- What happens to users and roles is read by who may read users, and the topics have other listeners.
  if p_kind not in ('user', 'role', 'role_permission', 'role_binding') then
    perform stark_internal.broadcast_events(p_after, p_after + p_count, p_time);
  end if;
end;
$$;
comment on function stark_internal.end_events(text, bigint, bigint, timestamptz) is 'Broadcasts written events of a kind that is broadcast.';
revoke all on function stark_internal.end_events(text, bigint, bigint, timestamptz) from public, anon;

/**
 * stark_internal.append_events(kind, type, id column, objects, details): takes numbers for the events, and writes and broadcasts
 * them, in the order of the objects; each has the details in its place, or none. For a few: many are written by write_events.
 */
create function stark_internal.append_events(p_kind text, p_type text, p_id_column text, p_objects jsonb[], p_details jsonb[] default null)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_events record;
begin
  if p_objects is null then
    return;
  end if;
  v_events := stark_internal.begin_events(cardinality(p_objects));
  insert into stark.events (seq, type, time, origin, namespace, kind, object_id, actor, correlation_id, object, details)
    select v_events.after + o.ord, p_kind || '.' || p_type, v_events.written_at, v_events.origin,
           case when p_kind = 'namespace' then o.object ->> 'name' else o.object ->> 'namespace' end,
           p_kind, o.object ->> p_id_column, v_events.actor, v_events.correlation_id, o.object, o.details
    from unnest(p_objects, p_details) with ordinality as o (object, details, ord);
  perform stark_internal.end_events(p_kind, v_events.after, cardinality(p_objects), v_events.written_at);
end;
$$;
comment on function stark_internal.append_events(text, text, text, jsonb[], jsonb[]) is 'Writes and broadcasts one event for each object.';
revoke all on function stark_internal.append_events(text, text, text, jsonb[], jsonb[]) from public, anon;

/**
 * stark_internal.write_events(kind, id column): statement trigger for insert, update and delete of any table that has events. Its
 * transition table changed_rows has the rows that the events tell of: the new ones, or those that are gone.
 */
create function stark_internal.write_events()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_kind text := tg_argv[0];
  v_id_column text := tg_argv[1];
  v_type text := v_kind || '.' || case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end;
  v_namespace text := case v_kind when 'namespace' then 'name' else 'namespace' end;
  v_count bigint := (select count(*) from changed_rows);
  v_events record;
begin
  -- Definer: every write to the table must leave an event, and no role may write events. Only a trigger can call it.
  if v_count = 0 then
    return null;
  end if;
  v_events := stark_internal.begin_events(v_count);
  insert into stark.events (seq, type, time, origin, namespace, kind, object_id, actor, correlation_id, object)
    select v_events.after + row_number() over (), v_type, v_events.written_at, v_events.origin, o.object ->> v_namespace, v_kind, o.object ->> v_id_column,
           v_events.actor, v_events.correlation_id, o.object
    from (select to_jsonb(c) as object from changed_rows c offset 0) o; -- offset 0: each object is made once
  perform stark_internal.end_events(v_kind, v_events.after, v_count, v_events.written_at);
  return null;
end;
$$;
comment on function stark_internal.write_events() is 'Writes and broadcasts one event for each changed row.';
revoke all on function stark_internal.write_events() from public, anon;

/**
 * stark_internal.write_node_updates(): statement trigger; as write_events, for updates of nodes. A node whose allocated amounts are all
 * that changed has no event: the pods that changed them have.
 */
create function stark_internal.write_node_updates()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_objects jsonb[];
begin
  -- Definer: every write to nodes must leave an event, and no role may write events. Only a trigger can call it.
  -- Column by column: each pass changes allocated of many nodes, and comparing them as JSON would be most of its cost.
  select array_agg(to_jsonb(n)) into v_objects
    from old_rows o join changed_rows n using (id)
    where (o.name, o.owner_id, o.runtime, o.status, o.status_reason, o.unschedulable, o.draining, o.labels, o.taints, o.capabilities, o.overrides,
           o.allocatable, o.incarnation, o.connected_at, o.created_at, o.updated_at, o.agent_id, o.installation,
           o.accepts, o.accepted_namespaces)
      is distinct from (n.name, n.owner_id, n.runtime, n.status, n.status_reason, n.unschedulable, n.draining, n.labels, n.taints, n.capabilities, n.overrides,
           n.allocatable, n.incarnation, n.connected_at, n.created_at, n.updated_at, n.agent_id, n.installation,
           n.accepts, n.accepted_namespaces);
  perform stark_internal.append_events('node', 'updated', 'id', v_objects);
  return null;
end;
$$;
comment on function stark_internal.write_node_updates() is 'Writes and broadcasts one event for each node that changed in more than its allocated amounts.';
revoke all on function stark_internal.write_node_updates() from public, anon;

do $$
declare
  v_table record;
begin
  for v_table in
    select * from (values ('pods', 'pod', 'id'), ('nodes', 'node', 'id'), ('packs', 'pack', 'id'),
                          ('pack_versions', 'pack_version', 'id'), ('namespaces', 'namespace', 'name'),
                          ('priority_classes', 'priority_class', 'name'), ('cluster_config', 'cluster_config', 'name')) t (name, kind, id_column)
  loop
    execute format('create trigger _800_write_events_of_new after insert on stark.%I referencing new table as changed_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    if v_table.kind <> 'node' then
      execute format('create trigger _800_write_events_of_changed after update on stark.%I referencing new table as changed_rows
        for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
    end if;
    execute format('create trigger _800_write_events_of_deleted after delete on stark.%I referencing old table as changed_rows
      for each statement execute function stark_internal.write_events(%L, %L)', v_table.name, v_table.kind, v_table.id_column);
  end loop;
end;
$$;
create trigger _800_write_events_of_changed after update on stark.nodes referencing old table as old_rows new table as changed_rows
  for each statement execute function stark_internal.write_node_updates();

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
        kind in ('pod', 'deployment', 'deployment_revision') and object ->> 'created_by' = (select auth.uid())::text
        and namespace = any ((select stark_internal.permitted_namespaces('events:get', true))::text[])
      )
      or (
        kind in ('node', 'pack') and object ->> 'owner_id' = (select auth.uid())::text
        and (select stark_internal.has_permission('events:get', null, true))
      )
    )
  );
grant select on stark.events to authenticated, service_role;
