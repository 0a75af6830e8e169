import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, it } from 'vitest';
import beta from '../../examples/beta/src/index.js';
import { latency } from '../../examples/beta/src/monitor.js';
import { waitFor } from '../harness/wait.js';
import { freePort, type RunningPack, runPack } from './pack-harness.js';

let pack: RunningPack | undefined;
let target: Server;
let targetUrl: string;
let answerStatus: number | 'never';

beforeEach(async () => {
  pack = undefined;
  answerStatus = 200;
  target = createServer((_, response) => {
    if (answerStatus !== 'never') response.writeHead(answerStatus).end('hello');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => target.once('listening', resolve));
  targetUrl = `http://127.0.0.1:${(target.address() as { port: number }).port}/`;
});

afterEach(async () => {
  await pack?.stop();
  target.closeAllConnections();
  await new Promise((resolve) => target.close(resolve));
});

async function start(config: Parameters<typeof beta>[0]['config']): Promise<RunningPack> {
  pack = await runPack(beta, { everyMs: 20, ...config });
  await pack.ready;
  return pack;
}

const firstTarget = async () => (await (await fetch(`${pack?.url}/api/targets`)).json()).targets[0];

it('watches its own page when it is told nothing', async () => {
  await start({});
  expect(await (await fetch(`${pack?.url}/`)).text()).toContain('api/targets');
  expect(await waitFor('the first check', async () => (await firstTarget()).up)).toBe(true);
});

it('sees a target go down and come back, and logs each change once', async () => {
  const running = await start({ targets: [{ name: 'shop', url: targetUrl }], history: 5 });
  const up = await waitFor('ten checks', async () => {
    const state = await firstTarget();
    return state.checks >= 10 && state;
  });
  expect(up).toMatchObject({ name: 'shop', up: true, failures: 0, latency: { p50: expect.any(Number) } });
  expect(up.history).toHaveLength(5);
  answerStatus = 503;
  const down = await waitFor('the target to be down', async () => {
    const state = await firstTarget();
    return state.up === false && state;
  });
  expect(down.history.at(-1).error).toBe('HTTP 503');
  answerStatus = 200;
  await waitFor('the target to be up again', async () => (await firstTarget()).up);
  expect(running.logs.filter((line) => line.startsWith('shop'))).toEqual([
    'shop is up',
    'shop is down: HTTP 503',
    'shop is up',
  ]);
});

it('calls a target down that is silent or closed', async () => {
  answerStatus = 'never';
  const closed = `http://127.0.0.1:${await freePort()}/`;
  const running = await start({ targets: [{ name: 'silent', url: targetUrl }, closed], timeoutMs: 50 });
  await waitFor('both to be down', () => running.logs.length >= 3);
  expect(running.logs).toContain('silent is down: no answer within 50 ms');
  expect(running.logs).toContain(`${new URL(closed).host} is down: ECONNREFUSED`);
});

it('fails at once on what is no URL', async () => {
  const failing = await runPack(beta, { targets: ['shop'] });
  await expect(failing.ready).rejects.toThrow('config.targets[0]: "shop" is not an http or https URL');
});

it('reads latencies off successful checks only', () => {
  const checks = [30, 10, 20].map((ms) => ({ at: '', ms, ok: true }));
  expect(latency([...checks, { at: '', ms: 9999, ok: false }])).toEqual({ p50: 20, p95: 30 });
  expect(latency([])).toBeUndefined();
});
