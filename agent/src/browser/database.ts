import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Tokens } from '../control-plane/join.js';

/** Who a node is, for as long as this browser keeps its data. */
export interface KeptNode {
  name: string;
  /** Tells this browser from another one that claims the same name. */
  installation: string;
  session?: Tokens;
}

interface NodesSchema extends DBSchema {
  /** By the cluster's address and the place of the node in it. */
  nodes: { key: [url: string, place: string]; value: KeptNode };
}

export interface NodeSchema extends DBSchema {
  /** Entries that have not reached the cluster, by outbox and number. */
  outbox: { key: [box: string, number: number]; value: { incarnation: number; item: unknown } };
  /** What pods stored, as JSON text. */
  storage: { key: [podId: string, key: string]; value: string };
}

export type NodesDatabase = IDBPDatabase<NodesSchema>;
export type NodeDatabase = IDBPDatabase<NodeSchema>;

/** Which nodes this browser is, in which clusters. */
export function openNodes(): Promise<NodesDatabase> {
  return openDB<NodesSchema>('stark nodes', 1, { upgrade: (database) => void database.createObjectStore('nodes') });
}

/** Everything that one node keeps. */
export function openNode(url: string, name: string): Promise<NodeDatabase> {
  return openDB<NodeSchema>(`stark node ${name} of ${url}`, 1, {
    upgrade: (database) => {
      database.createObjectStore('outbox');
      database.createObjectStore('storage');
    },
  });
}
