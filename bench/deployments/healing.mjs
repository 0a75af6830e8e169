// What people wait for, with real agents: from a node being given up to the replacement running, beside a pod that is created; from the third
// crash of a bad version to its last pod gone, beside as many pods that are deleted.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { call } from '@stark-o/core';
import { BenchAdmin } from '../lib/admin.mjs';
import { startBenchStack } from '../lib/stack.mjs';
import { median, round } from '../lib/stats.mjs';
import { PodStartCluster } from '../pod-start/cluster.mjs';

const run = promisify(execFile);
const STARK = join(import.meta.dirname, '..', '..', 'cli', 'bin', 'stark.js');
const AGENTS = 4;
const ROUNDS = 3;
/** Says when it crashes by its own clock, which is the machine's and so the database's too. */
const BAD = `export default () => { throw new Error('bad at ' + Date.now()); };`;

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
    const healing = new Healing(stack, cluster, admin, join(folder, 'agents'));
    const results = [];
    const details = {};
    for (const [name, step] of Object.entries(STEPS)) {
      if (!isAsked(name)) continue;
      const { said, results: found, samples } = await step(healing);
      say(said);
      results.push(...found);
      details[name] = samples;
    }
    return { details, results };
  } finally {
    await cluster?.close();
    await admin?.close();
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const STEPS = {
  async heals(healing) {
    const samples = await healing.heals(ROUNDS);
    const [replaced, created] = [median(samples.replaced), median(samples.created)];
    return {
      said: `heals: ${Math.round(replaced)} ms, a pod is created in ${Math.round(created)} ms`,
      samples,
      results: [
        { name: 'a node given up to the replacement running, p50', value: Math.round(replaced), unit: 'ms' },
        { name: 'a pod created to running, p50', value: Math.round(created), unit: 'ms' },
        ratio('heals to creates', replaced / created),
      ],
    };
  },
  async goesBack(healing) {
    const samples = await healing.goesBack(ROUNDS);
    const [back, told, deleted] = [median(samples.back), median(samples.told), median(samples.deleted)];
    return {
      said: `goes back: ${Math.round(back)} ms, as many are deleted in ${Math.round(deleted)} ms`,
      samples,
      results: [
        {
          name: 'third crash, by the clock of the pack, to the last bad pod gone, p50',
          value: Math.round(back),
          unit: 'ms',
        },
        { name: '  of it until the crash is told', value: Math.round(told), unit: 'ms' },
        {
          name: 'as many deleted by stark pod delete, from the command to the last one gone, p50',
          value: Math.round(deleted),
          unit: 'ms',
        },
        { name: '  of it from the call', value: Math.round(median(samples.called)), unit: 'ms' },
        ratio('goes back to deletes', back / deleted),
      ],
    };
  },
};
export const HEALING_STEPS = Object.keys(STEPS);

function ratio(name, value) {
  return { name, value: round(value, 2), unit: 'times', aim: '≤ 1.5', met: value <= 1.5 };
}

class Healing {
  constructor(stack, cluster, admin, folder) {
    Object.assign(this, { stack, cluster, admin, folder });
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

  /** A bad version under follow-latest: from its third crash to the last bad pod gone; in turn with `stark pod delete` of as many. */
  async goesBack(rounds) {
    const times = { back: [], told: [], decided: [], deleted: [], called: [] };
    await this.create('back', { replicas: 4, followLatest: true, minReadySeconds: 1 });
    await this.row(`select from stark.deployments where name = 'back' and status = 'complete'`);
    for (let i = 0; i < rounds; i += 1) {
      const version = `1.0.${i + 1}`;
      const at = await this.now();
      await this.cluster.upload('bench', Buffer.from(BAD), version);
      await this.row(
        `select from stark.deployments where name = 'back' and status_reason = 'RolledBack' and conditions is not null`,
      );
      const { ms, pods, told, decided } = await this.row(
        `with bad as (select distinct object_id from stark.events where kind = 'pod' and object ->> 'name' like 'back-%' and object ->> 'version' = $1 and time > $2),
              told as (select (regexp_match(e.object ->> 'status_message', 'bad at (\\d+)'))[1]::numeric as crashed, extract(epoch from min(e.time)) * 1000 as told
                       from stark.events e join bad using (object_id) where e.object ->> 'status_message' ~ 'bad at ' group by 1),
              crashes as (select t.*, row_number() over (order by t.crashed) as nth from told t),
              third as (select c.crashed, c.told from crashes c where c.nth = 3),
              gone as (select e.object_id, extract(epoch from min(e.time)) * 1000 as time from stark.events e join bad using (object_id)
                       where e.object ->> 'status' in ('stopped', 'failed', 'succeeded', 'evicted') group by e.object_id)
         select (select max(time) from gone) - t.crashed as ms, (select count(*)::int from gone) as pods, t.told - t.crashed as told,
                (select extract(epoch from r.created_at) * 1000 from stark.deployment_revisions r where r.deployment_name = 'back' and r.cause = 'rollback' order by r.revision desc limit 1) - t.crashed as decided
         from third t where (select count(*) from gone) = (select count(*) from bad)`,
        [version, at],
      );
      times.told.push(Number(told));
      times.decided.push(Number(decided));
      times.back.push(Number(ms));
      times.deleted.push(await this.deletePods(pods, (all) => this.byCommand(all)));
      times.called.push(await this.deletePods(pods, (all) => this.byCall(all)));
    }
    await this.remove('back');
    return times;
  }

  /** Milliseconds until the last of running pods has ended, from the command that deletes them, and from the call. */
  async deletePods(count, deleteAll) {
    const created = await call(this.admin.client, 'create_pods', {
      p_pods: [{ pack: 'bench', version: '1.0.0', replicas: count }],
    });
    const ids = created.map(({ id }) => id);
    await this.row(`select from stark.pods where id = any ($1) and status = 'running' having count(*) = $2`, [
      ids,
      count,
    ]);
    const asked = Date.now();
    await deleteAll(created);
    const { ms } = await this.row(
      `select extract(epoch from max(time)) * 1000 as ms from stark.events where object_id = any ($1) and object ->> 'status' = 'stopped' having count(distinct object_id) = $2`,
      [ids, count],
    );
    return Number(ms) - asked;
  }

  async byCommand(pods) {
    const { url, keys } = this.stack;
    const env = { ...process.env, STARK_URL: url, STARK_KEY: keys.publishable, STARK_TOKEN: await this.admin.token() };
    await run(process.execPath, [STARK, 'pod', 'delete', ...pods.map(({ name }) => name), '--yes', '--no-wait'], {
      env,
    });
  }

  async byCall(pods) {
    await call(this.admin.client, 'delete_pods', { p_ids: pods.map(({ id }) => id) });
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
