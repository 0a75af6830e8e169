import type { WantedPod } from '../reconciler/pod.js';

/** What a pod may have of its machine, in MB. There is no pod without limits. */
export interface PodLimits {
  memoryMb: number;
  storageMb: number;
}

/** What a node offers to its pods: millicores, MB, MB, a count. */
export type Allocatable = Readonly<Record<string, number>>;

/** A pod that asked for no storage may still keep this much. */
const DEFAULT_STORAGE_MB = 1024;
/** For a pod on a node that offers nothing, since 0 means "no limit" to Node.js. */
const SMALLEST_MB = 32;

/** A pod's limits: what its spec limits, else what it requested, and never more than its node offers to all pods together. */
export function limitsOf({ spec }: WantedPod, { memory, storage }: Allocatable): PodLimits {
  const { requests, limits } = spec.resources ?? {};
  return {
    memoryMb: smallest(limits?.memory || requests?.memory, memory),
    storageMb: smallest(limits?.storage || requests?.storage || DEFAULT_STORAGE_MB, storage),
  };
}

/** What all pods of a node may have together. */
export function mostOf({ memory, storage }: Allocatable): PodLimits {
  return { memoryMb: smallest(memory), storageMb: smallest(storage) };
}

function smallest(...amounts: (number | undefined)[]): number {
  const known = amounts.filter((amount) => Number.isFinite(amount) && Number(amount) > 0) as number[];
  return known.length === 0 ? SMALLEST_MB : Math.max(1, Math.floor(Math.min(...known)));
}
