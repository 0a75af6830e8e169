import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { relative, resolve } from 'node:path';
import { StarkError } from '@stark-o/core/errors';
import type { BuildResult, Message } from 'esbuild';
import { type LeftOut, packageOf } from './dependencies.js';

/** What esbuild answers when it writes nothing, with what stands in the bundle. */
export type Built = BuildResult<{ write: false; metafile: true }>;

/** What does the work of widely used addons without a compiled part. */
const INSTEAD: Readonly<Record<string, string>> = {
  argon2: 'hash-wasm',
  bcrypt: 'bcryptjs',
  'better-sqlite3': 'node-sqlite3-wasm (pragma synchronous = off) or sql.js, or a database beside the pod',
  canvas: 'pureimage or canvaskit-wasm',
  sharp: 'jimp or wasm-vips',
  sqlite3: 'node-sqlite3-wasm (pragma synchronous = off) or sql.js, or a database beside the pod',
};

/** What a pod cannot do, however its pack asks for it. */
const NOT_IN_A_POD: Readonly<Record<string, string>> = {
  child_process: 'start other programs',
  cluster: 'start other processes',
  worker_threads: 'start threads',
};

/** What a package asks of its machine that a pod has not, and how its user does without: not said where the pack's own sources say it. */
const ASKS_FOR_MORE: Readonly<Record<string, { what: string; isSaid: RegExp }>> = {
  'node-sqlite3-wasm': {
    what: 'a pod has no fsync, by which SQLite fails with a disk I/O error: execute "pragma synchronous = off" first',
    isSaid: /\bsynchronous\s*=\s*(off|0)\b/i,
  },
};

const MAX_LINES = 20;

/** The refusal of packs that need a compiled addon, with the way by which each comes in. */
export function notForPods(addons: readonly LeftOut[], built: Built): StarkError {
  const names = [...new Set(addons.map(({ name }) => name))];
  const known = names.flatMap((name) => (INSTEAD[name] === undefined ? [] : [`${INSTEAD[name]} for ${name}`]));
  return new StarkError(
    `${names.join(', ')} cannot run in a pod: ${names.length === 1 ? 'it has' : 'they have'} a compiled addon`,
    {
      code: 'BUNDLE_INVALID',
      details: addons.map(({ name, importer }) => wayTo(name, importer, built)),
      hint: `use ${known.length > 0 ? known.join('; ') : 'a build of it in WebAssembly or JavaScript, or run it as a service that the pod calls'}; --external ${names[0]} leaves it out if the pack can do without`,
    },
  );
}

/** esbuild writes no types into the program, and what asks for them there at run time would find nothing. */
export async function refuseDecoratorMetadata(built: Built): Promise<void> {
  const sources = Object.keys(built.metafile.inputs).filter((path) => /\.[cm]?tsx?$/.test(path));
  for (const path of sources) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (!text.includes('@') || !(await emitsMetadata(path)) || !(await hasDecorators(text, path))) continue;
    throw new StarkError(
      `${path} has decorators, and its tsconfig.json wants emitDecoratorMetadata, which a bundler cannot do`,
      {
        code: 'BUNDLE_INVALID',
        details: [chainTo(resolve(path), built).join(' → ')],
        hint: 'compile with tsc first and bundle what it wrote: "stark": { "entry": "dist/index.js" }',
      },
    );
  }
}

/**
 * A bundler gives `require` a module whose values are not there yet when it, or one that it imports, awaits something at its top
 * level; Node.js refuses to. Which modules wait only their text tells.
 */
export async function refuseLateModules(built: Built): Promise<void> {
  const { inputs } = built.metafile;
  const waits = new Map<string, boolean>();
  for (const [path, { imports }] of Object.entries(inputs)) {
    for (const { path: required, kind, original } of imports) {
      if (kind !== 'require-call' || inputs[required]?.format !== 'esm') continue;
      const reached = new Set([required]);
      for (const file of reached) {
        if (!waits.has(file)) waits.set(file, await hasTopLevelAwait(file));
        if (waits.get(file)) throw requiredTooEarly(path, original ?? required, file, built);
        for (const one of inputs[file]?.imports ?? []) {
          if (one.kind === 'import-statement' && inputs[one.path]?.format === 'esm') reached.add(one.path);
        }
      }
    }
  }
}

function requiredTooEarly(path: string, specifier: string, waiting: string, built: Built): StarkError {
  return new StarkError(`${path} cannot require "${specifier}": it awaits something before it has its exports`, {
    code: 'BUNDLE_INVALID',
    details: [[...chainTo(resolve(path), built), waiting].join(' → ')],
    hint: 'ask for it by await import(…)',
  });
}

async function hasTopLevelAwait(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (!/\bawait\b/.test(text)) return false;
  const [{ transform }, { parse }] = await Promise.all([import('esbuild'), import('acorn')]);
  const loader = /tsx?$/.test(path) ? (path.endsWith('x') ? 'tsx' : 'ts') : 'jsx';
  const { code } = await transform(text, { loader, format: 'esm', target: 'esnext' });
  return awaits(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }));
}

function awaits(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some(awaits);
  const { type = '', await: isAwaited, ...parts } = node as { type?: string; await?: boolean };
  if (type === 'AwaitExpression' || (type === 'ForOfStatement' && isAwaited === true)) return true;
  return !/Function|^PropertyDefinition$|^StaticBlock$/.test(type) && Object.values(parts).some(awaits);
}

const READS_BY_NAME =
  /\b(?:readFile|readFileSync|createReadStream|readdir|readdirSync)\(\s*(["'`])((?:\.{1,2}\/)?[\w@][\w@./-]*)\1/g;

/**
 * What the pack's own sources do not know of pods: they read files by the folder that they are started in, which is the empty data folder,
 * or they use a package without saying what it needs here.
 */
export async function unawareOfPods(root: string, inputs: ReadonlySet<string>): Promise<string[]> {
  const lines: string[] = [];
  const asking = new Set([...inputs].map(packageOfInput).filter((name) => Object.hasOwn(ASKS_FOR_MORE, name)));
  for (const path of inputs) {
    if (packageOfInput(path) !== '' || !/\.[cm]?[jt]sx?$/.test(path)) continue;
    const text = await readFile(path, 'utf8').catch(() => '');
    for (const name of asking) if (ASKS_FOR_MORE[name]?.isSaid.test(text)) asking.delete(name);
    const names = [...text.matchAll(READS_BY_NAME)].map(([, , name = '']) => name);
    const read = names.find((name) => existsSync(resolve(root, name)));
    const what = read ?? (/\bprocess\.cwd\(\)/.test(text) ? 'files' : undefined);
    if (what === undefined) continue;
    const instead = 'name them by import.meta.url or __dirname, or under stark.assets in package.json for ctx.assets';
    const reason = 'by the current folder, which in a pod is its own data folder';
    lines.push(`${relative(process.cwd(), path)} asks for ${what} ${reason}: ${instead}`);
  }
  return [...lines, ...[...asking].map((name) => `${name}: ${ASKS_FOR_MORE[name]?.what}`)];
}

async function hasDecorators(text: string, path: string): Promise<boolean> {
  const { transform } = await import('esbuild');
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  const { code } = await transform(text, { loader: path.endsWith('x') ? 'tsx' : 'ts', tsconfigRaw });
  return code.includes('__decorateClass');
}

async function emitsMetadata(path: string): Promise<boolean> {
  const { getTsconfig } = await import('get-tsconfig');
  return getTsconfig(resolve(path))?.config.compilerOptions?.emitDecoratorMetadata === true;
}

/** What may go wrong with a bundle when it runs: esbuild's own warnings, what was left out, and what a pod cannot do. */
export function warningsOf(built: Built, leftOut: readonly LeftOut[]): string[] {
  const lines = built.warnings.map(describe);
  const said = new Set<string>();
  for (const { name, importer, why } of leftOut) {
    if (said.has(name)) continue;
    said.add(name);
    const reason = { missing: 'it is not installed', external: 'as you said', native: 'it has a compiled addon' }[why];
    lines.push(`${name} is not in the bundle, ${reason}: ${chainTo(importer, built).join(' → ')} must do without`);
  }
  for (const name of outsideOf(built)) {
    if (said.has(packageOf(name))) continue;
    const [importer] =
      Object.entries(built.metafile.inputs).find(([, { imports }]) => imports.some(({ path }) => path === name)) ?? [];
    const asker = importer === undefined ? 'what asks for it' : chainTo(resolve(importer), built).join(' → ');
    lines.push(`${name} is not in the bundle, it is not installed: ${asker} must do without`);
  }
  for (const [path, { imports }] of Object.entries(built.metafile.inputs)) {
    for (const { path: module, external } of imports) {
      const bare = module.replace(/^node:/, '');
      const what = external === true ? NOT_IN_A_POD[bare] : undefined;
      const owner = packageOfInput(path);
      if (what === undefined || said.has(`${owner} ${bare}`)) continue;
      said.add(`${owner} ${bare}`);
      lines.push(`a pod cannot ${what}: ${[...chainTo(resolve(path), built), module].join(' → ')}`);
    }
  }
  return lines.length <= MAX_LINES ? lines : [...lines.slice(0, MAX_LINES), `and ${lines.length - MAX_LINES} more`];
}

function outsideOf(built: Built): string[] {
  const imports = Object.values(built.metafile.outputs).flatMap((output) => output.imports);
  const names = imports.filter(({ path, external }) => external === true && !isBuiltin(path)).map(({ path }) => path);
  return [...new Set(names)];
}

/** A message of esbuild in one line, with its place. */
export const describe = ({ text, location }: Message) =>
  location === null ? text : `${location.file}:${location.line}:${location.column}: ${text}`;

function wayTo(name: string, importer: string, built: Built): string {
  const chain = chainTo(importer, built);
  return (chain.at(-1) === name ? chain : [...chain, name]).join(' → ');
}

/** The shortest way from the pack's entry to a file: files of the project, then packages, each imported by the one before it. */
export function chainTo(file: string, { metafile }: Built): string[] {
  const target = relative(process.cwd(), file);
  const entry =
    Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint !== undefined)?.entryPoint ?? target;
  const importers = new Map<string, string | undefined>([[entry, undefined]]);
  for (const path of importers.keys()) {
    for (const { path: imported } of metafile.inputs[path]?.imports ?? []) {
      if (!importers.has(imported)) importers.set(imported, path);
    }
  }
  const chain: string[] = [];
  for (let at: string | undefined = target; at !== undefined; at = importers.get(at)) {
    const name = packageOfInput(at) || at;
    if (chain[0] !== name) chain.unshift(name);
  }
  return chain;
}

function packageOfInput(path: string): string {
  return /node_modules\/((@[^/]+\/)?[^/]+)(?!.*node_modules\/)/.exec(path)?.[1] ?? '';
}
