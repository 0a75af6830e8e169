import type { Duplex } from 'node:stream';

/** Up to here one copy and one write are cheaper than a gathered write. */
const COPY_LIMIT = 65_536;

/** Gathering more than this saves nothing, and only a write shows whether the client keeps up. */
const FLUSH_AT = 262_144;

/** Writes what all outboxes gathered during one turn of the event loop, each with as few system calls as possible. */
class Flusher {
  #dirty: Outbox[] = [];
  #scheduled = false;

  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      const dirty = this.#dirty;
      this.#dirty = [];
      this.#scheduled = false;
      for (const each of dirty) each.flushQueued();
    });
  }
}

const flusher = new Flusher();

/** Frames on their way to one socket, in order. */
export class Outbox {
  #frames: Buffer[] = [];
  #bytes = 0;
  #queued = false;
  #held = false;
  #closed = false;

  constructor(
    readonly socket: Duplex,
    readonly maxBytes: number,
    /** Called once when the client leaves more unread than it may. */
    readonly onOverflow: (bytes: number) => void,
  ) {}

  /** Takes one frame. */
  add(frame: Buffer): void {
    if (this.#closed) return;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    if (this.#bytes > this.maxBytes) this.#overflow(this.#bytes);
    else if (this.#bytes > FLUSH_AT && !this.#held) this.flush();
    else this.#queue();
  }

  /** Keeps frames back until release(). */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    this.#queue();
  }

  /** Writes what there is. */
  flush(): void {
    if (this.#held || this.#closed || this.#frames.length === 0) return;
    const frames = this.#frames;
    const bytes = this.#bytes;
    this.#frames = [];
    this.#bytes = 0;
    if (frames.length === 1) {
      this.socket.write(frames[0]);
    } else if (bytes <= COPY_LIMIT) {
      this.socket.write(Buffer.concat(frames, bytes));
    } else {
      this.socket.cork();
      for (const frame of frames) this.socket.write(frame);
      this.socket.uncork();
    }
    if (this.socket.writableLength > this.maxBytes) this.#overflow(this.socket.writableLength);
  }

  /** The turn of the event loop is over. */
  flushQueued(): void {
    this.#queued = false;
    this.flush();
  }

  /** Takes and writes no more. */
  close(): void {
    this.#closed = true;
    this.#frames = [];
  }

  #queue(): void {
    if (this.#queued || this.#held || this.#frames.length === 0) return;
    this.#queued = true;
    flusher.add(this);
  }

  #overflow(bytes: number): void {
    this.close();
    this.onOverflow(bytes);
  }
}
