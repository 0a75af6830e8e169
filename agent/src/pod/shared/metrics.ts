/** As the database has it (`stark_internal.is_metric_name`); cpu and memory are measured. */
const NAME = /^[A-Za-z][\w-]{0,62}$/;
const MEASURED = new Set(['cpu', 'memory']);
const HIGHEST = 1e15;
/** How many numbers a pod may tell. */
export const METRICS_OF_A_POD = 10;
/** Saying one costs a message, so what is said within so long is said at once. */
const TELL_EVERY_MS = 1_000;

/** What a pod tells of itself: the last value of each number, by name. */
export type Metrics = Readonly<Record<string, number>>;

const isName = (name: unknown): name is string => typeof name === 'string' && NAME.test(name) && !MEASURED.has(name);
const isValue = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= HIGHEST;

/** Whether what a pod said are its numbers: the pack shares the channel, and could have said anything. */
export function isMetrics(value: unknown): value is Metrics {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length <= METRICS_OF_A_POD && entries.every(([name, number]) => isName(name) && isValue(number));
}

/** `ctx.metric` of a pod: keeps the last value of each number, and tells all of them when one has changed, once a second at most. */
export class PackMetrics {
  readonly #values = new Map<string, number>();
  #told = Number.NEGATIVE_INFINITY;
  #waits = false;
  // As they were before the pack had a chance to replace them.
  readonly #later = setTimeout.bind(globalThis);
  readonly #now = performance.now.bind(performance);

  constructor(private readonly tell: (values: Metrics) => void) {}

  set(name: string, value: number): void {
    if (!isName(name)) {
      throw new TypeError(
        `ctx.metric: ${JSON.stringify(name)} is no name of a number: a letter, then letters, digits, _ and -, 63 at most; not cpu and not memory`,
      );
    }
    if (!isValue(value)) throw new TypeError(`ctx.metric: ${name} must be a number from 0 to ${HIGHEST}`);
    if (!this.#values.has(name) && this.#values.size >= METRICS_OF_A_POD)
      throw new RangeError(`ctx.metric: a pod has at most ${METRICS_OF_A_POD} numbers`);
    if (this.#values.get(name) === value) return;
    this.#values.set(name, value);
    if (this.#waits) return;
    this.#waits = true;
    const timer = this.#later(() => this.#tellAll(), Math.max(0, this.#told + TELL_EVERY_MS - this.#now()));
    // What a pack has done is done, whether or not somebody has heard a number.
    (timer as { unref?: () => void }).unref?.();
  }

  #tellAll(): void {
    this.#waits = false;
    this.#told = this.#now();
    this.tell(Object.fromEntries(this.#values));
  }
}
