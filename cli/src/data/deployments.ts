import { usageError } from '@stark-o/core/errors';
import { kindNamed } from '@stark-o/core/kinds';
import { type Caller, type DeploymentRow, deployments } from '@stark-o/core/resources';
import { bareName } from '../base/argv.js';
import type { OutputFormat } from '../base/format.js';
import { printChanged } from '../base/output.js';
import { say } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { type Filter, findObjects } from './query.js';
import { waitForRollout } from './rollouts.js';

export function findDeployments(connection: Connection, filter: Filter): Promise<DeploymentRow[]> {
  return findObjects(connection, deployments, filter);
}

/** Names of deployments as people type them: `web`, `deployment/web`, and behind `rollout status` also `deployment web`. */
export function deploymentNames(words: readonly string[]): string[] {
  const [first = '', ...rest] = words;
  const named = kindNamed(first) === 'deployment' && rest.length > 0 ? rest : words;
  return named.map((word) => bareName('deployment', word));
}

/** The only deployment that words name. */
export function deploymentName(words: readonly string[]): string {
  const [name, ...others] = deploymentNames(words);
  if (name === undefined || others.length > 0) throw usageError('name one deployment');
  return name;
}

export interface DeploymentChange {
  namespace: string;
  names: readonly string[];
  call: (call: Caller, at: { p_namespace: string; p_name: string }) => Promise<DeploymentRow>;
  done: string;
  /** How long to wait until it is so; not at all when absent. */
  timeoutMs?: number | undefined;
}

/** Makes a call for each deployment, waits for what it began when asked to, and prints the deployments as they are then. */
export async function changeDeployments(
  connection: Connection,
  { namespace, names, call, done, timeoutMs }: DeploymentChange,
  format: OutputFormat,
): Promise<void> {
  const changed: DeploymentRow[] = [];
  for (const name of names) changed.push(await call(connection.caller, { p_namespace: namespace, p_name: name }));
  if (timeoutMs === undefined) return printChanged(deployments, changed, done, format);
  for (const { name } of changed) say(`deployment/${name} ${done}`);
  const after: DeploymentRow[] = [];
  for (const row of changed) after.push(await waitForRollout(connection, row, timeoutMs));
  await printChanged(deployments, after, outcomeOf, format);
}

/** What became of a deployment, behind its name. */
export function outcomeOf(row: DeploymentRow): string {
  const count = `${row.available_replicas}/${row.desired_replicas} available`;
  const why = row.status_reason === 'AsWanted' || row.status_message === null ? '' : `: ${row.status_message}`;
  return `${row.status}, revision ${row.revision}, ${count}${why}`;
}
