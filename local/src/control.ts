import { createHash } from 'node:crypto';
import { chmod, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { StackError } from './errors.js';

/**
 * The control socket of a running stack. It is also the lock on the data directory: whoever listens on it owns the
 * directory, and the kernel takes it away with the process, so a stack that was killed leaves no lock behind and a
 * recycled process id cannot be mistaken for a running stack.
 */
export interface ControlHandlers {
  status(): unknown;
  stop(): Promise<void>;
}

interface Answer {
  ok: boolean;
  result?: unknown;
  error?: string;
}

// sun_path holds 107 bytes; a data directory deeper than that gets its socket in the temporary folder.
const longestSocketPath = 100;

/** Where the control socket of a data directory is. */
export function controlPath(dataDir: string): string {
  const inside = join(resolve(dataDir), 'control.sock');
  const name = `stark-${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return Buffer.byteLength(inside) <= longestSocketPath ? inside : join(tmpdir(), `${name}.sock`);
}

/** Takes the data directory, or throws DATA_DIR_IN_USE. */
export async function takeControl(dataDir: string, handlers: ControlHandlers): Promise<{ release(): Promise<void> }> {
  const path = controlPath(dataDir);
  for (let attempt = 0; attempt < 2; attempt++) {
    const server = createServer((socket) => serve(socket, handlers));
    const taken = await listen(server, path);
    if (taken) {
      if (process.platform !== 'win32') await chmod(path, 0o600);
      return { release: () => closed(server) };
    }
    const owner = await askStack(dataDir, 'status').catch(() => undefined);
    if (owner !== undefined) {
      const { pid } = owner as { pid?: number };
      throw new StackError(
        'preflight',
        'DATA_DIR_IN_USE',
        `data directory ${dataDir} is in use by a stack with pid ${pid}`,
        {
          hint: `stark down --data-dir ${dataDir}, or choose another --data-dir`,
        },
      );
    }
    await rm(path, { force: true });
  }
  throw new StackError('preflight', 'DATA_DIR_IN_USE', `another stark up is taking data directory ${dataDir}`, {
    hint: 'wait for it, then run stark status',
  });
}

/** Asks the stack that owns a data directory; undefined when none is running there. */
export async function askStack(dataDir: string, command: 'status' | 'stop', deadlineMs = 30_000): Promise<unknown> {
  return new Promise((resolvePromise, reject) => {
    const socket = connect(controlPath(dataDir));
    const deadline = setTimeout(() => {
      socket.destroy();
      reject(
        new StackError(
          command,
          'STACK_SILENT',
          `the stack in ${dataDir} did not answer ${command} within ${deadlineMs / 1000} s`,
        ),
      );
    }, deadlineMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(deadline);
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolvePromise(undefined);
      else reject(error);
    });
    socket.once('connect', () => socket.write(`${command}\n`));
    createInterface(socket).once('line', (line) => {
      clearTimeout(deadline);
      socket.end();
      const answer = JSON.parse(line) as Answer;
      if (answer.ok) resolvePromise(answer.result ?? null);
      else reject(new StackError(command, 'STACK_REFUSED', answer.error ?? 'the stack refused'));
    });
  });
}

function serve(socket: Socket, handlers: ControlHandlers): void {
  socket.on('error', () => socket.destroy());
  createInterface(socket).once('line', async (line) => {
    let answer: Answer;
    try {
      if (line === 'status') answer = { ok: true, result: handlers.status() };
      else if (line === 'stop') answer = { ok: true, result: await handlers.stop() };
      else answer = { ok: false, error: `unknown command ${line}` };
    } catch (error) {
      answer = { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    socket.end(`${JSON.stringify(answer)}\n`);
  });
}

function listen(server: Server, path: string): Promise<boolean> {
  return new Promise((resolvePromise, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolvePromise(false);
      else reject(error);
    });
    server.listen(path, () => resolvePromise(true));
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((done) => server.close(() => done()));
}

/** A TCP port of the loopback interface that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await closed(server);
  return port;
}
