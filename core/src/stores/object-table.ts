import { shallowReactive } from '@vue/reactivity';

/** What every row that events carry has. `resource_version` counts from the row's creation. */
export interface Versioned {
  readonly resource_version: number;
  readonly created_at: string;
}

// Deletions are remembered so that an older event, should one still come, does not bring the row back.
const MAX_TOMBSTONES = 10_000;

/**
 * The rows of one kind, by id. Frozen rows in a shallow reactive map: a change is a new row, and a reader of the map in
 * a `computed` follows it. For each id it also knows the number of the event that said so last, which makes applying an
 * event twice, late or out of order harmless.
 */
export class ObjectTable<Row extends Versioned> {
  readonly rows: ReadonlyMap<string, Row>;
  readonly #rows = shallowReactive(new Map<string, Row>());
  readonly #seqs = new Map<string, number>();
  readonly #tombstones = new Map<string, number>();

  constructor() {
    this.rows = this.#rows;
  }

  /** Takes over what an event says about a row; false when something newer is known already. */
  apply(id: string, seq: number, row: Row | undefined): boolean {
    const known = this.#rows.get(id);
    if (seq <= (this.#seqs.get(id) ?? this.#tombstones.get(id) ?? -1)) return false;
    if (row === undefined) {
      this.#bury(id, seq);
      return known !== undefined;
    }
    this.#seqs.set(id, seq);
    this.#tombstones.delete(id);
    // A row of a snapshot may already be newer than the events that follow it.
    if (known && sameObject(known, row) && known.resource_version >= row.resource_version) return false;
    this.#rows.set(id, Object.freeze(row));
    return true;
  }

  /**
   * Takes over a snapshot: `rows` is everything within `scope`, read after event `seq` was visible. What later events
   * have said meanwhile stands, unless `anew`: then the rows count, and what was known before does not. Gives the ids that changed.
   */
  load(rows: ReadonlyMap<string, Row>, seq: number, scope: (row: Row) => boolean, anew = false): string[] {
    const changed: string[] = [];
    if (anew) this.#forget(scope);
    for (const [id, known] of this.#rows) {
      if (rows.has(id) || !scope(known) || (this.#seqs.get(id) ?? -1) > seq) continue;
      this.#bury(id, seq);
      changed.push(id);
    }
    for (const [id, row] of rows) {
      const known = this.#rows.get(id);
      if ((this.#seqs.get(id) ?? this.#tombstones.get(id) ?? -1) > seq) continue;
      this.#seqs.set(id, seq);
      this.#tombstones.delete(id);
      // Of a row that took another way after a restore the version may be the same.
      if (known && (anew ? JSON.stringify(known) === JSON.stringify(row) : sameVersion(known, row))) continue;
      this.#rows.set(id, Object.freeze(row));
      changed.push(id);
    }
    return changed;
  }

  #forget(scope: (row: Row) => boolean): void {
    for (const [id, row] of this.#rows) if (scope(row)) this.#seqs.delete(id);
    this.#tombstones.clear();
  }

  #bury(id: string, seq: number): void {
    this.#rows.delete(id);
    this.#seqs.delete(id);
    this.#tombstones.delete(id);
    this.#tombstones.set(id, seq);
    if (this.#tombstones.size <= MAX_TOMBSTONES) return;
    const [oldest] = this.#tombstones.keys();
    this.#tombstones.delete(oldest as string);
  }
}

function sameVersion(a: Versioned, b: Versioned): boolean {
  return sameObject(a, b) && a.resource_version === b.resource_version;
}

// A namespace may be removed and made again under its name; its versions then begin anew.
function sameObject(a: Versioned, b: Versioned): boolean {
  return Date.parse(a.created_at) === Date.parse(b.created_at);
}
