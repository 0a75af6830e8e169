import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { PackContext, WebPack } from '@stark-o/core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Machine, packageRoot, temporaryFolder } from './support/run.js';

const machine = new Machine();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const page = (head: string, body = '') =>
  `<!doctype html><html><head><meta charset="utf-8">${head}</head><body>${body}</body></html>`;

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

type Site = { web: WebPack; default: (ctx: PackContext) => Promise<void> };

async function bundled(folder: string, ...flags: string[]): Promise<Site> {
  const out = join(temporaryFolder(), 'site.mjs');
  const result = await machine.run(['pack', 'bundle', folder, '--out', out, ...flags]);
  expect(result.code, result.stderr).toBe(0);
  return import(pathToFileURL(out).href);
}

async function refused(folder: string, ...flags: string[]): Promise<string> {
  const result = await machine.run(['pack', 'bundle', folder, '--runtime', 'isomorphic', ...flags]);
  expect(result, result.stderr).toMatchObject({ code: 2, stdout: '' });
  return result.stderr;
}

/** Runs the site and asks for paths with the raw client of Node.js, which decodes nothing. */
async function served(site: Site): Promise<(path: string, headers?: object, method?: string) => Promise<Answer>> {
  const abort = new AbortController();
  const port = await freePort();
  let ready = () => {};
  const isReady = new Promise<void>((resolve) => {
    ready = resolve;
  });
  const running = site.default({
    ports: { http: port },
    env: {},
    pack: { name: 'site', version: '1.0.0' },
    log: { info() {} },
    signal: abort.signal,
    ready,
  } as unknown as PackContext);
  await Promise.race([isReady, running]);
  ends.push(async () => {
    abort.abort();
    await running;
  });
  return (path, headers = {}, method = 'GET') =>
    new Promise((resolve, reject) => {
      const asking = request({ port, path, method, headers: { ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      asking.once('error', reject).end();
    });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

describe('a website as a pack', () => {
  const files = {
    'index.html': page('<title>home</title>'),
    'about/index.html': 'about us',
    'price.html': 'prices',
    '404.html': 'lost',
    'assets/app.js': `/* ${'long '.repeat(100)} */`,
    'assets/app.js.map': '{}',
    'assets/dot.png': 'not really a picture',
    'with space.txt': 'space',
  };

  let site: Site;
  beforeAll(async () => {
    site = await bundled(folderWith(files));
  });

  it('serves its files as static hosts do', async () => {
    expect(Object.keys(site.web.files)).not.toContain('assets/app.js.map');
    expect(site.web.page).toBeUndefined();
    const get = await served(site);
    const text = async (path: string) => String((await get(path)).body);
    expect(await get('/')).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(await text('/about')).toBe('about us');
    expect(await text('/about/')).toBe('about us');
    expect(await text('/price?x=1')).toBe('prices');
    expect(await text('/with%20space.txt')).toBe('space');
    expect((await get('/assets/dot.png')).headers['content-type']).toBe('image/png');
    // A page that only the site's own router knows, and things that nobody knows.
    expect(await text('/users/7')).toContain('<title>home</title>');
    expect(await get('/assets/nothing.js')).toMatchObject({ status: 404, body: Buffer.from('lost') });
    for (const path of ['/__proto__.js', '/constructor.js', '/../../etc/passwd.txt', '/%2e%2e/%2e%2e/x.txt'])
      expect((await get(path)).status, path).toBe(404);
    expect((await get('/%')).status).toBe(404);
    expect((await get('/', {}, 'POST')).status).toBe(405);
    expect(await get('/price', {}, 'HEAD')).toMatchObject({ status: 200, headers: { 'content-length': '6' } });
  });

  it('sends what is packed as it is to clients that can unpack it, and nothing twice', async () => {
    const get = await served(site);
    const packed = await get('/assets/app.js', { 'accept-encoding': 'gzip' });
    expect(packed.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(String(gunzipSync(packed.body))).toBe(files['assets/app.js']);
    const plain = await get('/assets/app.js');
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(String(plain.body)).toBe(files['assets/app.js']);
    const again = await get('/assets/app.js', { 'if-none-match': String(plain.headers.etag) });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  it('needs a port', async () => {
    await expect(site.default({ ports: {} } as PackContext)).rejects.toThrow('stark pod create --port http');
  });

  it('gives the same bytes for the same files', async () => {
    const sums = [];
    for (let time = 0; time < 2; time++) {
      const { stdout } = await machine.run(['pack', 'bundle', folderWith(files), '--json']);
      sums.push(JSON.parse(stdout).sha256);
    }
    expect(sums[0]).toBe(sums[1]);
  });

  it('is a pack of its folder’s name and version, written beside a folder of files and never into it', async () => {
    const folder = folderWith({ 'package.json': '{"name":"site","version":"2.0.0"}', 'public/index.html': page('') });
    const { stdout } = await machine.run(['pack', 'bundle', join(folder, 'public'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'site', version: '2.0.0', path: join(folder, 'pack.js') });
  });
});

describe('one page for a frame without an origin', () => {
  it('has its scripts, styles and pictures inside', async () => {
    const site = await bundled(
      folderWith({
        'index.html': page(
          '<link rel="icon" href="/dot.svg"><link rel="stylesheet" href="./a.css" media="print"><link rel="modulepreload" href="/m.js">' +
            '<script defer src="late.js"></script><script type="module" crossorigin src="/m.js"></script>',
          '<img src="dot.svg"><img src="https://example.com/far.png"><a href="/about">about</a>',
        ),
        'a.css': 'p { color: red }',
        'm.js': 'document.title = "</script><!--";',
        'late.js': 'late()',
        'dot.svg': '<svg/>',
      }),
      '--runtime',
      'universal',
    );
    const text = String(site.web.page);
    const dot = `data:image/svg+xml;charset=utf-8;base64,${Buffer.from('<svg/>').toString('base64')}`;
    expect(text).toContain('<head><base href="about:srcdoc"><meta charset="utf-8">');
    expect(text).toContain(`<link rel="icon" href="${dot}">`);
    expect(text).toContain('<style media="print">p { color: red }</style>');
    expect(text).toContain('<script type="module">document.title = "\\x3C/script>\\x3C!--";</script>');
    expect(text).toContain(`<img src="${dot}"><img src="https://example.com/far.png"><a href="/about">`);
    expect(text).toMatch(/<script defer="">late\(\)<\/script><\/body>/);
    expect(text).not.toContain('modulepreload');
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'a script in two files',
      { 'index.html': page('<script type="module" src="/a.js"></script>'), 'a.js': 'import("./b.js")', 'b.js': '' },
      /not one page: a\.js fetches b\.js[\s\S]*bundle the scripts into one file; or --runtime node/,
    ],
    [
      'a picture beside its style',
      {
        'index.html': page('<link rel="stylesheet" href="a.css">'),
        'a.css': 'p{background:url(dot.png)}',
        'dot.png': '',
      },
      /a\.css fetches dot\.png/,
    ],
    [
      'a page that a server rendered',
      { 'index.html': page('', '<script type="application/json" data-ssr="true" id="__NUXT_DATA__">[]</script>') },
      /index\.html was rendered on a server/,
    ],
  ])('refuses %s', async (_, files, message) => {
    expect(await refused(folderWith(files))).toMatch(message);
  });
});

describe('a project with a tool of its own', () => {
  it('is refused while the tool is not installed, with the way to do it', async () => {
    const nuxt = folderWith({
      'package.json': '{"name":"n","version":"1.0.0"}',
      'nuxt.config.ts': '',
      'pnpm-lock.yaml': '',
    });
    expect(await refused(nuxt)).toMatch(
      /is a nuxt project, and nuxt is not installed there[\s\S]*cd \S+ && pnpm install/,
    );
    const vite = folderWith({ 'index.html': page(''), 'vite.config.ts': '' });
    expect(await refused(vite)).toMatch(/vite is not installed there[\s\S]*npm install/);
  });

  it('shows what the tool said when it fails', async () => {
    const folder = folderWith({
      'index.html': page('<script type="module" src="/no.js"></script>'),
      'vite.config.js': '',
    });
    symlinkSync(join(packageRoot, '..', 'node_modules'), join(folder, 'node_modules'));
    expect(await refused(folder)).toMatch(/vite build failed in[\s\S]*no\.js[\s\S]*npx vite build/);
  });

  it('with an entry of its own is no website', async () => {
    const folder = folderWith({
      'package.json': '{"name":"n","version":"1.0.0","stark":{"entry":"pack.js"}}',
      'index.html': page(''),
      'pack.js': 'export default () => {};',
    });
    await machine.run(['pack', 'bundle', folder]);
    expect(readFileSync(join(folder, 'dist', 'pack.js'), 'utf8')).not.toContain('runWebPack');
  });
});
