import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestClient } from './support/client.js';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { signToken } from './support/tokens.js';

let postgres: TestPostgres;
let realtime: TestRealtime;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres, { plan: 'team', limits: { broadcastPayloadKb: 2 } });
  await postgres.sql(`
    create policy "all read" on realtime.messages for select to authenticated using (true);
    create policy "writers write" on realtime.messages for insert to authenticated
      with check (realtime.topic() = (select auth.jwt() ->> 'writes') and current_setting('request.headers')::jsonb ? 'x-room')`);
}, 60_000);

afterEach(() => realtime.closeClients());

afterAll(async () => {
  await realtime?.stop();
  await postgres?.stop();
});

async function listener(topic: string, config: object = {}, vsn = '2.0.0'): Promise<TestClient> {
  const client = await realtime.connect({}, vsn);
  expect((await client.join(topic, config)).status).toBe('ok');
  return client;
}

const writer = async (topic: string) => ({
  authorization: `Bearer ${await signToken({ writes: topic })}`,
  'x-room': 'yes',
});
const batch = (...messages: object[]) => JSON.stringify({ messages });
const heard = (client: TestClient) => client.next('the broadcast', (message) => message.event === 'broadcast');

describe('a batch', () => {
  it('is sent as text, with meta when an id is given', async () => {
    const client = await listener('a');
    const response = await realtime.post(
      '/api/broadcast',
      batch({ topic: 'a', event: 'e', payload: { n: 1 } }, { topic: 'a', event: 'f', payload: {}, id: 'x' }),
    );
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('x-rate-limit')).toBe('2500');
    await client.until('both', () => client.events('broadcast').length === 2);
    expect(client.events('broadcast').map((message) => message.payload)).toEqual([
      { type: 'broadcast', event: 'e', payload: { n: 1 } },
      { type: 'broadcast', event: 'f', payload: {}, meta: { id: 'x' } },
    ]);
    expect(client.events('broadcast')[0]?.binary).toBeUndefined();
  });

  it('drops private messages without the right and answers 202 all the same', async () => {
    const client = await listener('a', { private: true });
    const message = { topic: 'a', event: 'e', payload: {}, private: true };
    expect((await realtime.post('/api/broadcast', batch(message), await writer('b'))).status).toBe(202);
    expect(
      (await realtime.post('/api/broadcast', batch({ ...message, event: 'allowed' }), await writer('a'))).status,
    ).toBe(202);
    expect((await heard(client)).payload.event).toBe('allowed');
    expect(client.events('broadcast')).toHaveLength(1);
  });

  it.each([
    ['nothing', {}, ["can't be blank"]],
    ['no list', { messages: 1 }, ['is invalid']],
    [
      'empty members',
      { messages: [{ topic: '' }] },
      [{ topic: ["can't be blank"], event: ["can't be blank"], payload: ["can't be blank"] }],
    ],
    ['a text for payload', { messages: [{ topic: 'a', event: 'e', payload: 'x' }] }, [{ payload: ['is invalid'] }]],
    [
      'one too large of two',
      {
        messages: [
          { topic: 'a', event: 'e', payload: {} },
          { topic: 'a', event: 'e', payload: { x: 'x'.repeat(2_600) } },
        ],
      },
      [{}, { payload: ['Payload size exceeds tenant limit'] }],
    ],
  ])('of %s is refused whole', async (_name, body, errors) => {
    const client = await listener('a');
    const response = await realtime.post('/api/broadcast', JSON.stringify(body));
    expect([response.status, await response.json()]).toEqual([422, { errors: { messages: errors } }]);
    await client.settle();
    expect(client.events('broadcast')).toEqual([]);
  });

  it('larger than the limit of a second is refused', async () => {
    const messages = Array.from({ length: 2_501 }, () => ({ topic: 'nobody', event: 'e', payload: {} }));
    const response = await realtime.post('/api/broadcast', batch(...messages));
    expect([response.status, await response.json()]).toEqual([
      429,
      { message: 'Too many messages to broadcast, please reduce the batch size' },
    ]);
  });
});

describe('a single message', () => {
  it('of JSON is kind 4 for vsn 2 and text for vsn 1, without meta', async () => {
    const [two, one] = [await listener('a b/c'), await listener('a b/c', {}, '1.0.0')];
    const response = await realtime.post(`/api/broadcast/${encodeURIComponent('a b/c')}/events/e%2F1`, '{"n": 1}');
    expect(response.status).toBe(202);
    for (const client of [one, two])
      expect((await heard(client)).payload).toEqual({ type: 'broadcast', event: 'e/1', payload: { n: 1 } });
    expect(two.events('broadcast')[0]?.binary).toMatchObject({ kind: 4, encoding: 1 });
  });

  it('of bytes is passed on as they are', async () => {
    const client = await listener('a');
    const bytes = Buffer.from([0, 1, 254, 255]);
    expect(
      (await realtime.post('/api/broadcast/a/events/e', bytes, { 'content-type': 'application/octet-stream' })).status,
    ).toBe(202);
    expect((await heard(client)).binary).toEqual({ kind: 4, encoding: 0, body: bytes });
  });

  it('in private needs the right to write', async () => {
    const client = await listener('a', { private: true });
    const path = '/api/broadcast/a/events/e?private=true';
    const refused = await realtime.post(path, '{}', await writer('b'));
    expect([refused.status, await refused.json()]).toEqual([403, { message: 'Unauthorized' }]);
    expect((await realtime.post(path, '{}', await writer('a'))).status).toBe(202);
    await heard(client);
  });

  it('of another type is refused', async () => {
    const response = await realtime.post('/api/broadcast/a/events/e', 'x', { 'content-type': 'text/plain' });
    expect(response.status).toBe(415);
    expect(await response.json()).toHaveProperty('error');
  });

  it('that is too large is refused', async () => {
    const response = await realtime.post('/api/broadcast/a/events/e', JSON.stringify({ x: 'x'.repeat(2_600) }));
    expect([response.status, await response.json()]).toEqual([
      422,
      { errors: { payload: ['Payload size exceeds tenant limit'] } },
    ]);
  });
});

describe('senders', () => {
  it.each([
    ['without a token', { authorization: '' }],
    ['with nonsense', { authorization: 'Bearer nonsense' }],
  ])('%s are refused', async (_name, headers) => {
    for (const path of ['/api/broadcast', '/api/broadcast/a/events/e']) {
      const response = await realtime.post(path, '{}', headers);
      expect([response.status, await response.json()]).toEqual([401, { message: 'Unauthorized' }]);
    }
  });

  it('may show their token as apikey', async () => {
    const response = await realtime.post('/api/broadcast/a/events/e', '{}', {
      authorization: '',
      apikey: await signToken(),
    });
    expect(response.status).toBe(202);
  });

  it('of other paths and methods find nothing', async () => {
    expect((await realtime.post('/api/elsewhere', '{}')).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${realtime.port}/api/broadcast`)).status).toBe(404);
  });
});
