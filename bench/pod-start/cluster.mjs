import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '@stark-o/core';

const DEADLINE_MS = 120_000;

/** One pack, and agents in processes of their own. */
export class PodStartCluster {
  #stack;
  #admin;
  #agents = [];

  static async open(stack, admin) {
    const cluster = new PodStartCluster();
    cluster.#stack = stack;
    cluster.#admin = admin;
    await cluster.upload('bench', await readFile(join(import.meta.dirname, 'pack.mjs')));
    return cluster;
  }

  async close() {
    await Promise.all(this.#agents.map((agent) => endOf(agent, () => agent.send('stop'))));
  }

  /** Starts so many agents, and one pod on each, so that each has the bundle. */
  async addAgents(count, folder) {
    for (let i = 0; i < count; i += 1) {
      if (!(await this.addAgent({ name: `node-${i}`, dataDir: folder })))
        throw new Error('An agent ended before it was ready');
    }
    const nodes = this.#agents.map((_, i) => ({ pack: 'bench', spec: { nodeName: `node-${i}` } }));
    await this.startPods(nodes);
  }

  /** An agent dies as a machine does: without a word. */
  async killAgent(at) {
    const agent = this.#agents[at];
    const ended = once(agent, 'exit');
    agent.kill('SIGKILL');
    await ended;
  }

  /** One that was killed is there again. */
  async addAgentAgain(at, folder) {
    if (!(await this.addAgent({ name: `node-${at}`, dataDir: folder })))
      throw new Error('An agent ended before it was ready');
    this.#agents[at] = this.#agents.pop();
  }

  /** Starts one agent; whether it came up. */
  async addAgent(more) {
    const { url, keys } = this.#stack;
    const allocatable = { cpu: 100_000, memory: 1_000_000, storage: 1_000_000, pods: 110 };
    const options = {
      supabaseUrl: url,
      key: keys.publishable,
      credentials: this.#admin.credentials,
      allocatable,
      ...more,
    };
    const agent = fork(join(import.meta.dirname, 'agent-process.mjs'), [JSON.stringify(options)]);
    const isUp = await Promise.race([once(agent, 'message').then(() => true), once(agent, 'exit').then(() => false)]);
    if (isUp) this.#agents.push(agent);
    return isUp;
  }

  /** Milliseconds from the request to the event that says that a pod runs, for each of them; they are removed afterwards. */
  async startPods(pods) {
    const asked = Date.now();
    const created = await call(this.#admin.client, 'create_pods', { p_pods: pods });
    const ids = created.map(({ id }) => id);
    await this.#until(
      'all pods run',
      `select count(*)::int = $2 as done from stark.pods where id = any ($1) and status = 'running'`,
      [ids, ids.length],
    );
    const { rows } = await this.#admin.database.query(
      `select object_id, extract(epoch from min(time)) * 1000 as ms from stark.events
       where object_id = any ($1) and object ->> 'status' = 'running' group by object_id`,
      [ids],
    );
    await call(this.#admin.client, 'delete_pods', { p_ids: ids });
    await this.#until('all pods are gone', 'select count(*) = 0 as done from stark.pods where id = any ($1)', [ids]);
    return rows.map(({ ms }) => Number(ms) - asked);
  }

  async #until(what, text, values) {
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await delay(100)) {
      const { rows } = await this.#admin.database.query(text, values);
      if (rows[0].done) return;
    }
    throw new Error(`Waited ${DEADLINE_MS / 1_000} s in vain: ${what}`);
  }

  /** Publishes a version of a pack. */
  async upload(name, bytes, version = '1.0.0') {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const args = {
      p_name: name,
      p_version: version,
      p_runtime: 'node',
      p_size_bytes: bytes.length,
      p_sha256: sha256,
    };
    const place = await call(this.#admin.client, 'register_pack_version', args);
    const { error } = await this.#admin.client.storage
      .from(place.bucket)
      .upload(place.path, bytes, { contentType: 'text/javascript' });
    if (error) throw error;
    await call(this.#admin.client, 'finish_pack_version', { p_version_id: place.version_id });
  }
}

async function endOf(child, ask) {
  const ended = once(child, 'exit');
  ask();
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(late);
}
