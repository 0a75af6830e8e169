import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, type Right, Service, type TestUser } from './support/service.js';
import { roleToken } from './support/tokens.js';
import { watchFor } from './support/wait.js';
import type { JoinConfig, WireChannel } from './support/wire.js';

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterEach(() => service.closeSockets());
afterAll(() => service?.stop());

const unauthorized = (topic: string) => ({
  status: 'error',
  response: { reason: `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}` },
});

async function tryJoin(user: TestUser, topic: string, config: JoinConfig = {}) {
  const socket = await service.socket();
  return socket.tryJoin(topic, { private: true, ...config }, { access_token: user.token() });
}

async function join(user: TestUser, topic: string, config: JoinConfig = {}): Promise<WireChannel> {
  return (await service.socket()).join(topic, { private: true, ...config }, { access_token: user.token() });
}

/** A channel that may do everything, to send and to watch with. */
async function almighty(topic: string): Promise<WireChannel> {
  const socket = await service.socket({ apikey: service.keys.serviceJwt });
  return socket.join(topic, { private: true, broadcast: { ack: true }, presence: { enabled: true, key: 'almighty' } });
}

const presence = { presence: { enabled: true, key: 'me' } };

describe('§7 read rights at the join', () => {
  const matrix: [held: Right[], presenceEnabled: boolean, admitted: boolean][] = [
    [[], false, false],
    [[], true, false],
    [['broadcast:read'], false, true],
    [['broadcast:read'], true, true],
    [['presence:read'], true, true],
    [['presence:read'], false, false],
    [['broadcast:read', 'presence:read'], true, true],
    [['broadcast:write', 'presence:write'], true, false],
  ];

  it.each(matrix)('with %j and presence.enabled %s admitted is %s', async (held, enabled, admitted) => {
    const topic = freshTopic();
    const user = await service.user(topic, held);
    const reply = await tryJoin(user, topic, { presence: { enabled } });
    if (admitted) expect(reply.payload.status).toBe('ok');
    else expect(reply.payload).toEqual(unauthorized(topic));
  });

  it('anon without a policy is refused, service_role passes everything', async () => {
    const topic = freshTopic();
    const anon = await (await service.socket()).tryJoin(topic, { private: true });
    expect(anon.payload).toEqual(unauthorized(topic));
    await almighty(topic);
  });

  it('a right on one topic opens no other', async () => {
    const user = await service.user(freshTopic(), ['broadcast:read']);
    const other = freshTopic();
    expect((await tryJoin(user, other)).payload).toEqual(unauthorized(other));
  });

  it('a role that does not exist is refused as unauthorized', async () => {
    const topic = freshTopic();
    const reply = await (await service.socket()).tryJoin(
      topic,
      { private: true },
      { access_token: roleToken('nobody_here') },
    );
    expect(reply.payload).toEqual(unauthorized(topic));
  });

  it('an exception in a policy is refused as unauthorized', async () => {
    const topic = freshTopic('boom');
    await service.sql.unsafe(`create policy "divides by zero" on realtime.messages for select to authenticated
      using (case when realtime.topic() = '${topic}' then 1 / (length(topic) - length(topic)) = 1 else false end)`);
    // Any policy that says yes is enough, so the user holds no other right while this one fails.
    const user = await service.user(topic);
    expect((await tryJoin(user, topic)).payload).toEqual(unauthorized(topic));
    await service.sql.unsafe('drop policy "divides by zero" on realtime.messages');
    await user.grant(topic, 'broadcast:read');
    expect((await tryJoin(user, topic)).payload.status).toBe('ok');
  });
});

describe('§7 what a policy sees', () => {
  const conditions: [name: string, condition: string, admitted: boolean][] = [
    ['the topic in realtime.topic()', 'realtime.topic() = TOPIC', true],
    ['the topic in the column', 'topic = TOPIC', true],
    ['the extension', "extension = 'broadcast'", true],
    ['auth.uid()', 'auth.uid() = USER', true],
    ['auth.role()', "auth.role() = 'authenticated'", true],
    ['the claims', "auth.jwt() ->> 'department' = 'kitchen'", true],
    ['request.jwt.claim.sub', "current_setting('request.jwt.claim.sub') = USER::text", true],
    ['request.jwt.claim.role', "current_setting('request.jwt.claim.role') = 'authenticated'", true],
    ['the role', "current_user = 'authenticated'", true],
    ['private is false in the probe', 'private = false', true],
    ['a policy that tests private fails', 'private', false],
    ['a policy that tests the event fails', 'event is not null', false],
    ['a policy that tests the payload fails', 'payload is not null', false],
    ['x- headers of the upgrade', "current_setting('request.headers')::json ->> 'x-stark' = 'pass'", true],
    ['other headers are not kept', "current_setting('request.headers')::json ->> 'stark' = 'pass'", false],
  ];

  it.each(conditions)('%s', async (_name, condition, admitted) => {
    const topic = freshTopic('sees');
    const user = await service.user(topic);
    const using = condition.replace('TOPIC', `'${topic}'`).replace('USER', `'${user.id}'::uuid`);
    await service.sql.unsafe(`create policy "one condition" on realtime.messages for select to authenticated
      using (realtime.topic() = '${topic}' and (${using}))`);
    try {
      const socket = await service.socket({ headers: { 'x-stark': 'pass', stark: 'pass' } });
      const reply = await socket.tryJoin(
        topic,
        { private: true },
        { access_token: user.token({ department: 'kitchen' }) },
      );
      expect(reply.payload.status).toBe(admitted ? 'ok' : 'error');
    } finally {
      await service.sql.unsafe('drop policy "one condition" on realtime.messages');
    }
  });

  it('effects of a policy are rolled back, and no probe row stays', async () => {
    const topic = freshTopic('effects');
    await service.sql.unsafe(`
      create table public.trace (note text);
      create function public.leave_trace() returns boolean language plpgsql volatile security definer as $$ begin
        insert into public.trace values ('seen'); return true; end $$;
      create policy "traces reads" on realtime.messages for select to authenticated
        using (realtime.topic() = '${topic}' and public.leave_trace());
      create policy "traces writes" on realtime.messages for insert to authenticated
        with check (realtime.topic() = '${topic}' and public.leave_trace());`);
    const channel = await join(await service.user(topic), topic, { ...presence, broadcast: { ack: true } });
    await channel.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} });
    expect(await service.sql`select 1 from public.trace`).toHaveLength(0);
    expect(await service.sql`select 1 from realtime.messages where topic = ${topic}`).toHaveLength(0);
  });
});

describe('§7 what each right gives', () => {
  it('without broadcast read (joined by presence read) no broadcast is heard, from clients or the database', async () => {
    const topic = freshTopic();
    const deaf = await join(await service.user(topic, ['presence:read']), topic, presence);
    const hears = await join(await service.user(topic, ['broadcast:read']), topic, {
      broadcast: { replication_ready: true },
    });
    await hears.system('Replication connection established', 10_000);
    (await almighty(topic)).broadcast('from a client', {});
    await hears.hear('from a client');
    await service.sql`select realtime.send('{}', 'from the database', ${topic})`;
    await hears.hear('from the database');
    await deaf.socket.settle();
    expect(deaf.heard()).toEqual([]);
  });

  it('write-only membership: sends over the socket and hears nothing', async () => {
    const topic = freshTopic();
    const listener = await almighty(topic);
    const user = await service.user(topic, ['presence:read', 'broadcast:write']);
    const member = await join(user, topic, { ...presence, broadcast: { ack: true, self: true } });
    expect((await member.ask('broadcast', { type: 'broadcast', event: 'beat', payload: {} })).payload.status).toBe(
      'ok',
    );
    await listener.hear('beat');
    listener.broadcast('unheard', {});
    await listener.ask('broadcast', { type: 'broadcast', event: 'unheard', payload: {} });
    await member.socket.settle();
    expect(member.heard()).toEqual([]);
  });

  it('without broadcast write sends are dropped without a word', async () => {
    const topic = freshTopic();
    const listener = await almighty(topic);
    const reader = await join(await service.user(topic, ['broadcast:read']), topic);
    reader.broadcast('dropped', {});
    await watchFor(300);
    await reader.socket.settle();
    await listener.socket.settle();
    expect(listener.heard()).toEqual([]);
    expect(reader.socket.frames.filter((frame) => frame.event !== 'phx_reply')).toEqual([]);
  });

  it('broadcast write needs no select policy: its probe has no RETURNING', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['presence:read', 'broadcast:write']);
    const member = await join(user, topic, { ...presence, broadcast: { ack: true } });
    expect((await member.ask('broadcast', { type: 'broadcast', event: 'e', payload: {} })).payload.status).toBe('ok');
  });

  it('without presence read there is no presence_state and no presence_diff', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read', 'presence:write']);
    const blind = await join(user, topic, presence);
    const watcher = await almighty(topic);
    await watcher.track({ who: 'watcher' });
    expect((await blind.track({ who: 'blind' })).payload.status).toBe('ok');
    await watcher.next('presence_diff', (frame) => frame.payload.joins.me);
    await blind.socket.settle();
    expect(blind.all('presence_state')).toEqual([]);
    expect(blind.all('presence_diff')).toEqual([]);
  });

  it('without presence write track is answered with error {}', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read', 'presence:read']);
    const watcher = await almighty(topic);
    const member = await join(user, topic, presence);
    expect((await member.track({ a: 1 })).payload).toEqual({ status: 'error', response: {} });
    await watcher.socket.settle();
    expect(watcher.all('presence_diff')).toEqual([]);
  });

  it('with presence read and write a member sees and is seen', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['presence:read', 'presence:write']);
    const watcher = await almighty(topic);
    const member = await join(user, topic, presence);
    expect((await member.next('presence_state')).payload).toEqual({});
    await member.track({ who: 'member' });
    await watcher.next('presence_diff', (frame) => frame.payload.joins.me);
    await member.next('presence_diff', (frame) => frame.payload.joins.me);
  });

  it('the write decision is kept until the next token', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read', 'broadcast:write']);
    const listener = await almighty(topic);
    const member = await join(user, topic, { broadcast: { ack: true } });
    await member.ask('broadcast', { type: 'broadcast', event: 'before', payload: {} });
    await user.revoke(topic, 'broadcast:write');
    await member.ask('broadcast', { type: 'broadcast', event: 'cached', payload: {} });
    await listener.hear('cached');
    member.push('access_token', { access_token: user.token() });
    member.broadcast('after the new token', {});
    await watchFor(300);
    await listener.socket.settle();
    expect(listener.heard()).toEqual(['before', 'cached']);
  });

  it('the read decision is kept until the next token', async () => {
    const topic = freshTopic();
    const user = await service.user(topic, ['broadcast:read']);
    const member = await join(user, topic);
    await user.revoke(topic, 'broadcast:read');
    (await almighty(topic)).broadcast('still heard', {});
    await member.hear('still heard');
  });
});
