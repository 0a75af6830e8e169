import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { autoscalerRow, deploymentFunctions, deploymentRow, podRow, revisionRow } from './support/rows.js';
import { Machine } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
let calls: [fn: string, args: Record<string, unknown>][];

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

beforeEach(() => {
  calls = [];
  cluster.tables.deployments = [deploymentRow('web')];
  cluster.tables.deployment_revisions = [revisionRow('web')];
  cluster.tables.deployment_reasons = [
    { reason: 'CanaryPause', completed_by: 'its time, or stark rollout promote' },
    { reason: 'Unschedulable', completed_by: 'room, or a node that fits' },
  ];
  cluster.tables.pods = [];
  cluster.tables.events = [];
  for (const fn of deploymentFunctions) {
    cluster.functions[fn] = (args) => {
      calls.push([fn, args]);
      return { body: cluster.tables.deployments?.[0] };
    };
  }
});

const run = (line: string) => machine.run(line.split(' '));
const at = { p_namespace: 'default', p_name: 'web' };

/** What the cluster knows of `web` from now on. */
function becomes(row: Record<string, unknown>, ...revisions: Record<string, unknown>[]): void {
  cluster.tables.deployments = [deploymentRow('web', row)];
  cluster.tables.deployment_revisions = revisions.map((revision) => revisionRow('web', revision));
}

describe('deployment autoscale', () => {
  it('says what the flags say, as a change of what is there', async () => {
    await run('deployment autoscale web --min 2 --max 10 --cpu 70% --memory 80');
    await run(
      'deployment autoscale web --metric queue=10 --metric latency=0.2:Value --idle 2m --up-window 30s --down-window 10m --up-limit 2/30s --up-limit 50%/1m --down-limit none --tolerance 20%',
    );
    await run('deployment autoscale web --off --if-revision 4');
    expect(calls).toEqual([
      [
        'update_deployment',
        {
          ...at,
          p_changes: {
            autoscale: {
              ...{ min: 2, max: 10 },
              metrics: [
                { name: 'cpu', target: 70 },
                { name: 'memory', target: 80 },
              ],
            },
          },
        },
      ],
      [
        'update_deployment',
        {
          ...at,
          p_changes: {
            autoscale: {
              metrics: [
                { name: 'queue', target: 10 },
                { name: 'latency', target: 0.2, type: 'Value' },
              ],
              behavior: {
                scaleUp: {
                  ...{ stabilizationWindowSeconds: 30, tolerance: 0.2, selectPolicy: null },
                  policies: [
                    { type: 'Pods', value: 2, periodSeconds: 30 },
                    { type: 'Percent', value: 50, periodSeconds: 60 },
                  ],
                },
                scaleDown: {
                  ...{ stabilizationWindowSeconds: 600, tolerance: 0.2, selectPolicy: 'Disabled', policies: null },
                },
              },
              idleSeconds: 120,
            },
          },
        },
      ],
      ['update_deployment', { ...at, p_changes: { autoscale: null }, p_if_revision: 4 }],
    ]);
  });

  it.each([
    ['', 'how it is to be scaled'],
    ['--metric queue', 'no metric'],
    ['--metric cpu=5', 'no metric'],
    ['--metric queue=5:Utilization', 'no metric'],
    ['--cpu half', 'percents'],
    ['--up-limit 4', 'no limit'],
    ['--up-limit none --up-limit 4/15s', 'no limit'],
    ['--off --max 3', '--max'],
  ])('refuses %s', async (flags, said) => {
    const { code, stderr } = await run(`deployment autoscale web ${flags}`.trim());
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(calls).toEqual([]);
  });

  it('shows in the status what was seen, and what is wanted', async () => {
    becomes({ autoscale: { min: 1, max: 10, metrics: [{ name: 'queue', target: 10 }] } }, {});
    cluster.tables.autoscalers = [autoscalerRow('web')];
    const { stdout } = await run('deployment status web');
    expect(stdout).toContain('\nScales:  1 to 10 by cpu 45%/70%, queue 23/10; wants 3 (ScaleDownStabilized)\n');
    expect((await run('get hpa')).stdout).toMatch(/web +1 +10 +3 +cpu=45%\/70%,queue=23\/10 +ScaleDownStabilized/);
  });
});

describe('deployment create', () => {
  it('says what the flags say, and nothing that they do not', async () => {
    await run('deployment create web --pack alpha');
    await run(
      'deploy create web --pack alpha -r 3 -n prod -l app=web --pod-label tier=front -s disk=ssd -t a=b:NoSchedule --cpu 0.5 --port http -e A=b -p 5',
    );
    await run(
      'deployment create web --pack alpha --follow-range ~1.4 --include-prerelease --max-surge 2 --max-unavailable 25% --min-ready 30s --progress-deadline 5m --history-limit 3 --no-auto-rollback --canary 20,pause=10m,50,pause -m first --annotation team=a/b --paused',
    );
    await run('deployment create web --pack alpha --daemon --max-unavailable 2');
    await run('deployment create web --pack alpha --replicas 0 --max-disrupted 50%');
    expect(calls.map(([, { p_deployment }]) => p_deployment)).toEqual([
      { name: 'web', namespace: 'default', pack: 'alpha', replicas: 1 },
      {
        ...{ name: 'web', namespace: 'prod', pack: 'alpha', replicas: 3, labels: { app: 'web' } },
        template: {
          ...{ labels: { tier: 'front' }, priority: 5 },
          spec: {
            nodeSelector: { disk: 'ssd' },
            tolerations: [{ key: 'a', operator: 'Equal', value: 'b', effect: 'NoSchedule' }],
            resources: { requests: { cpu: 500 } },
            ports: [{ name: 'http', strategy: 'random' }],
            env: { A: 'b' },
          },
        },
      },
      {
        ...{ name: 'web', namespace: 'default', pack: 'alpha', replicas: 1, paused: true, followLatest: '~1.4' },
        ...{ includePrerelease: true, strategy: { maxSurge: 2, maxUnavailable: '25%' }, minReadySeconds: 30 },
        ...{ progressDeadlineSeconds: 300, revisionHistoryLimit: 3, autoRollback: false, changeCause: 'first' },
        ...{ annotations: { team: 'a/b' } },
        canary: { steps: [{ weight: 20 }, { pause: '10m' }, { weight: 50 }, { pause: {} }] },
      },
      { name: 'web', namespace: 'default', pack: 'alpha', mode: 'daemon', strategy: { maxUnavailable: 2 } },
      { name: 'web', namespace: 'default', pack: 'alpha', mode: 'daemon', disruption: { maxUnavailable: '50%' } },
    ]);
  });

  it.each([
    '--max-surge lots',
    '--canary 20,stop',
    '--canary ,',
    '--min-ready 1.5s',
    '--ver 1.0.0 --follow-latest',
    '--priority 5 --priority-class high',
    '--replicas 10001',
    '--replicas 3 --daemon',
    '--max-disrupted half',
    '--restart Never',
    '--annotation x',
    '--strategy Canary',
  ])('refuses %s before anything is sent', async (flags) => {
    expect(await run(`deployment create web --pack alpha ${flags}`)).toMatchObject({ code: 2, stdout: '' });
    expect(calls).toEqual([]);
  });

  it('waits until it is so, with the reasons, and prints what it became', async () => {
    const progressing = { status: 'progressing', available_replicas: 1, status_reason: 'Unschedulable' };
    becomes({ ...progressing, status_message: 'pods fit on no node' }, { status: 'progressing' });
    const running = run('deployment create web --pack alpha --wait=20s');
    setTimeout(() => becomes({}, {}), 400);
    expect(await running).toEqual({
      code: 0,
      stdout: 'deployment/web complete, revision 1, 3/3 available\n',
      stderr: 'deployment/web created\n1/3 available; Unschedulable: pods fit on no node\n',
    });
  });
});

describe('deployment scale', () => {
  it('asks what 0 is meant to be', async () => {
    expect(await run('deployment scale web --replicas 0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--to-zero'),
    });
    expect(await run('deployment scale web --replicas 1 --to-zero')).toMatchObject({ code: 2 });
    expect(calls).toEqual([]);
    expect((await run('deployment scale web --replicas 0 --to-zero')).stdout).toBe('deployment/web scaled to 0\n');
    await run('deployment scale deployment/web -r 7 --if-revision 4');
    await run('deployment scale web --daemon');
    await run('deployment scale web -r 0 --daemon');
    await run('deployment scale web -r 2 --no-daemon');
    expect(calls).toEqual([
      ['scale_deployment', { ...at, p_replicas: 0 }],
      ['scale_deployment', { ...at, p_replicas: 7, p_if_revision: 4 }],
      ['scale_deployment', { ...at, p_mode: 'daemon' }],
      ['scale_deployment', { ...at, p_mode: 'daemon' }],
      ['scale_deployment', { ...at, p_replicas: 2, p_mode: 'replicated' }],
    ]);
    for (const flags of ['', '--no-daemon', '-r 3 --daemon', '--daemon --to-zero'])
      expect(await run(`deployment scale web ${flags}`.trim())).toMatchObject({ code: 2 });
  });
});

describe('deployment set', () => {
  it('is a patch, in which null takes away', async () => {
    await run(
      'deployment set web --ver 1.1.0 -m because --remove-env TRACE -e A=b --remove-pod-label x --no-follow-latest',
    );
    expect(calls).toEqual([
      [
        'update_deployment',
        {
          ...at,
          p_changes: {
            ...{ version: '1.1.0', changeCause: 'because', followLatest: false },
            template: { labels: { x: null }, spec: { env: { A: 'b', TRACE: null } } },
          },
        },
      ],
    ]);
  });

  it('refuses to change nothing', async () => {
    expect(await run('deployment set web')).toMatchObject({ code: 2 });
    expect(await run('deployment set web -m because')).toMatchObject({ code: 2 });
    expect(calls).toEqual([]);
  });
});

describe('waiting for a rollout', () => {
  it('ends at once where it failed, and says what it went back to', async () => {
    cluster.functions.update_deployment = () => ({ body: deploymentRow('web', { revision: 2, generation: 2 }) });
    becomes(
      { revision: 3, generation: 3, observed_generation: 3 },
      { revision: 2, version: '1.1.0', status: 'failed', status_message: '3 runs in a row ended by themselves' },
      { revision: 3, version: '1.0.0', cause: 'rollback' },
    );
    const { code, stdout, stderr } = await run('deployment set web --ver 1.1.0 --wait=20s');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(
      'revision 2 of deployment web (alpha@1.1.0) failed: 3 runs in a row ended by themselves; it went back to alpha@1.0.0 as revision 3 (ROLLOUT_FAILED)',
    );
  });

  it('ends with a conflict where another change took its place, and with 6 where it is deleted', async () => {
    cluster.functions.update_deployment = () => ({ body: deploymentRow('web', { revision: 2 }) });
    becomes({ revision: 3 }, { revision: 2, status: 'superseded' }, { revision: 3 });
    expect(await run('deployment set web --ver 1.1.0 --wait=20s')).toMatchObject({ code: 7 });
    becomes({ revision: 2, status: 'deleting' }, { revision: 2 });
    expect(await run('deployment set web --ver 1.1.0 --wait=20s')).toMatchObject({ code: 6 });
  });

  it('ends at a pause that somebody has to end, and not at one that has a time', async () => {
    const paused = { status: 'paused', status_reason: 'CanaryPause', status_message: 'stands at step 1', replicas: 3 };
    becomes({ ...paused, canary_steps: [{ weight: 20 }, { pause: {} }] }, { step: 1, status: 'progressing' });
    expect(await run('rollout status web')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('stark rollout promote'),
    });
    becomes({ ...paused, canary_steps: [{ weight: 20 }, { pause: '10m' }] }, { step: 1, status: 'progressing' });
    expect(await run('rollout status web --wait=300ms')).toMatchObject({ code: 3 });
  });

  it('does not take an answer for complete that the controller has not given', async () => {
    becomes({ generation: 2, observed_generation: 1 }, {});
    expect(await run('rollout status web --wait=300ms')).toMatchObject({ code: 3 });
  });
});

describe('deployment status', () => {
  it('shows one bar, the pods by revision, why it waits and what would complete it', async () => {
    becomes(
      {
        ...{
          status: 'progressing',
          status_reason: 'Unschedulable',
          status_message: 'pods fit on no node',
          revision: 2,
        },
        ...{ available_replicas: 2, current_replicas: 3, desired_replicas: 4, follow_latest: true },
        next_reconcile_at: new Date(Date.now() + 30_000).toISOString(),
      },
      { revision: 1, version: '1.0.0', wanted: 2, current_replicas: 2 },
      { revision: 2, version: '1.1.0', status: 'progressing', wanted: 2, current_replicas: 1, cause: 'follow' },
      { revision: 0, version: '0.9.0', status: 'superseded', wanted: 0, current_replicas: 0 },
    );
    const { stdout } = await run('deployment status web');
    expect(stdout).toMatch(
      /^web in namespace default: progressing, revision 2, alpha@1\.1\.0\n█{16}▒{8}░{8} 2\/4 available\n/,
    );
    expect(stdout).toMatch(/^1 +stable +1\.0\.0 +2 +2 .*create$/m);
    expect(stdout).toMatch(/^2 +progressing +1\.1\.0 .*follow$/m);
    expect(stdout).not.toContain('0.9.0');
    expect(stdout).toContain('Why:     Unschedulable: pods fit on no node\n');
    expect(stdout).toContain('Needs:   room, or a node that fits\n');
    expect(stdout).toContain('Follows: the latest version\n');
    expect(stdout).toMatch(/Next: +looked at again in \d+s\n/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('rollout', () => {
  it.each([
    ['undo web --to-revision 3 -m better', 'undo_rollout', { p_to_revision: 3, p_change_cause: 'better' }],
    ['undo deployment web', 'undo_rollout', {}],
    ['restart web', 'restart_rollout', {}],
    ['pause deploy/web', 'pause_rollout', {}],
    ['resume web', 'resume_rollout', {}],
    ['promote web --full', 'promote_rollout', { p_full: true }],
  ])('%s', async (line, fn, args) => {
    expect(await run(`rollout ${line}`)).toMatchObject({ code: 0 });
    expect(calls).toEqual([[fn, { ...at, ...args }]]);
  });

  it('history tells of every revision, and of one its template', async () => {
    becomes(
      {},
      { revision: 1 },
      { revision: 2, status: 'failed', status_message: 'crashed', cause: 'update', change_cause: 'why' },
    );
    expect((await run('rollout history web')).stdout).toMatch(/^2 +failed +1\.0\.0 +\S+ +update: why; crashed$/m);
    expect((await run('rollout history web --revision 1')).stdout).toMatch(/\n\nlabels: \{\}\npriority: 100\n/);
    expect(await run('rollout history web --revision 9')).toMatchObject({ code: 6 });
  });
});

describe('deployment delete', () => {
  it('is asked for twice, by --yes or --force in a script', async () => {
    expect(await run('deployment delete web')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(calls).toEqual([]);
    await run('deployment delete web --force');
    await run('deployment delete web --yes --cascade orphan');
    expect(calls.map(([, args]) => args)).toEqual([
      { ...at, p_cascade: 'background', p_force: true },
      { ...at, p_cascade: 'orphan' },
    ]);
    expect(await run('deployment delete')).toMatchObject({ code: 2 });
    expect(await run('deployment delete wbe --yes')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('"web"'),
    });
  });
});

describe('logs of a deployment', () => {
  it('are those of all its pods, each line with its pod', async () => {
    const { id } = deploymentRow('web');
    cluster.tables.pods = [
      podRow('web-1', { deployment_id: id }),
      podRow('web-2', { deployment_id: id }),
      podRow('other'),
    ];
    cluster.tables.pod_logs = cluster.tables.pods.map((pod) => ({
      ...{ pod_id: pod.id, seq: 1, time: '2026-01-01T00:00:00+00:00', stream: 'stdout', level: null, run: 0 },
      message: `I am ${pod.name}`,
    }));
    expect((await run('logs deployment/web')).stdout).toBe('[web-1] I am web-1\n[web-2] I am web-2\n');
    expect(await run('logs deployment/web pod/other')).toMatchObject({ code: 2 });
    expect(await run('logs deployment/nope')).toMatchObject({ code: 6 });
  });
});
