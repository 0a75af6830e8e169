// Goes into the bundle of every web pack: it knows nothing but its context and its files, and imports nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PackContext, WebFile, WebPack } from '@stark-o/core';

type Modules = { http: typeof import('node:http'); zlib: typeof import('node:zlib') };

/** Serves the site over HTTP until the pod should end. In a browser, where nothing can listen, its node shows `web.page`. */
export async function runWebPack(ctx: PackContext, web: WebPack): Promise<void> {
  const modules = nodeModules();
  const close = modules === undefined ? async () => {} : await serve(ctx, web, modules);
  ctx.ready();
  if (!ctx.signal.aborted) await new Promise((done) => ctx.signal.addEventListener('abort', done, { once: true }));
  await close();
}

// Asked for at run time, so that the same bundle is good where there are none.
function nodeModules(): Modules | undefined {
  const get = globalThis.process?.getBuiltinModule;
  if (get === undefined) return undefined;
  return { http: get('node:http'), zlib: get('node:zlib') };
}

async function serve(ctx: PackContext, web: WebPack, { http, zlib }: Modules): Promise<() => Promise<void>> {
  const port = ctx.ports.http ?? Object.values(ctx.ports)[0];
  if (port === undefined) throw new Error('a website needs a port to serve on: stark pod create --port http');
  const site = new Map(Object.entries(web.files));
  // A registered version never changes, so neither does what one of its paths answers.
  const etag = `"${ctx.pack.name}@${ctx.pack.version}"`;
  const server = http.createServer((request, response) => {
    response.setHeader('x-content-type-options', 'nosniff');
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'only GET and HEAD');
    const found = find(site, web.index, request);
    if (found === undefined) return refuse(response, 404, 'there is nothing here');
    const { file, status } = found;
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('etag', etag);
    response.setHeader('vary', 'accept-encoding');
    if (status === 200 && request.headers['if-none-match'] === etag) return response.writeHead(304).end();
    const stored = Buffer.from(file.base64, 'base64');
    const asStored = file.gzip !== true || /\bgzip\b/.test(String(request.headers['accept-encoding']));
    const body = asStored ? stored : zlib.gunzipSync(stored);
    if (file.gzip && asStored) response.setHeader('content-encoding', 'gzip');
    return response.writeHead(status, { 'content-type': file.type, 'content-length': body.length }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ctx.env.HOST ?? '127.0.0.1', resolve);
  });
  ctx.log.info(`serving ${site.size} files on port ${port}`);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

// As static hosts do: the file, the page of a folder, and for other pages the site's own router or its page for errors.
function find(
  site: ReadonlyMap<string, WebFile>,
  index: string,
  request: IncomingMessage,
): { file: WebFile; status: number } | undefined {
  let path: string;
  try {
    path = decodeURIComponent((request.url ?? '/').split(/[?#]/, 1)[0] ?? '').replace(/^\/+|\/+$/g, '');
  } catch {
    return undefined;
  }
  const names = path === '' ? [index] : [path, `${path}/index.html`, `${path}.html`];
  for (const name of names) {
    const file = site.get(name);
    if (file !== undefined) return { file, status: 200 };
  }
  const isPage = !/\.[^/]+$/.test(path) && String(request.headers.accept ?? '*/*').match(/text\/html|\*\/\*/);
  const fallback = isPage ? (site.get('200.html') ?? site.get(index)) : undefined;
  if (fallback !== undefined) return { file: fallback, status: 200 };
  const missing = site.get('404.html');
  return missing && { file: missing, status: 404 };
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`);
}
