import type { PackContext } from '@stark-o/core';

interface Settings {
  /** How many darts are thrown in one go. */
  darts?: number;
  /** How long it rests between two goes. */
  everyMs?: number;
}

interface Score {
  darts: number;
  hits: number;
}

/** Throws darts at a square and counts those in the circle. What it has counted outlives a restart. */
export default async function pi(ctx: PackContext<Settings>): Promise<void> {
  const { darts = 200_000, everyMs = 1000 } = ctx.config;
  const score = (await ctx.storage.get<Score>('score')) ?? { darts: 0, hits: 0 };
  ctx.log.info(`throwing darts on ${ctx.node.name}`);
  ctx.ready();
  while (!ctx.signal.aborted) {
    score.hits += hits(darts);
    score.darts += darts;
    await ctx.storage.set('score', score);
    ctx.log.info(`pi is about ${((4 * score.hits) / score.darts).toFixed(6)}`, { darts: score.darts });
    await rest(everyMs, ctx.signal);
  }
  ctx.log.info('stopping');
}

function hits(darts: number): number {
  let hit = 0;
  for (let thrown = 0; thrown < darts; thrown++) if (Math.random() ** 2 + Math.random() ** 2 <= 1) hit += 1;
  return hit;
}

/** Resolves after this time, or at once when the pod should end. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}
