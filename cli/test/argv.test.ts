import { describe, expect, it } from 'vitest';
import { bareName, normaliseArgv } from '../src/base/argv.js';
import { editDistance, nearest } from '../src/base/suggest.js';

describe('a command line in any order', () => {
  it.each<[string, string]>([
    ['pod list', 'pod list'],
    ['pods list', 'pod list'],
    ['po ls -w', 'pod list -w'],
    ['get pods', 'pod list'],
    ['get po alpha -o json', 'pod list alpha -o json'],
    ['get pod/alpha', 'pod list pod/alpha'],
    ['describe pod alpha', 'pod status alpha'],
    ['describe po/alpha', 'pod status po/alpha'],
    ['delete pod/a pod/b', 'pod delete pod/a pod/b'],
    ['delete pods a b', 'pod delete a b'],
    ['logs alpha -f', 'pod logs alpha -f'],
    ['logs pod/alpha', 'pod logs pod/alpha'],
    ['get nodes', 'node list'],
    ['get packs', 'pack list'],
    ['describe pack alpha', 'pack versions alpha'],
    ['ctx ls', 'context list'],
    ['-n prod get pods', 'pod list -n prod'],
    ['--namespace prod -o json pod list', 'pod list --namespace prod -o json'],
    ['--debug up', 'up --debug'],
    ['help pod list', 'pod list --help'],
    ['help', '--help'],
    ['up --detach', 'up --detach'],
    ['pack bundle ./pack/src', 'pack bundle ./pack/src'],
    ['pack bundle pack/src', 'pack bundle pack/src'],
    ['pack versions @scope/alpha', 'pack versions @scope/alpha'],
    ['pod create --label pod/x=y', 'pod create --label pod/x=y'],
    ['pod status -- pod/a', 'pod status -- pod/a'],
    ['nonsense pod', 'pod nonsense'],
    ['', ''],
  ])('%s is %s', (typed, meant) => {
    expect(normaliseArgv(typed.split(' ').filter(Boolean)).join(' ')).toBe(meant);
  });

  it.each([
    ['pod', 'pod/a', 'a'],
    ['pod', 'po/a', 'a'],
    ['pod', 'a', 'a'],
    ['pack', 'pack/alpha', 'alpha'],
    ['pack', '@scope/alpha', '@scope/alpha'],
  ])('takes the name of a %s out of %s', (noun, text, name) => {
    expect(bareName(noun, text)).toBe(name);
  });

  it('refuses two kinds at once', () => {
    expect(() => bareName('pod', 'node/b')).toThrow('node/b is no pod');
  });
});

describe('the nearest word', () => {
  it.each([
    ['lst', ['list', 'logs'], 'list'],
    ['lsit', ['list', 'logs'], 'list'],
    ['--namspace', ['--namespace', '--node'], '--namespace'],
    ['Alpha-1', ['alpha-1'], 'alpha-1'],
    ['zzzzzz', ['list'], undefined],
  ])('of %s among %j is %s', (word, candidates, expected) => {
    expect(nearest(word, candidates)).toBe(expected);
  });

  it('counts a swap as one mistake', () => {
    expect(editDistance('lsit', 'list')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });
});
