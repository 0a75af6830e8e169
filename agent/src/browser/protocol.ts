import type { AgentEnd } from '../agent.js';
import type { Credentials } from '../control-plane/session.js';
import type { PlainRequest } from '../control-plane/supabase.js';
import type { LogLine } from '../logs/log-line.js';
import type { PodStatus } from '../reconciler/pod.js';

/** A pod as the page may show it. */
export interface BrowserPod {
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly pack: string;
  readonly version: string;
  readonly status: PodStatus;
  readonly ready: boolean;
  readonly restarts: number;
  readonly reason?: string;
  readonly message?: string;
}

/** What the agent is doing. */
export interface BrowserAgentState {
  readonly status: 'connecting' | 'online' | 'stopping' | 'ended';
  readonly name: string;
  readonly nodeId: string;
  readonly incarnation: number;
  readonly pods: readonly BrowserPod[];
}

/** One line that the agent writes about itself. */
export interface BrowserLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What the agent is told by the page that starts it; all of it can be copied between threads. */
export interface AgentRequest {
  url: string;
  key: string;
  /**
   * How to prove who this is: as a user, or with `join` as a node of its own, by a join token, or as a stranger without one.
   * Not needed again after a refresh, since the browser keeps the session.
   */
  credentials?:
    | Exclude<Credentials, { join: unknown } | { accessToken: () => unknown }>
    | { join: { token?: string } }
    | undefined;
  name?: string | undefined;
  labels?: Record<string, string> | undefined;
  taints?: readonly unknown[] | undefined;
  allocatable?: Record<string, number> | undefined;
  syncEveryMs?: number | undefined;
  connectTimeoutMs?: number | undefined;
  /** The place of this tab among the nodes of this browser, from before a refresh. */
  place?: string | undefined;
}

/** From the page to the agent in its worker. */
export type ToAgent = { type: 'start'; request: AgentRequest } | { type: 'stop' };

/** From the agent to its page. */
export type FromAgent =
  | { type: 'state'; state: BrowserAgentState }
  | { type: 'place'; place: string }
  | { type: 'farewell'; request: PlainRequest }
  | { type: 'log'; line: BrowserLogLine }
  | { type: 'lines'; lines: readonly LogLine[] }
  | { type: 'frame open'; frame: string }
  | { type: 'frame show'; frame: string }
  | { type: 'frame close'; frame: string }
  | { type: 'started' }
  | { type: 'failed'; error: { message: string; code: string; hint: string | undefined; status: number | undefined } }
  | { type: 'ended'; reason: AgentEnd['reason']; error?: Extract<FromAgent, { type: 'failed' }>['error'] };
