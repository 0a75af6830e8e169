import { createServer, type Server } from 'node:http';
import type { RealtimeOptions } from '../../src/options.js';
import { createRealtimeServer, type RealtimeServer } from '../../src/server.js';
import { TestClient } from './client.js';
import type { TestPostgres } from './postgres.js';
import { jwtSecret, signToken } from './tokens.js';

export interface LogLine {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

/** A Realtime server on a free port. */
export class TestRealtime {
  readonly #clients = new Set<TestClient>();

  private constructor(
    readonly server: RealtimeServer,
    readonly http: Server,
    readonly log: LogLine[],
    readonly port: number,
  ) {}

  static async start(postgres: TestPostgres, options: Partial<RealtimeOptions> = {}): Promise<TestRealtime> {
    const log: LogLine[] = [];
    const write = (level: string) => (fields: object, message: string) =>
      void log.push({ level, fields: { ...fields }, message });
    const server = createRealtimeServer({
      databaseUrl: postgres.url,
      jwtSecret,
      connectErrorBackoffMs: 20,
      channelErrorBackoffMs: 20,
      log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
      ...options,
    });
    await server.start();
    const http = createServer((request, response) => server.handleRequest(request, response));
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    return new TestRealtime(server, http, log, address.port);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/socket/websocket`;
  }

  async connect(claims: Record<string, unknown> = {}, vsn = '2.0.0'): Promise<TestClient> {
    const client = await TestClient.connect(this.url, await signToken(claims), vsn);
    this.#clients.add(client);
    return client;
  }

  async post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await signToken()}`,
        'content-type': 'application/json',
        ...headers,
      },
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
  }

  /** Closes what this test opened. */
  async closeClients(): Promise<void> {
    for (const client of this.#clients) if (client.closed === null) await client.close();
    this.#clients.clear();
  }

  async stop(): Promise<void> {
    await this.server.stop();
    await new Promise((resolve) => this.http.close(resolve));
  }
}
