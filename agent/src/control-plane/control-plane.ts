import type { NodeSync, PodReportAnswer } from '@stark-o/core';
import type { LogLine } from '../logs/log-line.js';
import type { BundleRef, PodReport, WantedPod } from '../reconciler/pod.js';
import type { CommandChannel, CommandListener } from './command-channel.js';
import type { LivenessReporter, RealtimeLivenessReporterOptions } from './liveness-reporter.js';

/** What a node says of itself when it registers. */
export interface NodeDescription {
  name: string;
  runtime: 'node' | 'browser';
  labels: Record<string, string>;
  taints: readonly unknown[];
  allocatable: Record<string, number>;
  capabilities: Record<string, unknown>;
  /** A UUID that tells this installation of the agent from another one that claims the same name. */
  installation?: string | undefined;
  /** The installation it was until this start: while the node is connected, only who replaces the one it has is let in. */
  replaces?: string | undefined;
}

/** Whose liveness is reported, and what is told. */
export type LivenessReporterOptions = Pick<
  RealtimeLivenessReporterOptions,
  'credential' | 'intervalMs' | 'allocatable' | 'listener'
>;

export type SyncAnswer = Omit<NodeSync, 'pods'> & { pods: WantedPod[] };

/** One message on one private topic. */
export interface BroadcastMessage {
  topic: string;
  event: string;
  payload: object;
}

/** Everything an agent says to its cluster and hears from it. Calls throw StarkError. */
export interface ControlPlane {
  signIn(): Promise<void>;
  registerNode(node: NodeDescription): Promise<{ node_id: string; name: string }>;
  /** With null the agent connects anew and gets the next incarnation. */
  sync(nodeId: string, incarnation: number | null): Promise<SyncAnswer>;
  reportPods(nodeId: string, incarnation: number, reports: readonly PodReport[]): Promise<PodReportAnswer[]>;
  appendLogs(nodeId: string, incarnation: number, lines: readonly LogLine[]): Promise<void>;
  /** Says goodbye. */
  disconnect(nodeId: string, incarnation: number): Promise<void>;
  /** Sends messages to those who listen to a topic; a lost message is not sent again. */
  broadcast(messages: readonly BroadcastMessage[]): Promise<void>;
  openCommandChannel(topic: string, listener: CommandListener): CommandChannel;
  openLivenessReporter(options: LivenessReporterOptions): LivenessReporter;
  download(bundle: BundleRef): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}
