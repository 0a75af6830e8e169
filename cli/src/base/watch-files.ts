import { setTimeout as sleep } from 'node:timers/promises';
import { watch } from 'chokidar';

/** What tools write themselves, or nobody bundles. */
const IGNORED = /(^|[/\\])(node_modules|\.git|\.stark|\.nuxt|\.output|dist)([/\\]|$)|(~|\.sw[a-z]|\.tmp)$/;
/** An editor writes a file in several steps, and several files at once. */
const QUIET_MS = 30;

/** Gives a turn whenever files of a folder have changed, those changes that came meanwhile in one; ends with the signal. */
export async function* changesIn(folder: string, signal: AbortSignal): AsyncGenerator<void> {
  let isDue = false;
  let wake = () => {};
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path) => IGNORED.test(path.slice(folder.length)),
  });
  watcher.on('all', () => {
    isDue = true;
    wake();
  });
  const stop = () => wake();
  signal.addEventListener('abort', stop, { once: true });
  try {
    while (!signal.aborted) {
      if (isDue) {
        await sleep(QUIET_MS);
        isDue = false;
        yield;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    await watcher.close();
  }
}
