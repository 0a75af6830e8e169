import { paint, say } from '../base/terminal.js';

/** A fetch that says on stderr what was asked, how long it took and under which id; tokens are masked. */
export function debugFetch(inner: typeof fetch = fetch, log: (line: string) => void = sayDim): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const began = performance.now();
    const what = `${request.method} ${nameOf(new URL(request.url))}`;
    const about = [
      `correlation_id=${request.headers.get('x-correlation-id') ?? '-'}`,
      `authorization=${mask(request.headers.get('authorization'))}`,
    ];
    try {
      const response = await inner(input, init);
      const served = response.headers.get('x-request-id') ?? response.headers.get('sb-request-id');
      if (served !== null) about.unshift(`request_id=${served}`);
      log(`debug: ${what} ${response.status} ${Math.round(performance.now() - began)}ms ${about.join(' ')}`);
      return response;
    } catch (error) {
      log(`debug: ${what} failed ${Math.round(performance.now() - began)}ms ${about.join(' ')}`);
      throw error;
    }
  };
}

/** The few letters of a secret that tell two apart and give neither away. */
export function mask(secret: string | null | undefined): string {
  if (!secret) return '-';
  const bare = secret.replace(/^Bearer /, '');
  return bare.length <= 12 ? '***' : `${bare.slice(0, bare.startsWith('sb_') ? 12 : 4)}***`;
}

// Queries may hold e-mail addresses or names; the function or table is what a person looks for.
function nameOf(url: URL): string {
  const rpc = /\/rest\/v1\/rpc\/([^/]+)$/.exec(url.pathname);
  return rpc === null ? url.pathname : `function ${rpc[1]}`;
}

const sayDim = (line: string) => say(paint(process.stderr, 'dim', line));
