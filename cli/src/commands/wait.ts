import * as Flags from '@oclif/core/flags';
import { StarkError, usageError } from '@stark-o/core/errors';
import { parseDuration } from '@stark-o/core/model';
import { type AnyRow, type PodRow, RESOURCES, type Resource } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { namespaceFlag, selectorFlag, things } from '../base/flags.js';
import { printChanged } from '../base/output.js';
import { type Verdict, waitFor } from '../base/wait.js';
import { findObjects } from '../data/query.js';
import { Steadiness } from '../data/steadiness.js';

export default class Wait extends StarkCommand<typeof Wait> {
  static override summary = 'Wait until things are so; also for things that do not exist yet.';
  static override description =
    'Ends at once, with 1, when one has failed for good, and with 3 when the time is over. Conditions of a kind: stark api-resources --output wide.';
  static override examples = [
    '<%= config.bin %> wait pod/alpha-x1y2z --for condition=ready --timeout 2m',
    '<%= config.bin %> wait pods --selector app=web --for delete',
  ];
  static override args = { what: things() };
  static override flags = {
    for: Flags.string({
      summary: 'What to wait for.',
      default: 'condition=ready',
      helpValue: 'condition=<name>[=false]|create|delete|<field>=<value>',
    }),
    timeout: Flags.string({ summary: 'At most this long.', default: '5m', helpValue: '<duration>' }),
    ...namespaceFlag,
    ...selectorFlag,
  };

  async run(): Promise<void> {
    const { namespace } = await this.settings();
    const [target, ...others] = targetsOf(this.args.what);
    if (target === undefined || others.length > 0) throw usageError('wait for one kind at a time');
    const { kind, names } = target;
    const { selector } = this.flags;
    if ((names === undefined) === (selector === undefined))
      throw usageError('name what to wait for, or give --selector');
    const resource = RESOURCES[kind];
    const connection = await this.connection();
    const wanted = questionOf(resource, this.flags.for);
    const rows = await waitFor({
      poll: () => findObjects(connection, resource, { namespace, names, selector, allowMissing: true }),
      judge: (found) => wanted(found, names),
      timeoutMs: parseDuration(this.flags.timeout),
      resume: `stark wait ${kind} ${names?.join(' ') ?? `--selector ${selector}`} --for ${this.flags.for}`,
    });
    await printChanged(resource, rows, 'condition met', await this.format());
  }
}

type Question = (rows: readonly AnyRow[], names: readonly string[] | undefined) => Verdict;

function questionOf(resource: Resource<AnyRow>, text: string): Question {
  if (text === 'delete' || text === 'deleted') return untilGone(resource);
  if (text === 'create' || text === 'created') return untilAll(resource, () => true);
  const [, conditionText, negated] = /^condition=([^=]+?)(?:=(true|false))?$/i.exec(text) ?? [];
  const name = conditionText ?? (text.includes('=') ? undefined : text);
  if (name !== undefined) {
    const condition = resource.conditions.find((one) => one.name === name.toLowerCase());
    if (condition === undefined) {
      const known = resource.conditions.map((one) => `condition=${one.name}`).join(', ');
      throw usageError(`a ${resource.kind} has no condition ${name}`, `known: ${known || 'create, delete'}`);
    }
    if (negated?.toLowerCase() === 'false') return untilAll(resource, (row) => !condition.holds(row));
    return untilAll(resource, (row) => condition.holds(row), {
      fails: condition.fails,
      leftMs: resource.kind === 'pod' && condition.fails !== undefined ? steadinessOfPods() : undefined,
    });
  }
  const [, field = '', value = ''] = /^(?:jsonpath=)?\{?\.?([^}=]+)\}?=(.*)$/.exec(text) ?? [];
  const path = field.split('.').filter(Boolean);
  const [first] = path;
  if (first === undefined || !resource.fields.includes(first)) {
    throw usageError(`a ${resource.kind} has no field "${field}"`, `known: ${resource.fields.join(', ')}`);
  }
  return untilAll(resource, (row) => shown(valueAt(resource.object(row), path)) === value);
}

const untilGone =
  (resource: Resource<AnyRow>): Question =>
  ([first, ...others]) =>
    first === undefined
      ? { done: true }
      : { waiting: `${others.length + 1} left; ${resource.name(first)} is there${because(resource, first)}` };

/** How long until a pod that runs can be believed to stay. */
function steadinessOfPods(): (row: AnyRow) => number {
  const steadiness = new Steadiness();
  return (row) => (row.status === 'running' ? steadiness.leftMs(row as PodRow) : 0);
}

interface Doubts {
  fails?: ((row: AnyRow) => boolean) | undefined;
  leftMs?: ((row: AnyRow) => number) | undefined;
}

function untilAll(resource: Resource<AnyRow>, holds: (row: AnyRow) => boolean, doubts: Doubts = {}): Question {
  return (rows, names) => {
    const missing = names?.find(
      (name) => !rows.some((row) => resource.name(row) === name || resource.id(row) === name),
    );
    if (missing !== undefined) return { waiting: `${resource.kind} ${missing} does not exist yet` };
    if (rows.length === 0) return { waiting: `no ${resource.plural} yet` };
    const left = rows.filter((row) => !holds(row));
    const [first] = left;
    if (first === undefined) {
      const againMs = Math.max(0, ...rows.map((row) => doubts.leftMs?.(row) ?? 0));
      return againMs === 0
        ? { done: true }
        : { waiting: `${rows.length}/${rows.length}, waiting to see that they stay`, againMs };
    }
    const { failure } = resource;
    const failed = left.find((row) => failure?.holds(row) || doubts.fails?.(row));
    if (failure !== undefined && failed !== undefined) return { failed: hasFailed(resource, failed, failure.code) };
    return {
      waiting: `${rows.length - left.length}/${rows.length}; ${resource.name(first)}${because(resource, first)}`,
    };
  };
}

function because(resource: Resource<AnyRow>, row: AnyRow): string {
  const { status } = row;
  const why = resource.why(row);
  const parts = [typeof status === 'string' && !why.startsWith(status) ? status : '', why].filter(Boolean);
  return parts.length === 0 ? '' : `: ${parts.join(': ')}`;
}

function hasFailed(resource: Resource<AnyRow>, row: AnyRow, code: string): StarkError {
  const name = resource.name(row);
  const hint = `stark describe ${resource.kind}/${name}`;
  return new StarkError(`${resource.kind} ${name} has failed${because(resource, row)}`, { code, hint });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null
        ? new Map<string, unknown>(Object.entries(inner)).get(key)
        : undefined,
    value,
  );
}

const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
