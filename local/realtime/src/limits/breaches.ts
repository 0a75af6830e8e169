import type { Clock } from '../clock.js';
import type { RealtimeLog } from '../options.js';

const PAUSE_MS = 1_000;
const REMEMBERED = 1_000;

/**
 * Warns of breached limits loudly, but not once for every message that is over them: the same warning about the same
 * topic comes at most once a second and says how many it stands for.
 */
export class Breaches {
  readonly #log: RealtimeLog;
  readonly #clock: Clock;
  readonly #warned = new Map<string, { at: number; more: number }>();

  constructor(log: RealtimeLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Warns of one breach. */
  warn(topic: string | null, warning: string, fields: object = {}): void {
    const key = `${warning} ${topic}`;
    const now = this.#clock.now();
    const last = this.#warned.get(key);
    if (last !== undefined && now - last.at < PAUSE_MS) {
      last.more++;
      return;
    }
    if (this.#warned.size >= REMEMBERED) this.#warned.clear();
    this.#warned.set(key, { at: now, more: 0 });
    const since = last === undefined || last.more === 0 ? {} : { more: last.more };
    this.#log.warn({ ...(topic === null ? {} : { topic }), ...fields, ...since }, warning);
  }
}
