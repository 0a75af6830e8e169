-- Autoscaling: how many pods a deployment wants follows from what its pods use, and from numbers by name. Every 15 seconds, for all
-- deployments whose time has come in one statement:
--
--   samples of pods, reported numbers ──► readings ──► recommended ──► windows, rates, bounds ──► wanted
--
-- The autoscaler writes deployments.replicas, and the controller does the rest. It is no wish of a person, so generation stays.

-- What is wrong with it -------------------------------------------------------------------------------------------------

/** stark_internal.is_metric_name(text): what a number may be called: a letter, then letters, digits, _ and -, 63 at most; not cpu and not memory, which are measured. */
create function stark_internal.is_metric_name(p_name text)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return p_name ~ '^[A-Za-z][A-Za-z0-9_-]{0,62}$' and p_name not in ('cpu', 'memory');
end;
$$;
comment on function stark_internal.is_metric_name(text) is 'True for a name that a reported number may have.';
revoke all on function stark_internal.is_metric_name(text) from public, anon;

/** stark_internal.is_number(value, low, high): true for a JSON number between two bounds. */
create function stark_internal.is_number(p_value jsonb, p_low numeric, p_high numeric)
returns boolean
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case when jsonb_typeof(p_value) = 'number' then p_value::numeric between p_low and p_high else false end;
end;
$$;
comment on function stark_internal.is_number(jsonb, numeric, numeric) is 'True for a JSON number between two bounds.';
revoke all on function stark_internal.is_number(jsonb, numeric, numeric) from public, anon;

/** stark_internal.metrics_problem(metrics): null when it is a list of 1 to 8 of {name, target, type?} with different names; else what is wrong. */
create function stark_internal.metrics_problem(p_metrics jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_metric jsonb;
  v_name text;
begin
  if jsonb_typeof(p_metrics) is distinct from 'array' or jsonb_array_length(p_metrics) not between 1 and 8 then
    return 'autoscale.metrics must be a list of 1 to 8';
  end if;
  for v_metric in select m from jsonb_array_elements(p_metrics) m loop
    v_name := v_metric ->> 'name';
    if jsonb_typeof(v_metric) <> 'object' or stark_internal.unknown_field(v_metric, array['name', 'target', 'type']) is not null then
      return 'each of autoscale.metrics is {name, target, type}';
    elsif jsonb_typeof(v_metric -> 'name') is distinct from 'string' or not (v_name in ('cpu', 'memory') or stark_internal.is_metric_name(v_name)) then
      return format('autoscale.metrics: %s is no name of a metric: a letter, then letters, digits, _ and -, 63 at most', coalesce(left((v_metric -> 'name')::text, 80), 'null'));
    elsif v_name in ('cpu', 'memory') and not stark_internal.is_whole(v_metric -> 'target', 1, 10000) then
      return format('autoscale.metrics: target of %s is whole percents of what pods ask for, from 1 to 10000', v_name);
    elsif not stark_internal.is_number(v_metric -> 'target', 0.000001, 1e15) then
      return format('autoscale.metrics: target of %s must be a number from 0.000001 to 1e15', v_name);
    elsif v_metric ? 'type' and not coalesce(v_metric -> 'type' in ('"AverageValue"', '"Value"', '"Utilization"') and (v_metric -> 'type' = '"Utilization"') = (v_name in ('cpu', 'memory')), false) then
      return format('autoscale.metrics: type of %s must be %s', v_name, case when v_name in ('cpu', 'memory') then 'Utilization' else 'AverageValue or Value' end);
    end if;
  end loop;
  return (select format('autoscale.metrics: %s is there twice', m ->> 'name') from jsonb_array_elements(p_metrics) m group by m ->> 'name' having count(*) > 1 limit 1);
end;
$$;
comment on function stark_internal.metrics_problem(jsonb) is 'What is wrong with the metrics of an autoscaler; null when nothing is.';
revoke all on function stark_internal.metrics_problem(jsonb) from public, anon;

/** stark_internal.scaling_rules_problem(rules, field): null when it is {stabilizationWindowSeconds?, tolerance?, selectPolicy?, policies?} as Kubernetes has it; else what is wrong. */
create function stark_internal.scaling_rules_problem(p_rules jsonb, p_field text)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_policies jsonb := coalesce(p_rules -> 'policies', '[]');
begin
  return case
    when jsonb_typeof(p_rules) <> 'object' or stark_internal.unknown_field(p_rules, array['stabilizationWindowSeconds', 'tolerance', 'selectPolicy', 'policies']) is not null
      then format('%s is {stabilizationWindowSeconds, tolerance, selectPolicy, policies}', p_field)
    when p_rules ? 'stabilizationWindowSeconds' and not stark_internal.is_whole(p_rules -> 'stabilizationWindowSeconds', 0, 3600) then p_field || '.stabilizationWindowSeconds must be a whole number from 0 to 3600'
    when p_rules ? 'tolerance' and not stark_internal.is_number(p_rules -> 'tolerance', 0, 1) then p_field || '.tolerance must be a number from 0 to 1'
    when p_rules ? 'selectPolicy' and not coalesce(p_rules -> 'selectPolicy' in ('"Max"', '"Min"', '"Disabled"'), false) then p_field || '.selectPolicy must be Max, Min or Disabled'
    when jsonb_typeof(v_policies) <> 'array' or jsonb_array_length(v_policies) > 8 or (p_rules ? 'policies' and v_policies = '[]') then p_field || '.policies must be a list of 1 to 8'
    when exists (
      select from jsonb_array_elements(v_policies) o
      where jsonb_typeof(o) <> 'object' or stark_internal.unknown_field(o, array['type', 'value', 'periodSeconds']) is not null
         or not coalesce(o -> 'type' in ('"Pods"', '"Percent"'), false) or not stark_internal.is_whole(o -> 'value', 1, 10000) or not stark_internal.is_whole(o -> 'periodSeconds', 1, 1800))
      then format('each of %s.policies is {type: Pods or Percent, value: 1 to 10000, periodSeconds: 1 to 1800}', p_field) end;
end;
$$;
comment on function stark_internal.scaling_rules_problem(jsonb, text) is 'What is wrong with the rules of one direction of an autoscaler; null when nothing is.';
revoke all on function stark_internal.scaling_rules_problem(jsonb, text) from public, anon;

/** stark_internal.autoscale_problem(autoscale): null when it is none, or {min?, max, metrics, behavior?: {scaleUp?, scaleDown?}, idleSeconds?}; else what is wrong. */
create function stark_internal.autoscale_problem(p_autoscale jsonb)
returns text
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_behavior jsonb := coalesce(p_autoscale -> 'behavior', '{}');
begin
  return case
    when p_autoscale is null then null
    when jsonb_typeof(p_autoscale) <> 'object' or stark_internal.unknown_field(p_autoscale, array['min', 'max', 'metrics', 'behavior', 'idleSeconds']) is not null
      then 'autoscale is {min, max, metrics, behavior, idleSeconds}'
    when not stark_internal.is_whole(p_autoscale -> 'max', 1, 10000) then 'autoscale.max must be a whole number from 1 to 10000'
    when p_autoscale ? 'min' and not stark_internal.is_whole(p_autoscale -> 'min', 0, 10000) then 'autoscale.min must be a whole number from 0 to 10000'
    when coalesce((p_autoscale ->> 'min')::numeric, 1) > (p_autoscale ->> 'max')::numeric then format('autoscale.min %s is more than autoscale.max %s', coalesce(p_autoscale ->> 'min', '1'), p_autoscale ->> 'max')
    when stark_internal.metrics_problem(p_autoscale -> 'metrics') is not null then stark_internal.metrics_problem(p_autoscale -> 'metrics')
    when p_autoscale -> 'min' = '0' and not exists (select from jsonb_array_elements(p_autoscale -> 'metrics') m where m ->> 'name' not in ('cpu', 'memory'))
      then 'autoscale.min 0 needs a metric by name: without a pod nobody uses cpu and memory, so nothing would wake it'
    when p_autoscale ? 'idleSeconds' and not stark_internal.is_whole(p_autoscale -> 'idleSeconds', 0, 86400) then 'autoscale.idleSeconds must be a whole number from 0 to 86400'
    when jsonb_typeof(v_behavior) <> 'object' or stark_internal.unknown_field(v_behavior, array['scaleUp', 'scaleDown']) is not null then 'autoscale.behavior is {scaleUp, scaleDown}'
    else coalesce(stark_internal.scaling_rules_problem(v_behavior -> 'scaleUp', 'autoscale.behavior.scaleUp'),
                  stark_internal.scaling_rules_problem(v_behavior -> 'scaleDown', 'autoscale.behavior.scaleDown')) end;
end;
$$;
comment on function stark_internal.autoscale_problem(jsonb) is 'What is wrong with an autoscaler; null when nothing is.';
revoke all on function stark_internal.autoscale_problem(jsonb) from public, anon;

-- Tables ----------------------------------------------------------------------------------------------------------------

alter table stark.deployments add column autoscale jsonb,
  add constraint autoscale_is_an_autoscaler check (stark_internal.autoscale_problem(autoscale) is null),
  add constraint only_replicas_are_autoscaled check (autoscale is null or mode = 'replicated');
comment on column stark.deployments.autoscale is 'How its replicas follow its metrics: {min, max, metrics: [{name, target, type}], behavior, idleSeconds}; null where a person sets them.';

create table stark.autoscalers (
  deployment_id uuid primary key references stark.deployments (id) on delete cascade,
  namespace text not null,
  name text not null,
  min_replicas integer not null,
  max_replicas integer not null,
  metrics jsonb not null default '[]',
  recommended integer,
  wanted integer,
  reason text,
  idle_since timestamptz,
  scaled_to_zero boolean not null default false,
  scaled_at timestamptz,
  looked_at timestamptz,
  next_look_at timestamptz not null
) with (fillfactor = 50);
create index autoscalers_next_look_at_idx on stark.autoscalers (next_look_at);
create index autoscalers_asleep_idx on stark.autoscalers (namespace) where scaled_to_zero;
comment on table stark.autoscalers is 'What the autoscaler of each deployment saw and answered last. Apart from deployments: written every 15 seconds, without events.';
comment on column stark.autoscalers.deployment_id is 'The deployment.';
comment on column stark.autoscalers.namespace is 'Namespace of the deployment.';
comment on column stark.autoscalers.name is 'Name of the deployment.';
comment on column stark.autoscalers.min_replicas is 'How many pods it wants at least.';
comment on column stark.autoscalers.max_replicas is 'How many pods it wants at most.';
comment on column stark.autoscalers.metrics is 'What was seen of each metric: [{name, type, target, value, pods, missing}]; no value where nothing was said of it.';
comment on column stark.autoscalers.recommended is 'How many pods the metrics alone ask for.';
comment on column stark.autoscalers.wanted is 'How many pods are wanted after windows, rates and bounds.';
comment on column stark.autoscalers.reason is 'Why it is that many, one word.';
comment on column stark.autoscalers.idle_since is 'Since when there is nothing to do for its last pod; null while there is, or while the rollout is not stable.';
comment on column stark.autoscalers.scaled_to_zero is 'Whether the autoscaler stopped the last pod, so that a number above 0 wakes it; what a person has scaled to 0 is not woken.';
comment on column stark.autoscalers.scaled_at is 'When it changed the replicas last.';
comment on column stark.autoscalers.looked_at is 'When it looked last.';
comment on column stark.autoscalers.next_look_at is 'When it looks again.';

create table stark.autoscaler_recommendations (
  id bigint generated always as identity primary key,
  deployment_id uuid not null references stark.autoscalers (deployment_id) on delete cascade,
  recommended_at timestamptz not null,
  replicas integer not null,
  recommended integer not null,
  wanted integer not null,
  reason text not null,
  metrics jsonb not null default '[]'
);
create index autoscaler_recommendations_deployment_id_idx on stark.autoscaler_recommendations (deployment_id, id);
comment on table stark.autoscaler_recommendations is 'What autoscalers recommended in the last hour: a row whenever the answer changes, which is in force until the next.';
comment on column stark.autoscaler_recommendations.id is 'In the order of time.';
comment on column stark.autoscaler_recommendations.deployment_id is 'The deployment.';
comment on column stark.autoscaler_recommendations.recommended_at is 'Since when.';
comment on column stark.autoscaler_recommendations.replicas is 'How many pods were wanted before.';
comment on column stark.autoscaler_recommendations.recommended is 'How many pods the metrics alone asked for.';
comment on column stark.autoscaler_recommendations.wanted is 'How many are wanted after windows, rates and bounds.';
comment on column stark.autoscaler_recommendations.reason is 'Why it is that many, one word.';
comment on column stark.autoscaler_recommendations.metrics is 'What was seen then: [{name, type, target, value, pods, missing}].';

create table stark.reported_metrics (
  id bigint generated always as identity primary key,
  namespace text not null references stark.namespaces (name) on delete cascade,
  name text not null,
  reported_by uuid references stark.profiles (id) on delete cascade,
  counts_for_all boolean not null,
  value double precision not null,
  reported_at timestamptz not null,
  expires_at timestamptz not null,
  constraint one_number_of_a_name_by_each unique nulls not distinct (namespace, name, reported_by),
  constraint metric_name_is_a_name check (stark_internal.is_metric_name(name)),
  constraint metric_value_is_from_0_to_1e15 check (value between 0 and 1e15)
) with (fillfactor = 50);
create index reported_metrics_reported_by_idx on stark.reported_metrics (reported_by);
create index reported_metrics_expires_at_idx on stark.reported_metrics (expires_at);
comment on table stark.reported_metrics is 'Numbers by name that somebody reported of a namespace, each until it is replaced or its time is over.';
comment on column stark.reported_metrics.id is 'Number of the row.';
comment on column stark.reported_metrics.namespace is 'Namespace whose deployments may follow it.';
comment on column stark.reported_metrics.name is 'Name, as in metrics of an autoscaler.';
comment on column stark.reported_metrics.reported_by is 'Who reported it; null for the secret key and for the database itself.';
comment on column stark.reported_metrics.counts_for_all is 'Whether it counts for every deployment of the namespace, or for those of who reported it only.';
comment on column stark.reported_metrics.value is 'The number.';
comment on column stark.reported_metrics.reported_at is 'When it was reported.';
comment on column stark.reported_metrics.expires_at is 'Until when it counts.';

alter table stark.autoscalers enable row level security;
alter table stark.autoscaler_recommendations enable row level security;
alter table stark.reported_metrics enable row level security;
create policy "autoscalers are read with their deployment" on stark.autoscalers for select to authenticated
  using (deployment_id in (select d.id from stark.deployments d));
create policy "recommendations are read with their deployment" on stark.autoscaler_recommendations for select to authenticated
  using (deployment_id in (select d.id from stark.deployments d));
create policy "who reads deployments reads what is reported, and everybody theirs" on stark.reported_metrics for select to authenticated
  using (
    namespace = any ((select stark_internal.permitted_namespaces('deployments:get'))::text[])
    or (reported_by = (select auth.uid()) and namespace = any ((select stark_internal.permitted_namespaces('deployments:get', true))::text[]))
  );
grant select on stark.autoscalers, stark.autoscaler_recommendations, stark.reported_metrics to authenticated, service_role;

-- Which deployments have one --------------------------------------------------------------------------------------------

/** stark_internal.request_sync_of(ids): the nodes that run pods of these deployments are told to ask: how often they send what pods use depends on it. */
create function stark_internal.request_sync_of(p_ids uuid[])
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select stark_internal.request_sync(array(
    select distinct p.node_id from stark.pods p where p.deployment_id = any (p_ids) and p.finished_at is null and p.node_id is not null));
$$;
comment on function stark_internal.request_sync_of(uuid[]) is 'Tells the nodes of these deployments to ask.';
revoke all on function stark_internal.request_sync_of(uuid[]) from public, anon;

/**
 * stark_internal.follow_autoscale(): statement trigger on deployments; each that is autoscaled has a row of stark.autoscalers, which is looked at
 * when something of it has changed. What is there is its first recommendation, so that nothing goes down before a window is over.
 */
create function stark_internal.follow_autoscale()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
  v_time timestamptz := stark_internal.controller_time();
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  if tg_op = 'INSERT' then
    v_ids := array(select n.id from new_rows n where n.autoscale is not null);
  else
    v_ids := array(select n.id from old_rows o join new_rows n using (id) where o.autoscale is distinct from n.autoscale);
  end if;
  if v_ids = '{}' then
    return null;
  end if;
  delete from stark.autoscalers a using new_rows n where n.id = a.deployment_id and n.id = any (v_ids) and n.autoscale is null;
  insert into stark.autoscalers as a (deployment_id, namespace, name, min_replicas, max_replicas, next_look_at)
    select d.id, d.namespace, d.name, coalesce((d.autoscale ->> 'min')::integer, 1), (d.autoscale ->> 'max')::integer, v_time
    from stark.deployments d where d.id = any (v_ids) and d.autoscale is not null
    on conflict (deployment_id) do update set min_replicas = excluded.min_replicas, max_replicas = excluded.max_replicas, next_look_at = excluded.next_look_at;
  insert into stark.autoscaler_recommendations (deployment_id, recommended_at, replicas, recommended, wanted, reason)
    select d.id, v_time, d.replicas, d.replicas, d.replicas, 'Started'
    from stark.deployments d
    where d.id = any (v_ids) and d.autoscale is not null and not exists (select from stark.autoscaler_recommendations r where r.deployment_id = d.id);
  perform stark_internal.request_sync_of(v_ids);
  return null;
end;
$$;
comment on function stark_internal.follow_autoscale() is 'Keeps a row for each deployment that is autoscaled.';
revoke all on function stark_internal.follow_autoscale() from public, anon;

create trigger _600_follow_autoscale_of_new after insert on stark.deployments
  referencing new table as new_rows for each statement execute function stark_internal.follow_autoscale();
create trigger _600_follow_autoscale_of_changed after update on stark.deployments
  referencing old table as old_rows new table as new_rows for each statement execute function stark_internal.follow_autoscale();

/** stark_internal.usage_interval() -> seconds between two looks of an autoscaler, and between two reports of what its pods use. */
create function stark_internal.usage_interval()
returns integer
language sql
immutable
set search_path = pg_temp
as $$ select 15 $$;
comment on function stark_internal.usage_interval() is 'Seconds between two looks of an autoscaler.';
revoke all on function stark_internal.usage_interval() from public, anon;

/**
 * stark_internal.heartbeat_interval(node) -> seconds between two heartbeats of this node: as configured, and no more than an autoscaler's interval where
 * it runs a pod whose use or numbers one follows. Numbers that somebody reports cost no heartbeats.
 */
create function stark_internal.heartbeat_interval(p_node_id uuid)
returns integer
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_seconds integer := (select t.interval_seconds from stark_internal.heartbeat_terms() t);
begin
  if v_seconds > stark_internal.usage_interval() and exists (
    select from stark.pods p
    join stark.deployments d on d.id = p.deployment_id and d.autoscale is not null
    cross join lateral jsonb_array_elements(d.autoscale -> 'metrics') m
    where p.node_id = p_node_id and p.finished_at is null
      and (m ->> 'name' in ('cpu', 'memory') or not exists (select from stark.reported_metrics r where r.namespace = d.namespace and r.name = m ->> 'name'))) then
    return stark_internal.usage_interval();
  end if;
  return v_seconds;
end;
$$;
comment on function stark_internal.heartbeat_interval(uuid) is 'Seconds between two heartbeats of a node.';
revoke all on function stark_internal.heartbeat_interval(uuid) from public, anon;

-- Readings --------------------------------------------------------------------------------------------------------------

/** stark_internal.amount_in(value) -> a JSON number that is one and not below 0, else null: what agents send is not to be trusted with a cast. */
create function stark_internal.amount_in(p_value jsonb)
returns numeric
language plpgsql
immutable
set search_path = pg_temp
as $$
begin
  return case when stark_internal.is_number(p_value, 0, 1e15) then p_value::numeric end;
end;
$$;
comment on function stark_internal.amount_in(jsonb) is 'A JSON number that can be an amount, else null.';
revoke all on function stark_internal.amount_in(jsonb) from public, anon;

/**
 * stark_internal.pod_samples(ids, now) -> the pods of these deployments that are neither stopping nor over, and what each said of itself in the last two intervals:
 * what it uses and its numbers, from the heartbeats of the node it is on; null where that is missing.
 */
create function stark_internal.pod_samples(p_ids uuid[], p_now timestamptz)
returns table (deployment_id uuid, pod_id uuid, is_ready boolean, cpu_request integer, memory_request integer, usage jsonb)
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with members as materialized (
      select p.deployment_id, p.id, p.node_id, p.status = 'running' and p.ready as is_ready, p.cpu_request, p.memory_request
      from stark.pods p where p.deployment_id = any (p_ids) and p.finished_at is null and p.status <> 'stopping'
    ), said as materialized (
      select l.node_id, e.key, e.value
      from stark.node_leases l
      cross join lateral jsonb_each(case jsonb_typeof(l.usage -> 'pods') when 'object' then l.usage -> 'pods' else '{}' end) e
      where l.node_id in (select m.node_id from members m) and l.usage_at > p_now - stark_internal.usage_interval() * 2 * interval '1 second' and jsonb_typeof(e.value) = 'object'
    )
    select m.deployment_id, m.id, m.is_ready, m.cpu_request, m.memory_request, s.value
    from members m left join said s on s.node_id = m.node_id and s.key = m.id::text;
end;
$$;
comment on function stark_internal.pod_samples(uuid[], timestamptz) is 'What the pods of deployments said of themselves lately.';
revoke all on function stark_internal.pod_samples(uuid[], timestamptz) from public, anon;

create type stark_internal.metric_reading as (
  deployment_id uuid, ord bigint, name text, type text, target numeric, value numeric, pods integer, missing integer, desired integer, is_reported boolean
);
comment on type stark_internal.metric_reading is 'What one metric of a deployment says: value of so many pods, others missing; the replicas that it asks for, null when it says nothing. Reported ones do not come from its pods.';

/**
 * stark_internal.read_metrics(ids, now) -> what each metric of these deployments says. A number that was reported of the namespace comes before those
 * of pods. The ratio to the target is that of ready pods of all live revisions. Pods that are missing count as at the target when it goes
 * down, and as idle when it goes up; so do those that are not ready. Where that turns the direction round, and inside the tolerance,
 * the answer is the number that is wanted already.
 */
create function stark_internal.read_metrics(p_ids uuid[], p_now timestamptz)
returns setof stark_internal.metric_reading
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    with metrics as (
      select d.id as deployment_id, d.replicas, m.ord, m.item ->> 'name' as name, (m.item ->> 'target')::numeric as target, n.reported,
             coalesce(m.item ->> 'type', case when m.item ->> 'name' in ('cpu', 'memory') then 'Utilization' else 'AverageValue' end) as type,
             coalesce((d.autoscale #>> '{behavior,scaleUp,tolerance}')::numeric, 0.1) as tolerance_up, coalesce((d.autoscale #>> '{behavior,scaleDown,tolerance}')::numeric, 0.1) as tolerance_down
      from stark.deployments d
      cross join lateral jsonb_array_elements(d.autoscale -> 'metrics') with ordinality as m (item, ord)
      left join lateral (
        select r.value::numeric as reported from stark.reported_metrics r
        where r.namespace = d.namespace and r.name = m.item ->> 'name' and r.expires_at > p_now and (r.counts_for_all or r.reported_by = d.created_by)
        order by r.reported_at desc, r.reported_by limit 1) n on true
      where d.id = any (p_ids)
    ), samples as materialized (
      select * from stark_internal.pod_samples(p_ids, p_now)
    ), amounts as materialized (
      select m.*, s.is_ready, s.pod_id, case m.name
          when 'cpu' then 100 * stark_internal.amount_in(s.usage -> 'cpu') / nullif(s.cpu_request, 0)
          when 'memory' then 100 * stark_internal.amount_in(s.usage -> 'memory') / nullif(s.memory_request, 0)
          else stark_internal.amount_in(s.usage #> array['metrics', m.name]) end as amount
      from metrics m left join samples s using (deployment_id)
    ), counted as materialized (
      select a.deployment_id, a.replicas, a.ord, a.name, a.target, a.reported, a.type, a.tolerance_up, a.tolerance_down,
             count(a.pod_id) filter (where a.is_ready) as ready, count(a.pod_id) filter (where not a.is_ready) as not_ready,
             count(a.amount) filter (where a.is_ready) as sampled, sum(a.amount) filter (where a.is_ready) as amount
      from amounts a group by 1, 2, 3, 4, 5, 6, 7, 8, 9
    ), ratios as materialized (
      select c.*, case
          when c.reported is null then c.amount / c.target / nullif(c.sampled, 0)
          when c.type = 'Value' then c.reported / c.target
          else c.reported / c.target / nullif(c.replicas, 0) end as raw
      from counted c
    ), adjusted as materialized (
      select r.*, case
          when r.reported is not null and r.type = 'Value' then r.ready
          when r.reported is not null then r.replicas
          when r.raw > 1 then r.ready + r.not_ready
          else r.ready end as base,
        case
          when r.reported is not null then r.raw
          when r.raw > 1 then r.amount / r.target / (r.ready + r.not_ready)
          else (r.amount / r.target + r.ready - r.sampled) / nullif(r.ready, 0) end as ratio
      from ratios r
    )
    select a.deployment_id, a.ord, a.name, a.type, a.target, round(coalesce(a.reported, a.amount / nullif(a.sampled, 0)), 6), a.ready::integer,
           case when a.reported is null then a.ready - a.sampled else 0 end::integer,
           case
             when a.raw is null or a.ratio is null then null
             when a.ratio between 1 - a.tolerance_down and 1 + a.tolerance_up or (a.raw > 1) <> (a.ratio > 1) then a.replicas
             when a.ratio > 1 then greatest(a.replicas, least(100000, ceil(round(a.ratio * a.base, 3))))
             else least(a.replicas, ceil(round(a.ratio * a.base, 3))) end::integer,
           a.reported is not null
    from adjusted a;
end;
$$;
comment on function stark_internal.read_metrics(uuid[], timestamptz) is 'What each metric of these deployments says.';
revoke all on function stark_internal.read_metrics(uuid[], timestamptz) from public, anon;

-- Decisions -------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.scaling_limit(deployment, replicas, rules, up, now) -> how far the policies let it go up or down now: each from what was wanted when its
 * period began. Up by 100 % or 4 pods in 15 seconds, the larger, and down by 100 %, where the rules say nothing.
 */
create function stark_internal.scaling_limit(p_deployment_id uuid, p_replicas integer, p_rules jsonb, p_up boolean, p_now timestamptz)
returns integer
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_policies jsonb := coalesce(p_rules -> 'policies', case when p_up
    then '[{"type": "Percent", "value": 100, "periodSeconds": 15}, {"type": "Pods", "value": 4, "periodSeconds": 15}]'
    else '[{"type": "Percent", "value": 100, "periodSeconds": 15}]' end::jsonb);
begin
  if p_rules ->> 'selectPolicy' = 'Disabled' then
    return p_replicas;
  end if;
  return (
    select case when p_up = (coalesce(p_rules ->> 'selectPolicy', 'Max') = 'Max') then max(l.most) else min(l.most) end
    from (
      select case
          when o ->> 'type' = 'Pods' then b.base + (o ->> 'value')::integer * case when p_up then 1 else -1 end
          when p_up then ceil(b.base * (1 + (o ->> 'value')::numeric / 100))::integer
          else floor(b.base * (1 - (o ->> 'value')::numeric / 100))::integer end as most
      from jsonb_array_elements(v_policies) o
      cross join lateral (
        select coalesce(
          (select r.wanted from stark.autoscaler_recommendations r
           where r.deployment_id = p_deployment_id and r.recommended_at <= p_now - (o ->> 'periodSeconds')::integer * interval '1 second' order by r.id desc limit 1),
          (select r.replicas from stark.autoscaler_recommendations r where r.deployment_id = p_deployment_id order by r.id limit 1), p_replicas) as base) b) l);
end;
$$;
comment on function stark_internal.scaling_limit(uuid, integer, jsonb, boolean, timestamptz) is 'How far the policies of an autoscaler let it go now.';
revoke all on function stark_internal.scaling_limit(uuid, integer, jsonb, boolean, timestamptz) from public, anon;

create type stark_internal.scaling_decision as (
  deployment_id uuid, replicas integer, recommended integer, wanted integer, reason text, stopped text, unread text, stabilized text, limited text,
  because text, idle_since timestamptz, may_sleep boolean, metrics jsonb
);
comment on type stark_internal.scaling_decision is 'What the autoscaler makes of a deployment: what the metrics recommend, what is wanted, and why. stopped: why it does nothing; unread: metrics of which nothing is known; because: what asked for most.';

/**
 * stark_internal.decide_scaling(ids, now) -> what is wanted of these deployments. Of several metrics the largest counts, and nothing goes down while one is missing.
 * The lowest recommendation of the window counts when it goes up, the highest when it goes down. The last pod goes when all that was
 * reported by name has been 0 for the idle time, in which the rollout was stable and somebody looked; a number above 0 wakes it.
 */
create function stark_internal.decide_scaling(p_ids uuid[], p_now timestamptz)
returns setof stark_internal.scaling_decision
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  -- Each step once: what a plan folds into the next is computed again wherever that names it.
  return query
    with readings as materialized (
      select * from stark_internal.read_metrics(p_ids, p_now)
    ), seen as materialized (
      select r.deployment_id, max(r.desired) as desired, string_agg(r.name, ', ' order by r.ord) filter (where r.value is null) as unread, count(r.value) as found,
             (array_agg(format('%s is %s, the target %s', r.name, trim_scale(r.value), trim_scale(r.target)) order by r.desired desc nulls last, r.ord))[1] as because,
             coalesce(bool_or(r.value > 0) filter (where r.is_reported), false) as is_called,
             coalesce(bool_and(r.is_reported and r.value = 0) filter (where r.name not in ('cpu', 'memory')), false) as is_quiet,
             jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', r.name, 'type', r.type, 'target', r.target, 'value', r.value, 'pods', r.pods, 'missing', r.missing)) order by r.ord) as metrics
      from readings r group by r.deployment_id
    ), facts as materialized (
      select d.id, d.replicas, a.min_replicas = 0 as may_sleep, greatest(1, a.min_replicas) as lowest, a.max_replicas as highest, s.desired, case when d.replicas > 0 or s.found = 0 then s.unread end as unread, s.found, s.because, s.is_called, s.metrics,
             a.idle_since, stark_internal.observed_gap(a.looked_at, p_now) is not null as is_observed, coalesce((d.autoscale ->> 'idleSeconds')::integer, 300) * interval '1 second' as idle_time,
             s.is_quiet and v.status = 'stable' as is_quiet, d.status_reason in ('QuotaExceeded', 'LimitRangeViolated') as is_full,
             d.autoscale #> '{behavior,scaleUp}' as up, d.autoscale #> '{behavior,scaleDown}' as down,
             case when d.paused then 'DeploymentPaused' when d.status_reason in ('Forbidden', 'OwnerGone') then d.status_reason
                  when d.replicas = 0 and not a.scaled_to_zero then 'ScalingDisabled' end as stopped
      from stark.deployments d
      join stark.autoscalers a on a.deployment_id = d.id
      join stark.deployment_revisions v on v.deployment_id = d.id and v.revision = d.revision
      join seen s on s.deployment_id = d.id
      where d.deletion_requested_at is null
    ), raw as materialized (
      select f.*, f.stopped is null and (f.replicas = 0 or f.replicas not between f.lowest and f.highest) as is_bound,
        case
          when f.stopped is not null then f.replicas
          when f.replicas = 0 then case when f.is_called or not f.may_sleep then f.lowest else 0 end
          when f.replicas > f.highest then f.highest
          when f.replicas < f.lowest then f.lowest
          when f.desired is null or (f.desired < f.replicas and f.unread is not null) then f.replicas
          else f.desired end as recommended
      from facts f
    ), steady as materialized (
      select r.*, case
          when r.is_bound then r.recommended
          when r.recommended > r.replicas then greatest(r.replicas, least(r.recommended, w.least))
          when r.recommended < r.replicas then least(r.replicas, greatest(r.recommended, w.most))
          else r.recommended end as steady
      from raw r
      cross join lateral (
        select min(h.recommended) filter (where h.until > p_now - t.up) as least, max(h.recommended) filter (where h.until > p_now - t.down) as most
        from (select nullif(coalesce((r.up ->> 'stabilizationWindowSeconds')::integer, 0), 0) * interval '1 second' as up,
                     nullif(coalesce((r.down ->> 'stabilizationWindowSeconds')::integer, 300), 0) * interval '1 second' as down) t
        cross join lateral (
          select n.recommended, lead(n.recommended_at, 1, 'infinity') over (order by n.id) as until
          from stark.autoscaler_recommendations n where n.deployment_id = r.id) h) w
    ), rated as materialized (
      select s.*, case
          when s.is_bound then s.steady
          when s.steady > s.replicas then least(s.steady, greatest(s.replicas, stark_internal.scaling_limit(s.id, s.replicas, s.up, true, p_now)))
          when s.steady < s.replicas then greatest(s.steady, least(s.replicas, stark_internal.scaling_limit(s.id, s.replicas, s.down, false, p_now)))
          else s.steady end as rated
      from steady s
    ), bounded as materialized (
      select t.*, case when t.stopped is not null or (t.replicas = 0 and t.recommended = 0) then t.replicas else greatest(t.lowest, least(t.highest, t.rated)) end as bounded
      from rated t
    ), idle as materialized (
      select b.*, case when b.stopped is null and b.may_sleep and b.replicas = 1 and b.bounded = 1 and b.is_quiet then coalesce(case when b.is_observed then b.idle_since end, p_now) end as quiet_since
      from bounded b
    ), wanted as materialized (
      select i.*, case
          when i.quiet_since <= p_now - i.idle_time then 0
          when i.bounded > i.replicas and i.is_full then i.replicas
          else i.bounded end as wanted,
        case when i.steady <> i.recommended then case when i.recommended < i.replicas then 'ScaleDownStabilized' else 'ScaleUpStabilized' end end as stabilized
      from idle i
    ), limited as materialized (
      select w.*, case
          when w.stopped is not null or w.wanted = 0 or w.quiet_since is not null then null
          when w.bounded > w.replicas and w.is_full then 'QuotaExceeded'
          when w.rated > w.highest or w.replicas > w.highest then 'TooManyReplicas'
          when w.replicas = 0 then null
          when w.rated < w.lowest or w.replicas < w.lowest then 'TooFewReplicas'
          when w.rated < w.steady then 'ScaleUpLimit'
          when w.rated > w.steady then 'ScaleDownLimit' end as limited
      from wanted w
    )
    select l.id, l.replicas, l.recommended, l.wanted,
           coalesce(l.stopped, case when l.wanted = 0 then 'Idle' when l.replicas = 0 then 'Woken' when l.quiet_since is not null then 'IdleTime' end, l.limited, l.stabilized,
                    case when l.unread is not null then 'FailedGetMetric' else 'DesiredWithinRange' end),
           l.stopped, l.unread, l.stabilized, l.limited, l.because, l.quiet_since, l.may_sleep, l.metrics
    from limited l;
end;
$$;
comment on function stark_internal.decide_scaling(uuid[], timestamptz) is 'How many pods autoscalers want now, and why.';
revoke all on function stark_internal.decide_scaling(uuid[], timestamptz) from public, anon;

/**
 * stark_internal.conditions_of_scaling(decision, conditions) -> AbleToScale, ScalingActive, ScalingLimited, and ScaledToZero where it may be. What they say stays the same
 * while nothing but a value changes, so that a look that decides nothing writes nothing; the last change of replicas is told until the next.
 */
create function stark_internal.conditions_of_scaling(p_decision stark_internal.scaling_decision, p_conditions jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_before jsonb := coalesce((select c - 'lastTransitionTime' from jsonb_array_elements(p_conditions) c where c ->> 'type' = 'AbleToScale'), '{}');
begin
  return jsonb_build_array(
      case
        when p_decision.stopped <> 'ScalingDisabled' then jsonb_build_object('type', 'AbleToScale', 'status', 'False', 'reason', p_decision.stopped, 'message', 'nothing is done for the deployment now')
        when p_decision.wanted <> p_decision.replicas then jsonb_build_object('type', 'AbleToScale', 'status', 'True', 'reason', 'SucceededRescale',
          'message', concat_ws(': ', format('from %s to %s', p_decision.replicas, p_decision.wanted),
            case p_decision.reason when 'Idle' then 'nothing was to do for the idle time' when 'TooManyReplicas' then 'no more than max' when 'TooFewReplicas' then 'no less than min' else p_decision.because end))
        when p_decision.stabilized is not null then jsonb_build_object('type', 'AbleToScale', 'status', 'True', 'reason', p_decision.stabilized,
          'message', case p_decision.stabilized when 'ScaleDownStabilized' then 'more pods were recommended within the window' else 'fewer pods were recommended within the window' end)
        when v_before ->> 'reason' = 'SucceededRescale' then v_before
        else jsonb_build_object('type', 'AbleToScale', 'status', 'True', 'reason', 'ReadyForNewScale') end,
      case
        when p_decision.stopped = 'ScalingDisabled' then jsonb_build_object('type', 'ScalingActive', 'status', 'False', 'reason', 'ScalingDisabled', 'message', 'somebody has scaled it to 0: stark deployment scale --replicas 1 starts it')
        when p_decision.unread is not null then jsonb_build_object('type', 'ScalingActive', 'status', 'False', 'reason', 'FailedGetMetric', 'message', 'nobody says ' || p_decision.unread)
        else jsonb_build_object('type', 'ScalingActive', 'status', 'True', 'reason', 'ValidMetricFound') end,
      jsonb_build_object('type', 'ScalingLimited', 'status', case when p_decision.limited is null then 'False' else 'True' end, 'reason', coalesce(p_decision.limited, 'DesiredWithinRange')))
    || case when p_decision.may_sleep then jsonb_build_array(
         jsonb_build_object('type', 'ScaledToZero', 'status', case when p_decision.wanted = 0 and p_decision.stopped is distinct from 'ScalingDisabled' then 'True' else 'False' end,
           'reason', case when p_decision.wanted = 0 and p_decision.stopped is distinct from 'ScalingDisabled' then 'Idle' else 'NotScaledToZero' end)) else '[]' end;
end;
$$;
comment on function stark_internal.conditions_of_scaling(stark_internal.scaling_decision, jsonb) is 'The conditions that an autoscaler writes.';
revoke all on function stark_internal.conditions_of_scaling(stark_internal.scaling_decision, jsonb) from public, anon;

-- Acting ----------------------------------------------------------------------------------------------------------------

/** stark_internal.autoscale(ids, now) -> the deployments of which another number is wanted now; they are due at once. The cluster lock is held. */
create function stark_internal.autoscale(p_ids uuid[], p_now timestamptz)
returns uuid[]
language plpgsql
set search_path = pg_temp
set plan_cache_mode = force_generic_plan
set jit = off
as $$
declare
  v_origin text := pg_catalog.current_setting('stark.origin', true);
  v_decisions stark_internal.scaling_decision[] := array(select s from stark_internal.decide_scaling(p_ids, p_now) s);
  v_next timestamptz := p_now + stark_internal.usage_interval() * interval '1 second';
begin
  insert into stark.autoscaler_recommendations (deployment_id, recommended_at, replicas, recommended, wanted, reason, metrics)
    select s.deployment_id, p_now, s.replicas, s.recommended, s.wanted, s.reason, s.metrics
    from unnest(v_decisions) s
    where s.stopped is null and (s.recommended, s.wanted, s.reason) is distinct from (
      select (r.recommended, r.wanted, r.reason) from stark.autoscaler_recommendations r where r.deployment_id = s.deployment_id order by r.id desc limit 1);
  -- The one that was in force when the hour began stays, as windows reach back to it.
  delete from stark.autoscaler_recommendations r
    where r.deployment_id = any (p_ids) and r.id < (
      select max(o.id) from stark.autoscaler_recommendations o where o.deployment_id = r.deployment_id and o.recommended_at < p_now - interval '1 hour');
  update stark.autoscalers a set
      metrics = s.metrics, recommended = s.recommended, wanted = s.wanted, reason = s.reason, idle_since = s.idle_since, looked_at = p_now,
      scaled_to_zero = s.wanted = 0 and s.stopped is distinct from 'ScalingDisabled', scaled_at = case when s.wanted <> s.replicas then p_now else a.scaled_at end, next_look_at = v_next
    from unnest(v_decisions) s where a.deployment_id = s.deployment_id;
  -- Those of which nothing was decided, since they are being deleted.
  update stark.autoscalers a set next_look_at = v_next where a.deployment_id = any (p_ids) and a.next_look_at <> v_next;
  perform pg_catalog.set_config('stark.origin', 'autoscaler', true);
  update stark.deployments d set replicas = c.wanted, conditions = c.conditions,
      next_reconcile_at = case when c.wanted = d.replicas then d.next_reconcile_at else least(d.next_reconcile_at, d.reconciled_at, p_now) end
    from (
      select s.deployment_id, s.wanted, stark_internal.merge_conditions(e.conditions,
        (select coalesce(jsonb_agg(k.item - 'lastTransitionTime' order by k.ord), '[]') from jsonb_array_elements(e.conditions) with ordinality as k (item, ord)
         where k.item ->> 'type' not in ('AbleToScale', 'ScalingActive', 'ScalingLimited', 'ScaledToZero')) || stark_internal.conditions_of_scaling(s, e.conditions), p_now) as conditions
      from unnest(v_decisions) s join stark.deployments e on e.id = s.deployment_id) c
    where d.id = c.deployment_id and (d.replicas, d.conditions) is distinct from (c.wanted, c.conditions);
  perform pg_catalog.set_config('stark.origin', coalesce(v_origin, ''), true);
  return array(select s.deployment_id from unnest(v_decisions) s where s.wanted <> s.replicas);
end;
$$;
comment on function stark_internal.autoscale(uuid[], timestamptz) is 'One look of the autoscaler at a set of deployments.';
revoke all on function stark_internal.autoscale(uuid[], timestamptz) from public, anon;

/** stark_internal.autoscale_due(now) -> how many autoscalers looked because their time had come, a step's worth at most. Locks: the cluster lock, when there is one. */
create function stark_internal.autoscale_due(p_now timestamptz default stark_internal.controller_time())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
begin
  if not exists (select from stark.autoscalers a where a.next_look_at <= p_now) then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  v_ids := array(select a.deployment_id from stark.autoscalers a where a.next_look_at <= p_now order by a.next_look_at, a.deployment_id limit stark_internal.call_limit('autoscalers_at_once'));
  perform stark_internal.autoscale(v_ids, p_now);
  perform stark_internal.reconcile_due(p_now);
  return cardinality(v_ids);
end;
$$;
comment on function stark_internal.autoscale_due(timestamptz) is 'Looks of autoscalers whose time has come.';
revoke all on function stark_internal.autoscale_due(timestamptz) from public, anon;

/** stark_internal.require_no_autoscaler(deployment): passes when a person sets its replicas, and when a person has set them to 0. Raises AUTOSCALED. */
create function stark_internal.require_no_autoscaler(p_deployment stark.deployments)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if p_deployment.autoscale is not null
     and (p_deployment.replicas > 0 or exists (select from stark.autoscalers a where a.deployment_id = p_deployment.id and a.scaled_to_zero)) then
    perform stark_internal.fail('AUTOSCALED', format('deployment %s is autoscaled between %s and %s', p_deployment.name, coalesce(p_deployment.autoscale ->> 'min', '1'), p_deployment.autoscale ->> 'max'),
      format('stark deployment autoscale %s -n %s --off', p_deployment.name, p_deployment.namespace));
  end if;
end;
$$;
comment on function stark_internal.require_no_autoscaler(stark.deployments) is 'Raises a coded error for a deployment whose replicas the autoscaler sets.';
revoke all on function stark_internal.require_no_autoscaler(stark.deployments) from public, anon;

-- Numbers that are reported ---------------------------------------------------------------------------------------------

/**
 * stark_internal.store_metric(namespace, name, value, valid seconds, user, for all) -> the number, stored. Without a user it is the database's own, and counts for
 * every deployment of the namespace: a security definer function or a trigger of an application's own migrations calls it so, since users of
 * the application have no right in Stark. A number above 0 wakes who was scaled to zero, in the same transaction.
 * Locks: the cluster lock, when there is somebody to wake. Raises: LIMIT_EXCEEDED.
 */
create function stark_internal.store_metric(
  p_namespace text, p_name text, p_value double precision, p_valid_seconds integer default 86400, p_user_id uuid default null, p_for_all boolean default true
)
returns stark.reported_metrics
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_now timestamptz := stark_internal.controller_time();
  v_asleep uuid[] := '{}';
  v_row stark.reported_metrics;
begin
  -- Definer: it may be called from any writer's transaction. No API role may call it.
  if p_value > 0 then
    v_asleep := array(
      select d.id from stark.autoscalers a join stark.deployments d on d.id = a.deployment_id
      where a.namespace = p_namespace and a.scaled_to_zero and d.replicas = 0 and d.autoscale -> 'metrics' @> jsonb_build_array(jsonb_build_object('name', p_name))
        and (p_for_all or d.created_by = p_user_id) order by d.id limit stark_internal.call_limit('autoscalers_at_once'));
  end if;
  if v_asleep <> '{}' then
    perform stark_internal.lock_cluster();
  end if;
  if not exists (select from stark.reported_metrics r where r.namespace = p_namespace and r.name = p_name and r.reported_by is not distinct from p_user_id) then
    delete from stark.reported_metrics r where r.namespace = p_namespace and r.expires_at <= v_now;
    if (select count(*) from stark.reported_metrics r where r.namespace = p_namespace and r.reported_by is not distinct from p_user_id) >= stark_internal.call_limit('metrics_of_a_namespace') then
      perform stark_internal.fail('LIMIT_EXCEEDED', format('namespace %s has %s numbers by this reporter already', p_namespace, stark_internal.call_limit('metrics_of_a_namespace')), 'report under names that are there');
    end if;
  end if;
  insert into stark.reported_metrics as r (namespace, name, reported_by, counts_for_all, value, reported_at, expires_at)
    values (p_namespace, p_name, p_user_id, p_for_all, p_value, v_now, v_now + p_valid_seconds * interval '1 second')
    on conflict on constraint one_number_of_a_name_by_each do update
      set counts_for_all = excluded.counts_for_all, value = excluded.value, reported_at = excluded.reported_at, expires_at = excluded.expires_at
    returning * into v_row;
  if v_asleep <> '{}' then
    perform stark_internal.note_deployments(stark_internal.autoscale(v_asleep, v_now));
    perform stark_internal.work_off_notes(v_now);
  end if;
  return v_row;
end;
$$;
comment on function stark_internal.store_metric(text, text, double precision, integer, uuid, boolean) is 'Stores a number by name, and wakes who waits for it.';
revoke all on function stark_internal.store_metric(text, text, double precision, integer, uuid, boolean) from public, anon;

/**
 * stark.report_metric(namespace, name, value, valid_seconds) -> the number, stored until it is replaced, at most for so long: autoscalers of the namespace whose
 * metrics name it follow it, and those that are scaled to zero are woken at once by one above 0. Of who may change only the own deployments
 * it counts for these. Names are a letter, then letters, digits, _ and -; 100 of a namespace by each reporter.
 * Caller: deployments:update in the namespace. Locks: the cluster lock, when there is somebody to wake. Example:
 *   select stark.report_metric('default', 'queue', 12);
 * Raises: UNAUTHENTICATED, FORBIDDEN, NAMESPACE_NOT_FOUND, INVALID_NAME, INVALID_ARGUMENT, LIMIT_EXCEEDED.
 */
create function stark.report_metric(p_namespace text, p_name text, p_value double precision, p_valid_seconds integer default 86400)
returns stark.reported_metrics
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_user uuid := stark_internal.require_user();
begin
  perform stark_internal.require_permission('deployments:update', p_namespace, true);
  perform stark_internal.require_namespace(p_namespace);
  if p_name is null or not stark_internal.is_metric_name(p_name) then
    perform stark_internal.fail('INVALID_NAME', format('%s is no name for a number', coalesce(to_json(left(p_name, 80))::text, 'null')), 'use a letter, then letters, digits, _ and -, 63 at most; not cpu and not memory');
  elsif p_value is null or not p_value between 0 and 1e15 then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s cannot be %s', p_name, coalesce(p_value::text, 'null')), 'give a number from 0 to 1e15');
  elsif p_valid_seconds is null or p_valid_seconds not between 1 and 86400 then
    perform stark_internal.fail('INVALID_ARGUMENT', 'a number is valid for 1 to 86400 seconds', 'give p_valid_seconds');
  end if;
  return stark_internal.store_metric(p_namespace, p_name, p_value, p_valid_seconds, v_user, stark_internal.has_permission('deployments:update', p_namespace));
end;
$$;
comment on function stark.report_metric(text, text, double precision, integer) is 'Reports a number that autoscalers follow.';
revoke all on function stark.report_metric(text, text, double precision, integer) from public, anon;
grant execute on function stark.report_metric(text, text, double precision, integer) to authenticated, service_role;

/** stark_internal.forget_expired_metrics(now) -> how many numbers went because their time was over. One that is being reported anew is left alone. */
create function stark_internal.forget_expired_metrics(p_now timestamptz default now())
returns integer
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  with expired as (
    delete from stark.reported_metrics r where r.ctid = any (array(select o.ctid from stark.reported_metrics o where o.expires_at <= p_now for update skip locked)) returning 1)
  select count(*)::integer from expired;
$$;
comment on function stark_internal.forget_expired_metrics(timestamptz) is 'Removes numbers whose time is over.';
revoke all on function stark_internal.forget_expired_metrics(timestamptz) from public, anon;
