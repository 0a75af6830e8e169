import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { Machine } from './support/run.js';

// Files that say what should be, as far as the command has to do with them: what it sends and in which order, what it prints, how it ends.
const cluster = new FakeCluster();
const machine = new Machine();
type Json = Record<string, unknown>;
let calls: [fn: string, args: Json][];
let answer: Json;

const change = (kind: string, name: string, action: string, fields: Json[] = []) => ({
  ...{ kind, name, action, fields, namespace: kind === 'deployment' ? 'team-a' : null },
});
const applied = (changes: Json[], more: Json = {}) => ({
  ...{ project: 'shop', digest: 'd1', members: 4, changes, placements: [], rollouts: [], deferred: 0, tokens: [] },
  ...more,
});

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
  const pack = join(machine.home, 'packs', 'web', 'src');
  mkdirSync(pack, { recursive: true });
  writeFileSync(join(pack, 'index.ts'), 'export default async () => {};\n');
  const about = { name: 'web', version: '1.2.0', stark: { runtime: 'node', ports: ['http'] } };
  writeFileSync(join(pack, '..', 'package.json'), JSON.stringify(about));
  writeFileSync(
    join(machine.home, 'stark.yaml'),
    'name: shop\nnamespace: team-a\npacks:\n  - source: packs/web\n    visibility: public\ndeployments:\n  - name: web\n    pack: web\n  - name: old\n    pack: web\n    version: 1.0.0\n',
  );
  writeFileSync(join(machine.home, 'roles.yaml'), 'roles:\n  - name: helper\n    permissions: [pods:get]\n');
});
afterAll(() => cluster.stop());

beforeEach(() => {
  calls = [];
  cluster.objects.clear();
  answer = applied([
    change('pack', 'web', 'created'),
    change('deployment', 'web', 'created'),
    change('deployment', 'old', 'unchanged'),
  ]);
  const record = (fn: string, body: (args: Json) => unknown) => {
    cluster.functions[fn] = (args) => {
      calls.push([fn, args]);
      return { body: body(args) };
    };
  };
  record('apply_objects', () => answer);
  record('delete_objects', () => ({
    digest: 'd2',
    changes: [change('deployment', 'web', 'deleted'), change('pack', 'web', 'kept')],
  }));
  record('register_pack_version', () => ({ pack_id: 'p', version_id: 'v', bucket: 'packs', path: 'p/v.js' }));
});

const run = (...args: string[]) => machine.run(args);
const refuse = (code: string, message: string, status = 400) => {
  cluster.functions.apply_objects = () => ({ status, body: { code, message, hint: null, details: null } });
};

describe('stark apply', () => {
  it('looks first, uploads what is new, and applies it with the version of the source', async () => {
    const { code, stdout } = await run('apply');
    expect([code, stdout]).toEqual([
      0,
      'pack/web created\ndeployment/web in team-a created\ndeployment/old in team-a unchanged\n',
    ]);
    expect(calls.map(([fn, { p_dry_run }]) => `${fn} ${p_dry_run ?? ''}`.trim())).toEqual([
      ...['apply_objects true', 'register_pack_version', 'apply_objects false'],
    ]);
    const [, sent] = calls.at(-1) as [string, Json];
    const [pack, web, old] = sent.p_objects as Json[];
    expect(pack).toMatchObject({
      ...{ kind: 'pack', name: 'web', visibility: 'public' },
      bundle: {
        version: '1.2.0',
        runtime: 'node',
        ports: [{ name: 'http' }],
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect([web?.version, old?.version, sent.p_project, web?.namespace]).toEqual(['1.2.0', '1.0.0', 'shop', 'team-a']);
    expect([...cluster.objects.keys()]).toEqual([expect.stringContaining('p/v.js')]);
  });

  it('gives a bundle the same bytes wherever it is typed', async () => {
    const elsewhere = join(machine.home, 'elsewhere');
    mkdirSync(elsewhere);
    await run('plan');
    await machine.run(['plan', '-f', '../stark.yaml'], { cwd: elsewhere });
    const sums = calls.map(([, { p_objects }]) => (p_objects as [{ bundle: Json }])[0].bundle.sha256);
    expect(sums[0]).toBe(sums[1]);
  });

  it('uploads nothing that is there, and nothing in a dry run', async () => {
    await run('apply', '--dry-run');
    answer = applied([change('pack', 'web', 'unchanged')]);
    await run('apply');
    expect(calls.map(([fn]) => fn)).not.toContain('register_pack_version');
  });

  it('needs one call where there is nothing to look at first', async () => {
    answer = applied([change('role', 'helper', 'changed', [{ path: ['description'], before: null, after: 'x' }])]);
    const { code, stdout } = await run('apply', '-f', 'roles.yaml', '-o', 'json');
    expect([code, JSON.parse(stdout).changes]).toEqual([0, answer.changes]);
    expect(calls).toHaveLength(1);
  });

  it('lists what it prunes, does just that, and more than half only when told to', async () => {
    answer = applied([change('role', 'helper', 'unchanged'), change('deployment', 'gone', 'deleted')]);
    const pruned = await run('apply', '-f', 'roles.yaml', '--prune');
    expect([pruned.code, pruned.stderr]).toEqual([0, expect.stringContaining('prunes deployment/gone in team-a')]);
    expect(calls.map(([, args]) => [args.p_dry_run, args.p_prune, args.p_if_digest])).toEqual([
      [true, true, undefined],
      [false, true, 'd1'],
    ]);
    answer = applied([
      change('deployment', 'a', 'deleted'),
      change('deployment', 'b', 'deleted'),
      change('pack', 'c', 'deleted'),
    ]);
    const refused = await run('apply', '-f', 'roles.yaml', '--prune');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('would remove 3 of the 4 objects of project shop'),
    ]);
    expect((await run('apply', '-f', 'roles.yaml', '--prune', '--yes')).code).toBe(0);
  });

  it('shows a join token once, on standard error', async () => {
    const token = { name: 'lab', token: 'stark_join_x', expires_at: '2026-01-01T00:00:00Z' };
    answer = applied([change('jointoken', 'lab', 'created')], { tokens: [token] });
    const { stdout, stderr } = await run('apply', '-f', 'roles.yaml');
    expect([stdout, stderr]).toEqual(['jointoken/lab created\n', expect.stringContaining('stark_join_x')]);
  });

  it('says where in the file the cluster found something wrong', async () => {
    refuse('INVALID_ARGUMENT', 'object 1 role helper: permissions must be a list of at most 200 strings');
    const { code, stderr, stdout } = await run('apply', '-f', 'roles.yaml');
    expect([code, stdout, stderr]).toEqual([
      2,
      '',
      expect.stringContaining('roles.yaml:2:5: role helper: permissions must be'),
    ]);
  });
});

describe('stark diff and plan', () => {
  const fields = [
    { path: ['replicas'], before: 1, after: 3 },
    { path: ['template', 'spec', 'env', 'KEY'], before: null, after: '(secret)' },
  ];
  const placements = [
    { kind: 'deployment', namespace: 'team-a', name: 'web', node: 'n1', pods: 2, status: 'scheduled', message: null },
    {
      kind: 'deployment',
      namespace: 'team-a',
      name: 'web',
      node: null,
      pods: 1,
      status: 'pending',
      message: '0/1 nodes',
    },
  ];
  const rollouts = [
    { namespace: 'team-a', name: 'web', from_revision: 1, to_revision: 2, from_version: '1.0.0', to_version: '1.1.0' },
  ];

  it('end with 0 when nothing would change, with 1 when something would, with more after an error', async () => {
    answer = applied([change('role', 'helper', 'unchanged')]);
    for (const command of ['diff', 'plan'])
      expect(await run(command, '-f', 'roles.yaml')).toMatchObject({ code: 0, stdout: '' });
    answer = applied([change('role', 'helper', 'created')]);
    for (const command of ['diff', 'plan']) expect((await run(command, '-f', 'roles.yaml')).code).toBe(1);
    refuse('FORBIDDEN', 'ada may not create roles', 403);
    expect((await run('diff', '-f', 'roles.yaml')).code).toBe(5);
    cluster.functions.apply_objects = () => ({ status: 500, body: { code: 'XX000', message: 'broken' } });
    expect((await run('plan', '-f', 'roles.yaml')).code).toBe(2);
    expect((await run('diff', '-f', 'nowhere.yaml')).code).toBe(6);
  });

  it('say what would change, where pods would run and what rolls, and nothing that is secret', async () => {
    answer = applied(
      [change('deployment', 'web', 'changed', fields), change('role', 'x', 'deleted'), change('pack', 'p', 'kept')],
      { placements, rollouts },
    );
    const diff =
      '~ deployment/web in team-a\n    replicas: 1 → 3\n    template.spec.env.KEY: not set → (secret)\n- role/x\n! pack/p is in use and stays\n';
    expect((await run('diff', '-f', 'roles.yaml')).stdout).toBe(diff);
    expect((await run('plan', '-f', 'roles.yaml')).stdout).toBe(
      `${diff}rollout: deployment/web in team-a: revision 1 (1.0.0) → revision 2 (1.1.0)\nplaces:  deployment/web in team-a: 2 pods on n1\nplaces:  deployment/web in team-a: 1 pod on no node yet: 0/1 nodes\n`,
    );
    expect(JSON.parse((await run('plan', '-f', 'roles.yaml', '--json')).stdout)).toEqual(answer);
    expect((await run('diff', '-f', 'roles.yaml', '-o', 'name')).stdout).toBe('deployment/web\nrole/x\npack/p\n');
    expect(calls.every(([, args]) => args.p_dry_run === true)).toBe(true);
  });
});

describe('stark delete --filename', () => {
  it('lists, asks for --yes, and removes just that', async () => {
    expect((await run('delete', '-f', 'stark.yaml')).code).toBe(2);
    const { code, stdout, stderr } = await run('delete', '-f', 'stark.yaml', '--yes');
    expect([code, stdout, stderr]).toEqual([
      ...[0, 'deployment/web in team-a deleted\npack/web kept\n', expect.stringContaining('deletes deployment/web')],
    ]);
    const [, last] = calls.at(-1) as [string, Json];
    expect([last.p_if_digest, (last.p_objects as Json[])[0]]).toEqual(['d2', { kind: 'pack', name: 'web' }]);
  });

  it('takes files or things', async () => {
    for (const args of [['delete', 'pod/a', '-f', 'stark.yaml'], ['delete', '-f', 'stark.yaml', '--all'], ['delete']])
      expect((await run(...args)).code, args.join(' ')).toBe(2);
  });
});
