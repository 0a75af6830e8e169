import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentResume extends StarkCommand<typeof DeploymentResume> {
  static override summary = 'Let frozen deployments go on: the newest template counts.';
  static override examples = [
    '<%= config.bin %> deployment resume web --wait=5m',
    '<%= config.bin %> deployment resume web --force',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    force: Flags.boolean({ summary: 'Also try versions again that have failed.' }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, done: 'resumed', timeoutMs: waitTime(this.flags) },
        call: (call, at) => call('resume_deployment', { ...at, p_force: this.flags.force }),
      },
      await this.format(),
    );
  }
}
