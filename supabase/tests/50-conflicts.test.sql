-- Concurrent edits: the last one wins and a warning says so; or it is refused, when the caller says which revision was seen.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('bob', 'admin'), tests.add_user('uma', 'user'), tests.add_user('vic', 'viewer');
select tests.add_pack('open', 'uma', 'public'), tests.add_pack('open', 'uma', 'public', 'node', '1.1.0');
select tests.add_node('n1', 'uma', p_labels => '{"zone": "a"}');
create temporary view warnings with (security_invoker = true) as select e.* from stark.events e where e.type like '%.conflict';
grant select on warnings to public;
create function pg_temp.forget() returns void language sql security definer as $$ update stark.events set type = replace(type, 'conflict', 'past') where true; update stark_internal.recent_edits set edited_at = edited_at - interval '11 seconds' where true $$;
create function pg_temp.as(p_user text, p_call text) returns text language plpgsql as $$
begin
  perform tests.sign_in(p_user);
  return tests.code_of('select stark.' || p_call);
end $$;

-- The paths that differ
select is(stark_internal.changed_fields(before::jsonb, after::jsonb, fields), paths, format('%s -> %s: %s', before, after, paths)) from (values
  ('{"a": 1}', '{"a": 1}', '{}'::text[], '{}'::text[]), ('{"a": 1, "b": 2}', '{"a": 2, "b": 3}', '{}', '{a,b}'), ('{"a": 1, "b": 2}', '{"a": 2, "b": 3}', '{b}', '{b}'),
  ('{"labels": {"x": "1"}}', '{"labels": {"x": "1", "y": "2"}}', '{}', '{labels.y}'), ('{"labels": {"x": "1"}}', '{"labels": {}}', '{}', '{labels.x}'), ('{"o": {"p": {"q": 1}}}', '{"o": {"p": {"q": null}}}', '{o}', '{o.p.q}'),
  ('{"l": [1, 2]}', '{"l": [2, 1]}', '{}', '{l}'), ('{"resource_version": 1, "updated_at": "x"}', '{"resource_version": 2, "updated_at": "y"}', '{}', '{}')) t (before, after, fields, paths);

-- Two who change the same
select is(pg_temp.as('ada', $$update_node('n1', '{"zone": "b"}')$$), 'ok', 'one sets a label');
select is(pg_temp.as('ada', $$update_node('n1', '{"zone": "c"}')$$), 'ok', 'and again');
select is(tests.count_of('select from warnings'), 0::bigint, 'nobody overwrites themselves');
select is(pg_temp.as('bob', $$update_node('n1', '{"disk": "ssd"}')$$), 'ok', 'another sets another label');
select is(pg_temp.as('bob', $$cordon_node('n1')$$), 'ok', 'and cordons');
select is(tests.count_of('select from warnings'), 0::bigint, 'which is no conflict');
select set_config('request.headers', '{"x-correlation-id": "abc"}', true);
select is(pg_temp.as('bob', $$update_node('n1', '{"zone": "d"}', p_allocatable => '{"cpu": 500}')$$), 'ok', 'then the same label, blindly');
select set_config('request.headers', '', true);
select results_eq('select w.type, w.origin, w.actor, w.object_id, w.correlation_id, w.details -> ''fields'', w.object = to_jsonb(n) from warnings w, stark.nodes n',
  $$values ('node.conflict', 'api', tests.uid('bob'), tests.node('n1')::text, 'abc', '["labels.zone"]'::jsonb, true)$$, 'the last one wins, and a warning says in what, with the whole new state');
select results_eq('select (o ->> ''actor'')::uuid, (o ->> ''time'')::timestamptz between clock_timestamp() - interval ''10 seconds'' and clock_timestamp() from warnings w, jsonb_array_elements(w.details -> ''overwrote'') o',
  $$values (tests.uid('ada'), true)$$, 'and over whose change');
select is((select w.seq from warnings w), (select max(seq) from stark.events), 'after the change itself');
select is(pg_temp.as('bob', $$update_node('n1', '{"zone": "d2"}')$$), 'ok', 'changing it once more');
select is(tests.count_of('select from warnings'), 1::bigint, 'overwrites only what is his own by now');
select is((select max(seq) - min(seq) + 1 from stark.events), (select count(*) from stark.events), 'in the same numbers');
select is(tests.count_of($$select from stark.events where details is not null$$), 1::bigint, 'other events have no details');
select tests.sign_out();
select is((select count(*) from realtime.messages m, jsonb_array_elements(m.payload -> 'events') e where e ->> 'type' = 'node.conflict' and m.topic = 'stark:cluster' and e #>> '{details,fields,0}' = 'labels.zone'), 1::bigint, 'and is broadcast like all others');
select tests.sign_in('uma');
select is(tests.count_of('select from warnings'), 1::bigint, 'the node''s owner reads it');
select is(tests.count_of('select from stark.node_history where type = ''node.conflict'''), 1::bigint, 'in the node''s history');
select tests.sign_in('vic');
select is(tests.count_of('select from warnings'), 1::bigint, 'and so does a viewer');

-- Not blind, not at the same time, not by hand
select tests.sign_out();
select pg_temp.forget();
select is(pg_temp.as('ada', $$update_node('n1', '{"zone": "e"}')$$), 'ok', 'a change');
select is(pg_temp.as('bob', $$update_node('n1', '{"zone": "f"}', p_if_version => 1)$$), 'CONFLICT', 'a stale revision is refused');
select is(pg_temp.as('bob', format($$update_node('n1', '{"zone": "f"}', p_if_version => %s)$$, (select resource_version from stark.nodes))), 'ok', 'the present one is not');
select is(tests.count_of('select from warnings'), 0::bigint, 'and who has seen what they overwrite is not warned of');
select is(pg_temp.as('ada', $$update_node('n1', '{"zone": "f"}')$$), 'ok', 'setting what is so already');
select is(tests.count_of('select from warnings'), 0::bigint, 'overwrites nothing');
select is(pg_temp.as('ada', $$uncordon_node('n1')$$), 'ok', 'a cordon of an hour ago');
select is(tests.count_of('select from warnings'), 0::bigint, 'is taken back without a warning');
select is(pg_temp.as('bob', $$cordon_node('n1')$$), 'ok', 'but not one of just now');
select results_eq('select actor, details -> ''fields'' from warnings', $$values (tests.uid('bob'), '["unschedulable"]'::jsonb)$$, 'which is a conflict');
select tests.sign_out();
select pg_temp.forget();
select is(pg_temp.as('ada', $$update_node('n1', '{"zone": "g"}')$$), 'ok', 'a change by the API');
select tests.sign_out();
update stark.nodes set labels = '{"zone": "h"}', overrides = jsonb_set(overrides, '{labels,zone}', '"h"');
select is(tests.count_of('select from warnings'), 0::bigint, 'who writes the table knows what they do');
select tests.sign_in('uma');
select stark.node_sync(tests.node('n1'));
select is(tests.count_of('select from warnings'), 0::bigint, 'and an agent that connects overwrites nobody');

-- Every kind that people edit
select tests.sign_out();
select pg_temp.forget();
select is(pg_temp.as('ada', call), 'ok', 'ada: ' || call) from unnest(array[$$update_namespace('default', p_quota => '{"pods": 50}')$$, $$update_pack('open', p_description => 'x')$$, $$update_cluster_config('{"scheduling_policy": "bin_pack", "scheduling_seed": 1}')$$, $$create_priority_class('batch', 5)$$, $$update_priority_class('batch', p_description => 'x')$$]) call;
select is(pg_temp.as('bob', call), 'ok', 'bob: ' || call) from unnest(array[$$update_namespace('default', p_quota => '{"pods": 60, "cpu": 100000}')$$, $$update_pack('open', p_description => 'y')$$, $$update_cluster_config('{"scheduling_policy": "random", "scheduling_seed": 1, "default_cpu_request": 9}')$$, $$update_priority_class('batch', p_description => 'y')$$]) call;
select results_eq('select type, namespace, details -> ''fields'' from warnings order by seq', $$values ('namespace.conflict', 'default', '["quota.pods"]'::jsonb), ('pack.conflict', null, '["description"]'), ('cluster_config.conflict', null, '["scheduling_policy"]'), ('priority_class.conflict', null, '["description"]')$$, 'warns in the same way');
select tests.sign_out();
select pg_temp.forget();
select is(pg_temp.as('ada', $$update_pack('open', 'private', 'z')$$), 'ok', 'one changes two fields');
select is(pg_temp.as('bob', $$update_pack('open', 'public')$$), 'ok', 'a second one of them');
select is(pg_temp.as('uma', $$update_pack('open', 'private', 'a')$$), 'ok', 'a third both');
select results_eq('select actor, details -> ''fields'', (select array_agg((o ->> ''actor'')::uuid order by o ->> ''actor'') from jsonb_array_elements(details -> ''overwrote'') o) from warnings order by seq',
  $$select v.actor, v.fields, v.overwrote from (values (1, tests.uid('bob'), '["visibility"]'::jsonb, array[tests.uid('ada')]), (2, tests.uid('uma'), '["description", "visibility"]', (select array_agg(u order by u::text) from unnest(array[tests.uid('ada'), tests.uid('bob')]) u))) v (n, actor, fields, overwrote) order by v.n$$, 'and each is told of');
select tests.sign_out();
select pg_temp.forget();
select is(pg_temp.as('uma', $$update_pack('open', 'public')$$), 'ok', 'after ten seconds');
select is(tests.count_of('select from warnings'), 0::bigint, 'the same is a change like any other');
select tests.sign_out();
select is(tests.count_of('select from stark_internal.recent_edits'), 1::bigint, 'and what is past is forgotten');

select is(pg_temp.as('uma', format('update_node(''n1'', p_capabilities => %L)', (select jsonb_object_agg('c' || n, jsonb_build_object(string_agg, n)) from (values (1), (2)) n (n), (select string_agg(md5(i::text), '') from generate_series(1, 200) i) s))), 'ok', 'a path longer than an index takes is no trouble');
select tests.sign_out();
select is(tests.count_of($$select from stark_internal.recent_edits where length(field) > 400$$), 2::bigint, 'and remembered');

-- Revisions where one object is named
select tests.sign_in('uma');
select stark.uncordon_node('n1');
select tests.make_pods('{"pack": "open", "name": "p"}'), tests.make_pods('{"pack": "open", "name": "q"}');
select is(pg_temp.as('uma', format(call, tests.pod('p'), tests.pod('q'))), code, format('%s: %s', code, call)) from (values
  ('stop_pods(array[%L]::uuid[], 99)', 'CONFLICT'), ('stop_pods(array[%L, %L]::uuid[], 2)', 'INVALID_ARGUMENT'), ('delete_pods(array[%L]::uuid[], 99)', 'CONFLICT'), ('delete_pods(array[%L, %L]::uuid[], 2)', 'INVALID_ARGUMENT'),
  ('roll_back_pod(%L, null, 99)', 'CONFLICT'), ('delete_pack(''open'', 99)', 'CONFLICT')) t (call, code);
select is(tests.error_of(format('select stark.stop_pods(array[%L]::uuid[], 99)', tests.pod('p'))) ->> 'message', format('pod p is at revision %s, you saw 99', (select resource_version from stark.pods where name = 'p')), 'with both numbers');
select is(tests.count_of('select from stark.pods where stop_requested_at is null'), 2::bigint, 'none of it stopped a pod');
select is(pg_temp.as('uma', format('stop_pods(array[%L]::uuid[], %s)', tests.pod('p'), (select resource_version from stark.pods where name = 'p'))), 'ok', 'the present revision is fine');
select is(pg_temp.as('uma', format('roll_back_pod(%L)', tests.pod('p'))), 'CONFLICT', 'a pod that is being stopped is not rolled back as well');
select is(pg_temp.as('ada', $$delete_priority_class('batch', 99)$$), 'CONFLICT', 'a priority class likewise');
select is(pg_temp.as('ada', $$update_priority_class('batch', true, p_if_version => 99)$$), 'CONFLICT', 'also when changed');
select is(pg_temp.as('ada', format($$delete_priority_class('batch', %s)$$, (select resource_version from stark.priority_classes where name = 'batch'))), 'ok', 'with its present revision it goes');

select * from finish();
rollback;
