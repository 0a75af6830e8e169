import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, repeated, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { deploymentFlags, deploymentRequestOf } from '../../data/deployment-flags.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentSet extends StarkCommand<typeof DeploymentSet> {
  static override summary = 'Change what is wanted of deployments; another version or template begins a rollout.';
  static override description =
    'Labels, variables and amounts are added to those that are there; lists, as of tolerations and ports, take their place. From then on its pods have your rights.';
  static override examples = [
    '<%= config.bin %> deployment set web --ver 1.3.0 --change-cause "new logo" --wait=5m',
    '<%= config.bin %> deployment set web --env LOG_LEVEL=debug --remove-env TRACE --memory 512Mi',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    daemon: Flags.boolean({
      summary: 'One pod on every node that fits, instead of a count; --no-daemon goes back to the count.',
      allowNo: true,
    }),
    ...deploymentFlags,
    'no-max-disrupted': Flags.boolean({
      summary: 'No disruption budget: a drain stops all of its pods at once.',
      exclusive: ['max-disrupted'],
    }),
    'remove-env': repeated({ summary: 'Variable to remove; may be repeated.', helpValue: '<NAME>' }),
    'remove-label': repeated({ summary: 'Label of the deployment to remove; may be repeated.', helpValue: '<key>' }),
    'remove-annotation': repeated({ summary: 'Annotation to remove; may be repeated.', helpValue: '<key>' }),
    'remove-pod-label': repeated({ summary: 'Label of its pods to remove; may be repeated.', helpValue: '<key>' }),
    'if-revision': Flags.integer({ summary: 'Only while its generation is this one.', min: 1 }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const changes = await this.#changes();
    if (Object.keys(changes).filter((name) => name !== 'changeCause').length === 0) {
      throw usageError('say what to change', 'e.g. --ver 1.3.0');
    }
    const { namespace } = await this.settings();
    const generation = flags['if-revision'];
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, done: 'updated', timeoutMs: waitTime(flags) },
        call: (call, at) =>
          call('update_deployment', {
            ...{ ...at, p_changes: changes },
            ...(generation === undefined ? {} : { p_if_revision: generation }),
          }),
      },
      await this.format(),
    );
  }

  async #changes(): Promise<object> {
    const { flags } = this;
    const request = await deploymentRequestOf(flags);
    const labels = without(request.labels, flags['remove-label']);
    const annotations = without(request.annotations, flags['remove-annotation']);
    const podLabels = without(request.template?.labels, flags['remove-pod-label']);
    const env = without(request.template?.spec?.env, flags['remove-env']);
    const spec = { ...request.template?.spec, ...(env !== undefined && { env }) };
    const template = {
      ...request.template,
      ...(podLabels !== undefined && { labels: podLabels }),
      ...(Object.keys(spec).length > 0 && { spec }),
    };
    return {
      ...request,
      ...(flags.daemon !== undefined && { mode: flags.daemon ? 'daemon' : 'replicated' }),
      ...(flags['no-max-disrupted'] && { disruption: null }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ...(Object.keys(template).length > 0 && { template }),
    };
  }
}

/** What is set, and null for what is taken away, as a merge patch has it. */
function without(
  set: Readonly<Record<string, string | null>> | undefined,
  removed: readonly string[] | undefined,
): Record<string, string | null> | undefined {
  if (set === undefined && removed === undefined) return undefined;
  return { ...set, ...Object.fromEntries((removed ?? []).map((key) => [key, null] as const)) };
}
