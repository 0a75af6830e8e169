import type { Duplex } from 'node:stream';
import { capture, type Pace } from './capture.js';

/** The file descriptor of the channel in a process that the agent has started. */
export const CHANNEL_FD = 3;

/**
 * Messages between an agent and a process of its making: lines of JSON over a pipe. Node's own channel would take open
 * sockets, lines without an end and any number of messages from a pack, which shares it with the runtime.
 */
export class Channel<Out> {
  constructor(
    private readonly stream: Duplex,
    pace: Pace,
    onMessage: (message: unknown) => void,
    onClosed: () => void,
  ) {
    capture(stream, pace, (line) => {
      const message = parse(line);
      if (message !== undefined) onMessage(message);
    });
    stream.once('close', onClosed);
  }

  /** Resolves when the message is on its way; one that cannot be sent shows in the channel's end. */
  send(message: Out): Promise<void> {
    let text: string;
    try {
      text = JSON.stringify(message);
    } catch (error) {
      // Nested too deep, or no JSON: the other end could not read it.
      this.stream.destroy(error as Error);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      if (!this.stream.writable) resolve();
      else this.stream.write(`${text}\n`, () => resolve());
    });
  }

  close(): void {
    this.stream.destroy();
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined; // Not written by Stark.
  }
}
