-- Rules about other pods: affinity, anti-affinity in both directions, topology spread, and whom their selectors speak of.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin');
select tests.add_pack('open', 'ada', 'public');
insert into stark.namespaces (name, labels) values ('red', '{"colour": "red"}'), ('blue', '{"colour": "blue"}');

-- Selectors
select is(stark_internal.matches_selector('{"app": "web", "tier": "1"}', selector::jsonb), wanted, format('%s: %s', selector, what)) from (values
  (null, false, 'a null selector matches nothing'), ('null', false, 'neither does a JSON null'), ('{}', true, 'an empty one matches everything'),
  ('{"matchLabels": {"app": "web"}}', true, 'a label'), ('{"matchLabels": {"app": "web", "tier": "2"}}', false, 'all labels must match'),
  ('{"matchExpressions": [{"key": "app", "operator": "In", "values": ["x", "web"]}]}', true, 'In'),
  ('{"matchExpressions": [{"key": "gone", "operator": "In", "values": ["x"]}]}', false, 'In needs the key'),
  ('{"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}', false, 'NotIn'),
  ('{"matchExpressions": [{"key": "gone", "operator": "NotIn", "values": ["web"]}]}', true, 'NotIn matches a missing key'),
  ('{"matchExpressions": [{"key": "app", "operator": "Exists"}]}', true, 'Exists'), ('{"matchExpressions": [{"key": "gone", "operator": "Exists"}]}', false, 'Exists needs the key'),
  ('{"matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]}', true, 'DoesNotExist'), ('{"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}', false, 'DoesNotExist refuses the key'),
  ('{"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["1"]}]}', false, 'labels and expressions are ANDed')) t (selector, wanted, what);

-- Whom a term speaks of
select is(stark_internal.resolve_term('red', term::jsonb) -> 'namespaces', wanted::jsonb, format('%s: %s', term, what)) from (values
  ('{}', '["red"]', 'neither names nor selector: the pod''s own namespace'), ('{"namespaces": []}', '["red"]', 'an empty list is none'),
  ('{"namespaces": ["blue"]}', '["blue"]', 'names'), ('{"namespaces": ["gone"]}', '[]', 'a name that is not there'),
  ('{"namespaceSelector": null}', '["red"]', 'a null selector is none'),
  ('{"namespaceSelector": {"matchLabels": {"colour": "blue"}}}', '["blue"]', 'a selector'),
  ('{"namespaces": ["red"], "namespaceSelector": {"matchLabels": {"colour": "blue"}}}', '["blue", "red"]', 'both are joined'),
  ('{"namespaceSelector": {}}', '["blue", "default", "red", "stark-public", "stark-system"]', 'an empty selector means all')) t (term, wanted, what);

select count(tests.add_node(format('%s%s', z, i), 'ada', p_labels => jsonb_build_object('zone', z, 'host', format('%s%s', z, i)))) from unnest(array['a', 'b']) z, generate_series(1, 2) i;

create function pg_temp.term(p_key text, p_more text default '{}') returns jsonb language sql as $$ select jsonb_build_object('topologyKey', p_key) || p_more::jsonb $$;
create function pg_temp.wish(p_kind text, variadic p_terms jsonb[]) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object(p_kind, jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', to_jsonb(p_terms)))) $$;
create function pg_temp.put(p_name text, p_labels text, p_spec jsonb default '{}', p_more jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_message) into v
    from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'labels', p_labels::jsonb, 'spec', p_spec) || p_more)) p;
  return v;
end $$;
create function pg_temp.zone_of(p_name text) returns text language sql as $$ select left(node_name, 1) from stark.pods where name = p_name $$;
create function pg_temp.web() returns text language sql as $$ select '{"labelSelector": {"matchLabels": {"app": "web"}}}' $$;

-- Affinity
select is(pg_temp.put('lonely', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web()))), '0/4 nodes: 4 pod affinity', 'without the company it wants a pod waits');
select isnt(pg_temp.put('first', '{"app": "web"}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web()))), null, 'the first of those that want to be together may go anywhere');
select is(pg_temp.zone_of('first') in ('a', 'b'), true, 'and does');
select is((select status from stark.pods where name = 'lonely'), 'scheduled', 'the one that waited has company then, in the same pass');
select is(pg_temp.zone_of('lonely'), pg_temp.zone_of('first'), 'and is in its zone');
select is(pg_temp.put('keyless', '{"app": "x"}', pg_temp.wish('podAffinity', pg_temp.term('rack', '{"labelSelector": {"matchLabels": {"app": "x"}}}'))), '0/4 nodes: 4 pod affinity', 'the first pod needs nodes with the topology key');
select is(pg_temp.put('both', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web()), pg_temp.term('zone', '{"labelSelector": {"matchLabels": {"tier": "1"}}}'))), '0/4 nodes: 4 pod affinity', 'one pod must satisfy all terms');
select pg_temp.put('tier', '{"tier": "1"}');
select is(pg_temp.put('both2', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web()), pg_temp.term('zone', '{"labelSelector": {"matchLabels": {"tier": "1"}}}'))), '0/4 nodes: 4 pod affinity', 'two pods that satisfy one each do not');
select is(pg_temp.put('abroad', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web())), '{"namespace": "red"}'), '0/4 nodes: 4 pod affinity', 'a term speaks of the pod''s own namespace');
select is(left(pg_temp.put('abroad2', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web() || '')  || '{"namespaces": ["default"]}'), '{"namespace": "red"}'), 1), pg_temp.zone_of('first'), 'or of those it names');
select is(pg_temp.put('nobody', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone'))), '0/4 nodes: 4 pod affinity', 'a null selector matches nobody');
select is(pg_temp.put('anybody', '{}', pg_temp.wish('podAffinity', pg_temp.term('zone', '{"labelSelector": {}}'))) ~ '^[ab]', true, 'an empty one anybody');
delete from stark.pods;
select set_eq($$select left(node_name, 1) from stark.create_pods('[{"pack": "open", "replicas": 8, "labels": {"app": "web"}, "spec": {"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}]}}}}]')$$,
  array['a'], 'a whole group that wants to be together is');
delete from stark.pods;

-- Nobody on a node without the topology key is in a domain, so nobody there is company
select tests.add_node('bare', 'ada');
create function pg_temp.near_web(variadic p_keys text[]) returns jsonb language sql as $$ select pg_temp.wish('podAffinity', variadic array(select pg_temp.term(k, pg_temp.web()) from unnest(p_keys) k)) $$;
select pg_temp.put('outside', '{"app": "web"}', '{"nodeName": "bare"}');
select is(pg_temp.put('stranger', '{"app": "db"}', pg_temp.near_web('zone')), '0/5 nodes: 5 pod affinity', 'a pod on a node without the topology key is company to nobody');
select is((select count(distinct left(node_name, 1)) || ' ' || count(node_name) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', 5, 'labels', '{"app": "web"}'::jsonb, 'spec', pg_temp.near_web('zone'))))),
  '1 5', 'beside it the first of its kind goes where the key is, and the others to where the first is');
select isnt((select node_name from stark.pods where name = 'stranger'), null, 'which is company to others');
delete from stark.pods;
select pg_temp.put('outside', '{"app": "web"}', '{"nodeName": "bare"}');
select is(pg_temp.put('keyless', '{"app": "web"}', pg_temp.near_web('rack')), '0/5 nodes: 5 pod affinity', 'where no node has the key the first of its kind waits');
update stark.nodes set labels = '{"rack": "r1"}' where name = 'bare';
select is(pg_temp.put('both', '{"app": "web"}', pg_temp.near_web('zone', 'rack')), '0/5 nodes: 5 pod affinity', 'with two keys a pod that stands in a domain of one of them is there: no other is the first');
delete from stark.pods;
delete from stark.nodes where name = 'bare';

-- Anti-affinity
select results_eq($$select count(*) filter (where status = 'scheduled'), count(distinct node_id), count(*) filter (where status_message = '0/4 nodes: 4 anti-affinity of pods there, 4 pod anti-affinity')
    from stark.create_pods('[{"pack": "open", "replicas": 6, "labels": {"app": "web"}, "spec": {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}}]}}}}]')$$,
  $$values (4::bigint, 4::bigint, 2::bigint)$$, 'pods that avoid each other take a node each, and no more than there are');
select is(pg_temp.put('newcomer', '{"app": "web"}'), '0/4 nodes: 4 anti-affinity of pods there', 'pods that are there keep one away that wants nothing itself');
select is(pg_temp.put('other', '{"app": "other"}') ~ '^[ab]', true, 'but not others');
delete from stark.pods;
select pg_temp.put('web', '{"app": "web"}', '{"nodeName": "a1"}');
select is(left(pg_temp.put('shy', '{}', pg_temp.wish('podAntiAffinity', pg_temp.term('zone', pg_temp.web()))), 1), 'b', 'a pod keeps out of the domain of whom it avoids');
select is(pg_temp.put('shyer', '{}', pg_temp.wish('podAntiAffinity', pg_temp.term('zone', pg_temp.web()), pg_temp.term('zone', '{"labelSelector": {}}'))), '0/4 nodes: 4 pod anti-affinity', 'any one term is enough');
select is(pg_temp.put('web2', '{"app": "web"}', '{"nodeSelector": {"zone": "b"}}'), '0/4 nodes: 2 anti-affinity of pods there, 2 node selector', 'it keeps them out of its own');
select is(pg_temp.put('rackless', '{}', pg_temp.wish('podAntiAffinity', pg_temp.term('rack', pg_temp.web()))) ~ '^[ab]', true, 'nodes without the topology key have no domain to avoid');
select is(pg_temp.put('hermit', '{}', pg_temp.wish('podAntiAffinity', pg_temp.term('zone'))) ~ '^[ab]', true, 'a null selector avoids nobody');
delete from stark.pods;

-- Topology spread
create function pg_temp.spread(p_more text default '{}') returns jsonb language sql as $$
  select jsonb_build_object('topologySpreadConstraints', jsonb_build_array('{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}'::jsonb || p_more::jsonb)) $$;
create function pg_temp.zones(p_replicas integer, p_spec jsonb) returns text language plpgsql as $$
declare v text;
begin
  select string_agg(z || ':' || c, ' ' order by z) into v from (
    select coalesce(left(p.node_name, 1), 'none') as z, count(*) as c
    from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', p_replicas, 'labels', '{"app": "web"}'::jsonb, 'spec', p_spec))) p group by 1) x;
  return v;
end $$;
select is(pg_temp.zones(7, pg_temp.spread()), 'a:4 b:3', 'pods are spread over zones');
select is(pg_temp.zones(1, pg_temp.spread()), 'b:1', 'the next goes where there are fewer');
delete from stark.pods;
update stark.nodes set allocatable = jsonb_set(allocatable, '{pods}', '1') where name in ('b1', 'b2');
select is(pg_temp.zones(7, pg_temp.spread()), 'a:3 b:2 none:2', 'a full zone holds the others back');
select is((select distinct status_message from stark.pods where status = 'pending'), '0/4 nodes: 2 insufficient pods, 2 topology spread zone', 'and the pods know');
delete from stark.pods;
select is(pg_temp.zones(7, pg_temp.spread('{"maxSkew": 3}')), 'a:5 b:2', 'by as much as maxSkew allows');
delete from stark.pods;
select is(pg_temp.zones(7, pg_temp.spread('{"whenUnsatisfiable": "ScheduleAnyway"}')), 'a:5 b:2', 'unless it may be broken');
delete from stark.pods;
select is(pg_temp.zones(3, pg_temp.spread('{"minDomains": 3}')), 'a:1 b:1 none:1', 'with fewer domains than minDomains the fewest count as none');
delete from stark.pods;
select is(pg_temp.zones(3, pg_temp.spread() || '{"nodeSelector": {"zone": "a"}}'), 'a:3', 'only nodes that the pod itself could use count');
delete from stark.pods;
select is(pg_temp.zones(3, pg_temp.spread('{"nodeAffinityPolicy": "Ignore"}') || '{"nodeSelector": {"zone": "a"}}'), 'a:1 none:2', 'unless that is to be ignored');
delete from stark.pods;
update stark.nodes set taints = '[{"key": "t", "effect": "NoSchedule"}]' where name ~ '^b';
select is(pg_temp.zones(3, pg_temp.spread()), 'a:1 none:2', 'tainted nodes count');
delete from stark.pods;
select is(pg_temp.zones(3, pg_temp.spread('{"nodeTaintsPolicy": "Honor"}')), 'a:3', 'unless taints are to be honoured');
delete from stark.pods;
update stark.nodes set taints = '[]', labels = labels - 'zone' where name = 'b2';
update stark.nodes set taints = '[]' where name = 'b1';
select is(pg_temp.zones(2, pg_temp.spread() || '{"nodeName": "b2"}'), 'none:2', 'a node without the key takes none');
delete from stark.pods;
update stark.nodes set labels = labels || '{"zone": "b"}', allocatable = jsonb_set(allocatable, '{pods}', '10');
update stark.nodes set labels = labels || '{"zone": "a"}' where name ~ '^a';
select is(pg_temp.zones(4, jsonb_build_object('topologySpreadConstraints', (pg_temp.spread() -> 'topologySpreadConstraints') || (pg_temp.spread('{"topologyKey": "host"}') -> 'topologySpreadConstraints'))), 'a:2 b:2', 'two constraints hold together');
select is((select count(distinct node_id) from stark.pods), 4::bigint, 'in zones and on hosts');
select is(pg_temp.put('stranger', '{"app": "db"}', pg_temp.spread()) ~ '^[ab]', true, 'a pod that its own constraint does not speak of only looks at the others');
delete from stark.pods;

-- Preferred company
select pg_temp.put('web', '{"app": "web"}', '{"nodeName": "b2"}');
create function pg_temp.prefers(p_kind text, p_weight integer, p_key text) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object(p_kind, jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution',
    jsonb_build_array(jsonb_build_object('weight', p_weight, 'podAffinityTerm', pg_temp.term(p_key, pg_temp.web())))))) $$;
select is(pg_temp.put('friend', '{}', pg_temp.prefers('podAffinity', 50, 'host')), 'b2', 'preferred company is found');
select is(left(pg_temp.put('foe', '{}', pg_temp.prefers('podAntiAffinity', 50, 'zone')), 1), 'a', 'and avoided');
update stark.nodes set unschedulable = true where name ~ '^a';
select is(left(pg_temp.put('foe2', '{}', pg_temp.prefers('podAntiAffinity', 50, 'zone')), 1), 'b', 'but it is only a preference');
update stark.nodes set unschedulable = false;
delete from stark.pods;
select is((select count(distinct node_id) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'replicas', 4, 'labels', '{"app": "web"}'::jsonb,
  'spec', pg_temp.prefers('podAntiAffinity', 100, 'host'))))), 4::bigint, 'a group that would rather be apart is');

delete from stark.pods;

-- What the pods that are there would like
select pg_temp.put('host', '{"app": "host"}', pg_temp.prefers('podAffinity', 10, 'host') || '{"nodeName": "b2"}');
select is(pg_temp.put('guest', '{"app": "web"}'), 'b2', 'whom a pod there would like near is near it');
select is(left(pg_temp.put('stranger', '{"app": "db"}'), 2) <> 'b2', true, 'others are not drawn there');
delete from stark.pods;
select pg_temp.put('recluse', '{}', pg_temp.prefers('podAntiAffinity', 10, 'zone') || '{"nodeName": "a1"}');
select is(left(pg_temp.put('guest', '{"app": "web"}'), 1), 'b', 'whom it would rather not have keeps away');
delete from stark.pods;
select pg_temp.put('web', '{"app": "web"}', '{"nodeName": "b1"}');
select pg_temp.put('db', '{"app": "db"}', pg_temp.wish('podAffinity', pg_temp.term('zone', pg_temp.web())));
select is(left(pg_temp.put('web' || i, '{"app": "web"}'), 1), 'b', 'company that a pod requires is drawn to it as well') from generate_series(2, 3) i;
select is(stark.explain_placement('{"pack": "open", "labels": {"app": "web"}}') #> '{nodes,0,scores,pod affinity}', '200.00'::jsonb, 'which shows in the scores');
delete from stark.pods;
select pg_temp.put('near', '{}', pg_temp.prefers('podAffinity', 10, 'host') || '{"nodeName": "a1"}'), pg_temp.put('far', '{}', pg_temp.prefers('podAntiAffinity', 10, 'host') || '{"nodeName": "a1"}');
select is(stark.explain_placement('{"pack": "open", "labels": {"app": "web"}}') -> 'nodes' @> '[{"scores": {"pod affinity": 200.00}}]', false, 'wishes against each other cancel out');
delete from stark.pods;
select is((select array_agg(left(p.node_name, 2) order by p.name) from stark.create_pods(jsonb_build_array(
    jsonb_build_object('pack', 'open', 'name', 'a-host', 'priority', 200, 'spec', pg_temp.prefers('podAffinity', 10, 'host') || '{"nodeName": "b2"}'),
    jsonb_build_object('pack', 'open', 'name', 'b-guest', 'priority', 100, 'labels', '{"app": "web"}'::jsonb))) p), array['b2', 'b2'], 'pods placed in the same pass have wishes too');

-- matchLabelKeys, mismatchLabelKeys: the pod's own values
delete from stark.pods where true;
delete from stark.nodes where true;
select tests.add_node(n, 'ada', p_labels => jsonb_build_object('zone', n)) from unnest(array['n1', 'n2']) n;
create function pg_temp.keyed(p_name text, p_labels jsonb, p_spec jsonb default '{}') returns text language sql as $$
  select coalesce(p.node_name, p.status_message) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', p_name, 'labels', p_labels, 'spec', p_spec))) p $$;
create function pg_temp.by_key(p_kind text, p_keys jsonb) returns jsonb language sql as $$ select jsonb_build_object('affinity', jsonb_build_object(p_kind, jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution',
  jsonb_build_array('{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}' || p_keys)))) $$;
create function pg_temp.even_by(p_keys jsonb, p_when text default 'DoNotSchedule') returns jsonb language sql as $$ select jsonb_build_object('topologySpreadConstraints', jsonb_build_array(jsonb_build_object(
  'maxSkew', 1, 'topologyKey', 'zone', 'whenUnsatisfiable', p_when, 'labelSelector', '{"matchLabels": {"app": "web"}}'::jsonb, 'matchLabelKeys', p_keys))) $$;
select pg_temp.keyed('old', '{"app": "web", "v": "1"}', '{"nodeName": "n1"}');
select is(pg_temp.keyed('near', '{"app": "web", "v": "1"}', pg_temp.by_key('podAffinity', '{"matchLabelKeys": ["v"]}')), 'n1', 'affinity to pods with the same value');
select is(pg_temp.keyed('own', '{"app": "web", "v": "2"}', pg_temp.by_key('podAffinity', '{"matchLabelKeys": ["v"]}') || '{"nodeName": "n2"}'), 'n2', 'with another value a pod is the first of its kind');
select is(pg_temp.keyed('apart', '{"app": "web", "v": "3"}', pg_temp.by_key('podAntiAffinity', '{"matchLabelKeys": ["v"]}') || '{"nodeName": "n1"}'), 'n1', 'anti-affinity to pods with the same value only');
select is(pg_temp.keyed('apart2', '{"app": "web", "v": "3"}', '{"nodeName": "n1"}'), '0/2 nodes: 1 anti-affinity of pods there, 1 node name n1 wanted', 'which is that of who has it when others come');
select is(pg_temp.keyed('apart3', '{"app": "web", "v": "4"}', '{"nodeName": "n1"}'), 'n1', 'not theirs');
select is(pg_temp.keyed('alone', '{"app": "web", "v": "1"}', pg_temp.by_key('podAntiAffinity', '{"mismatchLabelKeys": ["v"]}')), '0/2 nodes: 2 pod anti-affinity', 'mismatchLabelKeys: pods with another value');
select is(pg_temp.keyed('keyless', '{"app": "web"}', pg_temp.by_key('podAntiAffinity', '{"mismatchLabelKeys": ["v"], "matchLabelKeys": ["w"]}')), '0/2 nodes: 2 pod anti-affinity', 'keys that the pod has not say nothing');
delete from stark.pods where true;
select pg_temp.keyed('o' || i, '{"app": "web", "v": "1"}', '{"nodeName": "n1"}') from generate_series(1, 3) i;
select is((select array_agg(p.node_name order by p.node_name) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'r', 'replicas', 4, 'labels', '{"app": "web", "v": "2"}'::jsonb, 'spec', pg_temp.even_by('["v"]')))) p), '{n1,n1,n2,n2}', 'a new version spreads by itself');
delete from stark.pods where name like 'r-%';
select is((select array_agg(p.node_name order by p.node_name) from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'open', 'name', 'r', 'replicas', 4, 'labels', '{"app": "web", "v": "2"}'::jsonb, 'spec', pg_temp.even_by('[]')))) p), '{n1,n2,n2,n2}', 'and without the key beside the old one');
delete from stark.pods where name like 'r-%';
select is(pg_temp.keyed('s', '{"app": "web", "v": "2"}', pg_temp.even_by('["v"]', 'ScheduleAnyway') || '{"nodeName": "n1"}'), 'n1', 'soft spread too');
select is((select array_agg(coalesce(p.node_name, 'none') order by p.name) from stark.create_pods((select jsonb_agg(jsonb_build_object('pack', 'open', 'name', 'x' || v, 'labels', jsonb_build_object('app', 'web', 'v', v), 'spec', pg_temp.by_key('podAntiAffinity', '{"matchLabelKeys": ["v"]}') || '{"nodeName": "n2"}')) from unnest(array['5', '5', '6']) with ordinality as u (v, ord) where ord > 1)) p), '{n2,n2}', 'pods of one call that differ in the label alone');

select * from finish();
rollback;
