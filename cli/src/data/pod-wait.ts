import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError } from '@stark-o/core/errors';
import { isTerminal } from '@stark-o/core/model';
import type { PodRow } from '@stark-o/core/resources';
import { type Verdict, waitFor } from '../base/wait.js';
import type { Connection } from '../session/connection.js';
import { LivePods } from './live-pods.js';
import { LogReader } from './logs.js';
import { Steadiness } from './steadiness.js';

interface Wanted {
  id?: string;
  name: string;
  namespace: string;
}

/**
 * Waits until pods run, are ready and stay so for a moment, or have done their work; fails at once when one has failed or crashes, with the
 * last lines of its log.
 */
export async function waitForRunning(
  connection: Connection,
  pods: readonly Wanted[],
  timeoutMs: number,
): Promise<PodRow[]> {
  const steadiness = new Steadiness();
  const told = { failed: undefined as PodRow | undefined };
  try {
    return await waitForPods(connection, pods, timeoutMs, {
      judge: (rows) => {
        told.failed = rows.find(hasFailed);
        return judgeRunning(rows, pods, steadiness);
      },
      resume: command('status', pods, '--wait'),
    });
  } catch (error) {
    throw told.failed === undefined ? error : await withLastLines(connection, told.failed, error);
  }
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

/** Whether pods are where people want them: running and ready, and not for the blink of an eye alone, or through with their work. */
export function judgeRunning(
  rows: readonly PodRow[],
  wanted: readonly Wanted[],
  steadiness = new Steadiness(),
): Verdict {
  const failed = rows.find(hasFailed);
  if (failed !== undefined) return { failed: podFailed(failed) };
  const good = new Set(rows.filter((pod) => pod.status === 'succeeded' || (pod.status === 'running' && pod.ready)));
  const blocking = rows.find((pod) => !good.has(pod));
  if (good.size < wanted.length) {
    const why =
      blocking === undefined ? `${missingOf(rows, wanted)?.name} does not exist yet` : whyNotRunning(blocking);
    return { waiting: `${good.size}/${wanted.length} running; ${why}` };
  }
  const running = [...good].filter(({ status }) => status === 'running');
  const againMs = Math.max(0, ...running.map((pod) => steadiness.leftMs(pod)));
  return againMs === 0
    ? { done: true }
    : { waiting: `${good.size}/${wanted.length} running, waiting to see that they stay`, againMs };
}

/** That it has ended, and not well, or that it ends again and again. */
function hasFailed({ status, status_reason }: PodRow): boolean {
  return (isTerminal(status) && status !== 'succeeded') || status_reason === 'CrashLoopBackOff';
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
  const exit = pod.exit_code === null || !isTerminal(pod.status) ? '' : ` with exit code ${pod.exit_code}`;
  const reason = reasonOf(pod);
  const state = isTerminal(pod.status) ? `${pod.status}${exit}` : 'does not stay up';
  const endedWell = pod.status_reason === 'CrashLoopBackOff' && pod.exit_code === 0;
  return new StarkError(`pod ${pod.name} ${state}${reason === '' ? '' : `: ${reason}`}`, {
    code: 'POD_FAILED',
    hint: endedWell
      ? 'a pack that does its work and ends wants --restart OnFailure; a service returns only after ctx.signal was aborted'
      : `stark pod logs ${pod.name} --namespace ${pod.namespace}`,
  });
}

const LAST_LINES = 10;
/** Lines are delivered apart from the news of a crash. */
const LINES_ARRIVE_MS = 1_000;

/** The error with what the pod printed last, since that is what everybody asks next. */
async function withLastLines(connection: Connection, pod: PodRow, error: unknown): Promise<unknown> {
  if (!(error instanceof StarkError)) return error;
  const { code, hint, message } = error;
  const log = await lastLines(connection, pod).catch(() => []);
  if (log.length === 0) return error;
  return new StarkError(message, { code, hint, details: { log }, cause: error });
}

async function lastLines(connection: Connection, pod: PodRow): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const lines: string[] = [];
    for await (const some of new LogReader(connection, pod).stored({ tail: LAST_LINES })) {
      lines.push(...some.map(({ message }) => message));
    }
    if (lines.length > 0 || attempt > 0) return lines;
    await sleep(LINES_ARRIVE_MS);
  }
}

const reasonOf = (pod: PodRow) => [pod.status_reason, pod.status_message].filter(Boolean).join(': ');

function command(verb: string, pods: readonly Wanted[], ...flags: string[]): string {
  const names = pods.slice(0, 5).map(({ name }) => name);
  return ['stark pod', verb, ...names, '--namespace', pods[0]?.namespace ?? 'default', ...flags].join(' ');
}
