import { setTimeout as sleep } from 'node:timers/promises';
import { StarkError } from '@stark-o/core/errors';
import { formatDuration, parseDuration } from '@stark-o/core/model';
import { interrupted } from './errors.js';
import { interruptSignal } from './interrupt.js';
import { Progress } from './progress.js';

/** What one poll says about what we wait for. */
export type Verdict =
  | { done: true }
  | { failed: StarkError }
  /** Also without a change the answer may be another one after so long. */
  | { waiting: string; againMs?: number };

export interface WaitOptions<State> {
  /** Asks for the present state. */
  poll: () => Promise<State>;
  /** Says whether it is so, can never be so, or what is in the way. */
  judge: (state: State) => Verdict;
  timeoutMs: number;
  /** What to type to go on waiting. */
  resume: string;
  /** Resolves when something may have changed; without it we poll at growing intervals. */
  changed?: (signal: AbortSignal) => Promise<unknown>;
  /** Whether every change is told, so that looking in between is only for safety. */
  isLive?: () => boolean;
}

const shortestPauseMs = 150;
const longestPauseMs = 1000;
const livePauseMs = 5000;

/**
 * How long to wait: what --wait says, nothing with --no-wait, and the command's own answer when neither was given: a
 * person at a terminal waits, a script says so.
 */
export function waitTime(flags: { wait?: string | undefined; 'no-wait'?: boolean }): number | undefined {
  if (flags['no-wait']) return undefined;
  if (flags.wait !== undefined) return parseDuration(flags.wait);
  return process.stderr.isTTY === true && process.stdout.isTTY === true ? 300_000 : undefined;
}

/** Waits until something is so, showing what is in the way. Fails at once when it can never be so. */
export async function waitFor<State>(options: WaitOptions<State>): Promise<State> {
  const progress = new Progress();
  const { signal, dispose } = interruptSignal();
  const deadline = performance.now() + options.timeoutMs;
  let pause = shortestPauseMs;
  try {
    while (true) {
      const state = await options.poll();
      const verdict = options.judge(state);
      if ('done' in verdict) return state;
      if ('failed' in verdict) throw verdict.failed;
      progress.now(verdict.waiting);
      const left = deadline - performance.now();
      if (left <= 0) throw timedOut(options, verdict.waiting);
      const { againMs = Number.POSITIVE_INFINITY } = verdict;
      await pauseFor(Math.min(options.isLive?.() ? livePauseMs : pause, left, againMs), signal, options.changed);
      pause = Math.min(longestPauseMs, pause * 1.5);
    }
  } finally {
    dispose();
    progress.clear();
  }
}

async function pauseFor(ms: number, signal: AbortSignal, changed: WaitOptions<unknown>['changed']): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    await Promise.race([sleep(ms, undefined, { signal: either }), ...(changed === undefined ? [] : [changed(either)])]);
  } catch (error) {
    if (signal.aborted) throw interrupted();
    throw error;
  } finally {
    over.abort();
  }
}

function timedOut(options: { timeoutMs: number; resume: string }, waiting: string): StarkError {
  return new StarkError(`waited ${formatDuration(options.timeoutMs)} in vain: ${waiting}`, {
    code: 'WAIT_TIMED_OUT',
    hint: options.resume,
  });
}
