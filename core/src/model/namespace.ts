import type { RowOf } from './database.js';
import type { Labels } from './labels.js';

/** A boundary between teams, as `stark.namespaces` shows it. */
export type Namespace = RowOf<'namespaces', { labels: Labels }>;
