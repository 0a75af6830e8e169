-- Eviction: taints NoExecute, tolerationSeconds, and nodes that are offline.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'uma'), tests.add_node('n2', 'uma');

select is(stark_internal.tolerated_until(tolerations::jsonb, '{"key": "k", "value": "v", "effect": "NoExecute"}', '2026-01-01Z'), until::timestamptz, format('tolerations %s', tolerations)) from (values
  (null, '2026-01-01Z'), ('[]', '2026-01-01Z'), ('[{"key": "other", "operator": "Exists"}]', '2026-01-01Z'), ('[{"operator": "Exists"}]', 'infinity'), ('[{"key": "k", "value": "v"}]', 'infinity'),
  ('[{"key": "k", "value": "w"}]', '2026-01-01Z'), ('[{"key": "k", "operator": "Exists", "effect": "NoSchedule"}]', '2026-01-01Z'), ('[{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]', '2026-01-01 00:01Z'),
  ('[{"key": "k", "operator": "Exists", "tolerationSeconds": 60}, {"operator": "Exists"}]', '2026-01-01 00:01Z'), ('[{"operator": "Exists"}, {"key": "k", "operator": "Exists", "tolerationSeconds": 60}]', 'infinity'),
  ('[{"operator": "Exists", "tolerationSeconds": 0}]', '2026-01-01Z'), ('[{"operator": "Exists", "tolerationSeconds": -5}]', '2026-01-01Z'), ('[{"operator": "Exists", "tolerationSeconds": 1e300}]', '2057-09-09 01:46:40Z')) t (tolerations, until);

create function pg_temp.pods() returns text language sql as $$ select string_agg(concat_ws(' ', name, status, status_reason), ', ' order by name) from stark.pods $$;
select tests.sign_in('uma');
select stark.create_pods('[{"pack": "open", "name": "plain", "spec": {"nodeName": "n1"}},
  {"pack": "open", "name": "hardy", "spec": {"nodeName": "n1", "tolerations": [{"key": "sick", "operator": "Exists"}]}},
  {"pack": "open", "name": "minute", "spec": {"nodeName": "n1", "tolerations": [{"key": "sick", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}, {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]}}]');
select is(pg_temp.pods(), 'hardy scheduled, minute scheduled, plain scheduled', 'three pods on a node');

-- A taint on a node that works
select ok((stark.update_node('n1', p_taints => '[{"key": "sick", "value": "yes", "effect": "NoExecute"}]')).name = 'n1', 'it gets a taint NoExecute');
select is(pg_temp.pods(), 'hardy scheduled, minute scheduled, plain stopping TaintNoExecute', 'who does not tolerate it is asked to stop at once');
select is((select status_message from stark.pods where name = 'plain'), 'node n1 has taint sick=yes:NoExecute', 'and is told why');
select tests.sign_out();
select is(stark_internal.evict_pods(now() + interval '59 seconds'), 0, 'who tolerates it for a minute stays for one');
select is(stark_internal.evict_pods(now() + interval '60 seconds'), 1, 'and not longer');
select is(pg_temp.pods(), 'hardy scheduled, minute stopping TaintNoExecute, plain stopping TaintNoExecute', 'who tolerates it stays');
select is(stark_internal.evict_pods(now() + interval '1 day'), 0, 'again changes nothing');
select is((select jsonb_array_length(payload -> 'pods') from realtime.messages where event = 'pods.stop' and topic = 'stark:node:' || tests.node('n1') limit 1), 1, 'the agent is told');
select tests.sign_in('uma');
select ok((stark.update_node('n1', p_taints => '[{"key": "sick", "effect": "NoExecute", "remove": true}]')).taints = '[]', 'the taint goes');
select tests.sign_out();
select is((select count(*) from stark_internal.evicting_taints), 0::bigint, 'and is forgotten');

-- An offline node
update stark.nodes set status = 'offline' where name = 'n1';
select is(pg_temp.pods(), 'hardy evicted NodeOffline, minute evicted NodeOffline, plain evicted NodeOffline', 'on an offline node pods are evicted at once, also those that were stopping');
select results_eq($$select allocated from stark.nodes where name = 'n1'$$, $$values ('{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}'::jsonb)$$, 'their room is free');
select tests.sign_in('uma');
select stark.create_pods('[{"pack": "open", "name": "later", "spec": {"nodeName": "n1", "tolerations": [{"operator": "Exists"}]}}]');
select is((select status from stark.pods where name = 'later'), 'pending', 'nothing is placed there, tolerant or not');
select tests.sign_out();
update stark.nodes set status = 'healthy' where name = 'n1';
select is((select status from stark.pods where name = 'later'), 'scheduled', 'until it is back');
select tests.sign_in('uma');
select stark.create_pods('[{"pack": "open", "name": "patient", "spec": {"nodeName": "n1", "tolerations": [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]}}]');
select tests.sign_out();
update stark.nodes set status = 'offline' where name = 'n1';
select is(stark_internal.evict_pods(now() + interval '299 seconds'), 0, 'Kubernetes'' own toleration of an unreachable node works');
select is(stark_internal.evict_pods(now() + interval '300 seconds'), 1, 'with its seconds');

-- Eviction makes room, and what waits for it elsewhere is served
select tests.sign_in('uma');
select stark.create_pods('[{"pack": "open", "name": "big", "spec": {"nodeName": "n2", "resources": {"requests": {"cpu": 1000}}}}, {"pack": "open", "name": "next", "priority": 50, "spec": {"nodeName": "n2", "tolerations": [{"operator": "Exists"}], "resources": {"requests": {"cpu": 1000}}}}]');
select is((select string_agg(status, ' ' order by name) from stark.pods where name in ('big', 'next')), 'scheduled pending', 'one has the room, one waits');
select ok((stark.update_node('n2', p_taints => '[{"key": "sick", "effect": "NoExecute"}]')).name = 'n2', 'the first must go');
select is(tests.report('n2', 'big', 'stopped'), 'accepted', 'and has gone');
select is((select string_agg(status || coalesce(' ' || status_reason, ''), ', ' order by name) from stark.pods where name in ('big', 'next')), 'stopped TaintNoExecute, scheduled', 'the other has its room');
select tests.sign_out();

select * from finish();
rollback;
