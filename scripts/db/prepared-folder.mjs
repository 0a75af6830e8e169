import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { tryLock } from '../../file-lock/dist/index.js';

/** Where `npm test` keeps, for as long as it runs, folders that many test files begin with. */
const place = process.env.STARK_TEST_PREPARED_DATA;

// The slowest of them (a server, the platform's schemas, all migrations) takes ten seconds on a busy machine.
const deadlineMs = 120_000;

/**
 * Makes `folder` a copy of one that `make` has filled once for all test files of this run. False when nothing is kept, outside
 * `npm test` and where `cp` is not there: the folder is then as it was.
 */
export async function copyPrepared(name, folder, make) {
  if (place === undefined || process.platform === 'win32') return false;
  const kept = `${place}-${name}`;
  await makeOnce(kept, make);
  // Postgres wants its files with the owner and the modes that they had.
  await promisify(execFile)('cp', ['-a', kept, folder]);
  return true;
}

/** Fills `kept` in one process while the others wait for it: what takes one of them seconds would take all of them longer. */
async function makeOnce(kept, make) {
  const draft = `${kept}.draft`;
  const deadline = Date.now() + deadlineMs;
  while (!existsSync(kept)) {
    const lock = tryLock(`${kept}.lock`);
    if (lock !== undefined) {
      try {
        // Another process may have finished between the two looks.
        if (existsSync(kept)) return;
        await rm(draft, { recursive: true, force: true });
        await mkdir(draft);
        await make(join(draft, 'data'));
        await rename(join(draft, 'data'), kept);
        await rm(draft, { recursive: true, force: true });
      } finally {
        lock.release();
      }
    } else if (Date.now() > deadline)
      throw new Error(`waited ${deadlineMs / 1000} s for another process to make ${kept}`);
    else await sleep(50);
  }
}
