-- Priority classes: the built-in ones, own ones, the global default, and what pods get from them.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('op', 'operator');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'ada', p_allocatable => '{"cpu": 100000, "memory": 100000, "storage": 10240, "pods": 100}');

select tests.sign_in('uma');
select results_eq('select name, value, global_default from stark.priority_classes order by value desc',
  $$values ('system-node-critical', 2000001000, false), ('system-cluster-critical', 2000000000, false), ('high-priority', 1000, false), ('default', 100, true), ('low-priority', 10, false)$$, 'five are built in');
select is(tests.code_of(format('select stark.create_pods(%L)', jsonb_build_array('{"pack": "open"}'::jsonb || item))), code, format('%s: %s', code, item)) from (values
  ('{"spec": {"priorityClassName": "nothing"}}'::jsonb, 'PRIORITY_CLASS_NOT_FOUND'), ('{"spec": {"priorityClassName": 5}}', 'INVALID_SPEC'), ('{"spec": {"priorityClassName": "system-node-critical"}}', 'FORBIDDEN'),
  ('{"priority": 5, "spec": {"priorityClassName": "low-priority"}}', 'INVALID_ARGUMENT'), ('{"name": "low", "spec": {"priorityClassName": "low-priority"}}', 'ok')) t (item, code);
select results_eq($$select priority from stark.pods where name = 'low'$$, 'values (10)', 'a pod has its class''s priority');
select is(tests.code_of($$select stark.create_priority_class('mine', 5)$$), 'FORBIDDEN', 'a user makes no classes');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.create_priority_class(%s)', args)), code, format('%s: %s', code, args)) from (values
  ($$'A', 5$$, 'INVALID_NAME'), ($$'system-x', 5$$, 'INVALID_NAME'), ($$'x', 1001$$, 'INVALID_ARGUMENT'), ($$'x', null$$, 'INVALID_ARGUMENT'), ($$'x', -1$$, 'INVALID_ARGUMENT'),
  ($$'x', 5, false, 'Sometimes'$$, 'INVALID_ARGUMENT'), ($$'default', 5$$, 'PRIORITY_CLASS_EXISTS'), ($$'batch', 5, true, 'Never'$$, 'ok')) t (args, code);
select results_eq($$select priority, spec ->> 'preemptionPolicy' from stark.create_pods('[{"pack": "open"}]')$$, $$values (5, 'Never')$$, 'the global default and its policy are taken');
select results_eq($$select priority from stark.create_pods('[{"pack": "open", "namespace": "stark-system", "spec": {"priorityClassName": "system-node-critical"}}]')$$, 'values (2000001000)', 'an admin may use the system''s classes');
select is(tests.code_of($$select stark.delete_priority_class('default')$$), 'PRIORITY_CLASS_RESERVED', 'a built-in stays');
select is(tests.code_of($$select stark.delete_priority_class('nothing')$$), 'PRIORITY_CLASS_NOT_FOUND', 'an unknown one');
select is((stark.delete_priority_class('batch')).name, 'batch', 'another goes');
select set_eq('select name from stark.priority_classes where global_default', array['default'], 'and the built-in is the default again');
select tests.sign_out();
select is(tests.code_of($$update stark.pods set priority = 1001 where name = 'low'$$), '23514', 'no class, no priority above 1000, whoever writes');

select * from finish();
rollback;
