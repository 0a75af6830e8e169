-- The registry: register, upload, finish; immutable once ready; semver decides what is latest; who sees what.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node'), tests.add_user('none');

create function pg_temp.register(p_name text, p_version text, p_runtime text default 'node', p_size bigint default 10, p_sha text default repeat('a', 64), p_visibility text default null)
returns jsonb language sql as $$ select stark.register_pack_version(p_name, p_version, p_runtime, p_visibility => p_visibility, p_size_bytes => p_size, p_sha256 => p_sha) $$;
create function pg_temp.upload(p_upload jsonb, p_size bigint default 10) returns void language sql security definer as $$
  insert into storage.objects (bucket_id, name, metadata) values (p_upload ->> 'bucket', p_upload ->> 'path', jsonb_build_object('size', p_size))
    on conflict (bucket_id, name) do update set metadata = excluded.metadata $$;
create function pg_temp.publish(p_name text, p_version text, p_visibility text default null) returns jsonb language plpgsql as $$
declare v jsonb := pg_temp.register(p_name, p_version, p_visibility => p_visibility);
begin
  perform pg_temp.upload(v);
  return stark.finish_pack_version((v ->> 'version_id')::uuid);
end $$;

-- Bad input changes nothing
select tests.sign_in('uma');
select is(tests.code_of(format('select stark.register_pack_version(%s)', args)), code, format('%s: %s', code, what)) from (values
  ($$'Alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_NAME', 'a capital letter'),
  ($$null, '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_NAME', 'no name'),
  ($$'../etc', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_NAME', 'a path'),
  ($$'alpha', '1.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_VERSION', 'two numbers'),
  ($$'alpha', null, 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_VERSION', 'no version'),
  ($$'alpha', '1.0.0', null, p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_RUNTIME', 'no runtime'),
  ($$'alpha', '1.0.0', 'python', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_RUNTIME', 'another runtime'),
  ($$'alpha', '1.0.0', 'node', p_entry => 'a b', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_ARGUMENT', 'an entry that is no name'),
  ($$'alpha', '1.0.0', 'node', p_visibility => 'secret', p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_ARGUMENT', 'an unknown visibility'),
  ($$'alpha', '1.0.0', 'node', p_description => repeat('x', 2001), p_size_bytes => 1, p_sha256 => repeat('a', 64)$$, 'INVALID_ARGUMENT', 'a long description'),
  ($$'alpha', '1.0.0', 'node', p_sha256 => repeat('a', 64)$$, 'INVALID_ARGUMENT', 'no size'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 0, p_sha256 => repeat('a', 64)$$, 'INVALID_ARGUMENT', 'an empty bundle'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 52428801, p_sha256 => repeat('a', 64)$$, 'BUNDLE_TOO_LARGE', 'one byte over 50 MB'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1$$, 'INVALID_ARGUMENT', 'no sum'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_ports => '[{"containerPort": 80}]'$$, 'INVALID_ARGUMENT', 'a port that is none'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => 'xyz'$$, 'INVALID_ARGUMENT', 'a sum that is none'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_assets_size_bytes => 1$$, 'INVALID_ARGUMENT', 'assets without a sum'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_assets_sha256 => repeat('b', 64)$$, 'INVALID_ARGUMENT', 'assets without a size'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_assets_size_bytes => 0, p_assets_sha256 => repeat('b', 64)$$, 'INVALID_ARGUMENT', 'empty assets'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_assets_size_bytes => 1, p_assets_sha256 => 'xyz'$$, 'INVALID_ARGUMENT', 'a sum of assets that is none'),
  ($$'alpha', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_assets_size_bytes => 52428800, p_assets_sha256 => repeat('b', 64)$$, 'BUNDLE_TOO_LARGE', 'one byte over 50 MB with its assets')) t (args, code, what);
select is(tests.count_of('select from stark.packs'), 0::bigint, 'none of it left a pack');
select tests.sign_in('vic');
select is(tests.code_of($$select pg_temp.register('alpha', '1.0.0')$$), 'FORBIDDEN', 'a viewer registers nothing');
select tests.sign_in('none');
select is(tests.code_of($$select pg_temp.register('alpha', '1.0.0')$$), 'FORBIDDEN', 'nor who has no role');
select tests.sign_in_as('service_role');
select is(tests.code_of($$select pg_temp.register('alpha', '1.0.0')$$), 'UNAUTHENTICATED', 'the secret key is nobody, and a pack needs an owner');

-- Register, upload, finish
select tests.sign_in('uma');
create temporary table r as select pg_temp.register('@acme/alpha', '1.0.0') as upload;
select is((select upload ->> 'bucket' from r), 'packs', 'the bundle goes to bucket packs');
select is((select pg_temp.register('@acme/alpha', '1.0.0') from r), (select upload from r), 'asking again gives the same place');
select pg_temp.upload((select upload from r), 20);
select is((select pg_temp.register('@acme/alpha', '1.0.0', p_size => 20) from r), (select upload from r), 'also with another size');
create temporary table again as select pg_temp.register('@acme/alpha', '1.0.0', p_size => 20, p_sha => repeat('B', 64)) as upload;
select results_eq($$select a.upload - 'path' = r.upload - 'path', a.upload ->> 'path' <> r.upload ->> 'path', a.upload ->> 'path' like '%' || repeat('b', 64) || '.js' from r, again a$$, 'values (true, true, true)', 'with another sum another path, so that what was uploaded before is not taken for it');
update r set upload = (select upload from again);
select results_eq($$select size_bytes, sha256, state from stark.pack_versions$$, $$values (20::bigint, repeat('b', 64), 'uploading')$$, 'which is taken over');
select is((select visibility from stark.packs), 'private', 'a pack is private unless said otherwise');
select is(tests.code_of($$select stark.finish_pack_version((select (upload ->> 'version_id')::uuid from r))$$), 'BUNDLE_MISSING', 'no bundle, no version');
select pg_temp.upload((select upload from r), 19);
select is(tests.code_of($$select stark.finish_pack_version((select (upload ->> 'version_id')::uuid from r))$$), 'BUNDLE_SIZE_MISMATCH', 'nor with another size');
select is((select latest_version from stark.packs), null, 'there is no latest yet');
select pg_temp.upload((select upload from r), 20);
select is(stark.finish_pack_version((select (upload ->> 'version_id')::uuid from r)) ->> 'state', 'ready', 'then it is ready');
select is(stark.finish_pack_version((select (upload ->> 'version_id')::uuid from r)) ->> 'state', 'ready', 'finishing twice is no error');
select is((select latest_version from stark.packs), '1.0.0', 'and the latest');
select is(tests.code_of($$select pg_temp.register('@acme/alpha', '1.0.0')$$), 'VERSION_EXISTS', 'a ready version is not registered again');
select is(tests.code_of(format('select stark.finish_pack_version(%L)', gen_random_uuid())), 'VERSION_NOT_FOUND', 'an unknown version is named');
select is(stark.register_pack_version('uni', '1.0.0', 'universal', p_size_bytes => 1, p_sha256 => repeat('a', 64)) ->> 'bucket', 'packs', 'universal is taken');
select is((select runtime from stark.pack_versions where pack_name = 'uni'), 'isomorphic', 'as another name of isomorphic');

-- Limits, for every writer
select tests.sign_out();
select is(tests.code_of(format('insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path) select id, name, %s, ''x'' from stark.packs where name = ''uni''', args)), code, format('%s: %s', code, args)) from (values
  ($$'1.0', 'node', 1, repeat('a', 64)$$, '23514'), ($$'2.0.0', null, 1, repeat('a', 64)$$, '23502'), ($$'2.0.0', 'universal', 1, repeat('a', 64)$$, '23514'), ($$'2.0.0', 'node', 52428801, repeat('a', 64)$$, '23514'),
  ($$'2.0.0', 'node', 0, repeat('a', 64)$$, '23514'), ($$'2.0.0', 'node', 1, repeat('A', 64)$$, '23514'), ($$'2.0.0', 'node', 1, ''$$, '23514'), ($$'1.0.0', 'node', 1, repeat('a', 64)$$, '23505')) t (args, code);
select is(tests.code_of($$insert into stark.packs (name, owner_id) values ('Not Npm', tests.uid('uma'))$$), '23514', '23514: a name npm would not take');
select is(tests.code_of($$update stark.pack_versions set state = 'ready' where pack_name = 'uni'$$), '23514', '23514: ready, but nobody knows since when');
select tests.sign_in('uma');
select is(tests.code_of($$select pg_temp.register('big', '1.0.0', p_size => 52428801)$$), 'BUNDLE_TOO_LARGE', 'one byte more than 50 MB');
select is(pg_temp.register('big', '1.0.0', p_size => 52428800) ->> 'bucket', 'packs', 'not one less');
create temporary table big as select v.id from stark.pack_versions v where v.pack_name = 'big';
select is((stark.withdraw_pack_version('big', '1.0.0')).state, 'withdrawn', 'a version can be withdrawn before it is uploaded');
select is(tests.code_of('select stark.finish_pack_version((select id from big))'), 'VERSION_NOT_READY', 'and is finished no more');
select is(tests.code_of($$select pg_temp.register('big', '1.0.0')$$), 'VERSION_EXISTS', 'nor announced again');
select is(tests.code_of($$select stark.create_pods('[{"pack": "big"}]')$$), 'VERSION_NOT_FOUND', 'so no pod gets it');
select is((stark.delete_pack('big')).name, 'big', 'the pack goes again');

-- Whose pack it is
select tests.sign_in('udo');
select is(tests.code_of($$select pg_temp.register('@acme/alpha', '2.0.0')$$), 'FORBIDDEN', 'another user adds no version');
select is(tests.code_of(format('select stark.finish_pack_version(%L)', (select id from stark.pack_versions where pack_name = 'uni'))), 'VERSION_NOT_FOUND', 'and cannot even name one');
select tests.sign_out();
create temporary table ids as select id from stark.pack_versions where pack_name = 'uni';
grant select on ids to public;
select tests.sign_in('udo');
select is(tests.code_of('select stark.finish_pack_version((select id from ids))'), 'FORBIDDEN', 'nor finish one whose id he guessed');
select tests.sign_in('ada');
select is(pg_temp.publish('@acme/alpha', '1.1.0') ->> 'state', 'ready', 'an admin can add one');
select is((select owner_id from stark.packs where name = '@acme/alpha'), tests.uid('uma'), 'and the owner stays');

-- Immutable, and sorted by semver
select tests.sign_out();
select is(tests.code_of(format('update stark.pack_versions set %s where version = ''1.0.0'' and pack_name = ''@acme/alpha''', change)), 'VERSION_EXISTS', format('a ready version refuses: %s', change))
  from unnest(array['size_bytes = 5', 'sha256 = repeat(''c'', 64)', 'runtime = ''browser''', 'entry = ''main''', 'path = ''x''', 'version = ''9.0.0''', 'state = ''uploading''']) change;
select is(tests.code_of($$update stark.pack_versions set state = 'withdrawn' where version = '1.1.0'$$), 'ok', 'but it may be withdrawn');
select tests.sign_in('uma');
select pg_temp.publish('@acme/alpha', '1.10.0'), pg_temp.publish('@acme/alpha', '1.9.0'), pg_temp.publish('@acme/alpha', '2.0.0-rc.1');
select is((select latest_version from stark.packs where name = '@acme/alpha'), '1.10.0', 'latest is by semver, not by time, and no pre-release');
select pg_temp.publish('beta', '0.1.0-alpha.2'), pg_temp.publish('beta', '0.1.0-alpha.10');
select is((select latest_version from stark.packs where name = 'beta'), '0.1.0-alpha.10', 'unless there is nothing else');

-- Who sees what
select pg_temp.publish('open', '1.0.0', 'public');
select set_eq('select name from stark.packs', array['@acme/alpha', 'uni', 'beta', 'open'], 'the owner sees own packs');
select tests.sign_in('udo');
select set_eq('select name from stark.packs', array['open'], 'another user the public ones');
select set_eq('select pack_name from stark.pack_versions', array['open'], 'and their versions');
select tests.sign_in('nod');
select set_eq('select name from stark.packs', array['open'], 'an agent likewise');
select tests.sign_in('vic');
select is(tests.count_of('select from stark.packs'), 4::bigint, 'a viewer all');
select tests.sign_in('none');
select is(tests.count_of('select from stark.packs'), 0::bigint, 'who has no role none');
select is(tests.code_of($$insert into stark.packs (name, owner_id) values ('x', tests.uid('none'))$$), '42501', 'and nobody writes the table');

-- Assets
select tests.sign_out();
select tests.sign_in('uma');
create temporary table assets as select stark.register_pack_version('with-assets', '1.0.0', 'node', p_size_bytes => 10, p_sha256 => repeat('a', 64), p_assets_size_bytes => 30, p_assets_sha256 => repeat('C', 64)) as upload;
select ok((select upload ->> 'assets_path' like '%/' || repeat('c', 64) || '.zip' from assets), 'an archive of assets has a place of its own');
select pg_temp.upload((select upload from assets), 10);
select is(tests.code_of($$select stark.finish_pack_version((select (upload ->> 'version_id')::uuid from assets))$$), 'BUNDLE_MISSING', 'without it there is no version');
select pg_temp.upload((select upload || jsonb_build_object('path', upload -> 'assets_path') from assets), 31);
select is(tests.code_of($$select stark.finish_pack_version((select (upload ->> 'version_id')::uuid from assets))$$), 'BUNDLE_SIZE_MISMATCH', 'nor with another size');
select pg_temp.upload((select upload || jsonb_build_object('path', upload -> 'assets_path') from assets), 30);
select results_eq($$select v ->> 'state', (v ->> 'assets_size_bytes')::bigint, v ->> 'assets_sha256' from stark.finish_pack_version((select (upload ->> 'version_id')::uuid from assets)) v$$,
  $$values ('ready', 30::bigint, repeat('c', 64))$$, 'then it is ready');
select is(pg_temp.register('without-assets', '1.0.0') ? 'assets_path', false, 'who announces none has no place for any');

-- Ports that a version declares are those of its pods, unless they say otherwise
select tests.sign_in('uma');
select pg_temp.upload(u), stark.finish_pack_version((u ->> 'version_id')::uuid)
  from stark.register_pack_version('ported', '1.0.0', 'node', p_size_bytes => 10, p_sha256 => repeat('a', 64), p_ports => '[{"name": "http"}]') u;
select is(stark.register_pack_version('silent', '1.0.0', 'node', p_size_bytes => 1, p_sha256 => repeat('a', 64), p_ports => null) ->> 'bucket', 'packs', 'null is none');
select is((select p.spec -> 'ports' from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', 'ported', 'spec', spec))) p), ports, what) from (values
  ('{}'::jsonb, '[{"name": "http"}]'::jsonb, 'a pod has them'), ('{"ports": null}', '[{"name": "http"}]', 'also with null'), ('{"ports": []}', '[]', 'one that wants none has none'),
  ('{"ports": [{"name": "other"}]}', '[{"name": "other"}]', 'or those that it names'),
  ('{"readinessProbe": {"httpGet": {"port": "http"}}}', '[{"name": "http"}]', 'and its probes may name them')) t (spec, ports, what);
select is((stark.create_deployment('{"name": "ported", "pack": "ported"}')).name, 'ported', 'a deployment is made');
select is((select p.spec -> 'ports' from stark.pods p where p.deployment_id is not null), '[{"name": "http"}]', 'whose pods have them, also those that fit nowhere');
select is((select r.template #> '{spec,ports}' from stark.deployment_revisions r), null, 'while its template leaves them to each version');
select tests.sign_out();
select is(tests.code_of($$update stark.pack_versions set ports = '[]' where pack_name = 'ported'$$), 'VERSION_EXISTS', 'and they never change');

select * from finish();
rollback;
