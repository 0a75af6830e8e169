import { type AuthorizationContext, type Policies, unknownPolicies } from '../authorization/policies.js';
import type { Claims } from '../authorization/token.js';
import type { Listener, Topic } from '../broadcast/topics.js';
import type { Cancel, Clock } from '../clock.js';
import type { Breaches } from '../limits/breaches.js';
import type { RateWindow } from '../limits/rate-window.js';
import type { RealtimeLog } from '../options.js';
import { endFrame, pushFrame, pushJsonFrame, replyFrame } from '../wire/encode.js';
import type { Inbound, Ref } from '../wire/message.js';
import type { Connection } from './connection.js';
import { isGatewayKey, type JoinRequest } from './join-request.js';

/** Does what a client's message of one event asks for. */
export type Handler = (channel: Channel, message: Inbound) => void | Promise<void>;

/** What a channel needs of the server that it is on. */
export interface ChannelHost {
  readonly clock: Clock;
  readonly log: RealtimeLog;
  readonly breaches: Breaches;
  readonly messages: RateWindow;
  /** By the event of the message. */
  readonly handlers: ReadonlyMap<string, Handler>;
  /** The channel has ended: takes it out of everything it was in. */
  leave(channel: Channel): void;
}

/** Work that a channel does one after the other, as the real server's channel process does. */
type Task = () => void | Promise<void>;

/** One joined topic on one socket. Its state is its own; handlers tell it what they found out. */
export class Channel implements Listener {
  readonly isPrivate: boolean;
  /** The part after `realtime:`. */
  readonly topicName: string;
  #policies: Policies = unknownPolicies();
  #presenceEnabled: boolean;
  #presenceCalls = { count: 0, windowEndsAt: 0 };
  /** Ids that were replayed at the join; they are not delivered a second time. */
  #replayed: ReadonlySet<string> | null = null;
  /** Frames to send once the join is answered. */
  #replayFrames: readonly Buffer[] = [];
  #topic: Topic | null = null;
  #claims: Claims | null = null;
  #token: string;
  readonly #timers = new Map<string, Cancel>();
  readonly #waiting: Task[] = [];
  #busy = false;
  #ended = false;

  constructor(
    private readonly host: ChannelHost,
    readonly connection: Connection,
    /** With `realtime:`. */
    readonly wireTopic: string,
    readonly joinRef: Ref,
    readonly request: JoinRequest,
  ) {
    this.topicName = wireTopic.slice('realtime:'.length);
    this.isPrivate = request.isPrivate;
    this.#presenceEnabled = request.presenceEnabled;
    this.#token = request.token ?? connection.token;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Where the channel is while it is joined. */
  get topic(): Topic | null {
    return this.#topic;
  }

  get policies(): Policies {
    return this.#policies;
  }

  get claims(): Claims | null {
    return this.#claims;
  }

  get token(): string {
    return this.#token;
  }

  get presenceEnabled(): boolean {
    return this.#presenceEnabled;
  }

  /** Public channels hear all broadcasts; private ones when a policy lets them. */
  get hearsBroadcasts(): boolean {
    return !this.isPrivate || this.#policies.broadcast.read === true;
  }

  get hearsPresence(): boolean {
    return !this.isPrivate || this.#policies.presence.read === true;
  }

  hasHeard(id: string): boolean {
    return this.#replayed?.has(id) === true;
  }

  /** Who asks, for policies. */
  get authorization(): AuthorizationContext {
    if (this.#claims === null) throw new Error('the token was not verified yet');
    return { topic: this.topicName, claims: this.#claims, headers: this.connection.headers };
  }

  /** The channel is joined. */
  enter(topic: Topic): void {
    this.#topic = topic;
  }

  /** The channel is no longer joined. */
  exit(): void {
    this.#topic = null;
  }

  /** Takes over what its policies answered. */
  allow(policies: Policies): void {
    this.#policies = policies;
  }

  /** Takes over what its token says. */
  identify(claims: Claims): void {
    this.#claims = claims;
  }

  /** Takes another token, to be verified next; false when the client handed in none, or the one it has. */
  takeToken(token: unknown): boolean {
    if (typeof token !== 'string' || isGatewayKey(token) || token === this.#token) return false;
    this.#token = token;
    return true;
  }

  /** Tracking turns presence on, whatever the join said. */
  enablePresence(): void {
    this.#presenceEnabled = true;
  }

  /** Counts a presence call of this client; false when its window is used up. */
  countPresenceCall(limit: number, windowMs: number): boolean {
    const now = this.host.clock.now();
    const calls = this.#presenceCalls;
    if (calls.count === 0 || now > calls.windowEndsAt) {
      this.#presenceCalls = { count: 1, windowEndsAt: now + windowMs };
      return true;
    }
    calls.count++;
    return calls.count <= limit;
  }

  /** Keeps frames to send once the join is answered; messages of these ids are not delivered a second time. */
  replay(ids: readonly string[], frames: readonly Buffer[]): void {
    this.#replayed = new Set(ids);
    this.#replayFrames = frames;
  }

  /** Sends what was kept for after the answer. */
  sendReplay(): void {
    for (const frame of this.#replayFrames) this.connection.send(frame);
    this.#replayFrames = [];
  }

  /** Takes a message of the client. */
  receive(message: Inbound): void {
    this.run(() => this.#handle(message));
  }

  /** Does a task when all earlier ones are done. One that throws ends the channel with `phx_error`. */
  run(task: Task): void {
    if (this.#ended) return;
    if (this.#busy) {
      this.#waiting.push(task);
      return;
    }
    let next: Task | undefined = task;
    while (next !== undefined && !this.#ended) {
      const done = this.#attempt(next);
      if (done !== undefined) {
        this.#busy = true;
        void done.then(() => {
          this.#busy = false;
          const waiting = this.#waiting.shift();
          if (waiting !== undefined) this.run(waiting);
        });
        return;
      }
      next = this.#waiting.shift();
    }
  }

  /** Answers a request of the client. */
  reply(message: Inbound, status: 'ok' | 'error', response: unknown = {}): void {
    const { vsn } = this.connection;
    this.connection.send(replyFrame(vsn, this.joinRef, message.ref, this.wireTopic, status, response));
  }

  /** Tells the client something of this channel alone. */
  push(event: string, payload: object): void {
    this.connection.send(pushFrame(this.connection.vsn, this.joinRef, this.wireTopic, event, payload));
  }

  /** As push, with JSON text. */
  pushJson(event: string, json: string): void {
    this.connection.send(pushJsonFrame(this.connection.vsn, this.joinRef, this.wireTopic, event, json));
  }

  /** A `system` message. */
  system(extension: 'system' | 'postgres_changes', status: 'ok' | 'error', message: string): void {
    this.push('system', { extension, status, message, channel: this.topicName });
  }

  /** Ends the channel from the server's side, saying why. */
  shutdown(message: string): void {
    if (this.#ended) return;
    this.host.breaches.warn(this.topicName, `ChannelShutdown: ${message}`);
    this.system('system', 'error', message);
    this.close();
  }

  /** Ends the channel and tells the client. */
  close(): void {
    if (this.#ended) return;
    this.end();
    this.connection.send(endFrame(this.connection.vsn, this.joinRef, this.wireTopic, 'phx_close'));
  }

  /** Ends the channel without a word. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting.length = 0;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.connection.release(this);
    this.host.leave(this);
  }

  /** Sets a named timer whose task runs among the channel's others; an earlier one of that name is dropped. */
  later(name: string, ms: number, task: Task): void {
    this.#timers.get(name)?.();
    this.#timers.set(
      name,
      this.host.clock.after(ms, () => {
        this.#timers.delete(name);
        this.run(task);
      }),
    );
  }

  /** Drops a named timer. */
  cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }

  #attempt(task: Task): Promise<void> | undefined {
    try {
      const done = task();
      return done === undefined ? undefined : done.catch((error: unknown) => this.#crash(error));
    } catch (error) {
      this.#crash(error);
      return undefined;
    }
  }

  #crash(error: unknown): void {
    if (this.#ended) return;
    this.host.log.error({ topic: this.topicName, err: error }, 'the channel crashed');
    this.end();
    this.connection.send(endFrame(this.connection.vsn, this.joinRef, this.wireTopic, 'phx_error'));
  }

  #handle(message: Inbound): void | Promise<void> {
    const handler = this.host.handlers.get(message.event);
    if (handler !== undefined) return handler(this, message);
    this.host.messages.add();
    this.host.log.info({ topic: this.topicName, event: message.event }, 'unexpected message from a client');
  }
}
