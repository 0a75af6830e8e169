-- Scheduling: each filter alone, the reasons that are kept, resources to the last slot, order, spreading, and when a pass runs.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user');
select tests.add_pack('open', 'uma', 'public'), tests.add_pack('mine', 'uma'), tests.add_pack('web', 'uma', 'public', 'browser'), tests.add_pack('both', 'uma', 'public', 'isomorphic');

/** Puts one pod on the cluster and takes it away again; tells the node's name, or the reasons. */
create function pg_temp.place(p_item jsonb) returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_reason || ': ' || p.status_message) into v from stark.create_pods(jsonb_build_array('{"pack": "open"}'::jsonb || p_item)) p;
  delete from stark.pods where true;
  return v;
end $$;
create function pg_temp.spec(p_spec text) returns jsonb language sql as $$ select jsonb_build_object('spec', p_spec::jsonb) $$;

select is(pg_temp.place('{}'), 'Unschedulable: 0/0 nodes', 'without a node a pod waits, and says so');

-- Runtime
select tests.add_node('n1', 'uma');
select is(pg_temp.place('{}'), 'n1', 'a pod for node runs on a node');
select is(pg_temp.place('{"pack": "web"}'), 'Unschedulable: 0/1 nodes: 1 runtime browser wanted', 'one for the browser does not');
select is(pg_temp.place('{"pack": "both"}'), 'n1', 'an isomorphic one does');
select tests.add_node('b1', 'uma', 'browser');
select is(pg_temp.place('{"pack": "web"}'), 'b1', 'a browser takes it');
select is(pg_temp.place('{"pack": "open"}'), 'n1', 'and leaves the other to the node');
delete from stark.nodes where name = 'b1';

-- Pack access
select tests.add_node('u1', 'udo');
delete from stark.nodes where name = 'n1';
select is(pg_temp.place('{"pack": "mine"}'), 'Unschedulable: 0/1 nodes: 1 private pack', 'a private pack does not run on another user''s node');
select is(pg_temp.place('{"pack": "open"}'), 'u1', 'a public one does');
select tests.add_node('a1', 'ada');
select is(pg_temp.place('{"pack": "mine"}'), 'a1', 'an admin''s node is shared');
update stark.profiles set disabled_at = now() where id = tests.uid('ada');
select is(pg_temp.place('{"pack": "mine"}'), 'Unschedulable: 0/2 nodes: 2 private pack', 'unless the admin was disabled');
update stark.profiles set disabled_at = null;
insert into stark.role_bindings (user_id, role, namespace) values (tests.uid('udo'), 'admin', 'default');
delete from stark.nodes where name = 'a1';
select is(pg_temp.place('{"pack": "mine"}'), 'Unschedulable: 0/1 nodes: 1 private pack', 'an admin of one namespace does not share nodes');
delete from stark.role_bindings where namespace is not null;
delete from stark.nodes;

-- Health, cordon, name
select tests.add_node('n1', 'uma');
create function pg_temp.status_gives(p_status text) returns text language plpgsql as $$
begin
  update stark.nodes set status = p_status where true;
  return pg_temp.place('{}');
end $$;
select is(pg_temp.status_gives(s), 'Unschedulable: 0/1 nodes: 1 node ' || s, format('a node that is %s gets nothing', s)) from unnest(array['unhealthy', 'offline', 'unknown']) s;
select is(pg_temp.status_gives('healthy'), 'n1', 'a healthy one does');
update stark.nodes set unschedulable = true;
select is(pg_temp.place('{}'), 'Unschedulable: 0/1 nodes: 1 unschedulable', 'a cordoned node gets nothing');
update stark.nodes set unschedulable = false;
select tests.add_node('n2', 'uma');
select is(pg_temp.place(pg_temp.spec('{"nodeName": "n2"}')), 'n2', 'a named node is the only one');
update stark.nodes set unschedulable = true where name = 'n2';
select is(pg_temp.place(pg_temp.spec('{"nodeName": "n2"}')), 'Unschedulable: 0/2 nodes: 1 node name n2 wanted, 1 unschedulable', 'also when it does not take the pod');
update stark.nodes set unschedulable = false;

-- Node selector
update stark.nodes set labels = '{"zone": "a", "disk": "ssd"}' where name = 'n2';
select is(pg_temp.place(pg_temp.spec('{"nodeSelector": {"zone": "a"}}')), 'n2', 'a selector finds its node');
select is(pg_temp.place(pg_temp.spec('{"nodeSelector": {"zone": "a", "disk": "ssd"}}')), 'n2', 'all its labels must be there');
select is(pg_temp.place(pg_temp.spec('{"nodeSelector": {"zone": "a", "disk": "hdd"}}')), 'Unschedulable: 0/2 nodes: 2 node selector', 'one that differs is enough to reject');
select is(pg_temp.place(pg_temp.spec('{"nodeSelector": {}}')), 'n1', 'an empty selector wants nothing');

-- Required node affinity
update stark.nodes set labels = '{"zone": "b", "cores": "4"}' where name = 'n1';
update stark.nodes set labels = '{"zone": "a", "cores": "16", "disk": "ssd"}' where name = 'n2';
create function pg_temp.affine(p_terms text) returns text language sql as $$
  select pg_temp.place(jsonb_build_object('spec', jsonb_build_object('affinity', jsonb_build_object('nodeAffinity',
    jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_object('nodeSelectorTerms', p_terms::jsonb)))))) $$;
select is(pg_temp.affine(terms), placed, format('%s: %s', terms, what)) from (values
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "c"]}]}]', 'n2', 'In'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["b"]}]}]', 'n2', 'NotIn'),
  ('[{"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["ssd"]}]}]', 'n1', 'NotIn matches a missing key'),
  ('[{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]', 'n2', 'Exists'),
  ('[{"matchExpressions": [{"key": "disk", "operator": "DoesNotExist"}]}]', 'n1', 'DoesNotExist'),
  ('[{"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]}]', 'n2', 'Gt compares numbers'),
  ('[{"matchExpressions": [{"key": "cores", "operator": "Lt", "values": ["8"]}]}]', 'n1', 'Lt too'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "Gt", "values": ["8"]}]}]', 'Unschedulable: 0/2 nodes: 2 node affinity', 'a label that is no number is neither greater'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}, {"key": "cores", "operator": "In", "values": ["4"]}]}]', 'Unschedulable: 0/2 nodes: 2 node affinity', 'expressions are ANDed'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["x"]}]}, {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]', 'n2', 'terms are ORed'),
  ('[{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}]', 'n2', 'a field, the name'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n2"]}]}]', 'Unschedulable: 0/2 nodes: 2 node affinity', 'fields and expressions are ANDed'),
  ('[{}]', 'Unschedulable: 0/2 nodes: 2 node affinity', 'an empty term matches nothing'),
  ('[{}, {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]', 'n2', 'but does not spoil another')) t (terms, placed, what);

create function pg_temp.unified(p_terms text) returns jsonb language plpgsql as $$
begin
  perform stark_internal.open_tables();
  perform stark_internal.load_nodes();
  insert into pg_temp.pass_pods (pod_id, template) values (gen_random_uuid(), jsonb_build_object('nodeName', 'x', 'required', p_terms::jsonb));
  perform stark_internal.unify_templates();
  return (select p.template from pg_temp.pass_pods p);
end $$;
select is(pg_temp.unified(terms), pg_temp.unified(same), what) from (values
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b", "none", "a"]}]}]', '[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}]', 'values that no node has, and their order, make no other template'),
  ('[{"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["x", "y"]}]}]', '[{"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["z"]}]}]', 'in NotIn neither'),
  ('[{"matchExpressions": [{"key": "disk", "operator": "Exists"}, {"key": "cores", "operator": "In", "values": ["4", "5"]}]}]', '[{"matchExpressions": [{"key": "cores", "operator": "In", "values": ["4"]}, {"key": "disk", "operator": "Exists"}]}]', 'nor does the order of expressions')) t (terms, same, what);
select isnt(pg_temp.unified(terms), pg_temp.unified(other), what) from (values
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]', '[{"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}]', 'another operator is another template'),
  ('[{"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["5"]}]}]', '[{"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["6"]}]}]', 'bounds need not be a node''s'),
  ('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["none"]}]}]', '[]', 'a term that matches nothing stays one'),
  ('[{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]', '[{}]', 'fields stay')) t (terms, other, what);
select is(pg_temp.unified('[{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]') ->> 'nodeName', 'x', 'all else of a template stays');

-- Taints
delete from stark.nodes where name = 'n2';
create function pg_temp.tainted(p_taints text, p_tolerations text) returns text language plpgsql as $$
begin
  update stark.nodes set taints = p_taints::jsonb where true;
  return pg_temp.place(jsonb_build_object('spec', jsonb_build_object('tolerations', p_tolerations::jsonb)));
end $$;
select is(pg_temp.tainted(taints, tolerations), placed, format('%s: %s', placed, what)) from (values
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[]', 'Unschedulable: 0/1 nodes: 1 taint dedicated=gpu:NoSchedule', 'a taint keeps pods off'),
  ('[{"key": "down", "effect": "NoExecute"}]', '[]', 'Unschedulable: 0/1 nodes: 1 taint down:NoExecute', 'NoExecute too'),
  ('[{"key": "slow", "effect": "PreferNoSchedule"}]', '[]', 'n1', 'PreferNoSchedule does not'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', 'n1', 'Equal is the default operator'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[{"key": "dedicated", "value": "cpu"}]', 'Unschedulable: 0/1 nodes: 1 taint dedicated=gpu:NoSchedule', 'another value tolerates nothing'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[{"key": "dedicated", "operator": "Exists"}]', 'n1', 'Exists takes any value'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}]', 'Unschedulable: 0/1 nodes: 1 taint dedicated=gpu:NoSchedule', 'another effect tolerates nothing'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]', '[{"operator": "Exists"}]', 'n1', 'Exists without a key takes all'),
  ('[{"key": "dedicated", "value": "gpu", "effect": "NoExecute"}]', '[{"key": "dedicated", "value": "gpu", "effect": ""}]', 'n1', 'an empty effect means every effect'),
  ('[{"key": "a", "effect": "NoSchedule"}, {"key": "b", "effect": "NoSchedule"}]', '[{"key": "a", "operator": "Exists"}]', 'Unschedulable: 0/1 nodes: 1 taint b:NoSchedule', 'each taint needs its toleration'),
  ('[{"key": "a", "effect": "NoSchedule"}]', '[{"key": "a"}]', 'n1', 'no value equals no value')) t (taints, tolerations, placed, what);
update stark.nodes set taints = '[]', labels = '{}';

-- Resources: to the last slot and not beyond
update stark.nodes set allocatable = '{"cpu": 1000, "memory": 1024, "storage": 100, "pods": 10}';
select is((select count(*) filter (where status = 'scheduled') from stark.create_pods('[{"pack": "open", "replicas": 7, "spec": {"resources": {"requests": {"cpu": 300}}}}]')), 3::bigint, 'three pods of 300 fit into 1000');
select is((select distinct status_message from stark.pods where status = 'pending'), '0/1 nodes: 1 insufficient cpu', 'the others wait for cpu');
select is((select allocated from stark.nodes), '{"cpu": 900, "memory": 384, "storage": 0, "pods": 3}', 'the node knows what is taken');
select is((select node_name from stark.create_pods('[{"pack": "open", "name": "small", "spec": {"resources": {"requests": {"cpu": 100}}}}]')), 'n1', 'a small one still fits');
update stark.pods set status = 'stopping' where id = (select id from stark.pods where status = 'scheduled' and cpu_request = 300 limit 1);
select is((select (allocated ->> 'cpu')::integer from stark.nodes), 1000, 'what is stopping still takes its room');
update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping';
select is((select count(*) from stark.pods where status = 'scheduled' and cpu_request = 300), 3::bigint, 'what ended leaves it to the next, at once');
delete from stark.pods where status = 'scheduled';
select is((select count(*) from stark.pods where status = 'scheduled'), 3::bigint, 'what is deleted too');
delete from stark.pods;
select is(pg_temp.place(pg_temp.spec(spec)), placed, format('%s on 1000 cpu, 1024 memory, 100 storage: %s', spec, placed)) from (values
  ('{"resources": {"requests": {"cpu": 1000, "memory": 1024, "storage": 100}}}', 'n1'),
  ('{"resources": {"requests": {"cpu": 1001}}}', 'Unschedulable: 0/1 nodes: 1 insufficient cpu'),
  ('{"resources": {"requests": {"memory": 1025}}}', 'Unschedulable: 0/1 nodes: 1 insufficient memory'),
  ('{"resources": {"requests": {"storage": 101}}}', 'Unschedulable: 0/1 nodes: 1 insufficient storage'),
  ('{"resources": {"requests": {"cpu": 5000, "memory": 5000, "storage": 5000}}}', 'Unschedulable: 0/1 nodes: 1 insufficient cpu, 1 insufficient memory, 1 insufficient storage')) t (spec, placed);
update stark.nodes set allocatable = '{"cpu": 0, "memory": 0, "storage": 0, "pods": 2}';
select is((select count(*) filter (where status = 'scheduled') from stark.create_pods('[{"pack": "open", "replicas": 3, "spec": {"resources": {"requests": {"cpu": 0, "memory": 0}}}}]')), 2::bigint, 'a zero request fits a full node, but a pod takes a place');
select is((select status_message from stark.pods where status = 'pending'), '0/1 nodes: 1 insufficient pods', 'and the places are counted');
delete from stark.pods;

-- Every failing filter of every node counts
delete from stark.nodes;
select tests.add_node('n1', 'uma', p_taints => '[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]');
select tests.add_node('n2', 'uma', p_allocatable => '{"cpu": 50, "memory": 1024, "storage": 0, "pods": 5}');
select tests.add_node('n3', 'udo', 'browser', p_status => 'offline');
select is(pg_temp.place('{}'), 'Unschedulable: 0/3 nodes: 1 insufficient cpu, 1 node offline, 1 runtime node wanted, 1 taint dedicated=gpu:NoSchedule', 'a pod keeps all reasons, counted per node');
select is(pg_temp.place('{"pack": "mine"}'), 'Unschedulable: 0/3 nodes: 1 insufficient cpu, 1 node offline, 1 private pack, 1 runtime node wanted, 1 taint dedicated=gpu:NoSchedule', 'one node may count under several');
select tests.add_node('n4', 'uma', p_allocatable => '{"cpu": 50, "memory": 10, "storage": 0, "pods": 5}');
select is(pg_temp.place('{}'), 'Unschedulable: 0/4 nodes: 2 insufficient cpu, 1 insufficient memory, 1 node offline, 1 runtime node wanted, 1 taint dedicated=gpu:NoSchedule', 'the commonest comes first');

-- Order: higher priority first, then older
delete from stark.nodes;
select tests.make_pods('{"pack": "open", "name": "low", "priority": 1}');
select tests.make_pods('{"pack": "open", "name": "old", "priority": 5}');
update stark.pods set created_at = now() - interval '1 hour' where name = 'old';
select tests.make_pods('{"pack": "open", "name": "new", "priority": 5}');
select tests.make_pods('{"pack": "open", "name": "high", "priority": 9, "spec": {"config": {"a": 1}}}');
select tests.add_node('n1', 'uma', p_allocatable => '{"cpu": 200, "memory": 1024, "storage": 0, "pods": 10}');
select set_eq($$select name from stark.pods where status = 'scheduled'$$, array['high', 'old'], 'the highest and the oldest come first');
update stark.nodes set allocatable = '{"cpu": 300, "memory": 1024, "storage": 0, "pods": 10}';
select set_eq($$select name from stark.pods where status = 'scheduled'$$, array['high', 'old', 'new'], 'then the younger, as soon as there is room');
delete from stark.pods;

-- Spreading
delete from stark.nodes;
select count(tests.add_node('n' || i, 'uma')) from generate_series(1, 4) i;
select results_eq($$select node_name, count(*) from stark.create_pods('[{"pack": "open", "replicas": 8}]') group by 1 order by 1$$, $$values ('n1', 2::bigint), ('n2', 2), ('n3', 2), ('n4', 2)$$, 'pods are spread evenly');
delete from stark.pods;
update stark.nodes set allocatable = '{"cpu": 4000, "memory": 8192, "storage": 0, "pods": 40}' where name = 'n4';
select is((select count(*) from stark.create_pods('[{"pack": "open", "replicas": 14}]') where node_name = 'n4'), 9::bigint, 'a larger node takes its larger share');
select is((select jsonb_object_agg(name, allocated = jsonb_build_object('cpu', c, 'memory', m, 'storage', 0, 'pods', k))
    from (select n.name, n.allocated, sum(p.cpu_request) as c, sum(p.memory_request) as m, count(*) as k from stark.nodes n join stark.pods p on p.node_id = n.id group by n.id) x),
  '{"n1": true, "n2": true, "n3": true, "n4": true}', 'what each node has given is what its pods have asked for');

-- When a pass runs, and that it is idempotent
delete from stark.pods;
update stark.nodes set status = 'offline';
select tests.make_pods('{"pack": "open", "name": "waiting"}');
select is((select status_message from stark.pods), '0/4 nodes: 4 node offline', 'with no node a pod waits');
create temporary table was as select resource_version from stark.pods;
select is(stark_internal.schedule_pods(), 0, 'a pass that changes nothing');
select results_eq('select resource_version from stark.pods', 'select resource_version from was', 'changes nothing');
update stark.nodes set status = 'healthy', unschedulable = true where name = 'n1';
select is((select status from stark.pods), 'pending', 'a healthy but cordoned node is no help');
update stark.nodes set unschedulable = false where name = 'n1';
select results_eq('select status, node_name, status_reason, status_message from stark.pods', $$values ('scheduled', 'n1', null::text, null::text)$$, 'an uncordoned node is, at once, and the reasons are gone');
update stark.pods set status = 'running';
delete from stark.pods;
select tests.make_pods('{"pack": "open", "name": "picky", "spec": {"nodeSelector": {"gpu": "yes"}}}');
update stark.nodes set labels = '{"gpu": "yes"}' where name = 'n1';
select is((select node_name from stark.pods), 'n1', 'a label that comes is enough');
delete from stark.pods;
select tests.make_pods('{"pack": "open", "name": "clock", "spec": {"nodeSelector": {"no": "where"}}}');
update stark.nodes set labels = '{"no": "where"}' where name = 'n2' and stark_internal.schedule_pods(p_now => '2030-01-01') = 0;
select tests.make_pods('{"pack": "open", "name": "later", "spec": {"nodeSelector": {"not": "yet"}}}');
update stark.pods set spec = spec - 'nodeSelector' where name = 'later';
select is(stark_internal.schedule_pods(p_now => '2030-01-01'), 1, 'a pass can be given its time');
select is((select scheduled_at from stark.pods where name = 'later'), '2030-01-01'::timestamptz, 'and writes it');

-- New pods only take room: what fitted nowhere before them is not looked at again, unless it looks at other pods
delete from stark.pods;
select tests.make_pods('{"pack": "open", "name": "giant", "spec": {"resources": {"requests": {"cpu": 1000000}}}}');
select tests.make_pods('{"pack": "open", "name": "follower", "spec": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "leader"}}}]}}}}');
update stark.nodes set labels = jsonb_build_object('host', name);
update stark.pods set status_message = 'as it was' where status = 'pending';
select tests.make_pods('{"pack": "open", "name": "leader", "labels": {"app": "leader"}}');
select is((select node_name from stark.pods where name = 'follower'), (select node_name from stark.pods where name = 'leader'), 'who waits for company is looked at with each new pod');
select is((select status_message from stark.pods where name = 'giant'), 'as it was', 'who only waits for room is not');
update stark.nodes set labels = labels || '{"new": "label"}' where name = 'n1';
select matches((select status_message from stark.pods where name = 'giant'), 'insufficient cpu', 'but is when a node has changed');

-- Everybody waits while a pass looks again at what fitted nowhere, so it looks at some of it, and at the rest in the next
delete from stark.pods;
select stark.create_pods(part) from (select jsonb_agg(item order by i) as part from (select i, jsonb_build_object('pack', 'open', 'spec', jsonb_build_object('resources', '{"requests": {"cpu": 1000000}}'::jsonb, 'topologySpreadConstraints',
  jsonb_build_array(jsonb_build_object('maxSkew', 1, 'topologyKey', 'host', 'whenUnsatisfiable', 'DoNotSchedule', 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object('app', 'a' || i)))))) as item from generate_series(1, 55) i) e group by i / 20) p;
select is((select count(*) from generate_series(1, 9) where stark_internal.continue_work()) between 2 and 8, true, 'twelve groups have a turn in a pass, and others in the next, until all have had one');
insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, spec, priority, created_by)
  select 'new', 'default', v.pack_id, v.pack_name, v.id, v.version, '{}', 0, tests.uid('uma') from stark.pack_versions v where v.pack_name = 'open';
select stark_internal.lock_cluster(), stark_internal.open_tables(), stark_internal.load_nodes(), stark_internal.load_pods();
select set_eq($$select relname::text from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r' and relname ~ '^pass_' and reltoastrelid = 0$$,
  array['pass_facts', 'pass_ports', 'pass_rules', 'pass_counts', 'pass_anti_affinity_counts', 'pass_preferences', 'pass_bindings', 'pass_nominated'], 'tables with nothing long in them have no other beside them that each commit would empty too');
select is((select count(distinct rules) from pg_temp.pass_pods), 50::bigint, 'of many rules fifty have a turn');
select stark_internal.load_rules();
create temporary table turns as select * from stark_internal.place_groups(20);
select is((select array_agg(p.name) from pg_temp.pass_bindings b join stark.pods p on p.id = b.pod_id), '{new}', 'who is new is placed');
select results_eq('select has_more, waiting, retried, (select count(*)::integer from pg_temp.pass_reasons) from turns', 'values (false, 50, 20, 20)', 'of those that fitted nowhere twenty have their turn');
create temporary table next_turns as select * from stark_internal.place_groups(20, p_after => (select last_group from turns));
create temporary table last_turns as select * from stark_internal.place_groups(20, p_after => (select last_group from next_turns));
select results_eq('select retried from next_turns union all select retried from last_turns', 'values (20), (20)', 'then twenty more, and the rest');
select is((select count(distinct pod_id) from pg_temp.pass_reasons), 50::bigint, 'so that all have had one');
select is((select count(*) from stark_internal.pending_groups() where previously_unschedulable), 50::bigint, 'as those that fitted nowhere');

-- Cordoned nodes are open to who tolerates the taint that stands for it
delete from stark.pods where true;
delete from stark.nodes where true;
select tests.add_node('n1', 'ada', p_labels => '{"zone": "a"}'), tests.add_node('n2', 'ada', p_labels => '{"zone": "b"}');
update stark.nodes set unschedulable = true where true;
create function pg_temp.bears(p_tolerations jsonb) returns jsonb language sql as $$ select jsonb_build_object('spec', jsonb_build_object('nodeName', 'n1', 'tolerations', p_tolerations)) $$;
select is(pg_temp.place(pg_temp.bears(t::jsonb)), wanted, format('cordon: %s', what)) from (values
  ('[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"}]', 'n1', 'tolerated by its key'),
  ('[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]', 'n1', 'tolerated with every effect'), ('[{"operator": "Exists"}]', 'n1', 'tolerated with everything'),
  ('[{"key": "node.kubernetes.io/unschedulable"}]', 'n1', 'tolerated by an empty value'),
  ('[{"key": "node.kubernetes.io/unschedulable", "value": "yes"}]', 'Unschedulable: 0/2 nodes: 2 unschedulable, 1 node name n1 wanted', 'not by another value'),
  ('[{"operator": "Exists", "effect": "NoExecute"}]', 'Unschedulable: 0/2 nodes: 2 unschedulable, 1 node name n1 wanted', 'not by another effect')) t (t, wanted, what);
create function pg_temp.everywhere(p_policy text, p_more jsonb default '{}') returns jsonb language sql as $$ select jsonb_build_object('labels', '{"app": "e"}'::jsonb, 'replicas', 3, 'name', 'e', 'spec', p_more || jsonb_build_object(
  'topologySpreadConstraints', jsonb_build_array(jsonb_build_object('maxSkew', 1, 'topologyKey', 'zone', 'whenUnsatisfiable', 'DoNotSchedule', 'nodeTaintsPolicy', p_policy, 'labelSelector', '{"matchLabels": {"app": "e"}}'::jsonb)))) $$;
update stark.nodes set unschedulable = false where name = 'n1';
select is((select count(p.node_name) from stark.create_pods(jsonb_build_array('{"pack": "open"}' || pg_temp.everywhere('Ignore'))) p), 1::bigint, 'a cordoned node is a domain to spread over');
delete from stark.pods where true;
select is((select count(p.node_name) from stark.create_pods(jsonb_build_array('{"pack": "open"}' || pg_temp.everywhere('Honor'))) p), 3::bigint, 'unless taints are honoured');
delete from stark.pods where true;
update stark.nodes set unschedulable = true, labels = '{}' where true;
select stark.create_pods('[{"pack": "open", "name": "early", "spec": {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}]}}]');
update stark.nodes set labels = '{"disk": "ssd"}' where name = 'n2';
select is((select node_name from stark.pods where name = 'early'), 'n2', 'a cordoned node that changes makes a pass for who may go there');
delete from stark.pods where true;
update stark.nodes set unschedulable = false where true;

-- Fixed ports
create function pg_temp.ports(p_name text, p_ports jsonb, p_more jsonb default '{}') returns text language sql as $$
  select coalesce(p.node_name, p.status_reason || ': ' || p.status_message) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'spec', p_more || jsonb_build_object('ports',
    (select jsonb_agg(jsonb_build_object('name', 'p' || e.key, 'strategy', 'fixed', 'port', e.value)) from jsonb_each(p_ports) e))))) p $$;
select is(pg_temp.ports('w1', '{"a": 80}'), 'n1', 'a fixed port');
select is(pg_temp.ports('w2', '{"a": 80}'), 'n2', 'keeps its twin off the node');
select is(pg_temp.ports('w3', '{"a": 80, "b": 81}'), 'Unschedulable: 0/2 nodes: 2 port 80 taken', 'and where all have it it is the reason');
select is(pg_temp.ports('other', '{"a": 8080}'), 'n1', 'another number is free');
select is(pg_temp.ports('w4', '{"a": 80, "b": 8080}'), 'Unschedulable: 0/2 nodes: 2 port 80 taken, 1 port 8080 taken', 'each port counts');
select is((select count(*) from stark.create_pods('[{"pack": "open", "name": "r", "replicas": 3, "spec": {"ports": [{"name": "a", "strategy": "random"}, {"name": "b"}]}}]') p where p.node_name is not null), 3::bigint, 'random ports want none');
select is((select n ->> 'reasons' from jsonb_array_elements(stark.explain_placement('{"pack": "open", "spec": {"ports": [{"name": "a", "port": 8080}]}}') -> 'nodes') n where n ->> 'node' = 'n1'), '["port 8080 taken"]', 'a port alone is fixed')
  from tests.sign_in('ada');
select tests.sign_out();
select is((select n ->> 'reasons' from jsonb_array_elements(stark.explain_placement('{"pack": "open", "spec": {"ports": [{"name": "x", "strategy": "fixed", "port": 8080}]}}') -> 'nodes') n where n ->> 'node' = 'n1'), '["port 8080 taken"]', 'explain_placement knows ports')
  from tests.sign_in('ada');
select tests.sign_out();
delete from stark.pods where name = 'w4';
update stark.pods set status = 'stopping', stop_requested_at = now() where name = 'w2';
select is((select node_name from stark.pods where name = 'w3'), null, 'who stops has it still');
update stark.pods set status = 'stopped', finished_at = now() where name = 'w2';
select is((select node_name from stark.pods where name = 'w3'), 'n2', 'who has ended gives it to the next');
delete from stark.pods where true;
select is((select array_agg(p.node_name order by p.node_name) from stark.create_pods('[{"pack": "open", "name": "s", "replicas": 3, "spec": {"ports": [{"name": "a", "strategy": "fixed", "port": 80}]}}]') p), '{n1,n2,NULL}', 'of several one a node');
select is((select array_agg(p.node_name order by p.name) from stark.create_pods('[{"pack": "open", "name": "a", "priority": 200, "spec": {"ports": [{"name": "a", "strategy": "fixed", "port": 90}], "nodeName": "n1"}}, {"pack": "open", "name": "b", "spec": {"ports": [{"name": "c", "strategy": "fixed", "port": 90}]}}]') p), '{n1,n2}', 'of different ones in one call too');
delete from stark.pods where true;

-- Filters and scores are what the registry says
select set_eq($$select p.proname::text from pg_catalog.pg_proc p where p.pronamespace = 'stark_internal'::regnamespace and p.proname ~ '^(filter|score)_' and p.proname not in ('score_slots', 'score_preferences')$$,
  $$select kind || '_' || name from stark_internal.scheduling_plugins$$, 'every filter and score is in the registry, and has its function');
select is_empty($$select g.name from stark_internal.scheduling_plugins g, pg_catalog.pg_proc p
  where g.kind = 'filter' and p.oid = 'stark_internal.rejections'::regproc and strpos(p.prosrc, format('select f.node_no, %L, f.detail from stark_internal.filter_%s(', g.name, g.name)) = 0$$,
  'every filter is asked, and answers under its own name');
select is_empty($$select g.name from stark_internal.scheduling_plugins g
  where g.kind = 'score' and not exists (select from pg_catalog.pg_proc p
    where p.oid in ('stark_internal.score_slots'::regproc, 'stark_internal.preference_points'::regproc, 'stark_internal.score_preferences'::regproc) and strpos(p.prosrc, format('stark_internal.score_%s(', g.name)) > 0)$$,
  'and so is every score');

select * from finish();
rollback;
