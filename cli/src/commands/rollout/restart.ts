import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments, deploymentNames } from '../../data/deployments.js';

export default class RolloutRestart extends StarkCommand<typeof RolloutRestart> {
  static override summary = 'Replace all pods of deployments, as a revision of its own.';
  static override examples = [
    '<%= config.bin %> rollout restart web --wait=5m',
    '<%= config.bin %> rollout restart web api --change-cause "new certificates"',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    'change-cause': Flags.string({ char: 'm', summary: 'Why, for stark rollout history.', helpValue: '<text>' }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { 'change-cause': cause } = this.flags;
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{
          namespace,
          names: deploymentNames(this.args.deployment),
          done: 'restarted',
          timeoutMs: waitTime(this.flags),
        },
        call: (call, at) =>
          call('restart_rollout', { ...at, ...(cause === undefined ? {} : { p_change_cause: cause }) }),
      },
      await this.format(),
    );
  }
}
