import type { StarkClient } from '../client/client.js';
import { toStarkError } from '../errors/to-stark-error.js';
import type { EventKind, StarkEvent } from '../model/event.js';
import { mayHaveMore, PAGE_ROWS } from '../model/limits.js';
import type { Documents, Snapshot } from './cluster-store.js';
import type { EventSource } from './topic-feed.js';

const TABLES = {
  pod: 'pods',
  node: 'nodes',
  pack: 'packs',
  pack_version: 'pack_versions',
  namespace: 'namespaces',
} as const satisfies Record<EventKind, string>;

type Answer = PromiseLike<{ data: unknown; error: unknown; status: number }>;

/** What PostgREST says about the events and objects of one namespace, or of the cluster when it is undefined. */
export class DatabaseEventSource implements EventSource {
  constructor(
    private readonly client: StarkClient,
    private readonly namespace: string | undefined,
  ) {}

  async snapshot(): Promise<Snapshot> {
    // The number first: the rows, read after it, contain everything up to it and perhaps more.
    const seq = await this.#head();
    const { namespace } = this;
    if (namespace === undefined) {
      const [node, pack, packVersion] = await Promise.all([
        this.#rows('node'),
        this.#rows('pack'),
        this.#rows('pack_version'),
      ]);
      return { seq, rows: { node, pack, pack_version: packVersion } };
    }
    const [pod, own] = await Promise.all([this.#rows('pod'), this.#rows('namespace')]);
    return { seq, namespace, rows: { pod, namespace: own } };
  }

  async after(seq: number, limit: number): Promise<readonly StarkEvent[] | undefined> {
    const query = this.#events('*').gte('seq', seq).order('seq');
    const [known, ...events] = (await read(query.limit(limit + 1))) as StarkEvent[];
    if (known?.seq === seq) return events;
    // There is no event 0: a reader that begins there has seen none.
    if (seq > 0) return undefined;
    return known === undefined ? [] : [known, ...events];
  }

  async #head(): Promise<number> {
    const [newest] = (await read(this.#events('seq').order('seq', { ascending: false }).limit(1))) as { seq: number }[];
    return newest?.seq ?? 0;
  }

  #events(columns: '*' | 'seq') {
    const query = this.client.from('events').select(columns);
    return this.namespace === undefined ? query.is('namespace', null) : query.eq('namespace', this.namespace);
  }

  // By key, not by offset: rows that come and go between two pages shift nothing.
  async #rows<Kind extends EventKind>(kind: Kind): Promise<Documents[Kind][]> {
    const key = kind === 'namespace' ? 'name' : 'id';
    const rows: Record<string, unknown>[] = [];
    for (;;) {
      let query = this.client
        .from(TABLES[kind] as 'pods')
        .select('*')
        .order(key as 'id')
        .limit(PAGE_ROWS);
      if (kind === 'pod') query = query.eq('namespace', this.namespace as string);
      if (kind === 'namespace') query = query.eq('name', this.namespace as string);
      const last = rows.at(-1);
      if (last) query = query.gt(key, last[key] as string);
      const page = (await read(query)) as Record<string, unknown>[];
      rows.push(...page);
      if (!mayHaveMore(page.length)) return rows as unknown as Documents[Kind][];
    }
  }
}

async function read(query: Answer): Promise<unknown[]> {
  const { data, error, status } = await query;
  if (error) throw toStarkError(error, { status });
  return data as unknown[];
}
