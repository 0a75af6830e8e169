import type { LiveLogLines } from '@stark-o/core';
import type { BroadcastMessage } from '../control-plane/control-plane.js';
import type { AgentLog } from '../ports/agent-log.js';
import type { Clock } from '../ports/clock.js';
import type { LogLine } from './log-line.js';

/** A hosted project counts every message, and refuses those that come too fast or are too large. */
const TELL_EVERY_MS = 200;
const MAX_LINES = 200;
const MAX_CHARACTERS = 64 * 1024;

interface Untold {
  previous: number;
  last: number;
  /** Empty once there are too many to be told. */
  lines: LogLine[];
  characters: number;
  tooMany: boolean;
}

/**
 * Tells the followers of pods what was stored, at most five times a second. What is more than a message should carry is
 * only announced: followers read it in the database.
 */
export class LiveLines {
  readonly #untold = new Map<string, Untold>();
  /** Where the followers of a pod are, if not under its bare name: that changes when one of them may listen no more. */
  readonly #topics = new Map<string, string>();
  #cancel: (() => void) | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly log: AgentLog,
    private readonly send: (messages: readonly BroadcastMessage[]) => Promise<void>,
  ) {}

  /** Lines of followed pods, stored by now, in the order of their numbers. */
  tell(lines: readonly LogLine[]): void {
    for (const line of lines) this.#add(line);
    if (this.#untold.size > 0) this.#schedule();
  }

  /** A follower says where it is. */
  address(podId: string, topic: unknown): void {
    if (typeof topic === 'string' && topic.startsWith(`${topicOf(podId)}:`)) this.#topics.set(podId, topic);
  }

  /** The first follower of a pod came; there may be lines up to this number that it has not seen. */
  begin(podId: string, seq: number): void {
    if (!this.#untold.has(podId)) this.#untold.set(podId, announce(seq));
    this.#schedule();
  }

  /** These pods, whose newest lines have these numbers, are about to end. */
  async end(pods: readonly (readonly [podId: string, seq: number])[]): Promise<void> {
    const endings = pods.map(([podId, seq]) => {
      const untold = this.#untold.get(podId) ?? announce(seq);
      this.#untold.delete(podId);
      const last = this.#message(podId, { ...payload(untold), ending: true });
      this.#topics.delete(podId);
      return last;
    });
    await this.#send(endings);
  }

  #add(line: LogLine): void {
    const untold = this.#untold.get(line.pod_id);
    if (untold === undefined) {
      const { message, seq } = line;
      const first = { previous: seq - 1, last: seq, lines: [line], characters: message.length, tooMany: false };
      this.#untold.set(line.pod_id, first);
      return;
    }
    untold.tooMany ||=
      line.seq !== untold.last + 1 ||
      untold.lines.length === MAX_LINES ||
      untold.characters + line.message.length > MAX_CHARACTERS;
    untold.last = line.seq;
    untold.characters += line.message.length;
    if (untold.tooMany) untold.lines = [];
    else untold.lines.push(line);
  }

  #schedule(): void {
    this.#cancel ??= this.clock.after(Math.max(0, this.#toldAt + TELL_EVERY_MS - this.clock.now()), () => {
      this.#cancel = undefined;
      this.#toldAt = this.clock.now();
      const messages = [...this.#untold].map(([podId, untold]) => this.#message(podId, payload(untold)));
      this.#untold.clear();
      void this.#send(messages);
    });
  }

  #message(podId: string, payload: LiveLogLines): BroadcastMessage {
    return { topic: this.#topics.get(podId) ?? topicOf(podId), event: 'lines', payload };
  }

  async #send(messages: readonly BroadcastMessage[]): Promise<void> {
    if (messages.length === 0) return;
    try {
      await this.send(messages);
    } catch (error) {
      // Followers look into the database anyway, only later.
      this.log.debug({ error: (error as Error).message }, 'followers were not told of new lines');
    }
  }
}

const announce = (seq: number): Untold => ({ previous: seq, last: seq, lines: [], characters: 0, tooMany: true });

function payload({ previous, last, lines, tooMany }: Untold): LiveLogLines {
  if (tooMany) return { previous_seq: last, lines: [] };
  return { previous_seq: previous, lines: lines.map(({ pod_id: _, ...line }) => line) };
}

const topicOf = (podId: string) => `stark:pod:${podId}`;
