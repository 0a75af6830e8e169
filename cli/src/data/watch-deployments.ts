import type { Watch } from '@stark-o/core';
import { type AnyRow, type DeploymentRow, deployments } from '@stark-o/core/resources';
import type { Connection } from '../session/connection.js';
import { type Filter, findObjects } from './query.js';
import type { RowChange, RowFeed } from './watch-list.js';

/** What time alone changes is told of by nobody: a pod that was ready for long enough. */
const lookEveryMs = 2_000;
/** So much of what happens at once is one look. */
const gatherMs = 100;

/**
 * Deployments as they change. Their counts are in no event, so what happens in their namespaces is the word to read them again, as is time
 * while one is not complete.
 */
export class DeploymentFeed implements RowFeed {
  readonly ready: Promise<void>;
  readonly rows = new Map<string, DeploymentRow>();
  readonly #listeners = new Set<(changes: readonly RowChange[]) => void>();
  readonly #timer: ReturnType<typeof setInterval>;
  #looking: Promise<void> | undefined;
  #isDue = false;

  constructor(
    private readonly connection: Connection,
    private readonly watch: Watch,
    private readonly filter: Filter,
  ) {
    this.ready = watch.ready.then(() => this.#read()).then(() => {});
    watch.onChange(() => this.#look());
    watch.onState(() => this.#look());
    this.#timer = setInterval(() => {
      if ([...this.rows.values()].some(({ status }) => status !== 'complete')) this.#look();
    }, lookEveryMs);
  }

  onChange(listener: (changes: readonly RowChange[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.watch.close();
    await this.#looking;
  }

  #look(): void {
    this.#isDue = true;
    this.#looking ??= this.#lookOn().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookOn(): Promise<void> {
    await this.ready.catch(() => {});
    while (this.#isDue && this.watch.state.value !== 'closed') {
      await new Promise((done) => setTimeout(done, gatherMs));
      this.#isDue = false;
      // Without a connection the watch is stale, and the next look sees what this one could not.
      const changes = await this.#read().catch(() => []);
      if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
    }
  }

  async #read(): Promise<RowChange[]> {
    const found = await findObjects(this.connection, deployments, { ...this.filter, allowMissing: true });
    const changed = found.filter((row) => JSON.stringify(this.rows.get(row.id)) !== JSON.stringify(row));
    const left = new Set(found.map(({ id }) => id));
    const gone = [...this.rows.keys()].filter((id) => !left.has(id));
    for (const row of changed) this.rows.set(row.id, row);
    for (const id of gone) this.rows.delete(id);
    return [...changed.map(changeOf), ...gone.map((id) => ({ kind: deployments.kind, id, row: undefined }))];
  }
}

const changeOf = (row: DeploymentRow): RowChange => ({ kind: deployments.kind, id: row.id, row: row as AnyRow });
