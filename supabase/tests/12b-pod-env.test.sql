-- env and config of a pod: read by a right of their own and by the agent that runs it; in no row, event or broadcast that others read.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('otto', 'operator'), tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('host', 'user'),
  tests.add_user('auditor'), tests.add_user('half', 'viewer');
insert into stark.roles (name) values ('auditor'), ('half');
insert into stark.role_permissions (role, kind, verb, scope) values ('auditor', 'pods', 'get', 'any'), ('auditor', 'pods', 'read-env', 'any'), ('half', 'pods', 'update', 'any'), ('half', 'pods', 'create', 'any'), ('half', 'packs', 'pull', 'any');
insert into stark.role_bindings (user_id, role, namespace) values (tests.uid('auditor'), 'auditor', 'default'), (tests.uid('half'), 'half', null);
select tests.add_pack('open', 'uma', 'public', p_version => '0.9.0'), tests.add_pack('open', 'uma', 'public'), tests.add_node('n1', 'host');

select tests.sign_in('uma');
create temporary table made as select * from stark.create_pods('[{"pack": "open", "name": "p1", "labels": {"app": "x"}, "spec": {"env": {"TOKEN": "s3cret-env"}, "config": {"key": "s3cret-config", "none": null}, "restartPolicy": "Never"}},
  {"pack": "open", "name": "many", "replicas": 2, "spec": {"config": {"key": "s3cret-config"}}}, {"pack": "open", "name": "plain"}]');
select tests.sign_out();
select is((select p.spec -> 'restartPolicy' from stark.pods p where p.name = 'p1'), '"Never"', 'a pod has its spec');
select is_empty($$select from made m where m.spec ?| array['env', 'config']$$, 'without env and config, in the answer of the call too');
select results_eq($$select p.name like 'many-%', e.env, e.config from stark.pod_env e join stark.pods p on p.id = e.pod_id order by 1, 2$$,
  $$values (false, '{"TOKEN": "s3cret-env"}'::jsonb, '{"key": "s3cret-config", "none": null}'::jsonb), (true, null, '{"key": "s3cret-config"}'), (true, null, '{"key": "s3cret-config"}')$$, 'which stand apart, as they were given');
select is(tests.code_of($$update stark.pods set spec = spec || '{"env": {}}'$$), 'INVALID_SPEC', 'for every writer');

-- Who reads them.
select tests.sign_in(w.who), is(tests.count_of('select from stark.pod_env'), w.rows, w.who || ' reads env of so many pods'), is(tests.count_of('select from stark.pods'), w.pods, 'and sees so many')
  from (values ('uma', 3::bigint, 4::bigint), ('udo', 0, 0), ('vic', 0, 4), ('dev', 0, 4), ('host', 0, 4), ('auditor', 3, 4), ('otto', 3, 4), ('ada', 3, 4)) w (who, rows, pods);
select tests.sign_in_as('service_role');
select is(tests.count_of('select from stark.pod_env'), 3::bigint, 'the secret key reads all');
select tests.sign_in('ada');
select is(tests.code_of($$select stark.create_role('reader', '{pods:read-env:own}')$$), 'ok', 'the right can be given');
select tests.sign_in('vic');
select is(stark.can_i('read-env', 'pods'), false, 'and asked for');

-- The agent's door.
select tests.sign_in('host');
select is((select s from (select w -> 'spec' ->> 'env' || (w -> 'spec' ->> 'config') as s from jsonb_array_elements(stark.node_sync(tests.node('n1')) -> 'pods') w where w ->> 'name' = 'p1') x), '{"TOKEN": "s3cret-env"}{"key": "s3cret-config", "none": null}', 'the agent is given both when it asks');
select is((select bool_or(w -> 'spec' ?| array['env', 'config']) from jsonb_array_elements(stark.node_sync(tests.node('n1'), 2) -> 'pods') w where w ->> 'name' = 'plain'), false, 'and nothing of a pod that has none');
select tests.sign_out();
select is((select count(*) from realtime.messages m where m.event = 'pods.start'), 1::bigint, 'the command to start is a broadcast');

-- Going back makes a pod of one's own, so what the old one was given is read by it.
select tests.sign_in('half');
select is(tests.code_of($$select stark.roll_back_pod(tests.pod('p1'))$$), 'FORBIDDEN', 'who may not read env does not go back with it');
select is(tests.code_of($$select stark.roll_back_pod(tests.pod('plain'))$$), 'ok', 'but where there is none');
select tests.sign_in('uma');
select is((select e.env from stark.roll_back_pod(tests.pod('p1')) r join stark.pod_env e on e.pod_id = r.id), null, 'the owner does');
select is((select e.env ->> 'TOKEN' from stark.pods p join stark.pod_env e on e.pod_id = p.id where p.version = '0.9.0' and p.labels ->> 'app' = 'x'), 's3cret-env', 'and the new pod has what the old one had');
select tests.sign_in('otto');
select stark.stop_pods(array[tests.pod('p1')]);
select stark.delete_pods(array(select p.id from stark.pods p where p.name like 'many-%'));
select tests.sign_in('host');
select tests.report('n1', 'p1', 'stopped');
select tests.sign_out();

-- A deployment's pods likewise; a user who changes its template makes pods of their own.
insert into stark.role_permissions (role, kind, verb, scope) values ('half', 'deployments', 'get', 'any'), ('half', 'deployments', 'update', 'any');
select tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "web", "pack": "open", "replicas": 2, "template": {"spec": {"env": {"TOKEN": "s3cret-env"}, "config": {"key": "s3cret-config"}}}}')$$, 'a deployment with env and config');
select results_eq($$select e.env, e.config from stark.pods p join stark.pod_env e on e.pod_id = p.id where p.deployment_id is not null$$, $$values ('{"TOKEN": "s3cret-env"}'::jsonb, '{"key": "s3cret-config"}'::jsonb), ('{"TOKEN": "s3cret-env"}', '{"key": "s3cret-config"}')$$, 'its pods have them');
select tests.sign_in('half');
select is(tests.code_of(c.call), c.code, c.call) from (values
  ($$select stark.restart_rollout('default', 'web')$$, 'FORBIDDEN'), ($$select stark.update_deployment('default', 'web', '{"template": {"labels": {"a": "b"}}}')$$, 'FORBIDDEN'),
  ($$select stark.update_deployment('default', 'web', '{"template": {"spec": {"env": {"MORE": "x"}}}}')$$, 'FORBIDDEN'), ($$select stark.update_deployment('default', 'web', '{"template": {"spec": {"env": null}}}')$$, 'FORBIDDEN'),
  ($$select stark.scale_deployment('default', 'web', 3)$$, 'ok'), ($$select stark.update_deployment('default', 'web', '{"labels": {"a": "b"}}')$$, 'ok'),
  ($$select stark.update_deployment('default', 'web', '{"template": {"spec": {"env": null, "config": null}}}')$$, 'ok'), ($$select stark.undo_rollout('default', 'web', 1)$$, 'FORBIDDEN'),
  ($$select stark.update_deployment('default', 'web', '{"template": {"spec": {"env": {"MINE": "x"}}}}')$$, 'ok'), ($$select stark.restart_rollout('default', 'web')$$, 'ok')) c (call, code);
select is(tests.count_of($$select from stark.pod_env e where e.env::text || coalesce(e.config::text, '') like '%s3cret%'$$), 0::bigint, 'nobody came by them so');
select tests.sign_in('otto');
select is(tests.code_of($$select stark.undo_rollout('default', 'web', 1)$$), 'ok', 'who may read them may bring them back');
select tests.sign_out();

-- All that happened, and nobody was told: no event, no broadcast, no other table of ours has a word of it.
select cmp_ok((select count(*) from stark.events e where e.kind = 'pod'), '>=', 8::bigint, 'there are events');
create function pg_temp.tables_with(p_text text) returns setof text language plpgsql as $$
declare
  v_table regclass;
  v_found boolean;
begin
  for v_table in select c.oid from pg_class c where c.relnamespace in ('stark'::regnamespace, 'stark_internal'::regnamespace, 'realtime'::regnamespace) and c.relkind in ('r', 'p') and not c.relispartition loop
    execute format('select exists (select from %s t where position(%L in to_jsonb(t)::text) > 0)', v_table, p_text) into v_found;
    if v_found then return next v_table::text; end if;
  end loop;
end $$;
select set_eq($$select pg_temp.tables_with('s3cret')$$, array['stark.pod_env', 'stark_internal.revision_secrets'], 'no table has it but those that guard it');
delete from stark.deployments;
delete from stark.pods;
select is_empty('select from stark.pod_env', 'and it goes with its pod');

select * from finish();
rollback;
