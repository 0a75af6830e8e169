import { type WebSocket, WebSocketServer } from 'ws';
import type { EventBatch } from '../src/index.js';

interface Joined {
  socket: WebSocket;
  joinRef: string;
}

/** A Realtime server reduced to what a watch meets: joins, broadcasts, closed channels, cut sockets, refusals. */
export class FakeRealtime {
  /** Payload of every join, in order. */
  readonly joins: { access_token?: string; config: { private: boolean } }[] = [];
  /** When set, joins are refused with this reason. */
  refusal: string | undefined;
  #server: WebSocketServer | undefined;
  #joined = new Map<string, Joined>();

  async start(): Promise<string> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    this.#server = server;
    server.on('connection', (socket) => {
      socket.on('message', (data) => this.#hear(socket, JSON.parse(String(data))));
      socket.on('close', () => {
        for (const [topic, joined] of this.#joined) if (joined.socket === socket) this.#joined.delete(topic);
      });
    });
    await new Promise((resolve) => server.once('listening', resolve));
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  isJoined(topic: string): boolean {
    return this.#joined.has(topic);
  }

  broadcast(topic: string, payload: EventBatch): void {
    this.#push(topic, null, 'broadcast', { type: 'broadcast', event: 'events', payload });
  }

  /** Sends what no server of good will would, as a frame of this event or as it is. */
  sendRaw(topic: string, event: string, payload: unknown): void {
    this.#push(topic, null, event, payload);
  }

  sendBytes(topic: string, bytes: string | Uint8Array): void {
    this.#joined.get(topic)?.socket.send(bytes);
  }

  /** Says that the topic is heard under another name now. */
  moved(topic: string): void {
    this.#push(topic, null, 'broadcast', { type: 'broadcast', event: 'moved', payload: {} });
  }

  /** Says that the database feed stands, as the server does when a join asks for it. */
  replicationReady(topic: string): void {
    const message = 'Replication connection established';
    this.#push(topic, 'join', 'system', { extension: 'system', status: 'ok', message, channel: topic });
  }

  /** Ends a channel as the server does: a reason, then the close, after which the client does not come back by itself. */
  closeChannel(topic: string, message: string): void {
    this.#push(topic, 'join', 'system', { extension: 'system', status: 'error', message, channel: topic });
    this.#push(topic, 'join', 'phx_close', {}, true);
    this.#joined.delete(topic);
  }

  /** Cuts every socket without a word. */
  cut(): void {
    for (const socket of this.#server?.clients ?? []) socket.terminate();
  }

  // biome-ignore lint/suspicious/noExplicitAny: frames of any event
  #hear(socket: WebSocket, [joinRef, ref, wireTopic, event, payload]: [string, string, string, string, any]): void {
    const topic = wireTopic.replace(/^realtime:/, '');
    const reply = (status: 'ok' | 'error', response: unknown) =>
      socket.send(JSON.stringify([joinRef, ref, wireTopic, 'phx_reply', { status, response }]));
    if (event === 'phx_join') {
      this.joins.push(payload);
      if (this.refusal === undefined) this.#joined.set(topic, { socket, joinRef });
      if (this.refusal === undefined) reply('ok', { postgres_changes: [] });
      else reply('error', { reason: this.refusal });
    } else if (event === 'phx_leave') {
      this.#joined.delete(topic);
      reply('ok', {});
      socket.send(JSON.stringify([joinRef, joinRef, wireTopic, 'phx_close', {}]));
    } else if (event === 'heartbeat') reply('ok', {});
  }

  #push(topic: string, joinRef: 'join' | null, event: string, payload: unknown, both = false): void {
    const joined = this.#joined.get(topic);
    if (!joined) throw new Error(`nobody has joined ${topic}`);
    const first = joinRef === null ? null : joined.joinRef;
    joined.socket.send(JSON.stringify([first, both ? first : null, `realtime:${topic}`, event, payload]));
  }
}
