import { formatCpu, formatMemory, mayHaveMore, PAGE_ROWS } from '@stark-o/core/model';
import type { NodeRow, PodRow } from '@stark-o/core/resources';
import type { View } from '../base/output.js';
import type { Column } from '../base/table.js';
import type { Connection } from '../session/connection.js';

interface Amounts {
  cpu?: number;
  memory?: number;
}

/** What agents said of themselves and their pods, in their last heartbeats. */
export interface Usage {
  nodes: ReadonlyMap<string, Amounts>;
  pods: ReadonlyMap<string, Amounts>;
}

/** What `-o json` promises of what a node or a pod uses: millicores, MB, and parts of what it may have. */
export interface Use {
  name: string;
  namespace: string | null;
  node: string;
  cpu: number | null;
  cpu_percent: number | null;
  memory: number | null;
  memory_percent: number | null;
}

/** The last heartbeats of all nodes that the caller may see. */
export async function usageOf(connection: Connection): Promise<Usage> {
  const client = await connection.client();
  const nodes = new Map<string, Amounts>();
  const pods = new Map<string, Amounts>();
  for (let from = 0; ; ) {
    const page = await connection.rows<{
      node_id: string;
      usage: (Amounts & { pods?: Record<string, Amounts> }) | null;
    }>(
      client
        .from('node_leases')
        .select('node_id,usage')
        .order('node_id')
        .range(from, from + PAGE_ROWS - 1),
    );
    for (const { node_id, usage } of page) {
      if (usage === null || Object.keys(usage).length === 0) continue;
      nodes.set(node_id, usage);
      for (const [id, amounts] of Object.entries(usage.pods ?? {})) pods.set(id, amounts);
    }
    from += page.length;
    if (!mayHaveMore(page.length)) return { nodes, pods };
  }
}

/** What a node uses, of what it offers. */
export function nodeUse({ id, name, allocatable }: NodeRow, { nodes }: Usage): Use {
  return { ...{ name, namespace: null, node: name }, ...parts(nodes.get(id), allocatable) };
}

/** What a pod uses, of what it has reserved. */
export function podUse({ id, name, namespace, node_name, spec }: PodRow, { pods }: Usage): Use {
  return { ...{ name, namespace, node: node_name ?? '' }, ...parts(pods.get(id), spec.resources?.requests) };
}

function parts(used: Amounts | undefined, total: Amounts | undefined) {
  const percent = (amount: number | undefined, of: number | undefined) =>
    amount === undefined || !of ? null : Math.round((amount / of) * 100);
  return {
    cpu: used?.cpu ?? null,
    cpu_percent: percent(used?.cpu, total?.cpu),
    memory: used?.memory ?? null,
    memory_percent: percent(used?.memory, total?.memory),
  };
}

/** How it is listed. */
export function useView(kind: 'node' | 'pod', options: { namespaces: boolean }): View<Use> {
  const namespace: Column<Use> = { header: 'NAMESPACE', value: (use) => use.namespace };
  const node: Column<Use> = { header: 'NODE', value: (use) => use.node };
  const percent = (value: number | null) => (value === null ? null : `${value}%`);
  return {
    kind,
    name: ({ name }) => name,
    columns: [
      { header: 'NAME', value: ({ name }) => name },
      ...(kind === 'pod' && options.namespaces ? [namespace] : []),
      ...(kind === 'pod' ? [node] : []),
      { header: 'CPU', value: ({ cpu }) => (cpu === null ? null : formatCpu(Math.round(cpu))) },
      { header: 'CPU%', value: ({ cpu_percent }) => percent(cpu_percent) },
      { header: 'MEMORY', value: ({ memory }) => (memory === null ? null : formatMemory(Math.round(memory))) },
      { header: 'MEMORY%', value: ({ memory_percent }) => percent(memory_percent) },
    ],
  };
}
