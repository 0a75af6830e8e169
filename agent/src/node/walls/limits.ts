import type { PodLimits } from '../../reconciler/pod-limits.js';

const MB = 1024 * 1024;
/** Threads count as processes: Node.js itself has about a dozen. */
const MAX_PROCESSES = 128;
/** Room beside a pod's limit: for Node.js, and so that the watch, whose reason says more, sees most pods before this ends them. */
const DATA_SPARE_MB = 512;

/** Bounds of each file that a pod writes. */
export function fileLimits({ storageMb }: PodLimits): string[] {
  return [`--fsize=${storageMb * MB}`, '--core=0'];
}

/** Bounds of memory that is written to: heap, buffers, WebAssembly. `baseMb` is what Node.js has of it when it starts. */
export function memoryLimits({ memoryMb }: PodLimits, baseMb: number): string[] {
  return [`--data=${(baseMb + memoryMb + DATA_SPARE_MB) * MB}`];
}

/** Bounds of the number of processes, where they are counted for each pod. */
export const PROCESS_LIMITS: readonly string[] = [`--nproc=${MAX_PROCESSES}`];
