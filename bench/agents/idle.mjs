import { setTimeout as delay } from 'node:timers/promises';
import { Fleet } from './fleet.mjs';

const SAMPLE_MS = 2_000;
/** Signs of life are compared with this when leases are looked at: the timeout of liveness fast, in seconds. */
const TIMEOUT_S = 30;

/**
 * What idle agents cost: Realtime messages by kind, statements, memory, and whether anybody was ever thought dead. `database` is
 * a connected client, `token` an access token of whoever owns the nodes.
 */
export async function measureIdle({ stack, database, token, count, ms }) {
  const fleet = await Fleet.start({ url: stack.url, key: stack.keys.publishable, token, count });
  try {
    // Joining is no idling: until somebody watches, and has heard everybody.
    await delay(10_000);
    const before = await snapshot(database, fleet);
    const leases = { samples: 0, missed: 0, oldestS: 0 };
    for (const end = Date.now() + ms; Date.now() < end; await delay(SAMPLE_MS)) {
      const { rows } = await database.query(
        `select count(*) filter (where n.status <> 'healthy' or l.renewed_at < now() - make_interval(secs => $1))::int as missed,
                max(extract(epoch from now() - l.renewed_at))::float as oldest
         from stark.nodes n join stark.node_leases l on l.node_id = n.id where n.name like 'node-%'`,
        [TIMEOUT_S],
      );
      leases.samples += 1;
      leases.missed += rows[0].missed;
      leases.oldestS = Math.max(leases.oldestS, rows[0].oldest);
    }
    const after = await snapshot(database, fleet);
    const minutes = (after.at - before.at) / 60_000;
    return {
      count,
      minutes,
      leases,
      agentMb: after.agentMb,
      // What this watched with is not theirs.
      transactionsPerSecond: (after.transactions - before.transactions - leases.samples) / (minutes * 60),
      wordsPerMinute: (after.words - before.words) / minutes,
      sent: perAgentAndMinute(before.counts.sent, after.counts.sent, count * minutes),
      received: perAgentAndMinute(before.counts.received, after.counts.received, count * minutes),
    };
  } finally {
    await fleet.stop();
    await database.query(`delete from stark.nodes where name like 'node-%'`);
  }
}

async function snapshot(database, fleet) {
  // A word of the watcher is one update of this row, and brings the signs of life of all nodes.
  const { rows } = await database.query(
    `select pg_stat_clear_snapshot(),
            (select xact_commit from pg_stat_database where datname = current_database())::int as transactions,
            (select n_tup_upd from pg_stat_all_tables where schemaname = 'stark_internal' and relname = 'node_watch')::int as words`,
  );
  return { at: Date.now(), transactions: rows[0].transactions, words: rows[0].words, ...(await fleet.read()) };
}

function perAgentAndMinute(before, after, agentMinutes) {
  const kinds = Object.keys(after).map((kind) => [kind, (after[kind] - (before[kind] ?? 0)) / agentMinutes]);
  return Object.fromEntries(kinds.filter(([, rate]) => rate > 0));
}
