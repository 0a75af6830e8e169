-- What people do to deployments: create, change, scale, pause, delete; and to their rollouts: hold, promote, go back, restart.

-- Reading what is asked for ----------------------------------------------------------------------------------------------

/** stark_internal.merge_deep(target, patch) -> the target with a JSON merge patch (RFC 7396) applied: objects are merged, null removes a field, all else replaces. */
create function stark_internal.merge_deep(p_target jsonb, p_patch jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if jsonb_typeof(p_patch) is distinct from 'object' then
    return p_patch;
  end if;
  return (
    select coalesce(jsonb_object_agg(f.key, f.value), '{}')
    from (
      select t.key, t.value from jsonb_each(case jsonb_typeof(p_target) when 'object' then p_target else '{}' end) t where not p_patch ? t.key
      union all
      select p.key, stark_internal.merge_deep(case jsonb_typeof(p_target) when 'object' then p_target -> p.key end, p.value) from jsonb_each(p_patch) p where p.value <> 'null') f);
end;
$$;
comment on function stark_internal.merge_deep(jsonb, jsonb) is 'A JSON merge patch applied.';
revoke all on function stark_internal.merge_deep(jsonb, jsonb) from public, anon;

/** stark_internal.deployment_fields() -> the simple fields of a deployment as callers write them, with the column, the kind and the default of each. */
create function stark_internal.deployment_fields()
returns table (field text, column_name text, kind text, default_value jsonb)
language sql
immutable
set search_path = pg_temp
as $$
  values ('labels', 'labels', 'object', '{}'::jsonb), ('annotations', 'annotations', 'object', '{}'), ('mode', 'mode', 'string', '"replicated"'), ('replicas', 'replicas', 'number', '1'),
    ('includePrerelease', 'include_prerelease', 'boolean', 'false'), ('minReadySeconds', 'min_ready_seconds', 'number', '10'),
    ('progressDeadlineSeconds', 'progress_deadline_seconds', 'number', '600'), ('revisionHistoryLimit', 'revision_history_limit', 'number', '10'),
    ('autoRollback', 'auto_rollback', 'boolean', 'true'), ('paused', 'paused', 'boolean', 'false');
$$;
comment on function stark_internal.deployment_fields() is 'The simple fields of a deployment.';
revoke all on function stark_internal.deployment_fields() from public, anon;

/** stark_internal.refuse_deployment(problem, hint): raises INVALID_ARGUMENT when there is a problem. */
create function stark_internal.refuse_deployment(p_problem text, p_hint text default 'stark deployment create --help')
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_problem is not null then
    perform stark_internal.fail('INVALID_ARGUMENT', p_problem, p_hint);
  end if;
end;
$$;
comment on function stark_internal.refuse_deployment(text, text) is 'Raises a coded error when something is wrong with a deployment.';
revoke all on function stark_internal.refuse_deployment(text, text) from public, anon;

/** stark_internal.deployment_problem(manifest) -> what is wrong with the shape of a deployment as a caller writes it, null when nothing is. Labels, names and the template are looked at elsewhere. */
create function stark_internal.deployment_problem(p_manifest jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_field text;
  v_strategy jsonb := coalesce(p_manifest -> 'strategy', '{}');
begin
  if jsonb_typeof(p_manifest) is distinct from 'object' then
    return 'a deployment must be an object';
  end if;
  v_field := stark_internal.unknown_field(p_manifest, array['name', 'namespace', 'pack', 'version', 'template', 'followLatest', 'strategy', 'canary', 'disruption', 'autoscale', 'changeCause']
    || array(select f.field from stark_internal.deployment_fields() f));
  if v_field is not null then
    return format('a deployment has no field %s', v_field);
  end if;
  select f.field into v_field from stark_internal.deployment_fields() f where p_manifest ? f.field and jsonb_typeof(p_manifest -> f.field) <> f.kind limit 1;
  if found then
    return format('%s must be %s', v_field, (select case f.kind when 'object' then 'an object' else 'a ' || f.kind end from stark_internal.deployment_fields() f where f.field = v_field));
  end if;
  select k into v_field from unnest(array['name', 'namespace', 'pack', 'version', 'changeCause']) k where p_manifest ? k and jsonb_typeof(p_manifest -> k) <> 'string' limit 1;
  if found then
    return format('%s must be a string', v_field);
  end if;
  return case
    when p_manifest ->> 'mode' not in ('replicated', 'daemon') then 'mode must be replicated or daemon'
    when p_manifest ? 'replicas' and not stark_internal.is_whole(p_manifest -> 'replicas', 0, 10000) then 'replicas must be a whole number from 0 to 10000'
    when p_manifest ? 'minReadySeconds' and not stark_internal.is_whole(p_manifest -> 'minReadySeconds', 0, 86399) then 'minReadySeconds must be a whole number from 0 to 86399'
    when p_manifest ? 'progressDeadlineSeconds' and not stark_internal.is_whole(p_manifest -> 'progressDeadlineSeconds', 1, 86400) then 'progressDeadlineSeconds must be a whole number from 1 to 86400'
    when p_manifest ? 'revisionHistoryLimit' and not stark_internal.is_whole(p_manifest -> 'revisionHistoryLimit', 0, 100) then 'revisionHistoryLimit must be a whole number from 0 to 100'
    when coalesce((p_manifest ->> 'minReadySeconds')::numeric, 10) >= coalesce((p_manifest ->> 'progressDeadlineSeconds')::numeric, 600) then 'minReadySeconds must be less than progressDeadlineSeconds'
    when length(p_manifest ->> 'changeCause') > 1024 then 'changeCause has more than 1024 characters'
    when jsonb_typeof(v_strategy) <> 'object' or stark_internal.unknown_field(v_strategy, array['type', 'maxSurge', 'maxUnavailable']) is not null then 'strategy is {type, maxSurge, maxUnavailable}'
    when coalesce(v_strategy -> 'type', '"RollingUpdate"') not in ('"RollingUpdate"', '"Recreate"') then 'strategy.type must be RollingUpdate or Recreate'
    when v_strategy -> 'type' = '"Recreate"' and v_strategy ?| array['maxSurge', 'maxUnavailable'] then 'maxSurge and maxUnavailable go with RollingUpdate'
    when v_strategy ? 'maxSurge' and not stark_internal.is_amount(v_strategy -> 'maxSurge') then 'strategy.maxSurge must be a whole number, or percents such as "25%"'
    when v_strategy ? 'maxUnavailable' and not stark_internal.is_amount(v_strategy -> 'maxUnavailable') then 'strategy.maxUnavailable must be a whole number, or percents such as "25%"'
    when p_manifest ? 'disruption' and (jsonb_typeof(p_manifest -> 'disruption') <> 'object' or stark_internal.unknown_field(p_manifest -> 'disruption', array['maxUnavailable']) is not null)
      then 'disruption is {maxUnavailable}'
    when p_manifest #> '{disruption,maxUnavailable}' is not null and not stark_internal.is_amount(p_manifest #> '{disruption,maxUnavailable}')
      then 'disruption.maxUnavailable must be a whole number, or percents such as "25%"'
    when stark_internal.daemon_problem(p_manifest) is not null then stark_internal.daemon_problem(p_manifest)
    when p_manifest ->> 'mode' is distinct from 'daemon' and coalesce(rtrim(v_strategy ->> 'maxSurge', '%'), '25')::integer = 0 and coalesce(rtrim(v_strategy ->> 'maxUnavailable', '%'), '25')::integer = 0 then 'maxSurge and maxUnavailable must not both be 0'
    when p_manifest ? 'canary' and (jsonb_typeof(p_manifest -> 'canary') <> 'object' or stark_internal.unknown_field(p_manifest -> 'canary', array['steps']) is not null) then 'canary is {steps}'
    when p_manifest #> '{canary,steps}' is not null and stark_internal.canary_problem(p_manifest #> '{canary,steps}') is not null then stark_internal.canary_problem(p_manifest #> '{canary,steps}')
    when v_strategy -> 'type' = '"Recreate"' and coalesce(p_manifest #> '{canary,steps}', '[]') <> '[]' then 'canary goes with RollingUpdate'
    when p_manifest ? 'followLatest' and jsonb_typeof(p_manifest -> 'followLatest') not in ('boolean', 'string') then 'followLatest must be true, false or a range of versions'
    when jsonb_typeof(p_manifest -> 'followLatest') = 'string' and (length(p_manifest ->> 'followLatest') > 256
         or not exists (select from stark_internal.range_bounds(p_manifest ->> 'followLatest'))) then format('followLatest %s is no range of versions', to_json(left(p_manifest ->> 'followLatest', 80)))
    when p_manifest -> 'includePrerelease' = 'true' and coalesce(p_manifest -> 'followLatest', 'false') = 'false' then 'includePrerelease goes with followLatest'
    when p_manifest ? 'version' and coalesce(p_manifest -> 'followLatest', 'false') <> 'false' then 'version and followLatest: who follows takes the newest version'
    when p_manifest ? 'autoscale' and coalesce(p_manifest ->> 'mode', 'replicated') <> 'replicated' then 'autoscale goes with mode replicated'
    when stark_internal.autoscale_problem(p_manifest -> 'autoscale') is not null then stark_internal.autoscale_problem(p_manifest -> 'autoscale')
    when p_manifest ? 'template' and (jsonb_typeof(p_manifest -> 'template') <> 'object'
         or stark_internal.unknown_field(p_manifest -> 'template', array['labels', 'annotations', 'priority', 'spec', 'restartedAt']) is not null) then 'template is {labels, annotations, priority, spec}'
  end;
end;
$$;
comment on function stark_internal.deployment_problem(jsonb) is 'What is wrong with a deployment as a caller writes it; null when nothing is.';
revoke all on function stark_internal.deployment_problem(jsonb) from public, anon;

/** stark_internal.require_deployment_labels(manifest): passes or raises INVALID_LABELS, INVALID_ARGUMENT, for labels and annotations of a deployment and of its template. */
create function stark_internal.require_deployment_labels(p_manifest jsonb)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_problem text := coalesce(
    stark_internal.labels_problem(coalesce(p_manifest -> 'labels', '{}')), stark_internal.labels_problem(coalesce(p_manifest #> '{template,labels}', '{}')));
begin
  if v_problem is not null then
    perform stark_internal.fail('INVALID_LABELS', v_problem, 'use --label key=value');
  end if;
  perform stark_internal.refuse_deployment(coalesce(
    stark_internal.annotations_problem(coalesce(p_manifest -> 'annotations', '{}')), stark_internal.annotations_problem(coalesce(p_manifest #> '{template,annotations}', '{}'))));
end;
$$;
comment on function stark_internal.require_deployment_labels(jsonb) is 'Raises a coded error for labels and annotations that are none.';
revoke all on function stark_internal.require_deployment_labels(jsonb) from public, anon;

/**
 * stark_internal.read_template(pack, version, namespace, template, user) -> {template, secrets, version_id}: the template that a deployment asks for,
 * checked as a pod is, with every default filled in; env and config of its spec apart. Raises what create_pods raises of a pod.
 */
create function stark_internal.read_template(p_pack text, p_version text, p_namespace text, p_template jsonb, p_user_id uuid)
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_pod stark.pods;
  v_spec jsonb := coalesce(p_template -> 'spec', '{}');
begin
  if jsonb_typeof(v_spec) = 'object' and coalesce(v_spec -> 'restartPolicy', '"Always"') not in ('"Always"', 'null') then
    perform stark_internal.fail('INVALID_SPEC', 'pods of a deployment have spec.restartPolicy Always', 'stark pod create runs a pod once');
  end if;
  v_pod := stark_internal.read_pod(jsonb_strip_nulls(jsonb_build_object(
    'pack', p_pack, 'version', p_version, 'namespace', p_namespace, 'labels', p_template -> 'labels', 'priority', p_template -> 'priority')) || jsonb_build_object('spec', v_spec), p_user_id);
  return jsonb_build_object(
    'version_id', v_pod.pack_version_id,
    'secrets', jsonb_strip_nulls(jsonb_build_object('env', v_pod.spec -> 'env')) || case when v_pod.spec ? 'config' then jsonb_build_object('config', v_pod.spec -> 'config') else '{}' end,
    'template', jsonb_strip_nulls(jsonb_build_object('restartedAt', p_template -> 'restartedAt')) || jsonb_build_object(
      'labels', v_pod.labels - 'pod-template-hash', 'annotations', coalesce(p_template -> 'annotations', '{}'), 'priority', v_pod.priority,
      -- Ports that a version declares are those of each version, and of none that follows.
      'spec', v_pod.spec - case when v_spec ? 'ports' then '{env,config}' else '{env,config,ports}' end::text[]));
end;
$$;
comment on function stark_internal.read_template(text, text, text, jsonb, uuid) is 'The template that a deployment asks for, checked.';
revoke all on function stark_internal.read_template(text, text, text, jsonb, uuid) from public, anon;

/** stark_internal.manifest_of(deployment) -> its manifest as a caller writes it, with the template and what is secret in it; without replicas where the autoscaler sets them. */
create function stark_internal.manifest_of(p_deployment stark.deployments)
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return (
    select (select jsonb_object_agg(f.field, to_jsonb(p_deployment) -> f.column_name) from stark_internal.deployment_fields() f where (p_deployment.mode = 'replicated' and p_deployment.autoscale is null) or f.field <> 'replicas')
      || jsonb_build_object(
        'followLatest', case when p_deployment.version_range is not null then to_jsonb(p_deployment.version_range) else to_jsonb(p_deployment.follow_latest) end,
        'strategy', case p_deployment.strategy when 'Recreate' then '{"type": "Recreate"}'::jsonb
          else jsonb_build_object('type', p_deployment.strategy, 'maxSurge', p_deployment.max_surge, 'maxUnavailable', p_deployment.max_unavailable) end,
        'canary', jsonb_build_object('steps', p_deployment.canary_steps),
        'disruption', jsonb_strip_nulls(jsonb_build_object('maxUnavailable', p_deployment.disruption_max_unavailable)),
        'template', (r.template - 'mode') || jsonb_build_object('spec', (r.template -> 'spec') || s.secrets))
      || case when p_deployment.autoscale is null then '{}' else jsonb_build_object('autoscale', p_deployment.autoscale) end
    from stark.deployment_revisions r join stark_internal.revision_secrets s using (deployment_id, revision)
    where r.deployment_id = p_deployment.id and r.revision = p_deployment.revision);
end;
$$;
comment on function stark_internal.manifest_of(stark.deployments) is 'The manifest of a deployment as a caller writes it.';
revoke all on function stark_internal.manifest_of(stark.deployments) from public, anon;

/** stark_internal.apply_manifest(deployment, manifest) -> the row with the manifest in its columns, and the default where it says nothing; nothing is stored. */
create function stark_internal.apply_manifest(p_deployment stark.deployments, p_manifest jsonb)
returns stark.deployments
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_row stark.deployments := jsonb_populate_record(p_deployment, (
    select jsonb_object_agg(f.column_name, coalesce(p_manifest -> f.field, f.default_value)) from stark_internal.deployment_fields() f));
  v_is_daemon boolean := v_row.mode = 'daemon';
begin
  if v_is_daemon then
    v_row.replicas := coalesce(p_deployment.replicas, 1);
  end if;
  v_row.follow_latest := coalesce(p_manifest -> 'followLatest', 'false') <> 'false';
  v_row.version_range := case when jsonb_typeof(p_manifest -> 'followLatest') = 'string' then p_manifest ->> 'followLatest' end;
  v_row.include_prerelease := v_row.follow_latest and coalesce((p_manifest ->> 'includePrerelease')::boolean, false);
  v_row.strategy := coalesce(p_manifest #>> '{strategy,type}', 'RollingUpdate');
  v_row.max_surge := coalesce(p_manifest #> '{strategy,maxSurge}', case when v_is_daemon then '0' else '"25%"' end::jsonb);
  v_row.max_unavailable := coalesce(p_manifest #> '{strategy,maxUnavailable}', case when v_is_daemon then '1' else '"25%"' end::jsonb);
  v_row.canary_steps := coalesce(p_manifest #> '{canary,steps}', '[]');
  v_row.disruption_max_unavailable := p_manifest #> '{disruption,maxUnavailable}';
  v_row.autoscale := p_manifest -> 'autoscale';
  -- Where the autoscaler sets them, or did, what is there stays; who is new begins with the least that can run.
  if not p_manifest ? 'replicas' and (v_row.autoscale is not null or p_deployment.autoscale is not null) then
    v_row.replicas := coalesce(p_deployment.replicas, greatest(1, coalesce((v_row.autoscale ->> 'min')::integer, 1)));
  end if;
  return v_row;
end;
$$;
comment on function stark_internal.apply_manifest(stark.deployments, jsonb) is 'A deployment''s row with this manifest in its columns.';
revoke all on function stark_internal.apply_manifest(stark.deployments, jsonb) from public, anon;

/** stark_internal.require_one_scaler(manifest): passes unless both a person and the autoscaler are to set the replicas. Raises INVALID_ARGUMENT. */
create function stark_internal.require_one_scaler(p_manifest jsonb)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_manifest ?& array['replicas', 'autoscale'] then
    perform stark_internal.refuse_deployment('replicas and autoscale: the autoscaler sets the replicas', 'leave replicas out: what is there stays, and it goes on from there');
  end if;
end;
$$;
comment on function stark_internal.require_one_scaler(jsonb) is 'Raises a coded error when replicas are set twice.';
revoke all on function stark_internal.require_one_scaler(jsonb) from public, anon;

/** stark_internal.require_somebody(what) -> the caller's id. Raises UNAUTHENTICATED where there is none: pods have the rights of somebody. */
create function stark_internal.require_somebody(p_what text)
returns uuid
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_user uuid := stark_internal.require_user();
begin
  if v_user is null then
    perform stark_internal.fail('UNAUTHENTICATED', format('%s needs somebody whose rights its pods have, and the secret key is nobody', p_what), 'stark auth login');
  end if;
  return v_user;
end;
$$;
comment on function stark_internal.require_somebody(text) is 'The signed-in user; raises for the secret key too.';
revoke all on function stark_internal.require_somebody(text) from public, anon;

/**
 * stark_internal.require_deployment(namespace, name, permission, if_revision) -> the deployment, when the caller may do this to it and it is not
 * going. Raises UNAUTHENTICATED, DEPLOYMENT_NOT_FOUND (also for one the caller may not see), FORBIDDEN, CONFLICT, DEPLOYMENT_TERMINATING.
 */
create function stark_internal.require_deployment(p_namespace text, p_name text, p_permission text, p_if_revision bigint default null)
returns stark.deployments
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_deployment stark.deployments;
begin
  select * into v_deployment from stark.deployments d
    where d.namespace = p_namespace and d.name = p_name
      and stark_internal.has_permission('deployments:get', d.namespace, coalesce(d.created_by = v_user, false));
  if not found then
    perform stark_internal.fail('DEPLOYMENT_NOT_FOUND', format('namespace %s has no deployment %s', coalesce(to_json(left(p_namespace, 80))::text, 'null'), coalesce(to_json(left(p_name, 80))::text, 'null')),
      'stark deployment list -A');
  end if;
  perform stark_internal.require_permission(p_permission, v_deployment.namespace, coalesce(v_deployment.created_by = v_user, false));
  perform stark_internal.require_version('deployment ' || p_name, p_if_revision, v_deployment.generation);
  if v_deployment.deletion_requested_at is not null and p_permission <> 'deployments:delete' then
    perform stark_internal.fail('DEPLOYMENT_TERMINATING', format('deployment %s is being deleted', p_name), 'stark deployment list -n ' || v_deployment.namespace);
  end if;
  return v_deployment;
end;
$$;
comment on function stark_internal.require_deployment(text, text, text, bigint) is 'The deployment, when the caller may do this to it.';
revoke all on function stark_internal.require_deployment(text, text, text, bigint) from public, anon;

/** stark_internal.reconciled_deployment(id) -> the deployment after the controller has looked at what was just written. */
create function stark_internal.reconciled_deployment(p_id uuid)
returns stark.deployments
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.note_deployments(array[p_id]);
  perform stark_internal.work_off_notes();
  select * into v_deployment from stark.deployments d where d.id = p_id;
  return v_deployment;
end;
$$;
comment on function stark_internal.reconciled_deployment(uuid) is 'A deployment after the controller has looked at it.';
revoke all on function stark_internal.reconciled_deployment(uuid) from public, anon;

/** stark_internal.require_unblocked(deployment, version): passes unless the version failed there and is blocked still. Raises VERSION_BLOCKED. */
create function stark_internal.require_unblocked(p_deployment stark.deployments, p_version_id uuid)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_until timestamptz;
begin
  select b.blocked_until into v_until from stark_internal.blocked_versions b
    where b.deployment_id = p_deployment.id and b.pack_version_id = p_version_id and b.blocked_until > stark_internal.controller_time();
  if found then
    perform stark_internal.fail('VERSION_BLOCKED', format('%s@%s failed in deployment %s and is blocked for %s more seconds', p_deployment.pack_name,
      (select v.version from stark.pack_versions v where v.id = p_version_id), p_deployment.name, ceil(extract(epoch from v_until - stark_internal.controller_time()))),
      format('stark deployment resume %s -n %s --force', p_deployment.name, p_deployment.namespace));
  end if;
end;
$$;
comment on function stark_internal.require_unblocked(stark.deployments, uuid) is 'Raises a coded error for a version that is blocked.';
revoke all on function stark_internal.require_unblocked(stark.deployments, uuid) from public, anon;

-- Create, change ---------------------------------------------------------------------------------------------------------

/** stark_internal.require_deployment_room(namespace): passes when the quota of the namespace has room for one more deployment. Raises QUOTA_EXCEEDED, NAMESPACE_TERMINATING. */
create function stark_internal.require_deployment_room(p_namespace text)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_namespace stark.namespaces;
  v_used bigint;
begin
  select * into v_namespace from stark.namespaces n where n.name = p_namespace;
  if v_namespace.phase = 'terminating' then
    perform stark_internal.fail('NAMESPACE_TERMINATING', format('namespace %s is being deleted', p_namespace), 'stark namespace list');
  elsif v_namespace.quota ? 'deployments' then
    select count(*) into v_used from stark.deployments d where d.namespace = p_namespace;
    if v_used >= (v_namespace.quota ->> 'deployments')::bigint then
      perform stark_internal.fail('QUOTA_EXCEEDED', format('namespace %s would have %s deployments, its quota is %s', p_namespace, v_used + 1, v_namespace.quota ->> 'deployments'),
        'stark namespace describe ' || p_namespace);
    end if;
  end if;
end;
$$;
comment on function stark_internal.require_deployment_room(text) is 'Raises a coded error when a namespace takes no more deployments.';
revoke all on function stark_internal.require_deployment_room(text) from public, anon;

/**
 * stark.create_deployment(deployment) -> the deployment, with its first pods made. deployment: {name, pack, version?, namespace? = default,
 * mode? = replicated | daemon (one pod on every node that fits), replicas? = 1, labels?, annotations?, template?: {labels?, annotations?, priority?, spec?}, followLatest? = false | true |
 * range, includePrerelease?, strategy?: {type? = RollingUpdate | Recreate, maxSurge? = "25%", maxUnavailable? = "25%"}, minReadySeconds? = 10,
 * progressDeadlineSeconds? = 600, revisionHistoryLimit? = 10, autoRollback? = true, canary?: {steps}, disruption?: {maxUnavailable},
 * autoscale?: {min? = 1, max, metrics: [{name, target, type?}], behavior?, idleSeconds? = 300}, paused?, changeCause?}. autoscale goes without replicas.
 * Daemon mode has maxUnavailable 1, no surge and no canary. Its pods have the
 * rights of who changed the template last, and restartPolicy Always.
 * Caller: deployments:create and pods:create in the namespace, and access to the pack. Locks: the cluster lock. Example:
 *   select * from stark.create_deployment('{"name": "web", "pack": "alpha", "replicas": 3}');
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, INVALID_NAME, INVALID_LABELS, INVALID_SPEC, LIMIT_EXCEEDED, NAMESPACE_NOT_FOUND,
 * NAMESPACE_TERMINATING, PACK_NOT_FOUND, VERSION_NOT_FOUND, VERSION_NOT_READY, NODE_NOT_FOUND, RUNTIME_MISMATCH, PRIORITY_CLASS_NOT_FOUND,
 * DEPLOYMENT_EXISTS, QUOTA_EXCEEDED.
 */
create function stark.create_deployment(p_deployment jsonb)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_somebody('a deployment');
  v_manifest jsonb;
  v_namespace text;
  v_version text := p_deployment ->> 'version';
  v_row stark.deployments;
  v_template jsonb;
begin
  perform stark_internal.require_json('p_deployment', p_deployment, 131072);
  v_manifest := stark_internal.without_nulls(p_deployment);
  perform stark_internal.require_one_scaler(v_manifest);
  perform stark_internal.refuse_deployment(stark_internal.deployment_problem(v_manifest));
  perform stark_internal.require_deployment_labels(v_manifest);
  if not stark_internal.is_dns_label(v_manifest ->> 'name') or length(v_manifest ->> 'name') > 46 then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a deployment', coalesce(to_json(left(v_manifest ->> 'name', 80))::text, 'null')), 'use lower case letters, digits and -, at most 46');
  end if;
  v_namespace := coalesce(v_manifest ->> 'namespace', (select c.default_namespace from stark.cluster_config c));
  perform stark_internal.require_permission('deployments:create', v_namespace, v_namespace <> 'stark-system');
  perform stark_internal.require_namespace(v_namespace);
  perform stark_internal.find_deployable_version(v_manifest ->> 'pack', v_version, v_user);
  v_row := stark_internal.apply_manifest(null, v_manifest);
  if v_row.follow_latest then
    v_version := (select v.version from stark.pack_versions v where v.id = stark_internal.newest_version(
      (select k.id from stark.packs k where k.name = v_manifest ->> 'pack'), v_row.version_range, v_row.include_prerelease));
    if v_version is null then
      perform stark_internal.fail('VERSION_NOT_FOUND', format('pack %s has no ready version to follow', v_manifest ->> 'pack'), 'stark pack versions ' || (v_manifest ->> 'pack'));
    end if;
  end if;
  v_template := stark_internal.read_template(v_manifest ->> 'pack', v_version, v_namespace, coalesce(v_manifest -> 'template', '{}'), v_user);
  perform stark_internal.lock_cluster();
  perform stark_internal.require_deployment_room(v_namespace);
  insert into stark.deployments (name, namespace, pack_id, pack_name, labels, annotations, mode, replicas, follow_latest, version_range, include_prerelease, strategy, max_surge,
      max_unavailable, min_ready_seconds, progress_deadline_seconds, revision_history_limit, auto_rollback, canary_steps, disruption_max_unavailable, autoscale, paused, acts_as, created_by)
    select v_manifest ->> 'name', v_namespace, v.pack_id, v.pack_name, v_row.labels, v_row.annotations, v_row.mode, v_row.replicas, v_row.follow_latest, v_row.version_range,
           v_row.include_prerelease, v_row.strategy, v_row.max_surge, v_row.max_unavailable, v_row.min_ready_seconds, v_row.progress_deadline_seconds,
           v_row.revision_history_limit, v_row.auto_rollback, v_row.canary_steps, v_row.disruption_max_unavailable, v_row.autoscale, v_row.paused, v_user, v_user
    from stark.pack_versions v where v.id = (v_template ->> 'version_id')::uuid
    on conflict on constraint deployment_name_is_unique_in_its_namespace do nothing
    returning * into v_row;
  if not found then
    perform stark_internal.fail('DEPLOYMENT_EXISTS', format('namespace %s has a deployment %s already', v_namespace, v_manifest ->> 'name'), 'stark deployment list -n ' || v_namespace);
  end if;
  perform stark_internal.add_revision(v_row.id, stark_internal.in_mode(v_template -> 'template', v_row.mode), v_template -> 'secrets', (v_template ->> 'version_id')::uuid, 'create', v_manifest ->> 'changeCause', v_user,
    stark_internal.controller_time());
  return stark_internal.reconciled_deployment(v_row.id);
end;
$$;
comment on function stark.create_deployment(jsonb) is 'Creates a deployment and makes its pods.';
revoke all on function stark.create_deployment(jsonb) from public, anon;
grant execute on function stark.create_deployment(jsonb) to authenticated, service_role;

/**
 * stark_internal.change_template(deployment, template, version, cause, change cause, of): makes this template the newest revision when it is another
 * than the present one. From then on pods have the caller's rights, who then reads their env and config: what is kept of those that somebody else
 * gave to revision of needs pods:read-env. What was failing or held is superseded.
 */
create function stark_internal.change_template(p_deployment stark.deployments, p_template jsonb, p_version text, p_cause text, p_change_cause text, p_of bigint)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_somebody('the template of a deployment');
  v_new jsonb := stark_internal.read_template(p_deployment.pack_name, p_version, p_deployment.namespace, p_template, v_user);
  v_old stark.deployment_revisions;
begin
  v_new := jsonb_set(v_new, '{template}', stark_internal.in_mode(v_new -> 'template', p_deployment.mode));
  if v_new -> 'secrets' <> '{}' and exists (
    select from stark.deployment_revisions r join stark_internal.revision_secrets s using (deployment_id, revision)
    where r.deployment_id = p_deployment.id and r.revision = p_of and r.created_by is distinct from v_user and s.secrets <> '{}') then
    perform stark_internal.require_permission('pods:read-env', p_deployment.namespace);
  end if;
  select * into v_old from stark.deployment_revisions r where r.deployment_id = p_deployment.id and r.revision = p_deployment.revision;
  if v_old.pack_version_id <> (v_new ->> 'version_id')::uuid then
    perform stark_internal.require_unblocked(p_deployment, (v_new ->> 'version_id')::uuid);
  end if;
  if v_old.template_hash <> stark_internal.template_hash(v_new -> 'template', stark_internal.secrets_salt(p_deployment.id, v_new -> 'secrets'), (v_new ->> 'version_id')::uuid) then
    perform stark_internal.add_revision(p_deployment.id, v_new -> 'template', v_new -> 'secrets', (v_new ->> 'version_id')::uuid, p_cause, p_change_cause, v_user, stark_internal.controller_time());
    update stark.deployments d set generation = d.generation + 1, acts_as = v_user, updated_at = now() where d.id = p_deployment.id;
  elsif p_deployment.acts_as is distinct from v_user then
    update stark.deployments d set acts_as = v_user where d.id = p_deployment.id;
    update stark.deployment_revisions r set created_by = v_user where r.deployment_id = v_old.deployment_id and r.revision = v_old.revision;
  end if;
end;
$$;
comment on function stark_internal.change_template(stark.deployments, jsonb, text, text, text, bigint) is 'Makes a template the newest revision, with the caller''s rights.';
revoke all on function stark_internal.change_template(stark.deployments, jsonb, text, text, text, bigint) from public, anon;

/**
 * stark_internal.changed_manifest(deployment, changes) -> the manifest of a deployment with a merge patch applied, checked. Raises INVALID_ARGUMENT,
 * INVALID_LABELS, AUTOSCALED.
 */
create function stark_internal.changed_manifest(p_deployment stark.deployments, p_changes jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_before jsonb := stark_internal.manifest_of(p_deployment);
  v_mode text := case when p_changes ? 'mode' then coalesce(p_changes ->> 'mode', 'replicated') else p_deployment.mode end;
  v_manifest jsonb;
begin
  -- Another mode has other defaults.
  if v_mode <> p_deployment.mode or (p_changes #>> '{strategy,type}' is not null and p_changes #>> '{strategy,type}' is distinct from p_deployment.strategy) then
    v_before := v_before - 'strategy';
  end if;
  -- The count is kept for the way back from daemon mode, which has none.
  if v_mode = 'daemon' then
    v_before := v_before - 'replicas';
  elsif p_deployment.mode = 'daemon' and v_mode = 'replicated' then
    v_before := v_before || jsonb_build_object('replicas', p_deployment.replicas);
  end if;
  if p_changes ? 'followLatest' then
    v_before := v_before - 'includePrerelease';
  end if;
  if jsonb_typeof(p_changes -> 'autoscale') = 'object' and not p_changes ? 'replicas' then
    v_before := v_before - 'replicas';
  elsif p_changes ? 'replicas' and not p_changes ? 'autoscale' then
    perform stark_internal.require_no_autoscaler(p_deployment);
  end if;
  v_manifest := stark_internal.merge_deep(v_before, p_changes);
  perform stark_internal.require_one_scaler(v_manifest);
  perform stark_internal.refuse_deployment(stark_internal.deployment_problem(v_manifest), 'stark deployment set --help');
  perform stark_internal.require_deployment_labels(v_manifest);
  return v_manifest;
end;
$$;
comment on function stark_internal.changed_manifest(stark.deployments, jsonb) is 'The manifest of a deployment with changes, checked.';
revoke all on function stark_internal.changed_manifest(stark.deployments, jsonb) from public, anon;

/**
 * stark.update_deployment(namespace, name, changes, if_revision) -> the deployment. changes is a JSON merge patch of what create_deployment takes: objects
 * are merged, lists replaced, null gives a field its default back; name, namespace and pack never change. Another template or version makes a
 * revision, and a rollout to it begins; a version ends following unless it is said again. if_revision: the generation that the caller saw.
 * Caller: deployments:update in the namespace, or the own one; for a template pods:create and access to the pack. Locks: the cluster lock. Example:
 *   select * from stark.update_deployment('default', 'web', '{"version": "1.1.0", "changeCause": "new logo"}');
 * Raises: what create_deployment raises, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING, VERSION_BLOCKED, AUTOSCALED, CONFLICT.
 */
create function stark.update_deployment(p_namespace text, p_name text, p_changes jsonb, p_if_revision bigint default null)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
  v_old stark.deployments;
  v_row stark.deployments;
  v_manifest jsonb;
  v_version text;
begin
  perform stark_internal.require_json('p_changes', p_changes, 131072);
  if jsonb_typeof(p_changes) is distinct from 'object' then
    perform stark_internal.refuse_deployment('p_changes must be an object', 'give {"version": "1.1.0"}');
  elsif p_changes ?| array['name', 'namespace', 'pack'] then
    perform stark_internal.refuse_deployment('name, namespace and pack of a deployment never change', 'create another deployment');
  end if;
  v_old := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  -- What is refused costs nobody the lock; what has changed meanwhile is seen under it.
  v_manifest := stark_internal.changed_manifest(v_old, p_changes);
  if p_changes ? 'template' then
    perform stark_internal.read_template(v_old.pack_name, p_changes ->> 'version', v_old.namespace, coalesce(v_manifest -> 'template', '{}'), v_user);
  end if;
  perform stark_internal.lock_cluster();
  v_old := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update', p_if_revision);
  v_manifest := stark_internal.changed_manifest(v_old, p_changes);
  v_row := stark_internal.apply_manifest(v_old, v_manifest);
  update stark.deployments d set
      labels = v_row.labels, annotations = v_row.annotations, mode = v_row.mode, replicas = v_row.replicas, follow_latest = v_row.follow_latest, version_range = v_row.version_range,
      include_prerelease = v_row.include_prerelease, strategy = v_row.strategy, max_surge = v_row.max_surge, max_unavailable = v_row.max_unavailable,
      min_ready_seconds = v_row.min_ready_seconds, progress_deadline_seconds = v_row.progress_deadline_seconds, revision_history_limit = v_row.revision_history_limit,
      auto_rollback = v_row.auto_rollback, canary_steps = v_row.canary_steps, disruption_max_unavailable = v_row.disruption_max_unavailable, autoscale = v_row.autoscale, paused = v_row.paused,
      follow_after = case when v_row.follow_latest and not p_changes ? 'followLatest' then d.follow_after end
    where d.id = v_old.id;
  if p_changes ? 'template' or p_changes ? 'version' then
    select coalesce(p_changes ->> 'version', r.version) into v_version from stark.deployment_revisions r where r.deployment_id = v_old.id and r.revision = v_old.revision;
    v_old.mode := v_row.mode;
    perform stark_internal.change_template(v_old, coalesce(v_manifest -> 'template', '{}'), v_version, 'update', p_changes ->> 'changeCause', v_old.revision);
  else
    perform stark_internal.change_mode(v_old, v_row.mode, p_changes ->> 'changeCause');
  end if;
  return stark_internal.reconciled_deployment(v_old.id);
end;
$$;
comment on function stark.update_deployment(text, text, jsonb, bigint) is 'Changes what is wanted of a deployment.';
revoke all on function stark.update_deployment(text, text, jsonb, bigint) from public, anon;
grant execute on function stark.update_deployment(text, text, jsonb, bigint) to authenticated, service_role;

/**
 * stark.scale_deployment(namespace, name, replicas, mode, if_revision) -> the deployment with another count of pods; 0 is zero pods. mode daemon:
 * one pod on every node that fits instead of a count, and replicated with a count for the way back; pods are rolled then. In the middle of a rollout
 * the new number is shared out over the live revisions. Its pods keep the rights they have. What is autoscaled is refused, but where a
 * person has scaled it to 0.
 * Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING, INVALID_ARGUMENT, AUTOSCALED, CONFLICT.
 */
create function stark.scale_deployment(p_namespace text, p_name text, p_replicas integer default null, p_mode text default null, p_if_revision bigint default null)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
  v_row stark.deployments;
begin
  perform stark_internal.require_user();
  if p_replicas is null and p_mode is null or p_replicas not between 0 and 10000 then
    perform stark_internal.refuse_deployment('replicas must be a whole number from 0 to 10000', 'stark deployment scale --replicas 3');
  elsif p_mode not in ('replicated', 'daemon') then
    perform stark_internal.refuse_deployment(format('mode %s is not replicated or daemon', to_json(left(p_mode, 80))), 'stark deployment scale --replicas 3, or --daemon');
  elsif p_mode = 'daemon' and p_replicas is not null then
    perform stark_internal.refuse_deployment('replicas goes with mode replicated: daemon mode has one pod on every node that fits', 'stark deployment scale --daemon');
  end if;
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update', p_if_revision);
  perform stark_internal.require_no_autoscaler(v_deployment);
  if v_deployment.mode = 'daemon' and p_replicas is not null and p_mode is null then
    perform stark_internal.refuse_deployment(format('deployment %s has one pod on every node that fits: a count goes with mode replicated', p_name),
      format('stark deployment scale %s -n %s --replicas %s --no-daemon', p_name, p_namespace, p_replicas));
  end if;
  v_row := v_deployment;
  if p_mode <> v_deployment.mode then
    v_row := stark_internal.apply_manifest(v_deployment, stark_internal.changed_manifest(v_deployment, jsonb_build_object('mode', p_mode)));
  end if;
  update stark.deployments d set replicas = coalesce(p_replicas, d.replicas), mode = v_row.mode, strategy = v_row.strategy, max_surge = v_row.max_surge, max_unavailable = v_row.max_unavailable
    where d.id = v_deployment.id;
  perform stark_internal.change_mode(v_deployment, v_row.mode, null);
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.scale_deployment(text, text, integer, text, bigint) is 'Changes how many pods a deployment wants.';
revoke all on function stark.scale_deployment(text, text, integer, text, bigint) from public, anon;
grant execute on function stark.scale_deployment(text, text, integer, text, bigint) to authenticated, service_role;

/**
 * stark.pause_deployment(namespace, name) -> the deployment, frozen: changes are stored, its status is kept, and nothing is done, not even for pods that
 * end. Calling again changes nothing. Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING.
 */
create function stark.pause_deployment(p_namespace text, p_name text)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  update stark.deployments d set paused = true where d.id = v_deployment.id and not d.paused;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.pause_deployment(text, text) is 'Freezes a deployment.';
revoke all on function stark.pause_deployment(text, text) from public, anon;
grant execute on function stark.pause_deployment(text, text) to authenticated, service_role;

/**
 * stark.resume_deployment(namespace, name, force) -> the deployment, no longer frozen: the newest template counts. force lifts the blocks of versions
 * that failed, too. Calling again changes nothing. Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING.
 */
create function stark.resume_deployment(p_namespace text, p_name text, p_force boolean default false)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  if p_force then
    delete from stark_internal.blocked_versions b where b.deployment_id = v_deployment.id;
  end if;
  -- Due times stood still meanwhile.
  update stark.deployments d set paused = false, reconciled_at = stark_internal.controller_time(), next_reconcile_at = stark_internal.controller_time()
    where d.id = v_deployment.id and d.paused;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.resume_deployment(text, text, boolean) is 'Ends the freezing of a deployment.';
revoke all on function stark.resume_deployment(text, text, boolean) from public, anon;
grant execute on function stark.resume_deployment(text, text, boolean) to authenticated, service_role;

/**
 * stark.delete_deployment(namespace, name, cascade, force, if_revision) -> the deployment as it was last. Its name is taken until it is gone. cascade
 * background: its pods stop with their grace, those of nodes that are offline are evicted, and it goes with the last of them; orphan: it goes at
 * once, and its pods run on, managed by nobody. force evicts all pods. Calling again changes nothing.
 * Caller: deployments:delete in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, INVALID_ARGUMENT, CONFLICT.
 */
create function stark.delete_deployment(p_namespace text, p_name text, p_cascade text default 'background', p_force boolean default false, p_if_revision bigint default null)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  if p_cascade is null or p_cascade not in ('background', 'orphan') then
    perform stark_internal.refuse_deployment(format('cascade %s is not background or orphan', coalesce(to_json(left(p_cascade, 80))::text, 'null')), 'use --cascade background or orphan');
  end if;
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:delete');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:delete', p_if_revision);
  if p_cascade = 'orphan' then
    update stark.pods p set deployment_id = null, revision = null, pinned_node_id = null where p.deployment_id = v_deployment.id;
    delete from stark.deployments d where d.id = v_deployment.id;
    return v_deployment;
  end if;
  update stark.deployments d set deletion_requested_at = coalesce(d.deletion_requested_at, stark_internal.controller_time()), deletion_forced = d.deletion_forced or coalesce(p_force, false)
    where d.id = v_deployment.id returning * into v_deployment;
  return coalesce(stark_internal.reconciled_deployment(v_deployment.id), v_deployment);
end;
$$;
comment on function stark.delete_deployment(text, text, text, boolean, bigint) is 'Deletes a deployment with its pods, or without them.';
revoke all on function stark.delete_deployment(text, text, text, boolean, bigint) from public, anon;
grant execute on function stark.delete_deployment(text, text, text, boolean, bigint) to authenticated, service_role;

-- Rollouts --------------------------------------------------------------------------------------------------------------

/**
 * stark.pause_rollout(namespace, name) -> the deployment; its rollout is held where it is. What fails is replaced by its own revision's template.
 * Calling again changes nothing. Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING.
 */
create function stark.pause_rollout(p_namespace text, p_name text)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  update stark.deployments d set rollout_paused = true where d.id = v_deployment.id and not d.rollout_paused;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.pause_rollout(text, text) is 'Holds the rollout of a deployment.';
revoke all on function stark.pause_rollout(text, text) from public, anon;
grant execute on function stark.pause_rollout(text, text) to authenticated, service_role;

/**
 * stark.resume_rollout(namespace, name) -> the deployment; its rollout goes on. Calling again changes nothing.
 * Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING.
 */
create function stark.resume_rollout(p_namespace text, p_name text)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  -- Its deadline stood still meanwhile.
  update stark.deployments d set rollout_paused = false, reconciled_at = stark_internal.controller_time(), next_reconcile_at = stark_internal.controller_time()
    where d.id = v_deployment.id and d.rollout_paused;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.resume_rollout(text, text) is 'Lets the rollout of a deployment go on.';
revoke all on function stark.resume_rollout(text, text) from public, anon;
grant execute on function stark.resume_rollout(text, text) to authenticated, service_role;

/**
 * stark.promote_rollout(namespace, name, full) -> the deployment; the canary of its rollout leaves the pause it stands at, or with full all its steps.
 * Its pods keep the rights they have. Caller: deployments:update in the namespace, or the own one. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING, NOT_PAUSED.
 */
create function stark.promote_rollout(p_namespace text, p_name text, p_full boolean default false)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  update stark.deployment_revisions r set
      step = case when p_full then jsonb_array_length(v_deployment.canary_steps) else r.step + 1 end, step_waited = '0', waited = '0'
    from stark_internal.rollout_terms t
    where t.deployment_id = r.deployment_id and r.deployment_id = v_deployment.id and r.revision = v_deployment.revision and r.status = 'progressing'
      and r.cause not in ('undo', 'rollback') and t.stable_hash <> t.newest_hash
      and r.step < jsonb_array_length(v_deployment.canary_steps) and (p_full or v_deployment.canary_steps -> r.step ? 'pause');
  if not found then
    perform stark_internal.fail('NOT_PAUSED', format('the rollout of deployment %s stands at no pause of a canary', p_name), format('stark rollout status %s -n %s', p_name, p_namespace));
  end if;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.promote_rollout(text, text, boolean) is 'Lets a canary go on.';
revoke all on function stark.promote_rollout(text, text, boolean) from public, anon;
grant execute on function stark.promote_rollout(text, text, boolean) to authenticated, service_role;

/**
 * stark.undo_rollout(namespace, name, to_revision, change_cause) -> the deployment; an old template is the newest revision under a new number: that of
 * to_revision, else the last stable one but the present. No canary; the version that is left is not blocked, and following waits for a newer one.
 * Caller: deployments:update in the namespace, or the own one, and own rights to the old template, pods:read-env where somebody else gave it env or config. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING, REVISION_NOT_FOUND, VERSION_NOT_READY, VERSION_BLOCKED,
 * PACK_NOT_FOUND and what else create_pods raises of the template.
 */
create function stark.undo_rollout(p_namespace text, p_name text, p_to_revision bigint default null, p_change_cause text default null)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
  v_present stark.deployment_revisions;
  v_old stark.deployment_revisions;
  v_secrets jsonb;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_somebody('the template of a deployment');
  if length(p_change_cause) > 1024 then
    perform stark_internal.refuse_deployment('the change cause has more than 1024 characters', 'use a shorter --change-cause');
  end if;
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  select * into v_present from stark.deployment_revisions r where r.deployment_id = v_deployment.id and r.revision = v_deployment.revision;
  select * into v_old from stark.deployment_revisions r
    where r.deployment_id = v_deployment.id and r.revision = coalesce(p_to_revision, stark_internal.way_back(v_deployment.id, v_deployment.revision));
  if not found or v_old.template_hash = v_present.template_hash then
    perform stark_internal.fail('REVISION_NOT_FOUND', case when p_to_revision is null then format('deployment %s has no stable revision to go back to', p_name)
      when v_old.revision is not null then format('revision %s of deployment %s is what is wanted already', p_to_revision, p_name)
      else format('deployment %s has no revision %s', p_name, p_to_revision) end, format('stark rollout history %s -n %s', p_name, p_namespace));
  end if;
  select s.secrets into v_secrets from stark_internal.revision_secrets s where s.deployment_id = v_old.deployment_id and s.revision = v_old.revision;
  perform stark_internal.change_template(v_deployment, v_old.template || jsonb_build_object('spec', (v_old.template -> 'spec') || v_secrets), v_old.version, 'undo', p_change_cause, v_old.revision);
  update stark.deployments d set follow_after = v_present.version where d.id = v_deployment.id and d.follow_latest;
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.undo_rollout(text, text, bigint, text) is 'Makes an old template the newest revision.';
revoke all on function stark.undo_rollout(text, text, bigint, text) from public, anon;
grant execute on function stark.undo_rollout(text, text, bigint, text) to authenticated, service_role;

/**
 * stark.restart_rollout(namespace, name, change_cause) -> the deployment; the same template again, as a revision of its own, so that all pods are replaced
 * as in any rollout. Caller: deployments:update in the namespace, or the own one, and own rights to the template, pods:read-env where somebody else
 * gave it env or config. Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, DEPLOYMENT_NOT_FOUND, DEPLOYMENT_TERMINATING, VERSION_NOT_READY and what else create_pods raises of the template.
 */
create function stark.restart_rollout(p_namespace text, p_name text, p_change_cause text default null)
returns stark.deployments
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_deployment stark.deployments;
begin
  perform stark_internal.require_user();
  perform stark_internal.require_somebody('the template of a deployment');
  if length(p_change_cause) > 1024 then
    perform stark_internal.refuse_deployment('the change cause has more than 1024 characters', 'use a shorter --change-cause');
  end if;
  perform stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.lock_cluster();
  v_deployment := stark_internal.require_deployment(p_namespace, p_name, 'deployments:update');
  perform stark_internal.change_template(v_deployment,
    stark_internal.manifest_of(v_deployment) -> 'template' || jsonb_build_object('restartedAt', clock_timestamp()),
    (select r.version from stark.deployment_revisions r where r.deployment_id = v_deployment.id and r.revision = v_deployment.revision), 'restart', p_change_cause, v_deployment.revision);
  return stark_internal.reconciled_deployment(v_deployment.id);
end;
$$;
comment on function stark.restart_rollout(text, text, text) is 'Replaces all pods of a deployment by the same template.';
revoke all on function stark.restart_rollout(text, text, text) from public, anon;
grant execute on function stark.restart_rollout(text, text, text) to authenticated, service_role;
