import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestBrowser } from '../../harness/chromium.js';
import { freshTopic, Service } from '../support/service.js';
import { until } from '../support/wait.js';
import type { Vsn } from '../support/wire.js';
import { servePage, Tab } from './tab.js';

let service: Service;
let browser: TestBrowser;
let site: Awaited<ReturnType<typeof servePage>>;
let tab: Tab;

beforeAll(async () => {
  [service, browser, site] = await Promise.all([Service.start(), TestBrowser.start(), servePage()]);
});
afterAll(async () => {
  await browser?.stop();
  await site?.close();
  await service?.stop();
});
beforeEach(async () => {
  tab = await Tab.open(browser, site.url);
});
afterEach(() => tab.close());

describe.each<Vsn>(['1.0.0', '2.0.0'])('the official client in Chromium, vsn %s', (vsn) => {
  const client = (name: string, inTab = tab, options = {}) =>
    inTab.call('client', name, service.gateway.url, service.keys.publishable, { vsn, ...options });

  it('§3 §6 joins and broadcasts: to others, to itself with self, with ack', async () => {
    const topic = freshTopic();
    await client('one');
    await client('two');
    await tab.join('mine', 'one', topic, { broadcast: { self: true, ack: true } });
    await tab.join('theirs', 'two', topic);
    expect(await tab.call('send', 'mine', 'hello', { n: 1 })).toBe('ok');
    for (const name of ['mine', 'theirs']) {
      const { messages } = await tab.hears('the broadcast', name, (heard) => heard.messages.length === 1);
      expect(messages).toEqual([{ event: 'hello', payload: { n: 1 } }]);
    }
  });

  it('§6 httpSend works from another origin', async () => {
    const topic = freshTopic();
    await client('one');
    await client('two');
    await tab.join('theirs', 'two', topic);
    await tab.join('mine', 'one', topic);
    expect(await tab.call('httpSend', 'mine', 'by http', { n: 1 })).toEqual({ success: true });
    await tab.hears('the broadcast', 'theirs', (heard) => heard.messages.some(({ event }) => event === 'by http'));
  });

  it('§4 unsubscribe closes the channel', async () => {
    await client('one');
    await tab.join('mine', 'one', freshTopic());
    expect(await tab.call('unsubscribe', 'mine')).toBe('ok');
    expect((await tab.call('heard', 'mine')).statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
  });

  it('§7 a private channel is refused without a right and joined with one; realtime.send arrives with meta.id', async () => {
    const topic = freshTopic();
    const user = await service.user(topic);
    await client('one');
    await tab.call('setAuth', 'one', user.token());
    const config = { private: true, broadcast: { replication_ready: true } };
    await tab.call('channel', 'mine', 'one', topic, config);
    const refused = await tab.hears('the refusal', 'mine', ({ statuses }) => statuses.includes('CHANNEL_ERROR'));
    expect(refused.errors[0]).toBe(
      `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    );
    await user.grant(topic, 'broadcast:read');
    await tab.hears('the feed', 'mine', ({ system }) =>
      system.some(({ message }) => message === 'Replication connection established'),
    );
    await service.sql`select realtime.send('{"n": 1}', 'from the database', ${topic})`;
    const { messages } = await tab.hears('the message', 'mine', (heard) => heard.messages.length === 1);
    const id = messages[0]?.meta?.id;
    expect(messages).toEqual([{ event: 'from the database', payload: { n: 1, id }, meta: { id } }]);
  });

  it('§5 a refreshed token keeps the channel, one that lost the right closes it', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    await client('one');
    await tab.call('setAuth', 'one', user.token());
    await tab.join('mine', 'one', topic, { private: true });
    await tab.call('setAuth', 'one', user.token());
    const sender = await (await service.socket({ apikey: service.keys.serviceJwt })).join(topic, { private: true });
    sender.broadcast('still here', {});
    await tab.hears('a broadcast', 'mine', (heard) => heard.messages.length === 1);
    await user.revoke(topic, 'broadcast:read');
    await tab.call('setAuth', 'one', user.token());
    const { system, statuses } = await tab.hears('the end', 'mine', (heard) => heard.statuses.includes('CLOSED'));
    expect(statuses).toEqual(['SUBSCRIBED', 'CLOSED']);
    expect(system.at(-1)?.message).toBe(`You do not have permissions to read from this Channel topic: ${topic}`);
  });

  it('§8 presence: join, state, leave; a closed tab is gone within a second', async () => {
    const topic = freshTopic();
    await client('one');
    await tab.join('watcher', 'one', topic, { presence: { key: 'watcher' } });
    const other = await Tab.open(browser, site.url);
    await client('two', other);
    await other.join('member', 'two', topic, { presence: { key: 'member' } });
    expect(await other.call('track', 'member', { at: 'desk' })).toBe('ok');
    await tab.hears('the join', 'watcher', ({ presence }) =>
      presence.some(({ event, key }) => event === 'join' && key === 'member'),
    );
    expect(await tab.call('presenceState', 'watcher')).toEqual({
      member: [{ at: 'desk', presence_ref: expect.any(String) }],
    });
    await other.close();
    const left = ({ event, key }: { event: string; key?: string }) => event === 'leave' && key === 'member';
    await tab.hears('the leave', 'watcher', ({ presence }) => presence.some(left), 1_000);
    expect(await tab.call('presenceState', 'watcher')).toEqual({});
  });

  it('§4 reconnects and rejoins after the server went away', async () => {
    await client('one');
    await tab.join('mine', 'one', freshTopic(), { broadcast: { self: true } });
    await service.use();
    await tab.hears(
      'the second join',
      'mine',
      ({ statuses }) => statuses.filter((s) => s === 'SUBSCRIBED').length === 2,
    );
    await tab.call('send', 'mine', 'again', {});
    await tab.hears('the broadcast', 'mine', ({ messages }) => messages.some(({ event }) => event === 'again'));
  });

  it('§2 heartbeats are answered, also from a worker', async () => {
    await client('one', tab, { heartbeatIntervalMs: 200, worker: true });
    await tab.join('mine', 'one', freshTopic());
    await until('answered heartbeats', async () => {
      const beats = await tab.call('beats', 'one');
      return beats.filter((status) => status === 'ok').length >= 2;
    });
  });

  it('§6 twenty channels of a tab keep their messages apart', async () => {
    await client('one');
    const names = Array.from({ length: 20 }, (_, n) => `channel-${n}`);
    for (const name of names) await tab.join(name, 'one', freshTopic(), { broadcast: { self: true } });
    for (const name of names) await tab.call('send', name, `to ${name}`, {});
    for (const name of names) {
      const { messages } = await tab.hears('its message', name, (heard) => heard.messages.length > 0);
      expect(messages.map(({ event }) => event)).toEqual([`to ${name}`]);
    }
  });
});

describe('the official client in Chromium, vsn 2.0.0', () => {
  it('§2 binary payloads go both ways, from a tab and from the database', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read', 'broadcast:write']);
    for (const name of ['one', 'two']) {
      await tab.call('client', name, service.gateway.url, service.keys.publishable, {});
      await tab.call('setAuth', name, user.token());
    }
    await tab.join('mine', 'one', topic, { private: true, broadcast: { ack: true } });
    await tab.join('theirs', 'two', topic, { private: true, broadcast: { replication_ready: true } });
    await tab.hears('the feed', 'theirs', ({ system }) => system.length === 1);
    expect(await tab.call('sendBytes', 'mine', 'bytes', [0, 127, 255])).toBe('ok');
    await tab.hears('the bytes', 'theirs', (heard) => heard.messages.length === 1);
    await service.sql`select realtime.send_binary('\\x00ff'::bytea, 'stored bytes', ${topic})`;
    const { messages } = await tab.hears('the stored bytes', 'theirs', (heard) => heard.messages.length === 2);
    expect(messages).toEqual([
      { event: 'bytes', payload: { bytes: [0, 127, 255] } },
      { event: 'stored bytes', payload: { bytes: [0, 255] }, meta: { id: expect.any(String) } },
    ]);
  });
});
