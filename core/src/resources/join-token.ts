import type { JoinToken } from '../model/join-token.js';
import { formatTaint } from '../model/taints.js';
import { ageOf, labelsCell, momentOf } from './cells.js';
import { KINDS } from './kinds.js';
import { actionOf, defineResource } from './resource.js';

/** What is shown of a join token: everything but what it reads. */
export type JoinTokenRow = Pick<JoinToken, (typeof fields)[number]>;

const fields = [
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

/** Join tokens. */
export const joinTokens = defineResource<JoinToken>()({
  ...KINDS.jointoken,
  source: { table: 'join_tokens' },
  fields,
  nameColumn: 'id',
  notFound: 'JOIN_TOKEN_NOT_FOUND',
  labels: (token) => token.labels,
  columns: [
    { header: 'ID', value: (token) => token.id },
    { header: 'STATUS', value: (token) => joinTokenStatus(token) },
    { header: 'USES', value: (token) => `${token.uses}/${token.max_uses}` },
    { header: 'EXPIRES', value: (token) => token.expires_at.replace(/\.\d+/, '') },
    { header: 'LABELS', value: (token) => labelsCell(token.labels) },
    { header: 'TAINTS', value: (token) => token.taints.map(formatTaint), wide: true },
    { header: 'LAST-USED', value: (token) => ageOf(token.used_at), wide: true },
    { header: 'OWNER', value: (token) => token.owner_id, wide: true },
    { header: 'AGE', value: (token) => ageOf(token.created_at) },
  ],
  details: (token) => [
    ['Id', token.id],
    ['Status', joinTokenStatus(token)],
    ['Uses', `${token.uses} of ${token.max_uses}`],
    ['Expires', token.expires_at],
    ['Labels', token.labels],
    ['Taints', token.taints.map(formatTaint).join(', ')],
    ['Last used', momentOf(token.used_at)],
    ['Owner', token.owner_id],
    ['Created', momentOf(token.created_at)],
  ],
  conditions: [{ name: 'ready', holds: (token) => joinTokenStatus(token) === 'active' }],
  why: (token) => joinTokenStatus(token),
  stays: true,
  remove: actionOf('revoke_join_token', {
    right: 'nodes:delete',
    confirm: 'never',
    done: 'revoked',
    args: (token: JoinTokenRow) => ({ p_id: token.id }),
  }),
});

/** Whether nodes may join by it, and if not, why not. */
export function joinTokenStatus(token: JoinTokenRow, now = Date.now()): string {
  if (token.revoked_at !== null) return 'revoked';
  if (token.uses >= token.max_uses) return 'used-up';
  return Date.parse(token.expires_at) <= now ? 'expired' : 'active';
}
