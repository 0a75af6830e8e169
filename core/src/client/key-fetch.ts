/**
 * Wraps fetch so that a key of the new kind travels as `apikey` only. supabase-js repeats the key as bearer token where
 * nobody is signed in; such a key is no JWT, and the platform bears it there only while both headers are the same.
 */
export function keyOnceFetch(key: string, inner: typeof fetch): typeof fetch {
  if (!key.startsWith('sb_')) return inner;
  return (input, init) => {
    const headers = new Headers(init?.headers);
    if (headers.get('authorization') !== `Bearer ${key}`) return inner(input, init);
    headers.delete('authorization');
    return inner(input, { ...init, headers });
  };
}
