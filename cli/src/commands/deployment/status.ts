import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { printDeployments } from '../../data/deployment-status.js';
import { findDeployments } from '../../data/deployments.js';
import { waitForRollout } from '../../data/rollouts.js';

export default class DeploymentStatus extends StarkCommand<typeof DeploymentStatus> {
  static override summary =
    'Show deployments in full: pods by revision, why it waits, what happens next, and what happened last.';
  static override examples = [
    '<%= config.bin %> deployment status web --namespace production',
    '<%= config.bin %> deployment status web --wait=2m --output json',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = { ...namespaceFlag, ...waitFlags };

  async run(): Promise<void> {
    // Nobody who asks for the status wants to wait unless they say so, terminal or not.
    const timeoutMs = this.flags.wait === undefined ? undefined : waitTime(this.flags);
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const filter = { namespace, names: this.args.deployment };
    if (timeoutMs !== undefined) {
      for (const row of await findDeployments(connection, filter)) await waitForRollout(connection, row, timeoutMs);
    }
    const found = await findDeployments(connection, filter);
    await printDeployments(connection, found, await this.format());
    const [first] = found;
    if (first !== undefined) this.next(`stark pod logs deployment/${first.name} --follow`);
  }
}
