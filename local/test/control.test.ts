import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
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
