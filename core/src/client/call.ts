import type { Database } from '../model/database.js';
import type { StarkClient } from './client.js';
import { toStarkError } from './to-stark-error.js';

type Functions = Database['stark']['Functions'];

export interface CallOptions {
  /** Replaces the client's own `x-correlation-id` for this call. */
  correlationId?: string;
  signal?: AbortSignal;
}

/** Calls a function of schema `stark` and gives its result; throws a StarkError when it fails. */
export async function call<F extends keyof Functions & string>(
  client: StarkClient,
  fn: F,
  args: Functions[F]['Args'] = {},
  options: CallOptions = {},
): Promise<Functions[F]['Returns']> {
  let request = client.rpc(fn, args);
  if (options.correlationId !== undefined) request = request.setHeader('x-correlation-id', options.correlationId);
  if (options.signal !== undefined) request = request.abortSignal(options.signal);
  const { data, error, status } = await request;
  if (error) throw toStarkError(error, { status });
  return data as Functions[F]['Returns'];
}
