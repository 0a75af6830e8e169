// What docs/scheduling.md says, as plain code that looks at one pod and one node at a time. It shares nothing with the scheduler's
// SQL but the page, and it need not be quick.

export type Labels = Record<string, string>;

export interface Requirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  values?: string[];
}

export interface NodeTerm {
  matchExpressions?: Requirement[];
  matchFields?: Requirement[];
}

export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: Requirement[];
}

export interface PodTerm {
  topologyKey: string;
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
  namespaces?: string[];
  namespaceSelector?: LabelSelector;
}

export interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodTerm }[];
}

export interface SpreadConstraint {
  maxSkew: number;
  topologyKey: string;
  whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  minDomains?: number;
  nodeAffinityPolicy?: 'Honor' | 'Ignore';
  nodeTaintsPolicy?: 'Honor' | 'Ignore';
}

export interface Toleration {
  key?: string;
  operator?: 'Equal' | 'Exists';
  value?: string;
  effect?: string;
}

export interface Taint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

export interface Amounts {
  cpu: number;
  memory: number;
  storage: number;
}

export interface Spec {
  nodeName?: string;
  nodeSelector?: Labels;
  tolerations?: Toleration[];
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeTerm[] };
      preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeTerm }[];
    };
    podAffinity?: PodAffinity;
    podAntiAffinity?: PodAffinity;
  };
  topologySpreadConstraints?: SpreadConstraint[];
  ports?: { name: string; strategy?: 'fixed' | 'random'; port?: number }[];
  preemptionPolicy?: 'PreemptLowerPriority' | 'Never';
  resources: { requests: Amounts };
}

export interface Node {
  name: string;
  owner: string;
  runtime: 'node' | 'browser';
  status: 'healthy' | 'unhealthy' | 'offline';
  unschedulable: boolean;
  labels: Labels;
  taints: Taint[];
  allocatable: Amounts & { pods: number };
}

export interface Pack {
  name: string;
  owner: string;
  visibility: 'public' | 'private';
  runtime: 'node' | 'browser' | 'isomorphic';
}

export interface Pod {
  name: string;
  namespace: string;
  pack: Pack;
  labels: Labels;
  priority: number;
  spec: Spec;
  /** Where it runs, and since when (larger is later). */
  node?: string;
  since?: number;
  isStopping?: boolean;
  /** Whether its agent has said that it has begun. */
  hasBegun?: boolean;
}

export type Policy = 'spread' | 'least_loaded' | 'bin_pack' | 'affinity';

export interface Cluster {
  policy: Policy;
  admins: string[];
  namespaces: { name: string; labels: Labels }[];
  nodes: Node[];
  pods: Pod[];
}

export const preferences = ['taints', 'node affinity', 'pod affinity', 'topology spread'] as const;
export type Preference = (typeof preferences)[number];

/** What becomes of a pod. */
export interface Outcome {
  node?: string;
  nominated?: string;
  victims: string[];
  /** What it may say: a pod that has another turn may say what it said before. */
  messages: string[];
}

// Labels, taints, selectors -----------------------------------------------------------------------------------------------

function meets(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  const number = value !== undefined && /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return number > Number(values[0]);
    case 'Lt':
      return number < Number(values[0]);
  }
}

/** One term is enough, of which everything must be met; a term that is empty matches nothing. */
function matchesTerm(node: Node, { matchExpressions = [], matchFields = [] }: NodeTerm): boolean {
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every((it) => meets(node.labels[it.key], it)) &&
    matchFields.every((it) => meets(node.name, it))
  );
}

function selects(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((it) => meets(labels[it.key], it))
  );
}

function tolerates(tolerations: Toleration[], taint: Taint): boolean {
  return tolerations.some((it) => {
    if (it.effect && it.effect !== taint.effect) return false;
    if (it.operator === 'Exists') return !it.key || it.key === taint.key;
    return it.key === taint.key && (it.value ?? '') === (taint.value ?? '');
  });
}

function wantedTerms(pod: Pod): NodeTerm[] | undefined {
  return pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

function matchesNodeAffinity(pod: Pod, node: Node): boolean {
  const terms = wantedTerms(pod);
  return terms === undefined || terms.some((term) => matchesTerm(node, term));
}

function matchesNodeSelector(pod: Pod, node: Node): boolean {
  return Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => node.labels[key] === value);
}

function refusedTaints(pod: Pod, node: Node, effects: string[]): Taint[] {
  return node.taints.filter((it) => effects.includes(it.effect) && !tolerates(pod.spec.tolerations ?? [], it));
}

function isClosedToIt(pod: Pod, node: Node): boolean {
  const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return node.unschedulable && !tolerates(pod.spec.tolerations ?? [], cordon);
}

function fixedPorts(pod: Pod): number[] {
  return (pod.spec.ports ?? []).flatMap((it) => (it.port === undefined ? [] : [it.port]));
}

const required = (rules: PodAffinity | undefined) => rules?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
const preferred = (rules: PodAffinity | undefined) => rules?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** A pod that is on a node, or that a node was promised to. */
interface Resident {
  pod: Pod;
  node: Node;
  /** It is stopping, or will be. */
  leaves: boolean;
}

export class Oracle {
  private readonly cluster: Cluster;
  private readonly nodes: Node[];
  private readonly choice: (pod: Pod) => string | null | undefined;
  private residents: Resident[];

  /** `choice` says which of the nodes where preemption would cost the same a pod is promised. */
  constructor(cluster: Cluster, choice: (pod: Pod) => string | null | undefined = () => undefined) {
    this.cluster = cluster;
    this.choice = choice;
    this.nodes = [...cluster.nodes].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.residents = cluster.pods.map((pod) => ({
      pod,
      node: this.nodes.find(({ name }) => name === pod.node) as Node,
      leaves: pod.isStopping === true,
    }));
  }

  // Filters -------------------------------------------------------------------------------------------------------------

  /** Why each filter rejects the node for the pod; nothing when none does. */
  reasons(pod: Pod, node: Node): string[] {
    const { spec, pack } = pod;
    const free = this.freeOn(node);
    const wanted = spec.resources.requests;
    const reasons: string[] = [];
    if (pack.runtime !== 'isomorphic' && pack.runtime !== node.runtime) reasons.push(`runtime ${pack.runtime} wanted`);
    if (pack.visibility === 'private' && node.owner !== pack.owner && !this.cluster.admins.includes(node.owner))
      reasons.push('private pack');
    if (node.status !== 'healthy') reasons.push(`node ${node.status}`);
    if (isClosedToIt(pod, node)) reasons.push('unschedulable');
    if (spec.nodeName !== undefined && spec.nodeName !== node.name) reasons.push(`node name ${spec.nodeName} wanted`);
    if (!matchesNodeSelector(pod, node)) reasons.push('node selector');
    if (!matchesNodeAffinity(pod, node)) reasons.push('node affinity');
    for (const { key, value, effect } of refusedTaints(pod, node, ['NoSchedule', 'NoExecute']))
      reasons.push(`taint ${key}${value ? `=${value}` : ''}:${effect}`);
    for (const what of ['cpu', 'memory', 'storage'] as const)
      if (wanted[what] > 0 && wanted[what] > free[what]) reasons.push(`insufficient ${what}`);
    if (free.pods < 1) reasons.push('insufficient pods');
    const taken = this.residents.filter((it) => it.node === node).flatMap((it) => fixedPorts(it.pod));
    for (const port of fixedPorts(pod)) if (taken.includes(port)) reasons.push(`port ${port} taken`);
    if (!this.hasCompany(pod, node)) reasons.push('pod affinity');
    const unwanted = required(spec.affinity?.podAntiAffinity);
    if (unwanted.some((term) => this.residents.some((it) => this.isNear(it, pod, term, node))))
      reasons.push('pod anti-affinity');
    if (this.residents.some((it) => this.keepsAway(it, pod, node))) reasons.push('anti-affinity of pods there');
    for (const key of this.overfull(pod, node)) reasons.push(`topology spread ${key}`);
    return [...new Set(reasons)].sort();
  }

  feasible(pod: Pod): Node[] {
    return this.nodes.filter((node) => this.reasons(pod, node).length === 0);
  }

  private freeOn(node: Node): Amounts & { pods: number } {
    const free = { ...node.allocatable };
    for (const { pod } of this.residents.filter((it) => it.node === node)) {
      free.pods -= 1;
      for (const what of ['cpu', 'memory', 'storage'] as const) free[what] -= pod.spec.resources.requests[what];
    }
    return free;
  }

  /** Whether a term of `owner` speaks of `other`. */
  private speaksOf(owner: Pod, term: PodTerm | SpreadConstraint, other: Pod): boolean {
    const { namespaces = [], namespaceSelector } = term as PodTerm;
    const isOwnOnly = namespaces.length === 0 && namespaceSelector === undefined;
    const isMeant = isOwnOnly
      ? other.namespace === owner.namespace
      : this.cluster.namespaces.some(
          ({ name, labels }) =>
            name === other.namespace && (namespaces.includes(name) || selects(namespaceSelector, labels)),
        );
    const own = (key: string) => owner.labels[key] !== undefined;
    return (
      isMeant &&
      selects(term.labelSelector, other.labels) &&
      (term.matchLabelKeys ?? []).filter(own).every((key) => other.labels[key] === owner.labels[key]) &&
      ((term as PodTerm).mismatchLabelKeys ?? []).filter(own).every((key) => other.labels[key] !== owner.labels[key])
    );
  }

  /** Whether the resident is one that the term of `owner` speaks of, in the domain of `node`. */
  private isNear(resident: Resident, owner: Pod, term: PodTerm, node: Node): boolean {
    const domain = node.labels[term.topologyKey];
    return (
      domain !== undefined &&
      resident.node.labels[term.topologyKey] === domain &&
      this.speaksOf(owner, term, resident.pod)
    );
  }

  private keepsAway(resident: Resident, pod: Pod, node: Node): boolean {
    return required(resident.pod.spec.affinity?.podAntiAffinity).some((term) => {
      const domain = node.labels[term.topologyKey];
      return (
        domain !== undefined &&
        resident.node.labels[term.topologyKey] === domain &&
        this.speaksOf(resident.pod, term, pod)
      );
    });
  }

  private hasCompany(pod: Pod, node: Node): boolean {
    const terms = required(pod.spec.affinity?.podAffinity);
    if (terms.length === 0) return true;
    if (terms.some((term) => node.labels[term.topologyKey] === undefined)) return false;
    const satisfies = (other: Pod) => terms.every((term) => this.speaksOf(pod, term, other));
    const company = this.residents.filter((it) => satisfies(it.pod));
    const counts = company.some((it) => terms.some((term) => it.node.labels[term.topologyKey] !== undefined));
    if (!counts && satisfies(pod)) return true; // the first of its kind
    return terms.every((term) =>
      company.some((it) => it.node.labels[term.topologyKey] === node.labels[term.topologyKey]),
    );
  }

  /** How many pods a spread constraint counts in each domain. Nodes count that have all the keys, and that its policies let. */
  private domains(pod: Pod, constraint: SpreadConstraint, keys: string[]): Map<string, number> {
    const counted = this.nodes.filter(
      (node) =>
        keys.every((key) => node.labels[key] !== undefined) &&
        (constraint.nodeAffinityPolicy === 'Ignore' ||
          (matchesNodeSelector(pod, node) && matchesNodeAffinity(pod, node))) &&
        (constraint.nodeTaintsPolicy !== 'Honor' ||
          (refusedTaints(pod, node, ['NoSchedule', 'NoExecute']).length === 0 && !isClosedToIt(pod, node))),
    );
    const domains = new Map<string, number>();
    for (const node of counted) {
      const domain = node.labels[constraint.topologyKey] as string;
      const there = this.residents.filter(
        (it) => it.node === node && !it.leaves && this.speaksOf(pod, constraint, it.pod),
      );
      domains.set(domain, (domains.get(domain) ?? 0) + there.length);
    }
    return domains;
  }

  private constraints(pod: Pod, when: SpreadConstraint['whenUnsatisfiable']): SpreadConstraint[] {
    return (pod.spec.topologySpreadConstraints ?? []).filter((it) => it.whenUnsatisfiable === when);
  }

  /** The topology keys of the constraints that the pod would break on this node. */
  private overfull(pod: Pod, node: Node): string[] {
    const constraints = this.constraints(pod, 'DoNotSchedule');
    const keys = constraints.map(({ topologyKey }) => topologyKey);
    return constraints
      .filter((constraint) => {
        const domain = node.labels[constraint.topologyKey];
        if (domain === undefined) return true;
        const domains = this.domains(pod, constraint, keys);
        const fewest = domains.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...domains.values());
        const own = this.speaksOf(pod, constraint, pod) ? 1 : 0;
        return (domains.get(domain) ?? 0) + own - fewest > constraint.maxSkew;
      })
      .map(({ topologyKey }) => topologyKey);
  }

  // Scores --------------------------------------------------------------------------------------------------------------

  /** What each of the nodes that passed the filters earns, by the policy and by each preference. */
  scores(pod: Pod, nodes = this.feasible(pod)): Map<Node, { policy: number } & Record<Preference, number>> {
    const taints = this.scale(
      nodes.map((node) => refusedTaints(pod, node, ['PreferNoSchedule']).length),
      'least',
    );
    const affinity = this.scale(
      nodes.map((node) =>
        (pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
          .filter(({ preference }) => matchesTerm(node, preference))
          .reduce((sum, { weight }) => sum + weight, 0),
      ),
      'most',
    );
    const company = this.scale(
      nodes.map((node) => this.company(pod, node)),
      'stretched',
    );
    const spread = this.spread(pod, nodes);
    return new Map(
      nodes.map((node, i) => [
        node,
        {
          policy: this.policy(pod, node),
          taints: 3 * (taints[i] ?? 0),
          'node affinity': 2 * (affinity[i] ?? 0),
          'pod affinity': 2 * (company[i] ?? 0),
          'topology spread': 2 * (spread[i] ?? 0),
        },
      ]),
    );
  }

  private scale(counts: number[], how: 'most' | 'least' | 'stretched'): number[] {
    const [low, high] = [Math.min(...counts), Math.max(...counts)];
    return counts.map((count) => {
      if (how === 'stretched') return high === low ? 0 : Math.floor((100 * (count - low)) / (high - low));
      const part = high === 0 ? 0 : Math.floor((100 * count) / high);
      return how === 'most' ? part : 100 - part;
    });
  }

  private policy(pod: Pod, node: Node): number {
    const free = this.freeOn(node);
    const { cpu, memory } = pod.spec.resources.requests;
    const used = {
      cpu: (node.allocatable.cpu - free.cpu + cpu) / Math.max(node.allocatable.cpu, 1),
      memory: (node.allocatable.memory - free.memory + memory) / Math.max(node.allocatable.memory, 1),
      pods: (node.allocatable.pods - free.pods + 1) / Math.max(node.allocatable.pods, 1),
    };
    const points = (part: number) => Math.round(1e8 * part) / 1e6;
    const spread = points(1 - Math.max(used.cpu, used.memory, used.pods));
    switch (this.cluster.policy) {
      case 'spread':
        return spread;
      case 'affinity':
        return spread / 10;
      case 'least_loaded':
        return points(1 - (used.cpu + used.memory) / 2);
      case 'bin_pack':
        return points((used.cpu + used.memory) / 2);
    }
  }

  private company(pod: Pod, node: Node): number {
    const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
    const own = [
      ...preferred(podAffinity).map(({ weight, podAffinityTerm }) => ({ weight, term: podAffinityTerm })),
      ...preferred(podAntiAffinity).map(({ weight, podAffinityTerm }) => ({ weight: -weight, term: podAffinityTerm })),
    ];
    let sum = 0;
    for (const resident of this.residents) {
      for (const { weight, term } of own) if (this.isNear(resident, pod, term, node)) sum += weight;
      const theirs = resident.pod.spec.affinity;
      const terms = [
        ...preferred(theirs?.podAffinity).map(({ weight, podAffinityTerm }) => ({ weight, term: podAffinityTerm })),
        ...preferred(theirs?.podAntiAffinity).map(({ weight, podAffinityTerm }) => ({
          weight: -weight,
          term: podAffinityTerm,
        })),
        ...required(theirs?.podAffinity).map((term) => ({ weight: 1, term })),
      ];
      for (const { weight, term } of terms) {
        const domain = node.labels[term.topologyKey];
        if (domain === undefined || resident.node.labels[term.topologyKey] !== domain) continue;
        if (this.speaksOf(resident.pod, term, pod)) sum += weight;
      }
    }
    return sum;
  }

  private spread(pod: Pod, nodes: Node[]): number[] {
    const constraints = this.constraints(pod, 'ScheduleAnyway');
    if (constraints.length === 0) return nodes.map(() => 0);
    const keys = constraints.map(({ topologyKey }) => topologyKey);
    const hasKeys = (node: Node) => keys.every((key) => node.labels[key] !== undefined);
    const counts = nodes.map((node) => {
      if (!hasKeys(node)) return undefined;
      const sum = constraints.reduce((all, constraint) => {
        const { topologyKey, maxSkew } = constraint;
        const domains = new Set(nodes.filter(hasKeys).map(({ labels }) => labels[topologyKey]));
        const pods = this.domains(pod, constraint, keys).get(node.labels[topologyKey] as string) ?? 0;
        return all + (pods * Math.log(domains.size + 2) + maxSkew - 1);
      }, 0);
      return Math.round(sum);
    });
    const known = counts.filter((it) => it !== undefined);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return counts.map((count) => {
      if (count === undefined) return 0;
      return high === 0 ? 100 : Math.floor((100 * (high + low - count)) / high);
    });
  }

  /** The best node; `without` leaves a preference, or the policy, out. */
  best(pod: Pod, without?: Preference | 'policy'): Node | undefined {
    let best: { node: Node; points: number } | undefined;
    for (const [node, score] of this.scores(pod)) {
      const points =
        (without === 'policy' ? 0 : score.policy) +
        preferences.reduce((sum, it) => sum + (it === without ? 0 : score[it]), 0);
      if (best === undefined || points > best.points) best = { node, points };
    }
    return best?.node;
  }

  // Preemption ----------------------------------------------------------------------------------------------------------

  /** Who would have to leave the node for the pod; undefined where it does not help. */
  private victimsOn(pod: Pod, node: Node): Resident[] | undefined {
    const before = this.residents;
    const lower = before.filter(
      (it) => it.node === node && it.pod.node !== undefined && it.pod.priority < pod.priority,
    );
    // Those for whom no lower pod is to blame stay what they are.
    const resolvable = /^(insufficient |port |pod anti-affinity$|anti-affinity of pods there$|topology spread )/;
    const missing = this.constraints(pod, 'DoNotSchedule').some((it) => node.labels[it.topologyKey] === undefined);
    if (missing || lower.length === 0 || this.reasons(pod, node).some((it) => !resolvable.test(it))) return undefined;
    try {
      this.residents = before.filter((it) => !lower.includes(it));
      if (this.reasons(pod, node).length > 0) return undefined;
      const victims: Resident[] = [];
      const byImportance = [...lower]
        .filter((it) => !it.leaves)
        .sort(
          (a, b) =>
            b.pod.priority - a.pod.priority ||
            (a.pod.since ?? 0) - (b.pod.since ?? 0) ||
            (a.pod.name < b.pod.name ? -1 : 1),
        );
      for (const candidate of byImportance) {
        this.residents.push(candidate);
        if (this.reasons(pod, node).length === 0) continue;
        this.residents.pop();
        victims.push(candidate);
      }
      return victims;
    } finally {
      this.residents = before;
    }
  }

  private preempt(pod: Pod): { node: Node; victims: Resident[] } | undefined {
    const compare = (a: Resident[], b: Resident[]) => {
      const highest = (list: Resident[]) => Math.max(-1, ...list.map((it) => it.pod.priority));
      const sum = (list: Resident[]) => list.reduce((all, it) => all + it.pod.priority, 0);
      const started = (list: Resident[]) =>
        Math.min(
          Number.POSITIVE_INFINITY,
          ...list.filter((it) => it.pod.priority === highest(list)).map((it) => it.pod.since ?? 0),
        );
      const later = started(b) - started(a);
      return highest(a) - highest(b) || a.length - b.length || sum(a) - sum(b) || (Number.isNaN(later) ? 0 : later);
    };
    let best: { node: Node; victims: Resident[] } | undefined;
    for (const node of this.nodes) {
      const victims = this.victimsOn(pod, node);
      if (victims === undefined) continue;
      const order = best === undefined ? -1 : compare(victims, best.victims);
      if (order < 0 || (order === 0 && node.name === this.choice(pod))) best = { node, victims };
    }
    return best;
  }

  // The pass ------------------------------------------------------------------------------------------------------------

  message(pod: Pod): string {
    const counts = new Map<string, number>();
    for (const node of this.nodes)
      for (const reason of this.reasons(pod, node)) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    const parts = [...counts]
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
      .map(([reason, count]) => `${count} ${reason}`);
    return `0/${this.nodes.length} nodes${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
  }

  /**
   * What becomes of pending pods, which come in the order of their age: the highest priority is served first. Pods with the same constraints
   * have their turn together: those that fit are placed, then the others look whom they may push out.
   */
  pass(groups: Pod[][]): Map<Pod, Outcome> {
    const outcomes = new Map<Pod, Outcome>();
    const queue = [...groups].sort(([a], [b]) => (b?.priority ?? 0) - (a?.priority ?? 0));
    let turn = queue;
    for (let moved = true; moved; ) {
      moved = turn.filter((group) => this.serve(group, outcomes)).length > 0;
      turn = queue.map((group) => group.filter((pod) => this.hasAnotherTurn(pod, outcomes.get(pod))));
    }
    this.endVictims(outcomes);
    return outcomes;
  }

  /** Victims that have not begun end at once; who needs nobody else gone from the node is placed there by the same pass. */
  private endVictims(outcomes: Map<Pod, Outcome>): void {
    const promised = [...outcomes].filter(([, { nominated }]) => nominated !== undefined);
    const hasUnbegun = promised.some(([, { victims }]) =>
      this.residents.some(({ pod }) => victims.includes(pod.name) && pod.hasBegun !== true),
    );
    if (!hasUnbegun) return;
    const waits = (name: string) => {
      const here = promised.filter(([, { nominated }]) => nominated === name);
      return this.residents.some(
        ({ pod, node }) =>
          node.name === name &&
          (pod.isStopping === true
            ? here.some(([it]) => it.priority > pod.priority)
            : pod.hasBegun === true && here.some(([, { victims }]) => victims.includes(pod.name))),
      );
    };
    for (const [pod, { nominated, victims }] of promised)
      if (nominated !== undefined && !waits(nominated)) outcomes.set(pod, { node: nominated, victims, messages: [] });
  }

  /** What other pods do may help those that want company, and those that spread. */
  private hasAnotherTurn(pod: Pod, outcome: Outcome | undefined): boolean {
    return (
      outcome?.node === undefined &&
      outcome?.nominated === undefined &&
      (required(pod.spec.affinity?.podAffinity).length > 0 || this.constraints(pod, 'DoNotSchedule').length > 0)
    );
  }

  /** Whether anything has changed. */
  private serve(group: Pod[], outcomes: Map<Pod, Outcome>): boolean {
    let moved = false;
    const place = (pod: Pod): boolean => {
      const node = this.best(pod);
      if (node === undefined) return false;
      this.residents.push({ pod, node, leaves: false });
      outcomes.set(pod, { node: node.name, victims: [], messages: [] });
      moved = true;
      return true;
    };
    const left = group.filter((pod) => !place(pod));
    for (const pod of left) {
      const before = outcomes.get(pod)?.messages ?? [];
      outcomes.set(pod, { victims: [], messages: [...before, this.message(pod)] });
    }
    let pushes = false;
    for (const pod of left.filter((it) => it.spec.preemptionPolicy !== 'Never')) {
      // Who leaves for the one before may have made it possible.
      if (pushes && place(pod)) continue;
      const chosen = this.preempt(pod);
      if (chosen === undefined) continue;
      pushes = true;
      moved ||= chosen.victims.length > 0;
      for (const victim of chosen.victims) victim.leaves = true;
      this.residents.push({ pod, node: chosen.node, leaves: false });
      outcomes.set(pod, {
        nominated: chosen.node.name,
        victims: chosen.victims.map((it) => it.pod.name).sort(),
        messages: [`waits for room on node ${chosen.node.name}`],
      });
    }
    return moved;
  }
}
