import { expect, it } from 'vitest';
import { PresenceBook } from '../src/presence/book.js';

const parse = (json: string | null) => JSON.parse(json ?? 'null');

it('tells joins, changes and leaves', () => {
  const book = new PresenceBook();
  const [a, b] = [{}, {}];
  const joined = parse(book.track(a, 'ann', '{"n":1}'));
  expect(joined).toEqual({ joins: { ann: { metas: [{ n: 1, phx_ref: expect.any(String) }] } }, leaves: {} });
  const first = joined.joins.ann.metas[0].phx_ref;

  const changed = parse(book.track(a, 'ann', '{}'));
  const second = changed.joins.ann.metas[0].phx_ref;
  expect(changed).toEqual({
    joins: { ann: { metas: [{ phx_ref: second, phx_ref_prev: first }] } },
    leaves: { ann: { metas: [{ n: 1, phx_ref: first }] } },
  });
  expect(second).not.toBe(first);

  book.track(b, 'ann', '{"phx_ref":"mine"}');
  const state = parse(book.state());
  expect(Object.keys(state)).toEqual(['ann']);
  expect(state.ann.metas).toHaveLength(2);
  expect(state.ann.metas[1].phx_ref).not.toBe('mine');

  expect(parse(book.untrack(a))).toMatchObject({ joins: {}, leaves: { ann: { metas: [{ phx_ref: second }] } } });
  expect(book.untrack(a)).toBeNull();
  expect(parse(book.state()).ann.metas).toHaveLength(1);
});

it('knows what a channel tracks', () => {
  const book = new PresenceBook();
  const channel = {};
  expect(book.tracks(channel, '{}')).toBe(false);
  book.track(channel, 'k', '{}');
  expect(book.tracks(channel, '{}')).toBe(true);
  expect(book.tracks(channel, '{"n":1}')).toBe(false);
});

it('is {} when nobody is there, and escapes keys', () => {
  const book = new PresenceBook();
  expect(book.state()).toBe('{}');
  book.track({}, '"quoted"', '{}');
  expect(Object.keys(parse(book.state()))).toEqual(['"quoted"']);
});
