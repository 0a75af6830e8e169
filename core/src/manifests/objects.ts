import * as v from 'valibot';
import { parseDuration } from '../model/duration.js';
import { PACK_RUNTIMES, PACK_VISIBILITIES } from '../model/pack.js';
import { parseTaint, TAINT_EFFECTS, type Taint } from '../model/taints.js';
import { deploymentFields } from './deployment.js';
import { cpu, dictionary, dnsLabel, labels, memory, packName, version, versionOrLatest, whole } from './fields.js';
import { podSpecSchema } from './pod.js';
import { ports } from './ports.js';

// What a file can say of each kind of object. The fields are those of the functions that make them, in camelCase.

const text = v.string();
const flag = v.boolean();
const description = v.optional(v.pipe(text, v.maxLength(2000, 'has more than 2000 characters')));

const amountsOfPods = { cpu: v.optional(cpu), memory: v.optional(memory), storage: v.optional(memory) };

/** A text or number that a parser of ours reads; what it says is wrong is what is wrong. */
function parsed<T>(input: v.GenericSchema<string | number>, parse: (value: string) => T) {
  return v.pipe(
    input,
    v.rawTransform<string | number, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return parse(String(dataset.value));
      } catch (error) {
        addIssue({ message: (error as Error).message });
        return NEVER;
      }
    }),
  );
}

const taint = v.union([
  v.strictObject({ key: text, value: v.optional(text), effect: v.picklist(TAINT_EFFECTS) }),
  parsed<Taint>(text as v.GenericSchema<string | number>, parseTaint),
]);

const pack = {
  /** The folder or file that is bundled; without one the pack is there already. */
  source: v.optional(text),
  name: v.optional(packName),
  version: v.optional(version),
  runtime: v.optional(v.picklist([...PACK_RUNTIMES, 'universal'])),
  visibility: v.optional(v.picklist(PACK_VISIBILITIES)),
  description,
  ports: v.optional(ports),
  external: v.optional(v.array(text)),
};

const namespace = {
  name: dnsLabel,
  labels: v.optional(labels),
  quota: v.optional(
    v.strictObject({
      ...amountsOfPods,
      pods: v.optional(whole(0, 1e9)),
      deployments: v.optional(whole(0, 1e9)),
    }),
  ),
  limitRange: v.optional(
    v.strictObject({
      default: v.optional(v.strictObject(amountsOfPods)),
      min: v.optional(v.strictObject(amountsOfPods)),
      max: v.optional(v.strictObject(amountsOfPods)),
    }),
  ),
};

const priorityClass = {
  name: dnsLabel,
  value: whole(0, 1000),
  globalDefault: v.optional(flag),
  preemptionPolicy: v.optional(v.picklist(['PreemptLowerPriority', 'Never'])),
  description,
};

// No replicas: their names would be made up by chance, and the next apply would not know which they were.
const pod = {
  name: dnsLabel,
  namespace: v.optional(dnsLabel),
  pack: packName,
  version: v.optional(versionOrLatest),
  labels: v.optional(labels),
  annotations: v.optional(dictionary(text)),
  priority: v.optional(whole(0, 1000)),
  spec: v.optional(podSpecSchema),
};

const role = {
  name: dnsLabel,
  permissions: v.array(
    v.pipe(text, v.regex(/^[a-z*]+:[a-z*-]+(:(own|any))?$/, 'must be kind:verb or kind:verb:own, such as pods:get')),
  ),
  description,
};

const roleBinding = {
  /** E-mail address or id. */
  user: text,
  role: dnsLabel,
  /** Where it counts; the whole cluster without one. */
  namespace: v.optional(dnsLabel),
};

const joinToken = {
  name: dnsLabel,
  ttl: v.optional(
    v.pipe(
      parsed(v.union([text, v.number()]), (value) => Math.round(parseDuration(value) / 1000)),
      v.minValue(1, 'must be from 1 second to 30 days'),
      v.maxValue(2_592_000, 'must be from 1 second to 30 days'),
    ),
  ),
  uses: v.optional(whole(1, 1000)),
  labels: v.optional(labels),
  taints: v.optional(v.array(taint)),
  accepts: v.optional(v.picklist(['anyone', 'namespaces', 'owner'])),
  acceptedNamespaces: v.optional(v.array(dnsLabel)),
};

const days = v.optional(whole(1, 3650));

/** The settings of the cluster, in camelCase. */
const clusterConfig = {
  schedulingPolicy: v.optional(v.picklist(['spread', 'bin_pack', 'least_loaded', 'random', 'affinity'])),
  schedulingSeed: v.optional(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  defaultNamespace: v.optional(dnsLabel),
  defaultCpuRequest: v.optional(cpu),
  defaultMemoryRequest: v.optional(memory),
  defaultGraceSeconds: v.optional(whole(0, 3600)),
  allowRegistration: v.optional(flag),
  allowNodeRegistration: v.optional(flag),
  maxPodsPerNode: v.optional(whole(0, 500)),
  eventRetentionDays: days,
  logRetentionDays: days,
  maxLogLinesPerPod: v.optional(whole(100, 1_000_000)),
  endedPodRetentionDays: days,
  liveness: v.optional(v.picklist(['fast', 'thrifty'])),
  heartbeatInterval: v.optional(whole(0, 3600)),
  heartbeatTimeout: v.optional(whole(0, 3600)),
};

/** The fields of each kind of object that a file may hold. */
export const OBJECT_FIELDS = {
  pack,
  namespace,
  priorityclass: priorityClass,
  role,
  rolebinding: roleBinding,
  clusterconfig: clusterConfig,
  deployment: deploymentFields,
  pod,
  jointoken: joinToken,
} as const;

/** The kinds of objects that a file may hold. */
export type ObjectKind = keyof typeof OBJECT_FIELDS;

/** The checks of an object of each kind, as it stands in a list of its kind. */
export const OBJECT_SCHEMAS = Object.fromEntries(
  Object.entries(OBJECT_FIELDS).map(([kind, fields]) => [kind, v.strictObject(fields)]),
) as unknown as { readonly [K in ObjectKind]: v.StrictObjectSchema<(typeof OBJECT_FIELDS)[K], undefined> };

/** What a file says of an object of a kind, as it is written. */
export type ObjectInput<K extends ObjectKind> = v.InferInput<(typeof OBJECT_SCHEMAS)[K]>;
