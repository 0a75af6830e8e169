import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { watchFor, within } from './support/wait.js';
import type { Vsn, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  // The project's limit of presence messages would be reached by the tests together.
  service = await Service.start({ limits: { presenceMessagesPerSecond: 100_000 } });
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const ok = { status: 'ok', response: {} };
const meta = (payload: object, more: object = {}) => ({ ...payload, phx_ref: expect.any(String), ...more });

async function member(topic: string, key: string, vsn: Vsn = '2.0.0', enabled = true): Promise<WireChannel> {
  return (await service.socket({ vsn })).join(topic, { presence: { enabled, key } });
}

describe.each<Vsn>(['1.0.0', '2.0.0'])('§8 presence, vsn %s', (vsn) => {
  it('presence_state of an empty topic is {} and comes after the reply', async () => {
    const channel = await member(freshTopic(), 'a', vsn);
    const state = await channel.next('presence_state');
    expect(state.payload).toEqual({});
    expect(channel.socket.frames.indexOf(state)).toBeGreaterThan(channel.socket.frames.indexOf(channel.reply));
  });

  it('a first track is answered with ok and told to all as joins, the tracker included', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a', vsn), await member(topic, 'b', vsn)];
    expect((await a.track({ status: 'here' })).payload).toEqual(ok);
    for (const channel of [a, b]) {
      const diff = await channel.next('presence_diff');
      expect(diff.payload).toEqual({ joins: { a: { metas: [meta({ status: 'here' })] } }, leaves: {} });
    }
  });

  it('presence_state holds who is there, under their keys, with metas and phx_ref', async () => {
    const topic = freshTopic();
    const a = await member(topic, 'a', vsn);
    await a.track({ n: 1 });
    const late = await member(topic, 'late', vsn);
    expect((await late.next('presence_state')).payload).toEqual({ a: { metas: [meta({ n: 1 })] } });
  });

  it('a change tells the new meta with phx_ref_prev in joins and the old one in leaves', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a', vsn), await member(topic, 'b', vsn)];
    await a.track({ n: 1 });
    const first = (await b.next('presence_diff')).payload.joins.a.metas[0];
    await a.track({ n: 2 });
    const diff = await b.next('presence_diff', (frame) => frame.payload.leaves.a);
    expect(diff.payload).toEqual({
      joins: { a: { metas: [meta({ n: 2 }, { phx_ref_prev: first.phx_ref })] } },
      leaves: { a: { metas: [first] } },
    });
    expect(diff.payload.joins.a.metas[0].phx_ref).not.toBe(first.phx_ref);
  });

  it('untrack is answered with ok and told as leaves', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a', vsn), await member(topic, 'b', vsn)];
    await a.track({ n: 1 });
    expect((await a.untrack()).payload).toEqual(ok);
    const diff = await b.next('presence_diff', (frame) => frame.payload.leaves.a);
    expect(diff.payload).toEqual({ joins: {}, leaves: { a: { metas: [meta({ n: 1 })] } } });
  });

  it('the same payload again is answered with ok and told to nobody', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a', vsn), await member(topic, 'b', vsn)];
    await a.track({ n: 1, deep: { x: [1] } });
    expect((await a.track({ n: 1, deep: { x: [1] } })).payload).toEqual(ok);
    await b.track({ marker: true });
    await b.next('presence_diff', (frame) => frame.payload.joins.b);
    expect(b.all('presence_diff').filter((frame) => frame.payload.joins.a)).toHaveLength(1);
  });

  it('several channels with one key are several metas under it', async () => {
    const topic = freshTopic();
    const [one, two] = [await member(topic, 'same', vsn), await member(topic, 'same', vsn)];
    await one.track({ from: 'one' });
    await two.track({ from: 'two' });
    const watcher = await member(topic, 'watcher', vsn);
    const state = (await watcher.next('presence_state')).payload;
    expect(Object.keys(state)).toEqual(['same']);
    expect(state.same.metas.map((entry: { from: string }) => entry.from).sort()).toEqual(['one', 'two']);
    one.socket.terminate();
    const diff = await watcher.next('presence_diff', (frame) => frame.payload.leaves.same);
    expect(diff.payload.leaves.same.metas).toEqual([meta({ from: 'one' })]);
  });

  it.each([
    ['its channel is left', (channel: WireChannel) => void channel.push('phx_leave', {})],
    ['its socket is closed', (channel: WireChannel) => channel.socket.close()],
    ['its socket is cut', (channel: WireChannel) => channel.socket.terminate()],
  ])('a member is told as gone within a second after %s', async (_name, end) => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a', vsn), await member(topic, 'b', vsn)];
    await a.track({ n: 1 });
    await b.next('presence_diff');
    end(a);
    const diff = await b.next('presence_diff', (frame) => frame.payload.leaves.a, 1_000);
    expect(diff.payload).toEqual({ joins: {}, leaves: { a: { metas: [meta({ n: 1 })] } } });
  });
});

describe('§8 presence', () => {
  it('a payload that is no object is answered with "Presence track payload must be a map"', async () => {
    const channel = await member(freshTopic(), 'a');
    for (const payload of ['text', 7, [1]]) {
      expect((await channel.track(payload)).payload).toEqual({
        status: 'error',
        response: { reason: 'Presence track payload must be a map' },
      });
    }
  });

  it('an unknown event is answered with error {}', async () => {
    const channel = await member(freshTopic(), 'a');
    const reply = await channel.ask('presence', { type: 'presence', event: 'dance', payload: {} });
    expect(reply.payload).toEqual({ status: 'error', response: {} });
  });

  it('the event name may be in any case', async () => {
    const channel = await member(freshTopic(), 'a');
    expect((await channel.ask('presence', { type: 'presence', event: 'TRACK', payload: {} })).payload).toEqual(ok);
    expect((await channel.ask('presence', { type: 'presence', event: 'Untrack' })).payload).toEqual(ok);
  });

  it('presence.enabled false: no state, but diffs on a public channel', async () => {
    const topic = freshTopic();
    const plain = await member(topic, 'plain', '2.0.0', false);
    const a = await member(topic, 'a');
    await a.track({ n: 1 });
    await plain.next('presence_diff', (frame) => frame.payload.joins.a);
    expect(plain.all('presence_state')).toEqual([]);
  });

  it('presence.enabled false on a private channel: no diffs before the first track', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read', 'presence:read', 'presence:write']);
    const join = async (key: string, enabled: boolean) =>
      (await service.socket()).join(
        topic,
        { private: true, presence: { key, enabled } },
        { access_token: user.token() },
      );
    const [plain, a] = [await join('plain', false), await join('a', true)];
    await a.track({ n: 1 });
    await a.next('presence_diff');
    await plain.socket.settle();
    expect(plain.all('presence_diff')).toEqual([]);
    expect((await plain.track({ n: 2 })).payload).toEqual(ok);
    await a.track({ n: 3 });
    await plain.next('presence_diff', (frame) => frame.payload.joins.a);
  });

  it('public and private channels of one name do not see each other', async () => {
    const topic = freshTopic();
    const open = await member(topic, 'open');
    const socket = await service.socket({ apikey: service.keys.serviceJwt });
    const hidden = await socket.join(topic, { private: true, presence: { enabled: true, key: 'hidden' } });
    await hidden.track({});
    await open.track({});
    await hidden.next('presence_diff');
    await open.next('presence_diff');
    await watchFor(100);
    expect(open.all('presence_diff').map((frame) => Object.keys(frame.payload.joins))).toEqual([['open']]);
    expect(hidden.all('presence_diff').map((frame) => Object.keys(frame.payload.joins))).toEqual([['hidden']]);
  });

  it('a rejoin of the same topic takes the old presence away', async () => {
    const topic = freshTopic();
    const watcher = await member(topic, 'watcher');
    const a = await member(topic, 'a');
    await a.track({ n: 1 });
    await watcher.next('presence_diff', (frame) => frame.payload.joins.a);
    await a.socket.join(topic, { presence: { enabled: true, key: 'a' } });
    await watcher.next('presence_diff', (frame) => frame.payload.leaves.a, 1_000);
  });

  it('a channel shut down by the server leaves presence', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a'), await member(topic, 'b')];
    await a.track({});
    a.push('access_token', { access_token: 'nonsense' });
    await b.next('presence_diff', (frame) => frame.payload.leaves.a, 1_000);
  });

  it('no key of an object prototype confuses the state', async () => {
    const topic = freshTopic();
    const odd = await member(topic, '__proto__');
    await odd.track({ n: 1 });
    const watcher = await member(topic, 'watcher');
    const raw = JSON.stringify((await watcher.next('presence_state')).raw);
    expect(raw).toContain('"__proto__":{"metas":[');
  });

  it('the sixth track or untrack within 30 s ends the channel with "Client presence rate limit exceeded"', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a'), await member(topic, 'b')];
    for (const n of [1, 2, 3]) expect((await a.track({ n })).payload.status).toBe('ok');
    expect((await a.untrack()).payload.status).toBe('ok');
    expect((await a.track({ n: 5 })).payload.status).toBe('ok');
    a.push('presence', { type: 'presence', event: 'track', payload: { n: 6 } });
    const system = await a.next('system');
    expect(system.payload).toEqual({
      extension: 'system',
      status: 'error',
      message: 'Client presence rate limit exceeded',
      channel: topic,
    });
    await a.next('phx_close');
    await b.next('presence_diff', (frame) => frame.payload.leaves.a?.metas[0]?.n === 5);
  });

  it('the same payload counts against that limit too', async () => {
    const a = await member(freshTopic(), 'a');
    for (let call = 1; call <= 5; call += 1) await a.track({ same: true });
    a.push('presence', { type: 'presence', event: 'track', payload: { same: true } });
    await a.system('Client presence rate limit exceeded');
  });

  it('that limit is each channel’s own', async () => {
    const topic = freshTopic();
    const [a, b] = [await member(topic, 'a'), await member(topic, 'b')];
    for (let n = 1; n <= 5; n += 1) await a.track({ n });
    expect((await b.track({ n: 1 })).payload.status).toBe('ok');
    await a.socket.settle();
    expect(a.all('phx_close')).toEqual([]);
  });

  it('a track payload over the size limit ends the channel with "Track message size exceeded"', async () => {
    const a = await member(freshTopic(), 'a');
    a.push('presence', { type: 'presence', event: 'track', payload: { fill: 'x'.repeat(3_100_000) } });
    await a.system('Track message size exceeded');
    await a.next('phx_close');
  });

  it('fifty members that leave together are all told', async () => {
    const topic = freshTopic();
    const watcher = await member(topic, 'watcher');
    const crowd = await Promise.all(Array.from({ length: 50 }, (_, n) => member(topic, `m${n}`)));
    await Promise.all(crowd.map((channel) => channel.track({})));
    for (const channel of crowd) channel.socket.terminate();
    const gone = () => new Set(watcher.all('presence_diff').flatMap((frame) => Object.keys(frame.payload.leaves))).size;
    const all = watcher.next('presence_diff', () => gone() === 50, 3_000);
    await within('all leaves', all, 3_000);
    expect(gone()).toBe(50);
  });
});
