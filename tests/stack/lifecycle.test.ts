import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStackState, type StepEvent, stopStack } from '@stark-o/local';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientOf, orThrow } from '../harness/client.js';
import { prepareData } from '../harness/prepared-data.js';
import { descendants, waitForEnd } from '../harness/processes.js';
import { root, startTestStack, type TestStack } from '../harness/stack.js';
import { waitFor } from '../harness/wait.js';

let test: TestStack;
beforeAll(async () => {
  test = await startTestStack();
});
afterAll(() => test?.stop());

const admin = () => clientOf(test.stack.url, test.stack.keys.secret);

describe('a started stack', () => {
  it('has every service healthy', async () => {
    const { services, state } = await test.stack.status();
    expect(state).toBe('ready');
    expect(Object.keys(services)).toEqual(['postgres', 'rest', 'auth', 'storage', 'realtime', 'functions']);
    for (const [name, service] of Object.entries(services)) expect(service, name).toMatchObject({ healthy: true });
  });

  it('answers /health to everybody', async () => {
    const response = await fetch(`${test.stack.url}/health`);
    expect(response.status).toBe(200);
    expect(await response.text()).not.toContain(test.stack.keys.secret);
  });

  it('has its migrations from the official CLI, as a role that is no superuser', async () => {
    const sql = postgres(test.stack.dbUrl, { max: 1 });
    const applied = await sql`select version from supabase_migrations.schema_migrations`;
    const [who] = await sql`select current_user as name, rolsuper from pg_roles where rolname = current_user`;
    await sql.end();
    expect(applied.length).toBeGreaterThan(0);
    expect(who).toEqual({ name: 'postgres', rolsuper: false });
  });

  it('shares its address and key with SQL through Vault', async () => {
    const sql = postgres(test.stack.dbUrl, { max: 1 });
    const secrets = await sql`select name, decrypted_secret as value from vault.decrypted_secrets order by name`;
    await sql.end();
    expect(Object.fromEntries(secrets.map(({ name, value }) => [name, value]))).toMatchObject({
      project_url: test.stack.url,
      secret_key: test.stack.keys.secret,
    });
  });

  it('runs beside another one', async () => {
    const other = await startTestStack({ dataDir: join(test.folder, 'other') });
    try {
      expect(other.stack.url).not.toBe(test.stack.url);
      expect(other.stack.keys.secret).not.toBe(test.stack.keys.secret);
      const stranger = clientOf(test.stack.url, other.stack.keys.secret);
      expect((await stranger.auth.admin.listUsers()).error).not.toBeNull();
      expect((await admin().auth.admin.listUsers()).error).toBeNull();
    } finally {
      await other.stop();
    }
  }, 120_000);

  it('refuses to share its data directory', async () => {
    await expect(startTestStack({ dataDir: test.stack.dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    expect((await test.stack.status()).services.postgres).toMatchObject({ healthy: true });
  });
});

describe('when a part is killed', () => {
  it('Postgres comes back with its data, and REST, Auth and Realtime with it', async () => {
    const { user } = orThrow(
      await admin().auth.admin.createUser({
        email: 'survivor@example.com',
        password: 'correct horse',
        email_confirm: true,
      }),
    );
    const [postmaster] = descendants(process.pid).filter(({ command }) => command.includes(test.stack.dataDir));
    process.kill(postmaster?.pid ?? 0, 'SIGKILL');
    await waitFor('the user to be read again', async () => {
      const { data: found } = await admin().auth.admin.getUserById(user?.id ?? '');
      return found.user?.email === 'survivor@example.com';
    });
    const client = admin();
    const heard = new Promise((resolve) => {
      const channel = client.channel('after-the-crash', { config: { private: true } });
      channel.on('broadcast', { event: 'hello' }, (message) => resolve(message.payload.text));
      channel.subscribe();
    });
    const sql = postgres(test.stack.dbUrl, { max: 1 });
    const text = await waitFor('a broadcast from the database', async () => {
      await sql`select realtime.send('{"text":"again"}', 'hello', 'after-the-crash', true)`;
      return Promise.race([heard, new Promise((resolve) => setTimeout(resolve, 250))]);
    });
    await sql.end();
    await client.removeAllChannels();
    expect(text).toBe('again');
  });

  it('a killed Edge Function is back at the next request', async () => {
    const call = () =>
      fetch(`${test.stack.url}/functions/v1/api/auth/setup`, { headers: { apikey: test.stack.keys.publishable } });
    expect((await call()).status).toBe(200);
    const workers = descendants(process.pid).filter(({ command }) => /deno/.test(command) && command.includes('run'));
    expect(workers.length).toBeGreaterThan(0);
    for (const { pid } of workers) process.kill(pid, 'SIGKILL');
    await waitForEnd(workers);
    expect((await call()).status).toBe(200);
    expect((await test.stack.status()).services).toMatchObject({
      postgres: { healthy: true },
      rest: { healthy: true },
    });
  });
});

describe('a stopped stack', () => {
  it('leaves no process, and starts again with all its data', async () => {
    const before = await startTestStack();
    const secret = before.stack.keys.secret;
    const client = clientOf(before.stack.url, secret);
    await client.storage.createBucket('kept', { public: false });
    await client.storage.from('kept').upload('a.txt', new Blob(['hello']));
    const mine = descendants(process.pid).filter(({ command }) => command.includes(before.folder));
    expect(mine.length).toBeGreaterThan(0);
    await before.stack.stop();
    await waitForEnd(mine);

    const again = await startTestStack({ dataDir: before.stack.dataDir });
    try {
      expect(again.stack.keys.secret).toBe(secret);
      const reader = clientOf(again.stack.url, secret);
      const { data } = await reader.storage.from('kept').download('a.txt');
      expect(await data?.text()).toBe('hello');
    } finally {
      await again.stop();
      await before.stop();
    }
  });
});

describe('a stack that is told to stop while it starts', () => {
  it.each(['postgres', 'platform', 'migrations', 'gateway'])('in step %s, ends and leaves no process', async (step) => {
    const folder = await mkdtemp(join(tmpdir(), 'stark-stop-'));
    const dataDir = join(folder, 'data');
    if (step === 'gateway') await prepareData(dataDir, root);
    let stopped: Promise<boolean> | undefined;
    const onStep = (event: StepEvent) => {
      if (event.step === step && event.state === 'running') stopped = stopStack(dataDir);
    };
    try {
      const outcome = await startTestStack({ dataDir, onStep }).catch((error: unknown) => error);
      expect(await stopped).toBe(true);
      // In the last step there is nothing left to refuse: the stack comes up and goes.
      if (step !== 'gateway') expect(outcome).toMatchObject({ code: 'START_STOPPED' });
      await waitForEnd(descendants(process.pid).filter(({ command }) => command.includes(folder)));
      expect(await readStackState(dataDir)).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
