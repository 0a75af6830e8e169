-- Topics move on when somebody loses the right to hear them, and stay when nobody does.
begin;
select * from no_plan();
insert into stark.namespaces (name) values ('team');
select tests.add_user('ada', 'admin'), tests.add_user('vic', 'viewer'), tests.add_user('vera', 'viewer', 'team'), tests.add_user('uma', 'user'), tests.add_user('nod', 'node'), tests.add_user('cus'), tests.add_user('dis', 'viewer');
insert into stark.roles (name) values ('nosy'), ('blind');
insert into stark.role_permissions (role, kind, verb, scope) values ('nosy', 'events', 'get', 'any'), ('nosy', 'pods', 'get', 'any'), ('blind', 'pods', 'get', 'any');
insert into stark.role_bindings (user_id, role) values (tests.uid('cus'), 'nosy'), (tests.uid('nod'), 'blind');
select tests.add_node('n1', 'uma'), tests.add_pack('open', 'uma', 'public');
update stark.nodes set agent_id = tests.uid('nod') where name = 'n1';

create function pg_temp.names() returns jsonb language sql as $$
  select jsonb_object_agg(t, stark_internal.present_topic(t)) from unnest(array['stark:cluster', 'stark:namespace:default', 'stark:namespace:team']) t
$$;
create temporary table before (names jsonb);
/** Which topics moved by a statement: c, d, t. */
create function pg_temp.moved_by(p_sql text) returns text language plpgsql as $$
declare
  v_before jsonb := pg_temp.names();
begin
  delete from realtime.messages where true;
  execute p_sql;
  return coalesce((select string_agg(substr(replace(a.key, 'namespace:', ''), 7, 1), '' order by a.key) from jsonb_each(pg_temp.names()) a where a.value <> v_before -> a.key), '');
end $$;

select is(pg_temp.names(), '{"stark:cluster": "stark:cluster", "stark:namespace:default": "stark:namespace:default", "stark:namespace:team": "stark:namespace:team"}', 'a topic is called by its name alone at first');
select is(pg_temp.moved_by(sql), moved, what) from (values
  (1, $$insert into stark.role_bindings (user_id, role) values (tests.uid('vera'), 'viewer')$$, '', 'a right that is given moves nothing'),
  (2, $$insert into stark.role_permissions (role, kind, verb) values ('blind', 'events', 'get')$$, '', 'in a role neither'),
  (3, $$delete from stark.role_permissions where role = 'blind' and kind = 'pods'$$, '', 'nor does one that is taken and lets nobody hear'),
  (4, $$delete from stark.role_permissions where role = 'blind' and kind = 'events'$$, 'cdt', 'one that does moves them all'),
  (5, $$delete from stark.role_bindings where user_id = tests.uid('vera') and namespace = 'team'$$, 't', 'a binding in a namespace moves that one''s'),
  (6, $$delete from stark.role_bindings where user_id = tests.uid('vera')$$, 'cdt', 'one in the cluster moves all'),
  (7, $$update stark.profiles set disabled_at = now() where id = tests.uid('dis')$$, 'cdt', 'so does a disabled account'),
  (8, $$update stark.profiles set disabled_at = null where id = tests.uid('dis')$$, '', 'and not one that is enabled again'),
  (9, $$update stark.profiles set display_name = 'Vic' where id = tests.uid('vic')$$, '', 'nor another name'),
  (10, $$update stark.role_bindings set role = 'blind' where user_id = tests.uid('vic')$$, 'cdt', 'a binding that becomes another counts as taken'),
  (11, $$delete from stark.roles where name = 'nosy'$$, 'cdt', 'a role that goes takes its rights with it'),
  (12, $$delete from auth.users where id = tests.uid('dis')$$, 'cdt', 'and so does an account'),
  (13, $$delete from stark.role_bindings where user_id = tests.uid('uma')$$, 'cdt', 'who heard the logs of own pods counts too'),
  (14, $$delete from stark.nodes where name = 'n1'$$, '', 'an agent''s account goes with its node unnoticed')) t (no, sql, moved, what) order by no;

-- Those who hear are told by the old name, and no more than that.
select tests.add_user('vol', 'viewer', 'team');
create temporary table old as select stark_internal.present_topic('stark:namespace:team') as name;
select is(pg_temp.moved_by($$delete from stark.role_bindings where user_id = tests.uid('vol')$$), 't', 'somebody loses a right');
select results_eq('select m.topic, m.event, m.payload, m.private from realtime.messages m', $$select o.name, 'moved'::text, '{}'::jsonb, true from old o$$, 'those who hear are told that it has moved, and not where to');

-- Events go where the topic is now, and their numbers go on.
create temporary table last as select h.seq from stark_internal.event_heads h where h.topic = 'stark:namespace:default';
delete from realtime.messages where true;
select tests.sign_in('ada');
select tests.make_pods('{"pack": "open", "name": "p1"}');
select is((select count(*) from stark.pods), 1::bigint, 'something happens');
create temporary table now_ as select stark.events_topic('default') as name;
select tests.sign_out();
select is_empty($$select from realtime.messages m where m.topic in ('stark:namespace:default', 'stark:cluster')$$, 'nobody is told by an old name');
select is((select min((m.payload ->> 'previous_seq')::bigint) from realtime.messages m, now_ n where m.topic = n.name), (select coalesce(max(l.seq), 0) from last l), 'those who followed have missed nothing');

-- A namespace that goes and comes back is not heard by who heard the first: their bindings went with it.
select tests.add_user('tom', 'viewer', 'team');
select tests.sign_in('ada');
create temporary table team as select stark.events_topic('team') as name;
select stark.delete_namespace('team');
select stark.create_namespace('team');
select isnt(stark.events_topic('team'), (select name from team), 'a namespace of the same name has another topic');
select matches(stark.events_topic('team'), '^stark:namespace:team:[0-9a-f]{12}$', 'with an epoch');
truncate team;
insert into team select stark.events_topic('team');
select stark.delete_namespace('team');
select stark.create_namespace('team');
select is(stark.events_topic('team'), (select name from team), 'but where nobody lost a right');
select is(tests.code_of($$select stark.events_topic('nowhere')$$), 'NAMESPACE_NOT_FOUND', 'there is none of a namespace that is not there');
select tests.sign_in('vic');
select is(tests.code_of($$select stark.events_topic('default')$$), 'FORBIDDEN', 'who has lost the right is not told where it is');
select is(tests.code_of($$select stark.events_topic()$$), 'FORBIDDEN', 'of the cluster likewise');

select * from finish();
rollback;
