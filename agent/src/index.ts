export { Agent, type AgentEnd, type AgentOptions } from './agent.js';
export type {
  ControlPlane,
  LivenessReporterOptions,
  NodeDescription,
  SyncAnswer,
} from './control-plane/control-plane.js';
export { isJoinToken, type Joining, type SessionStore, type Tokens } from './control-plane/join.js';
export type {
  LivenessListener,
  LivenessReporter,
  NodeCredential,
} from './control-plane/liveness-reporter.js';
export type { NodeUsage } from './control-plane/node-usage.js';
export type { Credentials, OnTokens } from './control-plane/session.js';
export { SupabaseControlPlane, type SupabaseControlPlaneOptions } from './control-plane/supabase.js';
export type { LogLine } from './logs/log-line.js';
export { LogPipeline, type LogPipelineOptions, type LogUplink } from './logs/log-pipeline.js';
export type { Entry, Outbox } from './outbox/outbox.js';
export type { AgentLog } from './ports/agent-log.js';
export type { Clock } from './ports/clock.js';
export { ClusterClock } from './ports/cluster-clock.js';
export * from './reconciler/adapters.js';
export type { ExitOutcome, PodReport, WantedPod } from './reconciler/pod.js';
