import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stopStack } from '@stark-o/local/running-stack';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, sharedStark, stark, startStark } from '../harness/command.js';
import { prepareData } from '../harness/prepared-data.js';
import { descendants, waitForEnd } from '../harness/processes.js';
import { root } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

// The whole way a person goes, typed command by typed command, against a real stack and a real agent.
let folder: string;
let dataDir: string;
let env: Record<string, string>;
let agent: ChildProcess | undefined;
const admin = { email: 'ada@example.com', password: 'correct horse battery' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-slice-'));
  dataDir = join(folder, 'data');
  env = { STARK_CONFIG_DIR: join(folder, 'config'), STARK_AGENT_DIR: join(folder, 'agents') };
  await prepareData(dataDir, root);
  await up();
}, 120_000);

afterAll(async () => {
  agent?.kill('SIGKILL');
  await stopStack(dataDir);
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** Starts the stack and gives what the command printed; a process of its own, since what it starts is this program again. */
async function up(): Promise<unknown> {
  const args = ['up', '--detach', '--data-dir', dataDir, '--port', '0', '--db-port', '0', '--output', 'json'];
  const { code, stdout, stderr } = await stark(args, { env });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const run = (args: string[], input?: string) => sharedStark(args, { env, input });

async function ok(args: string[], input?: string): Promise<CommandResult> {
  const result = await run(args, input);
  expect(result.code, `stark ${args.join(' ')}: ${result.stderr}`).toBe(0);
  return result;
}

/** The JSON of a command, held to its schema. */
async function json<T = Record<string, unknown>>(schema: string, args: string[], input?: string): Promise<T> {
  const { stdout } = await ok([...args, '--output', 'json'], input);
  return promised(schema, JSON.parse(stdout)) as T;
}

function promised(schema: string, value: unknown): unknown {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, formats: { uuid: true } });
  const validate = ajv.compile(JSON.parse(readFileSync(join(root, 'cli', 'schemas', `${schema}.json`), 'utf8')));
  validate(value);
  expect(validate.errors, JSON.stringify(value)).toBeNull();
  return value;
}

/** JSON lines of a command that stays, as they come. */
function follow(args: string[]): { child: ChildProcess; lines: Record<string, unknown>[] } {
  const child = startStark(args, { env });
  const lines: Record<string, unknown>[] = [];
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)));
  return { child, lines };
}

/** How many sockets a process listens on. */
function listeners(pid: number): number {
  const inodes = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .flatMap((line) => (line.trim().split(/\s+/)[3] === '0A' ? [line.trim().split(/\s+/)[9]] : []));
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return open.filter((link) => inodes.includes(/^socket:\[(\d+)\]$/.exec(link)?.[1])).length;
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((done) => {
    if (child.exitCode !== null) done(child.exitCode);
    else child.once('exit', done);
  });

describe('the first slice, command by command', () => {
  it('status', async () => {
    const status = await json('status', ['status']);
    expect(status).toMatchObject({ state: 'ready', context: 'local', data_dir: dataDir });
    expect((await ok(['context', 'show', '-o', 'name'])).stdout).toBe('context/local\n');
  });

  it('auth setup, whoami, logout, login', async () => {
    const setup = ['auth', 'setup', '--email', admin.email, '--password-stdin', '--display-name', 'Ada'];
    await json('auth-login', setup, admin.password);
    expect(await run(setup, admin.password)).toMatchObject({ code: 7, stdout: '' });
    expect(await json('auth-whoami', ['auth', 'whoami'])).toMatchObject({
      email: admin.email,
      roles: [{ role: 'admin', namespace: null }],
    });
    expect(await json('auth-logout', ['auth', 'logout'])).toMatchObject({ revoked: true });
    expect(await run(['auth', 'whoami'])).toMatchObject({ code: 4, stdout: '' });
    const login = ['auth', 'login', '--email', admin.email, '--password-stdin'];
    expect(await run(login, 'wrong')).toMatchObject({ code: 4, stdout: '' });
    await ok(login, admin.password);
  });

  it('pack bundle, register, list, versions', async () => {
    const bundle = join(folder, 'alpha.js');
    const { sha256 } = await json('pack-bundle', ['pack', 'bundle', join(root, 'examples', 'alpha'), '--out', bundle]);
    const register = ['pack', 'register', bundle];
    expect(await json('pack-register', register)).toMatchObject({ pack_name: 'alpha', state: 'ready', sha256 });
    expect((await ok(register)).stdout).toContain('already registered');
    expect(await json<unknown[]>('pack-list', ['pack', 'list'])).toMatchObject([
      { name: 'alpha', latest_version: '1.0.0' },
    ]);
    expect(await json<unknown[]>('pack-versions', ['pack', 'versions', 'alpha'])).toMatchObject([
      { version: '1.0.0', sha256 },
    ]);
  });

  it('node agent start, node list', async () => {
    const { child, lines } = follow([
      'node',
      'agent',
      'start',
      '--name',
      'node-1',
      '--label',
      'tier=backend',
      '--pods',
      '5',
      '-o',
      'json',
    ]);
    agent = child;
    promised('node-agent-start', await waitFor('the agent to be up', () => lines[0]));
    const nodes = await waitFor('the node to be healthy', async () => {
      const found = await json<{ status: string }[]>('node-list', ['node', 'list', '-l', 'tier=backend']);
      return found[0]?.status === 'healthy' && found;
    });
    expect(nodes).toMatchObject([{ name: 'node-1', allocatable: { cpu: 1000, memory: 1024, pods: 5 } }]);
    expect((await ok(['node', 'agent', 'list', '-o', 'name'])).stdout).toBe('node/node-1\n');
  }, 60_000);

  it('pod create, list, status, logs, delete, with every change told to a watcher', async () => {
    const watcher = follow(['pod', 'list', '--watch', '-o', 'json']);
    const create = ['pod', 'create', '--pack', 'alpha', '--name', 'web', '--wait=30s'];
    const [pod] = await json<{ ports: { http: number } }[]>('pod-list', create);
    expect(pod).toMatchObject({ name: 'web', status: 'running', ready: true, node_name: 'node-1' });
    const page = await waitFor('the page', () => fetch(`http://127.0.0.1:${pod?.ports.http}/`));
    expect(page.status).toBe(200);

    const [status] = await json<{ events: { type: string }[] }[]>('pod-status', ['pod', 'status', 'web']);
    expect(status?.events[0]).toMatchObject({ type: 'pod.created' });
    const follower = follow(['pod', 'logs', 'web', '--follow', '-o', 'json']);
    await waitFor('a log line', () => follower.lines.length > 0);
    promised('pod-logs', follower.lines[0]);

    expect((await ok(['delete', 'pod/web', '--wait=30s'])).stdout).toBe('pod/web deleted\n');
    expect(await json<unknown[]>('pod-list', ['pod', 'list'])).toEqual([]);
    expect(await ended(follower.child)).toBe(0);

    await waitFor('the watcher to see the end', () => watcher.lines.some(({ type }) => type === 'deleted'));
    watcher.child.kill('SIGINT');
    expect(await ended(watcher.child)).toBe(0);
    for (const line of watcher.lines) promised('pod-watch', line);
    const seen = watcher.lines.map(({ object }) => (object as { status: string }).status);
    expect(seen).toContain('running');
    expect(watcher.lines[0]).toMatchObject({ type: 'added' });
  }, 90_000);

  it('a deployment, with every change told to a watcher and every line of its pods to a follower', async () => {
    const watcher = follow(['get', 'deployments', '--watch', '-o', 'json']);
    const create = ['deployment', 'create', 'web', '--pack', 'alpha', '--min-ready', '0s', '--max-disrupted', '0'];
    await ok([...create, '--port', 'http', '--wait=30s']);
    const follower = startStark(['pod', 'logs', 'deployment/web', '--follow'], { env });
    const logged: string[] = [];
    const said: string[] = [];
    follower.stdout?.on('data', (chunk) => logged.push(String(chunk)));
    follower.stderr?.on('data', (chunk) => said.push(String(chunk)));
    const pods = async () => (await json<{ name: string }[]>('pod-list', ['get', 'pods'])).map(({ name }) => name);
    const prefixed = (names: string[]) => names.every((name) => logged.join('').includes(`[${name}] `));
    const [first = ''] = await pods();
    await waitFor('a line of the first pod', () => prefixed([first]));
    await ok(['deployment', 'scale', 'web', '--replicas', '2', '--wait=30s']);
    const both = await pods();
    expect(both).toHaveLength(2);
    await waitFor('a line of each pod', () => prefixed(both));
    await ok(['rollout', 'restart', 'web', '--wait=60s']);
    const fresh = await pods();
    await waitFor('lines of those that took their place', () => prefixed(fresh));

    // Its only node: no replacement has room elsewhere, and none may be missing.
    const held = await run(['node', 'drain', 'node-1', '--timeout', '1s']);
    expect(held.code, held.stderr).toBe(3);
    expect(held.stderr).toMatch(
      /2 pods left; web-\S+, web-\S+: deployment web has 2 pods available and keeps 2: .* fits on no node/,
    );
    const [draining] = await json<{ draining: boolean }[]>('node-list', ['node', 'list']);
    expect(draining).toMatchObject({ draining: true, unschedulable: true });
    await ok(['node', 'uncordon', 'node-1']);
    expect((await pods()).filter((name) => fresh.includes(name))).toHaveLength(2);

    await ok(['deployment', 'delete', 'web', '--yes', '--wait=30s']);
    expect(await ended(follower)).toBe(0);
    expect(said.join('')).toMatch(/deployment web is gone\n$/);
    for (const name of [...both, ...fresh]) expect(said.join('')).toMatch(new RegExp(`pod ${name} (is gone|stopped)`));
    await waitFor('the watcher to see the end', () => watcher.lines.some(({ type }) => type === 'deleted'));
    watcher.child.kill('SIGINT');
    expect(await ended(watcher.child)).toBe(0);
    const objects = watcher.lines.map(({ object }) => object as Record<string, unknown>);
    for (const object of objects) promised('deployment-list', [object]);
    expect(objects.map(({ available_replicas }) => available_replicas)).toEqual(expect.arrayContaining([1, 2]));
    expect(objects.map(({ revision }) => revision)).toContain(2);
  }, 120_000);

  it('a website, from its project to its page', async () => {
    const registered = await json('pack-register', ['pack', 'register', join(root, 'examples', 'vite-pack')]);
    expect(registered).toMatchObject({ pack_name: 'vite-pack', runtime: 'isomorphic' });
    const create = ['pod', 'create', '--pack', 'vite-pack', '--name', 'site', '--wait=30s'];
    const [pod] = await json<{ ports: { http: number } }[]>('pod-list', create);
    const page = await waitFor('the page', async () => (await fetch(`http://127.0.0.1:${pod?.ports.http}/`)).text());
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page)?.[1];
    const code = await fetch(`http://127.0.0.1:${pod?.ports.http}${script}`);
    expect(code.headers.get('content-type')).toContain('javascript');
    expect(await code.text()).toContain('toLocaleTimeString');
    await ok(['pod', 'delete', 'site', '--wait=30s']);
  }, 60_000);

  it.each<[string, string[], number, RegExp]>([
    ['a pack that nobody registered', ['pod', 'create', '--pack', 'nothing'], 6, /PACK_NOT_FOUND/],
    [
      'a version that nobody registered',
      ['pod', 'create', '--pack', 'alpha', '--ver', '9.9.9'],
      6,
      /VERSION_NOT_FOUND/,
    ],
    ['a node that is not there', ['pod', 'create', '--pack', 'alpha', '--node', 'nowhere'], 6, /NODE_NOT_FOUND/],
    ['a namespace that is not there', ['pod', 'create', '--pack', 'alpha', '-n', 'nowhere'], 6, /NAMESPACE_NOT_FOUND/],
    ['a name that is no DNS label', ['pod', 'create', '--pack', 'alpha', '--name', 'No Name'], 2, /INVALID_NAME/],
    [
      'a pod that fits nowhere',
      ['pod', 'create', '--pack', 'alpha', '--cpu', '64000', '--wait=1s'],
      3,
      /0\/1 nodes: 1 insufficient cpu/,
    ],
    ['a status of nobody', ['pod', 'status', 'nobody'], 6, /POD_NOT_FOUND/],
    ['versions of no pack', ['pack', 'versions', 'alhpa'], 6, /did you mean "alpha"/],
    [
      'a wrong key',
      ['auth', 'login', '--email', 'a@example.com', '--password-file', 'LICENSE', '--key', 'sb_publishable_wrong'],
      4,
      /error: /,
    ],
  ])('refuses %s', async (_, args, code, message) => {
    const result = await run(args);
    expect(result, result.stderr).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
    const { stderr } = await run([...args, '--json']);
    promised('error', JSON.parse(stderr.trim().split('\n').at(-1) ?? ''));
  });

  it('opens no debugger when somebody asks by SIGUSR1: stack, agent and command', async () => {
    const { pid } = await json<{ pid: number }>('status', ['status']);
    const command = startStark(['pod', 'logs', 'nobody', '--follow'], { env });
    const printed: string[] = [];
    for (const child of [command, agent]) child?.stderr?.on('data', (chunk) => printed.push(String(chunk)));
    await waitFor('the command to be at work', () => printed.join('').includes('waiting for'));
    const processes = [pid, agent?.pid, command.pid] as number[];
    const before = processes.map(listeners);
    for (let times = 0; times < 3; times++) {
      for (const one of processes) process.kill(one, 'SIGUSR1');
      // A debugger says where it listens, and it takes no longer than any answer of the same process.
      await json('status', ['status']);
    }
    expect(processes.map(listeners)).toEqual(before);
    expect(printed.join('')).not.toContain('Debugger');
    expect(readFileSync(join(dataDir, 'stack.log'), 'utf8')).not.toContain('Debugger');
    command.kill('SIGINT');
    expect(await ended(command)).toBe(130);
  }, 60_000);

  it('ends the agent with its goodbye on Ctrl-C', async () => {
    await ok(['pod', 'delete', '--all', '--yes', '--wait=20s']);
    agent?.kill('SIGINT');
    expect(await ended(agent as ChildProcess)).toBe(0);
    agent = undefined;
    const [node] = await json<{ status: string }[]>('node-list', ['node', 'list']);
    expect(node?.status).toBe('offline');
  });

  it('down leaves no process and keeps the data; the next up and the session go on', async () => {
    const { pid } = await json<{ pid: number }>('status', ['status']);
    const processes = [{ pid, command: 'stack' }, ...descendants(pid)];
    expect(await json('down', ['down'])).toMatchObject({ stopped: true, pid });
    await waitForEnd(processes);
    expect(await json('down', ['down'])).toMatchObject({ stopped: false });
    expect(await run(['status'])).toMatchObject({ code: 8, stdout: '' });
    expect(await run(['pod', 'list'])).toMatchObject({ code: 8, stdout: '' });

    promised('status', await up());
    // A free port is another place, and a session belongs to its place.
    expect((await run(['auth', 'whoami'])).code).toBe(4);
    await ok(['auth', 'login', '--email', admin.email, '--password-stdin'], admin.password);
    expect((await ok(['pack', 'list', '-o', 'name'])).stdout).toBe('pack/alpha\npack/vite-pack\n');
  }, 120_000);
});
