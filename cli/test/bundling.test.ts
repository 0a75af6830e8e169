import { mkdirSync, writeFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Bundle, bundlePack, checkBundle } from '../src/bundle/bundle.js';
import { readProject } from '../src/bundle/project.js';
import { temporaryFolder } from './support/run.js';

/** A project whose pack is `pack.mjs`, with packages as npm would install them. */
function project(
  files: Record<string, string>,
  packages: Record<string, Record<string, string | object>> = {},
): string {
  const folder = temporaryFolder();
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const [name, { json = {}, ...contents }] of Object.entries(packages)) {
    write(
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: '1.0.0', main: 'index.js', ...(json as object) }),
    );
    for (const [path, text] of Object.entries(contents)) write(`node_modules/${name}/${path}`, String(text));
  }
  return folder;
}

const using = (name: string) => `import lib from '${name}'; export default () => lib();`;
const bundle = (folder: string, entry = 'pack.mjs', external?: string[]): Promise<Bundle> =>
  bundlePack(join(folder, entry), 'node', { minify: false, external });

/** What a bundle's pack answers when it is called, after the check that registering it makes. */
async function run(folder: string, { code }: Bundle): Promise<unknown> {
  await checkBundle('pack.mjs', code, 'node');
  const path = join(folder, 'node_modules', 'out.mjs');
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, code);
  return ((await import(path)) as { default: () => unknown }).default();
}

describe('a dependency that is not installed', () => {
  it.each<[string, string, object]>([
    ['inside a try', 'let x; try { x = require("drv"); } catch { x = "none"; } module.exports = () => x;', {}],
    [
      'only when it is needed',
      'module.exports = () => { try { return load(); } catch { return "none"; } }; function load() { return require("drv"); }',
      {},
    ],
    [
      'as an optional peer',
      'const o = (f) => { try { return f(); } catch { return "none"; } }; module.exports = () => o(() => require("drv"));',
      { peerDependencies: { drv: '1' }, peerDependenciesMeta: { drv: { optional: true } } },
    ],
    [
      'as an optional dependency, by import()',
      'module.exports = () => import("drv").catch(() => "none");',
      { optionalDependencies: { drv: '1' } },
    ],
    [
      'by a part of it',
      'let x; try { x = require("drv/lib/part"); } catch { x = "none"; } module.exports = () => x;',
      {},
    ],
  ])('is left for run time when a package asks for it %s', async (_what, source, json) => {
    const folder = project({ 'pack.mjs': using('lib') }, { lib: { 'index.js': source, json } });
    const made = await bundle(folder);
    expect(made.warnings).toEqual([
      expect.stringMatching(/^drv.* is not in the bundle, it is not installed: .*pack\.mjs → lib must do without$/),
    ]);
    expect(await run(folder, made)).toBe('none');
  });

  it('may be optional and asked for by a statement', async () => {
    const json = { type: 'module', peerDependenciesMeta: { drv: { optional: true } } };
    const source =
      'import drv, { connect } from "drv"; export default (use) => { try { connect(); } catch (error) { return error.code; } };';
    const folder = project({ 'pack.mjs': using('lib') }, { lib: { 'index.js': source, json } });
    expect(await run(folder, await bundle(folder))).toBe('ERR_MODULE_NOT_FOUND');
  });

  it.each<[string, string, Record<string, string>]>([
    ['the pack itself', using('nowhere'), {}],
    ['a package, by a statement', using('lib'), { 'index.js': 'export { default } from "nowhere";' }],
  ])('is refused when it is %s that asks for it', async (_what, pack, lib) => {
    await expect(bundle(project({ 'pack.mjs': pack }, { lib }))).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('Could not resolve "nowhere"'),
    });
  });

  it('is left out by name', async () => {
    const folder = project(
      {
        'pack.mjs':
          'import lib from "lib"; import { a } from "@x/y/part"; export default () => { try { a(); } catch (error) { return error.message; } };',
      },
      { lib: { 'index.js': 'module.exports = 1;' }, '@x/y': { 'part.js': 'exports.a = 1;' } },
    );
    const made = await bundle(folder, 'pack.mjs', ['lib', '@x/y']);
    expect(made.warnings).toHaveLength(2);
    expect(await run(folder, made)).toBe("Cannot find package '@x/y/part': it was not bundled");
  });
});

const addons: Record<string, Record<string, string | object>> = {
  built: { 'index.js': 'module.exports = require("bindings")("x.node");', json: { gypfile: true } },
  bindings: { 'index.js': 'module.exports = () => { throw new Error("no addon"); };' },
  prebuilt: {
    'index.js': 'module.exports = () => 1;',
    json: { scripts: { install: 'prebuild-install || node-gyp rebuild' } },
  },
  platforms: { 'index.js': 'module.exports = () => 1;', json: { optionalDependencies: { '@p/linux-x64-gnu': '1' } } },
  loading: { 'index.js': 'module.exports = require("./build/Release/x.node");', 'build/Release/x.node': 'ELF' },
  unmarked: { 'index.js': 'const load = require("bindings"); module.exports = () => load("x.node");' },
};

describe('a compiled addon', () => {
  it.each(['built', 'prebuilt', 'platforms', 'loading', 'unmarked'])(
    'is refused with the way to it: %s',
    async (name) => {
      const folder = project(
        { 'pack.mjs': using('lib') },
        { ...addons, lib: { 'index.js': `module.exports = require("${name}");` } },
      );
      await expect(bundle(folder)).rejects.toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringContaining('cannot run in a pod: it has a compiled addon'),
        details: [
          expect.stringMatching(new RegExp(`pack\\.mjs → lib → (${name}( → \\./build/Release/x\\.node)?|${name})$`)),
        ],
        hint: expect.stringContaining('--external'),
      });
    },
  );

  it.each<[string, string, object]>([
    ['tries it', 'let x; try { x = require("built"); } catch { x = () => "in JavaScript"; } module.exports = x;', {}],
    [
      'names it as optional',
      'module.exports = (use) => use ? require("built")() : "in JavaScript";',
      { optionalDependencies: { built: '1' } },
    ],
  ])('is left out when a package %s', async (_what, source, json) => {
    const folder = project({ 'pack.mjs': using('lib') }, { ...addons, lib: { 'index.js': source, json } });
    const made = await bundle(folder);
    expect(made.warnings).toEqual([
      expect.stringMatching(/^built is not in the bundle, it has a compiled addon: .* → lib must/),
    ]);
  });

  it('names what does the same without one', async () => {
    const packages = { 'better-sqlite3': addons.prebuilt as Record<string, string> };
    await expect(bundle(project({ 'pack.mjs': using('better-sqlite3') }, packages))).rejects.toMatchObject({
      hint: expect.stringContaining('node-sqlite3-wasm'),
    });
  });
});

describe('a bundle', () => {
  it('comes with the warnings of its making, and of what a pod cannot do', async () => {
    const folder = project(
      {
        'pack.mjs': 'import * as part from "./part.mjs"; import lib from "lib"; export default () => part.nme + lib;',
        'part.mjs': 'export const name = 1;',
      },
      { lib: { 'index.js': 'const { Worker } = require("worker_threads"); module.exports = () => new Worker("x");' } },
    );
    const { warnings } = await bundle(folder);
    expect(warnings).toEqual([
      expect.stringMatching(/pack\.mjs:1:\d+: Import "nme" will always be undefined/),
      expect.stringMatching(/^a pod cannot start threads: .*pack\.mjs → lib → worker_threads$/),
    ]);
  });

  it('comes with a word on what a package needs that a pod has not, unless its sources know', async () => {
    const use = using('node-sqlite3-wasm');
    const folder = project(
      { 'pack.mjs': use, 'aware.mjs': `${use} // PRAGMA synchronous=OFF` },
      { 'node-sqlite3-wasm': { 'index.js': 'module.exports = () => 1;' } },
    );
    expect((await bundle(folder)).warnings).toEqual([
      expect.stringMatching(/^node-sqlite3-wasm: .*pragma synchronous = off/),
    ]);
    expect((await bundle(folder, 'aware.mjs')).warnings).toEqual([]);
  });

  it('is strict, as every ES module is, whatever its sources were', async () => {
    const sloppy = { 'index.js': 'module.exports = () => (function () { return typeof this; })();' };
    const folder = project({ 'pack.mjs': using('sloppy') }, { sloppy });
    expect(await run(folder, await bundle(folder))).toBe('undefined');
  });

  it.each([
    ['', 1],
    ['#!/usr/bin/env node\n', 2],
  ])(
    'that needs require has it before all else but the line for a shell, which its map knows: %j',
    async (shell, line) => {
      const folder = project(
        { 'pack.mjs': `${shell}import lib from 'lib'; export default () => lib() + 'told';` },
        { lib: { 'index.js': 'module.exports = () => require("node:path").sep;' } },
      );
      const made = await bundle(folder);
      expect(await run(folder, made)).toBe('/told');
      const lines = Buffer.from(made.code).toString().split('\n');
      expect(lines[line - 1]).toContain('createRequire');
      const at = lines.findIndex((text) => text.includes('told'));
      const map = new SourceMap(JSON.parse(Buffer.from(made.map ?? []).toString()) as SourceMapPayload);
      expect(map.findEntry(at, lines[at]?.indexOf('lib') ?? 0)).toMatchObject({
        originalSource: expect.stringMatching(/pack\.mjs$/),
        originalLine: line - 1,
      });
    },
  );

  it('names the addon that a module loads by a path, and what reads files by the current folder', async () => {
    const folder = project(
      {
        'pack.cjs':
          'const fs = require("fs"); exports.default = () => [fs.readFileSync("data.txt"), require("lib")]; exports.home = process.cwd();',
        'data.txt': 'data',
      },
      {
        lib: {
          'index.js': 'module.exports = require(require("path").join(__dirname, "build/Release/x.node"));',
          'build/Release/x.node': 'ELF',
        },
      },
    );
    const { warnings, assets } = await bundlePack(join(folder, 'pack.cjs'), 'node', { minify: false, root: folder });
    expect(Buffer.from(assets ?? []).includes('x.node')).toBe(false);
    expect(warnings).toEqual([
      expect.stringMatching(/^lib is not in the bundle, it has a compiled addon: .*pack\.cjs → lib must do without$/),
      expect.stringMatching(/pack\.cjs asks for data\.txt by the current folder, .* ctx\.assets$/),
    ]);
  });

  it.each([
    ['itself', { 'index.js': 'export default await 1;' }],
    ['by what it imports', { 'index.js': 'import "./a.js"; export default 1;', 'a.js': 'for await (const x of []) ;' }],
  ])('is refused where require would be given what is not there yet: %s', async (_what, lib) => {
    const packages = {
      lib: { ...lib, json: { type: 'module' } },
      inner: { 'index.js': 'module.exports = () => require("lib");' },
    };
    const folder = project(
      { 'pack.mjs': using('inner'), 'later.mjs': 'export default () => import("lib");' },
      packages,
    );
    await expect(bundle(folder)).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringContaining('cannot require "lib"'),
      hint: expect.stringContaining('await import'),
    });
    expect(await run(folder, await bundle(folder, 'later.mjs'))).toBeDefined();
  });

  it('has the packages that its sources name for another to ask for, and drivers that are installed', async () => {
    const asker = 'module.exports = (name) => require(name);';
    const peers = { peerDependenciesMeta: { driver: { optional: true }, absent: { optional: true } } };
    const folder = project(
      {
        'package.json': '{ "dependencies": { "ejs": "1", "unused": "1", "asker": "1", "orm": "1" } }',
        'pack.mjs': `import ask from 'asker'; import orm from 'orm';
          export default () => [ask('ejs'), orm('dri' + 'ver'), ask('node:path').sep, 'unused' in {}].join();`,
      },
      {
        ejs: { 'index.js': 'module.exports = "views";' },
        driver: { 'index.js': 'module.exports = "rows";' },
        asker: { 'index.js': asker },
        orm: { 'index.js': asker, json: peers },
      },
    );
    expect(await run(folder, await bundle(folder))).toBe('views,rows,/,false');
  });

  it.each([
    ['@injectable() class A {}', /emitDecoratorMetadata/],
    ['@a.b()\nexport class A {}', /emitDecoratorMetadata/],
    ['class A { @inject() b: string; }', /emitDecoratorMetadata/],
  ])('is refused where types are wanted at run time: %s', async (source, message) => {
    const tsconfig = JSON.stringify({ compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true } });
    const base = { 'base.json': tsconfig, 'tsconfig.json': '{ // comments are fine\n "extends": "./base.json" }' };
    const folder = project({
      ...base,
      'pack.ts': 'import "./a.js"; export default () => {};',
      'a.ts': `declare const injectable: any, inject: any, a: any; ${source}`,
    });
    await expect(bundle(folder, 'pack.ts')).rejects.toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.stringContaining('tsc'),
    });
    await expect(
      bundle(project({ ...base, 'pack.ts': '/** @deprecated */ export default () => {};' }), 'pack.ts'),
    ).resolves.toBeDefined();
  });

  it('is made of what package.json calls main, where there is no source', async () => {
    const json = '{ "name": "cjs", "version": "1.0.0", "main": "dist/index.js" }';
    const folder = project({ 'package.json': json, 'dist/index.js': 'exports.default = () => {};' });
    expect((await readProject(folder)).source).toEqual({ entry: join(folder, 'dist', 'index.js') });
  });

  it.each([
    ['export default async () => (await import("zlib-sync").catch(() => 1));', undefined],
    ['import x from "lodash"; export default x;', /it imports lodash/],
    ['export default () => import("./beside.js");', /it imports \.\/beside\.js/],
  ])('is checked alike however it was made: %s', async (source, problem) => {
    const checked = checkBundle('a.js', Buffer.from(source), 'node');
    if (problem === undefined) await expect(checked).resolves.toEqual(['default']);
    else await expect(checked).rejects.toMatchObject({ message: expect.stringMatching(problem) });
  });
});
