// Serves the page and the agent's one file; any static host does as well.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const agent = new URL(import.meta.resolve('@stark-o/agent/browser'));
const files = {
  '/': { file: new URL('index.html', import.meta.url), type: 'text/html; charset=utf-8' },
  '/page.css': { file: new URL('page.css', import.meta.url), type: 'text/css' },
  '/page.js': { file: new URL('page.js', import.meta.url), type: 'text/javascript' },
  '/stark-agent.js': { file: agent, type: 'text/javascript' },
};

/** What a page with a content security policy has to allow for the agent, and nothing beyond it. */
const policy = [
  "default-src 'self'",
  'connect-src *',
  'worker-src blob: data:',
  "script-src 'self' 'unsafe-inline' blob: data:",
  "style-src 'self' 'unsafe-inline'",
  'img-src * data:',
  "frame-src 'self'",
].join('; ');

/** Starts the server; gives its address and the way to end it. */
export async function serve({ port = 0, host = '127.0.0.1' } = {}) {
  const server = createServer(async (request, response) => {
    const found = files[new URL(request.url, 'http://localhost').pathname];
    if (found === undefined) return response.writeHead(404).end('there is nothing here\n');
    const headers = { 'content-type': found.type, 'cache-control': 'no-cache', 'content-security-policy': policy };
    return response.writeHead(200, headers).end(await readFile(found.file));
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    url: `http://${host}:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve({ port: Number(process.env.PORT ?? 8080) });
  console.log(`open ${url}`);
}
