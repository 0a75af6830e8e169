import { readdir, readFile, readlink } from 'node:fs/promises';
import { type AddressInfo, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { PortTakenError } from './postgres/errors.js';

/** This machine alone. */
export const LOOPBACK = '127.0.0.1';

/** A port that nobody else can take. Who calls meanwhile waits for the server that it is handed to. */
export class ReservedPort {
  readonly #listener: Server;
  readonly #waiting = new Set<Socket>();
  #port = 0;

  private constructor() {
    this.#listener = createServer((socket) => {
      this.#waiting.add(socket);
      socket.once('close', () => this.#waiting.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  /** Binds the port, of which 0 asks the system for a free one; fails with its owner when somebody has it. */
  static async take(port: number, host: string = LOOPBACK): Promise<ReservedPort> {
    const reserved = new ReservedPort();
    try {
      await listen(reserved.#listener, { host, port, exclusive: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw await portTaken(port);
      throw error;
    }
    reserved.#port = (reserved.#listener.address() as AddressInfo).port;
    return reserved;
  }

  get port(): number {
    return this.#port;
  }

  /** Lets `server` listen in our place, without a moment in which the port is free. */
  async handTo(server: Server): Promise<void> {
    await listen(server, this.#listener);
    for (const socket of this.#waiting) server.emit('connection', socket);
    this.#waiting.clear();
  }

  /** Gives the port up, also one that was handed on. */
  async release(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    if (this.#listener.listening) await new Promise((resolve) => this.#listener.close(resolve));
  }
}

function listen(server: Server, where: ListenOptions | Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The port, free a moment ago, for a program that binds it by itself. */
export async function findPort(port: number): Promise<number> {
  const reserved = await ReservedPort.take(port);
  await reserved.release();
  return reserved.port;
}

/** The error for a port somebody else has, with who that is where the system tells. */
export async function portTaken(port: number): Promise<PortTakenError> {
  const owner = process.platform === 'linux' ? await findListener(port) : null;
  return new PortTakenError(port, owner?.pid ?? null, owner?.command ?? null);
}

async function findListener(port: number): Promise<{ pid: number; command: string } | null> {
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const lines = await readFile(table, 'utf8').catch(() => '');
    for (const line of lines.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local, , state] = fields;
      // 0A is LISTEN.
      if (state === '0A' && Number.parseInt(local?.split(':')[1] ?? '', 16) === port) inodes.add(fields[9] ?? '');
    }
  }
  if (inodes.size === 0) return null;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const handle of handles) {
      const target = await readlink(`/proc/${pid}/fd/${handle}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) {
        const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
        return { pid: Number(pid), command: command.trim() };
      }
    }
  }
  return null;
}
