-- Diagnostics: what stark doctor is told, by whom and of what; the parts that are missing are told too, and no secret ever.
begin;
select * from no_plan();
select tests.add_user('ada', 'admin'), tests.add_user('nod', 'node');

-- Who may ask
select tests.sign_in('nod');
select is(tests.code_of('select stark.diagnostics()'), 'FORBIDDEN', 'a node may not ask');
select is(tests.code_of('select stark.probe_watcher()'), 'FORBIDDEN', 'nor have the database ask');
select tests.sign_in('ada');
select is(tests.code_of('select stark.diagnostics()'), 'ok', 'an admin may');
select is(tests.code_of('select stark.is_this_database(null)'), '42501', 'the name of the database is for the watcher');
select is(tests.code_of($$select stark.store_watch_secrets('http://x', 'sb_secret_x')$$), '42501', 'and no admin writes Vault past Edge Function api');

-- What is there
create temporary view d as select stark.diagnostics() as d;
grant select on d to public;
select is(d -> 'extensions' ? 'pg_cron' and d #>> '{extensions,pg_cron}' is not null, true, 'pg_cron is there') from d;
select is(d #> '{extensions,supabase_vault}' <> 'null', true, 'and Vault') from d;
select is_empty($$select g ->> 'grant' from d, jsonb_array_elements(d -> 'grants') g where g -> 'held' <> 'true'$$, 'everything that is needed may be used');
select results_eq($$select j ->> 'name' from d, jsonb_array_elements(d -> 'jobs') j where j -> 'found' = 'true' and j -> 'active' = 'true'$$,
  $$values ('stark-maintenance'), ('stark-reap-nodes'), ('stark-reconcile'), ('stark-trim-pod-logs'), ('stark-watch')$$, 'every job is there and active');
select is((select count(*) from d, jsonb_array_elements(d -> 'migrations') m where m ->> 'digest' ~ '^[0-9a-f]{64}$'), (select jsonb_array_length(d -> 'migrations')::bigint from d), 'each migration has a digest');
select is((select d -> 'vault' from d), '{"project_url": null, "secret_key": null, "error": null}', 'Vault has nothing yet');
select is((select d -> 'probe' from d), 'null', 'nobody has asked yet');
select is(stark.probe_watcher(), null, 'and without the two secrets nobody can');
select tests.sign_out();

-- What is missing
select cron.unschedule('stark-watch');
select cron.alter_job((select jobid from cron.job where jobname = 'stark-reconcile'), active => false);
select cron.alter_job((select jobid from cron.job where jobname = 'stark-reap-nodes'), schedule => '30 seconds');
select tests.sign_in('ada');
select results_eq($$select j ->> 'name', j -> 'found', j -> 'active' from d, jsonb_array_elements(d -> 'jobs') j where j -> 'active' = 'false'$$,
  $$values ('stark-reap-nodes', 'false'::jsonb, 'false'::jsonb), ('stark-reconcile', 'true', 'false'), ('stark-watch', 'false', 'false')$$,
  'a job that is gone, one that sleeps and one that was changed are told');
select tests.sign_out();
select lives_ok('select stark_internal.schedule_jobs()', 'they are scheduled again');
select tests.sign_in('ada');
select is_empty($$select j ->> 'name' from d, jsonb_array_elements(d -> 'jobs') j where j -> 'found' = 'false' or j -> 'active' = 'false'$$, 'and are as they were');
select tests.sign_out();
select is((select count(*) from cron.job where jobname like 'stark-%'), 5::bigint, 'each once');

-- Vault
select tests.sign_in_as('service_role');
select lives_ok($$select stark.store_watch_secrets('http://stark.test', 'sb_secret_one')$$, 'the secret key writes both secrets');
select is(tests.code_of(format('select stark.store_watch_secrets(%L, %L)', url, key)), 'INVALID_ARGUMENT', format('not %s and %s', url, key))
  from (values ('ftp://stark.test', 'sb_secret_x'), ('http://stark.test', 'sb_publishable_x'), (null, 'sb_secret_x'), ('http://stark.test', null)) v (url, key);
select tests.sign_in('ada');
select is(d -> 'vault', '{"project_url": "http://stark.test", "secret_key": "secret", "error": null}', 'an admin sees the URL, and of the key what kind it is') from d;
select is(d::text like '%sb_secret_one%', false, 'but not the key') from d;
select isnt(stark.probe_watcher(), null, 'now the database can ask');
select tests.sign_out();
select results_eq($$select method::text, url, headers ->> 'apikey' from net.http_request_queue$$,
  $$select 'GET', 'http://stark.test/functions/v1/watch?database=' || id, 'sb_secret_one' from stark_internal.database_identity$$, 'by the URL and with the key that Vault has, and says which database it is');
select tests.sign_in('ada');
select is(d #> '{probe,status}', 'null', 'nothing has come back') from d;
select tests.sign_out();
insert into net._http_response (id, status_code, content) select probe_id, 200, '{"database": true}' from stark_internal.node_watch;
select tests.sign_in('ada');
select is(d #> '{probe,status}', '200', 'something has') from d;
select tests.sign_in_as('service_role');
select lives_ok($$select stark.store_watch_secrets('https://abc.supabase.co/', 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.x')$$, 'they are replaced by others');
select tests.sign_in('ada');
select is(d -> 'vault', '{"project_url": "https://abc.supabase.co/", "secret_key": "legacy", "error": null}', 'and only those are there') from d;
select tests.sign_out();
select is((select count(*) from vault.secrets where name in ('project_url', 'secret_key')), 2::bigint, 'each once');

select * from finish();
rollback;
