import * as v from 'valibot';
import { described, dictionary, dnsLabel, labels, optional, packName, versionOrLatest, whole } from './fields.js';
import { podSpecSchema } from './pod.js';

const text = v.string();
const flag = v.boolean();

const amount = v.union([
  whole(0, 100_000),
  v.pipe(v.string(), v.regex(/^(100|\d{1,2})%$/, 'must be a whole number of pods, or percents such as "25%"')),
]);

const seconds = v.union([whole(0, 604_800), v.pipe(v.string(), v.regex(/^\d{1,6}(s|m|h|d)$/, 'must be like "10m"'))]);

const scalingRules = v.strictObject({
  stabilizationWindowSeconds: v.nullish(
    described('The most cautious recommendation of so many seconds counts.', whole(0, 3600)),
  ),
  tolerance: v.nullish(
    described('How far from its target a metric may be before anything changes: 0.1 is a tenth.', v.number()),
  ),
  selectPolicy: v.nullish(
    described('Which of the policies counts; Disabled never scales this way.', v.picklist(['Max', 'Min', 'Disabled'])),
  ),
  policies: v.nullish(
    described(
      'How fast it may go.',
      v.array(
        v.strictObject({
          type: described('Whether value is pods, or percents of those there are.', v.picklist(['Pods', 'Percent'])),
          value: described('So many at most.', v.number()),
          periodSeconds: described('In so many seconds.', v.number()),
        }),
      ),
    ),
  ),
});

const autoscale = v.strictObject({
  min: optional('How few pods there may be; 0 lets it sleep while it is idle. Default: 1.', whole(0, 10_000)),
  max: described('How many pods there may be.', whole(1, 10_000)),
  metrics: described(
    'What decides; of several the one that wants most.',
    v.array(
      v.strictObject({
        name: described('cpu, memory, or a metric that its pods report.', text),
        target: described('What it shall be.', v.number()),
        type: optional(
          'Percents of what is requested, the mean of the pods, or the sum of them.',
          v.picklist(['Utilization', 'AverageValue', 'Value']),
        ),
      }),
    ),
  ),
  behavior: optional(
    'How fast and how cautiously.',
    v.strictObject({
      scaleUp: optional('To more pods.', scalingRules),
      scaleDown: optional('To fewer pods.', scalingRules),
    }),
  ),
  idleSeconds: optional('With min 0: after so long without work it is scaled to none.', whole(0, 86_400)),
});

/** The checks of what is wanted of a deployment, as `create_deployment` takes it. */
export const deploymentFields = {
  name: dnsLabel,
  namespace: v.optional(dnsLabel),
  pack: described('Name of the pack; never changes.', packName),
  version: optional('Version of the pack. Default: the newest that is ready.', versionOrLatest),
  mode: v.optional(v.picklist(['replicated', 'daemon'])),
  replicas: v.optional(whole(0, 10_000)),
  labels: v.optional(labels),
  annotations: v.optional(dictionary(text)),
  template: optional(
    'What its pods are made from; a change of it is a revision, and rolled out.',
    v.strictObject({
      labels: optional('Labels of its pods.', labels),
      annotations: optional('What people and tools note about its pods.', dictionary(text)),
      priority: optional('Priority; higher is placed first.', whole(0, 1000)),
      spec: v.optional(podSpecSchema),
    }),
  ),
  followLatest: optional(
    'Takes each newer version when it is ready: true, or a range such as "^1.2".',
    v.union([flag, text]),
  ),
  includePrerelease: v.optional(flag),
  strategy: optional(
    'How old pods give way to new ones.',
    v.strictObject({
      type: optional(
        'RollingUpdate, the default, or Recreate: old pods end before new ones are made.',
        v.picklist(['RollingUpdate', 'Recreate']),
      ),
      maxSurge: optional('How many pods more than wanted a rollout may have. Default: 25%.', amount),
      maxUnavailable: optional('How many pods less than wanted may be available. Default: 25%.', amount),
    }),
  ),
  minReadySeconds: v.optional(whole(0, 86_399)),
  progressDeadlineSeconds: v.optional(whole(1, 86_400)),
  revisionHistoryLimit: v.optional(whole(0, 100)),
  autoRollback: v.optional(flag),
  canary: optional(
    'A rollout that goes on in steps.',
    v.strictObject({
      steps: described(
        'One after the other: {weight}, and {pause}.',
        v.array(
          v.union([
            v.strictObject({ weight: described('Percents of the pods that are new ones.', whole(0, 100)) }),
            v.strictObject({
              pause: described('How long it holds; {} until it is promoted.', v.union([seconds, v.strictObject({})])),
            }),
          ]),
        ),
      ),
    }),
  ),
  disruption: optional(
    'What a drain may do to it; a drain stops all at once where it is left out.',
    v.strictObject({ maxUnavailable: described('How many pods less than wanted may be available.', amount) }),
  ),
  autoscale: optional('Pods by metrics instead of a fixed count.', autoscale),
  paused: v.optional(flag),
  changeCause: optional('Why it was changed, kept with its revision.', text),
};
