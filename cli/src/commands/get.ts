import { usageError } from '@stark-o/core/errors';
import { RESOURCES } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { allNamespacesFlag, namespaceFlag, selectorFlag, things, watchFlag } from '../base/flags.js';
import { printKinds, printList, viewOf, writeData } from '../base/output.js';
import { say } from '../base/terminal.js';
import { findObjects } from '../data/query.js';

export default class Get extends StarkCommand<typeof Get> {
  static override summary = 'List things of any kind.';
  static override description =
    'stark api-resources lists the kinds. Of one kind it prints what `list` of that kind does; of several, a table for each, or with -o json one list whose entries say their kind.';
  static override examples = [
    '<%= config.bin %> get pods,nodes --output wide',
    '<%= config.bin %> get pod/alpha-x1y2z node/laptop --namespace production',
  ];
  static override args = { what: things() };
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...selectorFlag, ...watchFlag };

  async run(): Promise<void> {
    const namespace = await this.namespace();
    const targets = targetsOf(this.args.what);
    const { selector } = this.flags;
    const [only] = targets;
    if (only !== undefined && targets.length === 1) {
      const resource = RESOURCES[only.kind];
      const filter = { namespace, names: only.names, selector };
      if (this.flags.watch) return this.watch(resource, filter);
      const rows = await this.list(resource, filter);
      return rows.length === 0 ? say(`no ${resource.plural}`) : undefined;
    }
    if (this.flags.watch) throw usageError('--watch looks at one kind at a time');
    const connection = await this.connection();
    const format = await this.format();
    const lists = await Promise.all(
      targets.map(async ({ kind, names }) => {
        const resource = RESOURCES[kind];
        const view = viewOf(resource, { namespaces: namespace === undefined });
        return { view, rows: await findObjects(connection, resource, { namespace, names, selector }) };
      }),
    );
    let first = true;
    await printKinds(lists, format, async ({ view, rows }) => {
      if (rows.length === 0) return;
      if (!first && format !== 'name') await writeData('\n');
      first = false;
      await printList(view, rows, format);
    });
  }
}
