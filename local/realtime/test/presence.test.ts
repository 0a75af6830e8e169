import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { TestClient } from './support/client.js';
import { FakeClock } from './support/clock.js';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';

let postgres: TestPostgres;
let realtime: TestRealtime;
const clock = new FakeClock(Date.now());

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres, { clock, limits: { presenceMessagesPerSecond: 10 } });
  await postgres.sql(`
    create policy "by claim" on realtime.messages for select to authenticated
      using ((select auth.jwt() -> 'read') ? extension);
    create policy "by claim too" on realtime.messages for insert to authenticated
      with check ((select auth.jwt() -> 'write') ? extension)`);
}, 60_000);

afterEach(() => realtime.closeClients());

afterAll(async () => {
  await realtime?.stop();
  await postgres?.stop();
});

const enabled = (key: string, rest: object = {}) => ({ presence: { key, enabled: true }, ...rest });
const track = (client: TestClient, payload: unknown) =>
  client.ask('realtime:hall', 'presence', { type: 'presence', event: 'track', payload }, '1');

it('tells who comes, changes and goes, the tracker too', async () => {
  const [ann, bob] = [await realtime.connect(), await realtime.connect()];
  await ann.join('hall', enabled('ann'));
  expect(await ann.next('the state', (message) => message.event === 'presence_state')).toMatchObject({
    joinRef: '1',
    ref: null,
    payload: {},
  });
  await bob.join('hall', enabled('bob'));
  expect(await track(ann, { mood: 'calm' })).toEqual({ status: 'ok', response: {} });
  for (const client of [ann, bob]) {
    const diff = await client.next('the diff', (message) => message.event === 'presence_diff');
    expect(diff).toMatchObject({ joinRef: null, ref: null, topic: 'realtime:hall' });
    expect(diff.payload).toEqual({
      joins: { ann: { metas: [{ mood: 'calm', phx_ref: expect.any(String) }] } },
      leaves: {},
    });
  }
  await ann.close();
  const leave = await bob.next('the leave', (message) => message.payload.leaves?.ann !== undefined);
  expect(leave.payload.joins).toEqual({});
});

it('says nothing when nothing changed, but counts the call', async () => {
  const ann = await realtime.connect();
  await ann.join('hall', enabled('ann'));
  for (let n = 0; n < 5; n++) expect((await track(ann, { n: 0 })).status).toBe('ok');
  expect(ann.events('presence_diff')).toHaveLength(1);
  ann.send('realtime:hall', 'presence', { event: 'untrack' }, '1');
  await ann.next('the end', (message) => message.event === 'phx_close');
  expect(ann.events('system')[0]?.payload.message).toBe('Client presence rate limit exceeded');
  expect(realtime.log.some((line) => line.level === 'warn' && line.message === 'ClientPresenceRateLimitReached')).toBe(
    true,
  );
});

it('gives five new calls after 30 s', async () => {
  const ann = await realtime.connect();
  await ann.join('hall', enabled('ann'));
  for (let n = 0; n < 5; n++) await track(ann, { n });
  clock.advance(30_001);
  expect((await track(ann, { n: 5 })).status).toBe('ok');
});

it('answers what it cannot do', async () => {
  const ann = await realtime.connect();
  await ann.join('hall', enabled('ann'));
  expect(await track(ann, 'text')).toEqual({
    status: 'error',
    response: { reason: 'Presence track payload must be a map' },
  });
  expect(await ann.ask('realtime:hall', 'presence', { event: 'dance' }, '1')).toEqual({
    status: 'error',
    response: {},
  });
});

it('shows public channels diffs without presence being enabled, and no state', async () => {
  const [ann, bob] = [await realtime.connect(), await realtime.connect()];
  await bob.join('hall');
  await ann.join('hall', enabled('ann'));
  await track(ann, {});
  await bob.next('the diff', (message) => message.event === 'presence_diff');
  expect(bob.events('presence_state')).toEqual([]);
});

it('asks the policies of private channels', async () => {
  const [blind, mute, both] = [
    await realtime.connect({ read: ['broadcast'], write: ['presence'] }),
    await realtime.connect({ read: ['broadcast', 'presence'], write: ['broadcast'] }),
    await realtime.connect({ read: ['presence'], write: ['presence'] }),
  ];
  for (const [name, client] of Object.entries({ blind, mute, both })) {
    expect((await client.join('hall', enabled(name, { private: true }))).status).toBe('ok');
  }
  expect(await track(mute, {})).toEqual({ status: 'error', response: {} });
  expect((await track(blind, { n: 1 })).status).toBe('ok');
  expect((await track(both, { n: 2 })).status).toBe('ok');
  await mute.until('two diffs', () => mute.events('presence_diff').length === 2);
  await blind.settle();
  expect(blind.events('presence_state')).toEqual([]);
  expect(blind.events('presence_diff')).toEqual([]);
});

it('asks for the right to see presence when a private channel tracks without having enabled it', async () => {
  const rights = { read: ['broadcast', 'presence'], write: ['presence'] };
  const [ann, bob] = [await realtime.connect(rights), await realtime.connect(rights)];
  for (const client of [ann, bob]) await client.join('hall', { private: true });
  await track(ann, { n: 1 });
  await bob.settle();
  expect(bob.events('presence_diff')).toEqual([]);
  await track(bob, { n: 2 });
  await ann.until('both diffs', () => ann.events('presence_diff').length === 2);
  await bob.until('its own diff', () => bob.events('presence_diff').length === 1);
});

it('ends the channel of a client that goes over the limit of the project', async () => {
  const crowd = [];
  for (let n = 0; n < 10; n++) {
    const client = await realtime.connect();
    await client.join('hall', enabled(`${n}`));
    crowd.push(client);
  }
  for (const client of crowd) for (let n = 0; n < 5; n++) await track(client, { n });
  clock.advance(5_000);
  const late = await realtime.connect();
  await late.join('hall', enabled('late'));
  await late.next('the end', (message) => message.event === 'phx_close');
  expect(late.events('system')[0]?.payload.message).toBe('Too many presence messages per second');
  clock.advance(65_000);
}, 20_000);
