import type { ModelDatabase } from './model-database.js';

/** Answers what a watch asks PostgREST, from a model database, as the `fetch` of a client. */
export class FakeRest {
  readonly requests: string[] = [];
  /** When set, every request is answered like this. */
  failure: { status: number; body: unknown } | undefined;

  /** What `events_topic` answers, or how it refuses. */
  topic: string | { status: number; body: unknown } = 'stark:namespace:default';

  constructor(private readonly database: ModelDatabase) {}

  readonly fetch: typeof fetch = async (input) => {
    const url = new URL(String(input));
    if (url.pathname.endsWith('/rpc/events_topic') && this.failure === undefined) {
      const { topic } = this;
      return typeof topic === 'string' ? Response.json(topic) : Response.json(topic.body, { status: topic.status });
    }
    this.requests.push(`${url.pathname}${url.search}`);
    if (this.failure) return Response.json(this.failure.body, { status: this.failure.status });
    return Response.json(this.#rows(url.pathname.replace('/rest/v1/', ''), url.searchParams));
  };

  #rows(table: string, query: URLSearchParams): unknown[] {
    const limit = Number(query.get('limit'));
    if (table === 'events') {
      if (query.get('order') === 'seq.desc') return this.database.log.slice(-limit).reverse();
      const from = Number(query.get('seq')?.replace('gte.', ''));
      return this.database.log.filter(({ seq }) => seq >= from).slice(0, limit);
    }
    const rows = table === 'pods' ? this.database.pods : table === 'namespaces' ? this.database.namespaces : undefined;
    if (!rows) throw new Error(`nobody should ask for ${table}`);
    const key = table === 'pods' ? 'id' : 'name';
    const after = query.get(key)?.startsWith('gt.') ? query.get(key)?.slice(3) : undefined;
    const sorted = [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted
      .filter(([id]) => after === undefined || id > after)
      .slice(0, limit)
      .map(([, row]) => ({ ...row }));
  }
}
