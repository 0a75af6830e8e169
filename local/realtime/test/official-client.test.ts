import { createServer, type Server } from 'node:http';
import {
  createClient,
  type RealtimeChannel,
  type RealtimeClientOptions,
  type SupabaseClient,
} from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';
import { signToken } from './support/tokens.js';
import { waitFor } from './support/wait.js';

let postgres: TestPostgres;
let realtime: TestRealtime;
let gateway: Server;
let url: string;
let clients: SupabaseClient[] = [];

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres);
  await postgres.sql(`
    create policy "members read" on realtime.messages for select to authenticated
      using (realtime.topic() = 'team' and (select auth.jwt() ->> 'sub') in ('ann', 'bob'));
    create policy "ann writes" on realtime.messages for insert to authenticated
      with check (realtime.topic() = 'team' and (select auth.jwt() ->> 'sub') = 'ann');
    create table public.notes (id int primary key, body text);
    grant select on public.notes to authenticated;
    alter publication supabase_realtime add table public.notes`);
  // What the platform's gateway does: take away the prefix.
  gateway = createServer((request, response) => {
    request.url = (request.url ?? '').replace('/realtime/v1', '');
    realtime.server.handleRequest(request, response);
  });
  gateway.on('upgrade', (request, socket, head) => {
    request.url = (request.url ?? '').replace('/realtime/v1', '');
    realtime.server.handleUpgrade(request, socket, head);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(gateway.address() as { port: number }).port}`;
}, 60_000);

afterEach(async () => {
  for (const client of clients) await client.removeAllChannels();
  for (const client of clients) client.realtime.disconnect();
  clients = [];
});

afterAll(async () => {
  await realtime?.stop();
  await new Promise((resolve) => gateway?.close(resolve));
  await postgres?.stop();
});

async function clientOf(sub: string, options: RealtimeClientOptions = {}): Promise<SupabaseClient> {
  const client = createClient(url, await signToken({ sub }), {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never, timeout: 2_000, ...options },
  });
  clients.push(client);
  return client;
}

function subscribed(channel: RealtimeChannel): Promise<RealtimeChannel> {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel);
      else reject(new Error(`${status} ${error?.message ?? ''}`));
    });
  });
}

describe.each(['1.0.0', '2.0.0'])('the official client with vsn %s', (vsn) => {
  it('broadcasts in private to clients that may read, and times out without the right to write', async () => {
    const [ann, bob, eve] = await Promise.all(['ann', 'bob', 'eve'].map((sub) => clientOf(sub, { vsn })));
    const config = { private: true, broadcast: { ack: true } };
    const heard: unknown[] = [];
    const bobs = (bob as SupabaseClient)
      .channel('team', { config })
      .on('broadcast', { event: '*' }, (message) => heard.push(message));
    await subscribed(bobs);
    const anns = await subscribed((ann as SupabaseClient).channel('team', { config }));
    expect(await anns.send({ type: 'broadcast', event: 'hi', payload: { n: 1 } })).toBe('ok');
    await waitFor('bob to hear', () => heard.length === 1);
    expect(heard).toEqual([{ type: 'broadcast', event: 'hi', payload: { n: 1 } }]);
    expect(await bobs.send({ type: 'broadcast', event: 'hi', payload: {} }, { timeout: 300 })).toBe('timed out');
    await expect(subscribed((eve as SupabaseClient).channel('team', { config }))).rejects.toThrow(
      'Unauthorized: You do not have permissions to read from this Channel topic: team',
    );
  });

  it('hears the database, and what was sent over HTTP', async () => {
    const [ann, bob] = [await clientOf('ann', { vsn }), await clientOf('bob', { vsn })];
    const heard: { event: string; payload: Record<string, unknown>; meta?: { id: string } }[] = [];
    await subscribed(
      bob
        .channel('team', { config: { private: true } })
        .on('broadcast', { event: '*' }, (message) => heard.push(message as never)),
    );
    await postgres.sql(`select realtime.send('{"from": "sql"}', 'tick', 'team')`);
    await waitFor('the database', () => heard.length === 1);
    expect(heard[0]).toMatchObject({ event: 'tick', payload: { from: 'sql' }, meta: { id: heard[0]?.payload.id } });
    await ann.realtime.setAuth();
    expect(await ann.channel('team', { config: { private: true } }).httpSend('tock', { from: 'http' })).toEqual({
      success: true,
    });
    await waitFor('the request', () => heard.length === 2);
    expect(heard[1]).toMatchObject({ event: 'tock', payload: { from: 'http' } });
  });

  it('shares presence', async () => {
    const [ann, bob] = [await clientOf('ann', { vsn }), await clientOf('bob', { vsn })];
    const joins: string[] = [];
    const channel = bob.channel('lobby').on('presence', { event: 'join' }, ({ key }) => joins.push(key));
    await subscribed(channel);
    const own = await subscribed(ann.channel('lobby', { config: { presence: { key: 'ann' } } }));
    expect(await own.track({ mood: 'calm' })).toBe('ok');
    await waitFor('bob to see ann', () => joins.includes('ann'));
    expect(channel.presenceState()).toMatchObject({ ann: [{ mood: 'calm', presence_ref: expect.any(String) }] });
    await own.untrack();
    await waitFor('bob to miss ann', () => Object.keys(channel.presenceState()).length === 0);
  });

  it('is told of rows', async () => {
    const ann = await clientOf('ann', { vsn });
    const changes: unknown[] = [];
    let ready = false;
    await subscribed(
      ann
        .channel('rows')
        .on('system', {}, (message) => {
          ready ||= message.status === 'ok' && message.extension === 'postgres_changes';
        })
        .on('postgres_changes', { event: '*', schema: 'public', table: 'notes' }, (change) => changes.push(change)),
    );
    await waitFor('the subscription', () => ready);
    await postgres.sql(`insert into public.notes values (1, 'a'); delete from public.notes`);
    await waitFor('both changes', () => changes.length === 2);
    expect(changes).toMatchObject([
      { eventType: 'INSERT', schema: 'public', table: 'notes', new: { id: 1, body: 'a' }, old: {}, errors: null },
      { eventType: 'DELETE', new: {}, old: { id: 1 } },
    ]);
  });
});

it('the official client finds its channels again after the server was replaced', async () => {
  const ann = await clientOf('ann', { reconnectAfterMs: () => 50 });
  const statuses: string[] = [];
  ann.channel('lobby').subscribe((status) => statuses.push(status));
  await waitFor('to be subscribed', () => statuses.includes('SUBSCRIBED'));
  const old = realtime;
  await old.server.stop();
  realtime = await TestRealtime.start(postgres);
  await waitFor('to be subscribed again', () => statuses.filter((status) => status === 'SUBSCRIBED').length === 2);
  await old.stop();
});
