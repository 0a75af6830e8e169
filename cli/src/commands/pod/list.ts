import * as Flags from '@oclif/core/flags';
import { matchesSelector, POD_STATUSES, parseSelector } from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { allNamespacesFlag, names, namespaceFlag, selectorFlag, watchFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { findPods, type PodRow, podView } from '../../data/pods.js';
import { watchPods } from '../../data/watch-pods.js';

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
    ...watchFlag,
    status: Flags.option({ options: POD_STATUSES, summary: 'Only those with this status.' })(),
  };

  async run(): Promise<void> {
    const namespace = await this.namespace();
    const names = this.args.pod as unknown as string[] | undefined;
    const { selector, status } = this.flags;
    const connection = await this.connection();
    const view = podView({ namespaces: namespace === undefined });
    if (this.flags.watch) {
      const chosen = selector === undefined ? undefined : parseSelector(selector);
      const matches = (pod: PodRow) =>
        (names === undefined || names.includes(pod.name) || names.includes(pod.id)) &&
        (status === undefined || pod.status === status) &&
        (chosen === undefined || matchesSelector(chosen, pod.labels));
      return watchPods(connection, { namespace, view, matches, format: await this.format() });
    }
    const pods = await findPods(connection, { namespace, names, selector, equal: { status } });
    await this.printList(view, pods);
    if (pods.length === 0) say(`no pods${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
  }
}
