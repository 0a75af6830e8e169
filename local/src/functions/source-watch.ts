import { type FSWatcher, watch } from 'node:fs';
import type { Logger } from 'pino';

/** How long the folder must be quiet before a change counts: editors write in several steps. */
const quietMs = 80;

/** Tells which first-level entries of a folder changed, in batches. */
export class SourceWatch {
  readonly #watcher: FSWatcher | undefined;
  readonly #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(directory: string, log: Logger, listener: (entries: ReadonlySet<string>) => void) {
    try {
      this.#watcher = watch(directory, { recursive: true, persistent: false }, (_event, file) => {
        if (file === null || isNoise(file)) return;
        this.#changed.add(file.split(/[\\/]/)[0] ?? '');
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
          const entries = new Set(this.#changed);
          this.#changed.clear();
          listener(entries);
        }, quietMs);
      });
      this.#watcher.on('error', (error) => log.warn({ err: error }, 'changes of functions are no longer seen'));
    } catch (error) {
      log.warn({ err: error }, 'changes of functions are not seen');
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }
}

function isNoise(file: string): boolean {
  const name = file.split(/[\\/]/).at(-1) ?? '';
  return /~$|\.sw[a-z]$|\.tmp$/.test(name) || (name.startsWith('.') && name !== '.env');
}
