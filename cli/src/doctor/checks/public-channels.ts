import { createStarkClient } from '@stark-o/core';
import WebSocket from 'ws';
import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { ok, skipped, warning } from '../finding.js';
import { type Joining, tryToJoin } from '../realtime.js';

/** Nobody may use Realtime who shows nothing but the key. */
export const publicChannels: Check = {
  id: 'public-channels',
  title: 'Realtime: public channels',
  after: ['key'],
  run: async (subject) => {
    const { url, key } = subject.connection;
    const client = createStarkClient({
      url,
      key,
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { transport: WebSocket },
    });
    return judgePublic(await tryToJoin(client, `doctor-${process.pid}`, false), subject.isLocal);
  },
};

export function judgePublic(joining: Joining, isLocal: boolean): Finding {
  if (joining !== 'joined') {
    if (/PrivateOnly/.test(joining.refused)) return ok('refused: only private channels are allowed');
    return skipped(`Realtime did not say: ${joining.refused}`, 'stark doctor');
  }
  if (isLocal) return ok('allowed, which only this machine reaches');
  return warning(
    'anybody who has the publishable key may send on public channels, at the cost of your message quota',
    'dashboard, Realtime settings: switch "Allow public access" off, unless another application needs it',
  );
}
