import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call, type Pod } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { Cluster } from './cluster.js';

/** Answers 200 on its port, until somebody asks for /break; keeps a secret in its folder, and tells its log who asked. */
const SERVICE = `
import { createServer } from 'node:http';
export default async (ctx) => {
  let status = 200;
  await ctx.storage.set('secret', 'theirs');
  const server = createServer((request, response) => {
    ctx.log.info('asked for ' + request.url);
    if (request.url === '/break') status = 500;
    response.writeHead(request.url === '/break' ? 200 : status).end(ctx.pod.name);
  });
  await new Promise((resolve) => server.listen(ctx.ports.http, '127.0.0.1', resolve));
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  server.close();
};`;

const HOSTILE = `
import cp from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:http';
const forever = () => new Promise(() => setInterval(() => {}, 1000));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const acts = {
  read: ({ config }) => {
    for (const path of config.paths) {
      try { console.log('got', path, fs.readFileSync(path, 'utf8')); } catch (error) { console.log('refused', path, error.code); }
    }
  },
  spawn: () => { cp.execFileSync('id'); },
  heap: () => { const all = []; for (;;) all.push({ x: Math.random() }); },
  buffers: async () => { const all = []; for (;;) { all.push(Buffer.alloc(8 << 20, 1)); await pause(25); } },
  exit: () => process.exit(7),
  timer: () => { setTimeout(() => { throw new Error('late'); }, 20); return forever(); },
  flood: async () => { for (let n = 0; ; n++) { if (!process.stdout.write('flood ' + n + '\\n')) await new Promise((resolve) => process.stdout.once('drain', resolve)); } },
  spin: async ({ ports }) => {
    const server = createServer((request, response) => response.end());
    await new Promise((resolve) => server.listen(ports.http, '127.0.0.1', resolve));
    await pause(1500);
    for (;;);
  },
};
export default (ctx) => acts[ctx.config.act](ctx);`;

let test: TestStack;
let cluster: Cluster;
let agent: NodeAgent;
beforeAll(async () => {
  test = await startTestStack();
  cluster = await Cluster.setUp(test);
  await Promise.all([cluster.pack('service', SERVICE), cluster.pack('hostile', HOSTILE)]);
  const { token } = (await call(cluster.client, 'create_join_token', {})) as { token: string };
  const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
  agent = await startNodeAgent({
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    // So that its folder holds what is worth stealing: a session of its own.
    credentials: { join: { token } },
    name: 'one',
    dataDir: join(test.folder, 'agents'),
    allocatable: { cpu: 64_000, memory: 64_000, storage: 64_000, pods: 100 },
    log: silent,
  });
});
afterAll(async () => {
  await agent?.stop();
  await test?.stop();
});

/** Every reason the pod has had, in their order. */
async function reasons(id: string): Promise<string[]> {
  const { data, error } = await cluster.client.from('events').select('object').eq('object_id', id).order('seq');
  if (error) throw error;
  const all = (data as unknown as { object: Pod }[]).map(({ object }) => object.status_reason);
  return all.filter((reason, at) => reason !== null && reason !== all[at - 1]) as string[];
}

const http = [{ name: 'http', strategy: 'random' }];
const DEADLINE_MS = 60_000;

/** A pod that does one hostile thing on the agent's node, with little memory and no second try. */
function hostile(act: string, changes: { config?: object; [key: string]: unknown } = {}): Promise<string> {
  const { config, ...spec } = changes;
  return cluster.createPod('hostile', {
    config: { act, ...config },
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 1,
    resources: { requests: { cpu: 10, memory: 48 } },
    ...spec,
  });
}

/** Asks a neighbour of hostile pods; its log must tell of it soon, too. */
async function expectServes(neighbour: Pod): Promise<void> {
  const path = `/${randomUUID()}`;
  const answer = await fetch(`http://127.0.0.1:${neighbour.ports.http}${path}`);
  expect(await answer.text()).toBe(neighbour.name);
  await waitFor('the line of the neighbour', async () =>
    (await cluster.logs(neighbour.id)).includes(`asked for ${path}`),
  );
}

// How each refusal and each end looks from within is shown in agent/test; here it is what the cluster sees of it.
describe('hostile pods', () => {
  it('are contained and named, and harm neither their agent nor a neighbour', { timeout: 150_000 }, async () => {
    const livenessProbe = { httpGet: { port: 'http' }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 2 };
    const patient = { httpGet: { port: 'http' }, timeoutSeconds: 20 };
    const neighbour = await cluster.running(
      await cluster.createPod('service', {
        ports: http,
        livenessProbe: patient,
        readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
      }),
    );
    const paths = [
      '/etc/passwd',
      join(agent.dataDir, 'session.json'),
      join(agent.dataDir, 'installation'),
      join(agent.dataDir, 'outbox', 'reports.jsonl'),
      join(agent.dataDir, 'pods', neighbour.id, 'data', '.storage', 'secret.json'),
      `/proc/${process.pid}/environ`,
    ];
    // A refusal means nothing where there is nothing to have.
    for (const path of paths) expect(await readFile(path, 'utf8'), path).not.toBe('');

    const endless = { flood: await hostile('flood'), spin: await hostile('spin', { ports: http, livenessProbe }) };
    const ends = {
      read: { status: 'succeeded', status_reason: 'Completed', exit_code: 0 },
      spawn: {
        status: 'failed',
        status_reason: 'Error',
        exit_code: 1,
        status_message: expect.stringMatching(/Access to this API has been restricted/),
      },
      heap: { status: 'failed', status_reason: 'OOMKilled', exit_code: 134 },
      buffers: {
        status: 'failed',
        status_reason: 'OOMKilled',
        exit_code: 137,
        status_message: expect.stringMatching(/its limit is 48 MB$/),
      },
      exit: { status: 'failed', status_reason: 'Error', exit_code: 7 },
      timer: { status: 'failed', status_reason: 'Error', exit_code: 1, status_message: 'Error: late' },
    };
    const pods = await Promise.all(
      Object.entries(ends).map(async ([act, end]) => ({ act, end, id: await hostile(act, { config: { paths } }) })),
    );
    await waitFor('the count of lines that were lost', async () => {
      const lost = await cluster.client
        .from('pod_logs')
        .select('seq')
        .eq('pod_id', endless.flood)
        .like('message', 'dropped %');
      return (lost.data ?? []).length > 0;
    });
    await expectServes(neighbour);
    const over = (id: string) => cluster.podThat('over', id, ({ finished_at }) => finished_at !== null, DEADLINE_MS);
    for (const { act, end, id } of pods) {
      const pod = await over(id);
      expect(pod, act).toMatchObject(end);
      if (act === 'read')
        await expect
          .poll(() => cluster.logs(id), { timeout: DEADLINE_MS })
          .toEqual(paths.map((path) => `refused ${path} ERR_ACCESS_DENIED`));
    }
    expect(await over(endless.spin), 'spin').toMatchObject({
      status: 'failed',
      status_reason: 'Unhealthy',
      exit_code: 137,
    });
    expect(await cluster.pod(endless.flood), 'flood').toMatchObject({ status: 'running', restarts: 0 });
    await call(cluster.client, 'stop_pods', { p_ids: [endless.flood] });
    expect(await over(endless.flood), 'flood').toMatchObject({
      status: 'stopped',
      status_reason: 'Killed',
      exit_code: 137,
    });

    await expectServes(neighbour);
    expect(await cluster.pod(neighbour.id)).toMatchObject({ status: 'running', ready: true, restarts: 0 });
    const { data } = await cluster.client.from('nodes').select('status, incarnation').eq('name', 'one').single();
    expect(data).toEqual({ status: 'healthy', incarnation: 1 });
  });
});

describe.concurrent('a pod', () => {
  it('that is asked for its health is ready, ended and started again as it answers', { timeout: 90_000 }, async () => {
    const probe = {
      httpGet: { path: '/healthz', port: 'http' },
      periodSeconds: 1,
      timeoutSeconds: 10,
      failureThreshold: 2,
    };
    const id = await cluster.createPod('service', { ports: http, livenessProbe: probe, readinessProbe: probe });
    const { ports } = await cluster.running(id);
    await fetch(`http://127.0.0.1:${ports.http}/break`);
    const again = await cluster.podThat('running again', id, ({ ready, restarts }) => ready && restarts === 1, 60_000);
    expect(again).toMatchObject({ status: 'running', status_reason: null, ports });
    const had = await reasons(id);
    expect(had.filter((reason) => reason !== 'NotReady')).toEqual(
      expect.arrayContaining(['Unhealthy', 'CrashLoopBackOff']),
    );
  });

  it('says that its port is taken, and that it has got it back', { timeout: 60_000 }, async () => {
    const holder = createServer().listen(0, '0.0.0.0');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const id = await cluster.createPod('service', { ports: [{ name: 'http', strategy: 'fixed', port }] });
    const waiting = await cluster.podThat('waiting', id, (pod) => pod.status_reason === 'PortConflict', 30_000);
    expect(waiting).toMatchObject({
      status: 'starting',
      status_message: `port ${port} ("http") is held by a process outside Stark`,
    });
    await new Promise((resolve) => holder.close(resolve));
    const pod = await cluster.podThat('running', id, ({ ready }) => ready, 30_000);
    expect(pod).toMatchObject({ ports: { http: port }, restarts: 0 });
    expect(await reasons(id)).toEqual(['PortConflict', 'PortReclaimed']);
    await call(cluster.client, 'delete_pods', { p_ids: [id] });
  });
});
