import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where `npm test` keeps, for as long as it runs, folders that many test files begin with. */
const place = process.env.STARK_TEST_PREPARED_DATA;

/**
 * Makes `folder` a copy of one that `make` has filled once for all test files of this run. False when nothing is kept, outside
 * `npm test` and where `cp` is not there: the folder is then as it was.
 */
export async function copyPrepared(name, folder, make) {
  if (place === undefined || process.platform === 'win32') return false;
  const kept = `${place}-${name}`;
  if (!existsSync(kept)) {
    const draft = await mkdtemp(`${kept}-`);
    try {
      await make(join(draft, 'data'));
      // When another test file was faster, its folder is there already.
      await rename(join(draft, 'data'), kept).catch(() => {});
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }
  // Postgres wants its files with the owner and the modes that they had.
  await promisify(execFile)('cp', ['-a', kept, folder]);
  return true;
}
