// What people wait for, with real agents: from a node being given up to the replacement running, beside a pod that is created; from the third
// crash of a bad version to its last pod gone, beside as many pods that are deleted.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '@stark-o/core';
import { BenchAdmin } from '../lib/admin.mjs';
import { startBenchStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { PodStartCluster } from '../pod-start/cluster.mjs';

const AGENTS = 4;
const ROUNDS = 3;
const BAD = `export default () => { throw new Error('bad'); };`;

export const HEALING_STEPS = ['heals', 'goesBack'];

export async function measureHealing({ say, isAsked }) {
  const folder = await mkdtemp(join(tmpdir(), 'stark-bench-deployments-'));
  let stack;
  let admin;
  let cluster;
  try {
    say('starting the stack and the agents');
    stack = await startBenchStack(join(folder, 'data'));
    admin = await BenchAdmin.setUp(stack);
    await call(admin.client, 'update_cluster_config', { p_changes: { heartbeat_interval: 2, heartbeat_timeout: 5 } });
    cluster = await PodStartCluster.open(stack, admin);
    await cluster.addAgents(AGENTS, join(folder, 'agents'));
    const healing = new Healing(cluster, admin, join(folder, 'agents'));
    const heals = await healing.heals(ROUNDS);
    say(`heals: ${Math.round(median(heals.replaced))} ms, a pod is created in ${Math.round(median(heals.created))} ms`);
    const back = await healing.goesBack(ROUNDS);
    say(
      `goes back: ${Math.round(median(back.back))} ms, as many are deleted in ${Math.round(median(back.deleted))} ms`,
    );
    return {
      details: { heals, back },
      results: [
        {
          name: 'a node given up to the replacement running, p50',
          value: Math.round(median(heals.replaced)),
          unit: 'ms',
        },
        { name: 'a pod created to running, p50', value: Math.round(median(heals.created)), unit: 'ms' },
        ratio('heals to creates', median(heals.replaced) / median(heals.created)),
        { name: 'third crash to the last bad pod gone, p50', value: Math.round(median(back.back)), unit: 'ms' },
        { name: 'as many pods deleted to gone, p50', value: Math.round(median(back.deleted)), unit: 'ms' },
        ratio('goes back to deletes', median(back.back) / median(back.deleted)),
      ],
    };
  } finally {
    await cluster?.close();
    await admin?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function ratio(name, value) {
  return { name, value: round(value, 2), unit: 'times', aim: '≤ 1.5', met: value <= 1.5 };
}

class Healing {
  constructor(cluster, admin, folder) {
    Object.assign(this, { cluster, admin, folder });
  }

  /** An agent is killed: from its node being offline to the replacement's running, by the events; in turn with a pod that is created. */
  async heals(rounds) {
    const times = { replaced: [], created: [] };
    await this.create('heals', { replicas: 1 });
    for (let i = 0; i < rounds; i += 1) {
      times.created.push(...(await this.cluster.startPods([{ pack: 'bench' }])));
      const { node_name: node } = await this.row(
        `select node_name from stark.pods where name like 'heals-%' and status = 'running'`,
      );
      const at = await this.now();
      await this.cluster.killAgent(Number(node.split('-')[1]));
      const { ms } = await this.row(
        `select extract(epoch from r.time - o.time) * 1000 as ms
         from (select min(time) as time from stark.events where kind = 'node' and object ->> 'name' = $1 and object ->> 'status' = 'offline' and time > $2) o,
              (select min(time) as time from stark.events where kind = 'pod' and object ->> 'name' like 'heals-%' and object ->> 'status' = 'running' and object ->> 'node_name' <> $1 and time > $2) r
         where o.time is not null and r.time is not null`,
        [node, at],
      );
      times.replaced.push(Number(ms));
      await this.cluster.addAgentAgain(Number(node.split('-')[1]), this.folder);
    }
    await this.remove('heals');
    return times;
  }

  /** A bad version under follow-latest: from its third crash to the last bad pod gone; in turn with as many pods that are deleted. */
  async goesBack(rounds) {
    const times = { back: [], deleted: [] };
    await this.create('back', { replicas: 4, followLatest: true, minReadySeconds: 1 });
    await this.row(`select from stark.deployments where name = 'back' and status = 'complete'`);
    for (let i = 0; i < rounds; i += 1) {
      const version = `1.0.${i + 1}`;
      const at = await this.now();
      await this.cluster.upload('bench', Buffer.from(BAD), version);
      await this.row(
        `select from stark.deployments where name = 'back' and status_reason = 'RolledBack' and conditions is not null`,
      );
      const { ms, pods } = await this.row(
        `with bad as (select distinct object_id from stark.events where kind = 'pod' and object ->> 'name' like 'back-%' and object ->> 'version' = $1 and time > $2),
              crashes as (select e.time, row_number() over (order by e.seq) as nth from stark.events e join bad using (object_id)
                          where e.object ->> 'status_reason' = 'CrashLoopBackOff' and e.object ->> 'status' = 'starting'),
              gone as (select e.object_id, min(e.time) as time from stark.events e join bad using (object_id)
                       where e.object ->> 'status' in ('stopped', 'failed', 'succeeded') group by e.object_id)
         select extract(epoch from (select max(time) from gone) - (select time from crashes where nth = 3)) * 1000 as ms, (select count(*)::int from gone) as pods
         where (select count(*) from gone) = (select count(*) from bad) and exists (select from crashes where nth = 3)`,
        [version, at],
      );
      times.back.push(Number(ms));
      times.deleted.push(await this.deletePods(pods));
    }
    await this.remove('back');
    return times;
  }

  /** Milliseconds from the call that deletes running pods to the end of the last one. */
  async deletePods(count) {
    const created = await call(this.admin.client, 'create_pods', {
      p_pods: [{ pack: 'bench', version: '1.0.0', replicas: count }],
    });
    const ids = created.map(({ id }) => id);
    await this.row(`select from stark.pods where id = any ($1) and status = 'running' having count(*) = $2`, [
      ids,
      count,
    ]);
    const asked = Date.now();
    await call(this.admin.client, 'delete_pods', { p_ids: ids });
    const { ms } = await this.row(
      `select extract(epoch from max(time)) * 1000 as ms from stark.events where object_id = any ($1) and object ->> 'status' = 'stopped' having count(distinct object_id) = $2`,
      [ids, count],
    );
    return Number(ms) - asked;
  }

  async create(name, wishes) {
    await call(this.admin.client, 'create_deployment', {
      p_deployment: { name, pack: 'bench', minReadySeconds: 0, ...wishes },
    });
    await this.row(`select from stark.deployments where name = $1 and status = 'complete'`, [name]);
  }

  async remove(name) {
    await call(this.admin.client, 'delete_deployment', { p_namespace: 'default', p_name: name });
    await this.row(`select where not exists (select from stark.deployments where name = $1)`, [name]);
  }

  async now() {
    return (await this.row('select clock_timestamp() as at')).at;
  }

  /** The first row that a query answers, as soon as it answers one. */
  async row(text, values = []) {
    for (const end = Date.now() + 120_000; Date.now() < end; await delay(50)) {
      const { rows } = await this.admin.database.query(text, values);
      if (rows.length > 0) return rows[0];
    }
    throw new Error(`Waited two minutes in vain for ${text}`);
  }
}
