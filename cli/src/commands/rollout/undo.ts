import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments, deploymentNames } from '../../data/deployments.js';

export default class RolloutUndo extends StarkCommand<typeof RolloutUndo> {
  static override summary = 'Go back to an earlier template, under a new number.';
  static override examples = [
    '<%= config.bin %> rollout undo web --wait=5m',
    '<%= config.bin %> rollout undo web --to-revision 3 --change-cause "3 was better"',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    'to-revision': Flags.integer({ summary: 'Revision. Default: the last stable one but the present.', min: 1 }),
    'change-cause': Flags.string({ char: 'm', summary: 'Why, for stark rollout history.', helpValue: '<text>' }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { 'change-cause': cause, 'to-revision': revision } = this.flags;
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{
          namespace,
          names: deploymentNames(this.args.deployment),
          done: 'goes back',
          timeoutMs: waitTime(this.flags),
        },
        call: (call, at) =>
          call('undo_rollout', {
            ...at,
            ...(revision === undefined ? {} : { p_to_revision: revision }),
            ...(cause === undefined ? {} : { p_change_cause: cause }),
          }),
      },
      await this.format(),
    );
  }
}
