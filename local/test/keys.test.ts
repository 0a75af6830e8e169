import { chmod, chown, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadKeys } from '../src/keys.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-keys-'));
  path = join(folder, 'keys.json');
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const planted = JSON.stringify({ publishable: 'sb_publishable_x', secret: 'sb_secret_x', jwtSecret: 'x'.repeat(32) });
const refused = (why: RegExp) => ({
  step: 'keys',
  code: 'KEYS_EXPOSED',
  message: expect.stringMatching(why),
  hint: expect.stringMatching(/remove it.*chmod 600/),
});

describe('the keys of a data directory', () => {
  it('are made once, for nobody else to read', async () => {
    const keys = await loadKeys(folder);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await loadKeys(folder)).toEqual(keys);
  });

  it.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o604, 0o620, 0o601])(
    'are not taken from a file of mode %o, such as a clone brings along',
    async (mode) => {
      await writeFile(path, planted);
      await chmod(path, mode);
      await expect(loadKeys(folder)).rejects.toMatchObject(refused(/keys\.json is open to others \(mode 0\d{3}\)/));
      expect(await readFile(path, 'utf8')).toBe(planted);
      await chmod(path, 0o600);
      expect((await loadKeys(folder)).secret).toBe('sb_secret_x');
    },
  );

  it.skipIf(process.platform === 'win32')('are not taken from a file of somebody else, or through a link', async () => {
    await writeFile(path, planted, { mode: 0o600 });
    if (process.geteuid?.() === 0) await chown(path, 4711, 4711);
    else vi.spyOn(process, 'geteuid').mockReturnValue(4711);
    await expect(loadKeys(folder)).rejects.toMatchObject(refused(/belongs to user \d+, not to you/));
    vi.restoreAllMocks();
    if (process.geteuid?.() === 0) await chown(path, 0, 0);
    await rename(path, join(folder, 'elsewhere.json'));
    await symlink('elsewhere.json', path);
    await expect(loadKeys(folder)).rejects.toMatchObject(refused(/is a link/));
  });
});
