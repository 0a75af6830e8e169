-- Isolation: what an agent says of its walls becomes a label and a taint that nobody else gives, and decides whose packs a node takes.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('ute', 'user');
select tests.add_pack('hers', 'uma', 'public'), tests.add_pack('his', 'udo', 'public'), tests.add_pack('house', 'ada', 'public');

-- Saying it
select tests.sign_in('uma');
select is(tests.code_of(format('select stark.register_node(%L, %L, p_capabilities => %L)', 'n1', 'node', c)), 'INVALID_ARGUMENT', format('no isolation: %s', c)) from (values
  ('{"isolation": null}'), ('{"isolation": "strict"}'), ('{"isolation": ["process"]}'), ('{"isolation": {}}'), ('{"isolation": {"tier": "kernel"}}'), ('{"isolation": {"tier": null}}'),
  ('{"isolation": {"tier": {"tier": "strict"}}}'), ('{"accepts": null}'), ('{"accepts": "all"}'), ('{"accepts": ["anyone"]}')) t (c);
select is(tests.code_of(format('select stark.register_node(%L, %L, %L, %L)', 'n1', 'node', labels, taints)), 'FORBIDDEN', format('%s %s is not hers to give', labels, taints)) from (values
  ('{"stark/isolation": "strict"}', '[]'), ('{"a": "b", "stark/other": ""}', '[]'), ('{}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
  ('{}', '[{"key": "stark/accepts", "value": "owner", "effect": "NoExecute"}]')) t (labels, taints);
select is(tests.count_of('select from stark.nodes'), 0::bigint, 'none of it left a node');

create temporary table said (capabilities jsonb, labels jsonb, taints jsonb);
insert into said values
  ('{}', '{}', '[]'),
  ('{"isolation": {"tier": "strict", "by": ["bubblewrap"]}, "accepts": "anyone"}', '{"stark/isolation": "strict"}', '[]'),
  ('{"isolation": {"tier": "standard"}}', '{"stark/isolation": "standard"}', '[]'),
  ('{"isolation": {"tier": "strict"}, "accepts": "owner"}', '{"stark/isolation": "strict"}', '[{"key": "stark/accepts", "value": "owner", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "strict"}, "accepts": "namespaces"}', '{"stark/isolation": "strict"}', '[{"key": "stark/accepts", "value": "namespaces", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}, "accepts": "owner"}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}, "accepts": "namespaces"}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "value": "namespaces", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}, "accepts": "anyone"}', '{"stark/isolation": "none"}', '[]'),
  ('{"isolation": {"tier": "browser"}}', '{"stark/isolation": "browser"}', '[]');
grant select on said to authenticated;
create function pg_temp.register(p_capabilities jsonb, out labels jsonb, out taints jsonb) language plpgsql as $$
begin
  perform stark.register_node('n1', 'node', '{"zone": "a"}', '[{"key": "slow", "effect": "PreferNoSchedule"}]', p_capabilities => p_capabilities);
  select n.labels, n.taints into labels, taints from stark.nodes n where n.name = 'n1';
end $$;
-- In turn on one node: what an earlier life of the agent said is gone with the next.
select is(to_jsonb(pg_temp.register(s.capabilities)), jsonb_build_object('labels', '{"zone": "a"}' || s.labels, 'taints', '[{"key": "slow", "effect": "PreferNoSchedule"}]' || s.taints),
  format('%s is told', s.capabilities)) from said s;

select is(tests.code_of(format('select from stark.update_node(%L, %s)', 'n1', change)), 'FORBIDDEN', format('the owner changes none of it: %s', change)) from (values
  ($$p_labels => '{"stark/isolation": "strict"}'$$), ($$p_labels => '{"stark/isolation": null}'$$), ($$p_taints => '[{"key": "stark/unisolated", "effect": "NoSchedule", "remove": true}]'$$),
  ($$p_capabilities => '{"isolation": {"tier": "strict"}}'$$), ($$p_capabilities => '{"accepts": "anyone"}'$$)) t (change);
select tests.sign_in('ada');
select is(tests.code_of($$select from stark.update_node('n1', '{"stark/isolation": "strict"}')$$), 'FORBIDDEN', 'nor does an admin');
select is(tests.code_of($$select stark.create_join_token(p_labels => '{"stark/isolation": "strict"}')$$), 'FORBIDDEN', 'nor a join token by its labels');
select is(tests.code_of($$select stark.create_join_token(p_taints => '[{"key": "stark/accepts", "value": "anyone", "effect": "NoSchedule"}]')$$), 'FORBIDDEN', 'or its taints');
select is(tests.code_of($$select from stark.update_node('n1', '{"zone": "b"}')$$), 'ok', 'other labels are patched as before');
select tests.sign_in('uma');
select is((pg_temp.register('{"isolation": {"tier": "none"}}')).labels, '{"zone": "b", "stark/isolation": "none"}'::jsonb, 'and outlive a registration beside it');
select tests.sign_out();
delete from stark.nodes where true;

-- Taking packs
create function pg_temp.place(p_pack text, p_spec jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_message) into v from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', p_pack, 'spec', p_spec))) p;
  delete from stark.pods where true;
  return v;
end $$;
create function pg_temp.say(p_capabilities jsonb) returns void language sql as $$
  update stark.nodes set taints = stark_internal.isolation_taints(p_capabilities), labels = stark_internal.isolation_labels(p_capabilities) where true;
$$;
select tests.add_node('n1', 'uma');
select is(pg_temp.place('his'), 'n1', 'a node that says nothing takes everybody''s public packs');
select pg_temp.say('{"isolation": {"tier": "strict"}}');
select is(pg_temp.place('his'), 'n1', 'so does one with a wall');
select pg_temp.say('{"isolation": {"tier": "none"}}');
select is(pg_temp.place('his'), '0/1 nodes: 1 taint stark/unisolated:NoSchedule', 'one without takes no stranger''s');
select is(pg_temp.place('his', '{"tolerations": [{"operator": "Exists"}]}'), '0/1 nodes: 1 taint stark/unisolated:NoSchedule', 'whatever he tolerates');
select is(pg_temp.place('his', '{"nodeName": "n1", "tolerations": [{"key": "stark/unisolated", "operator": "Exists"}]}'), '0/1 nodes: 1 taint stark/unisolated:NoSchedule', 'by its name neither');
select is(pg_temp.place('hers'), 'n1', 'its owner''s run there');
select is(pg_temp.place('house'), 'n1', 'and an admin''s');
update stark.profiles set disabled_at = now() where id = tests.uid('ada');
select is(pg_temp.place('house'), '0/1 nodes: 1 taint stark/unisolated:NoSchedule', 'until the admin is disabled');
update stark.profiles set disabled_at = null where true;
select pg_temp.say('{"isolation": {"tier": "none"}, "accepts": "anyone"}');
select is(pg_temp.place('his'), 'n1', 'its owner may let everybody in');
select pg_temp.say('{"isolation": {"tier": "strict"}, "accepts": "owner"}');
select is(pg_temp.place('his', '{"tolerations": [{"operator": "Exists"}]}'), '0/1 nodes: 1 taint stark/accepts=owner:NoSchedule', 'or nobody behind a wall');
select is(pg_temp.place('hers'), 'n1', 'but herself');
select pg_temp.say('{"isolation": {"tier": "none"}, "accepts": "namespaces"}');
select is(pg_temp.place('his'), '0/1 nodes: 1 taint stark/unisolated=namespaces:NoSchedule', 'or who shares a namespace with her, which he does not');
insert into stark.role_bindings (user_id, role, namespace) values (tests.uid('uma'), 'user', 'default'), (tests.uid('udo'), 'viewer', 'default');
select is(pg_temp.place('his'), 'n1', 'and then does');

-- Asking for it
select pg_temp.say('{"isolation": {"tier": "standard"}}');
select is(pg_temp.place('his', '{"nodeSelector": {"stark/isolation": "standard"}}'), 'n1', 'a pod asks for a wall by the label');
select is(pg_temp.place('his', '{"nodeSelector": {"stark/isolation": "strict"}}'), '0/1 nodes: 1 node selector', 'and gets no less');

select * from finish();
rollback;
