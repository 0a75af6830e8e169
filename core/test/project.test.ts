import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { projectJsonSchema, schemaFile } from '../../scripts/project-schema.mjs';
import { defineConfig, type ProjectConfig } from '../src/config.js';
import { OBJECT_FIELDS, readProjectDocument, type StatedObject } from '../src/index.js';
import { clusterConfigs } from '../src/resources/index.js';

const options = { namespace: 'default' };

function objectsOf(document: unknown): readonly StatedObject[] {
  const read = readProjectDocument(document, options);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.objects;
}

function problemsOf(document: unknown) {
  const read = readProjectDocument(document, options);
  if (!('problems' in read)) throw new Error('the document was accepted');
  return read.problems.map(({ path, message, known }) => ({ path: path.join('.'), message, known }));
}

const shop = defineConfig({
  name: 'shop',
  namespace: 'team-a',
  packs: [{ source: './packs/web', visibility: 'public' }],
  namespaces: [{ name: 'team-a', quota: { pods: 20, cpu: '4', memory: '2Gi' }, limitRange: { max: { cpu: '500m' } } }],
  priorityClasses: [{ name: 'urgent', value: 900, preemptionPolicy: 'Never' }],
  roles: [{ name: 'restarter', permissions: ['pods:get', 'pods:update:own'] }],
  roleBindings: [{ user: 'ann@example.com', role: 'restarter', namespace: 'team-a' }],
  clusterConfig: { schedulingPolicy: 'bin_pack', defaultCpuRequest: '0.05' },
  deployments: [
    {
      name: 'web',
      pack: 'web',
      replicas: 3,
      strategy: { maxSurge: '25%', maxUnavailable: 0 },
      canary: { steps: [{ weight: 20 }, { pause: '10m' }, { pause: {} }] },
      template: { labels: { app: 'web' }, spec: { env: { LOG: 'info' }, resources: { requests: { memory: '1Gi' } } } },
    },
  ],
  pods: [{ name: 'migrate', namespace: 'default', pack: 'web', version: 'latest' }],
  joinTokens: [{ name: 'lab', ttl: '2h', uses: 5, taints: ['dedicated=gpu:NoSchedule'] }],
});

describe('a project', () => {
  it('is its objects, with quantities counted, namespaces filled in and places kept', () => {
    expect(objectsOf(shop).map(({ kind, path }) => `${path.join('.')} ${kind}`)).toEqual([
      'packs.0 pack',
      'namespaces.0 namespace',
      'priorityClasses.0 priorityclass',
      'roles.0 role',
      'roleBindings.0 rolebinding',
      'deployments.0 deployment',
      'pods.0 pod',
      'joinTokens.0 jointoken',
      'clusterConfig clusterconfig',
    ]);
    const [pack, namespace, , , binding, deployment, pod, token, config] = objectsOf(shop).map(({ fields }) => fields);
    expect(pack).toEqual({ source: './packs/web', visibility: 'public' });
    expect(namespace).toMatchObject({
      quota: { pods: 20, cpu: 4000, memory: 2048 },
      limitRange: { max: { cpu: 500 } },
    });
    expect(binding).toEqual({ user: 'ann@example.com', role: 'restarter', namespace: 'team-a' });
    expect(deployment).toMatchObject({
      ...{ namespace: 'team-a', replicas: 3, strategy: { maxSurge: '25%', maxUnavailable: 0 } },
      template: { spec: { env: { LOG: 'info' }, resources: { requests: { memory: 1024 } } } },
    });
    expect(pod).toEqual({ name: 'migrate', namespace: 'default', pack: 'web' });
    expect(token).toMatchObject({ ttl: 7200, taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] });
    expect(config).toEqual({ schedulingPolicy: 'bin_pack', defaultCpuRequest: 50 });
  });

  it('may be one object that says its kind, as kubectl writes it or not', () => {
    for (const kind of ['Deployment', 'deployment', 'deploy', 'deployments']) {
      expect(objectsOf({ kind, name: 'web', pack: 'alpha' })).toEqual([
        { kind: 'deployment', path: [], fields: { name: 'web', pack: 'alpha', namespace: 'default' } },
      ]);
    }
    expect(objectsOf({ kind: 'RoleBinding', user: 'a@b.c', role: 'viewer' })[0]?.fields).toEqual({
      ...{ user: 'a@b.c', role: 'viewer' },
    });
  });

  it('says what is wrong, where, and which fields there are', () => {
    expect(problemsOf({ deployments: [{ name: 'web', pack: 'alpha', replcias: 3 }] })).toEqual([
      {
        path: 'deployments.0.replcias',
        message: 'is not a field that exists here',
        known: expect.arrayContaining(['replicas', 'template']),
      },
    ]);
    expect(
      problemsOf({ deployments: [{ name: 'web', pack: 'alpha', template: { spec: { evn: {} } } }] })[0],
    ).toMatchObject({ path: 'deployments.0.template.spec.evn', known: expect.arrayContaining(['env']) });
    expect(problemsOf({ deployment: [] })[0]).toMatchObject({
      ...{ path: 'deployment', known: expect.arrayContaining(['deployments']) },
    });
    expect(problemsOf({ kind: 'Deploymnet' })).toEqual([
      ...[{ path: 'kind', message: '"Deploymnet" is no kind that a file can hold', known: Object.keys(OBJECT_FIELDS) }],
    ]);
    expect(problemsOf({ kind: 'node', name: 'a' })[0]?.path).toBe('kind');
    expect(problemsOf({ kind: 'deployment', metadata: { name: 'web' } })[0]?.message).toContain('stand beside kind');
    const wrong = {
      namespaces: [{ name: 'Team A', quota: { cpu: 'much' } }],
      deployments: [{ name: 'web', replicas: -1 }],
    };
    expect(problemsOf(wrong).map(({ path }) => path)).toEqual([
      ...['namespaces.0.name', 'namespaces.0.quota.cpu', 'deployments.0.pack', 'deployments.0.replicas'],
    ]);
  });

  it.each([[null], [[]], ['text'], [1], [[{ kind: 'pod' }]]])('is an object, not %j', (document) => {
    expect(problemsOf(document)[0]?.message).toMatch(/must be an object|exists here/);
  });

  it('has every setting of the cluster', () => {
    const inCamelCase = clusterConfigs.fields
      .filter((field) => !['name', 'updated_at', 'resource_version'].includes(field))
      .map((field) => field.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()));
    expect(Object.keys(OBJECT_FIELDS.clusterconfig).sort()).toEqual(inCamelCase.sort());
  });

  it('has a type for stark.config.ts', () => {
    expectTypeOf(shop).toEqualTypeOf<ProjectConfig>();
    // @ts-expect-error a field that does not exist
    defineConfig({ deployments: [{ name: 'web', pack: 'web', replcias: 1 }] });
  });
});

describe('its JSON Schema', () => {
  it('is the one that the checks make (npm run types)', async () => {
    expect(readFileSync(schemaFile, 'utf8') === (await projectJsonSchema())).toBe(true);
  });

  it('takes what is taken, and refuses other fields and kinds of values', () => {
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')));
    expect(validate(shop), JSON.stringify(validate.errors)).toBe(true);
    for (const wrong of [{ nmae: 'x' }, { deployments: [{ name: 'web' }] }, { deployments: {} }, { name: 1 }]) {
      expect(validate(wrong), JSON.stringify(wrong)).toBe(false);
    }
  });
});
