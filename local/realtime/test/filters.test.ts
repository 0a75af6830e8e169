import { describe, expect, it } from 'vitest';
import { type ChangeFilter, parseFilters } from '../src/postgres-changes/filters.js';
import { parseRequest, requestId, requestOfTopic } from '../src/postgres-changes/request.js';

const filter = (column: string, operator: ChangeFilter['operator'], value: string, negate = false) => ({
  column,
  operator,
  value,
  negate,
});

describe('filters', () => {
  const good: [text: string, filters: ChangeFilter[]][] = [
    ['', []],
    ['   ', []],
    ['id=eq.1', [filter('id', 'eq', '1')]],
    ['id=not.eq.1', [filter('id', 'eq', '1', true)]],
    ['a=gt.0, b=lte.5', [filter('a', 'gt', '0'), filter('b', 'lte', '5')]],
    ['a=in.(x,y)', [filter('a', 'in', '{x,y}')]],
    ['a=in.(x,y),b=is.null', [filter('a', 'in', '{x,y}'), filter('b', 'is', 'null')]],
    ['a=in.("x,(",y)', [filter('a', 'in', '{"x,(",y}')]],
    ['a=eq."x,y"', [filter('a', 'eq', 'x,y')]],
    ['a=eq."x\\"y\\\\"', [filter('a', 'eq', 'x"y\\')]],
    ['a=eq.x"y', [filter('a', 'eq', 'x"y')]],
    ['a=eq."x" y', [filter('a', 'eq', '"x" y')]],
    ['a=eq.b=c.d', [filter('a', 'eq', 'b=c.d')]],
    ['a=match.^(x|y)$', [filter('a', 'match', '^(x|y)$')]],
    ['a=not.isdistinct.1', [filter('a', 'isdistinct', '1', true)]],
    ['a=like.', [filter('a', 'like', '')]],
  ];
  it.each(good)('%s', (text, filters) => expect(parseFilters(text)).toEqual(filters));

  it.each([
    ['undefined', '["undefined"]'],
    ['subject=foo.hey', '["foo", "hey"]'],
    ['a=eq', '["eq"]'],
    ['a=in.x,y', '`in` filter value must be wrapped by parentheses'],
    ['a=eq.1,,b=eq.2', 'filter must not contain empty segments (check for extra commas)'],
    ['a=eq.1,', 'filter must not contain empty segments (check for extra commas)'],
  ])('%s is refused', (text, message) => expect(() => parseFilters(text)).toThrow(message));
});

describe('requests', () => {
  const all = { event: '*', schema: 'public', table: 't', filters: [], select: null };
  it.each([
    [{ schema: 'public', table: 't' }, all],
    [
      { event: 'insert', schema: 'public', table: 't' },
      { ...all, event: 'INSERT' },
    ],
    [{ event: 'nonsense', schema: 'public', table: 't' }, all],
    [{ schema: 'app' }, { ...all, schema: 'app', table: '*' }],
    [{ table: 't' }, all],
    [
      { schema: 'public', table: 't', select: ['a', 1] },
      { ...all, select: ['a'] },
    ],
    [{ schema: 'public', table: 't', select: [] }, all],
  ])('%j', (params, request) => expect(parseRequest(params)).toEqual(request));

  it.each([
    [{}, /^No subscription params provided/],
    [{ filter: 'a=eq.1', table: 't' }, /^No subscription params provided/],
    [{ auth_token: 'secret' }, /<redacted>$/],
    [{ schema: 'public', table: 't', filter: 'x' }, /^Error parsing `filter` params: \["x"\]$/],
    [{ schema: 'public', table: 't', select: 'a,b' }, /^Error parsing `select` params/],
    [{ schema: '*', table: '*', select: ['a'] }, /^Column selection is not supported/],
  ])('%j is refused', (params, message) => expect(() => parseRequest(params)).toThrow(message));

  it('have one number whatever the order of their members', () => {
    const number = requestId({ event: '*', schema: 'a', select: ['x'] });
    expect(requestId({ select: ['x'], schema: 'a', event: '*' })).toBe(number);
    expect(requestId({ event: '*', schema: 'b', select: ['x'] })).not.toBe(number);
    expect(Number.isSafeInteger(number) && number >= 0 && number < 2 ** 27).toBe(true);
  });

  it('of old clients are in the name of the topic', () => {
    expect(requestOfTopic('public:t:id=eq.1:2')).toEqual({ schema: 'public', table: 't', filter: 'id=eq.1:2' });
    expect(requestOfTopic('public')).toEqual({ schema: 'public' });
  });
});
