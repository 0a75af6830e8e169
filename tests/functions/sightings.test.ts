import { describe, expect, it } from 'vitest';
import { Batch, Roll, readIdentity, readUsage } from '../../supabase/functions/watch/sightings.ts';

const NODE = '6f1e4a0c-0000-4000-8000-000000000001';
const life = (secret = 'a') => ({ node_id: NODE, incarnation: 1, secret: secret.repeat(64) });

describe('what anybody may have sent', () => {
  it.each([
    null,
    5,
    'text',
    [],
    {},
    { ...life(), node_id: 'x' },
    { ...life(), node_id: 5 },
    { ...life(), incarnation: 1.5 },
    { ...life(), incarnation: '1' },
    { ...life(), incarnation: 2 ** 60 },
    { ...life(), secret: 'short' },
    { ...life(), secret: undefined },
  ])('%j is no identity', (value) => {
    expect(readIdentity(value)).toBeUndefined();
  });

  it('keeps the identity and nothing else', () => {
    expect(readIdentity({ ...life(), presence_ref: 'x', more: 1 })).toEqual(life());
  });

  it('takes a usage that is an object of a sensible size', () => {
    expect(readUsage({ usage: { cpu: 1 } })).toEqual({ cpu: 1 });
    const vast = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`pod-${i}`, 1000]));
    for (const usage of [undefined, null, 5, [1], vast]) expect(readUsage({ usage })).toBeUndefined();
  });

  it('takes the amounts of a usage and no text, which the database might refuse with the word about all nodes', () => {
    const pods = { [NODE]: { cpu: 5, memory: 6.5, storage: 0 } };
    expect(readUsage({ usage: { cpu: 1, pods } })).toEqual({ cpu: 1, pods });
    for (const bad of ['\0', '\ud800', 'text', Number.NaN, null, [1], { deep: { er: { est: 1 } } }])
      expect(JSON.stringify(readUsage({ usage: { cpu: 1, bad } }))).toMatch(/^{"cpu":1(,"bad":{"deep":{}})?}$/);
    expect(readUsage({ usage: { '\0': 1, '\ud800': 1, 'a b': 1, cpu: 1 } })).toEqual({ cpu: 1 });
    const endless: unknown = JSON.parse(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`);
    expect(readUsage({ usage: endless })).toEqual({ a: { a: {} } });
  });
});

describe('a batch', () => {
  it('has one entry for each identity: its latest sign, and the usage it told last', () => {
    const batch = new Batch();
    batch.add({ ...life('a'), sign: 'heartbeat', usage: { cpu: 1 } });
    batch.add({ ...life('a'), sign: 'present' });
    batch.add({ ...life('b'), sign: 'present' });
    batch.add({ ...life('b'), sign: 'gone' });
    batch.add({ ...life('c'), sign: 'gone' });
    batch.add({ ...life('c'), sign: 'heartbeat' });
    expect(batch.take()).toEqual([
      { ...life('a'), sign: 'heartbeat', usage: { cpu: 1 } },
      { ...life('b'), sign: 'gone' },
      { ...life('c'), sign: 'heartbeat' },
    ]);
    expect(batch.take()).toEqual([]);
  });

  it('takes back what was not delivered, unless something newer was seen', () => {
    const batch = new Batch();
    batch.add({ ...life('a'), sign: 'gone' });
    batch.add({ ...life('b'), sign: 'heartbeat' });
    const lost = batch.take();
    batch.add({ ...life('a'), sign: 'present' });
    batch.restore(lost);
    expect(batch.take()).toEqual([
      { ...life('a'), sign: 'present' },
      { ...life('b'), sign: 'heartbeat' },
    ]);
  });

  it('does not grow without bounds', () => {
    const batch = new Batch();
    for (let i = 0; i < 20_010; i++) batch.add({ ...life(), incarnation: i, sign: 'heartbeat' });
    expect(batch.take()).toHaveLength(20_000);
  });
});

describe('the roll', () => {
  it('knows a node as present until its last connection has gone', () => {
    const roll = new Roll();
    roll.enter(life());
    roll.enter(life());
    expect(roll.leave(life())).toBe(false);
    expect([...roll]).toEqual([life()]);
    expect(roll.leave(life())).toBe(true);
    expect(roll.leave(life())).toBe(false);
    expect([...roll]).toEqual([]);
  });

  it('tells a node from somebody who uses its id', () => {
    const roll = new Roll();
    roll.enter(life('a'));
    roll.enter(life('b'));
    expect(roll.leave(life('b'))).toBe(true);
    expect([...roll]).toEqual([life('a')]);
  });
});
