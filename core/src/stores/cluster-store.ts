import { type ComputedRef, type EffectScope, effectScope } from '@vue/reactivity';
import { EVENT_KINDS, type EventKind, type StarkEvent } from '../model/event.js';
import type { Namespace } from '../model/namespace.js';
import type { Node } from '../model/node.js';
import type { PackRecord, PackVersion } from '../model/pack.js';
import type { Pod } from '../model/pod.js';
import { ObjectTable } from './object-table.js';
import { type ClusterViews, createViews } from './views.js';

/** The row type of each kind of object that has events. */
export interface Documents {
  pod: Pod;
  node: Node;
  pack: PackRecord;
  pack_version: PackVersion;
  namespace: Namespace;
}

/** One difference between what the store held and what it holds now; `row` is undefined for what is gone. */
export interface Change<Kind extends EventKind = EventKind> {
  readonly kind: Kind;
  readonly id: string;
  readonly row: Documents[Kind] | undefined;
}

/** Everything within `scope` of some kinds, read after event `seq` was visible. */
export interface Snapshot {
  readonly seq: number;
  readonly rows: { readonly [Kind in EventKind]?: readonly Documents[Kind][] };
  /** The namespace the snapshot is of; undefined when it is of the whole cluster. */
  readonly namespace?: string | undefined;
  /** What was known before says nothing about these rows: the database may have been restored to an earlier time. */
  readonly anew?: boolean;
}

type Tables = { readonly [Kind in EventKind]: ObjectTable<Documents[Kind]> };

/**
 * What a client knows of a cluster: rows by id, views computed from them, and one reducer. CLI, TUI and dashboard show
 * the same store; how it is fed is none of its business.
 */
export class ClusterStore {
  readonly #tables: Tables = {
    pod: new ObjectTable<Pod>(),
    node: new ObjectTable<Node>(),
    pack: new ObjectTable<PackRecord>(),
    pack_version: new ObjectTable<PackVersion>(),
    namespace: new ObjectTable<Namespace>(),
  };
  readonly #scope: EffectScope = effectScope(true);
  /** Views over the rows, each computed when somebody looks and a row it read has changed. */
  readonly views: ClusterViews;

  readonly pods = this.#tables.pod.rows;
  readonly nodes = this.#tables.node.rows;
  readonly packs = this.#tables.pack.rows;
  readonly packVersions = this.#tables.pack_version.rows;
  /** By name. */
  readonly namespaces = this.#tables.namespace.rows;

  constructor() {
    this.views = this.#scope.run(() => createViews(this)) as ClusterViews;
  }

  /** Runs `create` so that the effects and computed values it makes end with the store. */
  derive<T>(create: () => ComputedRef<T>): ComputedRef<T> {
    return this.#scope.run(create) as ComputedRef<T>;
  }

  /** The reducer. Events may come twice, late or in any order: the newest state of each object stands. */
  applyEvents(events: readonly StarkEvent[]): Change[] {
    const changes = new Map<string, Change>();
    for (const { kind, object_id: id, seq, type, object } of events) {
      // A newer cluster may know kinds that this client does not.
      const table = this.#tables[kind] as ObjectTable<Documents[EventKind]> | undefined;
      if (!table) continue;
      const row = type.endsWith('.deleted') ? undefined : (object as unknown as Documents[EventKind]);
      if (table.apply(id, seq, row)) changes.set(`${kind} ${id}`, { kind, id, row });
    }
    return [...changes.values()];
  }

  /** Takes over a snapshot without losing what later events have said already. */
  load(snapshot: Snapshot): Change[] {
    return EVENT_KINDS.flatMap((kind) => {
      const rows = snapshot.rows[kind];
      return rows === undefined ? [] : this.#loadKind(kind, rows, snapshot);
    });
  }

  /** Ends everything that was computed from the store. */
  dispose(): void {
    this.#scope.stop();
  }

  #loadKind(
    kind: EventKind,
    rows: readonly Documents[EventKind][],
    { seq, namespace, anew = false }: Snapshot,
  ): Change[] {
    const table = this.#tables[kind] as ObjectTable<Documents[EventKind]>;
    const byId = new Map(rows.map((row) => [idOf(row), row]));
    const scope = (row: Documents[EventKind]) => namespace === undefined || namespaceOf(row) === namespace;
    return table.load(byId, seq, scope, anew).map((id) => ({ kind, id, row: table.rows.get(id) }));
  }
}

function idOf(row: Documents[EventKind]): string {
  return 'id' in row ? row.id : row.name;
}

function namespaceOf(row: Documents[EventKind]): string | undefined {
  if ('namespace' in row) return row.namespace;
  return 'reserved' in row ? row.name : undefined;
}
