import { timingSafeEqual } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';

/** The two roles a key can stand for. */
export type KeyRole = 'anon' | 'service_role';

export interface ApiKeysOptions {
  publishable: string;
  secret: string;
  jwtSecret: string;
}

/** Ten years, as the legacy keys of a hosted project. */
const lifetime = '10y';

/**
 * The keys of a project. A client may show an `sb_` key or the JWT it stands for (the legacy anon and service_role
 * keys); services behind the gateway that know only JWTs get the JWT.
 */
export class ApiKeys {
  readonly publishable: string;
  readonly secret: string;
  readonly #jwtSecret: Uint8Array;
  readonly #known = new Map<string, KeyRole>();
  #jwts: Promise<Record<KeyRole, string>> | undefined;

  constructor(options: ApiKeysOptions) {
    this.publishable = options.publishable;
    this.secret = options.secret;
    this.#jwtSecret = new TextEncoder().encode(options.jwtSecret);
  }

  /** The role of a key, or null when it is none of this project's. */
  async roleOf(key: string): Promise<KeyRole | null> {
    if (key.startsWith('sb_')) {
      if (same(key, this.publishable)) return 'anon';
      return same(key, this.secret) ? 'service_role' : null;
    }
    const known = this.#known.get(key);
    if (known) return known;
    const claims = await this.#verify(key);
    // A user's token is no key, whatever its role: keys have no subject.
    if (!claims || claims.sub !== undefined) return null;
    if (claims.role !== 'anon' && claims.role !== 'service_role') return null;
    if (this.#known.size < 64 && (claims.exp ?? Infinity) > Date.now() / 1000 + 86_400)
      this.#known.set(key, claims.role);
    return claims.role;
  }

  /** The long-lived JWT of a role: what services get instead of an `sb_` key, and the legacy key of that role. */
  async jwt(role: KeyRole): Promise<string> {
    this.#jwts ??= this.#mint();
    return (await this.#jwts)[role];
  }

  /** An `sb_` key turned into its JWT; any other token comes back as it is, an unknown `sb_` key as null. */
  async swap(token: string): Promise<string | null> {
    if (!token.startsWith('sb_')) return token;
    const role = await this.roleOf(token);
    return role ? this.jwt(role) : null;
  }

  /** The shape lite asks for: what kind of key it is and the claims of requests that show nothing else. */
  async resolveForLite(key: string): Promise<{ type: 'publishable' | 'secret'; claims: { role: KeyRole } } | null> {
    const role = await this.roleOf(key);
    return role && { type: role === 'anon' ? 'publishable' : 'secret', claims: { role } };
  }

  async #verify(token: string) {
    try {
      return (await jwtVerify(token, this.#jwtSecret, { algorithms: ['HS256'] })).payload;
    } catch {
      return undefined;
    }
  }

  async #mint(): Promise<Record<KeyRole, string>> {
    const sign = (role: KeyRole) =>
      new SignJWT({ iss: 'supabase', ref: 'local', role })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(this.#jwtSecret);
    return { anon: await sign('anon'), service_role: await sign('service_role') };
  }
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
