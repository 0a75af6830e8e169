/** A start, stop or status of the stack that failed: which step, why, and what to do about it. */
export class StackError extends Error {
  readonly step: string;
  readonly code: string;
  readonly hint: string | undefined;

  constructor(
    step: string,
    code: string,
    message: string,
    options: { hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'StackError';
    this.step = step;
    this.code = code;
    this.hint = options.hint;
  }
}
