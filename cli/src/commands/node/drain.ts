import { nodes } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { names, waitFlags } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { waitTime } from '../../base/wait.js';
import { waitForEmpty } from '../../data/node-wait.js';
import { findNodes } from '../../data/nodes.js';

export default class NodeDrain extends StarkCommand<typeof NodeDrain> {
  static override summary = 'Cordon nodes and stop their pods, each within its grace period.';
  static override examples = [
    '<%= config.bin %> node drain node-1 --wait=2m',
    '<%= config.bin %> node drain node-1 node-2 --no-wait',
  ];
  static override args = { node: names('node') };
  static override flags = { ...waitFlags };

  async run(): Promise<void> {
    const timeoutMs = waitTime(this.flags);
    const connection = await this.connection();
    const drained = (await findNodes(connection, { names: this.args.node })).map(({ name }) => name);
    const counts = new Map<string, number>();
    for (const name of drained) {
      counts.set(name, (await connection.call('drain_node', { p_name: name })).length);
    }
    if (timeoutMs !== undefined) await waitForEmpty(connection, drained, timeoutMs);
    const after = await findNodes(connection, { names: drained });
    const pods = (count = 0) => `${count} pod${count === 1 ? '' : 's'}`;
    const done = timeoutMs === undefined ? 'stopping' : 'drained of';
    await printChanged(nodes, after, ({ name }) => `cordoned, ${done} ${pods(counts.get(name))}`, await this.format());
    this.next(`stark node uncordon ${drained.join(' ')}`);
  }
}
