import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service, type TestUser } from './support/service.js';
import { JWT_SECRET, roleToken, seconds, sign } from './support/tokens.js';
import { watchFor } from './support/wait.js';
import type { JoinConfig, Vsn, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service?.stop());

async function privateChannel(user: TestUser, topic: string, config: JoinConfig = {}, vsn: Vsn = '2.0.0') {
  return (await service.socket({ vsn })).join(topic, { private: true, ...config }, { access_token: user.token() });
}

async function almighty(topic: string): Promise<WireChannel> {
  const socket = await service.socket({ apikey: service.keys.serviceJwt });
  return socket.join(topic, { private: true, broadcast: { ack: true } });
}

/** The channel was shut down with this message: system, then phx_close, in that order. */
async function expectShutdown(channel: WireChannel, message: string | RegExp, ms?: number) {
  const system = await channel.next('system', ({ payload }) => payload.status === 'error', ms);
  expect(system.payload).toEqual({
    extension: 'system',
    status: 'error',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
    channel: channel.topic,
  });
  const close = await channel.next('phx_close');
  expect(channel.socket.frames.indexOf(close)).toBeGreaterThan(channel.socket.frames.indexOf(system));
}

async function expectAlive(channel: WireChannel) {
  await channel.socket.settle();
  expect(channel.all('phx_close')).toEqual([]);
}

describe.each<Vsn>(['1.0.0', '2.0.0'])('§5 token refresh, vsn %s', (vsn) => {
  it('a new valid token gets no reply and changes nothing', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channel = await privateChannel(user, topic, {}, vsn);
    channel.push('access_token', { access_token: user.token() });
    (await almighty(topic)).broadcast('e', {});
    await channel.hear('e');
    await expectAlive(channel);
    expect(channel.socket.frames.filter((frame) => frame.event === 'phx_reply')).toHaveLength(2);
  });

  it('a token that lost every read right ends the channel with "You do not have permissions…"', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channel = await privateChannel(user, topic, {}, vsn);
    await user.revoke(topic, 'broadcast:read');
    channel.push('access_token', { access_token: user.token() });
    await expectShutdown(channel, `You do not have permissions to read from this Channel topic: ${topic}`);
    (await almighty(topic)).broadcast('too late', {});
    await channel.socket.settle();
    expect(channel.heard()).toEqual([]);
  });
});

describe('§5 token refresh', () => {
  it('one of two read rights lost ends the channel with "You no longer have permission…"', async () => {
    for (const lost of ['broadcast:read', 'presence:read'] as const) {
      const topic = freshTopic();
      const user = await service.user(topic, ['broadcast:read', 'presence:read']);
      const channel = await privateChannel(user, topic, { presence: { enabled: true } });
      await user.revoke(topic, lost);
      channel.push('access_token', { access_token: user.token() });
      await expectShutdown(channel, `You no longer have permission to read from this Channel topic: ${topic}`);
    }
  });

  it('a right that was won takes effect at once', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['presence:read']);
    const channel = await privateChannel(user, topic, { presence: { enabled: true } });
    await user.grant(topic, 'broadcast:read');
    channel.push('access_token', { access_token: user.token() });
    await expectAlive(channel);
    await watchFor(150);
    (await almighty(topic)).broadcast('now heard', {});
    await channel.hear('now heard');
  });

  it('write rights are evaluated anew', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const listener = await almighty(topic);
    const channel = await privateChannel(user, topic, { broadcast: { ack: true } });
    channel.broadcast('not yet', {});
    await watchFor(200);
    await user.grant(topic, 'broadcast:write');
    channel.push('access_token', { access_token: user.token() });
    expect((await channel.ask('broadcast', { type: 'broadcast', event: 'now', payload: {} })).payload.status).toBe(
      'ok',
    );
    await listener.hear('now');
    expect(listener.heard()).toEqual(['now']);
  });

  it.each([
    ['null', null],
    ['an sb_ key', 'sb_publishable_x'],
  ])('%s is ignored', async (_name, access_token) => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channel = await privateChannel(user, topic);
    await user.revoke(topic, 'broadcast:read');
    channel.push('access_token', { access_token });
    await watchFor(150);
    await expectAlive(channel);
  });

  it('the same token is ignored: policies are not asked again', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const token = user.token();
    const channel = await (await service.socket()).join(topic, { private: true }, { access_token: token });
    await user.revoke(topic, 'broadcast:read');
    channel.push('access_token', { access_token: token });
    await watchFor(150);
    await expectAlive(channel);
  });

  it('the token of another role is checked against that role', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channel = await privateChannel(user, topic);
    channel.push('access_token', { access_token: roleToken('anon') });
    await expectShutdown(channel, `You do not have permissions to read from this Channel topic: ${topic}`);
  });

  const invalid: [name: string, token: () => string, message: string | RegExp][] = [
    ['malformed', () => 'nonsense', 'The token provided is not a valid JWT'],
    ['without role', () => sign({ exp: seconds(60) }), 'Fields `role` and `exp` are required in JWT'],
    ['expired', () => sign({ role: 'anon', exp: seconds(-9) }), /^Token has expired \d+ seconds ago$/],
  ];
  it.each(invalid)('a token %s ends private and public channels', async (_name, token, message) => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channels = [await privateChannel(user, topic), await (await service.socket()).join(topic)];
    for (const channel of channels) {
      channel.push('access_token', { access_token: token() });
      await expectShutdown(channel, message);
    }
  });

  it('a token of another secret ends the channel', async () => {
    const channel = await (await service.socket()).join(freshTopic());
    channel.push('access_token', { access_token: sign({ role: 'anon', exp: seconds(60) }, `${JWT_SECRET}!`) });
    await expectShutdown(channel, /./);
  });

  it('on public channels only the validity of the token matters', async () => {
    const channel = await (await service.socket()).join(freshTopic());
    channel.push('access_token', { access_token: roleToken('nobody_here') });
    await watchFor(100);
    await expectAlive(channel);
  });

  it('only the channel that got the token is concerned', async () => {
    const socket = await service.socket();
    const [hit, spared] = [await socket.join(freshTopic()), await socket.join(freshTopic())];
    hit.push('access_token', { access_token: 'nonsense' });
    await hit.next('phx_close');
    await expectAlive(spared);
  });
});

describe('§5 expiry', () => {
  const expired = /^Token has expired \d+ seconds ago$/;

  it.concurrent('closes a private channel, a public one and one on the API key at the second of expiry', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const exp = seconds(3);
    const channels = [
      await (await service.socket()).join(topic, { private: true }, { access_token: user.token({ exp }) }),
      await (await service.socket()).join(topic, {}, { access_token: roleToken('anon', { exp }) }),
      await (await service.socket({ apikey: roleToken('anon', { exp }) })).join(topic),
    ];
    const clock = Date.now() - performance.now();
    for (const channel of channels) {
      await expectShutdown(channel, expired, 6_000);
      const closedAt = (clock + (channel.all('phx_close')[0]?.at ?? 0)) / 1000;
      expect(closedAt).toBeGreaterThanOrEqual(exp - 0.05);
      expect(closedAt).toBeLessThan(exp + 1.5);
    }
  });

  it.concurrent('a refresh in time carries the channel over', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const socket = await service.socket();
    const channel = await socket.join(topic, { private: true }, { access_token: user.token({ exp: seconds(2) }) });
    channel.push('access_token', { access_token: user.token() });
    await watchFor(3_300);
    await expectAlive(channel);
  });

  it.concurrent('a refreshed token expires in its turn', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const channel = await privateChannel(user, topic);
    channel.push('access_token', { access_token: user.token({ exp: seconds(2) }) });
    await expectShutdown(channel, expired, 5_000);
  });
});
