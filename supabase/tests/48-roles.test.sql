-- Roles of one's own: made, changed and deleted by admins; and nobody gives away more than they have.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('lead', 'admin', 'default'), tests.add_user('dev', 'developer'), tests.add_user('new'), tests.add_user('hr');

select tests.sign_in('ada');
select is((stark.create_role('restarter', '{pods:get,pods:update:own,logs:get,pods:get}', 'Restarts pods')).description, 'Restarts pods', 'an admin makes a role');
select set_eq($$select kind || ':' || verb || ':' || scope from stark.role_permissions where role = 'restarter'$$,
  array['pods:get:any', 'pods:update:own', 'logs:get:any'], 'with these permissions');
select is(tests.code_of($$select stark.create_role('restarter', '{}')$$), 'ROLE_EXISTS', 'once');
select is(tests.code_of($$select stark.create_role('admin', '{}')$$), 'ROLE_EXISTS', 'not over a built-in one');
select is(tests.code_of($$select stark.create_role('Boss!', '{}')$$), 'INVALID_NAME', 'its name is a DNS label');
select is(tests.code_of(format('select stark.create_role(%L, array[%L])', 'x', p)), 'INVALID_ARGUMENT', format('%s is no permission', p))
  from unnest(array['', 'pods', 'pods:fly', 'podz:get', 'pods:get:all', 'pods:get:own:x', 'pods:get ', 'PODS:get', $$'; drop table$$]) p;
select is(tests.code_of($$select stark.create_role('x', array[null]::text[])$$), 'INVALID_ARGUMENT', 'null is none');
select is(tests.code_of($$select stark.create_role('x', null)$$), 'INVALID_ARGUMENT', 'no list is no role');
select is(tests.code_of($$select stark.create_role('x', array(select 'pods:get' from generate_series(1, 201)))$$), 'INVALID_ARGUMENT', 'nor is an endless one');
select is(tests.count_of($$select from stark.roles where name = 'x'$$), 0::bigint, 'of all that nothing is left');
select isnt((stark.grant_role(tests.uid('new'), 'restarter')).id, null, 'it can be given');
select tests.sign_in('new');
select is(stark.can_i('get', 'logs'), true, 'and counts');
select tests.sign_in('ada');
select is((stark.update_role('restarter', '{pods:get}')).description, 'Restarts pods', 'changing the permissions keeps the description');
select tests.sign_in('new');
select is(stark.can_i('get', 'logs'), false, 'and counts at the next statement for who has the role');
select tests.sign_in('ada');
select is((stark.update_role('restarter', null, 'Looks')).description, 'Looks', 'changing the description');
select is(tests.count_of($$select from stark.role_permissions where role = 'restarter'$$), 1::bigint, 'keeps the permissions');
select is(tests.code_of($$select stark.update_role('restarter', '{pods:get,pods:fly}')$$), 'INVALID_ARGUMENT', 'a bad list changes nothing');
select is(tests.count_of($$select from stark.role_permissions where role = 'restarter'$$), 1::bigint, 'at all');
select is(tests.code_of(format('select stark.update_role(%L, %L)', r, '{*:*}')), 'ROLE_RESERVED', format('%s stays as it is', r)) from unnest(array['admin', 'deployer', 'viewer']) r;
select is(tests.code_of(format('select stark.delete_role(%L)', r)), 'ROLE_RESERVED', format('%s stays', r)) from unnest(array['admin', 'deployer', 'viewer']) r;
select is(tests.code_of($$select stark.update_role('king', '{}')$$), 'ROLE_NOT_FOUND', 'an unknown role cannot be changed');
select is(tests.code_of($$select stark.delete_role('king')$$), 'ROLE_NOT_FOUND', 'or deleted');
select is(stark.delete_role('restarter'), 1::bigint, 'deleting tells how many lost it');
select tests.sign_in('new');
select is(stark.can_i('get', 'pods'), false, 'and they did');

-- Nobody gives away more than they have
select tests.sign_in('ada');
select stark.create_role('staff', '{users:create,users:get,roles:create,roles:update,roles:delete,pods:get:own}');
select stark.create_role('own-pods', '{pods:get:own}'), stark.create_role('all-pods', '{pods:get}'), stark.create_role('everything', '{*:*}');
select stark.grant_role(tests.uid('hr'), 'staff');
select tests.sign_in('hr');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('hr'), r)), 'FORBIDDEN', format('who may give roles does not give %s, having less', r))
  from unnest(array['admin', 'operator', 'developer', 'deployer', 'viewer', 'all-pods', 'everything']) r;
select is(tests.error_of(format('select stark.grant_role(%L, %L)', tests.uid('new'), 'all-pods')) ->> 'message', 'hr@example.com may not give the role all-pods, which has pods:get:any', 'the missing right is named');
select is((stark.grant_role(tests.uid('new'), 'own-pods')).role, 'own-pods', 'but what they have they give');
select is(tests.code_of($$select stark.admit_user('y@example.com', 'admin')$$), 'FORBIDDEN', 'adding a user is no way around');
select is(tests.code_of($$select stark.admit_user('y@example.com', 'own-pods')$$), 'ok', 'and does what is allowed');
select is(tests.code_of(format('select stark.create_role(%L, array[%L])', 'mine', p)), 'FORBIDDEN', format('nor is a role with %s', p)) from unnest(array['*:*', 'pods:get', 'pods:*:own', 'pods:delete:own', 'roles:bind', 'roles:escalate', '*:get']) p;
select is(tests.code_of($$select stark.create_role('mine', '{pods:get:own,users:get}')$$), 'ok', 'a role within one''s rights is fine');
select is(tests.code_of($$select stark.update_role('own-pods', '{pods:delete}')$$), 'FORBIDDEN', 'and a role one has cannot be widened');
select is(tests.code_of($$select stark.update_role('staff', '{*:*}')$$), 'FORBIDDEN', 'by nothing');
select set_eq($$select role || ' ' || kind || ':' || verb from stark.role_permissions where role in ('own-pods', 'mine')$$, array['own-pods pods:get', 'mine pods:get', 'mine users:get'], 'the refused have left nothing');
select tests.sign_in('ada');
select stark.create_role('binder', '{roles:create,roles:bind}'), stark.create_role('maker', '{roles:create,roles:escalate}');
select stark.grant_role(tests.uid('hr'), 'binder', 'default');
select tests.sign_in('hr');
select is(tests.code_of(format('select stark.grant_role(%L, %L, %L)', tests.uid('new'), 'viewer', 'default')), 'ok', 'who may bind gives any role');
select is(tests.code_of(format('select stark.grant_role(%L, %L, %L)', tests.uid('new'), 'viewer', 'stark-public')), 'FORBIDDEN', 'where they may bind');
select is(tests.code_of($$select stark.create_role('wide', '{pods:delete}')$$), 'FORBIDDEN', 'but makes none wider than themselves');
select tests.sign_in('ada');
select stark.revoke_role(tests.uid('hr'), 'binder', 'default'), stark.grant_role(tests.uid('hr'), 'maker');
select tests.sign_in('hr');
select is(tests.code_of($$select stark.create_role('wide', '{pods:delete}')$$), 'ok', 'who may escalate makes any role');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('hr'), 'wide')), 'FORBIDDEN', 'and cannot give it');

-- An admin of one namespace is one there and nowhere else
select tests.sign_in('lead');
select is((stark.grant_role(tests.uid('new'), 'developer', 'default')).namespace, 'default', 'gives roles in it');
select is(stark.revoke_role(tests.uid('new'), 'developer', 'default'), true, 'and takes them');
select is(tests.code_of(format('select stark.grant_role(%L, %L, %L)', tests.uid('new'), 'viewer', 'stark-public')), 'FORBIDDEN', 'not in another');
select is(tests.code_of(format('select stark.grant_role(%L, %L)', tests.uid('lead'), 'admin')), 'FORBIDDEN', 'and not in the whole cluster');
select is(tests.code_of(format('select stark.revoke_role(%L, %L)', tests.uid('dev'), 'developer')), 'FORBIDDEN', 'whose bindings stay');
select is(tests.code_of($$select stark.create_role('mine', '{pods:get}')$$), 'FORBIDDEN', 'makes no role, since roles belong to the cluster');
select is(tests.code_of($$select stark.update_role('own-pods', '{}')$$), 'FORBIDDEN', 'changes none');
select is(tests.code_of($$select stark.delete_role('own-pods')$$), 'FORBIDDEN', 'deletes none');
select is(tests.code_of($$select stark.list_users()$$), 'FORBIDDEN', 'and does not see the cluster''s users');

-- The trail
select tests.sign_out();
select tests.add_user('aud', 'operator'), tests.add_user('vic', 'viewer'), tests.add_user('local', 'viewer', 'default');
select tests.sign_out();
create temporary table before as select coalesce(max(seq), 0) as seq from stark.events;
grant select on before to authenticated;
create temporary view trail with (security_invoker = true) as select e.* from stark.events e, before b where e.seq > b.seq;
grant select on trail to authenticated;
select tests.sign_in('ada');
select stark.create_role('traced', '{pods:get}');
select stark.grant_role(tests.uid('new'), 'traced', 'default');
select stark.update_role('traced', '{logs:get}');
select stark.disable_user(tests.uid('new'));
select stark.revoke_role(tests.uid('new'), 'traced', 'default');
select tests.sign_in('aud');
select is((select string_agg(concat_ws(' ', type, namespace), ', ' order by seq) from trail),
  'role.created, role_permission.created, role_binding.created default, role_permission.created, role_permission.deleted, user.updated, role_binding.deleted default',
  'who may read users sees what was done to users and roles');
select is((select array_agg(distinct actor) from trail), array[tests.uid('ada')], 'and by whom');
select is((select object ->> 'user_id' || ' ' || (object ->> 'role') from trail where type = 'role_binding.deleted'), tests.uid('new') || ' traced', 'and to whom, also when it is gone');
select tests.sign_in('vic');
select is(tests.count_of('select from trail'), 0::bigint, 'a viewer of all else does not');
select tests.sign_in('local');
select is(tests.count_of('select from trail'), 0::bigint, 'nor does one of that namespace');
select tests.sign_out();
select is(tests.count_of($$select from realtime.messages m, jsonb_array_elements(m.payload -> 'events') e where e ->> 'kind' in ('user', 'role', 'role_permission', 'role_binding')$$), 0::bigint,
  'and nothing of it is broadcast');

select * from finish();
rollback;
