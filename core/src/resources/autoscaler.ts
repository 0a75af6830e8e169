import { type Autoscaler, formatMetric } from '../model/autoscale.js';
import { ageOf, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of an autoscaler. */
export type AutoscalerRow = Pick<Autoscaler, (typeof fields)[number]>;

const fields = [
  'deployment_id',
  'name',
  'namespace',
  'min_replicas',
  'max_replicas',
  'metrics',
  'recommended',
  'wanted',
  'reason',
  'idle_since',
  'scaled_to_zero',
  'scaled_at',
  'looked_at',
  'next_look_at',
] as const;

/** Autoscalers: each is of the deployment of its name. */
export const autoscalers = defineResource<Autoscaler>()({
  ...KINDS.autoscaler,
  source: { table: 'autoscalers' },
  fields,
  nameColumn: 'name',
  notFound: 'AUTOSCALER_NOT_FOUND',
  idColumn: 'deployment_id',
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'MIN', value: ({ min_replicas }) => min_replicas },
    { header: 'MAX', value: ({ max_replicas }) => max_replicas },
    { header: 'WANTED', value: ({ wanted }) => wanted },
    { header: 'METRICS', value: ({ metrics }) => metrics.map((one) => formatMetric(one).replace(' ', '=')).join(',') },
    { header: 'REASON', value: ({ reason }) => reason },
    { header: 'RECOMMENDED', value: ({ recommended }) => recommended, wide: true },
    { header: 'SCALED', value: ({ scaled_at }) => ageOf(scaled_at), wide: true },
    { header: 'LOOKED', value: ({ looked_at }) => ageOf(looked_at) },
  ],
  details: (row) => [
    ['Name', row.name],
    ['Namespace', row.namespace],
    ['Pods', `${row.min_replicas} to ${row.max_replicas}`],
    ['Metrics', row.metrics.map(formatMetric)],
    ['Recommended', row.recommended],
    ['Wanted', row.wanted],
    ['Reason', row.reason],
    ['Idle since', momentOf(row.idle_since)],
    ['At zero', row.scaled_to_zero],
    ['Scaled', momentOf(row.scaled_at)],
    ['Looked', momentOf(row.looked_at)],
    ['Deployment', row.deployment_id],
  ],
  related: [{ title: 'Pods', kind: 'pod', column: 'deployment_id', value: ({ deployment_id }) => deployment_id }],
  why: ({ reason }) => reason ?? '',
  remove: actionOf('update_deployment', {
    right: 'deployments:update',
    confirm: 'ask',
    done: 'removed: the deployment keeps the pods that it has',
    args: ({ namespace, name }: AutoscalerRow) => ({
      ...{ p_namespace: namespace, p_name: name, p_changes: { autoscale: null } },
    }),
  }),
});
