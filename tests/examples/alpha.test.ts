import { afterEach, beforeEach, expect, it } from 'vitest';
import alpha from '../../examples/alpha/src/index.js';
import { waitFor } from '../harness/wait.js';
import { memoryStorage, type RunningPack, runPack } from './pack-harness.js';

let running: RunningPack[] = [];

beforeEach(() => {
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((pack) => pack.stop()));
});

async function start(config: Parameters<typeof alpha>[0]['config'], storage = memoryStorage()): Promise<RunningPack> {
  const pack = await runPack(alpha, config, storage);
  running.push(pack);
  await pack.ready;
  return pack;
}

const state = async (pack: RunningPack) => (await fetch(`${pack.url}/api/state`)).json();
const add = (pack: RunningPack, body: string) => fetch(`${pack.url}/api/jobs`, { method: 'POST', body });

it('serves its page and works on what the clock adds', async () => {
  const pack = await start({ title: 'My queue', everyMs: 20, zeros: 1 });
  const page = await fetch(pack.url);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(await page.text()).toContain('api/state');
  const after = await waitFor('three finished jobs', async () => {
    const now = await state(pack);
    return now.finished >= 3 && now;
  });
  expect(after).toMatchObject({
    title: 'My queue',
    pod: 'pack-abcde',
    node: 'test-node',
    pack: 'pack@1.0.0',
    starts: 1,
  });
  expect(after.recent[0].hash).toMatch(/^0/);
  expect(pack.logs.some((line) => /^job 1 done in/.test(line))).toBe(true);
});

it('takes jobs over HTTP and refuses what is none', async () => {
  const pack = await start({ everyMs: 0, zeros: 1 });
  expect(await (await add(pack, '{"text":" hello "}')).json()).toMatchObject({ id: 1, text: 'hello' });
  await waitFor('the job to be finished', async () => (await state(pack)).recent[0]?.text === 'hello');
  for (const body of ['', '{}', '{"text":""}', `{"text":"${'x'.repeat(201)}"}`])
    expect((await add(pack, body)).status).toBe(400);
  expect((await add(pack, `{"text":"${'x'.repeat(5000)}"}`)).status).toBe(413);
  expect((await fetch(`${pack.url}/nope`)).status).toBe(404);
});

it('does unfinished jobs again after a restart', async () => {
  const storage = memoryStorage();
  // No machine finds sixteen zeros: the first run ends in the middle of the job.
  const first = await start({ everyMs: 0, zeros: 16 }, storage);
  await add(first, '{"text":"a"}');
  expect(first.metrics).toEqual({ waiting: 1 });
  await add(first, '{"text":"b"}');
  await waitFor('the worker to have begun', async () => (await state(first)).current?.text === 'a');
  await first.stop();
  const second = await start({ everyMs: 0, zeros: 1 }, storage);
  const after = await waitFor('both jobs to be finished', async () => {
    const now = await state(second);
    return now.finished === 2 && now;
  });
  expect(after).toMatchObject({ starts: 2, waiting: 0 });
  expect(after.recent.map(({ text }: { text: string }) => text)).toEqual(['b', 'a']);
});

it('frees its port at the end', async () => {
  const pack = await start({ everyMs: 0 });
  await pack.stop();
  await expect(fetch(pack.url)).rejects.toThrow();
});
