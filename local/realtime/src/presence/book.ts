import { randomBytes } from 'node:crypto';

/** One channel's entry under its key. */
interface Entry {
  key: string;
  ref: string;
  /** What the client tracked, as JSON text; equal text means that nothing changed. */
  payload: string;
  /** What others are shown: the payload with its refs. */
  meta: string;
}

/**
 * Who is present in one topic: at most one entry per channel, several channels may share a key. Changes come out as the
 * JSON of a `presence_diff`, the whole as that of a `presence_state`.
 */
export class PresenceBook {
  readonly #entries = new Map<object, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Whether the channel tracks exactly this already. */
  tracks(channel: object, payload: string): boolean {
    return this.#entries.get(channel)?.payload === payload;
  }

  /** Enters or replaces the channel's entry; the diff to tell others. */
  track(channel: object, key: string, payload: string): string {
    const previous = this.#entries.get(channel);
    const ref = randomBytes(9).toString('base64');
    const refs = previous === undefined ? `"phx_ref":"${ref}"` : `"phx_ref":"${ref}","phx_ref_prev":"${previous.ref}"`;
    const entry: Entry = { key, ref, payload, meta: withRefs(payload, refs) };
    this.#entries.set(channel, entry);
    return diff([entry], previous === undefined ? [] : [previous]);
  }

  /** Removes the channel's entry; the diff to tell others, null when there was none. */
  untrack(channel: object): string | null {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return null;
    this.#entries.delete(channel);
    return diff([], [entry]);
  }

  /** All entries by key. */
  state(): string {
    return grouped(this.#entries.values());
  }
}

function withRefs(payload: string, refs: string): string {
  return payload === '{}' ? `{${refs}}` : `${payload.slice(0, -1)},${refs}}`;
}

function diff(joins: Entry[], leaves: Entry[]): string {
  return `{"joins":${grouped(joins)},"leaves":${grouped(leaves)}}`;
}

function grouped(entries: Iterable<Entry>): string {
  const metas = new Map<string, string[]>();
  for (const entry of entries) {
    const list = metas.get(entry.key);
    if (list === undefined) metas.set(entry.key, [entry.meta]);
    else list.push(entry.meta);
  }
  const keys = Array.from(metas, ([key, list]) => `${JSON.stringify(key)}:{"metas":[${list.join(',')}]}`);
  return `{${keys.join(',')}}`;
}
