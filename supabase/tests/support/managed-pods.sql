-- What the files about deployments share: a clock that is set, agents that report, and a look at what the controller made of it.

/** tests.at(seconds): from now on it is so many seconds after the transaction began, to the controller. */
create or replace function tests.at(p_seconds numeric) returns void language sql
as $$ select set_config('stark.now', (now() + p_seconds * interval '1 second')::text, true) $$;

/** tests.look(): what is noted is worked off, and what is due. */
create or replace function tests.look() returns void language sql
as $$ select stark_internal.work_off_notes(); select stark_internal.reconcile_due(); $$;

/** tests.report_managed(status, from, more): every managed pod of these statuses reports this. */
create or replace function tests.report_managed(p_from text[], p_status text, p_more jsonb default '{}', p_where text default 'true') returns bigint language plpgsql
as $$
declare
  v_pod record;
  v_reports bigint := 0;
begin
  for v_pod in execute format('select p.id, p.node_id from stark.pods p where p.deployment_id is not null and p.node_id is not null and p.status = any ($1) and (%s) order by p.created_at, p.id', p_where) using p_from loop
    perform stark_internal.apply_reports(v_pod.node_id, array(
        select r from stark_internal.read_reports(jsonb_build_array(jsonb_build_object('pod_id', v_pod.id, 'status', p_status) || p_more)) r), '{}', stark_internal.controller_time());
    v_reports := v_reports + 1;
  end loop;
  return v_reports;
end
$$;

/** tests.let_run(seconds): what was placed runs and is ready, what stops has stopped; then so many seconds pass, and the controller looks. */
create or replace function tests.let_run(p_at numeric default null) returns void language plpgsql
as $$
begin
  perform tests.report_managed(array['scheduled', 'transferring', 'starting'], 'running', '{"ready": true}');
  perform tests.report_managed(array['stopping'], 'stopped');
  perform tests.look();
  if p_at is not null then
    perform tests.at(p_at);
    perform tests.look();
  end if;
end
$$;

/** tests.settled(): time passes, ten seconds at a time, and agents do what they are told, until the controller waits for nothing; from this second on. */
create or replace function tests.settle(p_from numeric, p_steps integer default 12) returns void language plpgsql
as $$
begin
  for step in 1 .. p_steps loop
    perform tests.let_run(p_from + step * 11);
  end loop;
end
$$;

/** tests.deployment(name): status and reason, revision, and pods by revision and status. */
create or replace function tests.deployment(p_name text) returns text language sql
as $$
  select format('%s %s r%s %s/%s', d.status, d.status_reason, d.revision, d.available_replicas, d.replicas)
    || coalesce((select ' ' || string_agg(c.pods || ' r' || c.revision || ' ' || c.status, ', ' order by c.revision, c.status)
                 from (select p.revision, p.status, count(*) as pods from stark.pods p where p.deployment_id = d.id and p.finished_at is null group by 1, 2) c), '')
  from stark.deployments d where d.name = p_name
$$;

grant execute on all functions in schema tests to public;
