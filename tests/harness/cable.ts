import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A way to a server that can fail: cut, connections end and new ones are refused, as when a cable is pulled that both ends
 * notice; stalled, whatever is said gets stuck both ways and nobody is told, as when packets are lost.
 */
export class Cable {
  readonly #lines = new Set<Line>();
  readonly #server: Server;
  #state: 'whole' | 'cut' | 'stalled' = 'whole';

  private constructor(private readonly target: URL) {
    this.#server = createServer((near) => this.#join(near));
  }

  static async to(url: string): Promise<Cable> {
    const cable = new Cable(new URL(url));
    await new Promise<void>((resolve) => cable.#server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  /** The address at this end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#state = 'cut';
    for (const line of this.#lines) line.break();
  }

  stall(): void {
    this.#state = 'stalled';
    for (const line of this.#lines) line.stall();
  }

  /** What was stuck arrives now, as it does when TCP sends it again. */
  mend(): void {
    this.#state = 'whole';
    for (const line of this.#lines) line.flow();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    if (this.#state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(Number(this.target.port), this.target.hostname);
    const line = new Line(near, far, () => this.#lines.delete(line));
    this.#lines.add(line);
    if (this.#state === 'whole') line.flow();
  }
}

/** One connection through the cable. The end of one side is news for the other, and gets stuck like any. */
class Line {
  #flowing = false;

  constructor(
    private readonly near: Socket,
    private readonly far: Socket,
    private readonly ended: () => void,
  ) {
    for (const side of [near, far]) {
      side.on('error', () => {});
      side.once('close', () => this.#flowing && this.break());
    }
  }

  stall(): void {
    this.#flowing = false;
    for (const side of [this.near, this.far]) side.unpipe().pause();
  }

  flow(): void {
    if (this.#flowing) return;
    this.#flowing = true;
    if (this.near.closed || this.far.closed) {
      this.break();
      return;
    }
    this.near.pipe(this.far).pipe(this.near);
  }

  break(): void {
    this.near.destroy();
    this.far.destroy();
    this.ended();
  }
}
