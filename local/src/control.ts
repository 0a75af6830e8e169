import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StackError } from './errors.js';

/**
 * The control socket of a running stack. It is also the lock on the data directory: whoever listens on it owns the
 * directory, and the kernel takes it away with the process, so a stack that was killed leaves no lock behind and a
 * recycled process id cannot be mistaken for a running stack.
 */
export interface ControlHandlers {
  status(): unknown | Promise<unknown>;
  stop(): Promise<void>;
}

interface Answer {
  ok: boolean;
  result?: unknown;
  error?: string;
}

// sun_path holds 107 bytes; a data directory deeper than that gets its socket in the temporary folder.
const longestSocketPath = 100;

// A takeover is a few system calls; a lock file older than this belongs to a process that died in the middle.
const takeoverMs = 10_000;

// No socket file, no process behind it, or a file where the data directory should be.
const nobodyListens: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/** Where the control socket of a data directory is. */
export function controlPath(dataDir: string): string {
  const inside = join(resolve(dataDir), 'control.sock');
  const name = `stark-${createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16)}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return Buffer.byteLength(inside) <= longestSocketPath ? inside : join(tmpdir(), `${name}.sock`);
}

/** Takes the data directory, or throws DATA_DIR_IN_USE. */
export async function takeControl(dataDir: string, handlers: ControlHandlers): Promise<{ release(): void }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = controlPath(dataDir);
  const server = createServer((socket) => serve(socket, handlers));
  if (!(await listen(server, path))) await takeOver(server, path, dataDir);
  if (process.platform !== 'win32') await chmod(path, 0o600);
  // Not waiting for open connections: the one that asked for the stop is still owed its answer.
  return { release: () => void server.close() };
}

/**
 * Takes the socket of a stack that is no more. A second one doing the same at the same moment could remove the first
 * one's new socket, so the removal and the new listen stand under a lock file of their own.
 */
async function takeOver(server: Server, path: string, dataDir: string): Promise<void> {
  const lock = `${path}.takeover`;
  const age = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (age > takeoverMs) await rm(lock, { force: true });
  try {
    await writeFile(lock, '', { flag: 'wx' });
  } catch (cause) {
    throw new StackError('preflight', 'DATA_DIR_IN_USE', `another stark up is taking data directory ${dataDir}`, {
      hint: 'wait for it, then run stark status',
      cause,
    });
  }
  try {
    const owner = (await askStack(dataDir, 'status')) as { pid?: number } | undefined;
    if (owner !== undefined) throw inUse(dataDir, owner.pid);
    await rm(path, { force: true });
    if (!(await listen(server, path))) throw inUse(dataDir);
  } finally {
    await rm(lock, { force: true });
  }
}

function inUse(dataDir: string, pid?: number): StackError {
  const by = pid === undefined ? 'another stack' : `a stack with pid ${pid}`;
  return new StackError('preflight', 'DATA_DIR_IN_USE', `data directory ${dataDir} is in use by ${by}`, {
    hint: `stark down --data-dir ${dataDir}, or choose another --data-dir`,
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
      if (nobodyListens.has(error.code ?? '')) resolvePromise(undefined);
      else reject(error);
    });
    socket.once('connect', () => socket.write(`${command}\n`));
    socket.once('close', () => {
      clearTimeout(deadline);
      if (command === 'stop') resolvePromise(null);
      else reject(new StackError(command, 'STACK_SILENT', `the stack in ${dataDir} ended without an answer`));
    });
    readLine(socket, (line) => {
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
  readLine(socket, async (line) => {
    let answer: Answer;
    try {
      if (line === 'status') answer = { ok: true, result: await handlers.status() };
      else if (line === 'stop') answer = { ok: true, result: await handlers.stop() };
      else answer = { ok: false, error: `unknown command ${line}` };
    } catch (error) {
      answer = { ok: false, error: error instanceof Error ? error.message : String(error) };
    }
    socket.end(`${JSON.stringify(answer)}\n`);
  });
}

/** One line, then nothing more; readline would also re-raise the socket's errors as its own. */
function readLine(socket: Socket, use: (line: string) => void): void {
  let text = '';
  const read = (chunk: Buffer) => {
    text += chunk.toString();
    const end = text.indexOf('\n');
    if (end < 0) return;
    socket.off('data', read);
    use(text.slice(0, end));
  };
  socket.on('data', read);
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
