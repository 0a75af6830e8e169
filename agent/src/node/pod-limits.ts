import type { WantedPod } from '../reconciler/pod.js';

/** What a pod may have of its machine, in MB; memory 0 is without a limit. */
export interface PodLimits {
  memoryMb: number;
  storageMb: number;
}

/** A pod that asked for no storage may still keep this much. */
const DEFAULT_STORAGE_MB = 1024;

/** A pod's limits: what its spec limits, else what it requested. */
export function limitsOf({ spec }: WantedPod): PodLimits {
  const { requests = {}, limits = {} } = spec.resources ?? {};
  return {
    memoryMb: limits.memory ?? requests.memory ?? 0,
    storageMb: limits.storage || requests.storage || DEFAULT_STORAGE_MB,
  };
}
