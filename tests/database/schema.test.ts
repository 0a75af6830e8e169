import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../core/src/errors/codes.js';
import { adviseOn } from '../../scripts/db/advisors.mjs';
import { firstDifference } from '../../scripts/db/command-line.mjs';
import { errorReference, errorsPage, sqlPage, sqlReference } from '../../scripts/db/docs.mjs';
import { dumpSchemas, goldenPath } from '../../scripts/db/dump.mjs';
import { prepareTap, runTapFile, tapFiles } from '../../scripts/db/tap.mjs';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { generateTypes, typesPath } from '../../scripts/db/types.mjs';
import { StatementLog } from '../harness/statement-log.js';
import { definitionsIn } from './definitions.js';
import { connect } from './sessions.js';
import { unfilteredWrites, withoutEachWhere, writesOf } from './writes.js';

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
    expect((await documented(errorsPage, /^\| <a id="\w+"><\/a>`(\w+)`/gm)).sort()).toEqual(
      [...new Set([...(rows[0]?.errors ?? []), ...Object.keys(ERROR_CODES)])].sort(),
    );
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

// PostgREST's sessions on hosted projects have safeupdate loaded, which refuses an UPDATE or DELETE without a WHERE.
describe('what functions, rules and jobs update and delete', () => {
  const offenders = async (client: pg.Client) =>
    (await definitionsIn(client)).flatMap(({ name, text }) =>
      unfilteredWrites(text).map((write) => `${name}: ${write}`),
    );

  it('has a WHERE', async () => {
    const client = await connect(database);
    expect(await offenders(client).finally(() => client.end())).toEqual([]);
  });

  it('is found when its WHERE is taken out, each of the 17 that once had none too', async () => {
    const client = await connect(database);
    const definitions = await definitionsIn(client).finally(() => client.end());
    const missed: string[] = [];
    for (const { name, text } of definitions) {
      const variants = withoutEachWhere(text);
      expect([name, variants.length]).toEqual([name, writesOf(text).length]);
      for (const variant of variants) {
        const found = unfilteredWrites(variant ?? '');
        expect([name, found.length]).toEqual([name, 1]);
        missed.push(`${name.replace(/\(.*/, '')}: ${found[0]}`);
      }
    }
    const emptied =
      'nodes facts pods selectors rules domains counts holders anti_affinity_counts preferences bindings reasons nominations';
    expect(missed).toEqual(
      expect.arrayContaining([
        ...emptied.split(' ').map((what) => `stark_internal.open_tables: DELETE of pg_temp.pass_${what} without WHERE`),
        'stark_internal.place_nominated: DELETE of pg_temp.pass_nominated without WHERE',
        'stark_internal.call_watcher: UPDATE of stark_internal.node_watch without WHERE',
        'stark.watch_nodes: UPDATE of stark_internal.node_watch without WHERE',
        'stark.update_cluster_config: UPDATE of stark.cluster_config without WHERE',
      ]),
    );
  });

  it('is looked for in every kind of them', async () => {
    const client = await connect(database);
    try {
      await client.query(`begin;
        create function stark_internal.careless() returns trigger language plpgsql as 'begin delete from stark.pods; end';
        create function stark.careless() returns void begin atomic delete from stark.pods; end;
        create procedure public.careless() language sql as 'update stark.pods set ready = false';
        create rule careless as on insert to stark.packs do also delete from stark.pods;
        select cron.schedule('careless', '* * * * *', 'delete from stark.pods');`);
      expect(await offenders(client)).toEqual([
        'careless(): UPDATE of stark.pods without WHERE',
        'job careless: DELETE of stark.pods without WHERE',
        'rule careless: DELETE of stark.pods without WHERE',
        'stark.careless(): DELETE of stark.pods without WHERE',
        'stark_internal.careless(): DELETE of stark.pods without WHERE',
      ]);
    } finally {
      await client.end();
    }
  });
});

describe('pgTAP', async () => {
  let log: StatementLog;
  beforeAll(async () => {
    await prepareTap(database.url());
    log = await StatementLog.start(database.url('supabase_admin'));
  });
  afterAll(() => log?.stop());

  it.each(await tapFiles())(
    '%s',
    async (name) => {
      const { tests, failures } = await runTapFile(database.url(), name);
      expect(failures).toEqual([]);
      expect(tests).toBeGreaterThan(0);
      expect(await log.unfiltered(), 'what ran without a WHERE').toEqual([]);
    },
    120_000,
  );

  it('has run each of the 17 that once had no WHERE', async () => {
    const client = await connect(database);
    const definitions = await definitionsIn(client).finally(() => client.end());
    const emptied = definitions
      .filter(({ name }) => /^stark_internal\.(open_tables|place_nominated)\(/.test(name))
      .flatMap(({ text }) => writesOf(text).map(({ target }) => `delete from ${target} where $1`));
    expect(log.texts).toEqual(
      expect.arrayContaining([
        ...emptied,
        'update stark_internal.node_watch w set called_at = p_now where w.only_row',
        expect.stringMatching(/^update stark_internal\.node_watch w set watched = .* where w\.only_row$/),
        expect.stringMatching(/^update stark\.cluster_config c set .* where c\.name = \(\$1\)\.name returning \*$/),
      ]),
    );
  });

  it('shows a statement without a WHERE that runs in a function', async () => {
    await run(`begin;
      create function pg_temp.careless() returns void language plpgsql as
        $$ begin execute format('with gone as (delete from %s returning *) select count(*) from gone', 'stark.join_tokens'); end $$;
      select pg_temp.careless();
      delete from stark.join_tokens;
      rollback;`);
    expect(await log.unfiltered()).toEqual([
      expect.stringMatching(/^DELETE of stark.join_tokens without WHERE: with gone/),
    ]);
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
