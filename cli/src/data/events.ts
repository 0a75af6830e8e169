import type { Column } from '@stark-o/core/resources';
import { ageOf } from '@stark-o/core/resources';
import { wrap } from '../base/table.js';
import { fittingWidth, printable } from '../base/terminal.js';
import type { Connection, UntypedClient } from '../session/connection.js';

// Not the whole object once more, which each event holds.
const eventColumns = [
  'seq',
  'type',
  'time',
  'kind',
  'namespace',
  'object_id',
  'actor',
  'name:object->>name',
  'status:object->>status',
  'reason:object->>status_reason',
  'message:object->>status_message',
].join(',');

/** What `-o json` promises of an event. */
export interface EventRow {
  seq: number;
  type: string;
  time: string;
  kind: string;
  namespace: string | null;
  object_id: string;
  name: string | null;
  actor: string | null;
  status: string | null;
  reason: string | null;
  message: string | null;
}

/** What `-o json` shows of an event among an object's own. */
export type ObjectEvent = Pick<EventRow, 'seq' | 'type' | 'time' | 'status' | 'reason' | 'message'>;

/** Which events are wanted; those of the whole cluster where nothing is said. */
export interface EventSelection {
  namespace?: string | undefined;
  /** What they are about, by kind and ids as events have them. */
  about?: { kind: string; ids?: readonly string[] } | undefined;
  since?: string | undefined;
}

/** The last events, oldest first. */
export async function lastEvents(connection: Connection, which: EventSelection, count: number): Promise<EventRow[]> {
  const query = selected(await connection.client(), which)
    .order('seq', { ascending: false })
    .limit(count);
  return (await connection.rows<EventRow>(query)).reverse();
}

/** Events after one, oldest first. */
export async function eventsAfter(connection: Connection, which: EventSelection, seq: number): Promise<EventRow[]> {
  return connection.rows<EventRow>(
    selected(await connection.client(), which)
      .gt('seq', seq)
      .order('seq')
      .limit(1000),
  );
}

function selected(client: UntypedClient, { namespace, about, since }: EventSelection) {
  let query = client.from('events').select(eventColumns);
  if (namespace !== undefined) query = query.eq('namespace', namespace);
  if (about !== undefined) query = query.eq('kind', about.kind);
  if (about?.ids !== undefined) query = query.in('object_id', [...about.ids]);
  return since === undefined ? query : query.gte('time', since);
}

/** The part of an event that is told below its object. */
export const objectEvent = ({ seq, type, time, status, reason, message }: EventRow): ObjectEvent => ({
  ...{ seq, type, time, status, reason, message },
});

/** An event with the promised members only, in their order. */
export const eventObject = (event: EventRow): EventRow => ({
  seq: event.seq,
  type: event.type,
  time: event.time,
  kind: event.kind,
  namespace: event.namespace,
  object_id: event.object_id,
  name: event.name,
  actor: event.actor,
  status: event.status,
  reason: event.reason,
  message: event.message,
});

const whyOf = ({ reason, message }: ObjectEvent) => [reason, message].filter(Boolean).join(': ');

/** How events are listed. */
export const eventTable: readonly Column<EventRow>[] = [
  { header: 'AGE', value: ({ time }) => ageOf(time) },
  { header: 'EVENT', value: ({ type }) => type },
  { header: 'NAMESPACE', value: ({ namespace }) => namespace, wide: true },
  { header: 'OBJECT', value: ({ kind, name, object_id }) => `${kind}/${name ?? object_id}` },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'ACTOR', value: ({ actor }) => actor, wide: true },
  { header: 'WHY', value: whyOf, prose: true },
];

/** Where the status of an event stands. */
const eventIndent = 22;

/** Events as lines under a description. */
export function eventLines(events: readonly ObjectEvent[]): string[] {
  if (events.length === 0) return ['Events: <none>'];
  const room = Math.max(24, (fittingWidth() ?? Number.POSITIVE_INFINITY) - eventIndent);
  const lines = events.flatMap((event) => {
    const [first = '', ...more] = wrap([event.status, printable(whyOf(event))].filter(Boolean).join('  '), room);
    const head = `  ${ageOf(event.time).padEnd(6)} ${event.type.padEnd(12)} `;
    return [`${head}${first}`, ...more.map((line) => `${' '.repeat(eventIndent)}${line}`)];
  });
  return ['Events:', ...lines.map((line) => line.trimEnd())];
}
