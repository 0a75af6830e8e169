import type { Claims } from './token.js';

/** The two features policies tell apart, in `realtime.messages.extension`. */
export type Extension = 'broadcast' | 'presence';

/** Null: not asked yet. */
export interface Rights {
  read: boolean | null;
  write: boolean | null;
}

/** What one channel may do, as its policies answered. */
export type Policies = Record<Extension, Rights>;

/** Who asks, about which topic: all that policies can see. */
export interface AuthorizationContext {
  topic: string;
  claims: Claims;
  /** `x-*` headers of a socket, all headers of an HTTP request. */
  headers: Record<string, string>;
}

/** Nothing asked yet. */
export function unknownPolicies(): Policies {
  return { broadcast: { read: null, write: null }, presence: { read: null, write: null } };
}

export type PolicyFault = 'policy' | 'partition' | 'cancelled' | 'pool' | 'unavailable';

/** The policies gave no answer. */
export class PolicyError extends Error {
  override name = 'PolicyError';

  constructor(
    readonly fault: PolicyFault,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
