import { StarkError } from '@stark-o/core/errors';
import { isTerminal } from '@stark-o/core/model';
import { type Verdict, waitFor } from '../base/wait.js';
import type { Connection } from '../session/connection.js';
import { findPods, type PodRow } from './pods.js';

interface Wanted {
  id?: string;
  name: string;
  namespace: string;
}

/** Waits until pods run and are ready, or have done their work; fails at once when one has failed. */
export function waitForRunning(connection: Connection, pods: readonly Wanted[], timeoutMs: number): Promise<PodRow[]> {
  return waitFor({
    look: () => lookAt(connection, pods),
    judge: (rows) => judgeRunning(rows, pods),
    timeoutMs,
    resume: command('status --wait', pods),
  });
}

/** Waits until pods are gone. */
export async function waitForGone(connection: Connection, pods: readonly Wanted[], timeoutMs: number): Promise<void> {
  await waitFor({
    look: () => lookAt(connection, pods),
    judge: (rows) => {
      const [first] = rows;
      if (first === undefined) return { done: true };
      return { waiting: `${pods.length - rows.length}/${pods.length} gone; ${first.name} is ${first.status}` };
    },
    timeoutMs,
    resume: command('list', pods),
  });
}

/** Whether pods are where people want them: running and ready, or through with their work. */
export function judgeRunning(rows: readonly PodRow[], wanted: readonly Wanted[]): Verdict {
  const failed = rows.find((pod) => isTerminal(pod.status) && pod.status !== 'succeeded');
  if (failed !== undefined) return { failed: podFailed(failed) };
  const good = rows.filter((pod) => pod.status === 'succeeded' || (pod.status === 'running' && pod.ready));
  if (good.length === wanted.length) return { done: true };
  const missing = wanted.find(({ name, id }) => !rows.some((pod) => pod.name === name || pod.id === id));
  const blocking = rows.find((pod) => !good.includes(pod));
  const why = blocking === undefined ? `${missing?.name} does not exist yet` : whyNotRunning(blocking);
  return { waiting: `${good.length}/${wanted.length} running; ${why}` };
}

function whyNotRunning(pod: PodRow): string {
  const state = pod.status === 'running' ? 'running, not ready' : pod.status;
  const reason = [pod.status_reason, pod.status_message].filter(Boolean).join(': ');
  const where = pod.node_name === null ? '' : ` on ${pod.node_name}`;
  return `${pod.name} is ${state}${where}${reason === '' ? '' : `: ${reason}`}`;
}

function podFailed(pod: PodRow): StarkError {
  const exit = pod.exit_code === null ? '' : ` with exit code ${pod.exit_code}`;
  const reason = [pod.status_reason, pod.status_message].filter(Boolean).join(': ');
  return new StarkError(`pod ${pod.name} ${pod.status}${exit}${reason === '' ? '' : `: ${reason}`}`, {
    code: 'POD_FAILED',
    hint: `stark pod logs ${pod.name} --namespace ${pod.namespace}`,
  });
}

// By name: what is waited for may not exist yet.
async function lookAt(connection: Connection, pods: readonly Wanted[]): Promise<PodRow[]> {
  const [first] = pods;
  if (first === undefined) return [];
  const names = pods.map(({ id, name }) => id ?? name);
  return findPods(connection, { namespace: first.namespace, names, allowMissing: true });
}

function command(verb: string, pods: readonly Wanted[]): string {
  const [action, ...flags] = verb.split(' ');
  const names = pods.slice(0, 5).map(({ name }) => name);
  return ['stark pod', action, ...names, '--namespace', pods[0]?.namespace ?? 'default', ...flags].join(' ');
}
