import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundlePack, checkBundle, sha256 } from '../src/bundle/bundle.js';
import { manifestIn } from '../src/bundle/manifest.js';
import { FakeCluster } from './support/fake-cluster.js';
import { versionRow } from './support/rows.js';
import { Machine, temporaryFolder } from './support/run.js';

const good = 'export default async (ctx) => { ctx.log.info("hello"); };';

function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe('pack bundle', () => {
  const machine = new Machine();

  it('makes one ESM file of a folder, with its source map aside', async () => {
    const folder = folderWith({
      'package.json': JSON.stringify({
        name: 'demo',
        version: '1.2.3',
        description: 'says\u2028hi',
        stark: { entry: 'pack.ts', runtime: 'isomorphic', ports: ['http'] },
      }),
      'pack.ts':
        'import { hi } from "./lib/hi.js"; import page from "./page.html"; export default (): string => hi + page;',
      'lib/hi.ts': 'export const hi: string = "hi";',
      'page.html': '<p>page</p>',
    });
    const { code, stdout, stderr } = await machine.run(['pack', 'bundle', folder, '--json']);
    expect(code, stderr).toBe(0);
    const path = join(folder, 'dist', 'pack.js');
    const bytes = readFileSync(path);
    expect(JSON.parse(stdout)).toEqual({
      name: 'demo',
      version: '1.2.3',
      runtime: 'isomorphic',
      ports: ['http'],
      path,
      size_bytes: bytes.byteLength,
      sha256: sha256(bytes),
    });
    expect(bytes.toString()).toContain('<p>page</p>');
    expect(bytes.toString()).not.toContain('sourceMappingURL');
    expect(JSON.parse(readFileSync(`${path}.map`, 'utf8')).sources.join()).toContain('hi.ts');
    expect((await import(path)).default()).toBe('hi<p>page</p>');
    expect(await manifestIn(path, bytes)).toEqual({
      ...{ name: 'demo', version: '1.2.3', description: 'says\u2028hi', runtime: 'isomorphic' },
      ...{ ports: [{ name: 'http' }], entry: 'default' },
    });
  });

  it('gives the same bytes for the same source', async () => {
    const entry = join(folderWith({ 'a.ts': good }), 'a.ts');
    const [first, second] = [
      await bundlePack(entry, 'node', { minify: true }),
      await bundlePack(entry, 'node', { minify: true }),
    ];
    expect(first.sha256).toBe(second.sha256);
  });

  it('lets CommonJS packages ask for Node.js modules', async () => {
    const folder = folderWith({
      'a.mjs': 'import old from "old"; export default () => old();',
      'node_modules/old/package.json': '{"name":"old","main":"index.js"}',
      'node_modules/old/index.js': 'module.exports = () => require("path").basename("/x/y.z");',
    });
    const { code } = await bundlePack(join(folder, 'a.mjs'), 'node', { minify: false });
    const out = join(folder, 'out.mjs');
    writeFileSync(out, code);
    expect((await import(out)).default()).toBe('y.z');
  });

  it('takes a polyfill of the project in place of a Node.js module', async () => {
    const folder = folderWith({
      'a.mjs': 'import events from "events"; export default () => events;',
      'node_modules/events/package.json': '{"name":"events","module":"e.js"}',
      'node_modules/events/e.js': 'export default "polyfill";',
    });
    await expect(bundlePack(join(folder, 'a.mjs'), 'browser', { minify: false })).resolves.toBeDefined();
  });

  const refused: [string, string, string[], RegExp, number][] = [
    ['no default export', 'export const a = 1;', [], /it has no default export/, 2],
    ['a syntax error, with its place', 'export default () => {', [], /pack\.ts:1:\d+: Unexpected end of file/, 2],
    [
      'an import that is not there',
      'import "./nowhere.js"; export default 1;',
      [],
      /Could not resolve "\.\/nowhere\.js"/,
      2,
    ],
    [
      'node:fs for a browser',
      'import "node:fs"; export default 1;',
      ['--runtime', 'browser'],
      /pack\.ts imports node:fs/,
      2,
    ],
    ['fs for both', 'import "fs"; export default 1;', ['--runtime', 'isomorphic'], /pack\.ts imports fs/, 2],
    [
      'fs for universal',
      'import "fs"; export default 1;',
      ['--runtime', 'universal'],
      /a pack for isomorphic cannot use Node\.js modules/,
      2,
    ],
  ];
  it.each(refused)('refuses %s', async (_, source, flags, message, code) => {
    const folder = folderWith({ 'pack.ts': source });
    const out = join(folder, 'out.js');
    const result = await machine.run(['pack', 'bundle', join(folder, 'pack.ts'), '--out', out, ...flags]);
    expect(result, result.stderr).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it.each<[string, Record<string, string>, RegExp, number]>([
    ['a folder without an entry', { 'README.md': '' }, /has no entry: none of src\/index\.ts/, 2],
    [
      'an entry that is not there',
      { 'package.json': '{"name":"a","version":"1.0.0","stark":{"entry":"x.ts"}}' },
      /names x\.ts as stark\.entry/,
      2,
    ],
    ['a broken package.json', { 'package.json': '{' }, /package\.json is not valid JSON/, 2],
  ])('refuses %s', async (_, files, message, code) => {
    const result = await machine.run(['pack', 'bundle', folderWith(files)]);
    expect(result, result.stderr).toMatchObject({ code });
    expect(result.stderr).toMatch(message);
  });

  it('refuses what does not exist', async () => {
    expect(await machine.run(['pack', 'bundle', 'nowhere'])).toMatchObject({ code: 6 });
  });
});

describe('a bundle that is no bundle', () => {
  const text = (source: string) => Buffer.from(source);
  it.each<[string, Buffer, 'node' | 'browser', RegExp]>([
    ['nothing', Buffer.alloc(0), 'node', /it is empty/],
    ['binary data', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1]), 'node', /it is not JavaScript but binary data/],
    ['half a file', text('export default () => { if ('), 'node', /a\.js:1:\d+/],
    ['CommonJS', text('module.exports = () => {};'), 'node', /it is CommonJS, not an ES module/],
    ['no default export', text('export const a = 1;'), 'node', /it has no default export/],
    ['an import of a package', text('import x from "lodash"; export default x;'), 'node', /it imports lodash/],
    ['an import of a file', text('import x from "./x.js"; export default x;'), 'node', /it imports \.\/x\.js/],
    ['a Node.js module in a browser', text('import "node:fs"; export default 1;'), 'browser', /runtime browser|cannot/],
    ['more than 50 MB', Buffer.alloc(50 * 1024 * 1024 + 1, ' '), 'node', /a bundle may have 50 MB/],
  ])('%s', async (_, bytes, runtime, message) => {
    await expect(checkBundle('a.js', bytes, runtime)).rejects.toMatchObject({
      message: expect.stringMatching(message),
      exitCode: 2,
    });
  });

  it('but Node.js modules are fine on Node.js', async () => {
    await checkBundle('a.js', text('import fs from "node:fs"; export default () => fs;'), 'node');
  });
});

describe('pack register', () => {
  const cluster = new FakeCluster();
  const machine = new Machine();
  const bundle = join(folderWith({ 'pack.js': good }), 'pack.js');
  const register = ['pack', 'register', bundle, '--name', 'demo', '--ver', '1.0.0', '--runtime', 'node'];
  const sum = sha256(readFileSync(bundle));
  let announced: Record<string, unknown>[];

  beforeAll(async () => {
    await cluster.start();
    await machine.signIn(cluster);
  });
  afterAll(() => cluster.stop());
  beforeEach(() => {
    announced = [];
    cluster.objects.clear();
    cluster.refuseUpload = undefined;
    cluster.tables.packs = [];
    cluster.tables.pack_versions = [];
    cluster.functions.register_pack_version = (args) => {
      announced.push(args);
      return { body: { pack_id: 'p', version_id: 'v', bucket: 'packs', path: 'p/v.js' } };
    };
    cluster.functions.finish_pack_version = () => ({ body: versionRow('demo', '1.0.0', { sha256: sum }) });
  });

  it('announces, uploads and finishes', async () => {
    const { code, stdout, stderr } = await machine.run([...register, '--visibility', 'public', '--json']);
    expect(code, stderr).toBe(0);
    expect(announced).toEqual([
      {
        p_name: 'demo',
        p_version: '1.0.0',
        p_runtime: 'node',
        p_entry: 'default',
        p_visibility: 'public',
        p_description: null,
        p_size_bytes: statSync(bundle).size,
        p_sha256: sum,
      },
    ]);
    expect(cluster.objects.get('packs/p/v.js')?.toString()).toBe(good);
    expect(JSON.parse(stdout)).toMatchObject({ pack_name: 'demo', state: 'ready', sha256: sum });
  });

  it('uploads the archive of assets beside the bundle, and knows it again', async () => {
    const source = `import { readFileSync } from 'node:fs';
      export default () => readFileSync(new URL('./page.tmpl', import.meta.url));`;
    const folder = folderWith({ 'pack.mjs': source, 'page.tmpl': 'page' });
    const out = join(folder, 'out.js');
    const made = await machine.run(['pack', 'bundle', join(folder, 'pack.mjs'), '--out', out, '--json']);
    expect(made.code, made.stderr).toBe(0);
    const { assets_path, assets_size_bytes, assets_sha256 } = JSON.parse(made.stdout);
    expect(assets_path).toBe(`${out}.assets.zip`);
    expect(assets_sha256).toBe(sha256(readFileSync(assets_path)));
    const places = { bucket: 'packs', path: 'p/v.js', assets_path: 'p/a.zip' };
    cluster.functions.register_pack_version = (args) => {
      announced.push(args);
      return { body: { pack_id: 'p', version_id: 'v', ...places } };
    };
    const flags = ['--name', 'demo', '--ver', '1.0.0', '--runtime', 'node'];
    expect(await machine.run(['pack', 'register', out, ...flags])).toMatchObject({ code: 0 });
    expect(announced).toMatchObject([{ p_assets_size_bytes: assets_size_bytes, p_assets_sha256: assets_sha256 }]);
    expect(cluster.objects.get('packs/p/a.zip')).toEqual(readFileSync(assets_path));
    // A bundle that reads nothing leaves no archive of an earlier one beside it.
    writeFileSync(join(folder, 'pack.mjs'), good);
    await machine.run(['pack', 'bundle', join(folder, 'pack.mjs'), '--out', out]);
    expect(existsSync(assets_path)).toBe(false);
  });

  describe('takes what nobody typed from', () => {
    const about = {
      name: 'web',
      version: '3.0.0',
      description: 'A page.',
      stark: { runtime: 'node', ports: ['http'] },
    };
    const taken = { p_name: 'web', p_version: '3.0.0', p_runtime: 'node', p_description: 'A page.' };

    it('the bundle itself, wherever it lies', async () => {
      const project = folderWith({ 'package.json': JSON.stringify(about), 'src/index.ts': good });
      // Another project's package.json stands above it.
      const elsewhere = folderWith({ 'package.json': '{"name":"other","version":"9.9.9","stark":{}}' });
      const out = join(elsewhere, 'deep', 'pack.js');
      expect(await machine.run(['pack', 'bundle', project, '--out', out])).toMatchObject({ code: 0 });
      const result = await machine.run(['pack', 'register', out]);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(announced).toMatchObject([{ ...taken, p_ports: [{ name: 'http' }], p_entry: 'default' }]);
      expect(result.stderr).toContain(
        `from ${out} itself: name web, version 3.0.0, runtime node, ports http, the description\n`,
      );
      const typed = ['--name', 'mine', '--ver', '4.0.0', '--port', 'admin=81', '--description', 'Other.'];
      const said = await machine.run(['pack', 'register', out, ...typed]);
      expect(said.stderr).toContain(`from ${out} itself: runtime node\n`);
      expect(announced[1]).toMatchObject({ p_name: 'mine', p_version: '4.0.0', p_description: 'Other.' });
      expect(announced[1]?.p_ports).toEqual([{ name: 'admin', strategy: 'fixed', port: 81 }]);
    });

    it('the nearest package.json, where it is about a pack and the bundle says nothing', async () => {
      const folder = folderWith({ 'package.json': JSON.stringify(about), 'pack.js': good });
      const path = join(folder, 'pack.js');
      const result = await machine.run(['pack', 'register', path]);
      expect(result, result.stderr).toMatchObject({ code: 0 });
      expect(result.stderr).toContain(`from ${join(folder, 'package.json')}: name web`);
      expect(announced).toMatchObject([{ ...taken, p_entry: 'default' }]);
      writeFileSync(join(folder, 'package.json'), '{"name":"repository","version":"0.1.0"}');
      expect(await machine.run(['pack', 'register', path])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--name is needed'),
      });
    });

    it('nobody, where nobody says where it runs', async () => {
      const project = folderWith({ 'package.json': '{"name":"a","version":"1.0.0"}', 'index.ts': good });
      for (const what of [project, join(project, 'index.ts')]) {
        expect(await machine.run(['pack', 'register', what])).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/does not say where it runs[\s\S]*--runtime node, browser or isomorphic/),
        });
      }
      const out = join(project, 'out.js');
      expect((await machine.run(['pack', 'bundle', project, '--out', out])).stdout).toContain('runtime not said');
      expect(await machine.run(['pack', 'register', out])).toMatchObject({ code: 2 });
      expect(announced).toEqual([]);
      expect(await machine.run(['pack', 'register', out, '--runtime', 'node'])).toMatchObject({ code: 0 });
      expect(await machine.run(['pack', 'register', join(project, 'index.ts'), '--runtime', 'browser'])).toMatchObject({
        code: 0,
      });
      expect(announced.map(({ p_runtime }) => p_runtime)).toEqual(['node', 'browser']);
    });

    it('no line that was tampered with', async () => {
      const path = join(folderWith({ 'pack.js': `${good}\n//# starkManifest={"name":"No Name"}\n` }), 'pack.js');
      expect(await machine.run(['pack', 'register', path, '--name', 'a', '--ver', '1.0.0'])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('BUNDLE_INVALID'),
      });
    });
  });

  it('bundles a folder first, be it a project or a website', async () => {
    const about = JSON.stringify({ name: 'web', version: '3.0.0', stark: { runtime: 'isomorphic' } });
    const project = folderWith({ 'package.json': about, 'src/index.ts': good });
    const site = folderWith({ 'package.json': about, 'index.html': '<h1>hi</h1>' });
    for (const folder of [project, site]) {
      // A process of its own: esbuild looks for files from where it was started first.
      const result = await machine.run(['pack', 'register', folder], { env: {} });
      expect(result.code, result.stderr).toBe(0);
      const told = { p_name: 'web', p_version: '3.0.0', p_runtime: 'isomorphic', p_entry: 'default' };
      expect(announced.pop()).toMatchObject({ ...told, ...(folder === site && { p_ports: [{ name: 'http' }] }) });
    }
    expect(cluster.objects.get('packs/p/v.js')?.toString()).toContain('base64');
    // A website is registered under the runtime that it was bundled for, and not half a pack for another.
    await machine.run(['pack', 'register', site, '--runtime', 'node']);
    expect(announced.pop()).toMatchObject({ p_runtime: 'node' });
  });

  it('leaves what can be gone on with when the upload fails', async () => {
    cluster.refuseUpload = { status: 500, body: { statusCode: '500', error: 'Internal', message: 'disk full' } };
    const finished = cluster.seen('POST', '/rest/v1/rpc/finish_pack_version').length;
    const failed = await machine.run(register);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/the bundle was not uploaded: disk full[\s\S]*run the same command again/);
    expect(cluster.seen('POST', '/rest/v1/rpc/finish_pack_version')).toHaveLength(finished);
    cluster.refuseUpload = undefined;
    expect((await machine.run(register)).code).toBe(0);
  });

  it('is done already when the same bytes are there, and refuses others', async () => {
    cluster.functions.register_pack_version = () => ({
      status: 409,
      body: {
        code: 'VERSION_EXISTS',
        message: 'demo@1.0.0 is registered already',
        hint: 'register a new version',
        details: null,
      },
    });
    cluster.tables.packs = [{ id: 'p', name: 'demo' }];
    const row = { ...versionRow('demo', '1.0.0', { sha256: sum }), pack_id: 'p' };
    cluster.tables.pack_versions = [row];
    expect(await machine.run(register)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('already registered'),
    });
    cluster.tables.pack_versions = [{ ...row, sha256: 'b'.repeat(64) }];
    expect(await machine.run(register)).toMatchObject({ code: 7, stderr: expect.stringContaining('VERSION_EXISTS') });
  });

  it.each<[string, string[], RegExp, number]>([
    ['a file that is not there', ['nowhere.js', '--name', 'a', '--ver', '1.0.0'], /nowhere\.js does not exist/, 6],
    ['a folder with nothing to bundle', ['.', '--name', 'a', '--ver', '1.0.0'], /\. has no entry/, 2],
    ['a bundle without a name', [bundle, '--ver', '1.0.0'], /--name is needed/, 2],
    ['a bundle without a version', [bundle, '--name', 'a'], /--ver is needed/, 2],
    [
      'an unknown runtime',
      [bundle, '--name', 'a', '--ver', '1.0.0', '--runtime', 'deno'],
      /--runtime=deno to be one of/,
      2,
    ],
  ])('refuses %s before anything is sent', async (_, args, message, code) => {
    const result = await machine.run(['pack', 'register', ...args]);
    expect(result, result.stderr).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(announced).toEqual([]);
  });
});
