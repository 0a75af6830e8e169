import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/**
 * Closes what Node's permission model leaves open: signals and priorities of other processes of the same user. A signal
 * could end the agent or, as SIGUSR1, open the debugger of any Node.js process. Gives back the way to end this process.
 */
export function harden(): { die(): void } {
  const { pid } = process;
  const rawKill = (process as unknown as { _kill(pid: number, signal: number): number })._kill.bind(process);
  const refuse = (what: string) => () => {
    throw Object.assign(new Error(`${what} is not available in a pod`), { code: 'ERR_ACCESS_DENIED' });
  };
  const killOnlyMyself = (target: number, signal: string | number = 'SIGTERM') => {
    if (target !== pid) refuse('a signal to another process')();
    const number = typeof signal === 'number' ? signal : os.constants.signals[signal as NodeJS.Signals];
    if (number === undefined) throw new TypeError(`Unknown signal: ${signal}`);
    rawKill(pid, number);
    return true;
  };
  replace(process, 'kill', killOnlyMyself);
  const closed = ['_kill', '_debugProcess', '_debugEnd', 'setuid', 'seteuid', 'setgid', 'setegid', 'setgroups'];
  for (const name of [...closed, 'initgroups']) replace(process, name, refuse(`process.${name}`));
  os.setPriority = refuse('os.setPriority');
  syncBuiltinESMExports();
  return { die: () => rawKill(pid, os.constants.signals.SIGKILL) };
}

function replace(target: object, name: string, value: unknown): void {
  if (name in target) Object.defineProperty(target, name, { value, writable: false, configurable: false });
}
