import { readFileSync } from 'node:fs';
import type { PodLimits } from '../../executor/pod-limits.js';

const MB = 1024 * 1024;
/** Threads count as processes: Node.js itself has about a dozen. */
const MAX_PROCESSES = 128;
/** Room beside a pod's limit: for Node.js, and so that the watch, whose reason says more, sees most pods before this ends them. */
const DATA_SPARE_MB = 512;

/** Open files for each MB of a pod's memory: each socket among them has buffers of the kernel's, which nobody counts as the pod's. */
const OPEN_FILES_A_MB = 8;
const MIN_OPEN_FILES = 512;
const MAX_OPEN_FILES = 4_096;

/** Bounds of each file that a pod writes, and of how many it has open. */
export function fileLimits({ storageMb, memoryMb }: PodLimits): string[] {
  const wanted = Math.min(MAX_OPEN_FILES, Math.max(MIN_OPEN_FILES, Math.floor(memoryMb * OPEN_FILES_A_MB)));
  return [`--fsize=${storageMb * MB}`, '--core=0', `--nofile=${Math.min(wanted, ownOpenFiles())}`];
}

/** As many as the agent itself may have open at most; nobody without rights may give more than that. */
function ownOpenFiles(): number {
  const [, hard] = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Bounds of memory that is written to: heap, buffers, WebAssembly. `baseMb` is what Node.js has of it when it starts. */
export function memoryLimits({ memoryMb }: PodLimits, baseMb: number): string[] {
  return [`--data=${(baseMb + memoryMb + DATA_SPARE_MB) * MB}`];
}

/** Bounds of the number of processes, where they are counted for each pod. */
export const PROCESS_LIMITS: readonly string[] = [`--nproc=${MAX_PROCESSES}`];
