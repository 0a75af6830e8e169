-- Errors: one helper, one form, codes from one table; and what names, versions, labels, taints and specs may look like.
begin;
select * from no_plan();

select throws_ok(
  $$select stark_internal.fail('NODE_NOT_FOUND', 'no node x', 'stark node list')$$, 'PGRST',
  '{"code": "NODE_NOT_FOUND", "hint": "stark node list", "details": null, "message": "no node x"}',
  'an error carries code, message, details and hint as PostgREST wants them');
select is(tests.error_of($$select stark_internal.fail('NODE_NOT_FOUND', 'no node x')$$) ->> 'status', '404', 'and the status from the table of errors');
select is(tests.code_of($$select stark_internal.fail('NO_SUCH_CODE', 'x')$$), '22023', 'a code that is not in the table cannot be raised');

-- Names
select ok(stark_internal.is_dns_label(n), format('%s is a DNS label', n)) from unnest(array['a', 'a-b', '0', repeat('a', 63)]) n;
select ok(not stark_internal.is_dns_label(n), format('%s is none', coalesce(to_json(n)::text, 'null')))
  from unnest(array['', 'A', '-a', 'a-', 'a.b', 'a_b', repeat('a', 64), 'ä', E'a\n', 'a b', null]) n;
select ok(stark_internal.is_dns_name(n), format('%s is a DNS name', n)) from unnest(array['a', 'node-1.example.com', repeat('a', 63) || '.b']) n;
select ok(not stark_internal.is_dns_name(n), format('%s is none', coalesce(to_json(n)::text, 'null')))
  from unnest(array['', '.a', 'a.', 'a..b', 'A', repeat('a', 64), repeat('a.', 127) || 'a', null]) n;
select ok(stark_internal.is_pack_name(n), format('%s is a pack''s name', n)) from unnest(array['alpha', '@acme/alpha', 'a.b_c-d', '~x']) n;
select ok(not stark_internal.is_pack_name(n), format('%s is none', coalesce(to_json(n)::text, 'null')))
  from unnest(array['', '.a', '_a', 'Alpha', '@acme', '@/a', 'a/b', '@a/b/c', 'a b', repeat('a', 215), '../a', null]) n;

-- Versions
select ok(stark_internal.is_semver(v), format('%s is a version', v))
  from unnest(array['0.0.0', '1.2.3', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-0.3.7', '1.0.0+build.5', '1.0.0-x-y.z+a-b', '99999999999999999999.0.0']) v;
select ok(not stark_internal.is_semver(v), format('%s is none', coalesce(to_json(v)::text, 'null')))
  from unnest(array['', '1', '1.0', 'v1.0.0', '01.0.0', '1.0.0-', '1.0.0-01', '1.0.0+', '1.0.0 ', '1.0.0-ä', 'latest', null]) v;
select is(
  (select array_agg(v order by stark_internal.semver_key(v) collate "C") from unnest(array[
    '10.0.0', '1.0.0', '1.0.0-alpha', '1.0.0-beta.11', '2.0.0', '1.0.0-rc.1', '1.0.0-alpha.1', '1.0.0-beta', '1.0.0-alpha.beta',
    '1.0.0-beta.2', '1.10.0', '1.9.0', '1.0.0-1', '1.0.0-alpha-x', '99999999999999999999.0.0']) v),
  array['1.0.0-1', '1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-alpha-x', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11',
    '1.0.0-rc.1', '1.0.0', '1.9.0', '1.10.0', '2.0.0', '10.0.0', '99999999999999999999.0.0'],
  'versions sort as semver.org orders them');
select is(stark_internal.semver_key('1.0.0+a'), stark_internal.semver_key('1.0.0+b'), 'build metadata does not count');

-- Labels and taints
select is(stark_internal.labels_problem(l), null, format('labels %s are fine', l))
  from unnest(array['{}', '{"app": "web"}', '{"example.com/app": "A_b.c-1"}', '{"empty": ""}']::jsonb[]) l;
select isnt(stark_internal.labels_problem(l), null, format('labels %s are refused', left(coalesce(l::text, 'null'), 60)))
  from unnest(array['[]', '"x"', '{"a": 1}', '{"a": null}', '{"a": {}}', '{"-a": "x"}', '{"a/b/c": "x"}', '{"a": "x y"}', '{"": "x"}', '{"a": "-x"}',
    null]::jsonb[] || jsonb_build_object('a', repeat('x', 64)) || jsonb_build_object(repeat('x', 64), 'a')
    || (select jsonb_object_agg('k' || i, 'v') from generate_series(1, 65) i)) l;
select is(stark_internal.taints_problem(t), null, format('taints %s are fine', t))
  from unnest(array['[]', '[{"key": "a", "effect": "NoSchedule"}]', '[{"key": "a", "value": "b", "effect": "NoExecute"}]']::jsonb[]) t;
select isnt(stark_internal.taints_problem(t), null, format('taints %s are refused', coalesce(t::text, 'null')))
  from unnest(array['{}', '[1]', '[{}]', '[{"key": "a"}]', '[{"key": "a", "effect": "Never"}]', '[{"key": "a b", "effect": "NoSchedule"}]',
    '[{"effect": "NoSchedule"}]', '[{"key": "a", "value": 1, "effect": "NoSchedule"}]', '[{"key": 1, "effect": "NoSchedule"}]', null]::jsonb[]) t;

-- Specs
select is(stark_internal.spec_problem(s), null, format('spec %s is fine', s))
  from unnest(array['{}', '{"nodeName": "n1"}', '{"nodeSelector": {"a": "b"}}', '{"tolerations": [{"operator": "Exists"}]}',
    '{"tolerations": [{"key": "a", "value": "b", "effect": "NoSchedule"}]}', '{"resources": {"requests": {"cpu": 100, "memory": 0}, "limits": {"memory": 5}}}',
    '{"env": {"A": "b"}, "config": {"any": [1, {}]}}', '{"ports": [{"name": "http", "strategy": "random"}, {"name": "admin", "strategy": "fixed", "port": 80}]}',
    '{"ports": [{"name": "http", "port": 48080}], "livenessProbe": {"httpGet": {"port": 48080}}}',
    '{"readinessProbe": {"packReady": {}}}',
    '{"ports": [{"name": "http"}, {"name": "admin", "strategy": "fixed", "port": 80}], "startupProbe": {"httpGet": {"port": "http"}}, "livenessProbe": {"httpGet": {"path": "/healthz?deep=1", "port": 80}, "successThreshold": 1},
      "readinessProbe": {"httpGet": {"path": "/", "port": "http"}, "initialDelaySeconds": 0, "periodSeconds": 5, "timeoutSeconds": 2, "successThreshold": 2, "failureThreshold": 1}}',
    '{"restartPolicy": "Never", "isolation": "worker", "terminationGracePeriodSeconds": 0}', '{"affinity": {}}',
    '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "n", "operator": "Gt", "values": ["5"]}, {"key": "c", "operator": "Exists"}], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}]}}}}'
    ]::jsonb[]) s;
select isnt(stark_internal.spec_problem(s), null, format('spec %s is refused', left(coalesce(s::text, 'null'), 100)))
  from unnest(array['[]', '"x"', '{"nodeSelectr": {}}', '{"nodeName": 1}', '{"nodeName": "A b"}', '{"nodeSelector": {"a": 1}}', '{"nodeSelector": []}', '{"tolerations": {}}',
    '{"tolerations": [{"key": "a", "operator": "In"}]}', '{"tolerations": [{}]}', '{"tolerations": [{"operator": "Exists", "value": "x"}]}',
    '{"tolerations": [{"operator": "Exists", "efect": "NoSchedule"}]}', '{"resources": {"request": {}}}', '{"resources": {"requests": {"cpu": -1}}}',
    '{"resources": {"requests": {"cpu": 0.5}}}', '{"resources": {"requests": {"cpu": "100m"}}}', '{"resources": {"requests": {"gpu": 1}}}',
    '{"resources": {"requests": {"cpu": 1e10}}}', '{"resources": 5}', '{"env": {"A": 1}}', '{"env": {"1A": "x"}}', '{"env": {"A=B": "x"}}', '{"config": []}',
    '{"ports": [{"name": "http", "port": 0}]}', '{"ports": [{"name": "http", "strategy": "fixed"}]}', '{"ports": [{"strategy": "random"}]}',
    '{"ports": [{"name": "http", "strategy": "random", "port": 80}]}', '{"ports": [{"name": "http", "containerPort": 80}]}', '{"ports": [{"name": "http", "port": 80, "hostPort": 80}]}',
    '{"ports": [{"name": "http", "strategy": null}]}', '{"ports": [{"name": "http", "port": null}]}', '{"ports": [1]}',
    '{"ports": [{"name": "a"}, {"name": "a"}]}', '{"ports": {}}', '{"restartPolicy": "always"}', '{"isolation": "vm"}', '{"terminationGracePeriodSeconds": -1}',
    '{"readiness": {}}', '{"livenessProbe": {"packReady": {}}}', '{"readinessProbe": {}}', '{"readinessProbe": []}', '{"readinessProbe": {"packReady": {}, "periodSeconds": 1}}',
    '{"readinessProbe": {"httpGet": {"port": "http"}}}', '{"readinessProbe": {"httpGet": {"port": 80}}, "ports": [{"name": "http"}]}', '{"readinessProbe": {"httpGet": {"path": "/"}}, "ports": [{"name": "http"}]}',
    '{"livenessProbe": {"httpGet": {"port": "http", "host": "10.0.0.1"}}, "ports": [{"name": "http"}]}', '{"livenessProbe": {"httpGet": {"port": "http", "path": "x"}}, "ports": [{"name": "http"}]}',
    '{"livenessProbe": {"httpGet": {"port": "http", "path": "/a b"}}, "ports": [{"name": "http"}]}', '{"livenessProbe": {"httpGet": {"port": "http"}, "successThreshold": 2}, "ports": [{"name": "http"}]}',
    '{"startupProbe": {"httpGet": {"port": "http"}, "periodSeconds": 0}, "ports": [{"name": "http"}]}', '{"startupProbe": {"exec": {}}}', '{"livenessProbe": {"httpGet": {"port": "http"}}, "ports": {}}',
    '{"terminationGracePeriodSeconds": "5"}', '{"affinity": []}', '{"affinity": {"podAffinity": []}}', '{"affinity": {"other": {}}}',
    '{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 0, "preference": {}}]}}}',
    '{"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": {}, "x": 1}]}}}',
    '{"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}}',
    '{"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": ""}]}}}',
    '{"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "namespaces": "default"}]}}}',
    '{"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {"app": "x"}}]}}}',
    '{"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}}]}}}',
    '{"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 101, "podAffinityTerm": {"topologyKey": "zone"}}]}}}',
    '{"topologySpreadConstraints": {}}', '{"topologySpreadConstraints": [{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]}',
    '{"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone"}]}', '{"topologySpreadConstraints": [{"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]}',
    '{"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}]}',
    '{"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "nodeTaintsPolicy": "Maybe"}]}',
    '{"preemptionPolicy": "Always"}',
    '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "In"}]}]}}}}',
    '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}]}}}}',
    '{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["x"]}]}]}}}}',
    null]::jsonb[] || jsonb_build_object('config', jsonb_build_object('a', repeat('x', 70000)))) s;

select * from finish();
rollback;
