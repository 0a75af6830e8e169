import type { Cancel } from '../clock.js';
import type { Project } from '../project.js';
import type { ClientSocket } from './client-socket.js';

const NORMAL = 1000;
const SERVICE_RESTART = 1012;
const IDLE_MS = 60_000;
const IDLE_CHECK_MS = 1_000;
const EMPTY_CHECK_MS = 10 * 60_000;
const DRAIN_MS = 1_000;

/** All open sockets, and the sweeps that go over them. */
export class Sockets {
  readonly #project: Project;
  readonly #open = new Set<ClientSocket>();
  readonly #cancels: Cancel[];
  #emptied: (() => void) | null = null;

  constructor(project: Project) {
    this.#project = project;
    this.#cancels = [
      project.clock.every(IDLE_CHECK_MS, () => this.#closeIdle()),
      project.clock.every(EMPTY_CHECK_MS, () => this.#killEmpty()),
    ];
  }

  get size(): number {
    return this.#open.size;
  }

  add(socket: ClientSocket): void {
    this.#open.add(socket);
  }

  remove(socket: ClientSocket): void {
    this.#open.delete(socket);
    if (this.#open.size === 0) this.#emptied?.();
  }

  /** Says goodbye to everyone, and cuts off who does not answer. */
  async drain(): Promise<void> {
    for (const cancel of this.#cancels) cancel();
    if (this.#open.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    for (const socket of this.#open) {
      for (const channel of socket.channels.values()) {
        channel.push('system', { extension: 'system', status: 'ok', message: 'Server requested disconnect' });
      }
      socket.close(SERVICE_RESTART);
    }
    // Not by the project's clock: a stop must come to its end even where that stands still.
    const timer = setTimeout(() => {
      for (const socket of this.#open) socket.kill();
    }, DRAIN_MS);
    await emptied;
    clearTimeout(timer);
  }

  #closeIdle(): void {
    const limit = this.#project.clock.now() - IDLE_MS;
    for (const socket of this.#open) if (socket.lastFrameAt < limit) socket.close(NORMAL);
  }

  #killEmpty(): void {
    for (const socket of this.#open) if (socket.hadChannels && socket.channels.size === 0) socket.kill();
  }
}
