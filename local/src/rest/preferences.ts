/** What a `Prefer` header asks for, as far as lite leaves it to us. */
export interface Preferences {
  handling?: 'strict' | 'lenient';
  missing?: 'default' | 'null';
  return?: 'minimal' | 'headers-only' | 'representation';
  count?: 'exact' | 'planned' | 'estimated';
  tx?: 'commit' | 'rollback';
  maxAffected?: number;
}

const known = {
  handling: ['strict', 'lenient'],
  missing: ['default', 'null'],
  return: ['minimal', 'headers-only', 'representation'],
  count: ['exact', 'planned', 'estimated'],
  tx: ['commit', 'rollback'],
} as const;

const maxAffected = 'max-affected=';

/** Reads a `Prefer` header: of each preference the first value that PostgREST knows counts. */
export function readPreferences(header: string | null): Preferences {
  const tokens = tokensOf(header);
  const preferences: Record<string, string | number> = {};
  for (const [name, values] of Object.entries(known)) {
    const first = tokens.find((token) => values.some((value) => token === `${name}=${value}`));
    if (first !== undefined) preferences[name] = first.slice(name.length + 1);
  }
  const limit = tokens.find((token) => token.startsWith(maxAffected))?.slice(maxAffected.length);
  if (limit !== undefined && /^\s*-?\d+$/.test(limit)) preferences.maxAffected = Number(limit);
  return preferences as Preferences;
}

/** The header without `max-affected`: lite counts beforehand what would be affected, and for inserts too. */
export function withoutMaxAffected(header: string): string {
  return tokensOf(header)
    .filter((token) => !token.startsWith(maxAffected))
    .join(', ');
}

/** `Preference-Applied`, from what was asked and what lite says it did; '' when there is nothing to say. */
export function appliedPreferences(options: {
  preferences: Preferences;
  method: string;
  isCall: boolean;
  txAllowed: boolean;
  lite: string | null;
}): string {
  const { preferences, method, isCall, txAllowed } = options;
  const isWrite = !isCall && ['POST', 'PATCH', 'PUT', 'DELETE'].includes(method);
  const mayMiss = isWrite && (method === 'POST' || method === 'PATCH');
  const { handling, missing, count, tx } = preferences;
  const limited = handling === 'strict' && (isCall || method === 'PATCH' || method === 'DELETE');
  const values: [name: string, value: string | number | undefined][] = [
    ['missing', mayMiss ? missing : undefined],
    ['return', isWrite ? preferences.return : undefined],
    ['count', count],
    ['tx', txAllowed ? tx : undefined],
    ['handling', handling],
    ['max-affected', limited ? preferences.maxAffected : undefined],
  ];
  const resolution = tokensOf(options.lite).filter((token) => token.startsWith('resolution='));
  const applied = values.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${value}`);
  return [...(isWrite && method === 'POST' ? resolution : []), ...applied].join(', ');
}

/** Types that PostgREST can give of anything; all others need a function of their own. */
const producible = /^(application\/(json|vnd\.pgrst\.(object|array)(\+json)?)|text\/csv|\*\/\*)$/;

/**
 * What of an Accept header decides: the first type by quality that can be given. Lite takes one JSON object for wanted
 * wherever it is named.
 */
export function decidingType(accept: string): string {
  const types = accept
    .toLowerCase()
    .split(',')
    .map((text) => {
      const [type = '', ...parameters] = text.split(';').map((one) => one.trim());
      const quality = parameters.find((one) => one.startsWith('q='))?.slice(2);
      const kept = parameters.filter((one) => !one.startsWith('q='));
      return { type, text: [type, ...kept].join(';'), quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ type, quality }) => producible.test(type) && quality > 0);
  return types.sort((a, b) => b.quality - a.quality)[0]?.text ?? accept;
}

/** Whether a type stands for one JSON object and nothing else. */
export const isSingular = (type: string) => /^application\/vnd\.pgrst\.object(\+json)?(;|$)/.test(type);

function tokensOf(header: string | null): string[] {
  return (header ?? '')
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}
