import type { Clock } from './clock.js';

/**
 * The time as the cluster has it. A machine's own clock may be hours off and may be set at any moment, so it gives the first
 * guess only: from there time goes on evenly, and what the cluster says corrects it.
 */
export class ClusterClock implements Clock {
  #offset = Date.now() - performance.now();

  now(): number {
    return performance.now() + this.#offset;
  }

  // The smallest correction with which the cluster can have looked at its clock between the question and now.
  heard(time: number, askedAt: number): void {
    const now = this.now();
    if (time < askedAt) this.#offset -= askedAt - time;
    else if (time > now) this.#offset += time - now;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  }

  random(): number {
    return Math.random();
  }
}
