-- Who listens to changes of which table, with which filters and in whose name. Rows come and go with the channels.

do $types$
begin
  if to_regtype('realtime.equality_op') is null then
    create type realtime.equality_op as enum (
      'eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'like', 'ilike', 'is', 'match', 'imatch', 'isdistinct'
    );
  end if;
  if to_regtype('realtime.user_defined_filter') is null then
    create type realtime.user_defined_filter as (
      column_name text,
      op realtime.equality_op,
      value text,
      negate boolean
    );
  end if;
end
$types$;

alter type realtime.equality_op owner to supabase_realtime_admin;
alter type realtime.user_defined_filter owner to supabase_realtime_admin;

/** realtime.to_regrole(role_name) -> regrole. Immutable, so that a generated column may use it. */
create or replace function realtime.to_regrole(role_name text) returns regrole
language sql
immutable
set search_path = ''
as $$
  select quote_ident(role_name)::regrole;
$$;

/** realtime.cast(val, type_) -> jsonb. A value in its text form as the JSON that its type has. */
create or replace function realtime.cast(val text, type_ regtype) returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_json jsonb;
begin
  if type_ = 'bytea'::regtype then
    return to_jsonb(val);
  end if;
  execute format('select to_jsonb(%L::%s)', val, type_) into v_json;
  return v_json;
end;
$$;

create table if not exists realtime.subscription (
  id bigint generated always as identity not null,
  subscription_id uuid not null,
  entity regclass not null,
  filters realtime.user_defined_filter[] default '{}'::realtime.user_defined_filter[] not null,
  claims jsonb not null,
  claims_role regrole generated always as (realtime.to_regrole(claims ->> 'role')) stored not null,
  created_at timestamp without time zone default timezone('utc', now()) not null,
  action_filter text default '*',
  selected_columns text[],
  constraint pk_subscription primary key (id),
  constraint subscription_action_filter_check check (action_filter in ('*', 'INSERT', 'UPDATE', 'DELETE'))
);
comment on table realtime.subscription is 'Channels that listen to postgres_changes; internal to Realtime.';

create index if not exists ix_realtime_subscription_entity on realtime.subscription (entity);
create unique index if not exists subscription_subscription_id_entity_filters_action_filter_selec
  on realtime.subscription (subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'));

alter table realtime.subscription owner to supabase_realtime_admin;
grant all on realtime.subscription to postgres;
grant select on realtime.subscription to anon, authenticated, service_role;

/**
 * Trigger of realtime.subscription: refuses what could not be evaluated later, when an error would cost every listener
 * of the table its message, and orders filters and columns so that equal subscriptions are equal rows.
 */
create or replace function realtime.subscription_check_filters() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  v_readable text[];
  v_filter realtime.user_defined_filter;
  v_type regtype;
  v_column text;
begin
  select coalesce(array_agg(a.attname::text), '{}')
    into v_readable
    from pg_catalog.pg_attribute a
   where a.attrelid = new.entity
     and a.attnum > 0
     and not a.attisdropped
     and has_column_privilege(new.claims ->> 'role', a.attrelid, a.attnum, 'SELECT');

  foreach v_filter in array new.filters loop
    if not v_filter.column_name = any (v_readable) then
      raise exception 'invalid column for filter %', v_filter.column_name;
    end if;

    select a.atttypid into v_type
      from pg_catalog.pg_attribute a
     where a.attrelid = new.entity and a.attname = v_filter.column_name;

    case
      when v_filter.op = 'in' then
        if coalesce(jsonb_array_length(realtime.cast(v_filter.value, (v_type::text || '[]')::regtype)), 0) > 100 then
          raise exception 'too many values for `in` filter. Maximum 100';
        end if;
      when v_filter.op = 'is' then
        if v_filter.value not in ('null', 'true', 'false', 'unknown') then
          raise exception 'invalid value for is filter: must be null, true, false, or unknown';
        end if;
        if v_filter.value <> 'null' and v_type <> 'boolean'::regtype then
          raise exception 'is % filter requires a boolean column, got %', v_filter.value, v_type;
        end if;
      when v_filter.op in ('like', 'ilike', 'match', 'imatch') then
        if not exists (
          select from pg_catalog.pg_operator o
          where o.oprleft = v_type
            and o.oprresult = 'boolean'::regtype
            and o.oprname = case v_filter.op when 'match' then '~' when 'imatch' then '~*' else '~~' end
        ) then
          raise exception 'operator % requires a text-compatible column type, got %', v_filter.op, v_type;
        end if;
        if v_filter.op in ('match', 'imatch') then
          begin
            perform '' ~ v_filter.value;
          exception
            when others then
              raise exception 'invalid regular expression for % filter: %', v_filter.op, sqlerrm;
          end;
        end if;
      else
        perform realtime.cast(v_filter.value, v_type);
    end case;
  end loop;

  foreach v_column in array coalesce(new.selected_columns, '{}') loop
    if not v_column = any (v_readable) then
      raise exception 'invalid column for select %', v_column;
    end if;
  end loop;

  new.filters := (
    select coalesce(array_agg(f order by f.column_name, f.op, f.value, f.negate), '{}') from unnest(new.filters) f
  );
  new.selected_columns := (select array_agg(c order by c) from unnest(new.selected_columns) c);
  return new;
end;
$$;

create or replace trigger tr_check_filters
  before insert or update on realtime.subscription
  for each row execute function realtime.subscription_check_filters();

alter function realtime.to_regrole(text) owner to supabase_realtime_admin;
alter function realtime.cast(text, regtype) owner to supabase_realtime_admin;
alter function realtime.subscription_check_filters() owner to supabase_realtime_admin;

do $publication$
begin
  if not exists (select from pg_catalog.pg_publication where pubname = 'supabase_realtime') then
    create publication supabase_realtime;
    -- Hosted projects add their tables as `postgres`, which takes the ownership of the publication.
    alter publication supabase_realtime owner to postgres;
  end if;
end
$publication$;
