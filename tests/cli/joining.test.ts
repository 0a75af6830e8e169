import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { call, type Pod, type StarkClient } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, Cluster } from '../agent/cluster.js';
import { type CommandResult, sharedStark, startStark } from '../harness/command.js';
import { descendants, waitForEnd } from '../harness/processes.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

const SERVICE = `export default (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));`;
const THIEF = `
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
export default async () => {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (let up = 0; up < 6; up++, folder = dirname(folder)) {
    const text = await readFile(join(folder, 'session.json'), 'utf8').catch((error) => error.code);
    console.log(up + ' ' + text);
  }
};`;

let test: TestStack;
let cluster: Cluster;
const agents: Agent[] = [];

/** A computer: what is typed on it, and what it keeps. */
interface Machine {
  env: Record<string, string>;
  folder: string;
}

interface Agent {
  child: ChildProcess;
  nodeId: string;
  incarnation: number;
  said: () => string;
  ended: Promise<number | null>;
}

beforeAll(async () => {
  test = await startTestStack();
  cluster = await Cluster.setUp(test);
  await cluster.pack('service', SERVICE);
  await cluster.pack('thief', THIEF);
  await ok(office, ['auth', 'login', '--email', ADMIN.email, '--password-stdin'], ADMIN.password);
}, 60_000);
afterAll(async () => {
  for (const { child } of agents) if (child.exitCode === null) child.kill('SIGKILL');
  await test?.stop();
});

const machine = (name: string): Machine => ({
  get env() {
    return {
      STARK_CONFIG_DIR: join(test.folder, name, 'config'),
      STARK_URL: test.stack.url,
      STARK_KEY: test.stack.keys.publishable,
    };
  },
  get folder() {
    return join(test.folder, name, 'agents');
  },
});
const office = machine('office');
const attic = machine('attic');
const cellar = machine('cellar');

const run = ({ env }: Machine, args: string[], input?: string) => sharedStark(args, { env, input });

async function ok(where: Machine, args: string[], input?: string): Promise<CommandResult> {
  const result = await run(where, args, input);
  expect(result.code, `stark ${args.join(' ')}: ${result.stderr}`).toBe(0);
  return result;
}

const makeToken = async (...flags: string[]) => (await ok(office, ['node', 'token', 'create', ...flags])).stdout.trim();

/** Starts an agent, and answers when its node is up or it has ended. */
async function start(
  { env, folder }: Machine,
  ...flags: string[]
): Promise<Agent | { code: number | null; said: string }> {
  const child = startStark(['node', 'agent', 'start', '--data-dir', folder, '--output', 'json', ...flags], { env });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((done) => {
    child.once('close', done);
  });
  const up = new Promise<string>((done) => {
    createInterface(child.stdout as NodeJS.ReadableStream).once('line', done);
  });
  const first = await Promise.race([up, ended]);
  if (typeof first !== 'string') return { code: first, said };
  const { node_id: nodeId, incarnation } = JSON.parse(first);
  const agent = { child, nodeId, incarnation, said: () => said, ended };
  agents.push(agent);
  return agent;
}

async function started(where: Machine, ...flags: string[]): Promise<Agent> {
  const agent = await start(where, ...flags);
  if ('code' in agent) throw new Error(`the agent ended with ${agent.code}:\n${agent.said}`);
  return agent;
}

describe('a machine that a person starts', () => {
  const admin = () => stored(office);
  const stored = ({ env }: Machine): string[] =>
    readdirSync(join(env.STARK_CONFIG_DIR ?? '', 'sessions'))
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        const { accessToken, refreshToken } = JSON.parse(
          readFileSync(join(env.STARK_CONFIG_DIR ?? '', 'sessions', name), 'utf8'),
        );
        return [accessToken, refreshToken];
      });
  const kept = ({ folder }: Machine, name: string) =>
    JSON.parse(readFileSync(join(folder, 'agents', name, 'session.json'), 'utf8'));
  const emailOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).email;

  it.each<[string, string[], () => Record<string, string>]>([
    ['signed in at the command line', [], () => ({})],
    ['by e-mail and password', ['--email', ADMIN.email], () => ({ STARK_PASSWORD: ADMIN.password })],
    ['by an access token', ['--token'], () => ({})],
  ])(
    'gets an account of its own, %s, and never the person’s session',
    async (how, flags, env) => {
      const name = `own-${how.length}`;
      const all = how === 'by an access token' ? [...flags, admin()[0] ?? ''] : flags;
      const where = { ...office, folder: office.folder, env: { ...office.env, ...env() } };
      const label = 'node-restriction.kubernetes.io/room';
      const agent = await started(where, '--name', name, '--label', `${label}=7`, '--label', 'tier=web', ...all);
      const { accessToken } = kept(office, name);
      expect(emailOf(accessToken)).toMatch(/^node-.*@nodes\.stark\.invalid$/);
      const files = readdirSync(join(office.folder, 'agents', name), { recursive: true, withFileTypes: true });
      for (const file of files.filter((entry) => entry.isFile())) {
        const text = readFileSync(join(file.parentPath, file.name), 'utf8');
        for (const secret of [...admin(), ADMIN.password]) expect(text).not.toContain(secret);
      }
      const { stdout } = await ok(office, ['node', 'list', name, '--output', 'json']);
      expect(JSON.parse(stdout)).toMatchObject([{ status: 'healthy', labels: { [label]: '7', tier: 'web' } }]);
      // The account speaks for its node and does nothing else.
      const asNode = await fetch(`${test.stack.url}/rest/v1/rpc/create_join_token`, {
        method: 'POST',
        headers: {
          apikey: test.stack.keys.publishable,
          authorization: `Bearer ${accessToken}`,
          'content-type': 'application/json',
          'content-profile': 'stark',
        },
        body: '{}',
      });
      expect(asNode.status).toBe(403);
      agent.child.kill('SIGINT');
      expect(await agent.ended).toBe(0);
      if (how !== 'by e-mail and password') return;
      // And comes back by itself, with the same command and nobody's password.
      const again = await started(office, '--name', name, '--label', `${label}=7`);
      expect(again.nodeId).toBe(agent.nodeId);
      again.child.kill('SIGINT');
      expect(await again.ended).toBe(0);
      await ok(office, ['node', 'delete', name, '--yes']);
    },
    60_000,
  );
});

describe('whose pods a machine takes', () => {
  let neighbour: StarkClient;

  beforeAll(async () => {
    neighbour = await cluster.person('neighbour', 'developer');
    await cluster.pack('neighbours', SERVICE, SERVICE, 'node', neighbour);
    await call(neighbour, 'update_pack', { p_name: 'neighbours', p_visibility: 'public' });
    await call(cluster.client, 'create_namespace', { p_name: 'team' });
  });

  // Where a wall is missing its agent does not start, and says why.
  it.each<[string, string[], string, string[]]>([
    ['none', [], 'owner', []],
    ['none', ['--accept', 'anyone'], 'anyone', []],
    ['none', ['--accept', 'namespaces', '--accept-namespace', 'team'], 'namespaces', ['team']],
    ['strict', ['--accept', 'owner'], 'owner', []],
    ['standard', [], 'anyone', []],
  ])(
    'behind the wall %s with flags %j: %s',
    async (tier, flags, accepts, namespaces) => {
      const name = ['takes', tier, ...flags].join('-').replaceAll(/-+/g, '-');
      const agent = await start(office, '--name', name, '--isolation', tier, ...flags);
      if ('code' in agent) {
        expect(JSON.parse(agent.said).error).toMatchObject({ code: 'ISOLATION_UNAVAILABLE' });
        expect(tier, 'Node.js alone is everywhere').not.toBe('none');
        return console.warn(`SKIPPED: whose pods a machine takes behind the wall "${tier}": there is none here`);
      }
      const { stdout } = await ok(office, ['node', 'list', name, '--output', 'json']);
      const isTainted = tier === 'none' && accepts !== 'anyone';
      expect(JSON.parse(stdout)).toMatchObject([
        {
          accepts,
          accepted_namespaces: namespaces,
          labels: { 'stark/isolation': tier },
          taints: isTainted ? [{ key: 'stark/unisolated', effect: 'NoSchedule' }] : [],
        },
      ]);
      // And what it tells is what the cluster does with a neighbour's public pack.
      const isTaken = async (namespace: string) => {
        const pods = [{ pack: 'neighbours', namespace, spec: { nodeName: name } }];
        const [pod] = (await call(neighbour, 'create_pods', { p_pods: pods })) as unknown as Pod[];
        await call(neighbour, 'delete_pods', { p_ids: [pod?.id ?? ''] });
        return pod?.status === 'scheduled';
      };
      expect([await isTaken('default'), await isTaken('team')]).toEqual([
        accepts === 'anyone',
        accepts === 'anyone' || namespaces.includes('team'),
      ]);
      agent.child.kill('SIGINT');
      expect(await agent.ended).toBe(0);
      await ok(office, ['node', 'delete', name, '--force', '--yes']);
    },
    60_000,
  );
});

describe('a second machine', () => {
  let agent: Agent;
  const session = () => join(attic.folder, 'agents', 'attic', 'session.json');

  it('joins by a token, with the token’s labels, and nobody signed in on it', async () => {
    const token = await makeToken('--label', 'zone=b', '--taint', 'dedicated=attic:NoSchedule');
    agent = await started(attic, '--name', 'attic', '--label', 'zone=a', '--label', 'tier=web', '--token', token);
    expect(statSync(session()).mode & 0o777).toBe(0o600);
    const { stdout } = await ok(office, ['node', 'list', 'attic', '--output', 'json']);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        labels: { zone: 'b', tier: 'web', 'stark/isolation': 'none' },
        taints: [
          { key: 'dedicated', value: 'attic', effect: 'NoSchedule' },
          { key: 'stark/unisolated', effect: 'NoSchedule' },
        ],
      },
    ]);
    expect((await run(attic, ['node', 'list'])).code).toBe(4);
    const again = await start(cellar, '--name', 'cellar', '--token', token);
    expect(again).toMatchObject({ code: 5, said: expect.stringContaining('JOIN_TOKEN_USED_UP') });
  });

  it('comes back as the same node without any token', async () => {
    agent.child.kill('SIGKILL');
    await agent.ended;
    const back = await started(attic, '--name', 'attic');
    expect(back).toMatchObject({ nodeId: agent.nodeId, incarnation: agent.incarnation + 1 });
    agent = back;
  });

  it('keeps its session from its pods', async () => {
    const id = await cluster.createPod('thief', {
      nodeName: 'attic',
      restartPolicy: 'Never',
      tolerations: [{ operator: 'Exists' }],
    });
    await cluster.podThat('over', id, ({ status }) => status === 'succeeded');
    const lines = await waitFor('its lines', async () => {
      const all = await cluster.logs(id);
      return all.length >= 6 ? all : undefined;
    });
    expect(lines.map((line) => line.slice(2))).toEqual(Array(6).fill('ERR_ACCESS_DENIED'));
  });

  it('is drained, cordoned and uncordoned from afar', async () => {
    const id = await cluster.createPod('service', { nodeName: 'attic', tolerations: [{ operator: 'Exists' }] });
    await cluster.running(id);
    const { stdout } = await ok(office, ['node', 'drain', 'attic', '--wait=30s']);
    expect(stdout).toBe('node/attic cordoned, drained of 1 pod\n');
    expect((await ok(office, ['node', 'list', 'attic'])).stdout).toContain('healthy,cordoned');
    await ok(office, ['node', 'uncordon', 'attic']);
    expect((await ok(office, ['node', 'list', 'attic'])).stdout).not.toContain('cordoned');
  });

  it('is not another’s to be: a machine that joins under its name is refused', async () => {
    const refused = await start(cellar, '--name', 'attic', '--token', await makeToken());
    expect(refused).toMatchObject({ code: 7, said: expect.stringContaining('NODE_NAME_TAKEN') });
  });

  it('that is deleted stops its pods at once, ends with 9 and keeps nothing', async () => {
    const id = await cluster.createPod('service', { nodeName: 'attic', tolerations: [{ operator: 'Exists' }] });
    await cluster.running(id);
    const pods = descendants(agent.child.pid as number);
    expect(pods.length).toBeGreaterThan(0);
    expect((await run(office, ['node', 'delete', 'attic'])).code).toBe(7);
    const before = performance.now();
    await ok(office, ['node', 'delete', 'attic', '--force', '--yes']);
    expect(await agent.ended).toBe(9);
    expect(performance.now() - before).toBeLessThan(15_000);
    expect(agent.said()).toContain('"code":"NODE_REMOVED"');
    expect(agent.said()).toContain('stark node token create');
    await waitForEnd(pods, 5_000);
    expect(existsSync(session())).toBe(false);
    const stranger = await start(attic, '--name', 'attic');
    expect(stranger).toMatchObject({ code: 5, said: expect.stringContaining('NODE_REGISTRATION_CLOSED') });
  });
});

describe('an agent', () => {
  it('whose account is disabled ends with 9, and comes back when it is enabled', async () => {
    const agent = await started(attic, '--name', 'suspect', '--token', await makeToken());
    const { data } = await cluster.client.from('nodes').select('agent_id').eq('name', 'suspect').single();
    const user = { p_user_id: data?.agent_id as string };
    await call(cluster.client, 'disable_user', user);
    expect(await agent.ended).toBe(9);
    expect(agent.said()).toContain('is disabled');
    expect(await start(attic, '--name', 'suspect')).toMatchObject({ code: expect.any(Number) });
    await call(cluster.client, 'enable_user', user);
    const back = await started(attic, '--name', 'suspect');
    expect(back.nodeId).toBe(agent.nodeId);
    // Its terminal is closed: nobody reads it any more, and it says goodbye all the same.
    back.child.stderr?.destroy();
    back.child.kill('SIGHUP');
    expect(await back.ended).toBe(0);
  });

  it('of one account under one name on two machines: the second is refused while the first is there', async () => {
    const account = { email: 'machines@example.com', password: 'correct horse battery' };
    const { data } = await cluster.client.auth.getSession();
    const made = await fetch(`${test.stack.url}/functions/v1/api/auth/users`, {
      method: 'POST',
      headers: {
        apikey: test.stack.keys.publishable,
        authorization: `Bearer ${data.session?.access_token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ ...account, role: 'node' }),
    });
    expect(made.status).toBe(201);
    const flags = ['--name', 'twin', '--email', account.email];
    const password = { env: { ...attic.env, STARK_PASSWORD: account.password }, folder: attic.folder };
    const elsewhere = { env: { ...cellar.env, STARK_PASSWORD: account.password }, folder: cellar.folder };
    const first = await started(password, ...flags);
    const refused = await start(elsewhere, ...flags);
    expect(refused).toMatchObject({ code: 7, said: expect.stringContaining('NODE_CONNECTED') });
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    const second = await started(elsewhere, ...flags);
    expect(second).toMatchObject({ nodeId: first.nodeId, incarnation: first.incarnation + 1 });
  });

  it('of one person under one name on two machines: the second is refused, since each has an account of its own', async () => {
    const flags = ['--name', 'double', '--email', ADMIN.email];
    const here = { env: { ...attic.env, STARK_PASSWORD: ADMIN.password }, folder: attic.folder };
    const elsewhere = { env: { ...cellar.env, STARK_PASSWORD: ADMIN.password }, folder: cellar.folder };
    const first = await started(here, ...flags);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    const refused = await start(elsewhere, ...flags);
    expect(refused).toMatchObject({ code: 7, said: expect.stringContaining('NODE_NAME_TAKEN') });
  });

  it('joins as a stranger where the configuration lets it', async () => {
    await call(cluster.client, 'update_cluster_config', { p_changes: { allow_node_registration: true } });
    const agent = await started(machine('street'), '--name', 'stranger');
    expect((await ok(office, ['node', 'list', 'stranger'])).stdout).toContain('healthy');
    agent.child.kill('SIGINT');
    expect(await agent.ended).toBe(0);
  });
});
