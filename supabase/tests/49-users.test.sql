-- Users: who is let in while registration is open or closed, the list of users, and what disabling one takes away.
begin;
select * from no_plan();

-- Supabase Auth inserts under a role of its own, which postgres cannot become here; what counts is that it is none of the trusted ones.
create function tests.insert_user(p_id uuid, p_email text) returns void language sql security definer
as $$ insert into auth.users (id, email) values (p_id, p_email) $$;
create function pg_temp.sign_up(p_name text, p_id uuid default null) returns jsonb language plpgsql as $$
declare
  v_message text;
  v_detail text;
begin
  perform tests.sign_in_as('anon');
  perform tests.insert_user(coalesce(p_id, tests.uid(p_name)), p_name || '@example.com');
  perform tests.sign_out();
  return null;
exception when sqlstate 'PT403' then
  get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail;
  perform tests.sign_out();
  return jsonb_build_object('message', v_message, 'detail', v_detail);
end $$;

-- Before there is an admin nobody can open what is closed, so it is not closed.
update stark.cluster_config set allow_registration = false;
select is(pg_temp.sign_up('ada'), null, 'the first user comes in though registration is closed: somebody must be the admin');
select tests.add_user('ada', 'admin'), tests.add_user('vic', 'viewer'), tests.add_user('op', 'operator');

-- Closed and open
select is(pg_temp.sign_up('eve') ->> 'detail', 'REGISTRATION_CLOSED', 'with an admin there, closed is closed, whatever Supabase Auth''s own settings say');
select is(tests.count_of(format('select from auth.users where id = %L', tests.uid('eve'))), 0::bigint, 'and leaves no user behind');
select tests.sign_in('vic');
select is(tests.code_of($$select stark.update_cluster_config('{"allow_registration": true}')$$), 'FORBIDDEN', 'only an admin opens it');
select tests.sign_in('ada');
select is((stark.update_cluster_config('{"allow_registration": true}')).allow_registration, true, 'as an admin does');
select is(tests.code_of($$select stark.update_cluster_config('{"allow_registration": "yes"}')$$), 'INVALID_ARGUMENT', 'with a yes or no');
select is((stark.update_cluster_config('{"allow_node_registration": true}')).allow_node_registration, true, 'nodes have a switch of their own');
select tests.sign_out();
select is(pg_temp.sign_up('eve'), null, 'then everybody may sign up');
select is(tests.count_of(format('select from stark.role_bindings where user_id = %L', tests.uid('eve'))), 0::bigint, 'and gets no role by it');

-- Adding
select tests.sign_in('ada');
select stark.update_cluster_config('{"allow_registration": false}');
select set_config('tests.new', stark.admit_user(' New@Example.com', 'developer', 'default', 'New') ->> 'user_id', true);
select is(tests.code_of($$select stark.admit_user('eve@example.com')$$), 'EMAIL_TAKEN', 'an address has one user');
select is(tests.code_of(format('select stark.admit_user(%L)', e)), 'INVALID_ARGUMENT', format('%s is no address', coalesce(e, 'null'))) from unnest(array['eve', 'a b@c', '@', '', repeat('x', 250) || '@x.de', null]) e;
select is(tests.code_of($$select stark.admit_user('x@example.com', 'king')$$), 'ROLE_NOT_FOUND', 'a role must be there');
select is(tests.code_of($$select stark.admit_user('x@example.com', 'user', 'nowhere')$$), 'NAMESPACE_NOT_FOUND', 'and a namespace');
select is(tests.code_of($$select stark.admit_user('x@example.com', null, 'default')$$), 'INVALID_ARGUMENT', 'a namespace alone means nothing');
select is(tests.code_of(format('select stark.admit_user(%L, p_display_name => %L)', 'x@example.com', repeat('x', 201))), 'INVALID_ARGUMENT', 'a name has an end');
select tests.sign_in('op');
select is(tests.code_of($$select stark.admit_user('x@example.com')$$), 'FORBIDDEN', 'an operator adds nobody');
select tests.sign_out();
select is(pg_temp.sign_up('new') ->> 'detail', 'REGISTRATION_CLOSED', 'who knows the address of somebody who is about to be added cannot come first');
select is(pg_temp.sign_up('new', current_setting('tests.new')::uuid), null, 'the one who is added comes in');
select is((select display_name from stark.profiles where email = 'new@example.com'), 'New', 'with the name');
select is((select format('%s %s %s', role, namespace, created_by = tests.uid('ada')) from stark.role_bindings where user_id = current_setting('tests.new')::uuid), 'developer default t', 'and with the role, given by who added them');
select is(tests.count_of('select from stark_internal.admitted_users'), 0::bigint, 'an admission serves once');
select tests.sign_in('ada');
select set_config('tests.late', stark.admit_user('late@example.com') ->> 'user_id', true);
select tests.sign_out();
update stark_internal.admitted_users set created_at = now() - interval '61 minutes';
select is(pg_temp.sign_up('late', current_setting('tests.late')::uuid) ->> 'detail', 'REGISTRATION_CLOSED', 'for an hour');

-- Listing
update auth.users set last_sign_in_at = '2026-01-01 12:00Z' where id = tests.uid('vic');
select tests.sign_in('op');
select is((select to_jsonb(u) - 'created_at' from stark.list_users() u where u.email = 'vic@example.com'),
  jsonb_build_object('id', tests.uid('vic'), 'email', 'vic@example.com', 'display_name', null, 'disabled_at', null, 'last_sign_in_at', '2026-01-01T12:00:00+00:00'::timestamptz,
    'roles', '[{"role": "viewer", "namespace": null}]'::jsonb), 'who may read users gets them with roles and last sign-in');
select is(tests.count_of('select from stark.list_users()'), 5::bigint, 'all of them, those without a role too');
select tests.sign_in('vic');
select is(tests.code_of('select stark.list_users()'), 'FORBIDDEN', 'a viewer does not see who else there is');

-- Disabling
select tests.sign_in('vic');
select is(tests.code_of(format('select stark.disable_user(%L)', tests.uid('ada'))), 'FORBIDDEN', 'a viewer disables nobody');
select tests.sign_in('ada');
select is(tests.code_of(format('select stark.disable_user(%L)', tests.uid('nobody'))), 'USER_NOT_FOUND', 'an unknown user is named');
select is(tests.code_of(format('select stark.disable_user(%L)', tests.uid('ada'))), 'LAST_ADMIN', 'the last admin stays');
select isnt((stark.disable_user(tests.uid('vic'))).disabled_at, null, 'an admin disables a user');
select tests.sign_in('vic');
select is(tests.code_of('select stark.whoami()'), 'USER_DISABLED', 'whose token is good for nothing from the next statement on');
select is(tests.code_of($$select stark.can_i('get', 'pods')$$), 'USER_DISABLED', 'no right is left');
select is(tests.count_of('select from stark.namespaces'), 0::bigint, 'and no row is seen');
select tests.sign_out();
select ok((select banned_until > now() + interval '10 years' from auth.users where id = tests.uid('vic')), 'Supabase Auth gives no new token');
select tests.sign_in('ada');
select is((stark.disable_user(tests.uid('vic'))).disabled_at, (select disabled_at from stark.profiles where id = tests.uid('vic')), 'disabling twice keeps the first time');
select is((stark.enable_user(tests.uid('vic'))).disabled_at, null, 'an admin enables the user again');
select tests.sign_out();
select is((select banned_until from auth.users where id = tests.uid('vic')), null, 'Supabase Auth lets them in');
select tests.sign_in('vic');
select is(stark.can_i('get', 'pods'), true, 'the roles are those they had');

-- The last admin who counts
select tests.sign_out();
select tests.add_user('bea', 'admin');
select tests.sign_in('bea');
select isnt((stark.disable_user(tests.uid('ada'))).disabled_at, null, 'of two admins one may go');
select is(tests.code_of(format('select stark.revoke_role(%L, %L)', tests.uid('bea'), 'admin')), 'LAST_ADMIN', 'but the other stays: a disabled one runs no cluster');
select is(tests.code_of(format('select stark.disable_user(%L)', tests.uid('bea'))), 'LAST_ADMIN', 'and is not disabled either');
select tests.sign_in_as('anon');
select is(stark.needs_setup(), false, 'in none of this setup opens again');

select * from finish();
rollback;
