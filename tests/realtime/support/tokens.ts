import { createHmac, randomUUID } from 'node:crypto';

/** The project's JWT secret in these tests. */
export const JWT_SECRET = 'a-secret-of-at-least-thirty-two-characters';

export interface Claims {
  role?: string;
  sub?: string;
  exp?: number;
  iat?: number;
  [claim: string]: unknown;
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const digests: Record<string, string> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

/** Seconds since the epoch, `offset` from now, as JWTs count. */
export function seconds(offset = 0): number {
  return Math.floor(Date.now() / 1000) + offset;
}

/** Signs exactly these claims; nothing is added. */
export function sign(claims: Claims, secret = JWT_SECRET, alg = 'HS256'): string {
  const body = `${base64url({ alg, typ: 'JWT' })}.${base64url(claims)}`;
  const digest = digests[alg];
  if (digest === undefined) throw new Error(`No digest for ${alg}`);
  return `${body}.${createHmac(digest, secret).update(body).digest('base64url')}`;
}

/** A token of a role; `jti` makes each one different, as a refreshed token is. */
export function roleToken(role: string, claims: Claims = {}): string {
  return sign({ role, iss: 'tests', iat: seconds(), exp: seconds(3600), jti: randomUUID(), ...claims });
}

/** A token of a signed-in user. */
export function userToken(sub: string, claims: Claims = {}): string {
  return roleToken('authenticated', { sub, aud: 'authenticated', ...claims });
}
