import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { type NodeRow, nodes, type PodRow, pods } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { allNamespacesFlag, namespaceFlag, selectorFlag, things } from '../base/flags.js';
import { say } from '../base/terminal.js';
import { findObjects } from '../data/query.js';
import { nodeUse, podUse, usageOf, useView } from '../data/usage.js';

export default class Top extends StarkCommand<typeof Top> {
  static override summary = 'Show what nodes or pods use of processor and memory.';
  static override description =
    'Numbers are those of the last heartbeat, at most a minute old. <none> is shown for what reported none, or what you may not see.';
  static override examples = [
    '<%= config.bin %> top nodes',
    '<%= config.bin %> top pods --all-namespaces --sort-by memory',
  ];
  static override args = { what: things() };
  static override flags = {
    ...namespaceFlag,
    ...allNamespacesFlag,
    ...selectorFlag,
    'sort-by': Flags.option({
      options: ['name', 'cpu', 'memory'] as const,
      default: 'name',
      summary: 'What comes first.',
    })(),
  };

  async run(): Promise<void> {
    const [target, ...others] = targetsOf(this.args.what);
    if (target === undefined || others.length > 0) throw usageError('top shows one kind at a time');
    const { kind, names } = target;
    if (kind !== 'node' && kind !== 'pod')
      throw usageError(`${kind}s use nothing themselves`, 'stark top nodes, stark top pods');
    const connection = await this.connection();
    const filter = { namespace: await this.namespace(), names, selector: this.flags.selector };
    const found =
      kind === 'node' ? await findObjects(connection, nodes, filter) : await findObjects(connection, pods, filter);
    const usage = await usageOf(connection);
    const rows =
      kind === 'node'
        ? (found as NodeRow[]).map((node) => nodeUse(node, usage))
        : (found as PodRow[]).filter(({ status }) => status === 'running').map((pod) => podUse(pod, usage));
    const by = this.flags['sort-by'];
    if (by !== 'name') rows.sort((a, b) => (b[by] ?? -1) - (a[by] ?? -1));
    await this.printList(useView(kind, { namespaces: filter.namespace === undefined }), rows);
    if (rows.length === 0) say(`no ${kind}s${kind === 'pod' ? ' that run' : ''}`);
  }
}
