import { type Watch, watchNamespace } from '@stark-o/core';
import type { PodRow } from '@stark-o/core/resources';
import type { Connection } from '../session/connection.js';
import { findPods } from './pods.js';

/** Names travel in the address line, fifty a request: for more than this it is cheaper to read the whole namespace. */
const MAX_NAMED = 500;

/**
 * Some pods of a namespace as they are now. Asks the database until the live connection stands and whenever it is gone,
 * so that nothing waits for Realtime, and nothing fails because of it.
 */
export class LivePods {
  readonly #connection: Connection;
  readonly #namespace: string;
  readonly #watch: Watch;

  private constructor(connection: Connection, namespace: string, watch: Watch) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#watch = watch;
  }

  static async open(connection: Connection, namespace: string): Promise<LivePods> {
    return new LivePods(connection, namespace, watchNamespace(await connection.starkClient(), namespace));
  }

  /** The pods of these names or ids that exist. */
  async poll(namesOrIds: readonly string[]): Promise<PodRow[]> {
    const wanted = new Set(namesOrIds);
    const those = (pods: Iterable<PodRow>) => [...pods].filter(({ id, name }) => wanted.has(id) || wanted.has(name));
    if (this.#watch.state.value === 'live') return those(this.#watch.store.pods.values());
    const namespace = this.#namespace;
    if (wanted.size > MAX_NAMED) return those(await findPods(this.#connection, { namespace }));
    return findPods(this.#connection, { namespace, names: namesOrIds, allowMissing: true });
  }

  /** Whether changes are told as they happen. */
  get isLive(): boolean {
    return this.#watch.state.value === 'live';
  }

  /** Resolves at the next change, or when the live connection begins. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stops = [this.#watch.onChange(() => done()), this.#watch.onState((state) => state === 'live' && done())];
      const done = () => {
        for (const stop of stops) stop();
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
    });
  }

  async close(): Promise<void> {
    await this.#watch.close();
  }
}
