import type { Namespace } from '../model/namespace.js';
import { ageOf, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource, relabelOf } from './resource.js';

/** What is shown of a namespace. */
export type NamespaceRow = Pick<Namespace, (typeof fields)[number]>;

const fields = ['name', 'phase', 'reserved', 'labels', 'quota', 'limit_range', 'created_at'] as const;

/** Namespaces. */
export const namespaces = defineResource<Namespace>()({
  ...KINDS.namespace,
  source: { table: 'namespaces' },
  fields,
  nameColumn: 'name',
  notFound: 'NAMESPACE_NOT_FOUND',
  eventKind: 'namespace',
  labels: (namespace) => namespace.labels,
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'PHASE', value: ({ phase }) => phase },
    { header: 'QUOTA', value: ({ quota }) => jsonOf(quota), wide: true },
    { header: 'LIMITS', value: ({ limit_range }) => jsonOf(limit_range), wide: true },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
  details: (namespace) => [
    ['Name', namespace.name],
    ['Phase', namespace.phase],
    ['Reserved', namespace.reserved],
    ['Labels', namespace.labels],
    ['Quota', namespace.quota],
    ['Default requests', namespace.limit_range.default],
    ['Least requests', namespace.limit_range.min],
    ['Most requests', namespace.limit_range.max],
    ['Created', momentOf(namespace.created_at)],
  ],
  related: [{ title: 'Pods', kind: 'pod', column: 'namespace', value: ({ name }) => name }],
  conditions: [{ name: 'ready', holds: ({ phase }) => phase === 'active' }],
  why: ({ phase }) => (phase === 'active' ? '' : phase),
  relabel: relabelOf('update_namespace', ['label'], ({ name }: NamespaceRow, { labels = {} }) => ({
    ...{ p_name: name, p_labels: { ...labels } },
  })),
  remove: actionOf('delete_namespace', {
    right: 'namespaces:delete',
    confirm: 'name',
    done: 'terminating: its pods are stopped, and it goes with the last of them',
    args: ({ name }: NamespaceRow) => ({ p_name: name }),
  }),
});

const jsonOf = (value: object) => (Object.keys(value).length === 0 ? null : JSON.stringify(value));
