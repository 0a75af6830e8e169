import { namespaces } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames, selectorFlag } from '../../base/flags.js';

export default class NamespaceList extends StarkCommand<typeof NamespaceList> {
  static override summary = 'List namespaces with their quotas and limits.';
  static override examples = [
    '<%= config.bin %> namespace list',
    '<%= config.bin %> namespace list default --output yaml',
  ];
  static override args = { namespace: optionalNames('namespace') };
  static override flags = { ...selectorFlag };

  async run(): Promise<void> {
    await this.list(namespaces, { names: this.args.namespace, selector: this.flags.selector });
  }
}
