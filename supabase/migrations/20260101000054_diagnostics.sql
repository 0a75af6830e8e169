-- Diagnostics: what `stark doctor` asks the database. Everything that can be missing on a project is looked for before it is used,
-- so that one missing part does not hide the others; and all of it is what role postgres may see, who is no superuser on hosted
-- projects.

/** stark_internal.schedule_jobs(): has pg_cron run the jobs of stark_internal.scheduled_jobs; those it has already are as written there afterwards, and active. */
create function stark_internal.schedule_jobs()
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select cron.alter_job(cron.schedule(j.name, j.schedule, j.command), active => true) from stark_internal.scheduled_jobs j order by j.name;
$$;
comment on function stark_internal.schedule_jobs() is 'Schedules Stark''s jobs, again where they are there.';
revoke all on function stark_internal.schedule_jobs() from public, anon;

select stark_internal.schedule_jobs();

/**
 * stark_internal.pushed_migrations() -> [{version, digest}], null where the official CLI's history cannot be read. The digest is of
 * the text without white space and semicolons, of which the history keeps not all.
 */
create function stark_internal.pushed_migrations()
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if not coalesce(has_table_privilege(to_regclass('supabase_migrations.schema_migrations'), 'select'), false) then
    return null;
  end if;
  return (
    select coalesce(jsonb_agg(jsonb_build_object('version', m.version,
        'digest', encode(sha256(convert_to(regexp_replace(array_to_string(m.statements, ''), '[ \t\r\n;]+', '', 'g'), 'UTF8')), 'hex')) order by m.version), '[]')
    from supabase_migrations.schema_migrations m);
end;
$$;
comment on function stark_internal.pushed_migrations() is 'The migrations that supabase db push has applied.';
revoke all on function stark_internal.pushed_migrations() from public, anon;

/** stark_internal.needed_grants() -> [{grant, held}]: what role postgres must be able to use of the platform. */
create function stark_internal.needed_grants()
returns jsonb
language sql
stable
set search_path = pg_temp
as $$
  select jsonb_agg(jsonb_build_object('grant', g.name, 'held', coalesce(g.held, false)) order by g.ord)
  from (values
    (1, 'select on cron.job', has_table_privilege(to_regclass('cron.job'), 'select')),
    (2, 'select, delete on cron.job_run_details', has_table_privilege(to_regclass('cron.job_run_details'), 'select') and has_table_privilege(to_regclass('cron.job_run_details'), 'delete')),
    (3, 'execute on cron.schedule', has_function_privilege(to_regprocedure('cron.schedule(text, text, text)'), 'execute')),
    (4, 'usage on schema net', has_schema_privilege(to_regnamespace('net'), 'usage')),
    (5, 'execute on net.http_post', has_function_privilege(to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)'), 'execute')),
    (6, 'select on net._http_response', has_table_privilege(to_regclass('net._http_response'), 'select')),
    (7, 'select on vault.decrypted_secrets', has_table_privilege(to_regclass('vault.decrypted_secrets'), 'select')),
    (8, 'execute on vault.create_secret', has_function_privilege(to_regprocedure('vault.create_secret(text, text, text, uuid)'), 'execute')),
    (9, 'insert on realtime.messages', has_table_privilege(to_regclass('realtime.messages'), 'insert')),
    (10, 'execute on realtime.send', has_function_privilege(to_regprocedure('realtime.send(jsonb, text, text, boolean)'), 'execute'))
  ) g (ord, name, held);
$$;
comment on function stark_internal.needed_grants() is 'What Stark''s owner must be able to use of the platform, and whether it can.';
revoke all on function stark_internal.needed_grants() from public, anon;

/**
 * stark_internal.job_states() -> [{name, schedule, command, found, active, started_at, status, message, succeeded_at}] of the jobs
 * that must be there, null where pg_cron cannot be asked. found: one of this name, schedule and command is there.
 */
create function stark_internal.job_states()
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  if not (coalesce(has_table_privilege(to_regclass('cron.job'), 'select'), false)
          and coalesce(has_table_privilege(to_regclass('cron.job_run_details'), 'select'), false)) then
    return null;
  end if;
  return (
    select jsonb_agg(jsonb_build_object('name', w.name, 'schedule', w.schedule, 'command', w.command,
        'found', j.jobid is not null, 'active', coalesce(j.active, false),
        'started_at', l.start_time, 'status', l.status, 'message', left(l.return_message, 500),
        'succeeded_at', (select max(d.end_time) from cron.job_run_details d where d.jobid = j.jobid and d.status = 'succeeded')) order by w.name)
    from stark_internal.scheduled_jobs w
    left join cron.job j on j.jobname = w.name and j.schedule = w.schedule and j.command = w.command
    left join lateral (
      select d.start_time, d.status, d.return_message from cron.job_run_details d
      where d.jobid = j.jobid and d.start_time is not null order by d.start_time desc limit 1) l on true);
end;
$$;
comment on function stark_internal.job_states() is 'Stark''s jobs as pg_cron has them, and how they ran last.';
revoke all on function stark_internal.job_states() from public, anon;

/** stark_internal.vault_state() -> {project_url, secret_key, error}: the URL as it is, of the key only what kind it is; null where Vault cannot be read. */
create function stark_internal.vault_state()
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_url text;
  v_key text;
begin
  if not coalesce(has_table_privilege(to_regclass('vault.decrypted_secrets'), 'select'), false) then
    return null;
  end if;
  begin
    v_url := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'project_url');
    v_key := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'secret_key');
  exception when others then
    -- Secrets that came from another project are ciphertext here.
    return jsonb_build_object('project_url', null, 'secret_key', null, 'error', sqlerrm);
  end;
  return jsonb_build_object('project_url', v_url, 'error', null, 'secret_key', case
    when v_key is null then null
    when v_key like 'sb\_secret\_%' then 'secret'
    when v_key like 'sb\_publishable\_%' then 'publishable'
    when v_key like 'eyJ%' then 'legacy'
    else 'unknown' end);
end;
$$;
comment on function stark_internal.vault_state() is 'What Vault has of the two secrets by which a watcher is called.';
revoke all on function stark_internal.vault_state() from public, anon;

/** stark_internal.probe_state() -> {id, status, error, body}: what came back of the last probe of the watcher, with status and error null while nothing has; null when there was none. */
create function stark_internal.probe_state()
returns jsonb
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_id bigint := (select w.probe_id from stark_internal.node_watch w);
  v_answer record;
begin
  if v_id is null or not coalesce(has_table_privilege(to_regclass('net._http_response'), 'select'), false) then
    return null;
  end if;
  select r.status_code, r.timed_out, r.error_msg, r.content into v_answer from net._http_response r where r.id = v_id;
  return jsonb_build_object('id', v_id, 'status', v_answer.status_code, 'body', left(v_answer.content, 2000),
    'error', coalesce(v_answer.error_msg, case when v_answer.timed_out then 'it did not answer in time' end));
end;
$$;
comment on function stark_internal.probe_state() is 'What the watcher''s function answered to the last probe.';
revoke all on function stark_internal.probe_state() from public, anon;

-- API -----------------------------------------------------------------------------------------------------------------

/**
 * stark.diagnostics() -> what stark doctor looks at: {now, started_at, server_version, database: {id, since}, migrations, extensions, grants, jobs,
 * jobs_are_logged, watch: {heard_at, called_at}, vault: {project_url, secret_key, error}, probe: {id, status, error, body}, nodes: {<status>:
 * count}}. No secret is in it. What cannot be looked at is null. Caller: settings:update (admin).
 * Raises: UNAUTHENTICATED, USER_DISABLED, FORBIDDEN.
 */
create function stark.diagnostics()
returns jsonb
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  perform stark_internal.require_permission('settings:update');
  return jsonb_build_object(
    'now', clock_timestamp(),
    'started_at', pg_postmaster_start_time(),
    'server_version', current_setting('server_version_num')::integer,
    'database', (select jsonb_build_object('id', i.id, 'since', i.since) from stark_internal.database_identity i),
    'migrations', stark_internal.pushed_migrations(),
    'extensions', (
      select jsonb_object_agg(n.name, e.extversion)
      from unnest(array['pg_cron', 'pg_net', 'supabase_vault']) n (name) left join pg_catalog.pg_extension e on e.extname = n.name),
    'grants', stark_internal.needed_grants(),
    'jobs', stark_internal.job_states(),
    'jobs_are_logged', coalesce(current_setting('cron.log_run', true), 'on') = 'on',
    'watch', (select jsonb_build_object('heard_at', upper(w.watched), 'called_at', w.called_at) from stark_internal.node_watch w),
    'vault', stark_internal.vault_state(),
    'probe', stark_internal.probe_state(),
    'nodes', (select coalesce(jsonb_object_agg(c.status, c.count), '{}') from (select n.status, count(*) from stark.nodes n group by n.status) c));
end;
$$;
comment on function stark.diagnostics() is 'What stark doctor looks at.';
revoke all on function stark.diagnostics() from public, anon;
grant execute on function stark.diagnostics() to authenticated, service_role;

/**
 * stark.probe_watcher() -> number of the request, null where Vault lacks the URL or the key: asks function watch, by the URL and with
 * the key that Vault has, whether it would watch for this database. pg_net sends it after this call; diagnostics shows the answer.
 * Caller: settings:update (admin). Raises: UNAUTHENTICATED, USER_DISABLED, FORBIDDEN.
 */
create function stark.probe_watcher()
returns bigint
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_secrets record;
  v_id bigint;
begin
  perform stark_internal.require_permission('settings:update');
  perform stark_internal.lock_cluster();
  v_secrets := stark_internal.watch_secrets();
  if v_secrets.url is null or v_secrets.key is null then
    return null;
  end if;
  v_id := net.http_get(
    url => rtrim(v_secrets.url, '/') || '/functions/v1/watch',
    params => jsonb_build_object('database', (select i.id from stark_internal.database_identity i)),
    headers => jsonb_build_object('apikey', v_secrets.key));
  update stark_internal.node_watch w set probe_id = v_id where w.only_row;
  return v_id;
end;
$$;
comment on function stark.probe_watcher() is 'Has the database ask whether a watcher can be called.';
revoke all on function stark.probe_watcher() from public, anon;
grant execute on function stark.probe_watcher() to authenticated, service_role;

/**
 * stark.store_watch_secrets(project_url, secret_key): puts into Vault by what a watcher is called. Both at once: a caller that set only the
 * URL could have the key sent there. Edge Function api does it for an admin, who need not know the key (POST /vault).
 * Caller: the secret key. Raises: FORBIDDEN, INVALID_ARGUMENT.
 */
create function stark.store_watch_secrets(p_project_url text, p_secret_key text)
returns void
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_secret record;
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'only the secret key may write Vault', 'stark doctor --fix');
  end if;
  if p_project_url is null or length(p_project_url) > 2000 or p_project_url !~ '^https?://[^\s/?#@]+/?$' then
    perform stark_internal.fail('INVALID_ARGUMENT', format('%s is no URL of a project', coalesce(to_json(left(p_project_url, 80))::text, 'null')), 'give https://<ref>.supabase.co');
  end if;
  if p_secret_key is null or length(p_secret_key) > 2000 or p_secret_key !~ '^(sb_secret_[\w-]+|eyJ[\w-]*\.[\w-]+\.[\w-]+)$' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'p_secret_key is no secret key of a project', 'give sb_secret_…');
  end if;
  for v_secret in
    select w.name, w.value, s.id
    from (values ('project_url', p_project_url), ('secret_key', p_secret_key)) w (name, value) left join vault.secrets s on s.name = w.name
  loop
    if v_secret.id is null then
      perform vault.create_secret(v_secret.value, v_secret.name);
    else
      perform vault.update_secret(v_secret.id, v_secret.value);
    end if;
  end loop;
end;
$$;
comment on function stark.store_watch_secrets(text, text) is 'Puts into Vault by what a watcher is called.';
revoke all on function stark.store_watch_secrets(text, text) from public, anon, authenticated;
grant execute on function stark.store_watch_secrets(text, text) to service_role;
