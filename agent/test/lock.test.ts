import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockDirectory } from '../src/node/lock.js';
import { aFolder } from './support/folder.js';

describe('the lock of a folder', () => {
  it('keeps a second agent out, and names the first', async () => {
    const folder = await aFolder();
    const unlock = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'NODE_IN_USE',
      message: `another agent (process ${process.pid}) already works on ${folder}`,
    });
    unlock();
    (await lockDirectory(folder))();
    expect(await readdir(folder)).toEqual(['agent.lock']);
  });

  it.each([
    ['of a process that is gone', '{"pid":4194305,"started":"1"}'],
    ['of a process whose number was given away again', JSON.stringify({ pid: process.pid })],
    ['of process 1 of an earlier container', '{"pid":1}'],
    ['that was torn', '{"pi'],
  ])('%s goes to one of many that find it at once', async (_, text) => {
    const folder = await aFolder();
    await writeFile(join(folder, 'agent.lock'), text);
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(folder)));
    const [unlock, ...others] = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(others).toEqual([]);
    expect(await readdir(folder)).toEqual(['agent.lock']);
    unlock?.();
  });

  it('that cannot be had there names the way out', async () => {
    const folder = await aFolder();
    await mkdir(join(folder, 'agent.lock'));
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      message: expect.stringContaining(`cannot lock ${join(folder, 'agent.lock')}: EISDIR`),
      hint: expect.stringContaining('--data-dir'),
    });
  });
});
