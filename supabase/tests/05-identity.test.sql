-- Identity: profiles follow Auth, the first admin, roles as rows that count at the next statement.
begin;
select * from no_plan();

-- Profiles
select tests.add_user('ada');
select is((select email from stark.profiles where id = tests.uid('ada')), 'ada@example.com', 'a new user has a profile');
select is(tests.count_of('select from stark.role_bindings'), 0::bigint, 'and no role');
update auth.users set email = 'ada@new.example' where id = tests.uid('ada');
select is((select email from stark.profiles where id = tests.uid('ada')), 'ada@new.example', 'a changed address changes there too');
select tests.add_user('bob');
delete from auth.users where id = tests.uid('bob');
select is(tests.count_of(format('select from stark.profiles where id = %L', tests.uid('bob'))), 0::bigint, 'a deleted user has none');

-- The first admin
select tests.sign_in_as('anon');
select is(stark.needs_setup(), true, 'before setup, anybody can ask whether it is needed');
select is(tests.code_of($$select stark.whoami()$$), '42501', 'and nothing else');
select is(tests.code_of(format('select stark.setup_admin(%L)', tests.uid('ada'))), '42501', 'anon cannot set up');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.setup_admin(%L)', tests.uid('ada'))), '42501', 'nor can a signed-in user');
select tests.sign_in_as('service_role');
select is(tests.code_of(format('select stark.setup_admin(%L)', gen_random_uuid())), 'USER_NOT_FOUND', 'an unknown user is refused');
select is(tests.code_of(format('select stark.setup_admin(%L, %L)', tests.uid('ada'), repeat('x', 201))), 'INVALID_ARGUMENT', 'a very long name too');
select is(stark.setup_admin(tests.uid('ada'), 'Ada') -> 'roles', '[{"role": "admin", "namespace": null}]', 'the secret key makes the first admin');
select is(tests.error_of(format('select stark.setup_admin(%L)', tests.uid('ada'))) ->> 'code', 'SETUP_DONE', 'once');
select is(tests.error_of(format('select stark.setup_admin(%L)', tests.uid('ada'))) ->> 'status', '409', 'with status 409');
select tests.sign_in_as('anon');
select is(stark.needs_setup(), false, 'after setup it is needed no more');

-- whoami, can_i
select tests.sign_in('ada');
select is(stark.whoami(), jsonb_build_object('user_id', tests.uid('ada'), 'email', 'ada@new.example', 'display_name', 'Ada', 'roles', '[{"role": "admin", "namespace": null}]'::jsonb),
  'whoami tells user, address, name and roles');
select ok(stark.can_i(v, k, 'default'), format('an admin can %s %s', v, k))
  from unnest(array['get', 'create', 'update', 'delete', 'connect', 'pull']) v, unnest(array['packs', 'nodes', 'pods', 'logs', 'users', 'roles']) k;

select is(tests.code_of(format('select stark.can_i(%L, %L)', verb, kind)), 'INVALID_ARGUMENT', format('no right is %s of %s', verb, kind)) from (values
  ('fly', 'pods'), ('get', 'pigs'), ('fly', 'pigs'), (null, 'pods'), ('get', null), ('', '')) t (verb, kind);
select ok(stark.can_i(v, k), format('%s %s is understood', v, k)) from (values ('scale', 'deployment'), ('label', 'nodes'), ('*', '*'), ('GET', 'Pods'), ('get', 'priorityclass')) t (v, k);

select tests.sign_out();
select tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer'), tests.add_user('dep', 'deployer'), tests.add_user('op', 'operator'),
  tests.add_user('usr', 'user'), tests.add_user('nod', 'node'), tests.add_user('none'), tests.add_user('scoped', 'developer', 'stark-public');

create temporary table wanted (who text, verb text, kind text, namespace text, allowed boolean);
insert into wanted values
  ('vic', 'list', 'pods', 'default', true), ('vic', 'get', 'pod', 'default', true), ('vic', 'get', 'packs', null, true), ('vic', 'get', 'nodes', null, true),
  ('vic', 'get', 'logs', 'default', true), ('vic', 'create', 'pods', 'default', false), ('vic', 'delete', 'nodes', null, false), ('vic', 'register', 'packs', null, false),
  ('vic', 'get', 'users', null, false), ('vic', 'pull', 'packs', null, false),
  ('dev', 'create', 'pods', 'default', true), ('dev', 'deploy', 'pods', 'default', true), ('dev', 'register', 'packs', null, true), ('dev', 'create', 'nodes', null, false),
  ('dev', 'get', 'roles', null, false), ('dep', 'create', 'pods', 'default', true), ('dep', 'register', 'packs', null, true), ('dep', 'connect', 'nodes', null, false),
  ('op', 'delete', 'pods', 'default', true), ('op', 'cordon', 'nodes', null, true), ('op', 'create', 'packs', null, false), ('op', 'get', 'users', null, true), ('op', 'create', 'roles', null, false),
  ('usr', 'create', 'packs', null, true), ('usr', 'create', 'nodes', null, true), ('usr', 'create', 'pods', 'default', true), ('usr', 'get', 'logs', 'default', true), ('usr', 'create', 'roles', null, false),
  ('nod', 'create', 'nodes', null, true), ('nod', 'connect', 'nodes', null, true), ('nod', 'create', 'pods', 'default', false), ('nod', 'create', 'packs', null, false),
  ('none', 'get', 'pods', 'default', false), ('none', 'get', 'packs', null, false),
  ('scoped', 'create', 'pods', 'stark-public', true), ('scoped', 'create', 'pods', 'default', false), ('scoped', 'create', 'pods', null, false), ('scoped', 'create', 'packs', null, false);
create function pg_temp.can(p_who text, p_verb text, p_kind text, p_namespace text) returns boolean language plpgsql as $$
declare v boolean;
begin
  perform tests.sign_in(p_who);
  v := stark.can_i(p_verb, p_kind, p_namespace);
  perform tests.sign_out();
  return v;
end $$;
select is(pg_temp.can(who, verb, kind, namespace), allowed, format('%s %s %s %s%s', who, case when allowed then 'can' else 'cannot' end, verb, kind, coalesce(' in ' || namespace, ''))) from wanted;

-- Granting and revoking
select tests.sign_in('op');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('op'), 'admin')), 'FORBIDDEN', 'an operator cannot make himself admin');
select is(tests.code_of(format('select stark.revoke_role(%L, %L)', tests.uid('ada'), 'admin')), 'FORBIDDEN', 'nor take the admin''s role');
select tests.sign_in('none');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('none'), 'admin')), 'FORBIDDEN', 'a user without a role gets none by asking');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('none'), 'viewer')), 'FORBIDDEN', 'not even viewer');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('none'), 'king')), 'ROLE_NOT_FOUND', 'an unknown role is named');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', gen_random_uuid(), 'viewer')), 'USER_NOT_FOUND', 'an unknown user too');
select is(tests.code_of(format('select stark.grant_role(%L, %L, %L)', tests.uid('none'), 'viewer', 'nowhere')), 'NAMESPACE_NOT_FOUND', 'an unknown namespace too');
select is((stark.grant_role(tests.uid('none'), 'viewer', 'default')).created_by, tests.uid('ada'), 'an admin gives a role');
select is((stark.grant_role(tests.uid('none'), 'viewer', 'default')).role, 'viewer', 'giving it again changes nothing');
select is(tests.count_of(format('select from stark.role_bindings where user_id = %L', tests.uid('none'))), 1::bigint, 'there is one binding');
select tests.sign_in('none');
select is(stark.can_i('get', 'pods', 'default'), true, 'it counts at the next statement');
select is(stark.can_i('get', 'pods', 'stark-public'), false, 'in its namespace only');
select tests.sign_in('ada');
select is(stark.revoke_role(tests.uid('none'), 'viewer', 'default'), true, 'an admin takes it away');
select is(stark.revoke_role(tests.uid('none'), 'viewer', 'default'), false, 'twice is no error');
select tests.sign_in('none');
select is(stark.can_i('get', 'pods', 'default'), false, 'it is gone at the next statement');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.revoke_role(%L, %L)', tests.uid('ada'), 'admin')), 'LAST_ADMIN', 'the last admin stays');
select is(stark.can_i('delete', 'roles'), true, 'and is one still');

-- A role of one's own, and a disabled user
select tests.sign_out();
insert into stark.roles (name) values ('restarter');
insert into stark.role_permissions values ('restarter', 'pods', 'update', 'any');
select tests.add_user('res', 'restarter');
select is(pg_temp.can('res', 'stop', 'pods', 'default'), true, 'an admin can define a role');
select is(pg_temp.can('res', 'delete', 'pods', 'default'), false, 'that can do what it says and no more');
update stark.profiles set disabled_at = now() where id = tests.uid('op');
select tests.sign_in('op');
select is(tests.code_of('select stark.whoami()'), 'USER_DISABLED', 'a disabled user is told so');
select is(tests.count_of('select from stark.packs'), 0::bigint, 'and sees nothing');
select tests.sign_out();
select throws_ok($$insert into stark.role_permissions values ('restarter', 'podz', 'get', 'any')$$, '23514', null, 'a permission names a known kind');
select throws_ok($$insert into stark.role_permissions values ('restarter', 'pods', 'fly', 'any')$$, '23514', null, 'and a known verb');

select * from finish();
rollback;
