import { createClient } from '@supabase/supabase-js';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import ws from 'ws';
import { FakeRealtime } from '../../core/test/fake-realtime.js';
import { hostileBytes, hostilePayloads } from '../../core/test/hostile-messages.js';
import { guardedSocket } from '../../supabase/functions/_shared/guarded-socket.ts';
import { Watcher } from '../../supabase/functions/watch/watcher.ts';

const realtime = new FakeRealtime();
const end = new AbortController();

beforeEach(() => vi.stubGlobal('WebSocket', ws));
afterEach(async () => {
  end.abort();
  vi.unstubAllGlobals();
  await realtime.stop();
});

it('goes on watching after messages of all that a node can send', async () => {
  const reports: { p_observations: unknown[] }[] = [];
  const client = createClient(await realtime.start(), 'key', {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: guardedSocket() as never, heartbeatIntervalMs: 50 },
    global: {
      fetch: async (_url, init) => {
        reports.push(JSON.parse(String(init?.body)));
        return Response.json({ wants_presence_list: false });
      },
    },
  });
  const watching = new Watcher(client as never).watch(60_000, end.signal);
  const topics = ['stark:presence', 'stark:heartbeat'];
  await vi.waitFor(() => expect(topics.every((topic) => realtime.isJoined(topic))).toBe(true), { timeout: 5000 });
  for (const topic of topics) {
    for (const event of ['broadcast', 'presence_state', 'presence_diff', 'system']) {
      for (const payload of hostilePayloads) realtime.sendRaw(topic, event, payload);
    }
    for (const bytes of hostileBytes) realtime.sendBytes(topic, bytes);
  }
  const credential = { node_id: '6b9a3c1e-4a51-4c39-9a0b-0d2f9c1c7a11', incarnation: 1, secret: 'a'.repeat(64) };
  const payload = { ...credential, usage: { cpu: 5 } };
  realtime.sendRaw('stark:heartbeat', 'broadcast', { type: 'broadcast', event: 'heartbeat', payload });
  const seen = { ...credential, sign: 'heartbeat', usage: { cpu: 5 } };
  await vi.waitFor(() => expect(reports.flatMap(({ p_observations }) => p_observations)).toContainEqual(seen), {
    timeout: 5000,
  });
  end.abort();
  await watching;
});
