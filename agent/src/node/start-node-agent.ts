import { mkdir, realpath } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { StarkError, usageError } from '@stark-o/core';
import type { Agent, AgentEnd } from '../agent.js';
import { assembleAgent, type NodeSettings } from '../assemble.js';
import type { Credentials } from '../control-plane/session.js';
import { SupabaseControlPlane } from '../control-plane/supabase.js';
import type { AgentLog } from '../ports/agent-log.js';
import { ClusterClock } from '../ports/cluster-clock.js';
import { FileBundleCache } from './bundle-cache.js';
import { ProcessExecutor } from './executor.js';
import { fetchOver, type KnownStacks, provenConnections } from './known-stack.js';
import { webSocketOver } from './known-web-socket.js';
import { Launcher } from './launcher.js';
import { lockDirectory } from './lock.js';
import { createAgentLog } from './log.js';
import { type Acceptance, describeMachine, measureMachine } from './machine.js';
import { openFileOutbox } from './outbox-file.js';
import { PortRegistry } from './ports.js';
import { type Installation, KnownStackFile, nextInstallation, SessionFile } from './session-file.js';
import { chooseWall, ISOLATIONS, type Isolation } from './walls/choose-wall.js';

export interface NodeAgentOptions extends Omit<NodeSettings, 'onChange'> {
  supabaseUrl: string;
  /** Publishable key of the project. */
  key: string;
  /** With `join` the machine joins by this token, or as a stranger without one, unless it kept a session from an earlier time. */
  credentials:
    | Exclude<Credentials, { join: unknown }>
    | { join: { token?: string | (() => Promise<string>) | undefined } };
  /** Default: the name of this machine. */
  name?: string;
  /** Default: `~/.stark`. The node's own folder is `agents/<name>` in it. */
  dataDir?: string | undefined;
  log?: AgentLog;
  /** Which stacks are known, and by which key. Default: a file in the node's folder, which keeps the first one it meets. */
  knownStacks?: KnownStacks;
  /** What pods are held by, beside Node.js. Default: STARK_AGENT_ISOLATION, or the best that holds on this machine. */
  isolation?: Isolation | undefined;
  /** Whose pods it takes. Default: anyone's behind a wall of the kernel's, else its owner's. */
  acceptance?: Acceptance;
  /** The program a pod's process runs; only tests set it. */
  runtime?: string;
}

/** A running agent. */
export interface NodeAgent {
  readonly nodeId: string;
  readonly name: string;
  readonly dataDir: string;
  readonly incarnation: number;
  /** Resolves when the agent has ended, on request or because the cluster does not want the node any more. */
  readonly ended: Promise<AgentEnd>;
  /** Stops all pods within their grace periods, delivers what is left, says goodbye. */
  stop(): Promise<void>;
}

const REPORT_BYTES = 16 * 1024 * 1024;
const LOG_BYTES = 32 * 1024 * 1024;
const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** Turns this machine into a node of the cluster. */
export async function startNodeAgent(options: NodeAgentOptions): Promise<NodeAgent> {
  refuseDebugger();
  const name = options.name ?? hostname().toLowerCase();
  if (!NAME.test(name)) {
    throw usageError(
      `"${name}" is not a node name`,
      'use a-z, 0-9, "-" and ".", at most 63, beginning and ending with a letter or digit',
    );
  }
  const log = (options.log ?? createAgentLog()).child({ node: name });
  const wanted = folderOf(name, options.dataDir);
  // Pods of an agent that is root are users of their own, who come by; what is theirs to read is opened to them one by one.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  await mkdir(wanted, { recursive: true, mode }).catch((cause: NodeJS.ErrnoException) => {
    throw new StarkError(`cannot make data folder ${wanted}: ${cause.code}`, {
      code: 'DATA_DIR_UNWRITABLE',
      hint: 'give the agent another --data-dir',
      cause,
    });
  });
  // The sandbox compares real paths.
  const dataDir = await realpath(wanted);
  const unlock = await lockDirectory(dataDir);
  try {
    const installation = await nextInstallation(dataDir);
    const agent = await assemble(options, { name, dataDir, installation, log });
    await agent.start().catch(async (error: unknown) => {
      await agent.stop();
      throw error;
    });
    await installation.confirm();
    const ended = agent.ended.finally(unlock);
    return {
      nodeId: agent.nodeId,
      name,
      dataDir,
      get incarnation() {
        return agent.incarnation;
      },
      ended,
      stop: async () => {
        await agent.stop();
        await ended;
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Whether this machine has joined that cluster as this node before, and can come back by itself. */
export async function hasJoined(url: string, name: string, dataDir?: string | undefined): Promise<boolean> {
  return (await new SessionFile(folderOf(name, dataDir), url).read()) !== undefined;
}

function folderOf(name: string, dataDir = join(home(), '.stark')): string {
  return join(dataDir, 'agents', name);
}

function home(): string {
  try {
    return homedir();
  } catch (cause) {
    throw new StarkError('this account has no home for the data folder', {
      code: 'USAGE',
      hint: 'set HOME, or give the agent a --data-dir',
      cause,
    });
  }
}

async function assemble(
  options: NodeAgentOptions,
  { name, dataDir, installation, log }: { name: string; dataDir: string; installation: Installation; log: AgentLog },
): Promise<Agent> {
  const clock = new ClusterClock();
  const { credentials, supabaseUrl, isolation = isolationFromEnvironment(), runtime, acceptance = {} } = options;
  const known = options.knownStacks ?? new KnownStackFile(dataDir);
  const connections = provenConnections(supabaseUrl, known, ({ message }) => log.warn({}, message));
  const controlPlane = new SupabaseControlPlane({
    url: supabaseUrl,
    key: options.key,
    credentials:
      'join' in credentials
        ? { join: { ...credentials.join, name, runtime: 'node', store: new SessionFile(dataDir, supabaseUrl) } }
        : credentials,
    clock,
    log,
    transport: webSocketOver(connections),
    fetch: fetchOver(connections),
  });
  const outboxDir = join(dataDir, 'outbox');
  await mkdir(outboxDir, { recursive: true, mode: 0o700 });
  return assembleAgent(options, {
    node: { name, runtime: 'node', installation: installation.id, replaces: installation.replaces },
    ...{ clock, log, controlPlane },
    outboxBytes: { reports: REPORT_BYTES, logs: LOG_BYTES },
    openOutbox: (box, about) => openFileOutbox(join(outboxDir, `${box}.jsonl`), about, log),
    measureMachine: () => measureMachine(dataDir),
    supportPods: async ({ logs, allocatable, filesInUse }) => {
      const bundles = new FileBundleCache({
        directory: join(dataDir, 'bundles'),
        source: (bundle) => controlPlane.download(bundle),
        inUse: filesInUse,
      });
      await bundles.start();
      const podsDir = join(dataDir, 'pods');
      const wall = await chooseWall({ isolation, dataDir, podsDir, runtime, log });
      const executor = new ProcessExecutor({
        podsDir,
        nodeName: name,
        project: { url: supabaseUrl, key: options.key },
        logs,
        launcher: new Launcher(wall, runtime),
        allocatable,
        log,
      });
      const orphans = await executor.start();
      if (orphans > 0) log.warn({ processes: orphans }, 'ended pods that had outlived an earlier agent');
      return { executor, bundles, ports: new PortRegistry(), capabilities: describeMachine(wall, acceptance) };
    },
  });
}

function isolationFromEnvironment(): Isolation {
  const asked = process.env.STARK_AGENT_ISOLATION ?? 'auto';
  const known = ISOLATIONS.find((isolation) => isolation === asked);
  if (known !== undefined) return known;
  throw usageError(`STARK_AGENT_ISOLATION is "${asked}"`, `set it to one of ${ISOLATIONS.join(', ')}`);
}

// SIGUSR1 opens the debugger of a Node.js process to everyone on the machine, pods included.
function refuseDebugger(): void {
  if (process.listenerCount('SIGUSR1') === 0) process.on('SIGUSR1', () => {});
}
