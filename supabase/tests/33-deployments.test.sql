-- Deployments: what is wanted of them, rolling update, going back, following, and what stops them.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer');
select tests.add_pack('alpha', 'uma', 'public'), tests.add_pack('alpha', 'uma', p_version => '1.1.0'), tests.add_pack('hidden', 'uma');
select tests.add_node(n, 'uma', p_allocatable => '{"cpu": 10000, "memory": 10240, "storage": 10240, "pods": 50}') from unnest(array['n1', 'n2', 'n3']) n;
select tests.at(0);

-- Rights
create function pg_temp.try(p_who text, p_sql text) returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(p_sql);
  perform tests.sign_out();
  return v;
end $$;
select is(pg_temp.try(who, format('select stark.create_deployment(%L)', wishes)), code, format('%s creates %s: %s', who, wishes, code)) from (values
  ('vic', '{"name": "a", "pack": "alpha"}', 'FORBIDDEN'), ('udo', '{"name": "a", "pack": "hidden"}', 'PACK_NOT_FOUND'), ('dev', '{"name": "a", "pack": "hidden"}', 'FORBIDDEN'),
  ('uma', '{"name": "a", "pack": "alpha", "namespace": "stark-system"}', 'FORBIDDEN'), ('uma', '{"name": "a", "pack": "alpha", "template": {"spec": {"restartPolicy": "Never"}}}', 'INVALID_SPEC'),
  ('uma', '{"name": "A", "pack": "alpha"}', 'INVALID_NAME'), ('uma', '{"name": "a", "pack": "alpha", "strategy": {"maxSurge": 0, "maxUnavailable": "0%"}}', 'INVALID_ARGUMENT'),
  ('uma', '{"name": "a", "pack": "alpha", "minReadySeconds": 600}', 'INVALID_ARGUMENT'), ('uma', '{"name": "a", "pack": "alpha", "followLatest": "one"}', 'INVALID_ARGUMENT'),
  ('uma', '{"name": "a", "pack": "alpha", "followLatest": "^2"}', 'VERSION_NOT_FOUND'), ('uma', '{"name": "a", "pack": "alpha", "canary": {"steps": [{"weight": 101}]}}', 'INVALID_ARGUMENT'),
  ('uma', '{"name": "a", "pack": "alpha", "annotations": {"stark/pod-deletion-cost": "much"}}', 'INVALID_ARGUMENT'), ('uma', '{"name": "a", "pack": "alpha", "labels": {"a": 1}}', 'INVALID_LABELS')) t (who, wishes, code);
select tests.sign_in_as('service_role');
select is(tests.code_of($$select stark.create_deployment('{"name": "a", "pack": "alpha"}')$$), 'UNAUTHENTICATED', 'the secret key is nobody whose rights pods could have');
select tests.sign_out();
select is(count(*), 0::bigint, 'none of it left anything') from stark.deployments;

-- Created: pods are made and placed before the answer
select tests.sign_in('uma');
select is((d).status || (d).current_replicas || (d).revision, 'progressing41', 'the answer counts the pods') from (
  select stark.create_deployment('{"name": "web", "pack": "alpha", "version": "1.0.0", "replicas": 4, "labels": {"team": "a"}, "template": {"labels": {"app": "web"}, "spec": {"env": {"KEY": "secret"}, "config": {"token": "hush"}}}}') d) c;
select is(tests.code_of($$select stark.create_deployment('{"name": "web", "pack": "alpha"}')$$), 'DEPLOYMENT_EXISTS', 'a name is taken once');
select is(tests.code_of(format($$select stark.update_pods(array(select id from stark.pods order by name limit 1), '{"%s": %s}')$$, key, value)), code, format('label %s of a pod: %s', key, code)) from (values
  ('app', '"other"', 'INVALID_LABELS'), ('app', 'null', 'INVALID_LABELS'), ('pod-template-hash', '"x"', 'INVALID_LABELS'), ('Looked-at', '"yes"', 'ok'), ('Looked-at', 'null', 'ok')) t (key, value, code);
select is(tests.count_of('select from stark.deployments'), 1::bigint, 'the owner sees it'), is(tests.count_of('select from stark.deployment_revisions'), 1::bigint, 'and its revision');
select tests.sign_in('udo');
select is(tests.count_of('select from stark.deployments'), 0::bigint, 'another user does not'), is(tests.count_of('select from stark.deployment_revisions'), 0::bigint, 'nor its revision');
select is(tests.code_of($$select stark.scale_deployment('default', 'web', 1)$$), 'DEPLOYMENT_NOT_FOUND', 'nor changes it');
select tests.sign_in('dev');
select is(tests.code_of($$select stark.scale_deployment('default', 'web', 1)$$), 'FORBIDDEN', 'a developer sees it, and may not');
select tests.sign_out();
select ok(bool_and(p.name ~ ('^web-' || r.template_hash || '-[a-z0-9]{5}$') and p.labels = jsonb_build_object('app', 'web', 'pod-template-hash', r.template_hash) and p.status = 'scheduled'
  and p.created_by = tests.uid('uma') and exists (select from stark.pod_env e where e.pod_id = p.id and e.env ->> 'KEY' = 'secret' and e.config ->> 'token' = 'hush')), 'pods have name, labels and rights of their deployment')
  from stark.pods p join stark.deployment_revisions r using (deployment_id, revision);
select is(count(*), 0::bigint, 'no event and no revision has what is secret') from (
  select e.object::text as text from stark.events e where e.kind in ('deployment', 'deployment_revision') union all select r.template::text from stark.deployment_revisions r) t
  where t.text ~ 'secret|hush';
select tests.let_run();
select is(tests.deployment('web'), 'progressing Progressing r1 0/4 4 r1 running', 'ready is not yet available');
select tests.at(9), tests.look();
select is(tests.deployment('web'), 'progressing Progressing r1 0/4 4 r1 running', 'nine seconds are not enough');
select tests.at(10), tests.look();
select is(tests.deployment('web'), 'complete AsWanted r1 4/4 4 r1 running', 'ten are');

-- Nothing to decide: reports that change nothing note nothing
select tests.report_managed(array['running'], 'running', '{"ready": true}');
select is(count(*), 0::bigint, 'a report that says the same notes nothing') from stark_internal.deployments_to_reconcile;

-- Rolling update: at most one more, at most one less
select tests.sign_in('uma');
select is((stark.update_deployment('default', 'web', '{"version": "1.1.0", "changeCause": "new logo"}')).generation, 2::bigint, 'a template is a wish');
select is(tests.code_of($$select stark.update_deployment('default', 'web', '{"version": "1.0.0"}', 1)$$), 'CONFLICT', 'if_revision is the generation');
select tests.sign_out();
select is(tests.deployment('web'), 'progressing Progressing r2 3/4 3 r1 running, 1 r1 stopping, 2 r2 scheduled', 'one more, one less');
select tests.let_run(21);
select is(tests.deployment('web'), 'progressing Progressing r2 3/4 1 r1 running, 2 r1 stopping, 2 r2 running, 2 r2 scheduled', 'two new ones are available: two old ones go');
select tests.let_run(32);
select tests.let_run(43);
select is(tests.deployment('web'), 'complete AsWanted r2 4/4 4 r2 running', 'all are new');
select is(string_agg(r.revision || r.status || coalesce(r.change_cause, ''), ',' order by r.revision), '1superseded,2stablenew logo', 'the history says how each fared') from stark.deployment_revisions r;
select is(count(*), 4::bigint, 'pods that the controller stopped are gone') from stark.pods;

-- Healing
select tests.sign_in('uma');
select count(*) from stark.delete_pods(array(select id from stark.pods order by name limit 1));
select tests.sign_out(), tests.look();
select is(tests.deployment('web'), 'progressing Progressing r2 3/4 3 r2 running, 1 r2 scheduled, 1 r2 stopping', 'what somebody deletes is replaced');
select tests.let_run(60);
update stark.nodes set status = 'unhealthy' where name = 'n1';
select tests.look();
select alike(tests.deployment('web'), 'progressing NodesNotHealthy r2 %/4 4 r2 running', 'pods of an unhealthy node are not available, and not missing');
update stark.nodes set status = 'offline', status_reason = 'HeartbeatTimeout' where name = 'n1';
select stark_internal.evict_pods(stark_internal.controller_time()), tests.look();
select matches(tests.deployment('web'), 'r2 running, \d r2 scheduled$', 'those of a node that is given up are replaced');
update stark.nodes set status = 'healthy', status_reason = null where name = 'n1';
select tests.let_run(75);
select is(tests.deployment('web'), 'complete AsWanted r2 4/4 4 r2 running', 'complete again');

-- Failure and the way back
select tests.add_pack('alpha', 'uma', p_version => '1.2.0');
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"version": "1.2.0"}')$$, 'a bad version');
select tests.sign_out();
select tests.report_managed(array['scheduled'], 'starting', '{"reason": "CrashLoopBackOff", "message": "back-off 1 s"}');
select tests.look();
select is(tests.deployment('web'), 'progressing Progressing r3 3/4 3 r2 running, 1 r2 stopping, 2 r3 starting', 'two failures are not three');
select tests.report_managed(array['starting'], 'starting', '{"reason": "CrashLoopBackOff", "message": "back-off 2 s"}');
select tests.look();
select is(tests.deployment('web'), 'progressing Progressing r4 3/4 3 r2 running, 1 r2 stopping, 2 r3 stopping, 1 r4 scheduled', 'three are: the bad ones go, the old template is the newest revision');
select is(r.status || r.status_reason || r.status_message, 'failedCrashLoopBackOff4 runs in a row ended by themselves: back-off 2 s', 'the revision says why') from stark.deployment_revisions r where r.revision = 3;
select tests.let_run(90);
select is(tests.deployment('web'), 'complete RolledBack r4 4/4 3 r2 running, 1 r4 running', 'it runs the old version again');
select is(pg_temp.try('uma', $$select stark.update_deployment('default', 'web', '{"version": "1.2.0"}')$$), 'VERSION_BLOCKED', 'the version is blocked');
select is(pg_temp.try('uma', $$select stark.resume_deployment('default', 'web', true)$$), 'ok', 'force lifts it');
select is(count(*), 0::bigint, 'no block is left') from stark_internal.blocked_versions;

-- The deadline counts while somebody looks
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"progressDeadlineSeconds": 100, "autoRollback": false, "template": {"spec": {"nodeSelector": {"zone": "nowhere"}}}}')$$, 'pods that fit nowhere');
select tests.sign_out();
select is(d.status_reason, 'Unschedulable', 'it says that they fit nowhere') from stark.deployments d;
select ok(d.status_message like 'pods fit on no node: 0/3 nodes: 3 node selector', 'and why') from stark.deployments d;
select tests.at(500), tests.look();
select is(d.status_reason, 'Unschedulable', 'time that nobody watched does not count') from stark.deployments d;
select tests.at(560), tests.look(), tests.at(600), tests.look(), tests.let_run(611);
select is(d.status || d.status_reason || d.available_replicas, 'failedProgressDeadlineExceeded4', 'the old ones grow back to full, and the status says so') from stark.deployments d where d.name = 'web';
select is(count(*), 0::bigint, 'a rollout of which no run began blocks nothing') from stark_internal.blocked_versions;
select tests.sign_in('uma');
select lives_ok($$select stark.undo_rollout('default', 'web')$$, 'undone');
select tests.sign_out(), tests.settle(600);
select alike(tests.deployment('web'), 'complete AsWanted r6 4/4 %', 'complete');

-- Held, frozen
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"version": "1.2.0", "autoRollback": true}')$$, 'on the way');
select is((stark.pause_rollout('default', 'web')).rollout_paused, true, 'held');
select tests.sign_out(), tests.settle(800, 3);
select matches(tests.deployment('web'), '^paused RolloutPaused r7 5/4 .*2 r7 running$', 'it stays where it was');
select tests.sign_in('uma');
select lives_ok($$select stark.scale_deployment('default', 'web', 8)$$, 'scaled meanwhile');
select tests.sign_out(), tests.settle(840, 3);
select matches(tests.deployment('web'), '^paused RolloutPaused r7 10/8 .*4 r7 running$', 'shared out in proportion');
select tests.sign_in('uma');
select lives_ok($$select stark.resume_rollout('default', 'web')$$, 'it goes on');
select tests.sign_out(), tests.settle(880, 8);
select is(tests.deployment('web'), 'complete AsWanted r7 8/8 8 r7 running', 'to its end');
select tests.sign_in('uma');
select is((stark.pause_deployment('default', 'web')).status_reason, 'DeploymentPaused', 'frozen');
select lives_ok($$select stark.scale_deployment('default', 'web', 2)$$, 'a wish is stored');
select tests.sign_out();
select is(tests.deployment('web'), 'paused DeploymentPaused r7 8/2 8 r7 running', 'and not acted upon');
select tests.sign_in('uma');
select lives_ok($$select stark.resume_deployment('default', 'web')$$, 'resumed');
select tests.sign_out(), tests.let_run();
select is(tests.deployment('web'), 'complete AsWanted r7 2/2 2 r7 running', 'the newest wish counts');

-- Canary
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"replicas": 5, "version": "1.1.0", "canary": {"steps": [{"weight": 20}, {"pause": {}}, {"weight": 60}, {"pause": "1m"}]}}')$$, 'a canary');
select tests.sign_out(), tests.settle(1000, 3);
select is(tests.deployment('web'), 'paused CanaryPause r8 5/5 4 r7 running, 1 r8 running', 'one of five is new') ;
select tests.settle(1040, 20);
select is(tests.deployment('web'), 'paused CanaryPause r8 5/5 4 r7 running, 1 r8 running', 'until it is promoted');
select tests.sign_in('uma');
select lives_ok($$select stark.promote_rollout('default', 'web')$$, 'promoted');
select is(tests.code_of($$select stark.promote_rollout('default', 'web')$$), 'NOT_PAUSED', 'a weight is no pause');
select tests.sign_out(), tests.settle(1300, 3);
select is(tests.deployment('web'), 'paused CanaryPause r8 5/5 2 r7 running, 3 r8 running', 'three of five');
select tests.settle(1333, 10);
select is(tests.deployment('web'), 'complete AsWanted r8 5/5 5 r8 running', 'after a minute all');

-- Rights of who changed the template last
delete from stark.role_bindings where user_id = tests.uid('uma');
select tests.look();
select is(d.status_reason, 'Forbidden', 'a right that is taken away stops it where it is') from stark.deployments d;
update stark.pods set status = 'failed', ready = false, finished_at = now() where id = (select id from stark.pods where deployment_id is not null and finished_at is null limit 1);
select tests.look();
select is(count(*), 4::bigint, 'nothing is made') from stark.pods where finished_at is null;
insert into stark.role_bindings (user_id, role) values (tests.uid('uma'), 'user');
select tests.settle(1500, 3);
select is(tests.deployment('web'), 'complete AsWanted r8 5/5 5 r8 running', 'with the right it goes on');
select is(count(*), 1::bigint, 'one that failed is kept') from stark.pods where finished_at is not null;

-- Quota
update stark.namespaces set quota = '{"pods": 6, "deployments": 1}' where name = 'default';
select tests.look();
select is(pg_temp.try('uma', $$select stark.create_deployment('{"name": "more", "pack": "alpha"}')$$), 'QUOTA_EXCEEDED', 'deployments are counted');
select tests.sign_in('uma');
select is((stark.scale_deployment('default', 'web', 9)).status_reason, 'QuotaExceeded', 'as many are made as fit');
select tests.sign_out();
select is(count(*), 6::bigint, 'six') from stark.pods where finished_at is null;
update stark.namespaces set quota = '{}' where name = 'default';
select tests.settle(1600, 3);
select is(tests.deployment('web'), 'complete AsWanted r8 9/9 9 r8 running', 'a larger quota has the rest made');

-- Recreate
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"replicas": 2, "strategy": {"type": "Recreate"}, "canary": null, "version": "1.2.0"}')$$, 'Recreate');
select tests.sign_out();
select is(tests.deployment('web'), 'progressing WaitingForStops r9 0/2 9 r8 stopping', 'old ones end first');
select tests.settle(1700, 3);
select is(tests.deployment('web'), 'complete AsWanted r9 2/2 2 r9 running', 'then new ones begin');

-- A withdrawn version
select tests.sign_in('uma');
select lives_ok($$select stark.withdraw_pack_version('alpha', '1.2.0')$$, 'withdrawn');
select tests.sign_out(), tests.look();
select is(d.status_reason, 'VersionWithdrawn', 'it says so') from stark.deployments d;

-- Following
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'web', '{"followLatest": "~1.1", "strategy": {"type": "RollingUpdate"}}')$$, 'it follows');
select tests.sign_out(), tests.settle(1800, 5);
select is(r.version || r.cause, '1.1.0follow', 'the highest one left, also a lower one') from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision;
select tests.add_pack('alpha', 'uma', p_version => '1.1.1-rc.1'), tests.add_pack('alpha', 'uma', p_version => '1.3.0');
select stark_internal.note_deployments(array(select id from stark.deployments)), tests.look();
select is(r.version, '1.1.0', 'no pre-release, and nothing outside of the range') from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision;
select tests.add_pack('alpha', 'uma', p_version => '1.1.1');
select stark_internal.note_deployments(array(select id from stark.deployments)), tests.look(), tests.settle(1900, 5);
select is(r.version, '1.1.1', 'a newer one') from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision;
select tests.sign_in('uma');
select is((stark.undo_rollout('default', 'web')).follow_after, '1.1.1', 'after an undo it waits for a version newer than the one left');
select tests.sign_out(), tests.settle(2000, 5);
select is(r.version || d.status, '1.1.0complete', 'and does not take it again') from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision;

-- Restart, history
select tests.sign_in('uma');
select lives_ok($$select stark.restart_rollout('default', 'web', 'because')$$, 'restarted');
select lives_ok($$select stark.update_deployment('default', 'web', '{"revisionHistoryLimit": 1}')$$, 'a short history');
select tests.sign_out(), tests.settle(2100, 5);
select is(string_agg(r.cause || ' ' || r.status, ', ' order by r.revision), 'undo superseded, restart stable', 'the last stable one is kept') from stark.deployment_revisions r;

-- Deleting
select tests.sign_in('uma');
select is(tests.code_of($$select stark.delete_pack('alpha')$$), 'PACK_IN_USE', 'a pack with deployments stays');
select is((stark.delete_deployment('default', 'web')).status, 'deleting', 'it is going');
select is(tests.code_of($$select stark.create_deployment('{"name": "web", "pack": "alpha"}')$$), 'DEPLOYMENT_EXISTS', 'its name is taken until it has gone');
select is(tests.code_of($$select stark.scale_deployment('default', 'web', 3)$$), 'DEPLOYMENT_TERMINATING', 'and it takes no wishes');
select tests.sign_out(), tests.let_run();
select is(count(*), 0::bigint, 'with the last pod it goes') from stark.deployments;
select is(count(*), 0::bigint, 'and so do the pods') from stark.pods;
select tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "a", "pack": "alpha", "replicas": 2}')$$, 'another');
select lives_ok($$select stark.delete_deployment('default', 'a', 'orphan')$$, 'orphaned');
select tests.sign_out();
select is(count(*), 2::bigint, 'its pods run on') from stark.pods where deployment_id is null and finished_at is null;
insert into stark.namespaces (name) values ('team');
select tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "a", "pack": "alpha", "namespace": "team", "replicas": 2}')$$, 'in a namespace');
select tests.sign_in('ada');
select lives_ok($$select stark.delete_namespace('team')$$, 'which is deleted');
select tests.sign_out(), tests.look(), tests.let_run(2200);
select is(count(*), 0::bigint, 'the deployment goes first') from stark.deployments;
select is(count(*), 0::bigint, 'then the namespace') from stark.namespaces where name = 'team';

-- The hash, which everybody may see, says nothing of env and config
select tests.sign_in('uma');
select lives_ok(format('select stark.create_deployment(%L)', jsonb_build_object('name', 'salted-' || n, 'pack', 'alpha', 'version', '1.0.0', 'replicas', 0,
  'template', jsonb_build_object('labels', '{"app": "salted"}'::jsonb, 'spec', case when n < 3 then '{"env": {"PIN": "1234"}}'::jsonb else '{}' end))), 'two deployments with the same secret, two with none') from generate_series(1, 4) n;
create function pg_temp.hash_of(p_name text) returns text language sql as $$
  select r.template_hash from stark.deployment_revisions r join stark.deployments d on d.id = r.deployment_id and d.revision = r.revision where d.name = p_name;
$$;
create temporary table salted as select pg_temp.hash_of('salted-1') as hash;
select isnt(pg_temp.hash_of('salted-1'), pg_temp.hash_of('salted-2'), 'the same secret is another hash elsewhere');
select is(pg_temp.hash_of('salted-3'), pg_temp.hash_of('salted-4'), 'without secrets it is that of the template alone');
select is((stark.update_deployment('default', 'salted-1', '{"template": {"spec": {"env": {"PIN": "1234"}}}}')).revision, 1::bigint, 'the same secret again is no other template');
select is((stark.update_deployment('default', 'salted-1', '{"template": {"spec": {"env": {"PIN": "4321"}}}}')).revision, 2::bigint, 'another one is');
select is((stark.update_deployment('default', 'salted-1', '{"template": {"spec": {"env": {"PIN": "1234"}}}}')).revision, 3::bigint, 'and going back makes a revision');
select is(pg_temp.hash_of('salted-1'), (select hash from salted), 'of the hash that it had');
select tests.sign_out();

-- Rules about its own kind speak of one revision
select is(stark_internal.among_their_own(format('{"topologySpreadConstraints": [%1$s, %2$s], "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [%1$s],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": %1$s}, {"weight": 1, "podAffinityTerm": %2$s}]}, "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [%1$s]}}}',
    own, other)::jsonb, '{"app": "web", "pod-template-hash": "1"}'),
  format('{"topologySpreadConstraints": [%3$s, %2$s], "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [%3$s],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": %3$s}, {"weight": 1, "podAffinityTerm": %2$s}]}, "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [%1$s]}}}',
    own, other, among)::jsonb, 'pods of two revisions do not stand in each other''s way') from (values (
  '{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}}', '{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "db"}}}',
  '{"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}, "matchLabelKeys": ["pod-template-hash"]}')) t (own, other, among);

-- A pod that failed for good is replaced, that node last: whatever the template prefers, and not when there is no other
select is(stark_internal.but_there_last(spec, 'n1') #>> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}', terms, 'each term leaves the node out') from (values
  ('{}'::jsonb, '[{"matchFields": [{"key": "metadata.name", "values": ["n1"], "operator": "NotIn"}]}]'),
  ('{"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": []}, {"matchFields": [1]}]}}}}',
   '[{"matchFields": [{"key": "metadata.name", "values": ["n1"], "operator": "NotIn"}], "matchExpressions": []}, {"matchFields": [1, {"key": "metadata.name", "values": ["n1"], "operator": "NotIn"}]}]')) t (spec, terms);
delete from stark.deployments where true;
delete from stark.pods where true;
select tests.at(2210), tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "liked", "pack": "alpha", "version": "1.0.0", "template": {"spec": {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
  {"weight": 100, "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}}]}}}}}')$$, 'one that likes n1');
select tests.sign_out(), tests.let_run(2221);
select is(node_name, 'n1', 'it is there') from stark.pods where finished_at is null;
select tests.report_managed(array['running'], 'failed', '{"reason": "Error"}'), tests.look();
select isnt(node_name, 'n1', 'its replacement is elsewhere') from stark.pods where finished_at is null;
update stark.nodes set unschedulable = name <> 'n1';
select tests.let_run(2235), tests.report_managed(array['running'], 'failed', '{"reason": "Error"}', $$p.node_name <> 'n1'$$), tests.look();
update stark.nodes set unschedulable = name <> (select p.node_name from stark.pods p where p.status = 'failed' order by p.finished_at desc limit 1);
select tests.settle(2235, 2);
select is(p.node_name, (select f.node_name from stark.pods f where f.status = 'failed' order by f.finished_at desc limit 1), 'where there is no other node, it is that one again') from stark.pods p where p.finished_at is null;
update stark.nodes set unschedulable = false;

-- Daemon mode: one pod on every node that fits
select tests.sign_out();
delete from stark.deployments where true;
delete from stark.pods where true;
create function pg_temp.nodes_of(p_name text) returns text language sql as $$
  select coalesce(string_agg(coalesce((select n.name from stark.nodes n where n.id = coalesce(p.pinned_node_id, p.node_id)), 'none') || ' r' || p.revision || ' ' || p.status, ', '
    order by (select n.name from stark.nodes n where n.id = coalesce(p.pinned_node_id, p.node_id)), p.revision, p.status), '')
  from stark.pods p join stark.deployments d on d.id = p.deployment_id where d.name = p_name and p.finished_at is null;
$$;
update stark.nodes set labels = case when name = 'n3' then '{}' else '{"disk": "ssd"}' end::jsonb;
select tests.at(2400), tests.sign_in('uma');
select is((d).status || (d).desired_replicas, 'progressing2', 'the answer says on how many nodes') from (
  select stark.create_deployment('{"name": "agent", "pack": "alpha", "version": "1.0.0", "mode": "daemon", "template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}') d) c;
select is(tests.code_of($$select stark.scale_deployment('default', 'agent', 3)$$), 'INVALID_ARGUMENT', 'a count says nothing to it');
select is((stark.update_deployment('default', 'agent', '{"labels": {"team": "a"}}')).revision, 1::bigint, 'another wish keeps its mode');
select tests.sign_out();
select is(pg_temp.nodes_of('agent'), 'n1 r1 scheduled, n2 r1 scheduled', 'each is on its node');
select tests.let_run(2411);
select is(d.status || d.status_reason || d.available_replicas || d.desired_replicas || r.status, 'completeAsWanted22stable', 'complete') from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision where d.name = 'agent';
-- Nodes that come, change, and go
select tests.add_node('n4', 'uma', p_labels => '{"disk": "ssd"}', p_allocatable => '{"cpu": 10000, "memory": 10240, "storage": 10240, "pods": 50}');
set constraints all immediate;
set constraints all deferred;
select is(pg_temp.nodes_of('agent'), 'n1 r1 running, n2 r1 running, n4 r1 scheduled', 'a node that comes has its pod in the same transaction');
update stark.nodes set labels = '{"disk": "ssd"}' where name = 'n3';
update stark.nodes set labels = '{}' where name = 'n1';
select tests.look();
select is(pg_temp.nodes_of('agent'), 'n1 r1 stopping, n2 r1 running, n3 r1 scheduled, n4 r1 scheduled', 'one that fits now gets one, one that no longer fits loses it');
update stark.nodes set taints = '[{"key": "t", "effect": "NoSchedule"}]' where name = 'n4';
update stark.nodes set unschedulable = true where name = 'n2';
select tests.look(), tests.let_run(2425);
select is(pg_temp.nodes_of('agent'), 'n2 r1 running, n3 r1 running', 'a taint that it does not tolerate takes it away, a cordon does not');
update stark.pods set status = 'failed', ready = false, finished_at = now() where finished_at is null and node_name = 'n2';
select tests.look();
select is(pg_temp.nodes_of('agent'), 'n2 r1 scheduled, n3 r1 running', 'it comes back on a cordoned node');
update stark.nodes set taints = '[]', labels = '{"disk": "ssd"}', unschedulable = false;
select tests.look(), tests.let_run(2440);
select is(pg_temp.nodes_of('agent'), 'n1 r1 running, n2 r1 running, n3 r1 running, n4 r1 running', 'one on each of four');
-- Another version: one node after the other, and what stops is waited for
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'agent', '{"version": "1.1.0"}')$$, 'another version');
select tests.sign_out();
select is(pg_temp.nodes_of('agent'), 'n1 r1 stopping, n2 r1 running, n3 r1 running, n4 r1 running', 'one goes, and none comes beside it');
select is(d.status_reason, 'WaitingForStops', 'it says so') from stark.deployments d where d.name = 'agent';
update stark.nodes set status = 'offline', status_reason = 'HeartbeatTimeout' where name = 'n4';
select stark_internal.evict_pods(stark_internal.controller_time() + interval '1 day'), tests.let_run();
select is(pg_temp.nodes_of('agent'), 'n1 r2 scheduled, n2 r1 running, n3 r1 running, n4 r1 running', 'when it has ended; a pod of a node that is given up stays with it');
select tests.let_run(2455);
select is(pg_temp.nodes_of('agent'), 'n1 r2 running, n2 r1 stopping, n3 r1 running, n4 r1 running', 'then the next; a node that is not healthy costs no budget');
select tests.settle(2455, 5);
select is(pg_temp.nodes_of('agent') || ' ' || d.status || d.available_replicas || d.desired_replicas || r.status, 'n1 r2 running, n2 r2 running, n3 r2 running, n4 r1 running complete34stable', 'a node that was given up holds nothing up')
  from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision where d.name = 'agent';
update stark.nodes set status = 'healthy', status_reason = null where name = 'n4';
select tests.look();
select is(pg_temp.nodes_of('agent'), 'n1 r2 running, n2 r2 running, n3 r2 running, n4 r1 stopping', 'one that rejoins with an old pod is rolled');
select tests.settle(2520, 3);
update stark.nodes set status = 'offline', status_reason = 'HeartbeatTimeout' where name = 'n4';
select tests.look();
update stark.nodes set status = 'healthy', status_reason = null where name = 'n4';
select tests.look();
select is(pg_temp.nodes_of('agent'), 'n1 r2 running, n2 r2 running, n3 r2 running, n4 r2 running', 'one that rejoins with a pod of the present revision keeps it');
-- A bad version goes back, node by node
select tests.sign_in('uma');
select lives_ok($$select stark.update_deployment('default', 'agent', '{"version": "1.3.0"}')$$, 'a bad version');
select tests.sign_out(), tests.report_managed(array['stopping'], 'stopped'), tests.look();
select tests.report_managed(array['scheduled', 'starting'], 'starting', jsonb_build_object('reason', 'CrashLoopBackOff', 'message', 'back-off ' || i)), tests.look() from generate_series(1, 3) i;
select is(max(d.revision) || max(r.cause) || count(*) filter (where p.status = 'running'), '4rollback3', 'three crashes on one node: back, and three nodes were never touched')
  from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision join stark.pods p on p.deployment_id = d.id and p.finished_at is null where d.name = 'agent';
select tests.settle(2600, 3);
select is(d.status_reason || d.available_replicas, 'RolledBack4', 'all run the old one') from stark.deployments d where d.name = 'agent';
-- Quota, and no room
update stark.namespaces set quota = '{"pods": 2}' where name = 'default';
select count(*) from stark.pods p, lateral stark_internal.begin_stop(array[p.id]) where p.finished_at is null and p.deployment_id is not null;
select tests.report_managed(array['stopping'], 'stopped'), tests.look();
select is(d.status_reason || d.current_replicas, 'QuotaExceeded2', 'as many are made as the quota has room for') from stark.deployments d where d.name = 'agent';
update stark.namespaces set quota = '{}' where name = 'default';
select tests.settle(2700, 3);
select is(d.status || d.available_replicas, 'complete4', 'then the rest') from stark.deployments d where d.name = 'agent';
-- From one mode to the other
select tests.sign_in('uma');
select is(d.mode || d.revision || d.replicas || (d.max_surge #>> '{}') || (d.max_unavailable #>> '{}'), 'replicated5325%25%', 'a count again is another template, with the defaults of a count')
  from stark.scale_deployment('default', 'agent', 3, 'replicated') d;
select tests.sign_out(), tests.settle(2800, 4);
select is(d.status || d.available_replicas || (select count(*) from stark.pods p where p.deployment_id = d.id and p.finished_at is null and p.pinned_node_id is not null), 'complete30', 'no pod belongs to a node any more') from stark.deployments d where d.name = 'agent';
select tests.sign_in('uma');
select is(tests.code_of($$select stark.scale_deployment('default', 'agent', 3, 'daemon')$$), 'INVALID_ARGUMENT', 'one on every node is no count');
select is((stark.update_deployment('default', 'agent', '{"strategy": {"type": "Recreate"}}')).strategy, 'Recreate', 'all at once');
select is(d.desired_replicas || d.strategy || d.replicas, '4RollingUpdate3', 'and back, node by node, with the count in mind') from stark.scale_deployment('default', 'agent', null, 'daemon') d;
select tests.sign_out(), tests.settle(2900, 7);
select is(stark_internal.changed_manifest(d, '{"mode": "replicated"}') ->> 'replicas', '3', 'which counts again when it is called off') from stark.deployments d where d.name = 'agent';
select is(pg_temp.nodes_of('agent') || ' ' || d.status, 'n1 r6 running, n2 r6 running, n3 r6 running, n4 r6 running complete', 'one on each') from stark.deployments d where d.name = 'agent';

-- Many nodes are one group of the scheduler, and two that want one port of a node are told so
select tests.add_node('m' || i, 'uma', p_labels => '{"size": "many"}') from generate_series(1, 15) i;
select tests.sign_in('uma');
select lives_ok(format($$select stark.create_deployment('{"name": "%s", "pack": "alpha", "version": "1.0.0", "mode": "daemon",
  "template": {"spec": {"nodeSelector": {"size": "many"}, "ports": [{"name": "http", "strategy": "fixed", "port": 8080}]}}}')$$, n), 'on many nodes') from unnest(array['many-a', 'many-b']) n;
select tests.sign_out();
select is(string_agg(c.said, ', ' order by c.said), 'many-a scheduled 15, many-b pending 15 port 8080 taken', 'all are placed by one pass, or say what is in the way on their node') from (
  select format('%s %s %s', d.name, p.status, count(*)) || coalesce(' ' || max(substring(p.status_message from '^node m\d+: (.*)$')), '') as said
  from stark.pods p join stark.deployments d on d.id = p.deployment_id where d.name like 'many-%' and p.finished_at is null group by d.name, p.status) c;
delete from stark.deployments where name = 'many-b';
select tests.look();
update stark.nodes set labels = '{}' where name like 'm%';
select tests.look(), tests.report_managed(array['stopping'], 'stopped'), tests.look();
select is(d.status || d.status_message || d.desired_replicas, 'completeno node fits0', 'with no node that fits nothing is wanted') from stark.deployments d where d.name = 'many-a';
delete from stark.deployments where name = 'many-a';
delete from stark.pods where deployment_id is null;
delete from stark.nodes where name like 'm%';

-- Draining: pods of daemon mode stay, budgets have replacements made first
update stark.nodes set unschedulable = name in ('n3', 'n4');
select tests.sign_in('uma');
select lives_ok($$select stark.create_deployment('{"name": "web", "pack": "alpha", "version": "1.0.0", "replicas": 4, "disruption": {"maxUnavailable": 1}}')$$, 'a deployment with a budget');
select tests.sign_out(), tests.settle(3100, 2);
select is(tests.deployment('web'), 'complete AsWanted r1 4/4 4 r1 running', 'four on two nodes');
update stark.nodes set unschedulable = false;
create function pg_temp.web() returns text language sql as $$
  select format('%s available of %s, %s on n1, %s on n2, %s', d.available_replicas, count(p.id) filter (where p.status <> 'stopping'),
    count(p.id) filter (where p.node_name = 'n1' and p.status = 'running'), count(p.id) filter (where p.node_name = 'n2' and p.status = 'running'), d.status_reason)
  from stark.deployments d left join stark.pods p on p.deployment_id = d.id and p.finished_at is null where d.name = 'web' group by d.id;
$$;
select tests.sign_in('uma');
select lives_ok($$select stark.create_pods('[{"pack": "alpha", "name": "bare", "spec": {"nodeName": "n1"}}]')$$, 'a pod of nobody');
select is(string_agg(p.status || coalesce(p.status_reason, ''), ', ' order by p.status), 'running, running, stoppingNodeDrained', 'what has no budget leaves at once, and what belongs to the node is not spoken of') from stark.drain_node('n1') p;
select is(string_agg(e.pod_name || e.deployment_name || e.reason || e.message, ',' order by e.pod_name) ~ 'webReplacementNotAvailabledeployment web waits until the replacement is available: 4 of 4 are', true, 'it says what holds the others')
  from stark.pending_evictions('n1') e;
select is(count(*), 2::bigint, 'both of them') from stark.pending_evictions('n1') e where e.retry_after_seconds between 1 and 60;
select tests.sign_out();
select is(pg_temp.web(), '4 available of 5, 2 on n1, 2 on n2, NodeDraining', 'a replacement is made first');
select is(n.draining and n.unschedulable, true, 'the node is draining') from stark.nodes n where n.name = 'n1';
select tests.let_run();
select is(pg_temp.web(), '4 available of 5, 2 on n1, 2 on n2, NodeDraining', 'until it is available none leaves');
select tests.at(3160), tests.look();
select is(pg_temp.web(), '4 available of 5, 1 on n1, 2 on n2, NodeDraining', 'then one does, and the next replacement is made');
select tests.settle(3160, 3);
select is(pg_temp.web(), '4 available of 4, 0 on n1, 2 on n2, AsWanted', 'then the other');
select is(n.draining or not n.unschedulable, true, 'its pod of nobody is still there') from stark.nodes n where n.name = 'n1';
update stark.pods set status = 'stopped', finished_at = now() where name = 'bare';
select is(n.draining or not n.unschedulable, false, 'drained, and cordoned still') from stark.nodes n where n.name = 'n1';
select matches(pg_temp.nodes_of('agent'), '^n1 r6 running, ', 'what belongs to the node is there');
-- No room for replacements: as many as the budget lets go; not ready ones at once
update stark.nodes set unschedulable = true where name <> 'n2';
select tests.sign_in('uma');
select count(*) from stark.drain_node('n2');
select tests.sign_out();
select is(pg_temp.web(), '3 available of 5, 0 on n1, 1 on n2, NodeDraining', 'where none fits, one leaves all the same');
select matches(e.message, '^deployment web has 3 pods available and keeps 3: the replacement fits on no node', 'and what holds the other is said') from stark.pending_evictions('n2') e;
select tests.report_managed(array['running'], 'running', '{"ready": false}', $$p.node_name = 'n2' and p.pinned_node_id is null$$), tests.look();
select is(pg_temp.web(), '2 available of 4, 0 on n1, 0 on n2, Unschedulable', 'nobody waits for what is not ready');
update stark.nodes set unschedulable = name = 'n2' where true;
select tests.settle(3300, 4);
select is(pg_temp.web(), '4 available of 4, 2 on n1, 0 on n2, AsWanted', 'room, and it is whole');
-- Called off, and with budgets not asked
update stark.nodes set unschedulable = false where true;
select tests.sign_in('uma');
select lives_ok(format('select stark.drain_node(%L)', n), 'two drains at once') from unnest(array['n3', 'n4']) n;
select tests.sign_out();
select is(count(*) filter (where p.status <> 'stopping'), 5::bigint, 'one replacement for both: the budget is the deployment''s') from stark.pods p join stark.deployments d on d.id = p.deployment_id where d.name = 'web' and p.finished_at is null;
select tests.sign_in('uma');
select is(bool_or((stark.uncordon_node(n)).draining), false, 'called off') from unnest(array['n3', 'n4']) n;
select tests.sign_out(), tests.settle(3400, 2);
select is(tests.deployment('web'), 'complete AsWanted r1 4/4 4 r1 running', 'the replacement goes again');
select tests.sign_in('uma');
select is(bool_and(p.status = 'stopping'), true, 'budgets that are not asked hold nothing') from stark.drain_node('n3', true) p;
select tests.sign_out(), tests.settle(3500, 2);
select is(n.draining, false, 'drained') from stark.nodes n where n.name = 'n3';
select tests.sign_in('uma');
select is((stark.delete_node('n3')).name, 'n3', 'a node with nothing but what belongs to it is deleted');
select tests.sign_out(), tests.look();
select unalike(pg_temp.nodes_of('agent'), '%none%', 'and that went with it');

select * from finish();
rollback;
