import type { RealtimeChannel } from '@supabase/supabase-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../harness/wait.js';
import { Cluster, type Person } from './cluster.js';

let cluster: Cluster;
let owner: Person;
let attacker: Person;
let viewer: Person;
let stranger: Person;
let node: { id: string; incarnation: number };
let pod: { id: string };

beforeAll(async () => {
  cluster = await Cluster.start();
  owner = await cluster.person('owner', ['user']);
  attacker = await cluster.person('attacker', ['user']);
  viewer = await cluster.person('viewer', ['viewer', 'stark-public']);
  stranger = await cluster.person('stranger');
  await cluster.pack(owner, 'pack');
  node = await cluster.node(owner, 'node');
  await cluster.node(attacker, 'another');
  pod = await cluster.pod(owner, { pack: 'pack' });
});
afterAll(() => cluster.stop());

/** Joins and gives the channel with how it went. */
async function join(
  who: Person,
  topic: string,
  isPrivate = true,
  prepare: (channel: RealtimeChannel) => void = () => undefined,
): Promise<{ channel: RealtimeChannel; state: string }> {
  const channel = who.client.channel(topic, {
    config: { private: isPrivate, broadcast: { ack: true, self: false }, presence: { key: node.id, enabled: true } },
  });
  prepare(channel);
  const state = await new Promise<string>((resolve) => {
    channel.subscribe((status) => resolve(status));
  });
  return { channel, state };
}

const topics = () => ({
  node: `stark:node:${node.id}`,
  pod: `stark:pod:${pod.id}`,
  namespace: 'stark:namespace:default',
  system: 'stark:namespace:stark-system',
  cluster: 'stark:cluster',
});

describe('a private topic', () => {
  it('refuses a user without the right, however its name is written', async () => {
    const { node: ofNode, pod: ofPod, namespace, system, cluster: ofCluster } = topics();
    const spelt = [
      'stark:',
      'stark:node',
      'stark:node:',
      ofNode.toUpperCase(),
      `${ofNode} `,
      `${ofNode}:x`,
      'stark:namespace:',
      'stark:namespace:%',
      'stark:cluster:',
      'other:topic',
    ];
    for (const who of [attacker, viewer, stranger]) {
      for (const topic of [ofNode, ofPod, namespace, system, ofCluster, ...spelt]) {
        const { state, channel } = await join(who, topic);
        expect(state, topic).toBe('CHANNEL_ERROR');
        await who.client.removeChannel(channel);
      }
    }
    for (const topic of ['stark:presence', 'stark:heartbeat']) {
      for (const who of [viewer, stranger]) {
        const { state, channel } = await join(who, topic);
        expect(state, topic).toBe('CHANNEL_ERROR');
        await who.client.removeChannel(channel);
      }
    }
  });

  it('takes no message that is forged over HTTP', async () => {
    const heard: unknown[] = [];
    const { channel, state } = await join(owner, topics().node);
    expect(state).toBe('SUBSCRIBED');
    channel.on('broadcast', { event: '*' }, ({ payload }) => heard.push(payload));
    for (const who of [attacker, viewer, stranger, owner]) {
      for (const isPrivate of [true, false]) {
        const message = { topic: topics().node, event: 'pods.stop', payload: { forged: true }, private: isPrivate };
        await cluster.request('/realtime/v1/api/broadcast', { method: 'POST', as: who, body: { messages: [message] } });
        const path = `/realtime/v1/api/broadcast/${encodeURIComponent(topics().node)}/events/pods.stop?private=${isPrivate}`;
        await cluster.request(path, { method: 'POST', as: who, body: { forged: true } });
      }
    }
    // A real command after them: when it is here, what was sent before it would be too.
    await cluster.must(cluster.rpc('stop_pods', { p_ids: [pod.id] }, { as: owner }));
    await waitFor('the real command', () => heard.length > 0);
    expect(heard).toEqual([expect.not.objectContaining({ forged: true })]);
    await owner.client.removeChannel(channel);
  });

  it('neither hears nor is heard in the public topic of the same name', async () => {
    const heard: unknown[] = [];
    const shadow = await join(stranger, topics().namespace, false);
    expect(shadow.state).toBe('SUBSCRIBED');
    shadow.channel.on('broadcast', { event: '*' }, ({ payload }) => heard.push(payload));
    const events: unknown[] = [];
    const real = await join(cluster.admin, topics().namespace);
    real.channel.on('broadcast', { event: '*' }, ({ payload }) => events.push(payload));
    await shadow.channel.send({ type: 'broadcast', event: 'events', payload: { events: [{ seq: 1e9 }] } });
    await cluster.must(cluster.rpc('create_pods', { p_pods: [{ pack: 'pack' }] }, { as: owner }));
    await waitFor('the real event', () => events.length > 0);
    expect(JSON.stringify(events)).not.toContain('1000000000');
    expect(heard).toEqual([]);
    await stranger.client.removeChannel(shadow.channel);
    await cluster.admin.client.removeChannel(real.channel);
  });

  it('that only delivers takes no message from its reader', async () => {
    const events: unknown[] = [];
    const watcher = await join(cluster.admin, 'stark:cluster');
    watcher.channel.on('broadcast', { event: '*' }, ({ payload }) => events.push(payload));
    const auditor = await cluster.person('auditor', ['viewer']);
    const reader = await join(auditor, 'stark:cluster');
    expect(reader.state).toBe('SUBSCRIBED');
    void reader.channel.send({ type: 'broadcast', event: 'events', payload: { forged: true } });
    await cluster.node(owner, 'a-new-one');
    await waitFor('the event of the new node', () => events.length > 0);
    expect(JSON.stringify(events)).not.toContain('forged');
  });
});

describe('presence and heartbeats', () => {
  it('are seen by no other agent, whatever key they claim', async () => {
    const seen: unknown[] = [];
    const listen = (channel: RealtimeChannel) => {
      for (const event of ['sync', 'join', 'leave']) {
        channel.on('presence', { event: event as 'join' }, (payload) => seen.push(payload));
      }
      channel.on('broadcast', { event: '*' }, (payload) => seen.push(payload));
    };
    const mine = await join(owner, 'stark:presence');
    const theirs = await join(attacker, 'stark:presence', true, listen);
    const beats = await join(owner, 'stark:heartbeat');
    const ears = await join(attacker, 'stark:heartbeat', true, listen);
    for (const { state } of [mine, theirs, beats, ears]) expect(state).toBe('SUBSCRIBED');
    expect(await mine.channel.track({ secret: 'of the incarnation' })).toBe('ok');
    await beats.channel.send({ type: 'broadcast', event: 'heartbeat', payload: { secret: 'of the incarnation' } });
    expect(await theirs.channel.track({ mine: true })).toBe('ok');
    expect(JSON.stringify([seen, theirs.channel.presenceState(), ears.channel.presenceState()])).not.toContain(
      'secret',
    );
    await Promise.all([owner.client.removeAllChannels(), attacker.client.removeAllChannels()]);
  });
});

describe('changes of tables', () => {
  it('are told to nobody who may not read them', async () => {
    const told: unknown[] = [];
    for (const [schema, table] of [
      ['stark', 'pods'],
      ['stark', '*'],
      ['auth', 'users'],
      ['stark_internal', 'node_secrets'],
      ['*', '*'],
    ] as const) {
      const channel = attacker.client.channel(`changes-${schema}-${table}`);
      channel.on('postgres_changes', { event: '*', schema, table }, (payload) => told.push(payload));
      await new Promise<void>((resolve) => {
        channel.subscribe(() => resolve());
      });
    }
    await cluster.must(cluster.rpc('create_pods', { p_pods: [{ pack: 'pack' }] }, { as: owner }));
    const later = await join(attacker, 'a later topic', false);
    expect(later.state).toBe('SUBSCRIBED');
    expect(told).toEqual([]);
  });
});
