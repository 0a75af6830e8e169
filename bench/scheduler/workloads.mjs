// The workloads that kube-scheduler is held to (test/integration/scheduler_perf), with its thresholds at 5,000 nodes in pods/s,
// and what we aim at with ten templates.
// `spec` and `labels` are SQL over i; $T is the number of the pod's template: i % 10 with ten templates, i with one each.

const requests = (cpu, memory) =>
  `'resources', jsonb_build_object('requests', jsonb_build_object('cpu', ${cpu}, 'memory', ${memory}))`;
const small = (each) => (each ? requests('100 + i % 191', '200 + i % 293') : requests(100, 500));
const spec = (...parts) => `jsonb_build_object(${parts.join(', ')})`;
const labels = (label) => `jsonb_build_object(${label}, 'template', 't' || $T)`;
const podTerm = (key, label) =>
  `jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_array(jsonb_build_object('topologyKey', '${key}', 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object(${label})))))`;

/** Ten templates have ten labels; with a template each, pods share one label and differ in everything else. */
const group = (each) => (each ? `'group', 'all'` : `'group', 'g' || $T`);

export const workloads = [
  {
    name: 'basic',
    threshold: 680,
    aim: 6_800,
    spec: (each) => spec(small(each)),
    labels: () => labels(`'app', 'basic'`),
  },
  {
    name: 'node affinity',
    threshold: 220,
    aim: 2_200,
    labels: () => labels(`'app', 'affine'`),
    spec: (each) =>
      spec(
        small(each),
        `'affinity', jsonb_build_object('nodeAffinity', jsonb_build_object('requiredDuringSchedulingIgnoredDuringExecution', jsonb_build_object('nodeSelectorTerms', jsonb_build_array(jsonb_build_object('matchExpressions', jsonb_build_array(jsonb_build_object('key', 'zone', 'operator', 'In', 'values', jsonb_build_array('zone-' || i % 10, 'zone-' || (i + 1) % 10, 'none-' || $T))))))))`,
      ),
  },
  {
    name: 'topology spread',
    threshold: 460,
    aim: 4_600,
    labels: (each) => labels(group(each)),
    spec: (each) =>
      spec(
        small(each),
        `'topologySpreadConstraints', jsonb_build_array(jsonb_build_object('maxSkew', 5, 'topologyKey', 'zone', 'whenUnsatisfiable', 'DoNotSchedule', 'labelSelector', jsonb_build_object('matchLabels', jsonb_build_object(${group(each)}))))`,
      ),
  },
  {
    name: 'anti-affinity',
    threshold: 60,
    aim: 600,
    // With one label for all, no more pods than nodes can be placed.
    pods: (pods, nodes, each) => (each ? Math.min(pods, Math.floor(nodes * 0.8)) : Math.min(pods, nodes * 8)),
    labels: (each) => labels(group(each)),
    spec: (each) =>
      spec(small(each), `'affinity', jsonb_build_object('podAntiAffinity', ${podTerm('hostname', group(each))})`),
  },
  {
    name: 'pod affinity',
    threshold: 35,
    aim: 350,
    // A zone is a tenth of the nodes; with one label for all, all pods go to one.
    pods: (pods, nodes, each) => (each ? Math.min(pods, Math.floor((nodes / 10) * 15)) : pods),
    labels: (each) => labels(group(each)),
    spec: (each) => spec(small(each), `'affinity', jsonb_build_object('podAffinity', ${podTerm('zone', group(each))})`),
  },
  {
    name: 'preemption',
    threshold: 570,
    aim: 2_000,
    pods: (pods, nodes) => Math.min(pods, nodes),
    priority: 500,
    labels: () => labels(`'app', 'urgent'`),
    spec: (each) => spec(each ? requests('2900 + i % 90', '500 + i % 293') : requests(3000, 500)),
    before: { perNode: 4, prefix: 'low', priority: 10, spec: spec(requests(900, 500)) },
  },
  {
    name: 'preemption of running pods',
    threshold: 570,
    aim: 2_000,
    pods: (pods, nodes) => Math.min(pods, nodes),
    priority: 500,
    labels: () => labels(`'app', 'urgent'`),
    spec: (each) => spec(each ? requests('2900 + i % 90', '500 + i % 293') : requests(3000, 500)),
    // They get their grace, so the newcomers wait for the report of their end.
    before: { perNode: 4, prefix: 'low', priority: 10, spec: spec(requests(900, 500)), runs: true },
  },
  {
    name: 'unschedulable in the way',
    threshold: 590,
    aim: 5_900,
    labels: () => labels(`'app', 'basic'`),
    spec: (each) => spec(small(each)),
    before: { count: 200, prefix: 'stuck', priority: 100, spec: spec(requests('9000 + i', 500)) },
  },
];

/** A workload's SQL for ten templates or for one each. */
export function podsOf(workload, each) {
  const template = each ? 'i' : '(i % 10)';
  const fill = (text) => text.replaceAll('$T', template);
  return { spec: fill(workload.spec(each)), labels: fill(workload.labels(each)), priority: workload.priority ?? 100 };
}
