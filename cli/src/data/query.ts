import { StarkError } from '@stark-o/core/errors';
import { type LabelSelector, matchesSelector, mayHaveMore, PAGE_ROWS, parseSelector } from '@stark-o/core/model';
import type { Resource } from '@stark-o/core/resources';
import { nearest } from '../base/suggest.js';
import type { Connection, UntypedClient } from '../session/connection.js';

export interface Filter {
  namespace?: string | undefined;
  /** Names or ids; all of them when empty. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
  equal?: Readonly<Record<string, string | undefined>>;
  /** Names that are not there are no error. */
  allowMissing?: boolean;
  /** No more than so many. */
  most?: number;
  /** Also those that lists of their kind leave out. */
  everything?: boolean;
}

/** Reads things of a kind page by page, in order of name, and complains about names that are not there. */
export async function findObjects<Row>(
  connection: Connection,
  resource: Resource<Row>,
  filter: Filter,
): Promise<Row[]> {
  const client = await connection.client();
  const selector = filter.selector === undefined ? undefined : parseSelector(filter.selector);
  const rows: Row[] = [];
  for (const names of portions(filter.names)) {
    for (let from = 0; ; ) {
      const size = Math.min(PAGE_ROWS, (filter.most ?? Number.POSITIVE_INFINITY) - from);
      const query = narrowed(client, resource, { ...filter, names }, selector);
      const found = await connection.rows<Row>(query.range(from, from + size - 1));
      // The embedded stack takes `or` for an argument of a function, so what a function lists is chosen from here.
      rows.push(
        ...('fn' in resource.source ? found.filter((row) => isChosen(resource, row, { ...filter, names })) : found),
      );
      from += found.length;
      if (from === filter.most) break;
      if (!mayHaveMore(found.length)) break;
    }
  }
  const chosen = selector === undefined ? rows : rows.filter((row) => matchesSelector(selector, resource.labels(row)));
  if (filter.names !== undefined && !filter.allowMissing) await refuseMissing(connection, resource, filter, chosen);
  return chosen;
}

/** What the database is asked of a table, for the rows of a function. */
function isChosen<Row>(resource: Resource<Row>, row: Row, { names, equal, everything }: Filter): boolean {
  if (names !== undefined && names.length > 0)
    return names.includes(resource.name(row)) || names.includes(resource.id(row));
  const { unlisted } = resource;
  if (unlisted === undefined || names !== undefined || equal !== undefined || everything) return true;
  const [before = '', after = ''] = unlisted.like.split('*');
  const value = String(resource.object(row)[unlisted.column] ?? '');
  return !(value.startsWith(before) && value.endsWith(after));
}

// Names travel in the address line, which proxies cut at a few kilobytes.
const portion = 50;

function portions(names: readonly string[] | undefined): (readonly string[] | undefined)[] {
  if (names === undefined || names.length <= portion) return [names];
  const unique = [...new Set(names)];
  const starts = Array.from({ length: Math.ceil(unique.length / portion) }, (_, index) => index * portion);
  return starts.map((start) => unique.slice(start, start + portion));
}

function narrowed<Row>(
  client: UntypedClient,
  resource: Resource<Row>,
  filter: Filter,
  selector: LabelSelector | undefined,
) {
  let query = selected(client, resource, resource.fields);
  if (filter.namespace !== undefined && resource.namespaced) query = query.eq('namespace', filter.namespace);
  for (const [column, value] of Object.entries(filter.equal ?? {})) {
    if (value !== undefined) query = query.eq(column, value);
  }
  const ofFunction = 'fn' in resource.source;
  if (!ofFunction && filter.names !== undefined && filter.names.length > 0) {
    query = query.or(namesOrIds(resource, filter.names));
  }
  const { unlisted } = resource;
  if (
    !ofFunction &&
    unlisted !== undefined &&
    filter.names === undefined &&
    filter.equal === undefined &&
    !filter.everything
  ) {
    // What has no value there is not like it either, which SQL does not say.
    query = query.or(`${unlisted.column}.is.null,${unlisted.column}.not.like.${unlisted.like}`);
  }
  const exact = exactLabels(selector);
  if (exact !== undefined) query = query.contains('labels', exact);
  // The id as well: things of several namespaces may have one name.
  const ordered = query.order(resource.nameColumn);
  return resource.idColumn === undefined ? ordered : ordered.order(resource.idColumn);
}

function selected<Row>(client: UntypedClient, { source }: Resource<Row>, columns: readonly string[]) {
  return 'fn' in source
    ? client.rpc(source.fn, {}, { get: true }).select(columns.join(','))
    : client.from(source.table).select(columns.join(','));
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function namesOrIds<Row>({ nameColumn, idColumn }: Resource<Row>, wanted: readonly string[]): string {
  const ids = wanted.filter((name) => uuid.test(name));
  const quoted = wanted.map((name) => `"${name.replace(/["\\]/g, '\\$&')}"`);
  const byName = `${nameColumn}.in.(${quoted})`;
  return ids.length === 0 || idColumn === undefined ? byName : `${byName},${idColumn}.in.(${ids})`;
}

// What the database can narrow down by its index; the rest of the selector is applied here.
function exactLabels(selector: LabelSelector | undefined): Record<string, string> | undefined {
  const exact = { ...selector?.matchLabels };
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'In' && values?.length === 1 && values[0] !== undefined) exact[key] = values[0];
  }
  return Object.keys(exact).length === 0 ? undefined : exact;
}

async function refuseMissing<Row>(
  connection: Connection,
  resource: Resource<Row>,
  filter: Filter,
  rows: readonly Row[],
): Promise<void> {
  const { kind, nameColumn } = resource;
  const isThere = (name: string) => rows.some((row) => resource.name(row) === name || resource.id(row) === name);
  const missing = filter.names?.filter((name) => !isThere(name)) ?? [];
  const [first] = missing;
  if (first === undefined) return;
  const namespace = resource.namespaced ? filter.namespace : undefined;
  let others = selected(await connection.client(), resource, [nameColumn]);
  if (namespace !== undefined) others = others.eq('namespace', namespace);
  const known = await connection.rows<Readonly<Record<string, unknown>>>(others.limit(PAGE_ROWS));
  const meant = nearest(
    first,
    known.map((row) => String(row[nameColumn])),
  );
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  const list = missing.map((name) => `"${name}"`).join(', ');
  throw new StarkError(
    `${kind}${missing.length === 1 ? '' : 's'} ${list} not found${where}${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    { code: resource.notFound, status: 404, hint: `stark ${kind} list` },
  );
}
