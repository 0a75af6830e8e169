import pg from 'pg';
import type { Claims } from '../authorization/token.js';
import { type Database, DatabaseUnavailable, PoolExhausted } from '../database/database.js';
import { type ChangeRequest, InvalidRequest } from './request.js';

export const PUBLICATION = 'supabase_realtime';

/** One request of one channel, as a row of realtime.subscription. */
export interface SubscriptionRow {
  id: string;
  request: ChangeRequest;
}

const insert = `
  insert into realtime.subscription as x
    (subscription_id, entity, filters, claims, action_filter, selected_columns)
  select $1::uuid, format('%I.%I', p.schemaname, p.tablename)::regclass,
         (select coalesce(array_agg(row(c, o::realtime.equality_op, v, n)::realtime.user_defined_filter), '{}')
            from unnest($2::text[], $3::text[], $4::text[], $5::boolean[]) as f (c, o, v, n)),
         $6::jsonb, $7, $8::text[]
    from pg_catalog.pg_publication_tables p
   where p.pubname = '${PUBLICATION}'
     and $9::text in ('*', p.schemaname)
     and $10::text in ('*', p.tablename)
  on conflict (subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'))
  do update set claims = excluded.claims, created_at = now()
  returning x.entity::oid::integer as entity`;

/** The rows of realtime.subscription that belong to this server. */
export class Subscriptions {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Writes all rows of one channel or none; the tables they concern. Throws InvalidRequest for the client's mistakes. */
  create(rows: readonly SubscriptionRow[], claims: Claims): Promise<number[]> {
    return this.#database.withClient(async (client) => {
      await client.query('begin');
      try {
        const entities: number[] = [];
        for (const row of rows) entities.push(...(await this.#insert(client, row, claims)));
        await client.query('commit');
        return entities;
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    });
  }

  /** Removes rows of channels that are gone. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.#database.query('delete from realtime.subscription where subscription_id = any ($1::uuid[])', [ids]);
  }

  /** Removes whatever an earlier server or an earlier stream left. */
  async clear(): Promise<void> {
    await this.#database.query('delete from realtime.subscription');
  }

  /** The tables of the publication, as text to compare. */
  async publishedTables(): Promise<string> {
    const rows = await this.#database.query<{ tables: string }>(
      `select coalesce(string_agg(format('%I.%I', schemaname, tablename), ',' order by schemaname, tablename), '') as tables
         from pg_catalog.pg_publication_tables where pubname = $1`,
      [PUBLICATION],
    );
    return rows[0]?.tables ?? '';
  }

  async #insert(client: pg.ClientBase, { id, request }: SubscriptionRow, claims: Claims): Promise<number[]> {
    const { filters } = request;
    let entities: number[];
    try {
      const result = await client.query<{ entity: number }>(insert, [
        id,
        filters.map((filter) => filter.column),
        filters.map((filter) => filter.operator),
        filters.map((filter) => filter.value),
        filters.map((filter) => filter.negate),
        JSON.stringify(claims),
        request.event,
        request.select,
        request.schema,
        request.table,
      ]);
      entities = result.rows.map((row) => row.entity);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      throw new InvalidRequest(
        `Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: [${shown(request)}]. Exception: ERROR ${conditionOf(error)} ${error.message}`,
      );
    }
    if (entities.length > 0) return entities;
    throw new InvalidRequest(
      `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [${shown(request)}]`,
    );
  }
}

/** Whether trying again may help. */
export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || error instanceof PoolExhausted;
}

/** Conditions are named as the real server's driver names them; its triggers raise nothing but this one. */
function conditionOf(error: pg.DatabaseError): string {
  return error.code === 'P0001' ? 'P0001 (raise_exception)' : `${error.code}`;
}

function shown({ event, schema, table, filters, select }: ChangeRequest): string {
  const list = filters.map((f) => `{"${f.column}", "${f.operator}", "${f.value}", ${f.negate}}`).join(', ');
  const columns = select === null ? 'nil' : JSON.stringify(select);
  return `event: ${event}, schema: ${schema}, table: ${table}, filters: [${list}], select: ${columns}`;
}
