import { usageError } from '@stark-o/core/errors';
import { kindNamed } from '@stark-o/core/kinds';
import { checkLabelKey, parseLabels } from '@stark-o/core/model';
import { type AnyRow, RESOURCES, type Resource } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import type { OutputFormat } from '../base/format.js';
import { printChanged, printKinds } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { findObjects } from './query.js';

/** What is set, by key; null for what is taken away. */
export type Changes = Record<string, string | null>;

/** Splits `pods a b app=web tier-` into things and changes, as kubectl writes them. */
export function splitChanges(words: readonly string[]): { things: string[]; changes: readonly string[] } {
  const first = words.findIndex((word, at) => at > 0 && isChange(word) && !isThing(word));
  if (first < 0)
    throw usageError(
      'say what to change',
      'key=value sets, key- takes away: stark label node/laptop tier=backend zone-',
    );
  return { things: words.slice(0, first), changes: words.slice(first) };
}

const isChange = (word: string) => /^[^=]+=|[^-]-$/.test(word);
const isThing = (word: string) => word.includes('/') && kindNamed(word.slice(0, word.indexOf('/'))) !== undefined;

/** Reads `key=value` and `key-`. */
export function readChanges(words: readonly string[], what: 'label' | 'annotation'): Changes {
  const changes: Changes = {};
  for (const word of words) {
    const key = word.includes('=') ? word.slice(0, word.indexOf('=')) : word.replace(/-$/, '');
    if (!isChange(word)) throw usageError(`"${word}" is no ${what}`, 'write it as key=value, or key- to take it away');
    if (Object.hasOwn(changes, key)) throw usageError(`${what} ${key} is changed twice`);
    checkLabelKey(key);
    if (!word.includes('=')) changes[key] = null;
    else changes[key] = what === 'label' ? (parseLabels([word])[key] ?? '') : word.slice(key.length + 1);
  }
  return changes;
}

/** What was asked for, before any thing was looked up. */
export interface RelabelRequest {
  words: readonly string[];
  what: 'label' | 'annotation';
  namespace: string;
  selector?: string | undefined;
  all: boolean;
  overwrite: boolean;
}

const done = { label: 'labelled', annotation: 'annotated' } as const;

/** Changes labels or annotations of things, and prints them. A value that is there already is changed only when somebody says so. */
export async function relabel(
  connection: Connection,
  { words, what, namespace, selector, all, overwrite }: RelabelRequest,
  format: OutputFormat,
): Promise<void> {
  const { things, changes: changed } = splitChanges(words);
  const changes = readChanges(changed, what);
  const lists: { view: Resource<AnyRow>; rows: AnyRow[] }[] = [];
  for (const { kind, names } of targetsOf(things)) {
    const resource = RESOURCES[kind];
    const { relabel: action } = resource;
    if (action === undefined || !action.what.includes(what)) {
      const able = Object.values(RESOURCES).filter((one) => one.relabel?.what.includes(what));
      throw usageError(
        `the ${what}s of ${resource.plural} cannot be changed`,
        `those of ${able.map(({ plural }) => plural).join(', ')} can`,
      );
    }
    if (names === undefined && selector === undefined && !all) {
      throw usageError(`name the ${resource.plural}, or give --selector or --all`);
    }
    const rows = await findObjects(connection, resource, { namespace, names, selector });
    if (!overwrite) for (const row of rows) refuseOverwriting(resource, row, changes, what);
    for (const row of rows) await action.run(connection.caller, row, { [`${what}s`]: changes });
    const after = await findObjects(connection, resource, { names: rows.map((row) => resource.id(row)) });
    lists.push({ view: resource, rows: after });
  }
  await printKinds(lists, format, ({ view, rows }) => printChanged(view, rows, done[what], format));
}

function refuseOverwriting(resource: Resource<AnyRow>, row: AnyRow, changes: Changes, what: string): void {
  const present =
    (what === 'label' ? resource.labels(row) : (row.annotations as Record<string, string> | undefined)) ?? {};
  const taken = Object.entries(changes).find(
    ([key, value]) => value !== null && present[key] !== undefined && present[key] !== value,
  );
  if (taken === undefined) return;
  throw usageError(
    `${what} ${taken[0]} of ${resource.kind} ${resource.name(row)} is "${present[taken[0]]}" already`,
    'add --overwrite to change it',
  );
}
