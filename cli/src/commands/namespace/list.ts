import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { findNamespaces, namespaceView } from '../../data/cluster-objects.js';

export default class NamespaceList extends StarkCommand<typeof NamespaceList> {
  static override summary = 'List namespaces with their quotas and limits.';
  static override examples = [
    '<%= config.bin %> namespace list',
    '<%= config.bin %> namespace list default --output yaml',
  ];
  static override args = { namespace: names('namespace', { required: false }) };

  async run(): Promise<void> {
    const wanted = this.args.namespace as unknown as string[] | undefined;
    await this.printList(namespaceView, await findNamespaces(await this.connection(), wanted));
  }
}
