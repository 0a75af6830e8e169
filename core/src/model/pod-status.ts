/** Every status a pod can have, in the order of a life. The steps allowed between them stand in SQL, not here. */
export const POD_STATUSES = [
  'pending',
  'scheduled',
  'transferring',
  'starting',
  'running',
  'stopping',
  'stopped',
  'succeeded',
  'failed',
  'evicted',
] as const;

export type PodStatus = (typeof POD_STATUSES)[number];

const TERMINAL: ReadonlySet<string> = new Set<PodStatus>(['stopped', 'succeeded', 'failed', 'evicted']);
const ON_ITS_WAY: ReadonlySet<string> = new Set<PodStatus>(['pending', 'scheduled', 'transferring', 'starting']);

/** A pod with this status never changes status again and holds no resources. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

const WAITING: ReadonlySet<string> = new Set(['CrashLoopBackOff', 'PortConflict', 'BundleUnavailable']);

/** What a list shows of a pod: its status, or what it waits for where it waits, as `kubectl get pods` does. */
export function shownStatus({ status, status_reason }: { status: string; status_reason: string | null }): string {
  return status_reason !== null && isComing(status) && WAITING.has(status_reason) ? status_reason : status;
}

/** A pod with this status has not run yet, but may. */
export function isComing(status: string): boolean {
  return ON_ITS_WAY.has(status);
}
