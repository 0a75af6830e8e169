import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a pod's process may touch, and how much memory it may use. */
export interface LaunchLimits {
  bundle: string;
  dataDir: string;
  heapMb: number;
  env: Record<string, string>;
}

const RUNTIME = fileURLToPath(new URL('../runtime/node-child.js', import.meta.url));

/** Starts the processes of pods, each as closed in as this version of Node.js and this system allow. */
export class Launcher {
  readonly #wrapper: string[];

  constructor(private readonly runtime = RUNTIME) {
    this.#wrapper = findWrapper();
  }

  spawn(limits: LaunchLimits): ChildProcess {
    const [command, ...args] = [...this.#wrapper, process.execPath, ...this.#flags(limits), this.runtime];
    return spawn(command as string, args, {
      cwd: limits.dataDir,
      env: limits.env,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C in the agent's terminal is the agent's business, and a kill reaches the whole group.
      detached: true,
    });
  }

  #flags({ bundle, dataDir, heapMb }: LaunchLimits): string[] {
    const runtimeDir = dirname(this.runtime);
    const flags = [
      ...permissionFlags(),
      `--allow-fs-read=${join(runtimeDir, '*')}`,
      // Tells Node that the runtime's files are modules.
      `--allow-fs-read=${join(runtimeDir, '..', '..', 'package.json')}`,
      `--allow-fs-read=${bundle}`,
      `--allow-fs-read=${join(dataDir, '*')}`,
      `--allow-fs-write=${join(dataDir, '*')}`,
    ];
    if (heapMb > 0) flags.push(`--max-old-space-size=${heapMb}`);
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
 * A pod dies with its agent because its runtime notices the closed channel; one that is spinning notices nothing. On
 * Linux `setpriv` (util-linux) makes the kernel see to it, and takes away set-uid programs as well.
 */
function findWrapper(): string[] {
  if (process.platform !== 'linux') return [];
  const wrapper = ['setpriv', '--no-new-privs', '--pdeathsig', 'KILL', '--'];
  const [command, ...args] = [...wrapper, 'true'];
  return spawnSync(command as string, args, { stdio: 'ignore' }).status === 0 ? wrapper : [];
}
