import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PodBench, podBench } from '../../agent/test/support/pod-bench.js';
import { bundlePack } from '../src/bundle/bundle.js';
import { temporaryFolder } from './support/run.js';

let bench: PodBench;
beforeAll(async () => {
  bench = await podBench();
});
afterAll(() => bench.close());

function project(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Bundles a project and runs it as a pod, far from its folder; gives what it printed, and the names in its archive. */
async function run(
  files: Record<string, string>,
  entry: string,
  named: string[] = [],
  isolation?: 'process' | 'worker',
) {
  const root = project(files);
  const made = await bundlePack(join(root, entry), 'node', { minify: false, root, assets: named });
  const names = made.assets === undefined ? [] : Object.keys(unzipSync(made.assets));
  const pod = await bench.run(made.code, { spec: { isolation: isolation ?? 'process' } }, {}, made.assets);
  const { exitCode } = await pod.outcome();
  return { text: pod.text(), names, exitCode };
}

const page = { 'src/page.tmpl': '<h1>page</h1>' };
const show = (path: string) => `console.log(readFileSync(${path}, 'utf8'))`;

describe('a file that a module reads', () => {
  it.each<[string, string, string]>([
    [
      'new URL with import.meta.url',
      'src/a.mjs',
      `import { readFileSync } from 'node:fs'; const url = new URL('./page.tmpl', import.meta.url); export default () => ${show('url')};`,
    ],
    [
      '__dirname, in CommonJS',
      'src/a.cjs',
      `'use strict'; const { readFileSync } = require('fs'); module.exports = () => ${show("require('path').join(__dirname, 'page.tmpl')")};`,
    ],
    [
      '__dirname and plus',
      'src/a.cjs',
      `const { readFileSync } = require('fs'); module.exports = () => ${show("__dirname + '/page.tmpl'")};`,
    ],
    [
      '__filename',
      'src/a.cjs',
      `const { readFileSync } = require('fs'); const p = require('path'); module.exports = () => ${show("p.resolve(p.dirname(__filename), 'page.tmpl')")};`,
    ],
    [
      'a __dirname of its own',
      'src/a.mjs',
      `import { readFileSync } from 'node:fs'; import { dirname, join } from 'node:path'; import { fileURLToPath } from 'node:url'; const __dirname = dirname(fileURLToPath(import.meta.url)); export default () => ${show("join(__dirname, 'page.tmpl')")};`,
    ],
    [
      'import.meta.dirname',
      'src/a.mjs',
      `import { readFileSync } from 'node:fs'; import { join } from 'node:path'; export default () => ${show("join(import.meta.dirname, 'page.tmpl')")};`,
    ],
    [
      'a name that is made at run time',
      'src/a.cjs',
      `const { readFileSync } = require('fs'); const p = require('path'); module.exports = () => { const name = 'pa' + process.env.STARK_NONE ?? ''; ${show("p.join(__dirname, 'data', ['page', 'tmpl'].join('.'))")}; };`,
    ],
    [
      'TypeScript',
      'src/a.ts',
      `import { readFileSync } from 'node:fs'; const url: URL = new URL('page.tmpl', import.meta.url); export default (): void => ${show('url')};`,
    ],
    [
      'import.meta.resolve',
      'src/a.mjs',
      `import { readFileSync } from 'node:fs'; export default () => ${show("new URL(import.meta.resolve('./page.tmpl'))")};`,
    ],
    [
      'require.resolve',
      'src/a.cjs',
      `const { readFileSync } = require('fs'); module.exports = () => ${show("require.resolve('./page.tmpl')")};`,
    ],
    [
      'require.resolve, of a package',
      'src/a.cjs',
      `const { readFileSync } = require('fs'); module.exports = () => ${show("require.resolve('pages/page.tmpl')")};`,
    ],
    [
      'a path with a place to fill in',
      'src/a.mjs',
      `import { readFileSync } from 'node:fs'; import { join } from 'node:path'; const path = join(import.meta.dirname, 'pages/{{language}}/page.tmpl'); export default () => ${show("path.replace('{{language}}', 'de')")};`,
    ],
    [
      'the folder it is in',
      'src/a.mjs',
      `import { readFileSync, readdirSync } from 'node:fs'; const folder = new URL('./data/', import.meta.url); export default () => ${show('new URL(readdirSync(folder)[0], folder)')};`,
    ],
    [
      'require with a name that begins and ends as written',
      'src/a.cjs',
      `module.exports = () => { const name = "text"; console.log(require(\`./\${name}.json\`).text); };`,
    ],
    [
      'require with a name that only begins as written',
      'src/a.cjs',
      `module.exports = () => { const [a, b] = ["one", "two.js"]; console.log(require("./parts/" + a) + require(\`./parts/\${b}\`)); };`,
    ],
    [
      'another word for require',
      'src/a.cjs',
      'module.exports = () => { const ask = require; const a = "one"; console.log(ask("./parts/" + a) + ask("./parts/" + a).replace(/.*/, "page</h1>")); };',
    ],
    [
      'a require of its own',
      'src/a.mjs',
      `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const { text } = require('./text.json'); export default () => console.log(text);`,
    ],
  ])('travels with the bundle: %s', async (_what, entry, source) => {
    const files = {
      ...page,
      'src/data/page.tmpl': '<h1>page</h1>',
      'src/text.json': '{"text":"<h1>page</h1>"}',
      'src/pages/de/page.tmpl': '<h1>page</h1>',
      'src/parts/one.cjs': 'module.exports = "<h1>";',
      'src/parts/two.js': 'module.exports = "page</h1>";',
      'src/parts/README.md': '# parts',
      'node_modules/pages/package.json': '{"name":"pages","version":"1.0.0"}',
      'node_modules/pages/page.tmpl': '<h1>page</h1>',
      [entry]: source,
    };
    const { text, exitCode } = await run(files, entry);
    expect({ text, exitCode }).toEqual({ text: '<h1>page</h1>', exitCode: 0 });
  });

  it('travels with a package, too, at the place that its code asks for', async () => {
    const { text, names } = await run(
      {
        'pack.mjs': 'import lib from "lib"; export default () => console.log(lib());',
        'node_modules/lib/package.json': '{"name":"lib","version":"1.2.3","main":"dist/index.js"}',
        'node_modules/lib/dist/index.js': `const fs = require("fs"), path = require("path");
          const version = JSON.parse(fs.readFileSync(path.join(__dirname, "../package.json"), "utf8")).version;
          module.exports = () => version + fs.readFileSync(path.join(__dirname, "../fonts/a.afm"), "utf8");`,
        'node_modules/lib/fonts/a.afm': ' font',
      },
      'pack.mjs',
    );
    expect(text).toBe('1.2.3 font');
    expect(names.sort()).toEqual(['node_modules/lib/fonts/a.afm', 'node_modules/lib/package.json']);
  });

  it('travels where a package hands out its own folder', async () => {
    const { text, names } = await run(
      {
        'pack.mjs':
          'import { readFileSync } from "node:fs"; import folder from "ui"; export default () => console.log(readFileSync(folder() + "/index.css", "utf8"));',
        'node_modules/ui/package.json': '{"name":"ui","version":"1.2.3","main":"index.js"}',
        'node_modules/ui/index.js': 'module.exports = function () { return require("path").resolve(__dirname) };',
        'node_modules/ui/index.css': 'body {}',
        'node_modules/ui/index.css.map': '{}',
      },
      'pack.mjs',
    );
    expect(text).toBe('body {}');
    expect(names).not.toContain('node_modules/ui/index.css.map');
  });

  it('may be a script, or a file that the code only names', async () => {
    const { text } = await run(
      {
        'pack.mjs': 'import lib from "lib"; export default () => console.log(lib("client.js"));',
        'node_modules/lib/package.json': '{"name":"lib","version":"1.2.3","main":"dist/index.js"}',
        'node_modules/lib/dist/index.js': `const fs = require("fs"), path = require("path");
          const place = (name) => __dirname + "/" + name;
          module.exports = (name) => fs.readFileSync(path.join(__dirname, "../client", name), "utf8") + fs.readFileSync(place("lib.wasm"), "utf8");`,
        'node_modules/lib/client/client.js': 'in the browser',
        'node_modules/lib/dist/lib.wasm': ' compiled',
      },
      'pack.mjs',
    );
    expect(text).toBe('in the browser compiled');
  });

  it('may be missing, and its place has words all the same', async () => {
    const source = `const { existsSync } = require('fs'); const { join, basename } = require('path');
      module.exports = () => console.log(existsSync(join(__dirname, 'extra.json')), basename(__filename));`;
    const { text, names } = await run({ 'dirname.cjs': source }, 'dirname.cjs');
    expect([text, names]).toEqual(['false dirname.cjs', []]);
  });

  it.each(['process', 'worker'] as const)(
    'is in ctx.assets where package.json names it, and cannot be written: %s',
    async (isolation) => {
      const source = `import { readFileSync, writeFileSync, readdirSync } from 'node:fs'; import { join } from 'node:path';
      export default (ctx) => {
        console.log(readdirSync(join(ctx.assets, 'views')).join(), readFileSync(join(ctx.assets, 'views/a.html'), 'utf8'));
        for (const path of ['views/a.html', 'new']) try { writeFileSync(join(ctx.assets, path), 'x'); } catch (error) { console.log(error.code); }
      };`;
      const { text, names } = await run(
        { 'views/a.html': 'A', 'views/b.html': 'B', 'pack.mjs': source },
        'pack.mjs',
        ['views'],
        isolation,
      );
      expect(names).toEqual(['views/a.html', 'views/b.html']);
      expect(text).toBe('a.html,b.html A\nERR_ACCESS_DENIED\nERR_ACCESS_DENIED');
    },
  );

  it('gives the same archive for the same files', async () => {
    const make = async () => {
      const root = project({
        ...page,
        'src/a.cjs': 'module.exports = () => require("fs").readFileSync(__dirname + "/page.tmpl");',
      });
      return (await bundlePack(join(root, 'src/a.cjs'), 'node', { minify: false, root })).assets;
    };
    expect(await make()).toEqual(await make());
  });

  it('is refused where all together unpack to too much, however small their archive', async () => {
    const root = project({ 'pack.mjs': 'export default () => {};', big: '' });
    writeFileSync(join(root, 'big'), Buffer.alloc(51 * 1024 * 1024));
    await expect(
      bundlePack(join(root, 'pack.mjs'), 'node', { minify: false, root, assets: ['big'] }),
    ).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE', message: expect.stringContaining('51.0 MB with its assets') });
  });

  it('is refused where it is named and not there, and where all is too large', async () => {
    const root = project({ 'pack.mjs': 'export default () => {};' });
    const make = () => bundlePack(join(root, 'pack.mjs'), 'node', { minify: false, root, assets: ['big'] });
    await expect(make()).rejects.toMatchObject({ message: expect.stringContaining('names big among stark.assets') });
    const noise = Buffer.alloc(51 * 1024 * 1024);
    crypto.getRandomValues(noise.subarray(0, 65_536));
    for (let at = 65_536; at < noise.length; at += 65_536)
      crypto.getRandomValues(noise.subarray(at, Math.min(at + 65_536, noise.length)));
    writeFileSync(join(root, 'big'), noise);
    await expect(make()).rejects.toMatchObject({
      code: 'BUNDLE_TOO_LARGE',
      message: expect.stringContaining('with its assets'),
    });
  });

  it('has an address in a pack for browsers', async () => {
    const root = project({
      'pack.mjs': 'export const url = new URL("./logo.bin", import.meta.url); export default () => url.href;',
      'logo.bin': 'logo',
    });
    const made = await bundlePack(join(root, 'pack.mjs'), 'isomorphic', { minify: false, root });
    const out = join(root, 'out.mjs');
    writeFileSync(out, made.code);
    Object.defineProperty(globalThis, Symbol.for('stark.assets'), {
      value: { url: (name: string) => `blob:${name}` },
      configurable: true,
    });
    try {
      expect((await import(out)).default()).toBe('blob:logo.bin');
    } finally {
      Reflect.deleteProperty(globalThis, Symbol.for('stark.assets'));
    }
    expect(Object.keys(unzipSync(made.assets as Uint8Array))).toEqual(['logo.bin']);
    expect(readFileSync(out, 'utf8')).not.toContain('node:');
  });
});
