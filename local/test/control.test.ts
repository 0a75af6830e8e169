import { fork } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lchown, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { askStack, takeControl } from '../src/control.js';
import { findControl } from '../src/control-place.js';

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
    expect((await stat(await findControl(dataDir))).mode & 0o777).toBe(0o600);
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
    await writeFile(await findControl(dataDir), '');
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
    await mkdir(join(await findControl(dataDir), 'in the way'), { recursive: true });
    await expect(takeControl(dataDir, handlers)).rejects.toThrow(/EISDIR|ERR_FS_EISDIR|directory/i);
    await rm(await findControl(dataDir), { recursive: true });
    (await takeControl(dataDir, handlers)).release();
  });

  describe('of a data directory too deep for a socket path', () => {
    const deep = () => join(dataDir, 'x'.repeat(120));
    const elsewhere = (name: string) => mkdtemp(join(tmpdir(), `stark-${name}-`));
    afterEach(() => {
      vi.unstubAllEnvs();
      vi.restoreAllMocks();
    });

    it('is in the user’s runtime folder, and found by who has another environment', async () => {
      const runtime = await elsewhere('run');
      vi.stubEnv('XDG_RUNTIME_DIR', runtime);
      const control = await takeControl(deep(), handlers);
      const path = await findControl(deep());
      expect(path).toMatch(new RegExp(`^${runtime}/stark/`));
      expect((await stat(join(runtime, 'stark'))).mode & 0o777).toBe(0o700);
      vi.stubEnv('XDG_RUNTIME_DIR', undefined);
      vi.stubEnv('TMPDIR', dataDir);
      expect(await askStack(deep(), 'status')).toEqual({ pid: process.pid });
      control.release();
      await rm(runtime, { recursive: true });
    });

    it.each<[string, (folder: string) => unknown]>([
      ['nobody has set', () => vi.stubEnv('XDG_RUNTIME_DIR', undefined)],
      ['others can enter', (folder) => chmod(folder, 0o755)],
      [
        'is a link',
        async (folder) => {
          await rename(folder, `${folder}.real`);
          await symlink(`${folder}.real`, folder);
        },
      ],
      ['is somewhere deep', (folder) => vi.stubEnv('XDG_RUNTIME_DIR', join(folder, 'y'.repeat(100)))],
    ])('is in a folder of our own where the runtime folder is one that %s', async (_, spoil) => {
      const runtime = await elsewhere('run');
      const temporary = await elsewhere('tmp');
      vi.stubEnv('XDG_RUNTIME_DIR', runtime);
      vi.stubEnv('TMPDIR', temporary);
      await spoil(runtime);
      const control = await takeControl(deep(), handlers);
      const folder = join(temporary, `stark-${process.geteuid?.()}`);
      expect(await findControl(deep())).toMatch(new RegExp(`^${folder}/`));
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      expect(await askStack(deep(), 'status')).toEqual({ pid: process.pid });
      control.release();
      for (const path of [runtime, `${runtime}.real`, temporary]) await rm(path, { recursive: true, force: true });
    });

    it.each<[string, (folder: string) => Promise<unknown>]>([
      [
        'belongs to somebody else',
        async (folder) => {
          await mkdir(folder, { mode: 0o777 });
          if (process.geteuid?.() === 0) return chown(folder, 4711, 4711);
          return vi.spyOn(process, 'geteuid').mockReturnValue(4711);
        },
      ],
      ['is a link to a folder of ours', (folder) => symlink(dataDir, folder)],
      ['is a file', (folder) => writeFile(folder, '')],
    ])('is nowhere when that folder of our own %s', async (_, plant) => {
      const temporary = await elsewhere('tmp');
      vi.stubEnv('XDG_RUNTIME_DIR', undefined);
      vi.stubEnv('TMPDIR', temporary);
      const euid = process.geteuid?.() === 0 ? 0 : 4711;
      await plant(join(temporary, `stark-${_ === 'belongs to somebody else' ? euid : process.geteuid?.()}`));
      await expect(takeControl(deep(), handlers)).rejects.toMatchObject({
        code: 'CONTROL_UNSAFE',
        hint: expect.stringContaining('XDG_RUNTIME_DIR'),
      });
      await rm(temporary, { recursive: true });
    });

    it('closes a folder of our own that was open', async () => {
      const temporary = await elsewhere('tmp');
      vi.stubEnv('XDG_RUNTIME_DIR', undefined);
      vi.stubEnv('TMPDIR', temporary);
      const folder = join(temporary, `stark-${process.geteuid?.()}`);
      await mkdir(folder);
      await chmod(folder, 0o777);
      (await takeControl(deep(), handlers)).release();
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      await rm(temporary, { recursive: true });
    });
  });

  it('of somebody else is not asked, wherever it is', async () => {
    const answer = { ok: true, result: { url: 'http://evil', keys: {} } };
    const thief = createServer((socket) => socket.end(`${JSON.stringify(answer)}\n`)).listen(
      await findControl(dataDir),
    );
    await once(thief, 'listening');
    if (process.geteuid?.() === 0) await lchown(await findControl(dataDir), 4711, 4711);
    else vi.spyOn(process, 'geteuid').mockReturnValue(4711);
    for (const command of ['status', 'stop'] as const) {
      await expect(askStack(dataDir, command)).rejects.toMatchObject({
        code: 'CONTROL_UNSAFE',
        message: expect.stringMatching(/^control socket .* belongs to user \d+, not to you$/),
      });
    }
    vi.restoreAllMocks();
    thief.close();
  });

  it('is not asked where everybody may put another one in its place', async () => {
    const control = await takeControl(dataDir, handlers);
    await chmod(dataDir, 0o777);
    await expect(askStack(dataDir, 'status')).rejects.toMatchObject({ code: 'CONTROL_UNSAFE' });
    await chmod(dataDir, 0o700);
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
