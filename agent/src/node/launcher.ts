import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageFolders } from './package-folders.js';
import type { PodLimits } from './pod-limits.js';

/** What a pod's process may touch and use. */
export interface LaunchLimits extends PodLimits {
  bundle: string;
  dataDir: string;
  env: Record<string, string>;
}

// Programs of util-linux that start another one. `setpriv` makes the kernel end a pod with its agent, which one that is
// spinning would not notice, and takes away set-uid programs; `prlimit` bounds each file, faster than any watch could.
const SETPRIV = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--'];

/** Nice levels below the agent, which then gets three times a pod's share where they compete. */
const POD_NICENESS = 5;

const RUNTIME = fileURLToPath(new URL('../runtime/node-child.js', import.meta.url));

/** Starts the processes of pods, each as closed in as this version of Node.js and this system allow. */
export class Launcher {
  readonly #libraries: string[];
  readonly #setpriv = works(SETPRIV);
  readonly #prlimit = works(prlimit(1));

  constructor(private readonly runtime = RUNTIME) {
    this.#libraries = packageFolders(['@supabase/supabase-js', 'ws'], dirname(runtime));
  }

  spawn(limits: LaunchLimits): ChildProcess {
    const flags = this.#flags(limits);
    if (limits.memoryMb > 0) flags.push(`--max-old-space-size=${limits.memoryMb}`);
    const wrapper = this.#prlimit ? prlimit(limits.storageMb) : [];
    return this.#start(wrapper, [...flags, this.runtime], limits.dataDir, limits.env);
  }

  /**
   * Starts a process that runs pods as threads. It may make threads, read the runtime, and nothing else. It works in a folder that
   * pods may read anyway: Node.js 22 and 24 open the folder of the process to each of its threads, whatever their flags say.
   */
  spawnHost(): ChildProcess {
    const directory = dirname(this.runtime);
    const script = join(directory, 'node-host.js');
    const flags = [...permissionFlags(), '--allow-worker', '--disable-warning=SecurityWarning', ...this.#readable()];
    return this.#start([], [...flags, script], directory, {});
  }

  /** What a thread may touch, whatever its process may. */
  threadFlags(place: { bundle: string; dataDir: string }): string[] {
    return [...this.#flags(place), '--allow-fs-read=/proc/thread-self/stat'];
  }

  #start(wrapper: string[], node: string[], cwd: string, env: Record<string, string>): ChildProcess {
    const all = [...(this.#setpriv ? SETPRIV : []), ...wrapper, process.execPath, ...node];
    const [command, ...args] = all;
    const child = spawn(command as string, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C in the agent's terminal is the agent's business, and a kill reaches the whole group.
      detached: true,
    });
    if (child.pid !== undefined) giveWay(child.pid);
    return child;
  }

  #flags({ bundle, dataDir }: { bundle: string; dataDir: string }): string[] {
    return [
      ...permissionFlags(),
      ...this.#readable(),
      // What `ctx.supabase` loads.
      ...this.#libraries.map((folder) => `--allow-fs-read=${join(folder, '*')}`),
      `--allow-fs-read=${bundle}`,
      `--allow-fs-read=${join(dataDir, '*')}`,
      `--allow-fs-write=${join(dataDir, '*')}`,
    ];
  }

  #readable(): string[] {
    const code = dirname(dirname(this.runtime));
    // The package's own file tells Node that the others are modules.
    return [`--allow-fs-read=${join(code, '*')}`, `--allow-fs-read=${join(code, '..', 'package.json')}`];
  }
}

function permissionFlags(): string[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const stable = major >= 24 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  if (!stable) return ['--experimental-permission', '--disable-warning=ExperimentalWarning'];
  return major >= 25 ? ['--permission', '--allow-net'] : ['--permission'];
}

/**
 * Below the agent and everything else a person runs on this machine, so that a pod that spins takes what is left over. It
 * comes before Node.js has made most of its threads, which inherit it. Linux may weigh sessions before it weighs processes, and a
 * pod is a session of its own; that weight may be changed ten times a second only, so for some pods it stays as it was.
 */
function giveWay(pid: number): void {
  try {
    setPriority(pid, POD_NICENESS);
    if (process.platform !== 'linux') return;
    // On a busy machine it comes late, and each thread has a weight of its own.
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), POD_NICENESS);
    writeFileSync(`/proc/${pid}/autogroup`, String(POD_NICENESS));
  } catch {
    // It ended at once, or this system weighs differently.
  }
}

function prlimit(storageMb: number): string[] {
  return ['prlimit', `--fsize=${storageMb * 1024 * 1024}`, '--'];
}

function works(wrapper: readonly string[]): boolean {
  if (process.platform !== 'linux') return false;
  const [command, ...args] = [...wrapper, 'true'];
  return spawnSync(command as string, args, { stdio: 'ignore' }).status === 0;
}
