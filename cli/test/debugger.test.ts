import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/stark.js', import.meta.url));
const SIGUSR1 = 1n << 9n;
const DEADLINE_MS = 30_000;

let command: ChildProcess | undefined;
afterEach(() => command?.kill('SIGKILL'));

/** A command that waits for a password. The debugger it would open takes any port. */
function start(more: string[] = []): ChildProcess {
  const { NODE_OPTIONS, ...env } = process.env;
  const login = ['auth', 'login', '--email', 'a@example.com', '--password-stdin', '--url', 'http://127.0.0.1:9'];
  const args = ['--inspect-port=0', ...more, BIN, ...login, '--key', 'sb_publishable_none'];
  command = spawn(process.execPath, args, { env, stdio: ['pipe', 'ignore', 'pipe'] });
  return command;
}

async function debuggerOf(child: ChildProcess): Promise<number> {
  let printed = '';
  for await (const [chunk] of onStderr(child)) {
    printed += String(chunk);
    const [, port] = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(printed) ?? [];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`no debugger was opened: ${printed}`);
}

async function* onStderr(child: ChildProcess): AsyncGenerator<unknown[]> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  for (;;) yield await once(child.stderr as NonNullable<typeof child.stderr>, 'data', { signal });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

it.runIf(process.platform === 'linux')('closes a debugger that a signal opened while Node.js started', async () => {
  const child = start();
  const status = `/proc/${child.pid}/status`;
  const heard = () => /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? '0';
  // As soon as it does not end the process any more.
  while ((BigInt(`0x${heard()}`) & SIGUSR1) === 0n);
  child.kill('SIGUSR1');
  const port = await debuggerOf(child);
  const deadline = performance.now() + DEADLINE_MS;
  while ((await answers(port)) && performance.now() < deadline);
  expect(await answers(port)).toBe(false);
  expect(child.exitCode).toBeNull();
});

it('leaves the debugger open that whoever started it asked for', async () => {
  const child = start(['--inspect=127.0.0.1:0']);
  const port = await debuggerOf(child);
  child.stdin?.end();
  expect(await answers(port)).toBe(true);
  await once(child, 'exit');
});
