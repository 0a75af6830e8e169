import { describe, expect, it } from 'vitest';
import { bareName, normaliseArgv, type Target, targetsOf, toExisting } from '../src/base/argv.js';
import { editDistance, nearest, nearestCommand } from '../src/base/suggest.js';
import { buildManifest } from '../src/manifest.js';
import { packageRoot } from './support/run.js';

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
    ['describe pack alpha', 'pack describe alpha'],
    ['get pod/a node/b', 'get pod/a node/b'],
    ['get pod/a pod/b', 'pod list pod/a pod/b'],
    ['get pods,nodes', 'get pods,nodes'],
    ['ns rm team-a --yes', 'namespace delete team-a --yes'],
    ['node status laptop', 'node describe laptop'],
    ['logs pod/a -f', 'pod logs pod/a -f'],
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

  it.each([
    ['namespace list x', 'namespace list x'],
    ['namespace describe x', 'describe namespace x'],
    ['user list', 'get user'],
    ['jointoken wait x --for create', 'wait jointoken x --for create'],
    ['context list', 'context list'],
    ['pod nonsense', 'pod nonsense'],
  ])('is led to a command that exists: %s to %s', (typed, meant) => {
    const exists = (id: string) => id === 'namespace:list' || id === 'context:list';
    expect(toExisting(typed.split(' '), exists).join(' ')).toBe(meant);
  });

  it.each<[string, Target[]]>([
    ['pods', [{ kind: 'pod', names: undefined }]],
    [
      'po,no',
      [
        { kind: 'pod', names: undefined },
        { kind: 'node', names: undefined },
      ],
    ],
    ['pod a b', [{ kind: 'pod', names: ['a', 'b'] }]],
    ['pod pod/a b', [{ kind: 'pod', names: ['a', 'b'] }]],
    [
      'po/a node/b pod/c',
      [
        { kind: 'pod', names: ['a', 'c'] },
        { kind: 'node', names: ['b'] },
      ],
    ],
    ['pack @scope/alpha', [{ kind: 'pack', names: ['@scope/alpha'] }]],
  ])('names things: %s', (typed, targets) => {
    expect(targetsOf(typed.split(' '))).toEqual(targets);
  });

  it.each([
    ['pigs', '"pigs" is no kind of thing'],
    ['pigs/a', '"pigs" is no kind of thing'],
    ['pods,nodes a', 'names go with one kind'],
    ['pod/a b', '"b" has no type'],
    ['pod node/a', 'node/a is no pod'],
  ])('refuses %s', (typed, problem) => {
    expect(() => targetsOf(typed.split(' '))).toThrow(problem);
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

  const commands = [
    'node list',
    'node delete',
    'node describe',
    'node drain',
    'pod logs',
    'pack withdraw',
    'context set',
  ];
  it.each([
    ['node descibe', 'node describe'],
    ['node deletr', 'node delete'],
    ['node dlete', 'node delete'],
    ['node debug', undefined],
    ['node detail', undefined],
    ['node train', 'node drain'],
    ['pack withdrawn', 'pack withdraw'],
    ['context get', 'context set'],
    ['pod log', 'pod logs'],
  ])('of command "%s" is harmless, or its own verb: %s', (typed, expected) => {
    expect(nearestCommand(typed.split(' '), commands)).toBe(expected);
  });

  it('of every harmful command is never that of another verb', async () => {
    const { commands: all } = await buildManifest(packageRoot);
    const ids = Object.keys(all).map((id) => id.replaceAll(':', ' '));
    for (const id of ids) {
      const left = ids.filter((other) => other !== id);
      const suggested = nearestCommand(id.split(' '), left)?.split(' ').at(-1);
      if (suggested === undefined || suggested === id.split(' ').at(-1)) continue;
      expect(suggested, `stark ${id}`).not.toMatch(/^(delete|drain|withdraw|revoke|disable|undo|rollback|down)$/);
    }
  });

  it('counts a swap as one mistake', () => {
    expect(editDistance('lsit', 'list')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
  });
});
