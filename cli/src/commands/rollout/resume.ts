import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments, deploymentNames } from '../../data/deployments.js';

export default class RolloutResume extends StarkCommand<typeof RolloutResume> {
  static override summary = 'Let held rollouts go on.';
  static override examples = [
    '<%= config.bin %> rollout resume web --wait=5m',
    '<%= config.bin %> rollout resume web --namespace production',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
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
          done: 'goes on',
          timeoutMs: waitTime(this.flags),
        },
        call: (call, at) => call('resume_rollout', at),
      },
      await this.format(),
    );
  }
}
