import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adviseOn } from '../../scripts/db/advisors.mjs';
import { firstDifference } from '../../scripts/db/command-line.mjs';
import { errorReference, errorsPage, sqlPage, sqlReference } from '../../scripts/db/docs.mjs';
import { dumpSchemas, goldenPath } from '../../scripts/db/dump.mjs';
import { prepareTap, runTapFile, tapFiles } from '../../scripts/db/tap.mjs';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { generateTypes, typesPath } from '../../scripts/db/types.mjs';
import { connect } from './sessions.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await startTestDatabase();
});

afterAll(async () => {
  await database?.stop();
});

async function run(sql: string): Promise<void> {
  const client = await connect(database);
  await client.query(sql).finally(() => client.end());
}

// Before pgTAP and its helpers are there, which are no part of the schema.
describe('what the migrations make', () => {
  it('leaves the advisors nothing to find', async () => {
    expect(await adviseOn(database.url())).toEqual([]);
  });

  it('is what the generated types say (npm run types)', async () => {
    expect(firstDifference(await generateTypes(database.url()), await readFile(typesPath, 'utf8'))).toBeUndefined();
  });

  it('is what the golden dump says (node scripts/db/dump.mjs)', async () => {
    expect(firstDifference(await dumpSchemas(database.url()), await readFile(goldenPath, 'utf8'))).toBeUndefined();
  });
});

describe('what the docs say of it (npm run types)', () => {
  const documented = async (page: string, heading: RegExp) =>
    [...(await readFile(page, 'utf8')).matchAll(heading)].map(([, name]) => name);

  it.each([
    ['docs/sql.md', sqlPage, sqlReference],
    ['docs/errors.md', errorsPage, errorReference],
  ])('%s is what the migrations say', async (_name, page, reference) => {
    expect(firstDifference(await reference(), await readFile(page, 'utf8'))).toBeUndefined();
  });

  it('leaves out no function that somebody may call, and no error', async () => {
    const client = await connect(database);
    const { rows } = await client
      .query<{ functions: string[]; errors: string[] }>(
        `select array(select distinct p.proname::text from pg_proc p where p.pronamespace = 'stark'::regnamespace) as functions,
                array(select code from stark.error_codes) as errors`,
      )
      .finally(() => client.end());
    expect((await documented(sqlPage, /^### (\w+)$/gm)).sort()).toEqual(rows[0]?.functions.sort());
    expect((await documented(errorsPage, /^\| <a id="\w+"><\/a>`(\w+)`/gm)).sort()).toEqual(rows[0]?.errors.sort());
  });
});

describe('a change that nobody wrote down', () => {
  beforeAll(async () => {
    await run('create table stark.careless (id integer primary key); grant select on stark.careless to authenticated');
  });

  afterAll(async () => {
    await run('drop table stark.careless');
  });

  it('is found by the advisors', async () => {
    const findings = await adviseOn(database.url());
    expect(findings.map(({ name }) => name)).toContain('rls_disabled_in_public');
  });

  it('is seen in the types', async () => {
    const difference = firstDifference(await generateTypes(database.url()), await readFile(typesPath, 'utf8'));
    expect(difference).toMatch(/careless/);
  });

  it('is seen in the golden dump', async () => {
    const difference = firstDifference(await dumpSchemas(database.url()), await readFile(goldenPath, 'utf8'));
    expect(difference).toMatch(/create table stark\.careless/);
  });
});

describe('pgTAP', async () => {
  beforeAll(async () => {
    await prepareTap(database.url());
  });

  it.each(await tapFiles())('%s', async (name) => {
    const { tests, failures } = await runTapFile(database.url(), name);
    expect(failures).toEqual([]);
    expect(tests).toBeGreaterThan(0);
  });
});

describe('a pgTAP file that fails', () => {
  it.each([
    ['a failed assertion', `begin; select plan(1); select ok(false, 'no'); rollback;`, /not ok 1 - no/],
    ['an error', `begin; select plan(1); select 1 / 0; rollback;`, /broke after 0 assertions: division by zero/],
    ['too few assertions', `begin; select plan(2); select ok(true); rollback;`, /2 assertions were announced, 1 ran/],
    ['no assertion', `begin; select 1; rollback;`, /no assertions were announced, 0 ran/],
  ])('%s is a failure', async (_what, text, failure) => {
    const { failures } = await runTapFile(database.url(), 'made up', text);
    expect(failures.join('\n')).toMatch(failure);
  });
});
