import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockDirectory } from '../src/node/lock.js';
import { startOf } from '../src/node/process-use.js';
import { aFolder } from './support/folder.js';

describe('the lock of a folder', () => {
  it('keeps a second agent out, and names the first', async () => {
    const folder = await aFolder();
    const unlock = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'NODE_IN_USE',
      message: `another agent (process ${process.pid}) already works on ${folder}`,
    });
    await unlock();
    await (await lockDirectory(folder))();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a process that is gone is taken over', async () => {
    const folder = await aFolder();
    const child = spawn('true');
    await once(child, 'exit');
    await writeFile(join(folder, 'agent.lock'), JSON.stringify({ pid: child.pid, started: '1' }));
    await (await lockDirectory(folder))();
  });

  it('of a process whose number was given away again is taken over', async () => {
    const folder = await aFolder();
    await writeFile(
      join(folder, 'agent.lock'),
      JSON.stringify({ pid: process.pid, started: `${startOf(process.pid)}9` }),
    );
    await (await lockDirectory(folder))();
  });

  it('that was torn is taken over', async () => {
    const folder = await aFolder();
    await writeFile(join(folder, 'agent.lock'), '{"pi');
    await (await lockDirectory(folder))();
  });

  it('goes to one of many that find it stale at once', async () => {
    const folder = await aFolder();
    await writeFile(join(folder, 'agent.lock'), '{"pi');
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => lockDirectory(folder)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name !== 'agent.lock')).toEqual([]);
  });
});
