import { chmod, mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type FileLock, FileLockError, lockHolder, tryLock } from '@stark-o/file-lock';
import { findControl, prepareControl, refuseForeignControl } from './control-place.js';
import { StackError } from './errors.js';

/** What a running stack answers on the control socket of its data directory. */
export interface ControlHandlers {
  status(): unknown | Promise<unknown>;
  stop(): Promise<void>;
}

interface Answer {
  ok: boolean;
  result?: unknown;
  error?: string;
}

// No socket file, no process behind it, or a file where the data directory should be.
const nobodyListens: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTDIR']);

/**
 * Takes the data directory, or throws DATA_DIR_IN_USE. Who has the lock owns the directory and its socket: a socket that is
 * there already was left behind by a stack that was killed. It is asked nevertheless, because people remove lock files.
 */
export async function takeControl(dataDir: string, handlers: ControlHandlers): Promise<{ release(): void }> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const lock = takeLock(dataDir);
  const server = createServer((socket) => serve(socket, handlers));
  try {
    const path = await prepareControl(dataDir);
    const running = (await askStack(dataDir, 'status')) as { pid?: number } | undefined;
    if (running !== undefined) throw inUse(dataDir, running.pid);
    if (process.platform !== 'win32') await rm(path, { force: true });
    await listen(server, path);
    if (process.platform !== 'win32') await chmod(path, 0o600);
  } catch (error) {
    server.close();
    lock.release();
    throw error;
  }
  return {
    release: () => {
      // This removes the socket, so the lock goes last. Nobody waits for open connections: the one that asked for the stop is
      // still owed its answer.
      server.close();
      lock.release();
    },
  };
}

function takeLock(dataDir: string): FileLock {
  const path = join(dataDir, 'stack.lock');
  try {
    const lock = tryLock(path);
    if (lock === undefined) throw inUse(dataDir, lockHolder(path));
    return lock;
  } catch (cause) {
    if (!(cause instanceof FileLockError)) throw cause;
    throw new StackError('preflight', cause.code, cause.message, {
      hint: 'choose another --data-dir, on a disk of this machine',
      cause,
    });
  }
}

function inUse(dataDir: string, holder: string | number | undefined): StackError {
  const by = holder === undefined ? 'another stack' : `a stack with pid ${holder}`;
  return new StackError('preflight', 'DATA_DIR_IN_USE', `data directory ${dataDir} is in use by ${by}`, {
    hint: `stark down --data-dir ${dataDir}, or choose another --data-dir`,
  });
}

/** Asks the stack that owns a data directory; undefined when none is running there. */
export async function askStack(dataDir: string, command: 'status' | 'stop', deadlineMs = 30_000): Promise<unknown> {
  const path = await findControl(dataDir);
  await refuseForeignControl(path);
  return new Promise((resolvePromise, reject) => {
    const socket = connect(path);
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

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolvePromise, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolvePromise());
  });
}
