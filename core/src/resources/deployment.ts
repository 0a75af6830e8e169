import type { Deployment } from '../model/deployment.js';
import { ageOf, labelsCell, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource, relabelOf } from './resource.js';

/** What is shown of a deployment. */
export type DeploymentRow = Pick<Deployment, (typeof fields)[number]>;

const fields = [
  'id',
  'name',
  'namespace',
  'pack_name',
  'mode',
  'replicas',
  'status',
  'status_reason',
  'status_message',
  'revision',
  'generation',
  'observed_generation',
  'desired_replicas',
  'current_replicas',
  'updated_replicas',
  'ready_replicas',
  'available_replicas',
  'unavailable_replicas',
  'paused',
  'rollout_paused',
  'follow_latest',
  'version_range',
  'include_prerelease',
  'follow_after',
  'strategy',
  'max_surge',
  'max_unavailable',
  'min_ready_seconds',
  'progress_deadline_seconds',
  'revision_history_limit',
  'auto_rollback',
  'canary_steps',
  'disruption_max_unavailable',
  'autoscale',
  'labels',
  'annotations',
  'conditions',
  'next_reconcile_at',
  'created_at',
  'resource_version',
] as const;

/** Deployments. */
export const deployments = defineResource<Deployment>()({
  ...KINDS.deployment,
  source: { table: 'deployments' },
  fields,
  nameColumn: 'name',
  notFound: 'DEPLOYMENT_NOT_FOUND',
  idColumn: 'id',
  eventKind: 'deployment',
  labels: (deployment) => deployment.labels,
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'READY', value: (row) => `${row.ready_replicas}/${row.desired_replicas}` },
    { header: 'UP-TO-DATE', value: ({ updated_replicas }) => updated_replicas },
    { header: 'AVAILABLE', value: ({ available_replicas }) => available_replicas },
    { header: 'STATUS', value: ({ status }) => status },
    { header: 'MODE', value: ({ mode }) => mode, wide: true },
    { header: 'PACK', value: ({ pack_name }) => pack_name, wide: true },
    { header: 'REVISION', value: ({ revision }) => revision, wide: true },
    { header: 'FOLLOWS', value: followsOf, wide: true },
    { header: 'SCALES', value: scalesOf, wide: true },
    { header: 'REASON', value: ({ status_reason }) => status_reason, wide: true },
    { header: 'LABELS', value: ({ labels }) => labelsCell(labels), wide: true },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
  details: (row) => [
    ['Name', row.name],
    ['Namespace', row.namespace],
    ['Pack', row.pack_name],
    ['Status', row.status],
    ['Reason', whyOf(row)],
    ['Mode', row.mode === 'daemon' ? 'daemon: one pod on every node that fits' : row.mode],
    [
      'Replicas',
      `${row.mode === 'daemon' ? row.desired_replicas : row.replicas} wanted, ${row.current_replicas} there, ${row.available_replicas} available`,
    ],
    ['Scales', scalesOf(row)],
    ['Revision', row.revision],
    ['Follows', followsOf(row)],
    ['Strategy', row.strategy],
    ...(row.strategy === 'Recreate'
      ? []
      : [
          ['Surge', row.max_surge] as const,
          ['Unavailable', row.max_unavailable] as const,
          ['Canary', row.canary_steps.map((step) => JSON.stringify(step)).join(' ')] as const,
        ]),
    ['Drain', drainOf(row)],
    ['Ready for', `${row.min_ready_seconds}s, then it is available`],
    ['Deadline', `${row.progress_deadline_seconds}s without progress`],
    ['Goes back', row.auto_rollback ? 'by itself' : 'only by stark rollout undo'],
    ['Labels', row.labels],
    ['Annotations', row.annotations],
    ['Conditions', row.conditions.map(({ type, status, reason }) => `${type}=${status} (${reason})`)],
    ['Created', momentOf(row.created_at)],
    ['Id', row.id],
  ],
  related: [{ title: 'Pods', kind: 'pod', column: 'deployment_id', value: ({ id }) => id }],
  conditions: [
    { name: 'ready', holds: (row) => isObserved(row) && row.status === 'complete' },
    { name: 'complete', holds: (row) => isObserved(row) && row.status === 'complete' },
    { name: 'available', holds: (row) => hasCondition(row, 'Available') },
    { name: 'progressing', holds: (row) => hasCondition(row, 'Progressing') },
    { name: 'replicafailure', holds: (row) => hasCondition(row, 'ReplicaFailure') },
  ],
  why: whyOf,
  failure: { code: 'DEPLOYMENT_FAILED', holds: (row) => isObserved(row) && row.status === 'failed' },
  relabel: relabelOf('update_deployment', ['label', 'annotation'], ({ namespace, name }: DeploymentRow, changes) => ({
    ...{ p_namespace: namespace, p_name: name, p_changes: { ...changes } },
  })),
  remove: actionOf('delete_deployment', {
    right: 'deployments:delete',
    confirm: 'name',
    forcible: true,
    done: 'deleting: its pods are stopped, and it goes with the last of them',
    args: ({ namespace, name }: DeploymentRow, { force = false }) => ({
      ...{ p_namespace: namespace, p_name: name, p_force: force },
    }),
  }),
});

function whyOf(row: DeploymentRow): string {
  return [row.status_reason, row.status_message].filter(Boolean).join(': ');
}

/** How a drain takes its pods from a node. */
function drainOf({ mode, disruption_max_unavailable: most }: DeploymentRow): string {
  if (mode === 'daemon') return 'leaves its pods where they are';
  return most === null ? 'stops all of its pods at once' : `replaces a pod first; at most ${most} unavailable`;
}

/** Which versions it takes by itself. */
function followsOf(row: DeploymentRow): string {
  if (!row.follow_latest) return '';
  const range = row.version_range ?? 'latest';
  return row.include_prerelease ? `${range},pre-releases` : range;
}

/** Between how many pods it is scaled by itself. */
function scalesOf({ autoscale }: DeploymentRow): string {
  return autoscale === null ? '' : `${autoscale.min ?? 1}-${autoscale.max}`;
}

/** The controller has seen what was asked for last. */
function isObserved(row: DeploymentRow): boolean {
  return row.observed_generation >= row.generation;
}

function hasCondition({ conditions }: DeploymentRow, wanted: string): boolean {
  return conditions.some(({ type, status }) => type === wanted && status === 'True');
}
