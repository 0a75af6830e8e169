import type { ChildProcess } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeAgentOptions } from '@stark-o/agent/node';
import { call, type Node, type Pod } from '@stark-o/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cable } from '../harness/cable.js';
import { descendants, waitForEnd } from '../harness/processes.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { LOST, type MachineFaults, startAgentProcess } from './agent-process.js';
import { ADMIN, Cluster, DEADLINE_MS } from './cluster.js';
import { RunLedger } from './run-ledger.js';

const UNREACHABLE = [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists' }];
const TIMEOUT_SECONDS = 8;
const GRACE_SECONDS = 1;
/** Nodes on which a deployment in daemon mode has a pod beside all that happens to them. */
const DAEMON = { daemon: 'yes' };
const DAEMON_NODES = ['frozen', 'killed', 'lossy', 'stuck'];
const HOUR = 3_600_000;
const UNTIL_ASKED = `
  ctx.log.info('running');
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));`;
const UNTIL_KILLED = 'await new Promise(() => {});';
const WEB = `
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    ctx.log.info('asked for ' + request.url);
    response.end('here');
    if (request.url === '/crash') setTimeout(() => { throw new Error('asked to'); }, 20);
  });
  await new Promise((resolve) => server.listen(ctx.ports.http, '127.0.0.1', resolve));
  ${UNTIL_ASKED}`;

let test: TestStack;
/** Where everything of the first start stands, that of the agents too. */
let folder: string;
const stacks: TestStack[] = [];
let cluster: Cluster;
let ledger: RunLedger;
let database: pg.Client;
const agents = new Map<string, ChildProcess>();
const cables: Cable[] = [];

beforeAll(async () => {
  ledger = await RunLedger.open();
  test = await startTestStack();
  stacks.push(test);
  folder = test.folder;
  cluster = await Cluster.setUp(test);
  database = new pg.Client(test.stack.dbUrl);
  // It is killed below.
  database.on('error', () => {});
  await database.connect();
  await cluster.pack('service', ledger.packOf(UNTIL_ASKED));
  await cluster.pack('stubborn', ledger.packOf(UNTIL_KILLED));
  await cluster.pack('web', ledger.packOf(WEB));
  await call(cluster.client, 'update_cluster_config', {
    p_changes: { heartbeat_interval: 1, heartbeat_timeout: TIMEOUT_SECONDS },
  });
  const template = { spec: { nodeSelector: DAEMON, terminationGracePeriodSeconds: GRACE_SECONDS } };
  await call(cluster.client, 'create_deployment', {
    p_deployment: { name: 'everywhere', pack: 'service', mode: 'daemon', minReadySeconds: 0, template },
  });
});
afterAll(async () => {
  for (const agent of agents.values()) agent.kill('SIGKILL');
  await Promise.all(cables.map((cable) => cable.close()));
  await database?.end();
  for (const started of stacks.reverse()) await started.stop();
  await ledger?.close();
});

function optionsOf(name: string, more: Partial<NodeAgentOptions> = {}): NodeAgentOptions {
  return {
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name,
    dataDir: join(folder, 'agents'),
    labels: DAEMON_NODES.includes(name) ? DAEMON : {},
    allocatable: { cpu: 4000, memory: 4096, pods: 50 },
    ...more,
  };
}

async function agentOn(
  name: string,
  { faults, ...more }: Partial<NodeAgentOptions> & { faults?: MachineFaults } = {},
): Promise<ChildProcess> {
  const agent = await startAgentProcess(optionsOf(name, more), faults);
  agents.set(name, agent);
  return agent;
}

async function agentBehindCable(name: string): Promise<Cable> {
  const cable = await Cable.to(test.stack.url);
  cables.push(cable);
  await agentOn(name, { supabaseUrl: cable.url });
  return cable;
}

/** Pods that run on the node: one that goes when the node is given up, and ends as late as it may; and one that stays. */
async function podsOn(nodeName: string): Promise<{ leaves: Pod; stays: Pod }> {
  const terminationGracePeriodSeconds = GRACE_SECONDS;
  const [leaves, stays] = await Promise.all([
    cluster.createPod('stubborn', { nodeName, terminationGracePeriodSeconds }),
    cluster.createPod('service', { nodeName, tolerations: UNREACHABLE }),
  ]);
  return { leaves: await cluster.running(leaves), stays: await cluster.running(stays) };
}

async function node(name: string): Promise<Node> {
  const { data, error } = await cluster.client.from('nodes').select('*').eq('name', name).single();
  if (error) throw error;
  return data as unknown as Node;
}

function nodeThat(name: string, status: Node['status'], deadlineMs = DEADLINE_MS): Promise<Node> {
  return waitFor(
    `node ${name} to be ${status}`,
    async () => {
      const now = await node(name);
      return now.status === status ? now : undefined;
    },
    { deadlineMs },
  );
}

async function podsOf(nodeName: string): Promise<Pod[]> {
  const { data, error } = await cluster.client.from('pods').select('*').eq('node_name', nodeName);
  if (error) throw error;
  return data as unknown as Pod[];
}

/** What is wrong when the cluster says another thing of the pod than its processes. */
function lieAbout({ id, pack_name, status, ready, restarts }: Pod): string[] {
  const alive = ledger.alive(id);
  const over = ['stopped', 'succeeded', 'failed', 'evicted'].includes(status);
  const honest = over ? alive === 0 : status === 'running' && ready && alive === 1;
  return honest ? [] : [`${pack_name} ${id} is ${status} after ${restarts} restarts, with ${alive} processes`];
}

/** No pod is lost, none runs twice: what the cluster says of the node's pods comes true. */
async function truthAbout(nodeName: string, { overlapMs = 0 } = {}): Promise<void> {
  let lies: string[] = [];
  const look = async () => {
    const all = await podsOf(nodeName);
    lies = all.flatMap(lieAbout);
    return lies.length === 0 ? all : undefined;
  };
  const what = `the truth about node ${nodeName}`;
  const pods = await waitFor(what, look, { deadlineMs: DEADLINE_MS }).catch((error: Error) => {
    throw new Error(`${error.message}: ${lies.join('; ')}`);
  });
  for (const { id } of pods) expect(ledger.longestOverlap(id)).toBeLessThanOrEqual(overlapMs);
}

/** Waits until the deployment in daemon mode has a pod of this revision on each of its nodes, and no other. */
async function everywhereAt(revision: number, nodes = DAEMON_NODES): Promise<void> {
  let last: unknown;
  const look = async () => {
    const { data } = await cluster.client
      .from('pods')
      .select('node_name,status,ready,deployments!inner(name),revision')
      .eq('deployments.name', 'everywhere')
      .is('finished_at', null)
      .in('node_name', nodes)
      .order('node_name');
    last = data;
    return JSON.stringify(data?.map(({ node_name, status, ready, revision: of }) => [node_name, status, ready, of])) ===
      JSON.stringify(nodes.map((name) => [name, 'running', true, revision]))
      ? data
      : undefined;
  };
  await waitFor(`revision ${revision} on ${nodes}`, look, { deadlineMs: DEADLINE_MS }).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(last)}`);
  });
}

const rollEverywhere = () => call(cluster.client, 'restart_rollout', { p_namespace: 'default', p_name: 'everywhere' });

describe('no pod is lost, and none runs twice', () => {
  it.concurrent('when an agent is killed: its successor starts what it had, without a second copy', async () => {
    const first = await agentOn('killed');
    const { leaves, stays } = await podsOn('killed');
    first.kill('SIGKILL');
    await agentOn('killed');
    for (const { id, incarnation } of [leaves, stays]) {
      const again = await cluster.podThat('running again', id, (pod) => pod.status === 'running' && pod.restarts === 1);
      expect(again.incarnation).toBe((incarnation ?? 0) + 1);
    }
    await truthAbout('killed');
  });

  it.concurrent('when an agent freezes for longer than it may be silent', async () => {
    const agent = await agentOn('frozen');
    const { leaves, stays } = await podsOn('frozen');
    agent.kill('SIGSTOP');
    expect(await nodeThat('frozen', 'offline')).toMatchObject({ status_reason: 'HeartbeatTimeout' });
    expect(await cluster.pod(leaves.id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
    agent.kill('SIGCONT');
    const thawed = performance.now();
    const incarnation = (stays.incarnation ?? 0) + 2;
    expect(await nodeThat('frozen', 'healthy')).toMatchObject({ incarnation });
    await truthAbout('frozen');
    expect(await cluster.pod(stays.id)).toMatchObject({ status: 'running', restarts: 0, incarnation });
    expect((ledger.of(leaves.id)[0]?.to ?? Number.POSITIVE_INFINITY) - thawed).toBeLessThan(10_000);
  });

  it.concurrent('when all that an agent and the cluster tell each other gets stuck, and arrives too late', async () => {
    const cable = await agentBehindCable('stuck');
    const { leaves, stays } = await podsOn('stuck');
    cable.stall();
    await nodeThat('stuck', 'offline');
    expect(await cluster.pod(leaves.id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
    expect([ledger.alive(leaves.id), ledger.alive(stays.id)]).toEqual([1, 1]);
    cable.mend();
    expect(await nodeThat('stuck', 'healthy')).toMatchObject({ incarnation: (stays.incarnation ?? 0) + 2 });
    await truthAbout('stuck');
    expect(await cluster.pod(stays.id)).toMatchObject({ status: 'running', restarts: 0 });
  });

  it.concurrent('when Realtime loses one message in five', async () => {
    const agent = await agentOn('lossy', { syncEveryMs: 2_000, faults: { loss: 0.2 } });
    let lost = 0;
    agent.stderr?.on('data', (chunk: Buffer) => {
      lost += chunk.toString().split(LOST).length - 1;
    });
    const { leaves, stays } = await podsOn('lossy');
    for (let i = 0; i < 4; i++) {
      const id = await cluster.createPod('service', { nodeName: 'lossy', tolerations: UNREACHABLE });
      await cluster.running(id);
      await call(cluster.client, 'stop_pods', { p_ids: [i === 0 ? leaves.id : id] });
    }
    await truthAbout('lossy');
    expect(lost).toBeGreaterThan(0);
    expect(await cluster.pod(stays.id)).toMatchObject({ status: 'running', restarts: 0 });
  });

  it.concurrent.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])("when an agent's clock is an hour %s", async (name, clockAheadMs) => {
    const before = Date.now();
    await agentOn(name, { faults: { clockAheadMs } });
    const { leaves, stays } = await podsOn(name);
    const running = await cluster.running(leaves.id);
    const started = Date.parse(running.started_at ?? '');
    expect(started).toBeGreaterThan(before);
    expect(started).toBeLessThan(Date.now() + 1_000);
    const line = await waitFor('its first line', async () => {
      const { data } = await cluster.client.from('pod_logs').select('time').eq('pod_id', stays.id).order('seq');
      return data?.[0];
    });
    const printed = Date.parse(line.time);
    expect(printed).toBeGreaterThan(before);
    expect(printed).toBeLessThan(Date.now() + 1_000);
    await call(cluster.client, 'stop_pods', { p_ids: [leaves.id] });
    const stopped = await cluster.podThat('stopped', leaves.id, ({ status }) => status === 'stopped');
    expect(Date.parse(stopped.finished_at ?? '')).toBeGreaterThan(started);
    await truthAbout(name);
    const { rows } = await database.query('select session_id from auth.refresh_tokens group by 1 having count(*) > 1');
    expect(rows, 'sessions that were renewed although they had just begun').toEqual([]);
  });

  it.concurrent('when two agents claim one name: the first one keeps it', async () => {
    await agentOn('claimed');
    const { leaves, stays } = await podsOn('claimed');
    const other = startAgentProcess(optionsOf('claimed', { dataDir: join(folder, 'elsewhere') }));
    await expect(other).rejects.toThrow('another agent is connected as node claimed');
    await truthAbout('claimed');
    for (const { id, incarnation } of [leaves, stays])
      expect(await cluster.pod(id)).toMatchObject({ status: 'running', restarts: 0, incarnation });
  });

  it.concurrent('when a machine is copied while it is a node: its copy is the node, and it stops what it ran', async () => {
    // The word that it was taken over may be lost; then it asks by itself, which is once a minute else.
    const first = await agentOn('copied', { syncEveryMs: 5_000 });
    const { leaves, stays } = await podsOn('copied');
    const dataDir = join(folder, 'copy');
    const source = join(folder, 'agents');
    // With its lock file, which names a process that lives.
    await cp(join(source, 'agents', 'copied'), join(dataDir, 'agents', 'copied'), { recursive: true });
    await agentOn('copied', { dataDir });
    await waitFor('the first agent to end', () => first.exitCode !== null, { deadlineMs: DEADLINE_MS });
    await truthAbout('copied', { overlapMs: GRACE_SECONDS * 1_000 + 2_000 });
    for (const { id } of [leaves, stays])
      expect(await cluster.pod(id)).toMatchObject({ status: 'running', restarts: 1 });
    await call(cluster.client, 'delete_pods', { p_ids: [leaves.id, stays.id] });
    await waitFor('the pods to be gone', async () => (await podsOf('copied')).length === 0);
    await expect(startAgentProcess(optionsOf('copied'))).rejects.toThrow('another agent is connected as node copied');
  });
}, 240_000);

describe('with all these agents', () => {
  async function everyone(): Promise<Node[]> {
    const { data, error } = await cluster.client.from('nodes').select('*').order('name');
    if (error) throw error;
    return data as unknown as Node[];
  }

  it('a Postgres that crashes and comes back costs no node its life and no pod a restart', async () => {
    const before = await everyone();
    expect(before.map(({ status }) => status)).toEqual(before.map(() => 'healthy'));
    await everywhereAt(1);
    await rollEverywhere();
    const [postmaster] = descendants(process.pid).filter(({ command }) => command.includes(test.stack.dataDir));
    if (postmaster === undefined) throw new Error('no Postgres');
    const all = [postmaster, ...descendants(postmaster.pid)];
    process.kill(postmaster.pid, 'SIGKILL');
    await waitForEnd(all);
    const id = await waitFor('a pod to be created again', () => cluster.createPod('service', { nodeName: 'killed' }), {
      deadlineMs: 30_000,
    });
    // Its command may have been sent before Realtime read changes again; then the agent is rung within the first minute.
    const { created_at } = await cluster.podThat('running', id, ({ status }) => status === 'running', 30_000);
    await waitFor('a sign of life of each agent', async () => {
      const { data } = await cluster.client.from('node_leases').select('node_id').gt('renewed_at', created_at);
      return data?.length === before.length;
    });
    for (const { name } of before) await truthAbout(name);
    expect(await everyone()).toMatchObject(before.map(({ name, incarnation }) => ({ name, incarnation })));
    await everywhereAt(2);
  });

  it('a stack that was away for longer than agents may be silent finds all of it as it was, and hears what it missed', async () => {
    const startOfPod = async () => {
      const asked = performance.now();
      await cluster.running(await cluster.createPod('service', { nodeName: 'frozen' }));
      return performance.now() - asked;
    };
    const get = (path: string) => fetch(`http://127.0.0.1:${web.ports.http}${path}`).then((answer) => answer.text());
    const ports = [{ name: 'http', strategy: 'random' }];
    const web = await cluster.running(await cluster.createPod('web', { nodeName: 'frozen', ports }));
    // Without a probe a pod is ready before it listens.
    await waitFor('the pod to serve', () => get('/early').catch(() => undefined));
    const usual = await startOfPod();
    const before = await everyone();
    const { url, dbUrl, dataDir } = test.stack;
    await rollEverywhere();
    await test.stack.stop();
    const since = performance.now();
    agents.get('killed')?.kill('SIGKILL');
    expect(await get('/while-away')).toBe('here');
    await get('/crash');
    // Back after its back-off of a second, on the port it had.
    await waitFor('the pod to serve again', () => get('/back').catch(() => undefined));
    await waitFor('a long silence', () => performance.now() - since > (TIMEOUT_SECONDS + 1) * 1_000);
    test = await startTestStack({
      dataDir,
      port: Number(new URL(url).port),
      dbPort: Number(new URL(dbUrl).port),
    });
    stacks.push(test);

    const told = await cluster.podThat(
      'told of',
      web.id,
      ({ status, restarts }) => status === 'running' && restarts > 0,
    );
    expect(told).toMatchObject({ restarts: 1, exit_code: 1, ports: web.ports, incarnation: web.incarnation });
    const lines = await waitFor('the lines of the outage', async () => {
      const all = await cluster.logs(web.id);
      return all.includes('asked for /back') ? all : undefined;
    });
    expect(lines).toEqual(expect.arrayContaining(['asked for /while-away', 'asked for /crash']));
    // Agents hear again at once, and not when they ask by themselves.
    const again = async () => (await startOfPod()) < 2 * usual + 1_000;
    await waitFor('a pod to start about as soon as before', again, { deadlineMs: DEADLINE_MS });

    // A report that names all others proves that somebody watches again; the silence of before is not held against them.
    await nodeThat('killed', 'offline', 40_000);
    // A node that was given up holds the rollout up no longer, and is rolled when it is back.
    await everywhereAt(
      3,
      DAEMON_NODES.filter((name) => name !== 'killed'),
    );
    const rest = before.filter(({ name }) => name !== 'killed');
    for (const { name } of rest) await truthAbout(name);
    for (const { name, incarnation } of rest)
      expect(await node(name)).toMatchObject({ status: 'healthy', incarnation });
    await agentOn('killed');
    await everywhereAt(3);
    await truthAbout('killed');
  });
}, 240_000);
