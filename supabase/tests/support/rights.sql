-- What the matrix of rights is asked about: one actor for each way of having rights, things that are theirs, and the same things
-- of a stranger. The matrix itself is data in 00b-rights-matrix.test.sql; tests/security/rights-matrix.test.ts asks it over HTTP.

/**
 * tests.rights_actors(): who asks. Bound in the whole cluster, or (viewer-a, …) in namespace a. off is a disabled admin; agent an account
 * that joined by the stranger's token: it speaks for node-agent, which is the stranger's.
 */
create or replace function tests.rights_actors() returns table (actor text, role text, namespace text) language sql immutable
as $$
  values ('none', null, null), ('off', 'admin', null), ('viewer', 'viewer', null), ('node', 'node', null), ('agent', 'node', null), ('user', 'user', null),
    ('dev', 'developer', null), ('depl', 'deployer', null), ('oper', 'operator', null), ('admin', 'admin', null),
    ('viewer-a', 'viewer', 'a'), ('user-a', 'user', 'a'), ('dev-a', 'developer', 'a'), ('oper-a', 'operator', 'a'), ('admin-a', 'admin', 'a'),
    ('stranger', 'user', null)
$$;

create table if not exists tests.rights_things (owner text, word text, letter text, id text);

/** tests.make_rights(): every actor and what is theirs; tests.rights_things then has the id of each thing. */
create or replace function tests.make_rights() returns void language plpgsql as $$
declare
  v_actor text;
begin
  -- The working tables of a scheduling pass are made once a session. Made inside of a call that is undone they are made again for each,
  -- and Postgres plans every statement anew after that.
  perform stark_internal.open_tables();
  perform tests.add_user(a.actor) from tests.rights_actors() a;
  insert into stark.namespaces (name) values ('a'), ('b');
  insert into stark.role_bindings (user_id, role, namespace) select tests.uid(a.actor), a.role, a.namespace from tests.rights_actors() a where a.role is not null;
  insert into stark.roles (name) values ('custom');
  insert into stark.priority_classes (name, value) values ('spare', 5);
  for v_actor in select a.actor from tests.rights_actors() a loop
    perform tests.add_pack('pack-' || v_actor, v_actor, p_version => '0.9.0'), tests.add_pack('pack-' || v_actor, v_actor),
      tests.add_pack('spare-' || v_actor, v_actor), tests.add_pack('public-' || v_actor, v_actor, 'public');
    perform tests.add_node('node-' || v_actor, v_actor);
    insert into stark.pack_versions (id, pack_id, pack_name, version, runtime, size_bytes, sha256, path, created_by)
      select tests.uid('upload/' || v_actor), p.id, p.name, '2.0.0', 'node', 10, repeat('a', 64), p.id || '/upload.js', p.owner_id
      from stark.packs p where p.name = 'pack-' || v_actor;
    insert into stark.node_leases (node_id, incarnation) values (tests.node('node-' || v_actor), 1);
    insert into stark.join_tokens (id, owner_id, expires_at) values ('token-' || v_actor, tests.uid(v_actor), now() + interval '1 day');
  end loop;
  -- Own pods run on the stranger's nodes, and on each actor's node runs one of the stranger's.
  insert into stark.pods (id, name, namespace, pack_id, pack_name, pack_version_id, version, node_id, node_name, incarnation, status, created_by, spec)
    select tests.uid(w.what || '/' || a.actor), w.what || '-' || a.actor, w.namespace, v.pack_id, v.pack_name, v.id, v.version, n.id, n.name, 1, 'running', p.owner_id,
           '{"resources": {"requests": {"cpu": 1, "memory": 1}}}'
    from tests.rights_actors() a
      cross join lateral (values ('in-a', 'a', a.actor, 'stranger'), ('in-b', 'b', a.actor, 'stranger'), ('hosted', 'b', 'stranger', a.actor)) w (what, namespace, owner, host)
      join stark.packs p on p.name = 'pack-' || w.owner
      join stark.pack_versions v on v.pack_id = p.id and v.version = '1.0.0'
      join stark.nodes n on n.name = 'node-' || w.host;
  insert into stark.pod_env (pod_id, env) select p.id, '{"SECRET": "x"}' from stark.pods p;
  -- Of no pods, so that a call looks at its own deployment only.
  insert into stark.deployments (id, name, namespace, pack_id, pack_name, replicas, acts_as, created_by)
    select tests.uid(w.namespace || '/deployment/' || a.actor), 'web-' || a.actor, w.namespace, p.id, p.name, 0, p.owner_id, p.owner_id
    from tests.rights_actors() a cross join (values ('a'), ('b')) w (namespace) join stark.packs p on p.name = 'public-' || a.actor;
  perform stark_internal.add_revision(d.id, '{"labels": {}, "annotations": {}, "priority": 100, "spec": {}}', '{}', v.id, 'create', null, d.created_by)
    from stark.deployments d join stark.pack_versions v using (pack_id);
  -- Of deployments that are not autoscaled, so that they can be scaled by hand.
  insert into stark.autoscalers (deployment_id, namespace, name, min_replicas, max_replicas, next_look_at) select d.id, d.namespace, d.name, 1, 2, 'infinity' from stark.deployments d;
  insert into stark.autoscaler_recommendations (deployment_id, recommended_at, replicas, recommended, wanted, reason) select a.deployment_id, now(), 1, 1, 1, 'Started' from stark.autoscalers a;
  perform stark_internal.store_metric(w.namespace, 'load', 1, 86400, tests.uid(a.actor), false) from tests.rights_actors() a cross join (values ('a'), ('b')) w (namespace);
  delete from stark_internal.deployments_to_reconcile n where true;
  insert into stark.pod_logs (pod_id, seq, time, namespace, stream, message)
    select p.id, 1, now(), p.namespace, 'stdout', 'a line' from stark.pods p;
  update stark.profiles set disabled_at = now() where id = tests.uid('off');
  update stark.nodes set owner_id = tests.uid('stranger'), agent_id = tests.uid('agent') where name = 'node-agent';
  delete from tests.rights_things where true;
  insert into tests.rights_things
    select a.actor, t.word, t.letter, t.id
    from tests.rights_actors() a, lateral (values
      ('me', 'u', tests.uid(a.actor)::text), ('node', 'n', tests.node('node-' || a.actor)::text), ('upload', null, tests.uid('upload/' || a.actor)::text),
      ('in_a', 'a', tests.uid('in-a/' || a.actor)::text), ('in_b', 'b', tests.uid('in-b/' || a.actor)::text), ('hosted', 'h', tests.uid('hosted/' || a.actor)::text),
      ('dep_a', 'd', tests.uid('a/deployment/' || a.actor)::text), ('dep_b', 'e', tests.uid('b/deployment/' || a.actor)::text),
      ('pack', 'p', (select p.id::text from stark.packs p where p.name = 'pack-' || a.actor)),
      ('public', 'q', (select p.id::text from stark.packs p where p.name = 'public-' || a.actor)),
      ('token', 't', 'token-' || a.actor)) t (word, letter, id);
end
$$;

/**
 * tests.rights_letters(actor): what an id is to this actor: a letter for each own thing, a capital for the stranger's: A, B pods in
 * namespace a, b; D, E deployments in namespace a, b; N node, P private pack, Q public pack, T join token, U user. h is the stranger's pod on the actor's node; what it
 * is on the stranger's own node, and namespaces a and b themselves, are A and B again.
 */
create or replace function tests.rights_letters(p_actor text) returns table (id text, letter text) language sql stable
as $$
  select t.id, t.letter from tests.rights_things t where t.owner = p_actor and t.letter is not null
  union all
  select t.id, upper(t.letter) from tests.rights_things t where t.owner = 'stranger' and t.letter <> 'h'
  union all
  values ('a', 'A'), ('b', 'B')
$$;

/** tests.rights_arguments(actor, text): $own.x and $other.x are the id of x of the actor and of the stranger, $own and $other their names. Bare keys own what none owns. */
create or replace function tests.rights_arguments(p_actor text, p_text text) returns text language plpgsql stable as $$
declare
  v_thing record;
begin
  p_actor := case when p_actor in ('anon', 'secret') then 'none' else p_actor end;
  for v_thing in select case t.owner when 'stranger' then '$other' else '$own' end || '.' || t.word as word, t.id
      from tests.rights_things t where t.owner in (p_actor, 'stranger') loop
    p_text := replace(p_text, v_thing.word, v_thing.id);
  end loop;
  return replace(replace(replace(p_text, '$own', p_actor), '$other', 'stranger'), '$sha', repeat('a', 64));
end
$$;

/**
 * tests.rights_matrix(text): the cells of a matrix. Its first line names the columns; each other line has what is asked (a table, a
 * function), a cell for each column, and the rest: a table's column, a function's arguments.
 */
create or replace function tests.rights_matrix(p_text text) returns table (line bigint, what text, rest text, actor text, wanted text) language sql immutable
as $$
  with lines as (
    select l.line, regexp_split_to_array(trim(l.text), '\s+') as words
    from regexp_split_to_table(trim(p_text, E'\n'), '\n') with ordinality l (text, line)),
  head as (select l.words as actors from lines l where l.line = 1)
  select l.line, l.words[1], array_to_string(l.words[cardinality(h.actors) + 2:], ' '), h.actors[i], l.words[i + 1]
  from head h, lines l, generate_subscripts(h.actors, 1) i
  where l.line > 1
$$;

/** tests.rights_sign_in(actor): anon and secret are the bare keys. */
create or replace function tests.rights_sign_in(p_actor text) returns void language sql
as $$ select case p_actor when 'anon' then tests.sign_in_as('anon') when 'secret' then tests.sign_in_as('service_role') else tests.sign_in(p_actor) end $$;

/** tests.rights_seen(actor, table, column): the letters of what the actor sees there; * for rows that are nobody's, - for none, ! when refused. */
create or replace function tests.rights_seen(p_actor text, p_table text, p_column text) returns text language plpgsql as $$
declare
  v_ids text[];
  v_seen text;
begin
  perform tests.rights_sign_in(p_actor);
  begin
    execute format('select array_agg(%s::text) from stark.%I', case p_column when '' then '1' else quote_ident(p_column) end, p_table) into v_ids;
  exception when insufficient_privilege then
    perform tests.sign_out();
    return '!';
  end;
  perform tests.sign_out();
  if p_column = '' then
    return case when v_ids is null then '-' else '*' end;
  end if;
  select coalesce(string_agg(distinct l.letter collate "C", '' order by l.letter collate "C"), '-') into v_seen from tests.rights_letters(p_actor) l where l.id = any (v_ids);
  return v_seen;
end
$$;

/** tests.rights_answer(actor, function, arguments): the HTTP status a call has; whatever it did is undone. */
create or replace function tests.rights_answer(p_actor text, p_function text, p_arguments text) returns text language plpgsql as $$
declare
  v_call text;
  v_state text;
  v_detail text;
begin
  select format('select stark.%I(%s)', p_function, string_agg(format('%I => %s', a.key,
      case when a.value = 'null' then 'null'
           when t.type = 'jsonb' then quote_literal(a.value::text)
           when t.type like '%[]' then format('array(select jsonb_array_elements_text(%L))', a.value::text)
           else quote_literal(a.value #>> '{}') end || '::' || t.type), ', '))
    into v_call
    from jsonb_each(tests.rights_arguments(p_actor, coalesce(nullif(p_arguments, ''), '{}'))::jsonb) a
    join lateral (
      select format_type(p.proargtypes[i - 1], null) as type
      from pg_proc p, generate_subscripts(p.proargnames, 1) i
      where p.proname = p_function and p.pronamespace = 'stark'::regnamespace and p.proargnames[i] = a.key) t on true;
  perform tests.rights_sign_in(p_actor);
  execute v_call;
  raise sqlstate 'PT200';
exception when others then
  get stacked diagnostics v_state = returned_sqlstate, v_detail = pg_exception_detail;
  perform tests.sign_out();
  return case when v_state = 'PGRST' then v_detail::jsonb ->> 'status'
              when v_state = 'PT200' then '200'
              when v_state = '42501' then case p_actor when 'anon' then '401' else '403' end
              else v_state || ' ' || sqlerrm end;
end
$$;

grant execute on all functions in schema tests to public;
