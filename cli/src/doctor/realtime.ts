import type { StarkClient } from '@stark-o/core';

/** What came of joining a topic: joined, or why not. */
export type Joining = 'joined' | { refused: string };

// Production holds the answer to a refused join back for five seconds.
const patienceMs = 12_000;

type Realtime = Pick<StarkClient, 'channel' | 'realtime' | 'removeAllChannels'>;

/** Joins a topic and leaves it again. */
export async function tryToJoin(client: Realtime, topic: string, isPrivate: boolean): Promise<Joining> {
  const channel = client.channel(topic, { config: { private: isPrivate } });
  try {
    return await new Promise<Joining>((resolve) => {
      const timer = setTimeout(() => resolve({ refused: 'no answer in time' }), patienceMs);
      channel.subscribe((status, error) => {
        if (status !== 'SUBSCRIBED' && status !== 'CHANNEL_ERROR' && status !== 'TIMED_OUT') return;
        clearTimeout(timer);
        resolve(status === 'SUBSCRIBED' ? 'joined' : { refused: error?.message ?? status });
      });
    });
  } finally {
    await client.removeAllChannels();
    await client.realtime.disconnect();
  }
}
