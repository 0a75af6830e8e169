import { Agent, type AgentOptions } from './agent.js';
import type { ControlPlane, NodeDescription } from './control-plane/control-plane.js';
import type { Allocatable } from './executor/pod-limits.js';
import type { LogLine } from './logs/log-line.js';
import { LogPipeline } from './logs/log-pipeline.js';
import type { PodLogs } from './logs/pod-logs.js';
import type { Outbox, OutboxOptions } from './outbox/outbox.js';
import type { AgentLog } from './ports/agent-log.js';
import type { Clock } from './ports/clock.js';
import type { BundleCache, Executor, Ports } from './reconciler/adapters.js';
import type { PodReport } from './reconciler/pod.js';

/** What somebody may say of a node and its agent, on every platform. */
export interface NodeSettings
  extends Pick<AgentOptions, 'syncEveryMs' | 'heartbeatEveryMs' | 'connectTimeoutMs' | 'onChange'> {
  labels?: Record<string, string> | undefined;
  taints?: readonly unknown[] | undefined;
  /** What pods may use here: cpu in millicores, memory and storage in MB, a number of pods. Default: what the machine has. */
  allocatable?: Record<string, number> | undefined;
}

/** What executors are given. */
export interface PodSurroundings {
  logs: PodLogs;
  /** What the node offers to all pods together. */
  allocatable: Allocatable;
  /** The hashes of all files that pods of this node have, running or about to. */
  filesInUse(): ReadonlySet<string>;
}

/** What runs pods on one platform. */
export interface PodSupport {
  executor: Executor;
  bundles: BundleCache;
  ports: Ports;
  /** What is true of this machine and may matter to a pack. */
  capabilities: Record<string, unknown>;
}

/** What one platform brings to an agent. */
export interface Platform {
  node: Pick<NodeDescription, 'name' | 'runtime' | 'installation' | 'replaces'>;
  clock: Clock;
  log: AgentLog;
  controlPlane: ControlPlane;
  /** Where reports and lines wait for the cluster, and how many bytes of each. */
  outboxBytes: { reports: number; logs: number };
  openOutbox<T>(name: 'reports' | 'logs', options: OutboxOptions<T>): Promise<Outbox<T>>;
  /** Told of all lines of pods, before they are stored. */
  onLines?: (lines: readonly LogLine[]) => void;
  /** What this machine offers when nobody said otherwise. */
  measureMachine(): Promise<Record<string, number>>;
  supportPods(surroundings: PodSurroundings): Promise<PodSupport>;
}

/** Puts an agent together; it is the same on each platform but for what the platform brings. */
export async function assembleAgent(settings: NodeSettings, platform: Platform): Promise<Agent> {
  const { node, clock, log, controlPlane, outboxBytes, onLines } = platform;
  const reports = await platform.openOutbox<PodReport>('reports', {
    keyOf: ({ pod_id }) => pod_id,
    maxBytes: outboxBytes.reports,
  });
  reports.onDrop = ({ pod_id, status }) => log.warn({ pod_id, status }, 'the outbox is full; dropped a report');
  const outbox = await platform.openOutbox<LogLine>('logs', {
    keyOf: ({ pod_id }) => pod_id,
    maxBytes: outboxBytes.logs,
  });
  const logs = new LogPipeline({ outbox, clock, log, ...(onLines && { onLines }) });
  const machine = await platform.measureMachine();
  const { labels = {}, taints = [], allocatable = machine } = settings;
  const { syncEveryMs, heartbeatEveryMs, connectTimeoutMs, onChange } = settings;
  const { capabilities, ...support } = await platform.supportPods({
    logs,
    allocatable: { ...machine, ...allocatable },
    filesInUse: () => new Set([...agent.pods.values()].flatMap(({ pod }) => filesOf(pod.bundle))),
  });
  const agent = new Agent({
    node: { ...node, labels, taints, allocatable, capabilities },
    ...{ controlPlane, clock, log, reports, logs },
    ...support,
    ...{ syncEveryMs, heartbeatEveryMs, connectTimeoutMs, onChange },
  });
  return agent;
}

function filesOf({ sha256, assets }: { sha256: string; assets?: { sha256: string } | undefined }): string[] {
  return assets === undefined ? [sha256] : [sha256, assets.sha256];
}
