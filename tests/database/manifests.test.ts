// Core checks documents before they are sent, and the database decides: what core refuses, the database must refuse as well.
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { podRequestSchema, podSpecSchema, toPodRequest } from '../../core/src/manifests/pod.js';
import { startTestDatabase, type TestDatabase } from '../../scripts/db/test-database.mjs';
import { connect } from './sessions.js';

let database: TestDatabase;
let owner: pg.Client;

beforeAll(async () => {
  database = await startTestDatabase();
  owner = await connect(database);
});
afterAll(async () => {
  await owner?.end();
  await database?.stop();
});

const required = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
const labelSelector = {
  matchLabels: { app: 'web' },
  matchExpressions: [
    { key: 'tier', operator: 'In', values: ['a', 'b'] },
    { key: 'old', operator: 'DoesNotExist' },
  ],
};
const podTerm = {
  topologyKey: 'zone',
  labelSelector,
  namespaces: ['default'],
  namespaceSelector: { matchLabels: { team: 'a' } },
  matchLabelKeys: ['version'],
  mismatchLabelKeys: ['tenant'],
};
const nodeTerm = {
  matchExpressions: [
    { key: 'zone', operator: 'NotIn', values: ['a'] },
    { key: 'cores', operator: 'Gt', values: ['4'] },
  ],
  matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }],
};
const probe = {
  httpGet: { path: '/', port: 'http' },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};
const podAffinity = { [required]: [podTerm], [preferred]: [{ weight: 1, podAffinityTerm: { topologyKey: 'zone' } }] };

/** Every field of a spec, and everything that a field may hold. */
const full = {
  nodeName: 'node-1.example',
  nodeSelector: { 'example.com/zone': 'a' },
  tolerations: [
    { operator: 'Exists' },
    { key: 'a', operator: 'Equal', value: 'b', effect: '' },
    { key: 'a', effect: 'NoExecute', tolerationSeconds: -1 },
  ],
  affinity: {
    nodeAffinity: {
      [required]: { nodeSelectorTerms: [nodeTerm] },
      [preferred]: [{ weight: 100, preference: {} }],
    },
    podAffinity,
    podAntiAffinity: { [preferred]: [] },
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector,
      matchLabelKeys: ['version'],
      minDomains: 2,
      nodeAffinityPolicy: 'Ignore',
      nodeTaintsPolicy: 'Honor',
    },
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  preemptionPolicy: 'Never',
  priorityClassName: 'batch',
  resources: { requests: { cpu: 250, memory: 64, storage: 0 }, limits: { pods: 1 } },
  config: { deep: [1, null, { a: true }] },
  env: { MODE: 'fast' },
  ports: [{ name: 'http' }, { name: 'admin', strategy: 'fixed', port: 8080 }, { name: 'other', port: 8081 }],
  restartPolicy: 'OnFailure',
  terminationGracePeriodSeconds: 0,
  isolation: 'worker',
  startupProbe: { httpGet: { port: 'http' } },
  readinessProbe: { packReady: {} },
  livenessProbe: probe,
};

const problemInSql = async (spec: unknown): Promise<string | null> =>
  (await owner.query('select stark_internal.spec_problem($1) as problem', [JSON.stringify(spec)])).rows[0].problem;

function problemInCore(spec: unknown): string | null {
  try {
    toPodRequest({ pack: 'a', spec });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The field names that a function compares with: those of its first `not in (…)` or `<> all (array[…])`. */
async function fieldsInSql(fn: string): Promise<string[]> {
  const { rows } = await owner.query('select prosrc from pg_proc where oid = $1::regprocedure', [fn]);
  const list = /\bk(?:ey)? not in \(([^)]*)\)|<> all \(array\[([^\]]*)\]/.exec(rows[0].prosrc) ?? [];
  return [...(list[1] ?? list[2] ?? '').matchAll(/'(\w+)'/g)].map(([, name]) => name as string).sort();
}

/** Each document with one of its parts taken out, changed to another kind, or given one field more. */
function* variants(value: unknown, rebuild: (part: unknown) => unknown = (part) => part): Generator<unknown> {
  if (typeof value !== 'object' || value === null) {
    for (const other of [null, 0, 1.5, '', 'x', 'A b', []]) yield rebuild(other);
    return;
  }
  if (Array.isArray(value)) {
    yield rebuild([]);
    yield rebuild({});
    for (const [at, part] of value.entries()) {
      yield* variants(part, (changed) => rebuild(value.map((each, index) => (index === at ? changed : each))));
    }
    return;
  }
  yield rebuild([]);
  yield rebuild({ ...value, surplus: 1 });
  for (const [name, part] of Object.entries(value)) {
    const { [name as keyof typeof value]: _, ...rest } = value;
    yield rebuild(rest);
    yield* variants(part, (changed) => rebuild({ ...value, [name]: changed }));
  }
}

describe('the check of a pod in core', () => {
  it('knows the fields that the database knows', async () => {
    expect(Object.keys(podSpecSchema.entries).sort()).toEqual(await fieldsInSql('stark_internal.spec_problem(jsonb)'));
    expect(Object.keys(podSpecSchema.entries).sort()).toEqual(Object.keys(full).sort());
    expect(Object.keys(podRequestSchema.entries).sort()).toEqual(
      await fieldsInSql('stark_internal.read_pod(jsonb, uuid)'),
    );
  });

  it('takes a spec with every field, as the database does', async () => {
    expect(await problemInSql(full)).toBeNull();
    expect(problemInCore(full)).toBeNull();
  });

  it('refuses nothing that the database takes', async () => {
    const specs = [...variants(full)];
    expect(specs.length).toBeGreaterThan(300);
    const { rows } = await owner.query(
      'select stark_internal.spec_problem(s) as problem from jsonb_array_elements($1) with ordinality u (s, ord) order by ord',
      [JSON.stringify(specs)],
    );
    expect(rows.filter(({ problem }) => problem === null).length).toBeGreaterThan(50);
    const stricter = specs.flatMap((spec, at) => {
      const problem = problemInCore(spec);
      return rows[at].problem === null && problem !== null ? [problem] : [];
    });
    expect([...new Set(stricter)]).toEqual([]);
  }, 120_000);
});
