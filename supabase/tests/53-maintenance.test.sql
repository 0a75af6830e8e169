-- Housekeeping: partitions ahead of time, old ones dropped, nothing lost in between; logs kept short; the safety net; the jobs.
begin;
select * from no_plan();
select results_eq($$select jobname, schedule from cron.job where jobname in ('stark-reconcile', 'stark-maintenance', 'stark-trim-pod-logs') order by 1$$,
  $$values ('stark-maintenance', '17 * * * *'), ('stark-reconcile', '* * * * *'), ('stark-trim-pod-logs', '47 * * * *')$$, 'what runs when');
create function pg_temp.days(p_table text) returns bigint language sql as $$
  select count(*) from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = p_table::regclass and c.relname ~ '\d{4}_\d\d_\d\d$' $$;
select is(pg_temp.days('stark.events'), 5::bigint, 'there are partitions from yesterday to three days ahead');
select is(stark_internal.ensure_partitions(), 0, 'making them again makes none');

select tests.add_user('ada', 'admin');
select tests.add_node('n1', 'ada');
select is((select distinct tableoid::regclass::text ~ '_\d{4}_\d\d_\d\d$' from stark.events), true, 'today''s events stand in a partition of today');
update stark.events set time = '2031-05-06 12:00Z' where kind = 'node';
select is((select tableoid::regclass::text from stark.events where kind = 'node'), 'stark_internal.events_default', 'one of another day in the default one');
select is(stark_internal.ensure_partitions('2031-05-06 23:30Z'), 10, 'when that day comes, partitions are made');
select is((select tableoid::regclass::text from stark.events where kind = 'node'), 'stark_internal.events_2031_05_06', 'and what came early moves in');
select is_empty($$select c.oid::regclass from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent in ('stark.events'::regclass, 'stark.pod_logs'::regclass) and not c.relrowsecurity$$, 'each has row level security on');

select is_empty($$
    select c.relname, x.of_parent, count(i.indexrelid)
    from (values ('stark.events'::regclass), ('stark.pod_logs')) t (parent) join pg_inherits h on h.inhparent = t.parent join pg_class c on c.oid = h.inhrelid
    cross join lateral (select count(*) as of_parent from pg_index p where p.indrelid = t.parent) x
    left join pg_index i on i.indrelid = c.oid and exists (select from pg_inherits up join pg_index p on p.indexrelid = up.inhparent and p.indrelid = t.parent where up.inhrelid = i.indexrelid)
    group by 1, 2 having count(i.indexrelid) <> x.of_parent$$, 'each has every index of its table');
select is_empty($$
    select c.relname from pg_inherits h join pg_class c on c.oid = h.inhrelid
    where h.inhparent in ('stark.events'::regclass, 'stark.pod_logs'::regclass)
      and (select count(*) from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'f', 'p', 'n')) < (select count(*) from pg_constraint k where k.conrelid = h.inhparent and k.contype in ('c', 'f', 'p', 'n'))$$,
  'and every rule');
create function pg_temp.partitions_read(p_query text) returns bigint language plpgsql as $$
declare
  v_plan json;
begin
  execute 'explain (format json) ' || p_query into v_plan;
  return (select count(distinct m[1]) from regexp_matches(v_plan::text, '"Relation Name": "((events|pod_logs)_[^"]+)"', 'g') m);
end $$;
select is(pg_temp.partitions_read($$select from stark.events where time >= '2031-05-06' and time < '2031-05-07'$$), 1::bigint, 'who asks for one day reads one partition');

-- What is old goes, as the configuration has it
select is(stark_internal.drop_old_partitions('2031-05-13 12:00Z'), 6 + 10, 'seven days keep events, three days logs: the rest goes');
select is(tests.count_of('select from stark.events where kind = ''node'''), 1::bigint, 'an event of seven days ago is there');
update stark.cluster_config set event_retention_days = 8;
select is(stark_internal.drop_old_partitions('2031-05-14 12:00Z'), 0, 'where eight days are kept, its day stays');
update stark.cluster_config set event_retention_days = 7;
select is(stark_internal.drop_old_partitions('2031-05-14 12:00Z'), 1, 'with seven its day goes');
select is(tests.count_of('select from stark.events where kind = ''node'''), 0::bigint, 'and it with it');

-- The job did not run for ten days
insert into stark.events (seq, type, time, origin, kind, object_id, object)
  select 1000000 + d, 'node.updated', '2032-01-01 10:00Z'::timestamptz + d * interval '1 day', 'system', 'node', 'x', '{}' from generate_series(0, 12) d;
select is(tests.count_of($$select from stark_internal.events_default where object_id = 'x'$$), 13::bigint, 'events of days without a partition stand in the default one');
select lives_ok($$select stark_internal.run_maintenance('2032-01-10 12:00Z')$$, 'when it runs again');
select results_eq($$select min(time), max(time), count(*) from stark.events where object_id = 'x'$$, $$values ('2032-01-03 10:00Z'::timestamptz, '2032-01-13 10:00Z'::timestamptz, 11::bigint)$$, 'all that is kept so long is still there');
select is(tests.count_of($$select from stark_internal.events_default where object_id = 'x' and time >= '2032-01-09'$$), 0::bigint, 'the days from yesterday on have moved to their partitions');
select is(tests.count_of($$select from stark_internal.events_2032_01_13 where object_id = 'x'$$), 1::bigint, 'also one from the days to come');
select lives_ok($$select stark_internal.run_maintenance('2032-01-10 13:00Z')$$, 'running again');
select is(tests.count_of($$select from stark.events where object_id = 'x'$$), 11::bigint, 'changes nothing');

insert into stark.events (seq, type, time, origin, kind, object_id, object)
  select 2000000 + i, 'node.updated', '2032-01-14 10:00Z', 'system', 'node', 'many', '{}' from generate_series(1, stark_internal.call_limit('log_lines') + 1) i;
select lives_ok($$select stark_internal.ensure_partitions('2032-01-11 12:00Z')$$, 'a day of which more stands there than a call moves');
select is(to_regclass('stark_internal.events_2032_01_14'), null, 'gets no partition');
select is(tests.count_of($$select from stark.events where object_id = 'many'$$), 5001::bigint, 'and its events are read where they are');
delete from stark.events where seq = 2000001;
select lives_ok($$select stark_internal.ensure_partitions('2032-01-11 12:00Z')$$, 'one of fewer');
select is(tests.count_of($$select from stark_internal.events_2032_01_14 where object_id = 'many'$$), 5000::bigint, 'gets one, and they move');
delete from stark.events where object_id = 'many';

-- Logs
select tests.add_pack('open', 'ada', 'public');
select tests.make_pods('{"pack": "open", "name": "chatty"}'), tests.make_pods('{"pack": "open", "name": "quiet"}');
insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message)
  select tests.pod(p), i, '2032-01-10 12:00Z', 'default', 'stdout', 'x' from (values ('chatty', 102), ('quiet', 100)) t (p, n), generate_series(1, n) i;
insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message) values (tests.pod('quiet'), 0, '2032-01-07 00:00Z', 'default', 'stdout', 'old'), (tests.pod('quiet'), 101, '1970-01-01', 'default', 'stdout', 'a wrong clock');
select is(stark_internal.trim_pod_logs(), 0, 'ten thousand lines are kept of a pod');
select lives_ok($$select stark_internal.run_maintenance('2032-01-10 23:00Z')$$, 'the job runs');
select is(tests.count_of('select from stark.pod_logs where pod_id = tests.pod(''quiet'')'), 101::bigint, 'a line of three days ago stays, one of long ago went');
select lives_ok($$select stark_internal.run_maintenance('2032-01-11 01:00Z')$$, 'a day later');
select is(tests.count_of('select from stark.pod_logs where pod_id = tests.pod(''quiet'')'), 100::bigint, 'it goes too');
update stark.cluster_config set max_log_lines_per_pod = 100;
select is(stark_internal.trim_pod_logs(), 2, 'a pod keeps its newest lines, as many as the configuration says');
select results_eq('select min(seq), count(*) from stark.pod_logs where pod_id = tests.pod(''chatty'')', 'values (3::bigint, 100::bigint)', 'the oldest go');
select is(tests.count_of('select from stark.pod_logs where pod_id = tests.pod(''quiet'')'), 100::bigint, 'a pod with fewer keeps all');
insert into cron.job_run_details (jobid, runid, end_time) values (1, 1000001, '2032-01-08'), (1, 1000002, '2032-01-11');
select lives_ok($$select stark_internal.run_maintenance('2032-01-11 02:00Z')$$, 'pg_cron''s diary');
select set_eq('select runid from cron.job_run_details where runid > 1000000', array[1000002], 'is kept for two days');

-- Pods of long ago
update stark.nodes set status = 'healthy';
delete from stark.pods;
select tests.make_pods('{"pack": "open", "name": "long-ago"}'), tests.make_pods('{"pack": "open", "name": "lately"}'), tests.make_pods('{"pack": "open", "name": "runs"}');
update stark.pods set status = 'failed', finished_at = case name when 'lately' then '2032-01-01 00:00Z'::timestamptz else '2031-12-31 23:59Z' end where name <> 'runs';
insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message) values (tests.pod('long-ago'), 1, '2032-01-10 12:00Z', 'default', 'stdout', 'x');
select is(stark_internal.remove_old_pods('2032-01-30 23:00Z'), 0, 'a pod that has ended is kept for thirty days');
select is(stark_internal.remove_old_pods('2032-01-31 00:00Z'), 1, 'and not longer');
select set_eq('select name from stark.pods', array['lately', 'runs'], 'others stay');
select is(tests.count_of('select from stark.pod_logs'), 0::bigint, 'its logs go with it');
select is(tests.count_of($$select from stark.pod_history where pod_name = 'long-ago' and type = 'pod.deleted' and origin = 'system'$$), 1::bigint, 'its history says so');
update stark.cluster_config set ended_pod_retention_days = 1;
select lives_ok($$select stark_internal.remove_old_pods('2032-01-31 00:00Z')$$, 'the next step of the hourly job');
select set_eq('select name from stark.pods', array['runs'], 'removes those that are older than the configuration keeps');

-- The safety net
delete from stark.pods;
select is(stark_internal.reconcile(), 0, 'with nothing to do it does nothing');
alter table stark.nodes disable trigger user;
alter table stark.pods disable trigger user;
update stark.nodes set status = 'offline';
select tests.make_pods('{"pack": "open", "name": "waits"}');
update stark.nodes set status = 'healthy';
alter table stark.pods enable trigger user;
alter table stark.nodes enable trigger user;
select results_eq($$select status from stark.pods where name = 'waits'$$, $$values ('pending')$$, 'a pod that every trigger forgot');
select is(stark_internal.reconcile(), 1, 'is placed');
select is(stark_internal.reconcile(), 0, 'once');
select is((select seq from stark_internal.event_heads where topic = '*'), (select max(seq) from stark.events where seq < 1000000), 'and then nothing more is said about it');
insert into stark.namespaces (name, phase) values ('ends', 'terminating');
update stark.pods set status = 'failed', finished_at = now(), deletion_requested_at = now();
select is(stark_internal.reconcile(), 0, 'an ended pod that was to be deleted');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'is gone');
select is(tests.count_of($$select from stark.namespaces where name = 'ends'$$), 0::bigint, 'and so is a namespace that was to end');

select * from finish();
rollback;
