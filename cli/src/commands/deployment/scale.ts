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
    '<%= config.bin %> deployment scale log-shipper --daemon',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    replicas: Flags.integer({ char: 'r', summary: 'How many pods.', min: 0, max: 10_000 }),
    'to-zero': Flags.boolean({
      summary: 'With --replicas 0: no pods, and the deployment stays.',
      exclusive: ['daemon'],
    }),
    daemon: Flags.boolean({
      summary: 'One pod on every node that fits, instead of a count; --no-daemon with --replicas goes back to one.',
      allowNo: true,
    }),
    'if-revision': Flags.integer({ summary: 'Only while its generation is this one.', min: 1 }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { replicas, daemon, 'to-zero': toZero, 'if-revision': generation } = this.flags;
    if (replicas === 0 && !toZero && !daemon) {
      throw usageError(
        '--replicas 0: no pods, or one on every node that fits?',
        'add --to-zero for none, --daemon for one on every node',
      );
    }
    if (replicas !== 0 && toZero) throw usageError('--to-zero goes with --replicas 0');
    if (replicas === undefined && !daemon) throw usageError('say how many', 'e.g. --replicas 3, or --daemon');
    if (replicas !== undefined && replicas > 0 && daemon) {
      throw usageError('--daemon takes no count', 'it is one pod on every node that fits');
    }
    const wanted = daemon
      ? { p_mode: 'daemon' }
      : { p_replicas: replicas, ...(daemon === false && { p_mode: 'replicated' }) };
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, timeoutMs: waitTime(this.flags) },
        done: daemon ? 'scaled to one on every node that fits' : `scaled to ${replicas}`,
        call: (call, at) =>
          call('scale_deployment', {
            ...{ ...at, ...wanted },
            ...(generation === undefined ? {} : { p_if_revision: generation }),
          }),
      },
      await this.format(),
    );
  }
}
