import * as v from 'valibot';
import { StarkError } from '../errors/stark-error.js';

/** One thing wrong with a document, at the field it is about. */
export interface ManifestProblem {
  /** Path of the field, e.g. `spec.ports[0].port`; empty for the document itself. */
  field: string;
  message: string;
}

/** The same where it has to be pointed at in the text of a file. */
export interface PlacedProblem {
  path: readonly (string | number)[];
  message: string;
  /** What there is, where this field, or the word in it, is not among them. */
  known?: readonly string[];
  /** The word in the field, where that is what is unknown. */
  word?: string;
}

/** Checks a document against its schema without throwing: its value, or all its problems with the way to each. */
export function readManifest<S extends v.GenericSchema>(
  schema: S,
  document: unknown,
): { value: v.InferOutput<S> } | { problems: PlacedProblem[] } {
  const result = v.safeParse(schema, document, { abortPipeEarly: true });
  if (result.success) return { value: result.output };
  const problems = result.issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => key as string | number);
    const isUnknown = issue.type === 'strict_object' && issue.expected === 'never';
    return { path, message: messageOf(issue), ...(isUnknown && { known: fieldsAt(schema, path.slice(0, -1)) }) };
  });
  // A field that was mistyped is why another one is missing.
  return { problems: problems.sort((a, b) => Number('known' in b) - Number('known' in a)) };
}

interface Walkable {
  entries?: Readonly<Record<string, unknown>>;
  wrapped?: unknown;
  item?: unknown;
  value?: unknown;
  options?: readonly unknown[];
}

/** The fields of the object that a schema has at the end of a way. */
function fieldsAt(schema: unknown, path: readonly (string | number)[]): string[] {
  const { entries, wrapped, item, value, options } = schema as Walkable;
  if (wrapped !== undefined) return fieldsAt(wrapped, path);
  const [step, ...rest] = path;
  if (options !== undefined) return options.flatMap((one) => (typeof one === 'object' ? fieldsAt(one, path) : []));
  if (step === undefined) return Object.keys(entries ?? {});
  const next = typeof step === 'number' ? item : (entries?.[step] ?? value);
  return typeof next === 'object' && next !== null ? fieldsAt(next, rest) : [];
}

/** Checks a document against its schema; all its problems are in one error, each naming its field. */
export function checkManifest<S extends v.GenericSchema>(schema: S, document: unknown, what: string): v.InferOutput<S> {
  const result = v.safeParse(schema, document, { abortPipeEarly: true });
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => ({ field: fieldOf(issue), message: messageOf(issue) }));
  const lines = problems.map(({ field, message }) => (field === '' ? message : `${field} ${message}`));
  throw new StarkError(`${what}: ${lines.join('; ')}`, { code: 'INVALID_MANIFEST', details: problems });
}

function fieldOf(issue: v.BaseIssue<unknown>): string {
  let path = '';
  for (const { key } of issue.path ?? []) {
    path += typeof key === 'number' ? `[${key}]` : path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  record: 'an object',
  strict_object: 'an object',
  object: 'an object',
};

const FORMS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  Object: 'an object of a form that exists here',
};

/** What a union takes, each form once. */
function formsOf(expected: string | null): string {
  const words = (expected ?? '').replaceAll(/[()]/g, '').split(' | ');
  return [...new Set(words.map((word) => FORMS[word] ?? word))].join(' or ');
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  // Only our own checks and actions speak for themselves; a schema's own text is written for programmers.
  if (issue.kind !== 'schema' || issue.type === 'custom') return issue.message;
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a field that exists here';
  if (issue.received === 'undefined') return 'is required';
  if (issue.type === 'picklist') {
    return `must be ${(issue.expected ?? '').replaceAll(/[()"]/g, '').replaceAll(' | ', ', ')}, not ${show(issue.input)}`;
  }
  if (issue.type === 'union') return `must be ${formsOf(issue.expected)}, not ${show(issue.input)}`;
  return `must be ${KINDS[issue.type] ?? issue.expected}, not ${show(issue.input)}`;
}

function show(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `"${value}"` : String(value);
}
