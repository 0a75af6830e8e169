import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiskMonitor, type DiskSample, mostFiles } from '../src/node/disk-monitor.js';
import { folderUse } from '../src/node/disk-use.js';
import { aFolder } from './support/folder.js';
import { until } from './support/wait.js';

const limits = { memoryMb: 64, storageMb: 1024 };

async function folderWith(files: number): Promise<string> {
  const folder = await aFolder();
  for (let n = 0; n < files; n++) writeFileSync(join(folder, String(n)), '');
  return folder;
}

it('tells of a small folder while it still looks at a large one', async () => {
  const order: string[] = [];
  const monitors = [];
  for (const [name, files] of Object.entries({ large: 15_000, small: 1 })) {
    const probe = { dataDir: await folderWith(files), processes: () => [], ownsOpenFiles: true, limits: () => limits };
    monitors.push(new DiskMonitor(probe, () => order.push(name)));
  }
  await until('a look at each', () => new Set(order).size === 2, 60_000);
  for (const monitor of monitors) monitor.stop();
  expect(order[0]).toBe('small');
});

it('ends a look at more files than are allowed when it has seen as many', async () => {
  const samples: DiskSample[] = [];
  const few = { memoryMb: 64, storageMb: 1 };
  const probe = { dataDir: await folderWith(5_000), processes: () => [], ownsOpenFiles: true, limits: () => few };
  const monitor = new DiskMonitor(probe, (sample) => samples.push(sample));
  await until('a look', () => samples.length > 0, 60_000);
  monitor.stop();
  expect(samples[0]?.problem).toBe(`it keeps more than ${mostFiles(few)} files on disk, its limit`);
});

it('notices what is moved past it', async () => {
  const root = await aFolder();
  for (const name of ['a', 'b']) {
    mkdirSync(join(root, name));
    for (let n = 0; n < 300; n++) writeFileSync(join(root, name, String(n)), '');
  }
  writeFileSync(join(root, 'kept'), '');
  const look = folderUse(root, { since: Date.now() - 10_000 });
  expect(look.next().done).toBe(false);
  renameSync(join(root, 'kept'), join(root, 'a', 'kept'));
  let step = look.next();
  while (!step.done) step = look.next();
  expect(step.value).toMatchObject({ changed: true });
  // Nobody can set the time by which that is told.
  const later = folderUse(root, { since: Date.now() + 10_000 });
  for (step = later.next(); !step.done; ) step = later.next();
  expect(step.value).toMatchObject({ changed: false, files: 603 });
});
