import type { Claims } from '../authorization/token.js';

/** An answer that is not 202. */
export class HttpProblem extends Error {
  override name = 'HttpProblem';

  constructor(
    readonly status: number,
    readonly body: object,
  ) {
    super(JSON.stringify(body));
  }
}

/** A broadcast request whose sender is known. */
export interface BroadcastRequest {
  claims: Claims;
  headers: Record<string, string>;
  contentType: string | null;
  body: Buffer;
}
