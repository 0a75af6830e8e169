import * as v from 'valibot';
import type { PodRequest } from '../model/api.js';
import { TAINT_EFFECTS } from '../model/taints.js';
import {
  cpu,
  described,
  dictionary,
  dnsLabel,
  dnsName,
  labels,
  memory,
  optional,
  packName,
  versionOrLatest,
  whole,
} from './fields.js';
import { ports } from './ports.js';
import { checkManifest } from './problems.js';

const text = v.string();
const texts = v.array(text);

const toleration = v.pipe(
  v.strictObject({
    key: optional('Key of the taint; every key where it is left out, with operator Exists.', text),
    operator: v.nullish(
      described('Equal (the default) compares the value, Exists takes any.', v.picklist(['Exists', 'Equal'])),
    ),
    value: optional('Value of the taint, with operator Equal.', text),
    effect: v.nullish(
      described('Effect of the taint; empty stands for every effect.', v.picklist(['', ...TAINT_EFFECTS])),
    ),
    tolerationSeconds: optional(
      'With effect NoExecute: how long the pod stays on a node that has the taint; for good where it is left out.',
      whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    ),
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
    v.strictObject({
      key: described('Key of the label.', text),
      operator: described('How its value is compared.', v.picklist(operators)),
      values: optional(
        'What it is compared with; nothing with Exists and DoesNotExist, one number with Gt and Lt.',
        texts,
      ),
    }),
    v.check(
      (it) => (it.operator === 'Exists' || it.operator === 'DoesNotExist') === !it.values?.length,
      'needs values, unless its operator is Exists or DoesNotExist',
    ),
  );
}

const labelSelector = v.strictObject({
  matchLabels: optional('Labels that must all be there, with these values.', labels),
  matchExpressions: optional(
    'Conditions on labels that must all hold.',
    v.array(requirement(['In', 'NotIn', 'Exists', 'DoesNotExist'])),
  ),
});

const nodeSelectorTerm = v.strictObject({
  matchExpressions: optional(
    'Conditions on labels of the node that must all hold.',
    v.array(requirement(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'])),
  ),
  matchFields: optional(
    'Conditions on the node itself.',
    v.array(
      v.strictObject({
        key: described('metadata.name, the name of the node.', v.literal('metadata.name')),
        operator: described('Whether it must be this node, or another one.', v.picklist(['In', 'NotIn'])),
        values: described('The name of one node.', v.pipe(v.array(dnsName), v.length(1, 'has the name of one node'))),
      }),
    ),
  ),
});

const weight = described('How much it counts beside the other preferences.', whole(1, 100));
const topologyKey = described('Label of nodes: those with the same value of it are one domain.', text);
const matchLabelKeys = optional('Keys of the own labels whose values the other pods must have too.', texts);

const podAffinityTerm = v.strictObject({
  labelSelector: optional('Which pods are meant, by their labels; none where it is left out.', labelSelector),
  matchLabelKeys,
  mismatchLabelKeys: optional('Keys of the own labels whose values the other pods must not have.', texts),
  topologyKey,
  namespaces: optional("Namespaces of these pods; the pod's own where this and namespaceSelector are left out.", texts),
  namespaceSelector: optional('Namespaces of these pods by their labels; {} means all.', labelSelector),
});

const nodePolicy = v.picklist(['Honor', 'Ignore']);

const topologySpreadConstraint = v.strictObject({
  maxSkew: described('How many pods more than the emptiest domain another one may have.', whole(1, 10_000)),
  topologyKey,
  whenUnsatisfiable: described(
    'DoNotSchedule leaves the pod pending, ScheduleAnyway makes it a preference.',
    v.picklist(['DoNotSchedule', 'ScheduleAnyway']),
  ),
  labelSelector: optional('Which pods are counted, by their labels.', labelSelector),
  matchLabelKeys,
  minDomains: optional('As long as there are fewer domains, the emptiest counts as having none.', whole(1, 10_000)),
  nodeAffinityPolicy: v.nullish(
    described(
      'Whether nodes that the pod cannot have by its affinity and selector are left out. Default: Honor.',
      nodePolicy,
    ),
  ),
  nodeTaintsPolicy: v.nullish(
    described('Whether nodes with taints that the pod does not tolerate are left out. Default: Ignore.', nodePolicy),
  ),
});

const podAffinity = v.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: optional(
    'Terms that must all hold when the pod is placed; what changes later does not move it.',
    v.array(podAffinityTerm),
  ),
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    'Terms that count by their weight when the pod is placed.',
    v.array(
      v.strictObject({ weight, podAffinityTerm: described('Which pods, and in which domain.', podAffinityTerm) }),
    ),
  ),
});

const affinity = v.strictObject({
  nodeAffinity: optional(
    'Which nodes, by their labels.',
    v.strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: optional(
        'What must hold when the pod is placed; labels that change later do not move it.',
        v.strictObject({
          nodeSelectorTerms: described(
            'Terms of which one must hold.',
            v.pipe(v.array(nodeSelectorTerm), v.minLength(1, 'needs at least one term')),
          ),
        }),
      ),
      preferredDuringSchedulingIgnoredDuringExecution: optional(
        'Terms that count by their weight when the pod is placed.',
        v.array(v.strictObject({ weight, preference: described('Which nodes are preferred.', nodeSelectorTerm) })),
      ),
    }),
  ),
  podAffinity: optional('Which other pods it wants in its domain.', podAffinity),
  podAntiAffinity: optional('Which other pods it wants in another domain.', podAffinity),
});

const amounts = v.strictObject({
  cpu: optional('Processor time: millicores as a number, or "500m", "1.5".', cpu),
  memory: optional('Memory: MB as a number, or "512Mi", "1Gi".', memory),
  storage: optional('Room on the disk: MB as a number, or "512Mi", "1Gi".', memory),
  pods: optional('Places for pods; each pod takes one.', whole(0, 1e9)),
});

const httpProbe = v.strictObject({
  httpGet: described(
    'The request; every status from 200 to 399 is well.',
    v.strictObject({
      path: optional('Default: /.', text),
      port: described("Name, or fixed number, of one of the pod's own ports.", v.union([dnsLabel, whole(1, 65535)])),
    }),
  ),
  initialDelaySeconds: optional('When the first one is sent after the start. Default: 0.', whole(0, 3600)),
  periodSeconds: optional('How often it is sent. Default: 10.', whole(1, 3600)),
  timeoutSeconds: optional('How long an answer may take. Default: 1.', whole(1, 3600)),
  successThreshold: optional('How many in a row must be well after one that failed. Default: 1.', whole(1, 3600)),
  failureThreshold: optional('How many in a row must fail. Default: 3.', whole(1, 3600)),
});

/** The checks of a pod's spec, shared by every document that holds one. */
export const podSpecSchema = described(
  'What is wanted: placement, resources, ports, restarts.',
  v.strictObject({
    nodeName: optional('The one node that may run it.', dnsName),
    nodeSelector: optional('Labels that its node must have.', labels),
    tolerations: optional('Taints of nodes that do not keep it away.', v.array(toleration)),
    affinity: optional('Which nodes and which company it needs, or would like.', affinity),
    topologySpreadConstraints: optional(
      'How pods are spread over the domains of a label of nodes.',
      v.array(topologySpreadConstraint),
    ),
    preemptionPolicy: optional(
      'Whether pods of lower priority are pushed out for it. Default: as its priority class has it.',
      v.picklist(['PreemptLowerPriority', 'Never']),
    ),
    priorityClassName: optional('Priority class; the default class where it is left out.', dnsName),
    resources: optional(
      'What it takes of a node.',
      v.strictObject({
        requests: optional('What is kept free for it on its node.', amounts),
        limits: optional('What it may take at most; of the processor it is only measured.', amounts),
      }),
    ),
    config: optional(
      'Handed to the pack as ctx.config. May be secret: reading it is a right of its own.',
      dictionary(v.unknown()),
    ),
    env: optional('Handed to the pack as ctx.env. May be secret: reading it is a right of its own.', dictionary(text)),
    ports: optional("Ports that it listens on; those of the pack's manifest where it is left out.", ports),
    restartPolicy: optional(
      'When its agent starts it again after an end. Default: Always.',
      v.picklist(['Always', 'OnFailure', 'Never']),
    ),
    terminationGracePeriodSeconds: optional(
      'How long it may take to stop before it is killed. Default: that of the cluster.',
      whole(0, 3600),
    ),
    isolation: optional(
      'A process of its own, which is the default, or a worker thread of the agent.',
      v.picklist(['process', 'worker']),
    ),
    startupProbe: optional(
      'While it fails the other two are not asked; a pod that never gets through is restarted.',
      httpProbe,
    ),
    readinessProbe: optional(
      'Whether the pod can serve; ready as soon as it runs where it is left out.',
      v.union([
        v.strictObject({ packReady: described('The pack says so itself, by ctx.ready().', v.strictObject({})) }),
        httpProbe,
      ]),
    ),
    livenessProbe: optional('A pod that fails it is restarted.', httpProbe),
  }),
);

/** The checks of a request for pods. */
export const podRequestSchema = v.strictObject({
  pack: described('Name of the pack.', packName),
  version: optional('Version of the pack. Default: the newest that is ready.', versionOrLatest),
  namespace: optional('Namespace.', dnsLabel),
  name: optional("Name, unique in the namespace; made up from the pack's where it is left out.", dnsLabel),
  replicas: optional('How many such pods to make, with names of their own. Default: 1.', whole(1, 10_000)),
  labels: optional('Labels, by which it is chosen.', labels),
  annotations: optional('What people and tools note about it.', dictionary(text)),
  priority: optional('Priority; higher is placed first. Default: that of its priority class.', whole(0, 1000)),
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
