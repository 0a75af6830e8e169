import type { OutputFormat } from './format.js';
import { type Column, table } from './table.js';
import { printable, widthOf } from './terminal.js';

/** How a kind of thing is shown: its columns, its name, and what of it `-o json` promises. */
export interface View<Row> {
  /** Singular noun, as in `pod/alpha`. */
  kind: string;
  columns: readonly Column<Row>[];
  name: (row: Row) => string;
  /** The object that `-o json` and `-o yaml` print; the row itself unless said otherwise. */
  object?: (row: Row) => unknown;
}

/** Writes data to stdout; resolves when it is handed over, so that a slow pipe slows us instead of filling memory. */
export async function writeData(text: string): Promise<void> {
  await new Promise<void>((done) => {
    if (process.stdout.write(text)) done();
    else process.stdout.once('drain', done);
  });
}

/** Prints a list of things. An empty list is `[]` in JSON and nothing at all on stdout as a table. */
export async function printList<Row>(view: View<Row>, rows: readonly Row[], format: OutputFormat): Promise<void> {
  await writeData(await renderList(view, rows, format));
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
      return `${JSON.stringify(rows.map(toObject), null, 2)}\n`;
    case 'yaml':
      return await toYaml(rows.map(toObject));
    case 'name':
      return rows.map((row) => `${view.kind}/${view.name(row)}\n`).join('');
    default: {
      if (rows.length === 0) return '';
      const lines = table(view.columns, rows, {
        wide: format === 'wide',
        ...(stream.isTTY && format === 'table' ? { width: widthOf(stream) } : {}),
      });
      return `${lines.join('\n')}\n`;
    }
  }
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
  switch (format) {
    case 'json':
      // Who reads from a process that stays needs to know where the object ends: at the end of the line.
      return await writeData(`${JSON.stringify(object, null, options.stays ? 0 : 2)}\n`);
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
  return pairs.map(([key, value]) => `${`${key}:`.padEnd(width)} ${text(value)}`);
}

function text(value: unknown): string {
  if (value === null || value === undefined || value === '') return '<none>';
  if (Array.isArray(value)) return value.length === 0 ? '<none>' : value.map(text).join(', ');
  if (typeof value !== 'object') return printable(String(value));
  const pairs = Object.entries(value).map(([key, inner]) => `${printable(key)}=${text(inner)}`);
  return pairs.length === 0 ? '<none>' : pairs.join(', ');
}

/** YAML of an object; the library is loaded only when somebody asks for YAML. */
export async function toYaml(object: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(object);
}
