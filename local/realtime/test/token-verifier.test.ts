import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { TokenRefused, TokenVerifier } from '../src/authorization/token.js';
import { FakeClock } from './support/clock.js';
import { jwtSecret, signToken } from './support/tokens.js';

const clock = new FakeClock();
const now = () => Math.floor(clock.now() / 1_000);
const verifier = new TokenVerifier(jwtSecret, null, clock);

const faultOf = (token: Promise<unknown>) =>
  token.then(
    () => null,
    (error: unknown) => (error instanceof TokenRefused ? [error.fault, error.message] : error),
  );

describe('a token', () => {
  it('gives its claims, whole numbers for exp and iat', async () => {
    const token = await signToken({ sub: 'x', exp: now() + 10.4, iat: now() - 0.6 });
    expect(await verifier.verify(token)).toEqual({ role: 'authenticated', sub: 'x', exp: now() + 10, iat: now() - 1 });
  });

  it('may be percent-encoded and broken into lines', async () => {
    const token = await signToken({ exp: now() + 10 });
    expect(await verifier.verify(`${token.slice(0, 20)}%0A ${token.slice(20)}\n`)).toMatchObject({
      role: 'authenticated',
    });
  });

  it('expires at its second, though it was verified before', async () => {
    const own = new FakeClock();
    const short = new TokenVerifier(jwtSecret, null, own);
    const token = await signToken({ exp: Math.floor(own.now() / 1_000) + 10 });
    own.advance(9_999);
    await short.verify(token);
    own.advance(1);
    expect(await faultOf(short.verify(token))).toEqual(['expired', 'Token has expired 0 seconds ago']);
  });

  it.each([
    ['expired', { exp: 1 }, 'expired'],
    ['with a text for exp', { exp: 'soon' }, 'invalid'],
    ['with a text for iat', { iat: 'then' }, 'invalid'],
    ['without exp', { exp: undefined }, 'missing-claims'],
    ['without role', { role: undefined }, 'missing-claims'],
  ])('%s is refused', async (_name, claims, fault) => {
    const token = await signToken({ exp: now() + 10, ...(claims as object) });
    expect((await faultOf(verifier.verify(token)))?.[0 as never]).toBe(fault);
  });

  it.each([
    ['nonsense', 'malformed'],
    ['a.b.c', 'malformed'],
    ['%', 'malformed'],
  ])('%s is refused', async (token, fault) => {
    expect((await faultOf(verifier.verify(token)))?.[0 as never]).toBe(fault);
  });

  it('without a signature is refused', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ role: 'service_role', exp: now() + 10 })}.`;
    expect((await faultOf(verifier.verify(token)))?.[0 as never]).toBe('signer');
  });

  it('that was changed is refused, even after the true one was seen', async () => {
    const token = await signToken({ exp: now() + 10 });
    await verifier.verify(token);
    const [header, , signature] = token.split('.');
    const claims = Buffer.from(JSON.stringify({ role: 'service_role', exp: now() + 10 })).toString('base64url');
    expect(await faultOf(verifier.verify(`${header}.${claims}.${signature}`))).toEqual([
      'signature',
      'Failed to validate JWT signature',
    ]);
  });
});

describe('keys by kid', () => {
  it.each(['RS256', 'ES256', 'EdDSA'])('verify %s', async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'k1' };
    const own = new TokenVerifier(jwtSecret, { keys: [jwk] }, clock);
    const sign = (kid: string) =>
      new SignJWT({ role: 'anon', exp: now() + 10 }).setProtectedHeader({ alg, kid }).sign(privateKey);
    expect(await own.verify(await sign('k1'))).toMatchObject({ role: 'anon' });
    expect(await faultOf(own.verify(await sign('k2')))).toEqual([
      'signer',
      'Failed to generate JWT signer for key ID (kid) "k2", check your JWT secret or JWKS configuration',
    ]);
  });

  it('of type oct stand for the secret, and the secret for a kid that is unknown', async () => {
    const other = 'another-secret-of-thirty-two-characters';
    const jwk = { kty: 'oct', kid: 'k1', k: Buffer.from(other).toString('base64url') };
    const own = new TokenVerifier(jwtSecret, { keys: [jwk] }, clock);
    const sign = (kid: string, secret: string) =>
      new SignJWT({ role: 'anon', exp: now() + 10 })
        .setProtectedHeader({ alg: 'HS256', kid })
        .sign(new TextEncoder().encode(secret));
    expect(await own.verify(await sign('k1', other))).toMatchObject({ role: 'anon' });
    expect(await own.verify(await sign('k2', jwtSecret))).toMatchObject({ role: 'anon' });
    expect((await faultOf(own.verify(await sign('k1', jwtSecret))))?.[0 as never]).toBe('signature');
  });
});
