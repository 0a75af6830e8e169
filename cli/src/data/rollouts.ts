import { StarkError } from '@stark-o/core/errors';
import type { DeploymentRevision } from '@stark-o/core/model';
import { ageOf, type DeploymentRow, deployments } from '@stark-o/core/resources';
import type { Column } from '../base/table.js';
import { type Verdict, waitFor } from '../base/wait.js';
import type { Connection } from '../session/connection.js';
import { findObjects } from './query.js';

/** What `-o json` promises of a revision. */
export const revisionFields = [
  'revision',
  'status',
  'status_reason',
  'status_message',
  'version',
  'cause',
  'change_cause',
  'template_hash',
  'template',
  'wanted',
  'current_replicas',
  'ready_replicas',
  'available_replicas',
  'step',
  'created_by',
  'created_at',
  'stable_at',
  'failed_at',
] as const;

export type RevisionRow = Pick<DeploymentRevision, (typeof revisionFields)[number]>;

/** The revisions of a deployment, oldest first. */
export async function findRevisions(connection: Connection, deploymentId: string): Promise<RevisionRow[]> {
  const client = await connection.client();
  const query = client.from('deployment_revisions').select(revisionFields.join(',')).eq('deployment_id', deploymentId);
  return connection.rows<RevisionRow>(query.order('revision'));
}

/** A revision with the promised members only, in their order. */
export function revisionObject(revision: RevisionRow): Record<string, unknown> {
  return Object.fromEntries(revisionFields.map((field) => [field, revision[field] ?? null]));
}

const causeOf = ({ cause, change_cause }: RevisionRow) => [cause, change_cause].filter(Boolean).join(': ');

/** How the history of a deployment is listed. */
export const historyColumns: readonly Column<RevisionRow>[] = [
  { header: 'REVISION', value: ({ revision }) => revision },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'VERSION', value: ({ version }) => version },
  { header: 'AGE', value: ({ created_at }) => ageOf(created_at) },
  { header: 'BY', value: ({ created_by }) => created_by, wide: true },
  { header: 'HASH', value: ({ template_hash }) => template_hash, wide: true },
  {
    header: 'CAUSE',
    value: (row) => [causeOf(row), row.status_message].filter(Boolean).join('; '),
    prose: true,
  },
];

/** How the revisions that have pods, or are about to, are shown below the status. */
export const countColumns: readonly Column<RevisionRow>[] = [
  { header: 'REVISION', value: ({ revision }) => revision },
  { header: 'STATUS', value: ({ status }) => status },
  { header: 'VERSION', value: ({ version }) => version },
  { header: 'WANTED', value: ({ wanted }) => wanted },
  { header: 'PODS', value: ({ current_replicas }) => current_replicas },
  { header: 'READY', value: ({ ready_replicas }) => ready_replicas },
  { header: 'AVAILABLE', value: ({ available_replicas }) => available_replicas },
  { header: 'CAUSE', value: causeOf, prose: true },
];

interface State {
  row: DeploymentRow | undefined;
  revisions: readonly RevisionRow[];
}

/**
 * Waits until a deployment is what was wanted of it when `wanted` was answered, or stands at a pause that somebody has to end. Fails at
 * once when the revision has failed or gone back, or another change has taken its place.
 */
export async function waitForRollout(
  connection: Connection,
  wanted: DeploymentRow,
  timeoutMs: number,
): Promise<DeploymentRow> {
  const { id, namespace, name } = wanted;
  const poll = async (): Promise<State> => {
    const [row] = await findObjects(connection, deployments, { names: [id], allowMissing: true });
    return { row, revisions: row === undefined ? [] : await findRevisions(connection, id) };
  };
  const { row } = await waitFor({
    poll,
    judge: (state) => judgeRollout(state, wanted),
    timeoutMs,
    resume: `stark rollout status ${name} --namespace ${namespace}`,
  });
  return row ?? wanted;
}

/** Whether a deployment is what was wanted of it, and if it never will be, why not. */
export function judgeRollout({ row, revisions }: State, wanted: DeploymentRow): Verdict {
  const { name, namespace } = wanted;
  if (row === undefined || row.status === 'deleting') {
    return { failed: new StarkError(`deployment ${name} is deleted`, { code: 'DEPLOYMENT_NOT_FOUND', status: 404 }) };
  }
  const own = revisions.find(({ revision }) => revision === wanted.revision);
  if (own?.status === 'failed') return { failed: rolledBack(row, own, revisions) };
  if (row.revision !== wanted.revision) {
    return {
      failed: new StarkError(`revision ${wanted.revision} of deployment ${name} was superseded by ${row.revision}`, {
        code: 'ROLLOUT_SUPERSEDED',
        status: 409,
        hint: `stark rollout history ${name} --namespace ${namespace}`,
      }),
    };
  }
  if (row.observed_generation >= row.generation && (row.status === 'complete' || standsStill(row, own))) {
    return { done: true };
  }
  const why = [row.status_reason, row.status_message].filter(Boolean).join(': ');
  return { waiting: `${row.available_replicas}/${row.desired_replicas} available; ${why}` };
}

// A pause that has a time ends by itself.
function standsStill(row: DeploymentRow, revision: RevisionRow | undefined): boolean {
  if (row.status !== 'paused') return false;
  const step = row.status_reason === 'CanaryPause' ? row.canary_steps[revision?.step ?? 0] : undefined;
  return step === undefined || !('pause' in step) || typeof step.pause === 'object';
}

function rolledBack(row: DeploymentRow, failed: RevisionRow, revisions: readonly RevisionRow[]): StarkError {
  const now = revisions.find(({ revision }) => revision === row.revision);
  const back =
    now === undefined || now.revision === failed.revision
      ? ''
      : `; it went back to ${row.pack_name}@${now.version} as revision ${now.revision}`;
  const why = failed.status_message ?? failed.status_reason ?? 'it failed';
  return new StarkError(
    `revision ${failed.revision} of deployment ${row.name} (${row.pack_name}@${failed.version}) failed: ${why}${back}`,
    { code: 'ROLLOUT_FAILED', hint: `stark rollout history ${row.name} --namespace ${row.namespace}` },
  );
}
