import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { argument } from '../../base/flags.js';
import { widthOf } from '../../base/terminal.js';
import { explainField, explanationLines } from '../../data/fields.js';

export default class Explain extends StarkCommand<typeof Explain> {
  static override summary = 'Say what the fields of a kind of thing are; needs no cluster.';
  static override description =
    'Whatever -o json shows of a thing, and what can be said of it where it is made: types, values, limits, defaults.';
  static override examples = [
    '<%= config.bin %> explain pod.spec.affinity',
    '<%= config.bin %> explain deployment --recursive',
  ];
  static override args = { field: argument('A kind, or a field of it: TYPE[.FIELD...].') };
  static override flags = {
    recursive: Flags.boolean({ char: 'r', summary: 'The names of all fields inside as well.' }),
  };

  async run(): Promise<void> {
    const explained = explainField(this.args.field);
    const { kind, path } = explained;
    const name = [kind, ...(path === '' ? [] : [path])].join('.');
    const lines = explanationLines(explained, { recursive: this.flags.recursive, width: widthOf(process.stdout) });
    await this.printObject(explained, name, lines);
  }
}
