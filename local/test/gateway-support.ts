import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import type { Logger } from 'pino';
import pino from 'pino';
import { WebSocket } from 'ws';
import { EdgeFunctions, type EdgeFunctionsOptions } from '../src/functions/edge-functions.js';
import { hostedEnvironment } from '../src/functions/environment.js';
import { ApiKeys } from '../src/gateway/api-keys.js';
import { Gateway, type RealtimeHandler } from '../src/gateway/gateway.js';
import { ReservedPort } from '../src/port.js';
import { bootstrapGrants } from '../src/postgres/bootstrap.js';
import { type LiteOptions, LiteService } from '../src/rest/lite.js';
import { startTestCluster, type TestCluster } from './postgres-support.js';

export const jwtSecret = 'a-secret-of-at-least-thirty-two-characters';

export const keys = new ApiKeys({
  publishable: 'sb_publishable_test_0123456789',
  secret: 'sb_secret_test_0123456789',
  jwtSecret,
});

export interface TestStack {
  url: string;
  test: TestCluster;
  lite: LiteService;
  storageDir: string;
  /** A client with the publishable key and a session of its own. */
  client(): SupabaseClient;
  /** A client with the secret key. */
  admin(): SupabaseClient;
  /** Every line of the log so far, parsed. */
  lines: Record<string, unknown>[];
  stop(): Promise<void>;
}

const noRealtime: RealtimeHandler = {
  handleUpgrade: (_request, socket) => socket.destroy(),
  handleRequest: (_request, response) => response.writeHead(404).end(),
};

/** A log that keeps its lines. */
export function recordingLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const log = pino(
    { level: 'debug', messageKey: 'message' },
    {
      write(line: string) {
        lines.push(JSON.parse(line) as Record<string, unknown>);
        if (process.env.SHOW_LOG) process.stderr.write(line);
      },
    },
  );
  return { log, lines };
}

/** Postgres, REST, Auth, Storage and the gateway, as the stack wires them; `sql` runs as postgres, like migrations. */
export async function startTestGateway(
  options: { sql?: string; lite?: Partial<LiteOptions>; realtime?: RealtimeHandler } = {},
): Promise<TestStack> {
  const test = await startTestCluster();
  const directory = await mkdtemp(path.join(tmpdir(), 'stark-gateway-'));
  const storageDir = path.join(directory, 'storage');
  const { log, lines } = recordingLog();
  let url = '';
  const lite = new LiteService({
    databaseUrl: (role) => test.cluster.url(role),
    jwtSecret,
    keys,
    schemas: ['public', 'stark'],
    storageDir,
    siteUrl: 'http://127.0.0.1:3000',
    apiUrl: () => url,
    signupEnabled: true,
    log,
    ...options.lite,
  });
  await lite.ensureSystemSchema();
  await bootstrapGrants(test.cluster);
  if (options.sql) await test.as('postgres').unsafe(options.sql);
  await lite.start();
  const gateway = new Gateway({
    port: await ReservedPort.take(0),
    keys,
    lite,
    realtime: options.realtime ?? noRealtime,
    functions: {
      fetch: async () => new Response(null, { status: 404 }),
      upgrade: async (_n, _m, socket) => void socket.destroy(),
    },
    health: async () => ({ status: 'ok', services: {}, versions: {} }),
    log,
  });
  url = `http://127.0.0.1:${await gateway.listen()}`;
  const session = {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    // Node.js 20 has no WebSocket of its own.
    realtime: { transport: WebSocket as never },
  };
  return {
    url,
    test,
    lite,
    storageDir,
    lines,
    client: () => createClient(url, keys.publishable, session),
    admin: () => createClient(url, keys.secret, session),
    async stop() {
      await gateway.close(1000);
      await lite.stop();
      await test.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface TestFunctions {
  url: string;
  directory: string;
  functions: EdgeFunctions;
  lines: Record<string, unknown>[];
  write(file: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

/** A project folder with these functions, served behind a gateway without a database. */
export async function startTestFunctions(
  sources: Record<string, string>,
  options: Partial<EdgeFunctionsOptions> = {},
): Promise<TestFunctions> {
  const root = await mkdtemp(path.join(tmpdir(), 'stark-functions-'));
  const directory = path.join(root, 'supabase', 'functions');
  const write = async (file: string, text: string) => {
    const target = path.join(directory, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  };
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(sources)) await write(file, text);
  const { log, lines } = recordingLog();
  let url = '';
  const functions = new EdgeFunctions({
    directory,
    config: {},
    env: () => hostedEnvironment({ url, dbUrl: 'postgresql://postgres:postgres@127.0.0.1:1/postgres', keys }),
    jwtSecret,
    cacheDir: path.join(tmpdir(), 'stark-test-deno'),
    log,
    ...options,
  });
  const gateway = new Gateway({
    port: await ReservedPort.take(0),
    keys,
    lite: { fetch: async () => new Response(null, { status: 404 }) },
    realtime: noRealtime,
    functions,
    health: async () => ({ status: 'ok', services: {}, versions: {} }),
    log,
  });
  url = `http://127.0.0.1:${await gateway.listen()}`;
  return {
    url,
    directory,
    functions,
    lines,
    write,
    async stop() {
      await functions.stop();
      await gateway.close(1000);
      await rm(root, { recursive: true, force: true });
    },
  };
}
