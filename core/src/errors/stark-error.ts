import { type ExitCode, exitCodeOf } from './exit-codes.js';

/** What an error carries beside its message. */
export interface StarkErrorOptions {
  code: string;
  hint?: string | undefined;
  details?: unknown;
  /** HTTP status of the answer; absent when there was no answer. */
  status?: number | undefined;
  /** Only for a code whose exit code follows neither from itself nor from its status. */
  exitCode?: ExitCode | undefined;
  cause?: unknown;
}

/** The shape every Stark surface shows an error in: API answers, Edge Functions and `-o json` alike. */
export interface ErrorEnvelope {
  error: { code: string; message: string; hint: string | null; details: unknown };
}

/** The one error class of Stark: a stable code, one line that names the thing, and a hint that is a command to type. */
export class StarkError extends Error {
  override readonly name = 'StarkError';
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: unknown;
  readonly status: number | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: StarkErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.details = options.details;
    this.status = options.status;
    this.exitCode = options.exitCode ?? exitCodeOf(options.code, options.status);
  }

  /** The same error in other words, which is its cause; what is not changed stays. */
  reworded(message: string, changes: Omit<Partial<StarkErrorOptions>, 'cause'> = {}): StarkError {
    const { code, hint, details, status, exitCode } = this;
    return new StarkError(message, { code, hint, details, status, exitCode, ...changes, cause: this });
  }

  toEnvelope(): ErrorEnvelope {
    return {
      error: { code: this.code, message: this.message, hint: this.hint ?? null, details: this.details ?? null },
    };
  }
}

/** A mistake in what the caller typed or wrote, found before anything was sent. */
export function usageError(message: string, hint?: string, details?: unknown): StarkError {
  return new StarkError(message, { code: 'USAGE', hint, details });
}
