import type { StarkError } from '@stark-o/core/errors';
import { Progress } from '../base/progress.js';

export interface PortionOptions<Portion, Row> {
  /** What is done to pods, as in `created 250 of 600 pods`. */
  verb: string;
  /** How many pods a portion is about. */
  sizeOf: (portion: Portion) => number;
  call: (portion: Portion) => Promise<Row[]>;
}

/**
 * Makes one call after the other, each a transaction of its own, and gives the rows of all. When one fails, what those before it
 * did stays done: the error says how much that was, and names it.
 */
export async function inPortions<Portion, Row extends { name: string }>(
  portions: readonly Portion[],
  { verb, sizeOf, call }: PortionOptions<Portion, Row>,
): Promise<Row[]> {
  const total = portions.reduce((sum, portion) => sum + sizeOf(portion), 0);
  const progress = new Progress();
  const rows: Row[] = [];
  try {
    for (const portion of portions) {
      const done = await call(portion).catch((error: StarkError) => {
        throw rows.length === 0
          ? error
          : stoppedAt(error, `${verb} ${rows.length} of ${total} pods`, sizeOf(portion), rows);
      });
      rows.push(...done);
      if (portions.length > 1) progress.now(`${verb} ${rows.length} of ${total} pods`);
    }
  } finally {
    progress.clear();
  }
  return rows;
}

function stoppedAt(error: StarkError, done: string, size: number, rows: readonly { name: string }[]): StarkError {
  const { status, details } = error;
  // A call without an answer may have been carried out.
  const unknown = status === undefined ? `; of the next ${size} it is not known` : '';
  return error.reworded(`${done}, then: ${error.message}${unknown}`, {
    details: { pods: rows.map(({ name }) => name), ...(details === undefined ? {} : { details }) },
  });
}

/** Cuts a list into parts of at most so many. */
export function partsOf<Item>(items: readonly Item[], most: number): Item[][] {
  const count = Math.ceil(items.length / most);
  return Array.from({ length: count }, (_, part) => items.slice(part * most, (part + 1) * most));
}
