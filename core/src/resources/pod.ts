import type { Pod } from '../model/pod.js';
import { isTerminal, shownStatus } from '../model/pod-status.js';
import { ageOf, labelsCell, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { conditionsOf, specDetails } from './pod-details.js';
import { actionOf, defineResource, relabelOf } from './resource.js';

/** What is shown of a pod. */
export type PodRow = Pick<Pod, (typeof fields)[number]>;

const fields = [
  'id',
  'name',
  'namespace',
  'status',
  'status_reason',
  'status_message',
  'ready',
  'restarts',
  'exit_code',
  'pack_name',
  'version',
  'node_name',
  'deployment_id',
  'revision',
  'ports',
  'labels',
  'annotations',
  'priority',
  'spec',
  'created_at',
  'scheduled_at',
  'started_at',
  'finished_at',
  'resource_version',
] as const;

/** Pods. */
export const pods = defineResource<Pod>()({
  ...KINDS.pod,
  source: { table: 'pods' },
  fields,
  nameColumn: 'name',
  notFound: 'POD_NOT_FOUND',
  idColumn: 'id',
  eventKind: 'pod',
  labels: (pod) => pod.labels,
  columns: [
    { header: 'NAME', value: (pod) => pod.name },
    { header: 'READY', value: (pod) => pod.ready },
    { header: 'STATUS', value: shownStatus },
    { header: 'RESTARTS', value: (pod) => pod.restarts },
    { header: 'NODE', value: (pod) => pod.node_name },
    { header: 'PACK', value: (pod) => `${pod.pack_name}@${pod.version}`, wide: true },
    { header: 'PORTS', value: (pod) => pod.ports, wide: true },
    { header: 'REASON', value: (pod) => pod.status_reason, wide: true },
    { header: 'LABELS', value: (pod) => labelsCell(pod.labels), wide: true },
    { header: 'AGE', value: (pod) => ageOf(pod.created_at) },
  ],
  details: (pod) => [
    ['Name', pod.name],
    ['Namespace', pod.namespace],
    ['Pack', `${pod.pack_name}@${pod.version}`],
    ...(pod.revision === null ? [] : [['Revision', pod.revision] as const]),
    ['Node', pod.node_name],
    ['Status', pod.status],
    ['Reason', whyOf(pod)],
    ['Ready', pod.ready],
    ['Restarts', pod.restarts],
    ...(pod.exit_code === null ? [] : [['Exit code', pod.exit_code] as const]),
    ['Ports', pod.ports],
    ['Labels', pod.labels],
    ['Annotations', pod.annotations],
    ['Priority', pod.priority],
    ['Conditions', conditionsOf(pod)],
    ...specDetails(pod.spec),
    ['Created', momentOf(pod.created_at)],
    ['Scheduled', momentOf(pod.scheduled_at)],
    ['Started', momentOf(pod.started_at)],
    ...(pod.finished_at === null ? [] : [['Finished', momentOf(pod.finished_at)] as const]),
    ['Id', pod.id],
  ],
  related: [
    { title: 'Deployment', kind: 'deployment', column: 'id', value: (pod) => pod.deployment_id ?? '' },
    { title: 'Node', kind: 'node', column: 'name', value: (pod) => pod.node_name ?? '' },
  ],
  guarded: {
    table: 'pod_env',
    column: 'pod_id',
    fields: { env: 'Env', config: 'Config' },
    verb: 'read-env',
    owner: 'created_by',
  },
  conditions: [
    {
      name: 'ready',
      holds: ({ status, ready }) => status === 'succeeded' || (status === 'running' && ready),
      fails: isCrashing,
    },
    { name: 'scheduled', holds: (pod) => pod.node_name !== null },
    { name: 'running', holds: ({ status }) => status === 'running', fails: isCrashing },
    { name: 'succeeded', holds: ({ status }) => status === 'succeeded' },
    { name: 'ended', holds: ({ status }) => isTerminal(status) },
  ],
  why: whyOf,
  failure: { code: 'POD_FAILED', holds: ({ status }) => isTerminal(status) && status !== 'succeeded' },
  relabel: relabelOf('update_pods', ['label', 'annotation'], (pod: PodRow, { labels = {}, annotations = {} }) => ({
    ...{ p_ids: [pod.id], p_labels: { ...labels }, p_annotations: { ...annotations } },
  })),
  remove: actionOf('delete_pods', {
    right: 'pods:delete',
    confirm: 'ask',
    done: 'deleted',
    args: (pod: PodRow) => ({ p_ids: [pod.id] }),
  }),
});

function isCrashing({ status_reason }: PodRow): boolean {
  return status_reason === 'CrashLoopBackOff';
}

function whyOf(pod: PodRow): string {
  return [pod.status_reason, pod.status_message].filter(Boolean).join(': ');
}
