import type { Check } from '../check.js';
import type { Finding } from '../finding.js';
import { failed, ok, warning } from '../finding.js';

/** The key is a publishable one, and of this project. */
export const key: Check = {
  id: 'key',
  title: 'API key',
  after: ['url'],
  run: async (subject) => {
    const { settings } = subject;
    const set = `stark context set ${settings.context} --url ${subject.url} --key sb_publishable_…`;
    if (settings.key === undefined) return failed('no key is known', set);
    const { host } = new URL(subject.url);
    const wrong = judgeKey(settings.key, host, set);
    if (wrong?.result === 'failed') return wrong;
    const { status } = await subject.gateway();
    if (status === 401 || status === 403) {
      return failed('the cluster refuses the key: it is of another project, or was revoked', set);
    }
    return wrong ?? ok('a publishable key of this project');
  },
};

/** What can be told of a key by looking at it; nothing when it looks right. */
export function judgeKey(text: string, host: string, set: string, now = Date.now()): Finding | undefined {
  if (text.startsWith('sb_publishable_')) return undefined;
  const secret = 'a secret key, which may do everything: it belongs on no machine but the project';
  if (text.startsWith('sb_secret_')) return failed(secret, `${set}, and make a new secret key if others saw this one`);
  const claims = claimsOf(text);
  if (claims === undefined) return failed('this is no key of a Supabase project', set);
  if (claims.role === 'service_role') return failed(secret, set);
  const [ref] = host.split('.');
  if (/\.supabase\.(co|in)$/.test(host) && claims.ref !== undefined && claims.ref !== ref) {
    return failed(`the key is of project ${claims.ref}, and this is ${ref}`, set);
  }
  if (claims.exp !== undefined && claims.exp * 1000 < now) return failed('the key has expired', set);
  return warning('a legacy key (anon): Supabase ends them with 2026; agents that have it stop then', set);
}

interface Claims {
  role?: string;
  ref?: string;
  exp?: number;
}

function claimsOf(token: string): Claims | undefined {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims;
    return typeof claims === 'object' && claims !== null ? claims : undefined;
  } catch {
    return undefined;
  }
}
