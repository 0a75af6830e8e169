import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LogCollector } from '../../src/logs/log-collector.js';
import type { LogLine } from '../../src/logs/log-line.js';
import { unpackInto } from '../../src/node/asset-folders.js';
import { assetsOf } from '../../src/node/bundle-cache.js';
import { ProcessExecutor } from '../../src/node/executor.js';
import { Launcher } from '../../src/node/launcher.js';
import { RuntimeOnly } from '../../src/node/walls/runtime-only.js';
import { ClusterClock } from '../../src/ports/cluster-clock.js';
import type { PodRun } from '../../src/reconciler/adapters.js';
import type { ExitOutcome, WantedPod } from '../../src/reconciler/pod.js';
import { memoryLog } from './log.js';
import { aPod, bundleOf } from './pods.js';
import { until } from './wait.js';

/** What a pod's process runs is the built file: Node.js 20 cannot load TypeScript. */
export const RUNTIME = fileURLToPath(new URL('../../dist/pod/node/child.js', import.meta.url));

export interface BenchRun {
  pod: WantedPod;
  run: PodRun;
  dataDir: string;
  seen: string[];
  outcome(ms?: number): Promise<ExitOutcome>;
  started(ms?: number): Promise<unknown>;
  /** Its log so far. */
  log(): LogLine[];
  text(): string;
}

export interface PodBench {
  folder: string;
  executor: ProcessExecutor;
  /** Runs a bundle with this text. */
  run(
    source: string | Uint8Array,
    changes?: Partial<WantedPod>,
    ports?: Record<string, number>,
    assets?: Uint8Array,
  ): Promise<BenchRun>;
  close(): Promise<void>;
}

/** Real processes in a temporary folder, without a cluster. */
export async function podBench(): Promise<PodBench> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'stark-agent-')));
  const lines: LogLine[] = [];
  const logs = new LogCollector(new ClusterClock(), (batch) => lines.push(...batch));
  const podsDir = join(folder, 'pods');
  const executor = new ProcessExecutor({
    podsDir,
    nodeName: 'bench',
    project: { url: 'http://127.0.0.1:9', key: 'sb_publishable_test' },
    logs,
    launcher: new Launcher(new RuntimeOnly(), RUNTIME),
    allocatable: { cpu: 4_000, memory: 2_048, storage: 10_240, pods: 110 },
    log: memoryLog(),
  });
  await executor.start();
  const runs: BenchRun[] = [];
  return {
    folder,
    executor,
    async run(source, changes = {}, ports = {}, assets) {
      const pod = aPod(changes);
      const bundle = join(folder, `${pod.id}.mjs`);
      await writeFile(bundle, source);
      if (assets !== undefined) {
        pod.bundle = { ...pod.bundle, assets: bundleOf(Buffer.from(assets)) };
        await unpackInto(assetsOf(bundle, pod.bundle) as string, assets);
      }
      const seen: string[] = [];
      let end: ExitOutcome | undefined;
      const run = executor.launch(
        { pod, bundle, ports },
        {
          started: () => seen.push('started'),
          ready: () => seen.push('ready'),
          exited: (outcome) => {
            seen.push('exited');
            end = outcome;
          },
        },
      );
      const log = () => {
        logs.flush();
        return lines.filter((line) => line.pod_id === pod.id);
      };
      const text = () =>
        log()
          .map((line) => line.message)
          .join('\n');
      const made: BenchRun = {
        pod,
        run,
        dataDir: join(podsDir, pod.id, 'data'),
        seen,
        log,
        text,
        outcome: (ms = 10_000) => until(`the end of the pod; its log:\n${text()}`, () => end, ms),
        started: (ms = 10_000) => until('the start of the pod', () => seen.includes('started'), ms),
      };
      runs.push(made);
      return made;
    },
    async close() {
      for (const { run } of runs) run.stop(0);
      await Promise.all(runs.map((made) => made.outcome()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
