import type { StarkError } from '@stark-o/core';

/** This agent's incarnation is over: another one connected as this node. */
export function isStaleIncarnation(error: StarkError): boolean {
  return error.code === 'STALE_INCARNATION';
}

/** The cluster does not let this agent speak for its node: the node, its account or its rights may be gone. */
export function isRefusal(error: StarkError): boolean {
  return error.status === 401 || error.status === 403 || error.code === 'NODE_NOT_FOUND';
}

/**
 * True when the same call may succeed later without anything being different about it: no answer, an overloaded or
 * half-deployed control plane, a session that has to be renewed, rights that an admin may give back.
 */
export function isTransient(error: StarkError): boolean {
  const { status, code } = error;
  if (code === 'SCHEMA_MISMATCH' || code === 'SCHEMA_NOT_EXPOSED') return true;
  if (status === undefined || status === 0 || status >= 500) return true;
  return status === 401 || status === 403 || status === 408 || status === 425 || status === 429;
}
