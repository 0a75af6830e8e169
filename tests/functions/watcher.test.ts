import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Client } from '../../supabase/functions/_shared/environment.ts';
import { Watcher } from '../../supabase/functions/watch/watcher.ts';

declare global {
  // What reads it runs on Deno alone, and is not called here.
  const Deno: { env: { get(name: string): string | undefined } };
}

type Listener = (message: Record<string, unknown>) => void;
interface Report {
  p_observations: { node_id: string; sign: string }[];
  p_since: string;
  p_at: string;
}

/** A client whose topics are open at once, and whose database takes what it is told, or refuses it. */
class FakeClient {
  readonly reports: Report[] = [];
  refuse: (nth: number) => boolean = () => false;
  wantsPresenceList = false;
  #presence: Listener = () => {};
  #heartbeat: (status: string) => void = () => {};

  readonly realtime = {
    onHeartbeat: (listener: (status: string) => void) => {
      this.#heartbeat = listener;
    },
    disconnect: async () => {},
  };

  channel(topic: string) {
    const channel = {
      on: (_type: string, { event }: { event: string }, listener: Listener) => {
        if (topic === 'stark:presence' && event === 'join') this.#presence = listener;
        return channel;
      },
      subscribe: (listener: (status: string) => void) => {
        queueMicrotask(() => listener('SUBSCRIBED'));
        return channel;
      },
    };
    return channel;
  }

  async removeAllChannels(): Promise<void> {}

  rpc(_fn: string, report: Report) {
    const refused = this.refuse(this.reports.push(report));
    const answer = refused
      ? { data: null, error: { message: 'busy' } }
      : { data: { wants_presence_list: this.wantsPresenceList }, error: null };
    return { abortSignal: async () => answer };
  }

  /** So many nodes come. */
  arrive(count: number): void {
    const credential = (i: number) => ({ node_id: nodeId(i), incarnation: 1, secret: 'a'.repeat(64) });
    this.#presence({ newPresences: Array.from({ length: count }, (_, i) => credential(i)) });
  }

  beat(): void {
    this.#heartbeat('ok');
  }
}

const nodeId = (i: number) => `6f1e4a0c-0000-4000-8000-${String(i).padStart(12, '0')}`;
let client: FakeClient;
let end: AbortController;
let watching: Promise<void>;

beforeEach(async () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  client = new FakeClient();
  end = new AbortController();
  watching = new Watcher(client as unknown as Client).watch(70_000, end.signal);
  await vi.advanceTimersByTimeAsync(0);
  client.reports.length = 0;
});

afterEach(async () => {
  end.abort();
  await vi.advanceTimersByTimeAsync(1_000);
  await watching;
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const sizes = () => client.reports.map(({ p_observations }) => p_observations.length);
const claims = () => client.reports.map(({ p_since, p_at }) => Date.parse(p_at) - Date.parse(p_since));

it('tells of many nodes in several calls, of which only the last claims to have watched', async () => {
  await vi.advanceTimersByTimeAsync(4_000);
  client.arrive(2_500);
  await vi.advanceTimersByTimeAsync(500);
  expect(sizes()).toEqual([1_000, 1_000, 500]);
  expect(claims()).toEqual([0, 0, 4_000]);
  expect(new Set(client.reports.flatMap(({ p_observations }) => p_observations.map((s) => s.node_id))).size).toBe(
    2_500,
  );
});

it('claims nothing when one of the calls fails, and tells of those that are left with the next', async () => {
  client.refuse = (nth) => nth === 2;
  client.arrive(2_500);
  await vi.advanceTimersByTimeAsync(500);
  expect(sizes()).toEqual([1_000, 1_000]);
  expect(claims()).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(4_500);
  client.beat();
  await vi.advanceTimersByTimeAsync(0);
  expect(sizes().slice(2)).toEqual([1_000, 500]);
  expect(claims().slice(2)).toEqual([0, 5_000]);
  const told = client.reports
    .filter((_, nth) => nth !== 1)
    .flatMap(({ p_observations }) => p_observations.map((s) => s.node_id));
  expect(new Set(told).size).toBe(2_500);
});

it('says that it watches when nobody is there', async () => {
  await vi.advanceTimersByTimeAsync(5_000);
  client.beat();
  await vi.advanceTimersByTimeAsync(0);
  expect(sizes()).toEqual([0]);
  expect(claims()).toEqual([5_000]);
});
