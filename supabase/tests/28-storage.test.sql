-- Bundles in Storage: a private bucket; uploaded by the pack's owner under the path that was given, until the version is
-- ready; downloaded by those who may run it.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('vic', 'viewer'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('nod', 'node'), tests.add_user('none');
select tests.let_read_nodes('uma');
select results_eq($$select public, file_size_limit from storage.buckets where id = 'packs'$$, 'values (false, 52428800::bigint)', 'bucket packs is private and takes 50 MB');

select tests.sign_in('uma');
create temporary table up as select stark.register_pack_version('mine', '1.0.0', 'node', p_size_bytes => 10, p_sha256 => repeat('a', 64)) as a;
grant select on up to public;
select tests.sign_out();
create function pg_temp.put(p_who text, p_path text, p_bucket text default 'packs') returns text language plpgsql as $$
declare v text;
begin
  if p_who = 'anon' then perform tests.sign_in_as('anon'); else perform tests.sign_in(p_who); end if;
  v := tests.code_of(format('insert into storage.objects (bucket_id, name, metadata) values (%L, %L, ''{"size": 10}'')', p_bucket, p_path));
  perform tests.sign_out();
  return v;
end $$;
create function pg_temp.sees(p_who text) returns bigint language plpgsql as $$
declare v bigint;
begin
  if p_who = 'anon' then perform tests.sign_in_as('anon'); else perform tests.sign_in(p_who); end if;
  v := tests.count_of('select from storage.objects');
  perform tests.sign_out();
  return v;
end $$;

select is(pg_temp.put(who, (select a ->> 'path' from up)), '42501', format('%s may not upload another''s bundle', who)) from unnest(array['udo', 'vic', 'op', 'nod', 'none', 'anon']) who;
select is(pg_temp.put('uma', 'anywhere.js'), '42501', 'nor may the owner anywhere else');
select is(pg_temp.put('uma', (select a ->> 'path' from up) || '/../x'), '42501', 'or beside it');
select is(pg_temp.put('uma', (select a ->> 'path' from up)), 'ok', 'the owner uploads under the given path');
select is(pg_temp.sees(who), n, format('before it is ready, %s sees %s', who, n)) from (values ('uma', 1::bigint), ('ada', 1), ('udo', 0), ('vic', 0), ('nod', 0), ('op', 0), ('none', 0), ('anon', 0)) t (who, n);
select tests.sign_in('uma');
select is(tests.code_of(format('update storage.objects set metadata = ''{"size": 10, "again": true}'' where name = %L', (select a ->> 'path' from up))), 'ok', 'the owner may upload again');
select is((select metadata ? 'again' from storage.objects), true, 'and it counts');
select is(tests.code_of($$update storage.objects set name = 'elsewhere.js'$$), '42501', 'but not move it');
select is(stark.finish_pack_version((select (a ->> 'version_id')::uuid from up)) ->> 'state', 'ready', 'then it is ready');
update storage.objects set metadata = '{"size": 99}';
select is((select metadata ->> 'size' from storage.objects), '10', 'and cannot be replaced');
delete from storage.objects;
select is(pg_temp.sees('uma'), 1::bigint, 'nor removed');
select tests.sign_out();
select is(pg_temp.put('uma', (select a ->> 'path' from up) || '2'), '42501', 'nor given a second');

select is(pg_temp.sees(who), n, format('of a private pack, %s sees %s', who, n)) from (values ('uma', 1::bigint), ('ada', 1), ('udo', 0), ('vic', 0), ('nod', 0), ('op', 0)) t (who, n);
select tests.add_node('shared', 'ada'), tests.add_node('nods', 'nod');
insert into stark.role_bindings (user_id, role) values (tests.uid('nod'), 'admin');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "mine", "name": "on-nod", "spec": {"nodeName": "nods"}}');
select tests.sign_out();
delete from stark.role_bindings where user_id = tests.uid('nod') and role = 'admin';
select is((select status from stark.pods), 'scheduled', 'a pod is placed on an agent''s node');
select is(pg_temp.sees('nod'), 1::bigint, 'so that agent may read the bundle');
select is(pg_temp.sees('udo'), 0::bigint, 'and no other');
update stark.pods set status = 'failed', finished_at = now();
select is(pg_temp.sees('nod'), 0::bigint, 'until the pod has ended');
update stark.packs set visibility = 'public';
select is(pg_temp.sees(who), n, format('of a public pack, %s sees %s', who, n)) from (values ('uma', 1::bigint), ('udo', 1), ('vic', 1), ('nod', 1), ('none', 0), ('anon', 0)) t (who, n);

-- The archive of assets is held as the bundle is
select tests.sign_out();
select tests.sign_in('uma');
create temporary table assets as select stark.register_pack_version('with-assets', '1.0.0', 'node', p_size_bytes => 10, p_sha256 => repeat('a', 64), p_assets_size_bytes => 10, p_assets_sha256 => repeat('c', 64)) as a;
grant select on assets to public;
select tests.sign_out();
select is(pg_temp.put('udo', (select a ->> 'assets_path' from assets)), '42501', 'another may not upload it');
select is(pg_temp.put('uma', (select a ->> 'assets_path' from assets)), 'ok', 'the owner may');
select is(pg_temp.put('uma', (select a ->> 'path' from assets)), 'ok', 'beside the bundle');
select tests.sign_in('uma');
select is(stark.finish_pack_version((select (a ->> 'version_id')::uuid from assets)) ->> 'state', 'ready', 'and then it is ready');
update storage.objects set metadata = '{"size": 99}';
select is((select metadata ->> 'size' from storage.objects where name = (select a ->> 'assets_path' from assets)), '10', 'and cannot be replaced');
select tests.sign_out();

select * from finish();
rollback;
