-- Filters: each tells the nodes it rejects for a group, with the detail that its reason names, if any. Only the registry has texts, which are
-- made once, when they are shown. A node may be rejected by several filters, and counts under each. What looks at other pods
-- stands in the next file, and the one after it asks them all.

create table stark_internal.scheduling_plugins (
  kind text not null,
  name text not null,
  is_resolvable boolean,
  reason text,
  what text not null,
  primary key (kind, name),
  constraint kind_is_filter_or_score check (kind in ('filter', 'score')),
  constraint filters_say_whether_preemption_helps check ((kind = 'filter') = (is_resolvable is not null)),
  constraint filters_have_a_reason check ((kind = 'filter') = (reason is not null))
);
comment on table stark_internal.scheduling_plugins is 'Every filter and score of the scheduler; the function is stark_internal.<kind>_<name>. A test finds those that are missing here or never asked.';
comment on column stark_internal.scheduling_plugins.is_resolvable is 'Of a filter: whether a node that it rejects may be opened by pods that leave it, so that preemption looks there.';
comment on column stark_internal.scheduling_plugins.reason is 'Of a filter: the reason as it is shown, with the detail of a rejection in the place of %s.';
comment on column stark_internal.scheduling_plugins.what is 'What it rejects, or what it prefers.';
alter table stark_internal.scheduling_plugins enable row level security;
create policy "nobody reads plugins" on stark_internal.scheduling_plugins for select to authenticated using (false);

insert into stark_internal.scheduling_plugins (kind, name, is_resolvable, reason, what) values
  ('filter', 'runtime', false, 'runtime %s wanted', 'nodes of another runtime than the pack''s'),
  ('filter', 'acceptance', false, 'accepts %s', 'nodes that do not take these pods'),
  ('filter', 'pack_access', false, 'private pack', 'nodes that may not run a private pack'),
  ('filter', 'health', false, 'node %s', 'nodes that are not healthy'),
  ('filter', 'unschedulable', false, 'unschedulable', 'cordoned nodes'),
  ('filter', 'node_name', false, 'node name %s wanted', 'all nodes but the named one'),
  ('filter', 'node_selector', false, 'node selector', 'nodes that lack a wanted label'),
  ('filter', 'node_affinity', false, 'node affinity', 'nodes that required node affinity does not match'),
  ('filter', 'taints', false, 'taint %s', 'nodes with a taint that is not tolerated'),
  ('filter', 'resources', true, 'insufficient %s', 'nodes without room'),
  ('filter', 'ports', true, 'port %s taken', 'nodes where a fixed port is declared by another pod'),
  ('filter', 'pod_affinity', false, 'pod affinity', 'nodes without the company that is required'),
  ('filter', 'pod_anti_affinity', true, 'pod anti-affinity', 'nodes near pods that the group keeps away from'),
  ('filter', 'existing_anti_affinity', true, 'anti-affinity of pods there', 'nodes near pods that keep the group away'),
  ('filter', 'topology_spread', true, 'topology spread %s', 'nodes whose domain has too many pods already'),
  ('score', 'spread', null, null, 'most of the scarcest resource left'),
  ('score', 'least_loaded', null, null, 'most cpu and memory left'),
  ('score', 'bin_pack', null, null, 'least cpu and memory left'),
  ('score', 'random', null, null, 'chance'),
  ('score', 'taints', null, null, 'few taints that would rather not have the pod'),
  ('score', 'node_affinity', null, null, 'preferred node affinity'),
  ('score', 'pod_affinity', null, null, 'preferred company'),
  ('score', 'topology_spread', null, null, 'domains with few pods');

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.filter_runtime(group): nodes of another runtime than the pack's. */
create function stark_internal.filter_runtime(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, p_group.runtime
    from pg_temp.pass_nodes n where p_group.runtime not in ('isomorphic', n.runtime);
end;
$$;
comment on function stark_internal.filter_runtime(stark_internal.pod_group) is 'Rejects nodes of another runtime than the pack''s.';
revoke all on function stark_internal.filter_runtime(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_pack_access(group): a private pack runs only on its owner's nodes or on an admin's. */
create function stark_internal.filter_pack_access(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, null::text
    from pg_temp.pass_nodes n
    where p_group.visibility = 'private'
      and n.owner_id <> p_group.pack_owner
      and n.owner_id not in (
        select b.user_id from stark.role_bindings b join stark.profiles u on u.id = b.user_id and u.disabled_at is null
        where b.role = 'admin' and b.namespace is null);
end;
$$;
comment on function stark_internal.filter_pack_access(stark_internal.pod_group) is 'Rejects nodes that may not run a private pack.';
revoke all on function stark_internal.filter_pack_access(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.filter_acceptance(group): nodes that do not take these pods, by who made them and by whose their pack is. An owner's and an
 * admin's they take always; at owner the pack must be such a one's too, and at namespaces the pod's namespace decides.
 */
create function stark_internal.filter_acceptance(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no,
           case when n.accepts = 'namespaces' then 'pods of other namespaces' when m.is_taken then 'its owner''s packs only' else 'its owner''s pods only' end
    from pg_temp.pass_nodes n
    cross join lateral (
      select p_group.template ? 'admin' or n.owner_id::text is not distinct from p_group.template ->> 'owner'
             or coalesce(p_group.template ->> 'acceptedNamespace' = any (n.accepted_namespaces), false) as is_taken,
             n.accepts <> 'owner' or p_group.template ? 'adminsPack' or n.owner_id::text is not distinct from p_group.template ->> 'packOwner' as is_pack_taken) m
    where n.accepts <> 'anyone' and not (m.is_taken and m.is_pack_taken);
end;
$$;
comment on function stark_internal.filter_acceptance(stark_internal.pod_group) is 'Rejects nodes that take pods of others only.';
revoke all on function stark_internal.filter_acceptance(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_health(group): nodes that are not healthy. */
create function stark_internal.filter_health(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, n.status from pg_temp.pass_nodes n where n.status <> 'healthy';
end;
$$;
comment on function stark_internal.filter_health(stark_internal.pod_group) is 'Rejects nodes that are not healthy.';
revoke all on function stark_internal.filter_health(stark_internal.pod_group) from public, anon;

/** stark_internal.tolerates(tolerations, taint): Kubernetes' rule. No key with Exists tolerates all; no effect means every effect. */
create function stark_internal.tolerates(p_tolerations jsonb, p_taint jsonb)
returns boolean
language sql
immutable
set search_path = pg_temp
as $$
select exists (
  select from jsonb_array_elements(coalesce(p_tolerations, '[]')) t
  where coalesce(t ->> 'effect', '') in ('', p_taint ->> 'effect')
    and case coalesce(t ->> 'operator', 'Equal')
      when 'Exists' then coalesce(t ->> 'key', '') in ('', p_taint ->> 'key')
      else t ->> 'key' = p_taint ->> 'key' and coalesce(t ->> 'value', '') = coalesce(p_taint ->> 'value', '')
    end);
$$;
comment on function stark_internal.tolerates(jsonb, jsonb) is 'Whether one of these tolerations tolerates the taint.';
revoke all on function stark_internal.tolerates(jsonb, jsonb) from public, anon;

/**
 * stark_internal.filter_unschedulable(group): cordoned nodes, unless the taint that stands for it in Kubernetes is tolerated. What leaves a node
 * that is drained must not come back to it, so there only a pod that was made for it is placed.
 */
create function stark_internal.filter_unschedulable(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, null::text from pg_temp.pass_nodes n
    where n.unschedulable
      and ((n.draining and not p_group.template ? 'pinned')
        or not stark_internal.tolerates(p_group.template -> 'tolerations', '{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}'));
end;
$$;
comment on function stark_internal.filter_unschedulable(stark_internal.pod_group) is 'Rejects cordoned nodes.';
revoke all on function stark_internal.filter_unschedulable(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_node_name(group): all but the node that spec.nodeName names. */
create function stark_internal.filter_node_name(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, p_group.template ->> 'nodeName'
    from pg_temp.pass_nodes n where p_group.template ? 'nodeName' and n.name <> p_group.template ->> 'nodeName';
end;
$$;
comment on function stark_internal.filter_node_name(stark_internal.pod_group) is 'Rejects all nodes but the named one.';
revoke all on function stark_internal.filter_node_name(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_node_selector(group): nodes without one of the labels in spec.nodeSelector. */
create function stark_internal.filter_node_selector(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, null::text
    from pg_temp.pass_nodes n where p_group.template ? 'nodeSelector' and not n.labels @> (p_group.template -> 'nodeSelector');
end;
$$;
comment on function stark_internal.filter_node_selector(stark_internal.pod_group) is 'Rejects nodes that lack a wanted label.';
revoke all on function stark_internal.filter_node_selector(stark_internal.pod_group) from public, anon;

/** stark_internal.matching_nodes(terms) -> which nodes match which node selector term. What stands in a term is ANDed; NotIn and DoesNotExist match a missing key; an empty term matches nothing. */
create function stark_internal.matching_nodes(p_terms jsonb)
returns table (node_no integer, term_no bigint)
language sql
stable
set search_path = pg_temp
as $$
-- Requirements become typed rows first, so that no node has to look into JSON more than once for each.
with requirements as materialized (
  select t.no as term_no, r ->> 'operator' as operator, f.is_field, r ->> 'key' as key, v.list,
         case when v.list[1] ~ '^-?\d{1,18}$' then v.list[1]::bigint end as bound
  from jsonb_array_elements(p_terms) with ordinality as t (term, no)
  cross join lateral (values (false, t.term -> 'matchExpressions'), (true, t.term -> 'matchFields')) as f (is_field, list)
  cross join lateral jsonb_array_elements(coalesce(f.list, '[]')) r
  cross join lateral (select array(select jsonb_array_elements_text(coalesce(r -> 'values', '[]'))) as list) v
)
select n.node_no, r.term_no
from requirements r
cross join lateral (
  select m.node_no, case when r.is_field then m.name else m.labels ->> r.key end as value from pg_temp.pass_nodes m
) n
group by n.node_no, r.term_no
having bool_and(case r.operator
  when 'In' then coalesce(n.value = any (r.list), false)
  when 'NotIn' then coalesce(n.value <> all (r.list), true)
  when 'Exists' then n.value is not null
  when 'DoesNotExist' then n.value is null
  when 'Gt' then coalesce(substring(n.value from '^-?\d{1,18}$')::bigint > r.bound, false)
  when 'Lt' then coalesce(substring(n.value from '^-?\d{1,18}$')::bigint < r.bound, false)
  else false end);
$$;
comment on function stark_internal.matching_nodes(jsonb) is 'Which nodes match which of these node selector terms.';
revoke all on function stark_internal.matching_nodes(jsonb) from public, anon;

/** stark_internal.filter_node_affinity(group): nodes that none of the terms of required node affinity matches; an empty list matches nothing. */
create function stark_internal.filter_node_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select n.node_no, null::text
    from pg_temp.pass_nodes n
    where p_group.template ? 'required'
      and n.node_no not in (select m.node_no from stark_internal.matching_nodes(p_group.template -> 'required') m);
end;
$$;
comment on function stark_internal.filter_node_affinity(stark_internal.pod_group) is 'Rejects nodes that required node affinity does not match.';
revoke all on function stark_internal.filter_node_affinity(stark_internal.pod_group) from public, anon;

/**
 * stark_internal.unify_templates(): values of In and NotIn that no node has make no difference; without them, in order, templates
 * that want the same nodes are equal, and their pods one group.
 */
create function stark_internal.unify_templates()
returns void
language sql
volatile
set search_path = pg_temp
set enable_nestloop = off
set jit = off
as $$
with wanted as materialized (
  select row_number() over () as no, d.template from (select distinct p.template from pg_temp.pass_pods p where p.template ? 'required') d
), terms as materialized (
  select w.no, t.term_no, t.term from wanted w cross join lateral jsonb_array_elements(w.template -> 'required') with ordinality as t (term, term_no)
), requirements as materialized (
  select t.no, t.term_no, row_number() over () as requirement_no, r.item, r.item ->> 'key' as key, r.item ->> 'operator' in ('In', 'NotIn') as is_list
  from terms t cross join lateral jsonb_array_elements(coalesce(t.term -> 'matchExpressions', '[]')) as r (item)
), present as (
  select distinct l.key, l.value from pg_temp.pass_nodes n cross join lateral jsonb_each_text(n.labels) l
  where l.key in (select r.key from requirements r where r.is_list)
), lists as (
  select v.requirement_no, jsonb_agg(distinct v.value) as list
  from (
    select r.requirement_no, r.key, x.value from requirements r cross join lateral jsonb_array_elements_text(coalesce(r.item -> 'values', '[]')) as x (value)
    where r.is_list) v
  join present p using (key, value)
  group by v.requirement_no
), expressions as (
  select r.no, r.term_no, jsonb_agg(e.item order by e.item) as list
  from requirements r left join lists l using (requirement_no)
  cross join lateral (select case when r.is_list then jsonb_set(r.item, '{values}', coalesce(l.list, '[]')) else r.item end as item) e
  group by r.no, r.term_no
), unified as (
  select t.no, jsonb_agg(jsonb_build_object('matchFields', coalesce(t.term -> 'matchFields', '[]'), 'matchExpressions', coalesce(e.list, '[]')) order by t.term_no) as required
  from terms t left join expressions e using (no, term_no)
  group by t.no
)
update pg_temp.pass_pods p set template = jsonb_set(p.template, '{required}', u.required)
  from unified u join wanted w using (no)
  where w.template = p.template;
$$;
comment on function stark_internal.unify_templates() is 'Makes templates equal that want the same nodes.';
revoke all on function stark_internal.unify_templates() from public, anon;

/** stark_internal.intolerable_taints(tolerations, effects): taints of these effects that are not tolerated, node by node. */
create function stark_internal.intolerable_taints(p_tolerations jsonb, p_effects text[])
returns table (node_no integer, taint jsonb)
language sql
stable
set search_path = pg_temp
as $$
-- Many nodes have the same taint: each different one is looked at once.
with tainted as materialized (
  select n.node_no, t as taint from pg_temp.pass_nodes n, jsonb_array_elements(n.taints) t
  where n.taints <> '[]' and t ->> 'effect' = any (p_effects)
), refused as materialized (
  select d.taint from (select distinct t.taint from tainted t) d where not stark_internal.tolerates(p_tolerations, d.taint)
)
select t.node_no, t.taint from tainted t join refused r using (taint);
$$;
comment on function stark_internal.intolerable_taints(jsonb, text[]) is 'Taints that these tolerations do not tolerate.';
revoke all on function stark_internal.intolerable_taints(jsonb, text[]) from public, anon;

/**
 * stark_internal.filter_taints(group): nodes with a taint NoSchedule or NoExecute that is not tolerated, one row for each such taint.
 * stark/unisolated is none of them: filter_acceptance says whose pods such a node takes, whatever they tolerate.
 */
create function stark_internal.filter_taints(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select t.node_no, format('%s%s:%s', t.taint ->> 'key', coalesce('=' || nullif(t.taint ->> 'value', ''), ''), t.taint ->> 'effect')
    from stark_internal.intolerable_taints(p_group.template -> 'tolerations', array['NoSchedule', 'NoExecute']) t
    where t.taint ->> 'key' <> 'stark/unisolated';
end;
$$;
comment on function stark_internal.filter_taints(stark_internal.pod_group) is 'Rejects nodes with a taint that is not tolerated.';
revoke all on function stark_internal.filter_taints(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_resources(group): nodes without room, one row for each resource that is short. A zero request always fits; a place for the pod itself always counts. */
create function stark_internal.filter_resources(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  -- Taken out of the group once: a field of it is looked up anew at each use.
  return query
    with wanted as materialized (select p_group.cpu, p_group.memory, p_group.storage)
    select n.node_no, r.resource
    from wanted w
    join pg_temp.pass_nodes n
      on (n.free_cpu < w.cpu and w.cpu > 0) or (n.free_memory < w.memory and w.memory > 0) or (n.free_storage < w.storage and w.storage > 0) or n.free_pods < 1
    cross join lateral (values
      ('cpu', n.free_cpu < w.cpu and w.cpu > 0),
      ('memory', n.free_memory < w.memory and w.memory > 0),
      ('storage', n.free_storage < w.storage and w.storage > 0),
      ('pods', n.free_pods < 1)) as r (resource, short)
    where r.short;
end;
$$;
comment on function stark_internal.filter_resources(stark_internal.pod_group) is 'Rejects nodes without room for one more pod of the group.';
revoke all on function stark_internal.filter_resources(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_ports(group): nodes where a fixed port of the group is declared by another pod, one row for each such port. */
create function stark_internal.filter_ports(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return query
    select t.node_no, t.port::text
    from pg_temp.pass_ports t
    where t.port in (select w::integer from jsonb_array_elements(p_group.template -> 'ports') w)
    group by t.node_no, t.port having sum(t.pods) > 0;
end;
$$;
comment on function stark_internal.filter_ports(stark_internal.pod_group) is 'Rejects nodes where a fixed port is declared by another pod.';
revoke all on function stark_internal.filter_ports(stark_internal.pod_group) from public, anon;
