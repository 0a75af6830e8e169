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

select * from finish();
rollback;
