// Writes core/src/resources/field-docs.ts: what each field of each kind of thing is, for `stark explain`. What stands in a manifest is
// read from its schema, what else is shown of a thing from the comments on its columns. With --check it writes nothing and fails when
// the file differs. Part of npm run types, which writes the dump that the comments are read from.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { isProgram, writeOrCheck } from './db/command-line.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

export const fieldDocsPath = join(root, 'core/src/resources/field-docs.ts');

/** What every table's column of this name is, where it has no comment of its own. */
const COMMON = {
  id: 'Identity, a UUID; never changes.',
  created_at: 'When it was made.',
  updated_at: 'When it was changed last.',
  scheduled_at: 'When it was placed on its node.',
  started_at: 'When its last run began.',
  finished_at: 'When it ended.',
};

/** What `list_users` adds to the profile of a user. */
const USERS = {
  email: ['string', 'E-mail address, with which the user signs in.'],
  last_sign_in_at: ['time', 'When the user signed in last.'],
  roles: ['[]object', 'Roles of the user: [{role, namespace}]; without a namespace in the whole cluster.'],
};

const TYPES = {
  boolean: 'boolean',
  integer: 'integer',
  bigint: 'integer',
  jsonb: 'object',
  'text[]': '[]string',
  'timestamp with time zone': 'time',
};

/** The text of the file. */
export async function fieldDocs() {
  const [{ RESOURCES, MANIFESTS, getDescription }, comments] = await Promise.all([schemas(), columns()]);
  const kinds = Object.entries(RESOURCES).map(([kind, resource]) => {
    const columnFor = (path) => columnComment(resource, path, comments);
    const said = MANIFESTS[kind] === undefined ? [] : fieldsOf(MANIFESTS[kind], { getDescription, columnFor }, kind);
    const shown = resource.fields
      .filter((name) => !said.some((field) => field.name === name))
      .map((name) => ({ ...columnOf(resource, name, comments), ...(said.length > 0 && { shown: true }) }));
    return [kind, [...said, ...shown]];
  });
  return `// Written from the schemas of manifests and the comments on columns by npm run types. Do not edit.
import type { FieldDoc } from './field-doc.js';
import type { Kind } from './kinds.js';

/** What each field of each kind of thing is. */
export const FIELD_DOCS: { readonly [K in Kind]: readonly FieldDoc[] } = ${print(Object.fromEntries(kinds))};
`;
}

/** One field a line, so that a change of one is a line of a diff. */
function print(value, indent = '') {
  const inner = `${indent}  `;
  if (Array.isArray(value) && value.some((one) => typeof one === 'object'))
    return `[\n${value.map((one) => `${inner}${print(one, inner)},\n`).join('')}${indent}]`;
  if (typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, one]) => `${/^\w+$/.test(key) ? key : `'${key}'`}: ${print(one, indent === '' ? inner : indent)}`,
  );
  return indent === '' ? `{\n${entries.map((entry) => `  ${entry},\n`).join('')}}` : `{ ${entries.join(', ')} }`;
}

/** The comment on the column that a field of a manifest goes to, where there is one of its name. */
function columnComment({ source }, path, comments) {
  const column = path.slice(path.indexOf('.') + 1).replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return comments.get(`${source.table}.${column}`)?.[1];
}

function columnOf({ kind, source }, name, comments) {
  const table = source.table ?? 'profiles';
  const [type, about] = comments.get(`${table}.${name}`) ?? (kind === 'user' ? (USERS[name] ?? []) : []);
  const text = about ?? COMMON[name];
  if (text === undefined || type === undefined)
    throw new Error(`nothing says what ${name} of a ${kind} is: comment on column stark.${table}.${name}`);
  return { name, type, description: text };
}

/** Type and comment of each column in the dump. */
async function columns() {
  const dump = await readFile(join(root, 'supabase/schema.golden.sql'), 'utf8');
  const abouts = new Map(
    [...dump.matchAll(/^comment on column stark\.(\w+)\.(\w+) is '((?:[^']|'')*)';$/gm)].map(
      ([, table, name, about]) => [`${table}.${name}`, about.replaceAll("''", "'")],
    ),
  );
  return new Map(
    [...dump.matchAll(/^create table stark\.(\w+) \(\n(.*?)\n\)/gms)].flatMap(([, table, body]) =>
      [...body.matchAll(/^ {2}"?(\w+)"? (.+?)(?: default .*| not null| generated .*)*,?$/gm)].map(([, name, type]) => [
        `${table}.${name}`,
        [TYPES[type] ?? 'string', abouts.get(`${table}.${name}`)],
      ]),
    ),
  );
}

/** The fields of an object as its schema has them, with those inside of each. */
function fieldsOf(schema, sources, path) {
  return Object.entries(entriesOf(schema)).map(([name, field]) => {
    const { inner, optional } = unwrapped(field);
    const about = sources.getDescription(inner) ?? sources.columnFor(`${path}.${name}`);
    if (about === undefined) throw new Error(`nothing says what ${path}.${name} is: give it a description`);
    const values = valuesOf(inner);
    const range = typeOf(inner) === 'integer' ? rangeOf(inner) : undefined;
    const below = fieldsOf(inner, sources, `${path}.${name}`);
    return {
      ...{ name, type: typeOf(inner), description: about },
      ...(!optional && { required: true }),
      ...(values !== undefined && { values }),
      ...(range !== undefined && { range }),
      ...(below.length > 0 && { fields: below }),
    };
  });
}

/** What may stand in an object, in the objects of a list, or in one of several objects. */
function entriesOf(schema) {
  const { inner } = unwrapped(schema);
  const base = inner.pipe?.[0] ?? inner;
  if (base.entries !== undefined && base.type !== 'picklist') return base.entries;
  if (base.type === 'array') return entriesOf(base.item);
  if (base.type === 'union') return Object.assign({}, ...base.options.map(entriesOf));
  return base === inner ? {} : entriesOf(base);
}

function unwrapped(schema) {
  if (schema.wrapped === undefined) return { inner: schema, optional: false };
  return { inner: unwrapped(schema.wrapped).inner, optional: true };
}

/** All steps of a schema, those of the schemas that it is made from too. */
function stepsOf(schema) {
  return schema.pipe === undefined
    ? [schema]
    : schema.pipe.flatMap((step) => (step === schema || step.pipe === undefined ? [step] : stepsOf(step)));
}

function typeOf(schema) {
  const [first] = stepsOf(schema);
  if (stepsOf(schema).some(({ type }) => type === 'integer')) return 'integer';
  switch (first.type) {
    case 'strict_object':
    case 'object':
      return 'object';
    case 'array':
      return `[]${typeOf(unwrapped(first.item).inner)}`;
    case 'custom': {
      const record = stepsOf(schema).find(({ type }) => type === 'record');
      const type = record === undefined ? 'object' : typeOf(record.value);
      return type === 'unknown' ? 'object' : `map[string]${type}`;
    }
    case 'union':
      return [...new Set(first.options.map(typeOf))].join(' or ');
    case 'picklist':
    case 'literal':
      return 'string';
    default:
      return first.type;
  }
}

function valuesOf(schema) {
  const [first] = stepsOf(schema);
  if (first.type === 'picklist') return first.options.filter((value) => value !== '');
  return first.type === 'literal' ? [first.literal] : undefined;
}

function rangeOf(schema) {
  const bound = (type) => stepsOf(schema).find((step) => step.type === type)?.requirement;
  const [least, most] = [bound('min_value'), bound('max_value')];
  if (least === undefined || least === Number.MIN_SAFE_INTEGER) return undefined;
  return `${least} to ${most}`;
}

/** The schemas and resources, read from their sources so that nothing needs to be built before. */
async function schemas() {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { RESOURCES } from './resources/index.ts';
export { getDescription } from 'valibot';
import { OBJECT_SCHEMAS } from './manifests/objects.ts';
import { podRequestSchema } from './manifests/pod.ts';
export const MANIFESTS = { ...OBJECT_SCHEMAS, pod: podRequestSchema };`,
      resolveDir: join(root, 'core/src'),
    },
    bundle: true,
    format: 'esm',
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

if (isProgram(import.meta.url)) await writeOrCheck(fieldDocsPath, await fieldDocs(), 'npm run types');
