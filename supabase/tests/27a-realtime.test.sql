-- Realtime: who may read and write each extension of each topic, asked as the Realtime server asks: probe rows are read
-- back by the user, and inserted by the user, under realtime.topic.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('op', 'operator'), tests.add_user('vic', 'viewer'), tests.add_user('dev', 'developer'), tests.add_user('uma', 'user'), tests.add_user('udo', 'user'), tests.add_user('nod', 'node'),
  tests.add_user('pub', 'viewer', 'stark-public'), tests.add_user('none');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'nod');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p1"}');
select tests.sign_out();

/** What a user may do on a topic, as the Realtime server finds out: a word of b (broadcast) and p (presence), R read, W write. */
create function pg_temp.rights(p_who text, p_topic text) returns text language plpgsql as $$
declare
  v_ids uuid[] := array[gen_random_uuid(), gen_random_uuid()];
  v_rights text := '';
  v_extension text;
begin
  insert into realtime.messages (id, topic, extension) values (v_ids[1], p_topic, 'broadcast'), (v_ids[2], p_topic, 'presence');
  perform set_config('realtime.topic', p_topic, true);
  if p_who = 'anon' then perform tests.sign_in_as('anon'); else perform tests.sign_in(p_who); end if;
  v_rights := coalesce((select string_agg('R' || left(m.extension, 1), '' order by m.extension) from realtime.messages m where m.id = any (v_ids)), '');
  foreach v_extension in array array['broadcast', 'presence'] loop
    begin
      insert into realtime.messages (topic, extension) values (p_topic, v_extension);
      v_rights := v_rights || 'W' || left(v_extension, 1);
    exception when insufficient_privilege then null;
    end;
  end loop;
  perform tests.sign_out();
  return v_rights;
end $$;

create temporary table wanted (topic text, who text, rights text);
insert into wanted
  select t.topic, u.who, coalesce(r.rights, '')
  from (values ('stark:node:' || tests.node('n1')), ('stark:presence'), ('stark:heartbeat'), ('stark:namespace:default'), ('stark:namespace:stark-public'), ('stark:cluster'), ('stark:pod:' || tests.pod('p1')),
               ('stark:namespace:nowhere'), ('stark:node:' || gen_random_uuid()), ('stark:pod:' || gen_random_uuid()), ('stark:node:x'), ('stark:'), ('stark:admin'), ('stark:presence:x'), ('stark:cluster:x'), ('chat:room')) t (topic)
  cross join unnest(array['ada', 'op', 'vic', 'dev', 'uma', 'udo', 'nod', 'pub', 'none', 'anon']) u (who)
  left join (values
    ('stark:node:' || tests.node('n1'), 'nod', 'Rb'), ('stark:node:' || tests.node('n1'), 'ada', 'Rb'),
    ('stark:presence', 'nod', 'RbWp'), ('stark:presence', 'uma', 'RbWp'), ('stark:presence', 'udo', 'RbWp'), ('stark:presence', 'ada', 'RbWp'), ('stark:presence', 'op', 'RbWp'),
    ('stark:heartbeat', 'nod', 'RpWb'), ('stark:heartbeat', 'uma', 'RpWb'), ('stark:heartbeat', 'udo', 'RpWb'), ('stark:heartbeat', 'ada', 'RpWb'), ('stark:heartbeat', 'op', 'RpWb'),
    ('stark:namespace:default', 'ada', 'Rb'), ('stark:namespace:default', 'op', 'Rb'), ('stark:namespace:default', 'vic', 'Rb'), ('stark:namespace:default', 'dev', 'Rb'),
    ('stark:namespace:stark-public', 'ada', 'Rb'), ('stark:namespace:stark-public', 'op', 'Rb'), ('stark:namespace:stark-public', 'vic', 'Rb'), ('stark:namespace:stark-public', 'dev', 'Rb'), ('stark:namespace:stark-public', 'pub', 'Rb'),
    ('stark:cluster', 'ada', 'Rb'), ('stark:cluster', 'op', 'Rb'), ('stark:cluster', 'vic', 'Rb'), ('stark:cluster', 'dev', 'Rb'),
    ('stark:pod:' || tests.pod('p1'), 'uma', 'Rb'), ('stark:pod:' || tests.pod('p1'), 'vic', 'Rb'), ('stark:pod:' || tests.pod('p1'), 'dev', 'Rb'), ('stark:pod:' || tests.pod('p1'), 'op', 'Rb'), ('stark:pod:' || tests.pod('p1'), 'nod', 'Wb'),
    ('stark:pod:' || tests.pod('p1'), 'ada', 'RbWb')) r (topic, who, rights) on r.topic = t.topic and r.who = u.who;
select is(pg_temp.rights(who, topic), rights, format('%s on %s: %s', who, regexp_replace(topic, '[0-9a-f-]{36}', '<id>'), coalesce(nullif(rights, ''), 'nothing'))) from wanted;

delete from stark.role_bindings where user_id = tests.uid('vic');
select is(pg_temp.rights('vic', 'stark:cluster'), '', 'a right taken away is gone at the next join');
select is(pg_temp.rights('vic', E'stark:namespace:default''; --'), '', 'a hostile topic is just a topic');
select tests.sign_in('ada');
create temporary table moved as select stark.events_topic() as cluster, stark.events_topic('default') as namespace, stark.follow_logs(tests.pod('p1')) ->> 'topic' as pod;
select tests.sign_out();
grant select on moved to public;
select matches(topic, p, 'the topics have moved on: ' || regexp_replace(topic, '[0-9a-f-]{36}', '<id>')) from moved,
  lateral (values (cluster, '^stark:cluster:[0-9a-f]{12}$'), (namespace, '^stark:namespace:default:[0-9a-f]{12}$'), (pod, '^stark:pod:[0-9a-f-]{36}:[0-9a-f]{12}$')) t (topic, p);
select is(pg_temp.rights(who, topic), case when who in ('ada', 'op', 'dev') then case when who = 'ada' and topic = pod then 'RbWb' else 'Rb' end when who = 'uma' and topic = pod then 'Rb' when who = 'nod' and topic = pod then 'Wb' else '' end,
          format('%s on the topic as it is called now: %s', who, left(topic, 12))) from moved, lateral unnest(array[cluster, namespace, pod]) topic, unnest(array['ada', 'op', 'dev', 'vic', 'uma', 'udo', 'nod', 'none', 'anon']) who;
select is(pg_temp.rights(who, topic), '', format('%s on one by its old name, or another epoch: %s', who, topic)) from unnest(array['ada', 'vic']) who,
  unnest(array['stark:cluster', 'stark:namespace:default', 'stark:cluster:000000000000', 'stark:namespace:default:000000000000', 'stark:namespace:default:']) topic;
select is(pg_temp.rights('nod', 'stark:pod:' || tests.pod('p1')), '', 'an agent sends lines to nobody who stayed behind');
select is(pg_temp.rights('nod', m.pod), 'Wb', 'the agent that runs a pod may send its lines') from moved m;
update stark.pods set status = 'stopping';
update stark.pods set status = 'stopped', finished_at = now(), node_id = null;
select is(pg_temp.rights('nod', m.pod), '', 'and not when it does not') from moved m;
select is(tests.count_of($$select from pg_policies where schemaname = 'realtime' and tablename = 'messages' and policyname like 'Stark:%'$$), 2::bigint, 'two policies do all that');

select is((select array_agg(distinct a.attname::text) from pg_policy p join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refobjid = p.polrelid and d.refobjsubid > 0
    join pg_attribute a on a.attrelid = p.polrelid and a.attnum = d.refobjsubid where p.polrelid = 'realtime.messages'::regclass and p.polname like 'Stark:%'),
  array['extension'], 'and look at nothing in a row but its extension: what else a server''s probe has in it is its own affair');

select * from finish();
rollback;
