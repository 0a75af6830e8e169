import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { headline, plainText, storable, textOf } from '../src/pod/shared/describe-value.js';
import { lineOf, recordText } from '../src/pod/shared/log-record.js';

const fieldsOf = (fields: Record<string, unknown>) => {
  const line = lineOf(recordText({ level: 'info', message: 'm', fields }));
  return JSON.parse(line?.message.slice(2) ?? '') as Record<string, unknown>;
};

describe('fields of a log line', () => {
  it('keep what JSON has no word for', () => {
    class Money {
      constructor(readonly cents: bigint) {}
      toJSON() {
        return `${this.cents} cents`;
      }
    }
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    expect(
      fieldsOf({
        big: 12n,
        map: new Map([['a', 1]]),
        pairs: new Map([[1, 'one']]),
        set: new Set([1, 'x']),
        nan: Number.NaN,
        endless: Number.POSITIVE_INFINITY,
        symbol: Symbol('s'),
        run() {},
        when: new Date(0),
        never: new Date(Number.NaN),
        pattern: /a+/g,
        bytes: new Uint8Array(3),
        money: new Money(5n),
        circle,
        missing: undefined,
        list: [undefined, 1n],
        boxed: new String('text'),
        url: new URL('http://a.b/c'),
      }),
    ).toEqual({
      big: '12n',
      map: { a: 1 },
      pairs: [[1, 'one']],
      set: [1, 'x'],
      nan: 'NaN',
      endless: 'Infinity',
      symbol: 'Symbol(s)',
      run: '[Function: run]',
      when: '1970-01-01T00:00:00.000Z',
      never: 'Invalid Date',
      pattern: '/a+/g',
      bytes: '[Uint8Array: 3 bytes]',
      money: '5 cents',
      circle: { name: 'circle', self: '[Circular]' },
      list: [null, '1n'],
      boxed: 'text',
      url: 'http://a.b/c',
    });
  });

  it('keep an error with its cause, its errors and its properties', () => {
    const error = Object.assign(new AggregateError([new RangeError('inner')], 'outer', { cause: 'why' }), {
      code: 'E1',
    });
    expect(storable({ err: error })).toMatchObject({
      err: {
        name: 'AggregateError',
        message: 'outer',
        code: 'E1',
        cause: 'why',
        errors: [{ name: 'RangeError', message: 'inner' }],
        stack: expect.stringContaining('AggregateError: outer\n'),
      },
    });
    expect(storable(runInNewContext('new TypeError("of another world")'))).toMatchObject({ name: 'TypeError' });
  });

  it('lose no neighbour of what cannot be read', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const trap = Object.defineProperty({ a: 1 }, 'b', { enumerable: true, get: () => fail() });
    const refuses = { toJSON: () => fail() };
    expect(storable({ trap, proxy, refuses, order: 7 })).toEqual({
      trap: { a: 1, b: '[cannot be read]' },
      proxy: '[cannot be shown]',
      refuses: '[cannot be shown]',
      order: 7,
    });
  });

  it('show the same object twice, and end however deep they go', () => {
    const shared = { n: 1 };
    expect(storable([shared, shared])).toEqual([shared, shared]);
    let deep: unknown = 'end';
    for (let level = 0; level < 10_000; level++) deep = { deep };
    expect(JSON.stringify(storable(deep))).toContain('[Object]');
    expect(storable(JSON.parse('{"__proto__":{"a":1}}'))).toEqual(JSON.parse('{"__proto__":{"a":1}}'));
  });
});

describe.each([
  ['of Node.js', inspect],
  ['of a browser', plainText],
])('a thrown value, by the words %s,', (_world, words) => {
  it.each([
    ['a text', 'only a text', 'only a text'],
    ['an error', new TypeError('no disk'), 'TypeError: no disk'],
    ['an error without a message', new RangeError(), 'RangeError'],
    [
      'a cause',
      new Error('a', { cause: new Error('b', { cause: 'c' }) }),
      'Error: a (caused by Error: b (caused by c))',
    ],
    ['several lines', new Error('first\nsecond'), 'Error: first'],
    ['nothing', undefined, 'undefined'],
    ['a symbol', Symbol('boom'), 'Symbol(boom)'],
    ['a number', 12n, '12n'],
  ])('has a headline: %s', (_what, value, expected) => {
    expect(headline(value, words)).toBe(expected);
  });

  it('is shown whole', () => {
    const error = Object.assign(new AggregateError([new Error('inner')], 'outer', { cause: new Error('why') }), {
      code: 'E1',
    });
    const text = textOf(error, words);
    for (const part of ['AggregateError: outer', 'Error: inner', 'Error: why', 'E1']) expect(text).toContain(part);
  });

  it('has words whatever it throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const stackless = Object.defineProperty(new Error('the reason'), 'stack', { get: () => fail() });
    expect(headline(stackless, words)).toBe('Error: the reason');
    expect(textOf(stackless, words)).toContain('the reason');
    for (const value of [proxy, Object.create(null), { toString: () => fail() }]) {
      expect(headline(value, words)).not.toBe('');
      expect(textOf(value, words)).not.toBe('');
    }
  });
});

function fail(): never {
  throw new Error('not to be looked at');
}
