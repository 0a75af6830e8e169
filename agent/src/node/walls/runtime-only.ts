import { fileLimits } from './limits.js';
import { working } from './system.js';
import type { Enclosure, Place, Wall } from './wall.js';

/**
 * No wall but that of Node.js. Programs of util-linux help where they are: `setpriv` makes the kernel end a pod with its agent, which
 * one that is spinning would not notice, and takes away set-uid programs; `prlimit` bounds each file, faster than any watch could.
 */
export class RuntimeOnly implements Wall {
  readonly tier = 'none';
  readonly by: readonly string[] = [];
  readonly hidesSignals = false;
  readonly #setpriv = working('setpriv', ['--no-new-privs', '--pdeathsig', 'KILL', '--']) ?? [];
  readonly #prlimit = working('prlimit', ['--core=0', '--'])?.[0];

  enclose({ limits }: Place): Enclosure {
    const prlimit = this.#prlimit === undefined ? [] : [this.#prlimit, ...fileLimits(limits), '--'];
    return { command: [...this.#setpriv, ...prlimit] };
  }
}
