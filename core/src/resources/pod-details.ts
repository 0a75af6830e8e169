import type { HttpProbe, PackReadyProbe, Pod, PodSpec } from '../model/pod.js';
import type { Toleration } from '../model/taints.js';

/** What a pod's spec asks for, in lines of a heading and a value, as kubectl describes one; what it does not say is left out. */
export function specDetails(spec: PodSpec): (readonly [string, unknown])[] {
  const { resources, affinity, tolerations = [], topologySpreadConstraints: spread = [], ports = [] } = spec;
  const lines: (readonly [string, unknown])[] = [
    ['Requests', resources?.requests],
    ['Limits', resources?.limits],
    ['Declared ports', ports.map(({ name, port }) => (port === undefined ? name : `${name}=${port}`))],
    ['Restarts it', spec.restartPolicy],
    ['Grace', spec.terminationGracePeriodSeconds === undefined ? undefined : `${spec.terminationGracePeriodSeconds}s`],
    ['Isolation', spec.isolation],
    ['Startup', probeOf(spec.startupProbe)],
    ['Readiness', probeOf(spec.readinessProbe)],
    ['Liveness', probeOf(spec.livenessProbe)],
    ['Priority class', spec.priorityClassName],
    ['Preemption', spec.preemptionPolicy],
    ['Wanted node', spec.nodeName],
    ['Node selector', spec.nodeSelector],
    ['Affinity', affinity === undefined ? undefined : JSON.stringify(affinity)],
    ['Tolerations', tolerations.map(tolerationOf)],
    ['Spread', spread.map((one) => `${one.topologyKey}: at most ${one.maxSkew} more, ${one.whenUnsatisfiable}`)],
  ];
  return lines.filter(([, value]) => !isEmpty(value));
}

/** Kubernetes' conditions of a pod, as far as they mean something here. */
export function conditionsOf(pod: Pick<Pod, 'node_name' | 'status' | 'ready'>): string[] {
  const begun = ['starting', 'running', 'stopping'].includes(pod.status);
  const conditions = { PodScheduled: pod.node_name !== null, Initialized: begun, Ready: pod.ready };
  return Object.entries(conditions).map(([type, holds]) => `${type}=${holds ? 'True' : 'False'}`);
}

/** As kubectl writes it. */
function probeOf(probe: HttpProbe | PackReadyProbe | undefined): string | undefined {
  if (probe === undefined) return undefined;
  if ('packReady' in probe) return 'the pack says so: ctx.ready()';
  const { path = '/', port } = probe.httpGet;
  const {
    initialDelaySeconds = 0,
    timeoutSeconds = 1,
    periodSeconds = 10,
    successThreshold = 1,
    failureThreshold = 3,
  } = probe;
  return `http-get :${port}${path} delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
}

function tolerationOf({ key, operator, value, effect, tolerationSeconds }: Toleration): string {
  const what =
    key === undefined ? 'everything' : operator === 'Exists' || value === undefined ? key : `${key}=${value}`;
  return `${what}${effect ? `:${effect}` : ''}${tolerationSeconds === undefined ? '' : ` for ${tolerationSeconds}s`}`;
}

const isEmpty = (value: unknown) =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
