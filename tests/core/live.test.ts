import { createHash } from 'node:crypto';
import { call, createStarkClient, type StarkClient, type Watch, watchCluster, watchNamespace } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

const admin = { email: 'ada@example.com', password: 'correct horse' };

let harness: TestStack;
let client: StarkClient;
const watches: Watch[] = [];

beforeAll(async () => {
  harness = await startTestStack();
  client = connect();
});

afterAll(async () => {
  await Promise.all(watches.map((watch) => watch.close()));
  await client?.realtime.disconnect();
  await harness?.stop();
});

function connect(): StarkClient {
  const { url, keys } = harness.stack;
  return createStarkClient({
    url,
    key: keys.publishable,
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: WebSocket as never },
  });
}

function setup(email: string): Promise<Response> {
  const { url, keys } = harness.stack;
  return fetch(`${url}/functions/v1/api/auth/setup`, {
    method: 'POST',
    headers: { apikey: keys.secret, 'content-type': 'application/json', 'x-correlation-id': 'setup-1' },
    body: JSON.stringify({ ...admin, email, display_name: 'Ada' }),
  });
}

// The same moment has several spellings: events carry Postgres' JSON, rows what the REST service makes of a time.
function withTimes(row: object): object {
  const time = (key: string, value: unknown) =>
    key.endsWith('_at') && typeof value === 'string' ? Date.parse(value) : value;
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, time(key, value)]));
}

describe('the first admin', () => {
  it('is the winner of two setups at once, and the loser leaves no user behind', async () => {
    const emails = ['eve@example.com', 'eva@example.com', admin.email];
    const answers = await Promise.all(emails.map(setup));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(answers[0]?.headers.get('x-correlation-id')).toBe('setup-1');
    const winner = emails[answers.findIndex(({ status }) => status === 201)] as string;
    for (const email of emails) {
      const { error } = await client.auth.signInWithPassword({ ...admin, email });
      expect(error === null).toBe(email === winner);
    }
    expect(await call(client, 'whoami')).toMatchObject({
      email: winner,
      display_name: 'Ada',
      roles: [{ role: 'admin' }],
    });
    const again = await setup('late@example.com');
    expect(await again.json()).toMatchObject({ error: { code: 'SETUP_DONE', hint: 'stark auth login' } });
  });
});

describe('a watch', () => {
  it('is refused to nobody in particular, within a join', async () => {
    const anonymous = connect();
    const watch = watchNamespace(anonymous, 'default');
    await expect(watch.ready).rejects.toMatchObject({ code: 'NOT_SIGNED_IN', exitCode: 4 });
    await anonymous.realtime.disconnect();
  });

  it('shows packs, versions and pods as they come and go', async () => {
    const cluster = watchCluster(client);
    const pods = watchNamespace(client, 'default', { store: cluster.store });
    watches.push(cluster, pods);
    await Promise.all([cluster.ready, pods.ready]);
    const { store } = cluster;

    const bundle = new TextEncoder().encode('export default () => {};');
    const sha256 = createHash('sha256').update(bundle).digest('hex');
    const upload = await call(client, 'register_pack_version', {
      p_name: 'alpha',
      p_version: '1.0.0',
      p_runtime: 'node',
      p_size_bytes: bundle.byteLength,
      p_sha256: sha256,
    });
    const stored = await client.storage
      .from(upload.bucket)
      .upload(upload.path, bundle, { contentType: 'text/javascript' });
    expect(stored.error).toBeNull();
    await call(client, 'finish_pack_version', { p_version_id: upload.version_id });
    await waitFor('the version to be ready', () => store.packVersions.get(upload.version_id)?.state === 'ready');
    expect(store.packs.get(upload.pack_id)?.name).toBe('alpha');

    const created = await call(client, 'create_pods', { p_pods: [{ pack: 'alpha', replicas: 30 }] });
    await waitFor('thirty pods', () => store.pods.size === 30);
    expect(store.views.podCounts.value).toEqual({ pending: 30 });
    await call(client, 'delete_pods', { p_ids: created.slice(0, 10).map(({ id }) => id) });
    await waitFor('ten to be gone', () => store.pods.size === 20);

    const { data } = await client.from('pods').select('*').order('id');
    const shown = [...store.pods.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(shown.map(withTimes)).toEqual(data?.map(withTimes));
  });

  it('catches up with what happened while its socket was away', async () => {
    const [, pods] = watches as [Watch, Watch];
    const states: string[] = [];
    pods.onState((state) => states.push(state));
    const before = pods.store.pods.size;
    // As a network that fails does: no close frame, no chance to say good-bye.
    const socket = client.realtime as unknown as { socketAdapter: { getSocket(): { conn: { terminate(): void } } } };
    socket.socketAdapter.getSocket().conn.terminate();
    await call(client, 'create_pods', { p_pods: [{ pack: 'alpha', replicas: 3 }] });
    await waitFor('three more pods', () => pods.store.pods.size === before + 3);
    await waitFor('the watch to be live again', () => pods.state.value === 'live');
    expect(states[0]).toBe('stale');
  });
});
