import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { usageError } from '@stark-o/core/errors';
import type { PackRuntime } from '@stark-o/core/model';
import type { Plugin } from 'esbuild';
import { optionalPeersOf } from './dependencies.js';
import { answerLateRequires } from './late-requires.js';

/** Names in the program of a bundle that stand for what the bundler's banner defines. */
const HERE = '__starkHere';
const SPEAKS_OF_ITS_PLACE = /\b__dirname\b|\b__filename\b|\bimport\s*\.\s*meta\b|\brequire\s*\.\s*resolve\b/;
const SCRIPT = /\.[cm]?[jt]sx?$/;
const NAME_OF_A_FILE = /(["'`])((?:\.{0,2}\/)?[\w@-][\w@./-]*\.\w+)\1/g;
/** A module that hands out its own folder, for others to serve. */
const GIVES_ITS_FOLDER =
  /(?:\breturn|=>|exports(?:\.\w+)?\s*=)\s*(?:[\w."'()]+\.resolve\(\s*)?__dirname\s*\)?\s*(?:[;}]|$)/m;
/** A path with a place to fill in, up to there. */
const PATTERN_OF_FILES = /(["'`])((?:\.{0,2}\/)?[\w@.-]+(?:\/[\w@.-]+)*)\/[^"'`\n/]*(?:\{\{|\*|%s|\$\{)[^"'`\n]*\1/g;
const MAX_OF_A_PATTERN = 2_000;
const ASKS_LATE = /\brequire\b/;
const URL_OF_A_FILE = /new\s+URL\(\s*(['"`])(\.{1,2}\/[^'"`$]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

/**
 * What the modules of a bundle are told of their places. Each believes to lie where it lay in the project, below the folder that an
 * agent unpacks the assets into; without assets, below that of the bundle.
 */
export const nodeBanner = [
  'import { createRequire as starkCreateRequire, isBuiltin as starkIsBuiltin } from "node:module";',
  'import { dirname as starkDirname, join as starkJoin } from "node:path";',
  'import { fileURLToPath as starkToPath, pathToFileURL as starkToUrl } from "node:url";',
  'globalThis.require ??= starkCreateRequire(import.meta.url);',
  'const starkAssets = globalThis[Symbol.for("stark.assets")]?.folder ?? starkDirname(starkToPath(import.meta.url));',
  `function ${HERE}(file) {`,
  'const filename = starkJoin(starkAssets, file), url = starkToUrl(filename).href, { resolve } = starkCreateRequire(filename);',
  'const address = (name) => /^([./]|file:)/.test(name) ? new URL(name, url).href : starkIsBuiltin(name) ? resolve(name).replace(/^(node:)?/, "node:") : starkToUrl(resolve(name)).href;',
  'return { filename, dirname: starkDirname(filename), url, resolve, address }; }',
].join(' ');

export const webBanner = `function ${HERE}(file) { return globalThis[Symbol.for("stark.assets")]?.url(file) ?? new URL(file, import.meta.url).href; }`;

/** Finds the files that the modules of a bundle read at run time, and makes an archive of them. */
export class Assets {
  readonly #speakers = new Map<string, string>();
  readonly #found = new Set<string>();
  /** Packages of the project that its sources speak of and do not import: others ask for them by a name of their own making. */
  latePackages: readonly string[] = [];
  /** Compiled files that modules would load, and who would. */
  readonly addons: { file: string; importer: string }[] = [];

  constructor(
    /** Folder of the project: the root of the archive. */
    private readonly root: string,
    private readonly runtime: PackRuntime,
    /** Files and folders that package.json names. */
    private readonly named: readonly string[],
  ) {}

  /** Whether the bundle needs the banner. */
  get isNeeded(): boolean {
    return this.#speakers.size > 0;
  }

  plugin(): Plugin {
    return {
      name: 'assets',
      setup: (build) => {
        build.onLoad({ filter: SCRIPT, namespace: 'file' }, async ({ path }) => {
          const text = await readFile(path, 'utf8');
          const contents = this.runtime === 'node' ? await this.#onNode(path, text) : this.#anywhere(path, text);
          if (contents === undefined) return undefined;
          return { contents, loader: this.runtime === 'node' ? 'js' : loaderOf(path), resolveDir: dirname(path) };
        });
      },
    };
  }

  /**
   * The archive; nothing when no file is read. `inputs` are the modules that are in the bundle; `requireRoom` throws when files, or their
   * archive, have too many bytes, before any is read.
   */
  async archive(inputs: ReadonlySet<string>, requireRoom: (bytes: number) => void): Promise<Uint8Array | undefined> {
    for (const path of await this.#read(inputs)) this.#found.add(path);
    for (const name of this.named)
      for (const path of await filesBelow(resolve(this.root, name), name)) this.#found.add(path);
    if (this.#found.size === 0) return undefined;
    const sizes = await Promise.all([...this.#found].map(async (path) => (await stat(path)).size));
    requireRoom(sizes.reduce((sum, size) => sum + size, 0));
    const { zipSync } = await import('fflate');
    const names = [...this.#found]
      .map((path) => [this.#nameOf(path), path] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const files = await Promise.all(
      names.map(async ([name, path]) => [name, new Uint8Array(await readFile(path))] as const),
    );
    // The same bytes for the same files, whenever and wherever they were written.
    const options = { level: 9, mtime: new Date(1980, 0, 1), os: 3, attrs: 0o444 << 16 } as const;
    const bytes = zipSync(Object.fromEntries(files), options);
    requireRoom(bytes.byteLength);
    return bytes;
  }

  /** The module as JavaScript that finds what Node.js would: its place in the archive is its place on this machine. */
  async #onNode(path: string, text: string): Promise<string | undefined> {
    const late = await this.#answerLate(path, text);
    return SPEAKS_OF_ITS_PLACE.test(text) ? ((await this.#placed(path, late)) ?? late) : late;
  }

  async #answerLate(path: string, text: string): Promise<string | undefined> {
    if (!ASKS_LATE.test(text)) return undefined;
    const code = /\.[cm]?tsx?$|\.jsx$/.test(path) ? await compile(path, {}) : text;
    return answerLateRequires(code, path, async () => [...this.latePackages, ...(await optionalPeersOf(path))]);
  }

  async #placed(path: string, contents: string | undefined): Promise<string | undefined> {
    const names = {
      dirname: '__starkDirname',
      filename: '__starkFilename',
      url: '__starkUrl',
      resolve: '__starkResolve',
      address: '__starkAddress',
    };
    const defined = {
      __dirname: names.dirname,
      __filename: names.filename,
      'import.meta.dirname': names.dirname,
      'import.meta.filename': names.filename,
      'import.meta.url': names.url,
      'import.meta.resolve': names.address,
      'require.resolve': names.resolve,
    };
    const module = await compile(path, defined, contents);
    const used = Object.entries(names).filter(([, name]) => module.includes(name));
    if (used.length === 0) return undefined;
    // The original text, for code that searches the folder: it knows the files by these names.
    this.#speakers.set(
      path,
      await compile(path, { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }),
    );
    const here = `${HERE}(${JSON.stringify(this.#nameOf(path))})`;
    const declared = `var ${used.map(([part, name]) => `${name} = ${here}.${part}`).join(', ')};`;
    const [directive = ''] = /^(["']use strict["'];\n?)/.exec(module) ?? [];
    return `${directive}${declared}${module.slice(directive.length)}`;
  }

  /** For browsers, where nothing but an address can be asked for: files that stand beside the module by name. */
  #anywhere(path: string, text: string): string | undefined {
    let found = false;
    const contents = text.replace(URL_OF_A_FILE, (whole, _quote, name: string) => {
      const file = resolve(dirname(path), name);
      if (!existsSync(file)) return whole;
      found = true;
      this.#speakers.set(path, '');
      this.#found.add(file);
      return `new URL(${HERE}(${JSON.stringify(this.#nameOf(file))}))`;
    });
    return found ? contents : undefined;
  }

  async #read(inputs: ReadonlySet<string>): Promise<string[]> {
    const speakers = [...this.#speakers].filter(([path, text]) => text !== '' && inputs.has(path));
    if (speakers.length === 0) return [];
    const { nodeFileTrace } = await import('@vercel/nft');
    const texts = new Map(speakers);
    const base = resolve('/');
    const { reasons } = await nodeFileTrace([...texts.keys()], {
      base,
      processCwd: this.root,
      // Of scripts that are read as files nothing is followed.
      readFile: async (path) => texts.get(path) ?? (SCRIPT.test(path) ? '' : readFile(path).catch(() => null)),
      // Modules are in the bundle; what a module asks for by a `require` of its own making is a file like others.
      resolve: async (specifier, parent) => {
        const file = resolved(specifier, parent);
        return file !== undefined && !SCRIPT.test(file) && !inputs.has(file) ? file : [];
      },
    });
    for (const [path, text] of texts) await this.#addNamed(path, text);
    for (const [path, { parents = [] }] of reasons) {
      const [importer = path] = parents;
      if (path.endsWith('.node')) this.addons.push({ file: join(base, path), importer: join(base, importer) });
    }
    return (
      [...reasons]
        // Scripts that are read as files are called dependencies there; others were not followed.
        .filter(([, { type }]) => !type.includes('initial'))
        .map(([path]) => join(base, path))
        .filter((path) => !path.endsWith('.node') && !isSource(path, inputs))
    );
  }

  /**
   * Adds files by names that are put together at run time: one beside the module that it speaks of, as compilers to WebAssembly do,
   * one of a package, and all below a folder where the rest is filled in later (`locales/{{language}}/…`).
   */
  async #addNamed(path: string, text: string): Promise<void> {
    for (const [, , name = ''] of text.matchAll(NAME_OF_A_FILE)) {
      if (SCRIPT.test(name) || name.endsWith('.node')) continue;
      for (const file of [resolve(dirname(path), name), resolved(name, path)]) {
        if (file !== undefined && (await stat(file).catch(() => undefined))?.isFile()) this.#found.add(file);
      }
    }
    if (GIVES_ITS_FOLDER.test(text) && path.includes(`${sep}node_modules${sep}`)) {
      const folder = dirname(path);
      const files = (await filesBelow(folder, path)).filter(
        (file) => !/\.map$|(^|[\\/])node_modules[\\/]/.test(relative(folder, file)),
      );
      if (files.length <= MAX_OF_A_PATTERN) for (const file of files) this.#found.add(file);
    }
    for (const [, , name = ''] of text.matchAll(PATTERN_OF_FILES)) {
      const folder = resolve(dirname(path), name.replace(/^\/+/, ''));
      const files = folder === dirname(path) ? [] : await filesBelow(folder, name).catch(() => []);
      if (files.length <= MAX_OF_A_PATTERN) for (const file of files) this.#found.add(file);
    }
  }

  /** Where a file is in the archive: by its way from the project, upwards by the number of steps. */
  #nameOf(path: string): string {
    const steps = relative(this.root, path).split(sep);
    const up = steps.filter((step) => step === '..').length;
    return [...(up === 0 ? [] : ['.outside', String(up)]), ...steps.slice(up)].join('/');
  }
}

/** Folders of sources are never read at run time on purpose, as far as what is in the bundle goes. */
function isSource(path: string, inputs: ReadonlySet<string>): boolean {
  return inputs.has(path) && SCRIPT.test(path);
}

/** The file of a package, or beside the one that asks; nothing where that is none. */
function resolved(specifier: string, parent: string): string | undefined {
  try {
    const file = createRequire(parent).resolve(specifier);
    return isAbsolute(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

async function compile(path: string, define: Record<string, string>, contents?: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    ...(contents === undefined
      ? { entryPoints: [path] }
      : { stdin: { contents, sourcefile: path, resolveDir: dirname(path), loader: 'js' } }),
    bundle: false,
    write: false,
    absWorkingDir: process.cwd(),
    define,
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

function loaderOf(path: string): 'js' | 'jsx' | 'ts' | 'tsx' {
  const [, language = 'js', x = ''] = /\.[cm]?([jt]s)(x?)$/.exec(path) ?? [];
  return `${language}${x}` as 'js' | 'jsx' | 'ts' | 'tsx';
}

async function filesBelow(path: string, name: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw usageError(`package.json names ${name} among stark.assets, and it does not exist`);
  if (found.isFile()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
