import { RESOURCES } from '@stark-o/core/resources';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeCluster } from './support/fake-cluster.js';
import { deploymentRow, nodeRow, packRow, placement, podRow, revisionRow } from './support/rows.js';
import { ended, Machine } from './support/run.js';

// The commands that serve every kind of thing: get, describe, events, wait, delete, label, annotate, top, and debug of pods.
const cluster = new FakeCluster();
const machine = new Machine();
let deleted: unknown[];
let changed: unknown[];

beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());

const eventRow = (seq: number, object: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  ...{ seq, type: 'pod.updated', kind: 'pod', namespace: object.namespace, object_id: object.id, object, actor: null },
  ...{ time: '2026-01-01T00:00:00+00:00', ...more },
});

beforeEach(() => {
  deleted = [];
  cluster.tables.pods = [podRow('alpha-1'), podRow('alpha-2', { labels: { app: 'db' }, namespace: 'prod' })];
  cluster.tables.nodes = [nodeRow('node-1')];
  cluster.tables.packs = [packRow('alpha')];
  cluster.tables.namespaces = [
    {
      ...{ name: 'team-a', phase: 'active', reserved: false, labels: {}, quota: { pods: 5 }, limit_range: {} },
      created_at: '2026-01-01T00:00:00+00:00',
    },
  ];
  cluster.tables.events = [
    eventRow(1, podRow('alpha-1', { status: 'pending', status_message: '0/1 nodes: 1 cordoned' })),
    eventRow(2, podRow('alpha-1')),
    eventRow(3, podRow('alpha-2', { namespace: 'prod' })),
  ];
  cluster.tables.deployments = [deploymentRow('web', { labels: { app: 'web' }, annotations: { note: 'old' } })];
  cluster.tables.node_leases = [
    {
      node_id: nodeRow('node-1').id,
      usage: { cpu: 500, memory: 1024, pods: { [String(podRow('alpha-1').id)]: { cpu: 50, memory: 256 } } },
    },
  ];
  cluster.tables.pod_env = [{ pod_id: podRow('alpha-1').id, env: { A: '1' }, config: { title: 'x' } }];
  changed = [];
  for (const fn of ['update_node', 'update_namespace', 'update_deployment', 'update_pods', 'create_pods']) {
    cluster.functions[fn] = (args) => {
      changed.push({ [fn]: args });
      return { body: fn === 'create_pods' ? [podRow('copy')] : {} };
    };
  }
  for (const fn of ['delete_pods', 'delete_node', 'delete_namespace', 'delete_pack']) {
    cluster.functions[fn] = (args) => {
      deleted.push({ [fn]: args });
      return { body: [] };
    };
  }
});

const run = (line: string) => machine.run(line.split(' '));
const json = async (line: string) => JSON.parse((await run(`${line} -o json`)).stdout);

describe('a list of 10,000 pods', () => {
  it('takes a request for each 1,000, and little memory', async () => {
    cluster.tables.pods = Array.from({ length: 10_000 }, (_, at) => ({ ...podRow('many'), name: `many-${at}` }));
    cluster.requests.length = 0;
    const { code, stdout } = await machine.run(['pod', 'list'], { env: { NODE_OPTIONS: '--max-old-space-size=120' } });
    expect(code).toBe(0);
    expect(stdout.match(/\n/g)).toHaveLength(10_001);
    expect(cluster.seen('GET', '/rest/v1/pods').length).toBeLessThanOrEqual(11);
  });
});

describe('get', () => {
  it('of one kind is its list, in both word orders and under every name', async () => {
    const { stdout } = await run('pod list');
    expect(stdout).toContain('alpha-1');
    for (const line of ['get pods', 'get po', 'pods ls', 'get pod/alpha-1'])
      expect((await run(line)).stdout).toBe(stdout);
    expect(await json('jointokens get')).toEqual([]);
  });

  it('of several kinds prints a table for each, or one list that says their kinds', async () => {
    const { stdout } = await run('get pods,nodes');
    expect(stdout).toMatch(/^NAME +READY[\s\S]*\n\nNAME +STATUS/);
    const both = await json('get node/node-1 pod/alpha-1');
    expect(both).toMatchObject([
      { kind: 'node', name: 'node-1' },
      { kind: 'pod', name: 'alpha-1' },
    ]);
  });

  it('takes a selector, and every namespace', async () => {
    expect((await run('get pods -A -l app=db -o name')).stdout).toBe('pod/alpha-2\n');
    expect((await run('get pods -A')).stdout).toMatch(/^NAME +NAMESPACE/);
  });

  it('says what there is for a word that is no kind, and for a name that is not there', async () => {
    expect(await run('get pigs')).toMatchObject({ code: 2, stderr: expect.stringContaining('stark api-resources') });
    expect(await run('get pack alhpa')).toMatchObject({ code: 6, stderr: expect.stringContaining('"alpha"') });
    expect(await run('get pods,nodes a')).toMatchObject({ code: 2 });
    expect(await run('get pods,nodes --watch')).toMatchObject({ code: 2 });
    expect(await run('get rolebindings --watch')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be watched'),
    });
  });
});

describe('describe', () => {
  it('shows what goes with a thing, and what happened last', async () => {
    const { stdout } = await run('describe node/node-1');
    expect(stdout).toMatch(/^Name: +node-1$/m);
    expect(stdout).toMatch(/^Pods:\n {2}NAME[\s\S]*alpha-1[\s\S]*alpha-2/m);
    expect((await run('node describe node-1')).stdout).toBe(stdout);
    expect((await run('pod describe alpha-1')).stdout).toMatch(/Events:\n.*pending +0\/1 nodes: 1 cordoned/);
  });

  it('says of a pod what it asks for, and of one that waits what each node says to it', async () => {
    const probe = { httpGet: { port: 'http', path: '/healthz' } };
    const spec = {
      ...{ resources: { limits: { memory: 256 } }, restartPolicy: 'OnFailure', livenessProbe: probe },
      tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
    };
    const waits = { spec, status: 'pending', node_name: null, ready: false, status_message: '0/1 nodes: 1 cordoned' };
    cluster.tables.pods = [podRow('alpha-1', waits)];
    cluster.functions.explain_placement = (args) => {
      expect(args).toMatchObject({ p_pod: { pack: 'alpha', version: '1.0.0', namespace: 'default', spec } });
      return { body: placement() };
    };
    const { stdout } = await run('describe pod/alpha-1');
    expect(stdout).toMatch(/^Conditions: +PodScheduled=False, Initialized=False, Ready=False$/m);
    expect(stdout).toMatch(/^Limits: +memory=256$/m);
    expect(stdout).toMatch(
      /^Liveness: +http-get :http\/healthz delay=0s timeout=1s period=10s #success=1 #failure=3$/m,
    );
    expect(stdout).toMatch(/^Tolerations: +gpu:NoExecute for 5s$/m);
    expect(stdout).toMatch(/^Placement:\n {2}NODE +FITS +WHY-NOT\n {2}\S/m);
    cluster.functions.explain_placement = () => ({ status: 403, body: { code: 'FORBIDDEN', message: 'no' } });
    expect(await run('describe pod/alpha-1')).toMatchObject({
      code: 0,
      stdout: expect.not.stringContaining('Placement'),
    });
  });

  it('says of a deployment what its pods are made from, and how its revisions fared', async () => {
    const { id } = deploymentRow('web');
    const spec = { resources: { limits: { memory: 512 } } };
    cluster.tables.deployment_revisions = [
      revisionRow('web', { deployment_id: id }),
      revisionRow('web', { deployment_id: id, revision: 2, template: { labels: { app: 'web' }, priority: 100, spec } }),
    ];
    cluster.tables.deployments = [deploymentRow('web', { revision: 2 })];
    const { stdout } = await run('describe deployment/web');
    expect(stdout).toMatch(/^Pod template:\n {2}Labels: +app=web\n {2}Limits: +memory=512\nRevisions:\n {2}REVISION/m);
    expect(stdout).toMatch(/^ {2}2 +\S/m);
  });

  it('shows what a pod was given to who may read it, and says so to others', async () => {
    const { id } = podRow('alpha-1');
    cluster.tables.pod_env = [{ pod_id: id, env: { TOKEN: 's3cret' }, config: { a: { b: 1 } } }];
    const { stdout } = await run('pod status alpha-1');
    expect(stdout).toMatch(/^Env: +TOKEN=s3cret\nConfig: +a=b=1$/m);
    expect(await json('describe pod alpha-1')).toMatchObject([{ env: { TOKEN: 's3cret' }, config: { a: { b: 1 } } }]);
    cluster.tables.pod_env = [];
    expect((await run('pod describe alpha-1')).stdout).toMatch(/^Env: +<none>\nConfig: +<none>$/m);
    const rights: unknown[] = [];
    const only = (own: boolean) => {
      cluster.functions.can_i = (args) => {
        rights.push(args);
        return { body: own && args.p_own === true };
      };
    };
    const hidden = /^Env: +not shown: it takes the right pods:read-env\nConfig: +not shown/m;
    only(false);
    expect((await run('pod describe alpha-1')).stdout).toMatch(hidden);
    expect(await json('describe pod alpha-1')).not.toMatchObject([{ env: null }]);
    expect(rights[0]).toEqual({ p_verb: 'read-env', p_kind: 'pods', p_namespace: 'default', p_own: false });
    only(true);
    expect((await run('pod describe alpha-1')).stdout).toMatch(hidden);
    cluster.tables.pods = [podRow('alpha-1', { created_by: cluster.userId })];
    expect((await run('pod describe alpha-1')).stdout).toMatch(/^Env: +<none>$/m);
    cluster.functions.can_i = () => ({ body: true });
  });

  it('gives machines the object with its events', async () => {
    expect(await json('describe pod alpha-1')).toMatchObject([{ name: 'alpha-1', events: [{ seq: 1 }, { seq: 2 }] }]);
  });
});

describe('explain', () => {
  it('says what a field is, and what is inside of it, without a cluster', async () => {
    const nowhere = new Machine();
    const { code, stdout } = await nowhere.run(['explain', 'pod.spec.affinity']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^KIND: +pod\nFIELD: +spec\.affinity <object>\n\n\w.*\.\n\nFIELDS:\n {2}nodeAffinity <object>\n {4}\w/,
    );
    for (const line of ['explain po.spec.affinity', 'explain pods.spec.affinity'])
      expect((await nowhere.run(line.split(' '))).stdout, line).toBe(stdout);
    expect((await run('explain pod.spec.ports[0].port')).stdout).toContain('From 1 to 65535.');
    expect((await run('explain pod.spec.tolerations[].effect')).stdout).toContain('One of: NoSchedule,');
    expect((await run('explain pod.spec.topologySpreadConstraints')).stdout).toContain('maxSkew <integer> -required-');
  });

  it('knows every kind, and each field that a list of it shows', async () => {
    for (const { kind, fields } of Object.values(RESOURCES)) {
      const { fields: found } = await json(`explain ${kind}`);
      expect(
        found.map(({ name }: { name: string }) => name),
        kind,
      ).toEqual(expect.arrayContaining([...fields]));
    }
    expect((await run('explain pods --recursive')).stdout).toMatch(/^ {10}nodeSelectorTerms <\[\]object> -required-$/m);
  });

  it('suggests a field for one that is not there, also one further inside', async () => {
    const at = async (field: string) => (await run(`explain ${field}`)).stderr;
    expect(await at('pod.spec.afinity')).toContain('did you mean "pod.spec.affinity"?');
    expect(await at('pod.tolerations')).toContain('did you mean "pod.spec.tolerations"?');
    expect(await at('pod.name.first')).toContain('pod.name has no fields');
    expect(await at('pdo.spec')).toContain('did you mean "pod"?');
    expect(await run('explain pod.spec.nothing')).toMatchObject({ code: 6, stdout: '' });
    expect(await run('explain pig')).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('events', () => {
  it('are those of a namespace, of everything, or of one thing', async () => {
    const seqs = async (line: string) => (await json(line)).map(({ seq }: { seq: number }) => seq);
    expect(await seqs('events')).toEqual([1, 2]);
    expect(await seqs('events -A')).toEqual([1, 2, 3]);
    expect(await seqs('events --for pod/alpha-1 --tail 1')).toEqual([2]);
    expect(await seqs('events pods -A')).toEqual([1, 2, 3]);
    expect(await seqs('events --for pod/gone')).toEqual([]);
    expect((await run('events')).stdout).toMatch(/pod\/alpha-1 +pending +0\/1 nodes: 1 cordoned$/m);
    expect(await run('events --for jointoken/x')).toMatchObject({ code: 2 });
  });

  it('come as they happen with --follow, which Ctrl-C ends well', async () => {
    const child = machine.start(['events', '--for', 'pod/alpha-1', '--follow', '--tail', '1', '-o', 'json']);
    const end = ended(child);
    await new Promise((first) => child.stdout?.once('data', first));
    cluster.tables.events?.push(eventRow(4, podRow('alpha-1', { status: 'succeeded' })));
    await new Promise((second) => child.stdout?.once('data', second));
    child.kill('SIGINT');
    const { code, stdout } = await end;
    expect(code).toBe(0);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([2, 4]);
  });
});

describe('wait', () => {
  it('ends at once for what is so, and says what was met', async () => {
    expect((await run('wait pod/alpha-1 --for condition=ready')).stdout).toBe('pod/alpha-1 condition met\n');
    for (const what of ['ready', 'condition=Ready', 'status=running', 'jsonpath={.status}=running', 'create']) {
      expect(await run(`pod wait alpha-1 --for ${what}`), what).toMatchObject({ code: 0 });
    }
    expect(await run('wait namespaces --selector x=y --for delete')).toMatchObject({ code: 0 });
  });

  it('waits for what is not there yet', async () => {
    const waiting = run('wait pod/later --timeout 20s');
    setTimeout(() => cluster.tables.pods?.push(podRow('later')), 300);
    expect(await waiting).toMatchObject({ code: 0, stderr: 'pod later does not exist yet\n' });
  });

  it('ends when the time is over, at once when it failed, and refuses what no kind has', async () => {
    expect(await run('wait pod/later --timeout 100ms')).toMatchObject({ code: 3 });
    cluster.tables.pods = [podRow('bad', { status: 'failed', ready: false, status_reason: 'Crashed' })];
    expect(await run('wait pod/bad')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pod bad has failed: failed: Crashed (POD_FAILED)'),
    });
    expect(await run('wait pod/bad --for condition=failed=false')).toMatchObject({ code: 2 });
    expect(await run('wait pod/bad --for colour=red')).toMatchObject({ code: 2 });
    expect(await run('wait pod')).toMatchObject({ code: 2 });
    expect(await run('wait pod/a node/b')).toMatchObject({ code: 2 });
  });
});

describe('delete', () => {
  it('takes several kinds at once, each by its own call', async () => {
    expect((await run('delete pod/alpha-1 node/node-1 --force')).stdout).toBe(
      'pod/alpha-1 deleted\nnode/node-1 deleted\n',
    );
    expect(deleted).toEqual([
      { delete_pods: { p_ids: [podRow('alpha-1').id] } },
      { delete_node: { p_name: 'node-1', p_force: true } },
    ]);
  });

  it('asks for what does not come back, and a script must say so', async () => {
    expect(await run('delete namespace team-a')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(deleted).toEqual([]);
    expect(await run('delete ns team-a --yes')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/terminating/),
    });
    expect(await run('delete packs --all')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(deleted).toEqual([{ delete_namespace: { p_name: 'team-a' } }]);
  });

  it('takes a pack with all its versions, and for its name', async () => {
    expect(await run('pack delete alpha')).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect((await run('pack delete alpha --yes')).stdout).toBe('pack/alpha deleted\n');
    expect(deleted).toEqual([{ delete_pack: { p_name: 'alpha' } }]);
  });

  it('refuses what cannot be deleted, and to guess what is meant', async () => {
    expect(await run('delete clusterconfig cluster')).toMatchObject({ code: 2 });
    expect(await run('delete namespace')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--selector or --all'),
    });
    expect(await run('delete namespace team-a --all')).toMatchObject({ code: 2 });
    expect(await run('delete namespace team-b --yes')).toMatchObject({ code: 6 });
    expect(deleted).toEqual([]);
  });

  it('waits until it is gone', async () => {
    cluster.functions.delete_namespace = () => {
      setTimeout(() => cluster.tables.namespaces?.splice(0), 200);
      return { body: {} };
    };
    expect(await run('delete namespace team-a --yes --wait=20s')).toMatchObject({ code: 0 });
    expect(cluster.tables.namespaces).toEqual([]);
  });
});

describe('label and annotate', () => {
  it('set and take away, in both word orders and of several kinds', async () => {
    expect((await run('label node/node-1 zone=b tier-')).stdout).toBe('node/node-1 labelled\n');
    expect((await run('node label node-1 zone=b tier-')).code).toBe(0);
    expect((await run('label nodes node-1 zone=b tier-')).code).toBe(0);
    const wanted = { update_node: { p_name: 'node-1', p_labels: { zone: 'b', tier: null } } };
    expect(changed.splice(0)).toEqual([wanted, wanted, wanted]);
    expect((await run('label namespace/team-a deployment/web team=a')).stdout).toBe(
      'namespace/team-a labelled\ndeployment/web labelled\n',
    );
    expect(changed.splice(0)).toEqual([
      { update_namespace: { p_name: 'team-a', p_labels: { team: 'a' } } },
      { update_deployment: { p_namespace: 'default', p_name: 'web', p_changes: { labels: { team: 'a' } } } },
    ]);
    expect((await run('label pod/alpha-1 tier=b')).stdout).toBe('pod/alpha-1 labelled\n');
    expect((await run('annotate pod alpha-1 note=x')).stdout).toBe('pod/alpha-1 annotated\n');
    const p_ids = [podRow('alpha-1').id];
    expect(changed.splice(0)).toEqual([
      { update_pods: { p_ids, p_labels: { tier: 'b' }, p_annotations: {} } },
      { update_pods: { p_ids, p_labels: {}, p_annotations: { note: 'x' } } },
    ]);
    expect((await run('annotate deployment web owner=ada:b=c note-')).stdout).toBe('deployment/web annotated\n');
    expect(changed).toMatchObject([
      { update_deployment: { p_changes: { annotations: { owner: 'ada:b=c', note: null } } } },
    ]);
  });

  it('change a value only when somebody says so, and all of a kind likewise', async () => {
    expect(await run('label node/node-1 tier=frontend')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/tier of node node-1 is "backend" already[\s\S]*--overwrite/),
    });
    expect(await run('annotate deployment/web note=new')).toMatchObject({ code: 2 });
    expect(changed).toEqual([]);
    expect((await run('label node/node-1 tier=backend')).code).toBe(0);
    expect((await run('label nodes --all tier=frontend --overwrite')).code).toBe(0);
    expect((await run('label nodes -l tier=backend a=b')).code).toBe(0);
    expect(changed).toHaveLength(3);
  });

  it.each([
    ['label node/node-1', 'say what to change'],
    ['label nodes a=b', '--selector or --all'],
    ['label node/node-1 a=b a-', 'changed twice'],
    ['label node/node-1 a=b c', '"c" is no label'],
    ['label node/node-1 -a=b', ''],
    ['label node/node-1 a/b/c=d', 'a/b/c'],
    ['label pack/alpha a=b', 'those of pods, deployments, nodes, namespaces can'],
    ['annotate node/node-1 a=b', 'cannot be changed'],
  ])('refuse %s', async (line, message) => {
    expect(await run(line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
    expect(changed).toEqual([]);
  });
});

describe('top', () => {
  it('shows what nodes and pods use, and how much of what they may', async () => {
    expect((await run('top nodes')).stdout).toBe(
      'NAME     CPU    CPU%   MEMORY   MEMORY%\nnode-1   500m   25%    1Gi      25%\n',
    );
    expect(await json('top pods -A --sort-by cpu')).toMatchObject([
      {
        name: 'alpha-1',
        namespace: 'default',
        node: 'node-1',
        cpu: 50,
        cpu_percent: 50,
        memory: 256,
        memory_percent: 200,
      },
      { name: 'alpha-2', cpu: null, cpu_percent: null },
    ]);
    expect((await run('pod top alpha-1 -o name')).stdout).toBe('pod/alpha-1\n');
    expect(await run('top packs')).toMatchObject({ code: 2, stderr: expect.stringContaining('stark top nodes') });
  });
});

describe('watch', () => {
  it('is get --watch of one kind', async () => {
    expect(await run('watch pods,nodes')).toMatchObject({ code: 2, stderr: expect.stringContaining('one kind') });
    expect(await run('watch rolebindings')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be watched'),
    });
    expect(await run('rolebindings watch')).toMatchObject({ code: 2 });
  });
});

describe('debug', () => {
  it('runs a copy with what the pod has, and changes', async () => {
    cluster.tables.pods = [podRow('alpha-1', { spec: { ports: [{ name: 'http', port: 80 }], nodeName: 'node-1' } })];
    const result = await run('debug pod/alpha-1 --env B=2 --ver 1.1.0 --no-wait -o name');
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'pod/copy\n' });
    const spec = {
      ...{ ports: [{ name: 'http' }], nodeName: 'node-1', restartPolicy: 'Never' },
      ...{ env: { A: '1', B: '2' }, config: { title: 'x' } },
    };
    expect(changed).toEqual([
      {
        create_pods: {
          p_pods: [{ pack: 'alpha', version: '1.1.0', namespace: 'default', name: 'alpha-1-debug', spec }],
        },
      },
    ]);
    await run('pod debug alpha-1 --copy-to mine --keep-labels --port http=81 --no-wait');
    expect(changed[1]).toMatchObject({
      create_pods: {
        p_pods: [{ name: 'mine', labels: { app: 'web' }, spec: { ports: [{ name: 'http', port: 81 }] } }],
      },
    });
    expect(await run('debug pod/nobody')).toMatchObject({ code: 6 });
  });

  it('says what of the pod it could not read', async () => {
    cluster.tables.pod_env = [];
    cluster.functions.can_i = () => ({ body: false });
    expect((await run('debug alpha-1 --no-wait')).stderr).toContain('you may not read what pod alpha-1 was given');
  });
});
