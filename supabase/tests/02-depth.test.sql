-- JSON of more than 32 levels comes in by no door: every argument and every column that callers write is found in the catalogue and
-- tried. Such a row could be stored, and no client could read the table any more.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('uma', 'user');
select tests.add_pack('open', 'uma', 'public');
select tests.add_node('n1', 'uma');
select tests.sign_in('uma');
select tests.make_pods('{"pack": "open", "name": "p1"}'), stark.create_join_token(), stark.create_deployment('{"name": "d1", "pack": "open", "replicas": 0}');
select tests.sign_out();
insert into stark.node_leases (node_id, incarnation) values (tests.node('n1'), 1);

create function pg_temp.nested(p_what text, p_levels integer) returns jsonb language sql as $$
  select (case p_what when 'lists' then repeat('[', p_levels) || '1' || repeat(']', p_levels) else repeat('{"a":', p_levels) || '1' || repeat('}', p_levels) end)::jsonb
$$;
create temporary table values_ as
  select w.what, l.levels, pg_temp.nested(w.what, l.levels) as value from unnest(array['lists', 'objects']) w (what), unnest(array[32, 33, 2500]) l (levels);
select is(stark_internal.is_deep(v.value), v.levels > 32, format('%s levels of %s', v.levels, v.what)) from values_ v;
select is(stark_internal.is_deep('"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["'), false, 'brackets in a text are none');
select is(stark_internal.is_deep(jsonb_build_array(1, pg_temp.nested('lists', 31), pg_temp.nested('objects', 32))), true, 'the deepest counts');
select is(stark_internal.is_deep(null), false, 'nothing is not deep');

-- Arguments: who calls is asked first, then this, so that nothing else needs to be right. Signs of life come from many nodes in one
-- call, so each is judged by itself, below.
create temporary table json_arguments as
  select p.oid, p.proname::text as fn, a.name as argument,
         format('select stark.%I(%s)', p.proname, string_agg(format('%I => %s', o.name, case o.name when a.name then '%L::jsonb' else 'null' end), ', ')) as call
  from pg_proc p
    cross join lateral (select p.proargnames[i] as name, i from generate_series(1, p.pronargs) i where p.proargtypes[i - 1] = 'jsonb'::regtype) a
    cross join lateral (select p.proargnames[i] as name from generate_series(1, p.pronargs) i where i <= p.pronargs - p.pronargdefaults or i = a.i) o
  where p.pronamespace = 'stark'::regnamespace and p.proname <> 'watch_nodes'
  group by p.oid, p.proname, a.name;
select cmp_ok((select count(*) from json_arguments), '>=', 20::bigint, 'there are such arguments');
grant select on json_arguments, values_ to public;
select tests.sign_in('ada');
create temporary table answers as
  select d.fn, d.argument, v.what, v.levels, tests.error_of(format(d.call, v.value)) as error from json_arguments d, values_ v;
select tests.sign_out();
select is(coalesce(a.error ->> 'code' = 'INVALID_ARGUMENT' and a.error ->> 'message' = a.argument || ' has more than 32 levels', false), a.levels > 32,
          format('%s(%s) of %s levels of %s', a.fn, a.argument, a.levels, a.what)) from answers a;
-- What is too long, and numbers that are a few bytes here and hundreds of thousands where anybody asks for the text.
create temporary table much as
  select v.what, v.value from (values
    ('a number of 131,072 digits', '[1e131071]'::jsonb), ('a negative one', '{"a": {"b": -1e131071}}'), ('one of 16,383 decimals', '[0, 1e-16383]'), ('one as large as JavaScript knows', '[1e308]'), ('as small', '[1e-300, 0]')) v (what, value);
grant select on much to public;
select tests.sign_in('ada');
create temporary table refusals as
  select d.fn, d.argument, m.what, tests.error_of(format(d.call, m.value)) ->> 'message' as message from json_arguments d, much m;
select tests.sign_out();
select matches(coalesce(r.message, ''), case when r.what ~ '^as small|JavaScript' then '^(?!.*beyond 1e308)' else '^' || r.argument || ' has a number beyond 1e308' end,
  format('%s(%s) of %s', r.fn, r.argument, r.what)) from refusals r;
select matches(tests.error_of(format($$select stark_internal.require_json('p_x', (select jsonb_object_agg('k' || i, null) from generate_series(1, %s) i), 1000)$$, c.fields)) ->> 'message', c.message, format('%s fields', c.fields))
  from (values (400, '^p_x has \d+ bytes, at most 1000$'), (4000, '^p_x has far more than 1000 bytes$')) c (fields, message);
select is(pg_get_function_arguments('stark_internal.require_json'::regproc), 'p_what text, p_value jsonb, p_bytes integer DEFAULT stark_internal.call_limit(''log_bytes''::text)', 'of every argument there is a most');
select is_empty(
  $$select d.fn, d.argument from json_arguments d join pg_proc p using (oid)
    where position('require_json(''' || d.argument || '''' in p.prosrc) = 0
       or position('require_json(''' || d.argument || '''' in p.prosrc) > coalesce(nullif(position('lock_cluster(' in p.prosrc), 0), 1000000)$$,
  'every argument is looked at by the one function, before the cluster lock');

-- What is inside of what a call lists.
select tests.sign_in('uma');
select is(tests.code_of(format('select stark.create_pods(%L)', jsonb_build_array(jsonb_build_object('pack', 'open', 'spec', jsonb_build_object('config', pg_temp.nested('objects', 29)))))), 'ok', 'a configuration as deep as may be');
select is(tests.code_of(format('select stark.create_pods(%L)', jsonb_build_array(jsonb_build_object('pack', 'open', 'spec', jsonb_build_object('config', pg_temp.nested('objects', 30)))))), 'INVALID_ARGUMENT', 'and a level more');
select is(tests.code_of(format($$select stark.register_node('n2', 'node', p_capabilities => %L)$$, pg_temp.nested('objects', 32))), 'ok', 'capabilities as deep as may be');
select tests.sign_out();
insert into stark_internal.node_secrets values (tests.node('n1'), 1, encode(sha256('s'), 'hex'));
create function pg_temp.hear(p_usage jsonb) returns jsonb language sql as $$
  select stark_internal.renew_leases(jsonb_build_array(jsonb_build_object('node_id', tests.node('n1'), 'incarnation', 1, 'secret', 's', 'sign', 'heartbeat', 'usage', p_usage)), now());
  select l.usage from stark.node_leases l where l.node_id = tests.node('n1');
$$;
select is(pg_temp.hear('{"cpu": 5}'), '{"cpu": 5}', 'a usage is noted');
select is(pg_temp.hear(u), '{"cpu": 5}', 'one that could not be read again is not, and nothing is refused')
  from (values (pg_temp.nested('objects', 33)), (pg_temp.nested('objects', 2500)), ('[1]'), ('"x"'), (jsonb_build_object('x', repeat('x', 70000)))) u (u);

-- Columns, for every writer. What only Stark's own functions put together is as deep as what they were given, and named here.
create temporary table columns_ as
  select c.oid::regclass as table_, a.attname::text as column_ from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace = 'stark'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and a.atttypid = 'jsonb'::regtype
    and (c.relname, a.attname) not in (('events', 'object'), ('events', 'details'), ('nodes', 'overrides'), ('nodes', 'allocated'),
      ('deployments', 'conditions'), ('deployment_revisions', 'template'), ('autoscalers', 'metrics'), ('autoscaler_recommendations', 'metrics'));
select isnt(tests.code_of(format('update %s set %I = %L', c.table_, c.column_, v.value)), 'ok', format('%s.%s of %s levels of %s', c.table_, c.column_, v.levels, v.what))
  from columns_ c, values_ v where v.levels > 32;
select is_empty($$select c.table_ from columns_ c where tests.count_of(format('select from %s', c.table_)) = 0$$, 'on rows that are there');

select * from finish();
rollback;
