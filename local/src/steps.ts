import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { StackError } from './errors.js';
import { ClusterError, type ClusterErrorCode } from './postgres/errors.js';

/** One line of the start: a step began, was tried again, ended well or failed. */
export interface StepEvent {
  step: string;
  state: 'running' | 'retrying' | 'done' | 'failed';
  ms: number;
  detail?: string;
}

export interface StepOptions {
  /** After this long the step counts as failed, whatever it still does. */
  deadlineMs: number;
  /** How often to try again; only for steps that may fail for a passing reason. */
  retries?: number;
  /** What a person can do when the step failed for a reason that it cannot name itself. */
  hint: string;
}

/** Runs the named steps of a start in the order they are called: each with a deadline, a short retry, and one clear error. */
export class Steps {
  readonly #log: Logger;
  readonly #listener: (event: StepEvent) => void;
  readonly #isStopped: () => boolean;

  constructor(log: Logger, listener: (event: StepEvent) => void = () => {}, isStopped: () => boolean = () => false) {
    this.#log = log;
    this.#listener = listener;
    this.#isStopped = isStopped;
  }

  async run<T>(step: string, options: StepOptions, work: () => Promise<T>): Promise<T> {
    if (this.#isStopped()) {
      throw new StackError(step, 'START_STOPPED', `the start was stopped before step ${step}`, { hint: 'stark up' });
    }
    const began = performance.now();
    this.#say({ step, state: 'running', ms: 0 });
    for (let attempt = 0; ; attempt++) {
      try {
        const result = await withDeadline(step, options.deadlineMs, work);
        this.#say({ step, state: 'done', ms: elapsed(began) });
        return result;
      } catch (error) {
        const failure = asStackError(step, error, options.hint);
        const diagnosed = error instanceof StackError || error instanceof ClusterError;
        const last = diagnosed || attempt >= (options.retries ?? 0);
        this.#say({ step, state: last ? 'failed' : 'retrying', ms: elapsed(began), detail: failure.message });
        if (last) throw failure;
        await sleep(250 * (attempt + 1));
      }
    }
  }

  #say(event: StepEvent): void {
    const level = event.state === 'failed' ? 'error' : event.state === 'retrying' ? 'warn' : 'debug';
    this.#log[level](event, `step ${event.step}: ${event.state}${event.detail ? `: ${event.detail}` : ''}`);
    this.#listener(event);
  }
}

async function withDeadline<T>(step: string, ms: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new StackError(step, 'STEP_TIMEOUT', `step ${step} did not end within ${ms / 1000} s`, {
          hint: 'stark up --debug shows its log',
        }),
      );
    }, ms);
  });
  try {
    return await Promise.race([work(), deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function asStackError(step: string, error: unknown, hint: string): StackError {
  if (error instanceof StackError) return error;
  const message = (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, '; ');
  if (error instanceof ClusterError) {
    return new StackError(step, error.code, message, { hint: clusterHints[error.code] ?? hint, cause: error });
  }
  return new StackError(step, 'STEP_FAILED', message, { hint, cause: error });
}

const clusterHints: Partial<Record<ClusterErrorCode, string>> = {
  PORT_TAKEN: 'stop that program, or stark up --db-port <another>',
  DATA_DIR_IN_USE: 'stark down, or choose another --data-dir',
  NAMELESS_ACCOUNT: 'add a line for it to /etc/passwd, or run as an account that has one',
  DATA_DIR_UNREACHABLE: 'choose another --data-dir, or run as an ordinary user',
};

const elapsed = (began: number) => Math.round(performance.now() - began);
