import * as Flags from '@oclif/core/flags';
import { POD_STATUSES } from '@stark-o/core/model';
import { pods } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { allNamespacesFlag, namespaceFlag, optionalNames, selectorFlag, watchFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';

export default class PodList extends StarkCommand<typeof PodList> {
  static override summary = 'List pods.';
  static override examples = [
    '<%= config.bin %> pod list --namespace production --selector app=web',
    '<%= config.bin %> pod list --all-namespaces --status running --output json',
  ];
  static override args = { pod: optionalNames('pod') };
  static override flags = {
    ...namespaceFlag,
    ...allNamespacesFlag,
    ...selectorFlag,
    ...watchFlag,
    status: Flags.option({ options: POD_STATUSES, summary: 'Only those with this status.' })(),
  };

  async run(): Promise<void> {
    const namespace = await this.namespace();
    const { selector, status } = this.flags;
    const filter = { namespace, names: this.args.pod, selector, equal: { status } };
    if (this.flags.watch) return this.watch(pods, filter);
    const found = await this.list(pods, filter);
    if (found.length === 0) say(`no pods${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
  }
}
