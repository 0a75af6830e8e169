import {
  type Change,
  ClusterStore,
  EVENT_KINDS,
  type EventKind,
  type StarkClient,
  type Watch,
  watchCluster,
  watchNamespace,
} from '@stark-o/core';
import { usageError } from '@stark-o/core/errors';
import { matchesSelector, parseSelector } from '@stark-o/core/model';
import { type AnyRow, deployments, type Resource } from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { viewOf } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import type { Filter } from './query.js';
import { DeploymentFeed } from './watch-deployments.js';
import { watchList } from './watch-list.js';

/** Shows things of a kind and how they change, until Ctrl-C. */
export async function watchObjects(
  connection: Connection,
  resource: Resource<AnyRow>,
  filter: Filter,
  format: OutputFormat,
): Promise<void> {
  if (resource.kind === deployments.kind) {
    const feed = new DeploymentFeed(connection, await watchOf(connection, resource, filter.namespace), filter);
    const all = viewOf(resource, { namespaces: filter.namespace === undefined });
    const options = {
      kind: resource.kind,
      format,
      view: all,
      id: (row: AnyRow) => resource.id(row),
      matches: () => true,
    };
    return watchList(feed, { ...options, rows: () => feed.rows.values() });
  }
  const { eventKind } = resource;
  const kind = EVENT_KINDS.find((known) => known === eventKind);
  const rows = kind === undefined ? undefined : rowsOf[kind];
  if (kind === undefined || rows === undefined) {
    throw usageError(`${resource.plural} cannot be watched`, `stark ${resource.kind} list`);
  }
  const watch = await watchOf(connection, resource, filter.namespace);
  await watchList(watch, {
    ...{ kind, format, matches: matcherOf(resource, filter), id: (row) => resource.id(row) },
    view: viewOf(resource, { namespaces: filter.namespace === undefined }),
    rows: () => rows(watch.store),
  });
}

/** What the database is asked of a list, for rows that come by themselves. */
function matcherOf(resource: Resource<AnyRow>, { names, selector, equal = {} }: Filter): (row: AnyRow) => boolean {
  const chosen = selector === undefined ? undefined : parseSelector(selector);
  return (row) =>
    (names === undefined || names.includes(resource.name(row)) || names.includes(resource.id(row))) &&
    (chosen === undefined || matchesSelector(chosen, resource.labels(row))) &&
    Object.entries(equal).every(([column, value]) => value === undefined || row[column] === value);
}

const rowsOf: Readonly<Partial<Record<EventKind, (store: ClusterStore) => Iterable<AnyRow>>>> = {
  pod: (store) => store.pods.values(),
  node: (store) => store.nodes.values(),
  pack: (store) => store.packs.values(),
  namespace: (store) => store.namespaces.values(),
};

/** Follows what is told of a kind: on the topic of a namespace, of every namespace, or of the cluster. */
export async function watchOf<Row>(
  connection: Connection,
  { namespaced, kind }: Resource<Row>,
  namespace: string | undefined,
): Promise<Watch> {
  const client = await connection.starkClient();
  if (!namespaced && kind !== 'namespace') return watchCluster(client);
  return namespace === undefined || !namespaced
    ? watchEveryNamespace(connection, client)
    : watchNamespace(client, namespace);
}

// A namespace is told of on its own topic only: a watch that does not follow it yet has to ask.
const lookForNamespacesMs = 10_000;

/** One watch made of one per namespace, since pods are told by namespace; those made later join in. */
export function watchEveryNamespace(connection: Connection, client: StarkClient): Watch {
  const store = new ClusterStore();
  // Carries the state of the connection, and nodes and packs that nobody here asks for.
  const cluster = watchCluster(client, { store });
  const followed = new Map<string, Watch>();
  const listeners = new Set<(changes: readonly Change[]) => void>();
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
