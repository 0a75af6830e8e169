import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { userBroadcastPush, type Vsn } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start({ channelErrorBackoffMs: 400 });
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const versions: Vsn[] = ['1.0.0', '2.0.0'];
const both = { broadcast: { self: true, ack: true } };

describe.each(versions)('§2 messages, vsn %s', (vsn) => {
  /** What a reply looks like on the wire in this protocol. */
  const onWire = (joinRef: string | null, ref: string, topic: string, event: string, payload: unknown) =>
    vsn === '2.0.0' ? [joinRef, ref, topic, event, payload] : { topic, event, payload, ref };

  it('heartbeat is answered with ok, its ref and no join_ref', async () => {
    const socket = await service.socket({ vsn });
    const reply = await socket.ask('phoenix', 'heartbeat', {});
    expect(reply.raw).toEqual(
      onWire(null, reply.ref as string, 'phoenix', 'phx_reply', { status: 'ok', response: {} }),
    );
  });

  it.each([
    'not json',
    '',
    '""',
    'null',
    '7',
    '[]',
    '{}',
    '[1,2]',
    '{"topic":"phoenix"}',
    '{"topic":"phoenix","event":"heartbeat","payload":{}}',
    '[null,"9","phoenix"]',
  ])('malformed text %j is dropped without a reply and the socket lives on', async (text) => {
    const socket = await service.socket({ vsn });
    socket.sendRaw(text);
    await socket.settle();
    expect(socket.frames).toHaveLength(1);
  });

  it.each([
    ['an unknown kind', Buffer.from([9, 1, 2, 3])],
    ['nothing at all', Buffer.alloc(0)],
    ['a kind 3 header cut short', Buffer.from([3, 200, 200, 200])],
  ])('malformed binary, %s, is dropped and the socket lives on', async (_name, bytes) => {
    const socket = await service.socket({ vsn });
    socket.sendRaw(bytes);
    await socket.settle();
    expect(socket.frames).toHaveLength(1);
  });

  it('a reply has the join_ref of the channel and the ref of the request', async () => {
    const socket = await service.socket({ vsn });
    const channel = await socket.join(freshTopic(), both);
    const reply = await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} });
    expect(reply.raw).toEqual(
      onWire(channel.joinRef, reply.ref as string, channel.wireTopic, 'phx_reply', { status: 'ok', response: {} }),
    );
  });

  it('a message for a topic not joined is answered with error "unmatched topic" without join_ref', async () => {
    const socket = await service.socket({ vsn });
    const reply = await socket.ask(
      'realtime:nowhere',
      'broadcast',
      { type: 'broadcast', event: 'e', payload: {} },
      { joinRef: '77' },
    );
    expect(reply.raw).toEqual(
      onWire(null, reply.ref as string, 'realtime:nowhere', 'phx_reply', {
        status: 'error',
        response: { reason: 'unmatched topic' },
      }),
    );
  });

  it('phx_leave of a topic not joined is answered with ok', async () => {
    const socket = await service.socket({ vsn });
    const reply = await socket.ask('realtime:nowhere', 'phx_leave', {});
    expect(reply.payload).toEqual({ status: 'ok', response: {} });
  });

  it.each(['other:room', 'room', 'phoenix'])(
    'a join of %s, outside realtime:*, is an unmatched topic',
    async (topic) => {
      const socket = await service.socket({ vsn });
      const ref = socket.nextRef();
      socket.send(topic, 'phx_join', { config: {} }, { ref, joinRef: ref });
      expect((await socket.reply(ref)).payload).toEqual({ status: 'error', response: { reason: 'unmatched topic' } });
    },
  );

  it('a second join of a topic ends the first channel; its phx_close comes after the reply of the new join', async () => {
    const socket = await service.socket({ vsn });
    const topic = freshTopic();
    const first = await socket.join(topic);
    const second = await socket.join(topic, both);
    const close = await first.next('phx_close');
    expect(close.raw).toEqual(onWire(first.joinRef, first.joinRef, first.wireTopic, 'phx_close', {}));
    expect(socket.frames.indexOf(close)).toBeGreaterThan(socket.frames.indexOf(second.reply));
    second.broadcast('still here', {});
    await second.hear('still here');
    expect(second.heard()).toEqual(['still here']);
  });

  it('a push with a stale or a missing join_ref is accepted', async () => {
    const socket = await service.socket({ vsn });
    const channel = await socket.join(freshTopic(), both);
    for (const joinRef of ['999', null]) {
      const reply = await socket.ask(
        channel.wireTopic,
        'broadcast',
        { type: 'broadcast', event: `ref ${joinRef}`, payload: {} },
        { joinRef },
      );
      expect(reply.payload.status).toBe('ok');
    }
    await channel.hear('ref null');
    expect(channel.heard()).toEqual(['ref 999', 'ref null']);
  });

  it('a ref of null is accepted', async () => {
    const socket = await service.socket({ vsn });
    const channel = await socket.join(freshTopic(), both);
    socket.send(channel.wireTopic, 'broadcast', { type: 'broadcast', event: 'no ref', payload: {} }, { ref: null });
    await channel.hear('no ref');
  });

  it('joins are serial: a refused join holds up everything else on its socket', async () => {
    const socket = await service.socket({ vsn });
    const other = await service.socket({ vsn });
    const ref = socket.nextRef();
    const started = performance.now();
    socket.send(`realtime:${freshTopic()}`, 'phx_join', { config: { private: true } }, { ref, joinRef: ref });
    const beat = socket.send('phoenix', 'heartbeat', {});
    let isAnswered = false;
    const answer = socket.reply(beat).then(() => {
      isAnswered = true;
    });
    await other.settle();
    expect(isAnswered).toBe(false);
    await answer;
    expect(performance.now() - started).toBeGreaterThanOrEqual(395);
    expect(socket.frames.map((frame) => frame.ref)).toEqual([ref, beat]);
  });

  it('a text broadcast is relayed with its payload untouched', async () => {
    const topic = freshTopic();
    const sender = await (await service.socket({ vsn })).join(topic);
    const receiver = await (await service.socket({ vsn })).join(topic);
    const payload = { type: 'broadcast', event: 'e', payload: { list: [1, null, 'ü'] }, extra: { kept: true } };
    sender.push('broadcast', payload);
    const frame = await receiver.hear('e');
    expect(frame.raw).toEqual(
      vsn === '2.0.0'
        ? [null, null, receiver.wireTopic, 'broadcast', payload]
        : { topic: receiver.wireTopic, event: 'broadcast', payload, ref: null },
    );
  });

  it('a text broadcast crosses the protocols', async () => {
    const topic = freshTopic();
    const sender = await (await service.socket({ vsn })).join(topic);
    const receiver = await (await service.socket({ vsn: vsn === '1.0.0' ? '2.0.0' : '1.0.0' })).join(topic);
    sender.broadcast('crossing', { from: vsn });
    expect((await receiver.hear('crossing')).payload.payload).toEqual({ from: vsn });
  });
});

describe('§2 binary frames', () => {
  const pair = async (receiverVsn: Vsn) => {
    const topic = freshTopic();
    const sender = await (await service.socket()).join(topic, { broadcast: { ack: true } });
    const receiver = await (await service.socket({ vsn: receiverVsn })).join(topic);
    const push = (event: string, encoding: number, payload: Buffer | string, metadata?: string) => {
      const ref = sender.socket.nextRef();
      const meta = metadata === undefined ? {} : { metadata };
      sender.socket.sendRaw(
        userBroadcastPush({ joinRef: sender.joinRef, ref, topic: sender.wireTopic, event, encoding, payload, ...meta }),
      );
      return sender.socket.reply(ref);
    };
    return { sender, receiver, push };
  };

  it('a JSON kind 3 push is relayed as kind 4, byte for byte, without metadata', async () => {
    const { receiver, push } = await pair('2.0.0');
    expect((await push('e', 1, '{"n": 1,  "spaced": true}')).payload).toEqual({ status: 'ok', response: {} });
    const frame = await receiver.hear('e');
    const topic = Buffer.from(receiver.wireTopic);
    expect(frame.raw).toEqual(
      Buffer.concat([Buffer.from([4, topic.length, 1, 0, 1]), topic, Buffer.from('e{"n": 1,  "spaced": true}')]),
    );
  });

  it('the metadata of a client is dropped', async () => {
    const { receiver, push } = await pair('2.0.0');
    await push('e', 1, '{}', '{"id":"forged"}');
    expect((await receiver.hear('e')).binary).toMatchObject({ kind: 4, metadata: '' });
  });

  it('raw bytes are relayed as kind 4 with encoding 0', async () => {
    const { receiver, push } = await pair('2.0.0');
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
    await push('raw', 0, bytes);
    const frame = await receiver.hear('raw');
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 0, metadata: '' });
    expect(frame.binary?.bytes.equals(bytes)).toBe(true);
  });

  it('an event in UTF-8 has its length counted in bytes', async () => {
    const { receiver, push } = await pair('2.0.0');
    await push('größe', 1, '{"ü":"é"}');
    const frame = await receiver.hear('größe');
    expect((frame.raw as Buffer)[2]).toBe(7);
    expect(frame.payload.payload).toEqual({ ü: 'é' });
  });

  it('to a vsn 1 subscriber a JSON kind 3 becomes a text message {type, event, payload}', async () => {
    const { receiver, push } = await pair('1.0.0');
    await push('e', 1, '{"n":1}');
    expect((await receiver.hear('e')).raw).toEqual({
      topic: receiver.wireTopic,
      event: 'broadcast',
      payload: { type: 'broadcast', event: 'e', payload: { n: 1 } },
      ref: null,
    });
  });

  it('raw bytes are not delivered to a vsn 1 subscriber', async () => {
    const { receiver, push } = await pair('1.0.0');
    await push('raw', 0, Buffer.from([1, 2, 3]));
    await push('marker', 1, '{}');
    await receiver.hear('marker');
    expect(receiver.heard()).toEqual(['marker']);
  });

  it('self and ack hold for kind 3 pushes too', async () => {
    const socket = await service.socket();
    const channel = await socket.join(freshTopic(), both);
    const ref = socket.nextRef();
    socket.sendRaw(
      userBroadcastPush({
        joinRef: channel.joinRef,
        ref,
        topic: channel.wireTopic,
        event: 'me',
        encoding: 1,
        payload: '{}',
      }),
    );
    expect((await socket.reply(ref)).raw).toEqual([
      channel.joinRef,
      ref,
      channel.wireTopic,
      'phx_reply',
      { status: 'ok', response: {} },
    ]);
    expect((await channel.hear('me')).binary?.kind).toBe(4);
  });
});

describe('§2 who carries join_ref (vsn 2)', () => {
  it('presence_state carries the join_ref and ref null, presence_diff carries null and null', async () => {
    const socket = await service.socket();
    const channel = await socket.join(freshTopic(), { presence: { enabled: true, key: 'k' } });
    const state = await channel.next('presence_state');
    expect([state.join_ref, state.ref]).toEqual([channel.joinRef, null]);
    await channel.track({ at: 'desk' });
    const diff = await channel.next('presence_diff');
    expect([diff.join_ref, diff.ref]).toEqual([null, null]);
  });

  it('system carries the join_ref and ref null', async () => {
    const socket = await service.socket();
    const channel = await socket.join(freshTopic(), { broadcast: { replication_ready: true } });
    const system = await channel.next('system');
    expect([system.join_ref, system.ref]).toEqual([channel.joinRef, null]);
  });

  it('phx_close carries the join_ref in both positions', async () => {
    const channel = await (await service.socket()).join(freshTopic());
    channel.push('phx_leave', {});
    const close = await channel.next('phx_close');
    expect([close.join_ref, close.ref]).toEqual([channel.joinRef, channel.joinRef]);
  });
});
