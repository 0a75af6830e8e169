import { ClusterStore, type Watch, watchCluster, watchNamespace } from '@stark-o/core';
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
  const watch = namespace === undefined ? watchEveryNamespace(client) : watchNamespace(client, namespace);
  await watchList(watch, { ...options, kind: 'pod', rows: () => watch.store.pods.values() });
}

/** One watch made of one per namespace, since pods are told by namespace; those made later join in. */
function watchEveryNamespace(client: Parameters<typeof watchCluster>[0]): Watch {
  const store = new ClusterStore();
  const cluster = watchCluster(client, { store });
  const followed = new Map<string, Watch>();
  const listeners = new Set<Parameters<Watch['onChange']>[0]>();
  const follow = (name: string) => {
    const watch = followed.get(name) ?? watchNamespace(client, name, { store });
    if (!followed.has(name)) watch.onChange((changes) => listeners.forEach((listener) => void listener(changes)));
    followed.set(name, watch);
    return watch.ready;
  };
  const ready = cluster.ready.then(async () => {
    await Promise.all([...store.namespaces.keys()].map(follow));
    cluster.onChange((changes) => {
      for (const { kind, id, row } of changes)
        if (kind === 'namespace' && row !== undefined) follow(id).catch(() => {});
    });
  });
  return {
    store,
    ready,
    state: cluster.state,
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: (listener) => cluster.onState(listener),
    close: async () => {
      await Promise.all([cluster.close(), ...[...followed.values()].map((watch) => watch.close())]);
      store.dispose();
    },
  };
}
