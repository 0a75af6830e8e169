// The entry of a pod's process. It knows nothing but what the agent sends it: no credentials.
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { FromRun, ToRun } from '../shared/protocol.js';
import { CHANNEL_FD, Channel } from './channel.js';
import { guardPaths } from './guard-paths.js';
import { harden } from './harden.js';
import { hideFiles } from './hide-files.js';
import { ownEnvironment } from './own-environment.js';
import { askToEnd, runPack } from './run.js';

const { die } = harden();
hideFiles();
await guardPaths();
ownEnvironment();
const abort = new AbortController();

// Else what was printed last is lost when the pack calls process.exit.
for (const stream of [process.stdout, process.stderr]) {
  (stream as unknown as { _handle?: { setBlocking?(on: boolean): void } })._handle?.setBlocking?.(true);
}

const channel = new Channel<FromRun>(
  new Socket({ fd: CHANNEL_FD }),
  { bytesPerWindow: Number.POSITIVE_INFINITY, longestLine: Number.POSITIVE_INFINITY },
  (message) => obey(message as ToRun),
  // Without its agent nobody reports, stops or limits this process.
  die,
);
process.on('SIGTERM', () => abort.abort());

function obey(message: ToRun): void {
  if (message.type === 'stop') askToEnd(abort);
  else {
    void runPack(message.run, {
      tell: (said) => channel.send(said),
      storageDir: join(process.cwd(), '.storage'),
      signal: abort.signal,
    });
  }
}
