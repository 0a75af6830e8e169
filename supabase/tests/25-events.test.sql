-- Events: one for each change, in order, without gaps, with who and why; broadcast where they belong; read by those who may.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('pub', 'viewer', 'stark-public'), tests.add_user('none');
create temporary table mark (seq bigint);
grant all on mark to public;
insert into mark select coalesce(max(seq), 0) from stark.events;
create temporary view news with (security_invoker = true) as select e.* from stark.events e, mark where e.seq > mark.seq;
grant select on news to public;
create function pg_temp.forget() returns void language sql security definer as $$ update mark set seq = (select coalesce(max(seq), 0) from stark.events) where true $$;

-- Nodes are compared column by column: none may be forgotten.
select is_empty($$select a.attname from pg_catalog.pg_attribute a, pg_catalog.pg_proc f
  where a.attrelid = 'stark.nodes'::regclass and a.attnum > 0 and not a.attisdropped and a.attname not in ('id', 'allocated', 'resource_version')
    and f.oid = 'stark_internal.write_node_updates'::regproc and not (f.prosrc ~ ('\mo\.' || a.attname || '\M') and f.prosrc ~ ('\mn\.' || a.attname || '\M'))$$,
  'a change of any column of a node is an event');

-- What is written
select set_config('request.headers', '{"x-correlation-id": "abc-123", "user-agent": "x"}', true);
select tests.sign_in('uma');
select stark.register_pack_version('alpha', '1.0.0', 'node', p_visibility => 'public', p_size_bytes => 10, p_sha256 => repeat('a', 64));
select stark.register_node('n1', 'node');
select tests.sign_out();
select results_eq('select type, kind, origin, namespace, actor, correlation_id, version from news order by seq',
  $$values ('pack.created', 'pack', 'api', null::text, tests.uid('uma'), 'abc-123', 1), ('pack_version.created', 'pack_version', 'api', null, tests.uid('uma'), 'abc-123', 1), ('node.created', 'node', 'api', null, tests.uid('uma'), 'abc-123', 1)$$,
  'a change leaves an event with type, who, from where, and the request''s correlation id');
select is((select object from news where kind = 'node'), (select to_jsonb(n) from stark.nodes n), 'and the whole new state');
select is((select object_id from news where kind = 'node'), tests.node('n1')::text, 'named by its id');
select set_config('request.headers', jsonb_build_object('x-correlation-id', repeat('x', 500))::text, true);
select pg_temp.forget();
update stark.pack_versions set state = 'ready', ready_at = now();
update stark.packs set latest_version = '1.0.0';
select is((select max(length(correlation_id)) from news), 128, 'a long correlation id is cut');
select set_config('request.headers', '', true);
select pg_temp.forget();
update stark.nodes set status = 'healthy';
select results_eq('select type, origin, actor, correlation_id from news', $$values ('node.updated', 'system', null::uuid, null::text)$$, 'a change from inside is of the system and of nobody');

-- Pods and the scheduler
select pg_temp.forget();
select tests.sign_in('uma');
select tests.make_pods('{"pack": "alpha", "name": "p", "replicas": 3}');
select tests.sign_out();
select results_eq('select type, origin, namespace, actor, count(*), count(distinct object_id) from news group by 1, 2, 3, 4 order by min(seq)',
  $$values ('pod.created', 'api', 'default', tests.uid('uma'), 3::bigint, 3::bigint)$$,
  'each pod has one event for being made and placed; the node''s sums have none');
select is_empty($$select from news where object ->> 'status' <> 'scheduled' or object ->> 'node_name' is null$$, 'which says where it is');
select pg_temp.forget();
update stark.nodes set unschedulable = true;
select tests.sign_in('uma');
select tests.make_pods('{"pack": "alpha", "name": "late"}');
select tests.sign_out();
update stark.nodes set unschedulable = false;
select results_eq($$select type, origin, object ->> 'status' from news where kind = 'pod' order by seq$$,
  $$values ('pod.created', 'api', 'pending'), ('pod.updated', 'scheduler', 'scheduled')$$, 'one that has to wait has another, of the scheduler, when it is placed');
select is((select max(seq) - min(seq) + 1 from stark.events), (select count(*) from stark.events), 'numbers have no gaps');
select is((select seq from stark_internal.event_heads where topic = '*'), (select max(seq) from stark.events), 'and the counter stands at the last');
select is((select object from news where type = 'pod.updated' order by seq desc limit 1), (select to_jsonb(p) from stark.pods p where p.id::text = (select object_id from news where type = 'pod.updated' order by seq desc limit 1)), 'the last event of an object is its present state');
delete from stark.pods where name = 'late';
select pg_temp.forget();
update stark.pods set name = 'nobody' where name = 'not-there';
delete from stark.pods where name = 'not-there';
select is(tests.count_of('select from news'), 0::bigint, 'a statement that changes nothing leaves no event');
savepoint before;
update stark.nodes set labels = '{"a": "b"}';
rollback to savepoint before;
update stark.nodes set labels = '{"a": "c"}';
select is((select max(seq) from stark.events), (select seq + 1 from mark), 'what is rolled back leaves no gap');
select pg_temp.forget();
delete from stark.pods;
select results_eq('select type, count(*) from news group by 1', $$values ('pod.deleted', 3::bigint)$$, 'removing leaves the last state');
insert into stark.namespaces (name) values ('extra');
select results_eq($$select type, namespace, object_id from news where kind = 'namespace'$$, $$values ('namespace.created', 'extra', 'extra')$$, 'a namespace''s event is in the namespace');

-- Broadcast
create temporary view sent as select m.topic, m.event, m.private, m.payload from realtime.messages m where m.event = 'events';
select is((select bool_and(private) from sent), true, 'events are broadcast in private');
select set_eq('select distinct topic from sent', array['stark:cluster', 'stark:namespace:default', 'stark:namespace:extra'], 'on the topics of the cluster and of their namespaces');
select is((select array_agg((e ->> 'seq')::bigint order by (e ->> 'seq')::bigint) from sent, jsonb_array_elements(payload -> 'events') e), (select array_agg(seq order by seq) from stark.events where kind not in ('role_binding', 'user')), 'each event once, but for those about users');
select is((select count(*) from sent, jsonb_array_elements(payload -> 'events') e where topic <> coalesce('stark:namespace:' || (e ->> 'namespace'), 'stark:cluster')), 0::bigint, 'and only where it belongs');
select is((select max(jsonb_array_length(payload -> 'events')) from sent), 3, 'those of one statement in one message');
select is((select e from sent, jsonb_array_elements(payload -> 'events') e order by (e ->> 'seq')::bigint desc limit 1), (select to_jsonb(e) from stark.events e order by seq desc limit 1), 'as they stand in the table');
select is_empty($$with b as (
    select topic, (payload ->> 'previous_seq')::bigint as previous, (select max((e ->> 'seq')::bigint) from jsonb_array_elements(payload -> 'events') e) as last from sent)
  select * from b where previous <> coalesce((select max(x.last) from b x where x.topic = b.topic and x.last < b.last), 0)$$, 'each message names the number before it on its topic, so that a client sees a gap');
update stark.nodes set allocatable = '{"cpu": 100000, "memory": 100000, "storage": 0, "pods": 100}';
select tests.make_pods(jsonb_build_object('pack', 'alpha', 'name', 'big', 'replicas', 30, 'spec', jsonb_build_object('affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', 1, 'preference', jsonb_build_object('matchExpressions', jsonb_build_array(jsonb_build_object('key', 'x', 'operator', 'In', 'values', (select jsonb_agg(repeat('x', 58) || i) from generate_series(1, 220) i)))))))))));
select cmp_ok((select sum(octet_length(payload::text)) from sent), '>', 400000::bigint, 'much has happened');
select cmp_ok((select max(octet_length(payload::text)) from sent), '<', 256000, 'no message is larger than the free plan takes');
select is((select count(*) from sent, jsonb_array_elements(payload -> 'events') e where e #>> '{object,name}' like 'big-%' and e ->> 'type' = 'pod.created'), 30::bigint, 'and none is left out');
delete from stark.pods;

-- Who reads them
select set_config('tests.about_users', count(*)::text, true) from stark.events where kind = 'role_binding';
select tests.sign_in('udo');
select tests.make_pods('{"pack": "alpha", "name": "udos"}'), tests.make_pods('{"pack": "alpha", "name": "udos"}') where false;
select tests.make_pods('{"pack": "alpha", "name": "udos"}');
select set_eq('select distinct object ->> ''name'' from stark.events', array['udos'], 'a user reads what happened to own pods');
select tests.sign_in('uma');
select is(tests.count_of($$select from stark.events where object ->> 'name' = 'udos'$$), 0::bigint, 'and not to another''s');
select cmp_ok(tests.count_of($$select from stark.events where kind in ('node', 'pack')$$), '>', 0::bigint, 'but to own nodes and packs');
select tests.sign_in('vic');
select is(tests.count_of('select from stark.events') + current_setting('tests.about_users')::bigint, (select max(seq) from stark.events), 'a viewer reads all, but for who has which role');
select tests.sign_in('pub');
select is(tests.count_of('select from stark.events'), 0::bigint, 'a viewer of one namespace only what is there');
select tests.sign_in('none');
select is(tests.count_of('select from stark.events'), 0::bigint, 'who has no role nothing');
select tests.sign_in('ada');
select is(tests.code_of($$delete from stark.events$$), '42501', 'nobody removes an event, not even an admin');
select is(tests.code_of($$update stark.events set actor = null$$), '42501', 'or changes one');
select tests.sign_in_as('service_role');
select is(tests.code_of($$insert into stark.events (seq, type, origin, kind, object_id, object) values (1, 'x', 'x', 'x', 'x', '{}')$$), '42501', 'or makes one up');

select * from finish();
rollback;
