import { formatAge } from '../model/duration.js';
import { formatLabels } from '../model/labels.js';

/** Labels as `a=b,c=d`, keys in order. */
export const labelsCell = (labels: Readonly<Record<string, string>> | null | undefined): string =>
  formatLabels(labels ?? {});

/** How long ago something was; empty when it was not yet. */
export const ageOf = (timestamp: string | null | undefined): string =>
  timestamp === null || timestamp === undefined ? '' : formatAge(timestamp);

/** A size as people say it: 812B, 14KiB, 1.2MiB. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)}KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)}MiB`;
}

/** When something was, and how long ago; empty when it was not yet. */
export const momentOf = (timestamp: string | null): string =>
  timestamp === null ? '' : `${timestamp} (${ageOf(timestamp)} ago)`;
