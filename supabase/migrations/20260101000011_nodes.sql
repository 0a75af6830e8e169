-- Nodes: one row for each agent. What an agent does (sync, report, goodbye) stands in the file of agents.

create table stark.nodes (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  owner_id uuid not null references stark.profiles (id),
  agent_id uuid references stark.profiles (id) on delete set null,
  installation uuid,
  runtime text not null,
  status text not null default 'unknown',
  status_reason text,
  unschedulable boolean not null default false,
  draining boolean not null default false,
  accepts text not null default 'anyone',
  accepted_namespaces text[] not null default '{}',
  labels jsonb not null default '{}',
  taints jsonb not null default '[]',
  capabilities jsonb not null default '{}',
  overrides jsonb not null default '{"labels": {}, "taints": {}, "allocatable": {}, "capabilities": {}}',
  allocatable jsonb not null,
  allocated jsonb not null default '{"cpu": 0, "memory": 0, "storage": 0, "pods": 0}',
  incarnation bigint not null default 0,
  connected_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  resource_version bigint not null default 1,
  constraint node_name_is_a_dns_name check (stark_internal.is_dns_name(name)),
  constraint runtime_is_known check (runtime in ('node', 'browser')),
  constraint status_is_known check (status in ('healthy', 'unhealthy', 'offline', 'unknown')),
  constraint accepts_is_known check (accepts in ('anyone', 'namespaces', 'owner')),
  constraint draining_node_is_cordoned check (unschedulable or not draining),
  constraint only_a_choice_of_namespaces_names_them check ((accepts = 'namespaces') = (accepted_namespaces <> '{}'))
)
-- allocated changes with every pod: room on each page keeps such an update in place, without a word to the indexes.
with (fillfactor = 50);
create index nodes_owner_id_idx on stark.nodes (owner_id);
create unique index nodes_agent_id_idx on stark.nodes (agent_id);
-- Asked with each change of pods: mostly there is none.
create index nodes_draining_idx on stark.nodes (id) where draining;
comment on table stark.nodes is 'One agent: a Node.js process or a browser tab that runs pods.';
comment on column stark.nodes.name is 'Name, a DNS name, unique in the cluster.';
comment on column stark.nodes.owner_id is 'Whose agent it is; private packs run only on their owner''s nodes or on an admin''s.';
comment on column stark.nodes.agent_id is 'The account that the agent got when it joined, which speaks for this node and does nothing else; null where the owner speaks for it.';
comment on column stark.nodes.installation is 'Which installation of the agent registered last; a second one is refused while the node is connected.';
comment on column stark.nodes.runtime is 'node or browser.';
comment on column stark.nodes.status is 'healthy, unhealthy (socket gone), offline (given up), unknown (never connected).';
comment on column stark.nodes.status_reason is 'Why it has this status, one word.';
comment on column stark.nodes.unschedulable is 'Cordoned: gets no new pods.';
comment on column stark.nodes.draining is 'Its pods are leaving, as fast as the disruption budgets of their deployments allow; false again when they have left.';
comment on column stark.nodes.accepts is 'Whose pods it takes beside its owner''s and admins'': anyone''s, those of accepted_namespaces, or nobody''s (owner).';
comment on column stark.nodes.accepted_namespaces is 'Where accepts is namespaces: which.';
comment on column stark.nodes.labels is 'Labels that node selectors and affinities look at.';
comment on column stark.nodes.taints is 'Taints in Kubernetes'' form: [{key, value, effect}].';
comment on column stark.nodes.capabilities is 'What the agent says about itself: versions, features.';
comment on column stark.nodes.overrides is 'What update_node set, apart from what the agent says, so that it outlives a new registration: patches of labels, allocatable, capabilities, and of taints by <key>:<effect>; accepts and accepted_namespaces.';
comment on column stark.nodes.allocatable is 'What pods may take: cpu (millicores), memory (MB), storage (MB), pods.';
comment on column stark.nodes.allocated is 'What placed pods have asked for. Kept by a trigger on pods.';
comment on column stark.nodes.incarnation is 'Grows each time the agent connects anew.';
comment on column stark.nodes.connected_at is 'When the agent connected last.';
comment on column stark.nodes.resource_version is 'Grows with each change.';

create trigger _000_lock_cluster before insert or update or delete on stark.nodes
  for each statement execute function stark_internal.lock_cluster_first();
create trigger _100_bump_version before update on stark.nodes
  for each row when (old.* is distinct from new.*) execute function stark_internal.bump_version();

/** stark_internal.node_problem(labels, taints, allocatable, capabilities): no row when well formed, else one with code, problem and hint. */
create function stark_internal.node_problem(p_labels jsonb, p_taints jsonb, p_allocatable jsonb, p_capabilities jsonb)
returns table (code text, problem text, hint text)
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if stark_internal.labels_problem(p_labels) is not null then
    return query select 'INVALID_LABELS', stark_internal.labels_problem(p_labels), 'use --label key=value';
  elsif stark_internal.taints_problem(p_taints) is not null then
    return query select 'INVALID_TAINTS', stark_internal.taints_problem(p_taints), 'use --taint key=value:NoSchedule';
  elsif stark_internal.resources_problem(p_allocatable, 'allocatable') is not null then
    return query select 'INVALID_ARGUMENT', stark_internal.resources_problem(p_allocatable, 'allocatable'), 'use --cpu 1000 --memory 1024 --pods 10';
  elsif (p_allocatable ->> 'pods')::numeric > stark_internal.call_limit('pods_of_a_node') then
    -- What a node runs is handed over, stopped and evicted in one call.
    return query select 'INVALID_ARGUMENT', format('allocatable.pods must be at most %s', stark_internal.call_limit('pods_of_a_node')), 'use --pods 10';
  elsif p_capabilities is null or jsonb_typeof(p_capabilities) <> 'object' or octet_length(p_capabilities::text) > 16384
        or stark_internal.is_deep(p_capabilities) then
    return query select 'INVALID_ARGUMENT', 'capabilities must be an object of at most 16 kB and 32 levels', 'leave them out';
  end if;
end;
$$;
comment on function stark_internal.node_problem(jsonb, jsonb, jsonb, jsonb) is 'What is wrong with a node''s own description; no row when nothing is.';
revoke all on function stark_internal.node_problem(jsonb, jsonb, jsonb, jsonb) from public, anon;

/**
 * stark_internal.check_nodes(): statement trigger; labels, taints, amounts and capabilities are well formed, for every writer.
 * No check constraint, since that would look at them again with each pod that is placed.
 */
create function stark_internal.check_nodes()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
declare
  v_node record;
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    select r.name, p.* into v_node from new_rows r, stark_internal.node_problem(r.labels, r.taints, r.allocatable, r.capabilities) p limit 1;
  else
    select n.name, p.* into v_node
      from old_rows o join new_rows n using (id), stark_internal.node_problem(n.labels, n.taints, n.allocatable, n.capabilities) p
      where (o.labels, o.taints, o.allocatable, o.capabilities) is distinct from (n.labels, n.taints, n.allocatable, n.capabilities) limit 1;
  end if;
  if found then
    perform stark_internal.fail(v_node.code, format('node %s: %s', v_node.name, v_node.problem), v_node.hint);
  end if;
  return null;
end;
$$;
comment on function stark_internal.check_nodes() is 'Refuses nodes whose labels, taints, amounts or capabilities are not well formed.';
revoke all on function stark_internal.check_nodes() from public, anon;

create trigger _100_check_new_nodes after insert on stark.nodes
  referencing new table as new_rows for each statement execute function stark_internal.check_nodes();
create trigger _100_check_changed_nodes after update on stark.nodes
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.check_nodes();

create table stark.node_leases (
  node_id uuid primary key references stark.nodes (id) on delete cascade,
  incarnation bigint not null,
  renewed_at timestamptz not null default now(),
  liveness text not null default 'fast',
  heartbeat_timeout integer not null default 30,
  usage jsonb not null default '{}',
  usage_at timestamptz,
  constraint usage_is_an_object_of_at_most_32_levels check (jsonb_typeof(usage) = 'object' and not stark_internal.is_deep(usage))
) with (fillfactor = 50);
comment on table stark.node_leases is 'When each node was last seen, and its usage. Apart from nodes: small and hot, written without events.';
comment on column stark.node_leases.incarnation is 'Incarnation that was seen.';
comment on column stark.node_leases.renewed_at is 'When the node gave its last sign of life.';
comment on column stark.node_leases.liveness is 'What counts as a sign, as the agent was told when it asked last.';
comment on column stark.node_leases.heartbeat_timeout is 'Seconds without a sign after which it is given up, as the agent was told.';
comment on column stark.node_leases.usage is 'Last reported usage.';
comment on column stark.node_leases.usage_at is 'When it was reported: other signs of life do not make it newer.';

create table stark_internal.node_secrets (
  node_id uuid primary key references stark.nodes (id) on delete cascade,
  incarnation bigint not null,
  secret_sha256 text not null
);
comment on table stark_internal.node_secrets is 'SHA-256 of the secret that the current incarnation of each node carries in presence and heartbeats.';

/**
 * stark_internal.has_agent_account(node) -> boolean: whether the node's own account may work as its agent: the account that joined for
 * it, or its owner where none did. It may no longer when the owner may have no nodes.
 */
create function stark_internal.has_agent_account(p_node stark.nodes)
returns boolean
language sql
stable
set search_path = pg_temp
as $$
  select stark_internal.user_may(p_node.owner_id, 'nodes:connect', null, true)
    and (p_node.agent_id is null or stark_internal.user_may(p_node.agent_id, 'nodes:connect', null, true));
$$;
comment on function stark_internal.has_agent_account(stark.nodes) is 'Whether the node''s own account may still work as its agent.';
revoke all on function stark_internal.has_agent_account(stark.nodes) from public, anon;

/** stark_internal.may_act_as_agent(node) -> boolean: the caller may work as this node's agent: by the node's own account, or with nodes:connect on any. */
create function stark_internal.may_act_as_agent(p_node stark.nodes)
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return stark_internal.has_permission('nodes:connect')
    or (coalesce(p_node.agent_id, p_node.owner_id) = auth.uid() and stark_internal.has_agent_account(p_node));
end;
$$;
comment on function stark_internal.may_act_as_agent(stark.nodes) is 'Whether the caller may work as the agent of this node.';
revoke all on function stark_internal.may_act_as_agent(stark.nodes) from public, anon;

/** stark_internal.my_nodes() -> uuid[]: the nodes the caller owns or speaks for. For policies. */
create function stark_internal.my_nodes()
returns uuid[]
language plpgsql
stable
security definer
set search_path = pg_temp
as $$
begin
  -- Definer, since policies of nodes and pods ask it about each other's tables; it tells only the caller's own.
  return case when stark_internal.has_permission('nodes:get', null, true)
    then array(select n.id from stark.nodes n where (select auth.uid()) in (n.owner_id, n.agent_id))
    else '{}'::uuid[]
  end;
end;
$$;
comment on function stark_internal.my_nodes() is 'Ids of the nodes the caller owns or speaks for.';
revoke all on function stark_internal.my_nodes() from public, anon;
grant execute on function stark_internal.my_nodes() to authenticated;

/** stark_internal.patch_taints(taints, patch): patch has {"<key>:<effect>": taint, or null to remove it}; the others stay, in their order. */
create function stark_internal.patch_taints(p_taints jsonb, p_patch jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select coalesce(jsonb_agg(t.taint order by t.part, t.ord), '[]')
  from (
    select 1 as part, e.ord, e.taint from jsonb_array_elements(p_taints) with ordinality e (taint, ord)
      where not p_patch ? ((e.taint ->> 'key') || ':' || (e.taint ->> 'effect'))
    union all
    select 2, row_number() over (order by e.key), e.value from jsonb_each(p_patch) e where e.value <> 'null'
  ) t;
$$;
comment on function stark_internal.patch_taints(jsonb, jsonb) is 'A list of taints with a patch by key and effect applied to it.';
revoke all on function stark_internal.patch_taints(jsonb, jsonb) from public, anon;

/** stark_internal.require_node(name, permission) -> the node. Raises UNAUTHENTICATED, FORBIDDEN, NODE_NOT_FOUND (also for a node the caller may not see). */
create function stark_internal.require_node(p_name text, p_permission text)
returns stark.nodes
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_node stark.nodes;
begin
  select * into v_node from stark.nodes n
    where n.name = p_name and stark_internal.has_permission('nodes:get', null, n.owner_id is not distinct from v_user);
  if not found then
    perform stark_internal.fail('NODE_NOT_FOUND', format('no node %s', coalesce(to_json(left(p_name, 80))::text, 'null')), 'stark node list');
  end if;
  perform stark_internal.require_permission(p_permission, null, v_node.owner_id is not distinct from v_user);
  return v_node;
end;
$$;
comment on function stark_internal.require_node(text, text) is 'The node of this name, when the caller may do this to it.';
revoke all on function stark_internal.require_node(text, text) from public, anon;

/**
 * stark_internal.reserved_key(labels, taints) -> a key of labels (an object, or a patch of one) or taints that only those set who may
 * update any node; null when there is none. By Kubernetes' NodeRestriction: what ends in kubernetes.io or k8s.io, but labels by
 * which a machine says what it is; node-restriction.kubernetes.io is there to trust in.
 */
create function stark_internal.reserved_key(p_labels jsonb, p_taints jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return (
    select k.key
    from (
      select l.key from jsonb_object_keys(case jsonb_typeof(p_labels) when 'object' then p_labels else '{}' end) l (key)
        where l.key !~ '^(kubernetes\.io/(hostname|arch|os)|beta\.kubernetes\.io/(arch|os|instance-type)|(topology|failure-domain\.beta)\.kubernetes\.io/(zone|region)|([^/]+\.)?(node|kubelet)\.kubernetes\.io/.*)$'
      union all
      select t.taint ->> 'key' from jsonb_array_elements(case jsonb_typeof(p_taints) when 'array' then p_taints else '[]' end) t (taint)
    ) k
    where k.key ~ '^([^/]+\.)?(kubernetes|k8s)\.io/'
    order by k.key limit 1);
end;
$$;
comment on function stark_internal.reserved_key(jsonb, jsonb) is 'A label or taint of a node that not its owner sets.';
revoke all on function stark_internal.reserved_key(jsonb, jsonb) from public, anon;

/** stark_internal.require_settable(labels, taints): passes when the caller may set these on a node of their own. Raises FORBIDDEN. */
create function stark_internal.require_settable(p_labels jsonb, p_taints jsonb)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_key text := stark_internal.reserved_key(p_labels, p_taints);
begin
  if v_key is not null and not stark_internal.has_permission('nodes:update') then
    perform stark_internal.fail('FORBIDDEN', format('%s may not set %s on a node: it is reserved', stark_internal.caller_name(), left(v_key, 320)),
      'ask somebody who may update any node');
  end if;
end;
$$;
comment on function stark_internal.require_settable(jsonb, jsonb) is 'Raises a coded error for labels and taints that not a node''s owner sets.';
revoke all on function stark_internal.require_settable(jsonb, jsonb) from public, anon;

/** stark_internal.cluster_key(labels, taints) -> the first key under stark/, which only the cluster gives; null when there is none. */
create function stark_internal.cluster_key(p_labels jsonb, p_taints jsonb)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select k.key from (
    select key from jsonb_object_keys(case jsonb_typeof(p_labels) when 'object' then p_labels else '{}' end) key
    union all
    select t ->> 'key' from jsonb_array_elements(case jsonb_typeof(p_taints) when 'array' then p_taints else '[]' end) t
  ) k where k.key like 'stark/%' order by k.key limit 1;
$$;
comment on function stark_internal.cluster_key(jsonb, jsonb) is 'A label or taint under stark/, which nobody gives a node but the cluster.';
revoke all on function stark_internal.cluster_key(jsonb, jsonb) from public, anon;

/** stark_internal.refuse_reserved(name, labels, taints): raises FORBIDDEN for labels and taints that only the cluster gives. */
create function stark_internal.refuse_reserved(p_name text, p_labels jsonb, p_taints jsonb)
returns void
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_key text := stark_internal.cluster_key(p_labels, p_taints);
begin
  if v_key is not null then
    perform stark_internal.fail('FORBIDDEN', format('node %s: %s is given by the cluster', p_name, left(v_key, 320)), 'use a key without the prefix stark/');
  end if;
end;
$$;
comment on function stark_internal.refuse_reserved(text, jsonb, jsonb) is 'Refuses labels and taints that only the cluster gives.';
revoke all on function stark_internal.refuse_reserved(text, jsonb, jsonb) from public, anon;

/** stark_internal.acceptance_problem(accepts, namespaces): null when a node may say so, else what is wrong. Both null says nothing. */
create function stark_internal.acceptance_problem(p_accepts text, p_namespaces text[])
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case
    when p_accepts is null and coalesce(p_namespaces, '{}') = '{}' then null
    when p_accepts is null or p_accepts not in ('anyone', 'namespaces', 'owner') then 'accepts is anyone, namespaces or owner'
    when (p_accepts = 'namespaces') <> (coalesce(p_namespaces, '{}') <> '{}') then 'accepted_namespaces go with accepts namespaces, at least one'
    when cardinality(p_namespaces) > 64 or exists (select from unnest(p_namespaces) n where stark_internal.is_dns_label(n) is not true) then 'accepted_namespaces are at most 64 names of namespaces'
  end;
end;
$$;
comment on function stark_internal.acceptance_problem(text, text[]) is 'What is wrong with whose pods a node says it takes; null when nothing is.';
revoke all on function stark_internal.acceptance_problem(text, text[]) from public, anon;

/** stark_internal.said_namespaces(capabilities) -> the namespaces whose pods an agent says that its node takes. */
create function stark_internal.said_namespaces(p_capabilities jsonb)
returns text[]
language sql
immutable
set search_path = pg_temp
as $$
  select array(select jsonb_array_elements_text(p_capabilities -> 'acceptedNamespaces'));
$$;
comment on function stark_internal.said_namespaces(jsonb) is 'The namespaces whose pods an agent says that its node takes.';
revoke all on function stark_internal.said_namespaces(jsonb) from public, anon;

/**
 * stark_internal.isolation_problem(capabilities) -> what is wrong with what an agent says about its isolation, {isolation: {tier}},
 * and about whose pods it takes, {accepts, acceptedNamespaces}; null when nothing is, or nothing is said.
 */
create function stark_internal.isolation_problem(p_capabilities jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case
    when p_capabilities ? 'isolation' and coalesce(p_capabilities #>> '{isolation,tier}', '') not in ('strict', 'standard', 'none', 'browser')
      then 'capabilities.isolation.tier must be strict, standard, none or browser'
    when p_capabilities ? 'accepts' and coalesce(p_capabilities ->> 'accepts', '') not in ('anyone', 'namespaces', 'owner')
      then 'capabilities.accepts must be anyone, namespaces or owner'
    when p_capabilities ? 'acceptedNamespaces' and jsonb_typeof(p_capabilities -> 'acceptedNamespaces') <> 'array'
      then 'capabilities.acceptedNamespaces must be a list'
    else stark_internal.acceptance_problem(p_capabilities ->> 'accepts', stark_internal.said_namespaces(p_capabilities))
  end;
end;
$$;
comment on function stark_internal.isolation_problem(jsonb) is 'What is wrong with an agent''s words about its isolation; null when nothing is.';
revoke all on function stark_internal.isolation_problem(jsonb) from public, anon;

/** stark_internal.isolation_labels(capabilities): label stark/isolation of a node whose agent says this. */
create function stark_internal.isolation_labels(p_capabilities jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select case when p_capabilities ? 'isolation' then jsonb_build_object('stark/isolation', p_capabilities #>> '{isolation,tier}') else '{}' end;
$$;
comment on function stark_internal.isolation_labels(jsonb) is 'The label that tells what holds the pods of a node.';
revoke all on function stark_internal.isolation_labels(jsonb) from public, anon;

/**
 * stark_internal.isolation_taints(tier, accepts): taint stark/unisolated of a node where nothing holds pods but their runtime, unless it takes
 * anyone's all the same. It tells people; which pods the node takes filter_acceptance says, and no toleration matters there.
 */
create function stark_internal.isolation_taints(p_tier text, p_accepts text)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select case when p_tier = 'none' and p_accepts <> 'anyone' then '[{"key": "stark/unisolated", "effect": "NoSchedule"}]' else '[]' end::jsonb;
$$;
comment on function stark_internal.isolation_taints(text, text) is 'The taint that tells that nothing holds the pods of a node.';
revoke all on function stark_internal.isolation_taints(text, text) from public, anon;

/** stark_internal.require_acceptance(accepts, namespaces): passes when a node may say so. Raises INVALID_ARGUMENT. */
create function stark_internal.require_acceptance(p_accepts text, p_namespaces text[])
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if stark_internal.acceptance_problem(p_accepts, p_namespaces) is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', stark_internal.acceptance_problem(p_accepts, p_namespaces), 'use --accept anyone, owner, or names of namespaces');
  end if;
end;
$$;
comment on function stark_internal.require_acceptance(text, text[]) is 'Raises a coded error unless a node may say that it takes these pods.';
revoke all on function stark_internal.require_acceptance(text, text[]) from public, anon;

/** stark_internal.default_acceptance(capabilities) -> whose pods a node takes when nobody said so: its owner's where nothing holds pods, else anyone's. */
create function stark_internal.default_acceptance(p_capabilities jsonb)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select case when p_capabilities #>> '{isolation,tier}' = 'none' then 'owner' else 'anyone' end;
$$;
comment on function stark_internal.default_acceptance(jsonb) is 'Whose pods a node takes, by its isolation.';
revoke all on function stark_internal.default_acceptance(jsonb) from public, anon;

-- API -----------------------------------------------------------------------------------------------------------------

/**
 * stark.register_node(name, runtime, labels, taints, allocatable, capabilities, installation, replaces) -> {node_id, name}: makes
 * a node, or updates it when the caller speaks for it already; what update_node or a join token has set stays. Missing amounts are
 * 1000 millicores, 1024 MB memory, 10240 MB storage, and as many pods as the configuration says (10). installation tells one copy of
 * the agent from another: while a node is connected only the installation that it has may register, or one that replaces it.
 * capabilities.isolation.tier (strict, standard, none, browser) becomes label stark/isolation; nobody gives labels or taints under
 * stark/ himself. capabilities.accepts says whose pods the node takes beside its owner's and admins': anyone's, those of
 * capabilities.acceptedNamespaces (namespaces), or nobody's (owner); where it is missing, nobody's when the tier is none, else anyone's.
 * Caller: nodes:create; an account that joined only for its own node; reserved labels and taints (see reserved_key) nodes:update on
 * any node. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_NAME, INVALID_RUNTIME, INVALID_LABELS, INVALID_TAINTS, INVALID_ARGUMENT,
 * NODE_NAME_TAKEN, NODE_CONNECTED, RUNTIME_MISMATCH.
 */
create function stark.register_node(
  p_name text,
  p_runtime text,
  p_labels jsonb default '{}',
  p_taints jsonb default '[]',
  p_allocatable jsonb default '{}',
  p_capabilities jsonb default '{}',
  p_installation uuid default null,
  p_replaces uuid default null
)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_problem record;
  v_allocatable jsonb;
  v_node stark.nodes;
  v_labels jsonb := p_labels;
  v_taints jsonb;
  v_capabilities jsonb := p_capabilities;
  v_accepts text;
  v_namespaces text[];
begin
  perform stark_internal.require_permission('nodes:create', null, true);
  perform stark_internal.require_json('p_labels', p_labels);
  perform stark_internal.require_json('p_taints', p_taints, 65536);
  perform stark_internal.require_json('p_allocatable', p_allocatable);
  perform stark_internal.require_json('p_capabilities', p_capabilities);
  v_taints := stark_internal.without_nulls(p_taints);
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', 'a node needs an owner, and the secret key is nobody', 'stark auth login');
  end if;
  if not stark_internal.is_dns_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a node', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use lower case letters, digits, - and .');
  end if;
  if p_runtime is null or p_runtime not in ('node', 'browser') then
    perform stark_internal.fail('INVALID_RUNTIME', format('%s is no runtime of a node', coalesce(to_json(left(p_runtime, 80))::text, 'null')), 'use node or browser');
  end if;
  select * into v_problem from stark_internal.node_problem(p_labels, v_taints, p_allocatable, p_capabilities);
  if found then
    perform stark_internal.fail(v_problem.code, format('node %s: %s', p_name, v_problem.problem), v_problem.hint);
  end if;
  if stark_internal.isolation_problem(p_capabilities) is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', format('node %s: %s', p_name, stark_internal.isolation_problem(p_capabilities)), 'use --isolation and --accept');
  end if;
  perform stark_internal.refuse_reserved(p_name, p_labels, p_taints);
  perform stark_internal.require_settable(p_labels, p_taints);
  v_accepts := coalesce(p_capabilities ->> 'accepts', stark_internal.default_acceptance(p_capabilities));
  v_namespaces := stark_internal.said_namespaces(p_capabilities);
  v_allocatable := jsonb_build_object('cpu', 1000, 'memory', 1024, 'storage', 10240,
    'pods', (select c.max_pods_per_node from stark.cluster_config c)) || p_allocatable;

  perform stark_internal.lock_cluster();
  select * into v_node from stark.nodes n where n.agent_id = v_user;
  if found and v_node.name <> p_name then
    perform stark_internal.fail('FORBIDDEN', format('%s speaks for node %s only', stark_internal.caller_name(), v_node.name), 'join again for another node');
  elsif not found then
    select * into v_node from stark.nodes n where n.name = p_name;
  end if;
  if v_node.id is null then
    insert into stark.nodes (name, owner_id, installation, runtime, labels, taints, allocatable, capabilities, accepts, accepted_namespaces)
      values (p_name, v_user, p_installation, p_runtime, p_labels || stark_internal.isolation_labels(p_capabilities),
        v_taints || stark_internal.isolation_taints(p_capabilities #>> '{isolation,tier}', v_accepts), v_allocatable, p_capabilities, v_accepts, v_namespaces)
      returning * into v_node;
  elsif coalesce(v_node.agent_id, v_node.owner_id) <> v_user then
    perform stark_internal.fail('NODE_NAME_TAKEN',
      case when v_node.owner_id = v_user then format('node %s joined by a token and has an agent of its own', p_name)
           else format('a node named %s belongs to somebody else', p_name) end,
      case when v_node.owner_id = v_user then format('use another --name, or stark node delete %s', p_name) else 'use another --name' end);
  elsif v_node.status in ('healthy', 'unhealthy') and v_node.installation not in (p_installation, coalesce(p_replaces, p_installation)) then
    perform stark_internal.fail('NODE_CONNECTED', format('another agent is connected as node %s', p_name),
      format('use another --name, or stop that agent first; if it is no more: stark node delete %s', p_name));
  elsif v_node.runtime <> p_runtime then
    perform stark_internal.fail('RUNTIME_MISMATCH', format('node %s is a %s node, not %s', p_name, v_node.runtime, p_runtime), 'use another --name');
  else
    v_labels := stark_internal.merge_patch(p_labels, v_node.overrides -> 'labels') || stark_internal.isolation_labels(p_capabilities);
    v_allocatable := stark_internal.merge_patch(v_allocatable, v_node.overrides -> 'allocatable');
    v_capabilities := stark_internal.merge_patch(p_capabilities, v_node.overrides -> 'capabilities');
    if v_node.overrides ? 'accepts' then
      v_accepts := v_node.overrides ->> 'accepts';
      v_namespaces := array(select jsonb_array_elements_text(v_node.overrides -> 'accepted_namespaces'));
    end if;
    v_taints := stark_internal.patch_taints(v_taints, v_node.overrides -> 'taints') || stark_internal.isolation_taints(p_capabilities #>> '{isolation,tier}', v_accepts);
    update stark.nodes n
      set labels = v_labels, taints = v_taints, allocatable = v_allocatable, capabilities = v_capabilities,
          accepts = v_accepts, accepted_namespaces = v_namespaces, installation = coalesce(p_installation, n.installation), updated_at = now()
      where n.id = v_node.id
        and (n.labels, n.taints, n.allocatable, n.capabilities, n.accepts, n.accepted_namespaces, n.installation)
            is distinct from (v_labels, v_taints, v_allocatable, v_capabilities, v_accepts, v_namespaces, coalesce(p_installation, n.installation));
  end if;
  perform stark_internal.work_off_notes();
  return jsonb_build_object('node_id', v_node.id, 'name', v_node.name);
end;
$$;
comment on function stark.register_node(text, text, jsonb, jsonb, jsonb, jsonb, uuid, uuid) is 'Makes a node, or updates the caller''s own of that name.';
revoke all on function stark.register_node(text, text, jsonb, jsonb, jsonb, jsonb, uuid, uuid) from public, anon;
grant execute on function stark.register_node(text, text, jsonb, jsonb, jsonb, jsonb, uuid, uuid) to authenticated, service_role;

-- Reading -------------------------------------------------------------------------------------------------------------

alter table stark.nodes enable row level security;
alter table stark.node_leases enable row level security;
alter table stark_internal.node_secrets enable row level security;

create policy "owners read their nodes, auditors all" on stark.nodes for select to authenticated
  using (
    (select stark_internal.has_permission('nodes:get'))
    or ((select auth.uid()) in (owner_id, agent_id) and (select stark_internal.has_permission('nodes:get', null, true)))
  );
create policy "leases are read with their node" on stark.node_leases for select to authenticated
  using (node_id in (select n.id from stark.nodes n));
create policy "nobody reads secrets" on stark_internal.node_secrets for select to authenticated using (false);

grant select on stark.nodes, stark.node_leases to authenticated, service_role;
