import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { printDeployments } from '../../data/deployment-status.js';
import { deploymentNames, findDeployments } from '../../data/deployments.js';
import { waitForRollout } from '../../data/rollouts.js';

export default class RolloutStatus extends StarkCommand<typeof RolloutStatus> {
  static override summary = 'Follow rollouts to their ends: complete, failed, gone back, or at a pause.';
  static override description = 'Waits five minutes unless told otherwise; with --no-wait it shows how far they are.';
  static override examples = [
    '<%= config.bin %> rollout status web --wait=10m',
    '<%= config.bin %> rollout status web --no-wait --output json',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = { ...namespaceFlag, ...waitFlags };

  async run(): Promise<void> {
    const { flags } = this;
    const timeoutMs = flags['no-wait'] ? undefined : waitTime({ wait: flags.wait ?? '5m' });
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const filter = { namespace, names: deploymentNames(this.args.deployment) };
    const found = await findDeployments(connection, filter);
    if (timeoutMs !== undefined) for (const row of found) await waitForRollout(connection, row, timeoutMs);
    await printDeployments(connection, await findDeployments(connection, filter), await this.format());
  }
}
