import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError } from '@stark-o/core/errors';
import type { DeploymentRow, PodRow } from '@stark-o/core/resources';
import { say } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { findDeployments } from './deployments.js';
import { type LogLine, LogReader, type LogSelection } from './logs.js';
import { findPods } from './pods.js';

/** How long a new pod may be there unseen. */
const lookForPodsMs = 1_000;

/** Follows all pods of deployments, those too that come later, until the deployments are gone; says how each pod ended. */
export async function followDeployments(
  connection: Connection,
  followed: readonly DeploymentRow[],
  options: { selection: LogSelection; print: (lines: LogLine[]) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const { print, signal } = options;
  const ids = followed.map(({ id }) => id);
  const readings = new Map<string, Promise<void>>();
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  let selection = options.selection;
  while (!until.aborted) {
    const left = await findDeployments(connection, { names: ids, allowMissing: true });
    for (const pod of await podsOf(connection, ids)) {
      if (readings.has(pod.id)) continue;
      // What stood there when we came is narrowed down; of a pod that comes later everything is news.
      const reading = read(connection, pod, { selection, print, signal: until });
      reading.catch(() => failed.abort());
      readings.set(pod.id, reading);
    }
    selection = {};
    if (left.length === 0) break;
    await sleep(lookForPodsMs, undefined, { signal: until }).catch(() => {});
  }
  await Promise.all(readings.values());
  if (!signal.aborted) for (const { name } of followed) say(`deployment ${name} is gone`);
}

/** The pods of deployments, in the order in which they were made. */
export async function podsOf(connection: Connection, deploymentIds: readonly string[]): Promise<PodRow[]> {
  const lists = await Promise.all(deploymentIds.map((id) => findPods(connection, { equal: { deployment_id: id } })));
  return lists.flat().sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
}

async function read(
  connection: Connection,
  pod: PodRow,
  {
    selection,
    print,
    signal,
  }: { selection: LogSelection; print: (lines: LogLine[]) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const reader = new LogReader(connection, pod);
  let printing = Promise.resolve();
  let problem: unknown;
  const show = (lines: LogLine[]) => {
    printing = printing
      .then(() => print(lines))
      .catch((error) => {
        problem = error;
      });
  };
  try {
    for await (const lines of reader.stored(selection)) await print(lines);
    await reader.follow(signal, show);
  } catch (error) {
    // The controller deletes what it has stopped.
    if (!(error instanceof StarkError) || error.code !== 'POD_NOT_FOUND') throw error;
  }
  await printing;
  if (problem !== undefined) throw problem;
  if (!signal.aborted) await sayEnd(connection, pod);
}

async function sayEnd(connection: Connection, { id, name }: PodRow): Promise<void> {
  const [pod] = await findPods(connection, { names: [id], allowMissing: true });
  const exit = pod?.exit_code == null ? '' : `, exit code ${pod.exit_code}`;
  const why = pod?.status_message == null ? '' : `: ${pod.status_message}`;
  say(pod === undefined ? `pod ${name} is gone` : `pod ${name} ${pod.status}${exit}${why}`);
}
