-- A stranger who gets hold of a session as authenticated (through a function of an application beside Stark, say) has no more rights in
-- it than over HTTP: what they put in the way of our functions' names is not found.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('eve', 'viewer');
select tests.sign_in('eve');

-- Types, tables and functions of the session's own, which would come first where a name is bare. Had their code run, it would say as whom.
create function pg_temp.trap(pg_catalog.text) returns boolean language plpgsql as $$ begin raise exception 'ran as %', current_user using errcode = 'P9999'; end $$;
create temporary table role_bindings (user_id pg_catalog.uuid, role pg_catalog.text, namespace pg_catalog.text);
create temporary table role_permissions (role pg_catalog.text, kind pg_catalog.text, verb pg_catalog.text, scope pg_catalog.text);
create temporary table profiles (id pg_catalog.uuid, email pg_catalog.text, disabled_at pg_catalog.timestamptz);
insert into role_bindings values (tests.uid('eve'), 'admin', null);
insert into role_permissions values ('admin', '*', '*', 'any');
insert into profiles values (tests.uid('eve'));
create function pg_temp.has_permission(pg_catalog.text, pg_catalog.text, boolean) returns boolean language sql as $$ select true $$;
create function pg_temp.is_trusted() returns boolean language sql as $$ select true $$;
create function pg_temp.now() returns pg_catalog.timestamptz language sql as $$ select pg_temp.trap('now')::pg_catalog.text::pg_catalog.timestamptz $$;
create domain pg_temp.text as pg_catalog.text check (pg_temp.trap(value));
create domain pg_temp.uuid as pg_catalog.uuid check (pg_temp.trap(value::pg_catalog.text));
create domain pg_temp.jsonb as pg_catalog.jsonb check (pg_temp.trap(value::pg_catalog.text));
create domain pg_temp.timestamptz as pg_catalog.timestamptz check (pg_temp.trap(value::pg_catalog.text));
set local search_path = pg_temp, stark, stark_internal, pg_catalog, extensions;

-- The helpers would fall into the traps themselves, so this one names everything.
create function pg_temp.outcome(p_sql pg_catalog.text) returns pg_catalog.text language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  v_state pg_catalog.text;
  v_message pg_catalog.text;
begin
  execute p_sql;
  return 'ok';
exception when others then
  get stacked diagnostics v_state = returned_sqlstate, v_message = message_text;
  return case v_state when 'PGRST' then v_message::pg_catalog.jsonb ->> 'code' else v_state || ' ' || v_message end;
end $$;

create temporary table outcomes as select c.call, c.wanted, pg_temp.outcome(c.call) as got
from (values
  ($$select stark.whoami()$$, 'ok'),
  ($$select stark.can_i('get', 'pods', 'default')$$, 'ok'),
  ($$select stark.create_pods('[{"pack": "alpha"}]')$$, 'FORBIDDEN'),
  ($$select stark.explain_placement('{"pack": "alpha"}')$$, 'FORBIDDEN'),
  ($$select stark.register_node('n', 'node')$$, 'FORBIDDEN'),
  ($$select stark.grant_role('00000000-0000-0000-0000-000000000000', 'admin')$$, 'FORBIDDEN'),
  ($$select stark.create_role('mine', '{pods:get}')$$, 'FORBIDDEN'),
  ($$select stark.admit_user('x@example.com')$$, 'FORBIDDEN'),
  ($$select stark.list_users()$$, 'FORBIDDEN'),
  ($$select stark.update_cluster_config('{"allow_registration": true}')$$, 'FORBIDDEN'),
  ($$select stark.delete_namespace('default')$$, 'FORBIDDEN'),
  ($$select count(*) from stark.pods$$, 'ok'),
  ($$select count(*) from stark.events$$, 'ok'),
  ($$select stark_internal.is_trusted()$$, '42501 permission denied for schema stark_internal')) c (call, wanted);

-- Out of the way again, since pgTAP's own functions would fall into them.
drop domain pg_temp.text, pg_temp.uuid, pg_temp.jsonb, pg_temp.timestamptz cascade;
select tests.sign_out();
set local search_path = public, extensions;
select is(o.got, o.wanted, o.call) from outcomes o;

-- Tables in the place of those that a schedule pass works on, whose triggers would run as the role that writes them.
create temporary table ran (who text);
grant all on ran to public;
create function pg_temp.spring() returns trigger language plpgsql as $$ begin insert into pg_temp.ran values (current_user); return new; end $$;
grant all on function pg_temp.spring() to public;
select tests.add_user('mal', 'user'), tests.add_pack('bait', 'mal');
select stark_internal.open_tables();
create temporary table shapes as select c.relname, string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) as columns
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relnamespace = pg_my_temp_schema() and c.relname like 'pass\_%' and c.relkind = 'r' group by c.relname;
grant select on shapes to public;
do $$ begin execute (select string_agg(format('drop table pg_temp.%I', s.relname), ';') from shapes s); end $$;
select tests.sign_in('mal');
do $$ begin
  execute (select string_agg(format('create temporary table %1$I (%2$s); create trigger t before insert on pg_temp.%1$I for each row execute function pg_temp.spring(); grant all on pg_temp.%1$I to public', s.relname, s.columns), ';') from shapes s);
end $$;
select is(tests.code_of($$select stark.create_pods('[{"pack": "bait"}]')$$), '42P07', 'another''s tables are not worked on');
select is(tests.code_of($$select stark.explain_placement('{"pack": "bait"}')$$), '42P07', 'by a dry run neither');
select tests.sign_out();
select is((select array_agg(r.who) from ran r), null, 'and nothing of them ran');

select * from finish();
rollback;
