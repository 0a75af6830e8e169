import { SignJWT } from 'jose';

export const jwtSecret = 'a-secret-of-at-least-thirty-two-characters';

/** A token as Supabase Auth would issue it. */
export function signToken(claims: Record<string, unknown> = {}, secret = jwtSecret): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  const payload = Object.fromEntries(
    Object.entries({ role: 'authenticated', exp, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
}
