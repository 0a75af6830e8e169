import { type NodeRow, nodes, type PodRow, pods } from '@stark-o/core/resources';
import { describe, expect, it } from 'vitest';
import { outputFormats } from '../src/base/format.js';
import { renderList, viewOf } from '../src/base/output.js';
import { Progress } from '../src/base/progress.js';
import { type Column, cell, shorten, table, wrap } from '../src/base/table.js';
import { mayAnimate, wantsColour, widthOf } from '../src/base/terminal.js';
import { nodeRow, podRow } from './support/rows.js';

const rows = [
  podRow('alpha-mrfss', { created_at: new Date(Date.now() - 3_600_000 * 5).toISOString() }),
  podRow('beta-x1', {
    status: 'pending',
    ready: false,
    node_name: null,
    status_reason: 'Unschedulable',
    ports: {},
    labels: {},
    created_at: new Date(Date.now() - 5_000).toISOString(),
  }),
] as unknown as PodRow[];

const golden = {
  table: `NAME          READY   STATUS    RESTARTS   NODE     AGE
alpha-mrfss   true    running   0          node-1   5h
beta-x1       false   pending   0          <none>   5s
`,
  wide: `NAME          READY   STATUS    RESTARTS   NODE     PACK          PORTS        REASON          LABELS    AGE
alpha-mrfss   true    running   0          node-1   alpha@1.0.0   http=41234   <none>          app=web   5h
beta-x1       false   pending   0          <none>   alpha@1.0.0   <none>       Unschedulable   <none>    5s
`,
  name: 'pod/alpha-mrfss\npod/beta-x1\n',
};

describe('a list', () => {
  it.each(['table', 'wide', 'name'] as const)('as %s', async (format) => {
    expect(await renderList(viewOf(pods, { namespaces: false }), rows, format)).toBe(golden[format]);
  });

  it('as json and yaml has the same objects, every promised member there', async () => {
    const { parse } = await import('yaml');
    const json = JSON.parse(await renderList(viewOf(pods, { namespaces: false }), rows, 'json'));
    expect(parse(await renderList(viewOf(pods, { namespaces: false }), rows, 'yaml'))).toEqual(json);
    expect(json[1]).toMatchObject({ name: 'beta-x1', node_name: null, finished_at: null });
    expect(json[0]).not.toHaveProperty('incarnation');
  });

  it('begins with NAME and ends with AGE, also with namespaces and in wide', () => {
    for (const view of [viewOf(pods, { namespaces: true }), viewOf(pods, { namespaces: false }), nodes]) {
      const headers = view.columns.map(({ header }) => header);
      expect(headers[0]).toBe('NAME');
      expect(headers.at(-1)).toBe('AGE');
    }
  });

  it('fits eighty columns by default', async () => {
    const long = podRow('payments-mrfss', {
      node_name: 'worker-12',
      status: 'transferring',
    }) as unknown as PodRow;
    const node = nodeRow('worker-12.example.com') as unknown as NodeRow;
    const text = [
      await renderList(viewOf(pods, { namespaces: true }), [long], 'table'),
      await renderList(nodes, [node], 'table'),
    ].join('');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  describe('in a terminal', () => {
    const columns: Column<string>[] = [
      { header: 'NAME', value: (name) => name },
      { header: 'ROLES', value: () => `${'x'.repeat(50)}-the-end` },
      { header: 'AGE', value: () => '5m' },
    ];
    const why = '0/5 nodes: 3 taint dedicated=gpu:NoSchedule, 2 insufficient cpu (need 500, free 100)';
    const prose: Column<string>[] = [...columns, { header: 'WHY', value: () => why, prose: true }];

    it.each([60, 80, 120])('fits %i columns, and nothing is cut in a pipe', (width) => {
      for (const name of ['pod-1', `node-${'0123456789'.repeat(6)}@nodes.example`]) {
        for (const shown of [columns, prose]) {
          for (const line of table(shown, [name], { width })) expect(line.length).toBeLessThanOrEqual(width);
          expect(table(shown, [name])).toHaveLength(2);
          expect(table(shown, [name])[1]).toContain(name);
        }
      }
    });

    it('has sentences go on in the next line, since their end is what decides', () => {
      const lines = table(prose, ['pod-1'], { width: 80 });
      const at = lines[0]?.indexOf('WHY') ?? 0;
      expect(
        lines
          .slice(1)
          .map((line) => line.slice(at).trim())
          .join(' '),
      ).toBe(why);
      for (const line of lines.slice(2)) expect(line.slice(0, at).trim()).toBe('');
    });

    it('leaves names as they are as long as it can, then takes from their middle', () => {
      const name = 'a-name-of-thirty-characters-ok';
      expect(table(columns, [name], { width: 60 })[1]).toMatch(/^a-name-of-thirty-characters-ok {3}x+…x*-the-end +5m$/);
      expect(table(columns, [name], { width: 40 })[1]).toMatch(/^a-name[\w-]*…[\w-]*-ok {3}/);
      expect(shorten('node-1@example.com', 11)).toBe('node-…e.com');
      expect(['ab', 'abc', 'abcd'].map((text) => shorten(text, 3))).toEqual(['ab', 'abc', 'a…d']);
    });

    it('breaks a word that is longer than a line', () => {
      expect(wrap(`see ${'x'.repeat(25)} there`, 10)).toEqual([
        'see',
        'x'.repeat(10),
        'x'.repeat(10),
        'xxxxx',
        'there',
      ]);
      expect(wrap('short', 10)).toEqual(['short']);
    });
  });

  it('says each thing once where every line stays', () => {
    const written: string[] = [];
    const progress = new Progress({ write: (text: string) => written.push(text) } as never);
    for (const text of ['a is pending', 'b is pending', 'a is pending', 'b is pending', 'a runs']) progress.now(text);
    expect(written).toEqual(['a is pending\n', 'b is pending\n', 'a runs\n']);
  });

  it('keeps columns in line over several prints', () => {
    const columns = [
      { header: 'NAME', value: (row: string) => row },
      { header: 'N', value: () => 1 },
    ];
    const widths: number[] = [];
    table(columns, ['a-long-name'], { widths });
    expect(table(columns, ['b'], { headers: false, widths })).toEqual(['b             1']);
  });

  it.each([
    [undefined, '<none>'],
    [null, '<none>'],
    ['', '<none>'],
    [[], '<none>'],
    [{}, '<none>'],
    [0, '0'],
    [false, 'false'],
    ['two words\tand tab', 'two_words_and_tab'],
    [['a', 'b'], 'a,b'],
    [{ http: 80, page: null }, 'http=80,page=<none>'],
  ])('has no space in the cell of %j', (value, text) => {
    expect(cell(value)).toBe(text);
  });
});

describe('colour', () => {
  const tty = { isTTY: true };
  it.each<[string, { isTTY?: boolean }, NodeJS.ProcessEnv, string[], boolean]>([
    ['a terminal', tty, {}, [], true],
    ['a pipe', {}, {}, [], false],
    ['NO_COLOR', tty, { NO_COLOR: '1' }, [], false],
    ['an empty NO_COLOR', tty, { NO_COLOR: '' }, [], true],
    ['FORCE_COLOR in a pipe', {}, { FORCE_COLOR: '1' }, [], true],
    ['FORCE_COLOR=0', tty, { FORCE_COLOR: '0' }, [], false],
    ['FORCE_COLOR over NO_COLOR', {}, { FORCE_COLOR: '1', NO_COLOR: '1' }, [], true],
    ['TERM=dumb', tty, { TERM: 'dumb' }, [], false],
    ['--no-color over everything', tty, { FORCE_COLOR: '1' }, ['--no-color'], false],
    ['--no-color behind --', tty, {}, ['--', '--no-color'], true],
  ])('for %s', (_, stream, env, argv, expected) => {
    expect(wantsColour(stream, env, argv)).toBe(expected);
  });

  it('moves nothing in CI, in a pipe or on a dumb terminal', () => {
    expect(mayAnimate(tty, {})).toBe(true);
    expect(mayAnimate({}, {})).toBe(false);
    expect(mayAnimate(tty, { CI: 'true' })).toBe(false);
    expect(mayAnimate(tty, { TERM: 'dumb' })).toBe(false);
  });

  it('takes eighty columns for what is no terminal', () => {
    const write = () => true;
    expect(widthOf({ write })).toBe(80);
    expect(widthOf({ isTTY: true, columns: 132, write })).toBe(132);
    expect(widthOf({ isTTY: true, columns: 3, write })).toBe(80);
  });
});

it('offers exactly the formats that help names', () => {
  expect(outputFormats).toEqual(['table', 'wide', 'json', 'yaml', 'name']);
});
