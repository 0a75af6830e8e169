import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag } from '../../base/flags.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentPause extends StarkCommand<typeof DeploymentPause> {
  static override summary = 'Freeze deployments: changes are stored, and nothing is done, not even for pods that end.';
  static override examples = [
    '<%= config.bin %> deployment pause web --namespace production',
    '<%= config.bin %> deployment pause web api --output json',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = { ...namespaceFlag };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, done: 'paused' },
        call: (call, at) => call('pause_deployment', at),
      },
      await this.format(),
    );
  }
}
