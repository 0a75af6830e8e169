/** A watcher listens for 70 s and is called every 60: so many are there at a time. */
export const WATCHERS = 70 / 60;
const MINUTES_A_MONTH = 30 * 24 * 60;
/** Messages and function calls that a plan includes in a month. */
export const PLANS = [
  { name: 'Free', messages: 2_000_000, calls: 500_000 },
  { name: 'Pro', messages: 5_000_000, calls: 2_000_000 },
];
/** Seconds between two heartbeats of an idle node. */
export const INTERVALS = { fast: 15, thrifty: 600 };

/** Messages of one idle node in a minute, as Supabase counts them: one for sending, and one for each who receives it. */
export function messagesPerMinute(liveness) {
  return (60 / INTERVALS[liveness]) * (1 + WATCHERS);
}

/** What so many idle nodes are in a month of 30 days. */
export function monthOf(nodes, liveness) {
  const messages = Math.round(nodes * messagesPerMinute(liveness) * MINUTES_A_MONTH);
  return {
    nodes,
    liveness,
    messages,
    calls: MINUTES_A_MONTH,
    fits: PLANS.filter((plan) => messages <= plan.messages && MINUTES_A_MONTH <= plan.calls).map(({ name }) => name),
  };
}
