import { round } from '../lib/stats.mjs';
import { messagesPerMinute, monthOf } from './bill.mjs';

/** Messages per node and minute as they were counted, and what they make in a month beside what plans include. */
export function billOf(idle) {
  const kinds = Object.entries({ ...prefixed('sent', idle.sent), ...prefixed('received', idle.received) });
  const heartbeats = idle.sent['stark:heartbeat broadcast heartbeat'] ?? 0;
  return [
    ...kinds.map(([name, rate]) => ({ name: `  ${name}`, value: round(rate, 2), unit: 'per node and minute' })),
    {
      name: 'heartbeats beside those the setting asks for',
      value: round(heartbeats / (messagesPerMinute('fast') / (1 + 70 / 60)), 2),
      unit: '×',
    },
    { name: 'words of the watchers, of all nodes at once', value: round(idle.wordsPerMinute), unit: 'per minute' },
    ...['fast', 'thrifty'].flatMap((liveness) =>
      [10, 100, 1_000].map((nodes) => {
        const month = monthOf(nodes, liveness);
        const aimed = nodes === 100 && liveness === 'thrifty';
        return {
          name: `${nodes} idle nodes, ${liveness}, in 30 days; fits ${month.fits.join(', ') || 'no included amount'}`,
          value: month.messages,
          unit: `messages, ${month.calls.toLocaleString('en-US')} function calls`,
          ...(aimed && { aim: '≤ 5,000,000', met: month.messages <= 5_000_000 }),
        };
      }),
    ),
  ];
}

function prefixed(way, rates) {
  return Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [`${way}: ${kind}`, rate]));
}
