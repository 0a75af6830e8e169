// An agent's executor as a program, so that it can be another user's than the tests': it runs packs behind the wall that it is told to
// choose, and says what came of them, as JSON. No cluster.
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { LogCollector } from '../../dist/logs/log-collector.js';
import { ProcessExecutor } from '../../dist/node/executor.js';
import { Launcher } from '../../dist/node/launcher.js';
import { chooseWall } from '../../dist/node/walls/choose-wall.js';
import { ClusterClock } from '../../dist/ports/cluster-clock.js';

const { dataDir, isolation, packs, atOnce = 2, raw } = JSON.parse(process.argv[2]);
const write = (level) => (fields, message) => process.stderr.write(`${level} ${message} ${JSON.stringify(fields)}\n`);
const log = {
  debug: write('debug'),
  info: write('info'),
  warn: write('warn'),
  error: write('error'),
  child: () => log,
};
process.on('SIGUSR1', () => {});

const podsDir = join(dataDir, 'pods');
const wall = await chooseWall({ isolation, dataDir, podsDir, log });
const launcher = new Launcher(wall);
const lines = [];
const logs = new LogCollector(new ClusterClock(), (batch) => lines.push(...batch));
const executor = new ProcessExecutor({
  podsDir,
  nodeName: 'node',
  project: { url: 'http://127.0.0.1:9', key: 'sb_publishable_test' },
  logs,
  launcher,
  allocatable: { cpu: 4_000, memory: 96, storage: 8, pods: 110 },
  log,
});
await executor.start();
mkdirSync(join(dataDir, 'bundles'), { recursive: true, mode: 0o700 });

/** SIGCHLD, which Node.js catches as long as it has a child: the agent may keep one for itself. */
const SIGCHLD = 1n << 16n;

/** What of this process a pod could have changed from outside. */
function ownStatus() {
  const status = readFileSync('/proc/self/status', 'utf8')
    .split('\n')
    .filter((line) =>
      /^(Name|Uid|Gid|Groups|TracerPid|Sig(Ign|Cgt|Blk)|NoNewPrivs|Seccomp|Cpus_allowed|Cap)/.test(line),
    )
    .map((line) => line.replace(/^(SigCgt:\s+)(.*)$/, (_, name, mask) => name + (BigInt(`0x${mask}`) & ~SIGCHLD)));
  return [...status, readFileSync('/proc/self/limits', 'utf8'), `nice ${getPriority()}`];
}

/** One run to its end. */
async function run({ name, path, spec = {} }) {
  const id = randomUUID();
  const bundle = join(dataDir, 'bundles', `${id}.mjs`);
  copyFileSync(path, bundle);
  const env = { ...spec.env, AGENT: String(process.pid) };
  const pod = {
    ...{ id, name, namespace: 'default', owner: null, pack: name, version: '1.0.0', spec: { ...spec, env } },
    bundle: { path: bundle, sha256: '', size: 0 },
  };
  const outcome = await new Promise((resolve) => {
    const started = () => {};
    const made = executor.launch({ pod, bundle, ports: {} }, { started, ready: started, exited: resolve });
    setTimeout(() => made.stop(0), spec.longestMs ?? 90_000).unref();
  });
  logs.flush();
  await executor.discard(id).catch((error) => Object.assign(outcome, { left: String(error) }));
  return { name, ...outcome, printed: lines.filter((line) => line.pod_id === id).map(({ message }) => message) };
}

/** A program behind the wall that Node.js does not hold; its lines. */
async function runRaw({ program, addon, ...task }) {
  const id = randomUUID();
  const folder = join(podsDir, id, 'data');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (addon !== undefined) copyFileSync(addon, join(folder, 'addon.node'));
  const place = { folder, limits: { memoryMb: 96, storageMb: 8 }, bundle: program };
  const { child } = launcher.spawnTrial(program, { ...task, agent: process.pid }, place);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  await executor.discard(id);
  return [...text.trim().split('\n'), `exit code ${code}`];
}

const results = [];
const before = ownStatus();
const waiting = [...packs];
const worker = async () => {
  for (let pack = waiting.shift(); pack !== undefined; pack = waiting.shift()) results.push(await run(pack));
};
await Promise.all(Array.from({ length: atOnce }, worker));
const printed = raw === undefined ? [] : await runRaw(raw);
process.stdout.write(JSON.stringify({ printed, tier: wall.tier, by: wall.by, results, before, after: ownStatus() }));
process.exit(0);
