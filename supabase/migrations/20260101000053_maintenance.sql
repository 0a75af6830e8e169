-- Housekeeping by pg_cron: partitions for the coming days, the end of what is old, and a safety net under what else happens
-- at once. All of it is idempotent and takes its work as a set. Partitions are made three days ahead, and a line whose day has
-- none goes to the default partition, so nothing is lost when the job does not run for days.

/** stark_internal.ensure_partitions(now) -> how many were made: partitions of events and pod_logs from yesterday to three days ahead. */
create function stark_internal.ensure_partitions(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_table text;
  v_day date;
  v_name text;
  v_early bigint;
  v_made integer := 0;
begin
  foreach v_table in array array['events', 'pod_logs'] loop
    for v_day in select d::date from generate_series((p_now at time zone 'UTC')::date - 1, (p_now at time zone 'UTC')::date + 3, interval '1 day') d loop
      v_name := v_table || '_' || to_char(v_day, 'YYYY_MM_DD');
      if to_regclass('stark_internal.' || v_name) is null then
        -- Lines that came before their day had a partition stand in the default one. A few move; many, as after days without this
        -- job, stay there until they are old, since moving them would hold everybody up.
        execute format('select count(*) from (select from stark_internal.%I t where t.time >= %L and t.time < %L limit %s) l', v_table || '_default',
                        v_day::timestamp at time zone 'UTC', (v_day + 1)::timestamp at time zone 'UTC', stark_internal.call_limit('log_lines') + 1) into v_early;
        continue when v_early > stark_internal.call_limit('log_lines');
        execute format('create table stark_internal.%I (like stark.%I including defaults including constraints)', v_name, v_table);
        execute format('alter table stark_internal.%I enable row level security', v_name);
        execute format('create policy "nobody reads partitions" on stark_internal.%I for select to authenticated using (false)', v_name);
        execute format('comment on table stark_internal.%I is %L', v_name, 'A day of stark.' || v_table || '.');
        -- Lines of that day that came too early stand in the default partition, and would forbid the new one. Locked, so that
        -- none is added between their removal and the new partition; readers keep their lock on the table above meanwhile.
        execute format('lock table stark_internal.%I in access exclusive mode', v_table || '_default');
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

/** stark_internal.drop_old_partitions(now) -> how many went: days of events and logs further back than the configuration keeps. */
create function stark_internal.drop_old_partitions(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_today date := (p_now at time zone 'UTC')::date;
  v_config stark.cluster_config;
  v_old record;
  v_dropped integer := 0;
begin
  select * into v_config from stark.cluster_config;
  for v_old in
    select c.relname
    from (values ('stark.events'::regclass, v_config.event_retention_days), ('stark.pod_logs', v_config.log_retention_days)) k (parent, days)
    join pg_catalog.pg_inherits i on i.inhparent = k.parent
    join pg_catalog.pg_class c on c.oid = i.inhrelid
    where c.relname ~ '_\d{4}_\d\d_\d\d$' and to_date(right(c.relname, 10), 'YYYY_MM_DD') < v_today - k.days
    order by k.parent, c.relname
  loop
    execute format('drop table stark_internal.%I', v_old.relname);
    v_dropped := v_dropped + 1;
  end loop;
  -- A step's worth of each; the rest with the next run.
  delete from stark_internal.events_default e where e.ctid = any (array(
    select o.ctid from stark_internal.events_default o where o.time < (v_today - v_config.event_retention_days)::timestamp at time zone 'UTC'
    limit stark_internal.call_limit('log_lines_removed_at_once')));
  delete from stark_internal.pod_logs_default l where l.ctid = any (array(
    select o.ctid from stark_internal.pod_logs_default o where o.time < (v_today - v_config.log_retention_days)::timestamp at time zone 'UTC'
    limit stark_internal.call_limit('log_lines_removed_at_once')));
  return v_dropped;
end;
$$;
comment on function stark_internal.drop_old_partitions(timestamptz) is 'Drops events and logs that are older than they are kept.';
revoke all on function stark_internal.drop_old_partitions(timestamptz) from public, anon;

/** stark_internal.remove_old_pods(now) -> how many went, as many as one step removes: rows of pods that ended more days ago than the configuration keeps. Locks: the cluster lock, by the table's trigger. */
create function stark_internal.remove_old_pods(p_now timestamptz default now())
returns integer
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  with removed as (
    delete from stark.pods p
      where p.id = any (array(
        select o.id from stark.pods o, stark.cluster_config c
        where o.finished_at < p_now - c.ended_pod_retention_days * interval '1 day'
        order by o.finished_at, o.id limit stark_internal.call_limit('ended_pods_removed_at_once')))
      returning 1)
  select count(*)::integer from removed;
$$;
comment on function stark_internal.remove_old_pods(timestamptz) is 'Removes the rows of pods that ended long ago.';
revoke all on function stark_internal.remove_old_pods(timestamptz) from public, anon;

/**
 * stark_internal.run_maintenance(now): half of the hourly job; old pods go after it. Locks: the cluster lock, so that no writer of events
 * is half-way. It gives up after two seconds of waiting, and the next hour's run does it: a long report on the events must not
 * stop the cluster.
 */
create function stark_internal.run_maintenance(p_now timestamptz default now())
returns void
language plpgsql
set search_path = pg_temp
set lock_timeout = '2s'
set jit = off
as $$
begin
  perform stark_internal.lock_cluster();
  -- Dropping locks the whole table and comes first: a reader that has the table and waits for a part of it would be a deadlock.
  perform stark_internal.drop_old_partitions(p_now);
  perform stark_internal.ensure_partitions(p_now);
  perform stark_internal.forget_expired_metrics(p_now);
  if to_regclass('cron.job_run_details') is not null then
    delete from cron.job_run_details d where d.end_time < p_now - interval '2 days';
  end if;
end;
$$;
comment on function stark_internal.run_maintenance(timestamptz) is 'Makes the partitions of the next days, drops old ones, and deletes old entries of pg_cron''s own log.';
revoke all on function stark_internal.run_maintenance(timestamptz) from public, anon;

/** stark_internal.trim_pod_logs() -> how many lines went, as many as one step removes: the oldest of each pod that has more than the configuration keeps. No cluster lock, since it reads all logs. */
create function stark_internal.trim_pod_logs()
returns integer
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  with crowded as (
    select l.pod_id, c.max_log_lines_per_pod as kept
    from stark.pod_logs l cross join stark.cluster_config c group by l.pod_id, c.max_log_lines_per_pod having count(*) > c.max_log_lines_per_pod
  ), oldest as (
    select c.pod_id, (select l.seq from stark.pod_logs l where l.pod_id = c.pod_id order by l.seq desc offset c.kept limit 1) as seq from crowded c
  ), going as materialized (
    select l.pod_id, l.seq, l.time from oldest o join stark.pod_logs l on l.pod_id = o.pod_id and l.seq <= o.seq
    order by l.pod_id, l.seq limit stark_internal.call_limit('log_lines_removed_at_once')
  ), removed as (
    delete from stark.pod_logs l using going g where l.pod_id = g.pod_id and l.seq = g.seq and l.time = g.time returning 1
  )
  select count(*)::integer from removed;
$$;
comment on function stark_internal.trim_pod_logs() is 'Keeps each pod''s log to its newest lines.';
revoke all on function stark_internal.trim_pod_logs() from public, anon;

/**
 * stark_internal.reconcile(now) -> how many pods were placed. Does again what triggers normally do at once: places pending pods, and
 * removes ended pods that were to be deleted, and emptied namespaces. Locks: the cluster lock, when there is such work.
 */
create function stark_internal.reconcile(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  if not exists (select from stark.pods p where p.status = 'pending')
     and not exists (select from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null)
     and not exists (select from stark.namespaces n where n.phase = 'terminating') then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  perform stark_internal.remove_ended_pods();
  perform stark_internal.remove_emptied_namespaces();
  return stark_internal.schedule_pods(p_now => p_now);
end;
$$;
comment on function stark_internal.reconcile(timestamptz) is 'Places pending pods, and removes ended ones that were to be deleted.';
revoke all on function stark_internal.reconcile(timestamptz) from public, anon;

/**
 * stark_internal.continue_work(now) -> whether it did something, so that more may be due: one step of what calls have left over
 * because it was more than a call's work, or because its time has come: pods to evict, deployments to scale and to look at, pods of terminating namespaces to stop, ended pods to remove, pods to place.
 * Called by the watcher every five seconds, and by pg_cron. Locks: the cluster lock, when there is such work.
 */
create function stark_internal.continue_work(p_now timestamptz default now())
returns boolean
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  if stark_internal.evict_pods(p_now) > 0 then
    return true;
  end if;
  if exists (select from stark.namespaces n join stark.pods p on p.namespace = n.name where n.phase = 'terminating' and p.deletion_requested_at is null) then
    perform stark_internal.lock_cluster();
    return stark_internal.empty_namespaces(p_now) > 0;
  end if;
  if exists (select from stark.pods p where p.deletion_requested_at is not null and p.finished_at is not null) then
    perform stark_internal.lock_cluster();
    return stark_internal.remove_ended_pods() > 0;
  end if;
  if stark_internal.autoscale_due(p_now) > 0 then
    return true;
  end if;
  if stark_internal.reconcile_due(p_now) > 0 then
    return true;
  end if;
  if exists (select from stark_internal.pass_state s where s.is_due or s.groups_left > 0) then
    perform stark_internal.schedule_pods(p_now => p_now, p_continues => true);
    return true;
  end if;
  return false;
end;
$$;
comment on function stark_internal.continue_work(timestamptz) is 'One step of what earlier calls have left over.';
revoke all on function stark_internal.continue_work(timestamptz) from public, anon;

select stark_internal.ensure_partitions();

create extension if not exists pg_cron;

-- A transaction for each step, and so many of them that an hour's worth is done.
insert into stark_internal.scheduled_jobs (name, schedule, command) values
  ('stark-maintenance', '17 * * * *', $job$do $$
begin
  for step in 1..20 loop
    exit when stark_internal.remove_old_pods() < stark_internal.call_limit('ended_pods_removed_at_once');
    commit;
  end loop;
  perform stark_internal.run_maintenance();
end $$$job$),
  ('stark-trim-pod-logs', '47 * * * *', $job$do $$
begin
  for step in 1..50 loop
    exit when stark_internal.trim_pod_logs() < stark_internal.call_limit('log_lines_removed_at_once');
    commit;
  end loop;
end $$$job$),
  ('stark-reconcile', '* * * * *', 'select stark_internal.reconcile()');
