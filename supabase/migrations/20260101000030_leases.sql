-- Leases: who is alive. Agents give signs of life on Realtime; a watcher (Edge Function watch) hears them and writes what it
-- heard every few seconds, as one call for all nodes. Silence counts only while somebody was listening: leases are compared
-- with the watcher's report, never with the clock, so that nobody is declared dead while nobody watched.
--
-- healthy -> unhealthy (its socket closed) -> healthy again, or offline (no sign for as long as its lease says) -> its pods are
-- evicted. An incarnation that was given up is over: a node that comes back connects anew, and learns which pods are still its own.

create table stark_internal.node_watch (
  only_row boolean primary key default true,
  watched tstzmultirange not null default '{}',
  called_at timestamptz,
  probe_id bigint,
  constraint there_is_one_row check (only_row)
);
comment on table stark_internal.node_watch is 'When somebody was watching the nodes. Always one row.';
comment on column stark_internal.node_watch.watched is 'The times in which some watcher has heard everything, of the last two hours; those that meet are one.';
comment on column stark_internal.node_watch.called_at is 'When a watcher was called last.';
comment on column stark_internal.node_watch.probe_id is 'Number of pg_net''s request that asked last whether one could be called.';
insert into stark_internal.node_watch (only_row) values (true);
alter table stark_internal.node_watch enable row level security;
create policy "nobody reads the watch" on stark_internal.node_watch for select to authenticated using (false);

-- Calling a watcher ---------------------------------------------------------------------------------------------------

create extension if not exists pg_net with schema extensions;

/**
 * stark_internal.watch_secrets() -> {url, key}: by what a watcher is called, each null where Vault lacks it. So are both where Vault
 * cannot be read: the secrets of a database that came from another project are encrypted with that one's key.
 */
create function stark_internal.watch_secrets(out url text, out key text)
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  url := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'project_url');
  key := (select s.decrypted_secret from vault.decrypted_secrets s where s.name = 'secret_key');
exception when others then
  url := null;
  key := null;
  raise warning 'Vault cannot be read: %', sqlerrm;
end;
$$;
comment on function stark_internal.watch_secrets() is 'URL and key in Vault, null where there are none that can be read.';
revoke all on function stark_internal.watch_secrets() from public, anon;

/**
 * stark_internal.call_watcher(now) -> whether one was called: none is when no node is connected, or when Vault lacks the
 * secrets project_url and secret_key. pg_cron does it every minute, and each watcher stays a little longer than that. The call
 * says which database it is from: a copy has the secrets too, and its nodes are not the ones that listen there.
 * Locks: the cluster lock.
 */
create function stark_internal.call_watcher(p_now timestamptz default now())
returns boolean
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_secrets record;
begin
  -- Before the name of this database is told, since a copy takes another one only now.
  perform stark_internal.lock_cluster();
  v_secrets := stark_internal.watch_secrets();
  if v_secrets.url is null or v_secrets.key is null or not exists (select from stark.nodes n where n.status in ('healthy', 'unhealthy')) then
    return false;
  end if;
  update stark_internal.node_watch w set called_at = p_now where w.only_row;
  perform net.http_post(
    url => rtrim(v_secrets.url, '/') || '/functions/v1/watch',
    body => jsonb_build_object('database', (select i.id from stark_internal.database_identity i)),
    headers => jsonb_build_object('Content-Type', 'application/json', 'apikey', v_secrets.key));
  return true;
exception
  when undefined_function or undefined_table or invalid_schema_name or insufficient_privilege then
    -- pg_net is gone. Agents ask what to run all the same, and stark doctor tells.
    raise warning 'no watcher can be called: %', sqlerrm;
    return false;
end;
$$;
comment on function stark_internal.call_watcher(timestamptz) is 'Has Edge Function watch listen to the nodes for the next minute.';
revoke all on function stark_internal.call_watcher(timestamptz) from public, anon;

/**
 * stark_internal.wake_watcher(now): calls one when nobody has watched for ten seconds and none was called. Done whenever an agent
 * asks what to run, and by pg_cron with the reaper: a watcher that died early would leave the rest of its minute unwatched.
 */
create function stark_internal.wake_watcher(p_now timestamptz default now())
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  if exists (select from stark_internal.node_watch w where greatest(upper(w.watched), w.called_at) > p_now - interval '10 seconds') then
    return;
  end if;
  perform stark_internal.call_watcher(p_now);
end;
$$;
comment on function stark_internal.wake_watcher(timestamptz) is 'Calls a watcher when nobody is watching.';
revoke all on function stark_internal.wake_watcher(timestamptz) from public, anon;

/** stark_internal.request_sync(ids): each of these agents is told to ask node_sync, which is a sign of life too. */
create function stark_internal.request_sync(p_ids uuid[])
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select realtime.send('{}', 'sync', 'stark:node:' || i, true) from unnest(p_ids) i;
$$;
comment on function stark_internal.request_sync(uuid[]) is 'Sends command sync to agents.';
revoke all on function stark_internal.request_sync(uuid[]) from public, anon;

/**
 * stark_internal.request_sync_after_start(now): what is sent while Postgres has just started, and Realtime does not read its changes yet,
 * is lost. So in the first minute all connected agents are told to ask each time; pg_cron does it with the reaper.
 */
create function stark_internal.request_sync_after_start(p_now timestamptz default now())
returns void
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  select stark_internal.request_sync(array(select n.id from stark.nodes n where n.status in ('healthy', 'unhealthy')))
  where p_now < pg_postmaster_start_time() + interval '1 minute';
$$;
comment on function stark_internal.request_sync_after_start(timestamptz) is 'Tells all agents to ask, when Postgres has just started.';
revoke all on function stark_internal.request_sync_after_start(timestamptz) from public, anon;

/**
 * stark.is_this_database(id) -> boolean: whether a call of the watcher came from this database, and not from a copy of it or one it
 * was made of. Caller: the secret key. Raises: FORBIDDEN.
 */
create function stark.is_this_database(p_id uuid)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'only the secret key may ask which database this is', 'stark doctor');
  end if;
  return exists (select from stark_internal.database_identity i where i.id = p_id);
end;
$$;
comment on function stark.is_this_database(uuid) is 'Whether this is the database of that identity.';
revoke all on function stark.is_this_database(uuid) from public, anon, authenticated;
grant execute on function stark.is_this_database(uuid) to service_role;

-- What the watcher says -----------------------------------------------------------------------------------------------

/**
 * stark_internal.renew_leases(observations, at) -> how many: observations are {node_id, incarnation, secret, sign, usage?}, where sign
 * is heartbeat, present (its presence stands) or gone (its presence ended). One statement for all of them. An observation without the right secret of the
 * present incarnation changes nothing. The cluster lock is held.
 */
create function stark_internal.renew_leases(p_observations jsonb, p_at timestamptz)
returns integer
language sql
volatile
set search_path = pg_temp
set jit = off
as $$
  with seen as materialized (
    -- Usage that is not an object of a sensible size is left out, so that it cannot make the report of all nodes fail.
    select s.node_id, s.incarnation, s.sign,
           case when jsonb_typeof(s.usage) = 'object' and not stark_internal.is_deep(s.usage) and octet_length(s.usage::text) <= 65536 then s.usage end as usage
    from jsonb_to_recordset(p_observations) as s (node_id uuid, incarnation bigint, secret text, sign text, usage jsonb)
    join stark_internal.node_secrets k
      on k.node_id = s.node_id and k.incarnation = s.incarnation and k.secret_sha256 = encode(sha256(convert_to(s.secret, 'UTF8')), 'hex')
  ), turned as (
    update stark.nodes n set
        status = case s.sign when 'gone' then 'unhealthy' else 'healthy' end,
        status_reason = case s.sign when 'gone' then 'ConnectionLost' end,
        updated_at = now()
      from seen s
      where n.id = s.node_id and n.incarnation = s.incarnation
        and n.status = case s.sign when 'gone' then 'healthy' else 'unhealthy' end
  ), renewed as (
    update stark.node_leases l set renewed_at = greatest(l.renewed_at, p_at), usage = coalesce(s.usage, l.usage),
        usage_at = case when s.usage is null then l.usage_at else p_at end
      from seen s
      where l.node_id = s.node_id and l.incarnation = s.incarnation
        and (s.sign = 'heartbeat' or (s.sign = 'present' and l.liveness = 'thrifty'))
      returning 1
  )
  select count(*)::integer from renewed;
$$;
comment on function stark_internal.renew_leases(jsonb, timestamptz) is 'Writes what the watcher observed of the nodes.';
revoke all on function stark_internal.renew_leases(jsonb, timestamptz) from public, anon;

/** stark_internal.silent_nodes() -> connected nodes, and for how long of the time that was watched last, and without a gap, they gave no sign. */
create function stark_internal.silent_nodes()
returns table (node_id uuid, silence interval, allowed interval)
language sql
stable
set search_path = pg_temp
as $$
  select n.id, upper(s.stretch) - greatest(l.renewed_at, lower(s.stretch)), make_interval(secs => l.heartbeat_timeout)
  from (select r as stretch from stark_internal.node_watch w, unnest(w.watched) r order by upper(r) desc limit 1) s,
       stark.nodes n join stark.node_leases l on l.node_id = n.id
  where n.status in ('healthy', 'unhealthy');
$$;
comment on function stark_internal.silent_nodes() is 'How long each connected node has been silent while somebody listened.';
revoke all on function stark_internal.silent_nodes() from public, anon;

/**
 * stark_internal.reap_nodes(now) -> how many were given up: they are offline, their incarnation is over, their pods are evicted.
 * Of many those that were silent longest are given up, and the next with the next call.
 * When two thirds of its time are over an agent is told to ask: one whose heartbeats were lost renews its lease by asking, and one that
 * was suspended learns that it was given up when it runs again.
 * Locks: the cluster lock, when there is something to do. Idempotent; the watcher runs it with each report, pg_cron as a safety net.
 */
create function stark_internal.reap_nodes(p_now timestamptz default now())
returns integer
language plpgsql
set search_path = pg_temp
set jit = off
as $$
declare
  v_dead uuid[];
begin
  if not exists (select from stark_internal.silent_nodes() s where s.silence > s.allowed * 2 / 3) then
    return 0;
  end if;
  perform stark_internal.lock_cluster();
  v_dead := array(select s.node_id from stark_internal.silent_nodes() s where s.silence > s.allowed
                  order by s.silence desc, s.node_id limit stark_internal.call_limit('nodes_given_up_at_once'));
  perform stark_internal.request_sync(array(select s.node_id from stark_internal.silent_nodes() s where s.silence > s.allowed * 2 / 3));
  delete from stark_internal.node_secrets k where k.node_id = any (v_dead);
  update stark.nodes n set status = 'offline', status_reason = 'HeartbeatTimeout', incarnation = n.incarnation + 1, updated_at = p_now
    where n.id = any (v_dead);
  return cardinality(v_dead);
end;
$$;
comment on function stark_internal.reap_nodes(timestamptz) is 'Gives up nodes that were silent for too long while somebody listened.';
revoke all on function stark_internal.reap_nodes(timestamptz) from public, anon;

/**
 * stark.watch_nodes(observations, since, at) -> {wants_presence_list}: a watcher says what it saw of the nodes (see renew_leases), and that
 * it has heard everything from since to at, by its own clock. wants_presence_list: whether it shall name everyone who is present with
 * each report. A call takes 1000 observations; of a report in several calls only the last claims its time, the others none (since = at).
 * Caller: the secret key. Locks: the cluster lock. Raises: UNAUTHENTICATED, FORBIDDEN, INVALID_ARGUMENT, LIMIT_EXCEEDED.
 */
create function stark.watch_nodes(p_observations jsonb, p_since timestamptz, p_at timestamptz)
returns jsonb
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
declare
  v_at timestamptz := least(p_at, now());
begin
  perform stark_internal.require_user();
  if not stark_internal.is_trusted() then
    perform stark_internal.fail('FORBIDDEN', 'only the secret key may speak for the watcher', 'stark auth whoami');
  end if;
  if p_since is null or p_at is null or coalesce(jsonb_typeof(p_observations), '') <> 'array' or p_observations @? '$[*] ? (@.type() != "object")' then
    perform stark_internal.fail('INVALID_ARGUMENT', 'watch_nodes needs a list p_observations, p_since and p_at', 'deploy Edge Function watch of the same version');
  end if;
  if jsonb_array_length(p_observations) > stark_internal.call_limit('observations') then
    perform stark_internal.fail('LIMIT_EXCEEDED', format('%s observations in one call, at most %s', jsonb_array_length(p_observations), stark_internal.call_limit('observations')), 'use several calls');
  end if;
  perform stark_internal.lock_cluster();
  update stark_internal.node_watch w set watched =
    (w.watched + tstzmultirange(tstzrange(least(p_since, v_at), v_at, '[]'))) * tstzmultirange(tstzrange(v_at - interval '2 hours', null))
    where w.only_row;
  perform stark_internal.renew_leases(p_observations, v_at);
  -- Either of them is a call's worth of work. The watcher calls every five seconds, so it also continues what earlier calls left over.
  if stark_internal.reap_nodes() = 0 then
    perform stark_internal.continue_work();
  end if;
  perform stark_internal.work_off_notes();
  return jsonb_build_object('wants_presence_list', exists (
    select from stark.node_leases l join stark.nodes n on n.id = l.node_id where l.liveness = 'thrifty' and n.status in ('healthy', 'unhealthy')));
end;
$$;
comment on function stark.watch_nodes(jsonb, timestamptz, timestamptz) is 'A watcher tells what it saw of the nodes.';
revoke all on function stark.watch_nodes(jsonb, timestamptz, timestamptz) from public, anon, authenticated;
grant execute on function stark.watch_nodes(jsonb, timestamptz, timestamptz) to service_role;

-- A transaction for each step, so that the cluster lock is free in between, and at most twenty steps: the next run is soon.
insert into stark_internal.scheduled_jobs (name, schedule, command) values
  ('stark-watch', '* * * * *', 'select stark_internal.call_watcher()'),
  ('stark-reap-nodes', '15 seconds', $job$do $$
begin
  perform stark_internal.wake_watcher(), stark_internal.request_sync_after_start();
  commit;
  for step in 1..20 loop
    exit when stark_internal.reap_nodes() = 0 and not stark_internal.continue_work();
    commit;
  end loop;
end $$$job$);
