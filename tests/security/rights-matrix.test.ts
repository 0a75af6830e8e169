import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareTap, testsFolder } from '../../scripts/db/tap.mjs';
import { Cluster, type RequestOptions } from './cluster.js';

interface Line {
  what: string;
  rest: string;
  cells: { actor: string; wanted: string }[];
}

// Both blocks of the file that asks the same in SQL: this one asks it from outside, as signed-in users do.
const file = await readFile(join(testsFolder, '00b-rights-matrix.test.sql'), 'utf8');
const tables = linesOf('tables');
// Those left out have another's right or less of it, and SQL has asked them all: each call here costs as much as ten there.
const functions = linesOf('functions').map((line) => ({
  ...line,
  cells: line.cells.filter(({ actor }) => !['depl', 'viewer-a', 'user-a', 'oper-a'].includes(actor)),
}));

function linesOf(block: string): Line[] {
  const text = new RegExp(`\\$${block}\\$\\n([^]*?)\\n\\$${block}\\$`).exec(file)?.[1];
  const [head = [], ...lines] = (text ?? '').split('\n').map((line) => line.trim().split(/\s+/));
  return lines.map(([what = '', ...words]) => ({
    what,
    rest: words.slice(head.length).join(' '),
    cells: head.map((actor, i) => ({ actor, wanted: words[i] ?? '' })),
  }));
}

let cluster: Cluster;
const letters = new Map<string, Map<string, string>>();
const callers = new Map<string, RequestOptions>();
const requests = new Map<string, unknown>();

beforeAll(async () => {
  cluster = await Cluster.start({ setup: false });
  // Nothing may move by itself: no agent stands behind these nodes, and they would be given up.
  await cluster.database.query('select cron.unschedule(jobid) from cron.job');
  await prepareTap(cluster.stack.dbUrl);
  await cluster.database.query('select tests.make_rights()');
  await cluster.database.query(undoWhenAsked);
  for (const { actor } of tables[0]?.cells ?? []) {
    const { rows } = await cluster.database.query('select id, letter from tests.rights_letters($1)', [actor]);
    letters.set(actor, new Map(rows.map(({ id, letter }) => [id, letter])));
    callers.set(actor, await callerOf(actor));
  }
  // Each connection makes the working tables of a scheduling pass once, but anew after each call that is undone, if such a one made them.
  const pod = { pack: 'public-stranger', namespace: 'a' };
  const explain = () => cluster.must(cluster.rpc('explain_placement', { p_pod: pod }, callers.get('admin')));
  await Promise.all(Array.from({ length: 12 }, explain));
  for (const { rest, cells } of functions) {
    const { rows } = await cluster.database.query(
      'select array_agg(tests.rights_arguments(a, $2) order by i) as args from unnest($1::text[]) with ordinality u (a, i)',
      [cells.map(({ actor }) => actor), rest || '{}'],
    );
    for (const [i, { actor }] of cells.entries()) requests.set(`${actor} ${rest}`, JSON.parse(rows[0].args[i]));
  }
});
afterAll(() => cluster.stop());

/** Every call runs to its end and is taken back by the commit, which answers 299 instead of 200: so the cells do not see each other. */
const undoWhenAsked = `
  create function tests.undo() returns trigger language plpgsql as $$
  begin
    if current_setting('request.headers', true)::jsonb ? 'x-undo' then raise sqlstate 'PT299'; end if;
    return null;
  end $$;
  grant execute on function tests.undo() to public;
  do $$
  declare
    v_table regclass;
  begin
    for v_table in select c.oid from pg_class c
        where c.relnamespace in ('stark'::regnamespace, 'stark_internal'::regnamespace) and c.relkind in ('r', 'p') and not c.relispartition loop
      execute format('create constraint trigger undo after insert or update or delete on %s deferrable initially deferred for each row execute function tests.undo()', v_table);
    end loop;
  end $$;`;

async function callerOf(actor: string): Promise<RequestOptions> {
  const { publishable, secret, jwtSecret } = cluster.stack.keys;
  if (actor === 'anon') return { key: publishable };
  if (actor === 'secret') return { key: secret };
  const { rows } = await cluster.database.query('select tests.uid($1) as sub', [actor]);
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = { sub: rows[0].sub, role: 'authenticated', aud: 'authenticated', exp };
  const parts = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)));
  const body = parts.map((part) => part.toString('base64url')).join('.');
  return { token: `${body}.${createHmac('sha256', jwtSecret).update(body).digest('base64url')}` };
}

async function seen(actor: string, table: string, column: string): Promise<string> {
  const query = column === '' ? `${table}?limit=1` : `${table}?select=${column}`;
  const { status, json, text } = await cluster.rest(query, callers.get(actor));
  if (status === 401 || status === 403) return '!';
  if (!Array.isArray(json)) return `${status} ${text}`;
  if (column === '') return json.length > 0 ? '*' : '-';
  const found = new Set(json.map((row) => letters.get(actor)?.get(row[column])).filter((letter) => letter));
  return [...found].sort().join('') || '-';
}

async function answered(actor: string, name: string, args: string): Promise<string> {
  const options = { ...callers.get(actor), headers: { 'x-undo': 'yes' } };
  const { status, text } = await cluster.rpc(name, requests.get(`${actor} ${args}`), options);
  return status < 300 ? '200' : status < 500 ? String(status) : `${status} ${text}`;
}

async function expectCells({ what, rest, cells }: Line, ask: typeof seen): Promise<void> {
  const got = await Promise.all(cells.map(async ({ actor }) => ({ actor, wanted: await ask(actor, what, rest) })));
  expect(got).toEqual(cells);
}

describe('reading', () => {
  it.each(tables)('$what', (line) => expectCells(line, seen));
});

describe('calling', () => {
  it.each(functions)('$what $rest', (line) => expectCells(line, answered));

  it('has left nothing behind, or the cells would have seen each other', async () => {
    const { rows } = await cluster.database.query(`select
      (select count(*) from stark.pods where status <> 'running' or name not similar to '(in-a|in-b|hosted)-%')
      + (select count(*) from stark.nodes where name = 'new' or unschedulable or incarnation <> 1)
      + (select count(*) from stark.roles where name = 'new') + (select count(*) from stark_internal.admitted_users) as traces`);
    expect(rows).toEqual([{ traces: '0' }]);
  });
});
