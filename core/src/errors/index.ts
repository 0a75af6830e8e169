// Errors without the client: a command line that fails before it talks to anyone should not load supabase-js.
export { ERROR_CODES } from './codes.js';
export { EXIT_CODES, type ExitCode, exitCodeOf } from './exit-codes.js';
export { type ErrorEnvelope, StarkError, type StarkErrorOptions, usageError } from './stark-error.js';
export { type ErrorSource, toStarkError } from './to-stark-error.js';
