import { effect } from '@vue/reactivity';
import { describe, expect, it } from 'vitest';
import { ClusterStore, type Node, type Pod, type StarkEvent } from '../src/index.js';
import { contents, ModelDatabase } from './model-database.js';
import { Random } from './random.js';

const seeds = Array.from({ length: 100 }, (_, index) => index + 1);

describe('applyEvents', () => {
  it.each(seeds)('ends as the database is, whatever the order and however often (seed %i)', (seed) => {
    const random = new Random(seed);
    const database = new ModelDatabase();
    for (let step = 0; step < 60; step++) database.step(random);
    const twice = database.log.filter(() => random.chance(0.3));
    const store = new ClusterStore();
    const delivery = random.shuffle([...database.log, ...twice]);
    while (delivery.length > 0) store.applyEvents(delivery.splice(0, 1 + random.below(5)));
    expect(contents(store)).toEqual(contents(database));
  });

  it.each(seeds)('takes snapshots in between, rows newer than their number included (seed %i)', (seed) => {
    const random = new Random(seed);
    const database = new ModelDatabase();
    const store = new ClusterStore();
    let delivered = 0;
    for (let step = 0; step < 60; step++) {
      database.step(random);
      // Events arrive late by a few; a snapshot contains all of them, and its number lies somewhere in between.
      while (delivered < database.log.length - random.below(6))
        store.applyEvents([database.log[delivered++] as StarkEvent]);
      if (!random.chance(0.15)) continue;
      const seq = delivered + random.below(database.log.length - delivered + 1);
      store.load(database.snapshot(seq));
      if (random.chance(0.5)) delivered = Math.max(delivered, seq);
    }
    store.applyEvents(database.log.slice(delivered));
    expect(contents(store)).toEqual(contents(database));
  });

  it('says what changed, and nothing the second time', () => {
    const database = new ModelDatabase();
    const store = new ClusterStore();
    database.createPod();
    database.updatePod('pod-1', { status: 'running' });
    expect(store.applyEvents(database.log)).toEqual([{ kind: 'pod', id: 'pod-1', row: database.pods.get('pod-1') }]);
    expect(store.applyEvents(database.log)).toEqual([]);
    database.deletePod('pod-1');
    expect(store.applyEvents(database.log)).toEqual([{ kind: 'pod', id: 'pod-1', row: undefined }]);
  });

  it('leaves kinds alone that it does not know', () => {
    const event = { seq: 1, kind: 'deployment', type: 'deployment.created', object_id: 'a', object: {} };
    expect(new ClusterStore().applyEvents([event as unknown as StarkEvent])).toEqual([]);
  });

  it('does not go back to what a snapshot was newer than', () => {
    const database = new ModelDatabase();
    const store = new ClusterStore();
    database.createPod();
    for (const status of ['scheduled', 'starting', 'running'] as const) database.updatePod('pod-1', { status });
    store.load(database.snapshot(1));
    const seen: (string | undefined)[] = [];
    effect(() => void seen.push(store.pods.get('pod-1')?.status));
    for (const event of database.log) store.applyEvents([event]);
    expect(seen).toEqual(['running']);
  });
});

describe('load', () => {
  it('removes what is gone from its own namespace only', () => {
    const store = new ClusterStore();
    const [here, there] = [new ModelDatabase('here'), new ModelDatabase('there')];
    for (const database of [here, there]) database.createPod();
    store.load(here.snapshot());
    store.load({ ...there.snapshot(), rows: { pod: [{ ...(there.pods.get('pod-1') as Pod), id: 'other' }] } });
    here.deletePod('pod-1');
    expect(store.load(here.snapshot())).toEqual([{ kind: 'pod', id: 'pod-1', row: undefined }]);
    expect([...store.pods.keys()]).toEqual(['other']);
  });
});

describe('views', () => {
  const pod = (id: string, change: Partial<Pod>) =>
    ({
      id,
      namespace: 'default',
      pack_name: 'alpha',
      status: 'running',
      node_id: null,
      resource_version: 1,
      created_at: '2026-01-01',
      ...change,
    }) as Pod;
  const node = (id: string, change: Partial<Node>) =>
    ({ id, status: 'healthy', unschedulable: false, resource_version: 1, created_at: '2026-01-01', ...change }) as Node;

  it('count and group what is there', () => {
    const store = new ClusterStore();
    store.load({
      seq: 1,
      rows: { node: [node('n1', {}), node('n2', { unschedulable: true }), node('n3', { status: 'offline' })] },
    });
    const pods = [
      pod('a', { node_id: 'n1' }),
      pod('b', { node_id: 'n1', status: 'failed' }),
      pod('c', { status: 'pending', pack_name: 'beta' }),
    ];
    store.load({ seq: 1, namespace: 'default', rows: { pod: pods } });
    const { views } = store;
    expect(views.podsByNode.value.get('n1')?.map(({ id }) => id)).toEqual(['a', 'b']);
    expect([...views.podsByNode.value.keys()]).toEqual(['n1']);
    expect([...views.podsByPack.value.keys()]).toEqual(['alpha', 'beta']);
    expect(views.podCounts.value).toEqual({ running: 1, failed: 1, pending: 1 });
    expect(views.livePods.value.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(views.nodeCounts.value).toEqual({ healthy: 2, offline: 1 });
    expect(views.healthyNodes.value.map(({ id }) => id)).toEqual(['n1', 'n2']);
    expect(views.schedulableNodes.value.map(({ id }) => id)).toEqual(['n1']);
  });

  it('follow changes until the store is disposed', () => {
    const store = new ClusterStore();
    const database = new ModelDatabase();
    const running = () => store.views.podCounts.value.running ?? 0;
    database.createPod();
    store.applyEvents(database.log);
    expect(running()).toBe(0);
    database.updatePod('pod-1', { status: 'running' });
    store.applyEvents(database.log);
    expect(running()).toBe(1);
  });

  it('freeze rows', () => {
    const store = new ClusterStore();
    store.load({ seq: 1, namespace: 'default', rows: { pod: [pod('a', {})] } });
    expect(Object.isFrozen(store.pods.get('a'))).toBe(true);
  });
});
