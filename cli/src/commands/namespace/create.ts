import { namespaces } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { namespaceSpecFlags, namespaceSpecOf } from '../../data/namespaces.js';

export default class NamespaceCreate extends StarkCommand<typeof NamespaceCreate> {
  static override summary = 'Create a namespace, with a quota and limits if you like.';
  static override examples = [
    '<%= config.bin %> namespace create team-a --quota pods=20 --quota memory=8Gi',
    '<%= config.bin %> namespace create team-b --label team=b --default cpu=200m --max memory=1Gi --output json',
  ];
  static override args = { name: argument('Name of the namespace.') };
  static override flags = namespaceSpecFlags;

  async run(): Promise<void> {
    const spec = namespaceSpecOf(this.flags);
    const connection = await this.connection();
    const made = await connection.call('create_namespace', { p_name: this.args.name, ...spec });
    await printChanged(namespaces, [made], 'created', await this.format());
    this.next(`stark pod create --pack <pack> --namespace ${made.name}`);
  }
}
