import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';

const SERVICE = `
import { createServer } from 'node:http';
export default async (ctx) => {
  const server = createServer((request, response) => {
    ctx.log.info('asked for ' + request.url);
    response.end('here');
    if (request.url === '/crash') setTimeout(() => { throw new Error('asked to'); }, 20);
  });
  await new Promise((resolve) => server.listen(ctx.ports.http, '127.0.0.1', resolve));
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
};`;

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const ports = { ports: [{ name: 'http', strategy: 'random' }] };

let folder: string;
let test: TestStack;
let cluster: Cluster;
let agent: NodeAgent;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-outage-'));
  test = await startTestStack({ dataDir: join(folder, 'data') });
  cluster = await Cluster.setUp(test);
  await cluster.pack('service', SERVICE);
  agent = await startNodeAgent({
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name: 'steady',
    dataDir: join(folder, 'agents'),
    log: silent,
  });
});
afterAll(async () => {
  await agent?.stop();
  await test?.stop();
  await rm(folder, { recursive: true, force: true });
});

function get(port: number | undefined, path: string): Promise<string> {
  return fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text());
}

describe('with the control plane away', () => {
  it('pods run on, crashes are restarted, and all of it is told afterwards', async () => {
    const id = await cluster.createPod('service', ports);
    const before = await cluster.running(id);
    const { http } = before.ports;
    const url = new URL(test.stack.url);
    const database = new URL(test.stack.dbUrl);
    await test.stack.stop();

    expect(await get(http, '/while-away')).toBe('here');
    await get(http, '/crash');
    // Back after its back-off of a second, on the port it had.
    await waitFor('the pod to serve again', () => get(http, '/back').catch(() => undefined));

    test = await startTestStack({
      dataDir: join(folder, 'data'),
      port: Number(url.port),
      dbPort: Number(database.port),
    });
    const after = await cluster.podThat(
      'told of',
      id,
      ({ status, restarts }) => status === 'running' && restarts === 1,
      45_000,
    );
    expect(after).toMatchObject({ ports: { http }, incarnation: before.incarnation, exit_code: 1 });
    const lines = await waitFor('the lines of the outage', async () => {
      const all = await cluster.logs(id);
      return all.includes('asked for /back') ? all : undefined;
    });
    expect(lines).toContain('asked for /while-away');
    expect(lines).toContain('asked for /crash');
  });

  it('commands arrive again at once when it is back', async () => {
    await waitFor(
      'a pod to start within two seconds',
      async () => {
        const started = performance.now();
        await cluster.running(await cluster.createPod('service', ports));
        return performance.now() - started < 2_000;
      },
      { deadlineMs: 45_000 },
    );
  });
}, 120_000);
