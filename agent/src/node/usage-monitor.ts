import type { PodUsage } from '../reconciler/adapters.js';
import type { PodLimits } from '../reconciler/pod-limits.js';
import { type DiskUse, folderUse } from './disk-use.js';

const EVERY_MS = 1_000;
/** Processor time is averaged over this many samples: over one second a pod that works in bursts seems to jump. */
const CPU_SAMPLES = 5;
const DISK_PAUSE_MS = 2_000;
/** A pod that starts on a busy machine is not there at once. */
const MAX_UNMEASURED_SAMPLES = 15;
/** One that is about to end does not let itself be looked into either. */
const MAX_CLOSED_SAMPLES = 3;
/** Each file takes an inode and time to count, however small it is. */
const MAX_FILES = 100_000;
const MB = 1024 * 1024;
/** Elsewhere nobody is told what a process uses. */
const MEASURES = process.platform === 'linux';

/** What Node.js itself takes beside the heap before a pack has done anything; not counted against the pod's memory. */
export const PROCESS_OVERHEAD_MB = 128;
export const THREAD_OVERHEAD_MB = 32;

/** What can be read of a running process or thread. */
export interface UsageProbe {
  /** Memory that it may have beyond its pod's limit. */
  readonly overheadMb: number;
  /** Processor seconds so far; undefined when it is gone or cannot be measured. */
  cpuSeconds(): number | undefined;
  memoryMb(): number | undefined;
  /** Bytes on disk that are in no folder; undefined when it cannot be told. */
  hiddenBytes(): Promise<number | undefined>;
}

/** One run to be measured, and kept within its limits. */
export interface Measured extends UsageProbe {
  dataDir?: string;
  limits(): PodLimits;
  over(reason: 'OOMKilled' | 'StorageExceeded', message: string): void;
}

interface Watched {
  run: Measured;
  samples: { at: number; seconds: number }[];
  /** Samples in a row that saw no memory. */
  unmeasured: number;
  /** Samples in a row at open files that were not shown. */
  closed: number;
  usage: PodUsage;
}

/** Measures what each pod uses, and says when one is over its limits; a heap limit bounds neither buffers nor files. */
export class UsageMonitor {
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #diskTimer: NodeJS.Timeout | undefined;

  watch(podId: string, run: Measured): void {
    this.#watched.set(podId, { run, samples: [], unmeasured: 0, closed: 0, usage: { cpu: 0, memory: 0, storage: 0 } });
    this.#timer ??= setInterval(() => this.#sample(), EVERY_MS).unref();
    this.#diskTimer ??= setTimeout(() => void this.#sampleDisk(), DISK_PAUSE_MS).unref();
  }

  unwatch(podId: string): void {
    this.#watched.delete(podId);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    clearTimeout(this.#diskTimer);
    this.#timer = undefined;
    this.#diskTimer = undefined;
  }

  /** The last measurements, by pod. */
  usage(): Map<string, PodUsage> {
    return new Map([...this.#watched].map(([podId, { usage }]) => [podId, usage]));
  }

  #sample(): void {
    const at = performance.now();
    for (const watched of this.#watched.values()) {
      const { run, samples } = watched;
      const measured = run.memoryMb();
      const memory = measured ?? 0;
      const seconds = run.cpuSeconds();
      if (seconds !== undefined) samples.push({ at, seconds });
      if (samples.length > CPU_SAMPLES + 1) samples.shift();
      watched.usage = { ...watched.usage, cpu: millicores(samples), memory: Math.round(memory) };
      const { memoryMb } = run.limits();
      watched.unmeasured = measured === undefined ? watched.unmeasured + 1 : 0;
      if (memory > memoryMb + run.overheadMb) {
        run.over('OOMKilled', `it used ${Math.round(memory)} MB of memory, its limit is ${memoryMb} MB`);
      } else if (MEASURES && watched.unmeasured > MAX_UNMEASURED_SAMPLES) {
        run.over('OOMKilled', 'how much memory it uses cannot be told');
      }
    }
  }

  async #sampleDisk(): Promise<void> {
    for (const watched of [...this.#watched.values()]) {
      const { run } = watched;
      const use = run.dataDir === undefined ? { bytes: 0, files: 0 } : await folderUse(run.dataDir, MAX_FILES);
      const hidden = await run.hiddenBytes();
      watched.closed = hidden === undefined ? watched.closed + 1 : 0;
      if (watched.closed >= MAX_CLOSED_SAMPLES) use.unmeasured ??= 'its open files';
      const usedMb = (use.bytes + (hidden ?? 0)) / MB;
      watched.usage = { ...watched.usage, storage: Math.round(usedMb) };
      const problem = diskProblem(use, usedMb, run.limits().storageMb);
      if (problem !== undefined) run.over('StorageExceeded', problem);
    }
    if (this.#watched.size === 0) this.#diskTimer = undefined;
    else this.#diskTimer = setTimeout(() => void this.#sampleDisk(), DISK_PAUSE_MS).unref();
  }
}

function diskProblem({ files, unmeasured }: DiskUse, usedMb: number, limitMb: number): string | undefined {
  if (unmeasured !== undefined) return `what it keeps on disk cannot be measured: ${unmeasured}`;
  if (usedMb > limitMb) return `it keeps ${Math.ceil(usedMb)} MB on disk, its limit is ${limitMb} MB`;
  if (files > MAX_FILES) return `it keeps ${files} files on disk, its limit is ${MAX_FILES}`;
  return undefined;
}

function millicores(samples: Watched['samples']): number {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) return 0;
  // The time of processes that have ended is gone with them.
  return Math.max(0, Math.round(((last.seconds - first.seconds) * 1_000_000) / (last.at - first.at)));
}
