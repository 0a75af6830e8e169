import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import type { OnResolveArgs, Plugin } from 'esbuild';
import { upwards } from '../config/directories.js';

/** What was imported and is not in the bundle. */
export interface LeftOut {
  /** The package. */
  name: string;
  /** The file that imports it. */
  importer: string;
  why: 'missing' | 'external' | 'native';
}

const OURS = 'looked up by us';
/** These find and load the compiled part of the package that imports them. */
const ADDON_LOADERS = new Set([
  'bindings',
  'node-gyp-build',
  'node-gyp-build-optional-packages',
  'node-pre-gyp',
  '@mapbox/node-pre-gyp',
  'pkg-prebuilds',
]);

/**
 * Keeps out of a bundle what cannot be in it: packages that are not installed and that their importers can do without, those that
 * are named, and compiled addons. What can be done without is left for run time, where importing it fails as it would on a machine
 * that lacks it; `leftOut` says what that is, and `refused` what a pack cannot do without.
 */
export function keepOut(externals: readonly string[], leftOut: LeftOut[], refused: LeftOut[]): Plugin {
  return {
    name: 'keep-out',
    setup(build) {
      build.onResolve({ filter: /^[^./]|\.node$/ }, async (args) => {
        const { path, importer, resolveDir, kind, namespace } = args;
        if (args.pluginData === OURS || kind === 'entry-point' || isBuiltin(path)) return undefined;
        const name = packageOf(path);
        const leave = (why: LeftOut['why']) => {
          leftOut.push({ name, importer, why });
          return left(args);
        };
        if (externals.includes(name) || externals.includes(path)) return leave('external');
        const found = await build.resolve(path, { importer, resolveDir, kind, namespace, pluginData: OURS });
        const isThere = found.errors.length === 0;
        const isLoader = isThere && ADDON_LOADERS.has(name);
        if (isThere && !found.path.endsWith('.node') && !isLoader && !(await isAddon(found.path))) {
          const { path: place, namespace: space, sideEffects, external, suffix, pluginData } = found;
          return { path: place, namespace: space, sideEffects, external, suffix, pluginData };
        }
        if (!isThere) {
          // A package that asks for another only when it needs it, as drivers are, can do without; a statement is for its author to
          // answer for. What stands in a `try` esbuild leaves for run time by itself.
          const isLate = kind === 'require-call' || kind === 'dynamic-import';
          if (!isInstalled(importer) || !(isLate || (await isOptional(importer, name)))) return undefined;
          return leave('missing');
        }
        const isSpared = (await isTried(importer, path)) || (await isOptional(importer, name));
        (isSpared ? leftOut : refused).push({
          name: isLoader || path.startsWith('.') ? installedName(importer) : name,
          importer,
          why: 'native',
        });
        return left(args);
      });
      build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({ contents: failing(path), loader: 'js' }));
    },
  };
}

/** Loads as a module whose every use fails: one that is imported by a statement would else end the pack before it begins. */
function failing(name: string): string {
  const message = `Cannot find package '${name}': it was not bundled`;
  return `const fail = () => { throw Object.assign(new Error(${JSON.stringify(message)}), { code: 'ERR_MODULE_NOT_FOUND' }); };
    const trap = new Proxy(function () {}, { get: fail, apply: fail, construct: fail });
    module.exports = new Proxy(trap, { getPrototypeOf: () => trap, get: (_, key) => key === '__esModule' ? false : fail(), has: () => false, ownKeys: () => ['prototype'] });`;
}

function left({ path, kind }: OnResolveArgs) {
  return kind === 'import-statement' ? { path, namespace: 'left-out' } : { path, external: true };
}

export function packageOf(specifier: string): string {
  return /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

const isInstalled = (file: string) => file.includes(`${sep}node_modules${sep}`);

export function installedName(file: string): string {
  const [, after = file] = /^.*[\\/]node_modules[\\/](.*)$/.exec(file) ?? [];
  return packageOf(after.replaceAll('\\', '/'));
}

const BUILDS_AN_ADDON = /\b(node-gyp|node-pre-gyp|prebuild-install|prebuildify|cmake-js|node-gyp-build)\b/;
const OF_A_PLATFORM = /[-/](linux|darwin|win32|freebsd|android)(-|$)/;

interface PackageJson {
  name?: string;
  gypfile?: boolean;
  cpu?: string[];
  scripts?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  dependencies?: Record<string, string>;
}

/** Whether a file is of a package that works by a compiled part: one it builds, one for each platform, or it is one itself. */
async function isAddon(file: string): Promise<boolean> {
  if (!isInstalled(file)) return false;
  const { gypfile, cpu, scripts = {}, optionalDependencies = {} } = (await packageJsonOf(file)) ?? {};
  return (
    gypfile === true ||
    cpu !== undefined ||
    BUILDS_AN_ADDON.test(scripts.install ?? '') ||
    Object.keys(optionalDependencies).some((name) => OF_A_PLATFORM.test(name))
  );
}

/** Whether the package that a file is of names another as one that it can do without. */
async function isOptional(importer: string, name: string): Promise<boolean> {
  const { optionalDependencies, peerDependenciesMeta } = (await packageJsonOf(importer)) ?? {};
  return optionalDependencies?.[name] !== undefined || peerDependenciesMeta?.[name]?.optional === true;
}

/** The package.json of the package that a file is of; one without a name only says how to read a folder. */
async function packageJsonOf(file: string): Promise<PackageJson | undefined> {
  for (const folder of upwards(dirname(file))) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    const found = text === undefined ? undefined : (JSON.parse(text.replace(/^\ufeff/, '')) as PackageJson);
    if (found?.name !== undefined) return found;
  }
  return undefined;
}

/** The installed packages, none of them an addon, that the package of a file can use and do without, such as drivers. */
export async function optionalPeersOf(file: string): Promise<string[]> {
  if (!isInstalled(file)) return [];
  const { peerDependenciesMeta = {} } = (await packageJsonOf(file)) ?? {};
  const names = Object.keys(peerDependenciesMeta).filter((name) => peerDependenciesMeta[name]?.optional === true);
  return whereInstalled(names, file);
}

/** The project's packages that are not in a bundle although its sources speak of them, as of `app.set('view engine', 'ejs')`. */
export async function spokenOf(root: string, inputs: ReadonlySet<string>): Promise<string[]> {
  const manifest = join(root, 'package.json');
  const text = await readFile(manifest, 'utf8').catch(() => '{}');
  const { dependencies = {} } = JSON.parse(text.replace(/^\ufeff/, '')) as PackageJson;
  const bundled = new Set([...inputs].filter(isInstalled).map(installedName));
  const sources = [...inputs].filter((file) => !isInstalled(`${sep}${relative(root, file)}`));
  const texts = await Promise.all(sources.map((file) => readFile(file, 'utf8').catch(() => '')));
  const names = Object.keys(dependencies).filter(
    (name) => !bundled.has(name) && texts.some((one) => [`'${name}'`, `"${name}"`].some((word) => one.includes(word))),
  );
  return whereInstalled(names, manifest);
}

async function whereInstalled(names: readonly string[], from: string): Promise<string[]> {
  const find = createRequire(from);
  const kept: string[] = [];
  for (const name of names) {
    try {
      const file = find.resolve(name);
      if (!isBuiltin(file) && !(await isAddon(file))) kept.push(name);
    } catch {
      // Not installed, or of no use to `require`.
    }
  }
  return kept;
}

/** Whether a file asks for a module inside of a `try`, and so is ready to do without. */
async function isTried(file: string, specifier: string): Promise<boolean> {
  const { parse } = await import('acorn');
  const text = await readFile(file, 'utf8');
  for (const sourceType of ['module', 'script'] as const) {
    try {
      const program = parse(text, {
        ecmaVersion: 'latest',
        sourceType,
        allowHashBang: true,
        allowReturnOutsideFunction: true,
      });
      return triesFor(program, specifier, false);
    } catch {
      // The other kind then; of TypeScript nothing is known.
    }
  }
  return false;
}

function triesFor(node: unknown, specifier: string, isInTry: boolean): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((one) => triesFor(one, specifier, isInTry));
  const { type, ...parts } = node as { type?: string; [part: string]: unknown };
  if (isInTry && type === 'Literal' && parts.value === specifier) return true;
  return Object.entries(parts).some(([name, part]) =>
    triesFor(part, specifier, isInTry || (type === 'TryStatement' && name === 'block')),
  );
}
