import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { TestPostgres } from './support/postgres.js';
import { TestRealtime } from './support/realtime.js';

let postgres: TestPostgres;
let realtime: TestRealtime;

beforeAll(async () => {
  postgres = await TestPostgres.start();
  realtime = await TestRealtime.start(postgres);
  await postgres.sql(`create policy "by claim" on realtime.messages for select to authenticated
    using (not coalesce((select auth.jwt() -> 'blind') ? extension, false))`);
}, 60_000);

afterEach(() => realtime.closeClients());

afterAll(async () => {
  await realtime?.stop();
  await postgres?.stop();
});

const send = (topic: string, from: number, to: number) =>
  Promise.all([
    postgres.sql(`do $$ begin for n in ${from}..${to} loop
    insert into realtime.messages (topic, extension, event, payload, private, inserted_at)
      values ('${topic}', 'broadcast', 'e', jsonb_build_object('n', n), true, clock_timestamp()); end loop; end $$`),
  ]);

const wish = (since: unknown, limit?: unknown) => ({
  private: true,
  broadcast: { replay: { since, ...(limit === undefined ? {} : { limit }) } },
});

it('sends the newest, oldest first, once the join is answered', async () => {
  await send('a', 1, 30);
  const client = await realtime.connect();
  await client.join('a', wish(Date.now() - 60_000));
  await client.settle();
  const [reply, ...rest] = client.messages.filter((message) => message.topic === 'realtime:a');
  expect(reply?.event).toBe('phx_reply');
  expect(rest.map((message) => message.payload.payload.n)).toEqual(Array.from({ length: 25 }, (_, n) => n + 6));
  expect(rest[0]).toMatchObject({
    joinRef: '1',
    ref: null,
    event: 'broadcast',
    payload: { type: 'broadcast', event: 'e', meta: { replayed: true, id: expect.any(String) } },
  });
  expect(rest[0]?.binary).toBeUndefined();
});

it('keeps to limit and since', async () => {
  await send('b', 1, 5);
  const client = await realtime.connect();
  await client.join('b', wish(Date.now() - 60_000, 2));
  await client.settle();
  expect(client.events('broadcast').map((message) => message.payload.payload.n)).toEqual([4, 5]);
  const late = await realtime.connect();
  await late.join('b', wish(Date.now() + 1_000));
  await late.settle();
  expect(late.events('broadcast')).toEqual([]);
});

it('sends bytes as kind 4, and leaves them out for vsn 1', async () => {
  await postgres.sql(`select realtime.send_binary('\\x01ff', 'bytes', 'c'); select realtime.send('{}', 'json', 'c')`);
  const [two, one] = [await realtime.connect(), await realtime.connect({}, '1.0.0')];
  for (const client of [one, two]) {
    await client.join('c', wish(0));
    await client.settle();
  }
  expect(
    two
      .events('broadcast')
      .map((message) => message.payload.event)
      .sort(),
  ).toEqual(['bytes', 'json']);
  const bytes = two.events('broadcast').find((message) => message.binary !== undefined);
  expect(bytes).toMatchObject({
    binary: { kind: 4, encoding: 0, body: Buffer.from([1, 255]) },
    payload: { meta: { replayed: true } },
  });
  expect(one.events('broadcast').map((message) => message.payload.event)).toEqual(['json']);
});

it('does not deliver again what it replayed', async () => {
  const early = await realtime.connect();
  await early.join('d', { private: true });
  // The row is visible to the replay before the feed has it: both are asked for at once.
  await postgres.sql(`select realtime.send('{"n": 1}', 'e', 'd')`);
  const late = await realtime.connect();
  await late.join('d', wish(Date.now() - 60_000));
  await early.next('the broadcast', (message) => message.event === 'broadcast');
  await late.settle();
  expect(late.events('broadcast').map((message) => message.payload.payload.n)).toEqual([1]);
});

it.each([['text'], [1.5], [null], [Number.MAX_SAFE_INTEGER]])('since %j is not valid', async (since) => {
  const client = await realtime.connect();
  expect(await client.join('a', wish(since))).toEqual({
    status: 'error',
    response: { reason: 'UnableToReplayMessages: Replay params are not valid' },
  });
});

it('needs the right to read broadcasts', async () => {
  const client = await realtime.connect({ blind: ['broadcast'] });
  const config = { ...wish(0), presence: { enabled: true } };
  expect((await client.join('a', config)).response.reason).toBe(
    'Unauthorized: You do not have permissions to read from this Channel topic: a',
  );
  expect((await client.join('a', { private: true, presence: { enabled: true } })).status).toBe('ok');
});
