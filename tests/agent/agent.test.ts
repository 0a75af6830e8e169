import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call } from '@stark-o/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { descendants, waitForEnd } from '../harness/processes.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { startAgentProcess } from './agent-process.js';
import { ADMIN, Cluster } from './cluster.js';

const SERVICE = `
import { createServer } from 'node:http';
export default async (ctx) => {
  const server = createServer((request, response) => response.end('hello from ' + ctx.pod.name));
  await new Promise((resolve) => server.listen(ctx.ports.http, '127.0.0.1', resolve));
  ctx.log.info('listening');
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  ctx.log.info('closing');
  server.close();
};`;
const SPINNER = `export default () => { console.log('spinning'); for (;;); }`;

let test: TestStack;
let cluster: Cluster;
beforeAll(async () => {
  test = await startTestStack();
  cluster = await Cluster.setUp(test);
  await cluster.pack('service', SERVICE);
  await cluster.pack('spinner', SPINNER);
  await cluster.pack('task', `export default () => { console.log('done'); };`);
  await cluster.pack('crash', `export default () => { throw new Error('boom'); };`);
  await cluster.pack(
    'tampered',
    `export default () => { console.log('good'); }`,
    `export default () => { console.log('evil'); }`,
  );
});
afterAll(() => test?.stop());

const agents: NodeAgent[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

function optionsOf(name: string) {
  return {
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name,
    dataDir: join(test.folder, 'agents'),
    allocatable: { cpu: 4000, memory: 4096, pods: 50 },
  };
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

async function agentHere(name: string): Promise<NodeAgent> {
  const agent = await startNodeAgent({ ...optionsOf(name), log: silent });
  agents.push(agent);
  return agent;
}

async function agentApart(name: string): Promise<ChildProcess> {
  const child = await startAgentProcess(optionsOf(name));
  children.push(child);
  return child;
}

function podProcesses(agentPid: number): { pid: number; command: string }[] {
  // A wall stands as a process of its own round each of them.
  return descendants(agentPid).filter(({ command }) => /^\S*node .*\/pod\/node\/child\.js/.test(command));
}

describe('an agent on a real stack', () => {
  it('runs a service, hands over its log, and stops it', async () => {
    await agentHere('one');
    const id = await cluster.createPod('service', { ports: [{ name: 'http', strategy: 'random' }] });
    const pod = await cluster.running(id);
    const answer = await fetch(`http://127.0.0.1:${pod.ports.http}/`);
    expect(await answer.text()).toBe(`hello from ${pod.name}`);
    await waitFor('the first line', async () => (await cluster.logs(id)).includes('listening'));
    await call(cluster.client, 'stop_pods', { p_ids: [id] });
    const stopped = await cluster.podThat('stopped', id, ({ status }) => status === 'stopped');
    expect(stopped).toMatchObject({ status_reason: 'Stopped', exit_code: 0, ready: false });
    await waitFor('the last line', async () => (await cluster.logs(id)).includes('closing'));
  });

  it('starts a pod when it is created, not when it asks the next time', async () => {
    await agentHere('one');
    const warm = await cluster.createPod('service', { ports: [{ name: 'http', strategy: 'random' }] });
    await cluster.running(warm);
    const before = performance.now();
    const id = await cluster.createPod('service', { ports: [{ name: 'http', strategy: 'random' }] });
    await cluster.running(id);
    expect(performance.now() - before).toBeLessThan(10_000);
    await call(cluster.client, 'delete_pods', { p_ids: [warm, id] });
    await waitFor(
      'the rows to go',
      async () => (await cluster.pod(id)) === undefined && (await cluster.pod(warm)) === undefined,
    );
  });

  it('reports how tasks end and that services crash', async () => {
    await agentHere('one');
    const task = await cluster.createPod('task', { restartPolicy: 'Never' });
    const failing = await cluster.createPod('crash', { restartPolicy: 'Never' });
    const looping = await cluster.createPod('crash');
    expect(await cluster.podThat('over', task, ({ status }) => status === 'succeeded')).toMatchObject({ exit_code: 0 });
    expect(await cluster.podThat('over', failing, ({ status }) => status === 'failed')).toMatchObject({
      exit_code: 1,
      status_reason: 'Error',
      status_message: 'Error: boom',
    });
    const loop = await cluster.podThat(
      'restarted',
      looping,
      ({ restarts, status_reason }) => restarts >= 1 && status_reason === 'CrashLoopBackOff',
    );
    expect(loop).toMatchObject({ status: 'starting', exit_code: 1, ready: false });
    await call(cluster.client, 'delete_pods', { p_ids: [looping] });
    await waitFor('the row to go', async () => (await cluster.pod(looping)) === undefined);
  });

  it('executes nothing of a bundle that is not what was registered', async () => {
    await agentHere('one');
    const id = await cluster.createPod('tampered');
    const pod = await cluster.podThat('failed', id, ({ status }) => status === 'failed');
    expect(pod.status_reason).toBe('BundleCorrupt');
    expect(await cluster.logs(id)).toEqual([]);
  });

  it('refuses to share its folder with another agent', async () => {
    await agentHere('one');
    await expect(agentHere('one')).rejects.toMatchObject({ code: 'NODE_IN_USE' });
  });

  it('says goodbye: the node is offline and its pods have failed', async () => {
    const agent = await agentHere('leaver');
    const id = await cluster.createPod('service', {
      nodeName: 'leaver',
      ports: [{ name: 'http', strategy: 'random' }],
    });
    await cluster.running(id);
    await agent.stop();
    expect(await agent.ended).toEqual({ reason: 'stopped' });
    expect(await cluster.pod(id)).toMatchObject({ status: 'failed', status_reason: 'NodeShutdown' });
    const { data } = await cluster.client.from('nodes').select('status').eq('name', 'leaver').single();
    expect(data).toEqual({ status: 'offline' });
  });

  it('that is killed leaves no process, and its successor starts the pods again', async () => {
    const first = await agentApart('victim');
    const service = await cluster.createPod('service', {
      nodeName: 'victim',
      ports: [{ name: 'http', strategy: 'random' }],
    });
    const spinner = await cluster.createPod('spinner', { nodeName: 'victim', terminationGracePeriodSeconds: 0 });
    const { incarnation } = await cluster.running(service);
    await cluster.running(spinner);
    const processes = podProcesses(first.pid as number);
    expect(processes).toHaveLength(2);
    first.kill('SIGKILL');
    await waitForEnd(processes, 5_000);
    const second = await agentApart('victim');
    const again = await cluster.podThat(
      'running again',
      service,
      ({ status, restarts }) => status === 'running' && restarts === 1,
    );
    expect(again.incarnation).toBe((incarnation ?? 0) + 1);
    await cluster.podThat('running again', spinner, ({ status, restarts }) => status === 'running' && restarts === 1);
    await waitFor('a line of the spinner', async () => (await cluster.logs(spinner)).includes('spinning'));
    const children = podProcesses(second.pid as number);
    second.kill('SIGTERM');
    await once(second, 'exit');
    await waitForEnd(children, 5_000);
    expect(await cluster.pod(service)).toMatchObject({ status: 'failed', status_reason: 'NodeShutdown' });
  });

  it('whose node was taken over by another folder connects anew and runs only what is still its', async () => {
    const first = await agentHere('shared');
    const id = await cluster.createPod('service', {
      nodeName: 'shared',
      ports: [{ name: 'http', strategy: 'random' }],
    });
    await cluster.running(id);
    await call(cluster.client, 'node_sync', { p_node_id: first.nodeId, p_incarnation: null });
    const before = first.incarnation;
    // Any report or hint makes it ask, and the answer tells it.
    const next = await cluster.createPod('service', {
      nodeName: 'shared',
      ports: [{ name: 'http', strategy: 'random' }],
    });
    await cluster.running(next);
    expect(first.incarnation).toBe(before + 2);
    expect(await cluster.pod(id)).toMatchObject({ status: 'running', restarts: 0 });
  });

  it('is told clearly that its password is wrong', async () => {
    await expect(
      startNodeAgent({
        ...optionsOf('stranger'),
        credentials: { email: ADMIN.email, password: 'wrong-password' },
        log: silent,
      }),
    ).rejects.toMatchObject({ name: 'StarkError', code: 'INVALID_CREDENTIALS' });
  });
});
