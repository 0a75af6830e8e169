import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PortRegistry } from '../src/node/ports.js';
import type { WantedPod } from '../src/reconciler/pod.js';
import { aPod } from './support/pods.js';

let registry: PortRegistry;
const servers: Server[] = [];
beforeEach(() => {
  registry = new PortRegistry();
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

function listen(port: number, host: string): Promise<number> {
  const server = createServer();
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });
}

function wanting(ports: WantedPod['spec']['ports']): WantedPod {
  return aPod({ spec: { ports: ports ?? [] } });
}

async function freePort(): Promise<number> {
  const port = await listen(0, '127.0.0.1');
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

describe('ports', () => {
  it('are none for a pod that declares none', async () => {
    expect(await registry.claim(aPod())).toEqual({});
  });

  it('are different for everybody, also when many ask at once', async () => {
    const pods = Array.from({ length: 30 }, () =>
      wanting([
        { name: 'http', strategy: 'random' },
        { name: 'admin', strategy: 'random' },
      ]),
    );
    const claims = await Promise.all(pods.map((pod) => registry.claim(pod)));
    const numbers = claims.flatMap((claim) => Object.values(claim));
    expect(new Set(numbers).size).toBe(60);
  });

  it('stay the same for a pod that claims again', async () => {
    const pod = wanting([{ name: 'http', strategy: 'random' }]);
    expect(await registry.claim(pod)).toEqual(await registry.claim(pod));
  });

  it('change when somebody else has taken the number meanwhile', async () => {
    const pod = wanting([{ name: 'http', strategy: 'random' }]);
    const { http } = await registry.claim(pod);
    await listen(http as number, '127.0.0.1');
    const again = await registry.claim(pod);
    expect(again.http).not.toBe(http);
  });

  it('that are fixed are exactly those', async () => {
    const port = await freePort();
    expect(await registry.claim(wanting([{ name: 'http', strategy: 'fixed', port }]))).toEqual({ http: port });
  });

  it('conflict by the name of the pod that has them, until it releases them', async () => {
    const port = await freePort();
    const holder = wanting([{ name: 'http', strategy: 'fixed', port }]);
    await registry.claim(holder);
    const other = wanting([
      { name: 'extra', strategy: 'random' },
      { name: 'web', strategy: 'fixed', port },
    ]);
    await expect(registry.claim(other)).rejects.toThrow(`port ${port} ("web") is held by pod ${holder.name} ("http")`);
    registry.release(holder.id);
    expect((await registry.claim(other)).web).toBe(port);
  });

  it.each(['127.0.0.1', '0.0.0.0', '::1', '::'])('conflict with a process outside that listens on %s', async (host) => {
    const port = await listen(0, host);
    await expect(registry.claim(wanting([{ name: 'http', strategy: 'fixed', port }]))).rejects.toThrow(
      `port ${port} ("http") is held by a process outside Stark`,
    );
  });

  it('that have a number are fixed, whatever else is said', async () => {
    const port = await freePort();
    expect(await registry.claim(wanting([{ name: 'http', port }]))).toEqual({ http: port });
  });

  it('that are random are free on both families', async () => {
    const port = await listen(0, '::1');
    const pod = wanting([{ name: 'http' }]);
    const { http } = await registry.claim(pod);
    expect(http).not.toBe(port);
    await listen(http as number, '::1');
    expect((await registry.claim(pod)).http).not.toBe(http);
  });

  it('that are declared twice by one pod conflict with themselves', async () => {
    const port = await freePort();
    const pod = wanting([
      { name: 'a', strategy: 'fixed', port },
      { name: 'b', strategy: 'fixed', port },
    ]);
    await expect(registry.claim(pod)).rejects.toThrow(`held by pod ${pod.name} ("a")`);
    expect(await registry.claim(wanting([{ name: 'c', strategy: 'fixed', port }]))).toEqual({ c: port });
  });
});

describe('a probe', () => {
  async function serving(listener: RequestListener): Promise<number> {
    const server = createHttpServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as { port: number }).port;
  }

  it('gets the status, follows nothing, and keeps no connection', async () => {
    const asked: (string | undefined)[] = [];
    const port = await serving((request, response) => {
      asked.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).write('and so on');
    });
    expect(await registry.httpGet(port, '/healthz?deep=1', 1_000)).toBe(302);
    expect(asked).toEqual(['/healthz?deep=1']);
    const server = servers.pop() as Server;
    await new Promise((resolve) => server.close(resolve));
    await expect(registry.httpGet(port, '/', 1_000)).rejects.toThrow('nobody listens');
  });

  it('waits no longer than it should', async () => {
    const port = await serving(() => undefined);
    await expect(registry.httpGet(port, '/', 100)).rejects.toThrow('no answer within 0.1 s');
  });
});
