import { request } from 'node:http';

/** Asks a server on this machine; redirects are an answer like any other, and nothing is read beyond the status. */
export function httpGet(port: number, path: string, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    // A connection of its own, closed at once: a kept one would hold up a pod that waits for its last connection to end.
    const asked = request({ host: '127.0.0.1', port, path, agent: false, headers: { 'user-agent': 'stark-probe' } });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    asked.once('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    asked.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ECONNREFUSED' ? new Error('nobody listens') : error),
    );
    asked.once('close', () => clearTimeout(timer));
    asked.end();
  });
}
