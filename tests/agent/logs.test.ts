import { join } from 'node:path';
import { type NodeAgent, startNodeAgent } from '@stark-o/agent/node';
import {
  call,
  createStarkClient,
  LogFollower as Follower,
  type LogFollower,
  type LogLine,
  type StarkClient,
} from '@stark-o/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { sharedStark } from '../harness/command.js';
import { startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';
import { ADMIN, Cluster } from './cluster.js';

// A line each 20 ms until it is told to end, and a last word.
const TICKER = `export default async (ctx) => {
  let n = 0;
  const timer = setInterval(() => console.log('tick ' + ++n), 20);
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
  clearInterval(timer);
  console.log('the last word');
};`;
const FLOOD = `export default async (ctx) => {
  for (let n = 1; n <= 30_000; n++) {
    console.log('line ' + n + ' ' + 'x'.repeat(100));
    if (n % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  }
};`;
const CRASH = `export default async (ctx) => {
  console.log('run ' + ((await ctx.storage.get('runs')) ?? 0));
  await ctx.storage.set('runs', ((await ctx.storage.get('runs')) ?? 0) + 1);
  if ((await ctx.storage.get('runs')) < 2) throw new Error('once');
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
};`;

let test: TestStack;
let cluster: Cluster;
let agent: NodeAgent;
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

beforeAll(async () => {
  test = await startTestStack();
  cluster = await Cluster.setUp(test);
  await cluster.pack('ticker', TICKER);
  await cluster.pack('flood', FLOOD);
  await cluster.pack('crash', CRASH);
  agent = await startNodeAgent({
    supabaseUrl: test.stack.url,
    key: test.stack.keys.publishable,
    credentials: ADMIN,
    name: 'one',
    dataDir: join(test.folder, 'agents'),
    allocatable: { cpu: 4000, memory: 4096, pods: 50 },
    log: silent,
  });
});
afterAll(async () => {
  await agent?.stop();
  await test?.stop();
});

const open: Following[] = [];
afterEach(async () => {
  for (const following of open.splice(0)) await following.close();
});

/** A follower with a client of its own, whose sockets can be cut and whose reads of the log are counted. */
class Following {
  readonly lines: LogLine[] = [];
  readonly sockets = new Set<WebSocket>();
  reads = 0;
  follower: LogFollower | undefined;
  #client: StarkClient | undefined;

  async start(podId: string, after = -1): Promise<this> {
    open.push(this);
    const { sockets } = this;
    class Socket extends WebSocket {
      constructor(address: string | URL, protocols?: string | string[]) {
        super(address, protocols);
        sockets.add(this);
        this.on('error', () => {});
        this.once('close', () => sockets.delete(this));
      }
    }
    const { url, keys } = test.stack;
    this.#client = createStarkClient({
      url,
      key: keys.publishable,
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: Socket, reconnectAfterMs: () => 500 },
      fetch: (input, init) => {
        if (String(input).includes('/pod_logs?')) this.reads += 1;
        return fetch(input, init);
      },
    });
    await this.#client.auth.signInWithPassword(ADMIN);
    this.follower = new Follower(this.#client, {
      podId,
      after,
      onLines: (lines) => this.lines.push(...lines),
      // Without broadcasts nothing would be seen in the time of a test.
      pollEveryMs: { live: 600_000, apart: 60_000 },
    });
    return this;
  }

  /** Resolves when lines come that nobody read. */
  async live(): Promise<void> {
    await waitFor('lines that were told and not read', async () => {
      const [reads, lines] = [this.reads, this.lines.length];
      await new Promise((resolve) => setTimeout(resolve, 400));
      return this.reads === reads && this.lines.length > lines;
    });
  }

  async close(): Promise<void> {
    await this.follower?.close();
    await this.#client?.realtime.disconnect();
  }
}

async function stored(podId: string): Promise<{ seq: number; message: string }[]> {
  const rows: { seq: number; message: string }[] = [];
  for (;;) {
    const { data } = await cluster.client
      .from('pod_logs')
      .select('seq,message')
      .eq('pod_id', podId)
      .gt('seq', rows.at(-1)?.seq ?? -1)
      .order('seq')
      .limit(1000);
    if (data === null || data.length === 0) return rows;
    rows.push(...data);
  }
}

const seqs = (lines: readonly { seq: number }[]) => lines.map(({ seq }) => seq);

describe('following a log', () => {
  it('is told of lines as they come, all of them once, whatever becomes of its socket', async () => {
    const pod = await cluster.createPod('ticker');
    await cluster.running(pod);
    const [steady, cut] = [await new Following().start(pod), await new Following().start(pod)];
    await Promise.all([steady.live(), cut.live()]);
    const reads = steady.reads;
    for (let times = 0; times < 2; times++) {
      for (const socket of cut.sockets) socket.terminate();
      await cut.live();
    }
    await call(cluster.client, 'stop_pods', { p_ids: [pod] });
    await Promise.all([steady.follower?.done, cut.follower?.done]);
    const all = await stored(pod);
    expect(all.length).toBeGreaterThan(50);
    expect(all.at(-1)?.message).toBe('the last word');
    expect(seqs(steady.lines)).toEqual(seqs(all));
    expect(seqs(cut.lines)).toEqual(seqs(all));
    // The end was looked for; nothing in between was.
    expect(steady.reads - reads).toBeLessThan(10);
  });

  it('hears the last word of a pod that is deleted, and is done with it at once', async () => {
    const pod = await cluster.createPod('ticker');
    await cluster.running(pod);
    const following = await new Following().start(pod);
    await following.live();
    await call(cluster.client, 'delete_pods', { p_ids: [pod] });
    await following.follower?.done;
    expect(await cluster.pod(pod)).toBeUndefined();
    expect(following.lines.at(-1)?.message).toBe('the last word');
  });

  it('keeps up with a pod that floods: what is kept is shown, in order and once', async () => {
    const pod = await cluster.createPod('flood', { restartPolicy: 'Never' });
    const following = await new Following().start(pod);
    await cluster.podThat('over', pod, ({ status }) => status === 'succeeded', 60_000);
    await following.follower?.done;
    const all = await stored(pod);
    expect(all.length).toBeGreaterThan(2_000);
    // The oldest of a long log are not kept for ever, but all were shown.
    const shown = seqs(following.lines);
    expect(shown.slice(-all.length)).toEqual(seqs(all));
    expect(shown).toEqual(shown.map((_, index) => Number(shown[0]) + index));
    expect(all.at(-1)?.message).toMatch(/^line 30000 |^dropped \d+ lines/);
  }, 90_000);

  it('is for those who may read the log', async () => {
    const pod = await cluster.createPod('ticker');
    const stranger = createStarkClient({
      url: test.stack.url,
      key: test.stack.keys.publishable,
      auth: { persistSession: false },
      realtime: { transport: WebSocket },
    });
    const follower = new Follower(stranger, { podId: pod, after: -1, onLines: () => {} });
    await expect(follower.done).rejects.toBeDefined();
    await follower.close();
    await stranger.realtime.disconnect();
    await call(cluster.client, 'delete_pods', { p_ids: [pod] });
  });
});

it('a run is told from the one before a restart', async () => {
  const pod = await cluster.createPod('crash');
  await cluster.podThat('running again', pod, ({ status, restarts }) => status === 'running' && restarts === 1);
  await waitFor('the line of the second run', async () => (await cluster.logs(pod)).includes('run 1'));
  const { data } = await cluster.client.from('pod_logs').select('run,message').eq('pod_id', pod).order('seq');
  const runOf = (message: string) => data?.find((line) => line.message.startsWith(message))?.run;
  expect([runOf('run 0'), runOf('Error: once'), runOf('run 1')]).toEqual([0, 0, 1]);
  const { access_token } = (await cluster.client.auth.getSession()).data.session ?? {};
  const { stdout, stderr } = await sharedStark(['pod', 'logs', pod, '--previous', '--tail', '1'], {
    env: {
      STARK_CONFIG_DIR: join(test.folder, 'config'),
      STARK_URL: test.stack.url,
      STARK_KEY: test.stack.keys.publishable,
      STARK_TOKEN: String(access_token),
    },
  });
  expect(stdout, stderr).toContain('Error: once');
  expect(stdout).not.toContain('run 1');
});
