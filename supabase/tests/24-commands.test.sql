-- Commands: one message a node on its own topic, whatever the number of pods; and small enough for a hosted project.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'uma'), tests.add_node('n2', 'uma');
create temporary view sent as
  select (select n.name from stark.nodes n where m.topic = 'stark:node:' || n.id) as node, m.event, m.private, m.extension, m.payload
  from realtime.messages m where m.topic like 'stark:node:%';
select tests.make_pods('{"pack": "open", "name": "p", "replicas": 4, "spec": {"terminationGracePeriodSeconds": 7}}');
select results_eq('select node, event, jsonb_array_length(payload -> ''pods'') from sent order by 1', $$values ('n1', 'pods.start', 2), ('n2', 'pods.start', 2)$$, 'four pods on two nodes are two messages');
select is((select bool_and(private and extension = 'broadcast') from sent), true, 'private broadcasts');
select is((select payload #> '{pods,0}' from sent where node = 'n1'),
  (select w.item from sent s, stark_internal.wanted_pods w where s.node = 'n1' and w.pod_id::text = s.payload #>> '{pods,0,id}'),
  'a start carries the pod as a sync would');
select is((select array_agg(k order by k) from jsonb_object_keys((select payload from sent where node = 'n1')) k), array['pods'], 'in an object of their own');

select count(*) from stark.stop_pods(array(select id from stark.pods));
select results_eq($$select node, jsonb_array_length(payload -> 'pods'), payload #> '{pods,0,graceSeconds}' from sent where event = 'pods.stop' order by 1$$, $$values ('n1', 2, '7'::jsonb), ('n2', 2, '7'::jsonb)$$, 'stopping four is two messages, with their grace');
select count(*) from stark.stop_pods(array(select id from stark.pods));
select is(tests.count_of($$select from sent where event = 'pods.stop'$$), 2::bigint, 'stopping what is stopping sends nothing');
delete from stark.pods where node_id = tests.node('n1');
select results_eq($$select node, payload #> '{pods,0,graceSeconds}' from sent where event = 'pods.stop' and payload #> '{pods,0,graceSeconds}' = '0'$$, $$values ('n1', '0'::jsonb)$$, 'a row that is removed under a node is stopped there at once');
update stark.pods set status = 'stopped', finished_at = now();
delete from stark.pods;
select is(tests.count_of('select from sent'), 5::bigint, 'an ended pod that goes sends nothing');

update stark.nodes set unschedulable = true;
select tests.make_pods('{"pack": "open", "name": "w"}');
select is(tests.count_of('select from sent'), 5::bigint, 'a pod that waits sends nothing');
select count(*) from stark.delete_pods(array[tests.pod('w')]);
select is(tests.count_of('select from sent'), 5::bigint, 'nor does one that is deleted while it waits');

-- Large ones are cut into several messages
update stark.nodes set unschedulable = false, allocatable = '{"cpu": 100000, "memory": 100000, "storage": 0, "pods": 100}' where name = 'n1';
select tests.make_pods(jsonb_build_object('pack', 'open', 'name', 'big', 'replicas', 30, 'spec', jsonb_build_object('nodeName', 'n1', 'affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', 1, 'preference', jsonb_build_object('matchExpressions', jsonb_build_array(jsonb_build_object('key', 'x', 'operator', 'In', 'values', (select jsonb_agg(repeat('x', 58) || i) from generate_series(1, 220) i)))))))))));
select cmp_ok((select sum(octet_length(payload::text)) from sent), '>', 400000::bigint, 'much is to be told');
select cmp_ok((select max(octet_length(payload::text)) from sent), '<', 256000, 'no message is larger than the free plan takes');
select is((select sum(jsonb_array_length(payload -> 'pods')) from sent where node = 'n1' and event = 'pods.start' and payload #>> '{pods,0,name}' like 'big%'), 30::bigint, 'and together they carry every pod');

select * from finish();
rollback;
