-- Housekeeping: partitions for the coming days, and the end of old ones. One pg_cron job; both are idempotent, and a line
-- whose day has no partition goes to the default one, so nothing is lost when the job does not run.

/** stark_internal.ensure_partitions(now) -> how many were made: partitions of events and pod_logs from yesterday to three days ahead. */
create function stark_internal.ensure_partitions(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_table text;
  v_day date;
  v_name text;
  v_made integer := 0;
begin
  foreach v_table in array array['events', 'pod_logs'] loop
    for v_day in select d::date from generate_series((p_now at time zone 'UTC')::date - 1, (p_now at time zone 'UTC')::date + 3, interval '1 day') d loop
      v_name := v_table || '_' || to_char(v_day, 'YYYY_MM_DD');
      if to_regclass('stark_internal.' || v_name) is null then
        execute format('create table stark_internal.%I (like stark.%I including defaults including constraints)', v_name, v_table);
        execute format('alter table stark_internal.%I enable row level security', v_name);
        execute format('create policy "nobody reads partitions" on stark_internal.%I for select to authenticated using (false)', v_name);
        execute format('comment on table stark_internal.%I is %L', v_name, 'A day of stark.' || v_table || '.');
        -- Lines of that day that came too early stand in the default partition, and would forbid the new one.
        execute format('with early as (delete from stark_internal.%I t where t.time >= %L and t.time < %L returning *)
                        insert into stark_internal.%I select * from early', v_table || '_default',
                        v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC', v_name);
        execute format('alter table stark.%I attach partition stark_internal.%I for values from (%L) to (%L)', v_table, v_name,
                        v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC');
        v_made := v_made + 1;
      end if;
    end loop;
  end loop;
  return v_made;
end;
$$;
comment on function stark_internal.ensure_partitions(timestamptz) is 'Makes the partitions of the coming days.';
revoke all on function stark_internal.ensure_partitions(timestamptz) from public, anon;

/** stark_internal.drop_old_partitions(now) -> how many went: events of more than 7 days ago, logs of more than 3. */
create function stark_internal.drop_old_partitions(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = ''
as $$
declare
  v_old record;
  v_dropped integer := 0;
begin
  for v_old in
    select c.relname, p.relname as parent
    from pg_catalog.pg_inherits i
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    join pg_catalog.pg_class p on p.oid = i.inhparent
    where i.inhparent in ('stark.events'::regclass, 'stark.pod_logs'::regclass)
      and c.relkind = 'r'
      and c.relname ~ '_\d{4}_\d\d_\d\d$'
      and to_date(right(c.relname, 10), 'YYYY_MM_DD')
          < (p_now at time zone 'UTC')::date - case p.relname when 'events' then 7 else 3 end
  loop
    execute format('drop table stark_internal.%I', v_old.relname);
    v_dropped := v_dropped + 1;
  end loop;
  delete from stark_internal.events_default e where e.time < p_now - interval '7 days';
  delete from stark_internal.pod_logs_default l where l.time < p_now - interval '3 days';
  return v_dropped;
end;
$$;
comment on function stark_internal.drop_old_partitions(timestamptz) is 'Drops events and logs that are older than they are kept.';
revoke all on function stark_internal.drop_old_partitions(timestamptz) from public, anon;

/** stark_internal.trim_pod_logs(keep) -> how many lines went: the oldest of each pod that has more than it may keep. */
create function stark_internal.trim_pod_logs(p_keep integer default 10000)
returns integer
language sql
volatile
set search_path = ''
as $$
  with crowded as (
    select l.pod_id from stark.pod_logs l group by l.pod_id having count(*) > p_keep
  ), oldest as (
    select c.pod_id, (select l.seq from stark.pod_logs l where l.pod_id = c.pod_id order by l.seq desc offset p_keep limit 1) as seq from crowded c
  ), removed as (
    delete from stark.pod_logs l using oldest o where l.pod_id = o.pod_id and l.seq <= o.seq returning 1
  )
  select count(*)::integer from removed;
$$;
comment on function stark_internal.trim_pod_logs(integer) is 'Keeps each pod''s log to its newest lines.';
revoke all on function stark_internal.trim_pod_logs(integer) from public, anon;

/** stark_internal.keep_house(now): what the hourly job does. Locks: the cluster lock, so that no writer of events is half-way. */
create function stark_internal.keep_house(p_now timestamptz default now())
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform stark_internal.lock_cluster();
  perform stark_internal.ensure_partitions(p_now);
  perform stark_internal.drop_old_partitions(p_now);
  perform stark_internal.trim_pod_logs();
  if to_regclass('cron.job_run_details') is not null then
    delete from cron.job_run_details d where d.end_time < p_now - interval '2 days';
  end if;
end;
$$;
comment on function stark_internal.keep_house(timestamptz) is 'Partitions ahead, old ones gone, pg_cron''s own diary kept short.';
revoke all on function stark_internal.keep_house(timestamptz) from public, anon;

select stark_internal.ensure_partitions();

create extension if not exists pg_cron;
select cron.schedule('stark-keep-house', '17 * * * *', 'select stark_internal.keep_house()');
