import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import {
  type Change,
  createStarkClient,
  type EventBatch,
  type StarkClient,
  type Watch,
  watchNamespace,
} from '../src/index.js';
import { FakeRealtime } from './fake-realtime.js';
import { FakeRest } from './fake-rest.js';
import { hostileBytes, hostilePayloads } from './hostile-messages.js';
import { contents, ModelDatabase } from './model-database.js';

const TOPIC = 'stark:namespace:default';

let database: ModelDatabase;
let realtime: FakeRealtime;
let rest: FakeRest;
let client: StarkClient;
let watch: Watch | undefined;
let token: string;

beforeEach(async () => {
  watch = undefined;
  token = 'token-1';
  database = new ModelDatabase();
  rest = new FakeRest(database);
  realtime = new FakeRealtime();
  client = createStarkClient({
    url: await realtime.start(),
    key: 'key',
    accessToken: async () => token,
    fetch: rest.fetch,
    realtime: { transport: WebSocket, reconnectAfterMs: () => 20 },
  });
});

afterEach(async () => {
  await watch?.close();
  await client.realtime.disconnect();
  await realtime.stop();
});

/** Waits without guessing for how long; says what it waited for. */
function until(what: string, condition: () => boolean): Promise<void> {
  return vi.waitFor(() => expect(condition(), what).toBe(true), { timeout: 5000, interval: 5 });
}

async function start(options: Parameters<typeof watchNamespace>[2] = {}): Promise<Watch> {
  watch = watchNamespace(client, 'default', { retry: { firstMs: 20, longestMs: 20 }, ...options });
  await watch.ready;
  return watch;
}

const isComplete = () =>
  watch !== undefined && JSON.stringify(contents(watch.store)) === JSON.stringify(contents(database));

/** A change in the database; its broadcast is given back, to be sent or lost. */
function change(make: () => void): EventBatch {
  const previous = database.log.length;
  make();
  return { events: database.log.slice(previous), previous_seq: previous };
}

describe('watchNamespace', () => {
  it('joins the private topic with the token before it reads, and then holds what the database holds', async () => {
    for (let count = 0; count < 3; count++) database.createPod();
    const { store, state } = await start();
    expect(realtime.joins).toEqual([
      expect.objectContaining({ access_token: 'token-1', config: expect.objectContaining({ private: true }) }),
    ]);
    expect(rest.requests[0]).toContain('/rest/v1/events?select=seq');
    expect(contents(store)).toEqual(contents(database));
    expect(state.value).toBe('live');
  });

  it('reads every page of a large namespace', async () => {
    for (let count = 0; count < 2500; count++) database.createPod();
    expect((await start()).store.pods.size).toBe(2500);
  });

  it('applies broadcasts and says what changed', async () => {
    const { onChange, store } = await start().then((it) => ({ onChange: it.onChange.bind(it), store: it.store }));
    const changes: Change[] = [];
    const stop = onChange((some) => changes.push(...some));
    const reads = rest.requests.length;
    realtime.broadcast(
      TOPIC,
      change(() => database.createPod()),
    );
    await until('the pod', () => store.pods.has('pod-1'));
    expect(changes).toEqual([{ kind: 'pod', id: 'pod-1', row: store.pods.get('pod-1') }]);
    expect(rest.requests.length).toBe(reads);
    stop();
    realtime.broadcast(
      TOPIC,
      change(() => database.deletePod('pod-1')),
    );
    await until('the deletion', () => store.pods.size === 0);
    expect(changes.length).toBe(1);
  });

  it('reads what a lost broadcast said as soon as a later one shows the gap', async () => {
    await start();
    change(() => database.createPod());
    realtime.broadcast(
      TOPIC,
      change(() => database.createPod()),
    );
    await until('both pods', isComplete);
  });

  it('finds out about a lost last broadcast by itself', async () => {
    await start({ checkEveryMs: 30 });
    change(() => database.createPod());
    await until('the pod', isComplete);
  });

  it('holds what the database holds after it was restored to an earlier time', async () => {
    change(() => database.createPod());
    await start({ checkEveryMs: 30 });
    const restore = database.backup();
    const [id = ''] = database.pods.keys();
    realtime.broadcast(
      TOPIC,
      change(() => database.updatePod(id, { status: 'running' })),
    );
    realtime.broadcast(
      TOPIC,
      change(() => database.createPod()),
    );
    await until('what will be lost', isComplete);
    restore();
    await until('what was before', isComplete);
    change(() => database.updatePod(id, { status: 'failed' }));
    await until('what came afterwards', isComplete);
  });

  it('looks again when the database feed stands', async () => {
    await start();
    change(() => database.createPod());
    realtime.replicationReady(TOPIC);
    await until('the pod', isComplete);
  });

  it('loses a malformed message alone, whatever is wrong with it', async () => {
    await start();
    for (const payload of hostilePayloads) realtime.sendRaw(TOPIC, 'broadcast', payload);
    for (const event of ['system', 'presence_state', 'presence_diff', 'postgres_changes', 'phx_reply', 'nothing']) {
      for (const payload of hostilePayloads) realtime.sendRaw(TOPIC, event, payload);
    }
    for (const bytes of hostileBytes) realtime.sendBytes(TOPIC, bytes);
    const batch = change(() => database.createPod());
    const damaged = [
      { ...batch, events: null },
      { ...batch, events: [null] },
      { ...batch, previous_seq: 'x' },
    ];
    for (const payload of [...damaged, { ...batch, events: [{ ...batch.events[0], object: 5 }] }]) {
      realtime.broadcast(TOPIC, payload as never);
    }
    realtime.broadcast(TOPIC, batch);
    await until('the pod', isComplete);
    expect(watch?.state.value).toBe('live');
  });

  it('catches up after the socket was cut, without another snapshot', async () => {
    const { state } = await start();
    const states: string[] = [];
    watch?.onState((now) => states.push(now));
    realtime.cut();
    await until('the loss to be seen', () => state.value === 'stale');
    change(() => database.createPod());
    const reads = rest.requests.length;
    await until('the pod', isComplete);
    expect(states).toEqual(['stale', 'live']);
    expect(rest.requests.slice(reads).every((url) => url.includes('/events?'))).toBe(true);
    realtime.broadcast(
      TOPIC,
      change(() => database.createPod()),
    );
    await until('the live pod', isComplete);
  });

  it('comes back with a new channel and the newest token after the server closed the channel', async () => {
    await start();
    token = 'token-2';
    const reasons: (string | undefined)[] = [];
    watch?.onState((_, error) => reasons.push(error?.message));
    realtime.closeChannel(TOPIC, 'Token has expired 3 seconds ago');
    change(() => database.createPod());
    await until('the pod', isComplete);
    expect(reasons).toEqual(['Token has expired 3 seconds ago', undefined]);
    expect(realtime.joins.at(-1)?.access_token).toBe('token-2');
    realtime.broadcast(
      TOPIC,
      change(() => database.createPod()),
    );
    await until('the live pod', isComplete);
  });

  it('fails at once where the right is missing, and asks no second time', async () => {
    realtime.refusal = `Unauthorized: You do not have permissions to read from this Channel topic: ${TOPIC}`;
    await expect(start()).rejects.toMatchObject({ code: 'FORBIDDEN', exitCode: 5 });
    expect(watch?.state.value).toBe('closed');
    await until('the channel to be gone', () => client.getChannels().length === 0);
    expect(realtime.joins.length).toBe(1);
  });

  it('fails at once when the snapshot is refused', async () => {
    rest.failure = {
      status: 403,
      body: { code: 'FORBIDDEN', message: 'not for you', hint: 'stark auth whoami', details: null },
    };
    await expect(start()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'not for you' });
  });

  it('fails at once when nobody is there', async () => {
    await realtime.stop();
    await expect(start()).rejects.toMatchObject({ code: 'UNREACHABLE', exitCode: 8 });
  });

  it('keeps what it shows while reads fail, and goes on when they work again', async () => {
    const { state } = await start();
    rest.failure = { status: 500, body: { message: 'down' } };
    realtime.closeChannel(TOPIC, 'Too many messages per second');
    change(() => database.createPod());
    await until('a failed read', () => rest.requests.length > 4 && state.value === 'stale');
    rest.failure = undefined;
    await until('the pod', isComplete);
    await until('the watch to be live', () => state.value === 'live');
  });

  it('refuses a second watch of a topic on one client, and allows one after the first has ended', async () => {
    const first = await start();
    const second = watchNamespace(client, 'default');
    await expect(second.ready).rejects.toMatchObject({ code: 'ALREADY_WATCHED' });
    await first.close();
    await start();
    expect(isComplete()).toBe(true);
  });

  it('leaves the topic and says nothing more once closed', async () => {
    const abort = new AbortController();
    const { state } = await start({ signal: abort.signal });
    abort.abort();
    await until('the topic to be left', () => !realtime.isJoined(TOPIC) && client.getChannels().length === 0);
    expect(state.value).toBe('closed');
  });

  describe('when the topic moves, since somebody lost the right to hear it', () => {
    const NEXT = `${TOPIC}:0123456789ab`;

    it.each([
      ['is told', () => realtime.moved(TOPIC), 60_000],
      ['was not told', () => {}, 50],
    ] as const)('follows it when it %s, and misses nothing', async (_, tell, checkEveryMs) => {
      await start({ checkEveryMs });
      rest.topic = NEXT;
      tell();
      // What is broadcast in between reaches nobody here.
      change(() => database.createPod());
      await until('the other name is joined', () => realtime.isJoined(NEXT));
      await until('the old one is left', () => !realtime.isJoined(TOPIC));
      realtime.broadcast(
        NEXT,
        change(() => database.createPod()),
      );
      await until('both pods are there', isComplete);
      await until('it is live', () => watch?.state.value === 'live');
    });

    it('leaves, and says why, when it may not hear it any more', async () => {
      const following = await start();
      const errors: unknown[] = [];
      following.onState((_, error) => error && errors.push(error.code));
      rest.topic = { status: 403, body: { code: 'FORBIDDEN', message: 'no', hint: null, details: null } };
      realtime.moved(TOPIC);
      await until('the topic is left', () => !realtime.isJoined(TOPIC));
      await until('it says so', () => following.state.value === 'stale');
      expect(errors).toEqual(['FORBIDDEN']);
    });

    it('asks for the name before it joins for the first time', async () => {
      rest.topic = NEXT;
      await start();
      expect(realtime.isJoined(NEXT)).toBe(true);
      expect(realtime.joins).toHaveLength(1);
    });
  });
});
