import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { StackError } from './errors.js';
import { describePortOwner } from './port-owner.js';

const step = 'preflight';
const minimumNode = [20, 19] as const;

/** Refuses what could only fail later and less clearly: the Node.js version, an unwritable folder, a taken port. */
export async function preflight(o: {
  dataDir: string;
  port: number;
  dbPort: number;
  nodeVersion?: string;
}): Promise<void> {
  refuseOldNode(o.nodeVersion ?? process.versions.node);
  await refuseUnwritable(o.dataDir);
  if (o.port !== 0 && o.port === o.dbPort) {
    throw new StackError(step, 'PORT_TAKEN', `port ${o.port} is asked for twice, by the gateway and by Postgres`, {
      hint: 'stark up --db-port <another>',
    });
  }
  await refuseTakenPort(o.port, '--port');
}

function refuseOldNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  throw new StackError(
    step,
    'NODE_VERSION',
    `Node.js ${version} is too old, Stark needs ${minimumNode.join('.')} or newer`,
    {
      hint: 'install a current Node.js release',
    },
  );
}

async function refuseUnwritable(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new StackError(
      step,
      'DATA_DIR_UNWRITABLE',
      `cannot write data directory ${dataDir}: ${(cause as Error).message}`,
      {
        hint: 'choose another --data-dir, or correct its owner',
        cause,
      },
    );
  }
}

/** Throws PORT_TAKEN with the program that holds the port, as far as the system tells. */
export async function refuseTakenPort(port: number, flag: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve);
    server.listen(port, '127.0.0.1', () => resolve(undefined));
  });
  await new Promise((resolve) => server.close(resolve));
  if (error === undefined) return;
  if (error.code !== 'EADDRINUSE') {
    throw new StackError(step, 'PORT_REFUSED', `cannot listen on port ${port}: ${error.message}`, {
      hint: `stark up ${flag} <another>`,
    });
  }
  const owner = await describePortOwner(port);
  throw new StackError(step, 'PORT_TAKEN', `port ${port} is taken${owner ? ` by ${owner}` : ''}`, {
    hint: `stop that program, or stark up ${flag} <another>`,
  });
}
