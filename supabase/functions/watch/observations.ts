/** Who a message is from: a node, its incarnation, and the secret of that incarnation. Whether it is true, the database knows. */
export interface NodeCredential {
  node_id: string;
  incarnation: number;
  secret: string;
}

/** heartbeat: it said something; present: its presence stands; gone: its presence ended. */
export type Sign = 'heartbeat' | 'present' | 'gone';

export interface Observation extends NodeCredential {
  sign: Sign;
  usage?: Record<string, unknown>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SECRET = /^[0-9a-f]{64}$/;
const NAME = /^[\w-]{1,64}$/;
/** Anybody who may join can send anything, so what is kept of it is bounded: of one as much as the database takes, of all together too. */
const MAX_USAGE = 60_000;
const MAX_USAGES = 16_000_000;
const MAX_CREDENTIALS = 20_000;

/** The credential in what somebody tracked or sent, undefined when it is none. */
export function readCredential(value: unknown): NodeCredential | undefined {
  const { node_id, incarnation, secret } = (value ?? {}) as Record<string, unknown>;
  if (typeof node_id !== 'string' || !UUID.test(node_id)) return undefined;
  if (typeof secret !== 'string' || !SECRET.test(secret)) return undefined;
  if (!Number.isSafeInteger(incarnation)) return undefined;
  return { node_id, incarnation: incarnation as number, secret };
}

/**
 * The usage in a heartbeat: the amounts in it, as far as they are of a sensible size. Nothing else is taken, since one text that
 * Postgres cannot store, such as a zero byte, would have the report about all nodes refused.
 */
export function readUsage(value: unknown): Record<string, unknown> | undefined {
  const { usage } = (value ?? {}) as { usage?: unknown };
  // The usage, its pods, one of these, and the numbers that it tells of itself.
  const amounts = readAmounts(usage, 4);
  return JSON.stringify(amounts ?? '').length <= MAX_USAGE ? amounts : undefined;
}

function readAmounts(value: unknown, depth: number): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return undefined;
  const entries = Object.entries(value)
    .filter(([name]) => NAME.test(name))
    .map(([name, amount]) => [name, Number.isFinite(amount) ? amount : readAmounts(amount, depth - 1)]);
  return Object.fromEntries(entries.filter(([, amount]) => amount !== undefined));
}

/** What was seen since the last report, one entry a credential: the latest sign counts, and a heartbeat more than presence. */
export class ObservationBatch {
  #seen = new Map<string, Observation>();
  #usages = 0;

  add(observation: Observation): void {
    const key = keyOf(observation);
    const before = this.#seen.get(key);
    if (before === undefined && this.#seen.size >= MAX_CREDENTIALS) return;
    if (observation.sign === 'present' && before?.sign === 'heartbeat') return;
    const { usage, ...sign } = observation;
    this.#usages += usage === undefined ? 0 : JSON.stringify(usage).length;
    // Without its usage it is a sign of life still.
    const told = this.#usages > MAX_USAGES ? before?.usage : (usage ?? before?.usage);
    this.#seen.set(key, { ...sign, ...(told && { usage: told }) });
  }

  take(): Observation[] {
    const all = [...this.#seen.values()];
    this.#seen = new Map();
    this.#usages = 0;
    return all;
  }

  /** Takes back what could not be delivered; what was seen since is newer. */
  restore(observations: Observation[]): void {
    for (const observation of observations) {
      if (!this.#seen.has(keyOf(observation))) this.#seen.set(keyOf(observation), observation);
    }
  }
}

/** Who is present, and over how many connections: an agent that reconnects is there twice until its old one has ended. */
export class PresenceList {
  readonly #present = new Map<string, { credential: NodeCredential; connections: number }>();

  /** Everyone who is present. */
  *[Symbol.iterator](): Generator<NodeCredential> {
    for (const { credential } of this.#present.values()) yield credential;
  }

  join(credential: NodeCredential): void {
    const entry = this.#present.get(keyOf(credential));
    if (entry !== undefined) entry.connections += 1;
    else if (this.#present.size < MAX_CREDENTIALS) this.#present.set(keyOf(credential), { credential, connections: 1 });
  }

  /** Whether that was its last connection. */
  leave(credential: NodeCredential): boolean {
    const entry = this.#present.get(keyOf(credential));
    if (entry === undefined) return false;
    entry.connections -= 1;
    return entry.connections === 0 && this.#present.delete(keyOf(credential));
  }

  clear(): void {
    this.#present.clear();
  }
}

function keyOf({ node_id, incarnation, secret }: NodeCredential): string {
  return `${node_id} ${incarnation} ${secret}`;
}
