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
select count(*) from stark.delete_pods(array(select id from stark.pods limit 1));
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

select * from finish();
rollback;
