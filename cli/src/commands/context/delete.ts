import { StarkCommand } from '../../base/command.js';
import { names, yesFlag } from '../../base/flags.js';
import { writeData } from '../../base/output.js';
import { confirm } from '../../base/prompt.js';
import { Contexts } from '../../config/contexts.js';
import { configDirectory } from '../../config/directories.js';
import { SessionFile } from '../../session/sessions.js';

export default class ContextDelete extends StarkCommand<typeof ContextDelete> {
  static override summary = 'Forget clusters, and your sessions there.';
  static override examples = [
    '<%= config.bin %> context delete old --yes',
    '<%= config.bin %> context delete a b --yes',
  ];
  static override args = { name: names('context') };
  static override flags = yesFlag;

  async run(): Promise<void> {
    const contexts = new Contexts(configDirectory());
    const wanted = [...new Set(this.args.name)];
    const found = await Promise.all(wanted.map(async (name) => ({ name, url: (await contexts.get(name)).url })));
    if (!(await confirm(`Forget ${wanted.join(', ')}?`, this.flags.yes))) return;
    for (const { name, url } of found) {
      await contexts.remove(name);
      await new SessionFile(configDirectory(), name, url).clear();
    }
    if ((await this.format()) === 'table') await writeData(wanted.map((name) => `context/${name} deleted\n`).join(''));
    else await this.printList({ kind: 'context', name: ({ name }) => name, columns: [] }, found);
  }
}
