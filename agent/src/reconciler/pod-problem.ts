import { POD_STATUSES } from '@stark-o/core';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** What the cluster takes is flatter; deeper values make functions that call themselves fail halfway. */
const MAX_LEVELS = 64;

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isAmount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
/** null is what is not given. */
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);
const objectOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record =
  (fields: Fields): Check =>
  (value) =>
    isObject(value) && wrongField(value, fields) === undefined;

const amounts = optional(record({ cpu: optional(isAmount), memory: optional(isAmount), storage: optional(isAmount) }));
const probe = optional(
  record({
    httpGet: optional(
      record({ path: optional(isText), port: (value) => typeof value === 'string' || typeof value === 'number' }),
    ),
    ...Object.fromEntries(
      ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'successThreshold', 'failureThreshold'].map((name) => [
        name,
        optional(isAmount),
      ]),
    ),
  }),
);
const port = record({
  name: isText,
  strategy: optional(oneOf('random', 'fixed')),
  port: optional((value) => isCount(value) && Number(value) <= 65_535),
});

/** What an agent reads of a spec. */
const SPEC: Fields = {
  isolation: optional(oneOf('process', 'worker')),
  restartPolicy: optional(oneOf('Always', 'OnFailure', 'Never')),
  terminationGracePeriodSeconds: optional(isAmount),
  resources: optional(record({ requests: amounts, limits: amounts })),
  config: optional(isObject),
  env: optional(objectOf(isText)),
  ports: optional(listOf(port)),
  readinessProbe: probe,
  livenessProbe: probe,
  startupProbe: probe,
};

const POD: Fields = {
  name: isText,
  namespace: isText,
  owner: (value) => value === null || typeof value === 'string',
  labels: optional(objectOf(isText)),
  status: oneOf(...POD_STATUSES),
  pack: isText,
  version: isText,
  entry: optional(isText),
  bundle: record({
    bucket: isText,
    path: isText,
    sha256: (value) => typeof value === 'string' && SHA256.test(value),
    size_bytes: isCount,
  }),
  spec: isObject,
  restarts: isCount,
  wanted: oneOf('running', 'stopped'),
};

/** Whether this can be the id of a pod, and with it the name of a folder. */
export function isPodId(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** What is wrong with a pod that the control plane sent; undefined when an agent can work with it. */
export function podProblem(pod: unknown): string | undefined {
  if (!isObject(pod)) return 'it is no object';
  if (!isPodId(pod.id)) return 'its id is no UUID';
  const field = wrongField(pod, POD);
  if (field !== undefined) return `its ${field} is not what a pod has there`;
  const inSpec = wrongField(pod.spec as Record<string, unknown>, SPEC);
  if (inSpec !== undefined) return `its spec.${inSpec} is not what a pod has there`;
  if (isDeeperThan(pod, MAX_LEVELS)) return `it is nested more than ${MAX_LEVELS} levels deep`;
  return undefined;
}

function wrongField(value: Record<string, unknown>, fields: Fields): string | undefined {
  return Object.keys(fields).find(
    (name) => fields[name]?.(Object.hasOwn(value, name) ? value[name] : undefined) !== true,
  );
}

/** Level by level, since a function that calls itself would fail at what it looks for. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > levels) return true;
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []));
  }
  return false;
}
