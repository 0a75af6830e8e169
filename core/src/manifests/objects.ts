import * as v from 'valibot';
import { parseDuration } from '../model/duration.js';
import { PACK_RUNTIMES, PACK_VISIBILITIES } from '../model/pack.js';
import { parseTaint, TAINT_EFFECTS, type Taint } from '../model/taints.js';
import { deploymentFields } from './deployment.js';
import {
  cpu,
  described,
  dictionary,
  dnsLabel,
  labels,
  memory,
  optional,
  packName,
  version,
  versionOrLatest,
  whole,
} from './fields.js';
import { podSpecSchema } from './pod.js';
import { ports } from './ports.js';

// What a file can say of each kind of object. The fields are those of the functions that make them, in camelCase.

const text = v.string();
const flag = v.boolean();
const description = optional(
  'What it is, for people.',
  v.pipe(text, v.maxLength(2000, 'has more than 2000 characters')),
);

const amountsOfPods = {
  cpu: optional('Processor time: millicores as a number, or "500m", "1.5".', cpu),
  memory: optional('Memory: MB as a number, or "512Mi", "1Gi".', memory),
  storage: optional('Room on the disk: MB as a number, or "512Mi", "1Gi".', memory),
};

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
  v.strictObject({
    key: described('Key, which tolerations name.', text),
    value: optional('Value, which tolerations may compare.', text),
    effect: described('What it does to pods that do not tolerate it.', v.picklist(TAINT_EFFECTS)),
  }),
  parsed<Taint>(text as v.GenericSchema<string | number>, parseTaint),
]);

const pack = {
  source: optional('The folder or file that is bundled; without one the pack is there already.', text),
  name: optional('Name; that of its package.json where it is left out.', packName),
  version: optional('Version; that of its package.json where it is left out.', version),
  runtime: optional(
    'Where it runs; isomorphic, also called universal, everywhere.',
    v.picklist([...PACK_RUNTIMES, 'universal']),
  ),
  visibility: optional('private packs run on nodes of their owner and of admins.', v.picklist(PACK_VISIBILITIES)),
  description,
  ports: optional('Ports that its pods have where their spec names none.', ports),
  external: optional('Modules that are not bundled.', v.array(text)),
};

const namespace = {
  name: dnsLabel,
  labels: v.optional(labels),
  quota: optional(
    'What its live pods may ask for together.',
    v.strictObject({
      ...amountsOfPods,
      pods: optional('How many live pods.', whole(0, 1e9)),
      deployments: optional('How many deployments.', whole(0, 1e9)),
    }),
  ),
  limitRange: optional(
    'What one pod may ask for.',
    v.strictObject({
      default: optional('What a pod has that asks for nothing.', v.strictObject(amountsOfPods)),
      min: optional('The least that a pod may ask for.', v.strictObject(amountsOfPods)),
      max: optional('The most that a pod may ask for.', v.strictObject(amountsOfPods)),
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
  pack: described('Name of the pack.', packName),
  version: optional('Version of the pack. Default: the newest that is ready.', versionOrLatest),
  labels: optional('Labels, by which it is chosen.', labels),
  annotations: optional('What people and tools note about it.', dictionary(text)),
  priority: optional('Priority; higher is placed first. Default: that of its priority class.', whole(0, 1000)),
  spec: v.optional(podSpecSchema),
};

const role = {
  name: dnsLabel,
  permissions: described(
    'What it allows: kind:verb for everything, kind:verb:own for what one owns.',
    v.array(
      v.pipe(text, v.regex(/^[a-z*]+:[a-z*-]+(:(own|any))?$/, 'must be kind:verb or kind:verb:own, such as pods:get')),
    ),
  ),
  description,
};

const roleBinding = {
  user: described('E-mail address or id of the user.', text),
  role: dnsLabel,
  namespace: optional('Where it counts; the whole cluster without one.', dnsLabel),
};

const joinToken = {
  name: described('Name, by which the next apply knows it.', dnsLabel),
  ttl: optional(
    'How long it may be used: seconds, or "1h". Default: an hour.',
    v.pipe(
      parsed(v.union([text, v.number()]), (value) => Math.round(parseDuration(value) / 1000)),
      v.minValue(1, 'must be from 1 second to 30 days'),
      v.maxValue(2_592_000, 'must be from 1 second to 30 days'),
    ),
  ),
  uses: optional('How many machines may join by it. Default: one.', whole(1, 1000)),
  labels: v.optional(labels),
  taints: optional('Taints of the nodes that join by it: objects, or "key=value:effect".', v.array(taint)),
  accepts: optional('Whose pods these nodes take.', v.picklist(['anyone', 'namespaces', 'owner'])),
  acceptedNamespaces: optional('With accepts namespaces: which.', v.array(dnsLabel)),
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
