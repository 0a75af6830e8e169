import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export async function aFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stark-agent-')));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A chain of folders longer than any path, with a file at its end. */
export function makeChain(root: string): void {
  const name = 'd'.repeat(200);
  const piece = Array.from({ length: 12 }, () => name).join('/');
  mkdirSync(join(root, piece), { recursive: true });
  writeFileSync(join(root, piece, 'end'), 'x');
  for (let n = 0; n < 30; n++) {
    mkdirSync(join(root, 'next', piece), { recursive: true });
    renameSync(join(root, name), join(root, 'next', piece, name));
    renameSync(join(root, 'next', name), join(root, name));
    if (existsSync(join(root, 'next'))) renameSync(join(root, 'next'), join(root, `rest-${n}`));
  }
}
