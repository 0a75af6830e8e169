import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, repeated, waitFlags } from '../../base/flags.js';
import { waitTime } from '../../base/wait.js';
import { autoscaleOf } from '../../data/autoscale.js';
import { changeDeployments } from '../../data/deployments.js';

export default class DeploymentAutoscale extends StarkCommand<typeof DeploymentAutoscale> {
  static override summary =
    'Let the number of pods follow what they use, or numbers by name, between a least and a most.';
  static override description =
    'It looks every 15 seconds. What is there stays, and it goes on from there; what is said once stays until something else is said, and metrics take the place of those that were there.';
  static override examples = [
    '<%= config.bin %> deployment autoscale web --min 2 --max 10 --cpu 70%',
    '<%= config.bin %> deployment autoscale jobs --min 0 --max 20 --metric queue=10 --idle 5m',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    min: Flags.integer({
      summary: 'At least so many pods. 0 needs a --metric, which wakes it. Default: 1.',
      min: 0,
      max: 10_000,
    }),
    max: Flags.integer({ summary: 'At most so many pods.', min: 1, max: 10_000 }),
    cpu: Flags.string({
      summary: 'Of the processor time that pods ask for they shall use so much, on average.',
      helpValue: '<70%>',
    }),
    memory: Flags.string({
      summary: 'Of the memory that pods ask for they shall use so much, on average.',
      helpValue: '<80%>',
    }),
    metric: repeated({
      summary:
        'A number that packs tell by ctx.metric, or that is reported, and how much of it each pod shall have; with :Value it counts as it is. May be repeated.',
      helpValue: '<name=target>',
    }),
    idle: Flags.string({
      summary: 'With --min 0: the last pod goes when the numbers were 0 for so long. Default: 5m.',
      helpValue: '<duration>',
    }),
    'up-window': Flags.string({
      summary: 'Up only as far as was asked for all this time. Default: 0s.',
      helpValue: '<duration>',
    }),
    'down-window': Flags.string({
      summary: 'Down only as far as was asked for all this time. Default: 5m.',
      helpValue: '<duration>',
    }),
    'up-limit': repeated({
      summary:
        'Up by so many pods, or percents, in a time; the larger of several; none: never. Default: 100%/15s and 4/15s.',
      helpValue: '<4/15s|100%/15s|none>',
    }),
    'down-limit': repeated({
      summary: 'Down by so many pods, or percents, in a time; the larger of several; none: never. Default: 100%/15s.',
      helpValue: '<1/1m|10%/1m|none>',
    }),
    tolerance: Flags.string({
      summary: 'Nothing is done while a metric is so near to its target. Default: 10%.',
      helpValue: '<10%>',
    }),
    off: Flags.boolean({
      summary: 'No more; the pods that are there stay.',
      exclusive: [
        'min',
        'max',
        'cpu',
        'memory',
        'metric',
        'idle',
        'up-window',
        'down-window',
        'up-limit',
        'down-limit',
      ],
    }),
    'if-revision': Flags.integer({ summary: 'Only while its generation is this one.', min: 1 }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { off, 'if-revision': generation } = this.flags;
    const autoscale = off ? null : autoscaleOf(this.flags);
    if (autoscale !== null && Object.keys(autoscale).length === 0)
      throw usageError('say how it is to be scaled', 'e.g. --min 2 --max 10 --cpu 70%');
    const { namespace } = await this.settings();
    await changeDeployments(
      await this.connection(),
      {
        ...{ namespace, names: this.args.deployment, timeoutMs: waitTime(this.flags) },
        done: off ? 'no longer autoscaled' : 'autoscaled',
        call: (call, at) =>
          call('update_deployment', {
            ...{ ...at, p_changes: { autoscale } },
            ...(generation === undefined ? {} : { p_if_revision: generation }),
          }),
      },
      await this.format(),
    );
    const [first] = this.args.deployment;
    if (!off && first !== undefined) this.next(`stark deployment status ${first}`, 'stark get autoscalers');
  }
}
