// Writes supabase/functions/_shared/version.ts: a hash of the Edge Functions' sources, which the functions answer and `stark doctor`
// compares with its own. With --check it writes nothing and fails when they differ. Part of npm run types.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isProgram, writeOrCheck } from './db/command-line.mjs';

const folder = fileURLToPath(new URL('../supabase/functions', import.meta.url));

/** The file that says the version, which is no part of it. */
export const versionPath = join(folder, '_shared/version.ts');

/** Text of that file for the sources as they are. */
export async function versionFile() {
  const files = (await readdir(folder, { recursive: true }))
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.(ts|json)$/.test(file) && join(folder, file) !== versionPath)
    .sort();
  const hash = createHash('sha256');
  for (const file of files)
    hash.update(`${file}\n${(await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')}\n`);
  return `/** Hash of the sources of all functions. Written by npm run types; do not edit. */
export const VERSION = '${hash.digest('hex').slice(0, 12)}';
`;
}

if (isProgram(import.meta.url)) await writeOrCheck(versionPath, await versionFile(), 'npm run types');
