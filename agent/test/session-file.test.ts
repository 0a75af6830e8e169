import { copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nextInstallation, SessionFile } from '../src/node/session-file.js';
import { aFolder } from './support/folder.js';

const tokens = { accessToken: 'access', refreshToken: 'refresh' };

describe('the kept session', () => {
  it('is for its owner alone, and comes back', async () => {
    const folder = await aFolder();
    const file = new SessionFile(folder, 'http://one');
    expect(await file.read()).toBeUndefined();
    await file.keep({ ...tokens, refreshToken: 'earlier' });
    await file.keep(tokens);
    expect(await file.read()).toEqual(tokens);
    expect((await stat(join(folder, 'session.json'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['session.json']);
    await file.forget();
    expect(await file.read()).toBeUndefined();
  });

  it('is shown to no other cluster', async () => {
    const folder = await aFolder();
    await new SessionFile(folder, 'http://one').keep(tokens);
    expect(await new SessionFile(folder, 'http://two').read()).toBeUndefined();
  });

  it('that is broken is named', async () => {
    const folder = await aFolder();
    await writeFile(join(folder, 'session.json'), '{');
    await expect(new SessionFile(folder, 'http://one').read()).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('that cannot be replaced leaves the old one and nothing beside it', async () => {
    const folder = await aFolder();
    await mkdir(join(folder, 'session.json', 'in-the-way'), { recursive: true });
    await expect(new SessionFile(folder, 'http://one').keep(tokens)).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['session.json']);
  });
});

describe('an installation', () => {
  it('is another one at each start, and replaces the last that the cluster knows', async () => {
    const folder = await aFolder();
    const first = await nextInstallation(folder);
    expect(first.replaces).toBeUndefined();
    await first.confirm();
    const second = await nextInstallation(folder);
    expect(second.replaces).toBe(first.id);
    expect(second.id).not.toBe(first.id);
    await second.confirm();
    expect(await nextInstallation(folder)).toMatchObject({ replaces: second.id });
  });

  it('is the same again, for the same one, until the cluster has heard of it', async () => {
    const folder = await aFolder();
    const first = await nextInstallation(folder);
    await first.confirm();
    const { id } = await nextInstallation(folder);
    expect(await nextInstallation(folder)).toMatchObject({ id, replaces: first.id });
  });

  it('is its own in a copy of the folder', async () => {
    const [folder, copy] = [await aFolder(), await aFolder()];
    const first = await nextInstallation(folder);
    await first.confirm();
    await copyFile(join(folder, 'installation'), join(copy, 'installation'));
    const [here, there] = [await nextInstallation(folder), await nextInstallation(copy)];
    expect([here.replaces, there.replaces]).toEqual([first.id, first.id]);
    expect(here.id).not.toBe(there.id);
  });
});
