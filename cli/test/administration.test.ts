import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { clusterConfigRow, historyRow, packRow, placement, podRow, versionRow } from './support/rows.js';
import { Machine } from './support/run.js';

// What an admin does beside pods and nodes: namespaces, users, roles, packs, settings; and asking where a pod would run.
const cluster = new FakeCluster();
const machine = new Machine();
let calls: [fn: string, args: Record<string, unknown>][];

const namespaceRow = (name: string, quota: Record<string, number> = {}) => ({
  ...{ name, phase: 'active', reserved: false, labels: {}, quota, limit_range: {} },
  created_at: '2026-01-01T00:00:00+00:00',
});
const userRow = (email: string, id: string) => ({
  ...{ id, email, display_name: null, roles: [{ role: 'viewer', namespace: 'team-a' }], disabled_at: null },
  ...{ last_sign_in_at: null, created_at: '2026-01-01T00:00:00+00:00' },
});

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

beforeEach(() => {
  calls = [];
  const answers: Record<string, unknown> = {
    create_namespace: namespaceRow('team-a'),
    update_namespace: namespaceRow('team-a'),
    roll_back_pod: podRow('alpha-2', { version: '0.9.0' }),
    update_cluster_config: clusterConfigRow({ allow_node_registration: true }),
    explain_placement: placement(),
  };
  const others = ['update_pack', 'withdraw_pack_version', 'disable_user', 'enable_user', 'grant_role', 'revoke_role'];
  for (const fn of [...Object.keys(answers), ...others]) {
    cluster.functions[fn] = (args) => {
      calls.push([fn, args]);
      return { body: answers[fn] ?? {} };
    };
  }
  cluster.functions.list_users = () => ({
    body: [userRow('bob@example.com', 'b0b'), userRow('eve@example.com', 'e5e')],
  });
  cluster.tables.namespaces = [namespaceRow('default'), namespaceRow('team-a', { pods: 5, cpu: 4000 })];
  cluster.tables.namespace_usage = [
    { namespace: 'team-a', user_id: 'a', pods: 1, cpu: 100, memory: 128, storage: 0 },
    { namespace: 'team-a', user_id: 'b', pods: 2, cpu: 500, memory: 1024, storage: 0 },
  ];
  cluster.tables.pods = [podRow('alpha-1')];
  cluster.tables.packs = [packRow('alpha')];
  cluster.tables.pack_versions = [versionRow('alpha', '1.0.0', { state: 'withdrawn' }), versionRow('alpha', '0.9.0')];
  cluster.tables.pod_history = [
    historyRow('gone', { seq: 1 }),
    historyRow('gone', { seq: 2, status: 'failed', status_reason: 'Crashed', status_message: 'exit code 1' }),
  ];
});

const run = (line: string) => machine.run(line.split(' '));

describe('namespaces', () => {
  it('are made and changed in the words of people, and counted in those of the cluster', async () => {
    await run('namespace create team-a -l team=a --quota pods=5 --quota cpu=4 --quota memory=8Gi --default cpu=200m');
    await run('ns update team-a --quota pods=9 --remove-quota cpu --remove-label team --max memory=1Gi');
    expect(calls).toEqual([
      [
        'create_namespace',
        {
          ...{ p_name: 'team-a', p_labels: { team: 'a' }, p_quota: { pods: 5, cpu: 4000, memory: 8192 } },
          p_limit_range: { default: { cpu: 200 } },
        },
      ],
      [
        'update_namespace',
        {
          ...{ p_name: 'team-a', p_labels: { team: null }, p_quota: { pods: 9, cpu: null } },
          p_limit_range: { max: { memory: 1024 } },
        },
      ],
    ]);
  });

  it.each([
    '--quota pods',
    '--quota pigs=3',
    '--quota pods=-1',
    '--max pods=3',
    '--quota cpu=lots',
    '--quota pods=1.5',
  ])('refuse %s before anything is sent', async (flags) => {
    expect(await run(`namespace create team-a ${flags}`)).toMatchObject({ code: 2, stdout: '' });
    expect(calls).toEqual([]);
  });

  it('refuse an update of nothing', async () => {
    expect(await run('namespace update team-a')).toMatchObject({ code: 2 });
    expect(await run('namespace update team-a --remove-quota pigs')).toMatchObject({ code: 2 });
  });

  it('show what is used of their quota, over all users', async () => {
    const { stdout } = await run('namespace quota team-a');
    expect(stdout.split('\n').map((line) => line.split(/ +/))).toEqual([
      ['NAMESPACE', 'RESOURCE', 'USED', 'QUOTA', 'LEFT'],
      ['team-a', 'pods', '3', '5', '2'],
      ['team-a', 'cpu', '600m', '4', '3400m'],
      ['team-a', 'memory', '1152Mi', '<none>', '<none>'],
      [''],
    ]);
  });
});

describe('users and roles', () => {
  it('are named by e-mail address, several at once', async () => {
    await run('role grant developer bob@example.com eve@example.com -n team-a');
    await run('role revoke developer user/bob@example.com');
    await run('user disable eve@example.com');
    await run('user enable eve@example.com');
    expect(calls).toEqual([
      ['grant_role', { p_user_id: 'b0b', p_role: 'developer', p_namespace: 'team-a' }],
      ['grant_role', { p_user_id: 'e5e', p_role: 'developer', p_namespace: 'team-a' }],
      ['revoke_role', { p_user_id: 'b0b', p_role: 'developer' }],
      ['disable_user', { p_user_id: 'e5e' }],
      ['enable_user', { p_user_id: 'e5e' }],
    ]);
  });

  it('that are not there are an error, and nothing is done to the others', async () => {
    const { code, stderr } = await run('role grant developer bob@example.com evil@example.com');
    expect([code, stderr]).toEqual([6, expect.stringContaining('did you mean "eve@example.com"?')]);
    expect(calls).toEqual([]);
  });

  it('are made with a password that nobody sees', async () => {
    const add = ['auth', 'add-user', '--role', 'viewer', '--namespace', 'team-a', '--password-stdin', '--email'];
    const made = await machine.run([...add, 'new@example.com'], { input: 'a good password' });
    expect(made).toMatchObject({ code: 0, stdout: 'user/new@example.com created, viewer in namespace team-a\n' });
    expect(await machine.run([...add, cluster.email], { input: 'x' })).toMatchObject({ code: 7, stdout: '' });
    expect(await run('auth add-user --email a@b.c --namespace team-a --password-file /nowhere')).toMatchObject({
      code: 2,
    });
  });
});

describe('packs', () => {
  it('are changed, and versions of them withdrawn', async () => {
    await run('pack update alpha --visibility public');
    expect((await run('pack withdraw alpha@1.0.0')).stdout).toBe('pack/alpha@1.0.0 withdrawn\n');
    expect(calls).toEqual([
      ['update_pack', { p_name: 'alpha', p_visibility: 'public' }],
      ['withdraw_pack_version', { p_name: 'alpha', p_version: '1.0.0' }],
    ]);
    expect(await run('pack withdraw alpha')).toMatchObject({ code: 2, stderr: expect.stringContaining('alpha@1.0.0') });
    expect(await run('pack update alpha')).toMatchObject({ code: 2 });
  });
});

describe('a pod', () => {
  it('is rolled back to the version named, or the one before', async () => {
    expect((await run('pod rollback alpha-1 --ver 0.9.0')).stdout).toBe(
      'pod/alpha-2 in place of alpha-1: 1.0.0 → 0.9.0\n',
    );
    await run('pod rollback pod/alpha-1');
    expect(calls.map(([, args]) => args.p_version)).toEqual(['0.9.0', undefined]);
    expect(await run('pod rollback nobody')).toMatchObject({ code: 6 });
  });

  it('has a history, also when it is gone', async () => {
    const { stdout } = await run('pod history gone');
    expect(stdout).toMatch(/failed .* Crashed: exit code 1\n$/);
    expect(await run('pod history never')).toMatchObject({ code: 6, stdout: '' });
  });
});

describe('server-config', () => {
  it('sets what the flags and pairs say, with the types that settings have', async () => {
    await run('server-config set --enable-registration --disable-sign-up');
    await run('server-config set scheduling_policy=bin_pack default_cpu_request=50 allow_registration=true');
    expect(calls.map(([, { p_changes }]) => p_changes)).toEqual([
      { allow_node_registration: true, allow_registration: false },
      { scheduling_policy: 'bin_pack', default_cpu_request: 50, allow_registration: true },
    ]);
  });

  it.each(['', 'colour', '--enable-registration --disable-registration', 'A=b'])('refuses "%s"', async (rest) => {
    expect(await run(`server-config set ${rest}`.trim())).toMatchObject({ code: 2 });
    expect(calls).toEqual([]);
  });
});

describe('users', () => {
  const names = async (...args: string[]) => (await machine.run([...args, '-o', 'name'])).stdout;

  it('are people; machines that joined are listed when everything is wanted, or they are named', async () => {
    const node = 'node-00000000-0000-4000-8000-000000000009@nodes.stark.invalid';
    const rows = [userRow('bob@example.com', 'b0b'), userRow(node, 'a0a'), { ...userRow('x', 'c0c'), email: null }];
    cluster.functions.list_users = () => ({ body: rows });
    const people = 'user/bob@example.com\nuser/null\n';
    expect(await names('auth', 'list-users')).toBe(people);
    expect(await names('get', 'users')).toBe(people);
    expect(await names('auth', 'list-users', '--all')).toContain(`user/${node}\n`);
    expect(await names('get', 'user', node)).toBe(`user/${node}\n`);
  });
});

describe('explain placement', () => {
  it('takes what pod create takes, and says of every node what it would do', async () => {
    const { code, stdout } = await run('explain placement --pack alpha -s disk=ssd --memory 1Gi -l app=web -p 5');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^1 node would take it.*\nNODE .*\nnode-1 +true.*\nnode-2 +false +<none> +insufficient memory; cordoned\n$/,
    );
    expect(calls[0]?.[1].p_pod).toEqual({
      ...{ pack: 'alpha', namespace: 'default', labels: { app: 'web' }, priority: 5 },
      spec: { nodeSelector: { disk: 'ssd' }, resources: { requests: { memory: 1024 } } },
    });
  });

  it('ends with 1 where no node would take it', async () => {
    cluster.functions.explain_placement = () => ({
      body: placement({ feasible: 0, message: '0/2 nodes: 2 cordoned' }),
    });
    const { code, stdout } = await run('explain placement --pack alpha');
    expect([code, stdout.split('\n')[0]]).toEqual([1, '0/2 nodes: 2 cordoned']);
  });
});
