import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { parse as parseArray } from 'postgres-array';

/** The services' view of the database: Kysely, since that is what lite speaks. */
export type Database = Kysely<unknown>;

/** Element type by array type: the built-in ones are known to the driver, enums and the like are read from the catalogue. */
const elementTypes = new Map<number, number>();

/** Tells the driver of array types, so that a column of enums reads as an array. */
export function learnArrayTypes(rows: Iterable<{ array: number; element: number }>): void {
  for (const { array, element } of rows) elementTypes.set(array, element);
}

const text = (value: string) => value;
const json = (value: string): unknown => JSON.parse(value);

/** Times as Postgres writes them in JSON, which is what PostgREST shows; numbers where they lose nothing. */
const parsers = new Map<number, (value: string) => unknown>([
  [20, safeInteger],
  [1700, exactNumber],
  [1082, text],
  [1083, text],
  [1114, isoTime],
  [1184, isoTime],
  [1186, text],
  [1266, text],
  [114, json],
  [3802, json],
]);

function parserOf(type: number): (value: string) => unknown {
  const known = parsers.get(type);
  if (known) return known;
  const element = elementTypes.get(type);
  if (element === undefined) return pg.types.getTypeParser(type, 'text') as (value: string) => unknown;
  const parse = parserOf(element);
  return (value) => parseArray(value, parse);
}

export interface PoolOptions {
  databaseUrl: string;
  application: string;
  max: number;
  /** Server settings of each session. */
  options?: string;
}

/**
 * A pool on `pg`. postgres.js, which lite brings, writes to a socket that is gone when a transaction's connection is
 * lost, and that error ends the process; here it ends the query.
 */
export function openPool({ databaseUrl, application, max, options }: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: application,
    max,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: 10_000,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    options: ['-c TimeZone=UTC', options].filter(Boolean).join(' '),
  });
  // A connection that breaks while nobody asks anything is replaced at the next question.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Kysely on a pool; destroying it ends the pool. `onError` hears of every query that failed. */
export function openDatabase(options: PoolOptions, onError: (error: unknown) => void = () => undefined): Database {
  return new Kysely({
    dialect: new PostgresDialect({ pool: openPool(options) }),
    log: (event) => {
      if (event.level === 'error') onError(event.error);
    },
  });
}

/** `2026-11-21 05:15:09.43+00` as `2026-11-21T05:15:09.43+00:00`; infinity and years before Christ keep their words. */
function isoTime(value: string): string {
  return value.replace(' ', 'T').replace(/([+-]\d\d)(?=$| BC$)/, '$1:00');
}

function safeInteger(value: string): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

function exactNumber(value: string): number | string {
  const number = Number(value);
  return Number.isFinite(number) && String(number) === value ? number : value;
}
