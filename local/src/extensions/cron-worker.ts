import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.js';
import { JobHistory, type JobRow } from './job-history.js';
import { describeError, findJobServer, type JobLogin, type JobSession } from './job-session.js';
import { Listener } from './listener.js';
import { parseSchedule, type Schedule } from './schedule.js';

/** As pg_cron's `cron.max_running_jobs`. */
const MAX_RUNNING = 32;
/** A timer that sleeps through a suspended machine would oversleep what became due meanwhile. */
const LONGEST_SLEEP_MS = 30_000;
const STOP_GRACE_MS = 5_000;

export interface CronWorkerOptions {
  /** Of a superuser: it reads every job, and writes what became of each run. */
  readonly databaseUrl: string;
  /** Of the platform's other roles, for jobs where the server has no socket file. */
  readonly rolePassword: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

interface Run {
  runid: string | null;
  pid: number | null;
  done: Promise<void>;
}

interface Job {
  row: JobRow;
  schedule: Schedule;
  /** When it becomes due next, or null when never. */
  due: number | null;
  /** Due and not yet started; at most once, however many times were missed. */
  pending: boolean;
  running: boolean;
}

/** Runs the jobs of `cron.job` at their times, each as the role that scheduled it, one run of a job at a time. */
export class CronWorker {
  readonly #options: CronWorkerOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #jobs = new Map<string, Job>();
  readonly #runs = new Set<Run>();
  #admin: pg.Pool | null = null;
  #listener: Listener | null = null;
  #login: ((login: JobLogin) => JobSession) | null = null;
  #cancelTimer: () => void = () => {};
  #loading: Promise<void> = Promise.resolve();
  #first = true;
  #stopping = false;

  constructor(options: CronWorkerOptions) {
    this.#options = options;
    this.#log = options.log.child({ service: 'cron' });
    this.#clock = options.clock ?? systemClock;
  }

  /** Reads the jobs and begins to wait for their times. */
  async start(): Promise<void> {
    const { databaseUrl } = this.#options;
    this.#stopping = false;
    this.#first = true;
    this.#admin = new pg.Pool({
      connectionString: databaseUrl,
      application_name: 'pg_cron scheduler',
      max: 3,
      idleTimeoutMillis: 60_000,
      connectionTimeoutMillis: 30_000,
    });
    // An idle connection that is lost is replaced with the next query.
    this.#admin.on('error', () => {});
    this.#listener = new Listener({
      databaseUrl,
      channel: 'pg_cron',
      applicationName: 'pg_cron launcher',
      log: this.#log,
      onNotify: () => this.#reload(),
      onConnect: () => this.#reload(true),
    });
    await this.#listener.start();
    await this.#loading;
  }

  /** Starts nothing more, gives running jobs a moment, then ends them. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTimer();
    await this.#listener?.stop();
    await this.#loading;
    const done = Promise.all([...this.#runs].map((run) => run.done));
    const grace = new AbortController();
    await Promise.race([done, delay(STOP_GRACE_MS, undefined, { signal: grace.signal }).catch(() => {})]);
    grace.abort();
    const admin = this.#admin;
    if (admin !== null) {
      for (const { pid } of this.#runs) {
        if (pid !== null) await admin.query('select pg_terminate_backend($1)', [pid]).catch(() => {});
      }
      await done;
      await admin.end();
    }
    this.#admin = null;
    this.#jobs.clear();
  }

  /** Reads the jobs again, one reading after the other. */
  #reload(connected = false): void {
    this.#loading = this.#loading
      .then(() => this.#load(connected))
      .catch((error: Error) => {
        if (!this.#stopping) this.#log.warn({ err: error }, 'the cron jobs could not be read');
      });
  }

  async #load(connected: boolean): Promise<void> {
    if (this.#admin === null || this.#stopping) return;
    const history = new JobHistory(this.#admin);
    if (connected) {
      const { databaseUrl, rolePassword } = this.#options;
      this.#login = await findJobServer(this.#admin, databaseUrl, rolePassword);
      await history.closeAbandoned([...this.#runs].flatMap(({ runid }) => runid ?? []));
    }
    const rows = await history.activeJobs();
    const now = this.#clock.now();
    const seen = new Set<string>();
    for (const row of rows) {
      seen.add(row.jobid);
      const known = this.#jobs.get(row.jobid);
      if (known?.row.schedule === row.schedule) {
        known.row = row;
        continue;
      }
      const schedule = parseSchedule(row.schedule);
      const job: Job = known ?? { row, schedule, due: null, pending: false, running: false };
      Object.assign(job, { row, schedule, due: nextDue(schedule, now) });
      if (schedule.kind === 'start' && this.#first) job.pending = true;
      if (schedule.kind === 'never')
        this.#log.warn({ job: row.jobid, schedule: row.schedule }, 'this job is never due');
      this.#jobs.set(row.jobid, job);
    }
    for (const id of this.#jobs.keys()) if (!seen.has(id)) this.#jobs.delete(id);
    this.#first = false;
    this.#tick();
  }

  /** Marks what is due, starts what may start, and sleeps until the next time. */
  #tick(): void {
    this.#cancelTimer();
    if (this.#stopping) return;
    const now = this.#clock.now();
    for (const job of this.#jobs.values()) {
      if (job.due === null || job.due > now) continue;
      job.pending = true;
      job.due = nextDue(job.schedule, now);
    }
    for (const job of this.#jobs.values()) {
      if (this.#runs.size >= MAX_RUNNING) break;
      if (job.pending && !job.running) this.#start(job, now);
    }
    const next = Math.min(...[...this.#jobs.values()].map((job) => job.due ?? Number.POSITIVE_INFINITY));
    // A clock that was set back must not make us wait for the old time, nor a timer that fires early make us spin.
    const sleep = Math.min(Math.max(next - now, 1), LONGEST_SLEEP_MS);
    this.#cancelTimer = this.#clock.after(sleep, () => this.#tick());
  }

  #start(job: Job, now: number): void {
    job.pending = false;
    job.running = true;
    // An interval counts from the start of the last run.
    if (job.schedule.kind === 'interval') job.due = now + job.schedule.ms;
    const run: Run = { runid: null, pid: null, done: Promise.resolve() };
    this.#runs.add(run);
    run.done = this.#run(job.row, run)
      .catch((error: Error) => this.#log.warn({ err: error, job: job.row.jobid }, 'a job run could not be recorded'))
      .finally(() => {
        job.running = false;
        this.#runs.delete(run);
        this.#tick();
      });
  }

  async #run(row: JobRow, run: Run): Promise<void> {
    if (this.#admin === null || this.#login === null) return;
    const history = new JobHistory(this.#admin);
    const runid = await history.starting(row);
    run.runid = runid;
    const session = this.#login(row);
    let outcome: { status: 'succeeded' | 'failed'; message: string };
    try {
      run.pid = await session.open();
      await history.running(runid, run.pid);
      outcome = { status: 'succeeded', message: await session.run(row.command) };
    } catch (error) {
      this.#log.debug({ err: error, job: row.jobid, name: row.jobname }, 'a job failed');
      outcome = { status: 'failed', message: describeError(error) };
    } finally {
      await session.close();
    }
    await history.ended(runid, outcome.status, outcome.message);
  }
}

function nextDue(schedule: Schedule, now: number): number | null {
  if (schedule.kind === 'interval') return now + schedule.ms;
  if (schedule.kind === 'times') return schedule.next(new Date(now))?.getTime() ?? null;
  return null;
}
