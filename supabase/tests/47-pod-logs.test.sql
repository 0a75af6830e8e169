-- Logs: kept once, bounded, only from the node that runs the pod, and read by those who may.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node'), tests.add_user('pub', 'viewer', 'stark-public'), tests.add_user('none');
select tests.let_read_nodes('uma');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'nod'), tests.add_node('n2', 'udo');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p1", "spec": {"nodeName": "n1"}}');
select tests.make_pods('{"pack": "open", "name": "p2", "spec": {"nodeName": "n2"}}');
select tests.sign_out();
create function pg_temp.append(p_pod text, p_line jsonb) returns integer language sql as $$
  select stark.append_pod_logs(tests.node('n1'), 1, jsonb_build_array(jsonb_build_object('pod_id', tests.pod(p_pod), 'seq', 1, 'time', '2026-01-01T00:00:00Z', 'stream', 'stdout', 'message', 'hello') || p_line)) $$;

select tests.sign_in('nod');
select is(pg_temp.append('p1', '{}'), 1, 'a line is kept');
select is(pg_temp.append('p1', '{}'), 0, 'once');
select is(pg_temp.append('p1', '{"seq": 2, "stream": "stderr", "level": "error", "run": 1}'), 1, 'the next too');
select is(pg_temp.append('p1', '{"seq": 3, "stream": "platform", "level": "chatty"}'), 1, 'a level that is none');
select is(pg_temp.append('p2', '{}'), 0, 'a line about another node''s pod is dropped');
select is(pg_temp.append('p1', jsonb_build_object('seq', 4, 'message', repeat('ä', 20000))), 1, 'a long line');
select is(pg_temp.append('p1', line), 0, format('%s is dropped', line))
  from unnest(array['{"seq": -1}', '{"seq": "5"}', '{"seq": 1.5}', '{"time": "noon-ish"}', '{"time": 5}', '{"stream": "stdin"}', '{"message": 5}', '{"message": null}', '{"run": -1}', '{"run": "1"}', '{"pod_id": "x"}', '{"pod_id": null}',
    '{"pod_id": "00000000-0000-0000-0000-000000000000"}']::jsonb[]) line;
select is(stark.append_pod_logs(tests.node('n1'), 1, '[1, "x", null, []]'), 0, 'and so is what is no line');
select is(tests.code_of($$select stark.append_pod_logs(tests.node('n1'), 1, '{}')$$), 'INVALID_ARGUMENT', 'lines must be a list');
select is(tests.code_of($$select stark.append_pod_logs(tests.node('n1'), null, '[]')$$), 'INVALID_ARGUMENT', 'from an incarnation');
select is(tests.code_of(format('select stark.append_pod_logs(tests.node(''n1''), 1, %L)', (select jsonb_agg(i) from generate_series(1, 5001) i))), 'LIMIT_EXCEEDED', 'at most 5000');
select is(tests.code_of($$select stark.append_pod_logs(tests.node('n1'), 2, '[]')$$), 'STALE_INCARNATION', 'the latest');

select tests.sign_in('uma');
select results_eq('select seq, stream, level, run, octet_length(message) from stark.pod_logs order by seq',
  $$values (1::bigint, 'stdout', null::text, 0, 5), (2, 'stderr', 'error', 1, 5), (3, 'platform', null, 0, 5), (4, 'stdout', null, 0, 16384)$$, 'who made the pod reads its lines, a long one cut at 16 kB');
select is((select right(message, 1) from stark.pod_logs where seq = 4), 'ä', 'and not inside a character');
select tests.sign_in(who), is(tests.count_of('select from stark.pod_logs'), n, format('%s reads %s lines', who, n)) from (values ('udo', 0::bigint), ('none', 0), ('pub', 0), ('nod', 0), ('vic', 4), ('ada', 4)) t (who, n);
select tests.sign_in('vic');
select is(tests.code_of($$insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message) values (gen_random_uuid(), 1, now(), 'default', 'stdout', 'x')$$), '42501', 'nobody writes lines');
select is(tests.code_of('select from stark_internal.pod_logs_default'), '42501', 'nor reads a partition');
select tests.sign_in_as('anon');
select is(tests.code_of('select from stark.pod_logs'), '42501', 'anon reads nothing');

-- Bounded where it is written, by lines and by bytes
select tests.sign_out();
update stark.cluster_config set max_log_lines_per_pod = 100 where true;
create function pg_temp.flood(p_from integer, p_lines integer, p_bytes integer) returns integer language sql as $$
  select stark.append_pod_logs(tests.node('n1'), 1, (
    select jsonb_agg(jsonb_build_object('pod_id', tests.pod('p1'), 'seq', i, 'time', '2026-01-01T00:00:00Z', 'stream', 'stdout', 'message', repeat('x', p_bytes)))
    from generate_series(p_from, p_from + p_lines - 1) i)) $$;
create function pg_temp.kept(out lines bigint, out oldest bigint, out newest bigint, out bytes bigint) language sql security definer as $$
  select count(*), min(seq), max(seq), sum(octet_length(message)) from stark.pod_logs where pod_id = tests.pod('p1') $$;
select tests.sign_in('nod');
select is(pg_temp.flood(1000, 120, 1), 120, 'more lines than are kept, and a quarter of that more at most');
select is((pg_temp.kept()).lines, 124::bigint, 'stand until the hourly trim');
select is(pg_temp.flood(1120, 2, 1), 2, 'two lines more');
select is(pg_temp.kept(), (100::bigint, 1022::bigint, 1121::bigint, 100::bigint)::record, 'and only the newest are left');
select is(pg_temp.flood(2000, 5000, 1), 5000, 'a call of as many lines as a call may have');
select is((pg_temp.kept()).lines, 100::bigint, 'leaves no more than before');
select tests.sign_out();
update stark.cluster_config set max_log_lines_per_pod = 1000000 where true;
select tests.sign_in('nod');
select is(pg_temp.flood(10000 + 225 * i, 225, 16384), 225, 'long lines, nearly 4 MB in a call') from generate_series(0, 3) i;
select cmp_ok((pg_temp.kept()).bytes, '<=', 10485760::bigint, 'leaves 10 MB');
select is((pg_temp.kept()).newest, 10899::bigint, 'of the newest');
select pg_temp.flood(20000 + 100 * i, 100, 16384) from generate_series(1, 13) i;
select cmp_ok((pg_temp.kept()).bytes, '<=', 13107200::bigint, 'and however many calls there are, a quarter more');
select tests.sign_out();
select results_eq('select s.lines, s.bytes from stark_internal.pod_log_sizes s', 'select lines, bytes from pg_temp.kept()', 'as it is counted');
update stark.cluster_config set max_log_lines_per_pod = 10000 where true;
delete from stark.pod_logs where seq > 4;

-- Following
select tests.sign_out();
create temporary view sent as
  select (select n.name from stark.nodes n where m.topic = 'stark:node:' || n.id) as node, m.private, m.payload
  from realtime.messages m where m.event = 'logs.follow';
grant select on sent to authenticated;
select tests.sign_in(who), is(tests.code_of('select stark.follow_logs(tests.pod(''p1''))'), code, format('%s: %s', who, code))
  from (values ('udo', 'POD_NOT_FOUND'), ('none', 'POD_NOT_FOUND'), ('pub', 'POD_NOT_FOUND')) t (who, code);
select tests.sign_in_as('anon');
select is(tests.code_of('select stark.follow_logs(gen_random_uuid())'), '42501', 'anon follows nothing');
select tests.sign_in('vic');
select is(tests.code_of('select stark.follow_logs(gen_random_uuid())'), 'POD_NOT_FOUND', 'a pod that is not there');
select is(tests.code_of('select stark.follow_logs(null)'), 'POD_NOT_FOUND', 'nor is none');
select tests.sign_out();
select is(tests.count_of('select from sent'), 0::bigint, 'none of which reaches an agent');
select tests.sign_in(who), is(stark.follow_logs(tests.pod('p1')), jsonb_build_object('topic', 'stark:pod:' || tests.pod('p1'), 'seconds', 45, 'status', 'scheduled'), format('%s may follow', who))
  from (values ('uma'), ('vic'), ('ada')) t (who);
select tests.sign_out();
select results_eq('select distinct node, private, payload from sent',
  $$values ('n1', true, jsonb_build_object('pod_id', tests.pod('p1'), 'seconds', 45, 'topic', 'stark:pod:' || tests.pod('p1')))$$, 'and the pod''s node is told');
update stark.pods set status = 'stopped', finished_at = now() where name = 'p2';
select is(stark.follow_logs(tests.pod('p2')) ->> 'status', 'stopped', 'of a pod that has ended');
select is(tests.count_of('select from sent'), 3::bigint, 'no node is told');

delete from stark.pods where name = 'p1';
select is(tests.count_of('select from stark.pod_logs'), 0::bigint, 'the lines go with their pod');

select * from finish();
rollback;
