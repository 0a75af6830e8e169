import { StarkError } from '@stark-o/core/errors';
import { isTerminal } from '@stark-o/core/model';
import type { PodRow } from '@stark-o/core/resources';
import { type Verdict, waitFor } from '../base/wait.js';
import type { Connection } from '../session/connection.js';
import { LivePods } from './live-pods.js';

interface Wanted {
  id?: string;
  name: string;
  namespace: string;
}

/** Waits until pods run and are ready, or have done their work; fails at once when one has failed. */
export function waitForRunning(connection: Connection, pods: readonly Wanted[], timeoutMs: number): Promise<PodRow[]> {
  return waitForPods(connection, pods, timeoutMs, {
    judge: (rows) => judgeRunning(rows, pods),
    resume: command('status', pods, '--wait'),
  });
}

/** Waits until pods are gone. */
export async function waitForGone(connection: Connection, pods: readonly Wanted[], timeoutMs: number): Promise<void> {
  await waitForPods(connection, pods, timeoutMs, {
    judge: (rows) => {
      const [first] = rows;
      if (first === undefined) return { done: true };
      return { waiting: `${pods.length - rows.length}/${pods.length} gone; ${first.name} is ${first.status}` };
    },
    resume: command('list', pods),
  });
}

async function waitForPods(
  connection: Connection,
  pods: readonly Wanted[],
  timeoutMs: number,
  until: { judge: (rows: PodRow[]) => Verdict; resume: string },
): Promise<PodRow[]> {
  const [first] = pods;
  if (first === undefined) return [];
  const live = await LivePods.open(connection, first.namespace);
  // By name where there is no id: what is waited for may not exist yet.
  const names = pods.map(({ id, name }) => id ?? name);
  try {
    return await waitFor({
      poll: () => live.poll(names),
      changed: (signal) => live.changed(signal),
      isLive: () => live.isLive,
      timeoutMs,
      ...until,
    });
  } finally {
    await live.close();
  }
}

/** Whether pods are where people want them: running and ready, or through with their work. */
export function judgeRunning(rows: readonly PodRow[], wanted: readonly Wanted[]): Verdict {
  const failed = rows.find((pod) => isTerminal(pod.status) && pod.status !== 'succeeded');
  if (failed !== undefined) return { failed: podFailed(failed) };
  const good = new Set(rows.filter((pod) => pod.status === 'succeeded' || (pod.status === 'running' && pod.ready)));
  if (good.size === wanted.length) return { done: true };
  const blocking = rows.find((pod) => !good.has(pod));
  const why = blocking === undefined ? `${missingOf(rows, wanted)?.name} does not exist yet` : whyNotRunning(blocking);
  return { waiting: `${good.size}/${wanted.length} running; ${why}` };
}

function missingOf(rows: readonly PodRow[], wanted: readonly Wanted[]): Wanted | undefined {
  const known = new Set(rows.flatMap(({ name, id }) => [name, id]));
  return wanted.find(({ name, id }) => !known.has(name) && (id === undefined || !known.has(id)));
}

function whyNotRunning(pod: PodRow): string {
  const state = pod.status === 'running' ? 'running, not ready' : pod.status;
  const where = pod.node_name === null ? '' : ` on ${pod.node_name}`;
  const reason = reasonOf(pod);
  return `${pod.name} is ${state}${where}${reason === '' ? '' : `: ${reason}`}`;
}

function podFailed(pod: PodRow): StarkError {
  const exit = pod.exit_code === null ? '' : ` with exit code ${pod.exit_code}`;
  const reason = reasonOf(pod);
  return new StarkError(`pod ${pod.name} ${pod.status}${exit}${reason === '' ? '' : `: ${reason}`}`, {
    code: 'POD_FAILED',
    hint: `stark pod logs ${pod.name} --namespace ${pod.namespace}`,
  });
}

const reasonOf = (pod: PodRow) => [pod.status_reason, pod.status_message].filter(Boolean).join(': ');

function command(verb: string, pods: readonly Wanted[], ...flags: string[]): string {
  const names = pods.slice(0, 5).map(({ name }) => name);
  return ['stark pod', verb, ...names, '--namespace', pods[0]?.namespace ?? 'default', ...flags].join(' ');
}
