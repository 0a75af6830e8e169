import { formatDuration } from '@stark-o/core/model';
import { type AutoscalerRow, autoscalers, type DeploymentRow, deployments } from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { printList, type View, writeData } from '../base/output.js';
import { table } from '../base/table.js';
import { fittingWidth, paint, printable } from '../base/terminal.js';
import type { Connection } from '../session/connection.js';
import { autoscalerLine } from './autoscale.js';
import { eventLines, lastEvents, type ObjectEvent, objectEvent } from './events.js';
import { countColumns, findRevisions, type RevisionRow, revisionObject } from './rollouts.js';

/** All that is told of a deployment. */
interface DeploymentReport {
  row: DeploymentRow;
  revisions: readonly RevisionRow[];
  /** What would complete it. */
  completedBy: string | null;
  /** What its autoscaler saw last, where it has one. */
  autoscaler: AutoscalerRow | undefined;
  events: ObjectEvent[];
}

/** Prints deployments with their counts by revision, why each waits, what happens next and when, and what happened last. */
export async function printDeployments(
  connection: Connection,
  rows: readonly DeploymentRow[],
  format: OutputFormat,
): Promise<void> {
  const reports = await Promise.all(rows.map((row) => reportOf(connection, row)));
  if (format !== 'table') return printList(view, reports, format);
  await writeData(reports.map((report) => `${linesOf(report).join('\n')}\n`).join('\n'));
}

const view: View<DeploymentReport> = {
  kind: 'deployment',
  name: ({ row }) => row.name,
  columns: deployments.columns.map((column) => ({ ...column, value: ({ row }) => column.value(row) })),
  object: ({ row, revisions, completedBy, autoscaler, events }) => ({
    ...deployments.object(row),
    ...{ revisions: revisions.map(revisionObject), completed_by: completedBy },
    ...{ autoscaler: autoscaler === undefined ? null : autoscalers.object(autoscaler), events },
  }),
};

async function reportOf(connection: Connection, row: DeploymentRow): Promise<DeploymentReport> {
  const client = await connection.client();
  const reason = client
    .from('deployment_reasons')
    .select('reason,completed_by')
    .eq('reason', row.status_reason ?? '');
  const scaler = client.from('autoscalers').select(autoscalers.fields.join(',')).eq('deployment_id', row.id);
  const [revisions, reasons, found, events] = await Promise.all([
    findRevisions(connection, row.id),
    connection.rows<{ completed_by: string }>(reason),
    row.autoscale === null ? [] : connection.rows<AutoscalerRow>(scaler),
    lastEvents(connection, { about: { kind: 'deployment', ids: [row.id] } }, 8),
  ]);
  const [autoscaler] = found;
  const completedBy = reasons[0]?.completed_by ?? null;
  return { row, revisions, completedBy, autoscaler, events: events.map(objectEvent) };
}

function linesOf({ row, revisions, completedBy, autoscaler, events }: DeploymentReport): string[] {
  const why = [row.status_reason, row.status_message].filter(Boolean).join(': ');
  const shown = revisions.filter((one) => one.revision === row.revision || one.wanted > 0 || one.current_replicas > 0);
  const of = revisions.find(({ revision }) => revision === row.revision);
  const version = of === undefined ? row.pack_name : `${row.pack_name}@${of.version}`;
  return [
    printable(`${row.name} in namespace ${row.namespace}: ${row.status}, revision ${row.revision}, ${version}`),
    `${barOf(row)} ${row.available_replicas}/${row.desired_replicas} available`,
    '',
    ...table(countColumns, shown, { width: fittingWidth() }),
    '',
    `Why:     ${printable(why)}`,
    ...(row.status === 'complete' ? [] : [`Needs:   ${printable(completedBy ?? 'time')}`]),
    ...(autoscaler === undefined ? [] : [`Scales:  ${printable(autoscalerLine(autoscaler))}`]),
    ...(row.follow_latest ? [`Follows: ${printable(followingOf(row))}`] : []),
    ...(row.status === 'complete' || row.next_reconcile_at === null
      ? []
      : [`Next:    ${nextLook(row.next_reconcile_at)}`]),
    ...eventLines(events),
  ];
}

const barWidth = 32;

/** Full for pods that are available, shaded for those that are on their way, and light for those that are not there. */
function barOf(row: DeploymentRow): string {
  const total = Math.max(1, row.desired_replicas, row.current_replicas);
  const full = Math.round((row.available_replicas / total) * barWidth);
  const shaded = Math.max(0, Math.round((row.current_replicas / total) * barWidth) - full);
  const colour = row.status === 'failed' ? 'red' : row.status === 'complete' ? 'green' : 'yellow';
  const rest = '░'.repeat(Math.max(0, barWidth - full - shaded));
  return paint(process.stdout, colour, `${'█'.repeat(full)}${'▒'.repeat(shaded)}${rest}`);
}

function followingOf(row: DeploymentRow): string {
  const what = row.version_range ?? 'the latest version';
  const waits = row.follow_after === null ? '' : `, and waits for one newer than ${row.follow_after}`;
  return `${what}${row.include_prerelease ? ', pre-releases too' : ''}${waits}`;
}

function nextLook(at: string): string {
  const left = Date.parse(at) - Date.now();
  return left <= 0
    ? 'looked at again any moment'
    : `looked at again in ${formatDuration(Math.ceil(left / 1000) * 1000)}`;
}
