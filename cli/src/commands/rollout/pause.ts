import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag } from '../../base/flags.js';
import { changeDeployments, deploymentNames } from '../../data/deployments.js';

export default class RolloutPause extends StarkCommand<typeof RolloutPause> {
  static override summary = 'Hold rollouts where they are; what fails is replaced by its own revision.';
  static override examples = [
    '<%= config.bin %> rollout pause web',
    '<%= config.bin %> rollout pause web --namespace production --output json',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = { ...namespaceFlag };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: deploymentNames(this.args.deployment), done: 'held' },
        call: (call, at) => call('pause_rollout', at),
      },
      await this.format(),
    );
  }
}
