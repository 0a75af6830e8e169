import { nodes } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames, selectorFlag, watchFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';

export default class NodeList extends StarkCommand<typeof NodeList> {
  static override summary = 'List nodes.';
  static override aliases = ['node agent list'];
  static override examples = [
    '<%= config.bin %> node list --selector tier=backend',
    '<%= config.bin %> node list --output wide',
  ];
  static override args = { node: optionalNames('node') };
  static override flags = { ...selectorFlag, ...watchFlag };

  async run(): Promise<void> {
    const filter = { names: this.args.node, selector: this.flags.selector };
    if (this.flags.watch) return this.watch(nodes, filter);
    const found = await this.list(nodes, filter);
    if (found.length === 0) {
      say('no nodes');
      this.next('stark node agent start');
    }
  }
}
