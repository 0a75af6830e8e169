-- Deletion: of a namespace with all that is in it, and of a pack with its ended pods. Both end when the last pod of theirs has gone.

/**
 * stark_internal.empty_namespaces(now) -> how many pods of terminating namespaces were asked to stop and to go, as many as one step
 * asks. The cluster lock is held. Idempotent; the rest is done by continue_work.
 */
create function stark_internal.empty_namespaces(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[] := array(
    select p.id from stark.pods p join stark.namespaces n on n.name = p.namespace
    where n.phase = 'terminating' and p.deletion_requested_at is null
    order by p.namespace, p.id limit stark_internal.call_limit('pods'));
begin
  -- Deployments first, which would make their pods anew.
  update stark.deployments d set deletion_requested_at = p_now
    from stark.namespaces n where n.name = d.namespace and n.phase = 'terminating' and d.deletion_requested_at is null;
  if cardinality(v_ids) > 0 then
    perform stark_internal.begin_stop(v_ids, p_now, true);
  end if;
  return cardinality(v_ids);
end;
$$;
comment on function stark_internal.empty_namespaces(timestamptz) is 'Asks pods of terminating namespaces to stop and to go.';
revoke all on function stark_internal.empty_namespaces(timestamptz) from public, anon;

/** stark_internal.remove_emptied_namespaces(): removes namespaces that are terminating and have neither pods nor deployments any more. */
create function stark_internal.remove_emptied_namespaces()
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  delete from stark.namespaces n where n.phase = 'terminating'
    and not exists (select from stark.pods p where p.namespace = n.name) and not exists (select from stark.deployments d where d.namespace = n.name);
  update stark.cluster_config c set default_namespace = 'default'
    where not exists (select from stark.namespaces n where n.name = c.default_namespace);
end;
$$;
comment on function stark_internal.remove_emptied_namespaces() is 'Removes terminating namespaces without pods and deployments.';
revoke all on function stark_internal.remove_emptied_namespaces() from public, anon;

/**
 * stark.delete_namespace(name, if_version) -> the namespace, terminating: it takes nothing new, its pods are stopped with
 * their grace and deleted, 200 at once and the others soon after, and it goes with the last of them, at once when it is empty.
 * Caller: namespaces:delete in the whole cluster (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, NAMESPACE_NOT_FOUND, NAMESPACE_RESERVED, CONFLICT.
 */
create function stark.delete_namespace(p_name text, p_if_version bigint default null)
returns stark.namespaces
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_namespace stark.namespaces;
begin
  perform stark_internal.require_permission('namespaces:delete');
  perform stark_internal.require_namespace(p_name);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_namespace(p_name);
  select * into v_namespace from stark.namespaces n where n.name = p_name;
  if v_namespace.reserved then
    perform stark_internal.fail('NAMESPACE_RESERVED', format('namespace %s always exists', p_name), format('stark pod list -n %s', p_name));
  end if;
  perform stark_internal.require_version('namespace ' || p_name, p_if_version, v_namespace.resource_version);
  update stark.namespaces n set phase = 'terminating' where n.name = p_name and n.phase = 'active';
  perform stark_internal.empty_namespaces();
  select * into v_namespace from stark.namespaces n where n.name = p_name;
  perform stark_internal.remove_ended_pods();
  perform stark_internal.remove_emptied_namespaces();
  perform stark_internal.work_off_notes();
  return v_namespace;
end;
$$;
comment on function stark.delete_namespace(text, bigint) is 'Empties a namespace, then removes it.';
revoke all on function stark.delete_namespace(text, bigint) from public, anon;
grant execute on function stark.delete_namespace(text, bigint) to authenticated, service_role;

/** stark_internal.finish_namespaces(): statement trigger; a terminating namespace goes with its last pod, after that pod's event. */
create function stark_internal.finish_namespaces()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: an agent's report removes the last pod. Only a trigger can call it.
  if exists (select from stark.namespaces n where n.phase = 'terminating') then
    perform stark_internal.remove_emptied_namespaces();
  end if;
  return null;
end;
$$;
comment on function stark_internal.finish_namespaces() is 'Removes terminating namespaces when their last pod has gone.';
revoke all on function stark_internal.finish_namespaces() from public, anon;

create trigger _850_finish_namespaces after delete on stark.pods
  for each statement execute function stark_internal.finish_namespaces();

/**
 * stark.delete_pack(name, if_version) -> the pack as it was, with all its versions; refused while it has deployments, or pods that
 * have not ended. Ended ones go with it, 500 at most, and their history stays. Its bundles in Storage stay: only Storage's own API removes
 * files. Caller: packs:delete, or the owner with it. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, PACK_NOT_FOUND, PACK_IN_USE, LIMIT_EXCEEDED, CONFLICT.
 */
create function stark.delete_pack(p_name text, p_if_version bigint default null)
returns stark.packs
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_pack stark.packs;
  v_pods bigint;
begin
  perform stark_internal.require_pack(p_name, 'packs:delete');
  perform stark_internal.lock_cluster();
  v_pack := stark_internal.require_pack(p_name, 'packs:delete');
  perform stark_internal.require_version('pack ' || p_name, p_if_version, v_pack.resource_version);
  select count(*) into v_pods from stark.pods p where p.pack_id = v_pack.id and p.finished_at is null;
  if v_pods > 0 then
    perform stark_internal.fail('PACK_IN_USE', format('pack %s has %s pods that have not ended', p_name, v_pods), 'stark pod delete');
  end if;
  select count(*) into v_pods from stark.deployments d where d.pack_id = v_pack.id;
  if v_pods > 0 then
    perform stark_internal.fail('PACK_IN_USE', format('pack %s has %s deployments', p_name, v_pods), 'stark deployment list -A');
  end if;
  select count(*) into v_pods from stark.pods p where p.pack_id = v_pack.id;
  if v_pods > stark_internal.call_limit('ended_pods_removed_at_once') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('pack %s has %s pods that have ended, and at most %s go with it in one call', p_name, v_pods,
      stark_internal.call_limit('ended_pods_removed_at_once')), 'stark pod delete');
  end if;
  delete from stark.pods p where p.pack_id = v_pack.id;
  delete from stark.packs p where p.id = v_pack.id;
  return v_pack;
end;
$$;
comment on function stark.delete_pack(text, bigint) is 'Removes a pack whose pods have all ended.';
revoke all on function stark.delete_pack(text, bigint) from public, anon;
grant execute on function stark.delete_pack(text, bigint) to authenticated, service_role;
