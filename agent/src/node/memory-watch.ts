import { readFileSync } from 'node:fs';

const EVERY_MS = 1_000;
const PAGE = 4096;
const MB = 1024 * 1024;

/** Watches the resident memory of processes, because a heap limit does not bound buffers. Only where there is /proc. */
export class MemoryWatch {
  readonly #watched = new Map<number, { limitMb: number; onOver: (usedMb: number) => void }>();
  #timer: NodeJS.Timeout | undefined;

  watch(pid: number, limitMb: number, onOver: (usedMb: number) => void): void {
    if (process.platform !== 'linux') return;
    this.#watched.set(pid, { limitMb, onOver });
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref();
  }

  unwatch(pid: number): void {
    this.#watched.delete(pid);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const [pid, { limitMb, onOver }] of this.#watched) {
      const usedMb = residentMb(pid);
      if (usedMb > limitMb) onOver(usedMb);
    }
  }
}

function residentMb(pid: number): number {
  try {
    return (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE) / MB;
  } catch {
    return 0; // Gone between two looks.
  }
}
