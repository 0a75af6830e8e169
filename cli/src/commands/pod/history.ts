import * as Flags from '@oclif/core/flags';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { ageOf } from '@stark-o/core/resources';
import { bareName } from '../../base/argv.js';
import { StarkCommand } from '../../base/command.js';
import { argument, namespaceFlag } from '../../base/flags.js';
import type { View } from '../../base/output.js';

const fields = [
  'seq',
  'time',
  'type',
  'namespace',
  'pod_id',
  'pod_name',
  'pack_name',
  'version',
  'status',
  'status_reason',
  'status_message',
  'node_name',
  'restarts',
  'actor',
] as const;

type HistoryRow = Record<(typeof fields)[number], string | number | null>;

const view: View<HistoryRow> = {
  kind: 'event',
  name: ({ seq }) => String(seq),
  object: (row) => Object.fromEntries(fields.map((field) => [field, row[field] ?? null])),
  columns: [
    { header: 'AGE', value: ({ time }) => ageOf(String(time)) },
    { header: 'EVENT', value: ({ type }) => type },
    { header: 'STATUS', value: ({ status }) => status },
    { header: 'NODE', value: ({ node_name }) => node_name },
    { header: 'VERSION', value: ({ version }) => version },
    { header: 'RESTARTS', value: ({ restarts }) => restarts },
    { header: 'ACTOR', value: ({ actor }) => actor, wide: true },
    { header: 'POD', value: ({ pod_id }) => pod_id, wide: true },
    {
      header: 'WHY',
      value: ({ status_reason, status_message }) => [status_reason, status_message].filter(Boolean).join(': '),
      prose: true,
    },
  ],
};

export default class PodHistory extends StarkCommand<typeof PodHistory> {
  static override summary = 'Show what became of a pod, step by step; also of one that is gone.';
  static override examples = [
    '<%= config.bin %> pod history alpha-x1y2z',
    '<%= config.bin %> pod history alpha-x1y2z --tail 5 --output json',
  ];
  static override args = { name: argument('Name or id of the pod.') };
  static override flags = {
    ...namespaceFlag,
    tail: Flags.integer({ summary: 'How many of the last steps.', default: 100, min: 1, max: 1000 }),
  };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    const name = bareName('pod', this.args.name);
    const connection = await this.connection();
    const client = await connection.client();
    const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(name);
    const query = client.from('pod_history').select(fields.join(','));
    const own = isId ? query.eq('pod_id', name) : query.eq('namespace', namespace).eq('pod_name', name);
    const rows = await connection.rows<HistoryRow>(own.order('seq', { ascending: false }).limit(this.flags.tail));
    if (rows.length === 0) {
      throw new StarkError(`nothing is known of a pod "${name}" in namespace ${namespace}`, {
        code: 'POD_NOT_FOUND',
        exitCode: EXIT_CODES.notFound,
        hint: 'stark events --all-namespaces',
      });
    }
    await this.printList(view, rows.reverse());
  }
}
