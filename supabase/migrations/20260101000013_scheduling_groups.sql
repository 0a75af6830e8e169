-- Scheduling: one set-based pass, filter -> score -> pick -> bind. This file has its vocabulary and its working tables.
--
--   pending pods ──► groups (same constraints, same priority; requests may differ), highest priority first
--     each group ──► filter_*: every node that is rejected, and why          (one function per filter)
--                ──► score_*: every open slot with its score                  (one function per score)
--                ──► pick: the best slots, within the limits of spread and anti-affinity
--     left over  ──► preempt: the node where the least has to go
--   all picks    ──► bind: one update of pods; the rest keeps its reasons, counted per node
--
-- A pass holds the cluster lock and works on temporary tables of its session, emptied at commit: a pass that places ten
-- thousand pods writes each of them once, and leaves no dead rows behind in tables that last.

create type stark_internal.pod_group as (
  priority integer,
  runtime text,
  visibility text,
  pack_owner uuid,
  template jsonb,
  rules_no integer,
  matches integer[],
  preempts boolean,
  cpu bigint,
  memory bigint,
  storage bigint
);
comment on type stark_internal.pod_group is 'Pending pods with the same constraints: cpu, memory and storage are the most that one of them asks for, rules_no names their rules about other pods, matches the selectors that match them.';

create type stark_internal.pod_request as (pod_id uuid, cpu bigint, memory bigint, storage bigint);
comment on type stark_internal.pod_request is 'A pending pod of a group and what it asks for: groups are handed on as lists of them, in the order in which they are served.';

/** stark_internal.placement_template(spec) -> what a spec asks of a node itself: name, labels, tolerations, fixed ports. */
create function stark_internal.placement_template(p_spec jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_ports jsonb;
begin
  if not p_spec ?| array['nodeName', 'nodeSelector', 'tolerations', 'affinity', 'ports'] then
    return '{}';
  end if;
  -- By itself, so that the rest stays an expression without a query.
  if p_spec ? 'ports' then
    v_ports := (select jsonb_agg(p -> 'port' order by p -> 'port') from jsonb_array_elements(p_spec -> 'ports') p where p ? 'port');
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'nodeName', p_spec -> 'nodeName',
    'nodeSelector', p_spec -> 'nodeSelector',
    'tolerations', p_spec -> 'tolerations',
    'ports', v_ports,
    'required', p_spec #> '{affinity,nodeAffinity,requiredDuringSchedulingIgnoredDuringExecution,nodeSelectorTerms}',
    'preferred', nullif(p_spec #> '{affinity,nodeAffinity,preferredDuringSchedulingIgnoredDuringExecution}', '[]')));
end;
$$;
comment on function stark_internal.placement_template(jsonb) is 'What a pod''s spec asks of a node itself.';
revoke all on function stark_internal.placement_template(jsonb) from public, anon;

/**
 * stark_internal.with_label_keys(rules, labels) -> the rules of a pod with these labels: matchLabelKeys and mismatchLabelKeys of a term
 * stand in its label selector, with the pod's own values. Keys that the pod lacks say nothing.
 */
create function stark_internal.with_label_keys(p_rules jsonb, p_labels jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if p_rules is null or strpos(p_rules::text, 'atchLabelKeys') = 0 then
    return p_rules;
  elsif jsonb_typeof(p_rules) = 'array' then
    return (select jsonb_agg(stark_internal.with_label_keys(e.item, p_labels) order by e.ord) from jsonb_array_elements(p_rules) with ordinality as e (item, ord));
  elsif not p_rules ?| array['matchLabelKeys', 'mismatchLabelKeys'] then
    return (select jsonb_object_agg(f.key, case when jsonb_typeof(f.value) in ('object', 'array') then stark_internal.with_label_keys(f.value, p_labels) else f.value end) from jsonb_each(p_rules) f);
  end if;
  return (p_rules - 'matchLabelKeys' - 'mismatchLabelKeys') || jsonb_build_object('labelSelector', p_rules -> 'labelSelector'
    || jsonb_build_object(
      'matchLabels', coalesce(p_rules #> '{labelSelector,matchLabels}', '{}') || (
        select coalesce(jsonb_object_agg(k, p_labels -> k), '{}') from jsonb_array_elements_text(coalesce(p_rules -> 'matchLabelKeys', '[]')) k where p_labels ? k),
      'matchExpressions', coalesce(p_rules #> '{labelSelector,matchExpressions}', '[]') || (
        select coalesce(jsonb_agg(jsonb_build_object('key', k, 'operator', 'NotIn', 'values', jsonb_build_array(p_labels -> k)) order by k), '[]')
        from jsonb_array_elements_text(coalesce(p_rules -> 'mismatchLabelKeys', '[]')) k where p_labels ? k)));
end;
$$;
comment on function stark_internal.with_label_keys(jsonb, jsonb) is 'Rules about other pods with matchLabelKeys written out.';
revoke all on function stark_internal.with_label_keys(jsonb, jsonb) from public, anon;

/** stark_internal.placement_rules(spec, labels) -> what the spec of a pod with these labels asks about other pods: affinity, anti-affinity, spread. Null when nothing. */
create function stark_internal.placement_rules(p_spec jsonb, p_labels jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  if not p_spec ?| array['affinity', 'topologySpreadConstraints'] then
    return null;
  end if;
  return stark_internal.with_label_keys(nullif(jsonb_strip_nulls(jsonb_build_object(
    'podAffinity', p_spec #> '{affinity,podAffinity}',
    'podAntiAffinity', p_spec #> '{affinity,podAntiAffinity}',
    'topologySpreadConstraints', nullif(p_spec -> 'topologySpreadConstraints', '[]'))), '{}'), p_labels);
end;
$$;
comment on function stark_internal.placement_rules(jsonb, jsonb) is 'What a pod''s spec asks about other pods.';
revoke all on function stark_internal.placement_rules(jsonb, jsonb) from public, anon;

-- Pods that want others near or away are looked up at each pass that places pods.
create index pods_speaking_of_pods_idx on stark.pods (node_id) where spec -> 'affinity' ?| array['podAffinity', 'podAntiAffinity'];

/** stark_internal.open_tables(): the working tables of a pass, once a session, and empty. */
create function stark_internal.open_tables()
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  -- The tables must be those that this function made: triggers of somebody else's tables would run as the owner of our functions.
  -- All tables are made together, so one of them tells for all; where another's table has one of the names, this fails.
  if not exists (select from pg_catalog.pg_class c where c.oid = to_regclass('pg_temp.pass_nodes') and c.relowner = current_user::regrole) then
    -- No indexes, and storage plain where values are short, so that there is nothing to store apart: what is emptied at each commit
    -- is each index too, and plans that read an emptied index are made anew. Postgres 15 has storage in no create table, and a table
    -- that had a text for one statement keeps its TOAST table: so columns of storage plain are added, and set to it by the same statement.
    -- Nodes as they are now, numbered by name. free_* is what the pods placed so far, in this pass too, have left.
    create temporary table pass_nodes (
      node_no integer, node_id uuid, name text, incarnation bigint, runtime text, owner_id uuid, status text, unschedulable boolean,
      labels jsonb, taints jsonb, cpu bigint, memory bigint, pods bigint,
      free_cpu bigint, free_memory bigint, free_storage bigint, free_pods bigint, accepts text, accepted_namespaces text[], draining boolean
    ) on commit delete rows;
    -- Facts about all nodes, by which a filter that would reject none is left out.
    create temporary table pass_facts (nodes bigint) on commit delete rows;
    alter table pg_temp.pass_facts
      add column runtimes text[], alter column runtimes set storage plain,
      add column has_unhealthy boolean, add column has_cordoned boolean, add column has_tainted boolean, add column has_avoided boolean, add column has_choosy boolean;
    create temporary table pass_pods (
      pod_id uuid, priority integer, created_at timestamptz, version_id uuid, namespace text, labels jsonb, template jsonb, rules jsonb,
      rules_no integer, matches integer[], preempts boolean, nominated_node_id uuid, cpu bigint, memory bigint, storage bigint, previously_unschedulable boolean, created_by uuid
    ) on commit delete rows;
    -- Fixed ports that pods of a node have declared; the sum of its rows.
    create temporary table pass_ports (node_no integer, port integer, pods bigint) on commit delete rows;
    -- The sets of pods that rules name: those that all terms ({namespaces, selector}) match. match_labels is set where a selector has
    -- nothing but labels to match.
    create temporary table pass_selectors (
      selector_no integer generated always as identity, terms jsonb, namespaces text[], match_labels jsonb
    ) on commit delete rows;
    create temporary table pass_rules (rules_no integer) on commit delete rows;
    alter table pg_temp.pass_rules
      add column kind text, alter column kind set storage plain, add column selector_no integer,
      add column topology_key text, alter column topology_key set storage plain,
      add column weight integer, add column max_skew integer, add column min_domains integer,
      add column honors_affinity boolean, add column honors_taints boolean;
    -- The domains of the topology keys that rules name: nodes without the label are in none.
    create temporary table pass_domains (topology_key text, node_no integer, domain text) on commit delete rows;
    -- How many pods of a selector are on a node; the sum of its rows. staying: without those that are stopping.
    create temporary table pass_counts (selector_no integer, node_no integer, pods bigint, staying bigint) on commit delete rows;
    -- How many pods of a node have the same rules about other pods.
    create temporary table pass_holders (namespace text, rules jsonb, node_no integer, pods bigint) on commit delete rows;
    -- For the pods that one selector matches: how many pods of a node keep them away (anti-affinity counts), and how many points
    -- the preferences of a node's pods give them.
    create temporary table pass_anti_affinity_counts (selector_no integer) on commit delete rows;
    alter table pg_temp.pass_anti_affinity_counts
      add column topology_key text, alter column topology_key set storage plain, add column node_no integer, add column pods bigint;
    create temporary table pass_preferences (selector_no integer) on commit delete rows;
    alter table pg_temp.pass_preferences
      add column topology_key text, alter column topology_key set storage plain, add column node_no integer, add column points bigint;
    create temporary table pass_bindings (
      pod_id uuid, node_no integer, cpu bigint, memory bigint, storage bigint, had_victims boolean default false
    ) on commit delete rows;
    create temporary table pass_reasons (pod_id uuid, message text) on commit delete rows;
    create temporary table pass_nominations (pod_id uuid, node_no integer, victims uuid[]) on commit delete rows;
    -- What place_nominated decided about the pods of one group that were promised a node.
    create temporary table pass_nominated (
      ord bigint, pod_id uuid, node_no integer, cpu bigint, memory bigint, storage bigint, fits boolean, waits boolean
    ) on commit delete rows;
  end if;
  -- Hosted Supabase loads safeupdate into PostgREST's sessions: an update or delete without a where of its own fails there, in
  -- functions and on temporary tables too. The planner drops `where true`, so it costs nothing. truncate would give 14 tables new
  -- files and throw away every plan that reads them.
  delete from pg_temp.pass_nodes where true;
  delete from pg_temp.pass_facts where true;
  delete from pg_temp.pass_pods where true;
  delete from pg_temp.pass_ports where true;
  delete from pg_temp.pass_selectors where true;
  delete from pg_temp.pass_rules where true;
  delete from pg_temp.pass_domains where true;
  delete from pg_temp.pass_counts where true;
  delete from pg_temp.pass_holders where true;
  delete from pg_temp.pass_anti_affinity_counts where true;
  delete from pg_temp.pass_preferences where true;
  delete from pg_temp.pass_bindings where true;
  delete from pg_temp.pass_reasons where true;
  delete from pg_temp.pass_nominations where true;
end;
$$;
comment on function stark_internal.open_tables() is 'Makes the working tables of a schedule pass, or empties them.';
revoke all on function stark_internal.open_tables() from public, anon;

-- The functions below are checked against these tables when they are created.
select stark_internal.open_tables();

/** stark_internal.load_nodes(): all nodes as they are now. */
create function stark_internal.load_nodes()
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  -- Field by field: a jsonb_to_record for each node takes twice as long. offset 0: each field is read once.
  insert into pg_temp.pass_nodes
    select row_number() over (order by a.name), a.id, a.name, a.incarnation, a.runtime, a.owner_id, a.status, a.unschedulable, a.labels, a.taints, a.cpu, a.memory, a.pods,
           a.cpu - (a.allocated ->> 'cpu')::bigint, a.memory - (a.allocated ->> 'memory')::bigint, a.storage - (a.allocated ->> 'storage')::bigint,
           a.pods - (a.allocated ->> 'pods')::bigint, a.accepts, a.accepted_namespaces, a.draining
    from (
      select n.*, coalesce((n.allocatable ->> 'cpu')::bigint, 0) as cpu, coalesce((n.allocatable ->> 'memory')::bigint, 0) as memory,
             coalesce((n.allocatable ->> 'storage')::bigint, 0) as storage, coalesce((n.allocatable ->> 'pods')::bigint, 0) as pods
      from stark.nodes n offset 0) a;
  -- There are two runtimes. array_agg(distinct) would sort all nodes for them.
  insert into pg_temp.pass_facts
    select count(*), case when min(n.runtime) <> max(n.runtime) then array[min(n.runtime), max(n.runtime)] when count(*) > 0 then array[min(n.runtime)] end,
           coalesce(bool_or(n.status <> 'healthy'), false), coalesce(bool_or(n.unschedulable), false), coalesce(bool_or(n.taints <> '[]'), false),
           coalesce(bool_or(n.taints @> '[{"effect": "PreferNoSchedule"}]'), false),
           coalesce(bool_or(n.accepts <> 'anyone'), false)
    from pg_temp.pass_nodes n;
end;
$$;
comment on function stark_internal.load_nodes() is 'Fills the working table of nodes.';
revoke all on function stark_internal.load_nodes() from public, anon;

/**
 * stark_internal.load_makers(): notes in the template of a pod what nodes ask about who made it and whose its pack is, as far as the answer
 * differs: owner, who owns nodes that take not everybody's pods, or may push out others where the own pods stand; admin; packOwner and
 * adminsPack likewise; acceptedNamespace, one that some node names. So pods of different users are one group wherever that makes no difference.
 */
create function stark_internal.load_makers()
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_choosy boolean := (select f.has_choosy from pg_temp.pass_facts f);
  v_lowest integer := (select min(p.priority) from stark.pods p where p.node_id is not null and p.finished_at is null);
begin
  if not v_choosy and not exists (select from pg_temp.pass_pods p where p.preempts and p.priority > v_lowest) then
    return;
  end if;
  -- Materialized, or Postgres may work it out anew for each pod: 5 of the 11 s that 2,000 pods took who pushed others out.
  with makers as materialized (
    select d.created_by, d.namespace, d.version_id, d.may_preempt, jsonb_strip_nulls(jsonb_build_object(
             'owner', case when exists (select from pg_temp.pass_nodes n where n.owner_id = d.created_by and (n.accepts <> 'anyone' or d.may_preempt)) then d.created_by end,
             'admin', case when v_choosy and stark_internal.is_admin(d.created_by) then true end,
             'packOwner', case when exists (select from pg_temp.pass_nodes n where n.owner_id = k.owner_id and n.accepts = 'owner') then k.owner_id end,
             'adminsPack', case when v_choosy and stark_internal.is_admin(k.owner_id) then true end,
             'acceptedNamespace', case when exists (select from pg_temp.pass_nodes n where d.namespace = any (n.accepted_namespaces)) then d.namespace end)) as terms
    from (select distinct q.created_by, q.namespace, q.version_id, coalesce(q.preempts and q.priority > v_lowest, false) as may_preempt from pg_temp.pass_pods q) d
    join stark.pack_versions v on v.id = d.version_id
    join stark.packs k on k.id = v.pack_id
  )
  update pg_temp.pass_pods p set template = p.template || m.terms
    from makers m
    where m.created_by is not distinct from p.created_by and m.namespace = p.namespace and m.version_id = p.version_id
      and m.may_preempt = coalesce(p.preempts and p.priority > v_lowest, false) and m.terms <> '{}';
end;
$$;
comment on function stark_internal.load_makers() is 'Notes what nodes ask about who made the pending pods.';
revoke all on function stark_internal.load_makers() from public, anon;

/** stark_internal.load_given_pods(pods): adds these pods, stored or not, to the working table of pending pods. Writes pass_pods. */
create function stark_internal.load_given_pods(p_pods stark.pods[])
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  insert into pg_temp.pass_pods
    select p.id, p.priority, p.created_at, p.pack_version_id, p.namespace, p.labels,
           stark_internal.placement_template(p.spec), stark_internal.placement_rules(p.spec, p.labels), null, null,
           p.spec ->> 'preemptionPolicy' is distinct from 'Never', p.nominated_node_id, p.cpu_request, p.memory_request, p.storage_request,
           coalesce(p.status_reason = 'Unschedulable', false), p.created_by
    from unnest(p_pods) p;
end;
$$;
comment on function stark_internal.load_given_pods(stark.pods[]) is 'Adds given pods to the working table of pending pods.';
revoke all on function stark_internal.load_given_pods(stark.pods[]) from public, anon;

/**
 * stark_internal.load_pods(retry, of a kind, new, after) -> whether some were left out: pending pods, and those that are about to be stored;
 * without retry, not those that fitted nowhere, unless they look at other pods. Of many that want the same only so many are loaded, the
 * oldest: where these fit nowhere the others do not either, and a pass places no more of them anyway. after: the pod whose group had its
 * turn last. Writes pass_pods.
 */
create function stark_internal.load_pods(
  p_retry boolean default true, p_of_a_kind integer default stark_internal.call_limit('placements_of_a_pass'), p_new stark.pods[] default '{}', p_after uuid default null)
returns boolean
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_left_out boolean;
begin
  with waiting as materialized (
    select p.id, coalesce(p.pinned_node_id, p.nominated_node_id) as nominated_node_id,
           row_number() over (
             partition by p.priority, p.pack_version_id, p.namespace, p.created_by, p.status_reason = 'Unschedulable', jsonb_hash_extended(p.labels, 0), jsonb_hash_extended(p.spec, 0)
             order by p.created_at, p.id) as nth
    from stark.pods p
    where p.status = 'pending'
      and (p_retry or p.status_reason is distinct from 'Unschedulable' or stark_internal.placement_rules(p.spec, '{}') is not null)
  ), chosen as materialized (
    select w.id from waiting w where w.nth <= p_of_a_kind or w.nominated_node_id is not null
  ), loaded as (
    insert into pg_temp.pass_pods
      select p.id, p.priority, p.created_at, p.pack_version_id, p.namespace, p.labels,
             -- Pods of one deployment that are each made for a node are one group: each is placed there, or nowhere.
             stark_internal.placement_template(p.spec) || case when p.pinned_node_id is null then '{}' else '{"pinned": true}' end::jsonb,
             stark_internal.placement_rules(p.spec, p.labels), null, null,
             p.spec ->> 'preemptionPolicy' is distinct from 'Never', coalesce(p.pinned_node_id, p.nominated_node_id), p.cpu_request, p.memory_request, p.storage_request,
             coalesce(p.status_reason = 'Unschedulable', false), p.created_by
      from chosen c join stark.pods p using (id)
  )
  select (select count(*) from waiting) > (select count(*) from chosen) into v_left_out;
  perform stark_internal.load_given_pods(p_new);
  -- Each rule is asked about each kind of pods. Of the rules of pods that fitted nowhere before, a pass looks at 50, in the order in which
  -- pending_groups gives their groups a turn.
  delete from pg_temp.pass_pods p
    where p.previously_unschedulable and p.rules is not null
      and (p.namespace, p.rules) not in (
        select d.namespace, d.rules
        from (
          select r.namespace, r.rules, (array_agg(r.pod_id order by r.created_at, r.pod_id))[1] as oldest_pod
          from pg_temp.pass_pods r where r.previously_unschedulable and r.rules is not null group by r.namespace, r.rules) d
        order by d.oldest_pod <= p_after, d.oldest_pod limit 50);
  perform stark_internal.load_makers();
  return v_left_out;
end;
$$;
comment on function stark_internal.load_pods(boolean, integer, stark.pods[], uuid) is 'Fills the working table of pending pods.';
revoke all on function stark_internal.load_pods(boolean, integer, stark.pods[], uuid) from public, anon;

/** stark_internal.load_ports(): the fixed ports that pods of each node have declared, where a pending pod wants one. */
create function stark_internal.load_ports()
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  if exists (select from pg_temp.pass_pods p where p.template ? 'ports') then
    insert into pg_temp.pass_ports
      select n.node_no, (d.port -> 'port')::integer, count(*)
      from stark.pods p
      join pg_temp.pass_nodes n on n.node_id = p.node_id
      cross join lateral jsonb_array_elements(p.spec -> 'ports') as d (port)
      where p.spec ? 'ports' and stark_internal.occupies(p.status) and d.port ? 'port'
      group by 1, 2;
  end if;
end;
$$;
comment on function stark_internal.load_ports() is 'Fills the working table of fixed ports.';
revoke all on function stark_internal.load_ports() from public, anon;
