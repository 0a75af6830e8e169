-- Histories: what happened to each pod and node, also to those that are gone, for those who may read the events.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('none');
select tests.add_pack('open', 'uma', 'public');
select tests.sign_in('uma');
select stark.register_node('n1', 'node', '{"zone": "a"}', '[{"key": "t", "effect": "PreferNoSchedule"}]', '{"pods": 3}');
select stark.node_sync(tests.node('n1'));
select set_config('request.headers', '{"x-correlation-id": "abc"}', true);
select stark.cordon_node('n1');
select set_config('request.headers', '', true);
select stark.uncordon_node('n1');

-- Nodes
select results_eq('select type, node_id, node_name, status, unschedulable, incarnation, resource_version, actor, origin, correlation_id from stark.node_history order by seq',
  $$select v.type, tests.node('n1')::text, 'n1', v.status, v.unschedulable, v.incarnation, v.version, tests.uid('uma'), 'api', v.correlation_id from (values
    ('node.created', 'unknown', false, 0::bigint, 1::bigint, null), ('node.updated', 'healthy', false, 1, 2, null), ('node.updated', 'healthy', true, 1, 3, 'abc'), ('node.updated', 'healthy', false, 1, 4, null)
  ) v (type, status, unschedulable, incarnation, version, correlation_id)$$, 'each change of a node, who did it and at whose request');
select results_eq('select labels, taints, allocatable -> ''pods'' from stark.node_history order by seq limit 1', $$values ('{"zone": "a"}'::jsonb, '[{"key": "t", "effect": "PreferNoSchedule"}]'::jsonb, '3'::jsonb)$$, 'with its description at the time');

-- Pods
select tests.make_pods('{"pack": "open", "name": "p"}');
select results_eq($$select type, status, node_name, version, origin from stark.pod_history where pod_name = 'p' order by seq$$, $$values ('pod.created', 'scheduled', 'n1', '1.0.0', 'api')$$, 'a pod is made where it is placed');
select is(tests.count_of($$select from stark.node_history$$), 4::bigint, 'and none of the node, whose sums alone have changed');
create temporary table before as select tests.pod('p')::text as pod, tests.node('n1')::text as node;
select tests.sign_out();
grant select on before to public;
select tests.sign_in('uma');
select stark.delete_node('n1', true);
select stark.delete_pods(array[tests.pod('p')]);
select results_eq('select h.status, h.status_reason, h.type from stark.pod_history h, before b where h.pod_id = b.pod order by h.seq desc limit 2',
  $$values ('evicted', 'NodeDeleted', 'pod.deleted'), ('evicted', 'NodeDeleted', 'pod.updated')$$, 'what is gone keeps its history, with the reason');
select results_eq('select h.type, h.node_name from stark.node_history h, before b where h.node_id = b.node order by h.seq desc limit 1', $$values ('node.deleted', 'n1')$$, 'a node too');

-- Readers
select tests.sign_in('udo');
select is(tests.count_of('select from stark.node_history') + tests.count_of('select from stark.pod_history'), 0::bigint, 'another user reads neither');
select tests.sign_in('none');
select is(tests.count_of('select from stark.node_history') + tests.count_of('select from stark.pod_history'), 0::bigint, 'nor who has no role');
select tests.sign_in('vic');
select cmp_ok(tests.count_of('select from stark.node_history'), '>', 4::bigint, 'a viewer reads all of nodes');
select cmp_ok(tests.count_of('select from stark.pod_history'), '>', 2::bigint, 'and of pods');
select tests.sign_in_as('anon');
select is(tests.code_of('select from stark.node_history'), '42501', 'nobody signed in reads nothing');

select * from finish();
rollback;
