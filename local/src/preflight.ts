import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { StackError } from './errors.js';
import { ReservedPort } from './port.js';
import { PortTakenError } from './postgres/errors.js';

const step = 'preflight';
const minimumNode = [20, 19] as const;

/**
 * Refuses what could only fail later and less clearly: the Node.js version, an unwritable folder, a taken port. Returns the
 * gateway's port, kept from now on. Postgres checks its own: a server that outlived its stack may still hold it, and is
 * stopped there.
 */
export async function preflight(o: {
  dataDir: string;
  port: number;
  dbPort: number;
  host?: string | undefined;
  nodeVersion?: string;
}): Promise<ReservedPort> {
  refuseOldNode(o.nodeVersion ?? process.versions.node);
  await refuseUnwritable(o.dataDir);
  if (o.port !== 0 && o.port === o.dbPort) {
    throw new StackError(step, 'PORT_TAKEN', `port ${o.port} is asked for twice, by the gateway and by Postgres`, {
      hint: 'stark up --db-port <another>',
    });
  }
  return reserveGatewayPort(o.port, o.host);
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
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
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

async function reserveGatewayPort(port: number, host: string | undefined): Promise<ReservedPort> {
  try {
    return await ReservedPort.take(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StackError(step, 'HOST_UNKNOWN', `this machine has no address ${host}`, {
        hint: 'stark up --host 0.0.0.0 listens on all addresses that it has',
        cause: error,
      });
    }
    const hint = 'stop that program, or stark up --port <another>';
    if (error instanceof PortTakenError)
      throw new StackError(step, 'PORT_TAKEN', error.message, { hint, cause: error });
    throw new StackError(step, 'PORT_REFUSED', `cannot listen on port ${port}: ${(error as Error).message}`, { hint });
  }
}
