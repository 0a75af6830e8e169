-- The controller: a set of deployments in, a few statements out, never a loop over pods. It runs in the transaction of what it cares
-- about, and never inside a trigger or a schedule pass: triggers note ids, and the function that writes works the notes off before its end.
--
--   observe (progress, canary steps) ──► judge (failed?) ──► choose (way back, newer version) ──► plan ──► act (stop, make) ──► settle (counts, status)

-- Revisions -------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.secrets_salt(deployment, secrets) -> what stands for env and config in the hash of a template: null for none, what stood for the
 * same ones in this deployment before, else something random. A hash of the secrets themselves would let those who see the hash try guesses.
 */
create function stark_internal.secrets_salt(p_deployment_id uuid, p_secrets jsonb)
returns uuid
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select case when p_secrets <> '{}' then coalesce(
    (select s.salt from stark_internal.revision_secrets s where s.deployment_id = p_deployment_id and s.secrets = p_secrets order by s.revision desc limit 1),
    gen_random_uuid()) end;
$$;
comment on function stark_internal.secrets_salt(uuid, jsonb) is 'What stands for env and config in the hash of a template.';
revoke all on function stark_internal.secrets_salt(uuid, jsonb) from public, anon;

/** stark_internal.template_hash(template, salt, version) -> ten hex digits of the whole template, which pods have as label pod-template-hash. */
create function stark_internal.template_hash(p_template jsonb, p_salt uuid, p_version_id uuid)
returns text
language sql
immutable
set search_path = pg_temp
as $$
  select left(encode(sha256(convert_to(jsonb_build_array(p_template, p_salt, p_version_id)::text, 'UTF8')), 'hex'), 10);
$$;
comment on function stark_internal.template_hash(jsonb, uuid, uuid) is 'The hash of a template.';
revoke all on function stark_internal.template_hash(jsonb, uuid, uuid) from public, anon;

/**
 * stark_internal.add_revision(deployment, template, secrets, version, cause, change cause, user, now) -> the number of the new revision, which is
 * what is wanted from now on. What was progressing is superseded. A hash that an older revision has takes its pods over.
 */
create function stark_internal.add_revision(
  p_deployment_id uuid, p_template jsonb, p_secrets jsonb, p_version_id uuid, p_cause text, p_change_cause text, p_user_id uuid, p_now timestamptz default now()
)
returns bigint
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_salt uuid := stark_internal.secrets_salt(p_deployment_id, p_secrets);
  v_hash text := stark_internal.template_hash(p_template, v_salt, p_version_id);
  v_number bigint := 1 + coalesce((select max(r.revision) from stark.deployment_revisions r where r.deployment_id = p_deployment_id), 0);
  v_wanted integer := coalesce((
    select sum(r.wanted) from stark.deployment_revisions r where r.deployment_id = p_deployment_id and r.template_hash = v_hash), 0);
begin
  update stark.deployment_revisions r set
      status = case when r.status = 'progressing' then 'superseded' else r.status end,
      wanted = case when r.template_hash = v_hash then 0 else r.wanted end,
      current_replicas = case when r.template_hash = v_hash then 0 else r.current_replicas end,
      ready_replicas = case when r.template_hash = v_hash then 0 else r.ready_replicas end,
      available_replicas = case when r.template_hash = v_hash then 0 else r.available_replicas end
    where r.deployment_id = p_deployment_id and (r.status = 'progressing' or (r.template_hash = v_hash and r.wanted + r.current_replicas > 0));
  insert into stark.deployment_revisions (deployment_id, revision, namespace, deployment_name, template_hash, template, pack_version_id, version,
                                          cause, change_cause, created_by, created_at, wanted)
    select d.id, v_number, d.namespace, d.name, v_hash, p_template, v.id, v.version, p_cause, p_change_cause, p_user_id, p_now, v_wanted
    from stark.deployments d, stark.pack_versions v where d.id = p_deployment_id and v.id = p_version_id;
  insert into stark_internal.revision_secrets (deployment_id, revision, secrets, salt) values (p_deployment_id, v_number, p_secrets, v_salt);
  delete from stark_internal.first_availabilities a where a.deployment_id = p_deployment_id;
  update stark.deployments d set revision = v_number where d.id = p_deployment_id;
  return v_number;
end;
$$;
comment on function stark_internal.add_revision(uuid, jsonb, jsonb, uuid, text, text, uuid, timestamptz) is 'Makes a template the newest revision.';
revoke all on function stark_internal.add_revision(uuid, jsonb, jsonb, uuid, text, text, uuid, timestamptz) from public, anon;

/** stark_internal.repeat_revision(deployment, revision, cause, change cause, user, now) -> the number under which an old template is the newest revision. */
create function stark_internal.repeat_revision(
  p_deployment_id uuid, p_revision bigint, p_cause text, p_change_cause text, p_user_id uuid, p_now timestamptz default now()
)
returns bigint
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select stark_internal.add_revision(r.deployment_id, r.template, s.secrets, r.pack_version_id, p_cause, p_change_cause, p_user_id, p_now)
  from stark.deployment_revisions r join stark_internal.revision_secrets s using (deployment_id, revision)
  where r.deployment_id = p_deployment_id and r.revision = p_revision;
$$;
comment on function stark_internal.repeat_revision(uuid, bigint, text, text, uuid, timestamptz) is 'Makes an old template the newest revision.';
revoke all on function stark_internal.repeat_revision(uuid, bigint, text, text, uuid, timestamptz) from public, anon;

-- Observe ---------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.observed_gap(reconciled_at, now) -> the time since the last look, null where it says nothing: more than two minutes, or
 * backwards. A paused project, a clock that jumped or a restored backup must not let a deadline pass.
 */
create function stark_internal.observed_gap(p_reconciled_at timestamptz, p_now timestamptz)
returns interval
language sql
immutable
set search_path = pg_temp
as $$
  select case when p_now - p_reconciled_at between interval '0' and interval '2 minutes' then p_now - p_reconciled_at end;
$$;
comment on function stark_internal.observed_gap(timestamptz, timestamptz) is 'The time since the last look; null where it says nothing.';
revoke all on function stark_internal.observed_gap(timestamptz, timestamptz) from public, anon;

/** stark_internal.note_availabilities(ids, now) -> in which of these deployments a pod of the wanted revision became available for the first time, and when the last run was ready for long enough. */
create function stark_internal.note_availabilities(p_ids uuid[], p_now timestamptz)
returns table (deployment_id uuid, progressed boolean, cleared_at timestamptz)
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
#variable_conflict use_column
begin
  return query
    with available as materialized (
      select p.id, p.deployment_id, p.ready_at + d.min_ready_seconds * interval '1 second' as since
      from stark.deployments d
      join stark.deployment_revisions t on t.deployment_id = d.id and t.revision = d.revision and t.status = 'progressing'
      join stark.deployment_revisions r on r.deployment_id = d.id and r.template_hash = t.template_hash
      join stark.pods p on p.deployment_id = d.id and p.revision = r.revision and p.finished_at is null and p.status = 'running'
      join stark.nodes n on n.id = p.node_id and n.status = 'healthy'
      where d.id = any (p_ids) and p.ready_at <= p_now - d.min_ready_seconds * interval '1 second'
    ), noted as (
      insert into stark_internal.first_availabilities (pod_id, deployment_id) select a.id, a.deployment_id from available a
        on conflict (pod_id) do nothing returning deployment_id, pod_id
    )
    select a.deployment_id, bool_or(n.pod_id is not null), max(a.since)
    from available a left join noted n on n.pod_id = a.id group by a.deployment_id;
end;
$$;
comment on function stark_internal.note_availabilities(uuid[], timestamptz) is 'Where pods became available for the first time.';
revoke all on function stark_internal.note_availabilities(uuid[], timestamptz) from public, anon;

/**
 * stark_internal.observe_rollouts(sets, now): progress starts the deadline of a rollout anew; it stands still while the rollout is paused, at a
 * pause of its canary, and while no pod is wanted. A canary passes a weight when it is reached, a pause when its time is over.
 */
create function stark_internal.observe_rollouts(p_sets stark_internal.revision_set[], p_now timestamptz)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  with looked as (
    select d.id, d.revision, t.goal, stark_internal.observed_gap(d.reconciled_at, p_now) as gap, greatest(p_now - d.reconciled_at, '0') as elapsed,
           d.canary_steps -> r.step as step, t.is_held or t.may_not is not null or t.needed = 0 as stands_still,
           s.available >= t.goal and coalesce((select sum(o.live) from unnest(p_sets) o where o.deployment_id = d.id and o.template_hash <> s.template_hash), 0) <= t.replicas - t.goal as is_reached,
           t.goal < t.replicas or r.step < jsonb_array_length(d.canary_steps) and t.goal is distinct from t.replicas as in_canary,
           a.progressed, a.cleared_at,
           (select max(f.was_ready_since + d.min_ready_seconds * interval '1 second') from stark_internal.failed_runs f
            where f.deployment_id = d.id and f.was_ready_since + d.min_ready_seconds * interval '1 second' <= f.failed_at) as cleared_before
    from unnest(p_sets) s
    join stark.deployments d on d.id = s.deployment_id and d.revision = s.revision
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision and r.status = 'progressing'
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    left join stark_internal.note_availabilities(array(select distinct u.deployment_id from unnest(p_sets) u), p_now) a on a.deployment_id = d.id
    where not t.is_frozen
  ), judged as (
    select l.*, l.in_canary and l.step ? 'pause' and l.is_reached as at_pause,
           l.in_canary and not l.stands_still and l.is_reached
             and case when l.step ? 'weight' then true else r.step_waited + l.elapsed >= stark_internal.seconds_of(l.step -> 'pause') * interval '1 second' end as is_passed
    from looked l join stark.deployment_revisions r on r.deployment_id = l.id and r.revision = l.revision
  )
  update stark.deployment_revisions r set
      waited = case
        when coalesce(j.progressed, false) or j.gap is null then '0'
        when j.stands_still or j.at_pause then r.waited
        else r.waited + j.gap end,
      failures_cleared_at = greatest(r.failures_cleared_at, j.cleared_at, j.cleared_before),
      step = r.step + coalesce(j.is_passed, false)::integer,
      step_waited = case when j.is_passed then '0' when j.at_pause and not j.stands_still then r.step_waited + j.elapsed else r.step_waited end
    from judged j
    where r.deployment_id = j.id and r.revision = j.revision;
end;
$$;
comment on function stark_internal.observe_rollouts(stark_internal.revision_set[], timestamptz) is 'Notes the progress of rollouts.';
revoke all on function stark_internal.observe_rollouts(stark_internal.revision_set[], timestamptz) from public, anon;

-- Judge -----------------------------------------------------------------------------------------------------------------

/** stark_internal.failing_rollouts(sets) -> rollouts that have failed now: three runs in a row that ended by themselves, on two nodes where the pods are on more than one, or the deadline. */
create function stark_internal.failing_rollouts(p_sets stark_internal.revision_set[])
returns table (deployment_id uuid, revision bigint, reason text, message text, has_run boolean)
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  return query
    select d.id, r.revision, j.reason,
           case j.reason when 'CrashLoopBackOff' then concat_ws(': ', format('%s runs in a row ended by themselves', f.runs), f.message)
             else format('no progress for %s seconds', d.progress_deadline_seconds) end,
           f.runs > 0 or exists (
             select from stark.pods p join stark.deployment_revisions o on o.deployment_id = p.deployment_id and o.revision = p.revision
             where p.deployment_id = d.id and o.template_hash = s.template_hash and p.started_at is not null)
    from unnest(p_sets) s
    join stark.deployments d on d.id = s.deployment_id and d.revision = s.revision
    join stark.deployment_revisions r on r.deployment_id = d.id and r.revision = d.revision and r.status = 'progressing'
    join stark_internal.rollout_terms t on t.deployment_id = d.id
    cross join lateral (
      select count(*) as runs, count(distinct f.node_id) as nodes, (array_agg(f.message order by f.failed_at desc, f.id desc))[1] as message
      from stark_internal.failed_runs f join stark.deployment_revisions o on o.deployment_id = f.deployment_id and o.revision = f.revision
      where f.deployment_id = d.id and o.template_hash = s.template_hash and f.failed_at >= r.created_at
        and (r.failures_cleared_at is null or f.failed_at > r.failures_cleared_at)) f
    cross join lateral (
      select case when f.runs >= 3 and (f.nodes >= 2 or s.nodes <= 1) then 'CrashLoopBackOff'
                  when r.waited >= d.progress_deadline_seconds * interval '1 second' then 'ProgressDeadlineExceeded' end as reason) j
    where j.reason is not null and not t.is_frozen and not t.is_held and t.may_not is null;
end;
$$;
comment on function stark_internal.failing_rollouts(stark_internal.revision_set[]) is 'Rollouts that have failed now.';
revoke all on function stark_internal.failing_rollouts(stark_internal.revision_set[]) from public, anon;

/** stark_internal.block_time(failures) -> for how long a version is blocked that failed so often: a minute, doubling to an hour. */
create function stark_internal.block_time(p_failures integer)
returns interval
language sql
immutable
set search_path = pg_temp
as $$
  select least(interval '1 hour', interval '1 minute' * (2 ^ least(p_failures - 1, 10)));
$$;
comment on function stark_internal.block_time(integer) is 'For how long a version is blocked that failed so often.';
revoke all on function stark_internal.block_time(integer) from public, anon;

/**
 * stark_internal.fail_rollouts(sets, now): rollouts that have failed end here, and the way back begins. A version of which a run began is
 * blocked, unless the way back is the same version.
 */
create function stark_internal.fail_rollouts(p_sets stark_internal.revision_set[], p_now timestamptz)
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_failed record;
  v_back bigint;
  v_maker uuid;
begin
  for v_failed in select f.*, d.auto_rollback, r.pack_version_id from stark_internal.failing_rollouts(p_sets) f
      join stark.deployments d on d.id = f.deployment_id join stark.deployment_revisions r on r.deployment_id = f.deployment_id and r.revision = f.revision loop
    update stark.deployment_revisions r set status = 'failed', failed_at = p_now, status_reason = v_failed.reason, status_message = v_failed.message
      where r.deployment_id = v_failed.deployment_id and r.revision = v_failed.revision;
    v_back := stark_internal.way_back(v_failed.deployment_id, v_failed.revision);
    if v_failed.has_run and not exists (
      select from stark.deployment_revisions r where r.deployment_id = v_failed.deployment_id and r.revision = v_back and r.pack_version_id = v_failed.pack_version_id) then
      insert into stark_internal.blocked_versions as b (deployment_id, pack_version_id, blocked_until)
        values (v_failed.deployment_id, v_failed.pack_version_id, p_now + stark_internal.block_time(1))
        on conflict (deployment_id, pack_version_id) do update set failures = b.failures + 1, blocked_until = p_now + stark_internal.block_time(b.failures + 1);
    end if;
    if v_failed.auto_rollback and v_back is not null then
      select stark_internal.maker_of_pods(d, r) into v_maker
        from stark.deployments d join stark.deployment_revisions r on r.deployment_id = d.id where d.id = v_failed.deployment_id and r.revision = v_back;
      perform stark_internal.repeat_revision(v_failed.deployment_id, v_back, 'rollback', format('revision %s failed: %s', v_failed.revision, v_failed.reason), v_maker, p_now);
      update stark.deployments d set acts_as = v_maker where d.id = v_failed.deployment_id and d.acts_as is distinct from v_maker;
    end if;
  end loop;
end;
$$;
comment on function stark_internal.fail_rollouts(stark_internal.revision_set[], timestamptz) is 'Ends rollouts that have failed, and begins the way back.';
revoke all on function stark_internal.fail_rollouts(stark_internal.revision_set[], timestamptz) from public, anon;

-- Act -------------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.stop_surplus(sets, now) -> how many were stopped: what is more than wanted of each set, in the order in which pods go: not placed,
 * not ready, lower annotation stark/pod-deletion-cost, more siblings on its node, ready for a shorter time, more restarts, newer, id.
 * Of available pods no more than the budget lets go, whatever the plan says.
 */
create function stark_internal.stop_surplus(p_sets stark_internal.revision_set[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_ids uuid[];
begin
  if not exists (select from unnest(p_sets) s where s.live > s.wanted) then
    return 0;
  end if;
  with crowded as (
    select s.*, t.least from stark_internal.with_replacements(p_sets, p_now) s join stark_internal.rollout_terms t using (deployment_id)
  ), members as (
    select p.*, c.template_hash, c.revision as set_revision, c.live - c.wanted as surplus,
           p.status = 'running' and p.ready and n.status = 'healthy' as is_ready, coalesce(n.draining, false) as is_leaving,
           p.status = 'running' and n.status = 'healthy' and coalesce(p.ready_at <= p_now - d.min_ready_seconds * interval '1 second', false) as is_available,
           count(*) over (partition by c.deployment_id, p.node_id) as siblings,
           greatest(0, (select sum(o.available) from crowded o where o.deployment_id = c.deployment_id) - c.least) as budget
    from crowded c
    join stark.deployments d on d.id = c.deployment_id
    join stark.deployment_revisions r on r.deployment_id = c.deployment_id and r.template_hash = c.template_hash
    join stark.pods p on p.deployment_id = c.deployment_id and p.revision = r.revision and p.finished_at is null and p.status <> 'stopping'
    left join stark.nodes n on n.id = p.node_id
    where c.live > c.wanted
  ), leaving as (
    select m.id, m.deployment_id, m.set_revision as revision, m.surplus, m.created_at, m.is_available, m.budget,
           row_number() over (
             partition by m.deployment_id, m.template_hash
             order by m.node_id is null desc, coalesce(m.is_ready, false), m.is_leaving desc, coalesce((m.annotations ->> 'stark/pod-deletion-cost')::integer, 0),
                      m.siblings desc, m.ready_at desc nulls first, m.restarts desc, m.created_at desc, m.id) as rank
    from members m
  ), chosen as (
    select l.*, count(*) filter (where l.is_available) over (partition by l.deployment_id order by l.revision, l.rank) as available_before
    from leaving l where l.rank <= l.surplus
  )
  select array(select c.id from chosen c where not c.is_available or c.available_before <= c.budget
               order by c.is_available, c.created_at, c.id limit stark_internal.call_limit('managed_pods')) into v_ids;
  perform stark_internal.begin_stop(v_ids, p_now, p_deletes => true);
  return cardinality(v_ids);
end;
$$;
comment on function stark_internal.stop_surplus(stark_internal.revision_set[], timestamptz) is 'Stops pods of which there are more than wanted.';
revoke all on function stark_internal.stop_surplus(stark_internal.revision_set[], timestamptz) from public, anon;

/** stark_internal.namespace_room(namespace, cpu, memory, storage) -> how many more pods like this its quota and limit range allow, null for any number, and why not more. */
create function stark_internal.namespace_room(p_namespace text, p_cpu bigint, p_memory bigint, p_storage bigint, out room bigint, out reason text, out message text)
returns record
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_namespace stark.namespaces;
  v_bound record;
begin
  select * into v_namespace from stark.namespaces n where n.name = p_namespace;
  select a.resource, a.asked, (v_namespace.limit_range #>> array['min', a.resource])::bigint as least, (v_namespace.limit_range #>> array['max', a.resource])::bigint as most into v_bound
    from (values ('cpu', p_cpu), ('memory', p_memory), ('storage', p_storage)) a (resource, asked)
    where a.asked < (v_namespace.limit_range #>> array['min', a.resource])::bigint or a.asked > (v_namespace.limit_range #>> array['max', a.resource])::bigint limit 1;
  if found then
    room := 0;
    reason := 'LimitRangeViolated';
    message := format('a pod in namespace %s may ask for %s %s, not %s', p_namespace, concat_ws(' and ', 'at least ' || v_bound.least, 'at most ' || v_bound.most), v_bound.resource, v_bound.asked);
  elsif v_namespace.quota - 'deployments' <> '{}' then
    select u.resource, u.used, u.most, case when u.asked > 0 then greatest(0, (u.most - u.used) / u.asked) end as room into v_bound
      from (
        select a.resource, a.used, a.asked, (v_namespace.quota ->> a.resource)::bigint as most
        from (select count(*) as pods, coalesce(sum(p.cpu_request), 0) as cpu, coalesce(sum(p.memory_request), 0) as memory, coalesce(sum(p.storage_request), 0) as storage
              from stark.pods p where p.namespace = p_namespace and p.finished_at is null) t
        cross join lateral (values ('pods', t.pods, 1), ('cpu', t.cpu, p_cpu), ('memory', t.memory, p_memory), ('storage', t.storage, p_storage)) a (resource, used, asked)) u
      where u.most is not null and u.asked > 0 order by 4 limit 1;
    room := v_bound.room;
    reason := 'QuotaExceeded';
    message := format('namespace %s uses %s %s, its quota is %s', p_namespace, v_bound.used, v_bound.resource, v_bound.most);
  end if;
end;
$$;
comment on function stark_internal.namespace_room(text, bigint, bigint, bigint) is 'How many more pods like this a namespace has room for.';
revoke all on function stark_internal.namespace_room(text, bigint, bigint, bigint) from public, anon;

/**
 * stark_internal.among_their_own(spec, labels) -> the spec with label key pod-template-hash in each spread constraint and each anti-affinity term
 * that speaks of pods with these very labels: pods of two revisions do not stand in each other's way.
 */
create function stark_internal.among_their_own(p_spec jsonb, p_labels jsonb)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_spec jsonb := p_spec;
  v_path text[];
  v_at text[];
  v_term jsonb;
begin
  for v_path in select p from (values (array['topologySpreadConstraints']), (array['affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution']),
                                      (array['affinity', 'podAntiAffinity', 'preferredDuringSchedulingIgnoredDuringExecution'])) v (p) loop
    for i in 0 .. coalesce(jsonb_array_length(v_spec #> v_path), 0) - 1 loop
      v_at := v_path || i::text || case when v_spec #> (v_path || i::text) ? 'podAffinityTerm' then array['podAffinityTerm'] else '{}' end;
      v_term := v_spec #> v_at;
      if jsonb_typeof(v_term -> 'labelSelector') = 'object' and not coalesce(v_term -> 'matchLabelKeys', '[]') ? 'pod-template-hash'
         and not coalesce(v_term -> 'mismatchLabelKeys', '[]') ? 'pod-template-hash' and not coalesce(v_term #> '{labelSelector,matchLabels}', '{}') ? 'pod-template-hash'
         and stark_internal.matches_selector(p_labels, v_term -> 'labelSelector') then
        v_spec := jsonb_set(v_spec, v_at || 'matchLabelKeys'::text, coalesce(v_term -> 'matchLabelKeys', '[]') || '["pod-template-hash"]');
      end if;
    end loop;
  end loop;
  return v_spec;
end;
$$;
comment on function stark_internal.among_their_own(jsonb, jsonb) is 'A spec whose rules about its own kind speak of one revision only.';
revoke all on function stark_internal.among_their_own(jsonb, jsonb) from public, anon;

/** stark_internal.pod_spec(revision) -> the spec that its pods begin with: the template's, with what its version declares and its own hash in its rules. */
create function stark_internal.pod_spec(p_revision stark.deployment_revisions)
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
  select stark_internal.among_their_own(
    stark_internal.with_ports(p_revision.template -> 'spec', p_revision.pack_version_id),
    (p_revision.template -> 'labels') || jsonb_build_object('pod-template-hash', p_revision.template_hash));
$$;
comment on function stark_internal.pod_spec(stark.deployment_revisions) is 'The spec that pods of a revision begin with.';
revoke all on function stark_internal.pod_spec(stark.deployment_revisions) from public, anon;

/** stark_internal.replacement_delay(failures) -> how long after so many pods in a row failed for good the next is made: 0, 10, 20 seconds, doubling to five minutes. */
create function stark_internal.replacement_delay(p_failures bigint)
returns interval
language sql
immutable
set search_path = pg_temp
as $$
  select case when p_failures <= 1 then interval '0' else least(interval '5 minutes', interval '10 seconds' * (2 ^ least(p_failures - 2, 10))) end;
$$;
comment on function stark_internal.replacement_delay(bigint) is 'How long a replacement waits after so many failures in a row.';
revoke all on function stark_internal.replacement_delay(bigint) from public, anon;

/**
 * stark_internal.held_replacements(deployment, hash, now) -> how many pods that failed for good are not replaced yet, until when, and on which node
 * the last one failed. Pods of a rollout that is not stable are replaced at once: their failures are counted.
 */
create function stark_internal.held_replacements(p_deployment_id uuid, p_hash text, p_now timestamptz, out held bigint, out until timestamptz, out node_name text)
returns record
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  with runs as (
    select f.failed_at, f.node_id
    from stark_internal.failed_runs f join stark.deployment_revisions r using (deployment_id, revision)
    where f.deployment_id = p_deployment_id and r.template_hash = p_hash and f.for_good
      and f.failed_at > coalesce((
        select max(p.ready_at + d.min_ready_seconds * interval '1 second') from stark.pods p join stark.deployments d on d.id = p.deployment_id
        where p.deployment_id = p_deployment_id and p.finished_at is null and p.ready_at + d.min_ready_seconds * interval '1 second' <= p_now
          and p.created_at > f.failed_at), '-infinity')
  ), last as (
    select count(*) as failures, max(r.failed_at) as failed_at, (array_agg(r.node_id order by r.failed_at desc))[1] as node_id,
           exists (select from stark.deployment_revisions s where s.deployment_id = p_deployment_id and s.template_hash = p_hash and s.stable_at is not null) as is_stable
    from runs r
  )
  select case when l.is_stable and l.failed_at + stark_internal.replacement_delay(l.failures) > p_now then 1 else 0 end::bigint,
         case when l.is_stable then l.failed_at + stark_internal.replacement_delay(l.failures) end,
         (select n.name from stark.nodes n where n.id = l.node_id)
    into held, until, node_name
  from last l;
end;
$$;
comment on function stark_internal.held_replacements(uuid, text, timestamptz) is 'How many pods that failed for good are not replaced yet.';
revoke all on function stark_internal.held_replacements(uuid, text, timestamptz) from public, anon;

/** stark_internal.but_there_last(spec, node) -> the spec for any other node than this one; forgive_nodes takes that back where no other is found. */
create function stark_internal.but_there_last(p_spec jsonb, p_node_name text)
returns jsonb
language plpgsql
immutable
set search_path = pg_temp
as $$
declare
  v_required constant text[] := array['affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution'];
  v_field jsonb := jsonb_build_object('key', 'metadata.name', 'operator', 'NotIn', 'values', jsonb_build_array(p_node_name));
  v_terms jsonb;
begin
  if p_node_name is null then
    return p_spec;
  end if;
  -- Of several terms one has to hold, so each says it.
  v_terms := (
    select jsonb_agg(t.term || jsonb_build_object('matchFields', coalesce(t.term -> 'matchFields', '[]') || v_field) order by t.ord)
    from jsonb_array_elements(coalesce(p_spec #> (v_required || 'nodeSelectorTerms'::text), '[{}]')) with ordinality as t (term, ord));
  return p_spec || jsonb_build_object('affinity', coalesce(p_spec -> 'affinity', '{}') || jsonb_build_object('nodeAffinity',
    coalesce(p_spec #> '{affinity,nodeAffinity}', '{}') || jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_object('nodeSelectorTerms', coalesce(v_terms, '[]')))));
end;
$$;
comment on function stark_internal.but_there_last(jsonb, text) is 'A spec for every node but one.';
revoke all on function stark_internal.but_there_last(jsonb, text) from public, anon;

/**
 * stark_internal.forgive_nodes(ids) -> how many pods of these deployments may be placed where one of theirs failed for good, now that they were found
 * to fit on no other node.
 */
create function stark_internal.forgive_nodes(p_ids uuid[])
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_forgiven integer;
begin
  update stark.pods p set spec = w.spec, status_reason = null, status_message = null
    from stark.deployment_revisions r
    join stark_internal.rollout_terms t on t.deployment_id = r.deployment_id and not t.is_frozen and t.may_not is null
    cross join lateral (
      select stark_internal.pod_spec(r) as spec offset 0) w
    where r.deployment_id = any (p_ids) and p.deployment_id = r.deployment_id and p.revision = r.revision and p.pinned_node_id is null
      and p.status = 'pending' and p.status_reason = 'Unschedulable' and p.spec <> w.spec;
  get diagnostics v_forgiven = row_count;
  return v_forgiven;
end;
$$;
comment on function stark_internal.forgive_nodes(uuid[]) is 'Lets pods be where others of their deployment failed, when there is no other place.';
revoke all on function stark_internal.forgive_nodes(uuid[]) from public, anon;

/** stark_internal.missing_replicas(sets, now) -> of each set that is counted, and lacks pods, how many can be made now, and why not all; on which node rather not, and with whose rights. */
create function stark_internal.missing_replicas(p_sets stark_internal.revision_set[], p_now timestamptz)
returns table (deployment_id uuid, revision bigint, missing integer, makeable bigint, reason text, message text, until timestamptz, avoids text, maker uuid)
language plpgsql
stable
set search_path = pg_temp
as $$
#variable_conflict use_column
begin
  if not exists (select from stark_internal.with_replacements(p_sets, p_now) s where s.wanted > s.live) then
    return;
  end if;
  return query
    select s.deployment_id, s.revision, s.wanted - s.live, case when n.may_not is null then greatest(0, least(s.wanted - s.live - h.held, q.room)) else 0 end,
           case when v.state <> 'ready' then 'VersionWithdrawn' when n.may_not is not null then n.may_not when q.room < s.wanted - s.live then q.reason when h.held > 0 then 'RestartBackOff' end,
           case when n.may_not is not null then null when q.room < s.wanted - s.live then q.message when h.held > 0 then 'a pod failed and is replaced after a while' end,
           case when h.held > 0 then h.until end,
           case when h.until is not null then h.node_name end,
           m.maker
    from stark_internal.with_replacements(p_sets, p_now) s
    join stark.deployments d on d.id = s.deployment_id and d.mode = 'replicated'
    join stark.deployment_revisions r on r.deployment_id = s.deployment_id and r.revision = s.revision
    cross join lateral (select stark_internal.maker_of_pods(d, r) as maker) m
    cross join lateral (select stark_internal.may_not_run(m.maker, d.namespace, d.pack_id, r.template) as may_not) n
    join stark.pack_versions v on v.id = r.pack_version_id
    cross join lateral stark_internal.held_replacements(s.deployment_id, s.template_hash, p_now) h
    cross join lateral stark_internal.namespace_room(r.namespace, coalesce((r.template #>> '{spec,resources,requests,cpu}')::bigint, 0),
      coalesce((r.template #>> '{spec,resources,requests,memory}')::bigint, 0), coalesce((r.template #>> '{spec,resources,requests,storage}')::bigint, 0)) q
    where s.wanted > s.live;
end;
$$;
comment on function stark_internal.missing_replicas(stark_internal.revision_set[], timestamptz) is 'How many counted pods of each revision can be made now, and why not all.';
revoke all on function stark_internal.missing_replicas(stark_internal.revision_set[], timestamptz) from public, anon;

/** stark_internal.managed_pods_left() -> how many pods controllers may still make in this transaction: its length is bounded, and the next look goes on. */
create function stark_internal.managed_pods_left()
returns integer
language sql
stable
set search_path = pg_temp
as $$
  select stark_internal.call_limit('managed_pods') - coalesce(nullif(pg_catalog.current_setting('stark.pods_made', true), '')::integer, 0);
$$;
comment on function stark_internal.managed_pods_left() is 'How many pods controllers may still make in this transaction.';
revoke all on function stark_internal.managed_pods_left() from public, anon;

create type stark_internal.managed_pod as (deployment_id uuid, revision bigint, spec jsonb, maker uuid, pinned_node_id uuid);
comment on type stark_internal.managed_pod is 'A pod that a deployment lacks: of which revision, with whose rights, and on which node where it is made for one.';

/**
 * stark_internal.insert_managed_pods(pods, now) -> how many were made, each with a name of its own and the env and config of its revision. A name that is
 * taken already is drawn again at the next look, which is due at once.
 */
create function stark_internal.insert_managed_pods(p_pods stark_internal.managed_pod[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_left integer := stark_internal.managed_pods_left();
  v_made integer;
begin
  with made as (
    insert into stark.pods (name, namespace, pack_id, pack_name, pack_version_id, version, labels, annotations, spec, priority, created_by, created_at, deployment_id, revision, pinned_node_id)
    select stark_internal.name_stem(d.name) || '-' || r.template_hash || '-' || stark_internal.random_suffix(), d.namespace, d.pack_id, d.pack_name, r.pack_version_id, r.version,
           (r.template -> 'labels') || jsonb_build_object('pod-template-hash', r.template_hash), coalesce(r.template -> 'annotations', '{}'),
           p.spec, (r.template ->> 'priority')::integer, p.maker, p_now, d.id, r.revision, p.pinned_node_id
    from unnest(p_pods) p
    join stark.deployments d on d.id = p.deployment_id
    join stark.deployment_revisions r on r.deployment_id = p.deployment_id and r.revision = p.revision
    on conflict on constraint pod_name_is_unique_in_its_namespace do nothing
    returning id, deployment_id, revision
  ), given as (
    insert into stark.pod_env (pod_id, env, config)
      select p.id, s.secrets -> 'env', s.secrets -> 'config' from made p join stark_internal.revision_secrets s using (deployment_id, revision) where s.secrets <> '{}'
  )
  select count(*) into v_made from made;
  perform pg_catalog.set_config('stark.pods_made', (stark_internal.call_limit('managed_pods') - v_left + v_made)::text, true);
  return v_made;
end;
$$;
comment on function stark_internal.insert_managed_pods(stark_internal.managed_pod[], timestamptz) is 'Makes pods that deployments lack.';
revoke all on function stark_internal.insert_managed_pods(stark_internal.managed_pod[], timestamptz) from public, anon;

/** stark_internal.make_missing(sets, now) -> how many were made: what is missing of each set, as far as quota, back-off and what one transaction makes allow. */
create function stark_internal.make_missing(p_sets stark_internal.revision_set[], p_now timestamptz)
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_left integer;
begin
  if not exists (select from stark_internal.with_replacements(p_sets, p_now) s where s.wanted > s.live) then
    return 0;
  end if;
  v_left := stark_internal.managed_pods_left();
  if v_left <= 0 then
    return 0;
  end if;
  return stark_internal.insert_managed_pods(array(
    select (m.deployment_id, m.revision, w.spec, m.maker, null)::stark_internal.managed_pod
    from (
      select m.*, coalesce(sum(m.makeable) over (order by m.deployment_id, m.revision rows between unbounded preceding and 1 preceding), 0) as before
      from stark_internal.missing_replicas(p_sets, p_now) m) m
    join stark.deployment_revisions r on r.deployment_id = m.deployment_id and r.revision = m.revision
    -- Once for each revision, and not for each pod.
    cross join lateral (select stark_internal.but_there_last(stark_internal.pod_spec(r), m.avoids) as spec offset 0) w
    cross join lateral generate_series(1, least(m.makeable, v_left - m.before)) g), p_now);
end;
$$;
comment on function stark_internal.make_missing(stark_internal.revision_set[], timestamptz) is 'Makes pods that are missing.';
revoke all on function stark_internal.make_missing(stark_internal.revision_set[], timestamptz) from public, anon;
