import type { StarkEvent } from '@stark-o/core/model';
import { printable } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { ageOf } from './cells.js';

const eventColumns = ['seq', 'type', 'time', 'actor', 'object'] as const;

type EventRow = Pick<StarkEvent, (typeof eventColumns)[number]>;

/** What `-o json` shows of an event among an object's own: not the whole object once more. */
export interface ObjectEvent {
  seq: number;
  type: string;
  time: string;
  status: string | null;
  reason: string | null;
  message: string | null;
}

/** The last events of an object, oldest first. */
export async function lastEvents(connection: Connection, objectId: string, count: number): Promise<ObjectEvent[]> {
  const client = await connection.client();
  const query = client.from('events').select(eventColumns.join(',')).eq('object_id', objectId);
  const rows = await connection.rows<EventRow>(query.order('seq', { ascending: false }).limit(count));
  return rows.reverse().map(({ seq, type, time, object }) => ({
    seq,
    type,
    time,
    status: textOf(object.status),
    reason: textOf(object.status_reason),
    message: textOf(object.status_message),
  }));
}

/** Events as lines under a description. */
export function eventLines(events: readonly ObjectEvent[]): string[] {
  if (events.length === 0) return ['Events: <none>'];
  const lines = events.map((event) => {
    const why = printable([event.reason, event.message].filter(Boolean).join(': '));
    return `  ${ageOf(event.time).padEnd(6)} ${event.type.padEnd(12)} ${event.status ?? ''}${why === '' ? '' : `  ${why}`}`;
  });
  return ['Events:', ...lines.map((line) => line.trimEnd())];
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : null);
