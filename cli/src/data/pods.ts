import { StarkError } from '@stark-o/core/errors';
import { CALL_LIMITS } from '@stark-o/core/model';
import { type PodRow, pods } from '@stark-o/core/resources';
import type { Connection } from '../session/connection.js';
import { inPortions, partsOf } from './portions.js';
import { type Filter, findObjects } from './query.js';

export function findPods(connection: Connection, filter: Filter): Promise<PodRow[]> {
  return findObjects(connection, pods, filter);
}

/** Deletes pods; those that have gone by themselves meanwhile are none of ours. */
export function deletePods(connection: Connection, rows: readonly PodRow[]): Promise<PodRow[]> {
  const remove = (ids: string[]) => connection.call('delete_pods', { p_ids: ids });
  return inPortions(partsOf(rows, CALL_LIMITS.pods), {
    verb: 'deleted',
    sizeOf: (portion) => portion.length,
    call: async (portion): Promise<PodRow[]> => {
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
