import { usageError } from '@stark-o/core/errors';
import type { Resource } from '@stark-o/core/resources';
import type { OutputFormat } from './format.js';
import { type Column, table, wrap } from './table.js';
import { escapeControls, fitFor, fittingWidth, printable } from './terminal.js';

/** How a kind of thing is shown: its columns, its name, and what of it `-o json` promises. */
export interface View<Row> {
  /** Singular noun, as in `pod/alpha`. */
  kind: string;
  columns: readonly Column<Row>[];
  name: (row: Row) => string;
  /** The object that `-o json` and `-o yaml` print; the row itself unless said otherwise. */
  object?: (row: Row) => unknown;
}

/** How things of a kind are listed; the namespace is shown where they may be of several. */
export function viewOf<Row>(resource: Resource<Row>, options: { namespaces: boolean }): View<Row> {
  if (!resource.namespaced || !options.namespaces) return resource;
  const [name, ...others] = resource.columns;
  const namespace: Column<Row> = { header: 'NAMESPACE', value: (row) => resource.object(row).namespace };
  return { ...resource, columns: name === undefined ? [namespace] : [name, namespace, ...others] };
}

type Stream = { isTTY?: boolean };

/** Writes data to stdout; resolves when it is handed over, so that a slow pipe slows us instead of filling memory. */
export async function writeData(text: string): Promise<void> {
  await new Promise<void>((done) => {
    if (process.stdout.write(fitFor(text, process.stdout))) done();
    else for (const event of ['drain', 'error']) process.stdout.once(event, done);
  });
}

/** Prints a list of things. An empty list is `[]` in JSON and nothing at all on stdout as a table. */
export async function printList<Row>(view: View<Row>, rows: readonly Row[], format: OutputFormat): Promise<void> {
  await writeData(await renderList(view, rows, format));
}

/** Things of one kind, and how they are shown. */
export interface Shown<Row> {
  view: View<Row>;
  rows: readonly Row[];
}

/** Prints things of one kind or several: for machines always one list, whose entries say their kind where there are several. */
export async function printKinds<Row>(
  lists: readonly Shown<Row>[],
  format: OutputFormat,
  print: (list: Shown<Row>) => Promise<void> = ({ view, rows }) => printList(view, rows, format),
): Promise<void> {
  if (lists.length > 1 && format !== 'table' && format !== 'wide' && format !== 'name') {
    const all = lists.flatMap(({ view, rows }) =>
      rows.map((row) => ({ kind: view.kind, ...Object(view.object?.(row) ?? row) })),
    );
    return printList({ kind: '', name: () => '', columns: [] }, all, format);
  }
  for (const list of lists) await print(list);
}

/** Text of a list in one of the formats. */
export async function renderList<Row>(
  view: View<Row>,
  rows: readonly Row[],
  format: OutputFormat,
  stream: { isTTY?: boolean; columns?: number; write(text: string): unknown } = process.stdout,
): Promise<string> {
  const toObject = view.object ?? ((row: Row) => row);
  switch (format) {
    case 'json':
      return `${toJson(rows.map(toObject), { indent: 2, stream })}\n`;
    case 'yaml':
      return await toYaml(rows.map(toObject), stream);
    case 'name':
      return rows.map((row) => `${view.kind}/${view.name(row)}\n`).join('');
    case 'table':
    case 'wide': {
      if (rows.length === 0) return '';
      const lines = table(view.columns, rows, {
        wide: format === 'wide',
        ...(format === 'table' && { width: fittingWidth(stream) }),
      });
      return `${lines.join('\n')}\n`;
    }
    default:
      return renderTemplate(rows.map(toObject), format, stream);
  }
}

/**
 * Objects by a template. As kubectl has it, of one object a path begins there, and of several at a list with `items`; for several a path
 * that begins elsewhere is that of each.
 */
async function renderTemplate(objects: readonly unknown[], format: string, stream: Stream): Promise<string> {
  const { compileJsonPath, textOfValue, valuesAt } = await import('./jsonpath.js');
  const equals = format.indexOf('=');
  const template = format.slice(equals + 1);
  if (format.startsWith('jsonpath=')) {
    const show = compileJsonPath(template);
    const [only] = objects;
    const single = objects.length === 1 && typeof only === 'object' ? only : undefined;
    const ofList = /\{\s*(range\s+)?[$@]?\.?items\b/.test(template) || /^\.?items\b/.test(template);
    const texts = ofList || single !== undefined ? [show({ ...single, items: objects })] : objects.map(show);
    const text = texts.join(' ');
    return fitFor(text === '' || text.endsWith('\n') ? text : `${text}\n`, stream);
  }
  const columns = template.split(',').map((text): Column<unknown> => {
    const [header = '', ...path] = text.split(':');
    if (header === '' || path.length === 0) {
      throw usageError(`custom-columns: "${text}" is no column`, 'e.g. -o custom-columns=NAME:.name,NODE:.node_name');
    }
    const values = valuesAt(path.join(':'));
    return { header, value: (object) => values(object).map(textOfValue) };
  });
  return `${table(columns, objects).join('\n')}\n`;
}

/** Prints things that were changed: a line of what was done to each for people, else the list of them. */
export async function printChanged<Row>(
  view: View<Row>,
  rows: readonly Row[],
  done: string | ((row: Row) => string),
  format: OutputFormat,
): Promise<void> {
  if (format !== 'table') return printList(view, rows, format);
  const what = typeof done === 'string' ? () => done : done;
  await writeData(rows.map((row) => `${view.kind}/${view.name(row)} ${what(row)}\n`).join(''));
}

/** Prints one thing: `text` for people, the object for machines, the name for scripts. */
export async function printObject(
  object: unknown,
  format: OutputFormat,
  text: { name: string; lines: readonly string[] },
  options: { stays?: boolean } = {},
): Promise<void> {
  if (format.includes('=')) return writeData(await renderTemplate([object], format, process.stdout));
  switch (format) {
    case 'json':
      // Who reads from a process that stays needs to know where the object ends: at the end of the line.
      return await writeData(`${toJson(object, { indent: options.stays ? 0 : 2 })}\n`);
    case 'yaml':
      return await writeData(await toYaml(object));
    case 'name':
      return await writeData(`${text.name}\n`);
    default:
      return await writeData(text.lines.map((line) => `${line}\n`).join(''));
  }
}

/** Lines of `Key:  value` pairs, values under each other, as `describe` prints them. */
export function describe(pairs: readonly (readonly [string, unknown])[]): string[] {
  const width = Math.max(...pairs.map(([key]) => key.length)) + 2;
  const room = Math.max(shortestValue, (fittingWidth() ?? Number.POSITIVE_INFINITY) - width - 1);
  return pairs.flatMap(([key, value]) => {
    const [first, ...more] = text(value)
      .split('\n')
      .flatMap((line) => wrap(line, room));
    return [`${`${key}:`.padEnd(width)} ${first}`, ...more.map((line) => `${' '.repeat(width + 1)}${line}`)];
  });
}

const shortestValue = 24;

function text(value: unknown): string {
  if (value === null || value === undefined || value === '') return '<none>';
  if (Array.isArray(value)) return value.length === 0 ? '<none>' : value.map(text).join(', ');
  if (typeof value !== 'object') return printable(String(value));
  const pairs = Object.entries(value).map(([key, inner]) => `${printable(key)}=${text(inner)}`);
  return pairs.length === 0 ? '<none>' : pairs.join(', ');
}

/** JSON of an object. On a terminal controls are escaped, as JSON may write any character: it says the same. */
export function toJson(object: unknown, options: { indent?: number; stream?: Stream } = {}): string {
  const { indent = 0, stream = process.stdout } = options;
  const text = JSON.stringify(object, null, indent);
  return stream.isTTY ? escapeControls(text, inUnits) : text;
}

/**
 * YAML of an object, on a terminal with its controls escaped, which YAML knows between double quotes only. The library is loaded
 * only when somebody asks for YAML.
 */
export async function toYaml(object: unknown, stream: Stream = process.stdout): Promise<string> {
  const { Document, Scalar, visit } = await import('yaml');
  const document = new Document(object);
  if (!stream.isTTY) return document.toString();
  visit(document, {
    Scalar(_, scalar) {
      const { value } = scalar;
      if (typeof value === 'string' && escapeControls(value, () => '') !== value) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return escapeControls(document.toString({ doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER }), inYaml);
}

/** One character of JSON as the units of UTF-16. */
const inUnits = (control: string) => control.replace(/[\s\S]/g, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);

const inYaml = (control: string) => {
  const code = control.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
};

const hex = (code: number, digits: number) => code.toString(16).padStart(digits, '0');
