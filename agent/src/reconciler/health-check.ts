import type { HttpProbe } from '@stark-o/core';
import type { Clock } from '../ports/clock.js';
import type { Ports } from './adapters.js';
import type { WantedPod } from './pod.js';

/** What the probes of one run find out; each is told when it changes. */
export interface HealthListener {
  /** Whether the pod can serve, and what is wrong when it cannot. */
  readiness(ready: boolean, problem?: string): void;
  /** It must be ended: it did not start in time, or is not alive any more. Told at most once, and last. */
  unhealthy(problem: string): void;
}

export interface HealthCheckOptions {
  pod: WantedPod;
  /** The numbers behind the names of the pod's ports. */
  ports: Readonly<Record<string, number>>;
  clock: Clock;
  httpGet: Ports['httpGet'];
  listener: HealthListener;
}

/** Whether a pod is ready as soon as it runs, without anybody being asked. */
export function isReadyAtOnce({ spec }: WantedPod): boolean {
  return spec.startupProbe === undefined && spec.readinessProbe === undefined;
}

/** The probes of one run: startup first, then liveness and readiness side by side, with Kubernetes' meaning of each number. */
export class HealthCheck {
  #cancels = new Set<() => void>();
  #stopped = false;
  #begun = false;
  #packReady = false;

  constructor(private readonly options: HealthCheckOptions) {
    const { startupProbe } = options.pod.spec;
    if (startupProbe === undefined) this.#begin();
    else
      this.#watch(startupProbe, 'startup', (problem, done) => {
        if (problem !== undefined) return this.#unhealthy(problem);
        done();
        this.#begin();
      });
  }

  /** The pack has called `ctx.ready()`. */
  packReady(): void {
    if (this.#packReady) return;
    this.#packReady = true;
    this.#tellPackReady();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #begin(): void {
    const { pod, listener } = this.options;
    const { livenessProbe, readinessProbe } = pod.spec;
    this.#begun = true;
    if (livenessProbe !== undefined) {
      this.#watch(livenessProbe, 'liveness', (problem) => problem !== undefined && this.#unhealthy(problem));
    }
    if (readinessProbe !== undefined && 'httpGet' in readinessProbe) {
      this.#watch(readinessProbe, 'readiness', (problem) => listener.readiness(problem === undefined, problem));
    } else if (readinessProbe !== undefined) this.#tellPackReady();
    else if (!isReadyAtOnce(pod)) listener.readiness(true);
  }

  #tellPackReady(): void {
    const { pod, listener } = this.options;
    const { readinessProbe } = pod.spec;
    const asked = readinessProbe !== undefined && 'packReady' in readinessProbe;
    if (asked && this.#packReady && this.#begun && !this.#stopped) listener.readiness(true);
  }

  #unhealthy(problem: string): void {
    this.stop();
    this.options.listener.unhealthy(problem);
  }

  /** Asks again and again, and tells when enough answers in a row say something new; `done` ends it. */
  #watch(probe: HttpProbe, kind: string, tell: (problem: string | undefined, done: () => void) => void): void {
    const { clock } = this.options;
    const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = probe;
    let known: boolean | undefined;
    let inARow = 0;
    let lastWell: boolean | undefined;
    let over = false;
    const after = (ms: number) => {
      const cancel = clock.after(ms, () => {
        this.#cancels.delete(cancel);
        void ask();
      });
      this.#cancels.add(cancel);
    };
    const ask = async () => {
      const askedAt = clock.now();
      const problem = await this.#problem(probe);
      if (this.#stopped) return;
      const well = problem === undefined;
      inARow = well === lastWell ? inARow + 1 : 1;
      lastWell = well;
      if (well !== known && inARow >= (well ? successThreshold : failureThreshold)) {
        known = well;
        tell(problem === undefined ? undefined : `${kind} probe failed: ${problem}`, () => {
          over = true;
        });
      }
      if (!over && !this.#stopped) after(Math.max(0, periodSeconds * 1000 - (clock.now() - askedAt)));
    };
    after(initialDelaySeconds * 1000);
  }

  async #problem({ httpGet, timeoutSeconds = 1 }: HttpProbe): Promise<string | undefined> {
    const { path = '/', port } = httpGet;
    const number = typeof port === 'number' ? port : this.options.ports[port];
    if (number === undefined) return `the pod has no port "${port}" on this node`;
    try {
      const status = await this.options.httpGet(number, path, timeoutSeconds * 1000);
      return status >= 200 && status < 400 ? undefined : `${path} answered ${status}`;
    } catch (error) {
      return `${path}: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
