import type { PodLimits } from '../executor/pod-limits.js';
import type { Metrics } from '../pod/shared/metrics.js';
import type { PodUsage } from '../reconciler/adapters.js';
import { DiskMonitor } from './disk-monitor.js';

const EVERY_MS = 1_000;
/** Processor time is averaged over this many samples: over one second a pod that works in bursts seems to jump. */
const CPU_SAMPLES = 5;
/** A pod that starts on a busy machine is not there at once. */
const MAX_UNMEASURED_SAMPLES = 15;
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
  /** Its processes; empty while they are not known. */
  processes(): readonly number[];
  /** Whether open files of its processes are its alone. */
  readonly ownsOpenFiles: boolean;
}

/** One run to be measured, and kept within its limits. */
export interface Measured extends UsageProbe {
  dataDir: string | undefined;
  limits(): PodLimits;
  over(reason: 'OOMKilled' | 'StorageExceeded', message: string): void;
}

interface Watched {
  run: Measured;
  samples: { at: number; seconds: number }[];
  /** Samples in a row that saw no memory. */
  unmeasured: number;
  disk: DiskMonitor;
  usage: PodUsage;
}

/** Measures what each pod uses, and says when one is over its limits; a heap limit bounds neither buffers nor files. */
export class UsageMonitor {
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  watch(podId: string, run: Measured): void {
    this.unwatch(podId);
    const disk = new DiskMonitor(run, ({ usedMb, problem }) => {
      watched.usage = { ...watched.usage, storage: Math.round(usedMb) };
      if (problem !== undefined) run.over('StorageExceeded', problem);
    });
    const watched: Watched = { run, samples: [], unmeasured: 0, disk, usage: {} };
    this.#watched.set(podId, watched);
    this.#timer ??= setInterval(() => this.#sample(), EVERY_MS).unref();
  }

  unwatch(podId: string): void {
    this.#watched.get(podId)?.disk.stop();
    this.#watched.delete(podId);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** A pod tells its numbers; they are its own until its run ends. */
  told(podId: string, metrics: Metrics): void {
    const watched = this.#watched.get(podId);
    if (watched !== undefined) watched.usage = { ...watched.usage, metrics };
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
      const cpu = millicores(samples);
      watched.usage = {
        ...watched.usage,
        ...(cpu !== undefined && { cpu }),
        ...(measured !== undefined && { memory: Math.round(measured) }),
      };
      const { memoryMb } = run.limits();
      watched.unmeasured = measured === undefined ? watched.unmeasured + 1 : 0;
      if (memory > memoryMb + run.overheadMb) {
        run.over('OOMKilled', `it used ${Math.round(memory)} MB of memory, its limit is ${memoryMb} MB`);
      } else if (MEASURES && watched.unmeasured > MAX_UNMEASURED_SAMPLES) {
        run.over('OOMKilled', 'how much memory it uses cannot be told');
      }
    }
  }
}

/** Undefined until there are two samples, and where there are none. */
function millicores(samples: Watched['samples']): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.at === first.at) return undefined;
  // The time of processes that have ended is gone with them.
  return Math.max(0, Math.round(((last.seconds - first.seconds) * 1_000_000) / (last.at - first.at)));
}
