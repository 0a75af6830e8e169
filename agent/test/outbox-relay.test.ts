import { expect, it } from 'vitest';
import { OutboxRelay } from '../src/outbox/outbox-relay.js';
import { FakeClock, settle } from './support/fake-clock.js';
import { memoryLog } from './support/log.js';
import { MemoryOutbox } from './support/memory-outbox.js';

/** Delivers letters; each delivery takes 100 ms. */
function letters(longestRestMs?: number, batchBytes?: number) {
  const clock = new FakeClock();
  const outbox = new MemoryOutbox<string>((letter) => letter);
  const delivered: string[] = [];
  const relay = new OutboxRelay<string>({
    name: 'letters',
    outbox,
    clock,
    log: memoryLog(),
    batchSize: 10,
    ...(longestRestMs !== undefined && { longestRestMs }),
    ...(batchBytes !== undefined && { batchBytes }),
    deliver: async (items) => {
      await new Promise<void>((resolve) => clock.after(100, resolve));
      delivered.push(items.join(''));
      return { outcome: 'delivered' };
    },
  });
  const write = (letter: string) => {
    outbox.add(1, [letter]);
    relay.requestDelivery();
    return settle();
  };
  return { clock, relay, delivered, write };
}

it('what comes during a delivery and the rest after it goes with the next', async () => {
  const { clock, delivered, write } = letters(250);
  await write('a');
  await clock.advance(50);
  await write('b');
  await clock.advance(100);
  await write('c');
  await clock.advance(49);
  expect(delivered).toEqual(['a']);
  await clock.advance(101);
  expect(delivered).toEqual(['a', 'bc']);
  await clock.advance(1_000);
  await write('d');
  await clock.advance(100);
  expect(delivered).toEqual(['a', 'bc', 'd']);
});

it('a rest is no longer than it may be, and over when somebody wakes the relay', async () => {
  const { clock, relay, delivered, write } = letters(20);
  await write('a');
  await clock.advance(100);
  await write('b');
  await clock.advance(120);
  expect(delivered).toEqual(['a', 'b']);
  await write('c');
  relay.wake();
  await clock.advance(100);
  expect(delivered).toEqual(['a', 'b', 'c']);
});

it('without a rest the next delivery follows at once', async () => {
  const { clock, delivered, write } = letters();
  await write('a');
  await write('b');
  await clock.advance(200);
  expect(delivered).toEqual(['a', 'b']);
});

it('a batch has no more bytes than a call takes, and one entry however large it is', async () => {
  const { clock, delivered, write } = letters(undefined, 12);
  // As JSON each is two quotation marks longer, and é is two bytes.
  for (const letter of ['aaa', 'éé', 'b', 'x'.repeat(20), 'c', 'd']) await write(letter);
  await clock.advance(1_000);
  expect(delivered).toEqual(['aaa', 'ééb', 'x'.repeat(20), 'cd']);
});
