import { formatTaint, type JoinToken } from '@stark-o/core/model';
import type { View } from '../base/output.js';
import type { Connection } from '../session/connection.js';
import { ageOf, labelsCell } from './cells.js';

/** What `-o json` promises of a join token. */
export const joinTokenColumns = [
  'id',
  'owner_id',
  'labels',
  'taints',
  'max_uses',
  'uses',
  'expires_at',
  'revoked_at',
  'used_at',
  'created_at',
] as const;

export type JoinTokenRow = Pick<JoinToken, (typeof joinTokenColumns)[number]>;

/** The join tokens that the caller may see, newest first. */
export async function findJoinTokens(connection: Connection): Promise<JoinTokenRow[]> {
  const client = await connection.client();
  return connection.rows<JoinTokenRow>(
    client.from('join_tokens').select(joinTokenColumns.join(',')).order('created_at', { ascending: false }),
  );
}

/** Whether nodes may join by it, and if not, why not. */
export function joinTokenStatus(token: JoinTokenRow, now = Date.now()): string {
  if (token.revoked_at !== null) return 'revoked';
  if (token.uses >= token.max_uses) return 'used-up';
  return Date.parse(token.expires_at) <= now ? 'expired' : 'active';
}

export const joinTokenView: View<JoinTokenRow> = {
  kind: 'token',
  name: (token) => token.id,
  object: (token) => Object.fromEntries(joinTokenColumns.map((column) => [column, token[column] ?? null])),
  columns: [
    { header: 'ID', value: (token) => token.id },
    { header: 'STATUS', value: joinTokenStatus },
    { header: 'USES', value: (token) => `${token.uses}/${token.max_uses}` },
    { header: 'EXPIRES', value: (token) => token.expires_at.replace(/\.\d+/, '') },
    { header: 'LABELS', value: (token) => labelsCell(token.labels) },
    { header: 'TAINTS', value: (token) => token.taints.map(formatTaint), wide: true },
    { header: 'LAST-USED', value: (token) => ageOf(token.used_at), wide: true },
    { header: 'OWNER', value: (token) => token.owner_id, wide: true },
    { header: 'AGE', value: (token) => ageOf(token.created_at) },
  ],
};
