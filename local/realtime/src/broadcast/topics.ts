import { PresenceBook } from '../presence/book.js';
import type { Vsn } from '../wire/message.js';

/** What a topic needs of a channel in it. */
export interface Listener {
  readonly topicName: string;
  readonly isPrivate: boolean;
  readonly connection: { readonly vsn: Vsn; send(frame: Buffer): void };
  readonly hearsBroadcasts: boolean;
  readonly hearsPresence: boolean;
  /** Whether it was given the message of this id before it was in the topic. */
  hasHeard(id: string): boolean;
  /** Does a task when all earlier ones of this channel are done. */
  run(task: () => void): void;
  /** Ends the channel, saying why. */
  shutdown(message: string): void;
}

/** All channels of one name and privacy: those who hear each other. */
export class Topic {
  readonly listeners = new Set<Listener>();
  readonly presence = new PresenceBook();

  constructor(
    readonly name: string,
    readonly isPrivate: boolean,
  ) {}
}

/** Topics that somebody has joined. Public and private ones of the same name are two worlds. */
export class Topics {
  readonly #public = new Map<string, Topic>();
  readonly #private = new Map<string, Topic>();

  /** The topic, when somebody is in it. */
  find(name: string, isPrivate: boolean): Topic | undefined {
    return this.#world(isPrivate).get(name);
  }

  /** Puts a channel into its topic. */
  add(listener: Listener): Topic {
    const world = this.#world(listener.isPrivate);
    let topic = world.get(listener.topicName);
    if (topic === undefined) {
      topic = new Topic(listener.topicName, listener.isPrivate);
      world.set(topic.name, topic);
    }
    topic.listeners.add(listener);
    return topic;
  }

  /** Takes a channel out of its topic, and the topic away when it was the last. */
  remove(topic: Topic, listener: Listener): void {
    topic.listeners.delete(listener);
    if (topic.listeners.size === 0) this.#world(topic.isPrivate).delete(topic.name);
  }

  #world(isPrivate: boolean): Map<string, Topic> {
    return isPrivate ? this.#private : this.#public;
  }
}
