import { type PendingEviction, type Pod, parseDuration } from '@stark-o/core/model';
import { waitFor, waitTime } from '../base/wait.js';
import type { Connection } from '../session/connection.js';

interface Staying {
  name: string;
  status: string;
  node_name: string;
}

/** What a drain found on a node: its pods, and how many of them a budget holds. */
export interface Drained {
  pods: readonly Pod[];
  held: number;
}

const longestWaitMs = 2 ** 31 - 1;

/** How long to wait: as other commands do, and --timeout as kubectl has it, where 0 is for ever. */
export function drainTime(flags: { wait?: string | undefined; 'no-wait'?: boolean; timeout?: string | undefined }) {
  if (flags.timeout === undefined) return waitTime(flags);
  return /^0[smhd]?$/.test(flags.timeout) ? longestWaitMs : parseDuration(flags.timeout);
}

/** Drains a node; what budgets hold leaves it later. */
export async function drainNode(connection: Connection, name: string, ignoresBudgets: boolean): Promise<Drained> {
  const pods = await connection.call('drain_node', {
    p_name: name,
    ...(ignoresBudgets && { p_ignores_budgets: true }),
  });
  const held = pods.filter((pod) => pod.status === 'running' && pod.deployment_id !== null).length;
  return { pods, held };
}

/** The pods that nothing replaces. */
export function unmanaged(drained: readonly Drained[]): string | undefined {
  const pods = drained.flatMap(({ pods }) => pods).filter((pod) => pod.deployment_id === null);
  return pods.length === 0 ? undefined : someOf(pods.map(({ name }) => `pod/${name}`));
}

/** What budgets hold on a node, in lines of pods and the reason. */
export async function heldOn(connection: Connection, node: string): Promise<string[]> {
  return heldBy(await connection.call('pending_evictions', { p_name: node }));
}

/** Waits until nothing runs on these nodes any more but pods that belong to the node, and says which deployment holds what. */
export async function waitForEmpty(connection: Connection, nodes: readonly string[], timeoutMs: number): Promise<void> {
  const client = await connection.client();
  const poll = async () => {
    const staying = await connection.rows<Staying>(
      client
        .from('pods')
        .select('name,status,node_name')
        .in('node_name', [...nodes])
        .in('status', ['scheduled', 'transferring', 'starting', 'running', 'stopping'])
        .is('pinned_node_id', null)
        .limit(1000),
    );
    const running = new Set(staying.filter(({ status }) => status === 'running').map(({ node_name }) => node_name));
    const held = await Promise.all([...running].map((node) => heldOn(connection, node)));
    return { staying, held: held.flat() };
  };
  await waitFor({
    poll,
    judge: ({ staying: [first, ...others], held }) => {
      if (first === undefined) return { done: true };
      const why = held.length > 0 ? held : [`${first.name} is ${first.status} on ${first.node_name}`];
      return { waiting: [`${others.length + 1} pods left`, ...why].join('; ') };
    },
    timeoutMs,
    resume: `stark node drain ${nodes.join(' ')} --wait`,
  });
}

function heldBy(held: readonly PendingEviction[]): string[] {
  const messages = new Set(held.map(({ message }) => message));
  return [...messages].map((message) => {
    const pods = held.filter((one) => one.message === message).map(({ pod_name }) => pod_name);
    return `${someOf(pods)}: ${message}`;
  });
}

function someOf(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
