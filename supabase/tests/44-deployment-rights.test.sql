-- Whose rights the pods of a deployment have: those that its user has now, and not those of the day when the template was written. And
-- what a template was given as env and config is for nobody who leaves it or comes after it without the right to read it.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('dora', 'user'), tests.add_user('bob', 'user');
insert into stark.namespaces (name) values ('hidden');
insert into stark.roles (name) values ('releaser'), ('classy');
insert into stark.role_permissions (role, kind, verb, scope) values ('releaser', 'deployments', 'get', 'any'), ('releaser', 'deployments', 'update', 'any'),
  ('classy', 'priorityclasses', 'create', 'any'), ('classy', 'pods', 'prioritise', 'any');
insert into stark.priority_classes (name, value, preemption_policy) values ('calm', 90, 'Never');
select tests.add_pack('alpha', 'ada', 'public'), tests.add_pack('alpha', 'ada', p_version => '1.1.0'), tests.add_pack('secret', 'ada');
select tests.add_node(n, 'ada', p_allocatable => '{"cpu": 10000, "memory": 10240, "storage": 10240, "pods": 50}') from unnest(array['n1', 'n2']) n;
select tests.at(0);

-- Rights that are lost -------------------------------------------------------------------------------------------------------
create temporary table lost (name text, pack text, template jsonb, role text, namespace text, lose text, regain text);
insert into lost (name, pack, template, role, namespace, lose, regain) values
  ('priority', 'alpha', '{"priority": 500}', 'developer', null, null, null),
  ('in-namespace', 'alpha', '{"priority": 500}', 'developer', 'default', null, null),
  ('class', 'alpha', '{"spec": {"priorityClassName": "high-priority"}}', 'developer', null, null, null),
  ('system-class', 'alpha', '{"spec": {"priorityClassName": "system-cluster-critical"}}', 'classy', null, null, null),
  ('preempts', 'alpha', '{"spec": {"priorityClassName": "calm", "preemptionPolicy": "PreemptLowerPriority"}}', 'developer', null, null, null),
  ('company', 'alpha', '{"spec": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host", "namespaces": ["hidden"], "labelSelector": {}}]}}}}', 'viewer', 'hidden', null, null),
  ('pack', 'secret', '{}', 'operator', null, null, null),
  ('disabled', 'alpha', '{}', 'viewer', null, $$update stark.profiles set disabled_at = now() where id = tests.uid('dora')$$, $$update stark.profiles set disabled_at = null where id = tests.uid('dora')$$),
  ('a-role-made-less', 'alpha', '{"priority": 500}', 'classy', null, $$delete from stark.role_permissions where role = 'classy' and verb = 'prioritise'$$, $$insert into stark.role_permissions values ('classy', 'pods', 'prioritise', 'any')$$);
insert into stark.role_permissions values ('operator', 'packs', 'pull', 'any');
update lost set lose = coalesce(lose, format('delete from stark.role_bindings where user_id = %L and role = %L', tests.uid('dora'), role)),
  regain = coalesce(regain, format('insert into stark.role_bindings (user_id, role, namespace) values (%L, %L, %L)', tests.uid('dora'), role, namespace)) where true;

/** What the deployment says, and how many unfinished pods it has, at each step: complete, after a pod was lost without the right, with it again. */
create function pg_temp.story(p_case lost, p_how jsonb) returns text language plpgsql as $$
declare
  v_said text[];
begin
  execute format('insert into stark.role_bindings (user_id, role, namespace) values (%L, %L, %L)', tests.uid('dora'), p_case.role, p_case.namespace);
  perform tests.at(0), tests.sign_in('dora');
  perform stark.create_deployment(jsonb_build_object('name', p_case.name, 'pack', p_case.pack, 'template', p_case.template) || p_how);
  perform tests.sign_out(), tests.settle(0, 3);
  v_said := array[tests.deployment(p_case.name)];
  execute p_case.lose;
  perform tests.look();
  update stark.pods set status = 'failed', ready = false, finished_at = now() where id = (select id from stark.pods where deployment_id is not null and finished_at is null order by id limit 1);
  perform tests.settle(100, 3);
  v_said := v_said || tests.deployment(p_case.name);
  execute p_case.regain;
  perform tests.settle(300, 3);
  v_said := v_said || tests.deployment(p_case.name);
  delete from stark.deployments where true;
  delete from stark.pods where true;
  delete from stark.role_bindings where user_id = tests.uid('dora') and role <> 'user';
  return array_to_string(v_said, ' | ');
end $$;
select is(pg_temp.story(l, '{"replicas": 2}'), 'complete AsWanted r1 2/2 2 r1 running | progressing Forbidden r1 1/2 1 r1 running | complete AsWanted r1 2/2 2 r1 running', 'a deployment whose user has lost the right to it: ' || l.name) from lost l;
-- One on each of the two nodes is made elsewhere, by the same rights; the count that it would have says nothing there.
select is(pg_temp.story(l, '{"mode": "daemon"}'), 'complete AsWanted r1 2/1 2 r1 running | progressing Forbidden r1 1/1 1 r1 running | complete AsWanted r1 2/1 2 r1 running', 'of daemon mode, too: ' || l.name)
from lost l where l.name in ('priority', 'system-class', 'company', 'pack', 'disabled');

-- What a user may do without is not asked for.
insert into stark.role_bindings (user_id, role) values (tests.uid('dora'), 'developer');
select tests.at(0), tests.sign_in('dora');
select lives_ok($$select stark.create_deployment('{"name": "plain", "pack": "alpha", "template": {"spec": {"priorityClassName": "calm"}}}')$$, 'a plain template');
select tests.sign_out();
delete from stark.role_bindings where user_id = tests.uid('dora') and role = 'developer';
select tests.settle(0, 3);
select is(tests.deployment('plain'), 'complete AsWanted r1 1/1 1 r1 running', 'goes on when its user loses what it does not need');
delete from stark.deployments where true;
delete from stark.pods where true;

-- Env of others ----------------------------------------------------------------------------------------------------------------
select tests.at(0), tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "web", "pack": "alpha", "version": "1.0.0", "replicas": 3, "template": {"spec": {"env": {"TOKEN": "s3cret"}}}}')$$, 'somebody gives env');
select tests.sign_out(), tests.settle(0, 3);
insert into stark.role_bindings (user_id, role) values (tests.uid('bob'), 'releaser');
create function pg_temp.makers() returns text language sql as $$
  select string_agg(c.who || c.revision || c.secrets, ' ' order by c.who, c.revision) from (
    select split_part(u.email, '@', 1) as who, p.revision, case when e.env ->> 'TOKEN' = 's3cret' then ' with' else '' end as secrets
    from stark.pods p join stark.profiles u on u.id = p.created_by left join stark.pod_env e on e.pod_id = p.id where p.finished_at is null group by 1, 2, 3) c
$$;
select tests.sign_in('bob');
select lives_ok($$select stark.update_deployment('default', 'web', '{"version": "1.1.0", "template": {"spec": {"env": null}}}')$$, 'who may change it and not read that leaves it out');
select is(tests.count_of('select from stark.pod_env'), 0::bigint, 'and reads nothing');
select tests.sign_out();
-- One of the old ones is lost while the new one is on its way.
update stark.pods set status = 'failed', ready = false, finished_at = now() where id = (select id from stark.pods where revision = 1 and status = 'running' order by id limit 1);
select tests.look();
select is(pg_temp.makers(), 'bob2 uma1 with', 'what is replaced of the old revision is made with the rights of who made that');
select tests.report_managed(array['scheduled', 'starting'], 'starting', jsonb_build_object('reason', 'CrashLoopBackOff', 'message', 'back-off ' || g), 'p.revision = 2') from generate_series(1, 3) g;
select tests.look();
select matches(tests.deployment('web'), ' r3 ', 'the new one fails, and the old template is the newest revision');
select is(pg_temp.makers(), 'bob2 uma1 with uma3 with', 'its pods are made with the rights of who wrote it');
select is(d.acts_as, tests.uid('uma'), 'as all of the deployment again') from stark.deployments d;
select tests.settle(100, 4);
select is(tests.deployment('web') like 'complete RolledBack r3 3/3 %', true, 'it runs');
select tests.sign_in('bob');
select is(tests.count_of('select from stark.pod_env'), 0::bigint, 'who made it fail has come by nothing');
select is(tests.code_of(c), 'FORBIDDEN', c) from unnest(array[$$select stark.restart_rollout('default', 'web')$$, $$select stark.update_deployment('default', 'web', '{"template": {"labels": {"a": "b"}}}')$$]) c;
select tests.sign_out();

-- Who may read it, or has nobody's env to read, takes the deployment over.
insert into stark.role_bindings (user_id, role) values (tests.uid('bob'), 'operator');
select tests.sign_in('bob');
select lives_ok($$select stark.update_deployment('default', 'web', '{"version": "1.1.0", "template": {"spec": {"env": null}}}')$$, 'who may read it changes it');
select tests.sign_out();
select tests.report_managed(array['scheduled', 'starting'], 'starting', jsonb_build_object('reason', 'CrashLoopBackOff', 'message', 'back-off ' || g), 'p.revision = 4') from generate_series(1, 3) g;
select tests.look(), tests.settle(300, 4);
select is(d.acts_as, tests.uid('bob'), 'and keeps it when it goes back') from stark.deployments d;

select * from finish();
rollback;
