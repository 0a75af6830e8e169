import { createServer } from 'node:net';
import type { Pack, PackContext, PackStorage } from '@stark-o/core';

/** What a pack logged, and the way to end it as the platform would. */
export interface RunningPack {
  url: string;
  logs: string[];
  /** The numbers that it told last. */
  metrics: Readonly<Record<string, number>>;
  /** Resolves when the pack called `ctx.ready()`; rejects when it ended before. */
  ready: Promise<void>;
  /** Aborts the signal and waits for the pack to return. */
  stop(): Promise<void>;
}

/** Storage in memory: handing the same one to a second run is a restart of the pod. */
export function memoryStorage(): PackStorage {
  const values = new Map<string, string>();
  return {
    get: async <T>(key: string) => {
      const text = values.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as T);
    },
    set: async (key, value) => {
      values.set(key, JSON.stringify(value));
    },
    delete: async (key) => {
      values.delete(key);
    },
    keys: async (prefix = '') => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

/** Runs a pack in this process. */
export async function runPack<C>(pack: Pack<C>, config: C, storage = memoryStorage()): Promise<RunningPack> {
  const port = await freePort();
  const logs: string[] = [];
  const metrics: Record<string, number> = {};
  const end = new AbortController();
  const log = (message: string | Error) => void logs.push(String(message));
  let becomeReady = () => {};
  const called = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  const ctx: PackContext<C> = {
    pod: { id: 'pod-1', name: 'pack-abcde', namespace: 'default', labels: {} },
    pack: { name: 'pack', version: '1.0.0' },
    node: { name: 'test-node' },
    log: { debug: log, info: log, warn: log, error: log },
    config,
    env: {},
    ports: { http: port },
    storage,
    fetch,
    supabase: () => Promise.reject(new Error('this pack runs without a project')),
    signal: end.signal,
    ready: becomeReady,
    metric: (name, value) => {
      metrics[name] = value;
    },
  };
  const run = Promise.resolve(pack(ctx));
  const ready = Promise.race([called, run.then(() => Promise.reject(new Error('the pack ended before it was ready')))]);
  ready.catch(() => {});
  return {
    url: `http://127.0.0.1:${port}`,
    logs,
    metrics,
    ready,
    stop: async () => {
      end.abort();
      await run;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
