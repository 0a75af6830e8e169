-- Objects of a project: written in one transaction, compared three ways, pruned by set, told beforehand.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('op', 'operator'), tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer');
select tests.add_pack('alpha', 'uma', 'public'), tests.add_pack('alpha', 'uma', p_version => '1.1.0');
select tests.add_node(n, 'uma', p_allocatable => '{"cpu": 10000, "memory": 10240, "storage": 10240, "pods": 50}') from unnest(array['n1', 'n2']) n;
select tests.at(0);

create function pg_temp.apply(p_who text, p_objects jsonb, p_project text default 'shop', p_prune boolean default false, p_dry_run boolean default false, p_take_over boolean default false)
returns jsonb language plpgsql as $$
declare v jsonb;
begin
  perform tests.sign_in(p_who);
  v := stark.apply_objects(p_objects, p_project, p_prune, p_dry_run, p_take_over);
  perform tests.sign_out();
  return v;
end $$;
create function pg_temp.code(p_who text, p_objects jsonb, p_project text default 'shop', p_prune boolean default false, p_take_over boolean default false)
returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := tests.code_of(format('select stark.apply_objects(%L, %L, %L, false, %L)', p_objects, p_project, p_prune, p_take_over));
  perform tests.sign_out();
  return v;
end $$;
create function pg_temp.words(p_answer jsonb) returns text language sql as $$
  select string_agg(concat_ws(' ', c ->> 'action', c ->> 'kind', c ->> 'name',
    (select string_agg(concat_ws('=', (select string_agg(e, '.') from jsonb_array_elements_text(f -> 'path') e), coalesce(f ->> 'before', '-') || '>' || coalesce(f ->> 'after', '-')), ' ') from jsonb_array_elements(c -> 'fields') f)), ', ')
  from jsonb_array_elements(p_answer -> 'changes') c;
$$;

-- Three ways
select is(stark_internal.three_way_patch(b, s, p), e, w) from (values
  ('{}'::jsonb, '{"a": 1}'::jsonb, '{"a": 1, "b": 2}'::jsonb, '{}'::jsonb, 'what nobody stated is left alone'),
  ('{}', '{"a": 1}', '{"a": 2}', '{"a": 1}', 'what is stated is set'),
  ('{"a": 1, "c": 1}', '{"a": 1}', '{"a": 1, "c": 5}', '{"c": null}', 'what was stated and is not any more goes'),
  ('{"c": 1}', '{}', '{}', '{}', 'what is not there any more needs not go'),
  ('{"o": {"x": 1, "y": 1}}', '{"o": {"x": 1}}', '{"o": {"x": 1, "y": 1, "z": 1}}', '{"o": {"y": null}}', 'in objects of objects too'),
  ('{"o": {"x": 1}}', '{}', '{"o": {"x": 1, "z": 1}}', '{"o": {"x": null}}', 'of an object what was stated'),
  ('{"o": {"x": {"y": 1}}}', '{}', '{"o": {"x": {"y": 1}}}', '{"o": null}', 'and all of it where nothing else is in it'),
  ('{"p": {"httpGet": {"port": 1}}}', '{"p": {"packReady": {}}}', '{"p": {"httpGet": {"port": 1}}}', '{"p": {"httpGet": null, "packReady": {}}}', 'one form of an object for the other'),
  ('{"l": [1, 2]}', '{"l": [1]}', '{"l": [1, 2]}', '{"l": [1]}', 'lists are replaced whole'),
  ('{"a": 1}', '{"a": {"b": 1}}', '{"a": 1}', '{"a": {"b": 1}}', 'an object for a number')) t (b, s, p, e, w);

-- What it makes, tells, and leaves alone
select is(pg_temp.words(pg_temp.apply('ada', $$[
  {"kind": "clusterconfig", "schedulingPolicy": "bin_pack", "maxPodsPerNode": 20},
  {"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "version": "1.0.0", "replicas": 2, "labels": {"app": "web", "tier": "front"}, "template": {"spec": {"env": {"KEY": "hush"}}}},
  {"kind": "rolebinding", "user": "dev@example.com", "role": "restarter", "namespace": "team-a"},
  {"kind": "namespace", "name": "team-a", "labels": {"zone": "b"}, "quota": {"pods": 10}, "limitRange": {"max": {"cpu": 2000}}},
  {"kind": "role", "name": "restarter", "permissions": ["pods:update", "pods:get:any", "pods:get"], "description": "Restarts."},
  {"kind": "priorityclass", "name": "urgent", "value": 900},
  {"kind": "pod", "name": "one", "namespace": "team-a", "pack": "alpha", "spec": {"restartPolicy": "Never"}}]$$)),
  'created namespace team-a, created priorityclass urgent, created role restarter, created rolebinding ' || tests.uid('dev') || '/restarter, changed clusterconfig cluster maxPodsPerNode=10>20 schedulingPolicy=spread>bin_pack, created deployment web, created pod one',
  'all kinds are written, what others need first');
select is((select count(*)::integer from stark.pods p where p.namespace = 'team-a' and p.node_id is not null), 3, 'and placed at once');
select is(stark.can_i('update', 'pods', 'team-a'), true, 'a binding counts') from tests.sign_in('dev');
select tests.sign_out();

create temporary table files (name text primary key, objects jsonb);
insert into files values ('v1', $$[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "version": "1.0.0", "replicas": 2, "labels": {"app": "web", "tier": "front"}, "template": {"spec": {"env": {"KEY": "hush"}}}}]$$);
grant select on files to public;
select is(pg_temp.words(pg_temp.apply('ada', objects)), 'unchanged deployment web', 'again nothing changes') from files;
select is((select count(*) from stark.deployment_revisions), 1::bigint, 'nor is there another revision');
select tests.sign_in('ada');
select stark.update_deployment('team-a', 'web', '{"annotations": {"note": "by hand"}, "labels": {"hand": "yes"}, "minReadySeconds": 5}');
select tests.sign_out();
select is(pg_temp.words(pg_temp.apply('ada', objects)), 'unchanged deployment web', 'what somebody set by hand is no difference') from files;
select is(pg_temp.apply('ada', $$[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "version": "1.1.0", "labels": {"app": "web"}, "minReadySeconds": 7, "template": {"spec": {"env": {"KEY": "other", "MORE": "x"}}}}]$$, p_dry_run => true) -> 'changes' -> 0,
  $${"kind": "deployment", "namespace": "team-a", "name": "web", "action": "changed", "fields": [
    {"path": ["labels", "tier"], "before": "front", "after": null}, {"path": ["minReadySeconds"], "before": 5, "after": 7}, {"path": ["replicas"], "before": 2, "after": null},
    {"path": ["template", "spec", "env", "KEY"], "before": "(secret)", "after": "(secret)"}, {"path": ["template", "spec", "env", "MORE"], "before": null, "after": "(secret)"},
    {"path": ["version"], "before": "1.0.0", "after": "1.1.0"}]}$$::jsonb, 'a dry run says what would change, and no secret');
select is((select version from stark.deployment_revisions r join stark.deployments d on d.id = r.deployment_id and d.revision = r.revision), '1.0.0', 'and has changed nothing');
select is(pg_temp.apply('ada', o, p_dry_run => true) - '{digest}'::text[], pg_temp.apply('ada', o) - '{digest}'::text[], 'what it said is what is done, with placements and rollouts')
  from (values ($$[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "version": "1.1.0", "labels": {"app": "web"}, "template": {"spec": {"env": {"KEY": "other"}}}}]$$::jsonb)) t (o);
select is((d.labels, d.annotations, d.replicas, d.min_ready_seconds), ('{"app": "web", "hand": "yes"}'::jsonb, '{"note": "by hand"}'::jsonb, 1, 5), 'what was stated before is gone, what nobody stated is there') from stark.deployments d;

-- Versions
create function pg_temp.beta(p_sha text, p_version text default '1.0.0') returns jsonb language sql as $$
  select jsonb_build_array(jsonb_build_object('kind', 'pack', 'name', 'beta', 'visibility', 'public', 'bundle', jsonb_build_object('version', p_version, 'runtime', 'node', 'sizeBytes', 10, 'sha256', repeat(p_sha, 32))),
    jsonb_build_object('kind', 'deployment', 'name', 'new', 'pack', 'beta', 'version', p_version));
$$;
select is(pg_temp.words(a) || (a #>> '{placements,0,pods}') || (a #>> '{placements,0,status}') || (a #>> '{rollouts,0,to_version}'), 'created pack beta, created deployment new1scheduled1.0.0', 'in a dry run a bundle is taken for uploaded') from pg_temp.apply('uma', pg_temp.beta('aa'), 'packs', p_dry_run => true) a;
select is((select count(*) from stark.packs p where p.name = 'beta') + (select count(*) from stark.deployments d where d.name = 'new'), 0::bigint, 'and nothing of it is there');
select is(pg_temp.code('uma', pg_temp.beta('aa'), 'packs'), 'BUNDLE_MISSING', 'what was not announced is not finished');
select tests.sign_in('uma');
select stark.register_pack_version('beta', '1.0.0', 'node', p_size_bytes => 10, p_sha256 => repeat('aa', 32));
select tests.sign_out();
select is(pg_temp.code('uma', pg_temp.beta('aa'), 'packs'), 'BUNDLE_MISSING', 'nor what was not uploaded');
insert into storage.objects (bucket_id, name, metadata) select v.bucket, v.path, '{"size": 10}' from stark.pack_versions v where v.pack_name = 'beta';
select is(pg_temp.words(pg_temp.apply('uma', pg_temp.beta('aa'), 'packs')), 'created pack beta, created deployment new', 'uploaded it is finished, and rolled, in one');
select is(pg_temp.words(pg_temp.apply('uma', pg_temp.beta('aa'), 'packs')), 'unchanged pack beta, unchanged deployment new', 'the same bytes again are no change');
select is(pg_temp.code('uma', pg_temp.beta('bb'), 'packs'), 'VERSION_EXISTS', 'the same version never has other bytes');
select is(pg_temp.words(pg_temp.apply('uma', pg_temp.beta('bb', '1.1.0'), 'packs', p_dry_run => true)), 'changed pack beta version=->1.1.0, changed deployment new version=1.0.0>1.1.0', 'another version does');
select is(pg_temp.words(pg_temp.apply('uma', '[{"kind": "pack", "name": "beta"}, {"kind": "deployment", "name": "new", "pack": "beta"}]', 'packs')), 'changed pack beta visibility=public>private, unchanged deployment new', 'a version that is stated no more stays');

-- Rights: what is missing in the middle leaves nothing behind
select is(pg_temp.code(who, objects), code, format('%s: %s', who, what)) from (values
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "namespace", "name": "other"}]'::jsonb, 'FORBIDDEN', 'makes no namespace'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "rolebinding", "user": "uma@example.com", "role": "admin"}]', 'FORBIDDEN', 'gives no role'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "replicas": 9}]', 'DEPLOYMENT_EXISTS', 'does not see what somebody else has, and does not take it'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "deployment", "name": "mine", "namespace": "stark-system", "pack": "alpha"}]', 'FORBIDDEN', 'makes nothing in stark-system'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "clusterconfig", "schedulingPolicy": "random"}]', 'FORBIDDEN', 'changes no settings'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "pod", "name": "p", "pack": "alpha", "priority": 900}]', 'FORBIDDEN', 'raises no priority'),
  ('uma', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}, {"kind": "deployment", "name": "late", "pack": "nowhere"}]', 'PACK_NOT_FOUND', 'runs what is there'),
  ('vic', '[{"kind": "deployment", "name": "mine", "pack": "alpha"}]', 'FORBIDDEN', 'makes nothing'),
  ('op', '[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "template": {"spec": {"env": {"KEY": "guess"}}}}]', 'ok', 'may read env, and state it')) t (who, objects, code, what);
select is((select count(*) from stark.deployments d where d.name in ('mine', 'late')), 0::bigint, 'and nothing is left of it');
select tests.sign_in('ada');
select stark.create_role('setter', '{deployments:get,deployments:update,deployments:create,pods:create,pods:get,packs:get,packs:pull,namespaces:get}', '');
select stark.grant_role(tests.uid('udo'), 'setter', 'team-a');
select tests.sign_out();
select is(pg_temp.code('udo', objects), code, what) from (values
  ('[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "template": {"spec": {"env": {"KEY": "other"}}}}]'::jsonb, 'FORBIDDEN', 'who may not read env learns nothing by stating a guess that is right'),
  ('[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha", "template": {"spec": {"env": {"KEY": "wrong"}}}}]', 'FORBIDDEN', 'nor one that is wrong'),
  ('[{"kind": "deployment", "name": "web", "namespace": "team-a", "pack": "alpha"}]', 'FORBIDDEN', 'nor by leaving out what was stated')) t (objects, code, what);
select tests.sign_in('ada');
select stark.create_deployment('{"name": "quiet", "namespace": "team-a", "pack": "alpha", "template": {"spec": {"env": {"KEY": "hush"}}}}');
select tests.sign_out();
select is(pg_temp.words(pg_temp.apply('udo', '[{"kind": "deployment", "name": "quiet", "namespace": "team-a", "pack": "alpha", "labels": {"by": "udo"}}]', null)), 'changed deployment quiet labels.by=->udo',
  'who states nothing of an env that they may not read changes the rest');
select is((select s.secrets from stark_internal.revision_secrets s join stark.deployments d on d.id = s.deployment_id where d.name = 'quiet'), '{"env": {"KEY": "hush"}}'::jsonb, 'and leaves the env as it was');
delete from stark.deployments where name = 'quiet';

-- Sets
select is(pg_temp.code('ada', objects, 'other'), 'PROJECT_CONFLICT', 'what a project has another does not take') from files;
select is(pg_temp.code('vic', objects, 'other'), 'FORBIDDEN', 'nor does one who may not') from files;
select is(pg_temp.words(pg_temp.apply('dev', '[{"kind": "namespace", "name": "team-a"}]', 'theirs')), 'unchanged namespace team-a', 'what one may not change is not taken either');
select is((select project from stark_internal.applied_objects where kind = 'namespace'), 'shop', 'and stays where it was');
select is((select string_agg(c ->> 'name', ' ') from jsonb_array_elements(a -> 'changes') c where c ->> 'action' = 'deleted') || ' of ' || (a ->> 'members'),
  'one web ' || tests.uid('dev') || '/restarter restarter urgent of 5', 'pruned is what the set has and the files have not, but no namespaces and settings')
  from pg_temp.apply('ada', '[]', p_prune => true, p_dry_run => true) a;
select is(pg_temp.apply('ned', '[]', 'shop', true) - 'digest', '{"project": "shop", "members": 0, "changes": [], "placements": [], "rollouts": [], "deferred": 0, "tokens": []}'::jsonb, 'who does not see them hears and prunes nothing of it') from tests.add_user('ned');
select is(pg_temp.code('vic', '[]', 'shop', true), 'FORBIDDEN', 'who may not remove what is there prunes nothing');
select is((select count(*) from stark_internal.applied_objects where project = 'shop'), 7::bigint, 'so all is there');
select is((select string_agg((c ->> 'action') || ' ' || (c ->> 'kind'), ', ') from jsonb_array_elements(pg_temp.apply('uma', '[]', 'packs', p_prune => true) -> 'changes') c), 'deleted deployment, kept pack', 'a pack in use is kept');
select is(pg_temp.words(pg_temp.apply('ada', '[{"kind": "priorityclass", "name": "urgent", "value": 900}]', p_prune => true)),
  'unchanged priorityclass urgent, deleted pod one, deleted deployment web, deleted rolebinding ' || tests.uid('dev') || '/restarter, deleted role restarter', 'pruned');
select is((select string_agg(a.name, ' ' order by a.name) from stark_internal.applied_objects a where a.project = 'shop' and a.kind not in ('deployment', 'pod')), 'cluster team-a urgent', 'and forgotten');
select is(pg_temp.code('ada', objects), 'DEPLOYMENT_TERMINATING', 'what is going does not come back at once') from files;
select is(pg_temp.code('ada', '[]', null, true), 'INVALID_ARGUMENT', 'to prune takes a name');

-- What never changes
select is(pg_temp.code('ada', objects), code, what) from (values
  ('[{"kind": "priorityclass", "name": "urgent", "value": 901}]'::jsonb, 'FIELD_IMMUTABLE', 'a class keeps its value'),
  ('[{"kind": "role", "name": "admin", "permissions": []}]', 'ROLE_RESERVED', 'built-in roles stay'),
  ('[{"kind": "rolebinding", "user": "nobody@example.com", "role": "viewer"}]', 'USER_NOT_FOUND', 'users are there')) t (objects, code, what);
select is(pg_temp.words(pg_temp.apply('ada', '[{"kind": "clusterconfig", "schedulingPolicy": "bin_pack"}]')), 'changed clusterconfig cluster maxPodsPerNode=20>10', 'a setting that is stated no more is as it was made');

-- Join tokens: made anew when they are of no use any more
select is(jsonb_array_length(pg_temp.apply('uma', t, 'lab', p_dry_run => true) -> 'tokens'), 0, 'a dry run shows no token'),
       matches(pg_temp.apply('uma', t, 'lab') #>> '{tokens,0,token}', '^stark_join_', 'a token is shown when it is made'),
       is(pg_temp.words(pg_temp.apply('uma', t, 'lab')), 'unchanged jointoken lab', 'and stays')
  from (values ('[{"kind": "jointoken", "name": "lab", "uses": 2, "ttl": 600, "labels": {"zone": "b"}}]'::jsonb)) v (t);
update stark.join_tokens set uses = max_uses where true;
select is(pg_temp.words(pg_temp.apply('uma', '[{"kind": "jointoken", "name": "lab", "uses": 2, "ttl": 600, "labels": {"zone": "b"}}]', 'lab')), 'created jointoken lab', 'used up it is made anew');
select is(pg_temp.words(pg_temp.apply('udo', '[{"kind": "jointoken", "name": "lab"}]', 'lab')), 'created jointoken lab', 'everybody has their own') from tests.add_user('una', 'user');

-- Deleting what is stated
select tests.sign_in('uma');
select is((select string_agg((c ->> 'action') || ' ' || (c ->> 'kind'), ', ') from jsonb_array_elements(stark.delete_objects('[{"kind": "jointoken", "name": "lab"}, {"kind": "pack", "name": "beta"}, {"kind": "pod", "name": "gone", "pack": "beta"}]') -> 'changes') c),
  'deleted jointoken, absent pod, kept pack', 'what is there goes, what is in use stays');
select is(tests.code_of($$select stark.delete_objects('[{"kind": "priorityclass", "name": "urgent", "value": 900}]')$$), 'FORBIDDEN', 'by who may');
select tests.sign_out();

-- The digest of a dry run
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.apply_objects(%L, %L, p_if_digest => %L)', o, 'shop', d)), 'ok', 'what was looked at is done')
  from (select o, stark.apply_objects(o, 'shop', p_dry_run => true) ->> 'digest' as d from (values ('[{"kind": "namespace", "name": "team-b", "labels": {"a": "b"}}]'::jsonb)) v (o)) t;
create temporary table seen as select stark.apply_objects('[{"kind": "namespace", "name": "team-b", "labels": {"a": "c"}}]', 'shop', p_dry_run => true) ->> 'digest' as digest;
select stark.update_namespace('team-b', '{"x": "y"}');
select is(tests.code_of(format('select stark.apply_objects(%L, %L, p_if_digest => %L)', '[{"kind": "namespace", "name": "team-b", "labels": {"a": "c"}}]', 'shop', digest)), 'CONFLICT', 'and not what has changed since') from seen;
select tests.sign_out();

-- Forgotten with the object, so that another one of its name is another one
select tests.sign_in('ada');
select stark.delete_namespace('team-b');
select stark.create_namespace('team-b', '{"a": "d"}');
select tests.sign_out();
select is(pg_temp.words(pg_temp.apply('ada', '[{"kind": "namespace", "name": "team-b"}]')), 'unchanged namespace team-b', 'what was stated of another object is not taken away');

select * from finish();
rollback;
