-- What a pod's spec may say: each of its fields, and the rules between them.

/**
 * stark_internal.spec_problem(spec): null when a pod's spec is well formed, else one line saying what is not.
 * Unknown fields are refused: a misspelt nodeSelector must not place a pod anywhere.
 */
create function stark_internal.spec_problem(p_spec jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_key text;
begin
  if p_spec is null or jsonb_typeof(p_spec) <> 'object' then
    return 'spec must be an object';
  end if;
  if pg_catalog.octet_length(p_spec::text) > 65536 then
    return 'spec is larger than 64 kB';
  end if;
  if stark_internal.is_deep(p_spec) then
    return 'spec has more than 32 levels';
  end if;
  select k into v_key from jsonb_object_keys(p_spec) k
    where k not in ('nodeName', 'nodeSelector', 'tolerations', 'affinity', 'resources', 'config', 'env', 'ports',
                    'restartPolicy', 'terminationGracePeriodSeconds', 'isolation', 'readinessProbe', 'livenessProbe', 'startupProbe',
                    'topologySpreadConstraints', 'preemptionPolicy', 'priorityClassName')
    limit 1;
  if found then
    return format('spec has no field %s', to_json(left(v_key, 80)));
  end if;
  if p_spec ? 'nodeName' and not (jsonb_typeof(p_spec -> 'nodeName') = 'string' and stark_internal.is_dns_name(p_spec ->> 'nodeName')) then
    return 'spec.nodeName must be the name of a node';
  end if;
  if p_spec ? 'nodeSelector' and stark_internal.labels_problem(p_spec -> 'nodeSelector') is not null then
    return 'spec.nodeSelector: ' || stark_internal.labels_problem(p_spec -> 'nodeSelector');
  end if;
  if p_spec ? 'tolerations' and stark_internal.tolerations_problem(p_spec -> 'tolerations') is not null then
    return 'spec.tolerations: ' || stark_internal.tolerations_problem(p_spec -> 'tolerations');
  end if;
  select k into v_key from unnest(array['affinity', 'config', 'env', 'resources']) k
    where p_spec ? k and jsonb_typeof(p_spec -> k) <> 'object' limit 1;
  if found then
    return format('spec.%s must be an object', v_key);
  end if;
  if p_spec ? 'affinity' and stark_internal.affinity_problem(p_spec -> 'affinity') is not null then
    return stark_internal.affinity_problem(p_spec -> 'affinity');
  end if;
  if p_spec ? 'topologySpreadConstraints' and stark_internal.topology_spread_problem(p_spec -> 'topologySpreadConstraints') is not null then
    return stark_internal.topology_spread_problem(p_spec -> 'topologySpreadConstraints');
  end if;
  if p_spec ? 'preemptionPolicy' and coalesce(p_spec ->> 'preemptionPolicy', '') not in ('PreemptLowerPriority', 'Never') then
    return 'spec.preemptionPolicy must be PreemptLowerPriority or Never';
  end if;
  if p_spec ? 'priorityClassName' and not (jsonb_typeof(p_spec -> 'priorityClassName') = 'string' and stark_internal.is_dns_name(p_spec ->> 'priorityClassName')) then
    return 'spec.priorityClassName must be the name of a priority class';
  end if;
  if p_spec ? 'resources' then
    select k into v_key from jsonb_object_keys(p_spec -> 'resources') k where k not in ('requests', 'limits') limit 1;
    if found then
      return format('spec.resources has no field %s', to_json(left(v_key, 80)));
    end if;
    if p_spec -> 'resources' ? 'requests'
       and stark_internal.resources_problem(p_spec #> '{resources,requests}', 'spec.resources.requests') is not null then
      return stark_internal.resources_problem(p_spec #> '{resources,requests}', 'spec.resources.requests');
    end if;
    if p_spec -> 'resources' ? 'limits'
       and stark_internal.resources_problem(p_spec #> '{resources,limits}', 'spec.resources.limits') is not null then
      return stark_internal.resources_problem(p_spec #> '{resources,limits}', 'spec.resources.limits');
    end if;
  end if;
  if p_spec ? 'env' and exists (
    select from jsonb_each(p_spec -> 'env') e where jsonb_typeof(e.value) <> 'string' or e.key !~ '^[A-Za-z_][A-Za-z0-9_]{0,127}$'
  ) then
    return 'spec.env must be an object of strings whose keys are variable names';
  end if;
  if p_spec ? 'ports' and stark_internal.ports_problem(p_spec -> 'ports') is not null then
    return 'spec.ports: ' || stark_internal.ports_problem(p_spec -> 'ports');
  end if;
  if p_spec ? 'restartPolicy' and coalesce(p_spec ->> 'restartPolicy', '') not in ('Always', 'OnFailure', 'Never') then
    return 'spec.restartPolicy must be Always, OnFailure or Never';
  end if;
  if p_spec ? 'isolation' and coalesce(p_spec ->> 'isolation', '') not in ('process', 'worker') then
    return 'spec.isolation must be process or worker';
  end if;
  if p_spec ? 'terminationGracePeriodSeconds'
     and not stark_internal.is_whole(p_spec -> 'terminationGracePeriodSeconds', 0, 3600) then
    return 'spec.terminationGracePeriodSeconds must be a whole number from 0 to 3600';
  end if;
  return (
    select stark_internal.probe_problem(p_spec -> k, 'spec.' || k, p_spec -> 'ports')
    from unnest(array['startupProbe', 'readinessProbe', 'livenessProbe']) with ordinality u (k, ord)
    where p_spec ? k and stark_internal.probe_problem(p_spec -> k, 'spec.' || k, p_spec -> 'ports') is not null
    order by ord limit 1);
end;
$$;
comment on function stark_internal.spec_problem(jsonb) is 'What is wrong with this pod spec; null when nothing is.';
revoke all on function stark_internal.spec_problem(jsonb) from public, anon;
