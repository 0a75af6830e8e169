import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../harness/stack.js';

const here = join(root, 'tests', 'packs');

/** A folder with the packs and the libraries that they need, installed once for each state of the package.json. */
export async function installed(project: 'project' | 'small'): Promise<string> {
  const manifest = await readFile(join(here, project, 'package.json'));
  const sum = createHash('sha256').update(manifest).digest('hex').slice(0, 16);
  const folder = join(root, 'node_modules', '.cache', 'packs', sum);
  const isThere = await readFile(join(folder, 'package.json')).catch(() => undefined);
  if (isThere === undefined) {
    // Aside, so that another run never finds half of it.
    const aside = `${folder}.${process.pid}`;
    await mkdir(aside, { recursive: true });
    try {
      await cp(join(here, project, 'package.json'), join(aside, 'package.json'));
      const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock'];
      await promisify(execFile)('npm', ['install', ...flags], { cwd: aside, maxBuffer: 1e8 });
      await rename(aside, folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOTEMPTY') throw error;
      });
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
  }
  await cp(join(here, 'project', 'src'), join(folder, 'src'), { recursive: true });
  return folder;
}
