-- Pods: creating, naming, defaults, stopping, deleting; and the one table of allowed status steps.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer'),
  tests.add_user('pub', 'developer', 'stark-public'), tests.add_user('none');
select tests.add_pack('alpha', 'uma'), tests.add_pack('open', 'uma', 'public'), tests.add_pack('web', 'uma', 'public', 'browser'), tests.add_pack('open', 'uma', 'public', 'node', '2.0.0');
select tests.add_node('n1', 'uma');
update stark.pack_versions set state = 'withdrawn' where pack_name = 'web';
select tests.add_pack('web', 'uma', 'public', 'browser', '1.1.0');

-- Bad input
select tests.sign_in('uma');
select is(tests.code_of(format('select stark.create_pods(%L)', pods)), code, format('%s: %s', code, left(coalesce(pods, 'null'), 90))) from (values
  (null, 'INVALID_ARGUMENT'), ('[]', 'INVALID_ARGUMENT'), ('{}', 'INVALID_ARGUMENT'), ('[1]', 'INVALID_ARGUMENT'), ('[{}]', 'PACK_NOT_FOUND'),
  ('[{"pack": "nothing"}]', 'PACK_NOT_FOUND'), ('[{"pack": 5}]', 'INVALID_ARGUMENT'), ('[{"pack": "open", "replica": 3}]', 'INVALID_ARGUMENT'),
  ('[{"pack": "open", "version": "9.9.9"}]', 'VERSION_NOT_FOUND'), ('[{"pack": "open", "version": "x"}]', 'VERSION_NOT_FOUND'), ('[{"pack": "web", "version": "1.0.0"}]', 'VERSION_NOT_READY'),
  ('[{"pack": "open", "replicas": 0}]', 'INVALID_ARGUMENT'), ('[{"pack": "open", "replicas": 201}]', 'LIMIT_EXCEEDED'), ('[{"pack": "open", "replicas": 1.5}]', 'INVALID_ARGUMENT'),
  ('[{"pack": "open", "replicas": "3"}]', 'INVALID_ARGUMENT'), ('[{"pack": "open", "priority": -1}]', 'INVALID_ARGUMENT'), ('[{"pack": "open", "priority": 1001}]', 'INVALID_ARGUMENT'),
  ('[{"pack": "open", "labels": {"a": 1}}]', 'INVALID_LABELS'), ('[{"pack": "open", "spec": {"nodeSelectr": {}}}]', 'INVALID_SPEC'), ('[{"pack": "open", "spec": 5}]', 'INVALID_SPEC'),
  ('[{"pack": "open", "name": "A"}]', 'INVALID_NAME'), ('[{"pack": "open", "name": ""}]', 'INVALID_NAME'), ('[{"pack": "open", "spec": {"nodeName": "nowhere"}}]', 'NODE_NOT_FOUND'),
  ('[{"pack": "web", "spec": {"nodeName": "n1"}}]', 'RUNTIME_MISMATCH'), ('[{"pack": "open", "namespace": 5}]', 'INVALID_ARGUMENT'), ('[{"pack": "open", "namespace": "stark-system"}]', 'FORBIDDEN'),
  ('[{"pack": "open", "name": "x"}, {"pack": "open", "name": "x"}]', 'POD_NAME_TAKEN'), ('[{"pack": "open"}, {"pack": "nothing"}]', 'PACK_NOT_FOUND'),
  ('[{"pack": "''; drop table stark.pods; --"}]', 'PACK_NOT_FOUND')) t (pods, code);
select is(tests.code_of(format('select stark.create_pods(%L)', (select jsonb_agg('{"pack": "open"}'::jsonb) from generate_series(1, 51)))), 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED: 51 entries');
create function pg_temp.apart(p_kinds integer) returns jsonb language sql as $$
  select jsonb_agg(jsonb_build_object('pack', 'open', 'spec', jsonb_build_object('affinity', jsonb_build_object('podAntiAffinity', jsonb_build_object(
    'preferredDuringSchedulingIgnoredDuringExecution', e.terms)))))
  from (
    select jsonb_agg(jsonb_build_object('weight', 1, 'podAffinityTerm', jsonb_build_object(
      'topologyKey', 'zone', 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object('app', 'a' || i))))) as terms
    from generate_series(1, p_kinds) i group by i / 4) e $$;
select is(tests.code_of(format('select stark.create_pods(%L)', pg_temp.apart(25))), 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED: 25 different terms about other pods');
select is(tests.code_of(format('select stark.create_pods(%L)', pg_temp.apart(13) || (select jsonb_agg(e || '{"namespace": "stark-public"}') from jsonb_array_elements(pg_temp.apart(13)) e))),
  'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED: 13 terms in each of two namespaces');
select is(tests.code_of(format('select stark.create_pods(%L)', pg_temp.apart(24) || pg_temp.apart(24) || '[{"pack": "nothing"}]')), 'PACK_NOT_FOUND', '24 of them are not too many, however often each is asked for');
select is(tests.code_of(format('select stark.create_pods(%L)', (select jsonb_agg(jsonb_build_object('pack', 'open', 'spec', jsonb_build_object('tolerations',
  (select jsonb_agg(jsonb_build_object('key', 'key-' || i || '-' || j, 'value', repeat('v', 40))) from generate_series(1, 64) j)))) from generate_series(1, 4) i))),
  'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED: 4 pods of 64 tolerations of their own');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "replicas": 100}, {"pack": "open", "replicas": 101}]')$$), 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED: 201 pods');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'none of it left a pod: all or nothing');
select is(tests.error_of($$select stark.create_pods('[{"pack": "nothing"}]')$$) - 'headers', '{"code": "PACK_NOT_FOUND", "message": "no pack \"nothing\"", "hint": "stark pack list", "details": null, "status": 404}', 'an error names the thing and what to type');

-- Rights
create function pg_temp.try(p_who text, p_pods text) returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(format('select stark.create_pods(%L)', p_pods));
  perform tests.sign_out();
  return v;
end $$;
select is(pg_temp.try(who, pods), code, format('%s creates %s: %s', who, pods, code)) from (values
  ('vic', '[{"pack": "open"}]', 'FORBIDDEN'), ('none', '[{"pack": "open"}]', 'FORBIDDEN'), ('udo', '[{"pack": "alpha"}]', 'PACK_NOT_FOUND'), ('dev', '[{"pack": "alpha"}]', 'FORBIDDEN'),
  ('op', '[{"pack": "alpha"}]', 'FORBIDDEN'), ('pub', '[{"pack": "open"}]', 'FORBIDDEN'), ('op', '[{"pack": "open", "namespace": "nowhere"}]', 'NAMESPACE_NOT_FOUND'),
  ('pub', '[{"pack": "open", "namespace": "nowhere"}]', 'FORBIDDEN')) t (who, pods, code);
select is(pg_temp.try('pub', '[{"pack": "open", "namespace": "stark-public", "name": "in-public"}]'), 'ok', 'a role in a namespace is enough there');
select is(pg_temp.try('ada', '[{"pack": "alpha", "namespace": "stark-system", "name": "by-admin"}]'), 'ok', 'an admin runs a private pack, also in stark-system');
select is(pg_temp.try('dev', '[{"pack": "open", "name": "by-dev"}]'), 'ok', 'a developer runs a public pack');
select tests.sign_in_as('anon');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open"}]')$$), '42501', 'nobody is not even asked');
select tests.sign_out();
delete from stark.pods;

-- Names, defaults, replicas
select tests.sign_in('uma');
select results_eq($$select status, node_name, namespace, version, priority, labels, spec, cpu_request, memory_request, restarts, ready, created_by from stark.create_pods('[{"pack": "open"}]')$$,
  $$values ('scheduled', 'n1', 'default', '2.0.0', 100, '{}'::jsonb, '{"resources": {"requests": {"cpu": 100, "memory": 128}}, "terminationGracePeriodSeconds": 30}'::jsonb, 100, 128, 0, false, tests.uid('uma'))$$,
  'a pod has its defaults, the latest version, and a place at once');
select matches((select name from stark.pods limit 1), '^open-[bcdfghjklmnpqrstvwxz2456789]{5}$', 'its name is made up from the pack''s');
select results_eq($$select name, version, priority, cpu_request, memory_request from stark.create_pods('[{"pack": "open", "version": "1.0.0", "name": "mine", "priority": 0, "spec": {"resources": {"requests": {"cpu": 5}}}}]')$$,
  $$values ('mine', '1.0.0', 0, 5, 128)$$, 'what is given is kept, what is missing filled');
select is((select count(distinct name) from stark.create_pods('[{"pack": "open", "name": "many", "replicas": 5, "spec": {"resources": {"requests": {"cpu": 0, "memory": 0}}}}]') where name like 'many-_____'), 5::bigint, 'several of one name get endings');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "name": "mine"}]')$$), 'POD_NAME_TAKEN', 'a name is taken once');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "name": "mine", "namespace": "stark-public"}]')$$), 'ok', 'in each namespace');
select is((select array_agg(name order by ord) from stark.create_pods('[{"pack": "open", "name": "z1"}, {"pack": "open", "name": "a1"}]') with ordinality p (id, name, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, ord)), array['z1', 'a1'], 'pods come back in the order they were asked for');

-- Labels and annotations of a pod that is there
select tests.make_pods('{"pack": "open", "name": "labelled"}');
select results_eq(format($$select labels, annotations from stark.update_pods(array[%L]::uuid[], '{"tier": "b", "app": "web"}', '{"note": "hello there"}')$$, tests.pod('labelled')),
  $$values ('{"app": "web", "tier": "b"}'::jsonb, '{"note": "hello there"}'::jsonb)$$, 'labels and annotations are set');
select results_eq(format($$select labels, annotations from stark.update_pods(array[%L]::uuid[], '{"tier": null, "app": "api"}')$$, tests.pod('labelled')),
  $$values ('{"app": "api"}'::jsonb, '{"note": "hello there"}'::jsonb)$$, 'changed, and taken away; what is not named stays');
select is((select object -> 'labels' from stark.events where kind = 'pod' and object ->> 'name' = 'labelled' order by seq desc limit 1), '{"app": "api"}', 'an event tells of it');
select results_eq(format($$select p.resource_version from stark.update_pods(array[%L]::uuid[], '{"app": "api"}') p$$, tests.pod('labelled')), $$select resource_version from stark.pods where id = tests.pod('labelled')$$, 'the same again');
select is(tests.count_of($$select from stark.events where kind = 'pod' and type = 'pod.updated' and object ->> 'name' = 'labelled'$$), 2::bigint, 'changes nothing, and says nothing');
select is(tests.code_of(format('select stark.update_pods(array[%L]::uuid[], %L, %L, %s)', tests.pod('labelled'), labels, annotations, version)), code, format('%s: %s %s', code, labels, annotations)) from (values
  ('{"a b": "c"}', '{}', 'null', 'INVALID_LABELS'), ('{"a": 1}', '{}', 'null', 'INVALID_LABELS'), ('[]', '{}', 'null', 'INVALID_ARGUMENT'), ('{}', '{"a": 1}', 'null', 'INVALID_ARGUMENT'),
  ('{}', '{"stark/pod-deletion-cost": "x"}', 'null', 'INVALID_ARGUMENT'), (null, '{}', 'null', 'INVALID_ARGUMENT'), ('{"a": "b"}', '{}', '99', 'CONFLICT')) t (labels, annotations, version, code);
select is(tests.code_of(format('select stark.update_pods(array[%L]::uuid[], %L)', tests.pod('labelled'), (select jsonb_object_agg('k' || i, 'v') from generate_series(1, 64) i))), 'INVALID_LABELS', 'not more than 64 with those that are there');
select tests.make_pods('{"pack": "open", "name": "follows", "spec": {"resources": {"requests": {"cpu": 0, "memory": 0}}, "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "leads"}}}]}}}}');
select tests.sign_out();
delete from stark.pods where name like 'many-%';
update stark.nodes set labels = '{"zone": "a"}' where name = 'n1';
select is((select status from stark.pods where name = 'follows'), 'pending', 'a pod that wants company waits');
select tests.sign_in('uma');
select is(tests.code_of(format($$select stark.update_pods(array[%L]::uuid[], '{"app": "leads"}')$$, tests.pod('labelled'))), 'ok', 'until a pod has the label');
select is((select coalesce(node_name, status_message) from stark.pods where name = 'follows'), 'n1', 'and then it is placed beside it');

-- Stopping
select tests.sign_out();
select is(stark_internal.name_stem(n), stem, format('%s names its pods %s-…', n, stem)) from (values ('@acme/Alpha.Beta_1', 'alpha-beta-1'), ('~~', 'pod'), (repeat('a', 100), repeat('a', 57)), ('-a-', 'a')) t (n, stem);
delete from stark.pods;
update stark.nodes set unschedulable = true;
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "waits"}');
select tests.sign_out();
update stark.nodes set unschedulable = false where name = 'n1';
update stark.nodes set unschedulable = true where name = 'n1';
select tests.sign_in('uma');
select is((select status from stark.pods where name = 'waits'), 'scheduled', 'a pending pod is placed when its node is opened');
select tests.make_pods('{"pack": "open", "name": "pends"}');
select results_eq(format('select name, status, finished_at is not null, status_reason from stark.stop_pods(array[%L, %L]::uuid[])', tests.pod('waits'), tests.pod('pends')),
  $$values ('pends', 'stopped', true, 'StopRequested'), ('waits', 'stopping', false, 'StopRequested')$$, 'a placed pod is stopping, a pending one has stopped');
select results_eq(format('select name, status from stark.stop_pods(array[%L, %L]::uuid[])', tests.pod('waits'), tests.pod('pends')),
  $$values ('pends', 'stopped'), ('waits', 'stopping')$$, 'stopping again changes nothing');
select is(tests.code_of(format('select stark.stop_pods(array[%L]::uuid[])', gen_random_uuid())), 'POD_NOT_FOUND', 'an unknown pod is named');
select is(tests.code_of('select stark.stop_pods(''{}'')'), 'INVALID_ARGUMENT', 'no pods are an error');
select is(tests.code_of('select stark.stop_pods(null)'), 'INVALID_ARGUMENT', 'null too');
select is(tests.code_of('select stark.stop_pods(array[null]::uuid[])'), 'POD_NOT_FOUND', 'a pod null too');
select is(tests.code_of('select stark.delete_pods(''{}'')'), 'INVALID_ARGUMENT', 'for delete as well');

-- Whose pods they are
select tests.sign_out();
create temporary table p as select tests.pod('waits') as id;
grant select on p to public;
create function pg_temp.as_user(p_who text, p_sql text) returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(p_sql);
  perform tests.sign_out();
  return v;
end $$;
select is(pg_temp.as_user(who, format('select stark.%s(array(select id from p))', what)), code, format('%s by %s: %s', what, who, code)) from (values
  ('udo', 'POD_NOT_FOUND'), ('none', 'POD_NOT_FOUND'), ('vic', 'FORBIDDEN'), ('dev', 'FORBIDDEN'), ('pub', 'POD_NOT_FOUND')) t (who, code), unnest(array['stop_pods', 'delete_pods', 'update_pods']) what;
select is(pg_temp.as_user('op', 'select stark.stop_pods(array(select id from p))'), 'ok', 'an operator stops anybody''s');
select is((select status from stark.pods where name = 'waits'), 'stopping', 'and nobody else changed it');

-- Deleting
select tests.sign_in('uma');
select results_eq(format('select name, status from stark.delete_pods(array[%L, %L]::uuid[])', tests.pod('waits'), tests.pod('pends')), $$values ('pends', 'stopped'), ('waits', 'stopping')$$, 'delete returns the pods as they were last');
select set_eq('select name, deletion_requested_at is not null from stark.pods', $$values ('waits', true)$$, 'the ended one is gone, the other waits for its node');
select is(tests.report('n1', 'waits', 'stopped'), 'accepted', 'the node reports the end');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'and it is gone');
select is((select allocated from stark.nodes where name = 'n1'), '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}', 'with all it took from its node');

-- Who sees what
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "umas", "namespace": "default"}');
select tests.sign_in('udo');
select tests.make_pods('{"pack": "open", "name": "udos"}');
select set_eq('select name from stark.pods', array['udos'], 'a user sees own pods');
select tests.sign_in('pub');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'a role in another namespace shows none');
select tests.sign_in('vic');
select set_eq('select name from stark.pods', array['umas', 'udos'], 'a viewer sees all');
select tests.sign_in('none');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'who has no role sees none');
select tests.sign_out();
update stark.nodes set unschedulable = false;
select tests.sign_in('uma');
select set_eq('select name from stark.pods', array['umas', 'udos'], 'who owns a node sees what runs on it');

-- Limits hold for every writer
select tests.sign_out();
select is(tests.code_of(format('update stark.pods set %s where name = ''umas''', change)), '23514', format('a row refuses: %s', change))
  from unnest(array['name = ''A''', 'priority = 1001', 'priority = -1', 'status = ''lost''', 'ready = true', 'finished_at = now()', 'node_name = null', 'restarts = -1',
    'status_message = repeat(''x'', 5000)']) change;
select is(tests.code_of($$update stark.pods set labels = '{"a": 1}'$$), 'INVALID_LABELS', 'and labels that are none');
select is(tests.code_of($$update stark.pods set spec = '{"nodeSelectr": {}}'$$), 'INVALID_SPEC', 'and a spec with an unknown field');
create function pg_temp.with_terms(p_required integer, p_preferred integer) returns text language sql as $$
  with term as (select jsonb_build_object('topologyKey', 'zone', 'labelSelector', '{}'::jsonb) as t)
  select stark_internal.spec_problem(jsonb_build_object('affinity', jsonb_build_object(
    'podAffinity', jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', (select jsonb_agg(t) from term, generate_series(1, p_required))),
    'podAntiAffinity', jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', (select jsonb_agg(jsonb_build_object('weight', 1, 'podAffinityTerm', t)) from term, generate_series(1, p_preferred))))))
$$;
select is(pg_temp.with_terms(1, 15), null, 'a pod may have 16 terms about other pods');
select is(pg_temp.with_terms(2, 15), 'spec.affinity has at most 16 terms about other pods', 'and no more, since all passes ask them');
select is(tests.code_of($$update stark.pods set node_id = null, status = 'pending' where name = 'umas'$$), 'STATUS_STEP_REFUSED', 'a placed pod does not become pending again');

-- Which nodes there are is told to nobody who may not read them, by no answer about a name
create function pg_temp.answer_about(p_function text, p_pack text, p_spec text, p_node text) returns text language plpgsql as $$
begin
  execute format('select stark.%s', format(p_function, quote_literal(format('{"pack": "%s", "spec": %s}', p_pack, replace(p_spec, '?', p_node)))));
  return 'ok';
exception when others then
  return replace(sqlerrm, p_node, '?');
end $$;
create temporary table names_in_specs as
  select f.f as function, p.p as pack, s.s as spec
  from unnest(array['create_pods(jsonb_build_array(%s::jsonb))', 'explain_placement(%s::jsonb)']) f, unnest(array['open', 'web']) p,
    unnest(array['{"nodeName": "?"}',
      '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["?"]}]}]}}}}',
      '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["?"]}]}]}}}}',
      '{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["?"]}]}}]}}}']) s;
grant select on names_in_specs to authenticated;
select tests.sign_in('udo');
select is(pg_temp.answer_about(function, pack, spec, 'n1'), pg_temp.answer_about(function, pack, spec, 'nowhere'), format('%s says the same of both, %s in %s', function, pack, spec)) from names_in_specs;
select is(pg_temp.answer_about(function, pack, spec, 'n1')::jsonb ->> 'code', 'NODE_NOT_FOUND', format('%s: there is no such node', spec)) from names_in_specs;
select tests.sign_in(who), is(pg_temp.answer_about(function, 'open', spec, 'n1'), 'ok', format('%s may name it, %s in %s', who, function, spec))
  from names_in_specs, (values ('uma'), ('dev'), ('ada')) t (who) where pack = 'open';
select tests.sign_out();

-- Every step from every status: the table is what counts
create temporary table steps as
  select f as from_status, t as to_status, exists (select from stark.pod_status_steps s where s.from_status = f and s.to_status = t) as allowed
  from unnest(array['pending', 'scheduled', 'transferring', 'starting', 'running', 'stopping', 'stopped', 'succeeded', 'failed', 'evicted']) f,
       unnest(array['pending', 'scheduled', 'transferring', 'starting', 'running', 'stopping', 'stopped', 'succeeded', 'failed', 'evicted']) t where f <> t;
create function pg_temp.step(p_from text, p_to text) returns text language plpgsql as $$
declare v text;
begin
  insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, status, node_id, node_name, finished_at)
    select 'step', 'default', v2.pack_id, v2.pack_name, v2.id, v2.version, p_from, n.id, case when p_from = 'pending' then null else 'n1' end,
           case when p_from in ('stopped', 'succeeded', 'failed', 'evicted') then now() end
    from stark.pack_versions v2 left join stark.nodes n on n.name = 'n1' and p_from <> 'pending' where v2.pack_name = 'open' and v2.version = '1.0.0';
  v := tests.code_of(format($q$update stark.pods set status = %L, node_id = case %L when 'pending' then null else tests.node('n1') end, node_name = 'n1',
    finished_at = case when %L in ('stopped', 'succeeded', 'failed', 'evicted') then now() end where name = 'step'$q$, p_to, p_to, p_to));
  delete from stark.pods where name = 'step';
  return v;
end $$;
select is(pg_temp.step(from_status, to_status), case when allowed then 'ok' else 'STATUS_STEP_REFUSED' end, format('%s to %s is %s', from_status, to_status, case when allowed then 'allowed' else 'refused' end)) from steps;
select set_eq($$select to_status from stark.pod_status_steps where from_status in ('stopped', 'succeeded', 'failed', 'evicted')$$, array[]::text[], 'nothing comes after an end');
select set_eq($$select distinct from_status from stark.pod_status_steps where to_status = 'stopping' and taken_by = 'node'$$, array[]::text[], 'a node does not decide to stop');

select * from finish();
rollback;
