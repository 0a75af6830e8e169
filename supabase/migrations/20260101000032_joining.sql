-- Joining: how a machine becomes a node without anybody's password on it. Who may make nodes hands out a join token; an agent
-- trades it (Edge Function `api`, POST /nodes/join) for an account of its own, which speaks for one node and does nothing else.
-- The node belongs to who made the token, and its account goes when the node goes.

create table stark.join_tokens (
  id text primary key default left(replace(gen_random_uuid()::text, '-', ''), 10),
  owner_id uuid not null references stark.profiles (id) on delete cascade,
  labels jsonb not null default '{}',
  taints jsonb not null default '[]',
  accepts text,
  accepted_namespaces text[] not null default '{}',
  max_uses integer not null default 1,
  uses integer not null default 0,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  used_at timestamptz,
  created_at timestamptz not null default now(),
  constraint token_labels_are_labels check (stark_internal.labels_problem(labels) is null),
  constraint token_taints_are_taints check (stark_internal.taints_problem(taints) is null),
  constraint token_acceptance_is_one check (stark_internal.acceptance_problem(accepts, accepted_namespaces) is null),
  constraint max_uses_is_in_range check (max_uses between 1 and 1000),
  constraint uses_stay_within_their_bound check (uses between 0 and max_uses)
);
create index join_tokens_owner_id_idx on stark.join_tokens (owner_id);
comment on table stark.join_tokens is 'Tokens by which machines become nodes. What a token reads is shown once and kept nowhere.';
comment on column stark.join_tokens.id is 'Name of the token; the second part of what it reads.';
comment on column stark.join_tokens.owner_id is 'Who made it; the nodes that join by it are theirs.';
comment on column stark.join_tokens.labels is 'Labels of the nodes that join by it, whatever their agents say.';
comment on column stark.join_tokens.taints is 'Taints of the nodes that join by it.';
comment on column stark.join_tokens.accepts is 'Whose pods those nodes take, whatever their agents say; null where they say so themselves.';
comment on column stark.join_tokens.accepted_namespaces is 'Where accepts is namespaces: which.';
comment on column stark.join_tokens.max_uses is 'How many nodes may join by it.';
comment on column stark.join_tokens.uses is 'How many have joined.';
comment on column stark.join_tokens.expires_at is 'Until when.';
comment on column stark.join_tokens.revoked_at is 'When it was taken back; null when it was not.';
comment on column stark.join_tokens.used_at is 'When a node joined by it last.';

create table stark_internal.join_token_secrets (
  token_id text primary key references stark.join_tokens (id) on delete cascade,
  secret_sha256 text not null unique
);
comment on table stark_internal.join_token_secrets is 'SHA-256 of what each join token reads.';

-- For people -----------------------------------------------------------------------------------------------------------

/**
 * stark.create_join_token(ttl_seconds, labels, taints, uses, accepts, accepted_namespaces) -> {id, token, labels, taints, accepts,
 * accepted_namespaces, max_uses, expires_at}: accepts fixes whose pods the nodes take that join by it (see register_node). The only
 * time that the token is shown. Caller: nodes:create and nodes:delete, since a token makes nodes and takes them back; for reserved
 * labels and taints (see reserved_key) nodes:update on any node, also when somebody joins by it.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, INVALID_LABELS, INVALID_TAINTS.
 */
create function stark.create_join_token(p_ttl_seconds integer default 3600, p_labels jsonb default '{}', p_taints jsonb default '[]', p_uses integer default 1,
  p_accepts text default null, p_accepted_namespaces text[] default null)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_problem record;
  v_token stark.join_tokens;
  v_text text;
begin
  perform stark_internal.require_permission('nodes:create', null, true);
  perform stark_internal.require_permission('nodes:delete', null, true);
  perform stark_internal.require_json('p_labels', p_labels);
  perform stark_internal.require_json('p_taints', p_taints, 65536);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a node needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if p_ttl_seconds is null or p_ttl_seconds not between 1 and 2592000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a token is good for 1 second to 30 days, not for %s seconds', coalesce(p_ttl_seconds::text, 'null')), 'use --ttl 1h');
  end if;
  if p_uses is null or p_uses not between 1 and 1000 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('a token is good for 1 to 1000 nodes, not for %s', coalesce(p_uses::text, 'null')), 'use --uses 10');
  end if;
  p_taints := stark_internal.without_nulls(p_taints);
  select * into v_problem from stark_internal.node_problem(p_labels, p_taints, '{}', '{}');
  if found then
    perform stark_internal.fail(v_problem.code, format('join token: %s', v_problem.problem), v_problem.hint);
  end if;
  perform stark_internal.refuse_reserved('of a join token', p_labels, p_taints);
  perform stark_internal.require_settable(p_labels, p_taints);
  perform stark_internal.require_acceptance(p_accepts, p_accepted_namespaces);
  delete from stark.join_tokens t where t.owner_id = v_user and t.expires_at < now() - interval '30 days';
  insert into stark.join_tokens (owner_id, labels, taints, accepts, accepted_namespaces, max_uses, expires_at)
    values (v_user, p_labels, p_taints, p_accepts, coalesce(p_accepted_namespaces, '{}'), p_uses, now() + make_interval(secs => p_ttl_seconds))
    returning * into v_token;
  -- 244 random bits: nobody comes across one by trying.
  v_text := 'stark_join_' || v_token.id || '_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
  insert into stark_internal.join_token_secrets (token_id, secret_sha256)
    values (v_token.id, encode(sha256(convert_to(v_text, 'UTF8')), 'hex'));
  return jsonb_build_object('id', v_token.id, 'token', v_text, 'labels', v_token.labels, 'taints', v_token.taints,
                            'accepts', v_token.accepts, 'accepted_namespaces', v_token.accepted_namespaces, 'max_uses', v_token.max_uses, 'expires_at', v_token.expires_at);
end;
$$;
comment on function stark.create_join_token(integer, jsonb, jsonb, integer, text, text[]) is 'Makes a token by which machines become nodes of the caller.';
revoke all on function stark.create_join_token(integer, jsonb, jsonb, integer, text, text[]) from public, anon;
grant execute on function stark.create_join_token(integer, jsonb, jsonb, integer, text, text[]) to authenticated, service_role;

/**
 * stark.revoke_join_token(id) -> the token: nobody joins by it any more; nodes that did stay. Revoking twice changes nothing.
 * Caller: who made it, or nodes:delete on any. Locks: the cluster lock, or one who is joining at this moment would come after.
 * Raises: UNAUTHENTICATED, FORBIDDEN, JOIN_TOKEN_NOT_FOUND.
 */
create function stark.revoke_join_token(p_id text)
returns stark.join_tokens
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_token stark.join_tokens;
begin
  if not exists (select from stark.join_tokens t where t.id = p_id and stark_internal.has_permission('nodes:delete', null, t.owner_id is not distinct from v_user)) then
    perform stark_internal.fail('JOIN_TOKEN_NOT_FOUND', format('no join token %s', coalesce(to_json(left(p_id, 80))::text, 'null')), 'stark node token list');
  end if;
  perform stark_internal.lock_cluster();
  update stark.join_tokens t set revoked_at = coalesce(t.revoked_at, now())
    where t.id = p_id and stark_internal.has_permission('nodes:delete', null, t.owner_id is not distinct from v_user)
    returning * into v_token;
  if not found then
    perform stark_internal.fail('JOIN_TOKEN_NOT_FOUND', format('no join token %s', coalesce(to_json(left(p_id, 80))::text, 'null')), 'stark node token list');
  end if;
  return v_token;
end;
$$;
comment on function stark.revoke_join_token(text) is 'Takes a join token back.';
revoke all on function stark.revoke_join_token(text) from public, anon;
grant execute on function stark.revoke_join_token(text) to authenticated, service_role;

-- For Edge Function `api` ----------------------------------------------------------------------------------------------

/**
 * stark_internal.require_join(secret_sha256, name, runtime, now) -> the token, or no row of it for open registration: a machine
 * may join as this node. Raises what join_node raises, but for USER_NOT_FOUND.
 */
create function stark_internal.require_join(p_secret_sha256 text, p_name text, p_runtime text, p_now timestamptz default now())
returns stark.join_tokens
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_token stark.join_tokens;
begin
  if p_secret_sha256 is not null then
    select t.* into v_token from stark_internal.join_token_secrets s join stark.join_tokens t on t.id = s.token_id
      where s.secret_sha256 = p_secret_sha256;
    if not found then
      perform stark_internal.fail('JOIN_TOKEN_INVALID', 'there is no such join token', 'stark node token create');
    elsif v_token.revoked_at is not null or not stark_internal.user_may(v_token.owner_id, 'nodes:create', null, true)
          or (stark_internal.reserved_key(v_token.labels, v_token.taints) is not null and not stark_internal.user_may(v_token.owner_id, 'nodes:update')) then
      perform stark_internal.fail('JOIN_TOKEN_REVOKED', format('join token %s was revoked', v_token.id), 'stark node token create');
    elsif v_token.expires_at <= p_now then
      perform stark_internal.fail('JOIN_TOKEN_EXPIRED', format('join token %s expired at %s', v_token.id, to_char(v_token.expires_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')), 'stark node token create');
    elsif v_token.uses >= v_token.max_uses then
      perform stark_internal.fail('JOIN_TOKEN_USED_UP', format('join token %s was good for %s nodes, and as many have joined', v_token.id, v_token.max_uses), 'stark node token create --uses 10');
    end if;
  elsif not (select c.allow_node_registration from stark.cluster_config c) then
    perform stark_internal.fail('NODE_REGISTRATION_CLOSED', 'this cluster takes no node without a join token or an account', 'stark node token create, then start the agent with --token');
  end if;
  if not stark_internal.is_dns_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a node', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits, - and .');
  end if;
  if p_runtime is null or p_runtime not in ('node', 'browser') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime of a node', coalesce(to_json(left(p_runtime, 80))::text, 'null')), 'use node or browser');
  end if;
  if exists (select from stark.nodes n where n.name = p_name) then
    perform stark_internal.fail('NODE_NAME_TAKEN', format('there is a node named %s already', p_name), format('use another --name; if that machine is no more: stark node delete %s', p_name));
  end if;
  return v_token;
end;
$$;
comment on function stark_internal.require_join(text, text, text, timestamptz) is 'The join token, when a machine may become this node by it.';
revoke all on function stark_internal.require_join(text, text, text, timestamptz) from public, anon;

/**
 * stark.admit_node(secret_sha256, name, runtime) -> {user_id, email}: first half of joining, before an account is made, so
 * that guessing costs the guesser a request and the cluster a look-up. Supabase Auth makes the account under exactly this id.
 * Caller: service_role only. Raises: what join_node raises.
 */
create function stark.admit_node(p_secret_sha256 text, p_name text, p_runtime text)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid;
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'joining is for Edge Function api, which holds the secret key', 'stark node agent start');
  end if;
  perform stark_internal.require_join(p_secret_sha256, p_name, p_runtime);
  v_user := stark_internal.admit(p_display_name => 'node ' || p_name);
  return jsonb_build_object('user_id', v_user, 'email', format('node-%s@nodes.stark.invalid', v_user));
end;
$$;
comment on function stark.admit_node(text, text, text) is 'Announces the account of a machine that joins.';
revoke all on function stark.admit_node(text, text, text) from public, anon, authenticated;
grant execute on function stark.admit_node(text, text, text) to service_role;

/**
 * stark.join_node(secret_sha256, user_id, name, runtime) -> {node_id, name}: second half. Uses the token up by one, makes the
 * node, and lets this new account speak for it. Without a token, where the configuration allows it, the account owns the node
 * too, so that a stranger's machine is given nobody's private pack. Caller: service_role only. Locks: the cluster lock, so of
 * two at once on the last use one wins.
 * Raises: FORBIDDEN, JOIN_TOKEN_INVALID, JOIN_TOKEN_REVOKED, JOIN_TOKEN_EXPIRED, JOIN_TOKEN_USED_UP, NODE_REGISTRATION_CLOSED,
 * INVALID_NAME, INVALID_RUNTIME, NODE_NAME_TAKEN, USER_NOT_FOUND.
 */
create function stark.join_node(p_secret_sha256 text, p_user_id uuid, p_name text, p_runtime text)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_token stark.join_tokens;
  v_owner uuid;
  v_taints jsonb;
  v_id uuid;
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'joining is for Edge Function api, which holds the secret key', 'stark node agent start');
  end if;
  perform stark_internal.lock_cluster();
  v_token := stark_internal.require_join(p_secret_sha256, p_name, p_runtime);
  v_owner := coalesce(v_token.owner_id, p_user_id);
  if not exists (select from stark.profiles u where u.id = p_user_id) then
    perform stark_internal.fail('USER_NOT_FOUND', format('no user %s', coalesce(p_user_id::text, 'null')), 'make the user in Supabase Auth first');
  end if;
  insert into stark.role_bindings (user_id, role, created_by) values (p_user_id, 'node', v_token.owner_id);
  update stark.join_tokens t set uses = t.uses + 1, used_at = now() where t.id = v_token.id;
  -- As if the owner had set them by update_node: they outlive whatever the agent says of itself.
  select coalesce(jsonb_object_agg((t ->> 'key') || ':' || (t ->> 'effect'), t), '{}') into v_taints
    from jsonb_array_elements(coalesce(v_token.taints, '[]')) t;
  -- Until its agent has said what stands round its pods, and unless the token says so, it takes its owner's.
  insert into stark.nodes (name, owner_id, agent_id, runtime, labels, taints, accepts, accepted_namespaces, allocatable, overrides)
    values (p_name, v_owner, p_user_id, p_runtime, coalesce(v_token.labels, '{}'), coalesce(v_token.taints, '[]'),
      coalesce(v_token.accepts, 'owner'), coalesce(v_token.accepted_namespaces, '{}'), '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}',
      jsonb_build_object('labels', coalesce(v_token.labels, '{}'), 'taints', v_taints, 'allocatable', '{}'::jsonb, 'capabilities', '{}'::jsonb)
        || case when v_token.accepts is null then '{}' else jsonb_build_object('accepts', v_token.accepts, 'accepted_namespaces', v_token.accepted_namespaces) end)
    returning id into v_id;
  perform stark_internal.work_off_notes();
  return jsonb_build_object('node_id', v_id, 'name', p_name);
end;
$$;
comment on function stark.join_node(text, uuid, text, text) is 'Makes a node for a machine that joins, and lets its account speak for it.';
revoke all on function stark.join_node(text, uuid, text, text) from public, anon, authenticated;
grant execute on function stark.join_node(text, uuid, text, text) to service_role;

-- The end of it --------------------------------------------------------------------------------------------------------

/**
 * stark_internal.close_deleted_nodes(): statement trigger on nodes; tells their agents, who learn why when they ask, and removes
 * the accounts that had joined for them, so that no token of theirs can be renewed.
 */
create function stark_internal.close_deleted_nodes()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: accounts are Supabase Auth's. Only a trigger can call it.
  perform realtime.send('{}', 'node.removed', 'stark:node:' || o.id, true) from old_rows o;
  -- An account that was given more than its node is somebody's by now.
  delete from auth.users u using old_rows o
    where u.id = o.agent_id
      and not exists (select from stark.packs p where p.owner_id = u.id)
      and not exists (select from stark.nodes n where n.owner_id = u.id);
  return null;
end;
$$;
comment on function stark_internal.close_deleted_nodes() is 'Tells the agents of deleted nodes, and removes the accounts that had joined for them.';
revoke all on function stark_internal.close_deleted_nodes() from public, anon;

create trigger _300_close_deleted_nodes after delete on stark.nodes
  referencing old table as old_rows for each statement execute function stark_internal.close_deleted_nodes();

/**
 * stark_internal.shut_out_users(): statement trigger; users lost rights. Where an agent may no longer speak for its node the
 * incarnation is over at once, whatever the agent goes on doing on the channels it has: what it reports and its signs of life
 * count no longer, it gets no new pods, and it is given up in the time of silence. Every agent concerned is asked to ask, and is
 * told.
 */
create function stark_internal.shut_out_users()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_users uuid[];
  v_nodes uuid[];
  v_mute uuid[];
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  case tg_table_name
    when 'profiles' then
      v_users := array(select n.id from old_rows o join new_rows n using (id) where o.disabled_at is null and n.disabled_at is not null);
    when 'role_permissions' then
      v_users := array(
        select distinct b.user_id from old_rows o
        join stark.roles r on o.role = coalesce(r.alias_of, r.name)
        join stark.role_bindings b on b.role = r.name
        where o.kind in ('*', 'nodes') and o.verb in ('*', 'connect'));
    else
      v_users := array(select distinct o.user_id from old_rows o);
  end case;
  v_nodes := array(
    select n.id from stark.nodes n where n.owner_id = any (v_users) and n.status in ('healthy', 'unhealthy')
    union
    select n.id from stark.nodes n where n.agent_id = any (v_users) and n.status in ('healthy', 'unhealthy'));
  if cardinality(v_nodes) = 0 then
    return null;
  end if;
  v_mute := array(select n.id from stark.nodes n where n.id = any (v_nodes) and not stark_internal.has_agent_account(n));
  with silenced as (
    delete from stark_internal.node_secrets s where s.node_id = any (v_mute) returning s.node_id
  )
  update stark.nodes n set status = 'unhealthy', status_reason = 'AccessRevoked', incarnation = n.incarnation + 1, updated_at = now()
    from silenced s where n.id = s.node_id;
  perform stark_internal.request_sync(v_nodes);
  return null;
end;
$$;
comment on function stark_internal.shut_out_users() is 'Takes nodes from agents that may no longer speak for them, and has them ask.';
revoke all on function stark_internal.shut_out_users() from public, anon;

create trigger _300_shut_out_disabled_users after update on stark.profiles
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.shut_out_users();
create trigger _300_shut_out_unbound_users after delete on stark.role_bindings
  referencing old table as old_rows for each statement execute function stark_internal.shut_out_users();
create trigger _300_shut_out_users_of_lesser_roles after delete on stark.role_permissions
  referencing old table as old_rows for each statement execute function stark_internal.shut_out_users();

/**
 * stark_internal.unbind_first(): row trigger; a user who is removed loses the roles before anything else, while nodes still name
 * their agents: what a removal cascades to comes in no order to lean on.
 */
create function stark_internal.unbind_first()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: Supabase Auth's own role removes users. Only a trigger can call it.
  delete from stark.role_bindings b where b.user_id = old.id;
  return old;
end;
$$;
comment on function stark_internal.unbind_first() is 'Takes the roles of a user who is being removed.';
revoke all on function stark_internal.unbind_first() from public, anon;

create trigger _100_unbind_first before delete on stark.profiles
  for each row execute function stark_internal.unbind_first();

-- Reading --------------------------------------------------------------------------------------------------------------

alter table stark.join_tokens enable row level security;
alter table stark_internal.join_token_secrets enable row level security;

create policy "makers read their join tokens, who may delete any node all" on stark.join_tokens for select to authenticated
  using (
    (select stark_internal.has_permission('nodes:delete'))
    or (owner_id = (select auth.uid()) and (select stark_internal.has_permission('nodes:delete', null, true)))
  );
create policy "nobody reads join token secrets" on stark_internal.join_token_secrets for select to authenticated using (false);

grant select on stark.join_tokens to authenticated, service_role;
