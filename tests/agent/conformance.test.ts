import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { call } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ConformanceCase, conformanceCases, type ObservedPod } from '../../agent/conformance/cases.js';
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

/** What was seen of one pod: its state in the end, and what it wrote. */
interface Observation {
  pod: ObservedPod;
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
const observed = new Map<string, Promise<Observation>>();
beforeAll(async () => {
  [test, site, browser, server] = await Promise.all([
    startTestStack(),
    serveNodePage(),
    TestBrowser.start(),
    serveOpenly(),
  ]);
  cluster = await Cluster.setUp(test);
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
  // All at once, since most of them only wait.
  for (const world of WORLDS) {
    for (const one of cases) {
      const seen = observe(one, world);
      seen.catch(() => {}); // Told by the test that asks for it.
      observed.set(`${one.name} ${world}`, seen);
    }
  }
});
afterAll(async () => {
  await Promise.allSettled(observed.values());
  await agent?.stop();
  if (page !== undefined) await stopNode(page).catch(() => {});
  await browser?.stop();
  server?.close();
  await site?.close();
  await test?.stop();
});

async function observe({ pack, spec, stopAfter, until, lines }: ConformanceCase, world: World): Promise<Observation> {
  const id = await cluster.createPod(packName(pack), { ...spec, nodeName: world });
  if (stopAfter !== undefined) {
    await waitFor(`"${stopAfter}"`, async () => (await cluster.logs(id)).includes(stopAfter), { deadlineMs: 30_000 });
    await call(cluster.client, 'stop_pods', { p_ids: [id] });
  }
  const pod = await cluster.podThat('as expected', id, until, 30_000);
  await waitFor('its log to be complete', async () => {
    const before = await linesOf(id);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    return (await linesOf(id)).length === before.length;
  });
  return { pod, lines: (await linesOf(id)).slice(0, lines) };
}

async function linesOf(id: string): Promise<Line[]> {
  const { data, error } = await cluster.client
    .from('pod_logs')
    .select('stream, level, message')
    .eq('pod_id', id)
    .order('seq');
  if (error) throw error;
  const lines = data.map(({ stream, level, message }) => ({ stream, level, message: withoutStack(message) }));
  // Node.js writes to two pipes, and which of them is read first is nobody's promise.
  return [...lines.filter(({ stream }) => stream !== 'stderr'), ...lines.filter(({ stream }) => stream === 'stderr')];
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
  it.each(conformanceCases('').map(({ name }) => name))('%s', async (name) => {
    const { expect: expected } = conformanceCases('').find((one) => one.name === name) as ConformanceCase;
    const [onNode, inChromium] = (await Promise.all(WORLDS.map((world) => observed.get(`${name} ${world}`)))) as [
      Observation,
      Observation,
    ];
    expect(onNode.pod).toMatchObject(expected);
    expect(inChromium.pod).toMatchObject(expected);
    expect(inChromium.lines).toEqual(onNode.lines);
    const text = inChromium.lines
      .map(({ stream, level, message }) => `${stream} ${level ?? '-'} ${message}\n`)
      .join('');
    await expect(text).toMatchFileSnapshot(
      join(root, 'agent', 'conformance', 'lines', `${name.replaceAll(' ', '-')}.txt`),
    );
  });
});
