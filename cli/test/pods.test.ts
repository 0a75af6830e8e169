import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PodRow } from '@stark-o/core/resources';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitFor, waitTime } from '../src/base/wait.js';
import { parseEnv, parsePort } from '../src/data/pod-flags.js';
import { judgeRunning } from '../src/data/pod-wait.js';
import { Steadiness } from '../src/data/steadiness.js';
import { buildManifest } from '../src/manifest.js';
import { FakeCluster } from './support/fake-cluster.js';
import { podRow } from './support/rows.js';
import { ended, Machine, packageRoot } from './support/run.js';

const cluster = new FakeCluster();
const machine = new Machine();
beforeAll(async () => {
  await cluster.start();
  await machine.signIn(cluster);
});
afterAll(() => cluster.stop());
beforeEach(() => {
  for (const rows of Object.values(cluster.tables)) rows.length = 0;
});

const pods = (...rows: Record<string, unknown>[]) => cluster.tables.pods?.push(...rows);
const logs = (pod: Record<string, unknown>, ...messages: string[]) => {
  const lines = cluster.tables.pod_logs ?? [];
  for (const message of messages) {
    const seq = lines.length + 1;
    lines.push({
      pod_id: pod.id,
      seq,
      time: new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString(),
      stream: 'stdout',
      level: null,
      message,
      run: 0,
    });
  }
};

describe('pod create', () => {
  it('says in one request what the flags say', async () => {
    let request: unknown;
    cluster.functions.create_pods = (args) => {
      request = args;
      return { body: [podRow('alpha-1')] };
    };
    writeFileSync(join(machine.home, 'config.json'), '{"title":"Hello"}');
    const { code, stdout, stderr } = await machine.run([
      ...['pod', 'create', '--pack', 'alpha', '--ver', '1.2.0', '--name', 'web', '--node', 'node-1', '-n', 'team-a'],
      ...['--replicas', '3', '--priority', '200', '-l', 'app=web', '--label', 'version=v1', '-s', 'env=production'],
      ...[
        '--node-selector',
        'tier=backend',
        '--toleration',
        'dedicated=gpu:NoSchedule',
        '--cpu',
        '0.5',
        '--memory',
        '1Gi',
      ],
      ...['-e', 'A=b=c', '--config', '@config.json', '--port', 'http', '--port', 'admin=8080', '--restart', 'Never'],
      ...['-o', 'name'],
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('pod/alpha-1\n');
    expect(request).toEqual({
      p_pods: [
        {
          pack: 'alpha',
          version: '1.2.0',
          name: 'web',
          namespace: 'team-a',
          replicas: 3,
          priority: 200,
          labels: { app: 'web', version: 'v1' },
          spec: {
            nodeName: 'node-1',
            nodeSelector: { env: 'production', tier: 'backend' },
            tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }],
            resources: { requests: { cpu: 500, memory: 1024 } },
            env: { A: 'b=c' },
            config: { title: 'Hello' },
            ports: [
              { name: 'http', strategy: 'random' },
              { name: 'admin', strategy: 'fixed', port: 8080 },
            ],
            restartPolicy: 'Never',
          },
        },
      ],
    });
  });

  it('leaves to the cluster what nobody said', async () => {
    let request: unknown;
    cluster.functions.create_pods = (args) => {
      request = args;
      return { body: [podRow('alpha-1')] };
    };
    const { code, stderr } = await machine.run(['pod', 'create', '--pack', 'alpha', '--no-wait']);
    expect(code, stderr).toBe(0);
    expect(request).toEqual({ p_pods: [{ pack: 'alpha', namespace: 'default', replicas: 1, labels: {}, spec: {} }] });
  });

  it('takes a spec from a file, over which flags stand', async () => {
    let request: { p_pods: { spec: object }[] } | undefined;
    cluster.functions.create_pods = (args) => {
      request = args as unknown as typeof request;
      return { body: [podRow('alpha-1')] };
    };
    writeFileSync(
      join(machine.home, 'spec.yaml'),
      'isolation: worker\nnodeSelector: {env: staging, tier: web}\nresources:\n  requests: {cpu: 50, storage: 10}\n  limits: {memory: 200}\n',
    );
    const flags = ['--spec', '@spec.yaml', '-s', 'env=production', '--cpu', '300', '--priority-class', 'low-priority'];
    const { code, stderr } = await machine.run(['pod', 'create', '--pack', 'alpha', '--no-wait', ...flags]);
    expect(code, stderr).toBe(0);
    expect(request?.p_pods[0]?.spec).toEqual({
      isolation: 'worker',
      nodeSelector: { env: 'production', tier: 'web' },
      resources: { requests: { cpu: 300, storage: 10 }, limits: { memory: 200 } },
      priorityClassName: 'low-priority',
    });
  });

  it('sends what it does not understand as it is written, for the cluster to judge', async () => {
    let request: { p_pods: { spec: object }[] } | undefined;
    cluster.functions.create_pods = (args) => {
      request = args as unknown as typeof request;
      return { body: [podRow('alpha-1')] };
    };
    const spec =
      '{"nodeSelector": "web", "tolerations": {}, "__proto__": {"env": {}}, "resources": ["cpu"], "config": !unknown 1}';
    const { code, stderr } = await machine.run(['pod', 'create', '--pack', 'alpha', '--no-wait', '--spec', spec]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.stringify(request?.p_pods[0]?.spec)).toBe(
      '{"nodeSelector":"web","tolerations":{},"__proto__":{"env":{}},"resources":["cpu"],"config":"1"}',
    );
  });

  // Each letter stands for ten of the one before.
  const laughs = [
    'a: &a [ha]',
    ...[...'bcdefgh'].map((name, i) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[i]}`)}]`),
  ].join('\n');
  it.each<[string, string[], RegExp]>([
    ['a label without a value', ['--label', 'app'], /label "app" has no value/],
    ['a label of bad letters', ['--label', 'a b=c'], /label key "a b"/],
    ['a toleration of an unknown effect', ['--toleration', 'a=b:Never'], /unknown effect "Never"/],
    ['an amount of cpu', ['--cpu', 'much'], /"much" is not an amount of cpu/],
    ['an amount of memory', ['--memory', '1XB'], /"1XB" is not an amount of memory/],
    ['no replicas', ['--replicas', '0'], /greater than or equal to 1/],
    ['a priority out of range', ['--priority', '1001'], /less than or equal to 1000/],
    ['a port out of range', ['--port', 'http=70000'], /port 70000 of "http" is not between/],
    ['an environment variable', ['--env', '1A=b'], /"1A=b" is no environment variable/],
    ['config that is no YAML', ['--config', '{'], /--config is neither YAML nor JSON/],
    ['a spec that is no object', ['--spec', 'web'], /--spec must be an object/],
    ['a spec in circles', ['--spec', '&a {config: *a}'], /--spec is neither YAML nor JSON: Converting circular/],
    ['a spec of many aliases', ['--spec', laughs], /--spec is neither YAML nor JSON: Excessive alias count/],
    ['a spec that moves the cursor', ['--spec', '*\u001bc'], /neither YAML nor JSON: .*\\x1bc/],
    [
      'text where a flag adds a field',
      ['--spec', 'nodeSelector: web', '-s', 'a=b'],
      /--spec: nodeSelector must be an obj/,
    ],
    [
      'a list of requests',
      ['--spec', 'resources: {requests: [1]}', '--cpu', '1'],
      /--spec: requests must be an object/,
    ],
    [
      'an object where a flag adds to a list',
      ['--spec', 'ports: {}', '--port', 'http'],
      /--spec: ports must be a list/,
    ],
    ['a spec of no file', ['--spec', '@nowhere'], /cannot read --spec nowhere: ENOENT/],
    ['a priority and a class', ['--priority', '5', '--priority-class', 'low-priority'], /--priority/],
    ['config that is no object', ['--config', '[]'], /--config must be an object/],
    ['config of no file', ['--config', '@nowhere'], /cannot read --config nowhere: ENOENT/],
    ['a time to wait', ['--wait=soon'], /"soon" is not a duration/],
    ['waiting and not waiting', ['--wait', '--no-wait'], /--no-wait/],
    ['a restart policy', ['--restart', 'Sometimes'], /--restart=Sometimes to be one of/],
  ])('refuses %s before anything is sent', async (_, flags, message) => {
    const before = cluster.requests.length;
    const result = await machine.run(['pod', 'create', '--pack', 'alpha', ...flags]);
    expect(result, result.stderr).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(cluster.requests).toHaveLength(before);
  });
});

describe('pod status', () => {
  it('shows what is, why, and what happened last', async () => {
    const stuck = podRow('stuck', {
      status: 'pending',
      ready: false,
      node_name: null,
      status_reason: 'Unschedulable',
      status_message: '0/1 nodes: 1 insufficient cpu',
    });
    pods(stuck);
    cluster.tables.events?.push(
      ...[1, 2].map((seq) => ({
        seq,
        type: seq === 1 ? 'pod.created' : 'pod.updated',
        time: new Date().toISOString(),
        kind: 'pod',
        actor: null,
        object_id: stuck.id,
        object: stuck,
      })),
    );
    const { stdout } = await machine.run(['pod', 'status', 'stuck']);
    expect(stdout).toMatch(/^Status: +pending$/m);
    expect(stdout).toMatch(/^Reason: +Unschedulable: 0\/1 nodes: 1 insufficient cpu$/m);
    expect(stdout).toMatch(/^Node: +<none>$/m);
    const events = stdout.slice(stdout.indexOf('Events:')).trim().split('\n');
    expect(events[1]).toMatch(/pod\.created +pending +Unschedulable: 0\/1/);
    expect(events[2]).toMatch(/pod\.updated/);
  });

  it('waits for a pod that does not exist yet', async () => {
    const waiting = machine.run(['pod', 'status', 'later', '--wait=20s', '-o', 'name']);
    const asked = ({ query }: { query: URLSearchParams }) => query.toString().includes('later');
    await vi.waitUntil(() => cluster.requests.some(asked), { timeout: 20_000 });
    pods(podRow('later'));
    const result = await waiting;
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'pod/later\n' });
    expect(result.stderr).toContain('0/1 running; later does not exist yet');
  });

  it('takes names and ids, and complains about all that are missing', async () => {
    const alpha = podRow('alpha-1');
    pods(alpha);
    expect((await machine.run(['pod', 'status', String(alpha.id), '-o', 'name'])).stdout).toBe('pod/alpha-1\n');
    const result = await machine.run(['pod', 'status', 'alpha-1', 'x', 'y']);
    expect(result).toMatchObject({ code: 6, stdout: '', stderr: expect.stringContaining('pods "x", "y" not found') });
  });
});

describe('pod list', () => {
  it('chooses by namespace, label and status', async () => {
    pods(podRow('a'), podRow('b', { labels: { app: 'db' } }), podRow('c', { namespace: 'prod', status: 'failed' }));
    const listed = async (...flags: string[]) =>
      (await machine.run(['pod', 'list', '-o', 'name', ...flags])).stdout.split('\n').filter(Boolean);
    expect(await listed()).toEqual(['pod/a', 'pod/b']);
    expect(await listed('-l', 'app=web')).toEqual(['pod/a']);
    expect(await listed('-l', 'app!=web')).toEqual(['pod/b']);
    expect(await listed('-n', 'prod')).toEqual(['pod/c']);
    expect(await listed('-A', '--status', 'failed')).toEqual(['pod/c']);
    expect(await listed('-A', '-l', 'app in (web,db)')).toEqual(['pod/a', 'pod/b', 'pod/c']);
  });

  it('gives every one of more than a thousand', async () => {
    pods(
      ...Array.from({ length: 2345 }, (_, n) =>
        podRow(`p-${n}`, { id: `50000000-0000-4000-8000-${String(n).padStart(12, '0')}` }),
      ),
    );
    expect(JSON.parse((await machine.run(['pod', 'list', '--json'])).stdout)).toHaveLength(2345);
    const names = Array.from({ length: 120 }, (_, n) => `p-${n}`);
    expect(JSON.parse((await machine.run(['pod', 'list', ...names, '--json'])).stdout)).toHaveLength(120);
  });
});

describe('pod logs', () => {
  beforeEach(() => {
    cluster.functions.follow_logs = ({ p_pod_id }) => {
      const status = cluster.tables.pods?.find(({ id }) => id === p_pod_id)?.status;
      return { body: { topic: `stark:pod:${p_pod_id}`, seconds: 45, status } };
    };
  });

  it('prints them all, the last of them, or those of several pods with names', async () => {
    const [a, b] = [podRow('a'), podRow('b')];
    pods(a, b);
    logs(a, 'one', 'two', 'three');
    logs(b, 'uno');
    expect((await machine.run(['pod', 'logs', 'a'])).stdout).toBe('one\ntwo\nthree\n');
    expect((await machine.run(['logs', 'pod/a', '--tail', '2'])).stdout).toBe('two\nthree\n');
    expect((await machine.run(['pod', 'logs', '-l', 'app=web', '--tail', '1'])).stdout).toBe('[a] three\n[b] uno\n');
    expect((await machine.run(['pod', 'logs', 'a', '--since', '1h'])).stdout).toBe('');
    const json = (await machine.run(['pod', 'logs', 'a', '--json'])).stdout.trim().split('\n');
    expect(json.map((line) => JSON.parse(line).message)).toEqual(['one', 'two', 'three']);
  });

  it('prints the run before the last restart, or says that there is none', async () => {
    const [fresh, restarted, crashing] = [
      podRow('fresh'),
      podRow('restarted', { restarts: 1 }),
      podRow('crashing', { restarts: 1, status: 'starting', status_reason: 'CrashLoopBackOff' }),
    ];
    pods(fresh, restarted, crashing);
    for (const pod of [restarted, crashing]) logs(pod, 'first', 'second');
    for (const line of cluster.tables.pod_logs ?? []) line.run = line.message === 'first' ? 0 : 1;
    expect((await machine.run(['pod', 'logs', 'restarted', '--previous'])).stdout).toBe('first\n');
    expect((await machine.run(['pod', 'logs', 'crashing', '-p'])).stdout).toBe('second\n');
    expect(await machine.run(['pod', 'logs', 'fresh', '-p'])).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('pod fresh was never restarted'),
    });
    expect((await machine.run(['pod', 'logs', 'restarted', '-p', '-f'])).code).toBe(2);
  });

  it('follows from a pod that is not there yet to its end, missing no last word', async () => {
    const child = machine.start(['pod', 'logs', 'late', '--follow']);
    const result = ended(child);
    const late = podRow('late');
    await new Promise<void>((done) => child.stderr?.once('data', () => done()));
    pods(late);
    logs(late, 'first');
    await new Promise<void>((done) => child.stdout?.once('data', () => done()));
    logs(late, 'second', 'third');
    Object.assign(late, { status: 'succeeded', exit_code: 0, ready: false });
    expect(await result).toMatchObject({
      code: 0,
      stdout: 'first\nsecond\nthird\n',
      stderr: expect.stringContaining('pod late succeeded, exit code 0'),
    });
  });

  it('follows on from where --tail and --since begin, also where that leaves nothing', async () => {
    const [none, last, young] = [podRow('none'), podRow('last'), podRow('young')];
    const all = [none, last, young];
    pods(...all);
    for (const pod of all) logs(pod, 'old', 'older');
    const followed = cluster.functions.follow_logs as (args: Record<string, unknown>) => { body?: unknown };
    const everyone = new Promise<void>((done) => {
      const waiting = new Set(all.map(({ id }) => id));
      cluster.functions.follow_logs = (args) => {
        if (waiting.delete(String(args.p_pod_id)) && waiting.size === 0) done();
        return followed(args);
      };
    });
    const following = [
      machine.run(['pod', 'logs', 'none', '-f', '--tail', '0']),
      machine.run(['pod', 'logs', 'last', '-f', '--tail', '1']),
      machine.run(['pod', 'logs', 'young', '-f', '--since', '1h']),
    ];
    await everyone;
    for (const pod of all) {
      logs(pod, 'new');
      Object.assign(pod, { status: 'succeeded', exit_code: 0 });
    }
    const printed = (await Promise.all(following)).map(({ stdout }) => stdout);
    expect(printed).toEqual(['new\n', 'older\nnew\n', 'new\n']);
  });

  it('prints more of the last lines than fit into one answer', async () => {
    const pod = podRow('a');
    pods(pod);
    logs(pod, ...Array.from({ length: 2_500 }, (_, n) => `line ${n}`));
    const lines = (await machine.run(['pod', 'logs', 'a', '--tail', '2100'])).stdout.trim().split('\n');
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([2_100, 'line 400', 'line 2499']);
    expect((await machine.run(['pod', 'logs', 'a', '--tail', '9000'])).stdout.split('\n')).toHaveLength(2_501);
  });

  it('ends with 0 when a follower has had enough', async () => {
    const forever = podRow('forever');
    pods(forever);
    logs(forever, 'tick');
    const child = machine.start(['pod', 'logs', 'forever', '-f']);
    const result = ended(child);
    await new Promise<void>((done) => child.stdout?.once('data', () => done()));
    child.kill('SIGINT');
    expect(await result).toMatchObject({ code: 0, stdout: 'tick\n' });
  });

  it('wants to know whose', async () => {
    expect(await machine.run(['pod', 'logs'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name the pods, or give --selector'),
    });
  });
});

describe('pod delete', () => {
  const deleted: string[][] = [];
  beforeEach(() => {
    deleted.length = 0;
    cluster.functions.delete_pods = ({ p_ids }) => {
      const ids = p_ids as string[];
      deleted.push(ids);
      const gone = (cluster.tables.pods ?? []).filter(({ id }) => ids.includes(String(id)));
      cluster.tables.pods?.splice(0, Infinity, ...(cluster.tables.pods ?? []).filter((pod) => !gone.includes(pod)));
      return { body: gone };
    };
    pods(podRow('a'), podRow('b'), podRow('c', { labels: { app: 'db' } }));
  });

  it('takes several at once, and waits for their end', async () => {
    const result = await machine.run(['delete', 'pod/a', 'pod/b', '--wait=5s']);
    expect(result, result.stderr).toMatchObject({ code: 0, stdout: 'pod/a deleted\npod/b deleted\n' });
    expect(deleted).toHaveLength(1);
  });

  it.each(['', ' '])('deletes nothing by an empty selector: %j', async (selector) => {
    for (const words of [['-l', selector], [`--selector=${selector}`], ['-l', selector, '--all']]) {
      const result = await machine.run(['pod', 'delete', ...words, '-y']);
      expect(result).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--all') });
    }
    expect(deleted).toEqual([]);
  });

  it('deletes nothing when one of them is not there', async () => {
    expect((await machine.run(['pod', 'delete', 'a', 'nobody'])).code).toBe(6);
    expect(deleted).toEqual([]);
  });

  it('asks before it deletes what was not named, and where nobody can be asked wants --yes', async () => {
    expect(await machine.run(['pod', 'delete', '--all'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--yes is needed'),
    });
    expect(deleted).toEqual([]);
    expect((await machine.run(['pod', 'delete', '-l', 'app=db', '-y'])).stdout).toBe('pod/c deleted\n');
    expect((await machine.run(['pod', 'delete', '-l', 'app=db', '-y'])).code).toBe(0);
  });

  it.each([[[]], [['a', '--all']], [['a', '-l', 'app=web']], [['--all', '-l', 'app=web']]])(
    'refuses %j',
    async (args) => {
      expect((await machine.run(['pod', 'delete', ...args, '--yes'])).code).toBe(2);
      expect(deleted).toEqual([]);
    },
  );
});

/** Portions of a call, as the cluster saw them; `fail` says what becomes of the nth. */
function portionsOf(
  fn: string,
  fail: (nth: number) => { status: number; body: unknown } | undefined = () => undefined,
) {
  const seen: Record<string, unknown>[] = [];
  let made = 0;
  cluster.functions[fn] = (args) => {
    seen.push(args);
    const failure = fail(seen.length);
    if (failure !== undefined) return failure;
    const [entry] = args.p_pods as { replicas: number }[];
    const rows = Array.from({ length: entry?.replicas ?? 0 }, () => podRow(`web-${++made}`));
    pods(...rows);
    return { body: rows };
  };
  return seen as { p_pods: { name?: string; replicas: number; spec: object }[] }[];
}

const quotaExceeded = {
  status: 409,
  body: {
    code: 'QUOTA_EXCEEDED',
    message: 'namespace default would use 600 pods, its quota is 500',
    hint: 'stark namespace describe default',
    details: null,
  },
};
const busy = {
  status: 503,
  body: { code: 'CLUSTER_BUSY', message: 'the cluster is busy', hint: 'try again', details: null },
};

describe('what is more than a call takes', () => {
  it('is created in portions, of which none has one pod alone', async () => {
    const seen = portionsOf('create_pods');
    const run = await machine.run([
      'pod',
      'create',
      '--pack',
      'alpha',
      '--name',
      'web',
      '--replicas',
      '601',
      '--wait=30s',
      '-o',
      'name',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(seen.map(({ p_pods }) => p_pods.map(({ name, replicas }) => [name, replicas]))).toEqual([
      [['web', 150]],
      [['web', 150]],
      [['web', 150]],
      [['web', 151]],
    ]);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(601);
    expect(run.stderr).toContain('created 450 of 601 pods');
    expect(run.stderr).toContain('created 601 pods\n');
  });

  it('is cut by bytes too', async () => {
    const seen = portionsOf('create_pods');
    const flags = ['--config', JSON.stringify({ text: 'x'.repeat(50_000) }), '--no-wait', '-o', 'name'];
    expect((await machine.run(['pod', 'create', '--pack', 'alpha', '--replicas', '25', ...flags])).code).toBe(0);
    expect(seen.map(({ p_pods }) => p_pods[0]?.replicas)).toEqual([8, 8, 9]);
  });

  it('stays created when a later portion is refused, and is told', async () => {
    portionsOf('create_pods', (nth) => (nth === 3 ? quotaExceeded : undefined));
    const run = (...more: string[]) =>
      machine.run(['pod', 'create', '--pack', 'alpha', '--replicas', '1000', '--wait=5s', ...more]);
    const plain = await run();
    expect(plain).toMatchObject({ code: 7, stdout: '' });
    expect(plain.stderr).toContain(
      'error: created 400 of 1000 pods, then: namespace default would use 600 pods, its quota is 500 (QUOTA_EXCEEDED)',
    );
    expect(plain.stderr).toMatch(/pods: web-1, web-2, .* and 380 more\n/);
    expect(plain.stderr).toContain('stark namespace describe default');
    portionsOf('create_pods', (nth) => (nth === 3 ? quotaExceeded : undefined));
    const { error } = JSON.parse((await run('-o', 'json')).stderr.trim().split('\n').at(-1) ?? '') as {
      error: { code: string; details: { pods: string[] } };
    };
    expect(error.code).toBe('QUOTA_EXCEEDED');
    expect(error.details.pods).toHaveLength(400);
  });

  it('is nothing at all when the first portion is refused', async () => {
    portionsOf('create_pods', () => quotaExceeded);
    const run = await machine.run(['pod', 'create', '--pack', 'alpha', '--replicas', '1000', '--no-wait']);
    expect(run.stderr).toContain('error: namespace default would use 600 pods');
  });

  it('is deleted in portions; what has gone meanwhile is no error', async () => {
    pods(...Array.from({ length: 450 }, (_, i) => podRow(`p${String(i).padStart(3, '0')}`)));
    const sizes: number[] = [];
    cluster.functions.delete_pods = ({ p_ids }) => {
      const ids = p_ids as string[];
      const all = cluster.tables.pods ?? [];
      const known = all.filter(({ id }) => ids.includes(String(id)));
      // One of the second portion goes before its turn.
      if (sizes.push(ids.length) === 1)
        all.splice(
          all.findIndex(({ name }) => name === 'p333'),
          1,
        );
      if (known.length < ids.length)
        return { status: 404, body: { code: 'POD_NOT_FOUND', message: 'no pod', hint: null, details: null } };
      for (const pod of known) all.splice(all.indexOf(pod), 1);
      return { body: known };
    };
    const run = await machine.run(['pod', 'delete', '--all', '--yes', '--no-wait', '-o', 'name']);
    expect(run.code, run.stderr).toBe(0);
    expect(sizes).toEqual([200, 200, 199, 50]);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(449);
  });
});

describe('a cluster that is busy', () => {
  it('is asked again, since nothing was done', async () => {
    const seen = portionsOf('create_pods', (nth) => (nth === 2 ? busy : undefined));
    const run = await machine.run(['pod', 'create', '--pack', 'alpha', '--replicas', '400', '--no-wait', '-o', 'name']);
    expect(run.code, run.stderr).toBe(0);
    expect(seen).toHaveLength(3);
    expect(run.stdout.trimEnd().split('\n')).toHaveLength(400);
  });

  it('is given up after some tries', async () => {
    const seen = portionsOf('create_pods', () => busy);
    const run = await machine.run(['pod', 'create', '--pack', 'alpha', '--no-wait']);
    expect(run).toMatchObject({ code: 8, stdout: '' });
    expect(run.stderr).toContain('the cluster is busy (CLUSTER_BUSY)');
    expect(seen).toHaveLength(5);
  });
});

describe('a project that gives fewer rows at once', () => {
  it('has its lists read to the end', async () => {
    pods(...Array.from({ length: 450 }, (_, i) => podRow(`p${i}`)));
    cluster.maxRows = 200;
    try {
      const run = await machine.run(['pod', 'list', '-o', 'name']);
      expect(run.stdout.trimEnd().split('\n')).toHaveLength(450);
    } finally {
      cluster.maxRows = 1_000;
    }
  });
});

describe('waiting', () => {
  it('is off in a pipe unless asked for', () => {
    expect(waitTime({})).toBeUndefined();
    expect(waitTime({ wait: '90s' })).toBe(90_000);
    expect(waitTime({ 'no-wait': true })).toBeUndefined();
  });

  it('is not fooled by the word after it', async () => {
    cluster.functions.create_pods = () => ({ body: [podRow('alpha-1')] });
    pods(podRow('alpha-1'));
    for (const wait of [['--wait'], ['--wait', '5s'], ['--wait=5s']]) {
      expect(await machine.run(['pod', 'create', ...wait, '--pack', 'alpha', '-o', 'name'])).toMatchObject({
        code: 0,
        stdout: 'pod/alpha-1\n',
      });
    }
    expect((await machine.run(['pod', 'status', '--wait', 'alpha-1', '-o', 'name'])).stdout).toBe('pod/alpha-1\n');
  });

  it('fails at once when what is waited for can never be', () => {
    const wanted = [{ name: 'a', namespace: 'default' }];
    const judge = (changes: object) => judgeRunning([{ ...podRow('a'), ...changes } as unknown as PodRow], wanted);
    expect(judge({})).toEqual({ done: true });
    expect(judge({ status: 'succeeded', ready: false })).toEqual({ done: true });
    expect(judge({ ready: false })).toMatchObject({ waiting: '0/1 running; a is running, not ready on node-1' });
    for (const status of ['failed', 'evicted', 'stopped'])
      expect(judge({ status })).toMatchObject({ failed: { code: 'POD_FAILED', exitCode: 1 } });
  });

  describe('believes a pod that runs', () => {
    const wanted = [{ name: 'a', namespace: 'default' }];
    const judge = (steadiness: Steadiness, changes: object) => {
      const pod = { ...podRow('a'), started_at: new Date().toISOString(), ...changes };
      return judgeRunning([pod as unknown as PodRow], wanted, steadiness);
    };

    it('after a moment only, which begins anew with each restart', () => {
      const steadiness = new Steadiness();
      vi.useFakeTimers();
      try {
        expect(judge(steadiness, {})).toMatchObject({ againMs: 2_000 });
        vi.advanceTimersByTime(1_500);
        expect(judge(steadiness, {})).toMatchObject({ againMs: 500 });
        expect(judge(steadiness, { restarts: 1 })).toMatchObject({ againMs: 2_000 });
        vi.advanceTimersByTime(2_000);
        expect(judge(steadiness, { restarts: 1 })).toEqual({ done: true });
      } finally {
        vi.useRealTimers();
      }
    });

    it('at once where it has run for long, or a probe has said so', () => {
      const long = { started_at: '2026-01-01T00:00:02+00:00' };
      expect(judge(new Steadiness(), long)).toEqual({ done: true });
      expect(judge(new Steadiness(), { ...long, restarts: 3 })).toMatchObject({ againMs: 2_000 });
      expect(judge(new Steadiness(), { spec: { readinessProbe: { packReady: {} } } })).toEqual({ done: true });
    });
  });

  it.each([
    ['pod', 'create', '--pack', 'alpha', '--wait=20s'],
    ['pod', 'status', 'crashing', '--wait=20s'],
    ['wait', 'pod/crashing', '--timeout', '20s'],
  ])('tells of a crash at once: %s %s', async (...args) => {
    const crash = { status_reason: 'CrashLoopBackOff', status_message: 'back-off 1 s after Error (exit code 1): boom' };
    const pod = podRow('crashing', { ...crash, status: 'starting', ready: false, exit_code: 1 });
    pods(pod);
    logs(pod, 'listening on undefined', 'Error: boom\n    at run');
    cluster.functions.create_pods = () => ({ body: [pod] });
    const result = await machine.run(args);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain('boom (POD_FAILED)');
    if (args[0] === 'wait') return;
    expect(result.stderr).toMatch(/last lines of its log:\n {4}listening on undefined\n {4}Error: boom\n {8}at run\n/);
    const envelope = JSON.parse((await machine.run([...args, '--json'])).stderr.split('\n').at(-2) ?? '');
    expect(envelope.error.details).toEqual({ log: ['listening on undefined', 'Error: boom\n    at run'] });
  });

  it('says what a pack that only does its work needs', async () => {
    pods(
      podRow('done', {
        ...{ status: 'starting', ready: false, exit_code: 0, status_reason: 'CrashLoopBackOff' },
        status_message: 'back-off 1 s after Completed (exit code 0)',
      }),
    );
    expect((await machine.run(['pod', 'status', 'done', '--wait=20s'])).stderr).toContain('--restart OnFailure');
  });

  it('looks again as soon as something has changed', async () => {
    let looks = 0;
    const began = performance.now();
    await waitFor({
      poll: async () => ++looks,
      judge: (count) => (count === 5 ? { done: true } : { waiting: 'for five' }),
      timeoutMs: 60_000,
      resume: '',
      isLive: () => true,
      changed: () => new Promise((done) => setImmediate(done)),
    });
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('words of the command line', () => {
  it('that are environment variables', () => {
    expect(parseEnv(['A=1', 'B=', 'C=x=y', 'A=2'])).toEqual({ A: '2', B: '', C: 'x=y' });
  });

  it('that are ports', () => {
    expect(parsePort('http')).toEqual({ name: 'http', strategy: 'random' });
    expect(parsePort('http=80')).toEqual({ name: 'http', strategy: 'fixed', port: 80 });
    for (const bad of ['', '=80', 'http=', 'http=0', 'http=x', 'HTTP', 'a b'])
      expect(() => parsePort(bad), bad).toThrow();
  });
});

// A variable of a script that is not set must not mean everything, now or when a command changes what it does.
describe('every command', () => {
  it.each(['selector', 'namespace'])('refuses an empty --%s', async (name) => {
    const { commands } = await buildManifest(packageRoot);
    const takers = Object.entries(commands as Record<string, { flags: Record<string, { char?: string }> }>)
      .filter(([, { flags }]) => ['l', 'n'].includes(flags[name]?.char ?? ''))
      .map(([id]) => id.split(':'))
      // There it is a wish for later, and an empty one is none.
      .filter((words) => words.join(' ') !== 'context set');
    expect(takers.length).toBeGreaterThan(3);
    for (const words of takers) {
      const result = await machine.run([...words, `--${name}`, '']);
      expect(result, words.join(' ')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`--${name} is empty`),
      });
    }
  });
});
