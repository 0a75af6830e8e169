import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { OrphanRecords } from '../src/node/orphans.js';
import { aFolder } from './support/folder.js';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** A pod that outlived its agent, and the record of it. */
async function anOrphan() {
  const podsDir = await aFolder();
  mkdirSync(join(podsDir, 'pod'));
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  started.push(child);
  const orphans = new OrphanRecords(podsDir);
  orphans.record('pod', Number(child.pid));
  const file = join(podsDir, 'pod', 'process.json');
  return { orphans, child, file, record: JSON.parse(readFileSync(file, 'utf8')) as { pid: number; started: string } };
}

describe.runIf(process.platform === 'linux')('what outlived an agent', () => {
  it('is ended by the next one, once', async () => {
    const { orphans, child, file } = await anOrphan();
    const ended = once(child, 'exit');
    expect(await orphans.endAll()).toBe(1);
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(readdirSync(join(file, '..'))).toEqual([]);
    expect(await orphans.endAll()).toBe(0);
  });

  it.each([
    ['started at another time', (start: string) => `${start}9`],
    ['started at that time after another boot', (start: string) => start.replace(/^\S+/, 'another-boot')],
  ])('is not mistaken for a stranger that has its number and %s', async (_, change) => {
    const { orphans, child, file, record } = await anOrphan();
    expect(record.started).toMatch(/^[0-9a-f-]{36} \d+$/);
    writeFileSync(file, JSON.stringify({ ...record, started: change(record.started) }));
    expect(await orphans.endAll()).toBe(0);
    expect(child.kill(0)).toBe(true);
  });
});
