import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { roleToken, seconds, sign } from './support/tokens.js';
import { watchFor } from './support/wait.js';
import type { Vsn } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const ok = { status: 'ok', response: { postgres_changes: [] } };

describe.each<Vsn>(['1.0.0', '2.0.0'])('§3 joining, vsn %s', (vsn) => {
  it('success is {status: ok, response: {postgres_changes: []}} and the first frame of the channel', async () => {
    const socket = await service.socket({ vsn });
    const channel = await socket.join(freshTopic(), {
      broadcast: { ack: false, self: false },
      presence: { key: '', enabled: true },
      postgres_changes: [],
      private: false,
    });
    expect(channel.reply.payload).toEqual(ok);
    expect(socket.frames[0]).toBe(channel.reply);
    if (vsn === '2.0.0') expect(channel.reply.join_ref).toBe(channel.joinRef);
  });

  it('a join with nothing in its config joins a public channel', async () => {
    const socket = await service.socket({ vsn });
    const ref = socket.nextRef();
    socket.send(`realtime:${freshTopic()}`, 'phx_join', { config: {} }, { ref, joinRef: ref });
    expect((await socket.reply(ref)).payload).toEqual(ok);
  });

  it('an empty payload is not refused', async () => {
    const socket = await service.socket({ vsn });
    const ref = socket.nextRef();
    socket.send(`realtime:${freshTopic()}`, 'phx_join', {}, { ref, joinRef: ref });
    expect((await socket.reply(ref)).payload.status).toBe('ok');
  });

  it('booleans may be strings in any case', async () => {
    const channel = await (await service.socket({ vsn })).join(freshTopic(), {
      broadcast: { self: 'TRUE', ack: 'true' },
    });
    const reply = await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} });
    expect(reply.payload.status).toBe('ok');
    await channel.hear('e');
  });

  it('private given as the string "True" is private', async () => {
    const reply = await (await service.socket({ vsn })).tryJoin(freshTopic(), { private: 'True' });
    expect(reply.payload.response.reason).toMatch(/^Unauthorized: /);
  });

  it('the topic realtime: alone is refused with TopicNameRequired', async () => {
    const reply = await (await service.socket({ vsn })).tryJoin('');
    expect(reply.payload).toEqual({
      status: 'error',
      response: { reason: 'TopicNameRequired: You must provide a topic name' },
    });
  });
});

describe('§3 what a join may contain', () => {
  it.each([
    ['config is a string', { config: 'nonsense' }],
    ['config is null', { config: null }],
    ['broadcast is a list', { config: { broadcast: [1] } }],
    ['presence is a number', { config: { presence: 7 } }],
    ['postgres_changes is a string', { config: { postgres_changes: 'all' } }],
    ['extra keys', { version: 'realtime-js/2.109.0', config: { broadcast: { unknown: 1 }, more: {} } }],
  ])('a payload that fails validation is not refused: %s', async (_name, payload) => {
    const socket = await service.socket();
    const ref = socket.nextRef();
    socket.send(`realtime:${freshTopic()}`, 'phx_join', payload, { ref, joinRef: ref });
    expect((await socket.reply(ref)).payload.status).toBe('ok');
  });

  it('the valid parts of an invalid payload are used', async () => {
    const channel = await (await service.socket()).join(freshTopic(), { broadcast: { self: 'perhaps', ack: true } });
    expect((await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} })).payload.status).toBe('ok');
    expect(channel.heard()).toEqual([]);
  });

  it.each([null, ''])('presence.key %j makes the server choose a UUIDv1', async (key) => {
    const channel = await (await service.socket()).join(freshTopic(), { presence: { enabled: true, key } });
    await channel.track({});
    const diff = await channel.next('presence_diff');
    expect(Object.keys(diff.payload.joins)[0]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('a join that asked for nothing is followed by nothing', async () => {
    const socket = await service.socket();
    await socket.join(freshTopic(), { presence: { enabled: false } });
    await watchFor(150);
    await socket.settle();
    expect(socket.frames.filter((frame) => frame.event !== 'phx_reply')).toEqual([]);
  });
});

describe('§3 the token of a channel', () => {
  const refused: [name: string, token: () => string, reason: RegExp][] = [
    [
      'expired',
      () => sign({ role: 'anon', exp: seconds(-30) }),
      /^InvalidJWTToken: Token has expired \d+ seconds ago$/,
    ],
    [
      'without role',
      () => sign({ exp: seconds(60) }),
      /^InvalidJWTToken: Fields `role` and `exp` are required in JWT$/,
    ],
    ['without exp', () => sign({ role: 'anon' }), /^InvalidJWTToken: Fields `role` and `exp` are required in JWT$/],
    ['malformed', () => 'nonsense', /^MalformedJWT: The token provided is not a valid JWT$/],
    [
      'of another secret',
      () => sign({ role: 'anon', exp: seconds(60) }, 'x'.repeat(40)),
      /^JwtSignatureError: Failed to validate JWT signature$/,
    ],
  ];

  it.each(refused)('an access_token %s refuses the join of a public channel', async (_name, token, reason) => {
    const socket = await service.socket();
    const reply = await socket.tryJoin(freshTopic(), {}, { access_token: token() });
    expect(reply.payload.status).toBe('error');
    expect(reply.payload.response.reason).toMatch(reason);
    await socket.settle();
    expect(socket.frames.some((frame) => frame.event === 'phx_close')).toBe(false);
  });

  it('the age of an expired token is told in seconds', async () => {
    const reply = await (await service.socket()).tryJoin(
      freshTopic(),
      {},
      { access_token: sign({ role: 'anon', exp: seconds(-30) }) },
    );
    const age = Number(/(\d+) seconds ago/.exec(reply.payload.response.reason)?.[1]);
    expect(age).toBeGreaterThanOrEqual(30);
    expect(age).toBeLessThanOrEqual(33);
  });

  it.each(['sb_publishable_x', null, 42])(
    'an access_token of %j is passed over and the key of the socket used',
    async (token) => {
      const reply = await (await service.socket()).tryJoin(freshTopic(), {}, { access_token: token });
      expect(reply.payload).toEqual(ok);
    },
  );

  it('the key of the socket decides the role when the channel brings no token', async () => {
    const socket = await service.socket({ apikey: service.keys.serviceJwt });
    await socket.join(freshTopic(), { private: true });
  });

  it('user_token serves as access_token', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    await (await service.socket()).join(topic, { private: true }, { user_token: user.token() });
  });
});

describe('§3 refusals', () => {
  it('are held back by the back-off and come without phx_close', async () => {
    await service.use({ channelErrorBackoffMs: 300 });
    try {
      const socket = await service.socket();
      const started = performance.now();
      const reply = await socket.tryJoin(freshTopic(), { private: true });
      expect(performance.now() - started).toBeGreaterThanOrEqual(295);
      expect(reply.payload.status).toBe('error');
      await watchFor(100);
      expect(socket.frames.map((frame) => frame.event)).toEqual(['phx_reply']);
    } finally {
      await service.use();
    }
  });

  it('a private channel without a policy names the right and the topic', async () => {
    const topic = freshTopic();
    const reply = await (await service.socket()).tryJoin(topic, { private: true });
    expect(reply.payload).toEqual({
      status: 'error',
      response: { reason: `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}` },
    });
  });

  it('a refused topic can be joined later on the same socket', async () => {
    const topic = freshTopic();
    const socket = await service.socket();
    const user = await service.user(topic);
    const refusal = await socket.tryJoin(topic, { private: true }, { access_token: user.token() });
    expect(refusal.payload.status).toBe('error');
    await user.grant(topic, 'broadcast:read');
    await socket.join(topic, { private: true }, { access_token: user.token() });
  });

  it('replay on a public channel', async () => {
    const reply = await (await service.socket()).tryJoin(freshTopic(), { broadcast: { replay: { since: 0 } } });
    expect(reply.payload.response.reason).toBe('UnableToReplayMessages: Replay is not allowed for public channels');
  });

  it.each([{ since: 'yesterday' }, { since: 0, limit: 'all' }])(
    'replay parameters %j are not valid',
    async (replay) => {
      const socket = await service.socket({ apikey: service.keys.serviceJwt });
      const reply = await socket.tryJoin(freshTopic(), { private: true, broadcast: { replay } });
      expect(reply.payload.response.reason).toBe('UnableToReplayMessages: Replay params are not valid');
    },
  );

  it('token comes before policy: an expired token on a private channel is told as such', async () => {
    const reply = await (await service.socket()).tryJoin(
      freshTopic(),
      { private: true },
      { access_token: roleToken('authenticated', { exp: seconds(-5) }) },
    );
    expect(reply.payload.response.reason).toMatch(/^InvalidJWTToken: Token has expired/);
  });

  it('a missing partition of today is told as MissingPartition', async () => {
    const [row] = await service.sql`
      select to_char(now() at time zone 'utc', '"messages_"YYYY_MM_DD') as name`;
    await service.sql.unsafe(`alter table realtime.messages detach partition realtime.${row?.name}`);
    try {
      const socket = await service.socket({ apikey: service.keys.serviceJwt });
      const reply = await socket.tryJoin(freshTopic(), { private: true });
      expect(reply.payload.response.reason).toBe(
        'MissingPartition: Realtime was unable to find the expected messages partition',
      );
    } finally {
      await service.sql.unsafe(`
        alter table realtime.messages attach partition realtime.${row?.name}
        for values from (date_trunc('day', now() at time zone 'utc'))
        to (date_trunc('day', now() at time zone 'utc') + interval '1 day')`);
    }
  });
});
