import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { all, folderUse } from '../src/node/disk-use.js';
import { removeFolder } from '../src/node/remove-folder.js';
import { aFolder, makeChain } from './support/folder.js';

it('removes whatever a pod left, and nothing that a link leads to', async () => {
  const outside = await aFolder();
  writeFileSync(join(outside, 'kept'), 'x');
  const root = join(await aFolder(), 'pod');
  mkdirSync(root);
  makeChain(root);
  mkdirSync(join(root, 'closed/below'), { recursive: true });
  writeFileSync(join(root, 'closed/below/file'), 'x');
  symlinkSync(outside, join(root, 'link'));
  symlinkSync('/nowhere', join(root, 'broken'));
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe, 0x0a])]), 'x');
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xc3, 0x28])]));
  chmodSync(join(root, 'closed'), 0);
  expect((await all(folderUse(root))).unmeasured).toBe('ENAMETOOLONG');
  await removeFolder(root);
  expect(existsSync(root)).toBe(false);
  expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('x');
});

it('removes what is no folder, and is content with nothing', async () => {
  const root = await aFolder();
  writeFileSync(join(root, 'file'), 'x');
  await removeFolder(join(root, 'file'));
  await removeFolder(join(root, 'missing'));
  expect(existsSync(join(root, 'file'))).toBe(false);
});

it('counts files under names that are no text', async () => {
  const root = await aFolder();
  for (let n = 0; n < 3; n++) {
    writeFileSync(
      Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x41 + n])]),
      Buffer.alloc(1024 * 1024, 1),
    );
  }
  const use = await all(folderUse(root));
  expect(use.files).toBe(3);
  expect(use.bytes).toBeGreaterThanOrEqual(3 * 1024 * 1024);
  expect((await all(folderUse(root, { maxFiles: 2 }))).files).toBe(3);
});
