import { round } from '../lib/stats.mjs';
import { INTERVALS, messagesPerMinute, monthOf, PLANS } from './bill.mjs';

/** What idle nodes were counted to cost, and what that makes in a month beside what plans include. */
export function billOf(idles) {
  return [
    ...idles.flatMap(countsOf),
    ...PLANS.map(({ name, messages, calls, connections, egressGb }) => ({
      name: `${name} includes in a month`,
      value: messages,
      unit: `messages, ${thousands(calls)} function calls, ${connections} connections, ${egressGb} GB`,
    })),
    ...[...lastOfEach(idles)].flatMap((idle) => [10, 100, 1_000].map((nodes) => monthLine(nodes, idle))),
  ];
}

// What a node costs does not depend on how many there are.
function lastOfEach(idles) {
  return new Map(idles.map((idle) => [idle.liveness, idle])).values();
}

function countsOf(idle) {
  const { liveness, count } = idle;
  const kinds = Object.entries({ ...prefixed('sent', idle.sent), ...prefixed('received', idle.received) });
  const perNode = (name, value) => ({ name, value: round(value, 2), unit: 'per node and minute' });
  const perMinute = (name, value) => ({ name, value: round(value, 1), unit: 'per minute, of all nodes' });
  const heartbeats = idle.sent['stark:heartbeat broadcast heartbeat'] ?? 0;
  return [
    perNode(`${count} agents, ${liveness}: messages as Supabase counts them, broadcast`, idle.counted.broadcast),
    perNode('  and by the settings', messagesPerMinute(liveness)),
    perMinute('  messages as Supabase counts them, presence', idle.counted.presence * count),
    {
      ...perNode('  heartbeats sent', heartbeats),
      aim: `${60 / INTERVALS[liveness]} ± 1`,
      met: near(heartbeats, liveness),
    },
    ...kinds.map(([name, rate]) => perNode(`  on the socket, ${name}`, rate)),
    perNode('  calls over HTTP', idle.calls),
    {
      name: '  egress, to the agent and of its heartbeats to the watchers',
      value: Math.round(idle.egress),
      unit: 'bytes per node and minute',
    },
    perMinute('  function calls', idle.functionCallsPerMinute),
    perMinute('  reports of the watchers', idle.reportsPerMinute),
    { name: '  transactions', value: round(idle.transactionsPerSecond), unit: 'per second' },
  ];
}

// A beat may fall just outside of what was measured.
function near(heartbeats, liveness) {
  return Math.abs(heartbeats - 60 / INTERVALS[liveness]) <= 1;
}

function monthLine(nodes, { liveness, egress }) {
  const month = monthOf(nodes, liveness, egress);
  const fits =
    month.fits.length > 0 ? `inside ${month.fits.join(', ')}` : `$${Math.round(month.dollars)} on top of Pro`;
  const aimed = nodes === 100 && liveness === 'thrifty';
  return {
    name: `${thousands(nodes)} idle nodes, ${liveness}, 30 days: ${fits}`,
    value: month.messages,
    unit: `messages, ${thousands(month.calls)} function calls, ${month.connections} connections, ${round(month.egressGb)} GB`,
    ...(aimed && { aim: '≤ 5,000,000', met: month.messages <= 5_000_000 }),
  };
}

function thousands(value) {
  return value.toLocaleString('en-US');
}

function prefixed(way, rates) {
  return Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [`${way}: ${kind}`, rate]));
}
