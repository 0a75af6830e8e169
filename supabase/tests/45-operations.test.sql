-- What people do to what exists: nodes patched, cordoned, drained, deleted; packs withdrawn, opened, deleted; pods rolled back.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer');
select tests.add_pack('open', 'uma', 'public'), tests.add_pack('open', 'uma', 'public', 'node', '1.9.0'), tests.add_pack('open', 'uma', 'public', 'node', '1.10.0'), tests.add_pack('mine', 'uma');
select tests.add_node('n1', 'uma', p_labels => '{"zone": "a", "disk": "ssd"}', p_taints => '[{"key": "t", "value": "1", "effect": "PreferNoSchedule"}]');

-- Patching
select tests.sign_in('op');
select is(tests.code_of(format('select stark.update_node(%s)', args)), code, format('%s: %s', code, left(args, 60))) from (values
  ($$'nowhere'$$, 'NODE_NOT_FOUND'), ('null', 'NODE_NOT_FOUND'), ($$''';drop'$$, 'NODE_NOT_FOUND'), ($$'n1', '[]'$$, 'INVALID_ARGUMENT'), ($$'n1', null$$, 'INVALID_ARGUMENT'), ($$'n1', '{"a": 1}'$$, 'INVALID_LABELS'),
  ($$'n1', (select jsonb_object_agg('k' || i, repeat('x', 60)) from generate_series(1, 20000) i)$$, 'LIMIT_EXCEEDED'), ($$'n1', p_taints => '{}'$$, 'INVALID_TAINTS'), ($$'n1', p_taints => '[{"key": "a"}]'$$, 'INVALID_TAINTS'),
  ($$'n1', p_taints => '[5]'$$, 'INVALID_TAINTS'), ($$'n1', p_allocatable => '{"gpu": 1}'$$, 'INVALID_ARGUMENT'), ($$'n1', p_allocatable => '{"cpu": 1.0}'$$, 'INVALID_ARGUMENT'), ($$'n1', p_capabilities => '5'$$, 'INVALID_ARGUMENT'),
  ($$'n1', p_if_version => 99$$, 'CONFLICT')) t (args, code);
select results_eq($$select labels, taints, allocatable -> 'cpu', resource_version from stark.update_node('n1', '{"zone": "b", "disk": null}', '[{"key": "t", "effect": "PreferNoSchedule", "remove": true}, {"key": "gpu", "value": "x", "effect": "PreferNoSchedule"}]', '{"cpu": 500}', p_if_version => 1)$$,
  $$values ('{"zone": "b"}'::jsonb, '[{"key": "gpu", "value": "x", "effect": "PreferNoSchedule"}]'::jsonb, '500'::jsonb, 2::bigint)$$, 'an operator patches any node');
select is((stark.update_node('n1')).resource_version, 2::bigint, 'an empty patch changes nothing');
select tests.sign_in('uma');
select is(stark.register_node('n1', 'node', '{"zone": "a", "disk": "hdd", "new": "1"}', '[{"key": "t", "value": "2", "effect": "PreferNoSchedule"}, {"key": "own", "effect": "PreferNoSchedule"}]', '{"cpu": 9000}') ->> 'name', 'n1', 'when its agent registers again');
select results_eq($$select labels, taints, allocatable -> 'cpu' from stark.nodes$$,
  $$values ('{"zone": "b", "new": "1"}'::jsonb, '[{"key": "own", "effect": "PreferNoSchedule"}, {"key": "gpu", "value": "x", "effect": "PreferNoSchedule"}]'::jsonb, '500'::jsonb)$$, 'what was set by hand stays, what the agent adds comes');

-- Cordon, drain, delete
select is(tests.code_of(format('select stark.%s', call)), 'ok', format('the owner: %s', call)) from unnest(array[$$cordon_node('n1')$$, $$cordon_node('n1')$$, $$uncordon_node('n1')$$]) call;
select tests.sign_in('udo');
select is(tests.code_of(format('select stark.%s(''n1'')', f)), 'NODE_NOT_FOUND', format('%s: another user does not even see the node', f)) from unnest(array['update_node', 'cordon_node', 'uncordon_node', 'drain_node', 'delete_node']) f;
select tests.sign_in('vic');
select is(tests.code_of(format('select stark.%s(''n1'')', f)), 'FORBIDDEN', format('%s: a viewer may not', f)) from unnest(array['update_node', 'cordon_node', 'uncordon_node', 'drain_node', 'delete_node']) f;
select tests.sign_in('udo');
select is(tests.make_pods('{"pack": "open", "name": "p", "replicas": 2}'), 2::bigint, 'two pods are placed there');
select tests.sign_in('op');
select is(tests.error_of($$select stark.delete_node('n1')$$) ->> 'message', 'node n1 has 2 pods that have not ended', 'a node with pods is not deleted');
select results_eq($$select distinct status, status_reason, finished_at is null from stark.drain_node('n1')$$, $$values ('stopping', 'NodeDrained', true)$$, 'draining asks its pods to stop, with their grace');
select ok((select unschedulable from stark.nodes where name = 'n1'), 'and cordons it');
select is(tests.count_of($$select from stark.drain_node('n1')$$), 2::bigint, 'again changes nothing');
select is((stark.delete_node('n1', true)).name, 'n1', 'force deletes it all the same');
select results_eq($$select distinct status, status_reason, node_id is null, node_name from stark.pods$$, $$values ('evicted', 'NodeDeleted', true, 'n1')$$, 'and its pods are evicted');
select tests.sign_out();
select tests.add_node('n2', 'ada');
select tests.sign_in('udo');
select is(tests.make_pods('{"pack": "open", "name": "q", "labels": {"app": "q"}, "priority": 7, "spec": {"env": {"A": "b"}, "tolerations": [{"key": "node.kubernetes.io/unreachable", "operator": "Exists"}]}}'), 1::bigint, 'a pod on another node, which would wait for it');
select tests.sign_out();
update stark.nodes set status = 'offline' where name = 'n2';
select tests.sign_in('ada');
select results_eq($$select status, status_reason from stark.drain_node('n2')$$, $$values ('evicted', 'NodeDrained')$$, 'no agent will stop the pods of an offline node: they are evicted');
select tests.sign_out();
delete from stark.pods;
update stark.nodes set status = 'healthy', unschedulable = false where name = 'n2';
select tests.sign_in('udo');
select is(tests.make_pods('{"pack": "open", "name": "q"}'), 1::bigint, 'a pod');
select tests.sign_out();
update stark.nodes set status = 'unhealthy' where name = 'n2';
select tests.sign_in('ada');
select results_eq($$select status, status_reason from stark.drain_node('n2')$$, $$values ('stopping', 'NodeDrained')$$, 'one on an unhealthy node is asked to stop: its agent may be back in a moment');
select tests.sign_out();
update stark.nodes set status = 'unknown' where name = 'n2';
select tests.sign_in('ada');
select results_eq($$select status, status_reason from stark.drain_node('n2')$$, $$values ('evicted', 'NodeDrained')$$, 'draining again when nobody knows of the agent any more evicts it');
select is(tests.count_of($$select from stark.drain_node('n2')$$), 0::bigint, 'and then the node is empty');
select is((stark.delete_node('n2')).name, 'n2', 'and can be deleted');
select tests.sign_out();
select tests.add_node('n2', 'ada');

-- Rolling back
select tests.sign_out();
delete from stark.pods;
update stark.nodes set status = 'healthy', unschedulable = false;
select tests.sign_in('udo');
select is(tests.make_pods('{"pack": "open", "name": "q", "labels": {"app": "q"}, "priority": 7, "spec": {"env": {"A": "b"}}}'), 1::bigint, 'a pod of the latest version');
select is(tests.code_of(format('select stark.roll_back_pod(%s)', args)), code, format('%s: %s', code, args)) from (values
  ($$gen_random_uuid()$$, 'POD_NOT_FOUND'), ('null', 'POD_NOT_FOUND'), ($$tests.pod('q'), '1.10.0'$$, 'INVALID_ARGUMENT'), ($$tests.pod('q'), '2.0.0'$$, 'INVALID_ARGUMENT'), ($$tests.pod('q'), '0.5.0'$$, 'VERSION_NOT_FOUND'),
  ($$tests.pod('q'), 'x'$$, 'VERSION_NOT_FOUND'), ($$tests.pod('q'), p_if_version => 99$$, 'CONFLICT')) t (args, code);
select results_eq($$select version, status, priority, labels, created_by from stark.roll_back_pod(tests.pod('q'))$$,
  $$values ('1.9.0', 'scheduled', 7, '{"app": "q"}'::jsonb, tests.uid('udo'))$$, 'the version before, in semver''s order, and all else the same');
select results_eq($$select status from stark.pods where name = 'q'$$, $$values ('stopping')$$, 'the old one stops');
select is((stark.roll_back_pod((select id from stark.pods where version = '1.9.0'), '1.0.0')).version, '1.0.0', 'a named version');
select is(tests.code_of($$select stark.roll_back_pod((select id from stark.pods where version = '1.0.0'))$$), 'VERSION_NOT_FOUND', 'nothing is before the first');
select set_eq($$select status from stark.pod_history where pod_name = 'q' and pod_id = tests.pod('q')::text$$, array['scheduled', 'stopping'], 'its history tells each step');
select tests.sign_in('uma');
select is(tests.count_of('select from stark.pod_history'), 0::bigint, 'others read nothing of it');
select is(tests.code_of($$select stark.roll_back_pod(tests.pod('q'))$$), 'POD_NOT_FOUND', 'nor roll it back');

-- Packs
select is((stark.withdraw_pack_version('open', '1.10.0')).state, 'withdrawn', 'the owner withdraws a version');
select is(tests.code_of($$select stark.withdraw_pack_version('open', '1.10.0')$$), 'ok', 'again changes nothing');
select results_eq($$select latest_version from stark.packs where name = 'open'$$, $$values ('1.9.0')$$, 'the latest is another then');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "version": "1.10.0"}]')$$), 'VERSION_NOT_READY', 'no new pod gets it');
select is(tests.code_of($$select stark.withdraw_pack_version('open', '9.0.0')$$), 'VERSION_NOT_FOUND', 'an unknown version');
select is(tests.code_of($$select stark.update_pack('open', 'secret')$$), 'INVALID_ARGUMENT', 'an unknown visibility');
select is(tests.code_of($$select stark.update_pack('open', p_description => repeat('x', 2001))$$), 'INVALID_ARGUMENT', 'a long description');
select is(tests.code_of($$select stark.update_pack('mine', 'public', p_if_version => 99)$$), 'CONFLICT', 'a stale revision');
select is((stark.update_pack('mine', 'public', 'words')).visibility, 'public', 'it becomes public');
select is(tests.error_of($$select stark.delete_pack('open')$$) ->> 'message', 'pack open has 3 pods that have not ended', 'a pack with pods stays');
select tests.sign_in('udo');
select is(tests.code_of(format('select stark.%s', call)), 'FORBIDDEN', format('not the owner: %s', call)) from unnest(array[$$withdraw_pack_version('mine', '1.0.0')$$, $$update_pack('mine', 'private')$$, $$delete_pack('mine')$$]) call;
select is(tests.code_of($$select stark.delete_pack('nothing')$$), 'PACK_NOT_FOUND', 'an unknown pack');
select tests.sign_in('uma');
select is((stark.delete_pack('mine')).name, 'mine', 'one without goes');
select is(tests.count_of($$select from stark.pack_versions where pack_name = 'mine'$$), 0::bigint, 'with its versions');
select is(tests.code_of($$select stark.delete_pack('open', 99)$$), 'CONFLICT', 'a stale revision is refused');
select tests.sign_out();
update stark.pods set status = 'stopping' where finished_at is null;
update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping';
select tests.sign_in('uma');
select is((stark.delete_pack('open')).name, 'open', 'one whose pods have all ended goes');
select tests.sign_in('ada');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'with those pods');
select cmp_ok(tests.count_of($$select from stark.pod_history where pod_name = 'q' and type = 'pod.deleted'$$), '>', 0::bigint, 'whose history stays');

select * from finish();
rollback;
