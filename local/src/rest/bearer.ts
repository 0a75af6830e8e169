import { compactVerify } from 'jose';
import { ResponseError } from './errors.js';

/** Who asks, as PostgREST reads it from the bearer token. */
export interface Caller {
  role: string;
  claims: Record<string, unknown>;
}

/** Seconds by which the clocks of issuer and server may differ. */
const allowedSkew = 30;

const signatureAlgorithms = /^(?:HS|RS|ES)(?:256|384|512)$|^EdDSA$/;

/** The token of an Authorization header; undefined when the header names another scheme or is not there. */
export function bearerOf(authorization: string | null): string | undefined {
  const match = /^bearer(?:\s+(.*))?$/is.exec(authorization ?? '');
  return match ? (match[1] ?? '') : undefined;
}

/** The caller of a verified token; whatever is wrong with it is the answer PostgREST 14 gives. */
export async function callerOf(token: string, secret: Uint8Array, now = Date.now() / 1000): Promise<Caller> {
  const claims = await verifiedClaims(token, secret);
  const why = problemOfTimes(claims, Math.floor(now)) ?? problemOfAudience(claims);
  if (why !== undefined) throw refused('PGRST303', why);
  const { role = 'anon' } = claims;
  return { role: typeof role === 'string' ? role : JSON.stringify(role), claims };
}

async function verifiedClaims(token: string, secret: Uint8Array): Promise<Record<string, unknown>> {
  if (token === '') throw refused('PGRST301', 'Empty JWT is sent in Authorization header');
  const parts = token.split('.');
  if (parts.length !== 3) throw refused('PGRST301', `Expected 3 parts in JWT; got ${parts.length}`);
  const [header, payload, signature] = parts.map(decoded);
  const { alg } = objectOf(header) ?? {};
  const unsecured = alg === 'none' && payload !== undefined;
  const signed =
    typeof alg === 'string' && signatureAlgorithms.test(alg) && payload !== undefined && signature !== undefined;
  if (unsecured) {
    throw refused(
      'PGRST301',
      'Wrong or unsupported encoding algorithm',
      "JWT is unsecured but expected 'alg' was not 'none'",
    );
  }
  if (!signed) throw refused('PGRST301', 'JWT cryptographic operation failed');
  if (alg !== 'HS256') throw wrongKey('No suitable key was found to decode the JWT');
  await compactVerify(token, secret, { algorithms: ['HS256'] }).catch(() => {
    throw wrongKey('None of the keys was able to decode the JWT');
  });
  const claims = objectOf(payload);
  if (claims === undefined) throw refused('PGRST303', 'Parsing claims failed');
  return claims;
}

/** `exp`, `nbf` and `iat`, in the order PostgREST looks at them. */
function problemOfTimes(claims: Record<string, unknown>, now: number): string | undefined {
  const checks: [name: string, fails: (at: number) => boolean, message: string][] = [
    ['exp', (at) => now - allowedSkew > at, 'JWT expired'],
    ['nbf', (at) => now + allowedSkew < at, 'JWT not yet valid'],
    ['iat', (at) => now + allowedSkew < at, 'JWT issued at future'],
  ];
  for (const [name, fails, message] of checks) {
    const value = claims[name] ?? undefined;
    if (value === undefined) continue;
    if (typeof value !== 'number') return `The JWT '${name}' claim must be a number`;
    // PostgREST takes a number that is no whole one for 0.
    if (fails(Number.isInteger(value) ? value : 0)) return message;
  }
  return undefined;
}

function problemOfAudience({ aud }: Record<string, unknown>): string | undefined {
  const texts = Array.isArray(aud) ? aud : [aud ?? ''];
  if (texts.every((text) => typeof text === 'string')) return undefined;
  return "The JWT 'aud' claim must be a string or an array of strings";
}

/** Base64url without padding; undefined when it is something else. */
function decoded(part: string): string | undefined {
  return /^[\w-]*$/.test(part) && part.length % 4 !== 1 ? Buffer.from(part, 'base64url').toString() : undefined;
}

function objectOf(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const wrongKey = (details: string) => refused('PGRST301', 'No suitable key or wrong key type', details);

function refused(code: string, message: string, details: string | null = null): ResponseError {
  const challenge = `Bearer error="invalid_token", error_description="${message}"`;
  return new ResponseError(401, { code, details, hint: null, message }, { 'www-authenticate': challenge });
}
