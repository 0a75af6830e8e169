import { createHash } from 'node:crypto';
import { type ChangeFilter, parseFilters } from './filters.js';

/** One thing a channel wants to hear of, understood. */
export interface ChangeRequest {
  event: '*' | 'INSERT' | 'UPDATE' | 'DELETE';
  /** `*` stands for all. */
  schema: string;
  table: string;
  filters: ChangeFilter[];
  /** Null: all columns. */
  select: string[] | null;
}

/** A request that will never be understood, so nobody tries it again. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest';
}

/** Understands one entry of `config.postgres_changes`. Throws InvalidRequest with the text for the client. */
export function parseRequest(params: Record<string, unknown>): ChangeRequest {
  const event = eventOf(params.event);
  const select = selectOf(params.select);
  const { schema, table, filter } = params;
  const has = (key: string) => Object.hasOwn(params, key);

  if (typeof schema === 'string' && typeof table === 'string' && typeof filter === 'string') {
    return complete({ event, schema, table, filters: parseFilterParam(filter), select });
  }
  if (typeof schema === 'string' && typeof table === 'string' && !has('filter')) {
    return complete({ event, schema, table, filters: [], select });
  }
  if (typeof schema === 'string' && !has('table') && !has('filter')) {
    return complete({ event, schema, table: '*', filters: [], select });
  }
  if (typeof table === 'string' && !has('schema') && !has('filter')) {
    return complete({ event, schema: 'public', table, filters: [], select });
  }
  const shown = has('user_token') || has('auth_token') ? '<redacted>' : JSON.stringify(params);
  throw new InvalidRequest(
    `No subscription params provided. Please provide at least a \`schema\` or \`table\` to subscribe to: ${shown}`,
  );
}

/** A number that is the same for equal requests, whatever the order of their members. */
export function requestId(params: Record<string, unknown>): number {
  return createHash('sha1').update(canonical(params)).digest().readUInt32BE(0) >>> 5;
}

/** What old clients, whose join has no `config`, ask for by the name of their topic. */
export function requestOfTopic(topic: string): Record<string, unknown> {
  const [schema, table, ...filter] = topic.split(':');
  return {
    schema,
    ...(table === undefined ? {} : { table }),
    ...(filter.length === 0 ? {} : { filter: filter.join(':') }),
  };
}

function complete(request: ChangeRequest): ChangeRequest {
  if (request.select !== null && (request.schema === '*' || request.table === '*')) {
    throw new InvalidRequest(
      'Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.',
    );
  }
  return request;
}

function eventOf(event: unknown): ChangeRequest['event'] {
  const name = typeof event === 'string' ? event.toUpperCase() : '*';
  return name === 'INSERT' || name === 'UPDATE' || name === 'DELETE' ? name : '*';
}

function selectOf(select: unknown): string[] | null {
  if (typeof select === 'string') {
    throw new InvalidRequest(
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    );
  }
  if (!Array.isArray(select)) return null;
  const columns = select.filter((column): column is string => typeof column === 'string');
  return columns.length === 0 ? null : columns;
}

function parseFilterParam(filter: string): ChangeFilter[] {
  try {
    return parseFilters(filter);
  } catch (error) {
    throw new InvalidRequest(`Error parsing \`filter\` params: ${(error as Error).message}`);
  }
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}
