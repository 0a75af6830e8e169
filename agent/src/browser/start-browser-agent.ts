import { StarkError, usageError } from '@stark-o/core';
import type { AgentEnd } from '../agent.js';
import type { PlainRequest } from '../control-plane/supabase.js';
import type { LogLine } from '../logs/log-line.js';
import { PodFrames } from './frames.js';
import type { AgentRequest, BrowserAgentState, BrowserLogLine, FromAgent, ToAgent } from './protocol.js';

/** Put in when the agent is bundled: the program of its worker. */
declare const AGENT_WORKER_SOURCE: string;

export interface BrowserAgentOptions extends Omit<AgentRequest, 'place'> {
  /** Where websites that pods bring are shown; without it they are not. */
  container?: HTMLElement;
  /** Called with every change of what the agent is doing. */
  onState?(state: BrowserAgentState): void;
  /** Called with every line that the agent writes about itself. */
  onLog?(line: BrowserLogLine): void;
  /** Called with the lines that pods write, as they go to the cluster. */
  onPodLines?(lines: readonly LogLine[]): void;
}

/** A page that is a node. */
export interface BrowserAgent {
  readonly state: BrowserAgentState;
  readonly nodeId: string;
  readonly name: string;
  /** Resolves when the agent has ended, on request or because the cluster does not want the node any more. */
  readonly ended: Promise<AgentEnd>;
  /** Stops all pods within their grace periods, delivers what is left, says goodbye. */
  stop(): Promise<void>;
}

/**
 * Turns this page into a node of the cluster, until the page is closed or `stop` was called. The agent works in a worker,
 * which browsers do not slow down while the tab is hidden. Resolves when the node is connected.
 */
export function startBrowserAgent(options: BrowserAgentOptions): Promise<BrowserAgent> {
  if (!globalThis.isSecureContext) {
    throw usageError('a page can be a node only where it is secure', 'serve it over https or from localhost');
  }
  return new PageAgent(options).start();
}

const PLACE = 'stark.place';

class PageAgent implements BrowserAgent {
  readonly ended: Promise<AgentEnd>;
  state: BrowserAgentState = { status: 'connecting', name: '', nodeId: '', incarnation: 0, pods: [] };
  readonly #worker: Worker;
  readonly #frames: PodFrames;
  #farewell: PlainRequest | undefined;
  #end: (end: AgentEnd) => void = () => {};
  #started: { resolve(agent: BrowserAgent): void; reject(error: Error): void } | undefined;

  constructor(private readonly options: BrowserAgentOptions) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#frames = new PodFrames(options.container);
    const address = URL.createObjectURL(new Blob([AGENT_WORKER_SOURCE], { type: 'text/javascript' }));
    this.#worker = new Worker(address, { name: 'stark agent' });
    this.#worker.onmessage = ({ data, ports }: MessageEvent<FromAgent>) => this.#heard(data, ports);
    this.#worker.onerror = ({ message }) => this.#failed(new StarkError(message, { code: 'AGENT_CRASHED' }));
    addEventListener('pagehide', this.#leave);
  }

  get nodeId(): string {
    return this.state.nodeId;
  }

  get name(): string {
    return this.state.name;
  }

  start(): Promise<BrowserAgent> {
    const { url, key, credentials, name, labels, taints, allocatable, syncEveryMs, connectTimeoutMs } = this.options;
    const place = sessionStorage.getItem(`${PLACE} ${url}`) ?? undefined;
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      const request = {
        url,
        key,
        credentials,
        name,
        labels,
        taints,
        allocatable,
        syncEveryMs,
        connectTimeoutMs,
        place,
      };
      this.#tell({ type: 'start', request });
    });
  }

  async stop(): Promise<void> {
    this.#tell({ type: 'stop' });
    await this.ended;
  }

  #tell(message: ToAgent): void {
    this.#worker.postMessage(message);
  }

  #heard(message: FromAgent, ports: readonly MessagePort[]): void {
    switch (message.type) {
      case 'state':
        this.state = message.state;
        this.options.onState?.(message.state);
        break;
      case 'place':
        sessionStorage.setItem(`${PLACE} ${this.options.url}`, message.place);
        break;
      case 'farewell':
        this.#farewell = message.request;
        break;
      case 'log':
        this.options.onLog?.(message.line);
        break;
      case 'lines':
        this.options.onPodLines?.(message.lines);
        break;
      case 'frame open':
        this.#frames.open(message.frame, ports);
        break;
      case 'frame show':
        this.#frames.show(message.frame);
        break;
      case 'frame close':
        this.#frames.close(message.frame);
        break;
      case 'started':
        this.#started?.resolve(this);
        break;
      case 'failed':
        this.#failed(toError(message.error));
        break;
      case 'ended':
        this.#over({ reason: message.reason, ...(message.error && { error: toError(message.error) }) });
        break;
    }
  }

  #failed(error: StarkError): void {
    this.#started?.reject(error);
    this.#over({ reason: 'refused', error });
  }

  #over(end: AgentEnd): void {
    removeEventListener('pagehide', this.#leave);
    this.#worker.terminate();
    this.#frames.closeAll();
    this.state = { ...this.state, status: 'ended', pods: [] };
    this.options.onState?.(this.state);
    this.#end(end);
  }

  // The worker goes with its page and cannot wait for an answer any more; the browser finishes this request alone.
  readonly #leave = () => {
    if (this.#farewell === undefined) return;
    const { url, headers, body } = this.#farewell;
    void fetch(url, { method: 'POST', headers, body, keepalive: true }).catch(() => {});
  };
}

function toError({ message, ...options }: Extract<FromAgent, { type: 'failed' }>['error']): StarkError {
  return new StarkError(message, options);
}
