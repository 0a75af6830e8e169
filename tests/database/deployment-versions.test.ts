import fc from 'fast-check';
import type pg from 'pg';
import semver from 'semver';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { connect } from './sessions.js';

/** How many ranges are asked; STARK_TEST_RANGES=10000 takes a few minutes. */
const RANGES = Number(process.env.STARK_TEST_RANGES ?? 1000);

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
});

afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

const number = fc.oneof(
  { weight: 8, arbitrary: fc.nat(3).map(String) },
  { weight: 1, arbitrary: fc.nat(20).map(String) },
);
const wild = fc.oneof({ weight: 6, arbitrary: number }, { weight: 1, arbitrary: fc.constantFrom('x', 'X', '*') });
const tag = fc.oneof(
  fc.constantFrom('0', '1', '2', '10', 'alpha', 'beta', 'rc', 'a-b', '-', '0a'),
  fc.stringMatching(/^[0-9a-zA-Z-]{1,3}$/),
);
const prerelease = fc.array(tag, { minLength: 1, maxLength: 3 }).map((tags) => `-${tags.join('.')}`);
const maybe = (arbitrary: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary });
const build = maybe(fc.constantFrom('+1', '+build.7', '+a-b'));
const version = fc
  .tuple(number, number, number, maybe(prerelease), build)
  .map(([major, minor, patch, pre, meta]) => `${major}.${minor}.${patch}${pre}${meta}`)
  .filter((text) => semver.valid(text) !== null);
const partial = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(wild, wild, wild, maybe(prerelease), build).map(([a, b, c, p, m]) => `${a}.${b}.${c}${p}${m}`),
  },
  { weight: 2, arbitrary: fc.tuple(wild, wild).map(([a, b]) => `${a}.${b}`) },
  { weight: 1, arbitrary: wild },
);
const comparator = fc
  .tuple(
    fc.constantFrom('', '', '=', '>', '>=', '<', '<=', '^', '^', '~', '~', '~>'),
    fc.constantFrom('', '', ' ', 'v'),
    partial,
  )
  .map((parts) => parts.join(''));
const alternative = fc.oneof(
  { weight: 4, arbitrary: fc.array(comparator, { minLength: 1, maxLength: 3 }).map((all) => all.join(' ')) },
  { weight: 2, arbitrary: fc.tuple(partial, partial).map(([from, to]) => `${from} - ${to}`) },
  { weight: 1, arbitrary: fc.constantFrom('', '*', 'latest', '>', '1.2.3.4', '01.2.3', '1.2.3-01', '>=<1', 'x.1.2') },
);
const range = fc.array(alternative, { minLength: 1, maxLength: 3 }).map((all) => all.join(' || '));

it('answers as node-semver does', async () => {
  const cases = fc.sample(
    fc.record({ range, versions: fc.array(version, { minLength: 3, maxLength: 3 }), pre: fc.boolean() }),
    {
      numRuns: RANGES,
    },
  );
  // A random range found the first of these, and the others are of its kind.
  for (const found of ['X.1.0-2 - x.3.6---O.0.053', '1.x.2-01 - 3', 'x.1.2-a - 1.x.3-b', '1.2.3 - x.01'])
    cases.push({ range: found, versions: ['0.3.3', '1.3.2', '3.0.0'], pre: false });
  for (let from = 0; from < cases.length; from += 500) {
    const part = cases.slice(from, from + 500);
    const { rows } = await owner.query<{ valid: boolean; fits: boolean[] }>(
      `select exists (select from stark_internal.range_bounds(c.range, c.pre)) as valid,
              array(select stark_internal.satisfies(v, c.range, c.pre) from jsonb_array_elements_text(c.versions) with ordinality as e (v, ord) order by e.ord) as fits
       from (select e.item ->> 'range' as range, e.item -> 'versions' as versions, (e.item ->> 'pre')::boolean as pre, e.ord
             from jsonb_array_elements($1) with ordinality as e (item, ord) offset 0) c order by c.ord`,
      [JSON.stringify(part)],
    );
    const wrong = part.flatMap((item, i) => {
      const options = { includePrerelease: item.pre };
      const wanted = {
        valid: semver.validRange(item.range, options) !== null,
        fits: item.versions.map((each) => semver.satisfies(each, item.range, options)),
      };
      return JSON.stringify(wanted) === JSON.stringify(rows[i]) ? [] : [{ ...item, wanted, answered: rows[i] }];
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  }
}, 600_000);
