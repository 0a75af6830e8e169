import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { findPort, ReservedPort } from '../src/port.js';
import { PortTakenError } from '../src/postgres/errors.js';

const endings: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

async function reserve(port = 0): Promise<ReservedPort> {
  const reserved = await ReservedPort.take(port);
  endings.push(() => reserved.release());
  return reserved;
}

/** The status that a server answers with, or the code of the error. */
function ask(port: number): Promise<number | string> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('a reserved port', () => {
  it('is nobody else’s, before and after it was handed to a server', async () => {
    const reserved = await reserve();
    await expect(ReservedPort.take(reserved.port)).rejects.toBeInstanceOf(PortTakenError);
    const server = createHttpServer((_, response) => response.end());
    endings.push(
      () => server.closeAllConnections(),
      () => new Promise((done) => server.close(done)),
    );
    await reserved.handTo(server);
    await expect(ReservedPort.take(reserved.port)).rejects.toBeInstanceOf(PortTakenError);
    expect(await ask(reserved.port)).toBe(200);
  });

  it('lets who calls early wait for the server', async () => {
    const reserved = await reserve();
    const caller = connect(reserved.port, '127.0.0.1');
    endings.push(() => caller.destroy());
    await once(caller, 'connect');
    caller.write('GET / HTTP/1.1\r\nhost: early\r\n\r\n');
    // A whole exchange with another server, so that the caller has been accepted by then.
    const other = createServer((socket) => socket.end());
    endings.push(() => other.close());
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    await once(connect((other.address() as AddressInfo).port, '127.0.0.1').resume(), 'close');
    const server = createHttpServer((_, response) => response.end());
    endings.push(
      () => server.closeAllConnections(),
      () => new Promise((done) => server.close(done)),
    );
    await reserved.handTo(server);
    const [answer] = await once(caller, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 200/);
  });

  it('hangs up on who waits when it is given up, and is free then', async () => {
    const reserved = await reserve();
    const answer = ask(reserved.port);
    await reserved.release();
    expect(['ECONNRESET', 'ECONNREFUSED']).toContain(await answer);
    expect(await findPort(reserved.port)).toBe(reserved.port);
  });

  it('is free again when the server that got it has ended', async () => {
    const reserved = await reserve();
    const server = createHttpServer();
    await reserved.handTo(server);
    await new Promise((done) => server.close(done));
    await reserved.release();
    expect(await findPort(reserved.port)).toBe(reserved.port);
  });
});
