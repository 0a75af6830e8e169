import { syncBuiltinESMExports } from 'node:module';
import { connect } from 'node:net';
import os from 'node:os';
import v8 from 'node:v8';
import { isMainThread } from 'node:worker_threads';

/**
 * Closes what Node's permission model leaves open: signals and priorities of other processes of the same user. A signal
 * could end the agent or, as SIGUSR1, open the debugger of any Node.js process. And socket files: behind them are
 * servers that trust whoever may open the file, such as a stack's control socket. A thread may not end or retune the
 * process it shares either. Gives back the way to end this process.
 */
export function harden(): { die(): void } {
  const { pid } = process;
  const rawKill = (process as unknown as { _kill(pid: number, signal: number): number })._kill.bind(process);
  const refuse = (what: string) => () => {
    throw Object.assign(new Error(`${what} is not available in a pod`), { code: 'ERR_ACCESS_DENIED' });
  };
  const killOnlyMyself = (target: number, signal: string | number = 'SIGTERM') => {
    if (target !== pid || !isMainThread) refuse('a signal to another process')();
    const number = typeof signal === 'number' ? signal : os.constants.signals[signal as NodeJS.Signals];
    if (number === undefined) throw new TypeError(`Unknown signal: ${signal}`);
    rawKill(pid, number);
    return true;
  };
  replace(process, 'kill', killOnlyMyself);
  const closed = ['_kill', '_debugProcess', '_debugEnd', 'setuid', 'seteuid', 'setgid', 'setegid', 'setgroups'];
  for (const name of [...closed, 'initgroups']) replace(process, name, refuse(`process.${name}`));
  os.setPriority = refuse('os.setPriority');
  if (!isMainThread) v8.setFlagsFromString = refuse('v8.setFlagsFromString');
  syncBuiltinESMExports();
  const pipe = pipePrototype();
  for (const name of ['connect', 'connect2', 'bind', 'bind2', 'listen']) replace(pipe, name, refuse('a socket file'));
  return { die: () => rawKill(pid, os.constants.signals.SIGKILL) };
}

/** What every socket file is opened through, however a pack gets there (net, http, its own handle). */
function pipePrototype(): object {
  // Nobody answers at a folder; asking is what makes the handle.
  const socket = connect('/').on('error', () => {}) as unknown as { _handle: object; destroy(): void };
  const prototype = Object.getPrototypeOf(socket._handle) as object;
  socket.destroy();
  return prototype;
}

function replace(target: object, name: string, value: unknown): void {
  if (name in target) Object.defineProperty(target, name, { value, writable: false, configurable: false });
}
