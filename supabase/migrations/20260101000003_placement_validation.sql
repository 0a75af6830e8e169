-- What a pod's spec may ask of nodes and of other pods: Kubernetes' affinity and topology spread constraints. Unknown fields are
-- refused, since a term that nothing looks at would be worse than none.

/** stark_internal.label_selector_problem(selector, what): {matchLabels?, matchExpressions?} with In, NotIn, Exists, DoesNotExist. */
create function stark_internal.label_selector_problem(p_selector jsonb, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if p_selector is null or p_selector = 'null' then
    return null;
  elsif jsonb_typeof(p_selector) <> 'object' or stark_internal.unknown_field(p_selector, array['matchLabels', 'matchExpressions']) is not null then
    return format('%s is {matchLabels, matchExpressions}', p_what);
  elsif p_selector ? 'matchLabels' and stark_internal.labels_problem(p_selector -> 'matchLabels') is not null then
    return format('%s.matchLabels: %s', p_what, stark_internal.labels_problem(p_selector -> 'matchLabels'));
  elsif p_selector ? 'matchExpressions' and stark_internal.requirements_problem(p_selector -> 'matchExpressions', p_what || '.matchExpressions') is not null then
    return stark_internal.requirements_problem(p_selector -> 'matchExpressions', p_what || '.matchExpressions');
  elsif p_selector ? 'matchExpressions' and exists (select from jsonb_array_elements(p_selector -> 'matchExpressions') r where r ->> 'operator' in ('Gt', 'Lt')) then
    return format('%s.matchExpressions: Gt and Lt are for nodes', p_what);
  end if;
  return null;
end;
$$;
comment on function stark_internal.label_selector_problem(jsonb, text) is 'What is wrong with this label selector; null when nothing is.';
revoke all on function stark_internal.label_selector_problem(jsonb, text) from public, anon;

/** stark_internal.topology_key_problem(key, what): the key of a label. */
create function stark_internal.topology_key_problem(p_key jsonb, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if coalesce(jsonb_typeof(p_key), '') <> 'string' or not stark_internal.is_label_key(p_key #>> '{}') then
    return format('%s.topologyKey must be the key of a node label', p_what);
  end if;
  return null;
end;
$$;
comment on function stark_internal.topology_key_problem(jsonb, text) is 'What is wrong with this topology key; null when nothing is.';
revoke all on function stark_internal.topology_key_problem(jsonb, text) from public, anon;

/**
 * stark_internal.label_keys_problem(owner, field, what): keys of the pod's own labels, {labelSelector, matchLabelKeys?,
 * mismatchLabelKeys?}. A key says which pods, so it goes with a selector, and is not in it as well.
 */
create function stark_internal.label_keys_problem(p_owner jsonb, p_field text, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_keys jsonb := p_owner -> p_field;
begin
  if v_keys is null or v_keys = '[]' then
    return null;
  elsif jsonb_typeof(v_keys) <> 'array' or jsonb_array_length(v_keys) > 64
        or exists (select from jsonb_array_elements(v_keys) k where jsonb_typeof(k) <> 'string' or not stark_internal.is_label_key(k #>> '{}')) then
    return format('%s.%s must be a list of at most 64 keys of labels', p_what, p_field);
  elsif coalesce(jsonb_typeof(p_owner -> 'labelSelector'), '') <> 'object' then
    return format('%s.%s goes with labelSelector', p_what, p_field);
  elsif p_field = 'matchLabelKeys' and (
    coalesce(p_owner #> '{labelSelector,matchLabels}', '{}') ?| array(select jsonb_array_elements_text(v_keys))
    or exists (select from jsonb_array_elements(coalesce(p_owner #> '{labelSelector,matchExpressions}', '[]')) r where v_keys ? (r ->> 'key'))
    or exists (select from jsonb_array_elements_text(coalesce(nullif(p_owner -> 'mismatchLabelKeys', 'null'), '[]')) k where v_keys ? k)) then
    return format('%s.%s has a key that is in labelSelector or mismatchLabelKeys', p_what, p_field);
  end if;
  return null;
end;
$$;
comment on function stark_internal.label_keys_problem(jsonb, text, text) is 'What is wrong with these keys of the pod''s own labels; null when nothing is.';
revoke all on function stark_internal.label_keys_problem(jsonb, text, text) from public, anon;

/** stark_internal.pod_term_problem(term, what): {labelSelector?, matchLabelKeys?, mismatchLabelKeys?, namespaces?, namespaceSelector?, topologyKey}. */
create function stark_internal.pod_term_problem(p_term jsonb, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_known constant text[] := array['labelSelector', 'matchLabelKeys', 'mismatchLabelKeys', 'namespaces', 'namespaceSelector', 'topologyKey'];
begin
  if coalesce(jsonb_typeof(p_term), '') <> 'object' then
    return format('%s must be an object', p_what);
  elsif stark_internal.unknown_field(p_term, v_known) is not null then
    return format('%s has no field %s', p_what, stark_internal.unknown_field(p_term, v_known));
  elsif p_term ? 'namespaces' and (jsonb_typeof(p_term -> 'namespaces') <> 'array'
    or exists (select from jsonb_array_elements(p_term -> 'namespaces') n where jsonb_typeof(n) <> 'string' or not stark_internal.is_dns_label(n #>> '{}'))) then
    return format('%s.namespaces must be a list of names', p_what);
  end if;
  return coalesce(stark_internal.topology_key_problem(p_term -> 'topologyKey', p_what),
    stark_internal.label_selector_problem(p_term -> 'labelSelector', p_what || '.labelSelector'),
    stark_internal.label_selector_problem(p_term -> 'namespaceSelector', p_what || '.namespaceSelector'),
    stark_internal.label_keys_problem(p_term, 'mismatchLabelKeys', p_what),
    stark_internal.label_keys_problem(p_term, 'matchLabelKeys', p_what));
end;
$$;
comment on function stark_internal.pod_term_problem(jsonb, text) is 'What is wrong with this pod affinity term; null when nothing is.';
revoke all on function stark_internal.pod_term_problem(jsonb, text) from public, anon;

/** stark_internal.node_term_problem(term, what): {matchExpressions?, matchFields?}; matchFields knows metadata.name with In and NotIn, one name each. */
create function stark_internal.node_term_problem(p_term jsonb, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if coalesce(jsonb_typeof(p_term), '') <> 'object' or stark_internal.unknown_field(p_term, array['matchExpressions', 'matchFields']) is not null then
    return format('%s is {matchExpressions, matchFields}', p_what);
  end if;
  return coalesce(
    p_what || ': ' || stark_internal.requirements_problem(coalesce(p_term -> 'matchExpressions', '[]'), 'matchExpressions'),
    p_what || ': ' || stark_internal.requirements_problem(coalesce(p_term -> 'matchFields', '[]'), 'matchFields', false),
    case when exists (
      select from jsonb_array_elements(coalesce(p_term -> 'matchFields', '[]')) f
      where f ->> 'key' <> 'metadata.name' or f ->> 'operator' not in ('In', 'NotIn')
         or jsonb_array_length(f -> 'values') <> 1 or not stark_internal.is_dns_name(f #>> '{values,0}'))
    then p_what || ': matchFields knows metadata.name with In and NotIn only, and the name of one node' end);
end;
$$;
comment on function stark_internal.node_term_problem(jsonb, text) is 'What is wrong with this node selector term; null when nothing is.';
revoke all on function stark_internal.node_term_problem(jsonb, text) from public, anon;

/** stark_internal.weighted_problem(list, term, what): a list of {weight, <term>}. */
create function stark_internal.weighted_problem(p_list jsonb, p_term text, p_what text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_problem text;
begin
  if jsonb_typeof(p_list) <> 'array' or jsonb_array_length(p_list) > 64 then
    return format('%s must be a list of at most 64', p_what);
  end if;
  select coalesce(
      case when jsonb_typeof(t) <> 'object' or stark_internal.unknown_field(t, array['weight', p_term]) is not null or not stark_internal.is_whole(t -> 'weight', 1, 100)
        then format('each of %s is {weight: 1 to 100, %s}', p_what, p_term) end,
      case p_term when 'preference' then stark_internal.node_term_problem(t -> p_term, p_what || '.' || p_term)
                  else stark_internal.pod_term_problem(t -> p_term, p_what || '.' || p_term) end) as problem into v_problem
    from jsonb_array_elements(p_list) t
    order by problem limit 1;
  return v_problem;
end;
$$;
comment on function stark_internal.weighted_problem(jsonb, text, text) is 'What is wrong with these preferred terms; null when nothing is.';
revoke all on function stark_internal.weighted_problem(jsonb, text, text) from public, anon;

/** stark_internal.affinity_problem(affinity): Kubernetes' nodeAffinity, podAffinity and podAntiAffinity, required and preferred. */
create function stark_internal.affinity_problem(p_affinity jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_required constant text := 'requiredDuringSchedulingIgnoredDuringExecution';
  v_preferred constant text := 'preferredDuringSchedulingIgnoredDuringExecution';
  v_terms jsonb := p_affinity #> array['nodeAffinity', v_required, 'nodeSelectorTerms'];
  v_part text;
  v_what text;
  v_problem text;
begin
  if jsonb_typeof(p_affinity) <> 'object' then
    return 'spec.affinity must be an object';
  elsif stark_internal.unknown_field(p_affinity, array['nodeAffinity', 'podAffinity', 'podAntiAffinity']) is not null then
    return format('spec.affinity has no field %s', stark_internal.unknown_field(p_affinity, array['nodeAffinity', 'podAffinity', 'podAntiAffinity']));
  end if;
  foreach v_part in array array['nodeAffinity', 'podAffinity', 'podAntiAffinity'] loop
    v_what := 'spec.affinity.' || v_part;
    continue when not p_affinity ? v_part;
    if jsonb_typeof(p_affinity -> v_part) <> 'object' then
      return format('%s must be an object', v_what);
    elsif stark_internal.unknown_field(p_affinity -> v_part, array[v_required, v_preferred]) is not null then
      return format('%s has no field %s', v_what, stark_internal.unknown_field(p_affinity -> v_part, array[v_required, v_preferred]));
    end if;
    if p_affinity -> v_part ? v_preferred then
      v_problem := stark_internal.weighted_problem(p_affinity #> array[v_part, v_preferred], case v_part when 'nodeAffinity' then 'preference' else 'podAffinityTerm' end, v_what || '.' || v_preferred);
      if v_problem is not null then
        return v_problem;
      end if;
    end if;
    continue when v_part = 'nodeAffinity' or not p_affinity -> v_part ? v_required;
    if jsonb_typeof(p_affinity #> array[v_part, v_required]) <> 'array' or jsonb_array_length(p_affinity #> array[v_part, v_required]) > 64 then
      return format('%s.%s must be a list of at most 64', v_what, v_required);
    end if;
    select stark_internal.pod_term_problem(t, v_what || '.' || v_required) as problem into v_problem
      from jsonb_array_elements(p_affinity #> array[v_part, v_required]) t order by problem limit 1;
    if v_problem is not null then
      return v_problem;
    end if;
  end loop;
  -- Each is a question about every pod there is, asked with each pass.
  if (select sum(jsonb_array_length(coalesce(p_affinity #> array[p, k], '[]')))
      from unnest(array['podAffinity', 'podAntiAffinity']) p, unnest(array[v_required, v_preferred]) k) > 16 then
    return 'spec.affinity has at most 16 terms about other pods';
  end if;
  if p_affinity -> 'nodeAffinity' ? v_required then
    v_what := format('spec.affinity.nodeAffinity.%s.nodeSelectorTerms', v_required);
    if jsonb_typeof(v_terms) is distinct from 'array' or jsonb_array_length(v_terms) not between 1 and 64
       or stark_internal.unknown_field(p_affinity #> array['nodeAffinity', v_required], array['nodeSelectorTerms']) is not null then
      return format('%s must be a list of 1 to 64, and stands alone', v_what);
    end if;
    select stark_internal.node_term_problem(t, v_what) as problem into v_problem from jsonb_array_elements(v_terms) t order by problem limit 1;
  end if;
  return v_problem;
end;
$$;
comment on function stark_internal.affinity_problem(jsonb) is 'What is wrong with this affinity; null when nothing is.';
revoke all on function stark_internal.affinity_problem(jsonb) from public, anon;

/** stark_internal.topology_spread_problem(constraints): {maxSkew, topologyKey, whenUnsatisfiable, labelSelector?, matchLabelKeys?, minDomains?, nodeAffinityPolicy?, nodeTaintsPolicy?}, each topologyKey and whenUnsatisfiable once. */
create function stark_internal.topology_spread_problem(p_constraints jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_known constant text[] := array['maxSkew', 'topologyKey', 'whenUnsatisfiable', 'labelSelector', 'matchLabelKeys', 'minDomains', 'nodeAffinityPolicy', 'nodeTaintsPolicy'];
  v_what constant text := 'spec.topologySpreadConstraints';
  v_problem text;
begin
  if jsonb_typeof(p_constraints) <> 'array' or jsonb_array_length(p_constraints) > 16 then
    return format('%s must be a list of at most 16', v_what);
  end if;
  select coalesce(
      case
        when jsonb_typeof(c) <> 'object' then format('each of %s must be an object', v_what)
        when stark_internal.unknown_field(c, v_known) is not null then format('%s has no field %s', v_what, stark_internal.unknown_field(c, v_known))
        when not stark_internal.is_whole(coalesce(c -> 'maxSkew', 'null'), 1, 10000) then format('%s.maxSkew must be a whole number from 1', v_what)
        when coalesce(c ->> 'whenUnsatisfiable', '') not in ('DoNotSchedule', 'ScheduleAnyway') then format('%s.whenUnsatisfiable must be DoNotSchedule or ScheduleAnyway', v_what)
        when c ? 'minDomains' and (not stark_internal.is_whole(c -> 'minDomains', 1, 10000) or c ->> 'whenUnsatisfiable' <> 'DoNotSchedule')
          then format('%s.minDomains must be a whole number from 1, and goes with DoNotSchedule', v_what)
        when coalesce(c ->> 'nodeAffinityPolicy', 'Honor') not in ('Honor', 'Ignore') or coalesce(c ->> 'nodeTaintsPolicy', 'Ignore') not in ('Honor', 'Ignore')
          then format('%s: nodeAffinityPolicy and nodeTaintsPolicy are Honor or Ignore', v_what)
      end,
      stark_internal.topology_key_problem(c -> 'topologyKey', v_what),
      stark_internal.label_selector_problem(c -> 'labelSelector', v_what || '.labelSelector'),
      stark_internal.label_keys_problem(c, 'matchLabelKeys', v_what)) as problem into v_problem
    from jsonb_array_elements(p_constraints) c
    order by problem limit 1;
  if v_problem is null and (select count(distinct (c ->> 'topologyKey', c ->> 'whenUnsatisfiable')) < count(*) from jsonb_array_elements(p_constraints) c) then
    return format('two of %s have the same topologyKey and whenUnsatisfiable', v_what);
  end if;
  return v_problem;
end;
$$;
comment on function stark_internal.topology_spread_problem(jsonb) is 'What is wrong with these spread constraints; null when nothing is.';
revoke all on function stark_internal.topology_spread_problem(jsonb) from public, anon;
