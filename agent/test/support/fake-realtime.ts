import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

type Frame = [
  joinRef: string | null,
  ref: string | null,
  topic: string,
  event: string,
  payload: Record<string, unknown>,
];

export interface Join {
  topic: string;
  joinRef: string | null;
  payload: { config: Record<string, unknown>; access_token?: string };
}

/** A message that a client sent to a topic: a broadcast, or a track. */
export interface Sent {
  topic: string;
  event: string;
  payload: Record<string, unknown>;
}

/** Just enough of Realtime to accept joins and to misbehave on request. */
export class FakeRealtime {
  readonly joins: Join[] = [];
  readonly tokens: unknown[] = [];
  readonly sent: Sent[] = [];
  readonly #http = createServer((_request, response) => response.writeHead(404).end());
  readonly #server = new WebSocketServer({ server: this.#http });
  readonly #sockets = new Set<WebSocket>();
  refuse: string | undefined;
  /** What tracks and acknowledged broadcasts are answered with. */
  answer = 'ok';

  async listen(): Promise<string> {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('message', (data: Buffer, isBinary) =>
        this.#heard(socket, isBinary ? userPush(data) : (JSON.parse(String(data)) as Frame)),
      );
    });
    await new Promise<void>((resolve) => this.#http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** Pushes an event to the channel that was joined last. */
  push(event: string, payload: unknown, asReply = false): void {
    const { topic, joinRef } = this.joins.at(-1) as Join;
    for (const socket of this.#sockets)
      socket.send(JSON.stringify([joinRef, asReply ? joinRef : null, topic, event, payload]));
  }

  /** Ends the channel for good, as the server does at a token's expiry. */
  closeChannel(message: string): void {
    this.push('system', { extension: 'system', status: 'error', message });
    this.push('phx_close', {}, true);
  }

  cutSockets(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  async close(): Promise<void> {
    this.cutSockets();
    this.#server.close();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #heard(socket: WebSocket, [joinRef, ref, topic, event, payload]: Frame): void {
    const reply = (status: string, response: object) =>
      socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response }]));
    if (event === 'phx_join') {
      this.joins.push({ topic, joinRef, payload: payload as Join['payload'] });
      if (this.refuse !== undefined) reply('error', { reason: this.refuse });
      else reply('ok', { postgres_changes: [] });
    } else if (event === 'access_token') {
      this.tokens.push(payload.access_token);
    } else if (event === 'broadcast' || event === 'presence') {
      this.sent.push({ topic, event: String(payload.event), payload: payload.payload as Sent['payload'] });
      reply(this.answer, {});
    } else {
      reply('ok', {});
      if (event === 'phx_leave') socket.send(JSON.stringify([joinRef, joinRef, topic, 'phx_close', {}]));
    }
  }
}

/** A broadcast as clients of version 2 send it: lengths of the strings, the strings, JSON. */
function userPush(data: Buffer): Frame {
  const lengths = [...data.subarray(1, 6)];
  let at = 7;
  const [joinRef = '', ref = '', topic = '', event = ''] = lengths.map((length) => {
    at += length;
    return data.toString('utf8', at - length, at);
  });
  return [joinRef, ref, topic, 'broadcast', { event, payload: JSON.parse(data.toString('utf8', at)) }];
}
