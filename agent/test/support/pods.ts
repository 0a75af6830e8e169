import { createHash } from 'node:crypto';
import type { WantedPod } from '../../src/reconciler/pod.js';

let made = 0;

/** A pod as Postgres would want it; what matters to a test is given, the rest is plausible. */
export function aPod(changes: Partial<WantedPod> = {}): WantedPod {
  made += 1;
  const id = changes.id ?? `00000000-0000-4000-8000-${String(made).padStart(12, '0')}`;
  return {
    id,
    name: `pod-${made}`,
    namespace: 'default',
    owner: '00000000-0000-4000-a000-000000000001',
    labels: { app: 'test' },
    status: 'scheduled',
    pack: 'test',
    version: '1.0.0',
    version_id: '00000000-0000-4000-9000-000000000001',
    runtime: 'node',
    bundle: bundleOf('export default () => {}'),
    spec: {},
    restarts: 0,
    wanted: 'running',
    ...changes,
  };
}

export function bundleOf(content: string | Buffer): WantedPod['bundle'] {
  const bytes = Buffer.from(content);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bucket: 'packs', path: `test/${sha256}.mjs`, sha256, size_bytes: bytes.length };
}
