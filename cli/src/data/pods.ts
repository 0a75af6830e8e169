import { StarkError } from '@stark-o/core/errors';
import { CALL_LIMITS, type Pod, shownStatus } from '@stark-o/core/model';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf, labelsCell } from './cells.js';
import { inPortions, partsOf } from './portions.js';
import { type Filter, findRows } from './query.js';

/** What `-o json` promises of a pod. */
export const podColumns = [
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
  'ports',
  'labels',
  'priority',
  'spec',
  'created_at',
  'scheduled_at',
  'started_at',
  'finished_at',
  'resource_version',
] as const;

export type PodRow = Pick<Pod, (typeof podColumns)[number]>;

export function findPods(connection: Connection, filter: Filter): Promise<PodRow[]> {
  return findRows<PodRow>(connection, 'pods', podColumns, filter);
}

/** Deletes pods; those that have gone by themselves meanwhile are none of ours. */
export function deletePods(connection: Connection, pods: readonly PodRow[]): Promise<PodRow[]> {
  const remove = (ids: readonly string[]) => connection.call<PodRow[]>('delete_pods', { p_ids: ids });
  return inPortions(partsOf(pods, CALL_LIMITS.pods), {
    verb: 'deleted',
    sizeOf: (portion) => portion.length,
    call: async (portion) => {
      const ids = portion.map(({ id }) => id);
      try {
        return await remove(ids);
      } catch (error) {
        if (!(error instanceof StarkError) || error.code !== 'POD_NOT_FOUND') throw error;
        const left = await findPods(connection, { names: ids, allowMissing: true });
        return left.length === 0 ? [] : remove(left.map(({ id }) => id));
      }
    },
  });
}

/** A pod with the promised members only, in their order. */
export function podObject(pod: PodRow): Record<string, unknown> {
  return Object.fromEntries(podColumns.map((column) => [column, pod[column] ?? null]));
}

/** How pods are listed; the namespace is shown when several may appear. */
export function podView(options: { namespaces: boolean }): View<PodRow> {
  return {
    kind: 'pod',
    name: (pod) => pod.name,
    object: podObject,
    columns: [
      { header: 'NAME', value: (pod) => pod.name },
      ...(options.namespaces ? [{ header: 'NAMESPACE', value: (pod: PodRow) => pod.namespace }] : []),
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
  };
}
