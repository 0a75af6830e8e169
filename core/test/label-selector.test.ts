import { describe, expect, it } from 'vitest';
import { type LabelSelector, matchesSelector, parseSelector } from '../src/index.js';

const labels = { app: 'web', tier: 'front', empty: '' };

describe('matchesSelector', () => {
  it.each<[string, LabelSelector | null | undefined, boolean]>([
    ['null selects nothing', null, false],
    ['undefined selects nothing', undefined, false],
    ['empty selects everything', {}, true],
    ['empty members select everything', { matchLabels: {}, matchExpressions: [] }, true],
    ['matchLabels', { matchLabels: { app: 'web', tier: 'front' } }, true],
    ['all of matchLabels', { matchLabels: { app: 'web', tier: 'back' } }, false],
    ['matchLabels on a missing key', { matchLabels: { zone: 'a' } }, false],
    ['matchLabels on an inherited member', { matchLabels: { constructor: 'x' } }, false],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['api', 'web'] }] }, true],
    ['In without the value', { matchExpressions: [{ key: 'app', operator: 'In', values: ['api'] }] }, false],
    ['In on a missing key', { matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
    ['NotIn', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    ['NotIn on a missing key', { matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    ['Exists with an empty value', { matchExpressions: [{ key: 'empty', operator: 'Exists' }] }, true],
    ['Exists on a missing key', { matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    ['DoesNotExist on a missing key', { matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
    [
      'labels and expressions both',
      { matchLabels: { app: 'web' }, matchExpressions: [{ key: 'tier', operator: 'In', values: ['back'] }] },
      false,
    ],
  ])('%s', (_, selector, expected) => {
    expect(matchesSelector(selector, labels)).toBe(expected);
  });
});

describe('parseSelector', () => {
  it('reads every form of kubectl', () => {
    expect(parseSelector('a=b, c==d,e!=f,g in (x, y),h notin (z),i,!j')).toEqual({
      matchExpressions: [
        { key: 'a', operator: 'In', values: ['b'] },
        { key: 'c', operator: 'In', values: ['d'] },
        { key: 'e', operator: 'NotIn', values: ['f'] },
        { key: 'g', operator: 'In', values: ['x', 'y'] },
        { key: 'h', operator: 'NotIn', values: ['z'] },
        { key: 'i', operator: 'Exists' },
        { key: 'j', operator: 'DoesNotExist' },
      ],
    });
  });

  it.each([
    ['', true],
    ['  ', true],
    ['app=web', true],
    ['app!=web', false],
    ['zone!=a', true],
    ['zone notin (a)', true],
    ['zone in (a)', false],
    ['!zone', true],
    ['app,tier=front', true],
    ['empty=', true],
    ['app in(web)', true],
    ['app in ()', false],
    ['empty in ()', true],
  ])('%j matches: %s', (text, expected) => expect(matchesSelector(parseSelector(text), labels)).toBe(expected));

  it.each(['a=b,', ',', '=b', 'a in b', 'a in (b', 'a b', '!', 'a=b=c', '!a=b', 'a in (b))', 'a=(b)'])(
    '%j is refused',
    (text) => {
      expect(() => parseSelector(text)).toThrow();
    },
  );
});
