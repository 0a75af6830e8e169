import { readFileSync } from 'node:fs';
import { startTestDatabase } from '../scripts/db/test-database.mjs';
import { BenchCluster } from './scheduler/cluster.mjs';
import { podsOf, workloads } from './scheduler/workloads.mjs';
const w = workloads[0];
const db = await startTestDatabase();
try {
  const c = await BenchCluster.open(db);
  const [{ pid }] = await c.query('select pg_backend_pid() as pid');
  const cpu = () => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (+f[11] + +f[12]) * 10; };
  const timed = async (name, sql) => { let best = 1e9; for (let i = 0; i < 3; i++) { const a = cpu(); await c.query(sql); best = Math.min(best, cpu() - a); } console.log(name.padEnd(40), 'cpu', best); };
  await c.reset(5000); await c.addPods(10000, podsOf(w, false)); await c.query('select stark_internal.schedule_pods()'); await c.settle();
  await c.query('create temp table o as select * from stark.pods; analyze o');
  const q = (inner) => `select array_agg('stark:node:' || m.node_id), array_agg(m.payload) from (${inner}) m`;
  const s1 = `select w.*, sum(pg_column_size(w.item)) over (partition by w.node_id order by w.priority desc, w.created_at, w.pod_id) / 200000 as chunk from (select w.* from o join stark_internal.wanted_pods w on w.pod_id = o.id offset 0) w`;
  await timed('s1', `select count(chunk) from (${s1}) x`);
  const g = `select s.node_id, jsonb_build_object('pods', jsonb_agg(s.item order by s.priority desc, s.created_at, s.pod_id)) as payload from (${s1}) s group by s.node_id, s.chunk order by s.node_id, s.chunk`;
  await timed('grouped', `select count(payload) from (${g}) x`);

  await timed('noorder', `select count(payload) from (select s.node_id, jsonb_build_object('pods', jsonb_agg(s.item)) as payload from (${s1}) s group by s.node_id, s.chunk) x`);
  await timed('array', `select count(payload) from (select s.node_id, array_agg(s.item) as payload from (${s1}) s group by s.node_id, s.chunk) x`);
  await timed('array order', `select count(payload) from (select s.node_id, array_agg(s.item order by s.priority desc, s.created_at, s.pod_id) as payload from (${s1}) s group by s.node_id, s.chunk) x`);
  await timed('array order to_jsonb', `select count(payload) from (select to_jsonb(y) as payload from (select array_agg(s.item order by s.priority desc, s.created_at, s.pod_id) as pods from (${s1}) s group by s.node_id, s.chunk) y) x`);
  await timed('array order build', `select count(payload) from (select s.node_id, jsonb_build_object('pods', array_agg(s.item order by s.priority desc, s.created_at, s.pod_id)) as payload from (${s1}) s group by s.node_id, s.chunk) x`);
  console.log((await c.query('explain (analyze) ' + g)).map((x) => x['QUERY PLAN']).join('\n'));
  await c.close();
} catch (e) { console.log(e); } finally { await db.stop(); }
