import { RESOURCES } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { namespaceFlag, selectorFlag, things } from '../base/flags.js';
import { say } from '../base/terminal.js';
import { describeKinds } from '../data/describe.js';
import { findObjects } from '../data/query.js';

export default class Describe extends StarkCommand<typeof Describe> {
  static override summary =
    'Show things in full: what is wanted, what is, why, what goes with them, and what happened last.';
  static override examples = [
    '<%= config.bin %> describe node/laptop',
    '<%= config.bin %> describe namespace production --output yaml',
  ];
  static override args = { what: things() };
  static override flags = { ...namespaceFlag, ...selectorFlag };

  async run(): Promise<void> {
    const { selector } = this.flags;
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const found = await Promise.all(
      targetsOf(this.args.what).map(async ({ kind, names }) => {
        const resource = RESOURCES[kind];
        return { resource, rows: await findObjects(connection, resource, { namespace, names, selector }) };
      }),
    );
    for (const { resource, rows } of found) if (rows.length === 0) say(`no ${resource.plural}`);
    await describeKinds(connection, found, await this.format());
  }
}
