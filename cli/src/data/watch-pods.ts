import { ClusterStore, type StarkClient, type Watch, watchCluster, watchNamespace } from '@stark-o/core';
import type { Connection } from '../session/connection.js';
import type { PodRow } from './pods.js';
import { type WatchListOptions, watchList } from './watch-list.js';

interface WatchPodsOptions extends Pick<WatchListOptions<PodRow>, 'view' | 'matches' | 'format'> {
  /** Every namespace when absent. */
  namespace: string | undefined;
}

/** Shows pods and how they change, until Ctrl-C. */
export async function watchPods(connection: Connection, { namespace, ...options }: WatchPodsOptions): Promise<void> {
  const client = await connection.starkClient();
  const watch = namespace === undefined ? watchEveryNamespace(connection, client) : watchNamespace(client, namespace);
  await watchList(watch, { ...options, kind: 'pod', rows: () => watch.store.pods.values() });
}

// A namespace is told of on its own topic only: whoever does not follow it yet has to ask.
const lookForNamespacesMs = 10_000;

/** One watch made of one per namespace, since pods are told by namespace; those made later join in. */
function watchEveryNamespace(connection: Connection, client: StarkClient): Watch {
  const store = new ClusterStore();
  // Carries the state of the connection, and nodes and packs that nobody here asks for.
  const cluster = watchCluster(client, { store });
  const followed = new Map<string, Watch>();
  const listeners = new Set<Parameters<Watch['onChange']>[0]>();
  const followAll = async (): Promise<void> => {
    const rows = await connection.rows<{ name: string }>(client.from('namespaces').select('name'));
    const added = rows.filter(({ name }) => !followed.has(name));
    await Promise.all(added.map(({ name }) => follow(name).ready));
  };
  const follow = (name: string): Watch => {
    const watch = watchNamespace(client, name, { store });
    watch.onChange((changes) => {
      for (const listener of listeners) listener(changes);
    });
    followed.set(name, watch);
    return watch;
  };
  const later = setInterval(() => void followAll().catch(() => {}), lookForNamespacesMs);
  return {
    store,
    ready: Promise.all([cluster.ready, followAll()]).then(() => {}),
    state: cluster.state,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: (listener) => cluster.onState(listener),
    close: async () => {
      clearInterval(later);
      await Promise.all([cluster, ...followed.values()].map((watch) => watch.close()));
      store.dispose();
    },
  };
}
