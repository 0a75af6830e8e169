import { randomUUID } from 'node:crypto';
import {
  type ColumnUpdateNode,
  DefaultInsertValueNode,
  type InsertQueryNode,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  PrimitiveValueListNode,
  type QueryId,
  RawNode,
  type UpdateQueryNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely';

/** The name under which the catalogue shows JSON types of function arguments, so that lite leaves the values alone. */
export const jsonAlias = (type: 'json' | 'jsonb') => `pg_catalog.${type}`;

/** Stands in a body for what shall be the column's default; nobody outside knows it. */
export const columnDefault = `default:${randomUUID()}`;

const aliases = new Set([jsonAlias('json'), jsonAlias('jsonb')]);

/**
 * Writes JSON values as JSON text, and `columnDefault` as DEFAULT. Without it the driver makes a Postgres array of a
 * JSON array, and sends a JSON string without its quotes.
 */
export class JsonValues extends OperationNodeTransformer {
  readonly #isJson: (table: string, column: string) => boolean;

  constructor(isJson: (table: string, column: string) => boolean) {
    super();
    this.#isJson = isJson;
  }

  plugin(): KyselyPlugin {
    return {
      transformQuery: ({ node, queryId }) => this.transformNode(node, queryId),
      transformResult: async ({ result }) => result,
    };
  }

  protected override transformInsertQuery(node: InsertQueryNode, queryId?: QueryId): InsertQueryNode {
    const inner = super.transformInsertQuery(node, queryId);
    const table = inner.into?.table.identifier.name;
    const json = inner.columns?.map(({ column }) => table !== undefined && this.#isJson(table, column.name)) ?? [];
    if (!inner.values || !ValuesNode.is(inner.values)) return inner;
    return { ...inner, values: ValuesNode.create(inner.values.values.map((row) => encodeRow(row, json))) };
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId?: QueryId): UpdateQueryNode {
    const inner = super.transformUpdateQuery(node, queryId);
    const { table, updates } = inner;
    if (!updates || table?.kind !== 'TableNode') return inner;
    const name = (table as unknown as { table: { identifier: { name: string } } }).table.identifier.name;
    return { ...inner, updates: updates.map((update) => this.#encodeUpdate(name, update)) };
  }

  /** `name := value::type`, the argument of a function. */
  protected override transformRaw(node: RawNode, queryId?: QueryId): RawNode {
    const inner = super.transformRaw(node, queryId);
    const [name, value, type] = inner.parameters;
    if (inner.sqlFragments.join('?') !== '? := ?::?' || !name || !value || !type) return inner;
    const typeName = type.kind === 'RawNode' ? (type as RawNode).sqlFragments[0] : undefined;
    return typeName !== undefined && aliases.has(typeName)
      ? { ...inner, parameters: [name, encode(value), type] }
      : inner;
  }

  #encodeUpdate(table: string, update: ColumnUpdateNode): ColumnUpdateNode {
    const column = (update.column as { column?: { name: string } }).column?.name;
    if (isDefault(update.value)) return { ...update, value: RawNode.createWithSql('default') };
    return column !== undefined && this.#isJson(table, column) ? { ...update, value: encode(update.value) } : update;
  }
}

function encodeRow(
  row: ValueListNode | PrimitiveValueListNode,
  json: boolean[],
): ValueListNode | PrimitiveValueListNode {
  if (ValueListNode.is(row)) {
    return ValueListNode.create(
      row.values.map((value, i) =>
        isDefault(value) ? DefaultInsertValueNode.create() : json[i] ? encode(value) : value,
      ),
    );
  }
  if (row.values.includes(columnDefault)) {
    return encodeRow(ValueListNode.create(row.values.map((value) => ValueNode.create(value))), json);
  }
  return PrimitiveValueListNode.create(
    row.values.map((value, i) => (json[i] && value !== null ? JSON.stringify(value) : value)),
  );
}

const isDefault = (node: OperationNode) => ValueNode.is(node) && node.value === columnDefault;

function encode(node: OperationNode): OperationNode {
  if (!ValueNode.is(node) || node.value === null || node.value === undefined) return node;
  return ValueNode.create(JSON.stringify(node.value));
}
