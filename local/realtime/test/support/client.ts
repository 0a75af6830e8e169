import WebSocket from 'ws';

export interface Message {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into payloads of every shape
  payload: any;
  /** Kind and body of a binary frame. */
  binary?: { kind: number; encoding: number; body: Buffer };
}

/** A client that speaks the protocol by hand, so that tests see each frame. */
export class TestClient {
  readonly messages: Message[] = [];
  closed: { code: number } | null = null;
  readonly #waiting = new Set<() => void>();
  #refs = 0;

  private constructor(
    readonly ws: WebSocket,
    readonly vsn: string,
  ) {
    ws.on('message', (data, isBinary) => {
      this.messages.push(isBinary ? readBinary(data as Buffer) : readText(vsn, String(data)));
      this.#wake();
    });
    ws.on('close', (code) => {
      this.closed = { code };
      this.#wake();
    });
    ws.on('error', () => {});
  }

  static async connect(url: string, token: string, vsn = '2.0.0'): Promise<TestClient> {
    const ws = new WebSocket(`${url}?apikey=${encodeURIComponent(token)}&vsn=${vsn}`);
    const client = new TestClient(ws, vsn);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
      ws.once('unexpected-response', (_request, response) => reject(new Error(`refused with ${response.statusCode}`)));
    });
    return client;
  }

  /** Sends a message; its ref. */
  send(topic: string, event: string, payload: unknown, joinRef: string | null = null): string {
    const ref = String(++this.#refs);
    const message = this.vsn.startsWith('1')
      ? { topic, event, payload, ref, join_ref: joinRef }
      : [joinRef, ref, topic, event, payload];
    this.ws.send(JSON.stringify(message));
    return ref;
  }

  /** Sends a message and waits for its answer's payload. */
  async ask(topic: string, event: string, payload: unknown, joinRef: string | null = null) {
    const ref = this.send(topic, event, payload, joinRef);
    const answer = await this.next(
      `an answer to ${event}`,
      (message) => message.event === 'phx_reply' && message.ref === ref,
    );
    return answer.payload as { status: string; response: { reason?: string } & Record<string, unknown> };
  }

  /** Joins a topic; the answer's payload. */
  join(topic: string, config: object = {}, rest: object = {}) {
    const ref = String(this.#refs + 1);
    return this.ask(`realtime:${topic}`, 'phx_join', { config, ...rest }, ref);
  }

  /** Sends a broadcast as the official client does with vsn 2. */
  pushBroadcast(topic: string, event: string, payload: unknown): string {
    const ref = String(++this.#refs);
    const fields = ['1', ref, `realtime:${topic}`, event, ''].map((field) => Buffer.from(field));
    const isBytes = Buffer.isBuffer(payload);
    const header = Buffer.from([3, ...fields.map((field) => field.length), isBytes ? 0 : 1]);
    this.ws.send(Buffer.concat([header, ...fields, isBytes ? payload : Buffer.from(JSON.stringify(payload))]));
    return ref;
  }

  /** Waits for the first message, old or new, that passes. */
  async next(what: string, test: (message: Message) => boolean, ms = 5_000): Promise<Message> {
    await this.until(what, () => this.messages.some(test), ms);
    return this.messages.find(test) as Message;
  }

  /** Waits until something holds; looks again with each message. */
  async until(what: string, holds: () => boolean, ms = 5_000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`waited ${ms} ms for ${what}; heard ${JSON.stringify(this.messages).slice(0, 1_000)}`));
      }, ms);
      const check = () => {
        if (!holds()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** Whatever was sent before this returns has been answered. */
  async settle(): Promise<void> {
    await this.ask('phoenix', 'heartbeat', {});
  }

  events(event: string): Message[] {
    return this.messages.filter((message) => message.event === event);
  }

  async close(): Promise<void> {
    this.ws.close();
    await this.until('the socket to close', () => this.closed !== null);
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

function readText(vsn: string, text: string): Message {
  if (vsn.startsWith('1')) {
    const { topic, event, payload, ref, ...rest } = JSON.parse(text);
    return { joinRef: null, ref, topic, event, payload, ...rest };
  }
  const [joinRef, ref, topic, event, payload] = JSON.parse(text);
  return { joinRef, ref, topic, event, payload };
}

function readBinary(data: Buffer): Message {
  const [kind, topicSize, eventSize, metaSize, encoding] = data as unknown as number[] as [
    number,
    number,
    number,
    number,
    number,
  ];
  let at = 5;
  const take = (size: number) => {
    at += size;
    return data.toString('utf8', at - size, at);
  };
  const topic = take(topicSize);
  const event = take(eventSize);
  const meta = take(metaSize);
  const body = data.subarray(at);
  const payload = {
    type: 'broadcast',
    event,
    payload: encoding === 1 ? JSON.parse(body.toString()) : body,
    ...(meta === '' ? {} : { meta: JSON.parse(meta) }),
  };
  return { joinRef: null, ref: null, topic, event: 'broadcast', payload, binary: { kind, encoding, body } };
}
