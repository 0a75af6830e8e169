import { existsSync, statSync } from 'node:fs';
import { fileLimits, memoryLimits, PROCESS_LIMITS } from './limits.js';
import { asUser, findProgram, libraries, NODE, settings } from './system.js';
import type { Enclosure, Place, Wall } from './wall.js';
import type { WallFiles } from './wall-files.js';

const READ_FILE = 'read-file';
const READ = 'read-file,read-dir';
const RUN = 'read-file,read-dir,execute';
const OWN = 'read-file,read-dir,write-file,remove-dir,remove-file,make-dir,make-reg,make-sym,refer,truncate';

/**
 * Landlock and a filter of system calls, by `setpriv` of util-linux 2.41: the pod opens no file but what it may, and signals and traces
 * nobody. It sees what other processes are called, and that files exist.
 */
export class Landlock implements Wall {
  readonly tier = 'standard';
  readonly by: readonly string[];
  readonly hidesSignals = false;

  constructor(
    private readonly files: WallFiles,
    private readonly programs: { setpriv: string; prlimit: string },
  ) {
    this.by = ['landlock', 'seccomp', ...(files.users === undefined ? [] : ['user'])];
  }

  /** The wall as far as its programs are here; whether it holds is for a trial to say. */
  static find(files: WallFiles): Landlock | undefined {
    const [setpriv, prlimit] = ['setpriv', 'prlimit'].map(findProgram);
    if (setpriv === undefined || prlimit === undefined || files.filterWithoutNamespaces === undefined) return undefined;
    return new Landlock(files, { setpriv, prlimit });
  }

  enclose({ folder, readable, limits }: Place): Enclosure {
    const { setpriv, prlimit } = this.programs;
    const { users, baseMb, filterWithoutNamespaces, root } = this.files;
    const user = users?.own(folder);
    for (const place of [folder, ...readable]) users?.open(place, root);
    for (const path of readable) users?.share(path, root);
    const rules = [
      ...libraries().folders.map((path) => rule(RUN, path)),
      rule(`${READ_FILE},execute`, NODE),
      ...[...settings(), '/etc/passwd', ...readable].map((path) =>
        rule(statSync(path).isDirectory() ? READ : READ_FILE, path),
      ),
      rule(READ, '/proc'),
      rule(`${READ_FILE},write-file`, '/dev/null'),
      ...['/dev/urandom', '/dev/random'].filter((path) => existsSync(path)).map((path) => rule(READ_FILE, path)),
      rule(OWN, folder),
    ];
    return {
      command: [
        // First, since nothing but Node.js may be executed behind the wall.
        ...[prlimit, ...fileLimits(limits), ...memoryLimits(limits, baseMb)],
        ...(user === undefined ? [] : PROCESS_LIMITS),
        ...['--', setpriv, '--no-new-privs', '--pdeathsig', 'KILL'],
        ...(user === undefined ? [] : [...asUser(user), '--bounding-set=-all']),
        ...['--landlock-access', 'fs', ...rules.flatMap((each) => ['--landlock-rule', each])],
        ...['--seccomp-filter', filterWithoutNamespaces as string, '--'],
      ],
    };
  }
}

function rule(access: string, path: string): string {
  return `path-beneath:${access}:${path}`;
}
