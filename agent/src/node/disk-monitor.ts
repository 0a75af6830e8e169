import { setTimeout as sleep } from 'node:timers/promises';
import type { PodLimits } from '../executor/pod-limits.js';
import { all, type DiskUse, deletedUse, folderUse } from './disk-use.js';
import { standsStill } from './process-use.js';
import { StoppedProcesses } from './stopped-processes.js';

const PAUSE_MS = 2_000;
/** A pod whose folder takes long to look at is looked at more seldom, at most a tenth of the time. */
const PAUSES_A_LOOK = 10;
/** One that is about to end does not let itself be looked into either. */
const MAX_CLOSED_SAMPLES = 3;
/** Each file takes an inode and time to count, however small it is; file systems have one inode for each 16 KiB. */
const FILES_A_MB = 64;
const MIN_FILES = 1_000;
const MAX_FILES = 20_000;
const MB = 1024 * 1024;
/** Between two steps of all looks together, which are a millisecond each. */
const STEP_MS = 5;
/** A pod that always writes stands still for a look this often, and else is looked at as it goes. */
const STILL_EVERY_MS = 10_000;
/** A thread that is at work in the kernel stops when it comes back, which takes long on a busy machine. */
const LONGEST_STOP_MS = 1_000;
const STOP_POLL_MS = 5;
/** After that the clock by which the kernel notes changes has moved on. */
const SETTLE_MS = 20;
/** Looks in a row that saw changes although nothing of the pod ran. */
const MAX_RESTLESS_SAMPLES = 3;
/** The clock by which the kernel notes changes is behind by as much. */
const CLOCK_MS = 10;

/** What of a pod is to be measured on disk. */
export interface DiskProbe {
  dataDir: string | undefined;
  /** Its processes. */
  processes(): readonly number[];
  /** Whether open files of its processes are its alone. */
  ownsOpenFiles: boolean;
  limits(): PodLimits;
}

export interface DiskSample {
  usedMb: number;
  /** What its owner is told when that is too much, or cannot be told. */
  problem?: string;
}

/** Lets looks at several folders go on in turn, and keeps them to a part of the time. */
class Pacer {
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #last = 0;

  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#wait();
    });
  }

  #wait(): void {
    const pause = Math.max(0, this.#last + STEP_MS - performance.now());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#last = performance.now();
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.#wait();
    }, pause).unref();
  }
}

const pacer = new Pacer();
/** Threads share their process: of two looks while it stands still the second waits. */
let earlierStill: Promise<unknown> = Promise.resolve();
const stopped = new StoppedProcesses();

/** Looks at what one pod keeps on disk again and again, until it is stopped. */
export class DiskMonitor {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #closed = 0;
  #restless = 0;
  #stoodStill = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly probe: DiskProbe,
    private readonly onSample: (sample: DiskSample) => void,
  ) {
    this.#wait(PAUSE_MS);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    const began = performance.now();
    const sample = await this.#sample();
    if (this.#stopped) return;
    this.onSample(sample);
    this.#wait(Math.max(PAUSE_MS, PAUSES_A_LOOK * (performance.now() - began)));
  }

  async #sample(): Promise<DiskSample> {
    let { use, hidden } = await this.#measure(Date.now() - PAUSE_MS / 10, () => pacer.take());
    // Files that are moved past a look are seen by one while nothing moves.
    const isDue = performance.now() - this.#stoodStill > STILL_EVERY_MS;
    if (use.changed && isDue && !this.#stopped && process.platform !== 'win32') {
      ({ use, hidden } = await this.#measureStill());
      this.#stoodStill = performance.now();
    }
    this.#closed = hidden === undefined ? this.#closed + 1 : 0;
    if (this.#closed >= MAX_CLOSED_SAMPLES) use.unmeasured ??= 'its open files';
    const usedMb = (use.bytes + (hidden ?? 0)) / MB;
    const problem = problemOf(use, usedMb, this.probe.limits());
    return { usedMb, ...(problem !== undefined && { problem }) };
  }

  /** Open files first: what is deleted after that is a change of a folder. */
  async #measure(since: number, turn?: () => Promise<void>): Promise<{ use: DiskUse; hidden: number | undefined }> {
    const { dataDir, ownsOpenFiles, limits } = this.probe;
    const hidden = ownsOpenFiles ? await all(deletedUse(this.probe.processes()), turn) : 0;
    if (dataDir === undefined) return { use: { bytes: 0, files: 0, changed: false }, hidden };
    const maxFiles = mostFiles(limits());
    return { use: await all(folderUse(dataDir, { maxFiles, since }), turn), hidden };
  }

  #measureStill(): Promise<{ use: DiskUse; hidden: number | undefined }> {
    const mine = earlierStill.then(() => this.#standStill());
    earlierStill = mine.catch(() => {});
    return mine;
  }

  async #standStill(): Promise<{ use: DiskUse; hidden: number | undefined }> {
    try {
      // Again, for those that were started meanwhile.
      for (let before = -1; before < stopped.size; ) {
        before = stopped.size;
        stopped.stop(this.probe.processes());
      }
      const late = performance.now() + LONGEST_STOP_MS;
      while (!stopped.every(standsStill) && performance.now() < late) await sleep(STOP_POLL_MS);
      await sleep(SETTLE_MS);
      const found = await this.#measure(Date.now() - CLOCK_MS);
      this.#restless = found.use.changed ? this.#restless + 1 : 0;
      if (this.#restless >= MAX_RESTLESS_SAMPLES) {
        found.use.unmeasured ??= 'it changes while its processes stand still';
      }
      return found;
    } finally {
      stopped.continue();
    }
  }
}

/** How many files and folders a pod may keep. */
export function mostFiles({ storageMb }: PodLimits): number {
  return Math.min(MAX_FILES, Math.max(MIN_FILES, storageMb * FILES_A_MB));
}

function problemOf(use: DiskUse, usedMb: number, limits: PodLimits): string | undefined {
  const most = mostFiles(limits);
  if (use.unmeasured !== undefined) return `what it keeps on disk cannot be measured: ${use.unmeasured}`;
  if (usedMb > limits.storageMb) {
    return `it keeps ${Math.ceil(usedMb)} MB on disk, its limit is ${limits.storageMb} MB`;
  }
  if (use.files > most) return `it keeps more than ${most} files on disk, its limit`;
  return undefined;
}
