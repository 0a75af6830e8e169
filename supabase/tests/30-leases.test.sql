-- Leases: who is alive is compared with the watcher's report; secrets; what happens to a node that is given up and comes back.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('nod', 'node'), tests.add_user('vic', 'viewer');
select tests.let_read_nodes('uma');
select tests.add_pack('open', 'uma', 'public');

create function pg_temp.at(p_seconds double precision) returns timestamptz language sql as $$ select now() - interval '1 hour' + make_interval(secs => p_seconds) $$;
create temporary table agents (name text primary key, node_id uuid, incarnation bigint, secret text);
grant all on agents to public;
create function pg_temp.connect(p_name text) returns bigint language plpgsql as $$
declare
  v jsonb;
begin
  perform tests.sign_in('nod');
  v := stark.node_sync((stark.register_node(p_name, 'node') ->> 'node_id')::uuid);
  perform tests.sign_out();
  insert into agents values (p_name, (v ->> 'node_id')::uuid, (v ->> 'incarnation')::bigint, v ->> 'secret')
    on conflict (name) do update set incarnation = excluded.incarnation, secret = excluded.secret;
  update stark.node_leases set renewed_at = pg_temp.at(0) where node_id = (v ->> 'node_id')::uuid;
  return (v ->> 'incarnation')::bigint;
end $$;
create function pg_temp.observation(p_name text, p_sign text, p_more jsonb default '{}') returns jsonb language sql as $$
  select jsonb_build_object('node_id', a.node_id, 'incarnation', a.incarnation, 'secret', a.secret, 'sign', p_sign) || p_more from agents a where a.name = p_name $$;
/** One report of a watcher that has watched from p_since to p_at. */
create function pg_temp.report(p_since double precision, p_at double precision, variadic p_observations jsonb[] default '{}') returns jsonb language plpgsql as $$
declare
  v jsonb;
begin
  perform tests.sign_in_as('service_role');
  v := stark.watch_nodes(to_jsonb(p_observations), pg_temp.at(p_since), pg_temp.at(p_at));
  perform tests.sign_out();
  return v;
end $$;
create function pg_temp.node(p_name text) returns text language sql as $$ select concat_ws(' ', status, status_reason, incarnation) from stark.nodes where name = p_name $$;
create function pg_temp.seen(p_name text) returns double precision language sql as $$
  select round(extract(epoch from l.renewed_at - pg_temp.at(0)))::double precision from stark.node_leases l join stark.nodes n on n.id = l.node_id where n.name = p_name $$;

-- Who may speak for the watcher
select tests.sign_in('ada');
select is(tests.code_of($$select stark.watch_nodes('[]', now(), now())$$), '42501', 'not even an admin speaks for the watcher');
select tests.sign_in_as('anon');
select is(tests.code_of($$select stark.watch_nodes('[]', now(), now())$$), '42501', 'nor does nobody');
select tests.sign_out();

-- Renewing
select is(pg_temp.connect('n1'), 1::bigint, 'a node connects');
select is(pg_temp.connect('n2'), 1::bigint, 'and another');
select is(pg_temp.report(0, 5, pg_temp.observation('n1', 'heartbeat', '{"usage": {"cpu": 7}}')), '{"wants_presence_list": false}', 'under fast nobody needs to be named again and again');
select is(pg_temp.seen('n1'), 5::double precision, 'a heartbeat renews the lease');
select is((select usage from stark.node_leases where node_id = tests.node('n1')), '{"cpu": 7}', 'and brings the usage');
select is(pg_temp.seen('n2'), 0::double precision, 'of nobody else');
select is(pg_temp.report(0, 8, pg_temp.observation('n1', 'present')) is null or pg_temp.seen('n1') = 5, true, 'presence alone is no sign under fast');
select lives_ok(format($$select pg_temp.report(0, 9, pg_temp.observation('n1', 'heartbeat', %L))$$, lie), format('an observation with %s is taken', lie)) from unnest(array['{"secret": "x"}', '{"incarnation": 2}', '{"node_id": "00000000-0000-4000-8000-000000000000"}', '{"secret": null}']) lie;
select is(pg_temp.seen('n1'), 5::double precision, 'and renews nothing');
select lives_ok($$select pg_temp.report(0, 9, pg_temp.observation('n1', 'heartbeat', jsonb_build_object('secret', (select secret from agents where name = 'n2'))))$$, 'one with the secret of another node');
select is(pg_temp.seen('n1'), 5::double precision, 'renews nothing either');

-- The socket closed
select lives_ok($$select pg_temp.report(0, 10, pg_temp.observation('n1', 'gone', '{"secret": "x"}'))$$, 'somebody who tracked the key of another node leaves');
select is(pg_temp.node('n1'), 'healthy 1', 'which says nothing about the node');
select lives_ok($$select pg_temp.report(0, 10, pg_temp.observation('n1', 'gone'))$$, 'the node itself leaves');
select is(pg_temp.node('n1'), 'unhealthy ConnectionLost 1', 'it is unhealthy at once');
select lives_ok($$select pg_temp.report(0, 11, pg_temp.observation('n1', 'present'))$$, 'it is back');
select is(pg_temp.node('n1'), 'healthy 1', 'and healthy');

-- Nobody watched
select is(stark_internal.reap_nodes(), 0, 'an hour without a sign, and only eleven seconds of it watched: nobody is dead');
select lives_ok($$select pg_temp.report(1000, 1029)$$, 'a watcher begins to watch');
select is(pg_temp.node('n1'), 'healthy 1', 'what was before it came does not count');
select lives_ok($$select pg_temp.report(1029.5, 1030)$$, 'another begins before the first has said that it is still there');
select is((select count(*) from stark_internal.silent_nodes() s where s.silence > interval '1 second'), 0::bigint, 'as if there were a gap');
select lives_ok($$select pg_temp.report(1000, 1030)$$, 'which it says now');
select results_eq($$select distinct s.silence from stark_internal.silent_nodes() s$$, $$values (interval '30 seconds')$$, 'the time of both is one');
select is(pg_temp.node('n1'), 'healthy 1', 'and not long enough yet');

-- Offline
select tests.sign_in('uma');
select is(tests.make_pods('{"pack": "open", "name": "p1", "spec": {"nodeName": "n1"}}'), 1::bigint, 'a pod on the node');
select is(tests.make_pods('{"pack": "open", "name": "p2", "spec": {"nodeName": "n1", "tolerations": [{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}]}}'), 1::bigint, 'and one that waits for it');
select tests.sign_out();
select is((select count(*) from realtime.messages where event = 'sync'), 4::bigint, 'nodes that have been silent for long are asked for a sign with each report');
select lives_ok($$select pg_temp.report(1028, 1031, pg_temp.observation('n2', 'heartbeat'))$$, 'thirty-one seconds watched');
select is(pg_temp.node('n1'), 'offline HeartbeatTimeout 2', 'the silent node is offline, and its incarnation over');
select is(pg_temp.node('n2'), 'healthy 1', 'the other is not');
select results_eq($$select name, status, status_reason, status_message from stark.pods order by name$$,
  $$values ('p1', 'evicted', 'NodeOffline', 'node n1 is offline'), ('p2', 'scheduled', null, null)$$, 'its pods are evicted, but those that tolerate it');
select results_eq($$select allocated -> 'pods' from stark.nodes where name = 'n1'$$, $$values ('1'::jsonb)$$, 'the room they had is free');

-- Coming back
select lives_ok($$select pg_temp.report(1028, 1032, pg_temp.observation('n1', 'heartbeat'))$$, 'it thaws, and its old self is heard');
select is(pg_temp.node('n1'), 'offline HeartbeatTimeout 2', 'in vain');
select tests.sign_in('nod');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'), 1)$$), 'STALE_INCARNATION', 'the incarnation that was given up asks in vain');
select is(tests.code_of($$select stark.report_pods(tests.node('n1'), 1, '[]')$$), 'STALE_INCARNATION', 'and reports in vain');
select tests.sign_out();
select is(pg_temp.connect('n1'), 3::bigint, 'it connects anew');
select is(pg_temp.node('n1'), 'healthy 3', 'and is healthy');
select tests.sign_in('nod');
select results_eq($$select p ->> 'name' from jsonb_array_elements(stark.node_sync(tests.node('n1'), 3) -> 'pods') p$$, $$values ('p2')$$, 'with what is still its own');
select tests.sign_out();
update stark.node_leases set renewed_at = pg_temp.at(0);

-- Thrifty
create temporary table rung as select count(*) as n from realtime.messages where event = 'sync';
select is((select n from rung), 5::bigint, 'the node that was given up was told as well, if it can still hear');
select tests.sign_in('ada');
select is((stark.update_cluster_config('{"liveness": "thrifty"}')).liveness, 'thrifty', 'an admin makes it thrifty');
select is(tests.code_of(format('select stark.update_cluster_config(%L)', bad)), 'INVALID_ARGUMENT', format('not %s', bad)) from unnest(array['{"liveness": "slow"}', '{"liveness": 5}', '{"heartbeat_interval": -1}', '{"heartbeat_timeout": 4000}', '{"heartbeat_timeout": "30"}', '{"liveness": "fast", "heartbeat_interval": 60}']) bad;
select tests.sign_out();
select is((select count(*) from realtime.messages where event = 'sync') - (select n from rung), 2::bigint, 'its agents are told to ask');
select is(pg_temp.connect('n2'), 2::bigint, 'one asks');
select is(pg_temp.report(1100, 1101), '{"wants_presence_list": true}', 'the watcher is to name all who are present');
select lives_ok($$select pg_temp.report(1100, 1130, pg_temp.observation('n2', 'present'))$$, 'it does');
select is(pg_temp.seen('n2'), 1130::double precision, 'presence is a sign');
select is(pg_temp.node('n1'), 'healthy 3', 'a node is held to what it was told: n1, which was told 30 seconds, has 1 left');
select lives_ok($$select pg_temp.report(1100, 1131), pg_temp.report(1100, 1140, pg_temp.observation('n2', 'gone'))$$, 'later');
select is(pg_temp.node('n1'), 'offline HeartbeatTimeout 4', 'they are over');
select is(pg_temp.node('n2'), 'unhealthy ConnectionLost 2', 'n2 is away');
select lives_ok($$select pg_temp.report(1100, 1145)$$, 'for fifteen seconds');
select is(pg_temp.node('n2'), 'unhealthy ConnectionLost 2', 'not yet more');
select lives_ok($$select pg_temp.report(1100, 1146)$$, 'now it is');
select is(pg_temp.node('n2'), 'offline HeartbeatTimeout 3', 'given up');

-- A watcher's clock
select lives_ok($$select pg_temp.report(1140, 999999)$$, 'a watcher whose clock is ahead');
select is((select upper(watched) from stark_internal.node_watch), now(), 'is not believed beyond the present');

-- Calling one
select is(stark_internal.call_watcher(), false, 'nobody is connected: no watcher is called');
select is(pg_temp.connect('n2'), 4::bigint, 'somebody connects');
select is(stark_internal.call_watcher(), false, 'without the secrets in Vault none can be');
select vault.create_secret('http://stark.test/', 'project_url'), vault.create_secret('sb_secret_x', 'secret_key');
select is(stark_internal.call_watcher(), true, 'with them one is');
select results_eq($$select method::text, url, headers ->> 'apikey', convert_from(body, 'UTF8')::jsonb from net.http_request_queue$$,
  $$select 'POST', 'http://stark.test/functions/v1/watch', 'sb_secret_x', jsonb_build_object('database', id) from stark_internal.database_identity$$, 'by the function''s address, with the key and this database''s name');
select is(pg_temp.connect('n2'), 5::bigint, 'who connects now');
select is((select count(*) from net.http_request_queue), 1::bigint, 'does not call another');
update stark_internal.node_watch set watched = tstzmultirange(tstzrange(null, now() - interval '11 seconds')), called_at = now() - interval '11 seconds';
select is(pg_temp.connect('n2'), 6::bigint, 'who connects while nobody watches');
select is((select count(*) from net.http_request_queue), 2::bigint, 'does');

-- Postgres has just started
create temporary table told as select count(*) as n from realtime.messages where event = 'sync';
select lives_ok($$select stark_internal.request_sync_after_start(pg_postmaster_start_time() + interval '2 minutes')$$, 'two minutes after Postgres was started');
select is((select count(*) from realtime.messages where event = 'sync'), (select n from told), 'nobody is rung');
select lives_ok($$select stark_internal.request_sync_after_start(pg_postmaster_start_time() + interval '20 seconds')$$, 'twenty seconds after it');
select is((select count(*) from realtime.messages where event = 'sync') - (select n from told),
  (select count(*) from stark.nodes where status in ('healthy', 'unhealthy')), 'everybody is who is connected, since commands may have been lost');

select * from finish();
rollback;
