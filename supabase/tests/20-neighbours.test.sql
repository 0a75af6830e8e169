-- Neighbours on a machine: priority is a right, an owner's pods stay on the own node, and a node says whose pods it takes.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('otto', 'operator'), tests.add_user('dev', 'developer'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('guest', 'user'),
  tests.add_user('scoped', 'developer', 'default');
select tests.add_pack('open', 'ada', 'public'), tests.add_pack('mine', 'uma');
insert into stark.namespaces (name) values ('team');
insert into stark.roles (name) values ('pusher');
insert into stark.role_permissions (role, kind, verb, scope) values ('pusher', 'pods', 'prioritise', 'own');

-- Priority ---------------------------------------------------------------------------------------------------------------
create temporary table asks (who text, priority integer, code text);
insert into asks values ('uma', 100, 'ok'), ('uma', 0, 'ok'), ('uma', 101, 'FORBIDDEN'), ('uma', 1000, 'FORBIDDEN'), ('dev', 1000, 'ok'), ('otto', 1000, 'ok'), ('ada', 1000, 'ok'), ('scoped', 1000, 'ok');
grant select on asks to public;
select tests.sign_in(a.who), is(tests.code_of(format($$select stark.create_pods('[{"pack": "open", "priority": %s}]')$$, a.priority)), a.code, format('%s asks for priority %s', a.who, a.priority)) from asks a;
select tests.sign_in('uma');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "spec": {"priorityClassName": "high-priority"}}]')$$), 'FORBIDDEN', 'by a class likewise');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "spec": {"priorityClassName": "low-priority"}}]')$$), 'ok', 'a lower class is for everybody');
select is(tests.code_of($$select stark.explain_placement('{"pack": "open", "priority": 1000}')$$), 'FORBIDDEN', 'nor is it tried');
select matches((tests.error_of($$select stark.create_pods('[{"pack": "open", "priority": 500}]')$$)) ->> 'message', '^uma@example.com may not give a pod priority 500', 'the answer says who and what');
select is(stark.can_i('prioritise', 'pods'), false, 'which can be asked beforehand');
select tests.sign_out();
insert into stark.role_bindings (user_id, role, namespace) values (tests.uid('uma'), 'pusher', 'team');
select tests.sign_in('uma');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "priority": 500, "namespace": "team"}]')$$), 'ok', 'the right can be given in a namespace');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open", "priority": 500}]')$$), 'FORBIDDEN', 'and is none elsewhere');
select tests.sign_out();
update stark.priority_classes set global_default = false where name = 'default';
update stark.priority_classes set global_default = true where name = 'high-priority';
select tests.sign_in('udo');
select is(tests.code_of($$select stark.create_pods('[{"pack": "open"}]')$$), 'ok', 'what the cluster gives everybody, everybody may have');
select tests.sign_out();
update stark.priority_classes set global_default = false where name = 'high-priority';
update stark.priority_classes set global_default = true where name = 'default';
delete from stark.pods;
-- A class that pushes nobody out holds also for who leaves it out and writes its number.
insert into stark.priority_classes (name, value, preemption_policy) values ('calm', 90, 'Never');
update stark.priority_classes set global_default = false where name = 'default';
update stark.priority_classes set global_default = true where name = 'calm';
create function pg_temp.policy_of(p_more jsonb) returns text language sql as $$
  select coalesce(tests.error_of(format('select stark.explain_placement(%L)', '{"pack": "open"}'::jsonb || p_more)) ->> 'code',
    (select spec ->> 'preemptionPolicy' from stark.create_pods(jsonb_build_array('{"pack": "open"}'::jsonb || p_more))), 'any')
$$;
select tests.sign_in(w.who), is(pg_temp.policy_of(w.more), w.policy, format('%s asks for %s where the default class preempts nobody', w.who, w.more)) from (values
  ('udo', '{}'::jsonb, 'Never'), ('udo', '{"priority": 90}', 'Never'), ('udo', '{"priority": 10}', 'Never'), ('udo', '{"spec": {"priorityClassName": "calm"}}', 'Never'),
  ('udo', '{"priority": 90, "spec": {"preemptionPolicy": "PreemptLowerPriority"}}', 'FORBIDDEN'), ('udo', '{"spec": {"preemptionPolicy": "PreemptLowerPriority"}}', 'FORBIDDEN'),
  ('udo', '{"spec": {"priorityClassName": "low-priority"}}', 'any'), ('dev', '{}', 'Never'), ('dev', '{"priority": 90}', 'any'), ('dev', '{"spec": {"preemptionPolicy": "PreemptLowerPriority"}}', 'PreemptLowerPriority')) w (who, more, policy);
select tests.sign_out();
update stark.priority_classes set global_default = false where name = 'calm';
update stark.priority_classes set global_default = true where name = 'default';
delete from stark.pods;

-- Preemption -------------------------------------------------------------------------------------------------------------
select tests.add_node('umas', 'uma', p_allocatable => '{"cpu": 400, "memory": 4096, "storage": 0, "pods": 10}');
create function pg_temp.pods_of(p_node text) returns text language sql security definer as $$
  select string_agg(format('%s %s', p.name, p.status), ', ' order by p.name) from stark.pods p where p.node_name = p_node and p.finished_at is null
$$;
select tests.sign_in('uma');
select tests.make_pods('{"pack": "mine", "name": "private", "spec": {"resources": {"requests": {"cpu": 300}}}}');
select is(pg_temp.pods_of('umas'), 'private scheduled', 'an owner''s private pod is on the own node');
select tests.sign_in('dev');
select tests.make_pods('{"pack": "open", "name": "attack", "priority": 1000, "spec": {"nodeName": "umas", "resources": {"requests": {"cpu": 300}}}}');
select is(pg_temp.pods_of('umas'), 'private scheduled', 'a public pack of priority 1000 with nodeName pushes it off no more');
select is((select status || ' ' || status_message from stark.pods where name = 'attack'), 'pending 0/1 nodes: 1 insufficient cpu', 'it waits');
select tests.sign_in('ada');
select tests.make_pods('{"pack": "open", "name": "admins", "priority": 1000, "spec": {"nodeName": "umas", "resources": {"requests": {"cpu": 300}}}}');
select is(pg_temp.pods_of('umas'), 'private scheduled', 'an admin''s does not either');
-- A rule about other pods rejects the node too, and what it would need gone is the owner's.
select tests.sign_out();
update stark.nodes set labels = '{"host": "umas"}' where name = 'umas';
select tests.sign_in('ada');
select tests.make_pods('{"pack": "open", "name": "keeps-away", "priority": 900, "labels": {"app": "x"}, "spec": {"nodeName": "umas", "resources": {"requests": {"cpu": 1}},
  "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host", "labelSelector": {}}]}}}}');
select tests.sign_out();
select is(pg_temp.pods_of('umas'), 'private scheduled', 'nor by a rule about other pods');
delete from stark.pods where name in ('attack', 'admins', 'keeps-away');
select tests.sign_in('guest');
select tests.make_pods('{"pack": "open", "name": "visitor", "priority": 50, "spec": {"nodeSelector": {"host": "umas"}, "resources": {"requests": {"cpu": 100}}}}');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "mine", "name": "second", "spec": {"nodeSelector": {"host": "umas"}, "resources": {"requests": {"cpu": 100}}}}');
select is(pg_temp.pods_of('umas'), 'private scheduled, second scheduled', 'a guest of lower priority makes room for the owner');
select tests.sign_out();
delete from stark.pods where name in ('visitor', 'second');
select tests.sign_in('guest');
select tests.make_pods('{"pack": "open", "name": "visitor", "priority": 50, "spec": {"nodeSelector": {"host": "umas"}, "resources": {"requests": {"cpu": 100}}}}');
select tests.sign_in('dev');
select tests.make_pods('{"pack": "open", "name": "third", "spec": {"nodeSelector": {"host": "umas"}, "resources": {"requests": {"cpu": 100}}}}');
select is(pg_temp.pods_of('umas'), 'private scheduled, third scheduled', 'and for anybody of higher priority, as anywhere');
select tests.sign_out();
select tests.add_pack('umas-low', 'uma');
delete from stark.pods;
select tests.sign_in('uma');
select tests.make_pods('{"pack": "mine", "name": "low", "priority": 10, "spec": {"resources": {"requests": {"cpu": 400}}}}');
select tests.make_pods('{"pack": "mine", "name": "high", "spec": {"resources": {"requests": {"cpu": 400}}}}');
select is(pg_temp.pods_of('umas'), 'high scheduled', 'an owner''s own pods make room for each other');
select tests.sign_out();
delete from stark.pods;
delete from stark.nodes;

-- Whose pods a node takes ------------------------------------------------------------------------------------------------
select tests.sign_in('uma');
select is(tests.code_of(format('select stark.create_join_token(p_accepts => %s, p_accepted_namespaces => %s)', a, n)), 'INVALID_ARGUMENT', format('accepts %s, namespaces %s is nothing', a, n))
  from (values ('''everybody''', 'null'), ('''namespaces''', 'null'), ('''namespaces''', '''{}'''), ('''owner''', '''{team}'''), ('null', '''{team}'''), ('''namespaces''', '''{Team}'''), ('''namespaces''', '''{null}'''),
    ('''namespaces''', 'array(select ''n'' || i from generate_series(1, 65) i)')) t (a, n);
select is(tests.code_of(format('select stark.register_node(%L, %L, p_capabilities => %L)', 'bad', 'node', c)), 'INVALID_ARGUMENT', format('an agent does not say %s', c)) from (values
  ('{"accepts": "everybody"}'), ('{"accepts": "namespaces"}'), ('{"accepts": "namespaces", "acceptedNamespaces": []}'), ('{"accepts": "owner", "acceptedNamespaces": ["team"]}'), ('{"acceptedNamespaces": ["team"]}'),
  ('{"accepts": "namespaces", "acceptedNamespaces": ["Team"]}'), ('{"accepts": "namespaces", "acceptedNamespaces": [null]}'), ('{"accepts": "namespaces", "acceptedNamespaces": [["team"]]}'),
  ('{"accepts": "namespaces", "acceptedNamespaces": "team"}'), ('{"accepts": "namespaces", "acceptedNamespaces": {"a": "team"}}'), ('{"accepts": "anyone", "acceptedNamespaces": null}')) t (c);
create function pg_temp.register(p_name text, p_capabilities jsonb default '{}') returns void language sql as $$
  select stark.register_node(p_name, 'node', p_capabilities => p_capabilities);
$$;
select pg_temp.register('open'), pg_temp.register('walled', '{"isolation": {"tier": "strict"}}'), pg_temp.register('bare', '{"isolation": {"tier": "none"}}'), pg_temp.register('tab', '{"isolation": {"tier": "browser"}}'),
  pg_temp.register('said', '{"isolation": {"tier": "none"}, "accepts": "anyone"}'), pg_temp.register('closed', '{"accepts": "owner"}'), pg_temp.register('teams', '{"accepts": "namespaces", "acceptedNamespaces": ["team"]}');
select results_eq('select name, accepts, accepted_namespaces from stark.nodes order by name',
  $$values ('bare', 'owner', '{}'::text[]), ('closed', 'owner', '{}'), ('open', 'anyone', '{}'), ('said', 'anyone', '{}'), ('tab', 'anyone', '{}'), ('teams', 'namespaces', '{team}'), ('walled', 'anyone', '{}')$$,
  'a node says whose pods it takes; else its wall does');
select pg_temp.register('bare', '{"isolation": {"tier": "standard"}}'), pg_temp.register('walled', '{"isolation": {"tier": "none"}}');
select results_eq($$select name, accepts from stark.nodes where name in ('bare', 'walled') order by name$$, $$values ('bare', 'anyone'), ('walled', 'owner')$$, 'with another wall another answer');
select is((stark.update_node('bare', p_accepts => 'namespaces', p_accepted_namespaces => '{team}')).accepted_namespaces, '{team}', 'an owner says so for the agent');
select pg_temp.register('bare', '{"isolation": {"tier": "none"}, "accepts": "anyone"}');
select results_eq($$select accepts, accepted_namespaces from stark.nodes where name = 'bare'$$, $$values ('namespaces', '{team}'::text[])$$, 'and it outlives what the agent says');
select is((stark.update_node('bare', '{"zone": "a"}')).accepts, 'namespaces', 'and other changes');
select is(tests.code_of($$select stark.update_node('bare', p_accepts => 'everybody')$$), 'INVALID_ARGUMENT', 'if it is well formed');
select is(tests.code_of($$select stark.create_join_token(p_accepts => 'namespaces')$$), 'INVALID_ARGUMENT', 'a token''s likewise');
create temporary table token as select stark.create_join_token(p_accepts => 'owner') as t, stark.create_join_token() as free;
grant select on token to public;
select is((select t ->> 'accepts' from token), 'owner', 'a token can fix it');
select tests.sign_out();
select tests.add_user('agent'), tests.add_user('agent2');
select tests.sign_in_as('service_role');
select stark.join_node(encode(sha256(convert_to(t ->> 'token', 'UTF8')), 'hex'), tests.uid('agent'), 'joined', 'node'), stark.join_node(encode(sha256(convert_to(free ->> 'token', 'UTF8')), 'hex'), tests.uid('agent2'), 'joined-free', 'node') from token;
select tests.sign_out();
select results_eq($$select name, accepts from stark.nodes where name like 'joined%' order by name$$, $$values ('joined', 'owner'), ('joined-free', 'owner')$$, 'before its agent has registered a node takes its owner''s only');
select tests.sign_in('agent');
select pg_temp.register('joined', '{"isolation": {"tier": "strict"}, "accepts": "anyone"}');
select tests.sign_in('agent2');
select pg_temp.register('joined-free', '{"isolation": {"tier": "strict"}}');
select tests.sign_out();
select results_eq($$select name, accepts from stark.nodes where name like 'joined%' order by name$$, $$values ('joined', 'owner'), ('joined-free', 'anyone')$$, 'the token stands over the agent');
select is((select count(*) from stark.events e where e.kind = 'node' and e.type = 'node.updated' and e.object ->> 'name' = 'joined-free' and e.object ->> 'accepts' = 'anyone'), 1::bigint, 'a change of it is an event');
delete from stark.nodes;

-- Who gets in.
select tests.add_node('own', 'uma'), tests.add_node('team', 'uma');
update stark.nodes set labels = jsonb_build_object('host', name) where true;
update stark.nodes set accepts = 'owner' where name = 'own';
update stark.nodes set accepts = 'namespaces', accepted_namespaces = '{team}' where name = 'team';
create temporary table calls (who text, namespace text, node text, gets_in boolean);
insert into calls values ('uma', 'default', 'own', true), ('uma', 'default', 'team', true), ('ada', 'default', 'own', true), ('ada', 'default', 'team', true), ('udo', 'default', 'own', false), ('udo', 'team', 'own', false),
  ('udo', 'default', 'team', false), ('udo', 'team', 'team', true), ('otto', 'default', 'own', false), ('otto', 'team', 'team', true), ('dev', 'default', 'team', false);
grant select on calls to public;
create function pg_temp.placed(p_who text, p_namespace text, p_node text) returns text language plpgsql as $$
declare
  v_pod stark.pods;
begin
  perform tests.sign_in(p_who);
  select * into v_pod from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'namespace', p_namespace, 'spec', jsonb_build_object('nodeSelector', jsonb_build_object('host', p_node), 'resources', '{"requests": {"cpu": 1, "memory": 1}}'::jsonb))));
  perform tests.sign_out();
  return coalesce(v_pod.node_name, v_pod.status_message);
end $$;
select is(pg_temp.placed(c.who, c.namespace, c.node), case when c.gets_in then c.node
    else '0/2 nodes: 1 accepts its owner''s pods only, 1 accepts pods of other namespaces, 1 node selector' end, format('%s in namespace %s on node %s', c.who, c.namespace, c.node))
  from calls c where not (c.who = 'udo' and c.namespace = 'team' and c.node = 'own');
select is(pg_temp.placed('udo', 'team', 'own'), '0/2 nodes: 1 accepts its owner''s pods only, 1 node selector', 'udo in namespace team on node own');
select tests.sign_in('udo');
select is((stark.explain_placement('{"pack": "open"}')) ->> 'message', '0/2 nodes: 1 accepts its owner''s pods only, 1 accepts pods of other namespaces', 'a dry run says the same');
select is((stark.explain_placement('{"pack": "open", "namespace": "team"}')) ->> 'feasible', '1', 'and where there is a place');
select tests.sign_out();
-- A hundred pods of others, the same in all else, do not hide the one that has a place.
delete from stark.pods;
select tests.sign_in('udo');
select tests.make_pods('{"pack": "open", "name": "many", "replicas": 200}');
select tests.sign_in('guest');
select tests.make_pods('{"pack": "open", "name": "more", "replicas": 200}');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "hers"}');
select tests.sign_out();
select isnt((select p.node_name from stark.pods p where p.name = 'hers'), null, 'the owner''s pod is placed though hundreds of others want the same');
select tests.sign_in('uma');
select is((select (stark.update_node('own', p_accepts => 'anyone')).accepts), 'anyone', 'a node opens');
select tests.sign_out();
select cmp_ok((select count(*) from stark.pods p where p.node_name = 'own'), '>', 1::bigint, 'and takes those that wait');
select tests.sign_in('uma');
select stark.update_node('own', p_accepts => 'owner');
select tests.sign_out();
select cmp_ok((select count(*) from stark.pods p where p.node_name = 'own' and p.status = 'scheduled'), '>', 1::bigint, 'those that are there stay when it closes');

-- What placement tells ---------------------------------------------------------------------------------------------------
delete from stark.pods;
delete from stark.nodes;
insert into stark.namespaces (name, labels) values ('hidden', '{"kind": "secret"}');
insert into stark.role_bindings (user_id, role, namespace) values (tests.uid('scoped'), 'viewer', 'team');
select tests.add_node('n1', 'ada'), tests.add_node('n2', 'ada');
update stark.nodes set labels = jsonb_build_object('host', name) where true;
select tests.sign_in('ada');
select tests.make_pods('{"pack": "open", "name": "secret", "namespace": "hidden", "labels": {"app": "payroll"}, "spec": {"nodeName": "n1"}}');
select tests.sign_out();
create function pg_temp.near(p_kind text, p_more jsonb) returns jsonb language sql as $$
  select jsonb_build_object('pack', 'open', 'namespace', 'default', 'spec', jsonb_build_object('affinity', jsonb_build_object(p_kind, case
    when w.is_required then jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(w.term))
    else jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', 1, 'podAffinityTerm', w.term))) end)))
  from (select coalesce(p_more ->> 'preferred', '') = '' as is_required, '{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "payroll"}}}'::jsonb || (p_more - 'preferred') as term) w
$$;
create temporary table company (who text, more jsonb, code text);
insert into company values
  ('udo', '{}', 'ok'), ('udo', '{"namespaces": []}', 'ok'), ('udo', '{"namespaces": ["default"]}', 'ok'), ('udo', '{"namespaceSelector": null}', 'ok'),
  ('udo', '{"namespaces": ["hidden"]}', 'FORBIDDEN'), ('udo', '{"namespaces": ["default", "hidden"]}', 'FORBIDDEN'), ('udo', '{"namespaces": ["nowhere"]}', 'FORBIDDEN'),
  ('udo', '{"namespaceSelector": {}}', 'FORBIDDEN'), ('udo', '{"namespaceSelector": {"matchLabels": {"kind": "secret"}}}', 'FORBIDDEN'), ('udo', '{"namespaces": ["default"], "namespaceSelector": {}}', 'FORBIDDEN'),
  ('udo', '{"namespaces": ["hidden"], "preferred": "yes"}', 'FORBIDDEN'), ('udo', '{"namespaceSelector": {}, "preferred": "yes"}', 'FORBIDDEN'),
  ('scoped', '{"namespaces": ["team"]}', 'ok'), ('scoped', '{"namespaces": ["team", "hidden"]}', 'FORBIDDEN'), ('scoped', '{"namespaceSelector": {}}', 'FORBIDDEN'),
  ('dev', '{"namespaces": ["hidden"]}', 'ok'), ('dev', '{"namespaceSelector": {}}', 'ok'), ('ada', '{"namespaces": ["nowhere"]}', 'ok');
grant select on company to public;
select tests.sign_in(c.who),
  is(tests.code_of(format('select stark.explain_placement(%L)', pg_temp.near(k, c.more))), c.code, format('%s tries %s of pods of %s', c.who, k, c.more)),
  is(tests.code_of(format('select stark.create_pods(jsonb_build_array(%L::jsonb))', pg_temp.near(k, c.more))), c.code, 'and asks for it')
  from company c, unnest(array['podAffinity', 'podAntiAffinity']) k;
select tests.sign_in('udo');
select is((tests.error_of(format('select stark.explain_placement(%L)', pg_temp.near('podAffinity', '{"namespaces": ["hidden"]}'))) - 'hint'),
  (tests.error_of(format('select stark.explain_placement(%L)', pg_temp.near('podAffinity', '{"namespaces": ["nowhere"]}'))) - 'hint')
    || '{"message": "udo@example.com may not read the pods of namespace hidden, which an affinity asks about"}', 'a namespace that is there is refused like one that is not');
-- A dry run and the word of why a pod waits: how many nodes each rule rejects, and no name of any.
select is(stark.explain_placement('{"pack": "open", "spec": {"nodeSelector": {"host": "n1"}}}') - 'policy', '{"namespace": "default", "feasible": 1, "message": null, "nodes": []}', 'a dry run counts, and names no node that the caller may not read');
select is(stark.explain_placement('{"pack": "open", "spec": {"nodeSelector": {"host": "n1"}, "resources": {"requests": {"cpu": 90000}}}}') ->> 'message', '0/2 nodes: 2 insufficient cpu, 1 node selector', 'rule by rule, as in Kubernetes');
select tests.make_pods('{"pack": "open", "name": "mine", "spec": {"nodeSelector": {"host": "n1"}}}');
select is((select node_name from stark.pods where name = 'mine'), 'n1', 'an own pod says where it is');
select is(tests.count_of('select from stark.nodes'), 0::bigint, 'and nothing more of the node is read');
-- The owner of a pod that has to go is not told by whom.
select tests.sign_out();
delete from stark.pods where true;
select tests.sign_in('udo');
select tests.make_pods('{"pack": "open", "name": "victim", "priority": 1, "spec": {"nodeSelector": {"host": "n2"}, "resources": {"requests": {"cpu": 900}}}}');
select tests.sign_in('ada');
select tests.make_pods('{"pack": "open", "name": "payroll-run", "namespace": "hidden", "spec": {"nodeName": "n2", "resources": {"requests": {"cpu": 900}}}}');
select tests.sign_in('udo');
select matches((select status_reason || ': ' || status_message from stark.pods where name = 'victim'), '^Preempted: makes room for pod [0-9a-f-]{36} of priority 100$', 'a pod that makes room is not told for whose');
select is(tests.count_of($$select from stark.events where object ->> 'name' = 'victim' and object::text ~ 'hidden|payroll'$$), 0::bigint, 'neither do its events say');
select tests.sign_out();

select * from finish();
rollback;
