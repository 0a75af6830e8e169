import { createSecretKey } from 'node:crypto';
import {
  compactVerify,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JSONWebKeySet,
  type JWK,
  type JWTHeaderParameters,
} from 'jose';
import type { Clock } from '../clock.js';

/** Claims of a verified token: `role` and `exp` are there, `exp` and `iat` are whole numbers. */
export interface Claims {
  role: unknown;
  exp: number;
  sub?: unknown;
  [claim: string]: unknown;
}

export type TokenFault = 'expired' | 'missing-claims' | 'malformed' | 'signature' | 'signer' | 'invalid';

/** Why a token is not accepted; `message` is the text the real server shows for it. */
export class TokenRefused extends Error {
  override name = 'TokenRefused';

  constructor(
    readonly fault: TokenFault,
    message: string,
  ) {
    super(message);
  }
}

const REMEMBERED_TOKENS = 1_000;

const keyTypes: Record<string, string> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  ES256: 'EC',
  ES384: 'EC',
  ES512: 'EC',
  EdDSA: 'OKP',
  Ed25519: 'OKP',
};

/** Verifies tokens by the rules that hold for sockets, joins, refreshes and HTTP alike. */
export class TokenVerifier {
  readonly #secret: Uint8Array;
  readonly #jwks: JSONWebKeySet | null;
  readonly #clock: Clock;
  /** Claims by token, oldest first, so that a thousand sockets with one key cost one signature. */
  readonly #verified = new Map<string, Record<string, unknown>>();

  constructor(secret: string, jwks: JSONWebKeySet | null, clock: Clock) {
    this.#secret = new TextEncoder().encode(secret);
    this.#jwks = jwks;
    this.#clock = clock;
  }

  /** The token's claims. Throws TokenRefused. */
  async verify(token: string): Promise<Claims> {
    const clean = cleaned(token);
    let claims = this.#verified.get(clean);
    if (claims === undefined) {
      claims = await this.#verifySignature(clean);
      this.#remember(clean, claims);
    }
    return this.#validated(claims);
  }

  #remember(token: string, claims: Record<string, unknown>): void {
    if (this.#verified.size >= REMEMBERED_TOKENS) {
      const oldest = this.#verified.keys().next().value;
      if (oldest !== undefined) this.#verified.delete(oldest);
    }
    this.#verified.set(token, claims);
  }

  #validated(claims: Record<string, unknown>): Claims {
    const now = Math.floor(this.#clock.now() / 1_000);
    const { exp, iat } = claims;
    if (exp !== undefined && !(typeof exp === 'number' && exp > now)) {
      if (!Number.isInteger(exp)) throw new TokenRefused('invalid', 'Token expiration time is invalid');
      throw new TokenRefused('expired', `Token has expired ${now - (exp as number)} seconds ago`);
    }
    if (iat !== undefined && typeof iat !== 'number') throw new TokenRefused('invalid', 'Invalid token');
    if (!('role' in claims) || exp === undefined) {
      throw new TokenRefused('missing-claims', 'Fields `role` and `exp` are required in JWT');
    }
    const rounded: Claims = { ...claims, role: claims.role, exp: Math.round(exp) };
    if (typeof iat === 'number') rounded.iat = Math.round(iat);
    return rounded;
  }

  async #verifySignature(token: string): Promise<Record<string, unknown>> {
    let header: JWTHeaderParameters;
    let claims: Record<string, unknown>;
    try {
      claims = decodeJwt(token);
      header = decodeProtectedHeader(token) as JWTHeaderParameters;
    } catch {
      throw malformed();
    }
    const key = await this.#keyFor(header);
    try {
      await compactVerify(token, key);
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) {
        throw new TokenRefused('signature', 'Failed to validate JWT signature');
      }
      throw malformed();
    }
    return claims;
  }

  async #keyFor({ alg, kid }: JWTHeaderParameters): Promise<Parameters<typeof compactVerify>[1]> {
    if (alg === 'HS256' || alg === 'HS384' || alg === 'HS512') {
      const shared = this.#jwk('oct', kid);
      // An own key object, since jose asks for secrets as long as the hash and the real server does not.
      if (typeof shared?.k === 'string') return createSecretKey(Buffer.from(shared.k, 'base64url'));
      return createSecretKey(this.#secret);
    }
    const type = keyTypes[alg];
    if (type === undefined || typeof kid !== 'string' || this.#jwks === null) throw signer();
    const jwk = this.#jwk(type, kid);
    if (jwk === undefined) throw signer(kid);
    try {
      return await importJWK(jwk, alg);
    } catch {
      throw signer(kid);
    }
  }

  #jwk(type: string, kid: string | undefined): JWK | undefined {
    if (kid === undefined) return undefined;
    return this.#jwks?.keys.find((key) => key.kty === type && key.kid === kid);
  }
}

function cleaned(token: string): string {
  try {
    return decodeURIComponent(token).replace(/\s/g, '');
  } catch {
    throw malformed();
  }
}

function malformed(): TokenRefused {
  return new TokenRefused('malformed', 'The token provided is not a valid JWT');
}

function signer(kid?: string): TokenRefused {
  const which = kid === undefined ? '' : ` for key ID (kid) ${JSON.stringify(kid)}`;
  return new TokenRefused(
    'signer',
    `Failed to generate JWT signer${which}, check your JWT secret or JWKS configuration`,
  );
}
