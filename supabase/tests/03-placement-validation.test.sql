-- What a pod or a node may say about placement: what kube-apiserver refuses is refused, and null is what is not given.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin');
select tests.add_pack('open', 'ada', 'public');
select tests.add_node('n1', 'ada');

create function pg_temp.node(p_requirement text, p_field text default 'matchExpressions') returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_object('nodeSelectorTerms', jsonb_build_array(jsonb_build_object(p_field, jsonb_build_array(p_requirement::jsonb))))))) $$;
create function pg_temp.wish(p_requirement text) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', 1, 'preference', jsonb_build_object('matchExpressions', jsonb_build_array(p_requirement::jsonb))))))) $$;
create function pg_temp.term(p_more text, p_part text default 'podAffinity', p_preferred boolean default false) returns jsonb language sql as $$
  select jsonb_build_object('affinity', jsonb_build_object(p_part, case when p_preferred
    then jsonb_build_object('preferredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('weight', 1, 'podAffinityTerm', '{"topologyKey": "zone"}' || p_more::jsonb)))
    else jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_array('{"topologyKey": "zone"}' || p_more::jsonb)) end)) $$;
create function pg_temp.even(p_more text) returns jsonb language sql as $$
  select jsonb_build_object('topologySpreadConstraints', jsonb_build_array('{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}' || p_more::jsonb)) $$;
create function pg_temp.tolerates(p_toleration text) returns jsonb language sql as $$ select jsonb_build_object('tolerations', jsonb_build_array(p_toleration::jsonb)) $$;

select matches(stark_internal.spec_problem(spec), problem, format('refused: %s', left(spec::text, 300))) from (values
  (pg_temp.node('{"key": "not a key!", "operator": "DoesNotExist"}'), 'rules of labels'), (pg_temp.node('{"key": "", "operator": "Exists"}'), 'rules of labels'),
  (pg_temp.node('{"key": "disk", "operator": "NotIn", "values": ["so so%"]}'), 'rules of labels'), (pg_temp.node('{"key": "disk", "operator": "In", "values": ["ok", "-"]}'), 'rules of labels'),
  (pg_temp.node('{"key": "disk", "operator": "Gt", "values": ["-5"]}'), 'rules of labels'), (pg_temp.wish('{"key": "a/b/c", "operator": "Exists"}'), 'rules of labels'),
  (pg_temp.wish('{"key": "disk", "operator": "In", "values": ["a b"]}'), 'rules of labels'),
  (pg_temp.term('{"labelSelector": {"matchExpressions": [{"key": "no key", "operator": "Exists"}]}}'), 'rules of labels'),
  (pg_temp.term('{"labelSelector": {"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["no value!"]}]}}', 'podAntiAffinity', true), 'rules of labels'),
  (pg_temp.term('{"namespaceSelector": {"matchExpressions": [{"key": "k", "operator": "In", "values": ["é"]}]}}'), 'rules of labels'),
  (pg_temp.even('{"labelSelector": {"matchExpressions": [{"key": "k k", "operator": "DoesNotExist"}]}}'), 'rules of labels'),
  (pg_temp.node('{"key": "metadata.name", "operator": "In", "values": ["a", "b"]}', 'matchFields'), 'name of one node'),
  (pg_temp.node('{"key": "metadata.name", "operator": "NotIn", "values": ["No Node"]}', 'matchFields'), 'name of one node'),
  (pg_temp.node('{"key": "metadata.name", "operator": "Exists"}', 'matchFields'), 'metadata.name'),
  ('{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}}', '1 to 64'),
  ('{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}}', '1 to 64'),
  ('{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}], "terms": []}}}}', 'stands alone'),
  (pg_temp.tolerates('{"key": "k", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5}'), 'NoExecute'), (pg_temp.tolerates('{"operator": "Exists", "tolerationSeconds": 5}'), 'NoExecute'),
  (pg_temp.tolerates('{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1.5}'), 'whole number'),
  (pg_temp.tolerates('{"key": "no key!", "operator": "Exists"}'), 'rules of labels'), (pg_temp.tolerates('{"key": "k", "value": "no value!"}'), 'rules of labels'), (pg_temp.tolerates('{"key": 7, "operator": "Exists"}'), 'rules of labels'),
  (jsonb_build_object('topologySpreadConstraints', (select jsonb_agg('{"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}'::jsonb || jsonb_build_object('maxSkew', i)) from generate_series(1, 2) i)), 'same topologyKey'),
  (pg_temp.even('{"matchLabelKeys": ["v"]}'), 'goes with labelSelector'), (pg_temp.even('{"labelSelector": {}, "matchLabelKeys": ["no key"]}'), 'keys of labels'), (pg_temp.even('{"labelSelector": {}, "matchLabelKeys": "v"}'), 'keys of labels'),
  (pg_temp.even('{"labelSelector": {"matchLabels": {"v": "1"}}, "matchLabelKeys": ["v"]}'), 'is in labelSelector'), (pg_temp.even('{"labelSelector": {"matchExpressions": [{"key": "v", "operator": "Exists"}]}, "matchLabelKeys": ["u", "v"]}'), 'is in labelSelector'),
  (pg_temp.even('{"labelSelector": {}, "mismatchLabelKeys": ["v"]}'), 'no field "mismatchLabelKeys"'),
  (pg_temp.term('{"matchLabelKeys": ["v"]}', 'podAntiAffinity'), 'goes with labelSelector'), (pg_temp.term('{"mismatchLabelKeys": ["v"]}', 'podAffinity', true), 'goes with labelSelector'),
  (pg_temp.term('{"labelSelector": {}, "matchLabelKeys": ["v"], "mismatchLabelKeys": ["v"]}'), 'mismatchLabelKeys'), (pg_temp.term('{"labelSelector": {}, "mismatchLabelKeys": [1]}'), 'keys of labels'),
  ('{"ports": [{"name": "a", "strategy": "fixed", "port": 80}, {"name": "b", "strategy": "fixed", "port": 80}]}', 'same number'),
  ('{"ports": [{"name": "a", "strategy": "fixed", "port": 80}, {"name": "b", "port": 80}]}', 'same number')) t (spec, problem);
select is(stark_internal.spec_problem(spec), null, format('allowed: %s', left(spec::text, 300))) from (values
  (pg_temp.node('{"key": "example.com/disk", "operator": "NotIn", "values": ["", "a_b.c-d"]}')), (pg_temp.node('{"key": "cores", "operator": "Gt", "values": ["5"]}')),
  (pg_temp.node('{"key": "metadata.name", "operator": "NotIn", "values": ["a.b.example"]}', 'matchFields')),
  (pg_temp.tolerates('{"key": "k", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": -5}')), (pg_temp.tolerates('{"key": "", "operator": "Exists", "value": ""}')),
  (jsonb_build_object('topologySpreadConstraints', (select jsonb_agg('{"topologyKey": "zone", "maxSkew": 1}'::jsonb || jsonb_build_object('whenUnsatisfiable', w)) from unnest(array['ScheduleAnyway', 'DoNotSchedule']) w))),
  (pg_temp.even('{"labelSelector": {"matchLabels": {"app": "web"}}, "matchLabelKeys": ["v"]}')), (pg_temp.even('{"matchLabelKeys": []}')),
  (pg_temp.term('{"labelSelector": {"matchExpressions": [{"key": "v", "operator": "Exists"}]}, "mismatchLabelKeys": ["v"]}')),
  ('{"ports": [{"name": "a", "strategy": "fixed", "port": 80}, {"name": "b", "port": 81}, {"name": "c"}]}')) t (spec);

select is(tests.code_of(format('select tests.add_node(%L, %L, p_taints => %L)', 't', 'ada', taints)), wanted, format('%s: taints %s', wanted, taints)) from (values
  ('[{"key": "k", "value": "1", "effect": "NoSchedule"}, {"key": "k", "value": "2", "effect": "NoSchedule"}]', 'INVALID_TAINTS'),
  ('[{"key": "k", "effect": "NoSchedule"}, {"key": "k", "effect": "NoExecute"}, {"key": "l", "effect": "NoSchedule"}]', 'ok')) t (taints, wanted);

-- null
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.create_pods(%L)', jsonb_build_array(jsonb_build_object('pack', 'open', 'spec', spec::jsonb)))), 'ok', format('null is not given: %s', spec)) from (values
  ('{"affinity": null}'), ('{"affinity": {"nodeAffinity": null, "podAffinity": null, "podAntiAffinity": null}}'), ('{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": null, "preferredDuringSchedulingIgnoredDuringExecution": null}}}'),
  ('{"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": null, "preferredDuringSchedulingIgnoredDuringExecution": null}}}'),
  ('{"tolerations": null}'), ('{"nodeSelector": null}'), ('{"nodeName": null}'), ('{"topologySpreadConstraints": null}'), ('{"preemptionPolicy": null, "priorityClassName": null}'), ('{"resources": null}'),
  ('{"resources": {"requests": null, "limits": null}}'), ('{"resources": {"requests": {"cpu": null}}}'), ('{"ports": null}'), ('{"ports": [{"name": "a", "port": null, "strategy": null}]}'), ('{"env": null, "config": null}'),
  ('{"restartPolicy": null, "terminationGracePeriodSeconds": null, "isolation": null, "startupProbe": null, "readinessProbe": null, "livenessProbe": null}'), ('{"ports": [{"name": "a"}], "livenessProbe": {"httpGet": {"port": "a", "path": null}, "periodSeconds": null}}'),
  (pg_temp.node('{"key": "x", "operator": "DoesNotExist", "values": null}')::text), (pg_temp.tolerates('{"operator": "Exists", "key": null, "value": null, "effect": null, "tolerationSeconds": null}')::text),
  (pg_temp.term('{"labelSelector": {"matchLabels": null, "matchExpressions": null}, "namespaces": null, "namespaceSelector": null, "matchLabelKeys": null, "mismatchLabelKeys": null}', 'podAntiAffinity')::text),
  (pg_temp.even('{"labelSelector": null, "minDomains": null, "nodeAffinityPolicy": null, "nodeTaintsPolicy": null, "matchLabelKeys": null}')::text)) t (spec);
select is((select p.spec -> 'affinity' from stark.create_pods('[{"pack": "open", "spec": {"affinity": {"nodeAffinity": null, "podAffinity": {}}}}]') p), '{"podAffinity": {}}', 'and is not kept');
select stark.create_pods('[{"pack": "open", "name": "nulls", "spec": {"nodeName": null, "config": {"a": null, "b": [{"c": null}]}}}]');
select is((select e.config from stark.pod_env e where e.pod_id = tests.pod('nulls')), '{"a": null, "b": [{"c": null}]}', 'but in config, which is the pack''s');
select is(tests.code_of(format('select stark.create_pods(%L)', jsonb_build_array(jsonb_build_object('pack', 'open', 'spec', spec::jsonb)))), 'INVALID_SPEC', format('null is no value: %s', spec)) from (values
  ('{"nodeSelector": {"disk": null}}'), ('{"env": {"A": null}}'), ('{"tolerations": [null]}'), (pg_temp.node('{"key": "x", "operator": "In", "values": [null]}')::text), (pg_temp.node('{"key": null, "operator": "Exists"}')::text),
  (pg_temp.term('{"labelSelector": {"matchLabels": {"app": null}}}')::text), (pg_temp.term('{"topologyKey": null}')::text), ('{"nodeSelectr": {}}')) t (spec);
select is((stark.update_node('n1', p_taints => '[{"key": "k", "value": null, "effect": "PreferNoSchedule"}]')).taints, '[{"key": "k", "effect": "PreferNoSchedule"}]', 'a taint''s value too');
select is(tests.code_of($$select stark.register_node('n2', 'node', p_taints => '[{"key": "k", "value": null, "effect": "NoSchedule"}]')$$), 'ok', 'at registration');
select is(tests.code_of($$select stark.create_join_token(p_taints => '[{"key": "k", "value": null, "effect": "NoSchedule"}]')$$), 'ok', 'and in a token');

select * from finish();
rollback;
