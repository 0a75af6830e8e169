import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One process of a pod, from its first sign to its end; times are `performance.now()` of the test. */
export interface Run {
  podId: string;
  from: number;
  to: number | undefined;
}

/**
 * Knows which pods really run, whatever the cluster believes: each process of its pack holds a connection to it from its
 * start to its end, and the kernel closes that however the process ends.
 */
export class RunLedger {
  readonly #runs: Run[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#welcome(socket));

  static async open(): Promise<RunLedger> {
    const ledger = new RunLedger();
    await new Promise<void>((resolve) => ledger.#server.listen(0, '127.0.0.1', resolve));
    return ledger;
  }

  /** A pack that does this, and whose processes are known here. */
  packOf(body: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `
import { connect } from 'node:net';
export default async (ctx) => {
  connect(${port}, '127.0.0.1').write(ctx.pod.id);
  ${body}
};`;
  }

  /** Every run of the pod so far. */
  of(podId: string): Run[] {
    return this.#runs.filter((run) => run.podId === podId);
  }

  /** How many processes of the pod live now. */
  alive(podId: string): number {
    return this.of(podId).filter(({ to }) => to === undefined).length;
  }

  /** For how many milliseconds two processes of the pod have lived at once, at most. */
  longestOverlap(podId: string): number {
    const runs = this.of(podId);
    let longest = 0;
    for (const [i, one] of runs.entries()) {
      for (const other of runs.slice(i + 1)) {
        const end = Math.min(one.to ?? Number.POSITIVE_INFINITY, other.to ?? performance.now());
        longest = Math.max(longest, end - Math.max(one.from, other.from));
      }
    }
    return longest;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    let run: Run | undefined;
    socket.on('error', () => {});
    socket.once('data', (podId) => {
      run = { podId: podId.toString(), from: performance.now(), to: undefined };
      this.#runs.push(run);
    });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (run !== undefined) run.to = performance.now();
    });
  }
}
