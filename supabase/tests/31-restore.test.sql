-- A database that was restored to an earlier time, copied, or moved to another server: agents are ahead of it, and so are readers of
-- events. Nothing that was given out in the lost time is given out again. And one that was away for days.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('nod', 'node');
select tests.let_read_nodes('uma');
select tests.add_pack('open', 'uma', 'public');

create temporary table agents (name text primary key, node_id uuid, incarnation bigint, secret text);
grant all on agents to public;
create function pg_temp.connect(p_name text, p_installation uuid default null) returns bigint language plpgsql as $$
declare
  v jsonb;
begin
  perform tests.sign_in('nod');
  v := stark.node_sync((stark.register_node(p_name, 'node', p_installation => p_installation) ->> 'node_id')::uuid);
  perform tests.sign_out();
  insert into agents values (p_name, (v ->> 'node_id')::uuid, (v ->> 'incarnation')::bigint, v ->> 'secret')
    on conflict (name) do update set incarnation = excluded.incarnation, secret = excluded.secret;
  return (v ->> 'incarnation')::bigint;
end $$;
/** The next statements come from a session that has not looked yet, as every session has after a restore. */
create function pg_temp.new_session() returns void language sql as $$ select set_config('stark.restore_checked', '', false) $$;
create function pg_temp.node(p_name text) returns text language sql as $$ select concat_ws(' ', status, status_reason, incarnation) from stark.nodes where name = p_name $$;
create function pg_temp.sync(p_name text, p_incarnation bigint) returns text language plpgsql as $$
begin
  perform tests.sign_in('nod');
  return tests.code_of(format('select stark.node_sync(%L, %s)', tests.node(p_name), p_incarnation));
end $$;

select is(pg_temp.connect('n1', '00000000-0000-4000-8000-00000000000a'), 1::bigint, 'a node connects');
select is(pg_temp.connect('n2'), 1::bigint, 'and another');
select tests.sign_in('uma');
select is(tests.make_pods('{"pack": "open", "name": "p1", "spec": {"nodeName": "n1"}}'), 1::bigint, 'a pod on one');
select is(tests.make_pods('{"pack": "open", "name": "p2", "spec": {"nodeName": "n2"}}'), 1::bigint, 'and on the other');
select tests.sign_in('nod');
select is(tests.report('n1', 'p1', 'running'), 'accepted', 'it runs');
select tests.sign_out();
create temporary table before as
  select (select id from stark_internal.database_identity) as id, (select seq from stark_internal.event_heads where topic = '*') as head;
grant select on before to public;
select pg_temp.new_session();
select lives_ok('select stark_internal.lock_cluster()', 'another session looks');
select is((select id from stark_internal.database_identity), (select id from before), 'and this is still the same database');

-- Restored: the server writes another timeline than was noted.
update stark_internal.database_identity set timeline = timeline - 1;
select pg_temp.new_session();
select is(pg_temp.sync('n1', 3), 'STALE_INCARNATION', 'an agent that is ahead of the database has to connect anew');
select is(pg_temp.sync('n1', 1), 'STALE_INCARNATION', 'and so has one that is where the database is: its number was given out again meanwhile, for all that is known');
select tests.sign_out();
select lives_ok('select stark_internal.call_watcher()', 'pg_cron is the first whose work is kept');
select isnt((select id from stark_internal.database_identity), (select id from before), 'the database has another name');
select is((select count(*) from stark_internal.node_secrets), 0::bigint, 'no sign of life of earlier counts');
select is(pg_temp.node('n1'), 'unhealthy DatabaseRestored 10001', 'a node that was connected is waited for');
select is((select status from stark.pods where name = 'p1'), 'running', 'and so are its pods');
select is((select watched from stark_internal.node_watch), '{}'::tstzmultirange, 'nobody has watched yet, so nobody is silent');
select is((select min(seq) > 1000000000 from stark.events e, before b where e.seq > b.head), true, 'events go on behind every number that was given out');
select is(stark_internal.reap_nodes(), 0, 'nobody is given up');
create temporary table restored as select id, (select incarnation from stark.nodes where name = 'n2') as incarnation from stark_internal.database_identity;
grant select on restored to public;
select pg_temp.new_session();
select lives_ok('select stark_internal.lock_cluster()', 'the next session');
select results_eq('select id from stark_internal.database_identity', 'select id from restored', 'begins nothing anew');
select is(pg_temp.node('n2'), 'unhealthy DatabaseRestored 10001', 'again');

-- The agents
select tests.sign_in('nod');
select is(tests.code_of(format($$select stark.report_pods(%L, 3, '[]')$$, tests.node('n1'))), 'STALE_INCARNATION', 'reports of the lost time wait');
select is(pg_temp.connect('n1', '00000000-0000-4000-8000-00000000000b'), 10002::bigint, 'an agent that was started again meanwhile, twice or more, is not taken for another one');
select is(pg_temp.node('n1'), 'healthy 10002', 'it is back');
select tests.sign_in('nod');
select results_eq($$select p ->> 'name', p ->> 'wanted' from jsonb_array_elements(stark.node_sync(tests.node('n1'), 10002) -> 'pods') p$$, $$values ('p1', 'running')$$,
  'it is told to run what the database knows, so that it stops the others');
select results_eq($$select r ->> 'accepted', r ->> 'code' from jsonb_array_elements(stark.report_pods(tests.node('n1'), 10002,
    jsonb_build_array('{"pod_id": "00000000-0000-4000-8000-00000000dead", "status": "succeeded"}'::jsonb, jsonb_build_object('pod_id', tests.pod('p1'), 'status', 'running')))) r$$,
  $$values ('false', 'POD_NOT_FOUND'), ('true', null)$$, 'what it has to say of a pod that the database has lost is refused for good, and holds up nothing');
select is(tests.report('n1', 'p1', 'succeeded'), 'accepted', 'that a pod ended in the lost time is news');
select tests.sign_out();
select is((select count(*) from stark_internal.node_secrets), 1::bigint, 'signs of life count again');

-- One that does not come back
update stark.node_leases set renewed_at = now() - interval '1 day' where node_id = tests.node('n2');
select tests.sign_in_as('service_role');
select lives_ok($$select stark.watch_nodes('[]', now() - interval '29 seconds', now())$$, 'it was looked for for 29 seconds');
select tests.sign_out();
select is(pg_temp.node('n2'), 'unhealthy DatabaseRestored 10001', 'which is not long enough');
select tests.sign_in_as('service_role');
select lives_ok($$select stark.watch_nodes('[]', now() - interval '31 seconds', now())$$, 'and for 31');
select tests.sign_out();
select is(pg_temp.node('n2'), 'offline HeartbeatTimeout 10002', 'it is given up');
select is((select status from stark.pods where name = 'p2'), 'evicted', 'and its pod evicted');

-- A copy, such as a preview branch with data, calls nobody's watcher under the other's name.
select tests.sign_in_as('service_role');
select is(stark.is_this_database((select id from before)), false, 'calls from the database that this one was made of are known for what they are');
select is(stark.is_this_database((select id from restored)), true, 'and its own too');
select is(stark.is_this_database(null), false, 'a call that says nothing is none of its own');
select tests.sign_out();

-- By hand, after tables were filled from a dump
select lives_ok('select stark_internal.reset_after_restore()', 'an administrator may say that the database was restored');
select is(pg_temp.node('n1'), 'unhealthy DatabaseRestored 20002', 'which is the same');

-- Paused for ten days, and woken
select is(pg_temp.connect('n1'), 20003::bigint, 'connected before the pause');
update stark.node_leases set renewed_at = now() - interval '10 days';
update stark_internal.node_watch set watched = tstzmultirange(tstzrange(now() - interval '10 days 1 hour', now() - interval '10 days')), called_at = now() - interval '10 days';
select is(stark_internal.reap_nodes(), 0, 'nobody watched for ten days, so nobody is given up when the project wakes');
select is(pg_temp.node('n1'), 'healthy 20003', 'the node is where it was');
select is(pg_temp.sync('n1', 20003), 'ok', 'and its agent goes on, in the same incarnation');
select tests.sign_out();
update stark.node_leases set renewed_at = now() - interval '10 days';
select tests.sign_in_as('service_role');
select lives_ok($$select stark.watch_nodes('[]', now() - interval '31 seconds', now())$$, 'one whose machine is gone is given up once somebody has watched');
select tests.sign_out();
select is(pg_temp.node('n1'), 'offline HeartbeatTimeout 20004', 'for its time of silence');
select lives_ok($$select stark_internal.run_maintenance(now() + interval '10 days')$$, 'the first hourly run makes the days that are missing');
select is((select count(*) from pg_class where relname = 'events_' || to_char((now() + interval '10 days') at time zone 'UTC', 'YYYY_MM_DD')), 1::bigint, 'today''s among them');

select * from finish();
rollback;
