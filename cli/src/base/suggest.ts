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
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const line = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      line.push(cost);
    }
    beforeLast = last;
    last = line;
  }
  return last[right.length] ?? 0;
}
