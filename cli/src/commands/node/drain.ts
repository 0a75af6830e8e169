import { StarkCommand } from '../../base/command.js';
import { names, waitFlags } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { waitTime } from '../../base/wait.js';
import { waitForEmpty } from '../../data/node-wait.js';
import { findNodes, nodeView } from '../../data/nodes.js';
import type { PodRow } from '../../data/pods.js';

export default class NodeDrain extends StarkCommand<typeof NodeDrain> {
  static override summary = 'Cordon nodes and stop their pods, each within its grace period.';
  static override examples = [
    '<%= config.bin %> node drain node-1 --wait=2m',
    '<%= config.bin %> node drain node-1 node-2 --no-wait',
  ];
  static override args = { node: names('node', { required: true }) };
  static override flags = { ...waitFlags };

  async run(): Promise<void> {
    const wanted = this.args.node as unknown as string[];
    const timeoutMs = waitTime(this.flags);
    const connection = await this.connection();
    const nodes = (await findNodes(connection, { names: wanted })).map(({ name }) => name);
    const counts = new Map<string, number>();
    for (const name of nodes) {
      counts.set(name, (await connection.call<PodRow[]>('drain_node', { p_name: name })).length);
    }
    if (timeoutMs !== undefined) await waitForEmpty(connection, nodes, timeoutMs);
    const after = await findNodes(connection, { names: nodes });
    const pods = (count = 0) => `${count} pod${count === 1 ? '' : 's'}`;
    const done = timeoutMs === undefined ? 'stopping' : 'drained of';
    await printChanged(
      nodeView,
      after,
      ({ name }) => `cordoned, ${done} ${pods(counts.get(name))}`,
      await this.format(),
    );
    this.next(`stark node uncordon ${nodes.join(' ')}`);
  }
}
