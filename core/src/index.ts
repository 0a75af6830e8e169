export { type CallOptions, call } from './client/call.js';
export { createStarkClient, type StarkClient, type StarkClientOptions } from './client/client.js';
export { type ErrorEnvelope, StarkError, type StarkErrorOptions, usageError } from './client/errors.js';
export { EXIT_CODES, type ExitCode, exitCodeOf } from './client/exit-codes.js';
export { type ErrorSource, toStarkError } from './client/to-stark-error.js';
export { type Database, STARK_SCHEMA } from './model/database.js';
export type { JsonObject, JsonValue } from './model/json.js';
export type { Pack, PackContext, PackLog, PackLogMethod, PackStorage } from './model/pack-context.js';
