import type { JsonObject } from './json.js';

/** One line of the append-only log: what changed, the whole new state, who did it. */
export interface StarkEvent {
  readonly seq: number;
  /** Version of the event's own shape. */
  readonly version: number;
  /** `<kind>.<what>`: `pod.created`, `node.updated`, `pack.deleted` … */
  readonly type: string;
  readonly time: string;
  /** Null for events of the cluster: nodes, packs, namespaces. */
  readonly namespace: string | null;
  readonly kind: string;
  readonly object_id: string;
  readonly actor: string | null;
  readonly correlation_id: string | null;
  readonly object: JsonObject;
}
