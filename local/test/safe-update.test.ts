import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keys, startTestGateway, type TestStack } from './gateway-support.js';

// What hosted projects answer is in PostgREST's own test/spec/Feature/Query/PgSafeUpdateSpec.hs.
let stack: TestStack;
beforeAll(async () => {
  stack = await startTestGateway({
    sql: `
      create table public.items (id int primary key, word text, body jsonb);
      create table public.parts (item int references public.items, part int, word text, primary key (item, part));
      create table public.keyless (word text);
      create view public.words as select id, word from public.items;
      insert into public.items values (1, 'one'), (2, 'two'), (3, 'three');
      insert into public.parts values (1, 1, 'a');
      insert into public.keyless values ('alone');
      grant all on public.items, public.parts, public.keyless, public.words to anon, authenticated, service_role;
      create table public.closed (id int primary key, word text);
      revoke all on public.closed from anon, authenticated, service_role;
    `,
  });
}, 120_000);
afterAll(() => stack?.stop());

async function ask(method: string, path: string, { body, key = keys.secret }: { body?: unknown; key?: string } = {}) {
  const response = await fetch(`${stack.url}/rest/v1/${path}`, {
    method,
    headers: {
      apikey: key,
      'content-type': 'application/json',
      prefer: 'return=representation,resolution=merge-duplicates',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return [response.status, await response.json()];
}

const refused = (command: string) => [
  400,
  { code: '21000', details: null, hint: null, message: `${command} requires a WHERE clause` },
];

const rows = () => stack.test.as('postgres')`
  select 'item' as kind, id, word from public.items union all select 'part', item, word from public.parts
  union all select 'keyless', 0, word from public.keyless order by 1, 2`;

describe('a change of all rows', () => {
  it.each([
    ['items', 'without a filter'],
    ['words', 'of a view'],
    ['items?select=id', 'with columns to give back'],
    ['items?order=id&limit=1', 'limited, which PostgREST no longer does'],
    ['parts?order=item&limit=1', 'limited, with a key of two columns'],
    ['keyless?limit=1', 'limited, without a key'],
    ['items?order=id&offset=1', 'with an offset'],
    ['items?select=id,parts!inner(part)&parts.part=eq.1', 'with a filter on what is embedded'],
  ])('is refused: %s (%s)', async (path) => {
    const before = await rows();
    expect(await ask('PATCH', path, { body: { word: 'changed' } })).toEqual(refused('UPDATE'));
    expect(await ask('DELETE', path)).toEqual(refused('DELETE'));
    expect(await rows()).toEqual(before);
  });

  it('is refused before it is asked who may make it', async () => {
    expect(await ask('DELETE', 'closed', { key: keys.publishable })).toEqual(refused('DELETE'));
    expect(await ask('DELETE', 'closed?id=eq.1', { key: keys.publishable })).toEqual([
      401,
      expect.objectContaining({ code: '42501' }),
    ]);
  });

  it.each<[method: string, path: string, body: unknown, answer: unknown]>([
    ['PATCH', 'items?id=eq.1&select=word', { word: 'uno' }, [{ word: 'uno' }]],
    [
      'PATCH',
      'items?id=gt.0&select=word&order=id',
      { body: [1] },
      [{ word: 'uno' }, { word: 'two' }, { word: 'three' }],
    ],
    ['PATCH', 'items?or=(id.eq.2,word.eq.two)&select=id', { word: 'dos' }, [{ id: 2 }]],
    ['PATCH', 'items', {}, []],
    ['DELETE', 'items?not.and=(id.gt.0,id.lt.9)', undefined, []],
    ['DELETE', 'items?id=in.()', undefined, []],
    ['DELETE', 'items?body->>a=eq.1', undefined, []],
    ['DELETE', 'keyless?word=not.is.null', undefined, [{ word: 'alone' }]],
    ['PUT', 'items?id=eq.3&select=word', { id: 3, word: 'tres', body: null }, [{ word: 'tres' }]],
    ['POST', 'items?on_conflict=id&select=word', [{ id: 3, word: 'drei' }], [{ word: 'drei' }]],
  ])('is allowed with a filter, or when it is none: %s %s', async (method, path, body, answer) => {
    expect((await ask(method, path, { body }))[1]).toEqual(answer);
  });
});
