/** Who says so: a node, one of its lives, and the secret of that life. Whether it is true, the database knows. */
export interface Identity {
  node_id: string;
  incarnation: number;
  secret: string;
}

/** heartbeat: it said something; present: its presence stands; gone: its presence ended. */
export type Sign = 'heartbeat' | 'present' | 'gone';

export interface Sighting extends Identity {
  sign: Sign;
  usage?: Record<string, unknown>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SECRET = /^[0-9a-f]{64}$/;
const NAME = /^[\w-]{1,64}$/;
/** Anybody who may join can send anything, so what is kept of it is bounded. */
const MOST_USAGE = 16_384;
const MOST_IDENTITIES = 20_000;

/** The identity in what somebody tracked or sent, undefined when it is none. */
export function readIdentity(value: unknown): Identity | undefined {
  const { node_id, incarnation, secret } = (value ?? {}) as Record<string, unknown>;
  if (typeof node_id !== 'string' || !UUID.test(node_id)) return undefined;
  if (typeof secret !== 'string' || !SECRET.test(secret)) return undefined;
  if (!Number.isSafeInteger(incarnation)) return undefined;
  return { node_id, incarnation: incarnation as number, secret };
}

/**
 * The usage in a heartbeat: the amounts in it, as far as they are of a sensible size. Nothing else is taken, since one text that
 * Postgres cannot store, such as a zero byte, would have the word about all nodes refused.
 */
export function readUsage(value: unknown): Record<string, unknown> | undefined {
  const { usage } = (value ?? {}) as { usage?: unknown };
  const amounts = readAmounts(usage, 3);
  return JSON.stringify(amounts ?? '').length <= MOST_USAGE ? amounts : undefined;
}

function readAmounts(value: unknown, depth: number): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return undefined;
  const entries = Object.entries(value)
    .filter(([name]) => NAME.test(name))
    .map(([name, amount]) => [name, Number.isFinite(amount) ? amount : readAmounts(amount, depth - 1)]);
  return Object.fromEntries(entries.filter(([, amount]) => amount !== undefined));
}

/** What was seen since the last word, one entry an identity: the latest sign counts, and a heartbeat more than presence. */
export class Batch {
  #seen = new Map<string, Sighting>();

  add(sighting: Sighting): void {
    const key = keyOf(sighting);
    const before = this.#seen.get(key);
    if (before === undefined && this.#seen.size >= MOST_IDENTITIES) return;
    if (sighting.sign === 'present' && before?.sign === 'heartbeat') return;
    this.#seen.set(key, { ...(before?.usage && { usage: before.usage }), ...sighting });
  }

  take(): Sighting[] {
    const all = [...this.#seen.values()];
    this.#seen = new Map();
    return all;
  }

  /** Takes back what could not be delivered; what was seen since is newer. */
  restore(sightings: Sighting[]): void {
    for (const sighting of sightings) {
      if (!this.#seen.has(keyOf(sighting))) this.#seen.set(keyOf(sighting), sighting);
    }
  }
}

/** Who is present, and over how many connections: an agent that reconnects is there twice until its old one has ended. */
export class Roll {
  readonly #present = new Map<string, { identity: Identity; connections: number }>();

  /** Everyone who is present. */
  *[Symbol.iterator](): Generator<Identity> {
    for (const { identity } of this.#present.values()) yield identity;
  }

  enter(identity: Identity): void {
    const entry = this.#present.get(keyOf(identity));
    if (entry !== undefined) entry.connections += 1;
    else if (this.#present.size < MOST_IDENTITIES) this.#present.set(keyOf(identity), { identity, connections: 1 });
  }

  /** Whether that was its last connection. */
  leave(identity: Identity): boolean {
    const entry = this.#present.get(keyOf(identity));
    if (entry === undefined) return false;
    entry.connections -= 1;
    return entry.connections === 0 && this.#present.delete(keyOf(identity));
  }

  clear(): void {
    this.#present.clear();
  }
}

function keyOf({ node_id, incarnation, secret }: Identity): string {
  return `${node_id} ${incarnation} ${secret}`;
}
