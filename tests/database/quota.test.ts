import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { ApiSession, connect } from './sessions.js';

let database: TestDatabase;
let owner: pg.Client;
const user = randomUUID();

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
  await owner.query('insert into auth.users (id, email) values ($1, $2)', [user, 'uma@example.com']);
  await owner.query(`insert into stark.role_bindings (user_id, role) values ($1, 'user')`, [user]);
  await owner.query(`insert into stark.packs (name, owner_id) values ('alpha', $1)`, [user]);
  await owner.query(
    `insert into stark.pack_versions (pack_id, pack_name, version, runtime, size_bytes, sha256, path, state, ready_at)
     select id, name, '1.0.0', 'node', 1, repeat('a', 64), id || '/x.js', 'ready', now() from stark.packs`,
  );
  await owner.query(`insert into stark.namespaces (name, quota) values ('team', '{"pods": 5}')`);
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

describe('a quota', () => {
  it('holds when many create pods at once', async () => {
    const sessions = await Promise.all(Array.from({ length: 4 }, () => ApiSession.open(database, user)));
    try {
      const answers = await Promise.allSettled(
        sessions.map(async (session) => {
          let refused = 0;
          for (let round = 0; round < 3; round++) {
            const code = await session
              .call(`select from stark.create_pods('[{"pack": "alpha", "namespace": "team"}]')`)
              .then(() => undefined)
              .catch((error: Error) => (JSON.parse(error.message) as { code: string }).code);
            if (code === 'QUOTA_EXCEEDED') refused++;
            else expect(code).toBeUndefined();
          }
          return refused;
        }),
      );
      const refused = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : Number.NaN));
      expect(refused.reduce((sum, one) => sum + one, 0)).toBe(7);
      const { rows } = await owner.query(`select count(*)::int as pods from stark.pods where namespace = 'team'`);
      expect(rows).toEqual([{ pods: 5 }]);
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
  });
});
