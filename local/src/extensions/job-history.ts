import type { Sql } from 'postgres';
import type { JobLogin } from './job-session.js';

export interface JobRow extends JobLogin {
  readonly jobid: string;
  readonly jobname: string | null;
  readonly schedule: string;
  readonly command: string;
}

/** Reads `cron.job` and writes `cron.job_run_details`. */
export class JobHistory {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** The active jobs; none while the extension is not there. */
  async activeJobs(): Promise<JobRow[]> {
    try {
      return await this.#sql<JobRow[]>`
        select jobid::text, jobname, schedule, command, database, username from cron.job where active order by jobid
      `;
    } catch (error) {
      // No such schema, no such table.
      if (['3F000', '42P01'].includes((error as { code?: string }).code ?? '')) return [];
      throw error;
    }
  }

  /** Ends the runs that a stopped worker or server left open, except those going on now. */
  async closeAbandoned(going: string[]): Promise<void> {
    await this.#sql`
      update cron.job_run_details
      set status = 'failed', return_message = 'server restarted', end_time = clock_timestamp()
      where status in ('starting', 'running') and not runid = any (${going}::bigint[])
    `.catch((error: { code?: string }) => {
      if (!['3F000', '42P01'].includes(error.code ?? '')) throw error;
    });
  }

  async starting(job: JobRow): Promise<string> {
    const [run] = await this.#sql<{ runid: string }[]>`
      insert into cron.job_run_details (jobid, database, username, command, status)
      values (${job.jobid}, ${job.database}, ${job.username}, ${job.command}, 'starting')
      returning runid::text
    `;
    if (run === undefined) throw new Error('no run id came back');
    return run.runid;
  }

  async running(runid: string, pid: number): Promise<void> {
    await this.#sql`
      update cron.job_run_details
      set status = 'running', job_pid = ${pid}, start_time = clock_timestamp()
      where runid = ${runid}
    `;
  }

  async ended(runid: string, status: 'succeeded' | 'failed', message: string): Promise<void> {
    await this.#sql`
      update cron.job_run_details
      set status = ${status}, return_message = ${message}, end_time = clock_timestamp()
      where runid = ${runid}
    `;
  }
}
