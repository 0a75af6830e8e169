import { createServer } from 'node:net';
import { PortConflictError, type Ports } from '../reconciler/adapters.js';
import type { WantedPod } from '../reconciler/pod.js';
import { httpGet } from './http-get.js';

interface Holder {
  podId: string;
  podName: string;
  portName: string;
}

const TRIES = 20;

/** The ports of this machine that pods hold. A pod binds its port itself; here it is found free and kept for it. */
export class PortRegistry implements Ports {
  readonly #held = new Map<number, Holder>();
  // One claim at a time: two that probe at once would find the same number free.
  #turn: Promise<unknown> = Promise.resolve();

  readonly httpGet = httpGet;

  claim(pod: WantedPod): Promise<Record<string, number>> {
    const claimed = this.#turn.then(() => this.#claim(pod));
    this.#turn = claimed.catch(() => {});
    return claimed;
  }

  release(podId: string): void {
    for (const [port, holder] of this.#held) if (holder.podId === podId) this.#held.delete(port);
  }

  async #claim(pod: WantedPod): Promise<Record<string, number>> {
    const ports: Record<string, number> = {};
    try {
      for (const { name, strategy, port } of pod.spec.ports ?? []) {
        ports[name] =
          strategy === 'fixed' && port !== undefined
            ? await this.#fixed(pod, name, port)
            : await this.#random(pod, name);
      }
    } catch (error) {
      this.release(pod.id);
      throw error;
    }
    return ports;
  }

  async #fixed(pod: WantedPod, portName: string, port: number): Promise<number> {
    const holder = this.#held.get(port);
    if (holder !== undefined && (holder.podId !== pod.id || holder.portName !== portName)) {
      throw new PortConflictError(
        `port ${port} ("${portName}") is held by pod ${holder.podName} ("${holder.portName}")`,
      );
    }
    if ((await probe(port)) === undefined) {
      throw new PortConflictError(`port ${port} ("${portName}") is held by a process outside Stark`);
    }
    return this.#hold(pod, portName, port);
  }

  async #random(pod: WantedPod, portName: string): Promise<number> {
    // The same number again after a restart, so that addresses somebody noted stay right.
    for (const [port, holder] of this.#held) {
      if (holder.podId !== pod.id || holder.portName !== portName) continue;
      if ((await probe(port)) !== undefined) return port;
      this.#held.delete(port);
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const port = await probe(0);
      if (port !== undefined && !this.#held.has(port)) return this.#hold(pod, portName, port);
    }
    throw new PortConflictError(`no free port was found for "${portName}"`);
  }

  #hold(pod: WantedPod, portName: string, port: number): number {
    this.#held.set(port, { podId: pod.id, podName: pod.name, portName });
    return port;
  }
}

/** Binds the port on all addresses for a moment; gives its number, or undefined when somebody has it. */
function probe(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
