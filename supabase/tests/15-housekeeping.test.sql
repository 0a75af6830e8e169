-- Housekeeping: partitions ahead of time, old ones dropped, nothing lost in between; and the job that does it.
begin;
select * from no_plan();
select results_eq($$select schedule, command from cron.job where jobname = 'stark-keep-house'$$, $$values ('17 * * * *', 'select stark_internal.keep_house()')$$, 'one job keeps house, hourly');
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

select is(stark_internal.drop_old_partitions('2031-05-13 12:00Z'), 6 + 10, 'seven days keep events, three days logs: the rest goes');
select is(tests.count_of('select from stark.events where kind = ''node'''), 1::bigint, 'an event of seven days ago is there');
select is(stark_internal.drop_old_partitions('2031-05-15 12:00Z'), 2, 'a day later its day goes');
select is(tests.count_of('select from stark.events where kind = ''node'''), 0::bigint, 'and it with it');
select tests.add_pack('open', 'ada', 'public');
select tests.make_pods('{"pack": "open", "name": "chatty"}'), tests.make_pods('{"pack": "open", "name": "quiet"}');
insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message)
  select tests.pod(p), i, now(), 'default', 'stdout', 'x' from (values ('chatty', 12), ('quiet', 10)) t (p, n), generate_series(1, n) i;
select is(stark_internal.trim_pod_logs(10), 2, 'a pod keeps its newest lines');
select results_eq('select min(seq), count(*) from stark.pod_logs where pod_id = tests.pod(''chatty'')', 'values (3::bigint, 10::bigint)', 'the oldest go');
select is(tests.count_of('select from stark.pod_logs where pod_id = tests.pod(''quiet'')'), 10::bigint, 'a pod with fewer keeps all');
select lives_ok('select stark_internal.keep_house()', 'the job runs');

select * from finish();
rollback;
