import { formatCpu, formatMemory, mayHaveMore, PAGE_ROWS, type Quota } from '@stark-o/core/model';
import { namespaces } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalNames } from '../../base/flags.js';
import type { View } from '../../base/output.js';
import { findObjects } from '../../data/query.js';
import type { Connection } from '../../session/connection.js';

interface UsageRow {
  namespace: string;
  resource: string;
  used: number;
  quota: number | null;
}

const formats: Readonly<Record<string, (amount: number) => string>> = {
  cpu: formatCpu,
  memory: formatMemory,
  storage: formatMemory,
};
const text = ({ resource }: UsageRow, amount: number) => (formats[resource] ?? String)(amount);

const view: View<UsageRow> = {
  kind: 'quota',
  name: ({ namespace, resource }) => `${namespace}/${resource}`,
  columns: [
    { header: 'NAMESPACE', value: ({ namespace }) => namespace },
    { header: 'RESOURCE', value: ({ resource }) => resource },
    { header: 'USED', value: (row) => text(row, row.used) },
    { header: 'QUOTA', value: (row) => (row.quota === null ? null : text(row, row.quota)) },
    { header: 'LEFT', value: (row) => (row.quota === null ? null : text(row, Math.max(0, row.quota - row.used))) },
  ],
};

export default class NamespaceQuota extends StarkCommand<typeof NamespaceQuota> {
  static override summary = 'Show what the live pods of namespaces have asked for, beside their quotas.';
  static override examples = [
    '<%= config.bin %> namespace quota',
    '<%= config.bin %> namespace quota team-a --output json',
  ];
  static override args = { namespace: optionalNames('namespace') };

  async run(): Promise<void> {
    const connection = await this.connection();
    const found = await findObjects(connection, namespaces, { names: this.args.namespace });
    const usage = await usageOf(connection);
    const rows = found.flatMap(({ name, quota }) => rowsOf(name, quota, usage.get(name)));
    await this.printList(view, rows);
    const [first] = found;
    if (first !== undefined) this.next(`stark namespace update ${first.name} --quota pods=20`);
  }
}

const counted = ['pods', 'cpu', 'memory', 'storage'] as const;
type Usage = Record<(typeof counted)[number], number>;

function rowsOf(namespace: string, quota: Quota, usage: Usage | undefined): UsageRow[] {
  const shown = counted.filter(
    (name) => name !== 'storage' || quota.storage !== undefined || (usage?.storage ?? 0) > 0,
  );
  return shown.map((resource) => ({
    ...{ namespace, resource },
    used: usage?.[resource] ?? 0,
    quota: quota[resource] ?? null,
  }));
}

// The view has a row for each user in each namespace.
async function usageOf(connection: Connection): Promise<Map<string, Usage>> {
  const client = await connection.starkClient();
  const sums = new Map<string, Usage>();
  for (let from = 0; ; ) {
    const query = client.from('namespace_usage').select('namespace,pods,cpu,memory,storage');
    const page = await connection.rows<Usage & { namespace: string }>(
      query
        .order('namespace')
        .order('user_id')
        .range(from, from + PAGE_ROWS - 1),
    );
    for (const row of page) {
      const sum = sums.get(row.namespace) ?? { pods: 0, cpu: 0, memory: 0, storage: 0 };
      for (const name of counted) sum[name] += row[name];
      sums.set(row.namespace, sum);
    }
    from += page.length;
    if (!mayHaveMore(page.length)) return sums;
  }
}
