import type { Column } from '@stark-o/core/resources';
import { printable } from './terminal.js';

export type { Column };

export interface TableOptions {
  wide?: boolean;
  headers?: boolean;
  /** Cells are cut so that lines fit; never set for a pipe, where a cut name is a wrong name. */
  width?: number;
  /** Widths of columns so far: rows printed later line up with those before. Grows as needed. */
  widths?: number[];
}

const gap = '   ';
const shortest = 6;

/** Lines of a table: heading first, one line a row, columns parted by three spaces, no space inside a cell. */
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
  if (options.width !== undefined) shrink(widths, options.width);
  return cells.map((line) =>
    line
      .map((text, index) => cut(text, widths[index] ?? 0).padEnd(widths[index] ?? 0))
      .join(gap)
      .trimEnd(),
  );
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

// The widest column but the first gives way: the name is what people copy.
function shrink(widths: number[], limit: number): void {
  const total = () => widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1);
  for (let over = total() - limit; over > 0; over = total() - limit) {
    let widest = -1;
    for (let index = 1; index < widths.length; index++) {
      if ((widths[index] ?? 0) > shortest && (widest < 0 || (widths[index] ?? 0) > (widths[widest] ?? 0)))
        widest = index;
    }
    if (widest < 0) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
}

const cut = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
