-- The configuration: one typed row, its settings, and what follows them.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('op', 'operator');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'ada', p_allocatable => '{"cpu": 100000, "memory": 100000, "storage": 10240, "pods": 100}');

select tests.sign_in('op');
select is(tests.code_of($$select stark.update_cluster_config('{}')$$), 'FORBIDDEN', 'an operator configures nothing');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.update_cluster_config(%L)', changes)), code, format('%s: %s', code, coalesce(changes, 'null'))) from (values
  (null, 'INVALID_ARGUMENT'), ('[]', 'INVALID_ARGUMENT'), ('{"name": "other"}', 'INVALID_ARGUMENT'), ('{"scheduling_policy": "best"}', 'INVALID_ARGUMENT'), ('{"scheduling_policy": null}', 'INVALID_ARGUMENT'),
  ('{"scheduling_seed": 1.5}', 'INVALID_ARGUMENT'), ('{"default_cpu_request": -1}', 'INVALID_ARGUMENT'), ('{"default_cpu_request": 1000001}', 'INVALID_ARGUMENT'), ('{"default_namespace": "nowhere"}', 'NAMESPACE_NOT_FOUND'),
  ('{"resource_version": 5}', 'INVALID_ARGUMENT'), ('{"updated_at": "2030-01-01"}', 'INVALID_ARGUMENT'), ('{"''; drop": 1}', 'INVALID_ARGUMENT'), ('{"default_namespace": 5}', 'INVALID_ARGUMENT'), ('{"default_cpu_request": "5"}', 'INVALID_ARGUMENT'),
  ('{"default_cpu_request": 99999999999}', 'INVALID_ARGUMENT'), ('{"scheduling_seed": 9223372036854775808}', 'INVALID_ARGUMENT'), ('{"default_grace_seconds": 3601}', 'INVALID_ARGUMENT'), ('{"default_grace_seconds": null}', 'INVALID_ARGUMENT'),
  ('{"max_pods_per_node": -1}', 'INVALID_ARGUMENT'), ('{"event_retention_days": 0}', 'INVALID_ARGUMENT'), ('{"log_retention_days": 3651}', 'INVALID_ARGUMENT'), ('{"max_log_lines_per_pod": 99}', 'INVALID_ARGUMENT')) t (changes, code);
select is((stark.update_cluster_config('{"default_namespace": "stark-public", "default_cpu_request": 7}', 1)).scheduling_policy, 'spread', 'what is not named stays');
select is(tests.code_of($$select stark.update_cluster_config('{}', 1)$$), 'CONFLICT', 'a stale revision is refused');
select results_eq($$select namespace, cpu_request from stark.create_pods('[{"pack": "open"}]')$$, $$values ('stark-public', 7)$$, 'pods get the new defaults');
select is(tests.error_of($$select stark.update_cluster_config('{"event_retention_days": 0}')$$) ->> 'message', 'the configuration breaks the rule that event retention days is from 1 to 3650', 'the rule is named');
select is((stark.update_cluster_config('{"scheduling_policy": "spread", "default_cpu_request": 7}')).resource_version, 2::bigint, 'what is so already changes nothing');
select is((stark.update_cluster_config('{"scheduling_seed": 9223372036854775807}')).scheduling_seed, 9223372036854775807, 'the largest seed is one');

-- Grace and the pods of a node: what is not said is the configuration's
select is((select spec -> 'terminationGracePeriodSeconds' from stark.create_pods('[{"pack": "open"}]')), '30', 'a pod that does not say has half a minute to end');
select is((stark.update_cluster_config('{"default_grace_seconds": 0, "max_pods_per_node": 5}')).default_grace_seconds, 0, 'both can be set');
select is((select spec -> 'terminationGracePeriodSeconds' from stark.create_pods('[{"pack": "open"}]')), '0', 'the next pod has that');
select is((select spec -> 'terminationGracePeriodSeconds' from stark.create_pods('[{"pack": "open", "spec": {"terminationGracePeriodSeconds": 9}}]')), '9', 'one that says keeps its own');
select is(stark.register_node('n2', 'node') ->> 'name', 'n2', 'a node that does not say');
select is(stark.register_node('n3', 'node', p_allocatable => '{"pods": 7}') ->> 'name', 'n3', 'and one that does');
select results_eq($$select name, allocatable -> 'pods' from stark.nodes where name > 'n1' order by 1$$, $$values ('n2', '5'::jsonb), ('n3', '7')$$, 'take so many pods');

-- Every writer, and who reads
select tests.sign_out();
select is(tests.code_of($$update stark.cluster_config set event_retention_days = 0$$), '23514', 'the owner of the database is held to the rules too');
select is(tests.code_of($$delete from stark.namespaces where name = 'stark-public'$$), '23503', 'a namespace with pods is not removed under them');
select tests.sign_in('uma');
select is(tests.count_of('select from stark.cluster_config'), 1::bigint, 'members read it');
select is(tests.code_of($$update stark.cluster_config set scheduling_seed = 1$$), '42501', 'and do not write the table');
select tests.sign_in('op');
select results_eq($$select type, actor, (object ->> 'default_grace_seconds')::integer from stark.events where kind = 'cluster_config' order by seq desc limit 1$$,
  $$values ('cluster_config.updated', tests.uid('ada'), 0)$$, 'each change is an event that says who');

select * from finish();
rollback;
