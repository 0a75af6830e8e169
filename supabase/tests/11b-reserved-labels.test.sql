-- Labels and taints that others trust in are set by those who may update any node, those under stark/ by the cluster alone.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('otto', 'operator'), tests.add_user('uma', 'user'), tests.add_user('nod', 'node');
select tests.add_node('n1', 'uma', p_labels => '{"node-restriction.kubernetes.io/team": "red", "zone": "a"}', p_taints => '[{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]');

create temporary table keys (key text, is_reserved boolean, is_reserved_taint boolean);
insert into keys values
  ('node-restriction.kubernetes.io/team', true, true), ('a.node-restriction.kubernetes.io/team', true, true), ('kubernetes.io/cluster-service', true, true),
  ('node-role.kubernetes.io/control-plane', true, true), ('x.k8s.io/y', true, true), ('k8s.io/y', true, true), ('kubernetes.io/hostname.x', true, true),
  ('stark/isolation', true, true), ('stark/unisolated', true, true), ('stark/anything', true, true),
  ('kubernetes.io/hostname', false, true), ('kubernetes.io/arch', false, true), ('topology.kubernetes.io/zone', false, true),
  ('node.kubernetes.io/instance-type', false, true), ('node.kubernetes.io/unreachable', false, true),
  ('zone', false, false), ('example.com/x', false, false), ('starks/x', false, false), ('notkubernetes.io/x', false, false), ('kubernetes.io.example.com/x', false, false);

create temporary table ways as
  select k.key, w.way, w.call, w.is_taint,
         case when w.is_taint then k.is_reserved_taint else k.is_reserved end as is_refused
  from keys k, lateral (values
    ('register_node', false, format($$select stark.register_node('mine', 'node', p_labels => %L)$$, jsonb_build_object(k.key, 'x'))),
    ('register_node', true, format($$select stark.register_node('mine', 'node', p_taints => %L)$$, jsonb_build_array(jsonb_build_object('key', k.key, 'effect', 'NoSchedule')))),
    ('update_node', false, format($$select stark.update_node('n1', p_labels => %L)$$, jsonb_build_object(k.key, 'x'))),
    ('update_node, removing', false, format($$select stark.update_node('n1', p_labels => %L)$$, jsonb_build_object(k.key, null))),
    ('update_node', true, format($$select stark.update_node('n1', p_taints => %L)$$, jsonb_build_array(jsonb_build_object('key', k.key, 'effect', 'NoSchedule')))),
    ('update_node, removing', true, format($$select stark.update_node('n1', p_taints => %L)$$, jsonb_build_array(jsonb_build_object('key', k.key, 'effect', 'NoExecute', 'remove', true)))),
    ('create_join_token', false, format($$select stark.create_join_token(p_labels => %L)$$, jsonb_build_object(k.key, 'x'))),
    ('create_join_token', true, format($$select stark.create_join_token(p_taints => %L)$$, jsonb_build_array(jsonb_build_object('key', k.key, 'effect', 'NoSchedule'))))) w (way, is_taint, call);

/** What becomes of a call of this user; what it did is undone. */
create function pg_temp.answer(p_who text, p_call text) returns text language plpgsql as $$
declare
  v_code text;
begin
  begin
    perform tests.sign_in(p_who);
    v_code := tests.code_of(p_call);
    raise sqlstate 'PT299';
  exception when sqlstate 'PT299' then null;
  end;
  return v_code;
end $$;
select is(pg_temp.answer('uma', w.call), case when w.is_refused then 'FORBIDDEN' else 'ok' end, format('the owner: %s %s %s', w.way, case when w.is_taint then 'taint' else 'label' end, w.key)) from ways w;
select is(pg_temp.answer('otto', w.call), case when w.key like 'stark/%' then 'FORBIDDEN' else 'ok' end, format('an operator: %s %s %s', w.way, case when w.is_taint then 'taint' else 'label' end, w.key)) from ways w;
select is(pg_temp.answer('nod', w.call), case when w.is_refused then 'FORBIDDEN' else 'ok' end, format('an agent''s account: %s %s', w.way, w.key)) from ways w where w.way = 'register_node';
select is((select n.labels from stark.nodes n where n.name = 'n1'), '{"node-restriction.kubernetes.io/team": "red", "zone": "a"}'::jsonb, 'what others gave a node is there after all of it');

select * from finish();
rollback;
