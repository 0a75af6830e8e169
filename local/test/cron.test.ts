import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../src/extensions/clock.js';
import { CronWorker } from '../src/extensions/cron-worker.js';
import { parseSchedule } from '../src/extensions/schedule.js';
import { log, startTestCluster, type TestCluster, waitFor } from './postgres-support.js';

let test: TestCluster;
let owner: Sql;
let admin: Sql;

/** A clock that stands still until it is moved. */
class TestClock implements Clock {
  #now = Date.parse('2026-03-01T12:00:30Z');
  #timers = new Set<{ at: number; run: () => void }>();

  now = () => this.#now;

  after = (ms: number, run: () => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Moves on, and calls what became due. */
  advance(seconds: number): void {
    this.#now += seconds * 1000;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}

interface RunRow {
  status: string;
  return_message: string;
  username: string;
  job_pid: number;
  start_time: Date | null;
  end_time: Date | null;
}

async function runsOf(jobid: string): Promise<RunRow[]> {
  return admin<RunRow[]>`select * from cron.job_run_details where jobid = ${jobid} order by runid`;
}

const ended = (runs: RunRow[]) => runs.filter(({ status }) => status === 'succeeded' || status === 'failed');

async function schedule(sql: Sql, when: string, command: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`select cron.schedule(${when}, ${command})::text as id`;
  return row?.id ?? '';
}

beforeAll(async () => {
  test = await startTestCluster();
  owner = test.as('postgres');
  admin = test.as('supabase_admin');
  await owner.unsafe('create extension pg_cron with schema pg_catalog');
  await owner.unsafe(
    `create role worker login password '${new URL(test.cluster.url()).password}'; create role stranger login; grant stranger to postgres; grant usage on schema cron to worker, stranger; create table ticks (n integer)`,
  );
});

afterAll(() => test.stop());

describe('cron.schedule', () => {
  afterEach(() => admin`truncate cron.job, cron.job_run_details`);

  it.each([
    '* * * * *',
    '5 4 * * *',
    '*/15 0-6/2 1,15 jan-MAR sun',
    '0 0 $ * *',
    '0 0 * * 7',
    '1 second',
    ' 30 sEcOnDs ',
    '59 seconds',
    '@hourly',
    '@reboot',
  ])('takes %s', async (when) => {
    expect(Number(await schedule(owner, when, 'select 1'))).toBeGreaterThan(0);
  });

  it.each([
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * 32 * *',
    '* * * 13 *',
    '* * * 0 *',
    '* * * * 8',
    '*/0 10 * * *',
    '*/60 10 * * *',
    '*/-1 10 * * *',
    '-1 * * * *',
    '5/10 * * * *',
    '0 seconds',
    '60 seconds',
    '-1 seconds',
    '5 secondc',
    '50 seconds c',
    '1 minute',
    '@restar',
    '$ * * * *',
    'a'.repeat(1000),
  ])('refuses %s as the real one does', async (when) => {
    await expect(schedule(owner, when, 'select 1')).rejects.toMatchObject({
      code: '22023',
      message: `invalid schedule: ${when}`,
      hint: "Use cron format (e.g. 5 4 * * *), or interval format '[1-59] seconds'",
    });
  });

  it('replaces a job of the same name and user, and only that', async () => {
    const worker = test.as('worker');
    const name = (sql: Sql, command: string) =>
      sql<{ id: string }[]>`select cron.schedule('named', '* * * * *', ${command})::text as id`.then(
        ([row]) => row?.id,
      );
    const first = await name(owner, 'select 1');
    expect(await name(owner, 'select 2')).toBe(first);
    expect(await name(worker, 'select 3')).not.toBe(first);
    expect(await admin`select username, command, database, active from cron.job order by jobid`).toEqual([
      { username: 'postgres', command: 'select 2', database: 'postgres', active: true },
      { username: 'worker', command: 'select 3', database: 'postgres', active: true },
    ]);
    // Each sees its own.
    expect(await worker`select username from cron.job`).toEqual([{ username: 'worker' }]);
  });

  it('knows the caller behind set role, and takes no other name', async () => {
    await owner.begin(async (sql) => {
      await sql`grant usage on schema cron to service_role`;
      await sql`set local role service_role`;
      await sql`select cron.schedule('as-role', '* * * * *', 'select 1')`;
    });
    expect(await admin`select username from cron.job`).toEqual([{ username: 'service_role' }]);
    await expect(
      owner`select cron.schedule_in_database('x', '* * * * *', 'select 1', 'postgres', 'supabase_admin')`,
    ).rejects.toThrow('must be superuser to create a job for another role');
    await expect(
      owner`insert into cron._change (action, jobname, schedule, command, asker, username)
            values ('schedule', 'x', '* * * * *', 'select 1', 'supabase_admin', 'supabase_admin')`,
    ).rejects.toThrow('must be superuser');
    await owner`insert into cron._change (action, jobname, schedule, command, asker)
                values ('schedule', 'forged', '* * * * *', 'select 1', 'supabase_admin')`;
    expect(await admin`select username from cron.job where jobname = 'forged'`).toEqual([{ username: 'postgres' }]);
  });

  it('unschedules by name and by id, and not those of others', async () => {
    const worker = test.as('worker');
    const theirs = await schedule(owner, '* * * * *', 'select 1');
    await worker`select cron.schedule('mine', '* * * * *', 'select 1')`;
    await expect(worker`select cron.unschedule(${theirs}::bigint)`).rejects.toMatchObject({ code: '42501' });
    expect(await worker`select cron.unschedule('mine') as done`).toEqual([{ done: true }]);
    await expect(worker`select cron.unschedule('mine')`).rejects.toThrow("could not find valid entry for job 'mine'");
    expect(await owner`select cron.unschedule(${theirs}::bigint) as done`).toEqual([{ done: true }]);
    expect(await admin`select from cron.job`).toHaveLength(0);
  });

  it('alters what it is told and nothing else', async () => {
    const id = await schedule(owner, '* * * * *', 'select 1');
    await owner`select cron.alter_job(${id}::bigint, schedule => '5 seconds', active => false)`;
    expect(await admin`select schedule, command, active from cron.job`).toEqual([
      { schedule: '5 seconds', command: 'select 1', active: false },
    ]);
    await expect(owner`select cron.alter_job(${id}::bigint)`).rejects.toThrow('no updates specified');
    await expect(owner`select cron.alter_job(${id}::bigint, username => 'worker')`).rejects.toThrow(
      'must be superuser',
    );
    await expect(owner`select cron.alter_job(${id}::bigint, schedule => 'x')`).rejects.toThrow('invalid schedule: x');
    await expect(owner`select cron.alter_job(${id}::bigint, database => 'none')`).rejects.toThrow(
      'database "none" does not exist',
    );
    await expect(test.as('worker')`select cron.alter_job(${id}::bigint, active => true)`).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('a schedule', () => {
  const next = (when: string, after: string) => {
    const parsed = parseSchedule(when);
    return parsed.kind === 'times' ? (parsed.next(new Date(after))?.toISOString() ?? null) : parsed.kind;
  };

  it.each([
    ['* * * * *', '2026-03-01T12:00:30Z', '2026-03-01T12:01:00.000Z'],
    ['* * * * *', '2026-03-01T12:00:00Z', '2026-03-01T12:01:00.000Z'],
    ['0 0 $ * *', '2026-02-10T00:00:00Z', '2026-02-28T00:00:00.000Z'],
    ['0 0 $ * *', '2028-02-10T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    // Both day fields restricted: either one is enough.
    ['0 0 13 * fri', '2026-03-01T00:00:00Z', '2026-03-06T00:00:00.000Z'],
    // One of them begins with a star: both must hold.
    ['0 0 */2 * mon', '2026-03-01T00:00:00Z', '2026-03-09T00:00:00.000Z'],
    ['0 0 * * 7', '2026-03-02T00:00:00Z', '2026-03-08T00:00:00.000Z'],
    // GMT also where clocks are changed.
    ['30 2 29 3 *', '2026-03-01T00:00:00Z', '2026-03-29T02:30:00.000Z'],
    ['@monthly', '2026-03-01T00:00:01Z', '2026-04-01T00:00:00.000Z'],
    ['@weekly', '2026-03-02T00:00:00Z', '2026-03-08T00:00:00.000Z'],
    ['0 0 31 2 *', '2026-03-01T00:00:00Z', null],
    ['5-2 * * * *', '2026-03-01T00:00:00Z', 'never'],
    ['@reboot', '2026-03-01T00:00:00Z', 'start'],
  ])('%s after %s is due at %s', (when, after, due) => {
    expect(next(when, after)).toBe(due);
  });

  it('of seconds is an interval', () => {
    expect(parseSchedule(' 30 Seconds ')).toEqual({ kind: 'interval', ms: 30_000 });
  });
});

describe('the worker', () => {
  let clock: TestClock;
  let worker: CronWorker;

  beforeEach(async () => {
    clock = new TestClock();
    worker = new CronWorker({
      databaseUrl: test.cluster.url('supabase_admin'),
      rolePassword: new URL(test.cluster.url()).password,
      log,
      clock,
    });
    await worker.start();
  });

  afterEach(async () => {
    await worker.stop();
    await admin.unsafe('truncate cron.job, cron.job_run_details; truncate ticks');
  });

  /** Schedules, waits until the worker knows, and returns how to make it run until so many runs have ended. */
  async function scheduled(sql: Sql, when: string, command: string) {
    const id = await schedule(sql, when, command);
    await settle();
    const run = async (seconds: number, count: number) => {
      clock.advance(seconds);
      return waitFor(`${count} runs of ${command}`, async () => {
        const runs = ended(await runsOf(id));
        return runs.length >= count && runs;
      });
    };
    return { id, run };
  }

  /** Notifications come in order, so one of our own that arrived means the earlier ones did. */
  async function settle(): Promise<void> {
    let told = false;
    const { unlisten } = await admin.listen('pg_cron', () => {
      told = true;
    });
    await admin`notify pg_cron`;
    await waitFor('the notification', async () => told);
    await unlisten();
    // The worker then reads the table; its session is idle again when that is done.
    await waitFor('the worker to read the jobs', async () => {
      const rows = await admin`
        select from pg_stat_activity where application_name = 'pg_cron scheduler' and state <> 'idle'
      `;
      await delay(20);
      return rows.length === 0;
    });
  }

  it('runs a job at its minute, as the one who scheduled it, and records it', async () => {
    const { id, run } = await scheduled(
      test.as('worker'),
      '* * * * *',
      "select format('%s %s', session_user, current_user)",
    );
    expect(await runsOf(id)).toHaveLength(0);
    const [details] = await run(30, 1);
    expect(details).toMatchObject({ status: 'succeeded', return_message: '1 row', username: 'worker' });
    expect(details?.job_pid).toBeGreaterThan(0);
    expect(details?.end_time?.getTime()).toBeGreaterThanOrEqual(details?.start_time?.getTime() ?? Number.NaN);
    clock.advance(59);
    expect(await runsOf(id)).toHaveLength(1);
    expect(await run(1, 2)).toHaveLength(2);
  });

  it('lets a job that is one block commit on its way', async () => {
    const block = 'do $$ begin insert into ticks values (1); commit; insert into ticks values (1 / 0); end $$';
    const { run } = await scheduled(owner, '* * * * *', block);
    expect(await run(60, 1)).toMatchObject([
      { status: 'failed', return_message: expect.stringContaining('division by zero') },
    ]);
    expect(await admin`select n from ticks`).toEqual([{ n: 1 }]);
  });

  it('runs the job of a role whose password nobody knows', async () => {
    const [row] = await owner.begin(async (sql) => {
      await sql`set local role stranger`;
      return sql<{ id: string }[]>`select cron.schedule('* * * * *', 'select 1')::text as id`;
    });
    const { run } = await scheduled(owner, '* * * * *', 'select 1');
    await run(60, 1);
    const [details] = await waitFor('its run', async () => {
      const runs = ended(await runsOf(row?.id ?? ''));
      return runs.length > 0 && runs;
    });
    expect(details).toMatchObject({ status: 'succeeded', username: 'stranger' });
  });

  it('lets no job become more than its user', async () => {
    for (const [attempt, refusal] of [
      ["reset role; select pg_read_file('vault.key')", 'permission denied'],
      ['reset session authorization; create role mine superuser', 'permission denied'],
      ['set session authorization supabase_admin', 'permission denied to set session authorization'],
      ['set role supabase_admin', 'permission denied to set role'],
      ['discard all; select 1', 'DISCARD ALL cannot run inside a transaction block'],
    ] as const) {
      const { run } = await scheduled(test.as('worker'), '* * * * *', attempt);
      const [details] = await run(60, 1);
      expect(details).toMatchObject({ status: 'failed' });
      expect(details?.return_message).toContain(refusal);
      await admin`delete from cron.job`;
    }
    const { id, run } = await scheduled(
      test.as('worker'),
      '* * * * *',
      `do $$ begin assert session_user = 'worker' and current_user = 'worker'; end $$`,
    );
    await run(60, 1);
    expect((await runsOf(id))[0]).toMatchObject({ status: 'succeeded', return_message: 'DO' });
  });

  it('records the error of a failed job like psql shows it', async () => {
    const { run } = await scheduled(
      owner,
      '* * * * *',
      `do $$ begin raise exception 'no' using detail = 'why', hint = 'what'; end $$`,
    );
    const [details] = await run(30, 1);
    expect(details).toMatchObject({ status: 'failed' });
    expect(details?.return_message).toMatch(/^ERROR: {2}no\nDETAIL: {2}why\nHINT: {2}what\nCONTEXT: {2}PL\/pgSQL/);
  });

  it('runs several statements in one transaction, and commands that want none', async () => {
    const both = await scheduled(owner, '* * * * *', 'insert into ticks values (1); insert into ticks values (1/0)');
    const vacuum = await scheduled(owner, '* * * * *', 'vacuum ticks');
    const insert = await scheduled(owner, '* * * * *', 'insert into ticks select generate_series(5, 6)');
    expect((await both.run(30, 1))[0]).toMatchObject({ status: 'failed' });
    expect((await vacuum.run(0, 1))[0]).toMatchObject({ status: 'succeeded', return_message: 'VACUUM' });
    expect((await insert.run(0, 1))[0]).toMatchObject({ return_message: 'INSERT 0 2' });
    expect(await owner`select n from ticks order by n`).toEqual([{ n: 5 }, { n: 6 }]);
  });

  it('counts an interval from the last start', async () => {
    const { id, run } = await scheduled(owner, '10 seconds', 'select 1');
    clock.advance(9);
    expect(await runsOf(id)).toHaveLength(0);
    await run(1, 1);
    clock.advance(9);
    expect(await runsOf(id)).toHaveLength(1);
    await run(1, 2);
  });

  it('runs a missed time once, and never two at a time', async () => {
    const gate = await admin.reserve();
    await gate`select pg_advisory_lock(42)`;
    const { id, run } = await scheduled(owner, '10 seconds', 'select pg_advisory_xact_lock(42)');
    clock.advance(10);
    await waitFor('the run to wait', async () => (await runsOf(id)).some(({ status }) => status === 'running'));
    for (let i = 0; i < 5; i++) clock.advance(10);
    expect(await runsOf(id)).toHaveLength(1);
    await gate`select pg_advisory_unlock(42)`;
    gate.release();
    // The one that was missed starts at once, without the clock moving, and no other.
    await run(0, 2);
    await settle();
    expect(await runsOf(id)).toHaveLength(2);
  });

  it('catches up once after a long sleep', async () => {
    const { id, run } = await scheduled(owner, '* * * * *', 'select 1');
    await run(3 * 3600, 1);
    await settle();
    expect(await runsOf(id)).toHaveLength(1);
  });

  it('forgets what was unscheduled or made inactive, and sees what was altered', async () => {
    const gone = await scheduled(owner, '* * * * *', 'select 1');
    const idle = await scheduled(owner, '* * * * *', 'select 1');
    const moved = await scheduled(owner, '0 0 1 1 *', 'select 1');
    await owner`select cron.unschedule(${gone.id}::bigint)`;
    await owner`select cron.alter_job(${idle.id}::bigint, active => false)`;
    await owner`select cron.alter_job(${moved.id}::bigint, schedule => '* * * * *')`;
    await settle();
    await moved.run(60, 1);
    expect(await runsOf(gone.id)).toHaveLength(0);
    expect(await runsOf(idle.id)).toHaveLength(0);
  });

  it('does nothing for a job that was rolled back', async () => {
    await owner
      .begin(async (sql) => {
        await sql`select cron.schedule('undone', '* * * * *', 'insert into ticks values (9)')`;
        throw new Error('undo');
      })
      .catch(() => {});
    const { run } = await scheduled(owner, '* * * * *', 'select 1');
    await run(60, 1);
    expect(await owner`select from ticks`).toHaveLength(0);
  });

  it('runs at most 32 at once, and the rest after them', async () => {
    const gate = await admin.reserve();
    await gate`select pg_advisory_lock(43)`;
    await owner`
      select cron.schedule('many' || n, '* * * * *', 'select pg_advisory_xact_lock_shared(43)') from generate_series(1, 40) n
    `;
    await settle();
    clock.advance(30);
    const count = async (status: string) => {
      const [row] = await admin<
        { n: number }[]
      >`select count(*)::integer as n from cron.job_run_details where status = ${status}`;
      return row?.n ?? 0;
    };
    await waitFor('32 running jobs', async () => (await count('running')) === 32);
    await settle();
    expect(await count('running')).toBe(32);
    await gate`select pg_advisory_unlock(43)`;
    gate.release();
    await waitFor('all 40 to end', async () => (await count('succeeded')) === 40);
  });

  it('ends a job that does not end by itself when it stops', async () => {
    const { id } = await scheduled(owner, '* * * * *', 'select pg_sleep(60)');
    clock.advance(30);
    await waitFor('the run', async () => (await runsOf(id)).some(({ status }) => status === 'running'));
    await worker.stop();
    expect((await runsOf(id))[0]).toMatchObject({ status: 'failed' });
    expect((await runsOf(id))[0]?.return_message).toContain('server closed the connection unexpectedly');
  }, 20_000);

  it('comes back after the server did, and closes the run that was cut off', async () => {
    const { id } = await scheduled(owner, '* * * * *', 'select pg_sleep(60)');
    clock.advance(30);
    await waitFor('the run', async () => (await runsOf(id)).some(({ status }) => status === 'running'));
    await test.cluster.stop();
    await test.cluster.start();
    const [cut] = await waitFor('the cut off run to be closed', async () => {
      const runs = ended(await runsOf(id).catch(() => []));
      return runs.length > 0 && runs;
    });
    expect(cut).toMatchObject({ status: 'failed' });
    await owner`select cron.unschedule(${id}::bigint)`;
    const { run } = await scheduled(owner, '* * * * *', 'select 1');
    expect((await run(60, 1))[0]).toMatchObject({ status: 'succeeded' });
  }, 30_000);
});

it('with the real clock, a job of one second runs', async () => {
  const worker = new CronWorker({
    databaseUrl: test.cluster.url('supabase_admin'),
    rolePassword: new URL(test.cluster.url()).password,
    log,
  });
  await worker.start();
  const id = await schedule(owner, '1 second', 'select 1');
  await waitFor('two runs', async () => ended(await runsOf(id)).length >= 2, 5_000);
  await worker.stop();
  await owner`select cron.unschedule(${id}::bigint)`;
});
