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
  ('{"isolation": {"tier": "strict"}, "accepts": "owner"}', '{"stark/isolation": "strict"}', '[]'),
  ('{"isolation": {"tier": "none"}}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}, "accepts": "owner"}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
  ('{"isolation": {"tier": "none"}, "accepts": "namespaces", "acceptedNamespaces": ["team"]}', '{"stark/isolation": "none"}', '[{"key": "stark/unisolated", "effect": "NoSchedule"}]'),
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
  ($$p_capabilities => '{"isolation": {"tier": "strict"}}'$$), ($$p_capabilities => '{"accepts": "anyone"}'$$), ($$p_capabilities => '{"acceptedNamespaces": ["team"]}'$$)) t (change);
select tests.sign_in('ada');
select is(tests.code_of($$select from stark.update_node('n1', '{"stark/isolation": "strict"}')$$), 'FORBIDDEN', 'nor does an admin');
select is(tests.code_of($$select stark.create_join_token(p_labels => '{"stark/isolation": "strict"}')$$), 'FORBIDDEN', 'nor a join token by its labels');
select is(tests.code_of($$select stark.create_join_token(p_taints => '[{"key": "stark/accepts", "value": "anyone", "effect": "NoSchedule"}]')$$), 'FORBIDDEN', 'or its taints');
select is(tests.code_of($$select from stark.update_node('n1', '{"zone": "b"}')$$), 'ok', 'other labels are patched as before');
select tests.sign_in('uma');
select is((pg_temp.register('{"isolation": {"tier": "none"}}')).labels, '{"zone": "b", "stark/isolation": "none"}'::jsonb, 'and outlive a registration beside it');
select is((stark.update_node('n1', p_accepts => 'anyone')).taints, '[{"key": "slow", "effect": "PreferNoSchedule"}]'::jsonb, 'a node that takes everybody''s has no taint that says otherwise');
select is((pg_temp.register('{"isolation": {"tier": "none"}}')).taints, '[{"key": "slow", "effect": "PreferNoSchedule"}]'::jsonb, 'after its agent''s next word either');
select is((stark.update_node('n1', p_accepts => 'owner')).taints, '[{"key": "slow", "effect": "PreferNoSchedule"}, {"key": "stark/unisolated", "effect": "NoSchedule"}]'::jsonb, 'until it does not');
select is((stark.update_node('n1', '{"zone": "c"}')).taints, '[{"key": "slow", "effect": "PreferNoSchedule"}, {"key": "stark/unisolated", "effect": "NoSchedule"}]'::jsonb, 'and has it once');
select tests.sign_out();
delete from stark.nodes where true;

-- Taking packs
create function pg_temp.place(p_pack text, p_spec jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  select coalesce(p.node_name, p.status_message) into v from stark.create_pods(jsonb_build_array(jsonb_build_object('pack', p_pack, 'spec', p_spec))) p;
  perform tests.sign_out();
  delete from stark.pods where true;
  return v;
end $$;
create function pg_temp.say(p_capabilities jsonb) returns void language sql as $$
  update stark.nodes set accepts = coalesce(p_capabilities ->> 'accepts', stark_internal.default_acceptance(p_capabilities)), accepted_namespaces = stark_internal.said_namespaces(p_capabilities),
    labels = stark_internal.isolation_labels(p_capabilities), taints = stark_internal.isolation_taints(p_capabilities #>> '{isolation,tier}', coalesce(p_capabilities ->> 'accepts', 'owner')) where true;
$$;
create function pg_temp.place_as(p_who text, p_pack text, p_spec jsonb default '{}') returns text language plpgsql as $$
declare v text;
begin
  perform tests.sign_in(p_who);
  v := pg_temp.place(p_pack, p_spec);
  return v;
end $$;
select tests.add_node('n1', 'uma');
create temporary table takes (capabilities jsonb, who text, pack text, answer text);
insert into takes values
  ('{}', 'udo', 'his', 'n1'), ('{"isolation": {"tier": "strict"}}', 'udo', 'his', 'n1'), ('{"isolation": {"tier": "browser"}}', 'udo', 'his', 'n1'), ('{"isolation": {"tier": "none"}, "accepts": "anyone"}', 'udo', 'his', 'n1'),
  -- Both who made the pod and whose its pack is.
  ('{"isolation": {"tier": "none"}}', 'uma', 'hers', 'n1'), ('{"isolation": {"tier": "none"}}', 'uma', 'house', 'n1'), ('{"isolation": {"tier": "none"}}', 'ada', 'hers', 'n1'), ('{"isolation": {"tier": "none"}}', 'ada', 'house', 'n1'),
  ('{"isolation": {"tier": "none"}}', 'uma', 'his', '0/1 nodes: 1 accepts its owner''s packs only'), ('{"isolation": {"tier": "none"}}', 'ada', 'his', '0/1 nodes: 1 accepts its owner''s packs only'),
  ('{"isolation": {"tier": "none"}}', 'udo', 'hers', '0/1 nodes: 1 accepts its owner''s pods only'), ('{"isolation": {"tier": "none"}}', 'udo', 'house', '0/1 nodes: 1 accepts its owner''s pods only'),
  ('{"isolation": {"tier": "none"}}', 'udo', 'his', '0/1 nodes: 1 accepts its owner''s pods only'), ('{"isolation": {"tier": "strict"}, "accepts": "owner"}', 'udo', 'his', '0/1 nodes: 1 accepts its owner''s pods only'),
  ('{"isolation": {"tier": "none"}, "accepts": "namespaces", "acceptedNamespaces": ["default"]}', 'udo', 'his', 'n1'), ('{"isolation": {"tier": "none"}, "accepts": "namespaces", "acceptedNamespaces": ["team"]}', 'uma', 'his', 'n1'),
  ('{"isolation": {"tier": "none"}, "accepts": "namespaces", "acceptedNamespaces": ["team"]}', 'udo', 'his', '0/1 nodes: 1 accepts pods of other namespaces');
create function pg_temp.taken(p_capabilities jsonb, p_who text, p_pack text, p_spec jsonb) returns text language plpgsql as $$
begin
  perform pg_temp.say(p_capabilities);
  return pg_temp.place_as(p_who, p_pack, p_spec);
end $$;
select is(pg_temp.taken(t.capabilities, t.who, t.pack, s.spec), t.answer, format('%s: %s runs %s, tolerating %s', t.capabilities, t.who, t.pack, s.spec))
  from takes t, (values ('{}'::jsonb), ('{"tolerations": [{"operator": "Exists"}]}')) s (spec);
select pg_temp.say('{"isolation": {"tier": "none"}}');
update stark.profiles set disabled_at = now() where id = tests.uid('ada');
select is(pg_temp.place_as('uma', 'house'), '0/1 nodes: 1 accepts its owner''s packs only', 'nor an admin''s pack when the admin is disabled');
update stark.profiles set disabled_at = null where true;

-- Asking for it
select pg_temp.say('{"isolation": {"tier": "standard"}}');
select is(pg_temp.place_as('udo', 'his', '{"nodeSelector": {"stark/isolation": "standard"}}'), 'n1', 'a pod asks for a wall by the label');
select is(pg_temp.place_as('udo', 'his', '{"nodeSelector": {"stark/isolation": "strict"}}'), '0/1 nodes: 1 node selector', 'and gets no less');

select * from finish();
rollback;
