import type { PodRow } from '@stark-o/core/resources';

/** A pack that fails as it begins has done so by then. */
const STEADY_MS = 2_000;
/** The clocks of this machine and of the cluster may differ by so much. */
const CLOCKS_DIFFER_MS = 10_000;

/**
 * Whether pods that run will still do so in a moment. One with a probe is ready when its probe says so; one without counts as ready from
 * its first line on, and is believed when it has run for a moment without being started again.
 */
export class Steadiness {
  readonly #seen = new Map<string, { restarts: number; since: number }>();

  /** How long until a pod that is running and ready can be believed; 0 when it can. */
  leftMs({ id, restarts, spec, started_at }: PodRow, now = Date.now()): number {
    if (spec?.readinessProbe !== undefined) return 0;
    const hasRun = started_at === null ? 0 : now - Date.parse(started_at);
    if (restarts === 0 && hasRun > STEADY_MS + CLOCKS_DIFFER_MS) return 0;
    const before = this.#seen.get(id);
    const since = before?.restarts === restarts ? before.since : now;
    this.#seen.set(id, { restarts, since });
    return Math.max(0, since + STEADY_MS - now);
  }
}
