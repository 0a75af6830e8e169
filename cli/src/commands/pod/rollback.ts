import * as Flags from '@oclif/core/flags';
import { pods } from '@stark-o/core/resources';
import { bareName } from '../../base/argv.js';
import { StarkCommand } from '../../base/command.js';
import { argument, namespaceFlag, waitFlags } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { waitTime } from '../../base/wait.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { findPods } from '../../data/pods.js';

export default class PodRollback extends StarkCommand<typeof PodRollback> {
  static override summary = 'Put a pod of an earlier version of the pack in the place of a pod.';
  static override description =
    'The new pod has the same spec, labels and priority, and a name of its own; the old one stops within its grace period. Of a deployment: stark rollout undo.';
  static override examples = [
    '<%= config.bin %> pod rollback alpha-x1y2z',
    '<%= config.bin %> pod rollback alpha-x1y2z --ver 0.9.0 --wait=2m',
  ];
  static override args = { name: argument('Name of the pod.') };
  static override flags = {
    ...namespaceFlag,
    ver: Flags.string({ char: 'V', summary: 'Version. Default: the next lower one.', helpValue: '<version>' }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const timeoutMs = waitTime(this.flags);
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const names = [bareName('pod', this.args.name)];
    for (const old of await findPods(connection, { namespace, names })) {
      const made = await connection.call('roll_back_pod', {
        p_id: old.id,
        ...(this.flags.ver === undefined ? {} : { p_version: this.flags.ver }),
      });
      const [pod = made] = timeoutMs === undefined ? [made] : await waitForRunning(connection, [made], timeoutMs);
      await printChanged(pods, [pod], `in place of ${old.name}: ${old.version} → ${pod.version}`, await this.format());
    }
  }
}
