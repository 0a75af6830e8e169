/** The value below which the given share of the samples lies. */
export function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1);
  return sorted[Math.max(0, index)];
}

export const median = (samples) => percentile(samples, 0.5);

export const round = (value, digits = 1) => Math.round(value * 10 ** digits) / 10 ** digits;
