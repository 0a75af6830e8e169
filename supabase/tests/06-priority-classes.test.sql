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
select tests.sign_in('uma');
select is(tests.code_of($$select stark.update_priority_class('batch', p_description => 'mine')$$), 'FORBIDDEN', 'a user changes none');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.update_priority_class(%s)', args)), code, format('%s: %s', code, left(args, 60))) from (values
  ($$'nothing', true$$, 'PRIORITY_CLASS_NOT_FOUND'), ('null', 'PRIORITY_CLASS_NOT_FOUND'), ($$'system-node-critical', true$$, 'PRIORITY_CLASS_RESERVED'), ($$'default', p_description => 'x'$$, 'PRIORITY_CLASS_RESERVED'),
  ($$'default', false$$, 'INVALID_ARGUMENT'), ($$'batch', p_description => repeat('x', 2001)$$, 'INVALID_ARGUMENT'), ($$'batch', p_if_version => 99$$, 'CONFLICT')) t (args, code);
select results_eq($$select description, global_default, value, resource_version from stark.update_priority_class('batch', p_description => 'for the night', p_if_version => 1)$$, $$values ('for the night', true, 5, 2::bigint)$$, 'what it is for can change');
select is((stark.update_priority_class('batch')).resource_version, 2::bigint, 'nothing named, nothing changed');
select is((stark.update_priority_class('high-priority', true)).global_default, true, 'a built-in one can be the default');
select set_eq('select name from stark.priority_classes where global_default', array['high-priority'], 'and then no other is');
select is((stark.update_priority_class('high-priority', false)).global_default, false, 'when it is that no longer');
select set_eq('select name from stark.priority_classes where global_default', array['default'], 'the built-in default is');
select is((stark.update_priority_class('batch', true)).global_default, true, 'an own one again');
select is((stark.delete_priority_class('batch')).name, 'batch', 'another goes');
select set_eq('select name from stark.priority_classes where global_default', array['default'], 'and the built-in is the default again');
select tests.sign_out();
select is(tests.code_of($$update stark.pods set priority = 1001 where name = 'low'$$), '23514', 'no class, no priority above 1000, for every writer');
select results_eq($$select type, actor, object_id from stark.events where kind = 'priority_class' and type <> 'priority_class.updated' order by seq$$,
  $$values ('priority_class.created', tests.uid('ada'), 'batch'), ('priority_class.deleted', tests.uid('ada'), 'batch')$$, 'each change is an event');

select * from finish();
rollback;
