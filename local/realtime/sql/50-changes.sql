/** realtime.passes_filter(filter, type_, val) -> boolean. One value, in its text form, against one filter. */
create or replace function realtime.passes_filter(filter realtime.user_defined_filter, type_ regtype, val text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  v_negate boolean := coalesce(filter.negate, false);
  v_passes boolean;
begin
  case filter.op
    when 'isdistinct' then
      execute format('select %L::%s is distinct from %L::%s', val, type_, filter.value, type_) into v_passes;
    when 'is' then
      -- What may stand here was checked when the subscription was made.
      execute format('select %L::%s is %s', val, type_, filter.value) into v_passes;
    when 'in' then
      execute format('select %L::%s = any (%L::%s[])', val, type_, filter.value, type_) into v_passes;
    else
      execute format(
        'select %L::%s %s %L::%s',
        val,
        type_,
        case filter.op
          when 'eq' then '='
          when 'neq' then '<>'
          when 'lt' then '<'
          when 'lte' then '<='
          when 'gt' then '>'
          when 'gte' then '>='
          when 'like' then 'like'
          when 'ilike' then 'ilike'
          when 'match' then '~'
          when 'imatch' then '~*'
        end,
        filter.value,
        -- Patterns are text whatever the column is, e.g. varchar(3).
        case when filter.op in ('like', 'ilike', 'match', 'imatch') then 'text' else type_::text end
      ) into v_passes;
  end case;
  return case when v_negate then not v_passes else v_passes end;
end;
$$;

/** realtime.passes_filters(filters, types, vals) -> boolean. All filters hold, for columns that are in the row. */
create or replace function realtime.passes_filters(filters realtime.user_defined_filter[], types jsonb, vals jsonb)
returns boolean
language sql
stable
set search_path = ''
as $$
  select coalesce(
    bool_and(
      vals ? f.column_name
      and coalesce(
        realtime.passes_filter(f, (types ->> f.column_name)::oid::regtype, vals ->> f.column_name),
        false
      )
    ),
    true
  )
  from unnest(filters) f;
$$;

/**
 * realtime.row_is_visible(entity, key, claims_role, claims) -> boolean. Whether row level security shows the row of
 * this primary key to a client. A policy that fails shows nothing.
 */
create or replace function realtime.row_is_visible(entity regclass, key text, claims_role name, claims jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_visible boolean;
begin
  begin
    perform set_config('request.jwt.claims', claims::text, true);
    perform set_config('role', claims_role, true);
    execute format('select exists (select from %s where %s)', entity, key) into v_visible;
  exception
    when others then
      raise warning 'row level security of % could not be asked: %', entity, sqlerrm;
      v_visible := false;
  end;
  perform set_config('role', 'none', true);
  return v_visible;
end;
$$;

/** realtime.is_settled(xid) -> boolean. Whether a transaction, by its 32-bit number, is visible to everyone who asks now. */
create or replace function realtime.is_settled(xid bigint) returns boolean
language plpgsql
set search_path = ''
as $$
declare
  v_snapshot pg_snapshot := pg_current_snapshot();
  v_next bigint := pg_snapshot_xmax(v_snapshot)::text::bigint;
  v_full bigint := (v_next >> 32 << 32) | xid;
begin
  if v_full > v_next then
    v_full := v_full - (1::bigint << 32);
  end if;
  return pg_visible_in_snapshot(v_full::text::xid8, v_snapshot);
end;
$$;

/**
 * realtime.tell_change(...) -> rows of (change, subscription_ids). One change of one row, as the listeners of its table
 * are told of it: filtered, checked against row level security by primary key, and without columns that a listener's
 * role may not select. Values come in their text form, columns that did not change and were not logged are missing.
 *
 * Caller: the server, as a role that may become any other.
 */
create or replace function realtime.tell_change(
  entity regclass,
  action text,
  new_row jsonb,
  old_row jsonb,
  committed_at timestamptz,
  committed_by bigint,
  max_bytes integer
) returns table (change jsonb, subscription_ids uuid[])
language plpgsql
set search_path = ''
as $$
declare
  v_schema text;
  v_table text;
  v_secured boolean;
  v_types jsonb;
  v_key_columns text[];
  v_key text;
  v_too_large boolean;
  v_listeners realtime.subscription[];
  v_listener realtime.subscription;
  v_group record;
  v_problem text;
  v_seen uuid[];
  v_answers jsonb := '{}';
  v_asked text;
begin
  -- The log is read as soon as it is written, a moment before the transaction counts as committed. Who looked at the row
  -- in that moment would not see it.
  for attempt in 1..1000 loop
    exit when realtime.is_settled(committed_by);
    perform pg_sleep(0.001);
  end loop;

  select n.nspname, c.relname, c.relrowsecurity
    into v_schema, v_table, v_secured
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.oid = entity;

  select jsonb_object_agg(a.attname, a.atttypid::bigint)
    into v_types
    from pg_catalog.pg_attribute a
   where a.attrelid = entity and a.attnum > 0 and not a.attisdropped;

  select coalesce(array_agg(a.attname::text), '{}')
    into v_key_columns
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
   where k.conrelid = entity and k.contype = 'p';

  select string_agg(
           format('%I = %L::%s', c, coalesce(new_row, old_row) ->> c, ((v_types ->> c)::oid)::regtype), ' and ')
    into v_key
    from unnest(v_key_columns) c;

  v_too_large := coalesce(octet_length(new_row::text), 0) + coalesce(octet_length(old_row::text), 0) > max_bytes;

  -- Before any role is put on: only the server may read these, and only it may call the functions on them.
  select array_agg(s)
    into v_listeners
    from realtime.subscription s
   where s.entity = tell_change.entity
     and s.action_filter in ('*', action)
     and (
       realtime.passes_filters(s.filters, v_types, coalesce(new_row, '{}'))
       or (action = 'DELETE' and realtime.passes_filters(s.filters, v_types, coalesce(old_row, '{}')))
     );

  for v_group in
    select r.rolname, s.claims_role, s.selected_columns, array_agg(s) as listeners
      from unnest(v_listeners) s
      join pg_catalog.pg_roles r on r.oid = s.claims_role
     group by r.rolname, s.claims_role, s.selected_columns
  loop
    v_problem := case
      when action = 'DELETE' then null
      when cardinality(v_key_columns) = 0 then 'Error 400: Bad Request, no primary key'
      when exists (
        select from unnest(v_key_columns) c where not has_column_privilege(v_group.claims_role, entity, c, 'SELECT')
      ) then 'Error 401: Unauthorized'
    end;
    if v_problem is not null then
      change := jsonb_build_object(
        'schema', v_schema, 'table', v_table, 'type', action, 'commit_timestamp', null,
        'columns', '[]'::jsonb, 'record', '{}'::jsonb, 'errors', jsonb_build_array(v_problem));
      subscription_ids := (select array_agg((l).subscription_id) from unnest(v_group.listeners) l);
      return next;
      continue;
    end if;

    v_seen := '{}';
    foreach v_listener in array v_group.listeners loop
      if v_secured and action <> 'DELETE' then
        -- Clients of one user share one answer.
        v_asked := v_listener.claims::text;
        if not v_answers ? v_asked then
          v_answers := v_answers || jsonb_build_object(
            v_asked, realtime.row_is_visible(entity, v_key, v_group.rolname, v_listener.claims));
        end if;
        continue when not (v_answers ->> v_asked)::boolean;
      end if;
      v_seen := v_seen || v_listener.subscription_id;
    end loop;
    continue when cardinality(v_seen) = 0;

    subscription_ids := v_seen;
    with columns as (
      select a.attname as name, t.typname as type, a.atttypid as type_id, a.attnum as position,
             a.attname::text = any (v_key_columns) as is_key
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid = a.atttypid
       where a.attrelid = entity
         and a.attnum > 0
         and not a.attisdropped
         and has_column_privilege(v_group.claims_role, entity, a.attnum, 'SELECT')
         and (
           v_group.selected_columns is null
           or a.attname::text = any (v_group.selected_columns)
           or a.attname::text = any (v_key_columns)
         )
    ),
    fields as (
      select c.name, c.position, c.is_key, v.is_old, realtime.cast(v.val, c.type_id::regtype) as value
        from columns c
        cross join lateral (
          -- A large value that did not change is only in the old row, and there only with REPLICA IDENTITY FULL.
          select case when new_row ? c.name then new_row ->> c.name else old_row ->> c.name end as val, false as is_old
           where new_row is not null and (new_row ? c.name or old_row ? c.name)
          union all
          select old_row ->> c.name, true where old_row ? c.name
        ) v
       where not v_too_large or octet_length(coalesce(v.val, '')) <= 64
    )
    select jsonb_build_object(
        'schema', v_schema,
        'table', v_table,
        'type', action,
        'commit_timestamp', to_char(committed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'columns', (select coalesce(jsonb_agg(jsonb_build_object('name', c.name, 'type', c.type) order by c.position), '[]')
                      from columns c),
        'errors', case when v_too_large then jsonb_build_array('Error 413: Payload Too Large') end
      )
      || case when action = 'DELETE' then '{}'::jsonb else jsonb_build_object(
           'record', (select coalesce(jsonb_object_agg(f.name, f.value), '{}') from fields f where not f.is_old)) end
      || case when action = 'INSERT' then '{}'::jsonb else jsonb_build_object(
           'old_record', (select coalesce(jsonb_object_agg(f.name, f.value), '{}') from fields f
                           where f.is_old and (action = 'UPDATE' or not v_secured or f.is_key))) end
      into change;
    return next;
  end loop;
end;
$$;

revoke all on function realtime.passes_filter(realtime.user_defined_filter, regtype, text) from public;
revoke all on function realtime.passes_filters(realtime.user_defined_filter[], jsonb, jsonb) from public;
revoke all on function realtime.row_is_visible(regclass, text, name, jsonb) from public;
revoke all on function realtime.is_settled(bigint) from public;
revoke all on function realtime.tell_change(regclass, text, jsonb, jsonb, timestamptz, bigint, integer) from public;
