import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestedFormat } from '../src/base/format.js';
import { FakeCluster } from './support/fake-cluster.js';
import { podRow } from './support/rows.js';
import { Machine, packageRoot } from './support/run.js';

// What oclif does by itself and a person would not expect, each found by running it.
const cluster = new FakeCluster();
const machine = new Machine();
beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

describe('oclif', () => {
  it('takes a switch for given with =true, and for not given with =false, as kubectl does', async () => {
    const listed = async (...flags: string[]) => (await machine.run(['pod', 'list', '-o', 'name', ...flags])).stdout;
    cluster.tables.pods = [podRow('here'), podRow('there', { namespace: 'prod' })];
    expect(await listed('--all-namespaces=true')).toBe('pod/here\npod/there\n');
    expect(await listed('--all-namespaces=false')).toBe('pod/here\n');
    expect((await machine.run(['pod', 'list', '--watch=5'])).stderr).toContain(
      '--watch is a switch and takes no value',
    );
    cluster.tables.pods = [];
  });

  it('1. does not turn every exit code into 1 in JSON mode', async () => {
    const plain = await machine.run(['pod', 'status', 'nobody']);
    const json = await machine.run(['pod', 'status', 'nobody', '--json']);
    expect([plain.code, json.code]).toEqual([6, 6]);
  });

  it.each([
    [['pod', 'list', '-o', 'xml'], 'a value that is not among the options'],
    [['pod', 'list', '--nope'], 'an unknown flag'],
    [['pack', 'register', 'a', 'b'], 'an argument too many'],
    [['pod', 'list', '--watch=5'], 'a value of a switch'],
    [['pod', 'list', '--all-namespaces='], 'nothing as the value of a switch'],
    [['pod', 'create'], 'a missing flag'],
    [['pod', 'status'], 'a missing argument'],
    [['pod', 'create', '--pack'], 'a flag without its value'],
    [['pod', 'create', '--pack', 'a', '--pack', 'b'], 'a flag given twice'],
    [['pod', 'create', '--pack', 'a', '--replicas', 'many'], 'a value of the wrong type'],
    [['pod', 'create', '--pack', 'a', '--label', 'x'], 'a value that our own parser refuses'],
    [['pod', 'list', '--json', '--output', 'table'], 'two flags that exclude each other'],
  ])('2. ends with 2 for %j: %s', async (args) => {
    const [plain, json] = await Promise.all([machine.run(args), machine.run([...args, '-o', 'json'])]);
    expect(plain).toMatchObject({ code: 2, stdout: '' });
    expect(plain.stderr).toMatch(/^error: /);
    expect(plain.stderr).toMatch(/--help\n$/);
    expect(json.code).toBe(2);
  });

  it('3. prints an empty result in JSON mode', async () => {
    expect(await machine.run(['pod', 'list', '--json'])).toMatchObject({ code: 0, stdout: '[]\n' });
    expect(await machine.run(['auth', 'logout', '--json', '--context', 'fake'])).toMatchObject({ code: 0 });
    await machine.signIn(cluster);
  });

  it.each([
    [['-o', 'json'], 'json'],
    [['-ojson'], 'json'],
    [['-o=json'], 'json'],
    [['--output', 'json'], 'json'],
    [['--output=json'], 'json'],
    [['--json'], 'json'],
    [['-o', 'yaml'], 'yaml'],
    [['--', '--json'], undefined],
    [['--', '-o', 'json'], undefined],
    [['-o'], undefined],
    [['-o', 'xml'], undefined],
    [['-o', 'table', '-o', 'json'], 'json'],
  ])('4. knows the format of %j before anything is parsed: %s', (argv, format) => {
    expect(requestedFormat(argv)).toBe(format);
  });

  it.each([[['-o', 'json']], [['-ojson']], [['-o=json']], [['--output=json']], [['--json']]])(
    '4. speaks JSON for %j, also of errors',
    async (flags) => {
      expect(JSON.parse((await machine.run(['pod', 'list', ...flags])).stdout)).toEqual([]);
      const failed = await machine.run(['pod', 'list', '--nope', ...flags]);
      expect(JSON.parse(failed.stderr).error.code).toBe('USAGE');
    },
  );

  it('5. has each of its plugins among the dependencies, so that no run begins with a warning', async () => {
    const { oclif, dependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
    for (const plugin of oclif.plugins) expect(Object.keys(dependencies)).toContain(plugin);
    expect((await machine.run(['--help'])).stderr).toBe('');
    expect((await machine.run(['version'])).stderr).toBe('');
  });

  it('6. does not swallow warnings in JSON mode', async () => {
    const { code, stdout, stderr } = await machine.run([
      'auth',
      'login',
      '--email',
      cluster.email,
      '--password',
      cluster.password,
      '--json',
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: --password shows up/);
    expect(JSON.parse(stdout)).toMatchObject({ email: cluster.email });
  });

  it('7. shows nothing of its insides in error JSON', async () => {
    const usage = await machine.run(['pod', 'list', '--namspace', 'x', '--json']);
    expect(JSON.parse(usage.stderr)).toEqual({
      error: {
        code: 'USAGE',
        message: 'unknown flag: --namspace; did you mean --namespace?',
        hint: null,
        details: null,
      },
    });
    const api = await machine.run(['pod', 'status', 'nobody', '--json']);
    expect(Object.keys(JSON.parse(api.stderr))).toEqual(['error']);
    expect(Object.keys(JSON.parse(api.stderr).error)).toEqual(['code', 'message', 'hint', 'details']);
  });

  it('8. does not wait for stdin when an argument is left out', async () => {
    const child = machine.start(['pod', 'list', '--json']);
    // stdin stays open and silent, as in a terminal multiplexer or a CI runner.
    const code = await new Promise((done) => child.once('close', done));
    child.stdin?.destroy();
    expect(code).toBe(0);
    expect(await machine.run(['pod', 'list', '--json'], { input: 'alpha\n' })).toMatchObject({
      code: 0,
      stdout: '[]\n',
    });
  });

  it('9. takes one word for a flag that may be repeated, and leaves the next to the arguments', async () => {
    cluster.functions.create_pods = ({ p_pods }) => ({
      status: 400,
      body: { code: 'SEEN', message: JSON.stringify(p_pods) },
    });
    const { stderr } = await machine.run(['pod', 'create', '--label', 'a=1', '--label', 'b=2', '--pack', 'x']);
    expect(stderr).toContain('"labels":{"a":"1","b":"2"}');
    expect(await machine.run(['pod', 'create', '--pack', 'x', '--label', 'a=1', 'b=2'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unexpected argument: b=2'),
    });
  });

  it.each(['development', 'test', 'production'])('10. does not look for sources when NODE_ENV is %s', async (mode) => {
    expect(await machine.run(['version'], { env: { NODE_ENV: mode } })).toMatchObject({ code: 0, stderr: '' });
  });

  it('11. understands both word orders, short names and TYPE/name', async () => {
    for (const args of [
      ['get', 'pods'],
      ['list', 'pod'],
      ['po', 'ls'],
      ['pods', 'list'],
      ['-n', 'default', 'pod', 'list'],
    ]) {
      expect(await machine.run([...args, '--json']), args.join(' ')).toMatchObject({ code: 0, stdout: '[]\n' });
    }
    expect((await machine.run(['describe', 'pod/nobody'])).stderr).toContain('pod "nobody" not found');
  });

  it('12. ends quietly when its reader has seen enough', () => {
    const bin = join(packageRoot, 'bin', 'stark.js');
    const { stdout, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${bin}" --help | head -1`], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'The stark command.\n', stderr: '' });
  });
});
