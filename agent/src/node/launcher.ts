import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { PodLimits } from '../executor/pod-limits.js';
import { packageFolders } from './package-folders.js';
import { hostEnvironment } from './pod-environment.js';
import { descendants, isChild } from './process-use.js';
import { RuntimeOnly } from './walls/runtime-only.js';
import { NODE } from './walls/system.js';
import type { Place, Wall } from './walls/wall.js';

/** What a pod's process may touch and use. */
export interface LaunchLimits extends PodLimits {
  bundle: string;
  /** The folder of its assets, if it has any. */
  assets?: string | undefined;
  dataDir: string;
  env: Record<string, string>;
}

type TrialPlace = Pick<Place, 'folder' | 'limits'> & { bundle: string };

/** A process that was started, and those behind the wall that it stands for. */
export interface Launched {
  child: ChildProcess;
  /** Whether a signal that ends it is told as an exit code above 128. */
  hidesSignals: boolean;
  /** The processes to measure; empty until it is known which they are. */
  processes(): number[];
  /** Ends them all at once. */
  kill(): void;
}

/** Nice levels below the agent, which then gets three times a pod's share where they compete. */
const POD_NICENESS = 5;

/** What Node.js leaves out or ignores when it is told to: it opens files past its own permission model, or a debugger. */
const LEFT_OUT = ['--no-experimental-sqlite', '--no-experimental-webstorage', '--disable-sigusr1'];

const RUNTIME = fileURLToPath(new URL('../pod/node/child.js', import.meta.url));

/** Starts the processes of pods, each as closed in as this version of Node.js and the machine's wall allow. */
export class Launcher {
  readonly #libraries: string[];
  readonly #code: string[];

  constructor(
    readonly wall: Wall = new RuntimeOnly(),
    private readonly runtime = RUNTIME,
  ) {
    this.#libraries = packageFolders(['@supabase/supabase-js', 'ws'], dirname(runtime));
    const code = dirname(dirname(dirname(runtime)));
    // The package's own file tells Node that the others are modules.
    this.#code = [code, join(code, '..', 'package.json')];
  }

  /** Starts the process of one pod. */
  spawn(limits: LaunchLimits): Launched {
    const { bundle, assets, dataDir, env } = limits;
    const flags = [...this.#flags(limits), ...engineFlags(limits)];
    const readable = [...this.#code, ...this.#libraries, bundle, ...(assets === undefined ? [] : [assets])];
    return this.#start({ folder: dataDir, readable, limits }, [...flags, this.runtime], env);
  }

  /** Starts a program of the runtime just like a pod, but without the walls of Node.js, so that it meets no other than the kernel's. */
  spawnTrial(program: string, task: object, { folder, limits, bundle }: TrialPlace): Launched {
    const script = resolve(dirname(this.runtime), program);
    const readable = [...this.#code, ...this.#libraries, bundle];
    return this.#start({ folder, readable, limits }, [...engineFlags(limits), script, JSON.stringify(task)], {});
  }

  /**
   * Starts a process that runs pods as threads. It may make threads, read the runtime, and nothing else. It works in a folder that
   * pods may read anyway: Node.js 22 and 24 open the folder of the process to each of its threads, whatever their flags say. It is
   * never behind a wall, which could not part its threads from each other.
   */
  spawnHost(limits: PodLimits): Launched {
    if (this.wall.tier !== 'none') throw new Error('threads share a process, and this node promises more');
    const folder = dirname(this.runtime);
    const flags = [...permissionFlags(), '--allow-worker', '--disable-warning=SecurityWarning', ...this.#readable()];
    const script = join(folder, 'host.js');
    return this.#start({ folder, readable: [], limits }, [...flags, script], hostEnvironment());
  }

  /** What a thread may touch, whatever its process may. */
  threadFlags(place: { bundle: string; assets?: string | undefined; dataDir: string }): string[] {
    return [...this.#flags(place), '--allow-fs-read=/proc/thread-self/stat'];
  }

  #start(place: Place, node: string[], env: Record<string, string>): Launched {
    const { command: wall, files = [], informs } = this.wall.enclose(place);
    const [command, ...args] = [...wall, NODE, ...node];
    const child = spawn(command as string, args, {
      cwd: place.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...files],
      // A group of its own: Ctrl-C in the agent's terminal is the agent's business, and a kill reaches the whole group.
      detached: true,
    });
    for (const file of files) if (typeof file === 'number') closeSync(file);
    const { pid } = child;
    if (pid === undefined) return { child, hidesSignals: false, processes: () => [], kill: () => {} };
    giveWay([pid]);
    const { hidesSignals } = this.wall;
    if (informs === undefined) {
      return { child, hidesSignals, processes: () => [pid, ...descendants(pid)], kill: () => killGroup(child) };
    }
    let first: number | undefined;
    onInformed(child.stdio[informs] as Readable, (inside) => {
      first = inside;
      giveWay([inside, ...descendants(inside)]);
    });
    return {
      child,
      hidesSignals,
      processes: () => (first === undefined ? [] : descendants(first)),
      // With the first process of a namespace all of them end, and the one outside sees to what is left of it.
      kill: () => (first !== undefined && isChild(first, pid) ? process.kill(first, 'SIGKILL') : killGroup(child)),
    };
  }

  #flags({ bundle, assets, dataDir }: { bundle: string; assets?: string | undefined; dataDir: string }): string[] {
    return [
      ...permissionFlags(),
      ...this.#readable(),
      // What `ctx.supabase` loads.
      ...this.#libraries.map((folder) => `--allow-fs-read=${join(folder, '*')}`),
      `--allow-fs-read=${bundle}`,
      ...(assets === undefined ? [] : [`--allow-fs-read=${join(assets, '*')}`]),
      `--allow-fs-read=${join(dataDir, '*')}`,
      `--allow-fs-write=${join(dataDir, '*')}`,
    ];
  }

  #readable(): string[] {
    const [code, manifest] = this.#code as [string, string];
    return [`--allow-fs-read=${join(code, '*')}`, `--allow-fs-read=${manifest}`];
  }
}

/** Ends a process and all of its group at once. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // The group is gone or was never made.
  }
}

/** For processes of one pod: the engine ends the process rather than let it change its flags, which can name files to write. */
function engineFlags({ memoryMb }: PodLimits): string[] {
  return ['--freeze-flags-after-init', `--max-old-space-size=${memoryMb}`];
}

/** Node's own wall, as far as this version has one. Versions that do not know a flag refuse to start with it. */
function permissionFlags(): string[] {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const stable = major >= 24 || (major === 23 && minor >= 5) || (major === 22 && minor >= 13);
  const leftOut = LEFT_OUT.filter((flag) => process.allowedNodeEnvironmentFlags.has(flag));
  if (!stable) return ['--experimental-permission', '--disable-warning=ExperimentalWarning', ...leftOut];
  return ['--permission', ...(major >= 25 ? ['--allow-net'] : []), ...leftOut];
}

/** Reads which process of the system is the first one inside; said once, as JSON. */
function onInformed(stream: Readable, tell: (pid: number) => void): void {
  let text = '';
  stream
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const [, pid] = /"child-pid": (\d+)/.exec(text) ?? [];
      if (!text.includes('}')) return;
      stream.destroy();
      if (pid !== undefined) tell(Number(pid));
    });
}

/**
 * Below the agent and everything else a person runs on this machine, so that a pod that spins takes what is left over. It
 * comes before Node.js has made most of its threads, which inherit it. Linux may weigh sessions before it weighs processes, and a
 * pod is a session of its own; that weight may be changed ten times a second only, so for some pods it stays as it was.
 */
function giveWay(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      setPriority(pid, POD_NICENESS);
      if (process.platform !== 'linux') continue;
      // On a busy machine it comes late, and each thread has a weight of its own.
      for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), POD_NICENESS);
      writeFileSync(`/proc/${pid}/autogroup`, String(POD_NICENESS));
    } catch {
      // It ended at once, or this system weighs differently.
    }
  }
}
