import type { AppliedChange, AppliedObjects, ChangedField } from '@stark-o/core/model';
import type { OutputFormat } from '../base/format.js';
import { printList, printObject, type View, writeData } from '../base/output.js';
import { paint, printable } from '../base/terminal.js';

const changeView: View<AppliedChange> = {
  kind: 'object',
  name: ({ name }) => name,
  columns: [
    { header: 'KIND', value: ({ kind }) => kind },
    { header: 'NAMESPACE', value: ({ namespace }) => namespace },
    { header: 'NAME', value: ({ name }) => name },
    { header: 'ACTION', value: ({ action }) => action },
  ],
};

/** What is done to objects, as a list: their names, a table, or with `json` and `yaml` the objects. */
export async function listChanges(changes: readonly AppliedChange[], format: OutputFormat): Promise<void> {
  if (format === 'name') await writeData(changes.map(({ kind, name }) => `${kind}/${name}\n`).join(''));
  else await printList(changeView, changes, format);
}

/** `deployment/web in team-a`. */
export function titleOf({ kind, namespace, name }: Pick<AppliedChange, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${name}${namespace === null || namespace === 'default' ? '' : ` in ${namespace}`}`;
}

/** Prints an answer: as a table by the function that is given, as a list the changes that are given, for machines all of it. */
export async function printAnswer(
  answer: AppliedObjects,
  format: OutputFormat,
  { table, listed }: { table: () => Promise<void>; listed: readonly AppliedChange[] },
): Promise<void> {
  if (format === 'table') await table();
  else if (format === 'wide' || format === 'name') await listChanges(listed, format);
  else await printObject(answer, format, { name: `project/${answer.project}`, lines: [] });
}

/** One line for each object: what was done to it. */
export async function printChanges(changes: readonly AppliedChange[]): Promise<void> {
  await writeData(changes.map((change) => `${printable(`${titleOf(change)} ${change.action}`)}\n`).join(''));
}

const signs = { created: '+', changed: '~', deleted: '-', kept: '!', unchanged: ' ', absent: ' ' } as const;
const colours = { '+': 'green', '~': 'yellow', '-': 'red', '!': 'yellow', ' ': 'dim' } as const;

/** What would change, field by field; what stays as it is is left out. */
export async function printDiff({ changes }: AppliedObjects): Promise<void> {
  const lines = changes.flatMap(({ fields, ...change }) => {
    if (change.action === 'unchanged' || change.action === 'absent') return [];
    const sign = signs[change.action];
    const note = change.action === 'kept' ? ' is in use and stays' : '';
    return [
      paint(process.stdout, colours[sign], printable(`${sign} ${titleOf(change)}${note}`)),
      ...fields.map((field) => printable(`    ${fieldLine(field)}`)),
    ];
  });
  await writeData(lines.map((line) => `${line}\n`).join(''));
}

/** Where new pods would be, and which rollouts begin. */
export async function printPlacement({ placements, rollouts, deferred }: AppliedObjects): Promise<void> {
  const lines = [
    ...rollouts.map((one) => {
      const from = one.from_revision === null ? '' : `revision ${one.from_revision} (${one.from_version}) → `;
      const title = titleOf({ kind: 'deployment', ...one });
      return `rollout: ${title}: ${from}revision ${one.to_revision} (${one.to_version})`;
    }),
    ...placements.map(({ node, pods, message, ...one }) => {
      const count = pods === 1 ? '1 pod' : `${pods} pods`;
      return `places:  ${titleOf(one)}: ${count} ${node === null ? `on no node yet${message === null ? '' : `: ${message}`}` : `on ${node}`}`;
    }),
    ...(deferred > 0 ? [`and ${deferred} deployments get their pods soon after`] : []),
  ];
  await writeData(lines.map((line) => `${printable(line)}\n`).join(''));
}

function fieldLine({ path, before, after }: ChangedField): string {
  return `${path.join('.')}: ${before === null ? 'not set' : textOf(before)} → ${after === null ? 'not set' : textOf(after)}`;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));

/** Whether anything would be another than it is. */
export function differs({ changes }: Pick<AppliedObjects, 'changes'>): boolean {
  return changes.some(({ action }) => action === 'created' || action === 'changed' || action === 'deleted');
}
