import * as v from 'valibot';
import { dictionary, dnsLabel, labels, packName, versionOrLatest, whole } from './fields.js';
import { podSpecSchema } from './pod.js';

const text = v.string();
const flag = v.boolean();

const amount = v.union([
  whole(0, 100_000),
  v.pipe(v.string(), v.regex(/^(100|\d{1,2})%$/, 'must be a whole number of pods, or percents such as "25%"')),
]);

const seconds = v.union([whole(0, 604_800), v.pipe(v.string(), v.regex(/^\d{1,6}(s|m|h|d)$/, 'must be like "10m"'))]);

const scalingRules = v.strictObject({
  stabilizationWindowSeconds: v.nullish(whole(0, 3600)),
  tolerance: v.nullish(v.number()),
  selectPolicy: v.nullish(v.picklist(['Max', 'Min', 'Disabled'])),
  policies: v.nullish(
    v.array(v.strictObject({ type: v.picklist(['Pods', 'Percent']), value: v.number(), periodSeconds: v.number() })),
  ),
});

const autoscale = v.strictObject({
  min: v.optional(whole(0, 10_000)),
  max: whole(1, 10_000),
  metrics: v.array(
    v.strictObject({
      name: text,
      target: v.number(),
      type: v.optional(v.picklist(['Utilization', 'AverageValue', 'Value'])),
    }),
  ),
  behavior: v.optional(v.strictObject({ scaleUp: v.optional(scalingRules), scaleDown: v.optional(scalingRules) })),
  idleSeconds: v.optional(whole(0, 86_400)),
});

/** The checks of what is wanted of a deployment, as `create_deployment` takes it. */
export const deploymentFields = {
  name: dnsLabel,
  namespace: v.optional(dnsLabel),
  pack: packName,
  version: v.optional(versionOrLatest),
  mode: v.optional(v.picklist(['replicated', 'daemon'])),
  replicas: v.optional(whole(0, 10_000)),
  labels: v.optional(labels),
  annotations: v.optional(dictionary(text)),
  template: v.optional(
    v.strictObject({
      labels: v.optional(labels),
      annotations: v.optional(dictionary(text)),
      priority: v.optional(whole(0, 1000)),
      spec: v.optional(podSpecSchema),
    }),
  ),
  followLatest: v.optional(v.union([flag, text])),
  includePrerelease: v.optional(flag),
  strategy: v.optional(
    v.strictObject({
      type: v.optional(v.picklist(['RollingUpdate', 'Recreate'])),
      maxSurge: v.optional(amount),
      maxUnavailable: v.optional(amount),
    }),
  ),
  minReadySeconds: v.optional(whole(0, 86_399)),
  progressDeadlineSeconds: v.optional(whole(1, 86_400)),
  revisionHistoryLimit: v.optional(whole(0, 100)),
  autoRollback: v.optional(flag),
  canary: v.optional(
    v.strictObject({
      steps: v.array(
        v.union([
          v.strictObject({ weight: whole(0, 100) }),
          v.strictObject({ pause: v.union([seconds, v.strictObject({})]) }),
        ]),
      ),
    }),
  ),
  disruption: v.optional(v.strictObject({ maxUnavailable: amount })),
  autoscale: v.optional(autoscale),
  paused: v.optional(flag),
  changeCause: v.optional(text),
};
