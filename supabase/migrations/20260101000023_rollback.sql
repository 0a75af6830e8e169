-- Going back: a pod's replacement by an earlier version of its pack.

/**
 * stark.roll_back_pod(id, version, if_version) -> the new pod: the same spec, labels and priority with an earlier version of
 * the pack, the next lower ready one when none is named. The old pod stops, with its grace; its row stays. The new pod has a
 * name of its own, and the rights of the caller. A pod that is being stopped already is refused.
 * Caller: pods:update and pods:create in the namespace, or own pods, and pods:read-env where it has env or config; access to the pack. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, POD_NOT_FOUND, VERSION_NOT_FOUND, VERSION_NOT_READY, INVALID_ARGUMENT, CONFLICT,
 * RUNTIME_MISMATCH, QUOTA_EXCEEDED, NAMESPACE_TERMINATING.
 */
create function stark.roll_back_pod(p_id uuid, p_version text default null, p_if_version bigint default null)
returns stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_pod stark.pods;
  v_version text := p_version;
  v_new stark.pods[];
  v_env jsonb;
begin
  perform stark_internal.require_pods(array[p_id], 'pods:update', p_if_version);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(array[p_id], 'pods:update', p_if_version);
  select * into v_pod from stark.pods p where p.id = p_id;
  -- Or two who go back at once would leave two new pods.
  if v_pod.status = 'stopping' then
    perform stark_internal.fail('CONFLICT', format('pod %s is being stopped already', v_pod.name), 'wait for its end, or create a pod of that version');
  end if;
  if v_version is null then
    select v.version into v_version from stark.pack_versions v
      where v.pack_id = v_pod.pack_id and v.state = 'ready' and v.version_key < stark_internal.semver_key(v_pod.version) collate "C"
      order by v.version_key desc limit 1;
    if not found then
      perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no ready version before %s', v_pod.pack_name, v_pod.version), 'stark pack versions ' || v_pod.pack_name);
    end if;
  elsif stark_internal.is_semver(v_version) and stark_internal.semver_key(v_version) collate "C" >= stark_internal.semver_key(v_pod.version) collate "C" then
    perform stark_internal.fail('INVALID_ARGUMENT', format('version %s is not earlier than %s', v_version, v_pod.version), 'stark pack versions ' || v_pod.pack_name);
  end if;
  -- The maker of a pod may read what it was given.
  select case when e.env is null then '{}' else jsonb_build_object('env', e.env) end || case when e.config is null then '{}' else jsonb_build_object('config', e.config) end
    into v_env from stark.pod_env e where e.pod_id = p_id;
  if v_env <> '{}' then
    perform stark_internal.require_pods(array[p_id], 'pods:read-env');
  end if;
  -- Stopped first, so that a pending one leaves its place in the quota.
  perform stark_internal.begin_stop(array[p_id]);
  v_new := stark_internal.draft_pods(jsonb_strip_nulls(jsonb_build_object(
    'pack', v_pod.pack_name, 'version', v_version, 'namespace', v_pod.namespace, 'labels', v_pod.labels,
    'priority', case when not v_pod.spec ? 'priorityClassName' then v_pod.priority end)) || jsonb_build_object('spec', v_pod.spec || coalesce(v_env, '{}')), v_user);
  perform stark_internal.schedule_pods(p_new => v_new);
  perform stark_internal.work_off_notes();
  select * into v_pod from stark.pods p where p.id = v_new[1].id;
  return v_pod;
end;
$$;
comment on function stark.roll_back_pod(uuid, text, bigint) is 'Replaces a pod by one of an earlier version of its pack.';
revoke all on function stark.roll_back_pod(uuid, text, bigint) from public, anon;
grant execute on function stark.roll_back_pod(uuid, text, bigint) to authenticated, service_role;
