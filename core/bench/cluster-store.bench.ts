import { bench, describe } from 'vitest';
import { ClusterStore, type Pod, type StarkEvent } from '../src/index.js';

// What a dashboard costs while a cluster is busy: 200 changes of 1,000 pods, views read after each.
const PODS = 1_000;
const CHANGES = 200;

function pod(index: number): Pod {
  const about = {
    namespace: 'default',
    pack_name: `pack-${index % 20}`,
    node_id: `node-${index % 50}`,
    status: 'running',
  };
  return { id: `pod-${index}`, ...about, created_at: '2026-01-01T00:00:00Z', resource_version: 1 } as Pod;
}

const pods = Array.from({ length: PODS }, (_, index) => pod(index));
const events = Array.from({ length: CHANGES }, (_, index) => {
  const changed = pods[(index * 7) % PODS] as Pod;
  const object = { ...changed, resource_version: index + 2, status: index % 2 === 0 ? 'stopping' : 'running' };
  return { seq: index + 2, type: 'pod.updated', kind: 'pod', object_id: changed.id, object } as unknown as StarkEvent;
});

function loaded(): ClusterStore {
  const store = new ClusterStore();
  store.load({ seq: 1, namespace: 'default', rows: { pod: pods } });
  return store;
}

describe(`${CHANGES} changes of ${PODS} pods`, () => {
  bench('applied one by one, views read after each', () => {
    const store = loaded();
    for (const event of events) {
      store.applyEvents([event]);
      store.views.podCounts.value;
      store.views.podsByNode.value;
    }
    store.dispose();
  });

  bench('applied as one batch', () => {
    const store = loaded();
    store.applyEvents(events);
    store.views.podCounts.value;
    store.dispose();
  });
});
