import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PortTakenError } from './errors.js';

const HOST = '127.0.0.1';

/** Binds the port for a moment; 0 asks the system for a free one. Returns the port, or fails with its owner. */
export async function claimPort(port: number): Promise<number> {
  try {
    return await bindOnce(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw await portTaken(port);
    throw error;
  }
}

/** The error for a port somebody else has, with who that is where the system tells. */
export async function portTaken(port: number): Promise<PortTakenError> {
  const owner = process.platform === 'linux' ? await findListener(port) : null;
  return new PortTakenError(port, owner?.pid ?? null, owner?.command ?? null);
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
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
