-- Guards: nothing in Stark's schemas is open, unnamed or unguarded. They scan the catalogue, so what is added later is
-- held to the same.
begin;
select * from no_plan();

create temporary view ours as select n.oid, n.nspname from pg_namespace n where n.nspname in ('stark', 'stark_internal');

select is_empty(
  $$select c.oid::regclass from pg_class c join ours on ours.oid = c.relnamespace where c.relkind in ('r', 'p') and not c.relrowsecurity$$,
  'row level security is on for every table');

select is_empty(
  $$select c.oid::regclass from pg_class c join ours on ours.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not exists (select from pg_policy p where p.polrelid = c.oid)$$,
  'every table has a policy, if only one that lets nobody in');

select is_empty(
  $$select p.polrelid::regclass, p.polcmd, p.polroles from pg_policy p join pg_class c on c.oid = p.polrelid join ours on ours.oid = c.relnamespace
    group by 1, 2, 3 having count(*) > 1$$,
  'there is one policy for each command and role of a table');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace
    where not 'search_path=pg_temp' = any (coalesce(p.proconfig, '{}'))$$,
  'every function looks for bare names in pg_catalog, and in pg_temp last');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace
    where (ours.nspname = 'stark' or p.provolatile = 'v' or 'enable_nestloop=off' = any (p.proconfig))
      and not 'jit=off' = any (coalesce(p.proconfig, '{}'))$$,
  'what changes something, what is called from outside and what switches off nested loops is run without compiling its plans');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace
    where p.prosrc ~* 'create\s+(local\s+|global\s+)?temp' and p.proname <> 'open_tables'$$,
  'temporary tables are made by the one function that looks whose they are');

select is_empty(
  $$select a.oid::regprocedure, b.oid::regprocedure from pg_proc a join ours on ours.oid = a.pronamespace, pg_proc b
    where a.provolatile <> 'v' and b.provolatile = 'v' and b.pronamespace in (select oid from ours)
      and a.prosrc ~ format('%s\.%s\s*\(', b.pronamespace::regnamespace, b.proname)$$,
  'a function that says it changes nothing calls none of ours that may: PostgREST runs it read-only, by POST too');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace
    where has_function_privilege('anon', p.oid, 'execute') and p.oid::regprocedure::text <> 'stark.needs_setup()'$$,
  'anon may execute needs_setup and nothing else');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace
    where exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)$$,
  'no function is open to public');

select set_eq(
  $$select p.proname::text from pg_proc p where p.pronamespace = 'stark'::regnamespace and has_function_privilege('authenticated', p.oid, 'execute')$$,
  array['append_pod_logs', 'apply_objects', 'delete_objects', 'can_i', 'create_deployment', 'update_deployment', 'scale_deployment', 'pause_deployment', 'resume_deployment', 'delete_deployment',
        'pause_rollout', 'resume_rollout', 'promote_rollout', 'undo_rollout', 'restart_rollout', 'report_metric', 'admit_user', 'create_join_token', 'create_namespace', 'create_pods', 'create_role', 'delete_role', 'disable_user', 'enable_user', 'list_users', 'update_role', 'create_priority_class', 'update_priority_class', 'cordon_node', 'delete_namespace', 'delete_node', 'delete_pack', 'delete_pods', 'delete_priority_class', 'drain_node', 'pending_evictions', 'roll_back_pod', 'uncordon_node', 'disconnect_node', 'events_topic', 'explain_placement', 'finish_pack_version', 'follow_logs', 'grant_role', 'needs_setup', 'node_sync',
        'diagnostics', 'probe_watcher', 'register_node', 'register_pack_version', 'report_pods', 'revoke_join_token', 'revoke_role', 'stop_pods', 'update_cluster_config', 'update_namespace', 'update_node', 'update_pack', 'update_pods', 'whoami', 'withdraw_pack_version'],
  'signed-in users may call the API, and that is all there is');

select set_eq(
  $$select p.proname::text from pg_proc p where p.pronamespace = 'stark_internal'::regnamespace and has_function_privilege('authenticated', p.oid, 'execute')$$,
  array['has_permission', 'is_member', 'may_read_bundle', 'may_upload_bundle', 'may_use_topic', 'my_nodes', 'permitted_namespaces'],
  'of the machinery, policies need these and no others');

select is_empty(
  $$select p.proname from pg_proc p
    where p.pronamespace = 'stark'::regnamespace and p.prosrc !~ 'work_off_notes|reconciled_deployment|set_disabled'
      -- What these write is new, or nothing that a deployment can have to do with.
      and p.proname not in ('create_role', 'delete_pack', 'register_pack_version', 'setup_admin')
      and (p.prosrc ~ '(update|delete from) stark\.(pods|nodes|namespaces|packs|pack_versions|role_bindings|role_permissions|roles|profiles)\M'
        or p.prosrc ~ 'insert into stark\.(nodes|role_bindings|role_permissions)\M' or p.prosrc ~ 'begin_stop|apply_reports|renew_leases|put_permissions')$$,
  'who writes what deployments care about has them looked at before the answer, not at the commit');

select is_empty(
  $$select r from unnest(array['anon', 'authenticated', 'service_role', 'authenticator']) r where has_schema_privilege(r, 'stark_internal', 'usage')$$,
  'no API role may use schema stark_internal');

select is_empty(
  $$select format('%s: %s', c.oid::regclass, r) from pg_class c join ours on ours.oid = c.relnamespace,
      unnest(array['anon', 'authenticated', 'service_role']) r
    where c.relkind in ('r', 'p', 'v') and has_table_privilege(r, c.oid, 'insert, update, delete, truncate, references, trigger')$$,
  'no API role may write a table: writes go through functions');

select is_empty(
  $$select c.oid::regclass from pg_class c join ours on ours.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v') and has_table_privilege('anon', c.oid, 'select')$$,
  'anon reads nothing');

select is_empty(
  $$select c.oid::regclass from pg_class c where c.relnamespace = 'stark_internal'::regnamespace and c.relkind in ('r', 'p', 'v')
      and (has_table_privilege('authenticated', c.oid, 'select') or has_table_privilege('service_role', c.oid, 'select'))$$,
  'nobody but the owner reads the machinery''s tables');

select is_empty(
  $$select c.oid::regclass from pg_class c join ours on ours.oid = c.relnamespace
    where c.relkind = 'v' and not 'security_invoker=true' = any (coalesce(c.reloptions, '{}'))$$,
  'every view asks with the rights of who reads it');

select is_empty(
  $$select c.oid::regclass from pg_class c join ours on ours.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v') and obj_description(c.oid, 'pg_class') is null$$,
  'every table and view has a comment');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p join ours on ours.oid = p.pronamespace where obj_description(p.oid, 'pg_proc') is null$$,
  'every function has a comment');

select is_empty(
  $$select format('%s.%s', c.oid::regclass, a.attname) from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'stark'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
      and col_description(c.oid, a.attnum) is null
      and a.attname not in ('id', 'created_at', 'updated_at', 'scheduled_at', 'started_at', 'finished_at', 'node_id', 'pack_id', 'pack_version_id')$$,
  'every column of meaning has a comment');

select is_empty(
  $$select format('%s %s', k.conrelid::regclass, k.conname) from pg_constraint k join ours on ours.oid = k.connamespace
    where k.contype = 'f' and not exists (
      select from pg_index i where i.indrelid = k.conrelid and (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)$$,
  'every foreign key has an index');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'stark'::regnamespace and 'p_now' = any (coalesce(p.proargnames, '{}'))$$,
  'no caller of the API can move the clock');

select is_empty(
  $$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'stark'::regnamespace and p.prosecdef
      and p.proname not in ('needs_setup') and p.prosrc !~ 'require_(user|permission|node|pods|agent|pack)|is_trusted'$$,
  'every function that crosses the boundary asks first who calls');

-- A caller that waits for the lock waits for what is done under it: a call that is refused must not be that. What only says who calls
-- (require_user) is not enough, where the call is about something.
select is_empty(
  $$select p.oid::regprocedure from pg_proc p where p.pronamespace = 'stark'::regnamespace and p.prosrc ~ 'lock_cluster\('
      and split_part(p.prosrc, 'lock_cluster(', 1) !~ 'require_(permission|node|pods|agent|pack|deployment)\(|is_trusted\(|has_permission\(|read_pod\(|plan_object\(|plan_removal\('$$,
  'rights are asked before the cluster lock is taken');

select is_empty(
  $$select format('%s: %s', p.oid::regprocedure, m[1]) from pg_proc p join ours on ours.oid = p.pronamespace,
      regexp_matches(p.prosrc, $re$fail\(\s*'([A-Z_]+)'$re$, 'g') m
    where not exists (select from stark.error_codes e where e.code = m[1])$$,
  'every error that is raised stands in the table of errors');

select is_empty(
  $$select e.code from stark.error_codes e where not exists (
      select from pg_proc p join ours on ours.oid = p.pronamespace where p.prosrc ~ ('''' || e.code || ''''))$$,
  'every error in the table is raised somewhere');

select is_empty(
  $$select e.code from stark.error_codes e where e.exit_code <> case e.http_status when 400 then 2 when 413 then 2 when 401 then 4 when 403 then 5 when 404 then 6 when 409 then 7 when 503 then 8 else 1 end$$,
  'an error''s exit code follows from its HTTP status, as the command line does it');

select is_empty(
  $$select t.tgrelid::regclass || ' ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid join ours on ours.oid = c.relnamespace
    where not t.tgisinternal and t.tgtype & 1 = 1 and t.tgname not in ('_100_bump_version', '_100_unbind_first', '_100_note_readiness', '_100_note_first_readiness', '_100_bump_generation', '_900_work_off_at_commit')$$,
  'triggers work on statements, all but those that come before a row is changed or goes, and the one at commit');

select is_empty(
  $$select distinct p.oid::regprocedure from pg_trigger t join pg_proc p on p.oid = t.tgfoid join ours on ours.oid = p.pronamespace
    where not p.prosecdef and p.proname <> 'bump_version'$$,
  'trigger functions work for every role that fires them: what Supabase Auth cascades to does so as its own role');

select * from finish();
rollback;
