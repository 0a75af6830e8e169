import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { FakeClock } from './support/clock.js';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { signToken } from './support/tokens.js';

let postgres: TestPostgres;
let realtime: TestRealtime;
const clock = new FakeClock(Date.now());
const seconds = () => Math.floor(clock.now() / 1_000);

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres, { clock, connectErrorBackoffMs: 0, channelErrorBackoffMs: 0 });
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

/** Refusals wait for a clock that stands still; this turns it while the question is open. */
async function whileTicking<T>(question: Promise<T>): Promise<T> {
  const timer = setInterval(() => clock.advance(0), 5);
  try {
    return await question;
  } finally {
    clearInterval(timer);
  }
}

const reasonOf = async (answer: Promise<{ status: string; response: { reason?: string } }>) => {
  const { status, response } = await whileTicking(answer);
  expect(status).toBe('error');
  return response.reason;
};

describe('the upgrade', () => {
  const refused = async (query: string, headers: Record<string, string> = {}) => {
    const ws = new WebSocket(`${realtime.url}?${query}`, { headers });
    const answer = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      ws.on('open', () => reject(new Error('it was accepted')));
      ws.on('error', () => {});
      ws.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, body }));
      });
    });
    return whileTicking(answer);
  };

  it.each([
    ['without a key', async (): Promise<string> => '', 401, '{"error":"API key is missing"}'],
    [
      'with nonsense',
      async (): Promise<string> => 'apikey=nonsense',
      401,
      '{"error":"The token provided is not a valid JWT"}',
    ],
    ['expired', async () => `apikey=${await signToken({ exp: seconds() - 5 })}`, 401, '{"error":"Token has expired"}'],
    [
      'without role',
      async () => `apikey=${await signToken({ role: undefined })}`,
      401,
      '{"error":"Fields `role` and `exp` are required in JWT"}',
    ],
    [
      'of another secret',
      async () => `apikey=${await signToken({}, 'another-secret-of-thirty-two-characters')}`,
      401,
      '{"error":"Failed to validate JWT signature"}',
    ],
    ['of vsn 3', async () => `apikey=${await signToken()}&vsn=3.0.0`, 403, ''],
  ] as const)('%s is refused', async (_name, query, status, body) => {
    expect(await refused(await query())).toEqual({ status, body });
  });

  it('takes x-api-key before apikey', async () => {
    expect((await refused(`apikey=${await signToken()}`, { 'x-api-key': 'nonsense' })).status).toBe(401);
  });
});

describe('a join', () => {
  it.each([
    ['without a topic', '', {}, {}, 'TopicNameRequired: You must provide a topic name'],
    [
      'with nonsense for a token',
      'a',
      {},
      { access_token: 'nonsense' },
      'MalformedJWT: The token provided is not a valid JWT',
    ],
    [
      'without the right to read',
      'a',
      { private: true },
      {},
      'Unauthorized: You do not have permissions to read from this Channel topic: a',
    ],
    [
      'with replay in public',
      'a',
      { broadcast: { replay: { since: 0 } } },
      {},
      'UnableToReplayMessages: Replay is not allowed for public channels',
    ],
  ])('%s is refused', async (_name, topic, config, rest, reason) => {
    const client = await realtime.connect();
    expect(await reasonOf(client.join(topic, config, rest))).toBe(reason);
    expect(client.events('phx_close')).toEqual([]);
  });

  it.each([
    ['expired', () => signToken({ exp: seconds() - 3 }), /^InvalidJWTToken: Token has expired 3 seconds ago$/],
    [
      'without exp',
      () => signToken({ exp: undefined }),
      /^InvalidJWTToken: Fields `role` and `exp` are required in JWT$/,
    ],
    [
      'of another secret',
      () => signToken({}, 'another-secret-of-thirty-two-characters'),
      /^JwtSignatureError: Failed to validate JWT signature$/,
    ],
  ])('with a token %s is refused', async (_name, token, reason) => {
    const client = await realtime.connect();
    expect(await reasonOf(client.join('a', {}, { access_token: await token() }))).toMatch(reason);
  });

  it('with an unknown role is refused as unauthorized', async () => {
    const client = await realtime.connect({ role: 'nobody' });
    expect(await reasonOf(client.join('a', { private: true }))).toMatch(/^Unauthorized: /);
  });

  it('takes what is valid of a payload that is not', async () => {
    const client = await realtime.connect();
    expect(
      await client.join('a', { broadcast: 'nonsense', presence: { enabled: 'TRUE' }, postgres_changes: null }),
    ).toEqual({
      status: 'ok',
      response: { postgres_changes: [] },
    });
    await client.next('presence', (message) => message.event === 'presence_state');
  });

  it('outside of realtime:* has no topic', async () => {
    const client = await realtime.connect();
    const ref = client.send('other:a', 'phx_join', {}, '1');
    expect(await client.next('the answer', (message) => message.ref === ref)).toMatchObject({
      joinRef: null,
      payload: { status: 'error', response: { reason: 'unmatched topic' } },
    });
  });

  it('of a topic that is joined ends the first; its end is told after the answer', async () => {
    const client = await realtime.connect();
    client.send('realtime:a', 'phx_join', { config: {} }, 'first');
    client.send('realtime:a', 'phx_join', { config: {} }, 'second');
    await client.next('the end', (message) => message.event === 'phx_close');
    expect(client.messages.map((message) => [message.event, message.joinRef, message.ref])).toEqual([
      ['phx_reply', 'first', '1'],
      ['phx_reply', 'second', '2'],
      ['phx_close', 'first', 'first'],
    ]);
    expect((await client.ask('realtime:a', 'presence', { event: 'untrack' }, 'second')).status).toBe('ok');
  });

  it('that is refused holds up everything else of its socket', async () => {
    const client = await realtime.connect();
    await client.join('open');
    client.send('realtime:a', 'phx_join', { config: { private: true } }, '9');
    client.send('phoenix', 'heartbeat', {});
    await whileTicking(client.next('the heartbeat', (message) => message.topic === 'phoenix'));
    expect(client.messages.map((message) => message.topic)).toEqual(['realtime:open', 'realtime:a', 'phoenix']);
  });
});

describe('messages', () => {
  it('for topics that are not joined are answered as such', async () => {
    const client = await realtime.connect();
    expect(await client.ask('realtime:nowhere', 'broadcast', {})).toEqual({
      status: 'error',
      response: { reason: 'unmatched topic' },
    });
    expect((await client.ask('realtime:nowhere', 'phx_leave', {})).status).toBe('ok');
  });

  it('that are malformed are dropped', async () => {
    const client = await realtime.connect();
    for (const text of ['{', '[]', '{"topic":1}', 'null']) client.ws.send(text);
    client.ws.send(Buffer.from([3, 255]));
    await client.settle();
    expect(client.messages).toHaveLength(1);
    expect(realtime.log.filter((line) => line.message === 'MalformedWebSocketMessage')).toHaveLength(1);
    clock.advance(1_000);
    client.ws.send('{');
    await client.settle();
    expect(realtime.log.at(-1)).toMatchObject({ message: 'MalformedWebSocketMessage', fields: { more: 4 } });
  });

  it('of every shape cost no more than themselves', async () => {
    const client = await realtime.connect();
    await client.join('a');
    let seed = 42;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const parts: unknown[] = [
      null,
      1,
      '',
      'realtime:a',
      'realtime:',
      'phoenix',
      {},
      [],
      { event: 1 },
      { event: 'track', payload: [] },
      true,
    ];
    const events = ['phx_join', 'phx_leave', 'broadcast', 'presence', 'access_token', 'heartbeat', 'other', 7];
    for (let n = 0; n < 1_500; n++) {
      const pick = () => parts[random(parts.length)];
      if (n % 3 === 0)
        client.ws.send(Buffer.from(Array.from({ length: random(40) }, () => random(n % 2 === 0 ? 256 : 12))));
      else
        client.ws.send(
          JSON.stringify([pick(), pick(), pick(), events[random(events.length)], pick()].slice(0, 3 + random(4))),
        );
    }
    client.ws.send(`["1","1","realtime:a","broadcast",${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}]`);
    await whileTicking(client.settle());
    const other = await realtime.connect();
    expect((await other.join('a')).status).toBe('ok');
  });

  it('that crash a channel end it with phx_error', async () => {
    const client = await realtime.connect();
    await client.join('a');
    client.send('realtime:a', 'broadcast', 'text', '1');
    const end = await client.next('the end', (message) => message.event === 'phx_error');
    expect(end).toMatchObject({ joinRef: '1', ref: '1', topic: 'realtime:a', payload: {} });
    expect((await client.ask('realtime:a', 'broadcast', {})).response.reason).toBe('unmatched topic');
  });

  it('phx_leave is answered, then the channel closes', async () => {
    const client = await realtime.connect();
    await client.join('a');
    expect((await client.ask('realtime:a', 'phx_leave', {}, '1')).status).toBe('ok');
    await client.next('the end', (message) => message.event === 'phx_close' && message.joinRef === '1');
  });

  it('larger than 5 MB close the socket', async () => {
    const client = await realtime.connect();
    client.ws.send('x'.repeat(5_000_001));
    await client.until('the end', () => client.closed !== null);
    expect(client.closed).toEqual({ code: 1009 });
  });
});

describe('a token', () => {
  const read = (extensions: string[]) => ({ sub: 'x', read: extensions, iat: seconds() });

  it('ends its channels, public ones too, at the second of its expiry', async () => {
    const client = await realtime.connect({ exp: seconds() + 40 });
    await client.join('a');
    clock.advance(39_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.events('system')).toEqual([]);
    clock.advance(1_000);
    await client.next('the end', (message) => message.event === 'phx_close');
    expect(client.events('system')[0]).toMatchObject({
      joinRef: '1',
      ref: null,
      payload: { extension: 'system', status: 'error', message: 'Token has expired 0 seconds ago', channel: 'a' },
    });
  });

  it('that is new is followed: the rights are asked for again', async () => {
    const client = await realtime.connect(read(['broadcast', 'presence']));
    await client.join('a', { private: true, presence: { enabled: true } });
    client.send('realtime:a', 'access_token', { access_token: await signToken({ ...read(['broadcast']), n: 1 }) }, '1');
    await client.next('the end', (message) => message.event === 'phx_close');
    expect(client.events('system')[0]?.payload.message).toBe(
      'You no longer have permission to read from this Channel topic: a',
    );
  });

  it('that may read nothing ends the channel', async () => {
    const client = await realtime.connect(read(['broadcast']));
    await client.join('a', { private: true });
    client.send('realtime:a', 'access_token', { access_token: await signToken({ ...read([]), n: 2 }) }, '1');
    await client.next('the end', (message) => message.event === 'phx_close');
    expect(client.events('system')[0]?.payload.message).toBe(
      'You do not have permissions to read from this Channel topic: a',
    );
  });

  it('that gives a right has effect at once', async () => {
    const [reader, writer] = [
      await realtime.connect(read(['presence'])),
      await realtime.connect({ ...read(['broadcast']), write: ['broadcast'] }),
    ];
    await reader.join('a', { private: true, presence: { enabled: true } });
    await writer.join('a', { private: true });
    writer.pushBroadcast('a', 'unheard', {});
    await writer.ask('realtime:a', 'presence', { event: 'untrack' }, '1');
    reader.send(
      'realtime:a',
      'access_token',
      { access_token: await signToken({ ...read(['presence', 'broadcast']), n: 3 }) },
      '1',
    );
    await reader.ask('realtime:a', 'presence', { event: 'untrack' }, '1');
    writer.pushBroadcast('a', 'heard', {});
    const heard = await reader.next('the broadcast', (message) => message.event === 'broadcast');
    expect(heard.payload.event).toBe('heard');
  });

  it.each([null, 'sb_publishable_x'])('%j changes nothing', async (token) => {
    const client = await realtime.connect();
    await client.join('a');
    client.send('realtime:a', 'access_token', { access_token: token }, '1');
    expect((await client.ask('realtime:a', 'presence', { event: 'untrack' }, '1')).status).toBe('ok');
    expect(client.events('system')).toEqual([]);
  });

  it('that is nonsense ends the channel', async () => {
    const client = await realtime.connect();
    await client.join('a');
    client.send('realtime:a', 'access_token', { access_token: 'nonsense' }, '1');
    await client.next('the end', (message) => message.event === 'phx_close');
    expect(client.events('system')[0]?.payload.message).toBe('The token provided is not a valid JWT');
  });
});

describe('a socket', () => {
  it('without a frame for 60 s is closed with 1000', async () => {
    const [quiet, lively] = [await realtime.connect(), await realtime.connect()];
    await quiet.settle();
    clock.advance(50_000);
    await lively.settle();
    clock.advance(12_000);
    await quiet.until('the end', () => quiet.closed !== null);
    expect(quiet.closed).toEqual({ code: 1000 });
    await lively.settle();
  });
});
