import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

/**
 * Closes what Node's permission model leaves open: signals and priorities of other processes of the same user. A signal
 * could end the agent or, as SIGUSR1, open the debugger of any Node.js process. Gives back the way to end this process.
 */
export function harden(): { die(): void } {
  const { kill, pid } = process;
  const die = () => kill.call(process, pid, 'SIGKILL');
  const refuse = (what: string) => () => {
    throw Object.assign(new Error(`${what} is not available in a pod`), { code: 'ERR_ACCESS_DENIED' });
  };
  const own = (target: number, signal?: string | number) => {
    if (target !== pid) return refuse('a signal to another process')();
    return kill.call(process, pid, signal);
  };
  replace(process, 'kill', own);
  const closed = ['_kill', '_debugProcess', '_debugEnd', 'setuid', 'seteuid', 'setgid', 'setegid', 'setgroups'];
  for (const name of [...closed, 'initgroups']) replace(process, name, refuse(`process.${name}`));
  os.setPriority = refuse('os.setPriority');
  syncBuiltinESMExports();
  return { die };
}

function replace(target: object, name: string, value: unknown): void {
  if (name in target) Object.defineProperty(target, name, { value, writable: false, configurable: false });
}
