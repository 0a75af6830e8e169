import { StarkCommand } from '../../base/command.js';
import { argument } from '../../base/flags.js';
import { Contexts } from '../../config/contexts.js';
import { configDirectory } from '../../config/directories.js';

export default class ContextUse extends StarkCommand<typeof ContextUse> {
  static override summary = 'Talk to another cluster from now on.';
  static override examples = ['<%= config.bin %> context use local', '<%= config.bin %> context use production --json'];
  static override args = { name: argument('Name of the context.') };

  async run(): Promise<void> {
    const { name } = this.args;
    const { url, namespace } = await new Contexts(configDirectory()).use(name);
    const object = { name, url, namespace: namespace ?? null };
    await this.printObject(object, `context/${name}`, [`context ${name} (${url})`]);
  }
}
