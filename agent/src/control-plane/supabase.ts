import {
  call,
  createStarkClient,
  type FunctionArgs,
  type FunctionName,
  type FunctionResult,
  type PodReportAnswer,
  type SocketClass,
  STARK_SCHEMA,
  type StarkClient,
  toStarkError,
} from '@stark-o/core';
import type { LogLine } from '../logs/log-line.js';
import type { AgentLog } from '../ports/agent-log.js';
import { jitteredBackoff } from '../ports/backoff.js';
import type { Clock } from '../ports/clock.js';
import { BundleError } from '../reconciler/adapters.js';
import type { BundleRef, PodReport } from '../reconciler/pod.js';
import { type CommandChannel, type CommandListener, RealtimeCommandChannel } from './command-channel.js';
import type {
  BroadcastMessage,
  ControlPlane,
  LivenessReporterOptions,
  NodeDescription,
  SyncAnswer,
} from './control-plane.js';
import { isTransient } from './failures.js';
import { type LivenessReporter, RealtimeLivenessReporter } from './liveness-reporter.js';
import { type Credentials, type OnTokens, openSession } from './session.js';

export interface SupabaseControlPlaneOptions {
  url: string;
  /** The publishable key of the project. */
  key: string;
  credentials: Credentials;
  clock: Clock;
  log: AgentLog;
  onTokens?: OnTokens;
  /** A WebSocket class where the platform has none of its own. */
  transport?: SocketClass;
  /** A fetch that knows whom it speaks with. */
  fetch?: typeof fetch;
}

/** A POST request as data. */
export interface PlainRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
}

const CALL_TIMEOUT_MS = 15_000;
const BROADCAST_TIMEOUT_MS = 2_000;
const LONGEST_RECONNECT_MS = 10_000;

/** The cluster as a Supabase project: PostgREST, Storage and Realtime, nothing else. */
export class SupabaseControlPlane implements ControlPlane {
  readonly #session;
  readonly #fetch: typeof fetch;
  readonly #client: StarkClient;

  constructor(private readonly options: SupabaseControlPlaneOptions) {
    const { url, key, credentials, clock, onTokens, transport } = options;
    this.#fetch = options.fetch ?? fetch;
    this.#session = openSession(url, key, credentials, onTokens, this.#fetch);
    this.#client = createStarkClient({
      url,
      key,
      accessToken: () => this.#session.token(),
      fetch: this.#fetch,
      realtime: {
        ...(transport !== undefined && { transport }),
        reconnectAfterMs: (tries: number) => jitteredBackoff(clock, tries - 1, LONGEST_RECONNECT_MS),
      },
    });
  }

  async signIn(): Promise<void> {
    await this.#session.signIn();
  }

  registerNode(node: NodeDescription): Promise<{ node_id: string; name: string }> {
    return this.#call('register_node', {
      p_name: node.name,
      p_runtime: node.runtime,
      p_labels: node.labels,
      p_taints: node.taints,
      p_allocatable: node.allocatable,
      p_capabilities: node.capabilities,
      p_installation: node.installation,
      p_replaces: node.replaces,
    });
  }

  sync(nodeId: string, incarnation: number | null): Promise<SyncAnswer> {
    return this.#call('node_sync', { p_node_id: nodeId, p_incarnation: incarnation });
  }

  reportPods(nodeId: string, incarnation: number, reports: readonly PodReport[]): Promise<PodReportAnswer[]> {
    return this.#call('report_pods', { p_node_id: nodeId, p_incarnation: incarnation, p_reports: reports });
  }

  async appendLogs(nodeId: string, incarnation: number, lines: readonly LogLine[]): Promise<void> {
    await this.#call('append_pod_logs', { p_node_id: nodeId, p_incarnation: incarnation, p_lines: lines });
  }

  async disconnect(nodeId: string, incarnation: number): Promise<void> {
    await this.#call('disconnect_node', { p_node_id: nodeId, p_incarnation: incarnation });
  }

  /** The same goodbye as a plain request, for a page that goes and cannot wait for its own agent. */
  disconnectRequest(nodeId: string, incarnation: number): Promise<PlainRequest> {
    const body = { p_node_id: nodeId, p_incarnation: incarnation };
    return this.#request('rest/v1/rpc/disconnect_node', body, { 'content-profile': STARK_SCHEMA });
  }

  // Over HTTP, which needs the right to write and no join: an agent may tell of logs that it may not read.
  async broadcast(messages: readonly BroadcastMessage[]): Promise<void> {
    const body = { messages: messages.map((message) => ({ ...message, private: true })) };
    const { url, ...request } = await this.#request('realtime/v1/api/broadcast', body);
    const answer = await this.#fetch(url, {
      method: 'POST',
      ...request,
      signal: AbortSignal.timeout(BROADCAST_TIMEOUT_MS),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Realtime took no broadcast: ${answer.status} ${text.slice(0, 200)}`);
  }

  openCommandChannel(topic: string, listener: CommandListener): CommandChannel {
    const { clock, log } = this.options;
    return new RealtimeCommandChannel({ client: this.#client, topic, clock, log, listener });
  }

  openLivenessReporter(options: LivenessReporterOptions): LivenessReporter {
    const { clock, log } = this.options;
    return new RealtimeLivenessReporter({ client: this.#client, clock, log, ...options });
  }

  async download(bundle: BundleRef): Promise<AsyncIterable<Uint8Array>> {
    const { data, error } = await this.#client.storage.from(bundle.bucket).download(bundle.path).asStream();
    if (error === null && data !== null) return data as unknown as AsyncIterable<Uint8Array>;
    const failure = toStarkError(error, { url: this.options.url });
    throw new BundleError(
      'BundleUnavailable',
      `cannot download ${bundle.bucket}/${bundle.path}: ${failure.message}`,
      isTransient(failure),
      { cause: failure },
    );
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#client.realtime.disconnect();
  }

  async #request(path: string, body: object, headers: Record<string, string> = {}): Promise<PlainRequest> {
    const { url, key } = this.options;
    const { href } = new URL(path, url.endsWith('/') ? url : `${url}/`);
    const authorization = `Bearer ${await this.#session.token()}`;
    return {
      url: href,
      headers: { apikey: key, authorization, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    };
  }

  async #call<F extends FunctionName>(fn: F, args: FunctionArgs<F>): Promise<FunctionResult<F>> {
    try {
      // supabase-js would go on without a token as nobody, and be refused for the wrong reason.
      await this.#session.token();
      return await call(this.#client, fn, args, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    } catch (thrown) {
      const error = toStarkError(thrown, { url: this.options.url });
      if (error.code === 'NODE_NOT_FOUND') await this.#session.forget?.();
      // The call is tried again by its caller; with luck under a token that the cluster knows.
      if (error.status === 401) await this.#session.renew().catch(() => {});
      throw error;
    }
  }
}
