/**
 * Wraps fetch so that auth-js stays silent when the cluster does not answer: it prints the whole failure to the console
 * before it returns it. A 503 whose message is the reason takes the same way through auth-js, without the print.
 */
export function quietAuthFetch(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    try {
      return await inner(input, init);
    } catch (error) {
      const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
      if (!url.includes('/auth/v1/') || (error as Error).name === 'AbortError') throw error;
      return Object.assign(new Response(null, { status: 503 }), { message: reasonOf(error) });
    }
  };
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as { cause?: { code?: string; message?: string }; message?: string };
  return cause?.code ?? cause?.message ?? message ?? 'network failure';
}
