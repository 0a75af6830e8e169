import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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

/** Nice levels below the agent: each is about a tenth less when they compete. */
const POD_NICENESS = 10;

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
    const [command, ...args] = [
      ...(this.#setpriv ? SETPRIV : []),
      ...(this.#prlimit ? prlimit(limits.storageMb) : []),
      process.execPath,
      ...this.#flags(limits),
      this.runtime,
    ];
    const child = spawn(command as string, args, {
      cwd: limits.dataDir,
      env: limits.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in the agent's terminal is the agent's business, and a kill reaches the whole group.
      detached: true,
    });
    if (child.pid !== undefined) giveWay(child.pid);
    return child;
  }

  #flags({ bundle, dataDir, memoryMb }: LaunchLimits): string[] {
    const runtimeDir = dirname(this.runtime);
    const flags = [
      ...permissionFlags(),
      `--allow-fs-read=${join(runtimeDir, '*')}`,
      // Tells Node that the runtime's files are modules.
      `--allow-fs-read=${join(runtimeDir, '..', '..', 'package.json')}`,
      // What `ctx.supabase` loads.
      ...this.#libraries.map((folder) => `--allow-fs-read=${join(folder, '*')}`),
      `--allow-fs-read=${bundle}`,
      `--allow-fs-read=${join(dataDir, '*')}`,
      `--allow-fs-write=${join(dataDir, '*')}`,
    ];
    if (memoryMb > 0) flags.push(`--max-old-space-size=${memoryMb}`);
    return flags;
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
 * comes before Node.js has made its threads, which inherit it. Linux may weigh sessions before it weighs processes, and a
 * pod is a session of its own; that weight may be changed ten times a second only, so for some pods it stays as it was.
 */
function giveWay(pid: number): void {
  try {
    setPriority(pid, POD_NICENESS);
    if (process.platform === 'linux') writeFileSync(`/proc/${pid}/autogroup`, String(POD_NICENESS));
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
