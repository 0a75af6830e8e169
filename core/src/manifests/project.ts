import * as v from 'valibot';
import { kindNamed } from '../resources/kinds.js';
import { dnsLabel } from './fields.js';
import { OBJECT_FIELDS, OBJECT_SCHEMAS, type ObjectKind } from './objects.js';
import { type PlacedProblem, readManifest } from './problems.js';

const { clusterconfig, ...listed } = OBJECT_SCHEMAS;

/** The lists of a project, and the kind of each. */
export const PROJECT_LISTS = {
  packs: 'pack',
  namespaces: 'namespace',
  priorityClasses: 'priorityclass',
  roles: 'role',
  roleBindings: 'rolebinding',
  deployments: 'deployment',
  pods: 'pod',
  joinTokens: 'jointoken',
} as const satisfies Readonly<Record<string, ObjectKind>>;

const list = <K extends keyof typeof listed>(kind: K, what: string) =>
  v.pipe(v.optional(v.array(listed[kind])), v.description(what));

/** What should be: the objects of a project, in lists by their kinds. */
export const projectSchema = v.strictObject({
  $schema: v.optional(v.string()),
  name: v.pipe(
    v.optional(dnsLabel),
    v.description('Name of the set: what an earlier apply of this name made and this one leaves out is pruned.'),
  ),
  namespace: v.pipe(v.optional(dnsLabel), v.description('Namespace of what names none.')),
  packs: list('pack', 'Software: bundled from its source, and registered when its bytes differ.'),
  namespaces: list('namespace', 'Boundaries with a quota and limits of their own.'),
  priorityClasses: list('priorityclass', 'Named priorities of pods.'),
  roles: list('role', 'Named sets of rights.'),
  roleBindings: list('rolebinding', 'Who has which role, in a namespace or everywhere.'),
  clusterConfig: v.pipe(v.optional(clusterconfig), v.description('Settings of the cluster as a whole.')),
  deployments: list('deployment', 'Wanted pods of one pack, that heal, roll and roll back.'),
  pods: list('pod', 'Single runs of a pack; a pod that is there never changes.'),
  joinTokens: list('jointoken', 'Tokens by which machines join, made anew when they are used up.'),
});

/** A project as it is written in a file. */
export type ProjectConfig = v.InferInput<typeof projectSchema>;

/** An object that a document states, with quantities as numbers, and where it stands in it. */
export interface StatedObject {
  readonly kind: ObjectKind;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly path: readonly (string | number)[];
}

/** What one document states. */
export interface StatedDocument {
  /** Name of the set, where it has one. */
  readonly name?: string;
  readonly objects: readonly StatedObject[];
}

/**
 * Reads a document: a project, or one object that says its `kind`. Objects of a namespace have theirs, the project's, or the one that is
 * given here.
 */
export function readProjectDocument(
  document: unknown,
  options: { namespace: string },
): StatedDocument | { problems: readonly PlacedProblem[] } {
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document);
  return isObject && 'kind' in document
    ? readObject(document as Record<string, unknown>, options)
    : readProject(document, options);
}

function readObject(
  { $schema: _, kind: word, ...fields }: Record<string, unknown>,
  options: { namespace: string },
): StatedDocument | { problems: readonly PlacedProblem[] } {
  const kind = typeof word === 'string' ? kindNamed(word) : undefined;
  if (kind === undefined || !(kind in OBJECT_SCHEMAS)) {
    const message = `${JSON.stringify(word)} is no kind that a file can hold`;
    return { problems: [{ path: ['kind'], message, known: Object.keys(OBJECT_FIELDS), word: String(word) }] };
  }
  const read = readManifest(OBJECT_SCHEMAS[kind as ObjectKind] as v.GenericSchema<unknown, object>, fields);
  if ('problems' in read) return { problems: read.problems.map(withWordForMetadata) };
  return { objects: [statedOf(kind as ObjectKind, read.value, [], options.namespace)] };
}

function readProject(
  document: unknown,
  options: { namespace: string },
): StatedDocument | { problems: readonly PlacedProblem[] } {
  // To valibot a list is an object, with a field 0.
  if (Array.isArray(document)) return { problems: [{ path: [], message: 'must be an object, not a list' }] };
  const read = readManifest(projectSchema, document);
  if ('problems' in read) return { problems: read.problems.map(withWordForMetadata) };
  const { name, namespace = options.namespace, clusterConfig } = read.value;
  const objects = Object.entries(PROJECT_LISTS).flatMap(([field, kind]) => {
    const stated = (read.value as Readonly<Record<string, readonly object[] | undefined>>)[field] ?? [];
    return stated.map((one, index) => statedOf(kind, one, [field, index], namespace));
  });
  const config =
    clusterConfig === undefined ? [] : [statedOf('clusterconfig', clusterConfig, ['clusterConfig'], namespace)];
  return { ...(name !== undefined && { name }), objects: [...objects, ...config] };
}

function statedOf(
  kind: ObjectKind,
  value: object,
  path: readonly (string | number)[],
  namespace: string,
): StatedObject {
  const { version, ...fields } = value as { version?: string };
  return {
    kind,
    path,
    fields: {
      ...(kind === 'deployment' || kind === 'pod' ? { namespace } : {}),
      ...fields,
      // What there is now and not what is stated: the newest one is taken when it is made.
      ...(version !== undefined && version !== 'latest' && { version }),
    },
  };
}

// Who brings a manifest of Kubernetes has these.
function withWordForMetadata(problem: PlacedProblem): PlacedProblem {
  const field = problem.path.at(-1);
  if (problem.known === undefined || (field !== 'metadata' && field !== 'apiVersion')) return problem;
  const { path } = problem;
  return {
    path,
    message:
      field === 'metadata'
        ? 'is not a field that exists here: name, namespace, labels and annotations stand beside kind'
        : 'is not a field that exists here: there is one version',
  };
}
