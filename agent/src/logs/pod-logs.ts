import type { CapturedLine } from '../pod/shared/log-record.js';

/** Where executors put what their pods say. */
export interface PodLogs {
  add(podId: string, line: CapturedLine): void;
  /** Lines of this pod were lost before they came here; its log says how many. */
  dropped(podId: string, count: number): void;
  /** The pod is gone from this node. */
  forget(podId: string): void;
}
