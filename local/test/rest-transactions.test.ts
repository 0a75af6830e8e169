import type { SupabaseClient } from '@supabase/supabase-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keys, startTestGateway, type TestStack } from './gateway-support.js';
import { waitFor } from './postgres-support.js';

let stack: TestStack;
let admin: SupabaseClient;

beforeAll(async () => {
  stack = await startTestGateway({
    sql: `
      create table public.things (
        id int primary key,
        word text default 'by default',
        extra jsonb default '{"by": "default"}',
        other text
      );
      create table public.parts (id int primary key, thing int references public.things, name text);
      grant all on public.things, public.parts to anon, authenticated, service_role;
      create view public.words as select id, word from public.things;
      grant all on public.words to service_role;

      create function public.rename_all(p_word text) returns setof public.things language sql as
        'update public.things set word = p_word where id > 0 returning *';
      create function public.rename_table(p_word text) returns table (id int) language sql as
        'update public.things set word = p_word where id > 0 returning id';
      create function public.rename_ids(p_word text) returns setof int language sql as
        'update public.things set word = p_word where id > 0 returning id';
      create function public.rename_count(p_word text) returns int language sql as
        'with done as (update public.things set word = p_word where id > 0 returning 1) select count(*)::int from done';
      create function public.rename_void(p_word text) returns void language sql as
        'update public.things set word = p_word where id > 0';
      create function public.rename_teapot(p_word text) returns text language plpgsql as $$
      begin
        update public.things set word = p_word where id > 0;
        perform set_config('response.status', '406', true);
        return 'my own status';
      end $$;
      create function public.rename_broken_header(p_word text) returns text language plpgsql as $$
      begin
        update public.things set word = p_word where id > 0;
        perform set_config('response.headers', 'no json', true);
        return 'x';
      end $$;
      create function public.rename_secretly(p_word text) returns int language plpgsql stable as $$
      begin
        return public.rename_count(p_word);
      end $$;
      create function public.silence() returns trigger language plpgsql as 'begin return null; end';
      create table public.silent (id int primary key, word text);
      grant all on public.silent to service_role;
      create trigger silence before insert or update on public.silent for each row execute function public.silence();
      create table public.deferred (
        id int primary key, thing int references public.things deferrable initially deferred
      );
      grant all on public.deferred to service_role;
      create function public.only_friends() returns void language plpgsql as $$
      begin
        if current_setting('request.headers')::jsonb ->> 'x-friend' is null then
          raise sqlstate 'PT403' using message = 'only friends';
        end if;
      end $$;
      grant execute on all functions in schema public to anon, authenticated, service_role;
    `,
  });
  admin = stack.admin();
}, 120_000);
afterAll(() => stack?.stop());

const three = [1, 2, 3].map((id) => ({ id, word: 'old', extra: null, other: null }));

beforeEach(async () => {
  const sql = stack.test.as('postgres');
  await sql`delete from public.deferred`;
  await sql`delete from public.parts`;
  await sql`delete from public.things`;
  await sql`insert into public.things ${sql(three.map(({ id, word }) => ({ id, word, extra: null })))}`;
});

const words = async () => {
  const rows = await stack.test.as('postgres')`select word from public.things order by id`;
  return rows.map(({ word }) => word);
};
const untouched = ['old', 'old', 'old'];

/** A request with the secret key; the body is JSON unless the headers say otherwise. */
const ask = async (method: string, path: string, headers: Record<string, string> = {}, body?: unknown) => {
  const response = await fetch(`${stack.url}/rest/v1/${path}`, {
    method,
    headers: { apikey: keys.secret, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    applied: response.headers.get('preference-applied'),
  };
};

const single = 'application/vnd.pgrst.object+json';
const strict = (n: number) => ({ prefer: `handling=strict, max-affected=${n}` });
const notSingular = (rows: number) => ({
  code: 'PGRST116',
  details: `The result contains ${rows} rows`,
  hint: null,
  message: 'Cannot coerce the result to a single JSON object',
});
const tooMany = (rows: number) => ({
  code: 'PGRST124',
  details: `The query affects ${rows} rows`,
  hint: null,
  message: 'Query result exceeds max-affected preference constraint',
});

describe('a write whose answer is not one object', () => {
  it('is taken back: update and delete of several, or of none', async () => {
    const updated = await admin.from('things').update({ word: 'new' }).gt('id', 1).select().single();
    expect([updated.status, updated.error]).toMatchObject([406, notSingular(2)]);
    const deleted = await admin.from('things').delete().gt('id', 1).select().single();
    expect([deleted.status, deleted.error]).toMatchObject([406, notSingular(2)]);
    const none = await admin.from('things').update({ word: 'new' }).eq('id', 9).select().single();
    expect([none.status, none.error]).toMatchObject([406, notSingular(0)]);
    expect(await words()).toEqual(untouched);
  });

  it('is taken back: inserts and upserts of several', async () => {
    const rows = [
      { id: 3, word: 'new' },
      { id: 4, word: 'new' },
    ];
    const inserted = await admin
      .from('things')
      .insert([{ id: 4 }, { id: 5 }])
      .select()
      .single();
    expect([inserted.status, inserted.error]).toMatchObject([406, notSingular(2)]);
    const merged = await admin.from('things').upsert(rows).select().single();
    expect([merged.status, merged.error]).toMatchObject([406, notSingular(2)]);
    const ignored = await admin.from('things').upsert({ id: 3 }, { ignoreDuplicates: true }).select().single();
    expect([ignored.status, ignored.error]).toMatchObject([406, notSingular(0)]);
    expect(await words()).toEqual(untouched);
  });

  it.each([
    ['minimal', 'return=minimal'],
    ['headers only', 'return=headers-only'],
    ['unsaid', ''],
  ])('is taken back when nothing of it is wanted: %s', async (_name, prefer) => {
    const headers = { accept: single, ...(prefer && { prefer }) };
    expect(await ask('PATCH', 'things?id=gt.1', headers, { word: 'new' })).toMatchObject({ status: 406 });
    expect(await ask('DELETE', 'things?id=gt.1', headers)).toMatchObject({ status: 406, body: notSingular(2) });
    expect(await words()).toEqual(untouched);
  });

  it('is taken back when more is read with it, through a view, and with nulls stripped', async () => {
    const embedded = await admin.from('things').update({ word: 'new' }).gt('id', 1).select('id, parts(name)').single();
    expect([embedded.status, embedded.error?.code]).toEqual([406, 'PGRST116']);
    const removed = await admin.from('things').delete().gt('id', 1).select('id, parts(name)').single();
    expect([removed.status, removed.error?.code]).toEqual([406, 'PGRST116']);
    const viewed = await admin.from('words').update({ word: 'new' }).gt('id', 1).select().single();
    expect([viewed.status, viewed.error?.code]).toEqual([406, 'PGRST116']);
    const headers = { accept: `${single};nulls=stripped`, prefer: 'return=representation' };
    expect(await ask('PATCH', 'things?id=gt.1', headers, { word: 'new' })).toMatchObject({ status: 406 });
    expect(await words()).toEqual(untouched);
  });

  it('is taken back: calls of functions that give back rows', async () => {
    for (const name of ['rename_all', 'rename_table', 'rename_ids']) {
      const answer = await ask('POST', `rpc/${name}`, { accept: single }, { p_word: 'new' });
      expect([name, answer]).toMatchObject([name, { status: 406, body: notSingular(3) }]);
    }
    expect(await words()).toEqual(untouched);
    // What a filter leaves is what counts, and one value is one.
    const one = await ask('POST', 'rpc/rename_all?id=eq.2', { accept: single }, { p_word: 'new' });
    expect(one).toMatchObject({ status: 200, body: { id: 2, word: 'new' } });
    expect(await ask('POST', 'rpc/rename_count', { accept: single }, { p_word: 'newer' })).toMatchObject({
      status: 200,
      body: 3,
    });
    expect(await words()).toEqual(['newer', 'newer', 'newer']);
  });

  it('is known by the type that decides', async () => {
    const several = async (accept: string) => {
      const headers = { accept, prefer: 'return=representation' };
      const { status, body } = await ask('PATCH', 'things?id=gt.1', headers, { word: 'new' });
      return [status, status === 200 ? (body as unknown as unknown[]).length : body?.code];
    };
    for (const accept of [
      'application/vnd.pgrst.object',
      'APPLICATION/vnd.PgRsT.object+json',
      'application/vnd.pgrst.object+json, application/json',
      'application/json;q=0.5, application/vnd.pgrst.object+json',
      'text/html, application/vnd.pgrst.object+json;q=0.9, */*;q=0.1',
    ]) {
      expect([accept, ...(await several(accept))]).toEqual([accept, 406, 'PGRST116']);
    }
    expect(await words()).toEqual(untouched);
    for (const accept of [
      'application/json, application/vnd.pgrst.object+json',
      'application/vnd.pgrst.object+json;q=0.5, */*',
      'application/json, application/vnd.pgrst.object+json;q=0',
    ]) {
      expect([accept, ...(await several(accept))]).toEqual([accept, 200, 2]);
    }
  });

  it('is kept when it is one', async () => {
    const updated = await admin.from('things').update({ word: 'new' }).eq('id', 1).select().single();
    expect([updated.error, updated.data]).toMatchObject([null, { id: 1, word: 'new' }]);
    expect(await ask('PATCH', 'things?id=eq.2', { accept: single }, { word: 'new' })).toMatchObject({ status: 204 });
    const made = await admin.from('things').insert({ id: 4 }).select().single();
    expect(made.data).toMatchObject({ id: 4, word: 'by default' });
    const gone = await admin.from('things').delete().eq('id', 4).select('id').single();
    expect(gone.data).toEqual({ id: 4 });
    expect(await words()).toEqual(['new', 'new', 'old']);
  });
});

describe('a write that is refused at its end', () => {
  it('is taken back when a PUT wrote no row', async () => {
    const headers = { prefer: 'return=representation' };
    const put = await ask('PUT', 'silent?id=eq.1', headers, { id: 1, word: 'x' });
    expect(put).toMatchObject({
      status: 400,
      body: { code: 'PGRST115', message: 'Payload values do not match URL in primary key column(s)' },
    });
    const whole = { id: 4, word: 'new', extra: null, other: null };
    expect(await ask('PUT', 'things?id=eq.4', headers, whole)).toMatchObject({ status: 201, body: [whole] });
  });

  it('is taken back when a deferred rule is broken', async () => {
    const { status, error } = await admin.from('deferred').insert({ id: 1, thing: 99 });
    expect([status, error?.code]).toEqual([409, '23503']);
    expect(await stack.test.as('postgres')`select from public.deferred`).toHaveLength(0);
  });

  it('is kept where a function chose the status, or said something PostgREST cannot read', async () => {
    expect(await ask('POST', 'rpc/rename_teapot', {}, { p_word: 'one' })).toMatchObject({ status: 406 });
    expect(await words()).toEqual(['one', 'one', 'one']);
    const broken = await ask('POST', 'rpc/rename_broken_header', {}, { p_word: 'two' });
    expect(broken).toMatchObject({ status: 500, body: { code: 'PGRST111' } });
    expect(await words()).toEqual(['two', 'two', 'two']);
  });
});

describe('max-affected', () => {
  it('takes back what touches more rows', async () => {
    for (const headers of [strict(2), { prefer: 'return=representation, handling=strict,max-affected=2' }]) {
      expect(await ask('PATCH', 'things?id=gt.0', headers, { word: 'new' })).toMatchObject({
        status: 400,
        body: tooMany(3),
      });
      expect(await ask('DELETE', 'things?id=gt.0', headers)).toMatchObject({ status: 400, body: tooMany(3) });
    }
    for (const name of ['rename_all', 'rename_table', 'rename_ids']) {
      const answer = await ask('POST', `rpc/${name}`, strict(2), { p_word: 'new' });
      expect([name, answer]).toMatchObject([name, { status: 400, body: tooMany(3) }]);
    }
    expect(await words()).toEqual(untouched);
  });

  it('lets through what touches as many, and says so', async () => {
    expect(await ask('PATCH', 'things?id=gt.0', strict(3), { word: 'new' })).toMatchObject({
      status: 204,
      applied: 'handling=strict, max-affected=3',
    });
    expect(await ask('POST', 'rpc/rename_all', strict(3), { p_word: 'newer' })).toMatchObject({
      status: 200,
      applied: 'handling=strict, max-affected=3',
    });
    expect(await ask('DELETE', 'things?id=gt.1', strict(2))).toMatchObject({ status: 204 });
    expect(await words()).toEqual(['newer']);
  });

  it('counts only when handling is strict, and not for inserts', async () => {
    expect(await ask('PATCH', 'things?id=gt.0', { prefer: 'max-affected=1' }, { word: 'new' })).toMatchObject({
      status: 204,
      applied: null,
    });
    const inserted = await ask('POST', 'things', strict(1), [{ id: 4 }, { id: 5 }]);
    expect(inserted).toMatchObject({ status: 201, applied: 'handling=strict' });
    expect(await words()).toHaveLength(5);
  });

  it('is refused for functions that give back one thing', async () => {
    for (const name of ['rename_count', 'rename_void']) {
      const answer = await ask('POST', `rpc/${name}`, strict(9), { p_word: 'new' });
      expect([name, answer]).toMatchObject([
        name,
        {
          status: 400,
          body: {
            code: 'PGRST128',
            details: null,
            hint: null,
            message: 'Function must return SETOF or TABLE when max-affected preference is used with handling=strict',
          },
        },
      ]);
      const lenient = await ask('POST', `rpc/${name}`, { prefer: 'max-affected=0' }, { p_word: 'old' });
      expect([name, lenient.status]).toEqual([name, name === 'rename_void' ? 204 : 200]);
    }
  });
});

describe('preferences', () => {
  it.each([
    ['GET', 'things', undefined],
    ['PATCH', 'things?id=eq.1', { word: 'new' }],
    ['POST', 'things', { id: 4 }],
    ['DELETE', 'things?id=eq.1', undefined],
    ['POST', 'rpc/rename_all', { p_word: 'new' }],
  ])('nobody knows are refused when handling is strict: %s %s', async (method, path, body) => {
    const prefer = 'handling=strict, return=representation, anything, return=everything, count=all';
    expect(await ask(method, path, { prefer }, body)).toMatchObject({
      status: 400,
      body: {
        code: 'PGRST122',
        details: 'Invalid preferences: anything, return=everything, count=all',
        message: 'Invalid preferences given with handling=strict',
      },
    });
    expect(await words()).toEqual(untouched);
    const lenient = await ask(method, path, { prefer: 'handling=lenient, anything' }, body);
    expect([lenient.status < 300, lenient.applied]).toEqual([true, 'handling=lenient']);
  });
});

describe('columns that an object does not have', () => {
  const made = async (ids: number[]) => {
    const rows = await stack.test.as('postgres')`
      select id, word, extra, other from public.things where id = any(${ids}) order by id`;
    return rows.map((row) => ({ ...row }));
  };
  const defaults = { word: 'by default', extra: { by: 'default' }, other: null };

  it('are null, in the table and in the answer', async () => {
    const path = 'things?columns=id,word,extra,other';
    const prefer = { prefer: 'return=representation' };
    const rows = [
      { id: 4, word: 'a' },
      { id: 5, extra: [1], unknown: 'left out' },
    ];
    const expected = [
      { id: 4, word: 'a', extra: null, other: null },
      { id: 5, word: null, extra: [1], other: null },
    ];
    expect(await ask('POST', path, prefer, rows)).toMatchObject({ status: 201, body: expected });
    expect(await made([4, 5])).toEqual(expected);
    const changed = await ask('PATCH', 'things?id=eq.4&columns=word,other', prefer, { other: 'b' });
    expect(changed).toMatchObject({ status: 200, body: [{ id: 4, word: null, other: 'b' }] });
  });

  it('have their default, in the table and in the answer, when it is wished', async () => {
    const path = 'things?columns=id,word,extra,other';
    const prefer = { prefer: 'return=representation, missing=default' };
    const expected = [
      { ...defaults, id: 4, word: 'a' },
      { ...defaults, id: 5, extra: [1] },
      { ...defaults, id: 6, word: null },
    ];
    const many = await ask('POST', path, prefer, [
      { id: 4, word: 'a' },
      { id: 5, extra: [1] },
      { id: 6, word: null },
    ]);
    expect(many).toMatchObject({ status: 201, body: expected, applied: 'missing=default, return=representation' });
    const one = await ask('POST', path, prefer, { id: 7 });
    expect(one).toMatchObject({ status: 201, body: [{ ...defaults, id: 7 }] });
    expect(await made([4, 5, 6, 7])).toEqual([...expected, { ...defaults, id: 7 }]);
  });

  it('have their default when a row is changed, or merged', async () => {
    const prefer = 'return=representation, missing=default';
    const changed = await ask('PATCH', 'things?id=eq.1&columns=word,extra,other', { prefer }, { other: 'b' });
    expect(changed).toMatchObject({ status: 200, body: [{ ...defaults, id: 1, other: 'b' }] });
    const merging = { prefer: `${prefer}, resolution=merge-duplicates` };
    const merged = await ask('POST', 'things?columns=id,word,extra', merging, [{ id: 2, extra: 5 }, { id: 8 }]);
    expect(merged.body).toMatchObject([
      { ...defaults, id: 2, extra: 5 },
      { ...defaults, id: 8 },
    ]);
    expect(merged.applied).toBe('resolution=merge-duplicates, missing=default, return=representation');
    expect(await made([1, 2, 8])).toEqual([
      { ...defaults, id: 1, other: 'b' },
      { ...defaults, id: 2, extra: 5 },
      { ...defaults, id: 8 },
    ]);
  });

  it('stay as they are when no columns are named', async () => {
    const { data } = await admin.from('things').insert({ id: 4 }).select().single();
    expect(data).toEqual({ ...defaults, id: 4 });
    // The official client names the columns of many rows at once, and asks for null or the default.
    const many = await admin
      .from('things')
      .insert([{ id: 5, word: 'a' }, { id: 6 }], { defaultToNull: false })
      .select();
    expect(many.data).toEqual([
      { ...defaults, id: 5, word: 'a' },
      { ...defaults, id: 6 },
    ]);
    const nulls = await admin
      .from('things')
      .insert([{ id: 7, word: 'a' }, { id: 8 }])
      .select('id, word');
    expect(nulls.data).toEqual([
      { id: 7, word: 'a' },
      { id: 8, word: null },
    ]);
    expect(await made([8])).toMatchObject([{ word: null }]);
  });
});

describe('a body', () => {
  const bare = async (method: string, path: string, body: string, headers: Record<string, string> = {}) => {
    // A Buffer, since fetch gives a text the type text/plain.
    const response = await fetch(`${stack.url}/rest/v1/${path}`, {
      method,
      headers: { apikey: keys.secret, ...headers },
      body: Buffer.from(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };

  it('without a type is JSON', async () => {
    expect(await bare('POST', 'things', '{"id": 4}')).toMatchObject({ status: 201 });
    expect(await bare('PATCH', 'things?id=eq.4', '{"word": "new"}')).toMatchObject({ status: 204 });
    expect(await bare('PUT', 'things?id=eq.5', '{"id": 5}')).toMatchObject({ status: 204 });
    expect(await bare('POST', 'rpc/rename_count', '{"p_word": "newer"}')).toMatchObject({ status: 200, body: 5 });
    expect(await words()).toHaveLength(5);
    expect(await bare('POST', 'things', 'no json')).toMatchObject({ status: 400, body: { code: 'PGRST102' } });
    expect(await bare('POST', 'things', '')).toMatchObject({ status: 400, body: { code: 'PGRST102' } });
  });

  it('of a type that no table takes is refused', async () => {
    const answer = await bare('POST', 'things', '<id>4</id>', { 'content-type': 'text/xml' });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'PGRST102', message: 'Content-Type not acceptable: text/xml' },
    });
    expect(await words()).toEqual(untouched);
  });
});

describe('a function that says it changes nothing', () => {
  it('is held to it by POST too, whatever function it calls', async () => {
    const answer = await ask('POST', 'rpc/rename_secretly', {}, { p_word: 'new' });
    expect(answer).toMatchObject({ status: 405, body: { code: '25006' } });
    expect(await words()).toEqual(untouched);
  });
});

describe('settings of authenticator', () => {
  const set = async (settings: string) => {
    const sql = stack.test.as('postgres');
    await sql.unsafe(settings);
    await sql`notify pgrst, 'reload config'`;
  };
  const reset = ['db_max_rows', 'db_aggregates_enabled', 'db_tx_end', 'db_pre_request', 'db_schemas', 'jwt_aud'];

  afterEach(async () => {
    await set(reset.map((name) => `alter role authenticator reset pgrst.${name}`).join(';'));
    await waitFor('the settings of before', async () => {
      const { body, status } = await ask('GET', 'things?select=id');
      return status === 200 && (body as unknown as unknown[]).length === 3;
    });
  });

  it('limit how many rows are answered, once PostgREST is told', async () => {
    await stack.test.as('postgres').unsafe("alter role authenticator set pgrst.db_max_rows = '2'");
    await stack.test.as('postgres')`notify pgrst, 'reload schema'`;
    await stack.test.as('postgres')`select pg_sleep(0.2)`;
    expect((await admin.from('things').select()).data).toHaveLength(3);
    await set("alter role authenticator set pgrst.db_max_rows = '2'");
    await waitFor('the limit', async () => (await admin.from('things').select()).data?.length === 2);
    expect((await admin.from('things').update({ word: 'new' }).gt('id', 0).select()).data).toHaveLength(3);
    expect((await admin.rpc('rename_all', { p_word: 'x' })).data).toHaveLength(2);
    await set("alter role authenticator in database postgres set pgrst.db_max_rows = '1'");
    await waitFor('the limit', async () => (await admin.from('things').select()).data?.length === 1);
    await stack.test.as('postgres').unsafe('alter role authenticator in database postgres reset pgrst.db_max_rows');
  });

  it('open aggregates', async () => {
    expect(await ask('GET', 'things?select=count()')).toMatchObject({ status: 400, body: { code: 'PGRST123' } });
    await set("alter role authenticator set pgrst.db_aggregates_enabled = 'true'");
    const counted = await waitFor('aggregates', async () => {
      const answer = await ask('GET', 'things?select=count()');
      return answer.status === 200 && answer;
    });
    expect(counted.body).toEqual([{ count: 3 }]);
  });

  it('end transactions with a rollback where that is allowed and wished', async () => {
    const wished = { prefer: 'tx=rollback, return=representation' };
    expect(await ask('PATCH', 'things?id=eq.1', wished, { word: 'kept' })).toMatchObject({
      status: 200,
      applied: 'return=representation',
    });
    expect(await words()).toEqual(['kept', 'old', 'old']);

    await set("alter role authenticator set pgrst.db_tx_end = 'commit-allow-override'");
    const undone = await waitFor('the override', async () => {
      const answer = await ask('PATCH', 'things?id=eq.1', wished, { word: 'gone' });
      return answer.applied === 'return=representation, tx=rollback' && answer;
    });
    expect(undone).toMatchObject({ status: 200, body: [{ id: 1, word: 'gone' }] });
    await ask('PATCH', 'things?id=eq.2', {}, { word: 'kept' });
    const called = await ask('POST', 'rpc/rename_all', { prefer: 'tx=rollback' }, { p_word: 'gone' });
    expect(called).toMatchObject({ status: 200, applied: 'tx=rollback' });
    expect((await words()).slice(1)).toEqual(['kept', 'old']);
    const broken = await ask('POST', 'deferred', { prefer: 'tx=rollback' }, { id: 1, thing: 99 });
    expect(broken).toMatchObject({ status: 409, body: { code: '23503' } });

    await set("alter role authenticator set pgrst.db_tx_end = 'rollback-allow-override'");
    await waitFor('rollback without being asked', async () => {
      await ask('PATCH', 'things?id=eq.3', {}, { word: 'gone' });
      const isGone = (await words())[2] === 'gone';
      if (isGone) await ask('PATCH', 'things?id=eq.3', { prefer: 'tx=commit' }, { word: 'old' });
      return !isGone;
    });
    await ask('PATCH', 'things?id=eq.3', { prefer: 'tx=commit' }, { word: 'kept' });
    expect((await words())[2]).toBe('kept');
  });

  it('run a function before each request', async () => {
    await set("alter role authenticator set pgrst.db_pre_request = 'public.only_friends'");
    await waitFor('the function', async () => (await ask('GET', 'things')).status === 403);
    expect(await ask('GET', 'things', { 'x-friend': 'yes' })).toMatchObject({ status: 200 });
    expect(await ask('POST', 'things', {}, { id: 4 })).toMatchObject({
      status: 403,
      body: { message: 'only friends' },
    });
  });

  it('choose the schemas', async () => {
    await set("alter role authenticator set pgrst.db_schemas = 'graphql_public, public'");
    const other = await waitFor('the schemas', async () => {
      const answer = await ask('GET', 'things');
      return answer.status === 404 && answer;
    });
    expect(other.body).toMatchObject({ code: 'PGRST205' });
    expect(await ask('GET', 'things', { 'accept-profile': 'public' })).toMatchObject({ status: 200 });
    expect(await ask('GET', 'things', { 'accept-profile': 'stark' })).toMatchObject({
      status: 406,
      body: { code: 'PGRST106' },
    });
  });

  it('that make no sense leave everything as it is', async () => {
    await set("alter role authenticator set pgrst.db_max_rows = '1'");
    await waitFor('the limit', async () => (await admin.from('things').select()).data?.length === 1);
    await set(
      "alter role authenticator set pgrst.db_tx_end = 'sometimes', pgrst.db_max_rows = '3'".split(',')[0] ?? '',
    );
    await waitFor('the log', async () =>
      stack.lines.find((line) => String(line.message).includes('could not be read')),
    );
    expect((await admin.from('things').select()).data).toHaveLength(1);
  });

  it('that are not obeyed here are named in the log', async () => {
    await set("alter role authenticator set pgrst.jwt_aud = 'somebody'");
    const line = await waitFor('the log', async () => stack.lines.find((one) => one.setting === 'pgrst.jwt_aud'));
    expect(line.message).toContain('not obeyed');
  });
});
