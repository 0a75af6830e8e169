import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import type { PlacementExplanation } from '@stark-o/core/model';
import {
  type AnyRow,
  type DeploymentRow,
  type Guarded,
  type PodRow,
  RESOURCES,
  type Related,
  type Resource,
  specDetails,
} from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { describe, printKinds, printList, type Shown, type View, writeData } from '../base/output.js';
import { type Column, table } from '../base/table.js';
import { fittingWidth } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { eventLines, lastEvents, type ObjectEvent, objectEvent } from './events.js';
import { findObjects } from './query.js';
import { findRevisions, historyColumns } from './rollouts.js';

/** How many of its events stand below a description. */
const LAST_EVENTS = 10;
/** How many things of a kind stand below a description. */
const MAX_RELATED = 10;
/** How many of its revisions stand below that of a deployment. */
const LAST_REVISIONS = 5;

interface Described<Row> {
  row: Row;
  events: ObjectEvent[] | undefined;
  /** Nothing where the kind has none, or the caller may not read it. */
  guarded: Record<string, unknown> | undefined;
}

/** Prints things of one kind in full: what is wanted, what is, why, what goes with them, and what happened last. */
export async function describeObjects<Row>(
  connection: Connection,
  resource: Resource<Row>,
  rows: readonly Row[],
  format: OutputFormat,
): Promise<void> {
  const { view, rows: described } = await describedObjects(connection, resource, rows);
  if (format !== 'table') return printList(view, described, format);
  await writeData(await descriptions(connection, resource, described));
}

/** The same of several kinds. */
export async function describeKinds(
  connection: Connection,
  found: readonly { resource: Resource<AnyRow>; rows: readonly AnyRow[] }[],
  format: OutputFormat,
): Promise<void> {
  const lists = await Promise.all(
    found.map(async ({ resource, rows }) => ({ resource, ...(await describedObjects(connection, resource, rows)) })),
  );
  if (format !== 'table') return printKinds(lists, format);
  const texts = await Promise.all(
    lists.filter(({ rows }) => rows.length > 0).map(({ resource, rows }) => descriptions(connection, resource, rows)),
  );
  await writeData(texts.join('\n'));
}

async function describedObjects<Row>(
  connection: Connection,
  resource: Resource<Row>,
  rows: readonly Row[],
): Promise<Shown<Described<Row>>> {
  const described = await Promise.all(
    rows.map(async (row): Promise<Described<Row>> => {
      const [events, guarded] = await Promise.all([
        eventsOf(connection, resource, row),
        guardedOf(connection, resource, row),
      ]);
      return { row, events, guarded };
    }),
  );
  return { view: viewOfDescribed(resource), rows: described };
}

async function descriptions<Row>(
  connection: Connection,
  resource: Resource<Row>,
  described: readonly Described<Row>[],
): Promise<string> {
  const texts = await Promise.all(described.map((one) => linesOf(connection, resource, one)));
  return `${texts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function viewOfDescribed<Row>(resource: Resource<Row>): View<Described<Row>> {
  return {
    kind: resource.kind,
    name: ({ row }) => resource.name(row),
    columns: resource.columns.map((column) => ({ ...column, value: ({ row }: Described<Row>) => column.value(row) })),
    object: ({ row, events, guarded }) => ({
      ...resource.object(row),
      ...guarded,
      ...(events === undefined ? {} : { events }),
    }),
  };
}

async function eventsOf<Row>(
  connection: Connection,
  resource: Resource<Row>,
  row: Row,
): Promise<ObjectEvent[] | undefined> {
  if (resource.eventKind === undefined) return undefined;
  const about = { kind: resource.eventKind, ids: [resource.id(row)] };
  return (await lastEvents(connection, { about }, LAST_EVENTS)).map(objectEvent);
}

/** What stands apart from a row. That there is no row of it may mean that it has none, or that it is not for the caller. */
async function guardedOf<Row>(
  connection: Connection,
  resource: Resource<Row>,
  row: Row,
): Promise<Record<string, unknown> | undefined> {
  const { guarded } = resource;
  if (guarded === undefined) return undefined;
  const client = await connection.client();
  const names = Object.keys(guarded.fields);
  const query = client.from(guarded.table).select(names.join(',')).eq(guarded.column, resource.id(row)).limit(1);
  const [found] = await connection.rows<Record<string, unknown>>(query);
  if (found !== undefined) return found;
  const isReadable = await mayReadGuarded(connection, resource, guarded, row);
  return isReadable ? Object.fromEntries(names.map((name) => [name, null])) : undefined;
}

async function mayReadGuarded<Row>(
  connection: Connection,
  { rights, source, ...resource }: Resource<Row>,
  { verb, owner }: Guarded,
  row: Row,
): Promise<boolean> {
  const { namespace = null } = resource.object(row) as { namespace?: string | null };
  const may = (p_own: boolean) =>
    connection.call('can_i', { p_verb: verb, p_kind: rights, p_namespace: namespace, p_own });
  if (await may(false)) return true;
  if (!(await may(true)) || !('table' in source)) return false;
  const query = (await connection.client()).from(source.table).select(owner).eq('id', resource.id(row)).limit(1);
  const { user_id } = await connection.call('whoami');
  const [thing] = await connection.rows<Record<string, unknown>>(query);
  return thing?.[owner] === user_id;
}

async function linesOf<Row>(
  connection: Connection,
  resource: Resource<Row>,
  { row, events, guarded }: Described<Row>,
): Promise<string[]> {
  const related = await Promise.all(resource.related.map((one) => relatedLines(connection, one, row)));
  const details = [...resource.details(row), ...guardedDetails(resource, guarded)];
  const own = await ownLines(connection, resource.kind, row);
  return [...describe(details), ...own, ...related.flat(), ...(events === undefined ? [] : eventLines(events))];
}

function guardedDetails<Row>(
  { guarded, rights }: Resource<Row>,
  values: Record<string, unknown> | undefined,
): [string, unknown][] {
  if (guarded === undefined) return [];
  const hidden = `not shown: it takes the right ${rights}:${guarded.verb}`;
  return Object.entries(guarded.fields).map(([name, title]) => [title, values === undefined ? hidden : values[name]]);
}

/** What only things of this kind have, below what all have. */
async function ownLines(connection: Connection, kind: string, row: unknown): Promise<string[]> {
  if (kind === 'pod') return placementLines(connection, row as PodRow);
  return kind === 'deployment' ? revisionLines(connection, row as DeploymentRow) : [];
}

/** What the pods of a deployment are made from, and how its last revisions fared. */
async function revisionLines(connection: Connection, { id, revision }: DeploymentRow): Promise<string[]> {
  const revisions = await findRevisions(connection, id);
  const template = revisions.find((one) => one.revision === revision)?.template;
  const { labels = {}, spec = {} } = template ?? {};
  const wanted = describe([['Labels', labels], ...specDetails(spec)]).map((line) => `  ${line}`);
  const last = revisions.slice(-LAST_REVISIONS);
  return [
    ...(template === undefined ? [] : ['Pod template:', ...wanted]),
    ...(last.length === 0 ? [] : ['Revisions:', ...indentedTable(historyColumns, last)]),
  ];
}

function indentedTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const width = fittingWidth();
  return table(columns, rows, width === undefined ? {} : { width: width - 2 }).map((line) => `  ${line}`);
}

const placementColumns: readonly Column<PlacementExplanation['nodes'][number]>[] = [
  { header: 'NODE', value: ({ node }) => node },
  { header: 'FITS', value: ({ feasible }) => feasible },
  { header: 'WHY-NOT', value: ({ reasons }) => reasons.join('; '), prose: true },
];

/** Of a pod that waits for a node: what each of them says to it now, by filter. */
async function placementLines(connection: Connection, pod: PodRow): Promise<string[]> {
  if (pod.status !== 'pending') return [];
  const { pack_name: pack, version, namespace, labels, priority, spec } = pod;
  const asked = { pack, version, namespace, labels, priority, spec };
  const answer = await connection.call('explain_placement', { p_pod: asked }).catch((error: unknown) => {
    // Who may see a pod may not be allowed to make one, and its version may be withdrawn by now.
    if (error instanceof StarkError && error.exitCode !== EXIT_CODES.unreachable) return undefined;
    throw error;
  });
  if (answer === undefined || answer.nodes.length === 0) return [];
  const nodes = answer.nodes.slice(0, MAX_RELATED);
  const more = answer.nodes.length > nodes.length ? ['  …'] : [];
  return ['Placement:', ...indentedTable(placementColumns, nodes), ...more];
}

async function relatedLines<Row>(connection: Connection, related: Related<Row>, row: Row): Promise<string[]> {
  const value = related.value(row);
  if (value === '') return [];
  const resource: Resource<AnyRow> = RESOURCES[related.kind];
  const filter = { equal: { [related.column]: value }, most: MAX_RELATED + 1 };
  const found = await findObjects(connection, resource, filter).catch((error: unknown) => {
    // A caller that may see a node may see none of the users.
    if (error instanceof StarkError && error.exitCode === EXIT_CODES.denied) return [];
    throw error;
  });
  if (found.length === 0) return [];
  const lines = indentedTable(resource.columns, found.slice(0, MAX_RELATED));
  return [`${related.title}:`, ...lines, ...(found.length > MAX_RELATED ? ['  …'] : [])];
}
