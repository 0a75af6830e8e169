import type { Column } from '@stark-o/core/resources';
import { printable } from './terminal.js';

export type { Column };

export interface TableOptions {
  wide?: boolean;
  headers?: boolean;
  /** Lines are made to fit it; never set for a pipe, where a shortened name is a wrong name. */
  width?: number | undefined;
  /** Widths of columns so far: rows printed later line up with those before. Grows as needed. */
  widths?: number[];
}

const gap = '   ';
/** Cells are made no narrower than this; a name, which people copy, gives way last. */
const shortest = 8;
const shortestName = 16;
const shortestProse = 30;
/** Even of a sentence, where a name needs the room. */
const narrowest = 16;

/** Lines of a table: heading first, columns parted by three spaces, no space inside a cell; a line a row, or more where a sentence is long. */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions = {},
): string[] {
  const shown = columns.filter((column) => options.wide || !column.wide);
  const cells = rows.map((row) => shown.map((column) => (column.prose ? sentence : cell)(column.value(row))));
  if (options.headers !== false) cells.unshift(shown.map((column) => column.header));
  const widths = shown.map((_, index) =>
    cells.reduce((width, line) => Math.max(width, line[index]?.length ?? 0), options.widths?.[index] ?? 0),
  );
  options.widths?.splice(0, options.widths.length, ...widths);
  const prose = shown.findIndex((column) => column.prose);
  if (options.width !== undefined) shrink(widths, options.width, prose);
  return cells.flatMap((line) => linesOf(line, widths, prose));
}

function linesOf(cells: readonly string[], widths: readonly number[], prose: number): string[] {
  const before = cells.map((text, index) => {
    const width = widths[index] ?? 0;
    return index === prose ? '' : shorten(text, width).padEnd(width);
  });
  if (prose < 0) return [before.join(gap).trimEnd()];
  // Nothing stands behind a sentence.
  const lead = before.slice(0, prose).map((text) => `${text}${gap}`);
  const [first = '', ...more] = wrap(cells[prose] ?? '', widths[prose] ?? 0);
  const indent = ' '.repeat(lead.join('').length);
  return [`${lead.join('')}${first}`.trimEnd(), ...more.map((line) => `${indent}${line}`)];
}

/** What stands in a cell: `<none>` for nothing, and no white space, so that `awk '{print $3}'` works. */
export function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '<none>';
  if (Array.isArray(value)) return value.length === 0 ? '<none>' : value.map(cell).join(',');
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(([key, inner]) => `${printable(key)}=${cell(inner)}`);
    return pairs.length === 0 ? '<none>' : pairs.join(',');
  }
  return printable(String(value).replace(/\s+/g, '_'));
}

/** What stands in the last cell of a row where that is a sentence. */
const sentence = (value: unknown): string =>
  value === null || value === undefined || value === '' ? '' : printable(String(value).replace(/\s+/g, ' '));

// A sentence gives way first, since it goes on in the next line; then the widest column, and a name when nothing else is left.
function shrink(widths: number[], limit: number, prose: number): void {
  const over = () => widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - limit;
  const give = (index: number, least: number, by: number) => {
    const width = widths[index] ?? 0;
    widths[index] = Math.max(Math.min(width, least), width - Math.max(0, by));
  };
  if (prose >= 0) give(prose, shortestProse, over());
  while (over() > 0) {
    const widest = widths.reduce(
      (best, width, index) =>
        index > 0 && index !== prose && width > shortest && width > (widths[best] ?? 0) ? index : best,
      -1,
    );
    if (widest < 0) break;
    give(widest, shortest, 1);
  }
  give(0, shortestName, over());
  if (prose >= 0) give(prose, narrowest, over());
}

/** A text of at most so many characters: what is left out is in its middle, since names differ at their ends. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.floor((width - 1) / 2);
  return `${text.slice(0, Math.max(0, width - 1 - tail))}…${tail > 0 ? text.slice(-tail) : ''}`;
}

/** A text in lines of at most so many characters, broken between words where that is possible. */
export function wrap(text: string, width: number): string[] {
  if (text.length <= width || width < 1) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width));
  }
  return [...lines, line];
}
