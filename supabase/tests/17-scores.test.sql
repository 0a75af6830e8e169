-- Scores: the policies, preferences, and the dry run that shows them.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user');
select tests.add_pack('open', 'ada', 'public');
select count(tests.add_node('n' || i, 'ada', p_labels => jsonb_build_object('disk', case when i = 3 then 'ssd' else 'hdd' end))) from generate_series(1, 3) i;
create function pg_temp.policy(p_policy text) returns void language sql as $$ update stark.cluster_config set scheduling_policy = p_policy where true $$;
create function pg_temp.counts(p_replicas integer, p_spec text default '{}') returns text language plpgsql as $$
declare v text;
begin
  select string_agg(n || ':' || c, ' ' order by n) into v from (
    select coalesce(p.node_name, 'none') as n, count(*) as c
    from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', p_replicas, 'spec', p_spec::jsonb))) p group by 1) x;
  delete from stark.pods where true;
  return v;
end $$;

select is(pg_temp.counts(6), 'n1:2 n2:2 n3:2', 'spread is the default');
select pg_temp.policy('bin_pack');
select is(pg_temp.counts(6), 'n1:6', 'bin_pack fills one node');
select is(pg_temp.counts(10), 'n1:8 n2:2', 'then the next, when memory is out');
select pg_temp.policy('least_loaded');
select is(pg_temp.counts(6), 'n1:2 n2:2 n3:2', 'least_loaded goes where most is free');
select pg_temp.policy('random');
create temporary table seen as select pg_temp.counts(9) as counts;
select is(pg_temp.counts(9), (select counts from seen), 'random with the same seed gives the same');
create function pg_temp.seeded(p_seed bigint) returns text language plpgsql as $$
begin
  update stark.cluster_config set scheduling_seed = p_seed where true;
  return pg_temp.counts(9);
end $$;
select cmp_ok((select count(distinct pg_temp.seeded(s)) from generate_series(1, 8) s), '>', 1::bigint, 'another seed gives others');
select throws_ok($$update stark.cluster_config set scheduling_policy = 'best'$$, '23514', null, 'an unknown policy is refused');
select throws_ok($$insert into stark.cluster_config (name) values ('other')$$, '23514', null, 'there is one configuration');

-- Preferences
create function pg_temp.prefer(p_weight integer) returns text language sql as $$
  select format('{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": %s, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}}}', p_weight) $$;
select pg_temp.policy('spread');
select is(pg_temp.counts(1, pg_temp.prefer(1)), 'n3:1', 'a preferred node is taken first');
select is(pg_temp.counts(9, pg_temp.prefer(1)), 'n1:1 n3:8', 'as long as there is room');
select pg_temp.policy('affinity');
select is(pg_temp.counts(8, pg_temp.prefer(1)), 'n3:8', 'policy affinity puts preferences first');
select pg_temp.policy('bin_pack');
select is(pg_temp.counts(9, pg_temp.prefer(1)), 'n1:1 n3:8', 'preferences count with bin_pack too');
select pg_temp.policy('spread');
update stark.nodes set taints = '[{"key": "slow", "effect": "PreferNoSchedule"}]' where name in ('n1', 'n3');
select is(pg_temp.counts(3), 'n2:3', 'PreferNoSchedule is avoided');
select is(pg_temp.counts(9), 'n1:1 n2:8', 'but taken when nothing else is left');
select is(pg_temp.counts(3, '{"tolerations": [{"operator": "Exists"}]}'), 'n1:1 n2:1 n3:1', 'and no matter to who tolerates it');

-- The dry run
update stark.nodes set unschedulable = true where name = 'n1';
create temporary table told as select stark.explain_placement('{"pack": "open", "spec": {"nodeSelector": {"disk": "hdd"}}}') as t;
select is((select t ->> 'feasible' from told), '1', 'it tells how many nodes would take the pod');
select is((select t #>> '{nodes,0,node}' from told), 'n2', 'the best comes first');
select is((select t #> '{nodes,0,scores}' ? 'spread' from told), true, 'with what it earns');
select is((select n -> 'reasons' from told, jsonb_array_elements(t -> 'nodes') n where n ->> 'node' = 'n1'), '["unschedulable"]', 'others with what they fail');
select is((select n -> 'reasons' from told, jsonb_array_elements(t -> 'nodes') n where n ->> 'node' = 'n3'), '["node selector"]', 'each its own');
select is((select t ->> 'message' from told), null, 'nothing to complain of');
select is(stark.explain_placement('{"pack": "open", "spec": {"resources": {"requests": {"cpu": 9999}}}}') ->> 'message', '0/3 nodes: 3 insufficient cpu, 1 unschedulable', 'where none would, the pod''s reasons');
select is((select count(*) from stark.pods), 0::bigint, 'nothing is made');
select is(tests.code_of(format('select stark.explain_placement(%L)', p)), code, format('%s: %s', p, code)) from (values
  (null, 'INVALID_ARGUMENT'), ('[]', 'INVALID_ARGUMENT'), ('{"pack": "gone"}', 'PACK_NOT_FOUND'), ('{"pack": 1}', 'INVALID_ARGUMENT'), ('{"pack": "open", "x": 1}', 'INVALID_ARGUMENT'),
  ('{"pack": "open", "priority": 1001}', 'INVALID_ARGUMENT'), ('{"pack": "open", "namespace": "gone"}', 'NAMESPACE_NOT_FOUND'), ('{"pack": "open", "labels": []}', 'INVALID_LABELS'),
  ('{"pack": "open", "spec": {"nodeSelektor": {}}}', 'INVALID_SPEC')) t (p, code);
select tests.sign_in('uma');
select is(stark.explain_placement('{"pack": "open"}') -> 'nodes', '[]', 'nodes of others are counted, not named');
select is(stark.explain_placement('{"pack": "open"}') ->> 'feasible', '2', 'but counted');
select tests.sign_out();


-- What preferences weigh: kube-scheduler's points, made 0 to 100 over the nodes that may take the pod, times a weight
delete from stark.pods where true;
delete from stark.nodes where true;
select tests.add_node(n, 'ada', p_labels => jsonb_build_object('host', n)) from unnest(array['n1', 'n2', 'n3']) n;
create function pg_temp.there(p_node text, p_app text, p_count integer default 1, p_cpu integer default 0) returns void language sql as $$
  insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, spec, status, node_id, node_name, incarnation)
    select concat_ws('-', p_app, p_node, i), 'default', v.pack_id, v.pack_name, v.id, v.version, jsonb_build_object('app', p_app), jsonb_build_object('resources', jsonb_build_object('requests', jsonb_build_object('cpu', p_cpu))),
           'running', n.id, n.name, 1
    from stark.pack_versions v, stark.nodes n, generate_series(1, p_count) i where n.name = p_node $$;
create function pg_temp.near(p_kind text, p_weight integer, p_app text, p_key text default 'host') returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object(p_kind, jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', p_weight,
    'podAffinityTerm', jsonb_build_object('topologyKey', p_key, 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object('app', p_app)))))))) $$;
create function pg_temp.wants(p_weights jsonb) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', (
    select jsonb_agg(jsonb_build_object('weight', w.value, 'preference', jsonb_build_object('matchExpressions', jsonb_build_array(jsonb_build_object('key', w.key, 'operator', 'Exists'))))) from jsonb_each(p_weights) w)))) $$;
create function pg_temp.even(p_when text, p_skew integer default 1, p_key text default 'host') returns jsonb language sql as $$
  select jsonb_build_object('topologySpreadConstraints', jsonb_build_array(jsonb_build_object('maxSkew', p_skew, 'topologyKey', p_key, 'whenUnsatisfiable', p_when, 'labelSelector', '{"matchLabels": {"app": "web"}}'::jsonb))) $$;
/** The scores of one preference by node, and below it where such a pod goes. */
create function pg_temp.scores(p_what text, p_spec jsonb, p_labels jsonb default '{}') returns jsonb language plpgsql as $$
declare v jsonb := stark.explain_placement(jsonb_build_object('pack', 'open', 'spec', p_spec, 'labels', p_labels));
begin
  return (select jsonb_object_agg(n ->> 'node', n #> array['scores', p_what]) from jsonb_array_elements(v -> 'nodes') n where (n ->> 'feasible')::boolean);
end $$;
/** Where such a pod goes, and where explain_placement says that it would. */
create function pg_temp.goes(p_spec jsonb, p_labels jsonb default '{}') returns text language plpgsql as $$
declare
  v_item jsonb := jsonb_build_object('pack', 'open', 'name', 'asked', 'spec', p_spec, 'labels', p_labels);
  v_told text := stark.explain_placement(v_item - 'name') #>> '{nodes,0,node}';
  v_node text;
begin
  select p.node_name into v_node from stark.create_pods(jsonb_build_array(v_item)) p;
  delete from stark.pods where name = 'asked';
  return case v_told when v_node then v_node else format('%s, but %s was told', v_node, v_told) end;
end $$;

select pg_temp.there('n1', 'cache', 4), pg_temp.there('n2', 'cache', 3);
select is(pg_temp.scores('pod affinity', pg_temp.near('podAffinity', 7, 'cache')), '{"n1": 200, "n2": 150, "n3": 0}', 'company counts from the node with least to the one with most');
select is(pg_temp.scores('pod affinity', pg_temp.near('podAntiAffinity', 7, 'cache')), '{"n1": 0, "n2": 50, "n3": 200}', 'so does company that is not wanted');
select pg_temp.there('n3', 'cache', 3);
select pg_temp.there('n1', 'load', 1, 900);
select is(pg_temp.scores('pod affinity', pg_temp.near('podAffinity', 1, 'cache')), '{"n1": 200, "n2": 0, "n3": 0}', 'however little it is');
select is(pg_temp.goes(pg_temp.near('podAffinity', 1, 'cache')), 'n1', 'it outweighs room');
delete from stark.pods where true;

update stark.nodes set labels = labels || '{"disk": "1"}' where name = 'n1';
update stark.nodes set labels = labels || '{"disk": "1", "gpu": "1"}' where name = 'n2';
select is(pg_temp.scores('node affinity', pg_temp.wants('{"disk": 20, "gpu": 60}')), '{"n1": 50, "n2": 200, "n3": 0}', 'of preferred terms the weights of those that match add up');
update stark.nodes set unschedulable = true where name = 'n2';
select is(pg_temp.scores('node affinity', pg_temp.wants('{"disk": 20, "gpu": 60}')), '{"n1": 200, "n3": 0}', 'and are measured by the best node that may take the pod');
select pg_temp.there('n1', 'load', 1, 800);
select is(pg_temp.goes(pg_temp.wants('{"disk": 1, "gpu": 99}')), 'n1', 'so a small weight is not lost beside one that nobody can fulfil');
delete from stark.pods where true;
update stark.nodes set unschedulable = false, taints = case name when 'n1' then '[{"key": "a", "effect": "PreferNoSchedule"}]' when 'n2' then
  '[{"key": "a", "effect": "PreferNoSchedule"}, {"key": "b", "effect": "PreferNoSchedule"}, {"key": "c", "effect": "PreferNoSchedule"}]' else '[]' end::jsonb;
select is(pg_temp.scores('taints', '{}'), '{"n1": 201, "n2": 0, "n3": 300}', 'taints that are not tolerated count against a node, thrice');
update stark.nodes set unschedulable = name = 'n2';
select is(pg_temp.scores('taints', '{}'), '{"n1": 0, "n3": 300}', 'measured by nodes that may take the pod');
update stark.nodes set unschedulable = false, taints = '[]';

-- Soft topology spread
select pg_temp.there('n1', 'web', 1), pg_temp.there('n2', 'web', 4);
select is(pg_temp.scores('topology spread', pg_temp.even('ScheduleAnyway')), '{"n1": 132, "n2": 0, "n3": 200}', 'a pod counts ln(domains + 2)'); -- 2, 6 and 0 points
select is(pg_temp.scores('topology spread', pg_temp.even('ScheduleAnyway', 7)), '{"n1": 166, "n2": 100, "n3": 200}', 'maxSkew waters differences down'); -- 8, 12 and 6
update stark.nodes set labels = labels - 'host' where name = 'n3';
select is(pg_temp.scores('topology spread', pg_temp.even('ScheduleAnyway')), '{"n1": 200, "n2": 32, "n3": 0}', 'a node without the key is the worst'); -- 1 and 6
select pg_temp.there('n1', 'load', 1, 800);
select is(pg_temp.goes(pg_temp.even('ScheduleAnyway'), '{"app": "web"}'), 'n1', 'however empty it is');
delete from stark.pods where true;
select is((select array_agg(n || ':' || c order by n) from (select p.node_name as n, count(*) as c from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', 6, 'labels', '{"app": "web"}'::jsonb, 'spec', pg_temp.even('ScheduleAnyway')))) p group by 1) x),
  '{n1:3,n2:3}', 'pods that are placed together keep out of it as well');
delete from stark.pods where true;
update stark.nodes set labels = labels || '{"host": "n3"}' where name = 'n3';
select pg_temp.there('n1', 'web', 2), pg_temp.there('n3', 'web', 1);
update stark.nodes set unschedulable = true where name = 'n3';
select is(pg_temp.scores('topology spread', pg_temp.even('ScheduleAnyway')), '{"n1": 0, "n2": 200}', 'domains without a node that may take the pod do not count');
update stark.nodes set unschedulable = false;
delete from stark.pods where true;

-- None of the preferences stands above the others, and what only rejects scores nothing
update stark.nodes set labels = labels || '{"fast": "1"}', taints = '[]' where name = 'n2';
update stark.nodes set taints = '[{"key": "slow", "effect": "PreferNoSchedule"}]' where name in ('n1', 'n3');
select pg_temp.there('n2', 'web', 3);
select is(pg_temp.goes(pg_temp.wants('{"fast": 1}') || pg_temp.even('ScheduleAnyway'), '{"app": "web"}'), 'n2', 'a taint and a label weigh more than topology spread');
select is(pg_temp.goes(jsonb_build_object('affinity', (pg_temp.wants('{"fast": 1}') -> 'affinity') || (pg_temp.near('podAntiAffinity', 100, 'web') -> 'affinity')), '{"app": "web"}'), 'n2', 'and more than keeping away from its own kind');
update stark.nodes set taints = '[]';
select is(pg_temp.goes(pg_temp.even('ScheduleAnyway'), '{"app": "web"}'), 'n1', 'which decides where nothing else does');
select is(pg_temp.goes(pg_temp.near('podAntiAffinity', 1, 'web'), '{"app": "web"}'), 'n1', 'both do');
select is(pg_temp.goes(pg_temp.wants('{"fast": 1}') || pg_temp.even('DoNotSchedule', 9), '{"app": "web"}'), 'n2', 'a spread constraint that is kept scores nothing');
select pg_temp.policy('bin_pack'), pg_temp.there('n2', 'load', 1, 800);
select is(pg_temp.goes(pg_temp.even('DoNotSchedule', 4), '{"app": "web"}'), 'n2', 'so the fullest node takes the pod where that is the policy');
select is(pg_temp.goes(pg_temp.even('DoNotSchedule', 3), '{"app": "web"}'), 'n1', 'up to maxSkew');
select is((select array_agg(n || ':' || c order by n) from (select p.node_name as n, count(*) as c from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', 5, 'labels', '{"app": "web"}'::jsonb, 'spec', pg_temp.even('DoNotSchedule', 3)))) p group by 1) x),
  '{n1:3,n2:1,n3:1}', 'of several pods as many as the constraint allows, one where there is none, and then the fullest node again');
delete from stark.pods where true;
select pg_temp.policy('spread');

select * from finish();
rollback;
