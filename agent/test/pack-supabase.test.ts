import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createClient } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import ws from 'ws';
import { supabaseOf } from '../src/pod/shared/supabase.js';

it('the client of a pack shows the key as apikey only, and a token of its own beside it', async () => {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.setHeader('content-type', 'application/json').end('[]');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const load = async () => ({ createClient, webSocket: ws as never });
    const client = await supabaseOf({ url, key: 'sb_publishable_x' }, load)();
    await client.from('t').select();
    await client.from('t').select().setHeader('authorization', 'Bearer a.b.c');
    const shown = seen.map(({ apikey, authorization }) => ({ apikey, authorization }));
    expect(shown).toEqual([
      { apikey: 'sb_publishable_x', authorization: undefined },
      { apikey: 'sb_publishable_x', authorization: 'Bearer a.b.c' },
    ]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
