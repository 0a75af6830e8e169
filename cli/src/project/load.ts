import { lstat, open, readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { type PlacedProblem, readProjectDocument, type StatedObject } from '@stark-o/core';
import { StarkError, usageError } from '@stark-o/core/errors';
import { readStdin } from '../base/prompt.js';
import { nearest } from '../base/suggest.js';
import { refuseForeign } from '../config/owner.js';
import { textOf } from '../config/text.js';
import { readConfigModule } from './config-module.js';
import type { ParsedDocument } from './yaml-file.js';

/** An object of a file, and where it stands. */
export interface LoadedObject extends StatedObject {
  /** `file:line:column`, for messages. */
  place: string;
  /** The folder that paths in it begin in. */
  directory: string;
}

/** All that files say should be. */
export interface LoadedProject {
  /** Name of the set, where a file has one. */
  name?: string;
  objects: LoadedObject[];
  files: string[];
}

/** What a project is written in, the first that is there. */
export const PROJECT_FILES = [
  'stark.config.ts',
  'stark.config.mts',
  'stark.config.js',
  'stark.config.mjs',
  'stark.yaml',
  'stark.yml',
];

const isModule = (path: string) => /\.[cm]?[jt]s$/.test(path);
/** The largest file: what a call takes is less. */
const MOST_BYTES = 2 * 1024 * 1024;

/** The file that describes the project of a folder. */
export async function findProjectFile(folder: string): Promise<string | undefined> {
  for (const name of PROJECT_FILES) {
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) continue;
    // Nobody named it, and a module of it is run.
    refuseForeign(path, found);
    return path;
  }
  return undefined;
}

/** Reads files, folders, `-` for standard input; without any the project of this folder. All that is wrong with them is told at once. */
export async function loadProject(
  paths: readonly string[],
  options: { namespace: string; recursive?: boolean },
): Promise<LoadedProject> {
  const files = (
    await Promise.all((await sourcesOf(paths)).map((path) => filesIn(path, options.recursive === true)))
  ).flat();
  const project: LoadedProject = { objects: [], files };
  const problems: string[] = [];
  let named: { name: string; place: string } | undefined;
  for (const file of new Set(files)) {
    const directory = file === '-' ? process.cwd() : dirname(resolve(file));
    for (const document of await documentsOf(file)) {
      const read = readProjectDocument(document.value, options);
      if ('problems' in read) {
        problems.push(...read.problems.map((problem) => describe(problem, document)));
        continue;
      }
      if (read.name !== undefined) {
        const place = document.placeOf(['name']);
        if (named !== undefined && named.name !== read.name) {
          problems.push(`${place}: name is "${read.name}" here, and "${named.name}" in ${named.place}`);
        }
        named ??= { name: read.name, place };
      }
      for (const object of read.objects) {
        project.objects.push({ ...object, directory, place: document.placeOf(object.path) });
      }
    }
  }
  const [first, ...others] = problems;
  if (first !== undefined) {
    throw new StarkError(first, { code: 'INVALID_MANIFEST', ...(others.length > 0 && { details: others }) });
  }
  return { ...project, ...(named !== undefined && { name: named.name }) };
}

async function sourcesOf(paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length > 0) return paths;
  const found = await findProjectFile(process.cwd());
  if (found !== undefined) return [relative(process.cwd(), found)];
  throw usageError(
    'there is neither a stark.config.ts nor a stark.yaml in this folder',
    'name files with --filename, or make one: docs/apply.md shows what stands in it',
  );
}

/** Files that stand beside manifests and are none. */
const others = new Set([
  'stark.json',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'jsconfig.json',
  'deno.json',
]);
const endings = new Set(['.yaml', '.yml', '.json']);

async function filesIn(path: string, recursive: boolean): Promise<string[]> {
  if (path === '-') return [path];
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new StarkError(`${path} does not exist`, { code: 'FILE_NOT_FOUND', status: 404 });
  if (!found.isDirectory()) return [path];
  const project = await findProjectFile(path);
  if (project !== undefined) return [project];
  const entries = await readdir(path, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) {
      if (recursive && entry.name !== 'node_modules' && !entry.name.startsWith('.')) {
        files.push(...(await filesIn(inside, recursive).catch(unlessEmpty)));
      }
    } else if (endings.has(extname(entry.name)) && !others.has(entry.name)) files.push(inside);
  }
  if (files.length === 0) throw empty(path);
  return files;
}

const empty = (path: string) =>
  new StarkError(`${path} has no ${[...endings].join(', ')} in it, and no project`, {
    code: 'FILE_NOT_FOUND',
    status: 404,
  });

function unlessEmpty(error: unknown): string[] {
  if (error instanceof StarkError && error.code === 'FILE_NOT_FOUND') return [];
  throw error;
}

async function documentsOf(file: string): Promise<ParsedDocument[]> {
  if (file !== '-' && isModule(file)) {
    const path = resolve(file);
    const value = await readConfigModule(path);
    return [{ value, placeOf: () => file }];
  }
  const { parseDocuments } = await import('./yaml-file.js');
  return file === '-' ? parseDocuments(await readStdin(), 'standard input') : parseDocuments(await textIn(file), file);
}

async function textIn(path: string): Promise<string> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw usageError(`cannot read ${path}: ${error.code}`);
  });
  try {
    const { size } = await file.stat();
    if (size > MOST_BYTES) {
      throw usageError(
        `${path} has ${size} bytes, and a file of objects at most ${MOST_BYTES}`,
        'share them out to several projects',
      );
    }
    return textOf(await file.readFile());
  } finally {
    await file.close();
  }
}

function describe({ path, message, known, word }: PlacedProblem, document: ParsedDocument): string {
  const field = fieldOf(path);
  const meant = known === undefined ? undefined : nearest(word ?? String(path.at(-1)), known);
  const suggestion = meant === undefined ? '' : `; did you mean ${meant}?`;
  const said = [field, message].filter(Boolean).join(' ');
  return `${document.placeOf(path, { key: known !== undefined && word === undefined })}: ${said}${suggestion}`;
}

function fieldOf(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
