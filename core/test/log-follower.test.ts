import { afterEach, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import { createStarkClient, LogFollower, type LogLine, type StarkClient } from '../src/index.js';
import { FakeRealtime } from './fake-realtime.js';
import { hostileBytes, hostilePayloads } from './hostile-messages.js';

const podId = '6b9a3c1e-4a51-4c39-9a0b-0d2f9c1c7a11';
const topic = `stark:pod:${podId}`;
const realtime = new FakeRealtime();
let client: StarkClient | undefined;
let follower: LogFollower | undefined;

afterEach(async () => {
  await follower?.close();
  await client?.realtime.disconnect();
  await realtime.stop();
});

it('follows on after messages of all that a pod’s owner can send', async () => {
  const answer = (body: unknown) => Response.json(body);
  client = createStarkClient({
    url: await realtime.start(),
    key: 'key',
    accessToken: async () => 'token',
    fetch: async (input) => answer(String(input).includes('follow_logs') ? { status: 'running', topic } : []),
    realtime: { transport: WebSocket },
  });
  const lines: LogLine[] = [];
  follower = new LogFollower(client, { podId, after: 0, onLines: (some) => lines.push(...some) });
  await vi.waitFor(() => expect(realtime.isJoined(topic)).toBe(true), { timeout: 5000 });
  for (const event of ['broadcast', 'system', 'presence_state', 'presence_diff']) {
    for (const payload of hostilePayloads) realtime.sendRaw(topic, event, payload);
  }
  for (const bytes of hostileBytes) realtime.sendBytes(topic, bytes);
  const line = { seq: 1, time: '2026-11-30T10:00:00Z', stream: 'stdout', message: 'still here' };
  const tell = (payload: unknown) =>
    realtime.sendRaw(topic, 'broadcast', { type: 'broadcast', event: 'lines', payload });
  // One line of two is no line, or carries what would move a cursor: nothing of such a message is shown.
  tell({
    previous_seq: 0,
    lines: [
      { ...line, message: 'of a bad message' },
      { ...line, seq: 2, message: null },
    ],
  });
  tell({ previous_seq: 0, lines: [{ ...line, message: 'of a bad message', time: '\u001b[2J' }] });
  tell({ previous_seq: 0, lines: [line] });
  await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0), { timeout: 5000 });
  expect(lines).toEqual([{ ...line, level: null, run: 0 }]);
});
