import type { RowOf } from '../model/database.js';
import { KINDS } from './kinds.js';
import { defineResource } from './resource.js';

/** The settings of the cluster. */
export type ClusterConfigRow = Pick<RowOf<'cluster_config'>, (typeof fields)[number]>;

const fields = [
  'name',
  'scheduling_policy',
  'scheduling_seed',
  'default_namespace',
  'default_cpu_request',
  'default_memory_request',
  'default_grace_seconds',
  'allow_registration',
  'allow_node_registration',
  'max_pods_per_node',
  'event_retention_days',
  'log_retention_days',
  'max_log_lines_per_pod',
  'ended_pod_retention_days',
  'liveness',
  'heartbeat_interval',
  'heartbeat_timeout',
  'updated_at',
  'resource_version',
] as const;

/** The one row of settings of the cluster as a whole. */
export const clusterConfigs = defineResource<RowOf<'cluster_config'>>()({
  ...KINDS.clusterconfig,
  source: { table: 'cluster_config' },
  fields,
  nameColumn: 'name',
  notFound: 'CLUSTER_CONFIG_NOT_FOUND',
  eventKind: 'cluster_config',
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'POLICY', value: ({ scheduling_policy }) => scheduling_policy },
    { header: 'LIVENESS', value: ({ liveness }) => liveness },
    { header: 'REGISTRATION', value: ({ allow_registration }) => (allow_registration ? 'open' : 'closed') },
    { header: 'NODE-REGISTRATION', value: (row) => (row.allow_node_registration ? 'open' : 'closed') },
    { header: 'NAMESPACE', value: ({ default_namespace }) => default_namespace, wide: true },
    { header: 'PODS-PER-NODE', value: ({ max_pods_per_node }) => max_pods_per_node, wide: true },
  ],
  details: (row) => fields.map((field) => [field, row[field]] as const),
});
