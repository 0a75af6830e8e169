-- Schemas, the error helper and the cluster lock: what every later file leans on.
--
-- `stark` is the API (PostgREST exposes it); `stark_internal` is machinery that no API role may touch: they have no usage on
-- it. Policies may still call a function there, since a policy's names were resolved when it was created.
--
-- The files are read in their order: what is used stands before what uses it, but for what a write sets off, which its body names:
-- work_off_notes, schedule_pods, request_sync, continue_work, reset_after_restore.
--
-- Each function says `set search_path = pg_temp`. Names of tables and functions are written in full; types are written bare, and Postgres
-- looks for bare names of types in pg_temp first, unless the path names pg_temp. A role that can make a temporary domain called text
-- would have its check run by our functions, as their owner. Named, pg_temp comes after pg_catalog, in which every bare name is found.
--
-- What changes something, what is called from outside, and what says enable_nestloop = off also says `set jit = off`: it runs without
-- compiling its plans. Postgres compiles a plan that looks dear, as those over working tables of unknown size do and those that are left
-- no way but what was switched off: seconds for a statement of milliseconds, while everybody waits for the cluster lock. Hosted projects
-- have jit off; an ordinary server with LLVM has it on. A guard test asks every function for both.
--
-- How triggers are named: _000 locks, _100 checks, _200 accounts, _300 commands nodes, _800 writes events, _900 schedules; Postgres
-- fires them in that order. Those that compare the rows before with the rows after switch nested loops off: their plan is
-- made at the first call, often for one row, and would be quadratic when thousands come.

create schema if not exists stark;
create schema if not exists stark_internal;

comment on schema stark is 'Stark''s API: tables guarded by row level security, and functions to call.';
comment on schema stark_internal is 'Stark''s machinery. Not exposed, not usable by API roles.';

revoke all on schema stark_internal from public;
grant usage on schema stark to anon, authenticated, service_role;

-- Error codes ---------------------------------------------------------------------------------------------------------

create table stark.error_codes (
  code text primary key,
  http_status integer not null,
  exit_code integer not null,
  description text not null,
  constraint code_is_screaming_snake_case check (code ~ '^[A-Z][A-Z0-9_]{2,62}$'),
  constraint http_status_is_an_error check (http_status between 400 and 599),
  constraint exit_code_is_known check (exit_code between 1 and 8)
);

comment on table stark.error_codes is 'Every error code a caller can meet, with the HTTP status it travels under and the exit code of the command line.';
comment on column stark.error_codes.code is 'Stable name of the error; messages may change, codes do not.';
comment on column stark.error_codes.http_status is 'Status that PostgREST answers with.';
comment on column stark.error_codes.exit_code is 'Exit code of the command line: 2 usage, 4 sign in, 5 denied, 6 not found, 7 conflict or quota, 8 not to be reached.';
comment on column stark.error_codes.description is 'What it means, for the errors page.';

insert into stark.error_codes (code, http_status, exit_code, description) values
  ('UNAUTHENTICATED', 401, 4, 'The call needs a signed-in user and there is none.'),
  ('FORBIDDEN', 403, 5, 'The caller is signed in and lacks the right for this.'),
  ('USER_DISABLED', 403, 5, 'The caller''s account was disabled by an admin.'),
  ('SETUP_DONE', 409, 7, 'The first admin exists already; setup works only once.'),
  ('LAST_ADMIN', 409, 7, 'The change would leave the cluster without an admin.'),
  ('REGISTRATION_CLOSED', 403, 5, 'An admin has closed registration; accounts are made by admins.'),
  ('USER_NOT_FOUND', 404, 6, 'No user has this id.'),
  ('EMAIL_TAKEN', 409, 7, 'A user has this e-mail address already.'),
  ('ROLE_NOT_FOUND', 404, 6, 'No role has this name.'),
  ('ROLE_EXISTS', 409, 7, 'There is a role of this name already.'),
  ('ROLE_RESERVED', 409, 7, 'The built-in roles stay as they are.'),
  ('NAMESPACE_NOT_FOUND', 404, 6, 'No namespace has this name.'),
  ('PACK_NOT_FOUND', 404, 6, 'No pack has this name, or it is private to somebody else.'),
  ('VERSION_NOT_FOUND', 404, 6, 'The pack has no such version.'),
  ('NODE_NOT_FOUND', 404, 6, 'No node has this id or name.'),
  ('POD_NOT_FOUND', 404, 6, 'No pod has this id, or the caller may not see it.'),
  ('INVALID_ARGUMENT', 400, 2, 'An argument is missing, of the wrong type, or out of range.'),
  ('INVALID_NAME', 400, 2, 'A name breaks its rule: DNS labels for pods and namespaces, DNS names for nodes, npm''s rule for packs.'),
  ('INVALID_VERSION', 400, 2, 'Not a version in the sense of semver.org 2.0.0.'),
  ('INVALID_RUNTIME', 400, 2, 'The runtime is missing or unknown.'),
  ('INVALID_LABELS', 400, 2, 'Labels break Kubernetes'' rules for keys and values, or there are too many.'),
  ('INVALID_TAINTS', 400, 2, 'Taints must be a list of {key, value, effect} with a known effect.'),
  ('INVALID_SPEC', 400, 2, 'A pod''s spec has an unknown field or a value of the wrong type.'),
  ('LIMIT_EXCEEDED', 400, 2, 'More items in one call than it takes.'),
  ('BUNDLE_TOO_LARGE', 413, 2, 'A bundle may have at most 50 MB.'),
  ('BUNDLE_MISSING', 409, 7, 'The bundle of the version was not uploaded.'),
  ('BUNDLE_SIZE_MISMATCH', 409, 7, 'The uploaded bundle has another size than was announced.'),
  ('VERSION_EXISTS', 409, 7, 'The version is registered already; versions never change.'),
  ('VERSION_NOT_READY', 409, 7, 'The version is still being uploaded, or was withdrawn.'),
  ('RUNTIME_MISMATCH', 409, 7, 'The pack does not run on this kind of node.'),
  ('NODE_CONNECTED', 409, 7, 'Another agent is connected as this node; one node is one agent.'),
  ('JOIN_TOKEN_NOT_FOUND', 404, 6, 'No join token has this id, or it is somebody else''s.'),
  ('JOIN_TOKEN_INVALID', 403, 5, 'No join token reads like this.'),
  ('JOIN_TOKEN_EXPIRED', 403, 5, 'The time of the join token is over.'),
  ('JOIN_TOKEN_REVOKED', 403, 5, 'The join token was revoked, or its maker may have no nodes any more.'),
  ('JOIN_TOKEN_USED_UP', 403, 5, 'As many nodes have joined by the token as it was good for.'),
  ('NODE_REGISTRATION_CLOSED', 403, 5, 'A machine asked to join without a token, and the configuration does not allow it.'),
  ('NODE_NAME_TAKEN', 409, 7, 'A node of this name belongs to somebody else.'),
  ('POD_NAME_TAKEN', 409, 7, 'The namespace has a pod of this name already.'),
  ('STALE_INCARNATION', 409, 7, 'The node has connected anew since; this connection speaks for it no longer.'),
  ('STATUS_STEP_REFUSED', 409, 7, 'A pod may not go from its status to the reported one.'),
  ('POD_NOT_ON_NODE', 409, 7, 'The pod is placed on another node, or on none.'),
  ('PACK_IN_USE', 409, 7, 'The pack has pods, or deployments.'),
  ('NODE_IN_USE', 409, 7, 'The node has pods that have not ended.'),
  ('CONFLICT', 409, 7, 'Somebody else changed the object since the caller saw it.'),
  ('QUOTA_EXCEEDED', 409, 7, 'The namespace''s quota has no room for this.'),
  ('LIMIT_RANGE_VIOLATED', 400, 2, 'A request is below the least or above the most that the namespace allows a pod.'),
  ('NAMESPACE_EXISTS', 409, 7, 'There is a namespace of this name already.'),
  ('NAMESPACE_RESERVED', 409, 7, 'default, stark-system and stark-public always exist.'),
  ('NAMESPACE_TERMINATING', 409, 7, 'The namespace is being deleted and takes nothing new.'),
  ('PRIORITY_CLASS_NOT_FOUND', 404, 6, 'No priority class has this name.'),
  ('PRIORITY_CLASS_EXISTS', 409, 7, 'There is a priority class of this name already.'),
  ('PRIORITY_CLASS_RESERVED', 409, 7, 'The built-in priority classes always exist.'),
  ('DEPLOYMENT_NOT_FOUND', 404, 6, 'The namespace has no deployment of this name, or the caller may not see it.'),
  ('DEPLOYMENT_EXISTS', 409, 7, 'The namespace has a deployment of this name already.'),
  ('DEPLOYMENT_TERMINATING', 409, 7, 'The deployment is being deleted.'),
  ('REVISION_NOT_FOUND', 404, 6, 'The deployment has no such revision, or none to go back to.'),
  ('VERSION_BLOCKED', 409, 7, 'The version failed in this deployment, and is not tried again for a while.'),
  ('AUTOSCALED', 409, 7, 'The autoscaler sets the replicas of the deployment.'),
  ('FIELD_IMMUTABLE', 409, 7, 'A field was stated otherwise that never changes once the object is there.'),
  ('PROJECT_CONFLICT', 409, 7, 'The object was applied by another project, whose set it is in.'),
  ('NOT_PAUSED', 409, 7, 'The rollout stands at no pause that could be ended.'),
  ('CLUSTER_BUSY', 503, 8, 'Others held the cluster lock for all the time that the call waited for it. Nothing was changed: call again.');

alter table stark.error_codes enable row level security;
create policy "everybody signed in reads error codes" on stark.error_codes for select to authenticated using (code is not null);
grant select on stark.error_codes to authenticated, service_role;

/**
 * stark_internal.fail(code, message, hint, details): raises the error; never returns.
 * SQLSTATE PGRST with JSON in message and detail is what PostgREST turns into exactly this status, code, message, details
 * and hint. Raises 22023 when the code is missing in stark.error_codes, so that no undocumented code gets out.
 */
create function stark_internal.fail(p_code text, p_message text, p_hint text default null, p_details text default null)
returns void
language plpgsql
stable
set search_path = pg_temp
as $$
declare
  v_status integer := (select e.http_status from stark.error_codes e where e.code = p_code);
begin
  if v_status is null then
    raise exception 'error code % is not in stark.error_codes', p_code using errcode = '22023';
  end if;
  raise sqlstate 'PGRST' using
    message = jsonb_build_object('code', p_code, 'message', p_message, 'details', p_details, 'hint', p_hint)::text,
    detail = jsonb_build_object('status', v_status, 'headers', '{}'::jsonb)::text;
end;
$$;
comment on function stark_internal.fail(text, text, text, text) is 'Raises a coded error in the form that PostgREST passes on unchanged.';
revoke all on function stark_internal.fail(text, text, text, text) from public, anon;

-- The cluster lock ----------------------------------------------------------------------------------------------------

-- A database may be set back to an earlier time (a restored backup), copied (a preview branch with data) or moved (an upgrade to
-- another Postgres). What it forgot has happened all the same: agents have connected, events have been read. So the first to take
-- the cluster lock afterwards has counters go on behind everything that can have been given out, and no number is given twice.

create table stark_internal.database_identity (
  only_row boolean primary key default true,
  id uuid not null default gen_random_uuid(),
  system_identifier bigint not null,
  timeline integer not null,
  since timestamptz not null default now(),
  constraint there_is_one_row check (only_row)
);
comment on table stark_internal.database_identity is 'Which database this is, to tell it from one that it was made of. Always one row.';
comment on column stark_internal.database_identity.id is 'Another one after each restore, copy or move. The watcher is called by this name.';
comment on column stark_internal.database_identity.system_identifier is 'Of the Postgres server at that time; 0 where it does not tell.';
comment on column stark_internal.database_identity.timeline is 'Of its write-ahead log; grows with each restore from a physical backup.';
comment on column stark_internal.database_identity.since is 'When it was restored, copied or moved last, or made.';
alter table stark_internal.database_identity enable row level security;
create policy "nobody reads the identity" on stark_internal.database_identity for select to authenticated using (false);

/** stark_internal.current_server() -> one row: the identifier of this Postgres server, 0 where it is not told, and the timeline it writes. */
create function stark_internal.current_server()
returns table (system_identifier bigint, timeline integer)
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  system_identifier := 0;
  if pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute') then
    system_identifier := (select c.system_identifier from pg_catalog.pg_control_system() c);
  end if;
  -- The name of the log's present file begins with its timeline; pg_control_checkpoint() tells it only after the next checkpoint.
  timeline := ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::integer;
  return next;
end;
$$;
comment on function stark_internal.current_server() is 'Identifier and timeline of the Postgres server.';
revoke all on function stark_internal.current_server() from public, anon;

insert into stark_internal.database_identity (system_identifier, timeline) select s.system_identifier, s.timeline from stark_internal.current_server() s;

/** stark_internal.detect_restore(): begins anew when the server or its timeline is not the one that was noted. The cluster lock is held. */
create function stark_internal.detect_restore()
returns void
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  update stark_internal.database_identity i set system_identifier = s.system_identifier, timeline = s.timeline
    from stark_internal.current_server() s
    where i.only_row and (i.system_identifier, i.timeline) is distinct from (s.system_identifier, s.timeline);
  if found then
    perform stark_internal.reset_after_restore();
  end if;
end;
$$;
comment on function stark_internal.detect_restore() is 'Calls reset_after_restore after a restore, a copy or a move of the database.';
revoke all on function stark_internal.detect_restore() from public, anon;

/**
 * stark_internal.lock_cluster(): one transaction-level advisory lock, taken first by every function that changes wanted
 * state or places pods, always before any row lock. So placement sees a settled world and nothing deadlocks. A caller waits half
 * of the eight seconds that a hosted project gives a statement, or less where the session says so; then it raises CLUSTER_BUSY,
 * which tells that nothing was done. The statement's own end would tell nobody why. Each session looks once whether the database
 * was restored: no session outlives that.
 */
create function stark_internal.lock_cluster()
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
declare
  v_timeout text := pg_catalog.current_setting('lock_timeout');
begin
  if not pg_catalog.pg_try_advisory_xact_lock(1398030674, 1) then
    begin
      if extract(epoch from v_timeout::interval) not between 0.001 and 4 then
        perform pg_catalog.set_config('lock_timeout', '4s', true);
      end if;
      perform pg_catalog.pg_advisory_xact_lock(1398030674, 1);
      perform pg_catalog.set_config('lock_timeout', v_timeout, true);
    exception when lock_not_available then
      perform stark_internal.fail('CLUSTER_BUSY', 'the cluster is busy: others were at work all the while', 'try again');
    end;
  end if;
  if pg_catalog.current_setting('stark.restore_checked', true) is distinct from 'yes' then
    perform pg_catalog.set_config('stark.restore_checked', 'yes', false);
    perform stark_internal.detect_restore();
  end if;
end;
$$;
comment on function stark_internal.lock_cluster() is 'Takes the cluster lock until the end of the transaction.';
revoke all on function stark_internal.lock_cluster() from public, anon;

/** stark_internal.lock_cluster_first(): before-statement trigger on the tables of wanted state, so that a role that writes them directly takes the lock in the same order too. */
create function stark_internal.lock_cluster_first()
returns trigger
language plpgsql
security definer
set search_path = pg_temp
set jit = off
as $$
begin
  -- Definer: what the removal of a user cascades to fires this as Supabase Auth's own role. Only a trigger can call it.
  perform stark_internal.lock_cluster();
  return null;
end;
$$;
comment on function stark_internal.lock_cluster_first() is 'Takes the cluster lock before a statement locks its first row.';
revoke all on function stark_internal.lock_cluster_first() from public, anon;

-- Limits --------------------------------------------------------------------------------------------------------------

/**
 * stark_internal.call_limit(what) -> the most of it that one call takes, or one step of work does. A hosted project ends a
 * statement after eight seconds; these are sized so that the smallest database that Stark is meant for needs two. docs/limits.md
 * says how each was measured, core/src/model/limits.ts has those that callers cut their work by, and a test compares the three.
 */
create function stark_internal.call_limit(p_what text)
returns integer
language sql
immutable
set search_path = pg_temp
as $$
  select case p_what
    when 'pods' then 200
    when 'pod_entries' then 50
    when 'pod_bytes' then 524288
    when 'pod_terms' then 24
    when 'reports' then 500
    when 'reports_of_one_pod' then 100
    when 'log_lines' then 5000
    when 'log_bytes' then 4194304
    when 'observations' then 1000
    when 'pods_of_a_node' then 500
    when 'managed_pods' then 500
    when 'autoscalers_at_once' then 200
    when 'metrics_of_a_namespace' then 100
    when 'placements_of_a_pass' then 200
    when 'groups_of_a_pass' then 12
    when 'nodes_given_up_at_once' then 100
    when 'ended_pods_removed_at_once' then 500
    when 'log_lines_removed_at_once' then 20000
    when 'message_bytes' then 120000
    when 'objects' then 500
    when 'object_bytes' then 1048576
    when 'deployments_written_at_once' then 200
    when 'deployments_looked_at_at_once' then 100
  end;
$$;
comment on function stark_internal.call_limit(text) is 'The most of something that one call takes, or one step of work does.';
revoke all on function stark_internal.call_limit(text) from public, anon;

-- Who is calling ------------------------------------------------------------------------------------------------------

/**
 * stark_internal.caller_role(): the role the statement was sent under. Inside a security definer function current_user is
 * the owner, but the setting `role` still names the caller (PostgREST, Storage and Realtime set it); when nothing set it,
 * the session's own user is the caller.
 */
create function stark_internal.caller_role()
returns text
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return coalesce(nullif(pg_catalog.current_setting('role', true), 'none'), session_user::text);
end;
$$;
comment on function stark_internal.caller_role() is 'Role that sent the statement, also from inside a security definer function.';
revoke all on function stark_internal.caller_role() from public, anon;

create function stark_internal.is_trusted()
returns boolean
language plpgsql
stable
set search_path = pg_temp
as $$
begin
  return stark_internal.caller_role() in ('service_role', 'postgres', 'supabase_admin');
end;
$$;
comment on function stark_internal.is_trusted() is 'True for the secret key and for the database''s own administrators.';
revoke all on function stark_internal.is_trusted() from public, anon;

/** stark_internal.request_header(name): a header of the HTTP request PostgREST is serving, null outside of one. */
create function stark_internal.request_header(p_name text)
returns text
language sql
stable
set search_path = pg_temp
as $$
  select nullif(pg_catalog.current_setting('request.headers', true), '')::jsonb ->> p_name;
$$;
comment on function stark_internal.request_header(text) is 'A header of the HTTP request being served.';
revoke all on function stark_internal.request_header(text) from public, anon;

/** stark_internal.bump_version(): before-update row trigger; a row cannot be changed on its way in by a set-based one. */
create function stark_internal.bump_version()
returns trigger
language plpgsql
set search_path = pg_temp
set jit = off
as $$
begin
  new.resource_version := old.resource_version + 1;
  return new;
end;
$$;
comment on function stark_internal.bump_version() is 'Counts resource_version up with each change of a row.';
revoke all on function stark_internal.bump_version() from public, anon;

/**
 * stark_internal.require_version(what, seen, present): passes when the caller named no revision or the present one, else raises
 * CONFLICT with both numbers. The setting stark.saw_revision tells the trigger that warns of overwritten changes which it was.
 */
create function stark_internal.require_version(p_what text, p_seen bigint, p_present bigint)
returns void
language plpgsql
volatile
set search_path = pg_temp
set jit = off
as $$
begin
  perform pg_catalog.set_config('stark.saw_revision', case when p_seen is null then '' else 'yes' end, true);
  if p_seen is not null and p_seen <> p_present then
    perform stark_internal.fail('CONFLICT', format('%s is at revision %s, you saw %s', p_what, p_present, p_seen), 'read it again and repeat the change');
  end if;
end;
$$;
comment on function stark_internal.require_version(text, bigint, bigint) is 'Raises CONFLICT when an object is not at the revision the caller saw.';
revoke all on function stark_internal.require_version(text, bigint, bigint) from public, anon;

/** stark_internal.merge_patch(target, patch): the fields of patch replace those of target, null removes one. One level deep. */
create function stark_internal.merge_patch(p_target jsonb, p_patch jsonb)
returns jsonb
language sql
immutable
set search_path = pg_temp
as $$
  select coalesce((select jsonb_object_agg(e.key, e.value) from jsonb_each(p_target || coalesce(p_patch, '{}')) e where e.value <> 'null'), '{}');
$$;
comment on function stark_internal.merge_patch(jsonb, jsonb) is 'A flat object with a patch applied to it; null removes a field.';
revoke all on function stark_internal.merge_patch(jsonb, jsonb) from public, anon;
