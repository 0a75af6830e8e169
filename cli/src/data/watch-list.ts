import type { Change, Watch } from '@stark-o/core';
import type { OutputFormat } from '../base/format.js';
import { interruptSignal } from '../base/interrupt.js';
import { renderList, toJson, toYaml, type View, writeData } from '../base/output.js';
import { table } from '../base/table.js';
import { mayAnimate } from '../base/terminal.js';

export interface WatchListOptions<Row extends { id: string }> {
  kind: Change['kind'];
  view: View<Row>;
  /** Which rows the list is of. */
  matches: (row: Row) => boolean;
  /** All rows that the watch knows. */
  rows: () => Iterable<Row>;
  format: OutputFormat;
}

type Happened = 'added' | 'modified' | 'deleted';

/**
 * Shows a list and how it changes, until Ctrl-C: drawn anew on a terminal, a row for each change on anything else, one
 * JSON object a line with `-o json`.
 */
export async function watchList<Row extends { id: string }>(
  watch: Watch,
  options: WatchListOptions<Row>,
): Promise<void> {
  const { signal, dispose } = interruptSignal();
  const shown = new Map<string, Row>();
  const show = shower(options, shown);
  let showing = Promise.resolve();
  const failed = new Promise<never>((_, reject) => {
    const take = (changes: readonly Change[]) => {
      const news = changes.flatMap((change) => newsOf(change, options, shown));
      if (news.length > 0) showing = showing.then(() => show(news)).catch(reject);
    };
    void watch.ready.then(() => {
      const rows = [...options.rows()] as unknown as Change['row'][];
      take(rows.map((row) => ({ kind: options.kind, id: (row as unknown as Row).id, row }) as Change));
      watch.onChange(take);
    }, reject);
  });
  try {
    await Promise.race([failed, new Promise<void>((done) => signal.addEventListener('abort', () => done()))]);
  } finally {
    dispose();
    await watch.close();
    await showing;
  }
}

function newsOf<Row extends { id: string }>(
  { kind, id, row: changed }: Change,
  options: WatchListOptions<Row>,
  shown: Map<string, Row>,
): { type: Happened; row: Row }[] {
  if (kind !== options.kind) return [];
  const before = shown.get(id);
  const row = changed as unknown as Row | undefined;
  if (row === undefined || !options.matches(row)) {
    shown.delete(id);
    return before === undefined ? [] : [{ type: 'deleted', row: row ?? before }];
  }
  shown.set(id, row);
  return [{ type: before === undefined ? 'added' : 'modified', row }];
}

function shower<Row extends { id: string }>(options: WatchListOptions<Row>, shown: Map<string, Row>) {
  const { view, format } = options;
  const toObject = view.object ?? ((row: Row) => row);
  const nameOf = (row: Row) => `${view.kind}/${view.name(row)}`;
  const isTable = format === 'table' || format === 'wide';
  let drawn = 0;
  const widths: number[] = [];
  const printed = new Map<string, string>();
  return async (news: readonly { type: Happened; row: Row }[]): Promise<void> => {
    if (format === 'json') {
      await writeData(news.map(({ type, row }) => `${toJson({ type, object: toObject(row) })}\n`).join(''));
    } else if (format === 'yaml') {
      for (const { type, row } of news) await writeData(`---\n${await toYaml({ type, object: toObject(row) })}`);
    } else if (isTable && mayAnimate(process.stdout)) {
      const rows = [...shown.values()].sort((a, b) => (view.name(a) < view.name(b) ? -1 : 1));
      const room = (process.stdout.rows ?? 24) - 2;
      const text = await renderList(view, rows.slice(0, room), format);
      // Back to where the list began, and away with what stood below.
      process.stdout.write(`${drawn === 0 ? '' : `\u001b[${drawn}A`}\u001b[0J`);
      await writeData(text);
      drawn = text.split('\n').length - 1;
    } else {
      for (const { row } of news) {
        const headers = printed.size === 0;
        const lines = isTable
          ? table(view.columns, [row], { wide: format === 'wide', headers, widths })
          : [nameOf(row)];
        const last = lines.at(-1) ?? '';
        // Much that changes is not shown in a list.
        if (printed.get(row.id) !== last) await writeData(`${lines.join('\n')}\n`);
        printed.set(row.id, last);
      }
    }
  };
}
