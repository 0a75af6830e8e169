import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { within } from './wait.js';

export type Vsn = '1.0.0' | '2.0.0';

export interface WireSocketOptions {
  apikey?: string | null;
  /** null leaves the parameter out. */
  vsn?: string | null;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  path?: string;
}

/** One frame from the server. A kind 4 frame is read as event `broadcast`; `join_ref` is undefined in protocol 1. */
export interface Frame {
  join_ref: string | null | undefined;
  ref: string | null;
  topic: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  payload: any;
  /** The frame as it came: parsed JSON, or bytes. */
  raw: unknown;
  at: number;
  /** Only of kind 4. */
  binary?: { kind: number; encoding: number; metadata: string; bytes: Buffer };
}

export interface JoinConfig {
  broadcast?: Record<string, unknown>;
  presence?: Record<string, unknown>;
  postgres_changes?: Record<string, unknown>[];
  private?: boolean | string;
}

export interface Refusal {
  status: number;
  body: string;
  contentType: string | undefined;
  afterMs: number;
}

function address(base: string, options: WireSocketOptions): string {
  const url = new URL(options.path ?? '/realtime/v1/websocket', base.replace(/^http/, 'ws'));
  if (options.apikey) url.searchParams.set('apikey', options.apikey);
  if (options.vsn !== null) url.searchParams.set('vsn', options.vsn ?? '2.0.0');
  for (const [name, value] of Object.entries(options.query ?? {})) url.searchParams.set(name, value);
  return url.href;
}

/** Attempts an upgrade that must be refused, and returns the answer. */
export async function refusedUpgrade(base: string, options: WireSocketOptions): Promise<Refusal> {
  const started = performance.now();
  const socket = new WebSocket(address(base, options), { headers: options.headers ?? {} });
  socket.on('error', () => {});
  const refusal = new Promise<Refusal>((resolve, reject) => {
    socket.on('open', () => reject(new Error('The upgrade was accepted')));
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          contentType: response.headers['content-type'],
          afterMs: performance.now() - started,
        }),
      );
    });
  });
  try {
    return await within('the refusal of the upgrade', refusal);
  } finally {
    socket.terminate();
  }
}

/** A client that speaks the bare protocol, so that tests see what is on the wire. */
export class WireSocket {
  readonly vsn: Vsn;
  /** Every frame that came, in order. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string; at: number }>;
  readonly #socket: WebSocket;
  readonly #wakers = new Set<() => void>();
  #ref = 0;

  private constructor(socket: WebSocket, vsn: Vsn) {
    this.#socket = socket;
    this.vsn = vsn;
    socket.binaryType = 'nodebuffer';
    socket.on('error', () => {});
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.frames.push(decode(data, isBinary, vsn));
      for (const wake of this.#wakers) wake();
    });
    this.closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString(), at: performance.now() })),
    );
  }

  static async open(base: string, options: WireSocketOptions = {}): Promise<WireSocket> {
    const socket = new WebSocket(address(base, options), { headers: options.headers ?? {} });
    const wire = new WireSocket(socket, options.vsn === '2.0.0' || options.vsn === undefined ? '2.0.0' : '1.0.0');
    await within('the socket to open', once(socket, 'open'));
    return wire;
  }

  nextRef(): string {
    this.#ref += 1;
    return String(this.#ref);
  }

  /** Sends one message in the socket's protocol and returns its ref. */
  send(topic: string, event: string, payload: unknown, refs: { joinRef?: string | null; ref?: string | null } = {}) {
    const ref = refs.ref === undefined ? this.nextRef() : refs.ref;
    const joinRef = refs.joinRef ?? null;
    this.sendRaw(
      this.vsn === '2.0.0'
        ? JSON.stringify([joinRef, ref, topic, event, payload])
        : JSON.stringify({ topic, event, payload, ref, join_ref: joinRef }),
    );
    return ref;
  }

  /** Sends text or bytes as they are. */
  sendRaw(data: string | Buffer): void {
    this.#socket.send(data);
  }

  /** First frame, also among those that came already, that satisfies the test. */
  async next(what: string, test: (frame: Frame) => unknown, ms = 5_000, from = 0): Promise<Frame> {
    const find = () => this.frames.slice(from).find(test);
    const early = find();
    if (early) return early;
    let wake: (() => void) | undefined;
    const found = new Promise<Frame>((resolve) => {
      wake = () => {
        const frame = find();
        if (frame) resolve(frame);
      };
      this.#wakers.add(wake);
    });
    try {
      return await within(what, found, ms);
    } catch (error) {
      const seen = this.frames.slice(from).map((frame) => `${frame.topic} ${frame.event} ${json(frame.payload)}`);
      throw new Error(`${(error as Error).message}; seen: ${seen.join(' | ').slice(0, 1_500)}`);
    } finally {
      if (wake) this.#wakers.delete(wake);
    }
  }

  reply(ref: string | null, ms?: number): Promise<Frame> {
    return this.next(`the reply to ${ref}`, (frame) => frame.event === 'phx_reply' && frame.ref === ref, ms);
  }

  /** Sends and waits for the reply. */
  ask(topic: string, event: string, payload: unknown, refs: { joinRef?: string | null } = {}): Promise<Frame> {
    return this.reply(this.send(topic, event, payload, refs));
  }

  /** A full turn to the server and back: all that the server had sent on this socket has come. */
  async settle(): Promise<void> {
    await this.ask('phoenix', 'heartbeat', {});
  }

  /** Joins, whatever the answer. */
  async tryJoin(topic: string, config: JoinConfig = {}, extra: Record<string, unknown> = {}): Promise<Frame> {
    const ref = this.nextRef();
    this.send(`realtime:${topic}`, 'phx_join', { config, ...extra }, { ref, joinRef: ref });
    return this.reply(ref);
  }

  /** Joins and fails when the server refuses. */
  async join(topic: string, config: JoinConfig = {}, extra: Record<string, unknown> = {}): Promise<WireChannel> {
    const reply = await this.tryJoin(topic, config, extra);
    if (reply.payload.status !== 'ok') throw new Error(`Join of ${topic} was refused: ${json(reply.payload)}`);
    return new WireChannel(this, topic, reply.ref as string, reply);
  }

  close(code?: number): void {
    this.#socket.close(code);
  }

  /** Cuts the connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }
}

/** One joined topic of a raw socket. */
export class WireChannel {
  readonly wireTopic: string;

  constructor(
    readonly socket: WireSocket,
    readonly topic: string,
    readonly joinRef: string,
    readonly reply: Frame,
  ) {
    this.wireTopic = `realtime:${topic}`;
  }

  /** Pushes an event of this channel and returns its ref. */
  push(event: string, payload: unknown): string {
    return this.socket.send(this.wireTopic, event, payload, { joinRef: this.joinRef }) as string;
  }

  ask(event: string, payload: unknown, ms?: number): Promise<Frame> {
    return this.socket.reply(this.push(event, payload), ms);
  }

  broadcast(event: string, payload: unknown): string {
    return this.push('broadcast', { type: 'broadcast', event, payload });
  }

  track(payload: unknown): Promise<Frame> {
    return this.ask('presence', { type: 'presence', event: 'track', payload });
  }

  untrack(): Promise<Frame> {
    return this.ask('presence', { type: 'presence', event: 'untrack' });
  }

  /** Frames of this topic and event that came so far. */
  all(event: string): Frame[] {
    return this.socket.frames.filter((frame) => frame.topic === this.wireTopic && frame.event === event);
  }

  /** Events of the broadcasts that came so far. */
  heard(): string[] {
    return this.all('broadcast').map((frame) => frame.payload.event);
  }

  next(event: string, test: (frame: Frame) => unknown = () => true, ms?: number): Promise<Frame> {
    return this.socket.next(
      `${event} on ${this.topic}`,
      (frame) => frame.topic === this.wireTopic && frame.event === event && test(frame),
      ms,
    );
  }

  hear(event: string, ms?: number): Promise<Frame> {
    return this.next('broadcast', (frame) => frame.payload.event === event, ms);
  }

  system(message: string | RegExp, ms?: number): Promise<Frame> {
    return this.next(
      'system',
      ({ payload }) => (typeof message === 'string' ? payload.message === message : message.test(payload.message)),
      ms,
    );
  }
}

/** Builds a kind 3 frame, a user broadcast push. */
export function userBroadcastPush(o: {
  joinRef: string;
  ref: string;
  topic: string;
  event: string;
  metadata?: string;
  encoding: number;
  payload: Buffer | string;
}): Buffer {
  const parts = [o.joinRef, o.ref, o.topic, o.event, o.metadata ?? ''].map((part) => Buffer.from(part));
  return Buffer.concat([
    Buffer.from([3, ...parts.map((part) => part.length), o.encoding]),
    ...parts,
    Buffer.from(o.payload as string),
  ]);
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}

function decode(data: Buffer, isBinary: boolean, vsn: Vsn): Frame {
  const at = performance.now();
  if (isBinary) return decodeUserBroadcast(data, at);
  const raw = JSON.parse(data.toString());
  if (vsn === '1.0.0') {
    return {
      join_ref: undefined,
      ref: raw.ref,
      topic: raw.topic,
      event: raw.event,
      payload: raw.payload,
      raw,
      at,
    };
  }
  const [join_ref, ref, topic, event, payload] = raw;
  return { join_ref, ref, topic, event, payload, raw, at };
}

function decodeUserBroadcast(data: Buffer, at: number): Frame {
  const [kind = 0, topicSize = 0, eventSize = 0, metadataSize = 0, encoding = 0] = data;
  let offset = 5;
  const take = (size: number) => {
    const part = data.subarray(offset, offset + size);
    offset += size;
    return part;
  };
  const topic = take(topicSize).toString();
  const event = take(eventSize).toString();
  const metadata = take(metadataSize).toString();
  const bytes = data.subarray(offset);
  return {
    join_ref: null,
    ref: null,
    topic,
    event: 'broadcast',
    payload: {
      type: 'broadcast',
      event,
      payload: encoding === 1 ? JSON.parse(bytes.toString()) : bytes,
      ...(metadata ? { meta: JSON.parse(metadata) } : {}),
    },
    raw: data,
    at,
    binary: { kind, encoding, metadata, bytes },
  };
}
