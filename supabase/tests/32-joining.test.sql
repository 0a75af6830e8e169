-- Joining: tokens, who may make and take them back, what an account that joined may do, and what ends it.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('vic', 'viewer'), tests.add_user('nod', 'node'), tests.add_user('dev', 'developer'), tests.add_user('otto', 'operator');

create temporary table made (name text primary key, token jsonb);
grant all on made to authenticated, service_role;
create function tests.sha(p_name text) returns text language sql security definer
as $$ select encode(sha256(convert_to(m.token ->> 'token', 'UTF8')), 'hex') from pg_temp.made m where m.name = p_name $$;
create function tests.join_as(p_sha text, p_user text, p_name text) returns text language plpgsql
as $$
begin
  perform tests.sign_in_as('service_role');
  return tests.code_of(format('select stark.join_node(%L, %L, %L, %L)', p_sha, tests.uid(p_user), p_name, 'node'));
end
$$;
create function tests.register(p_name text, p_labels jsonb default '{}', p_installation uuid default null, p_replaces uuid default null) returns text language sql
as $$ select tests.code_of(format('select stark.register_node(%L, %L, %L, p_installation => %L, p_replaces => %L)', p_name, 'node', p_labels, p_installation, p_replaces)) $$;

-- Making tokens
select tests.sign_in('uma');
insert into made select 'one', stark.create_join_token(p_labels => '{"zone": "b"}', p_taints => '[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]');
insert into made select 'two', stark.create_join_token(p_ttl_seconds => 60, p_uses => 2);
insert into made select 'taken back', stark.create_join_token();
select matches((select token ->> 'token' from made where name = 'one'), '^stark_join_[0-9a-f]{10}_[0-9a-f]{64}$', 'a token says what it is and is too long to guess');
select is((select token ->> 'max_uses' from made where name = 'one'), '1', 'it is good for one node');
select is((select (token ->> 'expires_at')::timestamptz from made where name = 'one'), now() + interval '1 hour', 'for an hour');
select is(tests.code_of('select stark.create_join_token(0)'), 'INVALID_ARGUMENT', 'not for no time');
select is(tests.code_of('select stark.create_join_token(2592001)'), 'INVALID_ARGUMENT', 'not for longer than 30 days');
select is(tests.code_of('select stark.create_join_token(p_uses => 0)'), 'INVALID_ARGUMENT', 'not for no node');
select is(tests.code_of('select stark.create_join_token(p_uses => null)'), 'INVALID_ARGUMENT', 'not for as many as come');
select is(tests.code_of($$select stark.create_join_token(p_labels => '{"a b": "c"}')$$), 'INVALID_LABELS', 'labels are checked');
select is(tests.code_of($$select stark.create_join_token(p_taints => '[{"key": "a", "effect": "Never"}]')$$), 'INVALID_TAINTS', 'taints are checked');
select tests.sign_in('vic');
select is(tests.code_of('select stark.create_join_token()'), 'FORBIDDEN', 'a viewer makes no token');
select tests.sign_in('dev');
select is(tests.code_of('select stark.create_join_token()'), 'FORBIDDEN', 'nor does a developer, who has no nodes');
select tests.sign_in('nod');
select is(tests.code_of('select stark.create_join_token()'), 'FORBIDDEN', 'nor an agent''s account');
select tests.sign_in_as('service_role');
select is(tests.code_of('select stark.create_join_token()'), 'UNAUTHENTICATED', 'nor the secret key, which is nobody');

select tests.sign_in('otto');
insert into made select 'restricted', stark.create_join_token(p_labels => '{"node-restriction.kubernetes.io/team": "red"}', p_uses => 2);

-- Seeing and taking back
select tests.sign_in('uma');
select is(tests.count_of('select from stark.join_tokens'), 3::bigint, 'their maker sees them');
select tests.sign_in('vic');
select is(tests.count_of('select from stark.join_tokens'), 0::bigint, 'others do not');
select is(tests.code_of(format('select stark.revoke_join_token(%L)', (select token ->> 'id' from made where name = 'one'))), 'JOIN_TOKEN_NOT_FOUND', 'nor take them back');
select tests.sign_in('ada');
select is(tests.count_of('select from stark.join_tokens'), 4::bigint, 'who may delete any node sees all');
select isnt((stark.revoke_join_token((select token ->> 'id' from made where name = 'taken back'))).revoked_at, null, 'and takes them back');
select is(tests.code_of($$select stark.revoke_join_token('nope')$$), 'JOIN_TOKEN_NOT_FOUND', 'one that is not there is not');
select tests.sign_out();
select is_empty($$select t.id from stark.join_tokens t, made m where to_jsonb(t)::text like '%' || right(m.token ->> 'token', 64) || '%'$$, 'the table has no token in it');

-- Joining
select tests.add_user('n1'), tests.add_user('n2'), tests.add_user('n3'), tests.add_user('n4'), tests.add_user('n5'), tests.add_user('n6');
select tests.sign_in('uma');
select isnt(tests.code_of($$select stark.join_node('x', tests.uid('n1'), 'n1', 'node')$$), 'ok', 'people do not join by themselves');
select is(tests.join_as(repeat('0', 64), 'n1', 'n1'), 'JOIN_TOKEN_INVALID', 'a guess is refused');
select is(tests.join_as(tests.sha('taken back'), 'n1', 'n1'), 'JOIN_TOKEN_REVOKED', 'what was taken back is refused');
select tests.sign_out();
select is(tests.code_of(format('select stark_internal.require_join(%L, %L, %L, %L)', tests.sha('one'), 'n1', 'node', now() + interval '1 hour')), 'JOIN_TOKEN_EXPIRED', 'what has expired is refused');
select is(tests.join_as(null, 'n1', 'n1'), 'NODE_REGISTRATION_CLOSED', 'without a token nobody joins');
select is(tests.join_as(tests.sha('one'), 'n1', 'N 1'), 'INVALID_NAME', 'the name is checked');
select is(tests.code_of(format('select stark.admit_node(%L, %L, %L)', tests.sha('one'), 'n1', 'toaster')), 'INVALID_RUNTIME', 'the runtime is checked, before an account is made');
select is(tests.code_of(format('select stark.join_node(%L, %L, %L, %L)', tests.sha('one'), gen_random_uuid(), 'n1', 'node')), 'USER_NOT_FOUND', 'the account must be there');
select is((select t.uses from stark.join_tokens t where t.id = (select token ->> 'id' from made where name = 'one')), 0, 'none of it has used the token');
select matches(stark.admit_node(tests.sha('one'), 'n1', 'node') ->> 'email', '^node-[0-9a-f-]{36}@nodes\.stark\.invalid$', 'an account is announced under an address that nobody has');
select is(tests.join_as(tests.sha('one'), 'n1', 'n1'), 'ok', 'with a good token a machine becomes a node');
select is(tests.join_as(tests.sha('one'), 'n2', 'n2'), 'JOIN_TOKEN_USED_UP', 'and no second one');
select is(tests.join_as(tests.sha('two'), 'n2', 'n1'), 'NODE_NAME_TAKEN', 'nor does another machine become the same');
select is(tests.join_as(tests.sha('two'), 'n2', 'n2'), 'ok', 'a token for two is good for one');
select is(tests.join_as(tests.sha('two'), 'n3', 'n3'), 'ok', 'and for another');
select is(tests.join_as(tests.sha('two'), 'n4', 'n4'), 'JOIN_TOKEN_USED_UP', 'and that is all');
select tests.sign_out();
select is((select n.owner_id from stark.nodes n where n.name = 'n1'), tests.uid('uma'), 'the node is the token''s maker''s');

-- What an agent that joined may do
select tests.sign_in('n1');
select is(tests.register('n1', '{"zone": "a", "tier": "web"}'), 'ok', 'it describes its node');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'))$$), 'ok', 'connects');
select is(tests.count_of('select from stark.nodes'), 1::bigint, 'sees its node and no other');
select is(tests.register('n1', '{"node-restriction.kubernetes.io/team": "blue"}'), 'FORBIDDEN', 'gives itself no label that only people give');
select is(tests.register('n9'), 'FORBIDDEN', 'makes no other node');
select is(tests.register('n2'), 'FORBIDDEN', 'takes no other node');
select is(tests.code_of($$select stark.node_sync(tests.node('n2'))$$), 'FORBIDDEN', 'speaks for no other node');
select is(tests.code_of($$select stark.update_node('n1', '{"zone": null}')$$), 'NODE_NOT_FOUND', 'does not shed the token''s labels');
select is(tests.code_of($$select stark.uncordon_node('n1')$$), 'NODE_NOT_FOUND', 'does not uncordon itself');
select is(tests.code_of($$select stark.delete_node('n1')$$), 'NODE_NOT_FOUND', 'does not delete itself');
select tests.sign_in('uma');
select is((select n.labels from stark.nodes n where n.name = 'n1'), '{"zone": "b", "tier": "web"}'::jsonb, 'the token''s labels stand over the agent''s');
select is((select n.taints from stark.nodes n where n.name = 'n1'), '[{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]'::jsonb, 'so do its taints');
select is(tests.register('n1'), 'NODE_NAME_TAKEN', 'the owner does not take the place of the agent');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'))$$), 'FORBIDDEN', 'nor speak for it');
select is((stark.update_node('n1', '{"zone": "c"}')).labels ->> 'zone', 'c', 'but manages the node');

-- Labels to trust in are those of people who may update any node, when somebody joins too.
select is(tests.join_as(tests.sha('restricted'), 'n5', 'n5'), 'ok', 'an operator''s token gives a restricted label');
select tests.sign_out();
select is((select n.labels from stark.nodes n where n.name = 'n5'), '{"node-restriction.kubernetes.io/team": "red"}'::jsonb, 'which the node has');
update stark.role_bindings set role = 'user' where user_id = tests.uid('otto');
select is(tests.join_as(tests.sha('restricted'), 'n6', 'n6'), 'JOIN_TOKEN_REVOKED', 'and no longer than the operator is one');
select tests.sign_out();
delete from stark.nodes where name = 'n5';

-- Two agents of one name
select tests.sign_in('uma');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000a'), 'ok', 'an agent with its owner''s own account registers');
select is(tests.code_of($$select stark.node_sync(tests.node('own'))$$), 'ok', 'and connects');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000b'), 'NODE_CONNECTED', 'another installation is refused while it is connected');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000c'), 'NODE_CONNECTED', 'also one that replaces a third');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000a'), 'ok', 'but not the one that replaces it');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000a'), 'NODE_CONNECTED', 'and then what it replaced is another one');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b'), 'ok', 'until it is back');
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000a'), 'ok', 'the same one comes back');
select lives_ok($$select stark.disconnect_node(tests.node('own'), 1)$$);
select is(tests.register('own', '{}', '00000000-0000-0000-0000-00000000000b'), 'ok', 'once it has gone, another takes its place');

-- A private pack follows the owner of the node
select tests.sign_out();
select tests.add_pack('secret', 'uma'), tests.add_pack('other', 'dev');
select tests.sign_in('ada');
select tests.make_pods('{"pack": "secret", "spec": {"nodeName": "n1", "tolerations": [{"operator": "Exists"}]}}'), tests.make_pods('{"pack": "other", "spec": {"nodeName": "n1", "tolerations": [{"operator": "Exists"}]}}');
select is((select p.status from stark.pods p where p.pack_name = 'secret'), 'scheduled', 'the owner''s private pack runs there');
select is((select p.status from stark.pods p where p.pack_name = 'other'), 'pending', 'somebody else''s does not');
select tests.sign_in('n1');
select is(tests.count_of('select from stark.pods'), 1::bigint, 'its agent sees the pods of its node');
select tests.sign_in('n2');
select is(tests.count_of('select from stark.pods'), 0::bigint, 'another agent does not');

-- Open registration
select tests.sign_out();
update stark.cluster_config set allow_node_registration = true;
select is(tests.join_as(null, 'n4', 'n4'), 'ok', 'where the configuration says so, a machine joins without a token');
select tests.sign_out();
select is((select n.owner_id from stark.nodes n where n.name = 'n4'), tests.uid('n4'), 'and belongs to nobody else, so that no private pack goes there');
select tests.sign_in('n4');
select is(tests.register('n4'), 'ok', 'it describes itself');
select is(tests.register('n5'), 'FORBIDDEN', 'and makes no second node');
select is(tests.code_of($$select stark.node_sync(tests.node('n4'))$$), 'ok', 'connects');

-- The end
select tests.sign_out();
delete from realtime.messages;
update stark.profiles set disabled_at = now() where id = tests.uid('uma');
select set_eq($$select m.topic || ' ' || m.event from realtime.messages m where m.event = 'sync'$$, array['stark:node:' || tests.node('n1') || ' sync'], 'when the owner is disabled, connected agents are asked to ask');
select set_eq($$select n.name || ' ' || n.status_reason from stark.nodes n where n.status = 'unhealthy'$$, array['n1 AccessRevoked'], 'their nodes get nothing new');
select is((select count(*) from stark_internal.node_secrets s where s.node_id = tests.node('n1')), 0::bigint, 'and no sign of life of theirs counts');
select is(tests.join_as(tests.sha('one'), 'n3', 'nx'), 'JOIN_TOKEN_REVOKED', 'the owner''s tokens end with the owner');
select tests.sign_in('n1');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'), 1)$$), 'FORBIDDEN', 'and so does what their agents may do');
select tests.sign_out();
update stark.profiles set disabled_at = null where id = tests.uid('uma');
select is((select n.status from stark.nodes n where n.name = 'n1'), 'unhealthy', 'an owner who is back does not bring the node back');
select tests.sign_in('n1');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'), 1)$$), 'STALE_INCARNATION', 'its agent connects anew');
select is(tests.code_of($$select stark.node_sync(tests.node('n1'))$$), 'ok', 'which it may');
select tests.sign_out();

-- A role that is narrowed, or goes, takes as much as a binding that goes
insert into stark.roles (name) values ('host');
insert into stark.role_permissions (role, kind, verb, scope) values ('host', 'nodes', '*', 'own');
select tests.add_user('hal', 'host');
select tests.sign_in('hal');
select is(tests.register('hals'), 'ok', 'a role of one''s own has nodes');
select isnt((stark.node_sync(tests.node('hals')) ->> 'secret'), null, 'that connect');
select tests.sign_in('ada');
select stark.update_role('host', '{nodes:get:own,nodes:connect:own}');
select is((select n.status from stark.nodes n where n.name = 'hals'), 'healthy', 'it may lose what connecting does not need');
select stark.update_role('host', '{nodes:get:own}');
select is((select n.status_reason from stark.nodes n where n.name = 'hals'), 'AccessRevoked', 'without nodes:connect its nodes are shut out');
select stark.update_role('host', '{nodes:*:own}');
select tests.sign_in('hal');
select is(tests.code_of($$select stark.node_sync(tests.node('hals'))$$), 'ok', 'with it they are back');
select tests.sign_in('ada');
select stark.delete_role('host');
select is((select n.status_reason from stark.nodes n where n.name = 'hals'), 'AccessRevoked', 'until the role goes');
select tests.sign_out();
create temporary table deleted as select tests.node('n1') as id;
grant select on deleted to authenticated;
delete from realtime.messages;
select tests.sign_in('uma');
select lives_ok($$select stark.delete_node('n1', true)$$);
select tests.sign_out();
select is((select count(*) from realtime.messages m where m.event = 'node.removed' and m.topic = 'stark:node:' || (select id from deleted)), 1::bigint, 'a deleted node''s agent is told');
select is((select count(*) from auth.users u where u.id = tests.uid('n1')), 0::bigint, 'and its account is gone');
select tests.sign_in('n1');
select is(tests.code_of('select stark.node_sync((select id from deleted), 1)'), 'NODE_NOT_FOUND', 'what it asks with a token of before is refused');
select is(tests.register('n1'), 'FORBIDDEN', 'it does not come back by itself');
select tests.sign_in('n2');
select is(tests.code_of($$select stark.node_sync(tests.node('n2'))$$), 'ok', 'another agent connects');
select tests.sign_out();
select lives_ok($$delete from auth.users where id = tests.uid('n2')$$, 'an agent''s account can be removed by itself');
select is((select n.agent_id from stark.nodes n where n.name = 'n2'), null, 'its node stays, and is its owner''s to connect');
select is((select n.status_reason from stark.nodes n where n.name = 'n2'), 'AccessRevoked', 'and gets nothing until then');
select tests.sign_in('uma');
select is(tests.code_of($$select stark.node_sync(tests.node('n2'))$$), 'ok', 'as the owner does');
select is((select n.status from stark.nodes n where n.name = 'n2'), 'healthy', 'with that it is back');

select * from finish();
rollback;
