import * as Flags from '@oclif/core/flags';
import { EXIT_CODES } from '@stark-o/core/errors';
import { type PlacementExplanation, parseLabels } from '@stark-o/core/model';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, repeated } from '../../base/flags.js';
import { writeData } from '../../base/output.js';
import { type Column, table } from '../../base/table.js';
import { fittingWidth, printable } from '../../base/terminal.js';
import { podSpecFlags, podSpecOf } from '../../data/pod-spec.js';

type NodeAnswer = PlacementExplanation['nodes'][number];

const columns: readonly Column<NodeAnswer>[] = [
  { header: 'NODE', value: ({ node }) => node },
  { header: 'FITS', value: ({ feasible }) => feasible },
  { header: 'SCORE', value: ({ score }) => score },
  { header: 'SCORES', value: ({ scores }) => scores, wide: true },
  { header: 'WHY-NOT', value: ({ reasons }) => reasons.join('; '), prose: true },
];

export default class ExplainPlacement extends StarkCommand<typeof ExplainPlacement> {
  static override summary = 'Say where a pod would run now, and of every other node why not; nothing is changed.';
  static override description = 'Takes what stark pod create takes. Ends with 1 when no node would take the pod.';
  static override examples = [
    '<%= config.bin %> explain placement --pack alpha --node-selector disk=ssd',
    '<%= config.bin %> explain placement --pack trainer --memory 4Gi --output json',
  ];
  static override flags = {
    pack: Flags.string({ summary: 'Pack to run.', required: true }),
    ver: Flags.string({ char: 'V', summary: 'Version. Default: the latest.', helpValue: '<version>' }),
    ...namespaceFlag,
    priority: Flags.integer({ char: 'p', summary: 'Priority, 0 to 1000.', min: 0, max: 1000 }),
    label: repeated({ char: 'l', summary: 'Label of the pod; may be repeated.', helpValue: '<key=value>' }),
    ...podSpecFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const { namespace } = await this.settings();
    const pod = {
      ...{ pack: flags.pack, namespace, labels: parseLabels(flags.label ?? []), spec: await podSpecOf(flags) },
      ...(flags.ver === undefined ? {} : { version: flags.ver }),
      ...(flags.priority === undefined ? {} : { priority: flags.priority }),
    };
    const connection = await this.connection();
    const answer = await connection.call('explain_placement', { p_pod: pod });
    const format = await this.format();
    if (format === 'table' || format === 'wide') await this.#print(answer, format === 'wide');
    else await this.printObject(answer, `node/${answer.nodes.find(({ feasible }) => feasible)?.node ?? ''}`, []);
    if (answer.feasible === 0) process.exitCode = EXIT_CODES.failed;
  }

  async #print({ nodes, feasible, message, policy }: PlacementExplanation, wide: boolean): Promise<void> {
    const count = feasible === 1 ? '1 node' : `${feasible} nodes`;
    const first = message ?? `${count} would take it, the first of the list by policy ${policy}`;
    await writeData(
      `${[printable(first), ...(nodes.length === 0 ? [] : table(columns, nodes, { wide, ...(!wide && { width: fittingWidth() }) }))].join('\n')}\n`,
    );
  }
}
