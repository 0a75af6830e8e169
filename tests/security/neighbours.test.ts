import { createStarkClient, watchNamespace } from '@stark-o/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import ws from 'ws';
import { waitFor } from '../harness/wait.js';
import { Cluster, type Person } from './cluster.js';

const SECRET = 's3cret-of-the-owner';

let cluster: Cluster;
let owner: Person;
let developer: Person;
let neighbour: Person;
let viewer: Person;
let node: { id: string; incarnation: number };

beforeAll(async () => {
  cluster = await Cluster.start();
  owner = await cluster.person('owner', ['user']);
  developer = await cluster.person('developer', ['developer']);
  neighbour = await cluster.person('neighbour', ['user']);
  viewer = await cluster.person('viewer', ['viewer']);
  await cluster.pack(owner, 'mine');
  await cluster.pack(neighbour, 'open', { visibility: 'public' });
  node = await cluster.node(owner, 'owners', { p_allocatable: { cpu: 400 } });
});
afterAll(() => cluster.stop());

const spec = (cpu: number, more: object = {}) => ({ resources: { requests: { cpu } }, ...more });
const stop = (id: string, as: Person) => cluster.must(cluster.rpc('delete_pods', { p_ids: [id] }, { as }));

describe('a machine of one’s own', () => {
  it('keeps its owner’s private pod, whatever others ask for', async () => {
    const own = await cluster.pod(owner, { pack: 'mine', name: 'own', spec: spec(300) });
    expect(own.status).toBe('scheduled');
    const attack = { pack: 'open', priority: 1000, spec: spec(300, { nodeName: 'owners' }) };
    const refused = await cluster.rpc('create_pods', { p_pods: [attack] }, { as: neighbour });
    expect([refused.status, refused.json.code]).toEqual([403, 'FORBIDDEN']);
    for (const who of [developer, cluster.admin]) {
      const waits = await cluster.pod(who, attack);
      expect(waits.status).toBe('pending');
      await stop(waits.id, who);
    }
    const { json } = await cluster.rest('pods?select=status,node_name&name=eq.own', { as: owner });
    expect(json).toEqual([{ status: 'scheduled', node_name: 'owners' }]);
    await cluster.must(
      cluster.rpc(
        'report_pods',
        { p_node_id: node.id, p_incarnation: node.incarnation, p_reports: [{ pod_id: own.id, status: 'failed' }] },
        { as: owner },
      ),
    );
  });

  it('takes nobody else’s when it says so', async () => {
    const accepts = (p_accepts: string) => cluster.rpc('update_node', { p_name: 'owners', p_accepts }, { as: owner });
    expect((await accepts('owner')).json.accepts).toBe('owner');
    const guest = await cluster.pod(neighbour, { pack: 'open', name: 'guest', spec: spec(1) });
    expect(guest.status).toBe('pending');
    expect(
      (await cluster.rpc('update_node', { p_name: 'owners', p_accepts: 'anyone' }, { as: neighbour })).status,
    ).toBe(404);
    await cluster.must(accepts('anyone'));
    const { json } = await cluster.rest('pods?select=status&name=eq.guest', { as: neighbour });
    expect(json).toEqual([{ status: 'scheduled' }]);
    await stop(guest.id, neighbour);
  });
});

describe('env and config', () => {
  it('are read by who may, and by the agent, and are told to nobody', async () => {
    const heard: string[] = [];
    const channel = cluster.admin.client.channel('stark:namespace:default', { config: { private: true } });
    channel.on('broadcast', { event: '*' }, (message) => heard.push(JSON.stringify(message)));
    const commands = owner.client.channel(`stark:node:${node.id}`, { config: { private: true } });
    commands.on('broadcast', { event: '*' }, (message) => heard.push(JSON.stringify(message)));
    for (const one of [channel, commands]) {
      await new Promise<void>((resolve) => one.subscribe((status) => status === 'SUBSCRIBED' && resolve()));
    }
    const given = { env: { TOKEN: SECRET }, config: { key: SECRET } };
    const pod = await cluster.pod(owner, { pack: 'mine', name: 'secretive', spec: spec(1, given) });
    await waitFor('the event', () => heard.some((text) => text.includes('pod.created')));
    await waitFor('the command', () => heard.some((text) => text.includes('pods.start')));
    const reads = ['pods?select=*', 'events?select=*', 'pod_history?select=*', 'pod_env?select=*'];
    for (const path of reads) {
      for (const who of [viewer, developer, neighbour]) {
        const { status, text } = await cluster.rest(path, { as: who });
        expect([path, status, text.includes(SECRET)]).toEqual([path, 200, false]);
      }
    }
    expect(heard.join()).not.toContain(SECRET);
    const path = `pod_env?select=env,config&pod_id=eq.${pod.id}`;
    for (const who of [owner, cluster.admin]) expect((await cluster.rest(path, { as: who })).json).toEqual([given]);
    const args = { p_node_id: node.id, p_incarnation: node.incarnation };
    const { pods } = await cluster.must(cluster.rpc('node_sync', args, { as: owner }));
    expect(pods.find(({ id }: { id: string }) => id === pod.id).spec).toMatchObject(given);
    await cluster.admin.client.removeChannel(channel);
    await owner.client.removeChannel(commands);
  });
});

describe('a user who loses the right to listen', () => {
  const revoke = (who: Person, namespace: string | null = null) =>
    cluster.rpc('revoke_role', { p_user_id: who.id, p_role: 'viewer', p_namespace: namespace }, { as: cluster.admin });
  const disable = (who: Person) => cluster.rpc('disable_user', { p_user_id: who.id }, { as: cluster.admin });

  it.each([
    ['a role in the cluster', undefined, (who: Person) => revoke(who)],
    ['a role in the namespace', 'default', (who: Person) => revoke(who, 'default')],
    ['the account', undefined, disable],
  ] as const)('hears nothing any more: %s', async (what, namespace, lose) => {
    const name = what.replaceAll(' ', '-');
    const listener = await cluster.person(name, namespace ? ['viewer', namespace] : ['viewer']);
    const topic = await cluster.must(cluster.rpc('events_topic', { p_namespace: 'default' }, { as: listener }));
    const heard: string[] = [];
    const channel = listener.client.channel(topic, { config: { private: true } });
    channel.on('broadcast', { event: '*' }, ({ event, payload }) => heard.push(`${event} ${JSON.stringify(payload)}`));
    await new Promise<void>((resolve) => channel.subscribe((status) => status === 'SUBSCRIBED' && resolve()));
    const { url, keys } = cluster.stack;
    const others = createStarkClient({
      url,
      key: keys.publishable,
      accessToken: async () => cluster.admin.token,
      realtime: { transport: ws as never },
    });
    const watch = watchNamespace(others, 'default', { retry: { firstMs: 100, longestMs: 100 } });
    await watch.ready;
    const before = await cluster.pod(owner, { pack: 'mine', name: `before-${name}`, spec: spec(1) });
    await waitFor('an event', () => heard.some((text) => text.includes(before.id)));
    expect((await lose(listener)).status).toBe(200);
    await waitFor('word that the topic moved', () => heard.some((text) => text.startsWith('moved')));
    const after = await cluster.pod(owner, { pack: 'mine', name: `after-${name}`, spec: spec(1) });
    // Who may listen follows, and hears of it.
    await waitFor('the watch of who may', () => watch.store.pods.has(after.id) && watch.state.value === 'live');
    expect(heard.join()).not.toContain(after.id);
    const asked = await cluster.rpc('events_topic', { p_namespace: 'default' }, { as: listener });
    expect(asked.status).toBe(403);
    await watch.close();
    await others.realtime.disconnect();
    await listener.client.removeAllChannels();
  });

  it('hears no line of a log either', async () => {
    const listener = await cluster.person('log-reader', ['viewer']);
    // A node that has just connected: no agent keeps the other one from being given up.
    await cluster.node(owner, 'talks');
    const pod = await cluster.pod(owner, { pack: 'mine', name: 'talkative', spec: spec(1, { nodeName: 'talks' }) });
    expect(pod.node_name).toBe('talks');
    const follow = async (who: Person) =>
      (await cluster.must(cluster.rpc('follow_logs', { p_pod_id: pod.id }, { as: who }))).topic as string;
    const listen = async (who: Person, heard: string[]) => {
      const channel = who.client.channel(await follow(who), { config: { private: true } });
      channel.on('broadcast', { event: '*' }, ({ payload }) => heard.push(payload.text));
      await new Promise<void>((resolve) => channel.subscribe((status) => status === 'SUBSCRIBED' && resolve()));
    };
    // As the node's agent does.
    const say = async (topic: string, text: string) => {
      const messages = [{ topic, event: 'lines', payload: { text }, private: true }];
      const answer = await cluster.request('/realtime/v1/api/broadcast', {
        method: 'POST',
        as: owner,
        body: { messages },
      });
      expect(answer.status).toBe(202);
    };
    const [lost, kept]: string[][] = [[], []];
    const old = await follow(listener);
    await listen(listener, lost as string[]);
    await say(old, 'before');
    await waitFor('a line', () => lost?.includes('before'));
    expect((await revoke(listener)).status).toBe(200);
    await listen(cluster.admin, kept as string[]);
    // The agent knows the old name until somebody follows again: what it says there is dropped.
    for (const topic of [old, await follow(cluster.admin)]) await say(topic, 'after');
    await waitFor('the line where it is heard now', () => kept?.includes('after'));
    expect([lost, kept]).toEqual([['before'], ['after']]);
    expect((await cluster.rpc('follow_logs', { p_pod_id: pod.id }, { as: listener })).status).toBe(404);
    await cluster.admin.client.removeAllChannels();
    await listener.client.removeAllChannels();
    await stop(pod.id, owner);
    await cluster.must(cluster.rpc('delete_node', { p_name: 'talks', p_force: true }, { as: owner }));
  });
});

describe('placement', () => {
  const near = (more: object) => ({
    pack: 'open',
    spec: spec(1, {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'payroll' } }, ...more },
          ],
        },
      },
    }),
  });

  it('does not tell which pods there are in namespaces that one may not read', async () => {
    await cluster.must(cluster.rpc('create_namespace', { p_name: 'hidden' }, { as: cluster.admin }));
    const labels = { app: 'payroll' };
    const secret = await cluster.pod(cluster.admin, { pack: 'open', name: 'secret', namespace: 'hidden', labels });
    const asked: [object, number][] = [
      [{ namespaces: ['hidden'] }, 403],
      [{ namespaces: ['nowhere'] }, 403],
      [{ namespaceSelector: {} }, 403],
      [{}, 200],
    ];
    for (const [more, status] of asked) {
      const dry = await cluster.rpc('explain_placement', { p_pod: near(more) }, { as: neighbour });
      expect([more, dry.status]).toEqual([more, status]);
      const made = await cluster.rpc('create_pods', { p_pods: [near(more)] }, { as: neighbour });
      expect([more, made.status]).toEqual([more, status]);
      expect(dry.text + made.text).not.toMatch(/owners|secret/);
      if (made.status === 200) await stop(made.json[0].id, neighbour);
    }
    await stop(secret.id, cluster.admin);
  });

  it('names no node that one may not read, and counts them', async () => {
    const pod = { pack: 'open', spec: spec(1_000_000) };
    const { status, json, text } = await cluster.rpc('explain_placement', { p_pod: pod }, { as: neighbour });
    expect([status, json.nodes, json.feasible]).toEqual([200, [], 0]);
    expect(json.message).toMatch(/^0\/1 nodes: 1 insufficient cpu/);
    expect(text).not.toContain('owners');
    expect((await cluster.rpc('explain_placement', { p_pod: pod }, { as: developer })).json.nodes).toMatchObject([
      { node: 'owners', feasible: false },
    ]);
  });
});
