-- Stand-in for pg_cron 1.6: the same tables, functions and grants as on a hosted project. The jobs are run by the
-- stack's cron worker, which hears of changes on channel pg_cron.

create schema cron;

create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default pg_catalog.nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport integer not null default pg_catalog.inet_server_port(),
  database text not null default pg_catalog.current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default pg_catalog.nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);

alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details using (username = current_user);

/** True when every item of one field of a cron schedule is a star, number, name, range or stepped range within its bounds. */
create function cron._valid_field(field text, lowest integer, highest integer, names text[])
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  item text;
  part text[];
  bound text;
  bounds integer[];
begin
  foreach item in array pg_catalog.string_to_array(field, ',') loop
    part := pg_catalog.regexp_match(item, '^(?:(\*)|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?$', 'i');
    if part is null then
      return false;
    end if;
    bounds := '{}';
    foreach bound in array array[part[2], part[3]] loop
      continue when bound is null;
      if bound ~ '^[0-9]{1,4}$' then
        bounds := bounds || bound::integer;
      elsif pg_catalog.array_position(names, pg_catalog.lower(bound)) is not null then
        bounds := bounds || (pg_catalog.array_position(names, pg_catalog.lower(bound)) - 1 + lowest);
      else
        return false;
      end if;
    end loop;
    if exists (select from pg_catalog.unnest(bounds) as b (n) where n < lowest or n > highest) then
      return false;
    end if;
    -- A step needs something to step through, and fits into the field.
    if part[4] is not null
      and (
        (part[1] is null and part[3] is null)
        or part[4] !~ '^[0-9]{1,4}$'
        or part[4]::integer not between 1 and highest
      )
    then
      return false;
    end if;
  end loop;
  return true;
end
$$;

create function cron._valid_schedule(schedule text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  months constant text[] := '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}';
  days constant text[] := '{sun,mon,tue,wed,thu,fri,sat,sun}';
  fields text[];
begin
  if schedule ~* '^\s*[0-9]{1,2}\s+seconds?\s*$' then
    return pg_catalog.substring(schedule, '[0-9]+')::integer between 1 and 59;
  end if;
  if pg_catalog.length(schedule) >= 1000 then
    return false;
  end if;
  fields := pg_catalog.regexp_split_to_array(pg_catalog.btrim(schedule, E' \t'), '[ \t]+');
  if fields[1] ~ '^@' then
    return pg_catalog.cardinality(fields) = 1
      and fields[1] = any ('{@reboot,@restart,@yearly,@annually,@monthly,@weekly,@daily,@midnight,@hourly}');
  end if;
  return pg_catalog.cardinality(fields) = 5
    and cron._valid_field(fields[1], 0, 59, '{}')
    and cron._valid_field(fields[2], 0, 23, '{}')
    and (fields[3] = '$' or cron._valid_field(fields[3], 1, 31, '{}'))
    and cron._valid_field(fields[4], 1, 12, months)
    and cron._valid_field(fields[5], 0, 7, days);
end
$$;

-- A change to a job must know for certain who asks, and write a table that the asker may not write. The real extension
-- is C and has both. Here a change is an insert into this view: its first trigger runs as the asker and notes the name,
-- its second runs as the owner and acts. A function with the owner's rights alone would see only the owner.
create view cron._change as
select
  null::text as action,
  null::bigint as jobid,
  null::text as jobname,
  null::text as schedule,
  null::text as command,
  null::text as database,
  null::text as username,
  null::boolean as active,
  null::text as asker
where false;

create function cron._note_asker()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.asker := current_user;
  return new;
end
$$;

create function cron._require_connect(role_name text, database_name text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = role_name) then
    raise exception 'role "%" does not exist', role_name using errcode = 'undefined_object';
  end if;
  if not exists (select from pg_catalog.pg_database where datname = database_name) then
    raise exception 'database "%" does not exist', database_name using errcode = '3D000';
  end if;
  if not pg_catalog.has_database_privilege(role_name::name, database_name, 'connect') then
    raise exception 'User % does not have CONNECT privilege on %', role_name, database_name;
  end if;
end
$$;

create function cron._apply_change()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  is_superuser boolean := (select rolsuper from pg_catalog.pg_roles where rolname = new.asker);
  job cron.job;
begin
  if new.schedule is not null and not cron._valid_schedule(new.schedule) then
    raise exception 'invalid schedule: %', new.schedule
    using
      errcode = 'invalid_parameter_value',
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
  end if;

  if new.action = 'schedule' then
    if new.username is not null and not is_superuser then
      raise exception 'must be superuser to create a job for another role';
    end if;
    new.username := coalesce(new.username, new.asker);
    new.database := coalesce(new.database, pg_catalog.current_database());
    perform cron._require_connect(new.username, new.database);
    insert into cron.job as j (jobname, schedule, command, database, username, active)
    values (new.jobname, new.schedule, new.command, new.database, new.username, coalesce(new.active, true))
    on conflict on constraint jobname_username_uniq do update
    set schedule = excluded.schedule, command = excluded.command, database = excluded.database
    returning j.jobid into new.jobid;
    return new;
  end if;

  if new.action = 'alter' then
    select * into job from cron.job j where j.jobid = new.jobid and (is_superuser or j.username = new.asker);
    if not found then
      raise exception 'Job % does not exist or you don''t own it', new.jobid;
    end if;
    if coalesce(new.schedule, new.command, new.database, new.username, new.active::text) is null then
      raise exception 'no updates specified'
      using hint = 'You must specify at least one job attribute to change when calling alter_job';
    end if;
    if new.username is not null and not is_superuser then
      raise exception 'must be superuser to alter username';
    end if;
    if new.username is not null or new.database is not null then
      perform cron._require_connect(coalesce(new.username, job.username), coalesce(new.database, job.database));
    end if;
    update cron.job j
    set
      schedule = coalesce(new.schedule, j.schedule),
      command = coalesce(new.command, j.command),
      database = coalesce(new.database, j.database),
      username = coalesce(new.username, j.username),
      active = coalesce(new.active, j.active)
    where j.jobid = new.jobid;
    return new;
  end if;

  select *
  into job
  from cron.job j
  where (new.jobid is not null and j.jobid = new.jobid)
    or (new.jobid is null and j.jobname = new.jobname and j.username = new.asker);
  if not found then
    raise exception 'could not find valid entry for job %', coalesce(new.jobid::text, pg_catalog.quote_literal(new.jobname));
  end if;
  if not is_superuser and job.username <> new.asker then
    raise exception 'permission denied for table job' using errcode = 'insufficient_privilege';
  end if;
  delete from cron.job j where j.jobid = job.jobid;
  return new;
end
$$;

create trigger a_note_asker instead of insert on cron._change for each row execute function cron._note_asker();
create trigger b_apply_change instead of insert on cron._change for each row execute function cron._apply_change();

create function cron.schedule(schedule text, command text)
returns bigint
language sql
strict
set search_path = ''
as $$
  insert into cron._change (action, schedule, command)
  values ('schedule', schedule, command)
  returning jobid
$$;
comment on function cron.schedule(text, text) is 'schedule a pg_cron job';

create function cron.schedule(job_name text, schedule text, command text)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  job_id bigint;
begin
  if schedule.job_name is null then
    raise exception 'job_name can not be NULL';
  elsif schedule.schedule is null then
    raise exception 'schedule can not be NULL';
  elsif schedule.command is null then
    raise exception 'command can not be NULL';
  end if;
  insert into cron._change (action, jobname, schedule, command)
  values ('schedule', schedule.job_name, schedule.schedule, schedule.command)
  returning jobid into job_id;
  return job_id;
end
$$;
comment on function cron.schedule(text, text, text) is 'schedule a pg_cron job';

create function cron.schedule_in_database(
  job_name text,
  schedule text,
  command text,
  database text,
  username text default null,
  active boolean default true
)
returns bigint
language plpgsql
set search_path = ''
as $$
declare
  job_id bigint;
begin
  if schedule_in_database.job_name is null then
    raise exception 'job_name can not be NULL';
  elsif schedule_in_database.schedule is null then
    raise exception 'schedule can not be NULL';
  elsif schedule_in_database.command is null then
    raise exception 'command can not be NULL';
  end if;
  insert into cron._change (action, jobname, schedule, command, database, username, active)
  values (
    'schedule',
    schedule_in_database.job_name,
    schedule_in_database.schedule,
    schedule_in_database.command,
    schedule_in_database.database,
    schedule_in_database.username,
    schedule_in_database.active
  )
  returning jobid into job_id;
  return job_id;
end
$$;
comment on function cron.schedule_in_database(text, text, text, text, text, boolean) is 'schedule a pg_cron job';

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if alter_job.job_id is null then
    raise exception 'job_id can not be NULL';
  end if;
  insert into cron._change (action, jobid, schedule, command, database, username, active)
  values (
    'alter',
    alter_job.job_id,
    alter_job.schedule,
    alter_job.command,
    alter_job.database,
    alter_job.username,
    alter_job.active
  );
end
$$;
comment on function cron.alter_job(bigint, text, text, text, text, boolean)
is 'Alter the job identified by job_id. Any option left as NULL will not be modified.';

create function cron.unschedule(job_id bigint)
returns boolean
language sql
strict
set search_path = ''
as $$
  insert into cron._change (action, jobid) values ('unschedule', job_id) returning true
$$;
comment on function cron.unschedule(bigint) is 'unschedule a pg_cron job';

create function cron.unschedule(job_name text)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  if job_name is null then
    raise exception 'job_name can not be NULL';
  end if;
  insert into cron._change (action, jobname) values ('unschedule', job_name);
  return true;
end
$$;
comment on function cron.unschedule(text) is 'unschedule a pg_cron job';

create function cron.job_cache_invalidate()
returns trigger
language plpgsql
set search_path = ''
as $$
begin
  notify pg_cron;
  return null;
end
$$;
comment on function cron.job_cache_invalidate() is 'invalidate job cache';

create trigger cron_job_cache_invalidate
after insert or update or delete or truncate on cron.job
for each statement execute function cron.job_cache_invalidate();

grant select on cron.job to public;
grant select, delete on cron.job_run_details to public;
grant select on sequence cron.jobid_seq, cron.runid_seq to public;
-- A role that may use the schema may ask; the view's triggers decide what is done.
grant insert, select on cron._change to public;

revoke all on function
  cron._apply_change(),
  cron._require_connect(text, text),
  cron._valid_field(text, integer, integer, text[]),
  cron._valid_schedule(text),
  cron.alter_job(bigint, text, text, text, text, boolean),
  cron.schedule_in_database(text, text, text, text, text, boolean)
from public;

select pg_catalog.pg_extension_config_dump('cron.job', '');
select pg_catalog.pg_extension_config_dump('cron.jobid_seq', '');
select pg_catalog.pg_extension_config_dump('cron.job_run_details', '');
select pg_catalog.pg_extension_config_dump('cron.runid_seq', '');

-- What a hosted project grants after creating the extension, and where it says the extension lives.
grant usage on schema cron to postgres with grant option;
grant all on all functions in schema cron to postgres with grant option;
grant all on all tables in schema cron to postgres with grant option;
revoke all on table cron.job from postgres;
grant select on table cron.job to postgres with grant option;
revoke trigger on table cron.job_run_details from postgres;
revoke all on function
  cron._apply_change(),
  cron._require_connect(text, text),
  cron._valid_field(text, integer, integer, text[]),
  cron._valid_schedule(text)
from postgres;
revoke all on table cron._change from postgres;

notify pg_cron;

update pg_catalog.pg_extension
set extnamespace = 'pg_catalog'::pg_catalog.regnamespace
where extname = 'pg_cron';
