import type { RowOf } from './database.js';
import type { Labels } from './labels.js';
import type { ResourceAmounts } from './pod.js';

/** The most that the live pods of a namespace may ask for together; what is not named is not limited. */
export interface Quota extends ResourceAmounts {
  pods?: number;
  deployments?: number;
}

/** What one pod of a namespace may ask for, and asks for when it does not say. */
export interface LimitRange {
  default?: ResourceAmounts;
  min?: ResourceAmounts;
  max?: ResourceAmounts;
}

/** A boundary between teams, as `stark.namespaces` shows it. */
export type Namespace = RowOf<'namespaces', { labels: Labels; quota: Quota; limit_range: LimitRange }>;
