import { toStarkError } from '../errors/to-stark-error.js';
import type { FunctionResults } from '../model/api.js';
import type { Database } from '../model/database.js';
import type { StarkClient } from './client.js';

type Functions = Database['stark']['Functions'];

/** The name of a function of schema `stark`. */
export type FunctionName = keyof Functions & string;

// JSON arguments take the documents of core/model as they are (interfaces are no `Json` to TypeScript), and null is as
// good as an absent argument.
type Argument<T> = [Record<string, string>] extends [T] ? object | null | undefined : T | null | undefined;

/** What a function of schema `stark` is called with. */
export type FunctionArgs<F extends FunctionName> = {
  [Name in keyof Functions[F]['Args']]: Argument<Functions[F]['Args'][Name]>;
};

/** What a function of schema `stark` answers. */
export type FunctionResult<F extends FunctionName> = F extends keyof FunctionResults
  ? FunctionResults[F]
  : Functions[F]['Returns'];

export interface CallOptions {
  /** Replaces the client's own `x-correlation-id` for this call. */
  correlationId?: string;
  signal?: AbortSignal;
}

/** Calls a function of schema `stark` and gives its result; throws a StarkError when it fails. */
export async function call<F extends FunctionName>(
  client: StarkClient,
  fn: F,
  args?: FunctionArgs<F>,
  options: CallOptions = {},
): Promise<FunctionResult<F>> {
  let request = client.rpc(fn, args as Functions[F]['Args']);
  if (options.correlationId !== undefined) request = request.setHeader('x-correlation-id', options.correlationId);
  if (options.signal !== undefined) request = request.abortSignal(options.signal);
  const { data, error, status } = await request;
  if (error) throw toStarkError(error, { status });
  return data as unknown as FunctionResult<F>;
}
