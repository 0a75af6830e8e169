import { StarkCommand } from '../../base/command.js';
import type { View } from '../../base/output.js';
import { Contexts, type NamedContext } from '../../config/contexts.js';
import { mask } from '../../session/debug-fetch.js';

const view: View<NamedContext> = {
  kind: 'context',
  name: (context) => context.name,
  object: ({ name, current, url, key, namespace, dataDir }) => ({
    name,
    current,
    url,
    key: mask(key),
    namespace: namespace ?? null,
    data_dir: dataDir ?? null,
  }),
  columns: [
    { header: 'NAME', value: (context) => context.name },
    { header: 'CURRENT', value: (context) => (context.current ? '*' : '') },
    { header: 'URL', value: (context) => context.url },
    { header: 'NAMESPACE', value: (context) => context.namespace },
    { header: 'DATA-DIR', value: (context) => context.dataDir, wide: true },
  ],
};

export default class ContextList extends StarkCommand<typeof ContextList> {
  static override summary = 'List the clusters that you can talk to.';
  static override examples = ['<%= config.bin %> context list', '<%= config.bin %> context list --output json'];

  async run(): Promise<void> {
    const settings = await this.settings();
    await this.printList(view, await new Contexts(settings.configDirectory).list());
    this.next('stark context use <name>');
  }
}
