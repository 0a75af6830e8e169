// The entry of a pod that is a thread. What it may touch, Node's permission model says for this thread alone.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join, parse } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { FromRun, ToRun } from '../shared/protocol.js';
import { guardPaths } from './guard-paths.js';
import { harden } from './harden.js';
import { hideFiles } from './hide-files.js';
import type { ThreadUsage } from './host-protocol.js';
import { askToEnd, runPack } from './run.js';

const USAGE_EVERY_MS = 1_000;
const MB = 1024 * 1024;

refuseOpenThread();
const thread = systemThread();
// Node.js would ask the process, whose home is no pod's.
os.homedir = () => process.env.HOME ?? '/';
harden();
hideFiles();
await guardPaths();

const port = parentPort as NonNullable<typeof parentPort>;
const abort = new AbortController();
port.on('message', (message: ToRun) => {
  if (message.type === 'stop') askToEnd(abort);
  else {
    void runPack(message.run, {
      tell: async (said) => say(said),
      storageDir: join((workerData as { dataDir: string }).dataDir, '.storage'),
      signal: abort.signal,
    });
  }
});
tellUsage();
setInterval(tellUsage, USAGE_EVERY_MS).unref();

function say(message: FromRun | ThreadUsage): void {
  port.postMessage(message);
}

function tellUsage(): void {
  const { heapTotal, external } = process.memoryUsage();
  say({ type: 'usage', thread, memoryMb: Math.round((heapTotal + external) / MB) });
}

/** Its number in the system, by which its processor time can be read from outside. */
function systemThread(): number | undefined {
  try {
    return Number.parseInt(readFileSync('/proc/thread-self/stat', 'utf8'), 10);
  } catch {
    return undefined;
  }
}

/** Rather nothing than a pack without walls, should a version of Node.js not give threads limits of their own. */
function refuseOpenThread(): void {
  const { permission } = process as { permission?: { has(scope: string, reference?: string): boolean } };
  const { dataDir } = workerData as { dataDir: string };
  // Places by name: asked of none, Node.js 20 answers for the folder that the process works in.
  const elsewhere = [parse(dataDir).root, dirname(dirname(dataDir))].map((folder) => join(folder, 'neighbour', 'data'));
  const closed =
    permission !== undefined &&
    !['worker', 'child'].some((scope) => permission.has(scope)) &&
    !['fs.read', 'fs.write'].some((scope) => elsewhere.some((path) => permission.has(scope, path)));
  if (!closed) throw new Error(`Node.js ${process.version} does not close in threads`);
}
