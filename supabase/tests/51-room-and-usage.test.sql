-- What nodes have left, and who takes what, each caller's own view of it.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer');
select tests.add_pack('open', 'ada', 'public');
select tests.sign_in('uma');
select stark.register_node('n1', 'node', p_allocatable => '{"cpu": 1000, "memory": 1000, "storage": 50, "pods": 5}');
select stark.node_sync(tests.node('n1'));
select tests.make_pods('{"pack": "open", "name": "a", "spec": {"resources": {"requests": {"cpu": 300, "memory": 400, "storage": 20}}}}');

select results_eq('select name, free_cpu, free_memory, free_storage, free_pods from stark.node_room',
  $$values ('n1', 700::bigint, 600::bigint, 30::bigint, 4::bigint)$$, 'a placed pod takes its requests and a place');
select stark.update_node('n1', p_allocatable => '{"cpu": 200}');
select is((select free_cpu from stark.node_room), -100::bigint, 'a node that was made smaller owes');
select tests.sign_in('udo');
select is(tests.count_of('select from stark.node_room'), 0::bigint, 'another user sees no room on it');

select tests.make_pods('{"pack": "open", "name": "b", "replicas": 2, "spec": {"resources": {"requests": {"cpu": 10000, "memory": 1}}}}');
select results_eq('select namespace, email, pods, cpu, memory, storage from stark.namespace_usage',
  $$values ('default', 'udo@example.com', 2::bigint, 20000::bigint, 2::bigint, 0::bigint)$$, 'users see what they take, waiting pods included');
select tests.sign_in('ada');
select results_eq('select email, pods, cpu from stark.namespace_usage order by email',
  $$values ('udo@example.com', 2::bigint, 20000::bigint), ('uma@example.com', 1::bigint, 300::bigint)$$, 'an admin sees who takes what');
select tests.sign_in('vic');
select results_eq('select user_id, email, pods from stark.namespace_usage order by pods',
  $$values (tests.uid('uma'), null::text, 1::bigint), (tests.uid('udo'), null, 2)$$, 'a viewer sees how much, and no addresses');
select tests.sign_in('uma');
select stark.stop_pods(array[tests.pod('a')]);
select tests.report('n1', 'a', 'stopped');
select is(tests.count_of('select from stark.namespace_usage'), 0::bigint, 'what has ended takes nothing');
select is((select free_pods from stark.node_room), 5::bigint, 'and leaves its place');
select tests.sign_out();

select tests.sign_in_as('anon');
select is(tests.code_of('select from stark.node_room'), '42501', 'nobody signed in sees no room');
select is(tests.code_of('select from stark.namespace_usage'), '42501', 'and no usage');
select * from finish();
rollback;
