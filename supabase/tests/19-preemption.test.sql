-- Preemption: who has to go, where, and who gets the place.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin');
select tests.add_pack('open', 'ada', 'public');
-- A pod that is there when others come has begun: one that has not ends at once, which has tests of its own below.
create function pg_temp.create_pods(p_pods jsonb) returns setof stark.pods language plpgsql as $$
begin
  update stark.pods set status = 'running' where status = 'scheduled';
  return query select * from stark.create_pods(p_pods);
end $$;
create function pg_temp.put(p_name text, p_cpu integer, p_priority integer, p_spec jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_reason || ': ' || p.status_message) into v
    from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'priority', p_priority,
      'spec', p_spec || jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', p_cpu, 'memory', 0)))))) p;
  return v;
end $$;
create function pg_temp.on_node(p_node text) returns jsonb language sql as $$ select jsonb_build_object('nodeName', p_node) $$;
create function pg_temp.victims() returns text language sql as $$ select coalesce(string_agg(name, ' ' order by name), '') from stark.pods where status = 'stopping' $$;
create function pg_temp.gone() returns void language sql as $$ update stark.pods set status = 'stopped', finished_at = now() where status = 'stopping' $$;
create function pg_temp.clear() returns void language sql as $$ delete from stark.pods where true $$;
select tests.add_node('n1', 'ada');

-- One node
select pg_temp.put('low', 600, 10), pg_temp.put('mid', 300, 50);
select is(pg_temp.put('high', 500, 100), 'Nominated: waits for room on node n1', 'a pod of higher priority waits for the room it gets');
select is(pg_temp.victims(), 'low', 'the lowest that is enough has to go, the higher one is spared');
select is((select status_reason || ': ' || status_message from stark.pods where name = 'low'), (select format('Preempted: makes room for pod %s of priority 100', id) from stark.pods where name = 'high'), 'and knows for whom, by what tells others nothing');
select is((select n.name from stark.pods p join stark.nodes n on n.id = p.nominated_node_id where p.name = 'high'), 'n1', 'the place is promised');
select is(pg_temp.put('beside', 100, 100), 'Nominated: waits for room on node n1', 'one that will fit beside waits for the same room');
select is(pg_temp.put('thief', 100, 5), 'Unschedulable: 0/1 nodes: 1 insufficient cpu', 'nobody lower gets it meanwhile');
select is(stark_internal.schedule_pods(), 0, 'another pass changes nothing');
select is(pg_temp.victims(), 'low', 'and evicts nobody else');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'high'), 'n1', 'when it has gone the place is taken');
select is((select nominated_node_id from stark.pods where name = 'high'), null, 'and promised no longer');
select is((select node_name from stark.pods where name = 'thief'), 'n1', 'what is left over is for the others');
select pg_temp.clear();
select pg_temp.put('low', 600, 10), pg_temp.put('mid', 300, 50), pg_temp.put('high', 500, 100), pg_temp.put('thief', 100, 5);
update stark.pods set status = 'stopped', finished_at = now() where name = 'high';
select is((select node_name from stark.pods where name = 'thief'), 'n1', 'when who was promised a place gives up, it is free at once');
select pg_temp.clear();
select pg_temp.put('low', 600, 10), pg_temp.put('mid', 300, 50), pg_temp.put('high', 500, 100), pg_temp.put('thief', 100, 5);
delete from stark.pods where name = 'high';
select is((select node_name from stark.pods where name = 'thief'), 'n1', 'and when it is deleted');
select pg_temp.clear();

-- Whom it does not touch
select pg_temp.put('same', 900, 100);
select is(pg_temp.put('equal', 500, 100), 'Unschedulable: 0/1 nodes: 1 insufficient cpu', 'equal priority pushes nobody out');
select is(pg_temp.put('never', 500, 900, '{"preemptionPolicy": "Never"}'), 'Unschedulable: 0/1 nodes: 1 insufficient cpu', 'neither does policy Never');
select is(pg_temp.put('huge', 2000, 900), 'Unschedulable: 0/1 nodes: 1 insufficient cpu', 'nobody goes where it would not help');
select is(pg_temp.put('picky', 500, 900, '{"nodeSelector": {"gpu": "yes"}}'), 'Unschedulable: 0/1 nodes: 1 insufficient cpu, 1 node selector', 'nor where something else rejects the node');
select is(pg_temp.victims(), '', 'nobody went');
select is((select count(*) from stark.pods where nominated_node_id is not null), 0::bigint, 'and nothing is promised');
select pg_temp.clear();

-- Reprieve: from the highest down, the longest running first
select pg_temp.put('p1', 300, 10), pg_temp.put('p2', 300, 20), pg_temp.put('p3', 300, 30);
select pg_temp.put('high', 400, 100);
select is(pg_temp.victims(), 'p1', 'one is enough, and it is the lowest');
select pg_temp.clear();
select pg_temp.put('p1', 100, 10), pg_temp.put('p2', 500, 20), pg_temp.put('p3', 400, 30);
select pg_temp.put('high', 450, 100);
select is(pg_temp.victims(), 'p2', 'a lower one that fits beside is put back too');
select pg_temp.clear();
select pg_temp.put('old', 500, 10), pg_temp.put('young', 500, 10);
update stark.pods set scheduled_at = now() - interval '1 hour' where name = 'old';
select pg_temp.put('high', 500, 100);
select is(pg_temp.victims(), 'young', 'of equals the longest running stays');
select pg_temp.clear();

-- Which node: lowest highest victim, fewest, lowest sum, latest start
select tests.add_node('n2', 'ada');
create function pg_temp.two(p_one text, p_two text) returns text language plpgsql as $$
declare
  v_pod text;
  v_victims text;
begin
  perform pg_temp.clear();
  foreach v_pod in array string_to_array(p_one, ' ') loop
    perform pg_temp.put(replace('a-' || v_pod, ':', '-'), split_part(v_pod, ':', 1)::integer, split_part(v_pod, ':', 2)::integer, pg_temp.on_node('n1'));
  end loop;
  foreach v_pod in array string_to_array(p_two, ' ') loop
    perform pg_temp.put(replace('b-' || v_pod, ':', '-'), split_part(v_pod, ':', 1)::integer, split_part(v_pod, ':', 2)::integer, pg_temp.on_node('n2'));
  end loop;
  update stark.pods set scheduled_at = now() - interval '1 hour' where name ~ '^a';
  perform pg_temp.put('high', 1000, 500);
  return pg_temp.victims();
end $$;
select is(pg_temp.two('1000:50', '1000:40'), 'b-1000-40', 'the lowest highest victim');
select is(pg_temp.two('600:20 400:0', '500:20'), 'b-500-20', 'then the fewest');
select is(pg_temp.two('400:40 300:0 299:0', '500:40 500:1'), 'b-500-1 b-500-40', 'even where their sum is higher');
select is(pg_temp.two('500:40 499:10', '500:40 499:9'), 'b-499-9 b-500-40', 'then the lowest sum');
select is(pg_temp.two('1000:20', '1000:20'), 'b-1000-20', 'then the one that started last');
select pg_temp.clear();

-- Several newcomers
select pg_temp.put('a' || i, 1000, 10) from generate_series(1, 2) i;
select results_eq($$select status_reason, count(*) from pg_temp.create_pods('[{"pack": "open", "replicas": 3, "priority": 200, "spec": {"resources": {"requests": {"cpu": 1000, "memory": 0}}}}]') group by 1 order by 1$$,
  $$values ('Nominated', 2::bigint), ('Unschedulable', 1)$$, 'each newcomer gets a place of its own, the last one none');
select is(pg_temp.victims(), 'a1 a2', 'nobody goes twice');
select pg_temp.gone();
select is((select count(distinct node_id) from stark.pods where status = 'scheduled' and priority = 200), 2::bigint, 'both are placed');
select pg_temp.clear();
select pg_temp.put('a' || i, 1000, 10) from generate_series(1, 2) i;
select pg_temp.put('high', 1000, 200);
update stark.nodes set status = 'offline' where id = (select nominated_node_id from stark.pods where name = 'high');
select stark_internal.schedule_pods();
select isnt((select nominated_node_id from stark.pods where name = 'high'), (select id from stark.nodes where status = 'offline'), 'a promise on a node that was lost is dropped');

delete from stark.pods;

-- Rules about other pods give way too, where those who are in the way may be pushed out
select tests.add_node('n3', 'ada'), tests.add_node('n4', 'ada');
update stark.nodes set status = 'healthy', labels = case when name in ('n1', 'n2') then '{"zone": "a"}' else '{"zone": "b"}' end::jsonb || jsonb_build_object('host', name);
create function pg_temp.rule(p_kind text, p_key text, p_app text) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object(p_kind, jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution',
    jsonb_build_array(jsonb_build_object('topologyKey', p_key, 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object('app', p_app))))))) $$;
create function pg_temp.app(p_app text, p_name text, p_priority integer, p_spec jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_reason || ': ' || p.status_message) into v
    from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'priority', p_priority, 'labels', jsonb_build_object('app', p_app), 'spec', p_spec))) p;
  return v;
end $$;
select pg_temp.app('noise', 'noise' || i, case when i = 2 then 5 else 10 end, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
select pg_temp.app('calm', 'calm' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
select is(pg_temp.app('quiet', 'quiet', 100, pg_temp.rule('podAntiAffinity', 'host', 'noise')), 'Nominated: waits for room on node n2', 'whom it keeps away from has to go where that costs least');
select is(pg_temp.victims(), 'noise2', 'and nobody else');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'quiet'), 'n2', 'then it is placed');
select is(pg_temp.app('noise', 'loud', 200, pg_temp.on_node('n2')), 'Nominated: waits for room on node n2', 'who keeps it away has to go as well');
select is(pg_temp.victims(), 'quiet', 'only that one');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'loud'), 'n2', 'then it is placed');
select is(pg_temp.app('quiet', 'hush', 100, pg_temp.rule('podAntiAffinity', 'zone', 'noise')), 'Unschedulable: 0/4 nodes: 4 pod anti-affinity', 'nobody goes where others of the domain, or higher ones, are in the way still');
select is(pg_temp.victims(), '', 'nobody went');
delete from stark.pods where name = 'noise3';
select is((select node_name is null and nominated_node_id = (select id from stark.nodes where name = 'n4') from stark.pods where name = 'hush'), true, 'where one node has them all they go');
select is(pg_temp.victims(), 'noise4', 'these are they');
delete from stark.pods;
select pg_temp.app('web', 'old' || i, 10, pg_temp.on_node('n1')) from generate_series(1, 2) i;
update stark.pods set scheduled_at = now() - interval '1 hour' where name = 'old1';
select pg_temp.app('web', 'other', 10, pg_temp.on_node('n2'));
create function pg_temp.spread() returns jsonb language sql as $$
  select '{"topologySpreadConstraints": [{"maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}], "nodeName": "n1"}'::jsonb $$;
update stark.nodes set labels = labels || '{"zone": "b"}' where name in ('n3', 'n4');
select is(pg_temp.app('web', 'new', 100, jsonb_set(pg_temp.spread(), '{topologySpreadConstraints,0,nodeAffinityPolicy}', '"Ignore"')), 'Nominated: waits for room on node n1', 'of too many in one domain some have to go');
select is(pg_temp.victims(), 'old1 old2', 'as many as are too many');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'new'), 'n1', 'then it is placed');
delete from stark.pods;
select pg_temp.app('web', 'old' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '1');
select is((select array_agg(distinct p.nominated_node_id is not null) from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'apart', 'replicas', 3, 'priority', 100,
  'labels', '{"app": "db"}'::jsonb, 'spec', pg_temp.rule('podAntiAffinity', 'host', 'db')))) p), array[true], 'pods that keep apart are promised places');
select is((select count(distinct nominated_node_id) from stark.pods where name ~ 'apart'), 3::bigint, 'that are apart');
select is((select count(*) from stark.pods where status = 'stopping'), 3::bigint, 'and no more go than have to');
select pg_temp.gone();
select is((select count(distinct node_id) from stark.pods where name ~ 'apart'), 3::bigint, 'and they get them');
delete from stark.pods;
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '10');
select pg_temp.app('web', 'w' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 2) i;
select is((select array_agg(coalesce((select n.name from stark.nodes n where n.id = p.nominated_node_id), 'none') order by p.name) from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'apart', 'replicas', 3, 'priority', 100,
  'labels', '{"app": "db"}'::jsonb, 'spec', pg_temp.rule('podAntiAffinity', 'host', 'db') || '{"nodeSelector": {"zone": "a"}}'))) p), array['none', 'none', 'none'], 'a rule among themselves lets nobody be pushed out');
select is((select count(*) from stark.pods where status = 'scheduled' and name ~ 'apart'), 2::bigint, 'two have room');
select is(pg_temp.victims(), '', 'for the third nobody goes');

delete from stark.pods;

-- A place is filled before another node loses its pods
update stark.nodes set allocatable = '{"cpu": 1000, "memory": 1024, "storage": 1000, "pods": 10}';
create function pg_temp.needs(p_cpu integer) returns jsonb language sql as $$ select jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', p_cpu, 'memory', 0))) $$;
select pg_temp.put('a' || i, 1000, 10) from generate_series(1, 4) i;
select is((select count(distinct p.nominated_node_id) from pg_temp.create_pods('[{"pack": "open", "replicas": 5, "priority": 200, "spec": {"resources": {"requests": {"cpu": 400, "memory": 0}}}}]') p), 3::bigint, 'two share what one leaves');
select is((select count(*) from stark.pods where status = 'stopping'), 3::bigint, 'and for five three go');
delete from stark.pods;
select pg_temp.put('a' || i, 1000, 10) from generate_series(1, 4) i;
select is((select count(distinct p.nominated_node_id) from pg_temp.create_pods((select jsonb_agg(jsonb_build_object('pack', 'open', 'priority', 200, 'spec', pg_temp.needs(cpu))) from unnest(array[200, 300, 400]) cpu)) p), 1::bigint, 'whatever each asks for');
select is((select count(*) from stark.pods where status = 'stopping'), 1::bigint, 'and for these one is enough');
delete from stark.pods;
select pg_temp.put(c.name || n, c.cpu, c.priority, pg_temp.on_node('n' || n)) from generate_series(1, 2) n, (values ('x', 500, 20), ('y', 400, 10), ('z', 100, 30)) c (name, cpu, priority);
select pg_temp.create_pods('[{"pack": "open", "replicas": 2, "priority": 200, "spec": {"nodeSelector": {"zone": "a"}, "resources": {"requests": {"cpu": 450, "memory": 0}}}}]');
select is((select array_agg(priority order by priority) from stark.pods where status = 'stopping'), '{10,20}', 'a lower one beside goes before the like of the first on another node');
delete from stark.pods;

-- More is taken than a node has by now: who asks for none of it is helped all the same
select pg_temp.put('rest', 500, 900, pg_temp.on_node('n1')), pg_temp.app('low', 'low', 10, pg_temp.on_node('n1') || '{"resources": {"requests": {"cpu": 0, "memory": 1000}}}');
update stark.nodes set allocatable = jsonb_set(allocatable, '{cpu}', '100') where name = 'n1';
select is((select array_agg(p.status_reason order by p.name) from pg_temp.create_pods((select jsonb_agg(jsonb_build_object('pack', 'open', 'name', 'new' || i, 'priority', 100,
  'spec', jsonb_build_object('nodeName', 'n1', 'resources', jsonb_build_object('requests', jsonb_build_object('cpu', 50 - 50 * i, 'memory', 500))))) from generate_series(0, 1) i)) p), '{Unschedulable,Nominated}', 'a node without cpu for those that ask for it');
update stark.nodes set allocatable = jsonb_set(allocatable, '{cpu}', '1000') where name = 'n1';
delete from stark.pods;

-- Company that is wanted and would have to go
select pg_temp.app('cache', 'cache', 10, pg_temp.on_node('n1') || pg_temp.needs(900));
select is(pg_temp.app('web', 'near', 100, pg_temp.rule('podAffinity', 'host', 'cache') || pg_temp.needs(500)), 'Unschedulable: 0/4 nodes: 3 pod affinity, 1 insufficient cpu', 'nobody pushes out whom it wants to be near');
select is(pg_temp.victims(), '', 'nobody went');
select pg_temp.app('cache', 'higher', 200, pg_temp.on_node('n1') || pg_temp.needs(50)), stark_internal.schedule_pods();
select is(pg_temp.victims(), 'cache', 'where another stays it may');
delete from stark.pods;

-- The first of its kind, and those of its kind outside all domains
select tests.add_node('bare', 'ada');
select pg_temp.app('herd', 'outside', 10, pg_temp.on_node('bare'));
select pg_temp.app('low', 'low' || i, 10 + i, pg_temp.on_node('n' || i) || pg_temp.needs(1000)) from generate_series(1, 4) i;
select is(pg_temp.app('herd', 'first', 100, pg_temp.rule('podAffinity', 'zone', 'herd') || pg_temp.needs(500)), 'Nominated: waits for room on node n1', 'the first of its kind is helped');
select pg_temp.app('herd', 'outside2', 10, pg_temp.on_node('bare'));
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'first'), 'n1', 'nobody has gone in vain: those who came meanwhile to a node without the key do not count');
delete from stark.pods;
select pg_temp.app('herd', 'outside', 10, pg_temp.on_node('bare'));
select pg_temp.app('herd', 'low' || i, 10 + i, pg_temp.on_node('n' || i) || pg_temp.needs(1000)) from generate_series(1, 1) i;
select pg_temp.put('rest' || i, 1000, 900, pg_temp.on_node('n' || i)) from generate_series(2, 4) i;
select is(pg_temp.app('herd', 'only', 100, pg_temp.rule('podAffinity', 'zone', 'herd') || pg_temp.needs(500)), 'Nominated: waits for room on node n1', 'who alone stands in a domain may go: then the newcomer is the first');
delete from stark.pods;
delete from stark.nodes where name = 'bare';
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '1');
select pg_temp.app('low', 'low' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
update stark.pods set scheduled_at = now() - interval '1 hour' where name in ('low2', 'low4');
select is((select count(distinct n.labels ->> 'zone') || ' ' || count(*) from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'herd', 'replicas', 2, 'priority', 100,
  'labels', '{"app": "herd"}'::jsonb, 'spec', pg_temp.rule('podAffinity', 'zone', 'herd')))) p join stark.nodes n on n.id = p.nominated_node_id), '1 2', 'those that want to be together are promised places together');
delete from stark.pods;

-- Of those that have to be looked at alone a pass looks at some
select pg_temp.app('low', 'low' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, priority, created_by)
  select 'apart' || i, 'default', v.pack_id, v.pack_name, v.id, v.version, '{"app": "db"}', pg_temp.rule('podAntiAffinity', 'host', 'db'), 100, tests.uid('ada') from stark.pack_versions v, generate_series(1, 3) i;
select stark_internal.lock_cluster(), stark_internal.open_tables(), stark_internal.load_nodes(), stark_internal.load_pods(), stark_internal.load_rules();
select is((select stark_internal.preempt(g.pod_group, g.pods, 1) from stark_internal.pending_groups() g), true, 'which says that others are left');
select is((select count(*) from pg_temp.pass_nominations), 1::bigint, 'when one has had its turn');
select stark_internal.schedule_pods();
select is((select count(*) from stark.pods where nominated_node_id is not null), 3::bigint, 'the others have theirs in the next');
delete from stark.pods;

-- The same thing said twice is one rule
select pg_temp.app('noise', 'noise' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 4) i;
select matches(pg_temp.app('quiet', 'quiet', 100, (select jsonb_set(r, t, r #> t || (r #> t)) from (values (pg_temp.rule('podAntiAffinity', 'host', 'noise'), '{affinity,podAntiAffinity,requiredDuringSchedulingIgnoredDuringExecution}'::text[])) v (r, t))),
  '^Nominated', 'whom it keeps away from twice has to go once');
delete from stark.pods;

-- Topology spread and who leaves in the same pass
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '10');
select pg_temp.app('web', 'w' || i, 5 * i, pg_temp.on_node('n1') || pg_temp.needs(300)) from generate_series(1, 3) i;
select pg_temp.create_pods(jsonb_build_array(
  jsonb_build_object('pack', 'open', 'name', 'room', 'priority', 200, 'spec', pg_temp.on_node('n1') || pg_temp.needs(400)),
  jsonb_build_object('pack', 'open', 'name', 'even', 'priority', 100, 'labels', '{"app": "web"}'::jsonb, 'spec', jsonb_set(pg_temp.spread(), '{topologySpreadConstraints,0,maxSkew}', '1') || pg_temp.needs(0))));
select is(pg_temp.victims(), 'w1 w2 w3', 'who goes already is no longer one of too many');
delete from stark.pods;
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', case name when 'n3' then '4' else '1' end::jsonb), unschedulable = name in ('n2', 'n4');
select pg_temp.app('web', 'high' || i, 900, pg_temp.on_node('n3')) from generate_series(1, 3) i;
select pg_temp.app('web', 'low-a', 10, pg_temp.on_node('n1')), pg_temp.app('other', 'low-b', 10, pg_temp.on_node('n3'));
update stark.pods set scheduled_at = now() - interval '1 hour' where name = 'low-b';
select pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'db', 'replicas', 2, 'priority', 100, 'labels', '{"app": "db"}'::jsonb, 'spec', pg_temp.spread() - 'nodeName')));
select is(pg_temp.victims(), 'low-a', 'where the one before has changed the counts nobody is pushed out in vain');
delete from stark.pods;

-- Promises are kept one by one where the pods look at each other
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '1'), unschedulable = name = 'n4';
select pg_temp.app('low', 'low' || i, 10, pg_temp.on_node('n' || i)) from generate_series(1, 2) i;
select pg_temp.app('web', 'there', 900, pg_temp.on_node('n3'));
select is((select count(*) from pg_temp.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'even', 'replicas', 2, 'priority', 100, 'labels', '{"app": "web"}'::jsonb,
  'spec', jsonb_set(pg_temp.spread() - 'nodeName', '{topologySpreadConstraints,0,maxSkew}', '1')))) p join stark.nodes n on n.id = p.nominated_node_id where n.labels ->> 'zone' = 'a'), 2::bigint, 'two places in one zone');
delete from stark.pods where name = 'there';
select pg_temp.gone();
select is((select string_agg(n.labels ->> 'zone', ' ' order by n.labels ->> 'zone') from stark.pods p join stark.nodes n on n.id = p.node_id where p.name like 'even-%'), 'a b', 'are one too many when the other zone has become empty');
update stark.nodes set unschedulable = false;
delete from stark.pods;

-- A port gives way, as room does
select pg_temp.clear();
delete from stark.nodes where true;
select tests.add_node('n1', 'ada', p_labels => '{"zone": "a"}'), tests.add_node('n2', 'ada', p_labels => '{"zone": "b"}');
create function pg_temp.port(p_name text, p_priority integer, p_ports integer[], p_more jsonb default '{}') returns text language sql as $$
  select pg_temp.put(p_name, 10, p_priority, p_more || jsonb_build_object('ports', (select jsonb_agg(jsonb_build_object('name', 'p' || u, 'strategy', 'fixed', 'port', u)) from unnest(p_ports) u))) $$;
select is(array[pg_temp.port('a', 10, '{80}', pg_temp.on_node('n1')), pg_temp.port('b', 20, '{80}', pg_temp.on_node('n2')), pg_temp.put('c', 10, 5, pg_temp.on_node('n1'))], '{n1,n2,n1}', 'two pods with a port');
select is(pg_temp.port('high', 100, '{80,81}'), 'Nominated: waits for room on node n1', 'a pod of higher priority wants it');
select is(pg_temp.victims(), 'a', 'who has it goes, nobody else');
select is(pg_temp.port('equal', 100, '{81}', pg_temp.on_node('n1')), 'Unschedulable: 0/2 nodes: 1 node name n1 wanted, 1 port 81 taken', 'nobody gets the ports that are promised');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'high'), 'n1', 'and then it has the port');
select is(pg_temp.port('last', 50, '{80}', pg_temp.on_node('n1')), 'Unschedulable: 0/2 nodes: 2 port 80 taken, 1 node name n1 wanted', 'a higher one does not give way');
select pg_temp.clear();
select pg_temp.port('a', 10, '{80}', pg_temp.on_node('n1')), pg_temp.port('b', 10, '{80}', pg_temp.on_node('n2'));
select is((select array_agg(coalesce(n.name, p.status_reason) order by n.name) from pg_temp.create_pods('[{"pack": "open", "name": "h", "replicas": 3, "priority": 100, "spec": {"ports": [{"name": "x", "strategy": "fixed", "port": 80}]}}]') p
  left join stark.nodes n on n.id = p.nominated_node_id), '{n1,n2,Unschedulable}', 'of several one is promised each node');

-- A pod that fits once another's victims count no longer is placed by the same pass
select pg_temp.clear();
update stark.nodes set allocatable = '{"cpu": 1000, "memory": 1024, "storage": 0, "pods": 10}' where true;
create function pg_temp.spread(p_priority integer, p_more jsonb default '{}') returns jsonb language sql as $$ select jsonb_build_object('pack', 'open', 'priority', p_priority, 'labels', '{"app": "web"}'::jsonb, 'spec', p_more || jsonb_build_object(
  'resources', '{"requests": {"cpu": 600, "memory": 0}}'::jsonb,
  'topologySpreadConstraints', jsonb_build_array(jsonb_build_object('maxSkew', 1, 'topologyKey', 'zone', 'whenUnsatisfiable', 'DoNotSchedule', 'labelSelector', '{"matchLabels": {"app": "web"}}'::jsonb)))) $$;
-- Zone a has two pods too many on n1, and n3 beside it is empty. Zone b has one, and no room.
select tests.add_node('n3', 'ada', p_labels => '{"zone": "a"}', p_allocatable => '{"cpu": 1000, "memory": 1024, "storage": 0, "pods": 10}');
select pg_temp.create_pods('[{"pack": "open", "name": "low", "replicas": 2, "priority": 1, "labels": {"app": "web"}, "spec": {"nodeName": "n1", "resources": {"requests": {"cpu": 500, "memory": 0}}}},
  {"pack": "open", "name": "full", "priority": 900, "labels": {"app": "web"}, "spec": {"nodeName": "n2", "resources": {"requests": {"cpu": 1000, "memory": 0}}}}]');
select is((select array_agg(coalesce(p.node_name, n.name || ' later') order by p.node_name nulls first) from pg_temp.create_pods(jsonb_build_array(pg_temp.spread(100) || '{"name": "s", "replicas": 2}')) p
  left join stark.nodes n on n.id = p.nominated_node_id), '{"n1 later",n3}', 'a pod of the same kind goes where the first one''s victims count no longer');
select pg_temp.clear();
select pg_temp.create_pods('[{"pack": "open", "name": "low", "replicas": 2, "priority": 1, "labels": {"app": "web"}, "spec": {"nodeName": "n1", "resources": {"requests": {"cpu": 500, "memory": 0}}}},
  {"pack": "open", "name": "full", "priority": 900, "labels": {"app": "web"}, "spec": {"nodeName": "n2", "resources": {"requests": {"cpu": 1000, "memory": 0}}}}]');
select is((select array_agg(coalesce(p.node_name, n.name || ' later', p.status_reason) order by p.priority) from pg_temp.create_pods(jsonb_build_array(
    pg_temp.spread(200, '{"preemptionPolicy": "Never"}') || '{"name": "never"}', '{"pack": "open", "name": "plain", "priority": 100, "spec": {"nodeName": "n1", "resources": {"requests": {"cpu": 1000, "memory": 0}}}}'::jsonb)) p
  left join stark.nodes n on n.id = p.nominated_node_id), '{"n1 later",n3}', 'so does one whose turn was before');
-- Somebody who is placed later fills the emptiest domain.
select pg_temp.clear();
select pg_temp.create_pods('[{"pack": "open", "name": "here", "priority": 1, "labels": {"app": "web"}, "spec": {"nodeName": "n1"}}]');
select is((select array_agg(coalesce(p.node_name, p.status_reason) order by p.priority) from pg_temp.create_pods(jsonb_build_array(
    pg_temp.spread(200, '{"nodeName": "n3"}') || '{"name": "first"}', '{"pack": "open", "name": "second", "priority": 100, "labels": {"app": "web"}, "spec": {"nodeName": "n2"}}'::jsonb)) p), '{n2,n3}', 'and one whose domain was too full');

-- explain_placement minds places that are kept
select pg_temp.clear();
delete from stark.nodes where name <> 'n1';
update stark.nodes set unschedulable = false where true;
select pg_temp.put('low', 900, 10), pg_temp.put('high', 500, 100);
create function pg_temp.told(p_priority integer) returns text language plpgsql as $$
declare v jsonb;
begin
  perform tests.sign_in('ada');
  v := stark.explain_placement(jsonb_build_object('pack', 'open', 'priority', p_priority, 'spec', '{"preemptionPolicy": "Never", "resources": {"requests": {"cpu": 100, "memory": 0}}}'::jsonb));
  perform tests.sign_out();
  return coalesce('Unschedulable: ' || (v ->> 'message'), v #>> '{nodes,0,node}');
end $$;
select is(pg_temp.told(priority), pg_temp.put('p' || priority, 100, priority, '{"preemptionPolicy": "Never"}'), format('a pod of priority %s goes where it is told', priority)) from unnest(array[5, 100]) priority;
select is(pg_temp.told(5), 'Unschedulable: 0/1 nodes: 1 insufficient cpu', 'one that is lower does not get the place');
select is(pg_temp.told(101), 'n1', 'one that is higher does');
select is(pg_temp.put('higher', 100, 101, '{"preemptionPolicy": "Never"}'), 'n1', 'as it is told');

-- Who has not begun ends at once, and its room is taken by the same pass
select pg_temp.clear();
delete from stark.nodes where true;
select tests.add_node('n1', 'ada'), tests.add_node('n2', 'ada');
create function pg_temp.come(p_name text, p_cpu integer, p_priority integer, p_spec jsonb default '{}') returns text language sql as $$
  select coalesce(p.node_name, p.status_reason) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'priority', p_priority,
    'spec', p_spec || jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', p_cpu, 'memory', 0)))))) p $$;
select pg_temp.come('a', 500, 10, pg_temp.on_node('n1')), pg_temp.come('b', 500, 10, pg_temp.on_node('n1')), pg_temp.come('full', 1000, 900, pg_temp.on_node('n2'));
delete from realtime.messages;
select is(pg_temp.come('high', 1000, 100), 'n1', 'a pod takes the room of those that no agent has begun');
select results_eq($$select name, status, status_reason, finished_at is not null from stark.pods where priority = 10 order by name$$,
  $$values ('a', 'evicted', 'Preempted', true), ('b', 'evicted', 'Preempted', true)$$, 'who have ended, and say why');
select results_eq($$select event, jsonb_array_length(payload -> 'pods'), payload #> '{pods,0,graceSeconds}' from realtime.messages where topic = 'stark:node:' || tests.node('n1') order by event$$,
  $$values ('pods.start', 1, null::jsonb), ('pods.stop', 2, '0'::jsonb)$$, 'their node hears of it in one message, without grace');
select is((select allocated ->> 'cpu' from stark.nodes where name = 'n1'), '1000', 'and is not given away twice');
select is((select is_due from stark_internal.pass_state), true, 'another pass looks who fits into what is left over');
select pg_temp.clear();
select pg_temp.come('a', 500, 10, pg_temp.on_node('n1')), pg_temp.come('b', 500, 10, pg_temp.on_node('n1')), pg_temp.come('full', 1000, 900, pg_temp.on_node('n2'));
update stark.pods set status = 'starting' where name = 'a';
select is(pg_temp.come('high', 1000, 100), 'Nominated', 'where one of them has begun the room is waited for');
select results_eq($$select name, status from stark.pods where priority = 10 order by name$$, $$values ('a', 'stopping'), ('b', 'evicted')$$, 'which only that one gets its grace for');
select is(stark_internal.schedule_pods(), 0, 'nobody is placed meanwhile');
select pg_temp.gone();
select is((select node_name from stark.pods where name = 'high'), 'n1', 'then it is placed');
select pg_temp.clear();
select pg_temp.come('a', 500, 10, pg_temp.on_node('n1')), pg_temp.come('b', 500, 10, pg_temp.on_node('n1')), pg_temp.come('full', 1000, 900, pg_temp.on_node('n2'));
update stark.pods set status = 'stopping' where name = 'a';
select is(pg_temp.come('high', 1000, 100), 'Nominated', 'also where one was stopping before');
select is((select (allocated ->> 'cpu')::integer from stark.nodes where name = 'n1'), 500, 'whose room is not given away yet');

select * from finish();
rollback;
