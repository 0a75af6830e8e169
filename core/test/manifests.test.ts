import { describe, expect, it } from 'vitest';
import { StarkError, toBundleManifest, toPackManifest, toPodRequest, toPodRequests } from '../src/index.js';

function problems(read: () => unknown): StarkError {
  try {
    read();
  } catch (error) {
    if (error instanceof StarkError) return error;
    throw error;
  }
  throw new Error('the document was accepted');
}

describe('toPodRequest', () => {
  it('gives the argument of create_pods, quantities counted', () => {
    const document = {
      pack: '@acme/alpha',
      version: '1.2.3',
      namespace: 'team-a',
      replicas: 3,
      labels: { app: 'alpha' },
      priority: 5,
      spec: {
        nodeSelector: { zone: 'a' },
        tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' }],
        resources: { requests: { cpu: '250m', memory: '1Gi' } },
        config: { title: 'x', deep: { list: [1, null, true] } },
        env: { MODE: 'fast' },
        ports: [{ name: 'http' }, { name: 'admin', strategy: 'fixed', port: 8080 }],
        restartPolicy: 'OnFailure',
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['4'] }] }],
            },
          },
        },
      },
    };
    expect(toPodRequest(document)).toEqual({
      ...document,
      spec: {
        ...document.spec,
        resources: { requests: { cpu: 250, memory: 1024 } },
        ports: [{ name: 'http' }, { name: 'admin', strategy: 'fixed', port: 8080 }],
      },
    });
  });

  it('takes latest for no version', () => {
    expect(toPodRequest({ pack: 'alpha', version: 'latest' })).toEqual({ pack: 'alpha' });
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^pod: is required/],
    ['a list', [], /^pod: must be an object, not a list|pack is required/],
    ['no pack', {}, /pack is required/],
    ['a bad pack name', { pack: 'Alpha' }, /pack "Alpha": it must be an npm package name/],
    ['a bad version', { pack: 'a', version: '1' }, /version "1": it must be a semantic version/],
    ['a version that is a number', { pack: 'a', version: 1 }, /version must be a text, not 1/],
    ['an unknown field', { pack: 'a', replica: 2 }, /replica is not a field that exists here/],
    ['an unknown field in the spec', { pack: 'a', spec: { resource: {} } }, /spec\.resource is not a field/],
    ['too many replicas', { pack: 'a', replicas: 0 }, /replicas must be a whole number from 1 to 10000/],
    [
      'a bad quantity',
      { pack: 'a', spec: { resources: { requests: { cpu: 'lots' } } } },
      /spec\.resources\.requests\.cpu "lots" is not an amount of cpu/,
    ],
    ['a bad label', { pack: 'a', labels: { 'a b': 'c' } }, /labels key "a b"/],
    ['labels as a list', { pack: 'a', labels: ['a=b'] }, /labels must be an object/],
    ['env that is no text', { pack: 'a', spec: { env: { N: 1 } } }, /spec\.env\.N must be a text, not 1/],
    [
      'a fixed port without a number',
      { pack: 'a', spec: { ports: [{ name: 'http', strategy: 'fixed' }] } },
      /spec\.ports\[0\] names a port exactly when/,
    ],
    [
      'a random port with a number',
      { pack: 'a', spec: { ports: [{ name: 'http', strategy: 'random', port: 80 }] } },
      /spec\.ports\[0\] names a port exactly when/,
    ],
    [
      'a port of another platform',
      { pack: 'a', spec: { ports: [{ name: 'http', containerPort: 80 }] } },
      /containerPort/,
    ],
    [
      'ports of one name',
      { pack: 'a', spec: { ports: [{ name: 'http' }, { name: 'http' }] } },
      /spec\.ports has two ports of the same name/,
    ],
    [
      'a port out of range',
      { pack: 'a', spec: { ports: [{ name: 'http', strategy: 'fixed', port: 70000 }] } },
      /spec\.ports\[0\]\.port must be a whole number from 1 to 65535/,
    ],
    [
      'an unknown policy',
      { pack: 'a', spec: { restartPolicy: 'Sometimes' } },
      /spec\.restartPolicy must be Always, OnFailure, Never, not "Sometimes"/,
    ],
    ['a toleration without a key', { pack: 'a', spec: { tolerations: [{}] } }, /spec\.tolerations\[0\] needs a key/],
    [
      'an In without values',
      {
        pack: 'a',
        spec: {
          affinity: {
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'zone', labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
              ],
            },
          },
        },
      },
      /matchExpressions\[0\] needs values/,
    ],
  ])('refuses %s and names the field', (_, document, message) => {
    const error = problems(() => toPodRequest(document));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ code: 'INVALID_MANIFEST', exitCode: 2 });
  });

  it('says everything that is wrong at once', () => {
    const error = problems(() => toPodRequest({ pack: 'A', priority: 'high', spec: { nodeName: 'N_' } }));
    expect((error.details as { field: string }[]).map(({ field }) => field)).toEqual([
      'pack',
      'priority',
      'spec.nodeName',
    ]);
  });

  it('says which of several documents is wrong', () => {
    expect(problems(() => toPodRequests([{ pack: 'a' }, {}])).message).toBe('pod 2: pack is required');
  });
});

describe('toBundleManifest', () => {
  it('takes what a bundle says, all or nothing of it', () => {
    const said = { name: 'a', version: '1.0.0', ports: [{ name: 'http' }], entry: 'default' };
    expect(toBundleManifest({ ...said, runtime: 'universal' })).toEqual({ ...said, runtime: 'isomorphic' });
    expect(toBundleManifest({})).toEqual({});
    expect(problems(() => toBundleManifest({ name: 'No Name' })).message).toMatch(/the bundle: name/);
    expect(problems(() => toBundleManifest({ more: 1 })).message).toMatch(/more is not a field/);
  });
});

describe('toPackManifest', () => {
  it('reads package.json', () => {
    expect(
      toPackManifest({
        name: 'alpha',
        version: '1.0.0',
        type: 'module',
        stark: { runtime: 'universal', entry: 'pack.ts', ports: ['http', { name: 'admin', port: 8081 }] },
      }),
    ).toEqual({
      name: 'alpha',
      version: '1.0.0',
      entry: 'pack.ts',
      runtime: 'isomorphic',
      ports: [{ name: 'http' }, { name: 'admin', port: 8081 }],
    });
  });

  it('needs nothing but a name and a version', () => {
    expect(toPackManifest({ name: '@a/b', version: '1.0.0' })).toEqual({
      name: '@a/b',
      version: '1.0.0',
      entry: 'src/index.ts',
    });
  });

  it.each<[unknown, RegExp]>([
    [{ version: '1.0.0' }, /name is required/],
    [{ name: 'a' }, /version is required/],
    [
      { name: 'a', version: '1.0.0', stark: { runtime: 'deno' } },
      /stark\.runtime must be node, browser, isomorphic, universal, not "deno"/,
    ],
    [{ name: 'a', version: '1.0.0', stark: { entri: 'x' } }, /stark\.entri is not a field/],
    [{ name: 'a', version: '1.0.0', stark: { ports: ['HTTP'] } }, /stark\.ports\[0\]\.name "HTTP"/],
    [{ name: 'a', version: '1.0.0', stark: { ports: ['a', 'a'] } }, /two ports of the same name/],
    ['text', /must be an object, not "text"/],
  ])('%j is refused', (json, message) => expect(problems(() => toPackManifest(json)).message).toMatch(message));
});
