import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askStack, controlPath, takeControl } from '../src/control.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'stark-control-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const handlers = { status: () => ({ pid: process.pid }), stop: async () => {} };

describe('the control socket', () => {
  it('answers status and stop, and nobody else may open it', async () => {
    let stopped = false;
    const control = await takeControl(dataDir, {
      ...handlers,
      stop: async () => {
        stopped = true;
      },
    });
    expect(await askStack(dataDir, 'status')).toEqual({ pid: process.pid });
    await askStack(dataDir, 'stop');
    expect(stopped).toBe(true);
    expect((await stat(controlPath(dataDir))).mode & 0o777).toBe(0o600);
    control.release();
    expect(await askStack(dataDir, 'status')).toBeUndefined();
  });

  it('refuses a second owner and names the first', async () => {
    const control = await takeControl(dataDir, handlers);
    await expect(takeControl(dataDir, handlers)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    control.release();
  });

  it('lets only one of several at once have the directory', async () => {
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => takeControl(dataDir, handlers)));
    const winners = all.filter((one) => one.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    winners[0]?.value.release();
  });

  it('is free again after its owner was killed', async () => {
    const owner = fork(new URL('fixtures/hold-control.mjs', import.meta.url), [dataDir], { stdio: 'ignore' });
    await once(owner, 'message');
    expect(await askStack(dataDir, 'status')).toEqual({ pid: owner.pid });
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => takeControl(dataDir, handlers)));
    const winners = all.filter((one) => one.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    expect(await askStack(dataDir, 'status')).toEqual({ pid: process.pid });
    winners[0]?.value.release();
  });

  it('of a stack whose lock file was removed is not taken from it', async () => {
    const control = await takeControl(dataDir, handlers);
    await rm(join(dataDir, 'stack.lock'));
    await expect(takeControl(dataDir, handlers)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`pid ${process.pid}`),
    });
    expect(await askStack(dataDir, 'status')).toEqual({ pid: process.pid });
    control.release();
  });

  it('is not taken from a stack that stands still', async () => {
    const owner = fork(new URL('fixtures/hold-control.mjs', import.meta.url), [dataDir], { stdio: 'ignore' });
    await once(owner, 'message');
    owner.kill('SIGSTOP');
    try {
      await expect(takeControl(dataDir, handlers)).rejects.toMatchObject({
        code: 'DATA_DIR_IN_USE',
        message: expect.stringContaining(`pid ${owner.pid}`),
      });
    } finally {
      owner.kill('SIGKILL');
      await once(owner, 'exit');
    }
  });

  it.each([
    ['the number of a living process', JSON.stringify({ pid: process.pid })],
    ['half a line', '{"pi'],
  ])('is to be had though a dead stack left a lock file with %s, and a file for a socket', async (_, text) => {
    await writeFile(join(dataDir, 'stack.lock'), text);
    await writeFile(controlPath(dataDir), '');
    const control = await takeControl(dataDir, handlers);
    expect(await askStack(dataDir, 'status')).toEqual({ pid: process.pid });
    control.release();
  });

  it('cannot be had where nothing can be locked, and says so', async () => {
    await mkdir(join(dataDir, 'stack.lock'));
    await expect(takeControl(dataDir, handlers)).rejects.toMatchObject({
      code: 'LOCK_UNAVAILABLE',
      message: expect.stringMatching(/^cannot lock .*stack.lock: EISDIR/),
      hint: expect.stringContaining('--data-dir'),
    });
  });

  it('leaves the lock when it cannot listen', async () => {
    await mkdir(join(controlPath(dataDir), 'in the way'), { recursive: true });
    await expect(takeControl(dataDir, handlers)).rejects.toThrow(/EISDIR|ERR_FS_EISDIR|directory/i);
    await rm(controlPath(dataDir), { recursive: true });
    (await takeControl(dataDir, handlers)).release();
  });

  it('works for a data directory too deep for a socket path', async () => {
    const deep = join(dataDir, 'x'.repeat(120));
    const control = await takeControl(deep, handlers);
    expect(await askStack(deep, 'status')).toEqual({ pid: process.pid });
    control.release();
  });

  it('passes on why a stop was refused', async () => {
    const control = await takeControl(dataDir, {
      ...handlers,
      stop: async () => {
        throw new Error('busy');
      },
    });
    await expect(askStack(dataDir, 'stop')).rejects.toThrow('busy');
    control.release();
  });
});
