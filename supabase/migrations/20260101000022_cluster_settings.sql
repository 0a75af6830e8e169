-- Cluster settings: how the one row of the configuration is changed. What it changes for nodes and namespaces is checked here.

/**
 * stark.update_cluster_config(changes, if_version) -> the configuration: only the named settings change, e.g.
 * {"scheduling_policy": "bin_pack"}. Caller: settings:update (admin). Locks: the cluster lock.
 * Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, NAMESPACE_NOT_FOUND, CONFLICT.
 */
create function stark.update_cluster_config(p_changes jsonb, p_if_version bigint default null)
returns stark.cluster_config
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_config stark.cluster_config;
  v_settings jsonb;
  v_key text;
  v_rule text;
begin
  perform stark_internal.require_permission('settings:update');
  perform stark_internal.require_json('p_changes', p_changes, 16384);
  if p_changes is null or jsonb_typeof(p_changes) <> 'object' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_changes must be an object of settings', 'give {"scheduling_policy": "spread"}');
  end if;
  perform stark_internal.lock_cluster();
  select * into v_config from stark.cluster_config c;
  v_settings := to_jsonb(v_config) - array['name', 'updated_at', 'resource_version'];
  select k into v_key from jsonb_object_keys(p_changes) k where not v_settings ? k limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('there is no setting %s', to_json(left(v_key, 80))),
      'known: ' || (select string_agg(k, ', ' order by k) from jsonb_object_keys(v_settings) k));
  end if;
  select e.key into v_key from jsonb_each(p_changes) e
    where jsonb_typeof(e.value) <> jsonb_typeof(v_settings -> e.key)
       or (jsonb_typeof(e.value) = 'number' and not stark_internal.is_whole(e.value, -9223372036854775808, 9223372036854775807))
    limit 1;
  if found then
    perform stark_internal.fail('INVALID_ARGUMENT', format('setting %s cannot be %s', v_key, left((p_changes -> v_key)::text, 80)), 'GET /rest/v1/cluster_config shows every setting');
  end if;
  perform stark_internal.require_version('the configuration', p_if_version, v_config.resource_version);
  if p_changes ? 'default_namespace' then
    perform stark_internal.require_namespace(p_changes ->> 'default_namespace');
  end if;
  if v_settings @> p_changes then
    return v_config;
  end if;
  begin
    execute (select format('update stark.cluster_config c set updated_at = now(), %s where c.name = ($1).name returning *', string_agg(format('%1$I = ($1).%1$I', k), ', '))
             from jsonb_object_keys(p_changes) k)
      using jsonb_populate_record(v_config, p_changes) into v_config;
  exception
    when check_violation then
      get stacked diagnostics v_rule = constraint_name;
      perform stark_internal.fail('INVALID_ARGUMENT', format('the configuration breaks the rule that %s', replace(v_rule, '_', ' ')), 'GET /rest/v1/cluster_config shows every setting');
    when numeric_value_out_of_range then
      perform stark_internal.fail('INVALID_ARGUMENT', 'a setting is too large a number', 'GET /rest/v1/cluster_config shows every setting');
  end;
  if p_changes ?| array['liveness', 'heartbeat_interval', 'heartbeat_timeout'] then
    perform stark_internal.request_sync(array(select n.id from stark.nodes n where n.status in ('healthy', 'unhealthy')));
  end if;
  return v_config;
end;
$$;
comment on function stark.update_cluster_config(jsonb, bigint) is 'Changes settings of the cluster.';
revoke all on function stark.update_cluster_config(jsonb, bigint) from public, anon;
grant execute on function stark.update_cluster_config(jsonb, bigint) to authenticated, service_role;
