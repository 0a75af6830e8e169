import * as Args from '@oclif/core/args';
import { StarkCommand } from '../base/command.js';
import { type Shell, scripts, shells, startLines } from '../complete/scripts.js';

export default class Completion extends StarkCommand<typeof Completion> {
  static override summary = 'Print the script by which a shell completes commands, flags and names.';
  static override description =
    `It needs stark on the PATH. To have it in every shell: ${Object.values(startLines).join('; ')}.`;
  static override aliases = ['autocomplete'];
  static override examples = ['<%= config.bin %> completion bash', '<%= config.bin %> completion fish --output json'];
  static override args = {
    shell: Args.string({ description: 'The shell.', required: true, options: [...shells], ignoreStdin: true }),
  };

  async run(): Promise<void> {
    const shell = this.args.shell as Shell;
    const script = scripts[shell];
    await this.printObject({ shell, script }, shell, [script.trimEnd()]);
    this.next(startLines[shell]);
  }
}
