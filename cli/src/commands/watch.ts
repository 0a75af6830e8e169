import { usageError } from '@stark-o/core/errors';
import { RESOURCES } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { allNamespacesFlag, namespaceFlag, selectorFlag, things } from '../base/flags.js';

export default class Watch extends StarkCommand<typeof Watch> {
  static override summary = 'Show things of a kind and how they change, until Ctrl-C.';
  static override description = 'The same as get --watch. JSON is one object a line: {"type", "object"}.';
  static override examples = [
    '<%= config.bin %> watch pods --selector app=web',
    '<%= config.bin %> watch nodes --output json',
  ];
  static override args = { what: things() };
  static override flags = { ...namespaceFlag, ...allNamespacesFlag, ...selectorFlag };

  async run(): Promise<void> {
    const [target, ...others] = targetsOf(this.args.what);
    if (target === undefined || others.length > 0) throw usageError('watch looks at one kind at a time');
    const namespace = await this.namespace();
    await this.watch(RESOURCES[target.kind], { namespace, names: target.names, selector: this.flags.selector });
  }
}
