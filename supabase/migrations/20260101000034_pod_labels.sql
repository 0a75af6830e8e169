-- Labels and annotations of pods that are there: those of a deployment keep what it gives them.

/**
 * stark_internal.require_own_labels(ids, labels): none of these keys is a label that the deployment of one of these pods gives it, and by
 * which it and others find it; raises INVALID_LABELS.
 */
create function stark_internal.require_own_labels(p_ids uuid[], p_labels jsonb)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_taken record;
begin
  select p.name, k.key, d.name as deployment into v_taken
    from stark.pods p
    join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
    join stark.deployments d on d.id = p.deployment_id
    cross join lateral jsonb_object_keys(p_labels) k (key)
    where p.id = any (p_ids) and (k.key = 'pod-template-hash' or r.template -> 'labels' ? k.key)
    limit 1;
  if found then
    perform stark_internal.fail('INVALID_LABELS', format('label %s of pod %s is set by deployment %s', v_taken.key, v_taken.name, v_taken.deployment),
      format('stark deployment set %s --pod-label key=value', v_taken.deployment));
  end if;
end;
$$;
comment on function stark_internal.require_own_labels(uuid[], jsonb) is 'Raises a coded error for labels that a pod has from its deployment.';
revoke all on function stark_internal.require_own_labels(uuid[], jsonb) from public, anon;

/**
 * stark.update_pods(ids, labels, annotations, if_version) -> the pods, with their labels and annotations patched by {"key": "value"}, where
 * null takes one away. Nothing else of a pod ever changes by hand. Labels that a pod has from its deployment are the deployment's to
 * change. Rules of pods that are placed already are not looked at again; pending ones that wait for company may be placed. The pack finds the labels
 * that the pod had when it was started. if_version goes with a single pod. A call takes 200 pods.
 * Caller: pods:update in their namespaces, or own pods. Locks: the cluster lock. Example:
 *   select * from stark.update_pods(array['4f1a0c9e-2d4b-4e52-9f0a-6a2f9c7f1b11']::uuid[], '{"tier": "backend", "old": null}');
 * Raises: UNAUTHENTICATED, FORBIDDEN, POD_NOT_FOUND, INVALID_ARGUMENT, INVALID_LABELS, LIMIT_EXCEEDED, CONFLICT.
 */
create function stark.update_pods(p_ids uuid[], p_labels jsonb default '{}', p_annotations jsonb default '{}', p_if_version bigint default null)
returns setof stark.pods
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_problem text;
  v_relabelled bigint;
begin
  perform stark_internal.require_json('p_labels', p_labels, 16384);
  perform stark_internal.require_json('p_annotations', p_annotations, 16384);
  -- What is refused costs nobody the lock; what has changed meanwhile is seen under it.
  perform stark_internal.require_pods(p_ids, 'pods:update', p_if_version);
  if coalesce(jsonb_typeof(p_labels), '') <> 'object' or coalesce(jsonb_typeof(p_annotations), '') <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'labels and annotations are patched by objects', 'give {"key": "value"}, or {"key": null} to take it away');
  end if;
  v_problem := stark_internal.labels_problem(stark_internal.merge_patch('{}', p_labels));
  if v_problem is not null then
    perform stark_internal.fail('INVALID_LABELS', v_problem, 'stark label pod/NAME key=value');
  end if;
  v_problem := stark_internal.annotations_problem(stark_internal.merge_patch('{}', p_annotations));
  if v_problem is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', v_problem, 'give {"key": "value"}');
  end if;
  perform stark_internal.require_own_labels(p_ids, p_labels);
  p_ids := array(select distinct i from unnest(p_ids) i);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_pods(p_ids, 'pods:update', p_if_version);
  perform stark_internal.require_own_labels(p_ids, p_labels);
  with patched as materialized (
    select p.id, p.labels <> stark_internal.merge_patch(p.labels, p_labels) as is_relabelled,
           stark_internal.merge_patch(p.labels, p_labels) as labels, stark_internal.merge_patch(p.annotations, p_annotations) as annotations
    from stark.pods p where p.id = any (p_ids)
  ), changed as (
    update stark.pods p set labels = c.labels, annotations = c.annotations
      from patched c
      where p.id = c.id and (p.labels, p.annotations) is distinct from (c.labels, c.annotations)
      returning c.is_relabelled
  )
  select count(*) filter (where c.is_relabelled) into v_relabelled from changed c;
  -- Pending pods may have waited for, or kept away from, pods with such labels.
  if v_relabelled > 0 and exists (select from stark.pods p where p.status = 'pending') then
    perform stark_internal.schedule_pods();
  end if;
  return query select p.* from stark.pods p where p.id = any (p_ids) order by p.namespace, p.name;
  perform stark_internal.work_off_notes();
end;
$$;
comment on function stark.update_pods(uuid[], jsonb, jsonb, bigint) is 'Patches labels and annotations of pods.';
revoke all on function stark.update_pods(uuid[], jsonb, jsonb, bigint) from public, anon;
grant execute on function stark.update_pods(uuid[], jsonb, jsonb, bigint) to authenticated, service_role;
