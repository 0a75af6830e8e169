import { StarkError, usageError } from '@stark-o/core/errors';
import { FIELD_DOCS } from '@stark-o/core/field-docs';
import { KINDS, type Kind, kindNamed } from '@stark-o/core/kinds';
import type { FieldDoc } from '@stark-o/core/resources';
import { nearest } from '../base/suggest.js';
import { wrap } from '../base/table.js';

/** A field of a kind of thing, or the kind itself, whose path is empty. */
export interface Explained {
  kind: Kind;
  path: string;
  type: string;
  description: string;
  required: boolean;
  values: readonly string[];
  range: string | null;
  fields: readonly FieldDoc[];
}

/** Looks `pod.spec.affinity` up; lists may be written as such: `pod.spec.ports[].port`. */
export function explainField(text: string): Explained {
  const [word = '', ...names] = text.replace(/\[\d*\]/g, '').split('.');
  const kind = kindOf(word);
  let found: FieldDoc = { name: kind, type: 'object', description: KINDS[kind].summary, fields: FIELD_DOCS[kind] };
  const path: string[] = [];
  for (const name of names) {
    const inner = found.fields?.find((field) => field.name === name);
    if (inner === undefined) throw unknownField(kind, path, name, found);
    path.push(name);
    found = inner;
  }
  const { type, description, required = false, values = [], range = null, fields = [] } = found;
  return { kind, path: path.join('.'), type, description, required, values, range, fields };
}

function kindOf(word: string): Kind {
  const kind = kindNamed(word);
  if (kind !== undefined) return kind;
  const meant = nearest(
    word,
    Object.values(KINDS).flatMap(({ kind, plural }) => [kind, plural]),
  );
  throw usageError(
    `"${word}" is no kind of thing${meant === undefined ? '' : `; did you mean "${meant}"?`}`,
    meant === undefined ? 'stark api-resources' : `stark explain ${meant}`,
  );
}

function unknownField(kind: Kind, path: readonly string[], name: string, { fields = [] }: FieldDoc): StarkError {
  const above = [kind, ...path].join('.');
  const meant =
    nearest(
      name,
      fields.map((field) => field.name),
    ) ?? deeper(fields, name);
  const suggestion = meant === undefined ? '' : `; did you mean "${above}.${meant}"?`;
  const has = fields.length === 0 ? 'has no fields' : `has no field "${name}"`;
  return new StarkError(`${above} ${has}${suggestion}`, {
    code: 'FIELD_NOT_FOUND',
    status: 404,
    hint: `stark explain ${meant === undefined ? above : `${above}.${meant}`}`,
  });
}

/** Where a field of this name is further inside: `pod.affinity` means `pod.spec.affinity`. */
function deeper(fields: readonly FieldDoc[], name: string): string | undefined {
  for (const field of fields) {
    if (field.fields?.some((inner) => inner.name === name)) return `${field.name}.${name}`;
  }
  for (const field of fields) {
    const path = deeper(field.fields ?? [], name);
    if (path !== undefined) return `${field.name}.${path}`;
  }
  return undefined;
}

/** The lines that people read of it, at most so wide. */
export function explanationLines(
  explained: Explained,
  { recursive, width }: { recursive: boolean; width: number },
): string[] {
  const { kind, path, type, description, fields } = explained;
  const lines = [`KIND:   ${kind}`];
  if (path !== '') lines.push(`FIELD:  ${path} <${type}>${explained.required ? ' -required-' : ''}`);
  lines.push('', ...indented(description, 0, width));
  const limit = limitOf(explained);
  if (limit !== '') lines.push(...indented(limit, 0, width));
  const said = fields.filter(({ shown }) => !shown);
  const shown = fields.filter((field) => field.shown);
  const list = (title: string, of: readonly FieldDoc[]) =>
    of.length === 0 ? [] : ['', title, ...(recursive ? tree(of, 1) : of.flatMap((field) => fieldLines(field, width)))];
  return [...lines, ...list('FIELDS:', said), ...list('READ ONLY:', shown)];
}

function fieldLines(field: FieldDoc, width: number): string[] {
  const limit = limitOf(field);
  return [head(field, 1), ...indented([field.description, limit].filter(Boolean).join(' '), 4, width)];
}

function tree(fields: readonly FieldDoc[], depth: number): string[] {
  return fields.flatMap((field) => [head(field, depth), ...tree(field.fields ?? [], depth + 1)]);
}

const head = ({ name, type, required }: FieldDoc, depth: number) =>
  `${'  '.repeat(depth)}${name} <${type}>${required ? ' -required-' : ''}`;

function limitOf({ values = [], range }: { values?: readonly string[]; range?: string | null }): string {
  if (values.length > 0) return `One of: ${values.join(', ')}.`;
  return range ? `From ${range}.` : '';
}

const indented = (text: string, by: number, width: number) =>
  wrap(text, width - by).map((line) => `${' '.repeat(by)}${line}`);
