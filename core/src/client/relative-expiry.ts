/**
 * Wraps fetch so that sessions end by the clock of this machine. Auth tells when a token ends by its own clock, and for how long
 * it lives; auth-js prefers the former, and on a machine whose clock is an hour ahead it would renew every token at every use.
 */
export function relativeExpiryFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
    if (!response.ok || !/\/auth\/v1\/(token|signup|verify)\b/.test(url)) return response;
    const text = await response.text();
    const { status, statusText, headers } = response;
    return new Response(withoutMoment(text), { status, statusText, headers });
  };
}

function withoutMoment(text: string): string {
  try {
    const { expires_at, ...session } = JSON.parse(text) as { expires_at?: number };
    return JSON.stringify(session);
  } catch {
    return text;
  }
}
