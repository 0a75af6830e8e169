import { StarkError } from '@stark-o/core/errors';
import {
  type LabelSelector,
  type Labels,
  matchesSelector,
  mayHaveMore,
  PAGE_ROWS,
  parseSelector,
} from '@stark-o/core/model';
import type { SupabaseClient } from '@supabase/supabase-js';
import { nearest } from '../base/suggest.js';
import type { Connection } from '../session/connection.js';

export interface Filter {
  namespace?: string | undefined;
  /** Names or ids; all of them when empty. */
  names?: readonly string[] | undefined;
  selector?: string | undefined;
  equal?: Readonly<Record<string, string | undefined>>;
  /** Names that are not there are no error. */
  allowMissing?: boolean;
}

/** Reads rows of a table of schema `stark` page by page, in order of name, and complains about names that are not there. */
export async function findRows<Row extends { name: string; id: string; labels?: Labels }>(
  connection: Connection,
  table: string,
  columns: readonly string[],
  filter: Filter,
): Promise<Row[]> {
  const client = await connection.client();
  const selector = filter.selector === undefined ? undefined : parseSelector(filter.selector);
  const rows: Row[] = [];
  for (const names of portions(filter.names)) {
    for (let from = 0; ; ) {
      const query = narrowed(client, table, columns, { ...filter, names }, selector);
      const found = await connection.rows<Row>(
        query
          .order('name')
          .order('id')
          .range(from, from + PAGE_ROWS - 1),
      );
      rows.push(...found);
      from += found.length;
      if (!mayHaveMore(found.length)) break;
    }
  }
  const chosen = selector === undefined ? rows : rows.filter((row) => matchesSelector(selector, row.labels ?? {}));
  if (filter.names !== undefined && !filter.allowMissing) await refuseMissing(connection, table, filter, chosen);
  return chosen;
}

// Names travel in the address line, which proxies cut at a few kilobytes.
const portion = 50;

function portions(names: readonly string[] | undefined): (readonly string[] | undefined)[] {
  if (names === undefined || names.length <= portion) return [names];
  const unique = [...new Set(names)];
  const starts = Array.from({ length: Math.ceil(unique.length / portion) }, (_, index) => index * portion);
  return starts.map((start) => unique.slice(start, start + portion));
}

function narrowed(
  client: SupabaseClient,
  table: string,
  columns: readonly string[],
  filter: Filter,
  selector: LabelSelector | undefined,
) {
  let query = client.from(table).select(columns.join(','));
  if (filter.namespace !== undefined) query = query.eq('namespace', filter.namespace);
  for (const [column, value] of Object.entries(filter.equal ?? {})) {
    if (value !== undefined) query = query.eq(column, value);
  }
  if (filter.names !== undefined && filter.names.length > 0) query = query.or(namesOrIds(filter.names));
  const exact = exactLabels(selector);
  return exact === undefined ? query : query.contains('labels', exact);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function namesOrIds(wanted: readonly string[]): string {
  const ids = wanted.filter((name) => uuid.test(name));
  const quoted = wanted.map((name) => `"${name.replace(/["\\]/g, '\\$&')}"`);
  return ids.length === 0 ? `name.in.(${quoted})` : `name.in.(${quoted}),id.in.(${ids})`;
}

// What the database can narrow down by its index; the rest of the selector is applied here.
function exactLabels(selector: LabelSelector | undefined): Record<string, string> | undefined {
  const exact = { ...selector?.matchLabels };
  for (const { key, operator, values } of selector?.matchExpressions ?? []) {
    if (operator === 'In' && values?.length === 1 && values[0] !== undefined) exact[key] = values[0];
  }
  return Object.keys(exact).length === 0 ? undefined : exact;
}

async function refuseMissing(
  connection: Connection,
  table: string,
  filter: Filter,
  rows: readonly { name: string; id: string }[],
): Promise<void> {
  const missing = filter.names?.filter((name) => !rows.some((row) => row.name === name || row.id === name)) ?? [];
  const [first] = missing;
  if (first === undefined) return;
  const kind = table.slice(0, -1);
  const client = await connection.client();
  let others = client.from(table).select('name');
  if (filter.namespace !== undefined) others = others.eq('namespace', filter.namespace);
  const known = await connection.rows<{ name: string }>(others.limit(PAGE_ROWS));
  const meant = nearest(
    first,
    known.map((row) => row.name),
  );
  const where = filter.namespace === undefined ? '' : ` in namespace ${filter.namespace}`;
  const list = missing.map((name) => `"${name}"`).join(', ');
  throw new StarkError(
    `${kind}${missing.length === 1 ? '' : 's'} ${list} not found${where}${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    { code: `${kind.toUpperCase()}_NOT_FOUND`, status: 404, hint: `stark ${kind} list` },
  );
}
