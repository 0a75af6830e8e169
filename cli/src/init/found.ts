import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '@stark-o/core/errors';
import type { PackRuntime } from '@stark-o/core/model';
import { findSite } from '../web/site.js';

/** What a folder holds before anything is written. */
export interface FoundProject {
  name?: string;
  version?: string;
  /** It has a member `stark` in its package.json, which says the rest. */
  isPack: boolean;
  /** The website or framework that was recognised. */
  framework?: string;
  runtime?: PackRuntime;
  /** What is bundled, from the folder: `.`, or the file that exports a pack. */
  source?: string;
  /** The program of the project, where it exports no pack: what a pack would start. */
  program?: string;
}

/** Frameworks by the packages that they come in; the first that is there. */
const FRAMEWORKS: Readonly<Record<string, string>> = {
  '@nestjs/core': 'NestJS',
  fastify: 'Fastify',
  express: 'Express',
  koa: 'Koa',
  hono: 'Hono',
  next: 'Next.js',
};

const ENTRIES = ['src/pack.ts', 'src/pack.js', 'src/index.ts', 'src/index.js', 'src/main.ts', 'src/server.ts'];
const MORE_ENTRIES = ['src/server.js', 'index.ts', 'index.js', 'index.mjs', 'server.js', 'server.ts'];

/** Looks at a folder: its package.json, framework and entry. Nothing of it is run. */
export async function lookAt(folder: string): Promise<FoundProject> {
  const json = await readPackageJson(folder);
  const named = {
    ...(typeof json?.name === 'string' && { name: json.name }),
    ...(typeof json?.version === 'string' && { version: json.version }),
    isPack: typeof json?.stark === 'object' && json.stark !== null,
  };
  if (named.isPack) return { ...named, source: '.' };
  const site = await findSite(folder);
  if (site !== undefined) {
    const framework = { nuxt: 'Nuxt', vite: 'Vite', static: 'a page' }[site.kind];
    return { ...named, framework, runtime: 'isomorphic', source: '.' };
  }
  const installed = { ...textsOf(json?.dependencies), ...textsOf(json?.devDependencies) };
  const [, framework] = Object.entries(FRAMEWORKS).find(([name]) => name in installed) ?? [];
  const about = { ...named, runtime: 'node' as const, ...(framework !== undefined && { framework }) };
  const main = typeof json?.main === 'string' ? [json.main] : [];
  for (const path of [...ENTRIES, ...MORE_ENTRIES, ...main]) {
    const text = await readFile(join(folder, path), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    return exportsPack(text) ? { ...about, source: `./${path.replace(/^\.\//, '')}` } : { ...about, program: path };
  }
  return about;
}

/** A pack is a function that a module exports as its default. */
const exportsPack = (text: string) => /^export default (async )?function\b|^export default (async )?\(/m.test(text);

const textsOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

async function readPackageJson(folder: string): Promise<Record<string, unknown> | undefined> {
  const path = join(folder, 'package.json');
  if ((await stat(path).catch(() => undefined)) === undefined) return undefined;
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw usageError(`${path} is not valid JSON: ${(error as Error).message}`);
  }
}
