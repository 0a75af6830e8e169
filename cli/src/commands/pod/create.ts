import * as Flags from '@oclif/core/flags';
import { cutPodRequests, type PodRequest, parseLabels } from '@stark-o/core/model';
import { pods } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, repeated, waitFlags } from '../../base/flags.js';
import { say } from '../../base/terminal.js';
import { waitTime } from '../../base/wait.js';
import { podSpecFlags, podSpecOf } from '../../data/pod-spec.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { inPortions } from '../../data/portions.js';

/** More than this many new pods are counted, not named, before they are waited for. */
const MAX_NAMES = 20;

export default class PodCreate extends StarkCommand<typeof PodCreate> {
  static override summary = 'Create pods of a pack.';
  static override examples = [
    '<%= config.bin %> pod create --pack alpha --replicas 3 --label app=web --spec @spread.yaml --wait=2m',
    '<%= config.bin %> pod create --pack trainer --ver 1.2.0 --node-selector gpu=true --toleration dedicated=gpu:NoSchedule',
  ];
  static override flags = {
    pack: Flags.string({ summary: 'Pack to run.', required: true }),
    ver: Flags.string({ char: 'V', summary: 'Version. Default: the latest.', helpValue: '<version>' }),
    name: Flags.string({ summary: 'Name of the pod. Default: made up from the pack’s.' }),
    ...namespaceFlag,
    replicas: Flags.integer({ char: 'r', summary: 'How many.', default: 1, min: 1, max: 10_000 }),
    priority: Flags.integer({
      char: 'p',
      summary: 'Higher is placed first, 0 to 1000. Default: that of the default priority class.',
      min: 0,
      max: 1000,
      exclusive: ['priority-class'],
    }),
    label: repeated({ char: 'l', summary: 'Label of the pods; may be repeated.', helpValue: '<key=value>' }),
    ...podSpecFlags,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const namespace = (await this.settings()).namespace;
    const request: PodRequest = {
      pack: flags.pack,
      ...(flags.ver === undefined ? {} : { version: flags.ver }),
      ...(flags.name === undefined ? {} : { name: flags.name }),
      namespace,
      replicas: flags.replicas,
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
      labels: parseLabels(flags.label ?? []),
      spec: await podSpecOf(flags),
    };
    const timeoutMs = waitTime(flags);
    const connection = await this.connection();
    const created = await inPortions(cutPodRequests([request]), {
      verb: 'created',
      sizeOf: (requests) => requests.reduce((sum, { replicas = 1 }) => sum + replicas, 0),
      call: (requests) => connection.call('create_pods', { p_pods: requests }),
    });
    if (timeoutMs !== undefined) {
      const names = created.map(({ name }) => `pod/${name}`);
      say(`created ${names.length > MAX_NAMES ? `${names.length} pods` : names.join(', ')}`);
      await this.printList(pods, await waitForRunning(connection, created, timeoutMs));
    } else await this.printList(pods, created);
    const [first] = created;
    if (first !== undefined) this.next(`stark pod status ${first.name}`, `stark pod logs ${first.name} --follow`);
  }
}
