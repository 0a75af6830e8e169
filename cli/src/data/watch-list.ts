import type { AnyRow } from '@stark-o/core/resources';
import type { OutputFormat } from '../base/format.js';
import { interruptSignal } from '../base/interrupt.js';
import { renderList, toJson, toYaml, type View, writeData } from '../base/output.js';
import { table } from '../base/table.js';
import { mayAnimate } from '../base/terminal.js';

/** A row that is there, or another one than before; undefined when it has gone. */
export interface RowChange {
  readonly kind: string;
  readonly id: string;
  readonly row: AnyRow | undefined;
}

/** Where a list hears of its rows. */
export interface RowFeed {
  readonly ready: Promise<void>;
  onChange(listener: (changes: readonly RowChange[]) => void): () => void;
  close(): Promise<void>;
}

export interface WatchListOptions {
  kind: string;
  view: View<AnyRow>;
  id: (row: AnyRow) => string;
  /** Which rows the list is of. */
  matches: (row: AnyRow) => boolean;
  /** All rows that the watch knows. */
  rows: () => Iterable<AnyRow>;
  format: OutputFormat;
}

type Happened = 'added' | 'modified' | 'deleted';

interface News {
  type: Happened;
  row: AnyRow;
}

/**
 * Shows a list and how it changes, until Ctrl-C: drawn anew on a terminal, a row for each change on anything else, one
 * JSON object a line with `-o json`.
 */
export async function watchList(watch: RowFeed, options: WatchListOptions): Promise<void> {
  const { signal, dispose } = interruptSignal();
  const shown = new Map<string, AnyRow>();
  const show = shower(options, shown);
  let showing = Promise.resolve();
  const failed = new Promise<never>((_, reject) => {
    const tell = (news: News[]) => {
      if (news.length > 0) showing = showing.then(() => show(news)).catch(reject);
    };
    void watch.ready.then(() => {
      tell([...options.rows()].flatMap((row) => newsOf(options.id(row), row, options, shown)));
      watch.onChange((changes) => {
        const own = changes.filter(({ kind }) => kind === options.kind);
        tell(own.flatMap(({ id, row }) => newsOf(id, row, options, shown)));
      });
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

function newsOf(id: string, row: AnyRow | undefined, options: WatchListOptions, shown: Map<string, AnyRow>): News[] {
  const before = shown.get(id);
  if (row === undefined || !options.matches(row)) {
    shown.delete(id);
    return before === undefined ? [] : [{ type: 'deleted', row: row ?? before }];
  }
  shown.set(id, row);
  return [{ type: before === undefined ? 'added' : 'modified', row }];
}

function shower(options: WatchListOptions, shown: Map<string, AnyRow>) {
  const { view, format } = options;
  const toObject = view.object ?? ((row: AnyRow) => row);
  const nameOf = (row: AnyRow) => `${view.kind}/${view.name(row)}`;
  const isTable = format === 'table' || format === 'wide';
  let drawn = 0;
  const widths: number[] = [];
  const printed = new Map<string, string>();
  return async (news: readonly News[]): Promise<void> => {
    if (format === 'json') {
      await writeData(news.map(({ type, row }) => `${toJson({ type, object: toObject(row) })}\n`).join(''));
    } else if (format === 'yaml') {
      for (const { type, row } of news) await writeData(`---\n${await toYaml({ type, object: toObject(row) })}`);
    } else if (isTable && mayAnimate(process.stdout)) {
      const rows = [...shown.values()].sort((a, b) => (view.name(a) < view.name(b) ? -1 : 1));
      const room = (process.stdout.rows ?? 24) - 2;
      const lines = (await renderList(view, rows.slice(0, room), format)).split('\n').slice(0, -1);
      const text = lines
        .slice(0, room)
        .map((line) => `${line}\n`)
        .join('');
      // Back to where the list began, and away with what stood below.
      process.stdout.write(`${drawn === 0 ? '' : `\u001b[${drawn}A`}\u001b[0J`);
      await writeData(text);
      drawn = text.split('\n').length - 1;
    } else {
      for (const { row } of news) {
        const headers = printed.size === 0;
        const lines = isTable
          ? table(view.columns, [row], { wide: format === 'wide', headers, widths })
          : [format === 'name' ? nameOf(row) : (await renderList(view, [row], format)).trimEnd()];
        const last = lines.at(-1) ?? '';
        // Much that changes is not shown in a list.
        if (printed.get(options.id(row)) !== last) await writeData(`${lines.join('\n')}\n`);
        printed.set(options.id(row), last);
      }
    }
  };
}
