import type pg from 'pg';
import type { JobLogin } from './job-session.js';

export interface JobRow extends JobLogin {
  readonly jobid: string;
  readonly jobname: string | null;
  readonly schedule: string;
  readonly command: string;
}

/** Reads `cron.job` and writes `cron.job_run_details`. */
export class JobHistory {
  constructor(private readonly database: pg.Pool) {}

  /** The active jobs; none while the extension is not there. */
  async activeJobs(): Promise<JobRow[]> {
    try {
      const { rows } = await this.database.query<JobRow>(
        'select jobid::text, jobname, schedule, command, database, username from cron.job where active order by jobid',
      );
      return rows;
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** Ends the runs that a stopped worker or server left open, except those going on now. */
  async closeAbandoned(going: string[]): Promise<void> {
    try {
      await this.database.query(
        `update cron.job_run_details
         set status = 'failed', return_message = 'server restarted', end_time = clock_timestamp()
         where status in ('starting', 'running') and not runid = any ($1::bigint[])`,
        [going],
      );
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async starting({ jobid, database, username, command }: JobRow): Promise<string> {
    const { rows } = await this.database.query<{ runid: string }>(
      `insert into cron.job_run_details (jobid, database, username, command, status)
       values ($1, $2, $3, $4, 'starting')
       returning runid::text`,
      [jobid, database, username, command],
    );
    const [run] = rows;
    if (run === undefined) throw new Error('no run id came back');
    return run.runid;
  }

  async running(runid: string, pid: number): Promise<void> {
    await this.database.query(
      `update cron.job_run_details
       set status = 'running', job_pid = $1, start_time = clock_timestamp()
       where runid = $2`,
      [pid, runid],
    );
  }

  async ended(runid: string, status: 'succeeded' | 'failed', message: string): Promise<void> {
    await this.database.query(
      `update cron.job_run_details
       set status = $1, return_message = $2, end_time = clock_timestamp()
       where runid = $3`,
      [status, message, runid],
    );
  }
}

/** No such schema, no such table: the extension is not there. */
function isMissing(error: unknown): boolean {
  return ['3F000', '42P01'].includes((error as { code?: string }).code ?? '');
}
