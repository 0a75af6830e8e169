import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sql, TransactionSql } from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NetWorker } from '../src/extensions/net-worker.js';
import { log, startTestCluster, type TestCluster, waitFor } from './postgres-support.js';

let test: TestCluster;
let owner: Sql;
let admin: Sql;
let server: Server;
let base: string;
let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];

interface Answer {
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

async function answerTo(id: string): Promise<Answer> {
  return waitFor(`the answer to request ${id}`, async () => {
    const [row] = await admin<Answer[]>`select * from net._http_response where id = ${id}`;
    return row;
  });
}

async function request(sql: Sql | TransactionSql, call: string): Promise<string> {
  const [row] = await sql.unsafe<{ id: string }[]>(`select net.${call.replaceAll('BASE', base)}::text as id`);
  return row?.id ?? '';
}

beforeAll(async () => {
  server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://localhost');
    seen.push({
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body: await text(incoming),
    });
    if (pathname === '/slow') await delay(700);
    if (pathname === '/silent') return;
    if (pathname === '/cut') return void incoming.socket.destroy();
    if (pathname === '/moved') return void outgoing.writeHead(302, { location: '/there' }).end();
    outgoing.writeHead(pathname === '/bad' ? 500 : 200, { 'content-type': 'application/json', 'x-made-by': 'test' });
    outgoing.end(pathname === '/empty' ? '' : JSON.stringify({ path: pathname }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  test = await startTestCluster();
  owner = test.as('postgres');
  admin = test.as('supabase_admin');
  await owner.unsafe('create extension pg_net with schema extensions');
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await test.stop();
});

beforeEach(() => {
  seen = [];
});

afterEach(() => admin`truncate net.http_request_queue, net._http_response`);

describe('the functions', () => {
  it.each([
    ["'http://localhost'", '{}', 'http://localhost/'],
    ["'http://localhost:80/a?b=c#d'", '{e=f}', 'http://localhost:80/a?b=c&e=f#d'],
    ["'https://localhost?a=b'", '{}', 'https://localhost/?a=b'],
  ])('put parameters where they belong in %s', async (url, params, result) => {
    const rows = await owner.unsafe(`select net._encode_url_with_params_array(${url}, '${params}') as url`);
    expect(rows).toEqual([{ url: result }]);
  });

  it.each([
    ["'http://localhost/?'", '{a=b}', 'http://localhost/?a=b'],
    ["'http://localhost?a=b&'", '{c=d,e=f}', 'http://localhost/?a=b&c=d&e=f'],
    ["'http:/localhost'", '{}', 'http://localhost/'],
    ["'https://me:secret@[::1]:8443/x'", '{}', 'https://me:secret@[::1]:8443/x'],
    ["'http://localhost:/x'", '{}', 'http://localhost:/x'],
    ['null', '{}', null],
    ["'http://x'", null, null],
  ])('take %s with %s apart', async (url, params, result) => {
    const array = params === null ? 'null' : `'${params}'`;
    const rows = await owner.unsafe(`select net._encode_url_with_params_array(${url}, ${array}) as url`);
    expect(rows).toEqual([{ url: result }]);
  });

  it.each([
    ['', 'Malformed input to a URL function'],
    ['http://a b/', 'Malformed input to a URL function'],
    ['http://x/\n', 'Malformed input to a URL function'],
    [' http://x', 'Malformed input to a URL function'],
    ['/relative', 'Bad scheme'],
    ['localhost', 'Bad scheme'],
    ['127.0.0.1:54321/functions', 'Bad scheme'],
    ['//x/y', 'Bad scheme'],
    ['localhost:6666', 'Unsupported URL scheme'],
    ['javascript:alert(1)', 'Unsupported URL scheme'],
    ['http:x', 'Unsupported number of slashes following scheme'],
    ['http:////x', 'Unsupported number of slashes following scheme'],
    ['http://', 'No host part in the URL'],
    ['http://?a=b', 'No host part in the URL'],
    ['http://:80/', 'No host part in the URL'],
    ['http://x:port/', 'Port number was not a decimal number between 0 and 65535'],
    ['http://x:65536', 'Port number was not a decimal number between 0 and 65535'],
    ['http://x:8 0', 'Malformed input to a URL function'],
    ['http://[::1', 'Bad IPv6 address'],
    ['http://[::1]x/', 'Port number was not a decimal number between 0 and 65535'],
    ['http://a{b}/', 'Bad hostname'],
    ['http://a,b/', 'Bad hostname'],
    ['file://host/etc', 'Bad file:// URL'],
  ])('refuse %j in the call', async (url, why) => {
    const calls = [
      owner`select net.http_get(${url})`,
      owner`select net.http_post(${url}, '{}')`,
      owner`select net.http_delete(${url}, '{"a": "b"}')`,
    ];
    for (const call of await Promise.allSettled(calls)) {
      const { reason } = call as PromiseRejectedResult;
      expect([reason?.code, reason?.message]).toEqual(['XX000', `invalid URL "${url}": ${why}`]);
    }
    expect(await admin`select from net.http_request_queue`).toHaveLength(0);
  });

  it('refuse no URL at all as the table does', async () => {
    for (const name of ['http_get', 'http_post', 'http_delete']) {
      await expect(owner.unsafe(`select net.${name}(null)`)).rejects.toMatchObject({
        code: '23502',
        column_name: 'url',
      });
    }
  });

  it('encode what is not unreserved', async () => {
    expect(await owner`select net._urlencode_string('aZ0-._~ /ä&') as text`).toEqual([
      { text: 'aZ0-._~%20%2F%C3%A4%26' },
    ]);
  });

  it('take only JSON, and say so themselves when the caller does not', async () => {
    await expect(owner`select net.http_post('http://x', headers => '{"content-type": "text/plain"}')`).rejects.toThrow(
      'Content-Type header must be "application/json"',
    );
    await owner`select net.http_post('http://x', headers => '{"a": "b"}')`;
    expect(await admin`select headers, timeout_milliseconds from net.http_request_queue`).toEqual([
      { headers: { a: 'b', 'Content-Type': 'application/json' }, timeout_milliseconds: 5000 },
    ]);
  });

  it('may be used by every API role', async () => {
    for (const role of ['anon', 'authenticated', 'service_role']) {
      await owner.begin(async (sql) => {
        await sql.unsafe(`set local role ${role}`);
        await sql`select net.http_get('http://x')`;
      });
    }
    expect(await admin`select method from net.http_request_queue`).toHaveLength(3);
  });

  it('know whether the worker is up', async () => {
    await expect(owner`select net.check_worker_is_up()`).rejects.toThrow('the pg_net background worker is not up');
  });
});

describe('the worker', () => {
  let worker: NetWorker;

  beforeEach(async () => {
    worker = new NetWorker({ databaseUrl: test.cluster.url('postgres'), log });
    await worker.start();
  });

  afterEach(() => worker.stop());

  it('is known to be up', async () => {
    await owner`select net.wait_until_running()`;
    await owner`select net.check_worker_is_up()`;
    expect(await owner`select net.worker_restart() as done`).toEqual([{ done: true }]);
  });

  it('posts the body and stores the answer', async () => {
    const id = await request(
      owner,
      `http_post('BASE/hook?x=1', '{"a": [1, "ä"]}', '{"p": "q r"}', '{"Authorization": "Bearer t"}')`,
    );
    expect(await answerTo(id)).toMatchObject({
      status_code: 200,
      content_type: 'application/json',
      headers: { 'x-made-by': 'test', 'content-type': 'application/json' },
      content: '{"path":"/hook"}',
      timed_out: false,
      error_msg: null,
    });
    const [got] = seen;
    expect(got).toMatchObject({ method: 'POST', url: '/hook?x=1&p=q%20r' });
    expect(JSON.parse(got?.body ?? '')).toEqual({ a: [1, 'ä'] });
    expect(got?.headers).toMatchObject({
      authorization: 'Bearer t',
      'content-type': 'application/json',
      'user-agent': 'pg_net/0.20.4',
    });
    expect(await admin`select from net.http_request_queue`).toHaveLength(0);
  });

  it('gets, deletes, follows redirects, and keeps answers that are no success', async () => {
    expect(await answerTo(await request(owner, "http_get('BASE/bad')"))).toMatchObject({
      status_code: 500,
      error_msg: null,
    });
    expect(await answerTo(await request(owner, `http_delete('BASE/it', body => '{"why": 1}')`))).toMatchObject({
      status_code: 200,
    });
    expect(await answerTo(await request(owner, "http_get('BASE/moved')"))).toMatchObject({
      content: '{"path":"/there"}',
    });
    expect(await answerTo(await request(owner, "http_get('BASE/empty')"))).toMatchObject({ content: null });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /bad',
      'DELETE /it',
      'GET /moved',
      'GET /there',
      'GET /empty',
    ]);
    expect(seen[1]?.body).toBe('{"why": 1}');
  });

  it('sends nothing for a rolled back transaction, and nothing before the commit', async () => {
    await owner
      .begin(async (sql) => {
        await request(sql, "http_get('BASE/undone')");
        throw new Error('undo');
      })
      .catch(() => {});
    const id = await owner.begin(async (sql) => {
      const made = await request(sql, "http_get('BASE/done')");
      // Another request goes through meanwhile, so the worker had its chance.
      await answerTo(await request(admin, "http_get('BASE/other')"));
      expect(seen.map(({ url }) => url)).toEqual(['/other']);
      return made;
    });
    await answerTo(id);
    expect(seen.map(({ url }) => url)).toEqual(['/other', '/done']);
  });

  it('gives up after the timeout, which others of the batch wait for', async () => {
    const [row] = await owner.unsafe<{ slow: string; quick: string }[]>(`
      select net.http_get('${base}/silent', timeout_milliseconds => 300)::text as slow, net.http_get('${base}/')::text as quick
    `);
    const started = performance.now();
    expect(await answerTo(row?.quick ?? '')).toMatchObject({ status_code: 200 });
    expect(performance.now() - started).toBeGreaterThan(200);
    const slow = await answerTo(row?.slow ?? '');
    expect(slow).toMatchObject({ status_code: null, timed_out: true });
    expect(slow.error_msg).toMatch(/^Timeout of 300 ms reached\. Total time: 3\d\d\.\d+ ms/);
  });

  it.each([
    ['http://nowhere.invalid/', "Couldn't resolve host name"],
    ['ftp://127.0.0.1/', 'Unsupported protocol'],
  ])('says what is wrong with %s', async (url, message) => {
    const answer = await answerTo(await request(owner, `http_get('${url}')`));
    expect(answer).toMatchObject({ status_code: null, timed_out: false, error_msg: message });
  });

  it('says what is wrong with what somebody put into the queue by hand', async () => {
    const [row] = await owner`
      insert into net.http_request_queue (method, url, timeout_milliseconds) values ('get', 'no address', 1000)
      returning id::text`;
    await owner`notify pg_net`;
    expect((await answerTo(row?.id)).error_msg).toBe('URL using bad/illegal format or missing URL');
  });

  it('works as postgres: a trigger on its tables is no way to become superuser', async () => {
    await owner.unsafe(`
      create table public.who (name text, is_superuser boolean);
      create function public.note_who() returns trigger language plpgsql as $$
      begin
        insert into public.who select rolname, rolsuper from pg_roles where rolname = current_user;
        return null;
      end $$;
      create trigger note_who after insert on net._http_response for each row execute function public.note_who();`);
    await answerTo(await request(owner, "http_get('BASE/x')"));
    expect(await owner`select distinct name, is_superuser from public.who`).toEqual([
      { name: 'postgres', is_superuser: false },
    ]);
    await admin.unsafe('drop trigger note_who on net._http_response; drop table public.who');
  });

  it('says when nobody listens', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as { port: number };
    await new Promise((resolve) => closed.close(resolve));
    const answer = await answerTo(await request(owner, `http_get('http://127.0.0.1:${port}/')`));
    expect(answer).toMatchObject({ status_code: null, timed_out: false, error_msg: "Couldn't connect to server" });
  });

  it('says when the other side hung up', async () => {
    const answer = await answerTo(await request(owner, "http_get('BASE/cut')"));
    expect(answer.error_msg).toBe('Server returned nothing (no headers, no data)');
  });

  it('takes more than a batch, all of it once', async () => {
    await owner.unsafe(`select net.http_get('${base}/n?' || n) from generate_series(1, 250) n`);
    await waitFor('250 answers', async () => {
      const [row] = await admin<{ n: number }[]>`select count(*)::integer as n from net._http_response`;
      return row?.n === 250;
    });
    expect(new Set(seen.map(({ url }) => url)).size).toBe(250);
    expect(seen).toHaveLength(250);
  });

  it('forgets answers after six hours', async () => {
    await admin`insert into net._http_response (id, created) values (-1, now() - interval '6 hours 1 minute'), (-2, now() - interval '5 hours')`;
    await answerTo(await request(owner, "http_get('BASE/')"));
    expect(await admin`select id from net._http_response where id < 0`).toEqual([{ id: '-2' }]);
  });

  it('leaves what it was sending in the queue when it stops', async () => {
    const id = await request(owner, "http_get('BASE/silent', timeout_milliseconds => 20000)");
    await waitFor('the request', async () => seen.length === 1);
    await worker.stop();
    expect(await admin`select id::text from net.http_request_queue`).toEqual([{ id }]);
    await admin`update net.http_request_queue set url = ${`${base}/again`}`;
    await worker.start();
    expect(await answerTo(id)).toMatchObject({ content: '{"path":"/again"}' });
  });

  it('comes back after the server did', async () => {
    await test.cluster.stop();
    await test.cluster.start();
    await waitFor('the worker to be back', async () => {
      const rows = await admin`select from pg_stat_activity where application_name = 'pg_net 0.20.4'`.catch(() => []);
      return rows.length === 1;
    });
    expect(await answerTo(await request(owner, "http_get('BASE/')"))).toMatchObject({ status_code: 200 });
  });

  it('outlives a server that is killed while it waits for answers', async () => {
    const uncaught: unknown[] = [];
    const collect = (error: unknown) => void uncaught.push(error);
    process.on('uncaughtException', collect);
    try {
      for (let round = 1; round <= 3; round += 1) {
        seen = [];
        await request(owner, "http_get('BASE/slow')");
        await waitFor('the request', async () => seen.length === 1);
        const postmaster = await readFile(path.join(test.cluster.dataDir, 'postmaster.pid'), 'utf8');
        const ended = new Promise<void>((resolve) => test.cluster.onUnexpectedExit(() => resolve()));
        process.kill(Number(postmaster.split('\n')[0]), 'SIGKILL');
        await ended;
        // The answer comes while there is no server to store it on.
        await delay(900);
        await test.cluster.start();
        // Unlogged tables are empty after a crash, as with the real one.
        await waitFor('an answer', async () => answerTo(await request(owner, "http_get('BASE/')")));
      }
    } finally {
      process.off('uncaughtException', collect);
    }
    expect(uncaught).toEqual([]);
  }, 60_000);

  it('has nothing to do while the extension is not there, and notices when it is', async () => {
    await owner.unsafe('drop extension pg_net');
    await owner.unsafe('create extension pg_net');
    expect(await answerTo(await request(owner, "http_get('BASE/')"))).toMatchObject({ status_code: 200 });
  });
});
