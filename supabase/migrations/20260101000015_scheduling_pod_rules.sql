-- Rules about other pods: affinity, anti-affinity, topology spread. The pods that a rule selects are counted once at
-- the start of a pass; each pod that the pass places is added to the counts.

-- The working tables belong to the session; functions are checked against them when they are created.
select stark_internal.open_tables();

/** stark_internal.matches_selector(labels, selector): Kubernetes' label selector. An empty one matches everything, a null one nothing; NotIn and DoesNotExist match a missing key. */
create function stark_internal.matches_selector(p_labels jsonb, p_selector jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if p_selector is null or p_selector = 'null' then
    return false;
  end if;
  return p_labels @> coalesce(p_selector -> 'matchLabels', '{}')
    and not exists (
      select from jsonb_array_elements(coalesce(p_selector -> 'matchExpressions', '[]')) r
      where not case r ->> 'operator'
        when 'In' then p_labels ? (r ->> 'key') and (r -> 'values') ? (p_labels ->> (r ->> 'key'))
        when 'NotIn' then not (p_labels ? (r ->> 'key') and (r -> 'values') ? (p_labels ->> (r ->> 'key')))
        when 'Exists' then p_labels ? (r ->> 'key')
        when 'DoesNotExist' then not p_labels ? (r ->> 'key')
        else false end);
end;
$$;
comment on function stark_internal.matches_selector(jsonb, jsonb) is 'Whether labels match a label selector.';
revoke all on function stark_internal.matches_selector(jsonb, jsonb) from public, anon;

/** stark_internal.matches_terms(namespace, labels, terms): all of the terms {namespaces, selector} match. */
create function stark_internal.matches_terms(p_namespace text, p_labels jsonb, p_terms jsonb)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return not exists (
    select from jsonb_array_elements(p_terms) t
    where not (t -> 'namespaces' ? p_namespace and stark_internal.matches_selector(p_labels, t -> 'selector')));
end;
$$;
comment on function stark_internal.matches_terms(text, jsonb, jsonb) is 'Whether a pod matches all of these terms.';
revoke all on function stark_internal.matches_terms(text, jsonb, jsonb) from public, anon;

/** stark_internal.resolve_term(namespace, term) -> {namespaces, selector}: which pods a term of a pod in this namespace selects. Namespaces listed and selected are joined; neither means the pod's own. */
create function stark_internal.resolve_term(p_namespace text, p_term jsonb)
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
select jsonb_build_object(
  'selector', p_term -> 'labelSelector',
  'namespaces', case
    when jsonb_array_length(coalesce(p_term -> 'namespaces', '[]')) = 0 and coalesce(p_term -> 'namespaceSelector', 'null') = 'null'
      then jsonb_build_array(p_namespace)
    else (
      select coalesce(jsonb_agg(n.name order by n.name), '[]') from stark.namespaces n
      where coalesce(p_term -> 'namespaces', '[]') ? n.name or stark_internal.matches_selector(n.labels, p_term -> 'namespaceSelector'))
  end);
$$;
comment on function stark_internal.resolve_term(text, jsonb) is 'The pods that a term speaks of.';
revoke all on function stark_internal.resolve_term(text, jsonb) from public, anon;

/** stark_internal.rules_of(namespace, rules): the rules of a pod in this namespace, one a row. */
create function stark_internal.rules_of(p_namespace text, p_rules jsonb)
returns table (kind text, terms jsonb, topology_key text, weight integer, max_skew integer, min_domains integer, honors_affinity boolean, honors_taints boolean)
language sql
stable
set search_path = pg_temp
as $$
with affinity as (
  select t as term from jsonb_array_elements(coalesce(p_rules #> '{podAffinity,requiredDuringSchedulingIgnoredDuringExecution}', '[]')) t
)
-- One pod that is there must satisfy all required terms, so these share one set of pods.
select 'affinity', (select jsonb_agg(stark_internal.resolve_term(p_namespace, a.term)) from affinity a), a.term ->> 'topologyKey', null::integer, null::integer, null::integer, null::boolean, null::boolean
from affinity a
union all
-- A required affinity of a placed pod is a preference for later pods: Kubernetes' hardPodAffinityWeight, which is 1.
select 'company', jsonb_build_array(stark_internal.resolve_term(p_namespace, a.term)), a.term ->> 'topologyKey', 1, null, null, null, null
from affinity a
union all
select 'anti_affinity', jsonb_build_array(stark_internal.resolve_term(p_namespace, t)), t ->> 'topologyKey', null, null, null, null, null
from jsonb_array_elements(coalesce(p_rules #> '{podAntiAffinity,requiredDuringSchedulingIgnoredDuringExecution}', '[]')) t
union all
select 'prefer', jsonb_build_array(stark_internal.resolve_term(p_namespace, t -> 'podAffinityTerm')), t #>> '{podAffinityTerm,topologyKey}',
       s.sign * (t ->> 'weight')::integer, null, null, null, null
from (values (1, 'podAffinity'), (-1, 'podAntiAffinity')) as s (sign, field)
cross join lateral jsonb_array_elements(coalesce(p_rules #> array[s.field, 'preferredDuringSchedulingIgnoredDuringExecution'], '[]')) t
union all
select case when t ->> 'whenUnsatisfiable' = 'ScheduleAnyway' then 'prefer_spread' else 'spread' end,
       jsonb_build_array(stark_internal.resolve_term(p_namespace, t)), t ->> 'topologyKey', null, (t ->> 'maxSkew')::integer, (t ->> 'minDomains')::integer,
       coalesce(t ->> 'nodeAffinityPolicy', 'Honor') = 'Honor', coalesce(t ->> 'nodeTaintsPolicy', 'Ignore') = 'Honor'
from jsonb_array_elements(coalesce(p_rules -> 'topologySpreadConstraints', '[]')) t;
$$;
comment on function stark_internal.rules_of(text, jsonb) is 'Rules of a pod about other pods, one a row.';
revoke all on function stark_internal.rules_of(text, jsonb) from public, anon;

/** stark_internal.load_holders() -> whether a placed pod wants others near or away. Reads pods and the working table of nodes; writes that of holders. */
create function stark_internal.load_holders()
returns boolean
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  insert into pg_temp.pass_holders
    select p.namespace, stark_internal.with_label_keys(p.spec -> 'affinity', p.labels), n.node_no, count(*)
    from stark.pods p join pg_temp.pass_nodes n on n.node_id = p.node_id
    where p.spec -> 'affinity' ?| array['podAffinity', 'podAntiAffinity'] and stark_internal.occupies(p.status)
    group by 1, 2, 3;
  return found;
end;
$$;
comment on function stark_internal.load_holders() is 'Fills the working table of placed pods with rules about others.';
revoke all on function stark_internal.load_holders() from public, anon;

/**
 * stark_internal.load_selectors(): the rules of pending pods, numbered by what they say, and each selector that they or the rules of placed pods name, once. Reads the
 * working tables of pods and holders; writes those of selectors and rules, and rules_no of pods.
 */
create function stark_internal.load_selectors()
returns void
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  with rule_sets as materialized (
    select w.*, row_number() over (order by w.namespace, w.rules::text) as rules_no
    from (select distinct p.namespace, p.rules from pg_temp.pass_pods p where p.rules is not null) w
  ), wanted as materialized (
    select w.rules_no, r.* from rule_sets w cross join lateral stark_internal.rules_of(w.namespace, w.rules) r
  ), held as materialized (
    select distinct r.terms
    from (select distinct h.namespace, h.rules from pg_temp.pass_holders h) h
    cross join lateral stark_internal.rules_of(h.namespace, h.rules) r
    where r.kind in ('anti_affinity', 'prefer', 'company')
  ), selectors as (
    insert into pg_temp.pass_selectors (terms, namespaces, match_labels)
      select t.terms,
             case when s.is_simple then array(select jsonb_array_elements_text(t.terms #> '{0,namespaces}')) end,
             case when s.is_simple then coalesce(t.terms #> '{0,selector,matchLabels}', '{}') end
      from (select w.terms from wanted w union select h.terms from held h) t
      cross join lateral (
        select jsonb_array_length(t.terms) = 1 and jsonb_typeof(t.terms #> '{0,selector}') = 'object'
               and coalesce(t.terms #> '{0,selector,matchExpressions}', '[]') = '[]' as is_simple) s
      order by t.terms::text
      returning *
  ), rules as (
    insert into pg_temp.pass_rules
      select w.rules_no, w.kind, s.selector_no, w.topology_key, w.weight, w.max_skew, w.min_domains, w.honors_affinity, w.honors_taints
      from wanted w join selectors s using (terms)
  )
  update pg_temp.pass_pods p set rules_no = w.rules_no
    from rule_sets w where w.namespace = p.namespace and w.rules = p.rules;
end;
$$;
comment on function stark_internal.load_selectors() is 'Fills the working tables of rules and selectors.';
revoke all on function stark_internal.load_selectors() from public, anon;

/** stark_internal.match_pending_pods(): which selectors match each pending pod. Reads the working table of selectors; writes matches of pods. */
create function stark_internal.match_pending_pods()
returns void
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  -- Pods whose labels match the same selectors are equal to the pass.
  update pg_temp.pass_pods p set matches = m.matches
    from (
      select d.namespace, d.labels, array_agg(s.selector_no order by s.selector_no) as matches
      from (select distinct p.namespace, p.labels from pg_temp.pass_pods p) d
      join pg_temp.pass_selectors s on case
        when s.match_labels is not null then d.namespace = any (s.namespaces) and d.labels @> s.match_labels
        else stark_internal.matches_terms(d.namespace, d.labels, s.terms) end
      group by d.namespace, d.labels) m
    where p.namespace = m.namespace and p.labels = m.labels;
end;
$$;
comment on function stark_internal.match_pending_pods() is 'Notes which selectors match pending pods.';
revoke all on function stark_internal.match_pending_pods() from public, anon;

/**
 * stark_internal.load_counts(): how many placed pods each selector that a rule of a pending pod uses matches on each node. Reads pods and the working tables
 * of nodes, selectors and rules; writes that of counts.
 */
create function stark_internal.load_counts()
returns void
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  insert into pg_temp.pass_counts
    select s.selector_no, n.node_no, count(*), count(*) filter (where p.status <> 'stopping')
    from stark.pods p
    join pg_temp.pass_nodes n on n.node_id = p.node_id
    join pg_temp.pass_selectors s on p.namespace = any (s.namespaces) and p.labels @> s.match_labels
    where stark_internal.occupies(p.status) and s.match_labels is not null and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)
    group by s.selector_no, n.node_no;
  if exists (select from pg_temp.pass_selectors s where s.match_labels is null and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)) then
    -- Selectors with more than labels take long to ask, so pods of one kind are asked once, however many there are.
    with there as materialized (
      select p.namespace, p.labels, n.node_no, count(*) as pods, count(*) filter (where p.status <> 'stopping') as staying
      from stark.pods p join pg_temp.pass_nodes n on n.node_id = p.node_id
      where stark_internal.occupies(p.status)
      group by 1, 2, 3
    ), matched as materialized (
      select d.namespace, d.labels, s.selector_no
      from (select distinct t.namespace, t.labels from there t) d
      join pg_temp.pass_selectors s on stark_internal.matches_terms(d.namespace, d.labels, s.terms)
      where s.match_labels is null and s.selector_no in (select r.selector_no from pg_temp.pass_rules r)
    )
    insert into pg_temp.pass_counts
      select m.selector_no, t.node_no, sum(t.pods), sum(t.staying) from there t join matched m using (namespace, labels) group by 1, 2;
  end if;
end;
$$;
comment on function stark_internal.load_counts() is 'Fills the working table of counts.';
revoke all on function stark_internal.load_counts() from public, anon;

/**
 * stark_internal.load_stances(): what placed pods want of the pods that a selector matches: to keep them away, or near. Reads the working tables of holders and
 * selectors; writes those of anti-affinity counts and preferences.
 */
create function stark_internal.load_stances()
returns void
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  with stances as materialized (
    select h.namespace, h.rules, s.selector_no, r.kind, r.topology_key, sum(r.weight) as weight
    from (select distinct h.namespace, h.rules from pg_temp.pass_holders h) h
    cross join lateral stark_internal.rules_of(h.namespace, h.rules) r
    join pg_temp.pass_selectors s using (terms)
    where r.kind in ('anti_affinity', 'prefer', 'company')
    group by 1, 2, 3, 4, 5
  ), anti_affinity_counts as (
    insert into pg_temp.pass_anti_affinity_counts
      select s.selector_no, s.topology_key, h.node_no, sum(h.pods)
      from pg_temp.pass_holders h join stances s using (namespace, rules)
      where s.kind = 'anti_affinity'
      group by 1, 2, 3
  )
  insert into pg_temp.pass_preferences
    select s.selector_no, s.topology_key, h.node_no, sum(s.weight * h.pods)
    from pg_temp.pass_holders h join stances s using (namespace, rules)
    where s.kind <> 'anti_affinity'
    group by 1, 2, 3;
end;
$$;
comment on function stark_internal.load_stances() is 'Fills the working tables of what placed pods want of others.';
revoke all on function stark_internal.load_stances() from public, anon;

/**
 * stark_internal.load_domains(): the domains of every topology key that a rule of anybody names. Reads the working tables of nodes, rules, anti-affinity counts
 * and preferences; writes that of domains.
 */
create function stark_internal.load_domains()
returns void
language plpgsql
volatile
set search_path = pg_temp
set enable_sort = off
set jit = off
as $$
begin
  insert into pg_temp.pass_domains
    select k.topology_key, n.node_no, n.labels ->> k.topology_key
    from (select r.topology_key from pg_temp.pass_rules r union select b.topology_key from pg_temp.pass_anti_affinity_counts b
          union select w.topology_key from pg_temp.pass_preferences w) k
    join pg_temp.pass_nodes n on n.labels ? k.topology_key;
end;
$$;
comment on function stark_internal.load_domains() is 'Fills the working table of domains.';
revoke all on function stark_internal.load_domains() from public, anon;

/**
 * stark_internal.load_rules() -> whether any rule about other pods is in play: fills the working tables that filters, scores and picks read of it. Needs those of nodes
 * and pods; leaves all others empty where nobody speaks of others. Equal rules have one number, and equal selectors too; nodes without a topology key are in no domain.
 */
create function stark_internal.load_rules()
returns boolean
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_holders boolean := stark_internal.load_holders();
begin
  if not v_holders and not exists (select from pg_temp.pass_pods p where p.rules is not null) then
    return false;
  end if;
  perform stark_internal.load_selectors();
  perform stark_internal.match_pending_pods();
  perform stark_internal.load_counts();
  if v_holders then
    perform stark_internal.load_stances();
  end if;
  perform stark_internal.load_domains();
  return true;
end;
$$;
comment on function stark_internal.load_rules() is 'Fills the working tables of rules about other pods.';
revoke all on function stark_internal.load_rules() from public, anon;

/**
 * stark_internal.is_first_of_its_kind(group): the group wants to be near its own kind, and none of that kind is in any domain of the
 * topology keys it names. As in Kubernetes such a pod may go wherever the keys are; pods on nodes without them do not count.
 */
create function stark_internal.is_first_of_its_kind(p_group stark_internal.pod_group)
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return p_group.rules_no is not null
    and exists (
      select from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'affinity' and r.selector_no = any (p_group.matches))
    and not exists (
      select from pg_temp.pass_rules r
      join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
      where r.rules_no = p_group.rules_no and r.kind = 'affinity');
end;
$$;
comment on function stark_internal.is_first_of_its_kind(stark_internal.pod_group) is 'Whether a group wants to be near its own kind and is the first of it.';
revoke all on function stark_internal.is_first_of_its_kind(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_pod_affinity(group): nodes in whose domain no pod satisfies the required affinity terms. The first of its kind may go anywhere that has the topology keys. */
create function stark_internal.filter_pod_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language sql
stable
set search_path = pg_temp
as $$
with rules as materialized (
  select r.topology_key, r.selector_no from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'affinity'
), held as materialized (
  select distinct d.topology_key, d.domain
  from rules r join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
), first as materialized (
  select stark_internal.is_first_of_its_kind(p_group) as is_first
)
select distinct n.node_no, null::text
from (select r.topology_key, m.node_no from rules r cross join pg_temp.pass_nodes m) n
cross join first f
left join pg_temp.pass_domains d using (topology_key, node_no)
left join held h using (topology_key, domain)
where d.domain is null or (h.domain is null and not f.is_first);
$$;
comment on function stark_internal.filter_pod_affinity(stark_internal.pod_group) is 'Rejects nodes without the company that is required.';
revoke all on function stark_internal.filter_pod_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_pod_anti_affinity(group): nodes in whose domain stands a pod that the group wants to keep away from. */
create function stark_internal.filter_pod_anti_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language sql
stable
set search_path = pg_temp
as $$
with rules as materialized (
  select r.topology_key, r.selector_no from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'anti_affinity'
), held as materialized (
  select distinct d.topology_key, d.domain
  from rules r join pg_temp.pass_counts c using (selector_no) join pg_temp.pass_domains d using (topology_key, node_no)
)
select distinct d.node_no, null::text from held h join pg_temp.pass_domains d using (topology_key, domain);
$$;
comment on function stark_internal.filter_pod_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that the group keeps away from.';
revoke all on function stark_internal.filter_pod_anti_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.filter_existing_anti_affinity(group): nodes in whose domain stands a pod that keeps pods like these away. */
create function stark_internal.filter_existing_anti_affinity(p_group stark_internal.pod_group)
returns table (node_no integer, detail text)
language sql
stable
set search_path = pg_temp
as $$
with banned as materialized (
  select distinct d.topology_key, d.domain
  from pg_temp.pass_anti_affinity_counts b join pg_temp.pass_domains d using (topology_key, node_no)
  where b.selector_no = any (p_group.matches)
)
select distinct d.node_no, null::text from banned b join pg_temp.pass_domains d using (topology_key, domain);
$$;
comment on function stark_internal.filter_existing_anti_affinity(stark_internal.pod_group) is 'Rejects nodes near pods that keep the group away.';
revoke all on function stark_internal.filter_existing_anti_affinity(stark_internal.pod_group) from public, anon;

/** stark_internal.spread_domains(group, kind): the domains of each spread rule, the pods counted there, and the fewest in any (none while there are fewer domains than minDomains: is_short). Only nodes that the pod itself could use and that have all the keys count. */
create function stark_internal.spread_domains(p_group stark_internal.pod_group, p_kind text)
returns table (selector_no integer, topology_key text, max_skew integer, domain text, pods bigint, fewest bigint, is_short boolean)
language sql
stable
set search_path = pg_temp
as $$
with rules as materialized (
  select row_number() over () as no, r.* from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = p_kind
), off_limits as materialized (
  select f.node_no, true as by_affinity from stark_internal.filter_node_selector(p_group) f where exists (select from rules r where r.honors_affinity)
  union all
  select f.node_no, true from stark_internal.filter_node_affinity(p_group) f where exists (select from rules r where r.honors_affinity)
  union all
  select f.node_no, false from stark_internal.filter_taints(p_group) f where exists (select from rules r where r.honors_taints)
  union all
  select f.node_no, false from stark_internal.filter_unschedulable(p_group) f where exists (select from rules r where r.honors_taints)
), keyed as materialized (
  select t.node_no
  from pg_temp.pass_domains t
  where t.topology_key in (select r.topology_key from rules r)
  group by t.node_no having count(*) = (select count(distinct r.topology_key) from rules r)
), counted as materialized (
  select c.selector_no, c.node_no, sum(c.staying) as pods from pg_temp.pass_counts c where c.selector_no in (select r.selector_no from rules r) group by 1, 2
), domains as materialized (
  select r.no, t.domain, coalesce(sum(c.pods), 0)::bigint as pods
  from rules r
  join pg_temp.pass_domains t using (topology_key)
  join keyed k using (node_no)
  left join counted c using (selector_no, node_no)
  where not (coalesce(r.honors_affinity, false) and t.node_no in (select o.node_no from off_limits o where o.by_affinity))
    and not (coalesce(r.honors_taints, false) and t.node_no in (select o.node_no from off_limits o where not o.by_affinity))
  group by r.no, t.domain
), summed as (
  select d.no, min(d.pods) as fewest, count(*) as domains from domains d group by d.no
)
select r.selector_no, r.topology_key, r.max_skew, d.domain, d.pods,
       case when s.domains < r.min_domains then 0 else s.fewest end, coalesce(s.domains < r.min_domains, false)
from domains d join summed s using (no) join rules r using (no);
$$;
comment on function stark_internal.spread_domains(stark_internal.pod_group, text) is 'Domains of spread rules and the pods in each.';
revoke all on function stark_internal.spread_domains(stark_internal.pod_group, text) from public, anon;

/**
 * stark_internal.filter_topology_spread(group, ahead): nodes whose domain would have too many more pods than the emptiest; nodes
 * without the topology key. ahead: rules that the group's own pods count for do not speak yet, since each pick changes their answer.
 */
create function stark_internal.filter_topology_spread(p_group stark_internal.pod_group, p_ahead boolean default false)
returns table (node_no integer, detail text)
language sql
stable
set search_path = pg_temp
as $$
with rules as materialized (
  select r.selector_no, r.topology_key, r.selector_no = any (coalesce(p_group.matches, '{}')) as is_own
  from pg_temp.pass_rules r where r.rules_no = p_group.rules_no and r.kind = 'spread'
), domains as materialized (
  select d.*, d.pods + r.is_own::integer - d.fewest <= d.max_skew or (p_ahead and r.is_own) as is_open
  from stark_internal.spread_domains(p_group, 'spread') d join rules r using (selector_no, topology_key)
)
select distinct n.node_no, r.topology_key
from rules r
cross join pg_temp.pass_nodes n
left join pg_temp.pass_domains t on t.topology_key = r.topology_key and t.node_no = n.node_no
left join domains d on d.selector_no = r.selector_no and d.topology_key = r.topology_key and d.domain = t.domain
where t.domain is null or d.is_open = false;
$$;
comment on function stark_internal.filter_topology_spread(stark_internal.pod_group, boolean) is 'Rejects nodes whose domain has too many pods already.';
revoke all on function stark_internal.filter_topology_spread(stark_internal.pod_group, boolean) from public, anon;

/** stark_internal.reason_of(filter, detail) -> the reason as people read it. */
create function stark_internal.reason_of(p_filter text, p_detail text)
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return (select format(g.reason, p_detail) from stark_internal.scheduling_plugins g where g.kind = 'filter' and g.name = p_filter);
end;
$$;
comment on function stark_internal.reason_of(text, text) is 'The text of a rejection.';
revoke all on function stark_internal.reason_of(text, text) from public, anon;
