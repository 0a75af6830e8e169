import { describe, expect, it } from 'vitest';
import {
  ObservationBatch,
  PresenceList,
  readCredential,
  readUsage,
} from '../../supabase/functions/watch/observations.ts';

const NODE = '6f1e4a0c-0000-4000-8000-000000000001';
const credential = (secret = 'a') => ({ node_id: NODE, incarnation: 1, secret: secret.repeat(64) });

describe('what anybody may have sent', () => {
  it.each([
    null,
    5,
    'text',
    [],
    {},
    { ...credential(), node_id: 'x' },
    { ...credential(), node_id: 5 },
    { ...credential(), incarnation: 1.5 },
    { ...credential(), incarnation: '1' },
    { ...credential(), incarnation: 2 ** 60 },
    { ...credential(), secret: 'short' },
    { ...credential(), secret: undefined },
  ])('%j is no credential', (value) => {
    expect(readCredential(value)).toBeUndefined();
  });

  it('keeps the credential and nothing else', () => {
    expect(readCredential({ ...credential(), presence_ref: 'x', more: 1 })).toEqual(credential());
  });

  it('takes a usage that is an object of a sensible size', () => {
    expect(readUsage({ usage: { cpu: 1 } })).toEqual({ cpu: 1 });
    const vast = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`pod-${i}`, 1000]));
    for (const usage of [undefined, null, 5, [1], vast]) expect(readUsage({ usage })).toBeUndefined();
  });

  it('takes the amounts of a usage and no text, which the database might refuse with the report about all nodes', () => {
    const pods = { [NODE]: { cpu: 5, memory: 6.5, storage: 0, metrics: { queue: 7 } } };
    expect(readUsage({ usage: { cpu: 1, pods } })).toEqual({ cpu: 1, pods });
    for (const bad of ['\0', '\ud800', 'text', Number.NaN, null, [1], { deep: { er: { est: { of: 1 } } } }])
      expect(JSON.stringify(readUsage({ usage: { cpu: 1, bad } }))).toMatch(/^{"cpu":1(,"bad":{"deep":{"er":{}}})?}$/);
    expect(readUsage({ usage: { '\0': 1, '\ud800': 1, 'a b': 1, cpu: 1 } })).toEqual({ cpu: 1 });
    const endless: unknown = JSON.parse(`${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`);
    expect(readUsage({ usage: endless })).toEqual({ a: { a: { a: {} } } });
  });
});

describe('a batch', () => {
  it('has one entry for each credential: its latest sign, and the usage it told last', () => {
    const batch = new ObservationBatch();
    batch.add({ ...credential('a'), sign: 'heartbeat', usage: { cpu: 1 } });
    batch.add({ ...credential('a'), sign: 'present' });
    batch.add({ ...credential('b'), sign: 'present' });
    batch.add({ ...credential('b'), sign: 'gone' });
    batch.add({ ...credential('c'), sign: 'gone' });
    batch.add({ ...credential('c'), sign: 'heartbeat' });
    expect(batch.take()).toEqual([
      { ...credential('a'), sign: 'heartbeat', usage: { cpu: 1 } },
      { ...credential('b'), sign: 'gone' },
      { ...credential('c'), sign: 'heartbeat' },
    ]);
    expect(batch.take()).toEqual([]);
  });

  it('takes back what was not delivered, unless something newer was seen', () => {
    const batch = new ObservationBatch();
    batch.add({ ...credential('a'), sign: 'gone' });
    batch.add({ ...credential('b'), sign: 'heartbeat' });
    const lost = batch.take();
    batch.add({ ...credential('a'), sign: 'present' });
    batch.restore(lost);
    expect(batch.take()).toEqual([
      { ...credential('a'), sign: 'present' },
      { ...credential('b'), sign: 'heartbeat' },
    ]);
  });

  it('does not grow without bounds', () => {
    const batch = new ObservationBatch();
    for (let i = 0; i < 20_010; i++) batch.add({ ...credential(), incarnation: i, sign: 'heartbeat' });
    expect(batch.take()).toHaveLength(20_000);
    const usage = { pods: 'x'.repeat(50_000) };
    for (let i = 0; i < 400; i++) batch.add({ ...credential(), incarnation: i, sign: 'heartbeat', usage });
    const told = batch.take();
    expect(told).toHaveLength(400);
    expect(JSON.stringify(told).length).toBeLessThan(17_000_000);
  });
});

describe('the presence list', () => {
  it('knows a node as present until its last connection has gone', () => {
    const presences = new PresenceList();
    presences.join(credential());
    presences.join(credential());
    expect(presences.leave(credential())).toBe(false);
    expect([...presences]).toEqual([credential()]);
    expect(presences.leave(credential())).toBe(true);
    expect(presences.leave(credential())).toBe(false);
    expect([...presences]).toEqual([]);
  });

  it('tells a node from somebody who uses its id', () => {
    const presences = new PresenceList();
    presences.join(credential('a'));
    presences.join(credential('b'));
    expect(presences.leave(credential('b'))).toBe(true);
    expect([...presences]).toEqual([credential('a')]);
  });
});
