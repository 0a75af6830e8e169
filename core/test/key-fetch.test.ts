import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createStarkClient } from '../src/client/client.js';

let server: Server;
let url: string;
let seen: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.headers);
    response.setHeader('content-type', 'application/json').end('[]');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  seen = [];
});

async function askEverything(key: string, accessToken?: () => Promise<string>): Promise<void> {
  const client = createStarkClient({
    url,
    key,
    ...(accessToken ? { accessToken } : { auth: { persistSession: false, autoRefreshToken: false } }),
  });
  await client.from('nodes').select();
  await client.rpc('needs_setup');
  await client.storage.from('bucket').list();
  await client.functions.invoke('api');
  await client
    .channel('topic', { config: { private: true } })
    .httpSend('event', { a: 1 })
    .catch(() => {});
  if (!accessToken) await client.auth.signInWithPassword({ email: 'a@example.com', password: 'p' });
}

it.each(['sb_publishable_x', 'sb_secret_x'])('a key of the new kind travels as apikey only: %s', async (key) => {
  await askEverything(key);
  expect(seen.length).toBeGreaterThanOrEqual(5);
  for (const { apikey, authorization } of seen) expect({ apikey, authorization }).toEqual({ apikey: key });
});

it('a token goes beside it, and an old key is a token too', async () => {
  await askEverything('sb_publishable_x', async () => 'a.b.c');
  await askEverything('old.key.jwt');
  const shown = new Set(seen.map(({ apikey, authorization }) => `${apikey} ${authorization}`));
  expect([...shown]).toEqual(['sb_publishable_x Bearer a.b.c', 'old.key.jwt Bearer old.key.jwt']);
});
