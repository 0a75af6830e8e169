import type { Channel } from '../channels/channel.js';
import { PresenceBook } from '../presence/book.js';

/** All channels of one name and privacy: those who hear each other. */
export class Topic {
  readonly channels = new Set<Channel>();
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
  add(channel: Channel): Topic {
    const world = this.#world(channel.isPrivate);
    let topic = world.get(channel.topicName);
    if (topic === undefined) {
      topic = new Topic(channel.topicName, channel.isPrivate);
      world.set(topic.name, topic);
    }
    topic.channels.add(channel);
    return topic;
  }

  /** Takes a channel out of its topic, and the topic away when it was the last. */
  remove(topic: Topic, channel: Channel): void {
    topic.channels.delete(channel);
    if (topic.channels.size === 0) this.#world(topic.isPrivate).delete(topic.name);
  }

  #world(isPrivate: boolean): Map<string, Topic> {
    return isPrivate ? this.#private : this.#public;
  }
}
