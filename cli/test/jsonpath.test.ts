import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestedFormat } from '../src/base/format.js';
import { compileJsonPath } from '../src/base/jsonpath.js';
import { FakeCluster } from './support/fake-cluster.js';
import { podRow } from './support/rows.js';
import { Machine } from './support/run.js';

const object = {
  name: 'a',
  labels: { app: 'web', 'example.com/tier': 'db' },
  items: [{ n: 1, deep: { n: 2 } }, { n: 3 }],
  none: null,
};

describe('a jsonpath', () => {
  it.each([
    ['{.name}', 'a'],
    ['.name', 'a'],
    ['name', 'a'],
    ['{$.name}', 'a'],
    ['{.labels}', '{"app":"web","example.com/tier":"db"}'],
    ["{.labels['example.com/tier']}", 'db'],
    ['{.labels.example\\.com/tier}', 'db'],
    ['{.items[0].n} and {.items[-1].n}', '1 and 3'],
    ['{.items[*].n}', '1 3'],
    ['{.items[9].n}{.nothing.at.all}{.none}', ''],
    ['{range .items[*]}{.n}{"\\n"}{end}', '1\n3\n'],
    ["{range .items[*]}{@.n}{','}{end}!", '1,3,!'],
    ['{..n}', '1 2 3'],
    ['{"{braces}"}', '{braces}'],
  ])('%s', (path, text) => expect(compileJsonPath(path)(object)).toBe(text));

  it.each(['{.name', '{end}', '{range .items[*]}', '{.a[}', '{.a[x]}'])('%s is none', (path) => {
    expect(() => compileJsonPath(path)).toThrow(/jsonpath/);
  });
});

describe('templates of lists', () => {
  const cluster = new FakeCluster();
  const machine = new Machine();
  beforeAll(async () => {
    await cluster.start();
    await machine.signIn(cluster);
    cluster.tables.pods = [podRow('a'), podRow('b', { node_name: null, labels: { app: 'x y' } })];
  });
  afterAll(() => cluster.stop());
  const out = async (...args: string[]) => (await machine.run(args)).stdout;

  it('begin at the object where it is one, else at a list of items', async () => {
    expect(await out('get', 'pod', 'a', '-o', 'jsonpath={.status}')).toBe('running\n');
    expect(await out('get', 'pods', '-o', 'jsonpath={.items[*].name}')).toBe('a b\n');
    expect(await out('pod', 'list', '-ojsonpath={range .items[*]}{.name}={.node_name}{"\\n"}{end}')).toBe(
      'a=node-1\nb=\n',
    );
    expect(await out('get', 'pods', '--output=jsonpath=.name')).toBe('a b\n');
    expect(await out('version', '-o', 'jsonpath={.node}')).toBe(`${process.version}\n`);
  });

  it('may be columns', async () => {
    expect(await out('get', 'pods', '-o', 'custom-columns=NAME:.name,APP:.labels.app,NODE:.node_name')).toBe(
      'NAME   APP   NODE\na      web   node-1\nb      x_y   <none>\n',
    );
  });

  it.each(['jsonpath=', 'jsonpath={', 'custom-columns=A', 'custom-columns=', 'xml', 'jsno'])(
    'refuse %s',
    async (format) => {
      expect(await machine.run(['get', 'pods', '-o', format])).toMatchObject({ code: 2, stdout: '' });
    },
  );

  it('leave errors as they are', () => {
    expect(requestedFormat(['-o', 'jsonpath={.a}'])).toBe('jsonpath={.a}');
  });
});
