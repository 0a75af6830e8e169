// Many hosted projects run Postgres 15. npm brings 17 alone, so this is for machines that have the other installed.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkFunctions } from '../../scripts/db/check-functions.mjs';
import { hasPostgres15, howToInstall } from '../../scripts/db/postgres-15.mjs';
import { prepareTap, runTapFile, tapFiles } from '../../scripts/db/tap.mjs';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { connect } from './sessions.js';

/**
 * They cost as much as all others together, and what they ask of the database the others have asked on 15 too: whose right it is,
 * which node is the best, how many pods are wanted. `npm run test:pg15` runs them as well.
 */
const LEFT_OUT =
  /^\d+[a-z]?-(scheduling|pod-rules|scores|preemption|neighbours|rights-matrix|deployments|deployment-rights|autoscaling|pod-logs|pod-env|apply)\./;

if (hasPostgres15) describe('Postgres 15', onPostgres15);
else it.skip(`Postgres 15 is not installed, so the migrations are not tried on it (${howToInstall})`);

async function onPostgres15(): Promise<void> {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await startTestDatabase({ version: 15 });
  });

  afterAll(async () => {
    await database?.stop();
  });

  async function run(sql: string): Promise<Record<string, unknown>[]> {
    const client = await connect(database);
    return client
      .query(sql)
      .then(({ rows }) => rows)
      .finally(() => client.end());
  }

  it('is what the database runs on', async () => {
    expect(await run('show server_version')).toEqual([{ server_version: expect.stringMatching(/^15\./) }]);
  });

  it('has all that our functions name, as far as plpgsql_check is there to tell', async ({ skip }) => {
    const findings = await checkFunctions(database.url);
    if (findings === undefined) return skip();
    expect(findings).toEqual([]);
    await run(`create function stark_internal.careless() returns boolean language plpgsql
               as $$ begin return pg_input_is_valid('x', 'uuid'); end $$`);
    expect(await checkFunctions(database.url)).toEqual([expect.stringMatching(/careless.*pg_input_is_valid/)]);
    await run('drop function stark_internal.careless()');
  });

  describe('pgTAP', async () => {
    beforeAll(async () => {
      await prepareTap(database.url());
    });

    it.each((await tapFiles()).filter((name) => !LEFT_OUT.test(name)))(
      '%s',
      async (name) => {
        const { tests, failures } = await runTapFile(database.url(), name);
        expect(failures).toEqual([]);
        expect(tests).toBeGreaterThan(0);
      },
      120_000,
    );
  });
}
