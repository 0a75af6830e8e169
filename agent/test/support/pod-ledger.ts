import { isTerminal, type PodStatus } from '@stark-o/core/model';
import type { PodReport, WantedPod } from '../../src/reconciler/pod.js';

/** The steps a node may report; as in `stark.pod_status_steps`. */
const STEPS: Readonly<Record<string, readonly PodStatus[]>> = {
  scheduled: ['transferring', 'starting', 'running', 'succeeded', 'failed'],
  transferring: ['starting', 'running', 'succeeded', 'failed'],
  starting: ['transferring', 'running', 'succeeded', 'failed'],
  running: ['transferring', 'starting', 'succeeded', 'failed'],
  stopping: ['stopped', 'succeeded', 'failed'],
};

/** What Postgres would hold of one node's pods, in memory. */
export class PodLedger {
  readonly pods = new Map<string, WantedPod>();
  /** Pods that no snapshot names although they are placed: what a node must survive, not what Postgres does. */
  readonly hidden = new Set<string>();

  place(pod: WantedPod): void {
    this.pods.set(pod.id, pod);
  }

  /** A user stops the pod. */
  stop(id: string): void {
    this.#change(id, 'stopping');
  }

  /** The pod is taken from the node: it appears in no snapshot any more. */
  evict(id: string): void {
    this.#change(id, 'evicted');
  }

  /** The answer of `node_sync`. */
  snapshot(): WantedPod[] {
    return [...this.pods.values()]
      .filter((pod) => !isTerminal(pod.status) && !this.hidden.has(pod.id))
      .map((pod) => ({ ...pod, wanted: pod.status === 'stopping' ? 'stopped' : 'running' }));
  }

  /** `report_pods`: takes what is an allowed step, refuses what is not. */
  report({ pod_id, status, restarts }: PodReport): boolean {
    const pod = this.pods.get(pod_id);
    if (pod === undefined || (pod.status !== status && !STEPS[pod.status]?.includes(status))) {
      return false;
    }
    this.pods.set(pod_id, { ...pod, status, restarts: restarts ?? pod.restarts });
    return true;
  }

  #change(id: string, status: PodStatus): void {
    const pod = this.pods.get(id);
    if (pod !== undefined && !isTerminal(pod.status)) this.pods.set(id, { ...pod, status });
  }
}
