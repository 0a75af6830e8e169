import { StarkError } from '@stark-o/core/errors';
import { mayHaveMore, PAGE_ROWS } from '@stark-o/core/model';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf } from './cells.js';

/** What `-o json` promises of a namespace. */
export interface NamespaceRow {
  name: string;
  phase: string;
  reserved: boolean;
  labels: Record<string, string>;
  quota: Record<string, unknown>;
  limit_range: Record<string, unknown>;
  created_at: string;
}

/** What `-o json` promises of a priority class. */
export interface PriorityClassRow {
  name: string;
  value: number;
  global_default: boolean;
  preemption_policy: string;
  built_in: boolean;
  description: string;
}

/** What `-o json` promises of a role. */
export interface RoleRow {
  name: string;
  alias_of: string | null;
  built_in: boolean;
  description: string;
}

const columns = {
  namespaces: 'name,phase,reserved,labels,quota,limit_range,created_at',
  priority_classes: 'name,value,global_default,preemption_policy,built_in,description',
  roles: 'name,alias_of,built_in,description',
} as const;

export const findNamespaces = (connection: Connection, names?: readonly string[]) =>
  findNamed<NamespaceRow>(connection, 'namespaces', 'namespace', names);
export const findPriorityClasses = (connection: Connection, names?: readonly string[]) =>
  findNamed<PriorityClassRow>(connection, 'priority_classes', 'priorityclass', names);
export const findRoles = (connection: Connection, names?: readonly string[]) =>
  findNamed<RoleRow>(connection, 'roles', 'role', names);

// Things of the cluster have no id beside their name.
async function findNamed<Row extends { name: string }>(
  connection: Connection,
  table: keyof typeof columns,
  kind: string,
  names: readonly string[] | undefined,
): Promise<Row[]> {
  const client = await connection.client();
  const rows: Row[] = [];
  for (;;) {
    const query = client
      .from(table)
      .select(columns[table])
      .gt('name', rows.at(-1)?.name ?? '');
    const found = await connection.rows<Row>(query.order('name').limit(PAGE_ROWS));
    rows.push(...found);
    if (!mayHaveMore(found.length)) break;
  }
  if (names === undefined || names.length === 0) return rows;
  const missing = names.find((name) => !rows.some((row) => row.name === name));
  if (missing === undefined) return rows.filter(({ name }) => names.includes(name));
  throw new StarkError(`${kind} "${missing}" not found`, {
    code: `${kind.toUpperCase()}_NOT_FOUND`,
    status: 404,
    hint: `stark ${kind} list`,
  });
}

const json = (value: Record<string, unknown>) => (Object.keys(value).length === 0 ? null : JSON.stringify(value));

/** How namespaces are listed. */
export const namespaceView: View<NamespaceRow> = {
  kind: 'namespace',
  name: ({ name }) => name,
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'PHASE', value: ({ phase }) => phase },
    { header: 'QUOTA', value: ({ quota }) => json(quota), wide: true },
    { header: 'LIMITS', value: ({ limit_range }) => json(limit_range), wide: true },
    { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  ],
};

/** How priority classes are listed. */
export const priorityClassView: View<PriorityClassRow> = {
  kind: 'priorityclass',
  name: ({ name }) => name,
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'VALUE', value: ({ value }) => value },
    { header: 'DEFAULT', value: ({ global_default }) => global_default },
    { header: 'PREEMPTION', value: ({ preemption_policy }) => preemption_policy },
    { header: 'DESCRIPTION', value: ({ description }) => description || null, wide: true },
  ],
};

/** How roles are listed. */
export const roleView: View<RoleRow> = {
  kind: 'role',
  name: ({ name }) => name,
  columns: [
    { header: 'NAME', value: ({ name }) => name },
    { header: 'ALIAS-OF', value: ({ alias_of }) => alias_of },
    { header: 'DESCRIPTION', value: ({ description }) => description || null },
  ],
};
