import type { Metrics } from '../pod/shared/metrics.js';
import type { BundleRef, ExitOutcome, PodReport, WantedPod } from './pod.js';

/** Why a bundle could not be had. `retry` is false when another try would end the same way. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  constructor(
    readonly reason: 'BundleCorrupt' | 'BundleUnavailable',
    message: string,
    readonly retry: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Verified bundles on this machine. */
export interface BundleCache {
  /** Gives the local address of a bundle whose content has been verified; throws BundleError. */
  fetch(bundle: BundleRef): Promise<string>;
}

/** The port is taken, and by whom. */
export class PortConflictError extends Error {
  override readonly name = 'PortConflictError';
}

/** Which pod holds which port of this machine. */
export interface Ports {
  /** Claims the pod's ports, the same ones again when it held some; throws PortConflictError. */
  claim(pod: WantedPod): Promise<Record<string, number>>;
  release(podId: string): void;
  /** Asks a port of this machine over HTTP; gives the status, throws when there was none in time. */
  httpGet(port: number, path: string, timeoutMs: number): Promise<number>;
}

export interface LaunchRequest {
  pod: WantedPod;
  bundle: string;
  ports: Record<string, number>;
}

/** What a run tells of itself, never before `launch` has returned. `exited` comes exactly once and last. */
export interface RunListener {
  started(): void;
  ready(): void;
  exited(outcome: ExitOutcome): void;
}

/** One run of a pod. */
export interface PodRun {
  /** Asks it to end and ends it by force when the grace period is over. */
  stop(graceMs: number): void;
}

/** What a pod uses: millicores over the last seconds, MB of memory, MB on disk, as far as it can be measured; and what it tells of itself. */
export interface PodUsage {
  cpu?: number;
  memory?: number;
  storage?: number;
  metrics?: Metrics;
}

/** Runs packs. */
export interface Executor {
  /** So many runs start at a time where that takes the machine's processors; unset, as many as are wanted. */
  readonly startsAtOnce?: number | undefined;
  /** What each running pod uses, by its id, as last measured; a pod is missing where nothing can be measured and it told no number. */
  usage(): ReadonlyMap<string, PodUsage>;
  launch(request: LaunchRequest, listener: RunListener): PodRun;
  /** Removes what a pod left on this machine; called when no run of it is alive. */
  discard(podId: string): Promise<void>;
  /** Removes what earlier lives of the agent left of pods that are not among these. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** Where status reports go, and stay until they were accepted. */
export interface ReportSink {
  report(report: PodReport): void;
  /** True while a report of this pod has not been accepted yet. */
  hasPending(podId: string): boolean;
}
