import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { joinTokenRow, nodeRow, podRow } from './support/rows.js';
import { Machine, temporaryFolder } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
const made = {
  id: '3f9a2c1d07',
  token: 'stark_join_3f9a2c1d07_secret',
  labels: {},
  taints: [],
  max_uses: 1,
  expires_at: '2126-01-01T00:00:00Z',
};

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());
beforeEach(() => {
  cluster.requests.length = 0;
  cluster.tables.nodes = [nodeRow('node-1'), nodeRow('node-2')];
  cluster.tables.pods = [];
});

function argsOf(fn: string): unknown[] {
  return cluster.seen('POST', `/rest/v1/rpc/${fn}`).map(({ body }) => JSON.parse(body.toString()));
}

describe('stark node describe', () => {
  const isolated = nodeRow('node-1', {
    labels: { 'stark/isolation': 'strict', zone: 'b' },
    capabilities: { os: 'linux', isolation: { tier: 'strict', by: ['bubblewrap', 'seccomp'] }, accepts: 'anyone' },
    accepts: 'namespaces',
    accepted_namespaces: ['team-a', 'team-b'],
  });

  it('says what holds pods, and whose the node takes', async () => {
    cluster.tables.nodes = [isolated, nodeRow('node-2', { accepts: 'owner' })];
    const { code, stdout, stderr } = await machine.run(['node', 'describe', 'node-1', 'node-2']);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^Isolation: +strict \(bubblewrap, seccomp\)$/m);
    expect(stdout).toMatch(/^Accepts: +namespaces:team-a,team-b$/m);
    expect(stdout).toMatch(/^Accepts: +owner$/m);
    expect(stdout).not.toContain('anyone');
    expect(stdout).toMatch(/^Isolation: +unknown$/m);
  });

  it('shares its column with the wide list', async () => {
    cluster.tables.nodes = [isolated];
    const { stdout } = await machine.run(['node', 'list', '--output', 'wide']);
    const [header = '', row = ''] = stdout.split('\n');
    expect(row.slice(header.indexOf('ISOLATION')).split(/\s/)[0]).toBe('strict');
    expect(row.slice(header.indexOf('ACCEPTS'))).toMatch(/^namespaces:team-a,team-b /);
    expect((await machine.run(['node', 'list'])).stdout).not.toContain('ISOLATION');
  });
});

describe('stark node token', () => {
  it('create asks for what was said, and prints nothing but the token on stdout', async () => {
    cluster.functions.create_join_token = () => ({ body: made });
    const { code, stdout, stderr } = await machine.run([
      ...['node', 'token', 'create', '--ttl', '30m', '--uses', '20'],
      ...['--label', 'zone=b', '--taint', 'dedicated=gpu:NoSchedule'],
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`${made.token}\n`);
    expect(stderr).toContain('it is not shown again');
    expect(argsOf('create_join_token')).toEqual([
      {
        p_ttl_seconds: 1800,
        p_uses: 20,
        p_labels: { zone: 'b' },
        p_taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }],
      },
    ]);
  });

  it.each([
    [['--ttl', 'soon'], /"soon" is not a duration/],
    [['--uses', '1001'], /--uses/],
  ])('create %j is wrong usage', async (flags, message) => {
    const { code, stderr } = await machine.run(['node', 'token', 'create', ...flags]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(argsOf('create_join_token')).toEqual([]);
  });

  it('list says which are good', async () => {
    cluster.tables.join_tokens = [
      joinTokenRow('aaa'),
      joinTokenRow('bbb', { uses: 1 }),
      joinTokenRow('ccc', { revoked_at: '2026-01-01T00:00:00+00:00' }),
      joinTokenRow('ddd', { expires_at: '2026-01-01T00:00:00+00:00' }),
    ];
    const { stdout } = await machine.run(['node', 'token', 'list']);
    const states = stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 3).join(' '));
    expect(states).toEqual([
      'ID STATUS USES',
      'aaa active 0/1',
      'bbb used-up 1/1',
      'ccc revoked 0/1',
      'ddd expired 0/1',
      '',
    ]);
  });

  it('revoke names what it took back, and what there is not', async () => {
    cluster.functions.revoke_join_token = ({ p_id }) =>
      p_id === 'aaa'
        ? { body: joinTokenRow('aaa') }
        : {
            status: 404,
            body: { code: 'JOIN_TOKEN_NOT_FOUND', message: 'no join token "bbb"', hint: 'stark node token list' },
          };
    expect(await machine.run(['node', 'token', 'revoke', 'aaa'])).toMatchObject({
      code: 0,
      stdout: 'jointoken/aaa revoked\n',
    });
    expect(await machine.run(['node', 'token', 'revoke', 'bbb'])).toMatchObject({ code: 6 });
  });
});

describe('stark node', () => {
  it.each([
    ['cordon', 'cordon_node', 'cordoned', {}],
    ['uncordon', 'uncordon_node', 'uncordoned', {}],
    ['delete', 'delete_node', 'deleted', {}],
  ])('%s works on each node named, by name or id', async (verb, fn, done, more) => {
    cluster.functions[fn] = ({ p_name }) => ({ body: nodeRow(p_name as string) });
    const [, second] = cluster.tables.nodes as { id: string }[];
    const { stdout, stderr } = await machine.run(['node', verb, 'node/node-1', second?.id ?? '']);
    expect(stdout, stderr).toBe(`node/node-1 ${done}\nnode/node-2 ${done}\n`);
    expect(argsOf(fn)).toEqual([
      { p_name: 'node-1', ...more },
      { p_name: 'node-2', ...more },
    ]);
  });

  it.each(['cordon', 'uncordon', 'drain', 'delete'])(
    '%s refuses a name that is not there before it touches any',
    async (verb) => {
      const { code, stderr } = await machine.run(['node', verb, 'node-1', 'node-3']);
      expect(code).toBe(6);
      expect(stderr).toMatch(/node "node-3" not found; did you mean "node-[12]"/);
      expect(cluster.requests.filter(({ path }) => path.includes('/rpc/'))).toEqual([]);
    },
  );

  it('update patches what was named, and cordons in the same go', async () => {
    cluster.functions.update_node = ({ p_name }) => ({ body: nodeRow(p_name as string) });
    cluster.functions.cordon_node = ({ p_name }) => ({ body: nodeRow(p_name as string, { unschedulable: true }) });
    const { stdout, stderr } = await machine.run([
      ...['node', 'update', 'node-1', '--label', 'tier=web', '--remove-label', 'zone', '--unschedulable'],
      ...[
        '--taint',
        'dedicated=gpu:NoSchedule',
        '--remove-taint',
        'old',
        '--cpu',
        '2',
        '--memory',
        '4Gi',
        '--pods',
        '20',
      ],
    ]);
    expect(stdout, stderr).toBe('node/node-1 updated\n');
    expect(argsOf('update_node')).toEqual([
      {
        p_name: 'node-1',
        p_labels: { tier: 'web', zone: null },
        p_taints: [
          { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
          ...['NoSchedule', 'PreferNoSchedule', 'NoExecute'].map((effect) => ({ key: 'old', effect, remove: true })),
        ],
        p_allocatable: { cpu: 2000, memory: 4096, pods: 20 },
      },
    ]);
    expect(argsOf('cordon_node')).toHaveLength(1);
    expect(await machine.run(['node', 'update', 'node-1'])).toMatchObject({ code: 2 });
    const accept = ['node', 'update', 'node-1', '--accept', 'namespaces'];
    expect(await machine.run(accept)).toMatchObject({ code: 2 });
    expect(await machine.run([...accept, '--accept-namespace', 'team-a'])).toMatchObject({ code: 0 });
    expect(argsOf('update_node').at(-1)).toMatchObject({
      p_accepts: 'namespaces',
      p_accepted_namespaces: ['team-a'],
    });
  });

  it('delete --force asks first', async () => {
    expect(await machine.run(['node', 'delete', 'node-1', '--force'])).toMatchObject({ code: 2 });
    cluster.functions.delete_node = ({ p_name }) => ({ body: nodeRow(p_name as string) });
    expect(await machine.run(['node', 'rm', 'node-1', '--force', '--yes'])).toMatchObject({ code: 0 });
    expect(argsOf('delete_node')).toEqual([{ p_name: 'node-1', p_force: true }]);
  });

  it('drain waits until nothing is left, and says what is', async () => {
    const pod = podRow('slow-1', { node_name: 'node-1', status: 'stopping' });
    cluster.tables.pods = [pod];
    cluster.functions.drain_node = () => ({ body: [pod] });
    const late = await machine.run(['node', 'drain', 'node-1', '--wait=300ms']);
    expect(late.code).toBe(3);
    expect(late.stderr).toContain('1 pods left; slow-1 is stopping on node-1');
    setTimeout(() => Object.assign(pod, { status: 'stopped' }), 300);
    const { stdout } = await machine.run(['node', 'drain', 'node-1', '--wait=10s']);
    expect(stdout).toBe('node/node-1 cordoned, drained of 1 pod\n');
    expect((await machine.run(['node', 'drain', 'node-1', '--no-wait'])).stdout).toBe(
      'node/node-1 cordoned, stopping 1 pod\n',
    );
  });

  it('drain says which deployment holds which pod, and goes round budgets only when told to', async () => {
    const held = podRow('web-1', { node_name: 'node-1', deployment_id: '60000000-0000-4000-8000-000000000001' });
    const daemon = podRow('agent-1', { node_name: 'node-1', pinned_node_id: held.node_id });
    cluster.tables.pods = [held, daemon];
    cluster.functions.drain_node = () => ({ body: [held] });
    const message = 'deployment web waits until the replacement is available: 3 of 3 are';
    cluster.functions.pending_evictions = () => ({ body: [{ pod_name: 'web-1', message }] });
    expect(await machine.run(['node', 'drain', 'node-1', '--no-wait'])).toMatchObject({
      stdout: 'node/node-1 draining 1 pod, 1 held by disruption budgets\n',
      stderr: `web-1: ${message}\n`,
    });
    const late = await machine.run(['node', 'drain', 'node-1', '--timeout', '300ms', '--ignore-daemonsets', '--force']);
    expect(late).toMatchObject({ code: 3, stderr: expect.stringContaining(`1 pods left; web-1: ${message}`) });
    setTimeout(() => Object.assign(held, { status: 'stopped' }), 300);
    const done = await machine.run(['node', 'drain', 'node-1', '--timeout', '0', '--disable-eviction']);
    expect(done.stdout).toBe('node/node-1 cordoned, drained of 1 pod\n');
    expect(argsOf('drain_node')).toEqual([
      { p_name: 'node-1' },
      { p_name: 'node-1' },
      { p_name: 'node-1', p_ignores_budgets: true },
    ]);
  });
});

describe('stark node agent start', () => {
  const start = (args: string[], env: Record<string, string> = {}) =>
    machine.run(['node', 'agent', 'start', '--data-dir', temporaryFolder(), ...args], {
      env: { STARK_NODE_NAME: 'n1', ...env },
    });

  it.each([
    ['two ways in', ['--token', 'a', '--email', 'b@c.de'], /--token/],
    ['a token file that is not there', ['--token-file', '/nowhere'], /cannot read --token-file \/nowhere: ENOENT/],
    ['a token that is none', ['--token', 'sb_secret_x'], /the access token is not a JWT/],
    ['a bad name', ['--name', 'N 1'], /is not a node name/],
    ['a bad label', ['--label', 'a'], /label "a" has no value/],
    ['a bad taint', ['--taint', 'a=b:Sometimes'], /Sometimes/],
    ['a bad amount of CPU', ['--cpu', 'much'], /much/],
    ['too many pods', ['--pods', '10001'], /--pods/],
    ['a URL that is none', ['--url', 'ftp://x'], /is no http or https URL/],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stderr } = await start(args);
    expect([2, 4]).toContain(code);
    expect(stderr).toMatch(message);
  });

  it('joins with the token of a file or a variable, and passes on why it may not', async () => {
    cluster.join = () => ({
      status: 403,
      body: {
        error: {
          code: 'JOIN_TOKEN_EXPIRED',
          message: 'join token x expired',
          hint: 'stark node token create',
          details: null,
        },
      },
    });
    const file = join(temporaryFolder(), 'join.token');
    writeFileSync(file, 'stark_join_x_y\n');
    chmodSync(file, 0o600);
    for (const [args, env] of [
      [['--token-file', file], {}],
      [[], { STARK_AUTH_TOKEN: 'stark_join_x_y' }],
    ] as const) {
      const { code, stderr } = await start([...args], env);
      expect(code).toBe(5);
      expect(stderr).toContain('join token x expired (JOIN_TOKEN_EXPIRED)');
    }
    const asked = cluster.seen('POST', '/functions/v1/api/nodes/join').map(({ body }) => JSON.parse(body.toString()));
    expect(asked).toEqual(Array(2).fill({ token: 'stark_join_x_y', name: 'n1', runtime: 'node' }));
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('asks as a stranger when nobody is signed in', async () => {
    const stranger = new Machine();
    await stranger.use(cluster);
    cluster.join = () => ({
      status: 403,
      body: {
        error: { code: 'NODE_REGISTRATION_CLOSED', message: 'no', hint: 'stark node token create', details: null },
      },
    });
    const { code, stderr } = await stranger.run(['node', 'agent', 'start', '--data-dir', temporaryFolder()]);
    expect(code).toBe(5);
    expect(stderr).toContain('NODE_REGISTRATION_CLOSED');
    const [asked] = cluster.seen('POST', '/functions/v1/api/nodes/join');
    expect(JSON.parse(asked?.body.toString() ?? '')).toMatchObject({ token: null });
  });

  it('understands the address of early drafts', async () => {
    const address = cluster.url.replace('http', 'ws');
    const { stderr } = await start(['--token', 'stark_join_x_y'], { STARK_ORCHESTRATOR_URL: `${address}/ws` });
    expect(stderr).toContain('NODE_REGISTRATION_CLOSED');
  });
});
