import { waitFor } from '../base/wait.js';
import type { Connection } from '../session/connection.js';

interface Staying {
  name: string;
  status: string;
  node_name: string;
}

/** Waits until nothing runs on these nodes any more. */
export async function waitForEmpty(connection: Connection, nodes: readonly string[], timeoutMs: number): Promise<void> {
  const client = await connection.client();
  await waitFor({
    poll: () =>
      connection.rows<Staying>(
        client
          .from('pods')
          .select('name,status,node_name')
          .in('node_name', [...nodes])
          .in('status', ['scheduled', 'transferring', 'starting', 'running', 'stopping'])
          .limit(1000),
      ),
    judge: ([first, ...others]) =>
      first === undefined
        ? { done: true }
        : { waiting: `${others.length + 1} pods left; ${first.name} is ${first.status} on ${first.node_name}` },
    timeoutMs,
    resume: `stark node drain ${nodes.join(' ')} --wait`,
  });
}
