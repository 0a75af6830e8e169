import { setTimeout as wait } from 'node:timers/promises';
import type { PackLog } from '@stark-o/core';

/** A URL to watch. */
export interface Target {
  name: string;
  url: string;
}

/** One look at a target: how long it took, and what was wrong if it was. */
export interface Check {
  at: string;
  ms: number;
  ok: boolean;
  error?: string;
}

/** What is known about a target. */
export interface TargetState extends Target {
  /** Undefined until the first check. */
  up: boolean | undefined;
  since: string | null;
  checks: number;
  failures: number;
  /** Oldest first. */
  history: Check[];
}

export interface MonitorOptions {
  everyMs: number;
  timeoutMs: number;
  /** How many checks of each target are kept. */
  history: number;
}

/** Fetches every target again and again, each at its own pace, so that a slow one delays no other. */
export class Monitor {
  readonly states: TargetState[];

  constructor(
    targets: readonly Target[],
    private readonly options: MonitorOptions,
    private readonly request: typeof fetch,
    private readonly log: PackLog,
  ) {
    this.states = targets.map((target) => ({
      ...target,
      up: undefined,
      since: null,
      checks: 0,
      failures: 0,
      history: [],
    }));
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.states.map((state) => this.#watch(state, signal)));
  }

  async #watch(state: TargetState, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const check = await this.#check(state.url, signal);
      // A check cut off by the end of the pod says nothing about its target.
      if (signal.aborted) return;
      this.#note(state, check);
      await wait(Math.max(0, this.options.everyMs - check.ms), undefined, { signal }).catch(() => {});
    }
  }

  async #check(url: string, signal: AbortSignal): Promise<Check> {
    const at = new Date().toISOString();
    const started = performance.now();
    // Not AbortSignal.any: on Node.js 20 each of them stays in memory for as long as the pod's own signal.
    const controller = new AbortController();
    const abort = () => controller.abort();
    const timer = setTimeout(abort, this.options.timeoutMs);
    signal.addEventListener('abort', abort, { once: true });
    let error: string | undefined;
    try {
      const response = await this.request(url, { signal: controller.signal });
      await response.arrayBuffer();
      if (!response.ok) error = `HTTP ${response.status}`;
    } catch (failure) {
      error = controller.signal.aborted ? `no answer within ${this.options.timeoutMs} ms` : reasonOf(failure);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
    const ms = Math.round(performance.now() - started);
    return error === undefined ? { at, ms, ok: true } : { at, ms, ok: false, error };
  }

  #note(state: TargetState, check: Check): void {
    state.checks++;
    if (!check.ok) state.failures++;
    state.history = [...state.history, check].slice(-this.options.history);
    if (state.up === check.ok) return;
    state.up = check.ok;
    state.since = check.at;
    const fields = { target: state.name, url: state.url, ms: check.ms };
    if (check.ok) this.log.info(`${state.name} is up`, fields);
    else this.log.warn(`${state.name} is down: ${check.error}`, fields);
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}

/** The middle and the slow end of the latencies of successful checks; undefined when there are none. */
export function latency(history: readonly Check[]): { p50: number; p95: number } | undefined {
  const sorted = history.filter(({ ok }) => ok).map(({ ms }) => ms);
  if (sorted.length === 0) return undefined;
  sorted.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
  return { p50: at(0.5), p95: at(0.95) };
}
