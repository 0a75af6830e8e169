import { openSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { fileLimits, memoryLimits, PROCESS_LIMITS } from './limits.js';
import { asUser, findProgram, libraries, NODE, settings } from './system.js';
import type { Enclosure, Place, Wall } from './wall.js';
import type { WallFiles } from './wall-files.js';

/** Where bubblewrap finds what it is given beside its arguments; 0 to 3 are the pod's own. */
const SECCOMP_FD = 4;
const INFO_FD = 5;
/** What root keeps until it is the pod's user, who has none of it. It also has to get into a folder that is no longer its own. */
const TO_BECOME_ANOTHER = ['CAP_SETUID', 'CAP_SETGID', 'CAP_DAC_READ_SEARCH'];

/**
 * Namespaces of its own for each pod, by bubblewrap: a file system with nothing in it but what it may read, and its own folder; no
 * process but its own; no new privileges; and a filter of system calls.
 */
export class Bubblewrap implements Wall {
  readonly tier = 'strict';
  readonly by: readonly string[];
  readonly hidesSignals = true;

  constructor(
    private readonly files: WallFiles,
    private readonly programs: { bwrap: string; prlimit: string; setpriv: string | undefined },
  ) {
    this.by = ['bubblewrap', 'seccomp', ...(files.users === undefined ? [] : ['user'])];
  }

  /** The wall as far as its programs are here; whether it holds is for a trial to say. */
  static find(files: WallFiles): Bubblewrap | undefined {
    const [bwrap, prlimit, setpriv] = ['bwrap', 'prlimit', 'setpriv'].map(findProgram);
    if (bwrap === undefined || prlimit === undefined || files.filter === undefined) return undefined;
    if (files.users !== undefined && setpriv === undefined) return undefined;
    return new Bubblewrap(files, { bwrap, prlimit, setpriv });
  }

  enclose({ folder, readable, limits }: Place): Enclosure {
    const { bwrap, prlimit, setpriv } = this.programs;
    const { users, baseMb, root } = this.files;
    const user = users?.own(folder);
    for (const path of readable) users?.share(path, root);
    const system = libraries();
    const read = (path: string) => ['--ro-bind', path, path];
    const programs = [NODE, prlimit, ...(user === undefined ? [] : [setpriv as string])];
    const seen = [...system.folders, ...settings(), ...programs, ...readable, '/etc/passwd', folder];
    const command = [
      bwrap,
      ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
      // Without a session of its own it shares a process group with what is outside, and a signal to the group leaves the namespace.
      ...['--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
      ...(user === undefined
        ? ['--unshare-user']
        : TO_BECOME_ANOTHER.flatMap((capability) => ['--cap-add', capability])),
      ...['--proc', '/proc', '--dev', '/dev'],
      // What it makes by itself on the way to these, nobody but the one who makes it may enter.
      ...(user === undefined ? [] : foldersAbove(seen).flatMap((path) => ['--dir', path])),
      ...system.folders.flatMap(read),
      ...system.links.flatMap(({ path, target }) => ['--symlink', target, path]),
      ...settings().flatMap(read),
      ...['--ro-bind', this.files.passwd(user), '/etc/passwd'],
      ...[...programs, ...readable].flatMap(read),
      ...['--bind', folder, folder, '--chdir', folder],
      // What bubblewrap makes to mount things on is memory, and nothing would bound what a pod writes there.
      ...['--remount-ro', '/dev', '--remount-ro', '/'],
      ...['--seccomp', String(SECCOMP_FD), '--info-fd', String(INFO_FD), '--'],
      ...(user === undefined ? [] : [setpriv as string, ...asUser(user), '--']),
      ...[prlimit, ...fileLimits(limits), ...memoryLimits(limits, baseMb)],
      ...(user !== undefined || countsPerNamespace() ? PROCESS_LIMITS : []),
      '--',
    ];
    return { command, files: [openSync(this.files.filter as string, 'r'), 'pipe'], informs: INFO_FD };
  }
}

/** Every folder that leads to one of these, the upper ones first. */
function foldersAbove(paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths) {
    for (let at = dirname(path); at !== '/'; at = dirname(at)) found.add(at);
  }
  return [...found].sort();
}

/** Since Linux 5.14 the processes of a user are counted for each user namespace; before, all that the user has anywhere. */
function countsPerNamespace(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 5 || (major === 5 && minor >= 14);
}
