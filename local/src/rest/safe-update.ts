import {
  type DeleteQueryNode,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  type QueryId,
  SelectQueryNode,
  type UpdateQueryNode,
  type WhereNode,
} from 'kysely';
import { ResponseError } from './errors.js';

/**
 * Refuses to change or delete all rows of a table by leaving out the filter. On a hosted project that is the work of Postgres'
 * extension safeupdate in PostgREST's sessions. There it looks into functions, too; here it sees what REST itself writes.
 */
class SafeUpdate extends OperationNodeTransformer {
  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    requireFilter('UPDATE', node.where);
    return super.transformUpdateQuery(node, queryId);
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId?: QueryId): DeleteQueryNode {
    requireFilter('DELETE', node.where);
    return super.transformDeleteQuery(node, queryId);
  }
}

const transformer = new SafeUpdate();

export const safeUpdate: KyselyPlugin = {
  transformQuery: ({ node, queryId }) => transformer.transformNode(node, queryId),
  transformResult: async ({ result }) => result,
};

function requireFilter(command: 'UPDATE' | 'DELETE', where: WhereNode | undefined): void {
  if (where !== undefined && !isLimit(where.where)) return;
  throw new ResponseError(400, {
    code: '21000',
    details: null,
    hint: null,
    message: `${command} requires a WHERE clause`,
  });
}

/**
 * Lite makes `limit` and `offset` a condition: the primary key is among those of a limited query. PostgREST has no limited changes
 * since version 13, so such a condition is a filter only where that query has one.
 */
function isLimit(condition: OperationNode): boolean {
  const query = limitedQueryIn(condition);
  return query !== undefined && query.where === undefined;
}

function limitedQueryIn(node: unknown): SelectQueryNode | undefined {
  if (typeof node !== 'object' || node === null) return undefined;
  const inner = node as OperationNode;
  if (SelectQueryNode.is(inner) && (inner.limit !== undefined || inner.offset !== undefined)) return inner;
  for (const value of Object.values(node)) {
    const found = limitedQueryIn(value);
    if (found) return found;
  }
  return undefined;
}
