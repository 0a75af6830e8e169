import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentScale extends StarkCommand<typeof DeploymentScale> {
  static override summary = 'Change how many pods deployments have.';
  static override examples = [
    '<%= config.bin %> deployment scale web --replicas 10 --wait=2m',
    '<%= config.bin %> deployment scale web --replicas 0 --to-zero',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    replicas: Flags.integer({ char: 'r', summary: 'How many pods.', required: true, min: 0, max: 10_000 }),
    'to-zero': Flags.boolean({ summary: 'With --replicas 0: no pods, and the deployment stays.' }),
    'if-revision': Flags.integer({ summary: 'Only while its generation is this one.', min: 1 }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { replicas, 'to-zero': toZero, 'if-revision': generation } = this.flags;
    if (replicas === 0 && !toZero) throw usageError('--replicas 0 stops all pods', 'add --to-zero when that is meant');
    if (replicas > 0 && toZero) throw usageError('--to-zero goes with --replicas 0');
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, done: `scaled to ${replicas}`, timeoutMs: waitTime(this.flags) },
        call: (call, at) =>
          call('scale_deployment', {
            ...{ ...at, p_replicas: replicas },
            ...(generation === undefined ? {} : { p_if_revision: generation }),
          }),
      },
      await this.format(),
    );
  }
}
