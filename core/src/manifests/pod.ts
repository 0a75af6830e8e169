import * as v from 'valibot';
import type { PodRequest } from '../model/api.js';
import { TAINT_EFFECTS } from '../model/taints.js';
import { cpu, dictionary, dnsLabel, dnsName, labels, memory, packName, versionOrLatest, whole } from './fields.js';
import { ports } from './ports.js';
import { checkManifest } from './problems.js';

const text = v.string();
const optionalTexts = v.optional(v.array(text));

const toleration = v.pipe(
  v.strictObject({
    key: v.optional(text),
    operator: v.nullish(v.picklist(['Exists', 'Equal'])),
    value: v.optional(text),
    // Empty stands for every effect.
    effect: v.nullish(v.picklist(['', ...TAINT_EFFECTS])),
    tolerationSeconds: v.optional(whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
  }),
  v.check((it) => !!it.key || it.operator === 'Exists', 'needs a key, unless its operator is Exists'),
  v.check((it) => it.operator !== 'Exists' || !it.value, 'with operator Exists takes no value'),
  v.check(
    (it) => it.tolerationSeconds === undefined || it.effect === 'NoExecute',
    'takes tolerationSeconds only with effect NoExecute',
  ),
);

function requirement(operators: readonly [string, ...string[]]) {
  return v.pipe(
    v.strictObject({ key: text, operator: v.picklist(operators), values: optionalTexts }),
    v.check(
      (it) => (it.operator === 'Exists' || it.operator === 'DoesNotExist') === !it.values?.length,
      'needs values, unless its operator is Exists or DoesNotExist',
    ),
  );
}

const labelSelector = v.strictObject({
  matchLabels: v.optional(labels),
  matchExpressions: v.optional(v.array(requirement(['In', 'NotIn', 'Exists', 'DoesNotExist']))),
});

const nodeSelectorTerm = v.strictObject({
  matchExpressions: v.optional(v.array(requirement(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']))),
  matchFields: v.optional(
    v.array(
      v.strictObject({
        key: v.literal('metadata.name'),
        operator: v.picklist(['In', 'NotIn']),
        values: v.pipe(v.array(dnsName), v.length(1, 'has the name of one node')),
      }),
    ),
  ),
});

const weight = whole(1, 100);

const podAffinityTerm = v.strictObject({
  labelSelector: v.optional(labelSelector),
  matchLabelKeys: optionalTexts,
  mismatchLabelKeys: optionalTexts,
  topologyKey: text,
  namespaces: optionalTexts,
  namespaceSelector: v.optional(labelSelector),
});

const nodePolicy = v.nullish(v.picklist(['Honor', 'Ignore']));

const topologySpreadConstraint = v.strictObject({
  maxSkew: whole(1, 10_000),
  topologyKey: text,
  whenUnsatisfiable: v.picklist(['DoNotSchedule', 'ScheduleAnyway']),
  labelSelector: v.optional(labelSelector),
  matchLabelKeys: optionalTexts,
  minDomains: v.optional(whole(1, 10_000)),
  nodeAffinityPolicy: nodePolicy,
  nodeTaintsPolicy: nodePolicy,
});

const podAffinity = v.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: v.optional(v.array(podAffinityTerm)),
  preferredDuringSchedulingIgnoredDuringExecution: v.optional(v.array(v.strictObject({ weight, podAffinityTerm }))),
});

const affinity = v.strictObject({
  nodeAffinity: v.optional(
    v.strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: v.optional(
        v.strictObject({
          nodeSelectorTerms: v.pipe(v.array(nodeSelectorTerm), v.minLength(1, 'needs at least one term')),
        }),
      ),
      preferredDuringSchedulingIgnoredDuringExecution: v.optional(
        v.array(v.strictObject({ weight, preference: nodeSelectorTerm })),
      ),
    }),
  ),
  podAffinity: v.optional(podAffinity),
  podAntiAffinity: v.optional(podAffinity),
});

const amounts = v.strictObject({
  cpu: v.optional(cpu),
  memory: v.optional(memory),
  storage: v.optional(memory),
  pods: v.optional(whole(0, 1e9)),
});

const httpProbe = v.strictObject({
  httpGet: v.strictObject({ path: v.optional(text), port: v.union([dnsLabel, whole(1, 65535)]) }),
  initialDelaySeconds: v.optional(whole(0, 3600)),
  periodSeconds: v.optional(whole(1, 3600)),
  timeoutSeconds: v.optional(whole(1, 3600)),
  successThreshold: v.optional(whole(1, 3600)),
  failureThreshold: v.optional(whole(1, 3600)),
});

/** The checks of a pod's spec, shared by every document that holds one. */
export const podSpecSchema = v.strictObject({
  nodeName: v.optional(dnsName),
  nodeSelector: v.optional(labels),
  tolerations: v.optional(v.array(toleration)),
  affinity: v.optional(affinity),
  topologySpreadConstraints: v.optional(v.array(topologySpreadConstraint)),
  preemptionPolicy: v.optional(v.picklist(['PreemptLowerPriority', 'Never'])),
  priorityClassName: v.optional(dnsName),
  resources: v.optional(v.strictObject({ requests: v.optional(amounts), limits: v.optional(amounts) })),
  config: v.optional(dictionary(v.unknown())),
  env: v.optional(dictionary(text)),
  ports: v.optional(ports),
  restartPolicy: v.optional(v.picklist(['Always', 'OnFailure', 'Never'])),
  terminationGracePeriodSeconds: v.optional(whole(0, 3600)),
  isolation: v.optional(v.picklist(['process', 'worker'])),
  startupProbe: v.optional(httpProbe),
  readinessProbe: v.optional(v.union([v.strictObject({ packReady: v.strictObject({}) }), httpProbe])),
  livenessProbe: v.optional(httpProbe),
});

/** The checks of a request for pods. */
export const podRequestSchema = v.strictObject({
  pack: packName,
  version: v.optional(versionOrLatest),
  namespace: v.optional(dnsLabel),
  name: v.optional(dnsLabel),
  replicas: v.optional(whole(1, 10_000)),
  labels: v.optional(labels),
  annotations: v.optional(dictionary(text)),
  priority: v.optional(whole(0, 1000)),
  spec: v.optional(podSpecSchema),
});

/** Checks a document that asks for pods and gives the argument of `create_pods`, quantities in millicores and MB. */
export function toPodRequest(document: unknown, what = 'pod'): PodRequest {
  const { version, ...request } = checkManifest(podRequestSchema, document, what);
  const wanted = version === undefined || version === 'latest' ? request : { ...request, version };
  return wanted as PodRequest;
}

/** Same for several documents; the error says which one is wrong. */
export function toPodRequests(documents: readonly unknown[]): PodRequest[] {
  return documents.map((document, index) =>
    toPodRequest(document, documents.length === 1 ? 'pod' : `pod ${index + 1}`),
  );
}
