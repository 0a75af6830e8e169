import { StarkCommand } from '../../base/command.js';
import { describe } from '../../base/output.js';

export default class ContextShow extends StarkCommand<typeof ContextShow> {
  static override summary = 'Show the cluster and namespace in force.';
  static override examples = ['<%= config.bin %> context show', '<%= config.bin %> context show --output name'];

  async run(): Promise<void> {
    const settings = await this.settings();
    const name = settings.all.context.value ?? null;
    const { url, namespace } = settings;
    await this.printObject(
      { name, url, namespace },
      `context/${settings.context}`,
      describe([
        ['Context', name],
        ['URL', url],
        ['Namespace', namespace],
      ]),
    );
  }
}
