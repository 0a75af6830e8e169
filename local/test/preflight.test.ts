import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { preflight } from '../src/preflight.js';

let folder: string;
let taken: Server;
let takenPort: number;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stark-preflight-'));
  taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  takenPort = (taken.address() as AddressInfo).port;
});
afterEach(async () => {
  await new Promise((done) => taken.close(done));
  await rm(folder, { recursive: true, force: true });
});

describe('preflight', () => {
  it('passes a fit machine', async () => {
    await preflight({ dataDir: join(folder, 'data'), port: 0, dbPort: 0 });
  });

  it('names who has the port', async () => {
    const refused = preflight({ dataDir: folder, port: takenPort, dbPort: 0 });
    await expect(refused).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(
        process.platform === 'linux' ? new RegExp(`port ${takenPort} .*process ${process.pid}`) : /taken/,
      ),
      hint: expect.stringContaining('--port'),
    });
  });

  it('refuses one port for two services', async () => {
    await expect(preflight({ dataDir: folder, port: 1, dbPort: 1 })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });

  it.each(['18.20.0', '20.18.3'])('refuses Node.js %s', async (nodeVersion) => {
    await expect(preflight({ dataDir: folder, port: 0, dbPort: 0, nodeVersion })).rejects.toMatchObject({
      code: 'NODE_VERSION',
    });
  });

  it.each(['20.19.0', '22.0.0', '24.1.0'])('accepts Node.js %s', async (nodeVersion) => {
    await preflight({ dataDir: folder, port: 0, dbPort: 0, nodeVersion });
  });

  it('refuses a data directory that it cannot make', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(preflight({ dataDir: join(file, 'data'), port: 0, dbPort: 0 })).rejects.toMatchObject({
      code: 'DATA_DIR_UNWRITABLE',
    });
  });
});
