import { pods } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { describeObjects } from '../../data/describe.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { findPods } from '../../data/pods.js';

export default class PodStatus extends StarkCommand<typeof PodStatus> {
  static override summary = 'Show pods in full: what is wanted, what is, why, and what happened last.';
  static override examples = [
    '<%= config.bin %> pod status alpha-x1y2z --namespace production',
    '<%= config.bin %> pod status alpha-x1y2z --wait=1m --output json',
  ];
  static override args = { pod: names('pod') };
  static override flags = { ...namespaceFlag, ...waitFlags };

  async run(): Promise<void> {
    const connection = await this.connection();
    const { namespace } = await this.settings();
    const wanted = this.args.pod;
    // Nobody who asks for the status wants to wait unless they say so, terminal or not.
    const timeoutMs = this.flags.wait === undefined ? undefined : waitTime(this.flags);
    if (timeoutMs !== undefined) {
      await waitForRunning(
        connection,
        wanted.map((name) => ({ name, namespace })),
        timeoutMs,
      );
    }
    const found = await findPods(connection, { namespace, names: wanted });
    await describeObjects(connection, pods, found, await this.format());
    for (const { name } of found.slice(0, 1)) this.next(`stark pod logs ${name} --follow`);
  }
}
