/** A watcher listens for 70 s and is called every 60: so many are there at a time. */
export const WATCHERS = 70 / 60;
const MINUTES_A_MONTH = 30 * 24 * 60;
const PAID = { messages: 5_000_000, calls: 2_000_000, connections: 500, egressGb: 250 };
/** What a plan includes in a month. */
export const PLANS = [
  { name: 'Free', messages: 2_000_000, calls: 500_000, connections: 200, egressGb: 5 },
  { name: 'Pro', ...PAID },
  { name: 'Team', ...PAID },
];
/** Dollars for what Pro and Team do not include: a million messages or calls, a thousand connections, a gigabyte. */
const PRICES = { messages: 2.5 / 1e6, calls: 2 / 1e6, connections: 10 / 1e3, egressGb: 0.09 };
/** Seconds between two heartbeats of an idle node. */
export const INTERVALS = { fast: 15, thrifty: 600 };
/** Each new watcher is told once who is present, however many nodes there are. */
const ROLLS_PER_MINUTE = 1;

/** Messages of one idle node in a minute, as Supabase counts them: one for sending, and one for each who receives it. */
export function messagesPerMinute(liveness) {
  return (60 / INTERVALS[liveness]) * (1 + WATCHERS);
}

/** What so many idle nodes are in a month of 30 days, and what Pro charges for that on top of itself. */
export function monthOf(nodes, liveness, egressPerNodeMinute) {
  const used = {
    messages: Math.round((nodes * messagesPerMinute(liveness) + ROLLS_PER_MINUTE) * MINUTES_A_MONTH),
    calls: MINUTES_A_MONTH,
    connections: nodes + Math.ceil(WATCHERS),
    egressGb: (nodes * egressPerNodeMinute * MINUTES_A_MONTH) / 1e9,
  };
  const beyond = ([kind, price]) => Math.max(0, used[kind] - PAID[kind]) * price;
  return {
    nodes,
    liveness,
    ...used,
    dollars: Object.entries(PRICES).reduce((sum, price) => sum + beyond(price), 0),
    fits: PLANS.filter((plan) => Object.keys(PRICES).every((kind) => used[kind] <= plan[kind])).map(({ name }) => name),
  };
}
