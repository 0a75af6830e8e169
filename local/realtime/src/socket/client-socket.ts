import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Channel } from '../channels/channel.js';
import type { Connection } from '../channels/connection.js';
import { openChannel, prepareJoin } from '../channels/join.js';
import { refusalOf } from '../channels/refusal.js';
import { pause } from '../clock.js';
import type { Project } from '../project.js';
import { decode } from '../wire/decode.js';
import { endFrame, replyFrame } from '../wire/encode.js';
import { type Inbound, MalformedMessage, type Ref, type Vsn } from '../wire/message.js';
import { Outbox } from './outbox.js';

const GOING_AWAY = 1001;

/** What is known of a socket when it is opened. */
export interface Session {
  vsn: Vsn;
  token: string;
  headers: Record<string, string>;
}

/** One WebSocket: routes its client's messages to channels, works on its joins one after the other. */
export class ClientSocket implements Connection {
  readonly vsn: Vsn;
  readonly token: string;
  readonly headers: Record<string, string>;
  readonly #channels = new Map<string, Channel>();
  readonly #outbox: Outbox;
  #backlog: Inbound[] = [];
  #backlogBytes = 0;
  #joining = false;
  #closed = false;
  /** When the client last sent anything. */
  lastFrameAt: number;
  /** Whether it ever had a channel; one that had and has none is swept away. */
  hadChannels = false;

  constructor(
    readonly project: Project,
    readonly ws: WebSocket,
    raw: Duplex,
    session: Session,
    readonly onClose: (socket: ClientSocket) => void,
  ) {
    this.vsn = session.vsn;
    this.token = session.token;
    this.headers = session.headers;
    this.lastFrameAt = project.clock.now();
    this.#outbox = new Outbox(raw, project.settings.maxBufferedBytes, (bytes) => {
      project.log.warn({ bytes, topics: [...this.#channels.keys()] }, 'a client reads too slowly and is cut off');
      this.ws.terminate();
    });
    ws.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    ws.on('ping', () => this.#touch());
    ws.on('error', (error) => project.log.info({ err: error }, 'a socket failed'));
    ws.on('close', () => this.#end());
  }

  get channels(): ReadonlyMap<string, Channel> {
    return this.#channels;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  send(frame: Buffer): void {
    this.#outbox.add(frame);
  }

  release(channel: { readonly wireTopic: string }): void {
    if (this.#channels.get(channel.wireTopic) === channel) this.#channels.delete(channel.wireTopic);
  }

  /** Closes the socket after what was said before. */
  close(code: number, reason = ''): void {
    this.#outbox.release();
    this.#outbox.flush();
    this.#outbox.close();
    this.ws.close(code, reason);
  }

  /** Cuts the connection without a word. */
  kill(): void {
    this.ws.terminate();
  }

  #touch(): void {
    this.lastFrameAt = this.project.clock.now();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.#touch();
    try {
      const message = decode(this.vsn, data, isBinary);
      if (this.#joining) this.#postpone(message, data.length);
      else this.#route(message);
    } catch (error) {
      // Whatever a client sends, it costs no more than its own message.
      if (error instanceof MalformedMessage)
        this.project.breaches.warn(null, 'MalformedWebSocketMessage', { err: error });
      else this.project.log.error({ err: error }, 'UnknownErrorOnWebSocketMessage');
    }
  }

  /** The socket is busy with a join; nothing of its client is looked at before that is answered. */
  #postpone(message: Inbound, bytes: number): void {
    this.#backlog.push(message);
    this.#backlogBytes += bytes;
    if (this.#backlogBytes <= this.project.settings.maxBufferedBytes) return;
    this.project.log.warn({ bytes: this.#backlogBytes }, 'a client sends too much while it joins and is cut off');
    this.kill();
  }

  #route(message: Inbound): void {
    if (message.topic === 'phoenix' && message.event === 'heartbeat') {
      this.#reply(null, message, 'ok', {});
    } else if (message.event === 'phx_join') {
      if (message.topic.startsWith('realtime:')) void this.#join(message);
      else this.#reply(null, message, 'error', { reason: 'unmatched topic' });
    } else {
      this.#toChannel(message);
    }
  }

  #toChannel(message: Inbound): void {
    const channel = this.#channels.get(message.topic);
    if (channel === undefined) {
      if (message.event === 'phx_leave') this.#reply(message.joinRef, message, 'ok', {});
      else this.#reply(null, message, 'error', { reason: 'unmatched topic' });
      return;
    }
    // A leave of an earlier join: that one got its phx_close already. Everything else may carry any join_ref.
    if (message.event === 'phx_leave' && message.joinRef !== channel.joinRef) return;
    channel.receive(message);
  }

  /** Nothing comes in and nothing goes out while a join is worked on, as on the real server. */
  async #join(message: Inbound): Promise<void> {
    this.#joining = true;
    this.#outbox.hold();
    const previous = this.#channels.get(message.topic);
    previous?.end();
    try {
      const channel = await prepareJoin(this.project, this, message);
      if (this.#closed) return channel.end();
      this.#channels.set(message.topic, channel);
      this.hadChannels = true;
      openChannel(this.project, channel, message);
    } catch (error) {
      this.#channels.get(message.topic)?.end();
      await this.#refuse(message, error);
    }
    // The end of the channel that was replaced is told after the answer; its join_ref tells it apart.
    if (previous !== undefined) this.send(endFrame(this.vsn, previous.joinRef, message.topic, 'phx_close'));
    this.#joining = false;
    this.#outbox.release();
    this.#workOffBacklog();
  }

  async #refuse(message: Inbound, error: unknown): Promise<void> {
    const refusal = refusalOf(error, message.topic);
    this.project.log.warn({ topic: message.topic, reason: refusal.reason }, 'refused a join');
    await pause(this.project.clock, this.project.settings.channelErrorBackoffMs);
    if (this.#closed) return;
    this.#reply(message.joinRef, message, 'error', { reason: refusal.reason });
    if (refusal.disconnects) this.close(GOING_AWAY);
  }

  #workOffBacklog(): void {
    while (!this.#joining && this.#backlog.length > 0 && !this.#closed) {
      const message = this.#backlog.shift() as Inbound;
      if (this.#backlog.length === 0) this.#backlogBytes = 0;
      this.#route(message);
    }
  }

  #reply(joinRef: Ref, message: Inbound, status: 'ok' | 'error', response: object): void {
    this.send(replyFrame(this.vsn, joinRef, message.ref, message.topic, status, response));
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#outbox.close();
    this.#backlog = [];
    for (const channel of [...this.#channels.values()]) channel.end();
    this.project.discountUser(this);
    this.onClose(this);
  }
}
