import { type Caller, type NodeRow, nodes } from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { printChanged } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { type Filter, findObjects } from './query.js';

export function findNodes(connection: Connection, filter: Filter): Promise<NodeRow[]> {
  return findObjects(connection, nodes, filter);
}

/** One call that changes a node, by its name, and gives it as it is then. */
export type NodeCall = (call: Caller, name: string) => Promise<NodeRow>;

/** Makes calls for each node, by name or id, and prints the nodes that the last of them answers. */
export async function changeNodes(
  connection: Connection,
  names: readonly string[],
  change: { calls: readonly NodeCall[]; done: string },
  format: OutputFormat,
): Promise<void> {
  const changed: NodeRow[] = [];
  const call = connection.caller;
  for (const node of await findNodes(connection, { names })) {
    let after = node;
    for (const make of change.calls) after = await make(call, node.name);
    changed.push(after);
  }
  await printChanged(nodes, changed, change.done, format);
}
