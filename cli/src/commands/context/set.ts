import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { argument } from '../../base/flags.js';
import { Contexts } from '../../config/contexts.js';
import { configDirectory } from '../../config/directories.js';

export default class ContextSet extends StarkCommand<typeof ContextSet> {
  static override summary = 'Add a cluster, or change what is known of one.';
  static override examples = [
    '<%= config.bin %> context set production --url https://abc.supabase.co --key sb_publishable_…',
    '<%= config.bin %> context set local --namespace team-a',
  ];
  static override args = { name: argument('Name of the context.') };
  static override flags = {
    url: Flags.string({ char: 'u', summary: 'URL of the Supabase project.' }),
    key: Flags.string({ summary: 'Publishable key of the project.' }),
    namespace: Flags.string({ char: 'n', summary: 'Namespace to work in when none is named.' }),
  };

  async run(): Promise<void> {
    const { name } = this.args;
    const contexts = new Contexts(configDirectory());
    const before = await contexts.find(name);
    const url = (this.flags.url ?? before?.url)?.replace(/\/+$/, '');
    const key = this.flags.key ?? before?.key;
    const namespace = this.flags.namespace ?? before?.namespace;
    if (url === undefined || key === undefined) throw usageError(`--url and --key are needed for a new context`);
    if (!URL.canParse(url)) throw usageError(`--url: "${url}" is no URL`);
    await contexts.save(name, { ...before, url, key, ...(namespace === undefined ? {} : { namespace }) });
    // The first one that a person names is the one that is meant.
    const current = (await contexts.current()) ?? (await contexts.use(name).then(() => name));
    await this.printObject({ name, url, namespace: namespace ?? null }, `context/${name}`, [
      `context ${name} (${url})${current === name ? ', the one in force' : ''}`,
    ]);
    if (current !== name) this.next(`stark context use ${name}`);
  }
}
