import { type AuthorizationContext, type Policies, unknownPolicies } from '../authorization/policies.js';
import type { Claims } from '../authorization/token.js';
import { broadcastFromSocket } from '../broadcast/from-socket.js';
import type { Topic } from '../broadcast/topics.js';
import type { Cancel } from '../clock.js';
import { handlePresence } from '../presence/handler.js';
import type { Project } from '../project.js';
import { endFrame, pushFrame, pushJsonFrame, replyFrame } from '../wire/encode.js';
import type { Inbound, Ref } from '../wire/message.js';
import type { Connection } from './connection.js';
import type { JoinRequest } from './join-request.js';
import { confirmToken, refreshToken } from './token.js';

/** Work that a channel does one after the other, as the real server's channel process does. */
type Task = () => void | Promise<void>;

/** One joined topic on one socket. */
export class Channel {
  readonly isPrivate: boolean;
  /** The part after `realtime:`. */
  readonly topicName: string;
  policies: Policies = unknownPolicies();
  presenceEnabled: boolean;
  presenceCalls = { count: 0, windowEndsAt: 0 };
  /** Ids that were replayed at the join; they are not delivered a second time. */
  replayed: ReadonlySet<string> | null = null;
  /** Frames to send once the join is answered. */
  replayQueue: Buffer[] = [];
  /** Set while the channel is joined. */
  topic: Topic | null = null;
  claims: Claims | null = null;
  token: string;
  readonly #timers = new Map<string, Cancel>();
  readonly #waiting: Task[] = [];
  #busy = false;
  #ended = false;

  constructor(
    readonly project: Project,
    readonly connection: Connection,
    /** With `realtime:`. */
    readonly wireTopic: string,
    readonly joinRef: Ref,
    readonly request: JoinRequest,
  ) {
    this.topicName = wireTopic.slice('realtime:'.length);
    this.isPrivate = request.isPrivate;
    this.presenceEnabled = request.presenceEnabled;
    this.token = request.token ?? connection.token;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Public channels hear all broadcasts; private ones when a policy lets them. */
  get hearsBroadcasts(): boolean {
    return !this.isPrivate || this.policies.broadcast.read === true;
  }

  get hearsPresence(): boolean {
    return !this.isPrivate || this.policies.presence.read === true;
  }

  /** Who asks, for policies. */
  get authorization(): AuthorizationContext {
    if (this.claims === null) throw new Error('the token was not verified yet');
    return { topic: this.topicName, claims: this.claims, headers: this.connection.headers };
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
    this.project.breaches.warn(this.topicName, `ChannelShutdown: ${message}`);
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
    this.project.leave(this);
  }

  /** Sets a named timer whose task runs among the channel's others; an earlier one of that name is dropped. */
  later(name: string, ms: number, task: Task): void {
    this.#timers.get(name)?.();
    this.#timers.set(
      name,
      this.project.clock.after(ms, () => {
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

  /** Sets the timer after which the token is looked at again. */
  watchToken(ms: number): void {
    this.later('token', ms, () => confirmToken(this));
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
    this.project.log.error({ topic: this.topicName, err: error }, 'the channel crashed');
    this.end();
    this.connection.send(endFrame(this.connection.vsn, this.joinRef, this.wireTopic, 'phx_error'));
  }

  #handle(message: Inbound): void | Promise<void> {
    switch (message.event) {
      case 'broadcast':
        return broadcastFromSocket(this, message);
      case 'presence':
        return handlePresence(this, message);
      case 'access_token':
        return refreshToken(this, message);
      case 'phx_leave':
        this.reply(message, 'ok');
        this.close();
        return;
      default:
        this.project.messages.add();
        this.project.log.info({ topic: this.topicName, event: message.event }, 'unexpected message from a client');
    }
  }
}
