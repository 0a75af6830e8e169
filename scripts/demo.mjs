// npm run demo: from a fresh clone to real packs on real agents, driven only by the commands that a user would type.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build, checkNode, installDependencies, root } from './setup.mjs';

const keep = process.argv.includes('--keep');
const nodes = ['node-1', 'node-2', 'node-3'];
const packs = ['alpha', 'beta'];
const replicas = 3;
// A kept connection would have ended unseen by the next request, since this program stands still while a command runs.
const ONCE = { connection: 'close' };

checkNode();
installDependencies();
build();

const bin = join(root, 'cli', 'bin', 'stark.js');
const scratch = mkdtempSync(join(tmpdir(), 'stark-demo-'));
const dataDir = join(scratch, 'data');
const environment = {
  ...process.env,
  STARK_CONFIG_DIR: join(scratch, 'config'),
  SUPABASE_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  LITE_TELEMETRY: '0',
};
const agents = [];
const began = performance.now();

process.once('SIGINT', () => finish(130));
process.once('SIGTERM', () => finish(143));

try {
  title('A cluster: Postgres, REST, Auth, Storage, Realtime and Edge Functions on free ports');
  stark(['up', '--detach', '--data-dir', dataDir, '--port', '0', '--db-port', '0']);

  title('Its first admin');
  const password = randomBytes(12).toString('base64url');
  stark(['auth', 'setup', '--email', 'admin@example.com', '--password-stdin'], { input: `${password}\n` });
  stark(['auth', 'whoami']);

  title('Three agents, each a process of its own; a node that says nothing is given up after 5 seconds instead of 30');
  stark(['server-config', 'set', 'heartbeat_interval=2', 'heartbeat_timeout=5']);
  for (const name of nodes) startAgent(name);
  await until('all nodes to be healthy', 30_000, () => {
    const healthy = json(['node', 'list']).filter((node) => node.status === 'healthy');
    return healthy.length === nodes.length;
  });
  stark(['node', 'list']);

  title('Two packs, bundled and registered');
  for (const name of packs) {
    const bundle = join(scratch, `${name}.mjs`);
    stark(['pack', 'bundle', join(root, 'examples', name), '--out', bundle]);
    stark(['pack', 'register', bundle]);
  }
  stark(['pack', 'list']);

  title('A deployment: three pods of alpha, always, of the latest version');
  const created = performance.now();
  const settings = ['--replicas', String(replicas), '--follow-latest', '--min-ready', '1s'];
  stark(['deployment', 'create', 'alpha', '--pack', 'alpha', ...settings, '--wait=60s']);
  const firstRunning = performance.now();
  stark(['pod', 'list']);

  title('Work piles up in its queues: one pod more is made');
  await giveJobs();
  // What pods tell goes with the next heartbeat.
  await sleep(2_500);
  const most = replicas + 1;
  stark([
    'deployment',
    'autoscale',
    'alpha',
    '--min',
    `${replicas}`,
    '--max',
    `${most}`,
    '--metric',
    'waiting=5',
    '--no-wait',
  ]);
  await until(`the deployment to want ${most} pods`, 60_000, async () => {
    const alpha = json(['deployment', 'list']).find(({ name }) => name === 'alpha');
    if (alpha.replicas < most) await giveJobs();
    return alpha.replicas === most;
  });
  stark(['get', 'autoscalers']);
  stark(['rollout', 'status', 'alpha', '--wait=60s']);

  title('Back to three, by hand');
  stark(['deployment', 'autoscale', 'alpha', '--off', '--no-wait']);
  stark(['deployment', 'scale', 'alpha', '--replicas', `${replicas}`, '--wait=60s']);

  title('One agent is killed: its pod is made anew elsewhere');
  const lost = json(['pod', 'list']).find(({ node_name }) => node_name !== 'node-1').node_name;
  killAgent(lost);
  stark(['wait', `node/${lost}`, '--for', 'status=offline', '--timeout', '60s']);
  stark(['rollout', 'status', 'alpha', '--wait=60s']);

  title('A version that crashes: the deployment takes it, and goes back by itself');
  const broken = join(scratch, 'broken.mjs');
  writeFileSync(broken, "export default () => {\n  throw new Error('this version is broken');\n};\n");
  stark(['pack', 'register', broken, '--name', 'alpha', '--ver', '1.0.1', '--runtime', 'node']);
  stark(['wait', 'deployment/alpha', '--for', 'status_reason=RolledBack', '--timeout', '60s']);
  stark(['rollout', 'history', 'alpha']);

  title('A pod of beta, made by hand');
  stark(['pod', 'create', '--pack', 'beta', '--wait=60s']);
  const pods = json(['pod', 'list']).filter((pod) => pod.status === 'running');
  const wanted = replicas + 1;
  if (pods.length !== wanted) throw new Error(`${pods.length} of ${wanted} pods are running`);
  stark(['pod', 'list', '--output', 'wide']);

  title('Their pages, over HTTP');
  for (const pod of pods) await showPage(pod);

  title('A few of their log lines');
  for (const pack of packs) {
    const pod = pods.find((one) => one.pack_name === pack);
    stark(['pod', 'logs', pod.name, '--tail', '4']);
  }

  title('And the whole of it');
  stark(['status']);
  const used = new Set(pods.map((pod) => pod.node_name)).size;
  const fromCreate = Math.round(firstRunning - created);
  const fromStart = Math.round(firstRunning - began);
  console.log(`\nA pod ran ${fromCreate} ms after it was asked for, ${fromStart} ms after the first command.`);
  if (keep) tellWhatNext();
  await finish(0, `demo: ok, ${pods.length} pods on ${used} nodes, first pod running after ${fromStart} ms`);
} catch (error) {
  console.error(`\ndemo: failed: ${error.message}`);
  showLogs();
  await finish(1);
}

function title(text) {
  console.log(`\n── ${text}`);
}

/** Runs one command as a user would and shows what it prints; its failure is the demo's. */
function stark(args, options = {}) {
  console.log(`$ stark ${args.map((arg) => arg.replaceAll(scratch, '$DEMO').replaceAll(root, './')).join(' ')}`);
  const { status, stdout, stderr } = call(args, options);
  process.stdout.write(stdout);
  if (status !== 0) throw new Error(`stark ${args.slice(0, 2).join(' ')} ended with ${status}: ${stderr.trim()}`);
}

function json(args) {
  const { status, stdout, stderr } = call([...args, '--output', 'json']);
  if (status !== 0) throw new Error(`stark ${args.join(' ')} ended with ${status}: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

function call(args, options = {}) {
  return spawnSync(process.execPath, [bin, ...args], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    timeout: 120_000,
    ...options,
  });
}

function startAgent(name) {
  const args = ['node', 'agent', 'start', '--name', name, '--data-dir', join(scratch, 'agents')];
  console.log(`$ stark node agent start --name ${name} &`);
  // Into a file and not a pipe: with --keep the agents outlive this program.
  const log = join(scratch, `${name}.log`);
  const output = openSync(log, 'a');
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: root,
    env: environment,
    stdio: ['ignore', output, output],
    detached: keep,
  });
  closeSync(output);
  agents.push({ name, child, log });
}

/** As a machine dies: without a word. */
function killAgent(name) {
  const index = agents.findIndex((agent) => agent.name === name);
  const [{ child }] = agents.splice(index, 1);
  console.log(`$ kill -9 ${child.pid}      # ${name}`);
  child.kill('SIGKILL');
}

async function until(what, deadlineMs, check) {
  const deadline = performance.now() + deadlineMs;
  while (!(await check())) {
    const dead = agents.find(({ child }) => child.exitCode !== null);
    if (dead) throw new Error(`agent ${dead.name} ended with ${dead.child.exitCode} while waiting for ${what}`);
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
    await sleep(200);
  }
}

/** As many jobs as each running pod of alpha takes; those that its queue has no room for are refused. */
async function giveJobs() {
  const pods = json(['pod', 'list']).filter((pod) => pod.pack_name === 'alpha' && pod.status === 'running');
  console.log(`$ curl -X POST http://127.0.0.1:${pods[0]?.ports.http}/api/jobs      # 60 times, and to the other pods`);
  const jobs = pods.flatMap((pod) => Array.from({ length: 60 }, (_, i) => ({ pod, text: `job ${i}` })));
  // One that does not arrive is made up for by the next round.
  await Promise.allSettled(
    jobs.map(({ pod, text }) =>
      fetch(`http://127.0.0.1:${pod.ports.http}/api/jobs`, {
        method: 'POST',
        headers: ONCE,
        body: JSON.stringify({ text }),
        signal: AbortSignal.timeout(10_000),
      }),
    ),
  );
}

async function showPage(pod) {
  const url = `http://127.0.0.1:${pod.ports.http}/`;
  const response = await fetch(url, { headers: ONCE, signal: AbortSignal.timeout(10_000) });
  const page = await response.text();
  const heading = /<title>(.*?)<\/title>/s.exec(page)?.[1] ?? 'no title';
  console.log(
    `${pod.name} on ${pod.node_name}: GET ${url} → ${response.status}, ${page.length} bytes, “${heading.trim()}”`,
  );
  if (!response.ok || !page.includes(pod.pack_name)) throw new Error(`${url} is not the page of ${pod.pack_name}`);
}

function tellWhatNext() {
  console.log(`
The cluster is still up. Try:
  export STARK_CONFIG_DIR=${environment.STARK_CONFIG_DIR}
  npx stark pod list
  npx stark pod logs <name> --follow
  npx stark deployment status alpha
  npx stark down --data-dir ${dataDir}      # ends it; the agents end with: kill ${agents.map(({ child }) => child.pid).join(' ')}`);
}

function showLogs() {
  const logs = [...agents.map(({ name, log }) => [`agent ${name}`, log]), ['the stack', join(dataDir, 'stack.log')]];
  for (const [name, log] of logs.filter(([, path]) => existsSync(path))) {
    console.error(`\n── last lines of ${name}\n${readFileSync(log, 'utf8').split('\n').slice(-20).join('\n')}`);
  }
}

/** Ends what the demo started, unless it is to stay; the given line is the very last one. */
async function finish(code, lastLine) {
  if (keep && code === 0) {
    for (const { child } of agents) child.unref();
  } else {
    for (const { child } of agents) child.kill('SIGTERM');
    await Promise.all(agents.map(({ child }) => ended(child)));
    call(['down', '--data-dir', dataDir]);
    rmSync(scratch, { recursive: true, force: true });
  }
  if (lastLine) console.log(`\n${lastLine}`);
  process.exit(code);
}

async function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const late = sleep(20_000, 'late', { ref: false });
  if ((await Promise.race([exit, late])) === 'late') child.kill('SIGKILL');
}
