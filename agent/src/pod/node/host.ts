// The entry of a process that runs pods as threads. Nothing of a pack is executed on its own thread.
import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isFromRun } from '../shared/protocol.js';
import { capture, OUTPUT_PACE } from './capture.js';
import { CHANNEL_FD, Channel } from './channel.js';
import { type FromHost, isThreadUsage, type ToHost } from './host-protocol.js';

const THREAD = new URL('./thread.js', import.meta.url);
const DRAIN_MS = 500;
const threads = new Map<string, Worker>();

const channel = new Channel<FromHost>(
  new Socket({ fd: CHANNEL_FD }),
  { bytesPerWindow: Number.POSITIVE_INFINITY, longestLine: Number.POSITIVE_INFINITY },
  (message) => obey(message as ToHost),
  // Without its agent nobody reports, stops or limits what runs here.
  () => process.kill(process.pid, 'SIGKILL'),
);

function obey(message: ToHost): void {
  if (message.type === 'launch') launch(message);
  else if (message.type === 'tell') threads.get(message.id)?.postMessage(message.message);
  else void threads.get(message.id)?.terminate();
}

function launch({ id, limits, run }: Extract<ToHost, { type: 'launch' }>): void {
  const { flags, env, memoryMb, dataDir } = limits;
  const thread = new Worker(THREAD, {
    execArgv: flags,
    env,
    workerData: { dataDir },
    resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    stdout: true,
    stderr: true,
  });
  let outOfMemory = false;
  threads.set(id, thread);
  for (const stream of ['stdout', 'stderr'] as const) {
    capture(thread[stream], OUTPUT_PACE, (text) => void channel.send({ type: 'printed', id, stream, text }));
  }
  thread.on('message', (message: unknown) => {
    if (isFromRun(message) || isThreadUsage(message)) void channel.send({ type: 'said', id, message });
  });
  thread.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') outOfMemory = true;
  });
  thread.once('exit', (code) => {
    // As a system would cut it.
    const exitCode = code & 255;
    threads.delete(id);
    // The last lines come before the end, as far as they come in time.
    const drained = Promise.all(
      [thread.stdout, thread.stderr].map((stream) => stream.readableEnded || once(stream, 'end')),
    );
    void Promise.race([drained, wait(DRAIN_MS)]).then(() => channel.send({ type: 'ended', id, exitCode, outOfMemory }));
  });
  thread.postMessage({ type: 'init', run });
}
