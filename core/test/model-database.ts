import type { EventBatch, Namespace, Pod, Snapshot, StarkEvent } from '../src/index.js';
import { type ClusterStore, POD_STATUSES } from '../src/index.js';
import type { Random } from './random.js';

type Row = Pod | Namespace;

/** The part of the database that events come from: tables, a log without gaps, and batches that name what came before. */
export class ModelDatabase {
  readonly pods = new Map<string, Pod>();
  readonly namespaces = new Map<string, Namespace>();
  readonly log: StarkEvent[] = [];
  /** As sent by the database; a test decides what becomes of them. */
  readonly batches: EventBatch[] = [];
  #clock = Date.UTC(2026, 0, 1);
  #names = 0;
  /** What numbers count higher by since restores. */
  #skipped = 0;

  constructor(readonly namespace = 'default') {}

  /** Number of the newest event. */
  get head(): number {
    return this.log.at(-1)?.seq ?? 0;
  }

  /** One transaction: one to three changes of random rows. */
  step(random: Random): void {
    const [previous, length] = [this.head, this.log.length];
    for (let count = 1 + random.below(3); count > 0; count--) this.#change(random);
    this.batches.push({ events: this.log.slice(length), previous_seq: previous });
  }

  /** Events after a number that the log knows; nothing when it does not. */
  after(seq: number, limit: number): StarkEvent[] | undefined {
    const at = this.log.findIndex((event) => event.seq === seq);
    return at < 0 && seq > 0 ? undefined : this.log.slice(at + 1, at + 1 + limit);
  }

  /** Remembers what is now; calling the answer restores it, and numbers go on behind all that were given out. */
  backup(): () => void {
    const [pods, namespaces, length] = [new Map(this.pods), new Map(this.namespaces), this.log.length];
    return () => {
      this.#skipped += 1_000_000;
      for (const [rows, saved] of [
        [this.pods, pods],
        [this.namespaces, namespaces],
      ] as [Map<string, Row>, Map<string, Row>][]) {
        rows.clear();
        for (const [id, row] of saved) rows.set(id, row);
      }
      this.log.splice(length);
    };
  }

  /** What a reader gets who asked for the newest number some steps before reading the rows. */
  snapshot(seq = this.head): Snapshot {
    const { namespace } = this;
    return { seq, namespace, rows: { pod: copy(this.pods), namespace: copy(this.namespaces) } };
  }

  #change(random: Random): void {
    const pods = [...this.pods.keys()];
    if (random.chance(0.1)) this.#toggleNamespace();
    else if (pods.length === 0 || random.chance(0.3)) this.createPod();
    else if (random.chance(0.25)) this.deletePod(random.pick(pods));
    else this.updatePod(random.pick(pods), { status: random.pick(POD_STATUSES) });
  }

  createPod(): void {
    const id = `pod-${++this.#names}`;
    const row = { id, name: id, namespace: this.namespace, node_id: null, pack_name: 'alpha', status: 'pending' };
    this.#write('pod', id, this.pods, { ...row, ...this.#born() } as unknown as Pod, 'created');
  }

  updatePod(id: string, change: Partial<Pod>): void {
    const pod = this.pods.get(id) as Pod;
    this.#write('pod', id, this.pods, { ...pod, ...change, resource_version: pod.resource_version + 1 }, 'updated');
  }

  deletePod(id: string): void {
    this.#write('pod', id, this.pods, this.pods.get(id) as Pod, 'deleted');
  }

  // The one kind whose ids come back: a namespace may be made again under its name, its versions counting from one.
  #toggleNamespace(): void {
    const known = this.namespaces.get(this.namespace);
    if (known && known.resource_version > 2) this.#write('namespace', known.name, this.namespaces, known, 'deleted');
    else if (known) {
      const row = { ...known, resource_version: known.resource_version + 1 };
      this.#write('namespace', row.name, this.namespaces, row, 'updated');
    } else {
      const settings = { labels: {}, quota: {}, limit_range: {}, phase: 'active', reserved: false, created_by: null };
      const row = { name: this.namespace, ...settings, ...this.#born() };
      this.#write('namespace', row.name, this.namespaces, row, 'created');
    }
  }

  #write<R extends Row>(kind: 'pod' | 'namespace', id: string, rows: Map<string, R>, row: R, verb: string): void {
    if (verb === 'deleted') rows.delete(id);
    else rows.set(id, row);
    const seq = Math.max(this.head, this.#skipped) + 1;
    const event = { seq, type: `${kind}.${verb}`, kind, object_id: id, object: { ...row } };
    this.log.push({ ...event, namespace: this.namespace, time: this.#now() } as unknown as StarkEvent);
  }

  #born() {
    return { created_at: this.#now(), resource_version: 1 };
  }

  #now(): string {
    this.#clock += 1000;
    return new Date(this.#clock).toISOString();
  }
}

/** The store's rows as plain data, to compare with the database's. */
export function contents(rows: Pick<ClusterStore, 'pods' | 'namespaces'> | ModelDatabase) {
  const sorted = (map: ReadonlyMap<string, Row>) => [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  return { pods: sorted(rows.pods), namespaces: sorted(rows.namespaces) };
}

function copy<R extends Row>(rows: ReadonlyMap<string, R>): R[] {
  return [...rows.values()].map((row) => ({ ...row }));
}
