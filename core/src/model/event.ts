import type { RowOf } from './database.js';
import type { JsonObject } from './json.js';

export const EVENT_KINDS = ['pod', 'node', 'pack', 'pack_version', 'namespace'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/**
 * One line of the append-only log: what changed, the whole new state (the last one when it was deleted), who did it.
 * `seq` has no gaps and grows in the order of commits; `type` is `<kind>.created`, `.updated`, `.deleted`, or `.conflict`: an update has overwritten another's, `details` say which.
 */
export type StarkEvent = RowOf<'events', { kind: EventKind; object: JsonObject }>;
