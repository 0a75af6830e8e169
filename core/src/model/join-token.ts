import type { RowOf } from './database.js';
import type { Labels } from './labels.js';
import type { Taint } from './taints.js';

/** A token by which machines become nodes, as `stark.join_tokens` shows it: everything but what it reads. */
export type JoinToken = RowOf<'join_tokens', { labels: Labels; taints: readonly Taint[] }>;

/** What `create_join_token` answers: the only time that the token itself is shown. */
export interface NewJoinToken {
  id: string;
  token: string;
  labels: Labels;
  taints: readonly Taint[];
  accepts: string | null;
  accepted_namespaces: readonly string[];
  max_uses: number;
  expires_at: string;
}
