import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestStack } from './gateway-support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestGateway({
    sql: `
      create table public.notes (
        id bigint generated always as identity primary key,
        owner uuid not null default auth.uid(),
        body text not null constraint body_is_short check (length(body) <= 20),
        tags jsonb not null default '[]'
      );
      alter table public.notes enable row level security;
      create policy own on public.notes for all to authenticated using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
    `,
  });
}, 120_000);
afterAll(() => stack?.stop());

describe('rows', () => {
  it('signs up and reads own rows only', async () => {
    const a = stack.client();
    const b = stack.client();
    await a.auth.signUp({ email: 'a@example.com', password: 'password-a' });
    await b.auth.signUp({ email: 'b@example.com', password: 'password-b' });
    const made = await a
      .from('notes')
      .insert({ body: 'hello', tags: ['x'] })
      .select()
      .single();
    expect(made.error).toBeNull();
    expect(made.data).toMatchObject({ body: 'hello', tags: ['x'] });
    expect((await b.from('notes').select()).data).toEqual([]);
    expect((await a.from('notes').select('body')).data).toEqual([{ body: 'hello' }]);
  });
});
