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
      for (const { name, port } of pod.spec.ports ?? []) {
        ports[name] = port === undefined ? await this.#random(pod, name) : await this.#fixed(pod, name, port);
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
    const found = await probe(port);
    if (found === 'forbidden') {
      throw new PortConflictError(`port ${port} ("${portName}") is not for this account of the system to listen on`);
    }
    if (found === 'taken')
      throw new PortConflictError(`port ${port} ("${portName}") is held by a process outside Stark`);
    return this.#hold(pod, portName, port);
  }

  async #random(pod: WantedPod, portName: string): Promise<number> {
    // The same number again after a restart, so that addresses somebody noted stay right.
    for (const [port, holder] of this.#held) {
      if (holder.podId !== pod.id || holder.portName !== portName) continue;
      if ((await probe(port)) === port) return port;
      this.#held.delete(port);
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const port = await probe(0);
      if (typeof port === 'number' && !this.#held.has(port)) return this.#hold(pod, portName, port);
    }
    throw new PortConflictError(`no free port was found for "${portName}"`);
  }

  #hold(pod: WantedPod, portName: string, port: number): number {
    this.#held.set(port, { podId: pod.id, podName: pod.name, portName });
    return port;
  }
}

type Unfit = 'taken' | 'forbidden';

/** Binds the port for a moment on all addresses of both families, since nobody knows which a pack will take; gives its number. */
async function probe(port: number): Promise<number | Unfit> {
  const found = await bind({ port, host: '0.0.0.0' });
  if (typeof found !== 'number') return found ?? 'taken';
  const other = await bind({ port: found, host: '::', ipv6Only: true });
  return other === 'taken' || other === 'forbidden' ? other : found;
}

/** Gives the number that was bound; undefined where the machine does not have this family. */
function bind(place: { port: number; host: string; ipv6Only?: boolean }): Promise<number | Unfit | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EADDRINUSE') resolve('taken');
      else if (code === 'EACCES') resolve('forbidden');
      else if (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL') resolve(undefined);
      else reject(new Error(`cannot listen on port ${place.port}: ${code}`));
    });
    server.listen({ ...place, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
