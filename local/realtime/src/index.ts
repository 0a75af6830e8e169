export type { Clock } from './clock.js';
export { applyRealtimeSchema } from './database/schema.js';
export type { Limits, Plan } from './limits/plans.js';
export type { RealtimeLog, RealtimeOptions } from './options.js';
export { createRealtimeServer, type RealtimeServer, type RealtimeStats } from './server.js';
