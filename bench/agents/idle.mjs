import { setTimeout as delay } from 'node:timers/promises';
import { call } from '@stark-o/core';
import { WATCHERS } from './bill.mjs';
import { Fleet } from './fleet.mjs';

const SAMPLE_MS = 2_000;
/** Signs of life are compared with this when leases are looked at: the timeouts of both settings, in seconds. */
const TIMEOUTS_S = { fast: 30, thrifty: 15 };

/** What idle agents cost: messages by kind, calls, statements, bytes, memory, and whether anybody was ever thought dead. */
export async function measureIdle({ stack, admin, count, ms, liveness = 'fast' }) {
  const { database } = admin;
  await call(admin.client, 'update_cluster_config', { p_changes: { liveness } });
  const token = await admin.token();
  const fleet = await Fleet.start({ url: stack.url, key: stack.keys.publishable, token, count });
  const snapshot = async () => ({
    at: Date.now(),
    messages: await stack.messages(),
    ...(await statementsOf(database)),
    ...(await fleet.read()),
  });
  try {
    // Joining is no idling: until somebody watches, and has heard everybody. Nor is Postgres' first minute, when all are rung.
    const { rows: starts } = await database.query(
      `select extract(epoch from now() - pg_postmaster_start_time())::float as seconds`,
    );
    await delay(Math.max(10, 65 - starts[0].seconds) * 1_000);
    const before = await snapshot();
    const leases = { samples: 0, missed: 0, oldestS: 0 };
    for (const end = Date.now() + ms; Date.now() < end; await delay(SAMPLE_MS)) {
      const { rows } = await database.query(
        `select count(*) filter (where n.status <> 'healthy' or l.renewed_at < now() - make_interval(secs => $1))::int as missed,
                max(extract(epoch from now() - l.renewed_at))::float as oldest
         from stark.nodes n join stark.node_leases l on l.node_id = n.id where n.name like 'node-%'`,
        [TIMEOUTS_S[liveness]],
      );
      leases.samples += 1;
      leases.missed += rows[0].missed;
      leases.oldestS = Math.max(leases.oldestS, rows[0].oldest);
    }
    const after = await snapshot();
    const minutes = (after.at - before.at) / 60_000;
    const perAgent = (read) => (read(after) - read(before)) / (count * minutes);
    return {
      count,
      liveness,
      minutes,
      leases,
      agentMb: after.agentMb,
      // What this watched with is not theirs.
      transactionsPerSecond: (after.transactions - before.transactions - leases.samples) / (minutes * 60),
      reportsPerMinute: (after.reports - before.reports) / minutes,
      functionCallsPerMinute: (after.functionCalls - before.functionCalls) / minutes,
      counted: {
        broadcast: perAgent(({ messages }) => messages.broadcast),
        presence: perAgent(({ messages }) => messages.presence),
      },
      calls: perAgent(({ http }) => http.calls),
      // Watchers are sent each heartbeat as it came.
      egress: perAgent(({ http, counts }) => http.bytes + counts.receivedBytes + counts.heartbeatBytes * WATCHERS),
      sent: perAgentAndMinute(before.counts.sent, after.counts.sent, count * minutes),
      received: perAgentAndMinute(before.counts.received, after.counts.received, count * minutes),
    };
  } finally {
    await fleet.stop();
    await database.query(`delete from stark.nodes where name like 'node-%'`);
  }
}

async function statementsOf(database) {
  // A report of the watcher is one update of this row, and brings the signs of life of all nodes.
  const { rows } = await database.query(
    `select pg_stat_clear_snapshot(),
            (select xact_commit from pg_stat_database where datname = current_database())::int as transactions,
            (select n_tup_upd from pg_stat_all_tables where schemaname = 'stark_internal' and relname = 'node_watch')::int as updates,
            (select count(*) from net._http_response)::int as "functionCalls"`,
  );
  const [{ transactions, updates, functionCalls }] = rows;
  // A call of a watcher updates the row once too.
  return { transactions, reports: updates - functionCalls, functionCalls };
}

function perAgentAndMinute(before, after, agentMinutes) {
  const kinds = Object.keys(after).map((kind) => [kind, (after[kind] - (before[kind] ?? 0)) / agentMinutes]);
  return Object.fromEntries(kinds.filter(([, rate]) => rate > 0));
}
