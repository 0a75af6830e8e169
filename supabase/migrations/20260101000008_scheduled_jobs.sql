-- Scheduled jobs: what pg_cron shall call, and when, as rows. The files of what is called put them in.

-- What pg_cron runs, said once: schedule_jobs has it run, and stark.diagnostics compares.
create table stark_internal.scheduled_jobs (
  name text primary key,
  schedule text not null,
  command text not null
);
comment on table stark_internal.scheduled_jobs is 'The jobs of pg_cron that Stark needs.';
comment on column stark_internal.scheduled_jobs.schedule is 'In pg_cron''s form: five fields, or seconds.';
alter table stark_internal.scheduled_jobs enable row level security;
create policy "nobody reads scheduled jobs" on stark_internal.scheduled_jobs for select to authenticated using (false);
