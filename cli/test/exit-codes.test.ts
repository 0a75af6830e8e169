import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { podRow } from './support/rows.js';
import { ended, Machine } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
const stranger = new Machine();

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
  await stranger.use(cluster);
  cluster.tables.pods = [
    podRow('alpha-1'),
    podRow('stuck', {
      status: 'pending',
      ready: false,
      node_name: null,
      status_reason: 'Unschedulable',
      status_message: '0/2 nodes: 2 insufficient cpu',
    }),
  ];
  const refuse = (status: number, code: string, message: string) => () => ({
    status,
    body: { code, message, hint: null, details: null },
  });
  cluster.functions.create_pods = ({ p_pods }) => {
    const [{ pack }] = p_pods as [{ pack: string }];
    if (pack === 'denied') return refuse(403, 'FORBIDDEN', 'you may not create pods')();
    if (pack === 'absent') return refuse(404, 'PACK_NOT_FOUND', 'no pack "absent"')();
    if (pack === 'taken') return refuse(409, 'POD_NAME_TAKEN', 'a pod has this name')();
    if (pack === 'broken')
      return { body: [podRow('broken-1', { status: 'failed', exit_code: 3, status_reason: 'Error' })] };
    if (pack === 'slow') return { body: [podRow('stuck')] };
    return { body: [podRow('alpha-1')] };
  };
  cluster.tables.pods.push(
    podRow('broken-1', { status: 'failed', ready: false, exit_code: 3, status_reason: 'Error' }),
  );
});
afterAll(() => cluster.stop());

const signedIn: [code: number, what: string, args: string[], stderr: RegExp | ''][] = [
  [0, 'done', ['pod', 'list'], ''],
  [0, 'done and waited', ['pod', 'create', '--pack', 'alpha', '--wait=5s'], /created pod\/alpha-1/],
  [
    1,
    'what was waited for has failed',
    ['pod', 'create', '--pack', 'broken', '--wait=5s'],
    /broken-1 failed with exit code 3: Error/,
  ],
  [2, 'wrong usage', ['pod', 'list', '--nope'], /unknown flag: --nope/],
  [
    3,
    'waited in vain, and why',
    ['pod', 'create', '--pack', 'slow', '--wait=300ms'],
    /in vain: 0\/1 running; stuck is pending.*: Unschedulable: 0\/2 nodes: 2 insufficient cpu/,
  ],
  [5, 'denied', ['pod', 'create', '--pack', 'denied'], /you may not create pods \(FORBIDDEN\)/],
  [6, 'not found', ['pod', 'create', '--pack', 'absent'], /PACK_NOT_FOUND/],
  [
    6,
    'no such pod, with the nearest',
    ['pod', 'status', 'alpha-2'],
    /pod "alpha-2" not found in namespace default; did you mean "alpha-1"/,
  ],
  [7, 'conflict', ['pod', 'create', '--pack', 'taken'], /POD_NAME_TAKEN/],
  [127, 'no such command', ['pod', 'lisst'], /did you mean "stark pod list"/],
];

describe('every command ends with the code of what happened', () => {
  for (const [code, what, args, stderr] of signedIn) {
    it(`${code}: ${what}`, async () => {
      // The same with JSON: oclif alone would make it 1.
      const [plain, json] = await Promise.all([machine.run(args), machine.run([...args, '--output', 'json'])]);
      expect(plain, plain.stderr).toMatchObject({ code });
      if (stderr === '') expect(plain.stderr).toBe('');
      else expect(plain.stderr).toMatch(stderr);
      if (code !== 0) expect(plain.stdout).toBe('');
      expect(json.code).toBe(code);
      if (code === 0) JSON.parse(json.stdout);
      else expect(json.stdout).toBe('');
    });
  }

  it('4: not signed in', async () => {
    expect(await stranger.run(['pod', 'list'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('stark auth login'),
    });
  });

  it('4: a token that the cluster does not take', async () => {
    expect(await stranger.run(['pod', 'list'], { env: { STARK_TOKEN: 'nonsense' } })).toMatchObject({ code: 4 });
  });

  it('4: a wrong key', async () => {
    const result = await machine.run(['auth', 'login', '--email', cluster.email, '--password-stdin'], {
      input: cluster.password,
      env: { STARK_KEY: 'sb_publishable_wrong' },
    });
    expect(result).toMatchObject({ code: 4, stdout: '' });
  });

  it('8: nobody answers', async () => {
    const gone = await new FakeCluster().start();
    const { url } = gone;
    await gone.stop();
    const env = { STARK_URL: url, STARK_TOKEN: 'a.b.c' };
    const result = await machine.run(['pod', 'list'], { env });
    expect(result).toMatchObject({
      code: 8,
      stdout: '',
      stderr: expect.stringContaining(`cannot reach ${url}: ECONNREFUSED`),
    });
    expect((await machine.run(['pod', 'list', '--json'], { env })).code).toBe(8);
  });

  it('130: interrupted while waiting', async () => {
    const child = machine.start(['pod', 'create', '--pack', 'slow', '--wait=20s']);
    const result = ended(child);
    await new Promise<void>((done) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('stuck is pending')) done();
      });
      child.once('exit', () => done());
    });
    child.kill('SIGINT');
    expect((await result).code).toBe(130);
  });
});
