import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PodProcess } from '../src/node/pod-process.js';
import { RunningPod } from '../src/node/running-pod.js';
import type { RunDescription } from '../src/pod/shared/protocol.js';
import type { ExitOutcome } from '../src/reconciler/pod.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stark-pod-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Both ends of a connection: what is written to one is there for the other at once, whether or not it looks. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(join(folder, 'channel'));
  await once(server, 'listening');
  const there = connect(join(folder, 'channel'));
  const [here] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [here, there];
}

it('hears what a process said at its end, however busy its agent was then', async () => {
  const [channel, process] = await socketPair();
  const child = Object.assign(new EventEmitter(), {
    pid: 1,
    stdout: null,
    stderr: null,
    stdio: [null, null, null, channel],
  });
  const ended = new Promise<ExitOutcome>((resolve) => {
    const listener = { started: () => {}, ready: () => {}, exited: resolve };
    const pod = new RunningPod({ listener, onLine: () => {}, onMetrics: () => {}, onGone: () => {} });
    const launched = {
      child: child as unknown as ChildProcess,
      hidesSignals: false,
      processes: () => [],
      kill: () => {},
    };
    pod.attach(new PodProcess(launched, pod, {} as RunDescription));
  });
  await once(process, 'data');
  const said = [{ type: 'started' }, { type: 'failed', phase: 'run', message: 'no disk', permanent: false }];
  process.write(said.map((message) => `${JSON.stringify(message)}\n`).join(''));
  child.emit('exit', 1, null);
  for (const from = performance.now(); performance.now() - from < 700; );
  expect(await ended).toEqual({ exitCode: 1, reason: 'Error', message: 'no disk' });
  process.destroy();
  channel.destroy();
});
