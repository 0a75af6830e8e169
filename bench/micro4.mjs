import { startTestDatabase } from '../scripts/db/test-database.mjs';
import { BenchCluster } from './scheduler/cluster.mjs';
import { podsOf, workloads } from './scheduler/workloads.mjs';
import { readFileSync } from 'node:fs';
const w = workloads[1];
const db = await startTestDatabase();
try {
  const c = await BenchCluster.open(db);
  console.log(await c.query('select pg_jit_available()'));
  await c.reset(5000); await c.addPods(300, podsOf(w, true));
  const s = readFileSync('supabase/migrations/20260101000012_scheduling_filters.sql', 'utf8');
  const body = s.slice(s.indexOf('with wanted as materialized (\n  select row_number() over () as no, d.template')).split('$$;')[0];
  await c.query('begin'); await c.query('select stark_internal.open_tables()'); await c.query('select stark_internal.load_nodes()'); await c.query('select stark_internal.load_pods()');
  await c.query('set enable_nestloop = off');
  console.log((await c.query('explain (analyze) ' + body)).map((x) => x['QUERY PLAN']).join('\n'));
  await c.close();
} catch (e) { console.log(e); } finally { await db.stop(); }
