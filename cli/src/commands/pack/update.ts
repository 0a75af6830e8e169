import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { PACK_VISIBILITIES } from '@stark-o/core/model';
import { packs } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { findObjects } from '../../data/query.js';

export default class PackUpdate extends StarkCommand<typeof PackUpdate> {
  static override summary = 'Change who may run packs, or their description; pods that run stay.';
  static override examples = [
    '<%= config.bin %> pack update alpha --visibility public',
    '<%= config.bin %> pack update alpha --description "Answers with who it is." --output json',
  ];
  static override args = { pack: names('pack') };
  static override flags = {
    visibility: Flags.option({ options: PACK_VISIBILITIES, summary: 'Who may run it.' })(),
    description: Flags.string({ summary: 'What it is for.' }),
  };

  async run(): Promise<void> {
    const { visibility, description } = this.flags;
    if (visibility === undefined && description === undefined) {
      throw usageError('say what to change', 'e.g. --visibility public');
    }
    const connection = await this.connection();
    for (const { name } of await findObjects(connection, packs, { names: this.args.pack })) {
      await connection.call('update_pack', {
        p_name: name,
        ...(visibility === undefined ? {} : { p_visibility: visibility }),
        ...(description === undefined ? {} : { p_description: description }),
      });
    }
    const changed = await findObjects(connection, packs, { names: this.args.pack });
    await printChanged(packs, changed, 'updated', await this.format());
  }
}
