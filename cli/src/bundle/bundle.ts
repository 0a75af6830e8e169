import { createHash } from 'node:crypto';
import { isBuiltin } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { MAX_BUNDLE_BYTES, type PackRuntime } from '@stark-o/core/model';
import type { BuildFailure, BuildOptions, Plugin } from 'esbuild';
import { Assets, nodeBanner, webBanner } from './assets.js';
import { installedName, keepOut, type LeftOut, spokenOf } from './dependencies.js';
import {
  type Built,
  describe,
  notForPods,
  refuseDecoratorMetadata,
  refuseLateModules,
  unawareOfPods,
  warningsOf,
} from './findings.js';

/** A pack as one ESM file. */
export interface Bundle {
  code: Uint8Array;
  map: Uint8Array | undefined;
  sha256: string;
  /** Archive of the files that it reads. */
  assets?: Uint8Array;
  /** What may go wrong when it runs, a line each. */
  warnings: string[];
}

export interface BundleOptions {
  minify: boolean;
  /** Packages that are left out by name. */
  external?: readonly string[] | undefined;
  /** Folder of the project; that of the entry unless said otherwise. */
  root?: string | undefined;
  /** Files and folders of the project that are to travel with the bundle. */
  assets?: readonly string[] | undefined;
  /** Last line of the bundle, a comment. */
  footer?: string | undefined;
}

/** Bundles a pack's source into one ESM file for its runtime. */
export async function bundlePack(entry: string, runtime: PackRuntime, options: BundleOptions): Promise<Bundle> {
  const root = options.root ?? dirname(entry);
  const assets = new Assets(root, runtime, options.assets ?? []);
  const refused: string[] = [];
  const leftOut: LeftOut[] = [];
  const addons: LeftOut[] = [];
  const build = () => {
    for (const list of [refused, leftOut, addons]) list.length = 0;
    return run({
      entryPoints: [entry],
      outfile: 'pack.js',
      bundle: true,
      format: 'esm',
      ...platformOf(runtime),
      minify: options.minify,
      sourcemap: 'external',
      legalComments: 'none',
      footer: { js: options.footer ?? '' },
      loader: { '.html': 'text', '.css': 'text', '.svg': 'text', '.txt': 'text', '.wasm': 'binary', '.png': 'dataurl' },
      plugins: [
        ...(runtime === 'node' ? [] : [refuseBuiltins(refused)]),
        keepOut(options.external ?? [], leftOut, addons),
        assets.plugin(),
      ],
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
  };
  let built = await build();
  if (refused.length > 0) {
    throw new StarkError(`a pack for ${runtime} cannot use Node.js modules`, {
      code: 'RUNTIME_MISMATCH',
      exitCode: EXIT_CODES.usage,
      details: [...new Set(refused)],
      hint: 'use what PackContext and the web platform offer, or --runtime node',
    });
  }
  if (addons.length > 0) throw notForPods(addons, built);
  await refuseDecoratorMetadata(built);
  await refuseLateModules(built);
  if (runtime === 'node') assets.latePackages = await spokenOf(root, inputsOf(built));
  if (assets.latePackages.length > 0) built = await build();
  requireDefaultExport(built, relative(process.cwd(), entry));
  // Code of npm packages that was CommonJS asks for Node's modules by `require`, which an ES module does not have.
  const needsRequire = runtime === 'node' && /\brequire\b/.test(code(built).text);
  const { bytes, map } = finished(built, needsRequire || assets.isNeeded ? bannerOf(runtime) : undefined);
  const inputs = inputsOf(built);
  const requireRoom = (more: number) => requireSize(bytes.byteLength, relative(process.cwd(), entry), more);
  requireRoom(0);
  const archive = await assets.archive(inputs, requireRoom);
  for (const { file, importer } of assets.addons) leftOut.push({ name: installedName(file), importer, why: 'native' });
  return {
    code: bytes,
    map,
    sha256: sha256(bytes),
    warnings: [...warningsOf(built, leftOut), ...(await unawareOfPods(root, inputs))],
    ...(archive !== undefined && { assets: archive }),
  };
}

/** Bundles the source that stands for a website, whose files are in it as data. */
export async function bundleSite(
  source: string,
  what: string,
  { runtime, footer }: { runtime: PackRuntime; footer: string },
): Promise<Bundle> {
  const built = await run({
    stdin: { contents: source, sourcefile: 'site.js', resolveDir: process.cwd() },
    outfile: 'pack.js',
    bundle: true,
    format: 'esm',
    ...platformOf(runtime),
    charset: 'utf8',
    footer: { js: footer },
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const bytes = code(built).contents;
  requireSize(bytes.byteLength, what);
  return { code: bytes, map: undefined, sha256: sha256(bytes), warnings: [] };
}

/**
 * Makes sure that a file is what an agent can run: one ESM file with a default export, of the right size. What it imports by a
 * statement must be there when it is loaded; what it asks for later it may be able to do without. Gives its exports.
 */
export async function checkBundle(path: string, bytes: Uint8Array, runtime: PackRuntime): Promise<string[]> {
  requireSize(bytes.byteLength, path);
  if (bytes.byteLength === 0) throw invalid(path, 'it is empty');
  if (bytes.includes(0)) throw invalid(path, 'it is not JavaScript but binary data');
  const refused: string[] = [];
  const imports: { path: string; kind: string }[] = [];
  const built = await run({
    stdin: { contents: bytes, sourcefile: path, loader: 'js' },
    outfile: 'pack.js',
    bundle: true,
    format: 'esm',
    ...platformOf(runtime),
    plugins: [keepImports(imports), ...(runtime === 'node' ? [] : [refuseBuiltins(refused)])],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const [input] = Object.values(built.metafile.inputs);
  if (input?.format === 'cjs') throw invalid(path, 'it is CommonJS, not an ES module');
  const outside = imports.find(
    (one) => !isBuiltin(one.path) && (one.kind === 'import-statement' || /^[./]/.test(one.path)),
  );
  if (outside !== undefined) throw invalid(path, `it imports ${outside.path}, which an agent does not have`);
  const builtin = runtime === 'node' ? undefined : imports.find((one) => isBuiltin(one.path));
  if (builtin !== undefined) throw invalid(path, `it imports ${builtin.path}, which runtime ${runtime} does not have`);
  return requireDefaultExport(built, path);
}

/** Where the archive of a bundle's assets is written, and looked for. */
export function assetsPath(bundle: string): string {
  return `${bundle}.assets.zip`;
}

/** The sum an agent compares before it runs anything. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function platformOf(runtime: PackRuntime): BuildOptions {
  if (runtime === 'node') return { platform: 'node', target: 'node20' };
  if (runtime === 'browser') return { platform: 'browser', target: 'es2022' };
  return { platform: 'neutral', target: 'es2022', mainFields: ['module', 'main'], conditions: ['import', 'default'] };
}

// A module of Node.js is refused unless the project brings a package of that name, as it does with polyfills.
function refuseBuiltins(refused: string[]): Plugin {
  return {
    name: 'refuse-builtins',
    setup(build) {
      build.onResolve({ filter: /.*/ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === 'ours' || kind === 'entry-point' || !isBuiltin(path)) return undefined;
        if (!path.startsWith('node:')) {
          const own = await build.resolve(path, { importer, resolveDir, kind, pluginData: 'ours' });
          if (own.errors.length === 0 && !own.external) return own;
        }
        refused.push(`${relative(process.cwd(), importer)} imports ${path}`);
        return { path, external: true };
      });
    },
  };
}

// A bundle is looked at, not bundled again: whatever it imports stays outside and is noted.
function keepImports(imports: { path: string; kind: string }[]): Plugin {
  return {
    name: 'keep-imports',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined;
        imports.push({ path, kind });
        return { path, external: true };
      });
    },
  };
}

async function run(options: BuildOptions): Promise<Built> {
  const { build } = await import('esbuild');
  try {
    // Else it is the folder that esbuild's own process was started in.
    return (await build({ ...options, absWorkingDir: process.cwd() })) as Built;
  } catch (error) {
    const [first, ...more] = (error as BuildFailure).errors ?? [];
    if (first === undefined) throw error;
    throw new StarkError(describe(first), {
      code: 'BUNDLE_INVALID',
      ...(more.length > 0 ? { details: more.map(describe) } : {}),
      cause: error,
    });
  }
}

const bannerOf = (runtime: PackRuntime) => (runtime === 'node' ? nodeBanner : webBanner);

/** What was built, with a line before it where it needs one: whether it does is known only now, and to build once more would take as long. */
function finished(built: Built, banner: string | undefined): { bytes: Uint8Array; map: Uint8Array | undefined } {
  const { text, contents } = code(built);
  const map = built.outputFiles.find((file) => file.path.endsWith('.map'));
  if (banner === undefined) return { bytes: contents, map: map?.contents };
  // For a shell, and nothing may stand before it.
  const [hashbang = ''] = /^#!.*\n/.exec(text) ?? [];
  const bytes = Buffer.from(`${hashbang}${banner}\n${text.slice(hashbang.length)}`);
  if (map === undefined) return { bytes, map };
  const { mappings, ...rest } = JSON.parse(map.text) as { mappings: string };
  return { bytes, map: Buffer.from(JSON.stringify({ ...rest, mappings: `;${mappings}` })) };
}

function inputsOf(built: Built): Set<string> {
  return new Set(Object.keys(built.metafile.inputs).map((path) => resolve(path)));
}

function code(built: Built) {
  const file = built.outputFiles.find(({ path }) => path.endsWith('.js'));
  if (file === undefined) throw new Error('esbuild gave no JavaScript');
  return file;
}

function requireDefaultExport(built: Built, what: string): string[] {
  const output = Object.values(built.metafile.outputs).find(
    ({ entryPoint, exports }) => entryPoint ?? exports.length > 0,
  );
  if (output?.exports.includes('default')) return output.exports;
  throw invalid(what, 'it has no default export, the function that is the pack');
}

export function requireSize(bytes: number, what: string, assets = 0): void {
  if (bytes + assets <= MAX_BUNDLE_BYTES) return;
  const [own, all] = [bytes, bytes + assets].map((size) => (size / 1024 / 1024).toFixed(1));
  const megabytes = assets === 0 ? own : `${all} MB with its assets, ${own}`;
  throw new StarkError(
    `${what} has ${megabytes} MB${assets === 0 ? '' : ' without'}; a bundle may have ${MAX_BUNDLE_BYTES / 1024 / 1024} MB`,
    {
      code: 'BUNDLE_TOO_LARGE',
      exitCode: EXIT_CODES.usage,
      hint: 'leave large assets out of the bundle and fetch them from Storage',
    },
  );
}

function invalid(path: string, reason: string): StarkError {
  return new StarkError(`${path} is no pack bundle: ${reason}`, {
    code: 'BUNDLE_INVALID',
    hint: 'stark pack bundle <folder> --out pack.js',
  });
}
