import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call, type Pod } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceCase, conformanceCases } from '../../agent/conformance/cases.js';
import { TestBrowser } from '../harness/chromium.js';
import { root, startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';
import { becomeNode, serveNodePage, stopNode } from './node-page.js';

interface Line {
  stream: string;
  level: string | null;
  message: string;
}

/** One case in one world: the state it was waited for, and what the pod wrote. */
interface Observation {
  one: ConformanceCase;
  world: World;
  id: string;
  stopped: boolean;
  pod: Pod | undefined;
  lines: Line[];
}

const WORLDS = ['node', 'chromium'] as const;
type World = (typeof WORLDS)[number];

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const allocatable = { cpu: 64_000, memory: 65_536, pods: 100 };

let test: TestStack;
let cluster: Cluster;
let agent: NodeAgent;
let browser: TestBrowser;
let site: Awaited<ReturnType<typeof serveNodePage>>;
let server: { url: string; close(): void };
let page: Awaited<ReturnType<TestBrowser['open']>>;
let observed: Observation[];
beforeAll(async () => {
  [test, site, browser, server] = await Promise.all([
    startTestStack(),
    serveNodePage(),
    TestBrowser.start(),
    serveOpenly(),
  ]);
  cluster = await Cluster.setUp(test);
  await call(cluster.client, 'update_cluster_config', { p_changes: { heartbeat_interval: 2 } });
  const cases = conformanceCases(server.url);
  for (const pack of new Set(cases.map((one) => one.pack))) {
    const source = await readFile(join(root, 'agent', 'conformance', 'packs', pack), 'utf8');
    await cluster.pack(packName(pack), source, source, 'isomorphic');
  }
  const { url, keys } = test.stack;
  agent = await startNodeAgent({
    supabaseUrl: url,
    key: keys.publishable,
    credentials: ADMIN,
    name: 'node',
    dataDir: join(test.folder, 'agents'),
    allocatable,
    log: silent,
  });
  page = await browser.open(site.url);
  await becomeNode(page, { url, key: keys.publishable, credentials: ADMIN, name: 'chromium', allocatable });
  observed = await observeAll(cases);
});
afterAll(async () => {
  await agent?.stop();
  if (page !== undefined) await stopNode(page).catch(() => {});
  await browser?.stop();
  server?.close();
  await site?.close();
  await test?.stop();
});

/** Runs every case in both worlds, all at once since most of them only wait, and asks for all of them together. */
async function observeAll(cases: readonly ConformanceCase[]): Promise<Observation[]> {
  const wanted = WORLDS.flatMap((world) => cases.map((one) => ({ one, world })));
  const pods = wanted.map(({ one, world }) => ({ pack: packName(one.pack), spec: { ...one.spec, nodeName: world } }));
  const created = (await call(cluster.client, 'create_pods', { p_pods: pods })) as unknown as Pod[];
  const all: Observation[] = wanted.map((want, at) => {
    return { ...want, id: (created[at] as Pod).id, stopped: false, pod: undefined, lines: [] };
  });
  await waitFor('every pod to be as expected', () => look(all), { deadlineMs: 90_000, everyMs: 250 }).catch((error) => {
    const late = all.filter(({ pod }) => pod === undefined).map(({ one, world }) => `${one.name} on ${world}`);
    throw new Error(`${error.message}; not there: ${late.join(', ')}`);
  });
  let before = -1;
  await waitFor(
    'the logs to be complete',
    async () => {
      await look(all);
      const count = all.reduce((sum, { lines }) => sum + lines.length, 0);
      const settled = count === before;
      before = count;
      return settled;
    },
    { everyMs: 1_500 },
  );
  return all;
}

async function look(all: Observation[]): Promise<boolean> {
  const ids = all.map(({ id }) => id);
  const [pods, lines] = await Promise.all([
    cluster.client.from('pods').select('*').in('id', ids),
    cluster.client.from('pod_logs').select('pod_id, stream, level, message').in('pod_id', ids).order('seq'),
  ]);
  if (pods.error ?? lines.error) throw pods.error ?? lines.error;
  for (const seen of all) {
    const pod = (pods.data as unknown as Pod[]).find(({ id }) => id === seen.id);
    if (pod !== undefined && seen.one.until(pod)) seen.pod ??= pod;
    seen.lines = byStream((lines.data as (Line & { pod_id: string })[]).filter(({ pod_id }) => pod_id === seen.id));
  }
  const toStop = all.filter(
    ({ one, stopped, lines }) => !stopped && lines.some(({ message }) => message === one.stopAfter),
  );
  for (const seen of toStop) seen.stopped = true;
  if (toStop.length > 0) await call(cluster.client, 'stop_pods', { p_ids: toStop.map(({ id }) => id) });
  return all.every(({ pod }) => pod !== undefined);
}

/** Node.js writes to two pipes, and which of them is read first is nobody's promise. */
function byStream(lines: readonly Line[]): Line[] {
  const plain = lines.map(({ stream, level, message }) => ({ stream, level, message: withoutStack(message) }));
  return [...plain.filter(({ stream }) => stream !== 'stderr'), ...plain.filter(({ stream }) => stream === 'stderr')];
}

function withoutStack(message: string): string {
  return message.split(/\n {4}at /, 1)[0] ?? '';
}

function packName(file: string): string {
  return `conformance-${file.replace(/\.\w+$/, '')}`;
}

/** What packs fetch from: a server that lets pages of every origin read its answers. */
async function serveOpenly(): Promise<typeof server> {
  const http: Server = createServer((request, response) => {
    const headers = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'content-type' };
    const send = (status: number, type: string, body: string | Buffer) =>
      response.writeHead(status, { ...headers, 'content-type': type }).end(body);
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (request.method === 'OPTIONS') send(204, 'text/plain', '');
    else if (path === '/json') send(200, 'application/json', JSON.stringify({ path: request.url }));
    else if (path === '/bytes') send(200, 'application/octet-stream', Buffer.from([0, 1, 254, 255]));
    else if (path === '/echo') {
      response.writeHead(200, { ...headers, 'content-type': 'application/json' });
      request.pipe(response);
    } else if (path === '/stream') {
      response.writeHead(200, headers).write('first, ');
      setTimeout(() => response.end('second'), 50);
    } else if (path !== '/never') send(404, 'text/plain', 'missing');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () => {
      http.close();
      http.closeAllConnections();
    },
  };
}

describe('a pack on Node.js and in Chromium', () => {
  it.each(conformanceCases(''))('$name', async ({ name, expect: expected, lines }) => {
    const [onNode, inChromium] = WORLDS.map((at) =>
      observed.find(({ one, world }) => one.name === name && world === at),
    ) as [Observation, Observation];
    expect(onNode.pod).toMatchObject(expected);
    expect(inChromium.pod).toMatchObject(expected);
    const written = inChromium.lines.slice(0, lines);
    expect(written).toEqual(onNode.lines.slice(0, lines));
    const text = written.map(({ stream, level, message }) => `${stream} ${level ?? '-'} ${message}\n`).join('');
    await expect(text).toMatchFileSnapshot(
      join(root, 'agent', 'conformance', 'lines', `${name.replaceAll(' ', '-')}.txt`),
    );
  });

  it('tells its numbers with the heartbeats of its node', async () => {
    const told = await waitFor('the numbers of both', async () => {
      const { data } = await cluster.client.from('node_leases').select('usage');
      const usages = (data ?? []) as unknown as { usage: { pods?: Record<string, { metrics?: object }> } }[];
      const numbers = usages.map(({ usage }) =>
        Object.values(usage.pods ?? {}).flatMap(({ metrics }) => metrics ?? []),
      );
      return numbers.every((of) => of.length > 0) && numbers;
    });
    expect(told).toEqual([[{ queue: 5 }], [{ queue: 5 }]]);
  });
});
