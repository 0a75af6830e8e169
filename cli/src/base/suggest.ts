import damerauLevenshtein from 'damerau-levenshtein';

/** The candidate that a mistyped word most likely meant, or nothing when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length * 0.4)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Verbs after which something is gone, or does not run any more. */
const HARMFUL = new Set([
  ...[
    'delete',
    'disable',
    'down',
    'drain',
    'logout',
    'pause',
    'promote',
    'restart',
    'revoke',
    'rollback',
    'set',
    'undo',
  ],
  'withdraw',
]);

/** The command that mistyped words most likely meant. One that does harm only where its own verb was mistyped by a letter. */
export function nearestCommand(typed: readonly string[], commands: readonly string[]): string | undefined {
  const isMeant = (id: string) => {
    const verb = id.split(' ').at(-1) ?? '';
    return !HARMFUL.has(verb) || typed.some((word) => editDistance(word, verb) <= 1);
  };
  return nearest(typed.join(' '), commands.filter(isMeant));
}

/** How many letters must be inserted, deleted, replaced or swapped with their neighbour to make one word of another. */
export function editDistance(left: string, right: string): number {
  return damerauLevenshtein(left, right).steps;
}
