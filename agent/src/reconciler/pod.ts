import type { PodReport as Report, WantedPod as Wanted } from '@stark-o/core';

export type { PodStatus, RestartPolicy } from '@stark-o/core';

/** A pod as its agent must know it. */
export interface WantedPod extends Wanted {
  labels?: Record<string, string>;
  /** The export of the bundle to call. */
  entry?: string;
}

/** Where a pack version's bundle lies and what it must hash to. */
export type BundleRef = Wanted['bundle'];

/** One line of `report_pods`, always a whole picture of the pod. */
export type PodReport = Report & Required<Pick<Report, 'restarts' | 'ready' | 'observed_at'>>;

/** How a run of a pod ended. */
export interface ExitOutcome {
  exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `StorageExceeded`, `StartFailed`, `Killed`, `PortConflict`, `Unhealthy`. */
  reason: string;
  message?: string;
  /** Trying again cannot help: the bundle itself is wrong. */
  permanent?: boolean;
}

// The database fills it in when a pod is created; this is for a spec that was written past its functions.
const DEFAULT_GRACE_SECONDS = 30;

/** How long a pod may take to end by itself. */
export function gracePeriodMs(pod: WantedPod): number {
  return Math.max(0, pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
}
