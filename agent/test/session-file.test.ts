import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installationOf, SessionFile } from '../src/node/session-file.js';
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
  it('is one folder, and keeps its id', async () => {
    const [folder, other] = [await aFolder(), await aFolder()];
    const id = await installationOf(folder);
    expect(await installationOf(folder)).toBe(id);
    expect(await installationOf(other)).not.toBe(id);
    expect((await readFile(join(folder, 'installation'), 'utf8')).trim()).toBe(id);
  });
});
