-- What the pgTAP files share. Loaded once before them; schema `tests` exists in test databases only.

create schema if not exists tests;
grant usage on schema tests to public;

/** tests.uid(name): the id of a test user; the same name has the same id. */
create or replace function tests.uid(p_name text) returns uuid language sql immutable
as $$ select extensions.uuid_generate_v5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', p_name) $$;

/** tests.add_user(name, role, namespace): signs a user up, with a role when one is named. */
create or replace function tests.add_user(p_name text, p_role text default null, p_namespace text default null) returns uuid language plpgsql
as $$
begin
  insert into auth.users (id, email) values (tests.uid(p_name), p_name || '@example.com') on conflict (id) do nothing;
  if p_role is not null then
    insert into stark.role_bindings (user_id, role, namespace) values (tests.uid(p_name), p_role, p_namespace);
  end if;
  return tests.uid(p_name);
end
$$;

/** tests.let_read_nodes(name): this user may read all nodes, and so may name them for pods. */
create or replace function tests.let_read_nodes(p_name text) returns void language sql
as $$
  insert into stark.roles (name) values ('node-reader') on conflict do nothing;
  insert into stark.role_permissions (role, kind, verb, scope) values ('node-reader', 'nodes', 'get', 'any') on conflict do nothing;
  insert into stark.role_bindings (user_id, role) values (tests.uid(p_name), 'node-reader');
$$;

/** tests.sign_in(name): from now on statements come from this user, as PostgREST would send them. */
create or replace function tests.sign_in(p_name text) returns void language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', json_build_object('sub', tests.uid(p_name), 'role', 'authenticated')::text, true);
  perform set_config('role', 'authenticated', true);
end
$$;

/** tests.sign_in_as(role): from now on statements come from a bare key: anon or service_role. */
create or replace function tests.sign_in_as(p_role text) returns void language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', json_build_object('role', p_role)::text, true);
  perform set_config('role', p_role, true);
end
$$;

/** tests.sign_out(): from now on statements come from the database's owner. */
create or replace function tests.sign_out() returns void language plpgsql
as $$
begin
  perform set_config('request.jwt.claims', '', true);
  perform set_config('role', 'postgres', true);
end
$$;

/** tests.error_of(sql): the error a statement raises as {code, message, hint, status}; null when it raises none. */
create or replace function tests.error_of(p_sql text) returns jsonb language plpgsql
as $$
declare
  v_message text;
  v_detail text;
  v_state text;
begin
  execute p_sql;
  return null;
exception when others then
  get stacked diagnostics v_message = message_text, v_detail = pg_exception_detail, v_state = returned_sqlstate;
  if v_state = 'PGRST' then
    return v_message::jsonb || v_detail::jsonb;
  end if;
  return jsonb_build_object('code', v_state, 'message', v_message);
end
$$;

/** tests.code_of(sql): the error code a statement raises, 'ok' when it raises none. */
create or replace function tests.code_of(p_sql text) returns text language sql
as $$ select coalesce(tests.error_of(p_sql) ->> 'code', 'ok') $$;

/** tests.count_of(sql): how many rows a query returns to the user who is signed in. */
create or replace function tests.count_of(p_sql text) returns bigint language plpgsql
as $$
declare
  v_count bigint;
begin
  execute format('select count(*) from (%s) q', p_sql) into v_count;
  return v_count;
end
$$;

/** tests.add_pack(name, owner, visibility, runtime, version): a version that is ready, without the way through Storage. */
create or replace function tests.add_pack(p_name text, p_owner text, p_visibility text default 'private', p_runtime text default 'node', p_version text default '1.0.0')
returns uuid language plpgsql
as $$
declare
  v_version uuid := gen_random_uuid();
begin
  insert into stark.packs (name, owner_id, visibility) values (p_name, tests.uid(p_owner), p_visibility) on conflict (name) do nothing;
  insert into stark.pack_versions (id, pack_id, pack_name, version, runtime, size_bytes, sha256, path, created_by, state, ready_at)
    select v_version, p.id, p.name, p_version, p_runtime, 10, repeat('a', 64), p.id || '/' || v_version || '.js', p.owner_id, 'ready', now()
    from stark.packs p where p.name = p_name;
  update stark.packs p set latest_version = stark_internal.latest_version(p.id) where p.name = p_name;
  return v_version;
end
$$;

/** tests.add_node(name, owner, …): a healthy node. */
create or replace function tests.add_node(p_name text, p_owner text, p_runtime text default 'node', p_labels jsonb default '{}', p_taints jsonb default '[]',
  p_allocatable jsonb default '{"cpu": 1000, "memory": 1024, "storage": 10240, "pods": 10}', p_status text default 'healthy')
returns uuid language sql
as $$
  insert into stark.nodes (name, owner_id, runtime, labels, taints, allocatable, status, incarnation)
    values (p_name, tests.uid(p_owner), p_runtime, p_labels, p_taints, p_allocatable, p_status, 1) returning id
$$;

/** tests.node(name), tests.pod(name): ids by name. */
create or replace function tests.node(p_name text) returns uuid language sql stable security definer
as $$ select id from stark.nodes where name = p_name $$;
create or replace function tests.pod(p_name text) returns uuid language sql stable security definer
as $$ select id from stark.pods where name = p_name $$;

/** tests.make_pods(item): create_pods with one entry, as {pack, …}; returns how many were made. */
create or replace function tests.make_pods(p_item jsonb) returns bigint language sql
as $$ select count(*) from stark.create_pods(jsonb_build_array(p_item)) $$;

/** tests.report(node, pod, status, more): one report at the node's present incarnation; the answer's code, or 'accepted'. */
create or replace function tests.report(p_node text, p_pod text, p_status text, p_more jsonb default '{}') returns text language sql
as $$
  select coalesce(r ->> 'code', 'accepted') from jsonb_array_elements(stark.report_pods(tests.node(p_node),
    (select incarnation from stark.nodes where name = p_node),
    jsonb_build_array(jsonb_build_object('pod_id', tests.pod(p_pod), 'status', p_status) || p_more))) r
$$;

grant execute on all functions in schema tests to public;
