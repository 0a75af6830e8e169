import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import { argument, namespaceFlag, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { deploymentFlags, deploymentRequestOf } from '../../data/deployment-flags.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentCreate extends StarkCommand<typeof DeploymentCreate> {
  static override summary =
    'Create a deployment: pods of a pack that are there again when they end, and roll to new versions.';
  static override description =
    'Its pods have your rights. A revision whose pods end by themselves three times in a row, or that makes no progress, has failed: the last one that was stable takes its place.';
  static override examples = [
    '<%= config.bin %> deployment create web --pack alpha --replicas 3 --port http --follow-latest --wait=2m',
    '<%= config.bin %> deployment create gpu-agent --pack gpu --daemon --node-selector gpu=true',
  ];
  static override args = { name: argument('Name of the deployment.') };
  static override flags = {
    pack: Flags.string({ summary: 'Pack to run.', required: true }),
    ...namespaceFlag,
    replicas: Flags.integer({
      char: 'r',
      summary: 'How many pods; 0 is --daemon. Default: 1.',
      min: 0,
      max: 10_000,
      exclusive: ['daemon'],
    }),
    daemon: Flags.boolean({ summary: 'One pod on every node that fits, instead of a count.' }),
    paused: Flags.boolean({ summary: 'Frozen: nothing is made until stark deployment resume.' }),
    ...deploymentFlags,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const { name } = this.args;
    const { namespace } = await this.settings();
    const request = {
      ...{ name, namespace, pack: flags.pack },
      // As people were promised: no count means one on every node that fits.
      ...(flags.daemon || flags.replicas === 0 ? { mode: 'daemon' as const } : { replicas: flags.replicas ?? 1 }),
      ...(flags.paused && { paused: true }),
      ...(await deploymentRequestOf(flags)),
    };
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: [name], done: 'created', timeoutMs: waitTime(flags) },
        call: (call) => call('create_deployment', { p_deployment: request }),
      },
      await this.format(),
    );
    this.next(`stark deployment status ${name}`, `stark pod logs deployment/${name} --follow`);
  }
}
