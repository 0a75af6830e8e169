import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { call, createStarkClient, type Node, type StarkClient } from '@stark-o/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { Cable } from '../harness/cable.js';
import { descendants } from '../harness/processes.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { StatementLog } from '../harness/statement-log.js';
import { waitFor } from '../harness/wait.js';
import { startAgentProcess } from './agent-process.js';
import { ADMIN, Cluster, DEADLINE_MS } from './cluster.js';

const SERVICE = `export default (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));`;
const TIMEOUT_SECONDS = 3;

let test: TestStack;
let cluster: Cluster;
let database: pg.Client;
let statements: StatementLog;
beforeAll(async () => {
  test = await startTestStack();
  statements = await StatementLog.start(await test.superuserUrl(), { ofTheApi: true });
  cluster = await Cluster.setUp(test);
  database = new pg.Client(test.stack.dbUrl);
  await database.connect();
  await cluster.pack('service', SERVICE);
  await call(cluster.client, 'update_cluster_config', {
    p_changes: { heartbeat_interval: 1, heartbeat_timeout: TIMEOUT_SECONDS },
  });
});
const children: ChildProcess[] = [];
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([database?.end(), statements?.stop()]);
  await test?.stop();
});

async function agentOn(name: string, supabaseUrl = test.stack.url): Promise<ChildProcess> {
  const child = await startAgentProcess({
    supabaseUrl,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name,
    dataDir: join(test.folder, 'agents'),
    allocatable: { cpu: 4000, memory: 4096, pods: 50 },
  });
  children.push(child);
  return child;
}

function podProcesses(agent: ChildProcess): { pid: number; command: string }[] {
  return descendants(agent.pid as number).filter(({ command }) => command.includes('/pod/node/child.js'));
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
    // Often: a status may be over again soon.
    { deadlineMs, everyMs: 50 },
  );
}

/** A user with role node, who may join the agents' topics and is nobody's agent. */
async function stranger(): Promise<StarkClient> {
  const { url, keys } = test.stack;
  const account = { email: 'stranger@example.com', password: 'not-so-strange' };
  const client = createStarkClient({
    url,
    key: keys.publishable,
    auth: { persistSession: false },
    realtime: { transport: WebSocket },
  });
  const { data, error } = await client.auth.signUp(account);
  if (error) throw error;
  await call(cluster.client, 'grant_role', { p_user_id: data.user?.id ?? '', p_role: 'node' });
  return client;
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
  it('only the secret key calls the watcher', async () => {
    const { url, keys } = test.stack;
    const post = (headers: Record<string, string>) => {
      const json = { 'content-type': 'application/json', ...headers };
      return fetch(`${url}/functions/v1/watch`, { method: 'POST', headers: json }).then(({ status }) => status);
    };
    expect(await post({})).toBe(401);
    expect(await post({ apikey: keys.publishable })).toBe(401);
    expect(await post({ apikey: `${keys.secret}x` })).toBe(401);
    expect(await post({ apikey: keys.secret, 'content-type': 'text/plain' })).toBe(415);
    expect(await post({ apikey: keys.secret, origin: 'https://evil.example' })).toBe(403);
  });

  it('nobody is declared dead while nobody watches', async () => {
    // Without the address of the project nobody is called to watch.
    const rename = (from: string, to: string) =>
      database.query('select vault.update_secret(id, null, $2) from vault.secrets where name = $1', [from, to]);
    await rename('project_url', 'hidden');
    const agent = await agentOn('unwatched');
    agent.kill('SIGKILL');
    await waitFor('a long silence', async () => (await silence('unwatched')) > TIMEOUT_SECONDS + 1);
    await database.query('select stark_internal.reap_nodes()');
    expect(await node('unwatched')).toMatchObject({ status: 'healthy' });
    await rename('hidden', 'project_url');
    await database.query('select stark_internal.call_watcher()');
    await nodeThat('unwatched', 'offline', 30_000);
  });

  it.concurrent('a node that is killed is unhealthy, then offline, and its pods are evicted, whatever a stranger says in its name', async () => {
    const victim = await agentOn('victim');
    const id = await cluster.createPod('service', { nodeName: 'victim' });
    await cluster.running(id);
    const { id: node_id, incarnation } = await node('victim');
    const forged = { node_id, incarnation, secret: '0'.repeat(64) };
    const other = await stranger();
    const presence = other.channel('stark:presence', { config: { private: true, presence: { key: node_id } } });
    const heartbeat = other.channel('stark:heartbeat', {
      config: { private: true, broadcast: { ack: true }, presence: { enabled: true } },
    });
    const joined = (channel: typeof presence) =>
      new Promise((resolve) => channel.subscribe((status) => status === 'SUBSCRIBED' && resolve(undefined)));
    await Promise.all([joined(presence), joined(heartbeat)]);
    const beat = () => heartbeat.send({ type: 'broadcast', event: 'heartbeat', payload: forged });
    expect(await presence.track(forged)).toBe('ok');
    expect(await presence.untrack()).toBe('ok');
    expect(await beat()).toBe('ok');
    expect(await node('victim')).toMatchObject({ status: 'healthy' });
    expect(await presence.track(forged)).toBe('ok');

    victim.kill('SIGKILL');
    const gone = await nodeThat('victim', 'unhealthy');
    expect(gone.status_reason).toBe('ConnectionLost');
    const beating = setInterval(() => void beat(), 500);
    await nodeThat('victim', 'offline').finally(() => clearInterval(beating));
    expect(await cluster.pod(id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
    await other.realtime.disconnect();
  });

  it.concurrent('a node behind a cut cable runs on, and gives back what was taken from it when the cable is mended', async () => {
    const cable = await Cable.to(test.stack.url);
    const agent = await agentOn('island', cable.url);
    const id = await cluster.createPod('service', { nodeName: 'island' });
    const { incarnation } = await cluster.running(id);
    cable.cut();
    await nodeThat('island', 'offline');
    expect(await cluster.pod(id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
    expect(podProcesses(agent)).toHaveLength(1);
    cable.mend();
    expect(await nodeThat('island', 'healthy')).toMatchObject({ incarnation: (incarnation ?? 0) + 2 });
    await waitFor('the evicted pod to be stopped', () => podProcesses(agent).length === 0);
    expect(await cluster.pod(id)).toMatchObject({ status: 'evicted', status_reason: 'NodeOffline' });
    const next = await cluster.createPod('service', { nodeName: 'island' });
    await cluster.running(next);
    agent.kill('SIGKILL');
    await cable.close();
  });

  it('under thrifty presence alone keeps a node alive', async () => {
    await agentOn('quiet');
    await call(cluster.client, 'update_cluster_config', {
      p_changes: { liveness: 'thrifty', heartbeat_interval: 600 },
    });
    const heard = await waitFor('its last heartbeat', async () => {
      const { rows } = await database.query(
        `select l.renewed_at from stark.node_leases l join stark.nodes n on n.id = l.node_id where n.name = 'quiet' and l.liveness = 'thrifty'`,
      );
      return rows[0];
    });
    await waitFor('a report of the watcher that renews it', async () => {
      const { rows } = await database.query(
        `select from stark.node_leases l join stark.nodes n on n.id = l.node_id
         where n.name = 'quiet' and l.renewed_at > $1::timestamptz + interval '${2 * TIMEOUT_SECONDS} seconds'`,
        [heard.renewed_at],
      );
      return rows.length > 0;
    });
    expect(await node('quiet')).toMatchObject({ status: 'healthy', incarnation: 1 });
  });

  it('and all else changed no row without a WHERE, which hosted Supabase refuses', async () => {
    await call(cluster.client, 'update_node', { p_name: 'quiet', p_labels: { room: 'attic' } });
    const id = await cluster.createPod('service', { nodeName: 'quiet' });
    await cluster.running(id);
    await call(cluster.client, 'stop_pods', { p_ids: [id] });
    await call(cluster.client, 'delete_pods', { p_ids: [id] });
    await waitFor('the pod to go', async () => (await cluster.pod(id)) === undefined);
    await call(cluster.client, 'drain_node', { p_name: 'quiet' });
    const { rows: jobs } = await database.query<{ command: string }>('select command from cron.job');
    for (const { command } of jobs) await database.query(command);
    expect(await statements.unfiltered()).toEqual([]);
    expect(statements.texts).toEqual(
      expect.arrayContaining([
        'delete from pg_temp.pass_nodes where $1',
        'update stark_internal.node_watch w set called_at = p_now where w.only_row',
        expect.stringMatching(/^update stark_internal\.node_watch w set watched = .* where w\.only_row$/),
        expect.stringMatching(/^update stark\.cluster_config c set .* where c\.name = \(\$1\)\.name returning \*$/),
      ]),
    );
  });
}, 240_000);
