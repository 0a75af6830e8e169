import type { Pgoutput } from 'pg-logical-replication';

type Values = Record<string, string | null>;

/** One change of one row as the log has it, every value as text. */
export interface RowChange {
  entity: number;
  action: 'INSERT' | 'UPDATE' | 'DELETE';
  newRow: Values | null;
  /** The columns of the replica identity, or all of them when that is FULL. */
  oldRow: Values | null;
}

/** The row change of a message, null for all other messages. */
export function rowChangeOf(message: Pgoutput.Message): RowChange | null {
  switch (message.tag) {
    case 'insert':
      return { entity: message.relation.relationOid, action: 'INSERT', newRow: message.new, oldRow: null };
    case 'update': {
      // The log has the old key only when it changed; otherwise the new row has it.
      const oldRow = message.old ?? message.key ?? pick(message.new, message.relation.keyColumns);
      return { entity: message.relation.relationOid, action: 'UPDATE', newRow: message.new, oldRow };
    }
    case 'delete':
      return {
        entity: message.relation.relationOid,
        action: 'DELETE',
        newRow: null,
        oldRow: message.old ?? message.key,
      };
    default:
      return null;
  }
}

/** Milliseconds since the epoch of a commit time, which pgoutput counts in microseconds. */
export function commitTimeMs(message: Pgoutput.MessageBegin): number {
  return Number(message.commitTime) / 1_000;
}

function pick(values: Values, columns: string[]): Values {
  return Object.fromEntries(columns.map((column) => [column, values[column] ?? null]));
}
