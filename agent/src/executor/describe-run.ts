import type { RunDescription } from '../pod/shared/protocol.js';
import type { ProjectAddress } from '../pod/shared/supabase.js';
import type { LaunchRequest } from '../reconciler/adapters.js';

/** What a run of the pod is told; `bundle` is where its world finds the bundle. */
export function describeRun(
  { pod, ports }: LaunchRequest,
  bundle: string,
  { nodeName, project }: { nodeName: string; project: ProjectAddress },
  assets?: string,
): RunDescription {
  return {
    pod: { id: pod.id, name: pod.name, namespace: pod.namespace, labels: pod.labels ?? {} },
    pack: { name: pod.pack, version: pod.version },
    node: { name: nodeName },
    config: pod.spec.config ?? {},
    env: pod.spec.env ?? {},
    ports,
    project,
    bundle,
    ...(assets !== undefined && { assets }),
    entry: pod.entry ?? 'default',
  };
}
