// The program of the agent's worker.
import { dnsNameProblem, StarkError, toStarkError, usageError } from '@stark-o/core';
import type { Agent } from '../agent.js';
import { assembleAgent } from '../assemble.js';
import type { Credentials } from '../control-plane/session.js';
import { SupabaseControlPlane } from '../control-plane/supabase.js';
import { ClusterClock } from '../ports/cluster-clock.js';
import type { ManagedPod } from '../reconciler/pod-machine.js';
import { CachedBundles } from './bundle-cache.js';
import { openNode } from './database.js';
import { WorkerExecutor } from './executor.js';
import { createAgentLog } from './log.js';
import { describeMachine, measureMachine } from './machine.js';
import { openDatabaseOutbox } from './outbox-database.js';
import type { Frames } from './pod-sandbox.js';
import { noPorts } from './ports.js';
import type { AgentRequest, BrowserPod, FromAgent, ToAgent } from './protocol.js';
import { PodStores } from './storage.js';
import { type TabIdentity, takeTabIdentity } from './tab-identity.js';

/** Put in when the agent is bundled: supabase-js as one module. */
declare const SUPABASE_SOURCE: string;

const REPORT_BYTES = 4 * 1024 * 1024;
const LOG_BYTES = 8 * 1024 * 1024;
/** The page must be able to say goodbye at any time, so what it says it with is renewed well before a token's end. */
const FAREWELL_EVERY_MS = 30_000;

interface Scope {
  postMessage(message: FromAgent, ports?: MessagePort[]): void;
}

const page = globalThis as unknown as Scope;
const say = (message: FromAgent) => page.postMessage(message);

const frames: Frames = {
  open: (frame, ports) => page.postMessage({ type: 'frame open', frame }, ports),
  show: (frame) => say({ type: 'frame show', frame }),
  close: (frame) => say({ type: 'frame close', frame }),
};

let agent: Agent | undefined;

addEventListener('message', ({ data }: MessageEvent<ToAgent>) => {
  if (data.type === 'start') {
    start(data.request).catch((error: unknown) => say({ type: 'failed', error: plain(toStarkError(error)) }));
  } else if (data.type === 'stop') void agent?.stop();
});

async function start(request: AgentRequest): Promise<void> {
  const { url, name, place } = request;
  const problem = name === undefined ? undefined : dnsNameProblem(name);
  if (problem !== undefined) throw usageError(`"${name}" is not a node name: ${problem}`);
  const identity = await takeTabIdentity({ url, name, place });
  say({ type: 'place', place: identity.place });
  try {
    const view = new StateView(identity.name);
    const assembled = await assemble(request, identity, view);
    agent = assembled.agent;
    view.watch(agent);
    await agent.start();
    await assembled.startFarewells();
    say({ type: 'started' });
    view.online();
    const { reason, error } = await agent.ended;
    say({ type: 'ended', reason, ...(error && { error: plain(error) }) });
  } finally {
    identity.release();
  }
}

async function assemble(request: AgentRequest, identity: TabIdentity, view: StateView) {
  const { url, key } = request;
  const { name, installation } = identity;
  const clock = new ClusterClock();
  const log = createAgentLog((line) => say({ type: 'log', line })).child({ node: name });
  const controlPlane = new SupabaseControlPlane({
    url,
    key,
    credentials: await credentialsOf(request, identity),
    clock,
    log,
    onTokens: (tokens) => identity.session.keep(tokens),
  });
  const database = await openNode(url, name);
  const { labels, taints, allocatable: offered, syncEveryMs, connectTimeoutMs } = request;
  const onChange = () => view.changed();
  const settings = { labels, taints, allocatable: offered, syncEveryMs, connectTimeoutMs, onChange };
  const made = await assembleAgent(settings, {
    node: { name, runtime: 'browser', installation },
    ...{ clock, log, controlPlane },
    outboxBytes: { reports: REPORT_BYTES, logs: LOG_BYTES },
    openOutbox: (box, about) => openDatabaseOutbox(database, box, about, log),
    onLines: (lines) => say({ type: 'lines', lines }),
    measureMachine,
    supportPods: async ({ logs, allocatable }) => {
      const bundles = new CachedBundles((bundle) => controlPlane.download(bundle));
      const executor = new WorkerExecutor({
        nodeName: name,
        allocatable,
        project: { url, key },
        bundles,
        stores: new PodStores(database),
        frames,
        supabaseSource: SUPABASE_SOURCE,
        clock,
        logs,
      });
      return { executor, bundles, ports: noPorts, capabilities: describeMachine() };
    },
  });
  const startFarewells = async () => {
    const { nodeId, incarnation } = made;
    const farewell = await controlPlane.disconnectRequest(nodeId, incarnation).catch(() => undefined);
    if (farewell !== undefined) say({ type: 'farewell', request: farewell });
    clock.after(FAREWELL_EVERY_MS, () => void startFarewells());
  };
  return { agent: made, startFarewells };
}

async function credentialsOf({ credentials }: AgentRequest, { name, session }: TabIdentity): Promise<Credentials> {
  if (credentials !== undefined && !('join' in credentials)) return credentials;
  // A node that joined before needs only the session that it kept.
  if (credentials === undefined && (await session.read()) === undefined) throw signedOut();
  return { join: { ...credentials?.join, name, runtime: 'browser', store: session } };
}

/** What the page is shown; told at most once an event. */
class StateView {
  #status: 'connecting' | 'online' = 'connecting';
  #agent: Agent | undefined;
  #telling = false;

  constructor(private readonly name: string) {}

  watch(agent: Agent): void {
    this.#agent = agent;
    this.changed();
  }

  online(): void {
    this.#status = 'online';
    this.changed();
  }

  changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.#tell();
    });
  }

  #tell(): void {
    const { nodeId = '', incarnation = 0, stopping = false, pods = new Map() } = this.#agent ?? {};
    const status = stopping ? 'stopping' : this.#status;
    say({
      type: 'state',
      state: { status, name: this.name, nodeId, incarnation, pods: [...pods.values()].map(toBrowserPod) },
    });
  }
}

function toBrowserPod({ pod, lastReport, ready, restarts }: Readonly<ManagedPod>): BrowserPod {
  const { id, name, namespace, pack, version } = pod;
  const { status = pod.status, reason, message } = lastReport ?? {};
  return {
    id,
    name,
    namespace,
    pack,
    version,
    status,
    ready,
    restarts,
    ...(reason !== undefined && { reason }),
    ...(message !== undefined && { message }),
  };
}

function signedOut(): StarkError {
  return new StarkError('this tab is not signed in', {
    code: 'NOT_SIGNED_IN',
    status: 401,
    hint: 'give credentials: an e-mail address with its password, a token of a session, or a join token',
  });
}

function plain({ message, code, hint, status }: StarkError) {
  return { message, code, hint, status };
}
