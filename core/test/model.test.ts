import { describe, expect, it } from 'vitest';
import {
  dnsLabelProblem,
  formatCpu,
  formatDuration,
  formatMemory,
  isTerminal,
  POD_STATUSES,
  packNameProblem,
  parseCpu,
  parseDuration,
  parseLabels,
  parseMemory,
  parseTaint,
  parseToleration,
  type Taint,
  type Toleration,
  tolerates,
  versionProblem,
} from '../src/index.js';

describe('quantities', () => {
  it.each([
    ['500m', 500],
    ['0.5', 500],
    ['2', 2000],
    [2, 2000],
    [0.1, 100],
    ['0.0001', 1],
    ['99', 99_000],
    ['500', 500],
    [1500, 1500],
    ['1500m', 1500],
  ])('cpu %s is %i millicores', (text, millicores) => expect(parseCpu(text)).toBe(millicores));

  it.each([
    ['256', 256],
    [256, 256],
    ['256Mi', 256],
    ['1Gi', 1024],
    ['1.5Gi', 1536],
    ['1048576Ki', 1024],
    ['512M', 489],
    ['1MB', 1],
    ['2Ti', 2_097_152],
  ])('memory %s is %i MB', (text, megabytes) => expect(parseMemory(text)).toBe(megabytes));

  it.each(['', '-1', 'x', '1c', '1 2', '1e3', 'Infinity'])('%j is no cpu', (text) =>
    expect(() => parseCpu(text)).toThrow(/is not an amount of cpu/),
  );
  it.each(['', '-1', '1Xi', '1gi', 'NaN'])('%j is no memory', (text) =>
    expect(() => parseMemory(text)).toThrow(/is not an amount of memory/),
  );

  it('writes what it reads', () => {
    for (const millicores of [1, 250, 1000, 1500, 64_000]) expect(parseCpu(formatCpu(millicores))).toBe(millicores);
    for (const megabytes of [1, 256, 1024, 1536, 4096]) expect(parseMemory(formatMemory(megabytes))).toBe(megabytes);
  });
});

describe('durations', () => {
  it.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['90', 90_000],
    ['500ms', 500],
    ['1.5s', 1500],
    ['2d', 172_800_000],
    ['0', 0],
    ['1m500ms', 60_500],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));
  it.each(['', 'm', '5x', '-5m', '5 m', '1h-30m'])('%j is none', (text) =>
    expect(() => parseDuration(text)).toThrow(/is not a duration/),
  );

  it.each([
    [0, '0s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [192_000, '3m12s'],
    [600_000, '10m'],
    [3 * 3_600_000, '3h'],
    [5 * 3_600_000 + 60_000, '5h1m'],
    [47 * 3_600_000, '47h'],
    [52 * 3_600_000, '2d4h'],
    [9 * 86_400_000, '9d'],
    [800 * 86_400_000, '2y70d'],
    [-5, '0s'],
  ])('%i ms reads %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('labels', () => {
  it('reads pairs, several in one text too', () => {
    expect(parseLabels(['app=web,tier=', 'app.kubernetes.io/name=x'])).toEqual({
      app: 'web',
      tier: '',
      'app.kubernetes.io/name': 'x',
    });
  });
  it.each([
    [['a'], /has no value/],
    [['=b'], /label key ""/],
    [['-a=b'], /label key "-a"/],
    [['A/b=c'], /DNS name/],
    [['a=b c'], /value "b c"/],
    [['a=1', 'a=2'], /given twice/],
    [[`${'a'.repeat(64)}=b`], /label key/],
  ])('%j is refused', (texts, reason) => expect(() => parseLabels(texts)).toThrow(reason));
});

describe('taints and tolerations', () => {
  it('reads both', () => {
    expect(parseTaint('dedicated=gpu:NoSchedule')).toEqual({ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' });
    expect(parseTaint('drain:NoExecute')).toEqual({ key: 'drain', effect: 'NoExecute' });
    expect(parseToleration('dedicated=gpu:NoSchedule')).toEqual({
      key: 'dedicated',
      operator: 'Equal',
      value: 'gpu',
      effect: 'NoSchedule',
    });
    expect(parseToleration('drain')).toEqual({ key: 'drain', operator: 'Exists' });
    expect(parseToleration('drain:NoExecute:5m')).toEqual({
      key: 'drain',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    });
  });
  it.each(['a', 'a:', 'a:Sometimes', ':NoSchedule', 'a=b=c:NoSchedule', 'a:NoSchedule:x'])('%j is no taint', (text) =>
    expect(() => parseTaint(text)).toThrow(),
  );
  it.each(['a:NoSchedule:5m', 'a:Nope', '', 'a:NoExecute:5m:x'])('%j is no toleration', (text) =>
    expect(() => parseToleration(text)).toThrow(),
  );

  const gpu: Taint = { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' };
  it.each<[Toleration, boolean]>([
    [{ operator: 'Exists' }, true],
    [{ key: 'dedicated', operator: 'Exists' }, true],
    [{ key: 'dedicated', value: 'gpu' }, true],
    [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }, true],
    [{ key: 'dedicated', value: 'cpu' }, false],
    [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
    [{}, false],
  ])('%j tolerates dedicated=gpu:NoSchedule: %s', (toleration, expected) =>
    expect(tolerates(toleration, gpu)).toBe(expected),
  );
});

describe('names', () => {
  it.each([
    ['a', true],
    ['my-pod-1', true],
    ['', false],
    ['-a', false],
    ['a-', false],
    ['A', false],
    ['a.b', false],
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
  ])('%s as a DNS label: %s', (name, ok) => expect(dnsLabelProblem(name) === undefined).toBe(ok));
  it.each([
    ['alpha', true],
    ['@stark-o/demo', true],
    ['.hidden', false],
    ['a/b', false],
    ['@a', false],
    ['Big', false],
    ['a b', false],
  ])('%s as a pack: %s', (name, ok) => expect(packNameProblem(name) === undefined).toBe(ok));
  it.each([
    ['1.2.3', true],
    ['1.2.3-beta.1+build', true],
    ['1.2', false],
    ['v1.2.3', false],
    ['01.2.3', false],
  ])('%s as a version: %s', (text, ok) => expect(versionProblem(text) === undefined).toBe(ok));
});

describe('pod statuses', () => {
  it('ends in four ways', () => {
    expect(POD_STATUSES.filter(isTerminal)).toEqual(['stopped', 'succeeded', 'failed', 'evicted']);
  });
});
