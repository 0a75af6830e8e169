import * as v from 'valibot';
import { StarkError } from '../errors/stark-error.js';

/** One thing wrong with a document, at the field it is about. */
export interface ManifestProblem {
  /** Path of the field, e.g. `spec.ports[0].port`; empty for the document itself. */
  field: string;
  message: string;
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
  union: 'a number or a text',
};

function messageOf(issue: v.BaseIssue<unknown>): string {
  // Only our own checks and actions speak for themselves; a schema's own text is written for programmers.
  if (issue.kind !== 'schema' || issue.type === 'custom') return issue.message;
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a field that exists here';
  if (issue.received === 'undefined') return 'is required';
  if (issue.type === 'picklist') {
    return `must be ${(issue.expected ?? '').replaceAll(/[()"]/g, '').replaceAll(' | ', ', ')}, not ${show(issue.input)}`;
  }
  return `must be ${KINDS[issue.type] ?? issue.expected}, not ${show(issue.input)}`;
}

function show(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? `"${value}"` : String(value);
}
