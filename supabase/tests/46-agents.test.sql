-- Agents: connect, reconcile, report, say goodbye; only the owner speaks for a node, and only its latest incarnation is heard.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node');
select tests.let_read_nodes('uma');
select tests.add_pack('open', 'uma', 'public');
select tests.sign_in('nod');
select is(stark.register_node('n1', 'node') ->> 'name', 'n1', 'an agent registers its node');
create temporary table ids as select tests.node('n1') as n1;
grant select on ids to public;

-- Whose node it is
create function pg_temp.as_user(p_who text, p_sql text) returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(p_sql);
  perform tests.sign_out();
  return v;
end $$;
create temporary table calls (name text, sql text);
grant select on calls to public;
insert into calls values ('node_sync', 'select stark.node_sync((select n1 from ids))'), ('report_pods', 'select stark.report_pods((select n1 from ids), 0, ''[]'')'),
  ('append_pod_logs', 'select stark.append_pod_logs((select n1 from ids), 0, ''[]'')'), ('disconnect_node', 'select stark.disconnect_node((select n1 from ids), 0)');
select tests.sign_out();
select is(pg_temp.as_user(who, sql), 'FORBIDDEN', format('%s may not %s for another''s node', who, name)) from calls, unnest(array['uma', 'udo', 'vic', 'op']) who;
select is(pg_temp.as_user('nod', replace(sql, '(select n1 from ids)', quote_literal(gen_random_uuid()))), 'NODE_NOT_FOUND', format('%s names an unknown node', name)) from calls;
select is(pg_temp.as_user('nod', replace(replace(sql, '(select n1 from ids))', '(select n1 from ids), 7)'), ', 0', ', 7')), 'STALE_INCARNATION', format('%s from another incarnation is refused', name)) from calls;
select tests.sign_in_as('anon');
select is(tests.code_of(sql), '42501', format('nobody may not %s', name)) from calls;
select tests.sign_out();
select is((select status from stark.nodes), 'unknown', 'none of it changed the node');

-- Connecting
select tests.sign_in('nod');
create temporary table s1 as select stark.node_sync((select n1 from ids)) as a;
select is((select a - 'secret' - 'now' from s1), jsonb_build_object('node_id', (select n1 from ids), 'incarnation', 1, 'topic', 'stark:node:' || (select n1 from ids), 'heartbeat', '{"interval": 15, "timeout": 30}'::jsonb, 'pods', '[]'::jsonb), 'connecting gives an incarnation, a topic and what to run');
select matches((select a ->> 'secret' from s1), '^[0-9a-f]{64}$', 'and a secret');
select ok((select (a ->> 'now')::timestamptz between clock_timestamp() - interval '5 seconds' and clock_timestamp() from s1), 'and the time');
select results_eq('select status, incarnation, connected_at is not null from stark.nodes', $$values ('healthy', 1::bigint, true)$$, 'the node is healthy');
select tests.sign_out();
select is((select secret_sha256 from stark_internal.node_secrets), (select encode(sha256(convert_to(a ->> 'secret', 'UTF8')), 'hex') from s1), 'of the secret only its sum is kept');
select results_eq('select incarnation from stark.node_leases', 'values (1::bigint)', 'and the lease is renewed');
select tests.sign_in('nod');
select is(stark.node_sync((select n1 from ids), 1) ? 'secret', false, 'asking again tells no secret');
select is((stark.node_sync((select n1 from ids)) ->> 'incarnation')::integer, 2, 'connecting anew is another incarnation');
select is(tests.code_of('select stark.node_sync((select n1 from ids), 1)'), 'STALE_INCARNATION', 'the older one is heard no longer');
select tests.sign_out();
select isnt((select secret_sha256 from stark_internal.node_secrets), (select encode(sha256(convert_to(a ->> 'secret', 'UTF8')), 'hex') from s1), 'nor is its secret');
select is(pg_temp.as_user('ada', 'select stark.node_sync((select n1 from ids), 2)'), 'ok', 'an admin may speak for any node');

-- What it should run
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p1", "labels": {"app": "x"}, "spec": {"env": {"A": "b"}, "config": {"c": 1}, "ports": [{"name": "http"}]}}');
select tests.sign_in('nod');
select is((select p - 'bundle' from jsonb_array_elements(stark.node_sync((select n1 from ids), 2) -> 'pods') p),
  jsonb_build_object('id', tests.pod('p1'), 'name', 'p1', 'namespace', 'default', 'owner', tests.uid('uma'), 'labels', '{"app": "x"}'::jsonb, 'status', 'scheduled', 'pack', 'open', 'version', '1.0.0', 'runtime', 'node', 'entry', 'default', 'restarts', 0, 'wanted', 'running',
    'version_id', (select pack_version_id from stark.pods where name = 'p1'),
    'spec', '{"env": {"A": "b"}, "config": {"c": 1}, "ports": [{"name": "http"}], "resources": {"requests": {"cpu": 100, "memory": 128}}, "terminationGracePeriodSeconds": 30}'::jsonb), 'a sync tells each pod whole');
select is((select array_agg(k order by k) from jsonb_object_keys(stark.node_sync((select n1 from ids), 2) #> '{pods,0,bundle}') k), array['bucket', 'path', 'sha256', 'size_bytes'], 'with its bundle');
select is((select incarnation from stark.pods where name = 'p1'), 2::bigint, 'the pod knows the incarnation that runs it');

-- Reports
create function pg_temp.pod() returns text language sql as $$ select concat_ws(' ', status, status_reason, exit_code, restarts, ready, ports) from stark.pods where name = 'p1' $$;
select is(tests.report('n1', 'p1', 'transferring'), 'accepted', 'transferring');
select is(tests.report('n1', 'p1', 'starting', '{"reason": "Starting", "message": "node child"}'), 'accepted', 'starting');
select is(pg_temp.pod(), 'starting Starting 0 f {}', 'with a reason');
select is(tests.report('n1', 'p1', 'running', '{"ports": {"http": 41234}, "observed_at": "2020-01-01T00:00:00Z"}'), 'accepted', 'running');
select is(pg_temp.pod(), 'running 0 f {"http": 41234}', 'with its port');
select is((select started_at from stark.pods where name = 'p1'), '2020-01-01'::timestamptz, 'and the time it was observed');
create temporary table v as select resource_version from stark.pods where name = 'p1';
select is(tests.report('n1', 'p1', 'running', '{"ports": {"http": 41234}}'), 'accepted', 'saying it again is accepted');
select results_eq($$select resource_version from stark.pods where name = 'p1'$$, 'select resource_version from v', 'and changes nothing');
select is(tests.report('n1', 'p1', 'running', '{"ready": true}'), 'accepted', 'ready');
select is(pg_temp.pod(), 'running 0 t {"http": 41234}', 'is a change of its own');
select is(tests.report('n1', 'p1', 'running', '{"reason": "Probe"}'), 'accepted', 'a later report without it');
select is(pg_temp.pod(), 'running Probe 0 t {"http": 41234}', 'leaves it ready');
select is(tests.report('n1', 'p1', 'running', '{}'), 'accepted', 'a running pod with which nothing is wrong any more');
select is((select status_reason from stark.pods where name = 'p1'), null, 'is running without a reason');
select is(tests.report('n1', 'p1', 'scheduled'), 'INVALID_ARGUMENT', 'a node does not report what is not its to say');
select is(tests.report('n1', 'p1', 'starting', '{"restarts": 1, "exit_code": 137, "reason": "CrashLoopBackOff"}'), 'accepted', 'a restart goes back to starting');
select is(pg_temp.pod(), 'starting CrashLoopBackOff 137 1 f {"http": 41234}', 'not ready, counted, with the exit code');
select is((select jsonb_agg(r -> 'accepted') from jsonb_array_elements(stark.report_pods((select n1 from ids), 2, (select jsonb_agg(jsonb_build_object('pod_id', tests.pod('p1'), 'status', s) order by o) from unnest(array['running', 'starting', 'running', 'succeeded', 'running']) with ordinality u (s, o)))) r),
  '[true, true, true, true, false]', 'several reports on one pod are steps, one after the other');
select is((select status || ' ' || (finished_at is not null) from stark.pods where name = 'p1'), 'succeeded true', 'the end stands');
select is(tests.report('n1', 'p1', 'succeeded', '{"message": "again"}'), 'accepted', 'the same end again is accepted');
select is((select status_message from stark.pods where name = 'p1'), null, 'and changes nothing');
select is(tests.report('n1', 'p1', 'failed'), 'STATUS_STEP_REFUSED', 'another end is not');
select is((select allocated ->> 'pods' from stark.nodes), '0', 'an ended pod takes no room');

-- Answers to reports that are wrong
select is(stark.report_pods((select n1 from ids), 2, '[]'), '[]', 'no reports, no answers');
select is((select jsonb_agg(r ->> 'code') from jsonb_array_elements(stark.report_pods((select n1 from ids), 2, '[1, {}, {"pod_id": "x", "status": "running"}, {"pod_id": "00000000-0000-0000-0000-000000000000", "status": "running"}]')) r),
  '["INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "POD_NOT_FOUND"]', 'each report has an answer in its place');
select is(tests.report('n1', 'p1', 'running', more), 'INVALID_ARGUMENT', format('%s is refused', more))
  from unnest(array['{"reason": 5}', '{"message": []}', '{"exit_code": "1"}', '{"restarts": -1}', '{"ready": "yes"}', '{"ports": [1]}', '{"ports": {"http": 0}}', '{"ports": {"http": "80"}}', '{"observed_at": "yesterday-ish"}', '{"status": 5}']::jsonb[]) more;
select is(tests.code_of('select stark.report_pods((select n1 from ids), 2, ''{}'')'), 'INVALID_ARGUMENT', 'reports must be a list');
select is(tests.code_of('select stark.report_pods((select n1 from ids), null, ''[]'')'), 'INVALID_ARGUMENT', 'and say for which incarnation');
select is(tests.code_of(format('select stark.report_pods((select n1 from ids), 2, %L)', (select jsonb_agg(i) from generate_series(1, 501) i))), 'LIMIT_EXCEEDED', 'and be at most 500');
select is(tests.code_of(format('select stark.report_pods((select n1 from ids), 2, %L)', (select jsonb_agg(jsonb_build_object('pod_id', case when i % 2 = 0 then '{0000000000000000000000000000000A}' else '00000000-0000-0000-0000-00000000000a' end, 'status', 'running')) from generate_series(1, 101) i))), 'LIMIT_EXCEEDED', 'of one pod at most 100, since each is an update of its own');
select tests.sign_out();
select tests.add_node('n2', 'udo');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p2", "spec": {"nodeName": "n2"}}');
select tests.sign_in('nod');
select is(tests.report('n1', 'p2', 'running'), 'POD_NOT_ON_NODE', 'a node says nothing about another''s pod');
select tests.sign_out();
select is((select status from stark.pods where name = 'p2'), 'scheduled', 'and changes nothing of it');

-- What is a uuid and what is a time is the same on every version of Postgres
select is(stark_internal.is_uuid(u), valid, format('%s is a uuid: %s', coalesce(quote_literal(left(u, 40)), 'null'), valid)) from (values
  ('00000000-0000-4000-8000-00000000dead', true), ('{00000000-0000-4000-8000-00000000DEAD}', true), ('0000000000004000800000000000dead', true),
  ('0000-0000-0000-4000-8000-0000-0000-dead', true), ('{00000000-0000-4000-8000-00000000dead', false), ('00000000-0000-4000-8000-00000000dea', false),
  ('00000000-0000-4000-8000-00000000deadb', false), (' 00000000-0000-4000-8000-00000000dead', false), ('0-0000000-0000-4000-8000-00000000dead', false),
  ('', false), ('null', false), (repeat('0', 100000), false), (null, false)) t (u, valid);
select is(stark_internal.is_time(t), valid, format('%s is a time: %s', coalesce(quote_literal(left(t, 40)), 'null'), valid)) from (values
  ('2026-01-01T00:00:00Z', true), ('2026-01-01 00:00:00.123456+05:30', true), ('1970-01-01T00:00:00Z', true), ('9999-12-31T00:00:00Z', true),
  ('1969-12-31T23:59:59Z', false), ('10000-01-01T00:00:00Z', false), ('infinity', false), ('-infinity', false), ('2026-02-30T00:00:00Z', false),
  ('2026-01-01T25:00:00Z', false), ('2026-01-01T00:00:00+99:00', false), ('2026-01-01T00:00:00 Nowhere/City', false), ('9999999-01-01', false),
  ('', false), ('5', false), (repeat('1', 100000), false), (null, false)) t (t, valid);

-- Stopping
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p3", "spec": {"nodeName": "n1"}}');
select count(*) from stark.stop_pods(array[tests.pod('p3')]);
select tests.sign_in('nod');
select is(stark.node_sync((select n1 from ids), 2) #>> '{pods,0,wanted}', 'stopped', 'a sync tells what to stop');
select is(tests.report('n1', 'p3', 'running'), 'STATUS_STEP_REFUSED', 'a late running does not undo the stop');
select is(tests.report('n1', 'p3', 'stopped', '{"exit_code": 0}'), 'accepted', 'stopped');
select is(tests.report('n1', 'p3', 'stopped', '{"exit_code": 0}'), 'accepted', 'twice');
select is(stark.node_sync((select n1 from ids), 2) -> 'pods', '[]', 'what ended is in no sync');

-- Goodbye, and coming back
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p4", "spec": {"nodeName": "n1"}}'), tests.make_pods('{"pack": "open", "name": "p5", "spec": {"nodeName": "n1"}}'), tests.make_pods('{"pack": "open", "name": "p6", "spec": {"nodeName": "n1"}}');
select count(*) from stark.stop_pods(array[tests.pod('p5')]);
select count(*) from stark.delete_pods(array[tests.pod('p6')]);
select tests.sign_in('nod');
select is(tests.code_of('select stark.disconnect_node((select n1 from ids), 1)'), 'STALE_INCARNATION', 'an older agent''s goodbye does not count');
select stark.disconnect_node((select n1 from ids), 2);
select results_eq('select status, status_reason from stark.nodes where name = ''n1''', $$values ('offline', 'NodeShutdown')$$, 'after a goodbye the node is offline');
select set_eq($$select name, status, status_reason from stark.pods where name in ('p4', 'p5', 'p6')$$, $$values ('p4', 'failed', 'NodeShutdown'), ('p5', 'stopped', 'StopRequested')$$, 'its pods have failed, or stopped as they were to, or gone');
select is((select allocated ->> 'pods' from stark.nodes where name = 'n1'), '0', 'and take no room');
select lives_ok('select stark.disconnect_node((select n1 from ids), 2)', 'saying it twice is no error');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p7", "spec": {"nodeName": "n1"}}');
select is((select status from stark.pods where name = 'p7'), 'pending', 'an offline node gets nothing');
select tests.sign_in('nod');
select is(stark.node_sync((select n1 from ids)) #>> '{pods,0,name}', 'p7', 'when it comes back, what waited for it is in its first sync');

select * from finish();
rollback;
