// Run behind a wall in place of a pod, without the walls of Node.js: it tries what no pod may, and says what came of it.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { CHANNEL_FD } from './channel.js';
import type { TrialReport, TrialTask } from './trial-protocol.js';

const task = JSON.parse(process.argv[2] ?? '{}') as TrialTask;
// Where the number of the agent is its own, behind the wall.
process.on('SIGUSR2', () => {});

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function problemOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return String(error);
  }
}

function listen(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(String(error)));
    server.listen(0, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
}

/** Whether it could connect is for the other side to say. */
function call(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => socket.end('x'));
    socket.on('error', () => {}).once('close', () => resolve());
  });
}

// By whole paths, as a pod's storage does: a process may be in a folder that it would not find again.
function ownFolder(): string | undefined {
  const at = (name: string) => join(process.cwd(), name);
  return problemOf(() => {
    readFileSync(task.bundle);
    writeFileSync(at('file'), 'x');
    mkdirSync(at('folder'));
    renameSync(at('file'), at('folder/file'));
    appendFileSync(at('folder/file'), 'x');
    rmSync(at('folder'), { recursive: true });
  });
}

const status = attempt(() => readFileSync('/proc/self/status', 'utf8')) ?? '';
const field = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1];

const problems = [ownFolder(), await listen()].filter((problem) => problem !== undefined);
const canary = attempt(() => readFileSync(task.canary, 'utf8'));
attempt(() => appendFileSync(task.canary, 'overwritten'));
attempt(() => writeFileSync(task.beside, 'x'));
attempt(() => process.kill(task.agent, 'SIGUSR2'));
const environment = attempt(() => readFileSync(`/proc/${task.agent}/environ`));
for (const path of task.sockets) await call(path);

const report: TrialReport = {
  problems,
  canary,
  environment: environment && createHash('sha256').update(environment).digest('hex'),
  dataMb: Math.ceil(Number(field('VmData') ?? 0) / 1024),
  filtered: field('Seccomp') === '2' && field('NoNewPrivs') === '1',
};
const channel = new Socket({ fd: CHANNEL_FD });
channel.write(`${JSON.stringify(report)}\n`);
// It stays until the agent has measured it.
channel.once('close', () => process.exit(0)).resume();
