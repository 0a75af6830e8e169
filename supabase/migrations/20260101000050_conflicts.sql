-- Two people change one object. The last one wins; or is refused with CONFLICT when the call says which revision it saw
-- (p_if_version). A caller that did not say may have overwritten what they never saw, so then a warning is written:
--   event <kind>.conflict, details {"fields": ["labels.zone"], "overwrote": [{"actor": "…", "time": "…"}]}
-- when a field that the update changed was set by somebody else's call in the ten seconds before. Other fields of the same
-- object, other keys of its labels too, are no conflict: calls patch what they name.

create table stark_internal.recent_edits (
  kind text not null,
  object_id text not null,
  field text not null,
  actor uuid,
  edited_at timestamptz not null,
  primary key (kind, object_id, field)
);
comment on table stark_internal.recent_edits is 'Who has set a field of an object in the last ten seconds. actor is null for the secret key.';
alter table stark_internal.recent_edits enable row level security;
create policy "nobody reads edits" on stark_internal.recent_edits for select to authenticated using (false);

/** stark_internal.changed_fields(before, after, fields) -> paths such as labels.zone that differ, in these fields, or in all but the bookkeeping when none are named. */
create function stark_internal.changed_fields(p_before jsonb, p_after jsonb, p_fields text[])
returns text[]
language sql
immutable
set search_path = pg_temp
as $$
  with recursive leaves as (
    select s.side, e.key as path, e.value
    from (values ('before', p_before), ('after', p_after)) s (side, object), jsonb_each(s.object) e
    where case when p_fields = '{}' then e.key not in ('updated_at', 'resource_version') else e.key = any (p_fields) end
    union all
    select l.side, l.path || '.' || e.key, e.value
    from leaves l, jsonb_each(case jsonb_typeof(l.value) when 'object' then l.value else '{}' end) e
  ), scalars as (
    select l.side, l.path, l.value from leaves l where jsonb_typeof(l.value) <> 'object'
  )
  select coalesce(array_agg(path order by path), '{}')
  from (select * from scalars where side = 'before') b full join (select * from scalars where side = 'after') a using (path)
  where b.value is distinct from a.value;
$$;
comment on function stark_internal.changed_fields(jsonb, jsonb, text[]) is 'Which fields of an object differ between two states of it.';
revoke all on function stark_internal.changed_fields(jsonb, jsonb, text[]) from public, anon;

/**
 * stark_internal.warn_of_conflicts(kind, id column, fields …): statement trigger; writes a .conflict event for each object of
 * which an API call, blind to its revision, has changed what another's call had just set.
 */
create function stark_internal.warn_of_conflicts()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_kind text := tg_argv[0];
  v_id_column text := tg_argv[1];
  v_fields text[] := coalesce(tg_argv[2:], '{}');
  v_blind boolean := coalesce(pg_catalog.current_setting('stark.saw_revision', true), '') <> 'yes';
  v_now timestamptz := clock_timestamp();
  v_objects jsonb[];
  v_details jsonb[];
begin
  -- Definer: it reads and writes events, as the one that writes all others. Only a trigger can call it.
  if stark_internal.caller_role() not in ('authenticated', 'service_role') then
    return null;
  end if;
  -- Nodes change with each pod that comes or goes, and then this is all that is asked.
  if v_kind = 'node' then
    if not exists (select from old_rows b join new_rows a using (id) where (b.overrides, b.unschedulable) is distinct from (a.overrides, a.unschedulable)) then
      return null;
    end if;
  end if;
  delete from stark_internal.recent_edits r where r.edited_at < v_now - interval '10 seconds';
  with edits as materialized (
    -- A path can be longer than an index takes.
    select o.after ->> v_id_column as object_id, o.after as object, case when length(p.path) > 500 then left(p.path, 400) || ' ' || md5(p.path) else p.path end as field
    from (select to_jsonb(b) as before, to_jsonb(a) as after from old_rows b join new_rows a using (name)) o,
         unnest(stark_internal.changed_fields(o.before, o.after, v_fields)) f (field),
         lateral (select regexp_replace(f.field, '^overrides\.', '') as path) p
  ), remembered as (
    insert into stark_internal.recent_edits as r (kind, object_id, field, actor, edited_at)
      select v_kind, e.object_id, e.field, (select auth.uid()), v_now from edits e
      on conflict (kind, object_id, field) do update set actor = excluded.actor, edited_at = excluded.edited_at
  ), overwritten as (
    select e.object, jsonb_agg(e.field order by e.field) as fields, jsonb_agg(distinct jsonb_build_object('actor', r.actor, 'time', r.edited_at)) as overwrote
    from edits e join stark_internal.recent_edits r on r.kind = v_kind and r.object_id = e.object_id and r.field = e.field
    where v_blind and r.actor is distinct from (select auth.uid())
    group by e.object
  )
  select array_agg(o.object), array_agg(jsonb_build_object('fields', o.fields, 'overwrote', o.overwrote)) into v_objects, v_details
    from overwritten o;
  perform stark_internal.append_events(v_kind, 'conflict', v_id_column, v_objects, v_details);
  return null;
end;
$$;
comment on function stark_internal.warn_of_conflicts() is 'Warns when an update has overwritten what somebody else just changed.';
revoke all on function stark_internal.warn_of_conflicts() from public, anon;

do $$
declare
  v_table record;
begin
  -- Of a node what people say (update_node, cordon), not what its agent does.
  for v_table in
    select * from (values ('nodes', $s$'node', 'id', 'overrides', 'unschedulable'$s$), ('packs', $s$'pack', 'id'$s$), ('namespaces', $s$'namespace', 'name'$s$),
                          ('priority_classes', $s$'priority_class', 'name'$s$), ('cluster_config', $s$'cluster_config', 'name'$s$)) t (name, arguments)
  loop
    execute format('create trigger _810_warn_of_conflicts after update on stark.%I referencing old table as old_rows new table as new_rows
      for each statement execute function stark_internal.warn_of_conflicts(%s)', v_table.name, v_table.arguments);
  end loop;
end;
$$;
