import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { roleToken, seconds, sign } from './support/tokens.js';
import type { Vsn, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

type Headers = Record<string, string>;
const bearer = (token = service.keys.anonJwt): Headers => ({ authorization: `Bearer ${token}` });
const json: Headers = { 'content-type': 'application/json' };

function batch(messages: unknown, headers: Headers = bearer()): Promise<Response> {
  return fetch(`${service.gateway.url}/realtime/v1/api/broadcast`, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify({ messages }),
  });
}

function single(topic: string, event: string, body: string | Buffer, headers: Headers, query = ''): Promise<Response> {
  const path = `${encodeURIComponent(topic)}/events/${encodeURIComponent(event)}${query}`;
  return fetch(`${service.gateway.url}/realtime/v1/api/broadcast/${path}`, {
    method: 'POST',
    headers,
    body: new Uint8Array(Buffer.from(body)),
  });
}

async function listener(topic: string, vsn: Vsn = '2.0.0', isPrivate = false): Promise<WireChannel> {
  const apikey = isPrivate ? service.keys.serviceJwt : service.keys.anonJwt;
  return (await service.socket({ vsn, apikey })).join(topic, { private: isPrivate });
}

/** What the channel heard up to a marker sent after everything else. */
async function heardBefore(channel: WireChannel, isPrivate = false): Promise<string[]> {
  await batch(
    [{ topic: channel.topic, event: 'marker', payload: {}, private: isPrivate }],
    bearer(service.keys.serviceJwt),
  );
  await channel.hear('marker');
  return channel.heard().slice(0, -1);
}

describe('§6 HTTP, who may send', () => {
  const message = () => [{ topic: freshTopic(), event: 'e', payload: {} }];

  it('Authorization: Bearer is taken', async () => {
    expect((await batch(message())).status).toBe(202);
  });

  it('header apikey is taken', async () => {
    expect((await batch(message(), { apikey: service.keys.anonJwt })).status).toBe(202);
  });

  it('an sb_ key is swapped by the gateway before', async () => {
    expect((await batch(message(), { apikey: service.keys.publishable })).status).toBe(202);
    expect((await batch(message(), bearer(service.keys.secret))).status).toBe(202);
  });

  it.each([
    ['nothing', () => ({}) as Headers],
    ['an expired token', () => bearer(sign({ role: 'anon', exp: seconds(-5) }))],
    ['a token without role', () => bearer(sign({ exp: seconds(60) }))],
    ['a token of another secret', () => bearer(sign({ role: 'anon', exp: seconds(60) }, 'y'.repeat(40)))],
    ['no JWT', () => bearer('nonsense')],
  ])('%s is answered with 401 {"message":"Unauthorized"}', async (_name, headers) => {
    for (const response of [
      await batch(message(), headers()),
      await single('t', 'e', '{}', { ...json, ...headers() }),
    ]) {
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ message: 'Unauthorized' });
    }
  });

  it('answers carry CORS * and the rate headers', async () => {
    for (const response of [await batch(message()), await single('t', 'e', '{}', { ...json, ...bearer() })]) {
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      for (const name of ['x-rate-rolling', 'x-rate-limit', 'x-rate-limit-remaining']) {
        expect(Number(response.headers.get(name)), name).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

describe('§6 HTTP batch', () => {
  it('is answered with 202 and nothing, and reaches vsn 1 and 2 as a text frame {type, event, payload}', async () => {
    const topic = freshTopic();
    const receivers = [await listener(topic, '1.0.0'), await listener(topic, '2.0.0')];
    const response = await batch([{ topic, event: 'e', payload: { n: 1 } }]);
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    for (const receiver of receivers) {
      const frame = await receiver.hear('e');
      expect(frame.binary).toBeUndefined();
      expect(frame.payload).toEqual({ type: 'broadcast', event: 'e', payload: { n: 1 } });
    }
  });

  it('an id becomes meta.id', async () => {
    const topic = freshTopic();
    const receiver = await listener(topic);
    const id = '6f0b6b1e-1f51-4a3b-9d3e-0d3f3a0b7d11';
    expect((await batch([{ topic, event: 'e', payload: {}, id }])).status).toBe(202);
    expect((await receiver.hear('e')).payload).toEqual({ type: 'broadcast', event: 'e', payload: {}, meta: { id } });
  });

  it('one request may hold several topics; order is kept', async () => {
    const [one, two] = [await listener(freshTopic()), await listener(freshTopic())];
    const send = (channel: WireChannel, event: string) => ({ topic: channel.topic, event, payload: {} });
    await batch([send(one, 'a'), send(two, 'b'), send(one, 'c')]);
    expect(await heardBefore(one)).toEqual(['a', 'c']);
    expect(await heardBefore(two)).toEqual(['b']);
  });

  it.each([
    ['topic', { event: 'e', payload: {} }],
    ['event', { topic: 't', payload: {} }],
    ['payload', { topic: 't', event: 'e' }],
  ])('a message without %s is answered with 422 and "can\'t be blank"', async (field, message) => {
    const response = await batch([message]);
    expect(response.status).toBe(422);
    expect(await response.json()).toEqual({ errors: { messages: [{ [field]: ["can't be blank"] }] } });
  });

  it('nothing of a request with an invalid message is sent', async () => {
    const receiver = await listener(freshTopic());
    const response = await batch([{ topic: receiver.topic, event: 'valid', payload: {} }, { topic: receiver.topic }]);
    expect(response.status).toBe(422);
    expect(await heardBefore(receiver)).toEqual([]);
  });

  it('a payload that is no object is answered with 422', async () => {
    expect((await batch([{ topic: 't', event: 'e', payload: 'text' }])).status).toBe(422);
  });

  it('a payload over the limit is answered with 422 "Payload size exceeds tenant limit" and nothing is sent', async () => {
    const receiver = await listener(freshTopic());
    const response = await batch([
      { topic: receiver.topic, event: 'small', payload: {} },
      { topic: receiver.topic, event: 'big', payload: { fill: 'x'.repeat(3_100_000) } },
    ]);
    expect(response.status).toBe(422);
    expect(await response.text()).toContain('Payload size exceeds tenant limit');
    expect(await heardBefore(receiver)).toEqual([]);
  });

  it('private without write permission is dropped and still answered with 202', async () => {
    const topic = freshTopic();
    const receiver = await listener(topic, '2.0.0', true);
    const user = await service.user(topic, ['broadcast:read']);
    const response = await batch([{ topic, event: 'forbidden', payload: {}, private: true }], bearer(user.token()));
    expect(response.status).toBe(202);
    expect(await heardBefore(receiver, true)).toEqual([]);
  });

  it('private with write permission reaches private channels only', async () => {
    const topic = freshTopic();
    const [hidden, open] = [await listener(topic, '2.0.0', true), await listener(topic)];
    const user = await service.user(topic, ['broadcast:write']);
    expect((await batch([{ topic, event: 'secret', payload: {}, private: true }], bearer(user.token()))).status).toBe(
      202,
    );
    await hidden.hear('secret');
    expect(await heardBefore(open)).toEqual([]);
  });

  it('private is false unless given', async () => {
    const topic = freshTopic();
    const hidden = await listener(topic, '2.0.0', true);
    await batch([{ topic, event: 'open', payload: {} }], bearer(service.keys.serviceJwt));
    expect(await heardBefore(hidden, true)).toEqual([]);
  });

  it('a refused private message does not hold back the others of its request', async () => {
    const open = await listener(freshTopic());
    const user = await service.user(open.topic);
    await batch(
      [
        { topic: open.topic, event: 'forbidden', payload: {}, private: true },
        { topic: open.topic, event: 'open', payload: {} },
      ],
      bearer(user.token()),
    );
    await open.hear('open');
  });
});

describe('§6 HTTP single', () => {
  it('JSON: 202; kind 4 without meta to vsn 2, {type, event, payload} to vsn 1', async () => {
    const topic = freshTopic();
    const [old, recent] = [await listener(topic, '1.0.0'), await listener(topic)];
    const response = await single(topic, 'e', '{"n":1}', { ...json, ...bearer() });
    expect(response.status).toBe(202);
    expect((await old.hear('e')).payload).toEqual({ type: 'broadcast', event: 'e', payload: { n: 1 } });
    const frame = await recent.hear('e');
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 1, metadata: '' });
    expect(frame.payload.payload).toEqual({ n: 1 });
  });

  it('octet-stream: raw kind 4 to vsn 2, nothing to vsn 1', async () => {
    const topic = freshTopic();
    const [old, recent] = [await listener(topic, '1.0.0'), await listener(topic)];
    const bytes = Buffer.from([0, 128, 255]);
    const headers = { 'content-type': 'application/octet-stream', ...bearer() };
    expect((await single(topic, 'raw', bytes, headers)).status).toBe(202);
    const frame = await recent.hear('raw');
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 0, metadata: '' });
    expect(frame.binary?.bytes.equals(bytes)).toBe(true);
    expect(await heardBefore(old)).toEqual([]);
  });

  it('other content types are answered with 415 and {error}', async () => {
    const response = await single('t', 'e', 'text', { 'content-type': 'text/plain', ...bearer() });
    expect(response.status).toBe(415);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });

  it('topic and event are percent-decoded', async () => {
    const topic = `${freshTopic()}:a/b ü`;
    const receiver = await listener(topic, '1.0.0');
    expect((await single(topic, 'e/1 é', '{}', { ...json, ...bearer() })).status).toBe(202);
    await receiver.hear('e/1 é');
  });

  it('private without permission is answered with 403 {"message":"Unauthorized"}', async () => {
    const user = await service.user('t');
    const response = await single(freshTopic(), 'e', '{}', { ...json, ...bearer(user.token()) }, '?private=true');
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ message: 'Unauthorized' });
  });

  it('private with write permission is answered with 202 and reaches private channels only', async () => {
    const topic = freshTopic();
    const [hidden, open] = [await listener(topic, '2.0.0', true), await listener(topic)];
    const user = await service.user(topic, ['broadcast:write']);
    const response = await single(topic, 'secret', '{}', { ...json, ...bearer(user.token()) }, '?private=true');
    expect(response.status).toBe(202);
    await hidden.hear('secret');
    expect(await heardBefore(open)).toEqual([]);
  });

  it('a body over the limit is answered with 422', async () => {
    const body = JSON.stringify({ fill: 'x'.repeat(3_100_000) });
    expect((await single('t', 'e', body, { ...json, ...bearer() })).status).toBe(422);
  });

  it('all headers reach the policies as request.headers', async () => {
    const topic = freshTopic('header');
    await service.sql.unsafe(`
      create policy "the right header may write" on realtime.messages for insert to authenticated with check (
        realtime.topic() = '${topic}' and current_setting('request.headers')::json ->> 'stark-pass' = 'open')`);
    const attempt = (pass: string) =>
      single(topic, 'e', '{}', { ...json, ...bearer(roleToken('authenticated')), 'stark-pass': pass }, '?private=true');
    expect((await attempt('closed')).status).toBe(403);
    expect((await attempt('open')).status).toBe(202);
  });
});
