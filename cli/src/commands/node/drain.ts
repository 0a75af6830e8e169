import * as Flags from '@oclif/core/flags';
import { nodes } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { names, waitFlags } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { say } from '../../base/terminal.js';
import { type Drained, drainNode, drainTime, heldOn, unmanaged, waitForEmpty } from '../../data/node-drain.js';
import { findNodes } from '../../data/nodes.js';

export default class NodeDrain extends StarkCommand<typeof NodeDrain> {
  static override summary = 'Cordon nodes and stop their pods, each within its grace period.';
  static override description =
    'Pods of deployments with a disruption budget (--max-disrupted) are replaced first, and leave one after the other: the drain goes on by itself, and waiting says which deployment holds which pod. Pods of deployments in daemon mode stay. stark node uncordon calls it off.';
  static override examples = [
    '<%= config.bin %> node drain node-1 --wait=2m',
    '<%= config.bin %> node drain node-1 node-2 --timeout 0',
  ];
  static override args = { node: names('node') };
  static override flags = {
    ...waitFlags,
    timeout: Flags.string({
      summary: "kubectl's word for --wait with a time; 0 waits for ever.",
      helpValue: '<duration>',
      exclusive: ['wait', 'no-wait'],
    }),
    force: Flags.boolean({ summary: 'Say nothing of pods that no deployment replaces; they are stopped either way.' }),
    'disable-eviction': Flags.boolean({ summary: 'Do not ask disruption budgets: all pods are stopped at once.' }),
    // Typed by the fingers of those who come from kubectl; both are so here in any case.
    'ignore-daemonsets': Flags.boolean({ hidden: true }),
    'delete-emptydir-data': Flags.boolean({ hidden: true }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const timeoutMs = drainTime(flags);
    const connection = await this.connection();
    const names = (await findNodes(connection, { names: this.args.node })).map(({ name }) => name);
    const drained = new Map<string, Drained>();
    for (const name of names) drained.set(name, await drainNode(connection, name, flags['disable-eviction']));
    const alone = unmanaged([...drained.values()]);
    if (alone !== undefined && !flags.force) say(`no deployment replaces ${alone}`);
    if (timeoutMs !== undefined) await waitForEmpty(connection, names, timeoutMs);
    else
      for (const [name, { held }] of drained)
        if (held > 0) for (const line of await heldOn(connection, name)) say(line);
    const after = await findNodes(connection, { names });
    const done = (name: string) => {
      const { pods, held } = drained.get(name) ?? { pods: [], held: 0 };
      const count = `${pods.length} pod${pods.length === 1 ? '' : 's'}`;
      if (timeoutMs !== undefined) return `cordoned, drained of ${count}`;
      return held === 0 ? `cordoned, stopping ${count}` : `draining ${count}, ${held} held by disruption budgets`;
    };
    await printChanged(nodes, after, ({ name }) => done(name), await this.format());
    this.next(`stark node uncordon ${names.join(' ')}`);
  }
}
