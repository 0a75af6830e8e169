-- Quotas and limit ranges: what the live pods of a namespace may ask for together, and each by itself. Held by triggers on
-- pods, so for every writer; the cluster lock makes each statement see all that came before it.

create table stark_internal.namespace_totals (
  namespace text primary key references stark.namespaces (name) on delete cascade,
  pods bigint not null,
  cpu bigint not null,
  memory bigint not null,
  storage bigint not null
) with (fillfactor = 50);
comment on table stark_internal.namespace_totals is 'What the live pods of each namespace ask for together. Kept by triggers on pods.';
alter table stark_internal.namespace_totals enable row level security;
create policy "nobody reads totals" on stark_internal.namespace_totals for select to authenticated using (false);

/**
 * stark_internal.total_namespaces(): statement trigger; namespace_totals follow every change of pods, by any writer. Its name comes
 * before that of the trigger that reads them, which asks one row where it would ask every pod of the namespace.
 */
create function stark_internal.total_namespaces()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'TRUNCATE' then
    delete from stark_internal.namespace_totals where true;
  elsif tg_op = 'INSERT' then
    insert into stark_internal.namespace_totals as t
      select r.namespace, count(*), sum(r.cpu_request), sum(r.memory_request), sum(r.storage_request)
      from new_rows r where r.finished_at is null group by r.namespace
      on conflict (namespace) do update set
        pods = t.pods + excluded.pods, cpu = t.cpu + excluded.cpu, memory = t.memory + excluded.memory, storage = t.storage + excluded.storage;
  elsif tg_op = 'DELETE' then
    update stark_internal.namespace_totals t set
        pods = t.pods - d.pods, cpu = t.cpu - d.cpu, memory = t.memory - d.memory, storage = t.storage - d.storage
      from (select r.namespace, count(*) as pods, sum(r.cpu_request) as cpu, sum(r.memory_request) as memory, sum(r.storage_request) as storage
            from old_rows r where r.finished_at is null group by r.namespace) d
      where t.namespace = d.namespace;
  else
    insert into stark_internal.namespace_totals as t
      select d.namespace, sum(d.sign), sum(d.sign * d.cpu_request), sum(d.sign * d.memory_request), sum(d.sign * d.storage_request)
      from (
        select 1 as sign, r.namespace, r.cpu_request, r.memory_request, r.storage_request from new_rows r where r.finished_at is null
        union all
        select -1, r.namespace, r.cpu_request, r.memory_request, r.storage_request from old_rows r where r.finished_at is null) d
      group by d.namespace
      having sum(d.sign) <> 0 or sum(d.sign * d.cpu_request) <> 0 or sum(d.sign * d.memory_request) <> 0 or sum(d.sign * d.storage_request) <> 0
      on conflict (namespace) do update set
        pods = t.pods + excluded.pods, cpu = t.cpu + excluded.cpu, memory = t.memory + excluded.memory, storage = t.storage + excluded.storage;
  end if;
  return null;
end;
$$;
comment on function stark_internal.total_namespaces() is 'Keeps what the live pods of each namespace ask for together.';
revoke all on function stark_internal.total_namespaces() from public, anon;

create trigger _090_total_namespaces_of_new after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.total_namespaces();
create trigger _090_total_namespaces_of_changed after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.total_namespaces();
create trigger _090_total_namespaces_of_deleted after delete on stark.pods
  referencing old table as old_rows for each statement execute function stark_internal.total_namespaces();
create trigger _090_total_namespaces_of_none after truncate on stark.pods
  for each statement execute function stark_internal.total_namespaces();

/**
 * stark_internal.enforce_quota(): statement trigger; new pods, and pods that ask for more or moved, fit their namespace's limit
 * range and quota, and the namespace is not terminating. Ended pods do not count.
 */
create function stark_internal.enforce_quota()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_namespaces text[];
  v_bad record;
begin
  -- Definer: it counts pods the caller may not see, and tells only the sums. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_namespaces := array(select distinct r.namespace from new_rows r where r.finished_at is null);
  else
    v_namespaces := array(
      select distinct n.namespace from old_rows o join new_rows n using (id)
      where n.finished_at is null
        and (o.namespace <> n.namespace or n.cpu_request > o.cpu_request or n.memory_request > o.memory_request or n.storage_request > o.storage_request));
  end if;
  if not exists (select from stark.namespaces s where s.name = any (v_namespaces) and (s.phase <> 'active' or s.quota <> '{}' or s.limit_range <> '{}')) then
    return null;
  end if;
  select s.name into v_bad from stark.namespaces s where s.name = any (v_namespaces) and s.phase = 'terminating' limit 1;
  if found then
    perform stark_internal.fail('NAMESPACE_TERMINATING', format('namespace %s is being deleted', v_bad.name), 'stark namespace list');
  end if;
  select s.name, a.resource, a.asked, (s.limit_range #>> array['min', a.resource])::bigint as least, (s.limit_range #>> array['max', a.resource])::bigint as most into v_bad
    from (select distinct r.namespace, r.cpu_request, r.memory_request, r.storage_request from new_rows r
          where r.finished_at is null and r.namespace = any (v_namespaces)) r
    join stark.namespaces s on s.name = r.namespace
    cross join lateral (values ('cpu', r.cpu_request), ('memory', r.memory_request), ('storage', r.storage_request)) a (resource, asked)
    where a.asked < (s.limit_range #>> array['min', a.resource])::bigint or a.asked > (s.limit_range #>> array['max', a.resource])::bigint
    limit 1;
  if found then
    perform stark_internal.fail('LIMIT_RANGE_VIOLATED', format('a pod in namespace %s may ask for %s %s, not %s', v_bad.name,
      concat_ws(' and ', 'at least ' || v_bad.least, 'at most ' || v_bad.most), v_bad.resource, v_bad.asked), 'stark namespace describe ' || v_bad.name);
  end if;
  select s.name, u.resource, u.used, (s.quota ->> u.resource)::bigint as most into v_bad
    from stark_internal.namespace_totals t
    join stark.namespaces s on s.name = t.namespace
    cross join lateral (values ('pods', t.pods), ('cpu', t.cpu), ('memory', t.memory), ('storage', t.storage)) u (resource, used)
    where t.namespace = any (v_namespaces) and u.used > (s.quota ->> u.resource)::bigint
    limit 1;
  if found then
    perform stark_internal.fail('QUOTA_EXCEEDED', format('namespace %s would use %s %s, its quota is %s', v_bad.name, v_bad.used, v_bad.resource, v_bad.most),
      'stark namespace describe ' || v_bad.name);
  end if;
  return null;
end;
$$;
comment on function stark_internal.enforce_quota() is 'Refuses pods that their namespace''s quota or limit range has no room for.';
revoke all on function stark_internal.enforce_quota() from public, anon;

create trigger _100_enforce_quota_on_new after insert on stark.pods
  referencing new table as new_rows for each statement execute function stark_internal.enforce_quota();
create trigger _100_enforce_quota_on_changed after update on stark.pods
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.enforce_quota();
