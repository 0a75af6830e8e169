import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { StarkError, usageError } from '@stark-o/core/errors';
import { upwards } from '../config/directories.js';
import { readJsonFile } from '../config/files.js';

/** A website: a project that makes static files, or the files themselves. */
export interface Site {
  directory: string;
  kind: 'nuxt' | 'vite' | 'static';
}

const lastLines = 20;

/** What website a folder is, if it is one: by its config file, or by its index.html. */
export async function findSite(path: string): Promise<Site | undefined> {
  const directory = resolve(path);
  const names = await readdir(directory).catch(() => [] as string[]);
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (has(/^nuxt\.config\.[cm]?[jt]s$/)) return { directory, kind: 'nuxt' };
  if (!has(/^index\.html$/)) return undefined;
  if (has(/^vite\.config\.[cm]?[jt]s$/)) return { directory, kind: 'vite' };
  const { dependencies, devDependencies } = (await readJsonFile(join(directory, 'package.json'))) ?? {};
  const uses = Object.keys({ ...(dependencies as object), ...(devDependencies as object) });
  return { directory, kind: uses.includes('vite') ? 'vite' : 'static' };
}

/** Makes the site's static files, hands over the folder they are in, and tidies up. */
export async function withStaticFiles<T>(site: Site, use: (folder: string) => Promise<T>): Promise<T> {
  const { directory, kind } = site;
  if (kind === 'static') return use(directory);
  if (kind === 'nuxt') {
    await generate(site, ['generate'], { NUXT_APP_BASE_URL: '/' });
    return use(await outputOf(site, join(directory, '.output', 'public')));
  }
  const folder = await mkdtemp(join(tmpdir(), 'stark-site-'));
  try {
    await generate(site, ['build', '--base', '/', '--outDir', folder, '--emptyOutDir'], {});
    return await use(await outputOf(site, folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function outputOf({ directory, kind }: Site, folder: string): Promise<string> {
  if ((await stat(join(folder, 'index.html')).catch(() => undefined))?.isFile()) return folder;
  throw new StarkError(`${kind} made no index.html of ${directory}`, {
    code: 'BUNDLE_INVALID',
    hint: 'a web pack is a static site: it needs a page, in the folder where its tool puts one by default',
  });
}

async function generate(site: Site, args: string[], env: Record<string, string>): Promise<void> {
  const { directory, kind } = site;
  const output: string[] = [];
  const child = spawn(process.execPath, [await programOf(site), ...args], {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CI: '1', NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(String(chunk)));
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code === 0) return;
  const said = output
    .join('')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  throw new StarkError(`${kind} ${args[0]} failed in ${directory}`, {
    code: 'BUNDLE_INVALID',
    details: said.slice(-lastLines),
    hint: `cd ${directory} && npx ${kind} ${args[0]}`,
  });
}

// The program itself and not the link in .bin, which is a shell script on Windows.
async function programOf({ directory, kind }: Site): Promise<string> {
  for (const folder of upwards(directory)) {
    const home = join(folder, 'node_modules', kind);
    const text = await readFile(join(home, 'package.json'), 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const { bin } = JSON.parse(text) as { bin?: string | Record<string, string> };
    const program = typeof bin === 'string' ? bin : bin?.[kind];
    if (program !== undefined) return join(home, program);
  }
  throw usageError(`${directory} is a ${kind} project, and ${kind} is not installed there`, await installOf(directory));
}

async function installOf(directory: string): Promise<string> {
  const names = await readdir(directory);
  const manager = names.includes('pnpm-lock.yaml') ? 'pnpm' : names.includes('yarn.lock') ? 'yarn' : 'npm';
  return `cd ${directory} && ${manager} install`;
}
