import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { createLogger, startStack } from '@stark-o/local';

/** Where `npm test` keeps, for as long as it runs, the data directory of a stack that was started and stopped once. */
const prepared = process.env.STARK_TEST_PREPARED_DATA;

/**
 * Fills a data directory that is not there yet with one in which every migration has run, so that the start of a stack takes
 * half a second and not four. Its keys are those of every other such directory. Does nothing outside `npm test`.
 */
export async function prepareData(dataDir: string, workdir: string): Promise<void> {
  if (prepared === undefined || process.platform === 'win32') return;
  if (!existsSync(prepared)) await makePrepared(prepared, workdir);
  // Postgres wants its files with the owner and the modes that they had.
  await promisify(execFile)('cp', ['-a', prepared, dataDir]);
}

async function makePrepared(target: string, workdir: string): Promise<void> {
  const dataDir = await mkdtemp(`${target}-`);
  const log = createLogger({ level: 'silent' });
  const stack = await startStack({ workdir, dataDir, port: 0, dbPort: 0, durable: false, log });
  await stack.stop();
  try {
    await rename(dataDir, target);
  } catch {
    // Another test file was faster.
    await rm(dataDir, { recursive: true, force: true });
  }
}
