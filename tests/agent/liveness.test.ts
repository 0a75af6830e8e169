import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { call, type Node } from '@stark-o/core';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { startAgentProcess } from './agent-process.js';
import { ADMIN, Cluster } from './cluster.js';

const SERVICE = `export default (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));`;
const TIMEOUT_SECONDS = 3;

let test: TestStack;
let cluster: Cluster;
let database: pg.Client;
beforeAll(async () => {
  test = await startTestStack();
  cluster = await Cluster.setUp(test);
  database = new pg.Client(test.stack.dbUrl);
  await database.connect();
  await cluster.pack('service', SERVICE);
  await call(cluster.client, 'update_cluster_config', {
    p_changes: { heartbeat_interval: 1, heartbeat_timeout: TIMEOUT_SECONDS },
  });
});
afterAll(async () => {
  await database?.end();
  await test?.stop();
});

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function agentOn(name: string): Promise<ChildProcess> {
  const child = await startAgentProcess({
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name,
    dataDir: join(test.folder, 'agents'),
    allocatable: { cpu: 4000, memory: 4096, pods: 50 },
  });
  children.push(child);
  return child;
}

async function node(name: string): Promise<Node> {
  const { data, error } = await cluster.client.from('nodes').select('*').eq('name', name).single();
  if (error) throw error;
  return data as unknown as Node;
}

function nodeThat(name: string, status: Node['status'], deadlineMs = 20_000): Promise<Node> {
  return waitFor(
    `node ${name} to be ${status}`,
    async () => {
      const now = await node(name);
      return now.status === status ? now : undefined;
    },
    { deadlineMs },
  );
}

async function silence(name: string): Promise<number> {
  const { rows } = await database.query<{ seconds: number }>(
    `select extract(epoch from clock_timestamp() - l.renewed_at)::float as seconds
     from stark.node_leases l join stark.nodes n on n.id = l.node_id where n.name = $1`,
    [name],
  );
  return rows[0]?.seconds ?? 0;
}

describe('liveness', () => {
  it('nobody is declared dead while nobody watches', async () => {
    // Without the address of the project nobody is called to watch.
    const rename = (from: string, to: string) =>
      database.query('select vault.update_secret(id, null, $2) from vault.secrets where name = $1', [from, to]);
    await rename('project_url', 'hidden');
    const agent = await agentOn('unwatched');
    agent.kill('SIGKILL');
    await waitFor('a long silence', async () => (await silence('unwatched')) > 2 * TIMEOUT_SECONDS);
    await database.query('select stark_internal.reap_nodes()');
    expect(await node('unwatched')).toMatchObject({ status: 'healthy' });
    await rename('hidden', 'project_url');
    await database.query('select stark_internal.call_watcher()');
    await nodeThat('unwatched', 'offline', 30_000);
  });

  it('a node that is killed is unhealthy, then offline, and its pods are evicted', async () => {
    const agent = await agentOn('victim');
    const id = await cluster.createPod('service', { nodeName: 'victim' });
    await cluster.running(id);
    agent.kill('SIGKILL');
    const gone = await nodeThat('victim', 'unhealthy');
    expect(gone.status_reason).toBe('ConnectionLost');
    await nodeThat('victim', 'offline');
    expect(await cluster.pod(id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
  });
});
