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

/** The port of the debugger that a command opens; undefined when it opens none in that time. */
async function debuggerOf(child: ChildProcess, withinMs = DEADLINE_MS): Promise<number | undefined> {
  const signal = AbortSignal.timeout(withinMs);
  let printed = '';
  try {
    for (;;) {
      const [chunk] = await once(child.stderr as NonNullable<typeof child.stderr>, 'data', { signal });
      printed += String(chunk);
      const [, port] = /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(printed) ?? [];
      if (port !== undefined) return Number(port);
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** A command that was signalled before its first line, and the debugger that this opened. */
async function signalledWhileItStarts(): Promise<{ child: ChildProcess; port: number }> {
  // On a busy machine the signal may come too late, when the command's own handler has it and no debugger is opened.
  for (let attempt = 0; attempt < 10; attempt++) {
    const child = start();
    const status = `/proc/${child.pid}/status`;
    const heard = () => /^SigCgt:\s+([0-9a-f]+)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? '0';
    // As soon as it does not end the process any more.
    while ((BigInt(`0x${heard()}`) & SIGUSR1) === 0n);
    child.kill('SIGUSR1');
    const port = await debuggerOf(child, 2_000);
    if (port !== undefined) return { child, port };
    child.kill('SIGKILL');
  }
  throw new Error('no debugger was opened, however often the signal was sent');
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

it.runIf(process.platform === 'linux')('closes a debugger that a signal opened while Node.js started', async () => {
  const { child, port } = await signalledWhileItStarts();
  const deadline = performance.now() + DEADLINE_MS;
  while ((await answers(port)) && performance.now() < deadline);
  expect(await answers(port)).toBe(false);
  expect(child.exitCode).toBeNull();
});

it('leaves the debugger open that its caller asked for', async () => {
  const child = start(['--inspect=127.0.0.1:0']);
  const port = await debuggerOf(child);
  child.stdin?.end();
  expect(await answers(Number(port))).toBe(true);
  await once(child, 'exit');
});
