import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seccompFilter } from './seccomp.js';
import type { UserPool } from './user-pool.js';

/** What walls are given as files: filters, and who a pod is. */
export class WallFiles {
  /** Undefined where the numbers of system calls are not known. */
  readonly filter: string | undefined;
  readonly filterWithoutNamespaces: string | undefined;
  /** What Node.js has of writable memory when it starts; a trial measures it. */
  baseMb = 4096;
  readonly #folder: string;

  constructor(
    /** Of the agent. */
    readonly root: string,
    /** Users that pods are, one each; undefined where the agent may become nobody else. */
    readonly users: UserPool | undefined,
  ) {
    this.#folder = join(root, 'wall');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.filter = this.#write('seccomp', seccompFilter({ namespaces: true }));
    this.filterWithoutNamespaces = this.#write('seccomp-without-namespaces', seccompFilter({ namespaces: false }));
  }

  /** Lets a pod look up who it is, as os.userInfo does; it has no other list of users. */
  passwd(user: number = process.getuid?.() ?? 0): string {
    const path = join(this.#folder, `passwd-${user}`);
    if (!existsSync(path)) writeFileSync(path, `pod:x:${user}:${user}::/:/bin/false\n`, { mode: 0o644 });
    return path;
  }

  #write(name: string, content: Buffer | undefined): string | undefined {
    if (content === undefined) return undefined;
    const path = join(this.#folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }
}
