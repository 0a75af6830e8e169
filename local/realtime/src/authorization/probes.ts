import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type Database, DatabaseUnavailable, PoolExhausted } from '../database/database.js';
import { type AuthorizationContext, type Extension, type Policies, PolicyError } from './policies.js';

const CHECK_VIOLATION = '23514';
const INSUFFICIENT_PRIVILEGE = '42501';
const QUERY_CANCELED = '57014';

/**
 * Asks the policies on realtime.messages by trying: rows are written and looked for as the client's role would, in a
 * transaction that is always rolled back.
 */
export class Probes {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * May the client read? One row per extension is inserted as the server's own user, with nothing but topic and
   * extension set, and looked for as the client. Rights that are not asked for stay as they are.
   */
  async read(policies: Policies, context: AuthorizationContext, extensions: readonly Extension[]): Promise<Policies> {
    const ids = new Map<string, Extension>(extensions.map((extension) => [randomUUID(), extension]));
    const rows = [...ids].map(([id, extension]) => `(${literals(id, context.topic, extension)})`).join(', ');
    // One round trip: a join is the place where a thousand clients stand in a queue.
    const script = `
      begin;
      insert into realtime.messages (id, topic, extension) values ${rows};
      ${impersonation(context)};
      select id from realtime.messages where id in (${literals(...ids.keys())});
      rollback`;
    const results = await this.#probe((client) => client.query(script));
    const seen = (results as unknown as pg.QueryResult<{ id: string }>[])[3]?.rows ?? [];
    const visible = new Set(seen.map((row) => row.id));
    const answer = structuredClone(policies);
    for (const [id, extension] of ids) answer[extension].read = visible.has(id);
    return answer;
  }

  /** May the client write? One row per extension is inserted as the client, each in a savepoint of its own. */
  write(policies: Policies, context: AuthorizationContext): Promise<Policies> {
    return this.#probe(async (client) => {
      const answer = structuredClone(policies);
      await client.query(`begin; ${impersonation(context)}; savepoint probe`);
      for (const extension of ['broadcast', 'presence'] as const) {
        answer[extension].write = await mayInsert(client, context.topic, extension);
        await client.query('rollback to savepoint probe');
      }
      await client.query('rollback');
      return answer;
    });
  }

  async #probe<T>(ask: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    try {
      return await this.#database.withClient(async (client) => {
        try {
          return await ask(client);
        } catch (error) {
          await client.query('rollback');
          throw error;
        }
      });
    } catch (error) {
      throw policyError(error);
    }
  }
}

async function mayInsert(client: pg.ClientBase, topic: string, extension: Extension): Promise<boolean> {
  try {
    await client.query('insert into realtime.messages (topic, extension) values ($1, $2)', [topic, extension]);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE) return false;
    throw error;
  }
}

function impersonation({ topic, claims, headers }: AuthorizationContext): string {
  const settings = {
    role: textOf(claims.role),
    'realtime.topic': topic,
    'request.jwt.claims': JSON.stringify(claims),
    'request.jwt.claim.sub': textOf(claims.sub),
    'request.jwt.claim.role': textOf(claims.role),
    'request.headers': JSON.stringify(headers),
  };
  const calls = Object.entries(settings).map(([name, value]) => `set_config(${literals(name, value)}, true)`);
  return `select ${calls.join(', ')}`;
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : claim === null || claim === undefined ? '' : JSON.stringify(claim);
}

function literals(...values: string[]): string {
  return values.map((value) => pg.escapeLiteral(value)).join(', ');
}

function policyError(error: unknown): PolicyError {
  if (error instanceof PoolExhausted) return new PolicyError('pool', error);
  if (error instanceof DatabaseUnavailable) return new PolicyError('unavailable', error);
  if (error instanceof pg.DatabaseError) {
    if (error.code === QUERY_CANCELED) return new PolicyError('cancelled', error);
    if (error.code === CHECK_VIOLATION && error.table === 'messages') return new PolicyError('partition', error);
  }
  return new PolicyError('policy', error);
}
