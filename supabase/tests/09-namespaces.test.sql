-- Namespaces: making, patching, emptying; quotas and limit ranges, for every writer.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('op', 'operator');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'ada', p_allocatable => '{"cpu": 100000, "memory": 100000, "storage": 10240, "pods": 100}');

select tests.sign_in('uma');
select is(tests.code_of($$select stark.create_namespace('team')$$), 'FORBIDDEN', 'a user makes no namespaces');
select is(tests.code_of($$select stark.update_namespace('default', p_quota => '{"pods": 9}')$$), 'FORBIDDEN', 'nor changes one');
select is(tests.code_of($$select stark.delete_namespace('default')$$), 'FORBIDDEN', 'nor deletes one');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.create_namespace(%s)', args)), code, format('%s: %s', code, left(args, 60))) from (values
  ('null', 'INVALID_NAME'), ($$'Team'$$, 'INVALID_NAME'), ($$''';drop'$$, 'INVALID_NAME'), ($$'default'$$, 'NAMESPACE_EXISTS'), ($$'t', '{"a": 1}'$$, 'INVALID_LABELS'),
  ($$'t', '[]'$$, 'INVALID_LABELS'), ($$'t', (select jsonb_object_agg('k' || i, repeat('x', 60)) from generate_series(1, 20000) i)$$, 'INVALID_LABELS'),
  ($$'t', p_quota => '{"pods": -1}'$$, 'INVALID_ARGUMENT'), ($$'t', p_quota => '{"gpu": 1}'$$, 'INVALID_ARGUMENT'), ($$'t', p_quota => '{"cpu": "4"}'$$, 'INVALID_ARGUMENT'), ($$'t', p_quota => null$$, 'INVALID_ARGUMENT'),
  ($$'t', p_limit_range => '{"most": {}}'$$, 'INVALID_ARGUMENT'), ($$'t', p_limit_range => '{"max": 5}'$$, 'INVALID_ARGUMENT'), ($$'t', p_limit_range => '{"max": {"pods": 5}}'$$, 'INVALID_ARGUMENT'),
  ($$'t', p_limit_range => '{"min": {"cpu": 5}, "max": {"cpu": 4}}'$$, 'INVALID_ARGUMENT'), ($$'t', p_limit_range => '{"default": {"cpu": 5}, "max": {"cpu": 4}}'$$, 'INVALID_ARGUMENT')) t (args, code);
select is(tests.count_of('select from stark.namespaces'), 3::bigint, 'none of it left a namespace');
select is((stark.create_namespace('team', '{"a": "1"}', '{"pods": 3, "cpu": 500}', '{"default": {"cpu": 50, "storage": 1}, "min": {"cpu": 10}, "max": {"cpu": 400, "memory": 1000}}')).phase, 'active', 'an admin makes one');
select is(tests.error_of($$select stark.update_namespace('team', p_if_version => 7)$$) ->> 'message', 'namespace team is at revision 1, you saw 7', 'a stale revision is refused with both numbers');
select is((stark.update_namespace('team', '{"a": null, "b": "2"}', '{"memory": 2000}', p_if_version => 1)).labels, '{"b": "2"}', 'a patch sets and removes');
select is(tests.code_of($$select stark.update_namespace('team', p_quota => '[]')$$), 'INVALID_ARGUMENT', 'a patch is an object');
select is(tests.code_of($$select stark.update_namespace('nowhere')$$), 'NAMESPACE_NOT_FOUND', 'an unknown name');

-- Limits before quota, both for every writer
select tests.sign_in('uma');
select results_eq($$select cpu_request, memory_request, storage_request from stark.create_pods('[{"pack": "open", "namespace": "team", "name": "a"}]')$$, $$values (50, 128, 1)$$, 'the namespace''s defaults come before the cluster''s');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "namespace": "team", "spec": {"resources": {"requests": {"cpu": 401}}}}]')$$), 'LIMIT_RANGE_VIOLATED', 'more than the most');
select is(tests.error_of($$select stark.create_pods('[{"pack": "open", "namespace": "team", "spec": {"resources": {"requests": {"cpu": 9}}}}]')$$) ->> 'message', 'a pod in namespace team may ask for at least 10 and at most 400 cpu, not 9', 'less than the least, with the numbers');
select is(tests.error_of($$select stark.create_pods('[{"pack": "open", "namespace": "team", "replicas": 3}]')$$) - array['headers', 'details'],
  '{"code": "QUOTA_EXCEEDED", "message": "namespace team would use 4 pods, its quota is 3", "hint": "stark namespace describe team", "status": 409}', 'over quota, with numbers and hint');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "namespace": "team"}, {"pack": "open", "namespace": "team", "spec": {"resources": {"requests": {"cpu": 400}}}}]')$$), 'ok', 'up to the quota is fine');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "namespace": "team", "spec": {"resources": {"requests": {"cpu": 10}}}}]')$$), 'QUOTA_EXCEEDED', 'and no further');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open"}]')$$), 'ok', 'other namespaces have no part in it');
select tests.sign_out();
select is(tests.code_of($$insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version) select 'x', 'team', pack_id, pack_name, pack_version_id, version from stark.pods where name = 'a'$$), 'LIMIT_RANGE_VIOLATED', 'the owner of the database is held to limits too');
select is(tests.code_of($$insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, spec) select 'x', 'team', pack_id, pack_name, pack_version_id, version, spec from stark.pods where name = 'a'$$), 'QUOTA_EXCEEDED', 'and to the quota');
select is(tests.code_of($$update stark.pods set spec = '{"resources": {"requests": {"cpu": 300}}}' where name = 'a'$$), 'QUOTA_EXCEEDED', 'also by a pod that grows');
select is(tests.code_of($$update stark.namespaces set quota = '{"x": 1}'$$), '23514', 'a row refuses a malformed quota');
select is(tests.code_of($$update stark.namespaces set phase = 'terminating' where name = 'default'$$), '23514', 'and a reserved one never ends');

-- What the quota is compared with
create function pg_temp.wrong_totals() returns setof text language sql as $$
  select coalesce(t.namespace, p.namespace)
  from (select namespace, count(*) as pods, sum(cpu_request) as cpu, sum(memory_request) as memory, sum(storage_request) as storage from stark.pods where finished_at is null group by 1) p
  full join (select * from stark_internal.namespace_totals where (pods, cpu, memory, storage) <> (0, 0, 0, 0)) t using (namespace)
  where (t.pods, t.cpu, t.memory, t.storage) is distinct from (p.pods, p.cpu, p.memory, p.storage) $$;
grant all on function pg_temp.wrong_totals() to public;
select is_empty('select pg_temp.wrong_totals()', 'a namespace''s totals are those of its live pods');
savepoint before_changes;
update stark.pods set status = 'stopped', finished_at = now() where namespace = 'default' and status = 'pending';
update stark.pods set status = 'failed', finished_at = now() where name = 'a';
select is_empty('select pg_temp.wrong_totals()', 'when some of them have ended');
update stark.pods set spec = '{"resources": {"requests": {"cpu": 20, "memory": 7, "storage": 2}}}' where finished_at is null;
select is_empty('select pg_temp.wrong_totals()', 'when they ask for other amounts');
update stark.pods set namespace = 'default' where finished_at is null;
select is_empty('select pg_temp.wrong_totals()', 'when they move');
delete from stark.pods where finished_at is not null;
select is_empty('select pg_temp.wrong_totals()', 'when ended ones are removed');
delete from stark.pods where true;
select is_empty('select pg_temp.wrong_totals()', 'and when the others are');
rollback to savepoint before_changes;
truncate stark.pods cascade;
select is_empty('select pg_temp.wrong_totals()', 'or all at once');
rollback to savepoint before_changes;

-- Deleting
select is(tests.code_of($$select stark.delete_namespace('stark-system')$$), 'NAMESPACE_RESERVED', 'the three stay');
select is(tests.code_of($$select stark.delete_namespace('nowhere')$$), 'NAMESPACE_NOT_FOUND', 'an unknown one');
select is((stark.delete_namespace('team')).phase, 'terminating', 'one with pods empties first');
select is(tests.count_of($$select from stark.pods where namespace = 'team' and status = 'stopping'$$), 3::bigint, 'its pods are stopping, with their grace');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "namespace": "team"}]')$$), 'NAMESPACE_TERMINATING', 'it takes nothing new');
select tests.sign_out();
update stark.pods set status = 'stopped', finished_at = now() where namespace = 'team';
select is(stark_internal.remove_ended_pods(), 3, 'when the pods have ended');
select is(tests.count_of($$select from stark.namespaces where name = 'team'$$), 0::bigint, 'it is gone');

select * from finish();
rollback;
