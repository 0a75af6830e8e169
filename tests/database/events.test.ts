import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { ApiSession, codeOf, connect, untilSomebodyWaits } from './sessions.js';

// What the header of the migration of events promises: who asks for the events after N never misses one that committed late.

let database: TestDatabase;
let owner: pg.Client;
const admin = randomUUID();

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [admin, 'ada@example.com']);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ($1, 'admin')`, [admin]);
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

const createNamespace = 'select from stark.create_namespace($1)';

/** A client that reads what is new since its last read, as a client's store does after a gap. */
class Reader {
  readonly seqs: number[] = [];
  readonly names: string[] = [];
  #last: number;

  private constructor(last: number) {
    this.#last = last;
  }

  static async fromNow(): Promise<Reader> {
    const { rows } = await owner.query<{ last: string }>('select coalesce(max(seq), 0) as last from stark.events');
    return new Reader(Number(rows[0]?.last));
  }

  async read(): Promise<void> {
    const { rows } = await owner.query<{ seq: string; object_id: string }>(
      'select seq, object_id from stark.events where seq > $1 order by seq',
      [this.#last],
    );
    for (const { seq, object_id } of rows) {
      this.#last = Number(seq);
      this.seqs.push(this.#last);
      this.names.push(object_id);
    }
  }
}

async function withSessions<T>(count: number, use: (sessions: ApiSession[]) => Promise<T>): Promise<T> {
  const sessions = await Promise.all(Array.from({ length: count }, () => ApiSession.open(database, admin)));
  return use(sessions).finally(() => Promise.all(sessions.map((session) => session.close())));
}

describe('who reads the events after the last one seen', () => {
  it('sees a writer that took its numbers first and commits last before all others', () =>
    withSessions(2, async ([slow, fast]) => {
      const reader = await Reader.fromNow();
      await slow?.begin();
      await slow?.query(createNamespace, ['slow']);
      const late = fast?.call(createNamespace, ['fast']);
      await untilSomebodyWaits(owner);
      await reader.read();
      expect(reader.names).toEqual([]);
      await slow?.commit();
      await late;
      await reader.read();
      expect(reader.names).toEqual(['slow', 'fast']);
    }));

  it('waits for no number of a writer that gave up', () =>
    withSessions(2, async ([first, second]) => {
      const reader = await Reader.fromNow();
      await first?.begin();
      await first?.query(createNamespace, ['given-up']);
      const late = second?.call(createNamespace, ['kept']);
      await untilSomebodyWaits(owner);
      await first?.query('rollback');
      await late;
      await second?.call(createNamespace, ['kept-too']);
      await reader.read();
      expect(reader.names).toEqual(['kept', 'kept-too']);
      expect((reader.seqs[1] ?? 0) - (reader.seqs[0] ?? 0)).toBe(1);
    }));

  it('misses none of what many write at once, some of them in vain', () =>
    withSessions(5, async (writers) => {
      const reader = await Reader.fromNow();
      const [start] = (await owner.query<{ seq: string }>('select max(seq) as seq from stark.events')).rows;
      let writing = writers.length;
      const work = writers.map(async (writer, index) => {
        for (let round = 0; round < 12; round++) {
          await writer.begin();
          // Two of three write more than one event, so that a reader could come between them.
          for (let nth = 0; nth <= round % 3; nth++) await writer.query(createNamespace, [`w${index}-${round}-${nth}`]);
          if ((index + round) % 4 === 0) await writer.query('rollback');
          else await writer.commit();
        }
        writing--;
      });
      const follow = async () => {
        while (writing > 0) await reader.read();
      };
      await Promise.all([...work, follow()]);
      await reader.read();
      const { rows } = await owner.query<{ object_id: string }>(
        'select object_id from stark.events where seq > $1 order by seq',
        [start?.seq],
      );
      expect(reader.names).toEqual(rows.map(({ object_id }) => object_id));
      expect(reader.names).toHaveLength(90);
      expect(reader.seqs).toEqual(reader.seqs.map((_, index) => Number(start?.seq) + 1 + index));
    }));
});

describe('the hourly job', () => {
  it('gives way to a long report, and does its work when that has ended', async () => {
    const report = await connect(database);
    const job = await connect(database);
    try {
      await report.query('begin; select from stark.events limit 1');
      // A month ahead: partitions are to be made, and those of today to be dropped.
      const maintain = (days: number) =>
        codeOf(job.query(`select stark_internal.run_maintenance(now() + $1 * interval '1 day')`, [days]));
      expect(await maintain(30)).toMatch(/^55P03/);
      await report.query('select count(*) from stark.events');
      expect(
        await withSessions(1, ([session]) => codeOf(session?.call(createNamespace, ['meanwhile']) ?? Promise.reject())),
      ).toBe('ok');
      await report.query('commit');
      expect(await maintain(1)).toBe('ok');
      const { rows } = await owner.query(`select from stark.events where object_id = 'meanwhile'`);
      expect(rows).toHaveLength(1);
      expect(await maintain(30)).toBe('ok');
      expect((await owner.query(`select from stark.events where object_id = 'meanwhile'`)).rows).toHaveLength(0);
    } finally {
      await report.end();
      await job.end();
    }
  });
});
