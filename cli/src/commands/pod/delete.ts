import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { type PodRow, pods as podResource } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, optionalNames, selectorFlag, waitFlags, yesFlag } from '../../base/flags.js';
import { writeData } from '../../base/output.js';
import { confirm, mayAsk } from '../../base/prompt.js';
import { say } from '../../base/terminal.js';
import { waitTime } from '../../base/wait.js';
import { waitForGone } from '../../data/pod-wait.js';
import { deletePods, findPods } from '../../data/pods.js';

export default class PodDelete extends StarkCommand<typeof PodDelete> {
  static override summary = 'Delete pods; running ones are stopped first.';
  static override examples = [
    '<%= config.bin %> pod delete alpha-x1y2z beta-a9b8c --namespace production',
    '<%= config.bin %> pod delete --selector app=web --yes --wait=1m',
  ];
  static override args = { pod: optionalNames('pod') };
  static override flags = {
    ...namespaceFlag,
    ...selectorFlag,
    all: Flags.boolean({ summary: 'All pods of the namespace.', exclusive: ['selector'] }),
    ...yesFlag,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const wanted = this.args.pod;
    const byName = wanted !== undefined && wanted.length > 0;
    if (!byName && flags.selector === undefined && !flags.all) {
      throw usageError('name the pods, or give --selector or --all');
    }
    if (byName && (flags.selector !== undefined || flags.all)) {
      throw usageError('names and --selector or --all cannot be given together');
    }
    const timeoutMs = waitTime(flags);
    const settings = await this.settings();
    const { namespace } = settings;
    const connection = await this.connection();
    const pods = await findPods(connection, { namespace, names: wanted, selector: flags.selector });
    if (pods.length === 0) {
      say(`no pods in namespace ${namespace}`);
      return this.#print([]);
    }
    const [only, ...others] = pods;
    const what = others.length === 0 ? `pod ${only?.name}` : `${pods.length} pods`;
    const question = `Delete ${what} of namespace ${namespace} in context ${settings.context}?`;
    // A script that names them has said so.
    if ((!byName || mayAsk()) && !(await confirm(question, flags.yes))) return;
    const deleted = await deletePods(connection, pods);
    if (timeoutMs !== undefined) await waitForGone(connection, pods, timeoutMs);
    await this.#print(deleted, timeoutMs === undefined);
  }

  async #print(pods: readonly PodRow[], unseen = false): Promise<void> {
    if ((await this.format()) !== 'table') return this.printList(podResource, pods);
    // What was running is on its way out until its agent has said so.
    const verb = (pod: PodRow) => (unseen && pod.status === 'stopping' ? 'stopping, then deleted' : 'deleted');
    await writeData(pods.map((pod) => `pod/${pod.name} ${verb(pod)}\n`).join(''));
  }
}
