import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag, waitFlags } from '../../base/flags.js';
import { describe, printList, writeData } from '../../base/output.js';
import { waitTime } from '../../base/wait.js';
import { ageOf } from '../../data/cells.js';
import { eventLines, lastEvents, type ObjectEvent } from '../../data/events.js';
import { waitForRunning } from '../../data/pod-wait.js';
import { findPods, type PodRow, podObject, podView } from '../../data/pods.js';

type Described = PodRow & { events: ObjectEvent[] };

export default class PodStatus extends StarkCommand<typeof PodStatus> {
  static override summary = 'Show pods in full: what is wanted, what is, why, and what happened last.';
  static override examples = [
    '<%= config.bin %> pod status alpha-x1y2z --namespace production',
    '<%= config.bin %> pod status alpha-x1y2z --wait=1m --output json',
  ];
  static override args = { pod: names('pod', { required: true }) };
  static override flags = { ...namespaceFlag, ...waitFlags };

  async run(): Promise<void> {
    const connection = await this.connection();
    const { namespace } = await this.settings();
    const wanted = this.args.pod as unknown as string[];
    // Nobody who asks for the status wants to wait unless they say so, terminal or not.
    const timeoutMs = this.flags.wait === undefined ? undefined : waitTime(this.flags);
    if (timeoutMs !== undefined) {
      await waitForRunning(
        connection,
        wanted.map((name) => ({ name, namespace })),
        timeoutMs,
      );
    }
    const pods = await findPods(connection, { namespace, names: wanted });
    const described = await Promise.all(
      pods.map(async (pod): Promise<Described> => ({ ...pod, events: await lastEvents(connection, pod.id, 10) })),
    );
    const view = {
      ...podView({ namespaces: false }),
      object: (pod: Described) => ({ ...podObject(pod), events: pod.events }),
    };
    const format = await this.format();
    if (format !== 'table') return printList(view, described, format);
    const texts = described.map((pod) => linesOf(pod).join('\n'));
    await writeData(`${texts.join('\n\n')}\n`);
    for (const { name } of pods.slice(0, 1)) this.next(`stark pod logs ${name} --follow`);
  }
}

function linesOf(pod: Described): string[] {
  const { spec } = pod;
  const why = [pod.status_reason, pod.status_message].filter(Boolean).join(': ');
  return [
    ...describe([
      ['Name', pod.name],
      ['Namespace', pod.namespace],
      ['Pack', `${pod.pack_name}@${pod.version}`],
      ['Node', pod.node_name],
      ['Status', pod.status],
      ['Reason', why],
      ['Ready', pod.ready],
      ['Restarts', pod.restarts],
      ...(pod.exit_code === null ? [] : [['Exit code', pod.exit_code] as const]),
      ['Ports', pod.ports],
      ['Labels', pod.labels],
      ['Priority', pod.priority],
      ['Requests', spec.resources?.requests],
      ['Node selector', spec.nodeSelector],
      ['Created', when(pod.created_at)],
      ['Started', when(pod.started_at)],
      ...(pod.finished_at === null ? [] : [['Finished', when(pod.finished_at)] as const]),
      ['Id', pod.id],
    ]),
    ...eventLines(pod.events),
  ];
}

const when = (timestamp: string | null) => (timestamp === null ? '' : `${timestamp} (${ageOf(timestamp)} ago)`);
