import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { openFileOutbox } from '../src/node/outbox-file.js';
import type { Outbox } from '../src/outbox/outbox.js';
import { type OutboxStorage, StoredOutbox } from '../src/outbox/stored-outbox.js';
import { aFolder } from './support/folder.js';
import { memoryLog } from './support/log.js';

interface Item {
  pod: string;
  text: string;
}

let path: string;
let dropped: Item[];
const log = memoryLog();

beforeEach(async () => {
  path = join(await aFolder(), 'box.jsonl');
  dropped = [];
  log.lines.length = 0;
});

async function open(maxBytes = 1_000_000): Promise<Outbox<Item>> {
  const outbox = await openFileOutbox<Item>(path, { keyOf: ({ pod }) => pod, maxBytes }, log);
  outbox.onDrop = (item) => dropped.push(item);
  return outbox;
}

function item(text: string, pod = 'a'): Item {
  return { pod, text };
}

function texts(outbox: Outbox<Item>): string[] {
  return outbox.peek(1_000_000).map((entry) => entry.item.text);
}

describe('an outbox', () => {
  it('keeps what is not done with, in order, over a restart', async () => {
    const first = await open();
    first.add(7, [item('1'), item('2')]);
    first.add(8, [item('3')]);
    first.done(1);
    await first.close();
    const second = await open();
    expect(second.peek(10)).toMatchObject([
      { number: 2, incarnation: 7, item: item('2') },
      { number: 3, incarnation: 8, item: item('3') },
    ]);
    second.add(9, [item('4')]);
    expect(texts(second)).toEqual(['2', '3', '4']);
    await second.close();
  });

  it('knows for which pods something waits', async () => {
    const outbox = await open();
    outbox.add(1, [item('1', 'a'), item('2', 'b'), item('3', 'a')]);
    outbox.done(1);
    expect([outbox.has('a'), outbox.has('b'), outbox.has('c')]).toEqual([true, true, false]);
    outbox.done(3);
    expect([outbox.has('a'), outbox.has('b'), outbox.size]).toEqual([false, false, 0]);
    await outbox.close();
  });

  it('leaves out a line that a crash tore, and only that', async () => {
    const first = await open();
    first.add(1, [item('1'), item('2'), item('3')]);
    await first.close();
    await truncate(path, (await stat(path)).size - 5);
    const second = await open();
    expect(texts(second)).toEqual(['1', '2']);
    expect(log.lines.map((line) => line.message)).toContain('left out torn lines of an outbox');
    second.add(1, [item('4')]);
    await second.close();
    const third = await open();
    expect(texts(third)).toEqual(['1', '2', '4']);
    await third.close();
  });

  it('survives any place at which its file was cut off', async () => {
    const first = await open();
    first.add(1, [item('1'), item('2')]);
    first.done(1);
    first.add(1, [item('3')]);
    await first.close();
    const whole = await readFile(path);
    for (let length = 0; length <= whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      const outbox = await open();
      const found = texts(outbox);
      expect(['1', '2', '3'].join()).toContain(found.join());
      outbox.add(2, [item('new')]);
      expect(texts(outbox).at(-1)).toBe('new');
      await outbox.close();
    }
  });

  it('gives no number twice, although all it held is done with', async () => {
    const first = await open();
    first.add(1, [item('1'), item('2')]);
    first.done(2);
    await first.close();
    // The first restart leaves out of the file what is done with; the second one reads there only that it was.
    await (await open()).close();
    const third = await open();
    third.add(1, [item('3')]);
    expect(third.peek(1)[0]?.number).toBe(3);
    await third.close();
  });

  it('drops the oldest when it is full, but never the last word about a pod', async () => {
    const outbox = await open(600);
    outbox.add(1, [item('only of b', 'b')]);
    for (let n = 0; n < 50; n++) outbox.add(1, [item(`a ${n}`, 'a')]);
    expect(texts(outbox)[0]).toBe('only of b');
    expect(texts(outbox).at(-1)).toBe('a 49');
    expect(dropped.map(({ text }) => text)).toEqual(Array.from({ length: dropped.length }, (_, n) => `a ${n}`));
    expect(outbox.size + dropped.length).toBe(51);
    await outbox.close();
  });

  it('does not grow without end', async () => {
    const outbox = await open();
    let number = 0;
    for (let round = 0; round < 200; round++) {
      outbox.add(
        1,
        Array.from({ length: 20 }, () => item('x'.repeat(200))),
      );
      number += 20;
      await outbox.flush();
      outbox.done(number);
    }
    await outbox.flush();
    expect((await stat(path)).size).toBeLessThan(600_000);
    await outbox.close();
    const again = await open();
    expect(again.size).toBe(0);
    await again.close();
  });

  it('goes on in memory when the disk fails', async () => {
    const outbox = await open();
    await outbox.close();
    outbox.add(1, [item('1')]);
    await outbox.flush();
    expect(texts(outbox)).toEqual(['1']);
    expect(log.lines.at(-1)).toMatchObject({ level: 'error', message: 'cannot write an outbox; it is kept in memory' });
  });

  it('fills no memory while its storage fails, and stores what it holds when that is well again', async () => {
    const stored = new Map<number, Item>();
    let isWell = true;
    let most = 0;
    const storage: OutboxStorage<Item> = {
      name: 'model',
      load: async () => ({ entries: [], last: 0 }),
      close: async () => {},
      write: async (changes) => {
        most = Math.max(most, changes.length);
        if (!isWell) throw new Error('no space left');
        for (const change of changes) {
          if ('put' in change) stored.set(change.put.number, change.put.item);
          else if ('dropped' in change) stored.delete(change.dropped);
          else for (const number of stored.keys()) if (number <= change.doneUpTo) stored.delete(number);
        }
      },
    };
    const outbox = await StoredOutbox.open(storage, { keyOf: ({ pod }) => pod, maxBytes: 3_000 }, log);
    outbox.add(1, [item('before'), item('too')]);
    await outbox.flush();
    expect(stored.size).toBe(2);
    isWell = false;
    for (let round = 1; round <= 300; round++) {
      outbox.add(
        1,
        Array.from({ length: 20 }, (_, n) => item(`${round} ${n}`)),
      );
      if (round % 7 === 0) outbox.done(round * 20 - 10);
      await outbox.flush();
    }
    expect(outbox.size).toBeLessThan(200);
    expect(most).toBeLessThan(2_000);
    isWell = true;
    outbox.add(1, [item('after')]);
    await outbox.flush();
    expect([...stored.values()].map(({ text }) => text)).toEqual(texts(outbox));
  });

  it('keeps everything it said was safe when its process is killed', async () => {
    const script = fileURLToPath(new URL('support/outbox-writer.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.split('\n').length > 40) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    const safe = Number(said.split('\n').slice(0, -1).at(-1));
    const outbox = await open();
    const found = texts(outbox).map(Number);
    expect(found.length).toBeGreaterThanOrEqual(safe);
    expect(found).toEqual(Array.from({ length: found.length }, (_, n) => n + 1));
    await outbox.close();
  });
});
