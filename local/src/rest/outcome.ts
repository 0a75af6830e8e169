import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryId,
  RootOperationNode,
} from 'kysely';
import { ResponseError } from './errors.js';
import type { Preferences } from './preferences.js';

const mutations = new Set(['InsertQueryNode', 'UpdateQueryNode', 'DeleteQueryNode']);

/** Counts, inside a transaction, what lite's statements did. */
export class StatementCount implements KyselyPlugin {
  readonly #kinds = new Map<QueryId, string>();
  /** Rows that the last insert, update or delete touched; undefined while there was none. */
  affected: number | undefined;
  /** Rows that the first statement gave back: a call of a function is the first one. */
  returned: number | undefined;

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    this.#kinds.set(queryId, node.kind);
    return node;
  }

  async transformResult({ queryId, result }: PluginTransformResultArgs): Promise<PluginTransformResultArgs['result']> {
    this.returned ??= result.rows.length;
    if (mutations.has(this.#kinds.get(queryId) ?? '')) {
      this.affected = Number(result.numAffectedRows ?? result.rows.length);
    }
    return result;
  }
}

export interface Statement {
  method: string;
  /** Whether a called function gives back one value or row; undefined when no function was called. */
  returnsSingle: boolean | undefined;
  /** The client wants one JSON object and nothing else. */
  isSingular: boolean;
  preferences: Preferences;
}

/** Throws what PostgREST answers after the statement ran; the transaction ends with it, so nothing is kept. */
export function checkOutcome(statement: Statement, count: StatementCount): void {
  const { method, returnsSingle, isSingular, preferences } = statement;
  const isCall = returnsSingle !== undefined;
  const rows = isCall ? (returnsSingle ? 1 : count.returned) : count.affected;
  if (rows === undefined) return;
  if (!isCall && method === 'PUT') {
    if (rows !== 1) throw refused(400, 'PGRST115', 'Payload values do not match URL in primary key column(s)');
    return;
  }
  if (isSingular && rows !== 1) {
    const why = `The result contains ${rows} rows`;
    throw refused(406, 'PGRST116', 'Cannot coerce the result to a single JSON object', why);
  }
  const { handling, maxAffected } = preferences;
  const isLimited = handling === 'strict' && (isCall || method === 'PATCH' || method === 'DELETE');
  if (isLimited && maxAffected !== undefined && rows > maxAffected) {
    const why = `The query affects ${rows} rows`;
    throw refused(400, 'PGRST124', 'Query result exceeds max-affected preference constraint', why);
  }
}

/** A function that gives back one thing has no rows to count. */
export function checkCountable({ returnsSingle, preferences }: Statement): void {
  const { handling, maxAffected } = preferences;
  if (!returnsSingle || handling !== 'strict' || maxAffected === undefined) return;
  const why = 'Function must return SETOF or TABLE when max-affected preference is used with handling=strict';
  throw refused(400, 'PGRST128', why);
}

const refused = (status: number, code: string, message: string, details: string | null = null) =>
  new ResponseError(status, { code, details, hint: null, message });
