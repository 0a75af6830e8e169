import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments, deploymentNames } from '../../data/deployments.js';

export default class RolloutPromote extends StarkCommand<typeof RolloutPromote> {
  static override summary = 'Let the canary of rollouts leave the pause it stands at.';
  static override examples = [
    '<%= config.bin %> rollout promote web',
    '<%= config.bin %> rollout promote web --full --wait=5m',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    full: Flags.boolean({ summary: 'Leave out all steps that are left.' }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{
          namespace,
          names: deploymentNames(this.args.deployment),
          done: 'promoted',
          timeoutMs: waitTime(this.flags),
        },
        call: (call, at) => call('promote_rollout', { ...at, p_full: this.flags.full }),
      },
      await this.format(),
    );
  }
}
