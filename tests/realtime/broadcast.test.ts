import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { watchFor } from './support/wait.js';
import type { Vsn } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const message = (event: string, payload: unknown = {}) => ({ type: 'broadcast', event, payload });

describe.each<Vsn>(['1.0.0', '2.0.0'])('§6 broadcast from a client, vsn %s', (vsn) => {
  it('reaches every channel on the topic except the sender', async () => {
    const topic = freshTopic();
    const sender = await (await service.socket({ vsn })).join(topic);
    const receivers = [
      await (await service.socket({ vsn: '1.0.0' })).join(topic),
      await (await service.socket({ vsn: '2.0.0' })).join(topic),
    ];
    sender.broadcast('hello', { n: 1 });
    for (const receiver of receivers)
      expect((await receiver.hear('hello')).payload).toEqual(message('hello', { n: 1 }));
    await sender.socket.settle();
    expect(sender.heard()).toEqual([]);
  });

  it('self: true includes the sender', async () => {
    const channel = await (await service.socket({ vsn })).join(freshTopic(), { broadcast: { self: true } });
    channel.broadcast('echo', {});
    await channel.hear('echo');
  });

  it('stays inside its topic', async () => {
    const sender = await (await service.socket({ vsn })).join(freshTopic(), { broadcast: { self: true } });
    const elsewhere = await (await service.socket({ vsn })).join(freshTopic());
    sender.broadcast('here', {});
    await sender.hear('here');
    await elsewhere.socket.settle();
    expect(elsewhere.heard()).toEqual([]);
  });

  it('ack: true is answered with ok and {}', async () => {
    const channel = await (await service.socket({ vsn })).join(freshTopic(), { broadcast: { ack: true } });
    expect((await channel.ask('broadcast', message('e'))).payload).toEqual({ status: 'ok', response: {} });
  });

  it('ack: false is not answered', async () => {
    const channel = await (await service.socket({ vsn })).join(freshTopic(), { broadcast: { self: true } });
    const ref = channel.broadcast('e', {});
    await channel.hear('e');
    await channel.socket.settle();
    expect(channel.socket.frames.some((frame) => frame.ref === ref)).toBe(false);
  });

  it('too large with ack is answered with the bare string payload_size_exceeded and not delivered', async () => {
    const topic = freshTopic();
    const receiver = await (await service.socket()).join(topic);
    const sender = await (await service.socket({ vsn })).join(topic, { broadcast: { ack: true } });
    const reply = await sender.ask('broadcast', message('big', { fill: 'x'.repeat(3_100_000) }));
    expect(reply.payload).toEqual({ status: 'error', response: 'payload_size_exceeded' });
    sender.broadcast('marker', {});
    await receiver.hear('marker');
    expect(receiver.heard()).toEqual(['marker']);
  });

  it('too large without ack is dropped in silence and the channel lives on', async () => {
    const topic = freshTopic();
    const receiver = await (await service.socket()).join(topic);
    const sender = await (await service.socket({ vsn })).join(topic);
    sender.broadcast('big', { fill: 'x'.repeat(3_100_000) });
    sender.broadcast('marker', {});
    await receiver.hear('marker');
    await sender.socket.settle();
    expect(receiver.heard()).toEqual(['marker']);
    expect(sender.socket.frames.map((frame) => frame.event)).toEqual(['phx_reply', 'phx_reply']);
  });

  it('a payload under 3,000 KB is delivered', async () => {
    const topic = freshTopic();
    const receiver = await (await service.socket()).join(topic);
    const sender = await (await service.socket({ vsn })).join(topic);
    sender.broadcast('large', { fill: 'x'.repeat(2_900_000) });
    expect((await receiver.hear('large')).payload.payload.fill).toHaveLength(2_900_000);
  });

  it('messages of one sender arrive in order', async () => {
    const topic = freshTopic();
    const receiver = await (await service.socket({ vsn })).join(topic);
    const sender = await (await service.socket({ vsn })).join(topic);
    const sent = Array.from({ length: 100 }, (_, n) => `e${n}`);
    for (const event of sent) sender.broadcast(event, {});
    await receiver.hear('e99');
    expect(receiver.heard()).toEqual(sent);
  });

  it('private without write permission: nobody hears, and even ack gets no reply', async () => {
    const topic = freshTopic();
    const reader = await service.user(topic, ['broadcast:read']);
    const writer = await service.user(topic, ['broadcast:read', 'broadcast:write']);
    const join = async (user: typeof reader) =>
      (await service.socket({ vsn })).join(
        topic,
        { private: true, broadcast: { ack: true } },
        { access_token: user.token() },
      );
    const mute = await join(reader);
    const speaks = await join(writer);
    const ref = mute.broadcast('forbidden', {});
    await watchFor(400);
    expect((await speaks.ask('broadcast', message('allowed'))).payload.status).toBe('ok');
    await mute.hear('allowed');
    await mute.socket.settle();
    expect(speaks.heard()).toEqual([]);
    expect(mute.heard()).toEqual(['allowed']);
    expect(mute.socket.frames.some((frame) => frame.ref === ref)).toBe(false);
  });
});

describe('§6 broadcast from a client', () => {
  it('public and private channels of one name are two worlds', async () => {
    const topic = freshTopic();
    const openChannel = await (await service.socket()).join(topic, { broadcast: { self: true } });
    const privateChannel = await (await service.socket({ apikey: service.keys.serviceJwt })).join(topic, {
      private: true,
      broadcast: { self: true },
    });
    openChannel.broadcast('in the open', {});
    privateChannel.broadcast('in private', {});
    await openChannel.hear('in the open');
    await privateChannel.hear('in private');
    await openChannel.socket.settle();
    await privateChannel.socket.settle();
    expect(openChannel.heard()).toEqual(['in the open']);
    expect(privateChannel.heard()).toEqual(['in private']);
  });

  it('is never written to the database', async () => {
    const topic = freshTopic();
    const channel = await (await service.socket({ apikey: service.keys.serviceJwt })).join(topic, {
      private: true,
      broadcast: { ack: true },
    });
    await channel.ask('broadcast', message('e'));
    const rows = await service.sql`select 1 from realtime.messages where topic = ${topic}`;
    expect(rows).toHaveLength(0);
  });

  it('two sockets of one user are two receivers, one socket with many channels keeps them apart', async () => {
    const topic = freshTopic();
    const socket = await service.socket();
    const mine = await socket.join(topic, { broadcast: { self: true } });
    const other = await socket.join(freshTopic());
    mine.broadcast('e', {});
    await mine.hear('e');
    await socket.settle();
    expect(other.heard()).toEqual([]);
    expect(mine.heard()).toEqual(['e']);
  });

  it('topics may hold colons, slashes and spaces', async () => {
    const topic = `${freshTopic()}:a/b c?d=%20`;
    const sender = await (await service.socket()).join(topic);
    const receiver = await (await service.socket()).join(topic);
    sender.broadcast('e', {});
    await receiver.hear('e');
  });
});
