/** What a project may use. Hosted values are those of Supabase's limits page, the first column is the server's own. */
export interface Limits {
  /** Sockets with at least one joined channel, now or earlier. */
  connections: number;
  messagesPerSecond: number;
  joinsPerSecond: number;
  channelsPerConnection: number;
  presenceMessagesPerSecond: number;
  /** `track` and `untrack` calls of one channel in one window. */
  presenceCallsPerWindow: number;
  presenceWindowMs: number;
  /** Kilobytes of 1,000 bytes. */
  broadcastPayloadKb: number;
  /** Bytes of one changed row. */
  postgresChangesBytes: number;
}

export type Plan = 'self-hosted' | 'free' | 'pro' | 'team';

const always = {
  channelsPerConnection: 100,
  presenceCallsPerWindow: 5,
  presenceWindowMs: 30_000,
  postgresChangesBytes: 1_048_576,
};

const plans: Record<Plan, Limits> = {
  'self-hosted': {
    ...always,
    connections: 200,
    messagesPerSecond: 100,
    joinsPerSecond: 100,
    presenceMessagesPerSecond: 1_000,
    broadcastPayloadKb: 3_000,
  },
  free: {
    ...always,
    connections: 200,
    messagesPerSecond: 100,
    joinsPerSecond: 100,
    presenceMessagesPerSecond: 20,
    broadcastPayloadKb: 256,
  },
  pro: {
    ...always,
    connections: 500,
    messagesPerSecond: 500,
    joinsPerSecond: 500,
    presenceMessagesPerSecond: 50,
    broadcastPayloadKb: 3_000,
  },
  team: {
    ...always,
    connections: 10_000,
    messagesPerSecond: 2_500,
    joinsPerSecond: 2_500,
    presenceMessagesPerSecond: 1_000,
    broadcastPayloadKb: 3_000,
  },
};

/** A plan's limits with some of them replaced. */
export function limitsOf(plan: Plan, overrides: Partial<Limits> = {}): Limits {
  return { ...plans[plan], ...overrides };
}
