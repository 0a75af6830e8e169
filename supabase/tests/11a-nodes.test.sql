-- Nodes: registering, whose they are, what a row may hold.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node'), tests.add_user('dev', 'developer');

select tests.sign_in('uma');
select is(tests.code_of(format('select stark.register_node(%s)', args)), code, format('%s: %s', code, what)) from (values
  ($$'Node 1', 'node'$$, 'INVALID_NAME', 'capital and space'), ($$null, 'node'$$, 'INVALID_NAME', 'no name'), ($$repeat('a', 254), 'node'$$, 'INVALID_NAME', 'a very long one'),
  ($$'n1', 'deno'$$, 'INVALID_RUNTIME', 'an unknown runtime'), ($$'n1', null$$, 'INVALID_RUNTIME', 'none'),
  ($$'n1', 'node', p_labels => '{"a": 1}'$$, 'INVALID_LABELS', 'a number as label'), ($$'n1', 'node', p_labels => null$$, 'INVALID_LABELS', 'null'),
  ($$'n1', 'node', p_labels => (select jsonb_object_agg('k' || i, repeat('x', 60)) from generate_series(1, 20000) i)$$, 'INVALID_LABELS', 'a megabyte of labels'),
  ($$'n1', 'node', p_taints => '[{"key": "a"}]'$$, 'INVALID_TAINTS', 'a taint without effect'), ($$'n1', 'node', p_taints => '{}'$$, 'INVALID_TAINTS', 'no list'),
  ($$'n1', 'node', p_allocatable => '{"cpu": -1}'$$, 'INVALID_ARGUMENT', 'less than nothing'), ($$'n1', 'node', p_allocatable => '{"gpu": 1}'$$, 'INVALID_ARGUMENT', 'an unknown resource'),
  ($$'n1', 'node', p_allocatable => '[]'$$, 'INVALID_ARGUMENT', 'no object'), ($$'n1', 'node', p_capabilities => '5'$$, 'INVALID_ARGUMENT', 'capabilities that are none')) t (args, code, what);
select is(tests.count_of('select from stark.nodes'), 0::bigint, 'none of it left a node');

select is(stark.register_node('n1', 'node') ->> 'name', 'n1', 'a user registers a node');
select results_eq($$select status, allocatable, allocated, incarnation, unschedulable from stark.nodes$$,
  $$values ('unknown', '{"cpu": 1000, "memory": 1024, "storage": 10240, "pods": 10}'::jsonb, '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}'::jsonb, 0::bigint, false)$$,
  'it has the default amounts and is unknown until it connects');
select is(stark.register_node('n1', 'node', '{"zone": "a"}', p_allocatable => '{"cpu": 2000}') ->> 'node_id', tests.node('n1')::text, 'registering again is the same node');
select results_eq($$select labels, allocatable -> 'cpu' from stark.nodes$$, $$values ('{"zone": "a"}'::jsonb, '2000'::jsonb)$$, 'with its new labels and amounts');
create temporary table v as select resource_version from stark.nodes;
select is(stark.register_node('n1', 'node', '{"zone": "a"}', p_allocatable => '{"cpu": 2000}') ->> 'name', 'n1', 'registering the same');
select results_eq('select resource_version from stark.nodes', 'select resource_version from v', 'changes nothing');
select is(tests.code_of($$select stark.register_node('n1', 'browser')$$), 'RUNTIME_MISMATCH', 'a node does not become a browser');
select tests.sign_in('udo');
select is(tests.code_of($$select stark.register_node('n1', 'node')$$), 'NODE_NAME_TAKEN', 'another user''s name is taken');
select is(tests.count_of('select from stark.nodes'), 0::bigint, 'though he does not see the node');
select tests.sign_in('ada');
select is(tests.code_of($$select stark.register_node('n1', 'node')$$), 'NODE_NAME_TAKEN', 'even for an admin');
select tests.sign_in('nod');
select is(tests.code_of($$select stark.register_node('n2', 'node')$$), 'ok', 'an agent''s account registers nodes');
select set_eq('select name from stark.nodes', array['n2'], 'and sees its own');
select tests.sign_in('dev');
select is(tests.code_of($$select stark.register_node('n3', 'node')$$), 'FORBIDDEN', 'a developer has no nodes');
select set_eq('select name from stark.nodes', array['n1', 'n2'], 'but sees them');
select tests.sign_in('vic');
select is(tests.code_of($$select stark.register_node('n3', 'node')$$), 'FORBIDDEN', 'a viewer has none either');
select is(tests.count_of('select from stark.nodes'), 2::bigint, 'and sees all');
select is(tests.code_of($$update stark.nodes set owner_id = tests.uid('vic')$$), '42501', 'nobody writes the table');
select is(tests.code_of($$select from stark_internal.node_secrets$$), '42501', 'nobody reads secrets');

select tests.sign_out();
select is(tests.code_of(format('update stark.nodes set %s', change)), code, format('a row refuses: %s', change)) from (values
  ('name = ''N''', '23514'), ('status = ''sleepy''', '23514'), ('runtime = ''deno''', '23514'), ('labels = ''[]''', 'INVALID_LABELS'), ('taints = ''{}''', 'INVALID_TAINTS'),
  ('allocatable = ''{"cpu": 1.5}''', 'INVALID_ARGUMENT'), ('capabilities = ''[]''', 'INVALID_ARGUMENT')) t (change, code);
select is(tests.code_of($$insert into stark.nodes (name, owner_id, runtime, allocatable, labels) values ('n9', tests.uid('uma'), 'node', '{}', '{"a": 1}')$$), 'INVALID_LABELS', 'a new row likewise');

select * from finish();
rollback;
