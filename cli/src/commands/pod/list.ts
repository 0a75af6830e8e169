import * as Flags from '@oclif/core/flags';
import { POD_STATUSES } from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { allNamespacesFlag, names, namespaceFlag, selectorFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { findPods, podView } from '../../data/pods.js';

export default class PodList extends StarkCommand<typeof PodList> {
  static override summary = 'List pods.';
  static override examples = [
    '<%= config.bin %> pod list --namespace production --selector app=web',
    '<%= config.bin %> pod list --all-namespaces --status running --output json',
  ];
  static override args = { pod: names('pod', { required: false }) };
  static override flags = {
    ...namespaceFlag,
    ...allNamespacesFlag,
    ...selectorFlag,
    status: Flags.option({ options: POD_STATUSES, summary: 'Only those with this status.' })(),
  };

  async run(): Promise<void> {
    const namespace = await this.namespace();
    const filter = {
      namespace,
      names: this.args.pod as unknown as string[] | undefined,
      selector: this.flags.selector,
      equal: { status: this.flags.status },
    };
    const pods = await findPods(await this.connection(), filter);
    await this.printList(podView({ namespaces: namespace === undefined }), pods);
    if (pods.length === 0) say(`no pods${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
  }
}
